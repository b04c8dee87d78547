
/*
 * The worker's side of the queue: jobs and calls gather on the event loop while
 * one task runs in the thread; when it is done the next takes all that has come
 * since.  So commits are grouped under load and immediate otherwise, and the
 * connection to SQLite is used by one thread at a time.
 *
 *     put() -> pending -> [thread: extract, BEGIN, put ..., COMMIT] -> freed
 *
 * When the disk fails the jobs stay in memory, bounded, and are tried again on
 * each tick.
 */


#include "ngx_http_b24_store.h"


#define NGX_HTTP_B24_HOLD       60000   /* ms; keeps a quitting worker alive */
#define NGX_HTTP_B24_HELD_MAX   (64 * 1024 * 1024)
#define NGX_HTTP_B24_BATCH      500     /* jobs of one commit at most */
#define NGX_HTTP_B24_COUNTS     100     /* ms; between two looks at the counts
                                           while commits follow on commits */
#define NGX_HTTP_B24_PATIENCE   3000    /* ms; for orders that nobody knows */
#define NGX_HTTP_B24_EARLY_MAX  1000    /* such orders, of all jobs */


static void ngx_http_b24_store_kick(void);
static void ngx_http_b24_store_gather(ngx_http_b24_batch_t *batch);
static ngx_int_t ngx_http_b24_store_early(ngx_http_b24_job_t *job);
static void ngx_http_b24_store_early_again(void);
static void ngx_http_b24_store_told(ngx_http_b24_job_t *job);
static void ngx_http_b24_store_untwin(ngx_http_b24_job_t *job);
static void ngx_http_b24_store_drop(ngx_http_b24_job_t *job);
static void ngx_http_b24_store_done(ngx_event_t *ev);
static void ngx_http_b24_store_finish(ngx_http_b24_batch_t *batch,
    ngx_uint_t calls);
static void ngx_http_b24_store_refused(ngx_http_b24_batch_t *batch);
static void ngx_http_b24_store_failed(ngx_http_b24_batch_t *batch);
static void ngx_http_b24_store_degrade(ngx_uint_t degraded);
static void ngx_http_b24_store_size(ngx_http_b24_job_t *job);
static void ngx_http_b24_store_free(ngx_queue_t *jobs);


static ngx_queue_t           ngx_http_b24_pending;
static ngx_queue_t           ngx_http_b24_early;    /* statuses that wait for
                                                       their orders */
static ngx_queue_t           ngx_http_b24_calls;
static ngx_uint_t            ngx_http_b24_npending;
static ngx_uint_t            ngx_http_b24_nearly;   /* orders of these */
static size_t                ngx_http_b24_held;     /* bytes */
static ngx_uint_t            ngx_http_b24_nrejected;
static ngx_uint_t            ngx_http_b24_owed;     /* counts of a commit */
static ngx_msec_t            ngx_http_b24_looked;   /* when they were read */
static ngx_uint_t            ngx_http_b24_degraded;
static ngx_uint_t            ngx_http_b24_busy;
static ngx_thread_task_t    *ngx_http_b24_task;
static ngx_http_b24_batch_t  ngx_http_b24_batch;
static ngx_connection_t      ngx_http_b24_nofd;
static ngx_uint_t            ngx_http_b24_refusing;     /* the last commit */


