
/*
 * What is known of buyers' sessions, in a region of memory that several
 * processes may have mapped at different addresses: offsets only.  The caller
 * holds a lock around everything between b24_sessions_enter() and
 * b24_sessions_leave().
 *
 * A session is found by any of its keys, hashes of what tells a buyer from
 * others; the values themselves are not kept.  Its data is opaque.  All memory
 * is chunks of one size, so nothing fragments; each call takes a time that
 * depends on the size of one session at most.  When chunks run out, sessions
 * make room that were not used for longest.
 */


#ifndef _B24_SESSION_H_INCLUDED_
#define _B24_SESSION_H_INCLUDED_


#include "b24_base.h"


#define B24_SESSION_KEYS    4           /* of one session */
#define B24_SESSION_TTL     3600        /* seconds since it was last used */
#define B24_SESSION_SHARE   16          /* one session: at most a 16th of all */
#define B24_SESSION_PENDING 60          /* s: then a mark is forgotten */
#define B24_SESSIONS_MIN    65536       /* bytes */
#define B24_SESSIONS_SEED   32          /* two keys of B24_SIP_KEY */


typedef struct b24_sessions_s  b24_sessions_t;
typedef uint32_t               b24_session_id_t;    /* 0: none */


typedef struct {
    uint64_t  a;
    uint64_t  b;
} b24_session_key_t;


/* more of a session is on its way */
typedef enum {
    B24_SESSION_ANSWER = 0,         /* an answer is being given */
    B24_SESSION_QUEUED,             /* an exchange waits to be read */
    B24_SESSION_ORDER,              /* an order is about to use it up */
    B24_SESSION_BEHIND,             /* an exchange waits for that: it belongs to
                                       what comes after */
    B24_SESSION_MARKS
} b24_session_mark_e;


typedef struct {
    size_t    len;                  /* of its data */
    uint64_t  round;                /* 0: nothing was collected since the last
                                       order */
    uint64_t  epoch;                /* another one after each clearing */
    uint64_t  version;              /* another one after each change */
    uint32_t  marks[B24_SESSION_MARKS];     /* set now, of each kind */
} b24_session_info_t;


typedef struct {
    uint64_t  sessions;             /* now */
    uint64_t  evicted;              /* made room */
    uint64_t  expired;
    uint64_t  emptied;              /* times that all were given up */
} b24_sessions_stat_t;


/* mem is aligned for any type; DECLINED: too small.  seed: random bytes */
int b24_sessions_init(void *mem, size_t size,
    const u_char seed[B24_SESSIONS_SEED]);
/* no lock is needed for these two: what they read never changes */
size_t b24_sessions_most(const b24_sessions_t *s);
void b24_session_key(const b24_sessions_t *s, const b24_str_t *origin,
    unsigned line, const b24_str_t *value, b24_session_key_t *key);

/* 1: whoever was inside last has not come out, and all sessions were given
 * up */
int b24_sessions_enter(b24_sessions_t *s);
void b24_sessions_leave(b24_sessions_t *s);

void b24_sessions_ttl(b24_sessions_t *s, uint32_t seconds);
void b24_sessions_stat(const b24_sessions_t *s, b24_sessions_stat_t *stat);
/* at most max of those whose time is over; how many went */
unsigned b24_sessions_expire(b24_sessions_t *s, uint32_t now, unsigned max);

/*
 * The session of a request's keys, the first that leads to one decides; others
 * that are led to are given up, and their keys lead to the first.  All keys are
 * attached to it.  0: there is none, and make isn't set.
 */
b24_session_id_t b24_session_find(b24_sessions_t *s,
    const b24_session_key_t *keys, unsigned n, uint32_t now, int make);
void b24_session_info(const b24_sessions_t *s, b24_session_id_t id,
    uint32_t now, b24_session_info_t *info);
/* to has room for info.len */
void b24_session_read(const b24_sessions_t *s, b24_session_id_t id,
    u_char *to);
/*
 * New data, and its round if it has none yet (random is not 0).  DECLINED: it
 * is another version by now; ERROR: len is above b24_sessions_most().
 */
int b24_session_write(b24_sessions_t *s, b24_session_id_t id,
    uint64_t version, const u_char *data, size_t len, uint64_t random);
/* data, round and marks go, those of what is behind an order and keys stay */
void b24_session_clear(b24_sessions_t *s, b24_session_id_t id);
/* sets a mark of that kind; takes one back that was set at that epoch, or one
 * that has stayed */
void b24_session_mark(b24_sessions_t *s, b24_session_id_t id,
    b24_session_mark_e mark, uint32_t now);
void b24_session_unmark(b24_sessions_t *s, b24_session_id_t id,
    b24_session_mark_e mark, uint64_t epoch);

/* every list and count is as it should be (tests) */
int b24_sessions_check(const b24_sessions_t *s);


#endif /* _B24_SESSION_H_INCLUDED_ */
