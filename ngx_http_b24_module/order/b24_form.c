
#include "b24_tree.h"

#include <stdio.h>


/* max_input_nesting_level of PHP; a field with more brackets removes the
 * variable it belongs to */
#define B24_FORM_BRACKETS  64


struct b24_form_node_s {
    b24_node_t  node;
    int64_t     next;               /* what [] gets, INT64_MIN: 0 */
    uint32_t    id;                 /* of an object; new when it is emptied */
    unsigned    dead:1;
};


typedef struct {
    b24_str_t   key;
    unsigned    append:1;           /* [] */
} b24_form_step_t;


static size_t b24_form_steps(b24_str_t *name, const b24_str_t *head,
    b24_form_step_t *steps);
static int b24_form_set(b24_form_t *form, const b24_str_t *head,
    b24_form_step_t *steps, size_t n, const b24_str_t *value);
static void b24_form_mangle(u_char *p, const u_char *end);
static int b24_form_forbidden(const b24_str_t *key, const b24_str_t *name);
static void b24_form_remove(b24_form_t *form, const b24_str_t *key);
static int b24_form_member(b24_form_t *form, b24_form_node_t *owner,
    b24_form_step_t *step, b24_form_node_t **member);
static void b24_form_object(b24_form_t *form, b24_form_node_t *fn);
static int b24_form_index(const b24_str_t *key, int64_t *n);
static size_t b24_form_decode(u_char *dst, const u_char *p, const u_char *end);


int
b24_form_parse(b24_pool_t *pool, const b24_str_t *text, b24_node_t **root)
{
    int            rc;
    u_char        *buf;
    b24_str_t      name, value;
    b24_form_t     form;
    const u_char  *p, *end, *last, *sep;

    rc = b24_form_init(&form, pool);

    buf = b24_pnalloc(pool, text->len + 1);
    if (buf == NULL) {
        rc = B24_ERROR;
    }

    p = text->data;
    end = text->len ? p + text->len : p;

    for ( /* void */ ; rc == B24_OK && p < end; p = last + 1) {

        last = memchr(p, '&', (size_t) (end - p));
        if (last == NULL) {
            last = end;
        }

        if (last == p) {
            continue;
        }

        sep = memchr(p, '=', (size_t) (last - p));
        if (sep == NULL) {
            sep = last;
        }

        name.data = buf;
        name.len = b24_form_decode(buf, p, sep);
        buf += name.len;

        value.data = buf;
        value.len = (sep < last) ? b24_form_decode(buf, sep + 1, last) : 0;
        buf += value.len;

        rc = b24_form_add(&form, &name, &value);
    }

    b24_form_done(&form, rc == B24_OK ? root : NULL);

    return rc;
}


int
b24_form_init(b24_form_t *form, b24_pool_t *pool)
{
    memset(form, 0, sizeof(b24_form_t));

    form->pool = pool;
    b24_index_init(&form->index);

    form->root = b24_pcalloc(pool, sizeof(b24_form_node_t));
    if (form->root == NULL) {
        return B24_ERROR;
    }

    b24_form_object(form, form->root);

    return B24_OK;
}


/* root is NULL after a failure */

void
b24_form_done(b24_form_t *form, b24_node_t **root)
{
    b24_node_t  *top, *node, *next;

    b24_index_done(&form->index);

    if (root == NULL) {
        return;
    }

    top = &form->root->node;

    if (form->dead) {
        node = top->first;

        top->first = NULL;
        top->last = NULL;
        top->count = 0;

        for ( /* void */ ; node; node = next) {
            next = node->next;

            if (!((b24_form_node_t *) node)->dead) {
                b24_node_append(top, node);
            }
        }
    }

    *root = top;
}


/* php_register_variable_ex() */