ngx_int_t
ngx_http_b24_store_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_queue_init(&ngx_http_b24_pending);
    ngx_queue_init(&ngx_http_b24_early);
    ngx_queue_init(&ngx_http_b24_calls);

    b24_queue_library();

    ngx_http_b24_nofd.fd = (ngx_socket_t) -1;

    ngx_http_b24_task = ngx_thread_task_alloc(cycle->pool, 0);
    if (ngx_http_b24_task == NULL) {
        return NGX_ERROR;
    }

    ngx_http_b24_task->ctx = &ngx_http_b24_batch;
    ngx_http_b24_task->handler = ngx_http_b24_store_thread;
    ngx_http_b24_task->event.handler = ngx_http_b24_store_done;
    ngx_http_b24_task->event.data = &ngx_http_b24_nofd;
    ngx_http_b24_task->event.log = cycle->log;

    ngx_http_b24_batch.rejected = ngx_pcalloc(cycle->pool,
                              (bmcf->origins.nelts + 1) * sizeof(ngx_uint_t));
    if (ngx_http_b24_batch.rejected == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The threads are gone (the core's module goes first), their completions will
 * not come.  What is left is written here, synchronously.
 */

void
ngx_http_b24_store_exit(ngx_cycle_t *cycle)
{
    ngx_uint_t             lost;
    ngx_http_b24_batch_t  *batch;

    batch = &ngx_http_b24_batch;

    if (ngx_http_b24_busy) {
        ngx_http_b24_busy = 0;

        if (!batch->finished) {
            batch->rc = B24_QUEUE_ERROR;
        }

        ngx_http_b24_store_finish(batch, 0);
    }

    /* a last time */

    ngx_http_b24_degraded = 0;

    ngx_http_b24_store_early_again();
    ngx_http_b24_nearly = NGX_HTTP_B24_EARLY_MAX;

    while (!ngx_queue_empty(&ngx_http_b24_pending) || ngx_http_b24_nrejected
           || ngx_http_b24_owed)
    {
        ngx_http_b24_store_gather(batch);
        ngx_http_b24_store_thread(batch, cycle->log);
        ngx_http_b24_store_finish(batch, 0);

        if (ngx_http_b24_degraded) {
            break;
        }
    }

    lost = ngx_http_b24_npending;

    if (lost) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "b24: %ui order events could not be written to \"%V\" "
                      "before the exit", lost, &ngx_http_b24_main->db);
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LOST, lost);
        ngx_http_b24_hold(- (ngx_int_t) lost);
    }

    if (ngx_http_b24_db) {
        b24_queue_close(ngx_http_b24_db);
        ngx_http_b24_db = NULL;
    }
}


void
ngx_http_b24_store_put(ngx_http_b24_job_t *job)
{
    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    ngx_http_b24_store_untwin(job);

    if (job->capture == 0 && job->extracted) {

        if (job->none) {
            ngx_http_b24_job_destroy(job);
            return;
        }

        if (job->status && job->targets == NULL) {
            ngx_http_b24_store_told(job);
            ngx_http_b24_job_destroy(job);
            return;
        }

        if (job->outcome == B24_OUTCOME_REJECTED) {
            ngx_http_b24_store_rejected(job->origin);
            ngx_http_b24_job_destroy(job);
            return;
        }
    }

    ngx_http_b24_store_size(job);

    /* no copies for what the next commit takes along */

    if (job->whole
        && (job->size > NGX_HTTP_B24_JOB_WHOLE || ngx_http_b24_degraded
            || ngx_http_b24_npending >= NGX_HTTP_B24_BATCH))
    {
        ngx_http_b24_job_shrink(job);
        ngx_http_b24_store_size(job);
    }

    if (ngx_http_b24_held > NGX_HTTP_B24_HELD_MAX) {
        ngx_http_b24_held -= job->size;
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LOST, 1);

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "b24: an order is given up: the queue cannot be "
                          "written and memory for waiting orders is full, "
                          "%ui more since the last such line", left);
        }

        ngx_http_b24_job_destroy(job);
        return;
    }

    ngx_queue_insert_tail(&ngx_http_b24_pending, &job->queue);
    ngx_http_b24_npending++;
    ngx_http_b24_hold(1);

    if (ngx_http_b24_degraded) {
        ngx_http_b24_stay();
        return;
    }

    ngx_http_b24_store_kick();
}


/*
 * The exchange is over.  A journal's job that waits yet has nothing to tell any
 * more.  One that is part of a commit under way is left out by the thread if no
 * order came of the exchange; the trace of an order stays, as it lands before
 * the order does.  What was put will be found by its token.
 */

