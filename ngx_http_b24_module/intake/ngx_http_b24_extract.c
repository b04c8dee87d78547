
/*
 * A job is read: the order, or the change of one, that is in its exchange, as
 * the queue takes it.  All of this runs on any thread.
 */


#include "ngx_http_b24_session.h"


static ngx_int_t ngx_http_b24_job_read(ngx_http_b24_job_t *job);
static void ngx_http_b24_job_learn(ngx_http_b24_job_t *job);
static void ngx_http_b24_job_captured(ngx_http_b24_job_t *job);
static void ngx_http_b24_job_lost(ngx_http_b24_job_t *job, char *cause);
static ngx_int_t ngx_http_b24_job_put(ngx_http_b24_job_t *job);
static void ngx_http_b24_job_status(ngx_http_b24_job_t *job, int rc);
static ngx_int_t ngx_http_b24_job_change(ngx_http_b24_job_t *job);
static ngx_int_t ngx_http_b24_job_copy_texts(b24_pool_t *pool,
    b24_str_t **texts, ngx_uint_t n);
static ngx_int_t ngx_http_b24_job_copy_change(b24_pool_t *pool,
    b24_queue_change_t **to, b24_queue_change_t *from);
static ngx_int_t ngx_http_b24_job_copy_targets(b24_pool_t *pool,
    b24_pair_t **to, b24_pair_t *from);
static ngx_int_t ngx_http_b24_job_advice(ngx_http_b24_job_t *job);
static void ngx_http_b24_job_pairs(ngx_http_b24_job_t *job, b24_pair_t *from,
    b24_pair_t **to);


/*
 * Any thread; afterwards job->none, or job->event and job->put are filled, of a
 * status job->change and job->targets.
 */

void
ngx_http_b24_job_extract(ngx_http_b24_job_t *job)
{
    int  rc;

    if (job->extracted) {
        return;
    }

    job->extracted = 1;

    if (ngx_http_b24_job_read(job) != NGX_OK) {
        job->in.body_state = B24_BODY_UNSEEN;
        job->in.body.len = 0;
    }

    ngx_http_b24_session_collect(job);
    ngx_http_b24_session_retake(job);

    rc = job->partial ? b24_extract_answer(job->pool, job->shop, job->partial,
                                           &job->in, &job->event)
                      : b24_extract_exchange(job->pool, job->shop, job->set,
                                             &job->in, &job->partial,
                                             &job->event);

    if (rc == B24_DECLINED) {
        job->none = 1;
        ngx_http_b24_session_settle(job);
        return;
    }

    if (job->event.kind == B24_RULE_STATUS) {
        job->status = 1;

        ngx_http_b24_job_status(job, rc);
        ngx_http_b24_session_settle(job);
        ngx_http_b24_job_shrink(job);
        return;
    }

    if (rc == B24_OK && job->event.outcome != B24_OUTCOME_REJECTED
        && ngx_http_b24_session_fill(job) != NGX_OK)
    {
        rc = B24_ERROR;
    }

    if (rc != B24_OK) {
        ngx_http_b24_job_lost(job, "the exchange was too large to be read");
    }

    if (!job->failed) {
        job->outcome = job->event.outcome;

        /* an answer was there, but not what the rules need of the exchange */

        job->unreadable = (job->outcome == B24_OUTCOME_UNCONFIRMED
                           && !job->event.unseen);

        if (job->outcome != B24_OUTCOME_REJECTED
            && ngx_http_b24_job_put(job) != NGX_OK)
        {
            ngx_http_b24_job_lost(job, "the order was too large to be kept");
        }
    }

    job->put.capture = job->capture;

    if (job->journal) {
        ngx_http_b24_job_captured(job);
    }

    ngx_http_b24_job_learn(job);
    ngx_http_b24_session_settle(job);

    if (job->crowded && job->outcome == B24_OUTCOME_UNCONFIRMED) {
        ngx_str_set(&job->put.cause, "too many exchanges at once for "
                    "b24_capture total=, this one was not read");
        ngx_str_set(&job->put.advice, "raise total= of b24_capture, look the "
                    "order up in the shop");
    }

    /*
     * What is put soon needs no copies: its texts last until the commit.  The
     * store makes small what it keeps longer.  A journal's job comes from
     * there, and its batch may have some hundreds.  A disk that hangs takes
     * nothing of b24_capture's total= away from the exchanges to come.
     */

    if (job->here
        || (job->journal
            && job->size + b24_pool_used(job->pool) <= NGX_HTTP_B24_JOB_WHOLE))
    {
        ngx_http_b24_job_unreserve(job);
        job->whole = 1;
        return;
    }

    ngx_http_b24_job_shrink(job);
}


