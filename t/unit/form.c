
/* Forms: urlencoded, multipart, and the choice between kinds of bodies. */


#include "nodes.h"


#define CT  "multipart/form-data; boundary=B"


static void
form_is(const char *text, size_t len, const char *want, const char *name)
{
    int          rc;
    b24_str_t    in, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = exact(text, len);
    root = NULL;

    rc = b24_form_parse(pool, &in, &root);
    got = tree(pool, rc, root);
    is_str(&got, want, name);

    free(in.data);
    b24_pool_destroy(pool);
}


static void
form(const char *text, const char *want)
{
    form_is(text, strlen(text), want, text);
}


static void
multipart_is(const char *type, const char *text, size_t len, const char *want,
    const char *name)
{
    int          rc;
    b24_str_t    in, ct, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = exact(text, len);
    ct = exact(type, strlen(type));
    root = NULL;

    rc = b24_multipart_parse(pool, &ct, &in, &root);
    got = tree(pool, rc, root);
    is_str(&got, want, name);

    free(in.data);
    free(ct.data);
    b24_pool_destroy(pool);
}


static void
multipart(const char *text, const char *want, const char *name)
{
    multipart_is(CT, text, strlen(text), want, name);
}


/* each answer is what parse_str() of PHP 8.2 makes of the text */

static void
test_php(void)
{
    form("", "{}");
    form("a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}");
    form("a", "{\"a\":\"\"}");
    form("a=", "{\"a\":\"\"}");
    form("=x", "{}");
    form("&&a&", "{\"a\":\"\"}");
    form("a=b=c", "{\"a\":\"b=c\"}");
    form("a=1;b=2", "{\"a\":\"1;b=2\"}");
    form("a=1&a=2", "{\"a\":\"2\"}");
    form("a=1&b=2&a=3", "{\"a\":\"3\",\"b\":\"2\"}");
    form("a=%D0%98+%2B7%zz%4", "{\"a\":\"И +7%zz%4\"}");
    form("a.b c=1", "{\"a_b_c\":\"1\"}");
    form("a%2Eb%20c=1", "{\"a_b_c\":\"1\"}");
    form("  x=1", "{\"x\":\"1\"}");
    form("+.x=1", "{\"_x\":\"1\"}");
    form("a%00b=1", "{\"a\":\"1\"}");
    form("%00=1", "{}");

    form("a[]=1&a[]=2", "{\"a\":{\"0\":\"1\",\"1\":\"2\"}}");
    form("a%5Bb%5D=1", "{\"a\":{\"b\":\"1\"}}");
    form("a[b][c]=1&a[b][d]=2",
         "{\"a\":{\"b\":{\"c\":\"1\",\"d\":\"2\"}}}");
    form("a[][x]=1&a[][x]=2",
         "{\"a\":{\"0\":{\"x\":\"1\"},\"1\":{\"x\":\"2\"}}}");
    form("a[5]=1&a[]=2", "{\"a\":{\"5\":\"1\",\"6\":\"2\"}}");
    form("a[5]=1&a[2]=2&a[]=3",
         "{\"a\":{\"5\":\"1\",\"2\":\"2\",\"6\":\"3\"}}");
    form("a[07]=1&a[]=2", "{\"a\":{\"07\":\"1\",\"0\":\"2\"}}");
    form("a[-0]=1&a[]=2", "{\"a\":{\"-0\":\"1\",\"0\":\"2\"}}");
    form("a[-5]=1&a[]=2", "{\"a\":{\"-5\":\"1\",\"-4\":\"2\"}}");
    form("a[x]=1&a[]=2", "{\"a\":{\"x\":\"1\",\"0\":\"2\"}}");
    form("a[9223372036854775806]=1&a[]=2&a[]=3",
         "{\"a\":{\"9223372036854775806\":\"1\","
         "\"9223372036854775807\":\"2\"}}");
    form("a[9223372036854775808]=1&a[]=3",
         "{\"a\":{\"9223372036854775808\":\"1\",\"0\":\"3\"}}");
    form("a[-9223372036854775808]=1&a[]=2",
         "{\"a\":{\"-9223372036854775808\":\"1\","
         "\"-9223372036854775807\":\"2\"}}");
    form("a[b.c d]=1", "{\"a\":{\"b.c d\":\"1\"}}");

    form("a=1&a[x]=2", "{\"a\":{\"x\":\"2\"}}");
    form("a[x]=1&a=2", "{\"a\":\"2\"}");
    form("a[x]=1&a=2&a[y]=3", "{\"a\":{\"y\":\"3\"}}");
    form("a[x]=1&a=2&a[x]=3&a[]=4", "{\"a\":{\"x\":\"3\",\"0\":\"4\"}}");
    form("a[b]=1&a[b][c]=2&a[b][]=3",
         "{\"a\":{\"b\":{\"c\":\"2\",\"0\":\"3\"}}}");
}