int
b24_form_add(b24_form_t *form, b24_str_t *name, const b24_str_t *value)
{
    size_t           n;
    u_char          *zero, begin[16];
    b24_str_t        head;
    b24_form_step_t  steps[B24_FORM_BRACKETS + 1];

    if (++form->fields > B24_FORM_FIELDS) {
        return B24_DECLINED;
    }

    /* a name is a C string in PHP */

    zero = name->len ? memchr(name->data, '\0', name->len) : NULL;
    if (zero) {
        name->len = (size_t) (zero - name->data);
    }

    while (name->len && name->data[0] == ' ') {
        name->data++;
        name->len--;
    }

    if (name->len == 0) {
        return B24_OK;
    }

    /* the name is about to change; only its prefix is asked for later */

    head.data = begin;
    head.len = name->len < sizeof(begin) ? name->len : sizeof(begin);
    memcpy(begin, name->data, head.len);

    n = b24_form_steps(name, &head, steps);

    if (n == 0) {
        return B24_OK;
    }

    if (n > B24_FORM_BRACKETS + 1) {
        b24_form_remove(form, &steps[0].key);
        return B24_OK;
    }

    return b24_form_set(form, &head, steps, n, value);
}


static int
b24_form_set(b24_form_t *form, const b24_str_t *head, b24_form_step_t *steps,
    size_t n, const b24_str_t *value)
{
    int               rc;
    size_t            i;
    b24_form_node_t  *fn;

    fn = form->root;

    for (i = 0; i < n; i++) {

        /* the last of equal names wins, also over another kind of value */

        if (fn->node.type != B24_OBJECT) {
            b24_form_object(form, fn);
        }

        if (i && !steps[i].append && b24_form_forbidden(&steps[i].key, head))
        {
            return B24_OK;
        }

        rc = b24_form_member(form, fn, &steps[i], &fn);
        if (rc != B24_OK) {
            return rc;
        }

        if (fn == NULL) {
            return B24_OK;                      /* no index is left */
        }
    }

    fn->node.type = B24_STRING;
    fn->node.value = *value;
    fn->node.first = NULL;
    fn->node.last = NULL;
    fn->node.count = 0;

    return B24_OK;
}


/*
 * Cuts a name into its steps.  0: PHP drops the field; more than there is room
 * for: too many brackets.
 */

static size_t
b24_form_steps(b24_str_t *name, const b24_str_t *head,
    b24_form_step_t *steps)
{
    size_t   n;
    u_char  *p, *end, *start, *close;

    p = memchr(name->data, '[', name->len);
    end = name->data + name->len;

    steps[0].append = 0;
    steps[0].key.data = name->data;
    steps[0].key.len = p ? (size_t) (p - name->data) : name->len;

    b24_form_mangle(name->data, name->data + steps[0].key.len);

    if (steps[0].key.len == 0 || b24_form_forbidden(&steps[0].key, head)) {
        return 0;
    }

    for (n = 1; p && p < end && *p == '['; n++) {

        if (n > B24_FORM_BRACKETS) {
            return n + 1;
        }

        start = ++p;

        if (p < end && b24_isspace(*p)) {
            p++;
        }

        if (p < end && *p == ']') {
            steps[n].append = 1;
            p++;
            continue;
        }

        close = (p < end) ? memchr(p, ']', (size_t) (end - p)) : NULL;

        if (close) {
            steps[n].append = 0;
            steps[n].key.data = start;
            steps[n].key.len = (size_t) (close - start);
            p = close + 1;
            continue;
        }

        /* a bracket that isn't closed: the rest belongs to a plain name, and
         * is ignored behind a complete one */

        if (n == 1) {
            b24_form_mangle(start - 1, end);
            steps[0].key.len = name->len;

            if (b24_form_forbidden(&steps[0].key, head)) {
                return 0;
            }
        }

        break;
    }

    return n;
}


static void
b24_form_mangle(u_char *p, const u_char *end)
{
    for ( /* void */ ; p < end; p++) {

        if (*p == ' ' || *p == '.' || *p == '[') {
            *p = '_';
        }
    }
}


/* a name must not become one of a protected cookie by what is replaced */

