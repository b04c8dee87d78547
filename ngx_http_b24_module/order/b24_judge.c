
/* The second stage: what the shop answered, and the order as a whole. */


#include "b24_rules_int.h"
#include "b24_text.h"


static int b24_judge_refused(b24_eval_t *ev, const b24_rule_t *rule);
static int b24_judge_event(b24_eval_t *ev, const b24_shop_t *shop,
    const b24_rule_t *rule, b24_event_t *event);
static int b24_judge_answer(b24_eval_t *ev, const b24_shop_t *shop,
    const b24_partial_t *partial, b24_event_t *event);
static b24_is_e b24_judge_gateway(b24_eval_t *ev, const b24_rule_t *rule);
static b24_why_e b24_judge_lines(b24_eval_t *ev, const b24_rule_t *rule,
    b24_clean_t *clean, int *rc);
static int b24_judge_fields(b24_eval_t *ev, const b24_rule_t *rule,
    b24_clean_t *clean, b24_is_e *all);
static int b24_judge_pairs(b24_eval_t *ev, const b24_named_t *named,
    b24_order_t *order, b24_pair_t **list, b24_is_e *all);
static int b24_judge_items(b24_eval_t *ev, const b24_items_t *items,
    b24_clean_t *clean, b24_is_e *all);
static int b24_judge_whole(b24_eval_t *ev, const b24_items_t *items,
    b24_clean_t *clean, b24_is_e *all);
static int b24_judge_kept(b24_eval_t *ev, const b24_items_t *items,
    int decoded, b24_clean_t *clean, b24_is_e *all);
static int b24_judge_list(b24_eval_t *ev, const b24_items_t *items,
    const b24_node_t *list, int decoded, b24_clean_t *clean, b24_is_e *all);
static int b24_judge_row(b24_eval_t *ev, const b24_items_t *items,
    int decoded, b24_clean_t *clean, b24_is_e *all);
static int b24_judge_many(b24_clean_t *clean);
static int b24_judge_decoded(const b24_alt_t *alt);
static b24_why_e b24_judge_id(const b24_rule_t *rule, b24_order_t *order);
static void b24_judge_is(b24_is_e *all, b24_is_e is);
static b24_from_t b24_judge_from(const b24_eval_t *ev, b24_part_e part);


int
b24_extract_answer(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_partial_t *partial, const b24_input_t *in, b24_event_t *event)
{
    b24_eval_t  ev;

    b24_eval_init(&ev, pool, in, 1);

    return b24_judge_answer(&ev, shop, partial, event);
}


int
b24_extract_refused(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    b24_input_t *in)
{
    b24_eval_t         ev, *kept;
    const b24_rule_t  *rule;

    in->refused = 0;
    in->judged = NULL;

    rule = b24_shop_certain(shop, set);

    if (rule == NULL) {
        return 0;
    }

    b24_eval_init(&ev, pool, in, 1);

    if (b24_judge_refused(&ev, rule)) {
        in->refused = 1;
        return 1;
    }

    kept = b24_palloc(pool, sizeof(b24_eval_t));

    if (kept) {
        *kept = ev;
        in->judged = kept;
    }

    return 0;
}


int
b24_extract_exchange(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_input_t *in, b24_partial_t **partial, b24_event_t *event)
{
    int                rc, refused;
    b24_eval_t         ev;
    const b24_rule_t  *rule;

    *partial = NULL;
    memset(event, 0, sizeof(b24_event_t));

    rule = b24_shop_certain(shop, set);
    refused = rule && in->refused;

    if (in->judged) {
        ev = *in->judged;
        ev.in = in;

    } else if (!refused) {
        b24_eval_init(&ev, pool, in, 1);
        refused = rule && b24_judge_refused(&ev, rule);
    }

    if (refused) {
        event->kind = rule->kind;
        event->alone = rule->alone;
        event->outcome = B24_OUTCOME_REJECTED;

        return B24_OK;
    }

    rc = b24_extract_request(pool, shop, set, in, partial);

    if (rc != B24_OK) {
        return rc;
    }

    /* what was read of the answer is not read again; what can't be is told by
     * the first line that wants it */

    if (ev.why != B24_WHY_NONE) {
        b24_eval_init(&ev, pool, in, 1);
    }

    return b24_judge_answer(&ev, shop, *partial, event);
}


