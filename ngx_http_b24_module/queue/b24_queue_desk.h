
/* The desk, a person's hand and housekeeping: a part of b24_queue.h. */


#ifndef _B24_QUEUE_DESK_H_INCLUDED_
#define _B24_QUEUE_DESK_H_INCLUDED_


/* ---- desk (read only) ---- */

typedef struct {
    b24_str_t    origin;
    int64_t      counts[B24_NSTATES];   /* delivered, rejected and duplicate
                                           since the queue was made */
    int64_t      oldest;            /* accepted time of the oldest undelivered
                                       (accepted, sending, waiting), 0: none */
    int          paused;            /* by b24_queue_pause() */
} b24_queue_counts_t;

/* every origin the queue knows; change grows with each commit that altered a
 * count, so that a reader can tell which of two answers is newer */
b24_queue_rc_e b24_queue_counts(b24_queue_t *q, b24_pool_t *pool,
    b24_queue_counts_t **counts, size_t *n, int64_t *change);

typedef struct {
    char         key[B24_QUEUE_KEY_LEN];
    b24_str_t    origin;
    b24_str_t    order_id;          /* empty: unknown */
    b24_str_t    rule;
    b24_state_e  state;
    int64_t      deal_id;
    int64_t      contact_id;
    int64_t      company_id;
    int          attempts;
    int64_t      created;
    int64_t      updated;
    int64_t      next;              /* waiting: when */
    b24_str_t    cause;             /* data NULL: null */
    b24_str_t    advice;
    b24_str_t    data;              /* only from b24_queue_get() */
    int          reuse;             /* not 0: came with a number that another
                                       order had, other content */
    b24_str_t    origin_id;         /* what Bitrix24 calls it then, once a
                                       person has sent it; else data NULL */
} b24_queue_record_t;

/* the latest by update; origins NULL: all; state B24_NSTATES: all;
 * limit 1..1000; REJECTED are those that a person has dropped */
b24_queue_rc_e b24_queue_list(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origins, size_t norigins, b24_state_e state, int limit,
    b24_queue_record_t **records, size_t *n);

/* those of an origin that have waited longest to be delivered, limit 1..1000 */
b24_queue_rc_e b24_queue_list_oldest(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, int limit, b24_queue_record_t **records,
    size_t *n);

/* by key, or, when key is NULL or empty, by order id (origin NULL or empty: of
 * any): all that match, at most 20; NONE when nothing does.  An id that no
 * record came with may be one it got in Bitrix24, or of a dropped one. */
b24_queue_rc_e b24_queue_get(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *key, const b24_str_t *origin, const b24_str_t *order_id,
    b24_queue_record_t **records, size_t *n);

/*
 * What a claim would give out of that record now, whatever its state, without
 * claiming it: ids and steps, the event that is at hand or was last.  NONE when
 * nothing is kept of it any more.
 */
b24_queue_rc_e b24_queue_peek(b24_queue_t *q, b24_pool_t *pool,
    const char *key, b24_queue_job_t *job);

typedef struct {
    int64_t      time;
    int64_t      last;              /* of equal ones */
    int          count;
    b24_state_e  state;
    b24_str_t    cause;
    b24_str_t    method;
    b24_str_t    error;
} b24_queue_moment_t;

/* of a record, or, when that is 0, of a key; the oldest first, at most 200
 * (further ones take the place of the last); NONE when there is no such one */
b24_queue_rc_e b24_queue_timeline(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const char *key, b24_queue_moment_t **moments,
    size_t *n);


/* ---- the last day, point by point ---- */

#define B24_QUEUE_POINT_MS     600000LL                 /* between two */
#define B24_QUEUE_POINTS_KEPT  90000000LL               /* what is older goes */

typedef struct {
    int64_t      time;
    b24_str_t    origin;
    int64_t      accepted;          /* orders that came since the one before */
    int64_t      delivered;         /* for the first time, likewise */
    int64_t      waiting;           /* accepted, sending or waiting, then */
} b24_queue_point_t;

/* writes the point of now's ten minutes, one for each origin, unless it is
 * there, and deletes what is older than a day */
b24_queue_rc_e b24_queue_point(b24_queue_t *q, int64_t now);
/* since a time, the oldest first, and behind them what is now; origins NULL:
 * all.  Nobody knows what came before the first point of all. */
b24_queue_rc_e b24_queue_points(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origins, size_t norigins, int64_t since, int64_t now,
    b24_queue_point_t **points, size_t *n);


/* ---- a person's hand and housekeeping (transactions of their own) ---- */

