
/*
 * The buttons of the page: plain forms, so that they work without scripts.
 * What changes anything opens first and says what it does, but what only ends a
 * pause or asks.
 */


#include "ngx_http_b24_desk.h"


static void ngx_http_b24_form_open(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word, ngx_http_b24_word_e says);
static void ngx_http_b24_form_portal(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, ngx_str_t *origin, ngx_http_b24_word_e word);
static void ngx_http_b24_form_asked(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, b24_queue_record_t *record,
    ngx_http_b24_word_e says);
static void ngx_http_b24_form_begin(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_form_end(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word);


void
ngx_http_b24_html_portal_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    if (desk->exact) {
        return;
    }

    b24_buf_adds(out, "<div class=\"acts\">");

    if (portal->counts[B24_STATE_PARKED]) {
        ngx_http_b24_form_open(desk, out, NGX_HTTP_B24_W_DO_RETRY_ALL,
                               NGX_HTTP_B24_W_RETRY_ALL_SAYS);
        ngx_http_b24_form_portal(desk, out, NGX_HTTP_B24_DO_RETRY_ALL,
                                 portal->origin,
                                 NGX_HTTP_B24_W_RETRY_ALL_IT);
        b24_buf_adds(out, "</details>");
    }

    if (portal->paused) {
        ngx_http_b24_form_portal(desk, out, NGX_HTTP_B24_DO_RESUME,
                                 portal->origin, NGX_HTTP_B24_W_DO_RESUME);

    } else {
        ngx_http_b24_form_open(desk, out, NGX_HTTP_B24_W_DO_PAUSE,
                               NGX_HTTP_B24_W_PAUSE_SAYS);
        ngx_http_b24_form_portal(desk, out, NGX_HTTP_B24_DO_PAUSE,
                                 portal->origin, NGX_HTTP_B24_W_PAUSE_IT);
        b24_buf_adds(out, "</details>");
    }

    if (portal->host) {
        ngx_http_b24_form_portal(desk, out, NGX_HTTP_B24_DO_CHECK,
                                 portal->origin, NGX_HTTP_B24_W_DO_CHECK);
    }

    if (portal->checked) {
        b24_buf_adds(out, "<small>");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_CHECKED);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_time(out, (int64_t) portal->checked * 1000);
        b24_buf_adds(out, "</small>");
    }

    b24_buf_adds(out, "</div>\n");
}


void
ngx_http_b24_html_order_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record)
{
    ngx_uint_t  reused;

    if (desk->exact) {
        return;
    }

    if (record->state != B24_STATE_PARKED
        && record->state != B24_STATE_WAITING
        && record->state != B24_STATE_UNCONFIRMED)
    {
        return;
    }

    b24_buf_adds(out, "<div class=\"acts\" role=\"group\" aria-label=\"");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ORDER);
    b24_buf_addc(out, ' ');
    ngx_http_b24_html_number(desk, out, record);
    b24_buf_adds(out, "\">");

    reused = (record->reuse && record->origin_id.len == 0);

    if (record->state == B24_STATE_UNCONFIRMED) {
        ngx_http_b24_form_asked(desk, out, NGX_HTTP_B24_DO_SEND, record,
                                NGX_HTTP_B24_W_SEND_SAYS);

    } else if (record->state == B24_STATE_PARKED && reused) {
        ngx_http_b24_form_asked(desk, out, NGX_HTTP_B24_DO_SEND, record,
                                NGX_HTTP_B24_W_SEND_REUSED);

    } else {
        ngx_http_b24_form_asked(desk, out, NGX_HTTP_B24_DO_RETRY, record,
                                NGX_HTTP_B24_W_RETRY_SAYS);
    }

    ngx_http_b24_form_asked(desk, out, NGX_HTTP_B24_DO_DROP, record,
                            NGX_HTTP_B24_W_DROP_SAYS);

    b24_buf_adds(out, "</div>\n");
}


/* opens first, says what it does, and does it by the button inside */

static void
ngx_http_b24_form_asked(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, b24_queue_record_t *record,
    ngx_http_b24_word_e says)
{
    static ngx_http_b24_word_e  words[][2] = {
        [NGX_HTTP_B24_DO_RETRY] = { NGX_HTTP_B24_W_RETRY,
                                    NGX_HTTP_B24_W_RETRY_IT },
        [NGX_HTTP_B24_DO_SEND] = { NGX_HTTP_B24_W_SEND,
                                   NGX_HTTP_B24_W_SEND_IT },
        [NGX_HTTP_B24_DO_DROP] = { NGX_HTTP_B24_W_DROP,
                                   NGX_HTTP_B24_W_DROP_IT }
    };

    ngx_http_b24_form_open(desk, out, words[action][0], says);
    ngx_http_b24_form_begin(desk, out);

    b24_buf_adds(out, "orders/");
    b24_buf_adds(out, record->key);
    b24_buf_addc(out, '/');
    b24_buf_addstr(out, &ngx_http_b24_action_names[action]);
    b24_buf_adds(out, "\"><button>");

    ngx_http_b24_form_end(desk, out, words[action][1]);

    b24_buf_adds(out, "</details>");
}


static void
ngx_http_b24_form_open(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word, ngx_http_b24_word_e says)
{
    b24_buf_adds(out, "<details><summary>");
    ngx_http_b24_html_word(desk, out, word);
    b24_buf_adds(out, " &hellip;</summary><p>");
    ngx_http_b24_html_word(desk, out, says);
    b24_buf_adds(out, "</p>");
}


static void
ngx_http_b24_form_portal(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_action_e action, ngx_str_t *origin, ngx_http_b24_word_e word)
{
    ngx_http_b24_form_begin(desk, out);

    b24_buf_addstr(out, &ngx_http_b24_action_names[action]);
    b24_buf_adds(out, "?origin=");
    b24_text_escape(out, origin);
    b24_buf_adds(out, "\"><button>");

    ngx_http_b24_form_end(desk, out, word);
}


static void
ngx_http_b24_form_begin(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_buf_adds(out, "<form method=\"post\" action=\"");
    ngx_http_b24_html_text(out, &desk->prefix);
    b24_buf_addc(out, '/');
}


static void
ngx_http_b24_form_end(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word)
{
    ngx_http_b24_html_word(desk, out, word);
    b24_buf_adds(out, "</button></form>");
}
