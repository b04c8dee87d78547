
/*
 * The nginx side of the module.  Data flows through the folders in this order:
 *
 *     intake/   request and answer -> job -> order     (event loop)
 *     queue/    jobs -> SQLite, one thread task a worker at a time
 *     session/  what is known of a buyer before he orders: shared memory
 *     courier/  one elected worker: SQLite -> Bitrix24 REST
 *     desk/     what happened, for people and programs
 *
 * base/, order/ and crm/ are pure and know no nginx.
 */


#ifndef _NGX_HTTP_B24_MODULE_H_INCLUDED_
#define _NGX_HTTP_B24_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#define B24_STR_T  ngx_str_t

#include "b24_text.h"
#include "b24_order.h"
#include "b24_rules.h"
#include "b24_session.h"
#include "b24_queue.h"
#include "b24_crm.h"
#include "b24_pace.h"
#include "b24_database.h"


#define NGX_HTTP_B24_VERSION       "0.1.0"

#define NGX_HTTP_B24_KEEP          (30 * 24 * 60 * 60)
#define NGX_HTTP_B24_MAX           1000000
#define NGX_HTTP_B24_BODY          (256 * 1024)
#define NGX_HTTP_B24_ANSWER        (1024 * 1024)
#define NGX_HTTP_B24_TOTAL         (64 * 1024 * 1024)
#define NGX_HTTP_B24_EVENTS_POLL   60       /* s */

/* above this an exchange is parsed in the thread pool, not on the event loop */
#define NGX_HTTP_B24_INLINE        (64 * 1024)
/* the same for a compressed answer */
#define NGX_HTTP_B24_INLINE_GZIP   (6 * 1024)

/* one line of a kind every so many seconds, with the number left out */
#define NGX_HTTP_B24_LOG_EVERY     10


/* contexts of the rule language, in bits no nginx context uses */
#define NGX_HTTP_B24_SHOP_CONF     0x00020000
#define NGX_HTTP_B24_RULE_CONF     0x00040000
#define NGX_HTTP_B24_ITEMS_CONF    0x00080000
#define NGX_HTTP_B24_DB_CONF       0x00100000
#define NGX_HTTP_B24_WRITE_CONF    0x00200000


typedef struct ngx_http_b24_main_conf_s  ngx_http_b24_main_conf_t;
typedef struct ngx_http_b24_portal_s     ngx_http_b24_portal_t;
typedef struct ngx_http_b24_origin_s     ngx_http_b24_origin_t;
typedef struct ngx_http_b24_job_s        ngx_http_b24_job_t;
typedef struct ngx_http_b24_call_s       ngx_http_b24_call_t;
typedef struct ngx_http_b24_ctx_s        ngx_http_b24_ctx_t;
typedef struct ngx_http_b24_events_s     ngx_http_b24_events_t;


/* where a directive stands, for errors that need another line's place */
typedef struct {
    ngx_str_t                   file;
    ngx_uint_t                  line;
} ngx_http_b24_place_t;


#include "ngx_http_b24_shm.h"
#include "ngx_http_b24_conf.h"
#include "ngx_http_b24_job.h"


/* ---- session/ngx_http_b24_learn.c: values of learn lines, by origin ---- */

/* any thread; an unfit value is passed over */
void ngx_http_b24_learn_value(ngx_http_b24_origin_t *origin, b24_str_t *name,
    b24_str_t *value);
/* b24_input_t's learned(), data is a job: copied into its pool */
int ngx_http_b24_learned(void *data, const b24_str_t *name, size_t n,
    b24_str_t *value);
/* how many names there are, over all origins */
ngx_uint_t ngx_http_b24_learn_names(ngx_http_core_main_conf_t *cmcf,
    b24_rules_t *rules);
ngx_int_t ngx_http_b24_learn_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
/* from the queue's file, once, and into it */
void ngx_http_b24_learn_tick(void);
void ngx_http_b24_learn_exit(void);


/* intake/ngx_http_b24_variables.c */
ngx_int_t ngx_http_b24_add_variables(ngx_conf_t *cf);


