
/*
 * A file that is broken, or no queue at all, is put out of the way under
 * another name, whole, and a new one is begun: what it holds may still be read
 * there.
 *
 * The folder's flock() keeps those apart who make, fill, move or leave the
 * file at a path.  It is taken for that only, and given back when the opening
 * or closing ends; one that is killed lets it go.
 */

#include "b24_queue_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


/* the bytes of a database that its readers have locked, see SQLite's os.h */
#define B24_QUEUE_SHARED       (0x40000000 + 2)
#define B24_QUEUE_SHARED_SIZE  510


#define B24_SUFFIXES  (sizeof(b24_suffixes) / sizeof(b24_suffixes[0]))


typedef int (*b24_beside_pt)(const char *from, const char *to,
    struct stat *st);


static b24_queue_rc_e b24_queue_hold(b24_queue_t *q);
static b24_queue_rc_e b24_queue_move(b24_queue_t *q);
static int b24_queue_beside(b24_queue_t *q, const char *bad,
    const char *suffix, b24_beside_pt what, struct stat *st);
static int b24_beside_link(const char *from, const char *to, struct stat *st);
static int b24_beside_rename(const char *from, const char *to,
    struct stat *st);
static int b24_beside_leave(const char *from, const char *to, struct stat *st);
static char *b24_queue_bad_name(b24_queue_t *q);
static const char *b24_queue_base(const char *path);
static char *b24_queue_join(const char *path, const char *suffix);


/* what lies beside a database and is part of it */
static const char *const  b24_suffixes[] = { "-wal", "-journal", "-shm" };


