#include "b24_session_int.h"


static void b24_sessions_empty(b24_sessions_t *s);
static void b24_session_use(b24_sessions_t *s, uint32_t id, uint32_t now);
static void b24_session_link(b24_sessions_t *s, uint32_t id);
static void b24_session_unlink(b24_sessions_t *s, uint32_t id);
static uint32_t b24_session_new(b24_sessions_t *s, uint32_t now);
static void b24_session_take(b24_sessions_t *s, uint32_t id, uint32_t other,
    const b24_session_key_t *keys, unsigned n);
static void b24_session_attach(b24_sessions_t *s, uint32_t id,
    const b24_session_key_t *key, const b24_session_key_t *keep, unsigned n);
static void b24_session_detach(b24_sessions_t *s, uint32_t id,
    unsigned slot);
static void b24_session_remove(b24_sessions_t *s, uint32_t id);


int
b24_sessions_init(void *mem, size_t size,
    const u_char seed[B24_SESSIONS_SEED])
{
    size_t           head, n;
    b24_sessions_t  *s = mem;

    if (size < B24_SESSIONS_MIN) {
        return B24_DECLINED;
    }

    memset(s, 0, sizeof(b24_sessions_t));
    memcpy(s->seed, seed, B24_SESSIONS_SEED);

    head = (sizeof(b24_sessions_t) + 63) & ~(size_t) 63;

    for (n = 64; n * 2 * B24_CHUNK <= size; n *= 2) { /* void */ }

    s->nbuckets = (uint32_t) n;
    s->buckets = head;
    s->chunks = (head + n * sizeof(uint32_t) + 63) & ~(size_t) 63;

    n = (size - s->chunks) / B24_CHUNK;

    if (n > UINT32_MAX / B24_SESSION_KEYS - 1) {
        n = UINT32_MAX / B24_SESSION_KEYS - 1;
    }

    s->nchunks = (uint32_t) n;
    s->most = (n / B24_SESSION_SHARE - 1) * B24_CHUNK_DATA;
    s->ttl = B24_SESSION_TTL;
    s->clock = 1;

    b24_sessions_empty(s);

    return B24_OK;
}


static void
b24_sessions_empty(b24_sessions_t *s)
{
    uint32_t  id;

    memset((u_char *) s + s->buckets, 0, s->nbuckets * sizeof(uint32_t));

    /* nothing of a buyer stays behind */

    memset((u_char *) s + s->chunks, 0, (size_t) s->nchunks * B24_CHUNK);

    for (id = 1; id < s->nchunks; id++) {
        b24_chunk(s, id)->next = id + 1;
    }

    s->free = 1;
    s->nfree = s->nchunks;
    s->first = 0;
    s->last = 0;
    s->stat.sessions = 0;
}


size_t
b24_sessions_most(const b24_sessions_t *s)
{
    return s->most;
}


void
b24_session_key(const b24_sessions_t *s, const b24_str_t *origin,
    unsigned line, const b24_str_t *value, b24_session_key_t *key)
{
    u_char     n;
    size_t     i;
    uint64_t   h[2];
    b24_sip_t  sip;

    n = (u_char) line;

    for (i = 0; i < 2; i++) {
        b24_sip_init(&sip, s->seed + i * B24_SIP_KEY);
        b24_sip_add(&sip, origin->data, origin->len);
        b24_sip_add(&sip, "", 1);
        b24_sip_add(&sip, &n, 1);
        b24_sip_add(&sip, value->data, value->len);
        h[i] = b24_sip_end(&sip);
    }

    key->a = h[0];
    key->b = h[1];
}


/*
 * The compiler must keep the mark in front of what it is for.  A process that
 * is killed leaves in memory what it has written in its order, so nothing more
 * is needed.
 */

int
b24_sessions_enter(b24_sessions_t *s)
{
    int  dirty;

    dirty = __atomic_load_n(&s->dirty, __ATOMIC_ACQUIRE) != 0;

    __atomic_store_n(&s->dirty, 1, __ATOMIC_SEQ_CST);

    if (dirty) {
        b24_sessions_empty(s);
        s->stat.emptied++;
    }

    return dirty;
}


void
b24_sessions_leave(b24_sessions_t *s)
{
    __atomic_store_n(&s->dirty, 0, __ATOMIC_SEQ_CST);
}


