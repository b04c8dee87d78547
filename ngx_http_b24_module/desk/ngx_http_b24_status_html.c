
/*
 * The page of b24_status: does an order reach the CRM, if not, why, and what is
 * to be done.  Everything that was ever typed by a person passes the escape.
 */


#include "ngx_http_b24_desk.h"


/* how orders fare, the worst last */
enum {
    NGX_HTTP_B24_GOES = 0,
    NGX_HTTP_B24_SLOW,
    NGX_HTTP_B24_TRIAL,
    NGX_HTTP_B24_HELD,
    NGX_HTTP_B24_STOPS
};


typedef struct {
    char                 *state;
    ngx_http_b24_word_e   word;
    ngx_uint_t            level;
} ngx_http_b24_html_is_t;


static void ngx_http_b24_html_now(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portals, ngx_uint_t n);
static ngx_uint_t ngx_http_b24_html_disk(ngx_http_b24_desk_t *desk);
static void ngx_http_b24_html_portals(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_desk_portal_t *portals, ngx_uint_t n,
    ngx_uint_t well);
static void ngx_http_b24_html_portal(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_state(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
static ngx_http_b24_html_is_t *ngx_http_b24_html_is(
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_counted(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_uint_t n, ngx_http_b24_word_e one);
static void ngx_http_b24_html_age(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    int64_t seconds);
static void ngx_http_b24_html_counts(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_database(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_alert(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_html_queue(ngx_http_b24_desk_t *desk, b24_buf_t *out);
static void ngx_http_b24_html_orders(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_uint_t n, ngx_http_b24_word_e is, ngx_http_b24_word_e advice);


#define ngx_http_b24_html_waits(portal)                                       \
    ((portal)->counts[B24_STATE_ACCEPTED]                                     \
     + (portal)->counts[B24_STATE_SENDING]                                    \
     + (portal)->counts[B24_STATE_WAITING])


void
ngx_http_b24_desk_html(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_uint_t                    i, n;
    ngx_http_b24_origin_t       **op;
    ngx_http_b24_desk_portal_t   *portals;

    ngx_http_b24_html_begin(desk, out, 1);

    if (desk->key.len && desk->nrecords == 1) {
        ngx_http_b24_html_back(desk, out);
        ngx_http_b24_html_order(desk, out);
        ngx_http_b24_html_commands(desk, out);
        ngx_http_b24_html_end(desk, out);
        return;
    }

    if (desk->key.len) {
        ngx_http_b24_html_back(desk, out);
        ngx_http_b24_html_several(desk, out);
        ngx_http_b24_html_end(desk, out);
        return;
    }

    op = ngx_http_b24_main->origins.elts;

    portals = b24_palloc(desk->pool, (ngx_http_b24_main->origins.nelts + 1)
                                     * sizeof(ngx_http_b24_desk_portal_t));
    if (portals == NULL) {
        out->failed = 1;
        return;
    }

    for (i = 0, n = 0; i < ngx_http_b24_main->origins.nelts; i++) {
        if (ngx_http_b24_desk_shows(desk, &op[i]->name)) {
            ngx_http_b24_desk_portal(desk, i, &portals[n++]);
        }
    }

    desk->shops = n;

    ngx_http_b24_html_now(desk, out, portals, n);
    ngx_http_b24_html_queue(desk, out);

    /* what was asked for, what keeps all orders back, what keeps some */

    if (desk->state != B24_NSTATES) {
        ngx_http_b24_html_latest(desk, out);
    }

    ngx_http_b24_html_portals(desk, out, portals, n, 0);
    ngx_http_b24_html_needs(desk, out);
    ngx_http_b24_html_portals(desk, out, portals, n, 1);

    if (desk->state == B24_NSTATES) {
        ngx_http_b24_html_latest(desk, out);
    }

    ngx_http_b24_html_end(desk, out);
}


/* the worst of all, in one sentence, and how many orders need a person */

static void
ngx_http_b24_html_now(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portals, ngx_uint_t n)
{
    ngx_uint_t  i, needs, level, worst, of;

    static struct {
        ngx_http_b24_word_e   all;
        ngx_http_b24_word_e   some;
        char                 *looks;
    } says[] = {
        [NGX_HTTP_B24_GOES] = { NGX_HTTP_B24_W_REACHED,
                                NGX_HTTP_B24_W_REACHED, "ok" },
        [NGX_HTTP_B24_SLOW] = { NGX_HTTP_B24_W_SLOW,
                                NGX_HTTP_B24_W_SLOW_SOME, "warn" },
        [NGX_HTTP_B24_TRIAL] = { NGX_HTTP_B24_W_TRIAL,
                                 NGX_HTTP_B24_W_TRIAL_SOME, "warn" },
        [NGX_HTTP_B24_HELD] = { NGX_HTTP_B24_W_HELD,
                                NGX_HTTP_B24_W_HELD_SOME, "warn" },
        [NGX_HTTP_B24_STOPS] = { NGX_HTTP_B24_W_NOT_REACHED,
                                 NGX_HTTP_B24_W_NOT_REACHED_SOME, "bad" }
    };

    needs = 0;
    worst = NGX_HTTP_B24_GOES;
    of = 0;

    for (i = 0; i < n; i++) {
        needs += portals[i].counts[B24_STATE_PARKED]
                 + portals[i].counts[B24_STATE_UNCONFIRMED];

        level = ngx_http_b24_html_is(&portals[i])->level;

        if (level > worst) {
            worst = level;
            of = 0;
        }

        of += (level == worst);
    }

    if (ngx_http_b24_html_disk(desk)) {
        worst = NGX_HTTP_B24_STOPS;
        of = n;
    }

    b24_buf_adds(out, "<p id=\"now\" role=\"status\" class=\"now ");
    b24_buf_adds(out, (worst == NGX_HTTP_B24_GOES && needs)
                      ? "warn" : says[worst].looks);
    b24_buf_adds(out, "\">");

    if (worst == NGX_HTTP_B24_GOES && needs == 0) {
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ALL_WELL);

    } else {
        ngx_http_b24_html_word(desk, out, of == n ? says[worst].all
                                                  : says[worst].some);
    }

    if (needs) {
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_NEED_YOU);
        b24_buf_addc(out, ' ');
        b24_buf_addi(out, (int64_t) needs);
    }

    b24_buf_adds(out, "</p>\n");
}


static ngx_uint_t
ngx_http_b24_html_disk(ngx_http_b24_desk_t *desk)
{
    ngx_uint_t  held;

    return (desk->rc != B24_QUEUE_OK && desk->rc != B24_QUEUE_NONE)
           || ngx_http_b24_sh_refusing(&held) != 0;
}


/* what the disk does to orders: whoever looks must not take all for well */

static void
ngx_http_b24_html_queue(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_uint_t  refusing, held, lost;

    refusing = ngx_http_b24_sh_refusing(&held);
    lost = ngx_http_b24_sh()->counters[NGX_HTTP_B24_COUNTER_LOST];

    if (!ngx_http_b24_html_disk(desk) && !lost) {
        return;
    }

    b24_buf_adds(out, "<section>");

    if (desk->rc != B24_QUEUE_OK && desk->rc != B24_QUEUE_NONE) {
        b24_buf_adds(out, "<p class=\"lead\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_UNREADABLE);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said_chars(desk, out,
                                (u_char *) b24_queue_strerror(desk->rc));
        b24_buf_adds(out, ". ");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_IN_MEMORY);
        b24_buf_adds(out, "</p>\n");
    }

    if (refusing) {
        ngx_http_b24_html_orders(desk, out, held, NGX_HTTP_B24_W_UNWRITTEN,
                                 NGX_HTTP_B24_W_UNWRITTEN_DO);
    }

    if (lost) {
        ngx_http_b24_html_orders(desk, out, lost, NGX_HTTP_B24_W_LOST,
                                 NGX_HTTP_B24_W_LOST_DO);
    }

    b24_buf_adds(out, "</section>\n");
}


/* how many there are of a kind, and what to do */

static void
ngx_http_b24_html_orders(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_uint_t n, ngx_http_b24_word_e is, ngx_http_b24_word_e advice)
{
    b24_buf_adds(out, "<p class=\"lead\">");
    ngx_http_b24_html_word(desk, out, is);
    b24_buf_addc(out, ' ');
    b24_buf_addi(out, (int64_t) n);
    b24_buf_adds(out, ".</p>\n<p>");
    ngx_http_b24_html_word(desk, out, advice);
    b24_buf_adds(out, "</p>\n");
}


void
ngx_http_b24_html_sentence(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *sentence)
{
    ngx_http_b24_html_begin(desk, out, 0);

    b24_buf_adds(out, "<p class=\"now warn\" role=\"alert\">");
    ngx_http_b24_html_said_chars(desk, out, (u_char *) sentence);
    b24_buf_adds(out, "</p>\n");

    ngx_http_b24_html_back(desk, out);
    ngx_http_b24_html_end(desk, out);
}


void
ngx_http_b24_html_back(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_buf_adds(out, "<p class=\"back\"><a href=\"");
    ngx_http_b24_html_home(desk, out);
    b24_buf_adds(out, "\">&larr; ");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_HOME);
    b24_buf_adds(out, "</a></p>\n");
}


static void
ngx_http_b24_html_portals(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portals, ngx_uint_t n, ngx_uint_t well)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if ((ngx_http_b24_html_is(&portals[i])->level == NGX_HTTP_B24_GOES)
            == well)
        {
            ngx_http_b24_html_portal(desk, out, &portals[i]);
        }
    }
}


