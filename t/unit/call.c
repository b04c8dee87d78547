
/* Blocks "write": what is sent to the shop, and what its answers mean. */


#include "tap.h"
#include "shopconf.h"
#include "b24_call.h"
#include "b24_rules_int.h"

#include <stdlib.h>


#define SESSID  "0123456789abcdef0123456789abcdef"

#define W(lines)  "b24_shop s { write a { url \"%{site}/a\"; accept status =200; " lines " } }"


/* what docs/rules.md gives as an example */
static const char  check[] =
    "b24_shop s : bitrix {"
    " write check {"
    "  when status \"!~^(CANCELED|PAID|SHIPPED)$\";"
    "  method GET;"
    "  url \"%{site}/bitrix/admin/1c_exchange.php?type=crm&mode=query&ORDER_ID=%{row}\";"
    "  header Cookie \"%{cookie}=%{value}\";"
    "  accept response: \"~<ItemName>OrderStatus</ItemName>\\s*<Value>\\[([^\\]]*)\\]\" \"=%{status}\";"
    " }"
    "}";


static b24_pool_t          *pool;
static b24_rules_t         *rules;
static const b24_shop_t    *shop;
static b24_str_t            values[B24_CALL_NVALUES];
static b24_call_run_t      *run;
static b24_call_request_t   request;
static b24_call_verdict_t   verdict;
static b24_pair_t           headers[2];


static const char  *results[] = {
    "ok", "auth", "done", "skipped", "retry", "refused"
};


static void
load(const char *text)
{
    if (conf_load(pool, rules, text) != B24_OK) {
        printf("Bail out! %s\n# %s\n", b24_rules_error(rules), text);
        exit(1);
    }
}


/* rules to begin with, and the values of a run */
static void
anew(void)
{
    b24_pool_destroy(pool);
    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    memset(values, 0, sizeof(values));
    memset(headers, 0, sizeof(headers));
    values[B24_CALL_SITE] = str("https://shop.example/");
    values[B24_CALL_USER] = str("crm");
    values[B24_CALL_PASSWORD] = str("s3cret pass");
    values[B24_CALL_ID] = str("A/57");
    values[B24_CALL_ROW] = str("57");
    values[B24_CALL_STATUS] = str("P");
    values[B24_CALL_PREVIOUS] = str("N");
    values[B24_CALL_CANCELED] = str("N");
}


static void
take(const char *name)
{
    b24_str_t  n;

    n = str(name);
    shop = b24_rules_find(rules, &n);
}


/* the shop s of a text */
static void
own(const char *text)
{
    anew();
    load(text);
    take("s");
}


/* a shop of a file that comes with the module */
static void
preset(const char *file, const char *name)
{
    char         path[128];
    FILE        *in;
    size_t       n;
    static char  text[1 << 18];

    snprintf(path, sizeof(path), "ngx_http_b24_module/shops/%s.conf", file);

    in = fopen(path, "r");

    if (in == NULL) {
        printf("Bail out! %s is not there\n", path);
        exit(1);
    }

    n = fread(text, 1, sizeof(text) - 1, in);
    text[n] = '\0';
    fclose(in);

    anew();
    load(text);
    take(name);
}


static void
begin(void)
{
    if (b24_call_begin(pool, shop, values, &run) != B24_OK) {
        printf("Bail out! no run\n");
        exit(1);
    }
}


static void
print_verdict(b24_buf_t *buf)
{
    b24_buf_adds(buf, results[verdict.result]);
    b24_buf_addc(buf, ' ');
    b24_buf_addstr(buf, &verdict.block);
    b24_buf_adds(buf, ": ");
    b24_buf_addstr(buf, &verdict.reason);

    if (verdict.said.len) {
        b24_buf_adds(buf, " <");
        b24_buf_addstr(buf, &verdict.said);
        b24_buf_addc(buf, '>');
    }
}


/* "METHOD URL|Header: value|body", or the verdict */
static void
next(const char *want, const char *name)
{
    int          rc;
    b24_buf_t    buf;
    b24_str_t    text;
    b24_pair_t  *h;

    b24_buf_init(&buf, pool);
    rc = b24_call_next(run, &request, &verdict);

    if (rc == B24_OK) {
        b24_buf_addstr(&buf, &request.method);
        b24_buf_addc(&buf, ' ');
        b24_buf_addstr(&buf, &request.url);

        for (h = request.headers; h; h = h->next) {
            b24_buf_addc(&buf, '|');
            b24_buf_addstr(&buf, &h->name);
            b24_buf_adds(&buf, ": ");
            b24_buf_addstr(&buf, &h->value);
        }

        if (request.has_body) {
            b24_buf_addc(&buf, '|');
            b24_buf_addstr(&buf, &request.body);
        }

    } else if (rc == B24_DECLINED) {
        print_verdict(&buf);

    } else {
        b24_buf_adds(&buf, "error");
    }

    (void) b24_buf_str(&buf, &text);
    is_str(&text, want, name);
}


static void
answer(unsigned status, const char *body, const char *want, const char *name)
{
    b24_buf_t    buf;
    b24_str_t    text;
    b24_input_t  in;

    memset(&in, 0, sizeof(in));
    in.status = status;
    in.answer = str(body);
    in.answer_state = body[0] ? B24_BODY_FULL : B24_BODY_NONE;
    in.answer_max = 1 << 20;
    in.headers = headers[0].name.len ? headers : NULL;

    b24_buf_init(&buf, pool);

    if (b24_call_answer(run, &in, &verdict) == B24_OK) {
        print_verdict(&buf);

    } else {
        b24_buf_adds(&buf, "error");
    }

    (void) b24_buf_str(&buf, &text);
    is_str(&text, want, name);
}


static void
header(const char *name, const char *value)
{
    headers[0].name = str(name);
    headers[0].value = str(value);
}


/* ---- 1C-Bitrix ---- */

#define CHECKAUTH  "success\nPHPSESSID\n9f2kq0aaaaaaaaaaaaaaaaaaaaaaaaaa\nsessid=" SESSID "\n"

#define LOGIN_CALL                                                            \
    "GET https://shop.example/bitrix/admin/1c_exchange.php?type=crm&mode=checkauth" \
    "|Authorization: Basic Y3JtOnMzY3JldCBwYXNz"

#define AJAX_CALL                                                             \
    "POST https://shop.example/bitrix/admin/sale_order_ajax.php"              \
    "|Cookie: PHPSESSID=9f2kq0aaaaaaaaaaaaaaaaaaaaaaaaaa"                     \
    "|Content-Type: application/x-www-form-urlencoded|"

#define CHECK_CALL                                                            \
    "GET https://shop.example/bitrix/admin/1c_exchange.php?type=crm&mode=query&ORDER_ID=57" \
    "|Cookie: PHPSESSID=9f2kq0aaaaaaaaaaaaaaaaaaaaaaaaaa"

