
/* The journal: what becomes of captured records whose process has died. */

#include "queue.h"


static b24_queue_t  *q;


static int
alive(void *data, const char *owner)
{
    int  *asked = data;

    (*asked)++;

    return strcmp(owner, "living") == 0;
}


/* a captured order of a process; id NULL: its request carries no number */

static b24_queue_put_result_t
capture(int64_t token, const char *owner, const char *id, const char *print,
    int64_t now)
{
    char                    data[128];
    b24_queue_put_t         put;
    b24_queue_put_result_t  result;

    queue_put_init(&put, "shop", id ? id : "", print, now);

    (void) snprintf(data, sizeof(data), "{\"v\":1,\"fields\":{%s%s%s%s}}",
                    id ? "\"id\":\"" : "", id ? id : "", id ? "\"," : "",
                    "\"phone\":\"+79160000001\"");

    put.data = str(data);
    put.state = B24_STATE_CAPTURED;
    put.capture = token;
    put.owner = owner;

    ok(queue_put1(q, &put, &result) == B24_QUEUE_OK, "captured: %s",
       id ? id : "no number");
    is_int(result.state, B24_STATE_CAPTURED, "its state");

    return result;
}


static int
orphans(int64_t now)
{
    int  n, asked;

    asked = 0;
    n = -1;

    is_int(b24_queue_orphans(q, alive, &asked, now, &n), B24_QUEUE_OK,
           "orphans");

    return n;
}


static int64_t
count(const char *where)
{
    char  sql[256];

    (void) snprintf(sql, sizeof(sql),
                    "SELECT count(*) FROM records WHERE %.180s", where);

    return queue_sql(q, sql);
}


static void
test_numbers(void)
{
    b24_queue_put_result_t  a, b, again;

    a = capture(11, "dead", "1001", "f1", T0);
    b = capture(12, "dead", NULL, "f2", T0 + 1);
    (void) capture(13, "living", "1003", "f3", T0 + 2);

    is_int(count("order_id IS NOT NULL"), 0,
           "no number counts while the shop is at work");
    is_int(orphans(T0 + MINUTE), 2, "two have lost their process");

    is_int(count("state = 'unconfirmed' AND order_id = '1001'"
                 " AND capture IS NULL AND owner IS NULL"), 1,
           "the number that the request carried is the record's");
    is_int(count("state = 'unconfirmed' AND order_id IS NULL"), 1,
           "the other one has none");
    is_int(queue_sql(q, "SELECT count(*) FROM captures"), 1,
           "one is watched yet");
    is_int(queue_sql(q, "SELECT count(*) FROM events WHERE data LIKE"
                        " '%+79160000001%'"), 2, "with what they carried");
    is_int(count("cause LIKE 'nginx stopped%' AND advice IS NOT NULL"), 2,
           "and why");
    is_int(orphans(T0 + MINUTE), 0, "once");

    /* the buyer tries again, and the shop says yes */

    again = queue_order(q, "shop", "1001", "f1", T0 + HOUR);
    is_int(again.state, B24_STATE_ACCEPTED, "accepted");
    ok(strcmp(again.key, a.key) == 0, "the same record");
    ok(strcmp(again.key, b.key) != 0, "not the other one");
    is_int(count("order_id = '1001'"), 1, "there is no second one");
}


static void
test_twins(void)
{
    b24_queue_put_result_t  first, second;

    /* accepted, and sent once more by a buyer whose answer nobody saw */

    (void) queue_order(q, "shop", "2001", "g1", T0);
    (void) capture(21, "dead", "2001", "g1", T0 + 1);

    is_int(orphans(T0 + MINUTE), 1, "one");
    is_int(count("order_id = '2001'"), 1, "of an order that is there already");
    is_int(queue_sql(q, "SELECT n FROM counts WHERE state = 'duplicate'"), 1,
           "a duplicate");
    is_int(queue_sql(q, "SELECT count(*) FROM captures WHERE token = 21"), 0,
           "nothing is left of it");

    /* twice, and nobody saw an answer */

    first = capture(22, "dead", "2002", "g2", T0);
    second = capture(23, "dead", "2002", "g2", T0 + 1);

    is_int(orphans(T0 + MINUTE), 2, "two");
    is_int(count("order_id = '2002' AND state = 'unconfirmed'"), 1,
           "are one order");
    ok(strcmp(first.key, second.key) != 0, "of two requests");

    /* the same number with other content, days later */

    (void) queue_order(q, "shop", "2003", "g3", T0);
    (void) capture(24, "dead", "2003", "other", T0 + 2 * DAY);
    is_int(orphans(T0 + 2 * DAY), 1, "one");
    is_int(count("order_id = '2003'"), 1, "its number was seen before");
}


