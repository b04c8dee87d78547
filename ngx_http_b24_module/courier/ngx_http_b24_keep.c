
/*
 * The bucket, the breaker and the pace of each portal outlive a restart: what
 * lies in shared memory is written into the queue's file, at most once a second
 * and at the end, and read by the first courier that finds the memory new.
 * ngx_current_msec begins anew with the machine: the file has wall-clock times.
 */


#include "ngx_http_b24_courier.h"


/* s between two writes of what methods cost, which changes all the time */
#define NGX_HTTP_B24_KEEP_PACE   10
/* no pause is believed to be longer */
#define NGX_HTTP_B24_KEEP_PAUSE  (24 * 60 * 60 * 1000)


/* of one portal: what the file has */
typedef struct {
    ngx_atomic_uint_t     state;
    ngx_atomic_uint_t     failures;
    ngx_atomic_uint_t     resume;
    ngx_atomic_uint_t     texts;        /* sh->words.gen */
    ngx_atomic_uint_t     paced;
    time_t                pace_time;    /* when that was written */
    ngx_uint_t            level;
    ngx_msec_t            last;         /* of level */
} ngx_http_b24_kept_t;


static ngx_uint_t ngx_http_b24_keep_wanted(void);
static void ngx_http_b24_keep_read(ngx_http_b24_call_t *call, b24_queue_t *q);
static void ngx_http_b24_keep_known(ngx_http_b24_call_t *call);
static void ngx_http_b24_keep_apply(ngx_http_b24_portal_t *portal,
    b24_queue_portal_t *row);
static ngx_uint_t ngx_http_b24_keep_gather(ngx_uint_t step);
static ngx_uint_t ngx_http_b24_keep_changed(ngx_http_b24_portal_t *portal,
    ngx_http_b24_kept_t *kept, ngx_uint_t step);
static ngx_uint_t ngx_http_b24_keep_paced(ngx_http_b24_portal_t *portal,
    ngx_http_b24_kept_t *kept, ngx_uint_t step);
static void ngx_http_b24_keep_pace(ngx_http_b24_portal_t *portal,
    b24_queue_portal_t *row);
static void ngx_http_b24_keep_drop(void);
static void ngx_http_b24_keep_row(ngx_http_b24_portal_t *portal,
    b24_queue_portal_t *row, u_char *reason, u_char *advice);
