
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
    is_int(count("state = 'captured' AND order_id IS NULL"), 1,
           "one is watched yet");
    is_int(queue_sql(q, "SELECT count(*) FROM events WHERE data LIKE"
                        " '%+79160000001%'"), 3, "with what they carried");
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
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE capture = 21"), 0,
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
    is_int(queue_sql(q, "UPDATE events SET data = 'broken' WHERE record ="
                        " (SELECT id FROM records WHERE capture = 31)"), -1,
           "spoilt");
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


int
main(void)
{
    (void) queue_mkdir();

    q = queue_open(queue_path("queue.db"));

    test_numbers();
    test_twins();
    test_broken();
    test_many();

    b24_queue_close(q);
    queue_rmdir(queue_dir);

    return done_testing();
}