static void
test_brackets(void)
{
    form("[a]=1", "{}");
    form("[=1", "{}");
    form("a[=1", "{\"a_\":\"1\"}");
    form("a[b=1", "{\"a_b\":\"1\"}");
    form("a[b.c d[e=1", "{\"a_b_c_d_e\":\"1\"}");
    form("a[b][c=1", "{\"a\":{\"b\":\"1\"}}");
    form("a[][b=1", "{\"a\":{\"0\":\"1\"}}");
    form("a[.][c.d=1", "{\"a\":{\".\":\"1\"}}");
    form("a[b]c=1", "{\"a\":{\"b\":\"1\"}}");
    form("a[b]c[d]=1", "{\"a\":{\"b\":\"1\"}}");
    form("a]b=1", "{\"a]b\":\"1\"}");
    form("a[[b]]=1", "{\"a\":{\"[b\":\"1\"}}");
    form("a[b[c]]=1", "{\"a\":{\"b[c\":\"1\"}}");
    form("a[ ]=1", "{\"a\":{\"0\":\"1\"}}");
    form("a[\n]=1", "{\"a\":{\"0\":\"1\"}}");
    form("a[ b]=1", "{\"a\":{\" b\":\"1\"}}");
    form("a[ =2", "{\"a__\":\"2\"}");
    form("a[b%00]=1", "{\"a_b\":\"1\"}");

    form("__Host-a=1", "{\"__Host-a\":\"1\"}");
    form("..Host-a=1&__Secure-b=2", "{\"__Secure-b\":\"2\"}");
    form("_[Host-a=1&_[Secure-b=2", "{}");
    form("__Host-[x]=1", "{\"__Host-\":{\"x\":\"1\"}}");
    form("a[__Host-x]=1", "{\"a\":{}}");
    form("_.Host-[a]=1", "{}");
}


static void
nested(size_t n, const char *tail, const char *want, const char *name)
{
    int          rc;
    b24_buf_t    buf;
    b24_str_t    in, brackets, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    brackets = times("[x]", n);
    root = NULL;

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "b=1&a=2&a");
    b24_buf_addstr(&buf, &brackets);
    b24_buf_adds(&buf, tail);
    (void) b24_buf_str(&buf, &in);

    rc = b24_form_parse(pool, &in, &root);
    got = tree(pool, rc, root);

    if (want) {
        is_str(&got, want, name);

    } else {
        ok(rc == B24_OK && root->count == 2 && root->last->count == 1,
           "%s", name);
    }

    free(brackets.data);
    b24_pool_destroy(pool);
}


static void
bounded(const char *text, size_t n, size_t limit, int want, const char *name)
{
    int          rc;
    b24_str_t    in;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(limit);
    in = times(text, n);

    rc = b24_form_parse(pool, &in, &root);
    is_int(rc, want, name);

    if (rc == B24_OK) {
        is_int((long long) root->count, 1, "one member");
    }

    free(in.data);
    b24_pool_destroy(pool);
}