void
b24_sessions_ttl(b24_sessions_t *s, uint32_t seconds)
{
    s->ttl = seconds;
}


void
b24_sessions_stat(const b24_sessions_t *s, b24_sessions_stat_t *stat)
{
    *stat = s->stat;
}


unsigned
b24_sessions_expire(b24_sessions_t *s, uint32_t now, unsigned max)
{
    unsigned  n;

    for (n = 0; n < max && s->last; n++) {

        if ((int32_t) (now - b24_entry(s, s->last)->used) <= (int32_t) s->ttl)
        {
            break;
        }

        b24_session_remove(s, s->last);
        s->stat.expired++;
    }

    return n;
}


b24_session_id_t
b24_session_find(b24_sessions_t *s, const b24_session_key_t *keys,
    unsigned n, uint32_t now, int make)
{
    uint32_t  id, other;
    unsigned  i;

    /* with what is over gone, whatever is found is not */

    (void) b24_sessions_expire(s, now, 4);

    id = 0;

    for (i = 0; i < n; i++) {
        other = b24_session_lookup(s, &keys[i]);

        if (other
            && (int32_t) (now - b24_entry(s, other)->used) > (int32_t) s->ttl)
        {
            b24_session_remove(s, other);
            s->stat.expired++;
            continue;
        }

        if (id == 0) {
            id = other;

        } else if (other && other != id) {
            b24_session_take(s, id, other, keys, n);
        }
    }

    if (id == 0) {

        if (!make || n == 0) {
            return 0;
        }

        id = b24_session_new(s, now);
    }

    for (i = 0; i < n; i++) {
        b24_session_attach(s, id, &keys[i], keys, n);
    }

    b24_session_use(s, id, now);

    return id;
}


static void
b24_session_use(b24_sessions_t *s, uint32_t id, uint32_t now)
{
    b24_entry_t  *entry;

    entry = b24_entry(s, id);

    if (s->first && s->first != id
        && (int32_t) (b24_entry(s, s->first)->used - now) > 0)
    {
        now = b24_entry(s, s->first)->used;
    }

    if ((int32_t) (now - entry->used) > 0) {
        entry->used = now;
    }

    if (s->first != id) {
        b24_session_unlink(s, id);
        b24_session_link(s, id);
    }
}


static void
b24_session_link(b24_sessions_t *s, uint32_t id)
{
    b24_entry_t  *entry;

    entry = b24_entry(s, id);
    entry->prev = 0;
    entry->next = s->first;

    if (s->first) {
        b24_entry(s, s->first)->prev = id;

    } else {
        s->last = id;
    }

    s->first = id;
}


static void
b24_session_unlink(b24_sessions_t *s, uint32_t id)
{
    b24_entry_t  *entry;

    entry = b24_entry(s, id);

    if (entry->prev) {
        b24_entry(s, entry->prev)->next = entry->next;

    } else {
        s->first = entry->next;
    }

    if (entry->next) {
        b24_entry(s, entry->next)->prev = entry->prev;

    } else {
        s->last = entry->prev;
    }
}


uint32_t
b24_session_lookup(const b24_sessions_t *s, const b24_session_key_t *key)
{
    uint32_t     ref;
    b24_slot_t  *slot;

    for (ref = *b24_bucket(s, key); ref; ref = slot->next) {
        slot = b24_slot(s, ref);

        if (slot->key.a == key->a && slot->key.b == key->b) {
            return b24_ref_id(ref);
        }
    }

    return 0;
}


static uint32_t
b24_session_new(b24_sessions_t *s, uint32_t now)
{
    uint32_t      id;
    b24_entry_t  *entry;

    b24_session_room(s, 1, 0);

    /* another process may be a tick ahead: the list stays in its order */

    if (s->first && (int32_t) (b24_entry(s, s->first)->used - now) > 0) {
        now = b24_entry(s, s->first)->used;
    }

    id = b24_session_chunk(s);

    entry = b24_entry(s, id);
    memset(entry, 0, B24_CHUNK);

    entry->used = now;
    entry->epoch = ++s->clock;
    entry->version = ++s->clock;

    b24_session_link(s, id);
    s->stat.sessions++;

    return id;
}


/* the other's keys lead to id, what else it has is given up */

