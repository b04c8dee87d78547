
#include "b24_tree.h"

#include <stdlib.h>
#include <time.h>
#include <sys/random.h>


#define B24_INDEX_MIN  64

#define b24_rotl(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


static void b24_index_seed(b24_index_t *index);
static int b24_index_grow(b24_index_t *index);
static b24_slot_t *b24_index_probe(const b24_index_t *index, uint32_t owner,
    const b24_str_t *key, uint32_t hash);
static uint32_t b24_index_hash(const b24_index_t *index, uint32_t owner,
    const b24_str_t *key);
static void b24_sip_round(uint64_t v[4]);


void
b24_index_init(b24_index_t *index)
{
    memset(index, 0, sizeof(b24_index_t));
}


void
b24_index_done(b24_index_t *index)
{
    free(index->slots);
    index->slots = NULL;
}


b24_node_t *
b24_index_find(const b24_index_t *index, uint32_t owner, const b24_str_t *key)
{
    if (index->slots == NULL) {
        return NULL;
    }

    return b24_index_probe(index, owner, key,
                           b24_index_hash(index, owner, key))->node;
}


b24_node_t **
b24_index_slot(b24_index_t *index, uint32_t owner, const b24_str_t *key)
{
    uint32_t     hash;
    b24_slot_t  *slot;

    /* at most three quarters are used, so that a probe always ends */

    if (index->used >= index->size / 4 * 3 && b24_index_grow(index) != B24_OK) {
        return NULL;
    }

    hash = b24_index_hash(index, owner, key);
    slot = b24_index_probe(index, owner, key, hash);

    if (slot->node == NULL) {
        slot->hash = hash;
        slot->owner = owner;
        index->used++;
    }

    return &slot->node;
}


static int
b24_index_grow(b24_index_t *index)
{
    size_t       i, j, size;
    b24_slot_t  *slots;

    if (index->size == 0) {
        b24_index_seed(index);
    }

    size = index->size ? index->size * 2 : B24_INDEX_MIN;

    slots = calloc(size, sizeof(b24_slot_t));
    if (slots == NULL) {
        return B24_ERROR;
    }

    for (i = 0; i < index->size; i++) {

        if (index->slots[i].node == NULL) {
            continue;
        }

        j = index->slots[i].hash & (size - 1);

        while (slots[j].node) {
            j = (j + 1) & (size - 1);
        }

        slots[j] = index->slots[i];
    }

    free(index->slots);

    index->slots = slots;
    index->size = size;

    return B24_OK;
}


static void
b24_index_seed(b24_index_t *index)
{
    struct timespec  ts;

    if (getrandom(index->seed, sizeof(index->seed), GRND_NONBLOCK)
        == (ssize_t) sizeof(index->seed))
    {
        return;
    }

    /* early after boot, or a seccomp filter: still not known to a buyer */

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    index->seed[0] = (uint64_t) ts.tv_nsec ^ (uint64_t) (uintptr_t) index;
    index->seed[1] = (uint64_t) ts.tv_sec
                     ^ ((uint64_t) (uintptr_t) &b24_index_seed << 16);
}


static b24_slot_t *
b24_index_probe(const b24_index_t *index, uint32_t owner,
    const b24_str_t *key, uint32_t hash)
{
    size_t       i;
    b24_slot_t  *slot;

    i = hash & (index->size - 1);

    for ( ;; ) {
        slot = &index->slots[i];

        if (slot->node == NULL
            || (slot->hash == hash
                && slot->owner == owner
                && b24_str_eq(&slot->node->key, key)))
        {
            return slot;
        }

        i = (i + 1) & (index->size - 1);
    }
}


/* SipHash-1-3 (Aumasson, Bernstein), the owner as the first word */

static uint32_t
b24_index_hash(const b24_index_t *index, uint32_t owner, const b24_str_t *key)
{
    size_t    i, j;
    uint64_t  m, v[4];

    v[0] = index->seed[0] ^ 0x736f6d6570736575ULL;
    v[1] = index->seed[1] ^ 0x646f72616e646f6dULL;
    v[2] = index->seed[0] ^ 0x6c7967656e657261ULL;
    v[3] = index->seed[1] ^ 0x7465646279746573ULL;

    v[3] ^= owner;
    b24_sip_round(v);
    v[0] ^= owner;

    for (i = 0; i + 8 <= key->len; i += 8) {
        memcpy(&m, key->data + i, 8);

        v[3] ^= m;
        b24_sip_round(v);
        v[0] ^= m;
    }

    m = (uint64_t) key->len << 56;

    for (j = 0; i + j < key->len; j++) {
        m |= (uint64_t) key->data[i + j] << (8 * j);
    }

    v[3] ^= m;
    b24_sip_round(v);
    v[0] ^= m;

    v[2] ^= 0xff;
    b24_sip_round(v);
    b24_sip_round(v);
    b24_sip_round(v);

    return (uint32_t) (v[0] ^ v[1] ^ v[2] ^ v[3]);
}


