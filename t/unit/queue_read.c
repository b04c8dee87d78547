
/* What a shop's database tells the queue: t/unit/queue.h makes the queue. */


#include "tap.h"
#include "queue.h"


static b24_pool_t  *pool;
static b24_str_t    none = b24_null_string;


/* a record of that rule, "s/o" of what was captured */

static b24_queue_put_result_t
put_as(b24_queue_t *q, const char *rule, const char *id, b24_state_e state,
    int64_t now)
{
    b24_queue_put_t         p;
    b24_queue_put_result_t  result;

    queue_put_init(&p, "shop", id, "0123456789abcdef", now);

    p.rule = str(rule);
    p.state = state;

    if (queue_put1(q, &p, &result) != B24_QUEUE_OK) {
        printf("Bail out! put: %s\n", b24_queue_message(q));
    }

    return result;
}


static b24_queue_put_result_t
put(b24_queue_t *q, const char *id, b24_state_e state, int64_t now)
{
    return put_as(q, "s/o", id, state, now);
}


/* what was found: orders of these numbers, the likeliest first */

static void
match(b24_queue_match_t m[3], const char *a, const char *b, const char *c,
    size_t *n)
{
    size_t       i;
    const char  *id[3];

    id[0] = a;
    id[1] = b;
    id[2] = c;

    memset(m, 0, 3 * sizeof(b24_queue_match_t));

    for (i = 0; i < 3 && id[i]; i++) {
        m[i].order_id = str(id[i]);
        m[i].data = str(i == 0 ? "{\"v\":1,\"n\":1}"
                        : i == 1 ? "{\"v\":1,\"n\":2}" : "{\"v\":1,\"n\":3}");
        m[i].fingerprint = str("0123456789abcdef");
    }

    *n = i;
}


static b24_queue_rc_e
claim(b24_queue_t *q, b24_queue_job_t *job, int64_t now)
{
    int64_t    next;
    b24_str_t  origin;

    origin = str("shop");

    return b24_queue_claim(q, pool, &origin, 1, "me", 10 * DAY, now, job, &next);
}


