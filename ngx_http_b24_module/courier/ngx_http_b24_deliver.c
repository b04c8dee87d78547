
/*
 * A road leads to each portal.  Its lane takes one order at a time:
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
 * When more than a few orders wait, the road's convoy takes the oldest of them
 * together, each in a lane of its own that goes the same way; see convoy.
 *
 * The portal of an order is found by its origin now, not when it was stored.
 */


#include "ngx_http_b24_lane.h"


#define NGX_HTTP_B24_OPEN       60      /* s a good probe is relied upon */


static ngx_int_t ngx_http_b24_road_init(ngx_cycle_t *cycle,
    ngx_http_b24_road_t *road, ngx_http_b24_portal_t *portal);
static void ngx_http_b24_road_heed(ngx_http_b24_road_t *road);
static ngx_uint_t ngx_http_b24_road_stopped(ngx_http_b24_road_t *road);
static ngx_uint_t ngx_http_b24_road_probe(ngx_http_b24_road_t *road);
static ngx_uint_t ngx_http_b24_road_waits(ngx_http_b24_road_t *road);
static void ngx_http_b24_road_probed(void *data);
static ngx_uint_t ngx_http_b24_road_book(ngx_http_b24_road_t *road);
static void ngx_http_b24_road_book_done(void *data);
static void ngx_http_b24_lane_timer(ngx_event_t *ev);


char  ngx_http_b24_owner[NGX_HTTP_B24_OWNER_LEN];

static ngx_http_b24_road_t  *ngx_http_b24_roads;
static ngx_uint_t            ngx_http_b24_nroads;
static ngx_connection_t      ngx_http_b24_lane_nofd;


