
#include "b24_decimal.h"


#define B24_INT64_DIGITS  19
#define B24_EXPONENT_MAX  1000000000


/* holds any product of two values and any value at the highest scale */
__extension__ typedef __int128  b24_int128_t;


/* a scanned number: its digits without leading zeros are digit 0 .. ndigits-1,
 * and the value is 0.DIGITS * 10^point */
typedef struct {
    const u_char  *whole;
    const u_char  *places;
    size_t         nwhole;
    size_t         nplaces;
    size_t         zeros;               /* leading ones, over both */
    int64_t        ndigits;
    int64_t        point;
    unsigned       negative:1;
} b24_number_t;


static int b24_number_scan(const b24_str_t *text, b24_number_t *n);
static size_t b24_number_digits(const b24_str_t *text, size_t i);
static int b24_number_exponent(const b24_str_t *text, size_t i,
    int64_t *exponent);
static unsigned b24_number_digit(const b24_number_t *n, int64_t i);
static int b24_number_units(const b24_number_t *n, unsigned scale,
    int64_t *units);
static int b24_decimal_pack(b24_int128_t v, unsigned scale,
    b24_decimal_t *r);
static unsigned b24_decimal_align(const b24_decimal_t *a,
    const b24_decimal_t *b, b24_int128_t *va, b24_int128_t *vb);


static const int64_t  b24_pow10[B24_DECIMAL_SCALE + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
    1000000000, 10000000000, 100000000000, 1000000000000
};


int
b24_decimal_parse(const b24_str_t *text, b24_decimal_t *d)
{
    int64_t       wanted, units;
    unsigned      scale;
    b24_number_t  n;

    if (b24_number_scan(text, &n) != B24_OK) {
        return B24_DECLINED;
    }

    wanted = n.ndigits - n.point;

    scale = (wanted <= 0) ? 0
            : (wanted > B24_DECIMAL_SCALE) ? B24_DECIMAL_SCALE
            : (unsigned) wanted;

    /* every place given up makes room for one more digit before the point */

    while (b24_number_units(&n, scale, &units) != B24_OK) {

        if (scale == 0) {
            return B24_DECLINED;
        }

        scale--;
    }

    d->units = n.negative ? -units : units;
    d->scale = scale;

    return B24_OK;
}


int
b24_decimal_round(b24_decimal_t *d, unsigned places)
{
    int64_t  pow, rest;

    if (places > B24_DECIMAL_SCALE) {
        return B24_DECLINED;
    }

    if (places >= d->scale) {
        pow = b24_pow10[places - d->scale];

        if (d->units > INT64_MAX / pow || d->units < -(INT64_MAX / pow)) {
            return B24_DECLINED;
        }

        d->units *= pow;
        d->scale = places;

        return B24_OK;
    }

    pow = b24_pow10[d->scale - places];
    rest = d->units % pow;

    d->units /= pow;
    d->scale = places;

    if (rest >= pow / 2) {
        d->units++;

    } else if (rest <= -(pow / 2)) {
        d->units--;
    }

    return B24_OK;
}


int
b24_decimal_add(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r)
{
    unsigned      scale;
    b24_int128_t  va, vb;

    scale = b24_decimal_align(a, b, &va, &vb);

    return b24_decimal_pack(va + vb, scale, r);
}


int
b24_decimal_sub(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r)
{
    unsigned      scale;
    b24_int128_t  va, vb;

    scale = b24_decimal_align(a, b, &va, &vb);

    return b24_decimal_pack(va - vb, scale, r);
}


int
b24_decimal_mul(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r)
{
    return b24_decimal_pack((b24_int128_t) a->units * b->units,
                            a->scale + b->scale, r);
}


int
b24_decimal_mul_round(const b24_decimal_t *a, const b24_decimal_t *b,
    unsigned places, b24_decimal_t *r)
{
    int           digit;
    unsigned      scale;
    b24_int128_t  v;

    v = (b24_int128_t) a->units * b->units;
    scale = a->scale + b->scale;
    digit = 0;

    if (places > B24_DECIMAL_SCALE) {
        return B24_DECLINED;
    }

    while (scale > places
           || (scale && (v >= INT64_MAX || v <= -INT64_MAX)))
    {
        digit = (int) (v % 10);
        v /= 10;
        scale--;
    }

    /* half away from zero: the first digit given up decides */

    v += (digit >= 5) - (digit <= -5);

    return b24_decimal_pack(v, scale, r);
}


