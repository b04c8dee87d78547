
/* Lists of orders: those that need a person, the latest, equal numbers. */


#include "ngx_http_b24_desk.h"


static ngx_http_b24_word_e ngx_http_b24_list_none(ngx_http_b24_desk_t *desk);
static void ngx_http_b24_list(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *records, size_t n, ngx_uint_t skip);
static void ngx_http_b24_list_row(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *r);


#define ngx_http_b24_list_needs(record)                                       \
    ((record)->state == B24_STATE_PARKED                                      \
     || (record)->state == B24_STATE_UNCONFIRMED)


void
ngx_http_b24_html_needs(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    if (desk->nneeds == 0) {
        return;
    }

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_NEEDS);
    b24_buf_adds(out, "</h2>\n");

    ngx_http_b24_list(desk, out, desk->needs, desk->nneeds, 0);

    if (desk->nneeds >= NGX_HTTP_B24_NEEDS) {
        b24_buf_adds(out, "<p>");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_NEEDS_MORE);
        b24_buf_adds(out, " <a href=\"");
        ngx_http_b24_html_home(desk, out);
        b24_buf_adds(out, "?state=parked\">");
        b24_buf_adds(out, ngx_http_b24_state_word(desk, B24_STATE_PARKED));
        b24_buf_adds(out, "</a>, <a href=\"");
        ngx_http_b24_html_home(desk, out);
        b24_buf_adds(out, "?state=unconfirmed\">");
        b24_buf_adds(out, ngx_http_b24_state_word(desk,
                                                  B24_STATE_UNCONFIRMED));
        b24_buf_adds(out, "</a></p>\n");
    }

    b24_buf_adds(out, "</section>\n");
}


/* why there is none in the list */

static ngx_http_b24_word_e
ngx_http_b24_list_none(ngx_http_b24_desk_t *desk)
{
    if (desk->rc != B24_QUEUE_OK && desk->rc != B24_QUEUE_NONE) {
        return NGX_HTTP_B24_W_NONE_KNOWN;
    }

    if (desk->nrecords) {
        return NGX_HTTP_B24_W_NONE_ELSE;
    }

    return desk->state != B24_NSTATES ? NGX_HTTP_B24_W_NONE_SUCH
                                      : NGX_HTTP_B24_W_NONE;
}


void
ngx_http_b24_html_latest(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    size_t  i, n;

    if (desk->state != B24_NSTATES) {
        ngx_http_b24_html_back(desk, out);
    }

    b24_buf_adds(out, "<section><h2>");

    if (desk->state == B24_NSTATES) {
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_LATEST);

    } else {
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_FILTERED);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_badge(desk, out, desk->state);
    }

    b24_buf_adds(out, "</h2>\n");

    /* those that need a person have their list above */

    for (i = 0, n = 0; i < desk->nrecords; i++) {
        n += !(desk->nneeds && ngx_http_b24_list_needs(&desk->records[i]));
    }

    if (n) {
        ngx_http_b24_list(desk, out, desk->records, desk->nrecords,
                          desk->nneeds != 0);

    } else {
        b24_buf_adds(out, "<p class=\"mute\">");
        ngx_http_b24_html_word(desk, out, ngx_http_b24_list_none(desk));
        b24_buf_adds(out, "</p>\n");
    }

    b24_buf_adds(out, "</section>\n");
}


void
ngx_http_b24_html_several(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    desk->shops = 2;

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_SEVERAL);
    b24_buf_adds(out, "</h2>\n");
    ngx_http_b24_list(desk, out, desk->records, desk->nrecords, 0);
    b24_buf_adds(out, "</section>\n");
}


static void
ngx_http_b24_list(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *records, size_t n, ngx_uint_t skip)
{
    size_t  i;

    b24_buf_adds(out, "<ul class=\"list\">\n");

    for (i = 0; i < n; i++) {
        if (!(skip && ngx_http_b24_list_needs(&records[i]))) {
            ngx_http_b24_list_row(desk, out, &records[i]);
        }
    }

    b24_buf_adds(out, "</ul>\n");
}