static b24_str_t
state_of(b24_queue_t *q, const char *id)
{
    size_t               n;
    b24_str_t            origin, order;
    b24_queue_record_t  *records;

    origin = str("shop");
    order = str(id);

    return b24_queue_get(q, pool, NULL, &origin, &order, &records, &n)
           == B24_QUEUE_OK ? str(b24_state_name(records[0].state)) : str("-");
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


static void
test_read(b24_queue_t *q)
{
    b24_str_t          s;
    b24_state_e        state;
    b24_queue_job_t    job, stale;
    b24_queue_read_t   read;
    b24_queue_match_t  m[3];

    put(q, "57", B24_STATE_ACCEPTED, 1000);
    is_int(claim(q, &job, 1000), B24_QUEUE_OK, "claimed");
    stale = job;

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_WAITING;
    read.next = 5000;
    read.cause = str("not there yet");
    read.data = str("{\"v\":1,\"tries\":1}");
    is_int(b24_queue_read(q, "me", &job, &read, 1001, &state), B24_QUEUE_OK,
           "to be asked again");
    s = state_of(q, "57");
    is_str(&s, "waiting", "it waits");

    is_int(b24_queue_read(q, "me", &stale, &read, 1002, &state),
           B24_QUEUE_STALE, "a claim that is over");
    is_int(claim(q, &job, 4999), B24_QUEUE_NONE, "not before its time");
    is_int(claim(q, &job, 5000), B24_QUEUE_OK, "then");
    is_int(job.attempts, 1, "what sent nothing is no attempt");
    is_str(&job.data, "{\"v\":1,\"tries\":1}", "with what was found out");

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;
    read.matches = m;
    match(m, "A-57", NULL, NULL, &read.nmatches);
    is_int(b24_queue_read(q, "me", &job, &read, 5001, &state), B24_QUEUE_OK,
           "read");
    is_int(state, B24_STATE_ACCEPTED, "accepted");
    s = state_of(q, "57");
    is_str(&s, "-", "the number before is nobody's");
    s = state_of(q, "A-57");
    is_str(&s, "accepted", "it has its real one");

    /* another record's */

    put(q, "58", B24_STATE_ACCEPTED, 6000);
    is_int(claim(q, &job, 6000), B24_QUEUE_OK, "the first in line");
    is_str(&job.order_id, "A-57", "which was read");
    is_int(claim(q, &job, 6000), B24_QUEUE_OK, "the second");
    is_int(b24_queue_read(q, "me", &job, &read, 6001, &state), B24_QUEUE_OK,
           "it is the same order");
    is_int(state, B24_STATE_DUPLICATE, "a duplicate");
    s = state_of(q, "58");
    is_str(&s, "-", "its record is gone");
    is_int(counted(q, B24_STATE_DUPLICATE), 1, "and counted");

    /* an unconfirmed one makes room */

    put(q, "A-60", B24_STATE_UNCONFIRMED, 7000);
    put(q, "60", B24_STATE_ACCEPTED, 7000);
    is_int(claim(q, &job, 7000), B24_QUEUE_OK, "claimed");
    match(m, "A-60", NULL, NULL, &read.nmatches);
    is_int(b24_queue_read(q, "me", &job, &read, 7001, &state), B24_QUEUE_OK,
           "the unconfirmed one's number");
    is_int(state, B24_STATE_ACCEPTED, "goes on");
    s = state_of(q, "A-60");
    is_str(&s, "accepted", "as that order");
    is_int(counted(q, B24_STATE_UNCONFIRMED), 0, "which waits no more");

    /* none at all */

    is_int(claim(q, &job, 8000), B24_QUEUE_OK, "claimed");
    read.state = B24_STATE_REJECTED;
    read.nmatches = 0;
    is_int(b24_queue_read(q, "me", &job, &read, 8001, &state), B24_QUEUE_OK,
           "there is no such order");
    s = state_of(q, "A-60");
    is_str(&s, "-", "gone");
    is_int(counted(q, B24_STATE_REJECTED), 1, "and counted");
}


/* claims the next one, gives back what was found; its state then */

static b24_state_e
found(b24_queue_t *q, int64_t now, b24_queue_match_t m[3], size_t n,
    b24_queue_job_t *job)
{
    b24_state_e       state;
    b24_queue_rc_e    rc;
    b24_queue_read_t  read;

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;
    read.matches = m;
    read.nmatches = n;
    read.loose = 1;

    if (claim(q, job, now) != B24_QUEUE_OK) {
        return B24_NSTATES;
    }

    rc = b24_queue_read(q, "me", job, &read, now, &state);

    if (rc == B24_QUEUE_NONE) {

        /* it waits, as the reader has it wait */

        read.state = B24_STATE_WAITING;
        read.next = now + DAY;
        read.nmatches = 0;

        return b24_queue_read(q, "me", job, &read, now, &state) == B24_QUEUE_OK
               ? B24_STATE_WAITING : B24_NSTATES;
    }

    return rc == B24_QUEUE_OK ? state : B24_NSTATES;
}


/* sends what was read last; the claim after that */

static void
sent(b24_queue_t *q, int64_t now)
{
    b24_queue_job_t  job;

    if (claim(q, &job, now) != B24_QUEUE_OK
        || b24_queue_attempt(q, "me", &job, 1 << B24_STEP_DEAL, "batch", NULL,
                             10 * DAY, now) != B24_QUEUE_OK)
    {
        printf("Bail out! %s\n", b24_queue_message(q));
    }
}


/* claims the next one and gives it back to go out unread */

static void
leave(b24_queue_t *q, int64_t now)
{
    b24_state_e       state;
    b24_queue_job_t   job;
    b24_queue_read_t  read;

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;
    read.data = str("{\"v\":1,\"read\":true}");
    read.unread = 1;

    if (claim(q, &job, now) != B24_QUEUE_OK
        || b24_queue_read(q, "me", &job, &read, now, &state) != B24_QUEUE_OK)
    {
        printf("Bail out! %s\n", b24_queue_message(q));
    }
}


/* the next one has that deal */

static void
deliver(b24_queue_t *q, int64_t deal, int64_t now)
{
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.deal_id = deal;

    if (claim(q, &job, now) != B24_QUEUE_OK
        || b24_queue_outcome(q, "me", &job, &out, now) != B24_QUEUE_OK)
    {
        printf("Bail out! %s\n", b24_queue_message(q));
    }
}


static int
is_known(b24_queue_t *q, const char *id)
{
    int        known;
    b24_str_t  origin, order;

    origin = str("shop");
    order = str(id);

    return b24_queue_known(q, &origin, &order, &none, &known)
           == B24_QUEUE_OK ? known : -1;
}


/* how many placed since then are looked for, and the first of them */

static size_t
unread_since(b24_queue_t *q, int64_t since, int64_t *record)
{
    size_t                  n;
    b24_str_t               origin;
    b24_queue_unsettled_t  *r;

    origin = str("shop");

    if (b24_queue_unread(q, pool, &origin, 0, since, 10, &r, &n)
        != B24_QUEUE_OK)
    {
        return 99;
    }

    *record = n ? r[0].record : 0;

    return n;
}


static size_t
unread(b24_queue_t *q, int64_t *record)
{
    return unread_since(q, 0, record);
}


static b24_queue_t *
fresh(const char *name)
{
    return queue_open(queue_path(name));
}


/* an order that was captured by its key, which is its number so far; the shop's
 * database will be read */

static b24_queue_put_result_t
put_key(b24_queue_t *q, const char *id, const char *key, const char *print,
    int64_t now)
{
    b24_queue_put_t         p;
    b24_queue_put_result_t  result;

    queue_put_init(&p, "shop", id, print, now);

    p.row = str(key);
    p.rule = str("s/o");
    p.reads = 1;

    if (queue_put1(q, &p, &result) != B24_QUEUE_OK) {
        printf("Bail out! put: %s\n", b24_queue_message(q));
    }

    return result;
}


/* gives back what was found for a claimed one: of that number and key */

static b24_state_e
numbered(b24_queue_t *q, b24_queue_job_t *job, const char *id,
    const char *key, int64_t now)
{
    b24_state_e        state;
    b24_queue_read_t   read;
    b24_queue_match_t  m[3];

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;

    if (id) {
        match(m, id, NULL, NULL, &read.nmatches);
        m[0].row = str(key);
        read.matches = m;
    }

    return b24_queue_read(q, "me", job, &read, now, &state) == B24_QUEUE_OK
           ? state : B24_NSTATES;
}


static int64_t
slot(b24_queue_t *q, const char *id, const char *key)
{
    char  sql[160];

    (void) snprintf(sql, sizeof(sql), "SELECT coalesce(max(reuse), -1)"
                    " FROM records WHERE order_id = '%s' AND shop_row = '%s'",
                    id, key);

    return queue_sql(q, sql);
}


/* numbers of a plugin that are keys of other orders */

static void
test_keys(void)
{
    b24_queue_t      *q;
    b24_queue_job_t   job, other;

    /* the number of the first is the key of the second, not read yet */

    q = fresh("keys.db");
    put_key(q, "100", "100", "a", 1000);
    put_key(q, "102", "102", "b", 1001);
    put_key(q, "104", "104", "c", 1002);

    is_int(claim(q, &job, 2000), B24_QUEUE_OK, "the first");
    is_int(numbered(q, &job, "102", "100", 2000), B24_STATE_ACCEPTED,
           "is not parked for the second");
    is_int(slot(q, "102", "100"), 0, "the number is its");
    sent(q, 2000);
    is_int(claim(q, &job, 2001), B24_QUEUE_OK, "the second");
    is_int(job.contested, 1, "is contested");
    is_int(numbered(q, &job, "104", "102", 2001), B24_STATE_ACCEPTED,
           "has another");
    is_int(slot(q, "104", "102"), 0, "of its own");
    is_int(claim(q, &other, 2002), B24_QUEUE_OK, "which is to be sent");
    is_int(other.contested, 0, "nobody contests it");
    is_int(claim(q, &job, 2002), B24_QUEUE_OK, "the third");
    is_int(job.contested, 1, "has lost it");
    is_int(numbered(q, &job, "106", "104", 2003), B24_STATE_ACCEPTED, "too");
    is_int(counted(q, B24_STATE_PARKED), 0, "none is parked");
    is_int(counted(q, B24_STATE_DUPLICATE), 0, "none is a double");
    b24_queue_close(q);

    /* it comes when the number is given */

    q = fresh("keys-late.db");
    put_key(q, "100", "100", "a", 1000);
    is_int(claim(q, &job, 1001), B24_QUEUE_OK, "one");
    is_int(numbered(q, &job, "102", "100", 1001), B24_STATE_ACCEPTED, "read");
    sent(q, 1001);
    is_int(put_key(q, "102", "102", "b", 1002).state, B24_STATE_ACCEPTED,
           "one whose key is its number");
    is_int(put_key(q, "102", "102", "b", 1003).state, B24_STATE_DUPLICATE,
           "submitted again");
    is_int(claim(q, &job, 1004), B24_QUEUE_OK, "to be read");
    is_int(job.contested, 1, "first");
    is_int(numbered(q, &job, "102", "102", 1004), B24_STATE_PARKED,
           "it has no other: a person is asked");
    is_int(slot(q, "102", "100"), 0, "the other one keeps it");

    is_int(put_key(q, "102", "102", "d", 1005).state, B24_STATE_DUPLICATE,
           "which is the same order still");
    b24_queue_close(q);

    /* nobody can tell */

    q = fresh("keys-unread.db");
    put_key(q, "100", "100", "a", 1000);
    is_int(claim(q, &job, 1001), B24_QUEUE_OK, "one");
    is_int(numbered(q, &job, "102", "100", 1001), B24_STATE_ACCEPTED, "read");
    put_key(q, "102", "102", "b", 1002);
    sent(q, 1003);
    is_int(claim(q, &job, 1003), B24_QUEUE_OK, "the other");
    is_int(numbered(q, &job, NULL, NULL, 1004), B24_STATE_PARKED,
           "unread: it can't be sent");
    b24_queue_close(q);

    /* the one is worked on, or was sent by its key */

    q = fresh("keys-busy.db");
    put_key(q, "100", "100", "a", 1000);
    put_key(q, "102", "102", "b", 1001);
    is_int(claim(q, &job, 2000), B24_QUEUE_OK, "the first");
    is_int(claim(q, &other, 2000), B24_QUEUE_OK, "and the second");
    is_int(numbered(q, &job, "102", "100", 2000), B24_STATE_WAITING,
           "it waits for it");
    is_int(slot(q, "100", "100"), 0, "as it was");
    is_int(numbered(q, &other, "104", "102", 2001), B24_STATE_ACCEPTED,
           "which is read");
    sent(q, 2002);
    is_int(claim(q, &job, 3000), B24_QUEUE_OK, "a second later");
    is_str(&job.order_id, "100", "the first");
    is_int(numbered(q, &job, "102", "100", 3000), B24_STATE_ACCEPTED,
           "has its number");
    b24_queue_close(q);

    q = fresh("keys-sent.db");
    put_key(q, "102", "102", "b", 1000);
    leave(q, 1000);
    sent(q, 1001);
    put_key(q, "100", "100", "a", 1002);
    is_int(claim(q, &job, 2000), B24_QUEUE_OK, "one");
    is_int(numbered(q, &job, "102", "100", 2000), B24_STATE_PARKED,
           "whose number is in the CRM for another");
    b24_queue_close(q);

    /* a number that traffic knows, and a key of another form */

    q = fresh("keys-form.db");
    put_key(q, "700", "700", "b", 1000);
    is_int(put_key(q, "700", "", "a", 1001).state, B24_STATE_ACCEPTED,
           "a number is asked for");
    is_int(claim(q, &job, 1002), B24_QUEUE_OK, "the key");
    is_int(numbered(q, &job, "701", "700", 1002), B24_STATE_ACCEPTED,
           "has another");
    sent(q, 1003);
    is_int(claim(q, &job, 1003), B24_QUEUE_OK, "the number");
    is_int(job.contested, 1, "which was contested");
    is_int(numbered(q, &job, "700", "699", 1004), B24_STATE_ACCEPTED,
           "is its own");
    is_int(slot(q, "700", "699"), 0, "alone");
    b24_queue_close(q);
}


/* orders that are found by their buyer: t = 0, 1, 2 of the same */

static void
test_loose(void)
{
    int                i;
    size_t             n;
    b24_str_t          s;
    b24_queue_t       *q;
    b24_queue_job_t    job;
    b24_queue_match_t  m[3];
    char               name[32];

    for (i = 0; i < 2; i++) {
        (void) snprintf(name, sizeof(name), "loose-%d.db", i);
        q = fresh(name);

        put(q, "g-1", B24_STATE_ACCEPTED, 1000);
        put(q, "g-2", B24_STATE_ACCEPTED, 2000);
        put(q, "g-3", B24_STATE_ACCEPTED, 3000);

        /* the second may see them the other way round */

        match(m, "7", "8", NULL, &n);
        is_int(found(q, 4000, m, n, &job), B24_STATE_ACCEPTED, "the first");
        sent(q, 4000);
        s = state_of(q, "7");
        is_str(&s, "sending", "has the likeliest number");

        match(m, i ? "8" : "7", i ? "7" : "8", NULL, &n);
        is_int(found(q, 4000, m, n, &job), B24_STATE_ACCEPTED, "the second");
        s = state_of(q, "8");
        is_str(&s, "accepted", "has the other");
        is_int(claim(q, &job, 4000), B24_QUEUE_OK, "claimed");
        is_str(&job.data, i ? "{\"v\":1,\"n\":1}" : "{\"v\":1,\"n\":2}",
               "with the data of that one");

        is_int(found(q, 4000, m, n, &job), B24_STATE_WAITING,
               "none is left for the third");
        s = state_of(q, "g-3");
        is_str(&s, "waiting", "it waits for its own");
        is_int(counted(q, B24_STATE_DUPLICATE), 0, "nothing is a duplicate");

        match(m, "7", "8", "9", &n);
        is_int(found(q, 4000 + DAY, m, n, &job), B24_STATE_ACCEPTED,
               "once it is there");
        s = state_of(q, "9");
        is_str(&s, "accepted", "it has it");

        b24_queue_close(q);
    }
}


/* submitted again after an error: the first try was not placed */

static void
test_again(void)
{
    size_t                   n;
    b24_queue_t             *q;
    b24_state_e              state;
    b24_queue_put_t          p;
    b24_queue_job_t          job;
    b24_queue_read_t         read;
    b24_queue_match_t        m[3];
    b24_queue_put_result_t   one, result;

    q = fresh("again.db");

    memset(&p, 0, sizeof(p));
    p.origin = str("shop");
    p.rule = str("s/o");
    p.state = B24_STATE_ACCEPTED;
    p.now = 3000;

    one = put(q, "", B24_STATE_UNCONFIRMED, 1000);
    put(q, "g-1", B24_STATE_ACCEPTED, 2000);
    match(m, "7", NULL, NULL, &n);
    is_int(b24_queue_found(q, pool, one.record, &p, m, n, 1, &result),
           B24_QUEUE_OK, "the first try takes the second's order");

    is_int(found(q, 4000, m, n, &job), B24_STATE_WAITING,
           "another one might be on its way");

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;
    read.matches = m;
    read.nmatches = n;
    read.loose = 1;
    read.last = 1;
    sent(q, 4000);
    is_int(claim(q, &job, 4000 + DAY), B24_QUEUE_OK, "once more");
    is_str(&job.order_id, "g-1", "at last");
    is_int(b24_queue_read(q, "me", &job, &read, 4000 + DAY, &state),
           B24_QUEUE_OK, "none came");
    is_int(state, B24_STATE_DUPLICATE, "it is that order");

    put(q, "g-2", B24_STATE_ACCEPTED, 5000 + DAY);
    is_int(claim(q, &job, 5000 + DAY), B24_QUEUE_OK, "a third");
    is_int(b24_queue_read(q, "me", &job, &read, 5000 + DAY, &state),
           B24_QUEUE_NONE, "is not");

    b24_queue_close(q);
}


static void
test_imported(void)
{
    size_t                   n;
    b24_str_t                s;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_match_t        m[3];
    b24_queue_put_result_t   one;

    q = fresh("imported.db");

    /* one that was not sent gives way, the other may have a deal */

    put_as(q, "import", "7", B24_STATE_ACCEPTED, 1000);
    sent(q, 1000);
    put(q, "g-1", B24_STATE_ACCEPTED, 2000);
    put(q, "g-2", B24_STATE_ACCEPTED, 2000);
    put(q, "g-3", B24_STATE_ACCEPTED, 2000);
    one = put_as(q, "import", "8", B24_STATE_ACCEPTED, 3000);

    match(m, "7", "8", NULL, &n);
    is_int(found(q, 4000, m, n, &job), B24_STATE_DUPLICATE,
           "imported and sent: a duplicate of it");
    is_int(counted(q, B24_STATE_DUPLICATE), 1, "counted");
    s = state_of(q, "7");
    is_str(&s, "sending", "which goes on");

    is_int(found(q, 4000, m, n, &job), B24_STATE_ACCEPTED,
           "the next one is not swallowed by the same");
    s = state_of(q, "8");
    is_str(&s, "accepted", "it has the other number");
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE order_id = '8'"
                        " AND rule = 's/o'"), 1, "as what was captured");
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE rule = 'import'"),
           0, "the imported one is gone");
    is_int(one.record != 0, 1, "it was there");
    sent(q, 4000);

    is_int(found(q, 4000, m, n, &job), B24_STATE_WAITING,
           "and there is none for a third");
    is_int(counted(q, B24_STATE_DUPLICATE), 1, "which is no duplicate");

    b24_queue_close(q);

    /* those that were in the shop before the request are others */

    q = fresh("imported-before.db");

    put_as(q, "import", "7", B24_STATE_ACCEPTED, 1000);
    sent(q, 1000);
    put_as(q, "import", "8", B24_STATE_ACCEPTED, 1000);
    sent(q, 1000);
    put_as(q, "import", "9", B24_STATE_ACCEPTED, 1000);
    put(q, "g-1", B24_STATE_ACCEPTED, 62000);

    is_int(claim(q, &job, 62000), B24_QUEUE_OK, "one that is not sent");
    match(m, "7", "8", "9", &n);
    is_int(found(q, 63000, m, n, &job), B24_STATE_WAITING,
           "none of them is the order");
    is_int(counted(q, B24_STATE_DUPLICATE), 0, "nor its double");
    match(m, "8", "10", NULL, &n);
    is_int(found(q, 63000 + DAY, m, n, &job), B24_STATE_ACCEPTED,
           "its own comes");
    s = state_of(q, "10");
    is_str(&s, "accepted", "it has its number");

    b24_queue_close(q);
}


