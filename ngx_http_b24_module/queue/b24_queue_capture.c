
/*
 * The journal: what a request carried, written down before the shop has
 * answered.  Such a record is known by a token its process drew, until the
 * exchange ends; when the process dies first it becomes unconfirmed.
 */


#include "b24_queue_int.h"
#include "b24_order.h"


#define B24_QUEUE_ORPHAN_CAUSE                                                \
    "nginx stopped before the shop's answer was seen"
#define B24_QUEUE_ORPHAN_ADVICE                                               \
    "look the order up in the shop, then send or drop this record"

#define B24_QUEUE_ORPHANS  100      /* of one transaction */


static b24_queue_rc_e b24_queue_orphan(b24_queue_t *q, int64_t record,
    int64_t now);
static b24_queue_rc_e b24_queue_orphan_read(b24_queue_t *q, int64_t record,
    b24_pool_t *pool, b24_queue_put_t *put);


/* the record of a token, 0: none */

b24_queue_rc_e
b24_queue_captured(b24_queue_t *q, int64_t capture, int64_t *record)
{
    b24_query_t  query;

    *record = 0;

    if (capture == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_CAPTURED);
    b24_query_int(&query, capture);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        *record = b24_query_get_int(&query, 0);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_uncapture_id(b24_queue_t *q, int64_t record)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_UNCAPTURE);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_uncapture(b24_queue_t *q, int64_t capture)
{
    int64_t         record;
    b24_queue_rc_e  rc;

    rc = b24_queue_captured(q, capture, &record);

    if (rc != B24_QUEUE_OK || record == 0) {
        return rc == B24_QUEUE_OK ? B24_QUEUE_NONE : rc;
    }

    return b24_queue_uncapture_id(q, record);
}


b24_queue_rc_e
b24_queue_orphans(b24_queue_t *q, int (*alive)(void *data, const char *owner),
    void *data, int64_t now, int *n)
{
    int              lives, i;
    char             owner[64];
    int64_t          ids[B24_QUEUE_ORPHANS];
    b24_str_t        name;
    b24_query_t      query;
    b24_queue_rc_e   rc;

    *n = 0;
    owner[0] = '\0';
    lives = 0;

    /* the owners are asked outside of any lock */

    b24_query_init(&query, q, B24_SQL_CAPTURES);

    while (*n < B24_QUEUE_ORPHANS && b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 1, &name);

        if (name.len >= sizeof(owner)) {
            continue;
        }

        if (owner[0] == '\0' || !b24_str_eqs(&name, owner)) {
            memcpy(owner, name.data, name.len);
            owner[name.len] = '\0';

            lives = alive(data, owner);
        }

        if (!lives) {
            ids[(*n)++] = b24_query_get_int(&query, 0);
        }
    }

    rc = b24_query_end(&query);

    if (rc != B24_QUEUE_OK || *n == 0) {
        return rc;
    }

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < *n; i++) {
        rc = b24_queue_orphan(q, ids[i], now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_commit(q);
    }

    if (rc != B24_QUEUE_OK) {
        b24_queue_rollback(q);
        *n = 0;
    }

    return rc;
}


/*
 * As if the exchange had ended with its answer unseen: a number that the
 * request has carried counts from now on, so that the order is not taken for
 * another one when it comes again.
 */

static b24_queue_rc_e
b24_queue_orphan(b24_queue_t *q, int64_t record, int64_t now)
{
    b24_pool_t              *pool;
    b24_str_t                cause = b24_string(B24_QUEUE_ORPHAN_CAUSE);
    b24_str_t                advice = b24_string(B24_QUEUE_ORPHAN_ADVICE);
    b24_queue_rc_e           rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return B24_QUEUE_NOMEM;
    }

    memset(&put, 0, sizeof(b24_queue_put_t));

    rc = b24_queue_orphan_read(q, record, pool, &put);

    if (rc == B24_QUEUE_OK) {
        put.state = B24_STATE_UNCONFIRMED;
        put.cause = cause;
        put.advice = advice;
        put.now = now;

        rc = b24_queue_put(q, &put, &result);
    }

    b24_pool_destroy(pool);

    /* another process was faster */

    return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
}


static b24_queue_rc_e
b24_queue_orphan_read(b24_queue_t *q, int64_t record, b24_pool_t *pool,
    b24_queue_put_t *put)
{
    b24_order_t     *order;
    b24_query_t      query;
    b24_queue_rc_e   rc, end;

    b24_query_init(&query, q, B24_SQL_ORPHAN);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        put->capture = b24_query_get_int(&query, 0);
        b24_query_get_str(&query, 1, pool, &put->origin);
        b24_query_get_str(&query, 2, pool, &put->rule);
        b24_query_get_str(&query, 3, pool, &put->fingerprint);
        b24_query_get_str(&query, 4, pool, &put->data);
    }

    end = b24_query_end(&query);

    if (rc != B24_QUEUE_OK || end != B24_QUEUE_OK) {
        return end != B24_QUEUE_OK ? end : rc;
    }

    if (b24_order_parse(pool, &put->data, &order) == B24_OK) {
        put->order_id = order->fields[B24_ORDER_ID];
        put->row = order->fields[B24_ORDER_ROW];
    }

    return B24_QUEUE_OK;
}
