
/* What of a portal is known without asking it. */

#include "queue.h"

#include <fcntl.h>


#define AGE  (30 * DAY)


static b24_queue_fact_t
fact(const char *portal, b24_fact_e kind, const char *key, int64_t id)
{
    b24_queue_fact_t  f;

    f.portal = str(portal);
    f.kind = kind;
    f.key = str(key);
    f.id = id;

    return f;
}


static void
learn(b24_queue_t *q, const char *portal, b24_fact_e kind, const char *key,
    int64_t id, int64_t now)
{
    b24_queue_rc_e    rc;
    b24_queue_fact_t  f;

    f = fact(portal, kind, key, id);
    rc = b24_queue_learn(q, &f, 1, now);

    if (rc != B24_QUEUE_OK) {
        ok(0, "learn: %d %s", rc, b24_queue_message(q));
    }
}


/* -1: an error */

static int64_t
recall(b24_queue_t *q, const char *portal, b24_fact_e kind, const char *key,
    int64_t now)
{
    b24_queue_fact_t  f;

    f = fact(portal, kind, key, 4711);

    return b24_queue_recall(q, &f, 1, AGE, now) == B24_QUEUE_OK ? f.id : -1;
}


static void
test_known(void)
{
    b24_queue_t       *q, *other;
    b24_queue_fact_t   f[5];

    q = queue_open(queue_path("known.db"));

    is_int(recall(q, "a.example", B24_FACT_PHONE, "+79990000001", T0), 0,
           "nothing is known at first");
    is_int(b24_queue_recall(q, NULL, 0, AGE, T0), B24_QUEUE_OK, "of nothing");
    is_int(b24_queue_learn(q, NULL, 0, T0), B24_QUEUE_OK, "nothing to learn");

    f[0] = fact("a.example", B24_FACT_PHONE, "+79990000001", 1);
    f[1] = fact("a.example", B24_FACT_EMAIL, "a@example.com", 1);
    f[2] = fact("a.example", B24_FACT_COMPANY, "7707083893", 2);
    f[3] = fact("a.example", B24_FACT_PRODUCT, "A-1", 3);
    f[4] = fact("b.example", B24_FACT_PHONE, "+79990000001", INT64_MAX);
    is_int(b24_queue_learn(q, f, 5, T0), B24_QUEUE_OK, "five facts");

    f[0].id = f[1].id = f[2].id = f[3].id = f[4].id = -5;
    f[1].key = str("unknown@example.com");
    is_int(b24_queue_recall(q, f, 5, AGE, T0), B24_QUEUE_OK, "asked together");
    is_int(f[0].id, 1, "a phone");
    is_int(f[1].id, 0, "an address that is not known");
    is_int(f[2].id, 2, "a company");
    is_int(f[3].id, 3, "a product");
    ok(f[4].id == INT64_MAX, "the phone at another portal");

    is_int(recall(q, "a.example", B24_FACT_EMAIL, "+79990000001", T0), 0,
           "the key of another kind");
    is_int(recall(q, "c.example", B24_FACT_PHONE, "+79990000001", T0), 0,
           "a portal nothing is known of");
    is_int(recall(q, "a.exampl", B24_FACT_PHONE, "e+79990000001", T0), 0,
           "portal and key are not run together");

    /* one connection learns, another one recalls */

    other = queue_open(queue_path("known.db"));
    learn(other, "a.example", B24_FACT_PHONE, "+79990000001", 9, T0 + 1);
    is_int(recall(q, "a.example", B24_FACT_PHONE, "+79990000001", T0 + 1), 9,
           "it is another contact now");
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 5, "in the same row");
    is_int(queue_sql(q, "SELECT n FROM sizes WHERE name = 'facts'"), 5,
           "rows are counted");
    b24_queue_close(other);

    /* nobody's phone is not everybody's */

    learn(q, "a.example", B24_FACT_PHONE, "", 7, T0);
    is_int(recall(q, "a.example", B24_FACT_PHONE, "", T0), 0, "an empty key");
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 5, "is not kept");

    f[0] = fact("a.example", B24_FACT_PHONE, "+79990000002", 8);
    f[1] = fact("a.example", B24_NFACTS, "x", 8);
    is_int(b24_queue_learn(q, f, 2, T0), B24_QUEUE_ERROR, "no such kind");
    is_int(recall(q, "a.example", B24_FACT_PHONE, "+79990000002", T0), 0,
           "all of a call or nothing");
    is_int(recall(q, "a.example", B24_NFACTS, "x", T0), 0,
           "nothing is known of no kind");

    b24_queue_close(q);
}


static void
test_age(void)
{
    b24_queue_t  *q;

    q = queue_open(queue_path("age.db"));

    learn(q, "a", B24_FACT_PHONE, "1", 1, T0);
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0 + AGE), 1, "old enough");
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0 + AGE + 1), 0, "too old");
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0 - DAY), 1,
           "a clock that was set back a day");
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0 - DAY - 1), 0,
           "or by more");

    learn(q, "a", B24_FACT_PHONE, "1", 1, T0 + AGE);
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0 + AGE + AGE), 1,
           "learned again: young again");

    b24_queue_close(q);
}


