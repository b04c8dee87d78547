
/*
 * A queue of an older version is brought up to date: all that is in it stays,
 * whoever else opens it, and wherever that is broken off.
 */

#define _GNU_SOURCE

#include "queue.h"
#include "children.h"
#include "queue_v1.h"

#include <errno.h>


#define OPENERS  6
#define ROUNDS   10


/* writes until the fault comes, 0: none does */
static int  fault_after;
static int  fault_signal;           /* else no space is left */
static int  fault_came;

static ssize_t  (*real_pwrite)(int fd, const void *p, size_t n, off_t offset);


/* the write that is at fault leaves half of its bytes */

static ssize_t
faulty_pwrite(int fd, const void *p, size_t n, off_t offset)
{
    if (fault_after == 0 || --fault_after > 0) {
        return real_pwrite(fd, p, n, offset);
    }

    fault_came = 1;

    if (fault_signal) {
        (void) real_pwrite(fd, p, n / 2, offset);
        (void) kill(getpid(), fault_signal);
    }

    /* a full disk stays full */

    fault_after = 1;
    errno = ENOSPC;

    return -1;
}


/* SQLite calls the one in place of the system's */

static void
faults_init(void)
{
    size_t       i;
    sqlite3_vfs  *vfs;

    static const char *const  names[] = { "pwrite", "pwrite64" };

    vfs = sqlite3_vfs_find(NULL);

    for (i = 0; i < 2; i++) {
        sqlite3_syscall_ptr  real;

        real = vfs->xGetSystemCall(vfs, names[i]);

        if (real == NULL) {
            continue;
        }

        memcpy(&real_pwrite, &real, sizeof(real));

        (void) vfs->xSetSystemCall(vfs, names[i],
                                   (sqlite3_syscall_ptr) faulty_pwrite);
    }

    if (real_pwrite == NULL) {
        printf("Bail out! SQLite's writes can't be replaced\n");
        exit(2);
    }
}


/* a file of schema 1, as its module would leave it */

static char *
old_file(const char *name)
{
    char     *path, *message, ids[96];
    sqlite3  *db;

    path = queue_path(name);
    message = NULL;

    (void) snprintf(ids, sizeof(ids), "PRAGMA application_id = %d;"
                    " PRAGMA user_version = 1", B24_QUEUE_APPLICATION);

    if (sqlite3_open(path, &db) != SQLITE_OK
        || sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL;"
                            "PRAGMA journal_mode = WAL",
                        NULL, NULL, &message) != SQLITE_OK
        || sqlite3_exec(db, queue_v1, NULL, NULL, &message) != SQLITE_OK
        || sqlite3_exec(db, ids, NULL, NULL, &message) != SQLITE_OK
        || sqlite3_close(db) != SQLITE_OK)
    {
        printf("Bail out! %s: %s\n", path, message ? message : "?");
        exit(2);
    }

    return path;
}


/* a number of a file, without what the module does when it opens one */

static int64_t
file_number(const char *path, const char *sql)
{
    b24_queue_t  raw;
    int64_t      n;

    if (sqlite3_open(path, &raw.db) != SQLITE_OK) {
        printf("Bail out! %s\n", path);
        exit(2);
    }

    n = queue_sql(&raw, sql);

    (void) sqlite3_close(raw.db);

    return n;
}


/* tables of schema 1 with rows that are in one file and not in the other */

static int64_t
differences(b24_queue_t *q, const char *old)
{
    size_t       i;
    char         sql[2048];
    int64_t      n;
    const char  *cols;

    /* with the columns an old file has, where a newer schema adds some */

    static const struct {
        const char  *name;
        const char  *cols;
    } tables[] = {
        { "records", "id, origin, order_id, reuse, rule, fingerprint, state,"
          " event, arrived, accepted, attempts, next, owner, lease, deal_id,"
          " contact_id, company_id, created, updated, delivered, warned, cause,"
          " advice" },
        { "links", "origin, order_id, deal_id, contact_id, company_id,"
          " fingerprint, accepted" },
        { "events", "*" }, { "steps", "*" }, { "timeline", "*" },
        { "counts", "*" }, { "sqlite_sequence", "*" }
    };

    (void) snprintf(sql, sizeof(sql), "ATTACH '%.200s' AS old", old);
    (void) queue_sql(q, sql);

    n = 0;

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        cols = tables[i].cols;

        (void) snprintf(sql, sizeof(sql),
                        "SELECT (SELECT count(*) FROM (SELECT %s FROM main.%s"
                        " EXCEPT SELECT %s FROM old.%s))"
                        " + (SELECT count(*) FROM (SELECT %s FROM old.%s"
                        " EXCEPT SELECT %s FROM main.%s))",
                        cols, tables[i].name, cols, tables[i].name, cols,
                        tables[i].name, cols, tables[i].name);
        n += queue_sql(q, sql) != 0;
    }

    (void) queue_sql(q, "DETACH old");

    return n;
}


