
/* JavaScript literals, and finding them in a page. */


#include "nodes.h"


static void
js_is(const char *text, size_t len, ssize_t used_want, const char *want,
    const char *name)
{
    int          rc;
    size_t       used;
    b24_str_t    in, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = exact(text, len);
    root = NULL;
    used = 0;

    rc = b24_js_parse(pool, &in, &used, &root);
    got = tree(pool, rc, root);
    is_str(&got, want, name);

    if (used_want >= 0) {
        is_int((long long) used, used_want, name);
    }

    free(in.data);
    b24_pool_destroy(pool);
}


static void
js(const char *text, const char *want, const char *name)
{
    js_is(text, strlen(text), -1, want, name);
}


static void
declined(const char *text, const char *name)
{
    js_is(text, strlen(text), -1, "declined", name);
}


static void
found(const char *text, const char *key, const char *want, const char *name)
{
    int          rc;
    b24_str_t    in, k, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = exact(text, strlen(text));
    k = str(key);
    root = NULL;

    rc = b24_inline_find(pool, &in, &k, &root);
    got = tree(pool, rc, root);
    is_str(&got, want, name);

    free(in.data);
    b24_pool_destroy(pool);
}


static void
test_literals(void)
{
    js("{}", "{}", "an empty object");
    js("[]", "[]", "an empty array");
    js("{'a':'1','b':[true,false,null]}",
       "{\"a\":\"1\",\"b\":[true,false,null]}", "single quotes");
    js("{\"a\":\"1\"}", "{\"a\":\"1\"}", "double quotes");
    js("{a:1,$b:2,_c:3,d4:4,301:5,имя:6}",
       "{\"a\":1,\"$b\":2,\"_c\":3,\"d4\":4,\"301\":5,\"имя\":6}",
       "names without quotes");
    js("[1,2,]", "[1,2]", "a comma at the end of an array");
    js("{a:1,}", "{\"a\":1}", "a comma at the end of an object");
    js("[undefined,NaN,-Infinity,void 0]", "[null,null,null,null]",
       "values JSON has no words for");
    js("[!0,!1]", "[true,false]", "what minifiers write");
    js(" /* a */ { // b\n a /**/ : /* c */ 1 /***/ } ", "{\"a\":1}",
       "comments");
    js("\xef\xbb\xbf{\xc2\xa0" "a:1}", "{\"a\":1}", "other blanks");
    js("{a:1,b:2,a:3}", "{\"a\":3,\"b\":2}", "the last of equal names wins");
    js("{a:{x:1},'a':{y:2}}", "{\"a\":{\"y\":2}}", "objects are not merged");
    js("{true:1,null:2}", "{\"true\":1,\"null\":2}", "words as names");
    js("''", "\"\"", "an empty string");

    js_is("{a:1}; more", 11, 5, "{\"a\":1}", "text behind is not read");
    js_is("  'x' + y", 9, 5, "\"x\"", "a string's length");
    js_is("12,", 3, 2, "12", "a number's length");

    declined("", "nothing");
    declined("   ", "blanks");
    declined("{", "an object that is cut");
    declined("{a", "a name that is cut");
    declined("{a:", "a value that is cut");
    declined("[1", "an array that is cut");
    declined("[1}", "the wrong end");
    declined("[,]", "a hole");
    declined("[1,,2]", "a hole in the middle");
    declined("{,}", "a comma alone");
    declined("{a}", "a shorthand member");
    declined("{a(){}}", "a method");
    declined("{[a]:1}", "a computed name");
    declined("{a:b}", "a variable");
    declined("{a:f(1)}", "a call");
    declined("{a:function(){}}", "a function");
    declined("{a:'x'+'y'}", "an expression");
    declined("new Date", "an object to be made");
    declined("`x`", "a template");
    declined("/x/", "a regular expression");
    declined("truex", "a longer word");
    declined("void 1", "void of something else");
    declined("/* x", "a comment that is cut");
    declined("{a:1 /* x", "a comment that is cut in an object");
    declined("!2", "another negation");
}


static void
test_numbers(void)
{
    js("[0,1,-1,10.50,1e5,1E-5,-0.0]", "[0,1,-1,10.50,1e5,1E-5,-0.0]",
       "numbers as written");
    js("[+1,.5,5.,-.5,5.e3,+.5e1]", "[1,0.5,5,-0.5,5e3,0.5e1]",
       "what JSON has no form for");
    js("[0x1F,0XfF,-0x10,0xffffffffffffffff]",
       "[31,255,-16,18446744073709551615]", "hexadecimal");
    js("123456789012345678901234567890", "123456789012345678901234567890",
       "thirty digits");

    declined("007", "octal");
    declined("-", "a sign alone");
    declined(".", "a point alone");
    declined("1e", "no exponent");
    declined("1.2.3", "a version");
    declined("1.2.3]", "a version in an array");
    declined("5px", "a length");
    declined("10n", "a BigInt");
    declined("1_000", "digits in groups");
    declined("0x", "no hexadecimal digit");
    declined("0x11112222333344445", "too many hexadecimal digits");
    declined("- 1", "a sign apart");
}


