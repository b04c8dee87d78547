
/*
 * What methods cost the portal, and how much of its time is left: a portal in
 * the cloud gives each method 480 s of server time in 10 minutes, and blocks it
 * when they are spent (bitrix24-rest.md §2.2).  Documents, source and
 * measurements differ in whether commands of a batch count under their own
 * names or under "batch", so both are kept, and only what a portal tells is
 * minded: a method of which no "operating" was ever told is free.
 *
 *     b24_pace_fits()     before an order's batch is added to a slice
 *     b24_pace_sent()     when a batch goes out
 *     b24_pace_learn()    when its answer has come
 *
 * "now" is our wall clock in milliseconds everywhere.  The structure has no
 * pointers: it may lie in shared memory and be copied.
 */


#ifndef _B24_PACE_H_INCLUDED_
#define _B24_PACE_H_INCLUDED_


#include "b24_slice.h"


#define B24_PACE_METHODS  24
#define B24_PACE_BUCKETS  10
#define B24_PACE_NAME     48
#define B24_PACE_OPEN     3         /* buckets that an answer may be late */

#define B24_PACE_WINDOW   600000    /* ms */
#define B24_PACE_LIMIT    480000    /* ms of a window */
#define B24_PACE_CAP      40000     /* ms of a batch: it is cut at 60 s */


typedef struct {
    char     name[B24_PACE_NAME];   /* "batch" among them; empty: free */
    int64_t  cost;                  /* of one call, microseconds */
    int64_t  spared;                /* thousandths of that which the portal does
                                       not count */
    int64_t  told;                  /* operating, ms; -1: never told */
    int64_t  told_at;
    int64_t  told_by;               /* by the portal's clock, ms; 0: unknown */
    int64_t  left;                  /* ms of our own that have left since */
    int64_t  reset_at;              /* 0: not known */
    int64_t  reckoned;              /* 1: not told, but a bucket after that */
    int64_t  blocked;               /* until then; 0: it is not */
    int64_t  used;                  /* when it was spoken of last */
    int64_t  slot;                  /* number of the newest bucket */
    int64_t  spent[B24_PACE_BUCKETS + 1];   /* ms of our own, the newest first;
                                       a window touches one more */
    int64_t  open[B24_PACE_OPEN];   /* of these, what is on its way: told does
                                       not have it */
} b24_pace_method_t;


typedef struct {
    int64_t            window;      /* ms */
    unsigned           buckets;     /* of a window, B24_PACE_BUCKETS at most */
    b24_pace_method_t  methods[B24_PACE_METHODS];
} b24_pace_t;


/* window of 0: as in the cloud */
void b24_pace_init(b24_pace_t *pace, int64_t window, unsigned buckets);

/* ms that one call takes: learned, or what the documentation's samples took */
int64_t b24_pace_cost(const b24_pace_t *pace, const char *method);

/* ms that the portal counts when the method takes ms: half of it for a batch,
 * as it may be, nothing of short calls; all of it until it is known */
int64_t b24_pace_counted(const b24_pace_t *pace, const char *method,
    int64_t ms);

/* ms that are left of the limit for the method; 0 while it is blocked; limit 0:
 * there is none */
int64_t b24_pace_room(const b24_pace_t *pace, const char *method,
    int64_t limit, int64_t now);
/* ms until need of it may be left, to be asked again then: until the portal's
 * own time where that is known, else until enough of our own spending has left
 * the window; 0: it is */
int64_t b24_pace_wait(const b24_pace_t *pace, const char *method,
    int64_t limit, int64_t need, int64_t now);

/*
 * 1: the order's batch may go with the slice.  All commands together take at
 * most cap, and no method (nor "batch") more than is left of the limit; from
 * 80 % of it on only half of that.  Whoever is the first may be longer than cap
 * and, when nothing is spent, than the limit, or would never go.
 */
int b24_pace_fits(const b24_pace_t *pace, b24_slice_t *slice,
    const b24_batch_t *batch, int64_t limit, int64_t cap, int64_t now);
/* ms until the batch fits into an empty slice; 0: it does */
int64_t b24_pace_wait_batch(const b24_pace_t *pace, const b24_batch_t *batch,
    int64_t limit, int64_t now);

/* ms spent by hand; less than 0 takes back */
void b24_pace_spend(b24_pace_t *pace, const char *method, int64_t ms,
    int64_t now);
/* a batch goes out: what it is expected to take is spent, and noted in it */
void b24_pace_sent(b24_pace_t *pace, b24_batch_t *batch, int64_t now);
/*
 * Its answer: what each command took, what the portal says of their sums and
 * which of them it blocks.  What was expected is set right; of a request
 * without an answer it stays.  batch is what was sent: slice.sent of a slice.
 */
void b24_pace_learn(b24_pace_t *pace, b24_batch_t *batch,
    const b24_answer_t *answer, int64_t now);
/* the same of a call by itself, for which nothing was spent yet */
void b24_pace_learn_call(b24_pace_t *pace, const char *method,
    const b24_answer_t *answer, int64_t now);

/* JSON, to be kept over a restart */
int b24_pace_print(const b24_pace_t *pace, b24_pool_t *pool, int64_t now,
    b24_str_t *text);
/* into a pace that was just initialised; of one with another window only the
 * costs.  B24_DECLINED: the text is none, pace is as it was. */
int b24_pace_parse(b24_pace_t *pace, b24_pool_t *pool, int64_t now,
    const b24_str_t *text);


#endif /* _B24_PACE_H_INCLUDED_ */
