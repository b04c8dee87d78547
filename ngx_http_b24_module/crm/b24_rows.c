
/*
 * Product rows.  The portal keeps prices with two places and quantities with
 * four, so what it will store is what is summed here: the sum of price x
 * quantity equals the shop's total to the kopeck, or *diff tells the rest.
 */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_ROW_NAME      255       /* characters */
#define B24_ROW_VARS      9         /* the most a row takes */
#define B24_ROW_OWNER     2         /* variables that name the deal */
#define B24_PRICE_PLACES  2
#define B24_QTY_PLACES    4
#define B24_RATE_PLACES   2
#define B24_RATE_MAX      100       /* percent; above it is no tax */
#define B24_LINE_PLACES   6         /* of a line's sum before it is rounded:
                                       beyond it is floating point's noise */
#define B24_SPLIT_MAX     1000000   /* pieces; beyond it a row is not split */
#define B24_UNIT_MAX      24        /* bytes of a measure's text */

/* the portal's columns have 18 digits, but PHP counts in floating point, which
 * keeps 15 of them */
#define B24_UNITS_MAX     999999999999999


typedef enum {
    B24_ROWS_DIFFER = 0,            /* a fee or discount nobody named */
    B24_ROWS_NEAR,                  /* a kopeck per line aside */
    B24_ROWS_EXACT
} b24_rows_fit_e;


typedef struct {
    b24_pool_t          *pool;
    const b24_order_t   *order;
    b24_row_t           *rows;
    size_t               n;
    b24_decimal_t        sum;       /* of the rows, exact */
    unsigned             gross:1;   /* tax is added to net prices */
    unsigned             piece:1;   /* a price is rounded before it is times the
                                       quantity, not after */
    unsigned             net:1;     /* there are net prices */
    unsigned             fine:1;    /* a price may be finer than kopecks */
    unsigned             rounded:1; /* a line's sum was rounded */
    unsigned             unpriced:1;
    unsigned             failed:1;  /* out of memory */
    unsigned             overflow:1;
} b24_rows_t;


/* a line of the order before it becomes one row or two */
typedef struct {
    b24_row_t      row;
    b24_decimal_t  rate;            /* to be added to the price; 0: it has it */
    b24_decimal_t  sum;             /* in kopecks, as the buyer pays it */
    b24_decimal_t  off;             /* what was taken off the whole line */
} b24_line_t;


typedef struct {
    int          code;
    const char  *text;
} b24_measure_t;


static void b24_rows_choose(b24_rows_t *b);
static b24_rows_fit_e b24_rows_build(b24_rows_t *b, int gross, int piece);
static void b24_rows_item(b24_rows_t *b, const b24_item_t *item);
static int b24_item_quantity(const b24_item_t *item, b24_decimal_t *qty);
static int b24_item_sum(b24_rows_t *b, const b24_item_t *item,
    b24_line_t *line);
static int b24_item_price(b24_rows_t *b, const b24_line_t *line,
    b24_decimal_t *price);
static void b24_item_off(const b24_item_t *item, b24_line_t *line);
static int b24_line_gross(const b24_line_t *line, b24_decimal_t *amount);
static void b24_rows_line(b24_rows_t *b, const b24_line_t *line);
static void b24_rows_split(b24_rows_t *b, const b24_line_t *line);
static void b24_rows_single(b24_rows_t *b, const b24_line_t *line);
static void b24_row_discount(b24_row_t *row, const b24_line_t *line,
    const b24_decimal_t *qty);
static int b24_row_exclusive(const b24_row_t *row, const b24_decimal_t *price,
    b24_decimal_t *exclusive);
static void b24_rows_push(b24_rows_t *b, const b24_row_t *row);
static b24_rows_fit_e b24_rows_explain(b24_rows_t *b,
    const b24_decimal_t *total);
static int b24_rows_part(b24_rows_t *b, const b24_decimal_t *rest, int tax,
    int discount, b24_decimal_t *left);
static void b24_rows_extra(b24_rows_t *b, const char *name,
    const b24_decimal_t *price);
static void b24_rows_rest(b24_rows_t *b, const b24_decimal_t *rest);
static int b24_rows_small(const b24_rows_t *b, const b24_decimal_t *rest);
static int b24_amount(const b24_str_t *text, b24_decimal_t *d);
static void b24_negate(b24_decimal_t *d);
static int b24_is_big(const b24_decimal_t *d, unsigned places);
static void b24_line_texts(b24_rows_t *b, b24_line_t *line,
    const b24_item_t *item);
