
#include "b24_tree.h"
#include "b24_text.h"


#define B24_PRINT_DEPTH  (2 * B24_NODE_DEPTH)   /* a tree inside of another */


static b24_node_t *b24_node_clone(b24_pool_t *pool, const b24_node_t *node,
    unsigned depth);
static int b24_node_put(const b24_node_t *node, b24_buf_t *out,
    unsigned depth);
static void b24_node_scalar(const b24_node_t *node, b24_buf_t *out);
static b24_node_t *b24_node_element(const b24_node_t *node,
    const b24_str_t *key);
static void b24_json_mend(b24_buf_t *out, const b24_str_t *text);
static void b24_json_escape(b24_buf_t *out, u_char c);


b24_node_t *
b24_node_new(b24_pool_t *pool, b24_type_e type)
{
    b24_node_t  *node;

    node = b24_pcalloc(pool, sizeof(b24_node_t));
    if (node == NULL) {
        return NULL;
    }

    node->type = type;

    return node;
}


void
b24_node_append(b24_node_t *parent, b24_node_t *child)
{
    child->next = NULL;

    if (parent->last) {
        parent->last->next = child;

    } else {
        parent->first = child;
    }

    parent->last = child;
    parent->count++;
}


b24_node_t *
b24_node_copy(b24_pool_t *pool, const b24_node_t *node)
{
    return b24_node_clone(pool, node, 0);
}


static b24_node_t *
b24_node_clone(b24_pool_t *pool, const b24_node_t *node, unsigned depth)
{
    b24_node_t        *copy, *child;
    const b24_node_t  *n;

    if (depth > B24_NODE_DEPTH) {
        return NULL;
    }

    copy = b24_node_new(pool, node->type);

    if (copy == NULL
        || b24_pstrdup(pool, &copy->key, node->key.data, node->key.len)
           != B24_OK
        || b24_pstrdup(pool, &copy->value, node->value.data, node->value.len)
           != B24_OK)
    {
        return NULL;
    }

    for (n = node->first; n; n = n->next) {
        child = b24_node_clone(pool, n, depth + 1);

        if (child == NULL) {
            return NULL;
        }

        b24_node_append(copy, child);
    }

    return copy;
}


b24_node_t *
b24_node_get(const b24_node_t *node, const b24_str_t *key)
{
    b24_node_t  *child, *found;

    if (node == NULL) {
        return NULL;
    }

    if (node->type == B24_ARRAY) {
        return b24_node_element(node, key);
    }

    if (node->type != B24_OBJECT) {
        return NULL;
    }

    found = NULL;

    for (child = node->first; child; child = child->next) {

        if (b24_str_eq(&child->key, key)) {
            found = child;
        }
    }

    return found;
}


/* RFC 6901: digits without leading zeros */

static b24_node_t *
b24_node_element(const b24_node_t *node, const b24_str_t *key)
{
    size_t       i, n;
    b24_node_t  *child;

    if (key->len == 0 || key->len > 9
        || (key->data[0] == '0' && key->len > 1))
    {
        return NULL;
    }

    n = 0;

    for (i = 0; i < key->len; i++) {

        if (!b24_isdigit(key->data[i])) {
            return NULL;
        }

        n = n * 10 + (size_t) (key->data[i] - '0');
    }

    if (n >= node->count) {
        return NULL;
    }

    for (child = node->first; child && n; child = child->next) {
        n--;
    }

    return child;
}


int
b24_node_empty(const b24_node_t *node)
{
    if (node == NULL) {
        return 1;
    }

    switch (node->type) {

    case B24_NULL:
    case B24_FALSE:
        return 1;

    case B24_STRING:
        return node->value.len == 0;

    case B24_ARRAY:
    case B24_OBJECT:
        return node->count == 0;

    default:
        return 0;
    }
}


int
b24_node_text(const b24_node_t *node, b24_str_t *text)
{
    if (node == NULL) {
        return B24_DECLINED;
    }

    switch (node->type) {

    case B24_NUMBER:
    case B24_STRING:
        *text = node->value;
        return B24_OK;

    case B24_TRUE:
        text->data = (u_char *) "1";
        text->len = 1;
        return B24_OK;

    default:
        return B24_DECLINED;
    }
}


