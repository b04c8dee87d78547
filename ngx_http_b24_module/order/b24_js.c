
/* Literals of JavaScript as trees, and where a page has one. */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "b24_js_int.h"


/*
 * A page may hold a name many times, and each place may make us read far
 * before the literal turns out to be none.  All attempts together read at most
 * this many times the page.
 */
#define B24_INLINE_WORK   8


static int b24_js_scan(b24_js_t *js, const u_char *p, const u_char *end);
static int b24_js_build(b24_js_t *js, b24_pool_t *pool, const u_char *p,
    b24_node_t **root);
static int b24_js_value(b24_js_t *js, b24_node_t *node);
static int b24_js_container(b24_js_t *js, b24_node_t *node, u_char closer);
static int b24_js_member(b24_js_t *js, b24_node_t *node, uint32_t owner);
static int b24_js_key(b24_js_t *js, b24_str_t *key);
static int b24_js_child(b24_js_t *js, b24_node_t *node, uint32_t owner,
    const b24_str_t *key, b24_node_t **child);
static const u_char *b24_inline_begin(const b24_str_t *text,
    const u_char *place, const b24_str_t *name);
static int b24_inline_ends(b24_js_t *js);


int
b24_js_parse(b24_pool_t *pool, const b24_str_t *text, size_t *used,
    b24_node_t **root)
{
    int       rc;
    b24_js_t  js;

    if (text->len == 0) {
        return B24_DECLINED;
    }

    rc = b24_js_scan(&js, text->data, text->data + text->len);

    if (rc == B24_OK) {
        rc = b24_js_build(&js, pool, text->data, root);
    }

    if (rc == B24_OK) {
        *used = (size_t) (js.p - text->data);
    }

    return rc;
}


int
b24_inline_find(b24_pool_t *pool, const b24_str_t *text,
    const b24_str_t *name, b24_node_t **root)
{
    size_t         work;
    b24_js_t       js;
    const u_char  *p, *end, *place, *begin, *stop;

    if (name->len == 0 || text->len == 0) {
        return B24_DECLINED;
    }

    work = 0;
    p = text->data;
    end = p + text->len;

    while (work / B24_INLINE_WORK <= text->len) {

        place = memmem(p, (size_t) (end - p), name->data, name->len);
        if (place == NULL) {
            break;
        }

        p = place + 1;

        begin = b24_inline_begin(text, place, name);
        if (begin == NULL) {
            continue;
        }

        if (b24_js_scan(&js, begin, end) == B24_OK) {
            stop = js.p;

            if (b24_inline_ends(&js)) {
                js.end = stop;
                return b24_js_build(&js, pool, begin, root);
            }
        }

        work += (size_t) (js.p - begin);
    }

    return B24_DECLINED;
}


static int
b24_js_scan(b24_js_t *js, const u_char *p, const u_char *end)
{
    memset(js, 0, sizeof(b24_js_t));

    js->p = p;
    js->end = end;

    return b24_js_value(js, NULL);
}


static int
b24_js_build(b24_js_t *js, b24_pool_t *pool, const u_char *p,
    b24_node_t **root)
{
    int          rc;
    b24_node_t  *top;

    top = b24_pcalloc(pool, js->nodes * sizeof(b24_node_t));
    if (top == NULL) {
        return B24_ERROR;
    }

    js->text = b24_pnalloc(pool, js->bytes + 1);
    if (js->text == NULL) {
        return B24_ERROR;
    }

    js->p = p;
    js->node = top + 1;
    js->nodes = 0;

    b24_index_init(&js->index);

    rc = b24_js_value(js, top);

    if (rc == B24_OK) {
        *root = top;
    }

    b24_index_done(&js->index);

    return rc;
}


static int
b24_js_value(b24_js_t *js, b24_node_t *node)
{
    int         rc;
    b24_str_t   value = b24_null_string;
    b24_type_e  type;

    if (b24_js_blanks(js) != B24_OK || js->p == js->end
        || ++js->nodes > B24_NODE_MAX)
    {
        return B24_DECLINED;
    }

    if (node) {
        /* an equal name may have come before */
        node->value = value;
        node->first = NULL;
        node->last = NULL;
        node->count = 0;
    }

    switch (*js->p) {

    case '{':
        return b24_js_container(js, node, '}');

    case '[':
        return b24_js_container(js, node, ']');

    case '"':
    case '\'':
        rc = b24_js_string(js, &value);
        type = B24_STRING;
        break;

    case '-':
    case '+':
    case '.':
        return b24_js_number(js, node);

    default:

        if (b24_isdigit(*js->p)) {
            return b24_js_number(js, node);
        }

        rc = b24_js_word(js, &type);
        break;
    }

    if (rc == B24_OK && node) {
        node->type = type;
        node->value = value;
    }

    return rc;
}