static void
b24_sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = b24_rotl(v[1], 13) ^ v[0];
    v[0] = b24_rotl(v[0], 32);

    v[2] += v[3];
    v[3] = b24_rotl(v[3], 16) ^ v[2];

    v[0] += v[3];
    v[3] = b24_rotl(v[3], 21) ^ v[0];

    v[2] += v[1];
    v[1] = b24_rotl(v[1], 17) ^ v[2];
    v[2] = b24_rotl(v[2], 32);
}


void
b24_header_value(const b24_str_t *header, b24_str_t *value)
{
    u_char  *p;

    *value = *header;

    if (value->len) {
        p = memchr(value->data, ';', value->len);
        if (p) {
            value->len = (size_t) (p - value->data);
        }
    }

    b24_str_trim(value);
}


/* cuts "NAME=VALUE" off the front of rest, with the ";" behind it */

static void
b24_header_next(b24_str_t *rest, b24_str_t *name, b24_str_t *value,
    unsigned *quoted)
{
    u_char  *p, *end;

    p = rest->data;
    end = p + rest->len;

    name->data = p;

    while (p < end && *p != ';' && *p != '=') {
        p++;
    }

    name->len = (size_t) (p - name->data);
    b24_str_trim(name);

    *quoted = 0;

    if (p < end && *p == '=') {
        p++;
    }

    while (p < end && b24_isspace(*p)) {
        p++;
    }

    value->data = p;

    if (p < end && *p == '"') {
        *quoted = 1;
        value->data = ++p;

        while (p < end && *p != '"') {

            /* other backslashes are literal: old browsers sent paths */

            if (*p == '\\' && end - p > 1 && (p[1] == '\\' || p[1] == '"')) {
                p++;
            }

            p++;
        }

        value->len = (size_t) (p - value->data);

    } else {

        /* a comma joins two headers */

        while (p < end && *p != ';' && *p != ',') {
            p++;
        }

        value->len = (size_t) (p - value->data);
        b24_str_trim(value);
    }

    while (p < end && *p++ != ';') { /* void */ }

    rest->len = (size_t) (end - p);
    rest->data = p;
}


/* in quotes "\\" and "\"" stand for the second character */

static int
b24_header_copy(b24_pool_t *pool, const b24_str_t *text, unsigned quoted,
    b24_str_t *value)
{
    size_t   i;
    u_char  *p;

    p = b24_pnalloc(pool, text->len + 1);
    if (p == NULL) {
        return B24_ERROR;
    }

    value->data = p;

    for (i = 0; i < text->len; i++) {

        if (quoted && text->data[i] == '\\' && i + 1 < text->len
            && (text->data[i + 1] == '\\' || text->data[i + 1] == '"'))
        {
            i++;
        }

        *p++ = text->data[i];
    }

    *p = '\0';
    value->len = (size_t) (p - value->data);

    return B24_OK;
}


int
b24_header_param(b24_pool_t *pool, const b24_str_t *header, const char *name,
    b24_str_t *value)
{
    u_char    *p;
    unsigned   quoted, found_quoted;
    b24_str_t  rest, key, text, found;

    found.len = 0;
    found.data = NULL;
    found_quoted = 0;

    rest = *header;

    if (rest.len == 0) {
        return B24_DECLINED;
    }

    /* what stands before the first ";" is no parameter */

    p = memchr(rest.data, ';', rest.len);
    if (p == NULL) {
        return B24_DECLINED;
    }

    p++;
    rest.len -= (size_t) (p - rest.data);
    rest.data = p;

    while (rest.len) {
        b24_header_next(&rest, &key, &text, &quoted);

        if (b24_str_caseeqs(&key, name)) {
            found = text;
            found_quoted = quoted;
        }
    }

    if (found.data == NULL) {
        return B24_DECLINED;
    }

    return b24_header_copy(pool, &found, found_quoted, value);
}
