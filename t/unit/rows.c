
/* Product rows: their sum is the shop's total, to the kopeck. */


#include <stdlib.h>

#include "tap.h"
#include "b24_crm_int.h"


#define ORDERS     120000
#define ALL_FORMS  400              /* of them are compared in all four forms */
#define FIELDS     9


static b24_pool_t  *pool;


static const char  *classic[FIELDS] = {
    "PRODUCT_NAME", "PRICE", "QUANTITY", "PRODUCT_ID", "DISCOUNT_TYPE_ID",
    "DISCOUNT_SUM", "TAX_RATE", "TAX_INCLUDED", "MEASURE_CODE"
};

static const char  *universal[FIELDS] = {
    "productName", "price", "quantity", "productId", "discountTypeId",
    "discountSum", "taxRate", "taxIncluded", "measureCode"
};


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

    order = order_of("15.01", NULL, NULL, NULL);
    add(order, &(thing_t) { "A", "3.3333", NULL, "3", NULL, NULL });
    add(order, &(thing_t) { "B", "5", NULL, "1", NULL, NULL });
    rows_are(order, "A 3.33 x 2; A 3.34 x 1; B 5.00 x 1; Rounding 0.01 x 1", "where lines and pieces are near, lines");

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
    thing_t  net = { "A", "100", NULL, "1", "20", "N" };

    one(&net, "120", NULL, NULL, "20", "A 120.00 x 1", "a net price becomes gross");
    one(&net, "120", NULL, NULL, NULL, "A 120.00 x 1", "without the order's tax too");
    one(&(thing_t) { "A", "82.9999999999", NULL, "1.5", "8.25", "N" }, "134.77", NULL, NULL, NULL, "A \xC3\x97 1.5 134.77 x 1", "noise and a rate with places");
    one(&net, "100", NULL, NULL, NULL, "A 100.00 x 1", "unless the total says the price is gross");
    one(&net, "520", "400", NULL, "20", "A 120.00 x 1; Delivery 400.00 x 1", "with delivery");
    one(&(thing_t) { "A", "33.33", NULL, "3", "20", "N" }, "119.98", NULL, NULL, NULL, "A 39.99 x 1; A 40.00 x 2; Rounding -0.01 x 1", "tax rounded per line and a total rounded otherwise");
    one(&(thing_t) { "A", "100", NULL, "1", "20", "Y" }, "100", NULL, NULL, "16.67", "A 100.00 x 1", "a gross price stays");
    one(&(thing_t) { "A", "100", NULL, "1", NULL, "N" }, "120", NULL, NULL, "20", "A 100.00 x 1; Tax 20.00 x 1", "net without a rate: tax is a row");

    /* shops that round the price of a piece, not the line */

    one(&(thing_t) { "A", "33.33", NULL, "3", "20", "N" }, "120", NULL, NULL, NULL, "A 40.00 x 3", "tax rounded per piece");
    one(&(thing_t) { "A", "33.33", NULL, "3", "20", "N" }, "119.99", NULL, NULL, NULL, "A 39.99 x 1; A 40.00 x 2", "tax rounded per line");
    one(&(thing_t) { "A", "3.3333", NULL, "3", NULL, NULL }, "9.99", NULL, NULL, NULL, "A 3.33 x 3", "a price rounded per piece");
    one(&(thing_t) { "A", "168.664", NULL, "30", NULL, NULL }, "5059.80", NULL, NULL, NULL, "A 168.66 x 30", "also where the line needed no rounding");
    one(&(thing_t) { "A", "168.664", NULL, "30", NULL, NULL }, "5059.92", NULL, NULL, NULL, "A 168.66 x 18; A 168.67 x 12", "unless it is the line's sum that was paid");
    one(&(thing_t) { "A", "3.3333", NULL, "3", NULL, NULL }, "109.99", "100", NULL, NULL, "A 3.33 x 3; Delivery 100.00 x 1", "with delivery");
    one(&(thing_t) { "A", "3.3333", NULL, "30", NULL, NULL }, "99.89", NULL, NULL, NULL, "A 3.33 x 30; Rounding -0.01 x 1", "and a kopeck aside");
    one(&(thing_t) { "A", "3.3333", NULL, "300", NULL, NULL }, "990", NULL, NULL, NULL, "A 3.33 x 201; A 3.34 x 99; Discount -9.99 x 1", "neither");
}


/* ---- rows as they are sent ---- */

/* "NAME=VALUE&..." of each row, "; " between them, of the tree of one form;
 * names are those of the other API where the caller says so */

static b24_str_t
told(const b24_node_t *rows, const char **names)
{
    int          f;
    b24_buf_t    out;
    b24_str_t    s;
    b24_node_t  *row, *node;

    b24_buf_init(&out, pool);

    for (row = rows ? rows->first : NULL; row; row = row->next) {

        for (node = row->first; node; node = node->next) {

            for (f = 0; f < FIELDS && !b24_str_eqs(&node->key, names[f]); f++) {
                /* void */
            }

            b24_buf_adds(&out, f < FIELDS ? classic[f] : "UNKNOWN");
            b24_buf_adds(&out, node->type == B24_STRING ? "=" : "!");
            (void) b24_node_text(node, &s);
            b24_buf_addstr(&out, &s);
            b24_buf_adds(&out, node->next ? "&" : row->next ? "; " : "");
        }
    }

    (void) b24_buf_str(&out, &s);

    return s;
}


