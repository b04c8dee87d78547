
/*
 * How fast the durable queue is.
 *
 *     queue [ROWS [SECONDS [FOLDER]]]
 *
 * Commits of 1, 10 and 100 orders beside plain SQLite doing the same with one
 * table (WAL, synchronous=FULL, the same bytes), in turns; then the courier's
 * and the desk's calls in a queue of 1000 and in one of ROWS records (1000000)
 * as a ratio.  SECONDS (0.1) is the time of one turn.  What is printed are
 * medians of five turns with the least and the greatest.
 */

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"


#define TURNS    5
#define PAYLOAD  2048
#define SMALL    1000


typedef struct {
    double  turns[TURNS];
} series_t;

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


static double
median(const series_t *s)
{
    series_t  sorted;

    sorted = *s;
    qsort(sorted.turns, TURNS, sizeof(double), compare);

    return sorted.turns[TURNS / 2];
}


static void
print(const char *name, const series_t *s, const series_t *base)
{
    int       i;
    series_t  sorted;

    sorted = *s;
    qsort(sorted.turns, TURNS, sizeof(double), compare);

    printf("%-34s %10.0f /s  (%.0f .. %.0f)", name, sorted.turns[TURNS / 2],
           sorted.turns[0], sorted.turns[TURNS - 1]);

    if (base) {
        for (i = 0; i < TURNS; i++) {
            sorted.turns[i] = s->turns[i] / base->turns[i];
        }

        printf("   ratio %.2f", median(&sorted));
    }

    printf("\n");
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


/* orders per second through the queue */

static double
turn_queue(b24_queue_t *q, int group)
{
    int                      k;
    char                     id[24];
    double                   start, end;
    int64_t                  n;
    b24_queue_put_t          put;
    b24_queue_put_result_t   a;
    static int64_t           number;

    start = now();
    n = 0;

    do {
        if (b24_queue_begin(q) != B24_QUEUE_OK) {
            die("begin", b24_queue_message(q));
        }

        for (k = 0; k < group; k++, n++) {
            (void) snprintf(id, sizeof(id), "%lld", (long long) ++number);
            queue_put_init(&put, "shop.example.com", id, "0123456789abcdef",
                           T0 + number);
            put.data = str(payload);

            if (b24_queue_put(q, &put, &a) != B24_QUEUE_OK) {
                die("put", b24_queue_message(q));
            }
        }

        if (b24_queue_commit(q) != B24_QUEUE_OK) {
            die("commit", b24_queue_message(q));
        }

        end = now();

    } while (end - start < seconds);

    return (double) n / (end - start);
}


static double
turn_plain(sqlite3 *db, sqlite3_stmt *insert, int group)
{
    int      k;
    double   start, end;
    int64_t  n;

    start = now();
    n = 0;

    do {
        run(db, "BEGIN IMMEDIATE");

        for (k = 0; k < group; k++, n++) {
            (void) sqlite3_bind_text(insert, 1, payload, PAYLOAD,
                                     SQLITE_STATIC);

            if (sqlite3_step(insert) != SQLITE_DONE) {
                die("insert", sqlite3_errmsg(db));
            }

            (void) sqlite3_reset(insert);
        }

        run(db, "COMMIT");
        end = now();

    } while (end - start < seconds);

    return (double) n / (end - start);
}


static void
bench_commits(void)
{
    int            i, k, group;
    char           name[64];
    sqlite3       *db;
    series_t       ours, plain;
    b24_queue_t   *q;
    sqlite3_stmt  *insert;

    q = queue_open(queue_path("commits.db"));

    if (sqlite3_open(queue_path("plain.db"), &db) != SQLITE_OK) {
        die("plain", sqlite3_errmsg(db));
    }

    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE t (id INTEGER PRIMARY KEY, data TEXT)");
    (void) sqlite3_prepare_v2(db, "INSERT INTO t (data) VALUES (?)", -1,
                              &insert, NULL);

    for (i = 0, group = 1; i < 3; i++, group *= 10) {

        for (k = 0; k < TURNS; k++) {
            plain.turns[k] = turn_plain(db, insert, group);
            ours.turns[k] = turn_queue(q, group);
        }

        (void) snprintf(name, sizeof(name), "plain SQLite, %d a commit",
                        group);
        print(name, &plain, NULL);
        (void) snprintf(name, sizeof(name), "orders, %d a commit", group);
        print(name, &ours, &plain);
    }

    (void) sqlite3_finalize(insert);
    (void) sqlite3_close(db);
    b24_queue_close(q);
}


/*
 * A queue with that many orders waiting to be sent.  It is filled past the
 * triggers and the journal; their work is done at the end.
 */

static b24_queue_t *
filled(const char *path, long rows)
{
    char           sql[1500], *triggers;
    sqlite3       *db;
    sqlite3_stmt  *stmt;

    b24_queue_close(queue_open(path));

    if (sqlite3_open(path, &db) != SQLITE_OK) {
        die(path, sqlite3_errmsg(db));
    }

    (void) sqlite3_prepare_v2(db, "SELECT group_concat(sql, ';') FROM"
                                  " sqlite_schema WHERE type = 'trigger'", -1,
                              &stmt, NULL);
    (void) sqlite3_step(stmt);
    triggers = strdup((const char *) sqlite3_column_text(stmt, 0));
    (void) sqlite3_finalize(stmt);

    if (triggers == NULL) {
        die("triggers", "none");
    }

    run(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "PRAGMA cache_size = -65536; BEGIN;"
            "DROP TRIGGER records_insert; DROP TRIGGER records_state;"
            "DROP TRIGGER records_first; DROP TRIGGER records_delete");

    (void) snprintf(sql, sizeof(sql),
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < %ld) INSERT INTO records (origin, order_id, reuse, rule,"
        " fingerprint, state, event, arrived, accepted, created, updated)"
        " SELECT 'shop.example.com', printf('%%08d', i), 0, 'shop/save',"
        " '0123456789abcdef', 'accepted', i, %lld + i, %lld + i, %lld + i,"
        " %lld + i FROM c;"
        "INSERT INTO events (id, record, seq, kind, arrived, data) SELECT id,"
        " id, 1, 'new', arrived, '{\"v\":1}' FROM records;"
        "INSERT INTO timeline SELECT id, 1, arrived, arrived, 1, 'accepted',"
        " NULL, NULL, NULL FROM records;"
        "INSERT INTO counts VALUES ('shop.example.com', 'accepted', %ld, %ld,"
        " 1)",
        rows, (long long) T0, (long long) T0, (long long) T0, (long long) T0,
        rows, rows);
    run(db, sql);
    run(db, triggers);
    run(db, "COMMIT");

    free(triggers);
    (void) sqlite3_close(db);

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
        print(name, &s, NULL);
        (void) snprintf(name, sizeof(name), "%s, %ld", calls[i].name, rows);
        print(name, &l, &s);
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
