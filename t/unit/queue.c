
/* The durable queue: what each function does when nothing is wrong. */

#include "queue.h"


#define MEGABYTE  ((size_t) 1048576)


static b24_pool_t  *pool;


static int64_t
count_of(b24_queue_t *q, const char *origin, b24_state_e state)
{
    size_t               i, n;
    int64_t              change;
    b24_queue_counts_t  *counts;

    if (b24_queue_counts(q, pool, &counts, &n, &change) != B24_QUEUE_OK) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (b24_str_eqs(&counts[i].origin, origin)) {
            return counts[i].counts[state];
        }
    }

    return 0;
}


static int64_t
oldest_of(b24_queue_t *q, const char *origin)
{
    size_t               i, n;
    int64_t              change;
    b24_queue_counts_t  *counts;

    if (b24_queue_counts(q, pool, &counts, &n, &change) != B24_QUEUE_OK) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (b24_str_eqs(&counts[i].origin, origin)) {
            return counts[i].oldest;
        }
    }

    return 0;
}


static int64_t
change_of(b24_queue_t *q)
{
    size_t               n;
    int64_t              change;
    b24_queue_counts_t  *counts;

    if (b24_queue_counts(q, pool, &counts, &n, &change) != B24_QUEUE_OK) {
        return -1;
    }

    return change;
}


static int
exists(b24_queue_t *q, const char *key)
{
    size_t               n;
    b24_str_t            k;
    b24_queue_record_t  *r;

    k = str(key);

    return b24_queue_get(q, pool, &k, NULL, NULL, &r, &n) == B24_QUEUE_OK
           && n == 1;
}


/* an empty record where there is none, so that the checks fail and go on */

static b24_queue_record_t *
get(b24_queue_t *q, const char *key)
{
    size_t                     n;
    b24_str_t                  k;
    b24_queue_record_t        *r;
    static b24_queue_record_t  none;

    k = str(key);

    if (b24_queue_get(q, pool, &k, NULL, NULL, &r, &n) != B24_QUEUE_OK
        || n != 1)
    {
        return &none;
    }

    return r;
}


static b24_queue_moment_t *
timeline(b24_queue_t *q, int64_t record, size_t *n)
{
    b24_queue_moment_t        *m;
    static b24_queue_moment_t  none[B24_QUEUE_MOMENTS];

    if (b24_queue_timeline(q, pool, record, NULL, &m, n) != B24_QUEUE_OK) {
        return none;
    }

    return m;
}


/* the counters must always be what counting the rows gives */

static void
check_counts(b24_queue_t *q, const char *name)
{
    int64_t  bad;

    bad = queue_sql(q,
        "SELECT count(*) FROM counts c WHERE c.state NOT IN ('delivered',"
        " 'rejected', 'duplicate') AND c.n <> (SELECT count(*) FROM records r"
        " WHERE r.origin = c.origin AND r.state = c.state)");

    ok(bad == 0, "%s: counts equal the rows", name);

    bad = queue_sql(q,
        "SELECT count(*) FROM counts c WHERE c.kept <> (SELECT count(*)"
        " FROM records r WHERE r.origin = c.origin AND r.state = c.state)");

    ok(bad == 0, "%s: number of records kept", name);
}


static void
outcome_init(b24_queue_outcome_t *out, const b24_queue_job_t *job,
    b24_state_e state)
{
    memset(out, 0, sizeof(b24_queue_outcome_t));

    memcpy(out->steps, job->steps, sizeof(out->steps));
    out->state = state;
}


/* claims the next order, delivers it as a deal */

static b24_queue_rc_e
deliver(b24_queue_t *q, const char *origin, int64_t deal, int64_t now)
{
    int64_t              next;
    b24_queue_rc_e       rc;
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    rc = queue_claim(q, pool, origin, "w1", now, &job, &next);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    outcome_init(&out, &job, B24_STATE_DELIVERED);
    out.deal_id = deal;

    return b24_queue_outcome(q, "w1", &job, &out, now);
}


static void
test_names(void)
{
    int         i, good;
    b24_str_t   name;

    good = 1;

    for (i = 0; i < B24_NSTATES; i++) {
        name = str(b24_state_name((b24_state_e) i));
        good &= b24_state_find(&name) == (b24_state_e) i;
    }

    ok(good, "each state is found by its name");

    name = str("lost");
    is_int(b24_state_find(&name), B24_NSTATES, "no state of another name");

    good = 1;

    for (i = 0; i <= B24_QUEUE_ERROR; i++) {
        good &= strlen(b24_queue_strerror((b24_queue_rc_e) i)) > 5;
    }

    ok(good, "each code has words");
}


static void
test_keys(void)
{
    char     key[B24_QUEUE_KEY_LEN];
    size_t   i;
    int64_t  n;

    static const char  *bad[] = {
        "", "k-", "k-1", "k-00001", "k-000000", "k-00001F", "k-0000001",
        "K-000001", "k_000001", "k-00001g", "k-000001 ", "x-000001",
        "k-fffffffffffffffff", "k-0x0001", "1001"
    };

    b24_queue_key_print(key, 0x1f3);
    ok(strcmp(key, "k-0001f3") == 0, "a key: %s", key);
    is_int(b24_queue_key_parse((u_char *) key, strlen(key)), 0x1f3,
           "and its row");

    n = 0x7fffffffffffLL;
    b24_queue_key_print(key, n);
    is_int(b24_queue_key_parse((u_char *) key, strlen(key)), n,
           "a long key");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_int(b24_queue_key_parse((u_char *) bad[i], strlen(bad[i])), 0,
               "not a key");
    }
}


static void
test_open(void)
{
    mode_t           old;
    char            *path;
    struct stat      st;
    b24_queue_t     *q, *other;

    old = umask(0);
    path = queue_path("open.db");

    q = queue_open(path);
    ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
       "the file has mode 0600 whatever the umask");
    (void) umask(old);

    is_int(queue_sql(q, "PRAGMA application_id"), B24_QUEUE_APPLICATION,
           "application_id");
    is_int(queue_sql(q, "PRAGMA user_version"), B24_QUEUE_SCHEMA,
           "user_version");
    is_int(queue_sql(q, "PRAGMA synchronous"), 2, "synchronous is FULL");
    is_int(queue_sql(q, "PRAGMA foreign_keys"), 1, "foreign keys are on");
    is_int(queue_sql(q, "PRAGMA secure_delete"), 1, "secure_delete is on");
    is_int(queue_sql(q, "PRAGMA auto_vacuum"), 2, "auto_vacuum is incremental");
    is_int(queue_sql(q, "SELECT journal_mode = 'wal'"
                        " FROM pragma_journal_mode"), 1, "WAL");

    ok(b24_queue_same_file(q), "the file is the one at its path");

    queue_order(q, "shop", "1", "f1", T0);

    other = queue_open(path);
    is_int(count_of(other, "shop", B24_STATE_ACCEPTED), 1,
           "a second connection sees the order");
    b24_queue_close(other);
    b24_queue_close(q);

    ok(access(queue_path("open.db-wal"), F_OK) != 0,
       "the last one to close leaves no WAL");

    (void) chmod(path, 0644);
    q = queue_open(path);
    ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
       "a mode that is too wide is narrowed");
    is_int(count_of(q, "shop", B24_STATE_ACCEPTED), 1, "opened again");
    b24_queue_close(q);
    b24_queue_close(NULL);
}


