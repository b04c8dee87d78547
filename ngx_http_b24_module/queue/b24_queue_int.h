
/*
 * What the files of the queue share.  Nothing outside this folder includes it,
 * but the tests that ask SQLite how it carries the statements out.
 */


#ifndef _B24_QUEUE_INT_H_INCLUDED_
#define _B24_QUEUE_INT_H_INCLUDED_


#include "b24_queue.h"

#include <sqlite3.h>


#define B24_QUEUE_APPLICATION  0x62323471      /* "b24q" */
#define B24_QUEUE_TIMEOUT      5000            /* ms */
#define B24_QUEUE_MESSAGE      256
#define B24_QUEUE_RETRY        10              /* ms between tries */
#define B24_QUEUE_DAY          ((int64_t) 24 * 60 * 60 * 1000)
#define B24_QUEUE_MOMENTS      200             /* timeline rows of a record */
#define B24_QUEUE_FOUND        20              /* records of one order id */
#define B24_QUEUE_FACTS        1000000         /* facts kept */
/* ids of LINK events, that go in turn with the orders, begin here */
#define B24_QUEUE_LINKS        ((int64_t) 1 << 47)
/* those of events that stand in the line behind all orders here */
#define B24_QUEUE_LATER        ((int64_t) 1 << 48)
/* and here those of events that go back to the shop, a line of their own */
#define B24_QUEUE_BACK         ((int64_t) 1 << 49)
/* as SQLite is to see it */
#define B24_SQL_BACK           "562949953421312"
#define B24_QUEUE_FRESH        16              /* records of one statement */
#define B24_QUEUE_NAME         256             /* of an origin, mostly */
#define B24_QUEUE_LINES        4    /* orders, links, later, back */
#define B24_QUEUE_FOUND_CAUSE  "found in the shop's database"
#define B24_QUEUE_TWIN_CAUSE                                                  \
    "the shop's database knows another record's order by this number"
#define B24_QUEUE_STATUS_CAUSE "the shop tells of a change"


/* the statements of a connection; their texts are in b24_queue_sql.c, from LINK
 * on in b24_queue_sql_desk.c */
