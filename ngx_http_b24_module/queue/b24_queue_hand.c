
/*
 * What a person does to records: to have them tried again, sent, or dropped,
 * and to stop the deliveries of an origin.
 */

#include "b24_queue_int.h"

#include <stdio.h>


#define B24_QUEUE_SUFFIXES  1000    /* tried for a number used again */
#define B24_QUEUE_LEFT_MAX  1000    /* looked at */


/* a record as a hand finds it; strings live until the next row */
typedef struct {
    int64_t      record;
    b24_state_e  state;
    int          reuse;
    int          named;             /* it has a number of its own in the CRM */
    b24_str_t    origin;
    b24_str_t    order_id;
} b24_hand_t;


static b24_queue_rc_e b24_queue_again(b24_queue_t *q, int64_t record,
    int64_t unknown_ms, const char *cause, int64_t now, b24_state_e *state);
static b24_queue_rc_e b24_queue_hasten(b24_queue_t *q, int64_t record,
    int64_t unknown_ms, int64_t now, int *hastened);
static b24_queue_rc_e b24_queue_retry_part(b24_queue_t *q,
    const b24_str_t *origin, b24_queue_cursor_t *cursor, int limit,
    const char *cause, int64_t now, int *n);
static b24_queue_rc_e b24_queue_next_parked(b24_queue_t *q,
    const b24_str_t *origin, b24_queue_cursor_t *cursor);
static b24_queue_rc_e b24_queue_hand(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_hand_t *hand);
static b24_queue_rc_e b24_queue_send_one(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const b24_str_t *suffix, const char *cause, int64_t now,
    b24_str_t *origin_id);
static b24_queue_rc_e b24_queue_name(b24_queue_t *q, b24_pool_t *pool,
    const b24_hand_t *hand, const b24_str_t *suffix, b24_str_t *number);
static b24_queue_rc_e b24_queue_name_free(b24_queue_t *q, b24_pool_t *pool,
    const b24_hand_t *hand, const b24_str_t *suffix, b24_str_t *number);
static b24_queue_rc_e b24_queue_drop_one(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const char *cause, int64_t now);
static b24_queue_rc_e b24_queue_drop_status(b24_queue_t *q, int64_t record,
    const char *cause, int64_t now);


b24_queue_rc_e
b24_queue_retry(b24_queue_t *q, const char *key, int64_t unknown_ms,
    const char *cause, int64_t now, b24_state_e *state)
{
    int64_t         record;
    b24_queue_rc_e  rc;

    record = b24_queue_key_parse((const u_char *) key, strlen(key));
    if (record == 0) {
        return B24_QUEUE_NONE;
    }

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_again(q, record, unknown_ms, cause, now, state);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_again(b24_queue_t *q, int64_t record, int64_t unknown_ms,
    const char *cause, int64_t now, b24_state_e *state)
{
    int             hastened;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *state = B24_STATE_WAITING;

    rc = b24_queue_hasten(q, record, unknown_ms, now, &hastened);

    if (rc == B24_QUEUE_OK && !hastened) {
        *state = B24_STATE_ACCEPTED;

        b24_query_init(&query, q, B24_SQL_RETRY);
        b24_query_int(&query, now);
        b24_query_int(&query, record);

        rc = b24_query_done(&query);

        if (rc == B24_QUEUE_OK && sqlite3_changes(q->db) == 0) {
            rc = B24_QUEUE_NONE;
        }
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_ask_again(q, record);
    }

    return rc == B24_QUEUE_OK ? b24_queue_note(q, record, *state, cause,
                                               now)
                              : rc;
}


/*
 * The portal may still be at work on what was sent last: looked for too early,
 * the deal isn't there and would be made once more.
 */

static b24_queue_rc_e
b24_queue_hasten(b24_queue_t *q, int64_t record, int64_t unknown_ms,
    int64_t now, int *hastened)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *hastened = 0;

    if (unknown_ms == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_HASTEN);
    b24_query_int(&query, unknown_ms);
    b24_query_int(&query, record);
    b24_query_int(&query, now);

    rc = b24_query_done(&query);

    *hastened = (rc == B24_QUEUE_OK && sqlite3_changes(q->db) != 0);

    return rc;
}


