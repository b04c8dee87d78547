
/* What methods cost, how much of the portal's time is left, and what fits. */


#include <stdlib.h>

#include "tap.h"
#include "b24_pace.h"


#define T0      1800000000000LL     /* the beginning of a minute */
#define MINUTE  60000LL
#define LIMIT   B24_PACE_LIMIT


static b24_pool_t   *pool;
static b24_pace_t    pace;
static b24_batch_t   batch;


static void
reset(void)
{
    b24_pace_init(&pace, 0, 0);
    b24_batch_init(&batch, pool, 0);
}


static void
command(const char *name, const char *method)
{
    (void) b24_batch_add(&batch, name, method);
}


static b24_answer_t
parsed(b24_net_e net, unsigned http, const char *body)
{
    b24_str_t     s = str(body);
    b24_answer_t  answer;

    (void) b24_answer_parse(pool, net, http, &s, &answer);

    return answer;
}


static void
learn(const char *body, int64_t now)
{
    b24_answer_t  answer = parsed(B24_NET_OK, 200, body);

    b24_pace_learn(&pace, &batch, &answer, now);
}


/* a batch of one command "x" that was sent and told of */

static void
one(const char *method, double duration, double operating, int64_t reset_at, int64_t now)
{
    char  body[400];

    b24_batch_init(&batch, pool, 0);
    command("x", method);
    b24_pace_sent(&pace, &batch, now);
    (void) snprintf(body, sizeof(body), "{\"result\":{\"result\":{\"x\":1},\"result_error\":[],\"result_time\":{\"x\":{\"duration\":%.6f,\"operating\":%.6f,\"operating_reset_at\":%lld}}},\"time\":{\"duration\":%.6f,\"finish\":%lld.5}}",
        duration, operating, (long long) reset_at, duration, (long long) (now / 1000));
    learn(body, now);
}


static void
room(const char *method, int64_t now, int64_t want, const char *name)
{
    is_int(b24_pace_room(&pace, method, LIMIT, now), want, name);
}


static void
test_cost(void)
{
    int  i;

    reset();
    is_int(b24_pace_cost(&pace, "crm.contact.add"), 1510, "what a sample took");
    is_int(b24_pace_cost(&pace, "crm.item.add"), 500, "no sample");

    one("crm.contact.add", 1.11, 0, 0, T0);
    is_int(b24_pace_cost(&pace, "crm.contact.add"), 1410, "a measurement counts for a quarter");

    for (i = 0; i < 40; i++) { one("crm.contact.add", 0.02, 0, 0, T0); }

    ok(b24_pace_cost(&pace, "crm.contact.add") <= 21, "many for all");
    is_int(b24_pace_cost(&pace, "crm.deal.add"), 950, "others stay");

    /* of what failed nothing is learned */

    reset();
    command("x", "crm.deal.add");
    learn("{\"result\":{\"result\":[],\"result_error\":{\"x\":{\"error\":\"\"}},\"result_time\":{\"x\":{\"duration\":0.001}}},\"time\":{}}", T0);
    is_int(b24_pace_cost(&pace, "crm.deal.add"), 950, "a failure is no measure");
}


