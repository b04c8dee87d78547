
/*
 * What is to be done next: the next due event of the portal's origins, and what
 * the configuration says of it today.  One that the shop's database is to be
 * asked for goes to the reader, and comes again.
 */


#include "ngx_http_b24_lane.h"


#define NGX_HTTP_B24_FRESH  10000       /* ms; an order is so */


static void ngx_http_b24_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_recover(ngx_http_b24_road_t *road,
    b24_queue_t *q, int64_t now);
static void ngx_http_b24_claim_done(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_prepare(ngx_http_b24_lane_t *lane);


void
ngx_http_b24_lane_claim(ngx_http_b24_lane_t *lane)
{
    lane->road->fresh = ngx_http_b24_convoy_busy(lane->road);

    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_CLAIM,
                           ngx_http_b24_claim_run, ngx_http_b24_claim_done);
}


static void
ngx_http_b24_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_lane_t  *lane = call->data;

    int64_t               since;
    ngx_http_b24_road_t  *road;

    road = lane->road;
    road->next = 0;
    road->asked = (q != NULL);

    if (q) {
        call->rc = ngx_http_b24_choose(road, q, &road->choice, lane->now);
    }

    if (q == NULL || call->rc != B24_QUEUE_OK) {
        return;
    }

    /* what waits for long is the convoy's; so is all that would only be looked
     * up, as its methods' time is used up */

    since = (road->scarce > lane->now) ? INT64_MAX
                                       : lane->now - NGX_HTTP_B24_FRESH;

    call->rc = road->fresh
               ? b24_queue_claim_fresh(q, lane->pool, road->choice.open,
                                       road->choice.nopen, ngx_http_b24_owner,
                                       NGX_HTTP_B24_LEASE, since,
                                       lane->now, &lane->job, &road->next)
               : b24_queue_claim(q, lane->pool, road->choice.open,
                                 road->choice.nopen, ngx_http_b24_owner,
                                 NGX_HTTP_B24_LEASE, lane->now, &lane->job,
                                 &road->next);
}


b24_queue_rc_e
ngx_http_b24_choose(ngx_http_b24_road_t *road, b24_queue_t *q,
    ngx_http_b24_choice_t *choice, int64_t now)
{
    b24_queue_rc_e  rc;

    if (road->recover) {
        rc = ngx_http_b24_recover(road, q, now);

        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    return b24_queue_unpaused(q, choice->ready, choice->nready, choice->open,
                              &choice->nopen);
}


static b24_queue_rc_e
ngx_http_b24_recover(ngx_http_b24_road_t *road, b24_queue_t *q, int64_t now)
{
    ngx_uint_t                i;
    b24_queue_rc_e            rc;
    ngx_http_b24_origin_t   **op;

    op = road->portal->origins.elts;

    for (i = 0; i < road->portal->origins.nelts; i++) {
        rc = b24_queue_recover(q, &op[i]->name, ngx_http_b24_owner,
                               (int64_t) op[i]->conf->retry_unknown, now);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    road->recover = 0;

    return B24_QUEUE_OK;
}


static void
ngx_http_b24_claim_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_lane_t  *lane = call->data;

    ngx_uint_t            again, left;
    ngx_http_b24_road_t  *road;

    static ngx_http_b24_quiet_t  quiet;

    road = lane->road;

    if (call->rc != B24_QUEUE_OK) {

        /* the convoy has ended meanwhile: what it has left is the lane's */

        again = road->again
                || (road->fresh && !ngx_http_b24_convoy_busy(road));

        ngx_http_b24_lane_free(lane);

        if (call->rc != B24_QUEUE_NONE) {

            /* the tick tries again; the store tells of a queue not open */

            if (road->asked && ngx_http_b24_quiet(&quiet, &left)) {
                ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                              "b24: orders of the portal \"%V\" cannot be "
                              "taken from the queue: %s", &lane->portal->host,
                              b24_queue_strerror(call->rc));
            }

            return;
        }

        if (again) {
            ngx_http_b24_road_kick(road);

        } else if (road->next > lane->now) {
            ngx_http_b24_lane_sleep(lane,
                  (ngx_msec_t) ngx_min(road->next - lane->now, 60000));
        }

        return;
    }

    ngx_http_b24_lane_claimed(lane);
}


void
ngx_http_b24_lane_claimed(ngx_http_b24_lane_t *lane)
{
    b24_str_t  cause, advice;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "b24: %s claimed, attempt %d, deal %L",
                   lane->job.key, lane->job.attempts,
                   (int64_t) lane->job.deal_id);

    switch (ngx_http_b24_reader_take(lane->portal, lane->pool, &lane->job)) {

    case NGX_OK:
        lane->pool = NULL;
        ngx_http_b24_lane_free(lane);
        ngx_http_b24_road_kick(lane->road);
        return;

    case NGX_ERROR:
        ngx_http_b24_lane_outcome(lane, B24_STATE_ACCEPTED);
        return;

    default:
        break;
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
    lane->origin = ngx_http_b24_origin_find(&lane->portal->origins,
                                            &lane->job.origin);

    if (lane->origin == NULL || lane->job.kind == B24_EV_CHANGED
        || b24_order_parse(lane->pool, &lane->job.data, &lane->order)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_b24_crm_settings(lane->pool, lane->origin,
                                  &lane->order->shop, &lane->set)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    lane->set.book = &lane->road->book.book;

    if (lane->origin->other_api > ngx_time()) {
        lane->set.universal = !lane->set.universal;
    }

    lane->known.literal = lane->member;

    return b24_crm_begin(lane->pool, &lane->set, &lane->job, lane->order,
                         &lane->known) == B24_OK ? NGX_OK : NGX_ERROR;
}
