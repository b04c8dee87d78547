
/*
 * The portal may quote the buyer in the text of an error.  Phones, e-mails and
 * links are masked by what they look like as the text is read (b24_answer.c); a
 * name or an address looks like nothing, but the order tells what it is.
 */

#include "b24_crm.h"

#include <string.h>


#define B24_CONCEAL_MIN    4            /* bytes of a word: two letters */
#define B24_CONCEAL_WORDS  1024
#define B24_CONCEAL_MASK   "(buyer)"


typedef struct {
    b24_str_t  *s;                      /* NULL: they are only counted */
    size_t      n;
} b24_conceal_t;


static const struct {
    int       field;
    unsigned  words:1;                  /* each of them tells something */
} b24_conceal_fields[] = {
    { B24_ORDER_NAME,        1 },
    { B24_ORDER_FIRST_NAME,  1 },
    { B24_ORDER_SECOND_NAME, 1 },
    { B24_ORDER_LAST_NAME,   1 },
    { B24_ORDER_PHONE,       0 },
    { B24_ORDER_EMAIL,       0 },
    { B24_ORDER_COMPANY,     1 },
    { B24_ORDER_ADDRESS,     1 },
    { B24_ORDER_COMMENT,     0 }
};


static void b24_conceal_all(b24_conceal_t *c, const b24_order_t *order);
static void b24_conceal_add(b24_conceal_t *c, const b24_str_t *value);
static void b24_conceal_words(b24_conceal_t *c, const b24_str_t *value);
static size_t b24_conceal_at(const b24_conceal_t *c, const b24_str_t *text,
    size_t at);
static int b24_conceal_letter(u_char c);


/* without memory nothing is left of the text, and of an order with more words
 * than are compared only that it is a buyer's */

void
b24_crm_conceal(b24_pool_t *pool, const b24_order_t *order, b24_str_t *text)
{
    size_t          i, len;
    u_char          prev;
    b24_buf_t       out;
    b24_conceal_t   c;
    b24_str_t       mask = b24_string(B24_CONCEAL_MASK);

    c.s = NULL;
    b24_conceal_all(&c, order);

    if (c.n == 0 || text->len == 0) {
        return;
    }

    if (c.n > B24_CONCEAL_WORDS) {
        *text = mask;
        return;
    }

    c.s = b24_palloc(pool, c.n * sizeof(b24_str_t));

    if (c.s == NULL) {
        text->len = 0;
        return;
    }

    b24_conceal_all(&c, order);

    b24_buf_init(&out, pool);
    prev = ' ';

    for (i = 0; i < text->len; i += len) {
        len = b24_conceal_letter(prev) ? 0 : b24_conceal_at(&c, text, i);

        if (len) {
            b24_buf_adds(&out, B24_CONCEAL_MASK);
            prev = ')';
            continue;
        }

        len = 1;
        prev = text->data[i];
        b24_buf_addc(&out, prev);
    }

    if (b24_buf_str(&out, text) != B24_OK) {
        text->len = 0;
    }
}


int
b24_crm_conceals(const b24_order_t *order)
{
    b24_conceal_t  c;

    c.s = NULL;
    b24_conceal_all(&c, order);

    return c.n != 0;
}


static void
b24_conceal_all(b24_conceal_t *c, const b24_order_t *order)
{
    size_t             i;
    const b24_str_t   *value;
    const b24_pair_t  *pair;

    c->n = 0;

    for (i = 0; i < sizeof(b24_conceal_fields)
                    / sizeof(b24_conceal_fields[0]); i++)
    {
        value = &order->fields[b24_conceal_fields[i].field];

        b24_conceal_add(c, value);

        if (b24_conceal_fields[i].words) {
            b24_conceal_words(c, value);
        }
    }

    for (pair = order->contact; pair; pair = pair->next) {
        b24_conceal_add(c, &pair->value);
    }
}


static void
b24_conceal_add(b24_conceal_t *c, const b24_str_t *value)
{
    b24_str_t  s;

    s = *value;
    b24_str_trim(&s);

    if (s.len < B24_CONCEAL_MIN) {
        return;
    }

    if (c->s) {
        c->s[c->n] = s;
    }

    c->n++;
}


/* a number of a house or a flat alone is anybody's */

static void
b24_conceal_words(b24_conceal_t *c, const b24_str_t *value)
{
    size_t     i;
    b24_str_t  word;

    for (i = 0; i < value->len; /* void */ ) {
        word.data = value->data + i;
        word.len = 0;

        while (i < value->len && b24_conceal_letter(value->data[i])) {
            word.len++;
            i++;
        }

        if (word.len == 0) {
            i++;

        } else if (!b24_isdigit(word.data[0])) {
            b24_conceal_add(c, &word);
        }
    }
}


/* length of the longest one that stands there as whole words, 0: none */

static size_t
b24_conceal_at(const b24_conceal_t *c, const b24_str_t *text, size_t at)
{
    size_t     i, longest;
    b24_str_t  here;

    longest = 0;

    for (i = 0; i < c->n; i++) {

        if (c->s[i].len > text->len - at || c->s[i].len <= longest) {
            continue;
        }

        here.data = text->data + at;
        here.len = c->s[i].len;

        if (b24_str_caseeq(&here, &c->s[i])
            && (at + here.len == text->len
                || !b24_conceal_letter(text->data[at + here.len])))
        {
            longest = here.len;
        }
    }

    return longest;
}


static int
b24_conceal_letter(u_char c)
{
    return b24_isdigit(c) || c >= 0x80
           || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z');
}
