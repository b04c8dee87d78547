
/*
 * Records that the shop's database is asked for later: those whose answer was
 * not seen, and those that went out unread.
 */

#include "b24_queue_int.h"


#define B24_QUEUE_NUMBER_CAUSE                                                \
    "the shop's number is "


/* a record that went out unread */
typedef struct {
    b24_str_t    origin;
    b24_str_t    order_id;
    b24_state_e  state;
    int64_t      deal_id;
    int          sent;              /* or it may have been */
    int64_t      placed;
} b24_unread_t;


static b24_queue_rc_e b24_queue_unconfirmed(b24_queue_t *q, b24_pool_t *pool,
    b24_claimant_t *record, b24_str_t *origin, b24_str_t *order_id);
static b24_queue_rc_e b24_queue_asked(b24_query_t *query, b24_pool_t *pool,
    int limit, b24_queue_unsettled_t **records, size_t *n,
    b24_queue_unsettled_at_t *at);
static b24_queue_rc_e b24_queue_placed_before(b24_queue_t *q, int64_t since,
    int64_t *record);
static b24_queue_rc_e b24_queue_placed(b24_queue_t *q, b24_sql_e sql,
    int64_t from, int64_t *record, int64_t *created);
static b24_queue_rc_e b24_queue_unread_one(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_unread_t *unread);
static b24_queue_rc_e b24_queue_recognized(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const b24_unread_t *unread,
    const b24_queue_match_t *match, int64_t now);


/* ---- unconfirmed ones ---- */

b24_queue_rc_e
b24_queue_unsettled(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    b24_queue_unsettled_at_t *at, int limit, b24_queue_unsettled_t **records,
    size_t *n)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_UNSETTLED);
    b24_query_text(&query, origin);
    b24_query_int(&query, at->updated);
    b24_query_int(&query, at->record);

    rc = b24_queue_asked(&query, pool, limit, records, n, at);

    if (*n < (size_t) limit) {
        memset(at, 0, sizeof(b24_queue_unsettled_at_t));
    }

    return rc;
}


/* what is to be asked for; at: the last of them */

static b24_queue_rc_e
b24_queue_asked(b24_query_t *query, b24_pool_t *pool, int limit,
    b24_queue_unsettled_t **records, size_t *n, b24_queue_unsettled_at_t *at)
{
    b24_queue_unsettled_t  *r;

    *n = 0;

    b24_query_int(query, limit);

    *records = b24_pcalloc(pool, (size_t) limit
                                 * sizeof(b24_queue_unsettled_t));
    if (*records == NULL) {
        (void) b24_query_end(query);
        return B24_QUEUE_NOMEM;
    }

    while (*n < (size_t) limit && b24_query_row(query) == B24_QUEUE_OK) {
        r = &(*records)[(*n)++];

        r->record = b24_query_get_int(query, 0);
        r->created = b24_query_get_int(query, 1);
        b24_query_get_str(query, 2, pool, &r->order_id);
        b24_query_get_str(query, 3, pool, &r->data);

        at->record = r->record;
        at->updated = b24_query_get_int(query, 4);

        b24_queue_key_print(r->key, r->record);
    }

    return b24_query_end(query);
}


