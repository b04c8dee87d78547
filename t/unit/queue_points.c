
/* The last day, point by point. */


#include "queue.h"


#define POINT  B24_QUEUE_POINT_MS
#define START  ((int64_t) T0 - T0 % POINT)


static b24_pool_t  *pool;


static void
deliver(b24_queue_t *q, const char *origin, int64_t now)
{
    int64_t               next;
    b24_str_t             o = str(origin);
    b24_queue_job_t       job;
    b24_queue_outcome_t   out;

    is_int(b24_queue_claim(q, pool, &o, 1, "w", MINUTE, now, &job, &next),
           B24_QUEUE_OK, "an order");

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.deal_id = 7;

    is_int(b24_queue_outcome(q, "w", &job, &out, now), B24_QUEUE_OK,
           "its deal");
}


/* "MINUTE ACCEPTED/DELIVERED/WAITING ..." of one origin */
static void
is_points(b24_queue_t *q, const char *origin, int64_t since, int64_t now,
    const char *want, const char *name)
{
    size_t              i, n, len;
    char                text[512];
    b24_str_t           o = str(origin), got;
    b24_queue_point_t  *p;

    is_int(b24_queue_points(q, pool, &o, 1, since, now, &p, &n), B24_QUEUE_OK,
           "points");

    len = 0;
    text[0] = '\0';

    for (i = 0; i < n; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len,
                                 "%s%lld %lld/%lld/%lld", i ? " " : "",
                                 (long long) (p[i].time - START) / 60000,
                                 (long long) p[i].accepted,
                                 (long long) p[i].delivered,
                                 (long long) p[i].waiting);
    }

    got = str(text);
    is_str(&got, want, name);
}


static void
test_day(void)
{
    int           i;
    size_t        n;
    b24_str_t     o = str("shop");
    b24_queue_t  *q;

    b24_queue_point_t  *p;

    q = queue_open(queue_path("points.db"));

    is_points(q, "shop", 0, START, "", "an empty queue has none");
    is_int(b24_queue_point(q, START), B24_QUEUE_OK, "the first");

    (void) queue_order(q, "shop", "1", "a", START + 1);
    is_int(b24_queue_point(q, START + 2), B24_QUEUE_OK, "it is there");
    is_points(q, "shop", 0, START + 2, "0 1/0/1", "what is now");

    (void) queue_order(q, "shop", "2", "a", START + 3);
    (void) queue_order(q, "other", "2", "a", START + 3);
    deliver(q, "shop", START + 4);

    is_points(q, "shop", 0, START + 5 * 60000, "5 2/1/1", "and later");

    is_int(b24_queue_point(q, START + POINT + 9), B24_QUEUE_OK, "the next");
    is_points(q, "shop", 0, START + POINT + 60000,
              "10 2/1/1 11 0/0/1", "has what came since");
    is_points(q, "other", 0, START + POINT + 60000,
              "10 1/0/1 11 0/0/1", "of each shop its own");

    /* repeats and what is delivered later */

    (void) queue_order(q, "shop", "2", "a", START + POINT + 10);
    deliver(q, "shop", START + POINT + 11);
    is_points(q, "shop", START + 1, START + POINT + 60000,
              "10 0/0/1 11 0/1/0", "since a time");

    is_int(b24_queue_points(q, pool, NULL, 0, 0, START + POINT + 60000, &p,
                            &n), B24_QUEUE_OK, "all of them");
    is_int((long long) n, 4, "of both");

    /* nothing is kept for longer than a day */

    for (i = 2; i < 400; i++) {
        (void) b24_queue_point(q, START + i * (int64_t) POINT);
    }

    is_int(queue_sql(q, "SELECT count(*) FROM points WHERE origin = 'shop'"),
           151, "25 hours");

    /* a clock that was ahead */

    is_int(b24_queue_point(q, START + 390 * (int64_t) POINT), B24_QUEUE_OK,
           "the clock is set back");
    is_int(b24_queue_points(q, pool, &o, 1, 0, START + 390 * (int64_t) POINT,
                            &p, &n), B24_QUEUE_OK, "points");
    ok(n && p[n - 2].time == START + 390 * (int64_t) POINT,
       "none is of a time to come");

    b24_queue_close(q);
}


int
main(void)
{
    (void) queue_mkdir();
    pool = b24_pool_create(0);

    test_day();

    b24_pool_destroy(pool);
    queue_rmdir(queue_dir);

    return done_testing();
}