typedef enum {
    B24_SQL_BEGIN = 0,
    B24_SQL_BEGIN_READ,
    B24_SQL_SAVEPOINT,
    B24_SQL_RELEASE,
    B24_SQL_BACK_TO,
    B24_SQL_COMMIT,
    B24_SQL_ROLLBACK,

    B24_SQL_KNOWN,
    B24_SQL_TWINS,
    B24_SQL_TWIN_LINK,
    B24_SQL_STORED,
    B24_SQL_DROP_DELIVERED,
    B24_SQL_PUT_RECORD,
    B24_SQL_PUT_4_RECORDS,
    B24_SQL_PUT_16_RECORDS,
    B24_SQL_CAPTURED,
    B24_SQL_LAST_RECORD,
    B24_SQL_NEXT_RECORD,
    B24_SQL_PUT_CAPTURE,
    B24_SQL_UNCAPTURE,
    B24_SQL_CAPTURES,
    B24_SQL_ADOPT,
    B24_SQL_ADOPTED,
    B24_SQL_ORPHAN,
    B24_SQL_LAST_EVENT,
    B24_SQL_PUT_EVENT,
    B24_SQL_CONFIRM,
    B24_SQL_FIRST_EVENT,
    B24_SQL_COUNT,
    B24_SQL_LAST_SEQ,
    B24_SQL_REOPEN,

    B24_SQL_BY_ROW,
    B24_SQL_LINK_BY_ROW,
    B24_SQL_BY_NUMBERS,
    B24_SQL_PUT_SEEN,
    B24_SQL_SEEN,
    B24_SQL_SEEN_GONE,
    B24_SQL_LAST_STATUS,
    B24_SQL_MERGE_STATUS,
    B24_SQL_FOLLOWS,
    B24_SQL_LAST,
    B24_SQL_DROP_STEP,
    B24_SQL_REVIVE,
    B24_SQL_REVIVE_SEEN,
    B24_SQL_LATER,
    B24_SQL_DROP_LATER,

    B24_SQL_LAST_MOMENTS,
    B24_SQL_BEGUN,
    B24_SQL_PUT_BEGUN,
    B24_SQL_DROP_BEGUN,
    B24_SQL_MOMENT,
    B24_SQL_MOMENT_SAID,
    B24_SQL_MOMENT_AGAIN,
    B24_SQL_MOMENT_REPLACE,

    B24_SQL_DUE_ACCEPTED,
    B24_SQL_DUE_NEWEST,
    B24_SQL_DUE_WAITING,
    B24_SQL_DUE_WAITING_BACK,
    B24_SQL_DUE_STEPPED,
    B24_SQL_DUE_SENDING,
    B24_SQL_DUE_FUTURE,
    B24_SQL_RECOVER,
    B24_SQL_CLAIM,
    B24_SQL_RENEW,
    B24_SQL_JOB,
    B24_SQL_STEPS,
    B24_SQL_HELD,
    B24_SQL_ATTEMPT,
    B24_SQL_STEP,
    B24_SQL_OUTCOME,
    B24_SQL_EVENT_DONE,
    B24_SQL_DROP_DONE,
    B24_SQL_NEXT_EVENT,
    B24_SQL_PUT_LINK,

    B24_SQL_LINK,
    B24_SQL_COUNTS,
    B24_SQL_OLDEST,
    B24_SQL_LONGEST,
    B24_SQL_ORIGINS,
    B24_SQL_LATEST,
    B24_SQL_RECORD,
    B24_SQL_CAPTURE_RECORD,
    B24_SQL_CAPTURE_MOMENTS,
    B24_SQL_LATEST_CAPTURES,
    B24_SQL_FIRST_DATA,
    B24_SQL_FIRST_ORDER,
    B24_SQL_BY_NUMBER,
    B24_SQL_BY_SHOP_NUMBER,
    B24_SQL_FIRST_MOMENTS,
    B24_SQL_TIMELINE,

    B24_SQL_RETRY,
    B24_SQL_OLD_DELIVERED,
    B24_SQL_OLD_WARNED,
    B24_SQL_DROP_RECORD,
    B24_SQL_UNWARN,
    B24_SQL_AGING,
    B24_SQL_WARN,

    B24_SQL_SALT,
    B24_SQL_PUT_SALT,
    B24_SQL_FACT,
    B24_SQL_PUT_FACT,
    B24_SQL_DROP_FACT,
    B24_SQL_DROP_FACTS_OF,
    B24_SQL_FACTS,
    B24_SQL_CLEAN_FACTS,
    B24_SQL_CLEAN_FUTURE_FACTS,

    B24_SQL_TWIN_OTHERS,
    B24_SQL_BY_ORIGIN_ID,
    B24_SQL_DROPPED_BY_NUMBER,
    B24_SQL_LATEST_DROPPED,
    B24_SQL_DROPPED,
    B24_SQL_DROPPED_MOMENTS,
    B24_SQL_CLEAN_DROPPED,
    B24_SQL_HASTEN,
    B24_SQL_NEXT_PARKED,
    B24_SQL_PARKED_LEFT,
    B24_SQL_HAND,
    B24_SQL_NUMBER_TAKEN,
    B24_SQL_ROW_TAKEN,
    B24_SQL_PUT_NUMBER,
    B24_SQL_SEND,
    B24_SQL_SEND_EVENT,
    B24_SQL_PUT_DROPPED,
    B24_SQL_KEEP_SHOP_NUMBER,
    B24_SQL_DROP,
    B24_SQL_PAUSE,
    B24_SQL_RESUME,
    B24_SQL_PAUSED,
    B24_SQL_PORTAL,
    B24_SQL_PUT_PORTAL,
    B24_SQL_CLEAN_PORTALS,
    B24_SQL_PUT_PACE,
    B24_SQL_ALERT,
    B24_SQL_PUT_ALERT,
    B24_SQL_DROP_ALERT,
    B24_SQL_LEARNED,
    B24_SQL_PUT_LEARNED,
    B24_SQL_CLEAN_LEARNED,
    B24_SQL_TOUCH,

    B24_SQL_HOLDERS,
    B24_SQL_CONTEST,
    B24_SQL_AS_CAPTURED,
    B24_SQL_WAS_UNCONFIRMED,
    B24_SQL_NUMBER,
    B24_SQL_ROW,
    B24_SQL_EVENT_DATA,
    B24_SQL_READ,
    B24_SQL_UNSETTLED,
    B24_SQL_UNCONFIRMED,
    B24_SQL_ALIKE_OF,
    B24_SQL_ALIKE_AFTER,
    B24_SQL_ALIKE_BEFORE,
    B24_SQL_SHOP_NUMBER,
    B24_SQL_PLACED_LAST,
    B24_SQL_PLACED,
    B24_SQL_UNREAD,
    B24_SQL_UNREAD_ONE,
    B24_SQL_MARK,
    B24_SQL_PUT_MARK,

    B24_SQL_DEAL_ORIGINS,
    B24_SQL_DEAL_RECORDS,
    B24_SQL_PUT_MOVED,
    B24_SQL_MOVED,
    B24_SQL_DROP_MOVED,
    B24_SQL_HISTORY,
    B24_SQL_PUT_HISTORY,

    B24_SQL_POINT_AT,
    B24_SQL_PUT_POINT,
    B24_SQL_DROP_POINTS,
    B24_SQL_POINTS,
    B24_SQL_POINT_NOW,

    B24_SQL_N
} b24_sql_e;