/* what the shop calls an order that went out unread */

static void
test_unread(void)
{
    int                    some;
    size_t                 n;
    int64_t                record;
    b24_str_t              s, origin, id;
    b24_state_e            state;
    b24_queue_t           *q;
    b24_queue_job_t        job;
    b24_queue_link_t       link;
    b24_queue_match_t      m[3];
    b24_queue_moment_t    *moments;

    q = fresh("unread.db");
    origin = str("shop");

    put(q, "700", B24_STATE_ACCEPTED, 1000);
    is_int((long long) unread(q, &record), 0, "none went out unread");
    leave(q, 1000);
    is_int((long long) unread(q, &record), 1, "one did");
    deliver(q, 412, 1001);
    is_int((long long) unread_since(q, 1000, &record), 1, "placed then");
    is_int((long long) unread_since(q, 1001, &record), 0, "not since then");
    is_int((long long) unread(q, &record), 1, "it is looked for still");
    (void) b24_queue_some_unread(q, &origin, &some);
    is_int(some, 1, "there are some");

    is_int(is_known(q, "A-700"), 0, "the shop's number is nobody's");
    match(m, "A-700", NULL, NULL, &n);
    m[0].link = str("{\"v\":1,\"link\":1}");
    is_int(b24_queue_recognize(q, pool, record, m, n, 0, 2000, &state),
           B24_QUEUE_OK, "found");
    is_int(state, B24_STATE_DELIVERED, "what was delivered stays so");
    is_int(is_known(q, "A-700"), 1, "now it is known");
    is_int(is_known(q, "700"), 1, "as is the other");
    s = state_of(q, "A-700");
    is_str(&s, "accepted", "and its record found by it");
    id = str("A-700");
    is_int(b24_queue_link(q, &origin, &id, &link), B24_QUEUE_OK, "a link");
    is_int(link.deal_id, 412, "to its deal");
    is_int(claim(q, &job, 2001), B24_QUEUE_OK, "the shop is told");
    is_int(job.kind, B24_EV_LINK, "of its deal");
    is_str(&job.order_id, "700", "the order's id is what was sent");
    (void) b24_queue_timeline(q, pool, record, NULL, &moments, &n);
    is_str(&moments[3].cause, "the shop's number is A-700", "it says so");
    is_int((long long) unread(q, &record), 0, "nothing is looked for");
    is_int(b24_queue_recognize(q, pool, 1, m, 1, 0, 2000, &state),
           B24_QUEUE_NONE, "once");

    /* nor does the shop's number come in as a new order */

    is_int(put(q, "A-700", B24_STATE_ACCEPTED, 3000).state,
           B24_STATE_DUPLICATE, "the same number by the traffic");
    is_int(put(q, "A-700", B24_STATE_ACCEPTED, 3000 + 2 * DAY).state,
           B24_STATE_PARKED, "days later");
    (void) queue_sql(q, "DELETE FROM records");
    is_int(is_known(q, "A-700"), 1, "it stays known without its record");

    /* found by what it is called already, or not at all */

    put(q, "L-1", B24_STATE_ACCEPTED, 4000);
    leave(q, 4000);
    (void) unread(q, &record);
    match(m, "L-1", NULL, NULL, &n);
    is_int(b24_queue_recognize(q, pool, record, m, n, 0, 4001, &state),
           B24_QUEUE_OK, "as it is called");
    is_int((long long) unread(q, &record), 0, "that is all");
    sent(q, 4000);
    put(q, "L-2", B24_STATE_ACCEPTED, 4002);
    leave(q, 4002);
    (void) unread(q, &record);
    is_int(b24_queue_unrecognized(q, record), B24_QUEUE_OK, "not there");
    is_int((long long) unread(q, &record), 0, "it is looked for no more");
    sent(q, 4002);

    /* imported meanwhile: that one was not sent, then it was */

    put(q, "g-3", B24_STATE_ACCEPTED, 5000);
    leave(q, 5000);
    sent(q, 5000);
    put_as(q, "import", "3", B24_STATE_ACCEPTED, 5001);
    (void) unread(q, &record);
    match(m, "3", NULL, NULL, &n);
    is_int(b24_queue_recognize(q, pool, record, m, n, 1, 5002, &state),
           B24_QUEUE_OK, "the imported one gives way");
    s = state_of(q, "3");
    is_str(&s, "sending", "its number leads to what was sent");
    is_int(counted(q, B24_STATE_ACCEPTED), 0, "and it is gone");

    put_as(q, "import", "4", B24_STATE_ACCEPTED, 6000);
    sent(q, 6000);
    put(q, "g-4", B24_STATE_ACCEPTED, 6001);
    leave(q, 6001);
    (void) unread(q, &record);
    match(m, "3", "4", NULL, &n);
    is_int(b24_queue_recognize(q, pool, record, m, n, 1, 6002, &state),
           B24_QUEUE_OK, "sent, and this one not yet");
    is_int(state, B24_STATE_DUPLICATE, "a duplicate");
    s = state_of(q, "g-4");
    is_str(&s, "-", "which is gone");

    put(q, "g-5", B24_STATE_ACCEPTED, 7000);
    leave(q, 7000);
    sent(q, 7000);
    (void) unread(q, &record);
    is_int(b24_queue_recognize(q, pool, record, m, n, 1, 7001, &state),
           B24_QUEUE_NONE, "all are others'");
    is_int((long long) unread(q, &record), 1, "it is looked for still");

    b24_queue_close(q);
}


