
/*
 * A session's part of the extraction, in the thread or on the event loop: what
 * an exchange gives for it, the order filled from it, and what is left of it
 * then.
 */


#include "ngx_http_b24_session_int.h"

#include <sys/random.h>


#define NGX_HTTP_B24_SESSION_TRIES  16


static ngx_int_t ngx_http_b24_session_merge(b24_pool_t *pool,
    b24_order_t *order, b24_collect_t *list);
static ngx_int_t ngx_http_b24_session_apply(ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_session_replace(ngx_http_b24_job_t *job,
    b24_pool_t *pool, ngx_uint_t keep);
static uint64_t ngx_http_b24_session_random(void);


void
ngx_http_b24_session_collect(ngx_http_b24_job_t *job)
{
    b24_pair_t     *pair;
    b24_collect_t  *c;

    if (!job->here && !job->journal && ngx_http_b24_sessions
        && b24_shop_sessions_bodies(job->shop))
    {
        ngx_http_b24_session_keys(job, 1, 1);
    }

    if (!ngx_http_b24_session_collects(job) || job->journal) {
        return;
    }

    if (b24_shop_collect(job->pool, job->shop, job->set, &job->in,
                         &job->collects)
        != B24_OK)
    {
        job->collects = NULL;
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_COLLECTS_IGNORED, 1);
    }

    for (c = job->collects; c; c = c->next) {

        if (c->outcome == B24_OUTCOME_UNCONFIRMED) {
            ngx_http_b24_count(NGX_HTTP_B24_COUNTER_COLLECTS_IGNORED, 1);
        }

        for (pair = c->learned; pair; pair = pair->next) {
            ngx_http_b24_learn_value(job->origin, &pair->name, &pair->value);
        }
    }
}


/* what was still being read of the session when the order came */

void
ngx_http_b24_session_retake(ngx_http_b24_job_t *job)
{
    uint64_t             epoch;
    ngx_str_t            round, snapshot;
    ngx_uint_t           behind;
    b24_session_id_t     id;
    b24_session_info_t   info;

    if (!job->retake || job->nkeys == 0
        || ngx_http_b24_session_lock(!job->here) != NGX_OK)
    {
        return;
    }

    epoch = job->epoch;
    behind = job->behind;
    snapshot = job->snapshot;
    round = job->in.round;

    id = b24_session_find(ngx_http_b24_sessions, job->keys, job->nkeys,
                          ngx_http_b24_session_now(), 0);

    ngx_http_b24_session_snapshot(job, id, &info);

    ngx_http_b24_session_unlock();

    if (epoch && epoch != job->epoch && (!behind || job->snapshot.len == 0)) {

        /*
         * Another order has been accepted since: this one came before, or is
         * the same one once more, as nothing was collected in between.
         */

        job->epoch = epoch;
        job->snapshot = snapshot;
        job->in.round = round;
        return;
    }

    /* its number may be known only now */

    job->partial = NULL;
}