const char *b24_queue_sql(b24_sql_e sql);
extern const char *const  b24_queue_sql_desk[B24_SQL_N - B24_SQL_LINK];
/* [v]: from schema v to v + 1, from an empty file on */
extern const char  *b24_queue_schema[B24_QUEUE_SCHEMA];


typedef struct b24_tally_s  b24_tally_t;

/* of one origin, what a transaction adds to its counts */
typedef struct {
    b24_str_t      origin;          /* empty: nothing yet */
    u_char         name[B24_QUEUE_NAME];
    int64_t        n[B24_NSTATES];
    int64_t        kept[B24_NSTATES];
    unsigned       changed;         /* a bit of each state */
} b24_counted_t;

/* a record that is yet to be written, with its event */
typedef struct {
    b24_queue_put_t  put;
    int64_t          id;
    int64_t          event;
    int64_t          reuse;
    int64_t          created;
    int64_t          begun;
} b24_fresh_t;

struct b24_queue_s {
    sqlite3       *db;
    char          *path;
    dev_t          dev;             /* of the file that was opened */
    ino_t          ino;
    int            timeout;         /* ms */
    int64_t        waiting;         /* monotonic ms, since when for a lock */
    int64_t        max;
    int64_t        max_facts;
    int64_t        event[B24_QUEUE_LINES];     /* the last id of this
                                       transaction in each line; 0: not asked
                                       for yet */
    int64_t        record;          /* the last key given out, 0: not asked for
                                       yet */
    int64_t        room;            /* records that this transaction may add
                                       without asking again */
    b24_counted_t  counted;
    b24_fresh_t    fresh[B24_QUEUE_FRESH];
    int            nfresh;
    int            lock;            /* the folder's, -1: not held */
    int            held;            /* the file set aside, -1: none */
    unsigned       broken:1;        /* something in the file is */
    unsigned       suspect:1;       /* so it was when it was open before */
    unsigned       aside:1;         /* the new file comes after another one */
    unsigned       group:1;         /* b24_queue_group_begin() */
    unsigned       inner:1;         /* one of its calls is under way */
    unsigned       captured:1;      /* the last key is that of a capture */
    b24_queue_rc_e lost;            /* why nothing of the group counts */
    b24_tally_t   *tallies;         /* records counted so far: from the point */
    int64_t        tallied_from;    /* on that ends at this id, to that one */
    int64_t        tallied_to;
    sqlite3_stmt  *stmts[B24_SQL_N];
    char           message[B24_QUEUE_MESSAGE];
    char           fault[B24_QUEUE_MESSAGE];    /* why it is broken */
    char           notice[B24_QUEUE_MESSAGE];   /* what was set aside */
};