static void b24_row_name(b24_str_t *name, const b24_item_t *item);
static void b24_line_tax(b24_rows_t *b, b24_line_t *line,
    const b24_item_t *item);
static int b24_row_measure(const b24_str_t *text);
static size_t b24_measure_plain(const b24_str_t *text, u_char *plain);
static int b24_row_json(b24_buf_t *out, const b24_crm_api_t *api,
    const b24_row_t *row);
static void b24_row_member(b24_buf_t *out, const b24_crm_api_t *api,
    const char *field, const b24_str_t *value);
static void b24_row_value(const b24_row_t *row, int i, char *buf,
    b24_str_t *value);


/* in the order they are sent; b24_row_value() knows them by their place */
static const char  *b24_row_fields[B24_ROW_VARS] = {
    "PRODUCT_NAME",
    "PRICE",
    "QUANTITY",
    "PRODUCT_ID",
    "DISCOUNT_TYPE_ID",
    "DISCOUNT_SUM",
    "TAX_RATE",
    "TAX_INCLUDED",
    "MEASURE_CODE"
};


/*
 * The measures every portal has; one that it doesn't know would leave the
 * quantity without a unit.  Cyrillic texts are in UTF-8, lower case.
 */
static const b24_measure_t  b24_measures[] = {
    { 796, "\xD1\x88\xD1\x82" },                                /* sht */
    { 796, "\xD1\x88\xD1\x82\xD1\x83\xD0\xBA\xD0\xB0" },        /* shtuka */
    { 796, "\xD1\x88\xD1\x82\xD1\x83\xD0\xBA\xD0\xB8" },        /* shtuki */
    { 796, "\xD1\x88\xD1\x82\xD1\x83\xD0\xBA" },                /* shtuk */
    { 796, "pc" },
    { 796, "pcs" },
    { 796, "pce" },
    { 796, "piece" },
    { 796, "pieces" },
    { 166, "\xD0\xBA\xD0\xB3" },                                /* kg */
    { 166, "kg" },
    { 166, "kgm" },
    { 163, "\xD0\xB3" },                                        /* g */
    { 163, "\xD0\xB3\xD1\x80" },                                /* gr */
    { 163, "g" },
    { 163, "grm" },
    { 112, "\xD0\xBB" },                                        /* l */
    { 112, "\xD0\xBB\xD0\xB8\xD1\x82\xD1\x80" },                /* litr */
    { 112, "l" },
    { 112, "ltr" },
    { 6,   "\xD0\xBC" },                                        /* m */
    { 6,   "\xD0\xBC\xD0\xB5\xD1\x82\xD1\x80" },                /* metr */
    { 6,   "m" },
    { 6,   "mtr" }
};


int
b24_crm_rows(b24_pool_t *pool, const b24_order_t *order, b24_row_t **rows,
    size_t *n, b24_decimal_t *diff)
{
    b24_rows_t     b;
    b24_decimal_t  total;

    memset(&b, 0, sizeof(b24_rows_t));
    b.pool = pool;
    b.order = order;

    /* an item makes two rows at most; five come from the order itself */

    b.rows = b24_pcalloc(pool, (order->nitems * 2 + 5) * sizeof(b24_row_t));
    if (b.rows == NULL) {
        return B24_ERROR;
    }

    *rows = b.rows;

    b24_rows_choose(&b);

    memset(diff, 0, sizeof(b24_decimal_t));

    if (b24_amount(&order->fields[B24_ORDER_TOTAL], &total) == B24_OK) {

        if (b.overflow || b24_decimal_sub(&total, &b.sum, diff) != B24_OK) {
            b.n = 0;
            *diff = total;
        }

        /*
         * The noise of a shop's floating point is no difference, and where
         * there are no rows nothing differs.
         */

        if (b24_decimal_round(diff, B24_QTY_PLACES) != B24_OK) {
            *diff = total;
        }

        if (b.n == 0 && !b.overflow) {
            memset(diff, 0, sizeof(b24_decimal_t));
        }

    } else if (b.overflow) {
        b.n = 0;
    }

    *n = b.n;

    return b.failed ? B24_ERROR : B24_OK;
}


/*
 * What the shop doesn't say is how it has counted; its total tells.  Net prices
 * (tax_included N) become gross ones, as the portal wants them, unless only the
 * prices as they are add up.  Shops round the line, or the price of a piece.
 */

