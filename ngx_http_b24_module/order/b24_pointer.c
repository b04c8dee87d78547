
#include "b24_node.h"


#define B24_POINTER_DIGITS  6


static int b24_pointer_step(b24_str_t *text,
    b24_step_t *step, const char **err);
static int b24_pointer_brackets(b24_str_t *text, b24_step_t *step,
    const char **err);
static int b24_pointer_child(const b24_str_t *text, b24_step_t *step);
static b24_node_t *b24_pointer_prefix(b24_pool_t *pool,
    const b24_str_t *prefix, const b24_node_t *node);
static int b24_pointer_learned(b24_str_t *text, b24_step_t *step,
    b24_str_t *name, const char **err);
static int b24_pointer_unescape(b24_str_t *text, const char **err);
static int b24_pointer_walk(const b24_walk_t *walk, const b24_step_t *step,
    b24_node_t *from, unsigned strings, b24_node_t **node);
static b24_node_t *b24_pointer_follow(const b24_walk_t *walk,
    const b24_step_t *step, b24_node_t *node);
static b24_node_t *b24_pointer_nth(b24_pool_t *pool, const b24_step_t *step,
    const b24_node_t *node);
static int b24_pointer_value(const b24_walk_t *walk, const b24_step_t *step,
    const b24_str_t *name, b24_str_t *value);
static b24_node_t *b24_pointer_match(const b24_node_t *node,
    const b24_str_t *key, const b24_str_t *value);


int
b24_pointer_compile(b24_pool_t *pool, const b24_str_t *text,
    b24_pointer_t *ptr, const char **err)
{
    int           rc;
    u_char       *p, *end, *last;
    unsigned      any;
    b24_str_t     copy, part;
    b24_step_t   *step, **next;

    ptr->steps = NULL;
    any = 0;

    if (text->len == 0) {
        return B24_OK;
    }

    if (text->data[0] != '/') {
        *err = "a pointer must begin with \"/\"";
        return B24_DECLINED;
    }

    if (b24_pstrdup(pool, &copy, text->data, text->len) != B24_OK) {
        return B24_ERROR;
    }

    next = &ptr->steps;
    end = copy.data + copy.len;

    for (p = copy.data; p < end; p = last) {

        p++;

        last = (p < end) ? memchr(p, '/', (size_t) (end - p)) : NULL;
        if (last == NULL) {
            last = end;
        }

        step = b24_pcalloc(pool, sizeof(b24_step_t));
        if (step == NULL) {
            return B24_ERROR;
        }

        part.data = p;
        part.len = (size_t) (last - p);

        rc = b24_pointer_step(&part, step, err);
        if (rc != B24_OK) {
            ptr->steps = NULL;
            return rc;
        }

        /* each would multiply the ways */

        if (step->type == B24_STEP_ANY && any++) {
            ptr->steps = NULL;
            *err = "more than one \"[*]\" in a pointer";
            return B24_DECLINED;
        }

        *next = step;
        next = &step->next;
    }

    return B24_OK;
}


static int
b24_pointer_step(b24_str_t *text, b24_step_t *step, const char **err)
{
    int  rc;

    if (text->len && text->data[0] == '[') {

        if (text->data[text->len - 1] != ']') {
            *err = "a step that begins with \"[\" must end with \"]\""
                   " (\"/\" inside of it is written \"~1\")";
            return B24_DECLINED;
        }

        text->data++;
        text->len -= 2;

        return b24_pointer_brackets(text, step, err);
    }

    rc = b24_pointer_learned(text, step, &step->key, err);

    if (rc > 0) {
        step->type = B24_STEP_LEARNED;
        return B24_OK;
    }

    return rc;
}


static int
b24_pointer_brackets(b24_str_t *text, b24_step_t *step, const char **err)
{
    int      rc;
    u_char  *equals;

    if (b24_str_eqs(text, "last")) {
        step->type = B24_STEP_LAST;
        return B24_OK;
    }

    if (b24_str_eqs(text, "*")) {
        step->type = B24_STEP_ANY;
        return B24_OK;
    }

    if (b24_pointer_child(text, step) == B24_OK) {
        return B24_OK;
    }

    if (text->len > 1 && text->data[text->len - 1] == '*'
        && memchr(text->data, '=', text->len) == NULL)
    {
        step->type = B24_STEP_PREFIX;
        step->key.data = text->data;
        step->key.len = text->len - 1;

        return b24_pointer_unescape(&step->key, err);
    }

    step->type = B24_STEP_MATCH;

    equals = text->len ? memchr(text->data, '=', text->len) : NULL;

    if (equals == NULL || equals == text->data) {
        *err = "a step in brackets must be [last], [*], [NUMBER], [@NUMBER],"
               " [NAME*] or [KEY=VALUE]";
        return B24_DECLINED;
    }

    step->key.data = text->data;
    step->key.len = (size_t) (equals - text->data);

    if (b24_pointer_unescape(&step->key, err) != B24_OK) {
        return B24_DECLINED;
    }

    text->len -= (size_t) (equals + 1 - text->data);
    text->data = equals + 1;

    rc = b24_pointer_learned(text, step, &step->value, err);

    if (rc > 0) {
        step->learned_value = 1;
        return B24_OK;
    }

    return rc;
}


