
/*
 * A job: everything of one exchange that the rules may ask for, in memory of
 * its own.  The functions that take a request run on the event loop and copy.
 */


#include "ngx_http_b24_module.h"

#include <stdlib.h>
#include <fcntl.h>


/* what trees and texts of one exchange may take beyond its captured bytes */
#define NGX_HTTP_B24_JOB_MEMORY  (24 * 1024 * 1024)


typedef struct {
    ngx_http_request_t  *request;
    ngx_http_b24_job_t  *job;
    ngx_uint_t           late;
    ngx_uint_t           left;      /* there are those of the other time */
} ngx_http_b24_vars_t;


static ngx_int_t ngx_http_b24_job_value(ngx_http_request_t *r,
    ngx_http_b24_job_t *job, size_t n);
static int ngx_http_b24_job_var_add(void *data, size_t n);
static ngx_int_t ngx_http_b24_job_fields(ngx_http_b24_vars_t *vars,
    ngx_array_t *fields, b24_pair_t **pairs);
static ngx_http_b24_job_t *ngx_http_b24_job_alloc(void);
static ngx_http_b24_job_t *ngx_http_b24_job_twin(ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_job_twin_lists(ngx_http_b24_job_t *twin,
    ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_job_copy_pairs(ngx_http_b24_job_t *twin,
    b24_pair_t **to, b24_pair_t *from);


ngx_http_b24_job_t *
ngx_http_b24_job_create(ngx_http_b24_origin_t *origin,
    const b24_shop_t *shop, ngx_http_b24_loc_conf_t *conf)
{
    b24_pool_t          *pool;
    ngx_http_b24_job_t  *job;

    pool = b24_pool_create(NGX_HTTP_B24_JOB_MEMORY + conf->body_max
                           + 2 * conf->answer_max);
    if (pool == NULL) {
        return NULL;
    }

    /* outlives its pool: see ngx_http_b24_job_shrink() */

    job = ngx_http_b24_job_alloc();
    if (job == NULL) {
        b24_pool_destroy(pool);
        return NULL;
    }

    job->pool = pool;
    job->shop = shop;
    job->origin = origin;

    return job;
}


/* calloc() leaves out glibc's cache of a thread, and takes the arena's lock */

static ngx_http_b24_job_t *
ngx_http_b24_job_alloc(void)
{
    ngx_http_b24_job_t  *job;

    job = ngx_alloc(sizeof(ngx_http_b24_job_t), ngx_cycle->log);

    if (job) {
        ngx_memzero(job, sizeof(ngx_http_b24_job_t));
        job->body_fd = NGX_INVALID_FILE;
    }

    return job;
}


void
ngx_http_b24_job_destroy(ngx_http_b24_job_t *job)
{
    ngx_http_b24_job_release(job);
    b24_pool_destroy(job->pool);
    b24_pool_destroy(job->lent);
    free(job);
}


/* the captured bytes */

void
ngx_http_b24_job_release(ngx_http_b24_job_t *job)
{
    if (job->body_fd != NGX_INVALID_FILE) {
        (void) close(job->body_fd);
        job->body_fd = NGX_INVALID_FILE;
    }

    if (job->grown) {
        free(job->answer);
        job->grown = 0;
    }

    job->answer = NULL;
    job->answer_size = 0;

    ngx_memzero(&job->in, sizeof(b24_input_t));

    ngx_http_b24_job_unreserve(job);
}


/* what has been read is the store's to bound */

void
ngx_http_b24_job_unreserve(ngx_http_b24_job_t *job)
{
    if (job->reserved) {
        ngx_http_b24_release(job->reserved);
        job->reserved = 0;
    }
}


/*
 * Templates whose value exists only when the answer does.  Evaluating them
 * earlier would put an empty value into nginx's cache of variables, where the
 * access log would find it.
 */

ngx_uint_t
ngx_http_b24_template_late(ngx_str_t *text)
{
    return b24_template_late(text);
}


/* values of templates while the request is at hand */

int
ngx_http_b24_job_var_now(void *data, size_t n, b24_str_t *value)
{
    ngx_http_b24_ctx_t  *ctx = data;

    ngx_http_b24_job_t  *job;

    job = ctx->job;

    if (b24_rules_var_late(ngx_http_b24_main->rules, n)) {
        return B24_DECLINED;
    }

    if (ngx_http_b24_job_value(ctx->request, job, n) != NGX_OK) {
        return B24_DECLINED;
    }

    *value = job->vars[n];

    return B24_OK;
}


/* the same once it is gone */

int
ngx_http_b24_job_var_kept(void *data, size_t n, b24_str_t *value)
{
    ngx_http_b24_job_t  *job = data;

    if (n >= job->nvars || job->vars[n].data == NULL) {
        return B24_DECLINED;
    }

    *value = job->vars[n];

    return B24_OK;
}


static ngx_int_t
ngx_http_b24_job_value(ngx_http_request_t *r, ngx_http_b24_job_t *job,
    size_t n)
{
    ngx_str_t                  value;
    ngx_http_complex_value_t  *cv;

    if (n >= ngx_http_b24_main->vars.nelts) {
        return NGX_ERROR;
    }

    if (job->vars == NULL) {
        job->nvars = ngx_http_b24_main->vars.nelts;

        job->vars = b24_pcalloc(job->pool, job->nvars * sizeof(b24_str_t));
        if (job->vars == NULL) {
            return NGX_ERROR;
        }
    }

    if (job->vars[n].data) {
        return NGX_OK;
    }

    cv = ngx_http_b24_main->vars.elts;

    if (ngx_http_b24_value(r, &cv[n], &value) != NGX_OK
        || b24_pstrdup(job->pool, &job->vars[n], value.data, value.len)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static int
ngx_http_b24_job_var_add(void *data, size_t n)
{
    ngx_http_b24_vars_t  *vars = data;

    if (!b24_rules_var_late(ngx_http_b24_main->rules, n) != !vars->late) {
        vars->left = 1;
        return 0;
    }

    return ngx_http_b24_job_value(vars->request, vars->job, n) != NGX_OK;
}


/*
 * Copies the values of all templates that the candidate blocks and the
 * location's b24_deal ... lines use: those of the request (late 0) before it is
 * proxied, those of the answer (late 1) after.
 */

ngx_int_t
ngx_http_b24_job_vars(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx,
    ngx_uint_t late)
{
    ngx_http_b24_job_t   *job;
    ngx_http_b24_vars_t   vars;

    job = ctx->job;

    vars.request = r;
    vars.job = job;
    vars.late = late;
    vars.left = 0;

    if (b24_shop_vars(job->shop, job->set, ngx_http_b24_job_var_add, &vars)
        != 0)
    {
        return NGX_ERROR;
    }

    if ((ctx->conf->deal || ctx->conf->contact || ctx->conf->company)
        && (ngx_http_b24_job_fields(&vars, ctx->conf->deal, &job->deal)
            != NGX_OK
            || ngx_http_b24_job_fields(&vars, ctx->conf->contact,
                                       &job->contact)
               != NGX_OK
            || ngx_http_b24_job_fields(&vars, ctx->conf->company,
                                       &job->company)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (!late) {
        ctx->late = vars.left;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_job_fields(ngx_http_b24_vars_t *vars, ngx_array_t *fields,
    b24_pair_t **pairs)
{
    ngx_str_t              value;
    ngx_uint_t             i;
    b24_pair_t            *pair;
    ngx_http_b24_field_t  *f;

    if (fields == NULL) {
        return NGX_OK;
    }

    f = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        if (f[i].late != vars->late) {
            vars->left = 1;
            continue;
        }

        ngx_str_null(&value);

        if (f[i].value
            && ngx_http_b24_value(vars->request, f[i].value, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }

        pair = b24_pcalloc(vars->job->pool, sizeof(b24_pair_t));

        if (pair == NULL
            || b24_pstrdup(vars->job->pool, &pair->value, value.data,
                           value.len)
               != B24_OK)
        {
            return NGX_ERROR;
        }

        /* the name lives with the configuration, which this worker keeps */

        pair->name = f[i].name;

        while (*pairs) {
            pairs = &(*pairs)->next;
        }

        *pairs = pair;
    }

    return NGX_OK;
}


/*
 * The body as nginx buffered it.  What lies in a temporary file is not read
 * here: the job takes a descriptor of its own, and the thread reads.
 */

ngx_int_t
ngx_http_b24_job_body(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx)
{
    off_t                size, file;
    u_char              *p;
    ngx_chain_t         *cl;
    ngx_http_b24_job_t  *job;

    job = ctx->job;

    if (!ctx->need_body) {
        return NGX_OK;
    }

    job->copied = 1;
    job->in.body_state = B24_BODY_NONE;

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    size = 0;
    file = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        if (ngx_buf_in_memory(cl->buf)) {
            size += cl->buf->last - cl->buf->pos;

        } else if (cl->buf->in_file) {
            file += cl->buf->file_last - cl->buf->file_pos;
        }
    }

    if (size + file == 0) {
        return NGX_OK;
    }

    if (size + file > (off_t) ctx->conf->body_max) {
        job->in.body_state = B24_BODY_LARGE;
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_OVERSIZE, 1);
        return NGX_OK;
    }

    if (ngx_http_b24_reserve(size + file, ctx->conf->total_max) != NGX_OK) {
        job->crowded = 1;
        job->in.body_state = B24_BODY_LARGE;
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_OVERSIZE, 1);
        return NGX_OK;
    }

    job->reserved += size + file;
    job->in.body_state = B24_BODY_UNSEEN;

    p = b24_pnalloc(job->pool, size + file + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    job->in.body.data = p;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        if (ngx_buf_in_memory(cl->buf)) {
            p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
            continue;
        }

        if (!cl->buf->in_file) {
            continue;                   /* the end mark of a chunked body */
        }

        if (job->body_fd != NGX_INVALID_FILE) {
            return NGX_ERROR;           /* nginx makes one file at most */
        }

        job->body_fd = fcntl(cl->buf->file->fd, F_DUPFD_CLOEXEC, 0);

        if (job->body_fd == NGX_INVALID_FILE) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                          "b24: no descriptor for a request body");
            return NGX_ERROR;
        }

        job->body_offset = cl->buf->file_pos;
        job->body_size = cl->buf->file_last - cl->buf->file_pos;
    }

    job->in.body.len = size;
    job->in.body_state = B24_BODY_FULL;

    return NGX_OK;
}


/* may it be parsed on the event loop? */

ngx_uint_t
ngx_http_b24_job_small(ngx_http_b24_job_t *job)
{
    if (job->body_fd != NGX_INVALID_FILE) {
        return 0;
    }

    if (job->in.answer_encoding.len
        && job->in.answer.len > NGX_HTTP_B24_INLINE_GZIP)
    {
        return 0;
    }

    return job->in.body.len + job->in.answer.len + job->snapshot.len
           <= NGX_HTTP_B24_INLINE;
}


/*
 * A job of its own for what the request of this one carries, to be read in the
 * queue's thread.  It holds this one's memory and reads there what is not
 * changed any more: nothing large is copied.  Only where the body tells which
 * block the request is for, if any, it is read here, if that may be done on the
 * event loop; both jobs go on with the result.  NULL: no memory, nothing is to
 * be written down, or no block wants the request (job->none).
 */

ngx_http_b24_job_t *
ngx_http_b24_job_journal(ngx_http_b24_job_t *job)
{
    const b24_rule_t    *rule;
    ngx_http_b24_job_t  *twin;

    rule = b24_shop_certain(job->shop, job->set);

    if (rule == NULL && ngx_http_b24_job_small(job)) {

        switch (b24_extract_request(job->pool, job->shop, job->set, &job->in,
                                    &job->partial))
        {
        case B24_OK:
            rule = b24_partial_rule(job->partial);
            break;

        case B24_DECLINED:
            job->none = 1;
            return NULL;

        default:
            job->partial = NULL;
            return NULL;
        }
    }

    /* of a status nothing is written down before the answer */

    if (rule && b24_rule_kind(rule) == B24_RULE_STATUS) {
        return NULL;
    }

    twin = ngx_http_b24_job_twin(job);
    if (twin == NULL) {
        return NULL;
    }

    twin->journal = 1;
    twin->capture = job->capture;
    twin->time = ngx_http_b24_now();

    return twin;
}


static ngx_http_b24_job_t *
ngx_http_b24_job_twin(ngx_http_b24_job_t *job)
{
    ngx_http_b24_job_t  *twin;

    twin = ngx_http_b24_job_alloc();
    if (twin == NULL) {
        return NULL;
    }

    twin->pool = b24_pool_create(NGX_HTTP_B24_JOB_MEMORY
                                 + 2 * job->in.body.len
                                 + job->snapshot.len);
    if (twin->pool == NULL) {
        free(twin);
        return NULL;
    }

    twin->lent = b24_pool_share(job->pool);

    twin->shop = job->shop;
    twin->origin = job->origin;
    twin->set = job->set;
    twin->crowded = job->crowded;
    twin->partial = job->partial;
    twin->snapshot = job->snapshot;

    twin->in = job->in;
    twin->in.answer_state = B24_BODY_UNSEEN;
    twin->in.var = ngx_http_b24_job_var_kept;
    twin->in.data = twin;
    twin->in.learned = ngx_http_b24_learned;
    twin->in.learned_data = twin;

    twin->body_offset = job->body_offset;
    twin->body_size = job->body_size;

    if (ngx_http_b24_job_twin_lists(twin, job) != NGX_OK) {
        ngx_http_b24_job_destroy(twin);
        return NULL;
    }

    if (job->body_fd != NGX_INVALID_FILE) {
        twin->body_fd = fcntl(job->body_fd, F_DUPFD_CLOEXEC, 0);

        if (twin->body_fd == NGX_INVALID_FILE) {
            ngx_http_b24_job_destroy(twin);
            return NULL;
        }
    }

    return twin;
}


/* the answer adds to these */

static ngx_int_t
ngx_http_b24_job_twin_lists(ngx_http_b24_job_t *twin, ngx_http_b24_job_t *job)
{
    if (job->nvars) {
        twin->vars = b24_palloc(twin->pool, job->nvars * sizeof(b24_str_t));
        if (twin->vars == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(twin->vars, job->vars, job->nvars * sizeof(b24_str_t));
        twin->nvars = job->nvars;
    }

    if (ngx_http_b24_job_copy_pairs(twin, &twin->deal, job->deal) != NGX_OK
        || ngx_http_b24_job_copy_pairs(twin, &twin->contact, job->contact)
           != NGX_OK
        || ngx_http_b24_job_copy_pairs(twin, &twin->company, job->company)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_job_copy_pairs(ngx_http_b24_job_t *twin, b24_pair_t **to,
    b24_pair_t *from)
{
    b24_pair_t  *pair;

    for ( /* void */ ; from; from = from->next) {

        pair = b24_palloc(twin->pool, sizeof(b24_pair_t));
        if (pair == NULL) {
            return NGX_ERROR;
        }

        pair->name = from->name;
        pair->value = from->value;
        pair->next = NULL;

        *to = pair;
        to = &pair->next;
    }

    return NGX_OK;
}
