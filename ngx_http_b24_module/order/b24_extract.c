
/* The first stage: which block a request is for, and what it alone tells. */


#include "b24_rules_int.h"
#include "b24_text.h"


static int b24_candidate_uri(b24_eval_t *ev, const b24_rule_t *rule);
static int b24_candidate_when(b24_eval_t *ev, const b24_rule_t *rule);
static b24_is_e b24_extract_choose(b24_eval_t *ev, const b24_shop_t *shop,
    uint64_t set, const b24_rule_t **rule);
static b24_is_e b24_extract_when(b24_eval_t *ev, const b24_rule_t *rule);
static int b24_extract_lines(b24_eval_t *ev, const b24_rule_t *rule);
static int b24_extract_conds(b24_eval_t *ev, const b24_cond_t *cond);
static int b24_extract_value(b24_eval_t *ev, const b24_value_t *value);
static int b24_extract_items(b24_eval_t *ev, const b24_items_t *items,
    b24_partial_t *partial);
static int b24_extract_item_lines(b24_eval_t *ev, const b24_items_t *items);
static int b24_extract_rows(b24_eval_t *ev, const b24_items_t *items,
    const b24_node_t *list, b24_partial_t *partial);
static int b24_extract_row(b24_eval_t *ev, const b24_items_t *items,
    b24_partial_t *partial);


uint64_t
b24_shop_candidates(b24_pool_t *pool, const b24_shop_t *shop, b24_input_t *in)
{
    uint64_t           set, maybe, sure, bit;
    unsigned           i, ready;
    b24_eval_t         ev;
    const b24_rule_t  *rule;

    set = 0;
    ready = 0;

    if (!in->looked) {
        (void) b24_shop_maybe(shop, in);
    }

    maybe = in->maybe;
    sure = in->sure;

    /* the next time it may be another shop's, or more may be known */

    in->looked = 0;

    for (i = 0; maybe >> i; i++) {
        rule = shop->rules[i];
        bit = 1ULL << i;

        if (!ready && (maybe & bit) && (rule->when || !(sure & bit))) {
            b24_eval_init(&ev, pool, in, 0);
            ready = 1;
        }

        if ((maybe & bit) && b24_candidate_when(&ev, rule)
            && ((sure & bit) || b24_candidate_uri(&ev, rule)))
        {
            set |= bit;
        }

        if (i == B24_SHOP_BLOCKS - 1) {
            break;
        }
    }

    return set;
}


static int
b24_candidate_uri(b24_eval_t *ev, const b24_rule_t *rule)
{
    b24_str_t          path, none;
    b24_is_e           is;
    const b24_uri_t   *uri;
    b24_regex_match_t  match;

    path = ev->in->path;

    for (uri = rule->uri; uri; uri = uri->next) {

        switch (uri->type) {

        case B24_URI_EXACT:
            is = b24_str_eq(&path, &uri->text) ? B24_IS_SET : B24_IS_EMPTY;
            break;

        case B24_URI_PREFIX:
            is = path.len >= uri->text.len
                 && memcmp(path.data, uri->text.data, uri->text.len) == 0
                 ? B24_IS_SET : B24_IS_EMPTY;
            break;

        default:

            if (!b24_utf8_valid(&path)) {
                memset(&none, 0, sizeof(b24_str_t));

                if (b24_text_utf8(ev->pool, &path, &none, &path) != B24_OK) {
                    return 1;
                }
            }

            is = b24_eval_regex(ev, uri->regex, &path, &match);
            break;
        }

        /* in doubt it is one: an order lost is worse than a body read */

        if (is != B24_IS_EMPTY) {
            return 1;
        }
    }

    return rule->uri == NULL;
}


/* conditions that need no body */
static int
b24_candidate_when(b24_eval_t *ev, const b24_rule_t *rule)
{
    const b24_cond_t  *cond;

    for (cond = rule->when; cond; cond = cond->next) {

        if (!cond->value.body && b24_eval_cond(ev, cond) == B24_IS_EMPTY) {
            return 0;
        }
    }

    return 1;
}


const b24_rule_t *
b24_shop_certain(const b24_shop_t *shop, uint64_t set)
{
    unsigned           i;
    const b24_cond_t  *cond;
    const b24_rule_t  *rule;

    for (i = 0; i < shop->nrules; i++) {
        rule = shop->rules[i];

        if ((set & (1ULL << i)) == 0 || rule->kind == B24_RULE_COLLECT) {
            continue;
        }

        for (cond = rule->when; cond; cond = cond->next) {

            if (cond->value.body) {
                return NULL;
            }
        }

        return rule;
    }

    return NULL;
}


int
b24_extract_request(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_input_t *in, b24_partial_t **partial)
{
    b24_is_e           is;
    b24_eval_t         ev;
    b24_partial_t     *p;
    const b24_rule_t  *rule;

    b24_eval_init(&ev, pool, in, 0);

    is = b24_extract_choose(&ev, shop, set, &rule);

    if (is == B24_IS_ERROR || is == B24_IS_EMPTY) {
        return is == B24_IS_ERROR ? B24_ERROR : B24_DECLINED;
    }

    p = b24_pcalloc(pool, sizeof(b24_partial_t));
    if (p == NULL) {
        return B24_ERROR;
    }

    p->shop = shop;
    p->rule = rule;
    p->sum = rule->sum;
    p->items_alt = -1;

    /* nothing of it is written down early: b24_status.c has all at once */

    if (rule->kind == B24_RULE_STATUS) {
        *partial = p;
        return B24_OK;
    }

    /* reasons found while other blocks were looked at don't matter */

    if (is == B24_IS_SET) {
        ev.why = B24_WHY_NONE;
    }

    ev.keep = &p->keep;

    if (b24_extract_lines(&ev, rule) != B24_OK
        || (rule->items
            && b24_extract_items(&ev, rule->items, p) != B24_OK))
    {
        return B24_ERROR;
    }

    p->why = ev.why;
    *partial = p;

    return B24_OK;
}


