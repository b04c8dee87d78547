
/* The portal's address and the certificates it is believed by. */


#include "ngx_http_b24_module.h"


#define NGX_HTTP_B24_WEBHOOK_MAX  4096
#define NGX_HTTP_B24_PEM_MAX      (16 * 1024 * 1024)

#define NGX_HTTP_B24_PEM_BEGIN    "-----BEGIN CERTIFICATE-----"
#define NGX_HTTP_B24_PEM_END      "-----END CERTIFICATE-----"


static ngx_fd_t ngx_http_b24_open(ngx_conf_t *cf, ngx_str_t *path);
static char *ngx_http_b24_webhook_parse(ngx_conf_t *cf, ngx_str_t *url,
    ngx_http_b24_webhook_t *wh);
static char *ngx_http_b24_webhook_path(u_char *path, u_char *last);
static ngx_uint_t ngx_http_b24_host_name(ngx_str_t *name);
static ngx_uint_t ngx_http_b24_host_ipv6(ngx_str_t *name);
static ngx_uint_t ngx_http_b24_loopback(ngx_str_t *name);
static char *ngx_http_b24_pem_file(ngx_conf_t *cf, ngx_str_t *path);
static char *ngx_http_b24_pem_check(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text);
static ngx_uint_t ngx_http_b24_pem_one(u_char *p, u_char *last);


static char  ngx_http_b24_webhook_shape[] =
    "must look like https://PORTAL/rest/USER/CODE/";


/* b24_webhook URL [dry];  b24_webhook file:PATH [dry] */

char *
ngx_http_b24_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    char                    *rv;
    ngx_str_t               *value, url;
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

    rv = ngx_http_b24_conf_secret(cf, &value[1], &url,
                                  "address of the webhook");
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_b24_webhook_parse(cf, &url, wh);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    bscf->webhook = wh;

    return NGX_CONF_OK;
}


char *
ngx_http_b24_conf_address(ngx_conf_t *cf, ngx_str_t *text, char *what)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_null(text);

        return cf->args->nelts > 2 ? "takes nothing after \"off\""
                                   : NGX_CONF_OK;
    }

    return ngx_http_b24_conf_secret(cf, &value[1], text, what);
}


char *
ngx_http_b24_conf_secret(ngx_conf_t *cf, ngx_str_t *arg, ngx_str_t *text,
    char *what)
{
    ngx_str_t  path;

    if (ngx_strncmp(arg->data, "file:", 5) != 0) {
        *text = *arg;
        return NGX_CONF_OK;
    }

    path.data = arg->data + 5;
    path.len = arg->len - 5;

    return ngx_http_b24_secret_file(cf, &path, text, what, 0);
}


/* of a directive's file; not blocking: it may be a pipe */

static ngx_fd_t
ngx_http_b24_open(ngx_conf_t *cf, ngx_str_t *path)
{
    char       *cure;
    ngx_fd_t    fd;
    ngx_err_t   err;
    ngx_str_t  *value;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd != NGX_INVALID_FILE) {
        return fd;
    }

    err = ngx_errno;
    value = cf->args->elts;

    cure = (err == NGX_ENOENT || err == NGX_ENOTDIR)
               ? "correct the path or make the file"
               : "let the user that starts nginx read it";

    ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                       "\"%V\" cannot open file \"%V\", %s", &value[0], path,
                       cure);

    return NGX_INVALID_FILE;
}


/* read by the master, which may be root: workers need no access to it */

