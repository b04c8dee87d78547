
/*
 * The glance at a request beside the whole look, with rules that grow from the
 * plan or are a preset's: what the glance rules out is for no block, with a
 * body or without, and what the target tells changes nothing.
 *
 * Aims at: order/b24_maybe.c order/b24_sieve.c order/b24_sieve_table.c
 */


#include "patterns.h"
#include "exchange.h"
#include "b24_rules_int.h"


static const char *const  presets[] = {
    "bitrix", "generic", "opencart", "prestashop", "woocommerce"
};

#define PRESETS  (sizeof(presets) / sizeof(presets[0]))

static const char *const  methods[] = { "GET", "POST", "PUT", "HEAD" };

static const char *const  pieces[] = {
    "/", "bitrix/", "admin/", "tools/", "index.php", "a", "b", ".php", ".html",
    "checkout", "cart", "order", "personal/order/", "wp-json/", "wc/store/v1/",
    "wp-admin/", "admin-ajax.php", "wc-api/", "module/", "validation", "ab",
    "sale_order.php", "x", "17", "%2F", "%D0%98", "%61", "\xd0\x98", ".", "..",
    "?", "&", "=", "action=", "route=", "route=checkout/confirm", "k=", "key=",
    "wc-ajax=checkout", "wc-ajax=", "controller=order", "controller=cart",
    "c=bitrix:sale.order.checkout", "rest_route=/wc/store/v1/cart", "+", "1",
    "action2=mark_x", "route=api/order/history", "call=history_add", "[]=",
    "module=bankwire", "free_order=1", "%6b=", "[a]=", "order/", "kk", "s"
};

#define NPIECES  (sizeof(pieces) / sizeof(pieces[0]))


static b24_rules_t  *loaded[PRESETS];


int LLVMFuzzerInitialize(int *argc, char ***argv);


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    size_t       i;
    b24_pool_t  *pool;

    (void) argc;
    (void) argv;

    for (i = 0; i < PRESETS; i++) {
        pool = b24_pool_create(0);
        loaded[i] = b24_rules_create(pool);
        exchange_preset(pool, loaded[i], presets[i]);
    }

    return 0;
}


static b24_rules_t  *current;


/* the only variable that is known is the target */
static int
var(void *data, size_t n, b24_str_t *value)
{
    if (!b24_str_eqs(b24_rules_var(current, n), "$request_uri")) {
        return B24_DECLINED;
    }

    *value = *(b24_str_t *) data;

    return B24_OK;
}


static void
quoted(b24_buf_t *out, const char *before, const b24_str_t *text)
{
    size_t  i;

    b24_buf_adds(out, "\"");
    b24_buf_adds(out, before);

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == '"' || text->data[i] == '\\') {
            b24_buf_addc(out, '\\');
        }

        b24_buf_addc(out, text->data[i]);
    }

    b24_buf_addc(out, '"');
}


static void
line(fuzz_t *f, b24_buf_t *out)
{
    b24_str_t  s;

    static const char *const  values[] = {
        "query:/k", "query:/key", "query:/k/a", "$request_uri", "request:/b",
        "query:/k query:/key", "query:/k request:/k", "query:",
        "\"%{query:/k}-%{query:/key}\"", "query:/a"
    };

    static const char *const  uris[] = {
        " ~ ", " ~ ", " ~* ", " "
    };

    if (fuzz_below(f, 3) == 0) {
        b24_buf_adds(out, " method ");
        b24_buf_adds(out, methods[fuzz_below(f, 4)]);
        b24_buf_addc(out, ';');
        return;
    }

    if (fuzz_below(f, 2)) {
        s = fuzz_pick(f, uris, 4);
        b24_buf_adds(out, " uri");
        b24_buf_addstr(out, &s);

        if (s.len > 1) {
            s = pattern_make(f);
            quoted(out, "", &s);

        } else {
            s = fuzz_pieces(f, pieces, NPIECES, 4);
            quoted(out, "/", &s);
        }

        b24_buf_adds(out, ";");
        return;
    }

    s = fuzz_pick(f, values, sizeof(values) / sizeof(values[0]));
    b24_buf_adds(out, " when ");
    b24_buf_addstr(out, &s);
    b24_buf_addc(out, ' ');

    switch (fuzz_below(f, 6)) {

    case 0:
        break;

    case 1:
        b24_buf_adds(out, "!");
        break;

    case 2:
        s = pattern_make(f);
        quoted(out, "!~", &s);
        break;

    case 3:
        s = fuzz_pieces(f, pieces, NPIECES, 3);
        quoted(out, "=", &s);
        break;

    default:
        s = pattern_make(f);
        quoted(out, "~", &s);
        break;
    }

    b24_buf_adds(out, ";");
}


