
/*
 * Transactions, the intake's side of the queue.
 */

#include "b24_queue_int.h"


#define B24_QUEUE_REUSED_CAUSE                                                \
    "order number seen before with other content"
#define B24_QUEUE_REUSED_ADVICE                                               \
    "if it is a new order, send it: its number gets a suffix; else drop it"
#define B24_QUEUE_AGAIN_CAUSE                                                 \
    "the same order was submitted again"


static void b24_queue_undo(b24_queue_t *q, b24_sql_e sql);
static b24_queue_rc_e b24_queue_duplicate(b24_queue_t *q,
    const b24_queue_put_t *put, int64_t record,
    b24_queue_put_result_t *result);
static b24_queue_rc_e b24_queue_place(b24_queue_t *q,
    const b24_queue_put_t *put, const b24_captured_t *captured,
    b24_queue_put_result_t *result);
static b24_queue_rc_e b24_queue_insert(b24_queue_t *q,
    const b24_queue_put_t *put, int64_t reuse, const b24_captured_t *captured,
    b24_queue_put_result_t *result);


b24_queue_rc_e
b24_queue_begin(b24_queue_t *q)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (q->lost != B24_QUEUE_OK) {
        return q->lost;
    }

    if (!q->group && !b24_queue_same_file(q)) {
        return b24_queue_fault(q, B24_QUEUE_IO,
                               "the file was removed or replaced");
    }

    memset(q->event, 0, sizeof(q->event));
    b24_queue_count_reset(q);

    b24_query_init(&query, q, q->group ? B24_SQL_SAVEPOINT : B24_SQL_BEGIN);

    rc = b24_query_done(&query);

    q->inner = (rc == B24_QUEUE_OK && q->group);

    return rc;
}


b24_queue_rc_e
b24_queue_begin_read(b24_queue_t *q, int *own)
{
    b24_query_t  query;

    *own = q->lost == B24_QUEUE_OK && sqlite3_get_autocommit(q->db);

    if (!*own) {
        return q->lost;
    }

    if (!b24_queue_same_file(q)) {
        return b24_queue_fault(q, B24_QUEUE_IO,
                               "the file was removed or replaced");
    }

    b24_query_init(&query, q, B24_SQL_BEGIN_READ);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_commit(b24_queue_t *q)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_fresh_write(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_count_write(q);
    }

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, q->inner ? B24_SQL_RELEASE : B24_SQL_COMMIT);

        rc = b24_query_done(&query);
    }

    if (q->inner) {
        q->inner = (rc != B24_QUEUE_OK);
        return rc;
    }

    if (rc == B24_QUEUE_OK && !b24_queue_same_file(q)) {
        rc = b24_queue_fault(q, B24_QUEUE_IO,
                             "the file was removed or replaced");
    }

    return rc;
}


void
b24_queue_rollback(b24_queue_t *q)
{
    /* nor is it counted with what a group commits later */

    b24_queue_count_reset(q);

    /* after a full disk or an I/O error SQLite has rolled back by itself */

    if (q->db == NULL || sqlite3_get_autocommit(q->db)) {
        q->inner = 0;
        return;
    }

    if (!q->group) {
        b24_queue_undo(q, B24_SQL_ROLLBACK);

    } else if (q->inner) {
        b24_queue_undo(q, B24_SQL_BACK_TO);
        b24_queue_undo(q, B24_SQL_RELEASE);
    }

    q->inner = 0;
}


/* the message is kept: it tells why */

static void
b24_queue_undo(b24_queue_t *q, b24_sql_e sql)
{
    char         message[B24_QUEUE_MESSAGE];
    b24_query_t  query;

    memcpy(message, q->message, sizeof(message));

    b24_query_init(&query, q, sql);

    (void) b24_query_done(&query);

    memcpy(q->message, message, sizeof(message));
}


