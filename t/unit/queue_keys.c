
/*
 * Keys of the shop's database beside the numbers that people see: the same
 * number may be two orders', and one order may have two numbers.
 */


#include "tap.h"
#include "queue.h"


static b24_pool_t  *pool;
static const char  *print = "0123456789abcdef";     /* of what is put */


static b24_queue_put_result_t
put(b24_queue_t *q, const char *id, const char *row, b24_state_e state,
    int64_t now)
{
    b24_queue_put_t         p;
    b24_queue_put_result_t  result;

    queue_put_init(&p, "shop", id, print, now);

    p.row = str(row);
    p.rule = str("s/o");
    p.state = state;

    if (queue_put1(q, &p, &result) != B24_QUEUE_OK) {
        printf("Bail out! put: %s\n", b24_queue_message(q));
    }

    return result;
}


static void
match(b24_queue_match_t *m, const char *id, const char *row)
{
    memset(m, 0, sizeof(b24_queue_match_t));

    m->order_id = str(id);
    m->row = str(row);
    m->data = str("{\"v\":1,\"read\":true}");
    m->fingerprint = str("0123456789abcdef");
}


/* claims the next one; the database says that it is this one */

static b24_state_e
is_found(b24_queue_t *q, const char *id, const char *row, int64_t now)
{
    int64_t            next;
    b24_state_e        state;
    b24_queue_job_t    job;
    b24_queue_read_t   read;
    b24_queue_match_t  m;

    match(&m, id, row);
    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;
    read.matches = &m;
    read.nmatches = 1;

    return queue_claim(q, pool, "shop", "me", now, &job, &next) == B24_QUEUE_OK
           && b24_queue_read(q, "me", &job, &read, now, &state) == B24_QUEUE_OK
           ? state : B24_NSTATES;
}


static void
deliver(b24_queue_t *q, int64_t deal, int64_t now)
{
    int64_t              next;
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.deal_id = deal;

    if (queue_claim(q, pool, "shop", "me", now, &job, &next) != B24_QUEUE_OK
        || b24_queue_outcome(q, "me", &job, &out, now) != B24_QUEUE_OK)
    {
        printf("Bail out! deliver: %s\n", b24_queue_message(q));
    }
}


static int
is_known(b24_queue_t *q, const char *id, const char *row)
{
    int        known;
    b24_str_t  origin, order, key;

    origin = str("shop");
    order = str(id);
    key = str(row);

    return b24_queue_known(q, &origin, &order, &key, &known) == B24_QUEUE_OK
           ? known : -1;
}


static size_t
records_of(b24_queue_t *q, const char *id, b24_queue_record_t **records)
{
    size_t     n;
    b24_str_t  origin, order;

    origin = str("shop");
    order = str(id);

    return b24_queue_get(q, pool, NULL, &origin, &order, records, &n)
           == B24_QUEUE_OK ? n : 0;
}


static int64_t
counted(b24_queue_t *q, b24_state_e state)
{
    size_t               n;
    int64_t              change;
    b24_queue_counts_t  *counts;

    if (b24_queue_counts(q, pool, &counts, &n, &change) != B24_QUEUE_OK
        || n == 0)
    {
        return -1;
    }

    return counts[0].counts[state];
}


/* 5121 went out by its key; the plugin's numbers come there later */

static void
test_numbers(b24_queue_t *q)
{
    b24_str_t                origin_id;
    b24_queue_record_t      *records;
    b24_queue_put_result_t   result;

    put(q, "5121", "5121", B24_STATE_ACCEPTED, 1000);
    is_int(is_found(q, "5121", "5121", 1000), B24_STATE_ACCEPTED, "read");
    deliver(q, 77, 1001);

    result = put(q, "5120", "5120", B24_STATE_ACCEPTED, 2000);
    is_int(result.state, B24_STATE_ACCEPTED, "another one");
    is_int(is_found(q, "5121", "5120", 2000), B24_STATE_PARKED,
           "whose number is the first one's");
    is_int(counted(q, B24_STATE_DUPLICATE), 0, "no duplicate");
    is_int((long long) records_of(q, "5121", &records), 2, "both are kept");
    is_str(&records[1].cause, "order number seen before with other content",
           "a person is told");
    is_str(&records[1].advice, "if it is a new order, send it: its number gets"
           " a suffix; else drop it", "what to do");

    is_int(b24_queue_send(q, pool, result.key, NULL, "sent", 3000, &origin_id),
           B24_QUEUE_OK, "it can be sent");
    is_str(&origin_id, "5121-2", "as another number");
}


/* as captured: the shop answers with the key, before anything is read */

