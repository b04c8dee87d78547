
/*
 * Inside the desk: the handler finds out what is asked for, reads lists in the
 * queue's thread, numbers from shared memory, and gives both to a renderer.
 *
 *     status   the handler, the read, what portals are
 *     asked    address, method, arguments
 *     action   what a POST does
 *     site     whether it may: requests that other sites make are refused
 *     preview  the commands of one order
 *     captured its values, and which requests gave them
 *     reply    headers and body of every answer
 *     status_* renderers: JSON, Prometheus, HTML: html (the front page), list,
 *              order, forms, chart, look (frame, style, script)
 *     words    the page's languages
 */


#ifndef _NGX_HTTP_B24_DESK_H_INCLUDED_
#define _NGX_HTTP_B24_DESK_H_INCLUDED_


#include "ngx_http_b24_module.h"
#include "b24_order.h"


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


#define NGX_HTTP_B24_DAY  (24 * 60 * 60 * 1000)  /* of the history, ms */


#define NGX_HTTP_B24_NEEDS  20      /* orders that need a person, shown first */


#define NGX_HTTP_B24_X(id, en, ru)  NGX_HTTP_B24_W_##id,
typedef enum {
#include "ngx_http_b24_words_x.h"
    NGX_HTTP_B24_NWORDS
} ngx_http_b24_word_e;
#undef NGX_HTTP_B24_X


typedef enum {
    NGX_HTTP_B24_EN = 0,
    NGX_HTTP_B24_RU,
    NGX_HTTP_B24_NLANGS
} ngx_http_b24_lang_e;


/* a value that was captured of an order */
#define NGX_HTTP_B24_VALUE_ITEMS  B24_ORDER_NFIELDS
#define NGX_HTTP_B24_VALUE_PAIR   (B24_ORDER_NFIELDS + 1)

#define NGX_HTTP_B24_PLACES  16     /* requests that gave some */

typedef struct {
    ngx_uint_t                   field;         /* B24_ORDER_..., or above */
    b24_str_t                    name;          /* "phone", "deal.UF_CRM_A" */
    b24_str_t                    text;          /* as it is shown; of items how
                                                   many */
    const b24_place_t           *place;         /* of desk->places; NULL: not
                                                   known */
    b24_part_e                   part;
    unsigned                     masked:1;
} ngx_http_b24_value_t;


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
    ngx_http_b24_lang_e          lang;
    unsigned                     reveal:1;      /* who bought is shown */
    unsigned                     searched:1;    /* by ?order= */
    unsigned                     exact:1;       /* "location = ": it has no
                                                   addresses below it */

    /* found */
    b24_queue_rc_e               rc;
    b24_queue_record_t          *records;
    size_t                       nrecords;
    b24_queue_record_t          *needs;         /* a person */
    size_t                       nneeds;
    ngx_uint_t                   shops;         /* whose orders are shown */
    b24_queue_moment_t          *moments;
    size_t                       nmoments;
    b24_str_t                    commands;      /* of one order, as JSON; empty:
                                                   there are none to show */
    b24_order_t                 *order;         /* NULL: nothing is kept of
                                                   it, and no values */
    ngx_http_b24_value_t        *values;
    size_t                       nvalues;
    const b24_place_t           *places[NGX_HTTP_B24_PLACES];
    size_t                       nplaces;
    b24_queue_point_t           *points;        /* of the last day */
    size_t                       npoints;
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
    b24_queue_left_t             left[B24_QUEUE_LEFT];  /* parked, and why */
    size_t                       nleft;
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
    ngx_uint_t                   now;           /* the same, as it is now */
    ngx_uint_t                   burst;
    ngx_uint_t                   level;         /* 1/1000 */
    ngx_uint_t                   requests;      /* that have ended */
    time_t                       checked;       /* 0: never */
    const char                  *database;      /* NULL: there is none */
    u_char                       db_reason[NGX_HTTP_B24_REASON];
    u_char                       db_advice[NGX_HTTP_B24_REASON];
    ngx_atomic_uint_t            db[NGX_HTTP_B24_NDBS];
    const char                  *alert;         /* NULL: nobody is told */
    ngx_str_t                   *alert_target;
    ngx_uint_t                   alerted;       /* messages it has taken */
    u_char                       alert_reason[NGX_HTTP_B24_REASON];
    u_char                       alert_advice[NGX_HTTP_B24_REASON];
    unsigned                     paused:1;
    unsigned                     dry:1;
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

