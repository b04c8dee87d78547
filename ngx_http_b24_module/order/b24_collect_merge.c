
/* What was collected goes into the session, and from there into an order. */


#include "b24_rules_int.h"


static int b24_collect_remarks(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect);
static int b24_collect_untold(const b24_order_t *session,
    const b24_order_t *order);
static int b24_collect_renamed(const b24_rule_t *rule, const b24_str_t *code);
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
