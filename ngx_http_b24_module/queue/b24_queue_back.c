
/*
 * What goes back to the shop, and what goes to the CRM of the same order: the
 * events of a record stand in one sequence, but no order waits for its shop.
 */

#include "b24_queue_int.h"


static int b24_queue_total(const b24_queue_seen_t *seen);


b24_queue_rc_e
b24_queue_overtake(b24_queue_t *q, int64_t record, int64_t now)
{
    int             kind;
    int64_t         event, arrived;
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_FOLLOWS);
    b24_query_int(&query, record);

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

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_LAST);
        b24_query_int(&query, record);

        rc = b24_query_done(&query);
    }

    return rc == B24_QUEUE_OK
           ? b24_queue_reopen(q, record, event,
                              kind < 0 ? B24_EV_CHANGED : (b24_ev_e) kind,
                              arrived, now)
           : rc;
}


b24_queue_rc_e
b24_queue_ask_again(b24_queue_t *q, int64_t record)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_DROP_STEP);
    b24_query_int(&query, record);
    b24_query_chars(&query, b24_queue_step_name(B24_STEP_BACK));

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_meanwhile(b24_queue_t *q, const b24_queue_job_t *job,
    b24_queue_seen_t *seen)
{
    b24_pool_t        *pool;
    b24_queue_rc_e     rc;
    b24_queue_seen_t   now;

    if (job->kind != B24_EV_BACK && job->kind != B24_EV_STATUS) {
        return B24_QUEUE_OK;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = b24_queue_load_seen(q, pool, job->record, &now);

    if (rc == B24_QUEUE_OK && job->kind == B24_EV_BACK
        && now.time != job->seen.time)
    {
        seen->time = 0;
    }

    /* set once more, to what it was: that has not come to the deal */

    if (rc == B24_QUEUE_OK
        && b24_queue_seen_restated(seen->stated.len ? seen : &job->seen,
                                   &now.stated))
    {
        seen->settled = 0;
        memset(&seen->stated, 0, sizeof(b24_str_t));
    }

    b24_pool_destroy(pool);

    return rc;
}


b24_queue_rc_e
b24_queue_yield(b24_queue_t *q, const b24_queue_job_t *job, int64_t now)
{
    b24_pool_t        *pool;
    b24_queue_rc_e     rc;
    b24_queue_seen_t   seen;

    if (job->kind != B24_EV_BACK) {
        return B24_QUEUE_OK;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = b24_queue_load_seen(q, pool, job->record, &seen);

    if (rc == B24_QUEUE_OK
        && ((seen.status.len && !seen.settled) || b24_queue_total(&seen)))
    {
        rc = b24_queue_overtake(q, job->record, now);
    }

    b24_pool_destroy(pool);

    return rc;
}


/* the shop has told of another total, which has not come to the deal */

static int
b24_queue_total(const b24_queue_seen_t *seen)
{
    ssize_t    at;
    b24_str_t  total;

    at = b24_str_find(&seen->changed, 0, "\t");

    if (at < 0) {
        return 0;
    }

    total.data = seen->changed.data + at + 1;
    total.len = seen->changed.len - (size_t) at - 1;

    return total.len && !b24_str_eq(&total, &seen->total);
}