b24_queue_rc_e
b24_queue_group_begin(b24_queue_t *q)
{
    b24_queue_rc_e  rc;

    if (q->group) {
        return b24_queue_fault(q, B24_QUEUE_ERROR, "a group in a group");
    }

    rc = b24_queue_begin(q);

    q->group = (rc == B24_QUEUE_OK);

    return rc;
}


b24_queue_rc_e
b24_queue_group_end(b24_queue_t *q)
{
    b24_queue_rc_e  rc;

    rc = q->lost;

    if (rc == B24_QUEUE_OK && (!q->group || q->inner)) {
        rc = b24_queue_fault(q, B24_QUEUE_ERROR,
                             "no group, or a call of it is under way");
    }

    q->group = 0;
    q->inner = 0;
    q->lost = B24_QUEUE_OK;

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_finish(b24_queue_t *q, b24_queue_rc_e rc)
{
    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_commit(q);
    }

    if (rc != B24_QUEUE_OK) {
        b24_queue_rollback(q);
    }

    return rc;
}


b24_queue_rc_e
b24_queue_put(b24_queue_t *q, const b24_queue_put_t *put,
    b24_queue_put_result_t *result)
{
    b24_captured_t  captured;
    b24_queue_rc_e  rc;

    memset(result, 0, sizeof(b24_queue_put_result_t));

    if (sqlite3_get_autocommit(q->db)) {
        return b24_queue_fault(q, B24_QUEUE_ERROR,
                               "put outside of a transaction");
    }

    if (put->state == B24_STATE_CAPTURED && put->capture) {
        return b24_queue_capture(q, put, result);
    }

    if (put->state != B24_STATE_ACCEPTED
        && put->state != B24_STATE_UNCONFIRMED)
    {
        return b24_queue_fault(q, B24_QUEUE_ERROR, "put in a wrong state");
    }

    rc = b24_queue_captured(q, put->capture, &captured);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_place(q, put, &captured, result);
    }

    if (rc == B24_QUEUE_OK && captured.id) {
        rc = b24_queue_uncapture(q, &put->origin, put->capture);
    }

    return rc;
}


/* captured: what a new record is made of, id 0: nothing */

