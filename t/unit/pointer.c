
/* Pointers into trees. */


#include "nodes.h"


static int
learned(void *data, const b24_str_t *name, b24_str_t *value)
{
    unsigned  *calls;

    calls = data;
    (*calls)++;

    if (b24_str_eqs(name, "phone_prop")) {
        *value = str("3");
        return 1;
    }

    if (b24_str_eqs(name, "slash")) {
        *value = str("a/b~1");
        return 1;
    }

    return 0;
}


static void
points(const char *json, const char *pointer, const char *want,
    const char *name)
{
    int             rc;
    unsigned        calls;
    b24_str_t       in, text, got;
    const char     *err;
    b24_node_t     *root, *node;
    b24_pool_t     *pool;
    b24_walk_t      walk;
    b24_pointer_t   ptr;

    pool = b24_pool_create(0);
    in = str(json);
    text = exact(pointer, strlen(pointer));
    err = NULL;
    calls = 0;

    rc = b24_pointer_compile(pool, &text, &ptr, &err);

    free(text.data);

    if (rc != B24_OK) {
        ok(0, "%s: %s", name, err);
        b24_pool_destroy(pool);
        return;
    }

    rc = b24_json_parse(pool, &in, 0, &root);
    node = NULL;

    if (rc == B24_OK) {
        memset(&walk, 0, sizeof(b24_walk_t));
        walk.pool = pool;
        walk.learned = learned;
        walk.data = &calls;

        if (b24_pointer_get(&walk, &ptr, root, &node) != B24_OK) {
            node = NULL;
        }
    }

    got = node ? tree(pool, B24_OK, node) : str("nothing");
    is_str(&got, want, name);

    b24_pool_destroy(pool);
}


static void
refused(const char *pointer, const char *want, const char *name)
{
    int             rc;
    b24_str_t       text, got;
    const char     *err;
    b24_pool_t     *pool;
    b24_pointer_t   ptr;

    pool = b24_pool_create(0);
    text = exact(pointer, strlen(pointer));
    err = NULL;

    rc = b24_pointer_compile(pool, &text, &ptr, &err);
    got = str(rc == B24_OK ? "taken" : err ? err : "no sentence");
    is_str(&got, want, name);

    free(text.data);
    b24_pool_destroy(pool);
}


/* the examples of RFC 6901, section 5 */

static void
test_rfc(void)
{
    static const char  json[] =
        "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
        "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";

    points(json, "/foo", "[\"bar\",\"baz\"]", "RFC 6901: /foo");
    points(json, "/foo/0", "\"bar\"", "RFC 6901: /foo/0");
    points(json, "/", "0", "RFC 6901: /");
    points(json, "/a~1b", "1", "RFC 6901: /a~1b");
    points(json, "/c%d", "2", "RFC 6901: /c%d");
    points(json, "/e^f", "3", "RFC 6901: /e^f");
    points(json, "/g|h", "4", "RFC 6901: /g|h");
    points(json, "/i\\j", "5", "RFC 6901: /i\\j");
    points(json, "/k\"l", "6", "RFC 6901: /k\"l");
    points(json, "/ ", "7", "RFC 6901: / ");
    points(json, "/m~0n", "8", "RFC 6901: /m~0n");
    points("[1]", "", "[1]", "RFC 6901: the root");
    points("{\"~1\":1}", "/~01", "1", "RFC 6901: ~01 is ~1");
    points("{\"\":{\"\":1}}", "//", "1", "empty names");
}


