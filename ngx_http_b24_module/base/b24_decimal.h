
/*
 * Money and quantities as scaled integers: value = units / 10^scale.
 * Floating point is never used.
 */


#ifndef _B24_DECIMAL_H_INCLUDED_
#define _B24_DECIMAL_H_INCLUDED_


#include "b24_base.h"


#define B24_DECIMAL_SCALE  12       /* the most places kept */
#define B24_DECIMAL_LEN    40       /* enough for any printed value */
#define B24_MONEY_SIGN_LEN 16       /* for any sign of a currency */


/*
 * |units| is at most INT64_MAX.  The scale carries no meaning of its own:
 * 1.50 and 1.5 are equal.
 */
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
 * "1.234,50", "$1,234.50", "1 990 rub."): a strict number, blanks around it
 * allowed, is taken as it is; otherwise tags are cut, entities decoded,
 * letters, currency signs, blanks (U+0020, U+00A0, U+202F, U+2009) and
 * apostrophes dropped, and a dot behind a letter with them.  The last of "."
 * and "," followed by one or two digits at the end is the decimal mark, others
 * group digits; but a mark that cannot group is decimal too: an only one with
 * more than three digits before or behind it, or with nothing or a single zero
 * before it ("0,125", "5 969.9999999999 RUB"), or the last one when all the
 * marks before it are of the other kind ("1,234.500").  thousandths: the
 * currency has three places, so that an only mark before three digits is
 * decimal as well ("12.345").
 *
 * B24_DECLINED when no number is left, when there is more than one ("from 100
 * to 200", "12 RUB 50", "1 990 2 490": a blank groups three digits) or when it
 * doesn't fit.  The pool is for scratch.  Defined in order/b24_money.c, since
 * it has to know HTML.
 */
int b24_money_parse(b24_pool_t *pool, const b24_str_t *text, int thousandths,
    b24_decimal_t *d);
/* the same, but it may be a number of percent; *percent: it says so */
int b24_percent_parse(b24_pool_t *pool, const b24_str_t *text,
    b24_decimal_t *d, int *percent);
/*
 * What stands beside the number, or alone, without blanks and marks: "RUB" of
 * "1&nbsp;234,50 RUB", "rub" of "rub.".  B24_DECLINED when it stands on both
 * sides, or is nothing, or is longer than any sign of a currency.  *sign points
 * to buf; *digits: there is a number.
 */
int b24_money_sign(b24_pool_t *pool, const b24_str_t *text,
    u_char buf[B24_MONEY_SIGN_LEN], b24_str_t *sign, int *digits);

/* rounds half away from zero to places (0 .. B24_DECIMAL_SCALE), which becomes
 * the scale; B24_DECLINED when more places do not fit, d is as it was */
int b24_decimal_round(b24_decimal_t *d, unsigned places);

/* exact; B24_DECLINED when the result has more digits or places than can be
 * kept, then *r is undefined.  r may be a or b. */
int b24_decimal_add(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r);
int b24_decimal_sub(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r);
int b24_decimal_mul(const b24_decimal_t *a, const b24_decimal_t *b,
    b24_decimal_t *r);
/* a * b rounded half away from zero to places (0 .. B24_DECIMAL_SCALE), or to
 * fewer where 63 bits don't hold so many; B24_DECLINED when the integer part
 * does not fit.  r may be a or b. */
int b24_decimal_mul_round(const b24_decimal_t *a, const b24_decimal_t *b,
    unsigned places, b24_decimal_t *r);
/* a / b rounded half away from zero to places (0 .. B24_DECIMAL_SCALE);
 * B24_DECLINED when b is 0 or the result does not fit */
int b24_decimal_div(const b24_decimal_t *a, const b24_decimal_t *b,
    unsigned places, b24_decimal_t *r);
/* value / 10^places, exact by changing the scale (minor units); B24_DECLINED
 * when that takes more than B24_DECIMAL_SCALE places, d is as it was */
int b24_decimal_shift(b24_decimal_t *d, unsigned places);

/* -1, 0, 1; exact, never overflows */
int b24_decimal_cmp(const b24_decimal_t *a, const b24_decimal_t *b);

/*
 * Canonical text without an exponent, at least places digits (0 ..
 * B24_DECIMAL_SCALE) after the point, trailing zeros beyond them cut ("1990.00"
 * for places 2, "0.5" for 0); there is no "-0".  buf holds B24_DECIMAL_LEN
 * bytes; returns the length without the final zero byte.
 */
size_t b24_decimal_print(const b24_decimal_t *d, unsigned places, char *buf);


#endif /* _B24_DECIMAL_H_INCLUDED_ */
