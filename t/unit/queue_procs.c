
/*
 * The durable queue used by several processes at once, some of which are
 * killed.  No clock decides: leases are times that are passed in, processes
 * wait for each other through pipes, random numbers are always the same.
 */

#define _GNU_SOURCE

#include "queue.h"
#include "children.h"


#define WRITERS   4
#define ORDERS    200               /* of each writer */
#define ALL       ((int64_t) WRITERS * ORDERS)
#define GROUP     3                 /* orders of a commit of those killed */
#define KILLS     25
#define OPENERS   6
#define LEAVERS   4
#define LEAVINGS  50
#define NUMBERS   40
#define PATIENCE  120000            /* ms; none of this takes seconds */


static unsigned  seed = 20261;


static unsigned
next_random(unsigned below)
{
    seed = seed * 1103515245u + 12345u;

    return (seed >> 16) % below;
}


/* all open a file that isn't there yet, at the same moment */

static int
opener(const char *path, int n, int in, int out)
{
    int              i, rc;
    char             name[160], err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;

    (void) n;

    for (i = 0; i < 10; i++) {
        (void) snprintf(name, sizeof(name), "%.140s.%d", path, i);

        if (send_byte(out) != 0 || wait_byte(in) < 0) {
            return 1;
        }

        rc = b24_queue_open(&q, name, err, sizeof(err));

        if (rc != B24_QUEUE_OK) {
            printf("# open: %d %s\n", rc, err);
            return 1;
        }

        (void) queue_order(q, "open", "", "a", T0);
        b24_queue_close(q);
    }

    return 0;
}


static void
test_openers(void)
{
    int           i, k, good;
    char          name[160];
    child_t       c[OPENERS];
    b24_queue_t  *q;

    for (k = 0; k < OPENERS; k++) {
        child_start(&c[k], opener, queue_path("openers.db"), k);
    }

    good = 1;

    for (i = 0; i < 10; i++) {

        for (k = 0; k < OPENERS; k++) {
            good &= wait_byte(c[k].in) >= 0;
        }

        for (k = 0; k < OPENERS; k++) {
            good &= send_byte(c[k].out) == 0;
        }
    }

    for (k = 0; k < OPENERS; k++) {
        good &= child_wait(&c[k]) == 0;
    }

    ok(good, "%d processes make the same file at once, ten times", OPENERS);

    good = 1;

    for (i = 0; i < 10; i++) {
        (void) snprintf(name, sizeof(name), "%.140s.%d",
                        queue_path("openers.db"), i);
        q = queue_open(name);
        good &= queue_sql(q, "SELECT count(*) FROM records") == OPENERS;
        b24_queue_close(q);
    }

    ok(good, "what each of them wrote is there");
}


/* all have written to one file, and leave it at the same moment */

static int
leaver(const char *path, int n, int in, int out)
{
    int           i;
    char          name[160];
    b24_queue_t  *q;

    for (i = 0; i < LEAVINGS; i++) {
        (void) snprintf(name, sizeof(name), "%.140s.%d", path, i);

        q = queue_open(name);
        (void) queue_order(q, n % 2 ? "odd" : "even", "", "a", T0 + n);

        if (send_byte(out) != 0 || wait_byte(in) < 0) {
            return 1;
        }

        b24_queue_close(q);

        if (send_byte(out) != 0 || wait_byte(in) < 0) {
            return 1;
        }
    }

    return 0;
}


static void
test_leavers(void)
{
    int      i, k, step, good, left;
    char     name[160];
    child_t  c[LEAVERS];

    for (k = 0; k < LEAVERS; k++) {
        child_start(&c[k], leaver, queue_path("leavers.db"), k);
    }

    good = 1;
    left = 0;

    for (i = 0; i < LEAVINGS; i++) {

        /* all are there; all are gone */

        for (step = 0; step < 2; step++) {

            for (k = 0; k < LEAVERS; k++) {
                good &= wait_byte(c[k].in) >= 0;
            }

            if (step == 1) {
                (void) snprintf(name, sizeof(name), "%.140s.%d-wal",
                                queue_path("leavers.db"), i);
                left += access(name, F_OK) == 0;
            }

            for (k = 0; k < LEAVERS; k++) {
                good &= send_byte(c[k].out) == 0;
            }
        }
    }

    for (k = 0; k < LEAVERS; k++) {
        good &= child_wait(&c[k]) == 0;
    }

    ok(good, "%d processes leave a file at once, %d times", LEAVERS, LEAVINGS);
    ok(left == 0, "and none leaves a WAL behind: %d", left);
}


static int
writer(const char *path, int n, int in, int out)
{
    int                      i, k;
    char                     id[32], fingerprint[24];
    b24_queue_t             *q;
    b24_queue_rc_e           rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    (void) in;
    (void) out;

    q = queue_open(path);

    for (i = 0; i < ORDERS; /* void */) {
        rc = b24_queue_begin(q);

        for (k = 0; rc == B24_QUEUE_OK && k <= i % 5 && i < ORDERS; k++, i++) {
            (void) snprintf(id, sizeof(id), "%d-%d", n, i);
            (void) snprintf(fingerprint, sizeof(fingerprint), "%d", i);
            queue_put_init(&put, i % 2 ? "odd" : "even", id, fingerprint,
                           T0 + i);
            rc = b24_queue_put(q, &put, &a);
        }

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_commit(q);
        }

        if (rc != B24_QUEUE_OK) {
            printf("# writer %d: %d %s\n", n, rc, b24_queue_message(q));
            return 1;
        }
    }

    b24_queue_close(q);

    return 0;
}