/*
 * One use of a statement.  Values are bound in the order of the calls; errors
 * are sticky, so that they are checked once, at the row or at the end.
 */
typedef struct {
    b24_queue_t     *queue;
    sqlite3_stmt    *stmt;
    int              bound;
    b24_queue_rc_e   rc;
} b24_query_t;


void b24_query_init(b24_query_t *query, b24_queue_t *q, b24_sql_e sql);
void b24_query_int(b24_query_t *query, int64_t value);
/* the bytes must live until the end */
void b24_query_blob(b24_query_t *query, const void *data, size_t len);
/* 0 is bound as NULL */
void b24_query_id(b24_query_t *query, int64_t value);
/* the text must live until the end; NULL and empty ones are bound as NULL */
void b24_query_str(b24_query_t *query, const b24_str_t *text);
void b24_query_chars(b24_query_t *query, const char *text);
/* empty ones are bound as "" */
void b24_query_text(b24_query_t *query, const b24_str_t *text);

/* OK: a row, NONE: no more, or an error */
b24_queue_rc_e b24_query_row(b24_query_t *query);
int64_t b24_query_get_int(b24_query_t *query, int column);
/* a copy in the pool; NULL gives data NULL; memory is a sticky error */
void b24_query_get_str(b24_query_t *query, int column, b24_pool_t *pool,
    b24_str_t *text);
/* until the next row only */
void b24_query_peek_str(b24_query_t *query, int column, b24_str_t *text);
void b24_query_peek_blob(b24_query_t *query, int column, b24_str_t *bytes);

/* resets; OK or the sticky error */
b24_queue_rc_e b24_query_end(b24_query_t *query);
/* a statement that gives no rows */
b24_queue_rc_e b24_query_done(b24_query_t *query);


/* notes SQLite's words, gives our code */
b24_queue_rc_e b24_queue_failed(b24_queue_t *q);
b24_queue_rc_e b24_queue_fault(b24_queue_t *q, b24_queue_rc_e rc,
    const char *words);

/* a transaction for reading; *own is 0 inside one of the caller */
b24_queue_rc_e b24_queue_begin_read(b24_queue_t *q, int *own);
/* commits when rc is OK, else rolls back; the first error stays */
b24_queue_rc_e b24_queue_finish(b24_queue_t *q, b24_queue_rc_e rc);

/* the schema's version, made when the file is empty, brought up to date when it
 * is older; pragmas */
b24_queue_rc_e b24_queue_prepare(b24_queue_t *q);
b24_queue_rc_e b24_queue_exec(b24_queue_t *q, const char *sql);
/* the first column of the first row */
b24_queue_rc_e b24_queue_pragma(b24_queue_t *q, const char *sql,
    int64_t *value);
/* an error of the system's: our words and code for it */
/* what was counted for points is of another file */
void b24_queue_tally_forget(b24_queue_t *q);

b24_queue_rc_e b24_queue_refused(b24_queue_t *q, const char *words, int err);
void b24_queue_disconnect(b24_queue_t *q);

/* one process at a time makes or moves the file; till the end of the opening */
b24_queue_rc_e b24_queue_lock(b24_queue_t *q);
void b24_queue_unlock(b24_queue_t *q);
b24_queue_rc_e b24_queue_set_aside(b24_queue_t *q);
b24_queue_rc_e b24_queue_clear(b24_queue_t *q);

int64_t b24_queue_monotonic(void);
void b24_queue_sleep(int ms);

void b24_queue_key_print(char *key, int64_t record);
/* 0 when it is no key of ours */
int64_t b24_queue_key_parse(const u_char *key, size_t len);

/* names of the schema, and back: -1 when unknown; a status that stands in the
 * line back is a BACK event */
const char *b24_queue_kind_name(b24_ev_e kind);
int b24_queue_kind_find(const b24_str_t *name, int64_t event);
const char *b24_queue_fact_name(b24_fact_e kind);
const char *b24_queue_step_name(int step);
int b24_queue_step_find(const b24_str_t *name);
const char *b24_queue_step_state_name(b24_step_state_e state);
int b24_queue_step_state_find(const b24_str_t *name);


