
/* The tree, its printing, and JSON. */


#include "nodes.h"

#include <cjson/cJSON.h>


static void
json_is(const char *text, size_t len, int junk, const char *want,
    const char *name)
{
    int          rc;
    b24_str_t    in, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = exact(text, len);
    root = NULL;

    rc = b24_json_parse(pool, &in, junk, &root);
    got = tree(pool, rc, root);
    is_str(&got, want, name);

    free(in.data);
    b24_pool_destroy(pool);
}


/* a copy needs nothing of what it was made from */

static void
test_copy(void)
{
    b24_str_t    in, got;
    b24_node_t  *root, *copy;
    b24_pool_t  *pool, *own;

    static const char  text[] =
        "{\"a\":{\"b\":[1,\"2\",null,true,false,[],{}]},\"\":1.50,\"a\":[[\"x\"]]}";

    pool = b24_pool_create(0);
    own = b24_pool_create(0);
    in = exact(text, strlen(text));
    copy = NULL;

    if (b24_json_parse(pool, &in, 0, &root) == B24_OK) {
        copy = b24_node_copy(own, root);
    }

    free(in.data);
    b24_pool_destroy(pool);

    got = tree(own, copy ? B24_OK : B24_ERROR, copy);
    is_str(&got, "{\"a\":[[\"x\"]],\"\":1.50}",
           "a copy is as it was");

    b24_pool_destroy(own);
}


static void
json(const char *text, const char *want, const char *name)
{
    json_is(text, strlen(text), 0, want, name);
}


static void
same(const char *text, const char *name)
{
    json_is(text, strlen(text), 0, text, name);
}


static void
declined(const char *text, const char *name)
{
    json_is(text, strlen(text), 0, "declined", name);
}


static void
junk(const char *text, const char *want, const char *name)
{
    json_is(text, strlen(text), 1, want, name);
}


static void
test_values(void)
{
    same("null", "null");
    same("true", "true");
    same("false", "false");
    same("\"\"", "an empty string");
    same("[]", "an empty array");
    same("{}", "an empty object");
    same("[[],{},[{}]]", "empty ones inside");
    same("{\"a\":{\"b\":[1,\"2\",null,true,false]}}", "all types");
    json(" \t\r\n[ 1 , 2 ] \n", "[1,2]", "blanks are ignored");
    json("\xef\xbb\xbf{\"a\":1}", "{\"a\":1}", "a byte order mark is skipped");
    same("{\"\":1}", "an empty name");

    declined("", "nothing");
    declined("  ", "only blanks");
    declined("\xef\xbb\xbf", "only a byte order mark");
    declined("nul", "half a word");
    declined("nullx", "a word that goes on");
    declined("True", "a word in another case");
    declined("[1,]", "a comma too many in an array");
    declined("[,1]", "a comma first");
    declined("[1 2]", "no comma");
    declined("{\"a\":1,}", "a comma too many in an object");
    declined("{\"a\" 1}", "no colon");
    declined("{\"a\":}", "no value");
    declined("{a:1}", "a name without quotes");
    declined("{'a':1}", "single quotes");
    declined("{1:1}", "a number as a name");
    declined("[1}", "the wrong end of an array");
    declined("{\"a\":1]", "the wrong end of an object");
    declined("[1", "an array that is cut");
    declined("{\"a\":1", "an object that is cut");
    declined("{\"a", "a name that is cut");
    declined("\"a", "a string that is cut");
    declined("]", "an end without a beginning");
    declined("{} {}", "two values");
    declined("[1]x", "something behind");
    declined("// x\n1", "a comment");
    json_is("[1]\0", 4, 0, "declined", "a NUL behind");
    json_is("\"a\0b\"", 5, 0, "declined", "a NUL inside of a string");
    json_is("[\0]", 3, 0, "declined", "a NUL between tokens");
}


static void
test_numbers(void)
{
    same("[0,-0,1,-1,10,1234567890]", "integers");
    same("9007199254740993", "an integer no double can hold");
    same("123456789012345678901234567890", "thirty digits");
    same("1234.10", "a zero at the end stays");
    same("5969.9999999999", "places stay");
    same("[1.0e-5,1E5,1e+5,0.0e0]", "exponents stay as written");
    same("1e400", "more than a double can hold");
    same("0.00000000000000000000000000000000000000000001", "many places");

    declined("01", "a zero in front");
    declined("-", "only a sign");
    declined("+1", "a plus");
    declined(".5", "no digit before the point");
    declined("5.", "no digit behind the point");
    declined("1e", "no exponent");
    declined("1e+", "no digits of an exponent");
    declined("0x10", "hexadecimal");
    declined("NaN", "NaN");
    declined("-Infinity", "infinity");
    declined("1 2", "two numbers");
    declined("--1", "two signs");
}


