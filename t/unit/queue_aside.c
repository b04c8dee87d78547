
/*
 * What stands at the queue's path is broken, or no queue: it is set aside once,
 * whole, and a new queue is begun, whoever comes at the same time and wherever
 * that is broken off.
 */

#define _GNU_SOURCE

#include "queue.h"
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>


#define OPENERS  6
#define ROUNDS   10
#define ORDERS   400


typedef struct {
    const char      *name;
    void           (*make)(const char *path);
    const char      *reason;
} fault_t;

typedef struct {
    u_char          *data;
    size_t           len;
} bytes_t;


/* calls of the system until this process is killed, 0: it isn't */
static int  kill_after;

static int  reads_fail;

static bytes_t  template_db, template_wal;
static bytes_t  template;           /* all of it in one file */

static ssize_t  (*real_pread)(int fd, void *p, size_t n, off_t offset);
static ssize_t  (*real_pwrite)(int fd, const void *p, size_t n, off_t offset);


static void
count_call(void)
{
    if (kill_after && --kill_after == 0) {
        (void) kill(getpid(), SIGKILL);
    }
}


/* these stand in for libc's in all that is linked here */

int
rename(const char *from, const char *to)
{
    count_call();

    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}


int
link(const char *from, const char *to)
{
    count_call();

    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}


int
unlink(const char *name)
{
    count_call();

    return unlinkat(AT_FDCWD, name, 0);
}


static ssize_t
counted_pwrite(int fd, const void *p, size_t n, off_t offset)
{
    count_call();

    return real_pwrite(fd, p, n, offset);
}


static ssize_t
faulty_pread(int fd, void *p, size_t n, off_t offset)
{
    if (reads_fail) {
        errno = EIO;
        return -1;
    }

    return real_pread(fd, p, n, offset);
}


static void
calls_init(void)
{
    size_t               i;
    sqlite3_vfs         *vfs;
    sqlite3_syscall_ptr  real;

    static const char *const  reads[] = { "pread", "pread64" };
    static const char *const  writes[] = { "pwrite", "pwrite64" };

    vfs = sqlite3_vfs_find(NULL);

    for (i = 0; i < 2; i++) {
        real = vfs->xGetSystemCall(vfs, reads[i]);

        if (real) {
            memcpy(&real_pread, &real, sizeof(real));
            (void) vfs->xSetSystemCall(vfs, reads[i],
                                       (sqlite3_syscall_ptr) faulty_pread);
        }

        real = vfs->xGetSystemCall(vfs, writes[i]);

        if (real) {
            memcpy(&real_pwrite, &real, sizeof(real));
            (void) vfs->xSetSystemCall(vfs, writes[i],
                                       (sqlite3_syscall_ptr) counted_pwrite);
        }
    }

    if (real_pread == NULL || real_pwrite == NULL) {
        printf("Bail out! SQLite's calls can't be replaced\n");
        exit(2);
    }
}


/* ---- files ---- */

static bytes_t
file_read(const char *path)
{
    int          fd;
    bytes_t      b;
    struct stat  st;

    b.data = NULL;
    b.len = 0;

    fd = open(path, O_RDONLY);

    if (fd >= 0 && fstat(fd, &st) == 0) {
        b.len = (size_t) st.st_size;
        b.data = malloc(b.len + 1);

        if (b.data == NULL || read(fd, b.data, b.len) != st.st_size) {
            exit(2);
        }
    }

    (void) close(fd);

    return b;
}


static void
file_write(const char *path, const void *data, size_t len)
{
    int  fd;

    fd = open(path, O_WRONLY|O_CREAT|O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t) len) {
        perror(path);
        exit(2);
    }

    (void) close(fd);
}


static char *
beside(const char *path, const char *suffix)
{
    static int   n;
    static char  names[8][256];

    n = (n + 1) % 8;
    (void) snprintf(names[n], sizeof(names[n]), "%.200s%.20s", path, suffix);

    return names[n];
}