static void
ngx_http_b24_html_portal(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    u_char     *p;
    ngx_str_t   line;

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_text(out, portal->origin);

    if (portal->host) {
        b24_buf_adds(out, " &rarr; ");
        ngx_http_b24_html_text(out, portal->host);
    }

    b24_buf_adds(out, " <b class=\"s ");
    b24_buf_adds(out, portal->state);
    b24_buf_adds(out, "\">");
    b24_buf_adds(out, ngx_http_b24_portal_word(desk, portal->state));
    b24_buf_adds(out, "</b></h2>\n");

    ngx_http_b24_html_state(desk, out, portal);
    ngx_http_b24_html_database(desk, out, portal);
    ngx_http_b24_html_alert(desk, out, portal);

    p = portal->warnings;

    while (ngx_http_b24_desk_warning(&p, &line)) {
        b24_buf_adds(out, "<p class=\"warning\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_CONFIGURATION);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said(desk, out, &line);
        b24_buf_adds(out, "</p>\n");
    }

    ngx_http_b24_html_counts(desk, out, portal);
    ngx_http_b24_html_portal_forms(desk, out, portal);
    ngx_http_b24_html_chart(desk, out, portal->origin);

    b24_buf_adds(out, "</section>\n");
}


/* the state in a plain sentence, how many wait, what to do, why */

static void
ngx_http_b24_html_state(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  waits;

    b24_buf_adds(out, "<p class=\"lead\">");
    ngx_http_b24_html_word(desk, out, ngx_http_b24_html_is(portal)->word);

    waits = ngx_http_b24_html_waits(portal);

    if (waits) {
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_counted(desk, out, waits, NGX_HTTP_B24_W_WAIT_ONE);
    }

    if (portal->oldest) {
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_OLDEST);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_age(desk, out, portal->oldest);
        b24_buf_addc(out, '.');
    }

    b24_buf_adds(out, "</p>\n");

    if (portal->advice[0]) {
        b24_buf_adds(out, "<p><b>");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ADVICE);
        b24_buf_adds(out, "</b> ");
        ngx_http_b24_html_said_chars(desk, out, portal->advice);
        b24_buf_adds(out, "</p>\n");
    }

    if (portal->reason[0]) {
        b24_buf_adds(out, "<p class=\"mute\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_REASON);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said_chars(desk, out, portal->reason);
        b24_buf_adds(out, "</p>\n");
    }
}


