
/*
 * What requests tell of a buyer before he orders: whose they are, what collect
 * blocks take from them, and how an order is filled from it.
 */


#include "tap.h"
#include "shop.h"
#include "b24_rules_int.h"
#include "b24_text.h"


typedef struct {
    const char   *target;           /* /cart */
    const char   *body;             /* JSON */
    const char   *answer;
    unsigned      status;           /* 200; 1: none seen */
    const char   *headers[9];
    const char   *vars[SHOP_VARS];
    const char   *learned[9];       /* name, value, the newest first */
    const char   *round;
    b24_body_e    body_state;
    b24_body_e    answer_state;
} exchange_t;


static const exchange_t  *current;


static int
get_learned(void *data, const b24_str_t *name, size_t n, b24_str_t *value)
{
    int  i;

    (void) data;

    for (i = 0; i < 8 && current->learned[i]; i += 2) {

        if (b24_str_eqs(name, current->learned[i]) && n-- == 0) {
            *value = str(current->learned[i + 1]);
            return 1;
        }
    }

    return 0;
}


static void
input(const exchange_t *x, b24_input_t *in)
{
    int           i;
    b24_str_t     target;
    b24_pair_t  **last;

    current = x;
    shop_vars = x->vars;
    memset(in, 0, sizeof(b24_input_t));

    in->method = str("POST");
    target = str(x->target ? x->target : "/cart");
    (void) b24_text_target(pool, &target, &in->path, &in->args);

    in->content_type = str("application/json");
    in->body = str(x->body ? x->body : "");
    in->body_state = x->body_state ? x->body_state
                     : x->body ? B24_BODY_FULL : B24_BODY_NONE;
    in->var = shop_var;
    in->learned = get_learned;
    in->round = str(x->round ? x->round : "");

    in->status = x->status == 1 ? 0 : x->status ? x->status : 200;
    in->answer_type = str("application/json");
    in->answer = str(x->answer ? x->answer : "");
    in->answer_max = 1 << 20;
    in->answer_state = x->answer_state ? x->answer_state
                       : x->answer ? B24_BODY_FULL : B24_BODY_NONE;

    last = (b24_pair_t **) &in->headers;

    for (i = 0; i < 8 && x->headers[i]; i += 2) {
        *last = b24_pcalloc(pool, sizeof(b24_pair_t));
        (*last)->name = str(x->headers[i]);
        (*last)->value = str(x->headers[i + 1]);
        last = &(*last)->next;
    }
}


/* "0:a 1:b" */
static void
is_sessions(const exchange_t *x, int answer, const char *want,
    const char *name)
{
    unsigned              i, n;
    b24_buf_t             out;
    b24_str_t             got;
    b24_input_t           in;
    b24_session_value_t   values[B24_SESSION_VALUES];

    input(x, &in);
    n = 0;

    if (b24_shop_sessions(pool, shop, &in, answer, values, &n) != B24_OK) {
        ok(0, "%s: an error", name);
        return;
    }

    b24_buf_init(&out, pool);

    for (i = 0; i < n; i++) {

        if (i) {
            b24_buf_addc(&out, ' ');
        }

        b24_buf_addi(&out, values[i].line);
        b24_buf_addc(&out, ':');
        b24_buf_addstr(&out, &values[i].value);
    }

    (void) b24_buf_str(&out, &got);

    if (!ok(b24_str_eqs(&got, want), "%s", name)) {
        printf("#      got: %s\n# expected: %s\n", (char *) got.data, want);
    }
}


static b24_collect_t *
collect(const exchange_t *x)
{
    b24_input_t     in;
    b24_collect_t  *list;

    input(x, &in);

    if (b24_shop_collect(pool, shop, b24_shop_candidates(pool, shop, &in),
                         &in, &list)
        != B24_OK)
    {
        ok(0, "collected");
        exit(1);
    }

    return list;
}


/* an order document without what is always there, and without where values are
 * from: that is test_from()'s */
static void
is_order(const b24_order_t *order, const char *want, const char *name)
{
    b24_str_t  json;

    b24_from_forget((b24_order_t *) order);

    if (b24_order_print(pool, order, &json) != B24_OK) {
        ok(0, "%s: can't be printed", name);
        return;
    }

    if (!ok(b24_str_eqs(&json, want), "%s", name)) {
        printf("#      got: %s\n# expected: %s\n", (char *) json.data, want);
    }
}


/* collects of the exchanges, one after the other, then the session */
static b24_order_t *
session_of(const exchange_t *x, size_t n)
{
    size_t          i;
    b24_str_t       json;
    b24_order_t    *session;
    b24_collect_t  *list;

    session = b24_order_create(pool);

    for (i = 0; i < n; i++) {

        for (list = collect(&x[i]); list; list = list->next) {

            if (list->outcome == B24_OUTCOME_ACCEPTED
                && b24_collect_merge(pool, session, list) != B24_OK)
            {
                ok(0, "merged");
            }
        }

        /* as it is kept */

        (void) b24_order_print(pool, session, &json);

        if (b24_order_parse(pool, &json, &session) != B24_OK) {
            ok(0, "a session can be read back");
            exit(1);
        }
    }

    return session;
}


#define COOKIE(value)  .headers = { "Set-Cookie", value }


