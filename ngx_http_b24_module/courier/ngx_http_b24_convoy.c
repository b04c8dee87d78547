
/*
 * When more than a few orders of a portal wait, the oldest of them go side by
 * side.  Each is in a lane of its own and goes the way of any order (claim,
 * recall, look-up, attempt, write, outcome), but for two things: it writes in
 * rounds, with ids in place of references (known.literal), and what it sends
 * goes with what others send, see slot.
 *
 * Two orders of one buyer that nobody knows yet must not make two contacts: the
 * second stands behind the first until that is done, and then finds what it has
 * made in the queue's memory.
 *
 * The road's own lane meanwhile takes what is fresh, so that who buys now does
 * not wait for those of an hour ago.
 */


#include "ngx_http_b24_convoy.h"


#define NGX_HTTP_B24_CONVOY_HOLD  10000 /* ms; for a longer pause of the portal
                                           orders go back to the queue */
#define NGX_HTTP_B24_CONVOY_RENEW 60    /* s between renewals of the leases */
#define NGX_HTTP_B24_CONVOY_SOON  2000  /* ms; the lane's own comes again */


static void ngx_http_b24_convoy_wake(ngx_http_b24_convoy_t *convoy,
    ngx_msec_t ms);
static void ngx_http_b24_convoy_event(ngx_event_t *ev);
static void ngx_http_b24_convoy_go(ngx_http_b24_convoy_t *convoy);
static ngx_uint_t ngx_http_b24_convoy_calls(ngx_http_b24_convoy_t *convoy);
static void ngx_http_b24_convoy_release(ngx_http_b24_convoy_t *convoy);
static void ngx_http_b24_convoy_renew(ngx_http_b24_convoy_t *convoy);
static void ngx_http_b24_convoy_renew_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_convoy_renew_done(ngx_http_b24_call_t *call);
static ngx_uint_t ngx_http_b24_convoy_same(ngx_http_b24_lane_t *lane,
    ngx_http_b24_lane_t *other);
static void ngx_http_b24_convoy_stand(ngx_http_b24_lane_t *lane,
    ngx_http_b24_lane_t *behind);


static ngx_connection_t  ngx_http_b24_convoy_nofd;


ngx_int_t
ngx_http_b24_convoy_init(ngx_cycle_t *cycle, ngx_http_b24_road_t *road)
{
    ngx_uint_t              i;
    ngx_http_b24_convoy_t  *convoy;

    ngx_http_b24_convoy_nofd.fd = (ngx_socket_t) -1;

    convoy = ngx_pcalloc(cycle->pool, sizeof(ngx_http_b24_convoy_t));
    if (convoy == NULL) {
        return NGX_ERROR;
    }

    convoy->road = road;

    convoy->pool = cycle->pool;

    ngx_queue_init(&convoy->idle);
    ngx_queue_init(&convoy->going);
    ngx_queue_init(&convoy->ready);

    for (i = 0; i < NGX_HTTP_B24_SLOTS; i++) {
        convoy->slots[i].road = road;
    }

    convoy->event.handler = ngx_http_b24_convoy_event;
    convoy->event.data = &ngx_http_b24_convoy_nofd;
    convoy->event.log = cycle->log;
    convoy->event.cancelable = 1;

    convoy->claim.data = convoy;
    convoy->claim.run = ngx_http_b24_convoy_claim_run;
    convoy->claim.done = ngx_http_b24_convoy_claim_done;

    convoy->renewal.data = convoy;
    convoy->renewal.silent = 1;
    convoy->renewal.run = ngx_http_b24_convoy_renew_run;
    convoy->renewal.done = ngx_http_b24_convoy_renew_done;

    road->convoy = convoy;

    return ngx_http_b24_choice_init(cycle, road, &convoy->choice);
}


