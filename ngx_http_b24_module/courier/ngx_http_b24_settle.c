
/*
 * Orders whose answer was not seen, or had no number: the shop's database tells
 * whether they are there.  Found: accepted, with all that it knows; not there
 * after ten minutes: rejected.  What can't be looked up waits for a person.
 *
 * Orders that went out unread, since the database was away or had them not yet:
 * what the shop calls them is asked for afterwards, so that "changes" doesn't
 * bring them once more.  A bank may finish an order hours later: they are
 * looked for during a day, after "absent" slower, and whenever "changes" has
 * seen an order that nobody knows, before that one comes in.
 */


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_SETTLE_EVERY  3            /* s */
#define NGX_HTTP_B24_SETTLE_ALIKE  120          /* s; what was imported and what
                                                   was not seen is compared for
                                                   so long */
#define NGX_HTTP_B24_SETTLE_MAX    50           /* records of each a round */
#define NGX_HTTP_B24_SETTLE_SLOW   30           /* s; those older than absent */
#define NGX_HTTP_B24_SETTLE_UNREAD 86400000     /* ms; then they are given up */


typedef struct {
    b24_queue_unsettled_t    *record;
    ngx_uint_t                unread;
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
    int64_t                   unread_at;    /* of those that went out unread */
    int64_t                   since;        /* 0: a pass of them all, else of
                                               those placed since then */
    time_t                    slow;         /* when the last of all began */
    ngx_uint_t                pass;         /* what "unread" was then */
    ngx_uint_t                whole;        /* all of it was asked so far */
    ngx_uint_t                more;         /* some of it were not there */
    ngx_uint_t                young;        /* nor are some that are soon */
    ngx_uint_t                left;         /* what was so before: any */
    ngx_uint_t                imported;     /* how many there were */
    time_t                    alike_till;
    ngx_uint_t                alike;        /* some came in lately */
    ngx_uint_t                soon;         /* and any of the young ones */
    ngx_uint_t                unsettled;    /* the round has such records */
    ngx_uint_t                unread;
    int64_t                   now;
    b24_pool_t               *pool;
    b24_queue_unsettled_t    *records;
    size_t                    nrecords;
    b24_queue_unsettled_t    *others;       /* that went out unread */
    size_t                    nothers;
    ngx_http_b24_settled_t   *settled;
    size_t                    nsettled;
    ngx_uint_t                count;        /* found or given up */
    ngx_uint_t                found;        /* something is to be delivered */
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
    ngx_http_b24_settled_t *settled, const b24_order_t *known,
    b24_order_t **found, size_t n);
