
/*
 * Orders that never passed this nginx: typed in by a manager, brought by 1C, by
 * a marketplace.  The "changes" statement is asked for what has changed since
 * the last time, by the database's own clock alone; an order that the queue
 * doesn't know after a minute (its request may be under way) is put there by
 * its number, and read as any other; but not before the orders that went out
 * unread have been looked for since it was seen, as it may be one of them.
 * What is older than the first start is none of ours.  An order that is dated
 * ahead of that clock comes in as any other, but what is read goes on from the
 * time that is, so that it holds up none of those to come.
 *
 * An order that the queue knows may have another status, another total, or be
 * paid: when the row says so, or tells nothing of that, it is read again
 * (reader).  That is so with "b24_import off", too.
 */


#include "ngx_http_b24_import.h"


#define NGX_HTTP_B24_IMPORT_PAGE     200        /* orders a time */
#define NGX_HTTP_B24_IMPORT_OVERLAP  120        /* s, or numbers */


static void ngx_http_b24_import_load(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_import_loaded(ngx_http_b24_call_t *call);
static void ngx_http_b24_import_since(ngx_http_b24_import_t *im);
static void ngx_http_b24_import_run(ngx_http_b24_ask_t *ask,
    b24_database_t *db);
static void ngx_http_b24_import_asked(ngx_http_b24_ask_t *ask);
static void ngx_http_b24_import_round(ngx_http_b24_import_t *im);
static void ngx_http_b24_import_forget(ngx_http_b24_import_t *im);
static void ngx_http_b24_import_stored(ngx_http_b24_call_t *call);
static void ngx_http_b24_import_end(ngx_http_b24_import_t *im);


ngx_int_t
ngx_http_b24_import_init(ngx_cycle_t *cycle, ngx_http_b24_reader_t *r)
{
    ngx_http_b24_import_t  *im;

    im = ngx_pcalloc(cycle->pool, sizeof(ngx_http_b24_import_t));
    if (im == NULL) {
        return NGX_ERROR;
    }

    im->reader = r;
    im->ask.data = im;
    im->ask.statement = B24_STATEMENT_CHANGES;
    im->ask.run = ngx_http_b24_import_run;
    im->ask.done = ngx_http_b24_import_asked;
    im->call.data = im;
    im->latest.data = im->page[3];
    im->newest.data = im->page[4];

    r->import = im;

    if (r->shop == NULL
        || b24_shop_statement(r->shop, B24_STATEMENT_CHANGES) == NULL)
    {
        return NGX_OK;
    }

    im->shop = r->shop;
    im->unknown = ngx_pcalloc(cycle->pool, NGX_HTTP_B24_IMPORT_UNKNOWN
                                           * sizeof(ngx_http_b24_unknown_t));

    return im->unknown ? NGX_OK : NGX_ERROR;
}


/* whichever worker: the elected one looks at this each second */

void
ngx_http_b24_import_poll(ngx_http_b24_origin_t *origin)
{
    (void) ngx_atomic_fetch_add(&origin->sh->polls, 1);
}


ngx_uint_t
ngx_http_b24_origin_reads(ngx_http_b24_origin_t *origin,
    const b24_shop_t *shop)
{
    return origin->conf->database != NULL
           && b24_shop_statement(shop, B24_STATEMENT_ORDER) != NULL;
}


ngx_uint_t
ngx_http_b24_import_busy(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_import_t  *im = r->import;

    return im->busy;
}


void
ngx_http_b24_import_tick(ngx_http_b24_reader_t *r)
{
    ngx_http_b24_import_t  *im = r->import;

    if (im->shop == NULL || im->busy || ngx_http_b24_database_paused(r)
        || (!im->more
            && im->polled
            && im->polls == r->origin->sh->polls
            && ngx_current_msec - im->msec
               < r->origin->conf->database->poll))
    {
        return;
    }

    im->pool = b24_pool_create(0);
    if (im->pool == NULL) {
        return;
    }

    im->busy = 1;
    im->polled = 1;
    im->now = ngx_http_b24_now();
    im->msec = ngx_current_msec;
    im->imported = 0;
    im->changes = 0;
    im->nameless = 0;
    im->polls = r->origin->sh->polls;

    ngx_memzero(&im->mark, sizeof(b24_queue_mark_t));

    im->mark.origin = r->origin->name;
    im->mark.shop = *b24_shop_name(im->shop);

    im->call.run = ngx_http_b24_import_load;
    im->call.done = ngx_http_b24_import_loaded;
    im->call.silent = 1;

    ngx_http_b24_store_call(&im->call);
}


static void
ngx_http_b24_import_load(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_http_b24_import_t  *im = call->data;

    if (q) {
        call->rc = b24_queue_mark(q, im->pool, &im->mark);
    }
}


static void
ngx_http_b24_import_loaded(ngx_http_b24_call_t *call)
{
    ngx_http_b24_import_t  *im = call->data;

    if (call->rc != B24_QUEUE_OK && call->rc != B24_QUEUE_NONE) {
        ngx_http_b24_import_end(im);
        return;
    }

    im->begun = (call->rc == B24_QUEUE_OK);

    if (!im->more) {
        im->began = im->msec;
        im->ahead = 0;
        im->changed.len = 0;
        im->row.len = 0;
        im->round++;
        im->held.len = 0;
    }

    ngx_http_b24_database_ask(im->reader, &im->ask);
}


/*
 * A little before the mark: a transaction that ends late has an earlier time.
 * The clock is the database's, its zone doesn't matter.
 */

static void
ngx_http_b24_import_since(ngx_http_b24_import_t *im)
{
    u_char      buf[128];
    b24_str_t   since;
    int64_t     seconds;
    ngx_int_t   n;
    struct tm   back;
    time_t      t;

    since = im->mark.changed;
    ngx_http_b24_import_present(im, &since);

    im->ahead = (since.data != im->mark.changed.data);

    if (ngx_http_b24_import_digits(&since) && since.len < 18) {
        n = ngx_atoi(since.data, since.len);
        n = ngx_max(n - NGX_HTTP_B24_IMPORT_OVERLAP, 0);

        since.data = buf;
        since.len = ngx_sprintf(buf, "%i", n) - buf;

    } else if (b24_database_time(&since, &seconds) == B24_OK) {

        t = (time_t) seconds - NGX_HTTP_B24_IMPORT_OVERLAP;

        if (gmtime_r(&t, &back)) {
            since.data = buf;
            since.len = ngx_sprintf(buf, "%04d-%02d-%02d %02d:%02d:%02d",
                                    back.tm_year + 1900, back.tm_mon + 1,
                                    back.tm_mday, back.tm_hour, back.tm_min,
                                    back.tm_sec)
                        - buf;
        }
    }

    ngx_http_b24_import_keep(&im->changed, im->page[0], &since);
}


/* in the database's thread */

static void
ngx_http_b24_import_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_import_t  *im = ask->data;

    struct timeval  tv;

    im->rows = NULL;

    ask->rc = b24_database_clock(db, &im->clock);

    if (ask->rc != B24_DATABASE_OK) {
        return;
    }

    ngx_gettimeofday(&tv);
    im->clocked = (int64_t) tv.tv_sec * 1000 + tv.tv_usec / 1000;

    if (!im->more && im->begun) {
        ngx_http_b24_import_since(im);
    }

    ask->rc = b24_database_changes(db, im->pool,
                           b24_shop_statement(im->shop, B24_STATEMENT_CHANGES),
                           &im->changed, &im->row, NGX_HTTP_B24_IMPORT_PAGE,
                           &im->rows);
}