b24_queue_rc_e
b24_queue_retry_parked(b24_queue_t *q, const b24_str_t *origin,
    b24_queue_cursor_t *cursor, int limit, const char *cause, int64_t now,
    int *n)
{
    b24_queue_rc_e      rc;
    b24_queue_cursor_t  from;

    from = *cursor;
    *n = 0;

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_retry_part(q, origin, cursor, limit, cause, now, n);
    }

    rc = b24_queue_finish(q, rc);

    if (rc != B24_QUEUE_OK) {
        *cursor = from;
        *n = 0;
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_retry_part(b24_queue_t *q, const b24_str_t *origin,
    b24_queue_cursor_t *cursor, int limit, const char *cause, int64_t now,
    int *n)
{
    b24_state_e     state;
    b24_queue_rc_e  rc;

    while (*n < limit) {
        rc = b24_queue_next_parked(q, origin, cursor);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_again(q, cursor->record, 0, cause, now, &state);
        }

        if (rc != B24_QUEUE_OK) {
            return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
        }

        (*n)++;
    }

    return B24_QUEUE_OK;
}


static b24_queue_rc_e
b24_queue_next_parked(b24_queue_t *q, const b24_str_t *origin,
    b24_queue_cursor_t *cursor)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_NEXT_PARKED);
    b24_query_text(&query, origin);
    b24_query_int(&query, cursor->updated);
    b24_query_int(&query, cursor->record);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        cursor->record = b24_query_get_int(&query, 0);
        cursor->updated = b24_query_get_int(&query, 1);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_parked_left(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, b24_queue_left_t *left, size_t *n)
{
    size_t       i;
    b24_str_t    cause, advice;
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_PARKED_LEFT);
    b24_query_text(&query, origin);
    b24_query_int(&query, B24_QUEUE_LEFT_MAX);

    while (b24_query_row(&query) == B24_QUEUE_OK) {

        if (b24_query_get_int(&query, 2)) {
            continue;
        }

        b24_query_peek_str(&query, 0, &cause);
        b24_query_peek_str(&query, 1, &advice);

        for (i = 0; i < *n; i++) {
            if (b24_str_eq(&left[i].cause, &cause)
                && b24_str_eq(&left[i].advice, &advice))
            {
                break;
            }
        }

        if (i == B24_QUEUE_LEFT) {
            continue;
        }

        if (i == *n) {
            b24_query_get_str(&query, 0, pool, &left[i].cause);
            b24_query_get_str(&query, 1, pool, &left[i].advice);
            left[i].n = 0;
            (*n)++;
        }

        left[i].n++;
    }

    return b24_query_end(&query);
}


