
/*
 * Deals that somebody moves in the CRM.  Webhooks tell which (they come through
 * intake/ngx_http_b24_events.c and lie in the queue), and the portal's history
 * of stages tells what they have lost.  Both only say "go and look": the deals
 * are read, many of them in one request, and what has changed is noted.
 *
 *     tick -> (queue) whom to ask for -> (portal) -> (queue) what is news
 */


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_WATCH_CODE  64      /* bytes of an error as it is shown */

/* s between two requests: what is told meanwhile goes into one */
#define ngx_http_b24_watch_gap(w)                                             \
    ((w)->portal->watch / 12 ? (w)->portal->watch / 12 : 1)


typedef enum {
    NGX_HTTP_B24_WATCH_IDLE = 0,
    NGX_HTTP_B24_WATCH_LIST,
    NGX_HTTP_B24_WATCH_ASK,
    NGX_HTTP_B24_WATCH_NOTE
} ngx_http_b24_watch_e;


/* of one portal */
typedef struct {
    ngx_http_b24_portal_t    *portal;
    ngx_http_b24_srv_conf_t  *conf;         /* with the webhook to be used */
    b24_str_t                *origins;
    size_t                    norigins;
    b24_str_t                *writers;      /* of these, whose shop is told */
    size_t                    nwriters;
    ngx_http_b24_watch_e      stage;
    ngx_http_b24_call_t       call;
    ngx_http_b24_transfer_t   transfer;
    b24_pool_t               *pool;         /* of the round */

    ngx_atomic_uint_t         told;         /* of those told of, heeded */
    ngx_uint_t                again;        /* more waits to be asked for */
    time_t                    poll;         /* when the history is looked at */
    time_t                    next;         /* not before */
    ngx_uint_t                failures;     /* in a row */

    /* of the round */
    ngx_uint_t                polls;
    b24_crm_settings_t        set;
    b24_queue_moved_t        *deals;
    size_t                    ndeals;
    b24_crm_history_t         history;
    int64_t                   asked;
    int64_t                   now;          /* of its answer */
    size_t                    news;
    size_t                    left;
} ngx_http_b24_watch_t;


