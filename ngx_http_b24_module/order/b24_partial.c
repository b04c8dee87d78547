
/* The request side of an event as text, for the journal. */


#include "b24_rules_int.h"

#include <stdio.h>


#define B24_PARTIAL_VERSION  "1"
#define B24_SUM_LEN          17


typedef struct {
    const char  *code;
    const char  *cause;
    const char  *advice;
} b24_why_t;


typedef struct {
    const b24_str_t    *key;
    const b24_value_t  *line;
} b24_find_t;


static void b24_partial_print_keep(b24_buf_t *out, b24_pool_t *pool,
    const b24_keep_t *keep);
static const b24_rule_t *b24_partial_find(const b24_shop_t *shop,
    const b24_node_t *root);
static int b24_partial_read(b24_pool_t *pool, const b24_node_t *root,
    b24_partial_t *partial);
static int b24_partial_read_rows(b24_pool_t *pool, const b24_node_t *items,
    b24_partial_t *partial);
static int b24_partial_read_keep(b24_pool_t *pool, const b24_rule_t *rule,
    const b24_str_t *text, b24_keep_t *keep);
static int b24_partial_token(b24_str_t *rest, b24_str_t *token);
static int b24_partial_number(const b24_str_t *token, long *n);
static int b24_partial_line(void *data, const b24_value_t *line);
static int b24_partial_member(const b24_node_t *node, const char *name,
    b24_str_t *value);
static void b24_partial_sum(uint64_t sum, char buf[B24_SUM_LEN]);


#define B24_ACCEPT_ENCODING                                                   \
    "clear Accept-Encoding towards the shop in this location: "               \
    "proxy_set_header Accept-Encoding \"\"; or "                              \
    "fastcgi_param HTTP_ACCEPT_ENCODING \"\";"


static const b24_why_t  b24_whys[B24_NWHYS] = {
    [B24_WHY_NONE] = { "", "", "" },
    [B24_WHY_REQUEST_JSON] = { "request-json",
        "the request body could not be read: broken JSON", B24_LOOK },
    [B24_WHY_REQUEST_FORM] = { "request-form",
        "the request body could not be read: too many form fields",
        B24_LOOK },
    [B24_WHY_REQUEST_MULTIPART] = { "request-multipart",
        "the request body could not be read: broken multipart form",
        B24_LOOK },
    [B24_WHY_REQUEST_LARGE] = { "request-large",
        "the request body is larger than b24_capture allows",
        "raise b24_capture body=... for this location; " B24_LOOK },
    [B24_WHY_REQUEST_CUT] = { "request-cut",
        "the request body ended early", B24_LOOK },
    [B24_WHY_REQUEST_UNSEEN] = { "request-unseen",
        "the request body was not read",
        "raise b24_capture total=... if this happens often; " B24_LOOK },
    [B24_WHY_QUERY] = { "query",
        "the query string could not be read: too many arguments", B24_LOOK },
    [B24_WHY_UNSEEN] = { "unseen",
        "the shop's answer was not seen", B24_LOOK },
    [B24_WHY_GATEWAY] = { "gateway",
        "a gateway answered in the shop's place (502 or 504)",
        "raise that gateway's timeout if this happens often; " B24_LOOK },
    [B24_WHY_LARGE] = { "large",
        "the shop's answer is larger than b24_capture allows",
        "raise b24_capture answer=... for this location; " B24_LOOK },
    [B24_WHY_CUT] = { "cut",
        "the shop's answer ended early", B24_LOOK },
    [B24_WHY_LOST] = { "lost",
        "the shop's answer was not kept",
        "raise b24_capture total=... if this happens often; " B24_LOOK },
    [B24_WHY_ENCODING] = { "encoding",
        "the shop's answer is compressed in a way that cannot be read (only "
        "gzip and deflate can)", B24_ACCEPT_ENCODING },
    [B24_WHY_INFLATE] = { "inflate",
        "the shop's compressed answer is broken or unpacks to more than "
        "b24_capture allows",
        "raise b24_capture answer=..., or " B24_ACCEPT_ENCODING },
    [B24_WHY_JSON] = { "json",
        "the shop's answer could not be read: broken JSON", B24_LOOK },
    [B24_WHY_REGEX] = { "regex",
        "a regex of the rules took too long on this order",
        "simplify the regexes of this block; " B24_LOOK },
    [B24_WHY_CHANGED] = { "changed",
        "the rules changed between the request and its answer", B24_LOOK },
    [B24_WHY_NO_ID] = { "no-id",
        "the shop's answer has no order number",
        "check the accept and id lines of this block; " B24_LOOK },
    [B24_WHY_NO_SESSION] = { "no-session",
        "nothing was collected of the buyer's session before this order, so "
        "it has no number of its own",
        "check the session line and the collect blocks of this shop; "
        B24_LOOK },
    [B24_WHY_LONG_ID] = { "long-id",
        "the order number is longer than 255 bytes",
        "check the id line of this block" },
    [B24_WHY_MANY_IDS] = { "many-ids",
        "there are several numbers where the order's number is looked for",
        "name one of them in the id line of this block, such as "
        "response:/orders/0/id; " B24_LOOK }
};


