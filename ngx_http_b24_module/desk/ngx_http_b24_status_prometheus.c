
/*
 * The numbers for Prometheus, in its text format 0.0.4: families of design §7,
 * then the counters of the whole nginx.  All come from shared memory.
 */


#include "ngx_http_b24_desk.h"


static void ngx_http_b24_prom_family(b24_buf_t *out, const char *name,
    const char *type, const char *help);
static void ngx_http_b24_prom_queue(ngx_http_b24_desk_t *desk, b24_buf_t *out);
static void ngx_http_b24_prom_states(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *name, const char *label, ngx_uint_t first, ngx_uint_t last);
static void ngx_http_b24_prom_origins(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_prom_portals(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static ngx_uint_t ngx_http_b24_prom_shows(ngx_http_b24_desk_t *desk,
    ngx_http_b24_portal_t *portal);
static void ngx_http_b24_prom_databases(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_prom_alerts(ngx_http_b24_desk_t *desk,
    b24_buf_t *out);
static void ngx_http_b24_prom_times(ngx_http_b24_desk_t *desk, b24_buf_t *out);
static void ngx_http_b24_prom_counters(b24_buf_t *out);
static void ngx_http_b24_prom_sample(b24_buf_t *out, const char *name,
    const char *label, const ngx_str_t *value);
static void ngx_http_b24_prom_label(b24_buf_t *out, const char *label,
    const ngx_str_t *value);
static void ngx_http_b24_prom_value(b24_buf_t *out, int64_t value);
static void ngx_http_b24_prom_seconds(b24_buf_t *out, int64_t ms);


#define NGX_HTTP_B24_X(id, name)  name,
static const char  *ngx_http_b24_prom_results[] = {
    NGX_HTTP_B24_RESULTS(NGX_HTTP_B24_X)
};
#undef NGX_HTTP_B24_X


#define NGX_HTTP_B24_X(id, name, help)  help,
static const char  *ngx_http_b24_prom_help[] = {
#include "ngx_http_b24_counters_x.h"
};
#undef NGX_HTTP_B24_X


void
ngx_http_b24_desk_prometheus(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    static ngx_str_t  version = ngx_string(NGX_HTTP_B24_VERSION);

    ngx_http_b24_prom_family(out, "b24_build_info", "gauge",
                             "The module's version, always 1.");
    ngx_http_b24_prom_sample(out, "b24_build_info", "version", &version);
    ngx_http_b24_prom_value(out, 1);

    ngx_http_b24_prom_queue(desk, out);
    ngx_http_b24_prom_portals(desk, out);
    ngx_http_b24_prom_databases(desk, out);
    ngx_http_b24_prom_alerts(desk, out);
    ngx_http_b24_prom_times(desk, out);
    ngx_http_b24_prom_counters(out);
}


static void
ngx_http_b24_prom_family(b24_buf_t *out, const char *name, const char *type,
    const char *help)
{
    b24_buf_adds(out, "# HELP ");
    b24_buf_adds(out, name);
    b24_buf_addc(out, ' ');
    b24_buf_adds(out, help);
    b24_buf_adds(out, "\n# TYPE ");
    b24_buf_adds(out, name);
    b24_buf_addc(out, ' ');
    b24_buf_adds(out, type);
    b24_buf_addc(out, '\n');
}


/*
 * What a queue was not read for yet is left out: a counter that begins at 0 and
 * goes on where it was before a restart would be taken for orders of now.
 */

static void
ngx_http_b24_prom_queue(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_uint_t  refusing, held;

    refusing = ngx_http_b24_sh_refusing(&held);

    ngx_http_b24_prom_family(out, "b24_queue_up", "gauge",
                             "0 when the queue cannot be written, or was not "
                             "opened yet.");
    b24_buf_adds(out, "b24_queue_up ");
    b24_buf_addi(out, ngx_http_b24_sh()->counted && refusing == 0);
    b24_buf_addc(out, '\n');

    if (!ngx_http_b24_sh()->counted) {
        return;
    }

    ngx_http_b24_prom_family(out, "b24_orders_total", "counter",
                             "Orders by their end, since the queue was "
                             "made.");
    ngx_http_b24_prom_states(desk, out, "b24_orders_total", "outcome",
                             B24_STATE_DELIVERED, B24_STATE_DUPLICATE);

    ngx_http_b24_prom_family(out, "b24_records", "gauge",
                             "Records that are in this state now.");
    ngx_http_b24_prom_states(desk, out, "b24_records", "state",
                             B24_STATE_CAPTURED, B24_STATE_UNCONFIRMED);

    ngx_http_b24_prom_origins(desk, out);
}


/* the counts of states first .. last, of each origin */

static void
ngx_http_b24_prom_states(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *name, const char *label, ngx_uint_t first, ngx_uint_t last)
{
    ngx_str_t                 state;
    ngx_uint_t                i, s;
    ngx_http_b24_origin_t   **op;

    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

        if (!ngx_http_b24_desk_shows(desk, &op[i]->name)) {
            continue;
        }

        for (s = first; s <= last; s++) {
            state.data = (u_char *) b24_state_name(s);
            state.len = ngx_strlen(state.data);

            ngx_http_b24_prom_sample(out, name, "origin", &op[i]->name);
            ngx_http_b24_prom_label(out, label, &state);
            ngx_http_b24_prom_value(out, (int64_t) op[i]->sh->counts[s]);
        }
    }
}


static void
ngx_http_b24_prom_origins(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    int64_t                      values[3];
    ngx_uint_t                   i, k;
    ngx_http_b24_origin_t      **op;
    ngx_http_b24_desk_portal_t   portal;

    static struct {
        const char  *name;
        const char  *help;
    } families[] = {
        { "b24_oldest_undelivered_seconds",
          "How long the oldest accepted order waits, 0 when none does." },
        { "b24_paused", "Whether a person has paused the deliveries." },
        { "b24_dry", "Whether its webhook is dry: orders wait by intention." }
    };

    op = ngx_http_b24_main->origins.elts;

    for (k = 0; k < 3; k++) {
        ngx_http_b24_prom_family(out, families[k].name, "gauge",
                                 families[k].help);

        for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

            if (!ngx_http_b24_desk_shows(desk, &op[i]->name)) {
                continue;
            }

            ngx_http_b24_desk_portal(desk, i, &portal);

            values[0] = portal.oldest;
            values[1] = portal.paused;
            values[2] = portal.dry;

            ngx_http_b24_prom_sample(out, families[k].name, "origin",
                                     &op[i]->name);
            ngx_http_b24_prom_value(out, values[k]);
        }
    }
}


/* families without a sample are left out */

static void
ngx_http_b24_prom_databases(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_str_t                 result;
    ngx_uint_t                i, n, k, any;
    ngx_http_b24_origin_t   **op;

    op = ngx_http_b24_main->origins.elts;

    for (k = 0; k < 2; k++) {
        any = 0;

        for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

            if (op[i]->conf->database == NULL
                || !ngx_http_b24_desk_shows(desk, &op[i]->name))
            {
                continue;
            }

            if (!any++) {
                ngx_http_b24_prom_family(out,
                    k ? "b24_database_orders_total" : "b24_database_up",
                    k ? "counter" : "gauge",
                    k ? "What the shop's database was asked for, by its end, "
                        "since nginx was started."
                      : "0 when the shop's database does not answer as it "
                        "should.");
            }

            if (k == 0) {
                ngx_http_b24_prom_sample(out, "b24_database_up", "origin",
                                         &op[i]->name);
                ngx_http_b24_prom_value(out, op[i]->sh->database
                                             != NGX_HTTP_B24_DB_FAILING);
                continue;
            }

            for (n = 0; n < NGX_HTTP_B24_NDBS; n++) {
                result.data = (u_char *) ngx_http_b24_db_names[n];
                result.len = ngx_strlen(result.data);

                ngx_http_b24_prom_sample(out, "b24_database_orders_total",
                                         "origin", &op[i]->name);
                ngx_http_b24_prom_label(out, "result", &result);
                ngx_http_b24_prom_value(out, (int64_t) op[i]->sh->db[n]);
            }
        }
    }
}