static void
test_strings(void)
{
    json("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"",
         "short escapes");
    json("\"\\u0041\\u044f\\u20AC\"", "\"A\xd1\x8f\xe2\x82\xac\"",
         "\\u escapes");
    json("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"", "a surrogate pair");
    json("\"\\u0000\"", "\"\xef\xbf\xbd\"", "NUL becomes U+FFFD");
    json("{\"a\\u0000b\":1}", "{\"a\xef\xbf\xbd" "b\":1}", "NUL in a name");
    json("\"\\ud83d\"", "\"\xef\xbf\xbd\"", "a high surrogate at the end");
    json("\"\\ud83dx\"", "\"\xef\xbf\xbdx\"", "a high surrogate alone");
    json("\"\\ude00\"", "\"\xef\xbf\xbd\"", "a low surrogate alone");
    json("\"\\ud83d\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"",
         "a lone surrogate before a pair");
    json("\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd" "A\"",
         "a high surrogate before a letter");
    json("\"\\ud83d\\n\"", "\"\xef\xbf\xbd\\n\"",
         "a high surrogate before a short escape");
    json("\"\\udbff\\udfff\"", "\"\xf4\x8f\xbf\xbf\"", "the last character");
    json("\"\\u0022\\u0026\\u0027\\u003C\\u003E\"", "\"\\\"&'<>\"",
         "what PHP escapes for HTML");
    json("\"\\u0001\\u001f\\u007f\"", "\"\\u0001\\u001f\x7f\"",
         "control characters");
    json("\"\xcf\xf0\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"",
         "windows-1251 is read, printing makes it valid");
    json("{\"n1\":\"n1\",\"s\":\"s\"}", "{\"n1\":\"n1\",\"s\":\"s\"}",
         "our marks can't be forged");

    declined("\"\\x41\"", "an escape JSON doesn't know");
    declined("\"\\u12\"", "a short code");
    declined("\"\\u12g4\"", "a broken code");
    declined("\"\\", "an escape that is cut");
    declined("\"\\u004", "a code that is cut");
    declined("\"\\ud83d\\u", "a pair that is cut");
    declined("\"\\ud83d\\uzzzz\"", "a pair that is broken");
    declined("\"a\nb\"", "a raw line end");
    declined("\"a\tb\"", "a raw tab");
    json_is("\"\\\0\"", 4, 0, "declined", "an escaped NUL");
}


/* the bytes themselves, not what printing makes of them */

static void
test_bytes(void)
{
    b24_str_t    in, text;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = str("{\"\xcf\":\"\xcf\xf0\xe8\"}");

    ok(b24_json_parse(pool, &in, 0, &root) == B24_OK
       && b24_node_text(root->first, &text) == B24_OK
       && text.len == 3 && memcmp(text.data, "\xcf\xf0\xe8", 3) == 0
       && root->first->key.len == 1 && root->first->key.data[0] == 0xcf,
       "bytes that are no UTF-8 are kept");

    in = str("[10.50,\"10.50\"]");

    ok(b24_json_parse(pool, &in, 0, &root) == B24_OK
       && root->first->type == B24_NUMBER && root->last->type == B24_STRING
       && b24_str_eqs(&root->first->value, "10.50")
       && b24_str_eqs(&root->last->value, "10.50")
       && root->count == 2 && root->first->next == root->last,
       "a number and a string with the same text differ");

    b24_pool_destroy(pool);
}


/* members are found one by one at first, by an index when there are more */
static void
test_few_and_many(void)
{
    int          n, i, twice, wrong;
    char         text[4096], *p;
    b24_str_t    s;
    b24_pool_t  *pool;
    b24_node_t  *root, *node;

    wrong = 0;
    pool = b24_pool_create(0);

    for (n = 1; n < 40; n++) {
        p = text;

        for (twice = 0; twice < 2; twice++) {
            for (i = 0; i < n; i++) {
                p += sprintf(p, "%s\"m%d\":%d", p == text ? "{" : ",", i,
                             twice * 1000 + i);
            }
        }

        (void) sprintf(p, ",\"m0\":{\"m0\":1,\"m0\":2}}");
        s = str(text);

        if (b24_json_parse(pool, &s, 0, &root) != B24_OK) {
            wrong++;
            continue;
        }

        wrong += root->count != (size_t) n
                 || root->first->type != B24_OBJECT
                 || root->first->count != 1;

        for (i = 1, node = root->first->next; i < n; i++, node = node->next) {
            (void) sprintf(text, "%d", 1000 + i);
            wrong += node == NULL || !b24_str_eqs(&node->value, text);
        }
    }

    is_int(wrong, 0, "objects of 1 to 39 members, all of them twice");
    b24_pool_destroy(pool);
}


static void
test_duplicates(void)
{
    json("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}",
         "of equal names the last value wins, at the first place");
    json("{\"a\":{\"x\":1},\"a\":{\"y\":2}}", "{\"a\":{\"y\":2}}",
         "objects are not merged");
    json("{\"a\":{\"x\":1},\"a\":null}", "{\"a\":null}",
         "an object gives way to null");
    json("{\"a\":1,\"a\":[1],\"a\":\"s\"}", "{\"a\":\"s\"}", "three times");
    json("{\"a\":1,\"\\u0061\":2}", "{\"a\":2}", "an escaped name is the same");
    json("{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}", "case matters");
    json("[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]",
         "equal names of two objects");
}


static void
test_junk(void)
{
    junk("<br />\n<b>Notice</b>: x\n{\"a\":1}", "{\"a\":1}",
         "PHP notices before");
    junk("\xef\xbb\xbf[1]", "[1]", "a byte order mark");
    junk("{\"a\":1}<!-- 0.1 s -->", "{\"a\":1}", "a comment behind");
    junk("{\"a\":1}}{", "{\"a\":1}", "anything behind");
    junk("x [1] {\"a\":1}", "{\"a\":1}", "what the text ends with counts");
    junk("x [1] {\"a\":1} y", "{\"a\":1}", "else the only object");
    junk("x {\"a\":1} [1] y", "{\"a\":1}", "wherever it stands");
    junk("x [1] y", "[1]", "else the only array");
    junk("x [1] [2] y", "declined", "two arrays");
    junk("x {\"a\":1} y {\"b\":1} z", "declined", "two objects");
    junk("x {\"a\":1} y {\"b\":1} ", "{\"b\":1}", "of which one is the end");
    junk("x {} [] z", "{}", "empty ones only");
    junk("[] x", "[]", "an empty one");
    junk("Array\n(\n    [0] => 1\n    [1] => x\n)\n{\"a\":1}", "{\"a\":1}",
         "print_r() of a list");
    junk("array(2) {\n  [0]=>\n  int(1)\n  [\"b\"]=>\n  array(0) {\n  }\n}\n"
         "{\"a\":1}", "{\"a\":1}", "var_dump()");
    junk("array(0) {\n}\n{\"a\":1}<!-- 1 s -->", "{\"a\":1}",
         "of nothing, and a comment behind");
    junk("<b>Notice</b>: Error at offset [] <br />{\"a\":1}", "{\"a\":1}",
         "an empty list in a notice");
    junk("[]\n{\"a\":1}", "{\"a\":1}", "an empty list as JSON");
    junk("{\"a\":1}\n[]", "{\"a\":1}", "behind");
    junk("{\"a\":1}\n{}<script>x({\"b\":1});</script>", "{\"a\":1}",
         "a script behind");
    junk(" {\"a\":1}\n{\"b\":1}\n", "declined",
         "two, and either may be the answer");
    junk("[1]{\"b\":1}", "declined", "also of different kinds");
    junk("{\"a\":1", "declined", "cut");
    junk("x {a} {\"a\":1}", "{\"a\":1}", "a bracket of the junk's own");
    junk("<b>Warning</b>: mail() [<a href='function.mail'>function.mail</a>]: x {y\n{\"a\":[1]} \n", "{\"a\":[1]}", "an old PHP's notice");
    junk("x {a} {\"a\":1} y", "declined", "then nothing may stand behind");
    junk("x {a} {\"a\":{\"b\":1}", "declined", "no part of a value that is cut");
    junk("x {\"a\":{\"b\":1}, } {\"c\":1}", "{\"c\":1}", "nor of a broken one");
    junk("12", "declined", "no bracket");
    junk("", "declined", "nothing");
    json("x{\"a\":1}", "declined", "junk when none is allowed");

    {
        size_t  i;
        char    deep[3000];

        memset(deep, '[', sizeof(deep));
        memcpy(deep, "x{\"a\":1} ", 9);
        deep[sizeof(deep) - 1] = '\0';
        junk(deep, "declined", "more levels than are read");

        for (i = 9; i < sizeof(deep) - 4; i += 2) {
            memcpy(deep + i, "{x", 2);
        }

        memcpy(deep + sizeof(deep) - 4, "[9]", 4);
        junk(deep, "[9]", "many attempts");
    }
}


static void
nested(size_t n, const char *want, const char *name)
{
    int          rc;
    b24_str_t    open, shut, all, got;
    b24_buf_t    buf;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    open = times("[", n);
    shut = times("]", n);
    root = NULL;

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, &open);
    b24_buf_addstr(&buf, &shut);
    (void) b24_buf_str(&buf, &all);

    rc = b24_json_parse(pool, &all, 0, &root);
    got = tree(pool, rc, root);
    is_str(&got, want ? want : (char *) all.data, name);

    free(open.data);
    free(shut.data);
    b24_pool_destroy(pool);
}


