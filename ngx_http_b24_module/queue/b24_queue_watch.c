
/*
 * Deals that move in the CRM: whom a portal has told of, what it says of them,
 * and what of that is news.
 */

#include <stdio.h>

#include "b24_queue_int.h"


/* whose deals are looked at */
typedef struct {
    const b24_str_t  *origins;
    size_t            norigins;
    const b24_str_t  *writers;      /* of these */
    size_t            nwriters;
    int64_t           asked;        /* the portal, and its answer */
    int64_t           now;
} b24_watch_t;

/* the order of a deal */
typedef struct {
    b24_str_t         origin;
    b24_str_t         order_id;
    int64_t           record;       /* 0: it has gone */
    b24_state_e       state;
    int64_t           seen;         /* the row of "seen", 0: there is none, nor
                                       an order that is known */
} b24_deal_order_t;


static b24_queue_rc_e b24_queue_moved_one(b24_queue_t *q,
    const b24_str_t *portal, const b24_str_t *origins, size_t norigins,
    int64_t deal, int64_t now);
static b24_queue_rc_e b24_queue_put_history(b24_queue_t *q,
    const b24_str_t *portal, int64_t history);
static b24_queue_rc_e b24_queue_watched_one(b24_queue_t *q,
    const b24_watch_t *w, const b24_queue_moved_t *deal, int *news, int *busy);
static b24_queue_rc_e b24_queue_deal_order(b24_queue_t *q, b24_pool_t *pool,
    const b24_watch_t *w, int64_t deal, b24_deal_order_t *order);
static int b24_queue_of(const b24_str_t *origin, const b24_str_t *origins,
    size_t n);
static b24_queue_rc_e b24_queue_crm_moved(b24_queue_t *q, b24_pool_t *pool,
    const b24_watch_t *w, b24_deal_order_t *order,
    const b24_queue_moved_t *deal, int *news, int *busy);
static int b24_queue_since(const b24_watch_t *w, int64_t time);
static b24_queue_rc_e b24_queue_crm_news(b24_queue_t *q, const b24_watch_t *w,
    b24_deal_order_t *order, const b24_queue_moved_t *deal);


b24_queue_rc_e
b24_queue_moved(b24_queue_t *q, const b24_str_t *portal,
    const b24_str_t *origins, size_t norigins, const int64_t *deals,
    size_t ndeals, int64_t history, int64_t now)
{
    size_t          i;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < ndeals; i++) {
        rc = b24_queue_moved_one(q, portal, origins, norigins, deals[i], now);
    }

    if (rc == B24_QUEUE_OK && history) {
        rc = b24_queue_put_history(q, portal, history);
    }

    return b24_queue_finish(q, rc);
}


/* most deals of a portal are none of ours */

static b24_queue_rc_e
b24_queue_moved_one(b24_queue_t *q, const b24_str_t *portal,
    const b24_str_t *origins, size_t norigins, int64_t deal, int64_t now)
{
    int             ours;
    b24_str_t       origin;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    ours = 0;

    b24_query_init(&query, q, B24_SQL_DEAL_ORIGINS);
    b24_query_int(&query, deal);

    while (!ours && b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &origin);
        ours = b24_queue_of(&origin, origins, norigins);
    }

    rc = b24_query_end(&query);

    return rc == B24_QUEUE_OK && ours
           ? b24_queue_put_moved(q, portal, deal, now) : rc;
}