static void
test_room(void)
{
    reset();
    room("crm.deal.add", T0, LIMIT, "of what nobody has told all is left");
    b24_pace_spend(&pace, "crm.deal.add", 400000, T0);
    room("crm.deal.add", T0, LIMIT, "whatever was spent");

    reset();
    one("crm.deal.add", 1.0, 100.0, T0 / 1000 + 120, T0);
    room("crm.deal.add", T0, LIMIT - 100000, "what is told is gone");
    room("batch", T0, LIMIT, "of the batch nothing was told");
    b24_pace_spend(&pace, "crm.deal.add", 5000, T0 + 1000);
    room("crm.deal.add", T0 + 1000, LIMIT - 105000, "and what was spent since");
    b24_pace_spend(&pace, "crm.deal.add", -2000, T0 + 2000);
    room("crm.deal.add", T0 + 2000, LIMIT - 103000, "less what was taken back");
    room("crm.deal.add", T0 + 120500, LIMIT - 103000 + 100000 / 11, "when a bucket of somebody's leaves, a small part of the sum");
    room("crm.deal.add", T0 + 10 * MINUTE - 1, LIMIT - 103000 + 100000 / 11, "no more before the window is over");
    room("crm.deal.add", T0 + 10 * MINUTE, LIMIT - 4000, "then what was told has left");
    room("crm.deal.add", T0 + 11 * MINUTE, LIMIT, "and our own with its minute");
    is_int(b24_pace_room(&pace, "crm.deal.add", 0, T0), INT64_MAX, "no limit");

    /* our own leaves bucket by bucket */

    reset();
    one("m", 10.0, 10.0, 0, T0);
    one("m", 20.0, 30.0, 0, T0 + 3 * MINUTE);
    one("m", 5.0, 35.0, 0, T0 + 6 * MINUTE);
    room("m", T0 + 6 * MINUTE, LIMIT - 35000, "three buckets");
    room("m", T0 + 11 * MINUTE - 1, LIMIT - 35000, "until a minute of the window has gone for certain");
    room("m", T0 + 11 * MINUTE, LIMIT - 25000, "the first has left");
    room("m", T0 + 14 * MINUTE, LIMIT - 5000, "the second");
    room("m", T0 + 17 * MINUTE, LIMIT, "the third");

    /* the portal counts half of it, as it does with "batch" */

    reset();
    one("m", 10.0, 5.0, 0, T0);
    one("m", 10.0, 10.0, 0, T0 + MINUTE);
    room("m", T0 + MINUTE, LIMIT - 10000, "half of it is told");
    room("m", T0 + 11 * MINUTE - 1, LIMIT - 10000, "nothing has left");
    ok(b24_pace_room(&pace, "m", LIMIT, T0 + 11 * MINUTE) <= LIMIT - 4000, "what leaves is no more than was counted");
}


static void
test_batch_and_methods(void)
{
    reset();
    command("a", "crm.deal.add");
    command("b", "crm.deal.add");
    command("c", "crm.contact.add");
    b24_pace_sent(&pace, &batch, T0);
    learn("{\"result\":{\"result\":{\"a\":1,\"b\":2},\"result_error\":{\"c\":{\"error\":\"\"}},"
          "\"result_time\":{\"a\":{\"duration\":1,\"operating\":50},\"b\":{\"duration\":2,\"operating\":52}}},"
          "\"time\":{\"duration\":3.1,\"operating\":200.5}}", T0 + 3000);
    room("crm.deal.add", T0 + 3000, LIMIT - 52000, "the last of a method counts, and nothing twice");
    room("batch", T0 + 3000, LIMIT - 200500, "batch is told of apart");
    room("crm.contact.add", T0 + 3000, LIMIT, "others are free");

    /* a second batch is on its way while the first is told of */

    reset();
    one("m", 1.0, 10.0, 0, T0);
    {
        b24_answer_t  answer;
        b24_batch_t   first, second;

        b24_batch_init(&first, pool, 0);
        (void) b24_batch_add(&first, "x", "m");
        b24_batch_init(&second, pool, 0);
        (void) b24_batch_add(&second, "x", "m");
        b24_pace_sent(&pace, &first, T0 + 1000);
        b24_pace_sent(&pace, &second, T0 + 2000);
        answer = parsed(B24_NET_OK, 200, "{\"result\":{\"result\":{\"x\":1},\"result_time\":{\"x\":{\"duration\":1,\"operating\":11}}}}");
        b24_pace_learn(&pace, &first, &answer, T0 + 3000);
        room("m", T0 + 3000, LIMIT - 11000 - second.spent, "what is on its way is not forgotten");

        /* its answer is lost: it was spent, until a later sum has it */

        answer = parsed(B24_NET_UNKNOWN, 0, "");
        b24_pace_learn(&pace, &second, &answer, T0 + 70000);
        ok(b24_pace_room(&pace, "m", LIMIT, T0 + 70000) < LIMIT - 11000, "a lost answer may have cost it");
        one("m", 1.0, 13.0, 0, T0 + 3 * MINUTE);
        room("m", T0 + 3 * MINUTE, LIMIT - 13000, "until a later sum has it");

        /* refused as a whole: nothing was spent */

        b24_pace_sent(&pace, &second, T0 + 4 * MINUTE);
        answer = parsed(B24_NET_OK, 503, "{\"error\":\"QUERY_LIMIT_EXCEEDED\"}");
        b24_pace_learn(&pace, &second, &answer, T0 + 4 * MINUTE);
        room("m", T0 + 4 * MINUTE, LIMIT - 13000, "a refused request costs nothing");
        b24_pace_learn(&pace, &second, &answer, T0 + 4 * MINUTE);
        room("m", T0 + 4 * MINUTE, LIMIT - 13000, "nor is it taken back twice");

        answer = parsed(B24_NET_OK, 200, "{\"result\":true,\"time\":{\"duration\":2,\"operating\":70,\"finish\":1}}");
        b24_pace_learn_call(&pace, "direct", &answer, T0 + 4 * MINUTE);
        room("direct", T0 + 4 * MINUTE, LIMIT - 70000, "a call by itself");
    }
}