/*
 * Whatever the request's body is: a line that needs nothing of it says no.  The
 * second stage would find the same.
 */
static int
b24_judge_refused(b24_eval_t *ev, const b24_rule_t *rule)
{
    int                refused;
    const b24_cond_t  *cond;

    if (rule->kind != B24_RULE_ORDER || ev->in->status == 0) {
        return 0;
    }

    ev->whole = 1;
    ev->answer = 0;

    refused = 0;

    if (b24_judge_gateway(ev, rule) == B24_IS_EMPTY) {

        for (cond = rule->accept; cond && !refused; cond = cond->next) {
            refused = !cond->value.body
                      && b24_eval_cond(ev, cond) == B24_IS_EMPTY;
        }
    }

    ev->whole = 0;
    ev->answer = 1;
    memset(&ev->time, 0, sizeof(b24_regex_time_t));

    return refused;
}


/* an event without anything in it */
static int
b24_judge_event(b24_eval_t *ev, const b24_shop_t *shop, const b24_rule_t *rule,
    b24_event_t *event)
{
    memset(event, 0, sizeof(b24_event_t));
    event->kind = rule->kind;
    event->alone = rule->alone;
    event->order = b24_order_create(ev->pool);

    if (event->order == NULL) {
        return B24_ERROR;
    }

    event->order->shop = shop->name;
    event->order->rule = rule->name;

    return B24_OK;
}


static int
b24_judge_answer(b24_eval_t *ev, const b24_shop_t *shop,
    const b24_partial_t *partial, b24_event_t *event)
{
    b24_is_e           is;
    b24_why_e          why, lines;
    const b24_rule_t  *rule;

    rule = partial->rule;

    if (b24_judge_event(ev, shop, rule, event) != B24_OK) {
        return B24_ERROR;
    }

    if (rule->kind == B24_RULE_STATUS) {
        return b24_judge_status(ev->pool, rule, ev->in, event);
    }

    ev->partial = partial;
    ev->keep = (b24_keep_t *) &partial->keep;

    is = b24_judge_accept(ev, rule, &why);

    if (is == B24_IS_ERROR) {
        return B24_ERROR;
    }

    if (is == B24_IS_EMPTY) {
        event->outcome = B24_OUTCOME_REJECTED;
        return B24_OK;
    }

    if (b24_judge_place(ev, rule) != B24_OK
        || b24_judge_block(ev, rule, event->order, &lines) != B24_OK)
    {
        return B24_ERROR;
    }

    /* what stands in the way first is told first */

    if (why == B24_WHY_NONE) {
        why = partial->why != B24_WHY_NONE ? partial->why : lines;
    }

    if (why != B24_WHY_NONE) {
        event->outcome = B24_OUTCOME_UNCONFIRMED;
        event->unseen = (why == B24_WHY_UNSEEN || why == B24_WHY_GATEWAY);
        event->no_id = (why == B24_WHY_NO_ID || why == B24_WHY_NO_SESSION);
        b24_why_words(why, &event->cause, &event->advice);
        return B24_OK;
    }

    return b24_judge_learn(ev, rule, &event->learned);
}


int
b24_judge_place(b24_eval_t *ev, const b24_rule_t *rule)
{
    ev->place = b24_place_create(ev->pool, &b24_kind_names[rule->kind],
                                 &rule->name, &ev->in->method, &ev->in->path);

    return ev->place ? B24_OK : B24_ERROR;
}


int
b24_judge_block(b24_eval_t *ev, const b24_rule_t *rule, b24_order_t *order,
    b24_why_e *why)
{
    int          rc;
    b24_clean_t  clean;

    memset(&clean, 0, sizeof(b24_clean_t));
    clean.pool = ev->pool;
    clean.order = order;
    clean.charset = ev->answer_charset;

    *why = b24_judge_lines(ev, rule, &clean, &rc);

    return rc;
}


/* values to be kept; what can't be read is not learned */
int
b24_judge_learn(b24_eval_t *ev, const b24_rule_t *rule, b24_pair_t **list)
{
    b24_is_e  all;

    return rule->learn ? b24_judge_pairs(ev, rule->learn, NULL, list, &all)
                       : B24_OK;
}