b24_queue_rc_e
b24_queue_put_moved(b24_queue_t *q, const b24_str_t *portal, int64_t deal,
    int64_t now)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_PUT_MOVED);
    b24_query_text(&query, portal);
    b24_query_int(&query, deal);
    b24_query_int(&query, now);

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_put_history(b24_queue_t *q, const b24_str_t *portal,
    int64_t history)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_PUT_HISTORY);
    b24_query_text(&query, portal);
    b24_query_int(&query, history);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_watch(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *portal,
    size_t max, b24_queue_moved_t **deals, size_t *n, int64_t *history)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *n = 0;
    *history = 0;

    *deals = b24_pcalloc(pool, max * sizeof(b24_queue_moved_t));
    if (*deals == NULL) {
        return B24_QUEUE_NOMEM;
    }

    b24_query_init(&query, q, B24_SQL_MOVED);
    b24_query_text(&query, portal);
    b24_query_int(&query, (int64_t) max);

    while (*n < max && b24_query_row(&query) == B24_QUEUE_OK) {
        (*deals)[*n].id = b24_query_get_int(&query, 0);
        (*deals)[*n].told = b24_query_get_int(&query, 1);
        (*n)++;
    }

    rc = b24_query_end(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_HISTORY);
    b24_query_text(&query, portal);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        *history = b24_query_get_int(&query, 0);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_watched(b24_queue_t *q, const b24_str_t *portal,
    const b24_str_t *origins, size_t norigins, const b24_str_t *writers,
    size_t nwriters, const b24_queue_moved_t *deals, size_t ndeals,
    int64_t asked, int64_t now, size_t *news, size_t *left)
{
    int             new, busy;
    size_t          i;
    b24_watch_t     w;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *news = 0;
    *left = 0;

    w.origins = origins;
    w.norigins = norigins;
    w.writers = writers;
    w.nwriters = nwriters;
    w.asked = asked;
    w.now = now;

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < ndeals; i++) {
        rc = b24_queue_watched_one(q, &w, &deals[i], &new, &busy);
        if (rc != B24_QUEUE_OK) {
            break;
        }

        *news += (size_t) new;

        if (busy) {
            (*left)++;
            continue;
        }

        b24_query_init(&query, q, B24_SQL_DROP_MOVED);
        b24_query_text(&query, portal);
        b24_query_int(&query, deals[i].id);
        b24_query_int(&query, deals[i].told);

        rc = b24_query_done(&query);

        if (rc == B24_QUEUE_OK && sqlite3_changes(q->db) == 0) {
            (*left)++;
        }
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_watched_one(b24_queue_t *q, const b24_watch_t *w,
    const b24_queue_moved_t *deal, int *news, int *busy)
{
    b24_pool_t        *pool;
    b24_queue_rc_e     rc;
    b24_deal_order_t   order;

    *news = 0;
    *busy = 0;

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = b24_queue_deal_order(q, pool, w, deal->id, &order);

    if (rc == B24_QUEUE_OK && order.state == B24_STATE_SENDING) {

        /* what is on its way may have come there before this was read, or
         * after */

        *busy = 1;

    } else if (rc == B24_QUEUE_OK && order.seen) {
        rc = b24_queue_crm_moved(q, pool, w, &order, deal, news, busy);
    }

    if (rc == B24_QUEUE_LIMIT) {

        /* no room to make its record anew, which others don't wait for */

        *news = 0;
        *busy = 1;

        rc = B24_QUEUE_OK;
    }

    b24_pool_destroy(pool);

    return rc;
}


/* of several orders with this deal the latest that has a record */

static b24_queue_rc_e
b24_queue_deal_order(b24_queue_t *q, b24_pool_t *pool, const b24_watch_t *w,
    int64_t deal, b24_deal_order_t *order)
{
    int64_t         record;
    b24_str_t       origin, name;
    int64_t         seen;
    b24_query_t     query;

    memset(order, 0, sizeof(b24_deal_order_t));

    b24_query_init(&query, q, B24_SQL_DEAL_RECORDS);
    b24_query_int(&query, deal);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &origin);
        record = b24_query_get_int(&query, 1);
        seen = record ? record : b24_query_get_int(&query, 4);

        if (seen == 0 || !b24_queue_of(&origin, w->origins, w->norigins)
            || (order->seen && record <= order->record))
        {
            continue;
        }

        b24_query_get_str(&query, 0, pool, &order->origin);
        b24_query_get_str(&query, 3, pool, &order->order_id);

        b24_query_peek_str(&query, 2, &name);
        order->state = record ? b24_state_find(&name) : B24_STATE_DELIVERED;
        order->record = record;
        order->seen = seen;
    }

    return b24_query_end(&query);
}


