
/* Batches: what is sent, and what an answer means. */


#include <stdlib.h>

#include "tap.h"
#include "b24_batch.h"


static b24_pool_t  *pool;


static b24_str_t
neutral(const char *text)
{
    b24_buf_t  buf;
    b24_str_t  s, out;

    s = str(text);
    b24_buf_init(&buf, pool);
    b24_neutralise(&buf, &s);
    (void) b24_buf_str(&buf, &out);

    return out;
}


/* the value a server reads for key in the query of the first command */

static b24_str_t
sent(const b24_str_t *json, const char *name, const char *key)
{
    size_t       i;
    b24_str_t    k, text, none = b24_null_string;
    b24_node_t  *root, *node;

    if (b24_json_parse(pool, json, 0, &root) != B24_OK) {
        return none;
    }

    k = str("cmd");
    node = b24_node_get(root, &k);
    k = str(name);
    node = node ? b24_node_get(node, &k) : NULL;

    if (node == NULL) {
        return none;
    }

    text = node->value;

    for (i = 0; i < text.len && text.data[i] != '?'; i++) { /* void */ }

    if (i == text.len) {
        return none;
    }

    text.data += i + 1;
    text.len -= i + 1;

    if (b24_form_parse(pool, &text, &node) != B24_OK) {
        return none;
    }

    k = str(key);
    node = b24_node_get(node, &k);

    return node ? node->value : none;
}


static void
test_neutralise(void)
{
    size_t       i;
    b24_str_t    out;
    const char  *words[] = { "result", "next", "total", "time", "error", "RESULT", "eRRoR", "Time", NULL };
    char         text[64], want[64], name[64];

    for (i = 0; words[i]; i++) {
        (void) snprintf(text, sizeof(text), "a$%s[x]", words[i]);
        (void) snprintf(want, sizeof(want), "a\xEF\xBC\x84%s[x]", words[i]);
        (void) snprintf(name, sizeof(name), "$%s is defused", words[i]);
        out = neutral(text);
        is_str(&out, want, name);
    }

    out = neutral("$resultant[a][b]");
    is_str(&out, "\xEF\xBC\x84resultant[a][b]", "a longer word begins with result");
    out = neutral("$$result");
    is_str(&out, "$\xEF\xBC\x84result", "only the last $ counts");
    out = neutral("100$ and $nex and $");
    is_str(&out, "100$ and $nex and $", "other dollars stay");
    out = neutral("$re\xC5\xBFult[x]");
    is_str(&out, "\xEF\xBC\x84re\xC5\xBFult[x]", "long s folds to s");
    out = neutral("");
    is_int((long long) out.len, 0, "empty text");
    out = neutral("$time$error");
    is_str(&out, "\xEF\xBC\x84time\xEF\xBC\x84" "error", "two in a row");
}


static void
test_print(void)
{
    b24_str_t       json, v;
    b24_batch_t     batch;
    b24_command_t  *cmd;

    b24_batch_init(&batch, pool, 0);
    cmd = b24_batch_add(&batch, "deal", "crm.deal.list");
    v = str("a&b=c#d+e%\"\\\n");
    b24_command_text(&batch, cmd, "filter[=ORIGIN_ID]", &v);
    b24_command_int(&batch, cmd, "start", -1);

    is_int(b24_batch_print(&batch, &json), B24_OK, "prints");
    is_str(&json, "{\"halt\":0,\"cmd\":{\"deal\":\"crm.deal.list?filter[%3DORIGIN_ID]=a%26b%3Dc%23d%2Be%25%22%5C%0A&start=-1\"}}", "everything but brackets of keys is encoded");

    b24_batch_init(&batch, pool, 1);
    cmd = b24_batch_add(&batch, "c", "m");
    v = str("x $result[d] y");
    b24_command_text(&batch, cmd, "a", &v);
    cmd = b24_batch_add(&batch, "d", "m");
    b24_command_ref(&batch, cmd, "b", "$result[c]");
    is_int(b24_batch_print(&batch, &json), B24_OK, "halt:1 prints");
    v = sent(&json, "c", "a");
    is_str(&v, "x \xEF\xBC\x84result[d] y", "a buyer's reference is defused");
    v = sent(&json, "d", "b");
    is_str(&v, "$result[c]", "our reference arrives");

    b24_batch_init(&batch, pool, 1);
    cmd = b24_batch_add(&batch, "c", "m");
    v.data = (u_char *) "$\0result[d]\xFF";
    v.len = 12;
    b24_command_text(&batch, cmd, "a", &v);
    is_int(b24_batch_print(&batch, &json), B24_OK, "control characters and broken UTF-8 print");
    v = sent(&json, "c", "a");
    ok(b24_str_find(&v, 0, "$result") < 0, "a NUL between $ and result does not smuggle a reference");

    b24_batch_init(&batch, pool, 0);
    is_int(b24_batch_print(&batch, &json), B24_OK, "an empty batch prints");
    is_str(&json, "{\"halt\":0,\"cmd\":{}}", "as an object");
}


