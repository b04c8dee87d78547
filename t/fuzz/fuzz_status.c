
/*
 * Exchanges of blocks "status", of a shop of our own and of the presets, with a
 * request and an answer of anybody's making.  Of the input the first three bytes
 * choose shop, types and states; the rest are pieces between bytes 0x1e: the
 * target, the request's body, Location, and the answer's body.
 *
 * Aims at: order/b24_status.c
 */


#include "exchange.h"
#include "b24_rules_int.h"


#define SHOPS     (sizeof(shops) / sizeof(shops[0]))
#define HEAD      3
#define TARGETS   1000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  conf[] =
    "b24_shop s {"
    " stage N NEW; stage P PREPARATION; stage PAID EXECUTING; stage SHIPPED FINAL_INVOICE; stage F WON; stage CANCELED LOSE;"
    " order place { uri /buy; id response:/id; }"
    " status list { uri /list; when request:/action !~^no; accept response:/error !; accept response:/ok;"
    "  id request:/ids response:/ids; row request:/rows/[*]/key request:/rows; status \"%{request:/to}-%{response:/to}\" request:/to;"
    "  canceled response:/c; paid request:/[PAID_*] response:/[last]/p; shipped request:/s ~(\\w); }"
    " status path { uri ~ ^/o/; row $request_uri \"~^/o/([^/?]+)\"; id header:Location ~n=(.*) inline:order/id; accept status =200;"
    "  status response: ~<b>(.*?)</b>; canceled Y; }"
    "}";


static const char  *shops[] = {
    "s", "bitrix", "woocommerce", "opencart", "opencart4", "prestashop"
};

static const char  *files[] = { "bitrix", "woocommerce", "opencart",
                                "prestashop" };

static const char  *types[] = {
    "application/x-www-form-urlencoded", "application/json",
    "multipart/form-data; boundary=b", "text/plain; charset=windows-1251"
};

static const char  *methods[] = { "POST", "GET", "PUT", "PATCH" };

static const unsigned  statuses[] = { 200, 200, 302, 207, 201, 403, 500, 0 };


static const b24_shop_t  *loaded[SHOPS];


int LLVMFuzzerInitialize(int *argc, char ***argv);


/* before the first input: reading presets takes longer than an input may */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    size_t        i;
    b24_str_t     name;
    b24_pool_t   *pool;
    b24_rules_t  *rules;

    (void) argc;
    (void) argv;

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    ABORT_UNLESS(conf_load(pool, rules, conf) == B24_OK);

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        exchange_preset(pool, rules, files[i]);
    }

    for (i = 0; i < SHOPS; i++) {
        name = pick(shops, SHOPS, (unsigned) i);
        loaded[i] = b24_rules_find(rules, &name);
        ABORT_UNLESS(loaded[i] != NULL);
    }

    return 0;
}


static void
piece(const uint8_t **data, size_t *size, b24_str_t *s)
{
    const uint8_t  *end;

    s->data = (u_char *) *data;
    end = *size ? memchr(*data, 0x1e, *size) : NULL;

    if (end == NULL) {
        s->len = *size;
        *data += *size;
        *size = 0;
        return;
    }

    s->len = (size_t) (end - *data);
    *size -= s->len + 1;
    *data = end + 1;
}


/* the address as it came, whichever template asks */
static int
status_var(void *data, size_t n, b24_str_t *value)
{
    (void) n;

    *value = *(b24_str_t *) data;
    return value->len ? B24_OK : B24_DECLINED;
}


static void
check_name(const b24_str_t *s)
{
    ABORT_UNLESS(s->len <= B24_RULES_ID && b24_utf8_valid(s));
    ABORT_UNLESS(s->len == 0 || memchr(s->data, '\0', s->len) == NULL);
}


