
/*
 * What tells a buyer from another: phone, e-mail, INN.  The portal compares
 * phones digit by digit, so every notation of a number must become the same
 * text; the rule is in docs/mapping.md.
 */


#include "b24_crm.h"


#define B24_PHONE_MIN       8       /* digits with the country code */
#define B24_PHONE_MAX       15      /* E.164 */
#define B24_PHONE_NATIONAL  7       /* digits without the country code */
#define B24_PHONE_DIGITS    48      /* of one number as typed */
#define B24_PHONE_GAPS      24
#define B24_CODE_MAX        4

#define B24_EMAIL_MAX       250     /* characters, bitrix24-rest.md §10 */
#define B24_EMAIL_LOCAL     64
#define B24_EMAIL_TOP       20      /* the top label */


/*
 * Dialling plans that differ from "a national number begins with 0, which is
 * left out": trunk is what stands before a national number, length its digits
 * (0: they vary).
 */
typedef struct {
    const char  *code;
    const char  *trunk;
    const char  *abroad;            /* dialled before another country's code */
    size_t       length;
} b24_dialling_t;


/* one number as it was typed: its digits and where it had gaps */
typedef struct {
    u_char    digits[B24_PHONE_DIGITS];
    size_t    n;
    size_t    gaps[B24_PHONE_GAPS];
    size_t    ngaps;
    unsigned  plus:1;
} b24_typed_t;


static size_t b24_phone_scan(const b24_str_t *text, size_t from,
    b24_typed_t *typed);
static size_t b24_phone_blank(const b24_str_t *text, size_t i);
static int b24_phone_number(const b24_typed_t *typed, size_t n,
    const b24_str_t *code, u_char *out, size_t *len);
static int b24_phone_national(const b24_dialling_t *plan,
    const b24_str_t *code, const u_char *d, size_t n, u_char *out,
    size_t *len);
static int b24_phone_full(const b24_dialling_t *plan, const b24_str_t *code,
    const u_char *d, size_t n, u_char *out, size_t *len);
static const b24_dialling_t *b24_phone_plan(const b24_str_t *code);
static int b24_starts(const u_char *d, size_t n, const u_char *prefix,
    size_t len);
static int b24_email_local(u_char c);
static int b24_email_domain(const u_char *p, const u_char *end);


static const b24_dialling_t  b24_dialling[] = {
    { "7",   "8",  "810", 10 },
    { "1",   "",   "011", 10 },
    { "375", "80", "810", 9 },
    { "380", "0",  "00",  9 },
    { "39",  "",   "00",  0 },      /* the 0 belongs to the number */
    { NULL,  "0",  "00",  0 }
};


int
b24_crm_phone(b24_pool_t *pool, const b24_str_t *text, const b24_str_t *code,
    b24_str_t *e164)
{
    size_t       i, g, len;
    u_char       out[B24_PHONE_MAX + 1];
    b24_str_t    cc, seven = b24_string("7");
    b24_typed_t  typed;

    cc = (code->len && code->len <= B24_CODE_MAX) ? *code : seven;
    i = 0;

    while (i < text->len) {
        i = b24_phone_scan(text, i, &typed);

        if (typed.n == 0) {
            break;
        }

        out[0] = '+';

        if (b24_phone_number(&typed, typed.n, &cc, out + 1, &len)) {
            return b24_pstrdup(pool, e164, out, len + 1);
        }

        /*
         * Two numbers, or one and an extension, with only a blank between:
         * only where a country's numbers have one length is the first one's
         * end known.
         */

        for (g = 0; g < typed.ngaps; g++) {

            if (b24_phone_number(&typed, typed.gaps[g], &cc, out + 1, &len)
                && b24_phone_plan(&cc)->length
                && b24_starts(out + 1, len, cc.data, cc.len))
            {
                return b24_pstrdup(pool, e164, out, len + 1);
            }
        }
    }

    return B24_DECLINED;
}


/*
 * Takes the digits of the next number: blanks, dashes, dots and brackets may
 * stand between them, anything else ends it (a letter, a comma, "/", "#", a
 * second "+").  Returns where to go on.
 */

