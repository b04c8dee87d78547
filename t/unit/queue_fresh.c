
/* Records that a transaction writes together, and what can tell them apart. */

#include "queue.h"


#define ORDERS  45


static b24_queue_t  *q;
static b24_pool_t   *pool;
static char          ids[ORDERS + 6][16];


/* the Nth order, whose texts last */

static b24_queue_put_result_t
put(int n, const char *print, int64_t capture, int64_t now)
{
    b24_queue_put_t         order;
    b24_queue_put_result_t  result;

    (void) snprintf(ids[n], sizeof(ids[n]), "o-%d", n);
    queue_put_init(&order, "shop", ids[n], print, now);
    order.capture = capture;
    order.lasting = 1;

    ok(b24_queue_put(q, &order, &result) == B24_QUEUE_OK, "%s", ids[n]);

    return result;
}


static void
capture(int64_t token, int64_t now)
{
    b24_queue_put_t         order;
    b24_queue_put_result_t  result;

    queue_put_init(&order, "shop", "", "c", now);
    order.state = B24_STATE_CAPTURED;
    order.capture = token;
    order.owner = "living";
    order.lasting = 1;

    ok(b24_queue_put(q, &order, &result) == B24_QUEUE_OK, "captured");
}


static int64_t
sql(const char *text)
{
    return queue_sql(q, text);
}


/* "STATE@TIME STATE@TIME*COUNT", since T0 */

static const char *
moments(int64_t record)
{
    size_t               i, n, len;
    b24_queue_moment_t  *m;

    static char  text[512];

    text[0] = '\0';
    len = 0;

    (void) b24_queue_timeline(q, pool, record, NULL, &m, &n);

    for (i = 0; i < n; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%s@%d",
                                 i ? " " : "", b24_state_name(m[i].state),
                                 (int) (m[i].time - T0));

        if (m[i].count > 1) {
            len += (size_t) snprintf(text + len, sizeof(text) - len, "*%d",
                                     m[i].count);
        }
    }

    return text;
}


#define is_moments(record, text)                                              \
    ok(strcmp(moments(record), text) == 0, "%s", moments(record))


static void
counts_are_right(void)
{
    is_int(sql("SELECT count(*) FROM (SELECT state, kept FROM counts"
               " WHERE kept <> 0 EXCEPT SELECT state, count(*) FROM (SELECT"
               " state FROM records UNION ALL SELECT 'captured' FROM captures)"
               " GROUP BY state)"), 0, "counted");
    is_int(sql("SELECT seq - (SELECT max(id) FROM records)"
               " FROM sqlite_sequence WHERE name = 'records'"), 0,
           "no key is skipped");
}


static void
test_many(void)
{
    int                     i;
    int64_t                 second;
    b24_str_t               data = b24_string("{}");
    b24_queue_put_result_t  first, result, again;

    (void) b24_queue_begin(q);
    capture(71, T0 - 5);
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "the journal's");

    (void) b24_queue_begin(q);

    first = put(0, "a", 0, T0);
    result = put(1, "a", 71, T0 + 1);
    second = result.record;
    is_int(second, 1, "the key of the capture");

    for (i = 2; i < ORDERS - 4; i++) {
        result = put(i, "a", 0, T0 + i);
        ok(result.record == first.record + i - 1, "its key");
    }

    /* who asks for one finds it */

    again = put(i - 1, "a", 0, T0 + i);
    is_int(again.state, B24_STATE_DUPLICATE, "twice in one transaction");
    is_int(again.record, result.record, "is one order");

    result = put(i, "a", 0, T0 + i);
    is_int(b24_queue_event(q, result.record, B24_EV_CHANGED, &data, T0 + 99),
           B24_QUEUE_OK, "an event of one that is not written yet");

    for (i++; i < ORDERS; i++) {
        (void) put(i, "a", 0, T0 + i);
    }

    is_int(sql("SELECT count(*) FROM captures"), 0, "no capture is left");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");

    is_int(sql("SELECT count(*) FROM records WHERE state = 'accepted'"
               " AND reuse = 0"), ORDERS, "all are there");
    is_int(sql("SELECT count(*) FROM records r JOIN events e ON e.id = r.event"
               " AND e.record = r.id AND e.seq = 1 AND e.kind = 'new'"
               " AND e.data = '{\"v\":1}' AND e.arrived = r.arrived"
               " AND r.accepted = r.arrived AND r.updated = r.arrived"),
           ORDERS, "with their events");
    is_int(sql("SELECT count(DISTINCT event) FROM records"), ORDERS,
           "each in its place");
    counts_are_right();

    is_moments(first.record, "accepted@0");
    is_moments(second, "captured@-5 accepted@1");
    is_moments(again.record, "accepted@40 duplicate@41");
}


/* one that brings its key along is looked for as well */

static void
test_captured(void)
{
    b24_str_t               data = b24_string("{}");
    b24_queue_put_result_t  result;

    (void) b24_queue_begin(q);
    capture(72, T0);
    (void) b24_queue_commit(q);

    (void) b24_queue_begin(q);
    result = put(ORDERS + 2, "a", 72, T0 + 1);
    is_int(b24_queue_event(q, result.record, B24_EV_CHANGED, &data, T0 + 2),
           B24_QUEUE_OK, "an event of what was captured");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");
    counts_are_right();

    is_moments(result.record, "captured@0 accepted@1");
}


