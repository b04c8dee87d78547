
/* An order as JSON, and back. */


#include "b24_order_int.h"


#define B24_ORDER_VERSION  1


static void b24_order_print_member(b24_buf_t *out, const char *name,
    const b24_str_t *value, unsigned *n);
static void b24_order_print_fields(b24_buf_t *out, const b24_str_t *names,
    const b24_str_t *fields, unsigned n);
static void b24_order_print_items(b24_buf_t *out, const b24_order_t *order);
static void b24_order_print_pairs(b24_buf_t *out, const char *name,
    const b24_pair_t *list);
static void b24_order_print_columns(b24_buf_t *out, const b24_order_t *order);
static void b24_order_print_database(b24_buf_t *out, const b24_order_t *order);
static void b24_order_print_remarks(b24_buf_t *out, const b24_order_t *order);
static void b24_order_print_remark(b24_buf_t *out, const b24_str_t *code,
    const b24_str_t *text);
static int b24_order_read(b24_pool_t *pool, const b24_node_t *root,
    b24_order_t *order);
static const b24_node_t *b24_order_member(const b24_node_t *node,
    const char *name);
static int b24_order_read_text(b24_pool_t *pool, const b24_node_t *node,
    const char *name, b24_str_t *value);
static int b24_order_read_fields(b24_pool_t *pool, const b24_node_t *node,
    const b24_str_t *names, b24_str_t *fields, unsigned n);
static int b24_order_read_items(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order);
static int b24_order_read_pairs(b24_pool_t *pool, const b24_node_t *node,
    b24_pair_t **list);
static int b24_order_read_columns(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order);
static int b24_order_read_database(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order);
static int64_t b24_order_number(const b24_node_t *node, const char *name);
static int b24_order_read_remarks(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order);


int
b24_order_print(b24_pool_t *pool, const b24_order_t *order, b24_str_t *json)
{
    unsigned   n;
    b24_buf_t  out;

    b24_buf_init(&out, pool);

    b24_buf_adds(&out, "{\"v\":");
    b24_buf_addi(&out, B24_ORDER_VERSION);

    n = 1;

    b24_order_print_member(&out, "origin", &order->origin, &n);
    b24_order_print_member(&out, "shop", &order->shop, &n);
    b24_order_print_member(&out, "rule", &order->rule, &n);

    b24_buf_adds(&out, ",\"fields\":");
    b24_order_print_fields(&out, b24_order_names, order->fields,
                           B24_ORDER_NFIELDS);

    b24_order_print_items(&out, order);
    b24_order_print_pairs(&out, "deal", order->deal);
    b24_order_print_pairs(&out, "contact", order->contact);
    b24_order_print_pairs(&out, "company", order->company);
    b24_from_print(&out, order);
    b24_order_print_columns(&out, order);
    b24_order_print_database(&out, order);
    b24_order_print_remarks(&out, order);

    b24_buf_addc(&out, '}');

    return b24_buf_str(&out, json);
}


int
b24_order_parse(b24_pool_t *pool, const b24_str_t *json, b24_order_t **order)
{
    int           rc;
    b24_str_t     v;
    b24_node_t   *root;
    b24_order_t  *o;

    rc = b24_json_parse(pool, json, 0, &root);
    if (rc != B24_OK) {
        return rc;
    }

    if (root->type != B24_OBJECT
        || b24_order_read_text(pool, root, "v", &v) != B24_OK
        || !b24_str_eqs(&v, "1"))
    {
        return B24_DECLINED;
    }

    o = b24_order_create(pool);
    if (o == NULL) {
        return B24_ERROR;
    }

    rc = b24_order_read(pool, root, o);

    if (rc == B24_OK) {
        *order = o;
    }

    return rc;
}


/* *n counts the members so far; an empty value is left out */
static void
b24_order_print_member(b24_buf_t *out, const char *name,
    const b24_str_t *value, unsigned *n)
{
    if (value->len == 0) {
        return;
    }

    if ((*n)++) {
        b24_buf_addc(out, ',');
    }

    b24_buf_addc(out, '"');
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":");
    b24_json_string(out, value);
}


