
/* What the configuration sets in the CRM, against what the portal has. */


#include <stdio.h>

#include "tap.h"
#include "b24_crm.h"


static b24_pool_t   *pool;
static b24_book_t    book;
static b24_str_t     json;
static b24_node_t   *cmds;
static unsigned      count;


static b24_field_line_t
line(b24_entity_e entity, const char *field, const char *value)
{
    b24_field_line_t  l;

    l.entity = entity;
    l.field = str(field);
    l.value = str(value);

    return l;
}


static void
want(unsigned universal, b24_entity_e entity, const char *field, const char *value)
{
    b24_field_line_t  l = line(entity, field, value);

    if (b24_book_want(pool, &book, universal, &l) != B24_OK) {
        ok(0, "wanted");
    }
}


static void
wrong(unsigned universal, b24_entity_e entity, const char *field, const char *value, const char *text)
{
    char              name[256];
    b24_str_t         got;
    b24_field_line_t  l = line(entity, field, value);

    (void) snprintf(name, sizeof(name), "%s %s \"%s\": %s", universal ? "universal" : "classic", field, value, text[0] ? text : "fine");

    if (b24_book_line_wrong(pool, &book, universal, &l, &got) != B24_OK) {
        ok(0, "%s", name);
        return;
    }

    is_str(&got, text, name);
}


static void
ask(void)
{
    b24_str_t    k = b24_string("cmd");
    b24_node_t  *root;
    b24_batch_t  batch;

    cmds = NULL;

    b24_batch_init(&batch, pool, 0);

    if (b24_book_ask(&batch, &book) != B24_OK) {
        ok(0, "asked");
        return;
    }

    count = batch.count;

    if (count && b24_batch_print(&batch, &json) == B24_OK && b24_json_parse(pool, &json, 0, &root) == B24_OK) {
        cmds = b24_node_get(root, &k);
    }
}


static void
asks(const char *name, const char *text)
{
    b24_str_t    k = str(name), none = b24_string("(none)");
    b24_node_t  *node = cmds ? b24_node_get(cmds, &k) : NULL;

    is_str(node ? &node->value : &none, text, name);
}


static int
answer(const char *text)
{
    int            again;
    b24_str_t      body = str(text);
    b24_answer_t   a;
    b24_verdict_t  v;

    if (b24_answer_parse(pool, B24_NET_OK, 200, &body, &a) != B24_OK || b24_book_read(pool, &a, &book, &v, &again) != B24_OK) {
        return -1;
    }

    return v.class;
}


static void
fresh(void)
{
    memset(&book, 0, sizeof(book));
}


#define RESULT(r, e, n)                                                       \
    "{\"result\":{\"result\":" r ",\"result_error\":" e ",\"result_next\":" n \
    ",\"result_total\":[],\"result_time\":[]}}"

#define DEAL     "the portal's deals have no such field"
#define SOURCES  "{\"ENTITY_ID\":\"SOURCE\",\"STATUS_ID\":\"CALL\"}," \
                 "{\"ENTITY_ID\":\"OTHERS\",\"STATUS_ID\":\"NO\"},"   \
                 "{\"ENTITY_ID\":\"SOURCE\",\"STATUS_ID\":\"WEB\"}"


static void
questions(void)
{
    fresh();
    ask();
    is_int(count, 0, "no lines, no questions");

    want(0, B24_ENTITY_CONTACT, "PHONE", "");
    want(0, B24_ENTITY_COMPANY, "EMAIL", "x@example.com");
    want(1, B24_ENTITY_DEAL, "COMMENTS", "text");
    want(0, B24_ENTITY_DEAL, "TRACE", "");
    ask();
    is_int(count, 0, "nor for what is always there");

    want(0, B24_ENTITY_DEAL, "UF_CRM_A", "1");
    want(0, B24_ENTITY_DEAL, "SOURCE_ID", "WEB");
    want(0, B24_ENTITY_DEAL, "SOURCE_ID", "CALL");
    want(0, B24_ENTITY_CONTACT, "SOURCE_ID", "CALL");
    want(0, B24_ENTITY_CONTACT, "TYPE_ID", "");
    want(1, B24_ENTITY_COMPANY, "UF_CRM_A[0]", "1");
    want(1, B24_ENTITY_COMPANY, "COMPANY_TYPE", "CUSTOMER");
    ask();
    is_int(count, 5, "each once");
    asks("fd", "crm.deal.fields?");
    asks("fc", "crm.contact.fields?");
    asks("fk", "(none)");
    asks("uk", "crm.item.fields?entityTypeId=4&useOriginalUfNames=Y");
    asks("vs", "crm.status.list?filter[ENTITY_ID]=SOURCE");
    asks("vc", "(none)");
    asks("vk", "crm.status.list?filter[ENTITY_ID]=COMPANY_TYPE");
}