static void
test_captured(b24_queue_t *q)
{
    b24_queue_record_t      *records;
    b24_queue_put_result_t   result;

    put(q, "900", "850", B24_STATE_ACCEPTED, 10000);

    result = put(q, "900", "850", B24_STATE_ACCEPTED, 11000);
    is_int(result.state, B24_STATE_DUPLICATE, "the same key: again");

    result = put(q, "900", "", B24_STATE_ACCEPTED, 11000);
    is_int(result.state, B24_STATE_DUPLICATE, "no key: the number decides");

    result = put(q, "900", "900", B24_STATE_ACCEPTED, 12000);
    is_int(result.state, B24_STATE_PARKED, "another key, within a day");
    is_int((long long) records_of(q, "900", &records), 2, "both are kept");

    result = put(q, "900", "900", B24_STATE_ACCEPTED, 13000);
    is_int(result.state, B24_STATE_DUPLICATE, "and that one again");

    /* whose answer was not seen */

    put(q, "950", "930", B24_STATE_UNCONFIRMED, 14000);
    result = put(q, "950", "950", B24_STATE_ACCEPTED, 15000);
    is_int(result.state, B24_STATE_PARKED, "another key than an unconfirmed");
    result = put(q, "950", "930", B24_STATE_ACCEPTED, 16000);
    is_int(result.state, B24_STATE_ACCEPTED, "the unconfirmed itself");
}


/* a number that is a key, and a number that is one */

static void
test_keyed(b24_queue_t *q)
{
    b24_queue_put_result_t  result;

    put(q, "700", "700", B24_STATE_ACCEPTED, 30000);

    result = put(q, "700", "", B24_STATE_ACCEPTED, 31000);
    is_int(result.state, B24_STATE_DUPLICATE, "the same content");

    print = "fedcba9876543210";
    result = put(q, "700", "", B24_STATE_ACCEPTED, 32000);
    is_int(result.state, B24_STATE_PARKED, "another one");
    result = put(q, "701", "", B24_STATE_ACCEPTED, 33000);
    is_int(result.state, B24_STATE_ACCEPTED, "a number");

    print = "0123456789abcdef";
    result = put(q, "701", "701", B24_STATE_ACCEPTED, 34000);
    is_int(result.state, B24_STATE_PARKED, "which is another order's key");

    put(q, "S-702", "702", B24_STATE_ACCEPTED, 35000);
    print = "fedcba9876543210";
    result = put(q, "S-702", "", B24_STATE_ACCEPTED, 36000);
    is_int(result.state, B24_STATE_DUPLICATE, "real numbers: within a day");
    print = "0123456789abcdef";
}


/* what "changes" tells */

static void
test_known(b24_queue_t *q)
{
    is_int(is_known(q, "W-5121", "5121"), 1, "its key, by another number");
    is_int(is_known(q, "5121", "5121"), 1, "number and key");
    is_int(is_known(q, "5121", ""), 1, "the number alone");
    is_int(is_known(q, "5121", "5120"), 1, "the other's");
    is_int(is_known(q, "5121", "7777"), 0, "a third order of that number");
    is_int(is_known(q, "W-1", "7777"), 0, "neither");
}


/* the record goes, its link stays */

static void
test_link(b24_queue_t *q)
{
    b24_queue_put_result_t  result;

    (void) queue_sql(q, "DELETE FROM records");

    is_int(is_known(q, "5121", "5121"), 1, "known by its link");
    is_int(is_known(q, "W-21", "5121"), 1, "also by its key");
    is_int(is_known(q, "5121", "7777"), 0, "another order of that number");

    result = put(q, "5121", "5121", B24_STATE_ACCEPTED, 1500);
    is_int(result.state, B24_STATE_DUPLICATE, "within a day it is the same");
    result = put(q, "5121", "7777", B24_STATE_ACCEPTED, 1500);
    is_int(result.state, B24_STATE_PARKED, "but not with another key");
}


/* an unconfirmed one is found, and its number is another order's */

static void
test_settled(b24_queue_t *q)
{
    b24_queue_put_t          p;
    b24_queue_match_t        m;
    b24_queue_put_result_t   result, before;

    put(q, "S-9", "9", B24_STATE_ACCEPTED, 20000);
    before = put(q, "", "8", B24_STATE_UNCONFIRMED, 21000);

    memset(&p, 0, sizeof(p));
    p.origin = str("shop");
    p.rule = str("s/o");
    p.state = B24_STATE_ACCEPTED;
    p.now = 22000;

    match(&m, "S-9", "8");
    is_int(b24_queue_found(q, pool, before.record, &p, &m, 1, 0, &result),
           B24_QUEUE_OK, "found");
    is_int(result.state, B24_STATE_PARKED, "a person decides");
    is_int(counted(q, B24_STATE_UNCONFIRMED), 0, "unconfirmed no more");
}


int
main(void)
{
    b24_queue_t  *q;

    pool = b24_pool_create(0);
    (void) queue_mkdir();
    q = queue_open(queue_path("queue.db"));

    if (pool == NULL || q == NULL) {
        return 1;
    }

    test_numbers(q);
    test_captured(q);
    test_known(q);
    test_link(q);
    test_settled(q);
    test_keyed(q);

    b24_queue_close(q);
    queue_rmdir(queue_dir);
    b24_pool_destroy(pool);

    return done_testing();
}