void
b24_why_words(b24_why_e why, b24_str_t *cause, b24_str_t *advice)
{
    cause->data = (u_char *) b24_whys[why].cause;
    cause->len = strlen(b24_whys[why].cause);

    advice->data = (u_char *) b24_whys[why].advice;
    advice->len = strlen(b24_whys[why].advice);
}


const char *
b24_why_code(b24_why_e why)
{
    return b24_whys[why].code;
}


b24_why_e
b24_why_find(const b24_str_t *code)
{
    int  why;

    for (why = B24_WHY_NONE + 1; why < B24_NWHYS; why++) {

        if (b24_str_eqs(code, b24_whys[why].code)) {
            return (b24_why_e) why;
        }
    }

    return B24_WHY_NONE;
}


const char *
b24_partial_unreadable(const b24_partial_t *partial)
{
    return partial->why == B24_WHY_NONE ? NULL : b24_whys[partial->why].cause;
}


const b24_rule_t *
b24_partial_rule(const b24_partial_t *partial)
{
    return partial->rule;
}


/*
 * {"v":1,"kind":"order","rule":"save","nr":0,"sum":"...","why":"...",
 *  "values":"...","items":{"alt":0,"many":false,"rows":["...",...]}}
 *
 * A string of values is a run of KEY \t ALT \t PIECE \t LENGTH \t TEXT: a row
 * is then one node, however many values it has, and an order of any size we
 * keep stays within the bounds of our own parser.
 */
int
b24_partial_print(b24_pool_t *pool, const b24_partial_t *partial,
    b24_str_t *json)
{
    char                   sum[B24_SUM_LEN];
    b24_buf_t              out;
    const b24_row_kept_t  *row;

    b24_buf_init(&out, pool);
    b24_partial_sum(partial->sum, sum);

    b24_buf_adds(&out, "{\"v\":" B24_PARTIAL_VERSION ",\"kind\":");
    b24_json_string(&out, &b24_kind_names[partial->rule->kind]);
    b24_buf_adds(&out, ",\"rule\":");
    b24_json_string(&out, &partial->rule->name);
    b24_buf_adds(&out, ",\"nr\":");
    b24_buf_addi(&out, partial->rule->nr);
    b24_buf_adds(&out, ",\"sum\":\"");
    b24_buf_adds(&out, sum);
    b24_buf_adds(&out, "\",\"why\":\"");
    b24_buf_adds(&out, b24_why_code(partial->why));
    b24_buf_adds(&out, "\",\"values\":");

    b24_partial_print_keep(&out, pool, &partial->keep);

    b24_buf_adds(&out, ",\"items\":{\"alt\":");
    b24_buf_addi(&out, partial->items_alt);
    b24_buf_adds(&out, partial->many ? ",\"many\":true" : ",\"many\":false");
    b24_buf_adds(&out, ",\"rows\":[");

    for (row = partial->rows; row; row = row->next) {

        if (row != partial->rows) {
            b24_buf_addc(&out, ',');
        }

        b24_partial_print_keep(&out, pool, &row->keep);
    }

    b24_buf_adds(&out, "]}}");

    return b24_buf_str(&out, json);
}


