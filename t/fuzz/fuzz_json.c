
/*
 * JSON: what is read prints, and from then on prints the same.  The first
 * printing may differ: names that were not UTF-8 may have become equal.
 */


#include "b24_node.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


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
