
/* The module's start, the worker's life and its tick. */


#include "ngx_http_b24_session.h"


#define NGX_HTTP_B24_TICK  1000     /* ms */
#define NGX_HTTP_B24_DB_THREADS  16


/* exported by nginx, declared in none of its headers */
extern ngx_module_t  ngx_thread_pool_module;


static ngx_int_t ngx_http_b24_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_b24_init_databases(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static ngx_thread_pool_t *ngx_http_b24_thread_pool(ngx_conf_t *cf, char *name,
    char *threads);

static ngx_int_t ngx_http_b24_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_b24_init_process(ngx_cycle_t *cycle);
static void ngx_http_b24_exit_process(ngx_cycle_t *cycle);
static void ngx_http_b24_tick_handler(ngx_event_t *ev);


ngx_http_b24_main_conf_t  *ngx_http_b24_main;
ngx_atomic_uint_t          ngx_http_b24_generation;

static ngx_event_t         ngx_http_b24_tick;
static ngx_connection_t    ngx_http_b24_dumb;   /* debug logs print its fd */


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


ngx_http_b24_origin_t *
ngx_http_b24_origin_find(const ngx_array_t *origins, const b24_str_t *name)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = origins->elts;

    for (i = 0; i < origins->nelts; i++) {
        if (b24_str_eq(&op[i]->name, name)) {
            return op[i];
        }
    }

    return NULL;
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
