
/*
 * The queue and the rules, used by threads as the module uses them: an event
 * loop reads requests with rules that all share, gathers jobs while one task
 * runs in a pool of threads, and frees their memory when it is over; the task
 * reads answers, writes the queue, claims and settles.  The queue's handle goes
 * from thread to thread, one at a time.  There are two such workers on one file,
 * and what a job lends to its twin is freed by whoever comes last.
 *
 * Built with ThreadSanitizer, which reports what isn't ordered between them.
 */


#include <pthread.h>

#include "queue.h"
#include "shopconf.h"
#include "b24_text.h"


#define WORKERS  2
#define THREADS  3
#define ORDERS   150                /* of each worker */
#define GATHER   7                  /* between two looks at what is done */


typedef struct job_s  job_t;

struct job_s {
    b24_pool_t      *pool;
    b24_pool_t      *lent;          /* the twin's, NULL */
    b24_input_t      in;
    b24_partial_t   *partial;
    uint64_t         set;
    b24_event_t      event;
    b24_str_t        json;
    char             body[64];
    char             answer[64];
    job_t           *next;
};


typedef struct task_s  task_t;

struct task_s {
    struct worker_s  *worker;
    job_t            *jobs;
    size_t            stored;
    size_t            delivered;
    task_t           *next;
};


typedef struct worker_s {
    int               number;
    char              owner[16];
    b24_queue_t      *q;            /* the task's, while there is one */
    task_t            task;
    int               busy;
    int               done;
    pthread_cond_t    wake;
    pthread_t         loop;
    size_t            stored;
    size_t            delivered;
    unsigned          refused;
} worker_t;


static const char  conf[] =
    "b24_shop s { order o { uri /checkout; when request:/place;"
    " accept response:/ok; id response:/id; name request:/name;"
    " phone request:/phone; total request:/total \"~(\\d+)\"; } }";


static pthread_mutex_t    lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t     more = PTHREAD_COND_INITIALIZER;
static task_t            *tasks;
static int                quit;
static const b24_shop_t  *shop;


/* ---- in the threads of the pool ---- */

static void
extract(job_t *job)
{
    if (b24_extract_answer(job->pool, shop, job->partial, &job->in,
                           &job->event)
        != B24_OK
        || b24_order_print(job->pool, job->event.order, &job->json) != B24_OK)
    {
        printf("Bail out! an order can't be read\n");
        exit(2);
    }
}


static void
store(task_t *task)
{
    job_t                   *job;
    b24_queue_t             *q;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    q = task->worker->q;

    if (b24_queue_begin(q) != B24_QUEUE_OK) {
        return;
    }

    for (job = task->jobs; job; job = job->next) {
        queue_put_init(&put, "shop.test", "", "f", T0);
        put.order_id = job->event.order->fields[B24_ORDER_ID];
        put.data = job->json;

        if (b24_queue_put(q, &put, &result) == B24_QUEUE_OK) {
            task->stored++;
        }
    }

    if (b24_queue_commit(q) != B24_QUEUE_OK) {
        b24_queue_rollback(q);
        task->stored = 0;
    }
}


static void
deliver(task_t *task)
{
    int64_t               next;
    worker_t             *w;
    b24_pool_t           *pool;
    b24_queue_job_t       job;
    b24_queue_outcome_t   outcome;

    w = task->worker;

    for ( ;; ) {
        pool = b24_pool_create(0);

        if (queue_claim(w->q, pool, "shop.test", w->owner, T0 + MINUTE, &job,
                        &next)
            != B24_QUEUE_OK
            || b24_queue_attempt(w->q, w->owner, &job, 0, "crm.deal.add",
                                 NULL, MINUTE, T0 + MINUTE)
               != B24_QUEUE_OK)
        {
            b24_pool_destroy(pool);
            return;
        }

        memset(&outcome, 0, sizeof(outcome));
        outcome.state = B24_STATE_DELIVERED;
        outcome.deal_id = job.record;
        outcome.contact_id = 1;

        if (b24_queue_outcome(w->q, w->owner, &job, &outcome, T0 + 2 * MINUTE)
            == B24_QUEUE_OK)
        {
            task->delivered++;
        }

        b24_pool_destroy(pool);
    }
}


static void *
thread(void *data)
{
    job_t   *job;
    task_t  *task;

    (void) data;

    for ( ;; ) {
        (void) pthread_mutex_lock(&lock);

        while (tasks == NULL && !quit) {
            (void) pthread_cond_wait(&more, &lock);
        }

        task = tasks;

        if (task) {
            tasks = task->next;
        }

        (void) pthread_mutex_unlock(&lock);

        if (task == NULL) {
            return NULL;
        }

        for (job = task->jobs; job; job = job->next) {
            extract(job);
        }

        store(task);
        deliver(task);

        (void) pthread_mutex_lock(&lock);
        task->worker->done = 1;
        (void) pthread_cond_signal(&task->worker->wake);
        (void) pthread_mutex_unlock(&lock);
    }
}


/* ---- in the event loop of a worker ---- */

static b24_str_t
text_of(char *s)
{
    b24_str_t  text;

    text.data = (u_char *) s;
    text.len = strlen(s);

    return text;
}