static void
b24_partial_print_keep(b24_buf_t *out, b24_pool_t *pool,
    const b24_keep_t *keep)
{
    b24_buf_t          buf;
    b24_str_t          text;
    const b24_kept_t  *kept;

    b24_buf_init(&buf, pool);

    for (kept = keep->first; kept; kept = kept->next) {
        b24_buf_addstr(&buf, &kept->line->key);
        b24_buf_addc(&buf, '\t');
        b24_buf_addi(&buf, kept->alt);
        b24_buf_addc(&buf, '\t');
        b24_buf_addi(&buf, kept->piece);
        b24_buf_addc(&buf, '\t');
        b24_buf_addi(&buf, (int64_t) kept->text.len);
        b24_buf_addc(&buf, '\t');
        b24_buf_addstr(&buf, &kept->text);
    }

    if (b24_buf_str(&buf, &text) != B24_OK) {
        out->failed = 1;
        return;
    }

    b24_json_string(out, &text);
}


static void
b24_partial_sum(uint64_t sum, char buf[B24_SUM_LEN])
{
    snprintf(buf, B24_SUM_LEN, "%016llx", (unsigned long long) sum);
}


int
b24_partial_parse(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_str_t *json, b24_partial_t **partial)
{
    int             rc;
    b24_str_t       text;
    b24_node_t     *root;
    b24_partial_t  *p;

    rc = b24_json_parse(pool, json, 0, &root);
    if (rc != B24_OK) {
        return rc;
    }

    if (root->type != B24_OBJECT
        || b24_partial_member(root, "v", &text) != B24_OK
        || !b24_str_eqs(&text, B24_PARTIAL_VERSION))
    {
        return B24_DECLINED;
    }

    p = b24_pcalloc(pool, sizeof(b24_partial_t));
    if (p == NULL) {
        return B24_ERROR;
    }

    p->shop = shop;
    p->rule = b24_partial_find(shop, root);
    p->items_alt = -1;

    if (p->rule == NULL) {
        return B24_DECLINED;
    }

    rc = b24_partial_read(pool, root, p);

    if (rc == B24_OK) {
        *partial = p;
    }

    return rc;
}


static const b24_rule_t *
b24_partial_find(const b24_shop_t *shop, const b24_node_t *root)
{
    long               nr;
    unsigned           i;
    b24_str_t          kind, name, text;
    const b24_rule_t  *rule;

    if (b24_partial_member(root, "kind", &kind) != B24_OK
        || b24_partial_member(root, "rule", &name) != B24_OK
        || b24_partial_member(root, "nr", &text) != B24_OK
        || b24_partial_number(&text, &nr) != B24_OK)
    {
        return NULL;
    }

    for (i = 0; i < shop->nrules; i++) {
        rule = shop->rules[i];

        if (b24_str_eq(&kind, &b24_kind_names[rule->kind])
            && b24_str_eq(&name, &rule->name)
            && (name.len || rule->nr == (unsigned) nr))
        {
            return rule;
        }
    }

    return NULL;
}


static int
b24_partial_read(b24_pool_t *pool, const b24_node_t *root,
    b24_partial_t *partial)
{
    int          rc, digit;
    size_t       i;
    b24_str_t    sum, why, values, name = b24_string("items");
    b24_node_t  *items;

    if (b24_partial_member(root, "sum", &sum) != B24_OK
        || b24_partial_member(root, "why", &why) != B24_OK
        || b24_partial_member(root, "values", &values) != B24_OK
        || sum.len != B24_SUM_LEN - 1)
    {
        return B24_DECLINED;
    }

    for (i = 0; i < sum.len; i++) {
        digit = b24_hex(sum.data[i]);

        if (digit < 0) {
            return B24_DECLINED;
        }

        partial->sum = partial->sum << 4 | (unsigned) digit;
    }

    partial->changed = partial->sum != partial->rule->sum;
    partial->why = b24_why_find(&why);

    if (why.len && partial->why == B24_WHY_NONE) {
        return B24_DECLINED;
    }

    rc = b24_partial_read_keep(pool, partial->rule, &values, &partial->keep);
    if (rc != B24_OK) {
        return rc;
    }

    items = b24_node_get(root, &name);

    if (items == NULL || items->type != B24_OBJECT) {
        return B24_DECLINED;
    }

    return b24_partial_read_rows(pool, items, partial);
}


