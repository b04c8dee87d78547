
/*
 * A status that goes from the CRM to the shop, one order at a time for each
 * origin with a b24_site:
 *
 *     claim    (queue)    the next due event of the line back
 *     read     (database) how the order is now, where there is one
 *     calls    (shop)     ngx_http_b24_calls.c
 *     outcome  (queue)    then the next claim
 *
 * What goes to the CRM has a line and lanes of its own: a shop that hangs holds
 * up nothing but this.  Nor does it hold up the next worker that is elected:
 * one that quits ends what it has at hand without being the elected one, and
 * the lease keeps others from it.
 */


#include "ngx_http_b24_back.h"


#define NGX_HTTP_B24_BACK_DISK  1000    /* ms; the queue after a failure */


static void ngx_http_b24_back_one(ngx_http_b24_back_t *b);
static void ngx_http_b24_back_heed(ngx_http_b24_back_t *b);
static void ngx_http_b24_back_timer(ngx_event_t *ev);
static void ngx_http_b24_back_claim(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_back_claimed(ngx_http_b24_call_t *call);
static ngx_int_t ngx_http_b24_back_prepare(ngx_http_b24_back_t *b);
static void ngx_http_b24_back_state(ngx_http_b24_ask_t *ask,
    b24_database_t *db);
static void ngx_http_b24_back_told(ngx_http_b24_ask_t *ask);
static void ngx_http_b24_back_read(ngx_http_b24_back_t *b);
static void ngx_http_b24_back_store(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_back_stored(ngx_http_b24_call_t *call);


static ngx_http_b24_back_t  *ngx_http_b24_backs;
static ngx_uint_t            ngx_http_b24_nbacks;
static ngx_connection_t      ngx_http_b24_back_nofd;


ngx_int_t
ngx_http_b24_back_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t                i;
    ngx_http_b24_back_t      *b;
    ngx_http_b24_origin_t   **op;

    ngx_http_b24_nbacks = 0;
    ngx_http_b24_back_nofd.fd = (ngx_socket_t) -1;

    ngx_http_b24_backs = ngx_pcalloc(cycle->pool,
                                     (bmcf->origins.nelts + 1)
                                     * sizeof(ngx_http_b24_back_t));
    if (ngx_http_b24_backs == NULL) {
        return NGX_ERROR;
    }

    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->origins.nelts; i++) {

        /* as orders do, what waits goes on once there is one again */

        if (op[i]->portal == NULL || op[i]->conf->webhook->dry) {
            continue;
        }

        b = &ngx_http_b24_backs[ngx_http_b24_nbacks++];

        b->origin = op[i];
        b->shop = op[i]->writes;

        b->timer.handler = ngx_http_b24_back_timer;
        b->timer.data = &ngx_http_b24_back_nofd;
        b->timer.log = cycle->log;
        b->timer.cancelable = 1;

        b->call.data = b;
        b->ask.data = b;
        b->ask.statement = B24_STATEMENT_ORDER;
        b->ask.run = ngx_http_b24_back_state;
        b->ask.done = ngx_http_b24_back_told;
        b->transfer.data = b;
    }

    return NGX_OK;
}


void
ngx_http_b24_back_exit(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nbacks; i++) {

        if (ngx_http_b24_backs[i].timer.timer_set) {
            ngx_del_timer(&ngx_http_b24_backs[i].timer);
        }
    }

    ngx_http_b24_nbacks = 0;
}


ngx_uint_t
ngx_http_b24_back_writes(ngx_http_b24_origin_t *o)
{
    return o->writes && !o->conf->webhook->dry;
}


void
ngx_http_b24_back_begin(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nbacks; i++) {
        ngx_http_b24_backs[i].recover = 1;
    }
}


void
ngx_http_b24_back_kick(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_b24_nbacks; i++) {
        ngx_http_b24_backs[i].again = 1;
        ngx_http_b24_back_one(&ngx_http_b24_backs[i]);
    }
}


static void
ngx_http_b24_back_one(ngx_http_b24_back_t *b)
{
    ngx_msec_int_t  ms;

    if (b->stage != NGX_HTTP_B24_BACK_IDLE || !ngx_http_b24_leader()
        || !ngx_http_b24_keep_ready() || ngx_exiting || b->origin->sh->paused)
    {
        return;
    }

    /* nothing is to come to a shop that isn't written to, but of a time before
     * there may be some */

    if (b->shop == NULL && !b->recover) {
        return;
    }

    ngx_http_b24_back_heed(b);

    if (b->resume) {
        ms = (ngx_msec_int_t) (b->resume - ngx_current_msec);

        if (ms > 0) {
            ngx_http_b24_back_sleep(b, (ngx_msec_t) ms);
            return;
        }

        b->resume = 0;
    }

    if (b->timer.timer_set) {
        ngx_del_timer(&b->timer);
    }

    b->again = 0;

    b->pool = b24_pool_create(0);
    if (b->pool == NULL) {
        return;
    }

    ngx_http_b24_back_call(b, NGX_HTTP_B24_BACK_CLAIM, ngx_http_b24_back_claim,
                           ngx_http_b24_back_claimed);
}


