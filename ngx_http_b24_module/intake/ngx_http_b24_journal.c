
/*
 * b24_journal: what an order's request carries is written down before the shop
 * answers, so that a worker that dies in between leaves a trace of it.
 *
 *     request -> journal's job -> queue (captured)
 *     answer  -> exchange's job -> queue: the captured record becomes accepted
 *                                  or unconfirmed, or goes
 *
 * async: the request goes on at once, the commit runs beside it; when the shop
 * has refused before the thread has put it, nothing is written early.
 * sync: the request waits for the commit, but for no disk longer than
 * NGX_HTTP_B24_JOURNAL_WAIT.
 */


#include "ngx_http_b24_module.h"

#include <signal.h>
#include <stdio.h>
#include <sys/random.h>


#define NGX_HTTP_B24_JOURNAL_WAIT  200      /* ms, design of b24_journal sync */


static ngx_uint_t ngx_http_b24_journal_collects(ngx_http_b24_job_t *job);
static int64_t ngx_http_b24_journal_token(void);
static void ngx_http_b24_journal_hold(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx, ngx_http_b24_job_t *twin);
static void ngx_http_b24_journal_timeout(ngx_event_t *ev);
static void ngx_http_b24_journal_go(ngx_http_b24_ctx_t *ctx);
static int ngx_http_b24_journal_start(long pid, unsigned long long *start);


u_char                   ngx_http_b24_life[64];

static ngx_queue_t       ngx_http_b24_resumed;
static ngx_connection_t  ngx_http_b24_hold_nofd;


void
ngx_http_b24_journal_init(void)
{
    unsigned long long  start;

    ngx_queue_init(&ngx_http_b24_resumed);

    ngx_http_b24_hold_nofd.fd = (ngx_socket_t) -1;

    if (ngx_http_b24_journal_start((long) ngx_pid, &start) != 0) {
        start = 0;
    }

    ngx_sprintf(ngx_http_b24_life, "%P-%uL%Z", ngx_pid, (uint64_t) start);
}


/* when a process has started, in ticks since the boot; -1: there is none */

static int
ngx_http_b24_journal_start(long pid, unsigned long long *start)
{
    int     n;
    char    path[64], text[1024], *p;
    FILE   *f;
    size_t  len;

    (void) snprintf(path, sizeof(path), "/proc/%ld/stat", pid);

    f = fopen(path, "re");
    if (f == NULL) {
        return -1;
    }

    len = fread(text, 1, sizeof(text) - 1, f);
    (void) fclose(f);

    text[len] = '\0';

    /* the second field is a name in brackets, the 22nd is wanted */

    p = strrchr(text, ')');

    for (n = 2; p && n < 22; n++) {
        p = strchr(p + 1, ' ');
    }

    if (p == NULL) {
        return -1;
    }

    *start = strtoull(p + 1, NULL, 10);

    return 0;
}


/* any thread; in doubt it lives: a record that waits can still be decided */

int
ngx_http_b24_journal_alive(void *data, const char *owner)
{
    long                 pid;
    char                *end;
    unsigned long long   start, now;

    pid = strtol(owner, &end, 10);
    start = (*end == '-') ? strtoull(end + 1, NULL, 10) : 0;

    if (pid <= 0) {
        return 0;
    }

    if (kill((pid_t) pid, 0) == -1 && errno == ESRCH) {
        return 0;
    }

    if (start && ngx_http_b24_journal_start(pid, &now) == 0) {
        return now == start;
    }

    return 1;
}


