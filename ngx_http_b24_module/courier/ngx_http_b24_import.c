
/*
 * Orders that never passed this nginx: typed in by a manager, brought by 1C, by
 * a marketplace.  The "changes" statement is asked for what has changed since
 * the last time, by the database's own clock alone; an order that the queue
 * doesn't know after a minute (its request may be under way) is put there by
 * its number, and read as any other; but not before the orders that went out
 * unread have been looked for since it was seen, as it may be one of them.
 * What is older than the first start is none of ours.  An order that is dated
 * ahead of that clock comes in as any other, but what is read goes on from the
 * time that is, so that it holds up none of those to come.
 *
 * An order that the queue knows may have another status, another total, or be
 * paid: when the row says so, or tells nothing of that, it is read again
 * (reader).  That is so with "b24_import off", too.
 */


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_IMPORT_PAGE     200        /* orders a time */
#define NGX_HTTP_B24_IMPORT_UNKNOWN  1000       /* orders watched at a time */
#define NGX_HTTP_B24_IMPORT_OVERLAP  120        /* s, or numbers */
#define NGX_HTTP_B24_IMPORT_OLD      (365 * 86400)  /* s; the oldest one */
#define NGX_HTTP_B24_IMPORT_AGE      899        /* s that a change may be old
                                                   of which nobody knows */


/* an order that the queue doesn't know */
typedef struct {
    uint64_t                  hash;         /* of its number */
    ngx_msec_t                seen;         /* for the first time */
    ngx_uint_t                round;        /* for the last time */
    ngx_uint_t                pass;         /* "looked" before it may come in */
} ngx_http_b24_unknown_t;


typedef struct {
    ngx_http_b24_reader_t    *reader;
    const b24_shop_t         *shop;         /* NULL: none has "changes" */
    ngx_uint_t                busy;
    ngx_uint_t                polled;       /* once at least */
    ngx_uint_t                more;         /* the page was full */
    ngx_uint_t                round;
    int64_t                   now;
    ngx_msec_t                msec;
    b24_pool_t               *pool;         /* of the page */
    b24_queue_mark_t          mark;
    ngx_uint_t                begun;        /* the mark is known */
    ngx_uint_t                ahead;        /* it is later than "clock" */
    b24_database_clock_t      clock;        /* at the beginning of the page */
    int64_t                   clocked;      /* the same by ours, ms */
    ngx_msec_t                began;        /* the round */
    ngx_msec_t                before;       /* that of the last whole round */
    ngx_uint_t                rounds;       /* there was one */
    b24_str_t                 changed;      /* the page begins behind these */
    b24_str_t                 row;
    b24_str_t                 held;         /* the least "changed" left to the
                                               traffic, of all pages of a round:
                                               the mark goes no further */
    b24_str_t                 latest;       /* the greatest "changed" of the
                                               last whole round, */
    b24_str_t                 newest;       /* and of this one so far */
    u_char                    page[5][128]; /* they outlive the pool */
    b24_node_t               *rows;
    ngx_uint_t                imported;
    ngx_uint_t                changes;      /* of orders that are known */
    ngx_atomic_uint_t         polls;        /* of those wanted, heeded */
    b24_str_t                 data;         /* of the event of such a one */
    ngx_uint_t                nameless;     /* rows without id or row */
    int                       some;         /* some went out unread */
    ngx_uint_t                unread;       /* and the database wasn't asked
                                               for them */
    ngx_uint_t                looked;       /* of the reader */
    ngx_uint_t                pass;         /* the next value of it */
    ngx_uint_t                fresh;        /* one was never seen before */
    ngx_http_b24_unknown_t   *unknown;
    ngx_uint_t                nunknown;
    ngx_http_b24_ask_t        ask;
    ngx_http_b24_call_t       call;
} ngx_http_b24_import_t;


