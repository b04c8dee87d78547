
/*
 * What needs a person.  Each second the elected worker looks at numbers that
 * are in shared memory anyway; b24_alert.c says what is to be told.  A target
 * gets one message at a time.  ngx_http_b24_alert_kept.c has what was told over
 * restarts.
 *
 *     tick -> b24_alert_wants() -> (queue) which orders -> tell -> told
 *                 ^                                                  |
 *                 +------------------ (queue) <- what was told <-----+
 */


#include "ngx_http_b24_courier.h"


/* which events are of an origin; the others are of the whole nginx */
static const b24_alert_e  ngx_http_b24_alert_own[] = {
    B24_ALERT_BLOCKED, B24_ALERT_PARKED, B24_ALERT_UNCONFIRMED, B24_ALERT_AGE
};

static const b24_alert_e  ngx_http_b24_alert_common[] = {
    B24_ALERT_QUEUE, B24_ALERT_LOST, B24_ALERT_BEGUN
};

#define NGX_HTTP_B24_ALERT_OWN     4
#define NGX_HTTP_B24_ALERT_COMMON  3


static ngx_http_b24_target_t *ngx_http_b24_alert_target(
    ngx_http_b24_origin_t *o);
static void ngx_http_b24_alert_add(ngx_http_b24_origin_t *o,
    ngx_http_b24_target_t *target, b24_alert_e event);
static ngx_uint_t ngx_http_b24_alert_is_common(ngx_http_b24_item_t *item);
static void ngx_http_b24_alert_limits(ngx_http_b24_item_t *item,
    b24_alert_limits_t *limits);
static int64_t ngx_http_b24_alert_count(ngx_http_b24_item_t *item);
static int64_t ngx_http_b24_alert_oldest(ngx_http_b24_origin_t *o);
static void ngx_http_b24_alert_next(ngx_http_b24_target_t *target,
    int64_t now);
static void ngx_http_b24_alert_start(ngx_http_b24_item_t *item,
    b24_alert_say_e say);
static void ngx_http_b24_alert_list(ngx_http_b24_call_t *call, b24_queue_t *q);
static void ngx_http_b24_alert_listed(ngx_http_b24_call_t *call);
static void ngx_http_b24_alert_orders(ngx_http_b24_target_t *target,
    b24_queue_record_t *records, size_t n);
static void ngx_http_b24_alert_send(ngx_http_b24_target_t *target);
static void ngx_http_b24_alert_why(ngx_http_b24_target_t *target);
static void ngx_http_b24_alert_show(ngx_http_b24_target_t *target,
    const char *reason, const char *advice);


static ngx_http_b24_target_t  *ngx_http_b24_targets;
static ngx_uint_t              ngx_http_b24_ntargets;

ngx_http_b24_item_t  *ngx_http_b24_items;
ngx_uint_t            ngx_http_b24_nitems;


ngx_int_t
ngx_http_b24_alert_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i, k, n, known;
    ngx_http_b24_target_t   *target;
    ngx_http_b24_origin_t  **op;

    n = bmcf->origins.nelts + 1;

    ngx_http_b24_targets = ngx_pcalloc(cycle->pool,
                                       n * sizeof(ngx_http_b24_target_t));

    n *= NGX_HTTP_B24_ALERT_OWN + NGX_HTTP_B24_ALERT_COMMON;

    ngx_http_b24_items = ngx_pcalloc(cycle->pool,
                                     n * sizeof(ngx_http_b24_item_t));

    if (ngx_http_b24_targets == NULL || ngx_http_b24_items == NULL
        || ngx_http_b24_alert_kept_init(cycle, n) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_b24_ntargets = 0;
    ngx_http_b24_nitems = 0;

    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->origins.nelts; i++) {

        if (op[i]->conf->alert == NULL) {
            continue;
        }

        known = ngx_http_b24_ntargets;
        target = ngx_http_b24_alert_target(op[i]);

        for (k = 0; k < NGX_HTTP_B24_ALERT_OWN; k++) {

            /* the shop's database settles these by itself */

            if (ngx_http_b24_alert_own[k] == B24_ALERT_UNCONFIRMED
                && op[i]->conf->database)
            {
                continue;
            }

            ngx_http_b24_alert_add(op[i], target, ngx_http_b24_alert_own[k]);
        }

        for (k = 0; known < ngx_http_b24_ntargets
                    && k < NGX_HTTP_B24_ALERT_COMMON; k++)
        {
            ngx_http_b24_alert_add(op[i], target,
                                   ngx_http_b24_alert_common[k]);
        }
    }

    return NGX_OK;
}


