
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


typedef struct ngx_http_b24_portal_s    ngx_http_b24_portal_t;
typedef struct ngx_http_b24_origin_s    ngx_http_b24_origin_t;
typedef struct ngx_http_b24_job_s       ngx_http_b24_job_t;
typedef struct ngx_http_b24_call_s      ngx_http_b24_call_t;
typedef struct ngx_http_b24_ctx_s       ngx_http_b24_ctx_t;
typedef struct ngx_http_b24_events_s    ngx_http_b24_events_t;


/* where a directive stands, for errors that need another line's place */
typedef struct {
    ngx_str_t                   file;
    ngx_uint_t                  line;
} ngx_http_b24_place_t;


/* ---- shared memory (desk/ngx_http_b24_shm.c) ---- */

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

#define NGX_HTTP_B24_JOURNAL_OFF    0
#define NGX_HTTP_B24_JOURNAL_ASYNC  1
#define NGX_HTTP_B24_JOURNAL_SYNC   2

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


/* ---- configuration ---- */

typedef struct {
    ngx_str_t                   name;       /* CRM field */
    ngx_str_t                   text;       /* "" removes */
    ngx_http_complex_value_t   *value;
    unsigned                    late:1;     /* needs the answer */
} ngx_http_b24_field_t;


/* a field of the CRM as the configuration sets it, to be checked */
typedef struct {
    b24_field_line_t            line;
    const char                 *directive;  /* static */
    const b24_str_t            *shop;       /* NULL: no line of rules */
} ngx_http_b24_line_t;


/* what a portal stands, b24_rate */
typedef struct {
    ngx_uint_t                  rate;       /* 1/1000 request a second */
    ngx_uint_t                  burst;      /* requests */
    ngx_msec_t                  operating;  /* server time a method may take
                                               in a window, 0: nobody counts */
    ngx_msec_t                  window;
    ngx_msec_t                  batch;      /* server time of one request of
                                               many orders, at most */
} ngx_http_b24_limits_t;


typedef struct {
    ngx_str_t                   url;        /* secret: never logged */
    ngx_str_t                   host;       /* host or host:port */
    unsigned                    dry:1;
    ngx_http_b24_place_t        place;
} ngx_http_b24_webhook_t;


typedef struct {
    ngx_str_t                   text;       /* secret: never logged */
    b24_database_url_t          url;
    ngx_msec_t                  connect;
    ngx_msec_t                  read;
    ngx_msec_t                  wait;       /* for one that fails */
    ngx_msec_t                  absent;     /* until what isn't there is no
                                               order */
    ngx_msec_t                  poll;
    ngx_msec_t                  traffic;    /* left to it before an import */
    ngx_http_b24_place_t        place;
} ngx_http_b24_database_t;


/* where and as whom the shop itself is called */
typedef struct {
    ngx_str_t                   url;        /* no slash at its end */
    ngx_str_t                   host;       /* host or host:port */
    ngx_str_t                   user;       /* may be empty, as the next */
    ngx_str_t                   password;   /* secret: never logged */
    ngx_http_b24_place_t        place;
} ngx_http_b24_site_t;


/* who is told when something needs a person */
typedef struct {
    ngx_str_t                   url;        /* secret: never logged; of a
                                               socket the path; terminated */
    ngx_str_t                   name;       /* of it, without what is secret */
    time_t                      age;        /* of the oldest order */
    time_t                      again;      /* 0: never */
    time_t                      gap;
    unsigned                    local:1;    /* a socket */
} ngx_http_b24_alert_t;


/* an origin that a b24_status line names */
typedef struct {
    ngx_str_t                   origin;
    ngx_http_b24_place_t        place;
} ngx_http_b24_shown_t;


/* a string with variables, and the line it is of */
typedef struct {
    ngx_str_t                   text;
    ngx_str_t                   directive;
    ngx_http_b24_place_t        place;
} ngx_http_b24_use_t;


typedef struct {
    ngx_str_t                   queue;      /* the folder; "" until set */
    ngx_str_t                   db;         /* paths below it, terminated */
    ngx_str_t                   lock;
    ngx_str_t                   sock;
    time_t                      keep;
    ngx_uint_t                  max;
    ngx_flag_t                  queue_set;
    ngx_http_b24_place_t        queue_place;    /* none: the usual folder */

    b24_pool_t                 *rules_pool;
    b24_rules_t                *rules;
    ngx_array_t                 vars;       /* ngx_http_complex_value_t */
    ngx_array_t                 uses;       /* ngx_http_b24_use_t */

    ngx_array_t                 origins;    /* ngx_http_b24_origin_t * */
    ngx_array_t                 portals;    /* ngx_http_b24_portal_t * */
    ngx_uint_t                  mirrors;    /* b24_mirror lines that are on */
    ngx_uint_t                  desks;      /* b24_status locations */
    ngx_array_t                 events;     /* ngx_http_b24_events_t * */
    ngx_array_t                 shown;      /* ngx_http_b24_shown_t */

    ngx_shm_zone_t             *zone;
    ngx_shm_zone_t             *sessions_zone;  /* NULL: none is needed */
    size_t                      sessions_size;
    time_t                      sessions_time;
    ngx_thread_pool_t          *threads;
    ngx_thread_pool_t          *db_threads; /* NULL: no database */
} ngx_http_b24_main_conf_t;


