
/*
 * Instructions of the queue's thread for an order:
 *
 *     valgrind --tool=callgrind --toggle-collect=counted \
 *         build/bench/queue_count CAPTURED GROUP [ORDERS]
 *
 * Transactions as the thread makes them, of GROUP orders with 1.2 KB of text,
 * in a queue that has 2000 already; CAPTURED is 1 if each comes from the
 * journal, in a transaction before.  What is "Collected" is of ORDERS (512).
 */

#include <stdlib.h>

#include "queue.h"


#define PAYLOAD    1200
#define GROUP_MAX  64
#define THERE      2000


void counted(b24_queue_t *q, int captured, int group, int64_t orders);


static int64_t  number = 1000000;


static void
put(b24_queue_t *q, int64_t n, b24_state_e state, int64_t capture)
{
    char                    *id;
    b24_queue_put_t          order;
    b24_queue_put_result_t   result;

    static char  ids[GROUP_MAX][24], payload[PAYLOAD + 1];

    memset(payload, 'p', PAYLOAD);
    id = ids[n % GROUP_MAX];

    (void) snprintf(id, sizeof(ids[0]), "%lld", (long long) n);
    queue_put_init(&order, "shop.example.com",
                   state == B24_STATE_CAPTURED ? "" : id, "0123456789abcdef",
                   T0 + n);
    order.data = str(payload);
    order.state = state;
    order.capture = capture;
    order.owner = "a worker's life";
    order.lasting = 1;

    if (b24_queue_put(q, &order, &result) != B24_QUEUE_OK) {
        fprintf(stderr, "%s\n", b24_queue_message(q));
        exit(1);
    }
}


/* the counts are read behind it, for the desk */

static void
transaction(b24_queue_t *q, int group, b24_state_e state, int captured)
{
    int                  i;
    size_t               n;
    int64_t              change;
    b24_pool_t          *pool;
    b24_queue_counts_t  *counts;

    (void) b24_queue_begin(q);

    for (i = 0; i < group; i++) {
        put(q, number + i, state, captured ? number + i : 0);
    }

    pool = b24_pool_create(0);

    if (b24_queue_commit(q) != B24_QUEUE_OK
        || b24_queue_counts(q, pool, &counts, &n, &change) != B24_QUEUE_OK)
    {
        fprintf(stderr, "%s\n", b24_queue_message(q));
        exit(1);
    }

    b24_pool_destroy(pool);
}


__attribute__((noinline)) void
counted(b24_queue_t *q, int captured, int group, int64_t orders)
{
    int64_t  n;

    for (n = 0; n < orders; n += group) {

        if (captured) {
            transaction(q, group, B24_STATE_CAPTURED, 1);
        }

        transaction(q, group, B24_STATE_ACCEPTED, captured);
        number += group;
    }
}


static void
filled(b24_queue_t *q, int captured, int group)
{
    int64_t  n;

    for (n = 0; n < THERE; n += GROUP_MAX, number += GROUP_MAX) {
        transaction(q, GROUP_MAX, B24_STATE_ACCEPTED, 0);
    }

    /* each statement is prepared once */

    for (n = 0; n < 2; n++, number += group) {

        if (captured) {
            transaction(q, group, B24_STATE_CAPTURED, 1);
        }

        transaction(q, group, B24_STATE_ACCEPTED, captured);
    }
}


int
main(int argc, char **argv)
{
    int           captured, group;
    int64_t       orders;
    b24_queue_t  *q;

    captured = argc > 1 ? atoi(argv[1]) : 0;
    group = argc > 2 ? atoi(argv[2]) : 0;
    orders = argc > 3 ? atoi(argv[3]) : 512;

    if (group < 1 || group > GROUP_MAX || orders < 1) {
        fprintf(stderr, "usage: queue_count CAPTURED GROUP [ORDERS]\n");
        return 2;
    }

    (void) queue_mkdir();

    q = queue_open(queue_path("queue.db"));
    b24_queue_limit(q, 10000000);

    filled(q, captured, group);
    counted(q, captured, group, orders);

    b24_queue_close(q);
    queue_rmdir(queue_dir);

    return 0;
}
