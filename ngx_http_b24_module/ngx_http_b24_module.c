
/* Directives, configuration's life, the worker's life and its tick. */


#include "ngx_http_b24_session.h"


#define NGX_HTTP_B24_TICK  1000     /* ms */
#define NGX_HTTP_B24_DB_THREADS  16


/* exported by nginx, declared in none of its headers */
extern ngx_module_t  ngx_thread_pool_module;


typedef struct {
    ngx_pool_t                 *pool;
    ngx_array_t               **lines;
    const b24_str_t            *shop;
} ngx_http_b24_rule_data_t;


static void *ngx_http_b24_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_b24_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_b24_file(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_str_t *file, char *name);
static void *ngx_http_b24_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_b24_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_b24_merge_pairs(ngx_array_t *parent,
    ngx_array_t **child);
static void *ngx_http_b24_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_b24_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_b24_merge_shop(ngx_conf_t *cf,
    ngx_http_b24_srv_conf_t *bscf, const b24_shop_t *shop);
static ngx_int_t ngx_http_b24_merge_lines(ngx_conf_t *cf,
    ngx_http_b24_srv_conf_t *bscf, ngx_http_b24_loc_conf_t *conf);
static int ngx_http_b24_merge_rule(void *data, const char *directive,
    const b24_str_t *field);
static ngx_int_t ngx_http_b24_merge_fields(ngx_conf_t *cf,
    ngx_array_t *parent, ngx_array_t **child);
