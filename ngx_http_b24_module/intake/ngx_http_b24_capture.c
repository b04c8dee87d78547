
/*
 * The buyer's request and the shop's answer, watched without touching them:
 *
 *     PRECONTENT      is it a candidate? then its body is read, and written
 *                     down (b24_journal): ngx_http_b24_candidate.c
 *     header filter   status, the headers rules name
 *     body filter     a bounded copy of the answer; with its last buffer a
 *                     background subrequest is posted, but for an order that
 *                     this answer alone refuses
 *     subrequest      after the answer was written: memory work only
 *     log phase       the net for what never got that far; this and the
 *                     subrequest: ngx_http_b24_submit.c
 */


#include "ngx_http_b24_session.h"

#include <stdlib.h>


#define NGX_HTTP_B24_ANSWER_SMALL  512
#define NGX_HTTP_B24_ANSWER_START  4096


static ngx_int_t ngx_http_b24_header_filter(ngx_http_request_t *r);
static void ngx_http_b24_discount(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
static ngx_uint_t ngx_http_b24_answered(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_b24_headers(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
static ngx_int_t ngx_http_b24_header(ngx_http_b24_ctx_t *ctx,
    ngx_str_t *name, ngx_str_t *value);
static int ngx_http_b24_header_wanted(void *data, const b24_str_t *name);
static ngx_int_t ngx_http_b24_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_b24_answer_copy(ngx_http_b24_ctx_t *ctx, ngx_buf_t *b);
static ngx_int_t ngx_http_b24_answer_grow(ngx_http_b24_ctx_t *ctx,
    size_t size);


static ngx_http_output_header_filter_pt  ngx_http_b24_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_b24_next_body_filter;


ngx_int_t
ngx_http_b24_capture_init(ngx_conf_t *cf)
{
    ngx_uint_t                  n;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_b24_precontent_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* before the access log, which is to show what the net caught */

    h = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.elts;
    n = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.nelts;

    ngx_memmove(&h[1], &h[0], (n - 1) * sizeof(ngx_http_handler_pt));

    h[0] = ngx_http_b24_log_handler;

    ngx_http_b24_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_b24_header_filter;

    ngx_http_b24_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_b24_body_filter;

    return NGX_OK;
}


/*
 * Internal redirects, named locations and ngx_http_filter_finalize_request()
 * zero r->ctx; the pool's cleanups stay, and only main requests have one.
 */

ngx_http_b24_ctx_t *
ngx_http_b24_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;
    ngx_http_b24_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_b24_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_b24_ctx_cleanup) {
            continue;
        }

        ctx = cln->data;
        ngx_http_set_ctx(r, ctx, ngx_http_b24_module);

        return ctx;
    }

    return NULL;
}


void
ngx_http_b24_ctx_cleanup(void *data)
{
    ngx_http_b24_ctx_t  *ctx = data;

    ngx_http_b24_journal_leave(ctx);

    if (ctx->job) {
        ngx_http_b24_job_destroy(ctx->job);
        ctx->job = NULL;
    }
}


static ngx_int_t
ngx_http_b24_header_filter(ngx_http_request_t *r)
{
    off_t                size;
    ngx_http_b24_ctx_t  *ctx;
    ngx_http_b24_job_t  *job;

    ctx = (r == r->main) ? ngx_http_b24_get_ctx(r) : NULL;

    if (ctx && ctx->head_length) {
        ngx_http_b24_discount(r, ctx);
    }

    if (ctx && ctx->job == NULL && !ctx->submitted) {
        ngx_http_b24_session_follow(r, ctx);
    }

    if (ctx == NULL || ctx->job == NULL || !ctx->body_ok || ctx->submitted) {
        return ngx_http_b24_next_header_filter(r);
    }

    job = ctx->job;

    ctx->header = 1;
    ctx->sealed = 0;
    ctx->launched = 0;

    job->in.headers = NULL;
    job->in.status = r->headers_out.status;
    job->in.answer.len = 0;
    job->in.answer_state = B24_BODY_CUT;
    job->in.refused = 0;
    job->in.judged = NULL;
    job->time = ngx_http_b24_now();

    if (r->err_status) {
        job->in.status = r->err_status;
    }

    if (!ngx_http_b24_answered(r, job->in.status)) {
        job->in.status = 0;
    }

    if (ngx_http_b24_headers(r, ctx) != NGX_OK) {

        /* the log phase takes what there is: an answer nobody could read */

        job->in.answer_state = B24_BODY_UNSEEN;
        job->in.status = 0;
        ctx->need_answer = 0;

        return ngx_http_b24_next_header_filter(r);
    }

    if (ctx->need_answer) {
        ctx->excerpt_max = ctx->conf->answer_max;
        job->in.answer_max = ctx->conf->answer_max;

        size = r->headers_out.content_length_n;

        if (size > (off_t) ctx->excerpt_max
            || (size > 0
                && ngx_http_b24_answer_grow(ctx, (size_t) size) != NGX_OK))
        {
            job->in.answer_state = B24_BODY_LARGE;
            ngx_http_b24_count(NGX_HTTP_B24_COUNTER_OVERSIZE, 1);

        } else {

            /* what waits in a file for a slow buyer sendfile() would send
             * past us */

            r->main_filter_need_in_memory = 1;
        }
    }

    ngx_http_b24_session_begin(job);

    return ngx_http_b24_next_header_filter(r);
}


