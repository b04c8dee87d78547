
/* Product rows: their sum is the shop's total, to the kopeck. */


#include <stdlib.h>

#include "tap.h"
#include "b24_crm.h"


#define ORDERS  120000


static b24_pool_t  *pool;


typedef struct {
    const char  *name;
    const char  *price;
    const char  *sum;
    const char  *quantity;
    const char  *tax_rate;
    const char  *tax_included;
} thing_t;


static b24_str_t
opt(const char *text)
{
    return str(text ? text : "");
}


static b24_order_t *
order_of(const char *total, const char *delivery, const char *discount, const char *tax)
{
    b24_order_t  *order;

    order = b24_order_create(pool);
    order->fields[B24_ORDER_TOTAL] = opt(total);
    order->fields[B24_ORDER_DELIVERY] = opt(delivery);
    order->fields[B24_ORDER_DISCOUNT] = opt(discount);
    order->fields[B24_ORDER_TAX] = opt(tax);

    return order;
}


static void
add(b24_order_t *order, const thing_t *t)
{
    b24_item_t  *item;

    item = b24_order_add_item(pool, order);
    item->fields[B24_ITEM_NAME] = opt(t->name);
    item->fields[B24_ITEM_PRICE] = opt(t->price);
    item->fields[B24_ITEM_SUM] = opt(t->sum);
    item->fields[B24_ITEM_QUANTITY] = opt(t->quantity);
    item->fields[B24_ITEM_TAX_RATE] = opt(t->tax_rate);
    item->fields[B24_ITEM_TAX_INCLUDED] = opt(t->tax_included);
}


/* rows as "name price x quantity; ..." and what is missing as "| diff" */

static b24_str_t
shown(const b24_order_t *order)
{
    char           buf[B24_DECIMAL_LEN];
    size_t         i, n;
    b24_buf_t      out;
    b24_str_t      s;
    b24_row_t     *rows;
    b24_decimal_t  diff;

    b24_buf_init(&out, pool);

    if (b24_crm_rows(pool, order, &rows, &n, &diff) != B24_OK) {
        b24_buf_adds(&out, "failed");
        n = 0;
        diff.units = 0;
    }

    for (i = 0; i < n; i++) {

        if (i) {
            b24_buf_adds(&out, "; ");
        }

        b24_buf_addstr(&out, &rows[i].name);
        b24_buf_addc(&out, ' ');
        (void) b24_decimal_print(&rows[i].price, 2, buf);
        b24_buf_adds(&out, buf);
        b24_buf_adds(&out, " x ");
        (void) b24_decimal_print(&rows[i].quantity, 0, buf);
        b24_buf_adds(&out, buf);
    }

    if (diff.units) {
        b24_buf_adds(&out, " | ");
        (void) b24_decimal_print(&diff, 2, buf);
        b24_buf_adds(&out, buf);
    }

    (void) b24_buf_str(&out, &s);

    return s;
}


static void
rows_are(const b24_order_t *order, const char *want, const char *name)
{
    b24_str_t  s = shown(order);

    is_str(&s, want, name);
}


/* one item, total and the order's own parts */

static void
one(const thing_t *t, const char *total, const char *delivery, const char *discount, const char *tax, const char *want, const char *name)
{
    b24_order_t  *order;

    order = order_of(total, delivery, discount, tax);
    add(order, t);
    rows_are(order, want, name);
}


static void
test_plain(void)
{
    b24_order_t  *order;

    order = order_of("1990.00", "400.00", NULL, NULL);
    add(order, &(thing_t) { "Mug", "795.00", NULL, "2", NULL, NULL });
    rows_are(order, "Mug 795.00 x 2; Delivery 400.00 x 1", "the reference's example");

    rows_are(order_of("1990.00", NULL, NULL, NULL), "", "a total alone makes no rows");
    rows_are(order_of("1990.00", "0.00", NULL, NULL), "", "free delivery makes none either");
    rows_are(order_of("1990.00", "400", NULL, NULL), "Delivery 400.00 x 1; Goods 1590.00 x 1", "delivery alone: the rest are goods");
    rows_are(order_of(NULL, NULL, NULL, NULL), "", "nothing at all");

    one(&(thing_t) { "A", "10.5", NULL, NULL, NULL, NULL }, "10.5", NULL, NULL, NULL, "A 10.50 x 1", "no quantity is one");
    one(&(thing_t) { "A", "10", NULL, "0", NULL, NULL }, NULL, NULL, NULL, NULL, "", "none ordered: no row");
    one(&(thing_t) { "A", "10", NULL, "2.0000", NULL, NULL }, "20", NULL, NULL, NULL, "A 10.00 x 2", "2.0000 is 2");
    one(&(thing_t) { "A", "10", NULL, "-1", NULL, NULL }, "-10", NULL, NULL, NULL, "A -10.00 x 1", "taken back: the price carries the sign");
    one(&(thing_t) { NULL, "10", NULL, "1", NULL, NULL }, "10", NULL, NULL, NULL, "Item 10.00 x 1", "a nameless item");
    one(&(thing_t) { "A", NULL, NULL, "3", NULL, NULL }, "30", NULL, NULL, NULL, "A 0.00 x 3; Goods 30.00 x 1", "prices unknown: the rest are goods");
    one(&(thing_t) { "Gift", "0", NULL, "1", NULL, NULL }, "0", NULL, NULL, NULL, "Gift 0.00 x 1", "a gift costs nothing");
}