/* "[2]", "[@2]" */

static int
b24_pointer_child(const b24_str_t *text, b24_step_t *step)
{
    size_t  i, n;

    i = (text->len && text->data[0] == '@') ? 1 : 0;

    if (text->len == i || text->len > i + B24_POINTER_DIGITS) {
        return B24_DECLINED;
    }

    step->type = i ? B24_STEP_NAME : B24_STEP_CHILD;

    for (n = 0; i < text->len; i++) {

        if (!b24_isdigit(text->data[i])) {
            return B24_DECLINED;
        }

        n = n * 10 + (size_t) (text->data[i] - '0');
    }

    step->n = n;

    return B24_OK;
}


/* 1: a learned value, *name is its name; 0: plain text */

static int
b24_pointer_learned(b24_str_t *text, b24_step_t *step, b24_str_t *name,
    const char **err)
{
    size_t   i;
    ssize_t  begin, end;

    begin = b24_str_find(text, 0, "%{");

    if (begin < 0) {
        *name = *text;
        return b24_pointer_unescape(name, err);
    }

    end = b24_str_find(text, (size_t) begin, "}");

    if (end < 0) {
        *err = "\"%{\" without \"}\" in a pointer";
        return B24_DECLINED;
    }

    name->data = text->data + begin + 2;
    name->len = (size_t) (end - begin) - 2;

    for (i = 0; i < name->len; i++) {

        if (!b24_isdigit(name->data[i]) && name->data[i] != '_'
            && (b24_tolower(name->data[i]) < 'a'
                || b24_tolower(name->data[i]) > 'z'))
        {
            name->len = 0;
        }
    }

    if (name->len == 0) {
        *err = "\"%{NAME}\" in a pointer needs a name of letters, digits"
               " and \"_\"";
        return B24_DECLINED;
    }

    step->before.data = text->data;
    step->before.len = (size_t) begin;

    step->after.data = text->data + end + 1;
    step->after.len = text->len - (size_t) (end + 1);

    if (b24_str_find(&step->after, 0, "%{") >= 0) {
        *err = "more than one \"%{NAME}\" in a step of a pointer";
        return B24_DECLINED;
    }

    if (b24_pointer_unescape(&step->before, err) != B24_OK
        || b24_pointer_unescape(&step->after, err) != B24_OK)
    {
        return B24_DECLINED;
    }

    return 1;
}


/* in place: the text is our own copy */

static int
b24_pointer_unescape(b24_str_t *text, const char **err)
{
    size_t  i, len;
    u_char  c;

    len = 0;

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (c == '~') {
            i++;
            c = (i < text->len) ? text->data[i] : 0;

            if (c != '0' && c != '1') {
                *err = "\"~\" in a pointer must be written \"~0\""
                       " (and \"/\" in a step \"~1\")";
                return B24_DECLINED;
            }

            c = (c == '0') ? '~' : '/';
        }

        text->data[len++] = c;
    }

    text->len = len;

    return B24_OK;
}


int
b24_pointer_get(const b24_walk_t *walk, const b24_pointer_t *ptr,
    b24_node_t *root, b24_node_t **node)
{
    return b24_pointer_walk(walk, ptr->steps, root, 0, node);
}


static int
b24_pointer_walk(const b24_walk_t *walk, const b24_step_t *step,
    b24_node_t *from, unsigned strings, b24_node_t **node)
{
    int          rc, any;
    b24_node_t  *child, *found;

    *node = from;

    for ( /* void */ ; step && *node; step = step->next) {

        if ((*node)->type == B24_STRING) {

            if (strings++ == B24_NODE_STRINGS) {
                return B24_DECLINED;
            }

            rc = walk->into
                 ? walk->into(walk->reader, *node, node)
                 : b24_pointer_into(walk->pool, &(*node)->value, node);

            if (rc != B24_OK) {
                return rc;
            }
        }

        if (step->type != B24_STEP_ANY) {
            *node = b24_pointer_follow(walk, step, *node);
            continue;
        }

        any = B24_DECLINED;

        for (child = (*node)->first; child; child = child->next) {

            rc = b24_pointer_walk(walk, step->next, child, strings, &found);

            if (rc == B24_ERROR) {
                return rc;
            }

            if (rc == B24_OK) {
                *node = found;
                any = rc;
            }
        }

        return any;
    }

    return *node ? B24_OK : B24_DECLINED;
}