typedef struct {
    b24_state_e   state;
    b24_str_t     cause;            /* empty: none */
    const char   *method;           /* NULL: none */
    const char   *error;
} b24_moment_t;

/* adds to the timeline of a record, or to the count of the row that is equal */
b24_queue_rc_e b24_queue_moment(b24_queue_t *q, int64_t record,
    const b24_moment_t *moment, int64_t now);
/* the same of one that has nothing but a cause, NULL: nor that */
b24_queue_rc_e b24_queue_note(b24_queue_t *q, int64_t record,
    b24_state_e state, const char *cause, int64_t now);
/* as its row n */
b24_queue_rc_e b24_queue_moment_add(b24_queue_t *q, int64_t record,
    int64_t n, const b24_moment_t *moment, int64_t now);

/* b24_queue_twins.c */

/* what is there already under the number of a new order, keys that differ
 * aside */
typedef struct {
    int64_t   pending;          /* its record without a known answer, 0: none */
    int64_t   settled;          /* its latest record that is further */
    int64_t   twin;             /* a record of the same order */
    int64_t   reuse;            /* the next free one */
    unsigned  seen:1;           /* there is a record or a link */
    unsigned  same:1;           /* that may be of the same order */
    unsigned  key:1;            /* a record has no other number than its key */
    unsigned  linked:1;
    unsigned  doubled:1;        /* twin is set, or the link is of it */
} b24_twins_t;

/* nobody has its number, as is so of nearly all; else NONE */
b24_queue_rc_e b24_queue_is_new(b24_queue_t *q,
    const b24_queue_put_t *put);
b24_queue_rc_e b24_queue_twins(b24_queue_t *q,
    const b24_queue_put_t *put, b24_twins_t *twins);
/* keys of the shop's orders that are both known, and differ */
int b24_queue_other_row(const b24_str_t *a, const b24_str_t *b);

/* b24_queue_capture.c */

typedef struct {
    int64_t       id;               /* of the record that comes of it, 0: there
                                       is no such capture */
    int64_t       time;
} b24_captured_t;

b24_queue_rc_e b24_queue_captured(b24_queue_t *q, int64_t token,
    b24_captured_t *captured);
/* the part of b24_queue_put() for the journal */
b24_queue_rc_e b24_queue_capture(b24_queue_t *q, const b24_queue_put_t *put,
    b24_queue_put_result_t *result);

/* the parts of b24_queue_learn() and b24_queue_clean(), in a transaction */
b24_queue_rc_e b24_queue_put_facts(b24_queue_t *q,
    const b24_queue_fact_t *facts, size_t n, int64_t now);
b24_queue_rc_e b24_queue_clean_facts(b24_queue_t *q, int64_t keep_ms,
    int limit, int64_t now);
b24_queue_rc_e b24_queue_clean_portals(b24_queue_t *q, int64_t keep_ms,
    int64_t now);
/*
 * The key of the hashes, one of each file.  When there is none yet: made in a
 * transaction that writes (create is set), else NONE.
 */
b24_queue_rc_e b24_queue_salt(b24_queue_t *q, int create,
    u_char salt[B24_SIP_KEY]);

/* the part of b24_queue_clean() for what is left of dropped records */
b24_queue_rc_e b24_queue_clean_dropped(b24_queue_t *q, int64_t keep_ms,
    int limit, int64_t now);

/* b24_queue.c */
/* the first event of an unconfirmed record, accepted now */
b24_queue_rc_e b24_queue_confirm(b24_queue_t *q, const b24_queue_put_t *put,
    int64_t record, b24_queue_put_result_t *result);

/* b24_queue_due.c */

/* which events are looked for */
typedef enum {
    B24_DUE_CRM = 0,                /* what goes to the CRM */
    B24_DUE_BACK,                   /* what goes back to the shop */
    B24_DUE_NEW,                    /* of what goes to the CRM: orders */
    B24_DUE_FOLLOWS                 /* and all but orders */
} b24_due_e;

