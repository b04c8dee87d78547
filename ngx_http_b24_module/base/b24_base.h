
/*
 * Strings, pools and growing buffers shared by every room that knows no
 * nginx.
 */


#ifndef _B24_BASE_H_INCLUDED_
#define _B24_BASE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>


#define B24_OK        0
#define B24_ERROR    -1         /* out of memory or out of the pool's limit */
#define B24_DECLINED -5         /* the input is not what was asked for */


/*
 * The nginx side defines B24_STR_T as ngx_str_t, a structure of the same
 * members and so of a compatible type: its strings pass without a copy.
 */

#ifdef B24_STR_T

typedef B24_STR_T  b24_str_t;

#else

typedef struct {
    size_t   len;
    u_char  *data;              /* not terminated unless a function says so */
} b24_str_t;

#endif


#define b24_string(s)      { sizeof(s) - 1, (u_char *) (s) }
#define b24_null_string    { 0, NULL }


typedef struct b24_pool_s  b24_pool_t;


/*
 * A pool is a list of malloc()ed blocks freed together.  One thread at a
 * time may use it; it may travel between threads.  limit is the most bytes
 * it hands out, 0 means no limit; beyond it allocations return NULL, as when
 * memory is exhausted.
 */
b24_pool_t *b24_pool_create(size_t limit);
/* What is in it stays until it was destroyed once more, in any thread: who has
 * shared it may read what was there then, and takes nothing from it. */
b24_pool_t *b24_pool_share(b24_pool_t *pool);
void b24_pool_destroy(b24_pool_t *pool);
size_t b24_pool_used(const b24_pool_t *pool);

/* aligned for any type; b24_pnalloc() is for bytes and not aligned */
void *b24_palloc(b24_pool_t *pool, size_t size);
void *b24_pcalloc(b24_pool_t *pool, size_t size);
void *b24_pnalloc(b24_pool_t *pool, size_t size);

/*
 * The list of n elements of that size with room for one more: itself, or a copy
 * for twice as many; NULL: no memory.  A list that begins (n is 0) has room for
 * four.
 */
void *b24_pgrow(b24_pool_t *pool, void *list, size_t n, size_t size);

/* copies, with a zero byte that len does not count; B24_OK or B24_ERROR */
int b24_pstrdup(b24_pool_t *pool, b24_str_t *dst, const u_char *data,
    size_t len);


/*
 * A growing byte buffer.  Errors are sticky: after a failed allocation
 * nothing is added, b24_buf_str() returns B24_ERROR, so that callers check
 * once at the end.
 */
typedef struct {
    b24_pool_t  *pool;
    u_char      *data;
    size_t       len;
    size_t       size;
    unsigned     failed:1;
} b24_buf_t;


void b24_buf_init(b24_buf_t *b, b24_pool_t *pool);
void b24_buf_add(b24_buf_t *b, const void *data, size_t len);
void b24_buf_addstr(b24_buf_t *b, const b24_str_t *s);
void b24_buf_addi(b24_buf_t *b, int64_t n);
/* the bytes so far, terminated; they stay valid until the next addition */
int b24_buf_str(b24_buf_t *b, b24_str_t *s);


static inline void
b24_buf_addc(b24_buf_t *b, u_char c)
{
    if (b->size - b->len > 1 && !b->failed) {
        b->data[b->len++] = c;
        return;
    }

    b24_buf_add(b, &c, 1);
}


static inline void
b24_buf_adds(b24_buf_t *b, const char *s)
{
    b24_buf_add(b, s, strlen(s));
}


static inline int
b24_str_eq(const b24_str_t *a, const b24_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


int b24_str_eqs(const b24_str_t *a, const char *s);
/* ASCII case is ignored, other bytes must be the same */
int b24_str_caseeq(const b24_str_t *a, const b24_str_t *b);
int b24_str_caseeqs(const b24_str_t *a, const char *s);
/* cuts ASCII blanks at both ends, in place of the pointers only */
void b24_str_trim(b24_str_t *s);
/* position of needle at or after from, -1 when there is none */
ssize_t b24_str_find(const b24_str_t *s, size_t from, const char *needle);


static inline u_char
b24_tolower(u_char c)
{
    return (c >= 'A' && c <= 'Z') ? (u_char) (c | 0x20) : c;
}


static inline int
b24_isdigit(u_char c)
{
    return c >= '0' && c <= '9';
}


static inline int
b24_isspace(u_char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}


/* value of a hexadecimal digit, -1 when it is none */
int b24_hex(u_char c);


/* FNV-1a of 64 bits: h is B24_HASH_START, or what an earlier call returned.
 * It tells texts apart, but not against who wants two to be equal. */
#define B24_HASH_START  0xcbf29ce484222325ULL

static inline uint64_t
b24_hash(uint64_t h, const void *data, size_t len)
{
    size_t         i;
    const u_char  *p;

    p = (const u_char *) data;

    for (i = 0; i < len; i++) {
        h = (h ^ p[i]) * 0x100000001b3ULL;
    }

    return h;
}


/* 16 hexadecimal digits, terminated */
void b24_hash_hex(uint64_t h, char out[17]);


/*
 * SipHash-2-4 of 64 bits (Aumasson, Bernstein: SipHash, 2012): keyed, for texts
 * that others choose.  The bytes may come in pieces of any size; the result is
 * that of the whole.
 */
#define B24_SIP_KEY  16

typedef struct {
    uint64_t  v[4];
    uint64_t  tail;             /* bytes that don't make a word yet */
    uint64_t  len;
} b24_sip_t;

void b24_sip_init(b24_sip_t *sip, const u_char key[B24_SIP_KEY]);
void b24_sip_add(b24_sip_t *sip, const void *data, size_t len);
/* sip is used up */
uint64_t b24_sip_end(b24_sip_t *sip);


#endif /* _B24_BASE_H_INCLUDED_ */
