
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


typedef struct {
    int64_t   token;
    int       adopt;                /* of an nginx of the version before */
} b24_orphan_t;


static b24_queue_rc_e b24_queue_orphan(b24_queue_t *q,
    const b24_orphan_t *orphan, int64_t now);
static b24_queue_rc_e b24_queue_adopt(b24_queue_t *q, int64_t token);
static b24_queue_rc_e b24_queue_orphan_read(b24_queue_t *q, int64_t token,
    b24_pool_t *pool, b24_queue_put_t *put);


b24_queue_rc_e
b24_queue_captured(b24_queue_t *q, int64_t token, b24_captured_t *captured)
{
    b24_query_t  query;

    memset(captured, 0, sizeof(b24_captured_t));

    if (token == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_CAPTURED);
    b24_query_int(&query, token);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        captured->id = b24_query_get_int(&query, 0);
        captured->time = b24_query_get_int(&query, 1);
    }

    return b24_query_end(&query);
}


/* its number waits for the answer, too */

b24_queue_rc_e
b24_queue_capture(b24_queue_t *q, const b24_queue_put_t *put,
    b24_queue_put_result_t *result)
{
    b24_query_t     query;
    b24_captured_t  captured;
    b24_queue_rc_e  rc;

    /* a commit whose outcome was not told is repeated */

    rc = b24_queue_captured(q, put->capture, &captured);

    if (rc == B24_QUEUE_OK && captured.id == 0) {
        rc = b24_queue_room(q);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_next_record(q, &captured.id);
        }

        if (rc != B24_QUEUE_OK) {
            return rc;
        }

        q->captured = 1;

        b24_query_init(&query, q, B24_SQL_PUT_CAPTURE);
        b24_query_int(&query, put->capture);
        b24_query_int(&query, captured.id);
        b24_query_int(&query, put->now);
        b24_query_chars(&query, put->owner);
        b24_query_text(&query, &put->origin);
        b24_query_text(&query, &put->rule);
        b24_query_text(&query, &put->fingerprint);
        b24_query_text(&query, &put->data);

        rc = b24_query_done(&query);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_count_kept(q, &put->origin, B24_STATE_CAPTURED, 1);
        }
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    result->state = B24_STATE_CAPTURED;
    result->record = captured.id;
    b24_queue_key_print(result->key, captured.id);

    return B24_QUEUE_OK;
}


b24_queue_rc_e
b24_queue_uncapture(b24_queue_t *q, const b24_str_t *origin, int64_t capture)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_UNCAPTURE);
    b24_query_int(&query, capture);

    rc = b24_query_done(&query);

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    return sqlite3_changes(q->db)
           ? b24_queue_count_kept(q, origin, B24_STATE_CAPTURED, -1)
           : B24_QUEUE_NONE;
}


b24_queue_rc_e
b24_queue_orphans(b24_queue_t *q, int (*alive)(void *data, const char *owner),
    void *data, int64_t now, int *n)
{
    int              lives, i;
    char             owner[64];
    b24_str_t        name;
    b24_query_t      query;
    b24_orphan_t     orphans[B24_QUEUE_ORPHANS];
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
            orphans[*n].token = b24_query_get_int(&query, 0);
            orphans[(*n)++].adopt = (int) b24_query_get_int(&query, 2);
        }
    }

    rc = b24_query_end(&query);

    if (rc != B24_QUEUE_OK || *n == 0) {
        return rc;
    }

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < *n; i++) {
        rc = b24_queue_orphan(q, &orphans[i], now);
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
b24_queue_orphan(b24_queue_t *q, const b24_orphan_t *orphan, int64_t now)
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

    put.capture = orphan->token;

    rc = orphan->adopt ? b24_queue_adopt(q, orphan->token) : B24_QUEUE_OK;

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_orphan_read(q, orphan->token, pool, &put);
    }

    if (rc == B24_QUEUE_OK && orphan->adopt) {
        rc = b24_queue_count_kept(q, &put.origin, B24_STATE_CAPTURED, 1);
    }

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


/* the record's row as a capture, which keeps its id */

static b24_queue_rc_e
b24_queue_adopt(b24_queue_t *q, int64_t token)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_ADOPT);
    b24_query_int(&query, token);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_ADOPTED);
    b24_query_int(&query, token);

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_orphan_read(b24_queue_t *q, int64_t token, b24_pool_t *pool,
    b24_queue_put_t *put)
{
    b24_order_t     *order;
    b24_query_t      query;
    b24_queue_rc_e   rc, end;

    b24_query_init(&query, q, B24_SQL_ORPHAN);
    b24_query_int(&query, token);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &put->origin);
        b24_query_get_str(&query, 1, pool, &put->rule);
        b24_query_get_str(&query, 2, pool, &put->fingerprint);
        b24_query_get_str(&query, 3, pool, &put->data);
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
