
/*
 * Between the files of the way back: the order at hand, and what they ask of
 * each other.
 */


#ifndef _NGX_HTTP_B24_BACK_H_INCLUDED_
#define _NGX_HTTP_B24_BACK_H_INCLUDED_


#include "ngx_http_b24_courier.h"
#include "b24_call.h"


#define NGX_HTTP_B24_BACK_LEASE  (5 * 60 * 1000)    /* ms; > a call */


typedef enum {
    NGX_HTTP_B24_BACK_IDLE = 0,
    NGX_HTTP_B24_BACK_CLAIM,
    NGX_HTTP_B24_BACK_READ,
    NGX_HTTP_B24_BACK_RECHECK,      /* still as it was, a login later? */
    NGX_HTTP_B24_BACK_ATTEMPT,
    NGX_HTTP_B24_BACK_CALL,
    NGX_HTTP_B24_BACK_CHECKING,
    NGX_HTTP_B24_BACK_OUTCOME,
    NGX_HTTP_B24_BACK_KEPT          /* the outcome can't be written now */
} ngx_http_b24_back_e;


/* of one origin */
typedef struct {
    ngx_http_b24_origin_t    *origin;
    const b24_shop_t         *shop;         /* its first that can be written to:
                                               of orders whose rules are gone;
                                               NULL: none is */
    ngx_http_b24_back_e       stage;
    ngx_event_t               timer;
    ngx_http_b24_call_t       call;
    ngx_http_b24_ask_t        ask;
    ngx_http_b24_transfer_t   transfer;
    ngx_http_b24_quiet_t      quiet;
    ngx_msec_t                resume;       /* the shop is left alone until
                                               then, 0: it isn't */
    ngx_uint_t                asked_for;    /* by hand, heeded */
    ngx_uint_t                failures;     /* in a row */
    ngx_uint_t                recover;      /* orders of dead owners first */
    ngx_uint_t                again;        /* a knock came meanwhile */
    int64_t                   next;         /* when something becomes due */
    int64_t                   now;

    /* of the order at hand */
    b24_pool_t               *pool;
    b24_queue_job_t           job;
    const b24_shop_t         *rules;
    b24_order_t              *known;        /* as it was captured */
    b24_order_t               order;        /* as the shop has it */
    b24_order_t               asked;        /* as its database tells */
    b24_database_moment_t     moment;       /* since when */
    b24_crm_settings_t        set;
    b24_str_t                 status;       /* the one to be set */
    b24_call_run_t           *run;
    b24_call_request_t        request;
    b24_call_verdict_t        verdict;
    ngx_uint_t                checks;
    b24_queue_seen_t          weighed;      /* the order as it was then */
    unsigned                  read:1;       /* the database has told of it */
    unsigned                  called:1;     /* the shop was, this time */
    unsigned                  wrote:1;      /* not only to log in */
    b24_queue_outcome_t       out;
    b24_queue_seen_t          seen;         /* of out */
} ngx_http_b24_back_t;


/* ---- back ---- */

void ngx_http_b24_back_sleep(ngx_http_b24_back_t *b, ngx_msec_t ms);
/* run() in the queue's thread, done() on the event loop */
void ngx_http_b24_back_call(ngx_http_b24_back_t *b,
    ngx_http_b24_back_e stage,
    void (*run)(ngx_http_b24_call_t *call, b24_queue_t *q),
    void (*done)(ngx_http_b24_call_t *call));
/* asks the shop's database how the order is; stage says what for */
void ngx_http_b24_back_ask(ngx_http_b24_back_t *b, ngx_http_b24_back_e stage);
void ngx_http_b24_back_free(ngx_http_b24_back_t *b);

/* the end of the order's attempt; cause is terminated, NULL: none */
void ngx_http_b24_back_end(ngx_http_b24_back_t *b, b24_state_e state,
    b24_str_t *cause, const char *advice);
/* our own side can't go on with this order */
void ngx_http_b24_back_broken(ngx_http_b24_back_t *b);


/* ---- weigh ---- */

/* what is to be written goes to its calls, the order's attempt ends if nothing
 * is */
void ngx_http_b24_back_weigh(ngx_http_b24_back_t *b);
/* how the shop has the order: that is no news when it is told again */
void ngx_http_b24_back_seen(ngx_http_b24_back_t *b);
/* a look at the order follows, whose change the deal has to follow */
ngx_int_t ngx_http_b24_back_look(ngx_http_b24_back_t *b);
/* the order is another than it was; or is as it was, but was set so anew */
ngx_uint_t ngx_http_b24_back_other(ngx_http_b24_back_t *b,
    b24_queue_seen_t *was);
ngx_uint_t ngx_http_b24_back_again(ngx_http_b24_back_t *b,
    b24_queue_seen_t *was);
/* what the shop has changed unseen is newer than what is to be written */
ngx_uint_t ngx_http_b24_back_newer(ngx_http_b24_back_t *b);
/* nothing is to be written */
void ngx_http_b24_back_none(ngx_http_b24_back_t *b, b24_back_e back);


/* ---- calls ---- */

/* the calls to the shop, to the end of the order's attempt */
void ngx_http_b24_back_write(ngx_http_b24_back_t *b);
/* the database has told how the order is before them, and what has come of
 * them */
void ngx_http_b24_back_recheck(ngx_http_b24_back_t *b);
void ngx_http_b24_back_check(ngx_http_b24_back_t *b);


#endif /* _NGX_HTTP_B24_BACK_H_INCLUDED_ */
