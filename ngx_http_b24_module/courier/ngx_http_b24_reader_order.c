
/* An order that goes out for the first time: it waits for what is not in the
 * shop's database yet, and is not held up for ever by what can't be read. */


#include "ngx_http_b24_reader.h"


static void ngx_http_b24_read_found(ngx_http_b24_read_t *read);
static ngx_int_t ngx_http_b24_read_goods(ngx_http_b24_read_t *read);
static ngx_int_t ngx_http_b24_read_matches(ngx_http_b24_read_t *read);
static void ngx_http_b24_read_error(ngx_http_b24_read_t *read,
    const char *cause, const char *advice);
static void ngx_http_b24_read_park(ngx_http_b24_read_t *read);
static void ngx_http_b24_read_leave(ngx_http_b24_read_t *read,
    const char *remark, ngx_uint_t later);


/* in the database's thread */

void
ngx_http_b24_read_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_read_t  *read = ask->data;

    ask->rc = b24_database_order(db, read->pool, read->shop, read->order,
                                 read->found, &read->nfound);
}


void
ngx_http_b24_read_done(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_read_t  *read = ask->data;

    read->now = ngx_http_b24_now();

    switch (ask->rc) {

    case B24_DATABASE_OK:
        ngx_http_b24_read_found(read);
        return;

    case B24_DATABASE_NONE:
        ngx_http_b24_read_absent(read);
        return;

    case B24_DATABASE_UNASKED:

        /* nor later */

        ngx_http_b24_read_leave(read, "the shop's database could not be asked "
                                "for this order: nothing that its statement "
                                "looks for is known of it", 0);
        return;

    default:
        ngx_http_b24_read_error(read, ask->cause, ask->advice);
        return;
    }
}


static void
ngx_http_b24_read_found(ngx_http_b24_read_t *read)
{
    ngx_http_b24_database_t  *conf;

    conf = read->reader->origin->conf->database;

    if (ngx_http_b24_read_goods(read) != NGX_OK) {
        read->order->looks++;

        ngx_http_b24_read_wait(read,
            (int64_t) ngx_http_b24_read_pauses[read->order->looks - 1],
            "the order's goods are not in the shop's database yet", NULL);
        return;
    }

    if (ngx_http_b24_read_matches(read) != NGX_OK) {
        read->failed = 1;
    }

    read->read.state = B24_STATE_ACCEPTED;
    read->read.loose = b24_order_loose(read->order);
    read->read.last = read->read.loose
                      && read->order->tries >= NGX_HTTP_B24_READ_LOOKS
                      && read->now - read->order->asked
                         >= (int64_t) conf->absent;

    ngx_http_b24_read_end(read);
}


/*
 * A shop writes an order down before its goods.  None are waited for longer
 * than some that don't make the total: a fee or a discount may be the cause.
 * AGAIN: to be read again.
 */

