
/* A whole shop: checks, and what its blocks need. */


#include "b24_rules_int.h"

#include <stdio.h>


typedef struct {
    b24_rules_t  *rules;
    b24_rule_t   *rule;
} b24_need_t;


static int b24_shop_session(b24_rules_t *rules, b24_shop_t *shop);
static int b24_session_cookie(const b24_shop_t *shop);
static int b24_shop_check(b24_rules_t *rules, b24_shop_t *shop);
static int b24_shop_learned(b24_rules_t *rules, b24_shop_t *shop);
static const b24_rule_t *b24_shop_used(const b24_shop_t *shop, uint64_t set,
    unsigned n);
static int b24_need_line(void *data, const b24_value_t *line);
static int b24_need_source(b24_need_t *need, const b24_source_t *source);
static int b24_need_header(b24_need_t *need, const b24_str_t *name);
static int b24_lines_conds(const b24_cond_t *cond, b24_line_pt fn,
    void *data);
static int b24_lines_named(const b24_named_t *named, b24_line_pt fn,
    void *data);
static int b24_lines_items(const b24_items_t *items, b24_line_pt fn,
    void *data);


static const b24_str_t  b24_set_cookie = b24_string("Set-Cookie");


int
b24_shop_close(b24_rules_t *rules, b24_shop_t *shop)
{
    int          rc;
    unsigned     n[3];
    b24_need_t   need;
    b24_rule_t  *rule;

    if (shop->base) {
        rc = b24_heir_merge(rules, shop);
        if (rc != B24_OK) {
            return rc;
        }
    }

    memset(n, 0, sizeof(n));
    need.rules = rules;

    for (rule = shop->blocks; rule; rule = rule->next) {

        if (shop->nrules == B24_SHOP_BLOCKS) {
            return b24_rules_fail(rules, "\"b24_shop %.*s\" has too many "
                                  "blocks with those of its base: a shop takes "
                                  "at most %d", b24_rules_arg(&shop->name),
                                  B24_SHOP_BLOCKS);
        }

        shop->rules[shop->nrules++] = rule;

        if (rule->name.len == 0) {
            rule->nr = n[rule->kind]++;
        }

        need.rule = rule;
        rule->sum = B24_HASH_START;

        if (b24_rule_lines(rule, b24_need_line, &need) != 0) {
            return B24_ERROR;
        }
    }

    rc = b24_shop_session(rules, shop);

    if (rc == B24_OK) {
        rc = b24_maybe_make(rules, shop);
    }

    if (rc == B24_OK) {
        rc = b24_shop_check(rules, shop);
    }

    if (rc == B24_OK) {
        rc = b24_call_check(rules, shop);
    }

    return rc == B24_OK ? b24_shop_learned(rules, shop) : rc;
}


/* what the session lines need is kept as that of a block is */
static int
b24_shop_session(b24_rules_t *rules, b24_shop_t *shop)
{
    size_t      i;
    b24_need_t  need;

    if (!b24_shop_keeps_sessions(shop)) {
        return B24_OK;
    }

    need.rules = rules;
    need.rule = b24_pcalloc(rules->pool, sizeof(b24_rule_t));

    if (need.rule == NULL) {
        return B24_ERROR;
    }

    for (i = 0; i < shop->nsessions; i++) {

        if (b24_need_line(&need, &shop->sessions[i]) != 0) {
            return B24_ERROR;
        }
    }

    shop->follows = b24_session_cookie(shop) ? 1 : 0;

    if (shop->follows
        && b24_need_header(&need, &b24_set_cookie) != B24_OK)
    {
        return B24_ERROR;
    }

    shop->session = need.rule;

    return B24_OK;
}


/* an answer may set one of them: by a cookie's name, or the header itself */
static int
b24_session_cookie(const b24_shop_t *shop)
{
    size_t            i;
    const b24_alt_t  *alt;

    for (i = 0; i < shop->nsessions; i++) {

        for (alt = shop->sessions[i].alts; alt; alt = alt->next) {

            if (alt->cookie.len
                || (alt->sources->type == B24_SOURCE_HEADER
                    && b24_str_caseeqs(&alt->sources->text, "Set-Cookie")))
            {
                return 1;
            }
        }
    }

    return 0;
}