int
b24_decimal_div(const b24_decimal_t *a, const b24_decimal_t *b,
    unsigned places, b24_decimal_t *r)
{
    int           shift, negative;
    b24_int128_t  num, den, q, rest;

    if (b->units == 0 || places > B24_DECIMAL_SCALE) {
        return B24_DECLINED;
    }

    negative = (a->units < 0) != (b->units < 0);

    num = (a->units < 0) ? -(b24_int128_t) a->units : a->units;
    den = (b->units < 0) ? -(b24_int128_t) b->units : b->units;

    /* num / den * 10^shift: up to 10^24, hence digit by digit */

    shift = (int) (places + b->scale) - (int) a->scale;

    for ( /* void */ ; shift < 0; shift++) {
        den *= 10;
    }

    q = num / den;
    rest = num % den;

    for ( /* void */ ; shift > 0 && q <= INT64_MAX; shift--) {
        rest *= 10;
        q = q * 10 + rest / den;
        rest %= den;
    }

    if (rest * 2 >= den) {
        q++;
    }

    if (q > INT64_MAX) {
        return B24_DECLINED;
    }

    r->units = (int64_t) (negative ? -q : q);
    r->scale = places;

    return B24_OK;
}


int
b24_decimal_shift(b24_decimal_t *d, unsigned places)
{
    if (d->units == 0) {
        d->scale = 0;
        return B24_OK;
    }

    /* no value has more zeros at its end to give */

    if (places > B24_INT64_DIGITS + B24_DECIMAL_SCALE) {
        return B24_DECLINED;
    }

    return b24_decimal_pack(d->units, d->scale + places, d);
}


int
b24_decimal_cmp(const b24_decimal_t *a, const b24_decimal_t *b)
{
    b24_int128_t  va, vb;

    (void) b24_decimal_align(a, b, &va, &vb);

    return (va > vb) - (va < vb);
}


size_t
b24_decimal_print(const b24_decimal_t *d, unsigned places, char *buf)
{
    char      *p, *q, digits[B24_INT64_DIGITS + B24_DECIMAL_SCALE + 2];
    uint64_t   units;
    unsigned   i, n;

    if (places > B24_DECIMAL_SCALE) {
        places = B24_DECIMAL_SCALE;
    }

    units = (d->units < 0) ? 0 - (uint64_t) d->units : (uint64_t) d->units;

    /* backwards from the last digit, with one before the point at least */

    p = digits + sizeof(digits);
    n = d->scale;

    for ( /* void */ ; n > places && units % 10 == 0; n--) {
        units /= 10;
    }

    q = buf;

    if (d->units < 0) {
        *q++ = '-';
    }

    if (n) {
        for (i = 0; i < n; i++) {
            *--p = (char) ('0' + units % 10);
            units /= 10;
        }

        *--p = '.';
    }

    do {
        *--p = (char) ('0' + units % 10);
        units /= 10;
    } while (units);

    memcpy(q, p, (size_t) (digits + sizeof(digits) - p));
    q += digits + sizeof(digits) - p;

    if (n == 0 && places) {
        *q++ = '.';
    }

    for ( /* void */ ; n < places; n++) {
        *q++ = '0';
    }

    *q = '\0';

    return (size_t) (q - buf);
}


