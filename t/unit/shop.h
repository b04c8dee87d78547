
/* A shop's rules in a unit test, and what its templates are at the moment. */


#ifndef _SHOP_H_INCLUDED_
#define _SHOP_H_INCLUDED_


#include <stdlib.h>

#include "shopconf.h"
#include "tap.h"


#define SHOP_VARS  13           /* template, value, ..., NULL */


static b24_pool_t         *pool;
static b24_rules_t        *rules;
static const b24_shop_t   *shop;
static const char *const  *shop_vars;


/* the rules from here on, with a pool of their own */
static inline void
shop_load(const char *lines)
{
    char       *text;
    b24_str_t   name;

    b24_pool_destroy(pool);
    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    text = malloc(strlen(lines) + 64);
    sprintf(text, "b24_shop s { %s }", lines);

    if (conf_load(pool, rules, text) != B24_OK) {
        ok(0, "compiles: %s", text);
        printf("# %s\n", b24_rules_error(rules));
        exit(1);
    }

    name = str("s");
    shop = b24_rules_find(rules, &name);
    free(text);
}


/* b24_input_t.var */
static inline int
shop_var(void *data, size_t n, b24_str_t *value)
{
    int  i;

    (void) data;

    for (i = 0; shop_vars[i]; i += 2) {

        if (b24_str_eqs(b24_rules_var(rules, n), shop_vars[i])) {
            *value = str(shop_vars[i + 1]);
            return B24_OK;
        }
    }

    return B24_DECLINED;
}


#endif /* _SHOP_H_INCLUDED_ */