#define ORDER_XML(status)                                                     \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><CommerceInformation><Document><Id>57</Id>" \
    "<PropertiesValues><PropertyValue><ItemName>Canceled</ItemName><Value>false</Value></PropertyValue>" \
    "<PropertyValue><ItemName>OrderStatus</ItemName><Value>[" status "] \xd0\x9f</Value></PropertyValue>" \
    "</PropertiesValues></Document></CommerceInformation>"

#define LOGIN_PAGE                                                            \
    "<!DOCTYPE html><html><form method=post><input name=\"USER_LOGIN\">"      \
    "<input TYPE=\"password\" name=\"USER_PASSWORD\"></form></html>"


static void
logged_in(void)
{
    begin();
    next(LOGIN_CALL, "bitrix: logs in");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
}


static void
bitrix_login(void)
{
    preset("bitrix", "bitrix");
    logged_in();
}


static void
bitrix_check(void)
{
    preset("bitrix", "bitrix");
    load(check);
    take("s");
    logged_in();
}


static void
test_bitrix(void)
{
    bitrix_login();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "saves the status");
    answer(200, "{\"RESULT\":\"OK\"}", "ok status: the shop accepts it (200)", "it says so");
    next("done : the shop has made the change", "done");
    next("done : the shop has made the change", "and stays so");

    /* an heir that looks at the order afterwards */

    bitrix_check();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "saves the status");
    answer(200, "{\"RESULT\":\"OK\"}", "ok status: the shop accepts it (200)", "it says so");
    next(CHECK_CALL, "looks at the order");
    answer(200, ORDER_XML("P"), "ok check: the shop accepts it (200)", "it has the status");
    next("done : the shop has made the change", "done");

    /* a silent refusal: "OK" and nothing happened */

    bitrix_check();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "silent refusal");
    answer(200, "{\"RESULT\":\"OK\"}", "ok status: the shop accepts it (200)", "it says OK");
    next(CHECK_CALL, "looks at the order");
    answer(200, ORDER_XML("N"), "refused check: the shop answered 200, but \"accept response: ~<ItemName>OrderStatus</ItemName>\\s*<Value>\\[([^\\]]*)\\] =%{status}\" does not hold", "it has not");
    is_str(&verdict.advice, "the user of b24_site may not be allowed this change, or the order is locked in the shop: try it there by hand as that user", "advice");
    next("refused check: the shop answered 200, but \"accept response: ~<ItemName>OrderStatus</ItemName>\\s*<Value>\\[([^\\]]*)\\] =%{status}\" does not hold", "nothing comes after it");

    /* told refusals */

    bitrix_login();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "refusal");
    answer(200, "{\"RESULT\":\"ERROR\",\"ERROR\":\"Status P is <b>forbidden</b> for sessid " SESSID "\",\"ERRORS\":[\"x\"]}",
           "refused status: the shop answered 200, but \"accept response:/RESULT =OK\" does not hold <Status P is forbidden for sessid (secret)>", "told");

    bitrix_login();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "confirmation");
    answer(200, "{\"RESULT\":\"OK\",\"NEED_CONFIRM\":true,\"CONFIRM_TITLE\":\"?\"}",
           "refused status: the shop answered 200, but \"accept response:/NEED_CONFIRM !\" does not hold", "nothing was saved");

    /* a session that is over: once again from the first block */

    bitrix_login();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "expired session");
    answer(200, "{\"SYSTEM_ERROR\":\"Access denied!\"}", "auth status: the shop refuses the session <Access denied!>", "SYSTEM_ERROR");
    next(LOGIN_CALL, "logs in again");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "tries again");
    answer(200, "{\"SYSTEM_ERROR\":\"Access denied!\"}", "refused status: the shop refuses a new session as well <Access denied!>", "a right is missing");
    is_str(&verdict.advice, "give the user of b24_site the right to change orders in the shop; a firewall in front of it may be the cause as well", "advice");
    is_int(verdict.session, 1, "or this one was over at once");

    bitrix_login();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "login page");
    answer(200, LOGIN_PAGE, "auth status: the shop asks for a login in place of an answer (200)", "a login page");
    next(LOGIN_CALL, "logs in again");
    answer(200, LOGIN_PAGE, "refused login: the shop asks for a login in place of an answer (200)", "not twice");
    is_str(&verdict.advice, "check user= and password= of b24_site: log in to the shop with them by hand", "advice");

    /* of the session that is over nothing is left */

    bitrix_login();
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "old values");
    answer(401, "", "auth status: the shop refuses the login (401)", "the session is over");
    next(LOGIN_CALL, "logs in again");
    answer(200, "success\nPHPSESSID\nnew\n", "ok login: the shop accepts it (200)", "without a sessid");
    next("refused status: sessid is not known, and \"body\" needs it", "the old one isn't taken");

    /* wrong password */

    preset("bitrix", "bitrix");
    begin();
    next(LOGIN_CALL, "wrong password");
    answer(200, "failure\n\xce\xf8\xe8\xe1\xea\xe0", "refused login: the shop answered 200, but \"accept response: ~^success\" does not hold", "failure");
    is_str(&verdict.advice, "check user= and password= of b24_site: log in to the shop with them by hand", "advice");

    preset("bitrix", "bitrix");
    begin();
    next(LOGIN_CALL, "401");
    answer(401, "", "refused login: the shop refuses the login (401)", "at once");

    /* an old version without sessid */

    preset("bitrix", "bitrix");
    begin();
    next(LOGIN_CALL, "no sessid");
    answer(200, "success\nPHPSESSID\nabc\n", "ok login: the shop accepts it (200)", "logs in");
    next("refused status: sessid is not known, and \"body\" needs it", "is missed where it is needed");

    /* cancel: the current flag goes along, as the call toggles */

    preset("bitrix", "bitrix");
    values[B24_CALL_STATUS] = str("CANCELED");
    begin();
    next(LOGIN_CALL, "cancel");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next(AJAX_CALL "action=cancelOrder&orderId=57&canceled=N&comment=CRM&sessid=" SESSID, "with the flag as it is");
    answer(200, "{\"RESULT\":\"OK\",\"CANCELED\":\"Y\",\"DATE_CANCELED\":\"x\"}", "ok cancel: the shop accepts it (200)", "canceled");
    next("done : the shop has made the change", "done");

    preset("bitrix", "bitrix");
    values[B24_CALL_STATUS] = str("CANCELED");
    values[B24_CALL_CANCELED] = str("Y");
    begin();
    next("skipped : no \"write\" block is for this change", "canceled already: no login for nothing");

    preset("bitrix", "bitrix");
    values[B24_CALL_STATUS] = str("CANCELED");
    values[B24_CALL_CANCELED] = str("");
    begin();
    next(LOGIN_CALL, "unknown flag");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next("refused cancel: canceled is not known, and \"body\" needs it", "nothing is toggled blindly");
    is_str(&verdict.advice, "a database tells it: set b24_database", "advice");

    /* back from canceled, the session lost between the two: not toggled twice */

    preset("bitrix", "bitrix");
    values[B24_CALL_CANCELED] = str("Y");
    begin();
    next(LOGIN_CALL, "restore");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next(AJAX_CALL "action=cancelOrder&orderId=57&canceled=Y&comment=CRM&sessid=" SESSID, "restores");
    answer(200, "{\"RESULT\":\"OK\",\"CANCELED\":\"N\"}", "ok restore: the shop accepts it (200)", "restored");
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "then the status");
    answer(403, "", "auth status: the shop forbids it (403)", "the session is over");
    next(LOGIN_CALL, "logs in again");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "what is done is not done again");
    answer(500, "", "retry status: the shop answered 500", "an error of the shop");
    next("retry status: the shop answered 500", "ends the run");

    /* a cancelled order keeps its status, so that may be all there is to do */

    preset("bitrix", "bitrix");
    values[B24_CALL_CANCELED] = str("Y");
    values[B24_CALL_PREVIOUS] = str("P");
    logged_in();
    next(AJAX_CALL "action=cancelOrder&orderId=57&canceled=Y&comment=CRM&sessid=" SESSID, "restores");
    answer(200, "{\"RESULT\":\"OK\",\"CANCELED\":\"N\"}", "ok restore: the shop accepts it (200)", "restored");
    next("done : the shop has made the change", "the status is as it was");

    /* PHP as CGI is not told of the login: docs/shops.md */

    preset("bitrix", "bitrix");
    load("b24_shop s : bitrix { write login { method POST; header Authorization \"\";"
         " body \"AUTH_FORM=Y&TYPE=AUTH&USER_LOGIN=%{user}&USER_PASSWORD=%{password}\"; } }");
    take("s");
    begin();
    next("POST https://shop.example/bitrix/admin/1c_exchange.php?type=crm&mode=checkauth"
         "|Content-Type: application/x-www-form-urlencoded"
         "|AUTH_FORM=Y&TYPE=AUTH&USER_LOGIN=crm&USER_PASSWORD=s3cret%20pass", "a form in place of the header");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next(AJAX_CALL "action=saveStatus&orderId=57&statusId=P&sessid=" SESSID, "the rest is the same");

    /* flags that no call can set: nothing is done by halves */

    preset("bitrix", "bitrix");
    values[B24_CALL_STATUS] = str("PAID");
    begin();
    next("skipped : no \"write\" block is for this change", "paid");

    preset("bitrix", "bitrix");
    values[B24_CALL_STATUS] = str("SHIPPED");
    values[B24_CALL_CANCELED] = str("Y");
    begin();
    next("skipped : no \"write\" block is for this change", "shipped, and canceled before");

    /* no row */

    preset("bitrix", "bitrix");
    values[B24_CALL_ROW] = str("");
    begin();
    next(LOGIN_CALL, "no row");
    answer(200, CHECKAUTH, "ok login: the shop accepts it (200)", "checkauth");
    next("refused status: row is not known, and \"body\" needs it", "says what is missing");
    is_str(&verdict.advice, "a database tells it: set b24_database", "advice");

    preset("bitrix", "bitrix");
    values[B24_CALL_USER] = str("");
    begin();
    next("refused login: basic is not known, and \"header\" needs it", "no user");

    is_int(b24_shop_writes(shop), 1, "there are blocks");
    is_int(b24_shop_writes_use(shop, "row"), 1, "that use row");
    is_int(b24_shop_writes_use(shop, "previous"), 1, "and previous, to compare");
    is_int(b24_shop_writes_use(shop, "id"), 0, "not id");
}


