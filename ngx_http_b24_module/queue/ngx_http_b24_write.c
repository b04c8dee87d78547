
/*
 * The thread's side of ngx_http_b24_store.c: no nginx pool, event, timer or log
 * is touched here, only the batch and what it points to.
 */


#include "ngx_http_b24_store.h"


static ngx_queue_t *ngx_http_b24_store_run(ngx_http_b24_batch_t *batch,
    ngx_queue_t *first, b24_queue_rc_e rc);
static b24_queue_rc_e ngx_http_b24_store_open(ngx_http_b24_batch_t *batch);
static b24_queue_rc_e ngx_http_b24_store_write(ngx_http_b24_batch_t *batch);
static void ngx_http_b24_store_shrink(ngx_http_b24_batch_t *batch);
static ngx_uint_t ngx_http_b24_store_over(ngx_http_b24_job_t *job);
static ngx_uint_t ngx_http_b24_store_claim(ngx_http_b24_job_t *job);
static b24_queue_rc_e ngx_http_b24_store_one(ngx_http_b24_batch_t *batch,
    ngx_http_b24_job_t *job);
static b24_queue_rc_e ngx_http_b24_store_status(ngx_http_b24_batch_t *batch,
    ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_store_missing(ngx_http_b24_job_t *job,
    b24_pair_t *target, b24_pair_t ***last);
static b24_queue_rc_e ngx_http_b24_store_nothing(ngx_http_b24_job_t *job);


b24_queue_t  *ngx_http_b24_db;


void
ngx_http_b24_store_thread(void *data, ngx_log_t *log)
{
    ngx_http_b24_batch_t  *batch = data;

    ngx_queue_t          *q;
    b24_queue_rc_e        rc;
    ngx_http_b24_job_t   *job;

    for (q = ngx_queue_head(&batch->jobs);
         q != ngx_queue_sentinel(&batch->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);

        if (!ngx_http_b24_store_over(job)) {
            ngx_http_b24_job_extract(job);
        }
    }

    rc = ngx_http_b24_store_open(batch);

    if (rc == B24_QUEUE_OK) {
        rc = ngx_http_b24_store_write(batch);
    }

    batch->rc = rc;

    if (rc != B24_QUEUE_OK) {
        ngx_http_b24_store_shrink(batch);
    }

    /* a failed write says nothing about a read */

    if (ngx_http_b24_db) {
        rc = B24_QUEUE_OK;
    }

    q = ngx_queue_head(&batch->calls);

    while (q != ngx_queue_sentinel(&batch->calls)) {
        q = ngx_http_b24_store_run(batch, q, rc);
    }

    if (ngx_http_b24_db && (batch->wrote || batch->owed)
        && (batch->count || batch->opened))
    {
        batch->pool = b24_pool_create(0);

        if (batch->pool
            && b24_queue_counts(ngx_http_b24_db, batch->pool, &batch->counts,
                                &batch->ncounts, &batch->change)
               == B24_QUEUE_OK)
        {
            batch->counted = 1;
        }
    }

    batch->finished = 1;
}


/*
 * Those in a row that may share a commit do; what can't be committed was none
 * of them.
 */

static ngx_queue_t *
ngx_http_b24_store_run(ngx_http_b24_batch_t *batch, ngx_queue_t *first,
    b24_queue_rc_e rc)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    b24_queue_rc_e        end;
    ngx_http_b24_call_t  *call;

    n = 0;

    for (q = first; q != ngx_queue_sentinel(&batch->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_http_b24_call_t, queue);

        if (n && !call->grouped) {
            break;
        }

        if (n++ == 0 && call->grouped && ngx_http_b24_db && rc == B24_QUEUE_OK)
        {
            rc = b24_queue_group_begin(ngx_http_b24_db);
        }

        call->rc = rc;
        call->run(call, (rc == B24_QUEUE_OK) ? ngx_http_b24_db : NULL);

        if (!call->silent) {
            batch->wrote = 1;
        }

        if (!call->grouped) {
            return ngx_queue_next(q);
        }
    }

    end = (ngx_http_b24_db && rc == B24_QUEUE_OK)
          ? b24_queue_group_end(ngx_http_b24_db) : B24_QUEUE_OK;

    if (end != B24_QUEUE_OK) {

        for (/* void */; first != q; first = ngx_queue_next(first)) {
            call = ngx_queue_data(first, ngx_http_b24_call_t, queue);
            call->rc = end;
        }
    }

    return q;
}


