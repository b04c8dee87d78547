
/*
 * Many calls of the courier in one commit, and the claims of one that has a
 * backlog.
 */

#define _GNU_SOURCE

#include "queue.h"
#include "children.h"

#include <errno.h>
#include <sys/syscall.h>


#define ORDERS   400
#define TAKERS   4
#define MANY     20
#define KILLS    10


static int       full;              /* no space is left on the disk */
static int64_t   syncs;

static ssize_t  (*real_pwrite)(int fd, const void *p, size_t n, off_t offset);


static ssize_t
faulty_pwrite(int fd, const void *p, size_t n, off_t offset)
{
    if (full) {
        errno = ENOSPC;
        return -1;
    }

    return real_pwrite(fd, p, n, offset);
}


/* SQLite's flushes come here instead of into the library */

int
fdatasync(int fd)
{
    syncs++;

    return (int) syscall(SYS_fdatasync, fd);
}


static void
calls_init(void)
{
    size_t               i;
    sqlite3_vfs         *vfs;
    sqlite3_syscall_ptr  real;

    static const char *const  writes[] = { "pwrite", "pwrite64" };

    vfs = sqlite3_vfs_find(NULL);

    for (i = 0; i < 2; i++) {
        real = vfs->xGetSystemCall(vfs, writes[i]);

        if (real) {
            memcpy(&real_pwrite, &real, sizeof(real));
            (void) vfs->xSetSystemCall(vfs, writes[i],
                                       (sqlite3_syscall_ptr) faulty_pwrite);
        }
    }

    if (real_pwrite == NULL) {
        printf("Bail out! SQLite's writes can't be replaced\n");
        exit(2);
    }
}


/* orders 1 .. n of an origin, a second after each other */

static void
orders(b24_queue_t *q, const char *origin, int n)
{
    int   i;
    char  id[24];

    for (i = 1; i <= n; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        (void) queue_order(q, origin, id, id, T0 + i * 1000);
    }
}


static void
delivered(b24_queue_outcome_t *out, const b24_queue_job_t *job)
{
    memset(out, 0, sizeof(b24_queue_outcome_t));

    out->state = B24_STATE_DELIVERED;
    out->deal_id = 1000 + job->record;
}


static int64_t
count(b24_queue_t *q, const char *origin, const char *state)
{
    char  sql[160];

    (void) snprintf(sql, sizeof(sql), "SELECT count(*) FROM records"
                    " WHERE origin = '%s' AND state = '%s'", origin, state);

    return queue_sql(q, sql);
}


static void
claim_n(b24_queue_t *q, b24_pool_t **pools, const char *origin, int64_t now,
    b24_queue_job_t *jobs, size_t n)
{
    size_t     got;
    int64_t    next;
    b24_str_t  o;

    o = str(origin);

    is_int(b24_queue_claim_many(q, pools, &o, 1, "w1", MINUTE, now, jobs, n,
                                &got, &next), B24_QUEUE_OK, "claimed at once");
    is_int((int64_t) got, (int64_t) n, "as many as were asked for");
}