static void
test_exact(void)
{
    one(&(thing_t) { "A", NULL, "10.00", "3", NULL, NULL }, "10.00", NULL, NULL, NULL, "A 3.33 x 2; A 3.34 x 1", "a sum that doesn't divide is split");
    one(&(thing_t) { "A", NULL, "-10.00", "3", NULL, NULL }, "-10.00", NULL, NULL, NULL, "A -3.33 x 2; A -3.34 x 1", "a negative one too");
    one(&(thing_t) { "A", NULL, "0.01", "3", NULL, NULL }, "0.01", NULL, NULL, NULL, "A 0.00 x 2; A 0.01 x 1", "a kopeck for three");
    one(&(thing_t) { "A", "5", "9.00", "2", NULL, NULL }, "9", NULL, NULL, NULL, "A 4.50 x 2", "the line's sum wins over the price");
    one(&(thing_t) { "A", "3.3333", NULL, "3", NULL, NULL }, "10", NULL, NULL, NULL, "A 3.33 x 2; A 3.34 x 1", "a price finer than a kopeck");
    one(&(thing_t) { "A", "5969.9999999999", NULL, "1", NULL, NULL }, "5970", NULL, NULL, NULL, "A 5970.00 x 1", "floating point noise");
    one(&(thing_t) { "A", "5970", NULL, "1", NULL, NULL }, "5969.9999999999", NULL, NULL, NULL, "A 5970.00 x 1", "noise in the total");
    one(&(thing_t) { "A", "10.00", NULL, "0.5", NULL, NULL }, "5", NULL, NULL, NULL, "A 10.00 x 0.5", "half a metre");
    one(&(thing_t) { "Cheese", "10.55", NULL, "0.333", NULL, NULL }, "3.51", NULL, NULL, NULL, "Cheese \xC3\x97 0.333 3.51 x 1", "a weight that makes no whole kopecks");
    one(&(thing_t) { "Cheese", "5969.9999999999", NULL, "0.333", NULL, NULL }, "1988.01", NULL, NULL, NULL, "Cheese 5970.00 x 0.333", "noise times a weight");
    one(&(thing_t) { "Cheese", "1990.5", NULL, "0.333333333333", NULL, NULL }, "663.50", NULL, NULL, NULL, "Cheese \xC3\x97 0.333333333333 663.50 x 1", "a third");
    one(&(thing_t) { "A", "10000000000", NULL, "1000", NULL, NULL }, "10000000000000", NULL, NULL, NULL, "A 10000000000.00 x 1000", "a large amount of a small currency");
    one(&(thing_t) { "Cable", "100", NULL, "1.23456", NULL, NULL }, "123.46", NULL, NULL, NULL, "Cable \xC3\x97 1.23456 123.46 x 1", "a quantity finer than the portal keeps");
    one(&(thing_t) { "A", NULL, "10.00", "30000000", NULL, NULL }, "10.00", NULL, NULL, NULL, "A \xC3\x97 30000000 10.00 x 1", "too many to split");
}


