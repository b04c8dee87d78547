
/*
 * What is to be done next: the next due event of the portal's origins, and what
 * the configuration says of it today.  One that the shop's database is to be
 * asked for goes to the reader, and comes again.
 */


#include "ngx_http_b24_lane.h"


static void ngx_http_b24_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_recover(ngx_http_b24_lane_t *lane,
    b24_queue_t *q);
static void ngx_http_b24_claim_done(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_prepare(ngx_http_b24_lane_t *lane);


void
ngx_http_b24_lane_claim(ngx_http_b24_lane_t *lane)
{
    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_CLAIM,
                           ngx_http_b24_claim_run, ngx_http_b24_claim_done);
}


static void
ngx_http_b24_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_lane_t  *lane = call->data;

    lane->next = 0;
    lane->asked = (q != NULL);

    if (q && lane->recover) {
        call->rc = ngx_http_b24_recover(lane, q);
    }

    if (q && call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_unpaused(q, lane->ready, lane->nready,
                                      lane->open, &lane->nopen);
    }

    if (q && call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_claim(q, lane->pool, lane->open, lane->nopen,
                                   ngx_http_b24_owner, NGX_HTTP_B24_LEASE,
                                   lane->now, &lane->job, &lane->next);
    }
}


static b24_queue_rc_e
ngx_http_b24_recover(ngx_http_b24_lane_t *lane, b24_queue_t *q)
{
    ngx_uint_t                i;
    b24_queue_rc_e            rc;
    ngx_http_b24_origin_t   **op;

    op = lane->portal->origins.elts;

    for (i = 0; i < lane->portal->origins.nelts; i++) {
        rc = b24_queue_recover(q, &op[i]->name, ngx_http_b24_owner,
                               (int64_t) op[i]->conf->retry_unknown,
                               lane->now);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    lane->recover = 0;

    return B24_QUEUE_OK;
}


static void
ngx_http_b24_claim_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_lane_t  *lane = call->data;

    b24_str_t   cause, advice;
    ngx_uint_t  again, left;

    static ngx_http_b24_quiet_t  quiet;

    if (call->rc != B24_QUEUE_OK) {
        again = lane->again;

        ngx_http_b24_lane_free(lane);

        if (call->rc != B24_QUEUE_NONE) {

            /* the tick tries again; the store tells of a queue not open */

            if (lane->asked && ngx_http_b24_quiet(&quiet, &left)) {
                ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                              "b24: orders of the portal \"%V\" cannot be "
                              "taken from the queue: %s", &lane->portal->host,
                              b24_queue_strerror(call->rc));
            }

            return;
        }

        if (again) {
            ngx_http_b24_lane_kick(lane);

        } else if (lane->next > lane->now) {
            ngx_http_b24_lane_sleep(lane,
                  (ngx_msec_t) ngx_min(lane->next - lane->now, 60000));
        }

        return;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "b24: %s claimed, attempt %d, deal %L",
                   lane->job.key, lane->job.attempts,
                   (int64_t) lane->job.deal_id);

    if (ngx_http_b24_reader_take(lane->portal, lane->pool, &lane->job,
                                 ngx_http_b24_owner)
        == NGX_OK)
    {
        lane->pool = NULL;
        ngx_http_b24_lane_free(lane);
        ngx_http_b24_lane_kick(lane);
        return;
    }

    if (lane->job.kind == B24_EV_LINK) {

        /* the origin has no database any more */

        ngx_http_b24_lane_put(lane);
        return;
    }

    if (lane->job.contested) {

        /* nor has this one: nobody can tell whose number it is */

        b24_queue_reused(&cause, &advice);

        lane->out.cause = (char *) cause.data;
        lane->out.advice = (char *) advice.data;

        ngx_http_b24_lane_outcome(lane, B24_STATE_PARKED);
        return;
    }

    if (ngx_http_b24_prepare(lane) != NGX_OK) {
        ngx_http_b24_lane_broken(lane, "the stored order cannot be read");
        return;
    }

    if (lane->job.kind != B24_EV_NEW) {
        ngx_http_b24_lane_later(lane);
        return;
    }

    ngx_http_b24_lane_deal(lane);
}


/* what the order is, and what the configuration says today */

static ngx_int_t
ngx_http_b24_prepare(ngx_http_b24_lane_t *lane)
{
    b24_str_t                 key;
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = lane->portal->origins.elts;

    for (i = 0; i < lane->portal->origins.nelts; i++) {
        if (b24_str_eq(&op[i]->name, &lane->job.origin)) {
            lane->origin = op[i];
        }
    }

    if (lane->origin == NULL || lane->job.kind == B24_EV_CHANGED
        || b24_order_parse(lane->pool, &lane->job.data, &lane->order)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    /* the queue's columns are the truth; the document may be older */

    lane->order->origin = lane->job.origin;
    lane->order->fields[B24_ORDER_ID] = lane->job.order_id;

    if (ngx_http_b24_crm_settings(lane->pool, lane->origin,
                                  &lane->order->shop, &lane->set)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    lane->set.book = &lane->book.book;

    if (lane->origin->other_api > ngx_time()) {
        lane->set.universal = !lane->set.universal;
    }

    lane->known.deal = lane->job.deal_id;

    if (lane->job.kind == B24_EV_STATUS) {
        lane->order->fields[B24_ORDER_STATUS] = lane->job.seen.status;
        lane->order->fields[B24_ORDER_CANCELED] = lane->job.seen.canceled;
        lane->order->fields[B24_ORDER_PAID] = lane->job.seen.paid;
        lane->order->fields[B24_ORDER_SHIPPED] = lane->job.seen.shipped;

        return NGX_OK;
    }

    b24_crm_product_ids(&lane->set, lane->order);

    if (b24_crm_stage_remark(lane->pool, &lane->set, lane->order) != B24_OK) {
        return NGX_ERROR;
    }

    lane->known.contact = lane->job.contact_id;
    lane->known.company = lane->job.company_id;

#define ngx_http_b24_settled(step)                                            \
    (lane->job.steps[step] == B24_STEP_DONE                                   \
     || lane->job.steps[step] == B24_STEP_SKIPPED)

    lane->known.contact_done = ngx_http_b24_settled(B24_STEP_CONTACT);
    lane->known.company_done = ngx_http_b24_settled(B24_STEP_COMPANY);
    lane->known.rows_done = ngx_http_b24_settled(B24_STEP_ROWS);

#undef ngx_http_b24_settled

    /* a number that was another order's, or none */

    if (lane->job.origin_id.len) {
        lane->known.origin_id = lane->job.origin_id;

    } else if (lane->job.order_id.len == 0) {
        key.data = (u_char *) lane->job.key;
        key.len = ngx_strlen(lane->job.key);

        return b24_pstrdup(lane->pool, &lane->known.origin_id, key.data,
                           key.len) == B24_OK ? NGX_OK : NGX_ERROR;
    }

    return NGX_OK;
}
