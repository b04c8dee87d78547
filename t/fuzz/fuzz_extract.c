
/*
 * Exchanges: fixed rules that use every form of the language, a request and an
 * answer of anybody's making.
 *
 * At most: 16384
 * Aims at: order/b24_extract.c order/b24_eval.c order/b24_eval_source.c
 * Aims at: order/b24_value.c order/b24_source.c order/b24_partial.c
 * Aims at: order/b24_lines.c order/b24_lines_values.c order/b24_message.c
 */


#include "exchange.h"
#include "b24_decimal.h"
#include "b24_rules_int.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  conf[] =
    "b24_shop s {"
    " order a { uri /a*; when request:/kind !~^no; when query:/q;"
    "  accept status \"~^2\"; accept response:/error !; accept request:/a response:/ok !=no;"
    "  id response:/order/id header:Location ~id=([^&]+) inline:shop.cart/id;"
    "  name \"%{request:/first} %{response:/last}\" request:/name; comment request:/comment;"
    "  phone request:/p/[last]/v request:/p/[k=phone]/v; email request:/json/email; address request:/address;"
    "  total request:/total response:/total; minor_units response:/minor; discount request:/discount; currency request:/cur RUB;"
    "  deal UF_A $cookie_a; deal UF_B request:/b ~(\\d+)x; contact UF_C response:; company_field UF_D inline:shop/x/0;"
    "  items response:/items request:/items request:/cart {"
    "   name /name \"%{@key}-%{request:/suffix}\"; price /price; sum /sum; quantity /q; product_id @key; tax_rate /vat response:/vat;"
    "   tax_included /inc; discount /d; measure 796; xml_id \"\"; when /skip !; when response:/none /name request:/name; } }"
    " order b { uri ~ ^/b; id response: ~#(\\d+) status;"
    "  items response: \"~(?s)<tbody>(.*)</tbody>\" \"~~(?s)<tr>(?<name>.*?)</td>(?:(?<price>[^<]*)<)?\" { name /name; price /price; xml_id \"\"; } }"
    " order { id query:/n request:/n; row request:/row; name request:/name; }"
    "}";


static const char  *targets[] = {
    "/a?q=1", "/a/b?q=%7B", "/b", "/c?n=%25%32%35", "/a"
};

static const char  *types[] = {
    "application/json", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=B", "", "text/plain; charset=windows-1251"
};

static const char  *encodings[] = { "", "gzip", "deflate", "br" };


static void
check_text(const b24_str_t *text)
{
    size_t  i;

    ABORT_UNLESS(b24_utf8_valid(text));

    for (i = 0; i < text->len; i++) {
        ABORT_UNLESS(text->data[i] >= ' ' || text->data[i] == '\n'
                     || text->data[i] == '\t');
    }
}


static void
check_amount(const b24_str_t *text)
{
    b24_decimal_t  d;

    ABORT_UNLESS(text->len == 0 || b24_decimal_parse(text, &d) == B24_OK);
}


static void
check_event(const b24_event_t *e)
{
    size_t             i, n;
    const b24_item_t  *item;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {
        check_text(&e->order->fields[i]);
    }

    check_amount(&e->order->fields[B24_ORDER_TOTAL]);
    check_amount(&e->order->fields[B24_ORDER_DISCOUNT]);
    ABORT_UNLESS(e->order->fields[B24_ORDER_CURRENCY].len % 3 == 0);

    n = 0;

    for (item = e->order->items; item; item = item->next) {
        n++;

        for (i = 0; i < B24_ITEM_NFIELDS; i++) {
            check_text(&item->fields[i]);
        }

        check_amount(&item->fields[B24_ITEM_PRICE]);
        check_amount(&item->fields[B24_ITEM_QUANTITY]);
        check_amount(&item->fields[B24_ITEM_TAX_RATE]);
        ABORT_UNLESS(item->fields[B24_ITEM_TAX_INCLUDED].len <= 1);
    }

    ABORT_UNLESS(n == e->order->nitems);

    switch (e->outcome) {

    case B24_OUTCOME_ACCEPTED:
        ABORT_UNLESS(e->order->fields[B24_ORDER_ID].len);
        ABORT_UNLESS(e->cause.len == 0);
        break;

    case B24_OUTCOME_REJECTED:
        ABORT_UNLESS(n == 0 && e->order->fields[B24_ORDER_ID].len == 0);
        break;

    default:
        ABORT_UNLESS(e->cause.len && e->advice.len);
        break;
    }
}


/* regexes are bounded by time: two events may differ when one was given up */
static int
is_slow(const b24_event_t *e)
{
    return b24_str_eqs(&e->cause, "a regex of the rules took too long on this "
                                  "order");
}


