
/*
 * A job leaves its request: when the answer is over, mostly from a subrequest,
 * or from the log phase.
 */


#include "ngx_http_b24_session.h"


static ngx_uint_t ngx_http_b24_refused(ngx_http_b24_ctx_t *ctx);
static void ngx_http_b24_launch(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
static void **ngx_http_b24_unlogged(ngx_http_request_t *r);
static void ngx_http_b24_subrequest_handler(ngx_http_request_t *r);
static void ngx_http_b24_submit(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
static void ngx_http_b24_abort_note(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
static ngx_uint_t ngx_http_b24_reached(ngx_http_request_t *r);
static void ngx_http_b24_settle(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);


/*
 * The answer's last byte was handed to the socket.  Most checkouts that come
 * to nothing are refused in so many words: such a one is over here.
 */

void
ngx_http_b24_answer_over(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    if (ctx->launched || ctx->submitted) {
        return;
    }

    if (ngx_http_b24_refused(ctx)) {
        ngx_http_b24_submit(r, ctx);
        return;
    }

    ngx_http_b24_launch(r, ctx);
}


/*
 * By what is at hand: no late templates, for which the request has to be
 * finalized, nothing for a session, little to read.  What was read serves the
 * extraction, should it be an order after all.
 */

static ngx_uint_t
ngx_http_b24_refused(ngx_http_b24_ctx_t *ctx)
{
    ngx_http_b24_job_t  *job;

    job = ctx->job;

    if (ctx->late || ngx_http_b24_session_collects(job)
        || !ngx_http_b24_job_small(job))
    {
        return 0;
    }

    return b24_extract_refused(job->pool, job->shop, job->set, &job->in);
}


/*
 * The subrequest ends in the turn it starts in, so that the connection's next
 * request waits for nothing.  No phase runs for it, nothing is sent by it.
 */

static void
ngx_http_b24_launch(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    void                **loc_conf;
    ngx_http_request_t   *sr;

    static ngx_str_t  uri = ngx_string("/b24");

    ctx->launched = 1;

    if (ngx_http_subrequest(r, &uri, NULL, &sr, NULL,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        /* the log phase does the same work */
        return;
    }

    sr->header_only = 1;
    sr->loc_conf = r->loc_conf;

    loc_conf = ngx_http_b24_unlogged(r);
    if (loc_conf) {
        sr->loc_conf = loc_conf;
    }

    sr->write_event_handler = ngx_http_b24_subrequest_handler;
}


/*
 * With "log_subrequest on" the core would write a line for our subrequest into
 * the access log: its location is a copy that doesn't.  NULL: nothing to do.
 */

static void **
ngx_http_b24_unlogged(ngx_http_request_t *r)
{
    void                      **loc_conf;
    ngx_http_core_loc_conf_t   *clcf, *copy;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!clcf->log_subrequest) {
        return NULL;
    }

    loc_conf = ngx_palloc(r->pool, ngx_http_max_module * sizeof(void *));
    copy = ngx_palloc(r->pool, sizeof(ngx_http_core_loc_conf_t));

    if (loc_conf == NULL || copy == NULL) {
        return NULL;
    }

    ngx_memcpy(loc_conf, r->loc_conf, ngx_http_max_module * sizeof(void *));

    *copy = *clcf;
    copy->log_subrequest = 0;

    loc_conf[ngx_http_core_module.ctx_index] = copy;

    return loc_conf;
}


static void
ngx_http_b24_subrequest_handler(ngx_http_request_t *r)
{
    ngx_http_b24_ctx_t  *ctx;

    ctx = ngx_http_b24_get_ctx(r->main);

    if (ctx) {
        ngx_http_b24_submit(r->main, ctx);
    }

    ngx_http_finalize_request(r, NGX_OK);
}


/*
 * Hands the job over: parsed here when it is small, in the queue's thread
 * otherwise.  Called once a request, on the event loop, r is still whole.
 */

static void
ngx_http_b24_submit(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_b24_job_t  *job;

    if (ctx->submitted || ctx->job == NULL) {
        return;
    }

    ctx->submitted = 1;
    job = ctx->job;

    if (job->in.status == 0 && !ngx_http_b24_reached(r)) {

        /* nothing can have been ordered */

        job->none = 1;
        job->extracted = 1;

        ctx->job = NULL;
        ngx_http_b24_store_put(job);
        return;
    }

    ngx_http_b24_abort_note(r, ctx);

    if (job->time == 0) {
        job->time = ngx_http_b24_now();
    }

    if ((ctx->late && ngx_http_b24_job_vars(r, ctx, 1) != NGX_OK)
        || (!job->copied && ngx_http_b24_job_body(r, ctx) != NGX_OK))
    {
        /* out of memory or descriptors: kept as unconfirmed */

        job->in.body_state = B24_BODY_UNSEEN;
    }

    job->in.var = ngx_http_b24_job_var_kept;
    job->in.data = job;

    rc = ngx_http_b24_session_over(job);

    if (rc == NGX_OK && ngx_http_b24_job_small(job)) {
        job->here = 1;

        ngx_http_b24_job_extract(job);
        ngx_http_b24_settle(r, ctx);
    }

    ctx->job = NULL;

    if (rc == NGX_BUSY) {
        ngx_http_b24_session_wait(job);
        return;
    }

    ngx_http_b24_store_put(job);
}


/*
 * A buyer who leaves takes the upstream's connection with him, unless the
 * location says otherwise: PHP mostly finishes the order, and nobody sees it.
 * Said once for each location.
 */

static void
ngx_http_b24_abort_note(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    u_char                    *p, text[256];
    ngx_http_core_loc_conf_t  *clcf;

    if (r->upstream == NULL || r->upstream->conf == NULL
        || r->upstream->conf->ignore_client_abort || ctx->conf->abort_noted
        || !b24_shop_has_order(ctx->job->shop, ctx->job->set))
    {
        return;
    }

    ctx->conf->abort_noted = 1;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    p = ngx_snprintf(text, sizeof(text) - 1, "location \"%V\": the order of a "
                     "buyer who leaves before the answer stays unconfirmed; "
                     "set proxy_ignore_client_abort on; there "
                     "(fastcgi_ignore_client_abort with fastcgi_pass)",
                     &clcf->name);
    *p = '\0';

    /* a line of the page ends where one of the name would */

    for (p = text; *p; p++) {
        if (*p < ' ') {
            *p = ' ';
        }
    }

    if (ngx_http_b24_sh_note(ctx->scf->o->sh, text)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: origin \"%V\": %s", &ctx->scf->o->name, text);
    }
}


/*
 * The request, or a part of it, went to the shop.  Only upstreams are known
 * well enough to say no.
 */

static ngx_uint_t
ngx_http_b24_reached(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream == NULL || r->upstream->request_sent) {
        return 1;
    }

    if (r->upstream_states == NULL) {
        return 0;
    }

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].bytes_sent) {
            return 1;
        }
    }

    return 0;
}