static void
test_put_new(b24_queue_t *q)
{
    size_t                   n;
    int64_t                  change;
    b24_queue_put_t          put;
    b24_queue_record_t      *r;
    b24_queue_moment_t      *m;
    b24_queue_put_result_t   a, b;

    change = change_of(q);

    queue_put_init(&put, "put", "1001", "aa", T0);
    put.data = str("{\"v\":1,\"origin\":\"put\"}");

    is_int(queue_put1(q, &put, &a), B24_QUEUE_OK, "put");
    is_int(a.state, B24_STATE_ACCEPTED, "accepted");
    ok(a.record > 0 && strlen(a.key) == 8, "it has a row and a key %s", a.key);
    is_int(count_of(q, "put", B24_STATE_ACCEPTED), 1, "counted");
    is_int(oldest_of(q, "put"), T0, "it is the oldest");
    ok(change_of(q) > change, "change has grown");

    r = get(q, a.key);
    ok(exists(q, a.key), "got by its key");
    is_str(&r->origin, "put", "origin");
    is_str(&r->order_id, "1001", "order id");
    is_str(&r->rule, "shop/save", "rule");
    is_str(&r->data, "{\"v\":1,\"origin\":\"put\"}", "data");
    is_int(r->created, T0, "created");
    is_int(r->updated, T0, "updated");
    is_int(r->attempts, 0, "no attempt");
    ok(r->cause.data == NULL && r->advice.data == NULL, "no cause, no advice");

    m = timeline(q, a.record, &n);
    ok(n == 1 && m[0].state == B24_STATE_ACCEPTED && m[0].time == T0
       && m[0].count == 1 && m[0].method.data == NULL, "its timeline");

    queue_put_init(&put, "put", "", "bb", T0);
    is_int(queue_put1(q, &put, &a), B24_QUEUE_OK, "put without an id");
    is_int(queue_put1(q, &put, &b), B24_QUEUE_OK, "and once more");
    ok(a.state == B24_STATE_ACCEPTED && b.state == B24_STATE_ACCEPTED
       && a.record != b.record, "without an id each is a new record");

    put.state = B24_STATE_UNCONFIRMED;
    put.cause = str("the answer was not seen");
    put.advice = str("look it up in the shop");
    (void) queue_put1(q, &put, &a);
    (void) queue_put1(q, &put, &b);
    ok(a.state == B24_STATE_UNCONFIRMED && a.record != b.record,
       "unconfirmed without an id as well");

    r = get(q, a.key);
    ok(r->order_id.len == 0 && r->state == B24_STATE_UNCONFIRMED,
       "its id is empty");
    is_str(&r->cause, "the answer was not seen", "cause");
    is_str(&r->advice, "look it up in the shop", "advice");

    put.state = B24_STATE_DELIVERED;
    is_int(queue_put1(q, &put, &a), B24_QUEUE_ERROR, "no put as delivered");

    put.state = B24_STATE_ACCEPTED;
    is_int(b24_queue_put(q, &put, &a), B24_QUEUE_ERROR,
           "no put outside of a transaction");

    (void) b24_queue_begin(q);
    is_int(b24_queue_put(q, &put, &a), B24_QUEUE_OK, "put");
    b24_queue_rollback(q);
    ok(!exists(q, a.key), "rolled back: not there");

    check_counts(q, "new ones");
}


static void
test_put_twice(b24_queue_t *q)
{
    size_t                   n;
    b24_queue_put_t          put;
    b24_queue_record_t      *r;
    b24_queue_moment_t      *m;
    b24_queue_put_result_t   first, a;

    first = queue_order(q, "twice", "7", "aa", T0);

    a = queue_order(q, "twice", "7", "aa", T0 + 1);
    is_int(a.state, B24_STATE_DUPLICATE, "the same again: duplicate");
    is_int(a.record, first.record, "of the first record");
    ok(strcmp(a.key, first.key) == 0, "with its key");

    a = queue_order(q, "twice", "7", "other", T0 + DAY - 1);
    is_int(a.state, B24_STATE_DUPLICATE,
           "other content less than a day later: duplicate");

    a = queue_order(q, "twice", "7", "other", T0 - DAY + 1);
    is_int(a.state, B24_STATE_DUPLICATE, "also by a clock that was set back");

    a = queue_order(q, "twice", "7", "aa", T0 + 50 * DAY);
    is_int(a.state, B24_STATE_DUPLICATE,
           "the same content long after: duplicate");

    is_int(count_of(q, "twice", B24_STATE_DUPLICATE), 4, "four were counted");
    is_int(count_of(q, "twice", B24_STATE_ACCEPTED), 1, "one record");

    m = timeline(q, first.record, &n);
    ok(n == 2 && m[1].state == B24_STATE_DUPLICATE && m[1].count == 4
       && m[1].time == T0 + 1 && m[1].last == T0 + 50 * DAY,
       "one row of the timeline counts them");

    a = queue_order(q, "twice", "7", "other", T0 + DAY);
    is_int(a.state, B24_STATE_PARKED, "other content a day later: parked");
    ok(a.record != first.record, "as a new record");

    r = get(q, a.key);
    is_str(&r->cause, "order number seen before with other content", "cause");
    ok(r->advice.len > 0, "advice");

    first = a;
    a = queue_order(q, "twice", "7", "other", T0 + 9 * DAY);
    ok(a.state == B24_STATE_DUPLICATE && a.record == first.record,
       "that one again: its duplicate");

    a = queue_order(q, "twice", "7", "third", T0 + 60 * DAY);
    ok(a.state == B24_STATE_PARKED && a.record != first.record,
       "a third content: parked too");

    a = queue_order(q, "twice-b", "7", "zz", T0);
    is_int(a.state, B24_STATE_ACCEPTED, "another origin has its own numbers");

    queue_put_init(&put, "twice", "7", "fourth", T0 + 400 * DAY);
    put.state = B24_STATE_UNCONFIRMED;
    (void) queue_put1(q, &put, &a);
    is_int(a.state, B24_STATE_DUPLICATE,
           "unconfirmed where an accepted one is: duplicate");

    check_counts(q, "twice");
}