/* a method that is gone is no lack of rights */

static void
denied(void)
{
    b24_pipeline_t  p;

    memset(&p, 0, sizeof(p));
    fresh();
    book.pipelines = &p;

    (void) answer(RESULT("[]", "{\"s0\":{\"error\":\"ERROR_METHOD_NOT_FOUND\",\"error_description\":\"Method not found!\"}}", "[]"));
    is_str(&book.denied, "", "a method that is gone");
    ok(book.no_stage_list, "the other one is asked");

    (void) answer(RESULT("[]", "{\"s0\":{\"error\":\"ACCESS_DENIED\",\"error_description\":\"Access denied.\"}}", "[]"));
    is_str(&book.denied, "ACCESS_DENIED", "a user without rights");
}


/* questions for stages come first; no more than a batch has room for */

static void
bounds(void)
{
    int             i;
    b24_pipeline_t  p[B24_BATCH_MAX - 1];

    fresh();
    memset(p, 0, sizeof(p));

    for (i = 0; i < B24_BATCH_MAX - 1; i++) {
        p[i].category = i;
        p[i].next = book.pipelines;
        book.pipelines = &p[i];
    }

    want(0, B24_ENTITY_DEAL, "SOURCE_ID", "NOPE");
    ask();
    is_int(count, B24_BATCH_MAX, "a batch's most");
    asks("s0", "crm.dealcategory.stage.list?id=0");
    asks("fd", "crm.deal.fields?");
    asks("vs", "(none)");
}


static void
self(void)
{
    b24_str_t  rub = b24_string("RUB"), xts = b24_string("XTS");

    fresh();
    book.want_self = 1;
    ask();
    is_int(count, 3, "of the webhook itself");
    asks("who", "profile?");
    asks("may", "scope?");
    asks("money", "crm.currency.list?");
    ok(b24_book_currency(&book, &xts), "nobody knows the currencies yet");

    is_int(answer(RESULT("{\"may\":[\"crm\"],\"money\":[{\"CURRENCY\":\"RUB\"}]}", "[]", "[]")), B24_CLASS_OK, "answered");
    ok(book.scope_known && book.scope_crm && !book.scope_catalog, "permissions");
    ok(b24_book_currency(&book, &rub) && !b24_book_currency(&book, &xts), "currencies");

    ask();
    is_int(count, 0, "nothing more to ask");

    fresh();
    book.want_self = 1;
    is_int(answer(RESULT("{\"may\":7,\"money\":[{\"NAME\":\"RUB\"}]}", "[]", "[]")), B24_CLASS_OK, "answered otherwise");
    ok(!book.scope_known && b24_book_currency(&book, &xts), "says nothing");
}


static void
classic(void)
{
    fresh();
    want(0, B24_ENTITY_DEAL, "SOURCE_ID", "NOPE");
    wrong(0, B24_ENTITY_DEAL, "UF_CRM_NOPE", "1", "");

    is_int(answer(RESULT("{\"fd\":{\"TITLE\":{\"type\":\"string\"},\"SOURCE_ID\":{},\"TYPE_ID\":{},\"UF_CRM_A\":{}},"
                         "\"vs\":[" SOURCES "]}", "[]", "[]")),
           B24_CLASS_OK, "answered");

    wrong(0, B24_ENTITY_DEAL, "UF_CRM_A", "1", "");
    wrong(0, B24_ENTITY_DEAL, "UF_CRM_A[3]", "1", "");
    wrong(0, B24_ENTITY_DEAL, "UF_CRM_NOPE", "", DEAL);
    wrong(0, B24_ENTITY_DEAL, "UF_CRM_AA", "", DEAL);
    wrong(0, B24_ENTITY_DEAL, "UF_CRM_", "", DEAL);
    wrong(0, B24_ENTITY_DEAL, "UF_CRM_NOPE[0]", "", DEAL);
    wrong(0, B24_ENTITY_DEAL, "PHONE", "", DEAL);
    wrong(0, B24_ENTITY_DEAL, "COMMENTS", "", "");
    wrong(0, B24_ENTITY_DEAL, "SOURCE_ID", "WEB", "");
    wrong(0, B24_ENTITY_DEAL, "SOURCE_ID", "", "");
    wrong(0, B24_ENTITY_DEAL, "SOURCE_ID", "web", "the portal has no value \"web\", only CALL, WEB");
    wrong(0, B24_ENTITY_DEAL, "SOURCE_ID", "NO", "the portal has no value \"NO\", only CALL, WEB");
    wrong(0, B24_ENTITY_DEAL, "SOURCE_ID", "a\nb\t", "the portal has no value \"a?b?\", only CALL, WEB");
    wrong(0, B24_ENTITY_DEAL, "TYPE_ID", "NOPE", "");

    /* nobody has asked for these */
    wrong(0, B24_ENTITY_CONTACT, "UF_CRM_NOPE", "", "");
    wrong(1, B24_ENTITY_DEAL, "UF_CRM_NOPE", "", "");

    ask();
    is_int(count, 0, "not asked again");
}


