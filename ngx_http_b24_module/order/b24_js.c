
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "b24_tree.h"
#include "b24_text.h"

#include <stdio.h>


/*
 * A page may hold a name many times, and each place may make us read far
 * before the literal turns out to be none.  All attempts together read at most
 * this many times the page.
 */
#define B24_INLINE_WORK   8


/*
 * The same code goes over a literal twice: dry, to check and to count, and
 * once more to build, with the memory taken in two pieces.
 */
typedef struct {
    const u_char  *p;
    const u_char  *end;
    size_t         depth;
    size_t         nodes;           /* dry: counted */
    size_t         bytes;
    b24_node_t    *node;            /* building: the next free one */
    u_char        *text;            /* NULL in a dry run */
    b24_index_t    index;
    uint32_t       owners;
} b24_js_t;


static int b24_js_scan(b24_js_t *js, const u_char *p, const u_char *end);
static int b24_js_build(b24_js_t *js, b24_pool_t *pool, const u_char *p,
    b24_node_t **root);
static int b24_js_value(b24_js_t *js, b24_node_t *node);
static int b24_js_container(b24_js_t *js, b24_node_t *node, u_char closer);
static int b24_js_member(b24_js_t *js, b24_node_t *node, uint32_t owner);
static int b24_js_key(b24_js_t *js, b24_str_t *key);
static int b24_js_child(b24_js_t *js, b24_node_t *node, uint32_t owner,
    const b24_str_t *key, b24_node_t **child);
static int b24_js_string(b24_js_t *js, b24_str_t *value);
static int b24_js_escape(b24_js_t *js);
static int b24_js_unicode(b24_js_t *js, uint32_t *code);
static int b24_js_digits(b24_js_t *js, size_t n, uint32_t *code);
static int b24_js_number(b24_js_t *js, b24_node_t *node);
static int b24_js_decimal(b24_js_t *js, b24_str_t *value, unsigned minus);
static int b24_js_exponent(b24_js_t *js);
static int b24_js_hex(b24_js_t *js, b24_str_t *value, unsigned minus);
static int b24_js_word(b24_js_t *js, b24_type_e *type);
static void b24_js_name(b24_js_t *js, b24_str_t *name);
static int b24_js_blanks(b24_js_t *js);
static void b24_js_char(b24_js_t *js, uint32_t code);
static void b24_js_emit(b24_js_t *js, const void *data, size_t len);
static int b24_js_isname(u_char c);
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


static int
b24_js_string(b24_js_t *js, b24_str_t *value)
{
    u_char         quote;
    size_t         bytes;
    const u_char  *start;

    quote = *js->p++;
    bytes = js->bytes;

    value->data = js->text;

    for ( ;; ) {
        start = js->p;

        while (js->p < js->end && *js->p != quote && *js->p != '\\'
               && *js->p != '\n' && *js->p != '\r')
        {
            js->p++;
        }

        b24_js_emit(js, start, (size_t) (js->p - start));

        if (js->p == js->end || *js->p == '\n' || *js->p == '\r') {
            return B24_DECLINED;
        }

        if (*js->p == quote) {
            break;
        }

        if (b24_js_escape(js) != B24_OK) {
            return B24_DECLINED;
        }
    }

    js->p++;

    value->len = js->bytes - bytes;

    return B24_OK;
}


static int
b24_js_escape(b24_js_t *js)
{
    u_char       c;
    uint32_t     code;
    const char  *p;

    static const char  from[] = "bfnrtv";
    static const char  to[] = "\b\f\n\r\t\v";

    js->p++;

    if (js->p == js->end) {
        return B24_DECLINED;
    }

    c = *js->p++;

    switch (c) {

    case 'x':
    case 'u':
        if (c == 'x') {

            if (b24_js_digits(js, 2, &code) != B24_OK) {
                return B24_DECLINED;
            }

        } else if (b24_js_unicode(js, &code) != B24_OK) {
            return B24_DECLINED;
        }

        b24_js_char(js, code);
        return B24_OK;

    case '0':
        b24_js_char(js, 0);
        return B24_OK;

    case '\r':

        if (js->p < js->end && *js->p == '\n') {
            js->p++;
        }

        return B24_OK;

    case '\n':
        return B24_OK;

    default:
        p = c ? strchr(from, c) : NULL;

        if (p) {
            c = (u_char) to[p - from];
        }

        b24_js_emit(js, &c, 1);
        return B24_OK;
    }
}


