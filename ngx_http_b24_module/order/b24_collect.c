
/* Sessions: whose an exchange is, what collect blocks take from it, and how an
 * order is filled with that. */


#include "b24_rules_int.h"
#include "b24_text.h"


static b24_is_e b24_session_request(b24_eval_t *ev, const b24_value_t *line,
    b24_str_t *value);
static b24_is_e b24_session_cookie(b24_eval_t *ev, const b24_value_t *line,
    b24_str_t *value);
static b24_is_e b24_session_answer(b24_eval_t *ev, const b24_value_t *line,
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
static b24_is_e b24_collect_begin(b24_eval_t *ev, const b24_rule_t *rule,
    b24_collect_t *collect);
static int b24_collect_remarks(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect);
static int b24_collect_untold(const b24_order_t *session,
    const b24_order_t *order);
static int b24_collect_renamed(const b24_rule_t *rule, const b24_str_t *code);
static int b24_collect_unseen(b24_why_e why);
static int b24_collect_print(b24_pool_t *pool, b24_order_t *session,
    b24_str_t *text, size_t most);
static int b24_collect_doubt(b24_pool_t *pool, b24_str_t *text,
    b24_order_t *session, const b24_collect_t *collect, size_t most);
static int b24_collect_forget(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect);
static const char *b24_collect_code(const b24_order_t *order,
    const b24_rule_t *rule);
static int b24_fill_given(const b24_order_t *order, const b24_str_t *code);
static int b24_fill_pairs(b24_pool_t *pool, b24_pair_t **list,
    const b24_pair_t *from);


/* the names of a buyer: one whole, or these */
static const int  b24_name_parts[] = {
    B24_ORDER_FIRST_NAME, B24_ORDER_SECOND_NAME, B24_ORDER_LAST_NAME
};


uint64_t
b24_shop_set(const b24_shop_t *shop, b24_rule_e kind)
{
    uint64_t  set;
    unsigned  i;

    set = 0;

    for (i = 0; i < shop->nrules; i++) {

        if (shop->rules[i]->kind == kind) {
            set |= 1ULL << i;
        }
    }

    return set;
}


int
b24_rule_names(const b24_rule_t *rule)
{
    size_t  i;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (rule->fields[i].alts) {
            return 1;
        }
    }

    for (i = 0; i < B24_NPAIRS; i++) {

        if (rule->pairs[i]) {
            return 1;
        }
    }

    return rule->items != NULL;
}


int
b24_rule_keeps(const b24_rule_t *rule)
{
    const b24_alt_t  *alt;

    if (rule->kind == B24_RULE_COLLECT) {
        return rule->outdated || b24_rule_names(rule);
    }

    for (alt = rule->fields[B24_ORDER_ID].alts; alt; alt = alt->next) {

        if (alt->sources->type == B24_SOURCE_GENERATED) {
            return 1;
        }
    }

    return 0;
}


int
b24_shop_keeps_sessions(const b24_shop_t *shop)
{
    unsigned  i;

    if (shop->session) {
        return 1;
    }

    for (i = 0; shop->nsessions && i < shop->nrules; i++) {

        if (b24_rule_keeps(shop->rules[i])) {
            return 1;
        }
    }

    return 0;
}