/* a file of schema 6 */

static void
test_migrated(void)
{
    int           i, good;
    char          ids[96];
    sqlite3      *db;
    b24_queue_t  *q;

    good = sqlite3_open(queue_path("six.db"), &db) == SQLITE_OK;

    for (i = 0; i < 6; i++) {
        good &= sqlite3_exec(db, b24_queue_schema[i], NULL, NULL, NULL)
                == SQLITE_OK;
    }

    (void) snprintf(ids, sizeof(ids), "PRAGMA application_id = %d;"
                    " PRAGMA user_version = 6", B24_QUEUE_APPLICATION);
    good &= sqlite3_exec(db, ids, NULL, NULL, NULL) == SQLITE_OK
            && sqlite3_exec(db, "INSERT INTO secrets VALUES (1,"
                                " 'sixteen bytes...');"
                                "INSERT INTO records (origin, order_id, reuse,"
                                " rule, fingerprint, state, event, arrived,"
                                " accepted, created, updated) VALUES ('shop',"
                                " '5', 0, 's/o', 'f', 'accepted', 1, 1, 1, 1,"
                                " 1);"
                                "INSERT INTO events VALUES (1, 1, 1, 'new', 1,"
                                " NULL, '{}')", NULL, NULL, NULL)
               != SQLITE_MISUSE;
    (void) sqlite3_close(db);
    ok(good, "a file of schema 6");

    q = queue_open(queue_path("six.db"));
    is_int(queue_sql(q, "PRAGMA user_version"), B24_QUEUE_SCHEMA,
           "brought up to date");
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE order_id = '5'"
                        " AND shop_number IS NULL"), 1,
           "with its record, which is not looked for");
    is_int(is_known(q, "5"), 1, "and known");
    leave(q, 1000);
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE shop_number = ''"),
           1, "until it goes out unread");
    b24_queue_close(q);
}


