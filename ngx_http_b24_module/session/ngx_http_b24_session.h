
/*
 * Buyers' sessions: what collect blocks have seen of a buyer until the order
 * comes.  The store (b24_session.h) lies in a zone of its own.
 *
 * On the event loop its lock is waited for no longer than a few tries: whatever
 * can't be done then is done in the queue's thread, or not at all, and counted.
 */


#ifndef _NGX_HTTP_B24_SESSION_H_INCLUDED_
#define _NGX_HTTP_B24_SESSION_H_INCLUDED_


#include "ngx_http_b24_module.h"


#define NGX_HTTP_B24_SESSIONS      (16 * 1024 * 1024)
#define NGX_HTTP_B24_SESSIONS_MIN  (128 * 1024)


char *ngx_http_b24_conf_sessions(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* the zone, when a shop in use has something to keep */
ngx_int_t ngx_http_b24_sessions_add(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_sessions_attach(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_sessions_exit(void);
void ngx_http_b24_sessions_tick(void);

/* blocks of its set may give something for a session */
ngx_uint_t ngx_http_b24_session_collects(ngx_http_b24_job_t *job);
/* an order's request is here: whose it is, and what is known of him */
void ngx_http_b24_session_arrive(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
/* the answer's header is here */
void ngx_http_b24_session_begin(ngx_http_b24_job_t *job);
/* the answer is over.  NGX_AGAIN: the thread has to read it; NGX_BUSY: the
 * order has to wait for what is on its way into its session */
ngx_int_t ngx_http_b24_session_over(ngx_http_b24_job_t *job);
/* until then; the job is put into the store, some moments later */
void ngx_http_b24_session_wait(ngx_http_b24_job_t *job);
/* a request that no block wants, with an answer that sets cookies */
void ngx_http_b24_session_follow(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);

/* parts of the extraction, any thread: what the exchange gives for the session;
 * the snapshot once more, if it had to wait; the order filled from it; the
 * session after the order's outcome, or without an order */
void ngx_http_b24_session_collect(ngx_http_b24_job_t *job);
void ngx_http_b24_session_retake(ngx_http_b24_job_t *job);
ngx_int_t ngx_http_b24_session_fill(ngx_http_b24_job_t *job);
void ngx_http_b24_session_settle(ngx_http_b24_job_t *job);


#endif /* _NGX_HTTP_B24_SESSION_H_INCLUDED_ */