/* the second stage from the partial and from its printed form */
static void
check_answer(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_partial_t *partial, b24_input_t *in)
{
    int             rc;
    b24_str_t       json, again;
    b24_event_t     one, two;
    b24_partial_t  *parsed;

    if (b24_partial_print(pool, partial, &json) != B24_OK) {
        return;
    }

    rc = b24_partial_parse(pool, shop, &json, &parsed);
    ABORT_UNLESS(rc != B24_DECLINED);

    if (rc != B24_OK || b24_partial_print(pool, parsed, &again) != B24_OK) {
        return;
    }

    ABORT_UNLESS(b24_str_eq(&json, &again));

    if (b24_extract_answer(pool, shop, partial, in, &one) != B24_OK) {
        return;
    }

    check_event(&one);

    if (b24_extract_answer(pool, shop, parsed, in, &two) != B24_OK
        || b24_order_print(pool, one.order, &json) != B24_OK
        || b24_order_print(pool, two.order, &again) != B24_OK)
    {
        return;
    }

    if (is_slow(&one) || is_slow(&two)) {
        return;
    }

    ABORT_UNLESS(one.outcome == two.outcome);
    ABORT_UNLESS(b24_str_eq(&json, &again));
}


/* with both sides at hand it comes to the same */
static void
check_whole(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_partial_t *partial, const b24_input_t *in)
{
    int             refused;
    b24_str_t       json, again;
    b24_event_t     one, two, three;
    b24_input_t     asked;
    b24_partial_t  *other, *last;

    if (b24_extract_answer(pool, shop, partial, in, &one) != B24_OK
        || b24_extract_exchange(pool, shop, set, in, &other, &two) != B24_OK)
    {
        return;
    }

    ABORT_UNLESS(two.order || other == NULL);

    /* that the answer alone refuses it may have been asked before */

    asked = *in;
    refused = b24_extract_refused(pool, shop, set, &asked);

    if (b24_extract_exchange(pool, shop, set, &asked, &last, &three)
        != B24_OK)
    {
        return;
    }

    ABORT_UNLESS(refused == (last == NULL));

    if (!is_slow(&one) && !is_slow(&two) && !is_slow(&three)) {
        ABORT_UNLESS(two.outcome == three.outcome);
        ABORT_UNLESS((other == NULL) == (last == NULL));

        if (two.order) {
            if (b24_order_print(pool, two.order, &json) != B24_OK
                || b24_order_print(pool, three.order, &again) != B24_OK)
            {
                return;
            }

            ABORT_UNLESS(b24_str_eq(&json, &again));
        }
    }

    /* of one that nobody has read the other way knows nothing either */

    if (two.order == NULL) {
        two.order = b24_order_create(pool);

        if (two.order == NULL) {
            return;
        }

        two.order->shop = one.order->shop;
        two.order->rule = one.order->rule;
    }

    if (b24_order_print(pool, one.order, &json) != B24_OK
        || b24_order_print(pool, two.order, &again) != B24_OK)
    {
        return;
    }

    check_event(&two);

    if (is_slow(&one) || is_slow(&two)) {
        return;
    }

    ABORT_UNLESS(one.outcome == two.outcome);
    ABORT_UNLESS(other || two.outcome == B24_OUTCOME_REJECTED);
    ABORT_UNLESS(b24_str_eq(&json, &again));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    b24_str_t           target, type, cookie;
    b24_pair_t          location;
    uint64_t            set;
    b24_pool_t         *pool;
    b24_input_t         in;
    b24_partial_t      *partial;
    const b24_shop_t   *shop;

    if (size < EXCHANGE_HEAD) {
        return 0;
    }

    shop = exchange_shop(conf);
    pool = b24_pool_create(1 << 24);
    memset(&location, 0, sizeof(location));

    target = pick(targets, 5, data[0]);
    type = pick(types, 5, data[1]);

    exchange_open(pool, &in, data, size, &target, &type, &cookie, 20);

    set = b24_shop_candidates(pool, shop, &in);

    if (b24_extract_request(pool, shop, set, &in, &partial) == B24_OK) {
        in.status = data[2] & 0x80 ? 0 : 200 + (data[2] & 0x70) * 10;
        in.answer_type = pick(types, 5, data[2]);
        in.answer_encoding = pick(encodings, 4, data[3]);
        in.answer_state = exchange_state(data[3]);

        location.name.data = (u_char *) "location";
        location.name.len = 8;
        location.value = cookie;
        in.headers = &location;

        check_answer(pool, shop, partial, &in);
        check_whole(pool, shop, set, partial, &in);
    }

    b24_pool_destroy(pool);

    return 0;
}
