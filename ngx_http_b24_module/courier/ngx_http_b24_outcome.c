
/*
 * What became of an order is written down, and the lane is free again.
 */


#include "ngx_http_b24_lane.h"


#define NGX_HTTP_B24_AGAIN  1000    /* ms; the disk after a failure */


static void ngx_http_b24_outcome_seen(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_settle_doubts(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_remarks(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_learn(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_outcome_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_outcome_done(ngx_http_b24_call_t *call);


void
ngx_http_b24_lane_outcome(ngx_http_b24_lane_t *lane, b24_state_e state)
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
        ngx_http_b24_lane_good(lane);

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

        if (lane->portal->watch && lane->job.kind == B24_EV_NEW) {
            out->watch = lane->portal->host;
        }

        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "b24: %s delivered as deal %L", lane->job.key,
                      (int64_t) known->deal);
    }

    ngx_http_b24_settle_doubts(lane);
    ngx_http_b24_lane_put(lane);
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

    /* one that was there already, or can't be read, was made some time ago */

    if (seen->sent.len && lane->known.stage.len == 0) {
        seen->sent_time = lane->job.accepted;
    }

    /* at another stage than a portal has that knows both: it was moved as it
     * was made, by a robot or a person, and that is to be found */

    if (seen->sent.len == 0 || b24_str_eq(&lane->known.stage, &seen->sent)
        || !b24_crm_stages_told(&lane->set))
    {
        seen->held = lane->known.stage;
        seen->held_time = seen->held.len ? now : 0;
    }

    /* and a later total, and later goods */

    if (b24_crm_told(lane->pool, lane->order, seen) != B24_OK) {
        ngx_str_null(&seen->total);
        ngx_str_null(&seen->goods);
        ngx_str_null(&seen->sent_total);
        ngx_str_null(&seen->sent_rows);
    }

    lane->out.seen = seen;
}


void
ngx_http_b24_lane_put(ngx_http_b24_lane_t *lane)
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

        if (lane->out.watch.len) {
            (void) ngx_atomic_fetch_add(&lane->portal->sh->told, 1);
        }
    }

    ngx_http_b24_lane_free(lane);
    ngx_http_b24_road_kick(lane->road);
}


/* what may be over in a moment, and says nothing about the record */

ngx_uint_t
ngx_http_b24_disk_failed(b24_queue_rc_e rc)
{
    return rc == B24_QUEUE_BUSY || rc == B24_QUEUE_FULL
           || rc == B24_QUEUE_READONLY || rc == B24_QUEUE_IO;
}