static void
test_link(b24_queue_t *q)
{
    b24_str_t             s;
    b24_state_e           state;
    b24_queue_job_t       job;
    b24_queue_read_t      read;
    b24_queue_outcome_t   out;
    b24_queue_record_t   *records;
    size_t                n;
    b24_str_t             origin, order;

    put(q, "L-1", B24_STATE_ACCEPTED, 20000);
    is_int(claim(q, &job, 20000), B24_QUEUE_OK, "claimed");

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.deal_id = 412;
    out.cause = "rows differ";
    out.link = str("{\"v\":1,\"link\":1}");
    is_int(b24_queue_outcome(q, "me", &job, &out, 20001), B24_QUEUE_OK,
           "delivered, with a number to be written");
    is_int(counted(q, B24_STATE_DELIVERED), 1, "it counts");
    s = state_of(q, "L-1");
    is_str(&s, "accepted", "and goes on");

    is_int(claim(q, &job, 20002), B24_QUEUE_OK, "claimed");
    is_int(job.kind, B24_EV_LINK, "the number");
    is_int(job.deal_id, 412, "of its deal");
    is_str(&job.data, "{\"v\":1,\"link\":1}", "with its data");

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_DELIVERED;
    is_int(b24_queue_read(q, "me", &job, &read, 20003, &state), B24_QUEUE_OK,
           "written");
    is_int(counted(q, B24_STATE_DELIVERED), 1, "it counts once");

    origin = str("shop");
    order = str("L-1");
    (void) b24_queue_get(q, pool, NULL, &origin, &order, &records, &n);
    is_str(&records[0].cause, "rows differ", "the delivery's remark stays");
    is_int(claim(q, &job, 20004), B24_QUEUE_NONE, "nothing more");
}


