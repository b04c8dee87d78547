
/*
 * The buyer's request and the shop's answer, watched without touching them:
 *
 *     PRECONTENT      is it a candidate? then its body is read, and written
 *                     down (b24_journal)
 *     header filter   status, the headers rules name
 *     body filter     a bounded copy of the answer; with its last buffer a
 *                     background subrequest is posted
 *     subrequest      after the answer was written: memory work only
 *     log phase       the net for what never got that far
 */


#include "ngx_http_b24_session.h"

#include <stdlib.h>


#define NGX_HTTP_B24_ANSWER_START  4096


static ngx_int_t ngx_http_b24_precontent_handler(ngx_http_request_t *r);
static ngx_http_b24_ctx_t *ngx_http_b24_decide(ngx_http_request_t *r,
    ngx_http_b24_loc_conf_t *blcf);
static ngx_http_b24_ctx_t *ngx_http_b24_none(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *none);
static ngx_int_t ngx_http_b24_glance(ngx_http_request_t *r,
    const b24_shop_t *shop, b24_input_t *in);
static ngx_int_t ngx_http_b24_candidate(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx, b24_input_t *in);
static void ngx_http_b24_lost(void);
static void ngx_http_b24_method(ngx_http_request_t *r, ngx_str_t *method);
static ngx_int_t ngx_http_b24_has_body(ngx_http_request_t *r);
static void ngx_http_b24_body_file(ngx_http_request_t *r);
static void ngx_http_b24_body_ready(ngx_http_request_t *r);
static void ngx_http_b24_ctx_cleanup(void *data);
static ngx_int_t ngx_http_b24_header_filter(ngx_http_request_t *r);
static void ngx_http_b24_discount(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
static ngx_uint_t ngx_http_b24_answered(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_b24_header(ngx_http_b24_ctx_t *ctx,
    ngx_str_t *name, ngx_str_t *value);
static int ngx_http_b24_header_wanted(void *data, const b24_str_t *name);
static ngx_int_t ngx_http_b24_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_b24_answer_copy(ngx_http_b24_ctx_t *ctx, ngx_buf_t *b);
static ngx_int_t ngx_http_b24_answer_grow(ngx_http_b24_ctx_t *ctx,
    size_t size);
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
static ngx_int_t ngx_http_b24_log_handler(ngx_http_request_t *r);


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


static ngx_int_t
ngx_http_b24_precontent_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_b24_ctx_t       *ctx;
    ngx_http_b24_loc_conf_t  *blcf;

    blcf = ngx_http_get_module_loc_conf(r, ngx_http_b24_module);

    if (!blcf->mirror || r != r->main) {
        return NGX_DECLINED;
    }

    /* re-entered after the body, or in another location: decided already */

    if (ngx_http_b24_get_ctx(r)) {
        return NGX_DECLINED;
    }

    /* refused by nginx before any mirror (403, 413 ...), here by error_page */

    if (r->err_status >= NGX_HTTP_BAD_REQUEST) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_b24_decide(r, blcf);

    if (ctx == NULL || ctx->job == NULL) {
        return NGX_DECLINED;
    }

    if (!ctx->need_body) {
        ctx->body_ok = 1;
        ngx_http_b24_session_arrive(r, ctx);
        return (ngx_http_b24_journal(r, ctx) == NGX_AGAIN) ? NGX_AGAIN
                                                           : NGX_DECLINED;
    }

    if (r->request_body == NULL) {
        ctx->head_length = r->request_length;
        ctx->subrequests = r->subrequests;

        if (r->method == NGX_HTTP_PUT && r->content_handler == NULL) {
            ngx_http_b24_body_file(r);
        }
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_b24_body_ready);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_b24_unref(r);

    return NGX_DONE;
}


/*
 * Once per client request.  Whatever fails here ends as "not a candidate": the
 * shop's exchange goes on.
 */

static ngx_http_b24_ctx_t *
ngx_http_b24_decide(ngx_http_request_t *r, ngx_http_b24_loc_conf_t *blcf)
{
    ngx_int_t            rc;
    b24_input_t          in;
    ngx_pool_cleanup_t  *cln;
    ngx_http_b24_ctx_t  *ctx;

    if (blcf->none->scf->o == NULL) {
        return ngx_http_b24_none(r, blcf->none);
    }

    rc = ngx_http_b24_glance(r, blcf->shop, &in);

    if (rc != NGX_OK) {

        if (rc == NGX_ERROR) {
            ngx_http_b24_lost();
        }

        return ngx_http_b24_none(r, blcf->none);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_b24_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    *ctx = *blcf->none;

    cln->handler = ngx_http_b24_ctx_cleanup;

    ctx->request = r;

    ngx_http_set_ctx(r, ctx, ngx_http_b24_module);

    rc = ngx_http_b24_candidate(r, ctx, &in);

    if (rc == NGX_ERROR) {
        ngx_http_b24_lost();
    }

    if (rc != NGX_OK && ctx->job) {
        ngx_http_b24_job_destroy(ctx->job);
        ctx->job = NULL;
    }

    return ctx;
}


/* that it was decided is remembered wherever nginx takes the request */

static ngx_http_b24_ctx_t *
ngx_http_b24_none(ngx_http_request_t *r, ngx_http_b24_ctx_t *none)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_b24_ctx_cleanup;
    cln->data = none;

    ngx_http_set_ctx(r, none, ngx_http_b24_module);

    return none;
}


static void
ngx_http_b24_lost(void)
{
    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LOST, 1);

    if (ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "b24: no memory to watch a request, %ui more since "
                      "the last such line", left);
    }
}