typedef struct {
    ngx_str_t                   origin;     /* b24_origin */
    ngx_http_b24_place_t        origin_place;
    ngx_http_b24_webhook_t     *webhook;
    ngx_http_b24_limits_t       limits;     /* b24_rate */
    ngx_http_b24_place_t        rate_place;
    ngx_str_t                   certificate;
    ngx_http_b24_place_t        certificate_place;
    ngx_int_t                   category;
    ngx_uint_t                  api;        /* 0 classic, 1 universal */
    ngx_uint_t                  match;      /* b24_match_e */
    ngx_uint_t                  product;    /* b24_product_e */
    ngx_str_t                   phone_code;
    ngx_int_t                   requisite_preset;
    ngx_array_t                *stages;     /* b24_pair_t; overrides */
    ngx_flag_t                  stages_none;
    ngx_array_t                *stage_back; /* b24_pair_t, STAGE and STATUS:
                                               its elements are a list as well;
                                               NULL: none */
    ngx_msec_t                  retry_first;
    ngx_msec_t                  retry_max;
    ngx_msec_t                  retry_unknown;
    ngx_http_b24_place_t        retry_place;
    ngx_http_b24_database_t    *database;   /* NULL: none */
    ngx_flag_t                  imports;    /* b24_import */
    ngx_http_b24_site_t        *site;       /* NULL: none */
    ngx_uint_t                  update;     /* b24_update; b24_update_e */
    ngx_http_b24_alert_t       *alert;      /* NULL: none */

    ngx_http_b24_place_t        place;      /* of the server's settings */
    ngx_uint_t                  mirrors;    /* in this server */
    ngx_array_t                *shops;      /* b24_str_t: of its mirrors */
    ngx_array_t                *lines;      /* ngx_http_b24_line_t: of them */
    ngx_http_b24_place_t        mirror_place;
    ngx_http_b24_origin_t      *o;          /* set by postconfiguration */
} ngx_http_b24_srv_conf_t;


typedef struct {
    ngx_flag_t                  mirror;
    const b24_shop_t           *shop;

    ngx_uint_t                  journal;    /* NGX_HTTP_B24_JOURNAL_... */

    size_t                      body_max;
    size_t                      answer_max;
    size_t                      total_max;

    ngx_array_t                *deal;       /* ngx_http_b24_field_t */
    ngx_array_t                *contact;
    ngx_array_t                *company;

    ngx_http_b24_events_t      *events;     /* NULL: it takes no webhooks */
    ngx_array_t                *desk;       /* ngx_str_t: origins shown; NULL:
                                               the location is no desk */
    ngx_flag_t                  reveal;
    unsigned                    abort_noted:1;  /* by this worker */

    ngx_http_b24_ctx_t         *none;       /* of all requests that no rule
                                               wants */
} ngx_http_b24_loc_conf_t;


/* one ORIGINATOR_ID; servers that share it agree on all of this */
struct ngx_http_b24_origin_s {
    ngx_str_t                   name;
    ngx_http_b24_srv_conf_t    *conf;       /* of the first such server */
    ngx_http_b24_portal_t      *portal;     /* NULL: no webhook */
    ngx_http_b24_place_t        place;
    ngx_array_t                *lines;      /* ngx_http_b24_line_t: of all its
                                               servers */
    ngx_http_b24_sh_origin_t   *sh;         /* after init_process */
    ngx_uint_t                  rejected;   /* not yet in the queue's counts */
    time_t                      other_api;  /* courier: until then the other
                                               family of methods is used */
    void                       *reader;     /* courier: ngx_http_b24_reader_t,
                                               NULL: no database */
    const b24_shop_t           *writes;     /* its first that is written back
                                               to, NULL: none, or nowhere */
};


/* one host of the CRM; the courier's side of it is in courier/ */
struct ngx_http_b24_portal_s {
    ngx_str_t                   host;
    ngx_array_t                 origins;    /* ngx_http_b24_origin_t * */
    ngx_http_b24_limits_t       limits;
    ngx_http_b24_place_t        place;
    unsigned                    dry:1;
    time_t                      watch;      /* s between looks at what its deals
                                               do, 0: nobody looks */
    ngx_http_b24_sh_portal_t   *sh;         /* after init_process */
    ngx_str_t                   moved;      /* courier: host[:port] it answers
                                               at now; malloc()ed */
    void                       *book;       /* courier: ngx_http_b24_book_t */
};


/* adds a line unless there is one like it; *lines may be NULL */
ngx_int_t ngx_http_b24_line_add(ngx_pool_t *pool, ngx_array_t **lines,
    const ngx_http_b24_line_t *line);


