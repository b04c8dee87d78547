
/*
 * A claimed order that the shop's database has not been asked for: the reader
 * takes it from the lane, so that the lane goes on with others, asks, and gives
 * it back to the queue, with what was found or to be asked for again.  One
 * order of an origin at a time; those of a convoy stand in a line.  The deal's
 * number goes the same way into the shop, once there is a deal.
 */


#include "ngx_http_b24_reader.h"


#define NGX_HTTP_B24_READ_DISK   1000       /* ms; the queue after a failure */


/* an order that was taken while another is being asked for; in its own pool */
typedef struct {
    ngx_queue_t               queue;
    b24_pool_t               *pool;
    b24_queue_job_t           job;
    const b24_shop_t         *shop;
    b24_order_t              *order;
} ngx_http_b24_unread_t;


static void ngx_http_b24_read_forget(ngx_http_b24_read_t *read);
static void ngx_http_b24_read_begin(ngx_http_b24_read_t *read,
    ngx_http_b24_unread_t *unread);
static void ngx_http_b24_read_put(ngx_http_b24_read_t *read);
static void ngx_http_b24_read_store(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_read_stored(ngx_http_b24_call_t *call);
static void ngx_http_b24_read_count(ngx_http_b24_read_t *read);
static void ngx_http_b24_read_again(ngx_event_t *ev);
static void ngx_http_b24_read_free(ngx_http_b24_read_t *read);


static ngx_connection_t  ngx_http_b24_read_nofd;


const ngx_msec_t  ngx_http_b24_read_pauses[NGX_HTTP_B24_READ_LOOKS] = {
    300, 1000, 3000, 10000
};


ngx_int_t
ngx_http_b24_reader_init(ngx_cycle_t *cycle, ngx_http_b24_reader_t *r)
{
    ngx_http_b24_read_t  *read;

    read = ngx_pcalloc(cycle->pool, sizeof(ngx_http_b24_read_t));
    if (read == NULL) {
        return NGX_ERROR;
    }

    ngx_http_b24_read_nofd.fd = (ngx_socket_t) -1;

    ngx_queue_init(&read->line);

    read->reader = r;
    read->ask.data = read;
    read->call.data = read;
    read->call.run = ngx_http_b24_read_store;
    read->call.done = ngx_http_b24_read_stored;

    read->timer.handler = ngx_http_b24_read_again;
    read->timer.data = &ngx_http_b24_read_nofd;
    read->timer.log = cycle->log;
    read->timer.cancelable = 1;

    r->order = read;

    return NGX_OK;
}


void
ngx_http_b24_reader_exit(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_read_t  *read;

    read = r->order;

    if (read == NULL) {
        return;
    }

    if (read->timer.timer_set) {
        ngx_del_timer(&read->timer);
    }

    ngx_http_b24_read_forget(read);
}


/* who is elected next takes them from the queue again */

static void
ngx_http_b24_read_forget(ngx_http_b24_read_t *read)
{
    ngx_queue_t            *q, *next;
    ngx_http_b24_unread_t  *unread;

    for (q = ngx_queue_head(&read->line);
         q != ngx_queue_sentinel(&read->line);
         q = next)
    {
        next = ngx_queue_next(q);

        unread = ngx_queue_data(q, ngx_http_b24_unread_t, queue);
        b24_pool_destroy(unread->pool);
    }

    ngx_queue_init(&read->line);
}


ngx_uint_t
ngx_http_b24_reader_busy(ngx_http_b24_origin_t *o)
{
    ngx_http_b24_read_t    *read;
    ngx_http_b24_reader_t  *r;

    r = o->reader;

    if (r == NULL) {
        return 0;
    }

    read = r->order;

    return read->busy;
}


ngx_int_t
ngx_http_b24_reader_take(ngx_http_b24_portal_t *portal, b24_pool_t *pool,
    b24_queue_job_t *job)
{
    b24_order_t             *order;
    const b24_shop_t        *shop;
    ngx_http_b24_read_t     *read;
    ngx_http_b24_origin_t   *o;
    ngx_http_b24_reader_t   *r;
    ngx_http_b24_unread_t   *unread;

    o = ngx_http_b24_origin_find(&portal->origins, &job->origin);
    r = o ? o->reader : NULL;

    if (r == NULL || job->kind == B24_EV_CHANGED
        || b24_order_parse(pool, &job->data, &order) != B24_OK)
    {
        return NGX_DECLINED;
    }

    read = r->order;
    shop = b24_rules_find(ngx_http_b24_main->rules, &order->shop);

    if (job->kind != B24_EV_LINK
        && ((order->read && !job->contested) || shop == NULL
            || (job->kind == B24_EV_NEW && job->deal_id)
            || b24_shop_statement(shop, B24_STATEMENT_ORDER) == NULL))
    {
        return NGX_DECLINED;
    }

    unread = b24_palloc(pool, sizeof(ngx_http_b24_unread_t));
    if (unread == NULL) {
        return NGX_ERROR;
    }

    unread->pool = pool;
    unread->job = *job;
    unread->shop = shop;
    unread->order = order;

    if (read->busy) {
        ngx_queue_insert_tail(&read->line, &unread->queue);

    } else {
        ngx_http_b24_read_begin(read, unread);
    }

    return NGX_OK;
}


static void
ngx_http_b24_read_begin(ngx_http_b24_read_t *read,
    ngx_http_b24_unread_t *unread)
{
    b24_order_t            *order, *first;
    b24_queue_job_t        *job;
    ngx_http_b24_reader_t  *r;

    r = read->reader;

    read->busy = 1;
    read->pool = unread->pool;
    read->job = unread->job;
    read->shop = unread->shop;
    read->order = unread->order;
    read->first = NULL;
    read->affected = 0;
    read->failed = 0;
    read->now = ngx_http_b24_now();

    job = &read->job;
    order = read->order;

    ngx_memzero(&read->read, sizeof(b24_queue_read_t));

    order->origin = job->origin;
    order->placed = job->placed;

    if (job->kind == B24_EV_NEW) {
        order->fields[B24_ORDER_ID] = job->order_id;

        if (order->asked == 0) {
            order->asked = read->now;
        }

        read->ask.statement = B24_STATEMENT_ORDER;
        read->ask.run = ngx_http_b24_read_run;
        read->ask.done = ngx_http_b24_read_done;

    } else if (job->kind == B24_EV_STATUS) {

        /* what is known of the record is surer than what a request has named */

        if (job->row.len || job->order_id.len) {
            order->fields[B24_ORDER_ROW] = job->row;
            order->fields[B24_ORDER_ID] = job->order_id;
        }

        /* and it is read as it was then; one that has gone, as any other that
         * only the database knows */

        order->imported = 1;

        if (job->first.len
            && b24_order_parse(read->pool, &job->first, &first) == B24_OK)
        {
            read->first = first;

            order->rule = first->rule;
            order->columns = first->columns;
            order->imported = first->imported;
        }

        read->ask.statement = B24_STATEMENT_ORDER;
        read->ask.run = ngx_http_b24_state_run;
        read->ask.done = ngx_http_b24_state_done;

    } else {
        read->ask.statement = B24_STATEMENT_LINK;
        read->ask.run = ngx_http_b24_link_run;
        read->ask.done = ngx_http_b24_link_done;
    }

    if (ngx_http_b24_database_paused(r)) {

        /* what was wrong last is wrong still */

        read->ask.rc = B24_DATABASE_DOWN;
        ngx_memcpy(read->ask.cause, r->cause, sizeof(r->cause));
        read->ask.advice = r->advice;

        read->ask.done(&read->ask);
        return;
    }

    ngx_http_b24_database_ask(r, &read->ask);
}


void
ngx_http_b24_read_wait(ngx_http_b24_read_t *read, int64_t ms,
    const char *cause, const char *advice)
{
    read->read.state = B24_STATE_WAITING;
    read->read.next = ngx_http_b24_now() + ms;

    ngx_http_b24_read_words(read, cause, advice);
    ngx_http_b24_read_end(read);
}


void
ngx_http_b24_read_later(ngx_http_b24_read_t *read, ngx_http_b24_ask_t *ask)
{
    int64_t  ms;

    ms = (int64_t) ngx_min((int64_t) 1000 << ngx_min(read->job.attempts, 10),
                           NGX_HTTP_B24_READ_LAST);

    ngx_http_b24_read_wait(read,
        ngx_max(ms, (int64_t) ngx_http_b24_database_paused(read->reader)),
        ask->cause, ask->advice);
}


/* ---- back to the queue ---- */

void
ngx_http_b24_read_words(ngx_http_b24_read_t *read, const char *cause,
    const char *advice)
{
    if (cause
        && b24_pstrdup(read->pool, &read->read.cause, (u_char *) cause,
                       ngx_strlen(cause))
           != B24_OK)
    {
        ngx_str_null(&read->read.cause);
    }

    if (advice
        && b24_pstrdup(read->pool, &read->read.advice, (u_char *) advice,
                       ngx_strlen(advice))
           != B24_OK)
    {
        ngx_str_null(&read->read.advice);
    }
}


void
ngx_http_b24_read_end(ngx_http_b24_read_t *read)
{
    /* without its document an order waits: nothing is lost */

    if (read->job.kind == B24_EV_NEW
        && (read->failed
            || b24_order_print(read->pool, read->order, &read->read.data)
               != B24_OK))
    {
        ngx_str_null(&read->read.data);

        read->read.nmatches = 0;
        read->read.unread = 0;
        read->read.state = B24_STATE_WAITING;
        read->read.next = ngx_http_b24_now() + NGX_HTTP_B24_READ_MEMORY;
    }

    ngx_http_b24_read_put(read);
}


/* whoever looks for unread ones from now on comes behind this in the queue */

static void
ngx_http_b24_read_put(ngx_http_b24_read_t *read)
{
    if (read->read.unread) {
        read->reader->marked = ++read->reader->unread;
    }

    ngx_http_b24_store_call(&read->call);
}


static void
ngx_http_b24_read_store(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_read_t  *read = call->data;

    if (q) {
        call->rc = b24_queue_read(q, ngx_http_b24_owner, &read->job,
                                  &read->read, read->now, &read->state);
    }
}


static void
ngx_http_b24_read_stored(ngx_http_b24_call_t *call)
{
    ngx_http_b24_read_t  *read = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    switch (call->rc) {

    case B24_QUEUE_OK:
        ngx_http_b24_read_count(read);
        break;

    case B24_QUEUE_NONE:

        /* other orders of the same buyer were found, this one is not there */

        ngx_memzero(&read->read, sizeof(b24_queue_read_t));

        ngx_http_b24_read_absent(read);
        return;

    case B24_QUEUE_BUSY:
    case B24_QUEUE_FULL:
    case B24_QUEUE_READONLY:
    case B24_QUEUE_IO:

        /* kept until the disk is back, or its lease runs out */

        if (!ngx_exiting) {
            ngx_add_timer(&read->timer, NGX_HTTP_B24_READ_DISK);
            return;
        }

        /* fall through */

    default:

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: what the shop's database knows of %s is not "
                          "written down: %s", read->job.key,
                          b24_queue_strerror(call->rc));
        }

        break;
    }

    ngx_http_b24_read_free(read);
    ngx_http_b24_deliver_kick();
}


