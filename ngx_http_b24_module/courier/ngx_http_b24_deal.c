
/*
 * A new order becomes a deal: recall, look-up, write; see deliver.
 */


#include "ngx_http_b24_lane.h"


/* ms a product is relied upon; contacts and companies are asked for when they
 * are used */
#define NGX_HTTP_B24_PRODUCTS   86400000LL


static void ngx_http_b24_recall_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_doubts(ngx_http_b24_lane_t *lane,
    b24_queue_t *q, size_t n);
static void ngx_http_b24_recall_done(ngx_http_b24_call_t *call);
static void ngx_http_b24_lookup(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lookup_done(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_write(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_write_direct(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_write_done(ngx_http_b24_transfer_t *t);


/* ---- recall ---- */

void
ngx_http_b24_lane_deal(ngx_http_b24_lane_t *lane)
{
    size_t  i;

    lane->stale = 0;
    lane->until = 0;
    lane->doubter = 0;

    lane->facts = b24_pcalloc(lane->pool,
                              (2 * B24_CRM_KEYS + 3 + lane->order->nitems)
                              * sizeof(b24_queue_fact_t));

    if (lane->facts == NULL
        || b24_crm_keys(lane->pool, &lane->set, lane->order, &lane->known,
                        lane->facts, &lane->nfacts)
           != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the order cannot be put into "
                                       "commands");
        return;
    }

    if (lane->nfacts == 0) {
        ngx_http_b24_lookup(lane);
        return;
    }

    for (i = 0; i < lane->nfacts; i++) {
        lane->facts[i].portal = lane->portal->host;
    }

    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_RECALL,
                           ngx_http_b24_recall_run, ngx_http_b24_recall_done);
}


static void
ngx_http_b24_recall_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_lane_t  *lane = call->data;

    size_t  n;

    if (q == NULL) {
        return;
    }

    /* products stand behind the others */

    for (n = 0; n < lane->nfacts; n++) {
        if (lane->facts[n].kind == B24_FACT_PRODUCT) {
            break;
        }
    }

    call->rc = b24_queue_recall(q, lane->facts, n, NGX_HTTP_B24_MEMORY,
                                lane->now);

    if (call->rc == B24_QUEUE_OK && n < lane->nfacts) {
        call->rc = b24_queue_recall(q, lane->facts + n, lane->nfacts - n,
                                    NGX_HTTP_B24_PRODUCTS, lane->now);
    }

    if (call->rc == B24_QUEUE_OK) {
        call->rc = ngx_http_b24_doubts(lane, q, n);
    }
}


/*
 * Another order's write may be about to make this buyer's contact or company,
 * and the portal may be at work on it still: whoever looks now finds nobody and
 * makes a second one.  n facts stand before the products.
 */

static b24_queue_rc_e
ngx_http_b24_doubts(ngx_http_b24_lane_t *lane, b24_queue_t *q, size_t n)
{
    size_t             i;
    int64_t            unknown, until;
    b24_queue_rc_e     rc;
    b24_queue_fact_t  *doubt;

    unknown = (int64_t) lane->origin->conf->retry_unknown;

    for (i = 0; i < n; i++) {
        lane->doubts[i] = lane->facts[i];
        lane->doubts[i].kind = B24_FACT_DOUBT;
    }

    lane->ndoubts = n;

    rc = b24_queue_recall(q, lane->doubts, n, unknown, lane->now);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        doubt = &lane->doubts[i];

        if (doubt->id == 0 || doubt->id == lane->job.record) {
            continue;
        }

        /* a clock that was ahead must not make it longer */

        until = ngx_min(doubt->time, lane->now) + unknown;

        if (until > lane->until) {
            lane->until = until;
            lane->doubter = doubt->id;
        }
    }

    return rc;
}


/* a memory that fails is none */

static void
ngx_http_b24_recall_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_lane_t  *lane = call->data;

    if (lane->until && ngx_http_b24_convoy_follow(lane, lane->doubter)) {
        return;
    }

    if (lane->until) {
        lane->out.cause = NGX_HTTP_B24_BEHIND;
        lane->out.next = lane->until;

        ngx_http_b24_lane_outcome(lane, B24_STATE_WAITING);
        return;
    }

    if (call->rc == B24_QUEUE_OK
        && b24_crm_recalled(lane->pool, &lane->set, lane->order, &lane->known,
                            lane->facts, lane->nfacts, lane->job.attempts > 1))
    {
        ngx_http_b24_write(lane);
        return;
    }

    ngx_http_b24_lookup(lane);
}


/* ---- look-up ---- */

