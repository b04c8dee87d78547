
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "b24_base.h"

#include <stdlib.h>
#include <stdio.h>


#define B24_POOL_FIRST   1032           /* malloc() is quick up to here */
#define B24_POOL_BLOCK   4000
#define B24_POOL_ALIGN   16
#define B24_BUF_MIN      128
#define B24_LIST_MIN     4              /* a power of two */


typedef struct b24_block_s  b24_block_t;

struct b24_block_s {
    b24_block_t  *next;
    u_char       *last;
    u_char       *end;
};


struct b24_pool_s {
    b24_block_t  *blocks;
    size_t        limit;
    size_t        used;
    int           shared;       /* times */
    b24_block_t   first;        /* goes on behind the structure */
};


static b24_block_t *b24_pool_block(b24_pool_t *pool, size_t size);
static int b24_pool_extend(b24_pool_t *pool, u_char *p, size_t old,
    size_t size);
static void b24_buf_grow(b24_buf_t *b, size_t len);
static uint64_t b24_sip_word(const u_char *p);
static uint64_t b24_sip_rotate(uint64_t x, int bits);
static void b24_sip_rounds(uint64_t *v, int n);
static void b24_sip_mix(b24_sip_t *sip, uint64_t word);


b24_pool_t *
b24_pool_create(size_t limit)
{
    b24_pool_t  *pool;

    pool = malloc(B24_POOL_FIRST);
    if (pool == NULL) {
        return NULL;
    }

    pool->blocks = &pool->first;
    pool->limit = limit ? limit : SIZE_MAX;
    pool->used = 0;
    pool->shared = 0;

    pool->first.next = NULL;
    pool->first.last = (u_char *) (pool + 1);
    pool->first.end = (u_char *) pool + B24_POOL_FIRST;

    return pool;
}


b24_pool_t *
b24_pool_share(b24_pool_t *pool)
{
    (void) __atomic_fetch_add(&pool->shared, 1, __ATOMIC_RELAXED);

    return pool;
}


void
b24_pool_destroy(b24_pool_t *pool)
{
    b24_block_t  *b, *next;

    if (pool == NULL
        || __atomic_fetch_sub(&pool->shared, 1, __ATOMIC_ACQ_REL) > 0)
    {
        return;
    }

    for (b = pool->blocks; b; b = next) {
        next = b->next;

        if (b != &pool->first) {
            free(b);
        }
    }

    free(pool);
}


size_t
b24_pool_used(const b24_pool_t *pool)
{
    return pool->used;
}


static b24_block_t *
b24_pool_block(b24_pool_t *pool, size_t size)
{
    size_t        need;
    b24_block_t  *b;

    need = sizeof(b24_block_t) + size + B24_POOL_ALIGN;

    if (need < size) {
        return NULL;
    }

    if (need < B24_POOL_BLOCK) {
        need = B24_POOL_BLOCK;
    }

    b = malloc(need);
    if (b == NULL) {
        return NULL;
    }

    b->last = (u_char *) (b + 1);
    b->end = (u_char *) b + need;

    /* a block made for one big piece goes behind the one being carved */

    if (need > B24_POOL_BLOCK) {
        b->next = pool->blocks->next;
        pool->blocks->next = b;

    } else {
        b->next = pool->blocks;
        pool->blocks = b;
    }

    return b;
}


static inline void *
b24_pool_get(b24_pool_t *pool, size_t size, size_t align)
{
    u_char       *p;
    b24_block_t  *b;

    if (size > pool->limit - pool->used) {
        return NULL;
    }

    b = pool->blocks;

    p = (u_char *) (((uintptr_t) b->last + (align - 1)) & ~(align - 1));

    if (p <= b->end && (size_t) (b->end - p) >= size) {
        b->last = p + size;
        pool->used += size;
        return p;
    }

    b = b24_pool_block(pool, size);
    if (b == NULL) {
        return NULL;
    }

    p = (u_char *) (((uintptr_t) b->last + (align - 1)) & ~(align - 1));

    b->last = p + size;
    pool->used += size;

    return p;
}