static void
b24_rows_choose(b24_rows_t *b)
{
    int             gross;
    b24_rows_fit_e  line, piece;

    for (gross = 1; gross >= 0; gross--) {

        line = b24_rows_build(b, gross, 0);

        if (line == B24_ROWS_EXACT) {
            return;
        }

        piece = b->fine ? b24_rows_build(b, gross, 1) : line;

        if (piece == B24_ROWS_EXACT) {
            return;
        }

        if (line == B24_ROWS_NEAR) {
            (void) b24_rows_build(b, gross, 0);
            return;
        }

        if (piece == B24_ROWS_NEAR) {
            return;
        }

        if (!b->net) {
            break;
        }
    }

    (void) b24_rows_build(b, 1, 0);
}


/* tells whether the parts the shop named add up to its total */

static b24_rows_fit_e
b24_rows_build(b24_rows_t *b, int gross, int piece)
{
    b24_decimal_t      total, price;
    const b24_item_t  *item;

    b->n = 0;
    b->gross = gross ? 1 : 0;
    b->piece = piece ? 1 : 0;
    b->rounded = 0;
    b->overflow = 0;
    memset(&b->sum, 0, sizeof(b24_decimal_t));

    for (item = b->order->items; item; item = item->next) {
        b24_rows_item(b, item);
    }

    if (b24_amount(&b->order->fields[B24_ORDER_DELIVERY], &price) == B24_OK) {
        b24_rows_extra(b, "Delivery", &price);
    }

    if (b->n == 0) {
        return B24_ROWS_EXACT;
    }

    if (b24_amount(&b->order->fields[B24_ORDER_TOTAL], &total) != B24_OK) {

        if (b24_amount(&b->order->fields[B24_ORDER_DISCOUNT], &price)
            == B24_OK)
        {
            b24_negate(&price);
            b24_rows_extra(b, "Discount", &price);
        }

        return B24_ROWS_EXACT;
    }

    if (b24_decimal_round(&total, B24_PRICE_PLACES) != B24_OK) {
        b->overflow = 1;
        return B24_ROWS_DIFFER;
    }

    return b24_rows_explain(b, &total);
}


static void
b24_rows_item(b24_rows_t *b, const b24_item_t *item)
{
    b24_line_t  line;

    memset(&line, 0, sizeof(b24_line_t));

    if (b24_item_quantity(item, &line.row.quantity) != B24_OK) {
        return;
    }

    b24_line_texts(b, &line, item);

    if (b24_item_sum(b, item, &line) != B24_OK) {
        memset(&line.sum, 0, sizeof(b24_decimal_t));
        b->unpriced = 1;

    } else if (line.sum.units >= 0) {
        b24_item_off(item, &line);
    }

    if (line.row.quantity.units < 0) {

        /* taken back: the sign belongs to the price */

        b24_negate(&line.row.quantity);
    }

    b24_rows_line(b, &line);
}


/* what isn't given is one piece; nothing ordered is no row */

static int
b24_item_quantity(const b24_item_t *item, b24_decimal_t *qty)
{
    const b24_str_t  *text;

    text = &item->fields[B24_ITEM_QUANTITY];

    if (text->len == 0 || b24_decimal_parse(text, qty) != B24_OK) {
        qty->units = 1;
        qty->scale = 0;
        return B24_OK;
    }

    while (qty->scale && qty->units % 10 == 0) {
        qty->units /= 10;
        qty->scale--;
    }

    if (qty->units == 0) {

        if (item->fields[B24_ITEM_SUM].len == 0) {
            return B24_DECLINED;
        }

        qty->units = 1;
    }

    return B24_OK;
}


/*
 * What the line costs, in kopecks: its sum where the shop gives one (it knows
 * how it rounded), else price x quantity.
 */

static int
b24_item_sum(b24_rows_t *b, const b24_item_t *item, b24_line_t *line)
{
    b24_decimal_t  exact;

    if (b24_amount(&item->fields[B24_ITEM_SUM], &exact) != B24_OK) {

        if (b24_amount(&item->fields[B24_ITEM_PRICE], &exact) != B24_OK) {
            return B24_DECLINED;
        }

        if (b24_item_price(b, line, &exact) != B24_OK) {
            b->overflow = 1;
            return B24_DECLINED;
        }

    } else if (b24_line_gross(line, &exact) != B24_OK) {
        b->overflow = 1;
        return B24_DECLINED;
    }

    line->sum = exact;

    if (b24_decimal_round(&line->sum, B24_PRICE_PLACES) != B24_OK) {
        b->overflow = 1;
        return B24_DECLINED;
    }

    if (b24_decimal_cmp(&exact, &line->sum) != 0) {
        b->rounded = 1;
    }

    return B24_OK;
}


