
/* The patterns of a sieve, and the nodes they are made of. */


#include "b24_sieve_int.h"

#include <stdlib.h>


static int b24_sieve_begin(b24_sieve_t *sieve, unsigned bit,
    b24_sieve_part_t *part);
static int b24_sieve_pattern(b24_sieve_t *sieve, unsigned bit,
    const b24_str_t *pattern, int icase, b24_sieve_at_e at, int inner,
    b24_sieve_part_t *part);
static int b24_sieve_start(b24_sieve_t *sieve, unsigned bit, int rc,
    b24_sieve_part_t *part);
static int b24_sieve_bytes(b24_sieve_t *sieve, unsigned bit,
    const b24_str_t *text, int mangled, b24_sieve_part_t *part);
static int b24_sieve_word(b24_sieve_t *sieve, unsigned bit, const char *set,
    int not, b24_sieve_part_t *part);
static int b24_sieve_value(b24_sieve_t *sieve, unsigned bit,
    const b24_str_t *pattern, int icase, b24_sieve_part_t *part);


b24_sieve_t *
b24_sieve_create(b24_pool_t *pool)
{
    b24_sieve_t  *sieve;

    sieve = b24_pcalloc(pool, sizeof(b24_sieve_t));

    if (sieve) {
        sieve->pool = pool;
    }

    return sieve;
}


/* ---- patterns ---- */

int
b24_sieve_text(b24_sieve_t *sieve, unsigned bit, const b24_str_t *text,
    int prefix)
{
    int               rc;
    b24_sieve_part_t  part, more;

    rc = b24_sieve_begin(sieve, bit, &part);

    if (rc == B24_OK) {
        rc = b24_sieve_bytes(sieve, bit, text, 0, &more);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &part, &more);
    }

    if (rc == B24_OK && !prefix) {
        rc = b24_sieve_node(sieve, bit, B24_SIEVE_END, &more.in);
        more.out = more.in;

        if (rc == B24_OK) {
            b24_sieve_join(sieve, &part, &more);
        }
    }

    return b24_sieve_start(sieve, bit, rc, &part);
}


int
b24_sieve_regex(b24_sieve_t *sieve, unsigned bit, const b24_str_t *pattern,
    int icase)
{
    int               rc;
    b24_sieve_part_t  part;

    rc = b24_sieve_pattern(sieve, bit, pattern, icase, B24_SIEVE_AT_BEGIN, 0,
                           &part);

    return b24_sieve_start(sieve, bit, rc, &part);
}


/*
 * As the field may be written: KEY=VALUE; KEY followed by what makes it an
 * array or another name; with a name or a value that is encoded.
 */
int
b24_sieve_query(b24_sieve_t *sieve, unsigned bit, const b24_str_t *key,
    const b24_str_t *pattern, int icase)
{
    int               rc;
    b24_sieve_part_t  part, next, other;

    rc = b24_sieve_word(sieve, bit, "?&", 0, &part);

    if (rc == B24_OK) {
        rc = b24_sieve_bytes(sieve, bit, key, 1, &next);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &part, &next);
        rc = b24_sieve_word(sieve, bit, "=", 0, &next);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_value(sieve, bit, pattern, icase, &other);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &next, &other);
        rc = b24_sieve_word(sieve, bit, "=&", 1, &other);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_either(sieve, bit, &next, &other);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &part, &next);
    }

    rc = b24_sieve_start(sieve, bit, rc, &part);

    if (rc != B24_OK || (sieve->any & (1ULL << bit))) {
        return rc;
    }

    /* a name with "%41" in it, or blanks before it */

    sieve->loose |= 1ULL << bit;

    rc = b24_sieve_word(sieve, bit, "?&", 0, &part);

    if (rc == B24_OK) {
        rc = b24_sieve_word(sieve, bit, "=&", 1, &other);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_repeat(sieve, bit, &other);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_node(sieve, bit, B24_SIEVE_EMPTY, &next.in);
        next.out = next.in;
    }

    if (rc == B24_OK) {
        rc = b24_sieve_either(sieve, bit, &other, &next);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &part, &other);
        rc = b24_sieve_word(sieve, bit, "%+ ", 0, &other);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &part, &other);
    }

    return b24_sieve_start(sieve, bit, rc, &part);
}