static size_t
b24_phone_scan(const b24_str_t *text, size_t from, b24_typed_t *typed)
{
    size_t  i, len;
    u_char  c;

    typed->n = 0;
    typed->ngaps = 0;
    typed->plus = 0;

    for (i = from; i < text->len; i++) {
        c = text->data[i];

        if (b24_isdigit(c)) {

            if (typed->n == B24_PHONE_DIGITS) {
                break;
            }

            typed->digits[typed->n++] = c;
            continue;
        }

        if (c == '+') {

            if (typed->n) {
                break;
            }

            typed->plus = 1;
            continue;
        }

        /* "+49 (0)151": the 0 is for calls from inside the country */

        if (typed->plus && typed->n && i + 2 < text->len && c == '('
            && text->data[i + 1] == '0' && text->data[i + 2] == ')')
        {
            i += 2;
            continue;
        }

        len = b24_phone_blank(text, i);

        if (len == 0) {

            if (typed->n) {
                break;
            }

            typed->plus = 0;
            continue;
        }

        if (typed->n && typed->ngaps < B24_PHONE_GAPS
            && (typed->ngaps == 0
                || typed->gaps[typed->ngaps - 1] != typed->n))
        {
            typed->gaps[typed->ngaps++] = typed->n;
        }

        i += len - 1;
    }

    return i;
}


/* length of a character that may stand inside a number, 0 when it may not */

static size_t
b24_phone_blank(const b24_str_t *text, size_t i)
{
    size_t         left;
    const u_char  *p;

    p = text->data + i;
    left = text->len - i;

    if (*p == ' ' || *p == '\t' || *p == '-' || *p == '.' || *p == '('
        || *p == ')')
    {
        return 1;
    }

    if (left >= 2 && p[0] == 0xC2 && (p[1] == 0xA0 || p[1] == 0xAD)) {
        return 2;                   /* no-break space, soft hyphen */
    }

    /* U+2000 .. U+2015 spaces, marks and dashes, U+202F, U+2212 */

    if (left >= 3 && p[0] == 0xE2
        && ((p[1] == 0x80 && ((p[2] >= 0x80 && p[2] <= 0x95) || p[2] == 0xAF))
            || (p[1] == 0x88 && p[2] == 0x92)))
    {
        return 3;
    }

    return 0;
}


/* the first n digits as a number with its country code; 1 when it is one */

static int
b24_phone_number(const b24_typed_t *typed, size_t n, const b24_str_t *code,
    u_char *out, size_t *len)
{
    size_t                 cut;
    const u_char          *d;
    const b24_dialling_t  *plan;

    d = typed->digits;
    plan = b24_phone_plan(code);

    /* 00 is understood everywhere, the country's own prefix only there */

    cut = 0;

    if (!typed->plus && b24_starts(d, n, (u_char *) "00", 2)) {
        cut = 2;

    } else if (!typed->plus && n > B24_PHONE_MAX - 3
               && b24_starts(d, n, (u_char *) plan->abroad,
                             strlen(plan->abroad)))
    {
        cut = strlen(plan->abroad);
    }

    d += cut;
    n -= cut;

    /*
     * "+8 912 ...": no country has the code 89, it is the national notation
     * with a plus put before it.
     */

    if ((!typed->plus && cut == 0)
        || (b24_str_eqs(code, "7") && n == 11
            && b24_starts(d, n, (u_char *) "89", 2)))
    {
        return b24_phone_national(plan, code, d, n, out, len);
    }

    return b24_phone_full(plan, code, d, n, out, len);
}


/* a number without a mark that tells whether its country code is there */

static int
b24_phone_national(const b24_dialling_t *plan, const b24_str_t *code,
    const u_char *d, size_t n, u_char *out, size_t *len)
{
    size_t  trunk;
    u_char  full[B24_PHONE_DIGITS + B24_CODE_MAX];

    trunk = strlen(plan->trunk);

    if (!b24_starts(d, n, (u_char *) plan->trunk, trunk)) {
        trunk = 0;
    }

    if (plan->length && n == plan->length + code->len
        && b24_starts(d, n, code->data, code->len))
    {
        return b24_phone_full(plan, code, d, n, out, len);
    }

    if (trunk && (plan->length == 0 || n == plan->length + trunk)) {
        d += trunk;
        n -= trunk;

    } else if (n > (plan->length ? plan->length : 10)
               || (plan->length == 0 && n == 10
                   && b24_starts(d, n, code->data, code->len)))
    {
        /*
         * Too long for a national number: it has a country code, or, when it
         * begins like a national one, a digit too many.
         */

        return trunk ? 0 : b24_phone_full(plan, code, d, n, out, len);
    }

    /* 10 digits of a Russian number never begin with 0, 1 or 2 */

    if (n < B24_PHONE_NATIONAL || (plan->length && n != plan->length)
        || (b24_str_eqs(code, "7") && d[0] < '3'))
    {
        return 0;
    }

    memcpy(full, code->data, code->len);
    memcpy(full + code->len, d, n);

    return b24_phone_full(plan, code, full, n + code->len, out, len);
}