/* the portal has told at a time of its own, in seconds */

static void
late(double operating, double finish, int64_t now)
{
    char  body[400];

    b24_batch_init(&batch, pool, 0);
    command("x", "m");
    b24_pace_sent(&pace, &batch, now);
    (void) snprintf(body, sizeof(body), "{\"result\":{\"result\":{\"x\":1},\"result_error\":[],\"result_time\":{\"x\":{\"duration\":1,\"finish\":%.3f,\"operating\":%.3f}}},\"time\":{}}", finish, operating);
    learn(body, now);
}


static void
test_late(void)
{
    reset();
    late(40.0, 1009.5, T0);
    room("m", T0, LIMIT - 40000, "what is told counts");
    late(38.0, 1007.5, T0);
    room("m", T0, LIMIT - 40000, "not what was told before that, and came later");
    late(42.0, 1011.0, T0);
    room("m", T0, LIMIT - 42000, "what is newer does");
    late(5.0, 11.0, T0);
    room("m", T0, LIMIT - 5000, "the portal's clock was set back");
}


/* what is taken off when the oldest minute leaves is what ran in it, not what was
 * sent then */

static void
test_minutes(void)
{
    char         body[400];
    b24_batch_t  other, *b = &other;

    reset();
    one("m", 10.0, 10.0, T0 / 1000 + 601, T0);

    b24_batch_init(&batch, pool, 0);
    command("x", "m");
    command("y", "m");
    b24_pace_sent(&pace, &batch, T0 + 50000);

    b24_batch_init(b, pool, 0);
    (void) b24_batch_add(b, "z", "m");
    b24_pace_sent(&pace, b, T0 + 65000);

    (void) snprintf(body, sizeof(body), "{\"result\":{\"result\":{\"x\":1,\"y\":1},\"result_error\":[],\"result_time\":{\"x\":{\"duration\":7,\"finish\":%lld,\"operating\":17,\"operating_reset_at\":%lld},\"y\":{\"duration\":13,\"finish\":%lld,\"operating\":30,\"operating_reset_at\":%lld}}},\"time\":{\"finish\":%lld}}",
        T0 / 1000 + 57, T0 / 1000 + 601, T0 / 1000 + 70, T0 / 1000 + 601, T0 / 1000 + 70);
    learn(body, T0 + 70000);
    ok(b24_pace_room(&pace, "m", LIMIT, T0 + 71000) < LIMIT - 30000, "what is on its way counts");
    is_int(b24_pace_room(&pace, "m", LIMIT, T0 + 602000), LIMIT - 13000 - 2875, "the first minute's has left");
}


/* where half is counted, each minute keeps what was counted in it */