static void
ngx_http_b24_list_row(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *r)
{
    b24_buf_adds(out, "<li><div class=\"row\"><a class=\"no\" href=\"");
    ngx_http_b24_html_order_home(desk, out, r->key);
    b24_buf_adds(out, "\">");
    ngx_http_b24_html_number(desk, out, r);
    b24_buf_adds(out, "</a> ");
    ngx_http_b24_html_badge(desk, out, r->state);

    if (desk->shops > 1) {
        b24_buf_adds(out, " <span class=\"mute\">");
        ngx_http_b24_html_text(out, &r->origin);
        b24_buf_adds(out, "</span>");
    }

    ngx_http_b24_html_crm(desk, out, r);

    b24_buf_addc(out, ' ');
    ngx_http_b24_html_time(out, r->updated);
    b24_buf_adds(out, "</div>");

    ngx_http_b24_html_cause(desk, out, r);
    ngx_http_b24_html_order_forms(desk, out, r);

    b24_buf_adds(out, "</li>\n");
}


void
ngx_http_b24_html_number(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *r)
{
    if (r->order_id.len) {
        ngx_http_b24_html_text(out, &r->order_id);

    } else {
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_NUMBERLESS);
        b24_buf_adds(out, " (");
        b24_buf_adds(out, r->key);
        b24_buf_addc(out, ')');
    }

    if (r->origin_id.len) {
        b24_buf_adds(out, " (");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_AS);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_text(out, &r->origin_id);
        b24_buf_addc(out, ')');
    }
}


void
ngx_http_b24_html_badge(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_state_e state)
{
    b24_buf_adds(out, "<b class=\"s ");
    b24_buf_adds(out, b24_state_name(state));
    b24_buf_adds(out, "\">");
    b24_buf_adds(out, ngx_http_b24_state_word(desk, state));
    b24_buf_adds(out, "</b>");
}


void
ngx_http_b24_html_cause(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *r)
{
    if (r->cause.len) {
        b24_buf_adds(out, "<p>");
        ngx_http_b24_html_said(desk, out, &r->cause);
        b24_buf_adds(out, "</p>");
    }

    if (r->advice.len) {
        b24_buf_adds(out, "<p class=\"mute\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ADVICE);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said(desk, out, &r->advice);
        b24_buf_adds(out, "</p>");
    }
}


/* the host only: what else the webhook's address has is a secret */

void
ngx_http_b24_html_crm(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *r)
{
    int64_t                  id;
    ngx_str_t               *host;
    ngx_uint_t               i;
    ngx_http_b24_origin_t   *o;

    static struct {
        char                 *path;
        ngx_http_b24_word_e   word;
    } links[] = {
        { "/crm/deal/details/", NGX_HTTP_B24_W_DEAL },
        { "/crm/contact/details/", NGX_HTTP_B24_W_CONTACT },
        { "/crm/company/details/", NGX_HTTP_B24_W_COMPANY }
    };

    o = ngx_http_b24_origin_find(&ngx_http_b24_main->origins, &r->origin);
    host = (o && o->portal) ? &o->portal->host : NULL;

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        id = (i == 0) ? r->deal_id : (i == 1) ? r->contact_id : r->company_id;

        if (id == 0) {
            continue;
        }

        if (host) {
            b24_buf_adds(out, " <a rel=\"noopener noreferrer\" "
                         "href=\"https://");
            ngx_http_b24_html_text(out, host);
            b24_buf_adds(out, links[i].path);
            b24_buf_addi(out, id);
            b24_buf_adds(out, "/\">");

        } else {
            b24_buf_adds(out, " <span>");
        }

        ngx_http_b24_html_word(desk, out, links[i].word);
        b24_buf_addc(out, ' ');
        b24_buf_addi(out, id);
        b24_buf_adds(out, host ? "</a>" : "</span>");
    }
}
