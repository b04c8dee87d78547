
/* Blocks of b24_shop, and what all of the compiler shares. */


#include "b24_rules_int.h"

#include <stdarg.h>
#include <stdio.h>


static int b24_open_block(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_rule_e kind);
static int b24_open_database(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_open_items(b24_rules_t *rules, const b24_str_t *args, size_t n);


const b24_str_t  b24_kind_names[3] = {
    b24_string("order"), b24_string("collect"), b24_string("status")
};


b24_rules_t *
b24_rules_create(b24_pool_t *pool)
{
    b24_rules_t  *rules;

    rules = b24_pcalloc(pool, sizeof(b24_rules_t));
    if (rules == NULL) {
        return NULL;
    }

    rules->pool = pool;

    return rules;
}


const char *
b24_rules_error(const b24_rules_t *rules)
{
    return rules->err;
}


int
b24_rules_fail(b24_rules_t *rules, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(rules->err, sizeof(rules->err), fmt, args);
    va_end(args);

    return B24_DECLINED;
}


int
b24_rules_copy(b24_rules_t *rules, b24_str_t *dst, const b24_str_t *src)
{
    return b24_pstrdup(rules->pool, dst, src->data, src->len);
}


/* appends */
int
b24_rules_pair(b24_rules_t *rules, b24_pair_t **list, const b24_str_t *name,
    const b24_str_t *value)
{
    b24_pair_t  *pair;

    while (*list) {
        list = &(*list)->next;
    }

    pair = b24_pcalloc(rules->pool, sizeof(b24_pair_t));

    if (pair == NULL
        || b24_rules_copy(rules, &pair->name, name) != B24_OK
        || (value && b24_rules_copy(rules, &pair->value, value) != B24_OK))
    {
        return B24_ERROR;
    }

    *list = pair;

    return B24_OK;
}


uint64_t
b24_rules_sum(uint64_t sum, const b24_str_t *text)
{
    return b24_hash(b24_hash(sum, text->data, text->len), "", 1);
}


int
b24_kind_find(const b24_str_t *name)
{
    int  kind;

    for (kind = B24_RULE_ORDER; kind <= B24_RULE_STATUS; kind++) {

        if (b24_str_eq(name, &b24_kind_names[kind])) {
            return kind;
        }
    }

    return -1;
}


/* names appear in logs, on the page and in URLs of it */
int
b24_rules_name(b24_rules_t *rules, const char *what, const b24_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = b24_tolower(name->data[i]);

        if (!b24_isdigit(c) && c != '_' && c != '-' && c != '.'
            && (c < 'a' || c > 'z'))
        {
            break;
        }
    }

    if (name->len == 0 || i < name->len || name->len > B24_RULES_NAME) {
        return b24_rules_fail(rules, "\"%s\" has a bad name \"%.*s\": use at "
                              "most %d letters, digits, \"_\", \"-\" and "
                              "\".\"", what, b24_rules_arg(name),
                              B24_RULES_NAME);
    }

    return B24_OK;
}


int
b24_rules_shop(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int          rc;
    b24_shop_t  *shop;

    if ((n != 1 && n != 3) || (n == 3 && !b24_str_eqs(&args[1], ":"))) {
        return b24_rules_fail(rules, "\"b24_shop\" needs a name and at most a "
                              "base: \"b24_shop NAME { ... }\" or "
                              "\"b24_shop NAME : BASE { ... }\"");
    }

    rc = b24_rules_name(rules, "b24_shop", &args[0]);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_rules_find(rules, &args[0])) {
        return b24_rules_fail(rules, "\"b24_shop %.*s\" is defined twice: give "
                              "one of the two another name",
                              b24_rules_arg(&args[0]));
    }

    shop = b24_pcalloc(rules->pool, sizeof(b24_shop_t));
    if (shop == NULL || b24_rules_copy(rules, &shop->name, &args[0])) {
        return B24_ERROR;
    }

    if (n == 3) {
        shop->base = (b24_shop_t *) b24_rules_find(rules, &args[2]);

        if (shop->base == NULL) {
            return b24_rules_fail(rules, "\"b24_shop %.*s\" has an unknown "
                                  "base \"%.*s\": define or include it above "
                                  "this line", b24_rules_arg(&args[0]),
                                  b24_rules_arg(&args[2]));
        }
    }

    rules->shop = shop;
    rules->level = B24_LEVEL_SHOP;

    return B24_OK;
}


int
b24_rules_line(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    size_t  field;

    rules->err[0] = '\0';

    if (rules->shop == NULL || n == 0) {
        return b24_rules_fail(rules, "rules of a shop belong inside "
                              "\"b24_shop NAME { ... }\"");
    }

    switch (rules->level) {

    case B24_LEVEL_SHOP:
        return b24_line_shop(rules, args, n);

    case B24_LEVEL_ITEMS:
        return b24_line_item(rules, args, n);

    case B24_LEVEL_DATABASE:
        return b24_line_raw(rules, args, n);

    case B24_LEVEL_WRITE:
        return b24_call_line(rules, args, n);

    default:
        break;
    }

    for (field = 0; field < B24_ORDER_NFIELDS; field++) {

        if (b24_str_eq(&args[0], &b24_order_names[field])) {
            return b24_line_field(rules, args, n, field);
        }
    }

    return b24_line_block(rules, args, n);
}


