
/* Which orders a convoy takes, and when: many by one claim, a lane for each. */


#include "ngx_http_b24_convoy.h"


#define NGX_HTTP_B24_CONVOY_FROM  4     /* fewer go one by one */
#define NGX_HTTP_B24_CONVOY_MORE  16    /* free lanes worth a claim */
#define NGX_HTTP_B24_CONVOY_LOOK  1000  /* ms between two looks in vain */
#define NGX_HTTP_B24_CONVOY_HUNG  5000  /* ms the portal has not answered the
                                           lane: others don't wait for it */


static int ngx_http_b24_convoy_from(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_convoy_lanes(ngx_http_b24_convoy_t *convoy);


/* the counts are those of the last commit: the claim itself looks again */

ngx_uint_t
ngx_http_b24_convoy_wants(ngx_http_b24_convoy_t *convoy)
{
    int64_t                   now;
    ngx_uint_t                i, accepted, waiting;
    ngx_http_b24_road_t      *road;
    ngx_http_b24_origin_t   **op;

    road = convoy->road;

    if (convoy->claiming
        || NGX_HTTP_B24_CONVOY - convoy->n < NGX_HTTP_B24_CONVOY_MORE
        || road->portal->sh->state != NGX_HTTP_B24_PORTAL_OK
        || ngx_http_b24_portal_paused(road->portal))
    {
        return 0;
    }

    op = road->portal->origins.elts;
    accepted = 0;
    waiting = 0;

    for (i = 0; i < road->portal->origins.nelts; i++) {

        if (!op[i]->conf->webhook->dry && !op[i]->sh->paused) {
            accepted += op[i]->sh->counts[B24_STATE_ACCEPTED];
            waiting += op[i]->sh->counts[B24_STATE_WAITING];
        }
    }

    /* the clock may have been set back since */

    now = ngx_http_b24_now();

    if (convoy->next > now + 60000) {
        convoy->next = 0;
    }

    /* what is fresh, and few, is the lane's */

    convoy->from = ngx_http_b24_convoy_from(&road->lane);

    return accepted + waiting >= (ngx_uint_t) convoy->from
           && now >= convoy->next;
}


/* a request that hangs does so until curl gives up, more than a minute */

static int
ngx_http_b24_convoy_from(ngx_http_b24_lane_t *lane)
{
    if ((lane->stage == NGX_HTTP_B24_LANE_LOOKUP
         || lane->stage == NGX_HTTP_B24_LANE_WRITE)
        && !lane->timer.timer_set
        && ngx_current_msec - lane->sent > NGX_HTTP_B24_CONVOY_HUNG)
    {
        return 1;
    }

    return NGX_HTTP_B24_CONVOY_FROM;
}


void
ngx_http_b24_convoy_claim(ngx_http_b24_convoy_t *convoy)
{
    ngx_uint_t  i;

    if (ngx_http_b24_convoy_lanes(convoy) != NGX_OK
        || !ngx_http_b24_road_ready(convoy->road, &convoy->choice))
    {
        return;
    }

    convoy->wanted = NGX_HTTP_B24_CONVOY - convoy->n;

    for (i = 0; i < convoy->wanted; i++) {
        convoy->pools[i] = b24_pool_create(0);

        if (convoy->pools[i] == NULL) {
            break;
        }
    }

    convoy->wanted = i;
    convoy->got = 0;
    convoy->now = ngx_http_b24_now();
    convoy->claiming = 1;

    ngx_http_b24_store_call(&convoy->claim);
}


static ngx_int_t
ngx_http_b24_convoy_lanes(ngx_http_b24_convoy_t *convoy)
{
    ngx_uint_t            i;
    ngx_http_b24_lane_t  *lane;

    if (convoy->lanes) {
        return NGX_OK;
    }

    /* for as long as the convoy: seldom needed, and large */

    convoy->lanes = ngx_pcalloc(convoy->pool, NGX_HTTP_B24_CONVOY
                                              * sizeof(ngx_http_b24_lane_t));
    if (convoy->lanes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_B24_CONVOY; i++) {
        lane = &convoy->lanes[i];

        lane->road = convoy->road;
        lane->member = 1;

        ngx_http_b24_lane_init(lane);

        lane->call.grouped = 1;

        ngx_queue_insert_tail(&convoy->idle, &lane->queue);
    }

    return NGX_OK;
}


void
ngx_http_b24_convoy_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_convoy_t  *convoy = call->data;

    int                     n;
    ngx_http_b24_choice_t  *choice;

    choice = &convoy->choice;
    convoy->next = 0;

    if (q == NULL) {
        return;
    }

    call->rc = ngx_http_b24_choose(convoy->road, q, choice, convoy->now);

    if (call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_due_count(q, choice->open, choice->nopen,
                                       convoy->now, convoy->from, &n);
    }

    if (call->rc == B24_QUEUE_OK && n < convoy->from) {
        call->rc = B24_QUEUE_NONE;
    }

    if (call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_claim_many(q, convoy->pools, choice->open,
                                        choice->nopen, ngx_http_b24_owner,
                                        NGX_HTTP_B24_LEASE, convoy->now,
                                        convoy->jobs, convoy->wanted,
                                        &convoy->got, &convoy->next);
    }
}


void
ngx_http_b24_convoy_claim_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_convoy_t  *convoy = call->data;

    size_t                i, got;
    ngx_queue_t          *q;
    ngx_http_b24_lane_t  *lane;

    convoy->claiming = 0;

    if (convoy->n == 0) {
        convoy->renewed = ngx_time();
    }

    if (call->rc != B24_QUEUE_OK) {

        /* the lane's own claim tells why */

        convoy->got = 0;

        if (convoy->next <= convoy->now) {
            convoy->next = convoy->now + NGX_HTTP_B24_CONVOY_LOOK;
        }
    }

    for (i = convoy->got; i < convoy->wanted; i++) {
        b24_pool_destroy(convoy->pools[i]);
    }

    /* what was ready may have waited for these */

    ngx_http_b24_convoy_on(convoy);

    /* all of them first: who ends at once asks for more, by another claim */

    got = convoy->got;
    convoy->n += got;

    for (i = 0; i < got; i++) {
        q = ngx_queue_head(&convoy->idle);
        ngx_queue_remove(q);

        lane = ngx_queue_data(q, ngx_http_b24_lane_t, queue);
        lane->pool = convoy->pools[i];
        lane->job = convoy->jobs[i];
        lane->stage = NGX_HTTP_B24_LANE_CLAIM;

        ngx_queue_insert_tail(&convoy->going, q);
    }

    if (got) {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                       "b24: portal \"%V\": %uz orders go together",
                       &convoy->road->portal->host, got);
    }

    for (i = 0; i < NGX_HTTP_B24_CONVOY && got; i++) {
        lane = &convoy->lanes[i];

        if (lane->stage == NGX_HTTP_B24_LANE_CLAIM) {
            ngx_http_b24_lane_claimed(lane);
        }
    }
}
