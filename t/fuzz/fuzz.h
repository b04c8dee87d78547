
/*
 * What targets share: an input read as a plan.  Bytes are choices, so that
 * what the fuzzer changes moves the plan, and the thing under test gets
 * something of the right shape.  Behind its end an input is zeros.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "b24_base.h"


#define ABORT_UNLESS(cond)                                                    \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);        \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
    b24_pool_t     *pool;
} fuzz_t;


static inline void
fuzz_init(fuzz_t *f, const uint8_t *data, size_t size)
{
    f->p = data;
    f->end = data + size;
    f->pool = b24_pool_create(1 << 24);

    ABORT_UNLESS(f->pool != NULL);
}


static inline int
fuzz_more(const fuzz_t *f)
{
    return f->p < f->end;
}


static inline unsigned
fuzz_byte(fuzz_t *f)
{
    return f->p < f->end ? *f->p++ : 0;
}


static inline unsigned
fuzz_below(fuzz_t *f, unsigned n)
{
    return fuzz_byte(f) % n;
}


static inline int64_t
fuzz_int(fuzz_t *f)
{
    unsigned  n;
    uint64_t  v;

    v = 0;

    for (n = fuzz_below(f, 9); n; n--) {
        v = v << 8 | fuzz_byte(f);
    }

    return (int64_t) v;
}


/* as many bytes as the first one says, in memory of exactly that size: a read
 * behind it is seen */
static inline b24_str_t
fuzz_str(fuzz_t *f)
{
    size_t     len;
    b24_str_t  s;

    len = fuzz_byte(f);

    if (len > (size_t) (f->end - f->p)) {
        len = (size_t) (f->end - f->p);
    }

    s.data = b24_pnalloc(f->pool, len ? len : 1);
    s.len = len;

    ABORT_UNLESS(s.data != NULL);
    memcpy(s.data, f->p, len);
    f->p += len;

    return s;
}


/* what is left */
static inline b24_str_t
fuzz_rest(fuzz_t *f)
{
    b24_str_t  s;

    s.data = (u_char *) f->p;
    s.len = (size_t) (f->end - f->p);
    f->p = f->end;

    return s;
}


static inline b24_str_t
fuzz_pick(fuzz_t *f, const char *const *list, size_t n)
{
    b24_str_t  s;

    s.data = (u_char *) list[fuzz_byte(f) % n];
    s.len = strlen((char *) s.data);

    return s;
}


/* the pieces of a list that bytes choose, up to n of them; a byte above the
 * list is itself */
static inline b24_str_t
fuzz_pieces(fuzz_t *f, const char *const *list, size_t nlist, unsigned n)
{
    unsigned   c;
    b24_buf_t  buf;
    b24_str_t  s;

    b24_buf_init(&buf, f->pool);

    for (n = fuzz_byte(f) % (n + 1); n && fuzz_more(f); n--) {
        c = fuzz_byte(f);

        if (c < nlist) {
            b24_buf_adds(&buf, list[c]);

        } else {
            b24_buf_addc(&buf, (u_char) c);
        }
    }

    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    return s;
}


/*
 * JSON that grows from the plan, with the names and values that the target
 * knows of.  Each byte is a node: what it is, how many members it has.
 */
static inline void
fuzz_json(fuzz_t *f, b24_buf_t *out, const char *const *names, size_t nnames,
    const char *const *values, size_t nvalues, int depth)
{
    unsigned  c, n;

    c = fuzz_byte(f);
    n = depth > 0 ? c >> 3 & 7 : 0;

    switch (c & 7) {

    case 0:
    case 1:
    case 2:
        b24_buf_addc(out, '{');

        for ( /* void */ ; n && fuzz_more(f); n--) {
            b24_buf_addc(out, '"');
            b24_buf_adds(out, names[fuzz_byte(f) % nnames]);
            b24_buf_adds(out, "\":");
            fuzz_json(f, out, names, nnames, values, nvalues, depth - 1);
            b24_buf_adds(out, n > 1 && fuzz_more(f) ? "," : "");
        }

        b24_buf_addc(out, '}');
        return;

    case 3:
    case 4:
        b24_buf_addc(out, '[');

        for ( /* void */ ; n && fuzz_more(f); n--) {
            fuzz_json(f, out, names, nnames, values, nvalues, depth - 1);
            b24_buf_adds(out, n > 1 && fuzz_more(f) ? "," : "");
        }

        b24_buf_addc(out, ']');
        return;

    case 5:
        b24_buf_addi(out, fuzz_int(f));
        return;

    default:
        b24_buf_adds(out, values[fuzz_byte(f) % nvalues]);
        return;
    }
}


#endif /* _FUZZ_H_INCLUDED_ */