static void
test_sessions(void)
{
    exchange_t  x;

    shop_load("session $cookie_sid; session ${http_token} header:Token;"
              "session request:/cart/id query:/cart;"
              "collect { uri /cart; phone request:/p; }");

    ok(b24_shop_keeps_sessions(shop) && b24_shop_follows(shop),
       "the shop has sessions and follows them");

    x = (exchange_t) { .vars = { "$cookie_sid", "a", "${http_token}", "b" } };
    is_sessions(&x, 0, "0:a 1:b", "of the request");
    is_sessions(&x, 1, "0:a 1:b", "and nothing of the answer");

    x = (exchange_t) { .target = "/cart?cart=7", .body = "{\"cart\":{}}" };
    is_sessions(&x, 0, "2:7", "the second alternative");
    x = (exchange_t) { .target = "/cart?cart=7",
                       .body = "{\"cart\":{\"id\":8}}" };
    is_sessions(&x, 0, "2:8", "the first one");
    x = (exchange_t) { .target = "/cart?cart=7",
                       .body_state = B24_BODY_UNSEEN };
    is_sessions(&x, 0, "2:7", "a body that isn't looked at");

    x = (exchange_t) { .vars = { "$cookie_sid", "a", "${http_token}", "b" },
                       .headers = { "Token", "c", "set-cookie", "SID=d" } };
    is_sessions(&x, 0, "0:a 1:b", "before the answer");
    is_sessions(&x, 1, "0:a 1:b 0:d 1:c", "what the answer gives is more");

    x = (exchange_t) { COOKIE("sid=n; Path=/; HttpOnly") };
    is_sessions(&x, 1, "0:n", "the first visit");
    x = (exchange_t) { COOKIE("sid=a"), .vars = { "$cookie_sid", "a" } };
    is_sessions(&x, 1, "0:a", "set to what it was");
    x = (exchange_t) { COOKIE(" sid = n ;Max-Age=10; Expires=Thu, 01-Jan-1970 "
                              "00:00:01 GMT") };
    is_sessions(&x, 1, "0:n", "Max-Age goes before Expires");

    x = (exchange_t) { COOKIE("sidx=n") };
    is_sessions(&x, 1, "", "another cookie");
    x = (exchange_t) { COOKIE("sid=deleted; path=/") };
    is_sessions(&x, 1, "", "deleted");
    x = (exchange_t) { COOKIE("sid=") };
    is_sessions(&x, 1, "", "empty");
    x = (exchange_t) { COOKIE("sid") };
    is_sessions(&x, 1, "", "no value");
    x = (exchange_t) { COOKIE("sid=n; Max-Age=0") };
    is_sessions(&x, 1, "", "Max-Age 0");
    x = (exchange_t) { COOKIE("sid=n; max-age = -1") };
    is_sessions(&x, 1, "", "Max-Age -1");
    x = (exchange_t) { COOKIE("sid=n; Max-Age=05") };
    is_sessions(&x, 1, "0:n", "Max-Age 5");
    x = (exchange_t) { COOKIE("sid=n; expires=Thu, 01-Jan-1970 00:00:01 GMT") };
    is_sessions(&x, 1, "", "expired in 1970");
    x = (exchange_t) { COOKIE("sid=n; expires=Sat, 05 Dec 2026 10:00:00 GMT") };
    is_sessions(&x, 1, "0:n", "not over yet");
    x = (exchange_t) { .headers = { "Set-Cookie", "sid=a", "Set-Cookie",
                                    "sid=b", "Set-Cookie", "x=c" } };
    is_sessions(&x, 1, "0:b", "the last one counts");
    x = (exchange_t) { .headers = { "Set-Cookie", "sid=a", "Set-Cookie",
                                    "sid=b; Max-Age=0" } };
    is_sessions(&x, 1, "", "also when it deletes");
    x = (exchange_t) { .headers = { "Set-Cookie", "sid=deleted; Max-Age=0",
                                    "Set-Cookie", "SID=b" } };
    is_sessions(&x, 1, "0:b", "and when it sets anew what was deleted");

    x = (exchange_t) { .vars = { "$cookie_sid", "deleted",
                                 "${http_token}", "deleted" } };
    is_sessions(&x, 0, "", "what PHP deletes with is nobody's name");
    x = (exchange_t) { .vars = { "${http_token}", "deleted" },
                       .headers = { "Token", "deleted" } };
    is_sessions(&x, 1, "", "nor in the answer");

    shop_load("session ${cookie_b} ~^(..); session $http_cookie \"~p-[0-9a-f]+=([^;]+)\" header:Set-Cookie \"~p-[0-9a-f]+=([^;]+)\";"
              "order { id generated; }");
    x = (exchange_t) { .vars = { "${cookie_b}", "abcd", "$http_cookie",
                                 "b=abcd; p-01f=xyz; c=1" },
                       .headers = { "Set-Cookie", "q=1", "Set-Cookie",
                                    "p-01f=uvw; path=/", "Set-Cookie",
                                    "B=efgh" } };
    is_sessions(&x, 1, "0:ab 1:xyz 0:ef 1:uvw", "filters work on all of them");

    {
        size_t  i;

        static const char  *deleting[] = {
            "p-01f=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0",
            "p-01f=0; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/",
            "p-01f=deleted",
            "p-01f=x; Max-Age=0",
            "p-01f=; path=/",
        };

        for (i = 0; i < sizeof(deleting) / sizeof(char *); i++) {
            x = (exchange_t) { COOKIE(deleting[i]) };
            is_sessions(&x, 1, "", deleting[i]);

            x = (exchange_t) { .headers = { "Set-Cookie", deleting[i],
                                            "Set-Cookie", "p-01f=new" } };
            is_sessions(&x, 1, "1:new", "set anew");

            x = (exchange_t) { .headers = { "Set-Cookie", "p-01f=old",
                                            "Set-Cookie", deleting[i] } };
            is_sessions(&x, 1, "", "and the other way round");
        }
    }

    x = (exchange_t) { .headers = { "Set-Cookie", "p-01f=old", "Set-Cookie",
                                    "p-01f=new; path=/" } };
    is_sessions(&x, 1, "1:new", "the last one counts");
    x = (exchange_t) { .vars = { "$http_cookie", "p-01f=deleted; c=1" } };
    is_sessions(&x, 0, "", "deleted, as a client sends it");

    x = (exchange_t) { .vars = { "$http_cookie", "p-01f=xyz" },
                       COOKIE("p-01f=deleted; Max-Age=0") };
    is_sessions(&x, 1, "1:xyz", "what was deleted is what it was");

    {
        b24_str_t  yes = str("p-9=1"), also = str("b=2");

        ok(b24_shop_sets(shop, &yes) && b24_shop_sets(shop, &also),
           "a header that may be one");
    }

    shop_load("session $cookie_sid; order { id response:/id; }"
              "collect { uri /a; learn x response:/x; }");
    ok(!b24_shop_keeps_sessions(shop), "what is only learned needs no session");

    shop_load("session $cookie_sid$cookie_b; session \"a $cookie_c\";"
              "order { id generated; }");
    ok(!b24_shop_follows(shop), "only a cookie alone can be followed");
}


