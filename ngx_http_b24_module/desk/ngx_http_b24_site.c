
/*
 * A page of another site must not be able to make a visitor's browser act here:
 * what opens this desk to that browser (its address, a cookie, a password it
 * keeps) would open it to the page.
 *
 * Browsers say where a request comes from: all of today in Sec-Fetch-Site, over
 * https or to localhost, and in Origin; older ones in Referer at least.  Each
 * that is there must say "from here".  Where none is, the request is obeyed
 * when it can't be a browser's: curl and scripts send none of them.  A cookie,
 * or the name that every browser begins its own with, tells one.
 */


#include "ngx_http_b24_desk.h"


#define NGX_HTTP_B24_FOREIGN                                                  \
    "refused: the request comes from another site"
#define NGX_HTTP_B24_UNKNOWN                                                  \
    "refused: a browser must say in Origin or Sec-Fetch-Site that the request"\
    " comes from this page; from a program, send neither cookies nor a"       \
    " browser's User-Agent"


static ngx_uint_t ngx_http_b24_site_same(ngx_http_request_t *r,
    ngx_str_t *url);
static ngx_uint_t ngx_http_b24_site_browser(ngx_table_elt_t *h);
static ngx_uint_t ngx_http_b24_site_is(ngx_table_elt_t *h, const char *name);
static ngx_table_elt_t *ngx_http_b24_site_next(ngx_list_part_t **part,
    ngx_uint_t *i);


const char *
ngx_http_b24_site_refusal(ngx_http_request_t *r)
{
    ngx_uint_t        i, known, browser;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    known = 0;
    browser = 0;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_b24_site_next(&part, &i)) != NULL) {

        if (ngx_http_b24_site_is(h, "sec-fetch-site")) {

            if (!b24_str_caseeqs(&h->value, "same-origin")
                && !b24_str_caseeqs(&h->value, "none"))
            {
                return NGX_HTTP_B24_FOREIGN;
            }

            known = 1;

        } else if (ngx_http_b24_site_is(h, "origin")
                   || ngx_http_b24_site_is(h, "referer"))
        {
            if (!ngx_http_b24_site_same(r, &h->value)) {
                return NGX_HTTP_B24_FOREIGN;
            }

            known = 1;

        } else if (ngx_http_b24_site_browser(h)) {
            browser = 1;
        }
    }

    return (browser && !known) ? NGX_HTTP_B24_UNKNOWN : NULL;
}


/* "scheme://host:port[/...]" and the request's own host; "null" is no URL */

static ngx_uint_t
ngx_http_b24_site_same(ngx_http_request_t *r, ngx_str_t *url)
{
    u_char     *p, *last;
    ngx_str_t   host;

    last = url->data + url->len;

    p = ngx_strlchr(url->data, last, ':');

    if (p == NULL || last - p < 3 || p[1] != '/' || p[2] != '/') {
        return 0;
    }

    host.data = p + 3;

    for (p = host.data; p < last && *p != '/' && *p != '?' && *p != '#'; p++) {

        /* a name before the host is no part of any header a browser sends */

        if (*p == '@') {
            return 0;
        }
    }

    host.len = p - host.data;

    if (host.len == 0) {
        return 0;
    }

    if (r->headers_in.host) {
        return b24_str_caseeq(&host, &r->headers_in.host->value);
    }

    /* HTTP/3 may leave the name only, without its port */

    for (p = host.data + host.len; p > host.data && b24_isdigit(p[-1]); p--) {
        /* void */
    }

    if (p > host.data && p[-1] == ':') {
        host.len = p - 1 - host.data;
    }

    return r->headers_in.server.len != 0
           && b24_str_caseeq(&host, &r->headers_in.server);
}


static ngx_uint_t
ngx_http_b24_site_browser(ngx_table_elt_t *h)
{
    static ngx_str_t  mozilla = ngx_string("mozilla/");

    if (ngx_http_b24_site_is(h, "cookie")) {
        return 1;
    }

    return ngx_http_b24_site_is(h, "user-agent")
           && h->value.len >= mozilla.len
           && ngx_strncasecmp(h->value.data, mozilla.data, mozilla.len) == 0;
}


ngx_table_elt_t *
ngx_http_b24_desk_header(ngx_http_request_t *r, const char *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    i = 0;

    do {
        h = ngx_http_b24_site_next(&part, &i);
    } while (h && !ngx_http_b24_site_is(h, name));

    return h;
}


static ngx_uint_t
ngx_http_b24_site_is(ngx_table_elt_t *h, const char *name)
{
    return b24_str_caseeqs(&h->key, name);
}


static ngx_table_elt_t *
ngx_http_b24_site_next(ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    while (*i >= (*part)->nelts) {

        if ((*part)->next == NULL) {
            return NULL;
        }

        *part = (*part)->next;
        *i = 0;
    }

    h = (*part)->elts;

    return &h[(*i)++];
}
