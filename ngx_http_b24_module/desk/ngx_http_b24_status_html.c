
/*
 * The page of b24_status: one document, no scripts, nothing from outside.
 * Everything that was ever typed by a person passes the escape.
 */


#include "ngx_http_b24_desk.h"


static void ngx_http_b24_html_portal(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_home(ngx_http_b24_desk_t *desk, b24_buf_t *out);
static void ngx_http_b24_html_queue(ngx_http_b24_desk_t *desk, b24_buf_t *out);
static void ngx_http_b24_html_database(b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_records(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_html_timeline(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_html_key(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);
static void ngx_http_b24_html_number(b24_buf_t *out,
    b24_queue_record_t *record);
static void ngx_http_b24_html_cell(b24_buf_t *out, const b24_str_t *text);
static void ngx_http_b24_html_cell_id(b24_buf_t *out, int64_t id);


static const char  ngx_http_b24_html_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,"
    "initial-scale=1\">"
    "<meta name=\"robots\" content=\"noindex\">"
    "<title>Orders to Bitrix24</title><style>"
    ":root{color-scheme:light dark}"
    "body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;"
    "max-width:72rem}"
    "h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.4rem 0 .4rem}"
    "p{margin:.3rem 0}.scroll{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.25rem .7rem .25rem 0;"
    "border-bottom:1px solid #8884;vertical-align:top;white-space:nowrap}"
    "td.w{white-space:normal;min-width:14rem}"
    "b.s{padding:0 .4em;border-radius:.3em;background:#8883}"
    "b.ok,b.delivered{background:#3a75}b.parked,b.blocked,b.unconfirmed"
    "{background:#d445}b.waiting,b.retrying,b.throttled,b.sending"
    "{background:#da35}b.paused,b.rejected{background:#36c4}"
    "small{opacity:.7}"
    "form,details{display:inline-block;margin:.1rem .5rem .1rem 0}"
    "details[open]{display:block;white-space:normal}"
    "button,summary{font:inherit;cursor:pointer}"
    "</style></head><body>\n";


void
ngx_http_b24_desk_html(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_uint_t                   n;
    ngx_http_b24_origin_t      **op;
    ngx_http_b24_desk_portal_t   portal;

    ngx_http_b24_html_begin(out);

    if (desk->key.len && desk->nrecords == 1) {
        ngx_http_b24_html_home(desk, out);
        ngx_http_b24_html_records(desk, out);
        ngx_http_b24_html_timeline(desk, out);
        b24_buf_adds(out, "</body></html>\n");
        return;
    }

    if (desk->key.len) {
        b24_buf_adds(out, "<p>Several orders have this number:</p>\n");
    }

    op = ngx_http_b24_main->origins.elts;

    for (n = 0; n < ngx_http_b24_main->origins.nelts; n++) {

        if (ngx_http_b24_desk_shows(desk, &op[n]->name)) {
            ngx_http_b24_desk_portal(desk, n, &portal);
            ngx_http_b24_html_portal(desk, out, &portal);
        }
    }

    ngx_http_b24_html_queue(desk, out);
    ngx_http_b24_html_records(desk, out);

    b24_buf_adds(out, "<p><small>ngx_http_b24_module "
                 NGX_HTTP_B24_VERSION ", ");
    ngx_http_b24_desk_time(out, ngx_http_b24_now());
    b24_buf_adds(out, "</small></p>\n</body></html>\n");
}


/* what the disk does to orders: whoever looks must not take all for well */

static void
ngx_http_b24_html_queue(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_uint_t  held, lost;

    if (desk->rc != B24_QUEUE_OK && desk->rc != B24_QUEUE_NONE) {
        b24_buf_adds(out, "<p><b class=\"s blocked\">queue</b> The queue "
                     "cannot be read: ");
        ngx_http_b24_html_chars(out,
                                (u_char *) b24_queue_strerror(desk->rc));
        b24_buf_adds(out, ". New orders are held in memory.</p>\n");
    }

    held = ngx_http_b24_sh_unwritten();

    if (held) {
        b24_buf_adds(out, "<p><b class=\"s blocked\">queue</b> The queue "
                     "cannot be written, orders held in memory: ");
        b24_buf_addi(out, (int64_t) held);
        b24_buf_adds(out, ". They are tried again each second.</p>\n"
                     "<p>What to do: the error log of nginx says what is the "
                     "matter with the disk; put it right, and don't stop nginx"
                     " before that.</p>\n");
    }

    lost = ngx_http_b24_sh()->counters[NGX_HTTP_B24_COUNTER_LOST];

    if (lost) {
        b24_buf_adds(out, "<p><b class=\"s blocked\">lost</b> Orders that "
                     "could not be kept since nginx was started: ");
        b24_buf_addi(out, (int64_t) lost);
        b24_buf_adds(out, ".</p>\n<p>What to do: the error log of nginx says "
                     "when and why; enter them by hand, as the shop has them."
                     "</p>\n");
    }
}


void
ngx_http_b24_html_begin(b24_buf_t *out)
{
    b24_buf_adds(out, ngx_http_b24_html_head);
    b24_buf_adds(out, "<h1>Orders to Bitrix24</h1>\n");
}


void
ngx_http_b24_html_sentence(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *sentence)
{
    ngx_http_b24_html_begin(out);

    b24_buf_adds(out, "<p role=\"alert\">");
    ngx_http_b24_html_chars(out, (u_char *) sentence);
    b24_buf_adds(out, "</p>\n");

    ngx_http_b24_html_home(desk, out);

    b24_buf_adds(out, "</body></html>\n");
}


static void
ngx_http_b24_html_home(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_buf_adds(out, "<p><a href=\"");
    ngx_http_b24_html_text(out, &desk->prefix);
    b24_buf_adds(out, desk->prefix.len ? "\">" : "/\">");
    b24_buf_adds(out, "All orders</a></p>\n");
}


static void
ngx_http_b24_html_portal(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    u_char      *p;
    ngx_str_t    line;
    ngx_uint_t   s;

    b24_buf_adds(out, "<h2>");
    ngx_http_b24_html_text(out, portal->origin);

    if (portal->host) {
        b24_buf_adds(out, " &rarr; ");
        ngx_http_b24_html_text(out, portal->host);
    }

    b24_buf_adds(out, " <b class=\"s ");
    b24_buf_adds(out, portal->state);
    b24_buf_adds(out, "\">");
    b24_buf_adds(out, portal->state);
    b24_buf_adds(out, "</b></h2>\n");

    if (portal->reason[0]) {
        b24_buf_adds(out, "<p>");
        ngx_http_b24_html_chars(out, portal->reason);
        b24_buf_adds(out, "</p>\n");
    }

    if (portal->advice[0]) {
        b24_buf_adds(out, "<p>What to do: ");
        ngx_http_b24_html_chars(out, portal->advice);
        b24_buf_adds(out, "</p>\n");
    }

    ngx_http_b24_html_database(out, portal);

    p = portal->warnings;

    while (ngx_http_b24_desk_warning(&p, &line)) {
        b24_buf_adds(out, "<p class=\"warning\">Configuration: ");
        ngx_http_b24_html_text(out, &line);
        b24_buf_adds(out, "</p>\n");
    }

    b24_buf_adds(out, "<p>");

    for (s = 0; s < B24_NSTATES; s++) {
        b24_buf_adds(out, s ? ", " : "");
        b24_buf_adds(out, b24_state_name(s));
        b24_buf_addc(out, ' ');
        b24_buf_addi(out, (int64_t) portal->counts[s]);
    }

    if (portal->oldest) {
        b24_buf_adds(out, "; the oldest undelivered order waits ");
        b24_buf_addi(out, portal->oldest);
        b24_buf_adds(out, " s");
    }

    b24_buf_adds(out, "</p>\n");

    ngx_http_b24_html_portal_forms(desk, out, portal);
}


static void
ngx_http_b24_html_database(b24_buf_t *out, ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  i;

    if (portal->database == NULL) {
        return;
    }

    b24_buf_adds(out, "<p>The shop's database: <b class=\"s ");
    b24_buf_adds(out, portal->database);
    b24_buf_adds(out, "\">");
    b24_buf_adds(out, portal->database);
    b24_buf_adds(out, "</b>");

    for (i = 0; i < NGX_HTTP_B24_NDBS; i++) {
        b24_buf_adds(out, ", ");
        b24_buf_adds(out, ngx_http_b24_db_names[i]);
        b24_buf_addc(out, ' ');
        b24_buf_addi(out, (int64_t) portal->db[i]);
    }

    b24_buf_adds(out, "</p>\n");

    if (portal->db_reason[0]) {
        b24_buf_adds(out, "<p class=\"warning\">Database: ");
        ngx_http_b24_html_chars(out, portal->db_reason);
        b24_buf_adds(out, "; what to do: ");
        ngx_http_b24_html_chars(out, portal->db_advice);
        b24_buf_adds(out, "</p>\n");
    }
}


static void
ngx_http_b24_html_records(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    size_t               i;
    b24_queue_record_t  *r;

    if (desk->nrecords == 0) {
        b24_buf_adds(out, "<p>No orders yet.</p>\n");
        return;
    }

    b24_buf_adds(out, "<h2>Orders</h2><div class=\"scroll\"><table><tr>"
                 "<th>order</th><th>record</th><th>state</th><th>deal</th>"
                 "<th>contact</th><th>attempts</th><th>updated</th>"
                 "<th>cause and advice</th><th>to do</th></tr>\n");

    for (i = 0; i < desk->nrecords; i++) {
        r = &desk->records[i];

        b24_buf_adds(out, "<tr>");
        ngx_http_b24_html_number(out, r);
        ngx_http_b24_html_key(desk, out, r);
        b24_buf_adds(out, "<td><b class=\"s ");
        b24_buf_adds(out, b24_state_name(r->state));
        b24_buf_adds(out, "\">");
        b24_buf_adds(out, b24_state_name(r->state));
        b24_buf_adds(out, "</b></td>");
        ngx_http_b24_html_cell_id(out, r->deal_id);
        ngx_http_b24_html_cell_id(out, r->contact_id);
        b24_buf_adds(out, "<td>");
        b24_buf_addi(out, r->attempts);
        b24_buf_adds(out, "</td><td>");
        ngx_http_b24_desk_time(out, r->updated);
        b24_buf_adds(out, "</td><td class=\"w\">");
        ngx_http_b24_html_text(out, &r->cause);

        if (r->advice.len) {
            b24_buf_adds(out, r->cause.len ? "; " : "");
            ngx_http_b24_html_text(out, &r->advice);
        }

        b24_buf_adds(out, "</td><td>");
        ngx_http_b24_html_order_forms(desk, out, r);
        b24_buf_adds(out, "</td></tr>\n");
    }

    b24_buf_adds(out, "</table></div>\n");
}


static void
ngx_http_b24_html_timeline(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    size_t               i;
    b24_queue_moment_t  *m;

    b24_buf_adds(out, "<h2>Timeline</h2><div class=\"scroll\"><table><tr>"
                 "<th>time</th><th>state</th><th>cause</th><th>method</th>"
                 "<th>error</th><th>times</th></tr>\n");

    for (i = 0; i < desk->nmoments; i++) {
        m = &desk->moments[i];

        b24_buf_adds(out, "<tr><td>");
        ngx_http_b24_desk_time(out, m->time);
        b24_buf_adds(out, "</td><td>");
        b24_buf_adds(out, b24_state_name(m->state));
        b24_buf_adds(out, "</td>");
        ngx_http_b24_html_cell(out, &m->cause);
        ngx_http_b24_html_cell(out, &m->method);
        ngx_http_b24_html_cell(out, &m->error);
        b24_buf_adds(out, "<td>");
        b24_buf_addi(out, m->count);
        b24_buf_adds(out, "</td></tr>\n");
    }

    b24_buf_adds(out, "</table></div>\n");
}


static void
ngx_http_b24_html_key(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record)
{
    b24_buf_adds(out, "<td><a href=\"");
    ngx_http_b24_html_text(out, &desk->prefix);
    b24_buf_adds(out, "/orders/");
    b24_buf_adds(out, record->key);
    b24_buf_adds(out, "\">");
    b24_buf_adds(out, record->key);
    b24_buf_adds(out, "</a></td>");
}


static void
ngx_http_b24_html_number(b24_buf_t *out, b24_queue_record_t *record)
{
    b24_buf_adds(out, "<td class=\"w\">");
    ngx_http_b24_html_text(out, &record->order_id);

    if (record->origin_id.len) {
        b24_buf_adds(out, " as ");
        ngx_http_b24_html_text(out, &record->origin_id);
    }

    b24_buf_adds(out, "</td>");
}


static void
ngx_http_b24_html_cell(b24_buf_t *out, const b24_str_t *text)
{
    b24_buf_adds(out, "<td class=\"w\">");
    ngx_http_b24_html_text(out, text);
    b24_buf_adds(out, "</td>");
}


static void
ngx_http_b24_html_cell_id(b24_buf_t *out, int64_t id)
{
    b24_buf_adds(out, "<td>");

    if (id) {
        b24_buf_addi(out, id);
    }

    b24_buf_adds(out, "</td>");
}


void
ngx_http_b24_html_text(b24_buf_t *out, const b24_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        switch (text->data[i]) {

        case '<':
            b24_buf_adds(out, "&lt;");
            break;

        case '>':
            b24_buf_adds(out, "&gt;");
            break;

        case '&':
            b24_buf_adds(out, "&amp;");
            break;

        case '"':
            b24_buf_adds(out, "&quot;");
            break;

        case '\'':
            b24_buf_adds(out, "&#39;");
            break;

        default:
            b24_buf_addc(out, text->data[i]);
        }
    }
}


void
ngx_http_b24_html_chars(b24_buf_t *out, const u_char *text)
{
    b24_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    ngx_http_b24_html_text(out, &s);
}
