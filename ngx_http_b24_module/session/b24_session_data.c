
/* What a session holds: data, marks; and whether the whole store is sound. */


#include "b24_session_int.h"


void
b24_session_info(const b24_sessions_t *s, b24_session_id_t id, uint32_t now,
    b24_session_info_t *info)
{
    unsigned             i;
    const b24_marked_t  *mark;
    const b24_entry_t   *entry;

    entry = b24_entry(s, id);

    info->len = entry->len;
    info->round = entry->round;
    info->epoch = entry->epoch;
    info->version = entry->version;

    for (i = 0; i < B24_SESSION_MARKS; i++) {
        mark = &entry->marks[i];

        info->marks[i] = (int32_t) (now - mark->time) <= B24_SESSION_PENDING
                         ? mark->n : 0;
    }
}


void
b24_session_read(const b24_sessions_t *s, b24_session_id_t id, u_char *to)
{
    size_t              len, n;
    uint32_t            next;
    const b24_entry_t  *entry;

    entry = b24_entry(s, id);
    len = entry->len;

    n = len < B24_INLINE ? len : B24_INLINE;
    memcpy(to, entry->data, n);

    to += n;
    len -= n;

    for (next = entry->chain; len; next = b24_chunk(s, next)->next) {
        n = len < B24_CHUNK_DATA ? len : B24_CHUNK_DATA;
        memcpy(to, b24_chunk(s, next)->data, n);

        to += n;
        len -= n;
    }
}


int
b24_session_write(b24_sessions_t *s, b24_session_id_t id, uint64_t version,
    const u_char *data, size_t len, uint64_t random)
{
    size_t        n;
    uint32_t     *next;
    b24_chunk_t  *chunk;
    b24_entry_t  *entry;

    entry = b24_entry(s, id);

    if (entry->version != version) {
        return B24_DECLINED;
    }

    if (len > s->most) {
        return B24_ERROR;
    }

    b24_session_free_chain(s, entry);

    entry->len = (uint32_t) len;
    entry->version = ++s->clock;

    if (entry->round == 0) {
        entry->round = random;
    }

    n = len < B24_INLINE ? len : B24_INLINE;

    memset(entry->data, 0, B24_INLINE);
    memcpy(entry->data, data, n);

    data += n;
    len -= n;

    b24_session_room(s, (uint32_t) ((len + B24_CHUNK_DATA - 1)
                                    / B24_CHUNK_DATA), id);

    for (next = &entry->chain; len; next = &chunk->next) {
        *next = b24_session_chunk(s);
        chunk = b24_chunk(s, *next);
        chunk->next = 0;

        n = len < B24_CHUNK_DATA ? len : B24_CHUNK_DATA;
        memcpy(chunk->data, data, n);

        data += n;
        len -= n;
    }

    return B24_OK;
}


void
b24_session_clear(b24_sessions_t *s, b24_session_id_t id)
{
    int           i;
    b24_entry_t  *entry;

    entry = b24_entry(s, id);

    b24_session_free_chain(s, entry);
    memset(entry->data, 0, B24_INLINE);

    entry->len = 0;
    entry->round = 0;

    for (i = 0; i < B24_SESSION_BEHIND; i++) {
        memset(&entry->marks[i], 0, sizeof(b24_marked_t));
    }

    entry->epoch = ++s->clock;
    entry->version = ++s->clock;
}


void
b24_session_mark(b24_sessions_t *s, b24_session_id_t id,
    b24_session_mark_e mark, uint32_t now)
{
    b24_marked_t  *m;

    m = &b24_entry(s, id)->marks[mark];

    /* one that was forgotten is not counted on */

    if ((int32_t) (now - m->time) > B24_SESSION_PENDING) {
        m->n = 0;
    }

    m->n++;
    m->time = now;
}


void
b24_session_unmark(b24_sessions_t *s, b24_session_id_t id,
    b24_session_mark_e mark, uint64_t epoch)
{
    b24_entry_t  *entry;

    entry = b24_entry(s, id);

    if ((entry->epoch == epoch || mark == B24_SESSION_BEHIND)
        && entry->marks[mark].n)
    {
        entry->marks[mark].n--;
    }
}


int
b24_sessions_check(const b24_sessions_t *s)
{
    size_t              n, len;
    uint32_t            id, prev, next, ref, used, entries;
    unsigned            i, keys;
    const b24_entry_t  *entry;

    used = 0;
    keys = 0;
    prev = 0;
    entries = 0;

    for (id = s->first; id; prev = id, id = entry->next) {
        entry = b24_entry(s, id);

        if (entry->prev != prev || ++entries > s->nchunks
            || (prev && (int32_t) (b24_entry(s, prev)->used - entry->used)
                        < 0))
        {
            return 0;
        }

        used++;
        len = entry->len < B24_INLINE ? 0 : entry->len - B24_INLINE;
        n = (len + B24_CHUNK_DATA - 1) / B24_CHUNK_DATA;

        for (next = entry->chain; next; next = b24_chunk(s, next)->next) {

            if (n-- == 0) {
                return 0;
            }

            used++;
        }

        for (i = 0; n == 0 && i < B24_SESSION_KEYS; i++) {

            if (entry->slots[i].stamp == 0) {
                continue;
            }

            keys++;

            if (b24_session_lookup(s, &entry->slots[i].key) != id) {
                return 0;
            }
        }

        if (n) {
            return 0;
        }
    }

    for (n = 0; n < s->nbuckets; n++) {
        ref = ((uint32_t *) ((u_char *) s + s->buckets))[n];

        for ( /* void */ ; ref; ref = b24_slot(s, ref)->next) {

            if (keys-- == 0) {
                return 0;
            }
        }
    }

    for (n = 0, id = s->free; id && n <= s->nfree;
         id = b24_chunk(s, id)->next)
    {
        n++;
    }

    return prev == s->last && keys == 0 && entries == s->stat.sessions
           && used + s->nfree == s->nchunks && n == s->nfree;
}
