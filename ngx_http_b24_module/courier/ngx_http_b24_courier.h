
/*
 * Inside the courier: one worker of the host is elected and delivers.
 *
 *     leader   flock, the socket others knock on
 *     deliver  one order at a time for each portal: when; see there for its way
 *     claim    the next order, and what the configuration says of it
 *     deal     a new order becomes a deal: recall, look-up, write
 *     later    what comes later to an order that has one
 *     convoy   many orders side by side, when more than a few wait
 *     slot     one request of several of them
 *     send     its requests and answers
 *     outcome  what became of it, or
 *     fail     why nothing did
 *     book     what a portal says of itself, and what of our configuration
 *              it does not know
 *     probe    asks a blocked portal whether it answers again
 *     database the shop's, on threads of its own
 *     reader   what it says of an order that was claimed; the deal's number
 *              written into it
 *     settle   what it says of orders whose answer was not seen
 *     import   orders that never passed this nginx
 *     watch    deals that somebody moves in the CRM
 *     back     and what that means for the order in its shop
 *     portal   limiter, breaker and state of a host
 *     moved    addresses; a portal that was renamed
 *     alert    what needs a person: when it is told, and to whom
 *     tell     one message, and how it went
 *     keep     what of a portal outlives a restart
 *     curl     HTTP on nginx's event loop; the only file that knows curl
 */


#ifndef _NGX_HTTP_B24_COURIER_H_INCLUDED_
#define _NGX_HTTP_B24_COURIER_H_INCLUDED_


#include "ngx_http_b24_module.h"
#include "b24_alert.h"


#define NGX_HTTP_B24_LEASE      (5 * 60 * 1000)     /* ms; > two transfers */
#define NGX_HTTP_B24_OWNER_LEN  64


/* of this process, as the queue knows it */
extern char  ngx_http_b24_owner[NGX_HTTP_B24_OWNER_LEN];


/* ---- curl ---- */

typedef struct ngx_http_b24_transfer_s  ngx_http_b24_transfer_t;

struct ngx_http_b24_transfer_s {
    ngx_queue_t     queue;
    ngx_str_t       url;            /* terminated; holds the secret */
    ngx_str_t       body;           /* JSON; lives until done() */
    ngx_str_t       certificate;    /* CA file, empty: the system's */
    const char     *verb;           /* NULL: POST of JSON, as a portal takes it;
                                       else a call to a shop, with the next */
    b24_pair_t     *headers;        /* of the request */
    unsigned        bodied:1;       /* it has a body, maybe an empty one */
    unsigned        alert:1;        /* a POST of JSON to whom b24_alert names:
                                       only the status of its answer counts */
    b24_pool_t     *pool;           /* of the answer's headers */

    unsigned        fresh:1;        /* a connection of its own: curl repeats a
                                       request whose reused connection died,
                                       and a write must never be repeated */
    void          (*done)(ngx_http_b24_transfer_t *t);
    void           *data;

    /* valid in done() */
    b24_net_e       net;
    ngx_uint_t      http;
    b24_str_t       answer;
    const char     *error;          /* static words of a network failure */
    const char     *advice;         /* what to do about it, or NULL */
    ngx_str_t       location;       /* of a redirect; absolute, may hold the
                                       secret */
    b24_pair_t     *told;           /* of a shop: all headers of its answer */

    ngx_uint_t      hops;           /* redirects followed so far */
    u_char          words[B24_MOVED_ADVICE];        /* of advice */
    void           *easy;
    void           *list;           /* of curl's, of headers */
    size_t          size;
    b24_pair_t     *last;           /* of told */
    ngx_uint_t      lines;          /* of the answer's head, so far */
    size_t          bytes;          /* of them */
    unsigned        headed:1;       /* it is over */
    unsigned        large:1;        /* the answer; what came of it is here */
};


#define NGX_HTTP_B24_ANSWER_MAX  (8 * 1024 * 1024)

/* done() comes later, never from inside; NGX_ERROR: nothing was sent */
ngx_int_t ngx_http_b24_curl_send(ngx_http_b24_transfer_t *t);
void ngx_http_b24_curl_exit(void);


/* ---- portal ---- */

/* takes a request from the bucket: 0, or milliseconds until there is room */
ngx_msec_t ngx_http_b24_portal_take(ngx_http_b24_portal_t *portal);
/* the same, but takes none; that many requests must still fit in behind it */
ngx_msec_t ngx_http_b24_portal_room(ngx_http_b24_portal_t *portal,
    ngx_uint_t spare);
/* of the elected one, before it delivers: what is learned of methods fits the
 * configuration */
void ngx_http_b24_portal_pace(ngx_http_b24_portal_t *portal);
/* a batch goes out; its answer has come, or that of a call by itself (batch
 * NULL): what methods cost is learned from it */
