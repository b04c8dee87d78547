
/*
 * Rules on exchanges: of recorded shops, of the documented answers of 1C-Bitrix,
 * and of whatever buyers and broken shops send.
 */


#include "tap.h"
#include "shop.h"
#include "b24_rules_int.h"
#include "b24_text.h"

#include <zlib.h>


#define JSON_TYPE   "application/json; charset=UTF-8"
#define FORM_TYPE   "application/x-www-form-urlencoded; charset=UTF-8"


/* one exchange; what is left out is NULL or 0 */
typedef struct {
    const char   *method;           /* POST */
    const char   *target;           /* /save */
    const char   *type;
    const char   *body;
    size_t        body_len;
    b24_body_e    body_state;       /* FULL when there is a body */
    unsigned      status;           /* 200; 1: none seen */
    const char   *headers[6];       /* name, value, ... */
    const char   *answer_type;
    const char   *encoding;
    const char   *answer;
    size_t        answer_len;
    b24_body_e    answer_state;     /* FULL when there is an answer */
    const char   *vars[SHOP_VARS];
} exchange_t;


static uint64_t        candidates;
static b24_partial_t  *partial;
static int             first;           /* result of the first stage */
static b24_event_t     event;
static int             unread;          /* with the answer at hand the request
                                           was not looked at */


static b24_str_t
text_of(const char *s, size_t len)
{
    b24_str_t  v;

    v = str(s ? s : "");

    if (len) {
        v.len = len;
    }

    return v;
}


static void
input_request(const exchange_t *x, b24_input_t *in)
{
    b24_str_t  target;

    memset(in, 0, sizeof(b24_input_t));

    in->method = str(x->method ? x->method : "POST");
    target = str(x->target ? x->target : "/save");

    if (b24_text_target(pool, &target, &in->path, &in->args) != B24_OK) {
        in->path = target;
    }

    in->content_type = text_of(x->type, 0);
    in->body = text_of(x->body, x->body_len);
    in->body_state = x->body_state ? x->body_state
                     : x->body ? B24_BODY_FULL : B24_BODY_NONE;
    in->var = shop_var;
}


static void
input_answer(const exchange_t *x, b24_input_t *in)
{
    int          i;
    b24_pair_t  *pair;

    in->status = x->status == 1 ? 0 : x->status ? x->status : 200;
    in->answer_type = text_of(x->answer_type, 0);
    in->answer_encoding = text_of(x->encoding, 0);
    in->answer = text_of(x->answer, x->answer_len);
    in->answer_max = 1 << 20;
    in->answer_state = x->answer_state ? x->answer_state
                       : x->answer ? B24_BODY_FULL : B24_BODY_NONE;

    for (i = 4; i >= 0; i -= 2) {

        if (x->headers[i]) {
            pair = b24_pcalloc(pool, sizeof(b24_pair_t));
            pair->name = str(x->headers[i]);
            pair->value = str(x->headers[i + 1]);
            pair->next = (b24_pair_t *) in->headers;
            in->headers = pair;
        }
    }

    /* the request isn't needed any more: its body is freed by then */

    in->body = text_of(NULL, 0);
    in->body_state = B24_BODY_UNSEEN;
    in->args = text_of(NULL, 0);
}


static b24_str_t
event_json(const b24_event_t *e)
{
    b24_str_t  json;

    if (b24_order_print(pool, e->order, &json) != B24_OK) {
        json = str("can't be printed");
    }

    return json;
}


/* with both sides at hand it must come to the same; asked: whether the answer
 * alone refuses it was asked before */
static void
run_whole(const exchange_t *x, int asked)
{
    int             rc, refused;
    b24_str_t       one, two;
    b24_event_t     other;
    b24_input_t     in, request;
    b24_partial_t  *p;

    input_request(x, &request);
    in = request;
    input_answer(x, &in);

    in.args = request.args;
    in.body = request.body;
    in.body_state = request.body_state;
    refused = 0;

    if (asked) {

        /* it does without the request's body, which comes later */

        in.body_state = B24_BODY_UNSEEN;
        in.body.len = 0;

        refused = b24_extract_refused(pool, shop, candidates, &in);

        in.body = request.body;
        in.body_state = request.body_state;
    }

    rc = b24_extract_exchange(pool, shop, candidates, &in, &p, &other);
    unread = (rc == B24_OK && p == NULL);

    if (asked && refused != unread) {
        ok(0, "what the answer alone refuses is told before");
    }

    if (rc != first) {
        ok(0, "the whole exchange is for the same block");
        return;
    }

    if (rc != B24_OK || other.kind == B24_RULE_STATUS) {
        return;
    }

    /* of one that nobody has read the other way knows nothing either */

    if (other.order == NULL && unread) {
        other.order = b24_order_create(pool);
        other.order->shop = event.order->shop;
        other.order->rule = event.order->rule;
    }

    one = event_json(&event);
    two = event_json(&other);

    if (event.outcome != other.outcome || event.alone != other.alone
        || event.unseen != other.unseen || event.no_id != other.no_id
        || !b24_str_eq(&one, &two) || !b24_str_eq(&event.cause, &other.cause)
        || (unread && other.outcome != B24_OUTCOME_REJECTED))
    {
        ok(0, "the event is the same with both sides at hand");
        printf("# %s\n# %s\n", (char *) one.data, (char *) two.data);
    }
}


/*
 * Both stages.  The partial is printed, read back and printed again; what comes
 * out of the second stage must be the same with the one read back.
 */
static void
run_exchange(const exchange_t *x)
{
    b24_str_t       json, again, one, two;
    b24_event_t     other;
    b24_input_t     in;
    b24_partial_t  *parsed;

    shop_vars = x->vars;
    partial = NULL;
    memset(&event, 0, sizeof(event));

    input_request(x, &in);
    candidates = b24_shop_candidates(pool, shop, &in);
    first = b24_extract_request(pool, shop, candidates, &in, &partial);

    if (first != B24_OK) {
        run_whole(x, 0);
        run_whole(x, 1);
        return;
    }

    if (b24_partial_print(pool, partial, &json) != B24_OK
        || b24_partial_parse(pool, shop, &json, &parsed) != B24_OK
        || b24_partial_print(pool, parsed, &again) != B24_OK)
    {
        ok(0, "the partial can be printed and read");
        return;
    }

    if (!b24_str_eq(&json, &again)) {
        ok(0, "the partial is the same after a round trip");
        printf("# %s\n# %s\n", (char *) json.data, (char *) again.data);
    }

    input_answer(x, &in);

    if (b24_extract_answer(pool, shop, partial, &in, &event) != B24_OK
        || b24_extract_answer(pool, shop, parsed, &in, &other) != B24_OK)
    {
        ok(0, "the second stage");
        exit(1);
    }

    one = event_json(&event);
    two = event_json(&other);

    if (event.outcome != other.outcome || !b24_str_eq(&one, &two)
        || !b24_str_eq(&event.cause, &other.cause))
    {
        ok(0, "the event is the same from the partial read back");
        printf("# %s\n# %s\n", (char *) one.data, (char *) two.data);
    }

    run_whole(x, 0);
    run_whole(x, 1);
}


static void
is_outcome(b24_outcome_e want, const char *name)
{
    if (first != B24_OK) {
        ok(0, "%s: no block took it", name);
        return;
    }

    if (!is_int(event.outcome, want, name)) {
        printf("# cause: %.*s\n", (int) event.cause.len,
               event.cause.data ? (char *) event.cause.data : "");
    }
}


static void
is_field(int field, const char *want, const char *name)
{
    b24_str_t  none;

    memset(&none, 0, sizeof(none));
    is_str(event.order ? &event.order->fields[field] : &none, want, name);
}


static const b24_item_t *
item(size_t n)
{
    static b24_item_t   none;
    const b24_item_t   *i;

    for (i = event.order ? event.order->items : NULL; i && n; n--) {
        i = i->next;
    }

    return i ? i : &none;
}


static void
is_remark(const char *code, const char *want, const char *name)
{
    b24_str_t          key, none;
    const b24_pair_t  *pair;

    key = str(code);
    memset(&none, 0, sizeof(none));

    pair = event.order ? b24_pair_get(event.order->remarks, &key) : NULL;
    is_str(pair ? &pair->value : &none, want, name);
}


/* ---- recorded shops ---- */

#define WOO                                                                   \
    "order block {"                                                           \
    "  uri /wp-json/wc/store/v1/checkout;"                                    \
    "  accept status =200;"                                                   \
    "  accept response:/status !=checkout-draft;"                             \
    "  accept response:/payment_result/payment_status \"~^(success|pending)$\";" \
    "  id response:/order_number response:/order_id;  row response:/order_id;" \
    "  first_name request:/billing_address/first_name response:/billing_address/first_name;" \
    "  last_name request:/billing_address/last_name response:/billing_address/last_name;" \
    "  phone request:/billing_address/phone;"                                 \
    "  email request:/billing_address/email;"                                 \
    "  company request:/billing_address/company;"                             \
    "  address \"%{request:/billing_address/postcode}, %{request:/billing_address/city}, %{request:/billing_address/address_1}\";" \
    "  comment request:/customer_note; currency RUB; status response:/status;" \
    "  minor_units response:/__experimentalCart/totals/currency_minor_unit;"  \
    "  total response:/__experimentalCart/totals/total_price;"                \
    "  deal UTM_SOURCE request:/extensions/woocommerce~1order-attribution/utm_source;" \
    "  items response:/__experimentalCart/items { name /name; price /prices/price; quantity /quantity; product_id /id; xml_id /sku; }" \
    "}"                                                                       \
    "order classic {"                                                         \
    "  uri /; when query:/wc-ajax =checkout;"                                 \
    "  accept response:/result =success;"                                     \
    "  id response:/order_id response:/redirect ~order-received/(\\d+);"      \
    "  first_name request:/billing_first_name; last_name request:/billing_last_name;" \
    "  phone request:/billing_phone; email request:/billing_email;"           \
    "  comment request:/order_comments;"                                      \
    "}"


static const char  woo_block[] =
    "{\"additional_fields\":{},\"billing_address\":{\"first_name\":\"Анна\",\"last_name\":\"Кузнецова\",\"company\":\"\",\"address_1\":\"ул. Лесная, д. 5, кв. 12\",\"address_2\":\"\",\"city\":\"Москва\",\"state\":\"обл.\",\"postcode\":\"127055\",\"country\":\"RU\",\"email\":\"anna.kuznecova@mail.example\",\"phone\":\"+7 (916) 123-45-67\"},\"create_account\":false,\"customer_note\":\"Домофон 12К; звонить после 18:00 & не раньше\",\"customer_password\":\"\",\"extensions\":{\"woocommerce/order-attribution\":{\"source_type\":\"typein\",\"utm_source\":\"(direct)\"}},\"payment_method\":\"cod\",\"payment_data\":[{\"key\":\"wc-cod-new-payment-method\",\"value\":false}]}";