/* what was taken last may grow where it is */

static int
b24_pool_extend(b24_pool_t *pool, u_char *p, size_t old, size_t size)
{
    size_t        more;
    b24_block_t  *b;

    b = pool->blocks;
    more = size - old;

    if (p + old != b->last || (size_t) (b->end - b->last) < more
        || more > pool->limit - pool->used)
    {
        return 0;
    }

    b->last += more;
    pool->used += more;

    return 1;
}


void *
b24_palloc(b24_pool_t *pool, size_t size)
{
    return b24_pool_get(pool, size, B24_POOL_ALIGN);
}


void *
b24_pcalloc(b24_pool_t *pool, size_t size)
{
    void  *p;

    p = b24_pool_get(pool, size, B24_POOL_ALIGN);
    if (p) {
        memset(p, 0, size);
    }

    return p;
}


void *
b24_pnalloc(b24_pool_t *pool, size_t size)
{
    return b24_pool_get(pool, size, 1);
}


void *
b24_pgrow(b24_pool_t *pool, void *list, size_t n, size_t size)
{
    void  *p;

    if (n == 0) {
        return b24_palloc(pool, B24_LIST_MIN * size);
    }

    if (n < B24_LIST_MIN || (n & (n - 1)) != 0) {
        return list;
    }

    p = b24_palloc(pool, 2 * n * size);
    if (p) {
        memcpy(p, list, n * size);
    }

    return p;
}


int
b24_pstrdup(b24_pool_t *pool, b24_str_t *dst, const u_char *data, size_t len)
{
    u_char  *p;

    p = b24_pnalloc(pool, len + 1);
    if (p == NULL) {
        return B24_ERROR;
    }

    if (len) {
        memcpy(p, data, len);
    }

    p[len] = '\0';

    dst->data = p;
    dst->len = len;

    return B24_OK;
}


void
b24_buf_init(b24_buf_t *b, b24_pool_t *pool)
{
    memset(b, 0, sizeof(b24_buf_t));
    b->pool = pool;
}


static void
b24_buf_grow(b24_buf_t *b, size_t len)
{
    size_t   size;
    u_char  *p;

    if (b->failed) {
        return;
    }

    size = b->size ? b->size : B24_BUF_MIN;

    while (size - b->len <= len) {

        if (size > SIZE_MAX / 2) {
            b->failed = 1;
            return;
        }

        size *= 2;
    }

    if (b->size && b24_pool_extend(b->pool, b->data, b->size, size)) {
        b->size = size;
        return;
    }

    p = b24_pnalloc(b->pool, size);
    if (p == NULL) {
        b->failed = 1;
        return;
    }

    if (b->len) {
        memcpy(p, b->data, b->len);
    }

    b->data = p;
    b->size = size;
}


void
b24_buf_add(b24_buf_t *b, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }

    if (b->size - b->len <= len) {
        b24_buf_grow(b, len);
    }

    if (b->failed) {
        return;
    }

    memcpy(b->data + b->len, data, len);
    b->len += len;
}


void
b24_buf_addstr(b24_buf_t *b, const b24_str_t *s)
{
    b24_buf_add(b, s->data, s->len);
}


void
b24_buf_addi(b24_buf_t *b, int64_t n)
{
    char      text[24], *p;
    uint64_t  u;

    p = text + sizeof(text);
    u = (n < 0) ? 0 - (uint64_t) n : (uint64_t) n;

    do {
        *--p = (char) ('0' + u % 10);
        u /= 10;
    } while (u);

    if (n < 0) {
        *--p = '-';
    }

    b24_buf_add(b, p, (size_t) (text + sizeof(text) - p));
}


int
b24_buf_str(b24_buf_t *b, b24_str_t *s)
{
    if (b->size - b->len < 1) {
        b24_buf_grow(b, 1);
    }

    if (b->failed) {
        return B24_ERROR;
    }

    b->data[b->len] = '\0';

    s->data = b->data;
    s->len = b->len;

    return B24_OK;
}