static void
test_put_unconfirmed(b24_queue_t *q)
{
    size_t                   n;
    int64_t                  next;
    b24_queue_job_t          job;
    b24_queue_put_t          put;
    b24_queue_record_t      *r;
    b24_queue_moment_t      *m;
    b24_queue_put_result_t   a, b;

    queue_put_init(&put, "unc", "5", "aa", T0);
    put.state = B24_STATE_UNCONFIRMED;
    put.cause = str("client gone");
    (void) queue_put1(q, &put, &a);
    is_int(a.state, B24_STATE_UNCONFIRMED, "unconfirmed");

    is_int(queue_claim(q, pool, "unc", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_NONE, "an unconfirmed one isn't claimed");
    is_int(next, 0, "and nothing will become due");
    is_int(oldest_of(q, "unc"), 0, "nor is it undelivered work");

    (void) queue_put1(q, &put, &b);
    ok(b.state == B24_STATE_DUPLICATE && b.record == a.record,
       "unconfirmed again: duplicate");

    put.fingerprint = str("bb");
    put.now = T0 + 2 * DAY;
    (void) queue_put1(q, &put, &b);
    is_int(b.state, B24_STATE_PARKED,
           "unconfirmed with other content later: parked, not lost");

    /* one that is accepted meanwhile stands before it in the line */

    b = queue_order(q, "unc", "6", "cc", T0 + 1);

    queue_put_init(&put, "unc", "5", "dd", T0 + 3 * DAY);
    put.data = str("{\"v\":1,\"new\":true}");
    put.rule = str("shop/other");
    (void) queue_put1(q, &put, &b);
    ok(b.state == B24_STATE_ACCEPTED && b.record == a.record,
       "accepted: the unconfirmed record becomes accepted");
    is_int(count_of(q, "unc", B24_STATE_UNCONFIRMED), 0, "none unconfirmed");
    is_int(count_of(q, "unc", B24_STATE_ACCEPTED), 2, "two accepted");

    r = get(q, a.key);
    is_str(&r->data, "{\"v\":1,\"new\":true}", "with the new data");
    is_str(&r->rule, "shop/other", "and the new rule");
    ok(r->cause.data == NULL, "the cause is gone");

    m = timeline(q, a.record, &n);
    ok(n == 3 && m[0].state == B24_STATE_UNCONFIRMED
       && m[1].state == B24_STATE_DUPLICATE
       && m[2].state == B24_STATE_ACCEPTED, "timeline");

    (void) queue_claim(q, pool, "unc", "w1", T0 + 3 * DAY, &job, &next);
    is_str(&job.order_id, "6", "first in line is the one accepted first");
    (void) queue_claim(q, pool, "unc", "w1", T0 + 3 * DAY, &job, &next);
    is_str(&job.order_id, "5", "then the one confirmed later");
    is_int(job.accepted, T0 + 3 * DAY, "accepted when the answer came");
    is_str(&job.data, "{\"v\":1,\"new\":true}", "the job has the new data");

    check_counts(q, "unconfirmed");
}


static void
test_texts(b24_queue_t *q)
{
    char                    *big;
    int64_t                  next;
    b24_queue_job_t          job;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a, b;

    static u_char  odd[] = "1\0' OR 1;--\xff\xfe";

    queue_put_init(&put, "odd", "", "aa", T0);
    put.order_id.data = odd;
    put.order_id.len = sizeof(odd) - 1;

    big = malloc(MEGABYTE);
    if (big == NULL) {
        exit(2);
    }

    memset(big, 'x', MEGABYTE);
    big[1000] = '\0';

    put.data.data = (u_char *) big;
    put.data.len = MEGABYTE;

    (void) queue_put1(q, &put, &a);
    (void) queue_put1(q, &put, &b);
    is_int(b.state, B24_STATE_DUPLICATE, "an odd number is compared whole");

    put.order_id.len--;
    (void) queue_put1(q, &put, &b);
    is_int(b.state, B24_STATE_ACCEPTED, "one byte less is another number");

    (void) queue_claim(q, pool, "odd", "w1", T0, &job, &next);
    ok(job.order_id.len == sizeof(odd) - 1
       && memcmp(job.order_id.data, odd, sizeof(odd) - 1) == 0,
       "an odd number comes back as it was");
    ok(job.data.len == MEGABYTE
       && memcmp(job.data.data, big, MEGABYTE) == 0,
       "a megabyte of data too");

    free(big);
}


static void
test_claim(b24_queue_t *q)
{
    int64_t                  next;
    b24_str_t                origins[2];
    b24_queue_t             *other;
    b24_queue_job_t          a, b, c;
    b24_queue_record_t      *r;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   o1, o2;

    /* the line is that of the commits, whatever the clock says */

    o1 = queue_order(q, "claim", "1", "a", T0 + DAY);
    o2 = queue_order(q, "claim", "2", "b", T0);

    is_int(queue_claim(q, pool, "claim", "w1", T0 + 5, &a, &next),
           B24_QUEUE_OK, "claimed, though accepted by a clock ahead of ours");
    is_int(a.record, o1.record, "the first one");
    ok(strcmp(a.key, o1.key) == 0, "key");
    is_str(&a.origin, "claim", "origin");
    is_str(&a.order_id, "1", "order id");
    is_str(&a.data, "{\"v\":1}", "data");
    is_int(a.kind, B24_EV_NEW, "a new order");
    is_int(a.attempts, 1, "first attempt");
    is_int(a.accepted, T0 + DAY, "accepted");
    is_int(a.lease, T0 + 5 + MINUTE, "lease");
    ok(a.deal_id == 0 && a.contact_id == 0 && a.company_id == 0
       && a.steps[0] == B24_STEP_OPEN && a.steps[3] == B24_STEP_OPEN,
       "nothing is known of it in the CRM");
    is_int(count_of(q, "claim", B24_STATE_SENDING), 1, "sending");
    is_int(oldest_of(q, "claim"), T0, "the oldest by time");

    is_int(queue_claim(q, pool, "claim", "w2", T0 + 6, &b, &next),
           B24_QUEUE_OK, "another worker");
    is_int(b.record, o2.record, "gets the other one");

    is_int(queue_claim(q, pool, "claim", "w3", T0 + 7, &c, &next),
           B24_QUEUE_NONE, "nothing is left for a third");
    is_int(next, T0 + 5 + MINUTE, "until the first lease runs out");

    is_int(queue_claim(q, pool, "other", "w3", T0 + 7, &c, &next),
           B24_QUEUE_NONE, "another origin has nothing");
    is_int(next, 0, "and never will");

    /* a lease that has run out */

    is_int(queue_claim(q, pool, "claim", "w3", T0 + 5 + MINUTE, &c, &next),
           B24_QUEUE_OK, "the lease has run out");
    ok(c.record == o1.record && c.attempts == 2, "second attempt of the first");

    outcome_init(&out, &a, B24_STATE_DELIVERED);
    out.deal_id = 99;
    is_int(b24_queue_outcome(q, "w1", &a, &out, T0 + 6 + MINUTE),
           B24_QUEUE_STALE, "its former owner comes too late");
    is_int(b24_queue_outcome(q, "w3", &a, &out, T0 + 6 + MINUTE),
           B24_QUEUE_STALE, "the attempt counts, not only the owner");
    is_int(b24_queue_attempt(q, "w1", &a, 1, "m", NULL, MINUTE, T0),
           B24_QUEUE_STALE, "nor may it send");

    r = get(q, o1.key);
    ok(r->state == B24_STATE_SENDING && r->deal_id == 0, "nothing was written");

    is_int(b24_queue_outcome(q, "w4", &c, &out, T0 + 6 + MINUTE),
           B24_QUEUE_STALE, "nor only the attempt");
    is_int(b24_queue_outcome(q, "w3", &c, &out, T0 + 6 + MINUTE),
           B24_QUEUE_OK, "the owner may");
    is_int(b24_queue_outcome(q, "w3", &c, &out, T0 + 6 + MINUTE),
           B24_QUEUE_STALE, "once");

    /* another file has a record of that number, too */

    other = queue_open(queue_path("other.db"));
    (void) queue_order(other, "claim", "9", "z", T0);
    is_int(queue_claim(other, pool, "claim", "w1", T0, &b, &next),
           B24_QUEUE_OK, "claimed in another file");
    is_int(b.record, 1, "its first record");
    outcome_init(&out, &b, B24_STATE_DELIVERED);
    b.device = a.device;
    b.inode = a.inode;
    is_int(b24_queue_outcome(other, "w1", &b, &out, T0 + 1),
           B24_QUEUE_STALE, "what was claimed elsewhere is not it");
    b24_queue_close(other);

    /* several origins: the longest overdue first */

    o1 = queue_order(q, "claim-b", "1", "a", T0 + 100);
    o2 = queue_order(q, "claim-c", "1", "a", T0 + 50);
    origins[0] = str("claim-b");
    origins[1] = str("claim-c");

    (void) b24_queue_claim(q, pool, origins, 2, "w1", MINUTE, T0 + 200, &a,
                           &next);
    is_int(a.record, o2.record, "of two origins the one waiting longer");
    (void) b24_queue_claim(q, pool, origins, 2, "w1", MINUTE, T0 + 200, &a,
                           &next);
    is_int(a.record, o1.record, "then the other");

    (void) queue_order(q, "claim-b", "2", "a", T0 + 100);
    o2 = queue_order(q, "claim-c", "2", "a", T0 + DAY);
    (void) b24_queue_claim(q, pool, origins, 2, "w1", MINUTE, T0 + 200, &a,
                           &next);
    is_int(a.record, o2.record,
           "one accepted by a clock ahead of ours isn't kept for last");

    check_counts(q, "claim");
}


static void
test_attempt(b24_queue_t *q)
{
    size_t                   n;
    int64_t                  next;
    b24_str_t                origin, id;
    b24_queue_job_t          job, again;
    b24_queue_link_t         link;
    b24_queue_moment_t      *m;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   o;

    o = queue_order(q, "att", "1", "a", T0);
    origin = str("att");
    id = str("1");

    (void) queue_claim(q, pool, "att", "w1", T0, &job, &next);

    job.contact_id = 55;
    is_int(b24_queue_attempt(q, "w1", &job, 1 << B24_STEP_DEAL
                                            | 1 << B24_STEP_ROWS,
                             "crm.deal.add", "creating", 2 * MINUTE, T0 + 10),
           B24_QUEUE_OK, "attempt");

    is_int(queue_claim(q, pool, "att", "w2", T0 + 10 + 2 * MINUTE - 1, &again,
                       &next),
           B24_QUEUE_NONE, "the lease was prolonged");
    is_int(next, T0 + 10 + 2 * MINUTE, "by that much");

    is_int(queue_claim(q, pool, "att", "w2", T0 + 10 + 2 * MINUTE, &again,
                       &next),
           B24_QUEUE_OK, "the owner died: taken over");
    ok(again.steps[B24_STEP_CONTACT] == B24_STEP_OPEN
       && again.steps[B24_STEP_DEAL] == B24_STEP_SENT
       && again.steps[B24_STEP_ROWS] == B24_STEP_SENT,
       "the steps tell what may have happened");
    is_int(again.contact_id, 55, "and the ids what is known");
    is_int(b24_queue_link(q, &origin, &id, &link), B24_QUEUE_NONE,
           "no link without a deal");

    outcome_init(&out, &again, B24_STATE_WAITING);
    out.deal_id = 412;
    out.steps[B24_STEP_CONTACT] = B24_STEP_DONE;
    out.steps[B24_STEP_COMPANY] = B24_STEP_SKIPPED;
    out.steps[B24_STEP_DEAL] = B24_STEP_DONE;
    out.steps[B24_STEP_ROWS] = B24_STEP_FAILED;
    out.next = T0 + HOUR;
    out.cause = "the portal is busy";
    out.advice = "nothing to do";
    out.method = "crm.deal.productrows.set";
    out.error = "QUERY_LIMIT_EXCEEDED";
    is_int(b24_queue_outcome(q, "w2", &again, &out, T0 + 5 * MINUTE),
           B24_QUEUE_OK, "rows failed: waiting");

    is_int(b24_queue_link(q, &origin, &id, &link), B24_QUEUE_OK, "a link");
    ok(link.deal_id == 412 && link.contact_id == 55 && link.company_id == 0,
       "written as soon as the deal is known");

    is_int(queue_claim(q, pool, "att", "w2", T0 + HOUR - 1, &job, &next),
           B24_QUEUE_NONE, "not before its time");
    is_int(next, T0 + HOUR, "which is told");
    is_int(queue_claim(q, pool, "att", "w2", T0 + HOUR, &job, &next),
           B24_QUEUE_OK, "at its time");
    ok(job.deal_id == 412 && job.contact_id == 55 && job.attempts == 3
       && job.steps[B24_STEP_CONTACT] == B24_STEP_DONE
       && job.steps[B24_STEP_COMPANY] == B24_STEP_SKIPPED
       && job.steps[B24_STEP_DEAL] == B24_STEP_DONE
       && job.steps[B24_STEP_ROWS] == B24_STEP_FAILED,
       "ids and steps are back");

    outcome_init(&out, &job, B24_STATE_DELIVERED);
    out.company_id = 7;
    out.steps[B24_STEP_ROWS] = B24_STEP_DONE;
    (void) b24_queue_outcome(q, "w2", &job, &out, T0 + HOUR + 1);

    (void) b24_queue_link(q, &origin, &id, &link);
    ok(link.deal_id == 412 && link.contact_id == 55 && link.company_id == 7,
       "what wasn't told anew stays");

    m = timeline(q, o.record, &n);
    is_int((int) n, 5, "five rows");
    ok(m[1].state == B24_STATE_SENDING && m[2].state == B24_STATE_SENDING
       && m[3].state == B24_STATE_WAITING && m[4].state == B24_STATE_DELIVERED,
       "sending, taken over, waiting, delivered");
    is_str(&m[1].method, "crm.deal.add", "method");
    is_str(&m[1].cause, "creating", "cause");
    is_str(&m[3].error, "QUERY_LIMIT_EXCEEDED", "error");

    check_counts(q, "attempt");
}


static void
test_outcomes(b24_queue_t *q)
{
    int                      i;
    size_t                   n;
    int64_t                  next;
    b24_state_e              state;
    b24_queue_job_t          job;
    b24_queue_record_t      *r;
    b24_queue_moment_t      *m;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   o;

    o = queue_order(q, "out", "1", "a", T0);

    /* given back */

    (void) queue_claim(q, pool, "out", "w1", T0, &job, &next);
    outcome_init(&out, &job, B24_STATE_ACCEPTED);
    is_int(b24_queue_outcome(q, "w1", &job, &out, T0 + 1), B24_QUEUE_OK,
           "given back");
    r = get(q, o.key);
    ok(r->state == B24_STATE_ACCEPTED && r->attempts == 0,
       "untried: the attempt doesn't count");

    m = timeline(q, o.record, &n);
    ok(n == 1 && m[0].state == B24_STATE_ACCEPTED && m[0].count == 2
       && m[0].time == T0 && m[0].last == T0 + 1, "its timeline counts it");

    /* an outage: alternating rows are counted, not added */

    for (i = 1; i <= 100; i++) {
        (void) queue_claim(q, pool, "out", "w1", T0 + i * HOUR, &job, &next);
        (void) b24_queue_attempt(q, "w1", &job, 1 << B24_STEP_CONTACT,
                                 "batch", NULL, MINUTE, T0 + i * HOUR);
        outcome_init(&out, &job, B24_STATE_WAITING);
        out.next = T0 + (i + 1) * HOUR;
        out.cause = "the portal does not answer";
        (void) b24_queue_outcome(q, "w1", &job, &out, T0 + i * HOUR + 1);
    }

    m = timeline(q, o.record, &n);
    is_int((int) n, 3, "a hundred attempts, three rows");
    ok(m[1].state == B24_STATE_SENDING && m[1].count == 100
       && m[2].state == B24_STATE_WAITING && m[2].count == 100
       && m[2].time == T0 + HOUR + 1 && m[2].last == T0 + 100 * HOUR + 1,
       "counted, first and last time");

    r = get(q, o.key);
    is_int(r->attempts, 100, "attempts");
    is_int(r->next, T0 + 101 * HOUR, "next");
    is_str(&r->cause, "the portal does not answer", "cause");

    /* waiting with one cause, without an attempt between */

    for (i = 101; i <= 110; i++) {
        (void) queue_claim(q, pool, "out", "w1", T0 + i * HOUR, &job, &next);
        outcome_init(&out, &job, B24_STATE_WAITING);
        out.next = T0 + (i + 1) * HOUR;
        out.cause = i % 2 ? "one" : "two";
        (void) b24_queue_outcome(q, "w1", &job, &out, T0 + i * HOUR + 1);
    }

    (void) timeline(q, o.record, &n);
    is_int((int) n, 13, "another cause is another row");

    for (i = 111; i <= 500; i++) {
        (void) queue_claim(q, pool, "out", "w1", T0 + i * HOUR, &job, &next);
        outcome_init(&out, &job, B24_STATE_WAITING);
        out.next = T0 + (i + 1) * HOUR;
        out.cause = i == 500 ? "last" : i % 2 ? "one" : "two";
        (void) b24_queue_outcome(q, "w1", &job, &out, T0 + i * HOUR + 1);
    }

    m = timeline(q, o.record, &n);
    is_int((int) n, B24_QUEUE_MOMENTS, "and there is an end to it");
    is_str(&m[n - 1].cause, "last", "the last one is the latest");

    /* parked */

    (void) queue_claim(q, pool, "out", "w1", T0 + 501 * HOUR, &job, &next);
    outcome_init(&out, &job, B24_STATE_PARKED);
    out.cause = "no such pipeline";
    out.advice = "correct b24_category";
    (void) b24_queue_outcome(q, "w1", &job, &out, T0 + 501 * HOUR);
    is_int(queue_claim(q, pool, "out", "w1", T0 + 9999 * HOUR, &job, &next),
           B24_QUEUE_NONE, "parked: not claimed");
    r = get(q, o.key);
    is_str(&r->advice, "correct b24_category", "advice");
    is_int(oldest_of(q, "out"), 0, "no undelivered work");

    /* a person's hand */

    is_int(b24_queue_retry(q, "k-fffff0", 0, "by hand", T0, &state),
           B24_QUEUE_NONE, "no such record");
    is_int(b24_queue_retry(q, "1", 0, "by hand", T0, &state), B24_QUEUE_NONE,
           "no key");
    is_int(b24_queue_retry(q, o.key, 0, "by hand", T0 + 502 * HOUR, &state),
           B24_QUEUE_OK, "retried");
    is_int(b24_queue_retry(q, o.key, 0, "by hand", T0 + 502 * HOUR, &state),
           B24_QUEUE_NONE, "accepted already");
    r = get(q, o.key);
    ok(r->state == B24_STATE_ACCEPTED && r->cause.data == NULL
       && r->next == 0, "accepted now");

    is_int(deliver(q, "out", 12, T0 + 503 * HOUR), B24_QUEUE_OK, "delivered");
    r = get(q, o.key);
    ok(r->state == B24_STATE_DELIVERED && r->deal_id == 12
       && r->cause.data == NULL && r->advice.data == NULL,
       "nothing to complain of");
    is_int(b24_queue_retry(q, o.key, 0, "by hand", T0, &state),
           B24_QUEUE_NONE, "a delivered one isn't retried");

    out.state = B24_STATE_REJECTED;
    is_int(b24_queue_outcome(q, "w1", &job, &out, T0), B24_QUEUE_ERROR,
           "no such outcome");

    /* waiting can be retried as well, and not a number used again */

    o = queue_order(q, "out", "2", "a", T0);
    (void) queue_claim(q, pool, "out", "w1", T0, &job, &next);
    outcome_init(&out, &job, B24_STATE_WAITING);
    out.next = T0 + HOUR;
    (void) b24_queue_outcome(q, "w1", &job, &out, T0);
    is_int(b24_queue_retry(q, o.key, 0, NULL, T0 + 1, &state), B24_QUEUE_OK,
           "waiting: retried");
    is_int(deliver(q, "out", 13, T0 + 2), B24_QUEUE_OK, "at once");

    o = queue_order(q, "out", "2", "zz", T0 + 9 * DAY);
    is_int(o.state, B24_STATE_PARKED, "number used again");
    is_int(b24_queue_retry(q, o.key, 0, NULL, T0 + 9 * DAY, &state),
           B24_QUEUE_NONE, "isn't released under the number of the other");

    check_counts(q, "outcomes");
}


static void
test_clock(b24_queue_t *q)
{
    int64_t                  next;
    b24_queue_job_t          job, other;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   o;

    /* waiting, then the clock goes back a year */

    o = queue_order(q, "clock", "1", "a", T0);
    (void) queue_claim(q, pool, "clock", "w1", T0, &job, &next);
    outcome_init(&out, &job, B24_STATE_WAITING);
    out.next = T0 + HOUR;
    (void) b24_queue_outcome(q, "w1", &job, &out, T0);

    is_int(queue_claim(q, pool, "clock", "w1", T0 - MINUTE, &job, &next),
           B24_QUEUE_NONE, "a minute back changes nothing");
    is_int(queue_claim(q, pool, "clock", "w1", T0 - 365 * DAY, &job, &next),
           B24_QUEUE_OK, "a year back: not kept waiting for a year");
    is_int(job.record, o.record, "that one");

    /* a lease of a dead worker, taken with a clock that was far ahead */

    outcome_init(&out, &job, B24_STATE_ACCEPTED);
    (void) b24_queue_outcome(q, "w1", &job, &out, T0);

    (void) queue_claim(q, pool, "clock", "w1", T0 + 365 * DAY, &job, &next);
    is_int(queue_claim(q, pool, "clock", "w1", T0, &other, &next),
           B24_QUEUE_NONE, "the living owner isn't given its own again");
    is_int(queue_claim(q, pool, "clock", "w2",
                       T0 + 365 * DAY - MINUTE / 2, &other, &next),
           B24_QUEUE_NONE, "a small step: the lease holds");
    is_int(queue_claim(q, pool, "clock", "w2", T0, &other, &next),
           B24_QUEUE_OK, "a big one: another worker takes over");
    ok(other.record == o.record && other.attempts == 3, "the same record");
    is_int(deliver(q, "clock", 1, T0), B24_QUEUE_NONE, "once");

    /* accepted in 1970, delivered now */

    outcome_init(&out, &other, B24_STATE_DELIVERED);
    (void) b24_queue_outcome(q, "w2", &other, &out, T0);
    (void) queue_order(q, "clock", "2", "a", 1000);
    is_int(deliver(q, "clock", 2, T0), B24_QUEUE_OK, "accepted in 1970");

    check_counts(q, "clock");
}


static void
test_events(b24_queue_t *q)
{
    size_t                   n;
    int64_t                  next;
    b24_str_t                data;
    b24_queue_job_t          job;
    b24_queue_moment_t      *m;
    b24_queue_record_t      *r;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   o;

    o = queue_order(q, "ev", "1", "a", T0);

    data = str("{\"status\":\"P\"}");
    is_int(b24_queue_event(q, o.record, B24_EV_STATUS, &data, T0),
           B24_QUEUE_ERROR, "an event belongs into a transaction");

    (void) b24_queue_begin(q);
    is_int(b24_queue_event(q, 999999, B24_EV_STATUS, &data, T0),
           B24_QUEUE_NONE, "no such record");
    is_int(b24_queue_event(q, o.record, B24_EV_NEW, &data, T0),
           B24_QUEUE_ERROR, "only put makes a new order");
    is_int(b24_queue_event(q, o.record, B24_EV_STATUS, &data, T0 + 1),
           B24_QUEUE_OK, "a status");
    data = str("{\"status\":\"F\"}");
    is_int(b24_queue_event(q, o.record, B24_EV_CHANGED, &data, T0 + 2),
           B24_QUEUE_OK, "a change");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");

    (void) queue_claim(q, pool, "ev", "w1", T0 + 10, &job, &next);
    ok(job.kind == B24_EV_NEW, "the order itself comes first");
    is_int(queue_claim(q, pool, "ev", "w2", T0 + 10, &job, &next),
           B24_QUEUE_NONE, "its status waits for it");

    (void) queue_claim(q, pool, "ev", "w1", T0 + 2 * MINUTE, &job, &next);
    outcome_init(&out, &job, B24_STATE_WAITING);
    out.next = T0 + HOUR;
    (void) b24_queue_outcome(q, "w1", &job, &out, T0 + 2 * MINUTE);
    is_int(queue_claim(q, pool, "ev", "w1", T0 + 3 * MINUTE, &job, &next),
           B24_QUEUE_NONE, "also while it waits");

    is_int(deliver(q, "ev", 77, T0 + HOUR), B24_QUEUE_OK, "delivered");
    is_int(count_of(q, "ev", B24_STATE_DELIVERED), 1, "counted");
    is_int(count_of(q, "ev", B24_STATE_ACCEPTED), 1, "its status is due");
    is_int(oldest_of(q, "ev"), T0 + 1, "since it arrived");

    is_int(queue_claim(q, pool, "ev", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_OK, "the status");
    ok(job.kind == B24_EV_STATUS && job.attempts == 1 && job.deal_id == 77,
       "its first attempt, the deal is known");
    is_str(&job.data, "{\"status\":\"P\"}", "its data");
    outcome_init(&out, &job, B24_STATE_DELIVERED);
    (void) b24_queue_outcome(q, "w1", &job, &out, T0 + HOUR);

    (void) queue_claim(q, pool, "ev", "w1", T0 + HOUR, &job, &next);
    is_int(job.kind, B24_EV_CHANGED, "then the change");
    outcome_init(&out, &job, B24_STATE_DELIVERED);
    (void) b24_queue_outcome(q, "w1", &job, &out, T0 + HOUR);

    is_int(queue_claim(q, pool, "ev", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_NONE, "that was all");
    is_int(count_of(q, "ev", B24_STATE_DELIVERED), 1,
           "one order delivered, however many events");
    is_int(count_of(q, "ev", B24_STATE_ACCEPTED), 0, "nothing is open");

    r = get(q, o.key);
    is_str(&r->data, "{\"v\":1}", "the record shows the order");

    /* later still */

    (void) b24_queue_begin(q);
    (void) b24_queue_event(q, o.record, B24_EV_LINK, &data, T0 + DAY);
    (void) b24_queue_commit(q);
    is_int(count_of(q, "ev", B24_STATE_ACCEPTED), 1, "open again");
    is_int(deliver(q, "ev", 77, T0 + DAY), B24_QUEUE_OK, "delivered");

    m = timeline(q, o.record, &n);
    ok(n == 10 && m[n - 1].state == B24_STATE_DELIVERED
       && m[n - 2].state == B24_STATE_ACCEPTED, "timeline of %d rows",
       (int) n);
    is_int(queue_sql(q, "SELECT count(*) FROM events e JOIN records r"
                        " ON r.id = e.record WHERE r.origin = 'ev'"
                        " AND done IS NULL"), 0, "all events are done");

    check_counts(q, "events");
}


static void
test_counts(b24_queue_t *q)
{
    int64_t    change;
    b24_str_t  origin;

    origin = str("cnt");

    (void) b24_queue_begin(q);
    is_int(b24_queue_count(q, &origin, B24_STATE_REJECTED, 3), B24_QUEUE_OK,
           "three rejected");
    is_int(b24_queue_count(q, &origin, B24_STATE_REJECTED, 2), B24_QUEUE_OK,
           "two more");
    is_int(b24_queue_count(q, &origin, B24_STATE_DUPLICATE, 1), B24_QUEUE_OK,
           "a duplicate");
    is_int(b24_queue_count(q, &origin, B24_STATE_REJECTED, 0), B24_QUEUE_OK,
           "none");
    is_int(b24_queue_count(q, &origin, B24_STATE_ACCEPTED, 1),
           B24_QUEUE_ERROR, "accepted ones are counted by their records");
    (void) b24_queue_commit(q);

    is_int(count_of(q, "cnt", B24_STATE_REJECTED), 5, "rejected");
    is_int(count_of(q, "cnt", B24_STATE_DUPLICATE), 1, "duplicate");

    change = change_of(q);
    is_int(change_of(q), change, "change stays without a change");

    (void) b24_queue_begin(q);
    (void) b24_queue_count(q, &origin, B24_STATE_REJECTED, 1);
    b24_queue_rollback(q);
    is_int(change_of(q), change, "also when it is rolled back");

    (void) b24_queue_begin(q);
    (void) b24_queue_count(q, &origin, B24_STATE_REJECTED, 1);
    (void) b24_queue_commit(q);
    ok(change_of(q) > change, "and grows with one");
}


static void
test_list(b24_queue_t *q)
{
    int                      i, good;
    char                     id[24];
    size_t                   n;
    b24_str_t                origins[2], key, order, none;
    b24_queue_record_t      *r;
    b24_queue_put_result_t   o;

    for (i = 0; i < 60; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        o = queue_order(q, i % 2 ? "list-a" : "list-b", id, "a", T0 + i);
    }

    (void) deliver(q, "list-a", 5, T0 + 1000);
    origins[0] = str("list-a");
    origins[1] = str("list-b");

    is_int(b24_queue_list(q, pool, origins, 2, B24_NSTATES, 50, &r, &n),
           B24_QUEUE_OK, "list");
    is_int((int) n, 50, "as many as asked for");

    good = r[0].state == B24_STATE_DELIVERED && r[0].updated == T0 + 1000;

    for (i = 1; i < 50; i++) {
        good &= r[i].updated == T0 + 60 - i;
    }

    ok(good, "the latest first, over origins and states");
    ok(r[0].data.data == NULL && r[0].deal_id == 5, "without the data");

    (void) b24_queue_list(q, pool, origins, 1, B24_STATE_ACCEPTED, 1000, &r,
                          &n);
    is_int((int) n, 29, "one origin, one state");

    (void) b24_queue_list(q, pool, origins, 2, B24_STATE_DELIVERED, 1000, &r,
                          &n);
    is_int((int) n, 1, "delivered ones");

    (void) b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 1000, &r, &n);
    ok(n > 60, "all there are (%d)", (int) n);

    (void) b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 0, &r, &n);
    is_int((int) n, 1, "at least one");

    (void) b24_queue_list(q, pool, NULL, 0, B24_STATE_CAPTURED, 10, &r, &n);
    ok(n == 0 && r == NULL, "or none");

    origins[0] = str("nobody");
    is_int(b24_queue_list(q, pool, origins, 1, B24_NSTATES, 10, &r, &n),
           B24_QUEUE_OK, "an unknown origin");
    is_int((int) n, 0, "has none");

    /* by number */

    none = str("");
    key = str("k-0fffff");
    is_int(b24_queue_get(q, pool, &key, NULL, NULL, &r, &n), B24_QUEUE_NONE,
           "no such key");
    ok(n == 0 && r == NULL, "nothing");

    key = str("nonsense");
    is_int(b24_queue_get(q, pool, &key, NULL, NULL, &r, &n), B24_QUEUE_NONE,
           "no key");

    order = str("59");
    origins[0] = str("list-a");
    is_int(b24_queue_get(q, pool, &none, &origins[0], &order, &r, &n),
           B24_QUEUE_OK, "by number");
    ok(n == 1 && strcmp(r[0].key, o.key) == 0, "that one");
    is_str(&r[0].data, "{\"v\":1}", "with its data");

    (void) queue_order(q, "list-c", "59", "a", T0);
    (void) b24_queue_get(q, pool, NULL, NULL, &order, &r, &n);
    is_int((int) n, 2, "of any origin: two have it");
    (void) b24_queue_get(q, pool, NULL, &none, &order, &r, &n);
    is_int((int) n, 2, "an empty origin is any");

    is_int(b24_queue_get(q, pool, NULL, &origins[1], &order, &r, &n),
           B24_QUEUE_NONE, "another origin doesn't");
    is_int(b24_queue_get(q, pool, NULL, NULL, &none, &r, &n), B24_QUEUE_NONE,
           "no number, no record");

    for (i = 0; i < 25; i++) {
        (void) snprintf(id, sizeof(id), "many-%d", i);
        (void) queue_order(q, id, "X-1", "a", T0);
    }

    order = str("X-1");
    (void) b24_queue_get(q, pool, NULL, NULL, &order, &r, &n);
    is_int((int) n, 20, "at most twenty");

    is_int(b24_queue_timeline(q, pool, 0, "k-0fffff",
                              (b24_queue_moment_t **) &r, &n),
           B24_QUEUE_NONE, "no timeline of no record");
    is_int(b24_queue_timeline(q, pool, 0, o.key, (b24_queue_moment_t **) &r,
                              &n),
           B24_QUEUE_OK, "timeline by key");
}


static void
test_clean(void)
{
    int                      n;
    int64_t                  next, bytes;
    b24_str_t                origin, id;
    b24_state_e              state;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_put_t          put;
    b24_queue_link_t         link;
    b24_queue_moment_t      *m;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   d, p, u, w, a;
    size_t                   rows;

    q = queue_open(queue_path("clean.db"));
    origin = str("cl");
    id = str("1");

    d = queue_order(q, "cl", "1", "aa", T0);
    (void) deliver(q, "cl", 41, T0 + 1);

    p = queue_order(q, "cl", "2", "aa", T0);
    (void) queue_claim(q, pool, "cl", "w1", T0, &job, &next);
    outcome_init(&out, &job, B24_STATE_PARKED);
    (void) b24_queue_outcome(q, "w1", &job, &out, T0);

    queue_put_init(&put, "cl", "3", "aa", T0);
    put.state = B24_STATE_UNCONFIRMED;
    (void) queue_put1(q, &put, &u);

    w = queue_order(q, "cl", "4", "aa", T0);

    is_int(b24_queue_clean(q, 30 * DAY, 100, T0 + 30 * DAY, &n),
           B24_QUEUE_OK, "clean");
    is_int(n, 0, "nothing is old enough");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 30 * DAY + 1, &n);
    is_int(n, 1, "the delivered one is");
    ok(!exists(q, d.key), "it is gone");
    is_int(count_of(q, "cl", B24_STATE_DELIVERED), 1,
           "it still counts as delivered");
    is_int(b24_queue_link(q, &origin, &id, &link), B24_QUEUE_OK,
           "its link stays");
    is_int(link.deal_id, 41, "with the deal");
    is_int(queue_sql(q, "SELECT count(*) FROM events"), 3,
           "its events went with it");
    is_int(queue_sql(q, "SELECT count(*) FROM timeline WHERE record NOT IN"
                        " (SELECT id FROM records)"), 0, "and its timeline");
    is_int(queue_sql(q, "SELECT count(*) FROM links"
                        " WHERE fingerprint IS NOT NULL"), 0,
           "and what could tell the buyer");

    a = queue_order(q, "cl", "1", "aa", T0 + DAY - 1);
    ok(a.state == B24_STATE_DUPLICATE && a.record == 0 && a.key[0] == '\0',
       "its number less than a day apart: a duplicate of the link");
    put.order_id = str("1");
    (void) queue_put1(q, &put, &a);
    is_int(a.state, B24_STATE_DUPLICATE, "unconfirmed: likewise");
    a = queue_order(q, "cl", "1", "aa", T0 + 31 * DAY);
    is_int(a.state, B24_STATE_PARKED, "later: parked");

    /* announced after two, deleted after three times */

    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 60 * DAY - 1, &n);
    (void) timeline(q, p.record, &rows);
    is_int((int) rows, 2, "not announced yet");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 60 * DAY, &n);
    m = timeline(q, p.record, &rows);
    ok(rows == 3 && m[2].cause.len > 0, "announced");
    is_int(n, 0, "not deleted");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 60 * DAY + 1, &n);
    m = timeline(q, p.record, &rows);
    is_int(m[rows - 1].count, 1, "announced once");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 90 * DAY - 1, &n);
    is_int(n, 0, "not deleted");
    (void) b24_queue_clean(q, 31 * DAY, 100, T0 + 91 * DAY, &n);
    is_int(n, 0, "nor when keep has become longer meanwhile");
    (void) b24_queue_clean(q, 30 * DAY, 1, T0 + 90 * DAY, &n);
    is_int(n, 1, "deleted, as many as allowed");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 90 * DAY, &n);
    is_int(n, 1, "then the other");
    ok(!exists(q, p.key) && !exists(q, u.key), "both are gone");
    ok(exists(q, w.key) && exists(q, a.key),
       "an accepted one never goes, a younger one not yet");

    /* parked by a clock that stood in 1970; a clock ahead of time */

    d = queue_order(q, "cl", "5", "aa", 0);
    (void) queue_claim(q, pool, "cl", "w1", 0, &job, &next);
    (void) queue_claim(q, pool, "cl", "w1", 0, &job, &next);
    outcome_init(&out, &job, B24_STATE_PARKED);
    (void) b24_queue_outcome(q, "w1", &job, &out, 0);
    is_int(job.record, d.record, "parked in 1970");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 1000 * DAY, &n);
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 1000 * DAY, &n);
    ok(exists(q, d.key), "isn't deleted when the clock is set right");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0, &n);
    is_int(queue_sql(q, "SELECT count(*) FROM records"
                        " WHERE warned = 1700000000000"), 1,
           "announced by a clock ahead: announced again");
    (void) b24_queue_retry(q, d.key, 0, NULL, T0, &state);
    is_int(queue_sql(q, "SELECT count(*) FROM records"
                        " WHERE warned IS NOT NULL AND state = 'accepted'"), 0,
           "a retry ends it");

    /* pages are given back, the WAL is emptied */

    (void) queue_sql(q,
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < 3000) INSERT INTO records (origin, reuse, rule,"
        " fingerprint, state, event, arrived, accepted, created, updated,"
        " delivered) SELECT 'bulk', 0, '', hex(zeroblob(1500)), 'delivered',"
        " 0, 0, 0, 0, 0, 0 FROM c");
    bytes = queue_sql(q, "PRAGMA page_count");
    (void) b24_queue_clean(q, 30 * DAY, 5000, T0, &n);
    is_int(n, 3000, "three thousand go");
    ok(queue_sql(q, "PRAGMA page_count") <= bytes - 256,
       "the file becomes smaller");
    is_int(queue_sql(q, "PRAGMA wal_checkpoint"), 0, "the WAL isn't busy");

    b24_queue_close(q);
}


