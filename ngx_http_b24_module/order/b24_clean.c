
/* What shops write, made what an order holds. */


#include "b24_rules_int.h"
#include "b24_text.h"
#include "b24_decimal.h"

#include <stdio.h>


typedef enum {
    B24_CLEAN_LINE = 0,             /* one line, trimmed */
    B24_CLEAN_NAME,                 /* the same, entities decoded once */
    B24_CLEAN_TEXT,                 /* several lines, entities decoded once */
    B24_CLEAN_ID,
    B24_CLEAN_AMOUNT,               /* money: minor units apply */
    B24_CLEAN_REDUCTION,            /* the same, never negative */
    B24_CLEAN_OFF,                  /* the same, negative as a number only */
    B24_CLEAN_NUMBER,
    B24_CLEAN_RATE,
    B24_CLEAN_FLAG,
    B24_CLEAN_CURRENCY
} b24_clean_e;


static int b24_clean_text(b24_clean_t *clean, b24_clean_e how, int decoded,
    const char *what, b24_str_t *text);
static int b24_clean_amount(b24_clean_t *clean, b24_clean_e how,
    const char *what, b24_str_t *text);
static int b24_clean_shift(b24_decimal_t *d, unsigned minor);
static int b24_clean_rate(b24_decimal_t *d, int percent);
static int b24_clean_currency(b24_clean_t *clean, b24_str_t *text);
static void b24_clean_flag(b24_str_t *text);
static int b24_clean_line(b24_clean_t *clean, b24_str_t *text);
static int b24_clean_remark(b24_clean_t *clean, const char *what,
    const char *why, b24_str_t *text);


static const b24_clean_e  b24_clean_fields[B24_ORDER_NFIELDS] = {
    [B24_ORDER_ID] = B24_CLEAN_ID,
    [B24_ORDER_NAME] = B24_CLEAN_NAME,
    [B24_ORDER_FIRST_NAME] = B24_CLEAN_NAME,
    [B24_ORDER_SECOND_NAME] = B24_CLEAN_NAME,
    [B24_ORDER_LAST_NAME] = B24_CLEAN_NAME,
    [B24_ORDER_COMPANY] = B24_CLEAN_NAME,
    [B24_ORDER_ADDRESS] = B24_CLEAN_TEXT,
    [B24_ORDER_COMMENT] = B24_CLEAN_TEXT,
    [B24_ORDER_TOTAL] = B24_CLEAN_AMOUNT,
    [B24_ORDER_CURRENCY] = B24_CLEAN_CURRENCY,
    [B24_ORDER_DELIVERY] = B24_CLEAN_AMOUNT,
    [B24_ORDER_DISCOUNT] = B24_CLEAN_REDUCTION,
    [B24_ORDER_TAX] = B24_CLEAN_AMOUNT,
    [B24_ORDER_CANCELED] = B24_CLEAN_FLAG,
    [B24_ORDER_PAID] = B24_CLEAN_FLAG,
    [B24_ORDER_SHIPPED] = B24_CLEAN_FLAG
};


static const b24_clean_e  b24_clean_items[B24_ITEM_NFIELDS] = {
    [B24_ITEM_NAME] = B24_CLEAN_NAME,
    [B24_ITEM_PRICE] = B24_CLEAN_AMOUNT,
    [B24_ITEM_SUM] = B24_CLEAN_AMOUNT,
    [B24_ITEM_QUANTITY] = B24_CLEAN_NUMBER,
    [B24_ITEM_DISCOUNT] = B24_CLEAN_OFF,
    [B24_ITEM_TAX_RATE] = B24_CLEAN_RATE,
    [B24_ITEM_TAX_INCLUDED] = B24_CLEAN_FLAG
};


int
b24_clean_field(b24_clean_t *clean, int field, b24_str_t *text)
{
    return b24_clean_text(clean, b24_clean_fields[field], 0,
                          (char *) b24_order_names[field].data, text);
}


