
/* What a shop has of its base: blocks, lines, statements. */


#include "b24_rules_int.h"


static int b24_heir_drop(b24_rules_t *rules, b24_shop_t *shop,
    const b24_rule_t *off);
static const b24_rule_t *b24_heir_base(const b24_shop_t *shop,
    const b24_rule_t *rule);
static unsigned b24_heir_unnamed(const b24_rule_t *list, b24_rule_e kind);
static b24_rule_t *b24_heir_block(b24_rules_t *rules, const b24_rule_t *base,
    const b24_rule_t *rule);
static int b24_heir_lines(b24_rules_t *rules, b24_shop_t *shop);
static int b24_heir_raw(b24_rules_t *rules, b24_shop_t *shop);


/* blocks without a counterpart in the base come first, then the base's */
int
b24_heir_merge(b24_rules_t *rules, b24_shop_t *shop)
{
    int                rc;
    const b24_rule_t  *base;
    b24_rule_t        *rule, *next, *copy, *list, **own, **last;

    for (rule = shop->blocks; rule; rule = rule->next) {
        rc = rule->off ? b24_heir_drop(rules, shop, rule) : B24_OK;
        if (rc != B24_OK) {
            return rc;
        }
    }

    list = NULL;
    last = &list;

    for (base = shop->base->blocks; base; base = base->next) {

        for (rule = shop->blocks; rule; rule = rule->next) {

            if (b24_heir_base(shop, rule) == base) {
                break;
            }
        }

        if (rule && rule->off) {
            continue;
        }

        copy = b24_heir_block(rules, base, rule);
        if (copy == NULL) {
            return B24_ERROR;
        }

        *last = copy;
        last = &copy->next;
    }

    own = &shop->blocks;

    for (rule = shop->blocks; rule; rule = next) {
        next = rule->next;

        /* its counterpart's copy has its lines */

        if (b24_heir_base(shop, rule)) {
            *own = next;
            continue;
        }

        own = &rule->next;
    }

    *own = list;

    return b24_heir_lines(rules, shop);
}


static int
b24_heir_drop(b24_rules_t *rules, b24_shop_t *shop, const b24_rule_t *off)
{
    char  title[B24_TITLE_LEN];

    if (b24_heir_base(shop, off)) {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"%s off\": the base \"%.*s\" has no such "
                          "block, leave the line out",
                          b24_rule_title(off, title),
                          b24_rules_arg(&shop->base->name));
}


/* unnamed blocks belong together when each side has only one of the kind */
static const b24_rule_t *
b24_heir_base(const b24_shop_t *shop, const b24_rule_t *rule)
{
    const b24_rule_t  *base;

    if (rule->name.len == 0
        && (b24_heir_unnamed(shop->base->blocks, rule->kind) != 1
            || b24_heir_unnamed(shop->blocks, rule->kind) != 1))
    {
        return NULL;
    }

    for (base = shop->base->blocks; base; base = base->next) {

        if (base->kind == rule->kind && b24_str_eq(&base->name, &rule->name)) {
            return base;
        }
    }

    return NULL;
}


static unsigned
b24_heir_unnamed(const b24_rule_t *list, b24_rule_e kind)
{
    unsigned  n;

    for (n = 0; list; list = list->next) {

        if (list->kind == kind && list->name.len == 0) {
            n++;
        }
    }

    return n;
}


