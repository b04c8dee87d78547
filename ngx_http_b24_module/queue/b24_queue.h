
/*
 * The durable queue: one SQLite file in the folder of b24_queue.  Everything
 * here runs in pool threads (or, at exit, in the worker itself), one thread at
 * a time per b24_queue_t; each worker has a connection of its own, opened after
 * fork.  Times are milliseconds since the epoch unless a name says otherwise.
 *
 * Functions return B24_QUEUE_OK or one of the errors below; after an error
 * inside a transaction call b24_queue_rollback() and begin anew.
 */


#ifndef _B24_QUEUE_H_INCLUDED_
#define _B24_QUEUE_H_INCLUDED_


#include "b24_base.h"


#define B24_QUEUE_SCHEMA   15
#define B24_QUEUE_KEY_LEN  24       /* "k-0001f3" and its zero byte */


typedef enum {
    B24_QUEUE_OK = 0,
    B24_QUEUE_NONE,                 /* nothing there (claim, get) */
    B24_QUEUE_BUSY,                 /* locked by another process: try later */
    B24_QUEUE_FULL,                 /* no space on the disk */
    B24_QUEUE_READONLY,
    B24_QUEUE_IO,                   /* I/O error, cannot open, folder gone */
    B24_QUEUE_CORRUPT,              /* not a database, or a broken one */
    B24_QUEUE_NEWER,                /* schema of a newer module */
    B24_QUEUE_NOMEM,
    B24_QUEUE_STALE,                /* the lease is no longer ours */
    B24_QUEUE_LIMIT,                /* put: the limit is reached, nothing was
                                       written, the transaction goes on */
    B24_QUEUE_ERROR                 /* anything else: a bug of ours */
} b24_queue_rc_e;


/* states of a record, in the order of the desk's counts */
#define B24_STATES(X)                                                         \
    X(CAPTURED, "captured")                                                   \
    X(ACCEPTED, "accepted")                                                   \
    X(SENDING, "sending")                                                     \
    X(WAITING, "waiting")                                                     \
    X(PARKED, "parked")                                                       \
    X(UNCONFIRMED, "unconfirmed")                                             \
    X(DELIVERED, "delivered")                                                 \
    X(REJECTED, "rejected")                                                   \
    X(DUPLICATE, "duplicate")

#define B24_X(id, name)  B24_STATE_##id,
typedef enum { B24_STATES(B24_X) B24_NSTATES } b24_state_e;
#undef B24_X

/* kinds of events of an order */
typedef enum {
    B24_EV_NEW = 0,
    B24_EV_STATUS,
    B24_EV_CHANGED,
    B24_EV_LINK,
    B24_EV_BACK                     /* a status from the CRM to the shop */
} b24_ev_e;

/* steps of a delivery, in the order they are done */
typedef enum {
    B24_STEP_CONTACT = 0,
    B24_STEP_COMPANY,
    B24_STEP_DEAL,
    B24_STEP_ROWS,
    B24_STEP_STAGE,                 /* of a STATUS event: the deal is moved */
    B24_STEP_UPDATE,                /* likewise: total and rows are set */
    B24_STEP_BACK,                  /* of a BACK event: the shop is called */
    B24_NSTEPS
} b24_delivery_step_e;

typedef enum {
    B24_STEP_OPEN = 0,              /* not tried */
    B24_STEP_SENT,                  /* committed before sending: outcome unknown
                                       until another state is written */
    B24_STEP_DONE,
    B24_STEP_FAILED,
    B24_STEP_SKIPPED                /* nothing to do (no rows, no company); the
                                       shop has refused it, and isn't called
                                       before somebody wants it again */
} b24_step_state_e;

typedef struct b24_queue_s  b24_queue_t;


const char *b24_state_name(b24_state_e state);
/* B24_NSTATES when there is none of that name */
b24_state_e b24_state_find(const b24_str_t *name);
const char *b24_queue_strerror(b24_queue_rc_e rc);


/*
 * Once in a process, before its first queue and its threads: SQLite does not
 * count its memory, which costs a lock for each allocation.  Whoever has used
 * SQLite before keeps it as it was.
 */
void b24_queue_library(void);

