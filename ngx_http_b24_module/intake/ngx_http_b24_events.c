
/*
 * Webhooks of a portal: "deal N has changed, go and look".  They are answered
 * at once, and nothing waits for the disk: who is told of is kept in memory
 * until the queue's thread has written it down.  One that is lost on the way is
 * found in the portal's history of stages (courier/ngx_http_b24_watch.c).
 */


#include "ngx_http_b24_module.h"
#include "b24_hook.h"


#define NGX_HTTP_B24_EVENTS_BODY   8192
#define NGX_HTTP_B24_EVENTS_HELD   4096
#define NGX_HTTP_B24_EVENTS_TOKEN  8        /* bytes at least */


struct ngx_http_b24_events_s {
    ngx_array_t               tokens;       /* ngx_str_t; secret */
    time_t                    poll;         /* s */
    ngx_http_b24_portal_t    *portal;
    ngx_http_b24_srv_conf_t  *bscf;
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_b24_place_t      place;
};


typedef struct {
    ngx_http_b24_portal_t    *portal;
    int64_t                   deal;
} ngx_http_b24_told_t;


static char *ngx_http_b24_events_poll(ngx_http_b24_events_t *events,
    ngx_str_t *value);
static char *ngx_http_b24_events_token(ngx_conf_t *cf,
    ngx_http_b24_events_t *events, ngx_str_t *value);
static void ngx_http_b24_events_bound(ngx_http_core_loc_conf_t *clcf);
static ngx_int_t ngx_http_b24_events_handler(ngx_http_request_t *r);
static void ngx_http_b24_events_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_b24_events_read(ngx_http_request_t *r,
    b24_pool_t *pool, b24_str_t *text);
static ngx_int_t ngx_http_b24_events_take(ngx_http_request_t *r,
    b24_pool_t *pool, b24_str_t *text);
static void ngx_http_b24_events_put(ngx_http_b24_portal_t *portal,
    int64_t deal);
static void ngx_http_b24_events_flush(void);
static void ngx_http_b24_events_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_events_done(ngx_http_b24_call_t *call);


/* of this worker: those that gather, and those on their way to the file */
static ngx_http_b24_told_t  ngx_http_b24_told[2][NGX_HTTP_B24_EVENTS_HELD];
static ngx_uint_t           ngx_http_b24_ntold;
static ngx_uint_t           ngx_http_b24_nwritten;
static ngx_uint_t           ngx_http_b24_side;
static int64_t              ngx_http_b24_told_at;
static ngx_http_b24_call_t  ngx_http_b24_telling;


/* b24_events TOKEN|file:PATH ... [poll=TIME]; */

char *
ngx_http_b24_conf_events(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_loc_conf_t  *blcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_b24_events_t     *events, **ep;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_b24_main_conf_t  *bmcf;

    if (blcf->events) {
        return "is duplicate";
    }

    events = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_events_t));
    if (events == NULL
        || ngx_array_init(&events->tokens, cf->pool, 1, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    events->poll = NGX_HTTP_B24_EVENTS_POLL;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "poll=", 5) == 0) {
            rv = ngx_http_b24_events_poll(events, &value[i]);

        } else {
            rv = ngx_http_b24_events_token(cf, events, &value[i]);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (events->tokens.nelts == 0) {
        return "needs the token of the portal's outgoing webhook";
    }

    ngx_http_b24_place(cf, &events->place);
    events->bscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_b24_module);

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_b24_module);

    ep = ngx_array_push(&bmcf->events);
    if (ep == NULL) {
        return NGX_CONF_ERROR;
    }

    *ep = events;
    blcf->events = events;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_b24_events_handler;
    events->clcf = clcf;

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_events_poll(ngx_http_b24_events_t *events, ngx_str_t *value)
{
    ngx_str_t  text;

    text.data = value->data + 5;
    text.len = value->len - 5;

    events->poll = ngx_parse_time(&text, 1);

    if (events->poll == (time_t) NGX_ERROR || events->poll < 1
        || events->poll > 3600)
    {
        return "takes poll= from 1s to 1h";
    }

    return NGX_CONF_OK;
}