static void ngx_http_b24_import_load(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_import_loaded(ngx_http_b24_call_t *call);
static void ngx_http_b24_import_since(ngx_http_b24_import_t *im);
static void ngx_http_b24_import_run(ngx_http_b24_ask_t *ask,
    b24_database_t *db);
static void ngx_http_b24_import_asked(ngx_http_b24_ask_t *ask);
static void ngx_http_b24_import_store(ngx_http_b24_call_t *call,
    b24_queue_t *q);
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
static void ngx_http_b24_import_present(ngx_http_b24_import_t *im,
    b24_str_t *changed);
static ngx_uint_t ngx_http_b24_import_old(ngx_http_b24_import_t *im,
    b24_node_t *row, b24_str_t *number);
static ngx_uint_t ngx_http_b24_import_waits(ngx_http_b24_import_t *im,
    b24_str_t *id);
static b24_queue_rc_e ngx_http_b24_import_put(ngx_http_b24_import_t *im,
    b24_queue_t *q, b24_str_t *id, b24_str_t *row);
static void ngx_http_b24_import_round(ngx_http_b24_import_t *im);
static void ngx_http_b24_import_forget(ngx_http_b24_import_t *im);
static void ngx_http_b24_import_stored(ngx_http_b24_call_t *call);
static void ngx_http_b24_import_end(ngx_http_b24_import_t *im);
static ngx_int_t ngx_http_b24_import_compare(b24_str_t *a, b24_str_t *b);
static ngx_uint_t ngx_http_b24_import_digits(b24_str_t *text);
static void ngx_http_b24_import_keep(b24_str_t *to, u_char buf[128],
    b24_str_t *from);


static b24_str_t  ngx_http_b24_column_changed = b24_string("changed");
static b24_str_t  ngx_http_b24_column_stated = b24_string("stated");
static b24_str_t  ngx_http_b24_column_created = b24_string("created");
static b24_str_t  ngx_http_b24_column_row = b24_string("row");
static b24_str_t  ngx_http_b24_column_id = b24_string("id");


ngx_int_t
ngx_http_b24_import_init(ngx_cycle_t *cycle, ngx_http_b24_reader_t *r)
{
    ngx_http_b24_import_t  *im;

    im = ngx_pcalloc(cycle->pool, sizeof(ngx_http_b24_import_t));
    if (im == NULL) {
        return NGX_ERROR;
    }

    im->reader = r;
    im->ask.data = im;
    im->ask.statement = B24_STATEMENT_CHANGES;
    im->ask.run = ngx_http_b24_import_run;
    im->ask.done = ngx_http_b24_import_asked;
    im->call.data = im;
    im->latest.data = im->page[3];
    im->newest.data = im->page[4];

    r->import = im;

    if (r->shop == NULL
        || b24_shop_statement(r->shop, B24_STATEMENT_CHANGES) == NULL)
    {
        return NGX_OK;
    }

    im->shop = r->shop;
    im->unknown = ngx_pcalloc(cycle->pool, NGX_HTTP_B24_IMPORT_UNKNOWN
                                           * sizeof(ngx_http_b24_unknown_t));

    return im->unknown ? NGX_OK : NGX_ERROR;
}


/* whichever worker: the elected one looks at this each second */

void
ngx_http_b24_import_poll(ngx_http_b24_origin_t *origin)
{
    (void) ngx_atomic_fetch_add(&origin->sh->polls, 1);
}


ngx_uint_t
ngx_http_b24_origin_reads(ngx_http_b24_origin_t *origin,
    const b24_shop_t *shop)
{
    return origin->conf->database != NULL
           && b24_shop_statement(shop, B24_STATEMENT_ORDER) != NULL;
}


ngx_uint_t
ngx_http_b24_import_busy(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_import_t  *im = r->import;

    return im->busy;
}


void
ngx_http_b24_import_tick(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_import_t  *im = r->import;

    if (im->shop == NULL || im->busy || ngx_http_b24_database_paused(r)
        || (!im->more
            && im->polled
            && im->polls == r->origin->sh->polls
            && ngx_current_msec - im->msec
               < r->origin->conf->database->poll))
    {
        return;
    }

    im->pool = b24_pool_create(0);
    if (im->pool == NULL) {
        return;
    }

    im->busy = 1;
    im->polled = 1;
    im->now = ngx_http_b24_now();
    im->msec = ngx_current_msec;
    im->imported = 0;
    im->changes = 0;
    im->nameless = 0;
    im->polls = r->origin->sh->polls;

    ngx_memzero(&im->mark, sizeof(b24_queue_mark_t));

    im->mark.origin = r->origin->name;
    im->mark.shop = *b24_shop_name(im->shop);

    im->call.run = ngx_http_b24_import_load;
    im->call.done = ngx_http_b24_import_loaded;
    im->call.silent = 1;

    ngx_http_b24_store_call(&im->call);
}


static void
ngx_http_b24_import_load(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_import_t  *im = call->data;

    if (q) {
        call->rc = b24_queue_mark(q, im->pool, &im->mark);
    }
}


static void
ngx_http_b24_import_loaded(ngx_http_b24_call_t *call)
{
    ngx_http_b24_import_t  *im = call->data;

    if (call->rc != B24_QUEUE_OK && call->rc != B24_QUEUE_NONE) {
        ngx_http_b24_import_end(im);
        return;
    }

    im->begun = (call->rc == B24_QUEUE_OK);

    if (!im->more) {
        im->began = im->msec;
        im->ahead = 0;
        im->changed.len = 0;
        im->row.len = 0;
        im->round++;
        im->held.len = 0;
    }

    ngx_http_b24_database_ask(im->reader, &im->ask);
}


/*
 * A little before the mark: a transaction that ends late has an earlier time.
 * The clock is the database's, its zone doesn't matter.
 */

static void
ngx_http_b24_import_since(ngx_http_b24_import_t *im)
{
    u_char      buf[128];
    b24_str_t   since;
    int64_t     seconds;
    ngx_int_t   n;
    struct tm   back;
    time_t      t;

    since = im->mark.changed;
    ngx_http_b24_import_present(im, &since);

    im->ahead = (since.data != im->mark.changed.data);

    if (ngx_http_b24_import_digits(&since) && since.len < 18) {
        n = ngx_atoi(since.data, since.len);
        n = ngx_max(n - NGX_HTTP_B24_IMPORT_OVERLAP, 0);

        since.data = buf;
        since.len = ngx_sprintf(buf, "%i", n) - buf;

    } else if (b24_database_time(&since, &seconds) == B24_OK) {

        t = (time_t) seconds - NGX_HTTP_B24_IMPORT_OVERLAP;

        if (gmtime_r(&t, &back)) {
            since.data = buf;
            since.len = ngx_sprintf(buf, "%04d-%02d-%02d %02d:%02d:%02d",
                                    back.tm_year + 1900, back.tm_mon + 1,
                                    back.tm_mday, back.tm_hour, back.tm_min,
                                    back.tm_sec)
                        - buf;
        }
    }

    ngx_http_b24_import_keep(&im->changed, im->page[0], &since);
}


/* in the database's thread */

static void
ngx_http_b24_import_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_import_t  *im = ask->data;

    struct timeval  tv;

    im->rows = NULL;

    ask->rc = b24_database_clock(db, &im->clock);

    if (ask->rc != B24_DATABASE_OK) {
        return;
    }

    ngx_gettimeofday(&tv);
    im->clocked = (int64_t) tv.tv_sec * 1000 + tv.tv_usec / 1000;

    if (!im->more && im->begun) {
        ngx_http_b24_import_since(im);
    }

    ask->rc = b24_database_changes(db, im->pool,
                           b24_shop_statement(im->shop, B24_STATEMENT_CHANGES),
                           &im->changed, &im->row, NGX_HTTP_B24_IMPORT_PAGE,
                           &im->rows);
}


