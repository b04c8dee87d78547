
/* JavaScript: what is read prints as JSON; a page is searched, too. */


#include "b24_node.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


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
