
/*
 * Money and quantities as scaled integers: value = units / 10^scale.
 * Floating point is never used.
 */


#ifndef _B24_DECIMAL_H_INCLUDED_
#define _B24_DECIMAL_H_INCLUDED_


#include "b24_base.h"


#define B24_DECIMAL_SCALE  12       /* the most places kept */
#define B24_DECIMAL_LEN    32       /* enough for any printed value */


typedef struct {
    int64_t   units;
    unsigned  scale;                /* 0 .. B24_DECIMAL_SCALE */
} b24_decimal_t;


/*
 * Strict form: [-+]?digits[.digits] with an optional exponent as JSON allows
 * it.  Places beyond B24_DECIMAL_SCALE, or beyond what 63 bits hold, are
 * rounded half away from zero.  B24_DECLINED when the text is not a number or
 * its integer part does not fit.
 */
int b24_decimal_parse(const b24_str_t *text, b24_decimal_t *d);

/*
 * Any notation a shop prints ("1 234,50 RUB", "1&nbsp;234 &#8381;",
 * "1.234,50", "$1,234.50", "1 990 rub."): a strict number is taken as it is;
 * otherwise entities are decoded, letters, currency signs, blanks (U+0020,
 * U+00A0, U+202F, U+2009) and apostrophes dropped; the last of "." and ","
 * followed by one or two digits at the end is the decimal mark, others group
 * digits.  B24_DECLINED when no number is left.
 */
int b24_money_parse(b24_pool_t *pool, const b24_str_t *text, b24_decimal_t *d);

/* rounds half away from zero to places; scale becomes places */
int b24_decimal_round(b24_decimal_t *d, unsigned places);

/* exact; B24_DECLINED on overflow, then *r is undefined */
int b24_decimal_add(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r);
int b24_decimal_sub(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r);
int b24_decimal_mul(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r);
/* a / b rounded half away from zero to places; B24_DECLINED when b is 0 */
int b24_decimal_div(const b24_decimal_t *a, const b24_decimal_t *b,
    unsigned places, b24_decimal_t *r);
/* value / 10^places, exact by changing the scale (minor units) */
int b24_decimal_shift(b24_decimal_t *d, unsigned places);

/* -1, 0, 1; exact, never overflows */
int b24_decimal_cmp(const b24_decimal_t *a, const b24_decimal_t *b);

/*
 * Canonical text without an exponent, at least places digits after the point,
 * trailing zeros beyond them cut ("1990.00" for places 2, "0.5" for 0).
 * buf holds B24_DECIMAL_LEN bytes; the length without the final zero byte.
 */
size_t b24_decimal_print(const b24_decimal_t *d, unsigned places, char *buf);


#endif /* _B24_DECIMAL_H_INCLUDED_ */
