
/* The deal's COMMENTS: what the buyer wrote and what no field could take. */


#include "b24_crm_int.h"
#include "b24_text.h"


/* of COMMENTS, whose column holds 65535 bytes */
#define B24_COMMENTS_BYTES  60000
#define B24_COMMENT_BYTES   20000   /* what the buyer or a pair wrote */
#define B24_NOTE_BYTES      1000    /* any other line */


static void b24_comment_lines(b24_buf_t *out, const b24_crm_facts_t *facts,
    const b24_order_t *order, const b24_crm_known_t *known);
static void b24_comment_line(b24_buf_t *out, const char *label,
    const b24_str_t *text);
static int b24_phone_more(const b24_str_t *typed, const b24_str_t *phone);
static int b24_is_cut(const b24_str_t *s, size_t max);


int
b24_crm_comments(b24_pool_t *pool, const b24_crm_facts_t *facts,
    const b24_order_t *order, const b24_crm_known_t *known,
    const b24_decimal_t *diff, b24_str_t *text)
{
    char               amount[B24_DECIMAL_LEN];
    b24_buf_t          out;
    b24_str_t          s, name = b24_string("COMMENTS");
    const b24_pair_t  *pair;

    b24_buf_init(&out, pool);

    pair = b24_pair_get(order->deal, &name);

    if (pair) {
        b24_comment_line(&out, NULL, &pair->value);
    }

    b24_comment_line(&out, NULL, &order->fields[B24_ORDER_COMMENT]);
    b24_comment_lines(&out, facts, order, known);

    for (pair = order->remarks; pair; pair = pair->next) {
        b24_comment_line(&out, "Note: ", &pair->value);
    }

    if (diff->units) {
        s.len = b24_decimal_print(diff, 2, amount);
        s.data = (u_char *) amount;
        b24_comment_line(&out, "The product rows lack this to the shop's"
                         " total: ", &s);
    }

    if (b24_buf_str(&out, text) != B24_OK) {
        return B24_ERROR;
    }

    b24_text_cut(text, B24_COMMENTS_BYTES);

    return B24_OK;
}


/* what the fields of contact, company and deal could not take */

static void
b24_comment_lines(b24_buf_t *out, const b24_crm_facts_t *facts,
    const b24_order_t *order, const b24_crm_known_t *known)
{
    b24_str_t         first, second, last;
    const b24_str_t  *f;

    f = order->fields;

    b24_comment_line(out, "Address: ", &f[B24_ORDER_ADDRESS]);

    b24_crm_name(order, &first, &second, &last);

    if (b24_is_cut(&first, B24_NAME_CHARS)
        || b24_is_cut(&second, B24_NAME_CHARS)
        || b24_is_cut(&last, B24_NAME_CHARS))
    {
        b24_comment_line(out, "First name: ", &first);
        b24_comment_line(out, "Second name: ", &second);
        b24_comment_line(out, "Last name: ", &last);
    }

    if (b24_phone_more(&f[B24_ORDER_PHONE], &facts->phone)) {
        b24_comment_line(out, "Phone as typed: ", &f[B24_ORDER_PHONE]);
    }

    if (facts->email.len == 0) {
        b24_comment_line(out, known->drop_email
                              ? "E-mail, refused by the portal: "
                              : "E-mail as typed: ", &f[B24_ORDER_EMAIL]);
    }

    if (facts->inn.len == 0) {
        b24_comment_line(out, "INN as typed: ", &f[B24_ORDER_INN]);
    }

    if (facts->kpp.len == 0) {
        b24_comment_line(out, "KPP as typed: ", &f[B24_ORDER_KPP]);
    }
}


/* label NULL: the longer free text */

static void
b24_comment_line(b24_buf_t *out, const char *label, const b24_str_t *text)
{
    b24_str_t  s;
    b24_buf_t  plain;

    s = *text;
    b24_str_trim(&s);

    if (s.len == 0) {
        return;
    }

    b24_buf_init(&plain, out->pool);
    b24_crm_plain(&plain, &s);

    if (b24_buf_str(&plain, &s) != B24_OK) {
        out->failed = 1;
        return;
    }

    b24_text_cut(&s, label ? B24_NOTE_BYTES : B24_COMMENT_BYTES);

    if (out->len) {
        b24_buf_addc(out, '\n');
    }

    if (label) {
        b24_buf_adds(out, label);
    }

    b24_buf_addstr(out, &s);
}


/* the number sent has not all that was typed: digits, or words behind them */

static int
b24_phone_more(const b24_str_t *typed, const b24_str_t *phone)
{
    size_t  i, digits;
    u_char  c, words;

    digits = 0;
    words = 0;

    for (i = 0; i < typed->len; i++) {
        c = b24_tolower(typed->data[i]);

        if (b24_isdigit(c)) {
            digits++;
            words = 0;

        } else if ((c >= 'a' && c <= 'z') || c == 0xD0 || c == 0xD1) {

            /* Cyrillic too; blanks and dashes beyond ASCII begin otherwise */

            words = 1;
        }
    }

    return phone->len == 0 || digits > phone->len - 1 || words;
}


static int
b24_is_cut(const b24_str_t *s, size_t max)
{
    b24_str_t  cut;

    cut = *s;
    b24_crm_cut(&cut, max);

    return cut.len != s->len;
}


/* the whole name stays in one field when the shop doesn't part it */

void
b24_crm_name(const b24_order_t *order, b24_str_t *first, b24_str_t *second,
    b24_str_t *last)
{
    *first = order->fields[B24_ORDER_FIRST_NAME];
    *second = order->fields[B24_ORDER_SECOND_NAME];
    *last = order->fields[B24_ORDER_LAST_NAME];

    if (first->len == 0 && last->len == 0) {
        *first = order->fields[B24_ORDER_NAME];
    }

    b24_str_trim(first);
    b24_str_trim(second);
    b24_str_trim(last);
}


/* COMMENTS is BB-code and takes HTML: "[" and a "<" that opens a tag become
 * their full-width forms */

void
b24_crm_plain(b24_buf_t *out, const b24_str_t *text)
{
    size_t  i;
    u_char  c, next;

    for (i = 0; i < text->len; i++) {
        c = text->data[i];
        next = (i + 1 < text->len) ? b24_tolower(text->data[i + 1]) : ' ';

        if (c == '[') {
            b24_buf_adds(out, "\xEF\xBC\xBB");

        } else if (c == '<' && ((next >= 'a' && next <= 'z') || next == '/'
                                || next == '!' || next == '?'))
        {
            b24_buf_adds(out, "\xEF\xBC\x9C");

        } else {
            b24_buf_addc(out, c);
        }
    }
}