/* ---- WooCommerce, OpenCart, PrestaShop ---- */

#define WOO_CALL                                                              \
    "PUT https://shop.example/wp-json/wc/v3/orders/57"                        \
    "|Authorization: Basic Y3JtOnMzY3JldCBwYXNz|Content-Type: application/json" \
    "|{\"status\":\"completed\"}"

static void
woo(void)
{
    preset("woocommerce", "woocommerce");
    values[B24_CALL_STATUS] = str("completed");
    begin();
    next(WOO_CALL, "woocommerce");
}


static void
test_woocommerce(void)
{
    woo();
    answer(200, "<b>Notice</b>: x\n{\"id\":57,\"status\":\"completed\"}", "ok status: the shop accepts it (200)", "accepted");
    next("done : the shop has made the change", "done");

    woo();
    answer(200, "{\"id\":57,\"status\":\"on-hold\"}", "refused status: the shop answered 200, but \"accept response:/status =%{status}\" does not hold", "silent refusal");

    woo();
    answer(401, "{\"code\":\"woocommerce_rest_cannot_edit\",\"message\":\"Sorry\"}", "refused status: the shop refuses the login (401)", "no session that could be renewed");

    woo();
    answer(400, "{\"code\":\"rest_invalid_param\",\"message\":\"Invalid parameter(s): status, s3cret pass, s3cret%20pass, a@b.c, +79161234567 https://x/y\"}",
           "refused status: the shop refuses the call (400) <Invalid parameter(s): status, (secret), (secret), (hidden) (hidden) (hidden)>", "nothing secret or private is told");

    woo();
    answer(404, "{\"code\":\"woocommerce_rest_shop_order_invalid_id\",\"message\":\"Invalid ID.\"}",
           "refused status: the shop does not know this order or this address (404) <Invalid ID.>", "no such order");

    woo();
    answer(404, LOGIN_PAGE, "refused status: the shop does not know this order or this address (404)", "a page not found with a login in it");

    preset("woocommerce", "woocommerce");
    load("b24_shop s : woocommerce { write status { url \"%{site}/?rest_route=/wc/v3/orders/%{row}\"; } }");
    take("s");
    values[B24_CALL_STATUS] = str("completed");
    begin();
    next("PUT https://shop.example/?rest_route=/wc/v3/orders/57"
         "|Authorization: Basic Y3JtOnMzY3JldCBwYXNz|Content-Type: application/json|{\"status\":\"completed\"}", "without friendly URLs");

    woo();
    answer(0, "", "retry status: the shop did not answer", "network");

    woo();
    answer(429, "", "retry status: the shop answered 429", "429");

    woo();
    answer(503, "{\"status\":\"completed\"}", "retry status: the shop answered 503", "503 whatever it says");

    woo();
    answer(200, "{\"status\":", "refused status: the shop's answer could not be read: broken JSON", "broken");

    woo();
    header("Location", "https://www.shop.example/wp-json/wc/v3/orders/57");
    answer(301, "", "refused status: the shop sends the call elsewhere (301)", "moved");

    woo();
    header("location", "https://shop.example/wp-login.php?x");
    answer(302, "", "refused status: the shop asks for a login in place of an answer (302)", "moved to a login");

    woo();
    header("Location", "https://www.authorshop.example/wp-json/wc/v3/orders/57");
    answer(301, "", "refused status: the shop sends the call elsewhere (301)", "a host of that name");

    woo();
    header("Location", "/auth/?backurl=/");
    answer(302, "", "refused status: the shop asks for a login in place of an answer (302)", "an address of the same host");

    woo();
    header("Location", "/wp-login.php?redirect_to=https://shop.example/");
    answer(302, "", "refused status: the shop asks for a login in place of an answer (302)", "an address in its arguments");

    woo();
    header("Location", "//www.loginov.example");
    answer(301, "", "refused status: the shop sends the call elsewhere (301)", "a host alone");

    /* the next call while the answer is due */

    woo();
    next("retry status: the shop did not answer", "an answer nobody brought");
    answer(200, "{}", "error", "is none later");
}


