
/* Lines that have values: fields, pairs, what is learned, items. */


#include "b24_rules_int.h"


static int b24_line_generated(b24_rules_t *rules, const b24_str_t *args,
    size_t n, b24_alt_t *alt);
static int b24_line_literals(b24_rules_t *rules, const b24_value_t *value,
    size_t field);
static int b24_line_currency(b24_rules_t *rules, const b24_str_t *text);
static int b24_line_minor(b24_rules_t *rules, const b24_str_t *text);
static int b24_line_named(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_named_t **list);


static const char  *const b24_pair_names[B24_NPAIRS] = {
    "deal", "contact", "company_field"
};


/* what makes an order one and the same is set by the module alone */
static const char  *const b24_own_fields[] = {
    "ID", "ORIGINATOR_ID", "ORIGIN_ID"
};


int
b24_line_field(b24_rules_t *rules, const b24_str_t *args, size_t n,
    size_t field)
{
    int           rc;
    b24_value_t  *value;

    if (rules->block->kind == B24_RULE_STATUS && field != B24_ORDER_ID
        && field != B24_ORDER_ROW && field < B24_ORDER_STATUS)
    {
        return b24_rules_fail(rules, "\"%.*s\" has no place in a status block: "
                              "it takes id, row, status, canceled, paid and "
                              "shipped", b24_rules_arg(&args[0]));
    }

    value = &rules->block->fields[field];

    if (value->alts) {
        return b24_rules_fail(rules, "\"%.*s\" is given twice in this block: "
                              "put all alternatives on one line",
                              b24_rules_arg(&args[0]));
    }

    if (field > B24_ORDER_STATUS) {
        value->kind = B24_VALUE_FLAG;

    } else if (rules->block->kind == B24_RULE_STATUS
               && field != B24_ORDER_STATUS)
    {
        value->kind = B24_VALUE_PLACES;
    }

    rc = b24_value_compile(rules, &args[0], args + 1, n - 1, value);

    if (rc == B24_OK && field == B24_ORDER_ID) {

        /* a status block's are several orders */

        if (rules->block->kind != B24_RULE_STATUS) {
            value->kind = B24_VALUE_ONE;
        }

        rc = b24_line_generated(rules, args, n, value->alts);
    }

    if (rc == B24_OK) {
        rc = b24_line_database(rules, &args[0], value);
    }

    if (rc != B24_OK) {
        return rc;
    }

    if (field == B24_ORDER_ID && b24_value_fixed(value)) {
        return b24_rules_fail(rules, "\"id\" has a fixed text, so that all "
                              "orders would be one: give where the shop shows "
                              "the number, such as response:/order/ID");
    }

    if (field == B24_ORDER_CURRENCY || field == B24_ORDER_MINOR_UNITS) {
        rc = b24_line_literals(rules, value, field);
        if (rc != B24_OK) {
            return rc;
        }
    }

    return b24_line_key(rules, value, NULL, &args[0], args, n);
}


/* "generated" among the places of an order's number: each token that is no
 * filter has made an alternative */
static int
b24_line_generated(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_alt_t *alt)
{
    size_t  i;

    for (i = 1; i < n && alt; i++) {

        if (args[i].len && args[i].data[0] == '~') {
            continue;
        }

        if (b24_str_eqs(&args[i], "generated")) {

            if (rules->block->kind != B24_RULE_ORDER || alt->filters) {
                return b24_rules_fail(rules, "\"id generated\" stands in an "
                                      "order block, without a filter");
            }

            alt->sources->type = B24_SOURCE_GENERATED;
        }

        alt = alt->next;
    }

    return B24_OK;
}


