
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


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_CAUSE      400
#define NGX_HTTP_B24_CODE       64
#define NGX_HTTP_B24_AGAIN      1000    /* ms; the disk after a failure */
#define NGX_HTTP_B24_WRITES     8       /* write rounds of one attempt */
/* ms a fact is relied upon: contacts and companies are asked for when they are
 * used, products are not */
#define NGX_HTTP_B24_MEMORY     (365 * 86400000LL)
#define NGX_HTTP_B24_PRODUCTS   86400000LL
#define NGX_HTTP_B24_OTHER_API  3600    /* s the other b24_api is kept to */
#define NGX_HTTP_B24_OPEN       60      /* s a good probe is relied upon */
#define NGX_HTTP_B24_SUSPECTS   8
#define NGX_HTTP_B24_STRIKES    3


typedef enum {
    NGX_HTTP_B24_LANE_IDLE = 0,
    NGX_HTTP_B24_LANE_PROBE,
    NGX_HTTP_B24_LANE_BOOK,
    NGX_HTTP_B24_LANE_CLAIM,
    NGX_HTTP_B24_LANE_RECALL,
    NGX_HTTP_B24_LANE_LOOKUP,
    NGX_HTTP_B24_LANE_ATTEMPT,
    NGX_HTTP_B24_LANE_WRITE,
    NGX_HTTP_B24_LANE_OUTCOME,
    NGX_HTTP_B24_LANE_KEPT          /* the outcome can't be written now */
} ngx_http_b24_lane_e;


/* an order that blocked the portal, while others get through */
typedef struct {
    int64_t                   record;       /* 0: none */
    ngx_uint_t                strikes;
    ngx_uint_t                passed;       /* another was delivered since */
} ngx_http_b24_suspect_t;


/*
 * A lane is what delivers one order of a portal.  Today each portal has one;
 * what belongs to the order at hand lives in pool and goes with it.
 */
typedef struct {
    ngx_http_b24_portal_t    *portal;
    ngx_http_b24_book_t       book;
    ngx_http_b24_probe_t      probe;
    ngx_http_b24_srv_conf_t  *refused;      /* whose webhook blocked it */
    time_t                    proven;       /* until then its probe is good */
    ngx_http_b24_suspect_t    suspects[NGX_HTTP_B24_SUSPECTS];
    ngx_uint_t                suspect;      /* the one to be replaced next */
    ngx_http_b24_lane_e       stage;
    b24_str_t                *origins;      /* that deliver (not dry) */
    size_t                    norigins;
    b24_str_t                *ready;        /* of these, whose reader is free */
    size_t                    nready;
    b24_str_t                *open;         /* of these, not paused now */
    size_t                    nopen;
    ngx_atomic_uint_t         checks;       /* of those asked for, heeded */
    ngx_atomic_uint_t         nudges;
    ngx_uint_t                check;        /* by hand: though it is paused */
    ngx_event_t               timer;
    ngx_http_b24_call_t       call;
    ngx_http_b24_transfer_t   transfer;
    int64_t                   next;         /* when something becomes due */
    ngx_uint_t                again;        /* a knock came meanwhile */
    ngx_uint_t                recover;      /* orders of dead owners first */

    /* of the order at hand */
    b24_pool_t               *pool;
    b24_queue_job_t           job;
    ngx_http_b24_origin_t    *origin;
    b24_order_t              *order;
    b24_crm_settings_t        set;
    b24_crm_known_t           known;
    b24_str_t                 body;
    const char               *method;
    unsigned                  mask;         /* steps of this write */
    ngx_uint_t                writes;
    b24_queue_fact_t         *facts;        /* recalled, then learned */
    size_t                    nfacts;
    b24_queue_fact_t          doubts[B24_CRM_KEYS];
    size_t                    ndoubts;
    int64_t                   until;        /* another's doubt is over */
    unsigned                  doubted;      /* steps put in doubt by us */
    unsigned                  unsure:1;     /* how the write went is unknown */
    unsigned                  direct:1;     /* it is the rows' own call */
    unsigned                  turned:1;     /* to the other b24_api */
    unsigned                  command:1;    /* one of them failed, not all */
    unsigned                  asked:1;      /* the queue is open */
    int64_t                   now;
    b24_queue_outcome_t       out;
    b24_queue_seen_t          seen;         /* of out */
    b24_str_t                 move;         /* of a status: the stage */
    b24_str_t                 words;        /* and what comes of it */
    char                      cause[NGX_HTTP_B24_CAUSE];
    char                      code[NGX_HTTP_B24_CODE];
} ngx_http_b24_lane_t;