static b24_str_t
told_direct(const b24_order_t *order, unsigned api)
{
    b24_str_t            json, name;
    b24_node_t          *root;
    const char          *method;
    b24_crm_settings_t   set;

    memset(&set, 0, sizeof(set));
    set.universal = api & 1;

    if (b24_crm_rows_direct(pool, &set, order, 1, &method, &json) != B24_OK || b24_json_parse(pool, &json, 0, &root) != B24_OK) {
        return str("failed");
    }

    name = str(api ? "productRows" : "rows");

    return told(b24_node_get(root, &name), api ? universal : classic);
}


/* the same by a command of a batch, with what it counts its variables to be */

static b24_str_t
told_batch(const b24_order_t *order, unsigned api)
{
    size_t               n;
    b24_str_t            s, name;
    b24_row_t           *rows;
    b24_node_t          *root;
    b24_batch_t          batch;
    b24_command_t       *cmd;
    b24_decimal_t        diff;
    b24_crm_settings_t   set;

    memset(&set, 0, sizeof(set));
    set.universal = api & 1;

    b24_batch_init(&batch, pool, 1);
    cmd = b24_batch_add(&batch, "r", "m");

    if (b24_crm_rows(pool, order, &rows, &n, &diff) != B24_OK) {
        return str("failed");
    }

    b24_crm_rows_put(&batch, cmd, b24_crm_api(&set), rows, n);

    if (batch.failed || cmd->nvars + 2 != b24_crm_rows_vars(rows, n)) {
        return str("miscounted");
    }

    if (b24_buf_str(&cmd->query, &s) != B24_OK || b24_form_parse(pool, &s, &root) != B24_OK) {
        return str("failed");
    }

    name = str(api ? "productRows" : "rows");

    return told(b24_node_get(root, &name), api ? universal : classic);
}


/* classic and universal, in a batch and by a call of its own: all the same */

static int
in_all_forms(const b24_order_t *order, b24_str_t *text)
{
    b24_str_t  a, b, c;

    *text = told_direct(order, 0);
    a = told_direct(order, 1);
    b = told_batch(order, 0);
    c = told_batch(order, 1);

    return b24_str_eq(text, &a) && b24_str_eq(text, &b) && b24_str_eq(text, &c);
}


static void
sent(const b24_order_t *order, const char *want, const char *name)
{
    b24_str_t  text;

    if (in_all_forms(order, &text)) {
        is_str(&text, want, name);
        return;
    }

    ok(0, "%s: not the same in all forms: %.*s", name, (int) text.len, (char *) text.data);
}


/* an item by "FIELD=VALUE;..." */

static b24_item_t *
item(b24_order_t *order, const char *fields)
{
    size_t       i, len, end;
    b24_item_t  *it;

    it = b24_order_add_item(pool, order);

    while (*fields) {
        len = strcspn(fields, "=");
        end = len + 1 + strcspn(fields + len + 1, ";");

        for (i = 0; i < B24_ITEM_NFIELDS; i++) {

            if (b24_item_names[i].len == len && memcmp(b24_item_names[i].data, fields, len) == 0) {
                (void) b24_pstrdup(pool, &it->fields[i], (u_char *) fields + len + 1, end - len - 1);
                break;
            }
        }

        if (i == B24_ITEM_NFIELDS) {
            ok(0, "no such field: %s", fields);
        }

        fields += end + (fields[end] == ';');
    }

    return it;
}


/* an order of one item */

static void
sends(const char *fields, const char *total, const char *want, const char *name)
{
    b24_order_t  *order;

    order = order_of(total, NULL, NULL, NULL);
    (void) item(order, fields);
    sent(order, want, name);
}


#define A       "PRODUCT_NAME=A&"
#define OFF(x)  "&DISCOUNT_TYPE_ID=1&DISCOUNT_SUM=" x