char *
ngx_http_b24_secret_file(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text,
    char *what, ngx_uint_t blanks)
{
    u_char          *p, *last;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_str_t        name, *value;
    ngx_file_info_t  fi;

    name = *path;
    value = cf->args->elts;

    if (name.len == 0) {
        return "needs a path after \"file:\"";
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_http_b24_open(cf, &name);
    if (fd == NGX_INVALID_FILE) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, NGX_HTTP_B24_WEBHOOK_MAX);
    n = (p == NULL) ? -1 : read(fd, p, NGX_HTTP_B24_WEBHOOK_MAX);

    if (n != -1 && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && (ngx_file_access(&fi) & 077))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "file \"%V\" of \"%V\" can be read by "
                           "others: its mode should be 0600", &name,
                           &value[0]);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &name);
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\" cannot read file \"%V\", give the path of a "
                           "file that holds the %s", &value[0], &name, what);
        return NGX_CONF_ERROR;
    }

    last = p + n;

    if (blanks) {

        if (last > p && last[-1] == LF) {
            last--;

            if (last > p && last[-1] == CR) {
                last--;
            }
        }

    } else {

        while (p < last && *p <= ' ') { p++; }
        while (last > p && last[-1] <= ' ') { last--; }
    }

    if (n == NGX_HTTP_B24_WEBHOOK_MAX || p == last
        || ngx_strlchr(p, last, '\n'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "file \"%V\" of \"%V\" must hold the %s and nothing "
                           "else", &name, &value[0], what);
        return NGX_CONF_ERROR;
    }

    text->data = p;
    text->len = last - p;

    return NGX_CONF_OK;
}


/*
 * The sentences below never show the address: it is the credential.
 */

