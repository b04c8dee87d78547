
/*
 * Every operation of the queue, once each: what t/unit/queue_million.c counts
 * and t/bench/queue_million.c measures in queues of different sizes.
 */


#ifndef _QUEUE_MILLION_H_INCLUDED_
#define _QUEUE_MILLION_H_INCLUDED_


#include "queue_fill.h"


#define NOW  (T0 + 3 * DAY)


typedef struct {
    b24_queue_t  *q;
    b24_pool_t   *pool;
    long          rows;
    long          n;                /* of this call, from 1 on */
    char          id[24];           /* of an order that is there */
    char          key[B24_QUEUE_KEY_LEN];
    char          fresh[24];        /* of one that isn't */
} million_t;

typedef int (*million_pt)(million_t *m);


static inline b24_str_t
million_origin(void)
{
    return str(FILL_ORIGIN);
}


/* somewhere in the middle, another one for each call */

static inline void
million_next(million_t *m)
{
    long  row;

    m->n++;
    row = m->rows / 2 + m->n;

    (void) snprintf(m->id, sizeof(m->id), "%08ld", row);
    (void) snprintf(m->fresh, sizeof(m->fresh), "x%ld", m->n);
    b24_queue_key_print(m->key, row);
}


static inline int
million_put(million_t *m)
{
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    queue_put_init(&put, FILL_ORIGIN, m->fresh, "0123456789abcdef", T0);

    return queue_put1(m->q, &put, &a);
}


static inline int
million_twin(million_t *m)
{
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    queue_put_init(&put, FILL_ORIGIN, m->id, "0123456789abcdef", T0);

    return queue_put1(m->q, &put, &a);
}


static inline int
million_journal(million_t *m)
{
    int                      rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    queue_put_init(&put, FILL_ORIGIN, "", "0123456789abcdef", T0);
    put.state = B24_STATE_CAPTURED;
    put.capture = m->n;
    put.owner = "w1";

    rc = queue_put1(m->q, &put, &a);

    if (rc == B24_QUEUE_OK) {
        put.state = B24_STATE_ACCEPTED;
        m->fresh[0] = 'j';
        put.order_id = str(m->fresh);
        put.owner = NULL;
        rc = queue_put1(m->q, &put, &a);
    }

    return rc;
}


static inline int
million_uncapture(million_t *m)
{
    int                      rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    queue_put_init(&put, FILL_ORIGIN, "", "0123456789abcdef", T0);
    put.state = B24_STATE_CAPTURED;
    put.capture = m->n;
    put.owner = "w1";

    rc = queue_put1(m->q, &put, &a);

    if (rc == B24_QUEUE_OK) {
        (void) b24_queue_begin(m->q);
        rc = b24_queue_uncapture(m->q, &put.origin, m->n);
        rc = b24_queue_finish(m->q, (b24_queue_rc_e) rc);
    }

    return rc;
}


static inline int
million_alive(void *data, const char *owner)
{
    (void) data;
    (void) owner;

    return 1;
}


static inline int
million_orphans(million_t *m)
{
    int  n;

    return b24_queue_orphans(m->q, million_alive, NULL, NOW, &n);
}


static inline int
million_claim(million_t *m)
{
    int64_t          next;
    b24_queue_job_t  job;

    return queue_claim(m->q, m->pool, FILL_ORIGIN, "w1", NOW, &job, &next);
}


static inline int
million_claim_many(million_t *m)
{
    int              i;
    size_t           got;
    int64_t          next;
    b24_str_t        o;
    b24_pool_t      *pools[10];
    b24_queue_job_t  jobs[10];

    o = million_origin();

    for (i = 0; i < 10; i++) {
        pools[i] = m->pool;
    }

    return b24_queue_claim_many(m->q, pools, &o, 1, "w1", MINUTE, NOW, jobs,
                                10, &got, &next);
}


static inline int
million_claim_fresh(million_t *m)
{
    int64_t          next;
    b24_str_t        o;
    b24_queue_job_t  job;

    o = million_origin();

    return b24_queue_claim_fresh(m->q, m->pool, &o, 1, "w1", MINUTE, T0, NOW,
                                 &job, &next);
}


