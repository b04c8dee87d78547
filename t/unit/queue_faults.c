
/*
 * The durable queue when something is wrong: files that can't be used, disks
 * that are full, locks, memory, and statements that would walk through all of
 * a million records.
 */

#define _GNU_SOURCE

#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>


static sqlite3_mem_methods  memory;
static long                 memory_left = -1;   /* -1: all that is wanted */
static long                 memory_failed;


static int
memory_out(void)
{
    if (memory_left < 0) {
        return 0;
    }

    if (memory_left == 0) {
        memory_failed++;
        return 1;
    }

    memory_left--;

    return 0;
}


static void *
memory_malloc(int size)
{
    return memory_out() ? NULL : memory.xMalloc(size);
}


static void *
memory_realloc(void *p, int size)
{
    return memory_out() ? NULL : memory.xRealloc(p, size);
}


static void
memory_init(void)
{
    sqlite3_mem_methods  methods;

    (void) sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);

    methods = memory;
    methods.xMalloc = memory_malloc;
    methods.xRealloc = memory_realloc;

    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) {
        printf("Bail out! SQLite's memory can't be replaced\n");
        exit(2);
    }
}


static void
is_open(const char *path, b24_queue_rc_e want, const char *name)
{
    char             err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    err[0] = '\0';
    rc = b24_queue_open(&q, path, err, sizeof(err));

    ok(rc == want && q == NULL && err[0] != '\0', "%s: %d \"%s\"", name, rc,
       err);

    b24_queue_close(q);
}


/* runs what in a process of its own, gives its exit status */

static int
in_child(int (*what)(void *data), void *data)
{
    int    i, status;
    pid_t  pid;

    (void) fflush(stdout);

    pid = fork();

    if (pid == 0) {
        i = what(data);
        (void) fflush(stdout);
        _exit(i);
    }

    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return 255;
    }

    return WEXITSTATUS(status);
}


static int
open_as_nobody(void *data)
{
    char             err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return 254;
    }

    rc = b24_queue_open(&q, data, err, sizeof(err));
    b24_queue_close(q);

    return rc;
}


static void
test_open(void)
{
    char         *path, sql[64];
    mode_t        mode;
    struct stat   before, after;
    b24_queue_t  *q;

    is_open(queue_path("none/q.db"), B24_QUEUE_IO, "no folder");
    is_open(queue_dir, B24_QUEUE_IO, "a folder");
    is_open("file:/tmp/b24-never.db", B24_QUEUE_IO, "a URI");
    is_open(":memory:", B24_QUEUE_IO, "a database in memory");
    is_open("", B24_QUEUE_IO, "no path");

    /* what is broken or no queue: see queue_aside.c */

    path = queue_path("newer.db");
    q = queue_open(path);
    (void) snprintf(sql, sizeof(sql), "PRAGMA user_version = %d",
                    B24_QUEUE_SCHEMA + 1);
    (void) queue_sql(q, sql);
    b24_queue_close(q);
    (void) stat(path, &before);
    is_open(path, B24_QUEUE_NEWER, "a newer schema");
    ok(stat(path, &after) == 0 && after.st_mtime == before.st_mtime
       && after.st_ino == before.st_ino && after.st_size == before.st_size,
       "it was left as it was");

    /* no right to write: the file, then the folder */

    path = queue_path("ro.db");
    q = queue_open(path);
    b24_queue_close(q);

    mode = geteuid() == 0 ? 0755 : 0555;
    (void) chmod(queue_dir, mode);
    (void) chmod(path, geteuid() == 0 ? 0644 : 0444);
    is_int(in_child(open_as_nobody, path), B24_QUEUE_READONLY,
           "a file of another user");
    is_int(in_child(open_as_nobody, queue_path("new.db")), B24_QUEUE_READONLY,
           "a folder of another user");
    (void) chmod(queue_dir, 0700);
}