void
ngx_http_b24_convoy_exit(ngx_http_b24_road_t *road)
{
    ngx_uint_t              i;
    ngx_http_b24_lane_t    *lane;
    ngx_http_b24_convoy_t  *convoy;

    convoy = road->convoy;

    if (convoy->event.timer_set) {
        ngx_del_timer(&convoy->event);
    }

    if (convoy->lanes == NULL) {
        return;
    }

    for (i = 0; i < NGX_HTTP_B24_CONVOY; i++) {
        lane = &convoy->lanes[i];

        if (lane->timer.timer_set) {
            ngx_del_timer(&lane->timer);
        }
    }
}


ngx_uint_t
ngx_http_b24_convoy_busy(ngx_http_b24_road_t *road)
{
    return road->convoy->n != 0 || road->convoy->claiming;
}


void
ngx_http_b24_convoy_kick(ngx_http_b24_road_t *road)
{
    ngx_http_b24_convoy_t  *convoy;

    convoy = road->convoy;

    if (ngx_http_b24_convoy_wants(convoy)) {
        ngx_http_b24_convoy_claim(convoy);
    }

    if (convoy->n) {
        ngx_http_b24_convoy_go(convoy);
    }
}


void
ngx_http_b24_convoy_tick(ngx_http_b24_road_t *road)
{
    ngx_http_b24_convoy_t  *convoy;

    convoy = road->convoy;

    if (convoy->n == 0) {
        return;
    }

    /*
     * What has not been sent is another's as soon as this one leads no more; a
     * blocked portal is tried by the road's lane, which needs an order for it.
     */

    if (ngx_exiting || !ngx_http_b24_leader()
        || road->portal->sh->state == NGX_HTTP_B24_PORTAL_BLOCKED
        || ngx_http_b24_portal_paused(road->portal) > NGX_HTTP_B24_CONVOY_HOLD)
    {
        ngx_http_b24_convoy_release(convoy);
        return;
    }

    if (!convoy->renewing
        && ngx_time() - convoy->renewed >= NGX_HTTP_B24_CONVOY_RENEW)
    {
        ngx_http_b24_convoy_renew(convoy);
    }
}


/* ---- send ---- */

void
ngx_http_b24_convoy_send(ngx_http_b24_lane_t *lane)
{
    ngx_http_b24_convoy_t  *convoy;

    convoy = lane->road->convoy;

    ngx_queue_remove(&lane->queue);
    ngx_queue_insert_tail(&convoy->ready, &lane->queue);
    lane->ready = 1;

    /* not from inside: others are about to be ready */

    ngx_http_b24_convoy_wake(convoy, 1);
}


/* one less is waited for by what is ready */

void
ngx_http_b24_convoy_on(ngx_http_b24_convoy_t *convoy)
{
    if (!ngx_queue_empty(&convoy->ready)) {
        ngx_http_b24_convoy_wake(convoy, 1);
    }
}


static void
ngx_http_b24_convoy_wake(ngx_http_b24_convoy_t *convoy, ngx_msec_t ms)
{
    if (convoy->event.timer_set) {

        if ((ngx_msec_int_t) (convoy->event.timer.key - ngx_current_msec)
            <= (ngx_msec_int_t) ms)
        {
            return;
        }

        ngx_del_timer(&convoy->event);
    }

    ngx_add_timer(&convoy->event, ms);
}


static void
ngx_http_b24_convoy_event(ngx_event_t *ev)
{
    ngx_http_b24_convoy_t  *convoy;

    convoy = (ngx_http_b24_convoy_t *)
                 ((u_char *) ev - offsetof(ngx_http_b24_convoy_t, event));

    ngx_http_b24_convoy_go(convoy);
}


