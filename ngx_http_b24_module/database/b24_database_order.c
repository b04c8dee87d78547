
/* An order, read from the shop's database. */


#include "b24_database.h"


static b24_database_rc_e b24_database_found(b24_database_t *db,
    b24_pool_t *pool, const b24_shop_t *shop, const b24_str_t *known,
    const b24_node_t *row, const b24_str_t *values, b24_order_t **order);
static b24_database_rc_e b24_database_items(b24_database_t *db,
    b24_pool_t *pool, const b24_shop_t *shop, const b24_str_t *values,
    b24_node_t **items);
static int b24_database_had(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_node_t *row, const b24_node_t *items, b24_order_t *order);
static int b24_database_same_row(const b24_str_t *asked,
    const b24_str_t *found);


b24_database_rc_e
b24_database_order(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, const b24_order_t *order, b24_order_t **found,
    size_t *n)
{
    size_t              limit;
    b24_buf_t           buf;
    b24_str_t           known, values[B24_NBINDS];
    b24_node_t         *rows, *row;
    b24_database_rc_e   rc;

    *n = 0;

    b24_order_binds(order, values);

    b24_buf_init(&buf, pool);
    b24_buf_addi(&buf, order->placed / 1000);

    if (b24_buf_str(&buf, &values[B24_BIND_PLACED]) != B24_OK
        || b24_order_print(pool, order, &known) != B24_OK)
    {
        return B24_DATABASE_NOMEM;
    }

    rc = b24_database_ask(db, pool,
                          b24_shop_statement(shop, B24_STATEMENT_ORDER),
                          values, &rows);

    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    limit = b24_order_loose(order) ? B24_DATABASE_ORDERS : 1;

    for (row = rows->first; row && *n < limit; row = row->next) {
        rc = b24_database_found(db, pool, shop, &known, row, values,
                                &found[*n]);
        if (rc != B24_DATABASE_OK) {
            return rc;
        }

        (*n)++;
    }

    return B24_DATABASE_OK;
}


b24_database_rc_e
b24_database_state(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, b24_order_t *order, int goods,
    b24_database_moment_t *moment)
{
    b24_str_t           key, id, values[B24_NBINDS];
    b24_node_t         *rows, *items;
    b24_database_rc_e   rc;

    static const b24_str_t  changed = b24_string("changed");
    static const b24_str_t  stated = b24_string("stated");

    memset(moment, 0, sizeof(b24_database_moment_t));

    b24_order_binds(order, values);

    rc = b24_database_ask(db, pool,
                          b24_shop_statement(shop, B24_STATEMENT_ORDER),
                          values, &rows);

    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    if (b24_column(rows->first, &b24_order_names[B24_ORDER_ROW], &key)) {

        if (!b24_database_same_row(&values[B24_ORDER_ROW], &key)) {
            return B24_DATABASE_NONE;
        }

        values[B24_ORDER_ROW] = key;
    }

    (void) b24_column(rows->first, &changed, &moment->changed);
    (void) b24_column(rows->first, &stated, &moment->stated);

    if (moment->changed.len || moment->stated.len) {
        rc = b24_database_clock(db, &moment->clock);

        if (rc != B24_DATABASE_OK) {
            return rc;
        }
    }

    if (b24_column(rows->first, &b24_order_names[B24_ORDER_ID], &id)) {
        values[B24_ORDER_ID] = id;
    }

    items = NULL;

    if (goods) {
        rc = b24_database_items(db, pool, shop, values, &items);
        if (rc != B24_DATABASE_OK) {
            return rc;
        }
    }

    return b24_order_merge(pool, shop, order, rows->first, items) == B24_OK
           && b24_order_had(pool, order, goods, &order->had) == B24_OK
           ? B24_DATABASE_OK : B24_DATABASE_NOMEM;
}


/* what is known of the order, and this row of it */

static b24_database_rc_e
b24_database_found(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, const b24_str_t *known, const b24_node_t *row,
    const b24_str_t *values, b24_order_t **order)
{
    b24_str_t           key, id, of[B24_NBINDS];
    b24_node_t         *items;
    b24_database_rc_e   rc;

    memcpy(of, values, sizeof(of));

    /* "57abc" is 57 to a column of numbers */

    if (b24_column(row, &b24_order_names[B24_ORDER_ROW], &key)) {

        if (!b24_database_same_row(&of[B24_ORDER_ROW], &key)) {
            return B24_DATABASE_NONE;
        }

        of[B24_ORDER_ROW] = key;
    }

    if (b24_column(row, &b24_order_names[B24_ORDER_ID], &id)) {
        of[B24_ORDER_ID] = id;
    }

    rc = b24_database_items(db, pool, shop, of, &items);
    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    return b24_order_parse(pool, known, order) == B24_OK
           && b24_order_merge(pool, shop, *order, row, items) == B24_OK
           && b24_database_had(pool, shop, row, items, *order) == B24_OK
           ? B24_DATABASE_OK : B24_DATABASE_NOMEM;
}


/* *items is NULL when there are none */

static b24_database_rc_e
b24_database_items(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, const b24_str_t *values, b24_node_t **items)
{
    b24_database_rc_e       rc;
    const b24_statement_t  *statement;

    *items = NULL;

    statement = b24_shop_statement(shop, B24_STATEMENT_ITEMS);

    if (statement == NULL) {
        return B24_DATABASE_OK;
    }

    rc = b24_database_ask(db, pool, statement, values, items);

    if (rc == B24_DATABASE_NONE || rc == B24_DATABASE_UNASKED) {
        *items = NULL;
        rc = B24_DATABASE_OK;
    }

    return rc;
}


/* the same without what was captured */

static int
b24_database_had(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_node_t *row, const b24_node_t *items, b24_order_t *order)
{
    b24_order_t  bare;

    memset(&bare, 0, sizeof(b24_order_t));

    bare.shop = order->shop;
    bare.rule = order->rule;
    bare.columns = order->columns;
    bare.imported = order->imported;

    return b24_order_merge(pool, shop, &bare, row, items) == B24_OK
           ? b24_order_had(pool, &bare,
                           b24_shop_statement(shop, B24_STATEMENT_ITEMS)
                           != NULL, &order->had)
           : B24_ERROR;
}


/* a key that isn't known yet, or the same text */

static int
b24_database_same_row(const b24_str_t *asked, const b24_str_t *found)
{
    size_t  i;

    if (asked->data == NULL || b24_str_eq(asked, found)) {
        return 1;
    }

    /* numbers are compared as such */

    for (i = 0; i < asked->len && b24_isdigit(asked->data[i]); i++) {
        /* void */
    }

    return i == asked->len;
}
