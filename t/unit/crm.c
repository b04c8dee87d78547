
/* The buyer, the look-up and the write batch. */


#include <stdlib.h>

#include "tap.h"
#include "b24_crm.h"
#include "b24_queue.h"


#define MANY  400


static b24_pool_t           *pool;
static b24_crm_settings_t    set;
static b24_crm_known_t       known;
static b24_verdict_t         verdict;


/* ---- what the portal gets ---- */

static b24_str_t    json;
static b24_node_t  *cmds;


/* prints the batch and reads it back as a server does */

static int
print(b24_batch_t *batch)
{
    b24_str_t    k = b24_string("cmd");
    b24_node_t  *root;

    cmds = NULL;

    if (b24_batch_print(batch, &json) != B24_OK || b24_json_parse(pool, &json, 0, &root) != B24_OK) {
        return 0;
    }

    cmds = b24_node_get(root, &k);

    return cmds != NULL;
}


static b24_str_t
line(const char *name)
{
    b24_str_t    k = str(name), none = b24_null_string;
    b24_node_t  *node;

    node = cmds ? b24_node_get(cmds, &k) : NULL;

    return node ? node->value : none;
}


static int
has_method(const char *name, const char *method)
{
    b24_str_t  s = line(name);

    return s.data && b24_str_find(&s, 0, method) == 0 && s.data[strlen(method)] == '?';
}


/* path is "fields/TITLE"; the text "(none)" when it isn't there */

static b24_str_t
param(const char *name, const char *path)
{
    char         part[64];
    size_t       i;
    b24_str_t    s, k, none = b24_string("(none)");
    b24_node_t  *node;

    s = line(name);

    for (i = 0; i < s.len && s.data[i] != '?'; i++) { /* void */ }

    if (i == s.len) {
        return none;
    }

    s.data += i + 1;
    s.len -= i + 1;

    if (b24_form_parse(pool, &s, &node) != B24_OK) {
        return none;
    }

    while (*path && node) {
        for (i = 0; path[i] && path[i] != '/'; i++) { part[i] = path[i]; }

        part[i] = '\0';
        path += path[i] ? i + 1 : i;
        k = str(part);
        node = (node->type == B24_OBJECT || node->type == B24_ARRAY) ? b24_node_get(node, &k) : NULL;
    }

    if (node == NULL) {
        return none;
    }

    return (node->type == B24_STRING || node->type == B24_NUMBER) ? node->value : none;
}


static void
has(const char *name, const char *path, const char *want)
{
    char       text[160];
    b24_str_t  s = param(name, path);

    (void) snprintf(text, sizeof(text), "%s: %s", name, path);
    is_str(&s, want, text);
}


static b24_order_t *
order_new(void)
{
    b24_order_t  *order = b24_order_create(pool);

    order->origin = str("shop");
    order->fields[B24_ORDER_ID] = str("1001");

    return order;
}


static b24_order_t *
order_full(void)
{
    b24_item_t   *item;
    b24_order_t  *order = order_new();

    order->fields[B24_ORDER_FIRST_NAME] = str("Ivan");
    order->fields[B24_ORDER_LAST_NAME] = str("Petrov");
    order->fields[B24_ORDER_PHONE] = str("8 (912) 345-67-89");
    order->fields[B24_ORDER_EMAIL] = str(" Ivan@Example.com ");
    order->fields[B24_ORDER_TOTAL] = str("1990");
    order->fields[B24_ORDER_CURRENCY] = str("RUB");
    order->fields[B24_ORDER_DELIVERY] = str("400.00");
    order->fields[B24_ORDER_STATUS] = str("N");

    item = b24_order_add_item(pool, order);
    item->fields[B24_ITEM_NAME] = str("Mug");
    item->fields[B24_ITEM_PRICE] = str("795.00");
    item->fields[B24_ITEM_QUANTITY] = str("2");
    item->fields[B24_ITEM_TAX_RATE] = str("20");

    return order;
}


static void
reset(void)
{
    b24_str_t  s, v;

    memset(&set, 0, sizeof(set));
    memset(&known, 0, sizeof(known));
    set.origin = str("shop");
    set.phone_code = str("7");
    set.requisite_preset = 1;
    s = str("N");
    v = str("NEW");
    (void) b24_pair_set(pool, &set.stages, &s, &v);
    s = str("P");
    v = str("C9:PREPARATION");
    (void) b24_pair_set(pool, &set.stages, &s, &v);
}


/* ---- the buyer ---- */

static void
phone(const char *typed, const char *code, const char *want)
{
    char       name[160];
    int        rc;
    b24_str_t  t = str(typed), c = str(code), e = b24_null_string;

    rc = b24_crm_phone(pool, &t, &c, &e);
    (void) snprintf(name, sizeof(name), "phone \"%s\" (+%s)", typed, code);

    if (rc != B24_OK) {
        e = str("(none)");
    }

    is_str(&e, want, name);
}