static void
test_gone(void)
{
    char                    *path;
    int64_t                  next, change;
    size_t                   n;
    b24_pool_t              *pool;
    b24_queue_t             *q, *other;
    b24_queue_job_t          job;
    b24_queue_put_t          put;
    b24_queue_counts_t      *counts;
    b24_queue_put_result_t   a;

    path = queue_path("gone.db");
    pool = b24_pool_create(0);

    q = queue_open(path);
    queue_put_init(&put, "gone", "1", "a", T0);
    is_int(queue_put1(q, &put, &a), B24_QUEUE_OK, "put");

    (void) b24_queue_begin(q);
    put.order_id = str("2");
    is_int(b24_queue_put(q, &put, &a), B24_QUEUE_OK, "put once more");

    (void) rename(path, queue_path("aside.db"));

    ok(!b24_queue_same_file(q), "the file was renamed");
    is_int(b24_queue_commit(q), B24_QUEUE_IO, "a commit into it isn't one");
    b24_queue_rollback(q);

    is_int(queue_put1(q, &put, &a), B24_QUEUE_IO, "no put");
    is_int(queue_claim(q, pool, "gone", "w1", T0, &job, &next), B24_QUEUE_IO,
           "no claim");
    is_int(b24_queue_counts(q, pool, &counts, &n, &change), B24_QUEUE_IO,
           "no counts");

    other = queue_open(path);
    ok(!b24_queue_same_file(q), "another file stands there now");
    is_int(queue_put1(q, &put, &a), B24_QUEUE_IO, "still no put");
    is_int(queue_put1(other, &put, &a), B24_QUEUE_OK, "the new one takes it");

    b24_queue_close(q);
    b24_queue_close(other);
    b24_pool_destroy(pool);
}


static void
test_busy(void)
{
    char                    *path;
    int64_t                  start;
    b24_queue_t             *q, *other;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    path = queue_path("busy.db");
    q = queue_open(path);
    other = queue_open(path);

    queue_put_init(&put, "busy", "1", "a", T0);

    is_int(b24_queue_begin(other), B24_QUEUE_OK, "another one writes");
    is_int(b24_queue_begin(other), B24_QUEUE_ERROR, "one transaction a time");

    b24_queue_timeout(q, 0);
    is_int(queue_put1(q, &put, &a), B24_QUEUE_BUSY, "busy");
    ok(strstr(b24_queue_message(q), "locked") != NULL, "\"%s\"",
       b24_queue_message(q));

    b24_queue_timeout(q, 60);
    start = b24_queue_monotonic();
    is_int(queue_put1(q, &put, &a), B24_QUEUE_BUSY, "busy after a while");
    ok(b24_queue_monotonic() - start >= 60, "as long as was said");

    b24_queue_rollback(other);
    is_int(queue_put1(q, &put, &a), B24_QUEUE_OK, "then it is free");

    b24_queue_close(q);
    b24_queue_close(other);
}


/*
 * Puts until the disk is full, then as many smaller ones as fit.  Nothing that
 * was committed may be lost, nothing that wasn't may be there.
 */

static int
fill_disk(const char *path, b24_queue_rc_e *rc, int *kept)
{
    int                      i;
    char                     id[24];
    static char              data[20000];
    b24_queue_t             *q;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    q = queue_open(path);
    memset(data, 'd', sizeof(data) - 1);

    *rc = B24_QUEUE_OK;
    *kept = 0;

    for (i = 0; i < 5000 && *rc == B24_QUEUE_OK; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        queue_put_init(&put, "full", id, "a", T0);
        put.data = str(data);

        *rc = queue_put1(q, &put, &a);
        *kept += *rc == B24_QUEUE_OK;
    }

    printf("# %d kept, then %d \"%s\"\n", *kept, *rc, b24_queue_message(q));

    i = queue_put1(q, &put, &a) == *rc
        && queue_sql(q, "SELECT count(*) FROM records") == *kept
        && queue_sql(q, "SELECT n FROM counts") == *kept;

    b24_queue_close(q);

    return i;
}


static int
full_by_limit(void *data)
{
    int             good, kept, after;
    struct rlimit   limit;
    b24_queue_t    *q;
    b24_queue_rc_e  rc;

    /* the write beyond it then fails instead of ending the process */

    (void) signal(SIGXFSZ, SIG_IGN);

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 254;
    }

    limit.rlim_cur = 1048576;

    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 254;
    }

    good = fill_disk(data, &rc, &kept);

    limit.rlim_cur = limit.rlim_max;
    (void) setrlimit(RLIMIT_FSIZE, &limit);

    q = queue_open(data);
    (void) queue_order(q, "full", "after", "a", T0);
    after = (int) queue_sql(q, "SELECT count(*) FROM records");
    b24_queue_close(q);

    return good && rc == B24_QUEUE_FULL && kept > 5 && after == kept + 1 ? 0
                                                                         : 1;
}


