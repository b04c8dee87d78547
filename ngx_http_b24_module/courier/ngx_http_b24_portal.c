
/*
 * A host of the CRM: its bucket, its breaker, its state.  All of it lies in
 * shared memory, so that the next courier goes on where this one stopped; only
 * the elected courier writes.
 *
 * The breaker is closed (ok), open until "resume" after a failure, and
 * half-open from then on: an order is tried, one at a time.  Of a blocked
 * portal, which needs a person, "profile" is asked before that.
 */


#include "ngx_http_b24_courier.h"


/* a blocked portal is asked again slowly, not hammered */
#define NGX_HTTP_B24_BLOCKED_FIRST  60000
/* QUERY_LIMIT_EXCEEDED and OPERATION_TIME_LIMIT without a time */
#define NGX_HTTP_B24_WAIT           300000
/* of the rate after refusals, in thousandths, at least */
#define NGX_HTTP_B24_EASE_LEAST     125


static void ngx_http_b24_portal_ease(ngx_http_b24_portal_t *portal);
static ngx_msec_t ngx_http_b24_portal_wait(const b24_verdict_t *verdict);


/*
 * The portal's own rule: each request adds 1, above burst it is refused, rate a
 * second flow out.  Kept in thousandths.
 */

ngx_msec_t
ngx_http_b24_portal_take(ngx_http_b24_portal_t *portal)
{
    ngx_msec_t  ms;

    ms = ngx_http_b24_portal_room(portal, 0);

    if (ms == 0) {
        portal->sh->level += 1000;
    }

    return ms;
}


ngx_msec_t
ngx_http_b24_portal_room(ngx_http_b24_portal_t *portal, ngx_uint_t spare)
{
    ngx_uint_t                 level, full, rate;
    ngx_http_b24_sh_portal_t  *sh;

    sh = portal->sh;

    rate = ngx_http_b24_sh_rate(sh, portal->limits.rate);
    level = ngx_http_b24_sh_level(sh, portal->limits.rate);
    full = portal->limits.burst * 1000;
    full -= ngx_min(spare * 1000, full - 1000);

    sh->level = level;
    sh->last = ngx_current_msec;

    if (level + 1000 > full) {
        return (level + 1000 - full) * 1000 / rate + 1;
    }

    return 0;
}


/* what was learned with another window is of no use */

void
ngx_http_b24_portal_pace(ngx_http_b24_portal_t *portal)
{
    b24_pace_t  *pace;

    pace = &portal->sh->pace;

    if (pace->window != (int64_t) portal->limits.window) {
        b24_pace_init(pace, (int64_t) portal->limits.window, B24_PACE_BUCKETS);
    }
}


void
ngx_http_b24_portal_sent(ngx_http_b24_portal_t *portal, b24_batch_t *batch)
{
    b24_pace_sent(&portal->sh->pace, batch, ngx_http_b24_now());
    (void) ngx_atomic_fetch_add(&portal->sh->paced, 1);
}


void
ngx_http_b24_portal_learn(ngx_http_b24_portal_t *portal, b24_batch_t *batch,
    const char *method, const b24_answer_t *answer)
{
    if (batch) {
        b24_pace_learn(&portal->sh->pace, batch, answer, ngx_http_b24_now());

    } else {
        b24_pace_learn_call(&portal->sh->pace, method, answer,
                            ngx_http_b24_now());
    }

    (void) ngx_atomic_fetch_add(&portal->sh->paced, 1);
}


/* a fifth of the bucket */

ngx_uint_t
ngx_http_b24_portal_share(ngx_http_b24_portal_t *portal)
{
    return portal->limits.burst / 5;
}


/* others behind this address, and applications of the portal, fill the same
 * bucket: the rate is halved, down to an eighth, see ngx_http_b24_sh_rate() */

