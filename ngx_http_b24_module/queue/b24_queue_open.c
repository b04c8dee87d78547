
/*
 * Opening the queue's file: its mode, its identity.
 */

#include "b24_queue_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define B24_QUEUE_TRIES   5         /* times that the file may vanish */


static b24_queue_rc_e b24_queue_opened(b24_queue_t **queue, b24_queue_t *q,
    b24_queue_rc_e rc, char *err, size_t errlen);
static b24_queue_rc_e b24_queue_open_file(b24_queue_t *q);
static b24_queue_rc_e b24_queue_replace(b24_queue_t *q);
static b24_queue_rc_e b24_queue_create_file(b24_queue_t *q);
static b24_queue_rc_e b24_queue_connect(b24_queue_t *q);
static b24_queue_rc_e b24_queue_check_empty(b24_queue_t *q);
static int b24_queue_busy(void *data, int count);


void
b24_queue_library(void)
{
    (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}


b24_queue_rc_e
b24_queue_open(b24_queue_t **queue, const char *path, char *err, size_t errlen)
{
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    q = calloc(1, sizeof(b24_queue_t));

    if (q) {
        q->lock = -1;
        q->held = -1;
        q->timeout = B24_QUEUE_TIMEOUT;
        q->max_facts = B24_QUEUE_FACTS;

        q->path = strdup(path);
    }

    rc = q && q->path ? b24_queue_open_file(q) : B24_QUEUE_NOMEM;

    return b24_queue_opened(queue, q, rc, err, errlen);
}


b24_queue_rc_e
b24_queue_mend(b24_queue_t **queue, char *err, size_t errlen)
{
    dev_t            dev;
    ino_t            ino;
    unsigned         suspect;
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    q = *queue;

    rc = B24_QUEUE_OK;
    suspect = q->broken;
    dev = q->dev;
    ino = q->ino;

    if (q->broken && q->suspect) {
        memcpy(q->message, q->fault, sizeof(q->message));
        rc = b24_queue_set_aside(q);
    }

    b24_queue_disconnect(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_open_file(q);
    }

    q->suspect = suspect && q->dev == dev && q->ino == ino;

    return b24_queue_opened(queue, q, rc, err, errlen);
}


static b24_queue_rc_e
b24_queue_opened(b24_queue_t **queue, b24_queue_t *q, b24_queue_rc_e rc,
    char *err, size_t errlen)
{
    const char  *words;

    if (rc == B24_QUEUE_OK) {
        words = q->notice;

    } else {
        words = q && q->message[0] ? q->message : b24_queue_strerror(rc);
    }

    if (err && errlen) {
        (void) snprintf(err, errlen, "%s", words);
    }

    if (rc != B24_QUEUE_OK) {

        if (q) {
            b24_queue_disconnect(q);
        }

        b24_queue_close(q);
        q = NULL;

    } else {
        b24_queue_unlock(q);
        q->notice[0] = '\0';
        q->aside = 0;
    }

    *queue = q;

    return rc;
}


/* anew when the file was set aside, by this process or another one */

static b24_queue_rc_e
b24_queue_open_file(b24_queue_t *q)
{
    int             tries;
    b24_queue_rc_e  rc;

    for (tries = 1; /* void */ ; tries++) {
        q->dev = 0;
        q->ino = 0;

        rc = b24_queue_create_file(q);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_connect(q);
        }

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_prepare(q);
        }

        /* that a new file is broken, too, is no fault of the file's */

        if (rc == B24_QUEUE_CORRUPT && !q->aside) {
            rc = b24_queue_replace(q);

        } else if (rc != B24_QUEUE_IO || b24_queue_same_file(q)) {
            return rc;
        }

        if (rc == B24_QUEUE_CORRUPT || tries == B24_QUEUE_TRIES) {
            return rc;
        }

        b24_queue_disconnect(q);
    }
}