static void
ngx_http_b24_convoy_go(ngx_http_b24_convoy_t *convoy)
{
    ngx_uint_t            i, flying, whole;
    ngx_msec_t            ms;
    ngx_http_b24_road_t  *road;
    ngx_http_b24_slot_t  *slot;

    road = convoy->road;

    if (ngx_queue_empty(&convoy->ready) || ngx_exiting
        || !ngx_http_b24_leader())
    {
        return;
    }

    ms = ngx_http_b24_portal_paused(road->portal);

    if (ms) {
        ngx_http_b24_convoy_wake(convoy, ngx_min(ms, 60000));
        return;
    }

    flying = 0;
    slot = NULL;

    for (i = 0; i < NGX_HTTP_B24_SLOTS; i++) {

        if (convoy->slots[i].pool) {
            flying++;

        } else {
            slot = &convoy->slots[i];
        }
    }

    /* after a failure one request tells how things are; a portal that needs a
     * person is tried with one order */

    if (road->portal->sh->state != NGX_HTTP_B24_PORTAL_OK
        && (flying || road->lane.stage != NGX_HTTP_B24_LANE_IDLE
            || road->portal->sh->state == NGX_HTTP_B24_PORTAL_BLOCKED))
    {
        return;
    }

    if (slot == NULL) {
        return;
    }

    /* half of a request is not worth one while others are about to fill it */

    whole = flying || ngx_http_b24_convoy_calls(convoy);

    switch (ngx_http_b24_slot_send(slot, &convoy->ready, whole, &ms)) {

    case NGX_OK:
        ngx_http_b24_convoy_wake(convoy, 1);
        break;

    default:

        if (ms) {
            ngx_http_b24_convoy_wake(convoy, ngx_min(ms, 60000));
        }
    }
}


/* orders that the queue or the shop's database is at work on */

static ngx_uint_t
ngx_http_b24_convoy_calls(ngx_http_b24_convoy_t *convoy)
{
    ngx_queue_t          *q;
    ngx_http_b24_lane_t  *lane;

    if (convoy->claiming) {
        return 1;
    }

    for (q = ngx_queue_head(&convoy->going);
         q != ngx_queue_sentinel(&convoy->going);
         q = ngx_queue_next(q))
    {
        lane = ngx_queue_data(q, ngx_http_b24_lane_t, queue);

        if (lane->slot == NULL && lane->stage != NGX_HTTP_B24_LANE_BEHIND
            && lane->stage != NGX_HTTP_B24_LANE_KEPT)
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_b24_convoy_take(ngx_http_b24_lane_t *lane)
{
    ngx_queue_remove(&lane->queue);
    ngx_queue_insert_tail(&lane->road->convoy->going, &lane->queue);
    lane->ready = 0;
}


/* ---- end ---- */

void
ngx_http_b24_convoy_left(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t              i;
    ngx_http_b24_lane_t    *other;
    ngx_http_b24_convoy_t  *convoy;

    convoy = lane->road->convoy;

    if (lane->member) {
        ngx_queue_remove(&lane->queue);
        ngx_queue_insert_tail(&convoy->idle, &lane->queue);
        convoy->n--;

        ngx_http_b24_convoy_on(convoy);
    }

    if (!lane->making) {
        return;
    }

    lane->making = 0;

    for (i = 0; convoy->lanes && i < NGX_HTTP_B24_CONVOY; i++) {
        other = &convoy->lanes[i];

        if (other->behind == lane) {
            other->behind = NULL;

            if (!ngx_exiting) {

                /* its rounds begin anew: standing is none */

                other->writes = 0;
                ngx_http_b24_lane_deal(other);
            }
        }
    }
}


/* back to the queue with all that was not sent */

static void
ngx_http_b24_convoy_release(ngx_http_b24_convoy_t *convoy)
{
    ngx_uint_t            i;
    ngx_http_b24_lane_t  *lane;

    for (i = 0; i < NGX_HTTP_B24_CONVOY; i++) {
        lane = &convoy->lanes[i];

        if (!lane->ready && lane->stage != NGX_HTTP_B24_LANE_BEHIND) {
            continue;
        }

        if (lane->ready) {
            lane->ready = 0;
            ngx_queue_remove(&lane->queue);
            ngx_queue_insert_tail(&convoy->going, &lane->queue);
        }

        lane->behind = NULL;

        ngx_http_b24_lane_outcome(lane, B24_STATE_ACCEPTED);
    }
}


static void
ngx_http_b24_convoy_renew(ngx_http_b24_convoy_t *convoy)
{
    ngx_uint_t            i;
    ngx_http_b24_lane_t  *lane;

    convoy->nrecords = 0;

    for (i = 0; i < NGX_HTTP_B24_CONVOY; i++) {
        lane = &convoy->lanes[i];

        if (lane->stage != NGX_HTTP_B24_LANE_IDLE) {
            convoy->records[convoy->nrecords++] = lane->job.record;
        }
    }

    convoy->renewed = ngx_time();
    convoy->renewing = 1;
    convoy->renew_now = ngx_http_b24_now();

    ngx_http_b24_store_call(&convoy->renewal);
}


static void
ngx_http_b24_convoy_renew_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_convoy_t  *convoy = call->data;

    if (q) {
        call->rc = b24_queue_renew(q, ngx_http_b24_owner, convoy->records,
                                   convoy->nrecords, NGX_HTTP_B24_LEASE,
                                   convoy->renew_now);
    }
}


/* a lease that ran out is told by the next commit of that order */

static void
ngx_http_b24_convoy_renew_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_convoy_t  *convoy = call->data;

    convoy->renewing = 0;
}


