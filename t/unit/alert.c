
/* What is told, when, and in which words. */


#include "tap.h"

#include "b24_alert.h"
#include "b24_node.h"


#define T0      ((int64_t) 1800000000000)      /* 2027-01-15T08:00:00Z */
#define SECOND  1000
#define MINUTE  60000
#define HOUR    3600000


static const b24_alert_limits_t  limits = { 5 * MINUTE, 6 * HOUR };


static b24_alert_t
fresh(b24_alert_e event)
{
    b24_alert_t  a;

    memset(&a, 0, sizeof(a));
    a.event = event;

    return a;
}


/* a second of a life: what is to be said, which somebody hears */
static b24_alert_say_e
tick(b24_alert_t *a, int64_t count, int64_t now)
{
    int64_t          since;
    b24_alert_say_e  say;

    b24_alert_look(a, &limits, count, now);
    say = b24_alert_wants(a, &limits, now);

    if (say != B24_ALERT_NOTHING) {
        since = b24_alert_since(a);
        b24_alert_said(a, say, since, count, now);
    }

    return say;
}


/* messages of each second from one to another */
static int
ticks(b24_alert_t *a, int64_t count, int64_t from, int64_t to)
{
    int      n;
    int64_t  t;

    n = 0;

    for (t = from; t < to; t += SECOND) {
        n += tick(a, count, t) != B24_ALERT_NOTHING;
    }

    return n;
}


static void
test_raised_and_cleared(void)
{
    b24_alert_t  a;

    a = fresh(B24_ALERT_BLOCKED);

    is_int(ticks(&a, 0, T0, T0 + HOUR), 0, "nothing while all is well");
    ok(!a.dirty, "nor is anything written down");

    is_int(tick(&a, 1, T0 + HOUR), B24_ALERT_NOTHING, "not at once");
    is_int(tick(&a, 1, T0 + HOUR + 2999), B24_ALERT_NOTHING, "not yet");
    is_int(tick(&a, 1, T0 + HOUR + 3000), B24_ALERT_RAISE, "then it is");
    is_int(a.raised, 1, "as raised");
    is_int(a.since, T0 + HOUR, "since when it is");
    is_int(a.told, T0 + HOUR + 3000, "told when it was");
    ok(a.dirty, "to be written down");

    is_int(ticks(&a, 1, T0 + HOUR + 4000, T0 + 6 * HOUR), 0, "once");

    is_int(tick(&a, 0, T0 + 6 * HOUR), B24_ALERT_NOTHING, "over, not at once");
    is_int(tick(&a, 0, T0 + 6 * HOUR + 3000), B24_ALERT_CLEAR, "then it is");
    is_int(a.raised, 0, "no more");

    is_int(ticks(&a, 0, T0 + 6 * HOUR + 4000, T0 + 9 * HOUR), 0, "once");
    is_int(a.told, 0, "then it is forgotten");

    is_int(ticks(&a, 1, T0 + 9 * HOUR, T0 + 10 * HOUR), 1, "and anew");
}


static void
test_moment(void)
{
    int      n;
    int64_t  t;

    b24_alert_t  a;

    a = fresh(B24_ALERT_BLOCKED);
    n = 0;

    for (t = T0; t < T0 + HOUR; t += SECOND) {
        n += tick(&a, (t / 2000) % 2, t) != B24_ALERT_NOTHING;
    }

    is_int(n, 0, "what lasts for two seconds is told to nobody");
}


static void
test_flapping(void)
{
    int      n;
    int64_t  t, last, least;

    b24_alert_t  a;

    a = fresh(B24_ALERT_BLOCKED);
    n = 0;
    last = 0;
    least = HOUR;

    for (t = T0; t < T0 + 10 * HOUR; t += SECOND) {

        if (tick(&a, (t / 20000) % 2, t) != B24_ALERT_NOTHING) {
            least = (last && t - last < least) ? t - last : least;
            last = t;
            n++;
        }
    }

    ok(n > 2 && n <= 10 * 12 + 1, "%d messages of ten hours of flapping", n);
    ok(least >= 5 * MINUTE, "never two within the gap: %lld ms",
       (long long) least);

    /* raised, over and raised within the gap: nothing has changed */

    a = fresh(B24_ALERT_BLOCKED);
    is_int(ticks(&a, 1, T0, T0 + 10 * SECOND), 1, "raised");
    is_int(ticks(&a, 0, T0 + 10 * SECOND, T0 + 60 * SECOND), 0, "over");
    is_int(ticks(&a, 1, T0 + 60 * SECOND, T0 + HOUR), 0, "and raised again");
}


