
/* What all workers share: portals, origins, counters.  Part of
 * ngx_http_b24_module.h. */


#ifndef _NGX_HTTP_B24_SHM_H_INCLUDED_
#define _NGX_HTTP_B24_SHM_H_INCLUDED_


typedef enum {
    NGX_HTTP_B24_PORTAL_OK = 0,
    NGX_HTTP_B24_PORTAL_THROTTLED,
    NGX_HTTP_B24_PORTAL_RETRYING,
    NGX_HTTP_B24_PORTAL_PAUSED,
    NGX_HTTP_B24_PORTAL_BLOCKED,
    NGX_HTTP_B24_NPORTALSTATES
} ngx_http_b24_portal_state_e;

#define NGX_HTTP_B24_REASON        256
#define NGX_HTTP_B24_WARNINGS      2048
#define NGX_HTTP_B24_NOTES         1024

/* how requests to a portal ended */
#define NGX_HTTP_B24_RESULTS(X)                                               \
    X(OK, "ok")                     /* answered as it should be */             \
    X(LIMIT, "limit")               /* told to slow down */                    \
    X(ERROR, "error")               /* any other answer */                     \
    X(NETWORK, "network")           /* none */

#define NGX_HTTP_B24_X(id, name)  NGX_HTTP_B24_RESULT_##id,
typedef enum {
    NGX_HTTP_B24_RESULTS(NGX_HTTP_B24_X)
    NGX_HTTP_B24_NRESULTS
} ngx_http_b24_result_e;
#undef NGX_HTTP_B24_X

/* bounds of the times from acceptance to deal, in ms; the last is infinite */
#define NGX_HTTP_B24_BOUNDS                                                   \
    500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 900000, 3600000,      \
    21600000, 86400000

#define NGX_HTTP_B24_BUCKETS       13


/* what the shop's database was asked for, and how it went */
#define NGX_HTTP_B24_DBS(X)                                                   \
    X(READ, "read")                 /* orders found */                         \
    X(ABSENT, "absent")             /* looked for and not there (yet) */       \
    X(ERROR, "error")               /* not answered */                         \
    X(IMPORTED, "imported")         /* orders no request of which was seen */  \
    X(SETTLED, "settled")           /* unconfirmed ones, one way or other */   \
    X(LINKED, "linked")             /* deals written into the shop */

#define NGX_HTTP_B24_X(id, name)  NGX_HTTP_B24_DB_##id,
typedef enum {
    NGX_HTTP_B24_DBS(NGX_HTTP_B24_X)
    NGX_HTTP_B24_NDBS
} ngx_http_b24_db_e;
#undef NGX_HTTP_B24_X

typedef enum {
    NGX_HTTP_B24_DB_NONE = 0,       /* the origin has none */
    NGX_HTTP_B24_DB_UNUSED,         /* not asked yet */
    NGX_HTTP_B24_DB_OK,
    NGX_HTTP_B24_DB_FAILING
} ngx_http_b24_db_state_e;


/* of who is told by b24_alert */
typedef enum {
    NGX_HTTP_B24_ALERT_UNUSED = 0,
    NGX_HTTP_B24_ALERT_OK,
    NGX_HTTP_B24_ALERT_FAILING
} ngx_http_b24_alert_state_e;


/* what is wrong and what to do; one writer, the courier */
typedef struct {
    ngx_atomic_t                gen;        /* odd while it is written */
    u_char                      reason[NGX_HTTP_B24_REASON];
    u_char                      advice[NGX_HTTP_B24_REASON];
} ngx_http_b24_sh_words_t;


/* of one origin: what the queue's counts table said last */
typedef struct ngx_http_b24_sh_origin_s  ngx_http_b24_sh_origin_t;

