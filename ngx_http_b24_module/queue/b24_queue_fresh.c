
/*
 * New records, gathered: a statement of many rows opens the indexes of records
 * once, which is half of what a row costs.
 */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_fresh_all(b24_queue_t *q);
static b24_queue_rc_e b24_queue_fresh_rows(b24_queue_t *q,
    const b24_fresh_t *fresh, int n);
static void b24_queue_fresh_bind(b24_query_t *query, const b24_fresh_t *fresh);


/* as AUTOINCREMENT would give it out, which keeps the last one in a table */

b24_queue_rc_e
b24_queue_next_record(b24_queue_t *q, int64_t *id)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (q->record == 0) {
        b24_query_init(&query, q, B24_SQL_LAST_RECORD);

        if (b24_query_row(&query) == B24_QUEUE_OK) {
            q->record = b24_query_get_int(&query, 0);
        }

        rc = b24_query_end(&query);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    *id = ++q->record;
    q->captured = 0;

    return B24_QUEUE_OK;
}


b24_queue_rc_e
b24_queue_fresh_add(b24_queue_t *q, const b24_fresh_t *fresh)
{
    q->fresh[q->nfresh++] = *fresh;

    return q->nfresh == B24_QUEUE_FRESH ? b24_queue_fresh_all(q)
                                        : B24_QUEUE_OK;
}


b24_queue_rc_e
b24_queue_fresh_put(b24_queue_t *q, const b24_fresh_t *fresh)
{
    return b24_queue_fresh_rows(q, fresh, 1);
}


/* a record's row takes its key along, a capture's doesn't */

b24_queue_rc_e
b24_queue_fresh_write(b24_queue_t *q)
{
    int64_t         last;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    last = q->captured ? q->record : 0;
    q->record = 0;
    q->captured = 0;

    rc = b24_queue_fresh_all(q);

    if (rc != B24_QUEUE_OK || last == 0) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_NEXT_RECORD);
    b24_query_int(&query, last);

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_fresh_all(b24_queue_t *q)
{
    int             i, n, left;
    b24_queue_rc_e  rc;

    rc = B24_QUEUE_OK;
    left = q->nfresh;
    q->nfresh = 0;

    for (i = 0; rc == B24_QUEUE_OK && left; i += n, left -= n) {
        n = (left >= 16) ? 16 : (left >= 4) ? 4 : 1;
        rc = b24_queue_fresh_rows(q, &q->fresh[i], n);
    }

    return rc;
}


/* their events refer to them */

static b24_queue_rc_e
b24_queue_fresh_rows(b24_queue_t *q, const b24_fresh_t *fresh, int n)
{
    int             i;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, n == 16 ? B24_SQL_PUT_16_RECORDS
                              : n == 4 ? B24_SQL_PUT_4_RECORDS
                                       : B24_SQL_PUT_RECORD);

    for (i = 0; i < n; i++) {
        b24_queue_fresh_bind(&query, &fresh[i]);
    }

    rc = b24_query_done(&query);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        rc = b24_queue_put_event(q, fresh[i].event, fresh[i].id, 1, B24_EV_NEW,
                                 fresh[i].put.now, &fresh[i].put.data);
    }

    return rc;
}


static void
b24_queue_fresh_bind(b24_query_t *query, const b24_fresh_t *fresh)
{
    const b24_queue_put_t  *put;

    put = &fresh->put;

    b24_query_int(query, fresh->id);
    b24_query_text(query, &put->origin);
    b24_query_str(query, &put->order_id);
    b24_query_int(query, fresh->reuse);
    b24_query_text(query, &put->rule);
    b24_query_text(query, &put->fingerprint);
    b24_query_chars(query, b24_state_name(put->state));
    b24_query_int(query, fresh->event);
    b24_query_str(query, &put->cause);
    b24_query_str(query, &put->advice);
    b24_query_int(query, put->now);         /* arrived */
    b24_query_int(query, put->now);         /* accepted */
    b24_query_int(query, put->now);         /* updated */
    b24_query_str(query, &put->row);
    b24_query_int(query, fresh->created);
    b24_query_id(query, fresh->begun);
}


int
b24_queue_fresh_has(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id)
{
    int                     i;
    const b24_queue_put_t  *put;

    for (i = 0; i < q->nfresh; i++) {
        put = &q->fresh[i].put;

        if (b24_str_eq(&put->order_id, order_id)
            && b24_str_eq(&put->origin, origin))
        {
            return 1;
        }
    }

    return 0;
}


/* what follows on a put of another order, and asks for nothing of records */

int
b24_queue_fresh_unseen(b24_sql_e sql)
{
    switch (sql) {

    case B24_SQL_KNOWN:             /* after b24_queue_fresh_has() */
    case B24_SQL_CAPTURED:
    case B24_SQL_PUT_CAPTURE:
    case B24_SQL_UNCAPTURE:
    case B24_SQL_LAST_RECORD:
    case B24_SQL_LAST_EVENT:        /* its line is asked for once */
    case B24_SQL_STORED:
    case B24_SQL_COUNT:
        return 1;

    default:
        return 0;
    }
}