static void
test_burst(void)
{
    int      n;
    int64_t  t;

    b24_alert_t  a;

    a = fresh(B24_ALERT_PARKED);
    n = 0;

    for (t = T0; t < T0 + 2 * MINUTE; t += SECOND) {
        n += tick(&a, 1 + (t - T0) / 100, t) != B24_ALERT_NOTHING;
    }

    is_int(n, 1, "a thousand orders in two minutes are one message");
    is_int(ticks(&a, 1200, t, T0 + HOUR), 1, "a later one has their number");
    is_int(a.n, 1200, "all of them");
    is_int(ticks(&a, 1200, T0 + HOUR, T0 + 6 * HOUR), 0, "no more of it");

    is_int(ticks(&a, 7, T0 + 2 * HOUR, T0 + 4 * HOUR), 0, "fewer are no news");
    is_int(a.n, 7, "but noted");
    is_int(ticks(&a, 8, T0 + 4 * HOUR, T0 + 5 * HOUR), 1, "one more is");
    is_int(ticks(&a, 0, T0 + 5 * HOUR, T0 + 9 * HOUR), 1, "none: over");
}


static void
test_again(void)
{
    b24_alert_t         a;
    b24_alert_limits_t  never = { 5 * MINUTE, 0 };

    a = fresh(B24_ALERT_AGE);

    is_int(ticks(&a, 1, T0, T0 + 24 * HOUR), 4, "every six hours");
    is_int(a.since, T0, "since the first time");

    b24_alert_look(&a, &never, 1, T0 + 90 * HOUR);
    is_int(b24_alert_wants(&a, &never, T0 + 90 * HOUR), B24_ALERT_NOTHING,
           "or never");
}


/* what has happened once is never over, also when the count begins anew */

static void
test_once(void)
{
    b24_alert_t  a, b;

    a = fresh(B24_ALERT_LOST);

    is_int(ticks(&a, 3, T0, T0 + 24 * HOUR), 1, "said once");
    is_int(a.raised, 0, "nothing that ends");
    is_int(ticks(&a, 4, T0 + 24 * HOUR, T0 + 25 * HOUR), 1, "one more");
    ok(a.told != 0, "kept for whoever looks next");

    /* nginx goes on, another process looks */

    b = fresh(B24_ALERT_LOST);
    b.told = a.told;
    b.n = a.n;
    is_int(ticks(&b, 4, T0 + 30 * HOUR, T0 + 60 * HOUR), 0, "known");

    /* a restart */

    is_int(ticks(&b, 0, T0 + 60 * HOUR, T0 + 61 * HOUR), 0, "none any more");
    is_int(b.told, 0, "forgotten");
    is_int(ticks(&b, 1, T0 + 61 * HOUR, T0 + 62 * HOUR), 1, "one is news");
}


static void
test_restart(void)
{
    b24_alert_t  a;

    a = fresh(B24_ALERT_PARKED);
    a.raised = 1;
    a.since = T0;
    a.told = T0 + MINUTE;
    a.n = 2;

    is_int(ticks(&a, 2, T0 + HOUR, T0 + 6 * HOUR), 0, "told before");
    is_int(ticks(&a, 0, T0 + 6 * HOUR, T0 + 6 * HOUR + MINUTE), 1,
           "over while nobody looked");

    a = fresh(B24_ALERT_PARKED);
    a.raised = 1;
    a.since = T0;
    a.told = T0 + 9 * HOUR;
    a.n = 2;

    is_int(ticks(&a, 0, T0 + HOUR, T0 + 2 * HOUR), 1,
           "a clock that was set back doesn't keep it for ever");
}