static void ngx_http_b24_lane_kick(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lane_heed(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_stopped(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_probe(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_ready(ngx_http_b24_lane_t *lane);
static ngx_uint_t ngx_http_b24_lane_waits(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lane_probed(void *data);
static ngx_uint_t ngx_http_b24_lane_book(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lane_book_done(void *data);
static void ngx_http_b24_lane_timer(ngx_event_t *ev);
static void ngx_http_b24_lane_sleep(ngx_http_b24_lane_t *lane,
    ngx_msec_t ms);
static void ngx_http_b24_lane_call(ngx_http_b24_lane_t *lane,
    ngx_http_b24_lane_e stage,
    void (*run)(ngx_http_b24_call_t *call, b24_queue_t *q),
    void (*done)(ngx_http_b24_call_t *call));
static void ngx_http_b24_lane_free(ngx_http_b24_lane_t *lane);

static void ngx_http_b24_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_recover(ngx_http_b24_lane_t *lane,
    b24_queue_t *q);
static void ngx_http_b24_claim_done(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_prepare(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_recall(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_recall_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_doubts(ngx_http_b24_lane_t *lane,
    b24_queue_t *q, size_t n);
static void ngx_http_b24_recall_done(ngx_http_b24_call_t *call);

static void ngx_http_b24_lookup(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_lookup_done(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_lane_turn(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_write(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_write_direct(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_attempt_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_doubt(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_attempt_done(ngx_http_b24_call_t *call);
static void ngx_http_b24_write_done(ngx_http_b24_transfer_t *t);

static void ngx_http_b24_status(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_status_missing(ngx_http_b24_lane_t *lane,
    b24_str_t *text, b24_str_t *name);
static void ngx_http_b24_status_ask(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_status_read(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_status_move(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_status_moved(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_status_done(ngx_http_b24_lane_t *lane,
    b24_str_t *text, const char *advice);
static void ngx_http_b24_put(ngx_http_b24_lane_t *lane);

static void ngx_http_b24_send(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_send_now(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_answer(ngx_http_b24_lane_t *lane,
    b24_answer_t *answer);

static void ngx_http_b24_fail(ngx_http_b24_lane_t *lane,
    b24_verdict_t *verdict, const char *method);
static void ngx_http_b24_park(ngx_http_b24_lane_t *lane,
    const b24_verdict_t *verdict);
static ngx_uint_t ngx_http_b24_strike(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_passed(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_broken(ngx_http_b24_lane_t *lane, const char *cause);
static void ngx_http_b24_outcome(ngx_http_b24_lane_t *lane,
    b24_state_e state);
static void ngx_http_b24_outcome_seen(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_settle_doubts(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_learn(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_remarks(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_outcome_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_outcome_done(ngx_http_b24_call_t *call);
static ngx_uint_t ngx_http_b24_disk_failed(b24_queue_rc_e rc);


static ngx_http_b24_lane_t  *ngx_http_b24_lanes;
static ngx_uint_t            ngx_http_b24_nlanes;
static char                  ngx_http_b24_owner[NGX_HTTP_B24_OWNER_LEN];
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
}


static void
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

    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_CLAIM,
                           ngx_http_b24_claim_run, ngx_http_b24_claim_done);
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

        ngx_http_b24_send(lane);
        break;

    case NGX_HTTP_B24_LANE_KEPT:
        ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_OUTCOME,
                               ngx_http_b24_outcome_run,
                               ngx_http_b24_outcome_done);
        break;

    default:
        break;
    }
}


static void
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


static void
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


static void
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
    lane->stage = NGX_HTTP_B24_LANE_IDLE;
}


/* ---- claim ---- */

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

        ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_OUTCOME,
                               ngx_http_b24_outcome_run,
                               ngx_http_b24_outcome_done);
        return;
    }

    if (lane->job.contested) {

        /* nor has this one: nobody can tell whose number it is */

        b24_queue_reused(&cause, &advice);

        lane->out.cause = (char *) cause.data;
        lane->out.advice = (char *) advice.data;

        ngx_http_b24_outcome(lane, B24_STATE_PARKED);
        return;
    }

    if (ngx_http_b24_prepare(lane) != NGX_OK) {
        ngx_http_b24_broken(lane, "the stored order cannot be read");
        return;
    }

    if (lane->job.kind != B24_EV_NEW) {
        ngx_http_b24_status(lane);
        return;
    }

    ngx_http_b24_recall(lane);
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


/* ---- recall ---- */

static void
ngx_http_b24_recall(ngx_http_b24_lane_t *lane)
{
    size_t  i;

    lane->facts = b24_pcalloc(lane->pool,
                              (2 * B24_CRM_KEYS + 3 + lane->order->nitems)
                              * sizeof(b24_queue_fact_t));

    if (lane->facts == NULL
        || b24_crm_keys(lane->pool, &lane->set, lane->order, &lane->known,
                        lane->facts, &lane->nfacts)
           != B24_OK)
    {
        ngx_http_b24_broken(lane, "the order cannot be put into commands");
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
        lane->until = ngx_max(lane->until, until);
    }

    return rc;
}


/* a memory that fails is none */

static void
ngx_http_b24_recall_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_lane_t  *lane = call->data;

    if (lane->until) {
        lane->out.cause = "an earlier order of the same buyer or firm is being "
                          "written";
        lane->out.next = lane->until;

        ngx_http_b24_outcome(lane, B24_STATE_WAITING);
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
    b24_batch_t  batch;

    b24_batch_init(&batch, lane->pool, 0);

    if (b24_crm_lookup(&batch, &lane->set, lane->order, &lane->known,
                       lane->job.attempts > 1)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the order cannot be put into commands");
        return;
    }

    if (batch.count == 0) {
        ngx_http_b24_write(lane);
        return;
    }

    if (b24_batch_print(&batch, &lane->body) != B24_OK) {
        ngx_http_b24_broken(lane, "the order cannot be put into commands");
        return;
    }

    lane->stage = NGX_HTTP_B24_LANE_LOOKUP;
    lane->method = "batch";
    lane->transfer.done = ngx_http_b24_lookup_done;
    lane->transfer.fresh = 0;

    ngx_http_b24_send(lane);
}


static void
ngx_http_b24_lookup_done(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_answer_t   answer;
    b24_verdict_t  verdict;

    if (ngx_http_b24_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));

    if (b24_crm_looked_up(lane->pool, &answer, &lane->set, lane->order,
                          &lane->known, &verdict)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again == B24_AGAIN_LOOKUP) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_lookup(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_fail(lane, &verdict, "batch");
        return;
    }

    ngx_http_b24_write(lane);
}


/* the portal refuses this b24_api's methods: the rest goes by the other's */

static void
ngx_http_b24_lane_turn(ngx_http_b24_lane_t *lane)
{
    if (lane->known.other_api && !lane->turned) {
        lane->turned = 1;
        lane->set.universal = !lane->set.universal;
    }
}


/* ---- write ---- */

static void
ngx_http_b24_write(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  batch;

    if (lane->writes++ == NGX_HTTP_B24_WRITES) {
        ngx_http_b24_broken(lane, "the portal takes the order only in part");
        return;
    }

    b24_batch_init(&batch, lane->pool, 1);

    lane->mask = 0;
    lane->direct = 0;

    if (b24_crm_write(&batch, &lane->set, lane->order, &lane->known,
                      &lane->mask)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the order cannot be put into commands");
        return;
    }

    if (batch.count == 0) {

        switch (ngx_http_b24_write_direct(lane)) {

        case NGX_OK:
            break;

        case NGX_DECLINED:
            ngx_http_b24_outcome(lane, B24_STATE_DELIVERED);
            return;

        default:
            ngx_http_b24_broken(lane, "the order's rows cannot be put into "
                                      "a command");
            return;
        }

    } else {

        if (b24_batch_print(&batch, &lane->body) != B24_OK) {
            ngx_http_b24_broken(lane, "the order cannot be put into "
                                      "commands");
            return;
        }

        lane->method = "batch";
    }

    /* what an earlier answer told is committed with it */

    lane->job.deal_id = lane->known.deal;
    lane->job.contact_id = lane->known.recalled_contact ? 0
                                                        : lane->known.contact;
    lane->job.company_id = lane->known.recalled_company ? 0
                                                        : lane->known.company;

    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_ATTEMPT,
                           ngx_http_b24_attempt_run,
                           ngx_http_b24_attempt_done);
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
ngx_http_b24_attempt_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_lane_t  *lane = call->data;

    if (q) {
        ngx_http_b24_doubt(lane);

        call->rc = b24_queue_attempt(q, ngx_http_b24_owner, &lane->job,
                                     lane->mask, lane->method, NULL,
                                     NGX_HTTP_B24_LEASE, lane->now);
    }
}


/* until its outcome is known, others of this buyer and firm wait */

static void
ngx_http_b24_doubt(ngx_http_b24_lane_t *lane)
{
    size_t    i;
    unsigned  made;

    made = lane->mask & (1 << B24_STEP_CONTACT | 1 << B24_STEP_COMPANY);

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
            ngx_http_b24_outcome(lane, B24_STATE_ACCEPTED);
            return;
        }

        ngx_http_b24_lane_free(lane);
        return;
    }

    for (i = 0; i < B24_NSTEPS; i++) {
        if (lane->mask & (1u << i)) {
            lane->job.steps[i] = B24_STEP_SENT;
        }
    }

    lane->stage = NGX_HTTP_B24_LANE_WRITE;
    lane->transfer.done = (lane->job.kind == B24_EV_NEW)
                          ? ngx_http_b24_write_done
                          : ngx_http_b24_status_moved;
    lane->transfer.fresh = 1;

    ngx_http_b24_send(lane);
}


static void
ngx_http_b24_write_done(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    int             rc;
    const char     *method;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    if (ngx_http_b24_answer(lane, &answer) != NGX_OK) {
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
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
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
        ngx_http_b24_fail(lane, &verdict, method ? method : "batch");
        return;
    }

    /* ends in the outcome when nothing is left */

    ngx_http_b24_write(lane);
}


/* ---- a later status ---- */

static void
ngx_http_b24_status(ngx_http_b24_lane_t *lane)
{
    b24_str_t  text, name;

    static b24_str_t  nothing = b24_string("nothing in it is new");
    static b24_str_t  stageless = b24_string("it means no stage of its own");
    static b24_str_t  dealless = b24_string("the order has no deal");

    lane->seen.status = lane->job.seen.status;
    lane->seen.canceled = lane->job.seen.canceled;
    lane->seen.paid = lane->job.seen.paid;
    lane->seen.shipped = lane->job.seen.shipped;

    lane->out.seen = &lane->seen;

    if (lane->job.seen.settled) {
        lane->out.idle = 1;
        ngx_http_b24_status_done(lane, &nothing, NULL);
        return;
    }

    if (lane->known.deal == 0) {
        ngx_http_b24_status_done(lane, &dealless, NULL);
        return;
    }

    if (b24_crm_move_to(lane->pool, &lane->set, lane->order, &lane->move,
                        &text, &name)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the status cannot be put into a command");
        return;
    }

    if (text.len) {
        ngx_http_b24_status_missing(lane, &text, &name);
        return;
    }

    if (lane->move.len == 0) {
        ngx_http_b24_status_done(lane, &stageless, NULL);
        return;
    }

    ngx_http_b24_status_ask(lane);
}


/* said once on the page; with the name where it can be nothing but a status */

static void
ngx_http_b24_status_missing(ngx_http_b24_lane_t *lane, b24_str_t *text,
    b24_str_t *name)
{
    u_char  *p, note[256];

    static const char  cure[] =
        "add a line such as \"b24_stage STATUS STAGE;\", or \"stage\" in the "
        "shop's rules";

    p = name->len
        ? ngx_snprintf(note, sizeof(note) - 1, "the status \"%V\" has no line "
                       "in the table of stages: its orders' deals are not "
                       "moved; add \"b24_stage %V STAGE;\"", name, name)
        : ngx_snprintf(note, sizeof(note) - 1, "%V; compare the \"stage\" and "
                       "\"b24_stage\" lines with the shop and the portal",
                       text);
    *p = '\0';

    if (ngx_http_b24_sh_note(lane->origin->sh, note)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: origin \"%V\": %s", &lane->origin->name, note);
    }

    ngx_http_b24_status_done(lane, text, cure);
}


static void
ngx_http_b24_status_ask(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  batch;

    b24_batch_init(&batch, lane->pool, 0);

    if (b24_crm_deal_ask(&batch, &lane->set, &lane->known) != B24_OK
        || b24_batch_print(&batch, &lane->body) != B24_OK)
    {
        ngx_http_b24_broken(lane, "the status cannot be put into a command");
        return;
    }

    lane->stage = NGX_HTTP_B24_LANE_LOOKUP;
    lane->method = "batch";
    lane->transfer.done = ngx_http_b24_status_read;
    lane->transfer.fresh = 0;

    ngx_http_b24_send(lane);
}


static void
ngx_http_b24_status_read(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_move_e      move;
    const char     *advice;
    b24_answer_t    answer;
    b24_verdict_t   verdict;
    b24_crm_deal_t  deal;

    if (ngx_http_b24_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));

    if (b24_crm_deal_read(lane->pool, &answer, &lane->set, &lane->known,
                          ngx_http_b24_now() / 1000, &deal, &verdict)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_status_ask(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_fail(lane, &verdict, "batch");
        return;
    }

    lane->seen.held = deal.stage;
    lane->seen.held_time = ngx_http_b24_now();

    move = b24_crm_move(&lane->set, &deal, &lane->move, &lane->job.seen,
                        lane->job.accepted);

    if (b24_crm_move_words(lane->pool, move, &deal, &lane->move, &lane->words,
                           &advice)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
        return;
    }

    lane->out.advice = advice;

    if (move == B24_MOVE_DO || move == B24_MOVE_OVER) {
        ngx_http_b24_status_move(lane);
        return;
    }

    ngx_http_b24_status_done(lane, &lane->words, advice);
}


static void
ngx_http_b24_status_move(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  batch;

    if (lane->writes++ == NGX_HTTP_B24_WRITES) {
        ngx_http_b24_broken(lane, "the portal does not move the deal");
        return;
    }

    b24_batch_init(&batch, lane->pool, 1);

    if (b24_crm_deal_move(&batch, &lane->set, &lane->known, &lane->move)
        != B24_OK
        || b24_batch_print(&batch, &lane->body) != B24_OK)
    {
        ngx_http_b24_broken(lane, "the status cannot be put into a command");
        return;
    }

    lane->method = "batch";
    lane->mask = 1 << B24_STEP_STAGE;
    lane->job.seen.sent = lane->move;

    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_ATTEMPT,
                           ngx_http_b24_attempt_run,
                           ngx_http_b24_attempt_done);
}


static void
ngx_http_b24_status_moved(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_str_t       held, text;
    b24_buf_t       buf;
    const char     *method;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    if (ngx_http_b24_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));
    method = NULL;

    if (b24_crm_deal_moved(lane->pool, &answer, &lane->set, &lane->known,
                           &held, &verdict, &method)
        != B24_OK)
    {
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_status_move(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_fail(lane, &verdict, method ? method : "batch");
        return;
    }

    lane->seen.held = held.len ? held : lane->move;
    lane->seen.held_time = ngx_http_b24_now();

    if (held.len == 0 || b24_str_eq(&held, &lane->move)) {
        ngx_http_b24_status_done(lane, &lane->words, lane->out.advice);
        return;
    }

    /* a wrong stage is dropped by the portal without a word */

    b24_buf_init(&buf, lane->pool);
    b24_buf_adds(&buf, "the portal did not take the stage \"");
    b24_buf_addstr(&buf, &lane->move);
    b24_buf_adds(&buf, "\", the deal is at \"");
    b24_buf_addstr(&buf, &held);
    b24_buf_addc(&buf, '"');

    if (b24_buf_str(&buf, &text) != B24_OK) {
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
        return;
    }

    ngx_http_b24_status_done(lane, &text, "compare the stage lines and "
                             "b24_stage with the portal");
}


static void
ngx_http_b24_status_done(ngx_http_b24_lane_t *lane, b24_str_t *text,
    const char *advice)
{
    lane->out.state = B24_STATE_DELIVERED;
    lane->out.cause = (char *) text->data;
    lane->out.advice = advice;

    ngx_memcpy(lane->out.steps, lane->job.steps, sizeof(lane->out.steps));

    lane->out.steps[B24_STEP_STAGE] = B24_STEP_DONE;

    /* nothing was asked where nothing was to be moved */

    if (lane->stage != NGX_HTTP_B24_LANE_CLAIM) {
        ngx_http_b24_portal_good(lane->portal);
        ngx_http_b24_passed(lane);
    }

    if (lane->turned) {
        lane->origin->other_api = (lane->origin->other_api > ngx_time())
                                  ? 0 : ngx_time() + NGX_HTTP_B24_OTHER_API;
    }

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "b24: %s has a new status: %V", lane->job.key, text);

    ngx_http_b24_put(lane);
}


/* ---- transfer ---- */

static void
ngx_http_b24_send(ngx_http_b24_lane_t *lane)
{
    ngx_msec_t     ms;
    b24_verdict_t  verdict;

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
        ngx_http_b24_fail(lane, &verdict, lane->method);
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

    return ngx_http_b24_curl_send(t);
}


/*
 * Judges the transfer as a whole; NGX_OK: the answer is worth reading,
 * otherwise the order goes its way already.
 */

static ngx_int_t
ngx_http_b24_answer(ngx_http_b24_lane_t *lane, b24_answer_t *answer)
{
    int                       rc;
    ngx_http_b24_transfer_t  *t;

    t = &lane->transfer;

    if (ngx_http_b24_portal_follow(lane->portal, t, lane->pool) == NGX_OK) {
        return NGX_AGAIN;
    }

    rc = b24_answer_parse(lane->pool, t->net, (unsigned) t->http, &t->answer,
                          answer);

    ngx_http_b24_portal_result(lane->portal, t->net,
                               rc == B24_OK ? &answer->verdict : NULL);

    if (rc != B24_OK) {
        ngx_http_b24_broken(lane, "the portal's answer cannot be read");
        return NGX_ERROR;
    }

    if (answer->verdict.class != B24_CLASS_OK) {

        if (t->advice) {
            answer->verdict.advice = t->advice;
        }

        /* the rows' own call is one command */

        lane->command = lane->direct;
        ngx_http_b24_fail(lane, &answer->verdict, lane->method);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* ---- outcome ---- */

static void
ngx_http_b24_fail(ngx_http_b24_lane_t *lane, b24_verdict_t *verdict,
    const char *method)
{
    int64_t                   now;
    ngx_msec_t                ms;
    ngx_uint_t                write;
    ngx_http_b24_srv_conf_t  *bscf;

    bscf = lane->origin->conf;
    write = (lane->stage == NGX_HTTP_B24_LANE_WRITE);

    /* what the portal quotes of the buyer is for no page and no other table */

    if (lane->order) {
        b24_crm_conceal(lane->pool, lane->order, &verdict->code);
        b24_crm_conceal(lane->pool, lane->order, &verdict->text);
    }

    /* the lane's own memory outlives the pool's strings until the commit */

    ngx_http_b24_reason(&lane->transfer, verdict, lane->cause,
                        sizeof(lane->cause));

    lane->out.cause = lane->cause;
    lane->out.advice = verdict->advice;
    lane->out.method = method;

    if (verdict->code.len) {
        ngx_snprintf((u_char *) lane->code, NGX_HTTP_B24_CODE - 1, "%V%Z",
                     &verdict->code);
        lane->code[NGX_HTTP_B24_CODE - 1] = '\0';

        lane->out.error = lane->code;
    }

    now = ngx_http_b24_now();

    if (verdict->class == B24_CLASS_PERMANENT) {
        ngx_http_b24_park(lane, verdict);
        return;
    }

    if (verdict->class == B24_CLASS_OPERATOR) {

        if (lane->command && ngx_http_b24_strike(lane)) {
            ngx_http_b24_park(lane, verdict);
            return;
        }

        lane->refused = bscf;
    }

    lane->proven = 0;

    ms = ngx_http_b24_portal_bad(lane->portal, bscf, verdict, lane->cause,
                                 verdict->advice);

    /* an order that the portal fails on, time and again, waits longer */

    if (verdict->http && verdict->class != B24_CLASS_WAIT) {
        ms = ngx_max(ms, ngx_http_b24_backoff(bscf, lane->job.attempts));
    }

    /*
     * An outcome nobody knows: the portal may still be working on it.  The
     * others need not wait for that.
     */

    if (verdict->class == B24_CLASS_CHECK && write) {
        lane->unsure = 1;
        ms = ngx_max(ms, bscf->retry_unknown);
    }

    lane->out.next = now + (int64_t) ms;

    ngx_http_b24_outcome(lane, B24_STATE_WAITING);
}


/* this order only: the others go on */

static void
ngx_http_b24_park(ngx_http_b24_lane_t *lane, const b24_verdict_t *verdict)
{
    ngx_str_t   code;
    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    code = ngx_http_b24_safe_code(verdict);

    if (ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: %s is parked, the portal \"%V\" refuses it: %V",
                      lane->job.key, &lane->portal->host, &code);
    }

    ngx_http_b24_portal_good(lane->portal);
    ngx_http_b24_outcome(lane, B24_STATE_PARKED);
}


/*
 * An order is refused for what should be the matter of all.  1: it has been so
 * before, time and again, and others got through in between: it is this order.
 */

static ngx_uint_t
ngx_http_b24_strike(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t               i;
    ngx_http_b24_suspect_t  *s;

    for (i = 0; i < NGX_HTTP_B24_SUSPECTS; i++) {
        s = &lane->suspects[i];

        if (s->record != lane->job.record) {
            continue;
        }

        if (s->passed) {
            s->passed = 0;
            s->strikes++;
        }

        return s->strikes >= NGX_HTTP_B24_STRIKES;
    }

    s = &lane->suspects[lane->suspect++ % NGX_HTTP_B24_SUSPECTS];

    s->record = lane->job.record;
    s->strikes = 1;
    s->passed = 0;

    return 0;
}


static void
ngx_http_b24_passed(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t               i;
    ngx_http_b24_suspect_t  *s;

    for (i = 0; i < NGX_HTTP_B24_SUSPECTS; i++) {
        s = &lane->suspects[i];

        if (s->record == lane->job.record) {
            s->record = 0;

        } else {
            s->passed = 1;
        }
    }
}


/* our own side can't go on with this order */

static void
ngx_http_b24_broken(ngx_http_b24_lane_t *lane, const char *cause)
{
    lane->unsure = 1;
    lane->out.cause = cause;
    lane->out.advice = "look at the order on this page and in the shop, then "
                       "retry or enter it by hand";

    ngx_http_b24_outcome(lane, B24_STATE_PARKED);
}


static void
ngx_http_b24_outcome(ngx_http_b24_lane_t *lane, b24_state_e state)
{
    b24_crm_known_t      *known;
    b24_queue_outcome_t  *out;

    out = &lane->out;
    known = &lane->known;

    out->state = state;
    out->deal_id = known->deal;
    out->contact_id = known->contact;
    out->company_id = known->company;

    ngx_memcpy(out->steps, lane->job.steps, sizeof(out->steps));

    if (known->contact_done) {
        out->steps[B24_STEP_CONTACT] = known->contact ? B24_STEP_DONE
                                                      : B24_STEP_SKIPPED;
    }

    if (known->company_done) {
        out->steps[B24_STEP_COMPANY] = known->company ? B24_STEP_DONE
                                                      : B24_STEP_SKIPPED;
    }

    if (known->deal) {
        out->steps[B24_STEP_DEAL] = B24_STEP_DONE;
    }

    if (known->rows_done) {
        out->steps[B24_STEP_ROWS] = B24_STEP_DONE;

    } else if (state == B24_STATE_DELIVERED) {
        out->steps[B24_STEP_ROWS] = B24_STEP_SKIPPED;
    }

    if (state == B24_STATE_DELIVERED) {
        ngx_http_b24_portal_good(lane->portal);
        ngx_http_b24_passed(lane);

        out->method = NULL;
        out->cause = NULL;
        out->advice = NULL;

        if (ngx_http_b24_remarks(lane) != NGX_OK
            || ngx_http_b24_learn(lane) != NGX_OK
            || ngx_http_b24_reader_link(lane->origin, lane->pool, lane->order,
                                        &out->link)
               != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "b24: no memory for the remarks on %s",
                          lane->job.key);
        }

        ngx_http_b24_outcome_seen(lane);

        if (lane->turned) {
            lane->origin->other_api = (lane->origin->other_api > ngx_time())
                                      ? 0
                                      : ngx_time() + NGX_HTTP_B24_OTHER_API;
        }

        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "b24: %s delivered as deal %L", lane->job.key,
                      (int64_t) known->deal);
    }

    ngx_http_b24_settle_doubts(lane);
    ngx_http_b24_put(lane);
}


/* what a later status will be compared with */

static void
ngx_http_b24_outcome_seen(ngx_http_b24_lane_t *lane)
{
    int64_t            now;
    b24_str_t         *f;
    b24_queue_seen_t  *seen;

    now = ngx_http_b24_now();
    seen = &lane->seen;
    f = lane->order->fields;

    seen->status = f[B24_ORDER_STATUS];
    seen->canceled = f[B24_ORDER_CANCELED];
    seen->paid = f[B24_ORDER_PAID];
    seen->shipped = f[B24_ORDER_SHIPPED];

    if (b24_crm_stage(lane->pool, &lane->set, lane->order, &seen->sent)
        != B24_OK)
    {
        seen->sent.len = 0;
    }

    if (seen->sent.len) {
        seen->sent_time = now;
    }

    seen->held = lane->known.stage;

    if (seen->held.len) {
        seen->held_time = now;
    }

    lane->out.seen = seen;
}


static void
ngx_http_b24_put(ngx_http_b24_lane_t *lane)
{
    ngx_http_b24_lane_call(lane, NGX_HTTP_B24_LANE_OUTCOME,
                           ngx_http_b24_outcome_run,
                           ngx_http_b24_outcome_done);
}


/* others need not wait any longer; facts have room for these */

static void
ngx_http_b24_settle_doubts(ngx_http_b24_lane_t *lane)
{
    size_t                 i;
    b24_queue_fact_t      *facts;
    b24_queue_outcome_t   *out;

    if (lane->doubted == 0
        || (lane->unsure
            && (((lane->doubted & 1 << B24_STEP_CONTACT)
                 && lane->known.contact == 0)
                || ((lane->doubted & 1 << B24_STEP_COMPANY)
                    && lane->known.company == 0))))
    {
        return;
    }

    out = &lane->out;
    facts = lane->facts;

    if (out->facts == NULL) {
        out->nfacts = 0;
    }

    for (i = 0; i < lane->ndoubts; i++) {
        lane->doubts[i].id = 0;
        facts[out->nfacts++] = lane->doubts[i];
    }

    out->facts = facts;
}


/* what a person should know of an order that is delivered */

static ngx_int_t
ngx_http_b24_remarks(ngx_http_b24_lane_t *lane)
{
    char            diff[B24_DECIMAL_LEN];
    size_t          n;
    b24_str_t       text;
    b24_row_t      *rows;
    b24_decimal_t   d;
    b24_buf_t       buf;

    if (b24_crm_remarks(lane->pool, lane->order, &text) != B24_OK) {
        return NGX_ERROR;
    }

    b24_buf_init(&buf, lane->pool);

    if (lane->known.deal_found) {
        b24_buf_adds(&buf, "the deal was there already");
    }

    if (text.len) {
        b24_buf_adds(&buf, buf.len ? "; " : "");
        b24_buf_addstr(&buf, &text);

        lane->out.advice = "look at the deal; when the stage is wrong, compare "
                           "the stage lines and b24_stage with the portal";
    }

    /* a total that the rows don't reach is said in the deal, too */

    if (b24_crm_rows(lane->pool, lane->order, &rows, &n, &d) == B24_OK
        && d.units)
    {
        (void) b24_decimal_print(&d, 2, diff);

        b24_buf_adds(&buf, buf.len ? "; " : "");
        b24_buf_adds(&buf, "the product rows differ from the shop's total "
                           "by ");
        b24_buf_adds(&buf, diff);

        lane->out.advice = "compare the deal's rows with the order in the "
                           "shop";
    }

    if (buf.len == 0) {
        return NGX_OK;
    }

    if (b24_buf_str(&buf, &text) != B24_OK) {
        return NGX_ERROR;
    }

    lane->out.cause = (char *) text.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_learn(ngx_http_b24_lane_t *lane)
{
    size_t  i;

    if (lane->facts == NULL
        || b24_crm_learn(lane->pool, &lane->set, lane->order, &lane->known,
                         lane->facts, &lane->nfacts)
           != B24_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < lane->nfacts; i++) {
        lane->facts[i].portal = lane->portal->host;
    }

    lane->out.facts = lane->facts;
    lane->out.nfacts = lane->nfacts;

    return NGX_OK;
}


static void
ngx_http_b24_outcome_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_lane_t  *lane = call->data;

    b24_state_e       state;
    b24_queue_read_t  read;

    if (q && lane->job.kind == B24_EV_LINK) {
        ngx_memzero(&read, sizeof(b24_queue_read_t));
        read.state = B24_STATE_DELIVERED;

        call->rc = b24_queue_read(q, ngx_http_b24_owner, &lane->job, &read,
                                  lane->now, &state);

    } else if (q) {
        call->rc = b24_queue_outcome(q, ngx_http_b24_owner, &lane->job,
                                     &lane->out, lane->now);
    }
}


static void
ngx_http_b24_outcome_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_lane_t  *lane = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    if (call->rc != B24_QUEUE_OK) {

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "b24: the outcome of %s is not written down: %s",
                          lane->job.key, b24_queue_strerror(call->rc));
        }

        /*
         * Nothing else can be claimed from such a disk, so the order is kept
         * until the disk is back.  Should this process end before, the next
         * courier finds its deal by the look-up: nothing is made twice.
         */

        if (ngx_http_b24_disk_failed(call->rc)) {
            lane->stage = NGX_HTTP_B24_LANE_KEPT;
            ngx_http_b24_lane_sleep(lane, NGX_HTTP_B24_AGAIN);
            return;
        }

    } else if (lane->out.state == B24_STATE_DELIVERED
               && lane->job.kind == B24_EV_NEW)
    {
        ngx_http_b24_sh_delivered(lane->origin->sh,
                                  lane->now - lane->job.accepted);
    }

    ngx_http_b24_lane_free(lane);
    ngx_http_b24_lane_kick(lane);
}


/* what may be over in a moment, and says nothing about the record */

static ngx_uint_t
ngx_http_b24_disk_failed(b24_queue_rc_e rc)
{
    return rc == B24_QUEUE_BUSY || rc == B24_QUEUE_FULL
           || rc == B24_QUEUE_READONLY || rc == B24_QUEUE_IO;
}