/*
 * A body that nobody asks for, as with a file or an error page, nginx throws
 * away and leaves out of $request_length.  Neither is it counted when we have
 * read it for nobody but ourselves: not for an upstream, another module's
 * handler, WebDAV's PUT, a subrequest of mirror.
 */

static void
ngx_http_b24_discount(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    if (r->upstream == NULL && r->content_handler == NULL
        && r->method != NGX_HTTP_PUT && r->subrequests == ctx->subrequests)
    {
        r->request_length = ctx->head_length;
    }
}


/*
 * Is this answer the shop's own?  Not when the upstream's header never came
 * whole (refused, 502, 504, "too big header") and nginx made an answer up,
 * whatever status error_page gave it; and not when error_page asked another
 * upstream after the first had got the request: it may hold the order.  Nor
 * when error_page has put another status in the place of a gateway's: the rules
 * couldn't tell.  A gateway's status without a peer is nginx's (no address).
 * header_time is set only after a whole header; the core puts a state without a
 * peer before those of each further upstream request.
 */

static ngx_uint_t
ngx_http_b24_answered(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                  i, n;
    ngx_http_upstream_state_t  *state;

    if (r->upstream == NULL || r->upstream_states == NULL) {
        return 1;
    }

    state = r->upstream_states->elts;
    n = r->upstream_states->nelts;

    for (i = 0; i + 1 < n; i++) {

        if (state[i + 1].peer == NULL && state[i].bytes_sent
            && (state[i].header_time == (ngx_msec_t) -1
                || b24_status_gateway(state[i].status)))
        {
            return 0;
        }
    }

    if (n == 0 || state[n - 1].peer == NULL) {
        return !b24_status_gateway(status);
    }

    if (b24_status_gateway(state[n - 1].status)
        && state[n - 1].status != status)
    {
        return 0;
    }

    return state[n - 1].header_time != (ngx_msec_t) -1;
}


/* what the rules ask of the answer's header */