static void
test_steps(void)
{
    static const char  props[] =
        "{\"p\":[{\"ID\":\"1\",\"IS_PHONE\":\"N\"},5,null,[1],"
        "{\"ID\":3,\"IS_PHONE\":\"Y\",\"ok\":true,\"no\":false,\"nil\":null,"
        "\"list\":[]},{\"ID\":\"3\",\"IS_PHONE\":\"Y\",\"a/b\":\"c/d=e\"}]}";

    points(props, "/p/[IS_PHONE=Y]/ID", "3", "the first that matches");
    points(props, "/p/[ID=3]/IS_PHONE", "\"Y\"", "a number matches its text");
    points(props, "/p/[ok=1]/ID", "3", "true matches \"1\"");
    points(props, "/p/[ok=true]/ID", "3", "and \"true\"");
    points(props, "/p/[no=false]/ID", "3", "false matches \"false\"");
    points(props, "/p/[no=]/ID", "3", "false matches nothing");
    points(props, "/p/[nil=]/ID", "3", "null matches nothing");
    points(props, "/p/[list=]/ID", "nothing", "a list has no text");
    points(props, "/p/[a~1b=c~1d=e]/ID", "\"3\"", "slashes and =");
    points(props, "/p/[ID=4]/ID", "nothing", "none matches");
    points(props, "/p/[NONE=]/ID", "nothing", "no such member");
    points(props, "/p/[0=1]", "[1]", "an array's index as the name");
    points(props, "/p/[last]/ID", "\"3\"", "the last element");
    points(props, "/p/-", "nothing", "behind the last element");
    points("{\"a\":1,\"b\":2}", "/[last]", "2", "the last member");
    points("[]", "/[last]", "nothing", "the last of none");
    points("{\"r\":{\"301\":{\"ID\":\"7\"},\"302\":{\"ID\":\"8\"}}}",
           "/r/[ID=8]", "{\"ID\":\"8\"}", "members of an object match too");
    points("{\"a\":1}", "/a/b", "nothing", "below a number");
    points("{\"a\":null}", "/a/b", "nothing", "below null");
    points("{\"a\":true}", "/a/[last]", "nothing", "the last below true");

    points("[{\"a\":{\"b\":1}},{\"a\":{\"b\":2}},{\"a\":{}},5,null]",
           "/[*]/a/b", "2", "the last one that has it");
    points("[{\"a\":1},{\"a\":null},{\"b\":2}]", "/[*]/a", "null",
           "null is there, too");
    points("[{\"a\":1},{\"a\":[]},{\"b\":2}]", "/[*]/a", "[]",
           "and so is an empty list");
    points("{\"x\":{\"a\":1},\"y\":{\"b\":2}}", "/[*]/a", "1",
           "members of an object");
    points("[1,2]", "/[*]", "2", "nothing behind it: the last");
    points("[]", "/[*]/a", "nothing", "none of none");
    points("{\"a\":1}", "/a/[*]/b", "nothing", "none below a number");
    points("[\"{\\\"a\\\":1}\",\"a=2\",\"\"]", "/[*]/a", "\"2\"",
           "into strings");

    points("{\"Size\":\"S\",\"Color\":\"red\"}", "/[1]", "\"red\"",
           "a member by its number");
    points("{\"Size\":\"S\",\"Color\":\"red\"}", "/[@1]", "\"Color\"",
           "and its name");
    points("{\"Size\":\"S\"}", "/[1]", "nothing", "none of that number");
    points("{\"Size\":\"S\"}", "/[@1]", "nothing", "nor its name");
    points("[5,6]", "/[1]", "6", "an element by its number");
    points("[5,6]", "/[@1]", "nothing", "which has no name");
    points("{\"a\":\"x\"}", "/a/[0]", "nothing", "the first below a text");
    points("{\"a\":{\"b\":[1]}}", "/[0]/[0]/[0]", "1", "several of them");
    points("[]", "/[0]", "nothing", "the first of none");

    points("{\"P_1\":\"x\",\"Q\":1,\"P_2\":[2]}", "/[P_*]",
           "{\"P_1\":\"x\",\"P_2\":[2]}", "members whose names begin so");
    points("{\"P_1\":\"x\",\"Q\":1,\"P_2\":[2]}", "/[P_*]/[last]/0", "2",
           "and on from there");
    points("{\"Q\":1}", "/[P_*]", "nothing", "no such member");
    points("[1]", "/[P_*]", "nothing", "elements have no names");
    points("{\"a~b\":1,\"c\":2}", "/[a~0*]", "{\"a~b\":1}", "escaped");
    points("{\"P\":1,\"x\":{\"P\":2}}", "/[P*]", "{\"P\":1}",
           "one level only");
    points("{\"a\":1}", "/b/c", "nothing", "below nothing");
    points("{\"last\":1,\"x]\":2}", "/last", "1", "a name like a step");
    points("{\"last\":1,\"x]\":2}", "/x]", "2", "a bracket in a name");
}


