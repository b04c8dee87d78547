
/* b24_sessions, and the zone it is for. */


#include "ngx_http_b24_session.h"

#include <sys/random.h>


static ngx_int_t ngx_http_b24_sessions_needed(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static void ngx_http_b24_sessions_note(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);
static ngx_int_t ngx_http_b24_sessions_init(ngx_shm_zone_t *zone,
    void *data);


char *
ngx_http_b24_conf_sessions(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_main_conf_t  *bmcf = conf;

    time_t       time;
    ssize_t      size;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    if (bmcf->sessions_size) {
        return "is duplicate: leave one of the two lines out";
    }

    value = cf->args->elts;

    bmcf->sessions_size = NGX_HTTP_B24_SESSIONS;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "size=", 5) == 0) {
            s.data = value[i].data + 5;
            s.len = value[i].len - 5;

            size = ngx_parse_size(&s);

            if (size < NGX_HTTP_B24_SESSIONS_MIN
                || size > (ssize_t) 4 * 1024 * 1024 * 1024)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"b24_sessions\" has a bad size \"%V\": "
                                   "give 128k to 4g, such as size=16m", &s);
                return NGX_CONF_ERROR;
            }

            bmcf->sessions_size = size;
            continue;
        }

        if (ngx_strncmp(value[i].data, "time=", 5) == 0) {
            s.data = value[i].data + 5;
            s.len = value[i].len - 5;

            time = ngx_parse_time(&s, 1);

            if (time < 1 || time > 30 * 24 * 60 * 60) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"b24_sessions\" has a bad time \"%V\": "
                                   "give 1s to 30d, such as time=1h", &s);
                return NGX_CONF_ERROR;
            }

            bmcf->sessions_time = time;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_sessions\" has an unknown parameter \"%V\": "
                           "it takes size= and time=", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_b24_sessions_add(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    size_t  size;

    static ngx_str_t  name = ngx_string("b24_sessions");

    if (!ngx_http_b24_sessions_needed(cf, bmcf)) {
        return NGX_OK;
    }

    size = bmcf->sessions_size ? bmcf->sessions_size : NGX_HTTP_B24_SESSIONS;

    ngx_http_b24_sessions_note(cf, &name, size);

    bmcf->sessions_zone = ngx_shared_memory_add(cf, &name, size,
                                                &ngx_http_b24_module);
    if (bmcf->sessions_zone == NULL) {
        return NGX_ERROR;
    }

    bmcf->sessions_zone->init = ngx_http_b24_sessions_init;

    return NGX_OK;
}


/* a shop that a mirror uses has something to keep for its orders */

static ngx_int_t
ngx_http_b24_sessions_needed(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    b24_str_t                  *name;
    ngx_uint_t                  i, k;
    ngx_array_t                *shops;
    ngx_http_b24_srv_conf_t    *bscf;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_core_srv_conf_t  **cscfp;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        bscf = cscfp[i]->ctx->srv_conf[ngx_http_b24_module.ctx_index];
        shops = bscf->shops;

        if (shops == NULL) {
            continue;
        }

        name = shops->elts;

        for (k = 0; k < shops->nelts; k++) {

            if (b24_shop_keeps_sessions(b24_rules_find(bmcf->rules, &name[k])))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* a zone of another size can't take over what is known */

static void
ngx_http_b24_sessions_note(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_uint_t        i;
    ngx_cycle_t      *old;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    old = cf->cycle->old_cycle;

    if (old == NULL || old->shared_memory.part.elts == NULL) {
        return;
    }

    part = &old->shared_memory.part;
    zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return;
            }

            part = part->next;
            zone = part->elts;
            i = 0;
        }

        if (zone[i].tag == &ngx_http_b24_module
            && zone[i].shm.name.len == name->len
            && ngx_strncmp(zone[i].shm.name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (zone[i].shm.size != size) {
        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "b24: \"b24_sessions\" has another size: what was known "
                      "of buyers' sessions is given up");
    }
}


static ngx_int_t
ngx_http_b24_sessions_init(ngx_shm_zone_t *zone, void *data)
{
    u_char            seed[B24_SESSIONS_SEED];
    size_t            size, i;
    void             *store;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data || zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    shpool->log_ctx = ngx_slab_alloc(shpool, sizeof(" in b24_sessions zone"));
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(shpool->log_ctx, " in b24_sessions zone",
               sizeof(" in b24_sessions zone"));

    /* all that is left, in one piece */

    size = shpool->pfree * ngx_pagesize;

    store = ngx_slab_alloc(shpool, size);
    if (store == NULL) {
        return NGX_ERROR;
    }

    if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t) sizeof(seed))
    {
        for (i = 0; i < sizeof(seed); i++) {
            seed[i] = (u_char) (ngx_random() >> 7);
        }
    }

    if (b24_sessions_init(store, size, seed) != B24_OK) {
        return NGX_ERROR;
    }

    shpool->data = store;
    zone->data = store;

    return NGX_OK;
}
