
/* What the two sides of the queue share: event loop and thread. */


#ifndef _NGX_HTTP_B24_STORE_H_INCLUDED_
#define _NGX_HTTP_B24_STORE_H_INCLUDED_


#include "ngx_http_b24_module.h"


typedef struct {
    ngx_queue_t           jobs;
    ngx_queue_t           calls;
    ngx_uint_t            njobs;
    ngx_uint_t            refused;      /* by max= */
    ngx_uint_t            stored;       /* orders, the journal's aside */
    ngx_uint_t            changed;      /* of those that are there */
    ngx_uint_t           *rejected;     /* by number of the origin */
    unsigned              count:1;      /* the counts are read behind it */
    unsigned              owed:1;       /* as they were not behind others */

    /* results */
    b24_queue_rc_e        rc;
    char                  error[256];
    char                  aside[256];   /* the file that was there before */
    b24_pool_t           *pool;
    b24_queue_counts_t   *counts;
    size_t                ncounts;
    int64_t               change;
    unsigned              committed:1;  /* the jobs */
    unsigned              wrote:1;
    unsigned              opened:1;     /* perhaps another file than before */
    unsigned              counted:1;
    unsigned              finished:1;   /* the thread is through */
} ngx_http_b24_batch_t;


/* used by the thread only, or by the worker when no task runs */
extern b24_queue_t  *ngx_http_b24_db;


void ngx_http_b24_store_thread(void *data, ngx_log_t *log);
/* read, and nothing of it belongs into the queue */
ngx_uint_t ngx_http_b24_store_done_with(ngx_http_b24_job_t *job);


#endif /* _NGX_HTTP_B24_STORE_H_INCLUDED_ */