/* ---- intake ---- */

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
    u_char                     *answer;     /* malloc()ed */
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

    b24_event_t                 event;      /* during extraction */
    b24_outcome_e               outcome;    /* after it */
    b24_queue_put_t             put;
    b24_queue_put_result_t      result;
    b24_queue_change_t          change;     /* in place of put, when it is */
    b24_pair_t                 *targets;    /* of orders that are there: their
                                               numbers and keys */
    b24_pair_t                 *missing;    /* of these, the queue has not */
    ngx_uint_t                  unknown;    /* as many */
    ngx_msec_t                  patience;   /* until then they are looked for;
                                               0: they weren't yet */
    ngx_uint_t                  over;       /* and those that were too many */
    unsigned                    status:1;
    unsigned                    journal:1;  /* what the request carried only */
    unsigned                    gathered:1; /* part of a commit under way */
    unsigned                    copied:1;   /* the body is in it */
    unsigned                    extracted:1;
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


/* intake/ngx_http_b24_conf.c */
char *ngx_http_b24_conf_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_mirror(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_capture(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_http_b24_limits_default(ngx_http_b24_limits_t *limits);
ngx_uint_t ngx_http_b24_limits_same(const ngx_http_b24_limits_t *a,
    const ngx_http_b24_limits_t *b);
char *ngx_http_b24_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_journal(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_product(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_category(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_requisite_preset(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_phone_code(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_stage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* one more b24_pair_t; NGX_DECLINED: there is one of this name */
ngx_int_t ngx_http_b24_conf_pair(ngx_conf_t *cf, ngx_array_t **pairs,
    ngx_str_t *name, ngx_str_t *value);
/* text is a string with variables of the line at hand: whether all of them
 * exist is told after the whole configuration */
ngx_int_t ngx_http_b24_conf_uses(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_str_t *text);
ngx_int_t ngx_http_b24_conf_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_portal_conf.c */
char *ngx_http_b24_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* the one line of a file of the directive at hand; blanks: those at its ends
 * are a part of it */
char *ngx_http_b24_secret_file(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text, char *what, ngx_uint_t blanks);
/* of addresses: what follows the scheme; host or host:port as everything else
 * names it; "." or ".." in a path */
u_char *ngx_http_b24_conf_scheme(ngx_str_t *url, ngx_uint_t *tls);
char *ngx_http_b24_conf_host(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t tls,
    ngx_str_t *host);
ngx_uint_t ngx_http_b24_conf_dots(u_char *p, u_char *last);

/* intake/ngx_http_b24_site_conf.c */
char *ngx_http_b24_conf_site(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_stage_back(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* links the elements of an array of b24_pair_t; NULL is none */
void ngx_http_b24_conf_list(ngx_array_t *pairs);
/* after merging: whether each site can be called, and would be */
ngx_int_t ngx_http_b24_site_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_alert_conf.c */
char *ngx_http_b24_conf_alert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* intake/ngx_http_b24_database_conf.c */
char *ngx_http_b24_conf_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_update(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_uint_t ngx_http_b24_databases(ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_database_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_events.c */
char *ngx_http_b24_conf_events(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* after merging: whose deals each location is told of */
ngx_int_t ngx_http_b24_events_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_folder.c */
ngx_int_t ngx_http_b24_queue_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_queue_folder(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_shop.c */
char *ngx_http_b24_shop(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_shop_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* intake/ngx_http_b24_capture.c */
ngx_int_t ngx_http_b24_capture_init(ngx_conf_t *cf);
/* r is a main request */
ngx_http_b24_ctx_t *ngx_http_b24_get_ctx(ngx_http_request_t *r);

/* intake/ngx_http_b24_hush.c: what nginx does for us without telling of it.
 * Lines of our own go to the log of the cycle: that of a connection adds the
 * client's address, the request line and the referrer to each line */
ngx_int_t ngx_http_b24_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value);
void ngx_http_b24_unref(ngx_http_request_t *r);

/* intake/ngx_http_b24_job.c: creation and request-bound copies on the event
 * loop, extraction and destruction of parts on any thread */
ngx_http_b24_job_t *ngx_http_b24_job_create(ngx_http_b24_origin_t *origin,
    const b24_shop_t *shop, ngx_http_b24_loc_conf_t *conf);
void ngx_http_b24_job_destroy(ngx_http_b24_job_t *job);
int ngx_http_b24_job_var_now(void *data, size_t n, b24_str_t *value);
int ngx_http_b24_job_var_kept(void *data, size_t n, b24_str_t *value);
ngx_int_t ngx_http_b24_job_vars(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx, ngx_uint_t late);
ngx_int_t ngx_http_b24_job_body(ngx_http_request_t *r,
    ngx_http_b24_ctx_t *ctx);
ngx_uint_t ngx_http_b24_job_small(ngx_http_b24_job_t *job);
void ngx_http_b24_job_extract(ngx_http_b24_job_t *job);
ngx_uint_t ngx_http_b24_template_late(ngx_str_t *text);

ngx_http_b24_job_t *ngx_http_b24_job_journal(ngx_http_b24_job_t *job);

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


/* ---- desk/ngx_http_b24_shm.c ---- */

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