/*
 * path is the database file; its folder exists.  Creates the schema (mode 0600)
 * or checks its version; WAL, synchronous=FULL, busy timeout 5 s.  On an error
 * *q is NULL and err (errlen bytes) holds SQLite's words.
 *
 * What is no database, a broken one or another program's is set aside, whole
 * and unchanged, as "PATH.bad-YYYYMMDD-HHMMSS" (UTC; -wal and -shm likewise),
 * and a new file is begun, whose keys start at the time in seconds, so that
 * none is used twice.  Of several processes one does it: on OK err is empty,
 * or, for that one, says what was wrong, where it is now and how large: for the
 * log, as orders may be in it.  CORRUPT when it can't be set aside.  An error
 * of reading is IO and sets nothing aside.
 *
 * The file of an older version is brought to B24_QUEUE_SCHEMA in one
 * transaction first: when that fails it stays what it was.  A newer one is
 * NEWER and left as it is.
 */
b24_queue_rc_e b24_queue_open(b24_queue_t **q, const char *path, char *err,
    size_t errlen);

/* the last of several processes leaves no WAL behind; NULL is nothing */
void b24_queue_close(b24_queue_t *q);

/* SQLite's words for the last error, for the log */
const char *b24_queue_message(b24_queue_t *q);
/* the file behind the connection is still the one at path */
int b24_queue_same_file(b24_queue_t *q);
/* it is, and nothing in it was found broken since it was opened */
int b24_queue_usable(b24_queue_t *q);
/*
 * Outside of transactions, when it isn't usable: opens the file at path anew,
 * as b24_queue_open() does, whose results these are (after an error q is freed
 * and NULL); timeout and limit stay.  A file that was found broken, and is so
 * again after this, is set aside: the first time it might have been the
 * memory's fault.
 */
b24_queue_rc_e b24_queue_mend(b24_queue_t **q, char *err, size_t errlen);

/* how long a lock of another process is waited for, 0..60000 ms; 5000 at first
 * (shorter for the last flush of a worker that leaves) */
void b24_queue_timeout(b24_queue_t *q, int ms);
/*
 * The most records kept (b24_queue max=), 0: no limit, as at first.  At the
 * limit b24_queue_put() drops the oldest delivered records, when there are none
 * a new record is refused with LIMIT.
 */
void b24_queue_limit(b24_queue_t *q, int64_t max);

/*
 * Every transaction, also those of the functions below, fails with IO when the
 * file at path is no longer ours (checked at its begin and after its commit):
 * what went into a file without a name would be lost.
 */
b24_queue_rc_e b24_queue_begin(b24_queue_t *q);     /* BEGIN IMMEDIATE */
b24_queue_rc_e b24_queue_commit(b24_queue_t *q);
void b24_queue_rollback(b24_queue_t *q);

/*
 * Many calls and one commit.  Between these two each transaction, also those of
 * the functions below, is a part: one that fails is undone alone, the others
 * count when end() says OK.  They count for nobody before, and none does when
 * end() says anything else (or after a crash): then the disk failed, whatever
 * the calls have said.  Calls that come after such an error get the same one.
 * Others wait for the lock meanwhile: nothing slow belongs into a group, nor
 * does b24_queue_clean(), which copies the WAL.
 */
b24_queue_rc_e b24_queue_group_begin(b24_queue_t *q);
b24_queue_rc_e b24_queue_group_end(b24_queue_t *q);


/* ---- intake (inside a transaction) ---- */

typedef struct {
    b24_str_t    origin;
    b24_str_t    order_id;          /* empty: not known */
    b24_str_t    row;               /* the shop's key of it, likewise */
    b24_str_t    rule;              /* "shop/block" */
    b24_str_t    fingerprint;       /* b24_order_fingerprint() */
    b24_str_t    data;              /* b24_order_print() */
    b24_str_t    cause;
    b24_str_t    advice;
    b24_state_e  state;             /* ACCEPTED, UNCONFIRMED or CAPTURED */
    int          reads;             /* its number is asked for in the shop's
                                       database before it is sent */
    int64_t      now;               /* arrival of the shop's answer */
    int64_t      capture;           /* token of the journal, 0: none */
    const char  *owner;             /* CAPTURED: the process that watches the
                                       exchange */
    unsigned     lasting:1;         /* its texts stay until the commit: what is
                                       written then costs less */
} b24_queue_put_t;

