
/*
 * The store of sessions beside a model of it in plain arrays: what is done to
 * one is done to the other, and both must tell the same.  Who makes room is not
 * computed again: it must be those that the model has as used least.
 */


#ifndef _SESSION_MODEL_H_INCLUDED_
#define _SESSION_MODEL_H_INCLUDED_


#include "b24_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define MODEL_SIZE      B24_SESSIONS_MIN
#define MODEL_SESSIONS  1024
#define MODEL_KEYS      200
#define MODEL_TTL       100


typedef struct {
    unsigned   keys[B24_SESSION_KEYS];  /* the oldest first */
    unsigned   nkeys;
    uint32_t   used;
    uint32_t   stamp;               /* of data: it is made of that */
    size_t     len;
    int        round;
} model_session_t;


typedef struct {
    void             *mem;
    b24_sessions_t   *s;
    model_session_t   list[MODEL_SESSIONS];     /* used least first */
    unsigned          n;
    uint32_t          now;
    uint32_t          stamp;
    uint64_t          evicted;
    const char       *wrong;        /* what differs */
} model_t;


/* few buckets, so that chains are long */
static inline void
model_key(unsigned k, b24_session_key_t *key)
{
    key->a = k % 5;
    key->b = k;
}


static inline void
model_data(uint32_t stamp, size_t len, u_char *data)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        data[i] = (u_char) (stamp + i * 7 + i / 256);
    }
}


static inline void
model_init(model_t *m)
{
    u_char  seed[B24_SESSIONS_SEED];

    memset(m, 0, sizeof(model_t));
    memset(seed, 1, sizeof(seed));

    m->mem = malloc(MODEL_SIZE);
    m->s = m->mem;
    m->now = 0xfffffff0U;           /* seconds may wrap */

    if (m->mem == NULL
        || b24_sessions_init(m->mem, MODEL_SIZE, seed) != B24_OK)
    {
        abort();
    }

    b24_sessions_ttl(m->s, MODEL_TTL);
}


static inline void
model_done(model_t *m)
{
    free(m->mem);
}


static inline void
model_remove(model_t *m, unsigned i)
{
    m->n--;
    memmove(&m->list[i], &m->list[i + 1],
            (m->n - i) * sizeof(model_session_t));
}


static inline int
model_lookup(const model_t *m, unsigned k)
{
    unsigned  i, j;

    for (i = 0; i < m->n; i++) {

        for (j = 0; j < m->list[i].nkeys; j++) {

            if (m->list[i].keys[j] == k) {
                return (int) i;
            }
        }
    }

    return -1;
}


static inline int
model_over(const model_t *m, unsigned i)
{
    return (int32_t) (m->now - m->list[i].used) > MODEL_TTL;
}


static inline void
model_attach(model_session_t *session, unsigned k, const unsigned *keep,
    unsigned n)
{
    unsigned  i, j;

    for (i = 0; i < session->nkeys; i++) {

        if (session->keys[i] == k) {
            return;
        }
    }

    if (session->nkeys < B24_SESSION_KEYS) {
        session->keys[session->nkeys++] = k;
        return;
    }

    for (i = 0; i < session->nkeys; i++) {

        for (j = 0; j < n && keep[j] != session->keys[i]; j++) {
            /* void */
        }

        if (j == n) {
            break;
        }
    }

    if (i == session->nkeys) {
        return;
    }

    memmove(&session->keys[i], &session->keys[i + 1],
            (session->nkeys - i - 1) * sizeof(unsigned));
    session->keys[session->nkeys - 1] = k;
}


/* what the store has evicted since: the least used, but for the last one */
static inline void
model_evicted(model_t *m)
{
    b24_sessions_stat_t  stat;

    b24_sessions_stat(m->s, &stat);

    for ( /* void */ ; m->evicted < stat.evicted; m->evicted++) {

        if (m->n < 2) {
            m->wrong = "evicted what is in use";
            return;
        }

        model_remove(m, 0);
    }

    if (stat.sessions != m->n) {
        m->wrong = "another number of sessions";
    }
}


/* 0: there is none; the session is the last one of the list then */
static inline b24_session_id_t
model_find(model_t *m, const unsigned *keys, unsigned n, int make)
{
    int                 at, found;
    unsigned            i, j;
    model_session_t     session, other;
    b24_session_id_t    id;
    b24_session_key_t   k[B24_SESSION_KEYS];

    for (i = 0; i < n; i++) {
        model_key(keys[i], &k[i]);
    }

    id = b24_session_find(m->s, k, n, m->now, make);

    for (i = 0; i < 4 && m->n && model_over(m, 0); i++) {
        model_remove(m, 0);
    }

    found = 0;
    memset(&session, 0, sizeof(session));

    for (i = 0; i < n; i++) {
        at = model_lookup(m, keys[i]);

        if (at >= 0 && model_over(m, (unsigned) at)) {
            model_remove(m, (unsigned) at);
            at = -1;
        }

        if (at < 0) {
            continue;
        }

        if (!found) {
            found = 1;
            session = m->list[at];
            model_remove(m, (unsigned) at);
            m->list[m->n++] = session;      /* the one in use */

        } else if ((unsigned) at != m->n - 1) {
            other = m->list[at];
            model_remove(m, (unsigned) at);

            for (j = 0; j < other.nkeys; j++) {
                model_attach(&m->list[m->n - 1], other.keys[j], keys, n);
            }
        }
    }

    if (!found && make && n) {
        found = 1;
        m->list[m->n++] = session;
    }

    if (!found != (id == 0)) {
        m->wrong = id ? "found what isn't there" : "lost a session";
        return 0;
    }

    if (found) {
        m->list[m->n - 1].used = m->now;

        for (i = 0; i < n; i++) {
            model_attach(&m->list[m->n - 1], keys[i], keys, n);
        }
    }

    model_evicted(m);

    return m->wrong ? 0 : id;
}