static int
is_whole(b24_queue_t *q)
{
    return queue_sql(q, "PRAGMA user_version") == B24_QUEUE_SCHEMA
           && queue_sql(q, "SELECT length(salt) FROM secrets") == 16
           && queue_sql(q, "SELECT n FROM sizes") == 0
           && queue_sql(q, "SELECT count(*) FROM pragma_integrity_check"
                           " WHERE integrity_check <> 'ok'") == 0;
}


static void
test_states(void)
{
    size_t                n;
    int64_t               next;
    b24_str_t             origin, number;
    b24_pool_t           *pool;
    b24_state_e           state;
    b24_queue_t          *q;
    b24_queue_job_t       job;
    b24_queue_link_t      link;
    b24_queue_record_t   *r;
    b24_queue_moment_t   *m;

    (void) old_file("as-it-was.db");
    q = queue_open(old_file("states.db"));
    pool = b24_pool_create(0);

    ok(is_whole(q), "an old file is brought up to date");
    is_int(differences(q, queue_path("as-it-was.db")), 0,
           "what is in it stays");

    b24_queue_close(q);
    q = queue_open(queue_path("states.db"));
    is_int(differences(q, queue_path("as-it-was.db")), 0,
           "opening it again does nothing");

    origin = str("shop");
    is_int(b24_queue_list(q, pool, &origin, 1, B24_NSTATES, 100, &r, &n),
           B24_QUEUE_OK, "list");
    is_int((long long) n, 9, "nine of one shop");

    number = str("1");
    is_int(b24_queue_get(q, pool, NULL, NULL, &number, &r, &n), B24_QUEUE_OK,
           "by number");
    is_int((long long) n, 3, "three of that number");
    is_str(&r[1].data, "{\"v\":1}", "with their data");

    is_int(b24_queue_link(q, &origin, &number, &link), B24_QUEUE_OK, "link");
    is_int(link.deal_id, 11, "its deal");
    is_int(b24_queue_timeline(q, pool, 4, NULL, &m, &n), B24_QUEUE_OK,
           "timeline");
    is_int((long long) n, 3, "its rows");

    /* accepted, then the one whose owner is gone, then the one that waits */

    is_int(queue_claim(q, pool, "shop", "new", T0 + 20000, &job, &next),
           B24_QUEUE_OK, "the accepted one");
    is_int(job.record, 5, "is claimed");
    is_int(queue_claim(q, pool, "shop", "new", T0 + 20000, &job, &next),
           B24_QUEUE_NONE, "the others aren't due");
    is_int(next, T0 + 66100, "the old owner's lease is kept");
    is_int(queue_claim(q, pool, "shop", "new", T0 + 66100, &job, &next),
           B24_QUEUE_OK, "until it ends");
    is_int(job.record, 4, "that one");
    is_int(job.steps[B24_STEP_DEAL], B24_STEP_SENT, "its deal may be there");
    is_int(job.contact_id, 77, "its contact is known");
    is_int(queue_claim(q, pool, "shop", "new", T0 + 3605500, &job, &next),
           B24_QUEUE_OK, "when its time comes");
    is_int(job.record, 5, "a lease that ran out meanwhile");

    is_int(b24_queue_retry(q, "k-000002", 0, NULL, T0, &state), B24_QUEUE_OK,
           "a parked one, by hand");
    is_int(queue_claim(q, pool, "other", "new", T0, &job, &next),
           B24_QUEUE_OK, "the other shop's");
    is_int(job.record, 6, "is claimed");

    b24_pool_destroy(pool);
    b24_queue_close(q);
}


/* made of all steps or brought up to date, a file has the same schema */