/*
 * What the shop says of orders that are there.  Nothing of it is written down
 * before the answer: a change that is lost comes with the next look into the
 * shop's database, and an answer that can't be read changes nothing.
 */

static void
ngx_http_b24_job_status(ngx_http_b24_job_t *job, int rc)
{
    job->outcome = B24_OUTCOME_UNCONFIRMED;

    if (job->journal) {
        job->none = 1;
        return;
    }

    if (rc != B24_OK || job->event.outcome == B24_OUTCOME_UNCONFIRMED) {
        return;
    }

    if (job->event.outcome == B24_OUTCOME_ACCEPTED
        && ngx_http_b24_job_change(job) != NGX_OK)
    {
        return;
    }

    job->outcome = job->event.outcome;
}


static ngx_int_t
ngx_http_b24_job_change(ngx_http_b24_job_t *job)
{
    b24_order_t          order;
    b24_queue_change_t  *change;

    change = b24_pcalloc(job->pool, sizeof(b24_queue_change_t));
    if (change == NULL) {
        return NGX_ERROR;
    }

    job->change = change;

    change->origin = job->origin->name;
    change->now = job->time;

    job->targets = job->event.targets;
    job->over = job->event.over;
    job->put.order_id = job->event.order->fields[B24_ORDER_ID];

    if (ngx_http_b24_origin_reads(job->origin, job->shop)) {
        change->look = 1;

    } else {
        change->status = job->event.order->fields[B24_ORDER_STATUS];
        change->canceled = job->event.order->fields[B24_ORDER_CANCELED];
        change->paid = job->event.order->fields[B24_ORDER_PAID];
        change->shipped = job->event.order->fields[B24_ORDER_SHIPPED];
    }

    ngx_memzero(&order, sizeof(b24_order_t));

    order.shop = job->event.order->shop;
    order.rule = job->event.order->rule;
    order.fields[B24_ORDER_ID] = job->event.order->fields[B24_ORDER_ID];
    order.fields[B24_ORDER_ROW] = job->event.order->fields[B24_ORDER_ROW];

    return b24_order_print(job->pool, &order, &change->data) == B24_OK
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_b24_job_learn(ngx_http_b24_job_t *job)
{
    b24_pair_t  *pair;

    if (job->failed || job->journal) {
        return;
    }

    for (pair = job->event.learned; pair; pair = pair->next) {
        ngx_http_b24_learn_value(job->origin, &pair->name, &pair->value);
    }
}


/* nothing of the answer is known yet, so there is nothing to advise */

static void
ngx_http_b24_job_captured(ngx_http_b24_job_t *job)
{
    job->put.state = B24_STATE_CAPTURED;
    job->put.owner = (char *) ngx_http_b24_life;
    job->unreadable = 0;

    ngx_str_null(&job->put.cause);
    ngx_str_null(&job->put.advice);
}


/*
 * What waits for the commit is small: the record's texts.  Trees and captured
 * bytes go, so that a disk that fails for hours holds orders, not traffic.
 */

void
ngx_http_b24_job_shrink(ngx_http_b24_job_t *job)
{
    b24_str_t           *s[7];
    b24_pair_t          *targets;
    b24_pool_t          *pool;
    b24_queue_put_t      put;
    b24_queue_change_t  *change;

    put = job->put;
    change = NULL;
    targets = NULL;

    s[0] = &put.order_id;
    s[1] = &put.rule;
    s[2] = &put.fingerprint;
    s[3] = &put.data;
    s[4] = &put.cause;
    s[5] = &put.advice;
    s[6] = &put.row;

    job->whole = 0;

    pool = b24_pool_create(0);

    if (pool
        && (ngx_http_b24_job_copy_texts(pool, s, 7) != NGX_OK
            || ngx_http_b24_job_copy_change(pool, &change, job->change)
               != NGX_OK
            || ngx_http_b24_job_copy_targets(pool, &targets, job->targets)
               != NGX_OK))
    {
        b24_pool_destroy(pool);
        pool = NULL;
    }

    ngx_memzero(&job->event, sizeof(b24_event_t));
    job->partial = NULL;
    job->collects = NULL;
    job->vars = NULL;
    job->nvars = 0;

    if (pool == NULL) {

        /* no memory for a copy: the large one is kept */

        return;
    }

    ngx_http_b24_job_release(job);
    b24_pool_destroy(job->pool);
    b24_pool_destroy(job->lent);

    job->pool = pool;
    job->lent = NULL;
    job->put = put;
    job->change = change;
    job->targets = targets;
    job->deal = NULL;
    job->contact = NULL;
    job->company = NULL;

    ngx_str_null(&job->snapshot);
}


/* in their places; those that aren't there stay so */

static ngx_int_t
ngx_http_b24_job_copy_texts(b24_pool_t *pool, b24_str_t **texts, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (texts[i]->data
            && b24_pstrdup(pool, texts[i], texts[i]->data, texts[i]->len)
               != B24_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_job_copy_change(b24_pool_t *pool, b24_queue_change_t **to,
    b24_queue_change_t *from)
{
    b24_str_t           *s[5];
    b24_queue_change_t  *change;

    if (from == NULL) {
        return NGX_OK;
    }

    change = b24_palloc(pool, sizeof(b24_queue_change_t));
    if (change == NULL) {
        return NGX_ERROR;
    }

    *change = *from;

    s[0] = &change->data;
    s[1] = &change->status;
    s[2] = &change->canceled;
    s[3] = &change->paid;
    s[4] = &change->shipped;

    *to = change;

    return ngx_http_b24_job_copy_texts(pool, s, 5);
}


static ngx_int_t
ngx_http_b24_job_copy_targets(b24_pool_t *pool, b24_pair_t **to,
    b24_pair_t *from)
{
    b24_pair_t  *pair;

    for ( /* void */ ; from; from = from->next) {

        pair = b24_pcalloc(pool, sizeof(b24_pair_t));

        if (pair == NULL
            || b24_pstrdup(pool, &pair->name, from->name.data, from->name.len)
               != B24_OK
            || b24_pstrdup(pool, &pair->value, from->value.data,
                           from->value.len)
               != B24_OK)
        {
            return NGX_ERROR;
        }

        *to = pair;
        to = &pair->next;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_job_read(ngx_http_b24_job_t *job)
{
    off_t    done;
    ssize_t  n;

    if (job->body_fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    for (done = 0; done < job->body_size; done += n) {

        n = pread(job->body_fd, job->in.body.data + job->in.body.len,
                  job->body_size - done, job->body_offset + done);

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        job->in.body.len += n;
    }

    (void) close(job->body_fd);
    job->body_fd = NGX_INVALID_FILE;

    return NGX_OK;
}


/*
 * Out of the job's memory.  The record must exist all the same: nothing but its
 * origin and shop is known, which needs no allocation.
 */

static void
ngx_http_b24_job_lost(ngx_http_b24_job_t *job, char *cause)
{
    ngx_memzero(&job->put, sizeof(b24_queue_put_t));

    job->failed = 1;
    job->unreadable = 1;
    job->outcome = B24_OUTCOME_UNCONFIRMED;

    job->put.origin = job->origin->name;
    job->put.rule = *b24_shop_name(job->shop);

    job->put.data.data = (u_char *) "{\"v\":1}";
    job->put.data.len = 7;
    job->put.fingerprint.data = (u_char *) "0000000000000000";
    job->put.fingerprint.len = 16;

    job->put.cause.data = (u_char *) cause;
    job->put.cause.len = ngx_strlen(cause);
    job->put.advice.data = (u_char *) "look the order up in the shop";
    job->put.advice.len = sizeof("look the order up in the shop") - 1;

    job->put.state = B24_STATE_UNCONFIRMED;
    job->put.now = job->time;
}


static ngx_int_t
ngx_http_b24_job_put(ngx_http_b24_job_t *job)
{
    char              print[17];
    b24_buf_t         rule;
    b24_order_t      *order;
    b24_queue_put_t  *put;

    order = job->event.order;
    put = &job->put;

    order->origin = job->origin->name;

    /* lines of the configuration win over those of the rules */

    ngx_http_b24_job_pairs(job, job->deal, &order->deal);
    ngx_http_b24_job_pairs(job, job->contact, &order->contact);
    ngx_http_b24_job_pairs(job, job->company, &order->company);

    if (b24_order_generate(job->pool, order) != B24_OK) {
        return NGX_ERROR;
    }

    put->origin = order->origin;
    put->order_id = order->fields[B24_ORDER_ID];
    put->row = order->fields[B24_ORDER_ROW];
    put->reads = (int) ngx_http_b24_origin_reads(job->origin, job->shop);
    put->cause = job->event.cause;
    put->advice = job->event.advice;
    put->now = job->time;
    put->state = (job->event.outcome == B24_OUTCOME_ACCEPTED)
                 ? B24_STATE_ACCEPTED : B24_STATE_UNCONFIRMED;

    b24_buf_init(&rule, job->pool);
    b24_buf_addstr(&rule, &order->shop);

    if (order->rule.len) {
        b24_buf_addc(&rule, '/');
        b24_buf_addstr(&rule, &order->rule);
    }

    b24_order_fingerprint(order, print);

    if (b24_buf_str(&rule, &put->rule) != B24_OK
        || b24_pstrdup(job->pool, &put->fingerprint, (u_char *) print, 16)
           != B24_OK
        || b24_order_print(job->pool, order, &put->data) != B24_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_b24_job_advice(job);
}


/*
 * What the shop has comes in by itself where changes are asked for: whoever
 * looks there and sends the record makes a second deal.
 */

static ngx_int_t
ngx_http_b24_job_advice(ngx_http_b24_job_t *job)
{
    b24_buf_t                 buf;
    b24_str_t                *advice;
    ngx_http_b24_srv_conf_t  *conf;

    static const size_t  look = sizeof(B24_LOOK) - 1;

    advice = &job->put.advice;
    conf = job->origin->conf;

    if (job->put.state != B24_STATE_UNCONFIRMED
        || conf->database == NULL || !conf->imports
        || b24_shop_statement(job->shop, B24_STATEMENT_CHANGES) == NULL
        || advice->len < look
        || ngx_memcmp(advice->data + advice->len - look, B24_LOOK, look) != 0)
    {
        return NGX_OK;
    }

    b24_buf_init(&buf, job->pool);
    b24_buf_add(&buf, advice->data, advice->len - look);
    b24_buf_adds(&buf, "if the shop has this order it comes in by itself, from "
                       "its database: drop this record then; send it only "
                       "when the shop has the order and no deal was made");

    return b24_buf_str(&buf, advice) == B24_OK ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_b24_job_pairs(ngx_http_b24_job_t *job, b24_pair_t *from,
    b24_pair_t **to)
{
    b24_str_t    value;
    b24_pair_t  *pair;

    for (pair = from; pair; pair = pair->next) {

        /* values of variables are the buyer's: made clean as others are */

        if (b24_text_utf8(job->pool, &pair->value, &(b24_str_t) { 0, NULL },
                          &value)
            == B24_OK)
        {
            (void) b24_pair_set(job->pool, to, &pair->name, &value);
        }
    }
}
