
/*
 * A regex of PCRE2, read as far as a sieve needs it.  What is only a
 * restriction (lookarounds, \b, atomic groups) is left out, which lets more
 * pass.  What could let it match more than is understood here ends the reading.
 */


#include "b24_sieve_int.h"


#define B24_SIEVE_TIMES  32         /* {N}: more is too much */
#define B24_SIEVE_DEPTH  32


static int b24_read_choice(b24_sieve_read_t *read, b24_sieve_part_t *part);
static int b24_read_row(b24_sieve_read_t *read, b24_sieve_part_t *part);
static int b24_read_times(b24_sieve_read_t *read, unsigned *least,
    unsigned *most);
static int b24_read_number(const u_char **p, const u_char *end, unsigned *n);
static int b24_read_copies(b24_sieve_read_t *read, const u_char *start,
    unsigned least, unsigned most, b24_sieve_part_t *part);
static int b24_read_atom(b24_sieve_read_t *read, b24_sieve_part_t *part);
static int b24_read_group(b24_sieve_read_t *read, b24_sieve_part_t *part);
static int b24_read_skip(b24_sieve_read_t *read, const char *text);
static int b24_read_assertion(b24_sieve_read_t *read, b24_sieve_e type,
    b24_sieve_part_t *part);
static int b24_read_escape(b24_sieve_read_t *read, b24_sieve_set_t *set);
static int b24_read_class(b24_sieve_read_t *read, b24_sieve_set_t *set);
static int b24_read_char(b24_sieve_read_t *read, const b24_sieve_set_t *set,
    b24_sieve_part_t *part);


int
b24_sieve_read(b24_sieve_read_t *read, b24_sieve_part_t *part)
{
    int  rc;

    read->depth = 0;

    rc = b24_read_choice(read, part);

    return rc == B24_OK && read->p < read->end ? B24_DECLINED : rc;
}


/* up to the pattern's end or the ")" of its group */
static int
b24_read_choice(b24_sieve_read_t *read, b24_sieve_part_t *part)
{
    int               rc;
    b24_sieve_part_t  other;

    if (++read->depth > B24_SIEVE_DEPTH) {
        return B24_DECLINED;
    }

    rc = b24_read_row(read, part);

    while (rc == B24_OK && read->p < read->end && *read->p == '|') {
        read->p++;

        rc = b24_read_row(read, &other);

        if (rc == B24_OK) {
            rc = b24_sieve_either(read->sieve, read->bit, part, &other);
        }
    }

    read->depth--;

    return rc;
}


static int
b24_read_row(b24_sieve_read_t *read, b24_sieve_part_t *part)
{
    int                rc;
    unsigned           least, most;
    const u_char      *start, *after;
    b24_sieve_part_t   atom;

    rc = b24_sieve_node(read->sieve, read->bit, B24_SIEVE_EMPTY, &part->in);
    part->out = part->in;

    while (rc == B24_OK && read->p < read->end && *read->p != '|'
           && *read->p != ')')
    {
        start = read->p;

        rc = b24_read_atom(read, &atom);

        if (rc != B24_OK) {
            break;
        }

        rc = b24_read_times(read, &least, &most);

        if (rc == B24_OK && (least != 1 || most != 1)) {
            after = read->p;
            rc = b24_read_copies(read, start, least, most, &atom);
            read->p = after;
        }

        if (rc == B24_OK) {
            b24_sieve_join(read->sieve, part, &atom);
        }
    }

    return rc;
}


