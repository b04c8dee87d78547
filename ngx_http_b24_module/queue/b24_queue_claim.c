
/*
 * The courier's side: what is due, who holds it, how it ended.
 */

#include "b24_queue_int.h"


typedef struct {
    const b24_str_t  *origins;
    size_t            norigins;
    const char       *owner;
    int64_t           lease;        /* ms */
    int64_t           now;
    const int64_t    *since;        /* orders accepted since then go first;
                                       NULL: none does */
} b24_claim_t;


static b24_queue_rc_e b24_queue_claim_one(b24_queue_t *q, b24_pool_t *pool,
    const b24_claim_t *claim, b24_due_e what, b24_queue_job_t *job,
    int64_t *next);
static b24_queue_rc_e b24_queue_find_due(b24_queue_t *q,
    const b24_claim_t *claim, b24_due_t *due);
static b24_queue_rc_e b24_queue_claimed(b24_queue_t *q, b24_pool_t *pool,
    const b24_claim_t *claim, const b24_due_t *due, b24_queue_job_t *job);
static b24_queue_rc_e b24_queue_take(b24_queue_t *q, const b24_due_t *due,
    const char *owner, int64_t lease, int64_t now);
static b24_queue_rc_e b24_queue_load(b24_queue_t *q, b24_pool_t *pool,
    b24_queue_job_t *job);
static b24_queue_rc_e b24_queue_load_first(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_sql_e sql, b24_str_t *data);
static b24_queue_rc_e b24_queue_load_steps(b24_queue_t *q,
    b24_queue_job_t *job);
static b24_queue_rc_e b24_queue_step(b24_queue_t *q, int64_t record, int step,
    b24_step_state_e state);
static b24_queue_rc_e b24_queue_attempted(b24_queue_t *q,
    const b24_queue_job_t *job, unsigned mask, const char *method,
    const char *cause, int64_t lease, int64_t now);
static b24_queue_rc_e b24_queue_settle(b24_queue_t *q,
    const b24_queue_job_t *job, const b24_queue_outcome_t *out, int64_t now);


b24_queue_rc_e
b24_queue_claim(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origins,
    size_t norigins, const char *owner, int64_t lease_ms, int64_t now,
    b24_queue_job_t *job, int64_t *next)
{
    b24_claim_t  claim = { origins, norigins, owner, lease_ms, now, NULL };

    return b24_queue_claim_one(q, pool, &claim, B24_DUE_CRM, job, next);
}


b24_queue_rc_e
b24_queue_claim_back(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    const char *owner, int64_t lease_ms, int64_t now, b24_queue_job_t *job,
    int64_t *next)
{
    b24_claim_t  claim = { origin, 1, owner, lease_ms, now, NULL };

    return b24_queue_claim_one(q, pool, &claim, B24_DUE_BACK, job, next);
}


b24_queue_rc_e
b24_queue_claim_fresh(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origins, size_t norigins, const char *owner,
    int64_t lease_ms, int64_t since, int64_t now, b24_queue_job_t *job,
    int64_t *next)
{
    b24_claim_t  claim = { origins, norigins, owner, lease_ms, now, &since };

    return b24_queue_claim_one(q, pool, &claim, B24_DUE_FOLLOWS, job, next);
}


