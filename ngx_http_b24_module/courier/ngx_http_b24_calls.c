
/*
 * The calls that bring a status into the shop:
 *
 *     attempt  (queue)    each is committed first
 *     call     (shop)     the "write" blocks of its rules, one by one
 *     check    (database) whether the shop has done what it said
 */


#include "ngx_http_b24_back.h"


#define NGX_HTTP_B24_CALLS_CHECKS   3        /* looks for what was written */
#define NGX_HTTP_B24_CALLS_CHECK    700      /* ms between them */
#define NGX_HTTP_B24_CALLS_MEMORY  60000    /* ms; memory after a failure */
#define NGX_HTTP_B24_CALLS_LOGIN    60000    /* ms; a login that is refused */
#define NGX_HTTP_B24_CALLS_INFLATE  (1024 * 1024)


static ngx_int_t ngx_http_b24_calls_run(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_next(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_go(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_attempt(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_calls_attempted(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_calls_send(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_answer(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_calls_judged(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_conclude(ngx_http_b24_back_t *b);
static ngx_uint_t ngx_http_b24_calls_foreign(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_done(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_failed(ngx_http_b24_back_t *b);
static ngx_msec_t ngx_http_b24_calls_pause(ngx_http_b24_back_t *b);
static void ngx_http_b24_calls_refused(ngx_http_b24_back_t *b);
static ngx_int_t ngx_http_b24_calls_reason(ngx_http_b24_back_t *b,
    b24_str_t *text);


void
ngx_http_b24_back_write(ngx_http_b24_back_t *b)
{
    if (ngx_http_b24_calls_run(b) != NGX_OK) {
        ngx_http_b24_back_broken(b);
        return;
    }

    ngx_http_b24_calls_next(b);
}


static ngx_int_t
ngx_http_b24_calls_run(ngx_http_b24_back_t *b)
{
    b24_str_t             values[B24_CALL_NVALUES], *f;
    ngx_http_b24_site_t  *site;

    site = b->origin->conf->site;
    f = b->order.fields;

    ngx_memzero(values, sizeof(values));

    values[B24_CALL_SITE] = site->url;
    values[B24_CALL_USER] = site->user;
    values[B24_CALL_PASSWORD] = site->password;
    values[B24_CALL_ROW] = f[B24_ORDER_ROW];
    values[B24_CALL_STATUS] = b->status;
    values[B24_CALL_PREVIOUS] = f[B24_ORDER_STATUS];
    values[B24_CALL_CANCELED] = f[B24_ORDER_CANCELED];
    values[B24_CALL_PAID] = f[B24_ORDER_PAID];
    values[B24_CALL_SHIPPED] = f[B24_ORDER_SHIPPED];

    /* a number that we have made up means nothing to the shop */

    if (!b->order.generated || b->job.shop_number.len || b->read) {
        values[B24_CALL_ID] = f[B24_ORDER_ID];
    }

    return b24_call_begin(b->pool, b->rules, values, &b->run) == B24_OK
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_b24_calls_next(ngx_http_b24_back_t *b)
{
    switch (b24_call_next(b->run, &b->request, &b->verdict)) {

    case B24_OK:

        /* what somebody changes in the shop while we log in is the newer one */

        if (b->read && b->called && !b->wrote && !b->request.login) {
            ngx_http_b24_back_ask(b, NGX_HTTP_B24_BACK_RECHECK);
            return;
        }

        ngx_http_b24_calls_go(b);
        return;

    case B24_DECLINED:
        ngx_http_b24_calls_judged(b);
        return;

    default:
        ngx_http_b24_back_broken(b);
        return;
    }
}


void
ngx_http_b24_back_recheck(ngx_http_b24_back_t *b)
{
    if (b->ask.rc == B24_DATABASE_OK
        && ngx_http_b24_back_other(b, &b->weighed)
        && ngx_http_b24_back_newer(b))
    {
        if (ngx_http_b24_back_look(b) != NGX_OK) {
            ngx_http_b24_back_broken(b);
            return;
        }

        ngx_http_b24_back_none(b, B24_BACK_OLDER);
        return;
    }

    ngx_http_b24_calls_go(b);
}


static void
ngx_http_b24_calls_go(ngx_http_b24_back_t *b)
{
    b->wrote |= !b->request.login;

    ngx_http_b24_back_call(b, NGX_HTTP_B24_BACK_ATTEMPT,
                           ngx_http_b24_calls_attempt,
                           ngx_http_b24_calls_attempted);
}


static void
ngx_http_b24_calls_attempt(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_back_t  *b = call->data;

    if (q) {
        call->rc = b24_queue_attempt(q, ngx_http_b24_owner, &b->job,
                                     1u << B24_STEP_BACK, NULL,
                                     "the shop is called",
                                     NGX_HTTP_B24_BACK_LEASE, b->now);
    }
}


static void
ngx_http_b24_calls_attempted(ngx_http_b24_call_t *call)
{
    ngx_http_b24_back_t  *b = call->data;

    static b24_str_t  text = b24_string("no memory to call the shop");

    if (call->rc == B24_QUEUE_STALE) {

        /* somebody else has the order */

        ngx_http_b24_back_free(b);
        return;
    }

    if (call->rc == B24_QUEUE_OK) {
        b->job.steps[B24_STEP_BACK] = B24_STEP_SENT;
        b->called = 1;

        if (ngx_http_b24_calls_send(b) != NGX_OK) {
            b->out.next = b->now + NGX_HTTP_B24_CALLS_MEMORY;
            ngx_http_b24_back_end(b, B24_STATE_WAITING, &text, NULL);
        }

        return;
    }

    /* not written down, so not sent */

    ngx_http_b24_back_end(b, B24_STATE_ACCEPTED, NULL, NULL);
}


static ngx_int_t
ngx_http_b24_calls_send(ngx_http_b24_back_t *b)
{
    b24_str_t                 verb, url;
    ngx_http_b24_transfer_t  *t;

    t = &b->transfer;

    ngx_memzero(t, sizeof(ngx_http_b24_transfer_t));

    /* terminated */

    if (b24_pstrdup(b->pool, &verb, b->request.method.data,
                    b->request.method.len)
        != B24_OK
        || b24_pstrdup(b->pool, &url, b->request.url.data, b->request.url.len)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    t->verb = (char *) verb.data;
    t->url = url;
    t->headers = b->request.headers;
    t->body = b->request.body;
    t->bodied = b->request.has_body;
    t->pool = b->pool;
    t->fresh = 1;
    t->certificate = b->origin->conf->certificate;
    t->done = ngx_http_b24_calls_answer;
    t->data = b;

    b->stage = NGX_HTTP_B24_BACK_CALL;

    return ngx_http_b24_curl_send(t);
}


static void
ngx_http_b24_calls_answer(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_back_t  *b = t->data;

    b24_str_t    type = b24_string("Content-Type");
    b24_str_t    encoding = b24_string("Content-Encoding");
    b24_pair_t  *header;
    b24_input_t  in;

    b->now = ngx_http_b24_now();

    ngx_memzero(&in, sizeof(b24_input_t));

    /* what ended early says nothing, what is too large can't be read */

    if (t->net == B24_NET_OK || t->large) {
        in.status = (unsigned) t->http;
        in.headers = t->told;
        in.answer = t->answer;
        in.answer_max = NGX_HTTP_B24_CALLS_INFLATE;
        in.answer_state = t->large ? B24_BODY_LARGE : B24_BODY_FULL;
    }

    for (header = t->told; header; header = header->next) {

        if (b24_str_caseeq(&header->name, &type)) {
            in.answer_type = header->value;

        } else if (b24_str_caseeq(&header->name, &encoding)) {
            in.answer_encoding = header->value;
        }
    }

    if (b24_call_answer(b->run, &in, &b->verdict) != B24_OK) {
        ngx_http_b24_back_broken(b);
        return;
    }

    if (b->verdict.result == B24_CALL_OK || b->verdict.result == B24_CALL_AUTH)
    {
        ngx_http_b24_calls_next(b);
        return;
    }

    ngx_http_b24_calls_judged(b);
}


/* the run is over: what of it has come to the shop the database tells */

static void
ngx_http_b24_calls_judged(ngx_http_b24_back_t *b)
{
    if (b->called && b->read) {
        ngx_http_b24_back_ask(b, NGX_HTTP_B24_BACK_CHECKING);
        return;
    }

    ngx_http_b24_calls_conclude(b);
}


void
ngx_http_b24_back_check(ngx_http_b24_back_t *b)
{
    if (b->ask.rc == B24_DATABASE_OK) {
        b->checks++;

        if (b->verdict.result == B24_CALL_DONE
            && !b24_crm_back_there(&b->order, &b->status)
            && b->checks < NGX_HTTP_B24_CALLS_CHECKS)
        {
            ngx_http_b24_back_sleep(b, NGX_HTTP_B24_CALLS_CHECK);
            return;
        }

    } else {

        /* what the shop says counts then */

        b->read = 0;
    }

    ngx_http_b24_calls_conclude(b);
}


static void
ngx_http_b24_calls_conclude(ngx_http_b24_back_t *b)
{
    /* whatever the shop says, and whoever has done it */

    if (b->called && b->read && b24_crm_back_there(&b->order, &b->status)) {
        ngx_http_b24_calls_done(b);
        return;
    }

    /* nor does a call that has failed undo what is newer */

    if (b->called && b->read && b->verdict.result != B24_CALL_DONE
        && ngx_http_b24_calls_foreign(b) && ngx_http_b24_back_newer(b))
    {
        if (ngx_http_b24_back_look(b) != NGX_OK) {
            ngx_http_b24_back_broken(b);
            return;
        }

        ngx_http_b24_back_none(b, B24_BACK_OLDER);
        return;
    }

    switch (b->verdict.result) {

    case B24_CALL_DONE:
        ngx_http_b24_calls_done(b);
        break;

    case B24_CALL_RETRY:
        ngx_http_b24_calls_failed(b);
        break;

    case B24_CALL_SKIPPED:
        ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &b->verdict.reason,
                              (char *) b->verdict.advice.data);
        break;

    default:
        ngx_http_b24_calls_refused(b);
        break;
    }
}


/* the order has changed since it was weighed, and not by what was called */

static ngx_uint_t
ngx_http_b24_calls_foreign(ngx_http_b24_back_t *b)
{
    b24_order_t  own;

    if (ngx_http_b24_back_again(b, &b->weighed)) {
        return 1;
    }

    own = b->order;

    if (b24_str_eq(&own.fields[B24_ORDER_STATUS], &b->status)) {
        ngx_str_null(&own.fields[B24_ORDER_STATUS]);
    }

    if (b24_str_eqs(&b->status, "PAID")) {
        ngx_str_null(&own.fields[B24_ORDER_PAID]);
    }

    if (b24_str_eqs(&b->status, "SHIPPED")) {
        ngx_str_null(&own.fields[B24_ORDER_SHIPPED]);
    }

    /* a status is set behind a cancellation that was taken back */

    if (b24_str_eqs(&b->status, "CANCELED")
        || !b24_str_eqs(&own.fields[B24_ORDER_CANCELED], "Y"))
    {
        ngx_str_null(&own.fields[B24_ORDER_CANCELED]);
    }

    /* what is not known has not changed */

    return !b24_crm_back_same(&own, &b->weighed);
}


static void
ngx_http_b24_calls_done(ngx_http_b24_back_t *b)
{
    b24_str_t    text, *f;
    const char  *advice;

    static b24_str_t  silent = b24_string("the shop said yes to the new "
                                          "status, but its order has not "
                                          "changed");
    static b24_str_t  other = b24_string("the shop has made another status of "
                                         "the one it was told");

    b->failures = 0;
    f = b->order.fields;

    if (b->read && !b24_crm_back_there(&b->order, &b->status)) {

        if (!ngx_http_b24_back_other(b, &b->weighed)) {
            ngx_http_b24_back_seen(b);
            ngx_http_b24_back_end(b, B24_STATE_PARKED, &silent,
                                  "look whether the user of b24_site may set "
                                  "this status in the shop, and whether "
                                  "somebody has the order open there; then "
                                  "retry, or drop the change");
            return;
        }

        /* that is the newest: the deal follows */

        if (ngx_http_b24_back_look(b) != NGX_OK) {
            ngx_http_b24_back_broken(b);
            return;
        }

        ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &other, NULL);
        return;
    }

    if (b24_crm_back_words(b->pool, B24_BACK_WRITE, &b->job.seen, &b->status,
                           &text, &advice)
        != B24_OK)
    {
        ngx_http_b24_back_broken(b);
        return;
    }

    if (!b->read) {

        if (b24_str_eqs(&b->status, "CANCELED")) {
            ngx_str_set(&f[B24_ORDER_CANCELED], "Y");

        } else if (b24_str_eqs(&b->status, "PAID")) {
            ngx_str_set(&f[B24_ORDER_PAID], "Y");

        } else if (b24_str_eqs(&b->status, "SHIPPED")) {
            ngx_str_set(&f[B24_ORDER_SHIPPED], "Y");

        } else {
            f[B24_ORDER_STATUS] = b->status;

            if (f[B24_ORDER_CANCELED].len) {
                ngx_str_set(&f[B24_ORDER_CANCELED], "N");
            }
        }
    }

    if (!b->read || !ngx_http_b24_calls_foreign(b)) {
        ngx_http_b24_back_seen(b);

    } else if (ngx_http_b24_back_look(b) != NGX_OK) {
        ngx_http_b24_back_broken(b);
        return;
    }

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_SHOP_TOLD, 1);

    /* both sides agree, as of the CRM's change */

    b->seen.sent = b->job.seen.held;
    b->seen.sent_time = b->job.seen.moved;

    /* that is where the CRM had told that it is, since the same moment */

    b->seen.held = b->job.seen.held;
    b->seen.held_time = ngx_max(b->job.seen.moved, b->job.seen.held_time + 2);
    b->seen.stamp = b->job.seen.stamp;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "b24: the shop was told of %s: %V", b->job.key, &text);

    ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &text, advice);
}


/* the shop, or the way to it: others need not try before it is tried again */

static void
ngx_http_b24_calls_failed(ngx_http_b24_back_t *b)
{
    b24_str_t    text;
    ngx_msec_t   ms;
    ngx_uint_t   left;
    const char  *advice;

    if (ngx_http_b24_calls_reason(b, &text) != NGX_OK) {
        ngx_http_b24_back_broken(b);
        return;
    }

    advice = b->transfer.error && b->transfer.advice
             ? b->transfer.advice : (char *) b->verdict.advice.data;

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_SHOP_FAILED, 1);

    ms = ngx_http_b24_calls_pause(b);

    if (ngx_http_b24_quiet(&b->quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: the shop of \"%V\" takes no statuses: %V, next "
                      "try in %M ms, %ui failures in a row",
                      &b->origin->name, &b->verdict.reason, ms, b->failures);
    }

    if (b->called && b->read && !ngx_http_b24_calls_foreign(b)) {
        ngx_http_b24_back_seen(b);
    }

    ngx_http_b24_back_end(b, B24_STATE_WAITING, &text, advice);
}


/* ms; an order that the shop fails on, time and again, waits longer */

static ngx_msec_t
ngx_http_b24_calls_pause(ngx_http_b24_back_t *b)
{
    ngx_msec_t  ms;

    ms = ngx_http_b24_backoff(b->origin->conf, ++b->failures);

    b->resume = ngx_current_msec + ms;
    b->resume = b->resume ? b->resume : 1;

    ms = ngx_max(ms, ngx_http_b24_backoff(b->origin->conf, b->job.attempts));
    b->out.next = b->now + (int64_t) ms;

    return ms;
}


static void
ngx_http_b24_calls_refused(ngx_http_b24_back_t *b)
{
    b24_str_t    text;
    ngx_msec_t   ms;
    ngx_uint_t   left;
    b24_state_e  state;

    if (ngx_http_b24_calls_reason(b, &text) != NGX_OK) {
        ngx_http_b24_back_broken(b);
        return;
    }

    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_SHOP_FAILED, 1);

    state = B24_STATE_PARKED;

    if (b->verdict.login) {

        /* the matter of all orders, not of this one */

        ms = ngx_http_b24_backoff(b->origin->conf, ++b->failures);
        ms = ngx_max(ms, NGX_HTTP_B24_CALLS_LOGIN);
        ms = ngx_min(ms, ngx_max(b->origin->conf->retry_max, 1));

        b->resume = ngx_current_msec + ms;
        b->resume = b->resume ? b->resume : 1;
        b->out.next = b->now + (int64_t) ms;

        state = B24_STATE_WAITING;

    } else if (b->verdict.session) {

        /* so are sessions that end as soon as they have begun; a right that
         * is missing looks the same, and may be this order's only */

        (void) ngx_http_b24_calls_pause(b);
        state = B24_STATE_WAITING;

    } else {
        b->failures = 0;
    }

    if (ngx_http_b24_quiet(&b->quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: %s is not told to the shop of \"%V\": %V",
                      b->job.key, &b->origin->name, &b->verdict.reason);
    }

    if (b->called && b->read && !ngx_http_b24_calls_foreign(b)) {
        ngx_http_b24_back_seen(b);
    }

    ngx_http_b24_back_end(b, state, &text,
                          (char *) b->verdict.advice.data);
}


/* what it says of its error, without the order's buyer in it; terminated */

static ngx_int_t
ngx_http_b24_calls_reason(ngx_http_b24_back_t *b, b24_str_t *text)
{
    b24_buf_t  buf;

    b24_buf_init(&buf, b->pool);
    b24_buf_addstr(&buf, &b->verdict.reason);

    if (b->verdict.result == B24_CALL_RETRY && b->transfer.error) {
        b24_buf_adds(&buf, ": ");
        b24_buf_adds(&buf, b->transfer.error);
    }

    /* of an order that has expired nobody knows what is to be concealed */

    if (b->verdict.said.len && b24_crm_conceals(b->known)) {
        b24_crm_conceal(b->pool, b->known, &b->verdict.said);

        b24_buf_adds(&buf, ": ");
        b24_buf_addstr(&buf, &b->verdict.said);
    }

    return b24_buf_str(&buf, text) == B24_OK ? NGX_OK : NGX_ERROR;
}