b24_queue_rc_e
b24_queue_found(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_queue_put_t *put, const b24_queue_match_t *matches, size_t n,
    int loose, b24_queue_put_result_t *result)
{
    b24_str_t        origin, had;
    b24_choice_t     choice;
    b24_claimant_t   claimant;
    b24_queue_rc_e   rc;
    b24_queue_put_t  found;

    memset(result, 0, sizeof(b24_queue_put_result_t));
    memset(&claimant, 0, sizeof(b24_claimant_t));

    claimant.id = record;
    claimant.origin = &origin;
    claimant.order_id = &had;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_unconfirmed(q, pool, &claimant, &origin, &had);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_identify(q, &claimant, matches, n, loose, 0, put->now,
                                &choice);
    }

    /* it stays so until that other one is read */

    if (rc == B24_QUEUE_OK && choice.busy) {
        result->state = B24_STATE_UNCONFIRMED;
        return b24_queue_finish(q, rc);
    }

    if (rc == B24_QUEUE_OK && choice.doubled) {
        result->state = B24_STATE_DUPLICATE;
        return b24_queue_finish(q, rc);
    }

    if (rc == B24_QUEUE_OK) {
        found = *put;
        found.order_id = matches[choice.n].order_id;
        found.row = matches[choice.n].row;
        found.data = matches[choice.n].data;
        found.fingerprint = matches[choice.n].fingerprint;
        found.cause.data = (u_char *) B24_QUEUE_FOUND_CAUSE;
        found.cause.len = sizeof(B24_QUEUE_FOUND_CAUSE) - 1;

        if (choice.reuse) {
            found.state = B24_STATE_PARKED;
            b24_queue_reused(&found.cause, &found.advice);
        }

        rc = b24_queue_confirm(q, &found, record, result);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_absent(b24_queue_t *q, b24_pool_t *pool, int64_t record)
{
    b24_str_t       origin, had;
    b24_claimant_t  claimant;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    claimant.id = record;

    rc = b24_queue_unconfirmed(q, pool, &claimant, &origin, &had);

    return b24_queue_finish(q, rc == B24_QUEUE_OK
                               ? b24_queue_reject(q, record, &origin) : rc);
}


/* NONE: it is so no more */

static b24_queue_rc_e
b24_queue_unconfirmed(b24_queue_t *q, b24_pool_t *pool,
    b24_claimant_t *record, b24_str_t *origin, b24_str_t *order_id)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_UNCONFIRMED);
    b24_query_int(&query, record->id);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, origin);
        b24_query_get_str(&query, 1, pool, order_id);
        record->contested = b24_query_get_int(&query, 2) != 0;
        record->placed = b24_query_get_int(&query, 3);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


/* ---- those that went out unread ---- */

b24_queue_rc_e
b24_queue_unread(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    int64_t record, int64_t since, int limit, b24_queue_unsettled_t **records,
    size_t *n)
{
    int64_t                   before;
    b24_query_t               query;
    b24_queue_rc_e            rc;
    b24_queue_unsettled_at_t  at;

    *n = 0;

    rc = b24_queue_placed_before(q, since, &before);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_UNREAD);
    b24_query_text(&query, origin);
    b24_query_int(&query, record > before ? record : before);
    b24_query_int(&query, since);

    return b24_queue_asked(&query, pool, limit, records, n, &at);
}


/*
 * The last record that was placed before since, 0: none.  They were placed in
 * the sequence of their keys, so it is found by halves: there may be a million
 * old ones.  Where a clock was set back some are missed, and come with all.
 */