static void
ngx_http_b24_import_asked(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_import_t  *im = ask->data;

    /* behind a page that was full there need not be another */

    if (ask->rc == B24_DATABASE_NONE && !im->more) {
        ngx_http_b24_import_forget(im);
    }

    if (ask->rc != B24_DATABASE_OK
        && (ask->rc != B24_DATABASE_NONE || !im->ahead))
    {
        im->more = 0;

        if (ask->rc == B24_DATABASE_NONE) {
            ngx_http_b24_import_round(im);
        }

        ngx_http_b24_import_end(im);
        return;
    }

    im->looked = im->reader->looked;
    im->unread = (im->looked < im->reader->marked);
    im->pass = im->reader->unread + 1;
    im->fresh = 0;

    im->call.run = ngx_http_b24_import_store;
    im->call.done = ngx_http_b24_import_stored;
    im->call.silent = 0;

    ngx_http_b24_store_call(&im->call);
}


static void
ngx_http_b24_import_stored(ngx_http_b24_call_t *call)
{
    ngx_http_b24_import_t  *im = call->data;

    ngx_uint_t  left;

    static ngx_http_b24_quiet_t  quiet;
    static const u_char          note[] =
        "rows of the \"changes\" statement have no column \"id\", \"row\" or "
        "\"changed\": orders that never pass nginx can't be imported";

    if (im->fresh && im->reader->unread < im->pass) {
        im->reader->unread = im->pass;
    }

    if (call->rc != B24_QUEUE_OK) {
        im->more = 0;

        if (ngx_http_b24_quiet(&quiet, &left)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: orders of \"%V\" that never passed nginx are "
                          "not written down: %s", &im->reader->origin->name,
                          b24_queue_strerror(call->rc));
        }

        ngx_http_b24_import_end(im);
        return;
    }

    if (im->nameless && ngx_http_b24_sh_note(im->reader->origin->sh, note)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: the \"changes\" statement of \"%V\" gives rows "
                      "without \"id\", \"row\" or \"changed\"",
                      &im->reader->origin->name);
    }

    im->more = im->begun && im->rows
               && im->rows->count == NGX_HTTP_B24_IMPORT_PAGE;

    ngx_http_b24_import_round(im);

    if (im->imported || im->changes) {
        ngx_http_b24_deliver_kick();
    }

    ngx_http_b24_import_end(im);

    /* a round should not take longer than the distance to the next one */

    if (im->more && ngx_http_b24_leader() && !ngx_exiting) {
        ngx_http_b24_import_tick(im->reader);
    }
}


/* all there was by its beginning has been seen, unless more follows */

static void
ngx_http_b24_import_round(ngx_http_b24_import_t *im)
{
    if (!im->more) {
        im->before = im->began;
        im->rounds = 1;

        ngx_http_b24_import_keep(&im->latest, im->page[3], &im->newest);
    }
}


/* nothing has changed: nobody is waited for */

static void
ngx_http_b24_import_forget(ngx_http_b24_import_t *im)
{
    im->nunknown = 0;
}


static void
ngx_http_b24_import_end(ngx_http_b24_import_t *im)
{
    b24_pool_destroy(im->pool);

    im->pool = NULL;
    im->rows = NULL;
    im->busy = 0;
}