/* the best candidate so far; what is set by the caller, else zero */
typedef struct {
    b24_due_e  what;
    int64_t    record;              /* 0: none */
    int64_t    event;
    int64_t    due;
    int64_t    next;                /* when another one becomes due */
    unsigned   expired:1;           /* taken from an owner that let it go */
    unsigned   later:1;             /* orders go first */
} b24_due_t;

b24_queue_rc_e b24_queue_due(b24_queue_t *q, const b24_str_t *origin,
    const char *owner, int64_t lease_ms, int64_t now, b24_due_t *due);
/* the newest order in line, unless it was accepted before since */
b24_queue_rc_e b24_queue_due_fresh(b24_queue_t *q, const b24_str_t *origin,
    int64_t since, b24_due_t *due);

/* b24_queue_claim.c */
b24_queue_rc_e b24_queue_begin_held(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job);
/* that record, see b24_queue_alike() */
b24_queue_rc_e b24_queue_alike_twin(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_str_t *origin, int64_t *twin);
/* it goes, as the same order as twin, 0: one that isn't kept */
b24_queue_rc_e b24_queue_double(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, int64_t twin, int64_t now);
b24_queue_rc_e b24_queue_go_on(b24_queue_t *q, const b24_queue_job_t *job,
    int64_t now);
/* once a deal is known: what its numbers lead to */
b24_queue_rc_e b24_queue_put_link(b24_queue_t *q, int64_t record);

/* b24_queue_count.c */
b24_queue_rc_e b24_queue_room(b24_queue_t *q);
/* of records and captures that no trigger counts; in the file when it is
 * committed */
b24_queue_rc_e b24_queue_count_kept(b24_queue_t *q, const b24_str_t *origin,
    b24_state_e state, int64_t n);
/* a transaction begins anew */
void b24_queue_count_reset(b24_queue_t *q);
/* before it is committed */
b24_queue_rc_e b24_queue_count_write(b24_queue_t *q);

/*
 * b24_queue_fresh.c
 *
 * New records of a transaction are written by the dozen: at its end, and before
 * any statement that may see them.  Till then their keys are given out here.
 */
b24_queue_rc_e b24_queue_next_record(b24_queue_t *q, int64_t *id);
b24_queue_rc_e b24_queue_fresh_add(b24_queue_t *q, const b24_fresh_t *fresh);
b24_queue_rc_e b24_queue_fresh_put(b24_queue_t *q, const b24_fresh_t *fresh);
b24_queue_rc_e b24_queue_fresh_write(b24_queue_t *q);
/* one of them has this number */
int b24_queue_fresh_has(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id);
/* a statement that is none the wiser for them */
int b24_queue_fresh_unseen(b24_sql_e sql);

/* b24_queue.c */
/* b24_queue_event() of what has happened before now */
b24_queue_rc_e b24_queue_event_of(b24_queue_t *q, int64_t record,
    b24_ev_e kind, const b24_str_t *data, int64_t arrived, int64_t now);
/* of the line that events of this kind stand in */
b24_queue_rc_e b24_queue_new_event(b24_queue_t *q, b24_ev_e kind,
    int64_t *event);
b24_queue_rc_e b24_queue_put_event(b24_queue_t *q, int64_t event,
    int64_t record, int64_t seq, b24_ev_e kind, int64_t arrived,
    const b24_str_t *data);

/* b24_queue_identify.c */

/* which of the shop's orders a record is */
typedef struct {
    size_t   n;
    int      doubled;               /* another record has it */
    int64_t  twin;                  /* 0: it is gone */
    int64_t  reuse;                 /* its number is another order's, too */
    int      busy;                  /* of one that may have another one soon */
} b24_choice_t;

/* the record that is to have a number */
typedef struct {
    int64_t           id;
    const b24_str_t  *origin;
    const b24_str_t  *order_id;
    int64_t           placed;
    int               contested;    /* this one may be another's */
    int               sent;         /* as that: whoever else has it as well */
} b24_claimant_t;