static void
bounded(const char *begin, const char *text, size_t n, const char *end,
    size_t limit, int want, const char *name)
{
    int          rc;
    b24_str_t    in, body;
    b24_buf_t    buf;
    b24_node_t  *root;
    b24_pool_t  *pool, *result;

    pool = b24_pool_create(0);
    result = b24_pool_create(limit);
    body = times(text, n);

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, begin);
    b24_buf_addstr(&buf, &body);
    b24_buf_adds(&buf, end);
    (void) b24_buf_str(&buf, &in);

    rc = b24_json_parse(result, &in, 0, &root);
    is_int(rc, want, name);

    if (limit) {
        ok(b24_pool_used(result) <= limit, "%s: within the limit", name);
    }

    free(body.data);
    b24_pool_destroy(result);
    b24_pool_destroy(pool);
}


static void
test_bounds(void)
{
    nested(B24_NODE_DEPTH, NULL, "as deep as allowed");
    nested(B24_NODE_DEPTH + 1, "declined", "one deeper");
    nested(100000, "declined", "100000 deep");

    bounded("", "{\"a\":", 100000, "", 0, B24_DECLINED,
            "100000 objects deep");
    bounded("[", "1,", B24_NODE_MAX - 2, "1]", 0, B24_OK,
            "as many nodes as allowed");
    bounded("[", "1,", B24_NODE_MAX - 1, "1]", 0, B24_DECLINED, "one more");
    bounded("{", "\"a\":1,", 100000, "\"a\":1}", 0, B24_DECLINED,
            "100000 fields");
    bounded("{", "\"a\":1,", 60000, "\"a\":1}", 0, B24_OK,
            "60000 equal names");
    bounded("[\"", "x", 1000000, "\"]", 0, B24_OK, "a megabyte of text");
    bounded("[\"", "x", 1000000, "\"]", 100000, B24_ERROR,
            "a megabyte of text, a small pool");
    bounded("[", "1,", 60000, "1]", 1000000, B24_ERROR,
            "60000 numbers, a small pool");
    bounded("\"", "\\u0000", 100000, "\"", 0, B24_OK, "100000 NULs");
}


