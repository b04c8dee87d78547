
/*
 * How fast the durable queue is.
 *
 *     queue [ROWS [SECONDS [FOLDER]]]
 *
 * Group commits of 1, 8 and 64 orders beside plain SQLite (WAL,
 * synchronous=FULL, the same disk), in turns.  "the same rows" are those of an
 * accepted order in records, events and timeline: three tables without other
 * indexes, checks and triggers; "the text" is one table with nothing else.
 * "accepted" is b24_queue_put() as with b24_journal off; "captured, accepted"
 * is the journal as well: a commit holds the captures of one group and the
 * acceptances of the group before.  Then the courier's and the desk's calls in
 * a queue of 1000 and in one of ROWS records (1000000) as a ratio.  SECONDS
 * (0.1) is the time of one turn.  What is printed are medians of the turns with
 * the least and the greatest.
 */

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "queue_fill.h"


#define TURNS    9
#define PAYLOAD  2048
#define GROUP    64                     /* of the largest one */
#define SMALL    1000
#define ORIGIN   "shop.example.com"
#define RULE     "shop/save"
#define PRINT    "0123456789abcdef"


typedef enum {
    COMMIT_TEXT = 0,
    COMMIT_ROWS,
    COMMIT_ACCEPTED,
    COMMIT_CAPTURED,
    COMMIT_MODES
} commit_e;

typedef struct {
    double  turns[TURNS];
} series_t;

typedef struct {
    b24_queue_t   *q;
    sqlite3       *db;              /* plain SQLite's */
    sqlite3_stmt  *text;
    sqlite3_stmt  *rows[3];
    int64_t        number;          /* of the last order */
} commits_t;

typedef struct {
    b24_queue_t  *q;
    b24_pool_t   *pool;
    int64_t       n;                /* goes on over the turns */
} bench_t;

typedef int (*bench_pt)(bench_t *b);


static double  seconds = 0.1;
static char    payload[PAYLOAD + 1];


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static int
compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return x < y ? -1 : x > y;
}


/* a row of the table, see t/bench/bench.pl */

static void
print(const char *name, const series_t *s, const series_t *base,
    const char *of, double least)
{
    int       i;
    series_t  sorted;

    sorted = *s;
    qsort(sorted.turns, TURNS, sizeof(double), compare);

    printf("ROW\t%s\t/s\t%.0f\t%.0f\t%.0f\t", name,
           sorted.turns[TURNS / 2], sorted.turns[0], sorted.turns[TURNS - 1]);

    for (i = 0; i < TURNS; i++) {
        sorted.turns[i] = base ? s->turns[i] / base->turns[i] : 1;
    }

    qsort(sorted.turns, TURNS, sizeof(double), compare);

    printf("%s\t%.2f\t%.2f\t%.2f\t", of, sorted.turns[TURNS / 2],
           sorted.turns[0], sorted.turns[TURNS - 1]);

    if (least > 0) {
        printf(">= %.2f\t%s\n", least,
               sorted.turns[TURNS / 2] < least ? "MISSED" : "ok");

    } else {
        printf("\t\n");
    }

    (void) fflush(stdout);
}


static void
die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    queue_rmdir(queue_dir);
    exit(1);
}


static void
run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        die(sql, sqlite3_errmsg(db));
    }
}


static sqlite3_stmt *
prepared(sqlite3 *db, const char *sql)
{
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        die(sql, sqlite3_errmsg(db));
    }

    return stmt;
}


static void
step(sqlite3 *db, sqlite3_stmt *stmt)
{
    if (sqlite3_step(stmt) != SQLITE_DONE) {
        die("insert", sqlite3_errmsg(db));
    }

    (void) sqlite3_reset(stmt);
}


static void
bind_text(sqlite3_stmt *stmt, int n, const char *text)
{
    (void) sqlite3_bind_text(stmt, n, text, -1, SQLITE_STATIC);
}


static void
plain_open(commits_t *c)
{
    if (sqlite3_open(queue_path("plain.db"), &c->db) != SQLITE_OK) {
        die("plain", sqlite3_errmsg(c->db));
    }

    run(c->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
               "CREATE TABLE t (id INTEGER PRIMARY KEY, data TEXT);"
               "CREATE TABLE records (id INTEGER PRIMARY KEY, origin, order_id,"
                   " reuse, rule, fingerprint, state, event, arrived, accepted,"
                   " attempts, created, updated);"
               "CREATE TABLE events (id INTEGER PRIMARY KEY, record, seq, kind,"
                   " arrived, done, data);"
               "CREATE TABLE timeline (record, n, time, last, count, state,"
                   " cause, method, error, PRIMARY KEY (record, n))"
                   " WITHOUT ROWID");

    c->text = prepared(c->db, "INSERT INTO t (data) VALUES (?)");
    c->rows[0] = prepared(c->db, "INSERT INTO records VALUES (?1, ?2, ?3, 0,"
                          " ?4, ?5, 'accepted', ?1, ?6, ?6, 0, ?6, ?6)");
    c->rows[1] = prepared(c->db, "INSERT INTO events VALUES (?1, ?1, 1, 'new',"
                          " ?2, NULL, ?3)");
    c->rows[2] = prepared(c->db, "INSERT INTO timeline VALUES (?1, 1, ?2, ?2,"
                          " 1, 'accepted', NULL, NULL, NULL)");
}