static void
test_rest(void)
{
    thing_t  a = { "A", "1000", NULL, "1", NULL, NULL };

    one(&a, "900", NULL, NULL, NULL, "A 1000.00 x 1; Discount -100.00 x 1", "less than the items: a discount");
    one(&a, "1050", NULL, NULL, NULL, "A 1000.00 x 1; Fee 50.00 x 1", "more than the items: a fee");
    one(&a, "900", NULL, "100", NULL, "A 1000.00 x 1; Discount -100.00 x 1", "the order's discount");
    one(&a, "1000", NULL, "100", NULL, "A 1000.00 x 1", "a discount that is in the prices already is not taken off again");
    one(&a, "1300", "400", "100", NULL, "A 1000.00 x 1; Delivery 400.00 x 1; Discount -100.00 x 1", "delivery and discount");
    one(&a, "1000", "400", "400", NULL, "A 1000.00 x 1; Delivery 400.00 x 1; Discount -400.00 x 1", "delivery as a present");
    one(&a, "1200", NULL, NULL, "200", "A 1000.00 x 1; Tax 200.00 x 1", "tax on top");
    one(&a, "1000", NULL, NULL, "166.67", "A 1000.00 x 1", "tax inside is no row");
    one(&a, "1100", NULL, "100", "200", "A 1000.00 x 1; Tax 200.00 x 1; Discount -100.00 x 1", "tax on top and a discount");
    one(&a, "850", NULL, "100", NULL, "A 1000.00 x 1; Discount -150.00 x 1", "a discount that doesn't explain the gap: one row for all");
    one(&a, "1000", "400", NULL, NULL, "A 1000.00 x 1; Delivery 400.00 x 1; Discount -400.00 x 1", "delivery outside the total");
    one(&a, NULL, "400", "100", NULL, "A 1000.00 x 1; Delivery 400.00 x 1; Discount -100.00 x 1", "no total: what is known");
    one(&a, "0", NULL, NULL, NULL, "A 1000.00 x 1; Discount -1000.00 x 1", "paid by points");
    one(&a, "1000.004", NULL, NULL, NULL, "A 1000.00 x 1 | 0.004", "a total finer than the portal keeps is told");
}


static void
test_tax(void)
{
    size_t         n;
    b24_row_t     *rows;
    b24_order_t   *order;
    b24_decimal_t  diff;
    thing_t        net = { "A", "100", NULL, "1", "20", "N" };

    one(&net, "120", NULL, NULL, "20", "A 120.00 x 1", "a net price becomes gross");
    one(&net, "120", NULL, NULL, NULL, "A 120.00 x 1", "without the order's tax too");
    one(&(thing_t) { "A", "82.9999999999", NULL, "1.5", "8.25", "N" }, "134.77", NULL, NULL, NULL, "A \xC3\x97 1.5 134.77 x 1", "noise and a rate with places");
    one(&net, "100", NULL, NULL, NULL, "A 100.00 x 1", "unless the total says the price is gross");
    one(&net, "520", "400", NULL, "20", "A 120.00 x 1; Delivery 400.00 x 1", "with delivery");
    one(&(thing_t) { "A", "33.33", NULL, "3", "20", "N" }, "119.98", NULL, NULL, NULL, "A 39.99 x 1; A 40.00 x 2; Rounding -0.01 x 1", "tax rounded per line and a total rounded otherwise");
    one(&(thing_t) { "A", "100", NULL, "1", "20", "Y" }, "100", NULL, NULL, "16.67", "A 100.00 x 1", "a gross price stays");
    one(&(thing_t) { "A", "100", NULL, "1", NULL, "N" }, "120", NULL, NULL, "20", "A 100.00 x 1; Tax 20.00 x 1", "net without a rate: tax is a row");

    order = order_of("100", NULL, NULL, NULL);
    add(order, &(thing_t) { "A", "100", NULL, "1", "20", NULL });
    order->items->fields[B24_ITEM_MEASURE] = str("796");
    order->items->fields[B24_ITEM_PRODUCT_ID] = str("77");
    is_int(b24_crm_rows(pool, order, &rows, &n, &diff), B24_OK, "rows");
    is_str(&rows[0].tax_rate, "20", "the rate");
    is_str(&rows[0].tax_included, "Y", "is inside the price unless the shop says otherwise");
    is_str(&rows[0].measure, "796", "a measure's number");
    is_str(&rows[0].product_id, "77", "the shop's product");

    order->items->fields[B24_ITEM_MEASURE] = str("pcs");
    order->items->fields[B24_ITEM_TAX_RATE] = str("");
    is_int(b24_crm_rows(pool, order, &rows, &n, &diff), B24_OK, "rows");
    is_int((long long) rows[0].measure.len, 0, "a measure's name is not a number");
    is_int((long long) rows[0].tax_included.len, 0, "no rate, no tax");
}