void ngx_http_b24_portal_sent(ngx_http_b24_portal_t *portal,
    b24_batch_t *batch);
void ngx_http_b24_portal_learn(ngx_http_b24_portal_t *portal,
    b24_batch_t *batch, const char *method, const b24_answer_t *answer);
/* requests of the bucket that a backlog leaves to single orders */
ngx_uint_t ngx_http_b24_portal_share(ngx_http_b24_portal_t *portal);
/* milliseconds until the portal may be tried again, 0: now */
ngx_msec_t ngx_http_b24_portal_paused(ngx_http_b24_portal_t *portal);
/* counts how a request that was taken from the bucket has ended; verdict NULL:
 * its answer can't be read */
void ngx_http_b24_portal_result(ngx_http_b24_portal_t *portal, b24_net_e net,
    const b24_verdict_t *verdict);
void ngx_http_b24_portal_good(ngx_http_b24_portal_t *portal);
/*
 * One more failure in a row: the breaker opens, for the time returned (ms).  A
 * blocked portal stays blocked, whatever comes on top, until portal_good().
 */
ngx_msec_t ngx_http_b24_portal_bad(ngx_http_b24_portal_t *portal,
    ngx_http_b24_srv_conf_t *bscf, const b24_verdict_t *verdict,
    const char *reason, const char *advice);
/*
 * A request that was not for an order failed as a whole: as if one for an order
 * had, but whether orders must wait is seen by an order, where that isn't said.
 */
void ngx_http_b24_portal_refused(ngx_http_b24_portal_t *portal,
    ngx_http_b24_srv_conf_t *bscf, ngx_http_b24_transfer_t *t,
    const b24_verdict_t *verdict);
/* back-off with jitter for the n-th failure in a row, n from 1 */
ngx_msec_t ngx_http_b24_backoff(ngx_http_b24_srv_conf_t *bscf, ngx_uint_t n);
/* why a transfer failed, in plain words; terminated */
void ngx_http_b24_reason(ngx_http_b24_transfer_t *t,
    const b24_verdict_t *verdict, char *text, size_t size);
/* what may go to a log: the portal's own words may hold a buyer's */
ngx_str_t ngx_http_b24_safe_code(const b24_verdict_t *verdict);


/* what may be over in a moment, and says nothing about the record */
ngx_uint_t ngx_http_b24_disk_failed(b24_queue_rc_e rc);


/* ---- moved ---- */

/* the address of a method, at the host that the portal has moved to if it has;
 * terminated */
ngx_int_t ngx_http_b24_portal_url(ngx_http_b24_portal_t *portal,
    ngx_http_b24_webhook_t *wh, const char *method, b24_pool_t *pool,
    ngx_str_t *url);
/*
 * To be called in done() of each transfer.  NGX_OK: it was sent on to the
 * portal's new host, done() will come again.  NGX_DECLINED: the answer is what
 * it is; of a redirect that is not followed t->advice says why.
 */
ngx_int_t ngx_http_b24_portal_follow(ngx_http_b24_portal_t *portal,
    ngx_http_b24_transfer_t *t, b24_pool_t *pool);
void ngx_http_b24_moved_exit(ngx_http_b24_portal_t *portal);


/* ---- probe ---- */

/*
 * One cheap request ("profile") to a portal that is blocked: orders wait for
 * its good answer.
 */
typedef struct {
    ngx_http_b24_portal_t    *portal;
    void                    (*done)(void *data);
    void                     *data;
    b24_pool_t               *pool;
    ngx_http_b24_transfer_t   transfer;
    ngx_http_b24_srv_conf_t  *conf;
    ngx_uint_t                good;         /* the last answer was */
} ngx_http_b24_probe_t;


/* with the webhook of conf; done() comes later, never from inside */
ngx_int_t ngx_http_b24_probe_send(ngx_http_b24_probe_t *probe,
    ngx_http_b24_srv_conf_t *conf);
void ngx_http_b24_probe_free(ngx_http_b24_probe_t *probe);


/* ---- book ---- */

/* of one portal; the courier's own, asked anew by each one elected and daily */
typedef struct {
    ngx_http_b24_portal_t    *portal;
    void                    (*done)(void *data);
    void                     *data;

    b24_pool_t               *pool;         /* of the book */
    b24_book_t                book;
    b24_pool_t               *next_pool;    /* of the one being asked for */
    b24_book_t                next;
    ngx_http_b24_transfer_t   transfer;
    time_t                    due;          /* ngx_time(), 0: at once */
} ngx_http_b24_book_t;