static void
test_group(b24_queue_t *q, b24_pool_t **pools)
{
    int                  i;
    int64_t              before, next;
    b24_queue_t         *other;
    b24_queue_job_t      jobs[5], job;
    b24_queue_fact_t     fact;
    b24_queue_outcome_t  out;

    orders(q, "group", 5);
    other = queue_open(queue_path("group.db"));

    memset(&fact, 0, sizeof(b24_queue_fact_t));
    fact.portal = str("portal");
    fact.key = str("+70000000000");
    fact.id = 7;

    before = syncs;

    is_int(b24_queue_group_begin(q), B24_QUEUE_OK, "a group begins");
    is_int(b24_queue_group_begin(q), B24_QUEUE_ERROR, "none in it");
    claim_n(q, pools, "group", T0 + HOUR, jobs, 4);

    for (i = 0; i < 3; i++) {
        is_int(b24_queue_attempt(q, "w1", &jobs[i], 4, "batch", NULL, MINUTE,
                                 T0 + HOUR), B24_QUEUE_OK, "an attempt");
        delivered(&out, &jobs[i]);
        out.facts = &fact;
        out.nfacts = 1;
        is_int(b24_queue_outcome(q, i == 1 ? "w2" : "w1", &jobs[i], &out,
                                 T0 + HOUR),
               i == 1 ? B24_QUEUE_STALE : B24_QUEUE_OK, "its outcome");
    }

    fact.id = 0;
    is_int(b24_queue_recall(q, &fact, 1, DAY, T0 + HOUR), B24_QUEUE_OK,
           "a look-up in between");
    is_int(fact.id, 7, "knows what the group has learned");

    is_int(queue_claim(q, pools[4], "group", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_OK, "a single one is claimed");
    is_int(queue_claim(q, pools[4], "group", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_NONE, "there is no other");

    is_int(count(other, "group", "accepted"), 5, "nobody else sees any of it");
    is_int(syncs, before, "nothing was flushed");

    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "the end");
    is_int(syncs - before, 1, "was flushed once");

    is_int(count(other, "group", "delivered"), 2, "what was done counts");
    is_int(count(other, "group", "sending"), 3, "what was claimed");
    is_int(queue_sql(other, "SELECT count(*) FROM links"), 2,
           "what failed is undone");
    is_int(queue_sql(other, "SELECT count(*) FROM timeline WHERE"
                            " state = 'delivered'"), 2, "all of it");
    is_int(queue_sql(other, "SELECT count(*) FROM steps"), 3,
           "and nothing else");
    is_int(queue_sql(other, "SELECT sum(n) FROM counts WHERE"
                            " origin = 'group'"), 5, "counts");

    is_int(b24_queue_group_end(q), B24_QUEUE_ERROR, "an end without a group");

    is_int(b24_queue_group_begin(q), B24_QUEUE_OK, "an empty one");
    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "ends");

    delivered(&out, &jobs[1]);
    is_int(b24_queue_outcome(q, "w1", &jobs[1], &out, T0 + HOUR), B24_QUEUE_OK,
           "afterwards all is as usual");

    b24_queue_close(other);
}


/* the intake's transactions are parts of a group, too */

static void
test_put(b24_queue_t *q)
{
    b24_str_t                data;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a, b;

    data = str("{}");

    is_int(b24_queue_group_begin(q), B24_QUEUE_OK, "a group");

    (void) b24_queue_begin(q);
    queue_put_init(&put, "puts", "1", "a", T0);
    (void) b24_queue_put(q, &put, &a);
    b24_queue_rollback(q);

    a = queue_order(q, "puts", "2", "b", T0);
    b = queue_order(q, "puts", "3", "c", T0);
    ok(a.record != b.record, "two orders");

    (void) b24_queue_begin(q);
    is_int(b24_queue_event(q, a.record, B24_EV_STATUS, &data, T0),
           B24_QUEUE_OK, "a later event");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "is kept");

    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "the end");
    is_int(count(q, "puts", "accepted"), 2, "the one rolled back isn't there");
    is_int(queue_sql(q, "SELECT count(*) FROM events e JOIN records r"
                        " ON r.id = e.record WHERE origin = 'puts'"), 3,
           "each has its events");
}


static void
test_full(b24_pool_t **pools)
{
    int                  i, k;
    char                *path;
    b24_str_t            link;
    b24_queue_t         *q;
    b24_queue_job_t      jobs[3];
    b24_queue_rc_e       rc;
    b24_queue_outcome_t  out;

    path = queue_path("full.db");
    q = queue_open(path);
    orders(q, "full", 6);
    claim_n(q, pools, "full", T0 + HOUR, jobs, 3);

    link.data = malloc(9 * 1024 * 1024);
    link.len = 9 * 1024 * 1024;

    if (link.data == NULL) {
        printf("Bail out! memory\n");
        exit(2);
    }

    memset(link.data, 'x', link.len);

    /* at the commit, and before it, as soon as the cache is full */

    for (i = 0; i < 2; i++) {
        (void) b24_queue_group_begin(q);
        full = 1;
        rc = B24_QUEUE_OK;

        for (k = 0; k < 3; k++) {
            delivered(&out, &jobs[k]);

            if (i && k == 1) {
                out.link = link;
            }

            rc = b24_queue_outcome(q, "w1", &jobs[k], &out, T0 + HOUR);
        }

        is_int(rc, i ? B24_QUEUE_FULL : B24_QUEUE_OK, "the last call");
        is_int(b24_queue_group_end(q), B24_QUEUE_FULL,
               "the end says that the disk is full");
        ok(strstr(b24_queue_message(q), "full") != NULL, "in SQLite's words");

        full = 0;

        is_int(count(q, "full", "sending"), 3, "nothing of the group counts");
        is_int(queue_sql(q, "SELECT count(*) FROM links"), 0, "no link");
        is_int(queue_sql(q, "SELECT count(*) FROM pragma_integrity_check"
                            " WHERE integrity_check <> 'ok'"), 0, "integrity");
    }

    (void) b24_queue_group_begin(q);

    for (k = 0; k < 3; k++) {
        delivered(&out, &jobs[k]);
        (void) b24_queue_outcome(q, "w1", &jobs[k], &out, T0 + HOUR);
    }

    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "with space it is done");
    is_int(count(q, "full", "delivered"), 3, "all three");

    /* the file goes while a group is under way */

    (void) b24_queue_group_begin(q);
    (void) queue_order(q, "full", "9", "9", T0);
    (void) rename(path, queue_path("away.db"));
    is_int(b24_queue_group_end(q), B24_QUEUE_IO, "the file was taken away");

    free(link.data);
    b24_queue_close(q);
}


