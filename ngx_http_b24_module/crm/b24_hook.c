
/* The portal's outgoing webhook: see b24_hook.h. */


#include "b24_hook.h"
#include "b24_batch.h"


static void b24_hook_text(const b24_node_t *node, const char *name,
    b24_str_t *text);


static const char  *b24_hook_events[] = {
    "ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE",
    "ONCRMDEALMOVETOCATEGORY", NULL
};


int
b24_hook_read(b24_pool_t *pool, const b24_str_t *body, b24_hook_t *hook)
{
    int          rc, i;
    int64_t      deal;
    b24_str_t    event;
    b24_node_t  *root, *node;

    memset(hook, 0, sizeof(b24_hook_t));

    rc = b24_form_parse(pool, body, &root);

    if (rc != B24_OK) {
        return rc;
    }

    b24_hook_text(b24_member(root, "auth"), "application_token", &hook->token);
    b24_hook_text(root, "event", &event);

    node = b24_member(b24_member(b24_member(root, "data"), "FIELDS"), "ID");
    deal = b24_node_id(node);

    for (i = 0; b24_hook_events[i]; i++) {

        if (b24_str_caseeqs(&event, b24_hook_events[i])) {
            hook->deal = deal;
        }
    }

    return B24_OK;
}


static void
b24_hook_text(const b24_node_t *node, const char *name, b24_str_t *text)
{
    b24_str_t  none = b24_null_string;

    node = b24_member(node, name);

    if (node == NULL || b24_node_text(node, text) != B24_OK) {
        *text = none;
    }
}


int
b24_hook_known(const b24_str_t *tokens, size_t n, const b24_str_t *token)
{
    int      known;
    u_char   differ;
    size_t   i, k;

    known = 0;

    for (i = 0; i < n; i++) {
        differ = (tokens[i].len != token->len);

        for (k = 0; k < tokens[i].len; k++) {
            differ |= tokens[i].data[k]
                      ^ (token->len ? token->data[k % token->len] : 0);
        }

        known |= (differ == 0);
    }

    return known;
}
