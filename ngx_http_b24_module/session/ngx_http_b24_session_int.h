
/* Inside the exchange's side of sessions: the store and its lock. */


#ifndef _NGX_HTTP_B24_SESSION_INT_H_INCLUDED_
#define _NGX_HTTP_B24_SESSION_INT_H_INCLUDED_


#include "ngx_http_b24_session.h"


extern b24_sessions_t  *ngx_http_b24_sessions;      /* NULL: nothing is kept */


/* seconds, of the clock that all processes share */
uint32_t ngx_http_b24_session_now(void);
/* wait: in the thread; else a few tries.  NGX_OK or NGX_DECLINED */
ngx_int_t ngx_http_b24_session_lock(ngx_uint_t wait);
void ngx_http_b24_session_unlock(void);

/* whose exchange it is: job->keys; answer: what it sets, too; bodies: they are
 * looked into */
void ngx_http_b24_session_keys(ngx_http_b24_job_t *job, ngx_uint_t answer,
    ngx_uint_t bodies);

/* inside of the lock: a copy of what is known; id may be 0 */
void ngx_http_b24_session_snapshot(ngx_http_b24_job_t *job,
    b24_session_id_t id, b24_session_info_t *info);
/* inside of the lock: what the exchange read is of an order that is over */
ngx_uint_t ngx_http_b24_session_past(ngx_http_b24_job_t *job,
    b24_session_info_t *info);


#endif /* _NGX_HTTP_B24_SESSION_INT_H_INCLUDED_ */
