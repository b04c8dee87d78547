
/*
 * What a deal that was moved means for the order in the shop, as both are now,
 * and how the order is known afterwards.
 */


#include "ngx_http_b24_back.h"


static ngx_uint_t ngx_http_b24_back_foreign(ngx_http_b24_back_t *b);
static void ngx_http_b24_weigh_told(ngx_http_b24_back_t *b, int64_t time);
static ngx_int_t ngx_http_b24_weigh_ask(ngx_http_b24_back_t *b);


void
ngx_http_b24_back_weigh(ngx_http_b24_back_t *b)
{
    b24_back_e  back;

    static b24_str_t  refused = b24_string("the shop has refused this status "
                                           "before");

    back = b24_crm_back(b->pool, &b->set, &b->order, &b->job.seen, &b->status);

    if (back == B24_BACK_ERROR) {
        ngx_http_b24_back_broken(b);
        return;
    }

    /* nobody has told yet that the shop has changed it */

    if (back == B24_BACK_WRITE && b->read && ngx_http_b24_back_foreign(b)
        && ngx_http_b24_back_newer(b))
    {
        back = B24_BACK_OLDER;

        if (ngx_http_b24_back_look(b) != NGX_OK) {
            ngx_http_b24_back_broken(b);
            return;
        }

    } else if (back == B24_BACK_OLDER && ngx_http_b24_weigh_ask(b) != NGX_OK) {
        ngx_http_b24_back_broken(b);
        return;
    }

    if (back != B24_BACK_WRITE) {
        ngx_http_b24_back_none(b, back);
        return;
    }

    if (b->job.steps[B24_STEP_BACK] == B24_STEP_SKIPPED) {
        ngx_http_b24_back_end(b, B24_STATE_PARKED, &refused,
                              "see in the timeline why, then retry, or drop "
                              "the change");
        return;
    }

    b->weighed.status = b->order.fields[B24_ORDER_STATUS];
    b->weighed.canceled = b->order.fields[B24_ORDER_CANCELED];
    b->weighed.paid = b->order.fields[B24_ORDER_PAID];
    b->weighed.shipped = b->order.fields[B24_ORDER_SHIPPED];
    b->weighed.stated = b->moment.stated;

    ngx_http_b24_back_write(b);
}


/* a call of which nobody knows how it has ended may have done some of it */

static ngx_uint_t
ngx_http_b24_back_foreign(ngx_http_b24_back_t *b)
{
    if (b->job.steps[B24_STEP_BACK] != B24_STEP_SENT
        || ngx_http_b24_back_again(b, &b->job.seen))
    {
        return ngx_http_b24_back_other(b, &b->job.seen);
    }

    return !b24_crm_back_ours(&b->order, &b->job.seen, &b->status);
}


ngx_uint_t
ngx_http_b24_back_other(ngx_http_b24_back_t *b, b24_queue_seen_t *was)
{
    return !b24_crm_back_same(&b->order, was)
           || b24_queue_seen_restated(was, &b->moment.stated);
}


ngx_uint_t
ngx_http_b24_back_again(ngx_http_b24_back_t *b, b24_queue_seen_t *was)
{
    return b24_crm_back_same(&b->order, was)
           && b24_queue_seen_restated(was, &b->moment.stated);
}


/* what the shop has changed, and nobody has told of; the newer one where its
 * time isn't known */

ngx_uint_t
ngx_http_b24_back_newer(ngx_http_b24_back_t *b)
{
    b->out.look_time = ngx_http_b24_database_stated(b->origin->reader,
                                                    &b->moment, &b->job.seen,
                                                    b->now);

    return b->out.look_time == 0 || b->out.look_time >= b->job.seen.moved;
}


void
ngx_http_b24_back_none(ngx_http_b24_back_t *b, b24_back_e back)
{
    u_char      *p, note[256];
    b24_str_t    text;
    const char  *advice;

    if (b24_crm_back_words(b->pool, back, &b->job.seen, &b->status, &text,
                           &advice)
        != B24_OK)
    {
        ngx_http_b24_back_broken(b);
        return;
    }

    if (back == B24_BACK_NOTHING || back == B24_BACK_THERE) {

        /* why it was tried before is no matter any more */

        b->out.idle = (b->job.attempts < 2);
    }

    /* both sides agree */

    if (back == B24_BACK_THERE && b->read) {
        ngx_http_b24_back_seen(b);
    }

    if (back == B24_BACK_UNKNOWN) {
        p = ngx_snprintf(note, sizeof(note) - 1, "the stage \"%V\" stands for "
                         "no status of the shop: its orders are left as they "
                         "are; add \"b24_stage_back\" with that stage and the "
                         "status", &b->job.seen.held);
        *p = '\0';

        if (ngx_http_b24_sh_note(b->origin->sh, note)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: origin \"%V\": %s", &b->origin->name, note);
        }
    }

    ngx_http_b24_back_end(b, B24_STATE_DELIVERED, &text, advice);
}


void
ngx_http_b24_back_seen(ngx_http_b24_back_t *b)
{
    ngx_http_b24_weigh_told(b, ngx_max(b->job.seen.moved, 1));

    b->seen.settled = 1;
}


/* what the shop has, and since when */

static void
ngx_http_b24_weigh_told(ngx_http_b24_back_t *b, int64_t time)
{
    b24_str_t         *f;
    b24_queue_seen_t  *seen;

    f = b->order.fields;
    seen = &b->seen;

    seen->status = f[B24_ORDER_STATUS];
    seen->canceled = f[B24_ORDER_CANCELED];
    seen->paid = f[B24_ORDER_PAID];
    seen->shipped = f[B24_ORDER_SHIPPED];
    seen->stated = b->moment.stated;
    seen->time = time;

    b->out.seen = seen;
}


ngx_int_t
ngx_http_b24_back_look(ngx_http_b24_back_t *b)
{
    /* or one that is back as it was by then would be no news */

    ngx_http_b24_weigh_told(b, b->out.look_time ? b->out.look_time : b->now);

    b->seen.unsettled = 1;

    return ngx_http_b24_weigh_ask(b);
}


/* whatever has told of it: a worker of an older version knows no lines */

static ngx_int_t
ngx_http_b24_weigh_ask(ngx_http_b24_back_t *b)
{
    b24_order_t  order;

    ngx_memzero(&order, sizeof(b24_order_t));

    order.shop = b->order.shop;
    order.generated = b->order.generated;
    order.fields[B24_ORDER_ID] = b->order.fields[B24_ORDER_ID];
    order.fields[B24_ORDER_ROW] = b->order.fields[B24_ORDER_ROW];

    return b24_order_print(b->pool, &order, &b->out.look) == B24_OK
           ? NGX_OK : NGX_ERROR;
}