static void
test_bounds(void)
{
    nested(64, "=3", NULL, "64 brackets");
    nested(65, "=3", "{\"b\":\"1\"}", "65 brackets remove the variable");
    nested(100000, "=3", "{\"b\":\"1\"}", "100000 brackets");
    nested(65, "=3&a=4&c=5", "{\"b\":\"1\",\"a\":\"4\",\"c\":\"5\"}",
           "a removed variable may come again");
    nested(65, "=3&a[y]=4", "{\"b\":\"1\",\"a\":{\"y\":\"4\"}}",
           "a removed variable may come again with brackets");

    bounded("a=1&", B24_FORM_FIELDS, 0, B24_OK, "as many fields as allowed");
    bounded("a=1&", B24_FORM_FIELDS + 1, 0, B24_DECLINED, "one more");
    bounded("a[]=1&", B24_FORM_FIELDS, 0, B24_OK, "a list of as many");
    bounded("a[]=1&", 100000, 0, B24_DECLINED, "100000 fields");
    bounded("a[][][][][]=1&", B24_FORM_FIELDS, 0, B24_DECLINED,
            "too many nodes");
    bounded("a[]=1&", 10000, 100000, B24_ERROR, "a small pool");
    bounded("a=1&", 1, 64, B24_ERROR, "a pool too small for anything");
    form_is("a=1\0002&b=\0", 9, "{\"a\":\"1\\u00002\",\"b\":\"\\u0000\"}",
            "NUL bytes in values");
    form_is("a=\xcf%cf", 6, "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}",
            "windows-1251");
}


static void
test_multipart(void)
{
    static const char  nul[] =
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\0002\r\n"
        "--B--";

    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
              "--B\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n"
              "--B--\r\n", "{\"a\":\"1\",\"b\":\"\"}", "two fields");
    multipart("--B\nContent-Disposition: form-data; name=\"a\"\n\n1\n--B--",
              "{\"a\":\"1\"}", "bare line feeds");
    multipart("--B--\r\n", "{}", "no field");
    multipart("pre\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1"
              "\r\n--B--\r\nepilogue", "{\"a\":\"1\"}",
              "text around, a name without quotes");
    multipart("--B\r\ncontent-DISPOSITION :form-data;NAME=\"a\"\r\n\r\n1\r\n"
              "--B--", "{\"a\":\"1\"}", "case and blanks");
    multipart("--B\r\nContent-Disposition: form-data;\r\n\tname=\"a\"\r\n\r\n1"
              "\r\n--B--", "{\"a\":\"1\"}", "a folded header");
    multipart("--B\r\nX: name=\"b\"\r\nContent-Disposition: form-data; "
              "name=\"a\"\r\nContent-Type: text/plain; charset=x\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--B--",
              "{\"a\":\"MQ==\"}", "other headers are ignored");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
              " x\r\ny\n\r\n \r\n--B--", "{\"a\":\" x\\r\\ny\\n\\r\\n \"}",
              "a text of several lines");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
              "1+2%20&b=3\r\n--B--", "{\"a\":\"1+2%20&b=3\"}",
              "values are not decoded");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a[x][]\"\r\n\r\n1"
              "\r\n--B\r\nContent-Disposition: form-data; name=\"a[x][]\"\r\n"
              "\r\n2\r\n--B\r\nContent-Disposition: form-data; name=\"c.d\"\r\n"
              "\r\n3\r\n--B--",
              "{\"a\":{\"x\":{\"0\":\"1\",\"1\":\"2\"}},\"c_d\":\"3\"}",
              "names as in forms");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a%22\\\"\\\\\\x"
              "%0D%0A%20\"\r\n\r\n1\r\n--B--",
              "{\"a\\\"\\\"\\\\\\\\x\\r\\n%20\":\"1\"}",
              "quotes and line ends in a name");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a;b=c\"; x=y\r\n"
              "\r\n1\r\n--B--", "{\"a;b=c\":\"1\"}", "a semicolon in a name");
    multipart_is(CT, nul, sizeof(nul) - 1, "{\"a\":\"1\\u00002\"}",
                 "a NUL byte in a value");
    multipart("--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B\r\n"
              "X: y\r\n\r\n2\r\n--B\r\nno header\r\n\r\n3\r\n--B--", "{}",
              "parts without a name");
    multipart("--B\r\n--B--", "{}", "a delimiter without a part");
}