static void
test_strings(void)
{
    js("'\\x41\\u0416\\u{1F600}\\u{41}'", "\"A\xd0\x96\xf0\x9f\x98\x80" "A\"",
       "codes");
    js("'\\ud83d\\ude00'", "\"\xf0\x9f\x98\x80\"", "a surrogate pair");
    js("'\\ud83d\\u0041\\ude00'", "\"\xef\xbf\xbd" "A\xef\xbf\xbd\"",
       "lone surrogates");
    js("'\\0\\x00\\u0000\\u{0}\\u{110000}\\u{FFFFFFFFFF}'",
       "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
       "\xef\xbf\xbd\"", "NUL and what is no character");
    js("'a\\'b\\\"c\\/d\\\\e'", "\"a'b\\\"c/d\\\\e\"", "quotes and slashes");
    js("'\\b\\f\\n\\r\\t\\v'", "\"\\b\\f\\n\\r\\t\\u000b\"", "short escapes");
    js("'a\\\nb\\\r\nc\\\rd'", "\"abcd\"", "line continuations");
    js("'\\q\\*'", "\"q*\"", "escapes of other characters");
    js("'\"'", "\"\\\"\"", "the other quote");
    js("\"'\"", "\"'\"", "the other quote, the other way round");
    js("'<\\/script> *\\/'", "\"</script> */\"", "what Bitrix escapes");
    js("'\xcf'", "\"\xef\xbf\xbd\"", "windows-1251");

    declined("'a", "a string that is cut");
    declined("'a\\", "an escape that is cut");
    declined("'a\nb'", "a raw line end");
    declined("'a\rb'", "a raw carriage return");
    declined("'a\"", "another quote at the end");
    declined("'\\x4'", "a short code");
    declined("'\\u041'", "a short code of four");
    declined("'\\u{}'", "an empty code");
    declined("'\\u{41'", "a code without end");
    declined("'\\u{4g}'", "a broken code");
}


static void
limits(const char *begin, const char *text, size_t n, const char *end,
    size_t limit, int want, const char *name)
{
    int          rc;
    size_t       used;
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

    rc = b24_js_parse(result, &in, &used, &root);
    is_int(rc, want, name);

    free(body.data);
    b24_pool_destroy(result);
    b24_pool_destroy(pool);
}


static void
test_bounds(void)
{
    b24_str_t  text;

    limits("", "[", B24_NODE_DEPTH - 1, "[]", 0, B24_DECLINED, "cut");
    limits("", "{a:", B24_NODE_DEPTH, "1", 0, B24_DECLINED, "cut objects");
    text = times("]", B24_NODE_DEPTH);
    limits("", "[", B24_NODE_DEPTH, (char *) text.data, 0, B24_OK,
           "as deep as allowed");
    free(text.data);
    text = times("]", B24_NODE_DEPTH + 1);
    limits("", "[", B24_NODE_DEPTH + 1, (char *) text.data, 0, B24_DECLINED,
           "one deeper");
    free(text.data);

    limits("", "[", 100000, "", 0, B24_DECLINED, "100000 deep");
    limits("[", "1,", B24_NODE_MAX - 1, "]", 0, B24_OK,
           "as many nodes as allowed");
    limits("[", "1,", B24_NODE_MAX, "]", 0, B24_DECLINED, "one more");
    limits("[", "1,", 50000, "]", 100000, B24_ERROR, "a small pool");
    limits("'", "x", 500000, "'", 100000, B24_ERROR, "a text and a small pool");
    limits("/*", "x", 500000, "*/1", 0, B24_OK, "a long comment");
}


