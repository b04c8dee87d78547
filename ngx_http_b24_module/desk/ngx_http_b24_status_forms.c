
/*
 * The buttons of the page: plain forms, so that they work without scripts.
 * What can't be taken back opens first and says what it does.
 */


#include "ngx_http_b24_desk.h"


static void ngx_http_b24_form_portal(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, ngx_str_t *origin);
static void ngx_http_b24_form_order(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, b24_queue_record_t *record);
static void ngx_http_b24_form_begin(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_form_send(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);
static void ngx_http_b24_form_drop(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);


void
ngx_http_b24_html_portal_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    if (desk->exact) {
        return;
    }

    b24_buf_adds(out, "<p>");

    if (portal->counts[B24_STATE_PARKED]) {
        ngx_http_b24_form_portal(desk, out, NGX_HTTP_B24_DO_RETRY_ALL,
                                 portal->origin);
        b24_buf_adds(out, "Retry what is parked</button></form>");
    }

    ngx_http_b24_form_portal(desk, out, portal->paused
                                        ? NGX_HTTP_B24_DO_RESUME
                                        : NGX_HTTP_B24_DO_PAUSE,
                             portal->origin);
    b24_buf_adds(out, portal->paused ? "Resume deliveries</button></form>"
                                     : "Pause deliveries</button></form>");

    if (portal->host && ngx_strcmp(portal->state, "dry") != 0) {
        ngx_http_b24_form_portal(desk, out, NGX_HTTP_B24_DO_CHECK,
                                 portal->origin);
        b24_buf_adds(out, "Check the portal</button></form>");
    }

    if (portal->checked) {
        b24_buf_adds(out, "<small>checked ");
        ngx_http_b24_desk_time(out, (int64_t) portal->checked * 1000);
        b24_buf_adds(out, "</small>");
    }

    b24_buf_adds(out, "</p>\n");
}


void
ngx_http_b24_html_order_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record)
{
    ngx_uint_t  named;

    if (desk->exact) {
        return;
    }

    named = (record->reuse == 0 || record->origin_id.len);

    switch (record->state) {

    case B24_STATE_PARKED:

        if (!named) {
            ngx_http_b24_form_send(desk, out, record);
            break;
        }

        /* fall through */

    case B24_STATE_WAITING:
        ngx_http_b24_form_order(desk, out, NGX_HTTP_B24_DO_RETRY, record);
        b24_buf_adds(out, "Retry</button></form>");
        break;

    case B24_STATE_UNCONFIRMED:
        ngx_http_b24_form_send(desk, out, record);
        break;

    default:
        return;
    }

    ngx_http_b24_form_drop(desk, out, record);
}


static void
ngx_http_b24_form_send(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record)
{
    b24_buf_adds(out, "<details><summary>Send &hellip;</summary><p>");

    if (record->state == B24_STATE_PARKED) {
        b24_buf_adds(out, "It becomes a deal of its own, called ");
        ngx_http_b24_html_text(out, &record->order_id);
        b24_buf_adds(out, "-2, or with the next free number.</p>");

    } else {
        b24_buf_adds(out, "Nobody has seen the shop accept it. Look there "
                     "first: it becomes a deal.</p>");
    }

    ngx_http_b24_form_order(desk, out, NGX_HTTP_B24_DO_SEND, record);
    b24_buf_adds(out, "Send it</button></form></details>");
}


static void
ngx_http_b24_form_drop(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record)
{
    b24_buf_adds(out, "<details><summary>Drop &hellip;</summary><p>It is not "
                 "delivered, and what it holds is erased for good.</p>");
    ngx_http_b24_form_order(desk, out, NGX_HTTP_B24_DO_DROP, record);
    b24_buf_adds(out, "Drop it</button></form></details>");
}


static void
ngx_http_b24_form_portal(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, ngx_str_t *origin)
{
    ngx_http_b24_form_begin(desk, out);

    b24_buf_addstr(out, &ngx_http_b24_action_names[action]);
    b24_buf_adds(out, "?origin=");
    b24_text_escape(out, origin);
    b24_buf_adds(out, "\"><button>");
}


static void
ngx_http_b24_form_order(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, b24_queue_record_t *record)
{
    ngx_http_b24_form_begin(desk, out);

    b24_buf_adds(out, "orders/");
    b24_buf_adds(out, record->key);
    b24_buf_addc(out, '/');
    b24_buf_addstr(out, &ngx_http_b24_action_names[action]);
    b24_buf_adds(out, "\"><button>");
}


static void
ngx_http_b24_form_begin(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_buf_adds(out, "<form method=\"post\" action=\"");
    ngx_http_b24_html_text(out, &desk->prefix);
    b24_buf_addc(out, '/');
}