static int
full_tmpfs(void *data)
{
    int              good, kept;
    char             path[200], err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    /* seen by this process only, gone with it */

    if (unshare(CLONE_NEWNS) != 0
        || mount("none", "/", NULL, MS_REC|MS_PRIVATE, NULL) != 0
        || mount("tmpfs", data, "tmpfs", 0, "size=2m") != 0)
    {
        return 77;
    }

    (void) snprintf(path, sizeof(path), "%.150s/q.db", (char *) data);

    good = fill_disk(path, &rc, &kept) && rc == B24_QUEUE_FULL && kept > 5;

    if (mount("tmpfs", data, "tmpfs", MS_REMOUNT, "size=16m") != 0) {
        return 2;
    }

    q = queue_open(path);
    (void) queue_order(q, "full", "after", "a", T0);
    good = good
           && queue_sql(q, "SELECT count(*) FROM records") == kept + 1;
    b24_queue_close(q);

    if (mount("tmpfs", data, "tmpfs", MS_REMOUNT|MS_RDONLY, NULL) != 0) {
        return 3;
    }

    rc = b24_queue_open(&q, path, err, sizeof(err));
    good = good && rc == B24_QUEUE_READONLY;
    b24_queue_close(q);

    (void) snprintf(path, sizeof(path), "%.150s/new.db", (char *) data);
    rc = b24_queue_open(&q, path, err, sizeof(err));
    good = good && rc == B24_QUEUE_READONLY;

    return good ? 0 : 1;
}


static void
test_full(void)
{
    int    rc;
    char  *dir;

    is_int(in_child(full_by_limit, queue_path("limit.db")), 0,
           "a limit of the file's size: FULL, and all is well after it");

    dir = queue_path("tmpfs");
    (void) mkdir(dir, 0700);

    rc = in_child(full_tmpfs, dir);

    if (rc == 77) {
        ok(1, "a full disk # SKIP no right to mount one");

    } else {
        is_int(rc, 0, "a full disk: FULL, then well; read-only: READONLY");
    }
}


/* an order's whole life, with as much memory as is left */

static b24_queue_rc_e
life(b24_queue_t *q, b24_pool_t *pool, int n)
{
    char                     id[24];
    size_t                   k;
    int64_t                  next, change;
    b24_str_t                data;
    b24_queue_rc_e           rc;
    b24_queue_put_t          put;
    b24_queue_job_t          job;
    b24_queue_counts_t      *counts;
    b24_queue_record_t      *r;
    b24_queue_moment_t      *m;
    b24_queue_fact_t         fact;
    b24_queue_outcome_t      out;
    b24_queue_put_result_t   a;

    (void) snprintf(id, sizeof(id), "%d", n);
    fact.portal = str("p");
    fact.kind = B24_FACT_EMAIL;
    fact.key = str(id);
    fact.id = n + 1;
    queue_put_init(&put, "oom", id, "a", T0);
    put.state = B24_STATE_UNCONFIRMED;

    rc = queue_put1(q, &put, &a);

    if (rc == B24_QUEUE_OK) {
        put.state = B24_STATE_ACCEPTED;
        rc = queue_put1(q, &put, &a);
    }

    if (rc == B24_QUEUE_OK) {
        data = str("{}");
        rc = b24_queue_begin(q);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_event(q, a.record, B24_EV_STATUS, &data, T0);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_commit(q);
    }

    if (rc == B24_QUEUE_OK) {
        rc = queue_claim(q, pool, "oom", "w1", T0, &job, &next);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_attempt(q, "w1", &job, 15, "batch", "c", MINUTE, T0);
    }

    if (rc == B24_QUEUE_OK) {
        memset(&out, 0, sizeof(b24_queue_outcome_t));
        out.state = B24_STATE_DELIVERED;
        out.deal_id = n;
        out.facts = &fact;
        out.nfacts = 1;
        rc = b24_queue_outcome(q, "w1", &job, &out, T0);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_recall(q, &fact, 1, MINUTE, T0);
    }

    if (rc == B24_QUEUE_OK && fact.id != n + 1) {
        rc = B24_QUEUE_ERROR;
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_counts(q, pool, &counts, &k, &change);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 10, &r, &k);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_get(q, pool, NULL, NULL, &put.order_id, &r, &k);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_timeline(q, pool, a.record, NULL, &m, &k);
    }

    b24_queue_rollback(q);

    return rc;
}