static const char  woo_block_answer[] =
    "{\"order_id\":5128,\"status\":\"processing\",\"order_key\":\"wc_order_mfFQEaJVwvZ2V\",\"order_number\":\"5128\",\"customer_note\":\"\\u0414\\u043e\\u043c\",\"customer_id\":0,\"billing_address\":{\"first_name\":\"\\u0410\\u043d\\u043d\\u0430\",\"company\":\"\"},\"payment_method\":\"cod\",\"payment_result\":{\"payment_status\":\"success\",\"payment_details\":[{\"key\":\"result\",\"value\":\"success\"}],\"redirect_url\":\"http:\\/\\/woo.shop.test\\/checkout\\/order-received\\/5128\\/?key=wc_order_mfFQEaJVwvZ2V\"},\"additional_fields\":{},\"__experimentalCart\":null,\"extensions\":{}}";

static const char  woo_rejected[] =
    "{\"code\":\"rest_invalid_param\",\"message\":\"Invalid parameter(s): billing_address, shipping_address\",\"data\":{\"status\":400,\"params\":{\"billing_address\":\"The provided phone number is not valid\"}}}";

static const char  woo_draft[] =
    "{\"order_id\":5138,\"status\":\"checkout-draft\",\"order_key\":\"wc_order_K4A7FPJudMTPf\",\"order_number\":\"5138\",\"billing_address\":{\"first_name\":\"\\u0421\\u0432\\u0435\\u0442\\u043b\\u0430\\u043d\\u0430\"},\"payment_method\":\"cod\",\"payment_result\":null}";

static const char  woo_classic[] =
    "wc_order_attribution_source_type=typein&billing_first_name=%D0%90%D0%BD%D0%BD%D0%B0&billing_last_name=%D0%9A%D1%83%D0%B7%D0%BD%D0%B5%D1%86%D0%BE%D0%B2%D0%B0&billing_country=RU&billing_phone=%2B7+(916)+123-45-67&billing_email=anna.kuznecova%40mail.example&order_comments=%D0%94%D0%BE%D0%BC%D0%BE%D1%84%D0%BE%D0%BD+12%D0%9A%3B+%D0%B7%D0%B2%D0%BE%D0%BD%D0%B8%D1%82%D1%8C+%D0%BF%D0%BE%D1%81%D0%BB%D0%B5+18%3A00+%26+%D0%BD%D0%B5+%D1%80%D0%B0%D0%BD%D1%8C%D1%88%D0%B5&shipping_method%5B0%5D=flat_rate%3A1&payment_method=cod&account_password=secret";


static void
test_woo(void)
{
    b24_str_t   json;
    exchange_t  x;

    shop_load(WOO);
    memset(&x, 0, sizeof(x));

    x.target = "/wp-json/wc/store/v1/checkout?_locale=site";
    x.type = "application/json";
    x.body = woo_block;
    x.answer_type = JSON_TYPE;
    x.answer = woo_block_answer;
    run_exchange(&x);

    is_int((long long) candidates, 1, "woo block: the first block is a candidate");
    is_outcome(B24_OUTCOME_ACCEPTED, "woo block: accepted");
    is_str(&event.order->shop, "s", "its shop");
    is_str(&event.order->rule, "block", "its rule");
    is_field(B24_ORDER_ID, "5128", "id of truth.json");
    is_field(B24_ORDER_ROW, "5128", "row");
    is_field(B24_ORDER_FIRST_NAME, "Анна", "first name");
    is_field(B24_ORDER_LAST_NAME, "Кузнецова", "last name");
    is_field(B24_ORDER_PHONE, "+7 (916) 123-45-67", "phone");
    is_field(B24_ORDER_EMAIL, "anna.kuznecova@mail.example", "email");
    is_field(B24_ORDER_COMPANY, "", "no company");
    is_field(B24_ORDER_ADDRESS, "127055, Москва, ул. Лесная, д. 5, кв. 12", "a template");
    is_field(B24_ORDER_COMMENT, "Домофон 12К; звонить после 18:00 & не раньше", "comment");
    is_field(B24_ORDER_CURRENCY, "RUB", "currency");
    is_field(B24_ORDER_STATUS, "processing", "status");
    is_field(B24_ORDER_TOTAL, "", "no total in this exchange");
    is_int((long long) event.order->nitems, 0, "no items");
    is_str(&event.order->deal->value, "(direct)", "a deal field by a key with a slash");
    ok(event.order->remarks == NULL, "no remarks");

    b24_partial_print(pool, partial, &json);
    ok(b24_str_find(&json, 0, "wc-cod") < 0 && b24_str_find(&json, 0, "password") < 0, "the journal holds named values only");

    x.status = 400;
    x.answer = woo_rejected;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "woo block: rejected");

    x.status = 200;
    x.target = "/wp-json/wc/store/v1/checkout?__experimental_calc_totals=true&_locale=site";
    x.body = "{\"order_notes\":\"Подъезд со двора\"}";
    x.answer = woo_draft;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "woo block: a draft is no order");

    /* a cart inside the answer: amounts in minor units */

    x.body = woo_block;
    x.answer = "{\"order_id\":7,\"status\":\"processing\",\"payment_result\":{\"payment_status\":\"success\"},\"__experimentalCart\":{\"items\":["
        "{\"id\":10,\"quantity\":4,\"name\":\"Кофемолка ручная «Юг»\",\"sku\":\"KM-250\",\"prices\":{\"price\":\"149050\"}},"
        "{\"id\":12,\"quantity\":1,\"name\":\"Samovar &quot;Tula&quot; 5L &amp; tray\",\"sku\":\"\",\"prices\":{\"price\":\"1299999\"}}],"
        "\"totals\":{\"total_price\":\"1931199\",\"currency_minor_unit\":2}}}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "woo block: with a cart");
    is_field(B24_ORDER_ID, "7", "order_id when there is no order_number");
    is_field(B24_ORDER_TOTAL, "19311.99", "total from minor units");
    is_field(B24_ORDER_MINOR_UNITS, "", "minor units are used up");
    is_int((long long) event.order->nitems, 2, "two rows");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "1490.50", "price from minor units");
    is_str(&item(0)->fields[B24_ITEM_QUANTITY], "4", "quantity isn't divided");
    is_str(&item(0)->fields[B24_ITEM_XML_ID], "KM-250", "sku");
    is_str(&item(1)->fields[B24_ITEM_NAME], "Samovar \"Tula\" 5L & tray", "entities are decoded");
    is_str(&item(1)->fields[B24_ITEM_XML_ID], "", "an empty sku");

    memset(&x, 0, sizeof(x));
    x.target = "/?wc-ajax=checkout";
    x.type = FORM_TYPE;
    x.body = woo_classic;
    x.answer_type = JSON_TYPE;
    x.answer = "{\"result\":\"success\",\"redirect\":\"http:\\/\\/woo.shop.test\\/classic-checkout\\/order-received\\/5120\\/?key=wc_order_1wF651hPpAvvO\",\"order_id\":5120}";
    run_exchange(&x);
    is_int((long long) candidates, 2, "woo classic: the second block");
    is_outcome(B24_OUTCOME_ACCEPTED, "woo classic: accepted");
    is_field(B24_ORDER_ID, "5120", "id of truth.json");
    is_field(B24_ORDER_FIRST_NAME, "Анна", "first name");
    is_field(B24_ORDER_PHONE, "+7 (916) 123-45-67", "phone");
    is_field(B24_ORDER_COMMENT, "Домофон 12К; звонить после 18:00 & не раньше", "comment");
    b24_partial_print(pool, partial, &json);
    ok(b24_str_find(&json, 0, "secret") < 0, "no password in the journal");

    x.answer = "{\"result\":\"success\",\"redirect\":\"http:\\/\\/woo.shop.test\\/classic-checkout\\/order-received\\/5120\\/?key=x\"}";
    run_exchange(&x);
    is_field(B24_ORDER_ID, "5120", "a free order: the number from the URL");

    x.answer = "{\"result\":\"failure\",\"messages\":\"\\r\\n<div class=\\\"is-error\\\">\\u0438\\u043c\\u044f<\\/div>\",\"refresh\":false,\"reload\":false}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "woo classic: rejected with status 200");

    x.target = "/?wc-ajax=update_order_review";
    run_exchange(&x);
    is_int((long long) candidates, 0, "woo classic: recalculation is no candidate");
    is_int(first, B24_DECLINED, "and no order");
}


#define BITRIX                                                                \
    "order save {"                                                            \
    "  when request:/soa-action request:/action \"~^saveOrderAjax$\";"        \
    "  when request:/soa-action request:/action !~^refreshOrderAjax$;"        \
    "  accept response:/order/ERROR !; accept response:/order/SHOW_AUTH !;"   \
    "  accept response:/order/ID response:/order/REDIRECT_URL \"~ORDER_ID=[^&]\";" \
    "  id response:/order/ID response:/order/REDIRECT_URL \"~[?&]ORDER_ID=([^&]+)\";" \
    "  name request:/ORDER_PROP_1; email request:/ORDER_PROP_2; phone request:/ORDER_PROP_3;" \
    "  comment request:/ORDER_DESCRIPTION; currency RUB; status N;"           \
    "}"                                                                       \
    "order legacy {"                                                          \
    "  when request:/confirmorder =Y;"                                        \
    "  accept header:Location response:/redirect response: \"~ORDER_ID=[^&'\\\"]\";" \
    "  id header:Location \"~ORDER_ID=([^&]+)\" response:/redirect \"~ORDER_ID=([^&]+)\" response: \"~ORDER_ID=([^&'\\\"]+)\";" \
    "  name request:/ORDER_PROP_1;"                                           \
    "}"


#define PART(name, value)                                                     \
    "------WebKitFormBoundaryA1\r\n"                                          \
    "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

static const char  bitrix_save[] =
    PART("sessid", "0123456789abcdef0123456789abcdef")
    PART("soa-action", "saveOrderAjax")
    PART("via_ajax", "Y")
    PART("action", "saveOrderAjax")
    PART("ORDER_PROP_1", "Иванов Пётр")
    PART("ORDER_PROP_2", "p@example.ru")
    PART("ORDER_PROP_3", "+7 (916) 123-45-67")
    PART("ORDER_DESCRIPTION", "домофон \"12\"\r\nвторой подъезд")
    PART("USER_PASSWORD", "secret")
    "------WebKitFormBoundaryA1--\r\n";


typedef struct {
    const char     *answer;
    b24_outcome_e   outcome;
    const char     *id;
} bitrix_t;


