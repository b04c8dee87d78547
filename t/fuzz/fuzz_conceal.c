
/*
 * Texts of the portal that quote the buyer: afterwards none of his words stands
 * there, and what is no word of his is as it was.
 *
 * Aims at: crm/b24_conceal.c
 */


#include "fuzz.h"
#include "b24_crm.h"
#include "b24_text.h"


#define MASK   "(buyer)"
#define SHORT  4


static const char *const  words[] = {
    "Ivan", "ivan", "IVAN", "Petrov", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd",
    "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", " ", " ", " ", "-", "@", ".", ",",
    "+7916", "1234567", "ivan@example.com", "Lenina", "17", "st.", "(", ")",
    "buyer", "(buyer)", "\"", "'", "\n", "a", "b", "Wrong field: ", "OOO",
    "Petrov-Ivan", "e", "\xd1\x91", "x1", "1x", "Romashka", "%", "\\", "=", "#"
};

#define NWORDS  (sizeof(words) / sizeof(words[0]))


static int
letter(u_char c)
{
    return b24_isdigit(c) || c >= 0x80
           || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z');
}


/* value stands in text as a whole word; more: something follows the text, which
 * may have been a letter */
static int
stands(const b24_str_t *text, const b24_str_t *value, int more)
{
    size_t     i;
    b24_str_t  here;

    for (i = 0; i + value->len <= text->len; i++) {
        here.data = text->data + i;
        here.len = value->len;

        if (b24_str_caseeq(&here, value)
            && (i == 0 || !letter(text->data[i - 1]))
            && (i + here.len == text->len
                ? !more : !letter(text->data[i + here.len])))
        {
            return 1;
        }
    }

    return 0;
}


/* between masks */
static void
check_gone(const b24_str_t *text, const b24_str_t *value)
{
    size_t     from;
    ssize_t    at;
    b24_str_t  part;

    if (value->len < SHORT) {
        return;
    }

    for (from = 0; from <= text->len; from = (size_t) at + sizeof(MASK) - 1) {
        at = b24_str_find(text, from, MASK);

        part.data = text->data + from;
        part.len = (at < 0 ? text->len : (size_t) at) - from;

        ABORT_UNLESS(!stands(&part, value, at >= 0));

        if (at < 0) {
            break;
        }
    }
}


static void
check_value(const b24_str_t *text, const b24_str_t *value, int single)
{
    size_t     i;
    b24_str_t  word;

    word = *value;
    b24_str_trim(&word);
    check_gone(text, &word);

    for (i = 0; single && i < value->len; /* void */ ) {
        word.data = value->data + i;
        word.len = 0;

        while (i < value->len && letter(value->data[i])) {
            word.len++;
            i++;
        }

        if (word.len == 0) {
            i++;

        } else if (!b24_isdigit(word.data[0])) {
            check_gone(text, &word);
        }
    }
}


/* what is left in the gaps is there in the same order before */
static void
check_kept(const b24_str_t *before, const b24_str_t *after)
{
    size_t  i, j;

    for (i = 0, j = 0; i < after->len; i++) {

        if (after->len - i >= sizeof(MASK) - 1
            && memcmp(after->data + i, MASK, sizeof(MASK) - 1) == 0)
        {
            i += sizeof(MASK) - 2;
            continue;
        }

        while (j < before->len && before->data[j] != after->data[i]) {
            j++;
        }

        ABORT_UNLESS(j < before->len);
        j++;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int  fields[] = {
        B24_ORDER_NAME, B24_ORDER_FIRST_NAME, B24_ORDER_LAST_NAME,
        B24_ORDER_COMPANY, B24_ORDER_ADDRESS, B24_ORDER_PHONE,
        B24_ORDER_EMAIL, B24_ORDER_COMMENT
    };

    fuzz_t        f;
    size_t        i;
    b24_str_t     text, before, name, value, none = b24_null_string;
    b24_order_t  *order;

    fuzz_init(&f, data, size);

    order = b24_order_create(f.pool);
    ABORT_UNLESS(order != NULL);

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        if (fuzz_byte(&f) & 1) {
            value = fuzz_pieces(&f, words, NWORDS, 255);
            ABORT_UNLESS(b24_text_utf8(f.pool, &value, &none,
                                       &order->fields[fields[i]])
                         == B24_OK);
        }
    }

    name.data = (u_char *) "UF_CRM_1";
    name.len = 8;
    value = fuzz_pieces(&f, words, NWORDS, 8);
    ABORT_UNLESS(b24_text_utf8(f.pool, &value, &none, &value) == B24_OK);
    ABORT_UNLESS(b24_pair_set(f.pool, &order->contact, &name, &value)
                 == B24_OK);

    text = fuzz_pieces(&f, words, NWORDS, 255);
    ABORT_UNLESS(b24_text_utf8(f.pool, &text, &none, &text) == B24_OK);
    before = text;

    b24_crm_conceal(f.pool, order, &text);

    ABORT_UNLESS(text.len == 0 || b24_utf8_valid(&text));

    if (!b24_crm_conceals(order)) {
        ABORT_UNLESS(b24_str_eq(&before, &text));
    }

    check_kept(&before, &text);

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        check_value(&text, &order->fields[fields[i]], i < 5);
    }

    check_value(&text, &value, 0);

    b24_pool_destroy(f.pool);

    return 0;
}