struct ngx_http_b24_sh_origin_s {
    ngx_http_b24_sh_origin_t   *next;
    ngx_atomic_t                counts[B24_NSTATES];
    ngx_atomic_t                oldest;     /* seconds since the epoch */
    u_char                      notes[NGX_HTTP_B24_NOTES];  /* lines; only
                                               added to, under the mutex */
    ngx_atomic_t                paused;     /* by a person */
    ngx_atomic_t                polls;      /* of its database, wanted */
    int64_t                     zone;       /* of its database's times, see
                                               b24_database_age(); of the
                                               courier */
    ngx_atomic_t                zoned;      /* it is known */
    ngx_atomic_t                times[NGX_HTTP_B24_BUCKETS];    /* of deals */
    ngx_atomic_t                times_ms;   /* their sum */
    ngx_atomic_t                database;   /* ngx_http_b24_db_state_e */
    ngx_atomic_t                db[NGX_HTTP_B24_NDBS];
    ngx_http_b24_sh_words_t     words;
    ngx_atomic_t                alert;      /* ngx_http_b24_alert_state_e */
    ngx_atomic_t                alerted;    /* messages that were taken */
    ngx_http_b24_sh_words_t     alert_words;
    size_t                      len;
    u_char                      name[1];
};


/* values of one learn line's name, of one origin: a ring, the newest is that of
 * n - 1; written under the mutex */
#define NGX_HTTP_B24_LEARNED      16
#define NGX_HTTP_B24_LEARNED_LEN  64

typedef struct ngx_http_b24_sh_learned_s  ngx_http_b24_sh_learned_t;

struct ngx_http_b24_sh_learned_s {
    ngx_http_b24_sh_learned_t  *next;
    ngx_atomic_t                n;          /* so far */
    ngx_atomic_t                saved;      /* of these, in the queue's file */
    ngx_atomic_t                loaded;     /* what that has is here */
    u_char                      lens[NGX_HTTP_B24_LEARNED];
    u_char                      values[NGX_HTTP_B24_LEARNED]
                                      [NGX_HTTP_B24_LEARNED_LEN];
    size_t                      origin_len;
    size_t                      name_len;
    u_char                      name[1];    /* the origin's, then its own */
};


/* of one host: limiter and state, written by the courier only, but for what a
 * person asks it to do */
typedef struct ngx_http_b24_sh_portal_s  ngx_http_b24_sh_portal_t;

struct ngx_http_b24_sh_portal_s {
    ngx_http_b24_sh_portal_t   *next;
    ngx_atomic_t                state;
    ngx_atomic_t                level;      /* of the bucket, 1/1000 request */
    ngx_atomic_t                last;       /* ngx_current_msec of level */
    ngx_atomic_t                resume;     /* ngx_current_msec, 0: open */
    ngx_atomic_t                ease;       /* 1/1000 of the rate that is left
                                               off, as others fill the bucket */
    ngx_atomic_t                eased;      /* ngx_current_msec of ease */
    b24_pace_t                  pace;       /* what methods cost */
    ngx_atomic_t                paced;      /* grows with what that learns */
    ngx_atomic_t                failures;   /* in a row */
    ngx_atomic_t                life;       /* ngx_http_b24_generation that has
                                               probed it for its own sake */
    ngx_atomic_t                known;      /* from the queue's file */
    ngx_atomic_t                results[NGX_HTTP_B24_NRESULTS];
    ngx_atomic_t                errors;
    ngx_atomic_t                checks;     /* asked for by hand */
    ngx_atomic_t                nudges;     /* the same: to end a back-off */
    ngx_atomic_t                told;       /* grows as deals may have moved */
    ngx_atomic_t                checked;    /* seconds: it has told of itself */
    ngx_http_b24_sh_words_t     words;
    u_char                      warnings[NGX_HTTP_B24_WARNINGS];
    size_t                      len;
    u_char                      host[1];
};


/* counters of the whole nginx, see desk/ngx_http_b24_counters_x.h */
#define NGX_HTTP_B24_X(id, name, help)  NGX_HTTP_B24_COUNTER_##id,
typedef enum {
#include "desk/ngx_http_b24_counters_x.h"
    NGX_HTTP_B24_NCOUNTERS
} ngx_http_b24_counter_e;
#undef NGX_HTTP_B24_X

#define NGX_HTTP_B24_PROCESSES     512

typedef struct {
    ngx_atomic_t                pid;
    ngx_atomic_t                captured;   /* bytes */
    ngx_atomic_t                held;       /* orders in memory */
    ngx_atomic_t                refused;    /* since the disk takes none */
} ngx_http_b24_sh_process_t;