static void
ngx_http_b24_portal_ease(ngx_http_b24_portal_t *portal)
{
    ngx_uint_t                 rate;
    ngx_http_b24_sh_portal_t  *sh;

    sh = portal->sh;

    rate = ngx_http_b24_sh_rate(sh, 1000) / 2;

    sh->ease = 1000 - ngx_max(rate, NGX_HTTP_B24_EASE_LEAST);
    sh->eased = ngx_current_msec;

    /* it says that the bucket is full, whatever we have thought */

    sh->level = portal->limits.burst * 1000;
    sh->last = ngx_current_msec;
}


ngx_msec_t
ngx_http_b24_portal_paused(ngx_http_b24_portal_t *portal)
{
    ngx_msec_int_t  ms;

    if (portal->sh->resume == 0) {
        return 0;
    }

    ms = (ngx_msec_int_t) ((ngx_msec_t) portal->sh->resume
                           - ngx_current_msec);

    return (ms > 0) ? (ngx_msec_t) ms : 0;
}


void
ngx_http_b24_portal_result(ngx_http_b24_portal_t *portal, b24_net_e net,
    const b24_verdict_t *verdict)
{
    ngx_http_b24_result_e  result;

    if (net != B24_NET_OK) {
        result = NGX_HTTP_B24_RESULT_NETWORK;

    } else if (verdict && verdict->class == B24_CLASS_OK) {
        result = NGX_HTTP_B24_RESULT_OK;

    } else if (verdict
               && (verdict->class == B24_CLASS_WAIT
                   || b24_str_eqs(&verdict->code, "QUERY_LIMIT_EXCEEDED")))
    {
        result = NGX_HTTP_B24_RESULT_LIMIT;

    } else {
        result = NGX_HTTP_B24_RESULT_ERROR;
    }

    (void) ngx_atomic_fetch_add(&portal->sh->results[result], 1);

    if (verdict && b24_str_eqs(&verdict->code, "QUERY_LIMIT_EXCEEDED")) {
        ngx_http_b24_portal_ease(portal);
    }
}


void
ngx_http_b24_portal_good(ngx_http_b24_portal_t *portal)
{
    ngx_http_b24_sh_portal_t  *sh;

    sh = portal->sh;

    sh->failures = 0;
    sh->resume = 0;

    if (sh->state != NGX_HTTP_B24_PORTAL_OK) {
        sh->state = NGX_HTTP_B24_PORTAL_OK;
        ngx_http_b24_sh_reason(&sh->words, NULL, NULL);

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "b24: the portal \"%V\" takes orders again",
                      &portal->host);
    }
}


ngx_msec_t
ngx_http_b24_portal_bad(ngx_http_b24_portal_t *portal,
    ngx_http_b24_srv_conf_t *bscf, const b24_verdict_t *verdict,
    const char *reason, const char *advice)
{
    ngx_msec_t                 ms;
    ngx_uint_t                 left, blocked;
    ngx_str_t                  why;
    ngx_http_b24_sh_portal_t  *sh;

    static ngx_http_b24_quiet_t  quiet;

    sh = portal->sh;

    (void) ngx_atomic_fetch_add(&sh->failures, 1);
    (void) ngx_atomic_fetch_add(&sh->errors, 1);

    ms = ngx_http_b24_backoff(bscf, sh->failures);

    /* what a person has to do stays, whatever comes on top of it */

    blocked = (sh->state == NGX_HTTP_B24_PORTAL_BLOCKED
               && verdict->class != B24_CLASS_OPERATOR);

    if (verdict->class == B24_CLASS_WAIT) {
        ms = ngx_http_b24_portal_wait(verdict);

    } else if (verdict->class == B24_CLASS_OPERATOR || blocked) {
        ms = ngx_max(ms, NGX_HTTP_B24_BLOCKED_FIRST);
        ms = ngx_min(ms, bscf->retry_max);

        /* several hosts of one portal don't ask all at once */

        ms -= (ngx_msec_t) ngx_random() % (ms / 8 + 1);
    }

    if (!blocked) {
        sh->state = (verdict->class == B24_CLASS_WAIT)
                    ? NGX_HTTP_B24_PORTAL_THROTTLED
                    : (verdict->class == B24_CLASS_OPERATOR)
                    ? NGX_HTTP_B24_PORTAL_BLOCKED
                    : NGX_HTTP_B24_PORTAL_RETRYING;

        ngx_http_b24_sh_reason(&sh->words, reason, advice);
    }

    sh->resume = ngx_current_msec + ms;

    if (sh->resume == 0) {
        sh->resume = 1;
    }

    if (verdict->http == 0) {
        why.data = (u_char *) reason;
        why.len = ngx_strlen(reason);

    } else {
        why = ngx_http_b24_safe_code(verdict);
    }

    if (ngx_http_b24_quiet(&quiet, &left)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: the portal \"%V\" takes no orders: %V, next try "
                      "in %M ms, %ui failures in a row",
                      &portal->host, &why, ms, sh->failures);
    }

    return ms;
}


