
/* Orders: pairs, items, remarks, the queue's document, the fingerprint. */

#include "tap.h"
#include "b24_order.h"
#include "b24_rules.h"


static b24_pool_t  *pool;


static int
set(b24_pair_t **list, const char *name, const char *value)
{
    b24_str_t  n, v;

    n = str(name);
    v = str(value);

    return b24_pair_set(pool, list, &n, &v);
}


static const char *
get(const b24_pair_t *list, const char *name)
{
    b24_str_t          n;
    const b24_pair_t  *pair;

    n = str(name);
    pair = b24_pair_get(list, &n);

    return pair ? (const char *) pair->value.data : "none";
}


static void
test_names(void)
{
    is_str(&b24_order_names[B24_ORDER_ID], "id", "the first field of an order");
    is_str(&b24_order_names[B24_ORDER_SHIPPED], "shipped", "the last one");
    is_int(B24_ORDER_SHIPPED, B24_ORDER_NFIELDS - 1, "... and there is none behind it");
    is_str(&b24_item_names[B24_ITEM_NAME], "name", "the first field of an item");
    is_str(&b24_item_names[B24_ITEM_MEASURE], "measure", "the last one");
}


static void
test_pairs(void)
{
    b24_pair_t  *list;
    char         text[] = "UF_CRM_A";

    list = NULL;

    is_int(set(&list, text, "one"), B24_OK, "a pair is set");
    memset(text, 'x', sizeof(text) - 1);
    ok(strcmp(get(list, "UF_CRM_A"), "one") == 0, "... and copied");
    ok(strcmp(get(list, "uf_crm_a"), "none") == 0, "names compare exactly");

    set(&list, "B", "two");
    set(&list, "C", "three");
    set(&list, "B", "zwei");
    ok(strcmp(get(list, "B"), "zwei") == 0, "a later value replaces an earlier one");
    ok(list->next && b24_str_eqs(&list->next->name, "B") && b24_str_eqs(&list->next->next->name, "C"), "... in its place");

    set(&list, "UF_CRM_A", "");
    ok(strcmp(get(list, "UF_CRM_A"), "none") == 0 && b24_str_eqs(&list->name, "B"), "an empty value removes the first");
    set(&list, "C", "");
    ok(list->next == NULL, "... and the last");
    set(&list, "B", "");
    ok(list == NULL, "... and the only one");
    is_int(set(&list, "D", ""), B24_OK, "removing what isn't there");
    ok(list == NULL, "... adds nothing");
}


static b24_order_t *
sample(void)
{
    b24_item_t   *item;
    b24_order_t  *o;

    o = b24_order_create(pool);

    o->origin = str("shop.test");
    o->shop = str("custom");
    o->rule = str("save");
    o->fields[B24_ORDER_ID] = str("57/2026");
    o->fields[B24_ORDER_NAME] = str("\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd \"\xd0\x9e\xe2\x80\x99\xd0\x9d\xd0\xb8\xd0\xbb\" \\ <b>\n\t\x01");
    o->fields[B24_ORDER_PHONE] = str("+7 (916) 123-45-67");
    o->fields[B24_ORDER_EMAIL] = str("Buyer@Shop.Test");
    o->fields[B24_ORDER_TOTAL] = str("5969.9999999999");
    o->fields[B24_ORDER_COMMENT] = str("$result[c]; \xf0\x9f\x8e\x81");

    item = b24_order_add_item(pool, o);
    item->fields[B24_ITEM_NAME] = str("\xd0\x9a\xd1\x80\xd1\x83\xd0\xb6\xd0\xba\xd0\xb0");
    item->fields[B24_ITEM_PRICE] = str("1490.50");
    item->fields[B24_ITEM_QUANTITY] = str("0.5");
    item->fields[B24_ITEM_TAX_INCLUDED] = str("Y");

    (void) b24_order_add_item(pool, o);

    item = b24_order_add_item(pool, o);
    item->fields[B24_ITEM_MEASURE] = str("796");

    set(&o->deal, "UF_CRM_GA", "GA1.2.3");
    set(&o->deal, "A\"B", "\xd0\x98");
    set(&o->contact, "SOURCE_ID", "WEB");
    set(&o->company, "TITLE", "\xd0\x9e\xd0\x9e\xd0\x9e \"\xd0\xa0\xd0\xbe\xd0\xb3\xd0\xb0\"");

    b24_order_remark(pool, o, "total", "the total is no number");
    b24_order_remark(pool, o, "total", "the rows differ from the total");
    b24_order_remark(pool, o, "total", "the total is no number");

    return o;
}


