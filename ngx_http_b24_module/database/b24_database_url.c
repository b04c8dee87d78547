
/* mysql://user:password@host:port/name?socket=PATH&ssl=1&ssl_ca=FILE */


#include "b24_database.h"


#define B24_URL_SCHEME  "mysql://"


static int b24_url_host(b24_pool_t *pool, b24_str_t text,
    b24_database_url_t *url, const char **wrong);
static int b24_url_args(b24_pool_t *pool, b24_str_t text,
    b24_database_url_t *url, const char **wrong);
static int b24_url_decode(b24_pool_t *pool, const b24_str_t *text,
    b24_str_t *value, const char **wrong);
static int b24_url_cut(b24_str_t *text, u_char c, int last, b24_str_t *rest);


static const char  b24_url_shape[] =
    "must look like mysql://USER:PASSWORD@HOST/NAME";


int
b24_database_url(b24_pool_t *pool, const b24_str_t *text,
    b24_database_url_t *url, const char **wrong)
{
    int        rc;
    size_t     len;
    b24_str_t  rest, user, password, args, name, host;

    memset(url, 0, sizeof(b24_database_url_t));

    len = sizeof(B24_URL_SCHEME) - 1;
    rest = *text;

    if (rest.len < len || memcmp(rest.data, B24_URL_SCHEME, len) != 0) {
        *wrong = b24_url_shape;
        return B24_DECLINED;
    }

    rest.data += len;
    rest.len -= len;

    /* what is in front of it can hold anything but "/", "?" and "@" */

    (void) b24_url_cut(&rest, '?', 0, &args);

    if (!b24_url_cut(&rest, '@', 1, &host)
        || !b24_url_cut(&host, '/', 0, &name) || name.len == 0)
    {
        *wrong = b24_url_shape;
        return B24_DECLINED;
    }

    user = rest;
    (void) b24_url_cut(&user, ':', 0, &password);

    if (user.len == 0 || memchr(user.data, '/', user.len)
        || (password.len && memchr(password.data, '/', password.len)))
    {
        *wrong = "must have a user, and \"/\", \"?\", \"@\", \":\", \"%\" in "
                 "its name and password as %2F, %3F, %40, %3A, %25";
        return B24_DECLINED;
    }

    rc = b24_url_decode(pool, &user, &url->user, wrong);

    if (rc == B24_OK) {
        rc = b24_url_decode(pool, &password, &url->password, wrong);
    }

    if (rc == B24_OK) {
        rc = b24_url_decode(pool, &name, &url->name, wrong);
    }

    if (rc == B24_OK) {
        rc = b24_url_args(pool, args, url, wrong);
    }

    if (rc == B24_OK) {
        rc = b24_url_host(pool, host, url, wrong);
    }

    return rc;
}


static int
b24_url_host(b24_pool_t *pool, b24_str_t text, b24_database_url_t *url,
    const char **wrong)
{
    size_t     i;
    b24_str_t  port;

    port.data = NULL;
    port.len = 0;

    /* [2001:db8::1]:3306 */

    if (text.len && text.data[0] == '[') {

        if (!b24_url_cut(&text, ']', 1, &port)
            || (port.len && port.data[0] != ':'))
        {
            *wrong = b24_url_shape;
            return B24_DECLINED;
        }

        text.data++;
        text.len--;

        if (port.len) {
            port.data++;
            port.len--;
        }

    } else {
        (void) b24_url_cut(&text, ':', 1, &port);
    }

    if (text.len == 0 && url->socket.len == 0) {
        *wrong = "must name a host, or have \"?socket=PATH\"";
        return B24_DECLINED;
    }

    for (i = 0; i < text.len; i++) {

        /* the client library takes a text with "=" for something else */

        if (!b24_isdigit(text.data[i])
            && (b24_tolower(text.data[i]) < 'a'
                || b24_tolower(text.data[i]) > 'z')
            && (text.data[i] == '\0'
                || strchr("-._:", text.data[i]) == NULL))
        {
            *wrong = b24_url_shape;
            return B24_DECLINED;
        }
    }

    url->port = port.len ? 0 : 3306;

    for (i = 0; i < port.len; i++) {

        if (!b24_isdigit(port.data[i]) || i == 5) {
            url->port = 0;
            break;
        }

        url->port = url->port * 10 + (port.data[i] - '0');
    }

    if (url->port < 1 || url->port > 65535) {
        *wrong = "must have a port of 1 to 65535 after the host's \":\"";
        return B24_DECLINED;
    }

    return b24_pstrdup(pool, &url->host, text.data, text.len);
}


static int
b24_url_args(b24_pool_t *pool, b24_str_t text, b24_database_url_t *url,
    const char **wrong)
{
    int        rc;
    b24_str_t  rest, value;

    while (text.len) {
        (void) b24_url_cut(&text, '&', 0, &rest);
        (void) b24_url_cut(&text, '=', 0, &value);

        rc = b24_url_decode(pool, &value, &value, wrong);

        if (rc != B24_OK) {
            return rc;
        }

        if (b24_str_eqs(&text, "socket") && value.len
            && value.data[0] == '/')
        {
            url->socket = value;

        } else if (b24_str_eqs(&text, "ssl")
                   && (b24_str_eqs(&value, "1") || b24_str_eqs(&value, "0")))
        {
            url->tls = value.data[0] == '1';

        } else if (b24_str_eqs(&text, "ssl_ca") && value.len
                   && value.data[0] == '/')
        {
            url->ca = value;
            url->tls = 1;

        } else {
            *wrong = "takes after \"?\" only socket=/PATH, ssl=1 and "
                     "ssl_ca=/FILE, with \"&\" between them";
            return B24_DECLINED;
        }

        text = rest;
    }

    return B24_OK;
}


/* a zero byte would end a name early */

static int
b24_url_decode(b24_pool_t *pool, const b24_str_t *text, b24_str_t *value,
    const char **wrong)
{
    int        high, low;
    size_t     i;
    b24_str_t  from;
    b24_buf_t  buf;

    from = *text;
    b24_buf_init(&buf, pool);

    for (i = 0; i < from.len; i++) {

        if (from.data[i] != '%') {
            b24_buf_addc(&buf, from.data[i]);
            continue;
        }

        high = from.len - i > 2 ? b24_hex(from.data[i + 1]) : -1;
        low = from.len - i > 2 ? b24_hex(from.data[i + 2]) : -1;

        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            *wrong = "has a \"%\" that is no percent-encoding: write it as "
                     "%25";
            return B24_DECLINED;
        }

        b24_buf_addc(&buf, (u_char) (high << 4 | low));
        i += 2;
    }

    return b24_buf_str(&buf, value);
}


/* text ends before c, rest begins behind it; 0: there is none */

static int
b24_url_cut(b24_str_t *text, u_char c, int last, b24_str_t *rest)
{
    size_t  i, at;

    at = text->len;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == c) {
            at = i;

            if (!last) {
                break;
            }
        }
    }

    rest->data = text->data + text->len;
    rest->len = 0;

    if (at == text->len) {
        return 0;
    }

    rest->data = text->data + at + 1;
    rest->len = text->len - at - 1;
    text->len = at;

    return 1;
}