/* one address, checked by the same certificates, is one target */

static ngx_http_b24_target_t *
ngx_http_b24_alert_target(ngx_http_b24_origin_t *o)
{
    ngx_uint_t              i;
    ngx_http_b24_target_t  *target;

    for (i = 0; i < ngx_http_b24_ntargets; i++) {
        target = &ngx_http_b24_targets[i];

        if (b24_str_eq(&target->conf->url, &o->conf->alert->url)
            && b24_str_eq(&target->certificate, &o->conf->certificate))
        {
            return target;
        }
    }

    target = &ngx_http_b24_targets[ngx_http_b24_ntargets++];

    target->conf = o->conf->alert;
    target->certificate = o->conf->certificate;
    target->call.data = target;
    target->call.silent = 1;
    target->call.run = ngx_http_b24_alert_list;
    target->call.done = ngx_http_b24_alert_listed;

    return target;
}


static void
ngx_http_b24_alert_add(ngx_http_b24_origin_t *o, ngx_http_b24_target_t *target,
    b24_alert_e event)
{
    ngx_http_b24_item_t  *item;

    item = &ngx_http_b24_items[ngx_http_b24_nitems++];

    item->alert.event = event;
    item->origin = o;
    item->target = target;
}


void
ngx_http_b24_alert_begin(void)
{
    ngx_uint_t  i;

    ngx_http_b24_alert_kept_begin();

    for (i = 0; i < ngx_http_b24_ntargets; i++) {
        ngx_http_b24_targets[i].failing = 0;
        ngx_http_b24_alert_show(&ngx_http_b24_targets[i], NULL, NULL);
    }
}


/* the threads are gone */

void
ngx_http_b24_alert_exit(void)
{
    ngx_uint_t  i;

    ngx_http_b24_alert_kept_exit();

    for (i = 0; i < ngx_http_b24_ntargets; i++) {
        b24_pool_destroy(ngx_http_b24_targets[i].pool);
        ngx_http_b24_targets[i].pool = NULL;
    }
}


/* ---- what is the matter ---- */

void
ngx_http_b24_alert_tick(void)
{
    int64_t               now;
    ngx_uint_t            i;
    b24_alert_limits_t    limits;
    ngx_http_b24_item_t  *item;

    if (ngx_http_b24_nitems == 0) {
        return;
    }

    now = ngx_http_b24_now();

    for (i = 0; i < ngx_http_b24_nitems; i++) {
        item = &ngx_http_b24_items[i];

        ngx_http_b24_alert_limits(item, &limits);
        b24_alert_look(&item->alert, &limits, ngx_http_b24_alert_count(item),
                       now);
    }

    for (i = 0; i < ngx_http_b24_ntargets; i++) {
        ngx_http_b24_alert_next(&ngx_http_b24_targets[i], now);
    }

    ngx_http_b24_alert_keep();
}