static void
test_limit(void)
{
    b24_queue_t             *q;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    q = queue_open(queue_path("limit.db"));
    b24_queue_limit(q, 3);

    (void) queue_order(q, "lim", "1", "a", T0);
    (void) queue_order(q, "lim", "2", "a", T0);
    (void) queue_order(q, "lim", "3", "a", T0);

    queue_put_init(&put, "lim", "4", "a", T0);
    (void) b24_queue_begin(q);
    is_int(b24_queue_put(q, &put, &a), B24_QUEUE_LIMIT, "three are kept");
    put.order_id = str("3");
    is_int(b24_queue_put(q, &put, &a), B24_QUEUE_OK,
           "the transaction goes on: a duplicate needs no room");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");

    (void) deliver(q, "lim", 1, T0);
    put.order_id = str("4");
    is_int(queue_put1(q, &put, &a), B24_QUEUE_OK, "a delivered one gives way");
    is_int(queue_sql(q, "SELECT count(*) FROM records"), 3, "three again");
    put.order_id = str("5");
    is_int(queue_put1(q, &put, &a), B24_QUEUE_LIMIT, "no more");

    b24_queue_limit(q, 0);
    is_int(queue_put1(q, &put, &a), B24_QUEUE_OK, "without a limit");

    check_counts(q, "limit");
    b24_queue_close(q);
}


int
main(void)
{
    b24_queue_t  *q;

    (void) queue_mkdir();

    pool = b24_pool_create(0);
    q = queue_open(queue_path("q.db"));

    test_names();
    test_keys();
    test_open();
    test_put_new(q);
    test_put_twice(q);
    test_put_unconfirmed(q);
    test_texts(q);
    test_claim(q);
    test_attempt(q);
    test_outcomes(q);
    test_clock(q);
    test_events(q);
    test_counts(q);
    test_list(q);

    is_int(queue_sql(q, "SELECT count(*) FROM pragma_integrity_check"
                        " WHERE integrity_check <> 'ok'"), 0, "integrity");
    is_int(queue_sql(q, "SELECT count(*) FROM pragma_foreign_key_check"), 0,
           "foreign keys");

    b24_queue_close(q);

    test_clean();
    test_limit();

    b24_pool_destroy(pool);
    queue_rmdir(queue_dir);

    return done_testing();
}
