
/* Many orders in one batch: what the portal gets, and what each order is told. */


#include <stdlib.h>

#include "tap.h"
#include "b24_crm.h"
#include "b24_slice.h"


static b24_pool_t           *pool;
static b24_crm_settings_t    set;
static b24_slice_t           slice;
static b24_str_t             json;
static b24_answer_t          answer;
static b24_node_t           *cmds;


static b24_order_t *
order_new(const char *id)
{
    b24_order_t  *order = b24_order_create(pool);

    order->origin = str("shop");
    order->fields[B24_ORDER_ID] = str(id);

    return order;
}


static void
reset(void)
{
    memset(&set, 0, sizeof(set));
    set.origin = str("shop");
    set.phone_code = str("7");
    b24_slice_init(&slice, pool);
}


/* a batch that stays */

static b24_batch_t *
batch_new(void)
{
    b24_batch_t  *batch = b24_pcalloc(pool, sizeof(b24_batch_t));

    b24_batch_init(batch, pool, 0);

    return batch;
}


static int
add_lookup(b24_order_t *order, const b24_crm_known_t *known, int retry, unsigned number)
{
    b24_batch_t  *batch = batch_new();

    if (b24_crm_lookup(batch, &set, order, known, retry) != B24_OK) {
        return B24_ERROR;
    }

    return b24_slice_add(&slice, batch, number);
}


static int
add_write(b24_order_t *order, b24_crm_known_t *known, unsigned number)
{
    unsigned      mask;
    b24_batch_t  *batch = batch_new();

    known->literal = 1;

    if (b24_crm_write(batch, &set, order, known, &mask) != B24_OK) {
        return B24_ERROR;
    }

    return b24_slice_add(&slice, batch, number);
}


static int
print(void)
{
    b24_str_t    k = b24_string("cmd");
    b24_node_t  *root;

    cmds = NULL;

    if (b24_slice_print(&slice, &json) != B24_OK || b24_json_parse(pool, &json, 0, &root) != B24_OK) {
        return -1;
    }

    cmds = b24_node_get(root, &k);

    return (int) cmds->count;
}


static b24_str_t
line(const char *name)
{
    b24_str_t    k = str(name), none = b24_string("(none)");
    b24_node_t  *node = b24_node_get(cmds, &k);

    return node ? node->value : none;
}


/* the command as the server decodes it: "method" or "path/to/parameter" */

static void
has(const char *name, const char *path, const char *want)
{
    char         part[64], text[160];
    size_t       i;
    b24_str_t    s = line(name), k, got = b24_string("(none)");
    b24_node_t  *node = NULL;

    (void) snprintf(text, sizeof(text), "%s: %s", name, path);

    for (i = 0; i < s.len && s.data[i] != '?'; i++) { /* void */ }

    if (strcmp(path, "method") == 0) {
        s.len = i;
        is_str(&s, want, text);
        return;
    }

    s.data += i + 1;
    s.len -= i < s.len ? i + 1 : i;
    (void) b24_form_parse(pool, &s, &node);

    while (*path && node) {
        for (i = 0; path[i] && path[i] != '/'; i++) { part[i] = path[i]; }

        part[i] = '\0';
        path += path[i] ? i + 1 : i;
        k = str(part);
        node = b24_node_get(node, &k);
    }

    if (node && node->type == B24_STRING) { got = node->value; }

    is_str(&got, want, text);
}


static void
answered(unsigned http, const char *body)
{
    b24_str_t  *s = b24_pcalloc(pool, sizeof(b24_str_t));

    *s = str(body);
    (void) b24_answer_parse(pool, B24_NET_OK, http, s, &answer);
}


/* what the order's own answer holds, as text */

static void
own(unsigned number, const char *want, const char *name)
{
    b24_buf_t     buf;
    b24_str_t     s = b24_null_string;
    b24_answer_t  mine;

    b24_buf_init(&buf, pool);

    if (b24_slice_answer(pool, &slice, &answer, number, &mine) == B24_OK) {
        (void) b24_node_print(mine.result, &buf);
        b24_buf_addc(&buf, ' ');
        (void) b24_node_print(mine.errors, &buf);
        (void) b24_buf_str(&buf, &s);
    }

    is_str(&s, want, name);
}