static void
test_broken(void)
{
    b24_queue_put_result_t  result;

    /* a document that can't be read is kept as it is */

    result = capture(31, "dead", "3001", "h1", T0);
    ok(result.record > 0, "a record");
    is_int(queue_sql(q, "UPDATE captures SET data = 'broken'"
                        " WHERE token = 31"), -1, "spoilt");
    (void) capture(32, "dead", "3002", "h2", T0);

    is_int(orphans(T0 + MINUTE), 2, "it holds up nobody");
    is_int(queue_sql(q, "SELECT count(*) FROM events WHERE data = 'broken'"),
           1, "and is there");
    is_int(count("order_id = '3002' AND state = 'unconfirmed'"), 1,
           "as the other one");
}


static void
test_many(void)
{
    int   i, n, all;
    char  id[32];

    for (i = 0; i < 250; i++) {
        (void) snprintf(id, sizeof(id), "m-%d", i);
        (void) capture(1000 + i, "dead", id, id, T0 + i);
    }

    for (all = 0, i = 0; i < 10 && (n = orphans(T0 + HOUR)) > 0; i++) {
        all += n;
    }

    is_int(all, 250, "all of them");
    is_int(count("order_id LIKE 'm-%' AND state = 'unconfirmed'"), 250,
           "with their numbers");
}


/* an order that is answered in its process: its key, its time, its place */

static void
test_accepted(void)
{
    int64_t                  last;
    b24_str_t                shop, key;
    b24_pool_t              *pool;
    size_t                   n;
    b24_queue_put_t          put;
    b24_queue_moment_t      *moments;
    b24_queue_record_t      *r;
    b24_queue_put_result_t   first, other, result;

    pool = b24_pool_create(0);
    shop = str("shop");

    first = capture(51, "living", "5001", "p1", T0);
    other = queue_order(q, "shop", "5002", "p2", T0 + 1);
    is_int(other.record, first.record + 1, "keys are given out in turn");

    /* the desk sees it where it is */

    key = str(first.key);
    is_int(b24_queue_get(q, pool, &key, NULL, NULL, &r, &n), B24_QUEUE_OK,
           "found by its key");
    is_int(n, 1, "alone");
    is_int(r[0].state, B24_STATE_CAPTURED, "captured");
    is_int(r[0].created, T0, "then");
    is_str(&r[0].rule, "shop/save", "by that rule");
    ok(b24_str_find(&r[0].data, 0, "79160000001") > 0, "with what it has");
    is_int(b24_queue_timeline(q, pool, first.record, NULL, &moments, &n),
           B24_QUEUE_OK, "its timeline");
    is_int(n, 1, "is short");
    is_int(moments[0].state, B24_STATE_CAPTURED, "captured");
    is_int(b24_queue_list(q, pool, &shop, 1, B24_STATE_CAPTURED, 10, &r, &n),
           B24_QUEUE_OK, "listed");
    ok(n == 2 && strcmp(r[1].key, first.key) == 0, "behind a later one");

    /* yes */

    queue_put_init(&put, "shop", "5001", "p1", T0 + 5);
    put.capture = 51;
    is_int(queue_put1(q, &put, &result), B24_QUEUE_OK, "accepted");
    ok(strcmp(result.key, first.key) == 0, "the same key");
    is_int(queue_sql(q, "SELECT created FROM records WHERE order_id = '5001'"),
           T0, "since the request");
    is_int(queue_sql(q, "SELECT arrived FROM records WHERE order_id = '5001'"),
           T0 + 5, "in line since the answer");
    is_int(b24_queue_timeline(q, pool, first.record, NULL, &moments, &n),
           B24_QUEUE_OK, "its timeline");
    is_int(n, 2, "goes on");
    is_int(moments[0].state, B24_STATE_CAPTURED, "captured");
    is_int(moments[0].time, T0, "then");
    is_int(moments[1].state, B24_STATE_ACCEPTED, "accepted");
    is_int(queue_sql(q, "SELECT count(*) FROM captures WHERE token = 51"), 0,
           "nothing is left");

    /* no: its key is gone for good */

    first = capture(52, "living", NULL, "p3", T0);
    (void) b24_queue_begin(q);
    is_int(b24_queue_uncapture(q, &shop, 52), B24_QUEUE_OK, "no order");
    is_int(b24_queue_uncapture(q, &shop, 52), B24_QUEUE_NONE, "once");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");

    other = queue_order(q, "shop", "5003", "p4", T0);
    ok(other.record > first.record, "no key is used twice");

    /* the commit was not told of: the same again */

    first = capture(53, "living", NULL, "p5", T0);
    other = capture(53, "living", NULL, "p5", T0);
    is_int(first.record, other.record, "captured once");

    last = queue_sql(q, "SELECT seq FROM sqlite_sequence"
                        " WHERE name = 'records'");
    is_int(last, first.record, "as AUTOINCREMENT knows");

    b24_pool_destroy(pool);
}


