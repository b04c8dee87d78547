
/*
 * What a person is shown of an order: JSON, and unless it is to be revealed no
 * word of the buyer's.  His words are of letters that nothing else here has.
 *
 * Aims at: crm/b24_preview.c crm/b24_preview_mask.c
 */


#include "fuzz.h"
#include "b24_preview.h"
#include "b24_text.h"


#define PHONE   "+79161234567"
#define DIGITS  "9161234567"
#define RUN     4                   /* bytes of a word that tell something */


static const char *const  letters[] = {
    "w", "v", "q", "W", "Q", "vv", "wqv", "qqqq"
};

static const char *const  ends[] = { " ", "-", ", ", ". ", "'", "\"", "\n" };

static const char *const  others[] = {
    "Mug", "$result[c]", " ", "&", "1", "17", "NEW", "0.5", "<b>", "\"", "cup",
    "\\", "=", "%41", "[", "]", "\xe2\x82\xac", "10.00", "x", "deal", "-"
};

static const char *const  amounts[] = {
    "", "10.00", "0", "-5", "1990", "0.01", "99999999", "1.5"
};

static const char *const  names[] = {
    "UF_CRM_1", "UTM_SOURCE", "COMMENTS", "TITLE", "SOURCE_ID", "NAME",
    "UF_CRM_1[0]", "PHONE", "ADDRESS", "ORIGIN_ID"
};


/* his words */
static b24_str_t
buyer(fuzz_t *f, unsigned most)
{
    unsigned   n, k;
    b24_buf_t  buf;
    b24_str_t  s;

    b24_buf_init(&buf, f->pool);

    for (n = fuzz_byte(f) % (most + 1); n && fuzz_more(f); n--) {

        for (k = fuzz_below(f, 6) + 1; k; k--) {
            b24_buf_adds(&buf, letters[fuzz_below(f, 8)]);
        }

        if (n > 1) {
            b24_buf_adds(&buf, ends[fuzz_below(f, 7)]);
        }
    }

    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    return s;
}


static b24_str_t
other(fuzz_t *f)
{
    return fuzz_pieces(f, others, sizeof(others) / sizeof(others[0]), 5);
}


/* without a byte of the alphabet that is the buyer's */
static b24_str_t
nobodys(fuzz_t *f)
{
    size_t     i;
    b24_str_t  s, none = b24_null_string;

    s = other(f);

    for (i = 0; i < s.len; i++) {

        if (memchr("wvqWVQ", s.data[i], 6)) {
            s.data[i] = 'z';
        }
    }

    ABORT_UNLESS(b24_text_utf8(f->pool, &s, &none, &s) == B24_OK);

    return s;
}


/* what quotes him, as an item's name may */
static b24_str_t
quoting(fuzz_t *f, const b24_str_t *word)
{
    b24_buf_t  buf;
    b24_str_t  s;

    s = nobodys(f);

    if (word->len == 0 || fuzz_below(f, 3)) {
        return s;
    }

    b24_buf_init(&buf, f->pool);
    b24_buf_addstr(&buf, &s);
    b24_buf_addc(&buf, ' ');
    b24_buf_addstr(&buf, word);
    b24_buf_adds(&buf, " !");

    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    return s;
}


static void
pairs(fuzz_t *f, b24_pair_t **list, const b24_str_t *word)
{
    unsigned   n;
    b24_str_t  name, value;

    for (n = fuzz_below(f, 4); n && fuzz_more(f); n--) {
        name = fuzz_pick(f, names, sizeof(names) / sizeof(names[0]));
        value = quoting(f, word);

        /* shown as it is: it can't be a buyer's */

        if (b24_str_eqs(&name, "SOURCE_ID")) {
            value = nobodys(f);
        }

        ABORT_UNLESS(b24_pair_set(f->pool, list, &name, &value) == B24_OK);
    }
}


