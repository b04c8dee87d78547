
/*
 * One order: what it is, what can be done, what happened to it, and what was
 * captured, from which request.
 */


#include "ngx_http_b24_desk.h"


static void ngx_http_b24_order_moments(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_order_moment(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, b24_queue_moment_t *m);
static void ngx_http_b24_order_captured(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, b24_queue_record_t *r);
static void ngx_http_b24_order_given(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, const b24_place_t *place, ngx_uint_t configured);
static void ngx_http_b24_order_place(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, const b24_place_t *place, ngx_uint_t configured);
static void ngx_http_b24_order_value(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_value_t *value);
static void ngx_http_b24_order_name(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_value_t *value);
static void ngx_http_b24_order_part(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_value_t *value);
static void ngx_http_b24_order_items(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_value_t *value);
static void ngx_http_b24_order_term(b24_buf_t *out, const char *word);


#define NGX_HTTP_B24_ITEMS  50      /* shown */


void
ngx_http_b24_html_order(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_queue_record_t  *r;

    r = &desk->records[0];

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ORDER);
    b24_buf_adds(out, " <bdi>");
    ngx_http_b24_html_number(desk, out, r);
    b24_buf_adds(out, "</bdi> ");
    ngx_http_b24_html_badge(desk, out, r->state);
    b24_buf_adds(out, "</h2>\n");

    ngx_http_b24_html_cause(desk, out, r);

    b24_buf_adds(out, "<p class=\"row\">");
    ngx_http_b24_html_crm(desk, out, r);
    b24_buf_adds(out, "</p>\n<dl>");

    ngx_http_b24_order_term(out, ngx_http_b24_word(desk,
                                                   NGX_HTTP_B24_W_ORIGIN));
    ngx_http_b24_html_text(out, &r->origin);
    b24_buf_adds(out, "</dd>");
    ngx_http_b24_order_term(out, ngx_http_b24_word(desk,
                                                   NGX_HTTP_B24_W_RECORD));
    b24_buf_adds(out, r->key);
    b24_buf_adds(out, "</dd>");
    ngx_http_b24_order_term(out, ngx_http_b24_word(desk,
                                                   NGX_HTTP_B24_W_ATTEMPTS));
    b24_buf_addi(out, r->attempts);
    b24_buf_adds(out, "</dd>");
    ngx_http_b24_order_term(out, ngx_http_b24_word(desk,
                                                   NGX_HTTP_B24_W_UPDATED));
    ngx_http_b24_html_time(out, r->updated);
    b24_buf_adds(out, "</dd></dl>\n");

    ngx_http_b24_html_order_forms(desk, out, r);

    b24_buf_adds(out, "</section>\n");

    ngx_http_b24_order_moments(desk, out);
    ngx_http_b24_order_captured(desk, out, r);
}


static void
ngx_http_b24_order_moments(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    size_t  i;

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_TIMELINE);
    b24_buf_adds(out, "</h2>\n<ol class=\"list\">\n");

    for (i = 0; i < desk->nmoments; i++) {
        ngx_http_b24_order_moment(desk, out, &desk->moments[i]);
    }

    b24_buf_adds(out, "</ol></section>\n");
}


static void
ngx_http_b24_order_moment(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_moment_t *m)
{
    b24_buf_adds(out, "<li><div class=\"row\">");
    ngx_http_b24_html_badge(desk, out, m->state);

    if (m->method.len) {
        b24_buf_adds(out, " <code>");
        ngx_http_b24_html_text(out, &m->method);
        b24_buf_adds(out, "</code>");
    }

    if (m->error.len) {
        b24_buf_adds(out, " <code>");
        ngx_http_b24_html_text(out, &m->error);
        b24_buf_adds(out, "</code>");
    }

    b24_buf_adds(out, " <span class=\"at\">");
    ngx_http_b24_html_time(out, m->time);

    if (m->count > 1) {
        b24_buf_adds(out, ", ");
        b24_buf_addi(out, m->count);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_TIMES);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_time(out, m->last);
    }

    b24_buf_adds(out, "</span></div>");

    if (m->cause.len) {
        b24_buf_adds(out, "<p>");
        ngx_http_b24_html_said(desk, out, &m->cause);
        b24_buf_adds(out, "</p>");
    }

    b24_buf_adds(out, "</li>\n");
}


/* by the requests that gave it; what nobody knows of first */