static char *
ngx_http_b24_webhook_parse(ngx_conf_t *cf, ngx_str_t *url,
    ngx_http_b24_webhook_t *wh)
{
    char        *rv;
    u_char      *p, *last, *slash;
    ngx_str_t    host;
    ngx_uint_t   tls;

    p = url->data;
    last = p + url->len;

    host.data = ngx_http_b24_conf_scheme(url, &tls);

    if (host.data == NULL) {
        return ngx_http_b24_webhook_shape;
    }

    slash = ngx_strlchr(host.data, last, '/');

    if (slash == NULL || slash == host.data) {
        return ngx_http_b24_webhook_shape;
    }

    for (p = host.data; p < last; p++) {
        if (*p <= ' ' || *p == '?' || *p == '#' || *p == '@' || *p == '"'
            || *p == '\\' || (*p >= 0x7f && p > slash))
        {
            return ngx_http_b24_webhook_shape;
        }
    }

    host.len = slash - host.data;

    if (last[-1] == '/') {
        last--;
    }

    rv = ngx_http_b24_webhook_path(slash, last);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_b24_conf_host(cf, &host, tls, &wh->host);
    if (rv != NGX_CONF_OK) {
        return rv;
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


/* .../rest/USER/CODE: USER is digits, CODE letters and digits */

static char *
ngx_http_b24_webhook_path(u_char *path, u_char *last)
{
    u_char      *p;
    ngx_uint_t   n;

    for (p = last, n = 0; p > path && p[-1] != '/'; p--, n++) {

        if (!((p[-1] | 0x20) >= 'a' && (p[-1] | 0x20) <= 'z')
            && !(p[-1] >= '0' && p[-1] <= '9') && p[-1] != '-'
            && p[-1] != '_')
        {
            return ngx_http_b24_webhook_shape;
        }
    }

    if (n == 0 || p == path) {
        return ngx_http_b24_webhook_shape;
    }

    for (p--, n = 0; p > path && p[-1] != '/'; p--, n++) {

        if (p[-1] < '0' || p[-1] > '9') {
            return ngx_http_b24_webhook_shape;
        }
    }

    if (n == 0 || p - path < 6 || ngx_strncmp(p - 6, "/rest/", 6) != 0) {
        return ngx_http_b24_webhook_shape;
    }

    if (ngx_http_b24_conf_dots(path, last)) {
        return "must have no \".\" or \"..\" in its path";
    }

    return NGX_CONF_OK;
}


/* what follows "https://" or "http://", NULL: neither of them */

u_char *
ngx_http_b24_conf_scheme(ngx_str_t *url, ngx_uint_t *tls)
{
    if (url->len > 8
        && ngx_strncasecmp(url->data, (u_char *) "https://", 8) == 0)
    {
        *tls = 1;
        return url->data + 8;
    }

    if (url->len > 7
        && ngx_strncasecmp(url->data, (u_char *) "http://", 7) == 0)
    {
        *tls = 0;
        return url->data + 7;
    }

    return NULL;
}


/* a segment "." or "..", as such or percent-encoded: it leads elsewhere */

ngx_uint_t
ngx_http_b24_conf_dots(u_char *p, u_char *last)
{
    u_char      *end;
    ngx_uint_t   n;

    while (p < last) {

        /* *p is a slash */

        end = ngx_strlchr(p + 1, last, '/');
        if (end == NULL) {
            end = last;
        }

        p++;

        for (n = 0; p < end; n++) {

            if (*p == '.') {
                p++;

            } else if (end - p >= 3
                       && ngx_strncasecmp(p, (u_char *) "%2e", 3) == 0)
            {
                p += 3;

            } else {
                break;
            }
        }

        if (p == end && (n == 1 || n == 2)) {
            return 1;
        }

        p = end;
    }

    return 0;
}


/*
 * HOST or HOST:PORT.  *host is the name in logs, in shared memory and in the
 * queue: lower-case and without a port that is the usual one, so that two ways
 * to write one address are one.
 */

char *
ngx_http_b24_conf_host(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t tls,
    ngx_str_t *host)
{
    u_char     *p, *last;
    ngx_int_t   port;
    ngx_str_t   name;

    last = text->data + text->len;

    name.data = ngx_pnalloc(cf->pool, text->len + sizeof("[]:65535")
                                      + NGX_INET6_ADDRSTRLEN);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = (text->data[0] == '[') ? ngx_strlchr(text->data, last, ']')
                               : text->data;
    p = p ? ngx_strlchr(p, last, ':') : NULL;

    name.len = (p ? p : last) - text->data;
    ngx_strlow(name.data, text->data, name.len);

    if (!ngx_http_b24_host_name(&name) && !ngx_http_b24_host_ipv6(&name)) {
        return "must name a host after \"//\", of letters, digits, \"-\" and "
               "\".\", or an address such as 192.0.2.1 or [2001:db8::1]";
    }

    port = p ? ngx_atoi(p + 1, last - p - 1) : (tls ? 443 : 80);

    if (port < 1 || port > 65535) {
        return "must have a port of 1 to 65535 after the host's \":\"";
    }

    if (!tls && !ngx_http_b24_loopback(&name)) {
        return "must begin with https:// (plain http only for the loopback)";
    }

    if (port != (tls ? 443 : 80)) {
        p = ngx_sprintf(name.data + name.len, ":%i", port);
        name.len = p - name.data;
    }

    name.data[name.len] = '\0';
    *host = name;

    return NGX_CONF_OK;
}


/* RFC 1123, and "_", which some networks have; or an IPv4 address */

static ngx_uint_t
ngx_http_b24_host_name(ngx_str_t *name)
{
    size_t      i, n;
    u_char      c;
    ngx_uint_t  digits;

    if (name->len == 0 || name->len > 253
        || name->data[name->len - 1] == '-')
    {
        return 0;
    }

    for (i = 0, n = 0, digits = 1; i < name->len; i++) {
        c = name->data[i];

        if (c == '.') {

            if (n == 0 || name->data[i - 1] == '-') {
                return 0;
            }

            n = 0;
            digits = 1;
            continue;
        }

        if (c < '0' || c > '9') {
            digits = 0;
        }

        if (++n > 63 || (c == '-' && n == 1)
            || (digits == 0 && c != '-' && c != '_'
                && (c < 'a' || c > 'z') && (c < '0' || c > '9')))
        {
            return 0;
        }
    }

    /* what ends in a number is an address, or nothing */

    return n != 0
           && (!digits
               || ngx_inet_addr(name->data, name->len) != INADDR_NONE);
}


/* in its brackets; written anew, as an address has many forms */

static ngx_uint_t
ngx_http_b24_host_ipv6(ngx_str_t *name)
{
    u_char           text[NGX_INET6_ADDRSTRLEN + 1];
    struct in6_addr  addr;

    if (name->len < 4 || name->len - 2 > NGX_INET6_ADDRSTRLEN
        || name->data[0] != '[' || name->data[name->len - 1] != ']')
    {
        return 0;
    }

    ngx_cpystrn(text, name->data + 1, name->len - 1);

    if (inet_pton(AF_INET6, (char *) text, &addr) != 1
        || inet_ntop(AF_INET6, &addr, (char *) text, sizeof(text)) == NULL)
    {
        return 0;
    }

    name->len = ngx_sprintf(name->data, "[%s]", text) - name->data;

    return 1;
}


static ngx_uint_t
ngx_http_b24_loopback(ngx_str_t *name)
{
    in_addr_t  addr;

    if (name->len == 5 && ngx_strncmp(name->data, "[::1]", 5) == 0) {
        return 1;
    }

    if (name->len == 9 && ngx_strncmp(name->data, "localhost", 9) == 0) {
        return 1;
    }

    addr = ngx_inet_addr(name->data, name->len);

    return addr != INADDR_NONE && (ntohl(addr) >> 24) == 127;
}


/* b24_trusted_certificate FILE */

char *
ngx_http_b24_conf_certificate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t  *value;

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

    ngx_http_b24_place(cf, &bscf->certificate_place);

    return ngx_http_b24_pem_file(cf, &bscf->certificate);
}


static char *
ngx_http_b24_pem_file(ngx_conf_t *cf, ngx_str_t *path)
{
    char             *rv;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_str_t         text;
    ngx_file_info_t   fi;

    fd = ngx_http_b24_open(cf, path);
    if (fd == NGX_INVALID_FILE) {
        return NGX_CONF_ERROR;
    }

    text.data = NULL;
    rv = NGX_CONF_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)
        || ngx_file_size(&fi) > NGX_HTTP_B24_PEM_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_trusted_certificate\" needs a file of at "
                           "most 16m, but \"%V\" is none: give the path of one "
                           "with certificates in PEM", path);
        goto done;
    }

    text.len = (size_t) ngx_file_size(&fi);
    text.data = ngx_alloc(text.len + 1, cf->log);
    if (text.data == NULL) {
        goto done;
    }

    n = read(fd, text.data, text.len);

    if (n != (ssize_t) text.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, n == -1 ? ngx_errno : 0,
                           "\"b24_trusted_certificate\" cannot read file "
                           "\"%V\": see whether its disk is well", path);
        goto done;
    }

    rv = ngx_http_b24_pem_check(cf, path, &text);

