
/*
 * JavaScript: what is read prints as JSON; a page is searched, too.
 * After a byte 1 the input is a plan of the text (fuzz.h).
 *
 * At most: 16384
 * Aims at: order/b24_js.c order/b24_js_token.c
 */


#include "fuzz.h"
#include "b24_node.h"



/* what pages and PHP's helpers write */
static const char *const  pieces[] = {
    "{", "}", "[", "]", "(", ")", ",", ":", ";", "=", "'", "\"", "`", "\\", "N",
    "N =", "N(", "N:", "'a'", "\"b\"", "a", "$a", "_b", "0x1F", "1e3", "-1",
    ".5", "5.", "true", "false", "null", "undefined", "NaN", "/*", "*/", "//",
    "\n", "<!--", "-->", "</script>", "\\x41", "\\u0041", "\\u{1f337}", "\\n",
    "\\\n", "\xd0\x98", "\xe2\x80\xa8", "\xcf", "new Date(", "!0", "!1", "var ",
    "JSON.parse('", "array(", "=>", "+", "'a':", "\"a\":", "a:", "0:", "window.N",
    " ", "\t", "...", "function(){}", "[,]", "{,}", "\\'", "BX.message({", "\\0"
};


static void
check(b24_pool_t *pool, b24_node_t *root)
{
    b24_buf_t  buf;
    b24_str_t  text;

    b24_buf_init(&buf, pool);

    if (b24_node_print(root, &buf) != B24_OK
        || b24_buf_str(&buf, &text) != B24_OK)
    {
        return;
    }

    if (b24_json_parse(pool, &text, 0, &root) == B24_DECLINED) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       used;
    b24_str_t    text;
    b24_node_t  *root;
    b24_pool_t  *pool;

    static const b24_str_t  name = b24_string("N");

    pool = b24_pool_create(1 << 22);

    text.data = (u_char *) data;
    text.len = size;

    if (size && data[0] == 1) {
        fuzz_t  f;

        f.p = data + 1;
        f.end = data + size;
        f.pool = pool;

        text = fuzz_pieces(&f, pieces, sizeof(pieces) / sizeof(pieces[0]),
                           255);
        size = text.len;
    }

    if (b24_js_parse(pool, &text, &used, &root) == B24_OK) {

        if (used > size) {
            abort();
        }

        check(pool, root);
    }

    if (b24_inline_find(pool, &text, &name, &root) == B24_OK) {
        check(pool, root);
    }

    b24_pool_destroy(pool);

    return 0;
}