static void
test_phone(void)
{
    phone("+7 (916) 123-45-67", "7", "+79161234567");
    phone("8 916 123 45 67", "7", "+79161234567");
    phone("8 (916) 123-45-67", "", "+79161234567");
    phone("79161234567", "7", "+79161234567");
    phone("9161234567", "7", "+79161234567");
    phone("(495) 123-45-67", "7", "+74951234567");
    phone("8(800)555-35-35", "7", "+78005553535");
    phone("8005553535", "7", "+78005553535");
    phone("+8 916 123-45-67", "7", "+79161234567");
    phone("\xD1\x82\xD0\xB5\xD0\xBB. 8\xC2\xA0" "916\xE2\x80\x91" "123\xE2\x80\x93" "45\xE2\x88\x92" "67", "7", "+79161234567");
    phone("8 495 123-45-67 \xD0\xB4\xD0\xBE\xD0\xB1. 12", "7", "+74951234567");
    phone("8 495 123-45-67, 12", "7", "+74951234567");
    phone("8 495 123-45-67#12", "7", "+74951234567");
    phone("8 495 123-45-67 (12)", "7", "+74951234567");
    phone("+7 495 123-45-67 12", "7", "+74951234567");
    phone("89161234567, 89031234567", "7", "+79161234567");
    phone("89161234567 89031234567", "7", "+79161234567");
    phone("8-916-123-45-67/8-903-123-45-67", "7", "+79161234567");
    phone("+79161234567+79031234567", "7", "+79161234567");
    phone("home 5, 8 916 123 45 67", "7", "+79161234567");
    phone("+375 29 123-45-67", "7", "+375291234567");
    phone("375291234567", "7", "+375291234567");
    phone("8 10 375 29 123 45 67", "7", "+375291234567");
    phone("00380501234567", "7", "+380501234567");
    phone("+1 (415) 555-26-71", "7", "+14155552671");
    phone("123-45-67", "7", "(none)");
    phone("0501234567", "7", "(none)");
    phone("+7 916 123-45-6", "7", "(none)");
    phone("8 916 123-45-678", "7", "(none)");
    phone("+7 916 123-45-678", "7", "(none)");
    phone("", "7", "(none)");
    phone("no phone", "7", "(none)");
    phone("+", "7", "(none)");
    phone("1234567890123456789012345678901234567890123456789012345678901234567890", "7", "(none)");
    phone("0501234567", "380", "+380501234567");
    phone("80291234567", "375", "+375291234567");
    phone("030 1234567", "49", "+49301234567");
    phone("+49 30 1234567", "49", "+49301234567");
    phone("4930123456789", "49", "+4930123456789");
    phone("06 1234567", "39", "+39061234567");
    phone("612 345 678", "34", "+34612345678");
    phone("(415) 555-2671", "1", "+14155552671");
    phone("1-415-555-2671", "1", "+14155552671");
    phone("011 44 20 7946 0958", "1", "+442079460958");
    phone("02079460958", "44", "+442079460958");
    phone("+380 50 123 45 67 050 765 43 21", "7", "(none)");
}


static void
email(const char *typed, const char *want)
{
    char       name[160];
    b24_str_t  t = str(typed), e = b24_null_string;

    (void) snprintf(name, sizeof(name), "e-mail \"%.60s\"", typed);

    if (b24_crm_email(pool, &t, &e) != B24_OK) {
        e = str("(none)");
    }

    is_str(&e, want, name);
}


static void
test_email(void)
{
    email(" Ivan.Petrov+Shop@Example.COM\t", "ivan.petrov+shop@example.com");
    email("o'neil@x.ie", "o'neil@x.ie");
    email("ivan@\xD0\xBF\xD0\xBE\xD1\x87\xD1\x82\xD0\xB0.\xD1\x80\xD1\x84", "ivan@\xD0\xBF\xD0\xBE\xD1\x87\xD1\x82\xD0\xB0.\xD1\x80\xD1\x84");
    email("a@xn--80a1acny.xn--p1ai", "a@xn--80a1acny.xn--p1ai");
    email("", "(none)");
    email("ivan", "(none)");
    email("@x.ru", "(none)");
    email("ivan@", "(none)");
    email("ivan@x", "(none)");
    email("ivan@x.", "(none)");
    email("ivan@.ru", "(none)");
    email("ivan@x..ru", "(none)");
    email("ivan@x.r", "(none)");
    email("ivan@127.0.0.10", "(none)");
    email("ivan@x.abcdefghijklmnopqrstu", "(none)");
    email(".ivan@x.ru", "(none)");
    email("ivan.@x.ru", "(none)");
    email("ivan petrov@x.ru", "(none)");
    email("ivan@x.ru, petr@x.ru", "(none)");
    email("ivan@@x.ru", "(none)");
    email("<ivan@x.ru>", "(none)");
    email("\xD0\xB8\xD0\xB2\xD0\xB0\xD0\xBD@x.ru", "(none)");
    email("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.ru", "(none)");
}


static void
test_inn(void)
{
    size_t              i;
    b24_str_t           s;
    static const char  *good[] = { "7707083893", "7736050003", "500100732259", "7830002293", NULL };
    static const char  *bad[] = { "7707083894", "500100732258", "500100732269", "0000000000", "000000000000", "770708389", "77070838933", "770708389a", "", " 7707083893", NULL };

    for (i = 0; good[i]; i++) {
        s = str(good[i]);
        ok(b24_crm_inn_valid(&s), "INN %s", good[i]);
    }

    for (i = 0; bad[i]; i++) {
        s = str(bad[i]);
        ok(!b24_crm_inn_valid(&s), "no INN: \"%s\"", bad[i]);
    }
}


static void
stage(const char *status, int category, const char *want, const char *name)
{
    b24_str_t     s = b24_null_string;
    b24_order_t  *order = order_new();

    order->fields[B24_ORDER_STATUS] = str(status);
    set.category = category;
    (void) b24_crm_stage(pool, &set, order, &s);
    is_str(&s, want, name);
}


static void
test_stage(void)
{
    reset();
    stage("N", 0, "NEW", "stage of the first pipeline");
    stage("N", 3, "C3:NEW", "prefix of another");
    stage("P", 3, "C9:PREPARATION", "a stage that has its prefix");
    stage("n", 0, "", "statuses compare exactly");
    stage("X", 3, "", "an unknown status has no stage");
    stage("", 0, "", "no status, no default");
    set.default_status = str("N");
    stage("", 3, "C3:NEW", "the default status");
    stage("X", 3, "", "which is not for unknown ones");
}


/* ---- look-up ---- */

static int
lookup(const b24_order_t *order, int retry)
{
    b24_batch_t  batch;

    b24_batch_init(&batch, pool, 0);

    if (b24_crm_lookup(&batch, &set, order, &known, retry) != B24_OK || !print(&batch)) {
        return -1;
    }

    return (int) batch.count;
}