static void
check_told(const b24_shop_t *shop, const b24_event_t *event)
{
    int                field;
    size_t             n;
    const b24_str_t   *f, *status;
    const b24_pair_t  *pair, *stage;

    f = event->order->fields;

    for (n = 0, pair = event->targets; pair; pair = pair->next, n++) {
        ABORT_UNLESS(pair->name.len || pair->value.len);
        check_name(&pair->name);
        check_name(&pair->value);
    }

    ABORT_UNLESS(n <= TARGETS && (n || event->over == 0));

    if (n) {
        ABORT_UNLESS(b24_str_eq(&f[B24_ORDER_ID], &event->targets->name));
        ABORT_UNLESS(b24_str_eq(&f[B24_ORDER_ROW], &event->targets->value));
    }

    for (field = 0; field < B24_ORDER_NFIELDS; field++) {
        ABORT_UNLESS(b24_utf8_valid(&f[field]));

        if (field == B24_ORDER_CANCELED || field == B24_ORDER_PAID
            || field == B24_ORDER_SHIPPED)
        {
            ABORT_UNLESS(f[field].len == 0 || b24_str_eqs(&f[field], "Y")
                         || b24_str_eqs(&f[field], "N"));
        }
    }

    /* a line of the table, which leads back to one of the same stage */

    stage = b24_order_stage(event->order, b24_shop_stages(shop),
                            b24_shop_default_status(shop));

    if (stage) {
        status = b24_order_status_of(NULL, b24_shop_stages(shop),
                                     &stage->value);
        ABORT_UNLESS(status != NULL);
        ABORT_UNLESS(b24_str_eq(b24_shop_stage(shop, status), &stage->value));
    }
}


static void
check_event(b24_pool_t *pool, const b24_shop_t *shop, const b24_event_t *event)
{
    b24_str_t     json, again;
    b24_order_t  *read;

    switch (event->outcome) {

    case B24_OUTCOME_ACCEPTED:
        check_told(shop, event);
        break;

    case B24_OUTCOME_UNCONFIRMED:
        ABORT_UNLESS(event->cause.len && event->targets == NULL);
        break;

    default:
        ABORT_UNLESS(event->outcome == B24_OUTCOME_REJECTED);
        ABORT_UNLESS(event->targets == NULL);
    }

    if (b24_order_print(pool, event->order, &json) == B24_OK
        && b24_order_parse(pool, &json, &read) == B24_OK
        && b24_order_print(pool, read, &again) == B24_OK)
    {
        ABORT_UNLESS(b24_str_eq(&json, &again));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t            head[HEAD];
    uint64_t           set;
    b24_str_t          target;
    b24_pair_t         location;
    b24_pool_t        *pool;
    b24_input_t        in;
    b24_event_t        event;
    b24_partial_t     *partial;
    const b24_shop_t  *shop;

    if (size < HEAD) {
        return 0;
    }

    memcpy(head, data, HEAD);
    data += HEAD;
    size -= HEAD;

    shop = loaded[head[0] % SHOPS];
    pool = b24_pool_create(1 << 24);

    memset(&in, 0, sizeof(in));
    memset(&location, 0, sizeof(location));

    piece(&data, &size, &target);
    piece(&data, &size, &in.body);
    piece(&data, &size, &location.value);

    if (b24_text_target(pool, &target, &in.path, &in.args) != B24_OK) {
        b24_pool_destroy(pool);
        return 0;
    }

    in.method = pick(methods, 4, head[1]);
    in.content_type = pick(types, 4, head[1] >> 2);
    in.body_state = exchange_state(head[1]);

    in.status = statuses[head[2] & 7];
    in.answer_type = pick(types, 4, head[2] >> 3);
    in.answer.data = (u_char *) data;
    in.answer.len = size;
    in.answer_state = exchange_state(head[2]);
    in.answer_max = 1 << 18;

    location.name.data = (u_char *) "Location";
    location.name.len = 8;
    in.headers = location.value.len ? &location : NULL;

    in.var = status_var;
    in.data = &target;

    set = b24_shop_candidates(pool, shop, &in)
          & b24_shop_set(shop, B24_RULE_STATUS);

    if (set && b24_extract_request(pool, shop, set, &in, &partial) == B24_OK
        && b24_extract_answer(pool, shop, partial, &in, &event) == B24_OK)
    {
        ABORT_UNLESS(event.kind == B24_RULE_STATUS);
        check_event(pool, shop, &event);
    }

    b24_pool_destroy(pool);

    return 0;
}
