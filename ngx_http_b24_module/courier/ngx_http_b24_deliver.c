
/*
 * One order at a time for each portal:
 *
 *     book      (portal)  its stages and catalogue, before the first order
 *     claim     (queue)   the next due event of the portal's origins; one that
 *                         the shop's database is to be asked for goes to the
 *                         reader, and comes again
 *     recall    (queue)   contact, company, products as remembered
 *     look-up   (portal)  deal by origin, contact by phone and e-mail; left out
 *                         when all is remembered
 *     attempt   (queue)   the steps about to be sent are committed first
 *     write     (portal)  contact, company, deal, rows that are missing
 *     outcome   (queue)   ids, steps, state, timeline; then the next claim
 *
 * A later status of an order goes the same way: look-up of its deal, attempt,
 * write (the deal is moved), outcome; without a write where nothing is to be
 * moved.
 *
 * The portal of an order is found by its origin now, not when it was stored.
 */


#include "ngx_http_b24_lane.h"


#define NGX_HTTP_B24_OPEN       60      /* s a good probe is relied upon */


static void ngx_http_b24_lane_heed(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_stopped(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_probe(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_ready(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_waits(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lane_probed(void *data);
static ngx_uint_t ngx_http_b24_lane_book(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lane_book_done(void *data);
static void ngx_http_b24_lane_timer(ngx_event_t *ev);


char  ngx_http_b24_owner[NGX_HTTP_B24_OWNER_LEN];

static ngx_http_b24_lane_t  *ngx_http_b24_lanes;
static ngx_uint_t            ngx_http_b24_nlanes;
static ngx_connection_t      ngx_http_b24_lane_nofd;


ngx_int_t
ngx_http_b24_deliver_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t                i, j;
    ngx_http_b24_lane_t      *lane;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_portal_t   **pp;

    ngx_http_b24_lane_nofd.fd = (ngx_socket_t) -1;

    ngx_snprintf((u_char *) ngx_http_b24_owner, NGX_HTTP_B24_OWNER_LEN - 1,
                 "%P-%T%Z", ngx_pid, ngx_time());

    ngx_http_b24_nlanes = bmcf->portals.nelts;

    ngx_http_b24_lanes = ngx_pcalloc(cycle->pool,
                        (bmcf->portals.nelts + 1)
                        * sizeof(ngx_http_b24_lane_t));
    if (ngx_http_b24_lanes == NULL) {
        return NGX_ERROR;
    }

    pp = bmcf->portals.elts;

    for (i = 0; i < bmcf->portals.nelts; i++) {
        lane = &ngx_http_b24_lanes[i];

        lane->portal = pp[i];

        lane->timer.handler = ngx_http_b24_lane_timer;
        lane->timer.data = &ngx_http_b24_lane_nofd;
        lane->timer.log = cycle->log;
        lane->timer.cancelable = 1;

        lane->call.data = lane;
        lane->transfer.data = lane;

        lane->book.portal = pp[i];
        lane->book.done = ngx_http_b24_lane_book_done;
        lane->book.data = lane;

        lane->probe.portal = pp[i];
        lane->probe.done = ngx_http_b24_lane_probed;
        lane->probe.data = lane;

        pp[i]->book = &lane->book;

        lane->origins = ngx_pcalloc(cycle->pool,
                              pp[i]->origins.nelts * sizeof(b24_str_t));
        if (lane->origins == NULL) {
            return NGX_ERROR;
        }

        lane->open = ngx_pcalloc(cycle->pool,
                              pp[i]->origins.nelts * sizeof(b24_str_t));
        if (lane->open == NULL) {
            return NGX_ERROR;
        }

        lane->ready = ngx_pcalloc(cycle->pool,
                              pp[i]->origins.nelts * sizeof(b24_str_t));
        if (lane->ready == NULL) {
            return NGX_ERROR;
        }

        lane->checks = pp[i]->sh->checks;
        lane->nudges = pp[i]->sh->nudges;

        op = pp[i]->origins.elts;

        for (j = 0; j < pp[i]->origins.nelts; j++) {
            if (!op[j]->conf->webhook->dry) {
                lane->origins[lane->norigins++]
                                         = op[j]->name;
            }
        }

        if (lane->norigins == 0) {
            pp[i]->sh->state = NGX_HTTP_B24_PORTAL_DRY;

        } else if (pp[i]->sh->state == NGX_HTTP_B24_PORTAL_DRY) {
            pp[i]->sh->state = NGX_HTTP_B24_PORTAL_OK;
        }
    }

    return NGX_OK;
}


void
ngx_http_b24_deliver_exit(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nlanes; i++) {

        if (ngx_http_b24_lanes[i].timer.timer_set) {
            ngx_del_timer(&ngx_http_b24_lanes[i].timer);
        }

        ngx_http_b24_book_free(&ngx_http_b24_lanes[i].book);
        ngx_http_b24_probe_free(&ngx_http_b24_lanes[i].probe);
        ngx_http_b24_moved_exit(ngx_http_b24_lanes[i].portal);
    }
}


ngx_uint_t
ngx_http_b24_deliver_busy(void)
{
    ngx_uint_t  i;

    /* a shop that hangs is waited for by nobody: what is under way there ends
     * without being the elected one, see ngx_http_b24_back.c */

    if (ngx_http_b24_database_busy()) {
        return 1;
    }

    for (i = 0; i < ngx_http_b24_nlanes; i++) {

        if (ngx_http_b24_lanes[i].stage != NGX_HTTP_B24_LANE_IDLE) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_b24_deliver_begin(void)
{
    ngx_uint_t                 i;
    ngx_http_b24_sh_portal_t  *sh;

    ngx_http_b24_database_begin();
    ngx_http_b24_back_begin();

    for (i = 0; i < ngx_http_b24_nlanes; i++) {
        ngx_http_b24_lanes[i].recover = 1;

        /*
         * A reload or a start may have brought what a blocked portal needs: it
         * is probed at once, but only once for that.
         */

        sh = ngx_http_b24_lanes[i].portal->sh;

        if (sh->state == NGX_HTTP_B24_PORTAL_BLOCKED
            && sh->life != ngx_http_b24_generation)
        {
            sh->resume = 0;
        }

        sh->life = ngx_http_b24_generation;
    }

    ngx_http_b24_deliver_kick();
}


void
ngx_http_b24_deliver_kick(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nlanes; i++) {
        ngx_http_b24_lanes[i].again = 1;
        ngx_http_b24_lane_kick(&ngx_http_b24_lanes[i]);
    }

    ngx_http_b24_back_kick();
}


void
ngx_http_b24_lane_kick(ngx_http_b24_lane_t *lane)
{
    ngx_msec_t  ms;

    if (lane->stage != NGX_HTTP_B24_LANE_IDLE || lane->norigins == 0
        || !ngx_http_b24_leader() || !ngx_http_b24_keep_ready() || ngx_exiting)
    {
        return;
    }

    ngx_http_b24_lane_heed(lane);

    if (!lane->check && ngx_http_b24_lane_stopped(lane)) {
        return;
    }

    ms = ngx_http_b24_portal_paused(lane->portal);

    if (ms) {
        ngx_http_b24_lane_sleep(lane, ms);
        return;
    }

    /* or it would expire while this order is sent, and send it again */

    if (lane->timer.timer_set) {
        ngx_del_timer(&lane->timer);
    }

    /* asked for by hand, the portal tells more than a probe would */

    if (!lane->check && ngx_http_b24_lane_probe(lane)) {
        return;
    }

    if (ngx_http_b24_lane_book(lane)) {
        return;
    }

    /* the reader of an origin kicks when it is through */

    if (!ngx_http_b24_lane_ready(lane)) {
        return;
    }

    lane->again = 0;

    lane->pool = b24_pool_create(0);
    if (lane->pool == NULL) {
        return;
    }

    ngx_http_b24_lane_claim(lane);
}


/* what a person has asked for, in whatever worker */

static void
ngx_http_b24_lane_heed(ngx_http_b24_lane_t *lane)
{
    ngx_http_b24_sh_portal_t  *sh;

    sh = lane->portal->sh;

    if (lane->checks != sh->checks) {
        lane->checks = sh->checks;
        lane->check = 1;
        lane->book.due = 0;

    } else if (lane->nudges == sh->nudges) {
        return;
    }

    lane->nudges = sh->nudges;

    /* a person's word ends our own back-off, not a pause the portal wants */

    if (sh->state != NGX_HTTP_B24_PORTAL_THROTTLED) {
        sh->resume = 0;
    }
}


/* every origin of the portal is paused by a person */

static ngx_uint_t
ngx_http_b24_lane_stopped(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = lane->portal->origins.elts;

    for (i = 0; i < lane->portal->origins.nelts; i++) {
        if (!op[i]->conf->webhook->dry && !op[i]->sh->paused) {
            return 0;
        }
    }

    return 1;
}


/* 1: the portal is blocked, and no order may go to it now */

static ngx_uint_t
ngx_http_b24_lane_probe(ngx_http_b24_lane_t *lane)
{
    ngx_msec_t                ms;
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    if (lane->portal->sh->state != NGX_HTTP_B24_PORTAL_BLOCKED
        || lane->proven > ngx_time())
    {
        return 0;
    }

    if (!ngx_http_b24_lane_waits(lane)) {
        return 1;
    }

    ms = ngx_http_b24_portal_take(lane->portal);

    if (ms) {
        ngx_http_b24_lane_sleep(lane, ms);
        return 1;
    }

    op = lane->portal->origins.elts;

    for (i = 0; op[i]->conf->webhook->dry; i++) { /* void */ }

    if (ngx_http_b24_probe_send(&lane->probe, lane->refused ? lane->refused
                                                            : op[i]->conf)
        != NGX_OK)
    {
        /* the tick tries again */
        ngx_http_b24_portal_result(lane->portal, B24_NET_UNSENT, NULL);
        return 1;
    }

    lane->stage = NGX_HTTP_B24_LANE_PROBE;

    return 1;
}


/* origins whose database isn't being asked: 0, there is none */

static ngx_uint_t
ngx_http_b24_lane_ready(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = lane->portal->origins.elts;

    lane->nready = 0;

    for (i = 0; i < lane->portal->origins.nelts; i++) {

        if (!op[i]->conf->webhook->dry && !ngx_http_b24_reader_busy(op[i])) {
            lane->ready[lane->nready++] = op[i]->name;
        }
    }

    return lane->nready != 0;
}


/* is there anything to deliver?  Else a blocked portal is left alone. */

static ngx_uint_t
ngx_http_b24_lane_waits(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t                 i;
    ngx_http_b24_origin_t    **op;
    ngx_http_b24_sh_origin_t  *sh;

    op = lane->portal->origins.elts;

    for (i = 0; i < lane->portal->origins.nelts; i++) {
        sh = op[i]->sh;

        if (!op[i]->conf->webhook->dry
            && (sh->counts[B24_STATE_ACCEPTED] || sh->counts[B24_STATE_WAITING]
                || sh->counts[B24_STATE_SENDING]))
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_b24_lane_probed(void *data)
{
    ngx_http_b24_lane_t  *lane = data;

    lane->stage = NGX_HTTP_B24_LANE_IDLE;
    lane->proven = lane->probe.good ? ngx_time() + NGX_HTTP_B24_OPEN : 0;

    ngx_http_b24_lane_kick(lane);
}


/* 1: the portal is being asked about itself, or will be */

static ngx_uint_t
ngx_http_b24_lane_book(ngx_http_b24_lane_t *lane)
{
    ngx_msec_t  ms;

    if (!ngx_http_b24_book_due(&lane->book)) {
        return 0;
    }

    ms = ngx_http_b24_portal_take(lane->portal);

    if (ms) {
        ngx_http_b24_lane_sleep(lane, ms);
        return 1;
    }

    lane->check = 0;

    if (ngx_http_b24_book_fetch(&lane->book) != NGX_OK) {
        return 0;
    }

    lane->stage = NGX_HTTP_B24_LANE_BOOK;

    return 1;
}


static void
ngx_http_b24_lane_book_done(void *data)
{
    ngx_http_b24_lane_t  *lane = data;

    lane->stage = NGX_HTTP_B24_LANE_IDLE;

    /* refused or not, it did for a probe: the first order tells its cause */

    lane->proven = ngx_time() + NGX_HTTP_B24_OPEN;

    ngx_http_b24_lane_kick(lane);
}


static void
ngx_http_b24_lane_timer(ngx_event_t *ev)
{
    ngx_http_b24_lane_t  *lane;

    lane = (ngx_http_b24_lane_t *)
               ((u_char *) ev - offsetof(ngx_http_b24_lane_t, timer));

    switch (lane->stage) {

    case NGX_HTTP_B24_LANE_IDLE:
        ngx_http_b24_lane_kick(lane);
        break;

    case NGX_HTTP_B24_LANE_LOOKUP:
    case NGX_HTTP_B24_LANE_WRITE:

        /* the bucket has room again */

        ngx_http_b24_lane_send(lane);
        break;

    case NGX_HTTP_B24_LANE_KEPT:
        ngx_http_b24_lane_put(lane);
        break;

    default:
        break;
    }
}


void
ngx_http_b24_lane_sleep(ngx_http_b24_lane_t *lane, ngx_msec_t ms)
{
    if (lane->timer.timer_set) {
        ngx_del_timer(&lane->timer);
    }

    /* a worker that quits stays for the order at hand, not for the disk */

    lane->timer.cancelable = (lane->stage == NGX_HTTP_B24_LANE_IDLE
                              || lane->stage == NGX_HTTP_B24_LANE_KEPT);

    /* not longer than what a clock step could do harm to */

    ms = ngx_min(ms, 60000);

    ngx_add_timer(&lane->timer, ngx_max(ms, 1));
}


void
ngx_http_b24_lane_call(ngx_http_b24_lane_t *lane, ngx_http_b24_lane_e stage,
    void (*run)(ngx_http_b24_call_t *call, b24_queue_t *q),
    void (*done)(ngx_http_b24_call_t *call))
{
    lane->stage = stage;
    lane->now = ngx_http_b24_now();

    lane->call.run = run;
    lane->call.done = done;

    ngx_http_b24_store_call(&lane->call);
}


void
ngx_http_b24_lane_free(ngx_http_b24_lane_t *lane)
{
    if (lane->pool) {
        b24_pool_destroy(lane->pool);
        lane->pool = NULL;
    }

    ngx_memzero(&lane->job, sizeof(b24_queue_job_t));
    ngx_memzero(&lane->known, sizeof(b24_crm_known_t));
    ngx_memzero(&lane->out, sizeof(b24_queue_outcome_t));
    ngx_memzero(&lane->seen, sizeof(b24_queue_seen_t));
    ngx_memzero(&lane->update, sizeof(b24_crm_update_t));

    lane->origin = NULL;
    lane->order = NULL;
    lane->facts = NULL;
    lane->nfacts = 0;
    lane->ndoubts = 0;
    lane->until = 0;
    lane->doubted = 0;
    lane->unsure = 0;
    lane->writes = 0;
    lane->direct = 0;
    lane->turned = 0;
    lane->command = 0;
    lane->moving = 0;
    ngx_str_null(&lane->move);
    ngx_str_null(&lane->words);
    lane->stage = NGX_HTTP_B24_LANE_IDLE;
}