static void
test_lookup(void)
{
    b24_batch_t   batch;
    b24_order_t  *order;

    reset();
    order = order_full();
    is_int(lookup(order, 0), 3, "a private buyer takes three commands");
    ok(b24_str_find(&json, 0, "{\"halt\":0,") == 0, "halt:0");
    ok(has_method("deal", "crm.deal.list"), "deal");
    has("deal", "filter/=ORIGINATOR_ID", "shop");
    has("deal", "filter/=ORIGIN_ID", "1001");
    has("deal", "select/0", "ID");
    has("deal", "order/ID", "ASC");
    has("deal", "start", "-1");
    ok(has_method("phone", "crm.duplicate.findbycomm"), "phone");
    has("phone", "type", "PHONE");
    has("phone", "entity_type", "CONTACT");
    has("phone", "values/0", "+79123456789");
    has("email", "type", "EMAIL");
    has("email", "values/0", "ivan@example.com");
    ok(b24_str_find(&json, 0, "%24result") < 0, "no references in a look-up");

    is_int(lookup(order, 1), 4, "a retry also looks for the contact by origin");
    ok(has_method("contact", "crm.contact.list"), "contact");
    has("contact", "filter/=ORIGIN_ID", "1001");

    set.match = B24_MATCH_PHONE;
    is_int(lookup(order, 0), 2, "match phone");
    set.match = B24_MATCH_NONE;
    is_int(lookup(order, 0), 1, "match none");
    set.match = B24_MATCH_EMAIL;
    is_int(lookup(order, 0), 2, "match email");
    has("email", "values/0", "ivan@example.com");

    reset();
    order->fields[B24_ORDER_PHONE] = str("+7 999 999-99-99");
    is_int(lookup(order, 0), 2, "a placeholder tells nobody from another");
    order->fields[B24_ORDER_PHONE] = str("call me");
    order->fields[B24_ORDER_EMAIL] = str("none");
    is_int(lookup(order, 0), 1, "neither phone nor e-mail");

    order = order_full();
    known.contact = 55;
    is_int(lookup(order, 0), 1, "a contact that is known isn't looked up");
    known.deal = 412;
    is_int(lookup(order, 0), 0, "nothing to ask");

    reset();
    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    is_int(lookup(order, 0), 4, "a company by its title");
    has("title", "filter/=TITLE", "Romashka");
    has("title", "filter/=ORIGINATOR_ID", "shop");
    order->fields[B24_ORDER_INN] = str("7707083893");
    order->fields[B24_ORDER_KPP] = str("773601001");
    is_int(lookup(order, 0), 6, "a company with an INN");
    ok(has_method("inn", "crm.requisite.list"), "requisites");
    has("inn", "filter/=RQ_INN", "7707083893");
    has("inn", "filter/=ENTITY_TYPE_ID", "4");
    has("firm", "filter/=ORIGIN_ID", "inn:7707083893/773601001");
    has("firm", "filter/=ORIGINATOR_ID", "(none)");
    order->fields[B24_ORDER_INN] = str("7707083894");
    is_int(lookup(order, 0), 4, "a wrong INN is not looked up");

    set.universal = 1;
    is_int(lookup(order, 0), 4, "universal methods");
    ok(has_method("deal", "crm.item.list"), "method");
    has("deal", "entityTypeId", "2");
    has("deal", "filter/=originatorId", "shop");
    has("deal", "filter/=originId", "1001");
    has("deal", "order/id", "ASC");
    has("title", "entityTypeId", "4");
    has("title", "filter/=title", "Romashka");

    reset();
    order = order_full();
    order->fields[B24_ORDER_ID] = str("");
    b24_batch_init(&batch, pool, 0);
    is_int(b24_crm_lookup(&batch, &set, order, &known, 0), B24_DECLINED, "an order without a number has to get one");
    known.origin_id = str("k-0001f3");
    is_int(lookup(order, 0), 3, "the record's key");
    has("deal", "filter/=ORIGIN_ID", "k-0001f3");

    reset();
    order = order_new();
    order->fields[B24_ORDER_ID] = str("$result[x]&filter[ID]=1");
    is_int(lookup(order, 0), 1, "a hostile number");
    has("deal", "filter/=ORIGIN_ID", "\xEF\xBC\x84result[x]&filter[ID]=1");
    has("deal", "filter/ID", "(none)");
}


static int
looked_up(b24_order_t *order, const char *body)
{
    b24_str_t     s = str(body);
    b24_answer_t  answer;

    memset(&verdict, 0, sizeof(verdict));

    if (b24_answer_parse(pool, B24_NET_OK, 200, &s, &answer) != B24_OK || b24_crm_looked_up(pool, &answer, &set, order, &known, &verdict) != B24_OK) {
        return -1;
    }

    return (int) verdict.class;
}


#define FOUND(maps)  "{\"result\":{\"result\":{" maps "},\"result_error\":[]}}"


