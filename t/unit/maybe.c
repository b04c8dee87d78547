
/*
 * The glance at a request beside the whole look, with the rules of each preset:
 * what it rules out must be for no block, what it is sure of must match.
 */


#include "tap.h"
#include "shopconf.h"
#include "b24_rules_int.h"
#include "b24_text.h"

#include <stdlib.h>


#define TARGETS  3000


static b24_pool_t   *pool;
static b24_rules_t  *rules;
static uint32_t      seed = 7;


static uint32_t
any(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (uint32_t) (((uint64_t) (seed >> 4) * n) >> 28);
}


static size_t
make_target(char *to, size_t size)
{
    size_t       len, n;
    const char  *s;

    static const char *const  pieces[] = {
        "/", "/", "bitrix/", "admin/", "tools/", "index.php", "a", "catalog/",
        ".php", ".html", ".jpg", "checkout", "cart", "order", "personal/order/",
        "sale_ps_x", "wp-json/", "wc/store/v1/", "wp-admin/", "admin-ajax.php",
        "wp-login", "wc-api/", "wc/v3/orders/17", "sell/orders/", "list/",
        "17/status", "module/", "validation", "sale_order.php", "korzina",
        "oneclickbuy/script.php", "%2F", "%D0%98", "%FF", "%0A", "\xd0\x98"
    };

    static const char *const  queries[] = {
        "?", "&", "&", "=", "action=", "action=ADD2BASKET", "action2=mark_x",
        "route=", "route=checkout/confirm", "route=checkout/guest/save",
        "route=api/order/history", "route=sale/order.call", "call=history_add",
        "route=x/payment/y.callback", "wc-ajax=checkout", "wc-ajax=", "%63all=",
        "wc-ajax=update_order_review", "controller=order", "controller=cart",
        "controller=validation", "module=bankwire", "free_order=1", "a=b",
        "c=bitrix:sale.order.checkout", "rest_route=/wc/store/v1/cart", "+",
        "wp-json/wc/store/v1/cart", "wp-json/wc/store/v1/checkout", "%", "[]=",
        "__experimental_calc_totals=true", "..experimental_calc_totals=1"
    };

    to[0] = '/';
    len = 1;

    for (n = any(5); n; n--) {
        s = pieces[any(sizeof(pieces) / sizeof(pieces[0]))];
        len += (size_t) snprintf(to + len, size - len, "%s", s);
    }

    if (any(3)) {
        to[len++] = '?';

        for (n = any(6); n; n--) {
            s = queries[any(sizeof(queries) / sizeof(queries[0]))];
            len += (size_t) snprintf(to + len, size - len, "%s", s);
        }
    }

    return len;
}


/* the only variable that is known is the target */
static int
var(void *data, size_t n, b24_str_t *value)
{
    if (!b24_str_eqs(b24_rules_var(rules, n), "$request_uri")) {
        return B24_DECLINED;
    }

    *value = *(b24_str_t *) data;

    return B24_OK;
}


static int
matches(const b24_rule_t *rule, const b24_str_t *path)
{
    b24_str_t           text, none = b24_null_string;
    const b24_uri_t    *uri;
    b24_regex_time_t    time;
    b24_regex_match_t   match;

    if (b24_text_utf8(pool, path, &none, &text) != B24_OK) {
        exit(2);
    }

    for (uri = rule->uri; uri; uri = uri->next) {
        time.spent = 0;

        if (uri->type == B24_URI_REGEX
            ? b24_regex_exec(uri->regex, &text, &time, &match)
              == B24_REGEX_MATCH
            : uri->type == B24_URI_PREFIX
            ? path->len >= uri->text.len
              && memcmp(path->data, uri->text.data, uri->text.len) == 0
            : b24_str_eq(path, &uri->text))
        {
            return 1;
        }
    }

    return rule->uri == NULL;
}


/* without a body a block is out when a line of it wants one, and else it is in
 * as before */
static unsigned
bodyless(const b24_shop_t *shop, b24_input_t *in)
{
    uint64_t           with, without, sure;
    unsigned           i, wrong;
    const b24_cond_t  *cond;

    with = b24_maybe_look(shop, in, &sure);
    in->bodyless = 1;
    without = b24_maybe_look(shop, in, &sure);
    in->bodyless = 0;

    wrong = (without & ~with) != 0;

    for (i = 0; i < shop->nrules; i++) {

        if ((without & sure) >> i & 1) {
            wrong += !matches(shop->rules[i], &in->path);
        }

        if (((with & ~without) >> i & 1) == 0) {
            continue;
        }

        for (cond = shop->rules[i]->when; cond && !cond->value.body;
             cond = cond->next)
        {
            /* void */
        }

        wrong += (cond == NULL);
    }

    return wrong;
}