static void
test_inline(void)
{
    found("<script>var order = {'id': 5};</script>", "order", "{\"id\":5}",
          "a variable");
    found("window.order={id:5}", "order", "{\"id\":5}", "a property");
    found("window.order={id:5}", "window.order", "{\"id\":5}",
          "a name with a dot");
    found("window['order'] = {id:5}", "order", "{\"id\":5}",
          "a property in brackets");
    found("{\"order\":{\"id\":5},\"x\":1}", "order", "{\"id\":5}",
          "a member with quotes");
    found("{order : [1, 2]}", "order", "[1,2]", "a member");
    found("BX.Sale.OrderAjaxComponent.init({'result':{'A':'1'}});",
          "BX.Sale.OrderAjaxComponent.init", "{\"result\":{\"A\":\"1\"}}",
          "an argument");
    found("init({a:1}, {b:2})", "init", "{\"a\":1}", "the first argument");
    found("total = 5;", "total", "5", "a number");
    found("total = '5'\nnext()", "total", "\"5\"",
          "a statement without a semicolon");
    found("total = 5", "total", "5", "at the end of the page");
    found("total = 5</script>", "total", "5", "at the end of a script");
    found("total\n=\n{a:1}", "total", "{\"a\":1}", "blanks");
    found("x = {total: 5}", "total", "5", "the last member");

    found("subtotal = 1; total = 2;", "total", "2", "not a longer name");
    found("totals = 1; total = 2;", "total", "2", "not a longer name behind");
    found("$total = 1; total = 2;", "total", "2", "not a name with a sign");
    found("data-total=\"1\"; total = 2;", "total", "2", "not an attribute");
    found("ыtotal = 1; total = 2;", "total", "2", "not a Cyrillic name");
    found("total == 1; total = 2;", "total", "2", "not a comparison");
    found("total => 1; total = 2;", "total", "2", "not a function");
    found("total = a; total = 2;", "total", "2", "not a variable");
    found("total = 1 + 1; total = 2;", "total", "2", "not an expression");
    found("total = [1].map(f); total = 2;", "total", "2", "not a call");
    found("total = {}.x; total = 2;", "total", "2", "not a member of one");
    found("total = 'a'\n + 'b'; total = 2;", "total", "2",
          "not an expression over two lines");
    found("function total(a) {} total(2)", "total", "2", "not a definition");
    found("total; total = 2", "total", "2", "not a mere use");
    found("total() + total(2)", "total", "2", "not an empty call");
    found("total = {a:1 total = 2;", "total", "2", "not a broken literal");
    found("total = /* x", "total", "declined", "a comment that is cut");
    found("total = ", "total", "declined", "the page is cut");
    found("total", "total", "declined", "only the name");
    found("tot", "total", "declined", "half the name");
    found("", "total", "declined", "an empty page");
    found("= 5", "", "declined", "an empty name");
}


/* each place must not cost a pass over the rest of the page */

static void
many(const char *text, size_t n, const char *name)
{
    b24_str_t    in, key;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = times(text, n);
    key = str("N");

    is_int(b24_inline_find(pool, &in, &key, &root), B24_DECLINED, name);
    is_int((long long) b24_pool_used(pool), 0, "and nothing is kept");

    free(in.data);
    b24_pool_destroy(pool);
}


static void
test_work(void)
{
    many("N=/*", 250000, "a megabyte of comments without end");
    many("N=['", 250000, "a megabyte of strings without end");
    many("N=[", 300000, "a megabyte of arrays without end");
    many("N", 1000000, "a megabyte of names");
    many("N= ", 300000, "a megabyte of places without a value");
}


/* what the shops' pages hold, cut to what matters */

static void
test_recorded(void)
{
    found("<script>\nBX.Sale.OrderAjaxComponent.init({'result':{'GRID':{'ROWS':"
          "{'301':{'data':{'NAME':'Футболка \\\"Лето\\\"','PRICE':'1990',"
          "'CAN_BUY':true,'SUM':'3 980 &#8381;'}}}},'TOTAL':"
          "{'ORDER_TOTAL_PRICE':'4280'}},'siteID':'s1',"
          "'ajaxUrl':'/bitrix/components\\/bitrix/'});\n</script>",
          "BX.Sale.OrderAjaxComponent.init",
          "{\"result\":{\"GRID\":{\"ROWS\":{\"301\":{\"data\":{\"NAME\":"
          "\"Футболка \\\"Лето\\\"\",\"PRICE\":\"1990\",\"CAN_BUY\":true,"
          "\"SUM\":\"3 980 &#8381;\"}}}},\"TOTAL\":{\"ORDER_TOTAL_PRICE\":"
          "\"4280\"}},\"siteID\":\"s1\",\"ajaxUrl\":\"/bitrix/components/"
          "bitrix/\"}", "1C-Bitrix: the checkout page");
    found("<script type=\"text/javascript\">\n        var prestashop = "
          "{\"cart\":{\"totals\":{\"total\":{\"amount\":1886.18,\"value\":"
          "\"1,886.18\\u20ac\"}}}};\n      </script>", "prestashop",
          "{\"cart\":{\"totals\":{\"total\":{\"amount\":1886.18,\"value\":"
          "\"1,886.18€\"}}}}", "PrestaShop: a page's variable");
    found("<script id=\"x-js-extra\">\nvar wc_order_attribution = {\"params\":"
          "{\"lifetime\":1.0e-5,\"session\":30,\"base64\":false}};\n//# "
          "sourceURL=x\n</script>", "wc_order_attribution",
          "{\"params\":{\"lifetime\":1.0e-5,\"session\":30,\"base64\":false}}",
          "WooCommerce: a page's variable");
}


int
main(void)
{
    test_literals();
    test_numbers();
    test_strings();
    test_bounds();
    test_inline();
    test_work();
    test_recorded();

    return done_testing();
}