/* behind "\u": HHHH, a pair of surrogates, or {H...} */

static int
b24_js_unicode(b24_js_t *js, uint32_t *code)
{
    int            digit;
    uint32_t       low;
    const u_char  *p;

    if (js->p < js->end && *js->p == '{') {
        *code = 0;

        for (p = js->p + 1; p < js->end && b24_hex(*p) >= 0; p++) {
            digit = b24_hex(*p);

            /* what is too large stays too large */

            if (*code <= 0x10ffff) {
                *code = *code * 16 + (uint32_t) digit;
            }
        }

        if (p == js->end || *p != '}' || p == js->p + 1) {
            return B24_DECLINED;
        }

        js->p = p + 1;
        return B24_OK;
    }

    if (b24_js_digits(js, 4, code) != B24_OK) {
        return B24_DECLINED;
    }

    if (*code >= 0xd800 && *code <= 0xdbff
        && js->end - js->p >= 6 && js->p[0] == '\\' && js->p[1] == 'u')
    {
        p = js->p;
        js->p += 2;

        if (b24_js_digits(js, 4, &low) == B24_OK
            && low >= 0xdc00 && low <= 0xdfff)
        {
            *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);

        } else {
            js->p = p;
        }
    }

    return B24_OK;
}


static int
b24_js_digits(b24_js_t *js, size_t n, uint32_t *code)
{
    int  digit;

    *code = 0;

    while (n--) {
        digit = (js->p < js->end) ? b24_hex(*js->p) : -1;

        if (digit < 0) {
            return B24_DECLINED;
        }

        *code = *code * 16 + (uint32_t) digit;
        js->p++;
    }

    return B24_OK;
}


static int
b24_js_number(b24_js_t *js, b24_node_t *node)
{
    int         rc;
    unsigned    minus;
    b24_str_t   value;
    b24_type_e  type;

    minus = (*js->p == '-');

    if (minus || *js->p == '+') {
        js->p++;
    }

    type = B24_NUMBER;
    value.len = 0;
    value.data = NULL;

    if (js->end - js->p > 2 && js->p[0] == '0'
        && b24_tolower(js->p[1]) == 'x')
    {
        js->p += 2;
        rc = b24_js_hex(js, &value, minus);

    } else if (js->p < js->end && *js->p == 'I') {
        rc = b24_js_word(js, &type);            /* Infinity */

    } else {
        rc = b24_js_decimal(js, &value, minus);
    }

    /* "5px", "1.2.3" */

    if (rc != B24_OK
        || (js->p < js->end && (b24_js_isname(*js->p) || *js->p == '.')))
    {
        return B24_DECLINED;
    }

    if (node) {
        node->type = type;
        node->value = value;
    }

    return B24_OK;
}


/*
 * JavaScript's "+1", ".5" and "5." become JSON's "1", "0.5" and "5", nothing
 * else about the text changes
 */

static int
b24_js_decimal(b24_js_t *js, b24_str_t *value, unsigned minus)
{
    size_t         bytes;
    const u_char  *whole, *places;

    bytes = js->bytes;
    value->data = js->text;

    whole = js->p;

    while (js->p < js->end && b24_isdigit(*js->p)) {
        js->p++;
    }

    if (js->p - whole > 1 && *whole == '0') {
        return B24_DECLINED;                    /* an old octal number */
    }

    if (minus) {
        b24_js_emit(js, "-", 1);
    }

    if (js->p == whole) {
        b24_js_emit(js, "0", 1);

    } else {
        b24_js_emit(js, whole, (size_t) (js->p - whole));
    }

    if (js->p < js->end && *js->p == '.') {
        places = js->p++;

        while (js->p < js->end && b24_isdigit(*js->p)) {
            js->p++;
        }

        if (js->p - places > 1) {
            b24_js_emit(js, places, (size_t) (js->p - places));

        } else if (places == whole) {
            return B24_DECLINED;
        }

    } else if (js->p == whole) {
        return B24_DECLINED;
    }

    if (b24_js_exponent(js) != B24_OK) {
        return B24_DECLINED;
    }

    value->len = js->bytes - bytes;

    return B24_OK;
}