static void ngx_http_b24_watch_kick(ngx_http_b24_watch_t *w);
static void ngx_http_b24_watch_list(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_watch_listed(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_watch_ask(ngx_http_b24_watch_t *w);
static void ngx_http_b24_watch_answer(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_watch_refused(ngx_http_b24_watch_t *w,
    const b24_verdict_t *verdict, ngx_uint_t deals);
static void ngx_http_b24_watch_note(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_watch_noted(ngx_http_b24_call_t *call);
static void ngx_http_b24_watch_failed(ngx_http_b24_watch_t *w);
static void ngx_http_b24_watch_end(ngx_http_b24_watch_t *w, time_t next);


static ngx_http_b24_watch_t  *ngx_http_b24_watches;
static ngx_uint_t             ngx_http_b24_nwatches;


ngx_int_t
ngx_http_b24_watch_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t                i, j;
    ngx_http_b24_watch_t     *w;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_portal_t   **pp;

    ngx_http_b24_nwatches = 0;

    ngx_http_b24_watches = ngx_pcalloc(cycle->pool,
                                       (bmcf->portals.nelts + 1)
                                       * sizeof(ngx_http_b24_watch_t));
    if (ngx_http_b24_watches == NULL) {
        return NGX_ERROR;
    }

    pp = bmcf->portals.elts;

    for (i = 0; i < bmcf->portals.nelts; i++) {

        if (pp[i]->watch == 0) {
            continue;
        }

        w = &ngx_http_b24_watches[ngx_http_b24_nwatches];

        w->portal = pp[i];
        w->call.data = w;

        w->origins = ngx_pcalloc(cycle->pool,
                                 2 * pp[i]->origins.nelts * sizeof(b24_str_t));
        if (w->origins == NULL) {
            return NGX_ERROR;
        }

        w->writers = w->origins + pp[i]->origins.nelts;

        op = pp[i]->origins.elts;

        for (j = 0; j < pp[i]->origins.nelts; j++) {

            if (op[j]->conf->webhook->dry) {
                continue;
            }

            w->conf = op[j]->conf;
            w->origins[w->norigins++] = op[j]->name;

            if (ngx_http_b24_back_writes(op[j])) {
                w->writers[w->nwriters++] = op[j]->name;
            }
        }

        ngx_http_b24_nwatches += (w->norigins != 0);
    }

    return NGX_OK;
}


void
ngx_http_b24_watch_exit(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nwatches; i++) {

        if (ngx_http_b24_watches[i].pool) {
            b24_pool_destroy(ngx_http_b24_watches[i].pool);
        }
    }

    ngx_http_b24_nwatches = 0;
}


void
ngx_http_b24_watch_tick(void)
{
    ngx_uint_t  i;

    if (!ngx_http_b24_keep_ready()) {
        return;
    }

    for (i = 0; i < ngx_http_b24_nwatches; i++) {
        ngx_http_b24_watch_kick(&ngx_http_b24_watches[i]);
    }
}


static void
ngx_http_b24_watch_kick(ngx_http_b24_watch_t *w)
{
    ngx_http_b24_sh_portal_t  *sh;

    sh = w->portal->sh;

    if (w->stage != NGX_HTTP_B24_WATCH_IDLE || ngx_time() < w->next
        || sh->state == NGX_HTTP_B24_PORTAL_BLOCKED
        || ngx_http_b24_portal_paused(w->portal))
    {
        return;
    }

    w->polls = (ngx_time() >= w->poll);

    /* another process may have left some: with each poll they are looked for */

    if (!w->polls && !w->again && w->told == sh->told) {
        return;
    }

    w->told = sh->told;
    w->again = 0;

    w->pool = b24_pool_create(0);
    if (w->pool == NULL) {
        return;
    }

    w->stage = NGX_HTTP_B24_WATCH_LIST;
    w->call.silent = 1;
    w->call.run = ngx_http_b24_watch_list;
    w->call.done = ngx_http_b24_watch_listed;

    ngx_http_b24_store_call(&w->call);
}


static void
ngx_http_b24_watch_list(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_watch_t  *w = call->data;

    ngx_memzero(&w->history, sizeof(b24_crm_history_t));

    if (q) {
        call->rc = b24_queue_watch(q, w->pool, &w->portal->host,
                                   B24_WATCH_DEALS, &w->deals, &w->ndeals,
                                   &w->history.last);
    }
}


static void
ngx_http_b24_watch_listed(ngx_http_b24_call_t *call)
{
    ngx_http_b24_watch_t  *w = call->data;

    if (call->rc != B24_QUEUE_OK) {
        w->again = 1;
        ngx_http_b24_watch_end(w, ngx_time() + ngx_http_b24_watch_gap(w));
        return;
    }

    if (w->ndeals == 0 && !w->polls) {
        ngx_http_b24_watch_end(w, 0);
        return;
    }

    w->again = 1;

    if (ngx_exiting || ngx_http_b24_portal_take(w->portal)) {
        ngx_http_b24_watch_end(w, ngx_time() + 1);
        return;
    }

    if (ngx_http_b24_watch_ask(w) != NGX_OK) {
        ngx_http_b24_portal_result(w->portal, B24_NET_UNSENT, NULL);
        ngx_http_b24_watch_failed(w);
    }
}


static ngx_int_t
ngx_http_b24_watch_ask(ngx_http_b24_watch_t *w)
{
    b24_batch_t               batch;
    ngx_http_b24_transfer_t  *t;

    t = &w->transfer;

    ngx_memzero(t, sizeof(ngx_http_b24_transfer_t));
    ngx_memzero(&w->set, sizeof(b24_crm_settings_t));

    w->set.universal = (w->conf->api != 0);

    b24_batch_init(&batch, w->pool, 0);

    if (ngx_http_b24_portal_url(w->portal, w->conf->webhook, "batch", w->pool,
                                &t->url)
        != NGX_OK
        || b24_crm_watch_ask(&batch, &w->set, w->origins, w->norigins,
                             w->deals, w->ndeals,
                             w->polls ? &w->history : NULL)
           != B24_OK
        || b24_batch_print(&batch, &t->body) != B24_OK)
    {
        return NGX_ERROR;
    }

    t->certificate = w->conf->certificate;
    t->done = ngx_http_b24_watch_answer;
    t->data = w;

    w->stage = NGX_HTTP_B24_WATCH_ASK;
    w->asked = ngx_http_b24_now();

    return ngx_http_b24_curl_send(t);
}


static void
ngx_http_b24_watch_answer(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_watch_t  *w = t->data;

    int            rc;
    size_t         n;
    b24_answer_t   answer;
    b24_verdict_t  verdict;

    if (ngx_http_b24_portal_follow(w->portal, t, w->pool) == NGX_OK) {
        return;
    }

    n = w->ndeals;

    rc = b24_answer_parse(w->pool, t->net, (unsigned) t->http, &t->answer,
                          &answer);

    ngx_http_b24_portal_result(w->portal, t->net,
                               rc == B24_OK ? &answer.verdict : NULL);

    w->now = ngx_http_b24_now();

    if (rc != B24_OK
        || b24_crm_watch_read(w->pool, &answer, &w->set, w->now / 1000,
                              w->deals, &w->ndeals,
                              w->polls ? &w->history : NULL, &verdict)
           != B24_OK)
    {
        ngx_http_b24_watch_failed(w);
        return;
    }

    if (answer.verdict.class != B24_CLASS_OK) {
        ngx_http_b24_portal_refused(w->portal, w->conf, t, &verdict);
        ngx_http_b24_watch_failed(w);
        return;
    }

    w->failures = 0;

    if (verdict.class == B24_CLASS_OPERATOR
        || verdict.class == B24_CLASS_PERMANENT)
    {
        ngx_http_b24_watch_refused(w, &verdict, w->ndeals < n);
    }

    if (w->polls && !w->history.more) {
        w->poll = ngx_time() + w->portal->watch;
    }

    w->stage = NGX_HTTP_B24_WATCH_NOTE;
    w->call.silent = (w->nwriters == 0);
    w->call.run = ngx_http_b24_watch_note;
    w->call.done = ngx_http_b24_watch_noted;

    ngx_http_b24_store_call(&w->call);
}


/* orders go on, so nobody else would tell: each is named once */

static void
ngx_http_b24_watch_refused(ngx_http_b24_watch_t *w,
    const b24_verdict_t *verdict, ngx_uint_t deals)
{
    u_char                  *p, note[320];
    ngx_str_t                code;
    ngx_uint_t               i, added;
    ngx_http_b24_origin_t  **op;

    code = ngx_http_b24_safe_code(verdict);
    code.len = ngx_min(code.len, NGX_HTTP_B24_WATCH_CODE);

    p = ngx_snprintf(note, sizeof(note) - 1, deals
                     ? "the portal refuses deals that were moved (%V): what "
                       "is done in the CRM is not seen; look what the user "
                       "of b24_webhook may read there"
                     : "the portal refuses its history of stages (%V): a "
                       "deal whose webhook is lost, or that goes to another "
                       "pipeline, is not seen; look what the user of "
                       "b24_webhook may read in the CRM", &code);
    *p = '\0';

    op = w->portal->origins.elts;
    added = 0;

    for (i = 0; i < w->portal->origins.nelts; i++) {
        added |= ngx_http_b24_sh_note(op[i]->sh, note);
    }

    if (added) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: portal \"%V\": %s", &w->portal->host, note);
    }
}