/* the session in use has the model's data */
static inline void
model_same(model_t *m, b24_session_id_t id)
{
    u_char               *got, *want;
    model_session_t      *session;
    b24_session_info_t    info;

    session = &m->list[m->n - 1];

    b24_session_info(m->s, id, m->now, &info);

    if (info.len != session->len || !info.round != !session->round) {
        m->wrong = "another length or round";
        return;
    }

    got = malloc(info.len + 1);
    want = malloc(info.len + 1);

    b24_session_read(m->s, id, got);
    model_data(session->stamp, info.len, want);

    if (memcmp(got, want, info.len) != 0) {
        m->wrong = "other data";
    }

    free(got);
    free(want);
}


static inline void
model_write(model_t *m, b24_session_id_t id, size_t len)
{
    int                  rc;
    u_char              *data;
    model_session_t     *session;
    b24_session_info_t   info;

    b24_session_info(m->s, id, m->now, &info);

    data = malloc(len + 1);
    model_data(++m->stamp, len, data);

    if (b24_session_write(m->s, id, info.version + 1, data, len, 7)
        != B24_DECLINED)
    {
        m->wrong = "wrote over another version";
    }

    rc = b24_session_write(m->s, id, info.version, data, len, 7);
    free(data);

    if ((rc == B24_OK) != (len <= b24_sessions_most(m->s))) {
        m->wrong = "took what is too large, or not what isn't";
    }

    if (rc == B24_OK) {
        session = &m->list[m->n - 1];
        session->stamp = m->stamp;
        session->len = len;
        session->round = 1;
    }

    model_evicted(m);
}


static inline void
model_clear(model_t *m, b24_session_id_t id)
{
    b24_session_info_t  before, after;

    b24_session_info(m->s, id, m->now, &before);
    b24_session_clear(m->s, id);
    b24_session_info(m->s, id, m->now, &after);

    if (before.epoch == after.epoch || before.version == after.version) {
        m->wrong = "the epoch stays after clearing";
    }

    m->list[m->n - 1].len = 0;
    m->list[m->n - 1].round = 0;
}


/* one step, made of four bytes */
static inline void
model_step(model_t *m, const u_char p[4])
{
    size_t            len;
    unsigned          i, n, keys[B24_SESSION_KEYS];
    b24_session_id_t  id;

    if (b24_sessions_enter(m->s)) {
        m->wrong = "dirty";
    }

    n = 1 + (p[0] >> 3) % B24_SESSION_KEYS;

    for (i = 0; i < n; i++) {
        keys[i] = (p[1] + i * (p[2] | 1U)) % MODEL_KEYS;
    }

    len = (size_t) p[2] * p[3] / 9;

    switch (p[0] % 8) {

    case 0:
        m->now += p[3] % 50;
        (void) model_find(m, keys, 1, 0);
        break;

    case 1:
        for (n = b24_sessions_expire(m->s, m->now, p[3] % 8); n; n--) {

            if (m->n == 0 || !model_over(m, 0)) {
                m->wrong = "expired too early";
                break;
            }

            model_remove(m, 0);
        }

        break;

    case 2:
        id = model_find(m, keys, n, 0);
        if (id) {
            model_same(m, id);
            model_clear(m, id);
        }

        break;

    case 3:
        id = model_find(m, keys, n, 0);
        if (id) {
            model_same(m, id);
        }

        break;

    default:
        id = model_find(m, keys, n, 1);
        if (id) {
            model_same(m, id);
            model_write(m, id, len);
        }

        break;
    }

    if (!b24_sessions_check(m->s)) {
        m->wrong = "the lists are broken";
    }

    b24_sessions_leave(m->s);
}


/* all that is left, in an order that changes none */
static inline void
model_end(model_t *m)
{
    unsigned          i, n, key;
    b24_session_id_t  id;

    (void) b24_sessions_enter(m->s);

    n = m->n;

    for (i = 0; i < n && m->n && !m->wrong; i++) {
        key = m->list[0].keys[0];
        id = model_find(m, &key, 1, 0);

        if (id) {
            model_same(m, id);
        }
    }

    b24_sessions_leave(m->s);
}


#endif /* _SESSION_MODEL_H_INCLUDED_ */