/* the allocation of cJSON that fails, counted down */
static int  left;


static void *
failing(size_t size)
{
    return left-- > 0 ? malloc(size) : NULL;
}


/* every allocation fails once: an error each time, and nothing is left behind
 * (the address sanitizer's part) */

static void
test_memory(void)
{
    int           rc, i, errors, others;
    size_t        limit;
    b24_str_t     in;
    b24_node_t   *root;
    b24_pool_t   *pool;
    cJSON_Hooks   hooks;

    in = str("{\"a\":[1,\"two\",{\"b\":null}],\"a\":{\"c\":\"\\u0416\"}}");
    errors = 0;
    others = 0;
    rc = B24_ERROR;

    for (limit = 1; rc != B24_OK && limit < 10000; limit++) {
        pool = b24_pool_create(limit);
        rc = b24_json_parse(pool, &in, 0, &root);
        errors += (rc == B24_ERROR);
        others += (rc == B24_DECLINED);
        b24_pool_destroy(pool);
    }

    ok(rc == B24_OK && errors > 500 && others == 0,
       "a pool with any limit: an error or the whole tree");

    hooks.malloc_fn = failing;
    hooks.free_fn = free;
    cJSON_InitHooks(&hooks);

    errors = 0;
    rc = B24_ERROR;

    for (i = 0; rc != B24_OK && i < 1000; i++) {
        left = i;
        pool = b24_pool_create(0);
        rc = b24_json_parse(pool, &in, 0, &root);
        errors += (rc == B24_ERROR);
        others += (rc == B24_DECLINED);
        b24_pool_destroy(pool);
    }

    cJSON_InitHooks(NULL);

    ok(rc == B24_OK && errors > 10 && others == 0,
       "cJSON without memory: an error or the whole tree");
}


