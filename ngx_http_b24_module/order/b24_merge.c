
/* What a shop's database knows of an order, put into it. */


#include "b24_rules_int.h"
#include "b24_text.h"
#include "b24_decimal.h"


static int b24_merge_sum(const b24_item_t *item, b24_decimal_t *sum);
static int b24_merge_less(b24_decimal_t *left, const b24_str_t *amount,
    int more);
static int b24_merge_stale(const b24_order_t *order, const b24_node_t *row);
static int b24_merge_forget(b24_clean_t *clean, const b24_node_t *items);
static int b24_merge_fields(b24_clean_t *clean, const b24_node_t *row);
static int b24_merge_field(b24_clean_t *clean, const b24_node_t *row,
    int field, int empty);
static int b24_merge_preferred(const b24_order_t *order,
    const b24_node_t *row, const b24_str_t *line, b24_str_t *value);
static void b24_merge_told(b24_order_t *order);
static int b24_merge_pairs(b24_clean_t *clean, const b24_node_t *row);
static int b24_merge_items(b24_clean_t *clean, const b24_shop_t *shop,
    const b24_node_t *rows);
static const b24_items_t *b24_merge_rule(const b24_shop_t *shop,
    const b24_order_t *order);
static int b24_merge_named(b24_clean_t *clean, const b24_node_t *row,
    b24_str_t fields[B24_ITEM_NFIELDS]);
static int b24_merge_lines(b24_eval_t *ev, const b24_items_t *items,
    b24_clean_t *clean, b24_str_t fields[B24_ITEM_NFIELDS]);
static int b24_merge_item(b24_clean_t *clean,
    const b24_str_t fields[B24_ITEM_NFIELDS]);


static const b24_str_t  b24_merge_list = b24_string("items");

/* the statements, as places */
static const b24_place_t  b24_merge_order = {
    b24_string("database order"), { 0, NULL }
};

static const b24_place_t  b24_merge_rows = {
    b24_string("database items"), { 0, NULL }
};

static const b24_from_t  b24_merge_from = {
    &b24_merge_order, B24_PART_DATABASE
};

/* "contact", not "company": the name of the line */
static const char  *const b24_merge_lists[B24_NPAIRS] = {
    "deal ", "contact ", "company_field "
};


const b24_statement_t *
b24_shop_statement(const b24_shop_t *shop, b24_statement_e kind)
{
    const b24_raw_t  *raw;

    for (raw = shop->raw; raw; raw = raw->next) {

        if (b24_str_eq(&raw->name, &b24_statement_names[kind])) {
            return raw->statement;
        }
    }

    return NULL;
}


void
b24_order_binds(const b24_order_t *order, b24_str_t values[B24_NBINDS])
{
    int  i;

    memset(values, 0, B24_NBINDS * sizeof(b24_str_t));

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (order->fields[i].len
            && !(i == B24_ORDER_ID && order->generated))
        {
            values[i] = order->fields[i];
        }
    }
}


int
b24_order_deliverable(const b24_order_t *order)
{
    const b24_str_t  *f;

    f = order->fields;

    return (order->items || f[B24_ORDER_TOTAL].len)
           && (f[B24_ORDER_PHONE].len || f[B24_ORDER_EMAIL].len
               || f[B24_ORDER_NAME].len || f[B24_ORDER_FIRST_NAME].len
               || f[B24_ORDER_LAST_NAME].len || f[B24_ORDER_COMPANY].len);
}


