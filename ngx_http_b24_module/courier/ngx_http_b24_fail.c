
/*
 * What becomes of an order that the portal, or our own side, refuses.
 */


#include "ngx_http_b24_lane.h"


#define NGX_HTTP_B24_STRIKES    3
#define NGX_HTTP_B24_OTHER_API  3600    /* s the other b24_api is kept to */


static void ngx_http_b24_park(ngx_http_b24_lane_t *lane, const b24_verdict_t
    *verdict);
static ngx_uint_t ngx_http_b24_strike(ngx_http_b24_lane_t *lane);


void
ngx_http_b24_lane_fail(ngx_http_b24_lane_t *lane, b24_verdict_t *verdict,
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

        lane->road->refused = bscf;
    }

    lane->road->proven = 0;

    ms = lane->slot ? ngx_http_b24_slot_bad(lane, verdict)
                    : ngx_http_b24_portal_bad(lane->portal, bscf, verdict,
                                              lane->cause, verdict->advice);

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

    ngx_http_b24_lane_outcome(lane, B24_STATE_WAITING);
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
    ngx_http_b24_lane_outcome(lane, B24_STATE_PARKED);
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
        s = &lane->road->suspects[i];

        if (s->record != lane->job.record) {
            continue;
        }

        if (s->passed) {
            s->passed = 0;
            s->strikes++;
        }

        return s->strikes >= NGX_HTTP_B24_STRIKES;
    }

    s = &lane->road->suspects[lane->road->suspect++ % NGX_HTTP_B24_SUSPECTS];

    s->record = lane->job.record;
    s->strikes = 1;
    s->passed = 0;

    return 0;
}


void
ngx_http_b24_lane_good(ngx_http_b24_lane_t *lane)
{
    ngx_uint_t               i;
    ngx_http_b24_suspect_t  *s;

    ngx_http_b24_portal_good(lane->portal);

    /* others may have turned meanwhile, too */

    if (lane->turned) {
        lane->origin->other_api =
            (lane->set.universal != lane->origin->conf->api)
            ? ngx_time() + NGX_HTTP_B24_OTHER_API : 0;
    }

    for (i = 0; i < NGX_HTTP_B24_SUSPECTS; i++) {
        s = &lane->road->suspects[i];

        if (s->record == lane->job.record) {
            s->record = 0;

        } else {
            s->passed = 1;
        }
    }
}


/* our own side can't go on with this order */

void
ngx_http_b24_lane_broken(ngx_http_b24_lane_t *lane, const char *cause)
{
    lane->unsure = 1;
    lane->out.cause = cause;
    lane->out.advice = "look at the order on this page and in the shop, then "
                       "retry or enter it by hand";

    ngx_http_b24_lane_outcome(lane, B24_STATE_PARKED);
}
