
/*
 * What a shop says later of an order that is there: found, noted, and put
 * behind what is to be delivered of it.
 */

#include "b24_queue_int.h"


/* an answer may be written down a little after one that came later */
#define B24_QUEUE_STALE_MS  600000


/* what a record has to look at */
typedef struct {
    int64_t      event;             /* the last of its kind that isn't done; 0:
                                       there is none */
    int64_t      current;           /* the one being worked on */
    b24_state_e  state;             /* of the record */
} b24_last_t;


static int64_t b24_queue_status_made(const b24_queue_change_t *change);
static b24_queue_rc_e b24_queue_status_find(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, int64_t *record);
static b24_queue_rc_e b24_queue_status_look(b24_queue_t *q,
    const b24_queue_change_t *change, b24_sql_e sql, const b24_str_t *text,
    int64_t *record);
static b24_queue_rc_e b24_queue_status_link(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, b24_str_t *order_id);
static b24_queue_rc_e b24_queue_status_gone(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, const b24_str_t *order_id,
    int64_t *record);
static b24_queue_rc_e b24_queue_seen_gone(b24_queue_t *q,
    const b24_str_t *origin, const b24_str_t *order_id, const b24_str_t *row,
    int64_t *seen);
static int b24_queue_status_differs(const b24_queue_seen_t *seen,
    const b24_queue_change_t *change);
static int b24_queue_status_row(b24_pool_t *pool,
    const b24_queue_change_t *change, b24_str_t *row);
static int b24_queue_status_total(const b24_queue_seen_t *seen,
    const b24_queue_change_t *change);
static b24_queue_rc_e b24_queue_status_note(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, int64_t record, int *news);
static b24_queue_rc_e b24_queue_status_told(b24_queue_t *q,
    const b24_queue_change_t *change, int64_t record, int told, int *calling);
static b24_queue_rc_e b24_queue_last(b24_queue_t *q, int64_t record,
    b24_ev_e kind, b24_last_t *last);


b24_queue_rc_e
b24_queue_status(b24_queue_t *q, const b24_queue_change_t *change, int *put)
{
    int             news;
    int64_t         record;
    b24_pool_t     *pool;
    b24_queue_rc_e  rc;

    *put = 0;

    if (sqlite3_get_autocommit(q->db)) {
        return b24_queue_fault(q, B24_QUEUE_ERROR,
                               "a change belongs into a transaction");
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return B24_QUEUE_NOMEM;
    }

    news = 0;

    rc = b24_queue_status_find(q, pool, change, &record);

    if (rc == B24_QUEUE_OK && record) {
        rc = b24_queue_status_note(q, pool, change, record, &news);
    }

    b24_pool_destroy(pool);

    if (rc != B24_QUEUE_OK || !news) {
        return rc;
    }

    *put = 1;

    return b24_queue_look(q, record, B24_EV_STATUS, &change->data,
                          b24_queue_status_made(change), change->now);
}


static int64_t
b24_queue_status_made(const b24_queue_change_t *change)
{
    return change->made ? change->made : change->now;
}


/* ---- which order ---- */

/* 0: its record has gone, and nothing of it is new */

static b24_queue_rc_e
b24_queue_status_find(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, int64_t *record)
{
    b24_str_t       order_id;
    b24_queue_rc_e  rc;

    *record = 0;
    memset(&order_id, 0, sizeof(b24_str_t));

    /* the key is the surest, also of one that is gone */

    rc = b24_queue_status_look(q, change, B24_SQL_BY_ROW, &change->row, record);

    if (rc == B24_QUEUE_OK && *record == 0) {
        rc = b24_queue_status_link(q, pool, change, &order_id);
    }

    if (rc == B24_QUEUE_OK && *record == 0 && order_id.len == 0) {
        rc = b24_queue_status_look(q, change, B24_SQL_BY_NUMBERS,
                                   &change->order_id, record);
        order_id = change->order_id;
    }

    return rc == B24_QUEUE_OK && *record == 0
           ? b24_queue_status_gone(q, pool, change, &order_id, record) : rc;
}