done:

    if (text.data) {
        ngx_free(text.data);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", path);
    }

    return rv;
}


/*
 * Curl reads the file only when an order is delivered: better said here.  What
 * the certificates are worth is left to the TLS library, whether they are whole
 * is not.
 */

static char *
ngx_http_b24_pem_check(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    u_char      *p, *last, *end;
    ngx_uint_t   n;

    p = text->data;
    last = p + text->len;

    for (n = 0; /* void */ ; n++) {

        p = memmem(p, last - p, NGX_HTTP_B24_PEM_BEGIN,
                   sizeof(NGX_HTTP_B24_PEM_BEGIN) - 1);

        if (p == NULL) {
            break;
        }

        p += sizeof(NGX_HTTP_B24_PEM_BEGIN) - 1;

        end = memmem(p, last - p, NGX_HTTP_B24_PEM_END,
                     sizeof(NGX_HTTP_B24_PEM_END) - 1);

        if (end == NULL || !ngx_http_b24_pem_one(p, end)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"b24_trusted_certificate\" finds that "
                               "certificate %ui in \"%V\" is broken: put it "
                               "there anew", n + 1, path);
            return NGX_CONF_ERROR;
        }

        p = end;
    }

    if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_trusted_certificate\" finds no certificate "
                           "in \"%V\": it must hold some in PEM, with lines "
                           "\"" NGX_HTTP_B24_PEM_BEGIN "\"", path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* base64 of one DER sequence of the length it says; it is decoded in place */

static ngx_uint_t
ngx_http_b24_pem_one(u_char *p, u_char *last)
{
    size_t      i, n, len;
    u_char     *der;
    ngx_str_t   text, bin;

    text.data = p;
    text.len = 0;

    for ( /* void */ ; p < last; p++) {
        if (*p != ' ' && *p != '\t' && *p != CR && *p != LF) {
            text.data[text.len++] = *p;
        }
    }

    bin.data = text.data;

    if (ngx_decode_base64(&bin, &text) != NGX_OK || bin.len < 4) {
        return 0;
    }

    der = bin.data;

    if (der[0] != 0x30) {
        return 0;
    }

    if (der[1] < 0x80) {
        return der[1] == bin.len - 2;
    }

    n = der[1] & 0x7f;

    if (n == 0 || n > 3 || bin.len < 2 + n) {
        return 0;
    }

    for (i = 0, len = 0; i < n; i++) {
        len = (len << 8) | der[2 + i];
    }

    return len == bin.len - 2 - n;
}