static void
b24_session_take(b24_sessions_t *s, uint32_t id, uint32_t other,
    const b24_session_key_t *keys, unsigned n)
{
    unsigned      i, k, m;
    b24_slot_t    moved[B24_SESSION_KEYS];
    b24_entry_t  *entry;

    entry = b24_entry(s, other);
    m = 0;

    memset(moved, 0, sizeof(moved));

    /* the oldest first */

    for (i = 0; i < B24_SESSION_KEYS; i++) {

        if (entry->slots[i].stamp == 0) {
            continue;
        }

        for (k = m++; k && moved[k - 1].stamp > entry->slots[i].stamp; k--) {
            moved[k] = moved[k - 1];
        }

        moved[k] = entry->slots[i];
    }

    b24_session_remove(s, other);

    for (i = 0; i < m; i++) {
        b24_session_attach(s, id, &moved[i].key, keys, n);
    }
}


/* in the place of the oldest, but not of one that is to be kept */

static void
b24_session_attach(b24_sessions_t *s, uint32_t id,
    const b24_session_key_t *key, const b24_session_key_t *keep, unsigned n)
{
    uint32_t     *bucket;
    unsigned      i, k, best;
    b24_slot_t   *slot;
    b24_entry_t  *entry;

    if (b24_session_lookup(s, key)) {
        return;                     /* leads to id, all others are gone */
    }

    entry = b24_entry(s, id);
    best = B24_SESSION_KEYS;

    for (i = 0; i < B24_SESSION_KEYS; i++) {
        slot = &entry->slots[i];

        for (k = 0; slot->stamp && k < n; k++) {

            if (slot->key.a == keep[k].a && slot->key.b == keep[k].b) {
                break;
            }
        }

        if (slot->stamp && k < n) {
            continue;
        }

        if (best == B24_SESSION_KEYS
            || slot->stamp < entry->slots[best].stamp)
        {
            best = i;
        }
    }

    if (best == B24_SESSION_KEYS) {
        return;
    }

    slot = &entry->slots[best];

    if (slot->stamp) {
        b24_session_detach(s, id, best);
    }

    bucket = b24_bucket(s, key);

    slot->key = *key;
    slot->next = *bucket;
    slot->stamp = ++s->stamp ? s->stamp : ++s->stamp;

    *bucket = b24_ref(id, best);
}


static void
b24_session_detach(b24_sessions_t *s, uint32_t id, unsigned n)
{
    uint32_t     ref, *at;
    b24_slot_t  *slot;

    ref = b24_ref(id, n);
    slot = b24_slot(s, ref);

    for (at = b24_bucket(s, &slot->key); *at != ref;
         at = &b24_slot(s, *at)->next)
    {
        /* void */
    }

    *at = slot->next;

    slot->stamp = 0;
    slot->next = 0;
}


static void
b24_session_remove(b24_sessions_t *s, uint32_t id)
{
    unsigned      i;
    b24_entry_t  *entry;
    b24_chunk_t  *chunk;

    entry = b24_entry(s, id);

    for (i = 0; i < B24_SESSION_KEYS; i++) {

        if (entry->slots[i].stamp) {
            b24_session_detach(s, id, i);
        }
    }

    b24_session_unlink(s, id);
    b24_session_free_chain(s, entry);

    memset(entry, 0, B24_CHUNK);

    chunk = b24_chunk(s, id);
    chunk->next = s->free;
    s->free = id;
    s->nfree++;

    s->stat.sessions--;
}


void
b24_session_free_chain(b24_sessions_t *s, b24_entry_t *entry)
{
    uint32_t      id;
    b24_chunk_t  *chunk;

    while (entry->chain) {
        id = entry->chain;
        chunk = b24_chunk(s, id);

        entry->chain = chunk->next;

        memset(chunk->data, 0, B24_CHUNK_DATA);

        chunk->next = s->free;
        s->free = id;
        s->nfree++;
    }
}


/* n chunks are free afterwards; the session "not" stays */

void
b24_session_room(b24_sessions_t *s, uint32_t n, uint32_t not)
{
    uint32_t  id;

    while (s->nfree < n) {
        id = s->last;

        if (id == not) {
            id = b24_entry(s, id)->prev;
        }

        b24_session_remove(s, id);
        s->stat.evicted++;
    }
}


uint32_t
b24_session_chunk(b24_sessions_t *s)
{
    uint32_t  id;

    id = s->free;
    s->free = b24_chunk(s, id)->next;
    s->nfree--;

    return id;
}