/* ---- queue/ngx_http_b24_store.c: the worker's connection to the queue ---- */

/*
 * Work for the queue's thread: run() in a pool thread with the worker's
 * connection (q NULL: it can't be opened, rc says why), done() on the event
 * loop.  The caller owns the memory until done() has been called; at exit
 * done() may never come.
 */
struct ngx_http_b24_call_s {
    ngx_queue_t                 queue;
    b24_queue_rc_e              rc;
    void                      (*run)(ngx_http_b24_call_t *call,
                                     b24_queue_t *q);
    void                      (*done)(ngx_http_b24_call_t *call);
    void                       *data;
    unsigned                    silent:1;   /* changes no count */
    unsigned                    grouped:1;  /* may share its commit */
};

ngx_int_t ngx_http_b24_store_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_store_exit(ngx_cycle_t *cycle);
void ngx_http_b24_store_put(ngx_http_b24_job_t *job);
/* the journal's job; NGX_DECLINED: not taken, it stays the caller's */
ngx_int_t ngx_http_b24_store_journal(ngx_http_b24_job_t *job);
void ngx_http_b24_store_rejected(ngx_http_b24_origin_t *origin);
void ngx_http_b24_store_call(ngx_http_b24_call_t *call);
void ngx_http_b24_store_tick(void);
/* whether orders wait that the disk has refused */
ngx_uint_t ngx_http_b24_store_stays(void);
/* in exit_process, when the threads are gone: run() at once, or never */
void ngx_http_b24_store_last(ngx_http_b24_call_t *call);


/* desk/ngx_http_b24_status.c */
ngx_int_t ngx_http_b24_status_handler(ngx_http_request_t *r);


/* ---- courier ---- */

/* courier/ngx_http_b24_courier.c */
ngx_int_t ngx_http_b24_courier_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_courier_exit(ngx_cycle_t *cycle);
void ngx_http_b24_courier_tick(void);
/* something was committed: deliver it now, here or in another worker */
void ngx_http_b24_courier_wake(void);
/* the shop's database may have something new: it is looked into at once */
void ngx_http_b24_import_poll(ngx_http_b24_origin_t *origin);
/* with its database: what a request says is a hint only */
ngx_uint_t ngx_http_b24_origin_reads(ngx_http_b24_origin_t *origin,
    const b24_shop_t *shop);


/* ---- common (ngx_http_b24_module.c) ---- */

/* wall clock in milliseconds, for records */
int64_t ngx_http_b24_now(void);

/* a message at most once in NGX_HTTP_B24_LOG_EVERY seconds per limiter; true
 * when it may be written now, *left gets how many were left out since */
typedef struct {
    time_t                      last;
    ngx_uint_t                  left;
} ngx_http_b24_quiet_t;

ngx_uint_t ngx_http_b24_quiet(ngx_http_b24_quiet_t *quiet, ngx_uint_t *left);

/* of an array of ngx_http_b24_origin_t *; NULL: there is none of that name */
ngx_http_b24_origin_t *ngx_http_b24_origin_find(const ngx_array_t *origins,
    const b24_str_t *name);

void ngx_http_b24_place(ngx_conf_t *cf, ngx_http_b24_place_t *place);

/* an emerg of the format's sentence and the place, if that was noted: for what
 * is found wrong after its line; a format of nginx */
void ngx_http_b24_conf_error(ngx_log_t *log, ngx_http_b24_place_t *place,
    const char *fmt, ...);


extern ngx_module_t   ngx_http_b24_module;
extern ngx_command_t  ngx_http_b24_commands[];
extern ngx_http_b24_main_conf_t  *ngx_http_b24_main;    /* of this worker */
/* grows with each start and reload */
extern ngx_atomic_uint_t          ngx_http_b24_generation;

/* whether a worker that quits has to stay may have changed */
void ngx_http_b24_stay(void);


#endif /* _NGX_HTTP_B24_MODULE_H_INCLUDED_ */