static void
ngx_http_b24_prom_portals(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_str_t                   result;
    ngx_uint_t                  i, n, k, state;
    ngx_http_b24_portal_t     **pp;

    static struct {
        const char  *name;
        const char  *help;
    } families[] = {
        { "b24_portal_up",
          "0 when the portal is blocked or does not answer as it should." },
        { "b24_portal_blocked",
          "1 when the portal refuses what only a person can change." }
    };

    pp = ngx_http_b24_main->portals.elts;

    for (k = 0; k < 2; k++) {
        ngx_http_b24_prom_family(out, families[k].name, "gauge",
                                 families[k].help);

        for (i = 0; i < ngx_http_b24_main->portals.nelts; i++) {

            if (!ngx_http_b24_prom_shows(desk, pp[i])) {
                continue;
            }

            state = pp[i]->sh->state;

            ngx_http_b24_prom_sample(out, families[k].name, "host",
                                     &pp[i]->host);
            ngx_http_b24_prom_value(out,
                k ? state == NGX_HTTP_B24_PORTAL_BLOCKED
                  : state != NGX_HTTP_B24_PORTAL_RETRYING
                    && state != NGX_HTTP_B24_PORTAL_BLOCKED);
        }
    }

    ngx_http_b24_prom_family(out, "b24_portal_requests_total", "counter",
                             "Requests to the portal by their end, since "
                             "nginx was started.");

    for (i = 0; i < ngx_http_b24_main->portals.nelts; i++) {

        if (!ngx_http_b24_prom_shows(desk, pp[i])) {
            continue;
        }

        for (n = 0; n < NGX_HTTP_B24_NRESULTS; n++) {
            result.data = (u_char *) ngx_http_b24_prom_results[n];
            result.len = ngx_strlen(result.data);

            ngx_http_b24_prom_sample(out, "b24_portal_requests_total", "host",
                                     &pp[i]->host);
            ngx_http_b24_prom_label(out, "result", &result);
            ngx_http_b24_prom_value(out, (int64_t) pp[i]->sh->results[n]);
        }
    }
}