/* the first order or status block whose conditions hold; SET or UNKNOWN */
static b24_is_e
b24_extract_choose(b24_eval_t *ev, const b24_shop_t *shop, uint64_t set,
    const b24_rule_t **rule)
{
    b24_is_e  is;
    unsigned  i;

    for (i = 0; i < shop->nrules; i++) {
        *rule = shop->rules[i];

        if ((set & (1ULL << i)) == 0 || (*rule)->kind == B24_RULE_COLLECT) {
            continue;
        }

        is = b24_extract_when(ev, *rule);

        if (is == B24_IS_SET || is == B24_IS_ERROR
            || (is == B24_IS_UNKNOWN && (*rule)->kind == B24_RULE_ORDER))
        {
            return is;
        }
    }

    return B24_IS_EMPTY;
}


/* conditions that need the body: b24_shop_candidates() has judged the rest */
static b24_is_e
b24_extract_when(b24_eval_t *ev, const b24_rule_t *rule)
{
    b24_is_e           is, all;
    const b24_cond_t  *cond;

    all = B24_IS_SET;

    for (cond = rule->when; cond; cond = cond->next) {

        if (!cond->value.body) {
            continue;
        }

        is = b24_eval_cond(ev, cond);

        if (is == B24_IS_EMPTY || is == B24_IS_ERROR) {
            return is;
        }

        if (is != B24_IS_SET) {
            all = B24_IS_UNKNOWN;
        }
    }

    return all;
}


static int
b24_extract_lines(b24_eval_t *ev, const b24_rule_t *rule)
{
    size_t              i;
    const b24_named_t  *named;

    if (b24_extract_conds(ev, rule->accept) != B24_OK) {
        return B24_ERROR;
    }

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (b24_extract_value(ev, &rule->fields[i]) != B24_OK) {
            return B24_ERROR;
        }
    }

    for (i = 0; i <= B24_NPAIRS; i++) {
        named = i < B24_NPAIRS ? rule->pairs[i] : rule->learn;

        for ( /* void */ ; named; named = named->next) {

            if (b24_extract_value(ev, &named->value) != B24_OK) {
                return B24_ERROR;
            }
        }
    }

    return B24_OK;
}


static int
b24_extract_conds(b24_eval_t *ev, const b24_cond_t *cond)
{
    b24_result_t  res;

    for ( /* void */ ; cond; cond = cond->next) {

        if (b24_eval_line(ev, &cond->value, cond, &res) == B24_IS_ERROR) {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_extract_value(b24_eval_t *ev, const b24_value_t *value)
{
    b24_result_t  res;

    /* most fields have no line */

    if (value->alts == NULL) {
        return B24_OK;
    }

    return b24_eval_line(ev, value, NULL, &res) == B24_IS_ERROR ? B24_ERROR
                                                                : B24_OK;
}


static int
b24_extract_items(b24_eval_t *ev, const b24_items_t *items,
    b24_partial_t *partial)
{
    b24_is_e          is;
    b24_node_t       *list;
    const b24_alt_t  *alt;

    /* rows the answer may give can have values of the request */

    if (!b24_value_early(&items->source, 0)
        && b24_extract_item_lines(ev, items) != B24_OK)
    {
        return B24_ERROR;
    }

    for (alt = items->source.alts; alt; alt = alt->next) {

        if (!b24_source_early(alt->sources, 0)) {
            continue;
        }

        is = b24_eval_list(ev, alt, &list);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is == B24_IS_SET) {
            partial->items_alt = (int) alt->n;
            return b24_extract_rows(ev, items, list, partial);
        }
    }

    return B24_OK;
}


static int
b24_extract_item_lines(b24_eval_t *ev, const b24_items_t *items)
{
    size_t  i;

    for (i = 0; i < B24_ITEM_NFIELDS; i++) {

        if (b24_extract_value(ev, &items->fields[i]) != B24_OK) {
            return B24_ERROR;
        }
    }

    return b24_extract_conds(ev, items->when);
}


static int
b24_extract_rows(b24_eval_t *ev, const b24_items_t *items,
    const b24_node_t *list, b24_partial_t *partial)
{
    int          rc;
    b24_keep_t  *keep;

    rc = B24_OK;
    keep = ev->keep;

    ev->element_early = 1;
    ev->index = 0;

    for (ev->element = list->first; ev->element && rc == B24_OK;
         ev->element = ev->element->next)
    {
        if (partial->nrows == B24_RULES_ITEMS) {
            partial->many = 1;
            break;
        }

        rc = b24_extract_row(ev, items, partial);
        ev->index++;
    }

    ev->element = NULL;
    ev->element_early = 0;
    ev->keep = keep;

    return rc;
}


static int
b24_extract_row(b24_eval_t *ev, const b24_items_t *items,
    b24_partial_t *partial)
{
    b24_is_e         is;
    b24_row_kept_t  *row;

    row = b24_pcalloc(ev->pool, sizeof(b24_row_kept_t));
    if (row == NULL) {
        return B24_ERROR;
    }

    ev->keep = &row->keep;

    is = b24_eval_conds(ev, items->when);

    if (is == B24_IS_EMPTY || is == B24_IS_ERROR) {
        return is == B24_IS_ERROR ? B24_ERROR : B24_OK;
    }

    row->keep.first = NULL;
    row->keep.last = NULL;

    if (b24_extract_item_lines(ev, items) != B24_OK) {
        return B24_ERROR;
    }

    b24_partial_add_row(partial, row);

    return B24_OK;
}