/* a number that can't be written now doesn't keep the deal from its status, and
 * nothing that tells no news takes its cause away */

static void
test_link_behind(b24_queue_t *q)
{
    int                   put_new;
    b24_str_t             s, origin, order;
    b24_state_e           state;
    b24_queue_job_t       job;
    b24_queue_read_t      read;
    b24_queue_change_t    change;
    b24_queue_outcome_t   out;
    b24_queue_record_t   *records;
    size_t                n;

    origin = str("shop");
    order = str("L-2");

    put(q, "L-2", B24_STATE_ACCEPTED, 21000);
    (void) claim(q, &job, 21000);
    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.deal_id = 413;
    out.link = str("{\"v\":1,\"link\":2}");
    (void) b24_queue_outcome(q, "me", &job, &out, 21001);

    (void) claim(q, &job, 21002);
    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_WAITING;
    read.next = 22000;
    read.cause = str("read-only");
    read.advice = str("look");
    is_int(b24_queue_read(q, "me", &job, &read, 21003, &state), B24_QUEUE_OK,
           "not now");
    s = state_of(q, "L-2");
    is_str(&s, "waiting", "it waits");

    memset(&change, 0, sizeof(change));
    change.origin = origin;
    change.order_id = order;
    change.status = str("P");
    change.data = str("{\"v\":1}");
    change.now = 21500;
    (void) b24_queue_begin(q);
    is_int(b24_queue_status(q, &change, &put_new), B24_QUEUE_OK, "a status");
    (void) b24_queue_commit(q);

    is_int(claim(q, &job, 22000), B24_QUEUE_OK, "its time has come");
    is_int(job.kind, B24_EV_LINK, "the number");
    is_int(job.attempts, 2, "once more");
    read.next = 24000;
    (void) b24_queue_read(q, "me", &job, &read, 22001, &state);

    is_int(claim(q, &job, 22002), B24_QUEUE_OK, "what follows needn't wait");
    is_int(job.kind, B24_EV_STATUS, "the status");

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_ACCEPTED;
    (void) b24_queue_read(q, "me", &job, &read, 22003, &state);
    (void) claim(q, &job, 22004);
    is_int(job.kind, B24_EV_STATUS, "which was read");

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.cause = "nothing in it is new";
    out.idle = 1;
    is_int(b24_queue_outcome(q, "me", &job, &out, 22005), B24_QUEUE_OK,
           "nothing in it is new");

    (void) b24_queue_get(q, pool, NULL, &origin, &order, &records, &n);
    is_str(&records[0].cause, "read-only", "the number's cause stays");
    is_str(&records[0].advice, "look", "and what to do");

    is_int(claim(q, &job, 22006), B24_QUEUE_OK, "then again");
    is_int(job.kind, B24_EV_LINK, "the number");
    is_int(job.attempts, 1, "from the beginning");
    is_str(&job.data, "{\"v\":1,\"link\":2}", "with its data");

    /* refused for good, and a status that tells nothing */

    memset(&read, 0, sizeof(read));
    read.state = B24_STATE_DELIVERED;
    read.cause = str("refused");
    read.advice = str("compare");
    (void) b24_queue_read(q, "me", &job, &read, 22007, &state);

    change.status = str("F");
    change.now = 22008;
    (void) b24_queue_begin(q);
    (void) b24_queue_status(q, &change, &put_new);
    (void) b24_queue_commit(q);
    (void) claim(q, &job, 22009);
    is_int(job.kind, B24_EV_STATUS, "another status");
    (void) b24_queue_outcome(q, "me", &job, &out, 22010);

    (void) b24_queue_get(q, pool, NULL, &origin, &order, &records, &n);
    is_str(&records[0].cause, "refused", "the refusal stays");
    is_str(&records[0].advice, "compare", "and what to do");
    is_int(claim(q, &job, 22011), B24_QUEUE_NONE, "nothing more");
}