/* claims and delivers until all are delivered */

static int
deliver_all(b24_queue_t *q, int want, int64_t now)
{
    int                   n;
    int64_t               next, until;
    b24_str_t             origins[2];
    b24_pool_t           *pool;
    b24_queue_rc_e        rc;
    b24_queue_job_t       job;
    b24_queue_outcome_t   out;

    origins[0] = str("odd");
    origins[1] = str("even");
    until = b24_queue_monotonic() + PATIENCE;

    for (n = 0; n < want && b24_queue_monotonic() < until; /* void */) {
        pool = b24_pool_create(0);

        rc = b24_queue_claim(q, pool, origins, 2, "courier", MINUTE, now, &job,
                             &next);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_attempt(q, "courier", &job, 15, "batch", NULL,
                                   MINUTE, now);
        }

        if (rc == B24_QUEUE_OK) {
            memset(&out, 0, sizeof(b24_queue_outcome_t));
            out.state = B24_STATE_DELIVERED;
            out.deal_id = job.record;
            rc = b24_queue_outcome(q, "courier", &job, &out, now);
            n++;
        }

        b24_pool_destroy(pool);

        if (rc == B24_QUEUE_NONE) {
            b24_queue_sleep(1);

        } else if (rc != B24_QUEUE_OK) {
            printf("# courier: %d %s\n", rc, b24_queue_message(q));
            return -1;
        }
    }

    return n;
}


static void
test_writers(void)
{
    int           k, n;
    char         *path;
    child_t       c[WRITERS];
    b24_queue_t  *q;

    path = queue_path("writers.db");

    for (k = 0; k < WRITERS; k++) {
        child_start(&c[k], writer, path, k);
    }

    /* never opened before a fork: this process was not forked from after it */

    q = queue_open(path);
    n = deliver_all(q, (int) ALL, T0 + HOUR);

    for (k = 0; k < WRITERS; k++) {
        is_int(child_wait(&c[k]), 0, "a writer, never told BUSY");
    }

    is_int(n, ALL, "all were claimed meanwhile");
    is_int(queue_sql(q, "SELECT count(*) FROM records"
                        " WHERE state = 'delivered' AND attempts = 1"),
           ALL, "each once");
    is_int(queue_sql(q, "SELECT count(DISTINCT deal_id) FROM links"),
           ALL, "each has its link");
    is_int(queue_sql(q, "SELECT sum(n) FROM counts"), ALL,
           "and was counted");

    b24_queue_close(q);
}


/* the same order submitted through several workers at the same moment */

static int
submitter(const char *path, int n, int in, int out)
{
    int                      i;
    char                     id[24];
    u_char                   result;
    b24_queue_t             *q;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    (void) n;

    q = queue_open(path);

    for (i = 0; i < NUMBERS; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        queue_put_init(&put, "same", id, "a", T0);

        if (wait_byte(in) < 0 || queue_put1(q, &put, &a) != B24_QUEUE_OK) {
            return 1;
        }

        result = a.state == B24_STATE_ACCEPTED;

        if (write(out, &result, 1) != 1) {
            return 1;
        }
    }

    b24_queue_close(q);

    return 0;
}


static void
test_same(void)
{
    int           i, k, accepted, good;
    char         *path;
    child_t       c[WRITERS];
    b24_queue_t  *q;

    path = queue_path("same.db");

    for (k = 0; k < WRITERS; k++) {
        child_start(&c[k], submitter, path, k);
    }

    good = 1;

    for (i = 0; i < NUMBERS; i++) {
        accepted = 0;

        for (k = 0; k < WRITERS; k++) {
            (void) send_byte(c[k].out);
        }

        for (k = 0; k < WRITERS; k++) {
            accepted += wait_byte(c[k].in);
        }

        good &= accepted == 1;
    }

    for (k = 0; k < WRITERS; k++) {
        good &= child_wait(&c[k]) == 0;
    }

    ok(good, "one of %d is accepted, %d times", WRITERS, NUMBERS);

    q = queue_open(path);
    is_int(queue_sql(q, "SELECT n FROM counts WHERE state = 'accepted'"),
           NUMBERS, "a record of each");
    is_int(queue_sql(q, "SELECT n FROM counts WHERE state = 'duplicate'"),
           (int64_t) NUMBERS * (WRITERS - 1), "the others are counted");
    b24_queue_close(q);
}


/* commits groups and says so after each */

