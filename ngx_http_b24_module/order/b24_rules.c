
/* Lines and blocks of b24_shop. */


#include "b24_rules_int.h"

#include <stdarg.h>
#include <stdio.h>


typedef int (*b24_line_handler_pt)(b24_rules_t *rules, const b24_str_t *args,
    size_t n);

typedef struct {
    const char           *name;
    b24_line_handler_pt   handler;
} b24_directive_t;


static int b24_rules_name(b24_rules_t *rules, const char *what,
    const b24_str_t *name);
static int b24_rules_dispatch(b24_rules_t *rules,
    const b24_directive_t *directives, const b24_str_t *args, size_t n);
static int b24_line_shop(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_session(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_line_stage(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_default_status(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_line_off(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_block(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_field(b24_rules_t *rules, const b24_str_t *args, size_t n,
    size_t field);
static int b24_line_currency(b24_rules_t *rules, const b24_value_t *value);
static int b24_line_uri(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_uri_regex(b24_rules_t *rules, const b24_str_t *arg,
    size_t icase, b24_uri_t *uri);
static int b24_line_uri_text(b24_rules_t *rules, const b24_str_t *arg,
    b24_uri_t *uri);
static int b24_line_method(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_line_when(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_accept(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_line_pair(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_learn(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_items(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_item(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_raw(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_named(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_named_t **list);
static int b24_line_cond(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_cond_t **list);
static int b24_line_key(b24_rules_t *rules, b24_value_t *value,
    const char *prefix, const b24_str_t *key, const b24_str_t *args, size_t n);
static int b24_open_block(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_rule_e kind);
static int b24_open_raw(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_level_e level);
static int b24_open_items(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_block_new(b24_rules_t *rules, b24_rule_e kind,
    const b24_str_t *name, b24_rule_t **block);
static int b24_kind_find(const b24_str_t *name);


/* clear a part's bit here and the language is refused there */

#define B24_PARTS  0

static const char  *b24_part_names[B24_NPARTS] = {
    "collect", "status", "database", "write", "learn", "database:COLUMN",
    "id generated"
};


const b24_str_t  b24_kind_names[3] = {
    b24_string("order"), b24_string("collect"), b24_string("status")
};


static const b24_directive_t  b24_shop_lines[] = {
    { "session",        b24_line_session },
    { "stage",          b24_line_stage },
    { "default_status", b24_line_default_status },
    { "order",          b24_line_off },
    { "collect",        b24_line_off },
    { "status",         b24_line_off },
    { NULL,             NULL }
};


static const b24_directive_t  b24_block_lines[] = {
    { "uri",            b24_line_uri },
    { "method",         b24_line_method },
    { "when",           b24_line_when },
    { "accept",         b24_line_accept },
    { "deal",           b24_line_pair },
    { "contact",        b24_line_pair },
    { "company_field",  b24_line_pair },
    { "learn",          b24_line_learn },
    { "items",          b24_line_items },
    { NULL,             NULL }
};


static const char  *b24_pair_names[B24_NPAIRS] = {
    "deal", "contact", "company_field"
};


/* what makes an order one and the same is set by the module alone */
static const char  *b24_own_fields[] = {
    "ID", "ORIGINATOR_ID", "ORIGIN_ID"
};


static const char  *b24_raw_lines[2][6] = {
    { "order", "items", "changes", "link", NULL, NULL },
    { "method", "url", "header", "body", "accept", NULL }
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
    rules->parts = B24_PARTS;

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
b24_rules_available(b24_rules_t *rules, b24_part_e part)
{
    if (rules->parts & (1U << part)) {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"%s\" is not available yet",
                          b24_part_names[part]);
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
    size_t  i;

    for (i = 0; i <= text->len; i++) {
        sum ^= i < text->len ? text->data[i] : 0;
        sum *= 0x100000001b3ULL;
    }

    return sum;
}


static int
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
static int
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
    case B24_LEVEL_WRITE:
        return b24_line_raw(rules, args, n);

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


/* B24_DECLINED without a sentence: there is no such directive */
static int
b24_rules_dispatch(b24_rules_t *rules, const b24_directive_t *directives,
    const b24_str_t *args, size_t n)
{
    for ( /* void */ ; directives->name; directives++) {

        if (b24_str_eqs(&args[0], directives->name)) {
            return directives->handler(rules, args, n);
        }
    }

    return B24_DECLINED;
}


static int
b24_line_shop(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int  rc;

    rc = b24_rules_dispatch(rules, b24_shop_lines, args, n);

    if (rc != B24_DECLINED || rules->err[0]) {
        return rc;
    }

    if (b24_str_eqs(&args[0], "database") || b24_str_eqs(&args[0], "write")) {
        return b24_rules_fail(rules, "\"%.*s\" needs a block \"{ ... }\"",
                              b24_rules_arg(&args[0]));
    }

    return b24_rules_fail(rules, "\"%.*s\" is unknown in a shop: it takes "
                          "session, stage, default_status, and the blocks "
                          "order, collect, status, database, write",
                          b24_rules_arg(&args[0]));
}


static int
b24_line_session(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int           rc;
    b24_shop_t   *shop;
    b24_value_t   value, *list;

    shop = rules->shop;
    memset(&value, 0, sizeof(b24_value_t));

    rc = b24_value_compile(rules, &args[0], args + 1, n - 1, &value);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_value_fixed(&value)) {
        return b24_rules_fail(rules, "\"session\" would be the same for all "
                              "buyers: give what tells them apart, such as "
                              "$cookie_PHPSESSID");
    }

    list = b24_palloc(rules->pool,
                      (shop->nsessions + 1) * sizeof(b24_value_t));
    if (list == NULL) {
        return B24_ERROR;
    }

    if (shop->nsessions) {
        memcpy(list, shop->sessions, shop->nsessions * sizeof(b24_value_t));
    }

    list[shop->nsessions++] = value;
    shop->sessions = list;

    return B24_OK;
}


static int
b24_line_stage(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    u_char  c;
    size_t  i;

    if (n != 3 || args[1].len == 0 || args[2].len == 0) {
        return b24_rules_fail(rules, "\"stage\" needs a status of the shop and "
                              "a stage of the deal, such as \"stage N NEW\"");
    }

    for (i = 0; i < args[2].len; i++) {
        c = b24_tolower(args[2].data[i]);

        if (!b24_isdigit(c) && c != '_' && c != ':' && c != '-'
            && (c < 'a' || c > 'z'))
        {
            return b24_rules_fail(rules, "\"stage\" has a bad deal stage "
                                  "\"%.*s\": give its STATUS_ID, such as "
                                  "PREPARATION", b24_rules_arg(&args[2]));
        }
    }

    if (b24_pair_get(rules->shop->stages, &args[1])) {
        return b24_rules_fail(rules, "\"stage %.*s\" is given twice: leave one "
                              "of the two out", b24_rules_arg(&args[1]));
    }

    return b24_rules_pair(rules, &rules->shop->stages, &args[1], &args[2]);
}


static int
b24_line_default_status(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    if (n != 2 || args[1].len == 0) {
        return b24_rules_fail(rules, "\"default_status\" needs one status, "
                              "such as \"default_status N\"");
    }

    if (rules->shop->default_status.len) {
        return b24_rules_fail(rules, "\"default_status\" is given twice: leave "
                              "one of the two out");
    }

    return b24_rules_copy(rules, &rules->shop->default_status, &args[1]);
}


/* "order save off;" */
static int
b24_line_off(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int          rc;
    b24_str_t    name;
    b24_rule_t  *block;

    if (n < 2 || n > 3 || !b24_str_eqs(&args[n - 1], "off")) {
        return b24_rules_fail(rules, "\"%.*s\" needs a block \"{ ... }\", or "
                              "\"off\" to drop one of the base",
                              b24_rules_arg(&args[0]));
    }

    if (rules->shop->base == NULL) {
        return b24_rules_fail(rules, "\"%.*s ... off\" drops a block of a "
                              "base, and this shop has none: leave the line "
                              "out", b24_rules_arg(&args[0]));
    }

    memset(&name, 0, sizeof(b24_str_t));

    if (n == 3) {
        name = args[1];
    }

    rc = b24_block_new(rules, (b24_rule_e) b24_kind_find(&args[0]), &name,
                       &block);

    if (rc == B24_OK) {
        block->off = 1;
    }

    return rc;
}


/* lines of a block that are no fields */
static int
b24_line_block(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int               rc;
    size_t            i;
    const b24_str_t  *kind;

    rc = b24_rules_dispatch(rules, b24_block_lines, args, n);

    if (rc != B24_DECLINED || rules->err[0]) {
        return rc;
    }

    for (i = 0; i < B24_ITEM_NFIELDS; i++) {

        if (b24_str_eq(&args[0], &b24_item_names[i])) {
            return b24_rules_fail(rules, "\"%.*s\" belongs inside "
                                  "\"items VALUE { ... }\"",
                                  b24_rules_arg(&args[0]));
        }
    }

    kind = &b24_kind_names[rules->block->kind];

    return b24_rules_fail(rules, "\"%.*s\" is unknown in \"%.*s\": check its "
                          "spelling; any field of the CRM is set by \"deal "
                          "FIELD\", \"contact FIELD\" and \"company_field "
                          "FIELD\"", b24_rules_arg(&args[0]),
                          b24_rules_arg(kind));
}


static int
b24_line_field(b24_rules_t *rules, const b24_str_t *args, size_t n,
    size_t field)
{
    int           rc;
    size_t        i;
    b24_value_t  *value;

    if (rules->block->kind == B24_RULE_STATUS && field != B24_ORDER_ID
        && field != B24_ORDER_ROW && field != B24_ORDER_STATUS)
    {
        return b24_rules_fail(rules, "\"%.*s\" has no place in a status block: "
                              "it takes id, row and status",
                              b24_rules_arg(&args[0]));
    }

    value = &rules->block->fields[field];

    if (value->alts) {
        return b24_rules_fail(rules, "\"%.*s\" is given twice in this block: "
                              "put all alternatives on one line",
                              b24_rules_arg(&args[0]));
    }

    for (i = 1; field == B24_ORDER_ID && i < n; i++) {

        if (b24_str_eqs(&args[i], "generated")) {
            rc = b24_rules_available(rules, B24_PART_GENERATED);
            if (rc != B24_OK) {
                return rc;
            }
        }
    }

    rc = b24_value_compile(rules, &args[0], args + 1, n - 1, value);
    if (rc != B24_OK) {
        return rc;
    }

    if (field == B24_ORDER_ID && b24_value_fixed(value)
        && !(n == 2 && b24_str_eqs(&args[1], "generated")))
    {
        return b24_rules_fail(rules, "\"id\" has a fixed text, so that all "
                              "orders would be one: give where the shop shows "
                              "the number, such as response:/order/ID");
    }

    if (field == B24_ORDER_CURRENCY) {
        rc = b24_line_currency(rules, value);
        if (rc != B24_OK) {
            return rc;
        }
    }

    return b24_line_key(rules, value, NULL, &args[0], args, n);
}


/* literals are checked here, what the shop says when it is read */
static int
b24_line_currency(b24_rules_t *rules, const b24_value_t *value)
{
    size_t            i;
    const b24_alt_t  *alt;
    const b24_str_t  *text;

    for (alt = value->alts; alt; alt = alt->next) {

        if (alt->sources->type != B24_SOURCE_TEXT || alt->template) {
            continue;
        }

        text = &alt->sources->text;

        for (i = 0; i < text->len; i++) {

            if (b24_tolower(text->data[i]) < 'a'
                || b24_tolower(text->data[i]) > 'z')
            {
                break;
            }
        }

        if (text->len != 3 || i < 3) {
            return b24_rules_fail(rules, "\"currency\" has a bad code "
                                  "\"%.*s\": give three letters, such as RUB",
                                  b24_rules_arg(text));
        }
    }

    return B24_OK;
}


static int
b24_line_uri(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int          rc;
    size_t       i;
    b24_str_t    regex;
    b24_uri_t   *uri, **last;

    last = &rules->block->uri;

    if (*last) {
        return b24_rules_fail(rules, "\"uri\" is given twice in this block: "
                              "put all alternatives on one line");
    }

    if (n == 1) {
        return b24_rules_fail(rules, "\"uri\" needs a path, a prefix ending in "
                              "\"*\", or \"~ REGEX\"");
    }

    for (i = 1; i < n; i++) {

        uri = b24_pcalloc(rules->pool, sizeof(b24_uri_t));
        if (uri == NULL) {
            return B24_ERROR;
        }

        *last = uri;
        last = &uri->next;

        if (args[i].len == 0 || args[i].data[0] != '~') {
            rc = b24_line_uri_text(rules, &args[i], uri);
            if (rc != B24_OK) {
                return rc;
            }

            continue;
        }

        /* "~REGEX", "~ REGEX", "~*REGEX", "~* REGEX" */

        regex.data = args[i].data + 1;
        regex.len = args[i].len - 1;
        uri->type = B24_URI_REGEX;

        if (i + 1 < n && (regex.len == 0 || b24_str_eqs(&regex, "*"))) {
            rc = b24_line_uri_regex(rules, &args[++i], regex.len, uri);

        } else {
            rc = b24_rules_regex(rules, &args[0], regex.data, regex.len,
                                 &uri->regex);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


static int
b24_line_uri_regex(b24_rules_t *rules, const b24_str_t *arg, size_t icase,
    b24_uri_t *uri)
{
    b24_buf_t  buf;
    b24_str_t  regex, what = b24_string("uri");

    b24_buf_init(&buf, rules->pool);

    if (icase) {
        b24_buf_addc(&buf, '*');
    }

    b24_buf_addstr(&buf, arg);

    if (b24_buf_str(&buf, &regex) != B24_OK) {
        return B24_ERROR;
    }

    return b24_rules_regex(rules, &what, regex.data, regex.len, &uri->regex);
}


static int
b24_line_uri_text(b24_rules_t *rules, const b24_str_t *arg, b24_uri_t *uri)
{
    b24_str_t  text;

    text = *arg;

    if (text.len == 0 || text.data[0] != '/') {
        return b24_rules_fail(rules, "\"uri\" needs a path, a prefix ending in "
                              "\"*\", or \"~ REGEX\"");
    }

    if (text.data[text.len - 1] == '*') {
        uri->type = B24_URI_PREFIX;
        text.len--;
    }

    if (memchr(text.data, '*', text.len)) {
        return b24_rules_fail(rules, "\"uri %.*s\": a \"*\" may stand at the "
                              "end only; use \"~ REGEX\"",
                              b24_rules_arg(arg));
    }

    if (memchr(text.data, '?', text.len) || memchr(text.data, '#', text.len)) {
        return b24_rules_fail(rules, "\"uri %.*s\": the path alone is looked "
                              "at; check arguments with \"when query:/NAME "
                              "=VALUE\"", b24_rules_arg(arg));
    }

    return b24_rules_copy(rules, &uri->text, &text);
}


static int
b24_line_method(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    size_t      i, k;
    b24_str_t   name;

    if (rules->block->methods) {
        return b24_rules_fail(rules, "\"method\" is given twice in this block: "
                              "put all methods on one line");
    }

    for (i = 1; i < n; i++) {
        name = args[i];

        for (k = 0; k < name.len; k++) {

            if (name.data[k] < 'A' || name.data[k] > 'Z') {
                break;
            }
        }

        if (name.len == 0 || k < name.len) {
            return b24_rules_fail(rules, "\"method\" has a bad name \"%.*s\": "
                                  "give capital letters, such as POST",
                                  b24_rules_arg(&name));
        }

        if (b24_rules_pair(rules, &rules->block->methods, &name, NULL)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    if (n == 1) {
        return b24_rules_fail(rules, "\"method\" needs one or more methods, "
                              "such as POST");
    }

    return B24_OK;
}


static int
b24_line_when(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int          rc;
    b24_cond_t  *cond;

    rc = b24_line_cond(rules, args, n, &rules->block->when);
    if (rc != B24_OK) {
        return rc;
    }

    for (cond = rules->block->when; cond->next; cond = cond->next) {
        /* void */
    }

    if (!b24_value_early(&cond->value, 0)) {
        return b24_rules_fail(rules, "\"when\" looks at the request, and this "
                              "line needs the answer: use \"accept\"");
    }

    return B24_OK;
}


static int
b24_line_accept(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    return b24_line_cond(rules, args, n, &rules->block->accept);
}


static int
b24_line_cond(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_cond_t **list)
{
    int          rc, len;
    char         nr[16];
    unsigned     i;
    b24_str_t    key;
    b24_cond_t  *cond;

    for (i = 0; *list; i++) {
        list = &(*list)->next;
    }

    cond = b24_pcalloc(rules->pool, sizeof(b24_cond_t));
    if (cond == NULL) {
        return B24_ERROR;
    }

    rc = b24_cond_compile(rules, &args[0], args + 1, n - 1, cond);
    if (rc != B24_OK) {
        return rc;
    }

    *list = cond;

    len = snprintf(nr, sizeof(nr), "%u", i);
    key.data = (u_char *) nr;
    key.len = (size_t) len;

    return b24_line_key(rules, &cond->value,
                        rules->level == B24_LEVEL_ITEMS ? "items.when"
                        : b24_str_eqs(&args[0], "when") ? "when" : "accept",
                        &key, args, n);
}


/* "deal FIELD VALUE" and its like */
static int
b24_line_pair(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    u_char    c;
    size_t    i;
    unsigned  list;

    for (list = 0; !b24_str_eqs(&args[0], b24_pair_names[list]); list++) {
        /* void */
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


static int
b24_line_learn(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int  rc;

    rc = b24_rules_available(rules, B24_PART_LEARN);
    if (rc != B24_OK) {
        return rc;
    }

    if (rules->block->kind != B24_RULE_COLLECT || n < 2) {
        return b24_rules_fail(rules, "\"learn\" belongs inside a collect block "
                              "and needs a name and a value: \"learn NAME "
                              "VALUE\"");
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
    if (rc != B24_OK) {
        return rc;
    }

    *list = named;

    return b24_line_key(rules, &named->value, NULL, &what, args, n);
}


static int
b24_line_items(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    (void) args;
    (void) n;

    return b24_rules_fail(rules, "\"items\" needs a block: \"items VALUE { "
                          "name VALUE; ... }\"");
}


/* a line inside items */
static int
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
    if (rc != B24_OK) {
        return rc;
    }

    return b24_line_key(rules, value, "items", &args[0], args, n);
}


/* lines of "database" and "write": their names are checked, texts are kept */
static int
b24_line_raw(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    size_t        i;
    b24_raw_t    *raw, **last;
    const char  **names;

    names = b24_raw_lines[rules->level == B24_LEVEL_WRITE];

    for (i = 0; names[i] && !b24_str_eqs(&args[0], names[i]); i++) {
        /* void */
    }

    if (names[i] == NULL) {
        return b24_rules_fail(rules, "\"%.*s\" is unknown in \"%.*s\": %s",
                              b24_rules_arg(&args[0]),
                              b24_rules_arg(&rules->raw_name),
                              rules->level == B24_LEVEL_WRITE
                              ? "it takes method, url, header, body, accept"
                              : "it takes order, items, changes, link");
    }

    if (n < 2 || (n > 2 && rules->level == B24_LEVEL_DATABASE)) {
        return b24_rules_fail(rules, "\"%.*s\" needs %s",
                              b24_rules_arg(&args[0]),
                              rules->level == B24_LEVEL_WRITE
                              ? "a value" : "one SQL statement in quotes");
    }

    raw = b24_pcalloc(rules->pool, sizeof(b24_raw_t));
    if (raw == NULL) {
        return B24_ERROR;
    }

    raw->block = rules->raw_name;
    raw->nargs = n - 1;
    raw->args = b24_pcalloc(rules->pool, (n - 1) * sizeof(b24_str_t));

    if (raw->args == NULL || b24_rules_copy(rules, &raw->name, &args[0])) {
        return B24_ERROR;
    }

    for (i = 1; i < n; i++) {

        if (b24_rules_copy(rules, &raw->args[i - 1], &args[i]) != B24_OK) {
            return B24_ERROR;
        }
    }

    for (last = &rules->shop->raw; *last; last = &(*last)->next) {
        /* void */
    }

    *last = raw;

    return B24_OK;
}


/* the line's key in journals, and the sum that tells whether it is the same */
static int
b24_line_key(b24_rules_t *rules, b24_value_t *value, const char *prefix,
    const b24_str_t *key, const b24_str_t *args, size_t n)
{
    size_t     i;
    b24_buf_t  buf;

    b24_buf_init(&buf, rules->pool);

    if (prefix) {
        b24_buf_adds(&buf, prefix);
        b24_buf_addc(&buf, ' ');
    }

    b24_buf_addstr(&buf, key);

    value->sum = B24_SUM_START;

    for (i = 0; i < n; i++) {
        value->sum = b24_rules_sum(value->sum, &args[i]);
    }

    return b24_buf_str(&buf, &value->key);
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
        return b24_open_raw(rules, args, n, B24_LEVEL_DATABASE);
    }

    if (b24_str_eqs(&args[0], "write")) {
        return b24_open_raw(rules, args, n, B24_LEVEL_WRITE);
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

    rc = B24_OK;

    if (kind == B24_RULE_COLLECT) {
        rc = b24_rules_available(rules, B24_PART_COLLECT);

    } else if (kind == B24_RULE_STATUS) {
        rc = b24_rules_available(rules, B24_PART_STATUS);
    }

    if (rc != B24_OK) {
        return rc;
    }

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


static int
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
                              "block: it takes id, row and status");
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
b24_open_raw(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_level_e level)
{
    int  rc;

    rc = b24_rules_available(rules, level == B24_LEVEL_WRITE
                                    ? B24_PART_WRITE : B24_PART_DATABASE);
    if (rc != B24_OK) {
        return rc;
    }

    if (n > 1) {
        return b24_rules_fail(rules, "\"%.*s\" takes no name before \"{\"",
                              b24_rules_arg(&args[0]));
    }

    rules->level = level;

    return b24_rules_copy(rules, &rules->raw_name, &args[0]);
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
