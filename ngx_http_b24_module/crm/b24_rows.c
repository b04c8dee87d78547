
/*
 * Product rows.  The portal keeps prices with two places and quantities with
 * four, so what it will store is what is summed here: the sum of price x
 * quantity equals the shop's total to the kopeck, or *diff tells the rest.
 */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_ROW_NAME      255       /* characters */
#define B24_ROW_VARS      6         /* the most a row takes */
#define B24_ROW_OWNER     2         /* variables that name the deal */
#define B24_PRICE_PLACES  2
#define B24_QTY_PLACES    4
#define B24_LINE_PLACES   6         /* of a line's sum before it is rounded:
                                       beyond it is floating point's noise */
#define B24_SPLIT_MAX     1000000   /* pieces; beyond it a row is not split */


typedef struct {
    b24_pool_t          *pool;
    const b24_order_t   *order;
    b24_row_t           *rows;
    size_t               n;
    b24_decimal_t        sum;       /* of the rows, exact */
    unsigned             gross:1;   /* tax is added to net prices */
    unsigned             net:1;     /* there are net prices */
    unsigned             rounded:1; /* a line's sum was rounded */
    unsigned             unpriced:1;
    unsigned             failed:1;  /* out of memory */
    unsigned             overflow:1;
} b24_rows_t;


static int b24_rows_build(b24_rows_t *b, int gross);
static void b24_rows_item(b24_rows_t *b, const b24_item_t *item);
static int b24_item_quantity(const b24_item_t *item, b24_decimal_t *qty);
static int b24_item_line(b24_rows_t *b, const b24_item_t *item,
    const b24_decimal_t *qty, b24_decimal_t *line);
static int b24_item_gross(const b24_item_t *item, b24_decimal_t *line);
static void b24_rows_line(b24_rows_t *b, const b24_row_t *row,
    const b24_decimal_t *line);
static void b24_rows_split(b24_rows_t *b, const b24_row_t *row,
    const b24_decimal_t *line);
static void b24_rows_single(b24_rows_t *b, const b24_row_t *row,
    const b24_decimal_t *line);
static void b24_rows_push(b24_rows_t *b, const b24_row_t *row);
static int b24_rows_explain(b24_rows_t *b, const b24_decimal_t *total);
static int b24_rows_part(b24_rows_t *b, const b24_decimal_t *rest, int tax,
    int discount, b24_decimal_t *left);
static void b24_rows_extra(b24_rows_t *b, const char *name,
    const b24_decimal_t *price);
static void b24_rows_rest(b24_rows_t *b, const b24_decimal_t *rest);
static int b24_rows_small(const b24_rows_t *b, const b24_decimal_t *rest);
static int b24_amount(const b24_str_t *text, b24_decimal_t *d);
static void b24_negate(b24_decimal_t *d);
static void b24_row_texts(b24_row_t *row, const b24_item_t *item);
static void b24_row_json(b24_buf_t *out, const b24_crm_api_t *api,
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
    "TAX_RATE",
    "TAX_INCLUDED",
    "MEASURE_CODE"
};


int
b24_crm_rows(b24_pool_t *pool, const b24_order_t *order, b24_row_t **rows,
    size_t *n, b24_decimal_t *diff)
{
    int            priced;
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

    priced = b24_rows_build(&b, 1);

    /*
     * Net prices (tax_included N) become gross ones, as the portal wants them,
     * unless only the prices as they are add up to the total.
     */

    if (b.net && !priced && !b24_rows_build(&b, 0)) {
        (void) b24_rows_build(&b, 1);
    }

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


/* 1: the parts the shop named add up to its total, a kopeck per line aside */

static int
b24_rows_build(b24_rows_t *b, int gross)
{
    b24_decimal_t      total, price;
    const b24_item_t  *item;

    b->n = 0;
    b->gross = gross ? 1 : 0;
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
        return 1;
    }

    if (b24_amount(&b->order->fields[B24_ORDER_TOTAL], &total) != B24_OK) {

        if (b24_amount(&b->order->fields[B24_ORDER_DISCOUNT], &price)
            == B24_OK)
        {
            b24_negate(&price);
            b24_rows_extra(b, "Discount", &price);
        }

        return 1;
    }

    if (b24_decimal_round(&total, B24_PRICE_PLACES) != B24_OK) {
        b->overflow = 1;
        return 0;
    }

    return b24_rows_explain(b, &total);
}


