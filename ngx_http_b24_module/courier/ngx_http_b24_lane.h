
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
#define NGX_HTTP_B24_ROUNDS     16      /* the same of a convoy's order */
#define NGX_HTTP_B24_SUSPECTS   8
/* ms a contact or a company is remembered */
#define NGX_HTTP_B24_MEMORY     (365 * 86400000LL)
#define NGX_HTTP_B24_BEHIND                                                   \
    "an earlier order of the same buyer or firm is being written"


typedef enum {
    NGX_HTTP_B24_LANE_IDLE = 0,
    NGX_HTTP_B24_LANE_PROBE,
    NGX_HTTP_B24_LANE_BOOK,
    NGX_HTTP_B24_LANE_CLAIM,
    NGX_HTTP_B24_LANE_RECALL,
    NGX_HTTP_B24_LANE_LOOKUP,
    NGX_HTTP_B24_LANE_ATTEMPT,
    NGX_HTTP_B24_LANE_WRITE,
    NGX_HTTP_B24_LANE_BEHIND,       /* another order's contact is waited for */
    NGX_HTTP_B24_LANE_OUTCOME,
    NGX_HTTP_B24_LANE_KEPT          /* the outcome can't be written now */
} ngx_http_b24_lane_e;


/* an order that blocked the portal, while others get through */
typedef struct {
    int64_t                   record;       /* 0: none */
    ngx_uint_t                strikes;
    ngx_uint_t                passed;       /* another was delivered since */
} ngx_http_b24_suspect_t;


typedef struct ngx_http_b24_road_s    ngx_http_b24_road_t;
typedef struct ngx_http_b24_lane_s    ngx_http_b24_lane_t;
typedef struct ngx_http_b24_convoy_s  ngx_http_b24_convoy_t;
typedef struct ngx_http_b24_slot_s    ngx_http_b24_slot_t;


/* of the road's origins; a claim that is under way has its own */
typedef struct {
    b24_str_t                *ready;        /* whose reader is free */
    size_t                    nready;
    b24_str_t                *open;         /* of these, not paused now */
    size_t                    nopen;
} ngx_http_b24_choice_t;


/*
 * What delivers one order; what belongs to the order at hand lives in pool and
 * goes with it.  Each road has one of its own, which takes orders one by one,
 * and those of its convoy.
 */
struct ngx_http_b24_lane_s {
    ngx_http_b24_road_t      *road;
    ngx_http_b24_portal_t    *portal;       /* the road's */
    ngx_http_b24_lane_e       stage;
    ngx_event_t               timer;
    ngx_http_b24_call_t       call;
    ngx_http_b24_transfer_t   transfer;
    ngx_msec_t                sent;         /* its request, in look-up, write */

    /* of a convoy */
    ngx_queue_t               queue;        /* idle, going or ready there */
    ngx_http_b24_lane_t      *behind;       /* who makes this buyer's contact,
                                               or firm */
    ngx_http_b24_slot_t      *slot;         /* of its request */
    ngx_uint_t                number;       /* in there */
    unsigned                  member:1;
    unsigned                  ready:1;      /* it has something to send */
    unsigned                  making:1;     /* a contact or a company */

