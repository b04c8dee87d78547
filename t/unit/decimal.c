
/* Decimals and money: fixed cases, and properties against 128-bit integers. */

#include "tap.h"
#include "b24_decimal.h"


#define CASES  100000


__extension__ typedef __int128  wide_t;


static b24_pool_t  *pool;
static uint64_t     seed = 20240229;


/* xorshift64*: the same cases on every machine */
static uint64_t
rnd(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;

    return seed * 0x2545f4914f6cdd1dULL;
}


/* small and large values alike */
static b24_decimal_t
rnd_decimal(void)
{
    b24_decimal_t  d;

    d.units = (int64_t) (rnd() >> (1 + rnd() % 63));
    d.scale = (unsigned) (rnd() % (B24_DECIMAL_SCALE + 1));

    if (rnd() & 1) {
        d.units = -d.units;
    }

    return d;
}


static wide_t
pow10w(unsigned n)
{
    wide_t  p;

    for (p = 1; n; n--) {
        p *= 10;
    }

    return p;
}


/* the value in units of 10^-12 */
static wide_t
wide(const b24_decimal_t *d)
{
    return (wide_t) d->units * pow10w(B24_DECIMAL_SCALE - d->scale);
}


/* num / den, half away from zero; den > 0 */
static wide_t
rounded(wide_t num, wide_t den)
{
    wide_t  q, r;

    q = num / den;
    r = num % den;

    if (r < 0) {
        return (-r * 2 >= den) ? q - 1 : q;
    }

    return (r * 2 >= den) ? q + 1 : q;
}


/* whether v * 10^-scale can be kept exactly */
static int
fits(wide_t v, unsigned scale)
{
    while (scale && v % 10 == 0) {
        v /= 10;
        scale--;
    }

    return scale <= B24_DECIMAL_SCALE && v <= INT64_MAX && v >= -INT64_MAX;
}


static void
is_parsed(const char *text, const char *want)
{
    int            rc;
    char           buf[B24_DECIMAL_LEN];
    b24_str_t      s;
    b24_decimal_t  d;

    s = str(text);
    rc = b24_decimal_parse(&s, &d);

    if (rc == B24_OK) {
        b24_decimal_print(&d, 0, buf);
    }

    ok(want ? rc == B24_OK && strcmp(buf, want) == 0 : rc == B24_DECLINED, "\"%s\" is %s%s%s", text, want ? want : "no decimal", rc == B24_OK ? ", got " : "", rc == B24_OK ? buf : "");
}


static void
is_amount(const char *text, int thousandths, const char *want)
{
    int            rc;
    char           buf[B24_DECIMAL_LEN];
    b24_str_t      s;
    b24_decimal_t  d;

    s = str(text);
    rc = b24_money_parse(pool, &s, thousandths, &d);

    if (rc == B24_OK) {
        b24_decimal_print(&d, 2, buf);
    }

    ok(want ? rc == B24_OK && strcmp(buf, want) == 0 : rc == B24_DECLINED, "money \"%s\" is %s%s%s", text, want ? want : "none", rc == B24_OK ? ", got " : "", rc == B24_OK ? buf : "");
}


static void
is_money(const char *text, const char *want)
{
    is_amount(text, 0, want);
}


