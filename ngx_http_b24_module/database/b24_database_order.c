
/* An order, read from the shop's database. */


#include "b24_database.h"


static int b24_database_same_row(const b24_str_t *asked,
    const b24_str_t *found);


b24_database_rc_e
b24_database_order(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, b24_order_t *order)
{
    b24_str_t               row, id, values[B24_NBINDS];
    b24_node_t             *rows, *items;
    b24_database_rc_e       rc;
    const b24_statement_t  *statement;

    b24_order_binds(order, values);

    rc = b24_database_ask(db, pool,
                          b24_shop_statement(shop, B24_STATEMENT_ORDER),
                          values, &rows);

    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    /* "57abc" is 57 to a column of numbers */

    if (b24_column(rows->first, &b24_order_names[B24_ORDER_ROW], &row)) {

        if (!b24_database_same_row(&values[B24_ORDER_ROW], &row)) {
            return B24_DATABASE_NONE;
        }

        values[B24_ORDER_ROW] = row;
    }

    if (b24_column(rows->first, &b24_order_names[B24_ORDER_ID], &id)) {
        values[B24_ORDER_ID] = id;
    }

    items = NULL;
    statement = b24_shop_statement(shop, B24_STATEMENT_ITEMS);

    if (statement) {
        rc = b24_database_ask(db, pool, statement, values, &items);

        if (rc == B24_DATABASE_NONE || rc == B24_DATABASE_UNASKED) {
            items = NULL;

        } else if (rc != B24_DATABASE_OK) {
            return rc;
        }
    }

    return b24_order_merge(pool, shop, order, rows->first, items) == B24_OK
           ? B24_DATABASE_OK : B24_DATABASE_NOMEM;
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
