
/* A new courier takes over what a dead one held. */

#include "tap.h"
#include "b24_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


#define LEASE    300000
#define UNKNOWN  65000


static b24_queue_t  *q;
static char          dir[] = "/tmp/b24-recover-XXXXXX";


static void
put(const char *id, int64_t now)
{
    b24_queue_put_t         p;
    b24_queue_put_result_t  r;

    memset(&p, 0, sizeof(p));
    p.origin = str("shop");
    p.order_id = str(id);
    p.rule = str("shop/order");
    p.fingerprint = str(id);
    p.data = str("{\"v\":1}");
    p.state = B24_STATE_ACCEPTED;
    p.now = now;

    is_int(b24_queue_begin(q), B24_QUEUE_OK, "begin");
    is_int(b24_queue_put(q, &p, &r), B24_QUEUE_OK, "put");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "commit");
}


static b24_queue_rc_e
claim(const char *owner, int64_t now, b24_queue_job_t *job, int64_t *next)
{
    b24_str_t           origin = str("shop");
    static b24_pool_t  *pool;

    b24_pool_destroy(pool);
    pool = b24_pool_create(0);

    return b24_queue_claim(q, pool, &origin, 1, owner, LEASE, now, job, next);
}


int
main(void)
{
    char             path[128], err[256];
    int64_t          next;
    b24_str_t        origin = str("shop");
    b24_queue_job_t  a, b, job;

    if (mkdtemp(dir) == NULL) {
        return 2;
    }

    snprintf(path, sizeof(path), "%s/queue.db", dir);

    if (b24_queue_open(&q, path, err, sizeof(err)) != B24_QUEUE_OK) {
        printf("Bail out! %s\n", err);
        return 2;
    }

    put("1", 1000);
    put("2", 1001);
    put("3", 1002);

    is_int(claim("old", 10000, &a, &next), B24_QUEUE_OK, "old claims 1");
    is_int(claim("old", 10000, &b, &next), B24_QUEUE_OK, "old claims 2");
    is_int(b24_queue_attempt(q, "old", &b, 1 << B24_STEP_DEAL, "batch", NULL,
                             LEASE, 20000),
           B24_QUEUE_OK, "old sends the deal of 2");
    is_int(claim("new", 21000, &job, &next), B24_QUEUE_OK,
           "new claims 3, which nobody holds");
    is_str(&job.order_id, "3", "it is 3");

    is_int(claim("new", 21000, &job, &next), B24_QUEUE_NONE,
           "the others are held");
    is_int(next, 10000 + LEASE, "until their leases end");

    is_int(b24_queue_recover(q, &origin, "new", UNKNOWN, 22000),
           B24_QUEUE_OK, "recover");
    is_int(b24_queue_recover(q, &origin, "new", UNKNOWN, 22001),
           B24_QUEUE_OK, "a courier elected right after does it, too");

    is_int(claim("new", 22000, &job, &next), B24_QUEUE_OK,
           "what was not sent is free at once");
    is_str(&job.order_id, "1", "it is 1");

    is_int(claim("new", 22000, &job, &next), B24_QUEUE_NONE,
           "what was sent is not");
    is_int(next, 20000 + UNKNOWN, "it waits from its attempt on");
    is_int(claim("new", next - 1, &job, &next), B24_QUEUE_NONE,
           "not a moment sooner");
    is_int(claim("new", 20000 + UNKNOWN, &job, &next), B24_QUEUE_OK,
           "then it is free");
    is_str(&job.order_id, "2", "it is 2");
    is_int(job.steps[B24_STEP_DEAL], B24_STEP_SENT,
           "its deal is known to be sent");

    is_int(b24_queue_attempt(q, "old", &b, 1 << B24_STEP_ROWS, "batch", NULL,
                             LEASE, 90000),
           B24_QUEUE_STALE, "the old owner has lost it");

    is_int(b24_queue_recover(q, &origin, "new", UNKNOWN, 90001),
           B24_QUEUE_OK, "recover again");
    is_int(claim("new", 90001, &job, &next), B24_QUEUE_NONE,
           "its own are left alone");

    b24_queue_close(q);

    snprintf(path, sizeof(path), "rm -rf %s", dir);

    return system(path) == 0 ? done_testing() : 2;
}