static void
test_schema(void)
{
    char          sql[256];
    b24_queue_t  *q;

    q = queue_open(queue_path("fresh.db"));
    b24_queue_close(q);

    q = queue_open(old_file("schema.db"));
    (void) snprintf(sql, sizeof(sql), "ATTACH '%.200s' AS fresh",
                    queue_path("fresh.db"));
    (void) queue_sql(q, sql);
    is_int(queue_sql(q, "SELECT count(*) FROM (SELECT type, name, sql"
                        " FROM main.sqlite_schema EXCEPT"
                        " SELECT type, name, sql FROM fresh.sqlite_schema)"),
           0, "nothing that a new file doesn't have");
    is_int(queue_sql(q, "SELECT count(*) FROM (SELECT type, name, sql"
                        " FROM fresh.sqlite_schema EXCEPT"
                        " SELECT type, name, sql FROM main.sqlite_schema)"),
           0, "all that a new file has");
    b24_queue_close(q);
}


static int
opener(const char *path, int n, int in, int out)
{
    int              i, rc;
    char             name[160], err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;

    for (i = 0; i < ROUNDS; i++) {
        (void) snprintf(name, sizeof(name), "%.140s.%d", path, i);

        if (send_byte(out) != 0 || wait_byte(in) < 0) {
            return 1;
        }

        rc = b24_queue_open(&q, name, err, sizeof(err));

        if (rc != B24_QUEUE_OK) {
            printf("# opener %d: %d %s\n", n, rc, err);
            return 1;
        }

        (void) queue_order(q, "open", "", "a", T0);
        b24_queue_close(q);
    }

    return 0;
}


static void
test_together(void)
{
    int           i, k, good;
    char          name[160];
    child_t       c[OPENERS];
    b24_queue_t  *q;

    for (i = 0; i < ROUNDS; i++) {
        (void) snprintf(name, sizeof(name), "together.db.%d", i);
        (void) old_file(name);
    }

    for (k = 0; k < OPENERS; k++) {
        child_start(&c[k], opener, queue_path("together.db"), k);
    }

    good = 1;

    for (i = 0; i < ROUNDS; i++) {

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

    ok(good, "%d processes open the same old file at once, ten times",
       OPENERS);

    good = 1;

    for (i = 0; i < ROUNDS; i++) {
        (void) snprintf(name, sizeof(name), "together.db.%d", i);
        q = queue_open(queue_path(name));
        good &= is_whole(q)
                && queue_sql(q, "SELECT count(*) FROM records")
                   == 10 + OPENERS
                && queue_sql(q, "SELECT count(*) FROM secrets") == 1;
        b24_queue_close(q);
    }

    ok(good, "each is whole, with what each of them wrote");
}


/* opens with a fault at write n; 0: done without it, 1: it came, 2: wrong */

static int
faulty(const char *path, int n, int in, int out)
{
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    (void) in;
    (void) out;

    fault_after = n;
    rc = b24_queue_open(&q, path, NULL, 0);
    b24_queue_close(q);

    if (!fault_came) {
        return rc == B24_QUEUE_OK ? 0 : 2;
    }

    /* after the commit only the way from WAL to file is left */

    return rc == B24_QUEUE_FULL || rc == B24_QUEUE_OK ? 1 : 2;
}


static void
test_faults(int with)
{
    int           n, rc, old, whole, wrong;
    char         *path, name[32];
    child_t       c;
    int64_t       version, tables;
    b24_queue_t  *q;

    old = 0;
    whole = 0;
    wrong = 0;
    rc = 1;

    for (n = 1; rc && n < 1000; n++) {
        (void) snprintf(name, sizeof(name), "fault-%d-%d.db", with, n);
        path = old_file(name);

        fault_signal = with;
        child_start(&c, faulty, path, n);
        rc = child_wait(&c);

        version = file_number(path, "PRAGMA user_version");
        tables = file_number(path, "SELECT count(*) FROM sqlite_schema"
                                   " WHERE tbl_name IN ('facts', 'secrets',"
                                   " 'sizes')");

        old += version == 1 && tables == 0;
        whole += version == B24_QUEUE_SCHEMA && tables > 0;

        q = queue_open(path);
        wrong += rc == 2 || !is_whole(q)
                 || differences(q, queue_path("as-it-was.db")) != 0;
        b24_queue_close(q);
    }

    printf("# %d writes, then %d old and %d whole\n", n - 1, old, whole);

    ok(rc == 0 && n > 5, "%s at each write of it",
       with ? "killed" : "the disk is full");
    ok(old + whole == n - 1 && old > 3 && whole > 0,
       "the file is an old one or a new one, nothing between");
    is_int(wrong, 0, "opened again all is well, and all is there");
}


int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    (void) queue_mkdir();
    faults_init();

    test_states();
    test_schema();
    test_together();
    test_faults(SIGKILL);
    test_faults(0);

    queue_rmdir(queue_dir);

    return done_testing();
}