static void
b24_order_print_fields(b24_buf_t *out, const b24_str_t *names,
    const b24_str_t *fields, unsigned n)
{
    unsigned  i, members;

    b24_buf_addc(out, '{');

    members = 0;

    for (i = 0; i < n; i++) {
        b24_order_print_member(out, (const char *) names[i].data, &fields[i],
                               &members);
    }

    b24_buf_addc(out, '}');
}


static void
b24_order_print_items(b24_buf_t *out, const b24_order_t *order)
{
    size_t             n;
    const b24_item_t  *item;

    if (order->items == NULL) {
        return;
    }

    b24_buf_adds(out, ",\"items\":[");

    n = 0;

    for (item = order->items; item && n < B24_ORDER_ITEMS; item = item->next) {

        if (n++) {
            b24_buf_addc(out, ',');
        }

        b24_order_print_fields(out, b24_item_names, item->fields,
                               B24_ITEM_NFIELDS);
    }

    b24_buf_addc(out, ']');
}


static void
b24_order_print_pairs(b24_buf_t *out, const char *name, const b24_pair_t *list)
{
    const b24_pair_t  *pair;

    if (list == NULL) {
        return;
    }

    b24_buf_adds(out, ",\"");
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":{");

    for (pair = list; pair; pair = pair->next) {

        if (pair != list) {
            b24_buf_addc(out, ',');
        }

        b24_json_string(out, &pair->name);
        b24_buf_addc(out, ':');
        b24_json_string(out, &pair->value);
    }

    b24_buf_addc(out, '}');
}


/* a line may have several columns */
static void
b24_order_print_columns(b24_buf_t *out, const b24_order_t *order)
{
    const b24_pair_t  *pair;

    if (order->columns == NULL) {
        return;
    }

    b24_buf_adds(out, ",\"columns\":[");

    for (pair = order->columns; pair; pair = pair->next) {

        if (pair != order->columns) {
            b24_buf_addc(out, ',');
        }

        b24_buf_adds(out, "{\"line\":");
        b24_json_string(out, &pair->name);
        b24_buf_adds(out, ",\"column\":");
        b24_json_string(out, &pair->value);
        b24_buf_addc(out, '}');
    }

    b24_buf_addc(out, ']');
}


static void
b24_order_print_database(b24_buf_t *out, const b24_order_t *order)
{
    unsigned  n;

    if (order->generated) {
        b24_buf_adds(out, ",\"generated\":true");
    }

    if (order->collected) {
        b24_buf_adds(out, ",\"collected\":true");
    }

    if (order->sign) {
        b24_buf_adds(out, ",\"sign\":true");
    }

    if (!order->read && !order->imported && order->asked == 0) {
        return;
    }

    b24_buf_adds(out, ",\"database\":{\"tries\":");
    b24_buf_addi(out, order->tries);

    if (order->looks) {
        b24_buf_adds(out, ",\"looks\":");
        b24_buf_addi(out, order->looks);
    }

    b24_buf_adds(out, ",\"asked\":");
    b24_buf_addi(out, order->asked);

    if (order->read) {
        b24_buf_adds(out, ",\"read\":true");
    }

    if (order->imported) {
        b24_buf_adds(out, ",\"imported\":true");
    }

    n = 1;

    b24_order_print_member(out, "total", &order->had.total, &n);
    b24_order_print_member(out, "goods", &order->had.goods, &n);
    b24_order_print_member(out, "buyer", &order->had.buyer, &n);

    b24_buf_addc(out, '}');
}