static int
b24_queue_of(const b24_str_t *origin, const b24_str_t *origins, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (b24_str_eq(origin, &origins[i])) {
            return 1;
        }
    }

    return 0;
}


static b24_queue_rc_e
b24_queue_crm_moved(b24_queue_t *q, b24_pool_t *pool, const b24_watch_t *w,
    b24_deal_order_t *order, const b24_queue_moved_t *deal, int *news,
    int *busy)
{
    b24_queue_rc_e    rc;
    b24_queue_seen_t  seen, put;

    rc = b24_queue_load_seen(q, pool, order->seen, &seen);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    /* what was written meanwhile may have come there before it was read */

    if (b24_queue_since(w, seen.sent_time)
        || b24_queue_since(w, seen.held_time))
    {
        *busy = 1;
        return B24_QUEUE_OK;
    }

    if (seen.sent.len == 0 && seen.held.len == 0) {

        /* one that isn't delivered yet is looked at when it is */

        if (deal->stage.len == 0 || order->record == 0
            || order->state != B24_STATE_DELIVERED)
        {
            return B24_QUEUE_OK;
        }

        memset(&put, 0, sizeof(b24_queue_seen_t));

        put.held = deal->stage;
        put.held_time = w->now;
        put.stamp = deal->stamp;

        return b24_queue_put_seen(q, order->record, &put);
    }

    if (b24_queue_seen_known(&seen, &deal->stage, deal->stamp)) {

        if (seen.stamp || deal->stamp == 0 || order->record == 0
            || !b24_str_eq(&seen.held, &deal->stage))
        {
            return B24_QUEUE_OK;
        }

        /* from here on it is known */

        memset(&put, 0, sizeof(b24_queue_seen_t));

        put.stamp = deal->stamp;

        return b24_queue_put_seen(q, order->record, &put);
    }

    if (deal->stage.len == 0) {
        *news = (order->record != 0);

        return *news ? b24_queue_note(q, order->record, order->state,
                                      "the deal is not in the CRM any more",
                                      w->now)
                     : B24_QUEUE_OK;
    }

    *news = 1;

    return b24_queue_crm_news(q, w, order, deal);
}


/* while the portal was asked; a time to come is one of a clock that was set
 * back since */

static int
b24_queue_since(const b24_watch_t *w, int64_t time)
{
    return time >= w->asked && time <= w->now;
}


/* of one that has gone nobody is told, where the shop isn't */

static b24_queue_rc_e
b24_queue_crm_news(b24_queue_t *q, const b24_watch_t *w,
    b24_deal_order_t *order, const b24_queue_moved_t *deal)
{
    int               back, revived;
    char              cause[128];
    b24_queue_rc_e    rc;
    b24_queue_seen_t  put;

    static const b24_str_t  nothing = b24_string("{}");

    back = b24_queue_of(&order->origin, w->writers, w->nwriters);
    revived = back && order->record == 0;
    rc = B24_QUEUE_OK;

    if (revived) {
        order->state = B24_STATE_ACCEPTED;

        rc = b24_queue_revive(q, &order->origin, &order->order_id,
                              B24_EV_BACK, &nothing, w->now, w->now,
                              &order->record);
    }

    if (rc != B24_QUEUE_OK || order->record == 0) {
        return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
    }

    memset(&put, 0, sizeof(b24_queue_seen_t));

    put.held = deal->stage;
    put.held_time = w->now;
    put.moved = deal->moved ? deal->moved : w->now;
    put.stamp = deal->stamp;

    (void) snprintf(cause, sizeof(cause), "the deal was moved to \"%.*s\" in"
                    " the CRM", (int) deal->stage.len,
                    (char *) deal->stage.data);

    rc = b24_queue_put_seen(q, order->record, &put);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_note(q, order->record, order->state, cause, w->now);
    }

    return rc == B24_QUEUE_OK && back && !revived
           ? b24_queue_look(q, order->record, B24_EV_BACK, &nothing, w->now,
                            w->now)
           : rc;
}
