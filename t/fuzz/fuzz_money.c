
/*
 * Amounts: what is read is printed and read back as the same value.
 *
 * Aims at: order/b24_money.c base/b24_decimal.c
 */

#include "b24_decimal.h"
#include "b24_text.h"

#include <stdlib.h>


#define CHECK(cond)  if (!(cond)) { abort(); }


static void
check_value(const b24_decimal_t *d)
{
    char           buf[B24_DECIMAL_LEN];
    unsigned       places;
    b24_str_t      s;
    b24_decimal_t  back, sum;

    CHECK(d->scale <= B24_DECIMAL_SCALE);
    CHECK(d->units >= -INT64_MAX);

    for (places = 0; places <= B24_DECIMAL_SCALE; places++) {
        s.data = (u_char *) buf;
        s.len = b24_decimal_print(d, places, buf);

        CHECK(s.len < B24_DECIMAL_LEN && strlen(buf) == s.len);
        CHECK(b24_decimal_parse(&s, &back) == B24_OK);
        CHECK(b24_decimal_cmp(d, &back) == 0);
    }

    CHECK(b24_decimal_sub(d, &back, &sum) == B24_OK);
    CHECK(sum.units == 0);

    if (b24_decimal_add(d, d, &sum) == B24_OK) {
        CHECK(b24_decimal_sub(&sum, d, &sum) == B24_OK);
        CHECK(b24_decimal_cmp(&sum, d) == 0);
    }

    back = *d;

    if (b24_decimal_round(&back, 2) == B24_OK) {
        CHECK(back.scale == 2);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            strict, rc, digits;
    u_char         buf[B24_MONEY_SIGN_LEN];
    b24_str_t      s, none, sign;
    b24_pool_t    *pool;
    b24_decimal_t  d, m;

    pool = b24_pool_create(0);

    s.data = (u_char *) data;
    s.len = size;

    strict = b24_decimal_parse(&s, &d);
    CHECK(strict == B24_OK || strict == B24_DECLINED);

    if (strict == B24_OK) {
        check_value(&d);
    }

    switch (b24_money_parse(pool, &s, (int) (size & 1), &m)) {

    case B24_OK:
        check_value(&m);
        CHECK(strict != B24_OK || (m.units == d.units && m.scale == d.scale));
        break;

    case B24_DECLINED:
        CHECK(strict != B24_OK);
        break;

    default:
        abort();
    }

    none.data = NULL;
    none.len = 0;

    CHECK(b24_text_utf8(pool, &s, &none, &s) == B24_OK);

    rc = b24_money_sign(pool, &s, buf, &sign, &digits);
    CHECK(rc == B24_DECLINED || (rc == B24_OK && sign.len
                                 && b24_utf8_valid(&sign)));

    b24_pool_destroy(pool);

    return 0;
}
