
/* What the programs that test the queue share: folders, puts, claims. */


#ifndef _QUEUE_H_INCLUDED_
#define _QUEUE_H_INCLUDED_


#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "b24_queue_int.h"


#define T0      ((int64_t) 1700000000000)   /* a time to start from, ms */
#define MINUTE  ((int64_t) 60000)
#define HOUR    (60 * MINUTE)
#define DAY     (24 * HOUR)


static char  queue_dir[64];


/* a new folder under $TMPDIR; gone at the end of main() by queue_rmdir() */

static inline const char *
queue_mkdir(void)
{
    const char  *tmp;

    b24_queue_library();

    tmp = getenv("TMPDIR");

    (void) snprintf(queue_dir, sizeof(queue_dir), "%.40s/b24-XXXXXX",
                    tmp ? tmp : "/tmp");

    if (mkdtemp(queue_dir) == NULL) {
        perror("mkdtemp");
        exit(2);
    }

    return queue_dir;
}


static inline void
queue_rmdir(const char *path)
{
    DIR            *dir;
    char            name[512];
    struct dirent  *de;

    dir = opendir(path);
    if (dir == NULL) {
        return;
    }

    while ((de = readdir(dir)) != NULL) {

        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) {
            continue;
        }

        (void) snprintf(name, sizeof(name), "%.200s/%.255s", path,
                        de->d_name);

        if (unlink(name) != 0) {
            queue_rmdir(name);
        }
    }

    (void) closedir(dir);
    (void) rmdir(path);
}


static inline char *
queue_path(const char *name)
{
    static int   n;
    static char  paths[8][128];

    n = (n + 1) % 8;
    (void) snprintf(paths[n], sizeof(paths[n]), "%s/%.60s", queue_dir, name);

    return paths[n];
}


static inline b24_queue_t *
queue_open(const char *path)
{
    char             err[B24_QUEUE_MESSAGE];
    b24_queue_t     *q;
    b24_queue_rc_e   rc;

    rc = b24_queue_open(&q, path, err, sizeof(err));

    if (rc != B24_QUEUE_OK) {
        printf("Bail out! %s: %d %s\n", path, rc, err);
        exit(2);
    }

    return q;
}


static inline void
queue_put_init(b24_queue_put_t *put, const char *origin, const char *id,
    const char *fingerprint, int64_t now)
{
    memset(put, 0, sizeof(b24_queue_put_t));

    put->origin = str(origin);
    put->order_id = str(id);
    put->rule = str("shop/save");
    put->fingerprint = str(fingerprint);
    put->data = str("{\"v\":1}");
    put->state = B24_STATE_ACCEPTED;
    put->now = now;
}


/* one put in a transaction of its own */

static inline b24_queue_rc_e
queue_put1(b24_queue_t *q, const b24_queue_put_t *put,
    b24_queue_put_result_t *result)
{
    b24_queue_rc_e  rc;

    memset(result, 0, sizeof(b24_queue_put_result_t));

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put(q, put, result);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_commit(q);
    }

    if (rc != B24_QUEUE_OK) {
        b24_queue_rollback(q);
    }

    return rc;
}


/* an accepted order, in a transaction of its own */

static inline b24_queue_put_result_t
queue_order(b24_queue_t *q, const char *origin, const char *id,
    const char *fingerprint, int64_t now)
{
    b24_queue_rc_e          rc;
    b24_queue_put_t         put;
    b24_queue_put_result_t  result;

    queue_put_init(&put, origin, id, fingerprint, now);

    rc = queue_put1(q, &put, &result);

    if (rc != B24_QUEUE_OK) {
        printf("Bail out! put: %d %s\n", rc, b24_queue_message(q));
        exit(2);
    }

    return result;
}


static inline b24_queue_rc_e
queue_claim(b24_queue_t *q, b24_pool_t *pool, const char *origin,
    const char *owner, int64_t now, b24_queue_job_t *job, int64_t *next)
{
    b24_str_t  o;

    o = str(origin);

    return b24_queue_claim(q, pool, &o, 1, owner, MINUTE, now, job, next);
}


/* a number of the database, through SQL */

static inline int64_t
queue_sql(b24_queue_t *q, const char *sql)
{
    int64_t        value;
    sqlite3_stmt  *stmt;

    value = -1;

    if (sqlite3_prepare_v2(q->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        printf("# %s: %s\n", sql, sqlite3_errmsg(q->db));
        return -2;
    }

    if (sqlite3_step(stmt) == SQLITE_ROW) {
        value = sqlite3_column_int64(stmt, 0);
    }

    (void) sqlite3_finalize(stmt);

    return value;
}


#endif /* _QUEUE_H_INCLUDED_ */