/* EMPTY: the shop said no; why it can't be told otherwise */
b24_is_e
b24_judge_accept(b24_eval_t *ev, const b24_rule_t *rule, b24_why_e *why)
{
    b24_is_e  is;

    *why = B24_WHY_NONE;

    if (ev->in->status == 0) {
        *why = B24_WHY_UNSEEN;
        return B24_IS_UNKNOWN;
    }

    if (ev->partial && ev->partial->changed) {
        *why = B24_WHY_CHANGED;
        return B24_IS_UNKNOWN;
    }

    is = b24_judge_gateway(ev, rule);

    if (is == B24_IS_SET) {
        *why = B24_WHY_GATEWAY;
        return B24_IS_UNKNOWN;
    }

    if (is == B24_IS_ERROR) {
        return is;
    }

    is = b24_eval_conds(ev, rule->accept);

    if (is == B24_IS_UNKNOWN) {
        *why = ev->why;
    }

    return is;
}


int
b24_status_gateway(unsigned status)
{
    return status == 502 || status == 504;
}


/*
 * SET: it says nothing of an order: what stands between us and the shop has
 * waited long enough, and the shop goes on.  So it is unless a line names that
 * status as one of the shop's own.
 */
static b24_is_e
b24_judge_gateway(b24_eval_t *ev, const b24_rule_t *rule)
{
    b24_is_e           is;
    const b24_cond_t  *cond;

    if (rule->kind != B24_RULE_ORDER || !b24_status_gateway(ev->in->status)) {
        return B24_IS_EMPTY;
    }

    for (cond = rule->accept; cond; cond = cond->next) {

        if (cond->value.alts->sources->type != B24_SOURCE_STATUS
            || !(cond->type == B24_COND_EQUAL
                 || (cond->type == B24_COND_SET && cond->value.alts->filters)))
        {
            continue;
        }

        is = b24_eval_cond(ev, cond);

        if (is != B24_IS_EMPTY) {
            return is == B24_IS_SET ? B24_IS_EMPTY : is;
        }
    }

    return B24_IS_SET;
}


static b24_why_e
b24_judge_lines(b24_eval_t *ev, const b24_rule_t *rule, b24_clean_t *clean,
    int *rc)
{
    b24_is_e      all;
    unsigned      i;
    b24_why_e     why;
    b24_order_t  *order;
    b24_pair_t  **lists[B24_NPAIRS];

    order = clean->order;
    all = B24_IS_SET;
    ev->why = B24_WHY_NONE;

    lists[B24_PAIRS_DEAL] = &order->deal;
    lists[B24_PAIRS_CONTACT] = &order->contact;
    lists[B24_PAIRS_COMPANY] = &order->company;

    *rc = b24_judge_fields(ev, rule, clean, &all);

    for (i = 0; i < B24_NPAIRS && *rc == B24_OK; i++) {
        *rc = b24_judge_pairs(ev, rule->pairs[i], order, lists[i], &all);
    }

    if (rule->items && *rc == B24_OK) {
        *rc = b24_judge_items(ev, rule->items, clean, &all);
    }

    /* asked in any case: too long a number must not stay in the order */

    why = b24_judge_id(rule, order);

    return all == B24_IS_UNKNOWN ? ev->why : why;
}


static int
b24_judge_fields(b24_eval_t *ev, const b24_rule_t *rule, b24_clean_t *clean,
    b24_is_e *all)
{
    int                 i, rc;
    b24_is_e            is;
    b24_result_t        res;
    const b24_value_t  *value;

    is = b24_eval_line(ev, &rule->fields[B24_ORDER_MINOR_UNITS], NULL, &res);

    if (is == B24_IS_ERROR
        || (is == B24_IS_SET && b24_clean_minor(clean, &res.text) != B24_OK))
    {
        return B24_ERROR;
    }

    b24_judge_is(all, is);

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        value = &rule->fields[i];

        /* applied to the amounts, it is of no use behind them */

        if (value->alts == NULL || i == B24_ORDER_MINOR_UNITS) {
            continue;
        }

        is = b24_eval_line(ev, value, NULL, &res);
        b24_judge_is(all, is);

        if (is == B24_IS_ERROR
            || b24_order_columns(ev->pool, clean->order, value,
                                 is == B24_IS_SET ? res.alt : -1)
               != B24_OK)
        {
            return B24_ERROR;
        }

        if (is == B24_IS_SET) {
            rc = b24_clean_field(clean, i, &res.text);
            if (rc != B24_OK) {
                return rc;
            }

            clean->order->fields[i] = res.text;
            clean->order->from[i] = b24_judge_from(ev, res.part);
        }
    }

    return B24_OK;
}


