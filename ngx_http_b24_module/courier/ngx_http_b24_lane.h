
/*
 * Between the files that deliver: what a lane has at hand, and what they ask of
 * each other.
 */


#ifndef _NGX_HTTP_B24_LANE_H_INCLUDED_
#define _NGX_HTTP_B24_LANE_H_INCLUDED_


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_CAUSE      400
#define NGX_HTTP_B24_CODE       64
#define NGX_HTTP_B24_WRITES     8       /* write rounds of one attempt */
#define NGX_HTTP_B24_SUSPECTS   8


typedef enum {
    NGX_HTTP_B24_LANE_IDLE = 0,
    NGX_HTTP_B24_LANE_PROBE,
    NGX_HTTP_B24_LANE_BOOK,
    NGX_HTTP_B24_LANE_CLAIM,
    NGX_HTTP_B24_LANE_RECALL,
    NGX_HTTP_B24_LANE_LOOKUP,
    NGX_HTTP_B24_LANE_ATTEMPT,
    NGX_HTTP_B24_LANE_WRITE,
    NGX_HTTP_B24_LANE_OUTCOME,
    NGX_HTTP_B24_LANE_KEPT          /* the outcome can't be written now */
} ngx_http_b24_lane_e;


/* an order that blocked the portal, while others get through */
typedef struct {
    int64_t                   record;       /* 0: none */
    ngx_uint_t                strikes;
    ngx_uint_t                passed;       /* another was delivered since */
} ngx_http_b24_suspect_t;


/*
 * A lane is what delivers one order of a portal.  Today each portal has one;
 * what belongs to the order at hand lives in pool and goes with it.
 */
typedef struct {
    ngx_http_b24_portal_t    *portal;
    ngx_http_b24_book_t       book;
    ngx_http_b24_probe_t      probe;
    ngx_http_b24_srv_conf_t  *refused;      /* whose webhook blocked it */
    time_t                    proven;       /* until then its probe is good */
    ngx_http_b24_suspect_t    suspects[NGX_HTTP_B24_SUSPECTS];
    ngx_uint_t                suspect;      /* the one to be replaced next */
    ngx_http_b24_lane_e       stage;
    b24_str_t                *origins;      /* that deliver (not dry) */
    size_t                    norigins;
    b24_str_t                *ready;        /* of these, whose reader is free */
    size_t                    nready;
    b24_str_t                *open;         /* of these, not paused now */
    size_t                    nopen;
    ngx_atomic_uint_t         checks;       /* of those asked for, heeded */
    ngx_atomic_uint_t         nudges;
    ngx_uint_t                check;        /* by hand: though it is paused */
    ngx_event_t               timer;
    ngx_http_b24_call_t       call;
    ngx_http_b24_transfer_t   transfer;
    int64_t                   next;         /* when something becomes due */
    ngx_uint_t                again;        /* a knock came meanwhile */
    ngx_uint_t                recover;      /* orders of dead owners first */

    /* of the order at hand */
    b24_pool_t               *pool;
    b24_queue_job_t           job;
    ngx_http_b24_origin_t    *origin;
    b24_order_t              *order;
    b24_crm_settings_t        set;
    b24_crm_known_t           known;
    b24_str_t                 body;
    const char               *method;
    unsigned                  mask;         /* steps of this write */
    ngx_uint_t                writes;
    b24_queue_fact_t         *facts;        /* recalled, then learned */
    size_t                    nfacts;
    b24_queue_fact_t          doubts[B24_CRM_KEYS];
    size_t                    ndoubts;
    int64_t                   until;        /* another's doubt is over */
    unsigned                  doubted;      /* steps put in doubt by us */
    unsigned                  unsure:1;     /* how the write went is unknown */
    unsigned                  direct:1;     /* it is the rows' own call */
    unsigned                  turned:1;     /* to the other b24_api */
    unsigned                  command:1;    /* one of them failed, not all */
    unsigned                  asked:1;      /* the queue is open */
    int64_t                   now;
    b24_queue_outcome_t       out;
    b24_queue_seen_t          seen;         /* of out */
    b24_str_t                 move;         /* of a status: the stage */
    unsigned                  moving:1;     /* the deal is brought there */
    b24_str_t                 words;        /* and what comes of it */
    b24_crm_update_t          update;       /* of its total and rows */
    char                      cause[NGX_HTTP_B24_CAUSE];
    char                      code[NGX_HTTP_B24_CODE];
} ngx_http_b24_lane_t;


/* ---- deliver ---- */

/* goes on with what is due, if the lane is idle */
void ngx_http_b24_lane_kick(ngx_http_b24_lane_t *lane);
void ngx_http_b24_lane_sleep(ngx_http_b24_lane_t *lane, ngx_msec_t ms);
/* run() in the queue's thread, done() on the event loop */
void ngx_http_b24_lane_call(ngx_http_b24_lane_t *lane,
    ngx_http_b24_lane_e stage,
    void (*run)(ngx_http_b24_call_t *call, b24_queue_t *q),
    void (*done)(ngx_http_b24_call_t *call));
/* the order at hand is done with */
void ngx_http_b24_lane_free(ngx_http_b24_lane_t *lane);


/* ---- claim ---- */

/* takes the next order, and has it go its way */
void ngx_http_b24_lane_claim(ngx_http_b24_lane_t *lane);


/* ---- deal, later ---- */

/* an order that has no deal yet */
void ngx_http_b24_lane_deal(ngx_http_b24_lane_t *lane);
/* what came later to one that has */
void ngx_http_b24_lane_later(ngx_http_b24_lane_t *lane);


/* ---- send ---- */

/*
 * The write in method and body goes out once the steps of mask are committed as
 * sent; when they can't be, the order goes its way already.
 */
void ngx_http_b24_lane_attempt(ngx_http_b24_lane_t *lane,
    void (*done)(ngx_http_b24_transfer_t *t));
/* method and body, to transfer.done(); stage is LOOKUP or WRITE */
void ngx_http_b24_lane_send(ngx_http_b24_lane_t *lane);
/*
 * Judges the transfer as a whole; NGX_OK: the answer is worth reading,
 * otherwise the order goes its way already.
 */
ngx_int_t ngx_http_b24_lane_answer(ngx_http_b24_lane_t *lane,
    b24_answer_t *answer);
/* the portal refuses this b24_api's methods: the rest goes by the other's */
void ngx_http_b24_lane_turn(ngx_http_b24_lane_t *lane);


/* ---- outcome ---- */

/* these end the work on the order at hand, in one way or another */

void ngx_http_b24_lane_outcome(ngx_http_b24_lane_t *lane, b24_state_e state);
/* with out as it is */
void ngx_http_b24_lane_put(ngx_http_b24_lane_t *lane);
/* what may be over in a moment, and says nothing about the record */
ngx_uint_t ngx_http_b24_lane_disk_failed(b24_queue_rc_e rc);


/* ---- fail ---- */

void ngx_http_b24_lane_fail(ngx_http_b24_lane_t *lane, b24_verdict_t *verdict,
    const char *method);
/* our own side can't go on with this order */
void ngx_http_b24_lane_broken(ngx_http_b24_lane_t *lane, const char *cause);
/* the portal took what it was sent of this order */
void ngx_http_b24_lane_good(ngx_http_b24_lane_t *lane);


#endif /* _NGX_HTTP_B24_LANE_H_INCLUDED_ */
