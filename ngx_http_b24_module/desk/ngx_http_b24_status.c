
/* b24_status: the request, the read in the thread, what a portal is now. */


#include "ngx_http_b24_desk.h"


#define NGX_HTTP_B24_LIMIT  50


static void ngx_http_b24_desk_warnings(ngx_http_b24_sh_portal_t *sh,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_desk_alert(ngx_http_b24_origin_t *o,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_desk_database(ngx_http_b24_origin_t *o,
    ngx_http_b24_desk_portal_t *portal);
static void ngx_http_b24_desk_paused(ngx_http_b24_desk_t *desk, ngx_uint_t n,
    ngx_http_b24_desk_portal_t *portal);
static ngx_http_b24_desk_t *ngx_http_b24_desk_create(ngx_http_request_t *r);
static void ngx_http_b24_desk_cleanup(void *data);
static void ngx_http_b24_desk_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static void ngx_http_b24_desk_needs(ngx_http_b24_desk_t *desk, b24_queue_t *q);
static void ngx_http_b24_desk_lists(ngx_http_b24_desk_t *desk, b24_queue_t *q);
static void ngx_http_b24_desk_pauses(ngx_http_b24_desk_t *desk,
    b24_queue_t *q);
static void ngx_http_b24_desk_done(ngx_http_b24_call_t *call);


#define NGX_HTTP_B24_X(id, name, help)  ngx_string(name),
ngx_str_t  ngx_http_b24_counter_names[] = {
#include "ngx_http_b24_counters_x.h"
    ngx_null_string
};
#undef NGX_HTTP_B24_X


ngx_int_t
ngx_http_b24_status_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_b24_desk_t  *desk;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    desk = ngx_http_b24_desk_create(r);
    if (desk == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_b24_desk_asked(r, desk);
    if (rc != NGX_OK) {
        return rc;
    }

    if (desk->action != NGX_HTTP_B24_NACTIONS) {
        return ngx_http_b24_action(desk);
    }

    /* numbers are there whatever the queue's file does */

    if (desk->format == NGX_HTTP_B24_DESK_PROMETHEUS) {
        return ngx_http_b24_desk_page(desk, NGX_HTTP_OK);
    }

    desk->call.run = ngx_http_b24_desk_run;
    desk->call.done = ngx_http_b24_desk_done;

    ngx_http_b24_desk_suspend(desk);

    return NGX_DONE;
}


static ngx_http_b24_desk_t *
ngx_http_b24_desk_create(ngx_http_request_t *r)
{
    b24_pool_t           *pool;
    ngx_pool_cleanup_t   *cln;
    ngx_http_b24_desk_t  *desk;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_b24_desk_cleanup;
    cln->data = pool;

    desk = b24_pcalloc(pool, sizeof(ngx_http_b24_desk_t));
    if (desk == NULL) {
        return NULL;
    }

    desk->pool = pool;
    desk->request = r;
    desk->state = B24_NSTATES;
    desk->limit = NGX_HTTP_B24_LIMIT;
    desk->action = NGX_HTTP_B24_NACTIONS;
    desk->now = ngx_http_b24_now();
    desk->call.data = desk;

    return desk;
}


static void
ngx_http_b24_desk_cleanup(void *data)
{
    b24_pool_destroy(data);
}


ngx_uint_t
ngx_http_b24_desk_shows(ngx_http_b24_desk_t *desk, ngx_str_t *origin)
{
    size_t  i;

    if (desk->origins == NULL) {
        return 1;
    }

    for (i = 0; i < desk->norigins; i++) {
        if (b24_str_eq(&desk->origins[i], origin)) {
            return 1;
        }
    }

    return 0;
}


/*
 * The request waits for the thread.  blocked: a connection that is closed
 * meanwhile (worker_shutdown_timeout) must not take the desk with it.
 */

void
ngx_http_b24_desk_suspend(ngx_http_b24_desk_t *desk)
{
    desk->request->main->count++;
    desk->request->main->blocked++;

    ngx_http_b24_store_call(&desk->call);
}


void
ngx_http_b24_desk_resume(ngx_http_b24_desk_t *desk, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = desk->request;
    c = r->connection;

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


/* in the thread */

static void
ngx_http_b24_desk_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_desk_t  *desk = call->data;

    desk->rc = call->rc;

    if (q == NULL) {
        return;
    }

    ngx_http_b24_desk_pauses(desk, q);

    if (desk->key.len == 0) {
        ngx_http_b24_desk_lists(desk, q);
        return;
    }

    ngx_http_b24_desk_find(desk, q);

    if (desk->rc == B24_QUEUE_OK && desk->nrecords == 1) {
        desk->rc = b24_queue_timeline(q, desk->pool, 0, desk->records[0].key,
                                      &desk->moments, &desk->nmoments);
        ngx_http_b24_desk_preview(desk, q);
        ngx_http_b24_desk_captured(desk);
    }
}


static void
ngx_http_b24_desk_lists(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    desk->rc = b24_queue_list(q, desk->pool, desk->origins, desk->norigins,
                              desk->state, (int) desk->limit, &desk->records,
                              &desk->nrecords);

    if (desk->rc == B24_QUEUE_OK
        && desk->format == NGX_HTTP_B24_DESK_HTML
        && desk->state == B24_NSTATES)
    {
        ngx_http_b24_desk_needs(desk, q);
    }

    if (desk->rc == B24_QUEUE_OK) {
        desk->rc = b24_queue_points(q, desk->pool, desk->origins,
                                    desk->norigins,
                                    desk->now - NGX_HTTP_B24_DAY, desk->now,
                                    &desk->points, &desk->npoints);
    }
}


/* what only a person can decide: the page begins with it */

static void
ngx_http_b24_desk_needs(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    size_t               i, n, found;
    b24_queue_record_t  *records;

    static b24_state_e  states[] = { B24_STATE_PARKED, B24_STATE_UNCONFIRMED };

    desk->needs = b24_palloc(desk->pool, 2 * NGX_HTTP_B24_NEEDS
                                         * sizeof(b24_queue_record_t));
    if (desk->needs == NULL) {
        desk->rc = B24_QUEUE_NOMEM;
        return;
    }

    for (i = 0, n = 0; i < 2 && desk->rc == B24_QUEUE_OK; i++) {
        desk->rc = b24_queue_list(q, desk->pool, desk->origins,
                                  desk->norigins, states[i],
                                  NGX_HTTP_B24_NEEDS, &records, &found);

        if (desk->rc == B24_QUEUE_OK && found) {
            ngx_memcpy(&desk->needs[n], records,
                       found * sizeof(b24_queue_record_t));
            n += found;
        }
    }

    desk->nneeds = n;
}


static void
ngx_http_b24_desk_pauses(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    ngx_uint_t                i, n;
    ngx_http_b24_origin_t   **op;

    op = ngx_http_b24_main->origins.elts;
    n = ngx_http_b24_main->origins.nelts;

    desk->pauses = b24_pcalloc(desk->pool, (n + 1) * sizeof(b24_str_t));
    if (desk->pauses == NULL) {
        return;
    }

    for (i = 0; i < n; i++) {
        if (op[i]->sh->paused
            && b24_queue_paused(q, desk->pool, &op[i]->name, &desk->pauses[i])
               != B24_QUEUE_OK)
        {
            break;
        }
    }
}


void
ngx_http_b24_desk_find(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    size_t  i, n;

    desk->rc = b24_queue_get(q, desk->pool, &desk->key, NULL, NULL,
                             &desk->records, &desk->nrecords);

    if (desk->rc == B24_QUEUE_NONE) {
        desk->rc = b24_queue_get(q, desk->pool, NULL, &desk->order_origin,
                                 &desk->order_id, &desk->records,
                                 &desk->nrecords);
    }

    if (desk->rc != B24_QUEUE_OK) {
        return;
    }

    /* what this desk doesn't show doesn't exist for it */

    for (i = 0, n = 0; i < desk->nrecords; i++) {
        if (ngx_http_b24_desk_shows(desk, &desk->records[i].origin)) {
            desk->records[n++] = desk->records[i];
        }
    }

    desk->nrecords = n;

    if (n == 0) {
        desk->rc = B24_QUEUE_NONE;
    }
}


static void
ngx_http_b24_desk_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_desk_t  *desk = call->data;

    ngx_int_t  rc;

    desk->request->main->blocked--;

    if (desk->key.len && desk->rc == B24_QUEUE_NONE) {
        rc = ngx_http_b24_desk_say(desk, NGX_HTTP_NOT_FOUND,
                                   "there is no such order");

    } else if (desk->key.len && desk->rc != B24_QUEUE_OK) {
        rc = ngx_http_b24_desk_say(desk, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   b24_queue_strerror(desk->rc));

    } else {

        /* an order id that several records have */

        rc = ngx_http_b24_desk_page(desk, (desk->key.len && desk->nrecords > 1)
                                          ? NGX_HTTP_CONFLICT : NGX_HTTP_OK);
    }

    ngx_http_b24_desk_resume(desk, rc);
}


#define NGX_HTTP_B24_X(id, name)  name,
const char  *ngx_http_b24_db_names[NGX_HTTP_B24_NDBS] = {
    NGX_HTTP_B24_DBS(NGX_HTTP_B24_X)
};
#undef NGX_HTTP_B24_X


void
ngx_http_b24_desk_portal(ngx_http_b24_desk_t *desk, ngx_uint_t n,
    ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t                  s;
    ngx_http_b24_origin_t     **op, *o;
    ngx_http_b24_sh_portal_t   *sh;

    static const char  *states[] = {
        "ok", "throttled", "retrying", "paused", "blocked"
    };

    ngx_memzero(portal, sizeof(ngx_http_b24_desk_portal_t));

    op = ngx_http_b24_main->origins.elts;
    o = op[n];

    portal->origin = &o->name;
    portal->paused = (o->sh->paused != 0);

    for (s = 0; s < B24_NSTATES; s++) {
        portal->counts[s] = o->sh->counts[s];
    }

    if (o->sh->oldest) {
        portal->oldest = (int64_t) ngx_time() - (int64_t) o->sh->oldest;
        portal->oldest = ngx_max(portal->oldest, 0);
    }

    ngx_cpystrn(portal->warnings, o->sh->notes, NGX_HTTP_B24_NOTES);

    ngx_http_b24_desk_database(o, portal);
    ngx_http_b24_desk_alert(o, portal);

    if (o->portal == NULL) {
        portal->state = "blocked";
        ngx_cpystrn(portal->reason, (u_char *) "no webhook is configured",
                    NGX_HTTP_B24_REASON);
        ngx_cpystrn(portal->advice, (u_char *) "add b24_webhook to the "
                    "server; its orders wait, none is lost",
                    NGX_HTTP_B24_REASON);
        return;
    }

    sh = o->portal->sh;

    portal->host = &o->portal->host;
    portal->dry = o->conf->webhook->dry;
    portal->state = portal->dry ? "dry"
                    : states[ngx_min(sh->state, NGX_HTTP_B24_PORTAL_BLOCKED)];

    ngx_http_b24_sh_read(&sh->words, portal->reason, portal->advice);
    ngx_http_b24_desk_warnings(sh, portal);

    if (portal->paused) {
        ngx_http_b24_desk_paused(desk, n, portal);
    }

    portal->rate = o->portal->limits.rate;
    portal->now = ngx_http_b24_sh_rate(sh, o->portal->limits.rate);
    portal->burst = o->portal->limits.burst;
    portal->level = ngx_http_b24_sh_level(sh, o->portal->limits.rate);
    portal->checked = (time_t) sh->checked;

    for (s = 0; s < NGX_HTTP_B24_NRESULTS; s++) {
        portal->requests += sh->results[s];
    }
}


static void
ngx_http_b24_desk_database(ngx_http_b24_origin_t *o,
    ngx_http_b24_desk_portal_t *portal)
{
    ngx_uint_t  i;

    static const char  *states[] = { NULL, "unused", "ok", "failing" };

    if (o->conf->database == NULL) {
        return;
    }

    portal->database = states[ngx_min(o->sh->database,
                                      NGX_HTTP_B24_DB_FAILING)];

    /* no worker delivers for it yet */

    if (portal->database == NULL) {
        portal->database = states[NGX_HTTP_B24_DB_UNUSED];
    }

    ngx_http_b24_sh_read(&o->sh->words, portal->db_reason, portal->db_advice);

    for (i = 0; i < NGX_HTTP_B24_NDBS; i++) {
        portal->db[i] = o->sh->db[i];
    }
}


static void
ngx_http_b24_desk_alert(ngx_http_b24_origin_t *o,
    ngx_http_b24_desk_portal_t *portal)
{
    static const char  *states[] = { "unused", "ok", "failing" };

    if (o->conf->alert == NULL) {
        return;
    }

    portal->alert = states[ngx_min(o->sh->alert, NGX_HTTP_B24_ALERT_FAILING)];
    portal->alert_target = &o->conf->alert->name;
    portal->alerted = o->sh->alerted;

    ngx_http_b24_sh_read(&o->sh->alert_words, portal->alert_reason,
                         portal->alert_advice);
}


/* what a person has stopped is said first */

static void
ngx_http_b24_desk_paused(ngx_http_b24_desk_t *desk, ngx_uint_t n,
    ngx_http_b24_desk_portal_t *portal)
{
    portal->state = "paused";

    if (desk->pauses && desk->pauses[n].len) {
        ngx_snprintf(portal->reason, NGX_HTTP_B24_REASON - 1, "%V%Z",
                     &desk->pauses[n]);
        portal->reason[NGX_HTTP_B24_REASON - 1] = '\0';

    } else {
        ngx_cpystrn(portal->reason, (u_char *) "paused by hand",
                    NGX_HTTP_B24_REASON);
    }

    ngx_cpystrn(portal->advice, (u_char *) "resume the deliveries when they "
                "may go on; orders wait, none is lost", NGX_HTTP_B24_REASON);
}


/* the lines of this origin, without its name */

static void
ngx_http_b24_desk_warnings(ngx_http_b24_sh_portal_t *sh,
    ngx_http_b24_desk_portal_t *portal)
{
    u_char  *p, *last, *tab, *to, text[NGX_HTTP_B24_WARNINGS];

    ngx_http_b24_sh_read_warnings(sh, text);

    /* behind the origin's own */

    to = portal->warnings + ngx_strlen(portal->warnings);

    for (p = text; *p; p = last + 1) {
        last = (u_char *) ngx_strchr(p, '\n');
        tab = (u_char *) ngx_strchr(p, '\t');

        if (last == NULL || tab == NULL || tab > last) {
            break;
        }

        if ((size_t) (tab - p) == portal->origin->len
            && ngx_memcmp(p, portal->origin->data, portal->origin->len) == 0)
        {
            to = ngx_cpymem(to, tab + 1, last - tab);
        }
    }

    *to = '\0';
}


ngx_uint_t
ngx_http_b24_desk_warning(u_char **p, ngx_str_t *line)
{
    u_char  *last;

    last = (u_char *) ngx_strchr(*p, '\n');

    if (last == NULL) {
        return 0;
    }

    line->data = *p;
    line->len = last - *p;

    *p = last + 1;

    return 1;
}


void
ngx_http_b24_desk_time(b24_buf_t *out, int64_t ms)
{
    u_char    text[sizeof("2026-11-23T12:00:00Z")], *p;
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (ms / 1000), &tm);

    p = ngx_sprintf(text, "%4d-%02d-%02dT%02d:%02d:%02dZ",
                    tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                    tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);

    b24_buf_add(out, text, p - text);
}