/* order is NULL for what is learned: the database has no part in it */
static int
b24_judge_pairs(b24_eval_t *ev, const b24_named_t *named, b24_order_t *order,
    b24_pair_t **list, b24_is_e *all)
{
    b24_is_e      is;
    b24_from_t    from;
    b24_result_t  res;

    for ( /* void */ ; named; named = named->next) {

        is = b24_eval_line(ev, &named->value, NULL, &res);
        b24_judge_is(all, is);

        if (is == B24_IS_ERROR
            || (order && b24_order_columns(ev->pool, order, &named->value,
                                           is == B24_IS_SET ? res.alt : -1)
                         != B24_OK))
        {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            continue;
        }

        b24_str_trim(&res.text);
        from = b24_judge_from(ev, res.part);

        if (res.text.len
            && b24_pair_set_from(ev->pool, list, &named->name, &res.text,
                                 &from)
               != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_judge_items(b24_eval_t *ev, const b24_items_t *items, b24_clean_t *clean,
    b24_is_e *all)
{
    b24_is_e          is;
    unsigned          unknown;
    b24_from_t       *from;
    b24_node_t       *list;
    const b24_alt_t  *alt;

    if (ev->whole) {
        return b24_judge_whole(ev, items, clean, all);
    }

    from = &clean->order->from[B24_ORDER_NFIELDS];
    *from = b24_judge_from(ev, B24_PART_REQUEST);

    unknown = ev->partial->items_alt < 0 && items->source.body
              && ev->partial->why != B24_WHY_NONE;

    if (ev->partial->changed) {
        return ev->partial->items_alt >= 0
               ? b24_judge_kept(ev, items, 0, clean, all) : B24_OK;
    }

    for (alt = items->source.alts; alt; alt = alt->next) {

        if (b24_source_early(alt->sources, 0)) {

            if (ev->partial->items_alt == (int) alt->n) {
                from->part = alt->part;
                return b24_judge_kept(ev, items, b24_judge_decoded(alt),
                                      clean, all);
            }

            continue;
        }

        /* none before it gives rows */

        if (alt->sources->type == B24_SOURCE_DATABASE
            && b24_order_columns(ev->pool, clean->order, &items->source, -1)
               != B24_OK)
        {
            return B24_ERROR;
        }

        is = b24_eval_list(ev, alt, &list);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is == B24_IS_SET) {
            from->part = alt->part;
            return b24_judge_list(ev, items, list, b24_judge_decoded(alt),
                                  clean, all);
        }

        unknown |= is == B24_IS_UNKNOWN;
    }

    if (unknown) {

        if (ev->why == B24_WHY_NONE) {
            ev->why = ev->partial->why;
        }

        *all = B24_IS_UNKNOWN;
    }

    return B24_OK;
}


/* without stages: the first alternative that gives rows, of either side */
static int
b24_judge_whole(b24_eval_t *ev, const b24_items_t *items, b24_clean_t *clean,
    b24_is_e *all)
{
    int               rc;
    b24_is_e          is;
    b24_node_t       *list;
    const b24_alt_t  *alt;

    for (alt = items->source.alts; alt; alt = alt->next) {

        is = b24_eval_list(ev, alt, &list);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is == B24_IS_SET) {
            ev->element_early = b24_source_early(alt->sources, 0) ? 1 : 0;
            clean->order->from[B24_ORDER_NFIELDS] = b24_judge_from(ev,
                                                                   alt->part);

            rc = b24_judge_list(ev, items, list, b24_judge_decoded(alt),
                                clean, all);

            ev->element_early = 0;

            return rc;
        }

        b24_judge_is(all, is);
    }

    return B24_OK;
}


/* rows the request gave */
static int
b24_judge_kept(b24_eval_t *ev, const b24_items_t *items, int decoded,
    b24_clean_t *clean, b24_is_e *all)
{
    int              rc;
    b24_keep_t      *keep;
    b24_row_kept_t  *row;

    rc = B24_OK;
    keep = ev->keep;
    ev->element_early = 1;

    for (row = ev->partial->rows; row && rc == B24_OK; row = row->next) {
        ev->keep = &row->keep;
        rc = b24_judge_row(ev, items, decoded, clean, all);
    }

    ev->element_early = 0;
    ev->keep = keep;

    return rc == B24_OK && ev->partial->many ? b24_judge_many(clean) : rc;
}


/* rows the answer gives */
static int
b24_judge_list(b24_eval_t *ev, const b24_items_t *items,
    const b24_node_t *list, int decoded, b24_clean_t *clean, b24_is_e *all)
{
    int  rc;

    rc = B24_OK;
    ev->index = 0;

    for (ev->element = list->first; ev->element && rc == B24_OK;
         ev->element = ev->element->next)
    {
        if (clean->order->nitems == B24_RULES_ITEMS) {
            rc = b24_judge_many(clean);
            break;
        }

        rc = b24_judge_row(ev, items, decoded, clean, all);
        ev->index++;
    }

    ev->element = NULL;

    return rc;
}


static int
b24_judge_row(b24_eval_t *ev, const b24_items_t *items, int decoded,
    b24_clean_t *clean, b24_is_e *all)
{
    int           i, rc, empty;
    b24_is_e      is;
    b24_str_t     fields[B24_ITEM_NFIELDS];
    b24_item_t   *item;
    b24_result_t  res;

    is = b24_eval_conds(ev, items->when);

    if (is == B24_IS_ERROR || is == B24_IS_EMPTY) {
        return is == B24_IS_ERROR ? B24_ERROR : B24_OK;
    }

    b24_judge_is(all, is);

    memset(fields, 0, sizeof(fields));
    empty = 1;

    for (i = 0; i < B24_ITEM_NFIELDS; i++) {

        if (items->fields[i].alts == NULL) {
            continue;
        }

        is = b24_eval_line(ev, &items->fields[i], NULL, &res);
        b24_judge_is(all, is);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is == B24_IS_SET) {
            rc = b24_clean_item(clean, i, decoded, &res.text);
            if (rc != B24_OK) {
                return rc;
            }

            fields[i] = res.text;
            empty = empty && res.text.len == 0;
        }
    }

    if (empty) {
        return b24_order_remark(ev->pool, clean->order, "item empty",
                                "a row of the shop's items had none of the "
                                "values the rules name and was left out");
    }

    item = b24_order_add_item(ev->pool, clean->order);
    if (item == NULL) {
        return B24_ERROR;
    }

    memcpy(item->fields, fields, sizeof(fields));

    return fields[B24_ITEM_NAME].len
           ? B24_OK : b24_order_remark(ev->pool, clean->order, "item name",
                                       "a row of the shop's items has no "
                                       "name");
}


