
/* An exchange and its buyer's session. */


#include "ngx_http_b24_session.h"

#include <sys/random.h>


#define NGX_HTTP_B24_SESSION_SPIN   1000
#define NGX_HTTP_B24_SESSION_YIELD  3
#define NGX_HTTP_B24_SESSION_TRIES  16
#define NGX_HTTP_B24_SESSION_OVER   200     /* expired ones of one tick */
#define NGX_HTTP_B24_SESSION_WAIT   1000    /* ms, of an order at most */
#define NGX_HTTP_B24_SESSION_STEP   10      /* ms */


static void ngx_http_b24_session_keys(ngx_http_b24_job_t *job,
    ngx_uint_t answer, ngx_uint_t bodies);
static void ngx_http_b24_session_hash(ngx_str_t *origin,
    b24_session_value_t *values, unsigned n, b24_session_key_t *keys,
    ngx_uint_t *nkeys);
static ngx_int_t ngx_http_b24_session_lock(ngx_uint_t wait);
static void ngx_http_b24_session_unlock(void);
static void ngx_http_b24_session_snapshot(ngx_http_b24_job_t *job,
    b24_session_id_t id, b24_session_info_t *info);
static ngx_int_t ngx_http_b24_session_peek(ngx_http_b24_job_t *job,
    b24_session_info_t *info, ngx_uint_t make, ngx_uint_t marks);
static ngx_uint_t ngx_http_b24_session_past(ngx_http_b24_job_t *job,
    b24_session_info_t *info);
static ngx_uint_t ngx_http_b24_session_blocked(ngx_http_b24_job_t *job,
    b24_session_info_t *info);
static void ngx_http_b24_session_timeout(ngx_event_t *ev);
static ngx_uint_t ngx_http_b24_session_collects(ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_session_merge(b24_pool_t *pool,
    b24_order_t *order, b24_collect_t *list);
static ngx_int_t ngx_http_b24_session_apply(ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_session_replace(ngx_http_b24_job_t *job,
    b24_pool_t *pool, ngx_uint_t keep);
static uint64_t ngx_http_b24_session_random(void);
static uint32_t ngx_http_b24_session_now(void);


static b24_sessions_t   *ngx_http_b24_sessions;
static ngx_slab_pool_t  *ngx_http_b24_sessions_pool;
static ngx_queue_t       ngx_http_b24_session_waiting;  /* jobs */
static ngx_event_t       ngx_http_b24_session_timer;
static ngx_connection_t  ngx_http_b24_session_nofd;


void
ngx_http_b24_sessions_attach(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf)
{
    ngx_http_b24_sessions = NULL;

    ngx_queue_init(&ngx_http_b24_session_waiting);

    ngx_http_b24_session_nofd.fd = (ngx_socket_t) -1;

    /* not cancelable: a worker that quits stays for what waits */

    ngx_http_b24_session_timer.handler = ngx_http_b24_session_timeout;
    ngx_http_b24_session_timer.data = &ngx_http_b24_session_nofd;
    ngx_http_b24_session_timer.log = cycle->log;

    if (bmcf->sessions_zone == NULL) {
        return;
    }

    ngx_http_b24_sessions_pool = (ngx_slab_pool_t *)
                                  bmcf->sessions_zone->shm.addr;
    ngx_http_b24_sessions = bmcf->sessions_zone->data;

}


/* data of buyers that don't come back does not stay */

void
ngx_http_b24_sessions_tick(void)
{
    if (ngx_http_b24_sessions == NULL
        || ngx_http_b24_session_lock(0) != NGX_OK)
    {
        return;
    }

    /* it may have been changed by a reload */

    b24_sessions_ttl(ngx_http_b24_sessions,
                     (uint32_t) ngx_http_b24_main->sessions_time);

    (void) b24_sessions_expire(ngx_http_b24_sessions,
                               ngx_http_b24_session_now(),
                               NGX_HTTP_B24_SESSION_OVER);

    ngx_http_b24_session_unlock();
}


/* seconds, of the clock that all processes share */

static uint32_t
ngx_http_b24_session_now(void)
{
    return (uint32_t) (ngx_current_msec / 1000);
}


/*
 * A worker that dies inside leaves the lock to the master, which opens it, and
 * a mark in the store: then nobody knows what of it is still whole.
 */

static ngx_int_t
ngx_http_b24_session_lock(ngx_uint_t wait)
{
    ngx_uint_t  i;

    for (i = 0; /* void */ ; i++) {

        if (ngx_shmtx_trylock(&ngx_http_b24_sessions_pool->mutex)) {
            break;
        }

        if (wait) {
            ngx_shmtx_lock(&ngx_http_b24_sessions_pool->mutex);
            break;
        }

        if (i >= NGX_HTTP_B24_SESSION_SPIN + NGX_HTTP_B24_SESSION_YIELD) {
            return NGX_DECLINED;
        }

        if (i >= NGX_HTTP_B24_SESSION_SPIN) {
            ngx_sched_yield();

        } else {
            ngx_cpu_pause();
        }
    }

    if (b24_sessions_enter(ngx_http_b24_sessions)) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_SESSIONS_EMPTIED, 1);
    }

    return NGX_OK;
}