typedef struct {
    char         key[B24_QUEUE_KEY_LEN];
    b24_state_e  state;             /* of the record; DUPLICATE when only
                                       counted; PARKED for a re-used number */
    int64_t      record;            /* the record's row, or the one it doubles;
                                       0 (and no key): known by its link only */
} b24_queue_put_result_t;

/*
 * ACCEPTED with an order id: a new record, or, when (origin, order_id) has one
 * already:
 *   - that one is unconfirmed: it becomes accepted with the new data;
 *   - same fingerprint, or less than 24 h apart: duplicate, counted, a
 *     timeline row on the first record, nothing else;
 *   - otherwise: a new record, parked ("order number seen before with other
 *     content", advice: send offers a suffix).
 * Keys that differ are different orders, whenever they came.
 * The link table counts as "has one" too (records whose keep has expired: the
 * fingerprint went with them, so beyond 24 h the new record is parked).
 * UNCONFIRMED with an id that has an accepted (or later) record: duplicate;
 * with one that is unconfirmed too: as ACCEPTED upon an accepted one.
 * Without an id: always a new record.
 * CAPTURED is the journal's: a capture, found by its token alone until the
 * exchange ends.  With the token of a capture it becomes what is put, with its
 * key and time, where a new record would be made; else it goes.
 * A new record gets its event (new, sequence 1) and its timeline row.
 */
b24_queue_rc_e b24_queue_put(b24_queue_t *q, const b24_queue_put_t *put,
    b24_queue_put_result_t *result);

/* the exchange ended without an order (inside a transaction): the captured
 * record of that origin goes; NONE when there is none */
b24_queue_rc_e b24_queue_uncapture(b24_queue_t *q, const b24_str_t *origin,
    int64_t capture);
/*
 * Captured records whose process has died become unconfirmed with what their
 * requests carried, the number included, which counts as that of any other
 * UNCONFIRMED put (a transaction of its own); *n how many.  alive(): 1 when
 * that life of that process goes on; it may be asked for an owner repeatedly.
 */
b24_queue_rc_e b24_queue_orphans(b24_queue_t *q,
    int (*alive)(void *data, const char *owner), void *data, int64_t now,
    int *n);

/*
 * A later event of an order (inside a transaction): STATUS, CHANGED or LINK,
 * with data of its own, which the claim gives out.  It gets the next sequence
 * number and waits until those before it are done; a delivered record becomes
 * accepted again.  NONE when there is no such record.
 */
b24_queue_rc_e b24_queue_event(b24_queue_t *q, int64_t record, b24_ev_e kind,
    const b24_str_t *data, int64_t now);

/*
 * What a shop says of an order that is there, and where its deal stands: kept
 * as long as the deal is known, also when the record is gone.
 */
typedef struct {
    b24_str_t    status;            /* as it was told last; empty: never */
    b24_str_t    canceled;          /* "Y", "N"; empty: never told */
    b24_str_t    paid;
    b24_str_t    shipped;
    b24_str_t    changed;           /* of the shop's database: the row of
                                       "changes" that was seen last */
    b24_str_t    stated;            /* since when status and flags are so, as it
                                       writes that, without a "|"; empty: not
                                       told */
    int64_t      time;              /* of the shop's change, 0: none */
    b24_str_t    sent;              /* the stage written last, or about to be */
    int64_t      sent_time;
    b24_str_t    held;              /* the stage that the CRM told last */
    int64_t      held_time;
    int64_t      moved;             /* when somebody in the CRM has moved it to
                                       held, by our clock; 0: nobody has */
    int64_t      stamp;             /* since when it is at held, by the portal's
                                       clock, Unix seconds; 0: not told */
    int          settled;           /* what was told has come to the deal, or
                                       doesn't concern it */
    int          unsettled;         /* put: what was told is told anew */

    /*
     * Of total and goods: what the shop's database had when it was looked at
     * last (empty: not known), and what the deal was given last, or may have
     * been.  Whoever puts one of total and sent_total puts both, and so with
     * goods and sent_rows; none holds a "|".
     */
    b24_str_t    total;             /* a plain number, two places */
    b24_str_t    goods;             /* a hash */
    b24_str_t    sent_total;
    b24_str_t    sent_rows;
} b24_queue_seen_t;

/*
 * Whether a deal is where it is expected: the CRM has told that stage last,
 * since the same moment by the portal's clock (0: not told), or we have sent it
 * since. As long as nobody knows how that went both are expected; else somebody
 * has moved the deal.
 */