/* the sentences never show it */

static char *
ngx_http_b24_events_token(ngx_conf_t *cf, ngx_http_b24_events_t *events,
    ngx_str_t *value)
{
    char        *rv;
    ngx_str_t   *token;
    ngx_uint_t   i;

    token = ngx_array_push(&events->tokens);
    if (token == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_b24_conf_secret(cf, value, token,
                                  "token of the outgoing webhook");
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 0; i < token->len; i++) {

        if (!b24_isdigit(token->data[i])
            && !((token->data[i] | 0x20) >= 'a'
                 && (token->data[i] | 0x20) <= 'z'))
        {
            break;
        }
    }

    if (i < token->len || token->len < NGX_HTTP_B24_EVENTS_TOKEN) {
        return "needs the token that the portal shows for its outgoing "
               "webhook: at least 8 letters and digits";
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_b24_events_check(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i, j;
    ngx_http_b24_events_t  **ep;
    ngx_http_b24_portal_t  **pp;
    ngx_http_b24_webhook_t  *wh;

    ep = bmcf->events.elts;
    pp = bmcf->portals.elts;

    for (i = 0; i < bmcf->events.nelts; i++) {
        ngx_http_b24_events_bound(ep[i]->clcf);

        wh = ep[i]->bscf->webhook;

        for (j = 0; wh && j < bmcf->portals.nelts; j++) {

            if (pp[j]->host.len == wh->host.len
                && ngx_strncasecmp(pp[j]->host.data, wh->host.data,
                                   wh->host.len)
                   == 0)
            {
                ep[i]->portal = pp[j];

                if (pp[j]->watch == 0 || ep[i]->poll < pp[j]->watch) {
                    pp[j]->watch = ep[i]->poll;
                }
            }
        }

        if (ep[i]->portal == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"b24_events\" is told of a portal that no order "
                          "goes to: put \"b24_webhook\" of a server with "
                          "\"b24_mirror\" into its server in %V:%ui",
                          &ep[i]->place.file, ep[i]->place.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* whatever is said of bodies around it: nginx reads no more than this, also of
 * a body that has no length, and puts none of it into a file */

static void
ngx_http_b24_events_bound(ngx_http_core_loc_conf_t *clcf)
{
    clcf->client_max_body_size = NGX_HTTP_B24_EVENTS_BODY;
    clcf->client_body_in_file_only = 0;      /* off */

    if (clcf->client_body_buffer_size < 2 * NGX_HTTP_B24_EVENTS_BODY) {
        clcf->client_body_buffer_size = 2 * NGX_HTTP_B24_EVENTS_BODY;
    }
}


static ngx_int_t
ngx_http_b24_events_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r->method != NGX_HTTP_POST) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_b24_events_body);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
ngx_http_b24_events_body(ngx_http_request_t *r)
{
    ngx_int_t    rc;
    b24_str_t    text;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);

    if (pool == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    rc = ngx_http_b24_events_read(r, pool, &text);

    if (rc == NGX_OK) {
        rc = ngx_http_b24_events_take(r, pool, &text);
    }

    b24_pool_destroy(pool);

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    ngx_http_finalize_request(r, ngx_http_send_header(r));
}


static ngx_int_t
ngx_http_b24_events_read(ngx_http_request_t *r, b24_pool_t *pool,
    b24_str_t *text)
{
    size_t        len;
    u_char       *p;
    ngx_chain_t  *cl;

    len = 0;
    ngx_str_set(text, "");

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        /* chunks of nearly nothing */

        if (cl->buf->in_file) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        len += cl->buf->last - cl->buf->pos;
    }

    if (len > NGX_HTTP_B24_EVENTS_BODY) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    p = b24_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text->data = p;
    text->len = len;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        if (cl->buf->last > cl->buf->pos) {
            p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_events_take(ngx_http_request_t *r, b24_pool_t *pool,
    b24_str_t *text)
{
    b24_hook_t                hook;
    ngx_uint_t                left;
    ngx_http_b24_events_t    *events;
    ngx_http_b24_loc_conf_t  *blcf;

    static ngx_http_b24_quiet_t  quiet;

    blcf = ngx_http_get_module_loc_conf(r, ngx_http_b24_module);
    events = blcf->events;

    if (b24_hook_read(pool, text, &hook) != B24_OK) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_EVENTS_REFUSED, 1);
        return NGX_HTTP_BAD_REQUEST;
    }

    if (!b24_hook_known(events->tokens.elts, events->tokens.nelts,
                        &hook.token))
    {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_EVENTS_REFUSED, 1);

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: a webhook has a wrong token, compare "
                          "\"b24_events\" with the portal's outgoing webhook");
        }

        return NGX_HTTP_FORBIDDEN;
    }

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_EVENTS, 1);

    if (hook.deal) {
        ngx_http_b24_events_put(events->portal, hook.deal);
    }

    return NGX_OK;
}