/* the price of a piece becomes that of the line */

static int
b24_item_price(b24_rows_t *b, const b24_line_t *line, b24_decimal_t *price)
{
    if (price->scale > B24_PRICE_PLACES || line->rate.units) {
        b->fine = 1;
    }

    if (b->piece) {
        b->rounded = 1;

        if (b24_line_gross(line, price) != B24_OK
            || b24_decimal_round(price, B24_PRICE_PLACES) != B24_OK)
        {
            return B24_DECLINED;
        }
    }

    if (b24_decimal_mul_round(price, &line->row.quantity, B24_LINE_PLACES,
                              price)
        != B24_OK)
    {
        return B24_DECLINED;
    }

    return b->piece ? B24_OK : b24_line_gross(line, price);
}


/*
 * The discount of the whole line, for information: the price has it already.
 * A mark-up is none.
 */

static void
b24_item_off(const b24_item_t *item, b24_line_t *line)
{
    b24_decimal_t  off;

    if (b24_amount(&item->fields[B24_ITEM_DISCOUNT], &off) != B24_OK
        || off.units < 0)
    {
        return;
    }

    if (b24_decimal_mul_round(&off, &line->row.quantity, B24_LINE_PLACES, &off)
        == B24_OK
        && b24_line_gross(line, &off) == B24_OK)
    {
        line->off = off;
    }
}


/* adds the tax to a net amount */

static int
b24_line_gross(const b24_line_t *line, b24_decimal_t *amount)
{
    b24_decimal_t  tax, hundred = { 100, 0 };

    if (line->rate.units == 0) {
        return B24_OK;
    }

    if (b24_decimal_mul_round(amount, &line->rate, B24_LINE_PLACES, &tax)
        != B24_OK
        || b24_decimal_div(&tax, &hundred, B24_LINE_PLACES, &tax) != B24_OK)
    {
        return B24_DECLINED;
    }

    return b24_decimal_add(amount, &tax, amount);
}


/*
 * sum = price x quantity where a price of whole kopecks gives it.  Else whole
 * pieces are split in two rows a kopeck apart, as shops do it on receipts, and
 * a fraction (0.333 kg) becomes one piece with the quantity in its name.
 */

static void
b24_rows_line(b24_rows_t *b, const b24_line_t *line)
{
    b24_row_t      r;
    b24_decimal_t  back;

    r = line->row;

    if (r.quantity.scale <= B24_QTY_PLACES
        && !b24_is_big(&r.quantity, B24_QTY_PLACES)
        && b24_decimal_div(&line->sum, &r.quantity, B24_PRICE_PLACES, &r.price)
           == B24_OK
        && b24_decimal_mul(&r.price, &r.quantity, &back) == B24_OK
        && b24_decimal_cmp(&back, &line->sum) == 0)
    {
        b24_row_discount(&r, line, &r.quantity);
        b24_rows_push(b, &r);
        return;
    }

    if (line->row.quantity.scale == 0
        && line->row.quantity.units <= B24_SPLIT_MAX)
    {
        b24_rows_split(b, line);
        return;
    }

    b24_rows_single(b, line);
}


static void
b24_rows_split(b24_rows_t *b, const b24_line_t *line)
{
    int64_t    pieces, more;
    b24_row_t  r;

    /* the sum has two places: its units are kopecks */

    pieces = line->row.quantity.units;
    more = line->sum.units % pieces;

    r = line->row;
    r.price.units = line->sum.units / pieces;
    r.price.scale = B24_PRICE_PLACES;
    r.quantity.units = pieces - (more < 0 ? -more : more);
    b24_row_discount(&r, line, &line->row.quantity);
    b24_rows_push(b, &r);

    r.price.units += (more < 0) ? -1 : 1;
    r.quantity.units = more < 0 ? -more : more;
    b24_row_discount(&r, line, &line->row.quantity);
    b24_rows_push(b, &r);
}