/* JSON with something to point into, else a query string */

int
b24_pointer_into(b24_pool_t *pool, const b24_str_t *text, b24_node_t **root)
{
    int          rc;
    b24_str_t    s;
    b24_node_t  *json;

    s = *text;
    b24_str_trim(&s);

    if (s.len == 0) {
        return B24_DECLINED;
    }

    rc = b24_json_parse(pool, &s, 0, &json);

    if (rc == B24_ERROR) {
        return rc;
    }

    if (rc == B24_OK
        && (json->type == B24_OBJECT || json->type == B24_ARRAY))
    {
        *root = json;
        return B24_OK;
    }

    if (memchr(s.data, '=', s.len) == NULL) {
        return B24_DECLINED;
    }

    return b24_form_parse(pool, &s, root);
}


static b24_node_t *
b24_pointer_follow(const b24_walk_t *walk, const b24_step_t *step,
    b24_node_t *node)
{
    b24_str_t  value;

    switch (step->type) {

    case B24_STEP_KEY:
        return b24_node_get(node, &step->key);

    case B24_STEP_LAST:
        return node->last;

    case B24_STEP_CHILD:
    case B24_STEP_NAME:
        return b24_pointer_nth(walk->pool, step, node);

    case B24_STEP_PREFIX:
        return b24_pointer_prefix(walk->pool, &step->key, node);

    case B24_STEP_LEARNED:

        if (b24_pointer_value(walk, step, &step->key, &value) != B24_OK) {
            return NULL;
        }

        return b24_node_get(node, &value);

    case B24_STEP_MATCH:
        value = step->value;

        if (step->learned_value
            && b24_pointer_value(walk, step, &step->value, &value) != B24_OK)
        {
            return NULL;
        }

        return b24_pointer_match(node, &step->key, &value);

    case B24_STEP_ANY:    /* is walked */
        break;
    }

    return NULL;
}


/* NULL when there is no such member */

static b24_node_t *
b24_pointer_prefix(b24_pool_t *pool, const b24_str_t *prefix,
    const b24_node_t *node)
{
    b24_node_t        *object, *member;
    const b24_node_t  *child;

    object = NULL;
    child = node->type == B24_OBJECT ? node->first : NULL;

    for ( /* void */ ; child; child = child->next) {

        if (child->key.len < prefix->len
            || memcmp(child->key.data, prefix->data, prefix->len) != 0)
        {
            continue;
        }

        if (object == NULL) {
            object = b24_node_new(pool, B24_OBJECT);
        }

        member = b24_node_new(pool, child->type);

        if (object == NULL || member == NULL) {
            return NULL;
        }

        *member = *child;
        b24_node_append(object, member);
    }

    return object;
}


/* elements have no names: [@N] is for members */

static b24_node_t *
b24_pointer_nth(b24_pool_t *pool, const b24_step_t *step,
    const b24_node_t *node)
{
    size_t       i;
    b24_node_t  *child, *name;

    child = node->first;

    for (i = 0; child && i < step->n; i++) {
        child = child->next;
    }

    if (child == NULL || step->type == B24_STEP_CHILD) {
        return child;
    }

    if (node->type != B24_OBJECT) {
        return NULL;
    }

    name = b24_node_new(pool, B24_STRING);

    if (name) {
        name->value = child->key;
    }

    return name;
}


static int
b24_pointer_value(const b24_walk_t *walk, const b24_step_t *step,
    const b24_str_t *name, b24_str_t *value)
{
    b24_buf_t  buf;

    if (walk->learned == NULL || !walk->learned(walk->data, name, value)) {
        return B24_DECLINED;
    }

    if (step->before.len == 0 && step->after.len == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, walk->pool);

    b24_buf_addstr(&buf, &step->before);
    b24_buf_addstr(&buf, value);
    b24_buf_addstr(&buf, &step->after);

    return b24_buf_str(&buf, value);
}


/*
 * null and false are there but have no text: they equal "".  true and false are
 * also what they are written as.
 */

static b24_node_t *
b24_pointer_match(const b24_node_t *node, const b24_str_t *key,
    const b24_str_t *value)
{
    b24_str_t    text;
    b24_node_t  *child, *member;

    for (child = node->first; child; child = child->next) {

        member = b24_node_get(child, key);

        if (member == NULL || member->type == B24_ARRAY
            || member->type == B24_OBJECT)
        {
            continue;
        }

        if (b24_node_text(member, &text) != B24_OK) {
            text.len = 0;
        }

        if (b24_str_eq(&text, value)
            || (member->type == B24_TRUE && b24_str_eqs(value, "true"))
            || (member->type == B24_FALSE && b24_str_eqs(value, "false")))
        {
            return child;
        }
    }

    return NULL;
}
