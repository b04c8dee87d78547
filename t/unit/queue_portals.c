
/* What is kept of portals. */

#define _GNU_SOURCE

#include "queue.h"


static b24_pool_t  *pool;


static b24_queue_portal_t
row(const char *host, const char *state, int64_t n, const char *reason)
{
    b24_queue_portal_t  p;

    memset(&p, 0, sizeof(p));

    p.host = str(host);
    p.state = str(state);
    p.failures = n;
    p.resume = T0 + n;
    p.level = 1000 * n;
    p.time = T0;

    if (reason) {
        p.reason = str(reason);
        p.advice = str("do something");
    }

    return p;
}


static b24_queue_portal_t
get(b24_queue_t *q, const char *host, b24_queue_rc_e rc)
{
    b24_str_t           s;
    b24_queue_portal_t  p;

    s = str(host);
    is_int(b24_queue_portal(q, pool, &s, &p), rc, host);

    return p;
}


static void
test_kept(void)
{
    b24_queue_t         *q;
    b24_queue_portal_t   p[2];

    q = queue_open(queue_path("kept.db"));

    (void) get(q, "a.test", B24_QUEUE_NONE);

    p[0] = row("a.test", "blocked", 3, "why");
    p[1] = row("b.test:8443", "ok", 0, NULL);
    p[1].pace = str("{\"a\":1}");
    is_int(b24_queue_put_portals(q, p, 2), B24_QUEUE_OK, "two");

    b24_queue_close(q);
    q = queue_open(queue_path("kept.db"));

    p[0] = get(q, "a.test", B24_QUEUE_OK);
    is_str(&p[0].state, "blocked", "state");
    is_str(&p[0].reason, "why", "reason");
    is_str(&p[0].advice, "do something", "advice");
    is_int(p[0].failures, 3, "failures");
    is_int(p[0].resume, T0 + 3, "resume");
    is_int(p[0].level, 3000, "level");
    is_int(p[0].time, T0, "time");
    is_int((long long) p[0].pace.len, 0, "no pace");

    p[1] = get(q, "b.test:8443", B24_QUEUE_OK);
    is_str(&p[1].state, "ok", "the other one");
    is_int((long long) p[1].reason.len, 0, "without a reason");
    is_int(p[1].resume, T0, "its time");
    is_str(&p[1].pace, "{\"a\":1}", "its pace");

    p[1].pace.len = 0;
    (void) b24_queue_put_portals(q, p + 1, 1);
    p[1] = get(q, "b.test:8443", B24_QUEUE_OK);
    is_str(&p[1].pace, "{\"a\":1}", "which stays where none is told");
    (void) get(q, "A.test", B24_QUEUE_NONE);

    p[0] = row("a.test", "ok", 0, NULL);
    is_int(b24_queue_put_portals(q, p, 1), B24_QUEUE_OK, "once more");
    p[0] = get(q, "a.test", B24_QUEUE_OK);
    is_str(&p[0].state, "ok", "the newer one");
    is_int((long long) p[0].reason.len, 0, "its reason has gone");
    is_int(queue_sql(q, "SELECT count(*) FROM portals"), 2, "two rows");
    is_int(b24_queue_put_portals(q, p, 0), B24_QUEUE_OK, "none");

    b24_queue_close(q);
}


/* rows of hosts nobody writes any more go; a clock may have been wrong */

static void
test_clean(void)
{
    int                  n;
    b24_queue_t         *q;
    b24_queue_portal_t   p[3];

    q = queue_open(queue_path("clean.db"));

    p[0] = row("old.test", "ok", 0, NULL);
    p[1] = row("new.test", "blocked", 1, "why");
    p[2] = row("ahead.test", "ok", 0, NULL);
    p[0].pace = str("old");
    p[1].pace = str("new");
    p[1].time = T0 + 10 * DAY;
    p[2].time = T0 + 99 * DAY;
    (void) b24_queue_put_portals(q, p, 3);

    is_int(b24_queue_clean(q, 5 * DAY, 10, T0 + 4 * DAY, &n), B24_QUEUE_OK, "cleaned");
    is_int(n, 0, "no record");
    (void) get(q, "old.test", B24_QUEUE_OK);
    (void) get(q, "ahead.test", B24_QUEUE_NONE);
    is_int(queue_sql(q, "SELECT count(*) FROM paces"), 1, "one pace");

    (void) b24_queue_clean(q, 5 * DAY, 10, T0 + 11 * DAY, &n);
    (void) get(q, "old.test", B24_QUEUE_NONE);
    is_int(queue_sql(q, "SELECT count(*) FROM paces"), 0,
           "its pace has gone, too");

    b24_queue_close(q);
}


/* a file of schema 3 */

static void
test_migrated(void)
{
    int           i, good;
    char          ids[96];
    sqlite3      *db;
    b24_queue_t  *q;

    good = sqlite3_open(queue_path("three.db"), &db) == SQLITE_OK;

    for (i = 0; i < 3; i++) {
        good &= sqlite3_exec(db, b24_queue_schema[i], NULL, NULL, NULL) == SQLITE_OK;
    }

    (void) snprintf(ids, sizeof(ids), "PRAGMA application_id = %d; PRAGMA user_version = 3", B24_QUEUE_APPLICATION);
    good &= sqlite3_exec(db, ids, NULL, NULL, NULL) == SQLITE_OK;
    (void) sqlite3_close(db);
    ok(good, "a file of schema 3");

    q = queue_open(queue_path("three.db"));
    is_int(queue_sql(q, "PRAGMA user_version"), B24_QUEUE_SCHEMA, "brought up to date");
    is_int(queue_sql(q, "SELECT count(*) FROM portals"), 0, "with the table");
    b24_queue_close(q);
}


int
main(void)
{
    (void) queue_mkdir();
    pool = b24_pool_create(0);

    test_kept();
    test_clean();
    test_migrated();

    b24_pool_destroy(pool);
    queue_rmdir(queue_dir);

    return done_testing();
}
