
/*
 * What the shop's own database tells of claimed orders, and how far its changes
 * were read.
 */

#include "b24_queue_int.h"


#define B24_QUEUE_READ_CAUSE                                                  \
    "read from the shop's database"
#define B24_QUEUE_BUSY_CAUSE                                                  \
    "another order is worked on that has this number for its key"
#define B24_QUEUE_BUSY_MS  1000


static b24_queue_rc_e b24_queue_said(b24_queue_t *q, int64_t record,
    const b24_str_t *cause, int *said);
static b24_queue_rc_e b24_queue_behind(b24_queue_t *q,
    const b24_queue_job_t *job, b24_state_e *state, int64_t now);
static b24_queue_rc_e b24_queue_put_read(b24_queue_t *q,
    const b24_queue_job_t *job, const b24_queue_read_t *read, int64_t now);


b24_queue_rc_e
b24_queue_read(b24_queue_t *q, const char *owner, const b24_queue_job_t *job,
    const b24_queue_read_t *read, int64_t now, b24_state_e *state)
{
    b24_query_t       query;
    b24_choice_t      choice;
    b24_claimant_t    record;
    b24_queue_rc_e    rc;
    b24_queue_read_t  other;
    const b24_str_t  *data;

    *state = read->state;
    data = &read->data;

    memset(&choice, 0, sizeof(b24_choice_t));

    rc = b24_queue_begin_held(q, owner, job);

    if (rc == B24_QUEUE_OK && read->nmatches) {
        memset(&record, 0, sizeof(b24_claimant_t));

        record.id = job->record;
        record.origin = &job->origin;
        record.order_id = &job->order_id;
        record.placed = job->placed;
        record.contested = job->contested;

        rc = b24_queue_identify(q, &record, read->matches, read->nmatches,
                                read->loose, read->last, now, &choice);

        if (rc == B24_QUEUE_OK && choice.doubled) {
            *state = B24_STATE_DUPLICATE;
            return b24_queue_finish(q, rc);
        }

        data = &read->matches[choice.n].data;

    } else if (read->state == B24_STATE_ACCEPTED && job->contested) {

        /* nobody could tell */

        choice.reuse = 1;
    }

    if (rc == B24_QUEUE_OK && choice.reuse) {
        other = *read;
        other.unread = 0;

        if (choice.busy) {
            other.state = B24_STATE_WAITING;
            other.next = now + B24_QUEUE_BUSY_MS;
            other.cause = (b24_str_t) b24_string(B24_QUEUE_BUSY_CAUSE);
            memset(&other.row, 0, sizeof(b24_str_t));
            data = &other.row;

        } else {
            other.state = B24_STATE_PARKED;
            b24_queue_reused(&other.cause, &other.advice);
        }

        *state = other.state;
        read = &other;
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_row(q, job->record, &read->row);
    }

    if (rc == B24_QUEUE_OK && read->seen) {
        rc = b24_queue_put_seen(q, job->record, read->seen);
    }

    if (rc == B24_QUEUE_OK && read->state == B24_STATE_REJECTED) {
        return b24_queue_finish(q, b24_queue_reject(q, job->record,
                                                    &job->origin));
    }

    if (rc == B24_QUEUE_OK && data->len) {
        b24_query_init(&query, q, B24_SQL_EVENT_DATA);
        b24_query_text(&query, data);
        b24_query_int(&query, job->event);

        rc = b24_query_done(&query);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_read(q, job, read, now);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_put_read(b24_queue_t *q, const b24_queue_job_t *job,
    const b24_queue_read_t *read, int64_t now)
{
    int             said;
    b24_str_t       done = b24_string(B24_QUEUE_READ_CAUSE);
    b24_query_t     query;
    b24_state_e     state;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    state = read->state;
    said = 0;

    if (job->kind == B24_EV_LINK && state == B24_STATE_WAITING) {
        rc = b24_queue_behind(q, job, &state, now);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    if (read->once) {
        rc = b24_queue_said(q, job->record, &read->cause, &said);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    b24_query_init(&query, q, B24_SQL_READ);
    b24_query_chars(&query, b24_state_name(state));
    b24_query_id(&query, state == B24_STATE_WAITING ? read->next : 0);
    b24_query_int(&query, now);
    b24_query_str(&query, said ? NULL : &read->cause);
    b24_query_str(&query, said ? NULL : &read->advice);

    /* of a later event each counts: it is the measure of its pauses */

    b24_query_int(&query, job->kind == B24_EV_NEW);
    b24_query_int(&query, job->record);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK && read->unread) {
        rc = b24_queue_shop_number(q, job->record,
                                   &(b24_str_t) b24_string(""));
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = state;

    if (!said) {
        moment.cause = read->cause;
    }

    if (state == B24_STATE_ACCEPTED && moment.cause.len == 0) {
        moment.cause = done;
    }

    rc = b24_queue_moment(q, job->record, &moment, now);

    if (rc == B24_QUEUE_OK && state == B24_STATE_DELIVERED) {
        rc = b24_queue_go_on(q, job, now);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_said(b24_queue_t *q, int64_t record, const b24_str_t *cause,
    int *said)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_MOMENT_SAID);
    b24_query_int(&query, record);
    b24_query_text(&query, cause);

    *said = (b24_query_row(&query) == B24_QUEUE_OK);

    return b24_query_end(&query);
}


/*
 * The deal's number that can't be written into the shop now must not keep the
 * deal from what follows: it is tried again behind that.
 */

static b24_queue_rc_e
b24_queue_behind(b24_queue_t *q, const b24_queue_job_t *job,
    b24_state_e *state, int64_t now)
{
    int             kind;
    int64_t         event;
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc;

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

    rc = b24_query_end(&query);

    /* two of them must not take turns */

    if (rc != B24_QUEUE_OK || kind == B24_EV_LINK) {
        return rc;
    }

    *state = B24_STATE_DELIVERED;

    return b24_queue_event(q, job->record, B24_EV_LINK, &job->data, now);
}


b24_queue_rc_e
b24_queue_row(b24_queue_t *q, int64_t record, const b24_str_t *row)
{
    b24_query_t  query;

    if (row->len == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_ROW);
    b24_query_text(&query, row);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}


/* it goes as a duplicate of the twin, 0: of one that is gone itself */

b24_queue_rc_e
b24_queue_double(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    int64_t twin, int64_t now)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_count(q, origin, B24_STATE_DUPLICATE, 1);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_twin(q, record, twin, now);
    }

    return rc == B24_QUEUE_OK ? b24_queue_gone(q, record) : rc;
}


/* the order of the record is the twin's: that one was captured, then */

b24_queue_rc_e
b24_queue_twin(b24_queue_t *q, int64_t record, int64_t twin, int64_t now)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (twin == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_AS_CAPTURED);
    b24_query_int(&query, record);
    b24_query_int(&query, twin);

    rc = b24_query_done(&query);

    return rc == B24_QUEUE_OK ? b24_queue_note(q, twin, B24_STATE_DUPLICATE,
                                               B24_QUEUE_TWIN_CAUSE, now)
                              : rc;
}


b24_queue_rc_e
b24_queue_reject(b24_queue_t *q, int64_t record, const b24_str_t *origin)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_gone(q, record);

    return rc == B24_QUEUE_OK
           ? b24_queue_count(q, origin, B24_STATE_REJECTED, 1) : rc;
}