#define OC3_LOGIN                                                             \
    "POST https://shop.example/index.php?route=api/login"                     \
    "|Content-Type: application/x-www-form-urlencoded|username=crm&key=s3cret%20pass"

static void
test_opencart(void)
{
    preset("opencart", "opencart");
    values[B24_CALL_STATUS] = str("5");
    begin();
    next(OC3_LOGIN, "opencart 3: logs in");
    answer(200, "{\"success\":\"Success\",\"api_token\":\"6abd34457a0a4dfca5d109164a\"}", "ok login: the shop accepts it (200)", "a token");
    next("POST https://shop.example/index.php?route=api/order/history&api_token=6abd34457a0a4dfca5d109164a&store_id=0&order_id=57"
         "|Content-Type: application/x-www-form-urlencoded|order_status_id=5&notify=0&override=0&comment=", "adds to the history");
    answer(200, "{\"success\":\"Success: You have modified orders!\"}", "ok status: the shop accepts it (200)", "accepted");
    next("done : the shop has made the change", "done");

    preset("opencart", "opencart");
    values[B24_CALL_STATUS] = str("5");
    values[B24_CALL_PREVIOUS] = str("5");
    begin();
    next("skipped : no \"write\" block is for this change", "not a second time");

    preset("opencart", "opencart");
    begin();
    next(OC3_LOGIN, "an IP that isn't allowed");
    answer(200, "{\"error\":{\"ip\":\"Warning: Your IP 10.0.0.1 is not allowed to access this API!\"}}",
           "refused login: the shop answered 200, but \"accept response:/api_token\" does not hold <Warning: Your IP 10.0.0.1 is not allowed to access this API!>", "the shop's words help");

    preset("opencart", "opencart");
    begin();
    next(OC3_LOGIN, "as recorded");
    answer(200, "[]", "refused login: the shop answered 200, but \"accept response:/api_token\" does not hold", "an empty list");

    preset("opencart", "opencart");
    begin();
    (void) b24_call_next(run, &request, &verdict);
    answer(200, "{\"api_token\":\"aaaaaaaa\"}", "ok login: the shop accepts it (200)", "a token");
    (void) b24_call_next(run, &request, &verdict);
    answer(200, "{\"error\":\"Warning: You do not have permission to access the API, token aaaaaaaa\"}",
           "refused status: the shop answered 200, but \"accept response:/success\" does not hold <Warning: You do not have permission to access the API, token (secret)>", "an error");
}


#define OC4_ADMIN  "https://shop.example/admin4x/index.php?route="

#define OC4_PAGE(dot)                                                         \
    "<form id=\"form-login\" action=\"https://shop.example/admin4x/index.php?route=common/login" dot "login&login_token=T0kenT0kenT0ken\" method=\"post\">" \
    "<input type=\"text\" name=\"username\"/><input type=\"password\" name=\"password\"/></form>"

static void
opencart4(const char *dot, const char *escaped)
{
    char  call[512], page[512];

    preset("opencart", "opencart4");
    values[B24_CALL_SITE] = str("https://shop.example/admin4x");
    values[B24_CALL_STATUS] = str("5");
    begin();
    next("GET " OC4_ADMIN "common/login", "opencart 4: asks for the login's page");

    snprintf(page, sizeof(page), dot[0] == '|' ? OC4_PAGE("|") : OC4_PAGE("."));
    header("Set-Cookie", "language=en-gb; path=/");
    headers[0].next = &headers[1];
    headers[1].name = str("Set-Cookie");
    headers[1].value = str("OCSESSID=0a1b2c3d4e; expires=Tue, 24 Nov 2026 12:52:52 GMT; path=/; HttpOnly");
    answer(200, page, "ok page: the shop accepts it (200)", "a session");

    snprintf(call, sizeof(call), "POST " OC4_ADMIN "common/login%slogin&login_token=T0kenT0kenT0ken|Cookie: OCSESSID=0a1b2c3d4e"
             "|Content-Type: application/x-www-form-urlencoded|username=crm&password=s3cret%%20pass", escaped);
    next(call, "logs in");
    answer(200, "{\"redirect\":\"https:\\/\\/shop.example\\/admin4x\\/index.php?route=common\\/dashboard&user_token=U5erU5er\"}",
           "ok login: the shop accepts it (200)", "a token");

    snprintf(call, sizeof(call), "POST " OC4_ADMIN "sale/order%scall&user_token=U5erU5er&call=history_add&action=sale/order%saddHistory&store_id=0&order_id=57"
             "|Cookie: OCSESSID=0a1b2c3d4e|Content-Type: application/x-www-form-urlencoded"
             "|order_id=57&order_status_id=5&notify=0&override=0&comment=", escaped, escaped);
    next(call, "adds to the history");
}


static void
test_opencart4(void)
{
    opencart4(".", ".");
    answer(200, "{\"success\":\"Success: You have modified orders!\"}", "ok status: the shop accepts it (200)", "accepted");
    next("done : the shop has made the change", "done");

    opencart4("|", "%7C");
    answer(200, "{\"error\":{\"warning\":\"Warning: You do not have permission to modify orders!\"}}",
           "refused status: the shop answered 200, but \"accept response:/success\" does not hold <Warning: You do not have permission to modify orders!>", "a right is missing");

    opencart4(".", ".");
    answer(200, OC4_PAGE("."), "auth status: the shop asks for a login in place of an answer (200)", "the session is over");
    next("GET " OC4_ADMIN "common/login", "once again");
    answer(200, OC4_PAGE("."), "ok page: the shop accepts it (200)", "a session");
    (void) b24_call_next(run, &request, &verdict);
    answer(200, "{\"error\":\"No match for Username and\\/or Password.\"}",
           "refused login: the shop answered 200, but \"accept response:/redirect ~user_token=\" does not hold <No match for Username and/or Password.>", "a wrong password");
    is_str(&verdict.advice, "check user= and password= of b24_site: log in to the shop with them by hand", "advice");
}


/* an "expired" line, where the shop says in words that the session is over */
static void
test_expired(void)
{
    own("b24_shop s { write login { url \"%{site}/login\"; accept response:/token; learn token response:/token; }"
        " write status { url \"%{site}/status?t=%{token}\"; expired response:/error ~permission; accept response:/success; } }");
    begin();
    (void) b24_call_next(run, &request, &verdict);
    answer(200, "{\"token\":\"aaaaaaaa\"}", "ok login: the shop accepts it (200)", "a token");
    next("POST https://shop.example/status?t=aaaaaaaa", "is taken");
    answer(200, "{\"error\":\"You do not have permission, token aaaaaaaa\"}",
           "auth status: the shop refuses the session <You do not have permission, token (secret)>", "an old token");
    next("POST https://shop.example/login", "logs in again");
    answer(200, "{\"token\":\"bbbbbbbb\"}", "ok login: the shop accepts it (200)", "a new one");
    next("POST https://shop.example/status?t=bbbbbbbb", "is taken");
}


