
/* multipart/form-data: the first line is the Content-Type, then the body. */


#include "b24_node.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *lf;
    b24_buf_t    buf;
    b24_str_t    type, body;
    b24_node_t  *root;
    b24_pool_t  *pool;

    lf = size ? memchr(data, '\n', size) : NULL;
    if (lf == NULL) {
        return 0;
    }

    type.data = (u_char *) data;
    type.len = (size_t) (lf - data);

    body.data = lf + 1;
    body.len = size - type.len - 1;

    pool = b24_pool_create(1 << 22);

    if (b24_multipart_parse(pool, &type, &body, &root) == B24_OK) {

        if (root->type != B24_OBJECT) {
            abort();
        }

        b24_buf_init(&buf, pool);

        if (b24_node_print(root, &buf) == B24_DECLINED) {
            abort();
        }
    }

    (void) b24_body_parse(pool, &type, &body, &root);

    b24_pool_destroy(pool);

    return 0;
}