/*
 * Nearly all requests are for no rule: that is seen without a job, and mostly
 * without memory.  What nginx has noticed as it parsed the request line tells
 * whether the path has to be decoded or resolved.
 */

static ngx_int_t
ngx_http_b24_glance(ngx_http_request_t *r, const b24_shop_t *shop,
    b24_input_t *in)
{
    int          rc;
    u_char      *p, *last;
    b24_pool_t  *pool;

    ngx_memzero(in, sizeof(b24_input_t));

    ngx_http_b24_method(r, &in->method);

    in->target = r->unparsed_uri;
    in->bodyless = !ngx_http_b24_has_body(r);

    if (r->unparsed_uri.len && r->unparsed_uri.data[0] == '/'
        && r->unparsed_uri.data == r->uri_start
        && !r->complex_uri && !r->quoted_uri)
    {
        in->path = in->target;

        last = in->path.data + in->path.len;
        p = memchr(in->path.data, '?', in->path.len);

        if (p) {
            in->path.len = p - in->path.data;
            in->args.data = p + 1;
            in->args.len = last - in->args.data;
        }

        return b24_shop_maybe(shop, in) ? NGX_OK : NGX_DECLINED;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = b24_text_target(pool, &in->target, &in->path, &in->args);

    if (rc == B24_OK && !b24_shop_maybe(shop, in)) {
        rc = B24_DECLINED;
    }

    b24_pool_destroy(pool);

    return (rc == B24_OK) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_b24_candidate(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx,
    b24_input_t *in)
{
    off_t                     size;
    b24_str_t                 value;
    const b24_shop_t         *shop;
    ngx_http_b24_job_t       *job;
    ngx_http_b24_loc_conf_t  *blcf;

    blcf = ctx->conf;
    shop = blcf->shop;

    job = ngx_http_b24_job_create(ctx->scf->o, shop, blcf);
    if (job == NULL) {
        return NGX_ERROR;
    }

    ctx->job = job;

    value = r->unparsed_uri;

    if (b24_pstrdup(job->pool, &job->in.method, in->method.data,
                    in->method.len)
        != B24_OK
        || b24_pstrdup(job->pool, &job->in.target, value.data, value.len)
           != B24_OK
        || b24_text_target(job->pool, &job->in.target, &job->in.path,
                           &job->in.args)
           != B24_OK)
    {
        return NGX_DECLINED;
    }

    job->in.bodyless = in->bodyless;
    job->in.looked = in->looked;
    job->in.maybe = in->maybe;
    job->in.sure = in->sure;

    /* templates of when lines are evaluated as they are asked for */

    job->in.var = ngx_http_b24_job_var_now;
    job->in.data = ctx;
    job->in.learned = ngx_http_b24_learned;
    job->in.learned_data = job;

    job->set = b24_shop_candidates(job->pool, shop, &job->in);

    if (job->set == 0) {
        return NGX_DECLINED;
    }

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_CANDIDATES, 1);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "b24: candidate for %xL", (uint64_t) job->set);

    if (b24_shop_has_order(shop, job->set)) {
        ngx_str_set(&ctx->event, "order");

    } else if (job->set & b24_shop_set(shop, B24_RULE_STATUS)) {
        ngx_str_set(&ctx->event, "status");

    } else {
        ngx_str_set(&ctx->event, "collect");
    }

    ctx->need_answer = b24_shop_needs_answer(shop, job->set);

    if (ngx_http_b24_job_vars(r, ctx, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->headers_in.content_type) {
        value = r->headers_in.content_type->value;

        if (b24_pstrdup(job->pool, &job->in.content_type, value.data,
                        value.len)
            != B24_OK)
        {
            return NGX_ERROR;
        }
    }

    if (!b24_shop_needs_body(shop, job->set) || !ngx_http_b24_has_body(r)) {
        job->in.body_state = B24_BODY_NONE;
        return NGX_OK;
    }

    size = r->headers_in.content_length_n;

    if (size > (off_t) blcf->body_max) {

        /* passes unread */

        job->in.body_state = B24_BODY_LARGE;
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_OVERSIZE, 1);
        return NGX_OK;
    }

    ctx->need_body = 1;
    job->in.body_state = B24_BODY_UNSEEN;

    return NGX_OK;
}