static void
test_half(void)
{
    int  i;

    reset();
    one("m", 10.0, 5.0, T0 / 1000 + 601, T0);

    for (i = 1; i <= 200; i++) { one("m", 1.0, 5.0 + i * 0.5, T0 / 1000 + 601, T0 + MINUTE); }

    room("m", T0 + 600000, LIMIT - 105000, "all of it");
    room("m", T0 + 602000, LIMIT - 100000, "the first minute has left");
    is_int(b24_pace_wait(&pace, "m", LIMIT, LIMIT - 50000, T0 + 602000), 58500, "the next leaves a minute later");
    room("m", T0 + 661000, LIMIT, "and has left then");
    ok(b24_pace_counted(&pace, "m", 1000) > 490 && b24_pace_counted(&pace, "m", 1000) < 520, "half is expected of the next");

    one("m", 1.0, 106.0, T0 / 1000 + 601, T0 + MINUTE);
    is_int(b24_pace_counted(&pace, "m", 1000), 1000, "all of it once that is told");
    is_int(b24_pace_counted(&pace, "n", 1000), 1000, "or nothing is known");
}


static void
test_blocked(void)
{
    b24_answer_t  answer;

    reset();
    command("x", "crm.deal.add");
    command("y", "crm.contact.add");

    /* the portal's clock is an hour ahead */

    learn("{\"result\":{\"result\":{\"y\":1},\"result_error\":{\"x\":{\"error\":\"OPERATION_TIME_LIMIT\"}},"
          "\"result_time\":{\"x\":{\"operating_reset_at\":1800003690}}},\"time\":{\"finish\":1800003600.25}}", T0 + 250);
    room("crm.deal.add", T0 + 1000, 0, "a blocked method has nothing left");
    is_int(b24_pace_wait(&pace, "crm.deal.add", LIMIT, 1, T0 + 1000), 89000, "until the portal's time by our clock");
    room("crm.contact.add", T0 + 1000, LIMIT, "others go on");
    room("crm.deal.add", T0 + 90000, LIMIT, "then it is free");

    reset();
    command("x", "crm.deal.add");
    learn("{\"result\":{\"result\":[],\"result_error\":{\"x\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}", T0);
    is_int(b24_pace_wait(&pace, "crm.deal.add", LIMIT, 1, T0), 300000, "five minutes where it is not told");
    learn("{\"result\":{\"result\":{\"x\":1}}}", T0 + 10);
    is_int(b24_pace_wait(&pace, "crm.deal.add", LIMIT, 1, T0 + 10), 0, "what is done is not blocked");

    reset();
    command("x", "crm.deal.add");
    answer = parsed(B24_NET_OK, 429, "{\"error\":\"OPERATION_TIME_LIMIT\",\"time\":{\"finish\":1800000000,\"operating\":480,\"operating_reset_at\":1800000030}}");
    b24_pace_learn(&pace, &batch, &answer, T0);
    is_int(b24_pace_wait(&pace, "batch", LIMIT, 1, T0), 30000, "the request as a whole");
    is_int(b24_pace_wait_batch(&pace, &batch, LIMIT, T0), 30000, "stops every batch");
    is_int(b24_pace_wait(&pace, "crm.deal.add", LIMIT, 1, T0), 0, "but no method");
    is_int(b24_pace_wait_batch(&pace, &batch, LIMIT, T0 + 30000), 0, "until then");
    is_int(b24_pace_wait(&pace, "batch", 0, 1, T0), 30000, "also where there is no limit of ours");
}


static void
test_wait(void)
{
    reset();
    is_int(b24_pace_wait(&pace, "m", LIMIT, 1000, T0), 0, "nobody has told");
    one("m", 1.0, 479.0, T0 / 1000 + 50, T0);
    is_int(b24_pace_wait(&pace, "m", LIMIT, 1000, T0), 0, "there is room");
    is_int(b24_pace_wait(&pace, "m", LIMIT, 1001, T0), 49500, "none: until the portal's own time");
    is_int(b24_pace_wait(&pace, "m", 0, 1001, T0), 0, "no limit");

    reset();
    one("m", 20.0, 20.0, 0, T0);
    one("m", 30.0, 50.0, 0, T0 + 2 * MINUTE);
    is_int(b24_pace_wait(&pace, "m", 60000, 10000, T0 + 2 * MINUTE), 0, "there is room");
    is_int(b24_pace_wait(&pace, "m", 60000, 30000, T0 + 2 * MINUTE), 9 * MINUTE, "until enough of our own has left");
    is_int(b24_pace_wait(&pace, "m", 60000, 30001, T0 + 2 * MINUTE), 11 * MINUTE, "all of it");
    is_int(b24_pace_wait(&pace, "m", 60000, 999999, T0 + 13 * MINUTE), 0, "more than the limit is the limit");

    /* it is true: after the wait there is room */

    reset();
    one("m", 40.0, 400.0, 0, T0 + 100);
    {
        int      n;
        int64_t  now = T0 + 200, wait;

        for (n = 0; n < 40; n++) {
            wait = b24_pace_wait(&pace, "m", LIMIT, 200000, now);
            if (wait == 0) { break; }
            now += wait;
        }

        ok(n < 3 && b24_pace_room(&pace, "m", LIMIT, now) >= 200000, "waiting leads to room");
        ok(now - T0 <= 11 * MINUTE, "within a window and a minute");
    }
}