/* another process ends the exchange as soon as captures are looked at */

static int
end_exchange(unsigned event, void *data, void *stmt, void *sql)
{
    static int  ended;

    b24_queue_t *other = data;

    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    (void) event;
    (void) stmt;

    if (ended || strstr(sql, "FROM captures") == NULL) {
        return 0;
    }

    ended = 1;

    queue_put_init(&put, "shop", "5501", "q1", T0 + 5);
    put.capture = 551;
    is_int(queue_put1(other, &put, &result), B24_QUEUE_OK, "accepted");

    return 0;
}


static void
test_meanwhile(void)
{
    size_t                   n;
    b24_pool_t              *pool;
    b24_queue_t             *other;
    b24_queue_moment_t      *moments;
    b24_queue_put_result_t   first;

    pool = b24_pool_create(0);

    first = capture(551, "living", "5501", "q1", T0);

    other = queue_open(queue_path("queue.db"));
    (void) sqlite3_trace_v2(q->db, SQLITE_TRACE_STMT, end_exchange, other);

    is_int(b24_queue_timeline(q, pool, first.record, NULL, &moments, &n),
           B24_QUEUE_OK, "its timeline, while the answer comes");
    ok(n > 0, "is never empty");

    (void) sqlite3_trace_v2(q->db, 0, NULL, NULL);

    is_int(b24_queue_timeline(q, pool, first.record, NULL, &moments, &n),
           B24_QUEUE_OK, "its timeline");
    is_int(n, 2, "goes on");

    b24_queue_close(other);
    b24_pool_destroy(pool);
}


/* what counts has of it is what there is */

static void
counts_are_right(const char *name)
{
    is_int(queue_sql(q, "SELECT count(*) FROM (SELECT origin, state, n, kept"
                        " FROM counts WHERE state <> 'delivered'"
                        " AND state <> 'rejected' AND state <> 'duplicate'"
                        " AND kept <> 0"
                        " EXCEPT SELECT origin, state, count(*), count(*)"
                        " FROM (SELECT origin, state FROM records"
                        " UNION ALL SELECT origin, 'captured' FROM captures)"
                        " GROUP BY origin, state)"), 0, name);
    is_int(queue_sql(q, "SELECT (SELECT sum(kept) FROM counts)"
                        " - (SELECT count(*) FROM records)"
                        " - (SELECT count(*) FROM captures)"), 0, "in all");
}


