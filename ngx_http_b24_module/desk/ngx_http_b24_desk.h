
/*
 * Inside the desk: the handler finds out what is asked for, reads lists in the
 * queue's thread, numbers from shared memory, and gives both to a renderer.
 */


#ifndef _NGX_HTTP_B24_DESK_H_INCLUDED_
#define _NGX_HTTP_B24_DESK_H_INCLUDED_


#include "ngx_http_b24_module.h"


typedef enum {
    NGX_HTTP_B24_DESK_HTML = 0,
    NGX_HTTP_B24_DESK_JSON
} ngx_http_b24_desk_format_e;


/* everything a page shows; lives in pool */
typedef struct {
    ngx_http_b24_call_t          call;
    ngx_http_request_t          *request;
    b24_pool_t                  *pool;
    ngx_http_b24_desk_format_e   format;

    /* asked for */
    b24_str_t                   *origins;       /* NULL: all */
    size_t                       norigins;
    b24_state_e                  state;         /* B24_NSTATES: any */
    ngx_uint_t                   limit;
    b24_str_t                    prefix;        /* of the location */
    b24_str_t                    key;           /* of one order, or empty */
    b24_str_t                    order_id;
    b24_str_t                    order_origin;

    /* found */
    b24_queue_rc_e               rc;
    b24_queue_record_t          *records;
    size_t                       nrecords;
    b24_queue_moment_t          *moments;
    size_t                       nmoments;
} ngx_http_b24_desk_t;


/* one portal as seen from one origin */
typedef struct {
    ngx_str_t                   *origin;
    ngx_str_t                   *host;          /* NULL: no webhook */
    const char                  *state;
    u_char                       reason[NGX_HTTP_B24_REASON];
    u_char                       advice[NGX_HTTP_B24_REASON];
    u_char                       warnings[NGX_HTTP_B24_NOTES
                                          + NGX_HTTP_B24_WARNINGS];
                                                /* lines */
    ngx_atomic_uint_t            counts[B24_NSTATES];
    int64_t                      oldest;        /* seconds, 0: none waits */
    ngx_uint_t                   rate;          /* 1/1000 a second */
    ngx_uint_t                   burst;
    ngx_uint_t                   level;         /* 1/1000 */
    ngx_uint_t                   requests;
} ngx_http_b24_desk_portal_t;


void ngx_http_b24_desk_portal(ngx_http_b24_origin_t *o,
    ngx_http_b24_desk_portal_t *portal);
ngx_uint_t ngx_http_b24_desk_shows(ngx_http_b24_desk_t *desk,
    ngx_str_t *origin);
/* the next line of the warnings at *p, 0 when there is none; not terminated */
ngx_uint_t ngx_http_b24_desk_warning(u_char **p, ngx_str_t *line);
/* "2026-11-23T12:00:00Z" of milliseconds since the epoch */
void ngx_http_b24_desk_time(b24_buf_t *out, int64_t ms);

void ngx_http_b24_desk_json(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_desk_html(ngx_http_b24_desk_t *desk, b24_buf_t *out);


extern ngx_str_t  ngx_http_b24_counter_names[];


#endif /* _NGX_HTTP_B24_DESK_H_INCLUDED_ */