/*
 * Of several records of a key or a number the latest that is an order for sure;
 * not one with another key.
 */

static b24_queue_rc_e
b24_queue_status_look(b24_queue_t *q, const b24_queue_change_t *change,
    b24_sql_e sql, const b24_str_t *text, int64_t *record)
{
    int          sure;
    int64_t      id;
    b24_str_t    row;
    b24_query_t  query;

    if (text->len == 0) {
        return B24_QUEUE_OK;
    }

    sure = 0;

    b24_query_init(&query, q, sql);
    b24_query_str(&query, text);
    b24_query_text(&query, &change->origin);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        id = b24_query_get_int(&query, 0);
        b24_query_peek_str(&query, 2, &row);

        if (b24_queue_other_row(&row, &change->row)) {
            continue;
        }

        if (b24_query_get_int(&query, 1)) {

            if (!sure || id > *record) {
                *record = id;
            }

            sure = 1;

        } else if (*record == 0) {
            *record = id;
        }
    }

    return b24_query_end(&query);
}


/* the number that what is left of the record has, by its key */

static b24_queue_rc_e
b24_queue_status_link(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, b24_str_t *order_id)
{
    b24_query_t  query;

    if (change->row.len == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_LINK_BY_ROW);
    b24_query_str(&query, &change->row);
    b24_query_text(&query, &change->origin);

    while (b24_query_row(&query) == B24_QUEUE_OK) {

        if (order_id->len == 0 || b24_query_get_int(&query, 1)) {
            b24_query_get_str(&query, 0, pool, order_id);
        }
    }

    return b24_query_end(&query);
}


/* the record has expired, the deal is known still */

static b24_queue_rc_e
b24_queue_status_gone(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, const b24_str_t *order_id,
    int64_t *record)
{
    int64_t           old;
    b24_str_t         row;
    b24_queue_rc_e    rc;
    b24_queue_seen_t  seen;

    if (order_id->len == 0) {
        return B24_QUEUE_NONE;
    }

    rc = b24_queue_seen_gone(q, &change->origin, order_id, &change->row, &old);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_load_seen(q, pool, old, &seen);
    }

    if (rc == B24_QUEUE_OK
        && b24_queue_status_row(pool, change, &row) != B24_OK)
    {
        rc = B24_QUEUE_NOMEM;
    }

    /* what has come to the deal already */

    if (rc != B24_QUEUE_OK
        || (row.len && b24_str_eq(&row, &seen.changed)
            && !b24_queue_seen_restated(&seen, &change->stated))
        || (seen.settled && !change->look
            && !b24_queue_seen_restated(&seen, &change->stated)
            && !b24_queue_status_differs(&seen, change)
            && !b24_queue_status_total(&seen, change)))
    {
        return rc;
    }

    return b24_queue_revive(q, &change->origin, order_id, B24_EV_STATUS,
                            &change->data, b24_queue_status_made(change),
                            change->now, record);
}


/* the row of "seen" that is left of one; 0: none */