/* an allocation that fails undoes one call, or all of them */

static void
test_pool(b24_queue_t *q, b24_pool_t **pools)
{
    int64_t           next;
    b24_pool_t       *small;
    b24_queue_job_t   job;

    orders(q, "pool", 2);
    small = b24_pool_create(4);

    (void) b24_queue_group_begin(q);
    is_int(queue_claim(q, pools[0], "pool", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_OK, "claimed");
    is_int(queue_claim(q, small, "pool", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_NOMEM, "no memory for the other");
    is_int(b24_queue_group_end(q), B24_QUEUE_OK, "the group ends well");
    is_int(count(q, "pool", "sending"), 1, "with the first");
    is_int(count(q, "pool", "accepted"), 1, "and without the other");

    b24_pool_destroy(small);
}


/* the sequence is that of single claims */

static void
fill_mixed(b24_queue_t *q, b24_pool_t *pool, const char *origin)
{
    int                  i;
    char                 id[24];
    int64_t              next;
    b24_str_t            data;
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    static const b24_state_e  states[] = {
        B24_STATE_WAITING, B24_STATE_DELIVERED, B24_STATE_WAITING,
        B24_STATE_DELIVERED, B24_STATE_SENDING, B24_STATE_WAITING
    };

    data = str("{}");
    orders(q, origin, 12);

    for (i = 0; i < 6; i++) {
        (void) queue_claim(q, pool, origin, "dead", T0 + 15000, &job, &next);

        delivered(&out, &job);
        out.state = states[i];
        out.next = T0 + HOUR + (i * 7 % 5) * 1000;

        if (states[i] != B24_STATE_SENDING) {
            (void) b24_queue_outcome(q, "dead", &job, &out, T0 + 15000);
        }

        (void) b24_queue_begin(q);

        if (states[i] == B24_STATE_DELIVERED) {
            (void) b24_queue_event(q, job.record, i == 1 ? B24_EV_STATUS
                                                         : B24_EV_LINK, &data,
                                   T0 + 15000);
        }

        (void) b24_queue_commit(q);
    }

    for (i = 13; i < 16; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        (void) queue_order(q, origin, id, id, T0 + HOUR + i * 500);
    }
}


static void
test_sequence(b24_queue_t *q, b24_pool_t **pools)
{
    int               i, n, single[20], many[20];
    size_t            got;
    int64_t           next, now;
    b24_str_t         o, none;
    b24_queue_job_t   jobs[20], job;

    now = T0 + 2 * HOUR;
    fill_mixed(q, pools[0], "seq");
    fill_mixed(q, pools[0], "sequence");

    n = 0;

    while (n < 20 && queue_claim(q, pools[0], "seq", "w1", now, &job, &next)
                     == B24_QUEUE_OK)
    {
        if (job.kind == B24_EV_NEW) {
            single[n++] = atoi((char *) job.order_id.data);
        }
    }

    is_int(n, 13, "single claims take all orders");

    o = str("sequence");
    is_int(b24_queue_due_count(q, &o, 1, now, 100, &i), B24_QUEUE_OK,
           "they are counted");
    is_int(i, 13, "orders only");
    (void) b24_queue_due_count(q, &o, 1, now, 5, &i);
    is_int(i, 5, "no more than asked for");
    (void) b24_queue_due_count(q, &o, 1, T0 + 20000, 100, &i);
    is_int(i, 9, "those whose time has not come are not");
    is_int(b24_queue_claim_many(q, pools, &o, 1, "w1", MINUTE, now, jobs, 4,
                                &got, &next), B24_QUEUE_OK, "four at once");
    is_int((int64_t) got, 4, "are there");
    is_int(b24_queue_claim_many(q, pools + 4, &o, 1, "w1", MINUTE, now,
                                jobs + 4, 16, &got, &next),
           B24_QUEUE_OK, "and the others");
    is_int((int64_t) got, 9, "of which there are less than asked for");
    is_int(next, now + MINUTE, "the next is that of a lease");

    for (i = 0; i < 13; i++) {
        many[i] = atoi((char *) jobs[i].order_id.data);
    }

    ok(memcmp(single, many, 13 * sizeof(int)) == 0, "the same sequence");

    is_int(b24_queue_claim_many(q, pools, &o, 1, "w1", MINUTE, now, jobs, 4,
                                &got, &next), B24_QUEUE_NONE, "no more");
    is_int((int64_t) got, 0, "none");
    is_int(queue_claim(q, pools[0], "sequence", "w1", now, &job, &next),
           B24_QUEUE_OK, "what follows an order is left");
    is_int(job.kind, B24_EV_LINK, "in its line");
    (void) queue_claim(q, pools[0], "sequence", "w1", now, &job, &next);
    is_int(job.kind, B24_EV_STATUS, "one by one");

    none = str("nothing");
    is_int(b24_queue_claim_many(q, pools, &none, 1, "w1", MINUTE, now, jobs, 4,
                                &got, &next), B24_QUEUE_NONE, "nothing");
    is_int(next, 0, "waits there");
}


static b24_queue_rc_e
fresh(b24_queue_t *q, b24_pool_t *pool, int64_t since, int64_t now,
    b24_queue_job_t *job, int64_t *next)
{
    b24_str_t  origins[2];

    origins[0] = str("fresh");
    origins[1] = str("newer");

    return b24_queue_claim_fresh(q, pool, origins, 2, "w1", MINUTE, since, now,
                                 job, next);
}


static void
test_fresh(b24_queue_t *q, b24_pool_t **pools)
{
    int                  i;
    int64_t              next, now;
    b24_str_t            data;
    b24_queue_job_t      job, later;
    b24_queue_outcome_t  out;

    now = T0 + HOUR;
    data = str("{}");

    orders(q, "fresh", 150);
    (void) queue_order(q, "newer", "1", "a", T0 + 20000);
    (void) queue_order(q, "fresh", "151", "b", T0 + 21000);

    is_int(fresh(q, pools[0], T0 + 20000, now, &job, &next), B24_QUEUE_OK,
           "the newest order");
    is_str(&job.order_id, "151", "is taken");
    is_int(fresh(q, pools[0], T0 + 20000, now, &job, &next), B24_QUEUE_OK,
           "the next");
    is_str(&job.origin, "newer", "of whichever shop");

    is_int(fresh(q, pools[0], T0 + 200000, now, &later, &next),
           B24_QUEUE_NONE, "all the others are the backlog's");
    is_int(next, 0, "of which it says nothing");

    /* what follows one */

    delivered(&out, &job);
    out.link = data;
    (void) b24_queue_outcome(q, "w1", &job, &out, now);

    is_int(fresh(q, pools[0], T0 + 200000, now, &later, &next), B24_QUEUE_OK,
           "what follows an order");
    is_int(later.kind, B24_EV_LINK, "is taken");
    delivered(&out, &later);
    out.state = B24_STATE_WAITING;
    out.next = now + 1000;
    (void) b24_queue_outcome(q, "w1", &later, &out, now);

    is_int(fresh(q, pools[0], T0 + 200000, now, &later, &next),
           B24_QUEUE_NONE, "it waits");
    is_int(next, now + 1000, "till then");
    is_int(fresh(q, pools[0], T0 + 200000, next, &later, &next), B24_QUEUE_OK,
           "its time has come");
    is_int(later.kind, B24_EV_LINK, "for that one");
    is_int(fresh(q, pools[0], T0 + 200000, now + HOUR, &later, &next),
           B24_QUEUE_OK, "a lease that has run out");
    is_int(later.kind, B24_EV_LINK, "is taken over");

    /* orders that wait are left */

    (void) queue_claim(q, pools[0], "fresh", "w1", now, &job, &next);
    delivered(&out, &job);
    out.state = B24_STATE_WAITING;
    out.next = now;
    (void) b24_queue_outcome(q, "w1", &job, &out, now);
    is_int(fresh(q, pools[0], T0 + 200000, now + 1, &later, &next),
           B24_QUEUE_NONE, "an order that was tried is the backlog's");

    /* an earlier version has put some into the line of the orders */

    (void) queue_sql(q, "UPDATE events SET id = 0 WHERE id ="
                        " (SELECT event FROM records WHERE origin = 'newer')");
    (void) queue_sql(q, "UPDATE records SET state = 'accepted', event = 0"
                        " WHERE origin = 'newer'");
    is_int(fresh(q, pools[0], T0 + 200000, now, &later, &next), B24_QUEUE_OK,
           "a later event among the orders");
    is_int(later.kind, B24_EV_LINK, "is found");

    /* a crowd of later events hides no fresh order, nor the other way round */

    (void) queue_sql(q, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT"
                        " i + 1 FROM c WHERE i < 500) INSERT INTO records"
                        " (origin, reuse, rule, fingerprint, state, event,"
                        " arrived, accepted, created, updated, delivered)"
                        " SELECT 'fresh', 0, '', '', 'accepted',"
                        " 140737488355328 + i, 1, 1, 1, 1, 1 FROM c");
    (void) queue_order(q, "fresh", "152", "c", now);
    is_int(fresh(q, pools[0], now, now, &job, &next), B24_QUEUE_OK,
           "among many that follow");
    is_str(&job.order_id, "152", "the fresh one");

    data = str("fresh");
    (void) b24_queue_due_count(q, &data, 1, now, 1000, &i);
    is_int(i, 150, "the orders among many others");
    (void) queue_sql(q, "DELETE FROM records WHERE rule = ''");
}


static void
test_renew(b24_queue_t *q, b24_pool_t **pools)
{
    int64_t          ids[3], next;
    b24_queue_job_t  jobs[3], job;

    orders(q, "renew", 3);
    claim_n(q, pools, "renew", T0 + HOUR, jobs, 3);

    ids[0] = jobs[0].record;
    ids[1] = jobs[2].record;
    ids[2] = 123456789;

    is_int(b24_queue_renew(q, "w2", ids, 3, HOUR, T0 + HOUR), B24_QUEUE_OK,
           "another's leases");
    is_int(b24_queue_renew(q, "w1", ids, 3, MINUTE, T0 + HOUR + 30000),
           B24_QUEUE_OK, "and ours");

    is_int(queue_claim(q, pools[0], "renew", "w2", T0 + HOUR + MINUTE, &job,
                       &next), B24_QUEUE_OK, "one has run out");
    is_int(job.record, jobs[1].record, "that was not prolonged");
    is_int(queue_claim(q, pools[0], "renew", "w2", T0 + HOUR + MINUTE, &job,
                       &next), B24_QUEUE_NONE, "the others have not");
    is_int(next, T0 + HOUR + 90000, "before that");

    /* that one is not ours any more */

    ids[0] = jobs[1].record;
    is_int(b24_queue_renew(q, "w1", ids, 1, HOUR, T0 + 2 * HOUR), B24_QUEUE_OK,
           "what was taken over");
    is_int(queue_claim(q, pools[0], "renew", "w3", T0 + 2 * HOUR, &job, &next),
           B24_QUEUE_OK, "has the lease");
    is_int(queue_claim(q, pools[0], "renew", "w3", T0 + 2 * HOUR, &job, &next),
           B24_QUEUE_OK, "of whom");
    is_int(queue_claim(q, pools[0], "renew", "w3", T0 + 2 * HOUR, &job, &next),
           B24_QUEUE_OK, "it was taken by");
}


static int
taker(const char *path, int n, int in, int out)
{
    int                  good;
    char                 owner[16];
    size_t               i, got;
    int64_t              next;
    b24_str_t            o;
    b24_pool_t          *pools[MANY];
    b24_queue_t         *q;
    b24_queue_job_t      jobs[MANY];
    b24_queue_rc_e       rc;
    b24_queue_outcome_t  results;

    (void) snprintf(owner, sizeof(owner), "w%d", n);
    o = str("takers");
    q = queue_open(path);
    (void) wait_byte(in);

    for ( ;; ) {
        good = 1;

        for (i = 0; i < MANY; i++) {
            pools[i] = b24_pool_create(0);
        }

        rc = b24_queue_claim_many(q, pools, &o, 1, owner, MINUTE, T0 + HOUR,
                                  jobs, (size_t) (MANY - n), &got, &next);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_group_begin(q);

            for (i = 0; rc == B24_QUEUE_OK && i < got; i++) {
                delivered(&results, &jobs[i]);
                good &= b24_queue_outcome(q, owner, &jobs[i], &results,
                                          T0 + HOUR) == B24_QUEUE_OK;
            }

            if (rc == B24_QUEUE_OK) {
                rc = b24_queue_group_end(q);
            }

            /* one byte for each group that counts */

            if (rc == B24_QUEUE_OK) {
                (void) send_byte(out);
            }
        }

        for (i = 0; i < MANY; i++) {
            b24_pool_destroy(pools[i]);
        }

        if (rc != B24_QUEUE_OK || !good) {
            break;
        }
    }

    b24_queue_close(q);

    return !(rc == B24_QUEUE_NONE && good);
}


static void
test_takers(void)
{
    int           k;
    char         *path;
    child_t       c[TAKERS];
    b24_queue_t  *q;

    path = queue_path("takers.db");
    q = queue_open(path);
    orders(q, "takers", ORDERS);
    b24_queue_close(q);

    for (k = 0; k < TAKERS; k++) {
        child_start(&c[k], taker, path, k);
    }

    for (k = 0; k < TAKERS; k++) {
        (void) send_byte(c[k].out);
    }

    for (k = 0; k < TAKERS; k++) {

        while (wait_byte(c[k].in) >= 0) {
            /* void */
        }

        is_int(child_wait(&c[k]), 0, "one of them takes orders in groups");
    }

    q = queue_open(path);
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE"
                        " state = 'delivered' AND attempts = 1"), ORDERS,
           "each was taken once");
    is_int(queue_sql(q, "SELECT count(*) FROM links"), ORDERS,
           "each has its link");
    is_int(queue_sql(q, "SELECT sum(n) FROM counts"), ORDERS, "counts");
    b24_queue_close(q);
}