static void
b24_rows_single(b24_rows_t *b, const b24_line_t *line)
{
    char       qty[B24_DECIMAL_LEN];
    b24_row_t  r;
    b24_buf_t  buf;
    b24_str_t  name;

    r = line->row;
    name = r.name;

    (void) b24_decimal_print(&r.quantity, 0, qty);

    /* " x " and the quantity must not be cut off */

    b24_crm_cut(&name, B24_ROW_NAME - 3 - strlen(qty));

    b24_buf_init(&buf, b->pool);
    b24_buf_addstr(&buf, &name);
    b24_buf_adds(&buf, " \xC3\x97 ");
    b24_buf_adds(&buf, qty);

    if (b24_buf_str(&buf, &r.name) != B24_OK) {
        b->failed = 1;
        return;
    }

    r.price = line->sum;
    r.quantity.units = 1;
    r.quantity.scale = 0;
    b24_row_discount(&r, line, &r.quantity);
    b24_rows_push(b, &r);
}


/*
 * The portal adds the discount to the price, both without tax, then the tax
 * (PRICE_NETTO, PRICE_BRUTTO).  So the price before the discount is taken back
 * to kopecks without tax: what the portal shows is off by a kopeck at most, and
 * rows that were one line show the same.
 */

static void
b24_row_discount(b24_row_t *row, const b24_line_t *line,
    const b24_decimal_t *qty)
{
    b24_decimal_t  before, price;

    memset(&row->discount, 0, sizeof(b24_decimal_t));

    if (line->off.units == 0
        || b24_decimal_add(&line->sum, &line->off, &before) != B24_OK
        || b24_decimal_div(&before, qty, B24_PRICE_PLACES, &before) != B24_OK
        || b24_is_big(&before, B24_PRICE_PLACES)
        || b24_row_exclusive(row, &before, &before) != B24_OK
        || b24_row_exclusive(row, &row->price, &price) != B24_OK
        || b24_decimal_cmp(&before, &price) <= 0)
    {
        return;
    }

    (void) b24_decimal_sub(&before, &price, &row->discount);
}


/* without tax, as the portal will find it */

static int
b24_row_exclusive(const b24_row_t *row, const b24_decimal_t *price,
    b24_decimal_t *exclusive)
{
    b24_decimal_t  hundred = { 100, 0 }, whole;

    if (b24_decimal_add(&hundred, &row->tax_rate, &whole) != B24_OK
        || b24_decimal_mul(price, &hundred, exclusive) != B24_OK)
    {
        return B24_DECLINED;
    }

    return b24_decimal_div(exclusive, &whole, B24_PRICE_PLACES, exclusive);
}


static void
b24_rows_push(b24_rows_t *b, const b24_row_t *row)
{
    b24_decimal_t  line;

    if (b24_is_big(&row->price, B24_PRICE_PLACES)
        || b24_decimal_mul(&row->price, &row->quantity, &line) != B24_OK
        || b24_decimal_add(&b->sum, &line, &b->sum) != B24_OK)
    {
        b->overflow = 1;
        return;
    }

    b->rows[b->n++] = *row;
}


/*
 * What the total has beyond items and delivery.  The order's own tax and
 * discount are rows only where they fill the gap: many shops report a discount
 * that is inside the prices already.
 */

static b24_rows_fit_e
b24_rows_explain(b24_rows_t *b, const b24_decimal_t *total)
{
    int            i, pass;
    b24_decimal_t  rest, left, d;

    if (b24_decimal_sub(total, &b->sum, &rest) != B24_OK) {
        b->overflow = 1;
        return B24_ROWS_DIFFER;
    }

    for (pass = 0; pass < 2; pass++) {

        for (i = 0; i < 4; i++) {

            if (b24_rows_part(b, &rest, i & 2, i & 1, &left) != B24_OK
                || (pass == 0 ? left.units != 0 : !b24_rows_small(b, &left)))
            {
                continue;
            }

            if (i & 2) {
                (void) b24_amount(&b->order->fields[B24_ORDER_TAX], &d);
                b24_rows_extra(b, "Tax", &d);
            }

            if (i & 1) {
                (void) b24_amount(&b->order->fields[B24_ORDER_DISCOUNT], &d);
                b24_negate(&d);
                b24_rows_extra(b, "Discount", &d);
            }

            b24_rows_extra(b, "Rounding", &left);

            return pass ? B24_ROWS_NEAR : B24_ROWS_EXACT;
        }
    }

    b24_rows_rest(b, &rest);

    return B24_ROWS_DIFFER;
}


/* *left is rest less the order's tax, plus its discount */

