
/*
 * The databases of shops: a connection each, used by one task at a time on a
 * pool of threads of their own.  One that doesn't answer is left alone for a
 * while, so that it is not hammered and its thread is free for the others.
 */


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_DB_HOLD   60000    /* ms; keeps a quitting worker alive */
#define NGX_HTTP_B24_DB_FIRST  1000     /* ms; the first pause, then doubled */
#define NGX_HTTP_B24_DB_LAST   60000
/* s; a change before that is as old as one can be, a year ago or more */
#define NGX_HTTP_B24_DB_OLD    (365 * 86400)


static void ngx_http_b24_database_start(ngx_http_b24_reader_t *r);
static void ngx_http_b24_database_thread(void *data, ngx_log_t *log);
static void ngx_http_b24_database_done(ngx_event_t *ev);
static void ngx_http_b24_database_note(ngx_http_b24_reader_t *r,
    ngx_http_b24_ask_t *ask);


static ngx_http_b24_reader_t  *ngx_http_b24_reader_list;
static ngx_uint_t              ngx_http_b24_nreaders;
static ngx_connection_t        ngx_http_b24_database_nofd;


ngx_int_t
ngx_http_b24_database_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i, n;
    ngx_http_b24_reader_t   *r;
    ngx_http_b24_origin_t  **op;

    op = bmcf->origins.elts;
    n = ngx_http_b24_databases(bmcf);

    for (i = 0; i < bmcf->origins.nelts; i++) {
        if (op[i]->conf->database == NULL) {
            op[i]->sh->database = NGX_HTTP_B24_DB_NONE;
        }
    }

    if (n == 0) {
        return NGX_OK;
    }

    ngx_http_b24_database_nofd.fd = (ngx_socket_t) -1;

    if (b24_database_init() != B24_OK) {
        return NGX_ERROR;
    }

    r = ngx_pcalloc(cycle->pool, n * sizeof(ngx_http_b24_reader_t));
    if (r == NULL) {
        return NGX_ERROR;
    }

    ngx_http_b24_reader_list = r;

    for (i = 0; i < bmcf->origins.nelts; i++) {

        if (op[i]->conf->database == NULL) {
            continue;
        }

        r->origin = op[i];
        r->shop = ngx_http_b24_database_shop(bmcf, op[i]);
        r->db = b24_database_create(&op[i]->conf->database->url);
        r->task = ngx_thread_task_alloc(cycle->pool, 0);

        if (r->db == NULL || r->task == NULL) {
            return NGX_ERROR;
        }

        b24_database_timeouts(r->db,
            (unsigned) ((op[i]->conf->database->connect + 999) / 1000),
            (unsigned) ((op[i]->conf->database->read + 999) / 1000));

        r->refused = -1;

        ngx_queue_init(&r->asks);

        r->task->ctx = r;
        r->task->handler = ngx_http_b24_database_thread;
        r->task->event.handler = ngx_http_b24_database_done;
        r->task->event.data = &ngx_http_b24_database_nofd;
        r->task->event.log = cycle->log;

        if (ngx_http_b24_reader_init(cycle, r) != NGX_OK
            || ngx_http_b24_settle_init(cycle, r) != NGX_OK
            || ngx_http_b24_import_init(cycle, r) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (op[i]->sh->database == NGX_HTTP_B24_DB_NONE) {
            op[i]->sh->database = NGX_HTTP_B24_DB_UNUSED;
        }

        op[i]->reader = r++;
        ngx_http_b24_nreaders++;
    }

    return NGX_OK;
}


/* the threads are gone */

void
ngx_http_b24_database_exit(void)
{
    ngx_uint_t              i;
    ngx_http_b24_reader_t  *r;

    for (i = 0; i < ngx_http_b24_nreaders; i++) {
        r = &ngx_http_b24_reader_list[i];

        ngx_http_b24_reader_exit(r);

        if (r->running == NULL) {
            b24_database_destroy(r->db);
            r->db = NULL;
        }
    }
}


void
ngx_http_b24_database_begin(void)
{
    ngx_uint_t              i;
    ngx_http_b24_reader_t  *r;

    for (i = 0; i < ngx_http_b24_nreaders; i++) {
        r = &ngx_http_b24_reader_list[i];
        r->marked = ++r->unread;
    }
}