int b24_queue_seen_known(const b24_queue_seen_t *seen,
    const b24_str_t *stage, int64_t stamp);

/*
 * Whether status and flags were set once more since they were looked at, also
 * to what they had been: stated is a later time (or a larger number) than that
 * of seen.  0 where one of them isn't known.
 */
int b24_queue_seen_restated(const b24_queue_seen_t *seen,
    const b24_str_t *stated);

/* a later state of an order, or that there may be one */
typedef struct {
    b24_str_t    origin;
    b24_str_t    order_id;          /* its number and its key: either may be */
    b24_str_t    row;               /* empty */
    b24_str_t    data;              /* of the event */
    b24_str_t    status;            /* empty ones are not told */
    b24_str_t    canceled;
    b24_str_t    paid;
    b24_str_t    shipped;
    b24_str_t    total;             /* as that of b24_queue_seen_t */
    b24_str_t    changed;           /* of a row of the database: one that was
                                       seen already is passed over */
    int64_t      now;               /* arrival of the shop's answer */
    int64_t      made;              /* when the shop has changed it, 0: now */
    b24_str_t    stated;            /* as that of b24_queue_seen_t */
    int64_t      stated_at;         /* the same by our clock, 0: not known */
    int          look;              /* the shop's database is to be asked */
} b24_queue_change_t;

/*
 * Inside a transaction: finds the order by its key, its number, the number that
 * a person gave it or the shop has for it, and by its link when the record is
 * gone (a new record is made then).  What is told is noted; when that is
 * something new, or another total than the database had, or look is set, the
 * record gets a STATUS event, which stands in the line behind all orders.  One
 * that waits there unclaimed takes it in: the last state counts.  *put: there
 * is something to be delivered.  NONE: no such order, nothing is kept; LIMIT as
 * b24_queue_put().
 */
b24_queue_rc_e b24_queue_status(b24_queue_t *q,
    const b24_queue_change_t *change, int *put);

/* why a record is parked whose number is another order's; static texts */
void b24_queue_reused(b24_str_t *cause, b24_str_t *advice);

/* adds n to the counter of an outcome that keeps no record (REJECTED,
 * DUPLICATE) */
b24_queue_rc_e b24_queue_count(b24_queue_t *q, const b24_str_t *origin,
    b24_state_e outcome, uint64_t n);


/* ---- courier (each call is a transaction of its own) ---- */

/* what of a portal is known without asking it */
typedef enum {
    B24_FACT_PHONE = 0,             /* contact with that number */
    B24_FACT_EMAIL,                 /* contact with that address */
    B24_FACT_COMPANY,               /* company with that INN */
    B24_FACT_PRODUCT,               /* product with that article */
    B24_FACT_DOUBT,                 /* record whose write may be about to make
                                       the contact or company with that key */
    B24_NFACTS
} b24_fact_e;

typedef struct {
    b24_str_t   portal;             /* its host, never a webhook */
    b24_fact_e  kind;
    b24_str_t   key;                /* as the caller compares it: E.164 ... */
    int64_t     id;                 /* in the portal */
    int64_t     time;               /* recall(): when it was learned last */
} b24_queue_fact_t;

typedef struct {
    uint64_t     device;            /* of the file that it was claimed from: */
    uint64_t     inode;             /* a new one counts from 1 again */
    int64_t      record;
    int64_t      event;
    b24_ev_e     kind;
    char         key[B24_QUEUE_KEY_LEN];
    b24_str_t    origin;
    b24_str_t    order_id;
    b24_str_t    shop_number;       /* what the shop calls it, when that is
                                       another number; empty: order_id */
    b24_str_t    row;               /* the shop's key of it; empty: not known */
    b24_str_t    origin_id;         /* ORIGIN_ID when it isn't order_id: the
                                       number was another order's, see send() */
    int          contested;         /* NEW: order_id is another order's too, or
                                       was taken by one: it isn't sent before
                                       read() has told whose it is.  BACK: a
                                       later order has come by it, and no key
                                       tells them apart */
    b24_str_t    data;              /* BACK: that of the order's first event */
    b24_str_t    first;             /* STATUS: the same; empty: it has gone */
    int          attempts;          /* this one included */
    int64_t      accepted;          /* when the shop's answer arrived */
    int64_t      placed;            /* when the record was made */
    int64_t      deal_id;           /* 0: not known */
    int64_t      contact_id;
    int64_t      company_id;
    b24_step_state_e  steps[B24_NSTEPS];
    int64_t      lease;             /* until */
    b24_queue_seen_t  seen;         /* of a STATUS or BACK event */

    /* set by the courier: what attempt() learns, as b24_queue_learn() */
    const b24_queue_fact_t  *facts;
    size_t       nfacts;
} b24_queue_job_t;

