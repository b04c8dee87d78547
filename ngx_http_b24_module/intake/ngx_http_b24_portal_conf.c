
/* The portal's address and the certificates it is believed by. */


#include "ngx_http_b24_module.h"


#define NGX_HTTP_B24_WEBHOOK_MAX  4096


static char *ngx_http_b24_webhook_file(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *url);
static char *ngx_http_b24_webhook_parse(ngx_conf_t *cf, ngx_str_t *url,
    ngx_http_b24_webhook_t *wh);
static ngx_uint_t ngx_http_b24_loopback(ngx_str_t *host);


/* b24_webhook URL [dry];  b24_webhook file:PATH [dry] */

char *
ngx_http_b24_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    char                    *rv;
    ngx_str_t               *value, url, path;
    ngx_http_b24_webhook_t  *wh;

    if (bscf->webhook != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    wh = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_webhook_t));
    if (wh == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_b24_place(cf, &wh->place);

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "dry") != 0) {
            return "takes only \"dry\" after the address";
        }

        wh->dry = 1;
    }

    url = value[1];

    if (ngx_strncmp(url.data, "file:", 5) == 0) {
        path.data = url.data + 5;
        path.len = url.len - 5;

        rv = ngx_http_b24_webhook_file(cf, &path, &url);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    rv = ngx_http_b24_webhook_parse(cf, &url, wh);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    bscf->webhook = wh;

    return NGX_CONF_OK;
}


/* read by the master, which may be root: workers need no access to it */

static char *
ngx_http_b24_webhook_file(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *url)
{
    u_char          *p, *last;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_str_t        name;
    ngx_file_info_t  fi;

    name = *path;

    if (name.len == 0) {
        return "needs a path after \"file:\"";
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"b24_webhook\" cannot open file \"%V\"", &name);
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, NGX_HTTP_B24_WEBHOOK_MAX);
    n = (p == NULL) ? -1 : read(fd, p, NGX_HTTP_B24_WEBHOOK_MAX);

    if (n != -1 && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && (ngx_file_access(&fi) & 077))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "file \"%V\" of \"b24_webhook\" can be read by "
                           "others: its mode should be 0600", &name);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &name);
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"b24_webhook\" cannot read file \"%V\"", &name);
        return NGX_CONF_ERROR;
    }

    for (last = p + n; p < last && *p <= ' '; p++) { /* void */ }
    for ( /* void */ ; last > p && last[-1] <= ' '; last--) { /* void */ }

    if (n == NGX_HTTP_B24_WEBHOOK_MAX || p == last
        || ngx_strlchr(p, last, '\n'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "file \"%V\" of \"b24_webhook\" must hold the "
                           "address of the webhook and nothing else", &name);
        return NGX_CONF_ERROR;
    }

    url->data = p;
    url->len = last - p;

    return NGX_CONF_OK;
}


/*
 * The sentences below never show the address: it is the credential.
 */

static char *
ngx_http_b24_webhook_parse(ngx_conf_t *cf, ngx_str_t *url,
    ngx_http_b24_webhook_t *wh)
{
    u_char      *p, *last, *host, *slash;
    ngx_uint_t   tls, n;
    ngx_str_t    name;

    static char  shape[] = "must look like https://PORTAL/rest/USER/CODE/";

    p = url->data;
    last = p + url->len;

    if (url->len > 8 && ngx_strncasecmp(p, (u_char *) "https://", 8) == 0) {
        tls = 1;
        host = p + 8;

    } else if (url->len > 7
               && ngx_strncasecmp(p, (u_char *) "http://", 7) == 0)
    {
        tls = 0;
        host = p + 7;

    } else {
        return shape;
    }

    for (p = host; p < last; p++) {
        if (*p <= ' ' || *p == '?' || *p == '#' || *p == '@' || *p == '"'
            || *p == '\\' || *p >= 0x7f)
        {
            return shape;
        }
    }

    slash = ngx_strlchr(host, last, '/');

    if (slash == NULL || slash == host) {
        return shape;
    }

    wh->host.len = slash - host;
    wh->host.data = ngx_pnalloc(cf->pool, wh->host.len + 1);
    if (wh->host.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_strlow(wh->host.data, host, wh->host.len);
    wh->host.data[wh->host.len] = '\0';

    if (last[-1] == '/') {
        last--;
    }

    /* .../rest/USER/CODE: USER is digits, CODE letters and digits */

    for (p = last, n = 0; p > slash && p[-1] != '/'; p--, n++) {

        if (!((p[-1] | 0x20) >= 'a' && (p[-1] | 0x20) <= 'z')
            && !(p[-1] >= '0' && p[-1] <= '9') && p[-1] != '-'
            && p[-1] != '_')
        {
            return shape;
        }
    }

    if (n == 0 || p == slash) {
        return shape;
    }

    for (p--, n = 0; p > slash && p[-1] != '/'; p--, n++) {

        if (p[-1] < '0' || p[-1] > '9') {
            return shape;
        }
    }

    if (n == 0 || p - slash < 6 || ngx_strncmp(p - 6, "/rest/", 6) != 0) {
        return shape;
    }

    name = wh->host;

    if (!tls && !ngx_http_b24_loopback(&name)) {
        return "must begin with https:// (plain http only for the loopback)";
    }

    wh->url.len = (last - url->data) + 1;
    wh->url.data = ngx_pnalloc(cf->pool, wh->url.len + 1);
    if (wh->url.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(wh->url.data, url->data, wh->url.len - 1);
    *p++ = '/';
    *p = '\0';

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_b24_loopback(ngx_str_t *host)
{
    u_char     *p, *last;
    ngx_str_t   name;
    in_addr_t   addr;

    name = *host;

    if (name.len > 5 && ngx_strncmp(name.data, "[::1]", 5) == 0) {
        return name.len == 5 || name.data[5] == ':';
    }

    if (name.len == 5 && ngx_strncmp(name.data, "[::1]", 5) == 0) {
        return 1;
    }

    last = name.data + name.len;
    p = ngx_strlchr(name.data, last, ':');

    if (p) {
        name.len = p - name.data;
    }

    if (name.len == 9 && ngx_strncmp(name.data, "localhost", 9) == 0) {
        return 1;
    }

    addr = ngx_inet_addr(name.data, name.len);

    return addr != INADDR_NONE && (ntohl(addr) >> 24) == 127;
}


char *
ngx_http_b24_conf_certificate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t        *value;
    ngx_file_info_t   fi;

    if (bscf->certificate.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    bscf->certificate = value[1];

    if (value[1].len == 0) {
        return "needs the path of a file";
    }

    if (ngx_conf_full_name(cf->cycle, &bscf->certificate, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(bscf->certificate.data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"b24_trusted_certificate\" cannot find \"%V\"",
                           &bscf->certificate);
        return NGX_CONF_ERROR;
    }

    ngx_http_b24_place(cf, &bscf->certificate_place);

    return NGX_CONF_OK;
}