int
b24_clean_item(b24_clean_t *clean, int field, int decoded, b24_str_t *text)
{
    int  rc;

    clean->item = 1;

    rc = b24_clean_text(clean, b24_clean_items[field], decoded,
                        (char *) b24_item_names[field].data, text);

    clean->item = 0;

    return rc;
}


/* where minor_units makes no sense no amount may be 100 times off */
int
b24_clean_minor(b24_clean_t *clean, const b24_str_t *text)
{
    char           buf[B24_DECIMAL_LEN];
    b24_str_t      s;
    b24_decimal_t  d;

    s = *text;
    b24_str_trim(&s);

    if (s.len == 0) {
        return B24_OK;
    }

    if (b24_decimal_parse(&s, &d) == B24_OK) {
        s.len = b24_decimal_print(&d, 0, buf);
        s.data = (u_char *) buf;

        if (s.len == 1 && buf[0] >= '0' && buf[0] <= '0' + B24_RULES_MINOR) {
            clean->minor = (unsigned) (buf[0] - '0');
            return B24_OK;
        }
    }

    clean->refuse = 1;

    return b24_order_remark(clean->pool, clean->order, "minor_units",
                            "\"minor_units\" is not a whole number from 0 to "
                            "6: the amounts of this order were left out");
}


static int
b24_clean_text(b24_clean_t *clean, b24_clean_e how, int decoded,
    const char *what, b24_str_t *text)
{
    int  rc;

    switch (how) {

    case B24_CLEAN_AMOUNT:
    case B24_CLEAN_REDUCTION:
    case B24_CLEAN_OFF:
    case B24_CLEAN_NUMBER:
    case B24_CLEAN_RATE:
        return b24_clean_amount(clean, how, what, text);

    case B24_CLEAN_CURRENCY:
        return b24_clean_currency(clean, text);

    case B24_CLEAN_FLAG:
        b24_clean_flag(text);
        return B24_OK;

    case B24_CLEAN_ID:
        b24_str_trim(text);

        rc = b24_text_unescape_id(clean->pool, text, text);

        /* the codes may have hidden anything, control characters too */

        if (rc == B24_OK) {
            rc = b24_text_utf8(clean->pool, text, &clean->charset, text);
        }

        return rc == B24_OK ? b24_clean_line(clean, text) : rc;

    case B24_CLEAN_NAME:
    case B24_CLEAN_TEXT:

        if (!decoded) {
            rc = b24_text_entities(clean->pool, text, text);
            if (rc != B24_OK) {
                return rc;
            }
        }

        if (how == B24_CLEAN_TEXT) {
            b24_str_trim(text);
            return B24_OK;
        }

        break;

    default:
        break;
    }

    return b24_clean_line(clean, text);
}


/* line ends, tabs and other control characters become blanks */
static int
b24_clean_line(b24_clean_t *clean, b24_str_t *text)
{
    size_t  i;

    b24_str_trim(text);

    for (i = 0; i < text->len && text->data[i] >= ' '; i++) {
        /* void */
    }

    if (i == text->len) {
        return B24_OK;
    }

    if (b24_pstrdup(clean->pool, text, text->data, text->len) != B24_OK) {
        return B24_ERROR;
    }

    for ( /* void */ ; i < text->len; i++) {

        if (text->data[i] < ' ') {
            text->data[i] = ' ';
        }
    }

    b24_str_trim(text);

    return B24_OK;
}