/* a value in which the pattern is found, or which is encoded */
static int
b24_sieve_value(b24_sieve_t *sieve, unsigned bit, const b24_str_t *pattern,
    int icase, b24_sieve_part_t *part)
{
    int               rc;
    b24_sieve_part_t  first, later, other;

    if (pattern == NULL) {
        return b24_sieve_word(sieve, bit, "&#", 1, part);
    }

    /* [^&#]* and then the pattern, or a code */

    rc = b24_sieve_word(sieve, bit, "&#", 1, &later);

    if (rc == B24_OK) {
        rc = b24_sieve_repeat(sieve, bit, &later);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_pattern(sieve, bit, pattern, icase, B24_SIEVE_AT_NEVER,
                               1, &other);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_word(sieve, bit, "%+", 0, part);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_either(sieve, bit, part, &other);
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, &later, part);
        rc = b24_sieve_pattern(sieve, bit, pattern, icase, B24_SIEVE_AT_HERE,
                               1, &first);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_either(sieve, bit, &first, &later);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_word(sieve, bit, "%+", 0, &other);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_either(sieve, bit, &first, &other);
    }

    *part = first;

    return rc;
}


static int
b24_sieve_begin(b24_sieve_t *sieve, unsigned bit, b24_sieve_part_t *part)
{
    int  rc;

    part->in = 0;
    rc = b24_sieve_node(sieve, bit, B24_SIEVE_BEGIN, &part->in);
    part->out = part->in;

    return rc;
}


static int
b24_sieve_pattern(b24_sieve_t *sieve, unsigned bit, const b24_str_t *pattern,
    int icase, b24_sieve_at_e at, int inner, b24_sieve_part_t *part)
{
    int               rc;
    b24_sieve_read_t  read;

    memset(&read, 0, sizeof(b24_sieve_read_t));

    read.sieve = sieve;
    read.p = pattern->data;
    read.end = pattern->data + pattern->len;
    read.bit = bit;
    read.icase = icase;
    read.at = at;
    read.inner = inner ? 1 : 0;

    rc = b24_sieve_read(&read, part);

    if (read.loose || inner) {
        sieve->loose |= 1ULL << bit;
    }

    return rc;
}


/* a pattern is through */
static int
b24_sieve_start(b24_sieve_t *sieve, unsigned bit, int rc,
    b24_sieve_part_t *part)
{
    b24_sieve_part_t  match;

    sieve->bits |= 1ULL << bit;

    if (rc == B24_OK
        && sieve->nstarts == sizeof(sieve->starts) / sizeof(uint16_t))
    {
        rc = B24_DECLINED;
    }

    if (rc == B24_OK) {
        match.in = 0;
        rc = b24_sieve_node(sieve, bit, B24_SIEVE_MATCH, &match.in);
        match.out = match.in;
    }

    if (rc == B24_OK) {
        b24_sieve_join(sieve, part, &match);
        sieve->starts[sieve->nstarts++] = part->in;
    }

    if (rc == B24_DECLINED) {
        sieve->any |= 1ULL << bit;
        return B24_OK;
    }

    return rc;
}


/* mangled: PHP has "_" for some characters of a name */
static int
b24_sieve_bytes(b24_sieve_t *sieve, unsigned bit, const b24_str_t *text,
    int mangled, b24_sieve_part_t *part)
{
    int               rc;
    size_t            i;
    b24_sieve_set_t   set;
    b24_sieve_part_t  next;

    part->in = 0;
    rc = b24_sieve_node(sieve, bit, B24_SIEVE_EMPTY, &part->in);
    part->out = part->in;

    for (i = 0; rc == B24_OK && i < text->len; i++) {
        memset(&set, 0, sizeof(b24_sieve_set_t));
        b24_set_add(&set, text->data[i], text->data[i]);

        if (mangled && text->data[i] == '_') {
            b24_set_add(&set, '.', '.');
            b24_set_add(&set, '[', '[');
        }

        rc = b24_sieve_set(sieve, bit, &set, &next);

        if (rc == B24_OK) {
            b24_sieve_join(sieve, part, &next);
        }
    }

    return rc;
}


