
/*
 * Forms, and bodies whose type has to be guessed.
 *
 * At most: 16384
 * Aims at: order/b24_form.c order/b24_body.c
 */


#include "b24_node.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* the children of each object are as many as it says, their names differ */

static void
check(const b24_node_t *node)
{
    size_t             n;
    const b24_node_t  *child;

    n = 0;

    for (child = node->first; child; child = child->next) {
        n++;

        /* small objects only: the look-up is linear */

        if (node->count < 64 && b24_node_get(node, &child->key) != child) {
            abort();
        }

        check(child);
    }

    if (n != node->count || (n && node->type != B24_OBJECT)) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    b24_str_t    text;
    b24_node_t  *root;
    b24_pool_t  *pool;

    static const b24_str_t  type = b24_string("text/plain");

    pool = b24_pool_create(1 << 22);

    text.data = (u_char *) data;
    text.len = size;

    if (b24_form_parse(pool, &text, &root) == B24_OK) {

        if (root->type != B24_OBJECT) {
            abort();
        }

        check(root);
    }

    (void) b24_body_parse(pool, &type, &text, &root);

    b24_pool_destroy(pool);

    return 0;
}
