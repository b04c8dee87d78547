
/* Whose an exchange is: the names that session lines and cookies give. */


#include "b24_rules_int.h"


static b24_is_e b24_session_part(b24_eval_t *ev, const b24_value_t *line,
    int answer, b24_str_t *value);
static b24_is_e b24_session_cookie(b24_eval_t *ev, const b24_value_t *line,
    b24_str_t *value);
static b24_is_e b24_session_name(b24_is_e is, const b24_result_t *res,
    b24_str_t *value);
static int b24_session_add(b24_session_value_t *values, unsigned *n,
    unsigned line, const b24_str_t *value);
static int b24_session_headers(b24_pool_t *pool, const b24_pair_t *headers,
    b24_pair_t **list);
static int b24_cookie_replaced(const b24_pair_t *headers,
    const b24_str_t *name);
static int b24_cookie_set(const b24_input_t *in, const b24_str_t *name,
    b24_str_t *value);
static int b24_cookie_parse(const b24_str_t *header, b24_str_t *name,
    b24_str_t *value);
static int b24_cookie_over(const b24_str_t *attributes);


int
b24_shop_follows(const b24_shop_t *shop)
{
    return shop->follows;
}


int
b24_shop_sets(const b24_shop_t *shop, const b24_str_t *header)
{
    size_t            i;
    b24_str_t         name, value;
    const b24_alt_t  *alt;

    if (b24_cookie_parse(header, &name, &value) == B24_DECLINED) {
        return 0;
    }

    for (i = 0; i < shop->nsessions; i++) {

        for (alt = shop->sessions[i].alts; alt; alt = alt->next) {

            if (alt->cookie.len
                ? b24_str_caseeq(&name, &alt->cookie)
                : alt->sources->type == B24_SOURCE_HEADER
                  && b24_str_caseeqs(&alt->sources->text, "Set-Cookie"))
            {
                return 1;
            }
        }
    }

    return 0;
}


int
b24_shop_sessions(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_input_t *in, int answer, b24_session_value_t *values,
    unsigned *n)
{
    unsigned      i, way;
    b24_is_e      is;
    b24_str_t     value;
    b24_eval_t    ev;
    b24_pair_t   *headers;
    b24_input_t   kept;

    *n = 0;

    if (b24_session_headers(pool, in->headers, &headers) != B24_OK) {
        return B24_ERROR;
    }

    kept = *in;
    kept.headers = headers;

    b24_eval_init(&ev, pool, &kept, 0);
    ev.whole = 1;

    /* the request's come first: they lead to what is known already */

    for (way = 0; way < (answer ? 3 : 1); way++) {

        for (i = 0; i < shop->nsessions; i++) {

            is = way == 1 ? b24_session_cookie(&ev, &shop->sessions[i],
                                               &value)
                          : b24_session_part(&ev, &shop->sessions[i],
                                             way == 2, &value);

            if (is == B24_IS_ERROR
                || (is == B24_IS_SET
                    && b24_session_add(values, n, i, &value) != B24_OK))
            {
                return B24_ERROR;
            }
        }
    }

    return B24_OK;
}


/*
 * The first alternative of the request that isn't empty, or of those that only
 * the answer gives: these are further names of the session.
 */
static b24_is_e
b24_session_part(b24_eval_t *ev, const b24_value_t *line, int answer,
    b24_str_t *value)
{
    int                  early;
    b24_is_e             is;
    b24_result_t         res;
    const b24_alt_t     *alt;
    const b24_source_t  *source;

    for (alt = line->alts; alt; alt = alt->next) {
        early = 1;

        for (source = alt->sources; source; source = source->next) {
            early = early && b24_source_early(source, 0);
        }

        if (early == answer) {
            continue;
        }

        memset(&res, 0, sizeof(b24_result_t));

        is = b24_session_name(b24_eval_alt(ev, line, alt, &res), &res, value);

        if (is == B24_IS_SET || is == B24_IS_ERROR) {
            return is;
        }
    }

    return B24_IS_EMPTY;
}


/* what the answer sets the line's cookie to */
static b24_is_e
b24_session_cookie(b24_eval_t *ev, const b24_value_t *line, b24_str_t *value)
{
    b24_is_e          is;
    b24_str_t         text;
    b24_result_t      res;
    const b24_alt_t  *alt;

    for (alt = line->alts; alt; alt = alt->next) {

        if (alt->cookie.len == 0
            || !b24_cookie_set(ev->in, &alt->cookie, &text))
        {
            continue;
        }

        memset(&res, 0, sizeof(b24_result_t));

        is = b24_eval_utf8(ev, &text, &ev->charset, &res);

        if (is == B24_IS_SET && alt->filters) {
            is = b24_eval_filters(ev, alt->filters, &res);
        }

        is = b24_session_name(is, &res, value);

        if (is == B24_IS_SET || is == B24_IS_ERROR) {
            return is;
        }
    }

    return B24_IS_EMPTY;
}


/* what PHP puts into a cookie that it deletes tells nobody apart: a client
 * that keeps it sends it back */
static b24_is_e
b24_session_name(b24_is_e is, const b24_result_t *res, b24_str_t *value)
{
    if (is == B24_IS_SET && b24_str_eqs(&res->text, "deleted")) {
        return B24_IS_EMPTY;
    }

    *value = res->text;

    return is;
}