static void
test_settle(b24_queue_t *q)
{
    int                        i;
    size_t                     n, all;
    b24_str_t                  s, origin;
    b24_queue_put_t            p;
    b24_queue_match_t          m[3];
    b24_queue_unsettled_t     *records;
    b24_queue_put_result_t     result, one;
    b24_queue_unsettled_at_t   at;

    for (i = 0; i < 7; i++) {
        one = put(q, "", B24_STATE_UNCONFIRMED, 30000 + i / 3);
    }

    memset(&at, 0, sizeof(at));
    origin = str("shop");
    all = 0;

    do {
        is_int(b24_queue_unsettled(q, pool, &origin, &at, 3, &records, &n),
               B24_QUEUE_OK, "a part");
        all += n;
    } while (n == 3);

    is_int((long long) all, 7, "each once");
    is_int(at.record, 0, "then from the beginning");

    memset(&p, 0, sizeof(p));
    p.origin = origin;
    p.rule = str("s/o");
    p.state = B24_STATE_ACCEPTED;
    p.now = 31000;
    match(m, "S-1", NULL, NULL, &n);

    is_int(b24_queue_found(q, pool, one.record, &p, m, n, 0, &result),
           B24_QUEUE_OK, "found");
    is_int(result.state, B24_STATE_ACCEPTED, "accepted");
    s = state_of(q, "S-1");
    is_str(&s, "accepted", "with its number");
    is_int(b24_queue_found(q, pool, one.record, &p, m, n, 0, &result),
           B24_QUEUE_NONE, "it is unconfirmed no more");
    is_int(b24_queue_absent(q, pool, one.record), B24_QUEUE_NONE, "nor absent");

    one = put(q, "", B24_STATE_UNCONFIRMED, 31500);
    is_int(b24_queue_found(q, pool, one.record, &p, m, n, 0, &result),
           B24_QUEUE_OK, "another of that number");
    is_int(result.state, B24_STATE_DUPLICATE, "is a duplicate");

    /* found by the buyer: that one is another's, the second is free */

    one = put(q, "", B24_STATE_UNCONFIRMED, 31600);
    is_int(b24_queue_found(q, pool, one.record, &p, m, n, 1, &result),
           B24_QUEUE_NONE, "another's order is none");
    match(m, "S-1", "S-3", NULL, &n);
    is_int(b24_queue_found(q, pool, one.record, &p, m, n, 1, &result),
           B24_QUEUE_OK, "the second");
    is_int(result.state, B24_STATE_ACCEPTED, "is accepted");
    s = state_of(q, "S-3");
    is_str(&s, "accepted", "with that number");

    one = put(q, "", B24_STATE_UNCONFIRMED, 32000);
    is_int(b24_queue_absent(q, pool, one.record), B24_QUEUE_OK, "not there");
    is_int(counted(q, B24_STATE_REJECTED), 2, "rejected");
}