static b24_class_e
looked_up(unsigned number, b24_order_t *order, b24_crm_known_t *known)
{
    b24_answer_t   mine;
    b24_verdict_t  verdict;

    (void) b24_slice_answer(pool, &slice, &answer, number, &mine);
    (void) b24_crm_looked_up(pool, &mine, &set, order, known, &verdict);

    return verdict.class;
}


static b24_class_e
written(unsigned number, b24_order_t *order, b24_crm_known_t *known)
{
    const char     *method;
    b24_answer_t    mine;
    b24_verdict_t   verdict;

    (void) b24_slice_answer(pool, &slice, &answer, number, &mine);
    (void) b24_crm_written(pool, &mine, &set, order, known, &verdict, &method);

    return verdict.class;
}


#define BODY(done, failed)  "{\"result\":{\"result\":" done ",\"result_error\":" failed "}}"


static void
test_lists(void)
{
    b24_order_t      *a, *b, *c;
    b24_crm_known_t   none, known;

    memset(&none, 0, sizeof(none));
    reset();
    a = order_new("A1");
    a->fields[B24_ORDER_PHONE] = str("+79123456789");
    b = order_new("a1");
    b->fields[B24_ORDER_PHONE] = str("+79123456780");
    c = order_new("$result[x]&filter[ID]=1");

    is_int(add_lookup(a, &none, 0, 7), B24_OK, "an order's look-up");
    is_int(add_lookup(b, &none, 1, 8), B24_OK, "another, which was sent before");
    is_int(add_lookup(c, &none, 0, 9), B24_OK, "a third");
    is_int(add_lookup(c, &none, 0, 9), B24_ERROR, "not twice under one number");
    is_int(print(), 4, "one list for all deals, a command for each phone, the contact of the retry");
    ok(b24_str_find(&json, 0, "{\"halt\":0,") == 0, "halt:0");
    has("deal_7", "method", "crm.deal.list");
    has("deal_7", "filter/=ORIGINATOR_ID", "shop");
    has("deal_7", "filter/=ORIGIN_ID", "(none)");
    has("deal_7", "filter/@ORIGIN_ID/0", "A1");
    has("deal_7", "filter/@ORIGIN_ID/1", "a1");
    has("deal_7", "filter/@ORIGIN_ID/2", "\xEF\xBC\x84result[x]&filter[ID]=1");
    has("deal_7", "filter/ID", "(none)");
    has("deal_7", "select/1", "ORIGIN_ID");
    has("deal_7", "order/ID", "ASC");
    has("deal_7", "start", "-1");
    has("phone_7", "values/0", "+79123456789");
    has("phone_8", "values/0", "+79123456780");
    has("contact_8", "filter/=ORIGIN_ID", "a1");

    answered(200, BODY("{\"deal_7\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"A1\"},{\"ID\":\"6\",\"ORIGIN_ID\":\"a1\"},{\"ID\":\"9\",\"ORIGIN_ID\":\"A1\"},{\"ID\":\"4\",\"ORIGIN_ID\":\"\xC3\xA1" "1\"},{\"ID\":\"3\",\"ORIGIN_ID\":null}],"
        "\"phone_7\":{\"CONTACT\":[275]},\"phone_8\":[],\"contact_8\":[]}", "[]"));
    own(7, "{\"deal\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"A1\"},{\"ID\":\"9\",\"ORIGIN_ID\":\"A1\"}],\"phone\":{\"CONTACT\":[275]}} {}", "rows of the exact number, all of them");
    own(8, "{\"again\":[{\"ID\":\"6\",\"ORIGIN_ID\":\"a1\"}],\"contact\":[],\"phone\":[]} {}", "under the names that the order has given");
    own(9, "{\"deal\":[]} {}", "none");
    own(10, "{} {}", "a number that nobody has");

    known = none;
    is_int(looked_up(7, a, &known), B24_CLASS_OK, "read as an answer of its own");
    ok(known.deal == 5 && known.contact == 275, "deal and contact");
    known = none;
    is_int(looked_up(9, c, &known), B24_CLASS_OK, "nothing is there");
    is_int(known.deal, 0, "and nothing is known");

    answered(200, BODY("{\"deal_7\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"A1\"},{\"ID\":\"6\"}],\"phone_7\":[]}", "[]"));
    own(7, "{\"phone\":[]} {}", "rows without the field tell nobody anything");
    known = none;
    is_int(looked_up(9, c, &known), B24_CLASS_RETRY, "so that nothing is made");

    answered(200, BODY("{\"deal_7\":false}", "[]"));
    own(9, "{} {}", "no list");
    answered(200, BODY("{\"deal_7\":[412]}", "[]"));
    own(9, "{} {}", "a list of something else");
    answered(200, BODY("{\"deal\":[],\"deal_9\":[]}", "[]"));
    own(9, "{} {}", "other names");
    answered(200, BODY("[]", "[]"));
    own(9, "{} {}", "empty maps");
    answered(200, "{\"result\":true}");
    own(9, "{} {}", "no batch at all");

    answered(200, BODY("{\"phone_7\":[]}", "{\"deal_7\":{\"error\":\"\",\"error_description\":\"Access denied\"}}"));
    own(7, "{\"phone\":[]} {\"deal\":{\"error\":\"\",\"error_description\":\"Access denied\"}}", "a list that failed");
    own(8, "{} {\"again\":{\"error\":\"\",\"error_description\":\"Access denied\"}}", "has failed for each");

    answered(503, "{\"error\":\"QUERY_LIMIT_EXCEEDED\"}");
    known = none;
    is_int(looked_up(7, a, &known), B24_CLASS_RETRY, "a request that failed has failed for all");

    answered(200, "{\"result\":{\"result\":{\"phone_7\":[]},\"result_error\":{\"deal_7\":{\"error\":\"OPERATION_TIME_LIMIT\"}},"
        "\"result_time\":{\"deal_7\":{\"operating_reset_at\":1000500},\"phone_7\":{\"operating_reset_at\":7}}},\"time\":{\"finish\":1000000.5}}");
    {
        b24_node_t     *node;
        b24_answer_t    mine;
        b24_verdict_t   v;

        (void) b24_slice_answer(pool, &slice, &answer, 8, &mine);
        is_int(b24_answer_command(pool, &mine, "again", &node, &v), B24_CMD_FAILED, "a limit inside");
        is_int(v.reset_at, 1000500, "with its own end");
        is_int(v.now, 1000000, "by the portal's clock");
    }
}