/* the base's block with the heir's lines over it; rule may be NULL */
static b24_rule_t *
b24_heir_block(b24_rules_t *rules, const b24_rule_t *base,
    const b24_rule_t *rule)
{
    size_t       i;
    b24_rule_t  *copy;

    copy = b24_palloc(rules->pool, sizeof(b24_rule_t));
    if (copy == NULL) {
        return NULL;
    }

    *copy = *base;
    copy->next = NULL;
    copy->vars = NULL;
    copy->nvars = 0;
    copy->headers = NULL;

    if (rule == NULL) {
        return copy;
    }

    copy->uri = rule->uri ? rule->uri : base->uri;
    copy->methods = rule->methods ? rule->methods : base->methods;
    copy->when = rule->when ? rule->when : base->when;
    copy->accept = rule->accept ? rule->accept : base->accept;
    copy->items = rule->items ? rule->items : base->items;
    copy->alone = rule->alone | base->alone;
    copy->outdated = rule->outdated | base->outdated;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (rule->fields[i].alts) {
            copy->fields[i] = rule->fields[i];
        }
    }

    copy->learn = rule->learn;

    if (b24_heir_pairs(rules, &copy->learn, base->learn, b24_str_eq)
        != B24_OK) {
        return NULL;
    }

    for (i = 0; i < B24_NPAIRS; i++) {
        copy->pairs[i] = rule->pairs[i];

        if (b24_heir_pairs(rules, &copy->pairs[i], base->pairs[i],
                           b24_str_eq)
            != B24_OK)
        {
            return NULL;
        }
    }

    copy->body = 0;
    copy->answer = 0;

    return copy;
}


int
b24_heir_pairs(b24_rules_t *rules, b24_named_t **list,
    const b24_named_t *base,
    int (*same)(const b24_str_t *a, const b24_str_t *b))
{
    b24_named_t  *own, *copy, **last;

    own = *list;

    for (last = list; *last; last = &(*last)->next) {
        /* void */
    }

    for ( /* void */ ; base; base = base->next) {

        for (copy = own; copy; copy = copy->next) {

            if (same(&copy->name, &base->name)) {
                break;
            }
        }

        if (copy) {
            continue;
        }

        copy = b24_palloc(rules->pool, sizeof(b24_named_t));
        if (copy == NULL) {
            return B24_ERROR;
        }

        *copy = *base;
        copy->next = NULL;

        *last = copy;
        last = &copy->next;
    }

    return B24_OK;
}


/* lines outside of blocks: single stages over the base's, the rest replaces */
static int
b24_heir_lines(b24_rules_t *rules, b24_shop_t *shop)
{
    b24_shop_t  *base;
    b24_pair_t  *own, *pair;

    base = shop->base;
    own = shop->stages;
    shop->stages = NULL;

    for (pair = base->stages; pair; pair = pair->next) {

        if (b24_pair_get(own, &pair->name) == NULL
            && b24_rules_pair(rules, &shop->stages, &pair->name, &pair->value)
               != B24_OK)
        {
            return B24_ERROR;
        }
    }

    for (pair = own; pair; pair = pair->next) {

        if (b24_rules_pair(rules, &shop->stages, &pair->name, &pair->value)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    if (shop->default_status.len == 0) {
        shop->default_status = base->default_status;
    }

    if (shop->nsessions == 0) {
        shop->sessions = base->sessions;
        shop->nsessions = base->nsessions;
    }

    for (pair = base->learned; pair; pair = pair->next) {

        if (b24_rules_pair(rules, &shop->learned, &pair->name, NULL)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    if (b24_heir_raw(rules, shop) != B24_OK) {
        return B24_ERROR;
    }

    return b24_call_heirs(rules, shop);
}


/* statements replace those of their name */
static int
b24_heir_raw(b24_rules_t *rules, b24_shop_t *shop)
{
    size_t            n, own;
    b24_raw_t        *copy, **last;
    const b24_raw_t  *raw;

    own = 0;

    for (last = &shop->raw; *last; last = &(*last)->next) {
        own++;
    }

    for (raw = shop->base->raw; raw; raw = raw->next) {

        copy = shop->raw;

        for (n = 0; n < own; n++, copy = copy->next) {

            if (b24_str_eq(&copy->name, &raw->name)) {
                break;
            }
        }

        if (n < own) {
            continue;
        }

        copy = b24_palloc(rules->pool, sizeof(b24_raw_t));
        if (copy == NULL) {
            return B24_ERROR;
        }

        *copy = *raw;
        copy->next = NULL;

        *last = copy;
        last = &copy->next;
    }

    return B24_OK;
}
