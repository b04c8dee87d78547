
#include "b24_text.h"


static size_t b24_uri_decode(u_char *dst, const u_char *src, size_t len,
    size_t *broken);
static int b24_uri_split(const b24_str_t *target, b24_str_t *path,
    b24_str_t *args);
static int b24_uri_plain(const b24_str_t *path);
static int b24_uri_resolve(b24_str_t *path);


int
b24_text_unescape(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst)
{
    size_t   broken;
    u_char  *p;

    p = b24_pnalloc(pool, src->len + 1);
    if (p == NULL) {
        return B24_ERROR;
    }

    dst->len = b24_uri_decode(p, src->data, src->len, &broken);
    dst->data = p;

    p[dst->len] = '\0';

    return B24_OK;
}


int
b24_text_unescape_id(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst)
{
    size_t  broken;

    if (b24_text_unescape(pool, src, dst) != B24_OK) {
        return B24_ERROR;
    }

    /* "57%252F2026": a number encoded for a link inside a link */

    dst->len = b24_uri_decode(dst->data, dst->data, dst->len, &broken);
    dst->data[dst->len] = '\0';

    return B24_OK;
}


void
b24_text_escape(b24_buf_t *out, const b24_str_t *src)
{
    u_char              c, code[3];
    size_t              i;
    static const char   hex[] = "0123456789ABCDEF";

    code[0] = '%';

    for (i = 0; i < src->len; i++) {
        c = src->data[i];

        if (b24_isdigit(c) || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z')
            || c == '-' || c == '.' || c == '_' || c == '~')
        {
            b24_buf_addc(out, c);
            continue;
        }

        code[1] = (u_char) hex[c >> 4];
        code[2] = (u_char) hex[c & 0xf];
        b24_buf_add(out, code, sizeof(code));
    }
}


int
b24_text_target(b24_pool_t *pool, const b24_str_t *target, b24_str_t *path,
    b24_str_t *args)
{
    size_t   broken;
    u_char  *start;

    switch (b24_uri_split(target, path, args)) {

    case B24_OK:
        return b24_pstrdup(pool, path, path->data, path->len);

    case B24_DECLINED:
        return B24_DECLINED;

    default:
        break;
    }

    start = b24_pnalloc(pool, path->len + 2);
    if (start == NULL) {
        return B24_ERROR;
    }

    path->len = b24_uri_decode(start, path->data, path->len, &broken);
    path->data = start;

    if (broken || (path->len && memchr(start, '\0', path->len))) {
        return B24_DECLINED;
    }

    return b24_uri_resolve(path);
}


/* *path points into target; ERROR: something of it is to be decoded, merged or
 * resolved */
static int
b24_uri_split(const b24_str_t *target, b24_str_t *path, b24_str_t *args)
{
    ssize_t        n;
    b24_str_t      s;
    const u_char  *p;

    s = *target;
    args->data = NULL;
    args->len = 0;

    p = s.len ? memchr(s.data, '#', s.len) : NULL;
    if (p) {
        s.len = (size_t) (p - s.data);
    }

    p = s.len ? memchr(s.data, '?', s.len) : NULL;
    if (p) {
        args->data = (u_char *) p + 1;
        args->len = s.len - (size_t) (p + 1 - s.data);
        s.len = (size_t) (p - s.data);
    }

    if (s.len == 0) {
        return B24_DECLINED;
    }

    if (s.data[0] != '/') {                 /* http://host/path */
        n = b24_str_find(&s, 0, "://");

        if (n < 1) {
            return B24_DECLINED;
        }

        n = b24_str_find(&s, (size_t) n + 3, "/");

        s.data += (n == -1) ? s.len : (size_t) n;
        s.len -= (n == -1) ? s.len : (size_t) n;
    }

    *path = s;

    return b24_uri_plain(&s) ? B24_OK : B24_ERROR;
}


/* nothing is to be decoded, merged or resolved */
static int
b24_uri_plain(const b24_str_t *path)
{
    const u_char  *p, *end;

    if (path->len == 0 || memchr(path->data, '%', path->len)
        || memchr(path->data, '\0', path->len))
    {
        return 0;
    }

    p = path->data;
    end = p + path->len;

    while ((p = memchr(p, '/', (size_t) (end - p))) != NULL) {

        if (++p == end) {
            return 1;
        }

        if (*p == '/' || *p == '.') {
            return 0;
        }
    }

    return 1;
}


/* dst may be src; nothing is written beyond len bytes */
static size_t
b24_uri_decode(u_char *dst, const u_char *src, size_t len, size_t *broken)
{
    int      hi, lo;
    size_t   i;
    u_char  *d;

    *broken = 0;
    d = dst;

    for (i = 0; i < len; i++) {

        if (src[i] != '%') {
            *d++ = src[i];
            continue;
        }

        hi = (len - i > 2) ? b24_hex(src[i + 1]) : -1;
        lo = (len - i > 2) ? b24_hex(src[i + 2]) : -1;

        if (hi == -1 || lo == -1) {
            (*broken)++;
            *d++ = '%';
            continue;
        }

        *d++ = (u_char) (hi << 4 | lo);
        i += 2;
    }

    return (size_t) (d - dst);
}


/* in place: "//" merged, "." and ".." resolved; room for one more byte and a
 * zero is there */
static int
b24_uri_resolve(b24_str_t *path)
{
    size_t   len;
    u_char  *p, *u, *end, *seg;

    p = path->data;
    u = p;
    end = p + path->len;

    while (p < end) {

        while (p < end && *p == '/') {
            p++;
        }

        seg = p;

        while (p < end && *p != '/') {
            p++;
        }

        len = (size_t) (p - seg);

        if (len == 2 && seg[0] == '.' && seg[1] == '.') {

            if (u == path->data) {
                return B24_DECLINED;
            }

            do {
                u--;
            } while (*u != '/');

            len = 0;

        } else if (len == 1 && seg[0] == '.') {
            len = 0;
        }

        if (len) {
            *u++ = '/';
            memmove(u, seg, len);
            u += len;

        } else if (p == end) {
            *u++ = '/';                     /* "/a/", "/a/.", "/a/b/.." */
        }
    }

    if (u == path->data) {
        *u++ = '/';
    }

    *u = '\0';
    path->len = (size_t) (u - path->data);

    return B24_OK;
}
