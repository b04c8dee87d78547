
/* What a request to the desk asks for: its address, method and arguments. */


#include "ngx_http_b24_desk.h"


#define NGX_HTTP_B24_SUFFIX  32     /* bytes of suffix= */


static ngx_int_t ngx_http_b24_desk_path(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static void ngx_http_b24_desk_prefix(ngx_http_request_t *r,
    ngx_str_t *prefix, ngx_str_t *path);
static ngx_int_t ngx_http_b24_desk_prefix_set(ngx_http_b24_desk_t *desk,
    ngx_str_t *prefix);
static ngx_int_t ngx_http_b24_desk_order(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_uint_t ngx_http_b24_desk_segment(ngx_str_t *path, ngx_str_t *seg);
static ngx_http_b24_action_e ngx_http_b24_desk_action(ngx_str_t *name,
    ngx_uint_t of_order);
static ngx_int_t ngx_http_b24_desk_method(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_desk_format(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static void ngx_http_b24_desk_accept(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_desk_args(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_desk_search(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_desk_arg(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk, char *name, ngx_str_t *value);
static ngx_int_t ngx_http_b24_desk_suffix(ngx_http_b24_desk_t *desk);


#define NGX_HTTP_B24_X(id, name)  ngx_string(name),
ngx_str_t  ngx_http_b24_action_names[] = {
    NGX_HTTP_B24_ACTIONS(NGX_HTTP_B24_X)
    ngx_null_string
};
#undef NGX_HTTP_B24_X


ngx_int_t
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

    desk->reveal = (blcf->reveal == 1);
    desk->lang = ngx_http_b24_language(r);

    rc = ngx_http_b24_desk_path(r, desk);

    if (rc == NGX_OK) {
        rc = ngx_http_b24_desk_method(r, desk);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_b24_desk_format(r, desk);
    }

    return (rc == NGX_OK) ? ngx_http_b24_desk_args(r, desk) : rc;
}


/* below the location's prefix: "", "/", "/ACTION", "/orders/KEY[/ACTION]" */

static ngx_int_t
ngx_http_b24_desk_path(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    ngx_str_t  path, prefix;

    ngx_http_b24_desk_prefix(r, &prefix, &path);

    if (ngx_http_b24_desk_prefix_set(desk, &prefix) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (path.len && path.data[0] == '/') {
        path.data++;
        path.len--;
    }

    if (path.len == 0) {
        return NGX_OK;
    }

    if (path.len > 7 && ngx_strncmp(path.data, "orders/", 7) == 0) {
        return ngx_http_b24_desk_order(r, desk);
    }

    desk->action = ngx_http_b24_desk_action(&path, 0);

    return (desk->action == NGX_HTTP_B24_NACTIONS) ? NGX_HTTP_NOT_FOUND
                                                   : NGX_OK;
}


static void
ngx_http_b24_desk_prefix(ngx_http_request_t *r, ngx_str_t *prefix,
    ngx_str_t *path)
{
    u_char                    *p;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    *path = r->uri;

    /* an "if" in the location has the location's name */

    if (clcf->name.len <= path->len
        && ngx_strncmp(clcf->name.data, path->data, clcf->name.len) == 0)
    {
        *prefix = clcf->name;
        path->data += clcf->name.len;
        path->len -= clcf->name.len;

        if (prefix->len && prefix->data[prefix->len - 1] == '/') {
            prefix->len--;
        }

        return;
    }

    /* a regex or named location: what stands before "/orders/" */

    p = ngx_strlcasestrn(path->data, path->data + path->len,
                         (u_char *) "/orders/", 8 - 1);
    if (p == NULL) {
        p = path->data + path->len;
    }

    prefix->data = path->data;
    prefix->len = p - path->data;

    path->len -= prefix->len;
    path->data = p;
}


/* for links: encoded, and never "//", which would begin another host's name */

static ngx_int_t
ngx_http_b24_desk_prefix_set(ngx_http_b24_desk_t *desk, ngx_str_t *prefix)
{
    size_t                     n;
    u_char                    *p;
    ngx_http_core_loc_conf_t  *clcf;

    while (prefix->len > 1 && prefix->data[1] == '/') {
        prefix->data++;
        prefix->len--;
    }

    n = prefix->len + 2 * ngx_escape_uri(NULL, prefix->data, prefix->len,
                                         NGX_ESCAPE_URI);

    p = b24_pnalloc(desk->pool, n + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_escape_uri(p, prefix->data, prefix->len, NGX_ESCAPE_URI);

    desk->prefix.data = p;
    desk->prefix.len = n;

    clcf = ngx_http_get_module_loc_conf(desk->request, ngx_http_core_module);
    desk->exact = clcf->exact_match;

    return NGX_OK;
}


/*
 * An order id may hold "/" as %2F, which r->uri shows decoded: the last
 * segments are taken from what the client sent.
 */

static ngx_int_t
ngx_http_b24_desk_order(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    u_char                 *p, *src, *dst;
    ngx_str_t               raw, last, middle, first, key;
    ngx_uint_t              shown;
    ngx_http_b24_action_e   action;

    static ngx_str_t  orders = ngx_string("orders");

    raw = r->unparsed_uri;

    p = ngx_strlchr(raw.data, raw.data + raw.len, '?');
    if (p) {
        raw.len = p - raw.data;
    }

    if (!ngx_http_b24_desk_segment(&raw, &last)
        || !ngx_http_b24_desk_segment(&raw, &middle))
    {
        return NGX_HTTP_NOT_FOUND;
    }

    action = ngx_http_b24_desk_action(&last, 1);

    shown = b24_str_eq(&middle, &orders);

    /* "/orders/orders/retry": an order of that number, to be retried */

    if (action != NGX_HTTP_B24_NACTIONS
        && (r->method == NGX_HTTP_POST || !shown)
        && ngx_http_b24_desk_segment(&raw, &first)
        && b24_str_eq(&first, &orders))
    {
        desk->action = action;
        key = middle;

    } else {
        key = last;
    }

    if (key.len == 0 || (desk->action == NGX_HTTP_B24_NACTIONS && !shown)) {
        return NGX_HTTP_NOT_FOUND;
    }

    desk->key.data = b24_pnalloc(desk->pool, key.len + 1);
    if (desk->key.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    src = key.data;
    dst = desk->key.data;

    ngx_unescape_uri(&dst, &src, key.len, 0);

    *dst = '\0';
    desk->key.len = dst - desk->key.data;
    desk->order_id = desk->key;

    return NGX_OK;
}


/* cuts the last "/segment" off; 0 when there is none */

static ngx_uint_t
ngx_http_b24_desk_segment(ngx_str_t *path, ngx_str_t *seg)
{
    u_char  *p;

    for (p = path->data + path->len; p > path->data && p[-1] != '/'; p--) {
        /* void */
    }

    if (p == path->data) {
        return 0;
    }

    seg->data = p;
    seg->len = path->data + path->len - p;

    path->len = p - path->data - 1;

    return 1;
}


static ngx_http_b24_action_e
ngx_http_b24_desk_action(ngx_str_t *name, ngx_uint_t of_order)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_B24_NACTIONS; i++) {
        if (ngx_http_b24_action_of_order(i) == of_order
            && b24_str_eq(name, &ngx_http_b24_action_names[i]))
        {
            break;
        }
    }

    return i;
}


/* what is shown is shown to GET and HEAD, what is done is done by POST */

static ngx_int_t
ngx_http_b24_desk_method(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    static ngx_str_t  show = ngx_string("GET, HEAD");
    static ngx_str_t  act = ngx_string("POST");

    if (desk->action == NGX_HTTP_B24_NACTIONS) {

        if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
            return NGX_OK;
        }

        (void) ngx_http_b24_desk_add_header(r, "Allow", &show);

    } else {

        if (r->method == NGX_HTTP_POST) {
            return NGX_OK;
        }

        (void) ngx_http_b24_desk_add_header(r, "Allow", &act);
    }

    return NGX_HTTP_NOT_ALLOWED;
}


static ngx_int_t
ngx_http_b24_desk_format(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    ngx_str_t  value;

    if (ngx_http_arg(r, (u_char *) "format", 6, &value) != NGX_OK) {
        ngx_http_b24_desk_accept(r, desk);
        return NGX_OK;
    }

    if (b24_str_eqs(&value, "html")) {
        desk->format = NGX_HTTP_B24_DESK_HTML;

    } else if (b24_str_eqs(&value, "json")) {
        desk->format = NGX_HTTP_B24_DESK_JSON;

    } else if (b24_str_eqs(&value, "prometheus") && desk->key.len == 0
               && desk->action == NGX_HTTP_B24_NACTIONS)
    {
        desk->format = NGX_HTTP_B24_DESK_PROMETHEUS;

    } else {
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


/* a browser names text/html, programs what they read */

static void
ngx_http_b24_desk_accept(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    ngx_uint_t        action;
    ngx_table_elt_t  *accept;

    action = (desk->action != NGX_HTTP_B24_NACTIONS);

    desk->format = action ? NGX_HTTP_B24_DESK_JSON : NGX_HTTP_B24_DESK_HTML;

    accept = ngx_http_b24_desk_header(r, "accept");
    if (accept == NULL) {
        return;
    }

    if (ngx_strcasestrn(accept->value.data, "text/html", 9 - 1)) {
        desk->format = NGX_HTTP_B24_DESK_HTML;

    } else if (ngx_strcasestrn(accept->value.data, "application/json", 16 - 1))
    {
        desk->format = NGX_HTTP_B24_DESK_JSON;

    } else if (!action && desk->key.len == 0
               && (ngx_strcasestrn(accept->value.data,
                                   "application/openmetrics-text", 28 - 1)
                   || ngx_strcasestrn(accept->value.data, "version=0.0.4",
                                      13 - 1)))
    {
        desk->format = NGX_HTTP_B24_DESK_PROMETHEUS;
    }
}


static ngx_int_t
ngx_http_b24_desk_args(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    ngx_int_t  n;
    ngx_str_t  value;

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

    n = ngx_http_b24_desk_arg(r, desk, "suffix", &desk->suffix);

    if (n == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (n == NGX_OK && ngx_http_b24_desk_suffix(desk) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (desk->key.len == 0 && desk->action == NGX_HTTP_B24_NACTIONS
        && ngx_http_b24_desk_search(r, desk) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = ngx_http_b24_desk_arg(r, desk, "origin", &desk->order_origin);

    if (n == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (n == NGX_OK) {

        if (!ngx_http_b24_desk_shows(desk, &desk->order_origin)) {
            return NGX_HTTP_NOT_FOUND;
        }

        desk->origins = &desk->order_origin;
        desk->norigins = 1;
    }

    return NGX_OK;
}


/* "order=": as a form sends it, "+" for a blank, and as people paste it */

static ngx_int_t
ngx_http_b24_desk_search(ngx_http_request_t *r, ngx_http_b24_desk_t *desk)
{
    size_t     i;
    u_char    *src, *dst;
    ngx_str_t  raw, *key;

    if (ngx_http_arg(r, (u_char *) "order", 5, &raw) != NGX_OK) {
        return NGX_OK;
    }

    key = &desk->key;

    key->data = b24_pnalloc(desk->pool, raw.len + 1);
    src = b24_pnalloc(desk->pool, raw.len + 1);

    if (key->data == NULL || src == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < raw.len; i++) {
        src[i] = (raw.data[i] == '+') ? ' ' : raw.data[i];
    }

    dst = key->data;

    ngx_unescape_uri(&dst, &src, raw.len, 0);

    while (dst > key->data && dst[-1] == ' ') {
        dst--;
    }

    while (key->data < dst && *key->data == ' ') {
        key->data++;
    }

    *dst = '\0';
    key->len = dst - key->data;

    desk->order_id = *key;
    desk->searched = (key->len != 0);

    return NGX_OK;
}


/* an argument, decoded; NGX_DECLINED: there is none */

static ngx_int_t
ngx_http_b24_desk_arg(ngx_http_request_t *r, ngx_http_b24_desk_t *desk,
    char *name, ngx_str_t *value)
{
    u_char     *src, *dst;
    ngx_str_t   raw;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK) {
        return NGX_DECLINED;
    }

    value->data = b24_pnalloc(desk->pool, raw.len + 1);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    src = raw.data;
    dst = value->data;

    ngx_unescape_uri(&dst, &src, raw.len, 0);

    *dst = '\0';
    value->len = dst - value->data;

    return NGX_OK;
}


/* becomes part of a number that people read */

static ngx_int_t
ngx_http_b24_desk_suffix(ngx_http_b24_desk_t *desk)
{
    size_t  i;
    u_char  ch;

    if (desk->action != NGX_HTTP_B24_DO_SEND || desk->suffix.len == 0
        || desk->suffix.len > NGX_HTTP_B24_SUFFIX)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < desk->suffix.len; i++) {
        ch = desk->suffix.data[i];

        if (!b24_isdigit(ch) && (b24_tolower(ch) < 'a'
                                 || b24_tolower(ch) > 'z')
            && ch != '.' && ch != '_' && ch != '-')
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