static void
ngx_http_b24_lookup(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  *batch;

    batch = &lane->batch;

    b24_batch_init(batch, lane->pool, 0);

    if (b24_crm_lookup(batch, &lane->set, lane->order, &lane->known,
                       lane->job.attempts > 1)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the order cannot be put into "
                                       "commands");
        return;
    }

    if (batch->count == 0) {
        ngx_http_b24_write(lane);
        return;
    }

    if (b24_batch_print(batch, &lane->body) != B24_OK) {
        ngx_http_b24_lane_broken(lane, "the order cannot be put into "
                                       "commands");
        return;
    }

    lane->direct = 0;

    if (ngx_http_b24_lane_scarce(lane)) {
        return;
    }

    lane->stage = NGX_HTTP_B24_LANE_LOOKUP;
    lane->method = "batch";
    lane->transfer.done = ngx_http_b24_lookup_done;
    lane->transfer.fresh = 0;

    ngx_http_b24_lane_send(lane);
}


static void
ngx_http_b24_lookup_done(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_answer_t   answer;
    b24_verdict_t  verdict;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));

    if (b24_crm_looked_up(lane->pool, &answer, &lane->set, lane->order,
                          &lane->known, &verdict)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again == B24_AGAIN_LOOKUP) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_lookup(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, "batch");
        return;
    }

    ngx_http_b24_write(lane);
}


/* ---- write ---- */

static void
ngx_http_b24_write(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  *batch;

    batch = &lane->batch;

    if (lane->writes++ == (lane->member ? NGX_HTTP_B24_ROUNDS
                                        : NGX_HTTP_B24_WRITES))
    {
        ngx_http_b24_lane_broken(lane, "the portal takes the order only in "
                                       "part");
        return;
    }

    /* in a convoy nothing refers to anything, see known.literal */

    b24_batch_init(batch, lane->pool, !lane->member);

    lane->mask = 0;
    lane->direct = 0;

    if (b24_crm_write(batch, &lane->set, lane->order, &lane->known,
                      &lane->mask)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the order cannot be put into "
                                       "commands");
        return;
    }

    if (batch->count == 0) {

        switch (ngx_http_b24_write_direct(lane)) {

        case NGX_OK:
            break;

        case NGX_DECLINED:
            ngx_http_b24_lane_outcome(lane, B24_STATE_DELIVERED);
            return;

        default:
            ngx_http_b24_lane_broken(lane, "the order's rows cannot be put "
                                           "into a command");
            return;
        }

    } else {

        if (b24_batch_print(batch, &lane->body) != B24_OK) {
            ngx_http_b24_lane_broken(lane, "the order cannot be put into "
                                           "commands");
            return;
        }

        lane->method = "batch";
    }

    lane->makes = b24_crm_makes(lane->pool, &lane->set, lane->order,
                                &lane->known, lane->mask);

    /* what an earlier answer told is committed with it */

    lane->job.deal_id = lane->known.deal;
    lane->job.contact_id = lane->known.recalled_contact ? 0
                                                        : lane->known.contact;
    lane->job.company_id = lane->known.recalled_company ? 0
                                                        : lane->known.company;

    ngx_http_b24_lane_attempt(lane, ngx_http_b24_write_done);
}


/* rows too many for a batch have a call of their own */

static ngx_int_t
ngx_http_b24_write_direct(ngx_http_b24_lane_t *lane)
{
    int  rc;

    if (lane->known.rows_done || lane->known.deal == 0) {
        return NGX_DECLINED;
    }

    rc = b24_crm_rows_direct_needed(lane->pool, &lane->set, lane->order);

    if (rc == 0) {
        return NGX_DECLINED;
    }

    if (rc == B24_ERROR
        || b24_crm_rows_direct(lane->pool, &lane->set, lane->order,
                               lane->known.deal, &lane->method, &lane->body)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    lane->direct = 1;
    lane->mask = 1 << B24_STEP_ROWS;

    return NGX_OK;
}


static void
ngx_http_b24_write_done(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    int             rc;
    const char     *method;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));
    method = NULL;

    if (lane->direct) {
        method = lane->method;
        rc = b24_crm_rows_written(&answer, &lane->known, &verdict);

    } else {
        rc = b24_crm_written(lane->pool, &answer, &lane->set, lane->order,
                             &lane->known, &verdict, &method);
    }

    if (rc != B24_OK) {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);

        if (lane->known.again == B24_AGAIN_LOOKUP) {
            ngx_http_b24_lookup(lane);

        } else {
            ngx_http_b24_write(lane);
        }

        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, method ? method : "batch");
        return;
    }

    /* ends in the outcome when nothing is left */

    ngx_http_b24_write(lane);
}
