
/* What an order's lines don't explain of its total: delivery, tax, discount,
 * and a difference that nobody named, as rows of their own. */


#include "b24_rows_int.h"


static int b24_rows_part(b24_rows_t *b, const b24_decimal_t *rest, int tax,
    int discount, b24_decimal_t *left);
static void b24_rows_rest(b24_rows_t *b, const b24_decimal_t *rest);
static int b24_rows_small(const b24_rows_t *b, const b24_decimal_t *rest);


/*
 * What the total has beyond items and delivery.  The order's own tax and
 * discount are rows only where they fill the gap: many shops report a discount
 * that is inside the prices already.
 */

b24_rows_fit_e
b24_rows_explain(b24_rows_t *b, const b24_decimal_t *total)
{
    int            i, pass;
    b24_decimal_t  rest, left, d;

    if (b24_decimal_sub(total, &b->sum, &rest) != B24_OK) {
        b->overflow = 1;
        return B24_ROWS_DIFFER;
    }

    for (pass = 0; pass < 2; pass++) {

        for (i = 0; i < 4; i++) {

            if (b24_rows_part(b, &rest, i & 2, i & 1, &left) != B24_OK
                || (pass == 0 ? left.units != 0 : !b24_rows_small(b, &left)))
            {
                continue;
            }

            if (i & 2) {
                (void) b24_amount(&b->order->fields[B24_ORDER_TAX], &d);
                b24_rows_extra(b, "Tax", &d);
            }

            if (i & 1) {
                (void) b24_amount(&b->order->fields[B24_ORDER_DISCOUNT], &d);
                b24_negate(&d);
                b24_rows_extra(b, "Discount", &d);
            }

            b24_rows_extra(b, "Rounding", &left);

            return pass ? B24_ROWS_NEAR : B24_ROWS_EXACT;
        }
    }

    b24_rows_rest(b, &rest);

    return B24_ROWS_DIFFER;
}


/* *left is rest less the order's tax, plus its discount */

static int
b24_rows_part(b24_rows_t *b, const b24_decimal_t *rest, int tax, int discount,
    b24_decimal_t *left)
{
    b24_decimal_t      d;
    const b24_str_t   *fields;

    fields = b->order->fields;
    *left = *rest;

    if (tax) {

        if (b24_amount(&fields[B24_ORDER_TAX], &d) != B24_OK
            || b24_decimal_round(&d, B24_PRICE_PLACES) != B24_OK
            || b24_decimal_sub(left, &d, left) != B24_OK)
        {
            return B24_DECLINED;
        }
    }

    if (discount) {

        if (b24_amount(&fields[B24_ORDER_DISCOUNT], &d) != B24_OK
            || b24_decimal_round(&d, B24_PRICE_PLACES) != B24_OK
            || b24_decimal_add(left, &d, left) != B24_OK)
        {
            return B24_DECLINED;
        }
    }

    return B24_OK;
}


void
b24_rows_extra(b24_rows_t *b, const char *name, const b24_decimal_t *price)
{
    b24_row_t  row;

    memset(&row, 0, sizeof(b24_row_t));

    row.name.data = (u_char *) name;
    row.name.len = strlen(name);
    row.price = *price;
    row.quantity.units = 1;

    if (b24_decimal_round(&row.price, B24_PRICE_PLACES) != B24_OK) {
        b->overflow = 1;
        return;
    }

    if (row.price.units) {
        b24_rows_push(b, &row);
    }
}


static void
b24_rows_rest(b24_rows_t *b, const b24_decimal_t *rest)
{
    const char  *name;

    if (rest->units < 0) {
        name = "Discount";

    } else if (b->unpriced || b->order->items == NULL) {
        name = "Goods";

    } else {
        name = "Fee";
    }

    b24_rows_extra(b, name, rest);
}


/* at most a kopeck per line, and only where a line was rounded */

static int
b24_rows_small(const b24_rows_t *b, const b24_decimal_t *rest)
{
    b24_decimal_t  most, least;

    if (!b->rounded) {
        return 0;
    }

    most.units = (int64_t) b->order->nitems;
    most.scale = B24_PRICE_PLACES;
    least.units = -most.units;
    least.scale = B24_PRICE_PLACES;

    return b24_decimal_cmp(rest, &most) <= 0
           && b24_decimal_cmp(rest, &least) >= 0;
}