/* most 0: any number */
static int
b24_read_times(b24_sieve_read_t *read, unsigned *least, unsigned *most)
{
    const u_char  *p;

    *least = 1;
    *most = 1;

    if (read->p == read->end) {
        return B24_OK;
    }

    p = read->p;

    switch (*p++) {

    case '*':
        *least = 0;
        *most = 0;
        break;

    case '+':
        *most = 0;
        break;

    case '?':
        *least = 0;
        break;

    case '{':

        if (!b24_read_number(&p, read->end, least)) {
            *least = 1;

            /* a character, which comes next; to newer versions of PCRE2
             * "{,3}" is none */

            return p < read->end && (*p == ',' || b24_isspace(*p))
                   ? B24_DECLINED : B24_OK;
        }

        *most = *least;

        if (p < read->end && *p == ',') {
            p++;

            if (!b24_read_number(&p, read->end, most)) {
                *most = 0;

            } else if (*most == 0) {
                return B24_DECLINED;
            }
        }

        if (p == read->end || *p++ != '}' || *least > B24_SIEVE_TIMES
            || *most > B24_SIEVE_TIMES || (*most && *most < *least)
            || (*most == 0 && *least == 0 && p[-2] == '0'))
        {
            return B24_DECLINED;
        }

        break;

    default:
        return B24_OK;
    }

    /* lazy, or never given back */

    if (p < read->end && (*p == '?' || *p == '+')) {
        read->loose |= (*p == '+');
        p++;
    }

    read->p = p;

    return B24_OK;
}


static int
b24_read_number(const u_char **p, const u_char *end, unsigned *n)
{
    const u_char  *s;

    s = *p;
    *n = 0;

    for ( /* void */ ; *p < end && b24_isdigit(**p) && *n < 10000; (*p)++) {
        *n = *n * 10 + (unsigned) (**p - '0');
    }

    return *p > s;
}


/* the atom has been read once */
static int
b24_read_copies(b24_sieve_read_t *read, const u_char *start, unsigned least,
    unsigned most, b24_sieve_part_t *part)
{
    int               rc;
    unsigned          n;
    b24_sieve_part_t  copy, empty;

    rc = b24_sieve_node(read->sieve, read->bit, B24_SIEVE_EMPTY, &empty.in);
    empty.out = empty.in;

    if (rc == B24_OK && least == 0) {
        rc = b24_sieve_either(read->sieve, read->bit, part, &empty);
    }

    if (rc == B24_OK && most == 0 && least <= 1) {
        return b24_sieve_repeat(read->sieve, read->bit, part);
    }

    for (n = 2; rc == B24_OK && n <= (most ? most : least); n++) {
        read->p = start;

        rc = b24_read_atom(read, &copy);

        if (rc == B24_OK && n > least) {
            rc = b24_sieve_node(read->sieve, read->bit, B24_SIEVE_EMPTY,
                                &empty.in);
            empty.out = empty.in;

            if (rc == B24_OK) {
                rc = b24_sieve_either(read->sieve, read->bit, &copy, &empty);
            }
        }

        if (rc == B24_OK && most == 0 && n == least) {
            rc = b24_sieve_repeat(read->sieve, read->bit, &copy);
        }

        if (rc == B24_OK) {
            b24_sieve_join(read->sieve, part, &copy);
        }
    }

    return rc;
}


static int
b24_read_atom(b24_sieve_read_t *read, b24_sieve_part_t *part)
{
    int              rc;
    u_char           c;
    b24_sieve_set_t  set;

    memset(&set, 0, sizeof(b24_sieve_set_t));

    c = *read->p++;

    switch (c) {

    case '(':
        return b24_read_group(read, part);

    case '^':
        return b24_read_assertion(read, read->at == B24_SIEVE_AT_BEGIN
                                        ? B24_SIEVE_BEGIN
                                        : read->at == B24_SIEVE_AT_HERE
                                        ? B24_SIEVE_EMPTY : B24_SIEVE_FAIL,
                                  part);

    case '$':
        return b24_read_assertion(read, read->inner ? B24_SIEVE_EMPTY
                                                    : B24_SIEVE_END, part);

    case '*':
    case '+':
    case '?':
        return B24_DECLINED;

    case '.':
        b24_set_add(&set, 0, 255);
        break;

    case '[':
        rc = b24_read_class(read, &set);
        if (rc != B24_OK) {
            return rc;
        }

        break;

    case '\\':
        if (read->p < read->end && (*read->p == 'b' || *read->p == 'B')) {
            read->p++;
            read->loose = 1;
            return b24_read_assertion(read, B24_SIEVE_EMPTY, part);
        }

        rc = b24_read_escape(read, &set);
        if (rc != B24_OK) {
            return rc;
        }

        break;

    default:

        if (c >= 0x80) {

            /* any character, or several, that aren't ASCII */

            read->loose = 1;
            b24_set_add(&set, 0x80, 0xff);

            while (read->p < read->end && (*read->p & 0xc0) == 0x80) {
                read->p++;
            }

            break;
        }

        b24_set_add(&set, c, c);
    }

    return b24_read_char(read, &set, part);
}


