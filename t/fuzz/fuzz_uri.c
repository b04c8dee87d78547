
/*
 * Percent codes and request targets.
 *
 * Aims at: order/b24_uri.c
 */

#include "b24_text.h"

#include <stdlib.h>


#define CHECK(cond)  if (!(cond)) { abort(); }


static void
check_path(const b24_str_t *path)
{
    CHECK(path->len && path->data[0] == '/');
    CHECK(path->data[path->len] == '\0');
    CHECK(memchr(path->data, '\0', path->len) == NULL);

    CHECK(b24_str_find(path, 0, "//") == -1);
    CHECK(b24_str_find(path, 0, "/./") == -1);
    CHECK(b24_str_find(path, 0, "/../") == -1);
    CHECK(path->len < 2 || memcmp(path->data + path->len - 2, "/.", 2) != 0);
    CHECK(path->len < 3 || memcmp(path->data + path->len - 3, "/..", 3) != 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc;
    b24_str_t    src, d, path, args, again;
    b24_buf_t    out;
    b24_pool_t  *pool;

    pool = b24_pool_create(0);

    src.data = (u_char *) data;
    src.len = size;

    CHECK(b24_text_unescape(pool, &src, &d) == B24_OK);
    CHECK(d.len <= src.len);
    CHECK(b24_text_unescape_id(pool, &src, &again) == B24_OK);
    CHECK(again.len <= d.len);

    b24_buf_init(&out, pool);
    b24_text_escape(&out, &src);
    CHECK(b24_buf_str(&out, &d) == B24_OK);
    CHECK(b24_text_unescape(pool, &d, &again) == B24_OK);
    CHECK(b24_str_eq(&src, &again));

    rc = b24_text_target(pool, &src, &path, &args);
    CHECK(rc == B24_OK || rc == B24_DECLINED);

    if (rc == B24_OK) {
        check_path(&path);
        CHECK(args.len <= src.len);

        /* a path that is encoded again leads to the same place */

        b24_buf_init(&out, pool);
        b24_buf_addc(&out, '/');
        b24_text_escape(&out, &path);
        CHECK(b24_buf_str(&out, &d) == B24_OK);
        CHECK(b24_text_target(pool, &d, &again, &args) == B24_OK);
        CHECK(b24_str_eq(&path, &again) && args.len == 0);
    }

    b24_pool_destroy(pool);

    return 0;
}