b24_queue_rc_e
b24_queue_claim_many(b24_queue_t *q, b24_pool_t **pools,
    const b24_str_t *origins, size_t norigins, const char *owner,
    int64_t lease_ms, int64_t now, b24_queue_job_t *jobs, size_t max,
    size_t *got, int64_t *next)
{
    size_t          n;
    b24_due_t       due;
    b24_claim_t     claim = { origins, norigins, owner, lease_ms, now, NULL };
    b24_queue_rc_e  rc;

    *got = 0;
    *next = 0;

    rc = b24_queue_begin(q);

    for (n = 0; rc == B24_QUEUE_OK && n < max; /* void */) {
        memset(&due, 0, sizeof(b24_due_t));

        due.what = B24_DUE_NEW;

        rc = b24_queue_find_due(q, &claim, &due);

        if (rc == B24_QUEUE_OK && due.record == 0) {
            *next = due.next;
            break;
        }

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_claimed(q, pools[n], &claim, &due, &jobs[n]);
            n++;
        }
    }

    if (rc == B24_QUEUE_OK && n == 0) {
        b24_queue_rollback(q);
        return B24_QUEUE_NONE;
    }

    rc = b24_queue_finish(q, rc);

    if (rc == B24_QUEUE_OK) {
        *got = n;
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_claim_one(b24_queue_t *q, b24_pool_t *pool, const b24_claim_t *claim,
    b24_due_e what, b24_queue_job_t *job, int64_t *next)
{
    b24_due_t       due;
    b24_queue_rc_e  rc;

    memset(job, 0, sizeof(b24_queue_job_t));
    memset(&due, 0, sizeof(b24_due_t));

    due.what = what;

    *next = 0;

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_find_due(q, claim, &due);
    }

    if (rc == B24_QUEUE_OK && due.record == 0) {
        b24_queue_rollback(q);
        *next = due.next;
        return B24_QUEUE_NONE;
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_claimed(q, pool, claim, &due, job);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_find_due(b24_queue_t *q, const b24_claim_t *claim, b24_due_t *due)
{
    size_t          i;
    b24_queue_rc_e  rc;

    rc = B24_QUEUE_OK;

    for (i = 0; claim->since && rc == B24_QUEUE_OK && i < claim->norigins; i++)
    {
        rc = b24_queue_due_fresh(q, &claim->origins[i], *claim->since, due);
    }

    if (due->record) {
        return rc;
    }

    for (i = 0; rc == B24_QUEUE_OK && i < claim->norigins; i++) {
        rc = b24_queue_due(q, &claim->origins[i], claim->owner, claim->lease,
                           claim->now, due);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_claimed(b24_queue_t *q, b24_pool_t *pool, const b24_claim_t *claim,
    const b24_due_t *due, b24_queue_job_t *job)
{
    b24_queue_rc_e  rc;

    memset(job, 0, sizeof(b24_queue_job_t));

    job->record = due->record;
    job->lease = claim->now + claim->lease;

    rc = b24_queue_take(q, due, claim->owner, job->lease, claim->now);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_load(q, pool, job);

        if (rc == B24_QUEUE_NONE) {
            rc = b24_queue_fault(q, B24_QUEUE_ERROR, "record without event");
        }
    }

    return rc;
}


b24_queue_rc_e
b24_queue_renew(b24_queue_t *q, const char *owner, const int64_t *records,
    size_t n, int64_t lease_ms, int64_t now)
{
    size_t          i;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        b24_query_init(&query, q, B24_SQL_RENEW);
        b24_query_int(&query, now + lease_ms);
        b24_query_int(&query, records[i]);
        b24_query_chars(&query, owner);

        rc = b24_query_done(&query);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_recover(b24_queue_t *q, const b24_str_t *origin, const char *owner,
    int64_t unknown_ms, int64_t now)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_RECOVER);
        b24_query_int(&query, now);
        b24_query_int(&query, unknown_ms);
        b24_query_text(&query, origin);
        b24_query_chars(&query, owner);

        rc = b24_query_done(&query);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_take(b24_queue_t *q, const b24_due_t *due, const char *owner,
    int64_t lease, int64_t now)
{
    b24_query_t     query;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_CLAIM);
    b24_query_chars(&query, owner);
    b24_query_int(&query, lease);
    b24_query_int(&query, now);
    b24_query_int(&query, due->record);

    rc = b24_query_done(&query);

    if (rc != B24_QUEUE_OK || !due->expired) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = B24_STATE_SENDING;
    moment.cause.data = (u_char *) "taken over from a worker that went away";
    moment.cause.len = strlen((char *) moment.cause.data);

    return b24_queue_moment(q, due->record, &moment, now);
}


static b24_queue_rc_e
b24_queue_load(b24_queue_t *q, b24_pool_t *pool, b24_queue_job_t *job)
{
    int             kind;
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_queue_key_print(job->key, job->record);

    job->device = q->dev;
    job->inode = q->ino;

    b24_query_init(&query, q, B24_SQL_JOB);
    b24_query_int(&query, job->record);

    rc = b24_query_row(&query);

    if (rc != B24_QUEUE_OK) {
        (void) b24_query_end(&query);
        return rc;
    }

    b24_query_get_str(&query, 0, pool, &job->origin);
    b24_query_get_str(&query, 1, pool, &job->order_id);
    job->attempts = (int) b24_query_get_int(&query, 2);
    job->deal_id = b24_query_get_int(&query, 3);
    job->contact_id = b24_query_get_int(&query, 4);
    job->company_id = b24_query_get_int(&query, 5);
    job->event = b24_query_get_int(&query, 6);
    b24_query_peek_str(&query, 7, &name);
    job->accepted = b24_query_get_int(&query, 8);
    b24_query_get_str(&query, 9, pool, &job->data);
    b24_query_get_str(&query, 10, pool, &job->origin_id);
    job->placed = b24_query_get_int(&query, 11);
    b24_query_get_str(&query, 12, pool, &job->row);
    job->contested = b24_query_get_int(&query, 13) != 0;
    b24_query_get_str(&query, 14, pool, &job->shop_number);

    kind = b24_queue_kind_find(&name, job->event);
    job->kind = kind < 0 ? B24_EV_NEW : (b24_ev_e) kind;

    rc = b24_query_end(&query);

    if (rc == B24_QUEUE_OK
        && (job->kind == B24_EV_STATUS || job->kind == B24_EV_BACK))
    {
        rc = b24_queue_load_seen(q, pool, job->record, &job->seen);
    }

    if (rc == B24_QUEUE_OK && job->kind == B24_EV_BACK) {
        rc = b24_queue_load_first(q, pool, job->record, B24_SQL_FIRST_DATA,
                                  &job->data);
    }

    if (rc == B24_QUEUE_OK && job->kind == B24_EV_STATUS) {
        rc = b24_queue_load_first(q, pool, job->record, B24_SQL_FIRST_ORDER,
                                  &job->first);
    }

    return rc == B24_QUEUE_OK ? b24_queue_load_steps(q, job) : rc;
}


b24_queue_rc_e
b24_queue_peek(b24_queue_t *q, b24_pool_t *pool, const char *key,
    b24_queue_job_t *job)
{
    int             own;
    b24_queue_rc_e  rc;

    memset(job, 0, sizeof(b24_queue_job_t));

    job->record = b24_queue_key_parse((u_char *) key, strlen(key));

    if (job->record == 0) {
        return B24_QUEUE_NONE;
    }

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_load(q, pool, job);

    /* nothing was written: what matters is that the transaction ends */

    if (own) {
        b24_queue_rollback(q);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_load_first(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_sql_e sql, b24_str_t *data)
{
    b24_query_t  query;

    b24_query_init(&query, q, sql);
    b24_query_int(&query, record);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, data);
    }

    return b24_query_end(&query);
}


static b24_queue_rc_e
b24_queue_load_steps(b24_queue_t *q, b24_queue_job_t *job)
{
    int          step, state;
    b24_str_t    name;
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_STEPS);
    b24_query_int(&query, job->record);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &name);
        step = b24_queue_step_find(&name);

        b24_query_peek_str(&query, 1, &name);
        state = b24_queue_step_state_find(&name);

        if (step >= 0 && state >= 0) {
            job->steps[step] = (b24_step_state_e) state;
        }
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_attempt(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job, unsigned mask, const char *method,
    const char *cause, int64_t lease_ms, int64_t now)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_begin_held(q, owner, job);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_attempted(q, job, mask, method, cause, now + lease_ms,
                                 now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_facts(q, job->facts, job->nfacts, now);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_attempted(b24_queue_t *q, const b24_queue_job_t *job, unsigned mask,
    const char *method, const char *cause, int64_t lease, int64_t now)
{
    int               i;
    b24_query_t       query;
    b24_moment_t      moment;
    b24_queue_rc_e    rc;
    b24_queue_seen_t  seen;

    b24_query_init(&query, q, B24_SQL_ATTEMPT);
    b24_query_int(&query, lease);
    b24_query_int(&query, now);
    b24_query_id(&query, job->deal_id);
    b24_query_id(&query, job->contact_id);
    b24_query_id(&query, job->company_id);
    b24_query_int(&query, job->record);

    rc = b24_query_done(&query);

    for (i = 0; rc == B24_QUEUE_OK && i < B24_NSTEPS; i++) {

        if (mask & (1u << i)) {
            rc = b24_queue_step(q, job->record, i, B24_STEP_SENT);
        }
    }

    memset(&seen, 0, sizeof(b24_queue_seen_t));

    if (mask & (1u << B24_STEP_STAGE)) {
        seen.sent = job->seen.sent;
        seen.sent_time = now;
    }

    if (mask & (1u << B24_STEP_UPDATE)) {
        seen.total = job->seen.total;
        seen.sent_total = job->seen.sent_total;
        seen.goods = job->seen.goods;
        seen.sent_rows = job->seen.sent_rows;
    }

    if (rc == B24_QUEUE_OK
        && (mask & (1u << B24_STEP_STAGE | 1u << B24_STEP_UPDATE)))
    {
        rc = b24_queue_put_seen(q, job->record, &seen);
    }

    if (rc == B24_QUEUE_OK && job->deal_id) {
        rc = b24_queue_put_link(q, job->record);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = B24_STATE_SENDING;
    moment.method = method;
    moment.cause.data = (u_char *) cause;
    moment.cause.len = cause ? strlen(cause) : 0;

    return b24_queue_moment(q, job->record, &moment, now);
}


/* opens the transaction in which the job is still this owner's */

b24_queue_rc_e
b24_queue_begin_held(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = B24_QUEUE_NONE;

    if (job->device == q->dev && job->inode == q->ino) {
        b24_query_init(&query, q, B24_SQL_HELD);
        b24_query_int(&query, job->record);
        b24_query_chars(&query, owner);
        b24_query_int(&query, job->event);
        b24_query_int(&query, job->attempts);

        rc = b24_query_row(&query);

        (void) b24_query_end(&query);
    }

    if (rc == B24_QUEUE_NONE) {
        rc = b24_queue_fault(q, B24_QUEUE_STALE,
                             b24_queue_strerror(B24_QUEUE_STALE));
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_step(b24_queue_t *q, int64_t record, int step,
    b24_step_state_e state)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_STEP);
    b24_query_int(&query, record);
    b24_query_chars(&query, b24_queue_step_name(step));
    b24_query_chars(&query, b24_queue_step_state_name(state));

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_put_link(b24_queue_t *q, int64_t record)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_PUT_LINK);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_outcome(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job, const b24_queue_outcome_t *out, int64_t now)
{
    int               i;
    b24_moment_t      moment;
    b24_queue_rc_e    rc;
    b24_queue_seen_t  seen;

    static const b24_str_t  nothing = b24_string("{}");

    if (out->state != B24_STATE_DELIVERED && out->state != B24_STATE_WAITING
        && out->state != B24_STATE_PARKED && out->state != B24_STATE_ACCEPTED)
    {
        return b24_queue_fault(q, B24_QUEUE_ERROR, "no outcome of an attempt");
    }

    rc = b24_queue_begin_held(q, owner, job);

    for (i = 0; rc == B24_QUEUE_OK && i < B24_NSTEPS; i++) {

        /* a step without a row is open */

        if (out->steps[i] != B24_STEP_OPEN
            || job->steps[i] != B24_STEP_OPEN)
        {
            rc = b24_queue_step(q, job->record, i, out->steps[i]);
        }
    }

    if (rc == B24_QUEUE_OK && out->seen) {
        seen = *out->seen;
        seen.settled |= (out->state == B24_STATE_DELIVERED
                         && out->look.len == 0);

        rc = b24_queue_meanwhile(q, job, &seen);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_put_seen(q, job->record, &seen);
        }
    }

    /* before the state says that nothing more is to be done */

    if (rc == B24_QUEUE_OK && out->state == B24_STATE_DELIVERED
        && out->link.len)
    {
        rc = b24_queue_event(q, job->record, B24_EV_LINK, &out->link, now);
    }

    if (rc == B24_QUEUE_OK && out->state == B24_STATE_DELIVERED
        && out->watch.len && out->deal_id)
    {
        rc = b24_queue_put_moved(q, &out->watch, out->deal_id, now);
    }

    if (rc == B24_QUEUE_OK && out->state == B24_STATE_DELIVERED && out->back) {
        rc = b24_queue_look(q, job->record, B24_EV_BACK, &nothing, now, now);
    }

    if (rc == B24_QUEUE_OK && out->state == B24_STATE_DELIVERED
        && out->look.len)
    {
        rc = b24_queue_look(q, job->record, B24_EV_STATUS, &out->look,
                            out->look_time ? out->look_time : now, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_settle(q, job, out, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_link(q, job->record);
    }

    if (rc == B24_QUEUE_OK) {
        memset(&moment, 0, sizeof(b24_moment_t));

        moment.state = out->state;
        moment.method = out->method;
        moment.error = out->error;
        moment.cause.data = (u_char *) out->cause;
        moment.cause.len = out->cause ? strlen(out->cause) : 0;

        rc = b24_queue_moment(q, job->record, &moment, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = out->state == B24_STATE_DELIVERED ? b24_queue_go_on(q, job, now)
                                               : b24_queue_yield(q, job, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_facts(q, out->facts, out->nfacts, now);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_settle(b24_queue_t *q, const b24_queue_job_t *job,
    const b24_queue_outcome_t *out, int64_t now)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_OUTCOME);
    b24_query_chars(&query, b24_state_name(out->state));

    if (out->state == B24_STATE_WAITING) {
        b24_query_int(&query, out->next);

    } else {
        b24_query_id(&query, 0);
    }

    b24_query_int(&query, now);
    b24_query_id(&query, out->deal_id);
    b24_query_id(&query, out->contact_id);
    b24_query_id(&query, out->company_id);
    b24_query_chars(&query, out->cause);
    b24_query_chars(&query, out->advice);
    b24_query_int(&query, job->record);
    b24_query_int(&query, out->idle);

    return b24_query_done(&query);
}


/* the event is done, the next one of the record takes its place */

b24_queue_rc_e
b24_queue_go_on(b24_queue_t *q, const b24_queue_job_t *job, int64_t now)
{
    int             kind;
    int64_t         event, arrived;
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_EVENT_DONE);
    b24_query_int(&query, now);
    b24_query_int(&query, job->event);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_DROP_DONE);
        b24_query_int(&query, job->record);
        b24_query_int(&query, job->event);

        rc = b24_query_done(&query);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_NEXT_EVENT);
    b24_query_int(&query, job->event);

    rc = b24_query_row(&query);

    if (rc != B24_QUEUE_OK) {
        (void) b24_query_end(&query);
        return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
    }

    event = b24_query_get_int(&query, 0);
    b24_query_peek_str(&query, 1, &name);
    kind = b24_queue_kind_find(&name, event);
    arrived = b24_query_get_int(&query, 2);

    rc = b24_query_end(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    return b24_queue_reopen(q, job->record, event,
                            kind < 0 ? B24_EV_CHANGED : (b24_ev_e) kind,
                            arrived, now);
}