static void
test_bounds(void)
{
    char           name[700];
    size_t         i, n, chars, k;
    b24_row_t     *rows;
    b24_order_t   *order;
    b24_decimal_t  diff;
    b24_pool_t    *small;

    for (i = 0; i < 300; i++) {
        memcpy(name + i * 2, "\xD0\xB6", 2);
    }

    name[600] = '\0';

    order = order_of("10", NULL, NULL, NULL);
    add(order, &(thing_t) { name, "3.33", "10", "3.3", NULL, NULL });
    is_int(b24_crm_rows(pool, order, &rows, &n, &diff), B24_OK, "a long name");

    for (chars = 0, k = 0; k < rows[0].name.len; k++) {
        chars += (rows[0].name.data[k] & 0xC0) != 0x80;
    }

    is_int((long long) chars, 255, "is 255 characters");
    ok(b24_str_find(&rows[0].name, 0, "\xC3\x97 3.3") > 0, "and keeps the quantity");

    one(&(thing_t) { "A", "9000000000000000", NULL, "9000000000", NULL, NULL }, "5", NULL, NULL, NULL, " | 5.00", "beyond all numbers: no rows, and it is told");

    small = b24_pool_create(100);
    order = order_of("10", NULL, NULL, NULL);
    add(order, &(thing_t) { "A", "10", NULL, "1", NULL, NULL });
    is_int(b24_crm_rows(small, order, &rows, &n, &diff), B24_ERROR, "out of memory");
    b24_pool_destroy(small);
}


/* ---- the property ---- */

static uint64_t  seed = 20260228;


static uint32_t
rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (uint32_t) ((seed >> 11) % below);
}


static b24_str_t
number(uint32_t below, unsigned places)
{
    char           buf[B24_DECIMAL_LEN];
    b24_str_t      s;
    b24_decimal_t  d;

    d.units = rnd(below);
    d.scale = places;
    s.len = b24_decimal_print(&d, rnd(2) ? places : 0, buf);
    (void) b24_pstrdup(pool, &s, (u_char *) buf, s.len);

    return s;
}


static b24_order_t *
any_order(void)
{
    uint32_t      i, n;
    b24_order_t  *order;
    b24_item_t   *item;

    order = order_of(NULL, NULL, NULL, NULL);
    order->fields[B24_ORDER_TOTAL] = number(100000000, rnd(8) ? 2 : rnd(4));

    if (rnd(2)) {
        order->fields[B24_ORDER_DELIVERY] = number(100000, rnd(3));
    }

    if (rnd(3) == 0) {
        order->fields[B24_ORDER_DISCOUNT] = number(100000, rnd(3));
    }

    if (rnd(4) == 0) {
        order->fields[B24_ORDER_TAX] = number(100000, rnd(3));
    }

    for (n = rnd(6), i = 0; i < n; i++) {
        item = b24_order_add_item(pool, order);
        item->fields[B24_ITEM_NAME] = str("thing");

        if (rnd(8)) {
            item->fields[B24_ITEM_PRICE] = number(10000000, rnd(6));
        }

        if (rnd(3) == 0) {
            item->fields[B24_ITEM_SUM] = number(10000000, rnd(5));
        }

        if (rnd(10)) {
            item->fields[B24_ITEM_QUANTITY] = rnd(2) ? number(30, 0) : number(100000, rnd(7));
        }

        if (rnd(3) == 0) {
            item->fields[B24_ITEM_TAX_RATE] = number(30, rnd(2));
            item->fields[B24_ITEM_TAX_INCLUDED] = str(rnd(2) ? "N" : "Y");
        }
    }

    return order;
}


/* value x 10^6, by arithmetic of its own */

static __int128
millionths(const b24_decimal_t *d, unsigned scale)
{
    unsigned  i;
    __int128  v = d->units;

    for (i = d->scale; i < scale; i++) {
        v *= 10;
    }

    return v;
}


/* NULL when all holds */

static const char *
broken(const b24_order_t *order)
{
    size_t         i, n;
    __int128       sum, total, diff6;
    b24_row_t     *rows;
    b24_decimal_t  diff, t;

    if (b24_crm_rows(pool, order, &rows, &n, &diff) != B24_OK) {
        return "failed";
    }

    sum = 0;

    for (i = 0; i < n; i++) {

        if (rows[i].price.scale > 2 || rows[i].quantity.scale > 4) {
            return "finer than the portal keeps";
        }

        if (rows[i].quantity.units <= 0) {
            return "a quantity that is none";
        }

        sum += millionths(&rows[i].price, 2) * millionths(&rows[i].quantity, 4);
    }

    if (b24_decimal_parse(&order->fields[B24_ORDER_TOTAL], &t) != B24_OK) {
        return "no total";
    }

    diff6 = millionths(&diff, 6);

    if (n == 0) {
        return diff6 ? "a difference without rows" : NULL;
    }

    total = millionths(&t, 6);

    if (sum + diff6 != total) {
        return "the difference is not what is missing";
    }

    if (t.scale <= 2 && diff6) {
        return "the sum is not the total";
    }

    return NULL;
}


