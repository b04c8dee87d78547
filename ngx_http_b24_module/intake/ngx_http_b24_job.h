
/* An exchange on its way from a request to the queue.  Part of
 * ngx_http_b24_module.h. */


#ifndef _NGX_HTTP_B24_JOB_H_INCLUDED_
#define _NGX_HTTP_B24_JOB_H_INCLUDED_


/* a job of more bytes doesn't wait for a commit as it is */
#define NGX_HTTP_B24_JOB_WHOLE  (16 * 1024)


/*
 * Whose a job is while a batch has it.  A journal's may be over in the middle
 * of that: who comes first, the event loop or the thread, has it.
 */
typedef enum {
    NGX_HTTP_B24_JOB_HERE = 0,      /* the event loop's, in its lists */
    NGX_HTTP_B24_JOB_GATHERED,      /* part of a batch, not put yet */
    NGX_HTTP_B24_JOB_WRITING,       /* handed to the queue */
    NGX_HTTP_B24_JOB_OVER           /* the exchange has ended before that */
} ngx_http_b24_job_claim_e;


/*
 * A captured exchange on its way to the queue.  It owns its pool (malloc()ed,
 * no nginx pool), so that it outlives the request and travels to a thread.
 */
struct ngx_http_b24_job_s {
    ngx_queue_t                 queue;
    b24_pool_t                 *pool;
    b24_pool_t                 *lent;       /* of a journal's: what the
                                               exchange's had in its own */
    const b24_shop_t           *shop;
    ngx_http_b24_origin_t      *origin;
    uint64_t                    set;        /* candidate blocks */
    b24_input_t                 in;
    b24_str_t                  *vars;       /* by number; data NULL: none */
    size_t                      nvars;
    b24_pair_t                 *deal;       /* b24_deal ..., evaluated */
    b24_pair_t                 *contact;
    b24_pair_t                 *company;

    ngx_fd_t                    body_fd;    /* dup of the temp file, or -1 */
    off_t                       body_offset;
    off_t                       body_size;  /* of the file's part */
    u_char                     *answer;     /* of the pool, or malloc()ed */
    size_t                      answer_size;
    size_t                      reserved;   /* of b24_capture's total */
    size_t                      size;       /* accounted by the store */
    int64_t                     time;       /* arrival of the answer, ms */

    /* the buyer's session, by session/ */
    b24_session_key_t           keys[B24_SESSION_KEYS];
    ngx_uint_t                  nkeys;
    b24_str_t                   snapshot;   /* of an order; "": none */
    uint64_t                    epoch;      /* of the snapshot; 0: none */
    ngx_msec_t                  deadline;   /* of its waiting */
    uint64_t                    pended;     /* of the session as the answer
                                               began, if it is marked */
    b24_collect_t              *collects;   /* during extraction */

    b24_partial_t              *partial;    /* the request's side, once read */
    int64_t                     capture;    /* token of the journal, 0: none */
    ngx_http_b24_job_t         *twin;       /* of an exchange: its journal's
                                               job while that is under way, and
                                               the other way round */
    ngx_http_b24_ctx_t         *waiter;     /* of a journal's: the request that
                                               waits for its commit */
    ngx_http_b24_job_claim_e    claim;      /* atomic */

    b24_event_t                 event;      /* during extraction */
    b24_outcome_e               outcome;    /* after it */
    b24_queue_put_t             put;
    b24_queue_put_result_t      result;
    b24_queue_change_t         *change;     /* in place of put; NULL: it is no
                                               status */
    b24_pair_t                 *targets;    /* of orders that are there: their
                                               numbers and keys */
    b24_pair_t                 *missing;    /* of these, the queue has not */
    ngx_uint_t                  unknown;    /* as many */
    ngx_msec_t                  patience;   /* until then they are looked for;
                                               0: they weren't yet */
    ngx_uint_t                  over;       /* and those that were too many */
    unsigned                    status:1;
    unsigned                    journal:1;  /* what the request carried only */
    unsigned                    copied:1;   /* the body is in it */
    unsigned                    grown:1;    /* the answer is malloc()ed */
    unsigned                    extracted:1;
    unsigned                    whole:1;    /* it has not been shrunk */
    unsigned                    none:1;     /* no block wanted it */
    unsigned                    unreadable:1;
    unsigned                    crowded:1;  /* by b24_capture's total= */
    unsigned                    failed:1;   /* out of memory or bounds */
    unsigned                    stored:1;
    unsigned                    retake:1;   /* the snapshot was not whole */
    unsigned                    no_order:1; /* its request tells */
    unsigned                    behind:1;   /* an order was to use it up */
    unsigned                    marks:4;    /* of the session: a bit for each
                                               b24_session_mark_e */
    unsigned                    here:1;     /* extracted on the event loop */
};


