
/* An exchange and its buyer's session. */


#include "ngx_http_b24_session_int.h"


#define NGX_HTTP_B24_SESSION_SPIN   1000
#define NGX_HTTP_B24_SESSION_YIELD  3
#define NGX_HTTP_B24_SESSION_OVER   200     /* expired ones of one tick */
#define NGX_HTTP_B24_SESSION_WAIT   1000    /* ms, of an order at most */
#define NGX_HTTP_B24_SESSION_STEP   10      /* ms */
#define NGX_HTTP_B24_SESSION_ROUND  16      /* hexadecimal digits */


static void ngx_http_b24_session_hash(ngx_str_t *origin,
    b24_session_value_t *values, unsigned n, b24_session_key_t *keys,
    ngx_uint_t *nkeys);
static ngx_int_t ngx_http_b24_session_peek(ngx_http_b24_job_t *job,
    b24_session_info_t *info, ngx_uint_t make, ngx_uint_t marks);
static ngx_uint_t ngx_http_b24_session_blocked(ngx_http_b24_job_t *job,
    b24_session_info_t *info);
static void ngx_http_b24_session_timeout(ngx_event_t *ev);


b24_sessions_t          *ngx_http_b24_sessions;

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

uint32_t
ngx_http_b24_session_now(void)
{
    return (uint32_t) (ngx_current_msec / 1000);
}


/*
 * A worker that dies inside leaves the lock to the master, which opens it, and
 * a mark in the store: then nobody knows what of it is still whole.
 */

ngx_int_t
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


void
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

void
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

void
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

    p = b24_pnalloc(job->pool, info->len + NGX_HTTP_B24_SESSION_ROUND);
    if (p == NULL) {
        return;
    }

    b24_session_read(ngx_http_b24_sessions, id, p);

    job->snapshot.data = p;
    job->snapshot.len = info->len;

    /* never in the place of the one before: the journal's thread may read it */

    p += info->len;

    job->in.round.data = p;
    job->in.round.len = ngx_sprintf(p, "%016xL", info->round) - p;
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

ngx_uint_t
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


ngx_uint_t
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
    ngx_http_b24_ctx_t   own;
    ngx_http_b24_job_t  *job;
    b24_session_info_t   info;

    if (!b24_shop_follows(ctx->conf->shop) || ngx_http_b24_sessions == NULL
        || ctx->scf->o == NULL)
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

    /* for the variables */

    own = *ctx;
    own.request = r;
    own.job = job;

    job->in.var = ngx_http_b24_job_var_now;
    job->in.data = &own;

    ngx_http_b24_session_keys(job, 1, 0);

    if (job->nkeys > 1) {
        (void) ngx_http_b24_session_peek(job, &info, 0, 0);
    }

    ngx_http_b24_job_destroy(job);
}
