
/*
 * What the shop's database has of an order, put so that it can be told later
 * whether that is another: without what was captured, which may call the same
 * goods by other names, and without a buyer's text.
 */


#include "b24_order.h"
#include "b24_decimal.h"


static uint64_t b24_had_goods(const b24_order_t *order);
static uint64_t b24_had_text(uint64_t h, const b24_str_t *text);
static int b24_had_print(b24_pool_t *pool, uint64_t h, b24_str_t *text);


/* amounts that rows are made of, beside the goods */
static const int  b24_had_amounts[] = {
    B24_ORDER_TOTAL, B24_ORDER_DELIVERY, B24_ORDER_DISCOUNT, B24_ORDER_TAX
};

static const int  b24_had_buyer[] = {
    B24_ORDER_NAME, B24_ORDER_FIRST_NAME, B24_ORDER_SECOND_NAME,
    B24_ORDER_LAST_NAME, B24_ORDER_PHONE, B24_ORDER_EMAIL
};


int
b24_order_had(b24_pool_t *pool, const b24_order_t *order, int goods,
    b24_order_had_t *had)
{
    size_t            i;
    uint64_t          h;
    unsigned          known;
    const b24_str_t  *f;

    f = order->fields;

    memset(had, 0, sizeof(b24_order_had_t));

    if (b24_order_amount(pool, &f[B24_ORDER_TOTAL], &had->total) != B24_OK
        || (goods && b24_had_print(pool, b24_had_goods(order), &had->goods)
                     != B24_OK))
    {
        return B24_ERROR;
    }

    h = B24_HASH_START;
    known = 0;

    for (i = 0; i < sizeof(b24_had_buyer) / sizeof(int); i++) {
        h = b24_had_text(h, &f[b24_had_buyer[i]]);
        known |= f[b24_had_buyer[i]].len != 0;
    }

    return known ? b24_had_print(pool, h, &had->buyer) : B24_OK;
}


int
b24_order_amount(b24_pool_t *pool, const b24_str_t *text, b24_str_t *amount)
{
    char           buf[B24_DECIMAL_LEN];
    size_t         len;
    b24_decimal_t  d;

    memset(amount, 0, sizeof(b24_str_t));

    if (text->len == 0 || b24_decimal_parse(text, &d) != B24_OK
        || b24_decimal_round(&d, 2) != B24_OK)
    {
        return B24_OK;
    }

    len = b24_decimal_print(&d, 2, buf);

    return b24_pstrdup(pool, amount, (u_char *) buf, len);
}


/* in whichever order the database gives its rows */

static uint64_t
b24_had_goods(const b24_order_t *order)
{
    int                i;
    size_t             n;
    uint64_t           h, sum;
    const b24_item_t  *item;

    sum = 0;

    for (item = order->items; item; item = item->next) {
        h = B24_HASH_START;

        for (i = 0; i < B24_ITEM_NFIELDS; i++) {
            h = b24_had_text(h, &item->fields[i]);
        }

        sum += h;
    }

    h = b24_hash(B24_HASH_START, &sum, sizeof(sum));

    for (n = 0; n < sizeof(b24_had_amounts) / sizeof(int); n++) {
        h = b24_had_text(h, &order->fields[b24_had_amounts[n]]);
    }

    return h;
}


/* each text ends with a byte that UTF-8 doesn't have */

static uint64_t
b24_had_text(uint64_t h, const b24_str_t *text)
{
    static const u_char  end = 0xff;

    return b24_hash(b24_hash(h, text->data, text->len), &end, 1);
}


static int
b24_had_print(b24_pool_t *pool, uint64_t h, b24_str_t *text)
{
    char  buf[17];

    b24_hash_hex(h, buf);

    return b24_pstrdup(pool, text, (u_char *) buf, 16);
}