static b24_batch_t *
order(int n, const char *method)
{
    int           i;
    char         *name;
    b24_batch_t  *b = b24_pcalloc(pool, sizeof(b24_batch_t));

    b24_batch_init(b, pool, 0);

    for (i = 0; i < n; i++) {
        name = b24_pnalloc(pool, 8);
        (void) sprintf(name, "c%d", i);
        (void) b24_batch_add(b, name, method);
    }

    return b;
}


static void
test_fits(void)
{
    int           i;
    b24_str_t     v;
    b24_batch_t  *b;
    b24_slice_t   slice;

    reset();
    b24_slice_init(&slice, pool);

    for (i = 0; i < 100; i++) {
        b = order(2, "crm.contact.add");
        if (!b24_pace_fits(&pace, &slice, b, LIMIT, B24_PACE_CAP, T0)) { break; }
        if (b24_slice_add(&slice, b, (unsigned) i) != B24_OK) { break; }
    }

    is_int(i, 13, "13 times 3.02 seconds are below 40");

    b24_slice_init(&slice, pool);
    is_int(b24_pace_fits(&pace, &slice, order(40, "crm.contact.add"), LIMIT, B24_PACE_CAP, T0), 1, "an order that is longer goes alone");

    /* the room of a method, and of the batch */

    reset();
    one("crm.deal.add", 0.95, 380.0, 0, T0);
    b24_slice_init(&slice, pool);
    b = order(40, "crm.deal.add");
    is_int(b24_pace_fits(&pace, &slice, b, LIMIT, 100000, T0), 1, "38 seconds of a hundred");
    (void) b24_slice_add(&slice, order(1, "crm.contact.add"), 1);
    is_int(b24_pace_fits(&pace, &slice, b, LIMIT, 100000, T0), 1, "the same beside another");
    one("crm.deal.add", 0.95, 384.0, 0, T0);
    is_int(b24_pace_fits(&pace, &slice, order(50, "crm.deal.add"), LIMIT, 100000, T0), 1, "47.5 of 96 are not half");
    one("crm.deal.add", 0.95, 400.0, 0, T0);
    is_int(b24_pace_fits(&pace, &slice, order(42, "crm.deal.add"), LIMIT, 100000, T0), 1, "39.9 of 80 are half");
    is_int(b24_pace_fits(&pace, &slice, order(43, "crm.deal.add"), LIMIT, 100000, T0), 0, "40.85 are more");
    one("crm.deal.add", 0.95, 480.0, 0, T0);
    is_int(b24_pace_fits(&pace, &slice, order(1, "crm.deal.add"), LIMIT, 100000, T0), 0, "nothing is left");
    is_int(b24_pace_fits(&pace, &slice, order(1, "crm.contact.add"), LIMIT, 100000, T0), 1, "but of others");
    b24_slice_init(&slice, pool);
    is_int(b24_pace_fits(&pace, &slice, order(1, "crm.deal.add"), LIMIT, 100000, T0), 0, "nor for the first");
    ok(b24_pace_wait_batch(&pace, order(1, "crm.deal.add"), LIMIT, T0) > 0, "which has to wait");

    reset();
    learn("{\"result\":{\"result\":[]},\"time\":{\"operating\":479.5}}", T0);
    b24_slice_init(&slice, pool);
    is_int(b24_pace_fits(&pace, &slice, order(1, "crm.deal.add"), LIMIT, 100000, T0), 0, "a portal that counts batches");

    /* commands that go with others cost nothing of their own */

    reset();
    b24_slice_init(&slice, pool);

    for (i = 0; i < 26; i++) {
        b = order(1, "crm.deal.list");
        v = str(i % 2 ? "1" : "2");
        b24_command_value(b, b->first, "ORIGIN_ID", NULL, &v);
        if (!b24_pace_fits(&pace, &slice, b, LIMIT, 1000, T0)) { break; }
        if (b24_slice_add(&slice, b, (unsigned) i) != B24_OK) { break; }
    }

    is_int(i, 26, "many values, one list");

    /* a record that becomes a list, whose method is blocked */

    reset();
    command("x", "crm.deal.list");
    learn("{\"result\":{\"result\":[],\"result_error\":{\"x\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}", T0);
    b24_slice_init(&slice, pool);
    b = order(1, "crm.deal.get");
    b24_command_record(b, b->first, 1, "crm.deal.list", "ID", NULL);
    is_int(b24_pace_fits(&pace, &slice, b, LIMIT, 10000, T0), 1, "alone it is got");
    (void) b24_slice_add(&slice, b, 1);
    b = order(1, "crm.deal.get");
    b24_command_record(b, b->first, 2, "crm.deal.list", "ID", NULL);
    is_int(b24_pace_fits(&pace, &slice, b, LIMIT, 10000, T0), 0, "two would be a list");
}