/* ---- one buyer's orders ---- */

ngx_uint_t
ngx_http_b24_convoy_behind(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t              i;
    ngx_http_b24_lane_t    *other;
    ngx_http_b24_road_t    *road;
    ngx_http_b24_convoy_t  *convoy;

    road = lane->road;
    convoy = road->convoy;

    if (ngx_http_b24_convoy_same(lane, &road->lane)) {
        ngx_http_b24_convoy_stand(lane, &road->lane);
        return 1;
    }

    for (i = 0; convoy->lanes && i < NGX_HTTP_B24_CONVOY; i++) {
        other = &convoy->lanes[i];

        if (ngx_http_b24_convoy_same(lane, other)) {
            ngx_http_b24_convoy_stand(lane, other);
            return 1;
        }
    }

    lane->making = 1;

    return 0;
}


ngx_uint_t
ngx_http_b24_convoy_follow(ngx_http_b24_lane_t *lane, int64_t record)
{
    ngx_uint_t              i;
    ngx_http_b24_lane_t    *other;
    ngx_http_b24_convoy_t  *convoy;

    convoy = lane->road->convoy;

    other = &lane->road->lane;

    for (i = 0; other->job.record != record || !other->making; i++) {

        if (convoy->lanes == NULL || i == NGX_HTTP_B24_CONVOY) {
            return 0;
        }

        other = &convoy->lanes[i];
    }

    ngx_http_b24_convoy_stand(lane, other);

    return 1;
}


/* they share a phone, an e-mail or a firm, and the other one makes it */

static ngx_uint_t
ngx_http_b24_convoy_same(ngx_http_b24_lane_t *lane, ngx_http_b24_lane_t *other)
{
    size_t  i, j;

    if (other == lane || !other->making) {
        return 0;
    }

    for (i = 0; i < lane->ndoubts; i++) {
        for (j = 0; j < other->ndoubts; j++) {

            if (b24_str_eq(&lane->doubts[i].key, &other->doubts[j].key)) {
                return 1;
            }
        }
    }

    return 0;
}


static void
ngx_http_b24_convoy_stand(ngx_http_b24_lane_t *lane,
    ngx_http_b24_lane_t *behind)
{
    /* who makes something already is waited for, and must not wait */

    if (lane->member && !lane->making) {
        lane->behind = behind;
        lane->stage = NGX_HTTP_B24_LANE_BEHIND;

        ngx_http_b24_convoy_on(lane->road->convoy);
        return;
    }

    /* others can go on */

    lane->out.cause = NGX_HTTP_B24_BEHIND;
    lane->out.next = ngx_http_b24_now() + NGX_HTTP_B24_CONVOY_SOON;

    ngx_http_b24_lane_outcome(lane, B24_STATE_WAITING);
}