b24_queue_rc_e
b24_queue_gone(b24_queue_t *q, int64_t record)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_DROP_RECORD);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}


/* ---- changes ---- */

b24_queue_rc_e
b24_queue_mark(b24_queue_t *q, b24_pool_t *pool, b24_queue_mark_t *mark)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_MARK);
    b24_query_text(&query, &mark->origin);
    b24_query_text(&query, &mark->shop);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &mark->changed);
        b24_query_get_str(&query, 1, pool, &mark->begun);
        b24_query_get_str(&query, 2, pool, &mark->row);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_put_mark(b24_queue_t *q, const b24_queue_mark_t *mark)
{
    int             own;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    own = sqlite3_get_autocommit(q->db);

    rc = own ? b24_queue_begin(q) : B24_QUEUE_OK;

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_PUT_MARK);
        b24_query_text(&query, &mark->origin);
        b24_query_text(&query, &mark->shop);
        b24_query_text(&query, &mark->changed);
        b24_query_text(&query, &mark->begun);
        b24_query_str(&query, &mark->row);

        rc = b24_query_done(&query);
    }

    return own ? b24_queue_finish(q, rc) : rc;
}


b24_queue_rc_e
b24_queue_known(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, const b24_str_t *row, int *known)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_taken(q, 0, origin, order_id, row, known);

    if (rc != B24_QUEUE_OK || *known || row->len == 0) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_ROW_TAKEN);
    b24_query_text(&query, row);
    b24_query_text(&query, origin);

    *known = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
}


/* by another record's order that is not known to have another key */

b24_queue_rc_e
b24_queue_taken(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    const b24_str_t *order_id, const b24_str_t *row, int *taken)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_NUMBER_TAKEN);
    b24_query_text(&query, order_id);
    b24_query_text(&query, origin);
    b24_query_str(&query, row);
    b24_query_int(&query, record);

    *taken = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
}