static void
ngx_http_b24_watch_note(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_watch_t  *w = call->data;

    if (q == NULL) {
        return;
    }

    w->news = 0;
    w->left = 0;

    call->rc = b24_queue_watched(q, &w->portal->host, w->origins, w->norigins,
                                 w->writers, w->nwriters, w->deals, w->ndeals,
                                 w->asked, w->now, &w->news, &w->left);

    if (call->rc == B24_QUEUE_OK && w->polls) {
        call->rc = b24_queue_moved(q, &w->portal->host, w->origins,
                                   w->norigins, w->history.deals,
                                   w->history.n, w->history.last, w->now);
    }
}


static void
ngx_http_b24_watch_noted(ngx_http_b24_call_t *call)
{
    ngx_http_b24_watch_t  *w = call->data;

    if (call->rc == B24_QUEUE_OK && w->news) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "b24: portal \"%V\": %ui deals were moved in the CRM",
                      &w->portal->host, (ngx_uint_t) w->news);

        ngx_http_b24_back_kick();
    }

    /* all of a full page, what the history has told, what is left */

    w->again = (call->rc != B24_QUEUE_OK || w->ndeals == B24_WATCH_DEALS
                || w->left || w->history.n);

    ngx_http_b24_watch_end(w, ngx_time() + ngx_http_b24_watch_gap(w));
}


/* what was told of waits: longer each time, as long as between two looks at the
 * history at most */

static void
ngx_http_b24_watch_failed(ngx_http_b24_watch_t *w)
{
    time_t  pause;

    pause = ngx_http_b24_watch_gap(w) << ngx_min(w->failures, 10);
    w->failures++;
    w->again = 1;

    ngx_http_b24_watch_end(w, ngx_time() + ngx_min(pause, w->portal->watch));
}


static void
ngx_http_b24_watch_end(ngx_http_b24_watch_t *w, time_t next)
{
    b24_pool_destroy(w->pool);
    w->pool = NULL;

    w->next = next;
    w->stage = NGX_HTTP_B24_WATCH_IDLE;
}