static int
committer(const char *path, int n, int in, int out)
{
    int                      i, k;
    char                     id[32];
    b24_queue_t             *q;
    b24_queue_rc_e           rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    (void) in;

    q = queue_open(path);

    for (i = 0; i < 100000; i++) {
        rc = b24_queue_begin(q);

        for (k = 0; rc == B24_QUEUE_OK && k < GROUP; k++) {
            (void) snprintf(id, sizeof(id), "%d-%d", n, i);
            queue_put_init(&put, "kill", "", id, T0);
            rc = b24_queue_put(q, &put, &a);
        }

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_commit(q);
        }

        if (rc != B24_QUEUE_OK || send_byte(out) != 0) {
            return 1;
        }
    }

    return 0;
}


static void
test_kill(void)
{
    int           i, wait, told, lost;
    char         *path, sql[200];
    child_t       c, other;
    int64_t       groups;
    b24_queue_t  *q;

    path = queue_path("kill.db");
    lost = 0;

    /* another one goes on writing meanwhile */

    child_start(&other, committer, path, KILLS);

    for (i = 0; i < KILLS; i++) {
        child_start(&c, committer, path, i);

        wait = 1 + (int) next_random(12);

        for (told = 0; told < wait && wait_byte(c.in) >= 0; told++) {
            /* void */
        }

        /* at any moment of what it does next */

        b24_queue_sleep((int) next_random(3));
        (void) kill(c.pid, SIGKILL);

        while (wait_byte(c.in) >= 0) {
            told++;
        }

        (void) child_wait(&c);
        (void) wait_byte(other.in);

        q = queue_open(path);
        (void) snprintf(sql, sizeof(sql),
                        "SELECT count(DISTINCT fingerprint) FROM records"
                        " WHERE fingerprint LIKE '%d-%%'", i);
        groups = queue_sql(q, sql);

        /* one more may have been committed and not told */

        lost += groups < told || groups > told + 1;
        b24_queue_close(q);
    }

    child_kill(&other);

    is_int(lost, 0, "no commit is lost when its process is killed");

    q = queue_open(path);
    (void) snprintf(sql, sizeof(sql),
                    "SELECT count(*) FROM (SELECT 1 FROM records"
                    " GROUP BY fingerprint HAVING count(*) <> %d)", GROUP);
    is_int(queue_sql(q, sql), 0, "and none is there by half");
    is_int(queue_sql(q, "SELECT count(*) FROM pragma_integrity_check"
                        " WHERE integrity_check <> 'ok'"), 0, "integrity");
    is_int(queue_sql(q, "SELECT (SELECT count(*) FROM records)"
                        " - (SELECT sum(n) FROM counts)"), 0, "counts");
    is_int(queue_sql(q, "SELECT count(*) FROM records r WHERE NOT EXISTS"
                        " (SELECT 1 FROM events e WHERE e.id = r.event"
                        " AND e.record = r.id)"), 0, "each has its event");
    b24_queue_close(q);
}


/* takes an order as far as the sending, then hangs */

static int
courier(const char *path, int n, int in, int out)
{
    int64_t           next;
    b24_pool_t       *pool;
    b24_queue_t      *q;
    b24_queue_job_t   job;

    q = queue_open(path);
    pool = b24_pool_create(0);

    if (queue_claim(q, pool, "lease", "dead", T0, &job, &next)
        != B24_QUEUE_OK)
    {
        return 1;
    }

    if (n) {
        job.contact_id = 5;

        if (b24_queue_attempt(q, "dead", &job, 1 << B24_STEP_DEAL, "batch",
                              NULL, MINUTE, T0)
            != B24_QUEUE_OK)
        {
            return 1;
        }
    }

    (void) send_byte(out);
    (void) wait_byte(in);

    return 0;
}


static void
test_lease(int attempt)
{
    char                    *path;
    int64_t                  next;
    child_t                  c;
    b24_pool_t              *pool;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_put_result_t   a;

    path = queue_path(attempt ? "lease1.db" : "lease0.db");
    pool = b24_pool_create(0);

    q = queue_open(path);
    a = queue_order(q, "lease", "1", "a", T0);
    b24_queue_close(q);

    child_start(&c, courier, path, attempt);
    ok(wait_byte(c.in) >= 0, "a courier holds it");
    child_kill(&c);

    q = queue_open(path);
    is_int(queue_claim(q, pool, "lease", "heir", T0 + MINUTE - 1, &job, &next),
           B24_QUEUE_NONE, "killed: nobody gets it before its lease ends");
    is_int(next, T0 + MINUTE, "which is known");
    is_int(queue_claim(q, pool, "lease", "heir", next, &job, &next),
           B24_QUEUE_OK, "then it is taken over");
    is_int(job.record, a.record, "that one");
    is_int(job.attempts, 2, "second attempt");
    is_int(job.steps[B24_STEP_DEAL], attempt ? B24_STEP_SENT : B24_STEP_OPEN,
           "what may have been sent is told");
    is_int(job.contact_id, attempt ? 5 : 0, "and what was known");

    b24_queue_close(q);
    b24_pool_destroy(pool);
}


int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    (void) queue_mkdir();

    test_openers();
    test_leavers();
    test_writers();
    test_same();
    test_kill();
    test_lease(0);
    test_lease(1);

    queue_rmdir(queue_dir);

    return done_testing();
}