static void
test_full_page(void)
{
    int               i;
    char              one[64];
    b24_buf_t         buf;
    b24_str_t         s;
    b24_order_t      *a, *b;
    b24_crm_known_t   known;

    memset(&known, 0, sizeof(known));
    reset();
    a = order_new("1");
    b = order_new("2");
    (void) add_lookup(a, &known, 0, 1);
    (void) add_lookup(b, &known, 0, 2);

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "{\"result\":{\"result\":{\"deal_1\":[");

    for (i = 0; i < 50; i++) {
        (void) snprintf(one, sizeof(one), "%s{\"ID\":%d,\"ORIGIN_ID\":1}", i ? "," : "", 100 + i);
        b24_buf_adds(&buf, one);
    }

    b24_buf_adds(&buf, "]}}}");
    (void) b24_buf_str(&buf, &s);
    (void) b24_answer_parse(pool, B24_NET_OK, 200, &s, &answer);

    is_int(print(), 1, "one list");
    is_int(looked_up(1, a, &known), B24_CLASS_OK, "a full page tells what is on it");
    is_int(known.deal, 100, "the lowest id");
    memset(&known, 0, sizeof(known));
    is_int(looked_up(2, b, &known), B24_CLASS_RETRY, "and nothing of what is not");
}


static void
test_kinds(void)
{
    b24_order_t      *a = order_new("1"), *b = order_new("2"), *firm;
    b24_crm_known_t   none;

    memset(&none, 0, sizeof(none));
    reset();
    (void) add_lookup(a, &none, 0, 1);
    b->origin = str("other");
    (void) add_lookup(b, &none, 0, 2);
    set.universal = 1;
    (void) add_lookup(order_new("3"), &none, 0, 3);
    (void) add_lookup(order_new("4"), &none, 0, 4);
    is_int(print(), 3, "originators and families of methods are not mixed");
    has("deal_2", "filter/=ORIGIN_ID", "2");
    has("deal_3", "method", "crm.item.list");
    has("deal_3", "entityTypeId", "2");
    has("deal_3", "filter/=originatorId", "shop");
    has("deal_3", "filter/@originId/1", "4");

    answered(200, BODY("{\"deal_1\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"x\"}],\"deal_3\":{\"items\":[{\"id\":8,\"originId\":\"4\"}]}}", "[]"));
    own(1, "{\"deal\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"x\"}]} {}", "who is alone gets what was answered");
    own(3, "{\"deal\":{\"items\":[]}} {}", "universal: none");
    own(4, "{\"deal\":{\"items\":[{\"id\":8,\"originId\":\"4\"}]}} {}", "universal: one");

    /* entities, and what is not asked by ORIGIN_ID */

    reset();
    set.universal = 1;
    firm = order_new("1");
    firm->fields[B24_ORDER_NAME] = str("Ivan");
    firm->fields[B24_ORDER_COMPANY] = str("Romashka");
    firm->fields[B24_ORDER_INN] = str("7707083893");
    (void) add_lookup(firm, &none, 1, 1);
    firm = order_new("2");
    firm->fields[B24_ORDER_NAME] = str("Ivan");
    firm->fields[B24_ORDER_COMPANY] = str("Romashka");
    firm->fields[B24_ORDER_INN] = str("7736050003");
    (void) add_lookup(firm, &none, 1, 2);
    is_int(print(), 7, "a list each of deals, contacts, companies, and the rest by themselves");
    has("again_1", "entityTypeId", "2");
    has("contact_1", "entityTypeId", "3");
    has("contact_1", "filter/@originId/1", "2");
    has("firm_1", "entityTypeId", "4");
    has("firm_1", "filter/@originId/1", "inn:7736050003");
    has("firm_1", "filter/=originatorId", "(none)");
    has("title_2", "filter/=title", "Romashka");
    has("inn_2", "filter/=RQ_INN", "7736050003");
}


