
/*
 * The pace as JSON.  What is read may be old, of another version or touched by
 * anybody: each number is kept in its bounds, and what makes no sense is left
 * out.
 */


#include "b24_pace_int.h"
#include "b24_decimal.h"


static void b24_pace_print_method(b24_buf_t *out,
    const b24_pace_method_t *m);
static void b24_pace_print_list(b24_buf_t *out, const char *name,
    const int64_t *list, int n);
static void b24_pace_print_int(b24_buf_t *out, const char *name, int64_t n);
static int b24_pace_parse_method(const b24_pace_t *pace,
    const b24_node_t *node, int whole, int64_t now, b24_pace_method_t *m);
static void b24_pace_parse_state(const b24_pace_t *pace,
    const b24_node_t *node, int64_t now, b24_pace_method_t *m);
static void b24_pace_parse_list(const b24_node_t *node, int64_t *list, int n,
    int64_t most);
static int64_t b24_pace_int(const b24_node_t *node, int64_t least,
    int64_t most, int64_t otherwise);


int
b24_pace_print(const b24_pace_t *pace, b24_pool_t *pool, int64_t now,
    b24_str_t *text)
{
    int                 more;
    unsigned            i;
    b24_buf_t           out;
    b24_pace_method_t   m;

    b24_buf_init(&out, pool);
    b24_buf_addc(&out, '{');
    b24_pace_print_int(&out, "window", pace->window);
    b24_buf_addc(&out, ',');
    b24_pace_print_int(&out, "buckets", pace->buckets);
    b24_buf_adds(&out, ",\"methods\":{");
    more = 0;

    for (i = 0; i < B24_PACE_METHODS; i++) {
        m = pace->methods[i];

        if (m.name[0] == '\0') {
            continue;
        }

        b24_pace_turn(pace, &m, now);

        if (more++) {
            b24_buf_addc(&out, ',');
        }

        b24_pace_print_method(&out, &m);
    }

    b24_buf_adds(&out, "}}");

    return b24_buf_str(&out, text);
}


static void
b24_pace_print_method(b24_buf_t *out, const b24_pace_method_t *m)
{
    b24_str_t  name;

    name.data = (u_char *) m->name;
    name.len = strlen(m->name);

    b24_json_string(out, &name);
    b24_buf_adds(out, ":{");
    b24_pace_print_int(out, "cost", m->cost);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "told", m->told);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "told_at", m->told_at);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "left", m->left);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "reset_at", m->reset_at);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "blocked", m->blocked);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "used", m->used);
    b24_buf_addc(out, ',');
    b24_pace_print_int(out, "slot", m->slot);
    b24_pace_print_list(out, "spent", m->spent, B24_PACE_BUCKETS + 1);
    b24_pace_print_list(out, "open", m->open, B24_PACE_OPEN);
    b24_buf_addc(out, '}');
}


static void
b24_pace_print_list(b24_buf_t *out, const char *name, const int64_t *list,
    int n)
{
    int  i;

    b24_buf_adds(out, ",\"");
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":");

    for (i = 0; i < n; i++) {
        b24_buf_addc(out, i ? ',' : '[');
        b24_buf_addi(out, list[i]);
    }

    b24_buf_addc(out, ']');
}


static void
b24_pace_print_int(b24_buf_t *out, const char *name, int64_t n)
{
    b24_buf_addc(out, '"');
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":");
    b24_buf_addi(out, n);
}


int
b24_pace_parse(b24_pace_t *pace, b24_pool_t *pool, int64_t now,
    const b24_str_t *text)
{
    int                rc, whole;
    unsigned           n;
    b24_node_t        *root;
    const b24_node_t  *node;

    rc = b24_json_parse(pool, text, 0, &root);
    if (rc != B24_OK) {
        return rc;
    }

    node = b24_member(root, "methods");

    if (node == NULL || (node->type != B24_OBJECT && node->type != B24_ARRAY)) {
        return B24_DECLINED;
    }

    whole = b24_pace_int(b24_member(root, "window"), 0, B24_PACE_MOST, 0)
            == pace->window
            && b24_pace_int(b24_member(root, "buckets"), 0, B24_PACE_BUCKETS,
                            0)
               == (int64_t) pace->buckets;

    n = 0;

    for (node = node->first; node && n < B24_PACE_METHODS; node = node->next) {

        if (b24_pace_parse_method(pace, node, whole, now, &pace->methods[n])
            == B24_OK)
        {
            n++;
        }
    }

    return B24_OK;
}


static int
b24_pace_parse_method(const b24_pace_t *pace, const b24_node_t *node,
    int whole, int64_t now, b24_pace_method_t *m)
{
    size_t   i;
    u_char   c;

    if (node->type != B24_OBJECT || node->key.len == 0
        || node->key.len >= B24_PACE_NAME)
    {
        return B24_DECLINED;
    }

    for (i = 0; i < node->key.len; i++) {
        c = node->key.data[i];

        if (c != '.' && !b24_isdigit(c) && (c < 'a' || c > 'z')) {
            return B24_DECLINED;
        }
    }

    memset(m, 0, sizeof(b24_pace_method_t));
    memcpy(m->name, node->key.data, node->key.len);

    m->told = -1;
    m->used = now;
    m->slot = now / b24_pace_width(pace);
    m->cost = b24_pace_int(b24_member(node, "cost"), 1, pace->window * 1000,
                           0);

    if (m->cost == 0) {
        memset(m, 0, sizeof(b24_pace_method_t));
        return B24_DECLINED;
    }

    if (whole) {
        b24_pace_parse_state(pace, node, now, m);
    }

    return B24_OK;
}


static void
b24_pace_parse_state(const b24_pace_t *pace, const b24_node_t *node,
    int64_t now, b24_pace_method_t *m)
{
    int64_t  most;

    most = 100 * pace->window;      /* of a sum: more is nonsense */

    m->told = b24_pace_int(b24_member(node, "told"), 0, most, -1);
    m->told_at = b24_pace_int(b24_member(node, "told_at"), 0, now, 0);
    m->left = b24_pace_int(b24_member(node, "left"), 0, most, 0);
    m->reset_at = b24_pace_int(b24_member(node, "reset_at"), 0,
                               now + 2 * pace->window, 0);
    m->blocked = b24_pace_int(b24_member(node, "blocked"), 0,
                              now + 2 * pace->window, 0);
    m->used = b24_pace_int(b24_member(node, "used"), 0, now, now);
    m->slot = b24_pace_int(b24_member(node, "slot"), 0, m->slot, m->slot);

    b24_pace_parse_list(b24_member(node, "spent"), m->spent,
                        (int) pace->buckets + 1, most);
    b24_pace_parse_list(b24_member(node, "open"), m->open, B24_PACE_OPEN,
                        most);

    b24_pace_turn(pace, m, now);
}


static void
b24_pace_parse_list(const b24_node_t *node, int64_t *list, int n,
    int64_t most)
{
    int  i;

    node = node ? node->first : NULL;

    for (i = 0; i < n && node; i++) {
        list[i] = b24_pace_int(node, 0, most, 0);
        node = node->next;
    }
}


static int64_t
b24_pace_int(const b24_node_t *node, int64_t least, int64_t most,
    int64_t otherwise)
{
    b24_str_t      text;
    b24_decimal_t  d;

    if (node == NULL || b24_node_text(node, &text) != B24_OK
        || b24_decimal_parse(&text, &d) != B24_OK
        || b24_decimal_round(&d, 0) != B24_OK
        || d.units < least || d.units > most)
    {
        return otherwise;
    }

    return d.units;
}