/* [-+]?digits[.digits][(e|E)[-+]?digits] */
static int
b24_number_scan(const b24_str_t *text, b24_number_t *n)
{
    size_t   i, len;
    int64_t  exponent;

    memset(n, 0, sizeof(b24_number_t));

    i = 0;

    if (text->len && (text->data[0] == '-' || text->data[0] == '+')) {
        n->negative = (text->data[0] == '-');
        i++;
    }

    n->nwhole = b24_number_digits(text, i);

    if (n->nwhole == 0) {
        return B24_DECLINED;
    }

    n->whole = text->data + i;
    i += n->nwhole;

    if (i < text->len && text->data[i] == '.') {
        n->nplaces = b24_number_digits(text, ++i);

        if (n->nplaces == 0) {
            return B24_DECLINED;
        }

        n->places = text->data + i;
        i += n->nplaces;
    }

    if (b24_number_exponent(text, i, &exponent) != B24_OK) {
        return B24_DECLINED;
    }

    len = n->nwhole + n->nplaces;

    while (n->zeros < len && b24_number_digit(n, 0) == 0) {
        n->zeros++;
    }

    n->ndigits = (int64_t) (len - n->zeros);
    n->point = (int64_t) n->nwhole - (int64_t) n->zeros + exponent;

    if (n->ndigits == 0) {                  /* 0e9 is as good as 0 */
        n->point = -(int64_t) n->nplaces;
    }

    return B24_OK;
}


static size_t
b24_number_digits(const b24_str_t *text, size_t i)
{
    size_t  from;

    for (from = i; i < text->len && b24_isdigit(text->data[i]); i++) {
        /* void */
    }

    return i - from;
}


/* what is left from i on; 0 when nothing is */
static int
b24_number_exponent(const b24_str_t *text, size_t i, int64_t *exponent)
{
    size_t    n;
    unsigned  negative;

    *exponent = 0;

    if (i == text->len) {
        return B24_OK;
    }

    if (b24_tolower(text->data[i]) != 'e') {
        return B24_DECLINED;
    }

    i++;
    negative = 0;

    if (i < text->len && (text->data[i] == '-' || text->data[i] == '+')) {
        negative = (text->data[i] == '-');
        i++;
    }

    n = b24_number_digits(text, i);

    if (n == 0 || i + n != text->len) {
        return B24_DECLINED;
    }

    for ( /* void */ ; i < text->len; i++) {
        *exponent = *exponent * 10 + (text->data[i] - '0');

        if (*exponent > B24_EXPONENT_MAX) {
            *exponent = B24_EXPONENT_MAX;
        }
    }

    if (negative) {
        *exponent = -*exponent;
    }

    return B24_OK;
}


static unsigned
b24_number_digit(const b24_number_t *n, int64_t i)
{
    size_t  at;

    at = n->zeros + (size_t) i;

    return (at < n->nwhole) ? n->whole[at] - '0'
                            : n->places[at - n->nwhole] - '0';
}


/* the magnitude at this scale, rounded half away from zero */
static int
b24_number_units(const b24_number_t *n, unsigned scale, int64_t *units)
{
    int64_t   i, len;
    uint64_t  v;

    len = n->point + scale;                 /* digits taken */

    if (n->ndigits == 0 || len < 0) {
        *units = 0;
        return B24_OK;
    }

    if (len > B24_INT64_DIGITS) {
        return B24_DECLINED;
    }

    v = 0;

    for (i = 0; i < len; i++) {
        v = v * 10 + (i < n->ndigits ? b24_number_digit(n, i) : 0);
    }

    if (len < n->ndigits && b24_number_digit(n, len) >= 5) {
        v++;
    }

    if (v > INT64_MAX) {
        return B24_DECLINED;
    }

    *units = (int64_t) v;

    return B24_OK;
}


/* zeros at the end are given up where that makes the value fit */
static int
b24_decimal_pack(b24_int128_t v, unsigned scale, b24_decimal_t *r)
{
    while (scale > B24_DECIMAL_SCALE
           || (scale && (v > INT64_MAX || v < -INT64_MAX)))
    {
        if (v % 10) {
            return B24_DECLINED;
        }

        v /= 10;
        scale--;
    }

    if (v > INT64_MAX || v < -INT64_MAX) {
        return B24_DECLINED;
    }

    r->units = (int64_t) v;
    r->scale = scale;

    return B24_OK;
}


/* units of both at the higher scale of the two */
static unsigned
b24_decimal_align(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_int128_t *va, b24_int128_t *vb)
{
    unsigned  scale;

    scale = (a->scale > b->scale) ? a->scale : b->scale;

    *va = (b24_int128_t) a->units * b24_pow10[scale - a->scale];
    *vb = (b24_int128_t) b->units * b24_pow10[scale - b->scale];

    return scale;
}
