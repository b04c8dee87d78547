
/*
 * Configurations: tokens as nginx reads them, in a shop and its heir.
 * After a byte 1 the input is a plan of the tokens (fuzz.h).
 *
 * At most: 8192
 * Aims at: order/b24_rules.c order/b24_shop.c order/b24_shop_heirs.c
 */


#include "fuzz.h"
#include "shopconf.h"
#include "b24_rules_int.h"



static const char *const  pieces[] = {
    " order ", " collect ", " status ", " database ", " write ", " { ", " } ",
    "; ", " items ", " uri ", " method ", " when ", " accept ", " id ", " row ",
    " name ", " phone ", " email ", " total ", " currency ", " minor_units ",
    " deal UF_A ", " contact UF_B ", " learn k ", " session ", " stage N NEW; ",
    " default_status N; ", " generated ", " request:/a ", " response:/b ",
    " query:/c ", " header:Location ", " inline:x.y/z ", " database:ID ",
    " /price ", " @key ", " \"\" ", " ! ", " =x ", " !=x ", " ~^a(b)?$ ",
    " \"!~x\" ", " \"~~(?<name>a)(?<price>b)\" ", " \"%{request:/a} %{/b}\" ",
    " $cookie_a ", " text:x ", " status ", " POST ", " /a* ", " ~ ^/a ", " ~* A ",
    " url \"%{site}/x?%{id}\"; ", " header A \"%{key}\"; ", " body 'a=%{status}'; ",
    " expired ", " items response: ", " quantity ", " tax_rate ", " when /a ! ",
    " order \"SELECT * FROM t WHERE id = :id\"; ", " items \"SELECT 1\"; ",
    " changes \"SELECT 1 WHERE a > :changed\"; ", " link \"UPDATE t SET a = 1\"; ",
    " place ", " b24_shop heir2 : base { ", "\\", "#", "\n", "'", "\"", " off ",
    " %{k} ", " request:/[a=%{k}]/v ", " canceled ", " paid ", " shipped "
};


static int
seen(void *data, const b24_value_t *line)
{
    (void) data;

    if (line->alts == NULL || line->key.len == 0) {
        abort();
    }

    return 0;
}


static void
check(const b24_rules_t *rules, const char *name)
{
    size_t             n;
    unsigned           i;
    b24_str_t          s;
    const b24_rule_t  *rule;
    const b24_shop_t  *shop;

    s.data = (u_char *) name;
    s.len = strlen(name);

    shop = b24_rules_find(rules, &s);

    if (shop == NULL) {
        return;
    }

    if (shop->nrules > B24_SHOP_BLOCKS) {
        abort();
    }

    for (i = 0; (rule = b24_shop_rule(shop, i)) != NULL; i++) {

        if (rule->kind != B24_RULE_COLLECT
            && rule->fields[B24_ORDER_ID].alts == NULL
            && (rule->kind == B24_RULE_ORDER
                || rule->fields[B24_ORDER_ROW].alts == NULL))
        {
            abort();
        }

        (void) b24_rule_lines(rule, seen, NULL);
    }

    for (n = 0; n < b24_rules_nvars(rules); n++) {
        s = *b24_rules_var(rules, n);

        if (memchr(s.data, '$', s.len) == NULL) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           rc;
    fuzz_t        f;
    b24_buf_t     buf;
    b24_str_t     text;
    b24_pool_t   *pool;
    b24_rules_t  *rules;

    pool = b24_pool_create(1 << 24);
    rules = b24_rules_create(pool);

    if (rules == NULL) {
        abort();
    }

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "b24_shop base { order a { id response:/id; } "
                       "order { id query:/n; phone request:/p; } "
                       "order c { id header:X; deal A b; } } "
                       "b24_shop heir : base {");

    if (size && data[0] == 1) {
        f.p = data + 1;
        f.end = data + size;
        f.pool = pool;
        text = fuzz_pieces(&f, pieces, sizeof(pieces) / sizeof(pieces[0]),
                           255);
        b24_buf_addstr(&buf, &text);

    } else {
        b24_buf_add(&buf, data, size);
    }

    b24_buf_adds(&buf, "\n}");

    if (b24_buf_str(&buf, &text) == B24_OK) {
        rc = conf_load_str(pool, rules, &text);

        /* a refusal says so in one sentence */

        if (rc == B24_DECLINED
            && strlen(b24_rules_error(rules)) >= B24_RULES_ERR)
        {
            abort();
        }

        check(rules, "base");
        check(rules, "heir");
    }

    b24_pool_destroy(pool);

    return 0;
}
