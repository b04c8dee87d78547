
/*
 * Product rows.  The portal keeps prices with two places and quantities with
 * four, so what it will store is what is summed here: the sum of price x
 * quantity equals the shop's total to the kopeck, or *diff tells the rest.
 */


#include "b24_rows_int.h"


#define B24_ROW_NAME      255       /* characters */
#define B24_RATE_MAX      100       /* percent; above it is no tax */
#define B24_LINE_PLACES   6         /* of a line's sum before it is rounded:
                                       beyond it is floating point's noise */
#define B24_SPLIT_MAX     1000000   /* pieces; beyond it a row is not split */

/* the portal's columns have 18 digits, but PHP counts in floating point, which
 * keeps 15 of them */
#define B24_UNITS_MAX     999999999999999


/* a line of the order before it becomes one row or two */
typedef struct {
    b24_row_t      row;
    b24_decimal_t  rate;            /* to be added to the price; 0: it has it */
    b24_decimal_t  sum;             /* in kopecks, as the buyer pays it */
    b24_decimal_t  off;             /* what was taken off the whole line */
} b24_line_t;


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
static void b24_line_texts(b24_rows_t *b, b24_line_t *line,
    const b24_item_t *item);
static void b24_row_name(b24_str_t *name, const b24_item_t *item);
static void b24_line_tax(b24_rows_t *b, b24_line_t *line,
    const b24_item_t *item);


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


void
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


int
b24_amount(const b24_str_t *text, b24_decimal_t *d)
{
    return text->len ? b24_decimal_parse(text, d) : B24_DECLINED;
}


void
b24_negate(b24_decimal_t *d)
{
    /* the parser's bound keeps units above INT64_MIN, this makes it certain */

    d->units = (d->units == INT64_MIN) ? INT64_MAX : -d->units;
}


/* has more digits, with so many places, than the portal counts exactly */

int
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