static void
test_discount(void)
{
    b24_order_t  *order;

    sends("name=A;price=795;quantity=2;discount=100", "1590", A "PRICE=795.00&QUANTITY=2" OFF("100.00"), "a discount is shown, the price stays");
    sends("name=A;sum=1590;quantity=2;discount=100", "1590", A "PRICE=795.00&QUANTITY=2" OFF("100.00"), "of the piece, also where the line's sum is given");
    sends("name=A;price=795;quantity=2;discount=-100", "1590", A "PRICE=795.00&QUANTITY=2", "a mark-up is no discount");
    sends("name=A;price=795;quantity=2;discount=0.00", "1590", A "PRICE=795.00&QUANTITY=2", "none is none");
    sends("name=A;price=795;quantity=2;discount=ten", "1590", A "PRICE=795.00&QUANTITY=2", "no number is none");
    sends("name=A;price=795;quantity=2;discount=", "1590", A "PRICE=795.00&QUANTITY=2", "nor is an empty one");
    sends("name=A;price=795;quantity=2;discount=0.004", "1590", A "PRICE=795.00&QUANTITY=2", "less than half a kopeck");
    sends("name=A;price=795;quantity=2;discount=0.006", "1590", A "PRICE=795.00&QUANTITY=2" OFF("0.01"), "more than half of it");
    sends("name=A;price=795;quantity=2;discount=99.9999999999", "1590", A "PRICE=795.00&QUANTITY=2" OFF("100.00"), "noise");
    sends("name=A;price=0;quantity=1;discount=795", "0", A "PRICE=0.00&QUANTITY=1" OFF("795.00"), "a present: all of the price");
    sends("name=A;price=1;quantity=1;discount=99999", "1", A "PRICE=1.00&QUANTITY=1" OFF("99999.00"), "nearly all of it");
    sends("name=A;price=1;quantity=1;discount=9999999999998.99", "1", A "PRICE=1.00&QUANTITY=1" OFF("9999999999998.99"), "the most the portal counts exactly");
    sends("name=A;price=1;quantity=1;discount=9999999999999", "1", A "PRICE=1.00&QUANTITY=1", "beyond it none is shown, the row stays");
    sends("name=A;price=1;quantity=9;discount=9223372036854775807", "9", A "PRICE=1.00&QUANTITY=9", "beyond all numbers, too");
    sends("name=A;quantity=3;discount=5", "30", A "PRICE=0.00&QUANTITY=3; PRODUCT_NAME=Goods&PRICE=30.00&QUANTITY=1", "without a price there is none before it");
    sends("name=A;price=10;quantity=-1;discount=2", "-10", A "PRICE=-10.00&QUANTITY=1", "nor for what is taken back");
    sends("name=A;price=-10;quantity=1;discount=2", "-10", A "PRICE=-10.00&QUANTITY=1", "nor for a negative price");
    sends("name=A;price=-10;quantity=-1;discount=2", "10", A "PRICE=10.00&QUANTITY=1", "nor where both are");

    /* one price before the discount for both rows of a line: 3.50 */

    sends("name=A;sum=10;quantity=3;discount=0.1667", "10", A "PRICE=3.33&QUANTITY=2" OFF("0.17") "; " A "PRICE=3.34&QUANTITY=1" OFF("0.16"), "rows that were one line");
    sends("name=A;sum=10;quantity=3;discount=0.006", "10", A "PRICE=3.33&QUANTITY=2" OFF("0.01") "; " A "PRICE=3.34&QUANTITY=1", "of which one may have none");
    sends("name=A;sum=-10;quantity=3;discount=1", "-10", A "PRICE=-3.33&QUANTITY=2; " A "PRICE=-3.34&QUANTITY=1", "negative ones have none");
    sends("name=A;price=10.55;quantity=0.333;discount=2", "3.51", "PRODUCT_NAME=A \xC3\x97 0.333&PRICE=3.51&QUANTITY=1" OFF("0.67"), "a fraction made one piece: that of the piece");
    sends("name=A;price=10;quantity=0.5;discount=2", "5", A "PRICE=10.00&QUANTITY=0.5" OFF("2.00"), "a fraction that stays one");
    sends("name=A;sum=10;quantity=30000000;discount=1", "10", "PRODUCT_NAME=A \xC3\x97 30000000&PRICE=10.00&QUANTITY=1" OFF("30000000.00"), "too many to split");

    /* DISCOUNT_SUM is without tax: (83.33 + 8.34) x 1.2 = 110.00 */

    sends("name=A;price=100;discount=10;tax_rate=20", "100", A "PRICE=100.00&QUANTITY=1" OFF("8.34") "&TAX_RATE=20&TAX_INCLUDED=Y", "with tax: what the portal shows is 110.00");
    sends("name=A;price=100;discount=20;tax_rate=0", "100", A "PRICE=100.00&QUANTITY=1" OFF("20.00") "&TAX_RATE=0&TAX_INCLUDED=Y", "with a tax of 0 %");
    sends("name=A;price=100;discount=20;tax_rate=20;tax_included=N", "120", A "PRICE=120.00&QUANTITY=1" OFF("20.00") "&TAX_RATE=20&TAX_INCLUDED=N", "a net price has a net discount");
    sends("name=A;price=100;discount=20;tax_rate=20;tax_included=N", "100", A "PRICE=100.00&QUANTITY=1" OFF("16.67") "&TAX_RATE=20&TAX_INCLUDED=Y", "unless it was gross after all");

    /* the order's own is a row, as before */

    order = order_of("1490", NULL, "100", NULL);
    (void) item(order, "name=A;price=795;quantity=2;discount=100");
    sent(order, A "PRICE=795.00&QUANTITY=2" OFF("100.00") "; PRODUCT_NAME=Discount&PRICE=-100.00&QUANTITY=1", "beside the order's own");
}


static void
test_rate(void)
{
    sends("name=A;price=100;tax_rate=20", "100", A "PRICE=100.00&QUANTITY=1&TAX_RATE=20&TAX_INCLUDED=Y", "a rate is inside the price unless the shop says otherwise");
    sends("name=A;price=100;tax_rate=0", "100", A "PRICE=100.00&QUANTITY=1&TAX_RATE=0&TAX_INCLUDED=Y", "0 % is a rate");
    sends("name=A;price=100;tax_rate=0.00;tax_included=N", "100", A "PRICE=100.00&QUANTITY=1&TAX_RATE=0&TAX_INCLUDED=N", "0.00 is the same 0, on top");
    sends("name=A;price=100", "100", A "PRICE=100.00&QUANTITY=1", "none given is none");
    sends("name=A;price=100;tax_included=Y", "100", A "PRICE=100.00&QUANTITY=1", "without a rate nothing is included");
    sends("name=A;price=100;tax_rate=free", "100", A "PRICE=100.00&QUANTITY=1", "no number is none");
    sends("name=A;price=100;tax_rate=-5", "100", A "PRICE=100.00&QUANTITY=1", "a negative one is none");
    sends("name=A;price=100;tax_rate=100", "100", A "PRICE=100.00&QUANTITY=1&TAX_RATE=100&TAX_INCLUDED=Y", "100 % is one");
    sends("name=A;price=100;tax_rate=100.01", "100", A "PRICE=100.00&QUANTITY=1", "more is none");
    sends("name=A;price=100;tax_rate=2000;tax_included=N", "100", A "PRICE=100.00&QUANTITY=1", "nor is it added");
    sends("name=A;price=100;tax_rate=19.9999999999", "100", A "PRICE=100.00&QUANTITY=1&TAX_RATE=20&TAX_INCLUDED=Y", "noise");
    sends("name=A;price=1000;tax_rate=8.875;tax_included=N", "1088.75", A "PRICE=1088.75&QUANTITY=1&TAX_RATE=8.88&TAX_INCLUDED=N", "added as the shop has it, shown as the portal keeps it");
    sends("name=A;price=100;tax_rate=20;tax_included=N", "120", A "PRICE=120.00&QUANTITY=1&TAX_RATE=20&TAX_INCLUDED=N", "a net price made gross");
    sends("name=A;price=100;tax_rate=20;tax_included=N", NULL, A "PRICE=120.00&QUANTITY=1&TAX_RATE=20&TAX_INCLUDED=N", "also without a total");
    sends("name=A;price=100;tax_rate=20;tax_included=N", "100", A "PRICE=100.00&QUANTITY=1&TAX_RATE=20&TAX_INCLUDED=Y", "a price that was gross after all");
}