typedef struct {
    ngx_atomic_t                captured;   /* bytes held for captures now */
    ngx_atomic_t                change;     /* of the counts below */
    ngx_atomic_t                counted;    /* they were read from a queue */
    ngx_atomic_t                courier;    /* pid of the elected one */
    ngx_http_b24_sh_origin_t   *origins;
    ngx_http_b24_sh_portal_t   *portals;
    ngx_http_b24_sh_learned_t  *learned;
    ngx_atomic_t                counters[NGX_HTTP_B24_NCOUNTERS];
    ngx_http_b24_sh_process_t   processes[NGX_HTTP_B24_PROCESSES];
} ngx_http_b24_sh_t;


ngx_int_t ngx_http_b24_shm_add(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
ngx_int_t ngx_http_b24_shm_attach(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_shm_detach(void);
ngx_http_b24_sh_t *ngx_http_b24_sh(void);
/* n more, or less, orders wait in this process's memory */
void ngx_http_b24_hold(ngx_int_t n);
/* whether the disk refuses what this process holds */
void ngx_http_b24_sh_refused(ngx_uint_t refused);
/* each second */
void ngx_http_b24_sh_tick(void);
/* workers whose last commit the disk has refused; held: orders they hold */
ngx_uint_t ngx_http_b24_sh_refusing(ngx_uint_t *held);
void ngx_http_b24_count(ngx_http_b24_counter_e counter, ngx_uint_t n);
/* bytes of captures over all requests; NGX_DECLINED above max */
ngx_int_t ngx_http_b24_reserve(size_t size, size_t max);
void ngx_http_b24_release(size_t size);
/* values of an origin's learn lines of that name; made when make is set; NULL:
 * there are none, or no room for them */
ngx_http_b24_sh_learned_t *ngx_http_b24_sh_learned(ngx_str_t *origin,
    const b24_str_t *name, ngx_uint_t make);
/* 1: it is new.  load: it comes from the queue */
ngx_uint_t ngx_http_b24_sh_learn(ngx_http_b24_sh_learned_t *l,
    const b24_str_t *value, ngx_uint_t load);
/* a line for the page, once for each text (any worker); 1: it is new */
ngx_uint_t ngx_http_b24_sh_note(ngx_http_b24_sh_origin_t *o,
    const u_char *text);
/* opened: the file was just opened, its change may have begun anew */
void ngx_http_b24_sh_publish(b24_queue_counts_t *counts, size_t n,
    int64_t change, ngx_uint_t opened);
/* an order has become a deal, ms after its acceptance */
void ngx_http_b24_sh_delivered(ngx_http_b24_sh_origin_t *sh, int64_t ms);
/* of a portal, or of an origin's database; reason NULL: all is well */
void ngx_http_b24_sh_reason(ngx_http_b24_sh_words_t *words,
    const char *reason, const char *advice);
/* a consistent copy, terminated */
void ngx_http_b24_sh_read(ngx_http_b24_sh_words_t *words,
    u_char reason[NGX_HTTP_B24_REASON], u_char advice[NGX_HTTP_B24_REASON]);
/* of the bucket of a portal with that b24_rate, 1/1000 request */
ngx_uint_t ngx_http_b24_sh_level(ngx_http_b24_sh_portal_t *sh,
    ngx_uint_t rate);
/* what that rate is now, after refusals: it comes back by a twentieth of the
 * whole every ten seconds */
ngx_uint_t ngx_http_b24_sh_rate(ngx_http_b24_sh_portal_t *sh,
    ngx_uint_t rate);
/* lines of what the portal does not know of the configuration: ORIGIN, a tab,
 * words; at most NGX_HTTP_B24_WARNINGS bytes with the zero one */
void ngx_http_b24_sh_warnings(ngx_http_b24_sh_portal_t *sh, u_char *text);
void ngx_http_b24_sh_read_warnings(ngx_http_b24_sh_portal_t *sh,
    u_char text[NGX_HTTP_B24_WARNINGS]);


#endif /* _NGX_HTTP_B24_SHM_H_INCLUDED_ */
