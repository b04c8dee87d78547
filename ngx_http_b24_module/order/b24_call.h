
/*
 * Writing back to the shop: the blocks "write" of its rules, each an HTTP call,
 * from top to bottom.  What is sent and what an answer means is decided here;
 * sending, and when to try again, is somebody else's.
 *
 *     b24_call_begin()
 *     while (b24_call_next() == B24_OK) {     a request
 *         send it, read the answer
 *         b24_call_answer()                   a verdict
 *     }                                       DECLINED: that of the run
 *
 * A run is of one order and one change, one thread at a time.
 */


#ifndef _B24_CALL_H_INCLUDED_
#define _B24_CALL_H_INCLUDED_


#include "b24_rules.h"


#define B24_SHOP_CALLS  16          /* blocks "write" of one shop */


/* values that every run has, X(enum, "name", what knows them) */
#define B24_CALL_VALUES(X)                                                    \
    X(SITE, "site", "set b24_site to the shop's address")                     \
    X(USER, "user", "give b24_site a user=")                                  \
    X(PASSWORD, "password", "give b24_site a password=file:PATH")             \
    X(BASIC, "basic", "give b24_site a user= without \":\" in it, and a "     \
                      "password=file:PATH")                                   \
    X(KEY, "key", "give b24_site a password=file:PATH, without \":\" in it")  \
    X(ID, "id", "the order has no number in the shop yet")                    \
    X(ROW, "row", "a database tells it: set b24_database")                    \
    X(STATUS, "status", "map the deal's stage to a status of the shop with "  \
                        "\"stage\" or b24_stage_back")                        \
    X(PREVIOUS, "previous", "a database tells it: set b24_database")          \
    X(CANCELED, "canceled", "a database tells it: set b24_database")          \
    X(PAID, "paid", "a database tells it: set b24_database")                  \
    X(SHIPPED, "shipped", "a database tells it: set b24_database")


#define B24_X(id, name, cure)  B24_CALL_##id,
enum { B24_CALL_VALUES(B24_X) B24_CALL_NVALUES };
#undef B24_X


typedef struct {
    const char  *name;
    const char  *cure;
} b24_call_value_t;

extern const b24_call_value_t  b24_call_values[B24_CALL_NVALUES];


typedef struct b24_call_run_s  b24_call_run_t;


typedef struct {
    b24_str_t     block;            /* its name, may be empty */
    b24_str_t     method;
    b24_str_t     url;              /* at the site's scheme, host and port */
    b24_pair_t   *headers;
    b24_str_t     body;
    unsigned      has_body:1;
    unsigned      login:1;          /* it changes nothing: of a block that
                                       learns */
} b24_call_request_t;


/*
 * What came of a call or of the whole run.  Only OK and AUTH go on; in place of
 * RETRY and REFUSED a later run is a new one, with values as they are then: a
 * call that timed out may have done its work.
 */
typedef enum {
    B24_CALL_OK = 0,                /* the shop did it; go on */
    B24_CALL_AUTH,                  /* the session is over; go on: logs in
                                       again, once a run */
    B24_CALL_DONE,                  /* nothing is left, all went well */
    B24_CALL_SKIPPED,               /* no block is for this change: the shop is
                                       as it was */
    B24_CALL_RETRY,                 /* network, 5xx, 429 */
    B24_CALL_REFUSED                /* a person has to do something */
} b24_call_e;


/*
 * reason and advice hold no value of the run, and no word of the shop.  said,
 * maybe empty, is what the shop says of its error, without the run's secrets,
 * addresses and long numbers: who shows it conceals the order's buyer in it
 * before.
 */
typedef struct {
    b24_call_e    result;
    b24_str_t     block;
    b24_str_t     reason;
    b24_str_t     advice;
    b24_str_t     said;
    unsigned      login:1;          /* it is of a block that learns: the matter
                                       of all orders, not of this one */
    unsigned      session:1;        /* one that had just begun is refused: it
                                       may have ended as fast, or a right is
                                       missing */
} b24_call_verdict_t;


/* it has blocks "write" */
int b24_shop_writes(const b24_shop_t *shop);
/* one of them uses this value: "row", "password" */
int b24_shop_writes_use(const b24_shop_t *shop, const char *name);

/*
 * values by B24_CALL_..., "" where one isn't known; BASIC is made of user and
 * password, KEY of the password alone, as the user of HTTP's Basic login that
 * needs no password.  SITE is b24_site's URL, flags are "Y" or "N", ID is the
 * shop's and none of ours ("id generated").  The pool is the run's alone; what
 * is returned lives in it.  B24_OK or B24_ERROR.
 */
int b24_call_begin(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_str_t values[B24_CALL_NVALUES], b24_call_run_t **run);
/* B24_OK: the next call; B24_DECLINED: there is none, the verdict is the
 * run's; B24_ERROR */
int b24_call_next(b24_call_run_t *run, b24_call_request_t *request,
    b24_call_verdict_t *verdict);
/*
 * Of in: status (0: none came), headers (all of them), answer_type,
 * answer_encoding, answer, answer_state, answer_max.  B24_OK or B24_ERROR.
 */
int b24_call_answer(b24_call_run_t *run, const b24_input_t *in,
    b24_call_verdict_t *verdict);


#endif /* _B24_CALL_H_INCLUDED_ */