static int
file_is(const char *path, const bytes_t *b)
{
    int      same;
    bytes_t  own;

    own = file_read(path);
    same = own.data && b->data && own.len == b->len
           && memcmp(own.data, b->data, b->len) == 0;

    free(own.data);

    return same;
}


/* how many were set aside for path, and the name of the last one */

static int
set_aside(const char *path, char *name, size_t size)
{
    int             n;
    DIR            *dir;
    char            start[128];
    size_t          len;
    struct dirent  *de;

    (void) snprintf(start, sizeof(start), "%.100s.bad-",
                    strrchr(path, '/') + 1);
    len = strlen(start);
    n = 0;
    name[0] = '\0';

    dir = opendir(queue_dir);

    while (dir && (de = readdir(dir)) != NULL) {

        /* ".bad-YYYYMMDD-HHMMSS" and nothing else */

        if (strncmp(de->d_name, start, len) == 0
            && strlen(de->d_name) == len + 15)
        {
            n++;
            (void) snprintf(name, size, "%.60s/%.100s", queue_dir,
                            de->d_name);
        }
    }

    (void) closedir(dir);

    return n;
}


/* ---- what may be wrong ---- */

/* as by another program; a WAL isn't emptied */

static void
raw_sql(const char *path, const char *sql)
{
    char     *message;
    sqlite3  *db;

    message = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK
        || sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL)
           != SQLITE_OK
        || sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
    {
        printf("Bail out! %s: %s\n", path, message ? message : "?");
        exit(2);
    }

    (void) sqlite3_close(db);
}


/* a queue with orders, half of them in its WAL, as if its process were killed */