static void
ngx_http_b24_store_untwin(ngx_http_b24_job_t *job)
{
    ngx_uint_t                 nothing;
    ngx_http_b24_job_t        *twin;
    ngx_http_b24_job_claim_e   claim;

    twin = job->twin;

    if (twin == NULL) {
        return;
    }

    job->twin = NULL;
    twin->twin = NULL;

    nothing = job->extracted
              && (job->none || job->outcome == B24_OUTCOME_REJECTED);

    claim = NGX_HTTP_B24_JOB_GATHERED;

    if (__atomic_load_n(&twin->claim, __ATOMIC_ACQUIRE)
        == NGX_HTTP_B24_JOB_HERE)
    {
        ngx_queue_remove(&twin->queue);
        ngx_http_b24_store_drop(twin);

    } else if (!nothing
               || !__atomic_compare_exchange_n(&twin->claim, &claim,
                                               NGX_HTTP_B24_JOB_OVER, 0,
                                               __ATOMIC_ACQ_REL,
                                               __ATOMIC_ACQUIRE))
    {
        return;
    }

    job->capture = 0;
    job->put.capture = 0;
}


ngx_int_t
ngx_http_b24_store_journal(ngx_http_b24_job_t *job)
{
    if (ngx_http_b24_degraded) {
        return NGX_DECLINED;
    }

    ngx_http_b24_store_size(job);

    if (ngx_http_b24_held > NGX_HTTP_B24_HELD_MAX) {
        ngx_http_b24_held -= job->size;
        job->size = 0;
        return NGX_DECLINED;
    }

    ngx_queue_insert_tail(&ngx_http_b24_pending, &job->queue);
    ngx_http_b24_npending++;
    ngx_http_b24_hold(1);

    ngx_http_b24_store_kick();

    return NGX_OK;
}


void
ngx_http_b24_store_rejected(ngx_http_b24_origin_t *origin)
{
    /* travels with the next commit, at the latest with the next tick's */

    origin->rejected++;
    ngx_http_b24_nrejected++;
}


void
ngx_http_b24_store_call(ngx_http_b24_call_t *call)
{
    ngx_queue_insert_tail(&ngx_http_b24_calls, &call->queue);
    ngx_http_b24_store_kick();
}


void
ngx_http_b24_store_last(ngx_http_b24_call_t *call)
{
    if (ngx_http_b24_db == NULL
        || (ngx_http_b24_busy && !ngx_http_b24_batch.finished))
    {
        return;
    }

    call->rc = B24_QUEUE_OK;
    call->run(call, ngx_http_b24_db);
}


void
ngx_http_b24_store_tick(void)
{
    ngx_http_b24_degraded = 0;

    ngx_http_b24_store_early_again();

    /* the file is open, and nothing is left that could be refused */

    if (!ngx_http_b24_busy && ngx_http_b24_db
        && ngx_queue_empty(&ngx_http_b24_pending)
        && ngx_http_b24_nrejected == 0)
    {
        ngx_http_b24_refusing = 0;
        ngx_http_b24_sh_refused(0);
    }

    ngx_http_b24_store_kick();
}


static void
ngx_http_b24_store_kick(void)
{
    ngx_http_b24_batch_t  *batch;

    if (ngx_http_b24_busy
        || (ngx_queue_empty(&ngx_http_b24_calls)
            && (ngx_http_b24_degraded
                || (ngx_queue_empty(&ngx_http_b24_pending)
                    && ngx_http_b24_nrejected == 0
                    && !ngx_http_b24_owed))))
    {
        return;
    }

    batch = &ngx_http_b24_batch;

    ngx_http_b24_store_gather(batch);

    if (ngx_thread_task_post(ngx_http_b24_main->threads, ngx_http_b24_task)
        != NGX_OK)
    {
        batch->rc = B24_QUEUE_BUSY;
        ngx_http_b24_store_finish(batch, 0);
        return;
    }

    ngx_http_b24_busy = 1;

    ngx_add_timer(&ngx_http_b24_task->event, NGX_HTTP_B24_HOLD);
}


