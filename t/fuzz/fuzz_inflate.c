
/*
 * Compressed answers: bounded, and true for what zlib has written.
 *
 * At most: 8192
 * Aims at: order/b24_inflate.c
 */

#include "b24_text.h"

#include <stdlib.h>
#include <zlib.h>


#define CHECK(cond)  if (!(cond)) { abort(); }
#define MAX          65536


static void
check_round_trip(b24_pool_t *pool, const b24_str_t *src, int bits)
{
    size_t     room;
    z_stream   z;
    b24_str_t  packed, d;

    memset(&z, 0, sizeof(z_stream));

    CHECK(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);

    room = deflateBound(&z, (uLong) src->len);
    packed.data = b24_pnalloc(pool, room);

    z.next_in = src->data;
    z.avail_in = (uInt) src->len;
    z.next_out = packed.data;
    z.avail_out = (uInt) room;

    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    packed.len = z.total_out;
    (void) deflateEnd(&z);

    CHECK(b24_inflate(pool, &packed, src->len, &d) == B24_OK);
    CHECK(b24_str_eq(src, &d));
    CHECK(src->len == 0 || b24_inflate(pool, &packed, src->len - 1, &d) == B24_DECLINED);

    packed.len--;
    CHECK(b24_inflate(pool, &packed, src->len, &d) == B24_DECLINED);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc;
    b24_str_t    src, d;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);

    src.data = (u_char *) data;
    src.len = size;

    rc = b24_inflate(pool, &src, MAX, &d);
    CHECK(rc == B24_OK || rc == B24_DECLINED);
    CHECK(rc != B24_OK || (d.len <= MAX && d.data[d.len] == '\0'));

    check_round_trip(pool, &src, MAX_WBITS + 16);
    check_round_trip(pool, &src, MAX_WBITS);
    check_round_trip(pool, &src, -MAX_WBITS);

    b24_pool_destroy(pool);

    return 0;
}