/* killed at any moment: groups are there or not, none by half */

static void
test_kill(void)
{
    int           i, told, groups;
    char         *path;
    child_t       c;
    b24_queue_t  *q;

    for (i = 0; i < KILLS; i++) {
        path = queue_path("kill.db");
        q = queue_open(path);
        (void) queue_sql(q, "DELETE FROM records");
        (void) queue_sql(q, "DELETE FROM links");
        orders(q, "takers", 200);
        b24_queue_close(q);

        child_start(&c, taker, path, 0);
        (void) send_byte(c.out);

        for (told = 0; told <= i % 5 && wait_byte(c.in) >= 0; told++) {
            /* void */
        }

        b24_queue_sleep(i % 3);
        (void) kill(c.pid, SIGKILL);

        while (wait_byte(c.in) >= 0) {
            told++;
        }

        (void) child_wait(&c);

        q = queue_open(path);
        groups = (int) queue_sql(q, "SELECT count(*) FROM records"
                                    " WHERE state = 'delivered'");
        ok(groups % MANY == 0, "%d orders in whole groups", groups);
        groups /= MANY;
        ok(groups >= told && groups <= told + 1, "%d of them told, %d there",
           told, groups);
        is_int(count(q, "takers", "sending") % MANY, 0, "so with claims");
        b24_queue_close(q);
    }
}


int
main(void)
{
    int           i;
    b24_pool_t   *pools[MANY];
    b24_queue_t  *q;

    (void) signal(SIGPIPE, SIG_IGN);
    (void) queue_mkdir();

    for (i = 0; i < MANY; i++) {
        pools[i] = b24_pool_create(0);
    }

    /* processes first: what they open isn't open here */

    test_takers();
    test_kill();

    calls_init();
    q = queue_open(queue_path("group.db"));

    test_group(q, pools);
    test_put(q);
    test_pool(q, pools);
    test_sequence(q, pools);
    test_fresh(q, pools);
    test_renew(q, pools);
    test_full(pools);

    b24_queue_close(q);

    for (i = 0; i < MANY; i++) {
        b24_pool_destroy(pools[i]);
    }

    queue_rmdir(queue_dir);

    return done_testing();
}
