
/* A convoy, for the two files that make it go. */


#ifndef _NGX_HTTP_B24_CONVOY_H_INCLUDED_
#define _NGX_HTTP_B24_CONVOY_H_INCLUDED_


#include "ngx_http_b24_lane.h"


#define NGX_HTTP_B24_CONVOY       96    /* orders side by side */


struct ngx_http_b24_convoy_s {
    ngx_http_b24_road_t   *road;
    ngx_pool_t            *pool;
    ngx_http_b24_lane_t   *lanes;       /* when they are first needed */
    ngx_queue_t            idle;
    ngx_queue_t            going;       /* with an order, but not ready */
    ngx_queue_t            ready;       /* to send; the first came first */
    ngx_uint_t             n;           /* with an order */
    ngx_http_b24_slot_t    slots[NGX_HTTP_B24_SLOTS];
    ngx_event_t            event;

    ngx_http_b24_choice_t  choice;
    ngx_http_b24_call_t    claim;
    ngx_uint_t             claiming;
    ngx_uint_t             wanted;      /* of orders, by the claim */
    int                    from;        /* fewer are left to the lane */
    int64_t                now;
    int64_t                next;        /* nothing was due before */
    b24_pool_t            *pools[NGX_HTTP_B24_CONVOY];
    b24_queue_job_t        jobs[NGX_HTTP_B24_CONVOY];
    size_t                 got;

    ngx_http_b24_call_t    renewal;
    ngx_uint_t             renewing;
    time_t                 renewed;
    int64_t                records[NGX_HTTP_B24_CONVOY];
    size_t                 nrecords;
    int64_t                renew_now;
};


/* whether there are orders and lanes for a claim, and the claim */
ngx_uint_t ngx_http_b24_convoy_wants(ngx_http_b24_convoy_t *convoy);
void ngx_http_b24_convoy_claim(ngx_http_b24_convoy_t *convoy);
void ngx_http_b24_convoy_claim_run(ngx_http_b24_call_t *call, b24_queue_t *q);
void ngx_http_b24_convoy_claim_done(ngx_http_b24_call_t *call);

/* one less is waited for by what is ready */
void ngx_http_b24_convoy_on(ngx_http_b24_convoy_t *convoy);


#endif /* _NGX_HTTP_B24_CONVOY_H_INCLUDED_ */