static const bitrix_t  bitrix_answers[] = {
    { "{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/?ORDER_ID=57\",\"ID\":\"57\"}}", B24_OUTCOME_ACCEPTED, "57" },
    { "{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/?ORDER_ID=57%2F2026\",\"ID\":\"57\\/2026\"}}", B24_OUTCOME_ACCEPTED, "57/2026" },
    { "{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/?ORDER_ID=57\"}}", B24_OUTCOME_ACCEPTED, "57" },
    { "{\"order\":{\"ERROR\":{\"PROPERTY\":[\"\\u041f\\u043e\\u043b\\u0435 \\u0022\\u0422\\u0022\"]}}}", B24_OUTCOME_REJECTED, "" },
    { "{\"order\":{\"ERROR\":{\"MAIN\":\"\\u0412\\u0430\\u0448\\u0430.\"}}}", B24_OUTCOME_REJECTED, "" },
    { "{\"order\":{\"SHOW_AUTH\":true,\"AUTH\":{\"new_user_registration\":\"Y\"},\"SMS_AUTH\":null,\"ERROR\":{\"AUTH\":[\"\\u2026\"]}}}", B24_OUTCOME_REJECTED, "" },
    { "{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/\"}}", B24_OUTCOME_REJECTED, "" },
    { "{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/?ORDER_ID=\",\"ID\":null}}", B24_OUTCOME_REJECTED, "" },
    { "{\"success\":\"N\",\"redirect\":\"\\/personal\\/cart\\/\"}", B24_OUTCOME_REJECTED, "" },

    /* an integer, keys added by the site, a notice before it, an empty error */

    { "{\"order\":{\"ID\":57,\"SHOW_AUTH\":false,\"ERROR\":[],\"X\":{\"Y\":1}}}", B24_OUTCOME_ACCEPTED, "57" },
    { "\xef\xbb\xbf<br />\n<b>Notice</b>: Undefined index in /x.php on line 5<br />\n{\"order\":{\"ID\":\"0057-A\"}}", B24_OUTCOME_ACCEPTED, "0057-A" },
    { "{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/?ORDER_ID=57%252F2026\"}}", B24_OUTCOME_ACCEPTED, "57/2026" },

    /* a wrong signature: nothing */

    { "", B24_OUTCOME_REJECTED, "" },
    { NULL, B24_OUTCOME_REJECTED, NULL }
};


static void
test_bitrix(void)
{
    char             name[40];
    b24_str_t        json;
    exchange_t       x;
    const bitrix_t  *b;

    shop_load(BITRIX);
    memset(&x, 0, sizeof(x));

    x.target = "/bitrix/components/bitrix/sale.order.ajax/ajax.php";
    x.type = "multipart/form-data; boundary=----WebKitFormBoundaryA1";
    x.body = bitrix_save;
    x.answer_type = "text/html; charset=windows-1251";

    for (b = bitrix_answers; b->id; b++) {
        x.answer = b->answer;
        run_exchange(&x);

        sprintf(name, "bitrix: answer %d", (int) (b - bitrix_answers) + 1);
        is_outcome(b->outcome, name);
        is_field(B24_ORDER_ID, b->id, "its number");
    }

    x.answer = bitrix_answers[0].answer;
    run_exchange(&x);
    is_int((long long) candidates, 3, "bitrix: both blocks must see the body");
    is_str(b24_rule_name(b24_partial_rule(partial)), "save", "the first that holds");
    is_field(B24_ORDER_NAME, "Иванов Пётр", "the whole name");
    is_field(B24_ORDER_PHONE, "+7 (916) 123-45-67", "phone as typed");
    is_field(B24_ORDER_COMMENT, "домофон \"12\"\nвторой подъезд", "a comment of two lines");
    is_field(B24_ORDER_STATUS, "N", "status");
    b24_partial_print(pool, partial, &json);
    ok(b24_str_find(&json, 0, "secret") < 0 && b24_str_find(&json, 0, "0123456789abcdef") < 0, "no password, no sessid in the journal");

    x.type = FORM_TYPE;
    x.body = "soa-action=refreshOrderAjax&via_ajax=Y&order%5Bsoa-action%5D=saveOrderAjax&order%5BORDER_PROP_1%5D=x";
    run_exchange(&x);
    is_int(first, B24_DECLINED, "bitrix: recalculation is no order");

    x.body = "action=saveOrderAjax&soa-action=refreshOrderAjax";
    run_exchange(&x);
    is_int(first, B24_DECLINED, "bitrix: neither when both say different things");

    /* the old checkout, in windows-1251 */

    x.target = "/personal/order/make/";
    x.type = "application/x-www-form-urlencoded";
    x.body = "confirmorder=Y&json=Y&ORDER_PROP_1=%C8%E2%E0%ED%EE%E2";
    x.answer = "{\"success\":\"Y\",\"redirect\":\"\\/personal\\/order\\/make\\/?ORDER_ID=57%252F2026\"}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "bitrix legacy: JSON as text/html");
    is_field(B24_ORDER_ID, "57/2026", "encoded twice");
    is_field(B24_ORDER_NAME, "Иванов", "windows-1251 is told from UTF-8");

    x.answer = "<script type=\"text/javascript\">window.top.location.href='/personal/order/make/?ORDER_ID=57'</script>";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "bitrix legacy: a script");
    is_field(B24_ORDER_ID, "57", "its number");

    x.status = 302;
    x.answer = "<html><body>Found</body></html>";
    x.headers[0] = "Location";
    x.headers[1] = "/personal/order/make/?ORDER_ID=58&x=1";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "bitrix legacy: a redirect");
    is_field(B24_ORDER_ID, "58", "from Location");

    x.status = 200;
    x.headers[0] = NULL;
    x.answer = "<form><font class=\"errortext\">Не выбран способ доставки</font></form>";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "bitrix legacy: the page again");
}


static const char  oc3_confirm[] =
    "<div class=\"table-responsive\">\n  <table class=\"table table-bordered table-hover\">\n    <tbody>\n    \n"
    "        <tr>\n      <td class=\"text-left\"><a href=\"http://oc3.shop.test/index.php?route=product/product&amp;product_id=28\">HTC Touch &quot;HD&quot; &amp; Co</a>\n         </td>\n      <td class=\"text-left\">Product 1</td>\n      <td class=\"text-right\">4</td>\n      <td class=\"text-right\">$100.00</td>\n      <td class=\"text-right\">$400.00</td>\n    </tr>\n"
    "        <tr>\n      <td class=\"text-left\"><a href=\"http://oc3.shop.test/index.php?route=product/product&amp;product_id=40\">iPhone &amp;amp; case</a>         </td>\n      <td class=\"text-left\">product 11</td>\n      <td class=\"text-right\">2</td>\n      <td class=\"text-right\">1,886.18\xe2\x82\xac</td>\n      <td class=\"text-right\">$202.00</td>\n    </tr>\n"
    "              </tbody>\n    <tfoot>\n        <tr>\n      <td colspan=\"4\" class=\"text-right\"><strong>Total:</strong></td>\n      <td class=\"text-right\">$607.00</td>\n    </tr>\n          </tfoot>\n  </table>\n</div>";


static void
test_opencart(void)
{
    exchange_t  x;

    shop_load("order confirm { uri /index.php; method GET; when query:/route =checkout/confirm; accept status =200; id header:X-Order;"
              " total response: \"~Total:</strong></td>\\s*<td[^>]*>([^<]+)<\";"
              " items response: \"~(?s)<tbody>(.*)</tbody>\" \"~~(?s)<tr>.*?product_id=(?<id>\\d+)\\\">(?<name>.*?)</td>.*?<td[^>]*>(?<model>.*?)</td>.*?<td[^>]*>(?<qty>.*?)</td>.*?<td[^>]*>(?<price>.*?)</td>.*?</tr>\""
              "  { name /name; product_id /id; xml_id /model; quantity /qty; price /price; } }");
    memset(&x, 0, sizeof(x));

    x.method = "GET";
    x.target = "/index.php?route=checkout/confirm";
    x.headers[0] = "x-order";
    x.headers[1] = "1041";
    x.answer_type = "text/html; charset=utf-8";
    x.answer = oc3_confirm;
    run_exchange(&x);

    is_outcome(B24_OUTCOME_ACCEPTED, "opencart: rows by ~~");
    is_field(B24_ORDER_TOTAL, "607.00", "total out of HTML");
    is_int((long long) event.order->nitems, 2, "two rows");
    is_str(&item(0)->fields[B24_ITEM_NAME], "HTC Touch \"HD\" & Co", "tags stripped, entities decoded");
    is_str(&item(0)->fields[B24_ITEM_PRODUCT_ID], "28", "product id");
    is_str(&item(0)->fields[B24_ITEM_QUANTITY], "4", "quantity");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "100.00", "price");
    is_str(&item(1)->fields[B24_ITEM_NAME], "iPhone &amp; case", "entities are decoded once");
    is_str(&item(1)->fields[B24_ITEM_PRICE], "1886.18", "another notation");
    is_str(&item(1)->fields[B24_ITEM_XML_ID], "product 11", "model");

    x.answer = "<table><tbody></tbody></table>";
    run_exchange(&x);
    is_int((long long) event.order->nitems, 0, "no rows");

    /* matches of nothing make no rows and end */

    shop_load("order o { id header:X; items response: \"~~(?<a>x*)\" { name /a; } }");
    x.method = NULL;
    x.headers[0] = "X";
    x.answer = "axxbж";
    run_exchange(&x);
    is_int((long long) event.order->nitems, 1, "empty matches are no rows");
    is_str(&item(0)->fields[B24_ITEM_NAME], "xx", "the other is");

    shop_load("order o { id header:X; items response: \"~~<(?<a>\\w+)>(?<b>b)?\" { name \"\"; quantity /b 1; } }");
    x.answer = "<p>1 <u>b2";
    run_exchange(&x);
    is_int((long long) event.order->nitems, 2, "rows with a group that took no part");
    is_str(&item(1)->fields[B24_ITEM_NAME], "b", "\"\" is the whole match without tags");
}


static const char  sample_json[] =
    "{\"name\":\"Анна «Яблоко» О'Нил\",\"phone\":\"8 916 123-45-67\",\"email\":\"a@b.example\",\"company\":\"ООО &quot;Ромашка&quot;\",\"inn\":\"7707083893\",\"kpp\":\"770701001\","
    "\"items\":[{\"id\":\"1\",\"sku\":\"P-1\",\"name\":\"Пряник\",\"price\":\"149.90\",\"qty\":\"2\",\"vat\":\"20\"},{\"id\":2,\"name\":\"Чай & сахар\",\"price\":1990,\"qty\":0.5,\"vat\":0.1,\"vat_incl\":true}],"
    "\"delivery_price\":\"300\",\"total\":\"1594.80\"}";

static const char  sample_form[] =
    "name=%D0%90%D0%BD%D0%BD%D0%B0&phone=8+916&items%5B0%5D%5Bid%5D=1&items%5B0%5D%5Bname%5D=%D0%9F%D1%80&items%5B0%5D%5Bprice%5D=149.90&items%5B0%5D%5Bqty%5D=2"
    "&items%5B7%5D%5Bid%5D=2&items%5B7%5D%5Bname%5D=B&items%5B7%5D%5Bprice%5D=1+990,50&items%5B7%5D%5Bqty%5D=0.5&total=1+594,80";

#define SAMPLE                                                                \
    "order json { uri /api/checkout; accept status \"~^20[01]$\"; accept response:/error !; id response:/order/id; " LINES "}" \
    "order form { uri /checkout; accept status =302; id header:Location ~[?&]order=([^&]+); " LINES "}"
#define LINES                                                                 \
    "name request:/name; phone request:/phone; email request:/email; company request:/company; inn request:/inn; kpp request:/kpp;" \
    "total request:/total; currency rub; delivery request:/delivery_price; status N;" \
    "items request:/items { name /name; price /price; quantity /qty; product_id /id; xml_id /sku @key; tax_rate /vat; tax_included /vat_incl; measure 796; }"