static ngx_int_t
ngx_http_b24_headers(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    ngx_uint_t           i;
    ngx_str_t            name;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
    ngx_http_b24_job_t  *job;

    job = ctx->job;

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash
            && ngx_http_b24_header(ctx, &h[i].key, &h[i].value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_str_set(&name, "Content-Type");

    if (ngx_http_b24_header(ctx, &name, &r->headers_out.content_type)
        != NGX_OK
        || b24_pstrdup(job->pool, &job->in.answer_type,
                       r->headers_out.content_type.data,
                       r->headers_out.content_type.len)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    job->in.answer_encoding.len = 0;

    if (r->headers_out.content_encoding
        && b24_pstrdup(job->pool, &job->in.answer_encoding,
                       r->headers_out.content_encoding->value.data,
                       r->headers_out.content_encoding->value.len)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


typedef struct {
    ngx_str_t  *name;
    ngx_uint_t  found;
} ngx_http_b24_wanted_t;


static ngx_int_t
ngx_http_b24_header(ngx_http_b24_ctx_t *ctx, ngx_str_t *name,
    ngx_str_t *value)
{
    b24_pair_t             *pair, **last;
    ngx_http_b24_job_t     *job;
    ngx_http_b24_wanted_t   wanted;

    job = ctx->job;

    if (name->len == 0 || value->len == 0) {
        return NGX_OK;
    }

    wanted.name = name;
    wanted.found = 0;

    (void) b24_shop_headers(job->shop, job->set, ngx_http_b24_header_wanted,
                            &wanted);

    if (!wanted.found) {
        return NGX_OK;
    }

    pair = b24_pcalloc(job->pool, sizeof(b24_pair_t));

    if (pair == NULL
        || b24_pstrdup(job->pool, &pair->name, name->data, name->len)
           != B24_OK
        || b24_pstrdup(job->pool, &pair->value, value->data, value->len)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    for (last = (b24_pair_t **) &job->in.headers; *last;
         last = &(*last)->next)
    {
        /* void */
    }

    *last = pair;

    return NGX_OK;
}


static int
ngx_http_b24_header_wanted(void *data, const b24_str_t *name)
{
    ngx_http_b24_wanted_t  *wanted = data;

    if (b24_str_caseeq(name, wanted->name)) {
        wanted->found = 1;
        return 1;
    }

    return 0;
}


static ngx_int_t
ngx_http_b24_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t            rc;
    ngx_chain_t         *cl;
    ngx_http_b24_ctx_t  *ctx;

    ctx = (r == r->main && in) ? ngx_http_b24_get_ctx(r) : NULL;

    if (ctx == NULL || ctx->job == NULL || !ctx->header || ctx->sealed) {
        return ngx_http_b24_next_body_filter(r, in);
    }

    /* looked at before the filters below consume pos; nothing is kept */

    for (cl = in; cl; cl = cl->next) {

        if (ctx->need_answer) {
            ngx_http_b24_answer_copy(ctx, cl->buf);
        }

        if (cl->buf->last_buf) {
            ctx->sealed = 1;

            if (ctx->job->in.answer_state == B24_BODY_CUT) {
                ctx->job->in.answer_state = ctx->job->in.answer.len
                                            ? B24_BODY_FULL : B24_BODY_NONE;
            }
        }
    }

    rc = ngx_http_b24_next_body_filter(r, in);

    if (ctx->sealed && rc != NGX_ERROR) {
        ngx_http_b24_answer_over(r, ctx);
    }

    return rc;
}


static void
ngx_http_b24_answer_copy(ngx_http_b24_ctx_t *ctx, ngx_buf_t *b)
{
    size_t               size;
    ngx_http_b24_job_t  *job;

    job = ctx->job;

    if (job->in.answer_state != B24_BODY_CUT || ngx_buf_special(b)) {
        return;
    }

    if (!ngx_buf_in_memory(b)) {

        /* a file on its way to sendfile(): no shop's answer is one */

        if (b->in_file && b->file_last > b->file_pos) {
            job->in.answer_state = B24_BODY_UNSEEN;
        }

        return;
    }

    size = b->last - b->pos;

    if (size == 0) {
        return;
    }

    if (size > ctx->excerpt_max - job->in.answer.len
        || ngx_http_b24_answer_grow(ctx, job->in.answer.len + size) != NGX_OK)
    {
        job->in.answer_state = B24_BODY_LARGE;
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_OVERSIZE, 1);
        return;
    }

    ngx_memcpy(job->answer + job->in.answer.len, b->pos, size);

    job->in.answer.data = job->answer;
    job->in.answer.len += size;
}


/*
 * Doubles, within b24_capture's answer= and total=.  A first piece that is
 * small, which mostly is all there is, is taken from the pool as it is.
 */

static ngx_int_t
ngx_http_b24_answer_grow(ngx_http_b24_ctx_t *ctx, size_t size)
{
    size_t               want;
    u_char              *p;
    ngx_http_b24_job_t  *job;

    job = ctx->job;

    if (size <= job->answer_size) {
        return NGX_OK;
    }

    if (job->answer_size == 0 && size <= NGX_HTTP_B24_ANSWER_SMALL) {
        want = size;

    } else {
        want = ngx_max(job->answer_size, NGX_HTTP_B24_ANSWER_START);

        while (want < size) {
            want *= 2;
        }

        want = ngx_min(want, ctx->excerpt_max);
    }

    if (ngx_http_b24_reserve(want - job->answer_size, ctx->conf->total_max)
        != NGX_OK)
    {
        job->crowded = 1;
        return NGX_DECLINED;
    }

    if (want <= NGX_HTTP_B24_ANSWER_SMALL) {
        p = b24_pnalloc(job->pool, want);

    } else {
        p = realloc(job->grown ? job->answer : NULL, want);
    }

    if (p == NULL) {
        ngx_http_b24_release(want - job->answer_size);
        return NGX_ERROR;
    }

    if (job->in.answer.len) {

        if (!job->grown) {
            ngx_memcpy(p, job->answer, job->in.answer.len);
        }

        job->in.answer.data = p;
    }

    job->grown = (want > NGX_HTTP_B24_ANSWER_SMALL);
    job->reserved += want - job->answer_size;
    job->answer = p;
    job->answer_size = want;

    return NGX_OK;
}