#define CART                                                                  \
    "session $cookie_sid;"                                                    \
    "collect cart { uri /cart /all; accept response:/ok; total request:/total;" \
    " minor_units request:/minor; deal UF_CRM_A request:/a;"                  \
    " items request:/items response:/items { name /n; price /p; quantity /q; } }" \
    "collect buyer { uri /buyer /all; accept response:/ok; name request:/name;" \
    " last_name request:/last; phone request:/phone; deal UF_CRM_B request:/b;" \
    " contact UF_CRM_C request:/c; company_field UF_CRM_D request:/d; }"      \
    "order { uri /order; id response:/id generated; }"


static void
test_collect(void)
{
    exchange_t      x[4];
    b24_collect_t  *list;

    shop_load(CART);

    x[0] = (exchange_t) { .target = "/other", .answer = "{\"ok\":1}" };
    ok(collect(&x[0]) == NULL, "for no block");

    x[0] = (exchange_t) { .body = "{\"total\":1}", .answer = "{\"ok\":0.0}" };
    list = collect(&x[0]);
    ok(list && list->outcome == B24_OUTCOME_ACCEPTED, "accepted");
    x[0].answer = "{\"ok\":false}";
    list = collect(&x[0]);
    ok(list && list->outcome == B24_OUTCOME_REJECTED, "rejected");
    x[0].answer = "{\"ok\":tr";
    list = collect(&x[0]);
    ok(list && list->outcome == B24_OUTCOME_UNCONFIRMED, "an answer cut");
    x[0].answer = "{\"ok\":1}";
    x[0].status = 1;
    list = collect(&x[0]);
    ok(list && list->outcome == B24_OUTCOME_UNCONFIRMED, "no answer");
    x[0].status = 0;
    x[0].body_state = B24_BODY_LARGE;
    list = collect(&x[0]);
    ok(list && list->outcome == B24_OUTCOME_UNCONFIRMED, "a large body");
    x[0].body_state = B24_BODY_NONE;
    x[0].body = "{\"total\":";
    x[0].body_state = B24_BODY_FULL;
    list = collect(&x[0]);
    ok(list && list->outcome == B24_OUTCOME_UNCONFIRMED, "a broken body");

    x[0] = (exchange_t) { .body = "{\"total\":12345,\"minor\":2,\"a\":\"A\",\"items\":[{\"n\":\"Tea\",\"p\":1050,\"q\":2}]}",
                          .answer = "{\"ok\":1}" };
    is_order(session_of(x, 1), "{\"v\":1,\"fields\":{\"total\":\"123.45\"},\"items\":[{\"name\":\"Tea\",\"price\":\"10.50\",\"quantity\":\"2\"}],\"deal\":{\"UF_CRM_A\":\"A\"}}",
             "amounts are cleaned by the block's own minor_units");

    x[1] = (exchange_t) { .target = "/buyer", .answer = "{\"ok\":1}",
                          .body = "{\"name\":\"Anna\",\"phone\":\"1\",\"b\":\"B\",\"c\":\"C\",\"d\":\"D\"}" };
    x[2] = (exchange_t) { .answer = "{\"ok\":1,\"items\":[{\"n\":\"Mug\",\"p\":\"3\",\"q\":1}]}",
                          .body = "{\"total\":\"3\"}" };
    is_order(session_of(x, 3), "{\"v\":1,\"fields\":{\"name\":\"Anna\",\"phone\":\"1\",\"total\":\"3.00\"},\"items\":[{\"name\":\"Mug\",\"price\":\"3.00\",\"quantity\":\"1\"}],\"deal\":{\"UF_CRM_B\":\"B\"},\"contact\":{\"UF_CRM_C\":\"C\"},\"company\":{\"UF_CRM_D\":\"D\"}}",
             "each block replaces what it names, also by nothing");

    x[0] = (exchange_t) { .target = "/all", .answer = "{\"ok\":1}",
                          .body = "{\"total\":\"abc\",\"name\":\"Anna\",\"items\":[{\"n\":\"Tea\",\"p\":\"x\"}]}" };
    is_order(session_of(x, 1), "{\"v\":1,\"fields\":{\"name\":\"Anna\"},\"items\":[{\"name\":\"Tea\"}],\"remarks\":[{\"code\":\"total\",\"text\":\"the shop's \\\"total\\\" is not a number and was left out\"},{\"code\":\"item price\",\"text\":\"the shop's \\\"item price\\\" is not a number and was left out\"}]}",
             "both blocks, with what was wrong");
    is_order(session_of((exchange_t[2]) { x[0], x[2] }, 2), "{\"v\":1,\"fields\":{\"name\":\"Anna\",\"total\":\"3.00\"},\"items\":[{\"name\":\"Mug\",\"price\":\"3.00\",\"quantity\":\"1\"}]}",
             "what is replaced takes its remarks along");
}