static void
make_template(void)
{
    int           i;
    char          id[24], *path;
    b24_queue_t  *q;

    path = queue_path("template.db");
    q = queue_open(path);

    for (i = 0; i < ORDERS; i++) {
        (void) snprintf(id, sizeof(id), "%d", i);
        (void) queue_order(q, "shop", id, "aa", T0);

        if (i == ORDERS / 2) {
            (void) queue_sql(q, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    template_db = file_read(path);
    template_wal = file_read(beside(path, "-wal"));
    b24_queue_close(q);
    template = file_read(path);
}


static void
make_queue_wal(const char *path)
{
    file_write(path, template_db.data, template_db.len);
    file_write(beside(path, "-wal"), template_wal.data, template_wal.len);
}


static void
make_queue(const char *path)
{
    file_write(path, template.data, template.len);
}


static void
make_garbage(const char *path)
{
    char  junk[9000];

    memset(junk, 'j', sizeof(junk));
    file_write(path, junk, sizeof(junk));
}


static void
make_short(const char *path)
{
    file_write(path, "\r\n", 2);
}


static void
make_foreign(const char *path)
{
    raw_sql(path, "CREATE TABLE of_others (a); INSERT INTO of_others"
                  " VALUES (randomblob(20000))");
}


static void
make_foreign_wal(const char *path)
{
    make_queue_wal(path);
    raw_sql(path, "PRAGMA application_id = 1; PRAGMA user_version = 1");
}


static void
make_cut(const char *path)
{
    make_queue(path);

    if (truncate(path, 12288 + 77) != 0) {
        exit(2);
    }
}


static void
make_empty_with_wal(const char *path)
{
    make_queue_wal(path);
    file_write(path, "", 0);
}


static void
make_no_header(const char *path)
{
    int  fd;

    make_queue(path);
    fd = open(path, O_WRONLY);

    if (fd < 0 || pwrite(fd, "0123456789", 10, 0) != 10) {
        exit(2);
    }

    (void) close(fd);
}


static void
make_no_table(const char *path)
{
    make_queue(path);
    raw_sql(path, "DROP TABLE timeline");
}


static const fault_t  faults[] = {
    { "garbage", make_garbage, "not a database" },
    { "a few bytes", make_short, "not a database" },
    { "another program's", make_foreign, "another program" },
    { "another program's with a WAL", make_foreign_wal, "another program" },
    { "cut", make_cut, "malformed" },
    { "cut to nothing, with a WAL", make_empty_with_wal, "empty" },
    { "without its header", make_no_header, "not a database" },
    { "without a table", make_no_table, "table of the queue is missing" }
};

#define NFAULTS  (sizeof(faults) / sizeof(faults[0]))


/* a new queue is there, and its keys are new ones */

static void
is_new(b24_queue_t *q, const char *name)
{
    b24_queue_put_result_t  a;

    a = queue_order(q, "shop", "1", "a", T0);
    ok(queue_sql(q, "SELECT count(*) FROM records") == 1
       && a.state == B24_STATE_ACCEPTED, "%s: a new queue takes orders", name);
    ok(a.record > 1700000000 && a.record <= (int64_t) time(NULL) + 1,
       "%s: with a key that wasn't used, \"%s\"", name, a.key);
}


static void
test_fault(const fault_t *f)
{
    char             file[32], *path, bad[256], size[64];
    char             err[B24_QUEUE_MESSAGE];
    bytes_t          db, wal;
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    (void) snprintf(file, sizeof(file), "fault%d.db", (int) (f - faults));
    path = queue_path(file);

    f->make(path);
    db = file_read(path);
    wal = file_read(beside(path, "-wal"));

    rc = b24_queue_open(&q, path, err, sizeof(err));
    is_int(rc, B24_QUEUE_OK, f->name);
    printf("# \"%s\"\n", err);

    if (rc != B24_QUEUE_OK) {
        return;
    }

    is_int(set_aside(path, bad, sizeof(bad)), 1, "one file is set aside");
    ok(strstr(err, f->reason) != NULL, "the words say why: \"%s\"", f->reason);
    ok(strstr(err, strrchr(bad, '/') + 1) != NULL, "and where it is");
    (void) snprintf(size, sizeof(size), "%d bytes and %d of its WAL",
                    (int) db.len, (int) wal.len);
    ok(strstr(err, size) != NULL, "and how large: %s", size);
    ok(file_is(bad, &db), "it wasn't changed");

    if (wal.len) {
        ok(file_is(beside(bad, "-wal"), &wal), "nor its WAL");
    }

    is_new(q, f->name);
    b24_queue_close(q);

    q = queue_open(path);
    is_int(queue_sql(q, "SELECT count(*) FROM records"), 1,
           "it is opened again");
    is_int(set_aside(path, bad, sizeof(bad)), 1, "and not set aside again");
    b24_queue_close(q);

    free(db.data);
    free(wal.data);
}


/* what was in it can be read where it is now */

static void
test_readable(void)
{
    char             *path, bad[256];
    b24_queue_t       raw, *q;

    path = queue_path("readable.db");
    make_foreign_wal(path);
    q = queue_open(path);
    (void) set_aside(path, bad, sizeof(bad));

    ok(sqlite3_open(bad, &raw.db) == SQLITE_OK, "the old file is opened");
    is_int(queue_sql(&raw, "SELECT count(*) FROM records"), ORDERS,
           "all that was in it and in its WAL");
    (void) sqlite3_close(raw.db);
    b24_queue_close(q);
}


static void
test_none(void)
{
    char         *path, bad[256], err[B24_QUEUE_MESSAGE];
    bytes_t       wal;
    struct stat   st;
    b24_queue_t  *q;

    /* an empty file is an empty queue */

    path = queue_path("empty.db");
    file_write(path, "", 0);
    err[0] = 'x';
    is_int(b24_queue_open(&q, path, err, sizeof(err)), B24_QUEUE_OK, "empty");
    ok(err[0] == '\0', "nothing is told");
    is_int(queue_order(q, "shop", "1", "a", T0).record, 1, "the first order");
    b24_queue_close(q);
    is_int(set_aside(path, bad, sizeof(bad)), 0, "nothing is set aside");

    /* the file was deleted, and what was in it isn't all in it */

    path = queue_path("orphan.db");
    make_queue_wal(path);
    wal = file_read(beside(path, "-wal"));
    (void) unlink(path);

    is_int(b24_queue_open(&q, path, err, sizeof(err)), B24_QUEUE_OK,
           "a WAL without its file");
    printf("# \"%s\"\n", err);
    ok(strstr(err, "-wal\"") && strstr(err, "bytes"), "is told");
    is_new(q, "a WAL without its file");
    b24_queue_close(q);

    path = strstr(err, "orphan.db.bad-");
    *strchr(path, '"') = '\0';
    ok(file_is(queue_path(path), &wal), "and kept");
    free(wal.data);

    /* of an earlier file, and taken for this one's */

    path = queue_path("shm.db");
    file_write(beside(path, "-shm"), "old", 3);
    file_write(beside(path, "-wal"), "", 0);
    is_int(b24_queue_open(&q, path, err, sizeof(err)), B24_QUEUE_OK,
           "nothing worth keeping is left");
    ok(err[0] == '\0', "nothing is told");
    ok(stat(beside(path, "-shm"), &st) == 0 && st.st_size > 3,
       "the old index isn't used");
    b24_queue_close(q);
}


/* a disk that can't be read may be readable again */

static void
test_unreadable(void)
{
    char         *path, bad[256], err[B24_QUEUE_MESSAGE];
    b24_queue_t  *q;

    path = queue_path("eio.db");
    make_queue(path);

    reads_fail = 1;
    is_int(b24_queue_open(&q, path, err, sizeof(err)), B24_QUEUE_IO,
           "reads fail");
    reads_fail = 0;

    is_int(set_aside(path, bad, sizeof(bad)), 0, "nothing is set aside");
    q = queue_open(path);
    is_int(queue_sql(q, "SELECT count(*) FROM records"), ORDERS,
           "then all is there");
    b24_queue_close(q);
}


static int
opener_as_nobody(const char *path, int n, int in, int out)
{
    char             err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    (void) n;
    (void) in;
    (void) out;

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return 254;
    }

    rc = b24_queue_open(&q, path, err, sizeof(err));
    printf("# \"%s\"\n", err);

    return rc == B24_QUEUE_CORRUPT && strstr(err, "not a database")
           && strstr(err, "can't be set aside") ? 0 : 1;
}


static void
test_refused(void)
{
    char     *path, bad[256];
    child_t   c;

    path = queue_path("refused.db");
    make_garbage(path);
    (void) chmod(path, 0666);
    (void) chmod(queue_dir, geteuid() == 0 ? 0755 : 0555);

    child_start(&c, opener_as_nobody, path, 0);
    is_int(child_wait(&c), 0, "a folder of another user: both are told");

    (void) chmod(queue_dir, 0700);
    is_int(set_aside(path, bad, sizeof(bad)), 0, "nothing is set aside");
}


/* ---- several processes ---- */

/* what can't be read is tried again, as a worker does it with its orders */

static b24_queue_rc_e
open_order(b24_queue_t **q)
{
    int                      i;
    char                     err[B24_QUEUE_MESSAGE];
    b24_queue_rc_e           rc;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    queue_put_init(&put, "open", "", "a", T0);

    rc = queue_put1(*q, &put, &result);

    for (i = 0; rc == B24_QUEUE_IO && i < 10; i++) {
        (void) usleep(10000);

        rc = b24_queue_usable(*q) ? B24_QUEUE_OK
                                  : b24_queue_mend(q, err, sizeof(err));

        if (rc == B24_QUEUE_OK) {
            rc = queue_put1(*q, &put, &result);
        }
    }

    return rc;
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

        rc = open_order(&q);

        if (rc != B24_QUEUE_OK) {
            printf("# opener %d: put: %d %s\n", n, rc, b24_queue_message(q));
            return 1;
        }

        b24_queue_close(q);

        if (write(out, err[0] ? "A" : "-", 1) != 1) {
            return 1;
        }
    }

    return 0;
}


static void
test_together(void)
{
    int           i, k, told, good, once;
    char          name[160], bad[256];
    child_t       c[OPENERS];
    b24_queue_t  *q;

    for (i = 0; i < ROUNDS; i++) {
        (void) snprintf(name, sizeof(name), "together.db.%d", i);
        faults[(size_t) i % NFAULTS].make(queue_path(name));
    }

    for (k = 0; k < OPENERS; k++) {
        child_start(&c[k], opener, queue_path("together.db"), k);
    }

    good = 1;
    once = 1;

    for (i = 0; i < ROUNDS; i++) {

        for (k = 0; k < OPENERS; k++) {
            good &= wait_byte(c[k].in) >= 0;
        }

        for (k = 0; k < OPENERS; k++) {
            good &= send_byte(c[k].out) == 0;
        }

        told = 0;

        for (k = 0; k < OPENERS; k++) {
            told += wait_byte(c[k].in) == 'A';
        }

        once &= told == 1;
    }

    for (k = 0; k < OPENERS; k++) {
        good &= child_wait(&c[k]) == 0;
    }

    ok(good, "%d processes find the same broken file, %d times", OPENERS,
       ROUNDS);
    ok(once, "one of them tells");

    good = 1;
    once = 1;

    for (i = 0; i < ROUNDS; i++) {
        (void) snprintf(name, sizeof(name), "together.db.%d", i);
        q = queue_open(queue_path(name));
        good &= queue_sql(q, "SELECT count(*) FROM records") == OPENERS;
        once &= set_aside(queue_path(name), bad, sizeof(bad)) == 1;
        b24_queue_close(q);
    }

    ok(good, "all that they wrote is in the new one");
    ok(once, "one file was set aside");
}


static int
killed(const char *path, int n, int in, int out)
{
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    (void) in;
    (void) out;

    kill_after = n;
    rc = b24_queue_open(&q, path, NULL, 0);
    b24_queue_close(q);

    return rc == B24_QUEUE_OK ? 0 : 1;
}


static void
test_killed(void (*make)(const char *path), const char *what)
{
    int           n, rc, whole, good;
    char          file[32], *path, bad[256];
    bytes_t       db, wal;
    child_t       c;
    b24_queue_t  *q;

    whole = 0;
    good = 0;
    rc = 1;

    for (n = 1; rc && n < 1000; n++) {
        (void) snprintf(file, sizeof(file), "kill%c-%d.db", what[0], n);
        path = queue_path(file);
        make(path);

        db = file_read(path);
        wal = file_read(beside(path, "-wal"));

        child_start(&c, killed, path, n);
        rc = child_wait(&c);

        q = queue_open(path);

        whole += set_aside(path, bad, sizeof(bad)) == 1 && file_is(bad, &db)
                 && (wal.len == 0 || file_is(beside(bad, "-wal"), &wal));

        (void) queue_order(q, "shop", "1", "a", T0);
        good += queue_sql(q, "SELECT count(*) FROM records") == 1
                && queue_sql(q, "SELECT count(*) FROM pragma_integrity_check"
                                " WHERE integrity_check <> 'ok'") == 0;

        b24_queue_close(q);
        free(db.data);
        free(wal.data);
    }

    ok(rc == 0 && n > 10, "%s: killed at each of %d calls", what, n - 2);
    is_int(whole, n - 1, "the file is set aside once, whole, with its WAL");
    is_int(good, n - 1, "and the new one is good");
}


/* ---- while it is open ---- */

static void
spoil_quarter(const char *path)
{
    int          fd;
    char         junk[4096];
    off_t        offset;
    struct stat  st;

    memset(junk, 0x5a, sizeof(junk));
    fd = open(path, O_WRONLY);

    if (fd < 0 || fstat(fd, &st) != 0) {
        exit(2);
    }

    for (offset = st.st_size / 16384 * 3 * 4096; offset < st.st_size;
         offset += 4096)
    {
        if (pwrite(fd, junk, sizeof(junk), offset) != sizeof(junk)) {
            exit(2);
        }
    }

    (void) close(fd);
}


/* another process that has the file open all the time */

static int
neighbour(const char *path, int n, int in, int out)
{
    char                     err[B24_QUEUE_MESSAGE];
    b24_queue_t             *q;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    (void) n;

    q = queue_open(path);
    (void) send_byte(out);
    (void) wait_byte(in);

    queue_put_init(&put, "other", "1", "a", T0);

    if (b24_queue_usable(q) || queue_put1(q, &put, &a) != B24_QUEUE_IO) {
        return 1;
    }

    if (b24_queue_mend(&q, err, sizeof(err)) != B24_QUEUE_OK || err[0]) {
        return 2;
    }

    if (!b24_queue_usable(q) || queue_put1(q, &put, &a) != B24_QUEUE_OK) {
        return 3;
    }

    b24_queue_close(q);

    return 0;
}


/* whether somebody reads the file, as seen by another process */

static int
locked(const char *path, int n, int in, int out)
{
    int           fd;
    struct flock  lock;

    (void) n;
    (void) in;
    (void) out;

    memset(&lock, 0, sizeof(struct flock));
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000002;
    lock.l_len = 510;

    fd = open(path, O_RDWR);

    return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0
           && lock.l_type == F_RDLCK ? 0 : 1;
}


static void
test_open(void)
{
    int                  rc;
    char                *path, bad[256], err[B24_QUEUE_MESSAGE];
    size_t               n;
    child_t              c, looker;
    b24_pool_t          *pool;
    b24_queue_t         *q;
    b24_queue_record_t  *r;

    path = queue_path("open.db");
    pool = b24_pool_create(0);

    make_queue(path);
    q = queue_open(path);
    b24_queue_limit(q, 777);
    child_start(&c, neighbour, path, 0);
    (void) wait_byte(c.in);
    spoil_quarter(path);

    is_int(b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 300, &r, &n),
           B24_QUEUE_CORRUPT, "it breaks while it is open");
    ok(!b24_queue_usable(q), "which is known");

    rc = b24_queue_mend(&q, err, sizeof(err));
    ok(rc == B24_QUEUE_OK && err[0] == '\0' && b24_queue_usable(q),
       "it is opened again first");
    is_int(set_aside(path, bad, sizeof(bad)), 0, "nothing is set aside");

    is_int(b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 300, &r, &n),
           B24_QUEUE_CORRUPT, "but it is broken");

    rc = b24_queue_mend(&q, err, sizeof(err));
    printf("# \"%s\"\n", err);
    ok(rc == B24_QUEUE_OK && strstr(err, "malformed") && b24_queue_usable(q),
       "then it is set aside");
    is_int(set_aside(path, bad, sizeof(bad)), 1, "once");
    is_int(q->max, 777, "the limit stays");
    is_int(b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 300, &r, &n),
           B24_QUEUE_OK, "the new one can be read");
    is_int((long long) n, 0, "and is empty");

    child_start(&looker, locked, bad, 0);
    is_int(child_wait(&looker), 0, "whoever leaves the old one last can't"
                                   " delete the new one's WAL");

    (void) send_byte(c.out);
    is_int(child_wait(&c), 0, "a neighbour goes over to the new one");
    is_int(queue_sql(q, "SELECT count(*) FROM records WHERE origin = 'other'"),
           1, "with its order");

    is_int(b24_queue_mend(&q, err, sizeof(err)), B24_QUEUE_OK,
           "nothing is amiss");
    ok(err[0] == '\0' && set_aside(path, bad, sizeof(bad)) == 1,
       "and nothing is done");

    b24_queue_close(q);
    b24_pool_destroy(pool);
}


int
main(void)
{
    size_t  i;

    (void) signal(SIGPIPE, SIG_IGN);
    (void) queue_mkdir();
    calls_init();
    make_template();

    for (i = 0; i < NFAULTS; i++) {
        test_fault(&faults[i]);
    }

    test_readable();
    test_none();
    test_unreadable();
    test_refused();
    test_together();
    test_killed(make_empty_with_wal, "with a WAL");
    test_killed(make_garbage, "garbage");
    test_open();

    free(template_db.data);
    free(template_wal.data);
    free(template.data);
    queue_rmdir(queue_dir);

    return done_testing();
}
