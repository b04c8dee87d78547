
/*
 * A portal that was renamed answers at its old host with a redirect.  The
 * address of a request is the credential: where it may be sent on to is decided
 * here, and nothing but the host is taken from the answer.
 */


#include <stdio.h>
#include <libpsl.h>

#include "b24_batch.h"


static int b24_moved_split(const b24_str_t *url, b24_str_t *host,
    b24_str_t *path, int *tls);
static int b24_moved_host(const b24_str_t *host);
static void b24_moved_name(const b24_str_t *host, b24_str_t *name);
static int b24_moved_near(const b24_str_t *from, const b24_str_t *to);
static int b24_moved_public(const b24_str_t *domain);
static int b24_moved_numeric(const b24_str_t *name);
static int b24_moved_same(const b24_str_t *a, const b24_str_t *b, int tls);


b24_moved_e
b24_moved(b24_pool_t *pool, const b24_str_t *home, const b24_str_t *asked,
    const b24_str_t *location, b24_str_t *host)
{
    int        tls, asked_tls;
    size_t     i;
    b24_str_t  to, path, from, from_path, name, home_name;
    b24_str_t  none = b24_null_string;

    *host = none;

    if (b24_moved_split(location, &to, &path, &tls) != B24_OK
        || b24_moved_split(asked, &from, &from_path, &asked_tls) != B24_OK
        || b24_pstrdup(pool, host, to.data, to.len) != B24_OK)
    {
        return B24_MOVED_NOWHERE;
    }

    for (i = 0; i < host->len; i++) {
        host->data[i] = b24_tolower(host->data[i]);
    }

    if (!tls) {
        return B24_MOVED_PLAIN;
    }

    b24_moved_name(host, &name);
    b24_moved_name(home, &home_name);

    if (!b24_str_caseeq(&name, &home_name)
        && !b24_moved_near(&home_name, &name))
    {
        return B24_MOVED_AWAY;
    }

    for (i = 0; i < path.len && path.data[i] != '?' && path.data[i] != '#';
         i++)
    {
        /* void */
    }

    path.len = i;

    if (b24_str_find(&path, 0, "/rest/") == -1) {
        return B24_MOVED_ELSEWHERE;
    }

    if (asked_tls && b24_moved_same(&from, host, 1)) {
        return B24_MOVED_BACK;
    }

    return B24_MOVED_TO;
}


/* authority and the rest of "https://AUTHORITY/REST"; no user, no oddities */

static int
b24_moved_split(const b24_str_t *url, b24_str_t *host, b24_str_t *path,
    int *tls)
{
    size_t     i, from;
    u_char     c;
    b24_str_t  scheme;

    scheme.data = url->data;
    scheme.len = url->len < 8 ? url->len : 8;

    *tls = b24_str_caseeqs(&scheme, "https://");
    from = 8;

    if (!*tls) {
        scheme.len = url->len < 7 ? url->len : 7;
        from = 7;

        if (!b24_str_caseeqs(&scheme, "http://")) {
            return B24_DECLINED;
        }
    }

    for (i = from; i < url->len && url->data[i] != '/'; i++) {
        c = b24_tolower(url->data[i]);

        if (!b24_isdigit(c) && (c < 'a' || c > 'z') && c != '.' && c != '-'
            && c != '_' && c != ':' && c != '[' && c != ']')
        {
            return B24_DECLINED;
        }
    }

    host->data = url->data + from;
    host->len = i - from;

    path->data = url->data + i;
    path->len = url->len - i;

    return b24_moved_host(host) ? B24_OK : B24_DECLINED;
}


/*
 * A name or an address in brackets, then a port of digits if there is one: who
 * sends the request has to see the same host as who compares it.
 */

static int
b24_moved_host(const b24_str_t *host)
{
    size_t       i, nodd;
    b24_str_t    name, bare;
    const char  *odd;

    b24_moved_name(host, &name);

    if (name.len == 0 || host->len > B24_MOVED_HOST) {
        return 0;
    }

    bare = name;
    odd = "[]:";
    nodd = 3;

    if (name.data[0] == '[') {

        if (name.len < 3 || name.data[name.len - 1] != ']') {
            return 0;
        }

        bare.data++;
        bare.len -= 2;
        nodd = 2;
    }

    for (i = 0; i < bare.len; i++) {

        if (memchr(odd, bare.data[i], nodd)) {
            return 0;
        }
    }

    for (i = name.len + 1; i < host->len; i++) {

        if (!b24_isdigit(host->data[i])) {
            return 0;
        }
    }

    return host->len - name.len <= sizeof(":65535") - 1;
}