int
b24_order_goods(const b24_order_t *order)
{
    unsigned             i, rows;
    b24_decimal_t        total, left, d;
    const b24_item_t    *item;
    const b24_str_t     *f;

    f = order->fields;
    rows = 0;

    if (order->items == NULL) {
        return B24_ERROR;
    }

    if (b24_decimal_parse(&f[B24_ORDER_TOTAL], &total) != B24_OK) {
        return B24_OK;
    }

    for (item = order->items; item; item = item->next) {

        if (b24_merge_sum(item, &d) != B24_OK
            || b24_decimal_sub(&total, &d, &total) != B24_OK)
        {
            return B24_OK;
        }

        rows++;
    }

    /* prices may have the tax and the discount in them, or not */

    for (i = 0; i < 8; i++) {
        left = total;

        if ((!(i & 1)
             && b24_merge_less(&left, &f[B24_ORDER_DELIVERY], 0) != B24_OK)
            || (!(i & 2)
                && b24_merge_less(&left, &f[B24_ORDER_DISCOUNT], 1) != B24_OK)
            || ((i & 4)
                && b24_merge_less(&left, &f[B24_ORDER_TAX], 0) != B24_OK))
        {
            return B24_OK;
        }

        /* a row is rounded by itself */

        if (b24_decimal_round(&left, 2) != B24_OK
            || (left.units <= (int64_t) rows && left.units >= -(int64_t) rows))
        {
            return B24_OK;
        }
    }

    return B24_DECLINED;
}


static int
b24_merge_sum(const b24_item_t *item, b24_decimal_t *sum)
{
    b24_decimal_t     quantity;
    const b24_str_t  *f;

    f = item->fields;

    if (b24_decimal_parse(&f[B24_ITEM_SUM], sum) == B24_OK) {
        return B24_OK;
    }

    if (b24_decimal_parse(&f[B24_ITEM_PRICE], sum) != B24_OK) {
        return B24_DECLINED;
    }

    return b24_decimal_parse(&f[B24_ITEM_QUANTITY], &quantity) == B24_OK
           ? b24_decimal_mul(sum, &quantity, sum) : B24_OK;
}


/* more: the amount is taken off already */

static int
b24_merge_less(b24_decimal_t *left, const b24_str_t *amount, int more)
{
    b24_decimal_t  d;

    if (b24_decimal_parse(amount, &d) != B24_OK) {
        return B24_OK;
    }

    return more ? b24_decimal_add(left, &d, left)
                : b24_decimal_sub(left, &d, left);
}


int
b24_order_loose(const b24_order_t *order)
{
    return order->fields[B24_ORDER_ROW].len == 0
           && (order->generated || order->fields[B24_ORDER_ID].len == 0);
}


int
b24_order_columns(b24_pool_t *pool, b24_order_t *order,
    const b24_value_t *value, int won)
{
    b24_pair_t       *pair, **last;
    const b24_alt_t  *alt;

    for (alt = value->alts; alt; alt = alt->next) {

        if ((int) alt->n == won) {

            if (alt->sources->type == B24_SOURCE_GENERATED) {
                order->generated = 1;
            }

            break;
        }

        if (alt->sources->type != B24_SOURCE_DATABASE) {
            continue;
        }

        pair = b24_pcalloc(pool, sizeof(b24_pair_t));
        if (pair == NULL) {
            return B24_ERROR;
        }

        pair->name = value->key;
        pair->value = alt->sources->text;

        for (last = &order->columns; *last; last = &(*last)->next) {
            /* void */
        }

        *last = pair;
    }

    return B24_OK;
}


int
b24_line_database(b24_rules_t *rules, const b24_str_t *what,
    const b24_value_t *value)
{
    int                  items;
    const b24_alt_t     *alt;
    const b24_source_t  *source;

    items = b24_str_eqs(what, "items");

    for (alt = value->alts; alt; alt = alt->next) {

        for (source = alt->sources; source; source = source->next) {

            if (source->type != B24_SOURCE_DATABASE) {
                continue;
            }

            if (rules->level != B24_LEVEL_BLOCK
                || rules->block->kind != B24_RULE_ORDER
                || b24_str_eqs(what, "when") || b24_str_eqs(what, "accept")
                || b24_str_eqs(what, "minor_units"))
            {
                return b24_rules_fail(rules, "\"%.*s\" can't take "
                                      "\"database:\": the database is read "
                                      "once the order is accepted, for the "
                                      "fields of an \"order\" block; rows of "
                                      "\"items database:\" have /COLUMN",
                                      b24_rules_arg(what));
            }

            if (alt->template || alt->filters) {
                return b24_rules_fail(rules, "\"%.*s\" does more with "
                                      "\"database:%.*s\" than take it: let the "
                                      "statement do it, as with CONCAT()",
                                      b24_rules_arg(what),
                                      b24_rules_arg(&source->text));
            }

            if (items && source->text.len) {
                return b24_rules_fail(rules, "\"items\": write \"database:\" "
                                      "without a column, it means the rows of "
                                      "the statement \"items\"");
            }
        }
    }

    return B24_OK;
}


