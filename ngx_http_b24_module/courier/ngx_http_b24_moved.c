
/*
 * A portal that was renamed answers at its old host with a redirect.  Nothing
 * has happened there, so the same POST is sent to the new host, and the later
 * ones at once, until the courier's worker ends: b24_webhook should be
 * corrected.  crm/b24_moved.c decides what is followed.
 */


#include "ngx_http_b24_courier.h"

#include <stdlib.h>


#define NGX_HTTP_B24_HOPS  3


static ngx_uint_t ngx_http_b24_is_redirect(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_moved_refuse(ngx_http_b24_transfer_t *t,
    b24_moved_e moved, ngx_str_t *host);
static void ngx_http_b24_moved_learn(ngx_http_b24_portal_t *portal,
    ngx_http_b24_transfer_t *t);
static u_char *ngx_http_b24_url_path(ngx_str_t *url, ngx_str_t *host);
static void ngx_http_b24_moved_set(ngx_http_b24_portal_t *portal,
    ngx_str_t *host);


ngx_int_t
ngx_http_b24_portal_url(ngx_http_b24_portal_t *portal,
    ngx_http_b24_webhook_t *wh, const char *method, b24_pool_t *pool,
    ngx_str_t *url)
{
    size_t     len;
    u_char    *p, *path;
    ngx_str_t  host;

    len = wh->url.len + portal->moved.len + ngx_strlen(method)
          + sizeof("https://.json");

    p = b24_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;

    if (portal->moved.len) {
        path = ngx_http_b24_url_path(&wh->url, &host);

        host.data = path;
        host.len = wh->url.data + wh->url.len - path;

        p = ngx_sprintf(p, "https://%V%V%s.json%Z", &portal->moved, &host,
                        method);

    } else {
        p = ngx_sprintf(p, "%V%s.json%Z", &wh->url, method);
    }

    url->len = p - url->data - 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_b24_portal_follow(ngx_http_b24_portal_t *portal,
    ngx_http_b24_transfer_t *t, b24_pool_t *pool)
{
    u_char       *p;
    ngx_str_t     host, old, path, url;
    b24_moved_e   moved;

    if (!ngx_http_b24_is_redirect(t)) {
        ngx_http_b24_moved_learn(portal, t);
        return NGX_DECLINED;
    }

    moved = b24_moved(pool, &portal->host, &t->url, &t->location, &host);

    if (moved == B24_MOVED_TO && t->hops == NGX_HTTP_B24_HOPS) {
        moved = B24_MOVED_BACK;
    }

    if (moved != B24_MOVED_TO) {
        ngx_http_b24_moved_refuse(t, moved, &host);
        return NGX_DECLINED;
    }

    path.data = ngx_http_b24_url_path(&t->url, &old);
    path.len = t->url.data + t->url.len - path.data;

    p = b24_pnalloc(pool, host.len + path.len + sizeof("https://"));
    if (p == NULL) {
        return NGX_DECLINED;
    }

    url.data = p;
    p = ngx_sprintf(p, "https://%V%V%Z", &host, &path);
    url.len = p - url.data - 1;

    t->url = url;
    t->hops++;

    /* one request more; whatever the bucket says, this one is under way */

    (void) ngx_http_b24_portal_take(portal);

    if (ngx_http_b24_curl_send(t) != NGX_OK) {
        ngx_http_b24_portal_result(portal, B24_NET_UNSENT, NULL);
        return NGX_DECLINED;
    }

    /* and of the one before, which led here */

    ngx_http_b24_portal_result(portal, B24_NET_OK, NULL);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_b24_is_redirect(ngx_http_b24_transfer_t *t)
{
    return t->net == B24_NET_OK
           && (t->http == 301 || t->http == 302 || t->http == 307
               || t->http == 308);
}


static void
ngx_http_b24_moved_refuse(ngx_http_b24_transfer_t *t, b24_moved_e moved,
    ngx_str_t *host)
{
    b24_moved_advice(moved, host, (char *) t->words, sizeof(t->words));

    t->advice = (char *) t->words;
}


/*
 * The new host is believed once REST has answered there, and no longer than it
 * can be reached: the old one may know a newer one.
 */

static void
ngx_http_b24_moved_learn(ngx_http_b24_portal_t *portal,
    ngx_http_b24_transfer_t *t)
{
    ngx_str_t   host;
    ngx_uint_t  json;

    json = (t->net == B24_NET_OK && t->answer.len
            && t->answer.data[0] == '{');

    (void) ngx_http_b24_url_path(&t->url, &host);

    if (t->hops && json
        && (host.len != portal->moved.len
            || ngx_strncmp(host.data, portal->moved.data, host.len) != 0))
    {
        ngx_http_b24_moved_set(portal, &host);

    } else if (t->hops == 0 && portal->moved.len
               && (t->net == B24_NET_UNSENT
                   || (t->net == B24_NET_OK && !json && t->http >= 400
                       && t->http < 500)))
    {
        ngx_str_null(&host);
        ngx_http_b24_moved_set(portal, &host);
    }
}


/* where the path begins; *host: what is between it and "//" */

static u_char *
ngx_http_b24_url_path(ngx_str_t *url, ngx_str_t *host)
{
    u_char  *p, *last;

    last = url->data + url->len;

    p = ngx_strlchr(url->data, last, ':');
    p = (p == NULL) ? last : ngx_min(p + sizeof("://") - 1, last);

    host->data = p;

    while (p < last && *p != '/') {
        p++;
    }

    host->len = p - host->data;

    return p;
}


static void
ngx_http_b24_moved_set(ngx_http_b24_portal_t *portal, ngx_str_t *host)
{
    ngx_http_b24_moved_exit(portal);

    if (host->len) {
        portal->moved.data = malloc(host->len);

        if (portal->moved.data == NULL) {
            return;
        }

        ngx_memcpy(portal->moved.data, host->data, host->len);
        portal->moved.len = host->len;
    }

    ngx_http_b24_book_check(portal->book);
}


void
ngx_http_b24_moved_exit(ngx_http_b24_portal_t *portal)
{
    free(portal->moved.data);
    ngx_str_null(&portal->moved);
}