static void
test_looked_up(void)
{
    b24_order_t  *order;

    reset();
    order = order_full();
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":[],\"email\":[]")), B24_CLASS_OK, "a new buyer");
    ok(known.deal == 0 && known.contact == 0 && !known.contact_done && known.company_done, "nothing is known");

    reset();
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":{\"CONTACT\":[2297,275]},\"email\":[]")), B24_CLASS_OK, "a known phone");
    is_int(known.contact, 275, "the lowest id");
    ok(known.contact_done, "is enough");

    reset();
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":[],\"email\":{\"CONTACT\":[\"9\"]}")), B24_CLASS_OK, "a known e-mail");
    is_int(known.contact, 9, "is enough");

    reset();
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":{\"CONTACT\":[10,20]},\"email\":{\"CONTACT\":[20,30]}")), B24_CLASS_OK, "one who has both");
    is_int(known.contact, 20, "is preferred");
    ok(order->remarks == NULL, "without a remark");

    reset();
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":{\"CONTACT\":[20]},\"email\":{\"CONTACT\":[10]}")), B24_CLASS_OK, "two people");
    is_int(known.contact, 20, "the phone wins");
    ok(order->remarks != NULL, "with a remark");

    if (order->remarks == NULL) {
        return;
    }

    is_str(&order->remarks->value, "the phone belongs to contact 20, the e-mail to contact 10; the deal went to the former", "in plain words");

    reset();
    set.match = B24_MATCH_EMAIL_PHONE;
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":{\"CONTACT\":[20]},\"email\":{\"CONTACT\":[10]}")), B24_CLASS_OK, "two people, e-mail first");
    is_int(known.contact, 10, "the e-mail wins");

    reset();
    is_int(looked_up(order, FOUND("\"deal\":[{\"ID\":\"413\",\"ORIGIN_ID\":\"1001\"},{\"ID\":\"412\"}],\"phone\":[],\"email\":[]")), B24_CLASS_OK, "a deal that is there");
    is_int(known.deal, 412, "the lowest id");
    ok(known.deal_found && known.contact_done, "found, and no contact is made after it");

    reset();
    order->fields[B24_ORDER_ID] = str("a1");
    is_int(looked_up(order, FOUND("\"deal\":[{\"ID\":\"412\",\"ORIGIN_ID\":\"A1\"}],\"phone\":[],\"email\":[]")), B24_CLASS_OK, "a number that differs by case");
    is_int(known.deal, 0, "is another order");
    order->fields[B24_ORDER_ID] = str("1001");

    reset();
    is_int(looked_up(order, FOUND("\"again\":[],\"contact\":[{\"ID\":\"77\"}],\"phone\":{\"CONTACT\":[5]},\"email\":[]")), B24_CLASS_OK, "a retry");
    is_int(known.contact, 77, "the contact this order has made");

    reset();
    set.universal = 1;
    is_int(looked_up(order, FOUND("\"deal\":{\"items\":[{\"id\":412,\"originId\":\"1001\"}]},\"phone\":[],\"email\":[]")), B24_CLASS_OK, "universal");
    is_int(known.deal, 412, "the deal");

    reset();
    known.deal = 7;
    known.contact = 8;
    is_int(looked_up(order, FOUND("")), B24_CLASS_OK, "nothing was asked");
    is_int(known.deal, 7, "what was known stays");
}