static void
measure(const char *text, int want)
{
    size_t          n;
    char            name[80];
    b24_row_t      *rows;
    b24_order_t    *order;
    b24_decimal_t   diff;

    order = order_of("10", NULL, NULL, NULL);
    item(order, "name=A;price=10")->fields[B24_ITEM_MEASURE] = str(text);
    (void) snprintf(name, sizeof(name), "measure \"%.60s\"", text);

    is_int(b24_crm_rows(pool, order, &rows, &n, &diff) == B24_OK ? rows[0].measure : -1, want, name);
}


static void
test_measure(void)
{
    static const char *const  known[][6] = {
        { "шт", "шт.", " ШТ ", "Штука", "штук", "796" },
        { "pcs", "PCS.", "pc", "pce", "Piece", "pieces" },
        { "кг", "Кг.", "КГ", "kg", "KGM", "166" },
        { "г", "гр.", "ГР", "g", "grm", "163" },
        { "л", "Л", "литр", "l", "LTR", "112" },
        { "м", "М.", "метр", "m", "MTR", "006" }
    };
    static const int          codes[6] = { 796, 796, 166, 163, 112, 6 };
    static const char *const  not_known[] = {
        "", " ", ".", "упак", "м²", "м2", "1000 шт", "шт/уп", "7 96", "0", "00000", "12345", "796a", "-796", "тонна", "м\xC2\xA0", "\xD0", "\xD0\xA8", "кгкгкгкгкгкгкгкгкгкгкгкгкг", "$result[d]"
    };
    size_t                    i, k;

    for (i = 0; i < 6; i++) {

        for (k = 0; k < 6; k++) {
            measure(known[i][k], codes[i]);
        }
    }

    for (i = 0; i < sizeof(not_known) / sizeof(not_known[0]); i++) {
        measure(not_known[i], 0);
    }

    measure("778", 778);
    sends("name=A;price=10;measure=Кг.", "10", A "PRICE=10.00&QUANTITY=1&MEASURE_CODE=166", "a measure's code is sent");
    sends("name=A;price=10;measure=упак", "10", A "PRICE=10.00&QUANTITY=1", "an unknown one is not");
}


static void
test_quantity(void)
{
    sends("name=A;price=10000;quantity=0.0001", "1", A "PRICE=10000.00&QUANTITY=0.0001", "four places");
    sends("name=A;price=100000;quantity=0.00001", "1", "PRODUCT_NAME=A \xC3\x97 0.00001&PRICE=1.00&QUANTITY=1", "five are more than the portal keeps");
    sends("name=A;price=10;quantity=1.500000", "15", A "PRICE=10.00&QUANTITY=1.5", "zeros don't count");
    sends("name=A;price=10;quantity=1e2", "1000", A "PRICE=10.00&QUANTITY=100", "an exponent");
    sends("name=A;price=0.01;quantity=12345.6789", "123.46", "PRODUCT_NAME=A \xC3\x97 12345.6789&PRICE=123.46&QUANTITY=1", "no whole kopecks");
    sends("name=A;price=100;quantity=12345.6789", "1234567.89", A "PRICE=100.00&QUANTITY=12345.6789", "whole ones");
    sends("name=A;price=1;quantity=99999999999", "99999999999", A "PRICE=1.00&QUANTITY=99999999999", "as many as the portal counts exactly");
    sends("name=A;price=1;quantity=100000000000", "100000000000", "PRODUCT_NAME=A \xC3\x97 100000000000&PRICE=100000000000.00&QUANTITY=1", "beyond it");
    sends("name=A;price=10;quantity=some", "10", A "PRICE=10.00&QUANTITY=1", "no number is one");
    sends("name=A;sum=10;quantity=0", "10", A "PRICE=10.00&QUANTITY=1", "none, but it costs");
    sends("name=A;price=9999999999999.99", "9999999999999.99", A "PRICE=9999999999999.99&QUANTITY=1", "a price as large as the portal counts exactly");
    sends("name=A;price=10000000000000", "10000000000000", "", "one beyond it is no row");
}