static inline int
million_claim_none(million_t *m)
{
    int64_t          next;
    b24_str_t        o;
    b24_queue_job_t  job;

    o = million_origin();

    return b24_queue_claim_fresh(m->q, m->pool, &o, 1, "w1", MINUTE, NOW, NOW,
                                 &job, &next);
}


static inline int
million_claim_back(million_t *m)
{
    int64_t          next;
    b24_str_t        o;
    b24_queue_job_t  job;

    o = million_origin();

    return b24_queue_claim_back(m->q, m->pool, &o, "w1", MINUTE, NOW, &job,
                                &next);
}


static inline int
million_due(million_t *m)
{
    int        n;
    b24_str_t  o;

    o = million_origin();

    return b24_queue_due_count(m->q, &o, 1, NOW, 500, &n);
}


/* a delivery of an order that was put for it, with all that it may leave */

static inline int
million_deliver(million_t *m, b24_state_e state)
{
    int64_t              next;
    b24_str_t            o;
    b24_queue_rc_e       rc;
    b24_queue_job_t      job;
    b24_queue_fact_t     fact;
    b24_queue_outcome_t  out;

    o = million_origin();
    m->fresh[0] = state == B24_STATE_DELIVERED ? 'd' : 'w';
    (void) queue_order(m->q, FILL_ORIGIN, m->fresh, "f", NOW);

    rc = b24_queue_claim_fresh(m->q, m->pool, &o, 1, "w1", MINUTE, NOW, NOW,
                               &job, &next);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&fact, 0, sizeof(b24_queue_fact_t));
    fact.portal = str("portal");
    fact.key = str(m->fresh);
    fact.id = m->n;

    memset(&out, 0, sizeof(b24_queue_outcome_t));
    out.state = state;
    out.next = NOW + HOUR;
    out.cause = state == B24_STATE_DELIVERED ? NULL : "busy";
    out.deal_id = state == B24_STATE_DELIVERED ? 2000000 + m->n : 0;
    out.facts = &fact;
    out.nfacts = 1;
    out.link = str("{\"v\":1}");
    out.watch = str("portal");

    rc = b24_queue_attempt(m->q, "w1", &job, 12, "batch", NULL, MINUTE, NOW);

    return rc == B24_QUEUE_OK ? b24_queue_outcome(m->q, "w1", &job, &out, NOW)
                              : rc;
}


static inline int
million_delivered(million_t *m)
{
    return million_deliver(m, B24_STATE_DELIVERED);
}


static inline int
million_put_off(million_t *m)
{
    return million_deliver(m, B24_STATE_WAITING);
}


static inline int
million_renew(million_t *m)
{
    int64_t  ids[2];

    ids[0] = m->n;
    ids[1] = m->rows / 2;

    return b24_queue_renew(m->q, "w1", ids, 2, MINUTE, NOW);
}


static inline int
million_recover(million_t *m)
{
    b24_str_t  o;

    o = million_origin();

    return b24_queue_recover(m->q, &o, "w1", MINUTE, NOW);
}


static inline int
million_recall(million_t *m)
{
    b24_queue_fact_t  facts[2];

    memset(facts, 0, sizeof(facts));
    facts[0].portal = str("portal");
    facts[0].key = str(m->id);
    facts[1].portal = str("portal");
    facts[1].kind = B24_FACT_EMAIL;
    facts[1].key = str(m->fresh);

    return b24_queue_recall(m->q, facts, 2, DAY, NOW);
}


static inline int
million_learn(million_t *m)
{
    b24_queue_fact_t  fact;

    memset(&fact, 0, sizeof(fact));
    fact.portal = str("portal");
    fact.key = str(m->id);
    fact.id = m->n;

    return b24_queue_learn(m->q, &fact, 1, NOW);
}


static inline int
million_status(million_t *m)
{
    int                 put, rc;
    b24_queue_change_t  change;

    memset(&change, 0, sizeof(change));
    change.origin = million_origin();
    change.order_id = str(m->id);
    change.status = str("P");
    change.data = str("{\"v\":1}");
    change.now = NOW;

    (void) b24_queue_begin(m->q);
    rc = b24_queue_status(m->q, &change, &put);

    return b24_queue_finish(m->q, (b24_queue_rc_e) rc);
}


static inline int
million_status_unknown(million_t *m)
{
    (void) snprintf(m->id, sizeof(m->id), "u%ld", m->n);

    return million_status(m);
}