/*
 * Claims the next due event of one of the origins that goes to the CRM (all but
 * BACK): accepted ones in order of arrival, waiting ones whose time has come,
 * sending ones whose lease has run out (their owner died; their steps tell what
 * may have happened).  The record becomes sending, attempts grows, owner and
 * lease are written, all in the transaction that selects.  NONE: *next gets the
 * time when something becomes due, 0 when nothing waits.  Strings live in the
 * pool.  Events of one record go strictly in sequence.
 *
 * owner names one life of one process (a pid alone is not enough); it, the
 * event and the number of the attempt are the fence that attempt() and
 * outcome() check.  The order of accepted ones is that of the commits, no clock
 * is asked.  When the clock was set back, waiting ones are due at once, and so
 * are leases of other owners further away than twice lease_ms.
 */
b24_queue_rc_e b24_queue_claim(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origins, size_t norigins, const char *owner,
    int64_t lease_ms, int64_t now, b24_queue_job_t *job, int64_t *next);
/* the same for what goes back to the shop (BACK): a shop that hangs holds up
 * nothing that goes to the CRM */
b24_queue_rc_e b24_queue_claim_back(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, const char *owner, int64_t lease_ms, int64_t now,
    b24_queue_job_t *job, int64_t *next);

/*
 * For a courier with a backlog, which it takes in two ways at a time.
 *
 * claim_many(): up to max events at once, orders (NEW) only, in the sequence in
 * which b24_queue_claim() would give them out; what follows orders is left to
 * the other claims.  jobs[i] has its strings in pools[i].  OK: *got of them,
 * *next as above if these are all; NONE: none.  After an error none was taken.
 *
 * claim_fresh(): the newest order, if it was accepted at since or later;
 * otherwise the next due event that is none: what follows orders.  NONE when
 * only the backlog is due; *next doesn't tell of orders.
 *
 * due_count(): how many orders are due, at most max.  It looks at no more than
 * max records of an origin and state, so that a crowd of other events that wait
 * may hide some.
 */
b24_queue_rc_e b24_queue_claim_many(b24_queue_t *q, b24_pool_t **pools,
    const b24_str_t *origins, size_t norigins, const char *owner,
    int64_t lease_ms, int64_t now, b24_queue_job_t *jobs, size_t max,
    size_t *got, int64_t *next);
b24_queue_rc_e b24_queue_claim_fresh(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origins, size_t norigins, const char *owner,
    int64_t lease_ms, int64_t since, int64_t now, b24_queue_job_t *job,
    int64_t *next);
b24_queue_rc_e b24_queue_due_count(b24_queue_t *q, const b24_str_t *origins,
    size_t n, int64_t now, int max, int *count);

/* prolongs the leases of those records that owner holds (still), from now on:
 * what waits for its turn in the courier's hands isn't taken over */
b24_queue_rc_e b24_queue_renew(b24_queue_t *q, const char *owner,
    const int64_t *records, size_t n, int64_t lease_ms, int64_t now);

/*
 * For a courier that has just been elected, so that nobody else is one: what
 * other owners hold comes free at once when nothing of it was sent, otherwise
 * unknown_ms after its attempt was written down (the portal may still be at
 * work on it), but never later than its lease says.  Another courier may be
 * elected within that time: to do it again changes nothing.
 */
b24_queue_rc_e b24_queue_recover(b24_queue_t *q, const b24_str_t *origin,
    const char *owner, int64_t unknown_ms, int64_t now);

/*
 * Before a transfer that may create something: writes ids known so far (and the
 * link, when the deal is among them; with B24_STEP_STAGE the stage, seen.sent,
 * with B24_STEP_UPDATE seen.sent_total and seen.sent_rows)
 * and marks the steps of mask (1 << step) SENT, prolongs the lease, adds a
 * timeline row (state sending, cause, method), learns the job's facts.  STALE
 * when owner no longer holds it.
 */