static void
test_hostile(void)
{
    int                 i, bad = 0;
    size_t              n;
    char                body[600], name[40];
    b24_str_t           s;
    static const char  *values[] = {
        "-1", "-0.5", "1e300", "1e18", "99999999999999999999", "\"x\"", "\"\"", "\"12\"", "null", "true", "false", "[]", "{}", "[1]", "{\"a\":1}",
        "0", "0.0000001", "9223372036854775807", "1800000000", "-9223372036854775808", "\"1e5\"", NULL
    };
    int64_t             now = T0;

    for (i = 0; values[i]; i++) {
        reset();
        command("x", "m");

        for (n = 0; n < 3; n++) {
            b24_pace_sent(&pace, &batch, now);
            (void) snprintf(body, sizeof(body), "{\"result\":{\"result\":{\"x\":1},\"result_error\":{%s},\"result_time\":{\"x\":{\"duration\":%s,\"operating\":%s,\"operating_reset_at\":%s}}},\"time\":{\"duration\":%s,\"operating\":%s,\"finish\":%s,\"operating_reset_at\":%s}}",
                n == 2 ? "\"x\":{\"error\":\"OPERATION_TIME_LIMIT\"}" : "", values[i], values[i], values[i], values[i], values[i], values[i], values[i]);
            learn(body, now);
            now += 777;

            bad += b24_pace_room(&pace, "m", LIMIT, now) < 0 || b24_pace_room(&pace, "m", LIMIT, now) > LIMIT;
            bad += b24_pace_cost(&pace, "m") < 0 || b24_pace_cost(&pace, "m") > 60000;
            bad += b24_pace_wait(&pace, "m", LIMIT, 100, now) < 0 || b24_pace_wait(&pace, "m", LIMIT, 100, now) > 12 * MINUTE;
            bad += b24_pace_wait(&pace, "batch", LIMIT, LIMIT, now) > 12 * MINUTE;
        }

        bad += b24_pace_print(&pace, pool, now, &s) != B24_OK;
        bad += b24_pace_room(&pace, "m", LIMIT, now + 25 * MINUTE) != LIMIT;
    }

    is_int(bad, 0, "whatever is told, room and waits stay in their bounds, and it passes");

    reset();
    command("x", "m");
    learn("{\"result\":true}", T0);
    learn("{\"result\":{\"result\":[],\"result_time\":[]}}", T0);
    learn("{\"result\":{\"result\":{\"x\":1},\"result_time\":{\"x\":5}},\"time\":[]}", T0);
    learn("[]", T0);
    room("m", T0, LIMIT, "maps that are none");

    b24_pace_spend(&pace, "m", INT64_MAX, T0);
    b24_pace_spend(&pace, "m", INT64_MIN, T0);
    b24_pace_spend(&pace, "m", INT64_MIN, T0);
    room("m", T0, LIMIT, "spending without bounds");

    b24_pace_spend(&pace, "a.name.that.is.much.longer.than.any.method.of.a.portal", 1, T0);
    is_int(b24_pace_cost(&pace, "a.name.that.is.much.longer.than.any.method.of.a.portal"), 500, "a name too long");

    /* more methods than there are places: the blocked stay */

    reset();
    command("x", "blocked");
    learn("{\"result\":{\"result\":[],\"result_error\":{\"x\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}", T0);

    for (i = 0; i < 100; i++) {
        (void) snprintf(name, sizeof(name), "m%d", i);
        b24_pace_spend(&pace, name, 1, T0 + i);
    }

    room("blocked", T0 + 100, 0, "a blocked method keeps its place");
}