static b24_queue_rc_e
b24_queue_seen_gone(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, const b24_str_t *row, int64_t *seen)
{
    b24_str_t       own;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    *seen = 0;

    b24_query_init(&query, q, B24_SQL_SEEN_GONE);
    b24_query_text(&query, order_id);
    b24_query_text(&query, origin);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        *seen = b24_query_get_int(&query, 0);
        b24_query_peek_str(&query, 1, &own);

        if (b24_queue_other_row(&own, row)) {
            rc = B24_QUEUE_NONE;
        }
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


/* what is told is another state than the one before */

static int
b24_queue_status_differs(const b24_queue_seen_t *seen,
    const b24_queue_change_t *change)
{
    size_t            i;
    const b24_str_t  *told[] = { &change->status, &change->canceled,
                                 &change->paid, &change->shipped };
    const b24_str_t  *had[] = { &seen->status, &seen->canceled, &seen->paid,
                                &seen->shipped };

    for (i = 0; i < 4; i++) {

        if (told[i]->len && !b24_str_eq(told[i], had[i])) {
            return 1;
        }
    }

    return 0;
}


/*
 * A row of "changes" as it is remembered: its time and what it tells.  Several
 * changes may have one time, and only the first of them may have been seen.
 */

static int
b24_queue_status_row(b24_pool_t *pool, const b24_queue_change_t *change,
    b24_str_t *row)
{
    b24_buf_t         buf;
    b24_queue_seen_t  told;

    memset(row, 0, sizeof(b24_str_t));

    if (change->changed.len == 0) {
        return B24_OK;
    }

    memset(&told, 0, sizeof(b24_queue_seen_t));

    told.status = change->status;
    told.canceled = change->canceled;
    told.paid = change->paid;
    told.shipped = change->shipped;

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, &change->changed);
    b24_buf_addc(&buf, ' ');

    if (b24_queue_seen_print(&told, &buf, row) != B24_OK) {
        return B24_ERROR;
    }

    b24_buf_addc(&buf, '\t');
    b24_buf_addstr(&buf, &change->total);

    return b24_buf_str(&buf, row);
}


/*
 * The shop has another total than it had, or nobody knows; or than the row
 * before, which may be on its way.
 */

static int
b24_queue_status_total(const b24_queue_seen_t *seen,
    const b24_queue_change_t *change)
{
    ssize_t    at;
    b24_str_t  before;

    if (change->total.len == 0) {
        return 0;
    }

    at = b24_str_find(&seen->changed, 0, "\t");

    if (at >= 0) {
        before.data = seen->changed.data + at + 1;
        before.len = seen->changed.len - (size_t) at - 1;

        if (before.len && !b24_str_eq(&change->total, &before)) {
            return 1;
        }
    }

    return !b24_str_eq(&change->total, &seen->total);
}


b24_queue_rc_e
b24_queue_revive(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, b24_ev_e kind, const b24_str_t *data,
    int64_t arrived, int64_t now, int64_t *record)
{
    int64_t         event;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_room(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_new_event(q, kind, &event);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_REVIVE);
    b24_query_int(&query, event);
    b24_query_int(&query, now);
    b24_query_text(&query, order_id);
    b24_query_text(&query, origin);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (sqlite3_changes(q->db) == 0) {
        return B24_QUEUE_NONE;
    }

    *record = sqlite3_last_insert_rowid(q->db);

    rc = b24_queue_put_event(q, event, *record, 1, kind, arrived, data);

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_REVIVE_SEEN);
        b24_query_int(&query, *record);
        b24_query_text(&query, order_id);
        b24_query_text(&query, origin);

        rc = b24_query_done(&query);
    }

    return rc == B24_QUEUE_OK && kind == B24_EV_STATUS
           ? b24_queue_note(q, *record, B24_STATE_ACCEPTED,
                            B24_QUEUE_STATUS_CAUSE, now)
           : rc;
}


/* ---- what is told ---- */

/* news: it is to be delivered, or looked for in the shop's database */