static void
ngx_http_b24_events_put(ngx_http_b24_portal_t *portal, int64_t deal)
{
    ngx_http_b24_told_t  *told;

    if (ngx_http_b24_ntold == NGX_HTTP_B24_EVENTS_HELD) {
        return;                             /* the history has it */
    }

    told = &ngx_http_b24_told[ngx_http_b24_side][ngx_http_b24_ntold++];

    told->portal = portal;
    told->deal = deal;

    if (ngx_http_b24_nwritten == 0) {
        ngx_http_b24_events_flush();
    }
}


static void
ngx_http_b24_events_flush(void)
{
    ngx_http_b24_nwritten = ngx_http_b24_ntold;
    ngx_http_b24_ntold = 0;
    ngx_http_b24_told_at = ngx_http_b24_now();

    ngx_http_b24_telling.run = ngx_http_b24_events_run;
    ngx_http_b24_telling.done = ngx_http_b24_events_done;
    ngx_http_b24_telling.data = ngx_http_b24_told[ngx_http_b24_side];
    ngx_http_b24_telling.silent = 1;

    ngx_http_b24_side = !ngx_http_b24_side;

    ngx_http_b24_store_call(&ngx_http_b24_telling);
}


static void
ngx_http_b24_events_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_told_t  *told = call->data;

    size_t                   norigins, n;
    int64_t                 *deals;
    b24_str_t               *origins;
    b24_pool_t              *pool;
    ngx_uint_t               i, k;
    ngx_http_b24_origin_t  **op;
    ngx_http_b24_portal_t   *portal;

    if (q == NULL) {
        return;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return;
    }

    deals = b24_palloc(pool, ngx_http_b24_nwritten * sizeof(int64_t));

    /* those of one portal after the other */

    for (i = 0; deals && i < ngx_http_b24_nwritten; i++) {
        portal = told[i].portal;

        if (portal == NULL) {
            continue;
        }

        for (n = 0, k = i; k < ngx_http_b24_nwritten; k++) {

            if (told[k].portal == portal) {
                deals[n++] = told[k].deal;
                told[k].portal = NULL;
            }
        }

        op = portal->origins.elts;
        norigins = portal->origins.nelts;

        origins = b24_palloc(pool, norigins * sizeof(b24_str_t));
        if (origins == NULL) {
            break;
        }

        for (k = 0; k < norigins; k++) {
            origins[k] = op[k]->name;
        }

        call->rc = b24_queue_moved(q, &portal->host, origins, norigins, deals,
                                   n, 0, ngx_http_b24_told_at);

        if (call->rc == B24_QUEUE_OK) {
            (void) ngx_atomic_fetch_add(&portal->sh->told, 1);
        }
    }

    b24_pool_destroy(pool);
}


static void
ngx_http_b24_events_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_nwritten = 0;

    if (ngx_http_b24_ntold) {
        ngx_http_b24_events_flush();
    }
}