static ngx_http_b24_html_is_t *
ngx_http_b24_html_is(ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  i;

    static ngx_http_b24_html_is_t  is[] = {
        { "ok", NGX_HTTP_B24_W_IS_OK, NGX_HTTP_B24_GOES },
        { "throttled", NGX_HTTP_B24_W_IS_THROTTLED, NGX_HTTP_B24_SLOW },
        { "retrying", NGX_HTTP_B24_W_IS_RETRYING, NGX_HTTP_B24_STOPS },
        { "paused", NGX_HTTP_B24_W_IS_PAUSED, NGX_HTTP_B24_HELD },
        { "dry", NGX_HTTP_B24_W_IS_DRY, NGX_HTTP_B24_TRIAL },
        { "blocked", NGX_HTTP_B24_W_IS_BLOCKED, NGX_HTTP_B24_STOPS }
    };

    static ngx_http_b24_html_is_t  bare =
        { NULL, NGX_HTTP_B24_W_IS_BARE, NGX_HTTP_B24_STOPS };

    for (i = 0; i < sizeof(is) / sizeof(is[0]); i++) {

        if (portal->host && ngx_strcmp(portal->state, is[i].state) == 0) {
            return &is[i];
        }
    }

    return &bare;
}


/* "12 orders": the word for one, and behind it those for few and for many */