static void
test_parse(void)
{
    b24_str_t      s;
    b24_decimal_t  d;
    char           zeros[5003];

    is_parsed("0", "0");
    is_parsed("-0.00", "0");
    is_parsed("+7", "7");
    is_parsed("1990.00", "1990");
    is_parsed("1490.50", "1490.5");
    is_parsed("007.50", "7.5");
    is_parsed("5969.9999999999", "5969.9999999999");
    is_parsed("1.234", "1.234");
    is_parsed("0.1234567890125", "0.123456789013");
    is_parsed("-0.1234567890125", "-0.123456789013");
    is_parsed("0.1234567890124999999999", "0.123456789012");
    is_parsed("0.0000000000005", "0.000000000001");
    is_parsed("0.0000000000004", "0");
    is_parsed("0.99999999999999", "1");
    is_parsed("1e3", "1000");
    is_parsed("1.5E+2", "150");
    is_parsed("149050e-2", "1490.5");
    is_parsed("-12.5e-1", "-1.25");
    is_parsed("0e999999999999999999999", "0");
    is_parsed("1e-999999999999999999999", "0");
    is_parsed("1e18", "1000000000000000000");
    is_parsed("1e19", NULL);
    is_parsed("1e999999999999999999999", NULL);
    is_parsed("0.0000000000000000000000001e25", "1");
    is_parsed("10000000000000000000000000e-25", "1");
    is_parsed("9223372036854775807", "9223372036854775807");
    is_parsed("-9223372036854775807", "-9223372036854775807");
    is_parsed("9223372036854775808", NULL);
    is_parsed("-9223372036854775808", NULL);
    is_parsed("9223372036854775807.4", "9223372036854775807");
    is_parsed("9223372036854775807.5", NULL);
    is_parsed("12345678.123456789012345", "12345678.12345678901");
    is_parsed("922337203685477580.64", "922337203685477580.6");
    is_parsed("922337203685477580.75", "922337203685477581");
    is_parsed("99999999.999999999999", "100000000");

    is_parsed("", NULL);
    is_parsed("-", NULL);
    is_parsed(".", NULL);
    is_parsed(".5", NULL);
    is_parsed("5.", NULL);
    is_parsed("1.2.3", NULL);
    is_parsed("1,5", NULL);
    is_parsed(" 1", NULL);
    is_parsed("1 ", NULL);
    is_parsed("--1", NULL);
    is_parsed("0x10", NULL);
    is_parsed("1e", NULL);
    is_parsed("1e+", NULL);
    is_parsed("1e1.5", NULL);
    is_parsed("NaN", NULL);
    is_parsed("Infinity", NULL);

    s.data = (u_char *) "1\0" "2";
    s.len = 3;
    is_int(b24_decimal_parse(&s, &d), B24_DECLINED, "a zero byte is no digit");

    s.data = NULL;
    s.len = 0;
    is_int(b24_decimal_parse(&s, &d), B24_DECLINED, "no text at all");

    memset(zeros, '0', 5000);
    memcpy(zeros + 5000, ".5", 3);
    s = str(zeros);
    is_int(b24_decimal_parse(&s, &d) == B24_OK && d.units == 5 && d.scale == 1, 1, "5000 zeros before the point");

    memset(zeros, '9', 5000);
    zeros[1] = '.';
    zeros[5000] = '\0';
    s = str(zeros);
    is_int(b24_decimal_parse(&s, &d) == B24_OK && d.units == 10000000000000 && d.scale == 12, 1, "4998 nines behind it");
}


static void
test_print(void)
{
    char           buf[B24_DECIMAL_LEN];
    size_t         len;
    b24_decimal_t  d;

    d.units = INT64_MIN + 1;
    d.scale = 0;
    len = b24_decimal_print(&d, 12, buf);
    ok(strcmp(buf, "-9223372036854775807.000000000000") == 0, "the longest text: %s", buf);
    is_int((long long) len, (long long) strlen(buf), "its length");

    d.scale = 12;
    b24_decimal_print(&d, 0, buf);
    ok(strcmp(buf, "-9223372.036854775807") == 0, "the most places: %s", buf);

    d.units = 199000;
    d.scale = 2;
    b24_decimal_print(&d, 2, buf);
    ok(strcmp(buf, "1990.00") == 0, "two places: %s", buf);
    b24_decimal_print(&d, 0, buf);
    ok(strcmp(buf, "1990") == 0, "none asked for: %s", buf);
    b24_decimal_print(&d, 3, buf);
    ok(strcmp(buf, "1990.000") == 0, "three places: %s", buf);

    d.units = 5;
    b24_decimal_print(&d, 0, buf);
    ok(strcmp(buf, "0.05") == 0, "zeros behind the point: %s", buf);

    d.units = -500;
    d.scale = 3;
    b24_decimal_print(&d, 2, buf);
    ok(strcmp(buf, "-0.50") == 0, "zeros are cut down to the places asked for: %s", buf);

    d.units = 0;
    d.scale = 12;
    b24_decimal_print(&d, 2, buf);
    ok(strcmp(buf, "0.00") == 0, "zero: %s", buf);
}