static void
test_room(void)
{
    int               i, n;
    char             *id;
    b24_str_t         before;
    b24_batch_t      *batch;
    b24_order_t      *order;
    b24_crm_known_t   none;

    memset(&none, 0, sizeof(none));
    reset();

    for (i = 0; i < 26; i++) {
        id = b24_pnalloc(pool, 16);
        (void) sprintf(id, "n%d", i);
        (void) add_lookup(order_new(id), &none, 0, (unsigned) i);
    }

    is_int(print(), 2, "26 values are two commands");
    has("deal_0", "filter/@ORIGIN_ID/24", "n24");
    has("deal_0", "filter/@ORIGIN_ID/25", "(none)");
    has("deal_25", "filter/=ORIGIN_ID", "n25");

    reset();

    for (n = 0; n < 100; n++) {
        order = order_new("1");
        id = b24_pnalloc(pool, 16);
        (void) sprintf(id, "%d", n);
        order->fields[B24_ORDER_ID] = str(id);
        order->fields[B24_ORDER_PHONE] = str("+79123456789");
        order->fields[B24_ORDER_EMAIL] = str("ivan@example.com");

        if (n == 23) {
            (void) print();
            before = json;
        }

        if (add_lookup(order, &none, 0, (unsigned) n) != B24_OK) { break; }
    }

    is_int(n, 24, "24 orders of three commands");
    is_int(print(), 49, "24 phones, 24 e-mails, one list");
    ok(before.len < json.len, "more than before");
    before = json;
    is_int(add_lookup(order, &none, 0, 99), B24_DECLINED, "no room for two more");
    (void) print();
    ok(b24_str_eq(&before, &json), "a batch that found no room has left nothing behind");
    is_int(add_lookup(order_new("x"), &none, 0, 99), B24_OK, "but for one in the list");
    is_int(print(), 49, "which takes no command");

    batch = batch_new();
    batch->halt = 1;
    is_int(b24_slice_add(&slice, batch, 100), B24_ERROR, "halt:1 is refused");
    batch = batch_new();
    batch->failed = 1;
    is_int(b24_slice_add(&slice, batch, 100), B24_ERROR, "so is a batch that failed");
    is_int(b24_slice_add(&slice, batch_new(), 100), B24_OK, "an empty one is nothing");

    reset();
    is_int(print(), 0, "an empty slice");
}