b24_queue_rc_e b24_queue_attempt(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job, unsigned mask, const char *method,
    const char *cause, int64_t lease_ms, int64_t now);

typedef struct {
    b24_state_e       state;        /* DELIVERED, WAITING, PARKED, ACCEPTED
                                       (given back untried) */
    int64_t           next;         /* WAITING: when */
    int64_t           deal_id;      /* 0 keeps what is there */
    int64_t           contact_id;
    int64_t           company_id;
    b24_step_state_e  steps[B24_NSTEPS];
    const char       *method;       /* REST method, NULL when none */
    const char       *error;        /* Bitrix24's code or ours, NULL */
    const char       *cause;        /* plain words, NULL */
    const char       *advice;
    const b24_queue_fact_t  *facts; /* as b24_queue_learn(), in the same
                                       transaction */
    size_t            nfacts;
    b24_str_t         link;         /* DELIVERED: data of a LINK event that
                                       follows; empty: none */
    const b24_queue_seen_t  *seen;  /* what of it is known now, NULL: nothing;
                                       empty ones keep what is there.  With
                                       DELIVERED its status and flags are
                                       settled */
    b24_str_t         look;         /* DELIVERED: data of a STATUS event that
                                       follows, seen is not settled then; empty:
                                       none */
    int64_t           look_time;    /* when the shop has changed it, 0: now */
    b24_str_t         watch;        /* DELIVERED of a NEW event: the portal,
                                       when deals that move there are looked
                                       for: as nobody knew whose this one is it
                                       is looked at once; empty: no */
    int               back;         /* DELIVERED of a STATUS event: the CRM's
                                       stage is the newer one, a BACK event
                                       follows */
    int               idle;         /* DELIVERED: there was nothing to be done,
                                       cause and advice of the event before
                                       stay; this cause is the timeline's */
} b24_queue_outcome_t;

/*
 * The end of an attempt: steps, ids, state, timeline row, lease released; the
 * link (origin, order id) -> deal, contact, company is written as soon as a
 * deal id is known, whatever the state.  Same state and cause as the last row
 * of the timeline: that row's count and time are updated instead; a series of
 * sending and waiting in turn is kept as one row of each.  STALE as above.
 */
b24_queue_rc_e b24_queue_outcome(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job, const b24_queue_outcome_t *out, int64_t now);


/* ---- facts (each call is a transaction of its own) ---- */

/*
 * Facts are a help and no truth: any may be missing, and one that turns out to
 * be wrong is told to learn().  The file holds a keyed hash of kind, portal and
 * key in place of the key, so that it can't be read there (but tried out by
 * whoever has the file).  At most 1,000,000 are kept, the oldest make room; and
 * none for longer than keep_ms of b24_queue_clean() after it was learned last.
 */

/*
 * Fills in id and time of each fact; the id is 0 when it is not known, was
 * learned more than max_age_ms ago, or more than a day in the future.  An empty
 * key is never known: buyers without a phone are not one buyer.  After an error
 * all ids are 0.
 */
b24_queue_rc_e b24_queue_recall(b24_queue_t *q, b24_queue_fact_t *facts,
    size_t n, int64_t max_age_ms, int64_t now);

/*
 * In the order given, by id:
 *   > 0   the key leads to it, as of now;
 *   0     the key is forgotten;
 *   < 0   every key of that portal and kind that leads to -id is forgotten (a
 *         contact was deleted or merged); the fact's own key doesn't matter.
 * Empty keys are passed over.
 */
b24_queue_rc_e b24_queue_learn(b24_queue_t *q, const b24_queue_fact_t *facts,
    size_t n, int64_t now);


/* ---- links ---- */

typedef struct {
    int64_t  deal_id;
    int64_t  contact_id;
    int64_t  company_id;
} b24_queue_link_t;

/* NONE when there is none */
b24_queue_rc_e b24_queue_link(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, b24_queue_link_t *link);


/* ---- portals ---- */

/* strings are the caller's; empty reason and advice: none */
typedef struct {
    b24_str_t    host;
    b24_str_t    state;             /* a word, "ok" */
    int64_t      failures;          /* in a row */
    int64_t      resume;            /* ms since the epoch, 0: may be asked */
    int64_t      level;             /* of its bucket, 1/1000 request */
    int64_t      time;              /* of all that, ms since the epoch */
    b24_str_t    reason;
    b24_str_t    advice;
    b24_str_t    pace;              /* b24_pace_print(); put: empty, what is
                                       kept stays */
} b24_queue_portal_t;