/* for the variables: the outcome in the request's own memory */

static void
ngx_http_b24_settle(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    ngx_str_t           *id;
    ngx_http_b24_job_t  *job;

    job = ctx->job;

    if (job->none) {

        if (job->collects) {
            ngx_str_set(&ctx->event, "collect");

        } else {
            ngx_str_null(&ctx->event);
        }

        return;
    }

    if (job->status) {
        ngx_str_set(&ctx->event, "status");
    }

    switch (job->outcome) {

    case B24_OUTCOME_ACCEPTED:
        ngx_str_set(&ctx->state, "accepted");
        break;

    case B24_OUTCOME_REJECTED:
        ngx_str_set(&ctx->state, "rejected");
        return;

    default: /* B24_OUTCOME_UNCONFIRMED */
        ngx_str_set(&ctx->state, "unconfirmed");
        break;
    }

    id = &job->put.order_id;

    if (id->len) {
        ctx->order.data = ngx_pstrdup(r->pool, id);
        ctx->order.len = ctx->order.data ? id->len : 0;
    }
}


/*
 * 499, an answer that broke off, HEAD, a subrequest that could not be posted.
 * Only memory is touched: the request is about to be freed.
 */

ngx_int_t
ngx_http_b24_log_handler(ngx_http_request_t *r)
{
    ngx_http_b24_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_b24_get_ctx(r);

    if (ctx == NULL || ctx->job == NULL || !ctx->body_ok || ctx->submitted) {
        return NGX_OK;
    }

    ngx_http_b24_journal_leave(ctx);
    ngx_http_b24_submit(r, ctx);

    return NGX_OK;
}
