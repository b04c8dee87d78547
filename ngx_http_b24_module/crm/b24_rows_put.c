
/* How product rows are told to Bitrix24: as variables of a batch, or, when they
 * are too many for that, as a request of their own. */


#include <stdio.h>

#include "b24_rows_int.h"


#define B24_ROW_VARS      9         /* the most a row takes */
#define B24_ROW_OWNER     2         /* variables that name the deal */


static void b24_row_value(const b24_row_t *row, int i, char *buf,
    b24_str_t *value);
static int b24_row_json(b24_buf_t *out, const b24_crm_api_t *api,
    const b24_row_t *row);
static void b24_row_member(b24_buf_t *out, const b24_crm_api_t *api,
    const char *field, const b24_str_t *value);


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