/* the host without its port */

static void
b24_moved_name(const b24_str_t *host, b24_str_t *name)
{
    size_t  i;

    *name = *host;

    for (i = host->len; i > 0; i--) {

        if (host->data[i - 1] == ']') {
            return;
        }

        if (host->data[i - 1] == ':') {
            name->len = i - 1;
            return;
        }
    }
}


/*
 * Names of one account's portals differ in their first label: what follows it
 * must be the same, and must be somebody's own domain.
 */

static int
b24_moved_near(const b24_str_t *from, const b24_str_t *to)
{
    b24_str_t  a, b;

    if (b24_moved_numeric(from) || b24_moved_numeric(to)) {
        return 0;
    }

    a = *from;

    while (a.len && a.data[0] != '.') {
        a.data++;
        a.len--;
    }

    b = *to;

    while (b.len && b.data[0] != '.') {
        b.data++;
        b.len--;
    }

    return a.len > 1 && b.len < to->len && b24_str_caseeq(&a, &b)
           && !b24_moved_public(&a);
}


/*
 * ".com", ".co.uk", ".msk.ru": names there are of different people.  None of
 * Bitrix24's own domains is in the list.
 */

static int
b24_moved_public(const b24_str_t *domain)
{
    char              name[B24_MOVED_HOST + 1];
    size_t            i;
    const psl_ctx_t  *psl;

    if (domain->data[1] == '.' || domain->data[domain->len - 1] == '.') {
        return 1;
    }

    for (i = 1; i < domain->len; i++) {
        name[i - 1] = (char) b24_tolower(domain->data[i]);
    }

    name[i - 1] = '\0';

    psl = psl_builtin();

    return psl == NULL || psl_is_public_suffix(psl, name);
}


/* an address: it has no domain */

static int
b24_moved_numeric(const b24_str_t *name)
{
    size_t  i;

    if (name->len == 0 || name->data[0] == '[') {
        return 1;
    }

    for (i = name->len; i > 0 && b24_isdigit(name->data[i - 1]); i--) {
        /* void */
    }

    return i < name->len && (i == 0 || name->data[i - 1] == '.');
}


/* "a" is "a:443" with TLS */

static int
b24_moved_same(const b24_str_t *a, const b24_str_t *b, int tls)
{
    b24_str_t    x, y, p, q;
    const char  *usual;

    b24_moved_name(a, &x);
    b24_moved_name(b, &y);

    p.data = a->data + x.len;
    p.len = a->len - x.len;
    q.data = b->data + y.len;
    q.len = b->len - y.len;

    usual = tls ? ":443" : ":80";

    return b24_str_caseeq(&x, &y)
           && (b24_str_eq(&p, &q)
               || ((p.len == 0 || b24_str_eqs(&p, usual))
                   && (q.len == 0 || b24_str_eqs(&q, usual))));
}


void
b24_moved_advice(b24_moved_e moved, const b24_str_t *host, char *text,
    size_t size)
{
    const char  *words;

    if (moved == B24_MOVED_NOWHERE || moved == B24_MOVED_TO) {
        (void) snprintf(text, size, "The portal sends requests on to no"
                        " address; put its present one in b24_webhook.");
        return;
    }

    switch (moved) {

    case B24_MOVED_PLAIN:
        words = "without https; put the portal's https address in"
                " b24_webhook.";
        break;

    case B24_MOVED_AWAY:
        words = "in another domain; if the portal has moved there, put its new"
                " address in b24_webhook.";
        break;

    case B24_MOVED_ELSEWHERE:
        words = "but not to its REST; open the portal in a browser, and check"
                " the address in b24_webhook.";
        break;

    default:
        words = "and from there back; put the portal's present address in"
                " b24_webhook.";
    }

    (void) snprintf(text, size, "The portal sends requests on to %.*s, %s",
                    (int) host->len, (char *) host->data, words);
}