static void
test_fill(void)
{
    exchange_t    x[2];
    b24_order_t  *session, *order;
    b24_str_t     json;

    shop_load(CART);

    x[0] = (exchange_t) { .target = "/all", .answer = "{\"ok\":1}",
                          .body = "{\"total\":\"5\",\"name\":\"Anna\",\"last\":\"Last\",\"phone\":\"1\",\"a\":\"A\",\"b\":\"B\",\"items\":[{\"n\":\"Tea\"}]}" };
    session = session_of(x, 1);

    order = b24_order_create(pool);
    (void) b24_order_fill(pool, order, session);
    is_order(order, "{\"v\":1,\"fields\":{\"name\":\"Anna\",\"last_name\":\"Last\",\"phone\":\"1\",\"total\":\"5.00\"},\"items\":[{\"name\":\"Tea\"}],\"deal\":{\"UF_CRM_A\":\"A\",\"UF_CRM_B\":\"B\"},\"collected\":true}",
             "all of it");

    json = str("{\"v\":1,\"fields\":{\"name\":\"Otto\",\"total\":\"7\"},\"items\":[{\"name\":\"Mug\"}],\"deal\":{\"UF_CRM_A\":\"own\"}}");
    (void) b24_order_parse(pool, &json, &order);
    (void) b24_order_fill(pool, order, session);
    is_order(order, "{\"v\":1,\"fields\":{\"name\":\"Otto\",\"phone\":\"1\",\"total\":\"7\"},\"items\":[{\"name\":\"Mug\"}],\"deal\":{\"UF_CRM_A\":\"own\",\"UF_CRM_B\":\"B\"}}",
             "a whole name takes no part of one, own rows no others");

    json = str("{\"v\":1,\"fields\":{\"first_name\":\"Otto\"}}");
    (void) b24_order_parse(pool, &json, &order);
    (void) b24_order_fill(pool, order, session);
    is_order(order, "{\"v\":1,\"fields\":{\"first_name\":\"Otto\",\"last_name\":\"Last\",\"phone\":\"1\",\"total\":\"5.00\"},\"items\":[{\"name\":\"Tea\"}],\"deal\":{\"UF_CRM_A\":\"A\",\"UF_CRM_B\":\"B\"},\"collected\":true}",
             "a part takes no whole one");

    x[0].body = "{\"total\":\"abc\",\"items\":[{\"p\":\"x\",\"n\":\"a\"}]}";
    session = session_of(x, 1);
    json = str("{\"v\":1,\"fields\":{\"total\":\"7\"}}");
    (void) b24_order_parse(pool, &json, &order);
    (void) b24_order_fill(pool, order, session);
    is_order(order, "{\"v\":1,\"fields\":{\"total\":\"7\"},\"items\":[{\"name\":\"a\"}],\"remarks\":[{\"code\":\"item price\",\"text\":\"the shop's \\\"item price\\\" is not a number and was left out\"}]}",
             "remarks on what the order gives itself don't matter");
}


/* the session's currency after answers of the cart (code) and of pages */
static void
is_currency(const char *answers[3], const char *want, const char *name)
{
    size_t      i;
    exchange_t  x[3];

    for (i = 0; i < 3 && answers[i]; i++) {
        x[i] = (exchange_t) { .target = answers[i][0] == '/' ? "/code" : "/page",
                              .answer = answers[i] + (answers[i][0] == '/') };
    }

    is_order(session_of(x, i), want, name);
}


#define CURRENCY(c)  "{\"v\":1,\"fields\":{\"currency\":\"" c "\",\"total\":\"5.00\"}"
#define NO_CURRENCY  "{\"v\":1,\"fields\":{\"total\":\"5.00\"},\"remarks\":[{\"code\":\"currency\",\"text\":\"the shop's \\\"currency\\\" is not a code of three letters and was left out\"}]}"
#define CODE(c)      "/{\"c\":\"" c "\",\"t\":5}"
#define PAGE(t)      "{\"c\":\"" t "\",\"t\":5}"