static ngx_uint_t
ngx_http_b24_prom_shows(ngx_http_b24_desk_t *desk,
    ngx_http_b24_portal_t *portal)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;

    op = portal->origins.elts;

    for (i = 0; i < portal->origins.nelts; i++) {
        if (ngx_http_b24_desk_shows(desk, &op[i]->name)) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_b24_prom_alerts(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_uint_t                i, any;
    ngx_http_b24_origin_t   **op;

    any = 0;
    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

        if (op[i]->conf->alert == NULL
            || !ngx_http_b24_desk_shows(desk, &op[i]->name))
        {
            continue;
        }

        if (!any++) {
            ngx_http_b24_prom_family(out, "b24_alert_up", "gauge",
                                     "0 when who is to be told of alerts does "
                                     "not take them.");
        }

        ngx_http_b24_prom_sample(out, "b24_alert_up", "origin", &op[i]->name);
        ngx_http_b24_prom_value(out, op[i]->sh->alert
                                     != NGX_HTTP_B24_ALERT_FAILING);
    }
}


/* one histogram of all origins shown */

static void
ngx_http_b24_prom_times(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    int64_t                   ms, n, times[NGX_HTTP_B24_BUCKETS];
    ngx_uint_t                i, b;
    ngx_http_b24_origin_t   **op;

    static const int64_t  bounds[] = { NGX_HTTP_B24_BOUNDS };

    ms = 0;
    ngx_memzero(times, sizeof(times));

    op = ngx_http_b24_main->origins.elts;

    for (i = 0; i < ngx_http_b24_main->origins.nelts; i++) {

        if (!ngx_http_b24_desk_shows(desk, &op[i]->name)) {
            continue;
        }

        ms += (int64_t) op[i]->sh->times_ms;

        for (b = 0; b < NGX_HTTP_B24_BUCKETS; b++) {
            times[b] += (int64_t) op[i]->sh->times[b];
        }
    }

    ngx_http_b24_prom_family(out, "b24_delivery_seconds", "histogram",
                             "From an order's acceptance to its deal, since "
                             "nginx was started.");

    n = 0;

    for (b = 0; b < NGX_HTTP_B24_BUCKETS; b++) {
        n += times[b];

        b24_buf_adds(out, "b24_delivery_seconds_bucket{le=\"");

        if (b < NGX_HTTP_B24_BUCKETS - 1) {
            ngx_http_b24_prom_seconds(out, bounds[b]);

        } else {
            b24_buf_adds(out, "+Inf");
        }

        b24_buf_addc(out, '"');
        ngx_http_b24_prom_value(out, n);
    }

    b24_buf_adds(out, "b24_delivery_seconds_sum ");
    ngx_http_b24_prom_seconds(out, ms);
    b24_buf_adds(out, "\nb24_delivery_seconds_count ");
    b24_buf_addi(out, n);
    b24_buf_addc(out, '\n');
}