static ngx_int_t
ngx_http_b24_read_goods(ngx_http_b24_read_t *read)
{
    int     rc;
    size_t  i;

    if (b24_shop_statement(read->shop, B24_STATEMENT_ITEMS) == NULL) {
        return NGX_OK;
    }

    for (i = 0; i < read->nfound; i++) {
        rc = b24_order_goods(read->found[i]);

        if ((rc == B24_ERROR && read->order->looks < NGX_HTTP_B24_READ_LOOKS)
            || (rc == B24_DECLINED && read->order->items == NULL
                && read->order->looks < NGX_HTTP_B24_READ_GOODS))
        {
            return NGX_AGAIN;
        }

        if (rc == B24_ERROR
            && b24_order_remark(read->pool, read->found[i], "goods",
                                "the shop's database has no goods of the "
                                "order")
               != B24_OK)
        {
            read->failed = 1;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_read_matches(ngx_http_b24_read_t *read)
{
    size_t              i;
    b24_queue_match_t  *matches;

    matches = b24_pcalloc(read->pool,
                          read->nfound * sizeof(b24_queue_match_t));
    if (matches == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < read->nfound; i++) {
        read->found[i]->read = 1;
        matches[i].order_id = read->found[i]->fields[B24_ORDER_ID];
        matches[i].row = read->found[i]->fields[B24_ORDER_ROW];

        if (b24_order_print(read->pool, read->found[i], &matches[i].data)
            != B24_OK)
        {
            return NGX_ERROR;
        }
    }

    read->read.matches = matches;
    read->read.nmatches = read->nfound;

    return NGX_OK;
}


/*
 * What was captured is delivered in the end, if it is worth it; but an order
 * without its number waits longer.
 */

static void
ngx_http_b24_read_error(ngx_http_b24_read_t *read, const char *cause,
    const char *advice)
{
    int64_t                   ms, age, most;
    b24_order_t              *order;
    ngx_http_b24_database_t  *conf;

    order = read->order;
    age = read->now - order->asked;

    conf = read->reader->origin->conf->database;
    most = (int64_t) (order->generated ? conf->absent : conf->wait);

    if (age >= most && b24_order_deliverable(order) && !order->imported) {
        ngx_http_b24_read_leave(read, order->generated
                                ? "the shop's database could not be read: the "
                                  "deal is without the order's number and has "
                                  "what was captured"
                                : "the shop's database could not be read: the "
                                  "deal has what was captured", 1);
        return;
    }

    /* 1, 2, 4 ... s by the age, and not before it may be asked again */

    ms = ngx_max(1000, ngx_min(age, NGX_HTTP_B24_READ_LAST));
    ms = ngx_max(ms, (int64_t) ngx_http_b24_database_paused(read->reader));

    if (b24_order_deliverable(order) && age < most) {
        ms = ngx_min(ms, most - age);
    }

    ngx_http_b24_read_wait(read, ms, cause, advice);
}


void
ngx_http_b24_read_absent(ngx_http_b24_read_t *read)
{
    int64_t       ms, age, absent;
    b24_order_t  *order;

    read->reader->origin->sh->db[NGX_HTTP_B24_DB_ABSENT]++;

    order = read->order;
    age = read->now - order->asked;
    absent = (int64_t) read->reader->origin->conf->database->absent;

    if (order->tries++ < NGX_HTTP_B24_READ_LOOKS) {
        ngx_http_b24_read_wait(read,
            (int64_t) ngx_http_b24_read_pauses[order->tries - 1],
            "the order is not in the shop's database yet", NULL);
        return;
    }

    if (order->imported && age >= absent) {

        /* it was there and is gone */

        read->read.state = B24_STATE_REJECTED;
        ngx_http_b24_read_end(read);
        return;
    }

    if (b24_order_deliverable(order) && !order->imported
        && (!order->generated || age >= absent))
    {
        ngx_http_b24_read_leave(read, order->generated
                                ? "the order was not found in the shop's "
                                  "database: the deal is without its number "
                                  "and has what was captured"
                                : "the order was not found in the shop's "
                                  "database: the deal has what was captured",
                                1);
        return;
    }

    if (age >= absent) {
        ngx_http_b24_read_park(read);
        return;
    }

    ms = ngx_max(10000, ngx_min(age, NGX_HTTP_B24_READ_LAST));
    ms = ngx_min(ms, absent - age + 1);

    ngx_http_b24_read_wait(read, ms,
                           "the order is not in the shop's database",
                           "compare the \"order\" statement of the shop's "
                           "\"database\" block with the tables; when the shop "
                           "doesn't have this order either, drop it");
}


/* whoever retries it has looked: it goes as it is then */

static void
ngx_http_b24_read_park(ngx_http_b24_read_t *read)
{
    read->order->read = 1;
    read->read.state = B24_STATE_PARKED;

    ngx_http_b24_read_words(read, "the order is not in the shop's database, "
                            "and what was captured is too little for a deal: "
                            "no buyer, or neither goods nor a total",
                            "look for it in the shop: if it is there and has "
                            "no deal, retry it, the deal has what was "
                            "captured; else drop it");
    ngx_http_b24_read_end(read);
}


/* nothing more is asked before it goes, the deal says why; later: afterwards */

static void
ngx_http_b24_read_leave(ngx_http_b24_read_t *read, const char *remark,
    ngx_uint_t later)
{
    read->order->read = 1;
    read->read.unread = (int) later;

    if (b24_order_remark(read->pool, read->order, "database", remark)
        != B24_OK)
    {
        read->failed = 1;
    }

    read->read.state = B24_STATE_ACCEPTED;
    ngx_http_b24_read_words(read, remark, NULL);

    ngx_http_b24_read_end(read);
}