static void
b24_order_print_remarks(b24_buf_t *out, const b24_order_t *order)
{
    const b24_pair_t        *pair;
    static const b24_str_t   code = b24_string("items");
    static const b24_str_t   text = b24_string("the order has more items than "
                                               "are kept");

    if (order->remarks == NULL && order->nitems <= B24_ORDER_ITEMS) {
        return;
    }

    b24_buf_adds(out, ",\"remarks\":[");

    for (pair = order->remarks; pair; pair = pair->next) {

        if (pair != order->remarks) {
            b24_buf_addc(out, ',');
        }

        b24_order_print_remark(out, &pair->name, &pair->value);
    }

    if (order->nitems > B24_ORDER_ITEMS) {

        if (order->remarks) {
            b24_buf_addc(out, ',');
        }

        b24_order_print_remark(out, &code, &text);
    }

    b24_buf_addc(out, ']');
}


static void
b24_order_print_remark(b24_buf_t *out, const b24_str_t *code,
    const b24_str_t *text)
{
    unsigned  n;

    n = 0;

    b24_buf_addc(out, '{');
    b24_order_print_member(out, "code", code, &n);
    b24_order_print_member(out, "text", text, &n);
    b24_buf_addc(out, '}');
}


static int
b24_order_read(b24_pool_t *pool, const b24_node_t *root, b24_order_t *order)
{
    int                       rc;
    unsigned                  i;
    b24_pair_t              **lists[3];
    const b24_node_t         *fields;
    static const char *const  names[] = { "deal", "contact", "company" };

    fields = b24_order_member(root, "fields");

    if (fields == NULL || fields->type != B24_OBJECT) {
        return B24_DECLINED;
    }

    if (b24_order_read_text(pool, root, "origin", &order->origin) != B24_OK
        || b24_order_read_text(pool, root, "shop", &order->shop) != B24_OK
        || b24_order_read_text(pool, root, "rule", &order->rule) != B24_OK
        || b24_order_read_fields(pool, fields, b24_order_names, order->fields,
                                 B24_ORDER_NFIELDS)
           != B24_OK)
    {
        return B24_ERROR;
    }

    lists[0] = &order->deal;
    lists[1] = &order->contact;
    lists[2] = &order->company;

    for (i = 0; i < 3; i++) {
        rc = b24_order_read_pairs(pool, b24_order_member(root, names[i]),
                                  lists[i]);
        if (rc != B24_OK) {
            return rc;
        }
    }

    rc = b24_order_read_items(pool, b24_order_member(root, "items"), order);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_from_parse(pool, b24_order_member(root, "from"), order)
        != B24_OK)
    {
        return B24_ERROR;
    }

    rc = b24_order_read_columns(pool, b24_order_member(root, "columns"),
                                order);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_order_read_database(pool, b24_order_member(root, "database"),
                                order)
        != B24_OK)
    {
        return B24_ERROR;
    }

    order->generated = b24_order_number(root, "generated") & 1;
    order->collected = b24_order_number(root, "collected") & 1;
    order->sign = b24_order_number(root, "sign") & 1;

    return b24_order_read_remarks(pool, b24_order_member(root, "remarks"),
                                  order);
}


static const b24_node_t *
b24_order_member(const b24_node_t *node, const char *name)
{
    b24_str_t  key;

    key.data = (u_char *) name;
    key.len = strlen(name);

    return b24_node_get(node, &key);
}


/* empty when it is absent or no text; a copy that needs the document no more */
static int
b24_order_read_text(b24_pool_t *pool, const b24_node_t *node, const char *name,
    b24_str_t *value)
{
    b24_str_t          text;
    const b24_node_t  *member;

    value->data = NULL;
    value->len = 0;

    member = b24_order_member(node, name);

    if (member == NULL || b24_node_text(member, &text) != B24_OK
        || text.len == 0)
    {
        return B24_OK;
    }

    return b24_pstrdup(pool, value, text.data, text.len);
}