/* sets it aside; IO when it is out of the way, so that another one is opened */

static b24_queue_rc_e
b24_queue_replace(b24_queue_t *q)
{
    char  reason[B24_QUEUE_MESSAGE], words[B24_QUEUE_MESSAGE];

    memcpy(reason, q->message, sizeof(reason));

    if (b24_queue_set_aside(q) == B24_QUEUE_OK) {
        return B24_QUEUE_IO;
    }

    memcpy(words, q->message, sizeof(words));
    (void) snprintf(q->message, sizeof(q->message),
                    "%.120s; it can't be set aside: %.90s", reason, words);

    return B24_QUEUE_CORRUPT;
}


void
b24_queue_close(b24_queue_t *q)
{
    if (q == NULL) {
        return;
    }

    /*
     * SQLite's last one to leave moves the WAL into the file and removes it;
     * two who leave at once would each take the other for one who stays.
     */

    if (q->db && !q->broken) {
        (void) b24_queue_lock(q);
    }

    b24_queue_disconnect(q);
    b24_queue_unlock(q);

    if (q->held != -1) {
        (void) close(q->held);
    }

    free(q->path);
    free(q);
}


void
b24_queue_disconnect(b24_queue_t *q)
{
    int  i;

    q->group = 0;
    q->lost = B24_QUEUE_OK;

    b24_queue_tally_forget(q);
    b24_queue_rollback(q);

    for (i = 0; i < B24_SQL_N; i++) {
        (void) sqlite3_finalize(q->stmts[i]);
        q->stmts[i] = NULL;
    }

    /* a broken file stays as it is: nothing is moved into it from its WAL */

    if (q->db && q->broken) {
        (void) sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                 NULL);
    }

    (void) sqlite3_close(q->db);

    q->db = NULL;
    q->broken = 0;
}


const char *
b24_queue_message(b24_queue_t *q)
{
    return q->message;
}


void
b24_queue_timeout(b24_queue_t *q, int ms)
{
    q->timeout = ms < 0 ? 0 : ms > 60000 ? 60000 : ms;
}


void
b24_queue_limit(b24_queue_t *q, int64_t max)
{
    q->max = max > 0 ? max : 0;
}


/*
 * stat() and never open(): closing any descriptor of the file would drop the
 * locks that SQLite holds on it in this process.
 */

int
b24_queue_same_file(b24_queue_t *q)
{
    struct stat  st;

    return stat(q->path, &st) == 0 && st.st_dev == q->dev
           && st.st_ino == q->ino;
}


int
b24_queue_usable(b24_queue_t *q)
{
    return !q->broken && b24_queue_same_file(q);
}


/*
 * SQLite would make the file with the umask's mode.  With O_EXCL the file is
 * one that no connection of this process can have locks on, see above; an
 * existing one isn't opened.  An empty file is an empty database.
 */

