
/*
 * An order's requests: committed as sent before they go out, when they are
 * writes; sent when the portal's bucket has room; their answers judged as a
 * whole.
 */


#include "ngx_http_b24_lane.h"


/* ms; until another new order may find that its methods' time is used up: it
 * has cost a look-up by then */
#define NGX_HTTP_B24_SCARCE  10000


static void ngx_http_b24_attempt_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_recheck(ngx_http_b24_lane_t *lane,
    b24_queue_t *q);
static void ngx_http_b24_doubt(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_attempt_done(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_send_now(ngx_http_b24_lane_t *lane);


void
ngx_http_b24_lane_attempt(ngx_http_b24_lane_t *lane,
    void (*done)(ngx_http_b24_transfer_t *t))
{
    if (lane->makes && ngx_http_b24_convoy_behind(lane)) {
        return;
    }

    if (ngx_http_b24_lane_scarce(lane)) {
        return;
    }

    lane->transfer.done = done;

    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_ATTEMPT,
                           ngx_http_b24_attempt_run,
                           ngx_http_b24_attempt_done);
}


ngx_uint_t
ngx_http_b24_lane_scarce(ngx_http_b24_lane_t *lane)
{
    int64_t  ms, now;

    if (lane->member || lane->direct) {
        return 0;
    }

    now = ngx_http_b24_now();

    ms = b24_pace_wait_batch(&lane->portal->sh->pace, &lane->batch,
                             (int64_t) lane->portal->limits.operating, now);
    if (ms <= 0) {
        return 0;
    }

    if (lane->job.kind == B24_EV_NEW) {
        lane->road->scarce = now + ngx_min(ms, NGX_HTTP_B24_SCARCE);
    }

    lane->out.cause = "the time that the portal gives these methods is used "
                      "up";
    lane->out.next = now + ms;

    ngx_http_b24_lane_outcome(lane, B24_STATE_WAITING);

    return 1;
}


static void
ngx_http_b24_attempt_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_lane_t  *lane = call->data;

    if (q == NULL) {
        return;
    }

    call->rc = ngx_http_b24_recheck(lane, q);

    if (call->rc == B24_QUEUE_OK && !lane->stale) {
        ngx_http_b24_doubt(lane);

        call->rc = b24_queue_attempt(q, ngx_http_b24_owner, &lane->job,
                                     lane->mask, lane->method, NULL,
                                     NGX_HTTP_B24_LEASE, lane->now);
    }
}


/*
 * Another order of this buyer, or firm, may have been done with since the
 * look-up: what that has made is not made again.
 */

static b24_queue_rc_e
ngx_http_b24_recheck(ngx_http_b24_lane_t *lane, b24_queue_t *q)
{
    size_t            i, n;
    b24_queue_rc_e    rc;
    b24_queue_fact_t  facts[B24_CRM_KEYS];

    n = lane->ndoubts;

    if (lane->makes == 0 || n == 0) {
        return B24_QUEUE_OK;
    }

    ngx_memcpy(facts, lane->facts, n * sizeof(b24_queue_fact_t));

    rc = b24_queue_recall(q, facts, n, NGX_HTTP_B24_MEMORY, lane->now);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {

        if (facts[i].id > 0 && facts[i].id != lane->facts[i].id) {
            lane->stale = 1;
        }
    }

    return rc;
}


/* until its outcome is known, others of this buyer and firm wait */

static void
ngx_http_b24_doubt(ngx_http_b24_lane_t *lane)
{
    size_t    i;
    unsigned  made;

    made = lane->makes;

    lane->job.facts = NULL;
    lane->job.nfacts = 0;

    if (made == 0) {
        return;
    }

    for (i = 0; i < lane->ndoubts; i++) {
        lane->doubts[i].id = 0;

        if (made & (lane->facts[i].kind == B24_FACT_COMPANY
                    ? 1 << B24_STEP_COMPANY : 1 << B24_STEP_CONTACT))
        {
            lane->doubts[i].id = lane->job.record;
        }
    }

    lane->job.facts = lane->doubts;
    lane->job.nfacts = lane->ndoubts;
    lane->doubted |= made;
}