static int
b24_read_group(b24_sieve_read_t *read, b24_sieve_part_t *part)
{
    int  rc, around;

    around = 0;

    if (b24_read_skip(read, "?=") || b24_read_skip(read, "?!")
        || b24_read_skip(read, "?<=") || b24_read_skip(read, "?<!"))
    {
        around = 1;

    } else if (b24_read_skip(read, "?>")) {
        read->loose = 1;

    } else if (b24_read_skip(read, "?<") || b24_read_skip(read, "?P<")) {

        while (read->p < read->end && *read->p++ != '>') {
            /* void */
        }

    } else if (!b24_read_skip(read, "?:")
               && (b24_read_skip(read, "?") || b24_read_skip(read, "*")))
    {
        return B24_DECLINED;
    }

    rc = b24_read_choice(read, part);

    if (rc != B24_OK) {
        return rc;
    }

    if (read->p == read->end || *read->p++ != ')') {
        return B24_DECLINED;
    }

    if (around) {
        read->loose = 1;
        return b24_read_assertion(read, B24_SIEVE_EMPTY, part);
    }

    return B24_OK;
}


static int
b24_read_skip(b24_sieve_read_t *read, const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (read->end - read->p) < len
        || memcmp(read->p, text, len) != 0)
    {
        return 0;
    }

    read->p += len;

    return 1;
}


static int
b24_read_assertion(b24_sieve_read_t *read, b24_sieve_e type,
    b24_sieve_part_t *part)
{
    int               rc;
    b24_sieve_part_t  empty;

    rc = b24_sieve_node(read->sieve, read->bit, type, &part->in);
    part->out = part->in;

    if (rc != B24_OK || type == B24_SIEVE_EMPTY) {
        return rc;
    }

    rc = b24_sieve_node(read->sieve, read->bit, B24_SIEVE_EMPTY, &empty.in);
    empty.out = empty.in;

    if (rc == B24_OK) {
        b24_sieve_join(read->sieve, part, &empty);
    }

    return rc;
}