void
ngx_http_b24_portal_refused(ngx_http_b24_portal_t *portal,
    ngx_http_b24_srv_conf_t *bscf, ngx_http_b24_transfer_t *t,
    const b24_verdict_t *verdict)
{
    char  reason[NGX_HTTP_B24_REASON];

    ngx_http_b24_reason(t, verdict, reason, sizeof(reason));

    (void) ngx_http_b24_portal_bad(portal, bscf, verdict, reason,
                                   t->advice ? t->advice : verdict->advice);

    /* the page tells already */

    if (verdict->class == B24_CLASS_OPERATOR
        || verdict->class == B24_CLASS_CHECK || t->net != B24_NET_OK)
    {
        portal->sh->resume = 0;
    }
}


/*
 * Until the portal's own time, by its own clock when the answer tells that; a
 * time that has passed, or is more than an hour away, is none.
 */

static ngx_msec_t
ngx_http_b24_portal_wait(const b24_verdict_t *verdict)
{
    int64_t  ms;

    ms = verdict->reset_at * 1000
         - (verdict->now ? verdict->now * 1000 : ngx_http_b24_now());

    if (verdict->reset_at == 0 || ms <= 0 || ms > 3600 * 1000) {
        return NGX_HTTP_B24_WAIT;
    }

    return (ngx_msec_t) ms;
}


void
ngx_http_b24_reason(ngx_http_b24_transfer_t *t, const b24_verdict_t *verdict,
    char *text, size_t size)
{
    u_char  *p, *last;

    p = (u_char *) text;
    last = p + size - 1;

    if (t->net != B24_NET_OK && t->error) {

        /* nobody has answered; curl knows more about why */

        p = ngx_slprintf(p, last, "%s", t->error);

    } else if (verdict->code.len || verdict->text.len) {
        p = ngx_slprintf(p, last, "Bitrix24 answered %V%s%V",
                         &verdict->code,
                         (verdict->code.len && verdict->text.len) ? ": " : "",
                         &verdict->text);

    } else if (verdict->http) {
        p = ngx_slprintf(p, last, "the portal answered %ud without saying "
                         "why", verdict->http);

    } else {
        p = ngx_slprintf(p, last, "the request could not be sent");
    }

    *p = '\0';
}


ngx_str_t
ngx_http_b24_safe_code(const b24_verdict_t *verdict)
{
    size_t     i;
    u_char     ch;
    ngx_str_t  code;

    code = verdict->code;

    for (i = 0; i < code.len; i++) {
        ch = code.data[i] | 0x20;

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9')
            && code.data[i] != '_')
        {
            break;
        }
    }

    if (i < code.len || code.len == 0) {
        ngx_str_set(&code, "an error without a code");
    }

    return code;
}


/* first, doubled each time, at most max; a quarter up or down by chance */

ngx_msec_t
ngx_http_b24_backoff(ngx_http_b24_srv_conf_t *bscf, ngx_uint_t n)
{
    ngx_msec_t  ms;

    ms = bscf->retry_first;

    while (n > 1 && ms < bscf->retry_max) {
        ms *= 2;
        n--;
    }

    ms = ngx_min(ms, bscf->retry_max);

    ms = ms * 3 / 4 + (ngx_msec_t) ngx_random() % (ms / 2 + 1);

    return ngx_max(ms, 1);
}
