
/*
 * Inside the desk: the handler finds out what is asked for, reads lists in the
 * queue's thread, numbers from shared memory, and gives both to a renderer.
 *
 *     status   the handler, the read, what portals are
 *     asked    address, method, arguments
 *     action   what a POST does
 *     site     whether it may: requests that other sites make are refused
 *     reply    headers and body of every answer
 *     status_* renderers: JSON, HTML with its forms, Prometheus
 */


#ifndef _NGX_HTTP_B24_DESK_H_INCLUDED_
#define _NGX_HTTP_B24_DESK_H_INCLUDED_


#include "ngx_http_b24_module.h"


typedef enum {
    NGX_HTTP_B24_DESK_HTML = 0,
    NGX_HTTP_B24_DESK_JSON,
    NGX_HTTP_B24_DESK_PROMETHEUS
} ngx_http_b24_desk_format_e;


/* the first three are an order's; names are the last part of the address */
#define NGX_HTTP_B24_ACTIONS(X)                                               \
    X(RETRY, "retry")                                                         \
    X(SEND, "send")                                                           \
    X(DROP, "drop")                                                           \
    X(RETRY_ALL, "retry")                                                     \
    X(PAUSE, "pause")                                                         \
    X(RESUME, "resume")                                                       \
    X(CHECK, "check")

#define NGX_HTTP_B24_X(id, name)  NGX_HTTP_B24_DO_##id,
typedef enum {
    NGX_HTTP_B24_ACTIONS(NGX_HTTP_B24_X)
    NGX_HTTP_B24_NACTIONS
} ngx_http_b24_action_e;
#undef NGX_HTTP_B24_X

#define ngx_http_b24_action_of_order(action)                                  \
    ((action) <= NGX_HTTP_B24_DO_DROP)


#define NGX_HTTP_B24_BY_HAND  (sizeof("retried by hand from ")                \
                               + NGX_SOCKADDR_STRLEN)


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
    b24_str_t                    prefix;        /* of the location, encoded */
    b24_str_t                    key;           /* of one order, or empty */
    b24_str_t                    order_id;
    b24_str_t                    order_origin;
    ngx_http_b24_action_e        action;        /* NACTIONS: only shown */
    b24_str_t                    suffix;        /* of a number, or empty */
    u_char                       by_hand[NGX_HTTP_B24_BY_HAND];
    int64_t                      now;
    unsigned                     exact:1;       /* "location = ": it has no
                                                   addresses below it */

    /* found */
    b24_queue_rc_e               rc;
    b24_queue_record_t          *records;
    size_t                       nrecords;
    b24_queue_moment_t          *moments;
    size_t                       nmoments;
    b24_str_t                   *pauses;        /* causes, by number of the
                                                   origin; NULL: not read */

    /* done */
    const char                  *refusal;       /* why not, a sentence */
    b24_state_e                  state_now;     /* of the order */
    b24_str_t                    origin_id;     /* its new number */
    ngx_uint_t                   count;         /* orders, origins, portals */
    b24_str_t                   *names;         /* origins still to be done */
    size_t                       nnames;
    b24_queue_cursor_t           cursor;
    unsigned                     changed:1;
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
    time_t                       checked;       /* 0: never */
    const char                  *database;      /* NULL: there is none */
    u_char                       db_reason[NGX_HTTP_B24_REASON];
    u_char                       db_advice[NGX_HTTP_B24_REASON];
    ngx_atomic_uint_t            db[NGX_HTTP_B24_NDBS];
    unsigned                     paused:1;
} ngx_http_b24_desk_portal_t;


/* NGX_OK, or the status to answer with */
ngx_int_t ngx_http_b24_desk_asked(ngx_http_request_t *r,
    ngx_http_b24_desk_t *desk);

extern const char  *ngx_http_b24_db_names[NGX_HTTP_B24_NDBS];

/* of the n-th origin of the configuration */
void ngx_http_b24_desk_portal(ngx_http_b24_desk_t *desk, ngx_uint_t n,
    ngx_http_b24_desk_portal_t *portal);
ngx_uint_t ngx_http_b24_desk_shows(ngx_http_b24_desk_t *desk,
    ngx_str_t *origin);
/* in the thread: the order asked for, as far as this desk shows it; desk->rc */
void ngx_http_b24_desk_find(ngx_http_b24_desk_t *desk, b24_queue_t *q);

/* the request's rc for a content handler, or NGX_DONE: done() will answer */
ngx_int_t ngx_http_b24_action(ngx_http_b24_desk_t *desk);
/* keeps the request until desk_resume() */
void ngx_http_b24_desk_suspend(ngx_http_b24_desk_t *desk);
void ngx_http_b24_desk_resume(ngx_http_b24_desk_t *desk, ngx_int_t rc);

/* NULL, or a sentence why a request that changes something is not obeyed */
const char *ngx_http_b24_site_refusal(ngx_http_request_t *r);
/* a header of the request, the first of that name (lower case), or NULL */
ngx_table_elt_t *ngx_http_b24_desk_header(ngx_http_request_t *r,
    const char *name);

/* sends what is in out; its memory lives as long as the request */
ngx_int_t ngx_http_b24_desk_reply(ngx_http_b24_desk_t *desk,
    ngx_uint_t status, b24_buf_t *out);
/* the page or the list, with that status */
ngx_int_t ngx_http_b24_desk_page(ngx_http_b24_desk_t *desk,
    ngx_uint_t status);
/* a sentence, as JSON or a page */
ngx_int_t ngx_http_b24_desk_say(ngx_http_b24_desk_t *desk, ngx_uint_t status,
    const char *sentence);
ngx_int_t ngx_http_b24_desk_add_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value);

/* the next line of the warnings at *p, 0 when there is none; not terminated */
ngx_uint_t ngx_http_b24_desk_warning(u_char **p, ngx_str_t *line);
/* "2026-11-23T12:00:00Z" of milliseconds since the epoch */
void ngx_http_b24_desk_time(b24_buf_t *out, int64_t ms);

void ngx_http_b24_desk_json(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_desk_html(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_desk_prometheus(ngx_http_b24_desk_t *desk, b24_buf_t *out);

/* parts of the page */
void ngx_http_b24_html_begin(b24_buf_t *out);
void ngx_http_b24_html_text(b24_buf_t *out, const b24_str_t *text);
void ngx_http_b24_html_chars(b24_buf_t *out, const u_char *text);
void ngx_http_b24_html_sentence(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *sentence);
/* what can be done to a portal, to an order */
void ngx_http_b24_html_portal_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
void ngx_http_b24_html_order_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);


extern ngx_str_t  ngx_http_b24_counter_names[];
extern ngx_str_t  ngx_http_b24_action_names[];


#endif /* _NGX_HTTP_B24_DESK_H_INCLUDED_ */
