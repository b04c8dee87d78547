
/*
 * Housekeeping, in steps: whoever wants to write waits for one of them at most,
 * and each writes a bounded number of pages.
 */

#include "b24_queue_int.h"

#include <stdio.h>


#define B24_QUEUE_CLEAN_BYTES  1048576  /* of orders' data, a step */
#define B24_QUEUE_VACUUM       256      /* pages given back in one step */
#define B24_QUEUE_SLACK        1024     /* free pages kept for new rows */
#define B24_QUEUE_TRUNCATE     256      /* pages copied under the lock */


/* what is left of a step */
typedef struct {
    int      n;                     /* records */
    int64_t  bytes;
} b24_clean_t;


static b24_queue_rc_e b24_queue_expire(b24_queue_t *q, int64_t keep_ms,
    int64_t now, b24_clean_t *left);
static b24_queue_rc_e b24_queue_expire_all(b24_queue_t *q, b24_sql_e sql,
    int64_t time, int64_t updated, b24_clean_t *left);
static b24_queue_rc_e b24_queue_announce(b24_queue_t *q, int64_t keep_ms,
    int limit, int64_t now);
static int b24_queue_shrink(b24_queue_t *q);
static void b24_queue_empty_wal(b24_queue_t *q);


b24_queue_rc_e
b24_queue_clean(b24_queue_t *q, int64_t keep_ms, int limit, int64_t now,
    int *n)
{
    int             timeout;
    b24_clean_t     left;
    b24_queue_rc_e  rc;

    *n = 0;

    left.n = limit;
    left.bytes = B24_QUEUE_CLEAN_BYTES;

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_expire(q, keep_ms, now, &left);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_announce(q, keep_ms, limit, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_clean_facts(q, keep_ms, limit, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_clean_dropped(q, keep_ms, limit, now);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_clean_portals(q, keep_ms, now);
    }

    rc = b24_queue_finish(q, rc);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    *n = limit - left.n;

    /* nobody is waited for: there will be a next time */

    timeout = q->timeout;
    q->timeout = 0;

    if (b24_queue_shrink(q) || *n) {
        b24_queue_empty_wal(q);
    }

    q->timeout = timeout;

    return B24_QUEUE_OK;
}


static b24_queue_rc_e
b24_queue_expire(b24_queue_t *q, int64_t keep_ms, int64_t now,
    b24_clean_t *left)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_expire_all(q, B24_SQL_OLD_DELIVERED, now - keep_ms, 0,
                              left);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    /* announced by a clock that was ahead: to be announced again */

    b24_query_init(&query, q, B24_SQL_UNWARN);
    b24_query_int(&query, now);
    b24_query_int(&query, left->n);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    return b24_queue_expire_all(q, B24_SQL_OLD_WARNED, now - keep_ms,
                                now - 3 * keep_ms, left);
}


/* one by one, as an order may be small or large */

static b24_queue_rc_e
b24_queue_expire_all(b24_queue_t *q, b24_sql_e sql, int64_t time,
    int64_t updated, b24_clean_t *left)
{
    int64_t         id;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    while (left->n > 0 && left->bytes > 0) {
        b24_query_init(&query, q, sql);
        b24_query_int(&query, time);

        if (sql == B24_SQL_OLD_WARNED) {
            b24_query_int(&query, updated);
        }

        rc = b24_query_row(&query);

        if (rc != B24_QUEUE_OK) {
            (void) b24_query_end(&query);
            return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
        }

        id = b24_query_get_int(&query, 0);

        left->n--;
        left->bytes -= b24_query_get_int(&query, 1);

        (void) b24_query_end(&query);

        b24_query_init(&query, q, B24_SQL_DROP_RECORD);
        b24_query_int(&query, id);

        rc = b24_query_done(&query);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    return B24_QUEUE_OK;
}


static b24_queue_rc_e
b24_queue_announce(b24_queue_t *q, int64_t keep_ms, int limit, int64_t now)
{
    int              i;
    int64_t          id;
    b24_str_t        name;
    b24_query_t      query;
    b24_moment_t     moment;
    b24_queue_rc_e   rc;

    for (i = 0; i < limit; i++) {
        b24_query_init(&query, q, B24_SQL_AGING);
        b24_query_int(&query, now - 2 * keep_ms);

        rc = b24_query_row(&query);

        if (rc != B24_QUEUE_OK) {
            (void) b24_query_end(&query);
            return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
        }

        id = b24_query_get_int(&query, 0);
        b24_query_peek_str(&query, 1, &name);

        memset(&moment, 0, sizeof(b24_moment_t));
        moment.state = b24_state_find(&name);

        (void) b24_query_end(&query);

        b24_query_init(&query, q, B24_SQL_WARN);
        b24_query_int(&query, now);
        b24_query_int(&query, id);

        rc = b24_query_done(&query);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }

        moment.cause.data = (u_char *) "untouched for long: will be deleted"
                                       " after another \"keep\" of b24_queue";
        moment.cause.len = strlen((char *) moment.cause.data);

        rc = b24_queue_moment(q, id, &moment, now);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    return B24_QUEUE_OK;
}


/*
 * Gives pages back, a few at a time.  In a file that wasn't made by this module
 * (a dump that was read in) it may do nothing: see docs/operations.md.
 */

static int
b24_queue_shrink(b24_queue_t *q)
{
    char     vacuum[64];
    int64_t  pages;

    if (b24_queue_pragma(q, "PRAGMA freelist_count", &pages) != B24_QUEUE_OK
        || pages <= B24_QUEUE_SLACK)
    {
        return 0;
    }

    (void) snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%d)",
                    B24_QUEUE_VACUUM);

    return b24_queue_exec(q, vacuum) == B24_QUEUE_OK;
}


/*
 * What was deleted may still stand in the WAL.  Its pages are copied while
 * others write; only what is left then is copied while they wait.
 */

static void
b24_queue_empty_wal(b24_queue_t *q)
{
    int  pages, copied;

    if (sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                  &pages, &copied)
        != SQLITE_OK
        || pages - copied > B24_QUEUE_TRUNCATE)
    {
        return;
    }

    (void) b24_queue_exec(q, "PRAGMA wal_checkpoint(TRUNCATE)");
}