static int
b24_rows_part(b24_rows_t *b, const b24_decimal_t *rest, int tax, int discount,
    b24_decimal_t *left)
{
    b24_decimal_t      d;
    const b24_str_t   *fields;

    fields = b->order->fields;
    *left = *rest;

    if (tax) {

        if (b24_amount(&fields[B24_ORDER_TAX], &d) != B24_OK
            || b24_decimal_round(&d, B24_PRICE_PLACES) != B24_OK
            || b24_decimal_sub(left, &d, left) != B24_OK)
        {
            return B24_DECLINED;
        }
    }

    if (discount) {

        if (b24_amount(&fields[B24_ORDER_DISCOUNT], &d) != B24_OK
            || b24_decimal_round(&d, B24_PRICE_PLACES) != B24_OK
            || b24_decimal_add(left, &d, left) != B24_OK)
        {
            return B24_DECLINED;
        }
    }

    return B24_OK;
}


static void
b24_rows_extra(b24_rows_t *b, const char *name, const b24_decimal_t *price)
{
    b24_row_t  row;

    memset(&row, 0, sizeof(b24_row_t));

    row.name.data = (u_char *) name;
    row.name.len = strlen(name);
    row.price = *price;
    row.quantity.units = 1;

    if (b24_decimal_round(&row.price, B24_PRICE_PLACES) != B24_OK) {
        b->overflow = 1;
        return;
    }

    if (row.price.units) {
        b24_rows_push(b, &row);
    }
}


static void
b24_rows_rest(b24_rows_t *b, const b24_decimal_t *rest)
{
    const char  *name;

    if (rest->units < 0) {
        name = "Discount";

    } else if (b->unpriced || b->order->items == NULL) {
        name = "Goods";

    } else {
        name = "Fee";
    }

    b24_rows_extra(b, name, rest);
}


/* at most a kopeck per line, and only where a line was rounded */

static int
b24_rows_small(const b24_rows_t *b, const b24_decimal_t *rest)
{
    b24_decimal_t  most, least;

    if (!b->rounded) {
        return 0;
    }

    most.units = (int64_t) b->order->nitems;
    most.scale = B24_PRICE_PLACES;
    least.units = -most.units;
    least.scale = B24_PRICE_PLACES;

    return b24_decimal_cmp(rest, &most) <= 0
           && b24_decimal_cmp(rest, &least) >= 0;
}


static int
b24_amount(const b24_str_t *text, b24_decimal_t *d)
{
    return text->len ? b24_decimal_parse(text, d) : B24_DECLINED;
}


static void
b24_negate(b24_decimal_t *d)
{
    /* the parser's bound keeps units above INT64_MIN, this makes it certain */

    d->units = (d->units == INT64_MIN) ? INT64_MAX : -d->units;
}


/* has more digits, with so many places, than the portal counts exactly */

static int
b24_is_big(const b24_decimal_t *d, unsigned places)
{
    b24_decimal_t  most;

    most.units = B24_UNITS_MAX;
    most.scale = places;

    if (b24_decimal_cmp(d, &most) > 0) {
        return 1;
    }

    b24_negate(&most);

    return b24_decimal_cmp(d, &most) < 0;
}


static void
b24_line_texts(b24_rows_t *b, b24_line_t *line, const b24_item_t *item)
{
    line->row.product = item->product > 0 ? item->product : 0;
    line->row.measure = b24_row_measure(&item->fields[B24_ITEM_MEASURE]);

    b24_row_name(&line->row.name, item);
    b24_line_tax(b, line, item);
}


/*
 * Where none is sent the portal takes its product's, but whether it has the
 * product nobody knows who hasn't looked (b24_product id), and a row must have
 * a name.
 */

static void
b24_row_name(b24_str_t *name, const b24_item_t *item)
{
    b24_str_t         piece = b24_string("Item");
    const b24_str_t  *f;

    f = item->fields;

    *name = f[B24_ITEM_NAME].len ? f[B24_ITEM_NAME]
            : f[B24_ITEM_XML_ID].len ? f[B24_ITEM_XML_ID]
            : f[B24_ITEM_PRODUCT_ID].len ? f[B24_ITEM_PRODUCT_ID]
            : piece;

    b24_crm_cut(name, B24_ROW_NAME);
}


/*
 * 0 is a rate ("0 %"), none given is none.  The portal's PRICE has the tax
 * always; TAX_INCLUDED tells how the row is shown, so it is N only where we
 * have added the tax, or where there is nothing to add.
 */