static void
test_memory(void)
{
    int                  i, bad, last;
    long                 allowed;
    char                *path;
    int64_t              next;
    b24_pool_t          *pool, *small;
    b24_queue_t         *q;
    b24_queue_job_t      job;
    b24_queue_rc_e       rc;

    path = queue_path("memory.db");
    q = queue_open(path);
    b24_queue_close(q);

    bad = 0;
    last = -1;

    /* each allocation of SQLite fails once, from opening on */

    for (allowed = 0, i = 0; allowed < 20000; i++) {
        pool = b24_pool_create(0);
        memory_failed = 0;
        memory_left = allowed;

        rc = b24_queue_open(&q, path, NULL, 0);

        if (rc == B24_QUEUE_OK) {
            rc = life(q, pool, i);
        }

        memory_left = -1;
        b24_queue_close(q);
        b24_pool_destroy(pool);

        /* where SQLite does without the memory, all is well */

        if (rc != B24_QUEUE_NOMEM && rc != B24_QUEUE_OK) {
            printf("# after %ld allocations: %d\n", allowed, rc);
            bad++;
        }

        last = (int) rc;

        if (memory_failed == 0) {
            break;
        }

        /* one at a time at first, where the statements are prepared */

        allowed += allowed < 300 ? 1 : 7;
    }

    ok(bad == 0, "no memory: NOMEM, whichever allocation fails (%ld of them)",
       allowed);
    is_int(last, B24_QUEUE_OK, "with enough of it all is done");

    q = queue_open(path);
    is_int(queue_sql(q, "SELECT count(*) FROM counts c WHERE c.state IN"
                        " ('accepted', 'sending', 'unconfirmed') AND c.n <>"
                        " (SELECT count(*) FROM records r"
                        " WHERE r.state = c.state)"), 0,
           "the queue is consistent");

    /* a pool with a limit: the claim isn't made */

    (void) queue_sql(q, "DELETE FROM records");
    (void) queue_order(q, "oom", "last", "a", T0);
    small = b24_pool_create(4);
    is_int(queue_claim(q, small, "oom", "w1", T0, &job, &next),
           B24_QUEUE_NOMEM, "a small pool: NOMEM");
    b24_pool_destroy(small);

    pool = b24_pool_create(0);
    is_int(queue_claim(q, pool, "oom", "w1", T0, &job, &next), B24_QUEUE_OK,
           "it wasn't claimed then");
    is_int(job.attempts, 1, "it is the first attempt");
    b24_pool_destroy(pool);
    b24_queue_close(q);
}


/* the ways of SQLite: an index for each step, but for the few counters */

static void
test_plans(void)
{
    int            i, rc, bad, steps;
    char           sql[2400];
    const char    *detail;
    b24_queue_t   *q;
    sqlite3_stmt  *stmt;

    q = queue_open(queue_path("plans.db"));
    steps = 0;

    for (i = 0; i < B24_SQL_N; i++) {
        (void) snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s",
                        b24_queue_sql((b24_sql_e) i));

        rc = sqlite3_prepare_v2(q->db, b24_queue_sql((b24_sql_e) i), -1, &stmt, NULL);
        ok(rc == SQLITE_OK, "prepared: %.60s...", b24_queue_sql((b24_sql_e) i));
        (void) sqlite3_finalize(stmt);

        if (i <= B24_SQL_ROLLBACK) {
            continue;
        }

        if (sqlite3_prepare_v2(q->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
            ok(0, "explained: %s", sqlite3_errmsg(q->db));
            continue;
        }

        bad = 0;

        while (sqlite3_step(stmt) == SQLITE_ROW) {
            detail = (const char *) sqlite3_column_text(stmt, 3);
            steps++;

            if ((strncmp(detail, "SCAN", 4) == 0
                 && strstr(detail, "SCAN counts") == NULL

                 /* 25 hours of them, and the newest is wanted */

                 && strcmp(detail, "SCAN points") != 0

                 /* one row; requests that are under way */

                 && strcmp(detail, "SCAN sqlite_sequence") != 0
                 && strcmp(detail, "SCAN captures") != 0

                 /* of one row each, made by the statement itself */

                 && strcmp(detail, "SCAN had") != 0
                 && strcmp(detail, "SCAN upto") != 0
                 && strstr(detail, " CONSTANT ROW") == NULL)
                || strstr(detail, "TEMP B-TREE") != NULL)
            {
                printf("# %s: %s\n", b24_queue_sql((b24_sql_e) i), detail);
                bad = 1;
            }
        }

        (void) sqlite3_finalize(stmt);

        ok(!bad, "no walk through a table");
    }

    ok(steps > 40, "SQLite told %d steps", steps);

    b24_queue_close(q);
}


/* nothing of all that is a reason to set a file aside */

static void
test_left(void)
{
    int             n;
    DIR            *dir;
    struct dirent  *de;

    n = 0;
    dir = opendir(queue_dir);

    while (dir && (de = readdir(dir)) != NULL) {

        /* a WAL whose file was moved away is */

        if (strstr(de->d_name, ".bad-") && !strstr(de->d_name, "-wal")) {
            printf("# %s\n", de->d_name);
            n++;
        }
    }

    ok(dir != NULL && n == 0, "no file was set aside");

    (void) closedir(dir);
}


int
main(void)
{
    memory_init();
    (void) queue_mkdir();

    test_open();
    test_gone();
    test_busy();
    test_full();
    test_memory();
    test_plans();

    test_left();

    queue_rmdir(queue_dir);

    return done_testing();
}