/*
 * cause is what the timeline says: "retried by hand from 192.0.2.1".  NONE when
 * there is no such record or its state doesn't allow it; nothing has changed
 * then.
 */

/*
 * parked, waiting -> accepted now; NONE also when it is parked for its re-used
 * number: that one would be taken for the earlier order in the CRM.
 *
 * A waiting one of which something was sent less than unknown_ms ago, with
 * nobody knowing how that ended, stays waiting until then (*state says so).
 */
b24_queue_rc_e b24_queue_retry(b24_queue_t *q, const char *key,
    int64_t unknown_ms, const char *cause, int64_t now, b24_state_e *state);

/* where the next part of b24_queue_retry_parked() begins; zero at first */
typedef struct {
    int64_t  updated;
    int64_t  record;
} b24_queue_cursor_t;

/* the same for what is parked of an origin, at most limit (1..1000) a call; *n
 * how many: less than limit when it was the last part */
b24_queue_rc_e b24_queue_retry_parked(b24_queue_t *q, const b24_str_t *origin,
    b24_queue_cursor_t *cursor, int limit, const char *cause, int64_t now,
    int *n);

/* what the latter passes over, which is for a person to decide, by its cause:
 * added to the *n there are in left, up to B24_QUEUE_LEFT; of the thousand that
 * have been parked for longest */
typedef struct {
    b24_str_t  cause;
    b24_str_t  advice;
    int        n;
} b24_queue_left_t;

#define B24_QUEUE_LEFT  8

b24_queue_rc_e b24_queue_parked_left(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, b24_queue_left_t *left, size_t *n);

/*
 * unconfirmed -> accepted now; parked for its re-used number -> accepted, and
 * it is called NUMBER-SUFFIX in Bitrix24 from then on (*origin_id, in the
 * pool).  Without a suffix it is the first free one of 2, 3, ...  LIMIT: that
 * name is another order's, or an unconfirmed one came in, b24_queue_alike().
 */
b24_queue_rc_e b24_queue_send(b24_queue_t *q, b24_pool_t *pool,
    const char *key, const b24_str_t *suffix, const char *cause, int64_t now,
    b24_str_t *origin_id);

/*
 * unconfirmed, parked, waiting -> gone, with all that it held of the buyer, and
 * counted as rejected.  What is left is shown (list, get and timeline, state
 * REJECTED) for as long as clean() keeps delivered records.  An order of the
 * same number that comes within a day of it is a duplicate, a later one is
 * parked, unless the answer to the dropped one was never seen.
 *
 * Of one that was delivered, and has a later status that is parked or waits,
 * the status alone goes.
 */
b24_queue_rc_e b24_queue_drop(b24_queue_t *q, const char *key,
    const char *cause, int64_t now);

/*
 * Deliveries of an origin stop (pause is set) or go on; kept in the file.
 * *changed: it was not so before.  Whoever claims must ask unpaused().
 */
b24_queue_rc_e b24_queue_pause(b24_queue_t *q, const b24_str_t *origin,
    int pause, const char *cause, int64_t now, int *changed);
/* *cause has data NULL when it isn't paused */
b24_queue_rc_e b24_queue_paused(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, b24_str_t *cause);
/* those of n origins that are not paused; open has room for n */
b24_queue_rc_e b24_queue_unpaused(b24_queue_t *q, const b24_str_t *origins,
    size_t n, b24_str_t *open, size_t *nopen);

/*
 * Deletes records delivered keep_ms ago or earlier, and parked and unconfirmed
 * ones untouched for three times as long, at most limit a call, or as many as
 * hold a megabyte of orders; *n how many went.  Links stay, without anything
 * personal.  The latter are announced in their timeline after twice keep_ms,
 * and go no earlier than keep_ms after the announcement: a clock that was wrong
 * must not take orders away.
 *
 * Facts learned keep_ms ago or earlier (or more than a day in the future) and
 * what is beyond their number go too, at most limit a call, not counted in *n;
 * so does what is left of records dropped keep_ms ago, and what was kept of
 * portals at that time.
 *
 * Then up to 256 free pages are given back to the disk, if there are more than
 * 1024, whether anything went this time or not.  So a call is to be made every
 * now and then; with limit 100 others wait for it while some hundred pages are
 * written, whatever the size of the queue.
 */
b24_queue_rc_e b24_queue_clean(b24_queue_t *q, int64_t keep_ms, int limit,
    int64_t now, int *n);


#endif /* _B24_QUEUE_DESK_H_INCLUDED_ */