static void
test_product(void)
{
    b24_order_t  *order;

    order = order_of("50", "30", NULL, NULL);
    item(order, "name=A;price=10;product_id=77;xml_id=SKU")->product = 12;
    item(order, "name=B;price=5;product_id=78");
    item(order, "product_id=79;xml_id=SKU9;price=10")->product = 13;
    item(order, "product_id=80;price=10")->product = -1;
    sent(order, A "PRICE=10.00&QUANTITY=1&PRODUCT_ID=12; PRODUCT_NAME=B&PRICE=5.00&QUANTITY=1; PRODUCT_NAME=SKU9&PRICE=10.00&QUANTITY=1&PRODUCT_ID=13; PRODUCT_NAME=80&PRICE=10.00&QUANTITY=1; PRODUCT_NAME=Delivery&PRICE=30.00&QUANTITY=1; PRODUCT_NAME=Discount&PRICE=-15.00&QUANTITY=1", "the portal's products, never the shop's; our own rows have none");

    order = order_of("13.51", NULL, NULL, NULL);
    item(order, "sum=10;quantity=3;xml_id=SKU")->product = INT64_MAX;
    item(order, "price=10.55;quantity=0.333;xml_id=SKU")->product = 13;
    sent(order, "PRODUCT_NAME=SKU&PRICE=3.33&QUANTITY=2&PRODUCT_ID=9223372036854775807; PRODUCT_NAME=SKU&PRICE=3.34&QUANTITY=1&PRODUCT_ID=9223372036854775807; PRODUCT_NAME=SKU \xC3\x97 0.333&PRICE=3.51&QUANTITY=1&PRODUCT_ID=13", "both rows of a line, and a piece");
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


/* how many orders had what; printed, and none may be rare */

enum {
    HAS_ROWS = 0, HAS_SPLIT, HAS_SINGLE, HAS_DISCOUNT, HAS_NET, HAS_ZERO_RATE,
    HAS_DELIVERY, HAS_OFF, HAS_FEE, HAS_NOISE, HAS_BEYOND, HAS_BY_LINE,
    HAS_BY_PIECE, HAS_REMAINDER, HAS_N
};

static const char  *has_names[HAS_N] = {
    "rows", "a line split in two", "a fraction made a piece", "discounts of items", "net prices", "a rate of 0 %",
    "delivery", "a discount", "a fee", "noise in the total", "numbers beyond all columns", "a total rounded by line",
    "a total rounded by piece", "a total finer than kopecks"
};

static int       had[HAS_N];
static unsigned  has;


/* numbers of the test's own: value = n / 10^places */

__extension__ typedef __int128  big_t;

typedef struct {
    int64_t   n;
    unsigned  places;
} num_t;


static big_t
pow10of(unsigned places)
{
    big_t  v = 1;

    while (places--) {
        v *= 10;
    }

    return v;
}


/* n / d rounded half away from zero */

static big_t
quotient(big_t n, big_t d)
{
    big_t  q;

    q = ((n < 0 ? -n : n) * 2 + d) / (d * 2);

    return n < 0 ? -q : q;
}


/* a text of digits at so many places, by the test's own reading; 0: it is no
 * such text, or has more places */

static int
units(const b24_str_t *text, unsigned places, big_t *v)
{
    int       negative;
    size_t    i;
    unsigned  after, point;

    i = 0;
    *v = 0;
    after = 0;
    point = 0;
    negative = text->len && text->data[0] == '-';

    for (i = negative ? 1 : 0; i < text->len; i++) {

        if (text->data[i] == '.' && !point && i + 1 < text->len) {
            point = 1;
            continue;
        }

        if (text->data[i] < '0' || text->data[i] > '9' || (after += point) > places || *v > pow10of(32)) {
            return 0;
        }

        *v = *v * 10 + (text->data[i] - '0');
    }

    *v *= pow10of(places - after);

    if (negative) {
        *v = -*v;
    }

    return text->len > (negative ? 1 : 0);
}


static num_t
any(uint32_t below, unsigned places)
{
    num_t  v;

    v.n = rnd(below);
    v.places = places;

    return v;
}


/* with or without the zeros at its end */

static b24_str_t
text_of(big_t n, unsigned places)
{
    int        negative;
    char       buf[64], *p;
    unsigned   i;
    b24_str_t  s;

    negative = n < 0;
    n = negative ? -n : n;
    p = buf + sizeof(buf);

    if (rnd(2)) {
        for ( /* void */ ; places && n % 10 == 0; places--) {
            n /= 10;
        }
    }

    for (i = 0; i <= places || n; i++) {

        if (i && i == places) {
            *--p = '.';
        }

        *--p = (char) ('0' + (int) (n % 10));
        n /= 10;
    }

    if (negative) {
        *--p = '-';
    }

    s.len = (size_t) (buf + sizeof(buf) - p);
    (void) b24_pstrdup(pool, &s, (u_char *) p, s.len);

    return s;
}


static b24_str_t
number(uint32_t below, unsigned places)
{
    return text_of(rnd(below), places);
}


/* one that no column holds, or nearly none */

static b24_str_t
beyond(void)
{
    big_t  n;

    n = ((big_t) rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX)) % pow10of(13 + rnd(7));
    has |= 1u << HAS_BEYOND;

    return text_of(n, rnd(4));
}


/* the item's number is its name, so that rows are known by it */

static void
any_extras(b24_order_t *order, b24_item_t *it)
{
    char                      name[8];
    static const char *const  measures[] = { "796", "шт.", "КГ", "упак", "166", "m", "?" };
    static const char *const  odd[] = { "ten", "-5.00", "99999999999999", "9223372036854775807", "0", "0.001", "" };

    (void) snprintf(name, sizeof(name), "thing%c", 'a' + (int) order->nitems);
    (void) b24_pstrdup(pool, &it->fields[B24_ITEM_NAME], (u_char *) name, strlen(name));

    if (rnd(3) == 0) {
        it->fields[B24_ITEM_DISCOUNT] = rnd(8) ? number(1000000, rnd(7)) : str(odd[rnd(7)]);
    }

    if (rnd(4) == 0) {
        it->fields[B24_ITEM_MEASURE] = str(measures[rnd(7)]);
    }

    if (rnd(4) == 0) {
        it->product = 1 + rnd(1000000);
    }
}


/* a shop whose numbers have nothing to do with each other */