static void
test_rolled_back(void)
{
    int64_t                 last;
    b24_queue_put_result_t  a, b;

    last = sql("SELECT max(id) FROM records");

    (void) b24_queue_begin(q);
    a = put(ORDERS, "a", 0, T0);
    is_int(a.record, last + 1, "the next key");
    b24_queue_rollback(q);

    is_int(sql("SELECT max(id) FROM records"), last, "nothing is there");

    (void) b24_queue_begin(q);
    b = put(ORDERS + 1, "a", 0, T0);
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "another one");
    is_int(b.record, a.record, "has its key");
    is_int(sql("SELECT count(*) FROM records WHERE order_id = 'o-45'"), 0,
           "and not the one before");
    counts_are_right();
}


/* the disk, or whatever it is: none of them is there */

static void
test_failed(void)
{
    int64_t                 n;
    b24_queue_put_t         order;
    b24_queue_put_result_t  result;

    n = sql("SELECT count(*) FROM records");

    (void) sql("CREATE TRIGGER spoilt BEFORE INSERT ON events"
               " WHEN NEW.data = 'no' BEGIN SELECT RAISE(FAIL, 'no'); END");

    (void) b24_queue_begin(q);

    queue_put_init(&order, "fails", "1", "a", T0);
    order.lasting = 1;
    is_int(b24_queue_put(q, &order, &result), B24_QUEUE_OK, "one");
    queue_put_init(&order, "fails", "2", "a", T0);
    order.lasting = 1;
    order.data = str("no");
    is_int(b24_queue_put(q, &order, &result), B24_QUEUE_OK, "another one");
    ok(b24_queue_commit(q) != B24_QUEUE_OK, "the commit says no");
    b24_queue_rollback(q);

    /* the same before a statement that would see them */

    (void) b24_queue_begin(q);
    is_int(b24_queue_put(q, &order, &result), B24_QUEUE_OK, "once more");
    ok(b24_queue_event(q, result.record, B24_EV_CHANGED, &order.data, T0)
       != B24_QUEUE_OK, "it can't be seen");
    b24_queue_rollback(q);

    (void) sql("DROP TRIGGER spoilt");
    is_int(sql("SELECT count(*) FROM records"), n, "nothing is there");
    counts_are_right();
}


/* the journal's gave out its key in another transaction: no key is asked for */

static void
test_captured_first(void)
{
    int                     put_it;
    b24_str_t               data = b24_string("{}");
    b24_queue_change_t      change;
    b24_queue_put_result_t  first, again;

    (void) b24_queue_begin(q);
    capture(91, T0);
    capture(92, T0 + 1);
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "two in the journal");

    (void) b24_queue_begin(q);
    first = put(ORDERS + 3, "a", 91, T0 + 2);
    again = put(ORDERS + 3, "a", 92, T0 + 3);
    is_int(again.state, B24_STATE_DUPLICATE, "twice, from the journal");
    is_int(again.record, first.record, "is one order");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");
    is_moments(first.record, "captured@0 accepted@2 duplicate@3");

    (void) b24_queue_begin(q);
    capture(93, T0 + 4);
    capture(94, T0 + 4);
    (void) b24_queue_commit(q);

    (void) b24_queue_begin(q);
    first = put(ORDERS + 4, "a", 93, T0 + 5);
    is_int(b24_queue_event(q, first.record, B24_EV_CHANGED, &data, T0 + 6),
           B24_QUEUE_OK, "an event of one from the journal");

    (void) put(ORDERS + 5, "a", 94, T0 + 7);
    memset(&change, 0, sizeof(b24_queue_change_t));
    change.origin = str("shop");
    change.order_id = str(ids[ORDERS + 5]);
    change.status = str("P");
    change.data = data;
    change.now = T0 + 8;
    is_int(b24_queue_status(q, &change, &put_it), B24_QUEUE_OK,
           "its status is told");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");

    counts_are_right();
}


/* given back, and given back again: the timeline counts it */

static void
test_given_back(void)
{
    int                     i;
    int64_t                 next;
    b24_queue_put_t         order;
    b24_queue_job_t         job;
    b24_queue_outcome_t     out;
    b24_queue_put_result_t  result;

    (void) b24_queue_begin(q);
    capture(81, T0 + 1);
    (void) b24_queue_commit(q);

    queue_put_init(&order, "back", "b", "b", T0 + 2);
    order.capture = 81;
    (void) queue_put1(q, &order, &result);

    is_moments(result.record, "captured@1 accepted@2");

    for (i = 3; i < 6; i++) {
        (void) queue_claim(q, pool, "back", "w", T0 + i, &job, &next);
        memset(&out, 0, sizeof(b24_queue_outcome_t));
        out.state = B24_STATE_ACCEPTED;
        is_int(b24_queue_outcome(q, "w", &job, &out, T0 + i), B24_QUEUE_OK,
               "given back");
    }

    is_moments(result.record, "captured@1 accepted@2*4");

    (void) queue_claim(q, pool, "back", "w", T0 + 6, &job, &next);
    memset(&out, 0, sizeof(b24_queue_outcome_t));
    out.state = B24_STATE_PARKED;
    out.cause = "no";
    (void) b24_queue_outcome(q, "w", &job, &out, T0 + 6);

    is_moments(result.record, "captured@1 accepted@2*4 parked@6");
}


int
main(void)
{
    (void) queue_mkdir();

    q = queue_open(queue_path("queue.db"));
    pool = b24_pool_create(0);

    test_many();
    test_captured();
    test_rolled_back();
    test_failed();
    test_captured_first();
    test_given_back();

    b24_pool_destroy(pool);
    b24_queue_close(q);
    queue_rmdir(queue_dir);

    return done_testing();
}
