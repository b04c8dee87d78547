
/*
 * Who has the number of an order already.
 */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_twin_link(b24_queue_t *q,
    const b24_queue_put_t *put, b24_twins_t *twins);
static b24_queue_rc_e b24_queue_twin_others(b24_queue_t *q,
    const b24_queue_put_t *put, b24_twins_t *twins);
static int b24_queue_only_key(const b24_queue_put_t *put,
    const b24_str_t *row, const b24_str_t *fingerprint);
static int b24_queue_is_twin(const b24_queue_put_t *put,
    const b24_str_t *fingerprint, int64_t accepted, int *exact);


b24_queue_rc_e
b24_queue_is_new(b24_queue_t *q, const b24_queue_put_t *put)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    if (put->order_id.len == 0) {
        return B24_QUEUE_OK;
    }

    if (b24_queue_fresh_has(q, &put->origin, &put->order_id)) {
        return B24_QUEUE_NONE;
    }

    b24_query_init(&query, q, B24_SQL_KNOWN);
    b24_query_text(&query, &put->order_id);
    b24_query_text(&query, &put->origin);

    rc = b24_query_row(&query);
    end = b24_query_end(&query);

    if (end != B24_QUEUE_OK) {
        return end;
    }

    return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : B24_QUEUE_NONE;
}


b24_queue_rc_e
b24_queue_twins(b24_queue_t *q, const b24_queue_put_t *put, b24_twins_t *twins)
{
    int              exact, found;
    int64_t          id, reuse;
    b24_str_t        name, print, row;
    b24_query_t      query;
    b24_state_e      state;
    b24_queue_rc_e   rc;

    memset(twins, 0, sizeof(b24_twins_t));

    found = 0;

    b24_query_init(&query, q, B24_SQL_TWINS);
    b24_query_str(&query, &put->order_id);
    b24_query_text(&query, &put->origin);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        id = b24_query_get_int(&query, 0);
        reuse = b24_query_get_int(&query, 1);
        b24_query_peek_str(&query, 2, &name);
        b24_query_peek_str(&query, 3, &print);
        b24_query_peek_str(&query, 5, &row);

        state = b24_state_find(&name);

        twins->seen = 1;
        twins->reuse = reuse + 1;

        if (b24_queue_other_row(&put->row, &row)
            || b24_queue_only_key(put, &row, &print))
        {
            twins->key |= b24_str_eq(&row, &put->order_id);
            continue;
        }

        twins->same = 1;

        if (state == B24_STATE_UNCONFIRMED || state == B24_STATE_CAPTURED) {
            twins->pending = id;

        } else {
            twins->settled = id;
        }

        /* of several the one with the same content, else the latest */

        if (b24_queue_is_twin(put, &print, b24_query_get_int(&query, 4),
                              &exact)
            && (exact || !found))
        {
            twins->twin = id;
            twins->doubled = 1;
            found = exact;
        }
    }

    rc = b24_query_end(&query);

    return rc == B24_QUEUE_OK ? b24_queue_twin_link(q, put, twins) : rc;
}


/* the number may be known though its record was deleted */

static b24_queue_rc_e
b24_queue_twin_link(b24_queue_t *q, const b24_queue_put_t *put,
    b24_twins_t *twins)
{
    int             exact;
    b24_str_t       print, row;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_TWIN_LINK);
    b24_query_text(&query, &put->order_id);
    b24_query_text(&query, &put->origin);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &print);
        b24_query_peek_str(&query, 2, &row);

        twins->seen = 1;

        if (twins->reuse == 0) {
            twins->reuse = 1;
        }

        if (!b24_queue_other_row(&put->row, &row)
            && !b24_queue_only_key(put, &row, &print))
        {
            twins->same = 1;
            twins->linked = 1;

            if (b24_queue_is_twin(put, &print, b24_query_get_int(&query, 1),
                                  &exact))
            {
                twins->doubled = 1;
            }
        }
    }

    rc = b24_query_end(&query);

    return rc == B24_QUEUE_OK ? b24_queue_twin_others(q, put, twins) : rc;
}


/* given to another order by a person, or of an order that was dropped */

static b24_queue_rc_e
b24_queue_twin_others(b24_queue_t *q, const b24_queue_put_t *put,
    b24_twins_t *twins)
{
    int          exact;
    b24_str_t    print;
    b24_query_t  query;

    print.data = NULL;
    print.len = 0;

    b24_query_init(&query, q, B24_SQL_TWIN_OTHERS);
    b24_query_text(&query, &put->order_id);
    b24_query_text(&query, &put->origin);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        twins->seen = 1;
        twins->same = 1;

        if (twins->reuse == 0) {
            twins->reuse = 1;
        }

        if (b24_query_get_int(&query, 0)
            && b24_queue_is_twin(put, &print, b24_query_get_int(&query, 1),
                                 &exact))
        {
            twins->doubled = 1;
        }
    }

    return b24_query_end(&query);
}


/* both are known, and differ: whatever the number says, it is another order */

int
b24_queue_other_row(const b24_str_t *a, const b24_str_t *b)
{
    return a->len && b->len && !b24_str_eq(a, b);
}


/*
 * One of the two is known by a number that is no more than its key (one click
 * of 1C-Bitrix), the other by its number alone: they are the same if their
 * contents are
 */

static int
b24_queue_only_key(const b24_queue_put_t *put, const b24_str_t *row,
    const b24_str_t *fingerprint)
{
    const b24_str_t  *key;

    if ((put->row.len != 0) == (row->len != 0)) {
        return 0;
    }

    key = put->row.len ? &put->row : row;

    return b24_str_eq(key, &put->order_id)
           && !b24_str_eq(&put->fingerprint, fingerprint);
}


/* the clock may have been set back: a day apart is so in both directions */

static int
b24_queue_is_twin(const b24_queue_put_t *put, const b24_str_t *fingerprint,
    int64_t accepted, int *exact)
{
    *exact = fingerprint->len && b24_str_eq(&put->fingerprint, fingerprint);

    return *exact || (put->now - accepted < B24_QUEUE_DAY
                      && accepted - put->now < B24_QUEUE_DAY);
}