static void
ngx_http_b24_html_counted(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_uint_t n, ngx_http_b24_word_e one)
{
    const char  *p;
    ngx_uint_t   form;

    if (desk->lang == NGX_HTTP_B24_EN) {
        form = (n == 1) ? 0 : 2;

    } else {
        form = (n % 10 == 1 && n % 100 != 11) ? 0
               : (n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14))
               ? 1 : 2;
    }

    for (p = ngx_http_b24_word(desk, one + form); *p; p++) {

        if (*p == '*') {
            b24_buf_addi(out, (int64_t) n);

        } else {
            b24_buf_addc(out, *p);
        }
    }
}


static void
ngx_http_b24_html_age(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    int64_t seconds)
{
    ngx_http_b24_word_e  unit;

    unit = NGX_HTTP_B24_W_SECONDS;

    if (seconds >= 2 * 3600) {
        unit = NGX_HTTP_B24_W_HOURS;
        seconds /= 3600;

    } else if (seconds >= 120) {
        unit = NGX_HTTP_B24_W_MINUTES;
        seconds /= 60;
    }

    b24_buf_addi(out, seconds);
    b24_buf_adds(out, "&nbsp;");
    ngx_http_b24_html_word(desk, out, unit);
}


/* each leads to its orders, but those of which nothing is kept */

static void
ngx_http_b24_html_counts(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  s, linked;

    b24_buf_adds(out, "<ul class=\"n\">");

    for (s = 0; s < B24_NSTATES; s++) {
        linked = (portal->counts[s] && s != B24_STATE_DUPLICATE);

        b24_buf_adds(out, portal->counts[s] ? "<li>" : "<li class=\"z\">");

        if (linked) {
            b24_buf_adds(out, "<a href=\"");
            ngx_http_b24_html_home(desk, out);
            b24_buf_adds(out, "?state=");
            b24_buf_adds(out, b24_state_name(s));
            b24_buf_adds(out, "&amp;origin=");
            b24_text_escape(out, portal->origin);
            b24_buf_adds(out, "\">");
        }

        b24_buf_adds(out, "<b>");
        b24_buf_addi(out, (int64_t) portal->counts[s]);
        b24_buf_adds(out, "</b> ");
        b24_buf_adds(out, ngx_http_b24_state_word(desk, s));
        b24_buf_adds(out, linked ? "</a></li>" : "</li>");
    }

    b24_buf_adds(out, "</ul>\n");
}


static void
ngx_http_b24_html_database(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  i;

    if (portal->database == NULL) {
        return;
    }

    b24_buf_adds(out, "<p>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_DATABASE);
    b24_buf_adds(out, " <b lang=\"en\" class=\"s ");
    b24_buf_adds(out, portal->database);
    b24_buf_adds(out, "\">");
    b24_buf_adds(out, portal->database);
    b24_buf_adds(out, "</b><span lang=\"en\">");

    for (i = 0; i < NGX_HTTP_B24_NDBS; i++) {
        b24_buf_adds(out, ", ");
        b24_buf_adds(out, ngx_http_b24_db_names[i]);
        b24_buf_addc(out, ' ');
        b24_buf_addi(out, (int64_t) portal->db[i]);
    }

    b24_buf_adds(out, "</span></p>\n");

    if (portal->db_reason[0]) {
        b24_buf_adds(out, "<p class=\"warning\">");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_DATABASE);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said_chars(desk, out, portal->db_reason);
        b24_buf_adds(out, "; ");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ADVICE);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said_chars(desk, out, portal->db_advice);
        b24_buf_adds(out, "</p>\n");
    }
}


/* only of what is wrong: nobody would hear of it in another way */

static void
ngx_http_b24_html_alert(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal)
{
    if (portal->alert == NULL || portal->alert_reason[0] == '\0') {
        return;
    }

    b24_buf_adds(out, "<p class=\"warning\">");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ALERT);
    b24_buf_addc(out, ' ');
    ngx_http_b24_html_text(out, portal->alert_target);
    b24_buf_adds(out, ": ");
    ngx_http_b24_html_said_chars(desk, out, portal->alert_reason);

    if (portal->alert_advice[0]) {
        b24_buf_adds(out, "; ");
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_ADVICE);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_said_chars(desk, out, portal->alert_advice);
    }

    b24_buf_adds(out, "</p>\n");
}