static int
b24_session_add(b24_session_value_t *values, unsigned *n, unsigned line,
    const b24_str_t *value)
{
    unsigned  i;

    for (i = 0; i < *n; i++) {

        if (values[i].line == line && b24_str_eq(&values[i].value, value)) {
            return B24_OK;
        }
    }

    values[*n].line = line;
    values[*n].value = *value;
    (*n)++;

    return B24_OK;
}


/* headers with the cookies that the buyer has then: the last Set-Cookie of a
 * name decides, as in browsers, and what is deleted is gone */
static int
b24_session_headers(b24_pool_t *pool, const b24_pair_t *headers,
    b24_pair_t **list)
{
    int          rc;
    b24_str_t    name, value;
    b24_pair_t  *pair;

    *list = NULL;

    for ( /* void */ ; headers; headers = headers->next) {

        if (b24_str_caseeqs(&headers->name, "Set-Cookie")) {
            rc = b24_cookie_parse(&headers->value, &name, &value);

            if (rc != B24_OK || b24_cookie_replaced(headers->next, &name)) {
                continue;
            }
        }

        pair = b24_palloc(pool, sizeof(b24_pair_t));
        if (pair == NULL) {
            return B24_ERROR;
        }

        *pair = *headers;
        pair->next = NULL;

        *list = pair;
        list = &pair->next;
    }

    return B24_OK;
}


static int
b24_cookie_replaced(const b24_pair_t *headers, const b24_str_t *name)
{
    b24_str_t  other, value;

    for ( /* void */ ; headers; headers = headers->next) {

        if (b24_str_caseeqs(&headers->name, "Set-Cookie")
            && b24_cookie_parse(&headers->value, &other, &value)
               != B24_DECLINED
            && b24_str_caseeq(&other, name))
        {
            return 1;
        }
    }

    return 0;
}


static int
b24_cookie_set(const b24_input_t *in, const b24_str_t *name, b24_str_t *value)
{
    b24_str_t          other;
    const b24_pair_t  *header;

    for (header = in->headers; header; header = header->next) {

        if (b24_str_caseeqs(&header->name, "Set-Cookie")
            && b24_cookie_parse(&header->value, &other, value) == B24_OK
            && b24_str_caseeq(&other, name))
        {
            return 1;
        }
    }

    return 0;
}


/* OK: sets *name to *value; ERROR: deletes it; DECLINED: it has no name.  Names
 * are compared as nginx compares them for $cookie_NAME */
static int
b24_cookie_parse(const b24_str_t *header, b24_str_t *name, b24_str_t *value)
{
    size_t     i;
    b24_str_t  text, rest, set;

    for (i = 0; i < header->len && header->data[i] != ';'; i++) {
        /* void */
    }

    text.data = header->data;
    text.len = i;

    rest.data = header->data + i;
    rest.len = header->len - i;

    for (i = 0; i < text.len && text.data[i] != '='; i++) {
        /* void */
    }

    if (i == text.len) {
        return B24_DECLINED;
    }

    set.data = text.data + i + 1;
    set.len = text.len - i - 1;

    text.len = i;

    b24_str_trim(&text);
    b24_str_trim(&set);

    *name = text;
    *value = set;

    return value->len == 0 || b24_str_eqs(value, "deleted")
           || b24_cookie_over(&rest) ? B24_ERROR : B24_OK;
}


/*
 * It deletes the cookie: Max-Age of 0 or less, else a year of Expires that is
 * over.  Who deletes gives 1970, or a year ago; a session that ends this year
 * is one.
 */
static int
b24_cookie_over(const b24_str_t *attributes)
{
    int        over, seen;
    size_t     i, k;
    unsigned   year;
    b24_str_t  rest, part, value;

    over = 0;
    seen = 0;
    rest = *attributes;

    while (rest.len) {
        rest.data++;                            /* ";" */
        rest.len--;

        for (i = 0; i < rest.len && rest.data[i] != ';'; i++) {
            /* void */
        }

        part.data = rest.data;
        part.len = i;

        rest.data += i;
        rest.len -= i;

        for (i = 0; i < part.len && part.data[i] != '='; i++) {
            /* void */
        }

        if (i == part.len) {
            continue;
        }

        value.data = part.data + i + 1;
        value.len = part.len - i - 1;

        part.len = i;

        b24_str_trim(&part);
        b24_str_trim(&value);

        if (b24_str_caseeqs(&part, "Max-Age")) {
            over = value.len && (value.data[0] == '-'
                                 || b24_str_eqs(&value, "0"));
            seen = 1;

        } else if (!seen && b24_str_caseeqs(&part, "Expires")) {

            /* "Thu, 01-Jan-1970 00:00:01 GMT": the only four digits */

            for (i = 0, k = 0, year = 0; i <= value.len && k < 4; i++) {

                if (i < value.len && b24_isdigit(value.data[i])) {
                    year = year * 10 + (unsigned) (value.data[i] - '0');
                    k++;

                } else {
                    year = 0;
                    k = 0;
                }
            }

            over = k == 4 && year < 2000;
        }
    }

    return over;
}
