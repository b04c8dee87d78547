
/*
 * A page of the "changes" statement, in the queue's thread: which of its orders
 * have changed, which come in, and how far the mark goes.
 */


#include "ngx_http_b24_import.h"


#define NGX_HTTP_B24_IMPORT_OLD      (365 * 86400)  /* s; the oldest one */
#define NGX_HTTP_B24_IMPORT_AGE      899        /* s that a change may be old
                                                   of which nobody knows */


static ngx_int_t ngx_http_b24_import_document(ngx_http_b24_import_t *im);
static b24_queue_rc_e ngx_http_b24_import_begin(ngx_http_b24_import_t *im,
    b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_import_row(ngx_http_b24_import_t *im,
    b24_queue_t *q, b24_node_t *row);
static b24_queue_rc_e ngx_http_b24_import_change(ngx_http_b24_import_t *im,
    b24_queue_t *q, b24_node_t *row, b24_str_t *id, b24_str_t *number,
    b24_str_t *changed);
static int64_t ngx_http_b24_import_made(ngx_http_b24_import_t *im,
    b24_str_t *changed);
static void ngx_http_b24_import_hold(ngx_http_b24_import_t *im,
    b24_str_t *changed);
static ngx_uint_t ngx_http_b24_import_old(ngx_http_b24_import_t *im,
    b24_node_t *row, b24_str_t *number);
static ngx_uint_t ngx_http_b24_import_waits(ngx_http_b24_import_t *im,
    b24_str_t *id);
static b24_queue_rc_e ngx_http_b24_import_put(ngx_http_b24_import_t *im,
    b24_queue_t *q, b24_str_t *id, b24_str_t *row);
static ngx_int_t ngx_http_b24_import_compare(b24_str_t *a, b24_str_t *b);


static b24_str_t  ngx_http_b24_column_changed = b24_string("changed");
static b24_str_t  ngx_http_b24_column_stated = b24_string("stated");
static b24_str_t  ngx_http_b24_column_created = b24_string("created");
static b24_str_t  ngx_http_b24_column_row = b24_string("row");
static b24_str_t  ngx_http_b24_column_id = b24_string("id");


/* in the queue's thread: the page in one transaction, with the mark */

void
ngx_http_b24_import_store(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_import_t  *im = call->data;

    b24_str_t    changed, row;
    b24_node_t  *node;
    ngx_uint_t   put;

    if (q == NULL) {
        return;
    }

    call->rc = b24_queue_begin(q);

    if (call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_some_unread(q, &im->mark.origin, &im->some);
    }

    if (call->rc == B24_QUEUE_OK
        && ngx_http_b24_import_document(im) != NGX_OK)
    {
        call->rc = B24_QUEUE_NOMEM;
    }

    if (call->rc == B24_QUEUE_OK && !im->begun) {
        call->rc = ngx_http_b24_import_begin(im, q);

    } else if (call->rc == B24_QUEUE_OK) {
        ngx_str_null(&changed);
        ngx_str_null(&row);

        for (node = im->rows ? im->rows->first : NULL;
             node && call->rc == B24_QUEUE_OK;
             node = node->next)
        {
            call->rc = ngx_http_b24_import_row(im, q, node);

            (void) b24_column(node, &ngx_http_b24_column_changed, &changed);
            (void) b24_column(node, &ngx_http_b24_column_row, &row);
        }

        if (changed.len
            && ngx_http_b24_import_compare(&changed, &im->newest) > 0)
        {
            ngx_http_b24_import_keep(&im->newest, im->page[4], &changed);
        }

        /* the next page begins here, the next round at the mark */

        ngx_http_b24_import_keep(&im->changed, im->page[0], &changed);
        ngx_http_b24_import_keep(&im->row, im->page[1], &row);

        if (im->held.len) {
            changed = im->held;
        }

        ngx_http_b24_import_present(im, &changed);

        /* the clock was put back: so is the mark */

        put = im->ahead;
        im->ahead = 0;

        if (put) {
            ngx_http_b24_import_present(im, &im->mark.changed);
        }

        if (changed.len
            && ngx_http_b24_import_compare(&changed, &im->mark.changed) > 0)
        {
            im->mark.changed = changed;
            put = 1;
        }

        /* what is made while nothing is imported stays where it is */

        if (put && !im->reader->origin->conf->imports) {
            im->mark.begun = im->mark.changed;
        }

        if (call->rc == B24_QUEUE_OK && put) {
            call->rc = b24_queue_put_mark(q, &im->mark);
        }
    }

    if (call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_commit(q);
    }

    if (call->rc != B24_QUEUE_OK) {
        b24_queue_rollback(q);
    }
}


/* of the event of an order that is known: the record tells which one it is */

static ngx_int_t
ngx_http_b24_import_document(ngx_http_b24_import_t *im)
{
    b24_order_t  order;

    ngx_memzero(&order, sizeof(b24_order_t));

    order.shop = im->mark.shop;

    return b24_order_print(im->pool, &order, &im->data) == B24_OK ? NGX_OK
                                                                  : NGX_ERROR;
}


/* the first start: from here on */

static b24_queue_rc_e
ngx_http_b24_import_begin(ngx_http_b24_import_t *im, b24_queue_t *q)
{
    (void) b24_column(im->rows->first, &ngx_http_b24_column_changed,
                      &im->mark.changed);
    (void) b24_column(im->rows->first, &ngx_http_b24_column_row,
                      &im->mark.row);

    im->mark.begun = im->mark.changed;

    ngx_http_b24_import_keep(&im->newest, im->page[4], &im->mark.changed);
    ngx_http_b24_import_present(im, &im->mark.changed);

    if (!ngx_http_b24_import_digits(&im->mark.row)) {
        im->mark.begun = im->mark.changed;
    }

    return b24_queue_put_mark(q, &im->mark);
}


static b24_queue_rc_e
ngx_http_b24_import_row(ngx_http_b24_import_t *im, b24_queue_t *q,
    b24_node_t *row)
{
    int             known;
    b24_str_t       id, number, changed;
    b24_queue_rc_e  rc;

    if (!b24_column(row, &ngx_http_b24_column_id, &id)
        || !b24_column(row, &ngx_http_b24_column_row, &number)
        || !b24_column(row, &ngx_http_b24_column_changed, &changed))
    {
        im->nameless++;
        return B24_QUEUE_OK;
    }

    rc = ngx_http_b24_import_change(im, q, row, &id, &number, &changed);

    if (rc != B24_QUEUE_NONE) {
        return rc;
    }

    if (!im->reader->origin->conf->imports) {

        if (ngx_http_b24_import_digits(&number)
            && (im->mark.row.len == 0
                || ngx_http_b24_import_compare(&number, &im->mark.row) > 0))
        {
            im->mark.row = number;
        }

        return B24_QUEUE_OK;
    }

    if (ngx_http_b24_import_old(im, row, &number)) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_known(q, &im->mark.origin, &id, &number, &known);

    if (rc != B24_QUEUE_OK || known) {
        return rc;
    }

    if (ngx_http_b24_import_waits(im, &id) || (im->some && im->unread)) {
        ngx_http_b24_import_hold(im, &changed);
        return B24_QUEUE_OK;
    }

    return ngx_http_b24_import_put(im, q, &id, &number);
}


/* NONE: there is no deal that could be moved */

static b24_queue_rc_e
ngx_http_b24_import_change(ngx_http_b24_import_t *im, b24_queue_t *q,
    b24_node_t *row, b24_str_t *id, b24_str_t *number, b24_str_t *changed)
{
    int                  put;
    ngx_uint_t           update;
    b24_order_t          order;
    b24_queue_rc_e       rc;
    b24_queue_change_t   change;

    ngx_memzero(&order, sizeof(b24_order_t));
    ngx_memzero(&change, sizeof(b24_queue_change_t));

    /* columns as they are read for a deal, so that they can be compared */

    if (b24_order_merge(im->pool, im->shop, &order, row, NULL) != B24_OK) {
        return B24_QUEUE_NOMEM;
    }

    change.origin = im->mark.origin;
    change.order_id = *id;
    change.row = *number;
    change.data = im->data;
    change.status = order.fields[B24_ORDER_STATUS];
    change.canceled = order.fields[B24_ORDER_CANCELED];
    change.paid = order.fields[B24_ORDER_PAID];
    change.shipped = order.fields[B24_ORDER_SHIPPED];
    change.changed = *changed;
    change.now = im->now;
    change.made = ngx_http_b24_import_made(im, changed);

    if (b24_column(row, &ngx_http_b24_column_stated, &change.stated)) {
        change.stated_at = ngx_http_b24_database_made(im->reader, &im->clock,
                                                      &change.stated,
                                                      im->clocked);
    }

    update = im->reader->origin->conf->update;

    if (update != B24_UPDATE_OFF
        && b24_order_amount(im->pool, &order.fields[B24_ORDER_TOTAL],
                            &change.total)
           != B24_OK)
    {
        return B24_QUEUE_NOMEM;
    }

    /* without columns of the kind nothing can be compared; goods never can */

    change.look = (change.status.len == 0 && change.canceled.len == 0
                   && change.paid.len == 0 && change.shipped.len == 0)
                  || update == B24_UPDATE_ROWS
                  || (update == B24_UPDATE_TOTAL && change.total.len == 0);

    rc = b24_queue_status(q, &change, &put);

    im->changes += (rc == B24_QUEUE_OK && put);

    return rc;
}


/* by our clock */

static int64_t
ngx_http_b24_import_made(ngx_http_b24_import_t *im, b24_str_t *changed)
{
    int64_t                    most;
    ngx_http_b24_sh_origin_t  *sh;

    sh = im->reader->origin->sh;
    most = NGX_HTTP_B24_IMPORT_OLD;

    /* of a row that the round before has not seen, which can't be older than
     * that, the zone shows */

    if (im->rounds ? ngx_http_b24_import_compare(changed, &im->latest) > 0
                   : !sh->zoned)
    {
        most = im->rounds ? (int64_t) (im->began - im->before) / 1000
                          : NGX_HTTP_B24_IMPORT_AGE;
        sh->zoned |= (most <= NGX_HTTP_B24_IMPORT_AGE);
    }

    return im->clocked
           - 1000 * b24_database_age(&im->clock, changed, most, &sh->zone);
}


static void
ngx_http_b24_import_hold(ngx_http_b24_import_t *im, b24_str_t *changed)
{
    if (im->held.len == 0
        || ngx_http_b24_import_compare(changed, &im->held) < 0)
    {
        ngx_http_b24_import_keep(&im->held, im->page[2], changed);
    }
}


/*
 * Made before the first start.  One that was dated ahead then says nothing of
 * the time of it, as long as that time has not come: the growing key does.
 */

static ngx_uint_t
ngx_http_b24_import_old(ngx_http_b24_import_t *im, b24_node_t *row,
    b24_str_t *number)
{
    b24_str_t  created;

    if (b24_column(row, &ngx_http_b24_column_created, &created)
        && ngx_http_b24_import_compare(&im->mark.begun, &im->mark.changed)
           <= 0)
    {
        return ngx_http_b24_import_compare(&created, &im->mark.begun) <= 0;
    }

    if (im->mark.row.len == 0) {
        return 0;
    }

    /* keys that aren't numbers say nothing of the order they were made in */

    return !ngx_http_b24_import_digits(number)
           || !ngx_http_b24_import_digits(&im->mark.row)
           || ngx_http_b24_import_compare(number, &im->mark.row) <= 0;
}


/* its request may be under way still, or it may be one that went out unread */

static ngx_uint_t
ngx_http_b24_import_waits(ngx_http_b24_import_t *im, b24_str_t *id)
{
    uint64_t                 hash;
    ngx_uint_t               i, n;
    ngx_http_b24_unknown_t  *u;

    hash = b24_hash(B24_HASH_START, id->data, id->len);
    n = im->nunknown;

    for (i = 0; i < im->nunknown; i++) {
        u = &im->unknown[i];

        if (u->hash == hash) {
            u->round = im->round;

            return (ngx_msec_int_t) (im->msec - u->seen)
                   < (ngx_msec_int_t)
                     im->reader->origin->conf->database->traffic
                   || (im->some && im->looked < u->pass);
        }

        /* one that wasn't seen again has come to be known */

        if (u->round + 1 < im->round) {
            n = i;
        }
    }

    if (n == im->nunknown) {

        if (n == NGX_HTTP_B24_IMPORT_UNKNOWN) {
            return 1;
        }

        im->nunknown++;
    }

    u = &im->unknown[n];

    u->hash = hash;
    u->seen = im->msec;
    u->round = im->round;
    u->pass = im->pass;

    im->fresh = 1;

    return 1;
}


static b24_queue_rc_e
ngx_http_b24_import_put(ngx_http_b24_import_t *im, b24_queue_t *q,
    b24_str_t *id, b24_str_t *row)
{
    char                     fingerprint[17];
    b24_order_t              order;
    b24_queue_rc_e           rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    ngx_memzero(&order, sizeof(b24_order_t));
    ngx_memzero(&put, sizeof(b24_queue_put_t));

    order.origin = im->mark.origin;
    order.shop = im->mark.shop;
    ngx_str_set(&order.rule, "import");
    order.fields[B24_ORDER_ID] = *id;
    order.fields[B24_ORDER_ROW] = *row;
    order.imported = 1;
    order.asked = im->now;

    b24_order_fingerprint(&order, fingerprint);

    put.origin = im->mark.origin;
    put.order_id = *id;
    put.row = *row;
    ngx_str_set(&put.rule, "import");
    put.fingerprint.data = (u_char *) fingerprint;
    put.fingerprint.len = sizeof(fingerprint) - 1;
    ngx_str_set(&put.cause, "from the shop's database");
    put.state = B24_STATE_ACCEPTED;
    put.now = im->now;

    if (b24_order_print(im->pool, &order, &put.data) != B24_OK) {
        return B24_QUEUE_NOMEM;
    }

    rc = b24_queue_put(q, &put, &result);

    im->imported += (rc == B24_QUEUE_OK);

    return rc;
}


/* a time that has come, of the clock that "changed" is of; other numbers than
 * those of seconds are no times */

void
ngx_http_b24_import_present(ngx_http_b24_import_t *im, b24_str_t *changed)
{
    b24_str_t  *now;

    now = &im->clock.seconds;

    if (!ngx_http_b24_import_digits(changed)) {
        now = &im->clock.now;

        if (changed->len < 5 || changed->data[4] != '-') {
            return;
        }

    } else if (changed->len != now->len) {
        return;
    }

    if (ngx_http_b24_import_compare(changed, now) > 0) {
        *changed = *now;
    }
}


/* numbers as such, times as the texts they are */

static ngx_int_t
ngx_http_b24_import_compare(b24_str_t *a, b24_str_t *b)
{
    ngx_int_t  rc;

    if (ngx_http_b24_import_digits(a) && ngx_http_b24_import_digits(b)
        && a->len != b->len)
    {
        return a->len < b->len ? -1 : 1;
    }

    rc = ngx_memcmp(a->data, b->data, ngx_min(a->len, b->len));

    return rc ? rc : (ngx_int_t) a->len - (ngx_int_t) b->len;
}


ngx_uint_t
ngx_http_b24_import_digits(b24_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len && b24_isdigit(text->data[i]); i++) {
        /* void */
    }

    return text->len && i == text->len;
}


void
ngx_http_b24_import_keep(b24_str_t *to, u_char buf[128], b24_str_t *from)
{
    to->len = ngx_min(from->len, 128);
    to->data = buf;

    if (to->len) {
        ngx_memmove(buf, from->data, to->len);
    }
}