ngx_int_t
ngx_http_b24_deliver_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t                i;
    ngx_http_b24_portal_t   **pp;

    ngx_http_b24_lane_nofd.fd = (ngx_socket_t) -1;

    ngx_snprintf((u_char *) ngx_http_b24_owner, NGX_HTTP_B24_OWNER_LEN - 1,
                 "%P-%T%Z", ngx_pid, ngx_time());

    ngx_http_b24_nroads = bmcf->portals.nelts;

    ngx_http_b24_roads = ngx_pcalloc(cycle->pool,
                                     (bmcf->portals.nelts + 1)
                                     * sizeof(ngx_http_b24_road_t));
    if (ngx_http_b24_roads == NULL) {
        return NGX_ERROR;
    }

    pp = bmcf->portals.elts;

    for (i = 0; i < bmcf->portals.nelts; i++) {

        if (ngx_http_b24_road_init(cycle, &ngx_http_b24_roads[i], pp[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_road_init(ngx_cycle_t *cycle, ngx_http_b24_road_t *road,
    ngx_http_b24_portal_t *portal)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    road->portal = portal;
    road->lane.road = road;

    ngx_http_b24_lane_init(&road->lane);

    road->book.portal = portal;
    road->book.done = ngx_http_b24_road_book_done;
    road->book.data = road;

    road->probe.portal = portal;
    road->probe.done = ngx_http_b24_road_probed;
    road->probe.data = road;

    portal->book = &road->book;

    road->checks = portal->sh->checks;
    road->nudges = portal->sh->nudges;

    op = portal->origins.elts;

    road->origins = ngx_pcalloc(cycle->pool,
                                portal->origins.nelts * sizeof(b24_str_t));
    if (road->origins == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < portal->origins.nelts; i++) {

        if (!op[i]->conf->webhook->dry) {
            road->origins[road->norigins++] = op[i]->name;
        }
    }

    if (ngx_http_b24_choice_init(cycle, road, &road->choice) != NGX_OK
        || ngx_http_b24_convoy_init(cycle, road) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_b24_lane_init(ngx_http_b24_lane_t *lane)
{
    lane->portal = lane->road->portal;

    lane->timer.handler = ngx_http_b24_lane_timer;
    lane->timer.data = &ngx_http_b24_lane_nofd;
    lane->timer.log = ngx_cycle->log;
    lane->timer.cancelable = 1;

    lane->call.data = lane;
    lane->transfer.data = lane;
}


ngx_int_t
ngx_http_b24_choice_init(ngx_cycle_t *cycle, ngx_http_b24_road_t *road,
    ngx_http_b24_choice_t *choice)
{
    choice->ready = ngx_pcalloc(cycle->pool, 2 * road->portal->origins.nelts
                                             * sizeof(b24_str_t));
    if (choice->ready == NULL) {
        return NGX_ERROR;
    }

    choice->open = choice->ready + road->portal->origins.nelts;

    return NGX_OK;
}


void
ngx_http_b24_deliver_exit(void)
{
    ngx_uint_t            i;
    ngx_http_b24_road_t  *road;

    for (i = 0; i < ngx_http_b24_nroads; i++) {
        road = &ngx_http_b24_roads[i];

        if (road->lane.timer.timer_set) {
            ngx_del_timer(&road->lane.timer);
        }

        ngx_http_b24_convoy_exit(road);
        ngx_http_b24_book_free(&road->book);
        ngx_http_b24_probe_free(&road->probe);
        ngx_http_b24_moved_exit(road->portal);
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

    for (i = 0; i < ngx_http_b24_nroads; i++) {

        if (ngx_http_b24_roads[i].lane.stage != NGX_HTTP_B24_LANE_IDLE
            || ngx_http_b24_convoy_busy(&ngx_http_b24_roads[i]))
        {
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

    for (i = 0; i < ngx_http_b24_nroads; i++) {
        ngx_http_b24_roads[i].recover = 1;
        ngx_http_b24_portal_pace(ngx_http_b24_roads[i].portal);

        /*
         * A reload or a start may have brought what a blocked portal needs: it
         * is probed at once, but only once for that.
         */

        sh = ngx_http_b24_roads[i].portal->sh;

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

    for (i = 0; i < ngx_http_b24_nroads; i++) {
        ngx_http_b24_roads[i].again = 1;
        ngx_http_b24_road_kick(&ngx_http_b24_roads[i]);
    }

    ngx_http_b24_back_kick();
}


void
ngx_http_b24_deliver_tick(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nroads; i++) {
        ngx_http_b24_convoy_tick(&ngx_http_b24_roads[i]);
    }
}


void
ngx_http_b24_road_kick(ngx_http_b24_road_t *road)
{
    ngx_msec_t            ms;
    ngx_http_b24_lane_t  *lane;

    lane = &road->lane;

    if (!ngx_http_b24_leader() || !ngx_http_b24_keep_ready() || ngx_exiting) {
        return;
    }

    ngx_http_b24_convoy_kick(road);

    if (lane->stage != NGX_HTTP_B24_LANE_IDLE) {
        return;
    }

    ngx_http_b24_road_heed(road);

    if (!road->check && ngx_http_b24_road_stopped(road)) {
        return;
    }

    ms = ngx_http_b24_portal_paused(road->portal);

    if (ms) {
        ngx_http_b24_lane_sleep(lane, ms);
        return;
    }

    /* or it would expire while this order is sent, and send it again */

    if (lane->timer.timer_set) {
        ngx_del_timer(&lane->timer);
    }

    /* asked for by hand, the portal tells more than a probe would */

    if (!road->check && ngx_http_b24_road_probe(road)) {
        return;
    }

    if (ngx_http_b24_road_book(road)) {
        return;
    }

    /* the reader of an origin kicks when it is through */

    if (!ngx_http_b24_road_ready(road, &road->choice)) {
        return;
    }

    road->again = 0;

    lane->pool = b24_pool_create(0);
    if (lane->pool == NULL) {
        return;
    }

    ngx_http_b24_lane_claim(lane);
}


/* what a person has asked for, in whatever worker */

static void
ngx_http_b24_road_heed(ngx_http_b24_road_t *road)
{
    ngx_http_b24_sh_portal_t  *sh;

    sh = road->portal->sh;

    if (road->checks != sh->checks) {
        road->checks = sh->checks;
        road->check = 1;
        road->book.due = 0;

    } else if (road->nudges == sh->nudges) {
        return;
    }

    road->nudges = sh->nudges;

    /* a person's word ends our own back-off, not a pause the portal wants */

    if (sh->state != NGX_HTTP_B24_PORTAL_THROTTLED) {
        sh->resume = 0;
    }
}


/* every origin of the portal is paused by a person */

static ngx_uint_t
ngx_http_b24_road_stopped(ngx_http_b24_road_t *road)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = road->portal->origins.elts;

    for (i = 0; i < road->portal->origins.nelts; i++) {
        if (!op[i]->conf->webhook->dry && !op[i]->sh->paused) {
            return 0;
        }
    }

    return 1;
}


/* 1: the portal is blocked, and no order may go to it now */

static ngx_uint_t
ngx_http_b24_road_probe(ngx_http_b24_road_t *road)
{
    ngx_msec_t                ms;
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    if (road->portal->sh->state != NGX_HTTP_B24_PORTAL_BLOCKED
        || road->proven > ngx_time())
    {
        return 0;
    }

    if (!ngx_http_b24_road_waits(road)) {
        return 1;
    }

    ms = ngx_http_b24_portal_take(road->portal);

    if (ms) {
        ngx_http_b24_lane_sleep(&road->lane, ms);
        return 1;
    }

    op = road->portal->origins.elts;

    for (i = 0; op[i]->conf->webhook->dry; i++) { /* void */ }

    if (ngx_http_b24_probe_send(&road->probe, road->refused ? road->refused
                                                            : op[i]->conf)
        != NGX_OK)
    {
        /* the tick tries again */
        ngx_http_b24_portal_result(road->portal, B24_NET_UNSENT, NULL);
        return 1;
    }

    road->lane.stage = NGX_HTTP_B24_LANE_PROBE;

    return 1;
}


/* origins whose database isn't being asked: 0, there is none */

ngx_uint_t
ngx_http_b24_road_ready(ngx_http_b24_road_t *road,
    ngx_http_b24_choice_t *choice)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = road->portal->origins.elts;

    choice->nready = 0;

    for (i = 0; i < road->portal->origins.nelts; i++) {

        if (!op[i]->conf->webhook->dry && !ngx_http_b24_reader_busy(op[i])) {
            choice->ready[choice->nready++] = op[i]->name;
        }
    }

    return choice->nready != 0;
}


/* is there anything to deliver?  Else a blocked portal is left alone. */

static ngx_uint_t
ngx_http_b24_road_waits(ngx_http_b24_road_t *road)
{
    ngx_uint_t                 i;
    ngx_http_b24_origin_t    **op;
    ngx_http_b24_sh_origin_t  *sh;

    op = road->portal->origins.elts;

    for (i = 0; i < road->portal->origins.nelts; i++) {
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
ngx_http_b24_road_probed(void *data)
{
    ngx_http_b24_road_t  *road = data;

    road->lane.stage = NGX_HTTP_B24_LANE_IDLE;
    road->proven = road->probe.good ? ngx_time() + NGX_HTTP_B24_OPEN : 0;

    ngx_http_b24_road_kick(road);
}


/* 1: the portal is being asked about itself, or will be */

static ngx_uint_t
ngx_http_b24_road_book(ngx_http_b24_road_t *road)
{
    ngx_msec_t  ms;

    if (!ngx_http_b24_book_due(&road->book)) {
        return 0;
    }

    ms = ngx_http_b24_portal_take(road->portal);

    if (ms) {
        ngx_http_b24_lane_sleep(&road->lane, ms);
        return 1;
    }

    road->check = 0;

    if (ngx_http_b24_book_fetch(&road->book) != NGX_OK) {
        return 0;
    }

    road->lane.stage = NGX_HTTP_B24_LANE_BOOK;

    return 1;
}


static void
ngx_http_b24_road_book_done(void *data)
{
    ngx_http_b24_road_t  *road = data;

    road->lane.stage = NGX_HTTP_B24_LANE_IDLE;

    /* refused or not, it did for a probe: the first order tells its cause */

    road->proven = ngx_time() + NGX_HTTP_B24_OPEN;

    ngx_http_b24_road_kick(road);
}


static void
ngx_http_b24_lane_timer(ngx_event_t *ev)
{
    ngx_http_b24_lane_t  *lane;

    lane = (ngx_http_b24_lane_t *)
               ((u_char *) ev - offsetof(ngx_http_b24_lane_t, timer));

    switch (lane->stage) {

    case NGX_HTTP_B24_LANE_IDLE:
        ngx_http_b24_road_kick(lane->road);
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
    lane->doubter = 0;
    lane->doubted = 0;
    lane->unsure = 0;
    lane->stale = 0;
    lane->makes = 0;
    lane->writes = 0;
    lane->direct = 0;
    lane->turned = 0;
    lane->command = 0;
    lane->moving = 0;
    ngx_str_null(&lane->move);
    ngx_str_null(&lane->words);
    lane->stage = NGX_HTTP_B24_LANE_IDLE;

    ngx_http_b24_convoy_left(lane);
}
