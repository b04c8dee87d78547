
/* Orders that never passed this nginx: what the two files of import share. */


#ifndef _NGX_HTTP_B24_IMPORT_H_INCLUDED_
#define _NGX_HTTP_B24_IMPORT_H_INCLUDED_


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_IMPORT_UNKNOWN  1000       /* orders watched at a time */


/* an order that the queue doesn't know */
typedef struct {
    uint64_t                  hash;         /* of its number */
    ngx_msec_t                seen;         /* for the first time */
    ngx_uint_t                round;        /* for the last time */
    ngx_uint_t                pass;         /* "looked" before it may come in */
} ngx_http_b24_unknown_t;


typedef struct {
    ngx_http_b24_reader_t    *reader;
    const b24_shop_t         *shop;         /* NULL: none has "changes" */
    ngx_uint_t                busy;
    ngx_uint_t                polled;       /* once at least */
    ngx_uint_t                more;         /* the page was full */
    ngx_uint_t                round;
    int64_t                   now;
    ngx_msec_t                msec;
    b24_pool_t               *pool;         /* of the page */
    b24_queue_mark_t          mark;
    ngx_uint_t                begun;        /* the mark is known */
    ngx_uint_t                ahead;        /* it is later than "clock" */
    b24_database_clock_t      clock;        /* at the beginning of the page */
    int64_t                   clocked;      /* the same by ours, ms */
    ngx_msec_t                began;        /* the round */
    ngx_msec_t                before;       /* that of the last whole round */
    ngx_uint_t                rounds;       /* there was one */
    b24_str_t                 changed;      /* the page begins behind these */
    b24_str_t                 row;
    b24_str_t                 held;         /* the least "changed" left to the
                                               traffic, of all pages of a round:
                                               the mark goes no further */
    b24_str_t                 latest;       /* the greatest "changed" of the
                                               last whole round, */
    b24_str_t                 newest;       /* and of this one so far */
    u_char                    page[5][128]; /* they outlive the pool */
    b24_node_t               *rows;
    ngx_uint_t                imported;
    ngx_uint_t                changes;      /* of orders that are known */
    ngx_atomic_uint_t         polls;        /* of those wanted, heeded */
    b24_str_t                 data;         /* of the event of such a one */
    ngx_uint_t                nameless;     /* rows without id or row */
    int                       some;         /* some went out unread */
    ngx_uint_t                unread;       /* and the database wasn't asked
                                               for them */
    ngx_uint_t                looked;       /* of the reader */
    ngx_uint_t                pass;         /* the next value of it */
    ngx_uint_t                fresh;        /* one was never seen before */
    ngx_http_b24_unknown_t   *unknown;
    ngx_uint_t                nunknown;
    ngx_http_b24_ask_t        ask;
    ngx_http_b24_call_t       call;
} ngx_http_b24_import_t;


/* in the queue's thread: the page in one transaction, with the mark */
void ngx_http_b24_import_store(ngx_http_b24_call_t *call, b24_queue_t *q);

/* no later than the database's clock, if it is a time */
void ngx_http_b24_import_present(ngx_http_b24_import_t *im,
    b24_str_t *changed);
ngx_uint_t ngx_http_b24_import_digits(b24_str_t *text);
void ngx_http_b24_import_keep(b24_str_t *to, u_char buf[128],
    b24_str_t *from);


#endif /* _NGX_HTTP_B24_IMPORT_H_INCLUDED_ */