static void
test_prestashop(void)
{
    preset("prestashop", "prestashop");
    values[B24_CALL_USER] = str("");
    values[B24_CALL_PASSWORD] = str("KEY");
    values[B24_CALL_STATUS] = str("5");
    begin();
    next("POST https://shop.example/api/order_histories|Authorization: Basic S0VZOg==|Content-Type: application/xml; charset=utf-8"
         "|<prestashop><order_history><id_order>57</id_order><id_order_state>5</id_order_state></order_history></prestashop>", "prestashop");
    answer(201, "<?xml version=\"1.0\"?><prestashop/>", "ok status: the shop accepts it (201)", "created");
    next("done : the shop has made the change", "done");

    preset("prestashop", "prestashop");
    begin();
    (void) b24_call_next(run, &request, &verdict);
    answer(400, "{\"error\":\"No such thing as czNjcmV0IHBhc3M6 (s3cret pass)\"}",
           "refused status: the shop refuses the call (400) <No such thing as (secret) ((secret))>", "the key is told in no form");

    preset("prestashop", "prestashop");
    values[B24_CALL_PASSWORD] = str("K:Y");
    begin();
    next("refused status: key is not known, and \"header\" needs it", "a key that no login can carry");
    is_str(&verdict.advice, "give b24_site a password=file:PATH, without \":\" in it", "advice");

    preset("prestashop", "prestashop");
    values[B24_CALL_PREVIOUS] = str("P");
    begin();
    next("skipped : no \"write\" block is for this change", "not a second time");
}


/* ---- values ---- */

static void
first(const char *lines, const char *want, const char *name)
{
    b24_str_t  keep[B24_CALL_NVALUES];

    memcpy(keep, values, sizeof(keep));
    own(lines);
    memcpy(values, keep, sizeof(keep));
    begin();
    next(want, name);
}


#define A  "POST https://shop.example/a"

