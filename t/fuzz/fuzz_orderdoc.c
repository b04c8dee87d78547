
/*
 * The queue's document of an order: what is read is printed and read back.
 *
 * Aims at: order/b24_order.c order/b24_order_json.c
 */

#include "b24_order.h"
#include "b24_text.h"

#include <stdlib.h>


#define CHECK(cond)  if (!(cond)) { abort(); }


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           rc;
    char          a[17], b[17];
    b24_str_t     json, first, second;
    b24_pool_t   *pool;
    b24_order_t  *o, *back;

    pool = b24_pool_create(0);

    json.data = (u_char *) data;
    json.len = size;

    rc = b24_order_parse(pool, &json, &o);
    CHECK(rc == B24_OK || rc == B24_DECLINED);

    if (rc == B24_OK) {
        CHECK(b24_order_print(pool, o, &first) == B24_OK);
        CHECK(b24_order_parse(pool, &first, &back) == B24_OK);
        CHECK(b24_order_print(pool, back, &second) == B24_OK);

        /* two names that are no UTF-8 may become one when they are printed */

        CHECK(b24_str_eq(&first, &second) || !b24_utf8_valid(&json));

        CHECK(b24_order_parse(pool, &second, &back) == B24_OK);
        CHECK(b24_order_print(pool, back, &first) == B24_OK);
        CHECK(b24_str_eq(&first, &second));
        CHECK(back->nitems == o->nitems);

        b24_order_fingerprint(o, a);
        CHECK(strspn(a, "0123456789abcdef") == 16 && a[16] == '\0');
        b24_order_fingerprint(o, b);
        CHECK(memcmp(a, b, sizeof(a)) == 0);
    }

    b24_pool_destroy(pool);

    return 0;
}