struct ngx_http_b24_ctx_s {
    ngx_http_request_t         *request;    /* NULL: many share it */
    ngx_http_b24_loc_conf_t    *conf;       /* of the location that decided */
    ngx_http_b24_srv_conf_t    *scf;
    ngx_http_b24_job_t         *job;        /* NULL: not a candidate */
    size_t                      excerpt_max;
    unsigned                    body_ok:1;  /* body is here, request goes on */
    /* before we have had the body read: the core's count of bytes, 0: by
     * somebody else; and how many subrequests there may be */

    off_t                       head_length;
    ngx_uint_t                  subrequests;

    unsigned                    need_body:1;
    unsigned                    need_answer:1;
    unsigned                    late:1;     /* it has late templates */
    unsigned                    header:1;   /* an answer's header was seen */
    unsigned                    sealed:1;   /* its last buffer was seen */
    unsigned                    submitted:1;
    unsigned                    launched:1;

    unsigned                    holding:1;  /* for the journal's commit */
    unsigned                    resuming:1; /* among those that go on */

    /* b24_journal sync */
    ngx_event_t                 hold;
    ngx_http_b24_job_t         *held_by;
    ngx_queue_t                 resume;

    /* for the variables, in the request's pool */
    ngx_str_t                   event;
    ngx_str_t                   state;
    ngx_str_t                   order;
};


/* intake/ngx_http_b24_capture.c */
ngx_int_t ngx_http_b24_capture_init(ngx_conf_t *cf);
/* r is a main request */
ngx_http_b24_ctx_t *ngx_http_b24_get_ctx(ngx_http_request_t *r);
/* data is the context; its pool cleanup is how ngx_http_b24_get_ctx() finds
 * it */
void ngx_http_b24_ctx_cleanup(void *data);

/* intake/ngx_http_b24_candidate.c */
ngx_int_t ngx_http_b24_precontent_handler(ngx_http_request_t *r);

/* intake/ngx_http_b24_submit.c: the job is handed over, once a request; the
 * answer is over */
void ngx_http_b24_answer_over(ngx_http_request_t *r, ngx_http_b24_ctx_t *ctx);
ngx_int_t ngx_http_b24_log_handler(ngx_http_request_t *r);

/* intake/ngx_http_b24_hush.c: what nginx does for us without telling of it.
 * Lines of our own go to the log of the cycle: that of a connection adds the
 * client's address, the request line and the referrer to each line */
ngx_int_t ngx_http_b24_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value);
void ngx_http_b24_unref(ngx_http_request_t *r);

/* intake/ngx_http_b24_job.c: creation and request-bound copies on the event
 * loop, destruction of parts on any thread */
ngx_http_b24_job_t *ngx_http_b24_job_create(ngx_http_b24_origin_t *origin,
    const b24_shop_t *shop, ngx_http_b24_loc_conf_t *conf);
void ngx_http_b24_job_destroy(ngx_http_b24_job_t *job);
/* the captured bytes only */
void ngx_http_b24_job_release(ngx_http_b24_job_t *job);
/* it no longer counts for b24_capture's total= */
void ngx_http_b24_job_unreserve(ngx_http_b24_job_t *job);
int ngx_http_b24_job_var_now(void *data, size_t n, b24_str_t *value);
int ngx_http_b24_job_var_kept(void *data, size_t n, b24_str_t *value);
ngx_int_t ngx_http_b24_job_vars(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx, ngx_uint_t late);
ngx_int_t ngx_http_b24_job_body(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
ngx_uint_t ngx_http_b24_job_small(ngx_http_b24_job_t *job);
ngx_uint_t ngx_http_b24_template_late(ngx_str_t *text);

ngx_http_b24_job_t *ngx_http_b24_job_journal(ngx_http_b24_job_t *job);

/* intake/ngx_http_b24_extract.c: any thread */
void ngx_http_b24_job_extract(ngx_http_b24_job_t *job);
/* what waits for a commit, after one that failed, too, takes little */
void ngx_http_b24_job_shrink(ngx_http_b24_job_t *job);

/* intake/ngx_http_b24_journal.c: what a request carries is written down before
 * or while the shop answers.  NGX_OK: the request goes on; NGX_AGAIN: it waits
 * for the commit, at most NGX_HTTP_B24_JOURNAL_WAIT ms */
ngx_int_t ngx_http_b24_journal(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
/* the commit is through, or failed: the request goes on soon */
void ngx_http_b24_journal_done(ngx_http_b24_job_t *job);
void ngx_http_b24_journal_resume(void);
/* the request is gone */
void ngx_http_b24_journal_leave(ngx_http_b24_ctx_t *ctx);
/* "PID-START" of this process, and whether such a one still lives (any
 * thread) */
extern u_char  ngx_http_b24_life[64];
void ngx_http_b24_journal_init(void);
int ngx_http_b24_journal_alive(void *data, const char *owner);


#endif /* _NGX_HTTP_B24_JOB_H_INCLUDED_ */