static b24_queue_rc_e
b24_queue_place(b24_queue_t *q, const b24_queue_put_t *put,
    const b24_captured_t *captured, b24_queue_put_result_t *result)
{
    b24_twins_t      twins;
    b24_queue_put_t  reused;
    b24_queue_rc_e   rc;

    rc = b24_queue_is_new(q, put);

    if (rc == B24_QUEUE_OK) {
        return b24_queue_insert(q, put, 0, captured, result);
    }

    if (rc == B24_QUEUE_NONE) {
        rc = b24_queue_twins(q, put, &twins);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (!twins.seen) {
        return b24_queue_insert(q, put, 0, captured, result);
    }

    if (put->state == B24_STATE_ACCEPTED) {

        if (twins.pending) {
            return b24_queue_confirm(q, put, twins.pending, result);
        }

    } else if (twins.settled || twins.linked) {

        /* the answer was not seen this time, but it was before */

        return b24_queue_duplicate(q, put, twins.twin ? twins.twin
                                                      : twins.settled,
                                   result);
    }

    if (twins.doubled) {
        return b24_queue_duplicate(q, put, twins.twin, result);
    }

    /* whoever has the number for its key alone may have another in the shop */

    if (put->reads && !twins.same
        && (twins.key || b24_str_eq(&put->row, &put->order_id)))
    {
        return b24_queue_insert(q, put, twins.reuse, captured, result);
    }

    reused = *put;
    reused.state = B24_STATE_PARKED;
    b24_queue_reused(&reused.cause, &reused.advice);

    return b24_queue_insert(q, &reused, twins.reuse, captured, result);
}


void
b24_queue_reused(b24_str_t *cause, b24_str_t *advice)
{
    cause->data = (u_char *) B24_QUEUE_REUSED_CAUSE;
    cause->len = sizeof(B24_QUEUE_REUSED_CAUSE) - 1;

    advice->data = (u_char *) B24_QUEUE_REUSED_ADVICE;
    advice->len = sizeof(B24_QUEUE_REUSED_ADVICE) - 1;
}


static b24_queue_rc_e
b24_queue_duplicate(b24_queue_t *q, const b24_queue_put_t *put, int64_t record,
    b24_queue_put_result_t *result)
{
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    result->state = B24_STATE_DUPLICATE;
    result->record = record;

    rc = b24_queue_count(q, &put->origin, B24_STATE_DUPLICATE, 1);

    if (rc != B24_QUEUE_OK || record == 0) {
        return rc;
    }

    b24_queue_key_print(result->key, record);

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = B24_STATE_DUPLICATE;
    moment.cause.data = (u_char *) B24_QUEUE_AGAIN_CAUSE;
    moment.cause.len = sizeof(B24_QUEUE_AGAIN_CAUSE) - 1;

    return b24_queue_moment(q, record, &moment, put->now);
}


/*
 * The first event gets another id, so that the order stands in the line where
 * its acceptance puts it.
 */

b24_queue_rc_e
b24_queue_confirm(b24_queue_t *q, const b24_queue_put_t *put, int64_t record,
    b24_queue_put_result_t *result)
{
    int64_t         event;
    b24_query_t     query;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    rc = b24_queue_new_event(q, B24_EV_NEW, &event);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_CONFIRM);
    b24_query_text(&query, &put->rule);
    b24_query_text(&query, &put->fingerprint);
    b24_query_str(&query, &put->cause);
    b24_query_str(&query, &put->advice);
    b24_query_int(&query, event);
    b24_query_int(&query, put->now);
    b24_query_int(&query, record);
    b24_query_chars(&query, b24_state_name(put->state));
    b24_query_str(&query, &put->row);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_FIRST_EVENT);
    b24_query_int(&query, event);
    b24_query_int(&query, put->now);
    b24_query_text(&query, &put->data);
    b24_query_int(&query, record);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    result->state = put->state;
    result->record = record;
    b24_queue_key_print(result->key, record);

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = put->state;
    moment.cause = put->cause;

    return b24_queue_moment(q, record, &moment, put->now);
}


/* a capture has been counted, and told of, already */