static void
test_clock(void)
{
    /* back */

    reset();
    one("m", 10.0, 100.0, 0, T0 + 600 * MINUTE);
    room("m", T0, LIMIT - 100000, "a clock that was set back");
    b24_pace_spend(&pace, "m", 5000, T0 + MINUTE);
    room("m", T0 + MINUTE, LIMIT - 105000, "goes on");
    room("m", T0 + 12 * MINUTE, LIMIT, "and what was told passes");

    reset();
    command("x", "m");
    learn("{\"result\":{\"result\":[],\"result_error\":{\"x\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}", T0 + 6000 * MINUTE);
    ok(b24_pace_wait(&pace, "m", LIMIT, 1, T0) <= 10 * MINUTE, "nobody is blocked for days");

    /* a little, over the edge of a minute and back */

    reset();
    one("m", 10.0, 10.0, 0, T0 + 5);
    (void) b24_pace_spend(&pace, "m", 1000, T0 - 5);
    (void) b24_pace_spend(&pace, "m", 1000, T0 + 5);
    room("m", T0 + 10, LIMIT - 12000, "is nothing");
    room("m", T0 + 10 * MINUTE - 100, LIMIT - 12000, "not even later");

    /* ahead: all has left, the next answer tells */

    reset();
    one("m", 10.0, 100.0, 0, T0);
    room("m", T0 + 6000 * MINUTE, LIMIT, "a clock that was set ahead");
}


static void
test_scaled(void)
{
    b24_pace_init(&pace, 10000, 5);
    b24_batch_init(&batch, pool, 0);
    one("m", 1.0, 3.0, 0, T0);
    is_int(b24_pace_room(&pace, "m", 8000, T0), 5000, "a window of ten seconds");
    is_int(b24_pace_room(&pace, "m", 8000, T0 + 9999), 5000, "until it is over");
    is_int(b24_pace_room(&pace, "m", 8000, T0 + 10000), 7000, "what was told has left");
    is_int(b24_pace_room(&pace, "m", 8000, T0 + 12000), 8000, "our own with its bucket");
    b24_pace_init(&pace, 3, 99);
    one("m", 1.0, 3.0, 0, T0);
    ok(b24_pace_room(&pace, "m", 8000, T0 + 100) == 8000, "a window without sense");
}