/* in the thread: what was or would be sent of the order that was found */
void ngx_http_b24_desk_preview(ngx_http_b24_desk_t *desk, b24_queue_t *q);

/* in the thread: what was captured of it, personal data masked unless revealed;
 * desk->order and what follows it */
void ngx_http_b24_desk_captured(ngx_http_b24_desk_t *desk);
/* it is a directive's (b24_deal and the like) */
ngx_uint_t ngx_http_b24_captured_configured(ngx_http_b24_desk_t *desk,
    ngx_http_b24_value_t *value);

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

/* part of the page: what is sent to the portal */
void ngx_http_b24_html_commands(ngx_http_b24_desk_t *desk, b24_buf_t *out);

/* the language that is wanted */
ngx_http_b24_lang_e ngx_http_b24_language(ngx_http_request_t *r);
/* a text of the page, HTML */
const char *ngx_http_b24_word(ngx_http_b24_desk_t *desk,
    ngx_http_b24_word_e word);
const char *ngx_http_b24_state_word(ngx_http_b24_desk_t *desk,
    b24_state_e state);
/* of an order, B24_ORDER_... */
const char *ngx_http_b24_field_word(ngx_http_b24_desk_t *desk,
    ngx_uint_t field);
/* "from the answer", in words; B24_PART_NONE: "" */
const char *ngx_http_b24_part_word(ngx_http_b24_desk_t *desk,
    b24_part_e part);
const char *ngx_http_b24_portal_word(ngx_http_b24_desk_t *desk,
    const char *state);

/* the frame; live: it looks by itself what has changed */
void ngx_http_b24_html_begin(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_uint_t live);
void ngx_http_b24_html_end(ngx_http_b24_desk_t *desk, b24_buf_t *out);
/* addresses: of the front page, of an order */
void ngx_http_b24_html_home(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_html_order_home(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *key);
/* a link to the front page */
void ngx_http_b24_html_back(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_html_sentence(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *sentence);

/* bits of text; all but word() escape what they are given */
void ngx_http_b24_html_word(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word);
void ngx_http_b24_html_time(b24_buf_t *out, int64_t ms);
void ngx_http_b24_html_text(b24_buf_t *out, const b24_str_t *text);
/* a sentence of the code, in the reader's language where there is one like it,
 * else marked as English */
void ngx_http_b24_html_said(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const b24_str_t *text);
void ngx_http_b24_html_said_chars(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const u_char *text);

/* parts of an order: number, state, cause and advice, links into the CRM */
void ngx_http_b24_html_number(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);
void ngx_http_b24_html_badge(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_state_e state);
void ngx_http_b24_html_cause(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);
void ngx_http_b24_html_crm(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);

/* sections: lists, one order, the last day */
void ngx_http_b24_html_needs(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_html_latest(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_html_several(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_html_order(ngx_http_b24_desk_t *desk, b24_buf_t *out);
void ngx_http_b24_html_chart(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_str_t *origin);
/* what can be done to a portal, to an order */
void ngx_http_b24_html_portal_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_desk_portal_t *portal);
void ngx_http_b24_html_order_forms(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_queue_record_t *record);


extern ngx_str_t  ngx_http_b24_policy;        /* Content-Security-Policy */
extern ngx_str_t  ngx_http_b24_counter_names[];
extern ngx_str_t  ngx_http_b24_action_names[];


#endif /* _NGX_HTTP_B24_DESK_H_INCLUDED_ */