int
b24_node_print(const b24_node_t *node, b24_buf_t *out)
{
    int  rc;

    rc = b24_node_put(node, out, 0);

    return (rc == B24_OK && out->failed) ? B24_ERROR : rc;
}


static int
b24_node_put(const b24_node_t *node, b24_buf_t *out, unsigned depth)
{
    int          rc;
    b24_node_t  *child;

    if (node->type != B24_ARRAY && node->type != B24_OBJECT) {
        b24_node_scalar(node, out);
        return B24_OK;
    }

    if (depth > B24_PRINT_DEPTH) {
        return B24_DECLINED;
    }

    b24_buf_addc(out, node->type == B24_ARRAY ? '[' : '{');

    for (child = node->first; child; child = child->next) {

        if (child != node->first) {
            b24_buf_addc(out, ',');
        }

        if (node->type == B24_OBJECT) {
            b24_json_string(out, &child->key);
            b24_buf_addc(out, ':');
        }

        rc = b24_node_put(child, out, depth + 1);
        if (rc != B24_OK) {
            return rc;
        }
    }

    b24_buf_addc(out, node->type == B24_ARRAY ? ']' : '}');

    return B24_OK;
}


static void
b24_node_scalar(const b24_node_t *node, b24_buf_t *out)
{
    const u_char  *p;

    switch (node->type) {

    case B24_TRUE:
        b24_buf_adds(out, "true");
        return;

    case B24_FALSE:
        b24_buf_adds(out, "false");
        return;

    case B24_NUMBER:

        /* a tree made by hand must not be able to break the JSON around */

        p = node->value.data;

        if (node->value.len
            && b24_json_number(p, p + node->value.len) == node->value.len)
        {
            b24_buf_addstr(out, &node->value);
            return;
        }

        b24_json_string(out, &node->value);
        return;

    case B24_STRING:
        b24_json_string(out, &node->value);
        return;

    default:
        b24_buf_adds(out, "null");
        return;
    }
}


void
b24_json_string(b24_buf_t *out, const b24_str_t *text)
{
    unsigned       ascii;
    b24_str_t      part;
    const u_char  *p, *end;

    b24_buf_addc(out, '"');

    p = text->data;
    end = text->len ? p + text->len : p;

    while (p < end) {
        part.data = (u_char *) p;
        p = b24_text_simple(p, end);
        ascii = p == end || *p < 0x80;

        if (!ascii) {
            p = b24_text_plain(p, end);
        }

        part.len = (size_t) (p - part.data);

        if (ascii || b24_utf8_valid(&part)) {
            b24_buf_addstr(out, &part);

        } else {
            b24_json_mend(out, &part);
        }

        if (p < end) {
            b24_json_escape(out, *p++);
        }
    }

    b24_buf_addc(out, '"');
}


/* what is no UTF-8 becomes U+FFFD */

static void
b24_json_mend(b24_buf_t *out, const b24_str_t *text)
{
    const u_char  *p, *from, *end;

    p = text->data;
    end = p + text->len;

    while (p < end) {
        from = p;

        if (b24_utf8_next(&p, end) == B24_UTF8_BAD) {
            b24_buf_adds(out, "\xef\xbf\xbd");

        } else {
            b24_buf_add(out, from, (size_t) (p - from));
        }
    }
}


static void
b24_json_escape(b24_buf_t *out, u_char c)
{
    const char  *p;

    static const char  hex[] = "0123456789abcdef";
    static const char  from[] = "\"\\\b\f\n\r\t";
    static const char  to[] = "\"\\bfnrt";

    b24_buf_addc(out, '\\');

    p = c ? strchr(from, c) : NULL;

    if (p) {
        b24_buf_addc(out, (u_char) to[p - from]);
        return;
    }

    b24_buf_adds(out, "u00");
    b24_buf_addc(out, (u_char) hex[c >> 4]);
    b24_buf_addc(out, (u_char) hex[c & 15]);
}
