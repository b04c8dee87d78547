
/*
 * Text in a batch command: the server finds no reference in it, whatever the
 * text, and it is the same text but for the dollars.
 *
 * Aims at: crm/b24_batch.c
 */


#include "b24_batch.h"
#include "reference.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* U+FF04 back to "$" */

static b24_str_t
dollars(b24_pool_t *pool, const b24_str_t *s)
{
    size_t     i;
    b24_buf_t  buf;
    b24_str_t  out = b24_null_string;

    b24_buf_init(&buf, pool);

    for (i = 0; i < s->len; i++) {

        if (s->len - i >= 3 && memcmp(s->data + i, "\xEF\xBC\x84", 3) == 0) {
            b24_buf_addc(&buf, '$');
            i += 2;

        } else {
            b24_buf_addc(&buf, s->data[i]);
        }
    }

    (void) b24_buf_str(&buf, &out);

    return out;
}


/* the value as the server sees it, after its query is decoded */

static void
as_sent(b24_pool_t *pool, const b24_str_t *text)
{
    b24_str_t       query, key = b24_string("k");
    b24_node_t     *root, *node;
    b24_batch_t     batch;
    b24_command_t  *cmd;

    b24_batch_init(&batch, pool, 1);
    cmd = b24_batch_add(&batch, "c", "m");
    b24_command_text(&batch, cmd, "k", text);

    if (batch.failed || b24_buf_str(&cmd->query, &query) != B24_OK
        || b24_form_parse(pool, &query, &root) != B24_OK)
    {
        return;
    }

    node = b24_node_get(root, &key);

    if (node == NULL || root->count != 1 || has_reference(&node->value)) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    b24_buf_t    buf;
    b24_str_t    text, out, one, two;
    b24_pool_t  *pool;

    pool = b24_pool_create(1 << 24);

    text.data = (u_char *) data;
    text.len = size;

    b24_buf_init(&buf, pool);
    b24_neutralise(&buf, &text);

    if (b24_buf_str(&buf, &out) == B24_OK) {
        one = dollars(pool, &text);
        two = dollars(pool, &out);

        if (has_reference(&out) || !b24_str_eq(&one, &two)) {
            abort();
        }

        as_sent(pool, &text);
    }

    b24_pool_destroy(pool);

    return 0;
}