/*
 * Opened in the thread, after fork; again when the file was taken away or is
 * broken.  What could not be used may have been set aside on the way.
 */

static b24_queue_rc_e
ngx_http_b24_store_open(ngx_http_b24_batch_t *batch)
{
    b24_queue_rc_e  rc;

    if (ngx_http_b24_db && b24_queue_usable(ngx_http_b24_db)) {
        return B24_QUEUE_OK;
    }

    batch->wrote = 1;           /* the counts are wanted once */
    batch->opened = 1;

    /* the folder may have been deleted under us */

    (void) ngx_create_dir(ngx_http_b24_main->queue.data, 0700);

    if (ngx_http_b24_db) {
        rc = b24_queue_mend(&ngx_http_b24_db, batch->error,
                            sizeof(batch->error));

    } else {
        rc = b24_queue_open(&ngx_http_b24_db,
                            (char *) ngx_http_b24_main->db.data, batch->error,
                            sizeof(batch->error));
    }

    if (rc == B24_QUEUE_OK) {
        b24_queue_limit(ngx_http_b24_db, (int64_t) ngx_http_b24_main->max);
        ngx_memcpy(batch->aside, batch->error, sizeof(batch->aside));
        batch->error[0] = '\0';
    }

    return rc;
}


static b24_queue_rc_e
ngx_http_b24_store_write(ngx_http_b24_batch_t *batch)
{
    ngx_uint_t               i, any;
    ngx_queue_t             *q;
    b24_queue_rc_e           rc;
    ngx_http_b24_job_t      *job;
    ngx_http_b24_origin_t  **op;

    op = ngx_http_b24_main->origins.elts;
    any = 0;
    batch->refused = 0;
    batch->stored = 0;
    batch->changed = 0;

    for (q = ngx_queue_head(&batch->jobs);
         !any && q != ngx_queue_sentinel(&batch->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);
        any = !ngx_http_b24_store_over(job)
              && !ngx_http_b24_store_done_with(job);
    }

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {
        any |= (batch->rejected[i] != 0);
    }

    if (!any) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_begin(ngx_http_b24_db);

    /* that was for all others to end, and exchanges may have ended, too */

    any = 0;

    for (q = ngx_queue_head(&batch->jobs);
         rc == B24_QUEUE_OK && q != ngx_queue_sentinel(&batch->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);

        if (ngx_http_b24_store_claim(job)) {
            any = 1;
            rc = ngx_http_b24_store_one(batch, job);
        }
    }

    for (i = 0;
         rc == B24_QUEUE_OK && i < ngx_http_b24_main->origins.nelts;
         i++)
    {
        if (batch->rejected[i]) {
            any = 1;
            rc = b24_queue_count(ngx_http_b24_db,
                                 &op[i]->name,
                                 B24_STATE_REJECTED, batch->rejected[i]);
        }
    }

    if (rc == B24_QUEUE_OK && !any) {

        /* nothing that a disk could have refused */

        b24_queue_rollback(ngx_http_b24_db);
        return B24_QUEUE_OK;
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_commit(ngx_http_b24_db);
    }

    if (rc != B24_QUEUE_OK) {
        ngx_cpystrn((u_char *) batch->error,
                    (u_char *) b24_queue_message(ngx_http_b24_db),
                    sizeof(batch->error));
        b24_queue_rollback(ngx_http_b24_db);
        return rc;
    }

    batch->committed = 1;
    batch->wrote = 1;

    return B24_QUEUE_OK;
}


/* all wait on, and what they hold is theirs: what was put is rolled back */

static void
ngx_http_b24_store_shrink(ngx_http_b24_batch_t *batch)
{
    ngx_queue_t         *q;
    ngx_http_b24_job_t  *job;

    for (q = ngx_queue_head(&batch->jobs);
         q != ngx_queue_sentinel(&batch->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_b24_job_t, queue);

        if (job->whole && !ngx_http_b24_store_over(job)) {
            ngx_http_b24_job_shrink(job);
        }
    }
}