static b24_queue_rc_e
b24_queue_status_note(b24_queue_t *q, b24_pool_t *pool,
    const b24_queue_change_t *change, int64_t record, int *news)
{
    int               stale, differs, total, told, restated, calling;
    int64_t           made;
    b24_queue_rc_e    rc;
    b24_queue_seen_t  seen, now;

    *news = 0;

    rc = b24_queue_load_seen(q, pool, record, &seen);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&now, 0, sizeof(b24_queue_seen_t));

    if (b24_queue_status_row(pool, change, &now.changed) != B24_OK) {
        return B24_QUEUE_NOMEM;
    }

    restated = b24_queue_seen_restated(&seen, &change->stated);

    if (now.changed.len && b24_str_eq(&now.changed, &seen.changed)
        && !restated)
    {
        return B24_QUEUE_OK;
    }

    calling = 0;
    differs = b24_queue_status_differs(&seen, change);
    total = b24_queue_status_total(&seen, change);
    made = b24_queue_status_made(change);

    /* a state that was set without its time has that of the row */

    if (restated && change->stated_at) {
        made = change->stated_at;
    }

    stale = made < seen.time && seen.time - made <= B24_QUEUE_STALE_MS;

    if (now.changed.len) {

        /* what the database tells is never older than what is known */

        told = differs || restated;
        made = stale ? seen.time : made;

        rc = b24_queue_status_told(q, change, record, told, &calling);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }

        told = told && !calling;
        now.unsettled = told && restated;

        if (now.unsettled || (!calling && seen.stated.len == 0)) {
            now.stated = change->stated;
        }

    } else {

        /* what came before it was written down behind it */

        told = !stale && !change->look;
    }

    if (told) {
        now.status = change->status;
        now.canceled = change->canceled;
        now.paid = change->paid;
        now.shipped = change->shipped;
        now.time = made;
    }

    rc = b24_queue_put_seen(q, record, &now);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_load_seen(q, pool, record, &seen);
    }

    /* back at the state before the one that is on its way */

    *news = change->look || (told && (differs || restated)) || total
            || calling || !seen.settled;

    return rc;
}


b24_queue_rc_e
b24_queue_look(b24_queue_t *q, int64_t record, b24_ev_e kind,
    const b24_str_t *data, int64_t arrived, int64_t now)
{
    b24_last_t      last;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_last(q, record, kind, &last);

    if (rc == B24_QUEUE_OK && kind == B24_EV_BACK) {
        rc = b24_queue_ask_again(q, record);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (last.event == 0
        || (last.event == last.current && last.state == B24_STATE_SENDING))
    {
        rc = b24_queue_event_of(q, record, kind, data, arrived, now);

    } else {

        /* nobody has it: what it will be when it is taken counts */

        b24_query_init(&query, q, B24_SQL_MERGE_STATUS);
        b24_query_text(&query, data);
        b24_query_int(&query, arrived);
        b24_query_int(&query, last.event);

        rc = b24_query_done(&query);
    }

    if (rc != B24_QUEUE_OK || last.current < B24_QUEUE_LATER) {
        return rc;
    }

    if (kind != B24_EV_BACK && last.current >= B24_QUEUE_BACK) {
        return b24_queue_overtake(q, record, now);
    }

    /*
     * Another state may be taken where the one before was refused; and what
     * waits in front of this may not be wanted any more.
     */

    if (last.state == B24_STATE_PARKED
        || (last.state == B24_STATE_WAITING && last.event != last.current))
    {
        rc = b24_queue_reopen(q, record, last.current,
                              last.current < B24_QUEUE_BACK ? B24_EV_STATUS
                                                            : B24_EV_BACK,
                              arrived, now);
    }

    return rc;
}


/*
 * Told by the database, which doesn't call by its key what is the number, as a
 * request may.  calling: the shop is being told of the order, so that our own
 * call may have done it, or the first of several: what it is is seen when that
 * is over.
 */

static b24_queue_rc_e
b24_queue_status_told(b24_queue_t *q, const b24_queue_change_t *change,
    int64_t record, int told, int *calling)
{
    b24_last_t      last;
    b24_queue_rc_e  rc;

    rc = b24_queue_last(q, record, B24_EV_BACK, &last);

    *calling = told && last.current >= B24_QUEUE_BACK
               && last.state == B24_STATE_SENDING;

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_row(q, record, &change->row);
    }

    return rc == B24_QUEUE_OK ? b24_queue_put_link(q, record) : rc;
}


static b24_queue_rc_e
b24_queue_last(b24_queue_t *q, int64_t record, b24_ev_e kind, b24_last_t *last)
{
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    memset(last, 0, sizeof(b24_last_t));

    b24_query_init(&query, q, B24_SQL_LAST_STATUS);
    b24_query_int(&query, record);
    b24_query_int(&query, kind == B24_EV_BACK);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        last->event = b24_query_get_int(&query, 0);
        last->current = b24_query_get_int(&query, 1);
        b24_query_peek_str(&query, 2, &name);
        last->state = b24_state_find(&name);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}