static b24_queue_rc_e
b24_queue_insert(b24_queue_t *q, const b24_queue_put_t *put, int64_t reuse,
    const b24_captured_t *captured, b24_queue_put_result_t *result)
{
    b24_fresh_t     fresh;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    fresh.put = *put;
    fresh.id = captured->id;
    fresh.reuse = reuse;
    fresh.created = captured->id ? captured->time : put->now;
    fresh.begun = (put->state != B24_STATE_ACCEPTED || put->cause.len) ? 0
                  : captured->id ? 2 : 1;

    rc = captured->id ? B24_QUEUE_OK : b24_queue_room(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_new_event(q, B24_EV_NEW, &fresh.event);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_count_kept(q, &put->origin, put->state, 1);
    }

    if (rc == B24_QUEUE_OK && captured->id == 0) {
        rc = b24_queue_next_record(q, &fresh.id);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    result->state = put->state;
    result->record = fresh.id;
    b24_queue_key_print(result->key, fresh.id);

    if (fresh.begun) {
        return put->lasting ? b24_queue_fresh_add(q, &fresh)
                            : b24_queue_fresh_put(q, &fresh);
    }

    rc = b24_queue_fresh_put(q, &fresh);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    if (captured->id) {
        moment.state = B24_STATE_CAPTURED;

        rc = b24_queue_moment_add(q, fresh.id, 1, &moment, captured->time);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    moment.state = put->state;
    moment.cause = put->cause;

    return b24_queue_moment_add(q, fresh.id, captured->id ? 2 : 1, &moment,
                                put->now);
}


/*
 * Ids are given out here, so that a record can be written together with its
 * event's; nobody else does it while this transaction lasts.  The line is that
 * of the ids: what follows an order stands behind all orders, and what goes
 * back to the shop in a line of its own.  Links take turns with orders, but any
 * number of them must not hide these.
 */

b24_queue_rc_e
b24_queue_new_event(b24_queue_t *q, b24_ev_e kind, int64_t *event)
{
    int             line;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    static const int64_t  first[] = {
        0, B24_QUEUE_LINKS, B24_QUEUE_LATER, B24_QUEUE_BACK, INT64_MAX
    };

    line = (kind == B24_EV_NEW) ? 0
           : (kind == B24_EV_LINK) ? 1 : (kind == B24_EV_BACK) ? 3 : 2;

    if (q->event[line] == 0) {
        b24_query_init(&query, q, B24_SQL_LAST_EVENT);
        b24_query_int(&query, first[line]);
        b24_query_int(&query, first[line + 1]);

        if (b24_query_row(&query) == B24_QUEUE_OK) {
            q->event[line] = b24_query_get_int(&query, 0);
        }

        rc = b24_query_end(&query);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    *event = ++q->event[line];

    return B24_QUEUE_OK;
}


b24_queue_rc_e
b24_queue_put_event(b24_queue_t *q, int64_t event, int64_t record, int64_t seq,
    b24_ev_e kind, int64_t arrived, const b24_str_t *data)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_PUT_EVENT);
    b24_query_int(&query, event);
    b24_query_int(&query, record);
    b24_query_int(&query, seq);
    b24_query_chars(&query, b24_queue_kind_name(kind));
    b24_query_int(&query, arrived);
    b24_query_text(&query, data);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_event(b24_queue_t *q, int64_t record, b24_ev_e kind,
    const b24_str_t *data, int64_t now)
{
    return b24_queue_event_of(q, record, kind, data, now, now);
}


b24_queue_rc_e
b24_queue_event_of(b24_queue_t *q, int64_t record, b24_ev_e kind,
    const b24_str_t *data, int64_t arrived, int64_t now)
{
    int64_t         seq, event;
    b24_str_t       name;
    b24_state_e     state;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (sqlite3_get_autocommit(q->db) || kind == B24_EV_NEW) {
        return b24_queue_fault(q, B24_QUEUE_ERROR,
                               "a later event belongs into a transaction");
    }

    b24_query_init(&query, q, B24_SQL_LAST_SEQ);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    if (rc != B24_QUEUE_OK) {
        (void) b24_query_end(&query);
        return rc;
    }

    seq = b24_query_get_int(&query, 0);
    b24_query_peek_str(&query, 1, &name);
    state = b24_state_find(&name);

    rc = b24_query_end(&query);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_new_event(q, kind, &event);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_event(q, event, record, seq + 1, kind, arrived,
                                 data);
    }

    if (rc != B24_QUEUE_OK || state != B24_STATE_DELIVERED) {
        return rc;
    }

    return b24_queue_reopen(q, record, event, kind, arrived, now);
}


b24_queue_rc_e
b24_queue_reopen(b24_queue_t *q, int64_t record, int64_t event, b24_ev_e kind,
    int64_t arrived, int64_t now)
{
    b24_query_t     query;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_REOPEN);
    b24_query_int(&query, event);
    b24_query_int(&query, arrived);
    b24_query_int(&query, now);
    b24_query_chars(&query, b24_queue_kind_name(kind));
    b24_query_int(&query, record);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = B24_STATE_ACCEPTED;

    switch (kind) {

    case B24_EV_STATUS:
        moment.cause.data = (u_char *) B24_QUEUE_STATUS_CAUSE;
        break;

    case B24_EV_LINK:
        moment.cause.data = (u_char *) "its deal is to be made known";
        break;

    case B24_EV_BACK:
        moment.cause.data = (u_char *) "the shop is to be told";
        break;

    default:
        moment.cause.data = (u_char *) "the order was changed";
        break;
    }

    moment.cause.len = strlen((char *) moment.cause.data);

    return b24_queue_moment(q, record, &moment, now);
}