static void
test_currency(void)
{
    b24_str_t     json;
    b24_order_t  *session, *order;

    shop_load("session $cookie_sid;"
              "collect code { uri /code; currency response:/c; total response:/t; }"
              "collect page { uri /page; currency response:/c; total response:/t; }"
              "order { uri /order; id response:/id; currency request:/c; }");

    is_currency((const char *[3]) { PAGE("5 ₽") }, CURRENCY("RUB") ",\"sign\":true}", "a sign");
    is_currency((const char *[3]) { PAGE("5 $") }, NO_CURRENCY, "one of several currencies");
    is_currency((const char *[3]) { CODE("GIP"), PAGE("£5") }, CURRENCY("GIP") "}", "a code before it stays");
    is_currency((const char *[3]) { PAGE("£5"), CODE("GIP") }, CURRENCY("GIP") "}", "a later code counts");
    is_currency((const char *[3]) { PAGE("5 ₽"), PAGE("€5") }, CURRENCY("EUR") ",\"sign\":true}", "so does a later sign");
    is_currency((const char *[3]) { CODE("RUB"), CODE("EUR") }, CURRENCY("EUR") "}", "and a code after a code");
    is_currency((const char *[3]) { CODE("CAD"), PAGE("$5") }, CURRENCY("CAD") "}", "what isn't told changes nothing, and no word on it");
    is_currency((const char *[3]) { PAGE("$5"), CODE("CAD") }, CURRENCY("CAD") "}", "the word goes with the code");
    is_currency((const char *[3]) { PAGE("€5"), PAGE("$5") }, CURRENCY("EUR") ",\"sign\":true}", "nor does it after a sign");
    is_currency((const char *[3]) { CODE("CAD"), CODE("") }, CURRENCY("CAD") "}", "none at all");

    /* what the order says itself */

    json = str(CURRENCY("EUR") ",\"sign\":true}");
    (void) b24_order_parse(pool, &json, &session);
    order = b24_order_create(pool);
    (void) b24_order_fill(pool, order, session);
    is_order(order, CURRENCY("EUR") ",\"collected\":true,\"sign\":true}", "nothing: the session's");

    json = str(CURRENCY("GBP") "}");
    (void) b24_order_parse(pool, &json, &order);
    (void) b24_order_fill(pool, order, session);
    is_order(order, CURRENCY("GBP") "}", "a code");

    json = str(CURRENCY("RUB") ",\"sign\":true}");
    (void) b24_order_parse(pool, &json, &order);
    (void) b24_order_fill(pool, order, session);
    is_order(order, CURRENCY("RUB") ",\"sign\":true}", "a sign, the session's is one too");

    json = str(CURRENCY("GIP") "}");
    (void) b24_order_parse(pool, &json, &session);
    (void) b24_order_fill(pool, order, session);
    is_order(order, CURRENCY("GIP") "}", "a sign, the session's is a code");
}


/* what an exchange makes of a session's text that may have "most" bytes */
static void
is_stored(const exchange_t *x, size_t most, int rc, const char *want,
    const char *name)
{
    int           got;
    b24_order_t  *session;
    b24_str_t     text = str("{\"v\":1,\"fields\":{\"name\":\"Anna\",\"total\":"
                           "\"5.00\"},\"items\":[{\"name\":\"Tea\"}]}");

    got = b24_collect_store(pool, &text, collect(x), most);

    if (b24_collect_session(pool, &text, &session) == B24_OK) {
        b24_from_forget(session);
        (void) b24_order_print(pool, session, &text);
    }

    if (!ok(got == rc && b24_str_eqs(&text, want), "%s", name)) {
        printf("#      got: %d %.*s\n# expected: %d %s\n", got,
               (int) text.len, (char *) text.data, rc, want);
    }
}


#define TOO_MUCH  "what was collected last is more than a session may hold "  \
                  "(b24_sessions) and was left out"
#define LONG      " long, long, long, long, long, long, long, long, long, long,"


