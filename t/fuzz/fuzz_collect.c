
/*
 * Exchanges of sessions: what collect blocks and session lines take from a
 * request and an answer of anybody's making, into a session that another
 * exchange has begun.
 *
 * Four bytes choose types and states, two the length of the request's body; the
 * rest is this body, then the answer's; its first bytes are the cookies, too.
 */


#include "shopconf.h"
#include "b24_rules_int.h"
#include "b24_text.h"

#include <stdlib.h>


#define ABORT_UNLESS(cond)  do { if (!(cond)) { abort(); } } while (0)


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


static b24_str_t
pick(const char **list, size_t n, unsigned byte)
{
    b24_str_t  s;

    s.data = (u_char *) list[byte % n];
    s.len = strlen(list[byte % n]);

    return s;
}


static int
var(void *data, size_t n, b24_str_t *value)
{
    (void) n;

    *value = *(b24_str_t *) data;
    return value->len ? B24_OK : B24_DECLINED;
}


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


static const b24_shop_t *
load(void)
{
    b24_str_t                 name;
    b24_pool_t               *pool;
    b24_rules_t              *rules;
    static const b24_shop_t  *shop;

    if (shop) {
        return shop;
    }

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    name.data = (u_char *) "s";
    name.len = 1;

    ABORT_UNLESS(conf_load(pool, rules, conf) == B24_OK);

    shop = b24_rules_find(rules, &name);

    return shop;
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
    size_t              len, values;
    uint64_t            set;
    b24_str_t           target, cookie;
    b24_pair_t          header;
    b24_pool_t         *pool;
    b24_input_t         in;
    b24_order_t        *session;
    b24_collect_t      *list;
    const b24_shop_t   *shop;

    if (size < 6) {
        return 0;
    }

    shop = load();
    pool = b24_pool_create(1 << 24);
    memset(&in, 0, sizeof(in));
    memset(&header, 0, sizeof(header));

    target = pick(targets, 3, data[0]);
    ABORT_UNLESS(b24_text_target(pool, &target, &in.path, &in.args) == B24_OK);

    in.method.data = (u_char *) "POST";
    in.method.len = 4;
    in.content_type = pick(types, 3, data[1]);
    in.body_state = data[1] & 0x80 ? (b24_body_e) (data[1] >> 4 & 3) + 1
                                   : B24_BODY_FULL;

    len = (size_t) (data[4] << 8 | data[5]) % (size - 5);
    in.body.data = (u_char *) data + 6;
    in.body.len = len;

    in.answer.data = (u_char *) data + 6 + len;
    in.answer.len = size - 6 - len;
    in.answer_type = pick(types, 3, data[2]);
    in.answer_state = data[2] & 0x80 ? (b24_body_e) (data[2] >> 4 & 3) + 1
                                     : B24_BODY_FULL;
    in.answer_max = 1 << 18;
    in.status = data[3] & 0x80 ? 0 : 200;

    cookie.data = in.answer.data;
    cookie.len = in.answer.len < 60 ? in.answer.len : 60;
    in.var = var;
    in.data = &cookie;

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

    if (session && b24_shop_collect(pool, shop, set, &in, &list) == B24_OK) {

        for ( /* void */ ; list; list = list->next) {

            if (list->outcome == B24_OUTCOME_ACCEPTED
                && b24_collect_merge(pool, session, list) != B24_OK)
            {
                break;
            }
        }

        check_order(pool, session);
        check_order_filled(pool, shop, set, &in, session);
    }

    b24_pool_destroy(pool);

    return 0;
}