static void
test_document(void)
{
    b24_str_t     json, again;
    b24_item_t   *item;
    b24_order_t  *o, *back;

    o = sample();

    is_int((long long) o->nitems, 3, "three items");
    ok(o->remarks->next && o->remarks->next->next == NULL, "the same remark is kept once");

    if (!ok(b24_order_print(pool, o, &json) == B24_OK, "an order is printed")
        || !ok(b24_order_parse(pool, &json, &back) == B24_OK, "... and read back"))
    {
        return;
    }

    ok(b24_str_find(&json, 0, "{\"v\":1,\"origin\":\"shop.test\"") == 0, "the document has its version");

    is_int(b24_order_print(pool, back, &again), B24_OK, "... and printed again");
    ok(b24_str_eq(&json, &again), "... is the same document");

    /* what was read doesn't need it */

    memset(json.data, 'x', json.len);

    is_str(&back->origin, "shop.test", "origin");
    is_str(&back->shop, "custom", "shop");
    is_str(&back->rule, "save", "rule");
    is_str(&back->fields[B24_ORDER_ID], "57/2026", "id");
    is_str(&back->fields[B24_ORDER_TOTAL], "5969.9999999999", "total");
    is_str(&back->fields[B24_ORDER_COMMENT], "$result[c]; \xf0\x9f\x8e\x81", "comment");
    ok(b24_str_eq(&back->fields[B24_ORDER_NAME], &o->fields[B24_ORDER_NAME]), "a name with quotes and controls");
    is_int((long long) back->fields[B24_ORDER_COMPANY].len, 0, "a field that isn't there");

    is_int((long long) back->nitems, 3, "all items");
    item = back->items;
    is_str(&item->fields[B24_ITEM_PRICE], "1490.50", "price");
    is_str(&item->fields[B24_ITEM_QUANTITY], "0.5", "quantity");
    is_int((long long) item->next->fields[B24_ITEM_NAME].len, 0, "an empty item");
    is_str(&item->next->next->fields[B24_ITEM_MEASURE], "796", "the last item");
    ok(back->items_last == item->next->next, "... is known as the last one");

    ok(strcmp(get(back->deal, "UF_CRM_GA"), "GA1.2.3") == 0, "a deal's field");
    ok(strcmp(get(back->deal, "A\"B"), "\xd0\x98") == 0, "a field with a quote");
    ok(strcmp(get(back->contact, "SOURCE_ID"), "WEB") == 0, "a contact's field");
    is_str(&back->remarks->next->value, "the rows differ from the total", "remarks in their order");
}


static void
is_order(const char *text, int want, const char *name)
{
    b24_str_t     json;
    b24_order_t  *o;

    json = str(text);
    o = NULL;
    is_int(b24_order_parse(pool, &json, &o), want, name);
    ok((o != NULL) == (want == B24_OK), "... is %s", want == B24_OK ? "given" : "not given");
}