static void
test_counts(void)
{
    int                      i;
    char                     id[32];
    size_t                   n;
    int64_t                  change;
    b24_str_t                origin;
    b24_pool_t              *pool;
    b24_queue_put_t          put;
    b24_queue_counts_t      *counts;
    b24_queue_put_result_t   result;

    pool = b24_pool_create(0);

    counts_are_right("so far");

    /* several origins and states in one transaction */

    is_int(b24_queue_begin(q), B24_QUEUE_OK, "begun");

    for (i = 0; i < 30; i++) {
        (void) snprintf(id, sizeof(id), "c-%d", i);
        queue_put_init(&put, i % 3 ? "shop" : "other", id, id, T0 + i);
        put.state = i % 2 ? B24_STATE_ACCEPTED : B24_STATE_CAPTURED;
        put.capture = put.state == B24_STATE_CAPTURED ? 600 + i : 0;
        put.owner = "living";
        ok(b24_queue_put(q, &put, &result) == B24_QUEUE_OK, "%s", id);

        if (i % 4 == 0) {
            ok(b24_queue_uncapture(q, &put.origin, put.capture)
               == B24_QUEUE_OK, "%s is none", id);
        }
    }

    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");
    counts_are_right("two origins");

    /* what is rolled back was not counted */

    is_int(b24_queue_begin(q), B24_QUEUE_OK, "begun");
    queue_put_init(&put, "shop", "c-x", "c-x", T0);
    ok(b24_queue_put(q, &put, &result) == B24_QUEUE_OK, "an order");
    b24_queue_rollback(q);
    is_int(b24_queue_counts(q, pool, &counts, &n, &change), B24_QUEUE_OK,
           "who reads next");
    counts_are_right("writes nothing of it");
    (void) queue_order(q, "shop", "c-y", "c-y", T0);
    counts_are_right("without what was rolled back");

    /* in a group as well */

    is_int(b24_queue_group_begin(q), B24_QUEUE_OK, "a group");
    (void) queue_order(q, "other", "c-1", "c-1", T0);
    is_int(b24_queue_begin(q), B24_QUEUE_OK, "a call of it");
    queue_put_init(&put, "third", "c-2", "c-2", T0);
    ok(b24_queue_put(q, &put, &result) == B24_QUEUE_OK, "an order");
    b24_queue_rollback(q);
    (void) queue_order(q, "shop", "c-3", "c-3", T0);
    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "its end");
    counts_are_right("without the call that was rolled back");
    is_int(queue_sql(q, "SELECT count(*) FROM counts WHERE origin = 'third'"),
           0, "nobody has heard of it");

    /* one that is the group's last */

    is_int(b24_queue_group_begin(q), B24_QUEUE_OK, "a group");
    (void) queue_order(q, "other", "c-5", "c-5", T0);
    is_int(b24_queue_begin(q), B24_QUEUE_OK, "a call of it");
    queue_put_init(&put, "third", "c-6", "c-6", T0);
    ok(b24_queue_put(q, &put, &result) == B24_QUEUE_OK, "an order");
    b24_queue_rollback(q);
    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "its end");
    counts_are_right("without the last call, which was rolled back");

    /* a name that is longer than names are */

    origin.len = 400;
    origin.data = malloc(origin.len);
    memset(origin.data, 'o', origin.len);
    queue_put_init(&put, "", "c-4", "c-4", T0);
    put.origin = origin;
    ok(queue_put1(q, &put, &result) == B24_QUEUE_OK, "a long name");
    counts_are_right("counted");
    free(origin.data);

    b24_pool_destroy(pool);
}


/* max=, with what the transaction itself has added */

static void
test_room(void)
{
    int64_t                  n;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    n = queue_sql(q, "SELECT sum(kept) FROM counts");
    b24_queue_limit(q, n + 2);

    is_int(b24_queue_begin(q), B24_QUEUE_OK, "begun");
    queue_put_init(&put, "shop", "r-1", "r-1", T0);
    is_int(b24_queue_put(q, &put, &result), B24_QUEUE_OK, "an order");

    queue_put_init(&put, "shop", "", "r-2", T0);
    put.state = B24_STATE_CAPTURED;
    put.capture = 701;
    put.owner = "living";
    is_int(b24_queue_put(q, &put, &result), B24_QUEUE_OK, "a capture");

    queue_put_init(&put, "shop", "r-3", "r-3", T0);
    is_int(b24_queue_put(q, &put, &result), B24_QUEUE_LIMIT, "no room");

    /* it has its place already */

    queue_put_init(&put, "shop", "r-2", "r-2", T0);
    put.capture = 701;
    is_int(b24_queue_put(q, &put, &result), B24_QUEUE_OK, "what was captured");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");

    queue_put_init(&put, "shop", "r-3", "r-3", T0);
    is_int(queue_put1(q, &put, &result), B24_QUEUE_LIMIT, "no room later");
    counts_are_right("a full queue");

    b24_queue_limit(q, 0);
}