static void
test_records(void)
{
    b24_order_t      *a = order_new("1"), *b = order_new("2"), *c = order_new("3");
    b24_crm_known_t   one, two, three;

    memset(&one, 0, sizeof(one));
    one.contact = 55;
    one.contact_done = 1;
    one.recalled_contact = 1;
    one.phone_fits = 1;
    two = one;
    two.contact = 56;
    three = one;
    a->fields[B24_ORDER_PHONE] = str("+79123456789");
    b->fields[B24_ORDER_PHONE] = str("+79123456780");
    c->fields[B24_ORDER_PHONE] = str("+79123456789");

    reset();
    (void) add_write(a, &one, 1);
    is_int(print(), 1, "one contact");
    has("g_1", "method", "crm.contact.get");
    has("g_1", "id", "55");
    (void) add_write(b, &two, 2);
    (void) add_write(c, &three, 3);
    is_int(print(), 1, "three orders of two contacts");
    has("g_1", "method", "crm.contact.list");
    has("g_1", "id", "(none)");
    has("g_1", "filter/@ID/0", "55");
    has("g_1", "filter/@ID/1", "56");
    has("g_1", "filter/@ID/2", "(none)");
    has("g_1", "select/0", "ID");
    has("g_1", "select/1", "PHONE");
    has("g_1", "select/2", "EMAIL");
    has("g_1", "order/ID", "ASC");
    has("g_1", "start", "-1");

    answered(200, BODY("{\"g_1\":[{\"ID\":\"55\",\"PHONE\":[{\"VALUE\":\"89123456789\"}]}]}", "[]"));
    is_int(written(1, a, &one), B24_CLASS_OK, "the contact is there");
    ok(one.contact == 55 && !one.recalled_contact && one.again == B24_AGAIN_NO, "and is the one");
    is_int(written(3, c, &three), B24_CLASS_OK, "for the other order, too");
    is_int(three.contact, 55, "it is");
    own(2, "{} {\"g\":{\"error\":\"\",\"error_description\":\"Not found\"}}", "one that a list does not have");
    is_int(written(2, b, &two), B24_CLASS_PERMANENT, "has gone");
    ok(two.gone_contact == 56 && two.again == B24_AGAIN_LOOKUP, "and is looked up");

    /* universal */

    memset(&one, 0, sizeof(one));
    one.contact = 55;
    one.contact_done = 1;
    one.recalled_contact = 1;
    one.phone_fits = 1;
    one.company = 9;
    one.recalled_company = 1;
    one.requisite_done = 1;
    two = one;
    two.contact = 56;
    two.company = 10;
    a->fields[B24_ORDER_COMPANY] = str("Romashka");
    b->fields[B24_ORDER_COMPANY] = str("Vasilek");

    reset();
    set.universal = 1;
    (void) add_write(a, &one, 1);
    (void) add_write(b, &two, 2);
    is_int(print(), 2, "contacts and companies");
    has("g_1", "method", "crm.item.list");
    has("g_1", "entityTypeId", "3");
    has("g_1", "filter/@id/1", "56");
    has("g_1", "select/0", "*");
    has("g_1", "select/1", "(none)");
    has("h_1", "entityTypeId", "4");
    has("h_1", "filter/@id/1", "10");
    has("h_1", "select/0", "id");
    answered(200, BODY("{\"g_1\":{\"items\":[{\"id\":56,\"fm\":[{\"typeId\":\"PHONE\",\"value\":\"+79123456780\"}]},{\"id\":55,\"fm\":[]}]},\"h_1\":{\"items\":[{\"id\":10}]}}", "[]"));
    own(2, "{\"g\":{\"item\":{\"id\":56,\"fm\":[{\"typeId\":\"PHONE\",\"value\":\"+79123456780\"}]}},\"h\":{\"item\":{\"id\":10}}} {}", "as the record's own method tells it");
    own(1, "{\"g\":{\"item\":{\"id\":55,\"fm\":[]}}} {\"h\":{\"error\":\"NOT_FOUND\",\"error_description\":\"Not found\"}}", "a missing one, too");
    is_int(written(2, b, &two), B24_CLASS_OK, "both are there");
    ok(two.contact == 56 && two.company == 10 && !two.recalled_contact && !two.recalled_company, "and known");

    /* deals read back */

    memset(&one, 0, sizeof(one));
    one.contact_done = 1;
    one.company_done = 1;
    one.rows_done = 1;
    one.deal = 412;
    one.read_due = 1;
    two = one;
    two.deal = 413;
    three = one;
    three.deal = 414;
    a = order_new("1");
    b = order_new("2");
    c = order_new("3");

    reset();
    (void) add_write(a, &one, 1);
    (void) add_write(b, &two, 2);
    (void) add_write(c, &three, 3);
    is_int(print(), 1, "deals that were made are read in one list");
    has("b_1", "method", "crm.deal.list");
    has("b_1", "filter/@ID/2", "414");
    has("b_1", "select/1", "STAGE_ID");
    has("b_1", "select/2", "CATEGORY_ID");
    has("b_1", "select/3", "OPPORTUNITY");
    has("b_1", "select/4", "CURRENCY_ID");
    has("b_1", "select/5", "SOURCE_ID");
    has("b_1", "select/6", "TYPE_ID");
    has("b_1", "select/7", "ASSIGNED_BY_ID");
    has("b_1", "select/8", "CONTACT_ID");
    has("b_1", "select/9", "COMPANY_ID");
    answered(200, BODY("{\"b_1\":[{\"ID\":\"412\",\"STAGE_ID\":\"NEW\",\"CATEGORY_ID\":\"0\"},{\"ID\":\"414\",\"STAGE_ID\":\"C3:NEW\",\"CATEGORY_ID\":\"3\"},{\"ID\":\"1\",\"STAGE_ID\":\"LOST\"}]}", "[]"));
    is_int(written(1, a, &one), B24_CLASS_OK, "the first");
    is_str(&one.stage, "NEW", "is where it was put");
    ok(a->remarks == NULL, "without a remark");
    is_int(written(2, b, &two), B24_CLASS_OK, "one that is not there any more is no failure");
    ok(two.stage.len == 0 && !two.read_due, "it is not read again");
    is_int(written(3, c, &three), B24_CLASS_OK, "the third");
    is_str(&three.stage, "C3:NEW", "is elsewhere");
    ok(c->remarks != NULL, "with a remark");
}


