
/* The JSON of b24_status; its shape is a contract (docs/status.md). */


#include "ngx_http_b24_desk.h"


static void ngx_http_b24_json_portal(b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_json_database(b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_json_alert(b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_json_state(b24_buf_t *out, const char *state,
    const u_char *reason, const u_char *advice);
static void ngx_http_b24_json_history(b24_buf_t *out,
    ngx_http_b24_desk_t *desk);
static void ngx_http_b24_json_record(b24_buf_t *out,
    b24_queue_record_t *record, ngx_http_b24_desk_t *desk);
static void ngx_http_b24_json_timeline(b24_buf_t *out,
    ngx_http_b24_desk_t *desk);
static void ngx_http_b24_json_captured(b24_buf_t *out,
    ngx_http_b24_desk_t *desk);
static void ngx_http_b24_json_milli(b24_buf_t *out, ngx_uint_t milli,
    ngx_uint_t point);
static void ngx_http_b24_json_text(b24_buf_t *out, const u_char *text);
static void ngx_http_b24_json_null(b24_buf_t *out, const b24_str_t *text);
static void ngx_http_b24_json_id(b24_buf_t *out, int64_t id);


void
ngx_http_b24_desk_json(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    size_t                       i;
    ngx_uint_t                   n, shown, held;
    ngx_http_b24_sh_t           *sh;
    ngx_http_b24_origin_t      **op;
    ngx_http_b24_desk_portal_t   portal;

    if (desk->key.len && desk->nrecords == 1) {
        ngx_http_b24_json_record(out, &desk->records[0], desk);
        b24_buf_addc(out, '\n');
        return;
    }

    b24_buf_adds(out, "{\"version\":\"" NGX_HTTP_B24_VERSION "\",\"time\":\"");
    ngx_http_b24_desk_time(out, ngx_http_b24_now());
    b24_buf_adds(out, "\",\n\"portals\":[");

    op = ngx_http_b24_main->origins.elts;

    for (n = 0, shown = 0; n < ngx_http_b24_main->origins.nelts; n++) {

        if (!ngx_http_b24_desk_shows(desk, &op[n]->name)) {
            continue;
        }

        b24_buf_adds(out, shown++ ? ",\n" : "\n");

        ngx_http_b24_desk_portal(desk, n, &portal);
        ngx_http_b24_json_portal(out, &portal);
    }

    b24_buf_adds(out, "],\n\"counters\":{");

    sh = ngx_http_b24_sh();

    for (n = 0; n < NGX_HTTP_B24_NCOUNTERS; n++) {
        b24_buf_addc(out, '"');
        b24_buf_addstr(out, &ngx_http_b24_counter_names[n]);
        b24_buf_adds(out, "\":");
        b24_buf_addi(out, (int64_t) sh->counters[n]);
        b24_buf_addc(out, ',');
    }

    b24_buf_adds(out, "\"captured_bytes\":");
    b24_buf_addi(out, (int64_t) sh->captured);
    b24_buf_adds(out, "},\n\"queue\":");

    if (desk->rc != B24_QUEUE_OK && desk->rc != B24_QUEUE_NONE) {
        ngx_http_b24_json_text(out,
                               (u_char *) b24_queue_strerror(desk->rc));

    } else if (ngx_http_b24_sh_refusing(&held)) {
        b24_buf_adds(out, "\"the queue can't be written, orders are held in "
                     "memory: see the error log\"");

    } else {
        b24_buf_adds(out, "\"ok\"");
    }

    ngx_http_b24_json_history(out, desk);

    b24_buf_adds(out, ",\n\"orders\":[");

    for (i = 0; i < desk->nrecords; i++) {
        b24_buf_adds(out, i ? ",\n" : "\n");
        ngx_http_b24_json_record(out, &desk->records[i], NULL);
    }

    b24_buf_adds(out, "]}\n");
}


static void
ngx_http_b24_json_history(b24_buf_t *out, ngx_http_b24_desk_t *desk)
{
    size_t              i;
    b24_queue_point_t  *p;

    b24_buf_adds(out, ",\n\"history\":[");

    for (i = 0; i < desk->npoints; i++) {
        p = &desk->points[i];

        b24_buf_adds(out, i ? ",\n{\"time\":\"" : "\n{\"time\":\"");
        ngx_http_b24_desk_time(out, p->time);
        b24_buf_adds(out, "\",\"origin\":");
        b24_json_string(out, &p->origin);
        b24_buf_adds(out, ",\"accepted\":");
        b24_buf_addi(out, p->accepted);
        b24_buf_adds(out, ",\"delivered\":");
        b24_buf_addi(out, p->delivered);
        b24_buf_adds(out, ",\"waiting\":");
        b24_buf_addi(out, p->waiting);
        b24_buf_addc(out, '}');
    }

    b24_buf_addc(out, ']');
}


static void
ngx_http_b24_json_portal(b24_buf_t *out, ngx_http_b24_desk_portal_t *portal)
{
    u_char      *p;
    ngx_str_t    line;
    ngx_uint_t   s;

    b24_buf_adds(out, "{\"origin\":");
    b24_json_string(out, portal->origin);
    b24_buf_adds(out, ",\"host\":");
    ngx_http_b24_json_null(out, portal->host);
    b24_buf_addc(out, ',');
    ngx_http_b24_json_state(out, portal->state, portal->reason,
                            portal->advice);
    b24_buf_adds(out, ",\"warnings\":[");

    p = portal->warnings;

    for (s = 0; ngx_http_b24_desk_warning(&p, &line); s++) {
        b24_buf_adds(out, s ? "," : "");
        b24_json_string(out, &line);
    }

    b24_buf_adds(out, "],\n \"counts\":{");

    for (s = 0; s < B24_NSTATES; s++) {

        if (s) {
            b24_buf_addc(out, ',');
        }

        b24_buf_addc(out, '"');
        b24_buf_adds(out, b24_state_name(s));
        b24_buf_adds(out, "\":");
        b24_buf_addi(out, (int64_t) portal->counts[s]);
    }

    b24_buf_adds(out, "},\n \"oldest_undelivered_seconds\":");
    b24_buf_addi(out, portal->oldest);
    b24_buf_adds(out, ",\"rate\":{\"limit\":");
    ngx_http_b24_json_milli(out, portal->rate, 0);
    b24_buf_adds(out, ",\"burst\":");
    b24_buf_addi(out, (int64_t) portal->burst);
    b24_buf_adds(out, ",\"level\":");
    ngx_http_b24_json_milli(out, portal->level, 1);
    b24_buf_adds(out, ",\"now\":");
    ngx_http_b24_json_milli(out, portal->now, 0);
    b24_buf_adds(out, "},\"requests_total\":");
    b24_buf_addi(out, (int64_t) portal->requests);
    b24_buf_adds(out, ",\"checked\":");

    if (portal->checked) {
        b24_buf_addc(out, '"');
        ngx_http_b24_desk_time(out, (int64_t) portal->checked * 1000);
        b24_buf_addc(out, '"');

    } else {
        b24_buf_adds(out, "null");
    }

    b24_buf_adds(out, ",\n \"database\":");
    ngx_http_b24_json_database(out, portal);
    b24_buf_adds(out, ",\n \"alert\":");
    ngx_http_b24_json_alert(out, portal);

    b24_buf_addc(out, '}');
}


static void
ngx_http_b24_json_database(b24_buf_t *out, ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  i;

    if (portal->database == NULL) {
        b24_buf_adds(out, "null");
        return;
    }

    b24_buf_addc(out, '{');
    ngx_http_b24_json_state(out, portal->database, portal->db_reason,
                            portal->db_advice);

    for (i = 0; i < NGX_HTTP_B24_NDBS; i++) {
        b24_buf_adds(out, ",\"");
        b24_buf_adds(out, ngx_http_b24_db_names[i]);
        b24_buf_adds(out, "\":");
        b24_buf_addi(out, (int64_t) portal->db[i]);
    }

    b24_buf_addc(out, '}');
}


static void
ngx_http_b24_json_alert(b24_buf_t *out, ngx_http_b24_desk_portal_t *portal)
{
    if (portal->alert == NULL) {
        b24_buf_adds(out, "null");
        return;
    }

    b24_buf_adds(out, "{\"target\":");
    b24_json_string(out, portal->alert_target);
    b24_buf_addc(out, ',');
    ngx_http_b24_json_state(out, portal->alert, portal->alert_reason,
                            portal->alert_advice);
    b24_buf_adds(out, ",\"told\":");
    b24_buf_addi(out, (int64_t) portal->alerted);
    b24_buf_addc(out, '}');
}


/* of a portal, a database, who is told */

static void
ngx_http_b24_json_state(b24_buf_t *out, const char *state,
    const u_char *reason, const u_char *advice)
{
    b24_buf_adds(out, "\"state\":\"");
    b24_buf_adds(out, state);
    b24_buf_adds(out, "\",\"reason\":");
    ngx_http_b24_json_text(out, reason);
    b24_buf_adds(out, ",\"advice\":");
    ngx_http_b24_json_text(out, advice);
}


/* desk: with its timeline and commands */

static void
ngx_http_b24_json_record(b24_buf_t *out, b24_queue_record_t *record,
    ngx_http_b24_desk_t *desk)
{
    b24_buf_adds(out, "{\"key\":\"");
    b24_buf_adds(out, record->key);
    b24_buf_adds(out, "\",\"origin\":");
    b24_json_string(out, &record->origin);
    b24_buf_adds(out, ",\"id\":");

    if (record->order_id.len) {
        b24_json_string(out, &record->order_id);

    } else {
        b24_buf_adds(out, "null");
    }

    b24_buf_adds(out, ",\"origin_id\":");
    ngx_http_b24_json_null(out, &record->origin_id);
    b24_buf_adds(out, ",\"state\":\"");
    b24_buf_adds(out, b24_state_name(record->state));
    b24_buf_adds(out, "\",\"deal_id\":");
    ngx_http_b24_json_id(out, record->deal_id);
    b24_buf_adds(out, ",\"contact_id\":");
    ngx_http_b24_json_id(out, record->contact_id);
    b24_buf_adds(out, ",\"company_id\":");
    ngx_http_b24_json_id(out, record->company_id);
    b24_buf_adds(out, ",\n  \"rule\":");
    b24_json_string(out, &record->rule);
    b24_buf_adds(out, ",\"attempts\":");
    b24_buf_addi(out, record->attempts);
    b24_buf_adds(out, ",\"updated\":\"");
    ngx_http_b24_desk_time(out, record->updated);
    b24_buf_adds(out, "\",\"cause\":");
    ngx_http_b24_json_null(out, &record->cause);
    b24_buf_adds(out, ",\"advice\":");
    ngx_http_b24_json_null(out, &record->advice);

    if (desk) {
        ngx_http_b24_json_timeline(out, desk);
        ngx_http_b24_json_captured(out, desk);

        b24_buf_adds(out, ",\n \"commands\":");
        b24_buf_adds(out, desk->commands.len ? "" : "[]");
        b24_buf_addstr(out, &desk->commands);
    }

    b24_buf_addc(out, '}');
}


static void
ngx_http_b24_json_timeline(b24_buf_t *out, ngx_http_b24_desk_t *desk)
{
    size_t               i;
    b24_queue_moment_t  *m;

    b24_buf_adds(out, ",\n \"timeline\":[");

    for (i = 0; i < desk->nmoments; i++) {
        m = &desk->moments[i];

        b24_buf_adds(out, i ? ",\n  {\"time\":\"" : "\n  {\"time\":\"");
        ngx_http_b24_desk_time(out, m->time);
        b24_buf_adds(out, "\",\"state\":\"");
        b24_buf_adds(out, b24_state_name(m->state));
        b24_buf_adds(out, "\",\"cause\":");
        ngx_http_b24_json_null(out, &m->cause);
        b24_buf_adds(out, ",\"method\":");
        ngx_http_b24_json_null(out, &m->method);
        b24_buf_adds(out, ",\"error\":");
        ngx_http_b24_json_null(out, &m->error);
        b24_buf_adds(out, ",\"count\":");
        b24_buf_addi(out, m->count);
        b24_buf_adds(out, ",\"last\":\"");
        ngx_http_b24_desk_time(out, m->last);
        b24_buf_adds(out, "\"}");
    }

    b24_buf_addc(out, ']');
}


static void
ngx_http_b24_json_captured(b24_buf_t *out, ngx_http_b24_desk_t *desk)
{
    size_t                 i;
    ngx_http_b24_value_t  *value;

    static const b24_str_t  configuration = b24_string("configuration");

    b24_buf_adds(out, ",\n \"captured\":[");

    for (i = 0; i < desk->nvalues; i++) {
        value = &desk->values[i];

        b24_buf_adds(out, i ? ",\n  {\"name\":" : "\n  {\"name\":");
        b24_json_string(out, &value->name);
        b24_buf_adds(out, ",\"value\":");
        b24_json_string(out, &value->text);
        b24_buf_adds(out, value->masked ? ",\"masked\":true,\"part\":"
                                        : ",\"masked\":false,\"part\":");
        ngx_http_b24_json_null(out,
            ngx_http_b24_captured_configured(desk, value)
            ? &configuration : &b24_part_names[value->part]);
        b24_buf_adds(out, ",\"block\":");
        ngx_http_b24_json_null(out, value->place ? &value->place->block : NULL);
        b24_buf_adds(out, ",\"request\":");
        ngx_http_b24_json_null(out, value->place ? &value->place->request
                                                 : NULL);
        b24_buf_addc(out, '}');
    }

    b24_buf_addc(out, ']');
}


/* thousandths as a decimal; point: at least one place */

static void
ngx_http_b24_json_milli(b24_buf_t *out, ngx_uint_t milli, ngx_uint_t point)
{
    ngx_uint_t  places, part;

    b24_buf_addi(out, (int64_t) (milli / 1000));

    part = milli % 1000;

    for (places = 0; part || places < point; places++) {

        if (places == 0) {
            b24_buf_addc(out, '.');
        }

        b24_buf_addc(out, (u_char) ('0' + part / 100));
        part = part % 100 * 10;
    }
}


static void
ngx_http_b24_json_text(b24_buf_t *out, const u_char *text)
{
    b24_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    ngx_http_b24_json_null(out, &s);
}


static void
ngx_http_b24_json_null(b24_buf_t *out, const b24_str_t *text)
{
    if (text == NULL || text->data == NULL || text->len == 0) {
        b24_buf_adds(out, "null");
        return;
    }

    b24_json_string(out, text);
}


static void
ngx_http_b24_json_id(b24_buf_t *out, int64_t id)
{
    if (id == 0) {
        b24_buf_adds(out, "null");
        return;
    }

    b24_buf_addi(out, id);
}
