
/* The module's configurations: made, and merged level by level. */


#include "ngx_http_b24_module.h"


typedef struct {
    ngx_pool_t                 *pool;
    ngx_array_t               **lines;
    const b24_str_t            *shop;
} ngx_http_b24_rule_data_t;


static void ngx_http_b24_free_rules(void *data);
static ngx_int_t ngx_http_b24_file(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_str_t *file, char *name);
static ngx_int_t ngx_http_b24_merge_pairs(ngx_array_t *parent,
    ngx_array_t **child);
static ngx_int_t ngx_http_b24_merge_shop(ngx_conf_t *cf,
    ngx_http_b24_srv_conf_t *bscf, const b24_shop_t *shop);
static ngx_int_t ngx_http_b24_merge_lines(ngx_conf_t *cf,
    ngx_http_b24_srv_conf_t *bscf, ngx_http_b24_loc_conf_t *conf);
static int ngx_http_b24_merge_rule(void *data, const char *directive,
    const b24_str_t *field);
static ngx_int_t ngx_http_b24_merge_fields(ngx_conf_t *cf,
    ngx_array_t *parent, ngx_array_t **child);


void *
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


static void
ngx_http_b24_free_rules(void *data)
{
    b24_pool_destroy(data);
}


char *
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


void *
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


char *
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


void *
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


char *
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