static void
test_values(void)
{
    own(W(""));
    values[B24_CALL_ID] = str("\"1\" <&>'/\n\\ \xd0\xaf%");

    first("b24_shop s { write a { url \"%{site}/%{id}?a=%{id}&s=%{site}\"; accept status =200; } }",
          "POST https://shop.example/%221%22%20%3C%26%3E%27%2F%0A%5C%20%D0%AF%25?a=%221%22%20%3C%26%3E%27%2F%0A%5C%20%D0%AF%25&s=https%3A%2F%2Fshop.example",
          "in a URL");
    first(W("body \"a=%{id}&b=%{status}\";"),
          A "|Content-Type: application/x-www-form-urlencoded|a=%221%22%20%3C%26%3E%27%2F%0A%5C%20%D0%AF%25&b=P", "in a form");
    first(W("body '[\"%{id}\"]';"),
          A "|Content-Type: application/json|[\"\\\"1\\\" <&>'/\\n\\\\ \xd0\xaf%\"]", "in JSON");
    first(W("header content-type \"application/vnd.api+json; charset=utf-8\"; body '\"%{id}\"';"),
          A "|content-type: application/vnd.api+json; charset=utf-8|\"\\\"1\\\" <&>'/\\n\\\\ \xd0\xaf%\"", "by its type");
    first(W("body '<a b=\"%{id}\"/>';"),
          A "|Content-Type: application/xml; charset=utf-8|<a b=\"&quot;1&quot; &lt;&amp;&gt;&#39;/\n\\ \xd0\xaf%\"/>", "in XML");
    first(W("header Content-Type text/plain; body \"{%{id}\";"),
          A "|Content-Type: text/plain|{\"1\" <&>'/\n\\ \xd0\xaf%", "in a plain text");
    first(W("header X \"%{id}\";"),
          "refused a: id can't stand in \"header\": it has a line break or another control character", "not in a header");
    first(W("body '{\"id\":%{id}}';"),
          "refused a: id can't stand in \"body\": it is no number and stands outside of quotes", "not bare in JSON");
    first(W("body '{\"id\":%{row},\"s\":\"\\\\\"%{status}\"}';"),
          A "|Content-Type: application/json|{\"id\":57,\"s\":\"\\\"P\"}", "a number may");
    first(W("body '{\"id\":\"\\\\%{id}\"}';"),
          "refused a: id can't stand in \"body\": it stands behind a \"\\\"", "nor behind a backslash");

    values[B24_CALL_ID] = str("a\x01");
    first(W("body \"<a>%{id}</a>\";"),
          "refused a: id can't stand in \"body\": XML can't carry its control characters", "nor control characters in XML");

    values[B24_CALL_ROW] = str("007");
    first(W("body '{\"id\":%{row}}';"),
          "refused a: row can't stand in \"body\": it is no number and stands outside of quotes", "what JSON takes for no number");
    values[B24_CALL_ROW] = str("-0.50");
    first(W("body '{\"id\":%{row}}';"), A "|Content-Type: application/json|{\"id\":-0.50}", "what it does");

    /* addresses */

    values[B24_CALL_ROW] = str("..");
    first("b24_shop s { write a { url \"%{site}/x/%{row}/y\"; accept status =200; } }",
          "refused a: the URL of the call has \"..\" or \".\" in its path", "a value that leads up");
    first("b24_shop s { write a { url \"%{site}/x/%2E%{row}\"; accept status =200; } }",
          "POST https://shop.example/x/%2E..", "three dots don't");
    first("b24_shop s { write a { url \"%{site}/x/.%2e?%{row}\"; accept status =200; } }",
          "refused a: the URL of the call has \"..\" or \".\" in its path", "however it is written");
    first("b24_shop s { write a { url \"%{site}/x?a=%{row}\"; accept status =200; } }",
          "POST https://shop.example/x?a=..", "in arguments it is a text");

    /* nginx takes %2F for a slash as it puts the path in order */

    values[B24_CALL_ID] = str("5/../../api/keys");
    first("b24_shop s { write a { url \"%{site}/x/%{id}\"; accept status =200; } }",
          "refused a: the URL of the call has \"..\" or \".\" in its path", "nor does a slash of its own");
    values[B24_CALL_ID] = str("5\\..\\6");
    first("b24_shop s { write a { url \"%{site}/x/%{id}\"; accept status =200; } }",
          "refused a: the URL of the call has \"..\" or \".\" in its path", "or the other one");
    values[B24_CALL_ID] = str("./5");
    first("b24_shop s { write a { url \"%{site}/x/%{id}\"; accept status =200; } }",
          "refused a: the URL of the call has \"..\" or \".\" in its path", "at its beginning");
    values[B24_CALL_ID] = str("5/..");
    first("b24_shop s { write a { url \"%{site}/x/%{id}?y\"; accept status =200; } }",
          "refused a: the URL of the call has \"..\" or \".\" in its path", "at its end");
    values[B24_CALL_ID] = str("A..5/.6/7.");
    first("b24_shop s { write a { url \"%{site}/x/%{id}\"; accept status =200; } }",
          "POST https://shop.example/x/A..5%2F.6%2F7.", "dots in a number don't");
    values[B24_CALL_ID] = str("A/57");

    first("b24_shop s { write a { url \"%{site}/a b\"; accept status =200; } }",
          "refused a: the URL of the call has a character that must be percent-encoded", "a blank");
    first("b24_shop s { write a { url \"%{site}?a=%{status}\"; accept status =200; } }",
          "POST https://shop.example?a=P", "arguments alone");

    values[B24_CALL_SITE] = str("http://127.0.0.1:8080/shop//");
    first(W(""), "POST http://127.0.0.1:8080/shop/a", "a site with a port and a path");
    values[B24_CALL_SITE] = str("https://[::1]/");
    first(W(""), "POST https://[::1]/a", "IPv6");

    values[B24_CALL_SITE] = str("https://user@shop.example");
    first(W(""), "refused a: b24_site is no address that can be called", "a user in it");
    values[B24_CALL_SITE] = str("ftp://shop.example");
    first(W(""), "refused a: b24_site is no address that can be called", "another scheme");
    values[B24_CALL_SITE] = str("https:///x");
    first(W(""), "refused a: b24_site is no address that can be called", "no host");
    values[B24_CALL_SITE] = str("https");
    first(W(""), "refused a: b24_site is no address that can be called", "no scheme");
    values[B24_CALL_SITE] = str("");
    first(W(""), "refused a: site is not known, and \"url\" needs it", "no site");

    /* logins */

    values[B24_CALL_SITE] = str("https://shop.example");
    values[B24_CALL_USER] = str("a");
    values[B24_CALL_PASSWORD] = str("bc");
    first(W("header X \"%{basic}\";"), A "|X: YTpiYw==", "base64, two short");
    values[B24_CALL_PASSWORD] = str("bcd");
    first(W("header X \" %{basic} \";"), A "|X: YTpiY2Q=", "one short");
    values[B24_CALL_PASSWORD] = str("bcd\xff");
    first(W("header X \"%{basic}\";"), A "|X: YTpiY2T/", "none");
    values[B24_CALL_USER] = str("a:b");
    first(W("header X \"%{basic}\";"), "refused a: basic is not known, and \"header\" needs it", "a user that can't be");

    /* conditions */

    values[B24_CALL_USER] = str("crm");
    first(W("when paid;"), "skipped : no \"write\" block is for this change", "an unknown flag");
    first(W("when paid !;"), A, "is empty");
    first(W("when paid !=Y;"), A, "is not Y");
    first(W("when status ~^[NP]$;"), A, "a filter");
    first(W("when status !~^[NP]$;"), "skipped : no \"write\" block is for this change", "the reverse of it");
    first(W("when paid status =P;"), A, "the first that is there");
    first(W("when \"%{previous}>%{status}\" =N>P;"), A, "both of them");
    first(W("when status \"=%{previous}\";"), "skipped : no \"write\" block is for this change", "one with another");
    first(W("when status \"=%{paid}\";"), "skipped : no \"write\" block is for this change", "nothing equals what is unknown");
    first(W("when status \"!=%{paid}\";"), A, "all differs from it");
    first(W("accept response:/x \"=%{paid}\";"), "refused a: paid is not known, and \"accept\" needs it", "what can't be compared isn't sent");

    /* pointers know values */

    own(W("accept \"response:/%{row}/[id=%{status}]/ok\";"));
    begin();
    next(A, "a pointer");
    answer(200, "{\"57\":[{\"id\":\"N\",\"ok\":0},{\"id\":\"P\",\"ok\":1}]}", "ok a: the shop accepts it (200)", "with values");

    /* learned headers; a long session value is never told */

    own("b24_shop s { write a { url \"%{site}/a\"; accept status =302; learn c header:Set-Cookie \"~SID=([^;]+)\"; learn d text:x; learn e response:/none; }"
         " write b { when e !; when c; url \"%{site}/b\"; header Cookie \"SID=%{c}\"; accept status =200; } }");
    begin();
    next(A, "a login by a page");
    header("set-cookie", "SID=a\x0b\x02;path=/");
    answer(302, "", "ok a: the shop accepts it (302)", "that redirects");
    next("POST https://shop.example/b|Cookie: SID=a", "cleaned as it is read");

    own("b24_shop s { write a { url \"%{site}/a\"; accept status =200; learn c response:; }"
         " write b { url \"%{site}/b\"; header Cookie \"SID=%{c}\"; accept status =200; } }");
    begin();
    next(A, "lines are kept");
    answer(200, "a\nX-Admin: 1", "ok a: the shop accepts it (200)", "learned");
    next("refused b: c can't stand in \"header\": it has a line break or another control character", "no header is smuggled in");

    /* a block that learns, of use to none that is called */

    own("b24_shop s { write a { url \"%{site}/a\"; accept status =200; learn c response:/c; }"
         " write b { when c =1; url \"%{site}/b\"; accept status =200; } }");
    begin();
    next(A, "what is learned may decide");
    answer(200, "{\"c\":2}", "ok a: the shop accepts it (200)", "learned");
    next("skipped : no \"write\" block is for this change", "that nothing is to be done");

    /* an answer that can't be read */

    own(W("accept response:/x;"));
    begin();
    next(A, "an answer");
    answer(200, "{\"x\":[", "refused a: the shop's answer could not be read: broken JSON", "cut");
    own(W("accept response:/x;"));
    begin();
    next(A, "an answer");
    answer(200, "hello", "refused a: the shop answered 200, but \"accept response:/x\" does not hold", "that is none");

    /* a secret as the shop's page may show it */

    own(W("accept response:/x;"));
    values[B24_CALL_PASSWORD] = str("pass\t <b>word");
    begin();
    next(A, "a password with blanks and tags");
    answer(200, "{\"error\":\"no pass\\t <b>word, pass &lt;b&gt;word here\"}",
           "refused a: the shop answered 200, but \"accept response:/x\" does not hold <no (secret), pass <b>word here>", "without the tags");

    /* a short secret */

    own(W("accept response:/x;"));
    values[B24_CALL_PASSWORD] = str("abc");
    begin();
    next(A, "a short password");
    answer(200, "{\"error\":\"login ABCD failed\"}", "refused a: the shop answered 200, but \"accept response:/x\" does not hold", "the shop's words are left out");
    begin();
    next(A, "and not in it");
    answer(200, "{\"error\":\"login failed\"}", "refused a: the shop answered 200, but \"accept response:/x\" does not hold <login failed>", "told");

    own("b24_shop s { order { id response:/id; } }");
    is_int(b24_shop_writes(shop), 0, "no blocks");
    begin();
    next("skipped : no \"write\" block is for this change", "no run");
}