static void
ngx_http_b24_session_unlock(void)
{
    ngx_http_b24_sh_t    *sh;
    b24_sessions_stat_t   stat;

    b24_sessions_stat(ngx_http_b24_sessions, &stat);

    sh = ngx_http_b24_sh();

    sh->counters[NGX_HTTP_B24_COUNTER_SESSIONS] = stat.sessions;
    sh->counters[NGX_HTTP_B24_COUNTER_SESSIONS_EVICTED] = stat.evicted;

    b24_sessions_leave(ngx_http_b24_sessions);

    ngx_shmtx_unlock(&ngx_http_b24_sessions_pool->mutex);
}


/*
 * Whose exchange it is.  Without bodies only what is in headers is looked at:
 * large ones are not parsed on the event loop.
 */

static void
ngx_http_b24_session_keys(ngx_http_b24_job_t *job, ngx_uint_t answer,
    ngx_uint_t bodies)
{
    unsigned              n;
    b24_input_t           in;
    b24_session_value_t   values[B24_SESSION_VALUES];

    in = job->in;

    if (!bodies) {
        in.body_state = B24_BODY_UNSEEN;
        in.answer_state = B24_BODY_UNSEEN;
    }

    job->nkeys = 0;

    if (b24_shop_sessions(job->pool, job->shop, &in, answer, values, &n)
        == B24_OK)
    {
        ngx_http_b24_session_hash(&job->origin->name, values, n, job->keys,
                                  &job->nkeys);
    }
}


/* at most as many as a session has; new ones are at the end and win */

static void
ngx_http_b24_session_hash(ngx_str_t *origin, b24_session_value_t *values,
    unsigned n, b24_session_key_t *keys, ngx_uint_t *nkeys)
{
    unsigned  i, from;

    from = (n > B24_SESSION_KEYS) ? n - B24_SESSION_KEYS : 0;

    /* the request's first one leads to what there is */

    for (i = 0; i < n && *nkeys < B24_SESSION_KEYS; i++) {

        if (i && i <= from) {
            continue;
        }

        b24_session_key(ngx_http_b24_sessions, origin, values[i].line,
                        &values[i].value, &keys[(*nkeys)++]);
    }
}