/*
 * Moves what waits into the batch.  Of a disk that has refused one job asks, at
 * the next tick; the others are not read, sorted and rolled back for it, and
 * not for each call that only wants to read.
 */

static void
ngx_http_b24_store_gather(ngx_http_b24_batch_t *batch)
{
    ngx_uint_t               i, max;
    ngx_queue_t             *q;
    ngx_http_b24_job_t      *job;
    ngx_http_b24_origin_t  **op;

    ngx_queue_init(&batch->jobs);
    ngx_queue_init(&batch->calls);

    batch->njobs = 0;

    max = ngx_http_b24_degraded ? 0
          : ngx_http_b24_refusing ? 1 : NGX_HTTP_B24_BATCH;

    while (!ngx_queue_empty(&ngx_http_b24_pending) && batch->njobs < max) {
        q = ngx_queue_head(&ngx_http_b24_pending);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&batch->jobs, q);
        batch->njobs++;

        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);
        job->claim = NGX_HTTP_B24_JOB_GATHERED;
    }

    if (!ngx_queue_empty(&ngx_http_b24_calls)) {
        ngx_queue_add(&batch->calls, &ngx_http_b24_calls);
        ngx_queue_init(&ngx_http_b24_calls);
    }

    /* to read the counts is a third of a small commit */

    batch->owed = (ngx_http_b24_owed != 0);
    batch->count = (batch->njobs == 0
                    || ngx_current_msec - ngx_http_b24_looked
                       >= NGX_HTTP_B24_COUNTS);

    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {
        batch->rejected[i] = 0;

        if (max) {
            batch->rejected[i] = op[i]->rejected;
            ngx_http_b24_nrejected -= op[i]->rejected;
            op[i]->rejected = 0;
        }
    }

    batch->refused = 0;
    batch->stored = 0;
    batch->changed = 0;
    batch->rc = B24_QUEUE_OK;
    batch->error[0] = '\0';
    batch->aside[0] = '\0';
    batch->pool = NULL;
    batch->committed = 0;
    batch->wrote = 0;
    batch->opened = 0;
    batch->counted = 0;
    batch->finished = 0;
}


/*
 * A shop's own script may set a status as soon as the order is there, and the
 * order be in the hands of another worker, or of a commit behind this one.  So
 * who is not known yet is looked for a little longer; with a database that
 * tells.
 */

static ngx_int_t
ngx_http_b24_store_early(ngx_http_b24_job_t *job)
{
    if (job->unknown == 0 || job->change->look
        || ngx_http_b24_nearly + job->unknown > NGX_HTTP_B24_EARLY_MAX)
    {
        return NGX_DECLINED;
    }

    if (job->patience == 0) {
        job->patience = ngx_current_msec + NGX_HTTP_B24_PATIENCE;
        job->patience = job->patience ? job->patience : 1;
    }

    if ((ngx_msec_int_t) (job->patience - ngx_current_msec) <= 0) {
        return NGX_DECLINED;
    }

    job->targets = job->missing;
    job->claim = NGX_HTTP_B24_JOB_HERE;

    ngx_http_b24_store_size(job);

    ngx_queue_insert_tail(&ngx_http_b24_early, &job->queue);
    ngx_http_b24_nearly += job->unknown;

    /* it holds up nobody: an exit need not wait for it, no page tell of it */

    ngx_http_b24_npending--;
    ngx_http_b24_hold(-1);

    return NGX_OK;
}


static void
ngx_http_b24_store_early_again(void)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&ngx_http_b24_early)) {
        q = ngx_queue_head(&ngx_http_b24_early);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_b24_pending, q);

        ngx_http_b24_npending++;
        ngx_http_b24_hold(1);
    }

    ngx_http_b24_nearly = 0;
}


/* counted once it is over */