static int
b24_partial_read_rows(b24_pool_t *pool, const b24_node_t *items,
    b24_partial_t *partial)
{
    int                rc;
    long               alt;
    b24_str_t          text, many = b24_string("many"),
                       rows = b24_string("rows");
    b24_node_t        *list, *flag;
    const b24_node_t  *node;
    b24_row_kept_t    *row;

    list = b24_node_get(items, &rows);
    flag = b24_node_get(items, &many);

    if (list == NULL || list->type != B24_ARRAY || flag == NULL
        || b24_partial_member(items, "alt", &text) != B24_OK
        || b24_partial_number(&text, &alt) != B24_OK
        || alt >= B24_RULES_ALTS || list->count > B24_RULES_ITEMS)
    {
        return B24_DECLINED;
    }

    partial->items_alt = (int) alt;
    partial->many = flag->type == B24_TRUE;

    for (node = list->first; node; node = node->next) {

        if (node->type != B24_STRING) {
            return B24_DECLINED;
        }

        row = b24_pcalloc(pool, sizeof(b24_row_kept_t));
        if (row == NULL) {
            return B24_ERROR;
        }

        rc = b24_partial_read_keep(pool, partial->rule, &node->value,
                                   &row->keep);
        if (rc != B24_OK) {
            return rc;
        }

        b24_partial_add_row(partial, row);
    }

    return B24_OK;
}


void
b24_partial_add_row(b24_partial_t *partial, b24_row_kept_t *row)
{
    if (partial->rows_last) {
        partial->rows_last->next = row;

    } else {
        partial->rows = row;
    }

    partial->rows_last = row;
    partial->nrows++;
}


static int
b24_partial_read_keep(b24_pool_t *pool, const b24_rule_t *rule,
    const b24_str_t *text, b24_keep_t *keep)
{
    long        alt, piece, len;
    b24_str_t   rest, key, token[3], value;
    b24_find_t  find;

    rest = *text;

    while (rest.len) {

        if (b24_partial_token(&rest, &key) != B24_OK
            || b24_partial_token(&rest, &token[0]) != B24_OK
            || b24_partial_token(&rest, &token[1]) != B24_OK
            || b24_partial_token(&rest, &token[2]) != B24_OK
            || b24_partial_number(&token[0], &alt) != B24_OK
            || b24_partial_number(&token[1], &piece) != B24_OK
            || b24_partial_number(&token[2], &len) != B24_OK
            || alt < 0 || len < 0 || (size_t) len > rest.len)
        {
            return B24_DECLINED;
        }

        value.data = rest.data;
        value.len = (size_t) len;

        rest.data += len;
        rest.len -= (size_t) len;

        find.key = &key;
        find.line = NULL;

        /* a line the rules have no more is passed over */

        if (b24_rule_lines(rule, b24_partial_line, &find) == 0) {
            continue;
        }

        if (b24_keep_add(pool, keep, find.line, (int) alt, (int) piece,
                         &value)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_partial_token(b24_str_t *rest, b24_str_t *token)
{
    u_char  *p;

    if (rest->len == 0) {
        return B24_DECLINED;
    }

    p = memchr(rest->data, '\t', rest->len);
    if (p == NULL) {
        return B24_DECLINED;
    }

    token->data = rest->data;
    token->len = (size_t) (p - rest->data);

    rest->data = p + 1;
    rest->len -= token->len + 1;

    return B24_OK;
}


/* -1 or up to nine digits */
static int
b24_partial_number(const b24_str_t *token, long *n)
{
    size_t  i;

    if (b24_str_eqs(token, "-1")) {
        *n = -1;
        return B24_OK;
    }

    if (token->len == 0 || token->len > 9) {
        return B24_DECLINED;
    }

    *n = 0;

    for (i = 0; i < token->len; i++) {

        if (!b24_isdigit(token->data[i])) {
            return B24_DECLINED;
        }

        *n = *n * 10 + (token->data[i] - '0');
    }

    return B24_OK;
}


static int
b24_partial_line(void *data, const b24_value_t *line)
{
    b24_find_t  *find = data;

    if (!b24_str_eq(find->key, &line->key)) {
        return 0;
    }

    find->line = line;

    return 1;
}


/* a string or a number */
static int
b24_partial_member(const b24_node_t *node, const char *name,
    b24_str_t *value)
{
    b24_str_t    key;
    b24_node_t  *member;

    key.data = (u_char *) name;
    key.len = strlen(name);

    member = b24_node_get(node, &key);

    if (member == NULL
        || (member->type != B24_STRING && member->type != B24_NUMBER))
    {
        return B24_DECLINED;
    }

    *value = member->value;

    return B24_OK;
}
