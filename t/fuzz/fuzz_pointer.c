
/* Pointers: the first line is one, then the JSON it goes into. */


#include "b24_node.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
learned(void *data, const b24_str_t *name, b24_str_t *value)
{
    (void) data;

    *value = *name;

    return name->len > 1;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             rc;
    u_char         *lf;
    b24_str_t       pointer, text;
    const char     *err;
    b24_node_t     *root, *node;
    b24_pool_t     *pool;
    b24_walk_t      walk;
    b24_pointer_t   ptr;

    lf = size ? memchr(data, '\n', size) : NULL;
    if (lf == NULL) {
        return 0;
    }

    pointer.data = (u_char *) data;
    pointer.len = (size_t) (lf - data);

    text.data = lf + 1;
    text.len = size - pointer.len - 1;

    pool = b24_pool_create(1 << 22);
    err = NULL;

    rc = b24_pointer_compile(pool, &pointer, &ptr, &err);

    if (rc == B24_DECLINED && err == NULL) {
        abort();
    }

    if (rc == B24_OK && b24_json_parse(pool, &text, 0, &root) == B24_OK) {
        memset(&walk, 0, sizeof(b24_walk_t));
        walk.pool = pool;
        walk.learned = learned;

        rc = b24_pointer_get(&walk, &ptr, root, &node);

        if (ptr.steps == NULL && (rc != B24_OK || node != root)) {
            abort();
        }

        if (rc == B24_OK) {
            (void) b24_node_empty(node);
        }
    }

    b24_pool_destroy(pool);

    return 0;
}