static void
test_store(void)
{
    exchange_t  x;

    shop_load("session $cookie_sid;"
              "collect { uri /cart; total response:/t;"
              "items response:/i { name \"\"; } }"
              "collect { uri ~ /; comment response:/c; }"
              "collect { uri /utm; deal UF_CRM_A response:/a; }");

    x = (exchange_t) { .answer = "{\"t\":7,\"i\":[\"Mug\"],\"c\":\"so\"}" };
    is_stored(&x, 4000, B24_OK, "{\"v\":1,\"fields\":{\"name\":\"Anna\","
              "\"comment\":\"so\",\"total\":\"7.00\"},\"items\":[{\"name\":"
              "\"Mug\"}]}", "it fits");

    x.answer = "{\"t\":7,\"c\":\"so\",\"i\":[\"Mug 1\",\"Mug 2\",\"Mug 3\","
               "\"Mug 4\",\"Mug 5\",\"Mug 6\",\"Mug 7\",\"Mug 8\",\"Mug 9\","
               "\"Mug 10\",\"Mug 11\",\"Mug 12\",\"Mug 13\",\"Mug 14\"]}";
    is_stored(&x, 260, B24_DECLINED, "{\"v\":1,\"fields\":{\"name\":\"Anna\","
              "\"comment\":\"so\"},\"remarks\":[{\"code\":\"items\",\"text\":\""
              TOO_MUCH "\"}]}", "a block that does not goes with what was "
              "known of it, the others stay");

    x = (exchange_t) { .target = "/other", .answer = "{\"c\":\"a" LONG LONG LONG
                       " comment\"}" };
    is_stored(&x, 220, B24_DECLINED, "{\"v\":1,\"fields\":{\"name\":\"Anna\","
              "\"total\":\"5.00\"},\"items\":[{\"name\":\"Tea\"}],\"remarks\":["
              "{\"code\":\"comment\",\"text\":\"" TOO_MUCH "\"}]}",
              "a field");
    is_stored(&x, 180, B24_DECLINED, "{\"v\":1,\"fields\":{},\"remarks\":["
              "{\"code\":\"comment\",\"text\":\"" TOO_MUCH "\"}]}",
              "no room to say so: nothing of it stays");

    x = (exchange_t) { .target = "/utm", .answer = "{\"a\":\"a" LONG LONG LONG
                       " value\"}" };
    is_stored(&x, 220, B24_DECLINED, "{\"v\":1,\"fields\":{\"name\":\"Anna\","
              "\"total\":\"5.00\"},\"items\":[{\"name\":\"Tea\"}],\"remarks\":["
              "{\"code\":\"session\",\"text\":\"" TOO_MUCH "\"}]}",
              "a field of the CRM");

    x.status = 1;
    is_stored(&x, 10, B24_OK, "{\"v\":1,\"fields\":{\"name\":\"Anna\",\"total\":"
              "\"5.00\"},\"items\":[{\"name\":\"Tea\"}]}",
              "an answer that wasn't seen changes nothing");
}


static void
is_phone(const exchange_t *x, const char *want, const char *name)
{
    b24_str_t       none;
    b24_collect_t  *list;

    memset(&none, 0, sizeof(none));
    list = collect(x);

    if (list && list->order) {
        none = list->order->fields[B24_ORDER_PHONE];
    }

    if (!ok(b24_str_eqs(&none, want), "%s", name)) {
        printf("#      got: %.*s\n# expected: %s\n", (int) none.len,
               none.data ? (char *) none.data : "", want);
    }
}


static void
test_learned(void)
{
    exchange_t       x;
    b24_event_t      event;
    b24_input_t      in;
    b24_partial_t   *partial;
    b24_collect_t   *list;

    shop_load("session $cookie_sid;"
              "collect page { uri /page; accept status =200; learn p response:/props/[IS_PHONE=Y]/ID; learn q response:/q; phone \"request:/P_%{p}\"; }"
              "collect two { uri /two; phone \"request:/%{p}/[ID=%{q}]/%{p}\"; }"
              "order { uri /order; accept response:/ok; learn p request:/is; id response:/id; phone \"request:/P_%{p}\" \"response:/P_%{p}\"; }");

    x = (exchange_t) { .target = "/page", .body = "{\"P_3\":\"+7\"}",
                       .answer = "{\"props\":[{\"ID\":2},{\"ID\":3,\"IS_PHONE\":\"Y\"}]}" };
    is_phone(&x, "+7", "learned and used in one exchange");
    list = collect(&x);
    ok(list->learned && b24_str_eqs(&list->learned->name, "p")
       && b24_str_eqs(&list->learned->value, "3")
       && list->learned->next == NULL, "and told");

    x.learned[0] = "p";
    x.learned[1] = "8";
    x.body = "{\"P_3\":\"\",\"P_8\":\"+8\"}";
    is_phone(&x, "", "what it tells itself is all that counts");
    x.learned[0] = NULL;

    x.answer = "{}";
    is_phone(&x, "", "nothing is known");
    x = (exchange_t) { .target = "/page", .body = "{\"P_3\":\"+7\",\"P_5\":\"\",\"P_4\":\"+8\"}",
                       .answer = "{}", .learned = { "p", "9", "p", "5", "p", "3", "p", "4" } };
    is_phone(&x, "+7", "the newest that leads to something");
    x.status = 500;
    x.answer = "{\"props\":[{\"ID\":4,\"IS_PHONE\":\"Y\"}]}";
    list = collect(&x);
    ok(list->outcome == B24_OUTCOME_REJECTED && list->learned == NULL,
       "a refused one teaches nothing");

    x = (exchange_t) { .target = "/two", .body = "{\"b\":[{\"ID\":\"1\",\"a\":\"no\",\"b\":\"+7\"},{\"ID\":\"2\",\"b\":\"+8\"}]}",
                       .learned = { "p", "a", "p", "b", "q", "7", "q", "2" } };
    is_phone(&x, "+8", "a name is the same value all along a pointer");
    x.learned[3] = "c";
    is_phone(&x, "", "no two of them");

    x = (exchange_t) { .target = "/order", .body = "{\"P_3\":\"+7\",\"is\":\"x1\"}",
                       .answer = "{\"ok\":1,\"id\":5,\"P_9\":\"+8\"}",
                       .learned = { "p", "9", "p", "3" } };
    input(&x, &in);
    ok(b24_extract_request(pool, shop, b24_shop_candidates(pool, shop, &in),
                           &in, &partial) == B24_OK
       && b24_extract_answer(pool, shop, partial, &in, &event) == B24_OK
       && b24_str_eqs(&event.order->fields[B24_ORDER_PHONE], "+7"),
       "in an order, request first");
    ok(event.learned && b24_str_eqs(&event.learned->value, "x1"),
       "an order teaches, too");
    in.answer = str("{\"ok\":false}");
    ok(b24_extract_answer(pool, shop, partial, &in, &event) == B24_OK
       && event.outcome == B24_OUTCOME_REJECTED && event.learned == NULL,
       "a refused one doesn't");
}