static void
test_sample(void)
{
    exchange_t  x;

    shop_load(SAMPLE);
    memset(&x, 0, sizeof(x));

    x.target = "/api/checkout";
    x.type = "application/json";
    x.body = sample_json;
    x.status = 201;
    x.answer_type = "application/json";
    x.answer = "{\"order\":{\"id\":\"2026-000123\",\"total\":\"1594.80\",\"status\":\"N\"},\"error\":null}";
    run_exchange(&x);

    is_outcome(B24_OUTCOME_ACCEPTED, "sample shop: JSON");
    is_field(B24_ORDER_ID, "2026-000123", "id");
    is_field(B24_ORDER_NAME, "Анна «Яблоко» О'Нил", "name");
    is_field(B24_ORDER_COMPANY, "ООО \"Ромашка\"", "company decoded");
    is_field(B24_ORDER_INN, "7707083893", "inn");
    is_field(B24_ORDER_KPP, "770701001", "kpp");
    is_field(B24_ORDER_TOTAL, "1594.80", "total");
    is_field(B24_ORDER_CURRENCY, "RUB", "currency in capitals");
    is_field(B24_ORDER_DELIVERY, "300.00", "delivery");
    is_int((long long) event.order->nitems, 2, "two rows");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "149.90", "price");
    is_str(&item(0)->fields[B24_ITEM_TAX_RATE], "20", "percent");
    is_str(&item(0)->fields[B24_ITEM_TAX_INCLUDED], "", "unknown");
    is_str(&item(0)->fields[B24_ITEM_MEASURE], "796", "a literal in items");
    is_str(&item(1)->fields[B24_ITEM_NAME], "Чай & сахар", "name");
    is_str(&item(1)->fields[B24_ITEM_QUANTITY], "0.5", "a fraction");
    is_str(&item(1)->fields[B24_ITEM_TAX_RATE], "10", "a fraction of 1 is 10 percent");
    is_str(&item(1)->fields[B24_ITEM_TAX_INCLUDED], "Y", "true");
    is_str(&item(1)->fields[B24_ITEM_XML_ID], "1", "@key of an array is the number");

    x.status = 422;
    x.answer = "{\"order\":null,\"error\":{\"phone\":\"x\"}}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "sample shop: JSON rejected");
    is_int((long long) event.order->nitems, 0, "with nothing in it");

    x.target = "/checkout";
    x.type = FORM_TYPE;
    x.body = sample_form;
    x.status = 302;
    x.answer_type = "text/html";
    x.answer = "<html>";
    x.headers[0] = "Location";
    x.headers[1] = "/thanks?order=2026-000124";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "sample shop: form");
    is_field(B24_ORDER_ID, "2026-000124", "id from Location");
    is_field(B24_ORDER_TOTAL, "1594.80", "total in another notation");
    is_int((long long) event.order->nitems, 2, "two rows");
    is_str(&item(0)->fields[B24_ITEM_XML_ID], "0", "@key of brackets");
    is_str(&item(1)->fields[B24_ITEM_XML_ID], "7", "the name in the brackets");
    is_str(&item(1)->fields[B24_ITEM_PRICE], "1990.50", "price in another notation");

    x.status = 200;
    x.headers[0] = NULL;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "sample shop: the page again");
}


/* ---- values ---- */

/* one line of a block on one exchange; want NULL: the field stays empty */
static void
is_line(const char *line, int field, const exchange_t *x, const char *want)
{
    char  text[600];

    snprintf(text, sizeof(text), "order o { id header:X-Id; %s }", line);
    shop_load(text);
    run_exchange(x);

    is_outcome(B24_OUTCOME_ACCEPTED, line);
    is_field(field, want, line);
}


static exchange_t
plain(void)
{
    exchange_t  x;

    memset(&x, 0, sizeof(x));

    x.target = "/save?q=Q&deep[a]=b&n=0";
    x.type = "application/json";
    x.body = "{\"a\":\"A\",\"zero\":0,\"no\":false,\"yes\":true,\"nil\":null,\"e\":\"\",\"l\":[],\"o\":{},\"two\":[\"x\",\"\",\"y\",[\"z\"]],\"obj\":{\"k\":\"v\",\"n\":7},\"json\":\"{\\\"in\\\":[1,2]}\",\"qs\":\"b[c]=d&e=f\",\"p\":[{\"K\":\"1\",\"V\":\"one\"},{\"K\":\"2\",\"V\":\"two\"}],\"s/l\":\"slash\",\"t~d\":\"tilde\",\"pct\":\"100%\"}";
    x.status = 200;
    x.headers[0] = "X-Id";
    x.headers[1] = "1";
    x.answer_type = "text/html";
    x.answer = "<p>text</p><script>var shop = {'cart': {total: '1 234,50', list: [1,2]}};</script>";
    x.vars[0] = "$cookie_a";
    x.vars[1] = "cookie";
    x.vars[2] = "pre-$cookie_b";
    x.vars[3] = "pre-\xc8\xe2";
    x.vars[4] = "$upstream_x";
    x.vars[5] = "late";
    x.vars[6] = "$empty";
    x.vars[7] = "";
    x.vars[8] = " $cookie_c ";
    x.vars[9] = " cookie ";
    x.vars[10] = " $cookie_d ";
    x.vars[11] = "  ";

    return x;
}


