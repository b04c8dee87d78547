
/* What was told of, and the orders that a message names. */

#define _GNU_SOURCE

#include "queue.h"


static b24_pool_t  *pool;


static b24_queue_alert_t
row(const char *origin, const char *event, int64_t told)
{
    b24_queue_alert_t  a;

    memset(&a, 0, sizeof(a));

    a.origin = str(origin);
    a.event = str(event);
    a.target = str("unix:/a");
    a.raised = 1;
    a.since = T0;
    a.told = told;
    a.n = 7;

    return a;
}


static b24_queue_alert_t
get(b24_queue_t *q, const char *origin, const char *event, b24_queue_rc_e rc)
{
    b24_queue_alert_t  a;

    memset(&a, 0, sizeof(a));
    a.origin = str(origin);
    a.event = str(event);

    is_int(b24_queue_alert(q, pool, &a), rc, event);

    return a;
}


static void
test_kept(void)
{
    b24_queue_t        *q;
    b24_queue_alert_t   a[2];

    q = queue_open(queue_path("kept.db"));

    (void) get(q, "shop", "parked", B24_QUEUE_NONE);

    a[0] = row("shop", "parked", T0 + 1);
    a[1] = row("other", "parked", T0 + 2);
    a[1].raised = 0;
    is_int(b24_queue_put_alerts(q, a, 2), B24_QUEUE_OK, "two");

    b24_queue_close(q);
    q = queue_open(queue_path("kept.db"));

    a[0] = get(q, "shop", "parked", B24_QUEUE_OK);
    is_str(&a[0].target, "unix:/a", "who was told");
    is_int(a[0].raised, 1, "raised");
    is_int(a[0].since, T0, "since");
    is_int(a[0].told, T0 + 1, "told");
    is_int(a[0].n, 7, "how many");

    a[1] = get(q, "other", "parked", B24_QUEUE_OK);
    is_int(a[1].raised, 0, "the other shop's");
    (void) get(q, "shop", "age", B24_QUEUE_NONE);

    a[0] = row("shop", "parked", T0 + 3);
    a[0].n = 9;
    is_int(b24_queue_put_alerts(q, a, 1), B24_QUEUE_OK, "once more");
    a[0] = get(q, "shop", "parked", B24_QUEUE_OK);
    is_int(a[0].n, 9, "the newer one");
    is_int(queue_sql(q, "SELECT count(*) FROM alerts"), 2, "two rows");

    a[0] = row("shop", "parked", 0);
    is_int(b24_queue_put_alerts(q, a, 1), B24_QUEUE_OK, "forgotten");
    (void) get(q, "shop", "parked", B24_QUEUE_NONE);
    is_int(b24_queue_put_alerts(q, a, 1), B24_QUEUE_OK, "and once more");
    (void) get(q, "other", "parked", B24_QUEUE_OK);
    is_int(b24_queue_put_alerts(q, a, 0), B24_QUEUE_OK, "none");

    b24_queue_close(q);
}


static void
test_oldest(void)
{
    int                  i;
    size_t               n;
    char                 id[16];
    b24_str_t            o = str("shop");
    b24_queue_t         *q;
    b24_queue_record_t  *r;

    q = queue_open(queue_path("oldest.db"));

    is_int(b24_queue_list_oldest(q, pool, &o, 5, &r, &n), B24_QUEUE_OK,
           "an empty queue");
    is_int((long long) n, 0, "has none");

    for (i = 1; i < 9; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        (void) queue_order(q, "shop", id, id, T0 + i);
        (void) queue_order(q, "other", id, id, T0 + i);
    }

    (void) queue_sql(q, "UPDATE records SET state = 'parked'"
                        " WHERE order_id = '1'");
    (void) queue_sql(q, "UPDATE records SET state = 'waiting', next = 1"
                        " WHERE order_id = '3'");

    is_int(b24_queue_list_oldest(q, pool, &o, 3, &r, &n), B24_QUEUE_OK,
           "of eight");
    is_int((long long) n, 3, "three");
    is_str(&r[0].order_id, "2", "the oldest first");
    is_str(&r[1].order_id, "3", "the next");
    is_int(r[1].state, B24_STATE_WAITING, "its state");
    is_str(&r[2].origin, "shop", "of this shop");

    b24_queue_close(q);
}


/* a file of schema 12 */

static void
test_migrated(void)
{
    int           i, good;
    char          ids[96];
    sqlite3      *db;
    b24_queue_t  *q;

    good = sqlite3_open(queue_path("twelve.db"), &db) == SQLITE_OK;

    for (i = 0; i < 12; i++) {
        good &= sqlite3_exec(db, b24_queue_schema[i], NULL, NULL, NULL)
                == SQLITE_OK;
    }

    (void) snprintf(ids, sizeof(ids), "PRAGMA application_id = %d;"
                    " PRAGMA user_version = 12", B24_QUEUE_APPLICATION);
    good &= sqlite3_exec(db, ids, NULL, NULL, NULL) == SQLITE_OK;
    (void) sqlite3_close(db);
    ok(good, "a file of schema 12");

    q = queue_open(queue_path("twelve.db"));
    is_int(queue_sql(q, "PRAGMA user_version"), B24_QUEUE_SCHEMA,
           "brought up to date");
    is_int(queue_sql(q, "SELECT count(*) FROM alerts"), 0, "with the table");
    b24_queue_close(q);
}


int
main(void)
{
    (void) queue_mkdir();
    pool = b24_pool_create(0);

    test_kept();
    test_oldest();
    test_migrated();

    b24_pool_destroy(pool);
    queue_rmdir(queue_dir);

    return done_testing();
}