static int
b24_js_container(b24_js_t *js, b24_node_t *node, u_char closer)
{
    int          rc;
    uint32_t     owner;
    b24_node_t  *child;

    if (js->depth == B24_NODE_DEPTH) {
        return B24_DECLINED;
    }

    js->depth++;
    js->p++;

    owner = js->owners++;

    if (node) {
        node->type = (closer == '}') ? B24_OBJECT : B24_ARRAY;
    }

    for ( ;; ) {

        if (b24_js_blanks(js) != B24_OK || js->p == js->end) {
            return B24_DECLINED;
        }

        if (*js->p == closer) {
            break;
        }

        if (closer == '}') {
            rc = b24_js_member(js, node, owner);

        } else {
            (void) b24_js_child(js, node, owner, NULL, &child);
            rc = b24_js_value(js, child);
        }

        if (rc != B24_OK) {
            return rc;
        }

        if (b24_js_blanks(js) != B24_OK || js->p == js->end) {
            return B24_DECLINED;
        }

        if (*js->p == ',') {
            js->p++;

        } else if (*js->p != closer) {
            return B24_DECLINED;
        }
    }

    js->p++;
    js->depth--;

    return B24_OK;
}


static int
b24_js_member(b24_js_t *js, b24_node_t *node, uint32_t owner)
{
    b24_str_t    key;
    b24_node_t  *child;

    if (b24_js_key(js, &key) != B24_OK
        || b24_js_blanks(js) != B24_OK
        || js->p == js->end || *js->p != ':')
    {
        return B24_DECLINED;
    }

    js->p++;

    if (b24_js_child(js, node, owner, &key, &child) != B24_OK) {
        return B24_ERROR;
    }

    return b24_js_value(js, child);
}


static int
b24_js_key(b24_js_t *js, b24_str_t *key)
{
    if (*js->p == '"' || *js->p == '\'') {
        return b24_js_string(js, key);
    }

    /* a name, or an index: {301: ...} */

    b24_js_name(js, key);

    return key->len ? B24_OK : B24_DECLINED;
}


/* an equal name's node is used again; NULL in a dry run */

static int
b24_js_child(b24_js_t *js, b24_node_t *node, uint32_t owner,
    const b24_str_t *key, b24_node_t **child)
{
    b24_node_t  **slot;

    *child = NULL;

    if (node == NULL) {
        return B24_OK;
    }

    slot = NULL;

    if (key) {
        slot = b24_index_slot(&js->index, owner, key);
        if (slot == NULL) {
            return B24_ERROR;
        }

        *child = *slot;
    }

    if (*child == NULL) {
        *child = js->node++;

        if (slot) {
            (*child)->key = *key;
            *slot = *child;
        }

        b24_node_append(node, *child);
    }

    return B24_OK;
}


/* where the literal begins if place is a use of the name, else NULL */

static const u_char *
b24_inline_begin(const b24_str_t *text, const u_char *place,
    const b24_str_t *name)
{
    u_char         quote;
    const u_char  *p, *end;

    end = text->data + text->len;
    p = place + name->len;
    quote = 0;

    if (place > text->data) {
        quote = place[-1];

        /* "a-NAME" is an attribute of HTML */

        if (b24_js_isname(quote) || quote == '-') {
            return NULL;
        }
    }

    if ((quote == '"' || quote == '\'') && p < end && *p == quote) {
        p++;

        /* window["NAME"] = ... */

        if (p < end && *p == ']') {
            p++;
        }
    }

    while (p < end && b24_isspace(*p)) {
        p++;
    }

    if (p == end || (*p != '=' && *p != '(' && *p != ':')) {
        return NULL;
    }

    return p + 1;
}


/* a literal that goes on ("5 + tax", "[1, 2].map") isn't the whole value */

static int
b24_inline_ends(b24_js_t *js)
{
    const u_char  *p, *start;

    start = js->p;

    if (b24_js_blanks(js) != B24_OK || js->p == js->end) {
        return 1;
    }

    p = js->p;

    if (*p && strchr(";,)}]<\"'", *p)) {
        return 1;
    }

    /* no semicolon, but a statement on the next line */

    return memchr(start, '\n', (size_t) (p - start)) != NULL
           && b24_js_isname(*p);
}