static void
test_bounds(void)
{
    int             i;
    char            key[32];
    b24_str_t       json;
    b24_pool_t     *small;
    b24_batch_t     batch;
    b24_command_t  *cmd;

    b24_batch_init(&batch, pool, 0);

    for (i = 0; i < B24_BATCH_MAX; i++) {
        char  *name = b24_pnalloc(pool, 16);

        (void) snprintf(name, 16, "n%d", i);
        cmd = b24_batch_add(&batch, name, "profile");
        b24_command_int(&batch, cmd, "a", i);
    }

    is_int(b24_batch_print(&batch, &json), B24_OK, "50 commands print");
    cmd = b24_batch_add(&batch, "more", "profile");
    b24_command_int(&batch, cmd, "a", 1);
    is_int(b24_batch_print(&batch, &json), B24_ERROR, "a 51st is refused");

    b24_batch_init(&batch, pool, 0);
    cmd = b24_batch_add(&batch, "n", "profile");

    for (i = 0; i < B24_COMMAND_VARS; i++) {
        (void) snprintf(key, sizeof(key), "k%d", i);
        b24_command_int(&batch, cmd, key, i);
    }

    is_int(b24_batch_print(&batch, &json), B24_OK, "950 variables print");
    b24_command_int(&batch, cmd, "last", 1);
    is_int(b24_batch_print(&batch, &json), B24_ERROR, "more are refused: PHP would drop them silently");

    b24_batch_init(&batch, pool, 0);
    cmd = b24_batch_add(&batch, "n", "m");
    b24_command_ref(&batch, cmd, "id", "$result[c]");
    is_int(b24_batch_print(&batch, &json), B24_ERROR, "a reference under halt:0 is refused");

    b24_batch_init(&batch, pool, 0);
    (void) b24_batch_add(&batch, "n", "m");
    (void) b24_batch_add(&batch, "n", "m");
    is_int(b24_batch_print(&batch, &json), B24_ERROR, "two commands of one name are refused");

    small = b24_pool_create(64);
    b24_batch_init(&batch, small, 0);
    cmd = b24_batch_add(&batch, "n", "m");
    ok(cmd != NULL, "a command comes even without memory");
    b24_command_chars(&batch, cmd, "key", "value value value value value value");
    is_int(b24_batch_print(&batch, &json), B24_ERROR, "out of memory is told at the end");
    b24_pool_destroy(small);
}


static b24_answer_t
answer(b24_net_e net, unsigned http, const char *body)
{
    b24_str_t     s;
    b24_answer_t  a;

    s = str(body);
    (void) b24_answer_parse(pool, net, http, &s, &a);

    return a;
}


