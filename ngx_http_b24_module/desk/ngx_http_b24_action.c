
/*
 * What a person does here: retry, send and drop an order, retry all that are
 * parked, pause and resume deliveries, check a portal.  The queue's part is
 * done in its thread, also when the person has gone away meanwhile; then the
 * courier, in whatever worker, is woken.
 *
 * An action that was done before is answered as if it were done now, and
 * changes nothing: a button may be pressed twice.
 */


#include "ngx_http_b24_desk.h"


#define NGX_HTTP_B24_PARKED  200    /* retried in one go; orders of the shop
                                       don't wait for longer */


static void ngx_http_b24_action_by_hand(ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_action_check(ngx_http_b24_desk_t *desk);

static void ngx_http_b24_action_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_action_order(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_action_do(ngx_http_b24_desk_t *desk,
    b24_queue_t *q, b24_queue_record_t *record);
static void ngx_http_b24_action_again(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);
static ngx_uint_t ngx_http_b24_action_repeated(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);
static const char *ngx_http_b24_action_why(ngx_http_b24_action_e action,
    b24_queue_record_t *record);
static void ngx_http_b24_action_parked(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);
static b24_queue_rc_e ngx_http_b24_action_names_of(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);
static void ngx_http_b24_action_pause(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);

static void ngx_http_b24_action_done(ngx_http_b24_call_t *call);
static void ngx_http_b24_action_wake(ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_action_answer(ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_action_failed(ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_action_json(ngx_http_b24_desk_t *desk);
static void ngx_http_b24_action_left(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static ngx_int_t ngx_http_b24_action_see(ngx_http_b24_desk_t *desk);


/* what the timeline says of it, and a repetition is told by */
static const char  *ngx_http_b24_action_words[] = {
    "retried", "sent", "dropped", "retried", "paused", "resumed", "checked"
};


ngx_int_t
ngx_http_b24_action(ngx_http_b24_desk_t *desk)
{
    const char  *refusal;

    refusal = ngx_http_b24_site_refusal(desk->request);

    if (refusal) {
        return ngx_http_b24_desk_say(desk, NGX_HTTP_FORBIDDEN, refusal);
    }

    ngx_http_b24_action_by_hand(desk);

    if (desk->action == NGX_HTTP_B24_DO_CHECK) {
        return ngx_http_b24_action_check(desk);
    }

    desk->call.run = ngx_http_b24_action_run;
    desk->call.done = ngx_http_b24_action_done;

    ngx_http_b24_desk_suspend(desk);

    return NGX_DONE;
}


/* "retried by hand from 192.0.2.1", to last longer than the connection */

static void
ngx_http_b24_action_by_hand(ngx_http_b24_desk_t *desk)
{
    u_char  *p;

    p = ngx_slprintf(desk->by_hand, desk->by_hand + NGX_HTTP_B24_BY_HAND - 1,
                     "%s by hand from %V",
                     ngx_http_b24_action_words[desk->action],
                     &desk->request->connection->addr_text);
    *p = '\0';
}


/* the courier may be another process: it looks at the count when it is woken */

static ngx_int_t
ngx_http_b24_action_check(ngx_http_b24_desk_t *desk)
{
    ngx_uint_t                i, j;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_portal_t   **pp;

    pp = ngx_http_b24_main->portals.elts;

    for (i = 0; i < ngx_http_b24_main->portals.nelts; i++) {
        op = pp[i]->origins.elts;

        for (j = 0; j < pp[i]->origins.nelts; j++) {

            if (ngx_http_b24_desk_shows(desk, &op[j]->name)) {
                (void) ngx_atomic_fetch_add(&pp[i]->sh->checks, 1);
                desk->count++;
                break;
            }
        }
    }

    if (desk->count == 0) {
        return ngx_http_b24_desk_say(desk, NGX_HTTP_CONFLICT, "there is no "
                                     "portal to ask: there is no b24_webhook");
    }

    ngx_http_b24_courier_wake();

    return ngx_http_b24_action_answer(desk);
}


/* ---- in the thread ---- */

static void
ngx_http_b24_action_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_desk_t  *desk = call->data;

    desk->rc = call->rc;

    if (q == NULL) {
        return;
    }

    switch (desk->action) {

    case NGX_HTTP_B24_DO_RETRY_ALL:
        ngx_http_b24_action_parked(desk, q);
        break;

    case NGX_HTTP_B24_DO_PAUSE:
    case NGX_HTTP_B24_DO_RESUME:
        ngx_http_b24_action_pause(desk, q);
        break;

    default:
        ngx_http_b24_action_order(desk, q);
        break;
    }
}


static void
ngx_http_b24_action_order(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    ngx_http_b24_desk_find(desk, q);

    if (desk->rc != B24_QUEUE_OK || desk->nrecords != 1) {
        return;
    }

    desk->rc = ngx_http_b24_action_do(desk, q, &desk->records[0]);

    switch (desk->rc) {

    case B24_QUEUE_OK:
        desk->changed = 1;
        break;

    case B24_QUEUE_NONE:
        ngx_http_b24_action_again(desk, q);
        break;

    case B24_QUEUE_LIMIT:
        desk->rc = B24_QUEUE_OK;
        desk->refusal = desk->records[0].state == B24_STATE_UNCONFIRMED
                        ? "the shop's database has brought an order of this "
                          "buyer and total in the meantime: it has a deal of "
                          "its own, drop this one"
                        : "another order has this number already: give it "
                          "another suffix=";
        break;

    default:
        break;
    }
}


static b24_queue_rc_e
ngx_http_b24_action_do(ngx_http_b24_desk_t *desk, b24_queue_t *q,
    b24_queue_record_t *record)
{
    const char             *by_hand;
    ngx_http_b24_origin_t  *o;

    by_hand = (char *) desk->by_hand;

    switch (desk->action) {

    case NGX_HTTP_B24_DO_RETRY:

        /* its portal may be at work on a request so long */

        o = ngx_http_b24_origin_find(&ngx_http_b24_main->origins,
                                     &record->origin);

        return b24_queue_retry(q, record->key,
                               o ? (int64_t) o->conf->retry_unknown : 0,
                               by_hand, desk->now, &desk->state_now);

    case NGX_HTTP_B24_DO_SEND:
        desk->state_now = B24_STATE_ACCEPTED;

        return b24_queue_send(q, desk->pool, record->key, &desk->suffix,
                              by_hand, desk->now, &desk->origin_id);

    default:
        desk->state_now = B24_STATE_REJECTED;

        return b24_queue_drop(q, record->key, by_hand, desk->now);
    }
}


/* it was not done: it had been before, or the order's state is a wrong one */

static void
ngx_http_b24_action_again(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    ngx_http_b24_desk_find(desk, q);

    if (desk->rc != B24_QUEUE_OK || desk->nrecords != 1) {
        return;
    }

    if (ngx_http_b24_action_repeated(desk, q)) {
        desk->state_now = desk->records[0].state;
        desk->origin_id = desk->records[0].origin_id;
        return;
    }

    desk->refusal = ngx_http_b24_action_why(desk->action, &desk->records[0]);
}


static ngx_uint_t
ngx_http_b24_action_repeated(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    u_char              *p;
    size_t               i, len;
    b24_str_t           *cause, suffix;
    b24_queue_record_t  *record;

    record = &desk->records[0];

    /* it did what it should */

    if (record->state != B24_STATE_ACCEPTED
        && record->state != B24_STATE_SENDING
        && record->state != B24_STATE_DELIVERED
        && record->state != B24_STATE_REJECTED)
    {
        return 0;
    }

    /* with another suffix it is no repetition */

    if (desk->suffix.len && record->origin_id.len > record->order_id.len) {
        suffix.data = record->origin_id.data + record->order_id.len + 1;
        suffix.len = record->origin_id.len - record->order_id.len - 1;

        if (!b24_str_eq(&suffix, &desk->suffix)) {
            return 0;
        }
    }

    if (b24_queue_timeline(q, desk->pool, 0, record->key, &desk->moments,
                           &desk->nmoments)
        != B24_QUEUE_OK)
    {
        return 0;
    }

    p = (u_char *) ngx_strstr(desk->by_hand, " from ");
    len = p - desk->by_hand;

    for (i = 0; i < desk->nmoments; i++) {
        cause = &desk->moments[i].cause;

        if (cause->len > len
            && ngx_strncmp(cause->data, desk->by_hand, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static const char *
ngx_http_b24_action_why(ngx_http_b24_action_e action,
    b24_queue_record_t *record)
{
    switch (record->state) {

    case B24_STATE_CAPTURED:
        return "the shop has not answered to the order yet";

    case B24_STATE_ACCEPTED:
        return (action == NGX_HTTP_B24_DO_DROP)
               ? "the order is to be delivered: only one that waits, is parked "
                 "or unconfirmed can be dropped"
               : "the order is to be delivered already";

    case B24_STATE_SENDING:
        return "the order is being delivered now";

    case B24_STATE_WAITING:
        return "the order waits to be tried again: retry it or drop it";

    case B24_STATE_PARKED:
        return (action == NGX_HTTP_B24_DO_SEND)
               ? "the order is not parked for its number: retry it or drop it"
               : "the order's number was another one's already: send it, with "
                 "a number of its own, or drop it";

    case B24_STATE_UNCONFIRMED:
        return "nobody has seen the shop accept the order: send it or drop it";

    case B24_STATE_DELIVERED:
        return (action == NGX_HTTP_B24_DO_DROP)
               ? "the order is delivered: delete its deal in Bitrix24"
               : "the order is delivered already";

    default:
        return "the order was dropped, what it held is erased";
    }
}


static void
ngx_http_b24_action_parked(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    int  n;

    if (desk->names == NULL) {
        desk->rc = ngx_http_b24_action_names_of(desk, q);
        if (desk->rc != B24_QUEUE_OK) {
            return;
        }
    }

    if (desk->nnames == 0) {
        return;
    }

    desk->rc = b24_queue_retry_parked(q, desk->names, &desk->cursor,
                                      NGX_HTTP_B24_PARKED,
                                      (char *) desk->by_hand, desk->now, &n);
    if (desk->rc != B24_QUEUE_OK) {
        return;
    }

    desk->count += n;

    if (n) {
        desk->changed = 1;
    }

    if (n < NGX_HTTP_B24_PARKED) {
        desk->rc = b24_queue_parked_left(q, desk->pool, desk->names,
                                         desk->left, &desk->nleft);
        desk->names++;
        desk->nnames--;

        ngx_memzero(&desk->cursor, sizeof(b24_queue_cursor_t));
    }
}


/* those shown; also such as are no longer configured */

static b24_queue_rc_e
ngx_http_b24_action_names_of(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    size_t               i, n;
    int64_t              change;
    b24_queue_rc_e       rc;
    b24_queue_counts_t  *counts;

    rc = b24_queue_counts(q, desk->pool, &counts, &n, &change);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    desk->names = b24_palloc(desk->pool, (n + 1) * sizeof(b24_str_t));
    if (desk->names == NULL) {
        return B24_QUEUE_NOMEM;
    }

    for (i = 0; i < n; i++) {

        if (counts[i].counts[B24_STATE_PARKED]
            && ngx_http_b24_desk_shows(desk, &counts[i].origin))
        {
            desk->names[desk->nnames++] = counts[i].origin;
        }
    }

    return B24_QUEUE_OK;
}


static void
ngx_http_b24_action_pause(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    int                       changed;
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

        if (!ngx_http_b24_desk_shows(desk, &op[i]->name)) {
            continue;
        }

        desk->rc = b24_queue_pause(q, &op[i]->name,
                                   desk->action == NGX_HTTP_B24_DO_PAUSE,
                                   (char *) desk->by_hand, desk->now,
                                   &changed);
        if (desk->rc != B24_QUEUE_OK) {
            return;
        }

        desk->count++;

        if (changed) {
            desk->changed = 1;
        }
    }
}


/* ---- on the event loop ---- */

static void
ngx_http_b24_action_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_desk_t  *desk = call->data;

    /* the next part; requests and orders come in between */

    if (desk->rc == B24_QUEUE_OK && desk->nnames) {
        ngx_http_b24_store_call(&desk->call);
        return;
    }

    desk->request->main->blocked--;

    if (desk->changed) {
        ngx_http_b24_action_wake(desk);
    }

    ngx_http_b24_desk_resume(desk, ngx_http_b24_action_answer(desk));
}


static void
ngx_http_b24_action_wake(ngx_http_b24_desk_t *desk)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

        if (op[i]->portal == NULL
            || !ngx_http_b24_desk_shows(desk, &op[i]->name)
            || (desk->nrecords == 1
                && !b24_str_eq(&op[i]->name, &desk->records[0].origin)))
        {
            continue;
        }

        if (desk->action == NGX_HTTP_B24_DO_PAUSE
            || desk->action == NGX_HTTP_B24_DO_RESUME)
        {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "b24: deliveries of \"%V\": %s", &op[i]->name,
                          desk->by_hand);
        }

        /* whoever presses a button has removed the cause, so it is tried now */

        if (desk->action != NGX_HTTP_B24_DO_PAUSE
            && desk->action != NGX_HTTP_B24_DO_DROP)
        {
            (void) ngx_atomic_fetch_add(&op[i]->portal->sh->nudges, 1);
        }
    }

    ngx_http_b24_courier_wake();
}


static ngx_int_t
ngx_http_b24_action_answer(ngx_http_b24_desk_t *desk)
{
    if (desk->rc != B24_QUEUE_OK) {
        return ngx_http_b24_action_failed(desk);
    }

    if (ngx_http_b24_action_of_order(desk->action) && desk->nrecords > 1) {
        return ngx_http_b24_desk_page(desk, NGX_HTTP_CONFLICT);
    }

    if (desk->refusal) {
        return ngx_http_b24_desk_say(desk, NGX_HTTP_CONFLICT, desk->refusal);
    }

    if (desk->count == 0 && (desk->action == NGX_HTTP_B24_DO_PAUSE
                             || desk->action == NGX_HTTP_B24_DO_RESUME))
    {
        return ngx_http_b24_desk_say(desk, NGX_HTTP_NOT_FOUND,
                                     "there is no such origin");
    }

    return (desk->format == NGX_HTTP_B24_DESK_HTML)
           ? ngx_http_b24_action_see(desk) : ngx_http_b24_action_json(desk);
}


static ngx_int_t
ngx_http_b24_action_failed(ngx_http_b24_desk_t *desk)
{
    u_char  *p, text[256];

    if (desk->rc == B24_QUEUE_NONE) {
        return ngx_http_b24_desk_say(desk, NGX_HTTP_NOT_FOUND,
                                     "there is no such order");
    }

    p = ngx_snprintf(text, sizeof(text) - 1, "the queue refuses it: %s",
                     b24_queue_strerror(desk->rc));
    *p = '\0';

    return ngx_http_b24_desk_say(desk, NGX_HTTP_SERVICE_UNAVAILABLE,
                                 (char *) text);
}


static ngx_int_t
ngx_http_b24_action_json(ngx_http_b24_desk_t *desk)
{
    b24_buf_t  out;

    b24_buf_init(&out, desk->pool);

    b24_buf_adds(&out, "{\"ok\":true,");

    if (ngx_http_b24_action_of_order(desk->action)) {
        b24_buf_adds(&out, "\"key\":\"");
        b24_buf_adds(&out, desk->records[0].key);
        b24_buf_adds(&out, "\",\"state\":\"");
        b24_buf_adds(&out, b24_state_name(desk->state_now));
        b24_buf_addc(&out, '"');

        if (desk->origin_id.len) {
            b24_buf_adds(&out, ",\"origin_id\":");
            b24_json_string(&out, &desk->origin_id);
        }

    } else {
        b24_buf_adds(&out, "\"action\":\"");
        b24_buf_addstr(&out, &ngx_http_b24_action_names[desk->action]);
        b24_buf_adds(&out, "\",\"count\":");
        b24_buf_addi(&out, (int64_t) desk->count);

        if (desk->action == NGX_HTTP_B24_DO_RETRY_ALL) {
            ngx_http_b24_action_left(desk, &out);
        }
    }

    b24_buf_adds(&out, "}\n");

    return ngx_http_b24_desk_reply(desk, NGX_HTTP_ACCEPTED, &out);
}


/* what is not retried with all others, and why */

static void
ngx_http_b24_action_left(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    size_t             i;
    b24_queue_left_t  *left;

    b24_buf_adds(out, ",\"left\":[");

    for (i = 0; i < desk->nleft; i++) {
        left = &desk->left[i];

        b24_buf_adds(out, i ? ",{\"count\":" : "{\"count\":");
        b24_buf_addi(out, left->n);
        b24_buf_adds(out, ",\"cause\":");
        b24_json_string(out, &left->cause);
        b24_buf_adds(out, ",\"advice\":");
        b24_json_string(out, &left->advice);
        b24_buf_addc(out, '}');
    }

    b24_buf_addc(out, ']');
}


/* relative: nobody needs to know how the page is called from outside */

static ngx_int_t
ngx_http_b24_action_see(ngx_http_b24_desk_t *desk)
{
    ngx_str_t  location;
    b24_buf_t  out;

    b24_buf_init(&out, desk->pool);

    if (ngx_http_b24_action_of_order(desk->action)) {
        b24_buf_adds(&out, "../");
        b24_buf_adds(&out, desk->records[0].key);

    } else {
        b24_buf_addc(&out, '.');

        /* what was left, each with its cause and its buttons */

        if (desk->nleft) {
            b24_buf_adds(&out, "?state=parked");
        }
    }

    if (b24_buf_str(&out, &location) != B24_OK
        || ngx_http_b24_desk_add_header(desk->request, "Location", &location)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b24_buf_init(&out, desk->pool);

    ngx_http_b24_html_sentence(desk, &out, "Done.");

    return ngx_http_b24_desk_reply(desk, NGX_HTTP_SEE_OTHER, &out);
}