    /* of the order at hand */
    b24_pool_t               *pool;
    b24_queue_job_t           job;
    ngx_http_b24_origin_t    *origin;
    b24_order_t              *order;
    b24_crm_settings_t        set;
    b24_crm_known_t           known;
    b24_batch_t               batch;        /* what is sent, unless direct */
    b24_str_t                 body;
    const char               *method;
    unsigned                  mask;         /* steps of this write */
    unsigned                  makes;        /* of these, what must not be done
                                               twice by orders of one buyer */
    ngx_uint_t                writes;
    b24_queue_fact_t         *facts;        /* recalled, then learned */
    size_t                    nfacts;
    b24_queue_fact_t          doubts[B24_CRM_KEYS];
    size_t                    ndoubts;
    int64_t                   until;        /* another's doubt is over */
    int64_t                   doubter;      /* the record it is of */
    unsigned                  doubted;      /* steps put in doubt by us */
    unsigned                  unsure:1;     /* how the write went is unknown */
    unsigned                  stale:1;      /* what was recalled has changed */
    unsigned                  direct:1;     /* it is the rows' own call */
    unsigned                  turned:1;     /* to the other b24_api */
    unsigned                  command:1;    /* one of them failed, not all */
    int64_t                   now;
    b24_queue_outcome_t       out;
    b24_queue_seen_t          seen;         /* of out */
    b24_str_t                 move;         /* of a status: the stage */
    unsigned                  moving:1;     /* the deal is brought there */
    b24_str_t                 words;        /* and what comes of it */
    b24_crm_update_t          update;       /* of its total and rows */
    char                      cause[NGX_HTTP_B24_CAUSE];
    char                      code[NGX_HTTP_B24_CODE];
};


/* all that leads to one portal */
struct ngx_http_b24_road_s {
    ngx_http_b24_portal_t    *portal;
    ngx_http_b24_lane_t       lane;
    ngx_http_b24_convoy_t    *convoy;
    ngx_http_b24_book_t       book;
    ngx_http_b24_probe_t      probe;
    ngx_http_b24_srv_conf_t  *refused;      /* whose webhook blocked it */
    time_t                    proven;       /* until then its probe is good */
    ngx_http_b24_suspect_t    suspects[NGX_HTTP_B24_SUSPECTS];
    ngx_uint_t                suspect;      /* the one to be replaced next */
    b24_str_t                *origins;      /* that deliver (not dry) */
    size_t                    norigins;
    ngx_http_b24_choice_t     choice;       /* of the lane's claim */
    ngx_atomic_uint_t         checks;       /* of those asked for, heeded */
    ngx_atomic_uint_t         nudges;
    ngx_uint_t                check;        /* by hand: though it is paused */
    int64_t                   next;         /* when something becomes due */
    ngx_uint_t                fresh;        /* what is, goes first */
    ngx_msec_t                small;        /* when a slice went that was small
                                               for want of time */
    int64_t                   scarce;       /* until then the lane takes no new
                                               orders: their time is used up */
    ngx_uint_t                asked;        /* the queue is open */
    ngx_uint_t                again;        /* a knock came meanwhile */
    ngx_uint_t                recover;      /* orders of dead owners first */
};


/* ---- deliver ---- */

/* goes on with what is due */
void ngx_http_b24_road_kick(ngx_http_b24_road_t *road);
/* origins whose database isn't being asked: 0, there is none */
ngx_uint_t ngx_http_b24_road_ready(ngx_http_b24_road_t *road,
    ngx_http_b24_choice_t *choice);
ngx_int_t ngx_http_b24_choice_init(ngx_cycle_t *cycle,
    ngx_http_b24_road_t *road, ngx_http_b24_choice_t *choice);
/* road is set */
void ngx_http_b24_lane_init(ngx_http_b24_lane_t *lane);
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
/* in the queue's thread, before a claim: which origins may be claimed from */
b24_queue_rc_e ngx_http_b24_choose(ngx_http_b24_road_t *road, b24_queue_t *q,
    ngx_http_b24_choice_t *choice, int64_t now);
/* the lane's job has been claimed: it goes its way */
void ngx_http_b24_lane_claimed(ngx_http_b24_lane_t *lane);


/* ---- deal, later ---- */

/* an order that has no deal yet */
void ngx_http_b24_lane_deal(ngx_http_b24_lane_t *lane);
/* what came later to one that has */
void ngx_http_b24_lane_later(ngx_http_b24_lane_t *lane);


/* ---- send ---- */

/* 1: no time is left for what is in batch, so that the order waits already; a
 * convoy's do where they are packed */