static void
any_item(b24_order_t *order)
{
    b24_item_t  *it;

    it = b24_order_add_item(pool, order);
    any_extras(order, it);

    if (rnd(8)) {
        it->fields[B24_ITEM_PRICE] = rnd(200) ? number(10000000, rnd(7)) : beyond();
    }

    if (rnd(3) == 0) {
        it->fields[B24_ITEM_SUM] = rnd(200) ? number(10000000, rnd(7)) : beyond();
    }

    if (rnd(10)) {
        it->fields[B24_ITEM_QUANTITY] = rnd(200) == 0 ? beyond() : rnd(2) ? number(30, 0) : number(100000, rnd(7));
    }

    if (rnd(3) == 0) {
        it->fields[B24_ITEM_TAX_RATE] = rnd(4) ? number(30, rnd(2)) : number(200000, rnd(5));
        it->fields[B24_ITEM_TAX_INCLUDED] = str(rnd(2) ? "N" : "Y");
    }
}


/*
 * A shop that counts right, each line (or piece) in kopecks; the line's sum is
 * returned.  Places are so few that six of them hold a line exactly.
 */

static big_t
right_item(b24_order_t *order, int piece)
{
    big_t        line, rate;
    num_t        price, qty;
    b24_item_t  *it;

    it = b24_order_add_item(pool, order);
    any_extras(order, it);

    price = any(10000000, rnd(4));
    qty = rnd(2) ? any(30, 0) : any(100000, rnd(4));
    qty.n += 1;
    rate = 0;

    it->fields[B24_ITEM_PRICE] = text_of(price.n, price.places);
    it->fields[B24_ITEM_QUANTITY] = text_of(qty.n, qty.places);

    if (rnd(3) == 0) {
        rate = rnd(8) ? rnd(30) : 0;
        has |= rate ? 0 : 1u << HAS_ZERO_RATE;
        it->fields[B24_ITEM_TAX_RATE] = text_of(rate, 0);

        if (rnd(2)) {
            it->fields[B24_ITEM_TAX_INCLUDED] = str("N");
            has |= rate ? 1u << HAS_NET : 0;

        } else {
            rate = 0;
        }
    }

    if (piece) {
        line = quotient(price.n * (100 + rate) * 100, 100 * pow10of(price.places));
        return quotient(line * qty.n, pow10of(qty.places));
    }

    /* kopecks of the exact line: tax to six places, as exact as the module */

    line = (big_t) price.n * qty.n * pow10of(6 - price.places - qty.places);

    return quotient(line + quotient(line * rate, 100), 10000);
}


/* names of rows that such a shop's order may have are in *kinds */

enum { MAY_FEE = 1, MAY_DISCOUNT = 2, MAY_ANY = 4 };

static void
right_order(b24_order_t *order, unsigned *may)
{
    int       piece;
    big_t     total, d;
    uint32_t  n;

    piece = rnd(3) == 0;
    has |= 1u << (piece ? HAS_BY_PIECE : HAS_BY_LINE);
    *may = 0;
    total = 0;

    for (n = 1 + rnd(6); n; n--) {
        total += right_item(order, piece);
    }

    if (rnd(2)) {
        d = rnd(100000);
        order->fields[B24_ORDER_DELIVERY] = text_of(d, 2);
        total += d;
    }

    if (rnd(4) == 0) {
        d = rnd(10000);
        order->fields[B24_ORDER_DISCOUNT] = text_of(d, 2);
        *may |= MAY_DISCOUNT;
        has |= 1u << HAS_OFF;
        total -= rnd(4) ? d : 0;        /* or it is inside the prices */
    }

    if (rnd(6) == 0) {
        total += rnd(10000);
        *may |= MAY_FEE;
        has |= 1u << HAS_FEE;
    }

    if (rnd(4)) {
        order->fields[B24_ORDER_TOTAL] = text_of(total, 2);
        return;
    }

    has |= 1u << HAS_NOISE;
    order->fields[B24_ORDER_TOTAL] = text_of(total * pow10of(8) + (rnd(2) ? 1 : -1), 10);
}


static b24_order_t *
any_order(unsigned *may)
{
    uint32_t      n;
    b24_order_t  *order;

    order = order_of(NULL, NULL, NULL, NULL);
    has = 0;

    if (rnd(2)) {
        right_order(order, may);
        return order;
    }

    *may = MAY_ANY;
    order->fields[B24_ORDER_TOTAL] = rnd(200) ? number(100000000, rnd(8) ? 2 : rnd(4)) : beyond();

    if (rnd(2)) {
        order->fields[B24_ORDER_DELIVERY] = number(100000, rnd(3));
    }

    if (rnd(3) == 0) {
        order->fields[B24_ORDER_DISCOUNT] = number(100000, rnd(3));
    }

    if (rnd(4) == 0) {
        order->fields[B24_ORDER_TAX] = number(100000, rnd(3));
    }

    for (n = rnd(6); n; n--) {
        any_item(order);
    }

    return order;
}


/* what the portal makes of a row's fields, at 2 and 4 places */

typedef struct {
    b24_str_t  name;
    big_t      price;
    big_t      quantity;
    big_t      exclusive;
    big_t      netto;
    big_t      brutto;
    big_t      off;                 /* 0: not given */
    int        net;                 /* TAX_INCLUDED N */
} stored_t;