static void
test_unsaid(void)
{
    int      i;
    int64_t  t;

    b24_alert_t  a;

    a = fresh(B24_ALERT_BLOCKED);
    b24_alert_look(&a, &limits, 1, T0);
    b24_alert_look(&a, &limits, 1, t = T0 + MINUTE);

    for (i = 0; i < 100; i++) {
        is_int(b24_alert_wants(&a, &limits, t), B24_ALERT_RAISE, "wanted");
        is_int(b24_alert_unsaid(&a, B24_ALERT_RAISE, t), 0, "said again");
    }

    ok(!a.dirty && !a.told, "nobody has heard of it");
    b24_alert_look(&a, &limits, 0, T0 + HOUR);
    b24_alert_look(&a, &limits, 0, T0 + 2 * HOUR);
    is_int(b24_alert_wants(&a, &limits, T0 + 2 * HOUR), B24_ALERT_NOTHING,
           "nor need he hear that it is over");

    b24_alert_said(&a, B24_ALERT_RAISE, T0, 1, T0);
    a.dirty = 0;

    for (i = 1; i < B24_ALERT_TRIES; i++) {
        is_int(b24_alert_unsaid(&a, B24_ALERT_CLEAR, T0 + 3 * HOUR), 0,
               "said again");
    }

    is_int(b24_alert_wants(&a, &limits, T0 + 3 * HOUR), B24_ALERT_CLEAR,
           "still wanted");
    is_int(b24_alert_unsaid(&a, B24_ALERT_CLEAR, T0 + 3 * HOUR), 1,
           "that it is over is given up");
    ok(!a.raised && a.dirty, "as if it had been said");
}


static void
test_pace(void)
{
    int      n;
    int64_t  t, last;

    b24_alert_pace_t  p;

    memset(&p, 0, sizeof(p));

    for (t = T0, n = 0; t < T0 + MINUTE; t += SECOND) {
        if (b24_alert_may(&p, t)) {
            b24_alert_tried(&p, t);
            b24_alert_ended(&p, 1, t);
            n++;
        }
    }

    is_int(n, 20, "twenty in a row");

    for (n = 0; t < T0 + HOUR; t += SECOND) {
        if (b24_alert_may(&p, t)) {
            b24_alert_tried(&p, t);
            b24_alert_ended(&p, 1, t);
            n++;
        }
    }

    ok(n >= 58 && n <= 60, "then one a minute: %d", n);
    ok(b24_alert_may(&p, t + HOUR), "all is forgotten");
    b24_alert_tried(&p, t + HOUR);
    ok(b24_alert_may(&p, t + HOUR), "after an hour");

    /* failures */

    memset(&p, 0, sizeof(p));
    last = 0;

    for (t = T0, n = 0; t < T0 + 2 * HOUR; t += SECOND) {

        if (b24_alert_may(&p, t)) {

            if (n < 4) {
                is_int(t - last, n ? 5000 << (n - 1) : T0, "pauses grow");
            }

            last = t;
            n++;
            b24_alert_tried(&p, t);
            b24_alert_ended(&p, 0, t);
        }
    }

    ok(n >= 17 && n <= 19, "up to ten minutes: %d tries in two hours", n);
    is_int(p.next - last, 10 * MINUTE, "and no longer");
    ok(b24_alert_may(&p, T0 - 24 * HOUR), "the clock was set back");
    b24_alert_ended(&p, 1, t);
    ok(p.failures == 0 && p.next == 0, "well again");
}


static const char *
printed(b24_pool_t *pool, const b24_alert_message_t *m)
{
    b24_buf_t    buf;
    b24_str_t    s;

    b24_buf_init(&buf, pool);
    b24_alert_print(&buf, m);

    return b24_buf_str(&buf, &s) == B24_OK ? (char *) s.data : "failed";
}


