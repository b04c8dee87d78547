
/* What collect blocks take from an exchange. */


#include "b24_rules_int.h"


static b24_is_e b24_collect_begin(b24_eval_t *ev, const b24_rule_t *rule,
    b24_collect_t *collect);
static int b24_collect_unseen(b24_why_e why);


uint64_t
b24_shop_set(const b24_shop_t *shop, b24_rule_e kind)
{
    uint64_t  set;
    unsigned  i;

    set = 0;

    for (i = 0; i < shop->nrules; i++) {

        if (shop->rules[i]->kind == kind) {
            set |= 1ULL << i;
        }
    }

    return set;
}


int
b24_rule_names(const b24_rule_t *rule)
{
    size_t  i;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (rule->fields[i].alts) {
            return 1;
        }
    }

    for (i = 0; i < B24_NPAIRS; i++) {

        if (rule->pairs[i]) {
            return 1;
        }
    }

    return rule->items != NULL;
}


int
b24_rule_keeps(const b24_rule_t *rule)
{
    const b24_alt_t  *alt;

    if (rule->kind == B24_RULE_COLLECT) {
        return rule->outdated || b24_rule_names(rule);
    }

    for (alt = rule->fields[B24_ORDER_ID].alts; alt; alt = alt->next) {

        if (alt->sources->type == B24_SOURCE_GENERATED) {
            return 1;
        }
    }

    return 0;
}


int
b24_shop_keeps_sessions(const b24_shop_t *shop)
{
    unsigned  i;

    if (shop->session) {
        return 1;
    }

    for (i = 0; shop->nsessions && i < shop->nrules; i++) {

        if (b24_rule_keeps(shop->rules[i])) {
            return 1;
        }
    }

    return 0;
}


int
b24_shop_sessions_bodies(const b24_shop_t *shop)
{
    return shop->session && (shop->session->body || shop->session->answer);
}


int
b24_shop_learns(const b24_shop_t *shop,
    int (*fn)(void *data, const b24_str_t *name), void *data)
{
    int                rc;
    const b24_pair_t  *pair;

    for (rc = 0, pair = shop->learned; rc == 0 && pair; pair = pair->next) {
        rc = fn(data, &pair->name);
    }

    return rc;
}


int
b24_shop_collect(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_input_t *in, b24_collect_t **list)
{
    unsigned        i;
    b24_is_e        is;
    b24_why_e       why;
    b24_eval_t      ev;
    b24_pair_t     *fresh;
    b24_collect_t  *collect, **last;

    *list = NULL;
    last = list;
    fresh = NULL;

    b24_eval_init(&ev, pool, in, 0);
    ev.whole = 1;

    /* what is learned first: a page may tell which of its fields is what */

    for (i = 0; i < shop->nrules; i++) {

        if ((set & (1ULL << i)) == 0
            || shop->rules[i]->kind != B24_RULE_COLLECT)
        {
            continue;
        }

        collect = b24_pcalloc(pool, sizeof(b24_collect_t));
        if (collect == NULL) {
            return B24_ERROR;
        }

        is = b24_collect_begin(&ev, shop->rules[i], collect);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is == B24_IS_EMPTY) {
            continue;
        }

        if (collect->outcome == B24_OUTCOME_ACCEPTED
            && b24_judge_learn(&ev, collect->rule, &fresh) != B24_OK)
        {
            return B24_ERROR;
        }

        *last = collect;
        last = &collect->next;
    }

    ev.fresh = fresh;

    for (collect = *list; collect; collect = collect->next) {

        if (collect->outcome != B24_OUTCOME_ACCEPTED) {
            continue;
        }

        collect->order = b24_order_create(pool);

        if (collect->order == NULL
            || b24_judge_place(&ev, collect->rule) != B24_OK
            || b24_judge_block(&ev, collect->rule, collect->order, &why)
               != B24_OK
            || b24_judge_learn(&ev, collect->rule, &collect->learned)
               != B24_OK)
        {
            return B24_ERROR;
        }

        if (why != B24_WHY_NONE) {
            collect->outcome = B24_OUTCOME_UNCONFIRMED;
            collect->doubt = b24_collect_unseen(why) & 1;
        }
    }

    return B24_OK;
}


/* another text than was expected is an answer, too: a coupon that is refused */

static int
b24_collect_unseen(b24_why_e why)
{
    return why == B24_WHY_LARGE || why == B24_WHY_CUT || why == B24_WHY_LOST
           || why == B24_WHY_ENCODING || why == B24_WHY_INFLATE;
}


/* EMPTY: it isn't for this exchange */
static b24_is_e
b24_collect_begin(b24_eval_t *ev, const b24_rule_t *rule,
    b24_collect_t *collect)
{
    b24_is_e   is;
    b24_why_e  why;

    why = B24_WHY_NONE;

    collect->rule = rule;
    collect->outcome = B24_OUTCOME_ACCEPTED;

    is = b24_eval_conds(ev, rule->when);

    if (is == B24_IS_EMPTY || is == B24_IS_ERROR) {
        return is;
    }

    if (is == B24_IS_SET) {
        is = b24_judge_accept(ev, rule, &why);
    }

    if (is == B24_IS_EMPTY) {
        collect->outcome = B24_OUTCOME_REJECTED;

    } else if (is != B24_IS_SET) {
        collect->outcome = B24_OUTCOME_UNCONFIRMED;
        collect->doubt = b24_collect_unseen(why) & 1;

    } else {
        collect->doubt = rule->outdated;
    }

    return is == B24_IS_ERROR ? is : B24_IS_SET;
}