/* as the version before writes a capture, and an order */

#define BEFORE(state, id, token)                                              \
    "INSERT INTO records (origin, order_id, reuse, rule, fingerprint, state," \
    " event, arrived, accepted, created, updated, capture, owner) VALUES"     \
    " ('shop', " id ", 0, 'shop/save', 'b', '" state "', -" token ", 5, 5, 5,"\
    " 5, " token ", 'dead');"                                                 \
    "INSERT INTO events (id, record, seq, kind, arrived, data) VALUES (-"     \
    token ", (SELECT max(id) FROM records), 1, 'new', 5,"                     \
    " '{\"v\":1,\"fields\":{\"id\":\"b-" token "\"}}');"                       \
    "INSERT INTO timeline VALUES ((SELECT max(id) FROM records), 1, 5, 5, 1," \
    " '" state "', NULL, NULL, NULL);"

/* orders that the chart shows */

static int64_t
charted(void)
{
    size_t              i, n;
    int64_t             all;
    b24_pool_t         *pool;
    b24_queue_point_t  *points;

    pool = b24_pool_create(0);
    all = 0;

    is_int(b24_queue_points(q, pool, NULL, 0, 0, T0 + HOUR, &points, &n),
           B24_QUEUE_OK, "the chart");

    for (i = 0; i < n; i++) {
        all += points[i].accepted;
    }

    b24_pool_destroy(pool);

    return all;
}


static void
test_version_before(void)
{
    int       i, good;
    char      ids[96];
    sqlite3  *db;

    b24_queue_close(q);

    good = sqlite3_open(queue_path("before.db"), &db) == SQLITE_OK;

    for (i = 0; i < 13; i++) {
        good &= sqlite3_exec(db, b24_queue_schema[i], NULL, NULL, NULL)
                == SQLITE_OK;
    }

    (void) snprintf(ids, sizeof(ids), "PRAGMA application_id = %d;"
                    " PRAGMA user_version = 13", B24_QUEUE_APPLICATION);
    good &= sqlite3_exec(db, ids, NULL, NULL, NULL) == SQLITE_OK;
    good &= sqlite3_exec(db, BEFORE("captured", "NULL", "81"), NULL, NULL,
                         NULL) == SQLITE_OK;
    ok(good, "a file of schema 13");

    q = queue_open(queue_path("before.db"));
    is_int(b24_queue_point(q, T0), B24_QUEUE_OK, "a point");

    /* its workers may live on */

    ok(sqlite3_exec(db, BEFORE("captured", "NULL", "82"), NULL, NULL, NULL)
       == SQLITE_OK, "a capture of the version before: %s",
       sqlite3_errmsg(db));
    ok(sqlite3_exec(db, "UPDATE records SET order_id = 'b-82',"
                        " state = 'accepted', event = 1, capture = NULL,"
                        " owner = NULL WHERE capture = 82", NULL, NULL, NULL)
       == SQLITE_OK, "accepted: %s", sqlite3_errmsg(db));
    ok(sqlite3_exec(db, BEFORE("captured", "NULL", "83"), NULL, NULL, NULL)
       == SQLITE_OK, "one more");
    (void) sqlite3_close(db);

    counts_are_right("as it counts");
    is_int(charted(), 0, "who is behind a capture isn't charted, nor is that");

    is_int(orphans(T0), 2, "those whose process is gone");
    is_int(count("state = 'unconfirmed' AND order_id = 'b-81' AND id = 1"), 1,
           "with key and number");
    is_int(count("state = 'unconfirmed' AND order_id = 'b-83' AND id = 3"), 1,
           "the other one");
    is_int(queue_sql(q, "SELECT count(*) FROM captures"), 0, "none is left");
    is_int(queue_sql(q, "SELECT count(*) FROM timeline WHERE record = 1"), 2,
           "captured, unconfirmed");
    counts_are_right("in the end");
    is_int(charted(), 2, "those since the point");
}


int
main(void)
{
    (void) queue_mkdir();

    q = queue_open(queue_path("queue.db"));

    test_numbers();
    test_twins();
    test_broken();
    test_many();
    test_accepted();
    test_meanwhile();
    test_counts();
    test_room();
    test_version_before();

    b24_queue_close(q);
    queue_rmdir(queue_dir);

    return done_testing();
}