int
b24_shop_sessions_bodies(const b24_shop_t *shop)
{
    return shop->session && (shop->session->body || shop->session->answer);
}


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
b24_shop_learns(const b24_shop_t *shop,
    int (*fn)(void *data, const b24_str_t *name), void *data)
{
    int                rc;
    const b24_pair_t  *pair;

    for (rc = 0, pair = shop->learned; rc == 0 && pair; pair = pair->next) {
        rc = fn(data, &pair->name);
    }

    return rc;
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

            is = way == 0 ? b24_session_request(&ev, &shop->sessions[i],
                                                &value)
                 : way == 1 ? b24_session_cookie(&ev, &shop->sessions[i],
                                                 &value)
                            : b24_session_answer(&ev, &shop->sessions[i],
                                                 &value);

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


/* the first alternative of the request that isn't empty */
static b24_is_e
b24_session_request(b24_eval_t *ev, const b24_value_t *line,
    b24_str_t *value)
{
    int                   early;
    b24_is_e              is;
    b24_result_t          res;
    const b24_alt_t      *alt;
    const b24_source_t   *source;

    for (alt = line->alts; alt; alt = alt->next) {
        early = 1;

        for (source = alt->sources; source; source = source->next) {
            early = early && b24_source_early(source, 0);
        }

        if (!early) {
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


/* alternatives that only the answer gives are further names of the session */
static b24_is_e
b24_session_answer(b24_eval_t *ev, const b24_value_t *line, b24_str_t *value)
{
    b24_is_e             is;
    b24_result_t         res;
    const b24_alt_t     *alt;
    const b24_source_t  *source;

    for (alt = line->alts; alt; alt = alt->next) {

        for (source = alt->sources; source; source = source->next) {

            if (!b24_source_early(source, 0)) {
                break;
            }
        }

        if (source == NULL) {
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


int
b24_shop_collect(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_input_t *in, b24_collect_t **list)
{
    unsigned        i;
    b24_is_e        is;
    b24_why_e       why;
    b24_eval_t      ev;
    b24_pair_t     *fresh;
    b24_collect_t  *collect, **last;

    *list = NULL;
    last = list;
    fresh = NULL;

    b24_eval_init(&ev, pool, in, 0);
    ev.whole = 1;

    /* what is learned first: a page may tell which of its fields is what */

    for (i = 0; i < shop->nrules; i++) {

        if ((set & (1ULL << i)) == 0
            || shop->rules[i]->kind != B24_RULE_COLLECT)
        {
            continue;
        }

        collect = b24_pcalloc(pool, sizeof(b24_collect_t));
        if (collect == NULL) {
            return B24_ERROR;
        }

        is = b24_collect_begin(&ev, shop->rules[i], collect);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is == B24_IS_EMPTY) {
            continue;
        }

        if (collect->outcome == B24_OUTCOME_ACCEPTED
            && b24_judge_learn(&ev, collect->rule, &fresh) != B24_OK)
        {
            return B24_ERROR;
        }

        *last = collect;
        last = &collect->next;
    }

    ev.fresh = fresh;

    for (collect = *list; collect; collect = collect->next) {

        if (collect->outcome != B24_OUTCOME_ACCEPTED) {
            continue;
        }

        collect->order = b24_order_create(pool);

        if (collect->order == NULL
            || b24_judge_place(&ev, collect->rule) != B24_OK
            || b24_judge_block(&ev, collect->rule, collect->order, &why)
               != B24_OK
            || b24_judge_learn(&ev, collect->rule, &collect->learned)
               != B24_OK)
        {
            return B24_ERROR;
        }

        if (why != B24_WHY_NONE) {
            collect->outcome = B24_OUTCOME_UNCONFIRMED;
            collect->doubt = b24_collect_unseen(why) & 1;
        }
    }

    return B24_OK;
}


/* another text than was expected is an answer, too: a coupon that is refused */

static int
b24_collect_unseen(b24_why_e why)
{
    return why == B24_WHY_LARGE || why == B24_WHY_CUT || why == B24_WHY_LOST
           || why == B24_WHY_ENCODING || why == B24_WHY_INFLATE;
}


/* EMPTY: it isn't for this exchange */
static b24_is_e
b24_collect_begin(b24_eval_t *ev, const b24_rule_t *rule,
    b24_collect_t *collect)
{
    b24_is_e   is;
    b24_why_e  why;

    why = B24_WHY_NONE;

    collect->rule = rule;
    collect->outcome = B24_OUTCOME_ACCEPTED;

    is = b24_eval_conds(ev, rule->when);

    if (is == B24_IS_EMPTY || is == B24_IS_ERROR) {
        return is;
    }

    if (is == B24_IS_SET) {
        is = b24_judge_accept(ev, rule, &why);
    }

    if (is == B24_IS_EMPTY) {
        collect->outcome = B24_OUTCOME_REJECTED;

    } else if (is != B24_IS_SET) {
        collect->outcome = B24_OUTCOME_UNCONFIRMED;
        collect->doubt = b24_collect_unseen(why) & 1;

    } else {
        collect->doubt = rule->outdated;
    }

    return is == B24_IS_ERROR ? is : B24_IS_SET;
}


int
b24_collect_keeps(const b24_collect_t *collect)
{
    return b24_rule_keeps(collect->rule);
}


int
b24_collect_merge(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect)
{
    size_t              i;
    b24_pair_t        **to[B24_NPAIRS], *from[B24_NPAIRS];
    b24_pair_t          none;
    b24_order_t        *order;
    const b24_pair_t   *pair;
    const b24_named_t  *named;

    order = collect->order;

    if (b24_collect_remarks(pool, session, collect) != B24_OK) {
        return B24_ERROR;
    }

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (collect->rule->fields[i].alts == NULL
            || (i == B24_ORDER_CURRENCY && b24_collect_untold(session, order)))
        {
            continue;
        }

        session->fields[i] = order->fields[i];
        session->from[i] = order->from[i];

        if (i == B24_ORDER_CURRENCY) {
            session->sign = order->sign;
        }
    }

    if (collect->rule->items) {
        session->items = order->items;
        session->items_last = order->items_last;
        session->nitems = order->nitems;
        session->from[B24_ORDER_NFIELDS] = order->from[B24_ORDER_NFIELDS];
    }

    to[B24_PAIRS_DEAL] = &session->deal;
    to[B24_PAIRS_CONTACT] = &session->contact;
    to[B24_PAIRS_COMPANY] = &session->company;

    from[B24_PAIRS_DEAL] = order->deal;
    from[B24_PAIRS_CONTACT] = order->contact;
    from[B24_PAIRS_COMPANY] = order->company;

    memset(&none, 0, sizeof(b24_pair_t));

    for (i = 0; i < B24_NPAIRS; i++) {

        for (named = collect->rule->pairs[i]; named; named = named->next) {
            pair = b24_pair_get(from[i], &named->name);
            pair = pair ? pair : &none;

            if (b24_pair_set_from(pool, to[i], &named->name, &pair->value,
                                  &pair->from)
                != B24_OK)
            {
                return B24_ERROR;
            }
        }
    }

    return B24_OK;
}


/* remarks on what is replaced go with it */
static int
b24_collect_remarks(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect)
{
    b24_pair_t  **list, *remark;

    for (list = &session->remarks; *list; /* void */) {

        if (b24_collect_renamed(collect->rule, &(*list)->name)) {
            *list = (*list)->next;

        } else {
            list = &(*list)->next;
        }
    }

    for (remark = collect->order->remarks; remark; remark = remark->next) {

        if (b24_str_eq(&remark->name, &b24_order_names[B24_ORDER_CURRENCY])
            && b24_collect_untold(session, collect->order))
        {
            continue;
        }

        if (b24_order_remark(pool, session, (char *) remark->name.data,
                             (char *) remark->value.data)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


/* nothing is sold without a currency: one that isn't told, or by its sign only,
 * is the one that is known */
static int
b24_collect_untold(const b24_order_t *session, const b24_order_t *order)
{
    return session->fields[B24_ORDER_CURRENCY].len
           && (order->fields[B24_ORDER_CURRENCY].len == 0
               || (order->sign && !session->sign));
}


static int
b24_collect_renamed(const b24_rule_t *rule, const b24_str_t *code)
{
    size_t  i;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (rule->fields[i].alts && b24_str_eq(code, &b24_order_names[i])) {
            return 1;
        }
    }

    return rule->items && code->len >= 4 && memcmp(code->data, "item", 4) == 0;
}


int
b24_collect_session(b24_pool_t *pool, const b24_str_t *text,
    b24_order_t **session)
{
    if (text->len) {

        switch (b24_order_parse(pool, text, session)) {

        case B24_OK:
            return B24_OK;

        case B24_DECLINED:
            break;                      /* of another version of ours */

        default:
            return B24_ERROR;
        }
    }

    *session = b24_order_create(pool);

    return *session ? B24_OK : B24_ERROR;
}


int
b24_collect_store(b24_pool_t *pool, b24_str_t *text,
    const b24_collect_t *list, size_t most)
{
    int           rc;
    b24_order_t  *session;

    if (b24_collect_session(pool, text, &session) != B24_OK) {
        return B24_ERROR;
    }

    rc = B24_OK;

    for ( /* void */ ; list; list = list->next) {

        if (list->doubt
            && b24_collect_doubt(pool, text, session, list, most) != B24_OK)
        {
            return B24_ERROR;
        }

        if (list->outcome != B24_OUTCOME_ACCEPTED) {
            continue;
        }

        if (b24_collect_merge(pool, session, list) != B24_OK
            || b24_collect_print(pool, session, text, most) != B24_OK)
        {
            return B24_ERROR;
        }

        if (text->len <= most) {
            continue;
        }

        rc = B24_DECLINED;

        if (b24_collect_forget(pool, session, list) != B24_OK
            || b24_collect_print(pool, session, text, most) != B24_OK)
        {
            return B24_ERROR;
        }

        if (text->len <= most) {
            continue;
        }

        /* no room for a word on it either: rather nothing than what was */

        session = b24_order_create(pool);

        if (session == NULL
            || b24_collect_forget(pool, session, list) != B24_OK
            || b24_collect_print(pool, session, text, most) != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return rc;
}


/* where values are from is told as long as there is room for it */

static int
b24_collect_print(b24_pool_t *pool, b24_order_t *session, b24_str_t *text,
    size_t most)
{
    if (b24_order_print(pool, session, text) != B24_OK) {
        return B24_ERROR;
    }

    if (text->len <= most) {
        return B24_OK;
    }

    b24_from_forget(session);

    return b24_order_print(pool, session, text);
}


/* what is there may be older than what the buyer saw last: the order says so */

static int
b24_collect_doubt(b24_pool_t *pool, b24_str_t *text, b24_order_t *session,
    const b24_collect_t *collect, size_t most)
{
    b24_str_t    doubted;
    const char  *code, *why;

    if (collect->rule->outdated) {
        code = session->items ? "items"
                              : session->fields[B24_ORDER_TOTAL].len ? "total"
                                                                     : NULL;
        why = "the cart was changed later: goods and total may be older than "
              "what was bought";

    } else {
        code = b24_collect_code(session, collect->rule);
        why = "a later page of the shop could not be read: this may be older "
              "than what was bought";
    }

    if (code == NULL) {
        return B24_OK;
    }

    if (b24_order_remark(pool, session, code, why) != B24_OK
        || b24_collect_print(pool, session, &doubted, most) != B24_OK)
    {
        return B24_ERROR;
    }

    if (doubted.len <= most) {
        *text = doubted;
    }

    return B24_OK;
}


/* the field that a block names and the order has, as the code of a remark;
 * NULL: there is none.  Without an order any that it names */

static const char *
b24_collect_code(const b24_order_t *order, const b24_rule_t *rule)
{
    size_t       i;
    const char  *code;

    code = NULL;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (rule->fields[i].alts
            && (order == NULL || order->fields[i].len))
        {
            code = (char *) b24_order_names[i].data;
        }
    }

    if (rule->items && (order == NULL || order->items)) {
        code = "items";
    }

    return code;
}


/* as if the block had given nothing */
static int
b24_collect_forget(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect)
{
    const char     *code;
    b24_collect_t   nothing;

    code = b24_collect_code(NULL, collect->rule);

    nothing = *collect;
    nothing.order = b24_order_create(pool);

    if (nothing.order == NULL
        || b24_order_remark(pool, nothing.order, code ? code : "session",
                            "what was collected "
                            "last is more than a session may hold "
                            "(b24_sessions) and was left out")
           != B24_OK)
    {
        return B24_ERROR;
    }

    return b24_collect_merge(pool, session, &nothing);
}


int
b24_order_fill(b24_pool_t *pool, b24_order_t *order,
    const b24_order_t *session)
{
    int                whole;
    size_t             i, parts;
    b24_str_t         *f;
    const b24_pair_t  *remark;

    f = order->fields;

    for (remark = session->remarks; remark; remark = remark->next) {

        if (!b24_fill_given(order, &remark->name)
            && b24_order_remark(pool, order, (char *) remark->name.data,
                                (char *) remark->value.data)
               != B24_OK)
        {
            return B24_ERROR;
        }
    }

    order->collected = f[B24_ORDER_TOTAL].len == 0 && order->items == NULL
                       && session->fields[B24_ORDER_TOTAL].len;

    whole = f[B24_ORDER_NAME].len != 0;
    parts = 0;

    for (i = 0; i < sizeof(b24_name_parts) / sizeof(int); i++) {
        parts += f[b24_name_parts[i]].len;
    }

    if (b24_collect_untold(session, order)) {
        f[B24_ORDER_CURRENCY] = session->fields[B24_ORDER_CURRENCY];
        order->from[B24_ORDER_CURRENCY] = session->from[B24_ORDER_CURRENCY];
        order->sign = session->sign;
    }

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (f[i].len || i == B24_ORDER_MINOR_UNITS
            || (i == B24_ORDER_NAME && parts)
            || (whole && (i == B24_ORDER_FIRST_NAME
                          || i == B24_ORDER_SECOND_NAME
                          || i == B24_ORDER_LAST_NAME)))
        {
            continue;
        }

        f[i] = session->fields[i];
        order->from[i] = session->from[i];
    }

    if (order->items == NULL) {
        order->items = session->items;
        order->items_last = session->items_last;
        order->nitems = session->nitems;
        order->from[B24_ORDER_NFIELDS] = session->from[B24_ORDER_NFIELDS];
    }

    return b24_fill_pairs(pool, &order->deal, session->deal) != B24_OK
           || b24_fill_pairs(pool, &order->contact, session->contact) != B24_OK
           || b24_fill_pairs(pool, &order->company, session->company) != B24_OK
           ? B24_ERROR : B24_OK;
}


/* the remark is on something the order gives itself */
static int
b24_fill_given(const b24_order_t *order, const b24_str_t *code)
{
    size_t  i;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (order->fields[i].len && b24_str_eq(code, &b24_order_names[i])) {
            return 1;
        }
    }

    return order->items && code->len >= 4
           && memcmp(code->data, "item", 4) == 0;
}


static int
b24_fill_pairs(b24_pool_t *pool, b24_pair_t **list, const b24_pair_t *from)
{
    for ( /* void */ ; from; from = from->next) {

        if (b24_pair_get(*list, &from->name) == NULL
            && b24_pair_set_from(pool, list, &from->name, &from->value,
                                 &from->from)
               != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}