static int
b24_judge_many(b24_clean_t *clean)
{
    return b24_order_remark(clean->pool, clean->order, "items",
                            "the order has more rows than can be kept: the "
                            "rest was left out");
}


/* "~~" has decoded what it found */
static int
b24_judge_decoded(const b24_alt_t *alt)
{
    const b24_filter_t  *filter;

    for (filter = alt->filters; filter; filter = filter->next) {

        if (filter->each) {
            return 1;
        }
    }

    return 0;
}


static b24_why_e
b24_judge_id(const b24_rule_t *rule, b24_order_t *order)
{
    b24_str_t        *id;
    const b24_alt_t  *alt;

    if (rule->kind == B24_RULE_COLLECT) {
        return B24_WHY_NONE;
    }

    id = &order->fields[B24_ORDER_ID];

    if (id->len > B24_RULES_ID) {
        id->len = 0;
        return B24_WHY_LONG_ID;
    }

    if (id->len) {
        return B24_WHY_NONE;
    }

    for (alt = rule->fields[B24_ORDER_ID].alts; alt; alt = alt->next) {

        if (alt->sources->type == B24_SOURCE_GENERATED) {
            return B24_WHY_NO_SESSION;
        }
    }

    return B24_WHY_NO_ID;
}


static void
b24_judge_is(b24_is_e *all, b24_is_e is)
{
    if (is == B24_IS_UNKNOWN) {
        *all = is;
    }
}


static b24_from_t
b24_judge_from(const b24_eval_t *ev, b24_part_e part)
{
    b24_from_t  from;

    from.place = ev->place;
    from.part = part;

    return from;
}