static void
test_files(void)
{
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"; "
              "filename=\"x.pdf\"\r\n\r\nPDF\r\n--B\r\nContent-Disposition: "
              "form-data; name=\"b\"\r\n\r\n1\r\n--B--", "{\"b\":\"1\"}",
              "a file is skipped");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"; "
              "filename=\"\"\r\n\r\n\r\n--B--", "{}", "no file chosen");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"; "
              "filename*=UTF-8''x\r\n\r\nx\r\n--B--", "{}",
              "a file with an encoded name");
    multipart("--B\r\nContent-Disposition: form-data; filename=x; name=a"
              "\r\n\r\nx\r\n--B--", "{}", "a file before the name");
    multipart("--B\r\nContent-Disposition: form-data; name=\"filename\""
              "\r\n\r\n1\r\n--B--", "{\"filename\":\"1\"}",
              "a field of that name");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a; filename=b\""
              "\r\n\r\n1\r\n--B--", "{\"a;_filename=b\":\"1\"}",
              "a field with that in its name");
}


static void
test_delimiters(void)
{
    static const char  body[] =
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--";

    multipart_is("multipart/form-data; boundary=\"B\"", body,
                 sizeof(body) - 1, "{\"a\":\"1\"}", "a boundary in quotes");
    multipart_is("Multipart/Form-Data ; charset=utf-8; BOUNDARY=B;x=y", body,
                 sizeof(body) - 1, "{\"a\":\"1\"}",
                 "case and other parameters");
    multipart_is("multipart/form-data; boundary=B, text/plain", body,
                 sizeof(body) - 1, "{\"a\":\"1\"}", "a second type");
    multipart_is("multipart/form-data; boundary=\"b 'x,y=?\"",
                 "--b 'x,y=?--", 12, "{}", "all a boundary may hold");
    multipart_is("multipart/form-data; boundary=C", body, sizeof(body) - 1,
                 "declined", "another boundary");
    multipart_is("multipart/form-data", body, sizeof(body) - 1, "declined",
                 "no boundary");
    multipart_is("multipart/form-data; boundary=", body, sizeof(body) - 1,
                 "declined", "an empty boundary");
    multipart_is("multipart/form-data; xboundary=B", body, sizeof(body) - 1,
                 "declined", "another parameter");
    multipart_is("text/plain; boundary=B", body, sizeof(body) - 1,
                 "declined", "another type");
    multipart_is("", body, sizeof(body) - 1, "declined", "no type");

    multipart("", "declined", "an empty body");
    multipart("a=1", "declined", "a body that isn't one");
    multipart("--B", "declined", "cut behind the delimiter");
    multipart("--B-", "declined", "cut in the last delimiter");
    multipart("--B\r\n", "declined", "cut before the headers");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n",
              "declined", "cut in the headers");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
              "declined", "cut in a value");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
              "--B\r\n", "declined", "no closing delimiter");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
              "1--B--\r\n--Ax\r\n-B\r\n--B--", "{\"a\":\"1--B--\\r\\n--Ax\\r\\n"
              "-B\"}", "what looks like a delimiter");
    multipart("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
              "--Bx\r\nlost\r\n--B\r\nContent-Disposition: form-data; "
              "name=\"b\"\r\n\r\n2\r\n--B--", "{\"a\":\"1\",\"b\":\"2\"}",
              "a line that goes on ends a value, as in PHP");
}