static void
test_documents(void)
{
    b24_str_t     json;
    b24_order_t  *o;

    is_order("{\"v\":1,\"fields\":{}}", B24_OK, "the least there is");
    is_order("{\"v\":1,\"fields\":{\"later\":\"x\"},\"later\":[1,{\"a\":null}]}", B24_OK, "unknown members");
    is_order("", B24_DECLINED, "nothing");
    is_order("[]", B24_DECLINED, "no object");
    is_order("{}", B24_DECLINED, "no version");
    is_order("{\"v\":2,\"fields\":{}}", B24_DECLINED, "another version");
    is_order("{\"v\":1}", B24_DECLINED, "no fields");
    is_order("{\"v\":1,\"fields\":[]}", B24_DECLINED, "fields of the wrong shape");
    is_order("{\"v\":1,\"fields\":{},\"items\":{}}", B24_DECLINED, "items of the wrong shape");
    is_order("{\"v\":1,\"fields\":{},\"items\":[1]}", B24_DECLINED, "an item of the wrong shape");
    is_order("{\"v\":1,\"fields\":{},\"deal\":[]}", B24_DECLINED, "pairs of the wrong shape");
    is_order("{\"v\":1,\"fields\":{},\"company\":\"x\"}", B24_DECLINED, "pairs that are none");
    is_order("{\"v\":1,\"fields\":{},\"remarks\":{}}", B24_DECLINED, "remarks of the wrong shape");
    is_order("{\"v\":1,\"fields\":{},\"remarks\":[\"x\"]}", B24_DECLINED, "a remark of the wrong shape");
    is_order("{\"v\":1,\"fields\":{}} x", B24_DECLINED, "something behind it");
    is_order("{\"v\":1,\"fields\":{\"id\":\"5", B24_DECLINED, "half a document");

    json = str("{\"v\":1,\"fields\":{\"id\":57,\"total\":1490.50,\"name\":null,\"phone\":[1],\"email\":\"\"},\"deal\":{\"A\":\"1\",\"B\":null,\"A\":\"2\"}}");

    if (ok(b24_order_parse(pool, &json, &o) == B24_OK, "other types of values")) {
        is_str(&o->fields[B24_ORDER_ID], "57", "a number is its text");
        is_str(&o->fields[B24_ORDER_TOTAL], "1490.50", "... with all its digits");
        is_int((long long) o->fields[B24_ORDER_NAME].len, 0, "null is empty");
        is_int((long long) o->fields[B24_ORDER_PHONE].len, 0, "an array is no text");
        ok(strcmp(get(o->deal, "A"), "2") == 0 && o->deal->next == NULL, "of equal members the last counts");
    }
}


/* an order of any size is a document that can be read */
static void
test_large(void)
{
    size_t        i, n, sizes[] = { 1000, B24_ORDER_ITEMS, B24_ORDER_ITEMS + 1, 20000 };
    unsigned      f, s;
    b24_str_t     json;
    b24_item_t   *item;
    b24_order_t  *o, *back;

    for (s = 0; s < 4; s++) {
        n = sizes[s];
        o = b24_order_create(pool);

        for (i = 0; i < n; i++) {
            item = b24_order_add_item(pool, o);

            for (f = 0; f < B24_ITEM_NFIELDS; f++) {
                item->fields[f] = str("1");
            }
        }

        if (!ok(b24_order_print(pool, o, &json) == B24_OK && b24_order_parse(pool, &json, &back) == B24_OK, "an order of %d items is kept", (int) n)) {
            continue;
        }

        is_int((long long) back->nitems, n < B24_ORDER_ITEMS ? (long long) n : B24_ORDER_ITEMS, "... with as many of them as fit");
        ok((back->remarks != NULL) == (n > B24_ORDER_ITEMS), "... and a remark when some don't");
    }
}


static void
fingerprint(char out[17], const char *phone, const char *email, const char *name, const char *total)
{
    b24_order_t  *o;

    o = b24_order_create(pool);
    o->fields[B24_ORDER_PHONE] = str(phone);
    o->fields[B24_ORDER_EMAIL] = str(email);
    o->fields[B24_ORDER_NAME] = str(name);
    o->fields[B24_ORDER_TOTAL] = str(total);

    b24_order_fingerprint(o, out);
}


static const char *
generate(unsigned generated, const char *id, const char *phone, const char *total)
{
    b24_order_t  *o;

    o = b24_order_create(pool);
    o->generated = generated & 1;
    o->fields[B24_ORDER_ID] = str(id);
    o->fields[B24_ORDER_PHONE] = str(phone);
    o->fields[B24_ORDER_TOTAL] = str(total);

    if (b24_order_generate(pool, o) != B24_OK) {
        return "failed";
    }

    return (const char *) o->fields[B24_ORDER_ID].data;
}


