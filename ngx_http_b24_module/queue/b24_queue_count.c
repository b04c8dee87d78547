
/*
 * How many there are of each origin and state: table counts, see
 * b24_queue_schema.c.  What a transaction adds is gathered here and written
 * once, before its commit; what moves from one state to another triggers count.
 */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_stored(b24_queue_t *q, int64_t *n);
static b24_queue_rc_e b24_queue_count_add(b24_queue_t *q,
    const b24_str_t *origin, b24_state_e state, int64_t n, int64_t kept);


/* delivered records make room for new ones */

b24_queue_rc_e
b24_queue_room(b24_queue_t *q)
{
    int64_t         n;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (q->max == 0) {
        return B24_QUEUE_OK;
    }

    if (q->room > 0) {
        q->room--;
        return B24_QUEUE_OK;
    }

    rc = b24_queue_stored(q, &n);

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (n < q->max) {
        q->room = q->max - n - 1;
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_DROP_DELIVERED);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_stored(q, &n);
    }

    if (rc == B24_QUEUE_OK && n >= q->max) {
        rc = b24_queue_fault(q, B24_QUEUE_LIMIT,
                             b24_queue_strerror(B24_QUEUE_LIMIT));
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_stored(b24_queue_t *q, int64_t *n)
{
    int          i;
    b24_query_t  query;

    *n = 0;

    b24_query_init(&query, q, B24_SQL_STORED);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        *n = b24_query_get_int(&query, 0);
    }

    for (i = 0; i < B24_NSTATES; i++) {
        *n += q->counted.kept[i];
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_count(b24_queue_t *q, const b24_str_t *origin, b24_state_e outcome,
    uint64_t n)
{
    if (outcome != B24_STATE_REJECTED && outcome != B24_STATE_DUPLICATE) {
        return b24_queue_fault(q, B24_QUEUE_ERROR,
                               "only records count for this state");
    }

    if (n == 0) {
        return B24_QUEUE_OK;
    }

    return b24_queue_count_add(q, origin, outcome, (int64_t) n, 0);
}


b24_queue_rc_e
b24_queue_count_kept(b24_queue_t *q, const b24_str_t *origin,
    b24_state_e state, int64_t n)
{
    return b24_queue_count_add(q, origin, state, n, n);
}


/* most transactions are of one origin */

static b24_queue_rc_e
b24_queue_count_add(b24_queue_t *q, const b24_str_t *origin,
    b24_state_e state, int64_t n, int64_t kept)
{
    b24_counted_t   *counted;
    b24_queue_rc_e   rc;

    counted = &q->counted;

    if (counted->changed && !b24_str_eq(&counted->origin, origin)) {

        rc = b24_queue_count_write(q);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    counted->origin = *origin;
    counted->n[state] += n;
    counted->kept[state] += kept;
    counted->changed |= 1U << state;

    if (origin->len > sizeof(counted->name)) {
        return b24_queue_count_write(q);
    }

    if (origin->len) {
        memcpy(counted->name, origin->data, origin->len);
    }

    counted->origin.data = counted->name;

    return B24_QUEUE_OK;
}


void
b24_queue_count_reset(b24_queue_t *q)
{
    q->room = 0;
    q->nfresh = 0;
    q->record = 0;
    q->captured = 0;
    memset(&q->counted, 0, sizeof(b24_counted_t));
}


b24_queue_rc_e
b24_queue_count_write(b24_queue_t *q)
{
    int              state;
    b24_query_t      query;
    b24_counted_t   *counted;
    b24_queue_rc_e   rc;

    counted = &q->counted;
    rc = B24_QUEUE_OK;

    for (state = 0; rc == B24_QUEUE_OK && state < B24_NSTATES; state++) {

        if (!(counted->changed & 1U << state)) {
            continue;
        }

        b24_query_init(&query, q, B24_SQL_COUNT);
        b24_query_text(&query, &counted->origin);
        b24_query_chars(&query, b24_state_name((b24_state_e) state));
        b24_query_int(&query, counted->n[state]);
        b24_query_int(&query, counted->kept[state]);

        rc = b24_query_done(&query);

        counted->n[state] = 0;
        counted->kept[state] = 0;
    }

    counted->changed = 0;

    return rc;
}