void
ngx_http_b24_session_arrive(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    ngx_uint_t           small;
    ngx_http_b24_job_t  *job;
    b24_session_info_t   info;

    job = ctx->job;

    if (ngx_http_b24_sessions == NULL || !b24_shop_keeps_sessions(job->shop)
        || !b24_shop_has_order(job->shop, job->set))
    {
        return;
    }

    if (ctx->need_body && !job->copied
        && ngx_http_b24_job_body(r, ctx) != NGX_OK)
    {
        job->in.body_state = B24_BODY_UNSEEN;
    }

    job->in.var = ngx_http_b24_job_var_kept;
    job->in.data = job;

    small = ngx_http_b24_job_small(job);

    ngx_http_b24_session_keys(job, 0, small);

    if (job->nkeys == 0) {

        /* a body that the thread has to read may tell */

        job->retake = !small && b24_shop_sessions_bodies(job->shop);
        return;
    }

    if (ngx_http_b24_session_lock(0) != NGX_OK) {
        job->retake = 1;
        return;
    }

    ngx_http_b24_session_snapshot(job,
                           b24_session_find(ngx_http_b24_sessions, job->keys,
                                            job->nkeys,
                                            ngx_http_b24_session_now(), 0),
                           &info);

    ngx_http_b24_session_unlock();
}


/* inside of the lock: a copy of what is known; id may be 0 */

static void
ngx_http_b24_session_snapshot(ngx_http_b24_job_t *job, b24_session_id_t id,
    b24_session_info_t *info)
{
    u_char  *p;

    job->retake = 0;
    job->epoch = 0;
    ngx_str_null(&job->snapshot);

    if (id == 0) {
        return;
    }

    b24_session_info(ngx_http_b24_sessions, id, ngx_http_b24_session_now(),
                     info);

    job->epoch = info->epoch;
    job->behind = (info->marks[B24_SESSION_ORDER]
                   || info->marks[B24_SESSION_BEHIND]);
    job->retake = (job->behind || info->marks[B24_SESSION_ANSWER]
                   || info->marks[B24_SESSION_QUEUED]);

    if (info->round == 0) {
        return;
    }

    p = b24_pnalloc(job->pool, info->len + sizeof(job->round));
    if (p == NULL) {
        return;
    }

    b24_session_read(ngx_http_b24_sessions, id, p);

    job->snapshot.data = p;
    job->snapshot.len = info->len;

    job->in.round.data = job->round;
    job->in.round.len = ngx_sprintf(job->round, "%016xL", info->round)
                        - job->round;
}


/*
 * As soon as the answer begins the buyer may know its cookies, and as soon as
 * he has it he may order, from another worker: the session is found by them,
 * and is marked until this one has read what belongs into it.
 *
 * As soon as an order's answer begins the buyer may go on, with a cart that is
 * empty or new: until the order has what is its own, such an exchange is behind
 * it, and waits.
 */

void
ngx_http_b24_session_begin(ngx_http_b24_job_t *job)
{
    ngx_uint_t          collects, marks;
    b24_session_info_t  info;

    if (ngx_http_b24_sessions == NULL || job->in.status == 0 || job->marks
        || !b24_shop_keeps_sessions(job->shop))
    {
        return;
    }

    collects = ngx_http_b24_session_collects(job);

    ngx_http_b24_session_keys(job, 1, 0);

    if (job->nkeys) {
        marks = (collects ? 1 << B24_SESSION_ANSWER : 0)
                | (b24_shop_has_order(job->shop, job->set) && !job->no_order
                   ? 1 << B24_SESSION_ORDER : 0);

        (void) ngx_http_b24_session_peek(job, &info, collects, marks);
    }
}


ngx_int_t
ngx_http_b24_session_over(ngx_http_b24_job_t *job)
{
    ngx_uint_t          small, collects;
    b24_session_info_t  info;

    if (ngx_http_b24_sessions == NULL || !b24_shop_keeps_sessions(job->shop)) {
        return NGX_OK;
    }

    small = ngx_http_b24_job_small(job);
    collects = ngx_http_b24_session_collects(job);

    ngx_http_b24_session_keys(job, 1, small);

    if (job->nkeys == 0) {
        return NGX_OK;
    }

    if (ngx_http_b24_session_peek(job, &info, 0, 0) != NGX_OK) {
        return NGX_AGAIN;
    }

    /* an order that was accepted meanwhile has used it up */

    if (job->retake && !job->behind && job->epoch && info.epoch != job->epoch)
    {
        job->retake = 0;
    }

    if (collects && ngx_http_b24_session_blocked(job, &info)) {
        return NGX_BUSY;
    }

    if (collects
        && (!small || info.len > NGX_HTTP_B24_INLINE
            || info.marks[B24_SESSION_QUEUED]))
    {
        /* in the order of the answers: behind what the thread has to read */

        (void) ngx_http_b24_session_peek(job, &info, 1,
                                         1 << B24_SESSION_QUEUED);
        return NGX_AGAIN;
    }

    return ngx_http_b24_session_blocked(job, &info) ? NGX_BUSY : NGX_OK;
}