static int
b24_shop_check(b24_rules_t *rules, b24_shop_t *shop)
{
    char               title[B24_TITLE_LEN];
    unsigned           i;
    const b24_rule_t  *rule;

    for (i = 0; i < shop->nrules; i++) {
        rule = shop->rules[i];

        if (shop->nsessions == 0 && b24_rule_keeps(rule)) {
            return b24_rules_fail(rules, "\"%s\" %s, and no \"session\" line "
                                  "says whose it is: add one, such as "
                                  "\"session $cookie_PHPSESSID\"",
                                  b24_rule_title(rule, title),
                                  rule->kind == B24_RULE_COLLECT
                                  ? "collects for the buyer's order"
                                  : "has \"id generated\"");
        }

        if (rule->alone && b24_rule_keeps(rule)) {
            return b24_rules_fail(rules, "\"%s\" has \"session off\" and \"id "
                                  "generated\", which is of the session: leave "
                                  "one of the two out",
                                  b24_rule_title(rule, title));
        }

        if (rule->outdated && b24_rule_names(rule)) {
            return b24_rules_fail(rules, "\"%s\" has \"session outdated\": "
                                  "what the session has is older than the "
                                  "cart, and nothing newer is told: leave its "
                                  "other fields out",
                                  b24_rule_title(rule, title));
        }

        if (rule->kind == B24_RULE_STATUS
            && rule->fields[B24_ORDER_ID].alts == NULL
            && rule->fields[B24_ORDER_ROW].alts == NULL)
        {
            return b24_rules_fail(rules, "\"%s\" has no \"id\" and no \"row\": "
                                  "say where the number or the key of the "
                                  "order is, such as \"id request:/order_id\"",
                                  b24_rule_title(rule, title));
        }

        if (rule->kind == B24_RULE_ORDER
            && rule->fields[B24_ORDER_ID].alts == NULL)
        {
            return b24_rules_fail(rules, "\"%s\" has no \"id\": say where the "
                                  "shop shows the order's number, such as "
                                  "\"id response:/order/ID\"",
                                  b24_rule_title(rule, title));
        }
    }

    return B24_OK;
}


const char *
b24_rule_title(const b24_rule_t *rule, char buf[B24_TITLE_LEN])
{
    snprintf(buf, B24_TITLE_LEN, "%s%s%.*s",
             (char *) b24_kind_names[rule->kind].data,
             rule->name.len ? " " : "", b24_rules_arg(&rule->name));

    return buf;
}


static int
b24_shop_learned(b24_rules_t *rules, b24_shop_t *shop)
{
    const b24_pair_t  *use;

    for (use = shop->uses; use; use = use->next) {

        if (b24_pair_get(shop->learned, &use->name) == NULL) {
            return b24_rules_fail(rules, "\"%.*s\" uses %%{%.*s}, which no "
                                  "\"learn\" line of this shop gives: add "
                                  "\"learn %.*s VALUE\" to a collect block",
                                  b24_rules_arg(&use->value),
                                  b24_rules_arg(&use->name),
                                  b24_rules_arg(&use->name));
        }
    }

    return B24_OK;
}


static int
b24_need_line(void *data, const b24_value_t *line)
{
    b24_need_t          *need = data;

    const b24_alt_t     *alt;
    const b24_source_t  *source;

    need->rule->sum = b24_rules_sum(need->rule->sum, &line->key);
    need->rule->sum = b24_hash(need->rule->sum, &line->sum,
                               sizeof(line->sum));

    for (alt = line->alts; alt; alt = alt->next) {

        for (source = alt->sources; source; source = source->next) {

            if (b24_need_source(need, source) != B24_OK) {
                return B24_ERROR;
            }
        }
    }

    return 0;
}


static int
b24_need_source(b24_need_t *need, const b24_source_t *source)
{
    size_t       i, *vars;
    b24_rule_t  *rule;

    rule = need->rule;

    switch (source->type) {

    case B24_SOURCE_REQUEST:
        rule->body = 1;
        break;

    case B24_SOURCE_RESPONSE:
    case B24_SOURCE_ANSWER:
    case B24_SOURCE_INLINE:
        rule->answer = 1;
        break;

    case B24_SOURCE_HEADER:
        return b24_need_header(need, &source->text);

    case B24_SOURCE_VAR:

        for (i = 0; i < rule->nvars; i++) {

            if (rule->vars[i] == source->var) {
                return B24_OK;
            }
        }

        vars = b24_palloc(need->rules->pool,
                          (rule->nvars + 1) * sizeof(size_t));
        if (vars == NULL) {
            return B24_ERROR;
        }

        if (rule->nvars) {
            memcpy(vars, rule->vars, rule->nvars * sizeof(size_t));
        }

        vars[rule->nvars++] = source->var;
        rule->vars = vars;
        break;

    default:
        break;
    }

    return B24_OK;
}


static int
b24_need_header(b24_need_t *need, const b24_str_t *name)
{
    const b24_pair_t  *header;

    for (header = need->rule->headers; header; header = header->next) {

        if (b24_str_caseeq(&header->name, name)) {
            return B24_OK;
        }
    }

    return b24_rules_pair(need->rules, &need->rule->headers, name, NULL);
}


int
b24_rule_lines(const b24_rule_t *rule, b24_line_pt fn, void *data)
{
    int     rc;
    size_t  i;

    rc = b24_lines_conds(rule->when, fn, data);
    if (rc == 0) {
        rc = b24_lines_conds(rule->accept, fn, data);
    }

    for (i = 0; rc == 0 && i < B24_ORDER_NFIELDS; i++) {

        if (rule->fields[i].alts) {
            rc = fn(data, &rule->fields[i]);
        }
    }

    for (i = 0; rc == 0 && i < B24_NPAIRS; i++) {
        rc = b24_lines_named(rule->pairs[i], fn, data);
    }

    if (rc == 0) {
        rc = b24_lines_named(rule->learn, fn, data);
    }

    if (rc == 0 && rule->items) {
        rc = b24_lines_items(rule->items, fn, data);
    }

    return rc;
}


