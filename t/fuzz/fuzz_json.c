
/*
 * JSON: what is read prints, and from then on prints the same.  The first
 * printing may differ: names that were not UTF-8 may have become equal.
 * After a byte 1 the input is a plan of the text (fuzz.h).
 *
 * At most: 32768
 * Aims at: order/b24_json.c order/b24_json_lex.c order/b24_node.c
 */


#include "fuzz.h"
#include "b24_node.h"



static const char *const  names[] = {
    "", "a", "b", "a", "\\u0061", "\\n", "\xd0\x98", "0", "a/b", "~"
};

static const char *const  values[] = {
    "null", "true", "false", "0", "-0", "1e5", "-1.5E-3", "\"\"", "\"x\"",
    "\"\\ud83c\\udf37\"", "\"\\ud83c\"", "\"\\u0000\"", "\"\xff\"", "01",
    "\"\\/\\b\"", "1.", "tru", "\"\xd0\x98\"", " [] ", "\"<!-- -->\"", "-",
    "99999999999999999999999", "\"\t\"", "{\"a\":1,\"a\":2}", "junk", "'x'"
};


static b24_str_t
grown(b24_pool_t *pool, const uint8_t *data, size_t size)
{
    fuzz_t     f;
    b24_buf_t  buf;
    b24_str_t  s = b24_null_string;

    f.p = data;
    f.end = data + size;
    f.pool = pool;

    b24_buf_init(&buf, pool);

    if (fuzz_below(&f, 4) == 0) {
        b24_buf_adds(&buf, values[fuzz_byte(&f)
                                  % (sizeof(values) / sizeof(values[0]))]);
    }

    fuzz_json(&f, &buf, names, sizeof(names) / sizeof(names[0]), values,
              sizeof(values) / sizeof(values[0]), 12);

    (void) b24_buf_str(&buf, &s);

    return s;
}


static int
print(b24_pool_t *pool, const b24_node_t *root, b24_str_t *text)
{
    b24_buf_t  buf;

    b24_buf_init(&buf, pool);

    return b24_node_print(root, &buf) == B24_OK
           && b24_buf_str(&buf, text) == B24_OK;
}


static int
reprint(b24_pool_t *pool, const b24_str_t *text, b24_str_t *next)
{
    int          rc;
    b24_node_t  *root;

    rc = b24_json_parse(pool, text, 0, &root);

    if (rc == B24_OK && !print(pool, root, next)) {
        rc = B24_ERROR;
    }

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc, junk;
    b24_str_t    text, once, twice, thrice;
    b24_node_t  *root;
    b24_pool_t  *pool;

    pool = b24_pool_create(1 << 22);

    text.data = (u_char *) data;
    text.len = size;

    if (size && data[0] == 1) {
        text = grown(pool, data + 1, size - 1);
    }

    for (junk = 0; junk < 2; junk++) {

        if (b24_json_parse(pool, &text, junk, &root) != B24_OK
            || !print(pool, root, &once))
        {
            continue;
        }

        rc = reprint(pool, &once, &twice);

        if (rc == B24_OK) {
            rc = reprint(pool, &twice, &thrice);
        }

        if (rc == B24_DECLINED
            || (rc == B24_OK && !b24_str_eq(&twice, &thrice)))
        {
            abort();
        }
    }

    b24_pool_destroy(pool);

    return 0;
}
