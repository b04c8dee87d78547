
#include "b24_text.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>


#define B24_INFLATE_MIN   4096
#define B24_INFLATE_GZIP  (MAX_WBITS + 16)
#define B24_INFLATE_ZLIB  MAX_WBITS
#define B24_INFLATE_RAW   (-MAX_WBITS)


/* grows by malloc() and not by the pool, which could not take back what a
 * growing buffer leaves behind */
typedef struct {
    u_char  *data;
    size_t   len;
    size_t   size;
    size_t   max;
} b24_inflate_out_t;


static int b24_inflate_as(const b24_str_t *src, int bits,
    b24_inflate_out_t *out);
static int b24_inflate_run(z_stream *z, b24_inflate_out_t *out);
static int b24_inflate_room(b24_inflate_out_t *out);


int
b24_inflate(b24_pool_t *pool, const b24_str_t *src, size_t max, b24_str_t *dst)
{
    int                rc;
    const u_char      *p;
    b24_inflate_out_t  out;

    memset(&out, 0, sizeof(b24_inflate_out_t));
    out.max = max;

    p = src->data;

    if (src->len > 1 && p[0] == 0x1f && p[1] == 0x8b) {
        rc = b24_inflate_as(src, B24_INFLATE_GZIP, &out);

    } else {
        rc = B24_DECLINED;

        /* a raw stream may begin like zlib's header by accident */

        if (src->len > 1 && (p[0] & 0xf) == 8 && (p[0] << 8 | p[1]) % 31 == 0) {
            rc = b24_inflate_as(src, B24_INFLATE_ZLIB, &out);
        }

        if (rc == B24_DECLINED) {
            out.len = 0;
            rc = b24_inflate_as(src, B24_INFLATE_RAW, &out);
        }
    }

    if (rc == B24_OK) {
        rc = b24_pstrdup(pool, dst, out.data, out.len);
    }

    free(out.data);

    return rc;
}


static int
b24_inflate_as(const b24_str_t *src, int bits, b24_inflate_out_t *out)
{
    int       rc;
    z_stream  z;

    if (src->len > UINT_MAX) {
        return B24_DECLINED;
    }

    memset(&z, 0, sizeof(z_stream));
    z.next_in = src->data;
    z.avail_in = (uInt) src->len;

    rc = inflateInit2(&z, bits);

    if (rc != Z_OK) {
        return B24_ERROR;                   /* memory */
    }

    rc = b24_inflate_run(&z, out);

    /*
     * Members of gzip follow one another.  A raw stream has no check sum, so it
     * must at least end where src does.
     */

    while (rc == B24_OK && bits == B24_INFLATE_GZIP && z.avail_in > 1
           && z.next_in[0] == 0x1f && z.next_in[1] == 0x8b)
    {
        rc = (inflateReset(&z) == Z_OK) ? b24_inflate_run(&z, out)
                                        : B24_ERROR;
    }

    if (rc == B24_OK && bits == B24_INFLATE_RAW && z.avail_in) {
        rc = B24_DECLINED;
    }

    (void) inflateEnd(&z);

    return rc;
}


/* one stream up to its end */
static int
b24_inflate_run(z_stream *z, b24_inflate_out_t *out)
{
    int     rc;
    size_t  room;

    for ( ;; ) {

        rc = b24_inflate_room(out);
        if (rc != B24_OK) {
            return rc;
        }

        room = out->size - out->len;

        if (room > UINT_MAX) {
            room = UINT_MAX;
        }

        z->next_out = out->data + out->len;
        z->avail_out = (uInt) room;

        rc = inflate(z, Z_NO_FLUSH);

        out->len += room - z->avail_out;

        if (out->len > out->max) {
            return B24_DECLINED;
        }

        if (rc == Z_STREAM_END) {
            return B24_OK;
        }

        if (rc == Z_MEM_ERROR) {
            return B24_ERROR;
        }

        /* with room left, Z_OK or Z_BUF_ERROR mean that the input has ended */

        if ((rc != Z_OK && rc != Z_BUF_ERROR) || z->avail_out) {
            return B24_DECLINED;
        }
    }
}


/* room for one byte at least; up to one byte more than max, which tells an
 * output that is too large from one that just fits */
static int
b24_inflate_room(b24_inflate_out_t *out)
{
    size_t   size, limit;
    u_char  *p;

    if (out->len < out->size) {
        return B24_OK;
    }

    limit = (out->max < SIZE_MAX) ? out->max + 1 : SIZE_MAX;

    size = (out->size < B24_INFLATE_MIN) ? B24_INFLATE_MIN
           : (out->size > limit / 2) ? limit
           : out->size * 2;

    if (size > limit) {
        size = limit;
    }

    p = realloc(out->data, size);
    if (p == NULL) {
        return B24_ERROR;
    }

    out->data = p;
    out->size = size;

    return B24_OK;
}