/* memory that ends at any step harms nobody */

static void
test_memory(void)
{
    size_t            limit;
    b24_str_t         s;
    b24_pool_t       *small, *whole;
    b24_answer_t      mine;
    b24_batch_t      *batch;
    b24_crm_known_t   none;
    unsigned          n, added;
    int               bad = 0;

    memset(&none, 0, sizeof(none));
    reset();
    whole = pool;
    answered(200, BODY("{\"deal_0\":[{\"ID\":\"5\",\"ORIGIN_ID\":\"1\"}]}", "[]"));

    for (limit = 64; limit < 8000; limit += 64) {
        small = b24_pool_create(limit);
        b24_slice_init(&slice, small);
        added = 0;

        for (n = 0; n < 3; n++) {
            batch = batch_new();
            (void) b24_crm_lookup(batch, &set, order_new(n ? "2" : "1"), &none, 0);
            added += b24_slice_add(&slice, batch, n) == B24_OK;
        }

        if (b24_slice_print(&slice, &s) == B24_OK && slice.sent.count != (added != 0)) { bad++; }

        if (b24_slice_answer(small, &slice, &answer, 0, &mine) == B24_OK && added && mine.result->count > 1) { bad++; }

        b24_pool_destroy(small);
    }

    pool = whole;
    is_int(bad, 0, "all or nothing, whatever the memory");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_lists();
    test_full_page();
    test_kinds();
    test_room();
    test_records();
    test_memory();

    b24_pool_destroy(pool);

    return done_testing();
}