static const char *
stored(const b24_node_t *row, stored_t *r)
{
    big_t              rate, type, v[FIELDS];
    unsigned           i, given;
    b24_str_t          text, included;
    const b24_node_t  *node;
    static const unsigned  places[FIELDS] = { 0, 2, 4, 0, 0, 2, 2, 0, 0 };

    memset(r, 0, sizeof(stored_t));
    memset(v, 0, sizeof(v));
    given = 0;
    included = str("");

    for (node = row->first; node; node = node->next) {

        for (i = 0; i < FIELDS && !b24_str_eqs(&node->key, classic[i]); i++) {
            /* void */
        }

        if (i == FIELDS || (given & 1u << i) || node->type != B24_STRING || b24_node_text(node, &text) != B24_OK || text.len == 0) {
            return "a field that should not be";
        }

        given |= 1u << i;

        if (i == 0) {
            r->name = text;

        } else if (i == 7) {
            included = text;

        } else if (!units(&text, places[i], &v[i])) {
            return "a number that is none, or finer than the portal keeps";
        }
    }

    r->price = v[1];
    r->quantity = v[2];
    type = v[4];
    r->off = v[5];
    rate = v[6];

    if ((given & 6) != 6 || !(given & 1) || ((given >> 6) & 1) != ((given >> 7) & 1)) {
        return "a field is missing";
    }

    if ((given & 0x30) == 0x30 ? type != 1 || r->off <= 0 : (given & 0x30) != 0) {
        return "a discount that is none";
    }

    if (rate < 0 || rate > 10000 || (included.len && !b24_str_eqs(&included, "Y") && !b24_str_eqs(&included, "N"))) {
        return "a tax that is none";
    }

    if (r->price >= pow10of(15) || r->price <= -pow10of(15) || r->quantity <= 0 || r->quantity >= pow10of(15)) {
        return "beyond the portal's columns";
    }

    r->net = b24_str_eqs(&included, "N");
    r->exclusive = quotient(r->price * 10000, 10000 + rate);
    r->netto = r->exclusive + r->off;
    r->brutto = quotient(r->netto * (10000 + rate), 10000);

    if (r->brutto >= pow10of(15) + 100 || (r->off && r->brutto < r->price - 1)) {
        return "a price before the discount that is none";
    }

    return NULL;
}


/* the item a row was made of, NULL: it is one of the order's own */

static const b24_item_t *
item_of(const b24_order_t *order, const b24_str_t *name)
{
    const b24_item_t  *it;

    for (it = order->items; it; it = it->next) {

        if (b24_str_find(name, 0, (char *) it->fields[B24_ITEM_NAME].data) == 0) {
            return it;
        }
    }

    return NULL;
}


/*
 * What the portal shows as the price before the discount is the row's price and
 * the shop's discount: two kopecks aside, for the tax and for a line in two.
 */

static int
right_before(const b24_item_t *it, const stored_t *r)
{
    big_t             off, qty, rate, want;
    const b24_str_t  *f = it->fields;

    rate = 0;

    if (!units(&f[B24_ITEM_QUANTITY], 4, &qty) || !units(&f[B24_ITEM_DISCOUNT], 6, &off) || off > pow10of(12)) {
        return 1;
    }

    if (b24_str_eqs(&f[B24_ITEM_TAX_INCLUDED], "N") && units(&f[B24_ITEM_TAX_RATE], 0, &rate) && rate && !r->net) {
        return 1;                   /* gross after all */
    }

    off = off < 0 ? 0 : off;        /* a mark-up */

    if (b24_str_find(&r->name, 0, "\xC3\x97") < 0) {
        qty = 10000;
    }

    want = r->price + quotient(off * qty * (100 + rate), pow10of(10));

    return r->off ? r->brutto - want <= 2 && want - r->brutto <= 2 : want - r->price <= 2;
}


/* total less sum is diff, and diff is 0 unless the total is finer than kopecks */

static const char *
differs(const b24_order_t *order, size_t n, big_t sum6, const b24_decimal_t *diff)
{
    big_t             total, d;
    const b24_str_t  *text;

    text = &order->fields[B24_ORDER_TOTAL];

    if (!units(text, 12, &total)) {
        return "no total";
    }

    d = (big_t) diff->units * pow10of(12 - diff->scale);

    if (n == 0) {
        return d == 0 || ((has & 1u << HAS_BEYOND) && d == total) ? NULL : "a difference without rows";
    }

    d = total - sum6 * pow10of(6) - d;

    if (d >= pow10of(8) || d <= -pow10of(8)) {
        return "the difference is not what is missing";
    }

    if (total % pow10of(10) == 0 && (diff->units || d)) {
        return "the sum is not the total";
    }

    if (has & 1u << HAS_NOISE && diff->units) {
        return "noise is told as a difference";
    }

    if (total % pow10of(10) != 0 && !(has & 1u << HAS_NOISE)) {
        has |= 1u << HAS_REMAINDER;

        if (diff->units == 0) {
            return "a remainder is not told";
        }
    }

    return NULL;
}


/* NULL when all holds, from what is sent to what the portal has of it */