static int
b24_order_read_fields(b24_pool_t *pool, const b24_node_t *node,
    const b24_str_t *names, b24_str_t *fields, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {

        if (b24_order_read_text(pool, node, (const char *) names[i].data,
                                &fields[i])
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_order_read_items(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order)
{
    b24_item_t        *item;
    const b24_node_t  *child;

    if (node == NULL) {
        return B24_OK;
    }

    if (node->type != B24_ARRAY) {
        return B24_DECLINED;
    }

    for (child = node->first; child; child = child->next) {

        if (child->type != B24_OBJECT) {
            return B24_DECLINED;
        }

        item = b24_order_add_item(pool, order);

        if (item == NULL
            || b24_order_read_fields(pool, child, b24_item_names,
                                     item->fields, B24_ITEM_NFIELDS)
               != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_order_read_pairs(b24_pool_t *pool, const b24_node_t *node,
    b24_pair_t **list)
{
    b24_str_t          text;
    b24_pair_t       **last;
    const b24_node_t  *child;

    if (node == NULL) {
        return B24_OK;
    }

    if (node->type != B24_OBJECT) {
        return B24_DECLINED;
    }

    last = list;

    for (child = node->first; child; child = child->next) {

        if (b24_node_text(child, &text) != B24_OK || text.len == 0) {
            continue;
        }

        /* names are unique: the parser keeps the last of equal ones */

        if (b24_pair_append(pool, last, &child->key, &text) != B24_OK) {
            return B24_ERROR;
        }

        last = &(*last)->next;
    }

    return B24_OK;
}


static int
b24_order_read_columns(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order)
{
    b24_str_t          line, column;
    b24_pair_t       **last;
    const b24_node_t  *child;

    if (node == NULL || node->type != B24_ARRAY) {
        return B24_OK;
    }

    last = &order->columns;

    for (child = node->first; child; child = child->next) {

        if (child->type != B24_OBJECT) {
            continue;
        }

        if (b24_order_read_text(pool, child, "line", &line) != B24_OK
            || b24_order_read_text(pool, child, "column", &column) != B24_OK
            || b24_pair_append(pool, last, &line, &column) != B24_OK)
        {
            return B24_ERROR;
        }

        last = &(*last)->next;
    }

    return B24_OK;
}


static int
b24_order_read_database(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order)
{
    if (node == NULL || node->type != B24_OBJECT) {
        return B24_OK;
    }

    order->tries = (unsigned) b24_order_number(node, "tries");
    order->looks = (unsigned) b24_order_number(node, "looks");
    order->asked = b24_order_number(node, "asked");
    order->read = b24_order_number(node, "read") & 1;
    order->imported = b24_order_number(node, "imported") & 1;

    return b24_order_read_text(pool, node, "total", &order->had.total)
           == B24_OK
           && b24_order_read_text(pool, node, "goods", &order->had.goods)
              == B24_OK
           && b24_order_read_text(pool, node, "buyer", &order->had.buyer)
              == B24_OK
           ? B24_OK : B24_ERROR;
}


/* 0 when it is none; true is 1 */
static int64_t
b24_order_number(const b24_node_t *node, const char *name)
{
    size_t             i;
    int64_t            n;
    b24_str_t          text;
    const b24_node_t  *member;

    member = b24_order_member(node, name);

    if (member == NULL || b24_node_text(member, &text) != B24_OK
        || text.len > 17)
    {
        return 0;
    }

    for (n = 0, i = 0; i < text.len; i++) {

        if (!b24_isdigit(text.data[i])) {
            return 0;
        }

        n = n * 10 + (text.data[i] - '0');
    }

    return n;
}


static int
b24_order_read_remarks(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order)
{
    b24_str_t          code, text;
    b24_pair_t       **last;
    const b24_node_t  *child;

    if (node == NULL) {
        return B24_OK;
    }

    if (node->type != B24_ARRAY) {
        return B24_DECLINED;
    }

    last = &order->remarks;

    for (child = node->first; child; child = child->next) {

        if (child->type != B24_OBJECT) {
            return B24_DECLINED;
        }

        if (b24_order_read_text(pool, child, "code", &code) != B24_OK
            || b24_order_read_text(pool, child, "text", &text) != B24_OK
            || b24_pair_append(pool, last, &code, &text) != B24_OK)
        {
            return B24_ERROR;
        }

        last = &(*last)->next;
    }

    return B24_OK;
}
