
/* What the shop's database tells: a part of b24_queue.h. */


#ifndef _B24_QUEUE_SHOP_H_INCLUDED_
#define _B24_QUEUE_SHOP_H_INCLUDED_


/* ---- the shop's database (each call is a transaction of its own) ---- */

/*
 * An order of the shop's that a record may be.  Found by its number or key it
 * is one, and whose number it is already, that is the same order: the record
 * goes as a duplicate of that one, an unconfirmed one makes room.
 *
 * Found by its buyer (loose) it may be several, the likeliest first: the first
 * whose number nobody has is the record's.  One that was imported meanwhile
 * gives way, too, or, when it may have been sent, the record goes as a
 * duplicate of it, and it counts as captured from then on: of each order one
 * record was captured at most.  What was imported before the request came is
 * another order.
 */
typedef struct {
    b24_str_t    order_id;          /* empty: the record's stays */
    b24_str_t    row;               /* likewise */
    b24_str_t    data;
    b24_str_t    fingerprint;       /* of b24_queue_found() */
    b24_str_t    link;              /* of b24_queue_recognize(): data of a LINK
                                       event, empty: none */
} b24_queue_match_t;

/*
 * A number that is no more than the key of its order may be the number of
 * another (a plugin's): who has such a number and was not sent yet gives way to
 * whom the database calls so, and is contested then, see b24_queue_job_t.
 */

/* what it has told of a claimed event, whose lease ends with this */
typedef struct {
    b24_state_e  state;             /* ACCEPTED: goes on, WAITING: asked again,
                                       REJECTED: there is no such order,
                                       DELIVERED: the event (LINK) is done */
    int64_t      next;              /* WAITING: when */
    b24_str_t    data;              /* of the event from now on; empty: stays */
    b24_str_t    cause;             /* data NULL: none; what an earlier event
                                       has left stays then */
    b24_str_t    advice;
    int          once;              /* cause and advice, unless the timeline has
                                       that cause already */
    b24_queue_match_t  *matches;    /* ACCEPTED: that it may be, with data */
    size_t       nmatches;
    int          loose;
    int          last;              /* loose, and all has been there for long */
    int          unread;            /* ACCEPTED: it goes out without having been
                                       found, and is looked for later */
    b24_str_t    row;               /* the order's key; empty: not told */
    const b24_queue_seen_t  *seen;  /* what it says of the order's way, NULL */
} b24_queue_read_t;

/*
 * An attempt that sent nothing to the portal doesn't count as one.  *state is
 * DUPLICATE when the record went as one, see above.  NONE, nothing has changed:
 * all that it may be are other records'.  With last it is a duplicate then of
 * one whose answer was not seen and that was found by the buyer, too: whoever
 * submits again after an error leaves such a record, and one order.  It is
 * PARKED when its number is another order's, which may have been sent as such,
 * or stays contested, and WAITING while somebody works on that order.  STALE as
 * for attempt().
 */
b24_queue_rc_e b24_queue_read(b24_queue_t *q, const char *owner,
    const b24_queue_job_t *job, const b24_queue_read_t *read, int64_t now,
    b24_state_e *state);

/* an unconfirmed record, to be settled */
typedef struct {
    int64_t      record;
    int64_t      created;
    char         key[B24_QUEUE_KEY_LEN];
    b24_str_t    order_id;
    b24_str_t    data;
} b24_queue_unsettled_t;

/* where the next part begins; zero at first */
typedef struct {
    int64_t      updated;
    int64_t      record;
} b24_queue_unsettled_at_t;

/* at most limit; less: it was the last part, and the next is the first again */
b24_queue_rc_e b24_queue_unsettled(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, b24_queue_unsettled_at_t *at, int limit,
    b24_queue_unsettled_t **records, size_t *n);
/* it was found: accepted with what is put, whose number, data and fingerprint
 * are those of the match that is taken, or a duplicate, as above; NONE when it
 * is unconfirmed no more, or as above */
b24_queue_rc_e b24_queue_found(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const b24_queue_put_t *put,
    const b24_queue_match_t *matches, size_t n, int loose,
    b24_queue_put_result_t *result);
/*
 * One that nothing can be asked by goes as a duplicate of an imported record
 * that has its buyer and, where both are known, its total, and was put no more
 * than ten minutes before it and a day after.  NONE: there is no such record,
 * or it is unconfirmed no more.
 */
b24_queue_rc_e b24_queue_alike(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, int64_t now);
/* there is no such order: counted as rejected, not kept; NONE as above */
b24_queue_rc_e b24_queue_absent(b24_queue_t *q, b24_pool_t *pool,
    int64_t record);

/*
 * Records that went out unread, in any state, by their keys: those behind
 * record and placed since then, at most limit.
 */
b24_queue_rc_e b24_queue_unread(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, int64_t record, int64_t since, int limit,
    b24_queue_unsettled_t **records, size_t *n);
/*
 * One of them was found: what the shop calls it stands at the record from now
 * on, beside the number that Bitrix24 may have.  One that is another's record
 * goes as a duplicate (*state) if nothing of it was sent.  NONE: it is looked
 * for no more, or all are other records'.
 */
b24_queue_rc_e b24_queue_recognize(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const b24_queue_match_t *matches, size_t n, int loose,
    int64_t now, b24_state_e *state);
/* it is not there: it is looked for no more */
b24_queue_rc_e b24_queue_unrecognized(b24_queue_t *q, int64_t record);
/* there are some (inside a transaction) */
b24_queue_rc_e b24_queue_some_unread(b24_queue_t *q, const b24_str_t *origin,
    int *some);

/* how far the changes of a shop's orders were read */
typedef struct {
    b24_str_t    origin;
    b24_str_t    shop;
    b24_str_t    changed;           /* up to then, as the shop writes it */
    b24_str_t    begun;             /* the same at the first start */
    b24_str_t    row;               /* the newest order at the first start;
                                       empty: there was none */
} b24_queue_mark_t;

/* origin and shop are set; NONE when nothing is kept */
b24_queue_rc_e b24_queue_mark(b24_queue_t *q, b24_pool_t *pool,
    b24_queue_mark_t *mark);
/* in a transaction of the caller, or one of its own */
b24_queue_rc_e b24_queue_put_mark(b24_queue_t *q,
    const b24_queue_mark_t *mark);
/* there is a record of that key, or of that number and no other key, or was, or
 * a person has dropped it; also where the shop alone calls it by that number */
b24_queue_rc_e b24_queue_known(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, const b24_str_t *row, int *known);


#endif /* _B24_QUEUE_SHOP_H_INCLUDED_ */