static void
test_values(void)
{
    exchange_t  x;

    x = plain();

    is_line("name request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/none request:/nil request:/no request:/e request:/l request:/o request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/zero request:/a;", B24_ORDER_NAME, &x, "0");
    is_line("name request:/yes;", B24_ORDER_NAME, &x, "1");
    is_line("name request:/two;", B24_ORDER_NAME, &x, "x, y");
    is_line("name request:/obj;", B24_ORDER_NAME, &x, "");
    is_line("name request:/obj request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name \"%{request:/obj}\" request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/obj ~v request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/p request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/[a*];", B24_ORDER_NAME, &x, "A");
    is_line("paid request:/obj;", B24_ORDER_PAID, &x, "");
    is_line("accept request:/obj ~v; name request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("accept response:/none request:/obj !=v; name request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/json/in/1;", B24_ORDER_NAME, &x, "2");
    is_line("name request:/qs/b/c;", B24_ORDER_NAME, &x, "d");
    is_line("name request:/p/[K=2]/V;", B24_ORDER_NAME, &x, "two");
    is_line("name request:/p/[last]/K;", B24_ORDER_NAME, &x, "2");
    is_line("name request:/s~1l;", B24_ORDER_NAME, &x, "slash");
    is_line("name request:/t~0d;", B24_ORDER_NAME, &x, "tilde");
    is_line("name query:/q;", B24_ORDER_NAME, &x, "Q");
    is_line("name query:/deep/a;", B24_ORDER_NAME, &x, "b");
    is_line("name text:request:/a;", B24_ORDER_NAME, &x, "request:/a");
    is_line("name \"text:$cookie_a %{x}\";", B24_ORDER_NAME, &x, "$cookie_a %{x}");
    is_line("name $cookie_a;", B24_ORDER_NAME, &x, "cookie");
    is_line("name $empty $none literal;", B24_ORDER_NAME, &x, "literal");
    is_line("name pre-$cookie_b;", B24_ORDER_NAME, &x, "pre-Ив");
    is_line("name $upstream_x;", B24_ORDER_NAME, &x, "late");
    is_line("name status;", B24_ORDER_NAME, &x, "200");
    is_line("name header:x-id;", B24_ORDER_NAME, &x, "1");
    is_line("name inline:shop/cart/list/1;", B24_ORDER_NAME, &x, "2");
    is_line("total inline:shop/cart/total;", B24_ORDER_TOTAL, &x, "1234.50");
    is_line("name inline:nothing/x request:/a;", B24_ORDER_NAME, &x, "A");
    is_line("name response: ~<p>(\\w+);", B24_ORDER_NAME, &x, "text");
    is_line("name response:/x request:/a;", B24_ORDER_NAME, &x, "A");

    is_line("name \"%{request:/a}\";", B24_ORDER_NAME, &x, "A");
    is_line("name \"%{request:/a}-%{query:/q}!\";", B24_ORDER_NAME, &x, "A-Q!");
    is_line("name \"%{request:/a} %{request:/e}\" empty;", B24_ORDER_NAME, &x, "empty");
    is_line("name \"%{request:/a}/%{status}/%{header:X-Id}/\" $cookie_a;", B24_ORDER_NAME, &x, "A/200/1/");
    is_line("name \"%{request:/a}$cookie_a%{status}\";", B24_ORDER_NAME, &x, "Acookie200");
    is_line("name \"%{request:/a} $cookie_c %{status}\";", B24_ORDER_NAME, &x, "A cookie 200");
    is_line("name \"%{request:/a} $cookie_d %{status}\" none;", B24_ORDER_NAME, &x, "none");
    is_line("name \"%{request:/e}/%{status}\" both;", B24_ORDER_NAME, &x, "both");
    is_line("name \"%{request:/a}%{header:None}\" both;", B24_ORDER_NAME, &x, "both");
    is_line("name request:/pct;", B24_ORDER_NAME, &x, "100%");

    is_line("name request:/a ~B request:/p/0/V ~^o(.);", B24_ORDER_NAME, &x, "n");
    is_line("name request:/p/0/V ~o(x)?n;", B24_ORDER_NAME, &x, "on");
    is_line("name request:/p/0/V ~n. ~e;", B24_ORDER_NAME, &x, "e");
    is_line("name request:/a ~*a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/a \"~()\" was-empty;", B24_ORDER_NAME, &x, "was-empty");
    is_line("name request:/a ~A(x*) was-empty;", B24_ORDER_NAME, &x, "was-empty");
    is_line("name request:/a ~A(x*)() text:a request:/t~1s;", B24_ORDER_NAME, &x, "a");
    is_line("name request:/a ~(x*)A text:a;", B24_ORDER_NAME, &x, "a");
    is_line("name request:/a ~(x)?(A) text:a;", B24_ORDER_NAME, &x, "A");
    is_line("name request:/a ~x* text:a;", B24_ORDER_NAME, &x, "a");
    is_line("name status ~^2(..);", B24_ORDER_NAME, &x, "00");
    is_line("name \"%{request:/a}+%{status}\" ~A.2;", B24_ORDER_NAME, &x, "A+2");
    is_line("name request:/two ~y;", B24_ORDER_NAME, &x, "y");

    x.headers[2] = "Set-Cookie";
    x.headers[3] = "a=1; path=/";
    x.headers[4] = "set-cookie";
    x.headers[5] = "order=77; path=/";
    is_line("name header:Set-Cookie ~order=(\\d+);", B24_ORDER_NAME, &x, "77");

    /* a list of PHP's has numbers for names; what has others is no text */

    x.type = FORM_TYPE;
    x.body = "s[]=Lesnaya&s[]=5&s[]=&g[2]=x&g[5]=y&pay[card]=4111111111111111&pay[cvv]=123&m[0]=x&m[card]=4111111111111111&k[-1]=x&d[0][card]=4111111111111111&B_1=b&B_2=c";
    is_line("name request:/s;", B24_ORDER_NAME, &x, "Lesnaya, 5");
    is_line("name request:/g;", B24_ORDER_NAME, &x, "x, y");
    is_line("name request:/pay;", B24_ORDER_NAME, &x, "");
    is_line("comment request:/pay request:/m request:/k request:/d;", B24_ORDER_COMMENT, &x, "");
    is_line("deal UF_CRM_P request:/pay; name request:/pay/cvv;", B24_ORDER_NAME, &x, "123");
    ok(event.order->deal == NULL, "nor in a field of the CRM");
    is_line("name request:/[B_*];", B24_ORDER_NAME, &x, "b, c");
    is_line("name request:/[pay*];", B24_ORDER_NAME, &x, "");
    is_line("name request:/[pay*]/pay/card;", B24_ORDER_NAME, &x, "4111111111111111");
}


static void
test_clean(void)
{
    exchange_t  x;

    x = plain();
    x.body = "{\"n\":\"  A &amp; B\\n &lt;b&gt; \",\"c\":\" x &amp;amp; y\\r\\n\\u0001z \",\"m\":\"1&nbsp;234 &#8381;\",\"r\":\"1.234,50\",\"f\":5969.9999999999,\"e\":1.5e3,\"w\":\"free\",\"neg\":\"-100\",\"mu\":2,\"bad\":\"2.5\",\"int\":\"149050\",\"fmt\":\"1 490,50\","
        "\"cur\":\" eur \",\"cur2\":\"\\u20bd\",\"id\":\"57%252F2026\",\"id2\":\"100%\",\"t\":\"a\\tb\",\"k\":\"1.234\"}";

    is_line("name request:/n;", B24_ORDER_NAME, &x, "A & B  <b>");
    is_line("comment request:/c;", B24_ORDER_COMMENT, &x, "x &amp; y\nz");
    is_line("phone request:/t;", B24_ORDER_PHONE, &x, "a b");
    is_line("total request:/m;", B24_ORDER_TOTAL, &x, "1234.00");
    is_line("total request:/r;", B24_ORDER_TOTAL, &x, "1234.50");
    is_line("total request:/f;", B24_ORDER_TOTAL, &x, "5969.9999999999");
    is_line("total request:/e;", B24_ORDER_TOTAL, &x, "1500.00");
    is_line("total request:/k;", B24_ORDER_TOTAL, &x, "1.234");
    is_line("discount request:/neg;", B24_ORDER_DISCOUNT, &x, "100.00");
    is_line("delivery request:/neg;", B24_ORDER_DELIVERY, &x, "-100.00");

    is_line("total request:/w;", B24_ORDER_TOTAL, &x, "");
    is_remark("total", "the shop's \"total\" is not a number and was left out", "a remark without the text");

    is_line("minor_units request:/mu; total request:/int;", B24_ORDER_TOTAL, &x, "1490.50");
    is_line("minor_units 2; total request:/fmt;", B24_ORDER_TOTAL, &x, "1490.50");
    is_line("minor_units 3; total request:/f;", B24_ORDER_TOTAL, &x, "5.97");
    is_line("minor_units 6; total 1990.123456789012;", B24_ORDER_TOTAL, &x, "0.001990123457");
    is_line("minor_units 0; total request:/int;", B24_ORDER_TOTAL, &x, "149050.00");
    is_line("minor_units request:/bad; total request:/int; delivery request:/fmt;", B24_ORDER_TOTAL, &x, "");
    is_remark("minor_units", "\"minor_units\" is not a whole number from 0 to 6: the amounts of this order were left out", "no amounts that are 100 times off");
    is_field(B24_ORDER_DELIVERY, "", "none at all");

    is_line("currency request:/cur;", B24_ORDER_CURRENCY, &x, "EUR");
    is_line("currency request:/cur2;", B24_ORDER_CURRENCY, &x, "RUB");
    is_line("currency request:/m;", B24_ORDER_CURRENCY, &x, "RUB");
    is_line("currency request:/fmt;", B24_ORDER_CURRENCY, &x, "");
    is_remark("currency", "the shop's \"currency\" is not a code of three letters and was left out", "a remark");

    x.headers[1] = "57%252F2026";
    is_line("", B24_ORDER_ID, &x, "57/2026");
    x.headers[1] = "100%";
    is_line("", B24_ORDER_ID, &x, "100%");
    x.headers[1] = " 0057-\xd0\x90 ";
    is_line("", B24_ORDER_ID, &x, "0057-А");
    x.headers[1] = "%C0-7";
    is_line("", B24_ORDER_ID, &x, "А-7");
    x.headers[1] = "a%0Ab";
    is_line("", B24_ORDER_ID, &x, "a b");
    x.headers[1] = "a%7Fb%C2%85%00c";
    is_line("", B24_ORDER_ID, &x, "abc");
}


/* want "": the remark is there */
static void
is_currency(const char *text, const char *want)
{
    char        body[200];
    exchange_t  x;

    snprintf(body, sizeof(body), "{\"c\":\"%s\"}", text);

    x = plain();
    x.body = body;
    is_line("currency request:/c;", B24_ORDER_CURRENCY, &x, want);

    if (want[0] == '\0') {
        is_remark("currency", "the shop's \"currency\" is not a code of three letters and was left out", text);
        return;
    }

    ok(event.order->remarks == NULL, "%s: no remark", text);
    is_int(event.order->sign, strstr(text, want) == NULL, "by its sign, or not");
}


static void
test_currency(void)
{
    exchange_t  x;

    is_currency("RUB", "RUB");
    is_currency("1 234,50 RUB", "RUB");
    is_currency("EUR 12.00", "EUR");
    is_currency("<b>EUR</b>&nbsp;12.00", "EUR");

    is_currency("€", "EUR");
    is_currency("&euro;", "EUR");
    is_currency("&#8364;12.00", "EUR");
    is_currency("-&#x20ac;12.00", "EUR");
    is_currency("<span class='sign2'>&#8381;</span>", "RUB");
    is_currency("13 482,00&nbsp;<span class='amount'>&#8381;", "RUB");
    is_currency("1 990 руб.", "RUB");
    is_currency("1 990 р.", "RUB");
    is_currency("1 990 rub.", "RUB");
    is_currency("£5", "GBP");
    is_currency("&pound;", "GBP");
    is_currency("100 &#8372;", "UAH");
    is_currency("100 грн.", "UAH");
    is_currency("100 &#8376;", "KZT");
    is_currency("100 тг.", "KZT");
    is_currency("&#8377;100", "INR");
    is_currency("&#8378;100", "TRY");
    is_currency("&#8361;100", "KRW");
    is_currency("&#8362;100", "ILS");
    is_currency("100 &#8363;", "VND");
    is_currency("&#8369;100", "PHP");
    is_currency("100 z&#322;", "PLN");
    is_currency("100 K&#269;", "CZK");
    is_currency("100 Ft", "HUF");
    is_currency("US$ 100", "USD");
    is_currency("R$ 100", "BRL");
    is_currency("KSh 100", "KES");
    is_currency("&#x62f;.&#x643;", "KWD");
    is_currency("\u200f12.345 &#x62f;.&#x643;.\u200f", "KWD");
    is_currency(".&#x62f;.&#x628;", "BHD");
    is_currency("&#x631;.&#x639;. 1.000", "OMR");

    /* of several, or none */

    is_currency("$", "");
    is_currency("&#36;12.00", "");
    is_currency("C$ 12.00", "");
    is_currency("12.00 $ CAD", "");
    is_currency("¥", "");
    is_currency("100 kr", "");
    is_currency("100 kr.", "");
    is_currency("Rs 100", "");
    is_currency("Br", "");
    is_currency("100 lei", "");
    is_currency("lei", "");
    is_currency("E£ 100", "");
    is_currency("12 pcs", "");
    is_currency("€ 12 €", "");
    is_currency("12 € TTC", "");
    is_currency("12.00", "");
    is_currency(".", "");
    is_currency("<br>", "");
    is_currency("what the buyer pays, all in all", "");

    /* the places of the currency tell what a single mark is */

    x = plain();
    x.body = "{\"t\":\"12.345 KWD\",\"s\":\"12.345 ₽\",\"y\":\"12.345 ₩\",\"i\":[{\"n\":\"Tea\",\"p\":\"1,255\",\"q\":\"1,255\",\"d\":\"0,255\"}]}";
    is_line("total request:/t;", B24_ORDER_TOTAL, &x, "12345.00");
    is_line("total request:/t; currency KWD;", B24_ORDER_TOTAL, &x, "12.345");
    is_line("total request:/t; currency request:/t;", B24_ORDER_TOTAL, &x, "12.345");
    is_line("total request:/s; currency request:/s;", B24_ORDER_TOTAL, &x, "12345.00");
    is_line("total request:/y; currency request:/y;", B24_ORDER_TOTAL, &x, "12345.00");
    is_line("currency kwd; items request:/i { name /n; price /p; quantity /q; discount /d; }", B24_ORDER_TOTAL, &x, "");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "1.255", "the price of a row");
    is_str(&item(0)->fields[B24_ITEM_DISCOUNT], "0.255", "its discount");
    is_str(&item(0)->fields[B24_ITEM_QUANTITY], "1255", "quantities have no currency");
}