static void
test_tree(void)
{
    b24_str_t    in, key, text;
    b24_node_t  *root, *node;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = str("{\"a\":[10,20,30],\"t\":true,\"f\":false,\"n\":null,\"z\":0,"
             "\"s\":\"x\",\"e\":\"\",\"o\":{},\"l\":[]}");

    is_int(b24_json_parse(pool, &in, 0, &root), B24_OK, "a tree");
    is_int((long long) root->count, 9, "its members");

    key = str("a");
    node = b24_node_get(root, &key);
    is_int((long long) node->count, 3, "three elements");

    key = str("2");
    ok(b24_node_text(b24_node_get(node, &key), &text) == B24_OK
       && b24_str_eqs(&text, "30"), "an element by its index");

    key = str("3");
    ok(b24_node_get(node, &key) == NULL, "an index too large");
    key = str("02");
    ok(b24_node_get(node, &key) == NULL, "an index with a zero in front");
    key = str("-");
    ok(b24_node_get(node, &key) == NULL, "RFC 6901's \"-\"");
    key = str("99999999999999999999");
    ok(b24_node_get(node, &key) == NULL, "an index that overflows");
    key = str("");
    ok(b24_node_get(node, &key) == NULL, "an empty index");
    key = str("length");
    ok(b24_node_get(node, &key) == NULL, "a name in an array");
    ok(b24_node_get(NULL, &key) == NULL, "a name in nothing");
    key = str("A");
    ok(b24_node_get(root, &key) == NULL, "a name in another case");
    key = str("s");
    ok(b24_node_get(b24_node_get(root, &key), &key) == NULL,
       "a name in a string");

    for (node = root->first; node; node = node->next) {
        ok(b24_node_empty(node) == (strchr("fneol", node->key.data[0])
                                    != NULL),
           "whether \"%c\" is empty", node->key.data[0]);

        ok((b24_node_text(node, &text) == B24_OK)
           == (strchr("tzse", node->key.data[0]) != NULL),
           "whether \"%c\" has a text", node->key.data[0]);

        if (node->key.data[0] == 't') {
            is_str(&text, "1", "true is \"1\"");
        }
    }

    ok(b24_node_empty(NULL), "nothing is empty");
    is_int(b24_node_text(NULL, &text), B24_DECLINED, "nothing has no text");

    b24_pool_destroy(pool);
}


static void
test_made(void)
{
    int          i;
    b24_buf_t    buf;
    b24_str_t    key, got;
    b24_node_t  *root, *node;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);

    root = b24_node_new(pool, B24_OBJECT);

    for (i = 0; i < 2; i++) {
        node = b24_node_new(pool, B24_NUMBER);
        node->key = str("a");
        node->value = str(i ? "2" : "1");
        b24_node_append(root, node);
    }

    key = str("a");
    ok(b24_node_get(root, &key) == root->last,
       "of equal names the last is found");

    node->value = str("1,\"x\":2");
    got = tree(pool, B24_OK, root);
    is_str(&got, "{\"a\":1,\"a\":\"1,\\\"x\\\":2\"}",
           "what is no number is printed as a string");

    node = root;

    for (i = 0; i < 10000; i++) {
        b24_node_append(node, b24_node_new(pool, B24_ARRAY));
        node = node->last;
    }

    b24_buf_init(&buf, pool);
    is_int(b24_node_print(root, &buf), B24_DECLINED,
           "a tree too deep is not printed");

    b24_pool_destroy(pool);

    pool = b24_pool_create(1000);
    root = b24_node_new(pool, B24_STRING);
    root->value = times("x", 2000);

    b24_buf_init(&buf, pool);
    is_int(b24_node_print(root, &buf), B24_ERROR, "printing without memory");

    free(root->value.data);
    b24_pool_destroy(pool);
}