/* a person's word, in whatever worker, ends our own back-off */

static void
ngx_http_b24_back_heed(ngx_http_b24_back_t *b)
{
    ngx_uint_t                 asked;
    ngx_http_b24_sh_portal_t  *sh;

    sh = b->origin->portal->sh;
    asked = sh->checks + sh->nudges;

    if (b->asked_for != asked) {
        b->asked_for = asked;
        b->resume = 0;
    }
}


static void
ngx_http_b24_back_timer(ngx_event_t *ev)
{
    ngx_http_b24_back_t  *b;

    b = (ngx_http_b24_back_t *)
            ((u_char *) ev - offsetof(ngx_http_b24_back_t, timer));

    switch (b->stage) {

    case NGX_HTTP_B24_BACK_IDLE:
        ngx_http_b24_back_one(b);
        break;

    case NGX_HTTP_B24_BACK_CHECKING:
        ngx_http_b24_back_ask(b, b->stage);
        break;

    case NGX_HTTP_B24_BACK_KEPT:
        ngx_http_b24_back_call(b, NGX_HTTP_B24_BACK_OUTCOME,
                               ngx_http_b24_back_store,
                               ngx_http_b24_back_stored);
        break;

    default:
        break;
    }
}


void
ngx_http_b24_back_sleep(ngx_http_b24_back_t *b, ngx_msec_t ms)
{
    if (b->timer.timer_set) {
        ngx_del_timer(&b->timer);
    }

    /* a worker that quits stays for the order at hand, not for the disk */

    b->timer.cancelable = (b->stage != NGX_HTTP_B24_BACK_CHECKING);

    ngx_add_timer(&b->timer, ngx_max(ngx_min(ms, 60000), 1));
}


void
ngx_http_b24_back_call(ngx_http_b24_back_t *b, ngx_http_b24_back_e stage,
    void (*run)(ngx_http_b24_call_t *call, b24_queue_t *q),
    void (*done)(ngx_http_b24_call_t *call))
{
    b->stage = stage;
    b->now = ngx_http_b24_now();

    b->call.run = run;
    b->call.done = done;

    ngx_http_b24_store_call(&b->call);
}


/* ---- claim ---- */

static void
ngx_http_b24_back_claim(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_back_t  *b = call->data;

    size_t     n;
    b24_str_t  open;

    b->next = 0;

    if (q == NULL) {
        return;
    }

    call->rc = B24_QUEUE_OK;

    if (b->recover) {
        call->rc = b24_queue_recover(q, &b->origin->name, ngx_http_b24_owner,
                                 (int64_t) b->origin->conf->retry_unknown,
                                 b->now);
    }

    if (call->rc == B24_QUEUE_OK) {
        call->rc = b24_queue_unpaused(q, &b->origin->name, 1, &open, &n);
    }

    if (call->rc == B24_QUEUE_OK) {
        call->rc = n ? b24_queue_claim_back(q, b->pool, &b->origin->name,
                                            ngx_http_b24_owner,
                                            NGX_HTTP_B24_BACK_LEASE, b->now,
                                            &b->job, &b->next)
                     : B24_QUEUE_NONE;

        /* of a shop that isn't written to until there is none */

        b->recover = b->shop == NULL
                     && (call->rc != B24_QUEUE_NONE || n == 0 || b->next);
    }
}


static void
ngx_http_b24_back_claimed(ngx_http_b24_call_t *call)
{
    ngx_http_b24_back_t  *b = call->data;

    ngx_uint_t  again;

    static b24_str_t  siteless = b24_string("there is no b24_site any more: "
                                            "the shop was not told");
    static b24_str_t  silent = b24_string("the rules by which the order came "
                                          "have no \"write\" block: the shop "
                                          "was left as it is");
    static b24_str_t  taken = b24_string("another order has come with this "
                                         "number since: the shop may call that "
                                         "one so");

    if (call->rc != B24_QUEUE_OK) {
        again = b->again;

        ngx_http_b24_back_free(b);

        if (call->rc == B24_QUEUE_NONE && again) {
            ngx_http_b24_back_one(b);

        } else if (call->rc == B24_QUEUE_NONE && b->next > b->now) {
            ngx_http_b24_back_sleep(b,
                      (ngx_msec_t) ngx_min(b->next - b->now, 60000));
        }

        /* else the tick tries again; the lanes tell of a queue that fails */

        return;
    }

    if (b->shop == NULL) {
        ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &siteless,
                              "look at the deal and at the order in the shop");
        return;
    }

    switch (ngx_http_b24_back_prepare(b)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &silent,
                              "if the shop should follow, add \"write\" "
                              "blocks to its rules");
        return;

    default:
        ngx_http_b24_back_broken(b);
        return;
    }

    if (b->job.contested) {
        ngx_http_b24_back_end(b, B24_STATE_PARKED, &taken,
                              "set the status in the shop by hand, then drop "
                              "the change");
        return;
    }

    if (b->origin->reader
        && b24_shop_statement(b->rules, B24_STATEMENT_ORDER))
    {
        ngx_http_b24_back_ask(b, NGX_HTTP_B24_BACK_READ);
        return;
    }

    ngx_http_b24_back_weigh(b);
}