static void
plain_close(commits_t *c)
{
    int  i;

    (void) sqlite3_finalize(c->text);

    for (i = 0; i < 3; i++) {
        (void) sqlite3_finalize(c->rows[i]);
    }

    (void) sqlite3_close(c->db);
}


static void
plain_rows(commits_t *c, int64_t number, const char *id)
{
    sqlite3_stmt  *stmt;

    stmt = c->rows[0];
    (void) sqlite3_bind_int64(stmt, 1, number);
    bind_text(stmt, 2, ORIGIN);
    bind_text(stmt, 3, id);
    bind_text(stmt, 4, RULE);
    bind_text(stmt, 5, PRINT);
    (void) sqlite3_bind_int64(stmt, 6, T0 + number);
    step(c->db, stmt);

    stmt = c->rows[1];
    (void) sqlite3_bind_int64(stmt, 1, number);
    (void) sqlite3_bind_int64(stmt, 2, T0 + number);
    bind_text(stmt, 3, payload);
    step(c->db, stmt);

    stmt = c->rows[2];
    (void) sqlite3_bind_int64(stmt, 1, number);
    (void) sqlite3_bind_int64(stmt, 2, T0 + number);
    step(c->db, stmt);
}


static void
put(commits_t *c, int64_t number, b24_state_e state, int64_t capture)
{
    char                    *id;
    b24_queue_put_t          order;
    b24_queue_put_result_t   result;

    static char  ids[GROUP][24];        /* of a transaction */

    id = ids[number % GROUP];

    (void) snprintf(id, sizeof(ids[0]), "%lld", (long long) number);
    queue_put_init(&order, ORIGIN, state == B24_STATE_CAPTURED ? "" : id,
                   PRINT, T0 + number);
    order.lasting = 1;
    order.data = str(payload);
    order.state = state;
    order.capture = capture;
    order.owner = state == B24_STATE_CAPTURED ? "a worker's life" : NULL;

    if (b24_queue_put(c->q, &order, &result) != B24_QUEUE_OK) {
        die("put", b24_queue_message(c->q));
    }
}


static void
one_order(commits_t *c, int group, commit_e mode)
{
    char  id[24];

    c->number++;

    switch (mode) {

    case COMMIT_TEXT:
        bind_text(c->text, 1, payload);
        step(c->db, c->text);
        break;

    case COMMIT_ROWS:
        (void) snprintf(id, sizeof(id), "%lld", (long long) c->number);
        plain_rows(c, c->number, id);
        break;

    case COMMIT_CAPTURED:
        put(c, c->number + group, B24_STATE_CAPTURED, c->number + group);
        put(c, c->number, B24_STATE_ACCEPTED, c->number);
        break;

    default:
        put(c, c->number, B24_STATE_ACCEPTED, 0);
    }
}


static void
one_commit(commits_t *c, int group, commit_e mode)
{
    int  i;

    if (mode == COMMIT_TEXT || mode == COMMIT_ROWS) {
        run(c->db, "BEGIN IMMEDIATE");

    } else if (b24_queue_begin(c->q) != B24_QUEUE_OK) {
        die("begin", b24_queue_message(c->q));
    }

    for (i = 0; i < group; i++) {
        one_order(c, group, mode);
    }

    if (mode == COMMIT_TEXT || mode == COMMIT_ROWS) {
        run(c->db, "COMMIT");

    } else if (b24_queue_commit(c->q) != B24_QUEUE_OK) {
        die("commit", b24_queue_message(c->q));
    }
}


/* the group whose acceptances come first */

static void
first_captures(commits_t *c, int group)
{
    int  i;

    (void) b24_queue_begin(c->q);

    for (i = 1; i <= group; i++) {
        put(c, c->number + i, B24_STATE_CAPTURED, c->number + i);
    }

    if (b24_queue_commit(c->q) != B24_QUEUE_OK) {
        die("commit", b24_queue_message(c->q));
    }
}


static double
turn_commits(commits_t *c, int group, commit_e mode)
{
    double   start, end;
    int64_t  n;

    if (mode == COMMIT_CAPTURED) {
        first_captures(c, group);
    }

    start = now();
    n = 0;

    do {
        one_commit(c, group, mode);
        n += group;
        end = now();

    } while (end - start < seconds);

    c->number += group;

    return (double) n / (end - start);
}