static void
test_edges(void)
{
    b24_decimal_t  a, b, r;

    a = (b24_decimal_t) { INT64_MAX, 0 };
    b = (b24_decimal_t) { 1, 0 };
    is_int(b24_decimal_add(&a, &b, &r), B24_DECLINED, "a sum that is too large");
    is_int(b24_decimal_mul(&a, &a, &r), B24_DECLINED, "a product that is too large");

    b = (b24_decimal_t) { 0, 12 };
    is_int(b24_decimal_add(&a, &b, &r), B24_OK, "zero with places added to the largest");
    is_int(b24_decimal_cmp(&r, &a), 0, "... is the largest");

    b = (b24_decimal_t) { 1, 12 };
    is_int(b24_decimal_add(&a, &b, &r), B24_DECLINED, "a sum of too many digits isn't rounded");
    is_int(b24_decimal_cmp(&a, &b), 1, "comparing the largest and the smallest");
    is_int(b24_decimal_mul(&b, &b, &r), B24_DECLINED, "a product of too many places isn't rounded");

    is_int(b24_decimal_mul_round(&b, &b, 12, &r), B24_OK, "... unless it is asked for");
    is_int(r.units, 0, "... to nothing");

    a = (b24_decimal_t) { 59699999999999, 10 };
    b = (b24_decimal_t) { 333, 3 };
    is_int(b24_decimal_mul_round(&a, &b, 6, &r), B24_OK, "noise times a weight");
    is_int(r.units == 1988010000 && r.scale == 6, 1, "... 1988.01");

    a = (b24_decimal_t) { -25, 1 };
    b = (b24_decimal_t) { 1, 0 };
    is_int(b24_decimal_mul_round(&a, &b, 0, &r), B24_OK, "half away from zero");
    is_int(r.units, -3, "... -2.5 is -3");

    a = (b24_decimal_t) { INT64_MAX, 0 };
    b = (b24_decimal_t) { 10000001, 7 };
    is_int(b24_decimal_mul_round(&a, &b, 6, &r), B24_DECLINED, "a rounded product that is too large");
    b = (b24_decimal_t) { 9999999, 7 };
    is_int(b24_decimal_mul_round(&a, &b, 6, &r), B24_OK, "fewer places where there is no room");
    is_int(r.units == 9223371114517572122 && r.scale == 0, 1, "... none here");
    is_int(b24_decimal_mul_round(&a, &b, 13, &r), B24_DECLINED, "a product of more places than there are");

    b = (b24_decimal_t) { 1, 12 };
    is_int(b24_decimal_div(&a, &b, 12, &r), B24_DECLINED, "a quotient that is too large");
    b.units = 0;
    is_int(b24_decimal_div(&a, &b, 2, &r), B24_DECLINED, "division by zero");
    is_int(b24_decimal_div(&a, &a, 13, &r), B24_DECLINED, "more places than there are");

    is_int(b24_decimal_round(&a, 1), B24_DECLINED, "no room for a place more");
    is_int(a.units == INT64_MAX && a.scale == 0, 1, "... and it is as it was");
    is_int(b24_decimal_round(&a, 13), B24_DECLINED, "rounding to more places than there are");

    a = (b24_decimal_t) { 149050, 0 };
    is_int(b24_decimal_shift(&a, 2), B24_OK, "minor units");
    is_int(a.units == 149050 && a.scale == 2, 1, "... 149050 is 1490.50");
    is_int(b24_decimal_shift(&a, 11), B24_OK, "a zero at the end is given up");
    is_int(a.units == 14905 && a.scale == 12, 1, "... when the places end");
    is_int(b24_decimal_shift(&a, 1), B24_DECLINED, "no more places");
    is_int(b24_decimal_shift(&a, 4000000000U), B24_DECLINED, "far too many");
    a.units = 0;
    is_int(b24_decimal_shift(&a, 4000000000U), B24_OK, "zero has room for all");
    is_int(a.scale <= B24_DECIMAL_SCALE, 1, "... and stays in its range");

    a = (b24_decimal_t) { -5, 1 };
    b24_decimal_round(&a, 0);
    is_int(a.units, -1, "-0.5 is rounded to -1");
    a = (b24_decimal_t) { 49, 2 };
    b24_decimal_round(&a, 0);
    is_int(a.units, 0, "0.49 is rounded to 0");
}