/*
 * Others have something to tell of the session that comes before this one: for
 * an order what was collected, for what is behind an order that one.
 */

static ngx_uint_t
ngx_http_b24_session_blocked(ngx_http_b24_job_t *job,
    b24_session_info_t *info)
{
    if (job->marks & (1 << B24_SESSION_BEHIND)) {
        return info->marks[B24_SESSION_ORDER] && info->epoch == job->pended;
    }

    if (!job->retake) {
        return 0;
    }

    return info->marks[B24_SESSION_ANSWER]
           > ((job->marks >> B24_SESSION_ANSWER) & 1)
           || info->marks[B24_SESSION_QUEUED]
           || (job->behind && !(job->marks & (1 << B24_SESSION_ORDER))
               && (info->marks[B24_SESSION_BEHIND]
                   || info->marks[B24_SESSION_ORDER]));
}


/*
 * The order's exchange is over, and something of its session that came before
 * it is still on its way: mostly another worker is about to read it.  The order
 * waits, its buyer has his answer.
 */

void
ngx_http_b24_session_wait(ngx_http_b24_job_t *job)
{
    job->deadline = ngx_current_msec + NGX_HTTP_B24_SESSION_WAIT;

    ngx_queue_insert_tail(&ngx_http_b24_session_waiting, &job->queue);

    if (!ngx_http_b24_session_timer.timer_set) {
        ngx_add_timer(&ngx_http_b24_session_timer,
                      NGX_HTTP_B24_SESSION_STEP);
    }
}


static void
ngx_http_b24_session_timeout(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_uint_t           marked;
    ngx_queue_t         *q, *next;
    ngx_http_b24_job_t  *job;
    b24_session_info_t   info;

    for (q = ngx_queue_head(&ngx_http_b24_session_waiting);
         q != ngx_queue_sentinel(&ngx_http_b24_session_waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);

        rc = ngx_http_b24_session_peek(job, &info, 0, 0);
        marked = (rc != NGX_OK || ngx_http_b24_session_blocked(job, &info));

        if (marked
            && (ngx_msec_int_t) (job->deadline - ngx_current_msec) > 0)
        {
            continue;
        }

        ngx_queue_remove(q);

        /* else in the thread, behind what that has to read */

        if (!marked && ngx_http_b24_job_small(job)) {
            job->here = 1;
            ngx_http_b24_job_extract(job);

        } else if (ngx_http_b24_session_collects(job)) {

            /* smaller ones that come now go behind it */

            (void) ngx_http_b24_session_peek(job, &info, 1,
                                             1 << B24_SESSION_QUEUED);
        }

        ngx_http_b24_store_put(job);
    }

    if (!ngx_queue_empty(&ngx_http_b24_session_waiting)) {
        ngx_add_timer(ev, NGX_HTTP_B24_SESSION_STEP);
    }
}


/* before the store's last write */

void
ngx_http_b24_sessions_exit(void)
{
    ngx_queue_t         *q;
    ngx_http_b24_job_t  *job;

    while (!ngx_queue_empty(&ngx_http_b24_session_waiting)) {
        q = ngx_queue_head(&ngx_http_b24_session_waiting);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);
        ngx_http_b24_store_put(job);
    }
}


/* an order has been accepted since the answer began: what it tells of was
 * ordered, unless it is behind that order */

static ngx_uint_t
ngx_http_b24_session_past(ngx_http_b24_job_t *job, b24_session_info_t *info)
{
    return job->marks && !(job->marks & (1 << B24_SESSION_BEHIND))
           && info->epoch != job->pended;
}


