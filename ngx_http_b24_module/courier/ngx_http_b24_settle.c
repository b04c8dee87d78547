
/*
 * Orders whose answer was not seen, or had no number: the shop's database tells
 * whether they are there.  Found: accepted, with all that it knows; not there
 * after ten minutes: rejected.  What can't be looked up waits for a person.
 */


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_SETTLE_EVERY  3            /* s */
#define NGX_HTTP_B24_SETTLE_MAX    50           /* records a round */


typedef struct {
    b24_queue_unsettled_t    *record;
    b24_database_rc_e         rc;
    b24_queue_match_t        *matches;
    size_t                    nmatches;
    int                       loose;        /* found by the buyer alone */
    b24_queue_put_t           put;
} ngx_http_b24_settled_t;


typedef struct {
    ngx_http_b24_reader_t    *reader;
    ngx_uint_t                busy;
    time_t                    last;
    b24_queue_unsettled_at_t  at;           /* the records looked at last */
    int64_t                   now;
    b24_pool_t               *pool;
    b24_queue_unsettled_t    *records;
    size_t                    nrecords;
    ngx_http_b24_settled_t   *settled;
    ngx_uint_t                count;        /* found or given up */
    ngx_uint_t                found;
    ngx_http_b24_ask_t        ask;
    ngx_http_b24_call_t       call;
} ngx_http_b24_settle_t;


