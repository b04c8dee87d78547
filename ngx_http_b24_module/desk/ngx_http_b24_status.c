
/* b24_status: what is asked for, the read in the thread, the answer. */


#include "ngx_http_b24_desk.h"


#define NGX_HTTP_B24_LIMIT  50


static void ngx_http_b24_desk_warnings(ngx_http_b24_sh_portal_t *sh,
    ngx_http_b24_desk_portal_t *portal);
static ngx_int_t ngx_http_b24_desk_asked(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_desk_path(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_desk_args(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static void ngx_http_b24_desk_cleanup(void *data);
static void ngx_http_b24_desk_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static void ngx_http_b24_desk_done(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_desk_send(ngx_http_b24_desk_t *desk);


#define NGX_HTTP_B24_X(id, name, help)  ngx_string(name),
ngx_str_t  ngx_http_b24_counter_names[] = {
#include "ngx_http_b24_counters_x.h"
    ngx_null_string
};
#undef NGX_HTTP_B24_X


ngx_int_t
ngx_http_b24_status_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    b24_pool_t           *pool;
    ngx_pool_cleanup_t   *cln;
    ngx_http_b24_desk_t  *desk;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_b24_desk_cleanup;
    cln->data = pool;

    desk = b24_pcalloc(pool, sizeof(ngx_http_b24_desk_t));
    if (desk == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    desk->pool = pool;
    desk->request = r;
    desk->state = B24_NSTATES;
    desk->limit = NGX_HTTP_B24_LIMIT;

    rc = ngx_http_b24_desk_asked(r, desk);
    if (rc != NGX_OK) {
        return rc;
    }

    desk->call.data = desk;
    desk->call.run = ngx_http_b24_desk_run;
    desk->call.done = ngx_http_b24_desk_done;

    /*
     * The request waits for the thread.  blocked: a connection that is closed
     * meanwhile (worker_shutdown_timeout) must not take the desk with it.
     */

    r->main->count++;
    r->main->blocked++;

    ngx_http_b24_store_call(&desk->call);

    return NGX_DONE;
}


static void
ngx_http_b24_desk_cleanup(void *data)
{
    b24_pool_destroy(data);
}


static ngx_int_t
ngx_http_b24_desk_asked(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    ngx_int_t                 rc;
    ngx_str_t                *names;
    ngx_http_b24_loc_conf_t  *blcf;

    blcf = ngx_http_get_module_loc_conf(r, ngx_http_b24_module);

    if (blcf->desk->nelts) {
        names = blcf->desk->elts;
        desk->origins = names;
        desk->norigins = blcf->desk->nelts;
    }

    rc = ngx_http_b24_desk_path(r, desk);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_b24_desk_args(r, desk);
}


/* below the location's prefix: nothing, "/", "/orders/KEY" */

static ngx_int_t
ngx_http_b24_desk_path(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    u_char                    *p, *src, *dst;
    ngx_str_t                  path, raw;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    path = r->uri;
    ngx_str_null(&desk->prefix);

    /* an "if" in the location has the location's name */

    if (clcf->name.len <= path.len
        && ngx_strncmp(clcf->name.data, path.data, clcf->name.len) == 0)
    {
        desk->prefix = clcf->name;
        path.data += clcf->name.len;
        path.len -= clcf->name.len;

        if (desk->prefix.len
            && desk->prefix.data[desk->prefix.len - 1] == '/')
        {
            desk->prefix.len--;
        }

    } else {

        /* a regex or named location: what stands before "/orders/" */

        p = ngx_strlcasestrn(path.data, path.data + path.len,
                             (u_char *) "/orders/", 8 - 1);
        if (p == NULL) {
            p = path.data + path.len;
        }

        desk->prefix.data = path.data;
        desk->prefix.len = p - path.data;

        path.len -= desk->prefix.len;
        path.data = p;
    }

    if (path.len && path.data[0] == '/') {
        path.data++;
        path.len--;
    }

    if (path.len == 0) {
        return NGX_OK;
    }

    if (path.len <= 7 || ngx_strncmp(path.data, "orders/", 7) != 0) {
        return NGX_HTTP_NOT_FOUND;
    }

    /*
     * An order id may hold "/" as %2F, which r->uri shows decoded: the last
     * segment is taken from what the client sent.
     */

    raw = r->unparsed_uri;

    p = ngx_strlchr(raw.data, raw.data + raw.len, '?');
    if (p) {
        raw.len = p - raw.data;
    }

    for (p = raw.data + raw.len; p > raw.data && p[-1] != '/'; p--) {
        /* void */
    }

    raw.len = raw.data + raw.len - p;
    raw.data = p;

    if (raw.len == 0) {
        return NGX_HTTP_NOT_FOUND;
    }

    desk->key.data = b24_pnalloc(desk->pool, raw.len + 1);
    if (desk->key.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    src = raw.data;
    dst = desk->key.data;

    ngx_unescape_uri(&dst, &src, raw.len, 0);

    *dst = '\0';
    desk->key.len = dst - desk->key.data;
    desk->order_id = desk->key;

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_desk_args(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    u_char           *src, *dst;
    ngx_int_t         n;
    ngx_str_t         value;
    ngx_table_elt_t  *accept;

    desk->format = NGX_HTTP_B24_DESK_HTML;

    if (ngx_http_arg(r, (u_char *) "format", 6, &value) == NGX_OK) {

        if (value.len == 4 && ngx_strncmp(value.data, "json", 4) == 0) {
            desk->format = NGX_HTTP_B24_DESK_JSON;

        } else if (value.len != 4
                   || ngx_strncmp(value.data, "html", 4) != 0)
        {
            return NGX_HTTP_BAD_REQUEST;
        }

    } else {

#if (NGX_HTTP_HEADERS)
        accept = r->headers_in.accept;
#else
        accept = NULL;
#endif

        if (accept
            && ngx_strcasestrn(accept->value.data, "application/json", 15)
            && !ngx_strcasestrn(accept->value.data, "text/html", 8))
        {
            desk->format = NGX_HTTP_B24_DESK_JSON;
        }
    }

    if (ngx_http_arg(r, (u_char *) "state", 5, &value) == NGX_OK) {
        desk->state = b24_state_find(&value);

        if (desk->state == B24_NSTATES) {
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    if (ngx_http_arg(r, (u_char *) "limit", 5, &value) == NGX_OK) {
        n = ngx_atoi(value.data, value.len);

        if (n == NGX_ERROR || n < 1 || n > 1000) {
            return NGX_HTTP_BAD_REQUEST;
        }

        desk->limit = n;
    }

    if (ngx_http_arg(r, (u_char *) "origin", 6, &value) == NGX_OK) {
        desk->order_origin.data = b24_pnalloc(desk->pool, value.len + 1);
        if (desk->order_origin.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        src = value.data;
        dst = desk->order_origin.data;

        ngx_unescape_uri(&dst, &src, value.len, 0);

        *dst = '\0';
        desk->order_origin.len = dst - desk->order_origin.data;

        if (!ngx_http_b24_desk_shows(desk, &desk->order_origin)) {
            return NGX_HTTP_NOT_FOUND;
        }

        desk->origins = &desk->order_origin;
        desk->norigins = 1;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_b24_desk_shows(ngx_http_b24_desk_t *desk, ngx_str_t *origin)
{
    size_t  i;

    if (desk->origins == NULL) {
        return 1;
    }

    for (i = 0; i < desk->norigins; i++) {
        if (b24_str_eq(&desk->origins[i], origin)) {
            return 1;
        }
    }

    return 0;
}


/* in the thread */

static void
ngx_http_b24_desk_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_desk_t  *desk = call->data;

    size_t  i, n;

    desk->rc = call->rc;

    if (q == NULL) {
        return;
    }

    if (desk->key.len == 0) {
        desk->rc = b24_queue_list(q, desk->pool, desk->origins,
                                  desk->norigins, desk->state,
                                  (int) desk->limit, &desk->records,
                                  &desk->nrecords);
        return;
    }

    desk->rc = b24_queue_get(q, desk->pool, &desk->key, NULL, NULL,
                             &desk->records, &desk->nrecords);

    if (desk->rc == B24_QUEUE_NONE) {
        desk->rc = b24_queue_get(q, desk->pool, NULL, &desk->order_origin,
                                 &desk->order_id, &desk->records,
                                 &desk->nrecords);
    }

    if (desk->rc != B24_QUEUE_OK) {
        return;
    }

    /* what this desk doesn't show doesn't exist for it */

    for (i = 0, n = 0; i < desk->nrecords; i++) {
        if (ngx_http_b24_desk_shows(desk, &desk->records[i].origin)) {
            desk->records[n++] = desk->records[i];
        }
    }

    desk->nrecords = n;

    if (n == 0) {
        desk->rc = B24_QUEUE_NONE;
        return;
    }

    if (n == 1) {
        desk->rc = b24_queue_timeline(q, desk->pool, 0, desk->records[0].key,
                                      &desk->moments, &desk->nmoments);
    }
}


static void
ngx_http_b24_desk_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_desk_t  *desk = call->data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = desk->request;
    c = r->connection;

    r->main->blocked--;

    if (desk->key.len && desk->rc == B24_QUEUE_NONE) {
        rc = NGX_HTTP_NOT_FOUND;

    } else if (desk->key.len && desk->rc != B24_QUEUE_OK) {
        rc = NGX_HTTP_SERVICE_UNAVAILABLE;

    } else {
        rc = ngx_http_b24_desk_send(desk);
    }

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_b24_desk_send(ngx_http_b24_desk_t *desk)
{
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_buf_t           *b;
    b24_buf_t            out;
    ngx_chain_t          cl;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = desk->request;

    b24_buf_init(&out, desk->pool);

    r->headers_out.status = NGX_HTTP_OK;

    if (desk->format == NGX_HTTP_B24_DESK_JSON) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        ngx_http_b24_desk_json(desk, &out);

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
        ngx_http_b24_desk_html(desk, &out);
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /* an order id that several origins hold */

    if (desk->key.len && desk->nrecords > 1) {
        r->headers_out.status = NGX_HTTP_CONFLICT;
    }

    if (b24_buf_str(&out, &text) != B24_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    h->hash = 1;
    ngx_str_set(&h->key, "Content-Security-Policy");
    ngx_str_set(&h->value, "default-src 'none'; style-src 'unsafe-inline'; "
                           "frame-ancestors 'none'; base-uri 'none'");

    r->headers_out.content_length_n = text.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the text lives in the desk's pool, which a cleanup of r->pool frees */

    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    cl.buf = b;
    cl.next = NULL;

    return ngx_http_output_filter(r, &cl);
}


void
ngx_http_b24_desk_portal(ngx_http_b24_origin_t *o,
    ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t                 s;
    ngx_http_b24_sh_portal_t  *sh;

    static const char  *states[] = {
        "ok", "throttled", "retrying", "paused", "blocked", "dry"
    };

    ngx_memzero(portal, sizeof(ngx_http_b24_desk_portal_t));

    portal->origin = &o->name;

    for (s = 0; s < B24_NSTATES; s++) {
        portal->counts[s] = o->sh->counts[s];
    }

    if (o->sh->oldest) {
        portal->oldest = (int64_t) ngx_time() - (int64_t) o->sh->oldest;
        portal->oldest = ngx_max(portal->oldest, 0);
    }

    ngx_cpystrn(portal->warnings, o->sh->notes, NGX_HTTP_B24_NOTES);

    if (o->portal == NULL) {
        portal->state = "blocked";
        ngx_cpystrn(portal->reason, (u_char *) "no webhook is configured",
                    NGX_HTTP_B24_REASON);
        ngx_cpystrn(portal->advice, (u_char *) "add b24_webhook to the "
                    "server; its orders wait, none is lost",
                    NGX_HTTP_B24_REASON);
        return;
    }

    sh = o->portal->sh;

    portal->host = &o->portal->host;
    portal->state = o->conf->webhook->dry ? "dry"
                    : states[ngx_min(sh->state, NGX_HTTP_B24_PORTAL_DRY)];

    ngx_http_b24_sh_read(sh, portal->reason, portal->advice);
    ngx_http_b24_desk_warnings(sh, portal);

    portal->rate = o->portal->rate;
    portal->burst = o->portal->burst;
    portal->level = ngx_http_b24_sh_level(sh, o->portal->rate);
    portal->requests = sh->requests;
}


/* the lines of this origin, without its name */

static void
ngx_http_b24_desk_warnings(ngx_http_b24_sh_portal_t *sh,
    ngx_http_b24_desk_portal_t *portal)
{
    u_char  *p, *last, *tab, *to, text[NGX_HTTP_B24_WARNINGS];

    ngx_http_b24_sh_read_warnings(sh, text);

    /* behind the origin's own */

    to = portal->warnings + ngx_strlen(portal->warnings);

    for (p = text; *p; p = last + 1) {
        last = (u_char *) ngx_strchr(p, '\n');
        tab = (u_char *) ngx_strchr(p, '\t');

        if (last == NULL || tab == NULL || tab > last) {
            break;
        }

        if ((size_t) (tab - p) == portal->origin->len
            && ngx_memcmp(p, portal->origin->data, portal->origin->len) == 0)
        {
            to = ngx_cpymem(to, tab + 1, last - tab);
        }
    }

    *to = '\0';
}


ngx_uint_t
ngx_http_b24_desk_warning(u_char **p, ngx_str_t *line)
{
    u_char  *last;

    last = (u_char *) ngx_strchr(*p, '\n');

    if (last == NULL) {
        return 0;
    }

    line->data = *p;
    line->len = last - *p;

    *p = last + 1;

    return 1;
}


void
ngx_http_b24_desk_time(b24_buf_t *out, int64_t ms)
{
    u_char    text[sizeof("2026-11-23T12:00:00Z")], *p;
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (ms / 1000), &tm);

    p = ngx_sprintf(text, "%4d-%02d-%02dT%02d:%02d:%02dZ",
                    tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                    tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);

    b24_buf_add(out, text, p - text);
}
