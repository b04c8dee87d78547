
/* An order: its items, pairs and remarks; its fingerprint. */


#include "b24_order_int.h"
#include "b24_decimal.h"


static int b24_narrow(b24_pool_t *pool, b24_str_t *text, size_t *n);
static uint64_t b24_hash_phone(uint64_t h, const b24_str_t *phone,
    unsigned *known);
static uint64_t b24_hash_email(uint64_t h, const b24_str_t *email,
    unsigned *known);
static uint64_t b24_hash_total(uint64_t h, const b24_str_t *total);
static uint64_t b24_hash_text(uint64_t h, const b24_str_t *text);
static uint64_t b24_hash_byte(uint64_t h, u_char c);


#define B24_X(id, name)  b24_string(name),

const b24_str_t  b24_order_names[B24_ORDER_NFIELDS] = {
    B24_ORDER_FIELDS(B24_X)
};


const b24_str_t  b24_item_names[B24_ITEM_NFIELDS] = {
    B24_ITEM_FIELDS(B24_X)
};

#undef B24_X


b24_order_t *
b24_order_create(b24_pool_t *pool)
{
    return b24_pcalloc(pool, sizeof(b24_order_t));
}


b24_item_t *
b24_order_add_item(b24_pool_t *pool, b24_order_t *order)
{
    b24_item_t  *item;

    item = b24_pcalloc(pool, sizeof(b24_item_t));
    if (item == NULL) {
        return NULL;
    }

    if (order->items_last) {
        order->items_last->next = item;

    } else {
        order->items = item;
    }

    order->items_last = item;
    order->nitems++;

    return item;
}


int
b24_pair_set(b24_pool_t *pool, b24_pair_t **list, const b24_str_t *name,
    const b24_str_t *value)
{
    b24_from_t  none;

    memset(&none, 0, sizeof(b24_from_t));

    return b24_pair_set_from(pool, list, name, value, &none);
}


int
b24_pair_set_from(b24_pool_t *pool, b24_pair_t **list, const b24_str_t *name,
    const b24_str_t *value, const b24_from_t *from)
{
    b24_pair_t  *pair;

    for ( /* void */ ; *list; list = &(*list)->next) {
        pair = *list;

        if (!b24_str_eq(&pair->name, name)) {
            continue;
        }

        if (value->len == 0) {
            *list = pair->next;
            return B24_OK;
        }

        pair->from = *from;

        return b24_pstrdup(pool, &pair->value, value->data, value->len);
    }

    if (value->len == 0) {
        return B24_OK;
    }

    if (b24_pair_append(pool, list, name, value) != B24_OK) {
        return B24_ERROR;
    }

    (*list)->from = *from;

    return B24_OK;
}


const b24_pair_t *
b24_pair_get(const b24_pair_t *list, const b24_str_t *name)
{
    for ( /* void */ ; list; list = list->next) {

        if (b24_str_eq(&list->name, name)) {
            return list;
        }
    }

    return NULL;
}


int
b24_order_remark(b24_pool_t *pool, b24_order_t *order, const char *code,
    const char *text)
{
    b24_str_t    name, value;
    b24_pair_t **list;

    name.data = (u_char *) code;
    name.len = strlen(code);

    value.data = (u_char *) text;
    value.len = strlen(text);

    /* a repeated attempt finds the same again */

    for (list = &order->remarks; *list; list = &(*list)->next) {

        if (b24_str_eq(&(*list)->name, &name)
            && b24_str_eq(&(*list)->value, &value))
        {
            return B24_OK;
        }
    }

    return b24_pair_append(pool, list, &name, &value);
}


int
b24_order_narrow(b24_pool_t *pool, b24_order_t *order, size_t *n)
{
    size_t        i, k;
    b24_item_t   *item;
    b24_pair_t   *pair, *lists[3];

    *n = 0;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (i != B24_ORDER_ID
            && b24_narrow(pool, &order->fields[i], n) != B24_OK)
        {
            return B24_ERROR;
        }
    }

    for (item = order->items; item; item = item->next) {

        for (i = 0; i < B24_ITEM_NFIELDS; i++) {

            if (b24_narrow(pool, &item->fields[i], n) != B24_OK) {
                return B24_ERROR;
            }
        }
    }

    lists[0] = order->deal;
    lists[1] = order->contact;
    lists[2] = order->company;

    for (k = 0; k < 3; k++) {

        for (pair = lists[k]; pair; pair = pair->next) {

            if (b24_narrow(pool, &pair->value, n) != B24_OK) {
                return B24_ERROR;
            }
        }
    }

    return B24_OK;
}


/* without its characters of four bytes; texts are valid UTF-8 */