static int
b24_clean_amount(b24_clean_t *clean, b24_clean_e how, const char *what,
    b24_str_t *text)
{
    int            rc, money, percent, plain;
    char           buf[B24_DECIMAL_LEN];
    size_t         len;
    b24_str_t      s;
    b24_decimal_t  d;

    s = *text;
    b24_str_trim(&s);
    text->len = 0;

    if (s.len == 0) {
        return B24_OK;
    }

    money = how == B24_CLEAN_AMOUNT || how == B24_CLEAN_REDUCTION
            || how == B24_CLEAN_OFF;

    if (money && clean->refuse) {
        return B24_OK;
    }

    percent = 0;

    rc = b24_decimal_parse(&s, &d);
    plain = rc == B24_OK;

    if (plain && money) {

        /* a formatted amount is in major units always */

        rc = b24_clean_shift(&d, clean->minor);

    } else if (!plain && how == B24_CLEAN_RATE) {
        rc = b24_percent_parse(clean->pool, &s, &d, &percent);

    } else if (!plain) {
        rc = b24_money_parse(clean->pool, &s, money && clean->thousandths, &d);
    }

    if (rc == B24_OK && how == B24_CLEAN_RATE) {
        rc = b24_clean_rate(&d, percent);
    }

    if (rc == B24_ERROR) {
        return rc;
    }

    if (rc != B24_OK) {
        return b24_clean_remark(clean, what, "is not a number", text);
    }

    /* people write a minus before it; as a number it is a mark-up */

    if (d.units < 0
        && (how == B24_CLEAN_REDUCTION || (how == B24_CLEAN_OFF && !plain)))
    {
        d.units = -d.units;
    }

    len = b24_decimal_print(&d, money ? 2 : 0, buf);

    return b24_pstrdup(clean->pool, text, (u_char *) buf, len);
}


/* the noise of a shop's floating point leaves no room for more places */
static int
b24_clean_shift(b24_decimal_t *d, unsigned minor)
{
    if (d->scale > B24_DECIMAL_SCALE - minor
        && b24_decimal_round(d, B24_DECIMAL_SCALE - minor) != B24_OK)
    {
        return B24_DECLINED;
    }

    return b24_decimal_shift(d, minor);
}


/* percent; below 1 it is a fraction, unless it says percent: 0.2 means 20 */
static int
b24_clean_rate(b24_decimal_t *d, int percent)
{
    int            rc;
    b24_decimal_t  one = { 1, 0 }, hundred = { 100, 0 }, rate;

    if (d->units < 0) {
        return B24_DECLINED;
    }

    if (percent || d->units == 0 || b24_decimal_cmp(d, &one) >= 0) {
        return B24_OK;
    }

    rc = b24_decimal_mul(d, &hundred, &rate);

    if (rc == B24_OK) {
        *d = rate;
    }

    return rc;
}


static int
b24_clean_currency(b24_clean_t *clean, b24_str_t *text)
{
    int        rc, sign;
    u_char     code[3];
    b24_str_t  s;

    s = *text;
    b24_str_trim(&s);
    text->len = 0;

    if (s.len == 0) {
        return B24_OK;
    }

    rc = b24_currency_parse(clean->pool, &s, code, &sign);

    if (rc == B24_DECLINED) {
        return b24_clean_remark(clean, "currency",
                                "is not a code of three letters", text);
    }

    if (rc != B24_OK || b24_pstrdup(clean->pool, text, code, 3) != B24_OK) {
        return B24_ERROR;
    }

    clean->order->sign = sign & 1;
    clean->thousandths = b24_currency_thousandths(text) & 1;

    return B24_OK;
}


static void
b24_clean_flag(b24_str_t *text)
{
    size_t                    i;
    static const char *const  yes[] = { "y", "yes", "true", "1", "on" };
    static const char *const  no[] = { "n", "no", "false", "0", "off" };
    static const b24_str_t    answers[] = { b24_string("Y"),
                                            b24_string("N") };

    b24_str_trim(text);

    for (i = 0; i < 5; i++) {

        if (b24_str_caseeqs(text, yes[i])) {
            *text = answers[0];
            return;
        }

        if (b24_str_caseeqs(text, no[i])) {
            *text = answers[1];
            return;
        }
    }

    text->len = 0;
}


/* the shop's own text is not repeated: a buyer may have typed it */
static int
b24_clean_remark(b24_clean_t *clean, const char *what, const char *why,
    b24_str_t *text)
{
    char  code[40], words[120];

    text->len = 0;

    snprintf(code, sizeof(code), "%s%s", clean->item ? "item " : "", what);
    snprintf(words, sizeof(words), "the shop's \"%s\" %s and was left out",
             code, why);

    return b24_order_remark(clean->pool, clean->order, code, words);
}
