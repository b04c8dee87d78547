
/*
 * What was delivered and has expired is deleted in steps, and the file becomes
 * smaller in steps.  Not time is measured but pages: how many are written while
 * nobody else may write.
 */

#define _GNU_SOURCE

#include "queue.h"

#include <fcntl.h>


#define RECORDS  20000
#define LIMIT    100                /* as ngx_http_b24_leader.c says */
#define PAGE     4096

/*
 * Of one call: rows of 100 records and facts in tables and indexes, a megabyte
 * of data, 256 pages moved to be given back, 256 copied from the WAL.
 */
#define BOUND    1000


/* another connection, that tries to write whenever a page is written */
static sqlite3  *other;

static int       counting;
static int64_t   pages_locked;      /* written while it could not */
static int64_t   pages_free;

static ssize_t  (*real_pwrite)(int fd, const void *p, size_t n, off_t offset);


static ssize_t
counted_pwrite(int fd, const void *p, size_t n, off_t offset)
{
    int  pages;

    if (counting && n >= PAGE) {
        counting = 0;
        pages = (int) (n / PAGE);

        if (sqlite3_exec(other, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL)
            == SQLITE_OK)
        {
            pages_free += pages;

        } else {
            pages_locked += pages;
        }

        counting = 1;
    }

    return real_pwrite(fd, p, n, offset);
}


static void
writes_init(void)
{
    size_t               i;
    sqlite3_vfs         *vfs;
    sqlite3_syscall_ptr  real;

    static const char *const  names[] = { "pwrite", "pwrite64" };

    vfs = sqlite3_vfs_find(NULL);

    for (i = 0; i < 2; i++) {
        real = vfs->xGetSystemCall(vfs, names[i]);

        if (real) {
            memcpy(&real_pwrite, &real, sizeof(real));
            (void) vfs->xSetSystemCall(vfs, names[i],
                                       (sqlite3_syscall_ptr) counted_pwrite);
        }
    }

    if (real_pwrite == NULL) {
        printf("Bail out! SQLite's writes can't be counted\n");
        exit(2);
    }
}


/* a queue, and the other connection to it */

static b24_queue_t *
open_both(const char *path)
{
    b24_queue_t  *q;

    q = queue_open(path);

    /* nothing here is about power cuts */

    (void) queue_sql(q, "PRAGMA synchronous = OFF");

    if (sqlite3_open(path, &other) != SQLITE_OK) {
        printf("Bail out! %s\n", path);
        exit(2);
    }

    return q;
}


static int64_t
file_size(const char *path)
{
    struct stat  st;

    return stat(path, &st) == 0 ? (int64_t) st.st_size : -1;
}


/* n delivered orders, as the courier leaves them */

static void
fill(b24_queue_t *q, int n, int64_t bytes)
{
    char  sql[2048];

    (void) snprintf(sql, sizeof(sql),
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < %d) INSERT INTO records (origin, order_id, reuse, rule,"
        " fingerprint, state, event, arrived, accepted, created, updated,"
        " delivered, deal_id) SELECT 'shop', 'n' || (i * 7919 %% 1000003), 0,"
        " 'shop/save', hex(randomblob(16)), 'delivered', i, %lld + i,"
        " %lld + i, %lld + i, %lld + i, %lld + i, i FROM c", n,
        (long long) T0, (long long) T0, (long long) T0, (long long) T0,
        (long long) T0);
    (void) queue_sql(q, sql);

    (void) snprintf(sql, sizeof(sql),
        "INSERT INTO events (record, seq, kind, arrived, done, data)"
        " SELECT id, 1, 'new', 0, 0, hex(randomblob(%lld)) FROM records",
        (long long) bytes / 2);
    (void) queue_sql(q, sql);

    (void) queue_sql(q, "INSERT INTO timeline SELECT id, n, created, created,"
                        " 1, 'accepted', 'because of ' || n, 'batch', NULL"
                        " FROM records, (SELECT 1 AS n UNION SELECT 2"
                        " UNION SELECT 3)");
    (void) queue_sql(q, "INSERT INTO steps SELECT id, step, 'done'"
                        " FROM records, (SELECT 'contact' AS step"
                        " UNION SELECT 'deal' UNION SELECT 'rows')");
    (void) queue_sql(q, "PRAGMA wal_checkpoint(TRUNCATE)");
}


/* cleans until nothing goes and the file stays as it is */

static int
clean_all(b24_queue_t *q, const char *path, int64_t *most)
{
    int             n, calls, gone, idle;
    int64_t         size;
    b24_queue_rc_e  rc;

    gone = 0;
    idle = 0;
    *most = 0;

    for (calls = 0; idle < 3 && calls < 10000; calls++) {
        size = file_size(path);
        pages_locked = 0;
        counting = 1;

        rc = b24_queue_clean(q, DAY, LIMIT, T0 + 10 * DAY, &n);

        counting = 0;

        if (rc != B24_QUEUE_OK) {
            ok(0, "clean: %d %s", rc, b24_queue_message(q));
            break;
        }

        gone += n;
        idle = n == 0 && file_size(path) == size ? idle + 1 : 0;

        if (pages_locked > *most) {
            *most = pages_locked;
        }
    }

    printf("# %d calls, %d records, at most %d pages in one with the lock\n",
           calls, gone, (int) *most);

    return gone;
}


