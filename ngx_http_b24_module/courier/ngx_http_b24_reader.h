
/* Inside the reader: the order that is asked for, and where it goes on. */


#ifndef _NGX_HTTP_B24_READER_H_INCLUDED_
#define _NGX_HTTP_B24_READER_H_INCLUDED_


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_READ_MEMORY 60000      /* ms; memory after a failure */
#define NGX_HTTP_B24_READ_LOOKS  4          /* for an order that isn't visible
                                               yet */
#define NGX_HTTP_B24_READ_GOODS  2          /* that many of them for goods that
                                               don't make the total */
#define NGX_HTTP_B24_READ_LAST   600000     /* ms; the longest pause */


typedef struct {
    ngx_http_b24_reader_t    *reader;
    ngx_queue_t               line;         /* of those that come next */
    ngx_uint_t                busy;
    b24_pool_t               *pool;
    b24_queue_job_t           job;
    const b24_shop_t         *shop;
    b24_order_t              *order;
    b24_order_t              *first;        /* of a change: as it was put */
    b24_order_t              *found[B24_DATABASE_ORDERS];
    size_t                    nfound;
    uint64_t                  affected;
    b24_database_moment_t     moment;       /* of a status: its change */
    ngx_http_b24_ask_t        ask;
    ngx_http_b24_call_t       call;
    ngx_event_t               timer;
    b24_queue_read_t          read;
    b24_queue_seen_t          seen;         /* of a status: how far it is */
    b24_state_e               state;
    int64_t                   now;
    ngx_uint_t                failed;       /* the document can't be made */
} ngx_http_b24_read_t;


/* ms between the looks */
extern const ngx_msec_t  ngx_http_b24_read_pauses[NGX_HTTP_B24_READ_LOOKS];


/* a new order: in the database's thread, then on the event loop */
void ngx_http_b24_read_run(ngx_http_b24_ask_t *ask, b24_database_t *db);
void ngx_http_b24_read_done(ngx_http_b24_ask_t *ask);
/* the database doesn't have it, or not yet */
void ngx_http_b24_read_absent(ngx_http_b24_read_t *read);
/* how far an order is: in the database's thread, then on the event loop */
void ngx_http_b24_state_run(ngx_http_b24_ask_t *ask, b24_database_t *db);
void ngx_http_b24_state_done(ngx_http_b24_ask_t *ask);
/* the deal's number, the same way */
void ngx_http_b24_link_run(ngx_http_b24_ask_t *ask, b24_database_t *db);
void ngx_http_b24_link_done(ngx_http_b24_ask_t *ask);

/* back to the queue: as it is; to be asked for again after a pause, by what the
 * database has said or after ms; why */
void ngx_http_b24_read_end(ngx_http_b24_read_t *read);
void ngx_http_b24_read_later(ngx_http_b24_read_t *read,
    ngx_http_b24_ask_t *ask);
void ngx_http_b24_read_wait(ngx_http_b24_read_t *read, int64_t ms,
    const char *cause, const char *advice);
void ngx_http_b24_read_words(ngx_http_b24_read_t *read, const char *cause,
    const char *advice);


#endif /* _NGX_HTTP_B24_READER_H_INCLUDED_ */
