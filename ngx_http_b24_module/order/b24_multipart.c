
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "b24_tree.h"


/* RFC 2046 allows 70 characters */
#define B24_BOUNDARY_MAX  256


typedef struct {
    b24_pool_t    *pool;
    const u_char  *p;
    const u_char  *end;
    u_char         delimiter[B24_BOUNDARY_MAX + 3];     /* "\n--BOUNDARY" */
    size_t         len;
    b24_form_t     form;
} b24_multipart_t;


static int b24_multipart_boundary(b24_multipart_t *mp,
    const b24_str_t *content_type);
static int b24_multipart_parts(b24_multipart_t *mp);
static int b24_multipart_at(b24_multipart_t *mp);
static int b24_multipart_line(b24_multipart_t *mp);
static int b24_multipart_head(b24_multipart_t *mp, b24_str_t *disposition);
static void b24_multipart_header(const b24_str_t *line,
    b24_str_t *disposition);
static int b24_multipart_field(b24_multipart_t *mp,
    const b24_str_t *disposition, const b24_str_t *value);
static void b24_multipart_unescape(b24_str_t *name);


int
b24_multipart_parse(b24_pool_t *pool, const b24_str_t *content_type,
    const b24_str_t *body, b24_node_t **root)
{
    int              rc;
    b24_multipart_t  mp;

    if (body->len == 0) {
        return B24_DECLINED;
    }

    mp.pool = pool;
    mp.p = body->data;
    mp.end = body->data + body->len;

    rc = b24_multipart_boundary(&mp, content_type);
    if (rc != B24_OK) {
        return rc;
    }

    rc = b24_form_init(&mp.form, pool);

    if (rc == B24_OK) {
        rc = b24_multipart_parts(&mp);
    }

    b24_form_done(&mp.form, rc == B24_OK ? root : NULL);

    return rc;
}


static int
b24_multipart_boundary(b24_multipart_t *mp, const b24_str_t *content_type)
{
    int        rc;
    b24_str_t  type, boundary;

    b24_header_value(content_type, &type);

    if (!b24_str_caseeqs(&type, "multipart/form-data")) {
        return B24_DECLINED;
    }

    rc = b24_header_param(mp->pool, content_type, "boundary", &boundary);
    if (rc != B24_OK) {
        return rc;
    }

    if (boundary.len == 0 || boundary.len > B24_BOUNDARY_MAX) {
        return B24_DECLINED;
    }

    memcpy(mp->delimiter, "\n--", 3);
    memcpy(mp->delimiter + 3, boundary.data, boundary.len);
    mp->len = boundary.len + 3;

    return B24_OK;
}


static int
b24_multipart_parts(b24_multipart_t *mp)
{
    int            rc;
    b24_str_t      disposition, value;
    const u_char  *start, *stop;

    /* the first delimiter needs no line before it */

    if (!b24_multipart_at(mp)) {
        mp->p = memmem(mp->p, (size_t) (mp->end - mp->p), mp->delimiter,
                       mp->len);
        if (mp->p == NULL) {
            return B24_DECLINED;
        }

        mp->p += mp->len;
    }

    for ( ;; ) {
        rc = b24_multipart_line(mp);
        if (rc <= 0) {
            return rc;
        }

        rc = b24_multipart_head(mp, &disposition);

        if (rc > 0) {
            continue;
        }

        if (rc != B24_OK) {
            return rc;
        }

        start = mp->p;

        stop = memmem(start, (size_t) (mp->end - start), mp->delimiter,
                      mp->len);
        if (stop == NULL) {
            return B24_DECLINED;
        }

        mp->p = stop + mp->len;

        /* the line end before a delimiter belongs to it */

        if (stop > start && stop[-1] == '\r') {
            stop--;
        }

        value.data = (u_char *) start;
        value.len = (size_t) (stop - start);

        rc = b24_multipart_field(mp, &disposition, &value);
        if (rc != B24_OK) {
            return rc;
        }
    }
}


/* steps over a delimiter at the beginning of a line */

static int
b24_multipart_at(b24_multipart_t *mp)
{
    size_t  len;

    len = mp->len - 1;

    if ((size_t) (mp->end - mp->p) < len
        || memcmp(mp->p, mp->delimiter + 1, len) != 0)
    {
        return 0;
    }

    mp->p += len;

    return 1;
}