/* one byte that is, or is not, in the text */
static int
b24_sieve_word(b24_sieve_t *sieve, unsigned bit, const char *text, int not,
    b24_sieve_part_t *part)
{
    size_t           i;
    b24_sieve_set_t  set;

    memset(&set, 0, sizeof(b24_sieve_set_t));

    for ( /* void */ ; *text; text++) {
        b24_set_add(&set, (u_char) *text, (u_char) *text);
    }

    for (i = 0; not && i < 4; i++) {
        set.bits[i] = ~set.bits[i];
    }

    return b24_sieve_set(sieve, bit, &set, part);
}


int
b24_sieve_node(b24_sieve_t *sieve, unsigned bit, b24_sieve_e type,
    uint16_t *n)
{
    unsigned           want;
    b24_sieve_node_t  *nodes;

    if (sieve->nnodes == sieve->anodes) {
        want = sieve->anodes ? 2 * sieve->anodes : 256;

        if (want > B24_SIEVE_NODES) {
            return B24_DECLINED;
        }

        nodes = realloc(sieve->nodes, want * sizeof(b24_sieve_node_t));
        if (nodes == NULL) {
            return B24_ERROR;
        }

        sieve->nodes = nodes;
        sieve->anodes = want;
    }

    *n = (uint16_t) sieve->nnodes++;

    nodes = &sieve->nodes[*n];

    memset(nodes, 0, sizeof(b24_sieve_node_t));
    nodes->type = type;
    nodes->bit = bit;
    nodes->a = B24_SIEVE_NONE;
    nodes->b = B24_SIEVE_NONE;

    return B24_OK;
}


void
b24_sieve_join(b24_sieve_t *sieve, b24_sieve_part_t *first,
    const b24_sieve_part_t *second)
{
    sieve->nodes[first->out].a = second->in;
    first->out = second->out;
}


int
b24_sieve_either(b24_sieve_t *sieve, unsigned bit, b24_sieve_part_t *first,
    const b24_sieve_part_t *second)
{
    int       rc;
    uint16_t  in, out;

    rc = b24_sieve_node(sieve, bit, B24_SIEVE_SPLIT, &in);

    if (rc == B24_OK) {
        rc = b24_sieve_node(sieve, bit, B24_SIEVE_EMPTY, &out);
    }

    if (rc != B24_OK) {
        return rc;
    }

    sieve->nodes[in].a = first->in;
    sieve->nodes[in].b = second->in;
    sieve->nodes[first->out].a = out;
    sieve->nodes[second->out].a = out;

    first->in = in;
    first->out = out;

    return B24_OK;
}


/* once or more often */
int
b24_sieve_repeat(b24_sieve_t *sieve, unsigned bit, b24_sieve_part_t *part)
{
    int       rc;
    uint16_t  back, out;

    rc = b24_sieve_node(sieve, bit, B24_SIEVE_SPLIT, &back);

    if (rc == B24_OK) {
        rc = b24_sieve_node(sieve, bit, B24_SIEVE_EMPTY, &out);
    }

    if (rc != B24_OK) {
        return rc;
    }

    sieve->nodes[back].a = part->in;
    sieve->nodes[back].b = out;
    sieve->nodes[part->out].a = back;

    part->out = out;

    return B24_OK;
}


int
b24_sieve_set(b24_sieve_t *sieve, unsigned bit, const b24_sieve_set_t *set,
    b24_sieve_part_t *part)
{
    int       rc;
    uint16_t  out;

    rc = b24_sieve_node(sieve, bit, B24_SIEVE_SET, &part->in);

    if (rc == B24_OK) {
        rc = b24_sieve_node(sieve, bit, B24_SIEVE_EMPTY, &out);
    }

    if (rc == B24_OK) {
        sieve->nodes[part->in].set = *set;
        sieve->nodes[part->in].a = out;
        part->out = out;
    }

    return rc;
}


void
b24_set_add(b24_sieve_set_t *set, unsigned from, unsigned to)
{
    unsigned  c;

    for (c = from; c <= to; c++) {
        set->bits[c / 64] |= 1ULL << (c % 64);
    }
}


int
b24_set_has(const b24_sieve_set_t *set, unsigned c)
{
    return (int) ((set->bits[c / 64] >> (c % 64)) & 1);
}