ngx_uint_t ngx_http_b24_lane_scarce(ngx_http_b24_lane_t *lane);
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


/* ---- fail ---- */

void ngx_http_b24_lane_fail(ngx_http_b24_lane_t *lane, b24_verdict_t *verdict,
    const char *method);
/* our own side can't go on with this order */
void ngx_http_b24_lane_broken(ngx_http_b24_lane_t *lane, const char *cause);
/* the portal took what it was sent of this order */
void ngx_http_b24_lane_good(ngx_http_b24_lane_t *lane);


/* ---- convoy ---- */

/*
 * The oldest orders of a road, side by side, when more than a few wait.  Each
 * goes the way of any order, in a lane of its own; what they send is packed
 * into batches with literal ids.
 */

ngx_int_t ngx_http_b24_convoy_init(ngx_cycle_t *cycle,
    ngx_http_b24_road_t *road);
void ngx_http_b24_convoy_exit(ngx_http_b24_road_t *road);
/* takes more orders, and sends what is ready */
void ngx_http_b24_convoy_kick(ngx_http_b24_road_t *road);
/* each second, also of a worker that quits */
void ngx_http_b24_convoy_tick(ngx_http_b24_road_t *road);
/* it has orders at hand */
ngx_uint_t ngx_http_b24_convoy_busy(ngx_http_b24_road_t *road);
/* a member's batch, or direct call, is ready to go */
void ngx_http_b24_convoy_send(ngx_http_b24_lane_t *lane);
/*
 * A write that is about to make a contact or a company: 1, another order of the
 * road is making that buyer's, or that firm, and this one goes on behind it.
 */
ngx_uint_t ngx_http_b24_convoy_behind(ngx_http_b24_lane_t *lane);
/* the same of one whose record is known; 0: it is not of this road */
ngx_uint_t ngx_http_b24_convoy_follow(ngx_http_b24_lane_t *lane,
    int64_t record);
/* it goes with a slot's request now */
void ngx_http_b24_convoy_take(ngx_http_b24_lane_t *lane);
/* an order of the road is done with, the lane is free */
void ngx_http_b24_convoy_left(ngx_http_b24_lane_t *lane);


/* ---- slot ---- */

#define NGX_HTTP_B24_SLOTS  2       /* a third transfer is the lane's own */

/* one transfer of a convoy, and whose it is */
struct ngx_http_b24_slot_s {
    ngx_http_b24_road_t      *road;
    ngx_http_b24_transfer_t   transfer;
    b24_pool_t               *pool;         /* NULL: it is free */
    b24_slice_t               slice;
    const char               *method;
    ngx_http_b24_lane_t      *lanes[B24_BATCH_MAX];
    ngx_uint_t                n;
    b24_answer_t              answer;
    b24_answer_t             *parts[B24_BATCH_MAX];     /* of each lane */
    ngx_msec_t                bad;          /* what its failure costs, once */
    ngx_uint_t                left;         /* ready, but did not fit */
    unsigned                  direct:1;     /* one order's own call */
};

/*
 * Packs what is ready (lanes by queue) and sends it.  NGX_OK: it is on its way,
 * or the orders have failed already; NGX_DECLINED: nothing may be sent before
 * *wait ms, 0: there is nothing.
 */
ngx_int_t ngx_http_b24_slot_send(ngx_http_b24_slot_t *slot,
    ngx_queue_t *ready, ngx_uint_t whole, ngx_msec_t *wait);
/* the lane's part of the answer, as ngx_http_b24_lane_answer() */
ngx_int_t ngx_http_b24_slot_answer(ngx_http_b24_lane_t *lane,
    b24_answer_t *answer);
/* the portal is told of as bad once for all of a request's orders */
ngx_msec_t ngx_http_b24_slot_bad(ngx_http_b24_lane_t *lane,
    const b24_verdict_t *verdict);


#endif /* _NGX_HTTP_B24_LANE_H_INCLUDED_ */