static void
ngx_http_b24_import_asked(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_import_t  *im = ask->data;

    /* behind a page that was full there need not be another */

    if (ask->rc == B24_DATABASE_NONE && !im->more) {
        ngx_http_b24_import_forget(im);
    }

    if (ask->rc != B24_DATABASE_OK
        && (ask->rc != B24_DATABASE_NONE || !im->ahead))
    {
        im->more = 0;

        if (ask->rc == B24_DATABASE_NONE) {
            ngx_http_b24_import_round(im);
        }

        ngx_http_b24_import_end(im);
        return;
    }

    im->looked = im->reader->looked;
    im->unread = (im->looked < im->reader->marked);
    im->pass = im->reader->unread + 1;
    im->fresh = 0;

    im->call.run = ngx_http_b24_import_store;
    im->call.done = ngx_http_b24_import_stored;
    im->call.silent = 0;

    ngx_http_b24_store_call(&im->call);
}


/* in the queue's thread: the page in one transaction, with the mark */

static void
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


/* a time that has come, of the clock that "changed" is of; other numbers than
 * those of seconds are no times */

static void
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


static void
ngx_http_b24_import_stored(ngx_http_b24_call_t *call)
{
    ngx_http_b24_import_t  *im = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;
    static const u_char          note[] =
        "rows of the \"changes\" statement have no column \"id\", \"row\" or "
        "\"changed\": orders that never pass nginx can't be imported";

    if (im->fresh && im->reader->unread < im->pass) {
        im->reader->unread = im->pass;
    }

    if (call->rc != B24_QUEUE_OK) {
        im->more = 0;

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: orders of \"%V\" that never passed nginx are "
                          "not written down: %s", &im->reader->origin->name,
                          b24_queue_strerror(call->rc));
        }

        ngx_http_b24_import_end(im);
        return;
    }

    if (im->nameless && ngx_http_b24_sh_note(im->reader->origin->sh, note)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: the \"changes\" statement of \"%V\" gives rows "
                      "without \"id\", \"row\" or \"changed\"",
                      &im->reader->origin->name);
    }

    im->more = im->begun && im->rows
               && im->rows->count == NGX_HTTP_B24_IMPORT_PAGE;

    ngx_http_b24_import_round(im);

    if (im->imported || im->changes) {
        ngx_http_b24_deliver_kick();
    }

    ngx_http_b24_import_end(im);

    /* a round should not take longer than the distance to the next one */

    if (im->more && ngx_http_b24_leader() && !ngx_exiting) {
        ngx_http_b24_import_tick(im->reader);
    }
}


/* all there was by its beginning has been seen, unless more follows */

static void
ngx_http_b24_import_round(ngx_http_b24_import_t *im)
{
    if (!im->more) {
        im->before = im->began;
        im->rounds = 1;

        ngx_http_b24_import_keep(&im->latest, im->page[3], &im->newest);
    }
}


/* nothing has changed: nobody is waited for */

static void
ngx_http_b24_import_forget(ngx_http_b24_import_t *im)
{
    im->nunknown = 0;
}


static void
ngx_http_b24_import_end(ngx_http_b24_import_t *im)
{
    b24_pool_destroy(im->pool);

    im->pool = NULL;
    im->rows = NULL;
    im->busy = 0;
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


static ngx_uint_t
ngx_http_b24_import_digits(b24_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len && b24_isdigit(text->data[i]); i++) {
        /* void */
    }

    return text->len && i == text->len;
}


static void
ngx_http_b24_import_keep(b24_str_t *to, u_char buf[128], b24_str_t *from)
{
    to->len = ngx_min(from->len, 128);
    to->data = buf;

    if (to->len) {
        ngx_memmove(buf, from->data, to->len);
    }
}