static void
test_forget(void)
{
    b24_queue_t       *q;
    b24_queue_fact_t   f[3];

    q = queue_open(queue_path("forget.db"));

    learn(q, "a", B24_FACT_PHONE, "1", 5, T0);
    learn(q, "a", B24_FACT_PHONE, "2", 5, T0);
    learn(q, "a", B24_FACT_PHONE, "3", 6, T0);
    learn(q, "a", B24_FACT_EMAIL, "1", 5, T0);
    learn(q, "b", B24_FACT_PHONE, "1", 5, T0);

    learn(q, "a", B24_FACT_PHONE, "3", 0, T0);
    is_int(recall(q, "a", B24_FACT_PHONE, "3", T0), 0, "one key is forgotten");
    learn(q, "a", B24_FACT_PHONE, "unknown", 0, T0);
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 4, "only that");

    learn(q, "a", B24_FACT_PHONE, "", -5, T0);
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0), 0, "all that lead to it");
    is_int(recall(q, "a", B24_FACT_PHONE, "2", T0), 0, "each of them");
    is_int(recall(q, "a", B24_FACT_EMAIL, "1", T0), 5, "not of another kind");
    is_int(recall(q, "b", B24_FACT_PHONE, "1", T0), 5, "nor portal");
    is_int(queue_sql(q, "SELECT n FROM sizes WHERE name = 'facts'"), 2,
           "rows are counted");

    /* merged: what led to 5 leads to 7 now */

    f[0] = fact("a", B24_FACT_EMAIL, "1", -5);
    f[1] = fact("a", B24_FACT_EMAIL, "1", 7);
    f[2] = fact("a", B24_FACT_EMAIL, "", INT64_MIN);
    is_int(b24_queue_learn(q, f, 3, T0), B24_QUEUE_OK, "in the order given");
    is_int(recall(q, "a", B24_FACT_EMAIL, "1", T0), 7, "it leads to another");

    b24_queue_close(q);
}


/* with an outcome, or not at all */

static void
test_outcome(void)
{
    int64_t                  next;
    b24_pool_t              *pool;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_fact_t         f[2];
    b24_queue_outcome_t      out;

    q = queue_open(queue_path("outcome.db"));
    pool = b24_pool_create(0);

    (void) queue_order(q, "shop", "1", "a", T0);
    (void) queue_claim(q, pool, "shop", "w1", T0, &job, &next);

    f[0] = fact("a", B24_FACT_PHONE, "1", 5);
    f[1] = fact("a", B24_NFACTS, "1", 5);

    memset(&out, 0, sizeof(b24_queue_outcome_t));
    out.state = B24_STATE_DELIVERED;
    out.deal_id = 10;
    out.facts = f;
    out.nfacts = 2;

    is_int(b24_queue_outcome(q, "w1", &job, &out, T0), B24_QUEUE_ERROR,
           "facts that can't be written");
    is_int(queue_sql(q, "SELECT count(*) FROM records"
                        " WHERE state = 'delivered'"), 0,
           "the outcome isn't either");

    out.nfacts = 1;
    is_int(b24_queue_outcome(q, "w2", &job, &out, T0), B24_QUEUE_STALE,
           "not the owner");
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0), 0, "nothing is learned");

    is_int(b24_queue_outcome(q, "w1", &job, &out, T0), B24_QUEUE_OK,
           "delivered");
    is_int(recall(q, "a", B24_FACT_PHONE, "1", T0), 5, "and learned");

    b24_pool_destroy(pool);
    b24_queue_close(q);
}


/* with the attempt that puts a buyer in doubt, and when that was */

static void
test_attempt(void)
{
    int64_t                  next;
    b24_pool_t              *pool;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_fact_t         f[2];

    q = queue_open(queue_path("attempt.db"));
    pool = b24_pool_create(0);

    (void) queue_order(q, "shop", "1", "a", T0);
    (void) queue_claim(q, pool, "shop", "w1", T0, &job, &next);

    f[0] = fact("a", B24_FACT_DOUBT, "1", job.record);
    f[1] = fact("a", B24_FACT_PHONE, "1", 0);

    job.facts = f;
    job.nfacts = 1;

    is_int(b24_queue_attempt(q, "w2", &job, 1 << B24_STEP_CONTACT, "batch",
                             NULL, 1000, T0 + 5),
           B24_QUEUE_STALE, "an attempt of another owner");
    is_int(recall(q, "a", B24_FACT_DOUBT, "1", T0), 0, "nothing is learned");

    is_int(b24_queue_attempt(q, "w1", &job, 1 << B24_STEP_CONTACT, "batch",
                             NULL, 1000, T0 + 5),
           B24_QUEUE_OK, "an attempt");

    f[0].id = 0;
    is_int(b24_queue_recall(q, f, 2, 1000, T0 + 6), B24_QUEUE_OK, "recall");
    is_int(f[0].id, job.record, "the record in doubt");
    is_int(f[0].time, T0 + 5, "since the attempt");
    is_int(f[1].id, 0, "which is no phone of a contact");
    is_int(f[1].time, 0, "nor has it a time");

    is_int(b24_queue_recall(q, f, 1, 1000, T0 + 1006), B24_QUEUE_OK,
           "recall later");
    is_int(f[0].id, 0, "it is over");

    b24_pool_destroy(pool);
    b24_queue_close(q);
}


