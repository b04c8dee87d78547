
/* Lines of a shop and of its blocks. */


#include "b24_rules_int.h"

#include <stdio.h>


typedef int (*b24_line_handler_pt)(b24_rules_t *rules, const b24_str_t *args,
    size_t n);

typedef struct {
    const char           *name;
    b24_line_handler_pt   handler;
} b24_directive_t;


static int b24_rules_dispatch(b24_rules_t *rules,
    const b24_directive_t *directives, const b24_str_t *args, size_t n);
static int b24_line_session(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static void b24_line_cookie(b24_rules_t *rules, b24_alt_t *alt);
static int b24_line_stage(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_line_default_status(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_line_off(b24_rules_t *rules, const b24_str_t *args, size_t n);
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
static int b24_line_statements(b24_rules_t *rules, b24_statement_e kind,
    b24_raw_t *raw);


static const b24_directive_t  b24_shop_lines[] = {
    { "session",        b24_line_session },
    { "stage",          b24_line_stage },
    { "default_status", b24_line_default_status },
    { "order",          b24_line_off },
    { "collect",        b24_line_off },
    { "status",         b24_line_off },
    { "write",          b24_call_off },
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
    { "session",        b24_line_own },
    { NULL,             NULL }
};


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


int
b24_line_shop(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int  rc;

    rc = b24_rules_dispatch(rules, b24_shop_lines, args, n);

    if (rc != B24_DECLINED || rules->err[0]) {
        return rc;
    }

    if (b24_str_eqs(&args[0], "database")) {
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
    b24_alt_t    *alt;
    b24_shop_t   *shop;
    b24_value_t   value, *list;

    shop = rules->shop;
    memset(&value, 0, sizeof(b24_value_t));

    rc = b24_value_compile(rules, &args[0], args + 1, n - 1, &value);
    if (rc != B24_OK) {
        return rc;
    }

    rc = b24_line_database(rules, &args[0], &value);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_value_fixed(&value)) {
        return b24_rules_fail(rules, "\"session\" would be the same for all "
                              "buyers: give what tells them apart, such as "
                              "$cookie_PHPSESSID");
    }

    if (shop->nsessions == B24_SHOP_SESSIONS) {
        return b24_rules_fail(rules, "\"session\" is given too often: a shop "
                              "takes at most %d such lines",
                              B24_SHOP_SESSIONS);
    }

    for (alt = value.alts; alt; alt = alt->next) {
        b24_line_cookie(rules, alt);
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


/* "$cookie_NAME" alone: what answers set it to can be followed */
static void
b24_line_cookie(b24_rules_t *rules, b24_alt_t *alt)
{
    size_t     pos;
    b24_str_t  text, name;

    if (alt->template || alt->sources->type != B24_SOURCE_VAR) {
        return;
    }

    text = rules->vars[alt->sources->var].text;
    pos = 0;

    /* from "$" on, with or without braces */

    if (text.data[0] != '$' || !b24_template_next(&text, &pos, &name)
        || pos + (text.data[1] == '{') != text.len
        || name.len < sizeof("cookie_")
        || memcmp(name.data, "cookie_", sizeof("cookie_") - 1) != 0)
    {
        return;
    }

    alt->cookie.data = name.data + sizeof("cookie_") - 1;
    alt->cookie.len = name.len - (sizeof("cookie_") - 1);
}


static int
b24_line_stage(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    const char  *cure;

    if (n != 3 || args[1].len == 0 || args[2].len == 0) {
        return b24_rules_fail(rules, "\"stage\" needs a status of the shop and "
                              "a stage of the deal, such as \"stage N NEW\"");
    }

    cure = b24_stage_wrong(&args[2]);

    if (cure) {
        return b24_rules_fail(rules, "\"stage\" has a bad deal stage "
                              "\"%.*s\": %s", b24_rules_arg(&args[2]), cure);
    }

    if (b24_pair_get(rules->shop->stages, &args[1])) {
        return b24_rules_fail(rules, "\"stage %.*s\" is given twice: leave one "
                              "of the two out", b24_rules_arg(&args[1]));
    }

    return b24_rules_pair(rules, &rules->shop->stages, &args[1], &args[2]);
}


const char *
b24_stage_wrong(const b24_str_t *stage)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < stage->len; i++) {
        c = b24_tolower(stage->data[i]);

        if (!b24_isdigit(c) && c != '_' && c != ':' && c != '-'
            && (c < 'a' || c > 'z'))
        {
            return "give its STATUS_ID, such as PREPARATION";
        }
    }

    for (i = 1; i < stage->len && b24_isdigit(stage->data[i]); i++) {
        /* void */
    }

    if (i > 1 && i < stage->len && stage->data[i] == ':'
        && b24_tolower(stage->data[0]) == 'c')
    {
        return "leave the pipeline's prefix out, \"b24_category\" gives it";
    }

    if (stage->len > 40) {
        return "a STATUS_ID has at most 40 characters";
    }

    return NULL;
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
int
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


int
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

    if (rc == B24_OK) {
        rc = b24_line_database(rules, &args[0], &cond->value);
    }

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


/* statements of "database" */
int
b24_line_raw(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    size_t       i, kind;
    b24_raw_t   *raw, **last;

    for (kind = 0; kind < B24_NSTATEMENTS; kind++) {

        if (b24_str_eq(&args[0], &b24_statement_names[kind])) {
            break;
        }
    }

    if (kind == B24_NSTATEMENTS) {
        return b24_rules_fail(rules, "\"%.*s\" is unknown in \"database\": it "
                              "takes order, items, changes, link",
                              b24_rules_arg(&args[0]));
    }

    if (n < 2) {
        return b24_rules_fail(rules, "\"%.*s\" needs an SQL statement in "
                              "quotes", b24_rules_arg(&args[0]));
    }

    raw = b24_pcalloc(rules->pool, sizeof(b24_raw_t));
    if (raw == NULL) {
        return B24_ERROR;
    }

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

        if (b24_str_eq(&(*last)->name, &raw->name)) {
            return b24_rules_fail(rules, "\"%.*s\" is given twice in "
                                  "\"database\": put all alternatives on one "
                                  "line", b24_rules_arg(&args[0]));
        }
    }

    *last = raw;

    return b24_line_statements(rules, (b24_statement_e) kind, raw);
}


/* the first that the tables allow is asked */
static int
b24_line_statements(b24_rules_t *rules, b24_statement_e kind, b24_raw_t *raw)
{
    int                rc;
    size_t             i;
    b24_statement_t  **last;

    last = &raw->statement;

    for (i = 0; i < raw->nargs; i++) {

        if (b24_str_find(&raw->args[i], 0, " ") < 0
            && b24_str_find(&raw->args[i], 0, "\n") < 0)
        {
            return b24_rules_fail(rules, "\"%.*s\" needs an SQL statement in "
                                  "quotes", b24_rules_arg(&raw->name));
        }

        rc = b24_statement_compile(rules->pool, kind, &raw->args[i], last,
                                   rules->err, sizeof(rules->err));
        if (rc != B24_OK) {
            return rc;
        }

        last = &(*last)->next;
    }

    return B24_OK;
}


/* the line's key in journals, and the sum that tells whether it is the same */
int
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

    value->sum = B24_HASH_START;

    for (i = 0; i < n; i++) {
        value->sum = b24_rules_sum(value->sum, &args[i]);
    }

    return b24_buf_str(&buf, &value->key);
}