static void
b24_line_tax(b24_rows_t *b, b24_line_t *line, const b24_item_t *item)
{
    int            net;
    b24_decimal_t  rate, most = { B24_RATE_MAX, 0 };

    if (b24_amount(&item->fields[B24_ITEM_TAX_RATE], &rate) != B24_OK
        || rate.units < 0
        || b24_decimal_cmp(&rate, &most) > 0)
    {
        return;
    }

    line->row.tax_rate = rate;

    if (b24_decimal_round(&line->row.tax_rate, B24_RATE_PLACES) != B24_OK) {
        return;
    }

    net = b24_str_eqs(&item->fields[B24_ITEM_TAX_INCLUDED], "N");

    if (net && rate.units) {
        b->net = 1;

        if (b->gross) {
            line->rate = rate;

        } else {
            net = 0;
        }
    }

    line->row.tax_included.data = (u_char *) (net ? "N" : "Y");
    line->row.tax_included.len = 1;
}


/* 0: none, or one that not every portal has */

static int
b24_row_measure(const b24_str_t *text)
{
    int        code;
    u_char     plain[B24_UNIT_MAX];
    size_t     i;
    b24_str_t  s;

    s.data = plain;
    s.len = b24_measure_plain(text, plain);

    code = 0;

    for (i = 0; i < s.len && i < 4 && b24_isdigit(plain[i]); i++) {
        code = code * 10 + (plain[i] - '0');
    }

    if (i == s.len) {
        return code;
    }

    for (i = 0; i < sizeof(b24_measures) / sizeof(b24_measures[0]); i++) {

        if (b24_str_eqs(&s, b24_measures[i].text)) {
            return b24_measures[i].code;
        }
    }

    return 0;
}


/* Latin and Russian letters in lower case, without blanks around and the dot of
 * a short form; 0: nothing is left, or too much */

static size_t
b24_measure_plain(const b24_str_t *text, u_char *plain)
{
    u_char     c;
    size_t     i;
    b24_str_t  s;

    s = *text;
    b24_str_trim(&s);

    if (s.len && s.data[s.len - 1] == '.') {
        s.len--;
    }

    if (s.len > B24_UNIT_MAX) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        c = b24_tolower(s.data[i]);

        /* U+0410 .. U+042F are D0 90 .. D0 AF, their small letters D0 B0 ..
         * D0 BF and D1 80 .. D1 8F */

        if (i && s.data[i - 1] == 0xD0 && c >= 0x90 && c <= 0xAF) {

            if (c < 0xA0) {
                c += 0x20;

            } else {
                plain[i - 1] = 0xD1;
                c -= 0x20;
            }
        }

        plain[i] = c;
    }

    return s.len;
}


unsigned
b24_crm_rows_vars(const b24_row_t *rows, size_t n)
{
    int        f;
    char       buf[B24_DECIMAL_LEN];
    unsigned   vars;
    b24_str_t  value;

    vars = B24_ROW_OWNER;

    for ( /* void */ ; n; n--, rows++) {

        for (f = 0; f < B24_ROW_VARS; f++) {
            b24_row_value(rows, f, buf, &value);
            vars += value.len ? 1 : 0;
        }
    }

    return vars;
}


void
b24_crm_rows_put(b24_batch_t *batch, b24_command_t *cmd,
    const b24_crm_api_t *api, const b24_row_t *rows, size_t n)
{
    int        f;
    char       key[B24_CRM_KEY], prefix[64], buf[B24_DECIMAL_LEN];
    size_t     i;
    b24_str_t  value;

    for (i = 0; i < n; i++) {
        (void) snprintf(prefix, sizeof(prefix), "%s[%zu]", api->rows, i);

        for (f = 0; f < B24_ROW_VARS; f++) {
            b24_row_value(&rows[i], f, buf, &value);

            if (value.len) {
                b24_crm_key(api, key, prefix, "", b24_row_fields[f]);
                b24_command_text(batch, cmd, key, &value);
            }
        }
    }
}


/*
 * Empty: the field is not sent.  Numbers are texts in JSON too, since a 0.0
 * would be no tax.  buf holds B24_DECIMAL_LEN bytes.
 */

