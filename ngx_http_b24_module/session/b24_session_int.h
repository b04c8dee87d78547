
/* Inside the store of sessions: what lies in its memory. */


#ifndef _B24_SESSION_INT_H_INCLUDED_
#define _B24_SESSION_INT_H_INCLUDED_


#include "b24_session.h"


#define B24_CHUNK       256
#define B24_CHUNK_DATA  (B24_CHUNK - sizeof(uint32_t))
#define B24_INLINE      (B24_CHUNK - offsetof(b24_entry_t, data))

/* chunks are numbered from 1; a key is known by its chunk and slot */
#define b24_ref(id, slot)  (((id) - 1) * B24_SESSION_KEYS + (slot) + 1)
#define b24_ref_id(ref)    (((ref) - 1) / B24_SESSION_KEYS + 1)
#define b24_ref_slot(ref)  (((ref) - 1) % B24_SESSION_KEYS)


typedef struct {
    b24_session_key_t  key;
    uint32_t           next;        /* reference: of the same bucket */
    uint32_t           stamp;       /* 0: the slot is free */
} b24_slot_t;


typedef struct {
    uint32_t           n;
    uint32_t           time;        /* of the last one */
} b24_marked_t;


/* the first chunk of a session, and the beginning of its data */
typedef struct {
    uint32_t           chain;       /* further chunks */
    uint32_t           prev;        /* by use, the latest first */
    uint32_t           next;
    uint32_t           used;
    uint32_t           len;
    uint32_t           unused;
    b24_marked_t       marks[B24_SESSION_MARKS];
    uint64_t           round;
    uint64_t           epoch;
    uint64_t           version;
    b24_slot_t         slots[B24_SESSION_KEYS];
    u_char             data[1];
} b24_entry_t;


typedef struct {
    uint32_t           next;        /* of a chain, or of the free ones */
    u_char             data[B24_CHUNK_DATA];
} b24_chunk_t;


struct b24_sessions_s {
    u_char             seed[B24_SESSIONS_SEED];
    size_t             chunks;      /* offset of the first one */
    size_t             buckets;     /* the same */
    size_t             most;
    uint32_t           nchunks;
    uint32_t           nbuckets;    /* a power of two */

    uint32_t           dirty;
    uint32_t           ttl;
    uint32_t           free;
    uint32_t           nfree;
    uint32_t           first;       /* used last */
    uint32_t           last;
    uint32_t           stamp;
    uint64_t           clock;       /* of versions and epochs: never goes
                                       back */
    b24_sessions_stat_t  stat;
};


static inline b24_entry_t *
b24_entry(const b24_sessions_t *s, uint32_t id)
{
    return (b24_entry_t *) ((u_char *) s + s->chunks
                            + (size_t) (id - 1) * B24_CHUNK);
}


static inline b24_chunk_t *
b24_chunk(const b24_sessions_t *s, uint32_t id)
{
    return (b24_chunk_t *) b24_entry(s, id);
}


static inline uint32_t *
b24_bucket(const b24_sessions_t *s, const b24_session_key_t *key)
{
    uint32_t  *buckets;

    buckets = (uint32_t *) ((u_char *) s + s->buckets);

    return &buckets[key->a & (s->nbuckets - 1)];
}


static inline b24_slot_t *
b24_slot(const b24_sessions_t *s, uint32_t ref)
{
    return &b24_entry(s, b24_ref_id(ref))->slots[b24_ref_slot(ref)];
}


uint32_t b24_session_lookup(const b24_sessions_t *s,
    const b24_session_key_t *key);

/* n chunks are free afterwards; the session "not" stays */
void b24_session_room(b24_sessions_t *s, uint32_t n, uint32_t not);
uint32_t b24_session_chunk(b24_sessions_t *s);
void b24_session_free_chain(b24_sessions_t *s, b24_entry_t *entry);


#endif /* _B24_SESSION_INT_H_INCLUDED_ */