static void
test_properties(void)
{
    int            rc;
    int            bad_add, bad_sub, bad_mul, bad_div, bad_cmp, bad_round, bad_text, bad_shift;
    int            divided, added, multiplied;
    char           buf[B24_DECIMAL_LEN];
    size_t         len;
    wide_t         v, w, half;
    unsigned       i, places, scale;
    b24_str_t      s;
    b24_decimal_t  a, b, r;

    bad_add = bad_sub = bad_mul = bad_div = bad_cmp = bad_round = bad_text = bad_shift = 0;
    divided = added = multiplied = 0;

    for (i = 0; i < CASES; i++) {
        a = rnd_decimal();
        b = rnd_decimal();
        places = (unsigned) (rnd() % (B24_DECIMAL_SCALE + 1));

        v = wide(&a) + wide(&b);
        rc = b24_decimal_add(&a, &b, &r);
        bad_add += (rc == B24_OK) != fits(v, B24_DECIMAL_SCALE) || (rc == B24_OK && wide(&r) != v);
        added += (rc == B24_OK);

        v = wide(&a) - wide(&b);
        rc = b24_decimal_sub(&a, &b, &r);
        bad_sub += (rc == B24_OK) != fits(v, B24_DECIMAL_SCALE) || (rc == B24_OK && wide(&r) != v);

        bad_cmp += b24_decimal_cmp(&a, &b) != (wide(&a) > wide(&b)) - (wide(&a) < wide(&b));

        v = (wide_t) a.units * b.units;
        rc = b24_decimal_mul(&a, &b, &r);
        w = (wide_t) r.units;

        if (rc == B24_OK) {
            for (scale = r.scale; scale < a.scale + b.scale; scale++) {
                w *= 10;
            }
        }

        bad_mul += (rc == B24_OK) != fits(v, a.scale + b.scale) || (rc == B24_OK && w != v);
        multiplied += (rc == B24_OK);

        /* |a * b - r| is half of r's last place at most */

        if (b24_decimal_mul_round(&a, &b, places, &r) == B24_OK) {
            w = (wide_t) r.units;
            half = 1;

            for (scale = r.scale; scale < a.scale + b.scale; scale++) {
                w *= 10;
                half *= 10;
            }

            w = w > v ? w - v : v - w;
            bad_mul += w > half / 2 || r.scale > B24_DECIMAL_SCALE || (a.scale + b.scale > places && r.scale > places);
        }

        /* a / b = (a * 10^(places + sb)) / (b * 10^sa), where 128 bits hold it */

        w = (wide_t) (b.units < 0 ? -b.units : b.units) * pow10w(a.scale);
        v = (wide_t) (b.units < 0 ? -a.units : a.units);
        scale = places + b.scale;

        if (b.units && (scale <= 18 || (a.units < 100000 && a.units > -100000))) {
            v = rounded(v * pow10w(scale), w);
            rc = b24_decimal_div(&a, &b, places, &r);
            bad_div += (rc == B24_OK) != (v <= INT64_MAX && v >= -INT64_MAX) || (rc == B24_OK && (r.units != v || r.scale != places));
            divided++;
        }

        r = a;
        v = rounded(wide(&a), pow10w(B24_DECIMAL_SCALE - places));
        rc = b24_decimal_round(&r, places);
        bad_round += (rc == B24_OK) != (v <= INT64_MAX && v >= -INT64_MAX) || (rc == B24_OK ? r.units != v || r.scale != places : r.units != a.units);

        r = a;
        rc = b24_decimal_shift(&r, places);
        v = (wide_t) r.units;

        if (rc == B24_OK) {
            for (scale = r.scale; scale < a.scale + places; scale++) {
                v *= 10;
            }
        }

        bad_shift += (rc == B24_OK) != fits(a.units, a.scale + places) || (rc == B24_OK && a.units && (v != a.units || r.scale > B24_DECIMAL_SCALE));

        len = b24_decimal_print(&a, places, buf);
        s.data = (u_char *) buf;
        s.len = len;
        rc = b24_decimal_parse(&s, &r);

        /* zeros that were asked for may be more than 63 bits hold; the value is the same */
        bad_text += len != strlen(buf) || rc != B24_OK || b24_decimal_cmp(&a, &r) != 0;
    }

    is_int(bad_add, 0, "sums");
    is_int(bad_sub, 0, "differences");
    is_int(bad_cmp, 0, "comparisons");
    is_int(bad_mul, 0, "products");
    is_int(bad_div, 0, "quotients");
    is_int(bad_round, 0, "roundings");
    is_int(bad_shift, 0, "shifts");
    is_int(bad_text, 0, "texts read back");
    ok(divided > CASES / 2 && added > CASES / 2 && multiplied > CASES / 8, "the cases reached all of that: %d %d %d", divided, added, multiplied);
}