static int
b24_form_forbidden(const b24_str_t *key, const b24_str_t *name)
{
    size_t  i, len;

    static const char *const  prefixes[] = { "__Host-", "__Secure-" };

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        len = strlen(prefixes[i]);

        if (key->len >= len && memcmp(key->data, prefixes[i], len) == 0
            && (name->len < len || memcmp(name->data, prefixes[i], len) != 0))
        {
            return 1;
        }
    }

    return 0;
}


/* the list is linked one way: the node leaves it in b24_form_done() */

static void
b24_form_remove(b24_form_t *form, const b24_str_t *key)
{
    b24_node_t  *node;

    node = b24_index_find(&form->index, form->root->id, key);

    if (node) {
        ((b24_form_node_t *) node)->dead = 1;
        form->dead = 1;
    }
}


/* *member is NULL when [] has no number left */

static int
b24_form_member(b24_form_t *form, b24_form_node_t *owner,
    b24_form_step_t *step, b24_form_node_t **member)
{
    int               len;
    char              text[24];
    int64_t           n;
    b24_node_t      **slot;
    b24_form_node_t  *fn;

    if (step->append) {
        n = (owner->next == INT64_MIN) ? 0 : owner->next;
        len = snprintf(text, sizeof(text), "%lld", (long long) n);

        if (b24_pstrdup(form->pool, &step->key, (u_char *) text, (size_t) len)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    slot = b24_index_slot(&form->index, owner->id, &step->key);
    if (slot == NULL) {
        return B24_ERROR;
    }

    fn = (b24_form_node_t *) *slot;

    if (fn && !fn->dead) {
        *member = step->append ? NULL : fn;
        return B24_OK;
    }

    if (++form->nodes > B24_NODE_MAX) {
        return B24_DECLINED;
    }

    fn = b24_pcalloc(form->pool, sizeof(b24_form_node_t));
    if (fn == NULL) {
        return B24_ERROR;
    }

    fn->node.type = B24_STRING;
    fn->node.key = step->key;
    *slot = &fn->node;

    b24_node_append(&owner->node, &fn->node);

    if (b24_form_index(&step->key, &n) && n >= owner->next) {
        owner->next = (n < INT64_MAX) ? n + 1 : n;
    }

    *member = fn;

    return B24_OK;
}


/* the id is new, so that members it had before are not found any more */

static void
b24_form_object(b24_form_t *form, b24_form_node_t *fn)
{
    fn->node.type = B24_OBJECT;
    fn->node.value.len = 0;
    fn->node.value.data = NULL;
    fn->node.first = NULL;
    fn->node.last = NULL;
    fn->node.count = 0;

    fn->next = INT64_MIN;
    fn->id = form->objects++;
}


/* whether PHP takes the key for an integer: "5", "-5", not "05", "-0", "5.0" */

static int
b24_form_index(const b24_str_t *key, int64_t *n)
{
    u_char    minus;
    size_t    i;
    uint64_t  value, max;

    minus = (key->len && key->data[0] == '-');
    i = minus;

    if (key->len == i || key->len - i > 19
        || (key->data[i] == '0' && key->len > 1))
    {
        return 0;
    }

    value = 0;

    for ( /* void */ ; i < key->len; i++) {

        if (!b24_isdigit(key->data[i])) {
            return 0;
        }

        value = value * 10 + (uint64_t) (key->data[i] - '0');
    }

    max = (uint64_t) INT64_MAX + minus;

    if (value > max) {
        return 0;
    }

    *n = minus ? (int64_t) (0 - value) : (int64_t) value;

    return 1;
}


/* php_url_decode(): broken codes stay as they are */

static size_t
b24_form_decode(u_char *dst, const u_char *p, const u_char *end)
{
    u_char  *start;

    start = dst;

    while (p < end) {

        if (*p == '+') {
            *dst++ = ' ';
            p++;

        } else if (*p == '%' && end - p > 2
                   && b24_hex(p[1]) >= 0 && b24_hex(p[2]) >= 0)
        {
            *dst++ = (u_char) (b24_hex(p[1]) * 16 + b24_hex(p[2]));
            p += 3;

        } else {
            *dst++ = *p++;
        }
    }

    return (size_t) (dst - start);
}