int
b24_column(const b24_node_t *row, const b24_str_t *name, b24_str_t *value)
{
    const b24_node_t  *member;

    for (member = row->first; member; member = member->next) {

        if (b24_str_caseeq(&member->key, name)
            && !b24_node_empty(member)
            && b24_node_text(member, value) == B24_OK)
        {
            return value->len != 0;
        }
    }

    value->data = NULL;
    value->len = 0;

    return 0;
}


int
b24_order_merge(b24_pool_t *pool, const b24_shop_t *shop, b24_order_t *order,
    const b24_node_t *row, const b24_node_t *items)
{
    int          rc;
    b24_clean_t  clean;

    memset(&clean, 0, sizeof(b24_clean_t));

    clean.pool = pool;
    clean.order = order;
    clean.thousandths = b24_currency_thousandths(
                            &order->fields[B24_ORDER_CURRENCY]) & 1;

    rc = b24_merge_stale(order, row) ? b24_merge_forget(&clean, items)
                                     : B24_OK;

    if (rc == B24_OK) {
        rc = b24_merge_fields(&clean, row);
    }

    if (rc == B24_OK) {
        rc = b24_merge_pairs(&clean, row);
    }

    if (rc != B24_OK || items == NULL) {
        return rc;
    }

    if (order->items) {

        /* what was captured stays, unless the rules say otherwise */

        if (b24_pair_get(order->columns, &b24_merge_list) == NULL
            || items->first == NULL)
        {
            return B24_OK;
        }

        order->items = NULL;
        order->items_last = NULL;
        order->nitems = 0;
    }

    order->from[B24_ORDER_NFIELDS].place = &b24_merge_rows;
    order->from[B24_ORDER_NFIELDS].part = B24_PART_DATABASE;

    return b24_merge_items(&clean, shop, items);
}


/* the cart was changed after the last request that showed it */

static int
b24_merge_stale(const b24_order_t *order, const b24_node_t *row)
{
    b24_str_t      value;
    b24_decimal_t  had, has, difference;

    if (!order->collected
        || !b24_column(row, &b24_order_names[B24_ORDER_TOTAL], &value)
        || b24_decimal_parse(&value, &has) != B24_OK
        || b24_decimal_parse(&order->fields[B24_ORDER_TOTAL], &had) != B24_OK
        || b24_decimal_sub(&has, &had, &difference) != B24_OK)
    {
        return 0;
    }

    /* a page rounds, to whole ones, too */

    return b24_decimal_round(&difference, had.scale < 2 ? had.scale : 2)
           == B24_OK
           && difference.units != 0;
}


/* amounts and rows fit together only when they are from one place */

static int
b24_merge_forget(b24_clean_t *clean, const b24_node_t *items)
{
    size_t        i;
    b24_order_t  *order;

    static const int  amounts[] = {
        B24_ORDER_TOTAL, B24_ORDER_CURRENCY, B24_ORDER_DELIVERY,
        B24_ORDER_DISCOUNT, B24_ORDER_TAX
    };

    order = clean->order;

    for (i = 0; i < sizeof(amounts) / sizeof(int); i++) {
        memset(&order->fields[amounts[i]], 0, sizeof(b24_str_t));
    }

    if (items && items->first) {
        order->items = NULL;
        order->items_last = NULL;
        order->nitems = 0;
    }

    order->collected = 0;

    return b24_order_remark(clean->pool, order, "total", "the shop's database "
                            "has another total than the buyer's last page, and "
                            "is taken at its word");
}