static void
is_id(const exchange_t *x, const char *want, const char *cause,
    const char *name)
{
    b24_str_t       json, *id;
    b24_event_t     event;
    b24_input_t     in;
    b24_partial_t  *partial;

    input(x, &in);

    if (b24_extract_request(pool, shop, b24_shop_candidates(pool, shop, &in),
                            &in, &partial) != B24_OK
        || b24_partial_print(pool, partial, &json) != B24_OK
        || b24_partial_parse(pool, shop, &json, &partial) != B24_OK)
    {
        ok(0, "%s: first stage", name);
        return;
    }

    /* the journal's entry has it: the session may be gone by then */

    in.round.len = 0;
    (void) b24_extract_answer(pool, shop, partial, &in, &event);

    id = &event.order->fields[B24_ORDER_ID];

    if (!ok(b24_str_eqs(id, want)
            && (cause ? b24_str_find(&event.cause, 0, cause) >= 0
                      : event.outcome == B24_OUTCOME_ACCEPTED), "%s", name))
    {
        printf("# \"%.*s\", %.*s\n", (int) id->len,
               id->data ? (char *) id->data : "", (int) event.cause.len,
               event.cause.data ? (char *) event.cause.data : "");
    }
}


static void
test_generated(void)
{
    exchange_t  x;

    shop_load("session $cookie_sid; order { uri /order; id response:/id generated; }"
              "order own { uri /own; id generated; }"
              "order text { uri /text; id response:/id \"%{request:/a}\"; }");

    x = (exchange_t) { .target = "/own", .answer = "{}", .round = "00ff" };
    is_id(&x, "00ff", NULL, "the round's number");
    x.round = NULL;
    is_id(&x, "", "nothing was collected", "no session, no number");
    x = (exchange_t) { .target = "/order", .answer = "{\"id\":7}",
                       .round = "00ff" };
    is_id(&x, "7", NULL, "the shop's own number first");
    x.answer = "{}";
    is_id(&x, "00ff", NULL, "else the round's");
    x = (exchange_t) { .target = "/text", .answer = "{}", .round = "00ff" };
    is_id(&x, "", "no order number", "others are not given one");
}


/* the document's member "from" */
static void
is_from(const b24_order_t *order, const char *want, const char *name)
{
    b24_buf_t     out;
    b24_str_t     got, again, json;
    b24_order_t  *parsed;

    b24_buf_init(&out, pool);
    b24_from_print(&out, order);

    if (b24_buf_str(&out, &got) != B24_OK || !ok(b24_str_eqs(&got, want), "%s", name)) {
        printf("#      got: %.*s\n# expected: %s\n", (int) got.len, (char *) got.data, want);
        return;
    }

    if (b24_order_print(pool, order, &json) != B24_OK || b24_order_parse(pool, &json, &parsed) != B24_OK) {
        ok(0, "%s: as a document", name);
        return;
    }

    b24_buf_init(&out, pool);
    b24_from_print(&out, parsed);
    ok(b24_buf_str(&out, &again) == B24_OK && b24_str_eq(&again, &got), "... and so in its document");
}


/* the order of an exchange, as it is accepted; filled from a session's text */
static b24_order_t *
ordered(const exchange_t *x, const b24_str_t *text)
{
    b24_event_t     event;
    b24_input_t     in;
    b24_order_t    *session;
    b24_partial_t  *partial;

    input(x, &in);

    if (b24_extract_exchange(pool, shop, b24_shop_candidates(pool, shop, &in), &in, &partial, &event) != B24_OK
        || b24_collect_session(pool, text, &session) != B24_OK
        || b24_order_fill(pool, event.order, session) != B24_OK)
    {
        ok(0, "an order");
        exit(1);
    }

    return event.order;
}