static void
ngx_http_b24_prom_counters(b24_buf_t *out)
{
    u_char              name[64];
    ngx_uint_t          n, gauge;
    ngx_http_b24_sh_t  *sh;

    sh = ngx_http_b24_sh();

    for (n = 0; n < NGX_HTTP_B24_NCOUNTERS; n++) {

        /* orders in memory and sessions come and go */

        gauge = (n == NGX_HTTP_B24_COUNTER_HELD
                 || n == NGX_HTTP_B24_COUNTER_SESSIONS);

        ngx_snprintf(name, sizeof(name) - 1, "b24_%V%s%Z",
                     &ngx_http_b24_counter_names[n], gauge ? "" : "_total");

        ngx_http_b24_prom_family(out, (char *) name,
                                 gauge ? "gauge" : "counter",
                                 ngx_http_b24_prom_help[n]);
        b24_buf_adds(out, (char *) name);
        b24_buf_addc(out, ' ');
        b24_buf_addi(out, (int64_t) sh->counters[n]);
        b24_buf_addc(out, '\n');
    }

    ngx_http_b24_prom_family(out, "b24_captured_bytes", "gauge",
                             "Memory that holds bodies and answers now.");
    b24_buf_adds(out, "b24_captured_bytes ");
    b24_buf_addi(out, (int64_t) sh->captured);
    b24_buf_addc(out, '\n');
}


/* NAME{label="value", without the closing brace */

static void
ngx_http_b24_prom_sample(b24_buf_t *out, const char *name, const char *label,
    const ngx_str_t *value)
{
    b24_buf_adds(out, name);
    b24_buf_addc(out, '{');
    b24_buf_adds(out, label);
    ngx_http_b24_prom_label(out, "", value);
}


/* label="value", after a comma unless label is empty */

static void
ngx_http_b24_prom_label(b24_buf_t *out, const char *label,
    const ngx_str_t *value)
{
    u_char         utf8[4];
    uint32_t       c;
    const u_char  *p, *last;

    if (label[0]) {
        b24_buf_addc(out, ',');
        b24_buf_adds(out, label);
    }

    b24_buf_adds(out, "=\"");

    p = value->data;
    last = p + value->len;

    while (p < last) {
        c = b24_utf8_next(&p, last);

        switch (c) {

        case '\n':
            b24_buf_adds(out, "\\n");
            break;

        case '"':
        case '\\':
            b24_buf_addc(out, '\\');

            /* fall through */

        default:
            b24_buf_add(out, utf8, b24_utf8_encode(utf8, c));
        }
    }

    b24_buf_addc(out, '"');
}


static void
ngx_http_b24_prom_value(b24_buf_t *out, int64_t value)
{
    b24_buf_adds(out, "} ");
    b24_buf_addi(out, value);
    b24_buf_addc(out, '\n');
}


static void
ngx_http_b24_prom_seconds(b24_buf_t *out, int64_t ms)
{
    u_char  *p, text[NGX_INT64_LEN + 8];

    p = ngx_sprintf(text, "%L.%03L", ms / 1000, ms % 1000);

    /* 2.500 is 2.5, 1.000 is 1 */

    while (p[-1] == '0') {
        p--;
    }

    if (p[-1] == '.') {
        p--;
    }

    b24_buf_add(out, text, p - text);
}
