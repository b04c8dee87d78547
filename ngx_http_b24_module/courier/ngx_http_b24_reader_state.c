
/*
 * How far an order is, by the shop's database: its status, its amounts and
 * goods, who bought, against what was there before.  Part of the reader.
 */


#include "ngx_http_b24_reader.h"


static void ngx_http_b24_state_time(ngx_http_b24_read_t *read);
static ngx_uint_t ngx_http_b24_state_differs(ngx_http_b24_read_t *read);
static ngx_int_t ngx_http_b24_state_goods(ngx_http_b24_read_t *read);
static ngx_int_t ngx_http_b24_state_print(ngx_http_b24_read_t *read,
    ngx_uint_t found);
static void ngx_http_b24_state_buyer(ngx_http_b24_read_t *read);


/* in the database's thread */

void
ngx_http_b24_state_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_read_t  *read = ask->data;

    ask->rc = b24_database_state(db, read->pool, read->shop, read->order,
                        read->reader->origin->conf->update == B24_UPDATE_ROWS
                        && b24_shop_statement(read->shop,
                                              B24_STATEMENT_ITEMS) != NULL,
                        &read->moment);
}


/* the request that told of it was a hint: what counts is in the tables */

void
ngx_http_b24_state_done(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_read_t  *read = ask->data;

    ngx_uint_t  found;

    read->now = ngx_http_b24_now();
    read->read.state = B24_STATE_DELIVERED;

    switch (ask->rc) {

    case B24_DATABASE_OK:
        found = (ngx_http_b24_state_goods(read) == NGX_OK);

        if (ngx_http_b24_state_print(read, found) != NGX_OK) {
            ngx_str_null(&read->read.data);
            ngx_http_b24_read_wait(read, NGX_HTTP_B24_READ_MEMORY, NULL, NULL);
            return;
        }

        if (!found) {
            ngx_http_b24_read_wait(read,
                (int64_t) ngx_http_b24_read_pauses[read->order->looks - 1],
                "the order's goods are not in the shop's database yet", NULL);
            return;
        }

        ngx_memzero(&read->seen, sizeof(b24_queue_seen_t));

        ngx_http_b24_state_buyer(read);

        read->read.row = read->order->fields[B24_ORDER_ROW];
        read->seen.status = read->order->fields[B24_ORDER_STATUS];
        read->seen.canceled = read->order->fields[B24_ORDER_CANCELED];
        read->seen.paid = read->order->fields[B24_ORDER_PAID];
        read->seen.shipped = read->order->fields[B24_ORDER_SHIPPED];

        ngx_http_b24_state_time(read);

        read->read.seen = &read->seen;
        read->read.state = B24_STATE_ACCEPTED;
        break;

    case B24_DATABASE_NONE:
        ngx_http_b24_read_words(read, "the order is not in the shop's database "
                                "any more: the deal's stage was left alone",
                                "look at the deal");
        break;

    case B24_DATABASE_UNASKED:
        ngx_http_b24_read_words(read, "the shop's database could not be asked "
                                "for the order's status: nothing that the "
                                "\"order\" statement looks for is known of it",
                                "look at the deal and at the order in the "
                                "shop");
        break;

    default:
        ngx_http_b24_read_later(read, ask);
        return;
    }

    ngx_http_b24_read_end(read);
}


/* what is as it was, and was not set anew, has no time of its own */

static void
ngx_http_b24_state_time(ngx_http_b24_read_t *read)
{
    ngx_uint_t         restated;
    b24_queue_seen_t  *seen, *had;

    seen = &read->seen;
    had = &read->job.seen;
    restated = b24_queue_seen_restated(had, &read->moment.stated);

    if (restated || had->stated.len == 0) {
        seen->stated = read->moment.stated;
    }

    if (!restated && !ngx_http_b24_state_differs(read)) {
        return;
    }

    seen->unsettled = restated;
    seen->time = ngx_http_b24_database_stated(read->reader, &read->moment, had,
                                              read->now);

    if (!restated || seen->time == 0) {
        seen->time = ngx_max(seen->time, read->job.accepted);
    }
}


static ngx_uint_t
ngx_http_b24_state_differs(ngx_http_b24_read_t *read)
{
    b24_queue_seen_t  *now, *had;

    now = &read->seen;
    had = &read->job.seen;

    return !b24_str_eq(&now->status, &had->status)
           || !b24_str_eq(&now->canceled, &had->canceled)
           || !b24_str_eq(&now->paid, &had->paid)
           || !b24_str_eq(&now->shipped, &had->shipped);
}


/*
 * A shop may write an order's total down before its goods, and those one by
 * one: where they have changed and don't make the total, they are read again,
 * as those of a new order are.  AGAIN: later.
 */

static ngx_int_t
ngx_http_b24_state_goods(ngx_http_b24_read_t *read)
{
    int           rc;
    b24_order_t  *order;

    order = read->order;

    if (order->had.goods.len == 0
        || b24_str_eq(&order->had.goods, &read->job.seen.goods))
    {
        return NGX_OK;
    }

    rc = b24_order_goods(order);

    if ((rc == B24_ERROR && order->looks < NGX_HTTP_B24_READ_LOOKS)
        || (rc == B24_DECLINED && order->looks < NGX_HTTP_B24_READ_GOODS))
    {
        order->looks++;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/* nothing of the buyer is written down again, and goods only when they are
 * others */

static ngx_int_t
ngx_http_b24_state_print(ngx_http_b24_read_t *read, ngx_uint_t found)
{
    size_t        i;
    b24_order_t   order, *from;

    static const int  amounts[] = {
        B24_ORDER_CURRENCY, B24_ORDER_TOTAL, B24_ORDER_DELIVERY,
        B24_ORDER_DISCOUNT, B24_ORDER_TAX
    };

    from = read->order;

    ngx_memzero(&order, sizeof(b24_order_t));

    order.shop = from->shop;
    order.fields[B24_ORDER_ID] = from->fields[B24_ORDER_ID];
    order.fields[B24_ORDER_ROW] = from->fields[B24_ORDER_ROW];
    order.asked = read->now;
    order.looks = from->looks;

    if (!found) {
        return b24_order_print(read->pool, &order, &read->read.data) == B24_OK
               ? NGX_OK : NGX_ERROR;
    }

    order.read = 1;
    order.had = from->had;
    ngx_str_null(&order.had.buyer);

    for (i = 0; i < sizeof(amounts) / sizeof(int); i++) {
        order.fields[amounts[i]] = from->fields[amounts[i]];
    }

    if (!b24_str_eq(&order.had.goods, &read->job.seen.goods)) {
        order.items = from->items;
        order.items_last = from->items_last;
        order.nitems = from->nitems;
    }

    return b24_order_print(read->pool, &order, &read->read.data) == B24_OK
           ? NGX_OK : NGX_ERROR;
}


/* said once; what has changed is in the shop */

static void
ngx_http_b24_state_buyer(ngx_http_b24_read_t *read)
{
    b24_order_t  *first;

    first = read->first;

    if (first == NULL || first->had.buyer.len == 0
        || read->order->had.buyer.len == 0
        || b24_str_eq(&first->had.buyer, &read->order->had.buyer)
        || read->reader->origin->conf->update == B24_UPDATE_OFF)
    {
        return;
    }

    ngx_http_b24_read_words(read, "the buyer's data were changed in the shop: "
                            "the contact was left as it is",
                            "compare the deal's contact with the order in the "
                            "shop");
    read->read.once = 1;
}
