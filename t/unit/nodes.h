
/* Trees in unit tests: a parser's answer as text, and long inputs. */


#ifndef _NODES_H_INCLUDED_
#define _NODES_H_INCLUDED_


#include <stdlib.h>

#include "b24_node.h"
#include "tap.h"


/* input that a parser must read: an exact allocation, so that a sanitizer sees
 * a byte read behind it */
static inline b24_str_t
exact(const char *data, size_t len)
{
    b24_str_t  s;

    s.len = len;
    s.data = malloc(len ? len : 1);

    if (s.data == NULL) {
        abort();
    }

    memcpy(s.data, data, len);

    return s;
}


/* n times the same text */
static inline b24_str_t
times(const char *text, size_t n)
{
    size_t     i, len;
    b24_str_t  s;

    len = strlen(text);

    s.len = n * len;
    s.data = malloc(s.len + 1);

    if (s.data == NULL) {
        abort();
    }

    for (i = 0; i < n; i++) {
        memcpy(s.data + i * len, text, len);
    }

    s.data[s.len] = '\0';

    return s;
}


/* the tree as JSON, "declined" or "error" */
static inline b24_str_t
tree(b24_pool_t *pool, int rc, const b24_node_t *root)
{
    b24_buf_t  buf;
    b24_str_t  s;

    if (rc != B24_OK) {
        return str(rc == B24_DECLINED ? "declined" : "error");
    }

    b24_buf_init(&buf, pool);

    if (b24_node_print(root, &buf) != B24_OK
        || b24_buf_str(&buf, &s) != B24_OK)
    {
        return str("not printable");
    }

    return s;
}


#endif /* _NODES_H_INCLUDED_ */