int
b24_rules_open(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int  kind;

    rules->err[0] = '\0';

    if (rules->shop == NULL || n == 0) {
        return b24_rules_fail(rules, "rules of a shop belong inside "
                              "\"b24_shop NAME { ... }\"");
    }

    if (rules->level == B24_LEVEL_BLOCK && b24_str_eqs(&args[0], "items")) {
        return b24_open_items(rules, args, n);
    }

    if (rules->level != B24_LEVEL_SHOP) {
        return b24_rules_fail(rules, "\"%.*s { ... }\" can't stand here: close "
                              "the block before it", b24_rules_arg(&args[0]));
    }

    kind = b24_kind_find(&args[0]);

    if (kind >= 0) {
        return b24_open_block(rules, args, n, (b24_rule_e) kind);
    }

    if (b24_str_eqs(&args[0], "database")) {
        return b24_open_database(rules, args, n);
    }

    if (b24_str_eqs(&args[0], "write")) {
        return b24_call_open(rules, args, n);
    }

    if (b24_str_eqs(&args[0], "items")) {
        return b24_rules_fail(rules, "\"items\" belongs inside \"order { ... "
                              "}\"");
    }

    return b24_rules_fail(rules, "\"%.*s { ... }\" is no block of a shop: use "
                          "order, collect, status, database or write",
                          b24_rules_arg(&args[0]));
}


static int
b24_open_block(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_rule_e kind)
{
    int        rc;
    b24_str_t  name;

    if (n > 2) {
        return b24_rules_fail(rules, "\"%.*s\" takes one name at most before "
                              "\"{\"", b24_rules_arg(&args[0]));
    }

    memset(&name, 0, sizeof(b24_str_t));

    if (n == 2) {
        name = args[1];

        rc = b24_rules_name(rules, (char *) b24_kind_names[kind].data, &name);
        if (rc != B24_OK) {
            return rc;
        }

        if (b24_str_eqs(&name, "off")) {
            return b24_rules_fail(rules, "\"%.*s off\" is no name for a block: "
                                  "to drop one of the base, end the line with "
                                  "\";\"", b24_rules_arg(&args[0]));
        }
    }

    rc = b24_block_new(rules, kind, &name, &rules->block);

    if (rc == B24_OK) {
        rules->level = B24_LEVEL_BLOCK;
    }

    return rc;
}


int
b24_block_new(b24_rules_t *rules, b24_rule_e kind, const b24_str_t *name,
    b24_rule_t **block)
{
    unsigned      n;
    b24_rule_t   *b, **last;

    last = &rules->shop->blocks;

    for (n = 0; *last; n++, last = &(*last)->next) {

        if ((*last)->kind == kind && name->len
            && b24_str_eq(&(*last)->name, name))
        {
            return b24_rules_fail(rules, "\"%s %.*s\" is given twice in this "
                                  "shop: give one of the two another name",
                                  (char *) b24_kind_names[kind].data,
                                  b24_rules_arg(name));
        }
    }

    if (n == B24_SHOP_BLOCKS) {
        return b24_rules_fail(rules, "\"%s\" is one block too many: a shop "
                              "takes at most %d",
                              (char *) b24_kind_names[kind].data,
                              B24_SHOP_BLOCKS);
    }

    b = b24_pcalloc(rules->pool, sizeof(b24_rule_t));
    if (b == NULL || b24_rules_copy(rules, &b->name, name) != B24_OK) {
        return B24_ERROR;
    }

    b->kind = kind;

    *last = b;
    *block = b;

    return B24_OK;
}


static int
b24_open_items(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int           rc;
    b24_items_t  *items;

    if (rules->block->kind == B24_RULE_STATUS) {
        return b24_rules_fail(rules, "\"items\" has no place in a status "
                              "block: it takes id, row, status, canceled, "
                              "paid and shipped");
    }

    if (rules->block->items) {
        return b24_rules_fail(rules, "\"items\" is given twice in this block: "
                              "put all alternatives on one line");
    }

    items = b24_pcalloc(rules->pool, sizeof(b24_items_t));
    if (items == NULL) {
        return B24_ERROR;
    }

    items->source.kind = B24_VALUE_LIST;

    rc = b24_value_compile(rules, &args[0], args + 1, n - 1, &items->source);

    if (rc == B24_OK) {
        rc = b24_line_database(rules, &args[0], &items->source);
    }

    if (rc == B24_OK) {
        rc = b24_line_key(rules, &items->source, NULL, &args[0], args, n);
    }

    if (rc != B24_OK) {
        return rc;
    }

    rules->block->items = items;
    rules->items = items;
    rules->level = B24_LEVEL_ITEMS;

    return B24_OK;
}


static int
b24_open_database(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    if (n > 1) {
        return b24_rules_fail(rules, "\"%.*s\" takes no name before \"{\"",
                              b24_rules_arg(&args[0]));
    }

    rules->level = B24_LEVEL_DATABASE;

    return B24_OK;
}


int
b24_rules_close(b24_rules_t *rules)
{
    int           rc;
    size_t        i;
    b24_shop_t  **last;

    rules->err[0] = '\0';

    switch (rules->level) {

    case B24_LEVEL_ITEMS:

        for (i = 0; rules->items->fields[i].alts == NULL; i++) {

            if (i == B24_ITEM_NFIELDS - 1) {
                return b24_rules_fail(rules, "\"items\" takes nothing from its "
                                      "rows: add lines such as \"name "
                                      "/title\"");
            }
        }

        rules->level = B24_LEVEL_BLOCK;
        return B24_OK;

    case B24_LEVEL_SHOP:
        break;

    default:
        rules->level = B24_LEVEL_SHOP;
        return B24_OK;
    }

    if (rules->shop == NULL) {
        return b24_rules_fail(rules, "\"}\" closes nothing");
    }

    rc = b24_shop_close(rules, rules->shop);
    if (rc != B24_OK) {
        return rc;
    }

    for (last = &rules->shops; *last; last = &(*last)->next) {
        /* void */
    }

    *last = rules->shop;
    rules->shop = NULL;

    return B24_OK;
}