static void
ngx_http_b24_store_told(ngx_http_b24_job_t *job)
{
    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    if (job->outcome != B24_OUTCOME_ACCEPTED) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_STATUSES_IGNORED, 1);
        return;
    }

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_STATUSES, 1);
    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_STATUSES_UNKNOWN,
                       job->unknown + job->over);

    if (job->over && ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: a request to the shop \"%V\" names more orders "
                      "than are taken at a time: the statuses of %ui were not "
                      "looked at", &job->origin->name, job->over);
    }

    /* which one it is the shop's database tells */

    if (job->targets == NULL || job->over
        || (job->unknown && job->change->look))
    {
        ngx_http_b24_import_poll(job->origin);
    }
}


static void
ngx_http_b24_store_done(ngx_event_t *ev)
{
    if (ev->timedout) {

        /* still in the thread: the disk hangs */

        ev->timedout = 0;

        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "b24: a commit to \"%V\" takes more than a minute",
                      &ngx_http_b24_main->db);

        ngx_add_timer(ev, NGX_HTTP_B24_HOLD);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ev->complete = 0;
    ngx_http_b24_busy = 0;

    ngx_http_b24_store_finish(&ngx_http_b24_batch, 1);

    /* for the number of those refused alone no commit is made but a tick's */

    if (!ngx_http_b24_degraded
        && (ngx_http_b24_owed || !ngx_queue_empty(&ngx_http_b24_pending)
            || !ngx_queue_empty(&ngx_http_b24_calls)))
    {
        ngx_http_b24_store_kick();
    }
}


/* on the event loop, or at exit without the calls' done() */

static void
ngx_http_b24_store_finish(ngx_http_b24_batch_t *batch, ngx_uint_t calls)
{
    ngx_uint_t            wake;
    ngx_queue_t          *q, done;
    ngx_http_b24_call_t  *call;

    ngx_queue_init(&done);

    if (!ngx_queue_empty(&batch->calls)) {

        if (batch->finished) {
            ngx_queue_add(&done, &batch->calls);

        } else {
            ngx_queue_add(&ngx_http_b24_calls, &batch->calls);
        }

        ngx_queue_init(&batch->calls);
    }

    if (batch->aside[0]) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "b24: a new queue \"%V\" is begun: %s",
                      &ngx_http_b24_main->db, batch->aside);
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_SET_ASIDE, 1);
        batch->aside[0] = '\0';
    }

    if (batch->counted) {
        ngx_http_b24_sh_publish(batch->counts, batch->ncounts, batch->change,
                                batch->opened);
        ngx_http_b24_looked = ngx_current_msec;
    }

    /* what can't be read is asked for with the next commit, not at once */

    ngx_http_b24_owed = (!batch->count && (batch->owed || batch->wrote)
                         && !batch->counted);

    b24_pool_destroy(batch->pool);
    batch->pool = NULL;
    batch->counted = 0;

    wake = 0;

    if (batch->rc == B24_QUEUE_OK) {
        wake = (batch->stored || batch->changed);

        /* that a read went well says nothing of a disk that has refused */

        if (batch->committed || !ngx_http_b24_refusing) {
            ngx_http_b24_store_degrade(0);
        }

        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_STORED, batch->stored);
        ngx_http_b24_store_refused(batch);
        ngx_http_b24_store_free(&batch->jobs);

    } else {
        ngx_http_b24_store_failed(batch);
    }

    while (calls && !ngx_queue_empty(&done)) {
        q = ngx_queue_head(&done);
        ngx_queue_remove(q);

        call = ngx_queue_data(q, ngx_http_b24_call_t, queue);
        call->done(call);
    }

    if (calls) {
        ngx_http_b24_journal_resume();
    }

    if (wake) {
        ngx_http_b24_courier_wake();
    }
}


/* never silent: an order that max= keeps out is lost for the CRM */

static void
ngx_http_b24_store_refused(ngx_http_b24_batch_t *batch)
{
    ngx_uint_t  left;

    static ngx_uint_t            refused;       /* since the last line */
    static ngx_http_b24_quiet_t  quiet;

    if (batch->refused == 0) {
        return;
    }

    refused += batch->refused;

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LOST, batch->refused);

    if (ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "b24: the queue holds max=%ui undelivered records, "
                      "%ui order events are not written down",
                      ngx_http_b24_main->max, refused);
        refused = 0;
    }
}