ngx_uint_t ngx_http_b24_book_due(ngx_http_b24_book_t *book);
/* one request; done() comes later, never from inside */
ngx_int_t ngx_http_b24_book_fetch(ngx_http_b24_book_t *book);
void ngx_http_b24_book_free(ngx_http_b24_book_t *book);
/* to the log and the page: what is wrong with the configuration */
void ngx_http_b24_book_check(ngx_http_b24_book_t *book);
/*
 * What the configuration says of orders of an origin whose traffic was read by
 * the rules of shop; the table of stages is the shop's with single lines
 * overridden by b24_stage.
 */
ngx_int_t ngx_http_b24_crm_settings(b24_pool_t *pool,
    ngx_http_b24_origin_t *o, b24_str_t *shop, b24_crm_settings_t *set);


/* ---- keep ---- */

ngx_int_t ngx_http_b24_keep_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
/* this worker has just been elected: leads to ngx_http_b24_deliver_begin() */
void ngx_http_b24_keep_begin(void);
/* nothing may be sent before */
ngx_uint_t ngx_http_b24_keep_ready(void);
/* each second, of the elected one */
void ngx_http_b24_keep_tick(void);
void ngx_http_b24_keep_end(void);
void ngx_http_b24_keep_exit(void);


/* ---- database ---- */

typedef struct ngx_http_b24_reader_s  ngx_http_b24_reader_t;
typedef struct ngx_http_b24_ask_s     ngx_http_b24_ask_t;

/* what a shop's database is asked: run() in its thread, done() on the event
 * loop; the caller owns the memory until then */
struct ngx_http_b24_ask_s {
    ngx_queue_t                 queue;
    void                      (*run)(ngx_http_b24_ask_t *ask,
                                     b24_database_t *db);
    void                      (*done)(ngx_http_b24_ask_t *ask);
    void                       *data;
    b24_statement_e             statement;  /* the first that run() asks */

    /* of run() */
    b24_database_rc_e           rc;

    /* valid in done(), when it isn't OK, NONE or UNASKED */
    char                        cause[B24_DATABASE_WORDS];
    const char                 *advice;
};

/* of one origin with a database: its connection and what is under way */
struct ngx_http_b24_reader_s {
    ngx_http_b24_origin_t      *origin;
    const b24_shop_t           *shop;       /* the first with an "order" */
    b24_database_t             *db;
    ngx_thread_task_t          *task;
    ngx_queue_t                 asks;
    ngx_http_b24_ask_t         *running;
    ngx_msec_t                  resume;     /* not asked before */
    ngx_uint_t                  failures;   /* in a row */
    ngx_http_b24_quiet_t        quiet;
    char                        cause[B24_DATABASE_WORDS];  /* of the last */
    const char                 *advice;
    ngx_int_t                   refused;    /* the statement that was, -1: none
                                               or not known any more */
    ngx_uint_t                  unread;     /* grows whenever orders that went
                                               out unread are to be looked for,
                                               all of them */
    ngx_uint_t                  marked;     /* what it was when there came to
                                               be some, or one wasn't asked */
    ngx_uint_t                  looked;     /* what it was when all of them had
                                               been looked for */
    void                       *order;      /* reader's own */
    void                       *settle;
    void                       *import;
};

ngx_int_t ngx_http_b24_database_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_database_exit(void);
/* this worker was elected: what others have left is not known */
void ngx_http_b24_database_begin(void);
ngx_uint_t ngx_http_b24_database_busy(void);
void ngx_http_b24_database_ask(ngx_http_b24_reader_t *r,
    ngx_http_b24_ask_t *ask);
/* that time of a row, which was read at now, by our clock, to the second; 0:
 * nobody knows */
int64_t ngx_http_b24_database_made(ngx_http_b24_reader_t *r,
    const b24_database_clock_t *clock, const b24_str_t *changed, int64_t now);
/* when status and flags were set, as they are now; by the time of the whole row
 * where that of the state isn't told, or hasn't changed with it */
int64_t ngx_http_b24_database_stated(ngx_http_b24_reader_t *r,
    const b24_database_moment_t *moment, const b24_queue_seen_t *seen,
    int64_t now);
/* milliseconds until it may be asked again, 0: now */
ngx_msec_t ngx_http_b24_database_paused(ngx_http_b24_reader_t *r);
/* each second, of the elected worker */
void ngx_http_b24_database_tick(void);


/* ---- reader ---- */

ngx_int_t ngx_http_b24_reader_init(ngx_cycle_t *cycle,
    ngx_http_b24_reader_t *r);
void ngx_http_b24_reader_exit(ngx_http_b24_reader_t *r);
/* it has an order at hand: no other of its origin can be taken */
ngx_uint_t ngx_http_b24_reader_busy(ngx_http_b24_origin_t *o);
/*
 * NGX_OK: the claimed event is the reader's now, with the pool, and is given
 * back to the queue once the database has told what it knows of it; behind the
 * one it has at hand.  NGX_DECLINED: there is nothing to be asked.
 */