static void
states(b24_body_e state, const char *encoding, const char *want,
    const char *name)
{
    b24_buf_t    buf;
    b24_str_t    text;
    b24_input_t  in;

    own(W("accept response:/x;"));
    begin();
    next(A, name);

    memset(&in, 0, sizeof(in));
    in.status = 200;
    in.answer = str("{\"x\":1}");
    in.answer_encoding = str(encoding);
    in.answer_state = state;
    in.answer_max = 1 << 20;

    b24_buf_init(&buf, pool);
    is_int(b24_call_answer(run, &in, &verdict), B24_OK, "answered");
    print_verdict(&buf);
    (void) b24_buf_str(&buf, &text);
    is_str(&text, want, name);
}


static void
test_states(void)
{
    states(B24_BODY_FULL, "", "ok a: the shop accepts it (200)", "whole");
    states(B24_BODY_CUT, "", "retry a: the shop's answer ended early", "cut");
    states(B24_BODY_UNSEEN, "", "retry a: the shop's answer ended early", "lost");
    states(B24_BODY_LARGE, "", "refused a: the shop's answer is too large, or compressed in a way that can't be read", "large");
    states(B24_BODY_FULL, "br", "refused a: the shop's answer is too large, or compressed in a way that can't be read", "br");
    states(B24_BODY_FULL, "gzip", "refused a: the shop's answer is too large, or compressed in a way that can't be read", "broken gzip");
}


/* ---- the configuration ---- */

typedef struct {
    const char  *text;
    const char  *sentence;
} wrong_t;


#define BASE  "b24_shop base { write login { url \"%{site}/l\"; accept status =200; learn c response:/c; } write a { url \"%{site}/a\"; header X \"%{c}\"; accept status =200; } } "

static const wrong_t  wrongs[] = {
    { "b24_shop s { write a { } }",
      "\"write a\" has no \"url\": say what is called, such as url \"%{site}/api/orders/%{id}\"" },
    { "b24_shop s { write { url \"%{site}/a\"; } }",
      "\"write\" has no \"accept\": say how the shop's answer tells that it did it, such as accept response:/status \"=%{status}\"" },
    { "b24_shop s { write a b { } }",
      "\"write\" takes one name at most before \"{\"" },
    { "b24_shop s { write off { } }",
      "\"write off\" is no name for a block: to drop those of the base, end the line with \";\"" },
    { "b24_shop s { write \"a b\" { } }",
      "\"write\" has a bad name \"a b\": use at most 64 letters, digits, \"_\", \"-\" and \".\"" },
    { "b24_shop s { write a { url \"%{site}/a\"; accept status =200; } write a { } }",
      "\"write a\" is given twice in this shop: give one of the two another name" },
    { "b24_shop s { write { url \"%{site}/a\"; accept status =200; } write { } }",
      "\"write\" is given twice in this shop: give one of the two another name" },
    { "b24_shop s { write; }",
      "\"write\" needs a block \"{ ... }\", or \"off\" to drop those of the base" },
    { "b24_shop s { write off; }",
      "\"write ... off\" drops a block of a base, and this shop has none: leave the line out" },
    { BASE "b24_shop s : base { write x off; }",
      "\"write x off\": the base \"base\" has no such block, leave the line out" },
    { "b24_shop base { } b24_shop s : base { write off; }",
      "\"write off\": the base \"base\" has no such block, leave the line out" },
    { BASE "b24_shop s : base { write login off; }",
      "\"header\" of \"write a\" uses \"c\", which no call has and no block before it learns: check its spelling, or add \"learn c VALUE\" there" },
    { W("method GET POST;"),
      "\"method\" of a call is one of GET, POST, PUT, PATCH and DELETE" },
    { W("method TRACE;"),
      "\"method\" of a call is one of GET, POST, PUT, PATCH and DELETE" },
    { W("method GET; method PUT;"),
      "\"method\" is given twice in this block: leave one of the two out" },
    { W("url \"%{site}/b\";"),
      "\"url\" is given twice in this block: leave one of the two out" },
    { W("body a b;"),
      "\"body\" needs one text: put it in quotes" },
    { W("method GET; body a;"),
      "\"write a\" has a \"body\", and a GET has none: add \"method POST\" or the like" },
    { "b24_shop s { write a { url /a; } }",
      "\"url\" must begin with \"%{site}/\", the address that \"b24_site\" gives, such as \"%{site}/api/orders\"" },
    { "b24_shop s { write a { url \"%{site}@evil/\"; } }",
      "\"url\" must begin with \"%{site}/\", the address that \"b24_site\" gives, such as \"%{site}/api/orders\"" },
    { "b24_shop s { write a { url \"%{site}%{row}/\"; } }",
      "\"url\" must begin with \"%{site}/\", the address that \"b24_site\" gives, such as \"%{site}/api/orders\"" },
    { "b24_shop s { write a { url \"%{row}/\"; } }",
      "\"url\" must begin with \"%{site}/\", the address that \"b24_site\" gives, such as \"%{site}/api/orders\"" },
    { W("body \"%{row\";"),
      "\"body\" has a \"%{\" without its \"}\" in \"%{row\"" },
    { W("body \"%{a%{row}}\";"),
      "\"body\" has a \"%{\" inside of another one" },
    { W("body \"%{request:/a}\";"),
      "\"body\" of a call takes values by name, such as status, canceled or one that was learned, and not \"request:/a\"" },
    { W("body \"%{rwo}\";"),
      "\"body\" of \"write a\" uses \"rwo\", which no call has and no block before it learns: check its spelling, or add \"learn rwo VALUE\" there" },
    { W("when rwo;"),
      "\"when\" of \"write a\" uses \"rwo\", which no call has and no block before it learns: check its spelling, or add \"learn rwo VALUE\" there" },
    { W("accept \"response:/%{rwo}\";"),
      "\"accept\" of \"write a\" uses \"rwo\", which no call has and no block before it learns: check its spelling, or add \"learn rwo VALUE\" there" },
    { W("accept response:/a \"=%{rwo}\";"),
      "\"accept\" of \"write a\" uses \"rwo\", which no call has and no block before it learns: check its spelling, or add \"learn rwo VALUE\" there" },
    { W("learn c response:/c; body \"%{c}\";"),
      "\"body\" of \"write a\" uses \"c\", which no call has and no block before it learns: check its spelling, or add \"learn c VALUE\" there" },
    { W("body \"a $uri\";"),
      "\"body\" has a variable, and a call to the shop has no request it could be of: its values are %{status}, %{row} and the like" },
    { W("accept $uri;"),
      "\"accept\" has a variable, and a call to the shop has no request it could be of: its values are %{status}, %{row} and the like" },
    { W("when request:/a;"),
      "\"when\" of a call takes values by name, such as status, canceled or one that was learned, and not \"request:/a\"" },
    { W("accept request:/a;"),
      "\"accept\" can't take \"request:/a\": in \"write\" it looks at what the shop answers to the call; its sources are status, response:, header: and inline:" },
    { W("accept database:A;"),
      "\"accept\" can't take \"database:A\": in \"write\" it looks at what the shop answers to the call; its sources are status, response:, header: and inline:" },
    { W("header X;"),
      "\"header\" needs a name and a text in quotes, such as header Authorization \"Basic %{basic}\"" },
    { W("header \"X Y\" a;"),
      "\"header\" needs a name and a text in quotes, such as header Authorization \"Basic %{basic}\"" },
    { W("header X \"a\\nb\";"),
      "\"header X\" has a line break or another control character: leave it out" },
    { W("header host a;"),
      "\"header host\" is set by the module: leave the line out" },
    { W("header X a; header x b;"),
      "\"header x\" is given twice in this block: leave one of the two out" },
    { W("header Content-Type multipart/form-data; body a;"),
      "\"write a\" has a \"Content-Type\" in which values can't be put safely: use application/x-www-form-urlencoded, application/json, application/xml or text/plain" },
    { W("header Content-Type \"%{status}\"; body a;"),
      "\"write a\" has a \"Content-Type\" in which values can't be put safely: use application/x-www-form-urlencoded, application/json, application/xml or text/plain" },
    { W("learn c;"),
      "\"learn\" needs a name and a value: \"learn NAME VALUE\"" },
    { W("learn row response:/c;"),
      "\"learn row\": every call has a value of that name, give it another" },
    { W("learn c response:/c; learn c response:/d;"),
      "\"learn c\" is given twice in this block: leave one of the two out" },
    { W("learn c response:/c;"),
      "\"write a\" learns for blocks after it, and none of them is without \"learn\": it would never be called, leave its \"learn\" lines out or add the block that writes" },
    { BASE "b24_shop s : base { write a off; }",
      "\"write login\" learns for blocks after it, and none of them is without \"learn\": it would never be called, leave its \"learn\" lines out or add the block that writes" },
    { W("uri /x;"),
      "\"uri\" is unknown in \"write\": it takes when, method, url, header, body, accept, expired, learn" },
    { W("accept;"),
      "\"accept\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { W("expired yes;"),
      "\"expired\" has a fixed text among its values: to compare, write =TEXT at the end of the line" },
    { NULL, NULL }
};