static void
parts(const char *part, size_t n, const char *end, int want, const char *name)
{
    int          rc;
    b24_buf_t    buf;
    b24_str_t    in, body, ct;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    body = times(part, n);
    ct = str(CT);

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, &body);
    b24_buf_adds(&buf, end);
    (void) b24_buf_str(&buf, &in);

    rc = b24_multipart_parse(pool, &ct, &in, &root);
    is_int(rc, want, name);

    free(body.data);
    b24_pool_destroy(pool);
}


/* a pool with any limit: an error or the whole tree */

static void
test_memory(void)
{
    int          rc[2], errors, others;
    size_t       limit;
    b24_str_t    ct, text, body;
    b24_node_t  *root;
    b24_pool_t  *pool;

    ct = str(CT);
    text = str("a[x][]=1&a[x][]=2&b=%41&a=3&a[y]=4");
    body = str("--B\r\nContent-Disposition: form-data; name=\"a[]\"\r\n\r\n1"
               "\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; "
               "filename=\"x\"\r\n\r\n1\r\n--B--");
    errors = 0;
    others = 0;
    rc[0] = B24_ERROR;
    rc[1] = B24_ERROR;

    for (limit = 1; limit < 5000; limit++) {
        pool = b24_pool_create(limit);
        rc[0] = b24_form_parse(pool, &text, &root);
        b24_pool_destroy(pool);

        pool = b24_pool_create(limit);
        rc[1] = b24_multipart_parse(pool, &ct, &body, &root);
        b24_pool_destroy(pool);

        errors += (rc[0] == B24_ERROR) + (rc[1] == B24_ERROR);
        others += (rc[0] == B24_DECLINED) + (rc[1] == B24_DECLINED);
    }

    ok(rc[0] == B24_OK && rc[1] == B24_OK && errors > 500 && others == 0,
       "a pool with any limit: an error or the whole tree");
}


static void
test_many(void)
{
    b24_str_t    ct, in;
    b24_node_t  *root;
    b24_pool_t  *pool;

    parts("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n",
          B24_FORM_FIELDS, "--B--", B24_OK, "as many parts as allowed");
    parts("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n",
          B24_FORM_FIELDS + 1, "--B--", B24_DECLINED, "one more");
    parts("--B\r\nContent-Disposition: form-data; name=\"a[]\"\r\n\r\n1\r\n",
          100000, "--B--", B24_DECLINED, "100000 parts");
    parts("--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\""
          "\r\n\r\n1\r\n", 100000, "--B--", B24_OK, "100000 files");
    parts("--B\r\n", 100000, "", B24_DECLINED, "delimiters without end");
    parts("--Bx\r\n", 100000, "", B24_DECLINED, "false delimiters");
    parts("\r\n--A", 100000, "", B24_DECLINED, "no delimiter at all");

    pool = b24_pool_create(0);
    in = times("multipart/form-data; boundary=", 1);
    ct = times("B", 100000);
    memcpy(ct.data, in.data, in.len);
    free(in.data);
    in = str("--B--");

    is_int(b24_multipart_parse(pool, &ct, &in, &root), B24_DECLINED,
           "an endless boundary");

    free(ct.data);
    b24_pool_destroy(pool);

    pool = b24_pool_create(100);
    ct = str(CT);
    in = str("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
             "--B--");

    is_int(b24_multipart_parse(pool, &ct, &in, &root), B24_ERROR,
           "a small pool");

    b24_pool_destroy(pool);
}


static void
body_is(const char *type, const char *text, const char *want,
    const char *name)
{
    int          rc;
    b24_str_t    in, ct, got;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);
    in = str(text);
    ct = str(type);
    root = NULL;

    rc = b24_body_parse(pool, &ct, &in, &root);
    got = tree(pool, rc, root);
    is_str(&got, want, name);

    b24_pool_destroy(pool);
}