ngx_int_t ngx_http_b24_reader_take(ngx_http_b24_portal_t *portal,
    b24_pool_t *pool, b24_queue_job_t *job);
/* LINK's data for the order: empty when its shop has no such statement */
ngx_int_t ngx_http_b24_reader_link(ngx_http_b24_origin_t *o, b24_pool_t *pool,
    b24_order_t *order, b24_str_t *data);


/* ---- settle, import ---- */

ngx_int_t ngx_http_b24_settle_init(ngx_cycle_t *cycle,
    ngx_http_b24_reader_t *r);
void ngx_http_b24_settle_tick(ngx_http_b24_reader_t *r);
ngx_uint_t ngx_http_b24_settle_busy(ngx_http_b24_reader_t *r);
ngx_int_t ngx_http_b24_import_init(ngx_cycle_t *cycle,
    ngx_http_b24_reader_t *r);
void ngx_http_b24_import_tick(ngx_http_b24_reader_t *r);
ngx_uint_t ngx_http_b24_import_busy(ngx_http_b24_reader_t *r);


/* ---- deliver ---- */

ngx_int_t ngx_http_b24_deliver_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
/* this worker has just been elected */
void ngx_http_b24_deliver_begin(void);
/* looks for due orders of every portal that is idle */
void ngx_http_b24_deliver_kick(void);
ngx_uint_t ngx_http_b24_deliver_busy(void);
void ngx_http_b24_deliver_exit(void);
/* each second, also of a worker that quits */
void ngx_http_b24_deliver_tick(void);


/* ---- watch ---- */

ngx_int_t ngx_http_b24_watch_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
/* each second, of the elected one */
void ngx_http_b24_watch_tick(void);
void ngx_http_b24_watch_exit(void);


/* ---- back ---- */

ngx_int_t ngx_http_b24_back_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_back_exit(void);
/* this worker has just been elected */
void ngx_http_b24_back_begin(void);
/* looks for what is due of every origin that is idle */
void ngx_http_b24_back_kick(void);
/* statuses of the CRM go to this origin's shop */
ngx_uint_t ngx_http_b24_back_writes(ngx_http_b24_origin_t *o);


/* ---- alert ---- */

typedef struct ngx_http_b24_target_s  ngx_http_b24_target_t;

/* an event of an origin; those of the whole nginx are of the first origin of
 * each target */
typedef struct {
    b24_alert_t               alert;
    ngx_http_b24_origin_t    *origin;
    ngx_http_b24_target_t    *target;
} ngx_http_b24_item_t;

/* who is told */
struct ngx_http_b24_target_s {
    ngx_http_b24_alert_t     *conf;         /* of the first such line */
    ngx_str_t                 certificate;
    b24_alert_pace_t          pace;
    unsigned                  failing:1;    /* and the log says so */

    /* of the message under way; item NULL: there is none */
    ngx_http_b24_item_t      *item;
    b24_alert_say_e           say;
    b24_alert_message_t       message;
    ngx_http_b24_call_t       call;
    b24_pool_t               *pool;
    ngx_http_b24_transfer_t   transfer;
};


extern ngx_http_b24_item_t  *ngx_http_b24_items;
extern ngx_uint_t            ngx_http_b24_nitems;


ngx_int_t ngx_http_b24_alert_init(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
/* this worker has just been elected */
void ngx_http_b24_alert_begin(void);
/* each second, of the elected one */
void ngx_http_b24_alert_tick(void);
/* what was told is being written down: nobody else is elected before */
ngx_uint_t ngx_http_b24_alert_busy(void);
void ngx_http_b24_alert_exit(void);
/* what was told, over restarts; n: items at most */
ngx_int_t ngx_http_b24_alert_kept_init(ngx_cycle_t *cycle, ngx_uint_t n);
void ngx_http_b24_alert_kept_begin(void);
/* it was read; until then nobody knows what was told */
ngx_uint_t ngx_http_b24_alert_kept(void);
/* each second: reads it, then writes what has changed */
void ngx_http_b24_alert_keep(void);
/* the threads are gone */
void ngx_http_b24_alert_kept_exit(void);
/* of tell: how it went; error NULL: well.  The message is over */
void ngx_http_b24_alert_told(ngx_http_b24_target_t *target, const char *error,
    const char *advice);


/* ---- tell ---- */

/* the target's item, message and pool are set; leads to alert_told(), also from
 * inside */
void ngx_http_b24_tell(ngx_http_b24_target_t *target);


/* ---- leader ---- */

ngx_uint_t ngx_http_b24_leader(void);


#endif /* _NGX_HTTP_B24_COURIER_H_INCLUDED_ */