static void
string_is(const char *text, size_t len, const char *want, const char *name)
{
    b24_buf_t    buf;
    b24_str_t    in, got;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = exact(text, len);

    b24_buf_init(&buf, pool);
    b24_json_string(&buf, &in);
    (void) b24_buf_str(&buf, &got);
    is_str(&got, want, name);

    free(in.data);
    b24_pool_destroy(pool);
}


#define FFFD  "\xef\xbf\xbd"

static void
test_string(void)
{
    string_is("", 0, "\"\"", "an empty literal");
    string_is("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"", "quotes and backslashes");
    string_is("\0\x1f\x7f", 3, "\"\\u0000\\u001f\x7f\"", "NUL and others");
    string_is("\xd0\x98\xd0\xb2", 4, "\"\xd0\x98\xd0\xb2\"", "Cyrillic");
    string_is("\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"", "four bytes");
    string_is("\xc0\xaf", 2, "\"" FFFD FFFD "\"", "an overlong form");
    string_is("\xe0\x80\x80", 3, "\"" FFFD FFFD FFFD "\"",
              "an overlong form of three");
    string_is("\xf0\x8f\xbf\xbf", 4, "\"" FFFD FFFD FFFD FFFD "\"",
              "an overlong form of four");
    string_is("\xed\xa0\x80", 3, "\"" FFFD FFFD FFFD "\"", "a surrogate");
    string_is("\xf4\x90\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\"",
              "above U+10FFFF");
    string_is("\xd0", 1, "\"" FFFD "\"", "half a character at the end");
    string_is("\xd0z", 2, "\"" FFFD "z\"", "half a character before a letter");
    string_is("\xe2\x82", 2, "\"" FFFD "\"", "two thirds of one are one");
    string_is("\xff\xfe", 2, "\"" FFFD FFFD "\"", "bytes never in UTF-8");
}


/* answers and requests as real shops sent them, cut to what matters */

static void
test_recorded(void)
{
    json("{\"order\":{\"REDIRECT_URL\":\"\\/personal\\/order\\/make\\/"
         "?ORDER_ID=57%2F2026\",\"ID\":\"57\\/2026\"}}",
         "{\"order\":{\"REDIRECT_URL\":\"/personal/order/make/"
         "?ORDER_ID=57%2F2026\",\"ID\":\"57/2026\"}}",
         "1C-Bitrix: an accepted order");
    json("{\"order\":{\"ERROR\":{\"PROPERTY\":[\"\\u041f\\u043e\\u043b\\u0435"
         " \\u0022\\u0422\\u0435\\u043b\\u0435\\u0444\\u043e\\u043d\\u0022\"]}}"
         "}",
         "{\"order\":{\"ERROR\":{\"PROPERTY\":[\"Поле \\\"Телефон\\\"\"]}}}",
         "1C-Bitrix: a rejected one");
    json("{\"result\":\"success\",\"order_id\":33,\"redirect\":"
         "\"http:\\/\\/woo.shop.test\\/checkout\\/order-received\\/33\\/?key="
         "wc_order_x\"}",
         "{\"result\":\"success\",\"order_id\":33,\"redirect\":"
         "\"http://woo.shop.test/checkout/order-received/33/?key="
         "wc_order_x\"}",
         "WooCommerce: an accepted order");
    same("{\"billing_address\":{\"first_name\":\"Пётр\",\"last_name\":"
         "\"О'Нил-Щукин\",\"address_1\":\"наб. реки Фонтанки, 90 корп. 2\","
         "\"phone\":\"8(495)765-43-21\"},\"payment_data\":[{\"key\":"
         "\"wc-cod-new-payment-method\",\"value\":false}]}",
         "WooCommerce: a checkout of blocks");
}


int
main(void)
{
    test_values();
    test_copy();
    test_numbers();
    test_strings();
    test_bytes();
    test_duplicates();
    test_few_and_many();
    test_junk();
    test_bounds();
    test_memory();
    test_tree();
    test_made();
    test_string();
    test_recorded();

    return done_testing();
}
