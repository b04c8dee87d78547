
/* What people were told, in the queue: over restarts, and to whoever is elected
 * next. */


#include "ngx_http_b24_courier.h"


static void ngx_http_b24_alert_load(ngx_http_b24_call_t *call, b24_queue_t *q);
static void ngx_http_b24_alert_row(ngx_http_b24_item_t *item,
    b24_queue_alert_t *row);
static void ngx_http_b24_alert_loaded(ngx_http_b24_call_t *call);
static void ngx_http_b24_alert_known(ngx_http_b24_item_t *item,
    b24_queue_alert_t *row);
static void ngx_http_b24_alert_save(void);
static void ngx_http_b24_alert_gather(void);
static void ngx_http_b24_alert_write(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_alert_written(ngx_http_b24_call_t *call);


/* what the queue is told, or has told, of items; by number when it is read */
static b24_queue_alert_t    *ngx_http_b24_alert_rows;
static ngx_uint_t            ngx_http_b24_alert_nrows;
static ngx_http_b24_call_t   ngx_http_b24_alert_call;
static b24_pool_t           *ngx_http_b24_alert_pool;     /* while it is */
static ngx_uint_t            ngx_http_b24_alert_calling;
static ngx_uint_t            ngx_http_b24_alert_ready;    /* it was read */
static ngx_uint_t            ngx_http_b24_alert_unsaved;  /* it refused */


ngx_int_t
ngx_http_b24_alert_kept_init(ngx_cycle_t *cycle, ngx_uint_t n)
{
    ngx_http_b24_alert_rows = ngx_pcalloc(cycle->pool,
                                          n * sizeof(b24_queue_alert_t));
    if (ngx_http_b24_alert_rows == NULL) {
        return NGX_ERROR;
    }

    ngx_http_b24_alert_call.silent = 1;

    return NGX_OK;
}


void
ngx_http_b24_alert_kept_begin(void)
{
    ngx_http_b24_alert_ready = 0;
}


ngx_uint_t
ngx_http_b24_alert_kept(void)
{
    return ngx_http_b24_alert_ready;
}


void
ngx_http_b24_alert_keep(void)
{
    if (ngx_http_b24_alert_ready) {
        ngx_http_b24_alert_save();
        return;
    }

    if (ngx_http_b24_alert_calling) {
        return;
    }

    ngx_http_b24_alert_pool = b24_pool_create(0);
    if (ngx_http_b24_alert_pool == NULL) {
        return;
    }

    ngx_http_b24_alert_calling = 1;
    ngx_http_b24_alert_call.run = ngx_http_b24_alert_load;
    ngx_http_b24_alert_call.done = ngx_http_b24_alert_loaded;

    ngx_http_b24_store_call(&ngx_http_b24_alert_call);
}


static void
ngx_http_b24_alert_load(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_uint_t          i;
    b24_queue_rc_e      rc;
    b24_queue_alert_t  *row;

    if (q == NULL) {
        return;
    }

    for (i = 0; i < ngx_http_b24_nitems; i++) {
        row = &ngx_http_b24_alert_rows[i];

        ngx_http_b24_alert_row(&ngx_http_b24_items[i], row);

        rc = b24_queue_alert(q, ngx_http_b24_alert_pool, row);

        if (rc != B24_QUEUE_OK && rc != B24_QUEUE_NONE) {
            call->rc = rc;
            return;
        }
    }
}


/* what it is of, without what was told */

static void
ngx_http_b24_alert_row(ngx_http_b24_item_t *item, b24_queue_alert_t *row)
{
    ngx_memzero(row, sizeof(b24_queue_alert_t));

    row->origin = item->origin->name;
    row->event.data = (u_char *) b24_alert_name(item->alert.event);
    row->event.len = ngx_strlen(row->event.data);
}


static void
ngx_http_b24_alert_loaded(ngx_http_b24_call_t *call)
{
    ngx_uint_t  i;

    ngx_http_b24_alert_calling = 0;

    for (i = 0; call->rc == B24_QUEUE_OK && i < ngx_http_b24_nitems; i++) {
        ngx_http_b24_alert_known(&ngx_http_b24_items[i],
                                 &ngx_http_b24_alert_rows[i]);
    }

    ngx_http_b24_alert_ready = (call->rc == B24_QUEUE_OK);

    b24_pool_destroy(ngx_http_b24_alert_pool);
    ngx_http_b24_alert_pool = NULL;
}


/* what somebody else was told is told anew; what was told before the file could
 * be read is news for it */

static void
ngx_http_b24_alert_known(ngx_http_b24_item_t *item, b24_queue_alert_t *row)
{
    b24_alert_t  *alert;

    alert = &item->alert;

    if (alert->told > row->told) {
        alert->dirty = 1;
        return;
    }

    if (row->told == 0 || !b24_str_eq(&row->target, &item->target->conf->name))
    {
        return;
    }

    alert->raised = row->raised;
    alert->since = row->since;
    alert->told = row->told;
    alert->n = row->n;
}


/* rows of what has changed; one call at a time */

static void
ngx_http_b24_alert_save(void)
{
    if (ngx_http_b24_alert_calling || !ngx_http_b24_alert_ready) {
        return;
    }

    ngx_http_b24_alert_gather();

    if (ngx_http_b24_alert_nrows == 0) {
        return;
    }

    ngx_http_b24_alert_calling = 1;
    ngx_http_b24_alert_call.run = ngx_http_b24_alert_write;
    ngx_http_b24_alert_call.done = ngx_http_b24_alert_written;

    ngx_http_b24_store_call(&ngx_http_b24_alert_call);
}


static void
ngx_http_b24_alert_gather(void)
{
    ngx_uint_t            i;
    b24_alert_t          *alert;
    b24_queue_alert_t    *row;
    ngx_http_b24_item_t  *item;

    ngx_http_b24_alert_nrows = 0;

    for (i = 0; i < ngx_http_b24_nitems; i++) {
        item = &ngx_http_b24_items[i];
        alert = &item->alert;

        if (!alert->dirty) {
            continue;
        }

        alert->dirty = 0;

        row = &ngx_http_b24_alert_rows[ngx_http_b24_alert_nrows++];

        ngx_http_b24_alert_row(item, row);

        row->target = item->target->conf->name;
        row->raised = alert->raised;
        row->since = alert->since;
        row->told = alert->told;
        row->n = alert->n;
    }
}


static void
ngx_http_b24_alert_write(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    if (q) {
        call->rc = b24_queue_put_alerts(q, ngx_http_b24_alert_rows,
                                        ngx_http_b24_alert_nrows);
    }
}


static void
ngx_http_b24_alert_written(ngx_http_b24_call_t *call)
{
    ngx_uint_t  i;

    ngx_http_b24_alert_calling = 0;
    ngx_http_b24_alert_unsaved = (call->rc != B24_QUEUE_OK);

    /* which ones is of no matter: all of them once more */

    for (i = 0; ngx_http_b24_alert_unsaved && i < ngx_http_b24_nitems; i++) {
        ngx_http_b24_items[i].alert.dirty = 1;
    }
}


/* a disk that refuses it holds up no handing over */

ngx_uint_t
ngx_http_b24_alert_busy(void)
{
    if (!ngx_http_b24_alert_unsaved) {
        ngx_http_b24_alert_save();
    }

    return ngx_http_b24_alert_calling;
}


void
ngx_http_b24_alert_kept_exit(void)
{
    ngx_uint_t  i;

    if (!ngx_http_b24_leader() || !ngx_http_b24_alert_ready) {
        return;
    }

    for (i = 0; ngx_http_b24_alert_calling && i < ngx_http_b24_nitems; i++) {
        ngx_http_b24_items[i].alert.dirty = 1;
    }

    ngx_http_b24_alert_gather();

    if (ngx_http_b24_alert_nrows) {
        ngx_http_b24_alert_call.run = ngx_http_b24_alert_write;
        ngx_http_b24_store_last(&ngx_http_b24_alert_call);
    }
}