static void
test_print(void)
{
    b24_str_t             s;
    b24_pool_t           *pool, *small;
    b24_alert_message_t   m;

    pool = b24_pool_create(0);
    memset(&m, 0, sizeof(m));

    m.version = "1.2.3";
    m.origin = str("shop");
    m.host = str("p.test");
    m.event = B24_ALERT_PARKED;
    m.say = B24_ALERT_RAISE;
    m.since = T0;
    m.now = T0 + 61000;
    m.cause = str("Bitrix24 answered \"E\": no\n.");
    m.advice = str("look at it");
    m.orders[0] = str("17/26");
    m.orders[1] = str("k-000002\"\\\x01");
    m.norders = 2;
    m.count = 3;
    m.waiting = 4;
    m.oldest = 5;

    s = str(printed(pool, &m));
    is_str(&s, "{\"version\":\"1.2.3\",\"time\":\"2027-01-15T08:01:01Z\","
           "\"origin\":\"shop\",\"host\":\"p.test\",\"event\":\"parked\","
           "\"state\":\"raised\",\"since\":\"2027-01-15T08:00:00Z\","
           "\"text\":\"shop: 3 orders are parked, the latest: Bitrix24 "
           "answered \\\"E\\\": no. look at it.\",\"orders\":[\"17/26\","
           "\"k-000002\\\"\\\\\\u0001\"],\"count\":3,\"waiting\":4,"
           "\"oldest_undelivered_seconds\":5}\n", "raised");

    m.say = B24_ALERT_CLEAR;
    m.norders = 0;
    m.count = 0;
    s = str(printed(pool, &m));
    ok(b24_str_find(&s, 0, "\"state\":\"cleared\"") > 0, "cleared");
    ok(b24_str_find(&s, 0, "\"text\":\"shop: No order is parked any more.\"")
       > 0, "its words");
    ok(b24_str_find(&s, 0, "\"orders\":[]") > 0, "no orders");

    memset(&m, 0, sizeof(m));
    m.version = "1";
    m.event = B24_ALERT_QUEUE;
    m.say = B24_ALERT_RAISE;
    m.count = 1;
    s = str(printed(pool, &m));
    ok(b24_str_find(&s, 0, "\"origin\":null,\"host\":null") > 0, "no shop's");
    ok(b24_str_find(&s, 0, "\"since\":null") > 0, "nobody knows since when");
    ok(b24_str_find(&s, 0, "1 order is held") > 0, "one");

    m.event = B24_ALERT_AGE;
    m.oldest = 7260;
    m.waiting = 2;
    s = str(printed(pool, &m));
    ok(b24_str_find(&s, 0, "has waited for 2 hours, 2 orders wait.\"") > 0,
       "hours");
    m.oldest = 7199;
    s = str(printed(pool, &m));
    ok(b24_str_find(&s, 0, "for 119 minutes") > 0, "minutes");
    m.oldest = 1;
    s = str(printed(pool, &m));
    ok(b24_str_find(&s, 0, "for 1 second,") > 0, "a second");

    small = b24_pool_create(64);
    s = str(printed(small, &m));
    is_str(&s, "failed", "no memory");

    b24_pool_destroy(small);
    b24_pool_destroy(pool);
}


/* each of them, and texts of any length: one line that a parser takes */

static void
test_print_all(void)
{
    int                   e, say, bad;
    size_t                i;
    char                  longs[3000];
    b24_str_t             s;
    b24_node_t           *node;
    b24_pool_t           *pool;
    b24_alert_message_t   m;

    bad = 0;

    /* "ж" many times over, from its first byte on or not */

    for (i = 0; i + 1 < sizeof(longs); i++) {
        longs[i] = (char) (i % 2 ? 0xb6 : 0xd0);
    }

    longs[sizeof(longs) - 1] = '\0';

    for (e = 0; e < B24_NALERTS; e++) {

        for (say = B24_ALERT_RAISE; say <= B24_ALERT_CLEAR; say++) {
            pool = b24_pool_create(0);
            memset(&m, 0, sizeof(m));

            m.version = "1";
            m.origin = str("shop");
            m.event = (b24_alert_e) e;
            m.say = (b24_alert_say_e) say;
            m.now = T0;
            m.cause = str(longs);
            m.advice = str(longs + 2);
            m.norders = B24_ALERT_ORDERS;

            for (i = 0; i < m.norders; i++) {
                m.orders[i] = str(longs);
            }

            s = str(printed(pool, &m));

            bad += s.len > 4096 || b24_str_find(&s, 0, "\n")
                                   != (ssize_t) s.len - 1;
            bad += b24_json_parse(pool, &s, 0, &node) != B24_OK;

            b24_pool_destroy(pool);
        }
    }

    is_int(bad, 0, "all are one short line of JSON");
}


int
main(void)
{
    test_raised_and_cleared();
    test_moment();
    test_flapping();
    test_burst();
    test_again();
    test_once();
    test_restart();
    test_unsaid();
    test_pace();
    test_print();
    test_print_all();

    return done_testing();
}