static void
ngx_http_b24_order_captured(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *r)
{
    size_t      i;
    ngx_uint_t  masked;

    if (desk->order == NULL) {
        return;
    }

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_CAPTURED);
    b24_buf_adds(out, "</h2>\n");

    if (r->rule.len) {
        b24_buf_adds(out, "<p class=\"mute\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_RULE);
        b24_buf_adds(out, ": <code>");
        ngx_http_b24_html_text(out, &r->rule);
        b24_buf_adds(out, "</code></p>\n");
    }

    ngx_http_b24_order_given(desk, out, NULL, 0);

    for (i = 0; i < desk->nplaces; i++) {
        ngx_http_b24_order_given(desk, out, desk->places[i], 0);
    }

    ngx_http_b24_order_given(desk, out, NULL, 1);

    masked = 0;

    for (i = 0; i < desk->nvalues; i++) {
        masked |= desk->values[i].masked;
    }

    if (masked) {
        b24_buf_adds(out, "<p class=\"mute\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_MASKED);
        b24_buf_adds(out, "</p>\n");
    }

    b24_buf_adds(out, "</section>\n");
}


/* the values of one request, configured: those of directives */

static void
ngx_http_b24_order_given(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const b24_place_t *place, ngx_uint_t configured)
{
    size_t                 i;
    ngx_uint_t             open;
    ngx_http_b24_value_t  *value, *items;

    open = 0;
    items = NULL;

    for (i = 0; i < desk->nvalues; i++) {
        value = &desk->values[i];

        if (value->place != place
            || ngx_http_b24_captured_configured(desk, value) != configured)
        {
            continue;
        }

        if (!open++) {
            ngx_http_b24_order_place(desk, out, place, configured);
            b24_buf_adds(out, "<dl>");
        }

        if (value->field == NGX_HTTP_B24_VALUE_ITEMS) {
            items = value;
            continue;
        }

        ngx_http_b24_order_value(desk, out, value);
    }

    if (open) {
        b24_buf_adds(out, "</dl>\n");
    }

    if (items) {
        ngx_http_b24_order_items(desk, out, items);
    }
}


static void
ngx_http_b24_order_place(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const b24_place_t *place, ngx_uint_t configured)
{
    if (place == NULL && !configured) {
        return;
    }

    b24_buf_adds(out, "<h3>");

    if (configured) {
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_CONFIGURED);

    } else {
        ngx_http_b24_html_text(out, &place->block);

        if (place->request.len) {
            b24_buf_adds(out, " <code>");
            ngx_http_b24_html_text(out, &place->request);
            b24_buf_adds(out, "</code>");
        }
    }

    b24_buf_adds(out, "</h3>\n");
}


static void
ngx_http_b24_order_value(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_value_t *value)
{
    ngx_http_b24_order_name(desk, out, value);

    ngx_http_b24_html_text(out, &value->text);
    ngx_http_b24_order_part(desk, out, value);

    b24_buf_adds(out, "</dd>");
}


/* "deal UF_CRM_A", in the reader's language */

static void
ngx_http_b24_order_name(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_value_t *value)
{
    size_t     i;
    b24_str_t  field;

    if (value->field < B24_ORDER_NFIELDS) {
        ngx_http_b24_order_term(out, ngx_http_b24_field_word(desk,
                                                             value->field));
        return;
    }

    for (i = 0; i < value->name.len && value->name.data[i] != '.'; i++) {
        /* void */
    }

    b24_buf_adds(out, "<dt>");
    ngx_http_b24_html_word(desk, out,
                           i == 4 ? NGX_HTTP_B24_W_IN_DEAL
                           : value->name.data[2] == 'n'
                             ? NGX_HTTP_B24_W_IN_CONTACT
                             : NGX_HTTP_B24_W_IN_COMPANY);
    b24_buf_addc(out, ' ');

    field.data = value->name.data + i + 1;
    field.len = value->name.len - i - 1;

    ngx_http_b24_html_text(out, &field);
    b24_buf_adds(out, "</dt><dd>");
}


static void
ngx_http_b24_order_part(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_value_t *value)
{
    if (value->place && value->part != B24_PART_NONE) {
        b24_buf_adds(out, " <small>");
        b24_buf_adds(out, ngx_http_b24_part_word(desk, value->part));
        b24_buf_adds(out, "</small>");
    }
}


static void
ngx_http_b24_order_items(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_value_t *value)
{
    ngx_uint_t   n;
    b24_item_t  *item;

    b24_buf_adds(out, "<h3>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_GOODS);
    b24_buf_adds(out, ": ");
    ngx_http_b24_html_text(out, &value->text);
    ngx_http_b24_order_part(desk, out, value);
    b24_buf_adds(out, "</h3>\n<ul class=\"list\">");

    for (item = desk->order->items, n = 0; item && n < NGX_HTTP_B24_ITEMS;
         item = item->next, n++)
    {
        b24_buf_adds(out, "<li><bdi>");
        ngx_http_b24_html_text(out, &item->fields[B24_ITEM_NAME]);
        b24_buf_adds(out, "</bdi>");

        if (item->fields[B24_ITEM_QUANTITY].len) {
            b24_buf_adds(out, " <span class=\"u\">&times; ");
            ngx_http_b24_html_text(out, &item->fields[B24_ITEM_QUANTITY]);
            b24_buf_adds(out, "</span>");
        }

        if (item->fields[B24_ITEM_PRICE].len) {
            b24_buf_adds(out, ", ");
            ngx_http_b24_html_text(out, &item->fields[B24_ITEM_PRICE]);
        }

        b24_buf_adds(out, "</li>");
    }

    b24_buf_adds(out, n < desk->order->nitems ? "<li>&hellip;</li></ul>\n"
                                              : "</ul>\n");
}


static void
ngx_http_b24_order_term(b24_buf_t *out, const char *word)
{
    b24_buf_adds(out, "<dt>");
    b24_buf_adds(out, word);
    b24_buf_adds(out, "</dt><dd>");
}