static void
test_transport(void)
{
    size_t  i;
    static const struct {
        b24_net_e    net;
        unsigned     http;
        const char  *body;
        b24_class_e  class;
        const char  *name;
    } cases[] = {
        { B24_NET_UNSENT, 0, "", B24_CLASS_RETRY, "nothing was sent" },
        { B24_NET_UNKNOWN, 0, "", B24_CLASS_CHECK, "cut after sending" },
        { B24_NET_UNKNOWN, 200, "{\"result\":1}", B24_CLASS_CHECK, "a cut answer is not believed" },
        { B24_NET_OK, 200, "{\"result\":1}", B24_CLASS_OK, "success" },
        { B24_NET_OK, 200, "{\"result\":null}", B24_CLASS_OK, "null is a result" },
        { B24_NET_OK, 200, "", B24_CLASS_CHECK, "empty body" },
        { B24_NET_OK, 200, "<html>ok</html>", B24_CLASS_CHECK, "200 with HTML" },
        { B24_NET_OK, 200, "[1]", B24_CLASS_CHECK, "200 with a list" },
        { B24_NET_OK, 200, "{}", B24_CLASS_CHECK, "neither result nor error" },
        { B24_NET_OK, 200, "{\"result\":{\"resu", B24_CLASS_CHECK, "half of JSON" },
        { B24_NET_OK, 200, "<b>Warning</b>{\"result\":1}", B24_CLASS_CHECK, "a notice before JSON is not believed" },
        { B24_NET_OK, 500, "{\"result\":1}", B24_CLASS_CHECK, "a result with 500" },
        { B24_NET_OK, 502, "<html>Bad Gateway</html>", B24_CLASS_CHECK, "502 HTML" },
        { B24_NET_OK, 504, "", B24_CLASS_CHECK, "504 empty" },
        { B24_NET_OK, 503, "<html></html>", B24_CLASS_CHECK, "503 HTML" },
        { B24_NET_OK, 302, "", B24_CLASS_OPERATOR, "portal renamed" },
        { B24_NET_OK, 403, "<html></html>", B24_CLASS_OPERATOR, "403 HTML" },
        { B24_NET_OK, 404, "<html></html>", B24_CLASS_OPERATOR, "404 HTML" },
        { B24_NET_OK, 413, "<html></html>", B24_CLASS_PERMANENT, "413 HTML" },
        { B24_NET_OK, 429, "", B24_CLASS_WAIT, "429 without JSON" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b24_answer_t  a = answer(cases[i].net, cases[i].http, cases[i].body);

        is_int(a.verdict.class, cases[i].class, cases[i].name);
        ok((a.verdict.advice != NULL) == (cases[i].class != B24_CLASS_OK), "%s: what to do", cases[i].name);
    }
}


static void
test_errors(void)
{
    char    body[256], name[96];
    size_t  i;
    static const struct {
        unsigned     http;
        const char  *code;          /* as JSON */
        const char  *text;
        b24_class_e  class;
    } cases[] = {
        { 503, "\"QUERY_LIMIT_EXCEEDED\"", "Too many requests", B24_CLASS_RETRY },
        { 200, "\"QUERY_LIMIT_EXCEEDED\"", "Too many requests", B24_CLASS_RETRY },
        { 503, "\"QUERY_LIMIT_EXCEEDED\"", "Rate limit exceeded: 10 in a given amount of time", B24_CLASS_OPERATOR },
        { 429, "\"OPERATION_TIME_LIMIT\"", "Method is blocked due to operation time limit.", B24_CLASS_WAIT },
        { 503, "\"OVERLOAD_LIMIT\"", "REST API is blocked due to overload.", B24_CLASS_OPERATOR },
        { 500, "\"INTERNAL_SERVER_ERROR\"", "Internal server error", B24_CLASS_CHECK },
        { 500, "\"ERROR_UNEXPECTED_ANSWER\"", "", B24_CLASS_CHECK },
        { 400, "\"ERROR_CORE\"", "SQL", B24_CLASS_PERMANENT },
        { 500, "\"ERROR_CORE\"", "SQL", B24_CLASS_CHECK },
        { 500, "\"\"", "Internal error", B24_CLASS_CHECK },
        { 503, "0", "try again later", B24_CLASS_CHECK },
        { 500, "\"ERROR_ARGUMENT\"", "broken", B24_CLASS_CHECK },
        { 400, "\"\"", "Parameter 'fields' must be array.", B24_CLASS_PERMANENT },
        { 400, "\"\"", "Access denied", B24_CLASS_OPERATOR },
        { 400, "\"\"", "Access denied.", B24_CLASS_OPERATOR },
        { 400, "\"\"", "Доступ запрещен.", B24_CLASS_OPERATOR },
        { 400, "\"\"", "Not found", B24_CLASS_PERMANENT },
        { 400, "\"\"", "Disk resource exhausted", B24_CLASS_OPERATOR },
        { 400, "\"ERROR_ARGUMENT\"", "x", B24_CLASS_PERMANENT },
        { 400, "100", "Could not find value", B24_CLASS_PERMANENT },
        { 400, "0", "x", B24_CLASS_PERMANENT },
        { 400, "\"NOT_FOUND\"", "x", B24_CLASS_PERMANENT },
        { 400, "\"CRM_FIELD_ERROR_REQUIRED\"", "Field X", B24_CLASS_OPERATOR },
        { 400, "\"CRM_FIELD_ERROR_VALUE_NOT_VALID\"", "x", B24_CLASS_PERMANENT },
        { 400, "\"CREATE_DYNAMIC_ITEM_RESTRICTED\"", "x", B24_CLASS_OPERATOR },
        { 400, "\"OWNER_NOT_FOUND\"", "x", B24_CLASS_PERMANENT },
        { 400, "\"200040300010\"", "x", B24_CLASS_OPERATOR },
        { 404, "\"ERROR_METHOD_NOT_FOUND\"", "Method not found!", B24_CLASS_OPERATOR },
        { 400, "\"ERROR_BATCH_LENGTH_EXCEEDED\"", "x", B24_CLASS_PERMANENT },
        { 405, "\"ERROR_BATCH_METHOD_NOT_ALLOWED\"", "x", B24_CLASS_PERMANENT },
        { 400, "\"INVALID_REQUEST\"", "Https required.", B24_CLASS_OPERATOR },
        { 200, "\"WRONG_ENCODING\"", "x", B24_CLASS_CHECK },
        { 401, "\"NO_AUTH_FOUND\"", "Wrong authorization data", B24_CLASS_OPERATOR },
        { 403, "\"INVALID_CREDENTIALS\"", "Invalid request credentials", B24_CLASS_OPERATOR },
        { 401, "\"authorization_error\"", "Unable to authorize user", B24_CLASS_OPERATOR },
        { 403, "\"insufficient_scope\"", "", B24_CLASS_OPERATOR },
        { 401, "\"expired_token\"", "x", B24_CLASS_OPERATOR },
        { 403, "\"user_access_error\"", "x", B24_CLASS_OPERATOR },
        { 403, "\"ACCESS_DENIED\"", "REST API is available only on commercial plans", B24_CLASS_OPERATOR },
        { 403, "\"ACCESS_DENIED\"", "Access denied!", B24_CLASS_OPERATOR },
        { 500, "\"PORTAL_DELETED\"", "x", B24_CLASS_OPERATOR },
        { 401, "\"METHOD_CONFIRM_WAITING\"", "x", B24_CLASS_OPERATOR },
        { 403, "\"METHOD_CONFIRM_DENIED\"", "x", B24_CLASS_OPERATOR },
        { 401, "\"verification_needed\"", "x", B24_CLASS_OPERATOR },
        { 401, "\"PORTAL_BLOCKED_BY_LICENSE_SCANNER\"", "x", B24_CLASS_OPERATOR },
        { 401, "\"ERROR_OAUTH\"", "Disk quota exceeded.<br>", B24_CLASS_OPERATOR },
        { 401, "\"SOMETHING\"", "Error connecting to authorization server", B24_CLASS_RETRY },
        { 418, "\"NEW_CODE\"", "x", B24_CLASS_PERMANENT },
        { 401, "\"NEW_CODE\"", "x", B24_CLASS_OPERATOR },
        { 403, "\"NEW_CODE\"", "x", B24_CLASS_OPERATOR },
        { 403, "\"\"", "x", B24_CLASS_OPERATOR },
        { 401, "\"\"", "x", B24_CLASS_OPERATOR },
        { 429, "\"\"", "x", B24_CLASS_WAIT },
        { 404, "\"\"", "Not found", B24_CLASS_PERMANENT },
        { 502, "\"NEW_CODE\"", "x", B24_CLASS_CHECK },
        { 429, "\"NEW_CODE\"", "x", B24_CLASS_WAIT },
        { 400, "null", "x", B24_CLASS_PERMANENT },
        { 400, "{\"code\":\"ACCESS_DENIED\",\"message\":\"no\"}", "x", B24_CLASS_OPERATOR }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b24_answer_t  a;

        (void) snprintf(body, sizeof(body), "{\"error\":%s,\"error_description\":\"%s\"}", cases[i].code, cases[i].text);
        (void) snprintf(name, sizeof(name), "%u %s \"%s\"", cases[i].http, cases[i].code, cases[i].text);
        a = answer(B24_NET_OK, cases[i].http, body);
        is_int(a.verdict.class, cases[i].class, name);
        ok(a.verdict.advice != NULL, "%s: what to do", name);
    }
}


static void
describes(const char *text, const char *want, const char *name)
{
    char          body[2048];
    b24_answer_t  a;

    (void) snprintf(body, sizeof(body), "{\"error\":\"\",\"error_description\":\"%s\"}", text);
    a = answer(B24_NET_OK, 400, body);
    is_str(&a.verdict.text, want, name);
}


static void
test_descriptions(void)
{
    size_t        i;
    char          body[1024], text[401];
    b24_answer_t  a;

    text[400] = '\0';

    describes("Not <b>found</b>.<br>Really &amp; truly", "Not found. Really & truly", "tags go, entities are decoded");
    describes("See https:\\/\\/x.bitrix24.com\\/rest\\/1\\/abcdefabcdef\\/crm.deal.add now", "See (link) now", "a link is masked");
    describes("at /rest/1/s3cr3tc0de/profile", "at (link)", "a webhook's path is masked");
    describes("at x.example/rest/1/s3cr3tc0de/", "at (link)", "a webhook without a scheme is masked");
    describes("url=%2Frest%2F1%2Fcode", "(link)", "an encoded webhook is masked");
    describes("E-mail ivan@example.com contains an invalid address", "E-mail (e-mail) contains an invalid address", "an e-mail is masked");
    describes("Phone +7 (912) 345-67-89 is bad", "Phone (number) is bad", "a phone is masked");
    describes("Phone 79123456789.", "Phone (number).", "a run of digits is masked");
    describes("Field UF_CRM_1723456789 is required", "Field UF_CRM_1723456789 is required", "a field's number stays");
    describes("Contact 412 not found", "Contact 412 not found", "a short number stays");
    describes("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>", "what was text stays text (the page escapes it)");

    for (i = 0; i < 200; i++) {
        memcpy(text + i * 2, "\xD0\xB6", 2);
    }

    (void) snprintf(body, sizeof(body), "{\"error\":\"\",\"error_description\":\"%.400s\"}", text);
    a = answer(B24_NET_OK, 400, body);
    is_int((long long) a.verdict.text.len, 300, "cut to 300 bytes");

    a = answer(B24_NET_OK, 400, "{\"error\":\"\",\"error_description\":\"a\xD0\xB6\xD0\xB6\xFF\"}");
    ok(a.verdict.text.len > 0, "broken UTF-8 in a description is survived");

    a = answer(B24_NET_OK, 400, "{\"error\":\"see https://x/rest/1/abc/\",\"error_description\":[1]}");
    is_str(&a.verdict.code, "see (link)", "a code that is no word is masked too");
    is_int((long long) a.verdict.text.len, 0, "a description that is no text");
}


static void
test_batch_answer(void)
{
    b24_node_t      *node;
    b24_answer_t     a;
    b24_verdict_t    v;

    a = answer(B24_NET_OK, 200, "{\"result\":{\"result\":{\"c\":55,\"n\":null},\"result_error\":{\"d\":{\"error\":\"\",\"error_description\":\"Access denied\"},\"s\":\"NOT_FOUND\"},\"result_total\":[],\"result_next\":[],\"result_time\":{\"c\":{\"operating\":12.5,\"operating_reset_at\":1778747792}}},\"time\":{\"operating\":3.3076241016387939,\"operating_reset_at\":5}}");
    is_int(a.verdict.class, B24_CLASS_OK, "a batch with failures is 200");
    is_int(a.operating, 12500, "the highest operating, in milliseconds");
    is_int(a.operating_reset_at, 1778747792, "and when it is over");
    is_int(b24_answer_command(pool, &a, "c", &node, &v), B24_CMD_DONE, "done");
    is_int(b24_node_id(node), 55, "its id");
    is_int(b24_answer_command(pool, &a, "n", &node, &v), B24_CMD_DONE, "null is an answer");
    is_int(b24_node_id(node), 0, "but no id");
    is_int(b24_answer_command(pool, &a, "d", &node, &v), B24_CMD_FAILED, "error \"\" is a failure");
    is_int(v.class, B24_CLASS_OPERATOR, "judged by its text");
    is_int(b24_answer_command(pool, &a, "s", &node, &v), B24_CMD_FAILED, "an error that is only a code");
    is_str(&v.code, "NOT_FOUND", "has the code");
    is_int(b24_answer_command(pool, &a, "r", &node, &v), B24_CMD_NOT_RUN, "in neither map");

    a = answer(B24_NET_OK, 200, "{\"result\":{\"result\":[],\"result_error\":[],\"result_total\":[],\"result_next\":[],\"result_time\":[]}}");
    is_int(a.verdict.class, B24_CLASS_OK, "empty maps are lists");
    is_int(b24_answer_command(pool, &a, "c", &node, &v), B24_CMD_NOT_RUN, "and hold nothing");
    is_int(a.operating, -1, "no operating told");

    a = answer(B24_NET_OK, 200, "{\"result\":{\"result\":[],\"result_error\":{\"d\":{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"x\"}},\"result_time\":{\"d\":{\"operating_reset_at\":1778749999}}},\"time\":{\"operating_reset_at\":7}}");
    is_int(b24_answer_command(pool, &a, "d", &node, &v), B24_CMD_FAILED, "a limit inside a batch");
    is_int(v.class, B24_CLASS_WAIT, "means waiting");
    is_int(v.reset_at, 1778749999, "until the command's time");

    a = answer(B24_NET_OK, 429, "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"x\",\"time\":{\"operating\":\"480.1\",\"operating_reset_at\":\"1778750000\"}}");
    is_int(a.verdict.class, B24_CLASS_WAIT, "a limit of the whole request");
    is_int(a.verdict.reset_at, 1778750000, "until its time");

    a = answer(B24_NET_OK, 429, "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"x\"}");
    is_int(a.verdict.reset_at, 0, "no time told");

    /* the portal's clock need not be ours */

    a = answer(B24_NET_OK, 429, "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"x\",\"time\":{\"finish\":1778747193.530359,\"operating_reset_at\":1778747792}}");
    is_int(a.verdict.now, 1778747193, "the portal's clock");
    a = answer(B24_NET_OK, 200, "{\"result\":{\"result\":[],\"result_error\":{\"d\":{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"x\"}},\"result_time\":[]},\"time\":{\"finish\":\"1778747193\",\"operating_reset_at\":1778747200}}");
    (void) b24_answer_command(pool, &a, "d", &node, &v);
    is_int(v.now, 1778747193, "also inside a batch");
    is_int(v.reset_at, 1778747200, "with the batch's time");
    a = answer(B24_NET_OK, 429, "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"x\",\"time\":{\"finish\":-1,\"operating_reset_at\":1}}");
    is_int(a.verdict.now, 0, "a clock that can't be");

    a = answer(B24_NET_OK, 200, "{\"result\":412}");
    is_int(b24_answer_command(pool, &a, "c", &node, &v), B24_CMD_NOT_RUN, "a direct answer has no commands");
}


static void
test_ids(void)
{
    size_t  i;
    static const struct {
        const char  *json;
        int64_t      id;
    } cases[] = {
        { "412", 412 }, { "\"412\"", 412 }, { "0", 0 }, { "-5", 0 }, { "4.0", 0 },
        { "\"4a\"", 0 }, { "\"\"", 0 }, { "true", 0 }, { "null", 0 }, { "[1]", 0 }, { "{}", 0 },
        { "999999999999999999", 999999999999999999LL }, { "9999999999999999999", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b24_str_t    s = str(cases[i].json);
        b24_node_t  *node;

        if (b24_json_parse(pool, &s, 0, &node) == B24_OK) {
            is_int(b24_node_id(node), cases[i].id, cases[i].json);
        } else {
            ok(0, "%s parses", cases[i].json);
        }
    }

    is_int(b24_node_id(NULL), 0, "nothing is no id");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_neutralise();
    test_print();
    test_bounds();
    test_transport();
    test_errors();
    test_descriptions();
    test_batch_answer();
    test_ids();

    b24_pool_destroy(pool);

    return done_testing();
}