int
b24_str_eqs(const b24_str_t *a, const char *s)
{
    size_t  len;

    len = strlen(s);

    return a->len == len && (len == 0 || memcmp(a->data, s, len) == 0);
}


int
b24_str_caseeq(const b24_str_t *a, const b24_str_t *b)
{
    size_t  i;

    if (a->len != b->len) {
        return 0;
    }

    for (i = 0; i < a->len; i++) {

        if (b24_tolower(a->data[i]) != b24_tolower(b->data[i])) {
            return 0;
        }
    }

    return 1;
}


int
b24_str_caseeqs(const b24_str_t *a, const char *s)
{
    b24_str_t  b;

    b.data = (u_char *) s;
    b.len = strlen(s);

    return b24_str_caseeq(a, &b);
}


void
b24_str_trim(b24_str_t *s)
{
    while (s->len && b24_isspace(s->data[0])) {
        s->data++;
        s->len--;
    }

    while (s->len && b24_isspace(s->data[s->len - 1])) {
        s->len--;
    }
}


ssize_t
b24_str_find(const b24_str_t *s, size_t from, const char *needle)
{
    void    *p;
    size_t   len;

    len = strlen(needle);

    if (from > s->len || s->len - from < len) {
        return -1;
    }

    if (len == 0) {
        return (ssize_t) from;
    }

    p = memmem(s->data + from, s->len - from, needle, len);

    return p ? (u_char *) p - s->data : -1;
}


int
b24_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = b24_tolower(c);

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}


void
b24_hash_hex(uint64_t h, char out[17])
{
    int                i;
    static const char  hex[] = "0123456789abcdef";

    for (i = 15; i >= 0; i--) {
        out[i] = hex[h & 0xf];
        h >>= 4;
    }

    out[16] = '\0';
}


static uint64_t
b24_sip_word(const u_char *p)
{
    int       i;
    uint64_t  w;

    w = 0;

    for (i = 7; i >= 0; i--) {
        w = (w << 8) | p[i];
    }

    return w;
}


static uint64_t
b24_sip_rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}


static void
b24_sip_rounds(uint64_t *v, int n)
{
    while (n--) {
        v[0] += v[1];
        v[1] = b24_sip_rotate(v[1], 13) ^ v[0];
        v[0] = b24_sip_rotate(v[0], 32);
        v[2] += v[3];
        v[3] = b24_sip_rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = b24_sip_rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = b24_sip_rotate(v[1], 17) ^ v[2];
        v[2] = b24_sip_rotate(v[2], 32);
    }
}


static void
b24_sip_mix(b24_sip_t *sip, uint64_t word)
{
    sip->v[3] ^= word;
    b24_sip_rounds(sip->v, 2);
    sip->v[0] ^= word;
}


void
b24_sip_init(b24_sip_t *sip, const u_char key[B24_SIP_KEY])
{
    uint64_t  k0, k1;

    k0 = b24_sip_word(key);
    k1 = b24_sip_word(key + 8);

    sip->v[0] = k0 ^ 0x736f6d6570736575ULL;
    sip->v[1] = k1 ^ 0x646f72616e646f6dULL;
    sip->v[2] = k0 ^ 0x6c7967656e657261ULL;
    sip->v[3] = k1 ^ 0x7465646279746573ULL;
    sip->tail = 0;
    sip->len = 0;
}


void
b24_sip_add(b24_sip_t *sip, const void *data, size_t len)
{
    const u_char  *p, *end;

    p = data;
    end = p + len;

    for ( /* void */ ; p < end; p++) {
        sip->tail |= (uint64_t) *p << (8 * (sip->len & 7));

        if ((++sip->len & 7) == 0) {
            b24_sip_mix(sip, sip->tail);
            sip->tail = 0;
        }
    }
}


uint64_t
b24_sip_end(b24_sip_t *sip)
{
    b24_sip_mix(sip, sip->tail | (sip->len << 56));

    sip->v[2] ^= 0xff;
    b24_sip_rounds(sip->v, 4);

    return sip->v[0] ^ sip->v[1] ^ sip->v[2] ^ sip->v[3];
}
