
/*
 * Exchanges of sessions: what collect blocks and session lines take from a
 * request and an answer of anybody's making, into a session that another
 * exchange has begun.
 *
 * At most: 8192
 * Aims at: order/b24_collect.c order/b24_collect_sessions.c
 * Aims at: order/b24_collect_merge.c
 */


#include "exchange.h"
#include "b24_rules_int.h"


#define STORED_MOST  400


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  conf[] =
    "b24_shop s {"
    " session $cookie_a; session request:/sid response:/sid; session $http_x \"~(a+)\" header:Set-Cookie \"~s=([^;]+)\";"
    " collect a { uri /a*; accept response:/error !; learn k request:/k; learn f response:/f/[is=1]/n;"
    "  phone \"request:/P_%{f}\"; total request:/total response:/total; minor_units request:/minor; name response:/name;"
    "  deal UF_A request:/a; contact UF_C \"request:/%{k}/%{f}\"; items request:/items response:/items { name /name; price /price; quantity /q; } }"
    " collect b { when request:/b !~^no; first_name request:/first; company_field UF_D response:; id request:/id; comment request:/c;"
    "  items response: \"~~(?s)<tr>(?<name>.*?)</td>(?:(?<price>[^<]*)<)?\" { name /name; price /price; xml_id @key; } }"
    " order { id response:/order generated; learn k response:/k; phone \"request:/%{k}\"; last_name request:/last; items request:/rows { name /n; } }"
    "}";


static const char  *targets[] = { "/a?q=1", "/b", "/c" };

static const char  *types[] = {
    "application/json", "application/x-www-form-urlencoded",
    "text/plain; charset=windows-1251"
};


static int
learned(void *data, const b24_str_t *name, size_t n, b24_str_t *value)
{
    static u_char  text[] = "0123456789abcdef";

    (void) name;

    if (n >= *(size_t *) data) {
        return 0;
    }

    value->data = text + n;
    value->len = 1;

    return 1;
}


static void
check_order(b24_pool_t *pool, const b24_order_t *order)
{
    size_t        i, n;
    b24_str_t     json, again;
    b24_item_t   *item;
    b24_order_t  *read;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {
        ABORT_UNLESS(b24_utf8_valid(&order->fields[i]));
    }

    n = 0;

    for (item = order->items; item; item = item->next) {
        n++;
    }

    ABORT_UNLESS(n == order->nitems);

    if (b24_order_print(pool, order, &json) != B24_OK) {
        return;
    }

    i = (size_t) b24_order_parse(pool, &json, &read);
    ABORT_UNLESS(i != (size_t) B24_DECLINED);

    if (i == B24_OK && b24_order_print(pool, read, &again) == B24_OK) {
        ABORT_UNLESS(b24_str_eq(&json, &again));
    }
}


/* as it is kept, with little room */
static void
check_stored(b24_pool_t *pool, const b24_collect_t *list)
{
    int           rc;
    b24_str_t     text;
    b24_order_t  *read;

    memset(&text, 0, sizeof(text));
    rc = b24_collect_store(pool, &text, list, STORED_MOST);

    ABORT_UNLESS(rc == B24_ERROR || text.len <= STORED_MOST);
    ABORT_UNLESS(rc == B24_ERROR || text.len == 0
                 || b24_order_parse(pool, &text, &read) != B24_DECLINED);
}


static void
check_sessions(b24_pool_t *pool, const b24_shop_t *shop, const b24_input_t *in)
{
    unsigned              i, n, before;
    b24_session_value_t   values[B24_SESSION_VALUES];

    if (b24_shop_sessions(pool, shop, in, 0, values, &before) != B24_OK
        || b24_shop_sessions(pool, shop, in, 1, values, &n) != B24_OK)
    {
        return;
    }

    ABORT_UNLESS(n >= before && n <= B24_SESSION_VALUES);

    for (i = 0; i < n; i++) {
        ABORT_UNLESS(values[i].value.len && values[i].line < 3);
        ABORT_UNLESS(b24_utf8_valid(&values[i].value));
    }
}


static void
check_order_filled(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_input_t *in, const b24_order_t *session)
{
    int             own;
    b24_event_t     event;
    b24_partial_t  *partial;

    if (b24_extract_request(pool, shop, set, in, &partial) != B24_OK
        || b24_extract_answer(pool, shop, partial, in, &event) != B24_OK)
    {
        return;
    }

    own = event.order->items != NULL;

    if (b24_order_fill(pool, event.order, session) != B24_OK) {
        return;
    }

    ABORT_UNLESS(own || event.order->items == session->items);
    check_order(pool, event.order);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              values;
    uint64_t            set;
    b24_str_t           target, type, cookie;
    b24_pair_t          header;
    b24_pool_t         *pool;
    b24_input_t         in;
    b24_order_t        *session;
    b24_collect_t      *first, *list;
    const b24_shop_t   *shop;

    if (size < EXCHANGE_HEAD) {
        return 0;
    }

    shop = exchange_shop(conf);
    pool = b24_pool_create(1 << 24);
    memset(&header, 0, sizeof(header));

    target = pick(targets, 3, data[0]);
    type = pick(types, 3, data[1]);

    exchange_open(pool, &in, data, size, &target, &type, &cookie, 60);

    in.answer_type = pick(types, 3, data[2]);
    in.answer_state = exchange_state(data[2]);
    in.status = data[3] & 0x80 ? 0 : 200;

    header.name.data = (u_char *) "Set-Cookie";
    header.name.len = 10;
    header.value = cookie;
    in.headers = &header;

    values = data[3] & 15;
    in.learned = learned;
    in.learned_data = &values;
    in.round = pick(types, 3, data[3]);

    set = b24_shop_candidates(pool, shop, &in);
    session = b24_order_create(pool);

    check_sessions(pool, shop, &in);

    if (session && b24_shop_collect(pool, shop, set, &in, &first) == B24_OK) {

        for (list = first; list; list = list->next) {

            if (list->outcome == B24_OUTCOME_ACCEPTED
                && b24_collect_merge(pool, session, list) != B24_OK)
            {
                break;
            }
        }

        check_order(pool, session);
        check_stored(pool, first);
        check_order_filled(pool, shop, set, &in, session);
    }

    b24_pool_destroy(pool);

    return 0;
}