/* what is known of the order, and what the configuration says today; DECLINED:
 * its shop isn't written to */

static ngx_int_t
ngx_http_b24_back_prepare(ngx_http_b24_back_t *b)
{
    b24_str_t         *f, name;
    const b24_shop_t  *shop;

    /* of one whose record had expired nothing is left but its numbers */

    if (b24_order_parse(b->pool, &b->job.data, &b->known) != B24_OK) {
        b->known = b24_pcalloc(b->pool, sizeof(b24_order_t));

        if (b->known == NULL) {
            return NGX_ERROR;
        }
    }

    shop = b24_rules_find(ngx_http_b24_main->rules, &b->known->shop);

    if (shop && !b24_shop_writes(shop)) {
        return NGX_DECLINED;
    }

    b->rules = shop ? shop : b->shop;
    name = *b24_shop_name(b->rules);

    b->order.origin = b->job.origin;
    b->order.shop = name;
    b->order.generated = b->known->generated;

    f = b->order.fields;

    f[B24_ORDER_ID] = b->job.shop_number.len ? b->job.shop_number
                                             : b->job.order_id;
    f[B24_ORDER_ROW] = b->job.row;
    f[B24_ORDER_STATUS] = b->job.seen.status;
    f[B24_ORDER_CANCELED] = b->job.seen.canceled;
    f[B24_ORDER_PAID] = b->job.seen.paid;
    f[B24_ORDER_SHIPPED] = b->job.seen.shipped;

    return ngx_http_b24_crm_settings(b->pool, b->origin, &name, &b->set);
}


/* ---- the shop's database ---- */

void
ngx_http_b24_back_ask(ngx_http_b24_back_t *b, ngx_http_b24_back_e stage)
{
    ngx_http_b24_reader_t  *r;

    r = b->origin->reader;
    b->stage = stage;

    /* what is there already the database would not replace */

    ngx_memzero(&b->asked, sizeof(b24_order_t));

    b->asked.origin = b->order.origin;
    b->asked.shop = b->order.shop;
    b->asked.generated = b->order.generated;
    b->asked.fields[B24_ORDER_ID] = b->order.fields[B24_ORDER_ID];
    b->asked.fields[B24_ORDER_ROW] = b->order.fields[B24_ORDER_ROW];

    if (ngx_http_b24_database_paused(r)) {

        /* what was wrong last is wrong still */

        b->ask.rc = B24_DATABASE_DOWN;
        ngx_memcpy(b->ask.cause, r->cause, sizeof(r->cause));
        b->ask.advice = r->advice;

        b->ask.done(&b->ask);
        return;
    }

    ngx_http_b24_database_ask(r, &b->ask);
}


/* in the database's thread */

static void
ngx_http_b24_back_state(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_back_t  *b = ask->data;

    ask->rc = b24_database_state(db, b->pool, b->rules, &b->asked, 0,
                                 &b->moment);
}


static void
ngx_http_b24_back_told(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_back_t  *b = ask->data;

    ngx_uint_t  i;

    static const ngx_uint_t  told[] = {
        B24_ORDER_ID, B24_ORDER_ROW, B24_ORDER_STATUS, B24_ORDER_CANCELED,
        B24_ORDER_PAID, B24_ORDER_SHIPPED
    };

    b->now = ngx_http_b24_now();

    for (i = 0; ask->rc == B24_DATABASE_OK
                && i < sizeof(told) / sizeof(told[0]); i++)
    {
        if (b->asked.fields[told[i]].len) {
            b->order.fields[told[i]] = b->asked.fields[told[i]];
        }
    }

    switch (b->stage) {

    case NGX_HTTP_B24_BACK_RECHECK:
        ngx_http_b24_back_recheck(b);
        return;

    case NGX_HTTP_B24_BACK_CHECKING:
        ngx_http_b24_back_check(b);
        return;

    default:
        ngx_http_b24_back_read(b);
        return;
    }
}