static void ngx_http_b24_keep_write(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_keep_written(ngx_http_b24_call_t *call);


/* by ngx_http_b24_portal_state_e; names of the file */
static const char  *ngx_http_b24_keep_states[] = {
    "ok", "throttled", "retrying", "paused", "blocked"
};

static ngx_http_b24_call_t   ngx_http_b24_keeping;
static ngx_uint_t            ngx_http_b24_keep_busy;
static ngx_uint_t            ngx_http_b24_keep_is_ready;
static ngx_uint_t            ngx_http_b24_keep_opened;
static b24_pool_t           *ngx_http_b24_keep_pool;
static b24_pool_t           *ngx_http_b24_keep_text;    /* of rows' paces */
static ngx_http_b24_kept_t  *ngx_http_b24_kept;     /* by number */
static b24_queue_portal_t   *ngx_http_b24_rows;
static u_char               *ngx_http_b24_texts;    /* two of each row */
static ngx_uint_t            ngx_http_b24_nrows;


ngx_int_t
ngx_http_b24_keep_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t  n;

    n = bmcf->portals.nelts + 1;

    ngx_http_b24_kept = ngx_pcalloc(cycle->pool,
                                    n * sizeof(ngx_http_b24_kept_t));
    ngx_http_b24_rows = ngx_pcalloc(cycle->pool,
                                    n * sizeof(b24_queue_portal_t));
    ngx_http_b24_texts = ngx_pnalloc(cycle->pool,
                                     n * 2 * NGX_HTTP_B24_REASON);

    if (ngx_http_b24_kept == NULL || ngx_http_b24_rows == NULL
        || ngx_http_b24_texts == NULL)
    {
        return NGX_ERROR;
    }

    ngx_http_b24_keeping.silent = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_http_b24_keep_ready(void)
{
    return ngx_http_b24_keep_is_ready;
}


void
ngx_http_b24_keep_begin(void)
{
    if (ngx_http_b24_keep_busy) {
        return;                     /* the tick comes back to it */
    }

    if (!ngx_http_b24_keep_wanted()) {
        ngx_http_b24_keep_is_ready = 1;
        ngx_http_b24_deliver_begin();
        return;
    }

    ngx_http_b24_keep_pool = b24_pool_create(0);
    if (ngx_http_b24_keep_pool == NULL) {
        return;
    }

    ngx_http_b24_keep_busy = 1;
    ngx_http_b24_keep_opened = 0;
    ngx_http_b24_keeping.run = ngx_http_b24_keep_read;
    ngx_http_b24_keeping.done = ngx_http_b24_keep_known;

    ngx_http_b24_store_call(&ngx_http_b24_keeping);
}


/* portals that this memory knows nothing of yet */

static ngx_uint_t
ngx_http_b24_keep_wanted(void)
{
    ngx_uint_t                i, n;
    ngx_http_b24_portal_t   **pp;

    n = 0;
    pp = ngx_http_b24_main->portals.elts;

    for (i = 0; i < ngx_http_b24_main->portals.nelts; i++) {
        ngx_memzero(&ngx_http_b24_rows[i], sizeof(b24_queue_portal_t));

        if (!pp[i]->sh->known) {
            ngx_http_b24_rows[i].host = pp[i]->host;
            n++;
        }
    }

    return n;
}


/* in the thread */

static void
ngx_http_b24_keep_read(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    b24_str_t    host;
    ngx_uint_t   i;

    if (q == NULL) {
        return;
    }

    ngx_http_b24_keep_opened = 1;

    for (i = 0; i < ngx_http_b24_main->portals.nelts; i++) {
        host = ngx_http_b24_rows[i].host;

        if (host.len
            && b24_queue_portal(q, ngx_http_b24_keep_pool, &host,
                                &ngx_http_b24_rows[i])
               != B24_QUEUE_OK)
        {
            ngx_http_b24_rows[i].host.len = 0;
        }
    }
}


static void
ngx_http_b24_keep_known(ngx_http_b24_call_t *call)
{
    ngx_uint_t                i;
    ngx_http_b24_portal_t   **pp;

    pp = ngx_http_b24_main->portals.elts;

    ngx_http_b24_keep_busy = 0;

    /* without the queue there is nothing to deliver: the tick tries again */

    for (i = 0;
         ngx_http_b24_keep_opened && i < ngx_http_b24_main->portals.nelts;
         i++)
    {
        if (!pp[i]->sh->known && ngx_http_b24_rows[i].host.len) {
            ngx_http_b24_keep_apply(pp[i], &ngx_http_b24_rows[i]);
        }

        pp[i]->sh->known = 1;
    }

    b24_pool_destroy(ngx_http_b24_keep_pool);
    ngx_http_b24_keep_pool = NULL;

    if (ngx_http_b24_keep_opened && ngx_http_b24_leader() && !ngx_exiting) {
        ngx_http_b24_keep_is_ready = 1;
        ngx_http_b24_deliver_begin();
    }
}


static void
ngx_http_b24_keep_apply(ngx_http_b24_portal_t *portal,
    b24_queue_portal_t *row)
{
    int64_t                    now, ms;
    ngx_uint_t                 state;
    ngx_http_b24_sh_portal_t  *sh;

    sh = portal->sh;
    now = ngx_http_b24_now();

    if (row->pace.len) {
        b24_pace_init(&sh->pace, (int64_t) portal->limits.window,
                      B24_PACE_BUCKETS);

        /* a text that can't be read is none */

        (void) b24_pace_parse(&sh->pace, ngx_http_b24_keep_pool, now,
                              &row->pace);
    }

    /* how long ago it was written; the clock may have been set back since */

    ms = now - row->time;
    ms = ngx_max(ms, 0);
    ms = ngx_min(ms, 3600 * 1000);

    sh->level = (ngx_atomic_uint_t) row->level;
    sh->last = ngx_current_msec - (ngx_msec_t) ms;

    for (state = NGX_HTTP_B24_PORTAL_THROTTLED;
         state < NGX_HTTP_B24_NPORTALSTATES
         && !b24_str_eqs(&row->state, ngx_http_b24_keep_states[state]);
         state++)
    {
        /* void */
    }

    if (sh->state != NGX_HTTP_B24_PORTAL_OK
        || state == NGX_HTTP_B24_NPORTALSTATES)
    {
        return;
    }

    sh->state = state;
    sh->failures = (ngx_atomic_uint_t) row->failures;

    ms = row->resume - now;

    if (row->resume && ms > 0) {
        sh->resume = ngx_current_msec
                     + (ngx_msec_t) ngx_min(ms, NGX_HTTP_B24_KEEP_PAUSE);
    }

    ngx_http_b24_sh_reason(&sh->words, (char *) row->reason.data,
                           (char *) row->advice.data);
}


void
ngx_http_b24_keep_tick(void)
{
    if (!ngx_http_b24_keep_is_ready) {
        ngx_http_b24_keep_begin();
        return;
    }

    if (ngx_http_b24_keep_busy || ngx_http_b24_keep_gather(8) == 0) {
        return;
    }

    ngx_http_b24_keep_busy = 1;
    ngx_http_b24_keeping.run = ngx_http_b24_keep_write;
    ngx_http_b24_keeping.done = ngx_http_b24_keep_written;

    ngx_http_b24_store_call(&ngx_http_b24_keeping);
}


/* who is no courier any more begins anew when it is elected again */

void
ngx_http_b24_keep_end(void)
{
    ngx_http_b24_keep_is_ready = 0;
}


/* the threads are gone */

void
ngx_http_b24_keep_exit(void)
{
    if (!ngx_http_b24_keep_is_ready) {
        return;
    }

    /* one that was under way is through, or is written here once more */

    if (ngx_http_b24_keep_busy) {
        ngx_memzero(ngx_http_b24_kept, ngx_http_b24_main->portals.nelts
                                       * sizeof(ngx_http_b24_kept_t));
    }

    if (ngx_http_b24_keep_gather(NGX_MAX_UINT32_VALUE)) {
        ngx_http_b24_keeping.run = ngx_http_b24_keep_write;
        ngx_http_b24_store_last(&ngx_http_b24_keeping);
    }

    ngx_http_b24_keep_drop();
}


/*
 * Rows of what differs from the file.  A bucket that fills up is written when
 * it has risen by one part in step, else each request would cost a commit.
 */

static ngx_uint_t
ngx_http_b24_keep_gather(ngx_uint_t step)
{
    u_char                    *text;
    ngx_uint_t                 i;
    ngx_http_b24_kept_t       *kept;
    ngx_http_b24_portal_t    **pp;
    ngx_http_b24_sh_portal_t  *sh;

    ngx_http_b24_nrows = 0;

    pp = ngx_http_b24_main->portals.elts;

    for (i = 0; i < ngx_http_b24_main->portals.nelts; i++) {
        kept = &ngx_http_b24_kept[i];
        sh = pp[i]->sh;

        if (!ngx_http_b24_keep_changed(pp[i], kept, step)) {
            continue;
        }

        ngx_str_null(&ngx_http_b24_rows[ngx_http_b24_nrows].pace);

        if (ngx_http_b24_keep_paced(pp[i], kept, step)) {
            ngx_http_b24_keep_pace(pp[i],
                                   &ngx_http_b24_rows[ngx_http_b24_nrows]);
            kept->paced = sh->paced;
            kept->pace_time = ngx_time();
        }

        kept->state = sh->state;
        kept->failures = sh->failures;
        kept->resume = sh->resume;
        kept->texts = sh->words.gen;
        kept->level = ngx_http_b24_sh_level(sh, pp[i]->limits.rate);
        kept->last = ngx_current_msec;

        text = ngx_http_b24_texts
               + ngx_http_b24_nrows * 2 * NGX_HTTP_B24_REASON;

        ngx_http_b24_keep_row(pp[i], &ngx_http_b24_rows[ngx_http_b24_nrows],
                              text, text + NGX_HTTP_B24_REASON);
        ngx_http_b24_nrows++;
    }

    return ngx_http_b24_nrows;
}


/* without memory what is in the file stays there */

static void
ngx_http_b24_keep_pace(ngx_http_b24_portal_t *portal, b24_queue_portal_t *row)
{
    if (ngx_http_b24_keep_text == NULL) {
        ngx_http_b24_keep_text = b24_pool_create(0);
    }

    if (ngx_http_b24_keep_text == NULL
        || b24_pace_print(&portal->sh->pace, ngx_http_b24_keep_text,
                          ngx_http_b24_now(), &row->pace)
           != B24_OK)
    {
        ngx_str_null(&row->pace);
    }
}


static void
ngx_http_b24_keep_drop(void)
{
    if (ngx_http_b24_keep_text) {
        b24_pool_destroy(ngx_http_b24_keep_text);
        ngx_http_b24_keep_text = NULL;
    }
}


static ngx_uint_t
ngx_http_b24_keep_changed(ngx_http_b24_portal_t *portal,
    ngx_http_b24_kept_t *kept, ngx_uint_t step)
{
    ngx_msec_t                 ms;
    ngx_uint_t                 drain, level;
    ngx_http_b24_sh_portal_t  *sh;

    sh = portal->sh;

    if (ngx_http_b24_keep_paced(portal, kept, step)
        || kept->state != sh->state || kept->failures != sh->failures
        || kept->resume != sh->resume || kept->texts != sh->words.gen)
    {
        return 1;
    }

    ms = ngx_current_msec - kept->last;
    drain = ngx_min(ms, 3600 * 1000) * portal->limits.rate / 1000;
    level = (kept->level > drain) ? kept->level - drain : 0;

    return ngx_http_b24_sh_level(sh, portal->limits.rate)
           > level + portal->limits.burst * 1000 / step;
}


/* at the exit all of it */

static ngx_uint_t
ngx_http_b24_keep_paced(ngx_http_b24_portal_t *portal,
    ngx_http_b24_kept_t *kept, ngx_uint_t step)
{
    return kept->paced != portal->sh->paced
           && (step == NGX_MAX_UINT32_VALUE
               || ngx_time() - kept->pace_time >= NGX_HTTP_B24_KEEP_PACE);
}


static void
ngx_http_b24_keep_row(ngx_http_b24_portal_t *portal, b24_queue_portal_t *row,
    u_char *reason, u_char *advice)
{
    ngx_msec_int_t             ms;
    ngx_http_b24_sh_portal_t  *sh;

    sh = portal->sh;

    row->host = portal->host;
    row->state.data = (u_char *) ngx_http_b24_keep_states[
                             ngx_min(sh->state, NGX_HTTP_B24_PORTAL_BLOCKED)];
    row->state.len = ngx_strlen(row->state.data);
    row->failures = (int64_t) sh->failures;
    row->level = (int64_t) ngx_http_b24_sh_level(sh, portal->limits.rate);
    row->time = ngx_http_b24_now();
    row->resume = 0;

    ms = (ngx_msec_int_t) ((ngx_msec_t) sh->resume - ngx_current_msec);

    if (sh->resume && ms > 0) {
        row->resume = row->time + ms;
    }

    ngx_http_b24_sh_read(&sh->words, reason, advice);

    row->reason.data = reason;
    row->reason.len = ngx_strlen(reason);
    row->advice.data = advice;
    row->advice.len = ngx_strlen(advice);
}


/* in the thread, or at the exit */

static void
ngx_http_b24_keep_write(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    if (q) {
        call->rc = b24_queue_put_portals(q, ngx_http_b24_rows,
                                         ngx_http_b24_nrows);
    }
}


static void
ngx_http_b24_keep_written(ngx_http_b24_call_t *call)
{
    ngx_http_b24_keep_busy = 0;
    ngx_http_b24_keep_drop();

    if (call->rc != B24_QUEUE_OK) {

        /* the store tells of a queue that can't be written: all once more */

        ngx_memzero(ngx_http_b24_kept, ngx_http_b24_main->portals.nelts
                                       * sizeof(ngx_http_b24_kept_t));
    }
}
