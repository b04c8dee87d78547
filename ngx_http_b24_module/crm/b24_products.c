
/*
 * Which product of the portal's catalogue an item of the order is: b24_product
 * id takes the shop's own id, xml_id looks the article up.  An article the
 * catalogue does not have becomes a free row; no order waits for it.
 */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_PRODUCTS_PAGE   50      /* a list answers 50 rows at most */
#define B24_PRODUCTS_ASKED  1000    /* articles of one order; 20 commands */
#define B24_PRODUCTS_NAME   40


static unsigned b24_products_wanted(const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known);
static b24_command_t *b24_products_command(b24_batch_t *batch,
    const b24_crm_settings_t *set, size_t block, unsigned page);
static int b24_products_missing(const b24_crm_settings_t *set,
    const b24_item_t *item, b24_str_t *key);
static void b24_products_take(const b24_crm_settings_t *set,
    b24_order_t *order, const b24_node_t *result);


void
b24_crm_product_ids(const b24_crm_settings_t *set, b24_order_t *order)
{
    b24_node_t   node;
    b24_item_t  *item;

    if (set->product != B24_PRODUCT_ID) {
        return;
    }

    memset(&node, 0, sizeof(b24_node_t));
    node.type = B24_STRING;

    for (item = order->items; item; item = item->next) {
        node.value = item->fields[B24_ITEM_PRODUCT_ID];
        b24_str_trim(&node.value);

        item->product = b24_node_id(&node);
    }
}


b24_str_t
b24_products_key(const b24_crm_settings_t *set, const b24_item_t *item)
{
    b24_str_t  key = b24_null_string;

    if (set->product == B24_PRODUCT_XML_ID) {
        key = item->fields[B24_ITEM_XML_ID];
        b24_str_trim(&key);

        /* XML_ID has 255 characters */

        if (key.len > 255) {
            key.len = 0;
        }
    }

    return key;
}


/* one list for each block of the catalogue and 50 articles: "p0a", "p1a" ... */

void
b24_products_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known)
{
    char               key[B24_CRM_KEY];
    size_t             block;
    unsigned           n;
    b24_str_t          xml_id;
    b24_command_t     *cmd;
    const b24_item_t  *item;

    if (b24_products_wanted(set, order, known) == 0) {
        return;
    }

    for (block = 0; block < set->book->niblocks; block++) {
        n = 0;
        cmd = NULL;

        for (item = order->items; item; item = item->next) {

            if (!b24_products_missing(set, item, &xml_id)) {
                continue;
            }

            if (n == B24_PRODUCTS_ASKED) {
                break;
            }

            if (n % B24_PRODUCTS_PAGE == 0) {
                cmd = b24_products_command(batch, set, block,
                                           n / B24_PRODUCTS_PAGE);
            }

            (void) snprintf(key, sizeof(key), "filter[@xmlId][%u]",
                            n % B24_PRODUCTS_PAGE);
            b24_command_text(batch, cmd, key, &xml_id);
            n++;
        }
    }
}


/* how many items have an article that has to be looked up */

static unsigned
b24_products_wanted(const b24_crm_settings_t *set, const b24_order_t *order,
    const b24_crm_known_t *known)
{
    unsigned           n;
    b24_str_t          key;
    const b24_item_t  *item;

    n = 0;

    if (set->product != B24_PRODUCT_XML_ID || known->no_products
        || known->rows_done || set->book == NULL || set->book->niblocks == 0)
    {
        return 0;
    }

    for (item = order->items; item; item = item->next) {
        n += (unsigned) b24_products_missing(set, item, &key);
    }

    return n < B24_PRODUCTS_ASKED ? n : B24_PRODUCTS_ASKED;
}


/* 1: the item's article is not known; the same may be asked for twice */

static int
b24_products_missing(const b24_crm_settings_t *set, const b24_item_t *item,
    b24_str_t *key)
{
    *key = b24_products_key(set, item);

    return key->len && item->product == 0;
}


static b24_command_t *
b24_products_command(b24_batch_t *batch, const b24_crm_settings_t *set,
    size_t block, unsigned page)
{
    char           *name;
    b24_command_t  *cmd;

    name = b24_pnalloc(batch->pool, B24_PRODUCTS_NAME);

    if (name == NULL) {
        batch->failed = 1;
        return &batch->spare;
    }

    (void) snprintf(name, B24_PRODUCTS_NAME, "p%zux%u", block, page);

    cmd = b24_batch_add(batch, name, "catalog.product.list");

    b24_command_chars(batch, cmd, "select[0]", "id");
    b24_command_chars(batch, cmd, "select[1]", "iblockId");
    b24_command_chars(batch, cmd, "select[2]", "xmlId");
    b24_command_chars(batch, cmd, "order[id]", "ASC");
    b24_command_int(batch, cmd, "start", -1);
    b24_command_int(batch, cmd, "filter[iblockId]", set->book->iblocks[block]);

    return cmd;
}


int
b24_products_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict)
{
    char              name[B24_PRODUCTS_NAME];
    size_t            block;
    unsigned          n, page;
    b24_node_t       *node;
    b24_verdict_t     v;
    b24_cmd_state_e   state;

    n = b24_products_wanted(set, order, known);

    if (n == 0) {
        return B24_OK;
    }

    for (block = 0; block < set->book->niblocks; block++) {

        for (page = 0; page * B24_PRODUCTS_PAGE < n; page++) {
            (void) snprintf(name, sizeof(name), "p%zux%u", block, page);

            state = b24_answer_command(pool, answer, name, &node, &v);

            if (state == B24_CMD_DONE) {
                b24_products_take(set, order, node);
                continue;
            }

            if (state == B24_CMD_NOT_RUN) {
                b24_crm_failed(verdict, B24_CLASS_RETRY, "NOT_ANSWERED",
                               "the portal left a look-up out of its answer");
                return B24_DECLINED;
            }

            if (v.class != B24_CLASS_OPERATOR
                && v.class != B24_CLASS_PERMANENT)
            {
                *verdict = v;
                return B24_DECLINED;
            }

            if (b24_order_remark(pool, order, "catalogue", "the portal's"
                                 " catalogue could not be read: the rows are"
                                 " free ones")
                != B24_OK)
            {
                return B24_ERROR;
            }
        }
    }

    known->no_products = 1;

    return B24_OK;
}


/* {"products":[{"id":101,"iblockId":24,"xmlId":"A-1"},...]}: the lowest id */

static void
b24_products_take(const b24_crm_settings_t *set, b24_order_t *order,
    const b24_node_t *result)
{
    int64_t            id;
    b24_str_t          key, text, list = b24_string("products");
    b24_str_t          id_key = b24_string("id");
    b24_str_t          xml_key = b24_string("xmlId");
    b24_item_t        *item;
    const b24_node_t  *row, *field;

    row = (result->type == B24_OBJECT) ? b24_node_get(result, &list) : NULL;

    if (row == NULL || (row->type != B24_ARRAY && row->type != B24_OBJECT)) {
        return;
    }

    for (row = row->first; row; row = row->next) {

        if (row->type != B24_OBJECT) {
            continue;
        }

        id = b24_node_id(b24_node_get(row, &id_key));
        field = b24_node_get(row, &xml_key);

        if (id == 0 || field == NULL
            || b24_node_text(field, &text) != B24_OK)
        {
            continue;
        }

        for (item = order->items; item; item = item->next) {
            key = b24_products_key(set, item);

            if (key.len && b24_str_eq(&key, &text)
                && (item->product == 0 || id < item->product))
            {
                item->product = id;
            }
        }
    }
}
