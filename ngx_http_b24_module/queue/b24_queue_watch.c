
/*
 * Deals that move in the CRM: whom a portal has told of, what it says of them,
 * and what of that is news.
 */

#include <stdio.h>

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_moved_one(b24_queue_t *q,
    const b24_str_t *portal, const b24_str_t *origins, size_t norigins,
    int64_t deal, int64_t now);
static b24_queue_rc_e b24_queue_put_history(b24_queue_t *q,
    const b24_str_t *portal, int64_t history);
static b24_queue_rc_e b24_queue_watched_one(b24_queue_t *q,
    const b24_str_t *origins, size_t norigins, const b24_queue_moved_t *deal,
    int64_t now, int *news, int *busy);
static b24_queue_rc_e b24_queue_deal_record(b24_queue_t *q,
    const b24_str_t *origins, size_t norigins, int64_t deal, int64_t *record,
    b24_state_e *state);
static int b24_queue_of(const b24_str_t *origin, const b24_str_t *origins,
    size_t n);
static b24_queue_rc_e b24_queue_crm_moved(b24_queue_t *q, int64_t record,
    b24_state_e state, const b24_queue_moved_t *deal, int64_t now, int *news);


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

    if (rc != B24_QUEUE_OK || !ours) {
        return rc;
    }

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
    const b24_str_t *origins, size_t norigins, const b24_queue_moved_t *deals,
    size_t ndeals, int64_t now, size_t *news, size_t *left)
{
    int             new, busy;
    size_t          i;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *news = 0;
    *left = 0;

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < ndeals; i++) {
        rc = b24_queue_watched_one(q, origins, norigins, &deals[i], now, &new,
                                   &busy);
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
b24_queue_watched_one(b24_queue_t *q, const b24_str_t *origins,
    size_t norigins, const b24_queue_moved_t *deal, int64_t now, int *news,
    int *busy)
{
    int64_t         record;
    b24_state_e     state;
    b24_queue_rc_e  rc;

    *news = 0;
    *busy = 0;

    rc = b24_queue_deal_record(q, origins, norigins, deal->id, &record,
                               &state);

    if (rc != B24_QUEUE_OK || record == 0) {
        return rc;
    }

    /* what is on its way may have come there before this was read, or after */

    if (state == B24_STATE_SENDING) {
        *busy = 1;
        return B24_QUEUE_OK;
    }

    return b24_queue_crm_moved(q, record, state, deal, now, news);
}


/* 0: there is none; its state is DELIVERED when only its link is left */

static b24_queue_rc_e
b24_queue_deal_record(b24_queue_t *q, const b24_str_t *origins,
    size_t norigins, int64_t deal, int64_t *record, b24_state_e *state)
{
    b24_str_t    origin, name;
    b24_query_t  query;

    *record = 0;
    *state = B24_STATE_DELIVERED;

    b24_query_init(&query, q, B24_SQL_DEAL_RECORDS);
    b24_query_int(&query, deal);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &origin);

        if (!b24_queue_of(&origin, origins, norigins)
            || b24_query_get_int(&query, 1) <= *record)
        {
            continue;
        }

        *record = b24_query_get_int(&query, 1);
        b24_query_peek_str(&query, 2, &name);
        *state = b24_state_find(&name);
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
b24_queue_crm_moved(b24_queue_t *q, int64_t record, b24_state_e state,
    const b24_queue_moved_t *deal, int64_t now, int *news)
{
    char               cause[128];
    b24_pool_t        *pool;
    b24_queue_rc_e     rc;
    b24_queue_seen_t   seen, put;
    const b24_str_t   *known;

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return B24_QUEUE_NOMEM;
    }

    memset(&put, 0, sizeof(b24_queue_seen_t));

    rc = b24_queue_load_seen(q, pool, record, &seen);

    /* where it is as far as we know: the latest of the two */

    known = &seen.held;

    if (seen.sent.len
        && (seen.held.len == 0 || seen.sent_time > seen.held_time))
    {
        known = &seen.sent;
    }

    *news = rc == B24_QUEUE_OK && known->len
            && !b24_str_eq(known, &deal->stage);

    if (*news && deal->stage.len == 0) {
        rc = b24_queue_note(q, record, state,
                            "the deal is not in the CRM any more", now);

    } else if (*news) {
        put.held = deal->stage;
        put.held_time = now;

        /* the portal's clock tells seconds, and ours may be another */

        put.moved = deal->moved ? deal->moved : now;

        if (put.moved <= seen.sent_time) {
            put.moved = seen.sent_time + 1;
        }

        (void) snprintf(cause, sizeof(cause), "the deal was moved to \"%.*s\" "
                        "in the CRM", (int) deal->stage.len,
                        (char *) deal->stage.data);

        rc = b24_queue_put_seen(q, record, &put);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_note(q, record, state, cause, now);
        }

    } else if (rc == B24_QUEUE_OK && known->len == 0 && deal->stage.len) {
        put.held = deal->stage;
        put.held_time = now;

        rc = b24_queue_put_seen(q, record, &put);
    }

    b24_pool_destroy(pool);

    return rc;
}