static inline int
million_list_of(million_t *m, b24_state_e state)
{
    size_t               n;
    b24_queue_record_t  *r;

    return b24_queue_list(m->q, m->pool, NULL, 0, state, 50, &r, &n);
}


/* a point, and what the page reads of them */

static inline int
million_points(million_t *m)
{
    size_t              n;
    b24_queue_rc_e      rc;
    b24_queue_point_t  *p;

    rc = b24_queue_point(m->q, NOW);

    return (int) (rc == B24_QUEUE_OK
                  ? b24_queue_points(m->q, m->pool, NULL, 0, 0, NOW, &p, &n)
                  : rc);
}


static inline int
million_list(million_t *m)
{
    return million_list_of(m, B24_NSTATES);
}


static inline int
million_lists(million_t *m)
{
    int  i, rc;

    for (i = 0, rc = 0; rc == B24_QUEUE_OK && i < B24_NSTATES; i++) {
        rc = million_list_of(m, (b24_state_e) i);
    }

    return rc;
}


static inline int
million_search(million_t *m)
{
    size_t               n;
    b24_str_t            id;
    b24_queue_record_t  *r;

    id = str(m->id);

    return b24_queue_get(m->q, m->pool, NULL, NULL, &id, &r, &n);
}


static inline int
million_search_none(million_t *m)
{
    (void) snprintf(m->id, sizeof(m->id), "none%ld", m->n);

    return million_search(m);
}


static inline int
million_key(million_t *m)
{
    size_t                n, k;
    b24_str_t             key;
    b24_queue_record_t   *r;
    b24_queue_moment_t   *moments;

    key = str(m->key);
    (void) b24_queue_timeline(m->q, m->pool, 0, m->key, &moments, &k);

    return b24_queue_get(m->q, m->pool, &key, NULL, NULL, &r, &n);
}


static inline int
million_counts(million_t *m)
{
    size_t               n;
    int64_t              change;
    b24_queue_counts_t  *counts;

    return b24_queue_counts(m->q, m->pool, &counts, &n, &change);
}


static inline int
million_unsettled(million_t *m)
{
    size_t                     n;
    b24_str_t                  o;
    b24_queue_unsettled_t     *r;
    b24_queue_unsettled_at_t   at;

    o = million_origin();
    at.record = m->rows / 2;
    at.updated = T0 + at.record;

    return b24_queue_unsettled(m->q, m->pool, &o, &at, 20, &r, &n);
}


/* all of them, and those placed lately, of which there are few */

static inline int
million_unread(million_t *m)
{
    int                     some;
    size_t                  n;
    b24_str_t               o;
    b24_queue_rc_e          rc;
    b24_queue_unsettled_t  *r;

    o = million_origin();

    rc = b24_queue_unread(m->q, m->pool, &o, m->rows / 2, 0, 20, &r, &n);

    return rc == B24_QUEUE_OK ? b24_queue_some_unread(m->q, &o, &some) : rc;
}


static inline int
million_unread_young(million_t *m)
{
    size_t                  n;
    b24_str_t               o;
    b24_queue_unsettled_t  *r;

    o = million_origin();

    return b24_queue_unread(m->q, m->pool, &o, 0, T0 + m->rows - 10, 20, &r,
                            &n);
}


static inline int
million_known(million_t *m)
{
    int        known;
    b24_str_t  o, id, row;

    o = million_origin();
    id = str(m->id);
    row = str("r5");

    return b24_queue_known(m->q, &o, &id, &row, &known);
}


static inline int
million_absent(million_t *m)
{
    return b24_queue_absent(m->q, m->pool, m->rows / 2 + 1000 + m->n);
}


static inline int
million_alike(million_t *m)
{
    return b24_queue_alike(m->q, m->pool, m->rows / 2 + 1000 + m->n, NOW);
}


static inline int
million_clean(million_t *m)
{
    int  n;

    return b24_queue_clean(m->q, 30 * DAY, 100, NOW, &n);
}


/* delivered, parked and unconfirmed ones: the first hundred has expired */

static inline int
million_expire(million_t *m)
{
    int  n;

    return b24_queue_clean(m->q, DAY, 100, T0 + 7 * DAY, &n);
}


static inline int
million_retry(million_t *m)
{
    b24_state_e  state;

    return b24_queue_retry(m->q, m->key, MINUTE, "by hand", NOW, &state);
}