/* random digits with a point anywhere against plain long arithmetic */
static void
test_rounding(void)
{
    int            bad;
    char           text[64];
    wide_t         v;
    size_t         n, whole, i;
    unsigned       round;
    b24_str_t      s;
    b24_decimal_t  d;

    bad = 0;

    for (round = 0; round < CASES; round++) {
        whole = 1 + rnd() % 6;
        n = whole + 1 + rnd() % 24;
        v = 0;

        for (i = 0; i < n; i++) {
            text[i + (i >= whole)] = (char) ('0' + rnd() % 10);

            if (i < whole + B24_DECIMAL_SCALE) {
                v = v * 10 + (text[i + (i >= whole)] - '0');
            }
        }

        for (i = n; i < whole + B24_DECIMAL_SCALE; i++) {
            v *= 10;
        }

        text[whole] = '.';
        s.data = (u_char *) text;
        s.len = n + 1;

        if (n > whole + B24_DECIMAL_SCALE && text[whole + 1 + B24_DECIMAL_SCALE] >= '5') {
            v++;
        }

        bad += b24_decimal_parse(&s, &d) != B24_OK || wide(&d) != v;
    }

    is_int(bad, 0, "places beyond the twelfth are rounded");
}


static void
test_money(void)
{
    /* as the recorded shops print it */

    is_money("1\xc2\xa0" "490,50\xc2\xa0\xe2\x82\xbd", "1490.50");
    is_money("1 490,50\xe2\x82\xbd", "1490.50");
    is_money("1 490,50&nbsp;<span class=\"woocommerce-Price-currencySymbol\">&#8381;</span>", "1490.50");
    is_money("<bdi>10 490,50&nbsp;<span class=\"c1 2\">&#8381;</span></bdi>", "10490.50");
    is_money("350,00 \xe2\x82\xbd", "350.00");
    is_money("13,482.00\xe2\x82\xbd", "13482.00");
    is_money("482.00\xe2\x82\xbd", "482.00");
    is_money("$246.40", "246.40");
    is_money("$1,246.40", "1246.40");
    is_money("$7.00", "7.00");
    is_money("1,886.18\xe2\x82\xac", "1886.18");
    is_money("2,173.34\xe2\x82\xac", "2173.34");

    /* as the shops of the references do */

    is_money("1 234,50 \xe2\x82\xbd", "1234.50");
    is_money("1&nbsp;234 &#8381;", "1234.00");
    is_money("1\xe2\x80\xaf" "234,5 \xd1\x80.", "1234.50");
    is_money("1\xe2\x80\x89" "234 \xd1\x80\xd1\x83\xd0\xb1.", "1234.00");
    is_money("1.234,50", "1234.50");
    is_money("$1,234.50", "1234.50");
    is_money("1 990 \xd1\x80\xd1\x83\xd0\xb1.", "1990.00");
    is_money("1990\xd1\x80\xd1\x83\xd0\xb1.", "1990.00");
    is_money("1 990.50\xd1\x80\xd1\x83\xd0\xb1.", "1990.50");
    is_money("1 990,5 \xd1\x80\xd1\x83\xd0\xb1. \xd1\x81 \xd0\x9d\xd0\x94\xd0\xa1", "1990.50");
    is_money("\xd1\x80\xd1\x83\xd0\xb1. 1 990", "1990.00");
    is_money("\xd1\x80\xd1\x83\xd0\xb1.1990", "1990.00");
    is_money("Rs.1,23,456.70", "123456.70");
    is_money("CHF 1'234.50", "1234.50");
    is_money("1\xe2\x80\x99" "234.50", "1234.50");
    is_money("1.490,-", "1490.00");
    is_money("1 990.\xe2\x80\x94", "1990.00");
    is_money("1 234 567,89", "1234567.89");
    is_money("1.234.567", "1234567.00");
    is_money("1,234,567", "1234567.00");
    is_money("1.234,5", "1234.50");
    is_money("RUB 1990", "1990.00");
    is_money("1\xa0" "234,50 \xf0\xf3\xe1.", "1234.50");

    /* a strict number is what it is, however many places it has */

    is_money("1990", "1990.00");
    is_money("5969.9999999999", "5969.9999999999");
    is_money("1.234", "1.234");
    is_money("\t1.234 ", "1.234");
    is_money("0.5", "0.50");
    is_money("2.0000", "2.00");
    is_money("-12.5", "-12.50");
    is_money("1e3", "1000.00");

    /* a lone mark before three digits groups, unless it cannot */

    is_money("1,234", "1234.00");
    is_money("1.234 \xe2\x82\xbd", "1234.00");
    is_money("1,23", "1.23");
    is_money("1,2", "1.20");
    is_money("0,125", "0.125");
    is_money("0,1250", "0.125");
    is_money(",5", "0.50");
    is_money("$.50", "0.50");
    is_money("1,234.500", "1234.50");
    is_money("1.234,567", "1234.567");
    is_money("1234,567", "1234.567");
    is_money("1 234,567", "1234.567");
    is_money("5 969.9999999999 \xe2\x82\xbd", "5969.9999999999");

    /* signs */

    is_money("-500 \xe2\x82\xbd", "-500.00");
    is_money("- 500 \xe2\x82\xbd", "-500.00");
    is_money("-$5.00", "-5.00");
    is_money("$-5.00", "-5.00");
    is_money("\xe2\x88\x92" "500,00", "-500.00");
    is_money("&minus;500,00", "-500.00");
    is_money("Total - 500,00", "500.00");
    is_money("Sale -500,00", "-500.00");
    is_money("+500,00", "500.00");
    is_money("- 0,00 \xe2\x82\xbd", "0.00");

    /* none, or more than one */

    is_money("", NULL);
    is_money("   ", NULL);
    is_money("\xd1\x80\xd1\x83\xd0\xb1.", NULL);
    is_money("free", NULL);
    is_money(".,.,", NULL);
    is_money("&#8381;", NULL);
    is_money("<span class=\"1\"></span>", NULL);
    is_money("from 100 to 200", NULL);
    is_money("100-200", NULL);
    is_money("12\xe2\x82\xac" "50", NULL);
    is_money("1 990 2 490", NULL);
    is_money("<td>1 990</td><td>2 490</td>", NULL);
    is_money("<del>1 990,00 \xe2\x82\xbd</del> <ins>1 490,00 \xe2\x82\xbd</ins>", NULL);
    is_money("20 %", NULL);
    is_money("0,5%", NULL);
    is_money("-10 % \xe2\x82\xbd", NULL);
    is_money("<b style=\"width:20%\">20</b> \xe2\x82\xbd", "20.00");
    is_money("9 223 372 036 854 775 808", NULL);
    is_money("9 223 372 036 854 775 807", "9223372036854775807.00");
    is_money("1,111,111,111,111,111,111,111,111,111,111,111,111,111,111,111,111,111,111,111,111", NULL);
}