static void
universal(void)
{
    fresh();
    want(1, B24_ENTITY_COMPANY, "COMPANY_TYPE", "CUSTOMER");

    is_int(answer(RESULT("{\"uk\":{\"fields\":{\"typeId\":{},\"fm\":{},\"utmSource\":{},\"parentId128\":{},\"UF_CRM_A\":{},\"ufCrmB\":{}}},"
                         "\"vk\":[{\"STATUS_ID\":\"CUSTOMER\"}]}", "[]", "[]")),
           B24_CLASS_OK, "answered");

    wrong(1, B24_ENTITY_COMPANY, "COMPANY_TYPE", "CUSTOMER", "");
    wrong(1, B24_ENTITY_COMPANY, "COMPANY_TYPE", "X", "the portal has no value \"X\", only CUSTOMER");
    wrong(1, B24_ENTITY_COMPANY, "UTM_SOURCE", "", "");
    wrong(1, B24_ENTITY_COMPANY, "PARENT_ID_128", "", "");
    wrong(1, B24_ENTITY_COMPANY, "UF_CRM_A[0]", "", "");
    wrong(1, B24_ENTITY_COMPANY, "UF_CRM_B", "", "the portal's companies have no such field");
    wrong(1, B24_ENTITY_COMPANY, "PHONE", "", "");
    wrong(1, B24_ENTITY_COMPANY, "IM[1]", "", "");
}


/* whatever else it says, the line stays unchecked and nothing fails */

static void
unknown(void)
{
    size_t  i;

    static const char  *answers[] = {
        RESULT("[]", "{\"fd\":{\"error\":\"ERROR_METHOD_NOT_FOUND\",\"error_description\":\"\"},\"vs\":{\"error\":\"\",\"error_description\":\"Access denied.\"}}", "[]"),
        RESULT("[]", "{\"fd\":{\"error\":\"OPERATION_TIME_LIMIT\"},\"vs\":{\"error\":\"INTERNAL_SERVER_ERROR\"}}", "[]"),
        RESULT("[]", "[]", "[]"),
        RESULT("{\"fd\":[],\"vs\":[]}", "[]", "[]"),
        RESULT("{\"fd\":null,\"vs\":false}", "[]", "[]"),
        RESULT("{\"fd\":{},\"vs\":[1]}", "[]", "[]"),
        RESULT("{\"fd\":\"x\",\"vs\":[{\"STATUS_ID\":[]}]}", "[]", "[]"),
        RESULT("{\"fd\":[\"TITLE\"],\"vs\":[" SOURCES "]}", "[]", "{\"vs\":50}"),
    };

    for (i = 0; i < sizeof(answers) / sizeof(char *); i++) {
        fresh();
        want(0, B24_ENTITY_DEAL, "SOURCE_ID", "NOPE");
        is_int(answer(answers[i]), B24_CLASS_OK, answers[i]);
        wrong(0, B24_ENTITY_DEAL, "UF_CRM_NOPE", "", "");
        wrong(0, B24_ENTITY_DEAL, "SOURCE_ID", "NOPE", "");
        ask();
        is_int(count, 0, "not asked again");
    }
}


/* a long list is cut, and the text stays a line */

static void
many(void)
{
    int               i;
    b24_buf_t         buf;
    b24_str_t         text, got;
    b24_field_line_t  l = line(B24_ENTITY_DEAL, "SOURCE_ID", "NOPE");

    fresh();
    want(0, B24_ENTITY_DEAL, "SOURCE_ID", "NOPE");

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "{\"result\":{\"result\":{\"vs\":[{\"STATUS_ID\":\"a\\n\\tb\"}");

    for (i = 0; i < 300; i++) {
        b24_buf_adds(&buf, ",{\"STATUS_ID\":\"UC_");
        b24_buf_addi(&buf, i);
        b24_buf_adds(&buf, "\"}");
    }

    b24_buf_adds(&buf, "]},\"result_error\":[]}}");

    ok(b24_buf_str(&buf, &text) == B24_OK && answer((char *) text.data) == B24_CLASS_OK, "300 values");
    ok(b24_book_line_wrong(pool, &book, 0, &l, &got) == B24_OK && got.len > 400 && got.len < 500, "are not all told");
    ok(b24_str_find(&got, 0, "a??b, UC_0, UC_1,") > 0 && b24_str_find(&got, got.len - 5, ", ...") > 0, "only the first ones");
}


int
main(void)
{
    pool = b24_pool_create(0);

    questions();
    bounds();
    self();
    denied();
    classic();
    universal();
    unknown();
    many();

    b24_pool_destroy(pool);

    return done_testing();
}