static void
test_text(void)
{
    int                 i, bad = 0;
    size_t              n;
    b24_str_t           text, again, cut;
    b24_pace_t          other;
    static const char  *broken[] = { "", "{}", "[]", "null", "{\"methods\":1}", "x", "{\"methods\":", NULL };
    static const char  *odd[] = {
        "{\"window\":600000,\"buckets\":10,\"methods\":{\"m\":{\"cost\":1e9,\"told\":-5,\"told_at\":1e18,\"since\":-1,\"left\":1e18,\"reset_at\":1e18,\"blocked\":1e18,\"used\":1e18,\"slot\":1e18,\"spent\":[1e18,-1,\"x\",null,[],{},1,1,1,1,1,1,1,1,1]}}}",
        "{\"window\":600000,\"buckets\":10,\"methods\":{\"m\":{\"cost\":1000,\"told\":0,\"told_at\":0,\"since\":60000000,\"left\":0,\"blocked\":1800001100000,\"slot\":0,\"spent\":[60000000,60000000,60000000]}}}",
        "{\"window\":600000,\"buckets\":10,\"methods\":{\"M!\":{\"cost\":1},\"\":{\"cost\":1},\"a\":5,\"b\":{\"cost\":\"x\"},\"m\":{\"cost\":\"7\",\"spent\":7}}}",
        NULL };

    reset();
    one("crm.deal.add", 2.0, 100.0, T0 / 1000 + 200, T0);
    one("crm.deal.add", 2.0, 102.0, T0 / 1000 + 200, T0 + 2 * MINUTE);
    b24_pace_spend(&pace, "crm.deal.add", 7000, T0 + 2 * MINUTE);
    command("y", "blocked");
    learn("{\"result\":{\"result\":{\"x\":1},\"result_error\":{\"y\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}", T0 + 2 * MINUTE);

    is_int(b24_pace_print(&pace, pool, T0 + 2 * MINUTE, &text), B24_OK, "prints");
    b24_pace_init(&other, 0, 0);
    is_int(b24_pace_parse(&other, pool, T0 + 2 * MINUTE, &text), B24_OK, "and reads");
    (void) b24_pace_print(&other, pool, T0 + 2 * MINUTE, &again);
    ok(b24_str_eq(&text, &again), "the same");

    for (i = 0; i < 15 * 60; i++) {
        bad += b24_pace_room(&pace, "crm.deal.add", LIMIT, T0 + (120 + i) * 1000) != b24_pace_room(&other, "crm.deal.add", LIMIT, T0 + (120 + i) * 1000);
        bad += b24_pace_room(&pace, "blocked", LIMIT, T0 + (120 + i) * 1000) != b24_pace_room(&other, "blocked", LIMIT, T0 + (120 + i) * 1000);
    }

    is_int(bad, 0, "with the same future");

    b24_pace_init(&other, 0, 0);
    is_int(b24_pace_parse(&other, pool, T0 + 60 * MINUTE, &text), B24_OK, "an hour later");
    is_int(b24_pace_room(&other, "crm.deal.add", LIMIT, T0 + 60 * MINUTE), LIMIT, "all is free");
    is_int(b24_pace_cost(&other, "crm.deal.add"), b24_pace_cost(&pace, "crm.deal.add"), "the costs are kept");

    b24_pace_init(&other, 10000, 10);
    is_int(b24_pace_parse(&other, pool, T0 + 2 * MINUTE, &text), B24_OK, "another window");
    is_int(b24_pace_room(&other, "blocked", LIMIT, T0 + 2 * MINUTE), LIMIT, "has costs only");

    for (i = 0; broken[i]; i++) {
        text = str(broken[i]);
        b24_pace_init(&other, 0, 0);
        bad += b24_pace_parse(&other, pool, T0, &text) != B24_DECLINED;
    }

    is_int(bad, 0, "what is none is declined");

    for (i = 0; odd[i]; i++) {
        text = str(odd[i]);
        b24_pace_init(&other, 0, 0);
        bad += b24_pace_parse(&other, pool, T0, &text) != B24_OK;
        bad += b24_pace_room(&other, "m", LIMIT, T0) < 0 || b24_pace_cost(&other, "m") > 600000 || b24_pace_wait(&other, "m", LIMIT, 1, T0) > 12 * MINUTE;
        bad += b24_pace_room(&other, "m", LIMIT, T0 + 30 * MINUTE) != LIMIT;
    }

    is_int(bad, 0, "what makes no sense is left out");

    reset();
    one("m", 1.0, 100.0, 0, T0);
    (void) b24_pace_print(&pace, pool, T0, &text);

    for (n = 0; n < text.len; n++) {
        cut = text;
        cut.len = n;
        b24_pace_init(&other, 0, 0);
        bad += b24_pace_parse(&other, pool, T0, &cut) != B24_DECLINED;
    }

    is_int(bad, 0, "a part of it is declined");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_cost();
    test_room();
    test_batch_and_methods();
    test_late();
    test_minutes();
    test_half();
    test_blocked();
    test_wait();
    test_fits();
    test_hostile();
    test_clock();
    test_scaled();
    test_text();

    b24_pool_destroy(pool);

    return done_testing();
}