b24_queue_rc_e
b24_queue_lock(b24_queue_t *q)
{
    int          fd, err;
    char        *dir;
    size_t       len;
    int64_t      until;
    const char  *base;

    if (q->lock != -1) {
        return B24_QUEUE_OK;
    }

    base = b24_queue_base(q->path);
    len = (size_t) (base - q->path);

    dir = len ? strndup(q->path, len) : strdup(".");
    if (dir == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    fd = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    err = errno;

    free(dir);

    if (fd == -1) {
        return b24_queue_refused(q, "the folder can't be opened", err);
    }

    until = b24_queue_monotonic() + q->timeout;

    while (flock(fd, LOCK_EX|LOCK_NB) == -1) {

        err = errno;

        if (err == EINTR || (err == EWOULDBLOCK
                             && b24_queue_monotonic() < until))
        {
            b24_queue_sleep(B24_QUEUE_RETRY);
            continue;
        }

        (void) close(fd);

        if (err == EWOULDBLOCK) {
            return b24_queue_fault(q, B24_QUEUE_BUSY,
                                   "another process is making the file");
        }

        return b24_queue_refused(q, "the folder can't be locked", err);
    }

    q->lock = fd;

    return B24_QUEUE_OK;
}


void
b24_queue_unlock(b24_queue_t *q)
{
    if (q->lock != -1) {
        (void) close(q->lock);
        q->lock = -1;
    }
}


/*
 * q->message says what is wrong with the file.  OK: it is out of the way, or
 * another process did it meanwhile.
 */

b24_queue_rc_e
b24_queue_set_aside(b24_queue_t *q)
{
    b24_queue_rc_e  rc;

    q->broken = 1;
    b24_queue_disconnect(q);

    rc = b24_queue_lock(q);

    /* whoever was first has another file there, or none */

    if (rc != B24_QUEUE_OK || !b24_queue_same_file(q)) {
        return rc;
    }

    rc = b24_queue_hold(q);

    return rc == B24_QUEUE_OK ? b24_queue_move(q) : rc;
}


/*
 * A process that is the last to leave a database deletes its WAL by name, and
 * looks a moment before whether the file is still the one of that name: the
 * new file's WAL might stand there by then.  It deletes nothing while somebody
 * reads; so this one does, as SQLite would, for as long as it has the new file
 * open.
 */

static b24_queue_rc_e
b24_queue_hold(b24_queue_t *q)
{
    int           fd;
    int64_t       until;
    struct flock  lock;

    fd = open(q->path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {

        /* it can be moved nevertheless */

        return B24_QUEUE_OK;
    }

    if (q->held != -1) {
        (void) close(q->held);
    }

    q->held = fd;

    memset(&lock, 0, sizeof(struct flock));

    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = B24_QUEUE_SHARED;
    lock.l_len = B24_QUEUE_SHARED_SIZE;

    until = b24_queue_monotonic() + q->timeout;

    while (fcntl(fd, F_SETLK, &lock) == -1) {

        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            return B24_QUEUE_OK;
        }

        if (b24_queue_monotonic() >= until) {
            return b24_queue_fault(q, B24_QUEUE_BUSY,
                                   "another process has locked the file");
        }

        b24_queue_sleep(B24_QUEUE_RETRY);
    }

    return B24_QUEUE_OK;
}


/*
 * The WAL gets its new name first, as a second one, so that a process killed
 * here leaves either all under the old name or all under the new one; what is
 * left over then is removed by whoever makes the new file.
 */

static b24_queue_rc_e
b24_queue_move(b24_queue_t *q)
{
    char            *bad;
    size_t           i;
    struct stat      db, wal;
    b24_queue_rc_e   rc;

    memset(&wal, 0, sizeof(struct stat));

    bad = b24_queue_bad_name(q);
    if (bad == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    (void) b24_queue_beside(q, bad, "-wal", b24_beside_link, &wal);

    if (stat(q->path, &db) == -1 || rename(q->path, bad) == -1) {
        rc = b24_queue_refused(q, "it can't be renamed", errno);
        free(bad);
        return rc;
    }

    for (i = 0; i < B24_SUFFIXES; i++) {
        (void) b24_queue_beside(q, bad, b24_suffixes[i], b24_beside_rename,
                                NULL);
    }

    q->aside = 1;

    (void) snprintf(q->notice, sizeof(q->notice),
                    "%.120s: set aside as \"%.60s\", %lld bytes and %lld of"
                    " its WAL", q->message, b24_queue_base(bad),
                    (long long) db.st_size, (long long) wal.st_size);

    free(bad);

    return B24_QUEUE_OK;
}


/*
 * With the folder locked and no file at the path: nothing of an earlier one may
 * be taken for a part of the new one.
 */

b24_queue_rc_e
b24_queue_clear(b24_queue_t *q)
{
    char            *bad;
    size_t           i;
    struct stat      st;
    b24_queue_rc_e   rc;

    rc = B24_QUEUE_OK;

    bad = b24_queue_bad_name(q);
    if (bad == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    for (i = 0; rc == B24_QUEUE_OK && i < B24_SUFFIXES; i++) {
        memset(&st, 0, sizeof(struct stat));

        if (b24_queue_beside(q, bad, b24_suffixes[i], b24_beside_leave, &st)
            == -1)
        {
            rc = b24_queue_refused(q, "what is left of an earlier queue can't"
                                   " be moved away", errno);
        }

        if (rc == B24_QUEUE_OK && st.st_size) {
            q->aside = 1;

            (void) snprintf(q->notice, sizeof(q->notice),
                            "the file of the queue is gone: what it left is"
                            " set aside as \"%.60s%s\", %lld bytes",
                            b24_queue_base(bad), b24_suffixes[i],
                            (long long) st.st_size);
        }
    }

    free(bad);

    return rc;
}


/* does something with the file of that suffix; 0: done, or there is none */

static int
b24_queue_beside(b24_queue_t *q, const char *bad, const char *suffix,
    b24_beside_pt what, struct stat *st)
{
    int          rc, err;
    char        *from, *to;
    struct stat  own;

    from = b24_queue_join(q->path, suffix);
    to = b24_queue_join(bad, suffix);

    errno = ENOMEM;
    rc = -1;

    if (from && to) {
        rc = lstat(from, &own);

        if (rc == 0) {
            rc = what(from, to, &own);

            if (st) {
                *st = own;
            }

        } else if (errno == ENOENT) {
            rc = 0;
        }
    }

    err = errno;

    free(from);
    free(to);

    errno = err;

    return rc;
}


static int
b24_beside_link(const char *from, const char *to, struct stat *st)
{
    (void) st;

    /* where that isn't possible it is renamed later */

    return link(from, to);
}


static int
b24_beside_rename(const char *from, const char *to, struct stat *st)
{
    struct stat  other;

    /* rename() does nothing with two names of one file */

    if (st->st_nlink > 1 && lstat(to, &other) == 0
        && other.st_ino == st->st_ino && other.st_dev == st->st_dev)
    {
        return unlink(from);
    }

    return rename(from, to);
}


/* what is empty, has another name, or is made anew each time isn't kept */

static int
b24_beside_leave(const char *from, const char *to, struct stat *st)
{
    size_t  len;

    len = strlen(from);

    if (st->st_size == 0 || st->st_nlink > 1
        || strcmp(from + len - 4, "-shm") == 0)
    {
        st->st_size = 0;
        return unlink(from);
    }

    return rename(from, to);
}


/* the first one of this second, or of those that follow, that nobody has */

static char *
b24_queue_bad_name(b24_queue_t *q)
{
    int          taken;
    char        *name, *beside, suffix[40];
    size_t       i;
    time_t       t;
    struct tm    tm;
    struct stat  st;

    for (t = time(NULL); /* void */ ; t++) {
        memset(&tm, 0, sizeof(struct tm));
        (void) gmtime_r(&t, &tm);
        (void) strftime(suffix, sizeof(suffix), ".bad-%Y%m%d-%H%M%S", &tm);

        name = b24_queue_join(q->path, suffix);
        if (name == NULL) {
            return NULL;
        }

        taken = lstat(name, &st) == 0;

        for (i = 0; !taken && i < B24_SUFFIXES; i++) {
            beside = b24_queue_join(name, b24_suffixes[i]);

            taken = beside && lstat(beside, &st) == 0;

            free(beside);
        }

        if (!taken) {
            return name;
        }

        free(name);
    }
}


static const char *
b24_queue_base(const char *path)
{
    const char  *slash;

    slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}


static char *
b24_queue_join(const char *path, const char *suffix)
{
    char    *name;
    size_t   size;

    size = strlen(path) + strlen(suffix) + 1;

    name = malloc(size);

    if (name) {
        (void) snprintf(name, size, "%s%s", path, suffix);
    }

    return name;
}