static void ngx_http_b24_settle_load(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_settle_loaded(ngx_http_b24_call_t *call);
static void ngx_http_b24_settle_run(ngx_http_b24_ask_t *ask,
    b24_database_t *db);
static ngx_int_t ngx_http_b24_settle_one(ngx_http_b24_settle_t *s,
    b24_database_t *db, ngx_http_b24_settled_t *settled);
static ngx_int_t ngx_http_b24_settle_matches(ngx_http_b24_settle_t *s,
    ngx_http_b24_settled_t *settled, b24_order_t **found, size_t n);
static void ngx_http_b24_settle_asked(ngx_http_b24_ask_t *ask);
static void ngx_http_b24_settle_store(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_settle_stored(ngx_http_b24_call_t *call);
static void ngx_http_b24_settle_end(ngx_http_b24_settle_t *s);


ngx_int_t
ngx_http_b24_settle_init(ngx_cycle_t *cycle, ngx_http_b24_reader_t *r)
{
    ngx_http_b24_settle_t  *s;

    s = ngx_pcalloc(cycle->pool, sizeof(ngx_http_b24_settle_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    s->reader = r;
    s->ask.data = s;
    s->ask.run = ngx_http_b24_settle_run;
    s->ask.done = ngx_http_b24_settle_asked;
    s->call.data = s;

    r->settle = s;

    return NGX_OK;
}


ngx_uint_t
ngx_http_b24_settle_busy(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_settle_t  *s = r->settle;

    return s->busy;
}


void
ngx_http_b24_settle_tick(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_settle_t  *s = r->settle;

    if (s->busy || r->origin->sh->counts[B24_STATE_UNCONFIRMED] == 0
        || ngx_http_b24_database_paused(r)
        || ngx_time() - s->last < NGX_HTTP_B24_SETTLE_EVERY)
    {
        return;
    }

    s->pool = b24_pool_create(0);
    if (s->pool == NULL) {
        return;
    }

    s->busy = 1;
    s->last = ngx_time();
    s->now = ngx_http_b24_now();
    s->count = 0;
    s->found = 0;
    s->nrecords = 0;

    s->call.run = ngx_http_b24_settle_load;
    s->call.done = ngx_http_b24_settle_loaded;
    s->call.silent = 1;

    ngx_http_b24_store_call(&s->call);
}


static void
ngx_http_b24_settle_load(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_settle_t  *s = call->data;

    if (q) {
        call->rc = b24_queue_unsettled(q, s->pool, &s->reader->origin->name,
                                       &s->at, NGX_HTTP_B24_SETTLE_MAX,
                                       &s->records, &s->nrecords);
    }
}


static void
ngx_http_b24_settle_loaded(ngx_http_b24_call_t *call)
{
    ngx_http_b24_settle_t  *s = call->data;

    size_t  i;

    if (call->rc != B24_QUEUE_OK || s->nrecords == 0) {
        ngx_http_b24_settle_end(s);
        return;
    }

    s->settled = b24_pcalloc(s->pool,
                             s->nrecords * sizeof(ngx_http_b24_settled_t));
    if (s->settled == NULL) {
        ngx_http_b24_settle_end(s);
        return;
    }

    for (i = 0; i < s->nrecords; i++) {
        s->settled[i].record = &s->records[i];
        s->settled[i].rc = B24_DATABASE_UNASKED;
    }

    ngx_http_b24_database_ask(s->reader, &s->ask);
}


/* in the database's thread; the first that fails ends the round */

static void
ngx_http_b24_settle_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_settle_t  *s = ask->data;

    size_t                   i;
    ngx_http_b24_settled_t  *settled;

    ask->rc = B24_DATABASE_UNASKED;

    for (i = 0; i < s->nrecords; i++) {
        settled = &s->settled[i];

        if (ngx_http_b24_settle_one(s, db, settled) != NGX_OK) {
            settled->rc = B24_DATABASE_UNASKED;
            settled->nmatches = 0;
            continue;
        }

        if (settled->rc == B24_DATABASE_UNASKED) {
            continue;
        }

        ask->rc = settled->rc;

        if (ask->rc != B24_DATABASE_OK && ask->rc != B24_DATABASE_NONE) {
            return;
        }
    }
}


static ngx_int_t
ngx_http_b24_settle_one(ngx_http_b24_settle_t *s, b24_database_t *db,
    ngx_http_b24_settled_t *settled)
{
    size_t             n;
    b24_order_t       *order, *found[B24_DATABASE_ORDERS];
    const b24_shop_t  *shop;

    if (b24_order_parse(s->pool, &settled->record->data, &order) != B24_OK) {
        return NGX_ERROR;
    }

    shop = b24_rules_find(ngx_http_b24_main->rules, &order->shop);

    if (shop == NULL
        || b24_shop_statement(shop, B24_STATEMENT_ORDER) == NULL)
    {
        return NGX_ERROR;
    }

    order->origin = s->reader->origin->name;
    order->placed = settled->record->created;

    if (settled->record->order_id.len) {
        order->fields[B24_ORDER_ID] = settled->record->order_id;
    }

    settled->loose = b24_order_loose(order);
    settled->rc = b24_database_order(db, s->pool, shop, order, found, &n);

    return settled->rc == B24_DATABASE_OK
           ? ngx_http_b24_settle_matches(s, settled, found, n) : NGX_OK;
}


static ngx_int_t
ngx_http_b24_settle_matches(ngx_http_b24_settle_t *s,
    ngx_http_b24_settled_t *settled, b24_order_t **found, size_t n)
{
    size_t              i;
    b24_buf_t           buf;
    b24_order_t        *order;
    b24_queue_match_t  *m;

    settled->matches = b24_pcalloc(s->pool, n * sizeof(b24_queue_match_t));
    if (settled->matches == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        order = found[i];

        if (order->fields[B24_ORDER_ID].len == 0) {
            continue;
        }

        m = &settled->matches[settled->nmatches++];

        order->read = 1;
        m->order_id = order->fields[B24_ORDER_ID];

        m->fingerprint.len = 16;
        m->fingerprint.data = b24_palloc(s->pool, 17);

        if (m->fingerprint.data == NULL
            || b24_order_print(s->pool, order, &m->data) != B24_OK)
        {
            return NGX_ERROR;
        }

        b24_order_fingerprint(order, (char *) m->fingerprint.data);
    }

    settled->put.origin = s->reader->origin->name;
    settled->put.state = B24_STATE_ACCEPTED;
    settled->put.now = s->now;

    /* "shop/block", as intake names it */

    b24_buf_init(&buf, s->pool);
    b24_buf_addstr(&buf, &found[0]->shop);

    if (found[0]->rule.len) {
        b24_buf_addc(&buf, '/');
        b24_buf_addstr(&buf, &found[0]->rule);
    }

    return b24_buf_str(&buf, &settled->put.rule) == B24_OK ? NGX_OK
                                                           : NGX_ERROR;
}


static void
ngx_http_b24_settle_asked(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_settle_t  *s = ask->data;

    s->call.run = ngx_http_b24_settle_store;
    s->call.done = ngx_http_b24_settle_stored;
    s->call.silent = 0;

    ngx_http_b24_store_call(&s->call);
}


static void
ngx_http_b24_settle_store(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_settle_t  *s = call->data;

    size_t                   i;
    b24_queue_rc_e           rc;
    ngx_http_b24_settled_t  *settled;
    b24_queue_put_result_t   result;

    for (i = 0; q && i < s->nrecords; i++) {
        settled = &s->settled[i];
        rc = B24_QUEUE_NONE;

        if (settled->nmatches) {
            rc = b24_queue_found(q, s->pool, settled->record->record,
                                 &settled->put, settled->matches,
                                 settled->nmatches, settled->loose, &result);

            s->found += (rc == B24_QUEUE_OK);
        }

        /* what was found may be other records', all of it */

        if (rc == B24_QUEUE_NONE
            && (settled->rc == B24_DATABASE_NONE || settled->nmatches)
            && s->now - settled->record->created
               >= (int64_t) s->reader->origin->conf->database->absent)
        {
            rc = b24_queue_absent(q, s->pool, settled->record->record);
        }

        s->count += (rc == B24_QUEUE_OK);

        if (rc != B24_QUEUE_OK && rc != B24_QUEUE_NONE) {
            call->rc = rc;
            return;
        }
    }
}


static void
ngx_http_b24_settle_stored(ngx_http_b24_call_t *call)
{
    ngx_http_b24_settle_t  *s = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    if (call->rc != B24_QUEUE_OK && ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: what the shop's database knows of unconfirmed "
                      "orders is not written down: %s",
                      b24_queue_strerror(call->rc));
    }

    s->reader->origin->sh->db[NGX_HTTP_B24_DB_SETTLED] += s->count;

    ngx_http_b24_settle_end(s);

    if (s->found) {
        ngx_http_b24_deliver_kick();
    }
}


static void
ngx_http_b24_settle_end(ngx_http_b24_settle_t *s)
{
    b24_pool_destroy(s->pool);

    s->pool = NULL;
    s->settled = NULL;
    s->busy = 0;
}