static b24_queue_rc_e
b24_queue_hand(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_hand_t *hand)
{
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    memset(hand, 0, sizeof(b24_hand_t));

    hand->record = record;

    b24_query_init(&query, q, B24_SQL_HAND);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &name);
        hand->state = b24_state_find(&name);
        hand->reuse = (int) b24_query_get_int(&query, 1);
        b24_query_get_str(&query, 2, pool, &hand->origin);
        b24_query_get_str(&query, 3, pool, &hand->order_id);
        hand->named = b24_query_get_int(&query, 4) != 0;
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_send(b24_queue_t *q, b24_pool_t *pool, const char *key,
    const b24_str_t *suffix, const char *cause, int64_t now,
    b24_str_t *origin_id)
{
    int64_t         record;
    b24_queue_rc_e  rc;

    origin_id->data = NULL;
    origin_id->len = 0;

    record = b24_queue_key_parse((const u_char *) key, strlen(key));
    if (record == 0) {
        return B24_QUEUE_NONE;
    }

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_send_one(q, pool, record, suffix, cause, now,
                                origin_id);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_send_one(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_str_t *suffix, const char *cause, int64_t now,
    b24_str_t *origin_id)
{
    int64_t         twin;
    b24_buf_t       buf;
    b24_str_t       text;
    b24_hand_t      hand;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_hand(q, pool, record, &hand);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, cause);

    if (hand.state == B24_STATE_PARKED && hand.reuse && !hand.named) {
        rc = b24_queue_name(q, pool, &hand, suffix, origin_id);

        b24_buf_adds(&buf, " as number ");
        b24_buf_addstr(&buf, origin_id);

    } else if (hand.state == B24_STATE_UNCONFIRMED) {

        /* whoever looked into the shop has seen the order that came in */

        rc = b24_queue_alike_twin(q, pool, record, &hand.origin, &twin);

        if (rc != B24_QUEUE_NONE) {
            return rc == B24_QUEUE_OK ? B24_QUEUE_LIMIT : rc;
        }

        b24_query_init(&query, q, B24_SQL_SEND_EVENT);
        b24_query_int(&query, now);
        b24_query_int(&query, record);

        rc = b24_query_done(&query);

    } else {
        rc = B24_QUEUE_NONE;
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_SEND);
    b24_query_int(&query, now);
    b24_query_int(&query, record);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK && b24_buf_str(&buf, &text) != B24_OK) {
        rc = b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    return rc == B24_QUEUE_OK ? b24_queue_note(q, record, B24_STATE_ACCEPTED,
                                               (char *) text.data, now)
                              : rc;
}


/* the first free name of a number used again, or the one asked for */

static b24_queue_rc_e
b24_queue_name(b24_queue_t *q, b24_pool_t *pool, const b24_hand_t *hand,
    const b24_str_t *suffix, b24_str_t *number)
{
    int             i;
    char            text[16];
    b24_str_t       s;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (suffix && suffix->len) {
        rc = b24_queue_name_free(q, pool, hand, suffix, number);

    } else {
        rc = B24_QUEUE_LIMIT;
        s.data = (u_char *) text;

        for (i = 2; rc == B24_QUEUE_LIMIT && i < B24_QUEUE_SUFFIXES; i++) {
            s.len = (size_t) snprintf(text, sizeof(text), "%d", i);
            rc = b24_queue_name_free(q, pool, hand, &s, number);
        }
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_PUT_NUMBER);
    b24_query_int(&query, hand->record);
    b24_query_text(&query, &hand->origin);
    b24_query_text(&query, number);

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_name_free(b24_queue_t *q, b24_pool_t *pool, const b24_hand_t *hand,
    const b24_str_t *suffix, b24_str_t *number)
{
    b24_buf_t       buf;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, &hand->order_id);
    b24_buf_addc(&buf, '-');
    b24_buf_addstr(&buf, suffix);

    if (b24_buf_str(&buf, number) != B24_OK) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    b24_query_init(&query, q, B24_SQL_NUMBER_TAKEN);
    b24_query_text(&query, number);
    b24_query_text(&query, &hand->origin);

    rc = b24_query_row(&query);
    end = b24_query_end(&query);

    if (end != B24_QUEUE_OK) {
        return end;
    }

    return rc == B24_QUEUE_NONE ? B24_QUEUE_OK
                                : b24_queue_fault(q, B24_QUEUE_LIMIT,
                                       "another order has this number");
}


