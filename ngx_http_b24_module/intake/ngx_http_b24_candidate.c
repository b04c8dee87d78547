
/*
 * PRECONTENT: is a request for a rule?  One that may be gets a job, what the
 * rules ask of it is copied, its body is read.
 */


#include "ngx_http_b24_session.h"


static ngx_http_b24_ctx_t *ngx_http_b24_decide(ngx_http_request_t *r,
    ngx_http_b24_loc_conf_t *blcf);
static ngx_http_b24_ctx_t *ngx_http_b24_none(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *none);
static ngx_int_t ngx_http_b24_glance(ngx_http_request_t *r,
    const b24_shop_t *shop, b24_input_t *in);
static ngx_int_t ngx_http_b24_candidate(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx, b24_input_t *in);
static ngx_int_t ngx_http_b24_target(ngx_http_b24_job_t *job,
    b24_input_t *in);
static void ngx_http_b24_lost(void);
static void ngx_http_b24_method(ngx_http_request_t *r, ngx_str_t *method);
static ngx_int_t ngx_http_b24_has_body(ngx_http_request_t *r);
static void ngx_http_b24_body_file(ngx_http_request_t *r);
static void ngx_http_b24_body_ready(ngx_http_request_t *r);


ngx_int_t
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

    in->path.data = NULL;
    in->args.data = NULL;

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

    if (b24_pstrdup(job->pool, &job->in.method, in->method.data,
                    in->method.len)
        != B24_OK
        || ngx_http_b24_target(job, in) != NGX_OK)
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


/* path and arguments are parts of the copy, if they were of the target */

static ngx_int_t
ngx_http_b24_target(ngx_http_b24_job_t *job, b24_input_t *in)
{
    u_char     *p;
    ngx_str_t  *target;

    target = &job->in.target;

    if (b24_pstrdup(job->pool, target, in->target.data, in->target.len)
        != B24_OK)
    {
        return NGX_ERROR;
    }

    if (in->path.data == NULL) {
        return b24_text_target(job->pool, target, &job->in.path,
                               &job->in.args)
               == B24_OK ? NGX_OK : NGX_ERROR;
    }

    p = target->data;

    job->in.path.data = p;
    job->in.path.len = in->path.len;

    if (in->args.data) {
        job->in.args.data = p + (in->args.data - in->target.data);
        job->in.args.len = in->args.len;
    }

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