static void
is_shop(const b24_shop_t *shop)
{
    char          text[1024];
    uint64_t      set, sure, whole;
    unsigned      n, i, missed, wrong, other, out, in_all;
    b24_str_t     target;
    b24_input_t   in;

    static const char *const  methods[] = { "GET", "POST", "PUT", "HEAD" };

    missed = 0;
    wrong = 0;
    other = 0;
    out = 0;
    in_all = 0;

    for (n = 0; n < TARGETS; n++) {
        memset(&in, 0, sizeof(b24_input_t));

        target.data = (u_char *) text;
        target.len = make_target(text, sizeof(text));

        if (b24_text_target(pool, &target, &in.path, &in.args) != B24_OK) {
            continue;
        }

        in.method = str(methods[n % 4]);
        in.var = var;
        in.data = &target;
        in.body_state = B24_BODY_UNSEEN;

        set = b24_maybe_look(shop, &in, &sure);

        for (i = 0; i < shop->nrules; i++) {

            if (!b24_rule_method(shop->rules[i], &in.method)) {
                continue;
            }

            if (matches(shop->rules[i], &in.path)) {
                missed += !((set >> i) & 1);

            } else {
                wrong += (set & sure) >> i & 1;
            }
        }

        /* what the target tells changes nothing */

        whole = b24_shop_candidates(pool, shop, &in);
        in.target = target;

        if (b24_shop_candidates(pool, shop, &in) != whole) {
            printf("# other: %.*s\n", (int) target.len, text);
            other++;
        }

        wrong += bodyless(shop, &in);

        in_all += (whole != 0);
        out += !b24_shop_maybe(shop, &in);
    }

    ok(missed == 0 && wrong == 0 && other == 0, "%.*s: of %u requests %u are "
       "for a block, %u are out at a glance; %u %u %u",
       (int) shop->name.len, shop->name.data, n, in_all, out, missed, wrong,
       other);
}


/* without a body a line that wants one does not hold */
static void
test_bodyless(void)
{
    b24_input_t         in;
    const b24_shop_t   *shop;
    b24_str_t           name = b24_string("s");

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    if (conf_load(pool, rules, "b24_shop s { order o { uri /a; id request:/id;"
                  " when request:/b query:/c; accept status =200; } }")
        != B24_OK)
    {
        ok(0, "%s", b24_rules_error(rules));
        return;
    }

    shop = b24_rules_find(rules, &name);

    memset(&in, 0, sizeof(b24_input_t));
    in.method = str("POST");
    in.target = str("/a");
    in.path = str("/a");

    ok(b24_shop_maybe(shop, &in), "a request that has a body");
    in.bodyless = 1;
    ok(!b24_shop_maybe(shop, &in), "none without one");
    in.target = str("/a?c=1");
    in.args = str("c=1");
    ok(b24_shop_maybe(shop, &in), "but by its query");
    in.target = str("/a?d=1");
    in.args = str("d=1");
    ok(!b24_shop_maybe(shop, &in), "not by another field");
    in.method = str("GET");
    in.bodyless = 0;
    ok(!b24_shop_maybe(shop, &in), "nor by another method");

    b24_pool_destroy(pool);
}


/* what is wanted of the target is told in two steps: nothing may be lost in the
 * first */
static void
test_steps(void)
{
    unsigned            i;
    b24_str_t           name = str("s");
    b24_input_t         in;
    const b24_shop_t   *shop;

    static const struct {
        const char  *target;
        unsigned     blocks;
    } cases[] = {
        { "/", 0 },
        { "/x", 0 },
        { "/xy", 1 | 2 | 4 },
        { "/z", 1 },
        { "/xz", 1 | 2 },
        { "/w(y", 8 },
        { "/Vy", 16 },
        { "/vy", 16 },
        { "/?q=", 0 },
        { "/?q=1", 0 },
        { "/?q=21", 32 },
        { "/?%71=21", 32 },
        { "/?q=%321", 32 },
        { "/?p=21", 0 }
    };

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    if (conf_load(pool, rules, "b24_shop s {"
                  " collect a { when $request_uri \"~x(y)|z\"; total 1; }"
                  " collect b { when $request_uri \"~x(y|z)\"; total 1; }"
                  " collect c { when $request_uri \"~x(?!z)y\"; total 1; }"
                  " collect d { when $request_uri \"~w[(|]y\"; total 1; }"
                  " collect e { when $request_uri \"~(?i)v(y)\"; total 1; }"
                  " collect f { when query:/q ~^2; total 1; }"
                  " session $cookie_a; }")
        != B24_OK)
    {
        ok(0, "%s", b24_rules_error(rules));
        return;
    }

    shop = b24_rules_find(rules, &name);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&in, 0, sizeof(b24_input_t));
        in.method = str("GET");
        in.target = str(cases[i].target);
        in.bodyless = 1;
        in.var = var;
        in.data = &in.target;

        if (b24_text_target(pool, &in.target, &in.path, &in.args) != B24_OK) {
            exit(2);
        }

        is_int((long long) b24_shop_candidates(pool, shop, &in),
               cases[i].blocks, cases[i].target);
    }

    b24_pool_destroy(pool);
}


int
main(void)
{
    size_t             i, len;
    char              *text, path[200];
    FILE              *f;
    const b24_shop_t  *shop;

    static const char *const  presets[] = {
        "bitrix", "generic", "opencart", "prestashop", "woocommerce"
    };

    text = malloc(1 << 20);

    for (i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        (void) snprintf(path, sizeof(path),
                        "ngx_http_b24_module/shops/%s.conf", presets[i]);
        f = fopen(path, "r");

        if (f == NULL) {
            ok(0, "%s is not there", path);
            continue;
        }

        len = fread(text, 1, (1 << 20) - 1, f);
        text[len] = '\0';
        (void) fclose(f);

        pool = b24_pool_create(0);
        rules = b24_rules_create(pool);

        if (conf_load(pool, rules, text) != B24_OK) {
            ok(0, "%s: %s", path, b24_rules_error(rules));
        }

        for (shop = rules->shops; shop; shop = shop->next) {
            is_shop(shop);
        }

        b24_pool_destroy(pool);
    }

    test_bodyless();
    test_steps();
    free(text);

    return done_testing();
}