static void
ngx_http_b24_read_count(ngx_http_b24_read_t *read)
{
    ngx_http_b24_sh_origin_t  *sh;

    if (read->read.nmatches == 0 || read->state == B24_STATE_WAITING) {
        return;
    }

    sh = read->reader->origin->sh;

    sh->db[NGX_HTTP_B24_DB_READ]++;

    if (read->order->imported) {
        sh->db[NGX_HTTP_B24_DB_IMPORTED]++;
    }

    if (read->state == B24_STATE_DUPLICATE) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "b24: %s is the same order as an earlier record, as "
                      "the shop's database knows it", read->job.key);
    }
}


static void
ngx_http_b24_read_again(ngx_event_t *ev)
{
    ngx_http_b24_read_t  *read;

    read = (ngx_http_b24_read_t *)
               ((u_char *) ev - offsetof(ngx_http_b24_read_t, timer));

    ngx_http_b24_read_put(read);
}


static void
ngx_http_b24_read_free(ngx_http_b24_read_t *read)
{
    ngx_queue_t  *q;

    b24_pool_destroy(read->pool);

    read->pool = NULL;
    read->order = NULL;
    read->first = NULL;
    read->busy = 0;

    /* a worker that quits stays for the one at hand only */

    if (ngx_exiting) {
        ngx_http_b24_read_forget(read);
    }

    if (ngx_queue_empty(&read->line)) {
        return;
    }

    q = ngx_queue_head(&read->line);
    ngx_queue_remove(q);

    ngx_http_b24_read_begin(read,
                            ngx_queue_data(q, ngx_http_b24_unread_t, queue));
}