static void
test_property(void)
{
    int           i, bad, empty;
    const char   *why;
    b24_str_t     s;
    b24_order_t  *order;
    b24_pool_t   *all;

    all = pool;
    bad = 0;
    empty = 0;

    for (i = 0; i < ORDERS; i++) {
        pool = b24_pool_create(0);
        order = any_order();
        why = broken(order);
        empty += shown(order).len == 0;

        if (why && bad++ < 5) {
            s = shown(order);
            printf("# order %d: %s: total %.*s, rows %.*s\n", i, why, (int) order->fields[B24_ORDER_TOTAL].len, (char *) order->fields[B24_ORDER_TOTAL].data, (int) s.len, (char *) s.data);
        }

        b24_pool_destroy(pool);
    }

    pool = all;

    is_int(bad, 0, "price x quantity adds up to the total in 120000 random orders");
    ok(empty < ORDERS / 5, "most of them have rows (%d have none)", empty);
}


/* ---- rows too many for a batch ---- */

static void
test_direct(void)
{
    int                  i;
    b24_str_t            json, s;
    b24_node_t          *root, *rows;
    const char          *method;
    b24_order_t         *order;
    b24_answer_t         answer;
    b24_verdict_t        verdict;
    b24_crm_known_t      known;
    b24_crm_settings_t   set;

    memset(&set, 0, sizeof(set));
    order = order_of(NULL, NULL, NULL, NULL);

    for (i = 0; i < 316; i++) {
        add(order, &(thing_t) { "Mug $result[c] \"[b]\"", "10.00", NULL, "1", NULL, NULL });
    }

    is_int(b24_crm_rows_direct_needed(pool, &set, order), 0, "316 rows of 3 variables fit");
    add(order, &(thing_t) { "Last", "10.00", NULL, "1", NULL, NULL });
    is_int(b24_crm_rows_direct_needed(pool, &set, order), 1, "317 don't");

    is_int(b24_crm_rows_direct(pool, &set, order, 412, &method, &json), B24_OK, "a body");
    ok(strcmp(method, "crm.deal.productrows.set") == 0, "method");
    ok(b24_str_find(&json, 0, "{\"id\":412,\"rows\":[{\"PRODUCT_NAME\":\"Mug $result[c] \\\"[b]\\\"\",\"PRICE\":\"10.00\",\"QUANTITY\":\"1\"},") == 0, "texts are as they are");
    is_int(b24_json_parse(pool, &json, 0, &root), B24_OK, "is JSON");
    s = str("rows");
    rows = b24_node_get(root, &s);
    is_int((long long) rows->count, 317, "with all rows");

    set.universal = 1;
    is_int(b24_crm_rows_direct(pool, &set, order, 412, &method, &json), B24_OK, "universal");
    ok(strcmp(method, "crm.item.productrow.set") == 0, "method");
    ok(b24_str_find(&json, 0, "{\"ownerType\":\"D\",\"ownerId\":412,\"productRows\":[{\"productName\":\"Mug ") == 0, "names");

    memset(&known, 0, sizeof(known));
    s = str("{\"result\":true}");
    is_int(b24_answer_parse(pool, B24_NET_OK, 200, &s, &answer), B24_OK, "answer");
    is_int(b24_crm_rows_written(&answer, &known, &verdict), B24_OK, "read");
    is_int(verdict.class, B24_CLASS_OK, "done");
    is_int(known.rows_done, 1, "and known");

    memset(&known, 0, sizeof(known));
    s = str("{\"result\":false}");
    (void) b24_answer_parse(pool, B24_NET_OK, 200, &s, &answer);
    (void) b24_crm_rows_written(&answer, &known, &verdict);
    is_int(verdict.class, B24_CLASS_CHECK, "false is not done");
    is_int(known.rows_done, 0, "not known");

    (void) b24_answer_parse(pool, B24_NET_UNKNOWN, 0, &s, &answer);
    (void) b24_crm_rows_written(&answer, &known, &verdict);
    is_int(verdict.class, B24_CLASS_CHECK, "an answer that got lost");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_plain();
    test_exact();
    test_rest();
    test_tax();
    test_bounds();
    test_property();
    test_direct();

    b24_pool_destroy(pool);

    return done_testing();
}