b24_queue_rc_e
b24_queue_drop(b24_queue_t *q, const char *key, const char *cause, int64_t now)
{
    int             timeout;
    int64_t         record;
    b24_pool_t     *pool;
    b24_queue_rc_e  rc;

    record = b24_queue_key_parse((const u_char *) key, strlen(key));
    if (record == 0) {
        return B24_QUEUE_NONE;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_drop_one(q, pool, record, cause, now);
    }

    rc = b24_queue_finish(q, rc);

    b24_pool_destroy(pool);

    if (rc == B24_QUEUE_OK) {

        /* what was deleted may still stand in the WAL; nobody is waited for */

        timeout = q->timeout;
        q->timeout = 0;

        (void) b24_queue_exec(q, "PRAGMA wal_checkpoint(TRUNCATE)");

        q->timeout = timeout;
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_drop_one(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const char *cause, int64_t now)
{
    b24_hand_t      hand;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_hand(q, pool, record, &hand);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (hand.state != B24_STATE_UNCONFIRMED && hand.state != B24_STATE_PARKED
        && hand.state != B24_STATE_WAITING)
    {
        return B24_QUEUE_NONE;
    }

    rc = b24_queue_drop_status(q, record, cause, now);
    if (rc != B24_QUEUE_NONE) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_PUT_DROPPED);
    b24_query_int(&query, now);
    b24_query_chars(&query, cause);
    b24_query_int(&query, record);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_KEEP_SHOP_NUMBER);
        b24_query_int(&query, record);

        rc = b24_query_done(&query);
    }

    if (rc == B24_QUEUE_OK) {

        /* its events, steps and timeline go with it */

        b24_query_init(&query, q, B24_SQL_DROP);
        b24_query_int(&query, record);

        rc = b24_query_done(&query);
    }

    return rc == B24_QUEUE_OK ? b24_queue_count(q, &hand.origin,
                                                B24_STATE_REJECTED, 1)
                              : rc;
}


/* the order has its deal; NONE: it hasn't, or waits for something else */

static b24_queue_rc_e
b24_queue_drop_status(b24_queue_t *q, int64_t record, const char *cause,
    int64_t now)
{
    b24_query_t      query;
    b24_queue_rc_e   rc, end;
    b24_queue_job_t  job;

    memset(&job, 0, sizeof(b24_queue_job_t));

    b24_query_init(&query, q, B24_SQL_LATER);
    b24_query_int(&query, record);
    b24_query_int(&query, B24_QUEUE_LATER);

    rc = b24_query_row(&query);

    job.record = record;
    job.event = rc == B24_QUEUE_OK ? b24_query_get_int(&query, 0) : 0;

    end = b24_query_end(&query);

    if (end != B24_QUEUE_OK || rc != B24_QUEUE_OK) {
        return end != B24_QUEUE_OK ? end : rc;
    }

    b24_query_init(&query, q, B24_SQL_DROP_LATER);
    b24_query_int(&query, now);
    b24_query_int(&query, record);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_note(q, record, B24_STATE_DELIVERED, cause, now);
    }

    return rc == B24_QUEUE_OK ? b24_queue_go_on(q, &job, now) : rc;
}


b24_queue_rc_e
b24_queue_clean_dropped(b24_queue_t *q, int64_t keep_ms, int limit,
    int64_t now)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_CLEAN_DROPPED);
    b24_query_int(&query, now - keep_ms);
    b24_query_int(&query, limit);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_pause(b24_queue_t *q, const b24_str_t *origin, int pause,
    const char *cause, int64_t now, int *changed)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *changed = 0;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, pause ? B24_SQL_PAUSE : B24_SQL_RESUME);
    b24_query_text(&query, origin);

    if (pause) {
        b24_query_int(&query, now);
        b24_query_chars(&query, cause);
    }

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK && sqlite3_changes(q->db)) {
        *changed = 1;

        b24_query_init(&query, q, B24_SQL_TOUCH);
        b24_query_text(&query, origin);

        rc = b24_query_done(&query);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_paused(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    b24_str_t *cause)
{
    b24_query_t  query;

    cause->data = NULL;
    cause->len = 0;

    b24_query_init(&query, q, B24_SQL_PAUSED);
    b24_query_text(&query, origin);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_get_str(&query, 1, pool, cause);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_unpaused(b24_queue_t *q, const b24_str_t *origins, size_t n,
    b24_str_t *open, size_t *nopen)
{
    size_t          i;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *nopen = 0;

    for (i = 0; i < n; i++) {
        b24_query_init(&query, q, B24_SQL_PAUSED);
        b24_query_text(&query, &origins[i]);

        if (b24_query_row(&query) == B24_QUEUE_NONE) {
            open[(*nopen)++] = origins[i];
        }

        rc = b24_query_end(&query);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    return B24_QUEUE_OK;
}