static int
b24_phone_full(const b24_dialling_t *plan, const b24_str_t *code,
    const u_char *d, size_t n, u_char *out, size_t *len)
{
    if (n < B24_PHONE_MIN || n > B24_PHONE_MAX || d[0] == '0') {
        return 0;
    }

    if (plan->length && b24_starts(d, n, code->data, code->len)
        && n != plan->length + code->len)
    {
        return 0;
    }

    memcpy(out, d, n);
    *len = n;

    return 1;
}


static const b24_dialling_t *
b24_phone_plan(const b24_str_t *code)
{
    const b24_dialling_t  *plan;

    for (plan = b24_dialling; plan->code; plan++) {

        if (b24_str_eqs(code, plan->code)) {
            break;
        }
    }

    return plan;
}


static int
b24_starts(const u_char *d, size_t n, const u_char *prefix, size_t len)
{
    return len && n >= len && memcmp(d, prefix, len) == 0;
}


/*
 * What the server's own check lets through, so that it doesn't refuse the
 * whole contact: "local@label.label.top", the local part of the characters
 * below, labels of letters, digits, "-", "_" and anything above ASCII (the
 * server turns it into Punycode).
 */

int
b24_crm_email(b24_pool_t *pool, const b24_str_t *text, b24_str_t *email)
{
    size_t     i, at;
    b24_str_t  s;

    s = *text;
    b24_str_trim(&s);

    if (s.len == 0 || s.len > B24_EMAIL_MAX) {
        return B24_DECLINED;
    }

    for (at = 0; at < s.len && s.data[at] != '@'; at++) {

        if (!b24_email_local(s.data[at])) {
            return B24_DECLINED;
        }
    }

    if (at == 0 || at > B24_EMAIL_LOCAL || at == s.len
        || s.data[0] == '.' || s.data[at - 1] == '.'
        || !b24_email_domain(s.data + at + 1, s.data + s.len))
    {
        return B24_DECLINED;
    }

    if (b24_pstrdup(pool, email, s.data, s.len) != B24_OK) {
        return B24_ERROR;
    }

    for (i = 0; i < email->len; i++) {
        email->data[i] = b24_tolower(email->data[i]);
    }

    return B24_OK;
}


static int
b24_email_local(u_char c)
{
    if (b24_isdigit(c) || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z')) {
        return 1;
    }

    return c && strchr("=_.+~'!$&*^`|#%/?{}-", c) != NULL;
}


static int
b24_email_domain(const u_char *p, const u_char *end)
{
    size_t  label, labels, letters, wide;

    label = 0;
    labels = 1;
    letters = 0;
    wide = 0;

    for (/* void */; p < end; p++) {

        if (*p == '.') {

            if (label == 0) {
                return 0;
            }

            labels++;
            label = 0;
            letters = 0;
            wide = 0;
            continue;
        }

        if (*p < 0x80 && !b24_isdigit(*p) && *p != '-' && *p != '_'
            && (b24_tolower(*p) < 'a' || b24_tolower(*p) > 'z'))
        {
            return 0;
        }

        label++;
        wide += *p >= 0x80;

        if (!b24_isdigit(*p) && *p != '-' && *p != '_') {
            letters++;
        }
    }

    /* the last label is no number, has two characters and 20 at most */

    return labels >= 2 && label >= 2 && letters
           && (wide || label <= B24_EMAIL_TOP);
}


int
b24_crm_inn_valid(const b24_str_t *inn)
{
    int               sum, n;
    size_t            i, check;
    static const int  weights[] = { 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8 };

    if (inn->len != 10 && inn->len != 12) {
        return 0;
    }

    n = 0;

    for (i = 0; i < inn->len; i++) {

        if (!b24_isdigit(inn->data[i])) {
            return 0;
        }

        n |= inn->data[i] - '0';
    }

    if (n == 0) {
        return 0;
    }

    /* ten digits have one check digit, twelve have two */

    for (check = (inn->len == 10) ? 9 : 10; check < inn->len; check++) {
        sum = 0;

        for (i = 0; i < check; i++) {
            sum += weights[11 - check + i] * (inn->data[i] - '0');
        }

        if (sum % 11 % 10 != inn->data[check] - '0') {
            return 0;
        }
    }

    return 1;
}
