
/*
 * What an operation costs in a queue of 10,000 and in one of 100,000 records,
 * for each state that so many may be in.  Not time is measured but SQLite's
 * steps and the pages it looks at: a walk through the records would be ten
 * times as long, a way through a tree is a page longer at most, and there are
 * several of them in an operation.
 */

#include "queue_million.h"


#define SMALL  10000
#define LARGE  100000
#define CALLS  5                    /* of each, the cheapest counts */


typedef struct {
    int64_t  steps;
    int64_t  pages;
} cost_t;


static void
cost_read(b24_queue_t *q, cost_t *cost)
{
    int  i, now, most;

    static const int  counters[] = {
        SQLITE_DBSTATUS_CACHE_HIT, SQLITE_DBSTATUS_CACHE_MISS
    };

    cost->steps = 0;
    cost->pages = 0;

    for (i = 0; i < B24_SQL_N; i++) {

        if (q->stmts[i]) {
            cost->steps += sqlite3_stmt_status(q->stmts[i],
                                               SQLITE_STMTSTATUS_VM_STEP, 0);
        }
    }

    for (i = 0; i < 2; i++) {
        (void) sqlite3_db_status(q->db, counters[i], &now, &most, 0);
        cost->pages += now;
    }
}


static cost_t
cost_of(million_t *m, million_pt call, int *rc)
{
    int     i;
    cost_t  before, after, least;

    least.steps = INT64_MAX;
    least.pages = INT64_MAX;

    /* once for the statements, which are prepared then */

    for (i = 0; i <= CALLS; i++) {
        million_next(m);

        m->pool = b24_pool_create(0);
        cost_read(m->q, &before);
        *rc = call(m);
        cost_read(m->q, &after);
        b24_pool_destroy(m->pool);

        after.steps -= before.steps;
        after.pages -= before.pages;

        if (i && after.steps < least.steps) {
            least.steps = after.steps;
        }

        if (i && after.pages < least.pages) {
            least.pages = after.pages;
        }
    }

    return least;
}


static void
million_init(million_t *m, const char *name, long rows, const fill_t *fill)
{
    char  *path;

    path = queue_path(name);

    memset(m, 0, sizeof(million_t));

    queue_fill(path, rows, fill);

    m->rows = rows;
    m->q = queue_open(path);

    /* nothing here is about power cuts */

    (void) queue_sql(m->q, "PRAGMA synchronous = OFF");
}


static void
test_set(const million_set_t *set)
{
    int         rs, rl;
    cost_t      s, l;
    size_t      i;
    million_t   small, large;

    million_init(&small, "small.db", SMALL, set->fill);
    million_init(&large, "large.db", LARGE, set->fill);

    for (i = 0; i < MILLION_CALLS; i++) {
        s = cost_of(&small, million_calls[i].call, &rs);
        l = cost_of(&large, million_calls[i].call, &rl);

        ok(rs == rl && (rs == B24_QUEUE_OK || rs == B24_QUEUE_NONE)
           && l.steps * 2 <= s.steps * 3 && (l.pages - 16) * 2 <= s.pages * 3,
           "%s, %s: %lld steps, then %lld, %lld pages, then %lld",
           set->name, million_calls[i].name, (long long) s.steps,
           (long long) l.steps, (long long) s.pages, (long long) l.pages);

        if (rs != B24_QUEUE_OK || rl != rs) {
            printf("# %s\n", b24_queue_strerror((b24_queue_rc_e) rl));
        }
    }

    is_int(queue_sql(large.q, "SELECT count(*) FROM pragma_quick_check"
                              " WHERE quick_check <> 'ok'"), 0, "quick_check");

    b24_queue_close(small.q);
    b24_queue_close(large.q);
    (void) unlink(queue_path("small.db"));
    (void) unlink(queue_path("large.db"));
}


int
main(void)
{
    size_t  i;

    (void) queue_mkdir();

    for (i = 0; i < MILLION_SETS; i++) {
        test_set(&million_sets[i]);
    }

    queue_rmdir(queue_dir);

    return done_testing();
}