/* nothing was committed: everything goes back to the head, in its order */

static void
ngx_http_b24_store_failed(ngx_http_b24_batch_t *batch)
{
    ngx_uint_t               i, left;
    ngx_queue_t             *q;
    ngx_http_b24_job_t      *job;
    ngx_http_b24_origin_t  **op;

    static ngx_http_b24_quiet_t  quiet;

    ngx_http_b24_store_degrade(1);
    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_STORE_ERRORS, 1);

    while (!ngx_queue_empty(&batch->jobs)) {
        q = ngx_queue_last(&batch->jobs);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);
        job->claim = NGX_HTTP_B24_JOB_HERE;

        /* the shop does not wait for a disk that fails */

        ngx_http_b24_journal_done(job);

        if ((job->journal && job->twin == NULL)
            || ngx_http_b24_store_done_with(job))
        {
            /* the exchange is over, its own job tells all */

            ngx_http_b24_store_drop(job);
            continue;
        }

        ngx_queue_insert_head(&ngx_http_b24_pending, q);

        /* what the thread has read takes less now */

        ngx_http_b24_store_size(job);
    }

    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {
        op[i]->rejected += batch->rejected[i];
        ngx_http_b24_nrejected += batch->rejected[i];
        batch->rejected[i] = 0;
    }

    if (ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "b24: cannot write the queue \"%V\": %s (%s), %ui order "
                      "events wait in memory, the shop is not affected",
                      &ngx_http_b24_main->db, b24_queue_strerror(batch->rc),
                      batch->error[0] ? batch->error : "no details",
                      ngx_http_b24_npending);
    }
}


static void
ngx_http_b24_store_degrade(ngx_uint_t degraded)
{
    ngx_http_b24_degraded = degraded;
    ngx_http_b24_refusing = degraded;

    /* what a worker that is killed takes along is told by the next one */

    ngx_http_b24_sh_refused(degraded);

    ngx_http_b24_stay();
}


/* a quitting worker stays with the orders that it alone knows of */

ngx_uint_t
ngx_http_b24_store_stays(void)
{
    return ngx_http_b24_refusing && ngx_http_b24_npending;
}


static void
ngx_http_b24_store_size(ngx_http_b24_job_t *job)
{
    ngx_http_b24_held -= job->size;

    job->size = b24_pool_used(job->pool) + sizeof(ngx_http_b24_job_t);

    if (job->grown) {
        job->size += job->answer_size;
    }

    if (job->lent) {
        job->size += b24_pool_used(job->lent);
    }

    ngx_http_b24_held += job->size;
}


static void
ngx_http_b24_store_free(ngx_queue_t *jobs)
{
    ngx_queue_t         *q;
    ngx_http_b24_job_t  *job;

    while (!ngx_queue_empty(jobs)) {
        q = ngx_queue_head(jobs);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);

        if (job->status && !job->none) {

            if (job->targets && ngx_http_b24_store_early(job) == NGX_OK) {
                continue;
            }

            ngx_http_b24_store_told(job);
        }

        if (job->unreadable) {
            ngx_http_b24_count(NGX_HTTP_B24_COUNTER_UNREADABLE, 1);
        }

        ngx_http_b24_store_drop(job);
    }
}


/* out of all lists, no longer held */

static void
ngx_http_b24_store_drop(ngx_http_b24_job_t *job)
{
    ngx_http_b24_journal_done(job);

    if (job->twin) {
        job->twin->twin = NULL;

        /* no block wants it: nothing was written down */

        if (job->none) {
            job->twin->capture = 0;
        }
    }

    ngx_http_b24_held -= job->size;
    ngx_http_b24_npending--;
    ngx_http_b24_hold(-1);

    ngx_http_b24_job_destroy(job);
}
