
#include "b24_decimal.h"
#include "b24_text.h"


/* digits and marks of one amount; a shop prints far fewer */
#define B24_MONEY_LEN  64


typedef enum {
    B24_MONEY_DIGIT = 0,
    B24_MONEY_MARK,                 /* "." or "," */
    B24_MONEY_BLANK,                /* apostrophes too: both group digits */
    B24_MONEY_MINUS,
    B24_MONEY_SIGN,                 /* of a currency */
    B24_MONEY_LETTER,
    B24_MONEY_PERCENT,
    B24_MONEY_OTHER
} b24_money_e;


typedef struct {
    u_char       text[B24_MONEY_LEN];
    size_t       len;
    unsigned     digits:1;          /* there has been one */
    unsigned     gap:1;             /* something stands behind the digits */
    unsigned     words:1;           /* letters stand before them */
    unsigned     negative:1;
    unsigned     percent:1;
} b24_money_t;


static int b24_money_read(b24_pool_t *pool, const b24_str_t *text,
    int thousandths, b24_decimal_t *d, int *percent);
static int b24_money_scan(const b24_str_t *text, b24_money_t *m);
static int b24_money_digit(b24_money_t *m, b24_money_e before,
    const u_char *p, const u_char *end);
static void b24_money_mark(b24_money_t *m, u_char c, b24_money_e before,
    b24_money_e after);
static b24_money_e b24_money_class(uint32_t c);
static b24_money_e b24_money_peek(const u_char *p, const u_char *end);
static size_t b24_money_decimal_mark(const b24_money_t *m, int thousandths);


int
b24_money_parse(b24_pool_t *pool, const b24_str_t *text, int thousandths,
    b24_decimal_t *d)
{
    int  rc, percent;

    rc = b24_money_read(pool, text, thousandths, d, &percent);

    return (rc == B24_OK && percent) ? B24_DECLINED : rc;
}


int
b24_percent_parse(b24_pool_t *pool, const b24_str_t *text, b24_decimal_t *d,
    int *percent)
{
    return b24_money_read(pool, text, 0, d, percent);
}


static int
b24_money_read(b24_pool_t *pool, const b24_str_t *text, int thousandths,
    b24_decimal_t *d, int *percent)
{
    u_char       buf[B24_MONEY_LEN + 2];
    size_t       i, n, mark;
    b24_str_t    s, none;
    b24_money_t  m;

    s = *text;
    b24_str_trim(&s);

    *percent = 0;

    if (b24_decimal_parse(&s, d) == B24_OK) {
        return B24_OK;
    }

    none.data = NULL;
    none.len = 0;

    if (b24_text_utf8(pool, &s, &none, &s) != B24_OK
        || b24_text_strip(pool, &s, &s) != B24_OK)
    {
        return B24_ERROR;
    }

    if (b24_money_scan(&s, &m) != B24_OK) {
        return B24_DECLINED;
    }

    mark = b24_money_decimal_mark(&m, thousandths);

    n = 0;

    if (m.negative) {
        buf[n++] = '-';
    }

    if (mark == 0) {
        buf[n++] = '0';                     /* ".50" */
    }

    for (i = 0; i < m.len; i++) {

        if (i == mark) {
            buf[n++] = '.';

        } else if (b24_isdigit(m.text[i])) {
            buf[n++] = m.text[i];
        }
    }

    s.data = buf;
    s.len = n;

    *percent = m.percent;

    return b24_decimal_parse(&s, d);
}


int
b24_money_sign(b24_pool_t *pool, const b24_str_t *text,
    u_char buf[B24_MONEY_SIGN_LEN], b24_str_t *sign, int *digits)
{
    int            split;           /* digits stand behind some of it */
    b24_str_t      s;
    b24_money_e    class;
    const u_char  *p, *from, *end;

    sign->data = buf;
    sign->len = 0;
    *digits = 0;
    split = 0;

    if (b24_text_strip(pool, text, &s) != B24_OK) {
        return B24_ERROR;
    }

    p = s.data;
    end = p + s.len;

    while (p < end) {
        from = p;
        class = b24_money_class(b24_utf8_next(&p, end));

        if (class == B24_MONEY_DIGIT) {
            *digits = 1;
            split = sign->len != 0;
        }

        if (class < B24_MONEY_SIGN) {
            continue;
        }

        if (split
            || sign->len + (size_t) (p - from) > B24_MONEY_SIGN_LEN)
        {
            return B24_DECLINED;
        }

        memcpy(buf + sign->len, from, (size_t) (p - from));
        sign->len += (size_t) (p - from);
    }

    return sign->len ? B24_OK : B24_DECLINED;
}