ngx_int_t
ngx_http_b24_session_fill(ngx_http_b24_job_t *job)
{
    b24_str_t    *id, *known;
    b24_order_t  *session;

    if (job->event.alone
        || (job->snapshot.len == 0 && job->collects == NULL))
    {
        return NGX_OK;
    }

    if (b24_collect_session(job->pool, &job->snapshot, &session) != B24_OK
        || ngx_http_b24_session_merge(job->pool, session, job->collects)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    id = &job->event.order->fields[B24_ORDER_ID];
    known = &session->fields[B24_ORDER_ID];

    /* a number that was seen is better than one of our own, or none */

    if (known->len && job->event.order->generated) {
        *id = *known;
        job->event.order->generated = 0;
    }

    if (known->len && job->event.no_id) {
        job->event.outcome = B24_OUTCOME_ACCEPTED;
        ngx_str_null(&job->event.cause);
        ngx_str_null(&job->event.advice);
    }

    return b24_order_fill(job->pool, job->event.order, session) == B24_OK
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_b24_session_merge(b24_pool_t *pool, b24_order_t *order,
    b24_collect_t *list)
{
    for ( /* void */ ; list; list = list->next) {

        if (list->outcome == B24_OUTCOME_ACCEPTED
            && b24_collect_merge(pool, order, list) != B24_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * After an accepted order the session begins anew: but not when it has already,
 * by another order that was placed at the same time.
 */

void
ngx_http_b24_session_settle(ngx_http_b24_job_t *job)
{
    ngx_uint_t           i, accepted;
    b24_session_id_t     id;
    b24_session_info_t   info;

    if (job->journal) {
        return;
    }

    accepted = !job->none && job->event.kind == B24_RULE_ORDER
               && job->outcome == B24_OUTCOME_ACCEPTED && !job->event.alone;

    if (!accepted && ngx_http_b24_session_apply(job) != NGX_OK) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_COLLECTS_IGNORED, 1);
    }

    if (ngx_http_b24_sessions == NULL || job->nkeys == 0
        || (!accepted && !job->marks))
    {
        return;
    }

    if (ngx_http_b24_session_lock(!job->here) != NGX_OK) {
        return;
    }

    id = b24_session_find(ngx_http_b24_sessions, job->keys, job->nkeys,
                          ngx_http_b24_session_now(), 0);

    for (i = 0; id && i < B24_SESSION_MARKS; i++) {

        if (job->marks & (1 << i)) {
            b24_session_unmark(ngx_http_b24_sessions, id,
                               (b24_session_mark_e) i, job->pended);
        }
    }

    if (id && accepted) {
        b24_session_info(ngx_http_b24_sessions, id, ngx_http_b24_session_now(),
                         &info);

        if (job->epoch == info.epoch) {
            b24_session_clear(ngx_http_b24_sessions, id);
        }
    }

    ngx_http_b24_session_unlock();
}


/* the blocks' values into the session; whoever is faster goes first */

static ngx_int_t
ngx_http_b24_session_apply(ngx_http_b24_job_t *job)
{
    ngx_int_t       rc;
    ngx_uint_t      i, keep, doubt;
    b24_pool_t     *pool;
    b24_collect_t  *c;

    keep = 0;
    doubt = 0;

    for (c = job->collects; c; c = c->next) {

        if (b24_collect_keeps(c)) {
            keep |= (c->outcome == B24_OUTCOME_ACCEPTED && !c->doubt);
            doubt |= c->doubt;
        }
    }

    if (!keep && !(doubt && job->nkeys && ngx_http_b24_sessions)) {
        return NGX_OK;
    }

    if (job->nkeys == 0 || ngx_http_b24_sessions == NULL) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_COLLECTS_IGNORED, 1);
        return NGX_OK;
    }

    rc = NGX_AGAIN;

    for (i = 0; rc == NGX_AGAIN && i < NGX_HTTP_B24_SESSION_TRIES; i++) {

        pool = b24_pool_create(0);
        if (pool == NULL) {
            return NGX_ERROR;
        }

        rc = ngx_http_b24_session_replace(job, pool, keep);

        b24_pool_destroy(pool);
    }

    if (rc == NGX_OK && keep) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_COLLECTS, 1);
    }

    return rc == NGX_OK || rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


/*
 * AGAIN: it was changed while this was being done; DONE: it is too late;
 * DECLINED: it is too much, and what was known of it before is gone
 */

static ngx_int_t
ngx_http_b24_session_replace(ngx_http_b24_job_t *job, b24_pool_t *pool,
    ngx_uint_t keep)
{
    int                  rc, stored;
    b24_str_t            text;
    b24_session_id_t     id;
    b24_session_info_t   info;

    if (ngx_http_b24_session_lock(!job->here) != NGX_OK) {
        return NGX_ERROR;
    }

    id = b24_session_find(ngx_http_b24_sessions, job->keys, job->nkeys,
                          ngx_http_b24_session_now(), (int) keep);

    if (id == 0) {

        /* nothing is known, and what came could not be read */

        ngx_http_b24_session_unlock();
        return NGX_DONE;
    }

    b24_session_info(ngx_http_b24_sessions, id, ngx_http_b24_session_now(),
                     &info);

    text.len = info.len;
    text.data = b24_pnalloc(pool, info.len + 1);

    if (text.data) {
        b24_session_read(ngx_http_b24_sessions, id, text.data);
    }

    ngx_http_b24_session_unlock();

    if (text.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_b24_session_past(job, &info)) {
        return NGX_DONE;
    }

    stored = b24_collect_store(pool, &text, job->collects,
                               b24_sessions_most(ngx_http_b24_sessions));

    if (stored == B24_ERROR
        || ngx_http_b24_session_lock(!job->here) != NGX_OK)
    {
        return NGX_ERROR;
    }

    id = b24_session_find(ngx_http_b24_sessions, job->keys, job->nkeys,
                          ngx_http_b24_session_now(), (int) keep);

    if (id == 0) {
        ngx_http_b24_session_unlock();
        return NGX_DONE;
    }

    rc = b24_session_write(ngx_http_b24_sessions, id, info.version, text.data,
                           text.len, ngx_http_b24_session_random());

    ngx_http_b24_session_unlock();

    if (rc != B24_OK) {
        return (rc == B24_DECLINED) ? NGX_AGAIN : NGX_ERROR;
    }

    return (stored == B24_OK) ? NGX_OK : NGX_DECLINED;
}


static uint64_t
ngx_http_b24_session_random(void)
{
    uint64_t  n;

    if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t) sizeof(n)) {
        n = ((uint64_t) ngx_random() << 33) ^ ((uint64_t) ngx_random() << 11)
            ^ (uint64_t) ngx_random() ^ (uint64_t) ngx_current_msec;
    }

    return n ? n : 1;
}