/* what follows a "\", in and out of classes */
static int
b24_read_escape(b24_sieve_read_t *read, b24_sieve_set_t *set)
{
    int              hi, lo, no;
    size_t           i;
    u_char           c;
    b24_sieve_set_t  some;

    memset(&some, 0, sizeof(b24_sieve_set_t));

    if (read->p == read->end) {
        return B24_DECLINED;
    }

    c = *read->p++;
    no = (c == 'D' || c == 'W' || c == 'S');

    switch (c) {

    case 'w':
    case 'W':
        b24_set_add(&some, 'a', 'z');
        b24_set_add(&some, 'A', 'Z');
        b24_set_add(&some, '_', '_');

        /* fall through */

    case 'd':
    case 'D':
        b24_set_add(&some, '0', '9');
        break;

    case 's':
    case 'S':
        b24_set_add(&some, '\t', '\r');
        b24_set_add(&some, ' ', ' ');
        break;

    case 't':
        b24_set_add(&some, '\t', '\t');
        break;

    case 'n':
        b24_set_add(&some, '\n', '\n');
        break;

    case 'r':
        b24_set_add(&some, '\r', '\r');
        break;

    case 'x':
        hi = read->end - read->p >= 2 ? b24_hex(read->p[0]) : -1;
        lo = read->end - read->p >= 2 ? b24_hex(read->p[1]) : -1;

        if (hi == -1 || lo == -1 || hi > 7) {
            return B24_DECLINED;
        }

        read->p += 2;
        b24_set_add(&some, (unsigned) (hi << 4 | lo),
                    (unsigned) (hi << 4 | lo));
        break;

    default:

        if (c >= 0x80 || b24_isdigit(c)
            || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z'))
        {
            return B24_DECLINED;
        }

        b24_set_add(&some, c, c);
    }

    for (i = 0; i < 4; i++) {
        set->bits[i] |= no ? ~some.bits[i] : some.bits[i];
    }

    return B24_OK;
}


static int
b24_read_class(b24_sieve_read_t *read, b24_sieve_set_t *set)
{
    int              rc, not, first;
    u_char           c, to;
    size_t           i;
    b24_sieve_set_t  one;

    not = b24_read_skip(read, "^");

    for (first = 1; /* void */ ; first = 0) {

        if (read->p == read->end) {
            return B24_DECLINED;
        }

        c = *read->p++;

        if (c == ']' && !first) {
            break;
        }

        if (c == '[' && read->p < read->end
            && (*read->p == ':' || *read->p == '.' || *read->p == '='))
        {
            return B24_DECLINED;
        }

        if (c == '\\') {
            memset(&one, 0, sizeof(b24_sieve_set_t));

            /* there \b is a backspace, and \Q or \E may stand anywhere */

            rc = b24_read_escape(read, &one);

            if (rc != B24_OK) {
                return rc;
            }

            /* the beginning of a range is more than is read here */

            if (read->end - read->p >= 2 && read->p[0] == '-'
                && read->p[1] != ']')
            {
                return B24_DECLINED;
            }

            for (i = 0; i < 4; i++) {
                set->bits[i] |= one.bits[i];
            }

            continue;
        }

        to = c;

        if (read->end - read->p >= 2 && read->p[0] == '-'
            && read->p[1] != ']')
        {
            to = read->p[1];
            read->p += 2;
        }

        if (c >= 0x80 || to >= 0x80) {
            read->loose = 1;
            b24_set_add(set, 0x80, 0xff);

            if (not) {
                return B24_DECLINED;
            }

            if (c >= 0x80) {
                continue;
            }

            b24_set_add(set, c, 0x7f);
            continue;
        }

        if (to == '\\' || to < c) {
            return B24_DECLINED;
        }

        b24_set_add(set, c, to);
    }

    if (read->icase) {

        for (c = 'a'; c <= (u_char) 'z'; c++) {

            if (b24_set_has(set, c) || b24_set_has(set, c - 32U)) {
                b24_set_add(set, c, c);
                b24_set_add(set, c - 32U, c - 32U);
            }
        }
    }

    for (i = 0; not && i < 4; i++) {
        set->bits[i] = ~set->bits[i];
    }

    if (not) {

        /* above ASCII "no K" leaves much that is left */

        b24_set_add(set, 0x80, 0xff);
    }

    return B24_OK;
}


/*
 * One character of the set.  Those above ASCII are several bytes, and with
 * "~*" two of them are a "k" or an "s" in another case.
 */
static int
b24_read_char(b24_sieve_read_t *read, const b24_sieve_set_t *set,
    b24_sieve_part_t *part)
{
    int               rc;
    u_char            c;
    b24_sieve_set_t   all, high;
    b24_sieve_part_t  more, empty;

    all = *set;

    if (read->icase) {

        for (c = 'a'; c <= (u_char) 'z'; c++) {

            if (b24_set_has(set, c) || b24_set_has(set, c - 32U)) {
                b24_set_add(&all, c, c);
                b24_set_add(&all, c - 32U, c - 32U);

                if (c == 'k' || c == 's') {
                    b24_set_add(&all, 0x80, 0xff);
                }
            }
        }
    }

    rc = b24_sieve_set(read->sieve, read->bit, &all, part);

    if (rc != B24_OK || !b24_set_has(&all, 0x80)) {
        return rc;
    }

    memset(&high, 0, sizeof(b24_sieve_set_t));
    b24_set_add(&high, 0x80, 0xff);

    rc = b24_sieve_set(read->sieve, read->bit, &high, &more);

    if (rc == B24_OK) {
        rc = b24_sieve_node(read->sieve, read->bit, B24_SIEVE_EMPTY,
                            &empty.in);
        empty.out = empty.in;
    }

    if (rc == B24_OK) {
        rc = b24_sieve_either(read->sieve, read->bit, &more, &empty);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_repeat(read->sieve, read->bit, &more);
    }

    if (rc == B24_OK) {
        b24_sieve_join(read->sieve, part, &more);
    }

    return rc;
}