ngx_uint_t
ngx_http_b24_database_busy(void)
{
    ngx_uint_t              i;
    ngx_http_b24_reader_t  *r;

    for (i = 0; i < ngx_http_b24_nreaders; i++) {
        r = &ngx_http_b24_reader_list[i];

        if (r->running || ngx_http_b24_reader_busy(r->origin)
            || ngx_http_b24_settle_busy(r) || ngx_http_b24_import_busy(r))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_b24_database_tick(void)
{
    ngx_uint_t              i;
    ngx_http_b24_reader_t  *r;

    for (i = 0; i < ngx_http_b24_nreaders; i++) {
        r = &ngx_http_b24_reader_list[i];

        if (r->origin->portal == NULL || r->origin->conf->webhook->dry
            || r->shop == NULL)
        {
            continue;
        }

        ngx_http_b24_settle_tick(r);
        ngx_http_b24_import_tick(r);
    }
}


int64_t
ngx_http_b24_database_made(ngx_http_b24_reader_t *r,
    const b24_database_clock_t *clock, const b24_str_t *changed, int64_t now)
{
    int64_t                    seconds, zone;
    ngx_http_b24_sh_origin_t  *sh;

    sh = r->origin->sh;
    zone = sh->zone;

    /* a text is of the zone of the shop's program: an hour would be too much */

    if (changed->len == 0
        || (!sh->zoned && b24_database_time(changed, &seconds) == B24_OK))
    {
        return 0;
    }

    return now - 1000 * b24_database_age(clock, changed, NGX_HTTP_B24_DB_OLD,
                                         &zone);
}


int64_t
ngx_http_b24_database_stated(ngx_http_b24_reader_t *r,
    const b24_database_moment_t *moment, const b24_queue_seen_t *seen,
    int64_t now)
{
    return ngx_http_b24_database_made(r, &moment->clock,
               b24_queue_seen_restated(seen, &moment->stated)
               ? &moment->stated : &moment->changed, now);
}


ngx_msec_t
ngx_http_b24_database_paused(ngx_http_b24_reader_t *r)
{
    ngx_msec_int_t  ms;

    if (r->failures == 0) {
        return 0;
    }

    ms = (ngx_msec_int_t) (r->resume - ngx_current_msec);

    return ms > 0 ? (ngx_msec_t) ms : 0;
}


void
ngx_http_b24_database_ask(ngx_http_b24_reader_t *r, ngx_http_b24_ask_t *ask)
{
    ngx_queue_insert_tail(&r->asks, &ask->queue);

    ngx_http_b24_database_start(r);
}


static void
ngx_http_b24_database_start(ngx_http_b24_reader_t *r)
{
    ngx_queue_t         *q;
    ngx_http_b24_ask_t  *ask;

    while (r->running == NULL && !ngx_queue_empty(&r->asks)) {
        q = ngx_queue_head(&r->asks);
        ngx_queue_remove(q);

        ask = ngx_queue_data(q, ngx_http_b24_ask_t, queue);

        /* the thread may begin before the post returns */

        r->running = ask;

        if (ngx_thread_task_post(ngx_http_b24_main->db_threads, r->task)
            != NGX_OK)
        {
            r->running = NULL;

            ask->rc = B24_DATABASE_NOMEM;
            ask->advice = "raise max_queue of the thread_pool b24_database";
            ngx_cpystrn((u_char *) ask->cause,
                        (u_char *) "the threads for databases are all busy",
                        sizeof(ask->cause));
            ask->done(ask);
            continue;
        }

        ngx_add_timer(&r->task->event, NGX_HTTP_B24_DB_HOLD);
    }
}


/* in the thread: only the ask and the connection are touched */

static void
ngx_http_b24_database_thread(void *data, ngx_log_t *log)
{
    ngx_http_b24_reader_t  *r = data;

    ngx_http_b24_ask_t  *ask;

    ask = r->running;

    ask->run(ask, r->db);

    if (ask->rc != B24_DATABASE_OK && ask->rc != B24_DATABASE_NONE
        && ask->rc != B24_DATABASE_UNASKED)
    {
        ngx_cpystrn((u_char *) ask->cause,
                    (u_char *) b24_database_cause(r->db), sizeof(ask->cause));
        ask->advice = b24_database_advice(r->db);
    }
}


static void
ngx_http_b24_database_done(ngx_event_t *ev)
{
    ngx_uint_t              i;
    ngx_http_b24_ask_t     *ask;
    ngx_http_b24_reader_t  *r;

    /* the timer: the thread has it still */

    if (ev->timedout) {
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_B24_DB_HOLD);
        return;
    }

    for (i = 0; &ngx_http_b24_reader_list[i].task->event != ev; i++) {
        /* void */
    }

    r = &ngx_http_b24_reader_list[i];

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ask = r->running;
    r->running = NULL;

    ngx_http_b24_database_note(r, ask);

    ask->done(ask);

    ngx_http_b24_database_start(r);
}


static void
ngx_http_b24_database_note(ngx_http_b24_reader_t *r, ngx_http_b24_ask_t *ask)
{
    ngx_uint_t  n, left;
    ngx_msec_t  ms;

    switch (ask->rc) {

    case B24_DATABASE_UNASKED:
        return;

    case B24_DATABASE_OK:
    case B24_DATABASE_NONE:

        r->failures = 0;

        /* that another is answered says nothing of the one that was refused */

        if (r->refused >= 0 && r->refused != (ngx_int_t) ask->statement) {
            return;
        }

        r->refused = -1;

        if (r->origin->sh->database != NGX_HTTP_B24_DB_OK) {

            if (r->cause[0]) {
                ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                              "b24: the database of \"%V\" answers again",
                              &r->origin->name);
            }

            ngx_http_b24_sh_reason(&r->origin->sh->words, NULL, NULL);
            r->origin->sh->database = NGX_HTTP_B24_DB_OK;
        }

        r->cause[0] = '\0';
        r->advice = NULL;
        return;

    default:
        break;
    }

    r->origin->sh->db[NGX_HTTP_B24_DB_ERROR]++;
    r->marked = ++r->unread;

    /* one that can't write may be read */

    if (ask->rc == B24_DATABASE_SQL || ask->rc == B24_DATABASE_LARGE
        || ask->rc == B24_DATABASE_BUSY)
    {
        r->refused = (ngx_int_t) ask->statement;

    } else {
        r->refused = -1;

        n = ngx_min(r->failures, 6);
        ms = ngx_min((ngx_msec_t) NGX_HTTP_B24_DB_FIRST << n,
                     NGX_HTTP_B24_DB_LAST);

        r->failures++;
        r->resume = ngx_current_msec + ms;
    }

    if (ngx_strcmp(r->cause, ask->cause) != 0
        || ngx_http_b24_quiet(&r->quiet, &left))
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "b24: the database of \"%V\" is of no help: %s",
                      &r->origin->name, ask->cause);
    }

    ngx_memcpy(r->cause, ask->cause, sizeof(r->cause));
    r->advice = ask->advice;

    ngx_http_b24_sh_reason(&r->origin->sh->words, ask->cause, ask->advice);
    r->origin->sh->database = NGX_HTTP_B24_DB_FAILING;
}