b24_queue_rc_e b24_queue_identify(b24_queue_t *q,
    const b24_claimant_t *record, const b24_queue_match_t *matches, size_t n,
    int loose, int last, int64_t now, b24_choice_t *choice);
b24_queue_rc_e b24_queue_choose(b24_queue_t *q,
    const b24_claimant_t *record, const b24_queue_match_t *matches, size_t n,
    int loose, b24_choice_t *choice);

/* b24_queue_unread.c */
b24_queue_rc_e b24_queue_shop_number(b24_queue_t *q, int64_t record,
    const b24_str_t *number);

/* b24_queue_read.c */
b24_queue_rc_e b24_queue_twin(b24_queue_t *q, int64_t record,
    int64_t twin, int64_t now);
b24_queue_rc_e b24_queue_reject(b24_queue_t *q, int64_t record,
    const b24_str_t *origin);
b24_queue_rc_e b24_queue_gone(b24_queue_t *q, int64_t record);
b24_queue_rc_e b24_queue_taken(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_str_t *order_id, const b24_str_t *row,
    int *taken);
/* the shop's key of the order; an empty one keeps what is there */
b24_queue_rc_e b24_queue_row(b24_queue_t *q, int64_t record,
    const b24_str_t *row);

/*
 * b24_queue_back.c
 *
 * What goes to the CRM doesn't wait for a shop: a BACK event that nobody has at
 * work goes behind what stands behind it.
 */
b24_queue_rc_e b24_queue_overtake(b24_queue_t *q, int64_t record,
    int64_t now);
/*
 * The same at the end of an attempt, if the shop has told of news meanwhile:
 * what is none may be no more than our own call on its way through nginx.
 */
b24_queue_rc_e b24_queue_yield(b24_queue_t *q, const b24_queue_job_t *job,
    int64_t now);
/* what the shop has refused may be brought to it once more */
b24_queue_rc_e b24_queue_ask_again(b24_queue_t *q, int64_t record);
/* what the shop has told since the job was taken is newer than what came of it:
 * it stays, and is news if it is another state, or was set anew */
b24_queue_rc_e b24_queue_meanwhile(b24_queue_t *q, const b24_queue_job_t *job,
    b24_queue_seen_t *seen);

/* b24_queue_watch.c: a deal is to be looked at */
b24_queue_rc_e b24_queue_put_moved(b24_queue_t *q, const b24_str_t *portal,
    int64_t deal, int64_t now);

/*
 * b24_queue_seen.c: empty ones keep what is there; settled notes that what is
 * told has come to the deal, unsettled that it hasn't; what an order came with
 * (time is 0) doesn't take the place of what was told since
 */
b24_queue_rc_e b24_queue_put_seen(b24_queue_t *q, int64_t record,
    const b24_queue_seen_t *seen);
b24_queue_rc_e b24_queue_load_seen(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_queue_seen_t *seen);
/* status and flags as one text, to be compared; put behind what buf has */
int b24_queue_seen_print(const b24_queue_seen_t *seen, b24_buf_t *buf,
    b24_str_t *text);

/*
 * b24_queue_status.c: STATUS or BACK, both of which say that there is something
 * to look at: one that waits there and is not being worked on takes it in.
 * What the record is parked for, or waits for, is looked at anew, as it may not
 * be wanted any more.
 */
b24_queue_rc_e b24_queue_look(b24_queue_t *q, int64_t record, b24_ev_e kind,
    const b24_str_t *data, int64_t arrived, int64_t now);
/* a record anew of one that has gone, whose deal is known still; NONE: there is
 * another one of that number */
b24_queue_rc_e b24_queue_revive(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, b24_ev_e kind, const b24_str_t *data,
    int64_t arrived, int64_t now, int64_t *record);
/* a delivered record goes on with its next event */
b24_queue_rc_e b24_queue_reopen(b24_queue_t *q, int64_t record, int64_t event,
    b24_ev_e kind, int64_t arrived, int64_t now);


#endif /* _B24_QUEUE_INT_H_INCLUDED_ */