static void
ngx_http_b24_back_read(ngx_http_b24_back_t *b)
{
    int64_t                 ms;
    b24_str_t               text;
    ngx_http_b24_reader_t  *r;

    static b24_str_t  gone = b24_string("the order is not in the shop's "
                                        "database any more: the shop was left "
                                        "as it is");

    switch (b->ask.rc) {

    case B24_DATABASE_OK:
        b->read = 1;
        break;

    case B24_DATABASE_NONE:
        ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &gone,
                              "look at the deal");
        return;

    case B24_DATABASE_UNASKED:
        break;

    default:
        r = b->origin->reader;
        ms = (int64_t) ngx_max(ngx_http_b24_backoff(b->origin->conf,
                                                    b->job.attempts),
                               ngx_http_b24_database_paused(r));
        b->out.next = b->now + ms;

        text.data = (u_char *) b->ask.cause;
        text.len = ngx_strlen(b->ask.cause);

        ngx_http_b24_back_end(b, B24_STATE_WAITING, &text, b->ask.advice);
        return;
    }

    ngx_http_b24_back_weigh(b);
}


/* ---- outcome ---- */

void
ngx_http_b24_back_end(ngx_http_b24_back_t *b, b24_state_e state,
    b24_str_t *cause, const char *advice)
{
    b->out.state = state;
    b->out.cause = cause ? (char *) cause->data : NULL;
    b->out.advice = advice;

    ngx_memcpy(b->out.steps, b->job.steps, sizeof(b->out.steps));

    if (state == B24_STATE_DELIVERED) {
        b->out.steps[B24_STEP_BACK] = B24_STEP_DONE;

    } else if (state == B24_STATE_PARKED) {

        /* what else happens to the order doesn't bring it to the shop again */

        b->out.steps[B24_STEP_BACK] = B24_STEP_SKIPPED;

    } else if (b->out.seen) {

        /* what has come of the calls is known */

        b->out.steps[B24_STEP_BACK] = B24_STEP_FAILED;
    }

    ngx_http_b24_back_call(b, NGX_HTTP_B24_BACK_OUTCOME,
                           ngx_http_b24_back_store, ngx_http_b24_back_stored);
}


void
ngx_http_b24_back_broken(ngx_http_b24_back_t *b)
{
    static b24_str_t  text = b24_string("the status cannot be put into a call "
                                        "to the shop");

    b->out.seen = NULL;
    ngx_str_null(&b->out.look);

    ngx_http_b24_back_end(b, B24_STATE_PARKED, &text,
                          "look at the order on this page and in the shop, "
                          "then retry or drop the change");
}


static void
ngx_http_b24_back_store(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_back_t  *b = call->data;

    if (q) {
        call->rc = b24_queue_outcome(q, ngx_http_b24_owner, &b->job, &b->out,
                                     b->now);
    }
}


static void
ngx_http_b24_back_stored(ngx_http_b24_call_t *call)
{
    ngx_http_b24_back_t  *b = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;

    if (call->rc != B24_QUEUE_OK) {

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "b24: the outcome of %s is not written down: %s",
                          b->job.key, b24_queue_strerror(call->rc));
        }

        if (ngx_http_b24_disk_failed(call->rc)) {
            b->stage = NGX_HTTP_B24_BACK_KEPT;
            ngx_http_b24_back_sleep(b, NGX_HTTP_B24_BACK_DISK);
            return;
        }
    }

    ngx_http_b24_back_free(b);

    /* what stood behind it may be for the CRM */

    ngx_http_b24_deliver_kick();
}


void
ngx_http_b24_back_free(ngx_http_b24_back_t *b)
{
    b24_pool_destroy(b->pool);
    b->pool = NULL;

    ngx_memzero(&b->job, sizeof(b24_queue_job_t));
    ngx_memzero(&b->order, sizeof(b24_order_t));
    ngx_memzero(&b->asked, sizeof(b24_order_t));
    ngx_memzero(&b->set, sizeof(b24_crm_settings_t));
    ngx_memzero(&b->verdict, sizeof(b24_call_verdict_t));
    ngx_memzero(&b->transfer, sizeof(ngx_http_b24_transfer_t));
    ngx_memzero(&b->out, sizeof(b24_queue_outcome_t));
    ngx_memzero(&b->seen, sizeof(b24_queue_seen_t));
    ngx_memzero(&b->weighed, sizeof(b24_queue_seen_t));
    ngx_memzero(&b->moment, sizeof(b24_database_moment_t));
    ngx_str_null(&b->status);

    b->rules = NULL;
    b->known = NULL;
    b->run = NULL;
    b->checks = 0;
    b->read = 0;
    b->called = 0;
    b->wrote = 0;

    b->stage = NGX_HTTP_B24_BACK_IDLE;
}