static void
test_looked_up_broken(void)
{
    size_t        i;
    b24_order_t  *order;
    static const struct {
        const char  *body;
        b24_class_e  class;
        const char  *name;
    } cases[] = {
        { FOUND("\"deal\":[],\"phone\":[]"), B24_CLASS_RETRY, "a command without an answer" },
        { FOUND("\"phone\":[],\"email\":[]"), B24_CLASS_RETRY, "no answer about the deal" },
        { FOUND("\"deal\":false,\"phone\":[],\"email\":[]"), B24_CLASS_RETRY, "false is no list" },
        { FOUND("\"deal\":[412],\"phone\":[],\"email\":[]"), B24_CLASS_RETRY, "a list of something else" },
        { FOUND("\"deal\":[],\"phone\":{\"LEAD\":[1]},\"email\":[]"), B24_CLASS_RETRY, "people of another kind" },
        { FOUND("\"deal\":[],\"phone\":{\"CONTACT\":[\"x\"]},\"email\":[]"), B24_CLASS_RETRY, "an id that is none" },
        { FOUND("\"again\":[],\"phone\":[],\"email\":[]"), B24_CLASS_RETRY, "a retry without the contact by origin" },
        { "{\"result\":{\"result\":{\"deal\":[],\"phone\":[]},\"result_error\":{\"email\":{\"error\":\"\",\"error_description\":\"Access denied\"}}}}", B24_CLASS_OPERATOR, "a command that failed" },
        { "{\"result\":{\"result\":{\"phone\":[],\"email\":[]},\"result_error\":{\"deal\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}", B24_CLASS_WAIT, "a limit inside" },
        { "{\"error\":\"QUERY_LIMIT_EXCEEDED\"}", B24_CLASS_RETRY, "a request that failed" },
        { "{\"result\":{\"result\":[],\"result_error\":[]}}", B24_CLASS_RETRY, "empty maps" },
        { "{\"result\":true}", B24_CLASS_RETRY, "no batch at all" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset();
        order = order_full();
        is_int(looked_up(order, cases[i].body), cases[i].class, cases[i].name);
        ok(known.deal == 0 && known.contact == 0 && !known.contact_done, "nothing is believed");
    }
}


static void
test_company_found(void)
{
    b24_order_t  *order;

    order = order_full();
    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    order->fields[B24_ORDER_INN] = str("7707083893");

#define FIRM(inn, firm, title)  FOUND("\"deal\":[],\"phone\":[],\"email\":[],\"inn\":[" inn "],\"firm\":[" firm "],\"title\":[" title "]")

    reset();
    is_int(looked_up(order, FIRM("{\"ID\":\"2\",\"ENTITY_ID\":\"9\",\"RQ_KPP\":null},{\"ID\":\"3\",\"ENTITY_ID\":\"7\"}", "", "{\"ID\":\"5\"}")), B24_CLASS_OK, "by INN");
    is_int(known.company, 7, "the lowest");
    ok(known.requisite_done && !known.company_done, "has its requisite, the link is to be made");

    reset();
    is_int(looked_up(order, FIRM("", "{\"ID\":\"6\",\"ORIGIN_ID\":\"inn:7707083893\"}", "{\"ID\":\"5\",\"ORIGIN_ID\":\"900\"}")), B24_CLASS_OK, "by origin: made, its requisite not");
    is_int(known.company, 6, "ours");
    ok(!known.requisite_done, "the requisite is to be made");

    reset();
    is_int(looked_up(order, FIRM("", "", "{\"ID\":\"5\",\"ORIGIN_ID\":\"inn:7736050003\"},{\"ID\":\"8\",\"ORIGIN_ID\":\"900\"}")), B24_CLASS_OK, "by title");
    is_int(known.company, 8, "but not a firm of another INN");

    order->fields[B24_ORDER_KPP] = str("773601001");
    reset();
    is_int(looked_up(order, FIRM("{\"ID\":\"2\",\"ENTITY_ID\":\"3\",\"RQ_KPP\":\"770000000\"},{\"ID\":\"2\",\"ENTITY_ID\":\"4\",\"RQ_KPP\":\"\"},{\"ID\":\"3\",\"ENTITY_ID\":\"9\",\"RQ_KPP\":\"773601001\"}", "", "")), B24_CLASS_OK, "branches share an INN");
    is_int(known.company, 9, "the KPP decides");

    reset();
    is_int(looked_up(order, FIRM("{\"ID\":\"2\",\"ENTITY_ID\":\"3\",\"RQ_KPP\":\"770000000\"}", "", "")), B24_CLASS_OK, "only another branch");
    is_int(known.company, 0, "is another company");

    reset();
    order->fields[B24_ORDER_INN] = str("");
    is_int(looked_up(order, FOUND("\"deal\":[],\"phone\":[],\"email\":[],\"title\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"inn:7736050003\"}]")), B24_CLASS_OK, "no INN in the order");
    is_int(known.company, 5, "the title is enough");
}


/* ---- write ---- */

static unsigned  mask;


static int
writes(const b24_order_t *order)
{
    b24_batch_t  batch;

    b24_batch_init(&batch, pool, 1);

    if (b24_crm_write(&batch, &set, order, &known, &mask) != B24_OK || !print(&batch)) {
        return -1;
    }

    return (int) batch.count;
}


#define CONTACT  (1u << B24_STEP_CONTACT)
#define COMPANY  (1u << B24_STEP_COMPANY)
#define DEAL     (1u << B24_STEP_DEAL)
#define ROWS     (1u << B24_STEP_ROWS)


static void
test_write(void)
{
    b24_order_t  *order;

    reset();
    order = order_full();
    is_int(writes(order), 4, "a new buyer takes three commands");
    is_int(mask, CONTACT | DEAL | ROWS, "three steps");
    ok(b24_str_find(&json, 0, "{\"halt\":1,") == 0, "halt:1");
    ok(has_method("c", "crm.contact.add"), "contact");
    has("c", "fields/NAME", "Ivan");
    has("c", "fields/LAST_NAME", "Petrov");
    has("c", "fields/SECOND_NAME", "(none)");
    has("c", "fields/TYPE_ID", "CLIENT");
    has("c", "fields/PHONE/0/VALUE", "+79123456789");
    has("c", "fields/PHONE/0/VALUE_TYPE", "WORK");
    has("c", "fields/EMAIL/0/VALUE", "ivan@example.com");
    has("c", "fields/ORIGINATOR_ID", "shop");
    has("c", "fields/ORIGIN_ID", "1001");
    ok(has_method("d", "crm.deal.add"), "deal");
    has("d", "fields/TITLE", "Order #1001");
    has("d", "fields/STAGE_ID", "NEW");
    has("d", "fields/CATEGORY_ID", "0");
    has("d", "fields/OPPORTUNITY", "1990.00");
    has("d", "fields/IS_MANUAL_OPPORTUNITY", "Y");
    has("d", "fields/CURRENCY_ID", "RUB");
    has("d", "fields/ORIGINATOR_ID", "shop");
    has("d", "fields/ORIGIN_ID", "1001");
    has("d", "fields/CONTACT_IDS/0", "$result[c]");
    has("d", "fields/COMPANY_ID", "(none)");
    has("d", "fields/COMMENTS", "(none)");
    ok(has_method("r", "crm.deal.productrows.set"), "rows");
    has("r", "id", "$result[d]");
    has("r", "rows/0/PRODUCT_NAME", "Mug");
    has("r", "rows/0/PRICE", "795.00");
    has("r", "rows/0/QUANTITY", "2");
    has("r", "rows/0/TAX_RATE", "20");
    has("r", "rows/0/TAX_INCLUDED", "Y");
    has("r", "rows/1/PRODUCT_NAME", "Delivery");
    has("r", "rows/1/PRICE", "400.00");

    known.contact = 275;
    known.contact_done = 1;
    is_int(writes(order), 3, "a known buyer takes two");
    has("d", "fields/CONTACT_IDS/0", "275");

    known.deal = 412;
    is_int(writes(order), 1, "only the rows are missing");
    is_int(mask, ROWS, "one step");
    has("r", "id", "412");
    known.rows_done = 1;
    is_int(writes(order), 0, "nothing is missing");
    is_int(mask, 0, "no step");

    reset();
    order = order_new();
    is_int(writes(order), 2, "an order with nothing but its number");
    is_int(mask, DEAL, "is a deal");
    has("d", "fields/OPPORTUNITY", "(none)");
    has("d", "fields/IS_MANUAL_OPPORTUNITY", "(none)");
    has("d", "fields/CONTACT_IDS/0", "(none)");
}


static void
test_write_universal(void)
{
    b24_order_t  *order;
    b24_str_t     f, v;

    reset();
    set.universal = 1;
    set.category = 3;
    order = order_full();
    f = str("UF_CRM_GA");
    v = str("GA1.2");
    (void) b24_pair_set(pool, &order->deal, &f, &v);
    f = str("UTM_SOURCE");
    v = str("yandex");
    (void) b24_pair_set(pool, &order->deal, &f, &v);
    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    order->fields[B24_ORDER_INN] = str("7707083893");

    is_int(writes(order), 6, "universal methods");
    has("c", "entityTypeId", "3");
    has("c", "fields/name", "Ivan");
    has("c", "fields/lastName", "Petrov");
    has("c", "fields/fm/0/typeId", "PHONE");
    has("c", "fields/fm/0/valueType", "WORK");
    has("c", "fields/fm/0/value", "+79123456789");
    has("c", "fields/fm/1/typeId", "EMAIL");
    has("c", "fields/fm/1/value", "ivan@example.com");
    has("k", "entityTypeId", "4");
    has("k", "fields/title", "Romashka");
    has("k", "fields/typeId", "CUSTOMER");
    has("d", "entityTypeId", "2");
    has("d", "useOriginalUfNames", "Y");
    has("d", "fields/title", "Order #1001");
    has("d", "fields/stageId", "C3:NEW");
    has("d", "fields/categoryId", "3");
    has("d", "fields/opportunity", "1990.00");
    has("d", "fields/isManualOpportunity", "Y");
    has("d", "fields/currencyId", "RUB");
    has("d", "fields/originatorId", "shop");
    has("d", "fields/contactIds/0", "$result[c][item][id]");
    has("d", "fields/companyId", "$result[k][item][id]");
    has("d", "fields/UF_CRM_GA", "GA1.2");
    has("d", "fields/utmSource", "yandex");
    ok(has_method("r", "crm.item.productrow.set"), "rows");
    has("r", "ownerType", "D");
    has("r", "ownerId", "$result[d][item][id]");
    has("r", "productRows/0/productName", "Mug");
    has("r", "productRows/0/taxIncluded", "Y");
    has("q", "fields/ENTITY_ID", "$result[k][item][id]");
    has("l", "id", "$result[c][item][id]");
}


static void
test_write_company(void)
{
    b24_order_t  *order;

    reset();
    set.requisite_preset = 5;
    order = order_full();
    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    order->fields[B24_ORDER_INN] = str("7707083893");
    order->fields[B24_ORDER_KPP] = str("773601001");

    is_int(writes(order), 7, "a new firm");
    is_int(mask, CONTACT | COMPANY | DEAL | ROWS, "four steps");
    ok(has_method("k", "crm.company.add"), "company");
    has("k", "fields/TITLE", "Romashka");
    has("k", "fields/COMPANY_TYPE", "CUSTOMER");
    has("k", "fields/ORIGIN_ID", "inn:7707083893/773601001");
    ok(has_method("q", "crm.requisite.add"), "requisite");
    has("q", "fields/ENTITY_TYPE_ID", "4");
    has("q", "fields/ENTITY_ID", "$result[k]");
    has("q", "fields/PRESET_ID", "5");
    has("q", "fields/NAME", "Romashka");
    has("q", "fields/RQ_INN", "7707083893");
    has("q", "fields/RQ_KPP", "773601001");
    ok(has_method("l", "crm.contact.company.add"), "link");
    has("l", "id", "$result[c]");
    has("l", "fields/COMPANY_ID", "$result[k]");
    has("l", "fields/IS_PRIMARY", "Y");
    has("d", "fields/COMPANY_ID", "$result[k]");
    ok(b24_str_find(&json, 0, "\"r\":") < b24_str_find(&json, 0, "\"q\":"), "a requisite can't keep an order from its deal");

    known.company = 9;
    known.requisite_done = 1;
    known.contact = 55;
    known.contact_done = 1;
    is_int(writes(order), 4, "a known firm and buyer");
    is_int(mask, COMPANY | DEAL | ROWS, "the link is a part of the company");
    has("d", "fields/COMPANY_ID", "9");
    has("l", "fields/COMPANY_ID", "9");
    has("l", "fields/IS_PRIMARY", "(none)");

    known.requisite_done = 0;
    is_int(writes(order), 6, "a firm made without an INN");
    ok(has_method("u", "crm.company.update"), "gets its mark");
    has("u", "id", "9");
    has("u", "fields/ORIGIN_ID", "inn:7707083893/773601001");

    known.deal = 412;
    known.rows_done = 1;
    is_int(writes(order), 3, "the deal is there, the firm isn't complete");
    is_int(mask, COMPANY, "one step");
    known.company_done = 1;
    is_int(writes(order), 0, "complete");

    reset();
    order->fields[B24_ORDER_COMPANY] = str("");
    order->fields[B24_ORDER_INN] = str("500100732259");
    is_int(writes(order), 7, "a sole proprietor without a title");
    has("k", "fields/TITLE", "INN 500100732259");
    has("q", "fields/RQ_KPP", "(none)");
    has("q", "fields/RQ_COMPANY_NAME", "(none)");

    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    order->fields[B24_ORDER_INN] = str("12345");
    order->fields[B24_ORDER_KPP] = str("1");
    is_int(writes(order), 6, "an INN that is none makes no requisite");
    has("k", "fields/ORIGIN_ID", "1001");
    has("d", "fields/COMMENTS", "INN as typed: 12345\nKPP as typed: 1");
}


static void
pair(b24_pair_t **list, const char *field, const char *value)
{
    b24_str_t  f = str(field), v = str(value);

    (void) b24_pair_set(pool, list, &f, &v);
}


static void
test_write_texts(void)
{
    size_t        i;
    char          name[512];
    b24_str_t     s;
    b24_order_t  *order;

    reset();
    order = order_full();
    order->fields[B24_ORDER_COMMENT] = str("ring $result[d] [url=https://evil.example]here[/url] <a href=x>y</a> 5 < 6 & #1 + 100%");
    order->fields[B24_ORDER_ADDRESS] = str("Tverskaya 1");
    order->fields[B24_ORDER_PHONE] = str("8 912 345-67-89 ext 12");
    order->fields[B24_ORDER_EMAIL] = str("ivan at example");
    (void) b24_order_remark(pool, order, "x", "prices came without tax");
    pair(&order->deal, "COMMENTS", "from the [b]site[/b]");
    pair(&order->deal, "TITLE", "Site order $total[x]");
    pair(&order->deal, "UF_CRM_TAGS[0]", "a");
    pair(&order->deal, "UF_CRM_TAGS[1]", "b");
    pair(&order->deal, "ORIGIN_ID", "stolen");
    pair(&order->deal, "CONTACT_IDS[0]", "1");
    pair(&order->deal, "uf_lower", "x");
    pair(&order->deal, "X]&id", "x");
    pair(&order->deal, "STAGE_ID", "EXECUTING");
    pair(&order->contact, "SOURCE_ID", "WEB");
    pair(&order->contact, "PHONE", "+74951112233");
    pair(&order->contact, "WEB", "https://example.com");
    pair(&order->contact, "TYPE_ID", "SUPPLIER");

    is_int(writes(order), 4, "texts");
    has("d", "fields/COMMENTS", "from the \xEF\xBC\xBB" "b]site\xEF\xBC\xBB/b]\n"
        "ring \xEF\xBC\x84result\xEF\xBC\xBB" "d] \xEF\xBC\xBBurl=https://evil.example]here\xEF\xBC\xBB/url] \xEF\xBC\x9C" "a href=x>y\xEF\xBC\x9C/a> 5 < 6 & #1 + 100%\n"
        "Address: Tverskaya 1\nPhone as typed: 8 912 345-67-89 ext 12\nE-mail as typed: ivan at example\nNote: prices came without tax");
    has("d", "fields/TITLE", "Site order \xEF\xBC\x84total[x]");
    has("d", "fields/UF_CRM_TAGS/0", "a");
    has("d", "fields/UF_CRM_TAGS/1", "b");
    has("d", "fields/ORIGIN_ID", "1001");
    has("d", "fields/CONTACT_IDS/0", "$result[c]");
    has("d", "fields/uf_lower", "(none)");
    has("d", "fields/STAGE_ID", "EXECUTING");
    has("d", "id", "(none)");
    has("c", "fields/SOURCE_ID", "WEB");
    has("c", "fields/TYPE_ID", "SUPPLIER");
    has("c", "fields/PHONE/0/VALUE", "+79123456789");
    has("c", "fields/PHONE/1/VALUE", "+74951112233");
    has("c", "fields/WEB/0/VALUE", "https://example.com");
    has("c", "fields/EMAIL/0/VALUE", "(none)");

    for (i = 0; i < 100; i++) {
        memcpy(name + i * 2, "\xD0\xB6", 2);
    }

    name[200] = '\0';
    order = order_new();
    order->fields[B24_ORDER_NAME] = str(name);
    is_int(writes(order), 3, "a long name");
    s = param("c", "fields/NAME");
    is_int((long long) s.len, 100, "is cut to 50 characters");
    s = param("d", "fields/COMMENTS");
    is_int((long long) s.len, 212, "and stands whole in the comment");

    order->fields[B24_ORDER_NAME] = str("");
    order->fields[B24_ORDER_PHONE] = str("123");
    is_int(writes(order), 3, "a buyer with nothing but an odd phone");
    has("c", "fields/NAME", "123");
    has("d", "fields/COMMENTS", "Phone as typed: 123");

    order->fields[B24_ORDER_PHONE] = str("+79123456789");
    is_int(writes(order), 3, "a phone without a name");
    has("c", "fields/NAME", "+79123456789");

    order = order_new();
    pair(&order->deal, "TITLE", "");
    known.origin_id = str("k-0001f3");
    order->fields[B24_ORDER_ID] = str("");
    is_int(writes(order), 2, "an order without a number");
    has("d", "fields/TITLE", "Order without a number");
    has("d", "fields/ORIGIN_ID", "k-0001f3");
}


static void
test_long_ids(void)
{
    char          one[600], two[600];
    b24_str_t     a, b;
    b24_order_t  *order = order_new();

    reset();
    memset(one, 'x', sizeof(one) - 1);
    one[sizeof(one) - 1] = '\0';
    memcpy(two, one, sizeof(two));
    two[sizeof(two) - 2] = 'y';

    order->fields[B24_ORDER_ID] = str(one);
    is_int(writes(order), 2, "an endless number");
    a = param("d", "fields/ORIGIN_ID");
    is_int((long long) a.len, 255, "fits its column");
    order->fields[B24_ORDER_ID] = str(two);
    is_int(writes(order), 2, "another");
    b = param("d", "fields/ORIGIN_ID");
    ok(!b24_str_eq(&a, &b), "is not the same");
    a = param("d", "fields/TITLE");
    is_int((long long) a.len, 255, "the title is cut");
}


static void
test_write_many(void)
{
    int           i;
    b24_item_t   *item;
    b24_order_t  *order = order_full();

    reset();

    for (i = 0; i < MANY; i++) {
        item = b24_order_add_item(pool, order);
        item->fields[B24_ITEM_NAME] = str("Thing");
        item->fields[B24_ITEM_PRICE] = str("1");
    }

    is_int(writes(order), 3, "rows too many are left out");
    is_int(mask, CONTACT | DEAL, "as a step too");
    is_int(b24_crm_rows_direct_needed(pool, &set, order), 1, "and go directly");
}


static int
written(b24_order_t *order, const char *body, const char **method)
{
    b24_str_t     s = str(body);
    b24_answer_t  answer;

    if (b24_answer_parse(pool, B24_NET_OK, 200, &s, &answer) != B24_OK || b24_crm_written(pool, &answer, &set, order, &known, &verdict, method) != B24_OK) {
        return -1;
    }

    return (int) verdict.class;
}


#define WROTE(done, failed)  "{\"result\":{\"result\":" done ",\"result_error\":" failed "}}"


static void
test_written(void)
{
    const char   *method = NULL;
    b24_order_t  *order = order_full();

    reset();
    is_int(written(order, WROTE("{\"c\":55,\"d\":412,\"r\":true}", "[]"), &method), B24_CLASS_OK, "all done");
    ok(known.contact == 55 && known.deal == 412 && known.contact_done && known.company_done && known.rows_done, "all known");
    ok(method == NULL, "no method failed");

    reset();
    set.universal = 1;
    is_int(written(order, WROTE("{\"c\":{\"item\":{\"id\":55}},\"d\":{\"item\":{\"id\":412}},\"r\":{\"productRows\":[]}}", "[]"), &method), B24_CLASS_OK, "universal");
    ok(known.contact == 55 && known.deal == 412 && known.rows_done, "all known");

    reset();
    is_int(written(order, WROTE("{\"c\":55}", "{\"d\":{\"error\":\"\",\"error_description\":\"Access denied\"}}"), &method), B24_CLASS_OPERATOR, "the deal failed");
    ok(known.contact == 55 && known.deal == 0 && known.contact_done && !known.rows_done, "the contact is remembered");
    ok(method && strcmp(method, "crm.deal.add") == 0, "with the method's name");

    reset();
    is_int(written(order, WROTE("{\"c\":55,\"d\":412}", "{\"r\":{\"error\":\"OPERATION_TIME_LIMIT\"}}"), &method), B24_CLASS_WAIT, "the rows must wait");
    ok(known.deal == 412 && !known.rows_done, "the deal is remembered");

    reset();
    is_int(written(order, WROTE("{\"c\":55,\"d\":412,\"r\":false}", "[]"), &method), B24_CLASS_CHECK, "rows answered by false");

    reset();
    is_int(written(order, WROTE("{\"c\":\"x\",\"d\":412,\"r\":true}", "[]"), &method), B24_CLASS_CHECK, "an id that is none");
    is_int(known.deal, 412, "the deal's id isn't lost for it");

    reset();
    is_int(written(order, WROTE("[]", "[]"), &method), B24_CLASS_CHECK, "neither done nor failed");
    is_int(written(order, "{\"result\":true}", &method), B24_CLASS_CHECK, "no batch");
    is_int(written(order, "{\"error\":\"\",\"error_description\":\"Not found\"}", &method), B24_CLASS_PERMANENT, "the request failed");
    ok(method == NULL && known.contact == 0, "nothing known");

    reset();
    is_int(written(order, WROTE("[]", "{\"c\":{\"error\":\"ERROR_CORE\",\"error_description\":\"E-mail ivan@example.com contains an invalid address<br>\"}}"), &method), B24_CLASS_PERMANENT, "a refused e-mail");
    ok(known.drop_email && known.again == B24_AGAIN_WRITE, "is left out");
    is_int(writes(order), 4, "at the next try");
    has("c", "fields/EMAIL/0/VALUE", "(none)");
    has("c", "fields/PHONE/0/VALUE", "+79123456789");
    has("d", "fields/COMMENTS", "E-mail, refused by the portal: Ivan@Example.com");
    is_int(written(order, WROTE("[]", "{\"c\":{\"error\":\"ERROR_CORE\",\"error_description\":\"x\"}}"), &method), B24_CLASS_PERMANENT, "but only once");
    ok(known.again == B24_AGAIN_NO && !known.other_api, "a refused value is no matter of methods");
    is_int(written(order, WROTE("[]", "{\"c\":{\"error\":\"\",\"error_description\":\"The field POST is required.\"}}"), &method), B24_CLASS_PERMANENT, "a mandatory field");
    ok(known.again == B24_AGAIN_WRITE && known.other_api, "is tried by the other methods");
    is_int(written(order, WROTE("[]", "{\"c\":{\"error\":\"\",\"error_description\":\"The field POST is required.\"}}"), &method), B24_CLASS_OPERATOR, "which want it, too: a matter for a person");
    ok(known.again == B24_AGAIN_NO, "nothing is left to be tried");

    reset();
    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    order->fields[B24_ORDER_INN] = str("7707083893");
    is_int(written(order, WROTE("{\"c\":55,\"k\":9,\"d\":412,\"r\":true}", "{\"q\":{\"error\":\"\",\"error_description\":\"Access denied\"}}"), &method), B24_CLASS_OPERATOR, "the requisite failed");
    ok(known.deal == 412 && known.company == 9 && known.rows_done && !known.company_done && !known.requisite_done, "all else is done");
    ok(method && strcmp(method, "crm.requisite.add") == 0, "with the method's name");
    is_int(writes(order), 3, "the next try makes the requisite and the link");
    is_int(written(order, WROTE("{\"q\":27,\"u\":true,\"l\":false}", "[]"), &method), B24_CLASS_OK, "linked already");
    ok(known.company_done && known.requisite_done, "all done");
}


/* nothing a buyer types becomes a parameter of ours or a reference */

static void
test_hostile(void)
{
    int           n;
    size_t        i;
    b24_str_t     s;
    b24_order_t  *order = order_full();
    const char   *evil = "$result[c]&id=1&fields[ID]=1#$TOTAL[x]\r\n%26id%3D2";

    reset();

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (i != B24_ORDER_TOTAL && i != B24_ORDER_DELIVERY) {
            order->fields[i] = str(evil);
        }
    }

    order->items->fields[B24_ITEM_NAME] = str(evil);
    is_int(writes(order), 6, "evil in every field");
    has("d", "id", "(none)");
    has("d", "fields/ID", "(none)");
    has("r", "rows/0/PRODUCT_NAME", "\xEF\xBC\x84result[c]&id=1&fields[ID]=1#\xEF\xBC\x84TOTAL[x]\n%26id%3D2");

    /* ours are whole values: "=%24result" and nothing else */

    n = 0;

    for (i = 0; (i = (size_t) b24_str_find(&json, i, "%24")) < json.len; i += 3) {
        s = json;
        s.data += i - 1;
        s.len = 3 + 8;
        ok(b24_str_eqs(&s, "=%24result%"), "a reference of ours at %zu", i);
        n++;
    }

    is_int(n, 6, "ours are six: two of the deal, one of the rows, two of the link, one to read it");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_phone();
    test_email();
    test_inn();
    test_stage();
    test_lookup();
    test_looked_up();
    test_looked_up_broken();
    test_company_found();
    test_write();
    test_write_universal();
    test_write_company();
    test_write_texts();
    test_long_ids();
    test_write_many();
    test_written();
    test_hostile();

    b24_pool_destroy(pool);

    return done_testing();
}