static void
b24_rows_item(b24_rows_t *b, const b24_item_t *item)
{
    b24_row_t      row;
    b24_decimal_t  line;

    memset(&row, 0, sizeof(b24_row_t));
    b24_row_texts(&row, item);

    if (b24_item_quantity(item, &row.quantity) != B24_OK) {
        return;
    }

    if (b24_item_line(b, item, &row.quantity, &line) != B24_OK) {
        memset(&line, 0, sizeof(b24_decimal_t));
        b->unpriced = 1;
    }

    if (row.quantity.units < 0) {

        /* taken back: the sign belongs to the price */

        b24_negate(&row.quantity);
    }

    b24_rows_line(b, &row, &line);
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
b24_item_line(b24_rows_t *b, const b24_item_t *item, const b24_decimal_t *qty,
    b24_decimal_t *line)
{
    unsigned       scale;
    b24_decimal_t  price;

    if (b24_decimal_parse(&item->fields[B24_ITEM_SUM], line) != B24_OK) {

        if (b24_decimal_parse(&item->fields[B24_ITEM_PRICE], &price)
            != B24_OK)
        {
            return B24_DECLINED;
        }

        if (b24_decimal_mul_round(&price, qty, B24_LINE_PLACES, line)
            != B24_OK)
        {
            b->overflow = 1;
            return B24_DECLINED;
        }
    }

    price = *line;
    scale = line->scale;

    if (b->gross && b24_item_gross(item, line) == B24_OK) {
        b->net = 1;
        b->rounded = 1;
    }

    if (b24_decimal_round(line, B24_PRICE_PLACES) != B24_OK) {
        b->overflow = 1;
        return B24_DECLINED;
    }

    if (scale > B24_PRICE_PLACES && b24_decimal_cmp(&price, line) != 0) {
        b->rounded = 1;
    }

    return B24_OK;
}


/* adds the tax to a net sum; B24_DECLINED when the price has it already */

static int
b24_item_gross(const b24_item_t *item, b24_decimal_t *line)
{
    b24_decimal_t  rate, tax, hundred = { 100, 0 };

    if (!b24_str_eqs(&item->fields[B24_ITEM_TAX_INCLUDED], "N")
        || b24_decimal_parse(&item->fields[B24_ITEM_TAX_RATE], &rate) != B24_OK
        || rate.units <= 0
        || b24_decimal_mul_round(line, &rate, B24_LINE_PLACES, &tax) != B24_OK
        || b24_decimal_div(&tax, &hundred, B24_LINE_PLACES, &tax) != B24_OK)
    {
        return B24_DECLINED;
    }

    return b24_decimal_add(line, &tax, line);
}


/*
 * line = price x quantity where a price of whole kopecks gives it.  Else whole
 * pieces are split in two rows a kopeck apart, as shops do it on receipts, and
 * a fraction (0.333 kg) becomes one piece with the quantity in its name.
 */

static void
b24_rows_line(b24_rows_t *b, const b24_row_t *row, const b24_decimal_t *line)
{
    b24_row_t      r;
    b24_decimal_t  back;

    r = *row;

    if (r.quantity.scale <= B24_QTY_PLACES
        && b24_decimal_div(line, &r.quantity, B24_PRICE_PLACES, &r.price)
           == B24_OK
        && b24_decimal_mul(&r.price, &r.quantity, &back) == B24_OK
        && b24_decimal_cmp(&back, line) == 0)
    {
        b24_rows_push(b, &r);
        return;
    }

    if (r.quantity.scale == 0 && r.quantity.units <= B24_SPLIT_MAX) {
        b24_rows_split(b, &r, line);
        return;
    }

    b24_rows_single(b, &r, line);
}


static void
b24_rows_split(b24_rows_t *b, const b24_row_t *row, const b24_decimal_t *line)
{
    int64_t        pieces, more;
    b24_row_t      r;

    /* line has two places: its units are kopecks */

    pieces = row->quantity.units;
    more = line->units % pieces;

    r = *row;
    r.price.units = line->units / pieces;
    r.price.scale = B24_PRICE_PLACES;
    r.quantity.units = pieces - (more < 0 ? -more : more);
    b24_rows_push(b, &r);

    r.price.units += (more < 0) ? -1 : 1;
    r.quantity.units = more < 0 ? -more : more;
    b24_rows_push(b, &r);
}


static void
b24_rows_single(b24_rows_t *b, const b24_row_t *row, const b24_decimal_t *line)
{
    char       qty[B24_DECIMAL_LEN];
    b24_row_t  r;
    b24_buf_t  buf;
    b24_str_t  name;

    r = *row;
    name = row->name;

    (void) b24_decimal_print(&row->quantity, 0, qty);

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

    r.price = *line;
    r.quantity.units = 1;
    r.quantity.scale = 0;
    b24_rows_push(b, &r);
}


static void
b24_rows_push(b24_rows_t *b, const b24_row_t *row)
{
    b24_decimal_t  line;

    if (b24_decimal_mul(&row->price, &row->quantity, &line) != B24_OK
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

static int
b24_rows_explain(b24_rows_t *b, const b24_decimal_t *total)
{
    int            i, pass;
    b24_decimal_t  rest, left, d;

    if (b24_decimal_sub(total, &b->sum, &rest) != B24_OK) {
        b->overflow = 1;
        return 0;
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

            return 1;
        }
    }

    b24_rows_rest(b, &rest);

    return 0;
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


static void
b24_row_texts(b24_row_t *row, const b24_item_t *item)
{
    size_t            i;
    b24_str_t         piece = b24_string("Item");
    b24_decimal_t     rate;
    const b24_str_t  *f;

    f = item->fields;

    row->name = f[B24_ITEM_NAME];

    /* without a product of the catalogue the portal wants a name */

    if (row->name.len == 0) {
        row->name = f[B24_ITEM_XML_ID].len ? f[B24_ITEM_XML_ID]
                                           : f[B24_ITEM_PRODUCT_ID];
    }

    if (row->name.len == 0) {
        row->name = piece;
    }

    b24_crm_cut(&row->name, B24_ROW_NAME);
    row->product_id = f[B24_ITEM_PRODUCT_ID];

    if (b24_amount(&f[B24_ITEM_TAX_RATE], &rate) == B24_OK
        && rate.units >= 0)
    {
        row->tax_rate = f[B24_ITEM_TAX_RATE];
        row->tax_included = f[B24_ITEM_TAX_INCLUDED];

        if (row->tax_included.len == 0) {
            row->tax_included.data = (u_char *) "Y";
            row->tax_included.len = 1;
        }
    }

    /* the portal knows measures by their number (796 pieces, 166 kg) */

    for (i = 0; i < f[B24_ITEM_MEASURE].len; i++) {

        if (!b24_isdigit(f[B24_ITEM_MEASURE].data[i])) {
            return;
        }
    }

    if (i <= 4) {
        row->measure = f[B24_ITEM_MEASURE];
    }
}


unsigned
b24_crm_rows_vars(const b24_row_t *rows, size_t n)
{
    unsigned  vars;

    vars = B24_ROW_OWNER;

    for (/* void */; n; n--, rows++) {
        vars += 3 + (rows->tax_rate.len ? 1 : 0)
                + (rows->tax_included.len ? 1 : 0)
                + (rows->measure.len ? 1 : 0);
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

            if (f < 3 || value.len) {
                b24_crm_key(api, key, prefix, "", b24_row_fields[f]);
                b24_command_text(batch, cmd, key, &value);
            }
        }
    }
}


/* buf holds B24_DECIMAL_LEN bytes */

static void
b24_row_value(const b24_row_t *row, int i, char *buf, b24_str_t *value)
{
    switch (i) {

    case 0:
        *value = row->name;
        return;

    case 1:
        value->len = b24_decimal_print(&row->price, B24_PRICE_PLACES, buf);
        value->data = (u_char *) buf;
        return;

    case 2:
        value->len = b24_decimal_print(&row->quantity, 0, buf);
        value->data = (u_char *) buf;
        return;

    case 3:
        *value = row->tax_rate;
        return;

    case 4:
        *value = row->tax_included;
        return;

    default:
        *value = row->measure;
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
    b24_node_t           *root;
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

        b24_row_json(&out, api, &rows[i]);
    }

    b24_buf_adds(&out, "]}");

    if (b24_buf_str(&out, json) != B24_OK) {
        return B24_ERROR;
    }

    /* an unreadable body would be taken for a call without rows */

    return b24_json_parse(pool, json, 0, &root);
}


static void
b24_row_json(b24_buf_t *out, const b24_crm_api_t *api, const b24_row_t *row)
{
    int        f;
    char       buf[B24_DECIMAL_LEN];
    b24_str_t  value;

    for (f = 0; f < B24_ROW_VARS; f++) {
        b24_row_value(row, f, buf, &value);

        if (f == 0) {
            b24_buf_addc(out, '{');

        } else if (f < 3 || value.len) {
            b24_buf_addc(out, ',');

        } else {
            continue;
        }

        b24_row_member(out, api, b24_row_fields[f], &value);
    }

    b24_buf_addc(out, '}');
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
