
/*
 * What a person is told of, when, and in which words.  Pure: who asks knows
 * what is the matter now, and sends what is to be said.  Times are milliseconds
 * since the epoch.
 */


#ifndef _B24_ALERT_H_INCLUDED_
#define _B24_ALERT_H_INCLUDED_


#include "b24_base.h"


/* X(id, name, counted, once).  Counted: more of them than were told are news;
 * once: something has happened, and isn't over at any time */
#define B24_ALERTS(X)                                                         \
    X(BLOCKED, "blocked", 0, 0)     /* the portal refuses all */               \
    X(PARKED, "parked", 1, 0)       /* orders wait for a person */             \
    X(UNCONFIRMED, "unconfirmed", 1, 0)     /* likewise */                     \
    X(AGE, "age", 0, 0)             /* the oldest waits for too long */        \
    X(QUEUE, "queue", 1, 0)         /* orders that the disk refuses */         \
    X(LOST, "lost", 1, 1)           /* orders that were given up */            \
    X(BEGUN, "begun", 1, 1)         /* queues that were set aside */

#define B24_X(id, name, counted, once)  B24_ALERT_##id,
typedef enum { B24_ALERTS(B24_X) B24_NALERTS } b24_alert_e;
#undef B24_X

/* what is so for less than this is told to nobody, nor that it is over */
#define B24_ALERT_SETTLE  3000
/* how often it is tried to say that something is over; what is not is said
 * until somebody hears it */
#define B24_ALERT_TRIES   12
/* orders that a message names at most */
#define B24_ALERT_ORDERS  5

typedef enum {
    B24_ALERT_NOTHING = 0,
    B24_ALERT_RAISE,
    B24_ALERT_CLEAR
} b24_alert_say_e;


typedef struct {
    int64_t        gap;             /* between two messages of one event */
    int64_t        again;           /* while it lasts; 0: said only once */
} b24_alert_limits_t;


/* an event of an origin */
typedef struct {
    b24_alert_e    event;

    /* what was told, kept over restarts; all 0: nothing that is of use */
    int            raised;          /* and that it is over was not */
    int64_t        since;           /* when it began */
    int64_t        told;            /* the last message */
    int64_t        n;               /* how many then, or fewer since */

    /* how it is */
    int64_t        count;           /* 0: all is well */
    int64_t        changed;         /* since when it is, or isn't */
    unsigned       tries;           /* to say what is to be said */
    unsigned       dirty:1;         /* what is kept has changed */
} b24_alert_t;


const char *b24_alert_name(b24_alert_e event);
/* takes down how it is */
void b24_alert_look(b24_alert_t *alert, const b24_alert_limits_t *limits,
    int64_t count, int64_t now);
b24_alert_say_e b24_alert_wants(const b24_alert_t *alert,
    const b24_alert_limits_t *limits, int64_t now);
/* when what is to be said began */
int64_t b24_alert_since(const b24_alert_t *alert);
/* it was said, of so many and with that time */
void b24_alert_said(b24_alert_t *alert, b24_alert_say_e say, int64_t since,
    int64_t count, int64_t now);
/* it could not be; 1: it is given up, as if it had been */
int b24_alert_unsaid(b24_alert_t *alert, b24_alert_say_e say, int64_t now);


/* how often a target is called, whatever there is to be said */
typedef struct {
    int64_t        level;           /* ms until all is forgotten */
    int64_t        time;            /* of level */
    int64_t        next;            /* after a failure: not before */
    unsigned       failures;        /* in a row */
} b24_alert_pace_t;

int b24_alert_may(b24_alert_pace_t *pace, int64_t now);
void b24_alert_tried(b24_alert_pace_t *pace, int64_t now);
void b24_alert_ended(b24_alert_pace_t *pace, int good, int64_t now);


/* a message; empty strings are null */
typedef struct {
    const char    *version;
    b24_str_t      origin;
    b24_str_t      host;
    b24_alert_e    event;
    b24_alert_say_e  say;
    int64_t        since;           /* when it began, 0: nobody knows */
    int64_t        now;
    b24_str_t      cause;
    b24_str_t      advice;
    b24_str_t      orders[B24_ALERT_ORDERS];    /* numbers, or keys */
    size_t         norders;
    int64_t        count;           /* of what the event counts */
    int64_t        waiting;         /* orders */
    int64_t        oldest;          /* seconds that one waits */
} b24_alert_message_t;

/* a JSON object and a line feed */
void b24_alert_print(b24_buf_t *out, const b24_alert_message_t *message);


#endif /* _B24_ALERT_H_INCLUDED_ */