/* literals are checked here, what the shop says when it is read */
static int
b24_line_literals(b24_rules_t *rules, const b24_value_t *value, size_t field)
{
    int               rc;
    const b24_alt_t  *alt;

    for (alt = value->alts; alt; alt = alt->next) {

        if (alt->sources->type != B24_SOURCE_TEXT || alt->template) {
            continue;
        }

        rc = field == B24_ORDER_CURRENCY
             ? b24_line_currency(rules, &alt->sources->text)
             : b24_line_minor(rules, &alt->sources->text);

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


static int
b24_line_currency(b24_rules_t *rules, const b24_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        if (b24_tolower(text->data[i]) < 'a'
            || b24_tolower(text->data[i]) > 'z')
        {
            break;
        }
    }

    if (text->len == 3 && i == 3) {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"currency\" has a bad code \"%.*s\": give "
                          "three letters, such as RUB", b24_rules_arg(text));
}


static int
b24_line_minor(b24_rules_t *rules, const b24_str_t *text)
{
    if (text->len == 1 && text->data[0] >= '0'
        && text->data[0] <= '0' + B24_RULES_MINOR)
    {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"minor_units\" has a bad number \"%.*s\": "
                          "give the places of the currency, 0 to %d, such as "
                          "2", b24_rules_arg(text), B24_RULES_MINOR);
}


/* "deal FIELD VALUE" and its like */
int
b24_line_pair(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    u_char    c;
    size_t    i;
    unsigned  list;

    for (list = 0; list < B24_NPAIRS - 1; list++) {

        if (b24_str_eqs(&args[0], b24_pair_names[list])) {
            break;
        }
    }

    for (i = 0; n > 1 && i < args[1].len; i++) {
        c = args[1].data[i];

        if (!b24_isdigit(c) && c != '_' && (c < 'A' || c > 'Z')) {
            break;
        }
    }

    if (n < 2 || args[1].len == 0 || i < args[1].len
        || b24_isdigit(args[1].data[0]))
    {
        return b24_rules_fail(rules, "\"%.*s\" needs the name of a CRM field "
                              "in capital letters, digits and \"_\", such as "
                              "UF_CRM_CITY", b24_rules_arg(&args[0]));
    }

    for (i = 0; i < sizeof(b24_own_fields) / sizeof(char *); i++) {

        if (b24_str_eqs(&args[1], b24_own_fields[i])) {
            return b24_rules_fail(rules, "\"%.*s %.*s\" is set by the module, "
                                  "which knows its records by it: leave the "
                                  "line out", b24_rules_arg(&args[0]),
                                  b24_rules_arg(&args[1]));
        }
    }

    return b24_line_named(rules, args, n, &rules->block->pairs[list]);
}


int
b24_shop_currencies(const b24_shop_t *shop,
    int (*fn)(void *data, const b24_str_t *code), void *data)
{
    int                  rc;
    unsigned             i;
    const b24_alt_t     *alt;
    const b24_rule_t    *rule;
    const b24_source_t  *src;

    for (i = 0; i < shop->nrules; i++) {
        rule = shop->rules[i];

        if (rule->kind == B24_RULE_STATUS) {
            continue;
        }

        for (alt = rule->fields[B24_ORDER_CURRENCY].alts; alt;
             alt = alt->next)
        {
            src = alt->sources;

            if (src == NULL || src->type != B24_SOURCE_TEXT || src->next
                || alt->filters)
            {
                continue;
            }

            rc = fn(data, &src->text);
            if (rc) {
                return rc;
            }
        }
    }

    return 0;
}


int
b24_shop_pairs(const b24_shop_t *shop,
    int (*fn)(void *data, const char *line, const b24_str_t *field),
    void *data)
{
    int                 rc;
    size_t              list;
    unsigned            i;
    const b24_named_t  *named;

    for (i = 0; i < shop->nrules; i++) {

        for (list = 0; list < B24_NPAIRS; list++) {
            named = shop->rules[i]->pairs[list];

            for ( /* void */ ; named; named = named->next) {
                rc = fn(data, b24_pair_names[list], &named->name);

                if (rc) {
                    return rc;
                }
            }
        }
    }

    return 0;
}


int
b24_line_learn(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int  rc;

    if (rules->block->kind == B24_RULE_STATUS || n < 2) {
        return b24_rules_fail(rules, "\"learn\" belongs inside a collect or an "
                              "order block and needs a name and a value: "
                              "\"learn NAME VALUE\"");
    }

    rc = b24_rules_name(rules, "learn", &args[1]);
    if (rc == B24_OK) {
        rc = b24_line_named(rules, args, n, &rules->block->learn);
    }

    if (rc == B24_OK) {
        rc = b24_rules_pair(rules, &rules->shop->learned, &args[1], NULL);
    }

    return rc;
}


/* a value by NAME, once in its list */
static int
b24_line_named(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_named_t **list)
{
    int           rc;
    b24_buf_t     buf;
    b24_str_t     what;
    b24_named_t  *named;

    b24_buf_init(&buf, rules->pool);
    b24_buf_addstr(&buf, &args[0]);
    b24_buf_addc(&buf, ' ');
    b24_buf_addstr(&buf, &args[1]);

    if (b24_buf_str(&buf, &what) != B24_OK) {
        return B24_ERROR;
    }

    for ( /* void */ ; *list; list = &(*list)->next) {

        if (b24_str_eq(&(*list)->name, &args[1])) {
            return b24_rules_fail(rules, "\"%.*s\" is given twice in this "
                                  "block: put all alternatives on one line",
                                  b24_rules_arg(&what));
        }
    }

    named = b24_pcalloc(rules->pool, sizeof(b24_named_t));
    if (named == NULL || b24_rules_copy(rules, &named->name, &args[1])) {
        return B24_ERROR;
    }

    rc = b24_value_compile(rules, &what, args + 2, n - 2, &named->value);

    if (rc == B24_OK) {
        rc = b24_line_database(rules, &args[0], &named->value);
    }

    if (rc != B24_OK) {
        return rc;
    }

    *list = named;

    return b24_line_key(rules, &named->value, NULL, &what, args, n);
}


int
b24_line_items(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    (void) args;
    (void) n;

    return b24_rules_fail(rules, "\"items\" needs a block: \"items VALUE { "
                          "name VALUE; ... }\"");
}


/* "session off;" */
int
b24_line_own(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    if (n == 2 && b24_str_eqs(&args[1], "off")
        && rules->block->kind == B24_RULE_ORDER)
    {
        rules->block->alone = 1;
        return B24_OK;
    }

    if (n == 2 && b24_str_eqs(&args[1], "outdated")
        && rules->block->kind == B24_RULE_COLLECT)
    {
        rules->block->outdated = 1;
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"session\" inside of a block can only be "
                          "\"session off\", in \"order\", or \"session "
                          "outdated\", in \"collect\": what tells buyers apart "
                          "is said once, in the shop");
}


/* a line inside items */
int
b24_line_item(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int           rc;
    size_t        i;
    b24_value_t  *value;

    if (b24_str_eqs(&args[0], "when")) {
        return b24_line_cond(rules, args, n, &rules->items->when);
    }

    for (i = 0; i < B24_ITEM_NFIELDS; i++) {

        if (b24_str_eq(&args[0], &b24_item_names[i])) {
            break;
        }
    }

    if (i == B24_ITEM_NFIELDS) {
        return b24_rules_fail(rules, "\"%.*s\" is unknown in \"items\": it "
                              "takes name, price, sum, quantity, product_id, "
                              "xml_id, discount, tax_rate, tax_included, "
                              "measure and when", b24_rules_arg(&args[0]));
    }

    value = &rules->items->fields[i];

    if (value->alts) {
        return b24_rules_fail(rules, "\"%.*s\" is given twice in \"items\": "
                              "put all alternatives on one line",
                              b24_rules_arg(&args[0]));
    }

    if (i == B24_ITEM_TAX_INCLUDED) {
        value->kind = B24_VALUE_FLAG;
    }

    rc = b24_value_compile(rules, &args[0], args + 1, n - 1, value);

    if (rc == B24_OK) {
        rc = b24_line_database(rules, &args[0], value);
    }

    if (rc != B24_OK) {
        return rc;
    }

    return b24_line_key(rules, value, "items", &args[0], args, n);
}
