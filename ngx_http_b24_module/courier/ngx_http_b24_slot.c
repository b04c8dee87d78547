
/*
 * A request of a convoy: the batches of several orders in one with halt:0, so
 * that none of them stops another's, and literal ids, so that none refers to
 * another's.  Each order gets its own part of the answer, and reads it as if
 * its batch had been sent alone.
 */


#include "ngx_http_b24_lane.h"


static void ngx_http_b24_slot_pack(ngx_http_b24_slot_t *slot,
    ngx_queue_t *ready, ngx_msec_t *wait);
static ngx_uint_t ngx_http_b24_slot_mate(ngx_http_b24_slot_t *slot,
    ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_slot_half(ngx_http_b24_slot_t *slot);
static ngx_msec_t ngx_http_b24_slot_small(ngx_http_b24_slot_t *slot);
static ngx_int_t ngx_http_b24_slot_now(ngx_http_b24_slot_t *slot);
static void ngx_http_b24_slot_done(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_slot_deal(ngx_http_b24_slot_t *slot);
static b24_answer_t *ngx_http_b24_slot_part(ngx_http_b24_slot_t *slot,
    ngx_uint_t i);
static ngx_int_t ngx_http_b24_slot_keep(b24_pool_t *pool, b24_node_t **node);
static void ngx_http_b24_slot_free(ngx_http_b24_slot_t *slot);


ngx_int_t
ngx_http_b24_slot_send(ngx_http_b24_slot_t *slot, ngx_queue_t *ready,
    ngx_uint_t whole, ngx_msec_t *wait)
{
    ngx_msec_t  ms;
    ngx_uint_t  i;

    *wait = ngx_http_b24_portal_room(slot->road->portal,
                                     ngx_http_b24_portal_share(
                                         slot->road->portal));
    if (*wait) {
        return NGX_DECLINED;
    }

    slot->pool = b24_pool_create(0);
    if (slot->pool == NULL) {
        *wait = 1000;
        return NGX_DECLINED;
    }

    ngx_http_b24_slot_pack(slot, ready, wait);

    if (slot->n == 0 || (whole && !ngx_http_b24_slot_half(slot))) {
        ngx_http_b24_slot_free(slot);
        return NGX_DECLINED;
    }

    ms = ngx_http_b24_slot_small(slot);

    if (ms) {
        *wait = *wait ? ngx_min(*wait, ms) : ms;
        ngx_http_b24_slot_free(slot);
        return NGX_DECLINED;
    }

    *wait = 0;

    for (i = 0; i < slot->n; i++) {
        ngx_http_b24_convoy_take(slot->lanes[i]);
        slot->lanes[i]->slot = slot;
    }

    (void) ngx_http_b24_portal_take(slot->road->portal);

    if (ngx_http_b24_slot_now(slot) != NGX_OK) {

        /* our own side has no memory */

        ngx_memzero(&slot->answer, sizeof(b24_answer_t));
        slot->answer.verdict.class = B24_CLASS_RETRY;
        slot->transfer.net = B24_NET_UNSENT;
        slot->transfer.error = NULL;

        ngx_http_b24_portal_result(slot->road->portal, B24_NET_UNSENT, NULL);
        ngx_http_b24_slot_deal(slot);
    }

    return NGX_OK;
}


/* as many orders as go into one request; *wait: until one of those that don't
 * may go, 0: nobody waits for time */

static void
ngx_http_b24_slot_pack(ngx_http_b24_slot_t *slot, ngx_queue_t *ready,
    ngx_msec_t *wait)
{
    int64_t                 now, ms;
    ngx_queue_t            *q;
    ngx_http_b24_lane_t    *lane;
    ngx_http_b24_portal_t  *portal;

    portal = slot->road->portal;
    now = ngx_http_b24_now();

    b24_slice_init(&slot->slice, slot->pool);

    slot->n = 0;
    slot->left = 0;
    slot->direct = 0;

    for (q = ngx_queue_head(ready);
         q != ngx_queue_sentinel(ready) && slot->n < B24_BATCH_MAX;
         q = ngx_queue_next(q))
    {
        lane = ngx_queue_data(q, ngx_http_b24_lane_t, queue);

        if (!ngx_http_b24_slot_mate(slot, lane)) {
            continue;
        }

        if (lane->direct) {
            slot->lanes[slot->n++] = lane;
            slot->direct = 1;
            return;
        }

        ms = b24_pace_wait_batch(&portal->sh->pace, &lane->batch,
                                 (int64_t) portal->limits.operating, now);

        if (ms > 0) {
            *wait = *wait ? ngx_min(*wait, (ngx_msec_t) ms) : (ngx_msec_t) ms;
            slot->left++;
            continue;
        }

        if (slot->n
            && !b24_pace_fits(&portal->sh->pace, &slot->slice, &lane->batch,
                              (int64_t) portal->limits.operating,
                              (int64_t) portal->limits.batch, now))
        {
            slot->left++;
            continue;
        }

        if (b24_slice_add(&slot->slice, &lane->batch, (unsigned) slot->n)
            == B24_OK)
        {
            slot->lanes[slot->n++] = lane;
        }
    }
}


/* they go by the same webhook, trusting the same; a direct call goes alone */

static ngx_uint_t
ngx_http_b24_slot_mate(ngx_http_b24_slot_t *slot, ngx_http_b24_lane_t *lane)
{
    ngx_http_b24_srv_conf_t  *one, *other;

    if (slot->n == 0) {
        return 1;
    }

    if (lane->direct) {
        return 0;
    }

    one = slot->lanes[0]->origin->conf;
    other = lane->origin->conf;

    return one == other
           || (b24_str_eq(&one->webhook->url, &other->webhook->url)
               && one->certificate.len == other->certificate.len
               && ngx_memcmp(one->certificate.data, other->certificate.data,
                             one->certificate.len) == 0);
}


static ngx_uint_t
ngx_http_b24_slot_half(ngx_http_b24_slot_t *slot)
{
    int64_t                 ms;
    unsigned                i;
    ngx_http_b24_portal_t  *portal;

    portal = slot->road->portal;
    ms = 0;

    for (i = 0; i < slot->slice.count; i++) {
        ms += b24_pace_cost(&portal->sh->pace,
                            slot->slice.slots[i].command->method);
    }

    return slot->direct || slot->slice.count >= B24_BATCH_MAX / 2
           || ms >= (int64_t) portal->limits.batch / 2;
}


/*
 * Where methods have little time left, ever less fits into a request: such go
 * one in half the time that a whole one takes, ms until then, or they would eat
 * up the bucket of requests.
 */

static ngx_msec_t
ngx_http_b24_slot_small(ngx_http_b24_slot_t *slot)
{
    ngx_msec_t            gap, passed;
    ngx_http_b24_road_t  *road;

    if (slot->left == 0 || ngx_http_b24_slot_half(slot)) {
        return 0;
    }

    road = slot->road;
    gap = road->portal->limits.batch / 2;
    passed = ngx_current_msec - road->small;

    if (road->small && passed < gap) {
        return gap - passed;
    }

    road->small = ngx_current_msec;

    return 0;
}


static ngx_int_t
ngx_http_b24_slot_now(ngx_http_b24_slot_t *slot)
{
    ngx_uint_t                i;
    ngx_http_b24_lane_t      *lane;
    ngx_http_b24_portal_t    *portal;
    ngx_http_b24_transfer_t  *t;

    portal = slot->road->portal;
    lane = slot->lanes[0];
    t = &slot->transfer;

    ngx_memzero(t, sizeof(ngx_http_b24_transfer_t));

    slot->bad = 0;
    slot->method = slot->direct ? lane->method : "batch";

    if (slot->direct) {
        t->body = lane->body;

    } else if (b24_slice_print(&slot->slice, &t->body) != B24_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_b24_portal_url(portal, lane->origin->conf->webhook,
                                slot->method, slot->pool, &t->url)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < slot->n; i++) {

        if (slot->lanes[i]->stage == NGX_HTTP_B24_LANE_WRITE) {
            t->fresh = 1;
        }
    }

    t->certificate = lane->origin->conf->certificate;
    t->done = ngx_http_b24_slot_done;
    t->data = slot;

    if (ngx_http_b24_curl_send(t) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!slot->direct) {
        ngx_http_b24_portal_sent(portal, &slot->slice.sent);
    }

    return NGX_OK;
}


static void
ngx_http_b24_slot_done(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_slot_t  *slot = t->data;

    int                     rc;
    ngx_http_b24_portal_t  *portal;

    portal = slot->road->portal;

    if (ngx_http_b24_portal_follow(portal, t, slot->pool) == NGX_OK) {
        return;
    }

    rc = b24_answer_parse(slot->pool, t->net, (unsigned) t->http, &t->answer,
                          &slot->answer);

    ngx_http_b24_portal_result(portal, t->net,
                               rc == B24_OK ? &slot->answer.verdict : NULL);

    if (rc != B24_OK) {

        /* no memory for it: nobody knows what has been done */

        ngx_memzero(&slot->answer, sizeof(b24_answer_t));
        slot->answer.verdict.class = B24_CLASS_CHECK;

    } else {
        ngx_http_b24_portal_learn(portal,
                                  slot->direct ? NULL : &slot->slice.sent,
                                  slot->method, &slot->answer);
    }

    ngx_http_b24_slot_deal(slot);
}


/* to each its own */

static void
ngx_http_b24_slot_deal(ngx_http_b24_slot_t *slot)
{
    ngx_uint_t                i;
    ngx_http_b24_lane_t      *lane;
    ngx_http_b24_road_t      *road;
    ngx_http_b24_transfer_t  *t;

    road = slot->road;

    /* all of them first: what is told to one may lie with another's commands */

    for (i = 0; i < slot->n; i++) {
        slot->parts[i] = ngx_http_b24_slot_part(slot, i);
    }

    for (i = 0; i < slot->n; i++) {
        lane = slot->lanes[i];
        lane->number = i;

        t = &lane->transfer;

        t->net = slot->transfer.net;
        t->http = slot->transfer.http;
        t->error = slot->transfer.error;
        t->advice = slot->transfer.advice;

        /* the slot goes on with other words before this one's are committed */

        if (t->advice == (char *) slot->transfer.words) {
            ngx_memcpy(t->words, slot->transfer.words, sizeof(t->words));
            t->advice = (char *) t->words;
        }

        t->done(t);

        lane->slot = NULL;
    }

    ngx_http_b24_slot_free(slot);
    ngx_http_b24_road_kick(road);
}


/* in the order's own memory, which outlives the answer; NULL: there is none */

static b24_answer_t *
ngx_http_b24_slot_part(ngx_http_b24_slot_t *slot, ngx_uint_t i)
{
    b24_pool_t    *pool;
    b24_answer_t  *part;

    pool = slot->lanes[i]->pool;

    part = b24_palloc(pool, sizeof(b24_answer_t));
    if (part == NULL) {
        return NULL;
    }

    *part = slot->answer;

    if (slot->answer.verdict.class != B24_CLASS_OK) {
        return part;
    }

    if (!slot->direct
        && b24_slice_answer(pool, &slot->slice, &slot->answer, (unsigned) i,
                            part)
           != B24_OK)
    {
        return NULL;
    }

    if (ngx_http_b24_slot_keep(pool, &part->root) != NGX_OK
        || ngx_http_b24_slot_keep(pool, &part->result) != NGX_OK
        || ngx_http_b24_slot_keep(pool, &part->errors) != NGX_OK)
    {
        return NULL;
    }

    return part;
}


static ngx_int_t
ngx_http_b24_slot_keep(b24_pool_t *pool, b24_node_t **node)
{
    if (*node == NULL) {
        return NGX_OK;
    }

    *node = b24_node_copy(pool, *node);

    return *node ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_b24_slot_answer(ngx_http_b24_lane_t *lane, b24_answer_t *answer)
{
    b24_answer_t  *part;

    part = lane->slot->parts[lane->number];

    if (part == NULL) {
        return NGX_ERROR;
    }

    *answer = *part;

    return NGX_OK;
}


ngx_msec_t
ngx_http_b24_slot_bad(ngx_http_b24_lane_t *lane, const b24_verdict_t *verdict)
{
    ngx_http_b24_slot_t  *slot;

    slot = lane->slot;

    if (slot->bad == 0) {
        slot->bad = ngx_http_b24_portal_bad(lane->portal, lane->origin->conf,
                                            verdict, lane->cause,
                                            verdict->advice);
    }

    return slot->bad;
}


static void
ngx_http_b24_slot_free(ngx_http_b24_slot_t *slot)
{
    b24_pool_destroy(slot->pool);

    slot->pool = NULL;
    slot->n = 0;
}