static ngx_uint_t
ngx_http_b24_alert_is_common(ngx_http_b24_item_t *item)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_B24_ALERT_COMMON; i++) {
        if (ngx_http_b24_alert_common[i] == item->alert.event) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_b24_alert_limits(ngx_http_b24_item_t *item,
    b24_alert_limits_t *limits)
{
    limits->gap = (int64_t) item->origin->conf->alert->gap * 1000;
    limits->again = (int64_t) item->origin->conf->alert->again * 1000;
}


static int64_t
ngx_http_b24_alert_count(ngx_http_b24_item_t *item)
{
    ngx_uint_t              refusing, held;
    ngx_http_b24_sh_t      *sh;
    ngx_http_b24_origin_t  *o;

    o = item->origin;
    sh = ngx_http_b24_sh();

    switch (item->alert.event) {

    case B24_ALERT_BLOCKED:
        return o->portal && !o->conf->webhook->dry
               && o->portal->sh->state == NGX_HTTP_B24_PORTAL_BLOCKED;

    case B24_ALERT_PARKED:
        return (int64_t) o->sh->counts[B24_STATE_PARKED];

    case B24_ALERT_UNCONFIRMED:
        return (int64_t) o->sh->counts[B24_STATE_UNCONFIRMED];

    case B24_ALERT_AGE:
        return !(o->portal && o->conf->webhook->dry)
               && o->sh->oldest
               && ngx_http_b24_alert_oldest(o) >= o->conf->alert->age;

    case B24_ALERT_QUEUE:
        refusing = ngx_http_b24_sh_refusing(&held);
        return (int64_t) (refusing && held ? held : refusing != 0);

    case B24_ALERT_LOST:
        return (int64_t) sh->counters[NGX_HTTP_B24_COUNTER_LOST];

    default:
        return (int64_t) sh->counters[NGX_HTTP_B24_COUNTER_SET_ASIDE];
    }
}


/* for how long it waits, in seconds */

static int64_t
ngx_http_b24_alert_oldest(ngx_http_b24_origin_t *o)
{
    int64_t  age;

    if (o->sh->oldest == 0) {
        return 0;
    }

    age = (int64_t) ngx_time() - (int64_t) o->sh->oldest;

    return ngx_max(age, 0);
}


/* ---- a message ---- */

static void
ngx_http_b24_alert_next(ngx_http_b24_target_t *target, int64_t now)
{
    ngx_uint_t            i, known;
    b24_alert_say_e       say;
    b24_alert_limits_t    limits;
    ngx_http_b24_item_t  *item;

    if (target->item || !b24_alert_may(&target->pace, now)) {
        return;
    }

    /* until the queue was read nobody knows what was told: who is told of its
     * disk doesn't wait for that */

    known = ngx_http_b24_keep_ready() && ngx_http_b24_alert_kept();

    for (i = 0; i < ngx_http_b24_nitems; i++) {
        item = &ngx_http_b24_items[i];

        if (item->target != target
            || (!known && !ngx_http_b24_alert_is_common(item)))
        {
            continue;
        }

        ngx_http_b24_alert_limits(item, &limits);
        say = b24_alert_wants(&item->alert, &limits, now);

        if (say != B24_ALERT_NOTHING) {
            ngx_http_b24_alert_start(item, say);
            return;
        }
    }
}


static void
ngx_http_b24_alert_start(ngx_http_b24_item_t *item, b24_alert_say_e say)
{
    ngx_http_b24_target_t  *target;

    target = item->target;

    target->pool = b24_pool_create(0);
    if (target->pool == NULL) {
        return;
    }

    target->item = item;
    target->say = say;

    ngx_memzero(&target->message, sizeof(b24_alert_message_t));

    if (say == B24_ALERT_RAISE && !ngx_http_b24_alert_is_common(item)) {
        ngx_http_b24_store_call(&target->call);
        return;
    }

    ngx_http_b24_alert_send(target);
}


/* in the thread: of which orders it is, and why */

static void
ngx_http_b24_alert_list(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_target_t  *target = call->data;

    size_t                  n;
    b24_str_t               origin;
    b24_alert_e             event;
    b24_queue_record_t     *records;

    if (q == NULL) {
        return;
    }

    origin = target->item->origin->name;
    event = target->item->alert.event;

    call->rc = (event == B24_ALERT_BLOCKED || event == B24_ALERT_AGE)
               ? b24_queue_list_oldest(q, target->pool, &origin,
                                       B24_ALERT_ORDERS, &records, &n)
               : b24_queue_list(q, target->pool, &origin, 1,
                                event == B24_ALERT_PARKED
                                ? B24_STATE_PARKED : B24_STATE_UNCONFIRMED,
                                B24_ALERT_ORDERS, &records, &n);

    if (call->rc == B24_QUEUE_OK) {
        ngx_http_b24_alert_orders(target, records, n);
    }
}


static void
ngx_http_b24_alert_orders(ngx_http_b24_target_t *target,
    b24_queue_record_t *records, size_t n)
{
    size_t                i;
    b24_str_t            *id;
    b24_alert_message_t  *m;

    m = &target->message;

    for (i = 0; i < n; i++) {
        id = &m->orders[m->norders++];
        *id = records[i].order_id;

        if (id->len == 0) {
            id->data = (u_char *) records[i].key;
            id->len = ngx_strlen(records[i].key);
        }
    }

    if (n) {
        m->cause = records[0].cause;
        m->advice = records[0].advice;
    }
}


static void
ngx_http_b24_alert_listed(ngx_http_b24_call_t *call)
{
    ngx_http_b24_target_t  *target = call->data;

    ngx_http_b24_alert_send(target);
}


static void
ngx_http_b24_alert_send(ngx_http_b24_target_t *target)
{
    b24_alert_t            *alert;
    b24_alert_message_t    *m;
    ngx_http_b24_origin_t  *o;

    m = &target->message;
    o = target->item->origin;
    alert = &target->item->alert;

    m->version = NGX_HTTP_B24_VERSION;
    m->event = alert->event;
    m->say = target->say;
    m->now = ngx_http_b24_now();
    m->since = b24_alert_since(alert);
    m->count = alert->count;

    if (!ngx_http_b24_alert_is_common(target->item)) {
        m->origin = o->name;

        if (o->portal) {
            m->host = o->portal->host;
        }

        m->waiting = (int64_t) (o->sh->counts[B24_STATE_ACCEPTED]
                                + o->sh->counts[B24_STATE_SENDING]
                                + o->sh->counts[B24_STATE_WAITING]);
        m->oldest = ngx_http_b24_alert_oldest(o);

        ngx_http_b24_alert_why(target);
    }

    b24_alert_tried(&target->pace, m->now);

    ngx_http_b24_tell(target);
}


/* what keeps all orders back says more than what keeps one */

static void
ngx_http_b24_alert_why(ngx_http_b24_target_t *target)
{
    u_char                     reason[NGX_HTTP_B24_REASON];
    u_char                     advice[NGX_HTTP_B24_REASON];
    b24_str_t                  cause, cure;
    b24_alert_message_t       *m;
    ngx_http_b24_origin_t     *o;
    ngx_http_b24_sh_portal_t  *sh;

    m = &target->message;
    o = target->item->origin;

    if (m->event != B24_ALERT_BLOCKED && m->event != B24_ALERT_AGE) {
        return;
    }

    m->count = m->waiting;

    if (m->event == B24_ALERT_AGE && o->sh->paused) {
        ngx_str_set(&m->cause, "paused by hand");
        ngx_str_set(&m->advice, "resume the deliveries when they may go on");
        return;
    }

    sh = o->portal ? o->portal->sh : NULL;

    if (sh == NULL || sh->state == NGX_HTTP_B24_PORTAL_OK) {
        return;
    }

    ngx_http_b24_sh_read(&sh->words, reason, advice);

    if (b24_pstrdup(target->pool, &cause, reason, ngx_strlen(reason)) == B24_OK
        && b24_pstrdup(target->pool, &cure, advice, ngx_strlen(advice))
           == B24_OK)
    {
        m->cause = cause;
        m->advice = cure;
    }
}


void
ngx_http_b24_alert_told(ngx_http_b24_target_t *target, const char *error,
    const char *advice)
{
    int64_t      now;
    ngx_uint_t   given_up;
    b24_alert_t  *alert;

    now = ngx_http_b24_now();
    alert = &target->item->alert;

    b24_alert_ended(&target->pace, error == NULL, now);

    if (error == NULL) {
        b24_alert_said(alert, target->say, target->message.since,
                       target->message.count, now);
        given_up = 0;

    } else {
        given_up = b24_alert_unsaid(alert, target->say, now);
    }

    ngx_http_b24_alert_show(target, error ? error : "", advice);

    if (error && !target->failing) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: \"%V\" does not take alerts: %s, it is told again",
                      &target->conf->name, error);

    } else if (error == NULL && target->failing) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "b24: \"%V\" takes alerts again", &target->conf->name);
    }

    if (given_up) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: \"%V\" was not told that \"%s\" is over",
                      &target->conf->name, b24_alert_name(alert->event));
    }

    target->failing = (error != NULL);
    target->item = NULL;

    b24_pool_destroy(target->pool);
    target->pool = NULL;
}


/* reason NULL: it was not called yet, "": it is well */

static void
ngx_http_b24_alert_show(ngx_http_b24_target_t *target, const char *reason,
    const char *advice)
{
    ngx_uint_t                 i;
    ngx_http_b24_item_t       *item;
    ngx_http_b24_sh_origin_t  *sh;

    for (i = 0; i < ngx_http_b24_nitems; i++) {
        item = &ngx_http_b24_items[i];

        if (item->target != target || item->alert.event != B24_ALERT_BLOCKED) {
            continue;
        }

        /* of each origin once */

        sh = item->origin->sh;

        sh->alert = (reason == NULL) ? NGX_HTTP_B24_ALERT_UNUSED
                    : reason[0] ? NGX_HTTP_B24_ALERT_FAILING
                    : NGX_HTTP_B24_ALERT_OK;

        if (reason && reason[0] == '\0') {
            (void) ngx_atomic_fetch_add(&sh->alerted, 1);
        }

        ngx_http_b24_sh_reason(&sh->alert_words, reason, advice);
    }
}