static void
test_from(void)
{
    b24_str_t     text, none;
    b24_node_t   *row, *items;
    exchange_t    x;
    b24_order_t  *order;

    shop_load("session $cookie_sid; collect cart { uri /cart*; total response:/total; currency RUB; items response:/items { name /n; } }"
              "collect who { uri /who*; phone request:/phone; email response:/email; deal UF_CRM_A $a; }"
              "collect again { uri /again; email request:/email; deal UF_CRM_A request:/a; }"
              "order save { uri /order; id response:/id; name request:/name; email request:/email;"
              "  comment \"%{request:/note} %{response:/note}\"; deal UF_CRM_B query:/b; contact UF_CRM_C text:c; }"
              "database { order \"SELECT 1\"; items \"SELECT 1\"; }");

    memset(&text, 0, sizeof(b24_str_t));
    memset(&none, 0, sizeof(b24_str_t));

    x = (exchange_t) { .target = "/cart/+79161234567/a@b.example/t%20x/12345?phone=1",
                       .answer = "{\"total\":5,\"items\":[{\"n\":\"x\"}]}" };
    is_int(b24_collect_store(pool, &text, collect(&x), 4096), B24_OK, "a cart");
    x = (exchange_t) { .target = "/who", .body = "{\"phone\":\"1\"}", .answer = "{\"email\":\"a@b.example\"}",
                       .vars = { "$a", "1" } };
    is_int(b24_collect_store(pool, &text, collect(&x), 4096), B24_OK, "a buyer");

    x = (exchange_t) { .target = "/order?b=2", .body = "{\"name\":\"N\",\"note\":\"x\"}",
                       .answer = "{\"id\":7,\"note\":\"y\"}" };
    order = ordered(&x, &none);
    is_from(order, ",\"from\":[{\"block\":\"order save\",\"on\":\"POST /order\",\"rule\":\"contact.UF_CRM_C\","
                   "\"request\":\"name deal.UF_CRM_B\",\"answer\":\"id comment\"}]",
            "an order's own values: what is of both sides is the answer's");

    order = ordered(&x, &text);
    is_from(order, ",\"from\":[{\"block\":\"order save\",\"on\":\"POST /order\",\"rule\":\"contact.UF_CRM_C\","
                   "\"request\":\"name deal.UF_CRM_B\",\"answer\":\"id comment\"},"
                   "{\"block\":\"collect who\",\"on\":\"POST /who\",\"variable\":\"deal.UF_CRM_A\","
                   "\"request\":\"phone\",\"answer\":\"email\"},"
                   "{\"block\":\"collect cart\",\"on\":\"POST /cart/*/*/*/12345\",\"rule\":\"currency\","
                   "\"answer\":\"total items\"}]",
            "what earlier requests gave is theirs; nothing of a path tells who it was");

    x = (exchange_t) { .target = "/again", .body = "{\"email\":\"c@d.example\",\"a\":2}", .answer = "{}" };
    is_int(b24_collect_store(pool, &text, collect(&x), 4096), B24_OK, "another page");
    x = (exchange_t) { .target = "/order", .body = "{\"name\":\"N\"}", .answer = "{\"id\":7}" };
    order = ordered(&x, &text);
    is_from(order, ",\"from\":[{\"block\":\"order save\",\"on\":\"POST /order\",\"rule\":\"contact.UF_CRM_C\","
                   "\"request\":\"name\",\"answer\":\"id\"},"
                   "{\"block\":\"collect who\",\"on\":\"POST /who\",\"request\":\"phone\"},"
                   "{\"block\":\"collect again\",\"on\":\"POST /again\",\"request\":\"email deal.UF_CRM_A\"},"
                   "{\"block\":\"collect cart\",\"on\":\"POST /cart/*/*/*/12345\",\"rule\":\"currency\","
                   "\"answer\":\"total items\"}]",
            "what is replaced is the later one's");

    /* where there is no room, values go before where they are from */

    text = str("");
    x = (exchange_t) { .target = "/who", .body = "{\"phone\":\"1\"}", .answer = "{\"email\":\"a@b.example\"}" };
    is_int(b24_collect_store(pool, &text, collect(&x), 60), B24_OK, "a small session");
    ok(b24_str_eqs(&text, "{\"v\":1,\"fields\":{\"phone\":\"1\",\"email\":\"a@b.example\"}}"), "has the values");

    text = str("{\"id\":\"8\",\"delivery\":\"1\",\"total\":\"9\"}");
    is_int(b24_json_parse(pool, &text, 0, &row), B24_OK, "a row");
    text = str("[{\"name\":\"y\"}]");
    is_int(b24_json_parse(pool, &text, 0, &items), B24_OK, "and goods");
    is_int(b24_order_merge(pool, shop, order, row, items), B24_OK, "of the database");
    is_from(order, ",\"from\":[{\"block\":\"database order\",\"database\":\"id total delivery\"},"
                   "{\"block\":\"order save\",\"on\":\"POST /order\",\"rule\":\"contact.UF_CRM_C\",\"request\":\"name\"},"
                   "{\"block\":\"collect who\",\"on\":\"POST /who\",\"request\":\"phone\"},"
                   "{\"block\":\"collect again\",\"on\":\"POST /again\",\"request\":\"email deal.UF_CRM_A\"},"
                   "{\"block\":\"database items\",\"database\":\"items\"}]",
            "the database's is its statements'");

    /* a directive's value is of no request */

    text = str("UF_CRM_A");
    none = str("z");
    is_int(b24_pair_set(pool, &order->deal, &text, &none), B24_OK, "b24_deal");
    ok(order->deal && b24_pair_get(order->deal, &text)->from.place == NULL, "takes the place of what was captured");

    /* of another version, or broken: the order is there all the same */

    text = str("{\"v\":1,\"origin\":\"o\",\"fields\":{\"id\":\"1\",\"name\":\"n\"},\"from\":[7,{\"block\":3,\"request\":\"id  x  name \"},"
               "{\"request\":[\"id\"],\"next\":\"id\",\"answer\":\"deal.X deal. total\"}]}");
    is_int(b24_order_parse(pool, &text, &order), B24_OK, "a strange list");
    is_from(order, ",\"from\":[{\"block\":\"\",\"request\":\"id name\"}]", "what can be read of it");
}


int
main(void)
{
    test_sessions();
    test_collect();
    test_fill();
    test_currency();
    test_store();
    test_learned();
    test_generated();
    test_from();

    b24_pool_destroy(pool);

    return done_testing();
}