/* up to four blocks; NULL: nginx would refuse them */
static const b24_shop_t *
grow(fuzz_t *f)
{
    unsigned   i, n;
    b24_buf_t  buf;
    b24_str_t  conf, name = b24_string("s");

    b24_buf_init(&buf, f->pool);
    b24_buf_adds(&buf, "b24_shop s { session $cookie_a;");

    for (n = fuzz_below(f, 4) + 1; n; n--) {
        b24_buf_adds(&buf, n & 1 ? " order" : " collect");
        b24_buf_adds(&buf, n & 1 ? " { id request:/id;" : " { total 1;");

        for (i = fuzz_below(f, 5); i; i--) {
            line(f, &buf);
        }

        b24_buf_adds(&buf, " }");
    }

    b24_buf_adds(&buf, " }");
    ABORT_UNLESS(b24_buf_str(&buf, &conf) == B24_OK);

    current = b24_rules_create(f->pool);
    ABORT_UNLESS(current != NULL);

    if (conf_load_str(f->pool, current, &conf) != B24_OK) {
        return NULL;
    }

    return b24_rules_find(current, &name);
}


/* a block that the glance has ruled out since the request has no body: its
 * lines don't hold then */
static void
check_out(fuzz_t *f, const b24_shop_t *shop, b24_input_t *in, uint64_t out)
{
    unsigned          n;
    b24_collect_t    *list;
    b24_partial_t    *partial;

    in->body_state = B24_BODY_NONE;

    for (n = 0; n < B24_SHOP_BLOCKS; n++) {

        if (!(out >> n & 1)) {
            continue;
        }

        if (b24_rule_kind(b24_shop_rule(shop, n)) == B24_RULE_COLLECT) {
            ABORT_UNLESS(b24_shop_collect(f->pool, shop, 1ULL << n, in, &list)
                         != B24_OK || list == NULL);

        } else {
            ABORT_UNLESS(b24_extract_request(f->pool, shop, 1ULL << n, in,
                                             &partial)
                         != B24_OK);
        }
    }
}


static void
look(fuzz_t *f, const b24_shop_t *shop, const b24_str_t *target)
{
    int          glance;
    uint64_t     whole, told;
    b24_input_t  in;

    memset(&in, 0, sizeof(in));

    if (b24_text_target(f->pool, target, &in.path, &in.args) != B24_OK) {
        return;
    }

    in.method = fuzz_pick(f, methods, 4);
    in.bodyless = fuzz_below(f, 2);
    in.body_state = B24_BODY_UNSEEN;
    in.var = var;
    in.data = (void *) target;

    /* without a target there is no glance */

    whole = b24_shop_candidates(f->pool, shop, &in);

    in.target = *target;
    glance = b24_shop_maybe(shop, &in);
    told = b24_shop_candidates(f->pool, shop, &in);

    ABORT_UNLESS(glance || told == 0);
    ABORT_UNLESS((told & ~whole) == 0);

    if (told != whole) {
        ABORT_UNLESS(in.bodyless);
        check_out(f, shop, &in, whole & ~told);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t             f;
    unsigned           n;
    b24_buf_t          buf;
    b24_str_t          s, target;
    const b24_shop_t  *shop;

    fuzz_init(&f, data, size);

    n = fuzz_byte(&f);

    if (n < 96) {
        current = loaded[n % PRESETS];
        shop = current->shops;

        for (n = fuzz_below(&f, 3); n && shop->next; n--) {
            shop = shop->next;
        }

    } else {
        shop = grow(&f);
    }

    for (n = 0; shop && n < 12 && (n == 0 || fuzz_more(&f)); n++) {
        b24_buf_init(&buf, f.pool);
        b24_buf_addc(&buf, '/');

        s = fuzz_pieces(&f, pieces, NPIECES, 6);
        b24_buf_addstr(&buf, &s);

        if (fuzz_below(&f, 3)) {
            b24_buf_addc(&buf, '?');
            s = fuzz_below(&f, 2) ? fuzz_pieces(&f, pieces, NPIECES, 8)
                                  : pattern_text(&f);
            b24_buf_addstr(&buf, &s);
        }

        ABORT_UNLESS(b24_buf_str(&buf, &target) == B24_OK);
        look(&f, shop, &target);
    }

    b24_pool_destroy(f.pool);

    return 0;
}