static int
b24_lines_conds(const b24_cond_t *cond, b24_line_pt fn, void *data)
{
    int  rc;

    for (rc = 0; rc == 0 && cond; cond = cond->next) {
        rc = fn(data, &cond->value);
    }

    return rc;
}


static int
b24_lines_named(const b24_named_t *named, b24_line_pt fn, void *data)
{
    int  rc;

    for (rc = 0; rc == 0 && named; named = named->next) {
        rc = fn(data, &named->value);
    }

    return rc;
}


static int
b24_lines_items(const b24_items_t *items, b24_line_pt fn, void *data)
{
    int     rc;
    size_t  i;

    rc = fn(data, &items->source);

    for (i = 0; rc == 0 && i < B24_ITEM_NFIELDS; i++) {

        if (items->fields[i].alts) {
            rc = fn(data, &items->fields[i]);
        }
    }

    return rc ? rc : b24_lines_conds(items->when, fn, data);
}


const b24_shop_t *
b24_rules_find(const b24_rules_t *rules, const b24_str_t *name)
{
    const b24_shop_t  *shop;

    for (shop = rules->shops; shop; shop = shop->next) {

        if (b24_str_eq(&shop->name, name)) {
            break;
        }
    }

    return shop;
}


const b24_str_t *
b24_shop_name(const b24_shop_t *shop)
{
    return &shop->name;
}


size_t
b24_rules_nvars(const b24_rules_t *rules)
{
    return rules->nvars;
}


const b24_str_t *
b24_rules_var(const b24_rules_t *rules, size_t n)
{
    return &rules->vars[n].text;
}


int
b24_rules_var_late(const b24_rules_t *rules, size_t n)
{
    return rules->vars[n].late;
}


const b24_str_t *
b24_shop_stage(const b24_shop_t *shop, const b24_str_t *status)
{
    const b24_pair_t  *pair;

    pair = b24_pair_get(shop->stages, status);

    return pair ? &pair->value : NULL;
}


const b24_pair_t *
b24_shop_stages(const b24_shop_t *shop)
{
    return shop->stages;
}


const b24_str_t *
b24_shop_default_status(const b24_shop_t *shop)
{
    return &shop->default_status;
}


int
b24_shop_needs_body(const b24_shop_t *shop, uint64_t set)
{
    unsigned  i;

    if (set && shop->session && shop->session->body) {
        return 1;
    }

    for (i = 0; i < shop->nrules; i++) {

        if ((set & (1ULL << i)) && shop->rules[i]->body) {
            return 1;
        }
    }

    return 0;
}


int
b24_shop_needs_answer(const b24_shop_t *shop, uint64_t set)
{
    unsigned  i;

    if (set && shop->session && shop->session->answer) {
        return 1;
    }

    for (i = 0; i < shop->nrules; i++) {

        if ((set & (1ULL << i)) && shop->rules[i]->answer) {
            return 1;
        }
    }

    return 0;
}


int
b24_shop_headers(const b24_shop_t *shop, uint64_t set,
    int (*fn)(void *data, const b24_str_t *name), void *data)
{
    int                rc;
    unsigned           i;
    const b24_pair_t  *header;
    const b24_rule_t  *rule;

    for (i = 0; i <= shop->nrules; i++) {
        rule = b24_shop_used(shop, set, i);

        for (header = rule ? rule->headers : NULL; header;
             header = header->next)
        {
            rc = fn(data, &header->name);
            if (rc) {
                return rc;
            }
        }
    }

    return 0;
}


/* the n-th block, if it is of the set; behind them the session lines */
static const b24_rule_t *
b24_shop_used(const b24_shop_t *shop, uint64_t set, unsigned n)
{
    if (n == shop->nrules) {
        return shop->session;
    }

    return set & (1ULL << n) ? shop->rules[n] : NULL;
}


int
b24_shop_vars(const b24_shop_t *shop, uint64_t set,
    int (*fn)(void *data, size_t n), void *data)
{
    int                rc;
    size_t             k;
    unsigned           i;
    const b24_rule_t  *rule;

    for (i = 0; i <= shop->nrules; i++) {
        rule = b24_shop_used(shop, set, i);

        for (k = 0; rule && k < rule->nvars; k++) {
            rc = fn(data, rule->vars[k]);
            if (rc) {
                return rc;
            }
        }
    }

    return 0;
}


int
b24_shop_has_order(const b24_shop_t *shop, uint64_t set)
{
    unsigned  i;

    for (i = 0; i < shop->nrules; i++) {

        if ((set & (1ULL << i)) && shop->rules[i]->kind == B24_RULE_ORDER) {
            return 1;
        }
    }

    return 0;
}


const b24_rule_t *
b24_shop_rule(const b24_shop_t *shop, unsigned n)
{
    return n < shop->nrules ? shop->rules[n] : NULL;
}


b24_rule_e
b24_rule_kind(const b24_rule_t *rule)
{
    return rule->kind;
}


const b24_str_t *
b24_rule_name(const b24_rule_t *rule)
{
    return &rule->name;
}