static void
test_wrongs(void)
{
    int             rc;
    b24_str_t       err;
    const wrong_t  *w;

    for (w = wrongs; w->text; w++) {
        b24_pool_destroy(pool);
        pool = b24_pool_create(0);
        rules = b24_rules_create(pool);

        rc = conf_load(pool, rules, w->text);

        if (rc != B24_DECLINED) {
            ok(0, "refused: %s", w->text);

        } else {
            err = str(b24_rules_error(rules));
            is_str(&err, w->sentence, w->text);
        }
    }
}


static void
names(const char *want, const char *name)
{
    b24_buf_t          buf;
    b24_str_t          text;
    const b24_call_t  *call;

    b24_buf_init(&buf, pool);

    for (call = shop->calls; call; call = call->next) {
        b24_buf_addstr(&buf, &call->name);
        b24_buf_addc(&buf, ' ');
    }

    (void) b24_buf_str(&buf, &text);
    is_str(&text, want, name);
}


static void
test_heirs(void)
{
    own(BASE "b24_shop s : base { }");
    names("login a ", "an heir has the base's");

    own(BASE "b24_shop s : base { write z { url \"%{site}/z?%{c}\"; accept status =200; } write a { method PUT; header x y; header Z \"%{c}\"; body \"q=%{row}\"; accept response:/ok; when status; } }");
    names("login a z ", "its own come after them");
    begin();
    (void) b24_call_next(run, &request, &verdict);
    answer(200, "{\"c\":\"cc\"}", "ok login: the shop accepts it (200)", "the base's login");
    next("PUT https://shop.example/a|x: y|Z: cc|Content-Type: application/x-www-form-urlencoded|q=57", "single lines are replaced");
    answer(201, "{\"ok\":1}", "ok a: the shop accepts it (201)", "accept lines as a whole");
    next("POST https://shop.example/z?cc", "its own");

    own(BASE "b24_shop s : base { write a off; write z { url \"%{site}/z\"; accept status =200; } }");
    names("login z ", "one is dropped");

    own(BASE "b24_shop s : base { write off; write a { url \"%{site}/z\"; accept status =200; } }");
    names("a ", "all are dropped");
    begin();
    next("POST https://shop.example/z", "nothing is inherited then");

    own(BASE "b24_shop s : base { write off; }");
    names("", "all are dropped");

    own(BASE "b24_shop mid : base { write a { header X \"\"; } } b24_shop s : mid { write login { learn d response:/d; } write a { header Y \"%{d}\"; } }");
    begin();
    (void) b24_call_next(run, &request, &verdict);
    answer(200, "{\"c\":\"cc\",\"d\":\"dd\"}", "ok login: the shop accepts it (200)", "learns more");
    next("POST https://shop.example/a|Y: dd", "an empty header isn't sent");
}


/* every failed allocation is noticed */
static void
test_memory(void)
{
    int           rc, wrong;
    size_t        limit;
    b24_pool_t   *small;
    b24_input_t   in;

    preset("bitrix", "bitrix");
    wrong = 0;
    rc = B24_ERROR;

    memset(&in, 0, sizeof(in));
    in.status = 200;
    in.answer = str(CHECKAUTH);
    in.answer_state = B24_BODY_FULL;
    in.answer_max = 1 << 20;

    for (limit = 64; rc != B24_OK && limit < 1 << 20; limit += 64) {
        small = b24_pool_create(limit);

        rc = b24_call_begin(small, shop, values, &run);
        if (rc == B24_OK) {
            rc = b24_call_next(run, &request, &verdict);
        }

        if (rc == B24_OK) {
            rc = b24_call_answer(run, &in, &verdict);
        }

        if (rc == B24_OK && verdict.result != B24_CALL_OK) {
            wrong++;
        }

        if (rc == B24_OK) {
            rc = b24_call_next(run, &request, &verdict);
        }

        if (rc == B24_DECLINED) {
            wrong++;
        }

        b24_pool_destroy(small);
    }

    is_int(rc, B24_OK, "with enough memory");
    is_int(wrong, 0, "with less it is an error, never another verdict");

    /* the same of the compiler */

    rc = B24_ERROR;

    for (limit = 64; rc != B24_OK && limit < 1 << 20; limit += 64) {
        small = b24_pool_create(limit);
        rules = b24_rules_create(small);

        if (rules) {
                    rc = conf_load(pool, rules, BASE "b24_shop s : base { write a { body \"<%{row}>\"; header Y \"%{c}\"; when status \"=%{c}\"; } write b { url \"%{site}/%{c}\"; accept response:/x; } }");

            if (rc == B24_DECLINED) {
                wrong++;
            }
        }

        b24_pool_destroy(small);
    }

    is_int(rc, B24_OK, "compiles with enough memory");
    is_int(wrong, 0, "with less it is an error, never a wrong sentence");
}


int
main(void)
{
    test_bitrix();
    test_woocommerce();
    test_opencart();
    test_opencart4();
    test_expired();
    test_prestashop();
    test_values();
    test_states();
    test_wrongs();
    test_heirs();
    test_memory();

    b24_pool_destroy(pool);

    return done_testing();
}