static void
bench_commits(void)
{
    int        i, m, k, group;
    char       name[64];
    series_t   rates[COMMIT_MODES];
    commits_t  c;

    static const int  groups[] = { 1, 8, 64 };

    static const char *const  names[] = {
        "plain SQLite, the text", "plain SQLite, the same rows", "accepted",
        "captured, accepted"
    };

    memset(&c, 0, sizeof(commits_t));

    c.q = queue_open(queue_path("commits.db"));
    plain_open(&c);

    for (i = 0; i < 3; i++) {
        group = groups[i];

        for (k = 0; k < TURNS; k++) {
            for (m = 0; m < COMMIT_MODES; m++) {
                rates[m].turns[k] = turn_commits(&c, group, (commit_e) m);
            }
        }

        for (m = 0; m < COMMIT_MODES; m++) {
            (void) snprintf(name, sizeof(name), "%s, %d a commit", names[m],
                            group);
            print(name, &rates[m], &rates[COMMIT_TEXT], "the text", 0);

            if (m > COMMIT_ROWS) {
                print(name, &rates[m], &rates[COMMIT_ROWS], "the same rows",
                      0.5);
            }
        }
    }

    plain_close(&c);
    b24_queue_close(c.q);
}


/* a queue with that many orders waiting to be sent */

static b24_queue_t *
filled(const char *path, long rows)
{
    queue_fill(path, rows, &fill_accepted);

    return queue_open(path);
}


static int
one_delivery(bench_t *b)
{
    int64_t              next;
    b24_queue_rc_e       rc;
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    rc = queue_claim(b->q, b->pool, "shop.example.com", "w1", T0 + 10 * DAY,
                     &job, &next);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    /* WAITING and far away: a small queue isn't to run empty */

    memset(&out, 0, sizeof(b24_queue_outcome_t));
    out.state = B24_STATE_WAITING;
    out.next = T0 + b->n++;
    out.cause = "busy";

    return b24_queue_outcome(b->q, "w1", &job, &out, T0 + 10 * DAY);
}


static int
one_put(bench_t *b)
{
    char                     id[24];
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;

    (void) snprintf(id, sizeof(id), "x%lld", (long long) ++b->n);
    queue_put_init(&put, "shop.example.com", id, "0123456789abcdef", T0);

    return queue_put1(b->q, &put, &a);
}


static int
one_list(bench_t *b)
{
    size_t               n;
    b24_queue_record_t  *r;

    return b24_queue_list(b->q, b->pool, NULL, 0, B24_NSTATES, 50, &r, &n);
}


static int
one_counts(bench_t *b)
{
    size_t               n;
    int64_t              change;
    b24_queue_counts_t  *counts;

    return b24_queue_counts(b->q, b->pool, &counts, &n, &change);
}


static double
turn(bench_t *b, bench_pt one)
{
    int      rc;
    double   start, end;
    int64_t  n;

    start = now();
    n = 0;

    do {
        b->pool = b24_pool_create(0);
        rc = b->pool ? one(b) : B24_QUEUE_NOMEM;

        if (rc != B24_QUEUE_OK) {
            die(b24_queue_strerror((b24_queue_rc_e) rc),
                b24_queue_message(b->q));
        }

        b24_pool_destroy(b->pool);
        n++;
        end = now();

    } while (end - start < seconds);

    return (double) n / (end - start);
}


static void
bench_sizes(long rows)
{
    int       i, k;
    char      name[64];
    double    start;
    bench_t   small, large;
    series_t  s, l;

    static const struct {
        bench_pt     one;
        const char  *name;
    } calls[] = {
        { one_delivery, "claim + outcome" },
        { one_put, "put, 1 a commit" },
        { one_list, "list of 50" },
        { one_counts, "counts and oldest" }
    };

    memset(&small, 0, sizeof(bench_t));
    memset(&large, 0, sizeof(bench_t));

    start = now();
    small.q = filled(queue_path("small.db"), SMALL);
    large.q = filled(queue_path("large.db"), rows);
    printf("%ld records made in %.1f s\n", rows, now() - start);
    (void) fflush(stdout);

    for (i = 0; i < 4; i++) {

        for (k = 0; k < TURNS; k++) {
            s.turns[k] = turn(&small, calls[i].one);
            l.turns[k] = turn(&large, calls[i].one);
        }

        (void) snprintf(name, sizeof(name), "%s, %d records", calls[i].name,
                        SMALL);
        print(name, &s, NULL, "itself", 0);
        (void) snprintf(name, sizeof(name), "%s, %ld", calls[i].name, rows);
        print(name, &l, &s, "the line before", 0);
    }

    start = now();
    b24_queue_close(large.q);
    large.q = queue_open(queue_path("large.db"));
    large.pool = b24_pool_create(0);
    (void) one_delivery(&large);
    printf("%-34s %10.1f ms\n", "close, open, first claim, large",
           (now() - start) * 1000);

    b24_pool_destroy(large.pool);
    b24_queue_close(large.q);
    b24_queue_close(small.q);
}


int
main(int argc, char **argv)
{
    long  rows;

    rows = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;

    if (argc > 2) {
        seconds = strtod(argv[2], NULL);
    }

    if (argc > 3) {
        (void) setenv("TMPDIR", argv[3], 1);
    }

    if (rows < SMALL || seconds <= 0) {
        fprintf(stderr, "usage: queue [ROWS [SECONDS [FOLDER]]]\n");
        return 2;
    }

    memset(payload, 'p', PAYLOAD);
    (void) queue_mkdir();

    bench_commits();
    bench_sizes(rows);

    queue_rmdir(queue_dir);

    return 0;
}