static void
test_items(void)
{
    exchange_t  x;

    x = plain();
    x.body = "{\"cart\":\"[{\\\"n\\\":\\\"A\\\",\\\"q\\\":1,\\\"t\\\":\\\"part\\\"},{\\\"n\\\":\\\"B\\\",\\\"q\\\":\\\"2 pcs\\\"},{\\\"q\\\":3}]\","
        "\"rows\":{\"301\":{\"data\":{\"NAME\":\"F\",\"PRICE\":\"1990.0000\",\"VAT_RATE\":\"0.2000\",\"VAT_INCLUDED\":\"N\",\"DISCOUNT_PRICE\":-200,\"QUANTITY\":\"2.0000\"}},\"302\":null},"
        "\"flat\":[\"one\",\"two\"],\"flags\":[{\"n\":\"f\",\"v\":false},{\"n\":\"t\",\"v\":true},{\"n\":\"z\",\"v\":0},{\"n\":\"w\",\"v\":\"maybe\"}],\"vat\":7,\"one\":{}}";

    is_line("items request:/cart { name /n; quantity /q; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 3, "rows of a JSON text in a field");
    is_str(&item(1)->fields[B24_ITEM_QUANTITY], "2", "quantity with a unit");
    is_remark("item name", "a row of the shop's items has no name", "a row without a name");

    is_line("items request:/cart { name /n; quantity /q; when /n; when /t !=part; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 1, "when leaves rows out");
    is_str(&item(0)->fields[B24_ITEM_NAME], "B", "the right ones");

    is_line("items request:/rows { name /data/NAME; price /data/PRICE; quantity /data/QUANTITY; xml_id @key; tax_rate /data/VAT_RATE; tax_included /data/VAT_INCLUDED; discount /data/DISCOUNT_PRICE; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 2, "members of an object");
    is_str(&item(0)->fields[B24_ITEM_XML_ID], "301", "@key");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "1990.00", "price");
    is_str(&item(0)->fields[B24_ITEM_QUANTITY], "2", "quantity");
    is_str(&item(0)->fields[B24_ITEM_TAX_RATE], "20", "0.2000 is 20 percent");
    is_str(&item(0)->fields[B24_ITEM_TAX_INCLUDED], "N", "N");
    is_str(&item(0)->fields[B24_ITEM_DISCOUNT], "-200.00", "a mark-up stays one");

    is_line("items request:/flat { name \"\"; discount \"-200,00 ₽\"; tax_rate 0.5%; price 10%; }", B24_ORDER_NAME, &x, "");
    is_str(&item(0)->fields[B24_ITEM_DISCOUNT], "200.00", "people's minus");
    is_str(&item(0)->fields[B24_ITEM_TAX_RATE], "0.5", "half a percent");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "", "a percentage is no price");
    is_remark("item price", "the shop's \"item price\" is not a number and was left out", "with a remark");
    is_line("items request:/flat { name \"\"; discount 0.5%; tax_rate \"0,5\"; }", B24_ORDER_NAME, &x, "");
    is_str(&item(0)->fields[B24_ITEM_DISCOUNT], "", "nor a discount");
    is_str(&item(0)->fields[B24_ITEM_TAX_RATE], "50", "half of it all");
    is_line("discount 10%;", B24_ORDER_DISCOUNT, &x, "");

    is_line("items request:/flat { name \"\"; quantity 1; }", B24_ORDER_NAME, &x, "");
    is_str(&item(1)->fields[B24_ITEM_NAME], "two", "the element itself");

    is_line("items request:/flags { name /n; tax_included /v; }", B24_ORDER_NAME, &x, "");
    is_str(&item(0)->fields[B24_ITEM_TAX_INCLUDED], "N", "false");
    is_str(&item(1)->fields[B24_ITEM_TAX_INCLUDED], "Y", "true");
    is_str(&item(2)->fields[B24_ITEM_TAX_INCLUDED], "N", "0");
    is_str(&item(3)->fields[B24_ITEM_TAX_INCLUDED], "", "no answer");

    is_line("items request:/none request:/one request:/vat request:/flat { name \"\"; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 2, "what is no list is passed over");

    is_line("items request:/flat { xml_id /none; name /none; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 0, "rows without any value are left out");
    is_remark("item empty", "a row of the shop's items had none of the values the rules name and was left out", "with a remark");

    /* rows of one side with values of the other */

    x.answer_type = "application/json";
    x.answer = "{\"vat\":20,\"ok\":\"A\",\"items\":[{\"n\":\"R\",\"p\":\"1,5\"},{\"n\":\"S\"}]}";
    is_line("items response:/items { name \"%{/n}:%{request:/vat}\"; tax_rate request:/vat; price /p text:7; measure text:796; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 2, "rows of the answer");
    is_str(&item(0)->fields[B24_ITEM_NAME], "R:7", "a template of both sides");
    is_str(&item(1)->fields[B24_ITEM_TAX_RATE], "7", "a value of the request");
    is_str(&item(0)->fields[B24_ITEM_PRICE], "1.50", "its own");
    is_str(&item(1)->fields[B24_ITEM_PRICE], "7.00", "an alternative of the request");
    is_str(&item(1)->fields[B24_ITEM_MEASURE], "796", "a literal");

    is_line("items request:/cart { name \"%{/n}:%{response:/ok}\" response:/vat; tax_rate response:/vat; quantity /q; when response:/ok; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 3, "rows of the request");
    is_str(&item(0)->fields[B24_ITEM_NAME], "A:A", "a template of both sides");
    is_str(&item(2)->fields[B24_ITEM_NAME], "20", "an alternative of the answer");
    is_str(&item(2)->fields[B24_ITEM_TAX_RATE], "20", "a value of the answer");

    is_line("items request:/cart { name /n; quantity /q; when response:/none; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 0, "a condition on the answer");

    is_line("items request:/cart { name /n; quantity /q; when response:/none /q =2; }", B24_ORDER_NAME, &x, "");
    is_int((long long) event.order->nitems, 0, "a condition on both");

    is_line("items response:/items request:/cart { name /n; }", B24_ORDER_NAME, &x, "");
    is_str(&item(0)->fields[B24_ITEM_NAME], "R", "the answer's rows come first");
    is_line("items response:/none request:/cart { name /n; quantity /q; }", B24_ORDER_NAME, &x, "");
    is_str(&item(0)->fields[B24_ITEM_NAME], "A", "else the request's");
    is_line("items request:/none response:/items { name /n; }", B24_ORDER_NAME, &x, "");
    is_str(&item(0)->fields[B24_ITEM_NAME], "R", "or the other way round");
}


/* ---- outcomes ---- */

static void
is_accept(const char *line, const exchange_t *x, b24_outcome_e want)
{
    char  text[300];

    snprintf(text, sizeof(text), "order o { id header:X-Id; accept %s; }",
             line);
    shop_load(text);
    run_exchange(x);
    is_outcome(want, line);
}


/* a gateway's answer tells nothing of an order, whatever the lines say of it */
static void
test_gateway(void)
{
    size_t      i;
    exchange_t  x;

    static const unsigned     statuses[] = { 502, 504 };
    static const char *const  unseen[] = {
        "status =200", "status ~^20[01]$", "status !=200", "status !~^4",
        "status", "response:/error !", "header:X-Id",
        "response:/id; accept status =200"
    };

    x = plain();
    x.answer_type = "text/html";
    x.answer = "<html>504 Gateway Time-out</html>";

    for (i = 0; i < 2 * sizeof(unseen) / sizeof(char *); i++) {
        x.status = statuses[i % 2];
        is_accept(unseen[i / 2], &x, B24_OUTCOME_UNCONFIRMED);
        is_str(&event.cause, "a gateway answered in the shop's place (502 or 504)", "its cause");
        ok(event.unseen && event.advice.len > 0, "unseen, with advice");
        is_field(B24_ORDER_ID, "1", "the number that is there is taken");
    }

    x.status = 502;
    is_accept("status ~^[25]", &x, B24_OUTCOME_ACCEPTED);
    is_accept("status =502", &x, B24_OUTCOME_ACCEPTED);
    is_accept("status =502; accept header:X-No", &x, B24_OUTCOME_REJECTED);
    is_accept("status =504", &x, B24_OUTCOME_UNCONFIRMED);

    shop_load("order o { id header:X-Id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "no accept line");

    x.status = 503;
    is_accept("status =200", &x, B24_OUTCOME_REJECTED);
    is_accept("status !=200", &x, B24_OUTCOME_ACCEPTED);
}


static void
test_accept(void)
{
    exchange_t  x;

    x = plain();
    x.answer_type = "application/json";
    x.answer = "{\"ok\":true,\"no\":false,\"err\":\"\",\"list\":[],\"s\":\"success\",\"n\":0,\"errs\":[{}],\"one\":1}";

    is_accept("status =200", &x, B24_OUTCOME_ACCEPTED);
    is_accept("status =201", &x, B24_OUTCOME_REJECTED);
    is_accept("status !=201", &x, B24_OUTCOME_ACCEPTED);
    is_accept("status !=200", &x, B24_OUTCOME_REJECTED);
    is_accept("status \"~^(200|30[23])$\"", &x, B24_OUTCOME_ACCEPTED);
    is_accept("status ~^4", &x, B24_OUTCOME_REJECTED);
    is_accept("status !~^4", &x, B24_OUTCOME_ACCEPTED);
    is_accept("status !~^2", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/err !", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/none response:/list !", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/none response:/errs !", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/errs", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/list", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/n", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/no", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/ok =true", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/ok =1", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/one =true", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/ok !=true", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/no =false", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/no !=false", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/none response:/no response:/nil =false", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/no response:/s =false", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/no =0", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/no ~a =false", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/none =false", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/ok =false", &x, B24_OUTCOME_REJECTED);
    is_accept("request:/no =false", &x, B24_OUTCOME_ACCEPTED);
    is_accept("request:/no !=false", &x, B24_OUTCOME_REJECTED);
    is_accept("request:/no response:/s =success", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/none =x", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/none !=x", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/none response:/s =success", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response:/none response:/s !~^succ", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/none response:/s !~^x", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response: ~\\\"ok\\\":true", &x, B24_OUTCOME_ACCEPTED);
    is_accept("response: !", &x, B24_OUTCOME_REJECTED);
    is_accept("request:/a =A", &x, B24_OUTCOME_ACCEPTED);
    is_accept("request:/a =B", &x, B24_OUTCOME_REJECTED);
    is_accept("request:/a !=A", &x, B24_OUTCOME_REJECTED);
    is_accept("request:/e response:/s =success", &x, B24_OUTCOME_ACCEPTED);
    is_accept("request:/a response:/s =success", &x, B24_OUTCOME_REJECTED);
    is_accept("response:/none request:/a =A", &x, B24_OUTCOME_ACCEPTED);
    is_accept("request:/e !", &x, B24_OUTCOME_ACCEPTED);
    is_accept("request:/a !", &x, B24_OUTCOME_REJECTED);
    is_accept("\"%{request:/a}%{response:/s}\" =Asuccess", &x, B24_OUTCOME_ACCEPTED);
    is_accept("\"%{request:/a}%{response:/s}\" !~^As", &x, B24_OUTCOME_REJECTED);
    is_accept("$cookie_a =cookie", &x, B24_OUTCOME_ACCEPTED);
    is_accept("$upstream_x =late", &x, B24_OUTCOME_ACCEPTED);
    is_accept("$empty !", &x, B24_OUTCOME_ACCEPTED);
    is_accept("query:/n", &x, B24_OUTCOME_ACCEPTED);
}


static void
test_when(void)
{
    exchange_t  x;

    shop_load("order a { uri /save; method PUT; id header:X-Id; }"
              "order b { uri /sa* /other; when query:/q =R; id header:X-Id; }"
              "order c { uri ~ ^/SAVE$; id header:X-Id; }"
              "order d { uri ~* ^/SAVE$; when request:/a =B; id header:X-Id; }"
              "order e { uri /sa*; when $cookie_a; when request:/zero; id header:X-Id; }"
              "order f { id header:X-Id; }");
    x = plain();
    run_exchange(&x);
    is_int((long long) candidates, 0x38, "method, uri and conditions without a body decide");
    is_str(b24_rule_name(b24_partial_rule(partial)), "e", "then those with it");

    x.method = "PUT";
    run_exchange(&x);
    is_int((long long) candidates, 0x01, "another method");

    x.method = "GET";
    run_exchange(&x);
    is_int((long long) candidates, 0, "no order by GET unless said so");

    x.method = NULL;
    x.target = "/x/../oth%65r//?q=R";
    run_exchange(&x);
    is_int((long long) candidates, 0x20, "a prefix of the path, decoded once");

    x.target = "/x/../oth%65r?q=R";
    run_exchange(&x);
    is_int((long long) candidates, 0x22, "an exact path");

    shop_load("order a { uri ~ ^/заказ; id header:X-Id; }");
    x.target = "/%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7";
    run_exchange(&x);
    is_int((long long) candidates, 1, "a regex on UTF-8");
    x.target = "/%E7%E0%EA%E0%E7";
    run_exchange(&x);
    is_int((long long) candidates, 1, "and on windows-1251");

    shop_load("order a { when request:/a =A; when request:/zero =0; when request:/e !; when request: ; id header:X-Id; }");
    x = plain();
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "all conditions hold");
    shop_load("order a { when request:/a =A; when request:/zero =1; id header:X-Id; }");
    run_exchange(&x);
    is_int(first, B24_DECLINED, "one doesn't");
}


/* the id line on an answer; want NULL: unconfirmed, since there are several */
static void
is_one_id(const char *line, const char *answer, const char *want)
{
    char        text[160];
    exchange_t  x;

    snprintf(text, sizeof(text), "order o { id %s; row response:/id; name "
             "request:/n; } ", line);
    shop_load(text);

    x = (exchange_t) { .type = JSON_TYPE, .body = "{\"n\":[\"A\",\"B\"],\"ids\":[5,6]}",
                       .answer_type = JSON_TYPE, .answer = answer };
    run_exchange(&x);

    if (want) {
        is_outcome(B24_OUTCOME_ACCEPTED, answer);
        is_field(B24_ORDER_ID, want, line);
        return;
    }

    is_outcome(B24_OUTCOME_UNCONFIRMED, answer);
    is_field(B24_ORDER_ID, "", line);
    is_field(B24_ORDER_NAME, "A, B", "other fields are joined");
    is_str(&event.cause, "there are several numbers where the order's number "
           "is looked for", "the cause");
}


static void
test_many_ids(void)
{
    is_one_id("response:/id", "{\"id\":[8007,8008]}", NULL);
    is_one_id("response:/id", "{\"id\":[\"8007\",null,\"8008\",\"\"]}", NULL);
    is_one_id("response:/id", "{\"id\":{\"a\":8007,\"b\":8008}}", NULL);
    is_one_id("response:/id ~(\\d+)", "{\"id\":[8007,8008]}", NULL);
    is_one_id("\"%{response:/id}/26\"", "{\"id\":[8007,8008]}", NULL);
    is_one_id("\"%{request:/ids}/%{response:/id}\"", "{\"id\":7}", NULL);
    is_one_id("request:/ids", "{}", NULL);

    is_one_id("response:/id", "{\"id\":[8007]}", "8007");
    is_one_id("response:/id response:/no", "{\"id\":{\"a\":8007},\"no\":9}", "9");
    is_one_id("response:/id response:/no", "{\"id\":{\"\":8007},\"no\":9}", "9");
    is_one_id("response:/id", "{\"id\":{\"3\":8007}}", "8007");
    is_one_id("response:/id", "{\"id\":[\"8007\",8007,null]}", "8007");
    is_one_id("response:/id/[last]", "{\"id\":[8007,8008]}", "8008");
    is_one_id("response:/id response:/no", "{\"id\":[8007,8008],\"no\":9}", "9");
}


static void
test_unconfirmed(void)
{
    exchange_t  x;

    x = plain();
    shop_load("order o { accept status =200; accept response:/error !; id response:/id header:X-Id; name request:/a; total response:/total; }");

    x.answer_type = "application/json";
    x.answer = "{\"total\":5}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "all is well");

    x.headers[0] = NULL;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "no number");
    is_str(&event.cause, "the shop's answer has no order number", "its cause");
    is_field(B24_ORDER_NAME, "A", "the request's values are there");
    is_field(B24_ORDER_TOTAL, "5.00", "and the answer's");

    x.headers[0] = "X-Id";
    x.status = 1;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "no answer");
    is_str(&event.cause, "the shop's answer was not seen", "its cause");
    ok(event.advice.len > 0, "with advice");
    is_field(B24_ORDER_NAME, "A", "the request's values are there");

    x.status = 200;
    x.encoding = "br";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "br");
    is_str(&event.cause, "the shop's answer is compressed in a way that cannot be read (only gzip and deflate can)", "its cause");
    ok(b24_str_find(&event.advice, 0, "Accept-Encoding \"\"") > 0, "its cure");
    is_field(B24_ORDER_ID, "1", "the number from the header");

    x.status = 500;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "a line that needs no body fails: rejected");
    ok(!event.unseen, "by the shop");

    x.status = 200;
    x.encoding = "Zstd";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "zstd");

    x.encoding = "identity";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "identity");

    x.encoding = "gzip";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "gzip that is none");
    is_str(&event.cause, "the shop's compressed answer is broken or unpacks to more than b24_capture allows", "its cause");

    x.encoding = NULL;
    x.answer_state = B24_BODY_LARGE;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "a large answer");
    is_str(&event.cause, "the shop's answer is larger than b24_capture allows", "its cause");
    ok(b24_str_find(&event.advice, 0, "b24_capture answer=") > 0, "its cure");

    x.answer_state = B24_BODY_CUT;
    run_exchange(&x);
    is_str(&event.cause, "the shop's answer ended early", "an answer cut short");
    x.answer_state = B24_BODY_UNSEEN;
    run_exchange(&x);
    is_str(&event.cause, "the shop's answer was not kept", "an answer not looked at");

    x.answer_state = B24_BODY_FULL;
    x.answer = "{\"total\":5,";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "broken JSON");
    is_str(&event.cause, "the shop's answer could not be read: broken JSON", "its cause");

    x.answer_type = "text/html";
    x.answer = "<html>{</html>";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "a page is no JSON, and not a broken one");

    x.answer_type = "application/json";
    x.answer = "<html>Fatal error</html>";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "a page that calls itself JSON is broken");

    /* a body isn't needed where no line asks for it */

    shop_load("order o { accept status =200; id header:X-Id; name request:/a; }");
    x.answer_state = B24_BODY_LARGE;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "an unread answer nobody asked for");

    shop_load("order o { accept header:X-Id response:/ok; id header:X-Id response:/id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "nor where another alternative gives the value");

    shop_load("order o { accept response:/ok header:X-Id; id response:/id header:X-Id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "whichever comes first");

    shop_load("order o { accept response:/error !; accept header:None; id header:X-Id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "what can be judged and fails outweighs what can't");

    /* order numbers */

    shop_load("order o { id header:X-Id; }");
    x.headers[1] = "%20";
    run_exchange(&x);
    is_str(&event.cause, "the shop's answer has no order number", "a blank number");

    x.headers[1] = malloc(300);
    memset((char *) x.headers[1], '1', 299);
    ((char *) x.headers[1])[299] = '\0';
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "a number of 299 bytes");
    is_str(&event.cause, "the order number is longer than 255 bytes", "its cause");
    is_field(B24_ORDER_ID, "", "isn't cut: two orders could become one");
    ((char *) x.headers[1])[255] = '\0';
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "255 bytes fit");
    free((char *) x.headers[1]);
}