/* of a currency with three places */
static void
test_thousandths(void)
{
    is_amount("12.345 KWD", 1, "12.345");
    is_amount("12,345", 1, "12.345");
    is_amount("12.345", 1, "12.345");
    is_amount("KD 1,234", 1, "1.234");
    is_amount("123,456 \xd8\xaf.\xd9\x83", 1, "123.456");
    is_amount("\xe2\x80\x8f\xd8\xaf.\xd9\x83.\xe2\x80\x8f 12.345", 1, "12.345");
    is_amount("1,234.567 KWD", 1, "1234.567");
    is_amount("1.234,567 KWD", 1, "1234.567");
    is_amount("1 234,567 KWD", 1, "1234.567");
    is_amount("1'234'567.890 KWD", 1, "1234567.89");
    is_amount("1 234 KWD", 1, "1234.00");
    is_amount("1,234,567 KWD", 1, "1234567.00");
    is_amount("12.34 KWD", 1, "12.34");
    is_amount("12.5 KWD", 1, "12.50");
    is_amount("12 KWD", 1, "12.00");
    is_amount("12.345 %", 1, NULL);

    /* of any other: a single mark before three digits groups */

    is_amount("12.345 RUB", 0, "12345.00");
    is_amount("\xc2\xa5" "1,234", 0, "1234.00");
    is_amount("12.345 \xe2\x82\xab", 0, "12345.00");
    is_amount("1,234,567 KRW", 0, "1234567.00");
}


