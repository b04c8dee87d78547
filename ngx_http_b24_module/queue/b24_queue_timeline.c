
/*
 * What happened to a record.
 */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_moment_find(b24_queue_t *q, int64_t record,
    const b24_moment_t *moment, int64_t *last, int64_t *again);
static b24_queue_rc_e b24_queue_moment_begun(b24_queue_t *q, int64_t record,
    const b24_moment_t *moment, int64_t *last, int64_t *again);


/*
 * A portal that is out for days must not fill the disk: a row that says the
 * same again is counted, also in a series of sending and waiting in turn, and
 * from B24_QUEUE_MOMENTS rows on the last one is overwritten.
 */

b24_queue_rc_e
b24_queue_moment(b24_queue_t *q, int64_t record, const b24_moment_t *moment,
    int64_t now)
{
    int64_t         last, again;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_moment_find(q, record, moment, &last, &again);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (again == 0 && last < B24_QUEUE_MOMENTS) {
        return b24_queue_moment_add(q, record, last + 1, moment, now);
    }

    b24_query_init(&query, q, again ? B24_SQL_MOMENT_AGAIN
                                    : B24_SQL_MOMENT_REPLACE);
    b24_query_int(&query, now);
    b24_query_chars(&query, moment->method);
    b24_query_chars(&query, moment->error);

    if (again == 0) {
        b24_query_chars(&query, b24_state_name(moment->state));
        b24_query_str(&query, &moment->cause);
    }

    b24_query_int(&query, record);
    b24_query_int(&query, again ? again : last);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_note(b24_queue_t *q, int64_t record, b24_state_e state,
    const char *cause, int64_t now)
{
    b24_moment_t  moment;

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = state;
    moment.cause.data = (u_char *) cause;
    moment.cause.len = cause ? strlen(cause) : 0;

    return b24_queue_moment(q, record, &moment, now);
}


b24_queue_rc_e
b24_queue_moment_add(b24_queue_t *q, int64_t record, int64_t n,
    const b24_moment_t *moment, int64_t now)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_MOMENT);
    b24_query_int(&query, record);
    b24_query_int(&query, n);
    b24_query_int(&query, now);
    b24_query_chars(&query, b24_state_name(moment->state));
    b24_query_str(&query, &moment->cause);
    b24_query_chars(&query, moment->method);
    b24_query_chars(&query, moment->error);

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_moment_find(b24_queue_t *q, int64_t record,
    const b24_moment_t *moment, int64_t *last, int64_t *again)
{
    int64_t         n;
    b24_str_t       name, cause;
    b24_query_t     query;
    b24_state_e     state, before;
    b24_queue_rc_e  rc;

    *last = 0;
    *again = 0;
    before = B24_NSTATES;

    b24_query_init(&query, q, B24_SQL_LAST_MOMENTS);
    b24_query_int(&query, record);

    while (*again == 0 && b24_query_row(&query) == B24_QUEUE_OK) {
        n = b24_query_get_int(&query, 0);
        b24_query_peek_str(&query, 1, &name);
        b24_query_peek_str(&query, 2, &cause);

        state = b24_state_find(&name);

        if (*last == 0) {
            *last = n;
            before = state;

        } else if (!(state == B24_STATE_SENDING
                     && before == B24_STATE_WAITING)
                   && !(state == B24_STATE_WAITING
                        && before == B24_STATE_SENDING))
        {
            break;
        }

        if (state == moment->state && b24_str_eq(&cause, &moment->cause)) {
            *again = n;
        }
    }

    rc = b24_query_end(&query);

    return rc == B24_QUEUE_OK && *last == 0
           ? b24_queue_moment_begun(q, record, moment, last, again) : rc;
}


/* the timeline has the first moments itself once one of them comes again */

static b24_queue_rc_e
b24_queue_moment_begun(b24_queue_t *q, int64_t record,
    const b24_moment_t *moment, int64_t *last, int64_t *again)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_BEGUN);
    b24_query_int(&query, record);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        *last = b24_query_get_int(&query, 0);
    }

    rc = b24_query_end(&query);

    if (rc != B24_QUEUE_OK || *last == 0
        || moment->state != B24_STATE_ACCEPTED || moment->cause.len)
    {
        return rc;
    }

    *again = *last;

    b24_query_init(&query, q, B24_SQL_PUT_BEGUN);
    b24_query_int(&query, record);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_DROP_BEGUN);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}