static void
ngx_http_b24_attempt_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_lane_t  *lane = call->data;

    ngx_uint_t  i;

    if (call->rc != B24_QUEUE_OK) {

        /* not written down, so not sent; with a lease lost, somebody else has
         * the order */

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: %s is not sent: %s", lane->job.key,
                      b24_queue_strerror(call->rc));

        if (ngx_http_b24_disk_failed(call->rc)) {
            ngx_http_b24_lane_outcome(lane, B24_STATE_ACCEPTED);
            return;
        }

        ngx_http_b24_lane_free(lane);
        ngx_http_b24_road_kick(lane->road);
        return;
    }

    if (lane->stale) {
        ngx_http_b24_lane_deal(lane);
        return;
    }

    for (i = 0; i < B24_NSTEPS; i++) {
        if (lane->mask & (1u << i)) {
            lane->job.steps[i] = B24_STEP_SENT;
        }
    }

    lane->stage = NGX_HTTP_B24_LANE_WRITE;
    lane->transfer.fresh = 1;

    ngx_http_b24_lane_send(lane);
}


void
ngx_http_b24_lane_send(ngx_http_b24_lane_t *lane)
{
    ngx_msec_t     ms;
    b24_verdict_t  verdict;

    if (lane->member) {
        ngx_http_b24_convoy_send(lane);
        return;
    }

    ms = ngx_http_b24_portal_take(lane->portal);

    if (ms) {

        /* the lease is long enough for the slowest bucket */

        ngx_http_b24_lane_sleep(lane, ms);
        return;
    }

    if (ngx_http_b24_send_now(lane) != NGX_OK) {
        ngx_memzero(&verdict, sizeof(b24_verdict_t));
        verdict.class = B24_CLASS_RETRY;

        lane->transfer.error = NULL;

        ngx_http_b24_portal_result(lane->portal, B24_NET_UNSENT, NULL);
        ngx_http_b24_lane_fail(lane, &verdict, lane->method);
    }
}


static ngx_int_t
ngx_http_b24_send_now(ngx_http_b24_lane_t *lane)
{
    ngx_http_b24_transfer_t  *t;

    t = &lane->transfer;

    if (ngx_http_b24_portal_url(lane->portal, lane->origin->conf->webhook,
                                lane->method, lane->pool, &t->url)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    t->hops = 0;
    t->body = lane->body;
    t->certificate = lane->origin->conf->certificate;

    if (ngx_http_b24_curl_send(t) != NGX_OK) {
        return NGX_ERROR;
    }

    lane->sent = ngx_current_msec;

    if (!lane->direct) {
        ngx_http_b24_portal_sent(lane->portal, &lane->batch);
    }

    return NGX_OK;
}


/*
 * Judges the transfer as a whole; NGX_OK: the answer is worth reading,
 * otherwise the order goes its way already.
 */

ngx_int_t
ngx_http_b24_lane_answer(ngx_http_b24_lane_t *lane, b24_answer_t *answer)
{
    int                       rc;
    ngx_http_b24_transfer_t  *t;

    t = &lane->transfer;

    if (lane->slot) {
        rc = ngx_http_b24_slot_answer(lane, answer) == NGX_OK ? B24_OK
                                                               : B24_ERROR;

    } else {

        if (ngx_http_b24_portal_follow(lane->portal, t, lane->pool) == NGX_OK)
        {
            return NGX_AGAIN;
        }

        rc = b24_answer_parse(lane->pool, t->net, (unsigned) t->http,
                              &t->answer, answer);

        ngx_http_b24_portal_result(lane->portal, t->net,
                                   rc == B24_OK ? &answer->verdict : NULL);

        if (rc == B24_OK) {
            ngx_http_b24_portal_learn(lane->portal,
                                      lane->direct ? NULL : &lane->batch,
                                      lane->method, answer);
        }
    }

    if (rc != B24_OK) {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return NGX_ERROR;
    }

    if (answer->verdict.class != B24_CLASS_OK) {

        if (t->advice) {
            answer->verdict.advice = t->advice;
        }

        /* the rows' own call is one command */

        lane->command = lane->direct;
        ngx_http_b24_lane_fail(lane, &answer->verdict, lane->method);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the portal refuses this b24_api's methods: the rest goes by the other's */

void
ngx_http_b24_lane_turn(ngx_http_b24_lane_t *lane)
{
    if (lane->known.other_api && !lane->turned) {
        lane->turned = 1;
        lane->set.universal = !lane->set.universal;
    }
}