ngx_int_t
ngx_http_b24_journal(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    ngx_http_b24_job_t  *job, *twin;

    job = ctx->job;

    if (ctx->conf->journal == NGX_HTTP_B24_JOURNAL_OFF
        || !b24_shop_has_order(job->shop, job->set))
    {
        return NGX_OK;
    }

    if (!job->copied && ngx_http_b24_job_body(r, ctx) != NGX_OK) {
        job->in.body_state = B24_BODY_UNSEEN;
    }

    job->in.var = ngx_http_b24_job_var_kept;
    job->in.data = job;

    job->capture = ngx_http_b24_journal_token();

    twin = ngx_http_b24_job_journal(job);

    if (twin == NULL) {
        job->capture = 0;

        if (job->none && ngx_http_b24_journal_collects(job)) {
            job->none = 0;

            /* it uses nothing up, and nobody is behind it */

            job->no_order = 1;
            job->retake = 0;

        } else if (job->none) {

            /* no block's when lines hold: nobody needs the answer */

            ngx_http_b24_job_destroy(job);
            ctx->job = NULL;
            ngx_str_null(&ctx->event);
        }

        return NGX_OK;
    }

    job->twin = twin;
    twin->twin = job;

    if (ngx_http_b24_store_journal(twin) != NGX_OK) {

        /* memory for waiting orders is full, or the disk is down */

        job->twin = NULL;
        job->capture = 0;
        ngx_http_b24_job_destroy(twin);
        return NGX_OK;
    }

    if (ctx->conf->journal != NGX_HTTP_B24_JOURNAL_SYNC
        || job->twin != twin)
    {
        return NGX_OK;
    }

    ngx_http_b24_journal_hold(r, ctx, twin);

    return NGX_AGAIN;
}


/* no order comes of it, but something of a session may */

static ngx_uint_t
ngx_http_b24_journal_collects(ngx_http_b24_job_t *job)
{
    job->set &= b24_shop_set(job->shop, B24_RULE_COLLECT);

    return job->set != 0;
}


/*
 * Unique among all exchanges under way, whichever process watches them: each
 * counts from a number it drew.  In the queue those of a process then stand in
 * a row, and not each on a page of its own.
 */

static int64_t
ngx_http_b24_journal_token(void)
{
    static uint64_t  token;

    if (token == 0
        && getrandom(&token, sizeof(token), GRND_NONBLOCK)
           != (ssize_t) sizeof(token))
    {
        token = ((uint64_t) ngx_random() << 32) ^ (uint64_t) ngx_random()
                ^ ((uint64_t) ngx_pid << 40);
    }

    token = token % INT64_MAX + 1;

    return (int64_t) token;
}


static void
ngx_http_b24_journal_hold(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx,
    ngx_http_b24_job_t *twin)
{
    ctx->holding = 1;
    ctx->held_by = twin;
    twin->waiter = ctx;

    ctx->hold.handler = ngx_http_b24_journal_timeout;
    ctx->hold.data = &ngx_http_b24_hold_nofd;
    ctx->hold.log = r->connection->log;

    ngx_add_timer(&ctx->hold, NGX_HTTP_B24_JOURNAL_WAIT);

    r->write_event_handler = ngx_http_request_empty_handler;
}


static void
ngx_http_b24_journal_timeout(ngx_event_t *ev)
{
    ngx_uint_t           left;
    ngx_http_b24_ctx_t  *ctx;

    static ngx_http_b24_quiet_t  quiet;

    ctx = (ngx_http_b24_ctx_t *)
              ((u_char *) ev - offsetof(ngx_http_b24_ctx_t, hold));

    if (ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: the queue's disk took more than %d ms, the shop "
                      "got the request before it was written down, %ui more "
                      "since the last such line",
                      NGX_HTTP_B24_JOURNAL_WAIT, left);
    }

    ngx_http_b24_journal_go(ctx);
}


/* not from here: the store is in the middle of something */

void
ngx_http_b24_journal_done(ngx_http_b24_job_t *job)
{
    ngx_http_b24_ctx_t  *ctx;

    ctx = job->waiter;

    if (ctx == NULL) {
        return;
    }

    job->waiter = NULL;
    ctx->held_by = NULL;

    ctx->resuming = 1;
    ngx_queue_insert_tail(&ngx_http_b24_resumed, &ctx->resume);
}


void
ngx_http_b24_journal_resume(void)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&ngx_http_b24_resumed)) {
        q = ngx_queue_head(&ngx_http_b24_resumed);

        ngx_http_b24_journal_go(ngx_queue_data(q, ngx_http_b24_ctx_t, resume));
    }
}


static void
ngx_http_b24_journal_go(ngx_http_b24_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_b24_journal_leave(ctx);

    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_b24_journal_leave(ngx_http_b24_ctx_t *ctx)
{
    if (!ctx->holding) {
        return;
    }

    ctx->holding = 0;

    if (ctx->hold.timer_set) {
        ngx_del_timer(&ctx->hold);
    }

    if (ctx->held_by) {
        ctx->held_by->waiter = NULL;
        ctx->held_by = NULL;
    }

    if (ctx->resuming) {
        ctx->resuming = 0;
        ngx_queue_remove(&ctx->resume);
    }
}