static ngx_int_t ngx_http_b24_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_b24_init_databases(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static ngx_thread_pool_t *ngx_http_b24_thread_pool(ngx_conf_t *cf, char *name,
    char *threads);
static void ngx_http_b24_free_rules(void *data);

static ngx_int_t ngx_http_b24_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_b24_init_process(ngx_cycle_t *cycle);
static void ngx_http_b24_exit_process(ngx_cycle_t *cycle);
static void ngx_http_b24_tick_handler(ngx_event_t *ev);


ngx_http_b24_main_conf_t  *ngx_http_b24_main;
ngx_atomic_uint_t          ngx_http_b24_generation;

static ngx_event_t         ngx_http_b24_tick;
static ngx_connection_t    ngx_http_b24_dumb;   /* debug logs print its fd */


#define NGX_HTTP_B24_SRV   NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF
#define NGX_HTTP_B24_LOC   NGX_HTTP_B24_SRV|NGX_HTTP_LOC_CONF

/* a line, or a block, of the rule language */
#define ngx_http_b24_rule(name, ctx)                                          \
    { ngx_string(name), (ctx)|NGX_CONF_ANY, ngx_http_b24_shop_line,           \
      NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL }

#define ngx_http_b24_rule_block(name, ctx)                                    \
    { ngx_string(name), (ctx)|NGX_CONF_ANY|NGX_CONF_BLOCK,                    \
      ngx_http_b24_shop_line, NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL }


/* not const: ngx_http_b24_shop_peek() sets NGX_CONF_BLOCK by what follows */
ngx_command_t  ngx_http_b24_commands[] = {

    { ngx_string("b24_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_b24_conf_queue,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_shop"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_1MORE,
      ngx_http_b24_shop,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_sessions"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_b24_conf_sessions,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_webhook"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE12,
      ngx_http_b24_conf_webhook,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_origin"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_origin,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_rate"),
      NGX_HTTP_B24_SRV|NGX_CONF_1MORE,
      ngx_http_b24_conf_rate,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_retry"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE123,
      ngx_http_b24_conf_retry,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_api"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_api,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_product"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_product,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_category"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_category,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_stage"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE12,
      ngx_http_b24_conf_stage,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_stage_back"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE2,
      ngx_http_b24_conf_stage_back,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_match"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE12,
      ngx_http_b24_conf_match,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_phone_code"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_phone_code,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_requisite_preset"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_requisite_preset,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_trusted_certificate"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_certificate,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_database"),
      NGX_HTTP_B24_SRV|NGX_CONF_1MORE,
      ngx_http_b24_conf_database,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_import"),
      NGX_HTTP_B24_SRV|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_b24_srv_conf_t, imports),
      NULL },

    { ngx_string("b24_alert"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1234,
      ngx_http_b24_conf_alert,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_site"),
      NGX_HTTP_SRV_CONF|NGX_CONF_TAKE123,
      ngx_http_b24_conf_site,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_update"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_update,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_mirror"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE1,
      ngx_http_b24_conf_mirror,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_journal"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE1,
      ngx_http_b24_conf_journal,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_capture"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE123,
      ngx_http_b24_conf_capture,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_deal"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE2,
      ngx_http_b24_conf_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_b24_loc_conf_t, deal),
      NULL },

    { ngx_string("b24_contact"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE2,
      ngx_http_b24_conf_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_b24_loc_conf_t, contact),
      NULL },

    { ngx_string("b24_company"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE2,
      ngx_http_b24_conf_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_b24_loc_conf_t, company),
      NULL },

    { ngx_string("b24_events"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_b24_conf_events,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_b24_conf_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    /* inside b24_shop */

    ngx_http_b24_rule("session",
                      NGX_HTTP_B24_SHOP_CONF|NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("stage", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule("default_status", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("order", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("collect", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("status", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("database", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("write", NGX_HTTP_B24_SHOP_CONF),

    /* inside order, collect and status; some inside items, database, write */

    ngx_http_b24_rule("uri", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("method",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("when", NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_ITEMS_CONF
                              |NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("accept",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("learn",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("deal", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("contact", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("company_field", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule_block("items", NGX_HTTP_B24_RULE_CONF),

    ngx_http_b24_rule("id", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("row", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("name",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("first_name", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("second_name", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("last_name", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("phone", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("email", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("company", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("inn", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("kpp", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("address", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("comment", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("total", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("currency", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("delivery", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("discount",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("tax", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("minor_units", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("status", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("canceled", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("paid", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("shipped", NGX_HTTP_B24_RULE_CONF),

    ngx_http_b24_rule("price", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("sum", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("quantity", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("product_id", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("xml_id", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("tax_rate", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("tax_included", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("measure", NGX_HTTP_B24_ITEMS_CONF),

    ngx_http_b24_rule("order", NGX_HTTP_B24_DB_CONF),
    ngx_http_b24_rule("items", NGX_HTTP_B24_DB_CONF),
    ngx_http_b24_rule("changes", NGX_HTTP_B24_DB_CONF),
    ngx_http_b24_rule("link", NGX_HTTP_B24_DB_CONF),

    ngx_http_b24_rule("url", NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("header", NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("body", NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("expired", NGX_HTTP_B24_WRITE_CONF),

      ngx_null_command
};


static ngx_http_module_t  ngx_http_b24_module_ctx = {
    ngx_http_b24_add_variables,            /* preconfiguration */
    ngx_http_b24_init,                     /* postconfiguration */

    ngx_http_b24_create_main_conf,         /* create main configuration */
    ngx_http_b24_init_main_conf,           /* init main configuration */

    ngx_http_b24_create_srv_conf,          /* create server configuration */
    ngx_http_b24_merge_srv_conf,           /* merge server configuration */

    ngx_http_b24_create_loc_conf,          /* create location configuration */
    ngx_http_b24_merge_loc_conf            /* merge location configuration */
};


ngx_module_t  ngx_http_b24_module = {
    NGX_MODULE_V1,
    &ngx_http_b24_module_ctx,              /* module context */
    ngx_http_b24_commands,                 /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_b24_init_module,              /* init module */
    ngx_http_b24_init_process,             /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_b24_exit_process,             /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


int64_t
ngx_http_b24_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}


ngx_uint_t
ngx_http_b24_quiet(ngx_http_b24_quiet_t *quiet, ngx_uint_t *left)
{
    time_t  now;

    now = (time_t) (ngx_current_msec / 1000) + 1;

    if (quiet->last && now - quiet->last < NGX_HTTP_B24_LOG_EVERY) {
        quiet->left++;
        return 0;
    }

    *left = quiet->left;

    quiet->left = 0;
    quiet->last = now;

    return 1;
}


void
ngx_http_b24_place(ngx_conf_t *cf, ngx_http_b24_place_t *place)
{
    if (cf->conf_file && cf->conf_file->file.name.len) {
        place->file = cf->conf_file->file.name;
        place->line = cf->conf_file->line;
    }
}


void
ngx_http_b24_conf_error(ngx_log_t *log, ngx_http_b24_place_t *place,
    const char *fmt, ...)
{
    u_char   words[NGX_MAX_CONF_ERRSTR], *last;
    va_list  args;

    va_start(args, fmt);
    last = ngx_vslprintf(words, words + NGX_MAX_CONF_ERRSTR, fmt, args);
    va_end(args);

    if (place->file.len) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "%*s in %V:%ui",
                      (size_t) (last - words), words, &place->file,
                      place->line);

    } else {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "%*s",
                      (size_t) (last - words), words);
    }
}


static void
ngx_http_b24_free_rules(void *data)
{
    b24_pool_destroy(data);
}


static void *
ngx_http_b24_create_main_conf(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_b24_main_conf_t  *bmcf;

    bmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_main_conf_t));
    if (bmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     bmcf->queue = { 0, NULL };
     *     bmcf->mirrors = 0;
     *     bmcf->desks = 0;
     */

    bmcf->keep = NGX_HTTP_B24_KEEP;
    bmcf->max = NGX_HTTP_B24_MAX;
    bmcf->sessions_time = B24_SESSION_TTL;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    bmcf->rules_pool = b24_pool_create(0);
    if (bmcf->rules_pool == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_b24_free_rules;
    cln->data = bmcf->rules_pool;

    bmcf->rules = b24_rules_create(bmcf->rules_pool);
    if (bmcf->rules == NULL) {
        return NULL;
    }

    if (ngx_array_init(&bmcf->vars, cf->pool, 8,
                       sizeof(ngx_http_complex_value_t))
        != NGX_OK
        || ngx_array_init(&bmcf->uses, cf->pool, 8, sizeof(ngx_http_b24_use_t))
           != NGX_OK
        || ngx_array_init(&bmcf->events, cf->pool, 1,
                          sizeof(ngx_http_b24_events_t *)) != NGX_OK
        || ngx_array_init(&bmcf->shown, cf->pool, 2,
                          sizeof(ngx_http_b24_shown_t))
           != NGX_OK
        || ngx_array_init(&bmcf->origins, cf->pool, 4,
                          sizeof(ngx_http_b24_origin_t *))
           != NGX_OK
        || ngx_array_init(&bmcf->portals, cf->pool, 4,
                          sizeof(ngx_http_b24_portal_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return bmcf;
}


static char *
ngx_http_b24_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_b24_main_conf_t  *bmcf = conf;

    if (bmcf->queue.len == 0) {
        ngx_str_set(&bmcf->queue, "b24");
    }

    if (ngx_conf_full_name(cf->cycle, &bmcf->queue, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (bmcf->queue.len > 1
           && bmcf->queue.data[bmcf->queue.len - 1] == '/')
    {
        bmcf->queue.len--;
        bmcf->queue.data[bmcf->queue.len] = '\0';
    }

    if (ngx_http_b24_file(cf, bmcf, &bmcf->db, "/queue.db") != NGX_OK
        || ngx_http_b24_file(cf, bmcf, &bmcf->lock, "/courier.lock") != NGX_OK
        || ngx_http_b24_file(cf, bmcf, &bmcf->sock, "/courier.sock") != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_b24_file(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_str_t *file, char *name)
{
    file->len = bmcf->queue.len + ngx_strlen(name);

    file->data = ngx_pnalloc(cf->pool, file->len + 1);
    if (file->data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(file->data, "%V%s%Z", &bmcf->queue, name);

    return NGX_OK;
}


static void *
ngx_http_b24_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_b24_srv_conf_t  *bscf;

    bscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_srv_conf_t));
    if (bscf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     bscf->origin = { 0, NULL };
     *     bscf->certificate = { 0, NULL };
     *     bscf->phone_code = { 0, NULL };
     *     bscf->stages = NULL;
     *     bscf->stage_back = NULL;
     *     bscf->site = NULL;
     *     bscf->o = NULL;
     */

    bscf->webhook = NGX_CONF_UNSET_PTR;
    bscf->limits.rate = NGX_CONF_UNSET_UINT;
    bscf->category = NGX_CONF_UNSET;
    bscf->api = NGX_CONF_UNSET_UINT;
    bscf->match = NGX_CONF_UNSET_UINT;
    bscf->product = NGX_CONF_UNSET_UINT;
    bscf->requisite_preset = NGX_CONF_UNSET;
    bscf->stages_none = NGX_CONF_UNSET;
    bscf->retry_first = NGX_CONF_UNSET_MSEC;
    bscf->retry_max = NGX_CONF_UNSET_MSEC;
    bscf->retry_unknown = NGX_CONF_UNSET_MSEC;
    bscf->database = NGX_CONF_UNSET_PTR;
    bscf->imports = NGX_CONF_UNSET;
    bscf->update = NGX_CONF_UNSET_UINT;
    bscf->alert = NGX_CONF_UNSET_PTR;

    ngx_http_b24_place(cf, &bscf->place);

    return bscf;
}


static char *
ngx_http_b24_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_b24_srv_conf_t  *prev = parent;
    ngx_http_b24_srv_conf_t  *conf = child;

    if (conf->origin.data == NULL) {
        conf->origin = prev->origin;
        conf->origin_place = prev->origin_place;
    }

    ngx_conf_merge_ptr_value(conf->webhook, prev->webhook, NULL);

    if (conf->limits.rate == NGX_CONF_UNSET_UINT) {
        conf->limits = prev->limits;
        conf->rate_place = prev->rate_place;
    }

    if (conf->limits.rate == NGX_CONF_UNSET_UINT) {
        ngx_http_b24_limits_default(&conf->limits);
    }

    if (conf->certificate.data == NULL) {
        conf->certificate = prev->certificate;
        conf->certificate_place = prev->certificate_place;
    }

    ngx_conf_merge_value(conf->category, prev->category, 0);
    ngx_conf_merge_uint_value(conf->api, prev->api, 0);
    ngx_conf_merge_uint_value(conf->match, prev->match,
                              B24_MATCH_PHONE_EMAIL);
    ngx_conf_merge_uint_value(conf->product, prev->product,
                              B24_PRODUCT_NONE);
    ngx_conf_merge_str_value(conf->phone_code, prev->phone_code, "7");
    ngx_conf_merge_value(conf->requisite_preset, prev->requisite_preset, 1);
    ngx_conf_merge_msec_value(conf->retry_first, prev->retry_first, 1000);
    ngx_conf_merge_msec_value(conf->retry_max, prev->retry_max, 600000);
    ngx_conf_merge_msec_value(conf->retry_unknown, prev->retry_unknown, 65000);

    ngx_conf_merge_ptr_value(conf->database, prev->database, NULL);
    ngx_conf_merge_value(conf->imports, prev->imports, 1);
    ngx_conf_merge_uint_value(conf->update, prev->update, B24_UPDATE_TOTAL);
    ngx_conf_merge_ptr_value(conf->alert, prev->alert, NULL);

    if (conf->retry_place.file.len == 0) {
        conf->retry_place = prev->retry_place;
    }

    if (conf->retry_first > conf->retry_max) {
        ngx_http_b24_conf_error(cf->log, &conf->retry_place,
                                "\"b24_retry\" has a first pause of %M ms and "
                                "a longest one of %M ms: make \"max\" at least "
                                "as long as \"first\"",
                                conf->retry_first, conf->retry_max);
        return NGX_CONF_ERROR;
    }

    /* a "none" of the server's own empties what http says, too */

    if (conf->stages_none != 1
        && ngx_http_b24_merge_pairs(prev->stages, &conf->stages) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_value(conf->stages_none, prev->stages_none, 0);

    if (ngx_http_b24_merge_pairs(prev->stage_back, &conf->stage_back)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_http_b24_conf_list(conf->stage_back);

    return NGX_CONF_OK;
}


/* levels merge by name (a status, a stage), the inner line wins */

static ngx_int_t
ngx_http_b24_merge_pairs(ngx_array_t *parent, ngx_array_t **child)
{
    ngx_uint_t   i, j, n;
    b24_pair_t  *out, *in, *pair;

    if (parent == NULL || *child == NULL) {
        *child = *child ? *child : parent;
        return NGX_OK;
    }

    out = parent->elts;
    n = (*child)->nelts;

    for (i = 0; i < parent->nelts; i++) {
        in = (*child)->elts;

        for (j = 0; j < n; j++) {
            if (b24_str_eq(&in[j].name, &out[i].name)) {
                break;
            }
        }

        if (j < n) {
            continue;
        }

        pair = ngx_array_push(*child);
        if (pair == NULL) {
            return NGX_ERROR;
        }

        *pair = out[i];
    }

    return NGX_OK;
}


static void *
ngx_http_b24_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_b24_loc_conf_t  *blcf;

    blcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_loc_conf_t));
    if (blcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     blcf->shop = NULL;
     *     blcf->desk = NULL;
     *     blcf->reveal = 0;
     */

    blcf->mirror = NGX_CONF_UNSET;
    blcf->journal = NGX_CONF_UNSET_UINT;
    blcf->body_max = NGX_CONF_UNSET_SIZE;
    blcf->answer_max = NGX_CONF_UNSET_SIZE;
    blcf->total_max = NGX_CONF_UNSET_SIZE;
    blcf->deal = NGX_CONF_UNSET_PTR;
    blcf->contact = NGX_CONF_UNSET_PTR;
    blcf->company = NGX_CONF_UNSET_PTR;

    return blcf;
}


static char *
ngx_http_b24_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_b24_loc_conf_t  *prev = parent;
    ngx_http_b24_loc_conf_t  *conf = child;

    ngx_http_b24_srv_conf_t  *bscf;

    if (conf->mirror == NGX_CONF_UNSET) {
        conf->mirror = (prev->mirror == NGX_CONF_UNSET) ? 0 : prev->mirror;
        conf->shop = prev->shop;
    }

    ngx_conf_merge_uint_value(conf->journal, prev->journal,
                              NGX_HTTP_B24_JOURNAL_ASYNC);
    ngx_conf_merge_size_value(conf->body_max, prev->body_max,
                              NGX_HTTP_B24_BODY);
    ngx_conf_merge_size_value(conf->answer_max, prev->answer_max,
                              NGX_HTTP_B24_ANSWER);
    ngx_conf_merge_size_value(conf->total_max, prev->total_max,
                              NGX_HTTP_B24_TOTAL);

    if (ngx_http_b24_merge_fields(cf, prev->deal, &conf->deal) != NGX_OK
        || ngx_http_b24_merge_fields(cf, prev->contact, &conf->contact)
           != NGX_OK
        || ngx_http_b24_merge_fields(cf, prev->company, &conf->company)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    /*
     * The handler stays when an "if" inside of the location replaces the
     * configuration; in other locations without one this has no effect.
     */

    if (conf->desk == NULL) {
        conf->desk = prev->desk;
        conf->reveal = prev->reveal;
    }

    if (conf->mirror) {
        bscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_b24_module);
        bscf->mirrors++;

        conf->none = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_ctx_t));
        if (conf->none == NULL) {
            return NGX_CONF_ERROR;
        }

        conf->none->conf = conf;
        conf->none->scf = bscf;

        if (ngx_http_b24_merge_shop(cf, bscf, conf->shop) != NGX_OK
            || ngx_http_b24_merge_lines(cf, bscf, conf) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* which shops' tables of stages a server's orders need */

static ngx_int_t
ngx_http_b24_merge_shop(ngx_conf_t *cf, ngx_http_b24_srv_conf_t *bscf,
    const b24_shop_t *shop)
{
    b24_str_t   *name;
    ngx_uint_t   i;

    if (bscf->shops == NULL) {
        bscf->shops = ngx_array_create(cf->pool, 1, sizeof(b24_str_t));
        if (bscf->shops == NULL) {
            return NGX_ERROR;
        }
    }

    name = bscf->shops->elts;

    for (i = 0; i < bscf->shops->nelts; i++) {
        if (b24_str_eq(&name[i], b24_shop_name(shop))) {
            return NGX_OK;
        }
    }

    name = ngx_array_push(bscf->shops);
    if (name == NULL) {
        return NGX_ERROR;
    }

    *name = *b24_shop_name(shop);

    return NGX_OK;
}


/* which fields of the CRM they set, and to what constants */

static ngx_int_t
ngx_http_b24_merge_lines(ngx_conf_t *cf, ngx_http_b24_srv_conf_t *bscf,
    ngx_http_b24_loc_conf_t *conf)
{
    ngx_uint_t                 i, j;
    ngx_array_t               *fields[3];
    ngx_http_b24_line_t        line;
    ngx_http_b24_field_t      *f;
    ngx_http_b24_rule_data_t   rule;

    static const char          *directives[] = {
        "b24_contact", "b24_company", "b24_deal"
    };

    fields[B24_ENTITY_CONTACT] = conf->contact;
    fields[B24_ENTITY_COMPANY] = conf->company;
    fields[B24_ENTITY_DEAL] = conf->deal;

    for (i = 0; i < 3; i++) {

        if (fields[i] == NULL) {
            continue;
        }

        f = fields[i]->elts;

        for (j = 0; j < fields[i]->nelts; j++) {

            if (f[j].value == NULL) {
                continue;
            }

            ngx_memzero(&line, sizeof(ngx_http_b24_line_t));

            line.line.entity = (b24_entity_e) i;
            line.line.field = f[j].name;
            line.directive = directives[i];

            if (f[j].value->lengths == NULL) {
                line.line.value = f[j].value->value;
            }

            if (ngx_http_b24_line_add(cf->pool, &bscf->lines, &line)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    rule.pool = cf->pool;
    rule.lines = &bscf->lines;
    rule.shop = b24_shop_name(conf->shop);

    return b24_shop_pairs(conf->shop, ngx_http_b24_merge_rule, &rule) == 0
           ? NGX_OK : NGX_ERROR;
}


static int
ngx_http_b24_merge_rule(void *data, const char *directive,
    const b24_str_t *field)
{
    ngx_http_b24_rule_data_t  *rule = data;

    ngx_http_b24_line_t  line;

    ngx_memzero(&line, sizeof(ngx_http_b24_line_t));

    line.line.entity = (directive[0] == 'd') ? B24_ENTITY_DEAL
                       : (ngx_strcmp(directive, "contact") == 0)
                         ? B24_ENTITY_CONTACT : B24_ENTITY_COMPANY;
    line.line.field = *field;
    line.directive = directive;
    line.shop = rule->shop;

    return ngx_http_b24_line_add(rule->pool, rule->lines, &line) != NGX_OK;
}


ngx_int_t
ngx_http_b24_line_add(ngx_pool_t *pool, ngx_array_t **lines,
    const ngx_http_b24_line_t *line)
{
    ngx_uint_t            i;
    ngx_http_b24_line_t  *l;

    if (*lines == NULL) {
        *lines = ngx_array_create(pool, 4, sizeof(ngx_http_b24_line_t));
        if (*lines == NULL) {
            return NGX_ERROR;
        }
    }

    l = (*lines)->elts;

    for (i = 0; i < (*lines)->nelts; i++) {

        if (l[i].line.entity == line->line.entity
            && ngx_strcmp(l[i].directive, line->directive) == 0
            && b24_str_eq(&l[i].line.field, &line->line.field)
            && b24_str_eq(&l[i].line.value, &line->line.value)
            && (l[i].shop == line->shop
                || (l[i].shop && line->shop
                    && b24_str_eq(l[i].shop, line->shop))))
        {
            return NGX_OK;
        }
    }

    l = ngx_array_push(*lines);
    if (l == NULL) {
        return NGX_ERROR;
    }

    *l = *line;

    return NGX_OK;
}


/* levels merge by FIELD: the inner line wins, an inner "" removes */

static ngx_int_t
ngx_http_b24_merge_fields(ngx_conf_t *cf, ngx_array_t *parent,
    ngx_array_t **child)
{
    ngx_uint_t             i, j, n;
    ngx_array_t           *inner;
    ngx_http_b24_field_t  *in, *out, *f;

    inner = *child;

    if (inner == NGX_CONF_UNSET_PTR) {
        *child = (parent == NGX_CONF_UNSET_PTR) ? NULL : parent;
        return NGX_OK;
    }

    if (parent == NULL || parent == NGX_CONF_UNSET_PTR) {
        return NGX_OK;
    }

    out = parent->elts;
    n = inner->nelts;

    for (i = 0; i < parent->nelts; i++) {
        in = inner->elts;

        for (j = 0; j < n; j++) {

            if (in[j].name.len == out[i].name.len
                && ngx_memcmp(in[j].name.data, out[i].name.data,
                              in[j].name.len) == 0)
            {
                break;
            }
        }

        if (j < n) {
            continue;
        }

        f = ngx_array_push(inner);
        if (f == NULL) {
            return NGX_ERROR;
        }

        *f = out[i];
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_init(ngx_conf_t *cf)
{
    ngx_http_b24_main_conf_t  *bmcf;

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_b24_module);

    if (ngx_http_b24_conf_check(cf, bmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (bmcf->mirrors == 0 && bmcf->desks == 0) {

        /* loaded but not used: no zone, no threads, no handlers */

        return NGX_OK;
    }

    if (ngx_http_b24_queue_check(cf, bmcf) != NGX_OK
        || ngx_http_b24_shm_add(cf, bmcf) != NGX_OK
        || ngx_http_b24_sessions_add(cf, bmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    bmcf->threads = ngx_http_b24_thread_pool(cf, "b24_queue", "threads=1");
    if (bmcf->threads == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_b24_init_databases(cf, bmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_b24_capture_init(cf);
}


/* a shop's server that hangs holds up its own thread */

static ngx_int_t
ngx_http_b24_init_databases(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    u_char      *threads;
    ngx_uint_t   n;

    n = ngx_http_b24_databases(bmcf);

    if (n == 0) {
        return NGX_OK;
    }

    ngx_http_b24_database_check(cf, bmcf);

    threads = ngx_pnalloc(cf->pool, sizeof("threads=") + NGX_INT_T_LEN);
    if (threads == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(threads, "threads=%ui%Z",
                       ngx_min(n, NGX_HTTP_B24_DB_THREADS));

    bmcf->db_threads = ngx_http_b24_thread_pool(cf, "b24_database",
                                                (char *) threads);

    return bmcf->db_threads ? NGX_OK : NGX_ERROR;
}


/*
 * A pool of our own, so that file AIO of the default one and the queue don't
 * hold each other up.  Only "default" may be used undeclared, hence the
 * directive's own handler is called as if the line stood in the
 * configuration; a line there of that name wins.
 */

static ngx_thread_pool_t *
ngx_http_b24_thread_pool(ngx_conf_t *cf, char *name, char *threads)
{
    void               *conf;
    char               *rv;
    ngx_str_t          *value, pool;
    ngx_array_t        *args, *saved;
    ngx_command_t      *cmd;
    ngx_thread_pool_t  *tp;

    pool.data = (u_char *) name;
    pool.len = ngx_strlen(name);

    tp = ngx_thread_pool_get(cf->cycle, &pool);
    if (tp) {
        return tp;
    }

    args = ngx_array_create(cf->pool, 3, sizeof(ngx_str_t));
    if (args == NULL) {
        return NULL;
    }

    value = ngx_array_push_n(args, 3);

    ngx_str_set(&value[0], "thread_pool");
    value[1] = pool;
    value[2].data = (u_char *) threads;
    value[2].len = ngx_strlen(threads);

    cmd = ngx_thread_pool_module.commands;
    conf = ngx_get_conf(cf->cycle->conf_ctx, ngx_thread_pool_module);

    saved = cf->args;
    cf->args = args;

    rv = cmd->set(cf, cmd, conf);

    cf->args = saved;

    return (rv == NGX_CONF_OK) ? ngx_thread_pool_get(cf->cycle, &pool) : NULL;
}


static ngx_int_t
ngx_http_b24_init_module(ngx_cycle_t *cycle)
{
    ngx_http_b24_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_b24_module);

    /* "nginx -t" must leave no trace */

    if (bmcf == NULL || bmcf->zone == NULL || ngx_test_config) {
        return NGX_OK;
    }

    ngx_http_b24_queue_folder(cycle, bmcf);

    /* workers have it from here, also those that take a dead one's place */

    ngx_http_b24_generation = (ngx_atomic_uint_t) ngx_http_b24_now();

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_init_process(ngx_cycle_t *cycle)
{
    ngx_http_b24_main_conf_t  *bmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    bmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_b24_module);

    if (bmcf == NULL || bmcf->zone == NULL) {
        return NGX_OK;
    }

    ngx_http_b24_main = bmcf;

    ngx_http_b24_journal_init();

    if (ngx_http_b24_shm_attach(cycle, bmcf) != NGX_OK
        || ngx_http_b24_learn_init(cycle, bmcf) != NGX_OK
        || ngx_http_b24_store_init(cycle, bmcf) != NGX_OK
        || ngx_http_b24_courier_init(cycle, bmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_b24_sessions_attach(cycle, bmcf);

    ngx_http_b24_dumb.fd = (ngx_socket_t) -1;

    ngx_http_b24_tick.handler = ngx_http_b24_tick_handler;
    ngx_http_b24_tick.data = &ngx_http_b24_dumb;
    ngx_http_b24_tick.log = cycle->log;
    ngx_http_b24_tick.cancelable = 1;

    ngx_add_timer(&ngx_http_b24_tick, 1);

    return NGX_OK;
}


static void
ngx_http_b24_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_b24_main == NULL) {
        return;
    }

    ngx_http_b24_courier_exit(cycle);
    ngx_http_b24_learn_exit();
    ngx_http_b24_sessions_exit();
    ngx_http_b24_store_exit(cycle);
    ngx_http_b24_shm_detach();
}


static void
ngx_http_b24_tick_handler(ngx_event_t *ev)
{
    ngx_http_b24_sessions_tick();
    ngx_http_b24_store_tick();
    ngx_http_b24_sh_tick();
    ngx_http_b24_learn_tick();
    ngx_http_b24_courier_tick();

    ngx_http_b24_stay();

    ngx_add_timer(ev, NGX_HTTP_B24_TICK);
}


/*
 * The tick keeps a worker that quits alive while the disk refuses its orders,
 * until worker_shutdown_timeout, if there is one, is over.
 */

void
ngx_http_b24_stay(void)
{
    ngx_uint_t        stays;
    ngx_core_conf_t  *ccf;

    static ngx_msec_t  quit;

    stays = ngx_http_b24_store_stays();

    if (stays && ngx_exiting) {
        ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                               ngx_core_module);

        if (quit == 0) {
            quit = ngx_current_msec;
        }

        stays = ccf->shutdown_timeout == 0
                || ngx_current_msec - quit < ccf->shutdown_timeout;
    }

    ngx_http_b24_tick.cancelable = !stays;
}