static void
b24_row_value(const b24_row_t *row, int i, char *buf, b24_str_t *value)
{
    unsigned       places;
    b24_decimal_t  d;

    places = 0;
    memset(&d, 0, sizeof(b24_decimal_t));

    value->data = (u_char *) buf;
    value->len = 0;

    switch (i) {

    case 0:
        *value = row->name;
        return;

    case 1:
        d = row->price;
        places = B24_PRICE_PLACES;
        break;

    case 2:
        d = row->quantity;
        break;

    case 3:
        d.units = row->product;
        break;

    case 4:
        d.units = row->discount.units ? 1 : 0;      /* an amount, no percent */
        break;

    case 5:
        d = row->discount;
        places = B24_PRICE_PLACES;
        break;

    case 6:
        d = row->tax_rate;
        break;

    case 7:
        *value = row->tax_included;
        return;

    default:
        d.units = row->measure;
    }

    /* a price of 0 is one, and so is a tax of 0 % */

    if (d.units || i == 1 || (i == 6 && row->tax_included.len)) {
        value->len = b24_decimal_print(&d, places, buf);
    }
}


int
b24_crm_rows_direct_needed(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order)
{
    size_t         n;
    b24_row_t     *rows;
    b24_decimal_t  diff;

    (void) set;

    if (b24_crm_rows(pool, order, &rows, &n, &diff) != B24_OK) {
        return B24_ERROR;
    }

    return b24_crm_rows_vars(rows, n) > B24_COMMAND_VARS;
}


int
b24_crm_rows_direct(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, int64_t deal, const char **method,
    b24_str_t *json)
{
    size_t                i, n;
    b24_buf_t             out;
    b24_row_t            *rows;
    b24_decimal_t         diff;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);
    *method = api->rows_set;

    if (b24_crm_rows(pool, order, &rows, &n, &diff) != B24_OK) {
        return B24_ERROR;
    }

    b24_buf_init(&out, pool);
    b24_buf_adds(&out, api->universal ? "{\"ownerType\":\"D\",\"ownerId\":"
                                      : "{\"id\":");
    b24_buf_addi(&out, deal);
    b24_buf_adds(&out, ",\"");
    b24_buf_adds(&out, api->rows);
    b24_buf_adds(&out, "\":[");

    for (i = 0; i < n; i++) {

        if (i) {
            b24_buf_addc(&out, ',');
        }

        if (b24_row_json(&out, api, &rows[i]) != B24_OK) {
            return B24_ERROR;
        }
    }

    b24_buf_adds(&out, "]}");

    return b24_buf_str(&out, json);
}


/*
 * An unreadable body would be taken for a call without rows, so each row is
 * read back before it goes out: one by one, since all of them may be more than
 * the parser takes.
 */

static int
b24_row_json(b24_buf_t *out, const b24_crm_api_t *api, const b24_row_t *row)
{
    int          f;
    char         buf[B24_DECIMAL_LEN];
    u_char       comma;
    size_t       start;
    b24_str_t    value, text;
    b24_node_t  *node;

    comma = '{';
    start = out->len;

    for (f = 0; f < B24_ROW_VARS; f++) {
        b24_row_value(row, f, buf, &value);

        if (value.len) {
            b24_buf_addc(out, comma);
            b24_row_member(out, api, b24_row_fields[f], &value);
            comma = ',';
        }
    }

    b24_buf_addc(out, '}');

    if (b24_buf_str(out, &text) != B24_OK) {
        return B24_ERROR;
    }

    text.data += start;
    text.len -= start;

    return b24_json_parse(out->pool, &text, 0, &node) == B24_OK ? B24_OK
                                                                : B24_ERROR;
}


static void
b24_row_member(b24_buf_t *out, const b24_crm_api_t *api, const char *field,
    const b24_str_t *value)
{
    char       key[B24_CRM_KEY];
    b24_str_t  name;

    b24_crm_key(api, key, NULL, "", field);

    name.data = (u_char *) key;
    name.len = strlen(key);

    b24_json_string(out, &name);
    b24_buf_addc(out, ':');
    b24_json_string(out, value);
}


int
b24_crm_rows_written(const b24_answer_t *answer, b24_crm_known_t *known,
    b24_verdict_t *verdict)
{
    b24_str_t          name = b24_string("result");
    const b24_node_t  *result;

    *verdict = answer->verdict;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    result = b24_node_get(answer->root, &name);

    if (result == NULL || result->type == B24_NULL
        || result->type == B24_FALSE)
    {
        name.data = (u_char *) "the portal did not confirm the product rows";
        name.len = strlen((char *) name.data);
        verdict->class = B24_CLASS_CHECK;
        verdict->text = name;
        return B24_OK;
    }

    known->rows_done = 1;

    return B24_OK;
}