static job_t *
request(worker_t *w, int n)
{
    job_t       *job;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    job = b24_pcalloc(pool, sizeof(job_t));

    job->pool = pool;
    job->in.method = text_of("POST");
    job->in.target = text_of(n % 3 ? "/checkout" : "/catalog/mug?a=b");
    job->in.path = text_of(n % 3 ? "/checkout" : "/catalog/mug");

    if (!b24_shop_maybe(shop, &job->in)) {
        w->refused++;
        b24_pool_destroy(pool);
        return NULL;
    }

    (void) snprintf(job->body, sizeof(job->body),
                    "place=1&name=Ivan&phone=+7916123%04d&total=%d", n, n);
    (void) snprintf(job->answer, sizeof(job->answer),
                    "{\"ok\":1,\"id\":\"%d-%d\"}", w->number, n);

    job->in.content_type = text_of("application/x-www-form-urlencoded");
    job->in.body = text_of(job->body);
    job->in.body_state = B24_BODY_FULL;

    job->set = b24_shop_candidates(pool, shop, &job->in);

    if (b24_extract_request(pool, shop, job->set, &job->in, &job->partial)
        != B24_OK)
    {
        printf("Bail out! a request can't be read\n");
        exit(2);
    }

    job->in.status = 200;
    job->in.answer_type = text_of("application/json");
    job->in.answer = text_of(job->answer);
    job->in.answer_state = B24_BODY_FULL;
    job->in.answer_max = 65536;

    return job;
}


static void
finish(worker_t *w)
{
    job_t  *job, *next;

    for (job = w->task.jobs; job; job = next) {
        next = job->next;

        if (job->lent) {
            b24_pool_destroy(job->lent);
        }

        b24_pool_destroy(job->pool);
    }

    w->stored += w->task.stored;
    w->delivered += w->task.delivered;
    w->busy = 0;
}


/* until the task is over, or only a look */
static void
look(worker_t *w, int wait)
{
    int  done;

    if (!w->busy) {
        return;
    }

    (void) pthread_mutex_lock(&lock);

    while (wait && !w->done) {
        (void) pthread_cond_wait(&w->wake, &lock);
    }

    done = w->done;
    (void) pthread_mutex_unlock(&lock);

    if (done) {
        finish(w);
    }
}


static void
kick(worker_t *w, job_t **pending)
{
    if (w->busy || *pending == NULL) {
        return;
    }

    memset(&w->task, 0, sizeof(task_t));
    w->task.worker = w;
    w->task.jobs = *pending;
    *pending = NULL;
    w->busy = 1;

    (void) pthread_mutex_lock(&lock);
    w->done = 0;
    w->task.next = tasks;
    tasks = &w->task;
    (void) pthread_cond_signal(&more);
    (void) pthread_mutex_unlock(&lock);
}


static void *
loop(void *data)
{
    int        n;
    job_t     *job, *pending;
    worker_t  *w = data;

    pending = NULL;

    for (n = 0; n < ORDERS; n++) {
        job = request(w, n);

        if (job) {

            /* the next one reads what this one has */

            if (pending && n % 5 == 0) {
                job->lent = b24_pool_share(pending->pool);
            }

            job->next = pending;
            pending = job;
        }

        if (n % GATHER == 0) {
            look(w, 0);
            kick(w, &pending);
        }
    }

    look(w, 1);
    kick(w, &pending);
    look(w, 1);

    return NULL;
}


int
main(void)
{
    int            i;
    size_t         stored, delivered;
    unsigned       refused;
    b24_str_t      name = b24_string("s");
    pthread_t      threads[THREADS];
    b24_pool_t    *pool;
    b24_rules_t   *rules;
    static worker_t  workers[WORKERS];

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    if (conf_load(pool, rules, conf) != B24_OK) {
        printf("Bail out! %s\n", b24_rules_error(rules));
        return 2;
    }

    shop = b24_rules_find(rules, &name);
    (void) queue_mkdir();

    for (i = 0; i < WORKERS; i++) {
        workers[i].number = i;
        (void) snprintf(workers[i].owner, sizeof(workers[i].owner), "w%d", i);
        (void) pthread_cond_init(&workers[i].wake, NULL);
        workers[i].q = queue_open(queue_path("queue.db"));
    }

    for (i = 0; i < THREADS; i++) {
        (void) pthread_create(&threads[i], NULL, thread, NULL);
    }

    for (i = 0; i < WORKERS; i++) {
        (void) pthread_create(&workers[i].loop, NULL, loop, &workers[i]);
    }

    stored = 0;
    delivered = 0;
    refused = 0;

    for (i = 0; i < WORKERS; i++) {
        (void) pthread_join(workers[i].loop, NULL);
        stored += workers[i].stored;
        delivered += workers[i].delivered;
        refused += workers[i].refused;
    }

    (void) pthread_mutex_lock(&lock);
    quit = 1;
    (void) pthread_cond_broadcast(&more);
    (void) pthread_mutex_unlock(&lock);

    for (i = 0; i < THREADS; i++) {
        (void) pthread_join(threads[i], NULL);
    }

    is_int((int64_t) refused, WORKERS * (ORDERS / 3), "requests that are of no rule");
    is_int((int64_t) stored, WORKERS * (ORDERS - ORDERS / 3), "orders are stored");
    is_int((int64_t) delivered, (int64_t) stored, "and delivered");
    is_int(queue_sql(workers[0].q, "SELECT count(*) FROM links"),
           (int64_t) stored, "once each");

    for (i = 0; i < WORKERS; i++) {
        b24_queue_close(workers[i].q);
    }

    queue_rmdir(queue_dir);
    b24_pool_destroy(pool);

    return done_testing();
}