static void
test_learned(void)
{
    static const char  json[] =
        "{\"3\":\"three\",\"ORDER_PROP_3\":\"phone\",\"ORDER_PROP_3_X\":1,"
        "\"a/b~1\":\"raw\",\"p\":[{\"ID\":\"3\",\"V\":1},{\"ID\":\"x3y\","
        "\"V\":2}],\"x/3\":4}";

    points(json, "/%{phone_prop}", "\"three\"", "a step");
    points(json, "/ORDER_PROP_%{phone_prop}", "\"phone\"", "a part of one");
    points(json, "/ORDER_PROP_%{phone_prop}_X", "1", "text on both sides");
    points(json, "/x~1%{phone_prop}", "4", "text with an escape");
    points(json, "/%{slash}", "\"raw\"", "the value isn't unescaped");
    points(json, "/p/[ID=%{phone_prop}]/V", "1", "a value to match");
    points(json, "/p/[ID=x%{phone_prop}y]/V", "2", "a part of one");
    points(json, "/%{unknown}", "nothing", "an unknown one as a step");
    points(json, "/p/[ID=%{unknown}]", "nothing", "an unknown one to match");
    points("{\"%\":1,\"%x\":2}", "/%x", "2", "a plain percent sign");
}


static void
test_unlearned(void)
{
    b24_str_t       in, text;
    const char     *err;
    b24_node_t     *root, *node;
    b24_pool_t     *pool;
    b24_walk_t      walk;
    b24_pointer_t   ptr;

    memset(&walk, 0, sizeof(b24_walk_t));
    pool = b24_pool_create(0);
    walk.pool = pool;
    in = str("{\"\":1,\"a\":2}");
    text = str("/%{a}");

    ok(b24_json_parse(pool, &in, 0, &root) == B24_OK
       && b24_pointer_compile(pool, &text, &ptr, &err) == B24_OK
       && b24_pointer_get(&walk, &ptr, root, &node) == B24_DECLINED,
       "nothing is known without anyone to ask");

    b24_pool_destroy(pool);
}


static void
test_strings(void)
{
    points("{\"cart\":\"[{\\\"id\\\":7},{\\\"id\\\":8.50}]\"}", "/cart/1/id",
           "8.50", "JSON in a string");
    points("{\"cart\":\" {\\\"id\\\":7} \"}", "/cart/[last]", "7",
           "a step of ours into a string");
    points("{\"cart\":\"[{\\\"id\\\":7}]\"}", "/cart/[id=7]/id", "7",
           "a match in a string");
    points("{\"q\":\"a=1&b[x]=2\"}", "/q/b/x", "\"2\"",
           "a query string in a string");
    points("{\"q\":\"{a=1\"}", "/q/{a", "\"1\"", "neither quite");
    points("{\"q\":\"5\"}", "/q/5", "nothing", "a number in a string");
    points("{\"q\":\"\"}", "/q/a", "nothing", "an empty string");
    points("{\"q\":\"  \"}", "/q/a", "nothing", "blanks");
    points("{\"q\":\"text\"}", "/q/text", "nothing", "plain text");
    points("{\"q\":\"[1\"}", "/q/0", "nothing", "broken JSON");
    points("\"{\\\"a\\\":1}\"", "/a", "1", "the root is a string");
    points("{\"cart\":\"[1]\"}", "/cart", "\"[1]\"",
           "the string itself is not parsed");

    points("\"a=%7B%22b%22%3A%22c%3D%257B%2522d%2522%253A1%257D%22%7D\"",
           "/a/b/c/d", "1", "four strings, one in another");
    points("\"a=b%3Dc%253Dd%25253D1\"", "/a/b/c/d", "\"1\"",
           "four query strings");
    points("\"a=b%3Dc%253Dd%25253De%2525253D1\"", "/a/b/c/d/e", "nothing",
           "a fifth is not parsed");
}