/* error_page and X-Accel-Redirect change r->method, the request line stays */

static void
ngx_http_b24_method(ngx_http_request_t *r, ngx_str_t *method)
{
    u_char  *p;

    if (r->request_line.len) {
        p = ngx_strlchr(r->request_line.data,
                        r->request_line.data + r->request_line.len, ' ');

        if (p) {
            method->data = r->request_line.data;
            method->len = p - r->request_line.data;
            return;
        }
    }

    *method = r->method_name;
}


static ngx_int_t
ngx_http_b24_has_body(ngx_http_request_t *r)
{
    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return 1;
    }

    if (r->request_body) {

        /* read by somebody before us */

        return r->request_body->bufs != NULL;
    }

    return 0;
}


/*
 * Who may be ngx_http_dav_module takes a body in a file only, and makes it the
 * one that was put; what nobody takes is removed with the request.
 */

static void
ngx_http_b24_body_file(ngx_http_request_t *r)
{
    r->request_body_in_file_only = 1;
    r->request_body_in_persistent_file = 1;
    r->request_body_in_clean_file = 1;
    r->request_body_file_group_access = 1;
    r->request_body_file_log_level = 0;
}


static void
ngx_http_b24_body_ready(ngx_http_request_t *r)
{
    ngx_http_b24_ctx_t  *ctx;

    ctx = ngx_http_b24_get_ctx(r);

    /* keeps the temporary file until the request ends */

    r->preserve_body = 1;

    if (ctx) {
        ctx->body_ok = 1;

        ngx_http_b24_session_arrive(r, ctx);

        if (ngx_http_b24_journal(r, ctx) == NGX_AGAIN) {
            return;
        }
    }

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


static void
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
    ngx_uint_t           i;
    ngx_str_t            name;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
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
    job->time = ngx_http_b24_now();

    if (r->err_status) {
        job->in.status = r->err_status;
    }

    if (!ngx_http_b24_answered(r, job->in.status)) {
        job->in.status = 0;
    }

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
            goto failed;
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
        goto failed;
    }

    job->in.answer_encoding.len = 0;

    if (r->headers_out.content_encoding
        && b24_pstrdup(job->pool, &job->in.answer_encoding,
                       r->headers_out.content_encoding->value.data,
                       r->headers_out.content_encoding->value.len)
           != B24_OK)
    {
        goto failed;
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

failed:

    /* the log phase takes what there is: an answer nobody could read */

    job->in.answer_state = B24_BODY_UNSEEN;
    job->in.status = 0;
    ctx->need_answer = 0;

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
        ngx_http_b24_launch(r, ctx);
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


/* doubles, within b24_capture's answer= and total= */

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

    want = job->answer_size ? job->answer_size : NGX_HTTP_B24_ANSWER_START;

    while (want < size) {
        want *= 2;
    }

    want = ngx_min(want, ctx->excerpt_max);

    if (ngx_http_b24_reserve(want - job->answer_size, ctx->conf->total_max)
        != NGX_OK)
    {
        job->crowded = 1;
        return NGX_DECLINED;
    }

    p = realloc(job->answer, want);

    if (p == NULL) {
        ngx_http_b24_release(want - job->answer_size);
        return NGX_ERROR;
    }

    job->reserved += want - job->answer_size;
    job->answer = p;
    job->answer_size = want;

    if (job->in.answer.len) {
        job->in.answer.data = p;
    }

    return NGX_OK;
}


/*
 * The subrequest runs after the answer's last byte was handed to the socket and
 * ends in the turn it starts in, so that the connection's next request waits
 * for nothing.  No phase runs for it, nothing is sent by it.
 */

static void
ngx_http_b24_launch(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    void                **loc_conf;
    ngx_http_request_t   *sr;

    static ngx_str_t  uri = ngx_string("/b24");

    if (ctx->launched || ctx->submitted) {
        return;
    }

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

    if (ngx_http_b24_job_vars(r, ctx, 1) != NGX_OK
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

static ngx_int_t
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