static int
b24_narrow(b24_pool_t *pool, b24_str_t *text, size_t *n)
{
    size_t   i, k, found;
    u_char  *p;

    found = 0;

    for (i = 0; i < text->len; i++) {
        found += (text->data[i] >= 0xF0);
    }

    if (found == 0) {
        return B24_OK;
    }

    p = b24_pnalloc(pool, text->len);
    if (p == NULL) {
        return B24_ERROR;
    }

    for (i = 0, k = 0; i < text->len; i++) {

        if (text->data[i] < 0xF0) {
            p[k++] = text->data[i];
            continue;
        }

        while (i + 1 < text->len && (text->data[i + 1] & 0xC0) == 0x80) {
            i++;
        }
    }

    text->data = p;
    text->len = k;

    *n += found;

    return B24_OK;
}


void
b24_order_fingerprint(const b24_order_t *order, char out[17])
{
    uint64_t          h;
    unsigned          known;
    const b24_str_t  *f;

    f = order->fields;

    /* each part ends with a byte that UTF-8 doesn't have */

    known = 0;

    h = b24_hash_phone(B24_HASH_START, &f[B24_ORDER_PHONE], &known);
    h = b24_hash_email(h, &f[B24_ORDER_EMAIL], &known);

    if (!known) {
        h = b24_hash_text(h, &f[B24_ORDER_NAME]);
        h = b24_hash_text(h, &f[B24_ORDER_FIRST_NAME]);
        h = b24_hash_text(h, &f[B24_ORDER_SECOND_NAME]);
        h = b24_hash_text(h, &f[B24_ORDER_LAST_NAME]);
    }

    h = b24_hash_total(h, &f[B24_ORDER_TOTAL]);

    b24_hash_hex(h, out);
}


int
b24_order_generate(b24_pool_t *pool, b24_order_t *order)
{
    char        text[17];
    uint64_t    h;
    b24_str_t  *id, print;

    if (!order->generated) {
        return B24_OK;
    }

    id = &order->fields[B24_ORDER_ID];

    b24_order_fingerprint(order, text);

    print.data = (u_char *) text;
    print.len = 16;

    h = b24_hash_text(B24_HASH_START, id);
    h = b24_hash_text(h, &print);

    b24_hash_hex(h, text);

    return b24_pstrdup(pool, id, (u_char *) text, 16);
}


int
b24_pair_append(b24_pool_t *pool, b24_pair_t **list, const b24_str_t *name,
    const b24_str_t *value)
{
    b24_pair_t  *pair;

    pair = b24_pcalloc(pool, sizeof(b24_pair_t));

    if (pair == NULL
        || b24_pstrdup(pool, &pair->name, name->data, name->len) != B24_OK
        || b24_pstrdup(pool, &pair->value, value->data, value->len) != B24_OK)
    {
        return B24_ERROR;
    }

    *list = pair;

    return B24_OK;
}


/* the same number in the ways a buyer types it: "8 (916) 123-45-67" and
 * "+7 916 1234567" */
static uint64_t
b24_hash_phone(uint64_t h, const b24_str_t *phone, unsigned *known)
{
    u_char    c;
    size_t    i, n;
    unsigned  national;

    national = 1;
    n = 0;

    for (i = 0; i < phone->len; i++) {

        if (b24_isdigit(phone->data[i])) {
            n++;

        } else if (phone->data[i] == '+' && n == 0) {
            national = 0;
        }
    }

    national = national && n == 11;
    *known |= (n != 0);

    for (i = 0; i < phone->len; i++) {
        c = phone->data[i];

        if (!b24_isdigit(c)) {
            continue;
        }

        h = b24_hash_byte(h, (national && c == '8') ? '7' : c);
        national = 0;
    }

    return b24_hash_byte(h, 0xff);
}


static uint64_t
b24_hash_email(uint64_t h, const b24_str_t *email, unsigned *known)
{
    size_t     i;
    b24_str_t  s;

    s = *email;
    b24_str_trim(&s);

    *known |= (s.len != 0);

    for (i = 0; i < s.len; i++) {
        h = b24_hash_byte(h, b24_tolower(s.data[i]));
    }

    return b24_hash_byte(h, 0xff);
}


static uint64_t
b24_hash_total(uint64_t h, const b24_str_t *total)
{
    char           buf[B24_DECIMAL_LEN];
    b24_str_t      s;
    b24_decimal_t  d;

    s = *total;

    if (b24_decimal_parse(&s, &d) == B24_OK) {
        s.data = (u_char *) buf;
        s.len = b24_decimal_print(&d, 0, buf);
    }

    return b24_hash_text(h, &s);
}


static uint64_t
b24_hash_text(uint64_t h, const b24_str_t *text)
{
    return b24_hash_byte(b24_hash(h, text->data, text->len), 0xff);
}


static uint64_t
b24_hash_byte(uint64_t h, u_char c)
{
    return b24_hash(h, &c, 1);
}