static void
test_refused(void)
{
    static const char  end[] =
        "a step that begins with \"[\" must end with \"]\" (\"/\" inside of it"
        " is written \"~1\")";
    static const char  brackets[] =
        "a step in brackets must be [last], [*], [NUMBER], [@NUMBER], "
        "[NAME*] or [KEY=VALUE]";
    static const char  tilde[] =
        "\"~\" in a pointer must be written \"~0\" (and \"/\" in a step"
        " \"~1\")";
    static const char  name[] =
        "\"%{NAME}\" in a pointer needs a name of letters, digits and \"_\"";

    refused("a", "a pointer must begin with \"/\"", "no slash");
    refused("#/a", "a pointer must begin with \"/\"", "a URI fragment");
    refused("/~", tilde, "a tilde at the end");
    refused("/a~2b", tilde, "a tilde before a digit");
    refused("/[a~=b]", tilde, "a tilde in a name to match");
    refused("/[a=b~]", tilde, "a tilde in a value to match");
    refused("/~x%{a}", tilde, "a tilde before a learned value");
    refused("/%{a}~x", tilde, "a tilde behind a learned value");
    refused("/[a=b", end, "an open bracket");
    refused("/[a=b/c]", end, "a slash in brackets");
    refused("/[a=b]c", end, "text behind brackets");
    refused("/[", end, "only a bracket");
    refused("/[*]/a/[*]", "more than one \"[*]\" in a pointer", "two of any");
    refused("/[]", brackets, "nothing in brackets");
    refused("/[first]", brackets, "an unknown word");
    refused("/[=b]", brackets, "no name");
    refused("/a/%{b", "\"%{\" without \"}\" in a pointer", "an open brace");
    refused("/[a=%{b]", "\"%{\" without \"}\" in a pointer",
            "an open brace in brackets");
    refused("/%{}", name, "no name in braces");
    refused("/%{a b}", name, "a blank in the name");
    refused("/%{a}%{b}", "more than one \"%{NAME}\" in a step of a pointer",
            "two names");
    refused("/[]]", brackets, "a bracket in brackets");
    refused("/a[b]", "taken", "a step that merely holds brackets");
}


static void
test_memory(void)
{
    b24_str_t       text, in;
    const char     *err;
    b24_node_t     *root, *node;
    b24_pool_t     *pool, *small;
    b24_walk_t      walk;
    b24_pointer_t   ptr;

    memset(&walk, 0, sizeof(b24_walk_t));
    pool = b24_pool_create(0);
    small = b24_pool_create(64);
    walk.pool = small;
    text = str("/a/b/c/d/e/f");

    is_int(b24_pointer_compile(small, &text, &ptr, &err), B24_ERROR,
           "compiling without memory");

    in = str("{\"a\":\"{\\\"b\\\":1}\"}");
    text = str("/a/b");

    ok(b24_json_parse(pool, &in, 0, &root) == B24_OK
       && b24_pointer_compile(pool, &text, &ptr, &err) == B24_OK
       && b24_pointer_get(&walk, &ptr, root, &node) == B24_ERROR,
       "a string that can't be parsed without memory");

    b24_pool_destroy(small);
    b24_pool_destroy(pool);
}


int
main(void)
{
    test_rfc();
    test_steps();
    test_learned();
    test_unlearned();
    test_strings();
    test_refused();
    test_memory();

    return done_testing();
}