static void
test_generate(void)
{
    const char  *a;

    a = generate(1, "00112233445566ff", "+79161234567", "25.00");
    ok(strlen(a) == 16 && strspn(a, "0123456789abcdef") == 16, "a number of ours: %s", a);

    /* an order of the round that waits in the queue is known over upgrades */

    ok(strcmp(a, "c235a04a14938bda") == 0, "of that round and content");
    ok(strcmp(a, generate(1, "00112233445566ff", "8 916 123-45-67", "25")) == 0, "sent again");
    ok(strcmp(a, generate(1, "00112233445566ff", "+79161234567", "12.00")) != 0, "another total in the round");
    ok(strcmp(a, generate(1, "00112233445566ff", "+79161234568", "25.00")) != 0, "another buyer");
    ok(strcmp(a, generate(1, "00112233445566fe", "+79161234567", "25.00")) != 0, "the same in another round");
    ok(strcmp(generate(0, "00112233445566ff", "1", "1"), "00112233445566ff") == 0, "the shop's numbers stay");
}


static void
test_fingerprint(void)
{
    int            bad;
    char           a[17], b[17];
    size_t         i;
    b24_order_t   *o;

    fingerprint(a, "+7 (916) 123-45-67", "Buyer@Shop.Test", "A", "1990.00");
    is_int((long long) strspn(a, "0123456789abcdef"), 16, "sixteen hexadecimal digits");

    /* the value itself must not change: it stays in the queue over upgrades */

    ok(strcmp(a, "e15a8d654c9a13cf") == 0, "the fingerprint of a known buyer: %s", a);

    fingerprint(b, "8 916 123 45 67", " buyer@shop.test", "B", "1990");
    ok(strcmp(a, b) == 0, "the same buyer typed in another way");

    fingerprint(b, "8 916 123 45 68", "buyer@shop.test", "A", "1990");
    ok(strcmp(a, b) != 0, "another phone");
    fingerprint(b, "8 916 123 45 67", "buyer@shop.tes", "A", "1990");
    ok(strcmp(a, b) != 0, "another e-mail");
    fingerprint(b, "8 916 123 45 67", "buyer@shop.test", "A", "1990.01");
    ok(strcmp(a, b) != 0, "another total");
    fingerprint(b, "8 916 123 45 67", "", "A", "1990");
    ok(strcmp(a, b) != 0, "no e-mail");
    fingerprint(b, "", "buyer@shop.test", "A", "1990");
    ok(strcmp(a, b) != 0, "no phone");

    fingerprint(a, "+81234567890", "", "", "1");
    fingerprint(b, "+71234567890", "", "", "1");
    ok(strcmp(a, b) != 0, "an 8 behind a plus is no national one");

    fingerprint(a, "", "", "A", "1");
    fingerprint(b, "", "", "B", "1");
    ok(strcmp(a, b) != 0, "the name counts where nothing else is known");
    fingerprint(b, "-", " ", "A", "1");
    ok(strcmp(a, b) == 0, "a phone without digits and a blank e-mail are none");

    fingerprint(a, "1", "", "A", "1");
    fingerprint(b, "1", "", "B", "1");
    ok(strcmp(a, b) == 0, "... and only there");

    fingerprint(a, "12", "3", "", "");
    fingerprint(b, "1", "23", "", "");
    ok(strcmp(a, b) != 0, "parts don't run into one another");
    fingerprint(a, "", "", "", "n/a");
    fingerprint(b, "", "", "", "");
    ok(strcmp(a, b) != 0, "a total that is no number");

    o = b24_order_create(pool);
    o->fields[B24_ORDER_FIRST_NAME] = str("A");
    b24_order_fingerprint(o, a);
    o->fields[B24_ORDER_FIRST_NAME] = str("");
    o->fields[B24_ORDER_LAST_NAME] = str("A");
    b24_order_fingerprint(o, b);
    ok(strcmp(a, b) != 0, "a first name is no last name");

    /* neighbours differ */

    bad = 0;
    memset(b, 0, sizeof(b));

    for (i = 0; i < 100; i++) {
        char  total[8];

        snprintf(total, sizeof(total), "%d", (int) i);
        fingerprint(a, "+79161234567", "", "", total);
        bad += (strcmp(a, b) == 0);
        memcpy(b, a, sizeof(b));
    }

    is_int(bad, 0, "totals next to each other");
}