/*
 * The rest of a delimiter's line.  1: a part follows; 0: that was the end.
 * A line that merely begins like a delimiter ends a part, but PHP then skips
 * everything up to a true one.
 */

static int
b24_multipart_line(b24_multipart_t *mp)
{
    const u_char  *p;

    for ( ;; ) {
        p = mp->p;

        if (mp->end - p >= 2 && p[0] == '-' && p[1] == '-') {
            return B24_OK;
        }

        if (p < mp->end && *p == '\r') {
            p++;
        }

        if (p < mp->end && *p == '\n') {
            mp->p = p + 1;
            return 1;
        }

        p = memmem(mp->p, (size_t) (mp->end - mp->p), mp->delimiter, mp->len);
        if (p == NULL) {
            return B24_DECLINED;
        }

        mp->p = p + mp->len;
    }
}


/*
 * Up to the empty line; folded lines belong to the header before them.
 * 1: there is none, the next delimiter comes at once.
 */

static int
b24_multipart_head(b24_multipart_t *mp, b24_str_t *disposition)
{
    b24_str_t      line, header;
    const u_char  *lf;

    disposition->len = 0;
    disposition->data = NULL;

    header.len = 0;
    header.data = NULL;

    for ( ;; ) {

        if (b24_multipart_at(mp)) {
            return 1;
        }

        lf = memchr(mp->p, '\n', (size_t) (mp->end - mp->p));
        if (lf == NULL) {
            return B24_DECLINED;
        }

        line.data = (u_char *) mp->p;
        line.len = (size_t) (lf - mp->p);

        if (line.len && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        mp->p = lf + 1;

        if (line.len && header.len
            && (line.data[0] == ' ' || line.data[0] == '\t'))
        {
            header.len = (size_t) (line.data + line.len - header.data);
            continue;
        }

        b24_multipart_header(&header, disposition);

        if (line.len == 0) {
            return B24_OK;
        }

        header = line;
    }
}


static void
b24_multipart_header(const b24_str_t *line, b24_str_t *disposition)
{
    u_char     *colon;
    b24_str_t   name;

    colon = line->len ? memchr(line->data, ':', line->len) : NULL;
    if (colon == NULL) {
        return;
    }

    name.data = line->data;
    name.len = (size_t) (colon - line->data);
    b24_str_trim(&name);

    if (b24_str_caseeqs(&name, "Content-Disposition")) {
        disposition->data = colon + 1;
        disposition->len = line->len - (size_t) (colon + 1 - line->data);
    }
}


static int
b24_multipart_field(b24_multipart_t *mp, const b24_str_t *disposition,
    const b24_str_t *value)
{
    int        rc;
    b24_str_t  name, file;

    rc = b24_header_param(mp->pool, disposition, "filename", &file);

    if (rc == B24_DECLINED) {
        rc = b24_header_param(mp->pool, disposition, "filename*", &file);
    }

    if (rc != B24_DECLINED) {
        return rc;                              /* a file, or no memory */
    }

    rc = b24_header_param(mp->pool, disposition, "name", &name);

    if (rc != B24_OK) {
        return (rc == B24_DECLINED) ? B24_OK : rc;
    }

    b24_multipart_unescape(&name);

    return b24_form_add(&mp->form, &name, value);
}


/* browsers write these three with percent codes, and no others (HTML,
 * "multipart/form-data encoding algorithm") */

static void
b24_multipart_unescape(b24_str_t *name)
{
    size_t  i, len, n;

    static const struct {
        char    code[4];
        u_char  c;
    } codes[] = {
        { "%22", '"' },
        { "%0D", '\r' },
        { "%0A", '\n' }
    };

    len = 0;

    for (i = 0; i < name->len; i++) {

        name->data[len] = name->data[i];

        for (n = 0; n < 3 && name->len - i >= 3; n++) {

            if (memcmp(name->data + i, codes[n].code, 3) == 0) {
                name->data[len] = codes[n].c;
                i += 2;
                break;
            }
        }

        len++;
    }

    name->len = len;
}