static ngx_uint_t
ngx_http_b24_store_over(ngx_http_b24_job_t *job)
{
    return __atomic_load_n(&job->claim, __ATOMIC_ACQUIRE)
           == NGX_HTTP_B24_JOB_OVER;
}


/* 0: the event loop has it, nothing is to be written any more */

static ngx_uint_t
ngx_http_b24_store_claim(ngx_http_b24_job_t *job)
{
    ngx_http_b24_job_claim_e  claim;

    claim = NGX_HTTP_B24_JOB_GATHERED;

    return __atomic_compare_exchange_n(&job->claim, &claim,
                                       NGX_HTTP_B24_JOB_WRITING, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}


static b24_queue_rc_e
ngx_http_b24_store_one(ngx_http_b24_batch_t *batch, ngx_http_b24_job_t *job)
{
    b24_queue_rc_e  rc;

    if (job->none || job->outcome == B24_OUTCOME_REJECTED
        || (job->status && job->targets == NULL))
    {
        return ngx_http_b24_store_nothing(job);
    }

    if (job->status) {
        return ngx_http_b24_store_status(batch, job);
    }

    job->put.lasting = 1;

    rc = b24_queue_put(ngx_http_b24_db, &job->put, &job->result);

    if (!job->journal && rc == B24_QUEUE_OK) {
        batch->stored++;
    }

    if (rc == B24_QUEUE_LIMIT && job->journal) {

        /* the answer's job will say so, if there is an order at all */

        return B24_QUEUE_OK;
    }

    if (rc == B24_QUEUE_LIMIT) {

        /* max=: nothing delivered is left that could be dropped */

        batch->refused++;
        return B24_QUEUE_OK;
    }

    return rc;
}


/* orders that the queue has: their new state, one after the other */

static b24_queue_rc_e
ngx_http_b24_store_status(ngx_http_b24_batch_t *batch, ngx_http_b24_job_t *job)
{
    int                  put;
    b24_pair_t          *target, **last;
    b24_queue_rc_e       rc;
    b24_queue_change_t   change;

    change = *job->change;
    job->unknown = 0;

    job->missing = NULL;
    last = &job->missing;

    for (target = job->targets; target; target = target->next) {
        change.order_id = target->name;
        change.row = target->value;

        rc = b24_queue_status(ngx_http_b24_db, &change, &put);

        switch (rc) {

        case B24_QUEUE_OK:
            batch->changed += (ngx_uint_t) put;
            break;

        case B24_QUEUE_NONE:
            job->unknown++;

            if (ngx_http_b24_store_missing(job, target, &last) != NGX_OK) {
                return B24_QUEUE_NOMEM;
            }

            break;

        case B24_QUEUE_LIMIT:
            batch->refused++;
            break;

        default:
            return rc;
        }
    }

    return B24_QUEUE_OK;
}


/* the list itself may be wanted again, when this commit fails */

static ngx_int_t
ngx_http_b24_store_missing(ngx_http_b24_job_t *job, b24_pair_t *target,
    b24_pair_t ***last)
{
    b24_pair_t  *pair;

    pair = b24_pcalloc(job->pool, sizeof(b24_pair_t));
    if (pair == NULL) {
        return NGX_ERROR;
    }

    pair->name = target->name;
    pair->value = target->value;

    **last = pair;
    *last = &pair->next;

    return NGX_OK;
}


ngx_uint_t
ngx_http_b24_store_done_with(ngx_http_b24_job_t *job)
{
    return job->extracted && (job->capture == 0 || job->journal)
           && (job->none || (job->status && job->targets == NULL));
}


/* no order came of it: what was written down of its request goes */

static b24_queue_rc_e
ngx_http_b24_store_nothing(ngx_http_b24_job_t *job)
{
    b24_queue_rc_e  rc;

    if (job->journal) {
        return B24_QUEUE_OK;
    }

    if (job->capture) {
        rc = b24_queue_uncapture(ngx_http_b24_db, &job->origin->name,
                                 job->capture);

        if (rc != B24_QUEUE_OK && rc != B24_QUEUE_NONE) {
            return rc;
        }
    }

    return (job->none || job->status)
           ? B24_QUEUE_OK : b24_queue_count(ngx_http_b24_db,
                                            &job->origin->name,
                                            B24_STATE_REJECTED, 1);
}