/* of one with these amounts, and items of these sums, or price and quantity */

static int
goods(const char *total, const char *delivery, const char *discount,
    const char *tax, const char *sum, const char *price, const char *quantity)
{
    b24_item_t   *item;
    b24_order_t  *o;

    o = b24_order_create(pool);
    o->fields[B24_ORDER_TOTAL] = str(total);
    o->fields[B24_ORDER_DELIVERY] = str(delivery);
    o->fields[B24_ORDER_DISCOUNT] = str(discount);
    o->fields[B24_ORDER_TAX] = str(tax);

    if (*sum) {
        item = b24_order_add_item(pool, o);
        item->fields[B24_ITEM_SUM] = str(sum);
    }

    if (*price) {
        item = b24_order_add_item(pool, o);
        item->fields[B24_ITEM_PRICE] = str(price);
        item->fields[B24_ITEM_QUANTITY] = str(quantity);
    }

    return b24_order_goods(o);
}


static void
test_goods(void)
{
    is_int(goods("10", "", "", "", "", "", ""), B24_ERROR, "no goods");
    is_int(goods("", "", "", "", "5", "", ""), B24_OK,
           "no total to compare with");
    is_int(goods("25.00", "5", "", "", "10", "2.5", "4"), B24_OK,
           "sums, prices and the delivery make the total");
    is_int(goods("15.00", "5", "", "", "5", "", ""), B24_DECLINED,
           "some are missing");
    is_int(goods("19.00", "5", "1", "", "15", "", ""), B24_OK,
           "a discount is off");
    is_int(goods("20.00", "5", "1", "", "15", "", ""), B24_OK,
           "or in the prices");
    is_int(goods("24.00", "5", "", "4", "15", "", ""), B24_OK,
           "a tax comes to it");
    is_int(goods("20.01", "5", "", "4", "15", "", ""), B24_OK,
           "a row is rounded");
    is_int(goods("20.02", "5", "", "4", "15", "", ""), B24_DECLINED,
           "by one at most");
    is_int(goods("15.00", "5", "", "", "15", "", ""), B24_OK,
           "a delivery that is paid to whom brings it");
}


static void
test_memory(void)
{
    int           bad;
    size_t        limit;
    b24_str_t     json, n, v;
    b24_pool_t   *small;
    b24_pair_t   *list;
    b24_order_t  *o, *back;

    o = sample();
    b24_order_print(pool, o, &json);
    bad = 0;

    /* with every amount of memory that is too little */

    for (limit = 1; limit < 100000; limit += 61) {
        small = b24_pool_create(limit);
        back = NULL;

        if (b24_order_parse(small, &json, &back) == B24_OK) {
            b24_pool_destroy(small);
            break;
        }

        bad += (back != NULL);
        b24_pool_destroy(small);
    }

    ok(limit > 1000 && limit < 100000, "an order needs %d bytes to be read", (int) limit);
    is_int(bad, 0, "with less there is none");

    small = b24_pool_create(100);
    is_int(b24_order_print(small, o, &json), B24_ERROR, "no memory to print");
    ok(b24_order_create(small) == NULL, "no memory for an order");
    ok(b24_order_add_item(small, o) == NULL && o->nitems == 3, "no memory for an item");
    is_int(b24_order_remark(small, o, "code", "a text that is far longer than a hundred bytes and hence finds no place in a pool of just that many"), B24_ERROR, "no memory for a remark");
    b24_pool_destroy(small);

    small = b24_pool_create(8);
    list = NULL;
    n = str("N");
    v = str("V");
    is_int(b24_pair_set(small, &list, &n, &v), B24_ERROR, "no memory for a pair");
    ok(list == NULL, "... and there is none");
    b24_pool_destroy(small);
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_names();
    test_pairs();
    test_document();
    test_documents();
    test_large();
    test_fingerprint();
    test_generate();
    test_goods();
    test_memory();

    b24_pool_destroy(pool);

    return done_testing();
}