/* what is left of text when all but digits and marks is dropped */
static int
b24_money_scan(const b24_str_t *text, b24_money_t *m)
{
    b24_money_e    before, class, after;
    const u_char  *p, *from, *end;

    memset(m, 0, sizeof(b24_money_t));

    if (text->len == 0) {
        return B24_DECLINED;
    }

    before = B24_MONEY_BLANK;
    p = text->data;
    end = p + text->len;

    for ( /* void */ ; p < end; before = class) {
        from = p;
        class = b24_money_class(b24_utf8_next(&p, end));
        after = b24_money_peek(p, end);

        switch (class) {

        case B24_MONEY_DIGIT:
            if (b24_money_digit(m, before, from, end) != B24_OK) {
                return B24_DECLINED;
            }

            break;

        case B24_MONEY_MARK:
            b24_money_mark(m, *from, before, after);
            break;

        case B24_MONEY_BLANK:
            break;

        case B24_MONEY_MINUS:

            /* "-500", "- $5.00", "Sale -500"; but "Total - 500" is a dash */

            if (!m->digits
                && (!m->words || after == B24_MONEY_DIGIT
                    || after == B24_MONEY_SIGN))
            {
                m->negative = 1;
            }

            m->gap = m->digits;
            break;

        default:
            m->gap = m->digits;
            m->words |= (class == B24_MONEY_LETTER);
            m->percent |= (class == B24_MONEY_PERCENT);
        }
    }

    /* a mark behind the last digit belongs to the words: "1 990.- Fr." */

    while (m->len && !b24_isdigit(m->text[m->len - 1])) {
        m->len--;
    }

    return m->digits ? B24_OK : B24_DECLINED;
}


static int
b24_money_digit(b24_money_t *m, b24_money_e before, const u_char *p,
    const u_char *end)
{
    size_t  n;

    if (m->gap || m->len == B24_MONEY_LEN) {
        return B24_DECLINED;                /* a second number, or no amount */
    }

    /* a blank groups thousands; "1 990 2 490" are two numbers */

    if (before == B24_MONEY_BLANK && m->len
        && b24_isdigit(m->text[m->len - 1]))
    {
        for (n = 1; p + n < end && b24_isdigit(p[n]); n++) {
            /* void */
        }

        if (n != 3) {
            return B24_DECLINED;
        }
    }

    m->text[m->len++] = *p;
    m->digits = 1;

    return B24_OK;
}


static void
b24_money_mark(b24_money_t *m, u_char c, b24_money_e before, b24_money_e after)
{
    if (m->gap || before == B24_MONEY_LETTER) {
        return;                             /* the dot of "rub." */
    }

    if (!m->digits && after != B24_MONEY_DIGIT) {
        return;
    }

    /* no room: the digit that follows finds that out, if there is one */

    if (m->len < B24_MONEY_LEN) {
        m->text[m->len++] = c;
    }
}


static b24_money_e
b24_money_class(uint32_t c)
{
    if (c < 0x80) {

        if (b24_isdigit((u_char) c)) {
            return B24_MONEY_DIGIT;
        }

        if (c == '.' || c == ',') {
            return B24_MONEY_MARK;
        }

        if (b24_isspace((u_char) c) || c == '\'') {
            return B24_MONEY_BLANK;
        }

        if (c == '-') {
            return B24_MONEY_MINUS;
        }

        if (c == '$') {
            return B24_MONEY_SIGN;
        }

        if (c == '%') {
            return B24_MONEY_PERCENT;
        }

        c = b24_tolower((u_char) c);

        return (c >= 'a' && c <= 'z') ? B24_MONEY_LETTER : B24_MONEY_OTHER;
    }

    /* no-break and thin spaces, marks of direction, typographic apostrophes */

    if (c == 0xa0 || (c >= 0x2000 && c <= 0x200f) || c == 0x202f
        || c == 0x2018 || c == 0x2019 || c == 0x02bc)
    {
        return B24_MONEY_BLANK;
    }

    if (c == 0x2212 || c == 0x2012 || c == 0x2013) {
        return B24_MONEY_MINUS;
    }

    if ((c >= 0xa2 && c <= 0xa5) || (c >= 0x20a0 && c <= 0x20cf)
        || c == 0x0e3f || c == 0xfdfc || c == 0xff04 || c == 0xffe5)
    {
        return B24_MONEY_SIGN;
    }

    return (c == B24_UTF8_BAD) ? B24_MONEY_OTHER : B24_MONEY_LETTER;
}


static b24_money_e
b24_money_peek(const u_char *p, const u_char *end)
{
    return (p == end) ? B24_MONEY_BLANK
                      : b24_money_class(b24_utf8_next(&p, end));
}


/* where the decimal mark is, m->len when there is none */
static size_t
b24_money_decimal_mark(const b24_money_t *m, int thousandths)
{
    size_t  i, last, behind, same, other;

    for (last = m->len; last > 0; last--) {

        if (!b24_isdigit(m->text[last - 1])) {
            break;
        }
    }

    if (last-- == 0) {
        return m->len;
    }

    behind = m->len - last - 1;

    if (behind < 3) {                       /* 1 or 2: m ends with a digit */
        return last;
    }

    same = 0;
    other = 0;

    for (i = 0; i < last; i++) {
        same += (m->text[i] == m->text[last]);
        other += (!b24_isdigit(m->text[i]) && m->text[i] != m->text[last]);
    }

    if (same) {
        return m->len;                      /* "1.234.567" */
    }

    /* "1,234.500"; "1234.567"; "5969.9999999999"; "0,125"; ".500" */

    if (thousandths || other || last == 0 || last > 3 || behind > 3
        || (last == 1 && m->text[0] == '0'))
    {
        return last;
    }

    return m->len;
}