static const char *
broken(const b24_order_t *order, unsigned may)
{
    size_t               i, n;
    big_t                sum, fees;
    b24_str_t            json, name;
    stored_t             r, before;
    b24_row_t           *rows;
    b24_node_t          *root, *node;
    const char          *why, *method;
    b24_decimal_t        diff;
    const b24_item_t    *it;
    b24_crm_settings_t   set;

    memset(&set, 0, sizeof(set));
    memset(&before, 0, sizeof(before));

    if (b24_crm_rows(pool, order, &rows, &n, &diff) != B24_OK || b24_crm_rows_direct(pool, &set, order, 1, &method, &json) != B24_OK
        || b24_json_parse(pool, &json, 0, &root) != B24_OK)
    {
        return "failed";
    }

    name = str("rows");
    node = b24_node_get(root, &name);

    if (node == NULL || node->count != n) {
        return "not all rows are sent";
    }

    sum = 0;
    fees = 0;
    node = node->first;

    for (i = 0; i < n; i++, node = node->next) {
        why = stored(node, &r);

        if (why) {
            return why;
        }

        sum += r.price * r.quantity;

        /* the same as the rows say it, without a look at the text */

        if (rows[i].price.scale > 2 || rows[i].quantity.scale > 4
            || r.price != rows[i].price.units * pow10of(2 - rows[i].price.scale) || r.quantity != rows[i].quantity.units * pow10of(4 - rows[i].quantity.scale))
        {
            return "sent otherwise than counted";
        }

        has |= 1u << HAS_ROWS;
        has |= r.off ? 1u << HAS_DISCOUNT : 0;
        has |= b24_str_find(&r.name, 0, "\xC3\x97") > 0 ? 1u << HAS_SINGLE : 0;
        has |= b24_str_eqs(&r.name, "Delivery") ? 1u << HAS_DELIVERY : 0;

        it = item_of(order, &r.name);

        /* rows of one line are a kopeck apart and show one price before */

        if (it && b24_str_eq(&r.name, &before.name)) {
            has |= 1u << HAS_SPLIT;

            if (r.price - before.price != 1 && before.price - r.price != 1) {
                return "rows of a line that are not a kopeck apart";
            }

            if (r.off && before.off && (r.brutto - before.brutto > 1 || before.brutto - r.brutto > 1)) {
                return "rows of a line with two prices before the discount";
            }
        }

        before = r;

        if (may & MAY_ANY) {
            continue;
        }

        if (it && !right_before(it, &r)) {
            return "another price before the discount than the shop's";
        }

        if (it || b24_str_eqs(&r.name, "Delivery")) {
            continue;
        }

        /* a shop that counts right leaves nothing to be explained but this */

        if (b24_str_eqs(&r.name, "Rounding")) {
            fees += r.price < 0 ? -r.price : r.price;

        } else if (!(b24_str_eqs(&r.name, "Fee") && may & MAY_FEE) && !(b24_str_eqs(&r.name, "Discount") && may & (MAY_DISCOUNT | MAY_FEE))) {
            return "a row that nobody ordered";
        }
    }

    if (fees > (big_t) order->nitems) {
        return "more than a kopeck per line is called rounding";
    }

    return differs(order, n, sum, &diff);
}


/* discounts never change prices or quantities */

static int
same_without_discounts(b24_order_t *order)
{
    size_t         i, n, m;
    b24_row_t     *with, *without;
    b24_item_t    *it;
    b24_decimal_t  diff;

    if (b24_crm_rows(pool, order, &with, &n, &diff) != B24_OK) {
        return 0;
    }

    for (it = order->items; it; it = it->next) {
        it->fields[B24_ITEM_DISCOUNT] = str("");
    }

    if (b24_crm_rows(pool, order, &without, &m, &diff) != B24_OK || n != m) {
        return 0;
    }

    for (i = 0; i < n; i++) {

        if (b24_decimal_cmp(&with[i].price, &without[i].price) != 0 || b24_decimal_cmp(&with[i].quantity, &without[i].quantity) != 0
            || !b24_str_eq(&with[i].name, &without[i].name) || without[i].discount.units)
        {
            return 0;
        }
    }

    return 1;
}


static void
test_property(void)
{
    int           i, k, bad, cases, forms;
    unsigned      may;
    const char   *why;
    b24_str_t     s;
    b24_order_t  *order;
    b24_pool_t   *all;

    all = pool;
    bad = 0;
    cases = 0;
    forms = 0;

    for (i = 0; i < ORDERS; i++) {
        pool = b24_pool_create(0);
        order = any_order(&may);
        why = broken(order, may);

        if (why == NULL && forms < ALL_FORMS && i % 3 == 0) {
            why = in_all_forms(order, &s) ? NULL : "not the same in all forms";
            forms++;
        }

        if (why && bad++ < 5) {
            s = shown(order);
            printf("# order %d: %s: total %.*s, rows %.*s\n", i, why, (int) order->fields[B24_ORDER_TOTAL].len, (char *) order->fields[B24_ORDER_TOTAL].data, (int) s.len, (char *) s.data);
        }

        if (i % 4 == 0 && !same_without_discounts(order) && bad++ < 5) {
            printf("# order %d: a discount changes the rows\n", i);
        }

        for (k = 0; k < HAS_N; k++) {
            had[k] += (has >> k) & 1;
        }

        cases++;
        b24_pool_destroy(pool);
    }

    pool = all;

    is_int(bad, 0, "what the portal stores adds up to the total in every order");
    is_int(cases, ORDERS, "orders tried");
    is_int(forms, ALL_FORMS, "of them compared in all forms");
    printf("# %d random orders\n", cases);

    for (k = 0; k < HAS_N; k++) {
        ok(had[k] >= 200, "%d with %s", had[k], has_names[k]);
    }
}


/* ---- rows too many for a batch ---- */

static void
test_direct(void)
{
    int                  i;
    ssize_t              at;
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

    /* more members than our parser takes of one text */

    order = order_of(NULL, NULL, NULL, NULL);

    for (i = 0; i < B24_ORDER_ITEMS; i++) {
        item(order, "name=A;sum=10;quantity=3;discount=1;tax_rate=20;measure=kg")->product = 7;
    }

    is_int(b24_crm_rows_direct(pool, &set, order, 412, &method, &json), B24_OK, "as many rows as an order may have, each in two");
    is_int(b24_json_parse(pool, &json, 0, &root), B24_DECLINED, "are too many to be read back together");

    for (i = 0, at = 0; (at = b24_str_find(&json, (size_t) at, "{\"productName\":\"A\",\"price\":")) >= 0; at++) {
        i++;
    }

    is_int(i, 2 * B24_ORDER_ITEMS, "all are there");

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
    test_discount();
    test_rate();
    test_measure();
    test_quantity();
    test_product();
    test_bounds();
    test_property();
    test_direct();

    b24_pool_destroy(pool);

    return done_testing();
}