static void
make_order(fuzz_t *f, b24_order_t *order)
{
    unsigned     n;
    b24_str_t    email;
    b24_item_t  *item;
    b24_buf_t    buf;

    static const b24_str_t  phone = b24_string(PHONE);

    order->fields[B24_ORDER_NAME] = buyer(f, 80);
    order->fields[B24_ORDER_FIRST_NAME] = buyer(f, 2);
    order->fields[B24_ORDER_LAST_NAME] = buyer(f, 2);
    order->fields[B24_ORDER_COMPANY] = buyer(f, 80);
    order->fields[B24_ORDER_ADDRESS] = buyer(f, 80);
    order->fields[B24_ORDER_COMMENT] = buyer(f, 80);

    if (fuzz_below(f, 2)) {
        order->fields[B24_ORDER_PHONE] = phone;
    }

    email = buyer(f, 1);

    if (email.len) {
        b24_buf_init(&buf, f->pool);
        b24_buf_addstr(&buf, &email);
        b24_buf_adds(&buf, "@example.com");
        ABORT_UNLESS(b24_buf_str(&buf, &order->fields[B24_ORDER_EMAIL])
                     == B24_OK);
    }

    order->fields[B24_ORDER_INN] = fuzz_pick(f, amounts, 8);
    order->fields[B24_ORDER_TOTAL] = fuzz_pick(f, amounts, 8);
    order->fields[B24_ORDER_DELIVERY] = fuzz_pick(f, amounts, 8);
    order->fields[B24_ORDER_DISCOUNT] = fuzz_pick(f, amounts, 8);
    order->fields[B24_ORDER_STATUS] = nobodys(f);

    for (n = fuzz_below(f, 5); n && fuzz_more(f); n--) {
        item = b24_order_add_item(f->pool, order);
        ABORT_UNLESS(item != NULL);

        item->fields[B24_ITEM_NAME]
            = quoting(f, &order->fields[B24_ORDER_LAST_NAME]);
        item->fields[B24_ITEM_PRICE] = fuzz_pick(f, amounts, 8);
        item->fields[B24_ITEM_QUANTITY] = fuzz_pick(f, amounts, 8);
        item->fields[B24_ITEM_XML_ID] = nobodys(f);
    }

    pairs(f, &order->deal, &order->fields[B24_ORDER_LAST_NAME]);
    pairs(f, &order->contact, &order->fields[B24_ORDER_LAST_NAME]);
    pairs(f, &order->company, &order->fields[B24_ORDER_LAST_NAME]);
}


static void
check_hidden(const b24_str_t *text)
{
    size_t  i, run;

    ABORT_UNLESS(b24_str_find(text, 0, DIGITS) == -1);

    for (i = 0, run = 0; i < text->len; i++) {
        run = memchr("wvqWVQ", text->data[i], 6) ? run + 1 : 0;
        ABORT_UNLESS(run < RUN);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                   rc;
    fuzz_t                f;
    unsigned              flags;
    b24_buf_t             out;
    b24_str_t             text;
    b24_node_t           *root;
    b24_preview_t         preview;
    b24_queue_job_t       job;
    b24_crm_settings_t    set;

    static const b24_str_t  shop = b24_string("shop");
    static const b24_str_t  code = b24_string("7");
    static const b24_str_t  number = b24_string("1001");

    fuzz_init(&f, data, size);
    memset(&preview, 0, sizeof(preview));
    memset(&job, 0, sizeof(job));
    memset(&set, 0, sizeof(set));

    flags = fuzz_byte(&f);

    set.origin = shop;
    set.phone_code = code;
    set.universal = flags & 1;
    set.match = (b24_match_e) fuzz_below(&f, 5);
    set.product = (b24_product_e) fuzz_below(&f, 3);
    set.category = (int) fuzz_below(&f, 3);

    job.origin = shop;
    job.kind = flags & 2 ? B24_EV_STATUS : B24_EV_NEW;
    job.deal_id = flags & 4 ? 17 : 0;
    job.contact_id = flags & 8 ? 55 : 0;
    job.order_id = number;
    (void) strcpy(job.key, "k-00000a");

    preview.set = &set;
    preview.job = &job;
    preview.retry = flags >> 4 & 1;
    preview.reveal = flags >> 5 & 1;
    preview.order = b24_order_create(f.pool);
    ABORT_UNLESS(preview.order != NULL);

    make_order(&f, preview.order);

    b24_buf_init(&out, f.pool);
    rc = b24_preview(f.pool, &preview, &out);

    if (rc == B24_OK) {
        ABORT_UNLESS(b24_buf_str(&out, &text) == B24_OK);
        ABORT_UNLESS(b24_utf8_valid(&text));
        ABORT_UNLESS(b24_json_parse(f.pool, &text, 0, &root) == B24_OK);
        ABORT_UNLESS(root->type == B24_ARRAY);

        if (!preview.reveal) {
            check_hidden(&text);
        }
    }

    /* shapes alone */

    text = buyer(&f, 20);
    b24_buf_init(&out, f.pool);
    b24_preview_mask(&out, &text);
    ABORT_UNLESS(b24_buf_str(&out, &text) == B24_OK);
    check_hidden(&text);

    b24_pool_destroy(f.pool);

    return 0;
}