static void
is_percent(const char *text, int want, const char *amount)
{
    int            rc, percent;
    char           buf[B24_DECIMAL_LEN];
    b24_str_t      s;
    b24_decimal_t  d;

    s = str(text);
    rc = b24_percent_parse(pool, &s, &d, &percent);

    if (rc == B24_OK) {
        (void) b24_decimal_print(&d, 0, buf);
    }

    ok(rc == B24_OK && percent == want && strcmp(buf, amount) == 0,
       "%s: %s of %s", text, amount, want ? "a hundred" : "anything");
}


static void
test_percent(void)
{
    is_percent("20 %", 1, "20");
    is_percent("0.5%", 1, "0.5");
    is_percent("0,5&nbsp;%", 1, "0.5");
    is_percent("20<small>%</small>", 1, "20");
    is_percent("<b style=\"width:20%\">18</b>", 0, "18");
    is_percent("0.2", 0, "0.2");
    is_percent("VAT 7", 0, "7");
}


static void
test_memory(void)
{
    b24_str_t      s;
    b24_pool_t    *tiny;
    b24_decimal_t  d;

    tiny = b24_pool_create(4);
    s = str("1 490,50 RUB");
    is_int(b24_money_parse(tiny, &s, 0, &d), B24_ERROR, "no memory for money");
    s = str("1490.50");
    is_int(b24_money_parse(tiny, &s, 1, &d), B24_OK, "a plain number needs none");
    b24_pool_destroy(tiny);
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_parse();
    test_print();
    test_edges();
    test_properties();
    test_rounding();
    test_money();
    test_thousandths();
    test_percent();
    test_memory();

    b24_pool_destroy(pool);

    return done_testing();
}