static inline int
million_parked_left(million_t *m)
{
    size_t            n;
    b24_str_t         o;
    b24_queue_left_t  left[B24_QUEUE_LEFT];

    o = million_origin();
    n = 0;

    return b24_queue_parked_left(m->q, m->pool, &o, left, &n);
}


static inline int
million_retry_parked(million_t *m)
{
    int                 n;
    b24_str_t           o;
    b24_queue_cursor_t  cursor;

    o = million_origin();
    memset(&cursor, 0, sizeof(cursor));

    return b24_queue_retry_parked(m->q, &o, &cursor, 20, "by hand", NOW, &n);
}


static inline int
million_drop(million_t *m)
{
    return b24_queue_drop(m->q, m->key, "by hand", NOW);
}


static inline int
million_send(million_t *m)
{
    b24_str_t  none, number;

    none = str("");

    return b24_queue_send(m->q, m->pool, m->key, &none, "by hand", NOW,
                          &number);
}


static inline int
million_moved(million_t *m)
{
    size_t              n, left;
    int64_t             deals[2], history;
    b24_str_t           portal, o;
    b24_queue_rc_e      rc;
    b24_queue_moved_t  *moved;

    portal = str("portal");
    o = million_origin();
    deals[0] = m->rows / 2 + m->n;
    deals[1] = 5000000 + m->n;

    rc = b24_queue_moved(m->q, &portal, &o, 1, deals, 2, m->n, NOW);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_watch(m->q, m->pool, &portal, 50, &moved, &n, &history);
    }

    if (rc == B24_QUEUE_OK && n) {
        moved[0].stage = str("WON");
        rc = b24_queue_watched(m->q, &portal, &o, 1, NULL, 0, moved, 1, NOW + 1,
                               NOW + 1, &n, &left);
    }

    return rc;
}


typedef struct {
    million_pt   call;
    const char  *name;
} million_call_t;


static const million_call_t  million_calls[] = {
    { million_put, "put" },
    { million_twin, "put of an order that is there" },
    { million_journal, "capture and accept" },
    { million_uncapture, "capture and nothing" },
    { million_orphans, "orphans" },
    { million_claim_back, "claim_back" },
    { million_claim_none, "claim_fresh, none" },
    { million_delivered, "put, claim_fresh, delivered" },
    { million_put_off, "put, claim_fresh, put off" },
    { million_claim, "claim" },
    { million_claim_many, "claim of ten" },
    { million_claim_fresh, "claim_fresh" },
    { million_due, "due_count" },
    { million_renew, "renew" },
    { million_recover, "recover" },
    { million_recall, "recall" },
    { million_learn, "learn" },
    { million_status, "status" },
    { million_status_unknown, "status of no order" },
    { million_list, "the latest 50" },
    { million_lists, "the latest 50 of each state" },
    { million_search, "search by number" },
    { million_search_none, "search in vain" },
    { million_key, "search by key, timeline" },
    { million_counts, "counts and oldest" },
    { million_unsettled, "unsettled" },
    { million_unread, "unread" },
    { million_unread_young, "unread of late" },
    { million_known, "known" },
    { million_alike, "alike" },
    { million_absent, "absent" },
    { million_moved, "moved, watch, watched" },
    { million_clean, "clean, nothing" },
    { million_expire, "clean, 100 expired" },
    { million_points, "points" },
    { million_retry_parked, "retry of what is parked" },
    { million_parked_left, "what is left parked" },
    { million_retry, "retry" },
    { million_send, "send" },
    { million_drop, "drop" }
};

#define MILLION_CALLS  (sizeof(million_calls) / sizeof(million_calls[0]))


typedef struct {
    const fill_t  *fill;
    const char    *name;
} million_set_t;


static const million_set_t  million_sets[] = {
    { &fill_accepted, "accepted" },
    { &fill_waiting, "waiting" },
    { &fill_delivered, "delivered" },
    { &fill_unconfirmed, "unconfirmed" },
    { &fill_parked, "parked" },
    { &fill_unread, "unread" },
    { &fill_links, "links" },
    { &fill_statuses, "statuses" }
};

#define MILLION_SETS  (sizeof(million_sets) / sizeof(million_sets[0]))


#endif /* _QUEUE_MILLION_H_INCLUDED_ */