static void
test_marks(b24_queue_t *q)
{
    int               known;
    b24_str_t         origin, id;
    b24_queue_mark_t  mark;

    memset(&mark, 0, sizeof(mark));
    mark.origin = str("shop");
    mark.shop = str("s");

    is_int(b24_queue_mark(q, pool, &mark), B24_QUEUE_NONE, "no mark yet");

    mark.changed = str("2026-01-01 00:00:00");
    mark.begun = mark.changed;
    is_int(b24_queue_put_mark(q, &mark), B24_QUEUE_OK, "kept");

    mark.changed.len = 0;
    is_int(b24_queue_mark(q, pool, &mark), B24_QUEUE_OK, "found");
    is_str(&mark.changed, "2026-01-01 00:00:00", "how far");
    is_int((long long) mark.row.len, 0, "no order at the first start");

    origin = str("shop");
    id = str("S-1");
    is_int(b24_queue_known(q, &origin, &id, &none, &known), B24_QUEUE_OK,
           "asked");
    is_int(known, 1, "a number that a record has");
    id = str("S-2");
    (void) b24_queue_known(q, &origin, &id, &none, &known);
    is_int(known, 0, "one that none has");
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

    test_read(q);
    test_keys();
    test_loose();
    test_imported();
    test_again();
    test_unread();
    test_migrated();
    test_link(q);
    test_link_behind(q);
    test_settle(q);
    test_marks(q);

    b24_queue_close(q);
    queue_rmdir(queue_dir);
    b24_pool_destroy(pool);

    return done_testing();
}