static void
is_unreadable(exchange_t *x, const char *cause, const char *name)
{
    b24_str_t  why;

    run_exchange(x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, name);
    is_str(&event.cause, cause, name);
    why = str(partial && b24_partial_unreadable(partial) ? b24_partial_unreadable(partial) : "");
    is_str(&why, cause, "the partial says so");
    is_field(B24_ORDER_ID, "1", "the answer's number is there");
    is_field(B24_ORDER_EMAIL, "cookie", "and what needs no body");
}


static void
test_unreadable(void)
{
    exchange_t  x;

    x = plain();
    shop_load("order n { uri /never; when request:/a; id header:X-Id; }"
              "order o { when request:/a; accept status =200; id header:X-Id; name request:/a; email $cookie_a; items request:/p { name /V; } }"
              "order p { id header:X-Id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "a readable request");
    ok(b24_partial_unreadable(partial) == NULL, "says nothing");

    x.body = "{\"a\":\"A\",";
    is_unreadable(&x, "the request body could not be read: broken JSON", "broken JSON");
    is_str(b24_rule_name(b24_partial_rule(partial)), "o", "the first block of the set is chosen");

    x.body = "{\"a\":\"A\"}";
    x.body_state = B24_BODY_LARGE;
    is_unreadable(&x, "the request body is larger than b24_capture allows", "a large body");
    ok(b24_str_find(&event.advice, 0, "b24_capture body=") > 0, "its cure");

    x.body_state = B24_BODY_CUT;
    is_unreadable(&x, "the request body ended early", "a body cut short");
    x.body_state = B24_BODY_UNSEEN;
    is_unreadable(&x, "the request body was not read", "a body not read");

    x.body_state = B24_BODY_FULL;
    x.type = "multipart/form-data; boundary=x";
    is_unreadable(&x, "the request body could not be read: broken multipart form", "a multipart form without its boundary");

    x.status = 500;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "rejected all the same");

    x.status = 1;
    run_exchange(&x);
    is_str(&event.cause, "the shop's answer was not seen", "no answer is told first");

    /* lines on the request can't be judged then */

    shop_load("order o { accept request:/a; id header:X-Id; email $cookie_a; }");
    x.status = 200;
    is_unreadable(&x, "the request body could not be read: broken multipart form", "an accept line on the request");

    shop_load("order o { accept header:X-Id =1; accept request:/a; accept header:X-Id =2; id header:X-Id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "what can be judged is");

    shop_load("order o { id header:X-Id; email $cookie_a; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "a body nobody asked for");

    /* no body at all is an empty one */

    shop_load("order o { id header:X-Id; name request:/a; email $cookie_a; }");
    x.body = NULL;
    x.body_state = B24_BODY_NONE;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "no body");
    is_field(B24_ORDER_NAME, "", "and no values");
}


static void
test_gzip(void)
{
    char         *text;
    u_char       *packed;
    size_t        len;
    z_stream      z;
    exchange_t    x;

    len = 3000000;
    text = malloc(len);
    packed = malloc(len);
    memset(text, ' ', len);
    memcpy(text, "{\"id\":77}", 9);

    x = plain();
    x.headers[0] = NULL;
    x.answer_type = "application/json";
    x.encoding = "GZIP";
    shop_load("order o { id response:/id; }");

    for (int bomb = 0; bomb < 2; bomb++) {
        memset(&z, 0, sizeof(z));
        deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        z.next_in = (u_char *) text;
        z.avail_in = bomb ? (unsigned) len : 100;
        z.next_out = packed;
        z.avail_out = (unsigned) len;
        deflate(&z, Z_FINISH);

        x.answer = (char *) packed;
        x.answer_len = z.total_out;
        deflateEnd(&z);

        run_exchange(&x);

        if (bomb) {
            is_outcome(B24_OUTCOME_UNCONFIRMED, "a gzip bomb");
            is_str(&event.cause, "the shop's compressed answer is broken or unpacks to more than b24_capture allows", "its cause");

        } else {
            is_outcome(B24_OUTCOME_ACCEPTED, "gzip");
            is_field(B24_ORDER_ID, "77", "its number");
        }
    }

    x.answer_len = 20;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "gzip cut short");

    free(text);
    free(packed);
}


