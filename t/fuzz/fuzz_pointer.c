
/*
 * Pointers: the first line is one, then the JSON it goes into.
 * After a byte 1 the input is a plan of both (fuzz.h).
 *
 * At most: 16384
 * Aims at: order/b24_pointer.c
 */


#include "fuzz.h"
#include "b24_node.h"



static const char *const  steps[] = {
    "/a", "/b", "/0", "/1", "/[last]", "/[a=b]", "/[a=%{n}]", "/%{name}",
    "/~0", "/~1", "/", "/[*]", "/a~1b", "/-", "/[b=]", "[", "/%{", "/[IS_A=Y]",
    "/[a_*]", "/00", "/\xd0\x98"
};

static const char *const  names[] = {
    "a", "b", "name", "0", "~", "/", "a/b", "IS_A", "\xd0\x98", ""
};

static const char *const  values[] = {
    "1", "\"b\"", "\"n\"", "null", "\"{\\\"a\\\":[1,2]}\"", "\"a=1&b[]=2\"", "[]",
    "\"Y\"", "{}", "\"[1,{\\\"b\\\":3}]\"", "\"\""
};


static void
grown(b24_pool_t *pool, const uint8_t *data, size_t size, b24_str_t *pointer,
    b24_str_t *text)
{
    fuzz_t     f;
    b24_buf_t  buf;

    f.p = data;
    f.end = data + size;
    f.pool = pool;

    *pointer = fuzz_pieces(&f, steps, sizeof(steps) / sizeof(steps[0]), 6);

    b24_buf_init(&buf, pool);
    fuzz_json(&f, &buf, names, sizeof(names) / sizeof(names[0]), values,
              sizeof(values) / sizeof(values[0]), 6);

    ABORT_UNLESS(b24_buf_str(&buf, text) == B24_OK);
}


static int
learned(void *data, const b24_str_t *name, b24_str_t *value)
{
    (void) data;

    *value = *name;

    return name->len > 1;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             rc;
    u_char         *lf;
    b24_str_t       pointer, text;
    const char     *err;
    b24_node_t     *root, *node;
    b24_pool_t     *pool;
    b24_walk_t      walk;
    b24_pointer_t   ptr;

    lf = size ? memchr(data, '\n', size) : NULL;
    if (lf == NULL && (size == 0 || data[0] != 1)) {
        return 0;
    }

    pool = b24_pool_create(1 << 22);

    if (data[0] == 1) {
        grown(pool, data + 1, size - 1, &pointer, &text);

    } else {
        pointer.data = (u_char *) data;
        pointer.len = (size_t) (lf - data);

        text.data = lf + 1;
        text.len = size - pointer.len - 1;
    }
    err = NULL;

    rc = b24_pointer_compile(pool, &pointer, &ptr, &err);

    if (rc == B24_DECLINED && err == NULL) {
        abort();
    }

    if (rc == B24_OK && b24_json_parse(pool, &text, 0, &root) == B24_OK) {
        memset(&walk, 0, sizeof(b24_walk_t));
        walk.pool = pool;
        walk.learned = learned;

        rc = b24_pointer_get(&walk, &ptr, root, &node);

        if (ptr.steps == NULL && (rc != B24_OK || node != root)) {
            abort();
        }

        if (rc == B24_OK) {
            (void) b24_node_empty(node);
        }
    }

    b24_pool_destroy(pool);

    return 0;
}