/* NONE when nothing is kept of that host */
b24_queue_rc_e b24_queue_portal(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *host, b24_queue_portal_t *portal);
/* in one transaction; each takes the place of what was kept of its host */
b24_queue_rc_e b24_queue_put_portals(b24_queue_t *q,
    const b24_queue_portal_t *portals, size_t n);


/* ---- alerts ---- */

/* what was told last of an event of an origin; strings are the caller's */
typedef struct {
    b24_str_t    origin;
    b24_str_t    event;             /* a word, "blocked" */
    b24_str_t    target;            /* who was told, without secrets */
    int          raised;            /* and that it is over was not */
    int64_t      since;             /* when it began, ms since the epoch */
    int64_t      told;              /* the last message, likewise; put: 0:
                                       nothing is kept of it any more */
    int64_t      n;                 /* how many */
} b24_queue_alert_t;

/* of the alert's origin and event; NONE when nothing is kept */
b24_queue_rc_e b24_queue_alert(b24_queue_t *q, b24_pool_t *pool,
    b24_queue_alert_t *alert);
/* in one transaction; each takes the place of what was kept of it */
b24_queue_rc_e b24_queue_put_alerts(b24_queue_t *q,
    const b24_queue_alert_t *alerts, size_t n);


/* ---- deals that move in the CRM ---- */

/* a deal that may have moved, and what its portal says of it */
typedef struct {
    int64_t      id;
    int64_t      told;              /* when we were told of it */
    b24_str_t    stage;             /* empty: it is not there any more */
    int64_t      moved;             /* ms, since when it is there, by our clock;
                                       0: unknown */
    int64_t      stamp;             /* the same by the portal's, s */
} b24_queue_moved_t;

/*
 * A portal has told that deals may have moved: those of ours are noted, once
 * each, others passed over.  history is how far its stage history was read,
 * which only grows; 0: it wasn't.  One transaction.
 */
b24_queue_rc_e b24_queue_moved(b24_queue_t *q, const b24_str_t *portal,
    const b24_str_t *origins, size_t norigins, const int64_t *deals,
    size_t ndeals, int64_t history, int64_t now);

/* those to be asked for, the earliest first, at most max; *history is 0 when
 * none was read yet */
b24_queue_rc_e b24_queue_watch(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *portal, size_t max, b24_queue_moved_t **deals, size_t *n,
    int64_t *history);

/*
 * What the portal said of them at now, asked since asked.  A deal at the stage
 * we have sent or seen last is an echo (b24_queue_seen_known()).  Otherwise the
 * CRM has moved it: that is noted with its time, the
 * order's timeline tells it, and when its origin is one of the writers, it gets
 * a BACK event, also when its record is gone (one is made anew).  A BACK event
 * says that there is something to look at: of several that wait one is kept.
 * One whose order is being sent, or was while the portal was asked, is left for
 * another time, and so is one that was told of anew since.  *news: how many
 * were moved; *left: how many stay in the list.  One transaction.
 */
b24_queue_rc_e b24_queue_watched(b24_queue_t *q, const b24_str_t *portal,
    const b24_str_t *origins, size_t norigins, const b24_str_t *writers,
    size_t nwriters, const b24_queue_moved_t *deals, size_t ndeals,
    int64_t asked, int64_t now, size_t *news, size_t *left);


/* ---- values of learn lines ---- */

#define B24_QUEUE_LEARNED  16       /* of one name at most */

typedef struct {
    b24_str_t    origin;
    b24_str_t    name;
    b24_str_t    value;
} b24_queue_learned_t;

/* the values of an origin's name, the newest first; values has room for
 * B24_QUEUE_LEARNED */
b24_queue_rc_e b24_queue_learned(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, const b24_str_t *name, b24_str_t *values,
    size_t *n);
/* in one transaction, older ones first; those it has stay where they are, and
 * of each name the newest stay */
b24_queue_rc_e b24_queue_put_learned(b24_queue_t *q,
    const b24_queue_learned_t *values, size_t n, int64_t now);


#include "b24_queue_shop.h"
#include "b24_queue_desk.h"


#endif /* _B24_QUEUE_H_INCLUDED_ */