static void
test_many(void)
{
    char         *path;
    int64_t       before, after, most;
    struct stat   st;
    b24_queue_t  *q;

    path = queue_path("many.db");
    q = open_both(path);

    fill(q, RECORDS, 1200);
    (void) queue_sql(q, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL"
                        " SELECT i + 1 FROM c WHERE i < 20000)"
                        " INSERT INTO facts SELECT random(), 'portal', 'phone',"
                        " abs(random() % 100000), i FROM c");
    (void) queue_order(q, "shop", "open", "a", T0);
    before = file_size(path);

    is_int(clean_all(q, path, &most), RECORDS, "all that has expired goes");

    after = file_size(path);
    printf("# %lld bytes, then %lld\n", (long long) before,
           (long long) after);

    ok(before > 30 * 1024 * 1024, "the file was large");
    ok(after <= (1024 + 64) * PAGE, "what is free is given back, but for what"
                                    " is kept for new orders");
    ok(most > 0 && most <= BOUND, "nobody waits for more than %d pages",
       BOUND);
    ok(pages_free > 1000, "the WAL is copied while others write");

    is_int(queue_sql(q, "SELECT count(*) FROM records"), 1, "the open one");
    is_int(queue_sql(q, "SELECT count(*) FROM facts"), 0, "no facts");
    is_int(queue_sql(q, "SELECT count(*) FROM pragma_integrity_check"
                        " WHERE integrity_check <> 'ok'"), 0, "integrity");
    ok(stat(queue_path("many.db-wal"), &st) == 0 && st.st_size == 0,
       "nothing of it is left in the WAL");

    (void) sqlite3_close(other);
    b24_queue_close(q);
}


/* a file that never gave anything back, as those of earlier versions */

static void
test_backlog(void)
{
    int           n;
    char         *path;
    int64_t       pages, most;
    b24_queue_t  *q;

    path = queue_path("backlog.db");
    q = open_both(path);

    fill(q, 10000, 1200);
    (void) queue_sql(q, "DELETE FROM records WHERE id <= 7000");
    (void) queue_sql(q, "UPDATE records SET state = 'accepted'");
    pages = queue_sql(q, "PRAGMA page_count");
    ok(queue_sql(q, "PRAGMA freelist_count") > 2000, "thousands are free");

    (void) b24_queue_clean(q, DAY, LIMIT, T0, &n);
    is_int(n, 0, "nothing has expired");
    pages -= queue_sql(q, "PRAGMA page_count");
    ok(pages > 200 && pages < 300, "some are given back in a call: %d",
       (int) pages);

    (void) clean_all(q, path, &most);
    ok(queue_sql(q, "PRAGMA freelist_count") <= 1024,
       "all in the end, but for what is kept");
    ok(most > 256 && most <= BOUND, "pages in use are moved for it, and nobody"
                                    " waits for more than %d", BOUND);

    (void) sqlite3_close(other);
    b24_queue_close(q);
}


/* a hundred of these in one step would be 25,000 pages */

static void
test_large(void)
{
    int           n;
    char         *path;
    int64_t       most;
    b24_queue_t  *q;

    path = queue_path("large.db");
    q = open_both(path);

    fill(q, 40, 1024 * 1024);
    (void) b24_queue_clean(q, DAY, LIMIT, T0 + 10 * DAY, &n);
    is_int(n, 1, "orders of a megabyte: one a call");

    is_int(clean_all(q, path, &most), 39, "and so on");
    ok(most <= BOUND, "nobody waits for more than %d pages", BOUND);

    (void) sqlite3_close(other);
    b24_queue_close(q);
}


/* who wants to write is not waited for, nor kept waiting */

static void
test_busy(void)
{
    int           n;
    char         *path;
    int64_t       start, most;
    b24_queue_t  *q;

    path = queue_path("busy.db");
    q = open_both(path);
    fill(q, 3000, 1200);

    /* a reader keeps the WAL from being emptied */

    (void) sqlite3_exec(other, "BEGIN; SELECT count(*) FROM records", NULL,
                        NULL, NULL);

    start = b24_queue_monotonic();
    is_int(b24_queue_clean(q, DAY, LIMIT, T0 + 10 * DAY, &n), B24_QUEUE_OK,
           "somebody reads");
    is_int(n, LIMIT, "what has expired goes");
    ok(b24_queue_monotonic() - start < B24_QUEUE_TIMEOUT,
       "nobody waits for the reader");

    (void) sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    is_int(clean_all(q, path, &most), 3000 - LIMIT, "the rest goes later");

    (void) sqlite3_close(other);
    b24_queue_close(q);
}


/* a file that lacks auto_vacuum: its pages are used again, no more */

static void
test_plain(void)
{
    char         *path;
    int64_t       before, most;
    b24_queue_t  *q;

    path = queue_path("plain.db");
    q = queue_open(path);
    (void) queue_sql(q, "PRAGMA journal_mode = DELETE");
    (void) queue_sql(q, "PRAGMA auto_vacuum = NONE");
    (void) queue_sql(q, "VACUUM");
    b24_queue_close(q);

    q = open_both(path);
    is_int(queue_sql(q, "PRAGMA auto_vacuum"), 0, "no auto_vacuum");
    fill(q, 5000, 1200);
    before = file_size(path);
    is_int(clean_all(q, path, &most), 5000, "what has expired goes");
    is_int(file_size(path), before, "the file stays as large");

    fill(q, 4000, 1200);
    is_int(file_size(path), before, "new orders take the place");

    (void) sqlite3_close(other);
    b24_queue_close(q);
}


int
main(void)
{
    (void) queue_mkdir();
    writes_init();

    test_many();
    test_backlog();
    test_large();
    test_busy();
    test_plain();

    queue_rmdir(queue_dir);

    return done_testing();
}