static void ngx_http_b24_settle_asked(ngx_http_b24_ask_t *ask);
static void ngx_http_b24_settle_store(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_settle_stored(ngx_http_b24_call_t *call);
static b24_queue_rc_e ngx_http_b24_settle_state(ngx_http_b24_settle_t *s,
    b24_queue_t *q, ngx_http_b24_settled_t *settled);
static b24_queue_rc_e ngx_http_b24_settle_number(ngx_http_b24_settle_t *s,
    b24_queue_t *q, ngx_http_b24_settled_t *settled);
static ngx_uint_t ngx_http_b24_settle_slow(ngx_http_b24_settle_t *s);
static ngx_uint_t ngx_http_b24_settle_absent(ngx_http_b24_settle_t *s,
    ngx_http_b24_settled_t *settled);
static void ngx_http_b24_settle_passed(ngx_http_b24_settle_t *s);
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
    s->ask.statement = B24_STATEMENT_ORDER;
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

    if (s->busy || ngx_http_b24_database_paused(r)
        || ngx_time() - s->last < NGX_HTTP_B24_SETTLE_EVERY)
    {
        return;
    }

    s->unsettled = (r->origin->sh->counts[B24_STATE_UNCONFIRMED] != 0);

    if (s->imported != r->origin->sh->db[NGX_HTTP_B24_DB_IMPORTED]) {
        s->imported = r->origin->sh->db[NGX_HTTP_B24_DB_IMPORTED];
        s->alike_till = ngx_time() + NGX_HTTP_B24_SETTLE_ALIKE;
    }

    s->alike = (ngx_time() < s->alike_till);
    s->unread = (s->soon || s->unread_at || r->looked != r->unread
                 || ngx_http_b24_settle_slow(s));

    if (!s->unsettled && !s->unread) {
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
    s->nothers = 0;

    if (s->unread && s->unread_at == 0) {
        s->pass = r->unread;
        s->more = 0;
        s->young = 0;
        s->whole = 1;
        s->since = s->now - (int64_t) r->origin->conf->database->absent;

        if (r->looked != r->unread || ngx_http_b24_settle_slow(s)) {
            s->since = 0;
            s->slow = ngx_time();
        }
    }

    s->call.run = ngx_http_b24_settle_load;
    s->call.done = ngx_http_b24_settle_loaded;
    s->call.silent = 1;

    ngx_http_b24_store_call(&s->call);
}


static void
ngx_http_b24_settle_load(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_settle_t  *s = call->data;

    if (q && s->unsettled) {
        call->rc = b24_queue_unsettled(q, s->pool, &s->reader->origin->name,
                                       &s->at, NGX_HTTP_B24_SETTLE_MAX,
                                       &s->records, &s->nrecords);
    }

    if (q && s->unread && call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_unread(q, s->pool, &s->reader->origin->name,
                                    s->unread_at, s->since,
                                    NGX_HTTP_B24_SETTLE_MAX, &s->others,
                                    &s->nothers);
    }
}


static void
ngx_http_b24_settle_loaded(ngx_http_b24_call_t *call)
{
    ngx_http_b24_settle_t  *s = call->data;

    size_t                   i;
    ngx_http_b24_settled_t  *settled;

    if (call->rc != B24_QUEUE_OK) {
        ngx_http_b24_settle_end(s);
        return;
    }

    s->nsettled = s->nrecords + s->nothers;

    if (s->nsettled == 0) {
        ngx_http_b24_settle_passed(s);
        ngx_http_b24_settle_end(s);
        return;
    }

    s->settled = b24_pcalloc(s->pool,
                             s->nsettled * sizeof(ngx_http_b24_settled_t));
    if (s->settled == NULL) {
        ngx_http_b24_settle_end(s);
        return;
    }

    for (i = 0; i < s->nsettled; i++) {
        settled = &s->settled[i];

        settled->unread = (i >= s->nrecords);
        settled->record = settled->unread ? &s->others[i - s->nrecords]
                                          : &s->records[i];
        settled->rc = B24_DATABASE_NOMEM;
    }

    ngx_http_b24_database_ask(s->reader, &s->ask);
}


/*
 * In the database's thread; the first that fails ends the round, those behind
 * it come with a later one
 */

static void
ngx_http_b24_settle_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_settle_t  *s = ask->data;

    size_t                   i;
    ngx_http_b24_settled_t  *settled;

    ask->rc = B24_DATABASE_UNASKED;

    for (i = 0; i < s->nsettled; i++) {
        settled = &s->settled[i];

        if (ngx_http_b24_settle_one(s, db, settled) != NGX_OK) {
            settled->rc = B24_DATABASE_NOMEM;
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
    int                rc;
    size_t             n;
    b24_order_t       *order, *found[B24_DATABASE_ORDERS];
    const b24_shop_t  *shop;

    rc = b24_order_parse(s->pool, &settled->record->data, &order);

    if (rc == B24_ERROR) {
        return NGX_ERROR;
    }

    shop = rc == B24_OK ? b24_rules_find(ngx_http_b24_main->rules,
                                         &order->shop)
                        : NULL;

    if (shop == NULL
        || b24_shop_statement(shop, B24_STATEMENT_ORDER) == NULL)
    {
        settled->rc = B24_DATABASE_UNASKED;
        return NGX_OK;
    }

    order->origin = s->reader->origin->name;
    order->placed = settled->record->created;

    if (settled->record->order_id.len) {
        order->fields[B24_ORDER_ID] = settled->record->order_id;
    }

    settled->loose = b24_order_loose(order);
    settled->rc = b24_database_order(db, s->pool, shop, order, found, &n);

    return settled->rc == B24_DATABASE_OK
           ? ngx_http_b24_settle_matches(s, settled, order, found, n) : NGX_OK;
}


static ngx_int_t
ngx_http_b24_settle_matches(ngx_http_b24_settle_t *s,
    ngx_http_b24_settled_t *settled, const b24_order_t *known,
    b24_order_t **found, size_t n)
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

        m->order_id = order->fields[B24_ORDER_ID];
        m->row = order->fields[B24_ORDER_ROW];

        if (settled->unread) {

            /* its deal is in the shop already where the key was known */

            if (known->fields[B24_ORDER_ROW].len == 0
                && ngx_http_b24_reader_link(s->reader->origin, s->pool, order,
                                            &m->link)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        /* what has no goods yet is read again, as any other */

        order->read = (b24_order_goods(order) == B24_OK);
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

    for (i = 0; q && i < s->nsettled; i++) {
        settled = &s->settled[i];

        rc = settled->unread ? ngx_http_b24_settle_number(s, q, settled)
                             : ngx_http_b24_settle_state(s, q, settled);

        if (rc != B24_QUEUE_OK && rc != B24_QUEUE_NONE) {
            call->rc = rc;
            return;
        }
    }
}


/* of one whose answer was not seen */

static b24_queue_rc_e
ngx_http_b24_settle_state(ngx_http_b24_settle_t *s, b24_queue_t *q,
    ngx_http_b24_settled_t *settled)
{
    b24_queue_rc_e          rc;
    b24_queue_put_result_t  result;

    rc = B24_QUEUE_NONE;

    /* nothing can be asked for: it may have come in from there */

    if (settled->rc == B24_DATABASE_UNASKED
        && (s->alike || s->now - settled->record->created
                        < 1000 * NGX_HTTP_B24_SETTLE_ALIKE))
    {
        rc = b24_queue_alike(q, s->pool, settled->record->record, s->now);
    }

    if (settled->nmatches) {
        rc = b24_queue_found(q, s->pool, settled->record->record,
                             &settled->put, settled->matches,
                             settled->nmatches, settled->loose, &result);

        if (rc == B24_QUEUE_OK && result.state == B24_STATE_UNCONFIRMED) {
            return rc;
        }

        s->found += (rc == B24_QUEUE_OK);
    }

    if (rc == B24_QUEUE_NONE && ngx_http_b24_settle_absent(s, settled)) {
        rc = b24_queue_absent(q, s->pool, settled->record->record);
    }

    s->count += (rc == B24_QUEUE_OK);

    return rc;
}


/* of one that went out unread */

static b24_queue_rc_e
ngx_http_b24_settle_number(ngx_http_b24_settle_t *s, b24_queue_t *q,
    ngx_http_b24_settled_t *settled)
{
    int64_t         age;
    b24_state_e     state;
    b24_queue_rc_e  rc;
    ngx_uint_t      late;

    rc = B24_QUEUE_NONE;
    age = s->now - settled->record->created;
    late = (age >= NGX_HTTP_B24_SETTLE_UNREAD);

    if (settled->nmatches) {
        rc = b24_queue_recognize(q, s->pool, settled->record->record,
                                 settled->matches, settled->nmatches,
                                 settled->loose, s->now, &state);

        s->found += (rc == B24_QUEUE_OK);
    }

    switch (settled->rc) {

    case B24_DATABASE_OK:
    case B24_DATABASE_NONE:
        break;

    case B24_DATABASE_UNASKED:
        late = 1;
        break;

    case B24_DATABASE_SQL:
    case B24_DATABASE_LARGE:
        s->whole = 0;
        break;

    default:
        s->whole = 0;
        late = 0;
        break;
    }

    if (rc == B24_QUEUE_NONE && late) {
        rc = b24_queue_unrecognized(q, settled->record->record);
    }

    if (rc != B24_QUEUE_OK) {
        s->more = 1;
        s->young |= age < (int64_t) s->reader->origin->conf->database->absent;
    }

    return rc;
}


/* those older than "absent" may be asked for, too */

static ngx_uint_t
ngx_http_b24_settle_slow(ngx_http_b24_settle_t *s)
{
    return s->left && ngx_time() - s->slow >= NGX_HTTP_B24_SETTLE_SLOW;
}


/* the database doesn't have it, or what it has is others', for long enough */

static ngx_uint_t
ngx_http_b24_settle_absent(ngx_http_b24_settle_t *s,
    ngx_http_b24_settled_t *settled)
{
    return (settled->rc == B24_DATABASE_NONE || settled->nmatches)
           && s->now - settled->record->created
              >= (int64_t) s->reader->origin->conf->database->absent;
}


static void
ngx_http_b24_settle_stored(ngx_http_b24_call_t *call)
{
    ngx_http_b24_settle_t  *s = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    if (call->rc != B24_QUEUE_OK) {
        s->whole = 0;

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: what the shop's database knows of unconfirmed "
                          "orders is not written down: %s",
                          b24_queue_strerror(call->rc));
        }
    }

    s->reader->origin->sh->db[NGX_HTTP_B24_DB_SETTLED] += s->count;

    ngx_http_b24_settle_passed(s);
    ngx_http_b24_settle_end(s);

    if (s->found) {
        ngx_http_b24_deliver_kick();
    }
}


/* where the next part of those that went out unread begins */

static void
ngx_http_b24_settle_passed(ngx_http_b24_settle_t *s)
{
    size_t  i;

    if (!s->unread) {
        return;
    }

    /* behind the one that failed: it must not stop the others */

    for (i = s->nrecords; i < s->nsettled; i++) {
        s->unread_at = s->settled[i].record->record;

        if (s->settled[i].rc != B24_DATABASE_OK
            && s->settled[i].rc != B24_DATABASE_NONE
            && s->settled[i].rc != B24_DATABASE_UNASKED)
        {
            return;
        }
    }

    if (s->nothers == NGX_HTTP_B24_SETTLE_MAX) {
        return;
    }

    s->unread_at = 0;
    s->soon = s->young || !s->whole;

    if (s->since) {

        /* who was young may be old now */

        s->left |= s->more || !s->whole;
        return;
    }

    s->left = s->more || !s->whole;

    if (s->whole) {
        s->reader->looked = s->pass;
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