/* a text made to cost time is given up, told, and nothing is lost */
static void
test_regex_limit(void)
{
    char        *body;
    size_t       len;
    exchange_t   x;

    len = 200000;
    body = malloc(len + 20);
    memcpy(body, "{\"a\":\"", 6);
    memset(body + 6, 'a', len);
    memcpy(body + 6 + len, "\",\"b\":\"B\"}", sizeof("\",\"b\":\"B\"}"));

    x = plain();
    x.body = body;
    shop_load("order o { id header:X-Id; name request:/a ~^(a+)+$b; phone request:/a ~(a|aa)+$c; email request:/b; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "an exponential regex");
    is_str(&event.cause, "a regex of the rules took too long on this order", "its cause");
    is_field(B24_ORDER_EMAIL, "B", "other values are there");

    shop_load("order o { id header:X-Id; name request:/a ~a+[bc]; phone request:/a ~a.*a.*[bc]; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "a quadratic regex");

    shop_load("order o { when request:/a !~^(a|aa)+[bc]; id header:X-Id; email request:/b; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "a condition that can't be judged doesn't lose the order");

    shop_load("order o { id header:X-Id; name request:/a ~aaab request:/b; }");
    run_exchange(&x);
    is_field(B24_ORDER_NAME, "B", "an honest regex on a long text");

    free(body);
}


/* ---- journal ---- */

static void
test_journal(void)
{
    int             rc;
    b24_str_t       json, name;
    exchange_t      x;
    b24_input_t     in;
    b24_event_t     e;
    b24_rules_t    *others;
    b24_partial_t  *p;
    const b24_shop_t  *other;

    shop_load("order save { id header:X-Id; name request:/a; comment text:c request:/a; deal UF_X request:/p/0/V; total response:/t;"
              " items request:/p { name /V; xml_id /K; when /K; } accept response:/ok request:/a =A; }"
              "order { uri /nowhere; id header:X-Id; } order { id header:X-Id; }");
    x = plain();
    x.answer = "{\"ok\":\"A\",\"t\":3}";
    x.answer_type = "application/json";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "an order");
    b24_partial_print(pool, partial, &json);

    /* read with other rules: the order isn't lost, its values go by name */

    others = b24_rules_create(pool);
    rc = conf_load(pool, others, "b24_shop s { order first { id header:X-Id; } order save { id header:Y; name response:/n request:/b request:/a; phone request:/p; comment request:/a; deal UF_X request:/p/1/V; items response:/x { name /V; } } }");
    name = str("s");
    other = b24_rules_find(others, &name);
    is_int(rc, B24_OK, "other rules");

    is_int(b24_partial_parse(pool, other, &json, &p), B24_OK, "read with other rules");
    memset(&in, 0, sizeof(in));
    is_int(b24_extract_answer(pool, other, p, &in, &e), B24_OK, "an answer never seen");
    is_int(e.outcome, B24_OUTCOME_UNCONFIRMED, "is unconfirmed");
    is_str(&e.cause, "the shop's answer was not seen", "its cause");
    is_str(&e.order->fields[B24_ORDER_NAME], "A", "name");
    is_str(&e.order->fields[B24_ORDER_COMMENT], "c", "comment");
    is_str(&e.order->deal->value, "one", "deal UF_X");
    is_int((long long) e.order->nitems, 2, "rows");
    is_str(&e.order->items->fields[B24_ITEM_NAME], "one", "their names");

    in.status = 200;
    b24_extract_answer(pool, other, p, &in, &e);
    is_str(&e.cause, "the rules changed between the request and its answer", "an answer seen isn't judged by other rules");

    /* without the block, and what is no partial */

    is_int(conf_load(pool, others, "b24_shop t { order first { id header:X-Id; } }"), B24_OK, "rules without the block");
    name = str("t");
    is_int(b24_partial_parse(pool, b24_rules_find(others, &name), &json, &p), B24_DECLINED, "the block is gone");

    json = str("{}");
    is_int(b24_partial_parse(pool, shop, &json, &p), B24_DECLINED, "no version");
    json = str("{\"v\":2,\"kind\":\"order\",\"rule\":\"save\",\"nr\":0}");
    is_int(b24_partial_parse(pool, shop, &json, &p), B24_DECLINED, "another version");
    json = str("[");
    is_int(b24_partial_parse(pool, shop, &json, &p), B24_DECLINED, "no JSON");
    json = str("{\"v\":1,\"kind\":\"order\",\"rule\":\"save\",\"nr\":0,\"sum\":\"0000000000000000\",\"why\":\"\",\"values\":\"name\\t0\\t-1\\t5\\tab\",\"items\":{\"alt\":-1,\"many\":false,\"rows\":[]}}");
    is_int(b24_partial_parse(pool, shop, &json, &p), B24_DECLINED, "a length beyond the end");
    json = str("{\"v\":1,\"kind\":\"order\",\"rule\":\"save\",\"nr\":0,\"sum\":\"0000000000000000\",\"why\":\"nonsense\",\"values\":\"\",\"items\":{\"alt\":-1,\"many\":false,\"rows\":[]}}");
    is_int(b24_partial_parse(pool, shop, &json, &p), B24_DECLINED, "an unknown reason");
    json = str("{\"v\":1,\"kind\":\"order\",\"rule\":\"\",\"nr\":1,\"sum\":\"0000000000000000\",\"why\":\"\",\"values\":\"\",\"items\":{\"alt\":-1,\"many\":false,\"rows\":[]}}");
    is_int(b24_partial_parse(pool, shop, &json, &p), B24_OK, "unnamed blocks go by their number");
    ok(p->rule == b24_shop_rule(shop, 2), "the second unnamed one");

    /* texts that could end a value early */

    x.body = "{\"a\":\"t\\tab\\nline \\u0001 \\\"q\\\" \\\\ -1\\t5\\t\",\"p\":[{\"K\":\"\\t\",\"V\":\"\\n\"}]}";
    run_exchange(&x);
    is_field(B24_ORDER_NAME, "t ab line  \"q\" \\ -1 5", "tabs and line ends survive the journal");
}


/* what the answer alone refuses */
static void
test_refused(void)
{
    exchange_t  x;

    shop_load("order o { accept response:/ok; id header:X-Id; name request:/a; }");
    x = plain();
    x.answer = "{\"ok\":false}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "the answer says no");
    ok(unread, "its request is not read");

    x.body = "{\"a\":";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "nor when it could not be");
    ok(unread, "as nothing of it is asked");

    x.answer = "{\"ok\":true}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "the answer says yes");
    ok(!unread, "then it is read");

    x = plain();
    x.answer = "{\"ok\":";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "the answer says nothing");
    ok(!unread, "the order is kept");

    x.status = 1;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "nor does one that was not seen");

    x.answer = "{\"ok\":false}";
    x.status = 504;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "nor a gateway's");
    ok(!unread, "that order is kept as well");

    shop_load("order o { accept request:/a =B; accept status ~^2; id header:X-Id; }");
    x = plain();
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "the request says no");
    ok(!unread, "it has to be read");

    x.status = 403;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "a later line is as good");
    ok(unread, "if it needs no request");

    x.status = 200;
    shop_load("order o { accept request:/a response:/ok; id header:X-Id; }");
    x.body = "{\"a\":";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_UNCONFIRMED, "a line of both sides waits for the request");
    ok(!unread, "of which nobody knows");

    /* which block it is, and whether any, may be the body's word */

    shop_load("order o { when request:/a =A; accept status ~^2; id header:X-Id; }");
    x = plain();
    x.status = 403;
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "a block that the body chooses");
    ok(!unread, "is not refused without it");

    x.body = "{\"a\":\"B\"}";
    run_exchange(&x);
    is_int(first, B24_DECLINED, "another body is for no block");

    shop_load("status s { accept status =200; id request:/a; }"
              "order o { accept status =200; id header:X-Id; }");
    x = plain();
    x.status = 403;
    run_exchange(&x);
    ok(first == B24_OK && !unread, "a status is no order");

    shop_load("order o { when request:/a =B; accept status =403; id header:X-Id; }"
              "order p { accept status =200; id header:X-Id; }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "the second block");
    ok(!unread, "when the body is not for the first");

    shop_load("order o { accept \"%{query:/q}%{response:/ok}\" !; id header:X-Id; }");
    x = plain();
    x.target = "/save?q=1";
    x.answer = "{\"ok\":\"yes\"}";
    run_exchange(&x);
    is_outcome(B24_OUTCOME_REJECTED, "a template of query and answer");
    ok(unread, "needs no body");
}


/* no allocation goes unchecked: every limit gives an error or the result */
static void
test_memory(void)
{
    int              rc, wrong;
    size_t           limit;
    b24_pool_t      *small, *keep;
    b24_event_t      e;
    b24_input_t      in;
    exchange_t       x;
    b24_partial_t   *p;

    shop_load(SAMPLE);
    memset(&x, 0, sizeof(x));
    x.target = "/api/checkout";
    x.type = "application/json";
    x.body = sample_json;
    x.answer_type = "application/json";
    x.answer = "{\"order\":{\"id\":\"2026-000123\"},\"error\":null}";

    shop_vars = x.vars;
    rc = B24_ERROR;
    wrong = 0;

    for (limit = 0; rc != B24_OK && limit < 1 << 20; limit += 256) {
        input_request(&x, &in);
        small = b24_pool_create(limit + 1);

        rc = b24_extract_request(small, shop, 1, &in, &p);

        if (rc == B24_OK) {
            input_answer(&x, &in);
            rc = b24_extract_answer(small, shop, p, &in, &e);
        }

        if (rc == B24_OK) {
            keep = pool;
            wrong += e.outcome != B24_OUTCOME_ACCEPTED || e.order->nitems != 2;
            pool = keep;

        } else {
            wrong += rc != B24_ERROR;
        }

        b24_pool_destroy(small);
    }

    is_int(rc, B24_OK, "with enough memory it succeeds");
    is_int(wrong, 0, "with less it is an error, never a wrong order");
}


static void
test_many_rows(void)
{
    int          i;
    char        *body, *p;
    b24_str_t    json;
    exchange_t   x;

    body = malloc(120000);
    p = body + sprintf(body, "{\"i\":[");

    for (i = 0; i < 5001; i++) {
        p += sprintf(p, "%s{\"n\":\"%d\"}", i ? "," : "", i);
    }

    memcpy(p, "]}", sizeof("]}"));

    x = plain();
    x.body = body;
    shop_load("order o { id header:X-Id; items request:/i { name /n; measure 796; quantity 1; when /n; } }");
    run_exchange(&x);
    is_outcome(B24_OUTCOME_ACCEPTED, "5001 rows");
    is_int((long long) event.order->nitems, 5000, "5000 are kept, also by the journal");
    is_remark("items", "the order has more rows than can be kept: the rest was left out", "a remark");

    b24_partial_print(pool, partial, &json);
    ok(json.len < 1000000, "the journal's text stays small");

    x.body = NULL;
    x.answer = body;
    shop_load("order o { id header:X-Id; items response:/i { name /n; } }");
    run_exchange(&x);
    is_int((long long) event.order->nitems, 5000, "the same for the answer's rows");
    is_remark("items", "the order has more rows than can be kept: the rest was left out", "a remark");

    shop_load("order o { id header:X-Id; items response: \"~~\\\"n\\\":\\\"(?<n>\\d+)\\\"\" { name /n; } }");
    run_exchange(&x);
    is_int((long long) event.order->nitems, 5000, "and for those of ~~");
    is_remark("items", "the order has more rows than can be kept: the rest was left out", "a remark");

    free(body);
}


int
main(void)
{
    test_woo();
    test_bitrix();
    test_opencart();
    test_sample();
    test_values();
    test_clean();
    test_currency();
    test_items();
    test_accept();
    test_gateway();
    test_when();
    test_unconfirmed();
    test_many_ids();
    test_unreadable();
    test_gzip();
    test_regex_limit();
    test_journal();
    test_refused();
    test_memory();
    test_many_rows();

    b24_pool_destroy(pool);

    return done_testing();
}