/*
 * The session of the job's keys as it is now, with these marks set.  DECLINED:
 * somebody is inside.
 */

static ngx_int_t
ngx_http_b24_session_peek(ngx_http_b24_job_t *job, b24_session_info_t *info,
    ngx_uint_t make, ngx_uint_t marks)
{
    uint32_t          now;
    ngx_uint_t        i;
    b24_session_id_t  id;

    ngx_memzero(info, sizeof(b24_session_info_t));

    if (ngx_http_b24_session_lock(0) != NGX_OK) {
        return NGX_DECLINED;
    }

    now = ngx_http_b24_session_now();

    id = b24_session_find(ngx_http_b24_sessions, job->keys, job->nkeys, now,
                          make);

    if (id) {
        b24_session_info(ngx_http_b24_sessions, id, now, info);

        if (marks && ngx_http_b24_session_past(job, info)) {
            marks = 0;
        }

        /*
         * What may be an order goes before what comes later, and what is behind
         * it before the next order: nobody waits for one that waits for him.
         */

        if (!job->marks && !(marks & (1 << B24_SESSION_QUEUED))
            && (info->marks[B24_SESSION_ORDER]
                || info->marks[B24_SESSION_BEHIND]))
        {
            marks = (marks & (1 << B24_SESSION_ANSWER))
                    ? 1 << B24_SESSION_BEHIND : 0;
        }

        for (i = 0; i < B24_SESSION_MARKS; i++) {

            if (marks & (1 << i)) {
                b24_session_mark(ngx_http_b24_sessions, id,
                                 (b24_session_mark_e) i, now);
                job->marks |= 1 << i;
                job->pended = info->epoch;
            }
        }
    }

    ngx_http_b24_session_unlock();

    return NGX_OK;
}


static ngx_uint_t
ngx_http_b24_session_collects(ngx_http_b24_job_t *job)
{
    return (job->set & b24_shop_set(job->shop, B24_RULE_COLLECT)) != 0;
}


void
ngx_http_b24_session_follow(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    ngx_uint_t           i;
    b24_pair_t          *pair, **last;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
    ngx_http_b24_job_t  *job;
    b24_session_info_t   info;

    if (ngx_http_b24_sessions == NULL || ctx->conf->shop == NULL
        || ctx->scf->o == NULL || !b24_shop_follows(ctx->conf->shop)
        || !b24_shop_keeps_sessions(ctx->conf->shop))
    {
        return;
    }

    job = NULL;
    last = NULL;

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash == 0 || h[i].value.len == 0
            || h[i].key.len != sizeof("Set-Cookie") - 1
            || ngx_strncasecmp(h[i].key.data, (u_char *) "Set-Cookie",
                               sizeof("Set-Cookie") - 1) != 0
            || !b24_shop_sets(ctx->conf->shop, &h[i].value))
        {
            continue;
        }

        if (job == NULL) {
            job = ngx_http_b24_job_create(ctx->scf->o, ctx->conf->shop,
                                          ctx->conf);
            if (job == NULL) {
                return;
            }

            last = (b24_pair_t **) &job->in.headers;
        }

        pair = b24_pcalloc(job->pool, sizeof(b24_pair_t));

        if (pair == NULL) {
            break;
        }

        /* the request's memory: it is at hand until the end */

        pair->name = h[i].key;
        pair->value = h[i].value;

        *last = pair;
        last = &pair->next;
    }

    if (job == NULL) {
        return;
    }

    ctx->job = job;                     /* for the variables */

    job->in.var = ngx_http_b24_job_var_now;
    job->in.data = ctx;

    ngx_http_b24_session_keys(job, 1, 0);

    ctx->job = NULL;

    if (job->nkeys > 1) {
        (void) ngx_http_b24_session_peek(job, &info, 0, 0);
    }

    ngx_http_b24_job_destroy(job);
}


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
    ngx_str_t            snapshot;
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