static int
b24_js_exponent(b24_js_t *js)
{
    const u_char  *start;

    if (js->p == js->end || (*js->p != 'e' && *js->p != 'E')) {
        return B24_OK;
    }

    start = js->p++;

    if (js->p < js->end && (*js->p == '+' || *js->p == '-')) {
        js->p++;
    }

    if (js->p == js->end || !b24_isdigit(*js->p)) {
        return B24_DECLINED;
    }

    while (js->p < js->end && b24_isdigit(*js->p)) {
        js->p++;
    }

    b24_js_emit(js, start, (size_t) (js->p - start));

    return B24_OK;
}


static int
b24_js_hex(b24_js_t *js, b24_str_t *value, unsigned minus)
{
    int       len;
    char      text[24];
    size_t    n;
    uint64_t  number;

    number = 0;

    for (n = 0; js->p < js->end && b24_hex(*js->p) >= 0; n++) {
        number = number * 16 + (uint64_t) b24_hex(*js->p);
        js->p++;
    }

    if (n == 0 || n > 16) {
        return B24_DECLINED;
    }

    len = snprintf(text, sizeof(text), "%s%llu", minus ? "-" : "",
                   (unsigned long long) number);

    value->data = js->text;
    value->len = (size_t) len;

    b24_js_emit(js, text, (size_t) len);

    return B24_OK;
}


/* also "!0", "!1" and "void 0", which minifiers write */

static int
b24_js_word(b24_js_t *js, b24_type_e *type)
{
    b24_str_t  name;

    if (js->end - js->p >= 2 && js->p[0] == '!'
        && (js->p[1] == '0' || js->p[1] == '1'))
    {
        *type = (js->p[1] == '0') ? B24_TRUE : B24_FALSE;
        js->p += 2;
        return B24_OK;
    }

    b24_js_name(js, &name);

    if (b24_str_eqs(&name, "true")) {
        *type = B24_TRUE;
        return B24_OK;
    }

    if (b24_str_eqs(&name, "false")) {
        *type = B24_FALSE;
        return B24_OK;
    }

    *type = B24_NULL;

    if (b24_str_eqs(&name, "null") || b24_str_eqs(&name, "undefined")
        || b24_str_eqs(&name, "NaN") || b24_str_eqs(&name, "Infinity"))
    {
        return B24_OK;
    }

    if (b24_str_eqs(&name, "void") && b24_js_blanks(js) == B24_OK) {
        b24_js_name(js, &name);

        if (b24_str_eqs(&name, "0")) {
            return B24_OK;
        }
    }

    return B24_DECLINED;
}


static void
b24_js_name(b24_js_t *js, b24_str_t *name)
{
    name->data = (u_char *) js->p;

    while (js->p < js->end && b24_js_isname(*js->p)) {
        js->p++;
    }

    name->len = (size_t) (js->p - name->data);
}


/* blanks and comments */

static int
b24_js_blanks(b24_js_t *js)
{
    const u_char  *p;

    while (js->p < js->end) {

        if (b24_isspace(*js->p)) {
            js->p++;
            continue;
        }

        if (js->end - js->p >= 2 && js->p[0] == 0xc2 && js->p[1] == 0xa0) {
            js->p += 2;
            continue;
        }

        if (js->end - js->p >= 3 && memcmp(js->p, "\xef\xbb\xbf", 3) == 0) {
            js->p += 3;
            continue;
        }

        if (*js->p != '/' || js->end - js->p < 2) {
            break;
        }

        if (js->p[1] == '/') {
            p = memchr(js->p, '\n', (size_t) (js->end - js->p));
            js->p = p ? p + 1 : js->end;
            continue;
        }

        if (js->p[1] != '*') {
            break;
        }

        p = memmem(js->p + 2, (size_t) (js->end - js->p) - 2, "*/", 2);

        if (p == NULL) {
            js->p = js->end;
            return B24_DECLINED;
        }

        js->p = p + 2;
    }

    return B24_OK;
}


/* C libraries behind us would cut a text at NUL */

static void
b24_js_char(b24_js_t *js, uint32_t code)
{
    u_char  utf8[4];

    b24_js_emit(js, utf8, b24_utf8_encode(utf8, code ? code : 0xfffd));
}


static void
b24_js_emit(b24_js_t *js, const void *data, size_t len)
{
    js->bytes += len;

    if (js->text && len) {
        memcpy(js->text, data, len);
        js->text += len;
    }
}


static int
b24_js_isname(u_char c)
{
    return b24_isdigit(c) || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z')
           || c == '_' || c == '$' || c >= 0x80;
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