static b24_queue_rc_e
b24_queue_placed_before(b24_queue_t *q, int64_t since, int64_t *record)
{
    int64_t         low, high, middle, id, created;
    b24_queue_rc_e  rc;

    *record = 0;

    if (since <= 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_placed(q, B24_SQL_PLACED_LAST, 0, &high, &created);

    for (low = 0; rc == B24_QUEUE_OK && low < high; /* void */) {
        middle = low + (high - low) / 2;

        rc = b24_queue_placed(q, B24_SQL_PLACED, middle, &id, &created);

        if (rc == B24_QUEUE_OK && id <= high && created < since) {
            low = id + 1;
            *record = id;

        } else {
            high = middle;
        }
    }

    return rc;
}


/* the first record from that key on; none: a key of 0 */

static b24_queue_rc_e
b24_queue_placed(b24_queue_t *q, b24_sql_e sql, int64_t from, int64_t *record,
    int64_t *created)
{
    b24_query_t  query;

    *record = 0;
    *created = INT64_MAX;

    b24_query_init(&query, q, sql);

    if (sql == B24_SQL_PLACED) {
        b24_query_int(&query, from);
    }

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        *record = b24_query_get_int(&query, 0);
        *created = b24_query_get_int(&query, 1);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_recognize(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_queue_match_t *matches, size_t n, int loose, int64_t now,
    b24_state_e *state)
{
    b24_choice_t    choice;
    b24_unread_t    unread;
    b24_claimant_t  claimant;
    b24_queue_rc_e  rc;

    memset(&claimant, 0, sizeof(b24_claimant_t));

    claimant.id = record;
    claimant.origin = &unread.origin;
    claimant.order_id = &unread.order_id;
    claimant.sent = 1;

    *state = B24_STATE_DUPLICATE;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_unread_one(q, pool, record, &unread);

    if (rc == B24_QUEUE_OK) {
        claimant.placed = unread.placed;

        rc = b24_queue_choose(q, &claimant, matches, n, loose, &choice);
    }

    if (rc == B24_QUEUE_OK && choice.doubled && !unread.sent) {
        return b24_queue_finish(q, b24_queue_double(q, record, &unread.origin,
                                                    choice.twin, now));
    }

    if (rc != B24_QUEUE_OK) {
        return b24_queue_finish(q, rc);
    }

    *state = unread.state;

    if (choice.doubled) {

        /* both are in the CRM */

        rc = b24_queue_twin(q, record, choice.twin, now);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_note(q, record, unread.state, B24_QUEUE_TWIN_CAUSE,
                                now);
        }

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_shop_number(q, record, NULL);
        }

    } else {
        rc = b24_queue_recognized(q, pool, record, &unread,
                                  &matches[choice.n], now);
    }

    return b24_queue_finish(q, rc);
}


/* NONE: it is so no more */

static b24_queue_rc_e
b24_queue_unread_one(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_unread_t *unread)
{
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_UNREAD_ONE);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &unread->origin);
        b24_query_get_str(&query, 1, pool, &unread->order_id);
        b24_query_peek_str(&query, 2, &name);
        unread->state = b24_state_find(&name);
        unread->deal_id = b24_query_get_int(&query, 3);
        unread->sent = b24_query_get_int(&query, 4) != 0;
        unread->placed = b24_query_get_int(&query, 5);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


static b24_queue_rc_e
b24_queue_recognized(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_unread_t *unread, const b24_queue_match_t *match, int64_t now)
{
    b24_buf_t         buf;
    b24_str_t         cause;
    b24_queue_rc_e    rc;
    const b24_str_t  *number;

    number = &match->order_id;

    if (number->len == 0 || b24_str_eq(number, &unread->order_id)) {
        number = NULL;
    }

    rc = b24_queue_shop_number(q, record, number);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_row(q, record, &match->row);
    }

    if (rc == B24_QUEUE_OK && number) {
        b24_buf_init(&buf, pool);
        b24_buf_adds(&buf, B24_QUEUE_NUMBER_CAUSE);
        b24_buf_addstr(&buf, number);

        if (b24_buf_str(&buf, &cause) != B24_OK) {
            return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
        }

        rc = b24_queue_note(q, record, unread->state, (char *) cause.data,
                            now);
    }

    if (rc != B24_QUEUE_OK || unread->deal_id == 0) {
        return rc;
    }

    rc = b24_queue_put_link(q, record);

    return rc == B24_QUEUE_OK && match->link.len
           ? b24_queue_event(q, record, B24_EV_LINK, &match->link, now) : rc;
}


b24_queue_rc_e
b24_queue_unrecognized(b24_queue_t *q, int64_t record)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    return rc == B24_QUEUE_OK
           ? b24_queue_finish(q, b24_queue_shop_number(q, record, NULL)) : rc;
}


/* NULL: it has none of its own; empty: it is looked for */

b24_queue_rc_e
b24_queue_shop_number(b24_queue_t *q, int64_t record, const b24_str_t *number)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_SHOP_NUMBER);

    if (number) {
        b24_query_text(&query, number);

    } else {
        b24_query_chars(&query, NULL);
    }

    b24_query_int(&query, record);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_some_unread(b24_queue_t *q, const b24_str_t *origin, int *some)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_UNREAD);
    b24_query_text(&query, origin);
    b24_query_int(&query, 0);
    b24_query_int(&query, 0);
    b24_query_int(&query, 1);

    *some = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
}