static void
test_body(void)
{
    static const char  urlencoded[] = "application/x-www-form-urlencoded";

    body_is("application/json", "{\"a\":1}", "{\"a\":1}", "JSON");
    body_is("Application/JSON; charset=utf-8", " [1]", "[1]",
            "JSON with a parameter");
    body_is("application/vnd.shop+json", "{\"a\":1}", "{\"a\":1}",
            "a kind of JSON");
    body_is("application/json", "a=1", "declined", "JSON that is none");
    body_is("application/json", "{\"a\":1}x", "declined",
            "JSON with something behind");
    body_is(urlencoded, "a=1", "{\"a\":\"1\"}", "a form");
    body_is("application/x-www-form-urlencoded; charset=UTF-8", "a=1",
            "{\"a\":\"1\"}", "a form with a parameter");
    body_is(urlencoded, "{\"a\":1}", "{\"a\":1}",
            "JSON that says it is a form");
    body_is(urlencoded, "{a}=1", "{\"{a}\":\"1\"}",
            "a form that begins like JSON");
    body_is(urlencoded, "[1]", "{}", "a form that begins like an array");
    body_is(CT, "--B--", "{}", "multipart");
    body_is("multipart/mixed; boundary=B", "--B--", "{\"--B--\":\"\"}",
            "another multipart is guessed");
    body_is("", "{\"a\":1}", "{\"a\":1}", "no type: JSON");
    body_is("text/plain;charset=UTF-8", "\xef\xbb\xbf [1]", "[1]",
            "an unknown type: JSON");
    body_is("", "a=1", "{\"a\":\"1\"}", "no type: a form");
    body_is("", "{a", "declined", "no type: broken JSON");
    body_is("application/json", "", "{}", "an empty body");
    body_is(CT, "", "{}", "an empty multipart body");
    body_is("", "", "{}", "an empty body without a type");
}


/* requests as browsers sent them to real shops, cut to what matters */

static void
test_recorded(void)
{
    static const char  quantities[] =
        "------WebKitFormBoundary17FKL9nNnMBjQ9jR\r\n"
        "Content-Disposition: form-data; name=\"quantity[6]\"\r\n\r\n"
        "4\r\n------WebKitFormBoundary17FKL9nNnMBjQ9jR\r\n"
        "Content-Disposition: form-data; name=\"quantity[5]\"\r\n\r\n"
        "2\r\n------WebKitFormBoundary17FKL9nNnMBjQ9jR--\r\n";

    form("customer_group_id=1&firstname=%D0%90%D0%BD%D0%BD%D0%B0&email=anna"
         ".kuznecova%40mail.example&telephone=%2B7+(916)+123-45-67&address_1="
         "%D0%BF%D1%80.+1%2F2+%2B+%E2%84%963",
         "{\"customer_group_id\":\"1\",\"firstname\":\"Анна\",\"email\":\"anna"
         ".kuznecova@mail.example\",\"telephone\":\"+7 (916) 123-45-67\","
         "\"address_1\":\"пр. 1/2 + №3\"}");
    form("soa-action=refreshOrderAjax&order%5Bsoa-action%5D=saveOrderAjax"
         "&order%5BORDER_PROP_1%5D=%D0%98%D0%B2%D0%B0%D0%BD+%D0%9F"
         "&order%5BDELIVERY_EXTRA_SERVICES%5D%5B3%5D%5B5%5D=Y",
         "{\"soa-action\":\"refreshOrderAjax\",\"order\":{\"soa-action\":"
         "\"saveOrderAjax\",\"ORDER_PROP_1\":\"Иван П\","
         "\"DELIVERY_EXTRA_SERVICES\":{\"3\":{\"5\":\"Y\"}}}}");
    multipart_is("multipart/form-data; "
                 "boundary=----WebKitFormBoundary17FKL9nNnMBjQ9jR",
                 quantities, sizeof(quantities) - 1,
                 "{\"quantity\":{\"6\":\"4\",\"5\":\"2\"}}",
                 "OpenCart: quantities in the cart");
}


int
main(void)
{
    test_php();
    test_brackets();
    test_bounds();
    test_multipart();
    test_files();
    test_delimiters();
    test_memory();
    test_many();
    test_body();
    test_recorded();

    return done_testing();
}