static b24_queue_rc_e
b24_queue_create_file(b24_queue_t *q)
{
    int             fd;
    struct stat     st;
    b24_queue_rc_e  rc;

    /* both would mean something else to SQLite */

    if (strncmp(q->path, "file:", 5) == 0 || q->path[0] == ':'
        || q->path[0] == '\0')
    {
        return b24_queue_fault(q, B24_QUEUE_IO, "not the path of a file");
    }

    if (lstat(q->path, &st) == -1) {
        rc = b24_queue_lock(q);

        if (rc == B24_QUEUE_OK && lstat(q->path, &st) == -1) {
            rc = b24_queue_clear(q);
        }

        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    fd = open(q->path, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (fd >= 0) {
        (void) close(fd);
        return B24_QUEUE_OK;
    }

    if (errno != EEXIST) {
        return b24_queue_refused(q, "the file can't be created", errno);
    }

    if (stat(q->path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077)) {
        (void) chmod(q->path, 0600);
    }

    return B24_QUEUE_OK;
}


b24_queue_rc_e
b24_queue_refused(b24_queue_t *q, const char *words, int err)
{
    (void) snprintf(q->message, sizeof(q->message), "%s (errno %d)", words,
                    err);

    switch (err) {

    case EROFS:
    case EACCES:
    case EPERM:
        return B24_QUEUE_READONLY;

    case ENOSPC:
    case EDQUOT:
        return B24_QUEUE_FULL;

    case ENOMEM:
        return B24_QUEUE_NOMEM;

    default:
        return B24_QUEUE_IO;
    }
}


static b24_queue_rc_e
b24_queue_connect(b24_queue_t *q)
{
    int          rc, moved;
    struct stat  st;

    errno = 0;

    rc = sqlite3_open_v2(q->path, &q->db, SQLITE_OPEN_READWRITE
                                          |SQLITE_OPEN_NOMUTEX, NULL);
    if (q->db == NULL) {
        return B24_QUEUE_NOMEM;
    }

    if (rc != SQLITE_OK) {
        return b24_queue_failed(q);
    }

    (void) sqlite3_extended_result_codes(q->db, 1);
    (void) sqlite3_busy_handler(q->db, b24_queue_busy, q);
    (void) sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

    /* SQLite falls back to reading where it may not write */

    if (sqlite3_db_readonly(q->db, "main") == 1) {
        return b24_queue_fault(q, B24_QUEUE_READONLY,
                               "attempt to write a readonly database");
    }

    /* the file at the path might have been exchanged since it was opened */

    moved = 0;

    if (stat(q->path, &st) != 0
        || sqlite3_file_control(q->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
           != SQLITE_OK
        || moved)
    {
        return b24_queue_fault(q, B24_QUEUE_IO, "the file is gone");
    }

    q->dev = st.st_dev;
    q->ino = st.st_ino;

    return st.st_size == 0 ? b24_queue_check_empty(q) : B24_QUEUE_OK;
}


/*
 * SQLite writes a first page before there is a WAL, and throws away the WAL of
 * a file without one: if there is something in it, the file was cut.  With the
 * lock nobody is making a queue of it meanwhile.
 */

static b24_queue_rc_e
b24_queue_check_empty(b24_queue_t *q)
{
    int             cut;
    char           *wal;
    size_t          size;
    struct stat     st;
    b24_queue_rc_e  rc;

    rc = b24_queue_lock(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    /* while the lock was waited for: SQLite would throw away, by its name, the
     * WAL of the file that has taken the place of this one */

    if (!b24_queue_same_file(q)) {
        return b24_queue_fault(q, B24_QUEUE_IO, "the file is gone");
    }

    size = strlen(q->path) + sizeof("-wal");

    wal = malloc(size);
    if (wal == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    (void) snprintf(wal, size, "%s-wal", q->path);

    cut = stat(q->path, &st) == 0 && st.st_size == 0
          && stat(wal, &st) == 0 && st.st_size;

    free(wal);

    if (cut) {
        return b24_queue_fault(q, B24_QUEUE_CORRUPT,
                               "the file is empty, but not its WAL");
    }

    return B24_QUEUE_OK;
}


int64_t
b24_queue_monotonic(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
b24_queue_sleep(int ms)
{
    struct timespec  ts;

    ts.tv_sec = ms / 1000;
    ts.tv_nsec = (ms % 1000) * 1000000L;

    (void) nanosleep(&ts, NULL);
}


/*
 * SQLite's own handler sleeps up to 100 ms a time, longer than most commits
 * take, so that it loses against writers that come back at once.
 */

static int
b24_queue_busy(void *data, int count)
{
    b24_queue_t *q = data;

    int64_t  now;

    now = b24_queue_monotonic();

    if (count == 0) {
        q->waiting = now;
    }

    if (now - q->waiting >= q->timeout) {
        return 0;
    }

    b24_queue_sleep(count < 8 ? count + 1 : 8);

    return 1;
}