static int
b24_merge_fields(b24_clean_t *clean, const b24_node_t *row)
{
    int           i, rc, whole, parts, empty;
    b24_str_t    *f;

    f = clean->order->fields;

    /* one way to say who it is */

    whole = f[B24_ORDER_NAME].len != 0;
    parts = f[B24_ORDER_FIRST_NAME].len || f[B24_ORDER_SECOND_NAME].len
            || f[B24_ORDER_LAST_NAME].len;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (i == B24_ORDER_MINOR_UNITS) {
            continue;
        }

        empty = f[i].len == 0;

        switch (i) {

        case B24_ORDER_ID:
        case B24_ORDER_ROW:
            empty = 1;
            break;

        case B24_ORDER_NAME:
            empty = empty && !parts;
            break;

        case B24_ORDER_CURRENCY:
            empty = empty || clean->order->sign;
            break;

        case B24_ORDER_FIRST_NAME:
        case B24_ORDER_SECOND_NAME:
        case B24_ORDER_LAST_NAME:
            empty = empty && !whole;
            break;

        default:
            break;
        }

        rc = b24_merge_field(clean, row, i, empty);
        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


static int
b24_merge_field(b24_clean_t *clean, const b24_node_t *row, int field,
    int empty)
{
    int        rc;
    b24_str_t  value, none;

    if (!b24_merge_preferred(clean->order, row, &b24_order_names[field],
                             &value)
        && (!empty || !b24_column(row, &b24_order_names[field], &value)))
    {
        return B24_OK;
    }

    memset(&none, 0, sizeof(b24_str_t));

    rc = b24_text_utf8(clean->pool, &value, &none, &value);

    if (rc == B24_OK) {
        rc = b24_clean_field(clean, field, &value);
    }

    if (rc != B24_OK || value.len == 0
        || (field == B24_ORDER_ID && value.len > B24_RULES_ID))
    {
        return rc;
    }

    clean->order->fields[field] = value;
    clean->order->from[field] = b24_merge_from;

    if (field == B24_ORDER_ID) {
        clean->order->generated = 0;
    }

    if (field == B24_ORDER_CURRENCY) {
        b24_merge_told(clean->order);
    }

    return B24_OK;
}


/* a page showed a sign that may be several currencies: it is known now */

static void
b24_merge_told(b24_order_t *order)
{
    b24_pair_t  **list;

    for (list = &order->remarks; *list; /* void */) {

        if (b24_str_eq(&(*list)->name, &b24_order_names[B24_ORDER_CURRENCY])) {
            *list = (*list)->next;

        } else {
            list = &(*list)->next;
        }
    }
}


/* the first column of the line that isn't empty */

static int
b24_merge_preferred(const b24_order_t *order, const b24_node_t *row,
    const b24_str_t *line, b24_str_t *value)
{
    const b24_pair_t  *pair;

    for (pair = order->columns; pair; pair = pair->next) {

        if (b24_str_eq(&pair->name, line)
            && b24_column(row, &pair->value, value))
        {
            return 1;
        }
    }

    return 0;
}


static int
b24_merge_pairs(b24_clean_t *clean, const b24_node_t *row)
{
    size_t             i, len;
    b24_str_t          name, value, none;
    b24_pair_t       **lists[B24_NPAIRS];
    const b24_pair_t  *pair;

    memset(&none, 0, sizeof(b24_str_t));

    lists[B24_PAIRS_DEAL] = &clean->order->deal;
    lists[B24_PAIRS_CONTACT] = &clean->order->contact;
    lists[B24_PAIRS_COMPANY] = &clean->order->company;

    for (pair = clean->order->columns; pair; pair = pair->next) {

        for (i = 0; i < B24_NPAIRS; i++) {
            len = strlen(b24_merge_lists[i]);

            if (pair->name.len <= len
                || memcmp(pair->name.data, b24_merge_lists[i], len) != 0
                || !b24_merge_preferred(clean->order, row, &pair->name,
                                        &value))
            {
                continue;
            }

            name.data = pair->name.data + len;
            name.len = pair->name.len - len;

            if (b24_text_utf8(clean->pool, &value, &none, &value) != B24_OK) {
                return B24_ERROR;
            }

            b24_str_trim(&value);

            if (value.len
                && b24_pair_set_from(clean->pool, lists[i], &name, &value,
                                     &b24_merge_from)
                   != B24_OK)
            {
                return B24_ERROR;
            }
        }
    }

    return B24_OK;
}


/* ---- items ---- */

static int
b24_merge_items(b24_clean_t *clean, const b24_shop_t *shop,
    const b24_node_t *rows)
{
    int                 rc;
    b24_str_t           fields[B24_ITEM_NFIELDS];
    b24_eval_t          ev;
    b24_node_t         *row;
    b24_input_t         in;
    b24_partial_t       partial;
    const b24_items_t  *items;

    memset(&in, 0, sizeof(b24_input_t));
    memset(&partial, 0, sizeof(b24_partial_t));

    b24_eval_init(&ev, clean->pool, &in, 1);
    ev.partial = &partial;
    ev.keep = &partial.keep;

    items = b24_merge_rule(shop, clean->order);

    for (row = rows->first; row; row = row->next) {

        memset(fields, 0, sizeof(fields));

        ev.element = row;

        rc = items ? b24_merge_lines(&ev, items, clean, fields)
                   : b24_merge_named(clean, row, fields);

        if (rc == B24_OK) {
            rc = b24_merge_item(clean, fields);
        }

        if (rc != B24_OK && rc != B24_DECLINED) {
            return rc;
        }

        ev.index++;
    }

    return B24_OK;
}


/* the lines of "items database: { ... }", if there are some */

static const b24_items_t *
b24_merge_rule(const b24_shop_t *shop, const b24_order_t *order)
{
    unsigned            i;
    const b24_alt_t    *alt;
    const b24_rule_t   *rule;

    for (i = 0; i < shop->nrules; i++) {
        rule = shop->rules[i];

        if (rule->kind != B24_RULE_ORDER || rule->items == NULL
            || (!order->imported && !b24_str_eq(&rule->name, &order->rule)))
        {
            continue;
        }

        for (alt = rule->items->source.alts; alt; alt = alt->next) {

            if (alt->sources->type == B24_SOURCE_DATABASE) {
                return rule->items;
            }
        }
    }

    return NULL;
}


/* columns with the names of an item's fields */

static int
b24_merge_named(b24_clean_t *clean, const b24_node_t *row,
    b24_str_t fields[B24_ITEM_NFIELDS])
{
    int        i, rc;
    b24_str_t  none;

    memset(&none, 0, sizeof(b24_str_t));

    for (i = 0; i < B24_ITEM_NFIELDS; i++) {

        if (!b24_column(row, &b24_item_names[i], &fields[i])) {
            continue;
        }

        rc = b24_text_utf8(clean->pool, &fields[i], &none, &fields[i]);

        if (rc == B24_OK) {
            rc = b24_clean_item(clean, i, 0, &fields[i]);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


/* DECLINED: a "when" line leaves the row out */

static int
b24_merge_lines(b24_eval_t *ev, const b24_items_t *items, b24_clean_t *clean,
    b24_str_t fields[B24_ITEM_NFIELDS])
{
    int           i, rc;
    b24_is_e      is;
    b24_result_t  res;

    is = b24_eval_conds(ev, items->when);

    if (is == B24_IS_ERROR || is == B24_IS_EMPTY) {
        return is == B24_IS_ERROR ? B24_ERROR : B24_DECLINED;
    }

    for (i = 0; i < B24_ITEM_NFIELDS; i++) {

        is = b24_eval_line(ev, &items->fields[i], NULL, &res);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            continue;
        }

        rc = b24_clean_item(clean, i, 0, &res.text);
        if (rc != B24_OK) {
            return rc;
        }

        fields[i] = res.text;
    }

    return B24_OK;
}


static int
b24_merge_item(b24_clean_t *clean, const b24_str_t fields[B24_ITEM_NFIELDS])
{
    int          i;
    b24_item_t  *item;

    for (i = 0; i < B24_ITEM_NFIELDS && fields[i].len == 0; i++) {
        /* void */
    }

    if (i == B24_ITEM_NFIELDS || clean->order->nitems == B24_RULES_ITEMS) {
        return B24_OK;
    }

    item = b24_order_add_item(clean->pool, clean->order);
    if (item == NULL) {
        return B24_ERROR;
    }

    memcpy(item->fields, fields, sizeof(item->fields));

    return fields[B24_ITEM_NAME].len
           ? B24_OK : b24_order_remark(clean->pool, clean->order, "item name",
                                       "a row of the shop's items has no "
                                       "name");
}