/* reads all of a file, says whether the text is in it */

static int
file_has(const char *path, const char *text)
{
    int              fd, has;
    static u_char    data[4 * 1024 * 1024];
    ssize_t          n, got;
    b24_str_t        s;

    fd = open(path, O_RDONLY);
    if (fd < 0) {
        return 0;
    }

    for (n = 0; n < (ssize_t) sizeof(data); n += got) {
        got = read(fd, data + n, sizeof(data) - (size_t) n);

        if (got <= 0) {
            break;
        }
    }

    (void) close(fd);

    s.data = data;
    s.len = (size_t) n;
    has = b24_str_find(&s, 0, text) >= 0;

    return has;
}


static void
test_discreet(void)
{
    char         *path;
    int64_t       hash, salt;
    b24_queue_t  *q;

    path = queue_path("discreet.db");
    q = queue_open(path);
    learn(q, "portal.example", B24_FACT_PHONE, "+79991234567", 1, T0);
    learn(q, "portal.example", B24_FACT_EMAIL, "buyer@mail.example", 1, T0);
    hash = queue_sql(q, "SELECT id_hash FROM facts WHERE kind = 'phone'");
    salt = queue_sql(q, "SELECT length(salt) FROM secrets");
    is_int(salt, 16, "a key of 128 bits");
    b24_queue_close(q);

    ok(file_has(path, "portal.example"), "the host can be read in the file");
    ok(!file_has(path, "9991234567"), "a phone can't");
    ok(!file_has(path, "buyer@mail"), "an address can't");

    q = queue_open(queue_path("discreet2.db"));
    learn(q, "portal.example", B24_FACT_PHONE, "+79991234567", 1, T0);
    ok(queue_sql(q, "SELECT id_hash FROM facts") != hash,
       "another file, another hash");

    /* lost for whatever reason: a cache is empty, no more */

    (void) queue_sql(q, "DELETE FROM secrets");
    is_int(recall(q, "portal.example", B24_FACT_PHONE, "+79991234567", T0), 0,
           "without the key nothing is known");
    learn(q, "portal.example", B24_FACT_PHONE, "+79991234567", 2, T0);
    is_int(recall(q, "portal.example", B24_FACT_PHONE, "+79991234567", T0), 2,
           "then a new one is made");

    b24_queue_close(q);
}


static void
test_bounded(void)
{
    int           i, n;
    char          key[24];
    b24_queue_t  *q;

    q = queue_open(queue_path("bounded.db"));
    is_int(q->max_facts, 1000000, "facts kept at most");
    q->max_facts = 100;

    for (i = 0; i < 150; i++) {
        (void) snprintf(key, sizeof(key), "%d", i);
        learn(q, "a", B24_FACT_PRODUCT, key, i + 1, T0 + i);
    }

    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 100,
           "the oldest make room");
    is_int(recall(q, "a", B24_FACT_PRODUCT, "49", T0 + 150), 0, "the old");
    is_int(recall(q, "a", B24_FACT_PRODUCT, "50", T0 + 150), 51, "the new");

    /* learned again: it doesn't count twice */

    learn(q, "a", B24_FACT_PRODUCT, "50", 51, T0 + 150);
    is_int(recall(q, "a", B24_FACT_PRODUCT, "51", T0 + 150), 52,
           "one that is known takes no room");

    q->max_facts = 60;
    is_int(b24_queue_clean(q, AGE, 30, T0 + 150, &n), B24_QUEUE_OK, "clean");
    is_int(n, 0, "no record went");
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 70, "in small steps");
    (void) b24_queue_clean(q, AGE, 30, T0 + 150, &n);
    (void) b24_queue_clean(q, AGE, 30, T0 + 150, &n);
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 60, "down to the most");
    is_int(recall(q, "a", B24_FACT_PRODUCT, "50", T0 + 150), 51,
           "by when they were learned last");

    q->max_facts = 1000;
    learn(q, "a", B24_FACT_PRODUCT, "future", 1, T0 + 2 * AGE);

    (void) b24_queue_clean(q, AGE, 10, T0 + AGE + 120, &n);
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 51,
           "keep is over: in small steps");
    (void) b24_queue_clean(q, AGE, 1000, T0 + AGE + 120, &n);
    is_int(queue_sql(q, "SELECT min(time) FROM facts"), T0 + 121,
           "all that are as old");
    is_int(queue_sql(q, "SELECT max(time) FROM facts"), T0 + 150,
           "and what is of the future");
    is_int(queue_sql(q, "SELECT n - (SELECT count(*) FROM facts) FROM sizes"),
           0, "rows are counted");

    b24_queue_close(q);
}


int
main(void)
{
    (void) queue_mkdir();

    test_known();
    test_age();
    test_forget();
    test_outcome();
    test_attempt();
    test_discreet();
    test_bounded();

    queue_rmdir(queue_dir);

    return done_testing();
}
