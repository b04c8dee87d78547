
/*
 * The patterns' automata become one table by the subset construction: each of
 * its rows is a set of nodes that can be reached by the same bytes.  Bytes that
 * no pattern tells apart share a column.  When the table gets too large the
 * patterns are parted among two tables.
 */


#include "b24_sieve_int.h"
#include "b24_text.h"

#include <stdlib.h>


#define B24_SIEVE_CELLS   32768     /* of a table; an offset has 16 bits */
#define B24_SIEVE_HASH    1024      /* a power of two */
#define B24_SIEVE_MIX     0x9e3779b97f4a7c15ULL
#define B24_SIEVE_EACH    0x0101010101010101ULL


/* a row as it is made */
typedef struct b24_row_s  b24_row_t;

struct b24_row_s {
    b24_row_t          *same;       /* of the same hash */
    uint64_t            found;
    uint64_t            ends;
    uint64_t            line;       /* matched if it ends, by a "\n" before */
    unsigned            number;
    unsigned            n;
    uint16_t            nodes[];
};


/* what can be had from a node without a byte */
typedef struct {
    uint64_t            found;
    uint64_t            ends;
    unsigned            n;
    uint16_t            nodes[];
} b24_reach_t;


typedef struct {
    b24_sieve_t        *sieve;
    uint64_t            bits;
    b24_pool_t         *pool;       /* goes with the rows */
    b24_sieve_table_t  *table;
    unsigned            most;       /* rows */
    b24_row_t         **rows;
    b24_row_t          *hash[B24_SIEVE_HASH];

    b24_reach_t       **reach;      /* by node, made as they are needed */
    b24_reach_t        *starts;     /* of all starts, in the text's midst */

    /* the row that is gathered */
    u_char             *seen;       /* by node: 1 reached, 2 at an end */
    uint64_t           *map;        /* a bit for a node, to bring them into
                                       order */
    uint16_t           *list;
    unsigned            n;
    uint64_t            found;
    uint64_t            ends;
    uint16_t           *stack;
} b24_maker_t;


static int b24_sieve_parted(b24_sieve_t *sieve, uint64_t bits);
static int b24_sieve_make(b24_sieve_t *sieve, uint64_t bits);
static void b24_sieve_columns(b24_sieve_t *sieve, uint64_t bits,
    b24_sieve_table_t *table);
static void b24_sieve_tell(b24_sieve_table_t *table,
    const b24_sieve_set_t *set);
static int b24_maker_open(b24_maker_t *m, b24_sieve_t *sieve,
    uint64_t bits);
static int b24_maker_rows(b24_maker_t *m);
static void b24_maker_reach(b24_maker_t *m, uint16_t start, int begin);
static void b24_maker_starts(b24_maker_t *m, int begin);
static int b24_maker_again(b24_maker_t *m, uint16_t start,
    b24_reach_t **reach);
static void b24_maker_add(b24_maker_t *m, const b24_reach_t *reach);
static int b24_maker_row(b24_maker_t *m, uint64_t line, unsigned *row);
static int b24_maker_keep(b24_maker_t *m);
static int b24_sieve_low(const b24_str_t *text);


int
b24_sieve_close(b24_sieve_t *sieve)
{
    int  rc;

    rc = b24_sieve_parted(sieve, sieve->bits & ~sieve->any);

    free(sieve->nodes);
    sieve->nodes = NULL;

    return rc;
}


static int
b24_sieve_parted(b24_sieve_t *sieve, uint64_t bits)
{
    int       rc;
    unsigned  bit, n, half;
    uint64_t  first;

    if (bits == 0) {
        return B24_OK;
    }

    rc = b24_sieve_make(sieve, bits);

    if (rc != B24_DECLINED) {
        return rc;
    }

    half = (unsigned) __builtin_popcountll(bits) / 2;

    if (half == 0) {
        sieve->any |= bits;
        return B24_OK;
    }

    first = 0;

    for (bit = 0, n = 0; n < half && bit < 64; bit++) {

        if (bits & (1ULL << bit)) {
            first |= 1ULL << bit;
            n++;
        }
    }

    rc = b24_sieve_parted(sieve, first);

    return rc == B24_OK ? b24_sieve_parted(sieve, bits & ~first) : rc;
}


static int
b24_sieve_make(b24_sieve_t *sieve, uint64_t bits)
{
    int           rc;
    b24_maker_t  *m;

    m = calloc(1, sizeof(b24_maker_t));
    if (m == NULL) {
        return B24_ERROR;
    }

    rc = b24_maker_open(m, sieve, bits);

    if (rc == B24_OK) {
        rc = b24_maker_rows(m);
    }

    if (rc == B24_OK) {
        rc = b24_maker_keep(m);
    }

    b24_pool_destroy(m->pool);
    free(m);

    return rc;
}


static int
b24_maker_open(b24_maker_t *m, b24_sieve_t *sieve, uint64_t bits)
{
    m->sieve = sieve;
    m->bits = bits;
    m->pool = b24_pool_create(0);

    if (m->pool == NULL) {
        return B24_ERROR;
    }

    m->table = b24_pcalloc(m->pool, sizeof(b24_sieve_table_t));
    m->seen = b24_pcalloc(m->pool, sieve->nnodes);
    m->list = b24_palloc(m->pool, (size_t) sieve->nnodes * 2
                                  * sizeof(uint16_t));
    m->map = b24_pcalloc(m->pool, (sieve->nnodes / 64 + 1) * sizeof(uint64_t));
    m->reach = b24_pcalloc(m->pool, sieve->nnodes * sizeof(b24_reach_t *));
    m->stack = b24_palloc(m->pool, ((size_t) sieve->nnodes + 1) * 8
                                   * sizeof(uint16_t));

    if (m->table == NULL || m->seen == NULL || m->map == NULL
        || m->list == NULL || m->reach == NULL || m->stack == NULL)
    {
        return B24_ERROR;
    }

    m->table->bits = bits;
    b24_sieve_columns(sieve, bits, m->table);

    m->most = B24_SIEVE_CELLS / m->table->ncolumns;
    m->rows = b24_pcalloc(m->pool, m->most * sizeof(b24_row_t *));
    m->table->cells = b24_palloc(m->pool,
                                 B24_SIEVE_CELLS * sizeof(uint16_t));

    return m->rows && m->table->cells ? B24_OK : B24_ERROR;
}


/* bytes that no set tells apart; the end of a line is always alone */
static void
b24_sieve_columns(b24_sieve_t *sieve, uint64_t bits, b24_sieve_table_t *table)
{
    unsigned                 n;
    b24_sieve_set_t          line;
    const b24_sieve_node_t  *node;

    memset(&line, 0, sizeof(b24_sieve_set_t));
    b24_set_add(&line, '\n', '\n');

    table->ncolumns = 1;
    b24_sieve_tell(table, &line);

    for (n = 0; n < sieve->nnodes; n++) {
        node = &sieve->nodes[n];

        if (node->type == B24_SIEVE_SET && (bits & (1ULL << node->bit))) {
            b24_sieve_tell(table, &node->set);
        }
    }
}


/* columns of which a part is in the set are two from now on */
static void
b24_sieve_tell(b24_sieve_table_t *table, const b24_sieve_set_t *set)
{
    unsigned  c, column, in[256], all[256], to[256];

    memset(in, 0, sizeof(in));
    memset(all, 0, sizeof(all));
    memset(to, 0, sizeof(to));

    for (c = 0; c < 256; c++) {
        all[table->columns[c]]++;
        in[table->columns[c]] += (unsigned) b24_set_has(set, c);
    }

    for (c = 0; c < 256; c++) {
        column = table->columns[c];

        if (!b24_set_has(set, c) || in[column] == all[column]) {
            continue;
        }

        if (to[column] == 0) {
            to[column] = table->ncolumns++;
        }

        table->columns[c] = (u_char) to[column];
    }
}


static int
b24_maker_rows(b24_maker_t *m)
{
    int                      rc;
    u_char                   byte[256];
    unsigned                 c, i, row, next, n;
    const b24_row_t         *r;
    const b24_sieve_node_t  *node;

    n = m->table->ncolumns;

    for (c = 0; c < 256; c++) {
        byte[m->table->columns[c]] = (u_char) c;
    }

    rc = b24_maker_again(m, B24_SIEVE_NONE, &m->starts);
    if (rc != B24_OK) {
        return rc;
    }

    b24_maker_starts(m, 1);

    rc = b24_maker_row(m, 0, &row);

    for (row = 0; rc == B24_OK && row < m->table->nrows; row++) {
        r = m->rows[row];

        for (c = 0; rc == B24_OK && c < n; c++) {
            for (i = 0; i < r->n; i++) {
                node = &m->sieve->nodes[r->nodes[i]];

                if (!b24_set_has(&node->set, byte[c])) {
                    continue;
                }

                if (m->reach[node->a] == NULL
                    && b24_maker_again(m, node->a, &m->reach[node->a])
                       != B24_OK)
                {
                    return B24_ERROR;
                }

                b24_maker_add(m, m->reach[node->a]);
            }

            b24_maker_add(m, m->starts);

            /* "$" is also before the last end of a line */

            rc = b24_maker_row(m, byte[c] == '\n' ? r->ends & ~r->line : 0,
                               &next);

            if (rc == B24_OK) {
                m->table->cells[row * n + c] = (uint16_t) next;
            }
        }
    }

    return rc;
}


static void
b24_maker_starts(b24_maker_t *m, int begin)
{
    unsigned  i;

    for (i = 0; i < m->sieve->nstarts; i++) {
        b24_maker_reach(m, m->sieve->starts[i], begin);
    }
}


/* the same that a row takes again and again; no node: from all starts */
static int
b24_maker_again(b24_maker_t *m, uint16_t start, b24_reach_t **reach)
{
    uint16_t       node;
    unsigned       i, n;
    b24_maker_t    one;
    b24_reach_t   *r;

    /* beside what is being gathered */

    one = *m;
    one.n = 0;
    one.found = 0;
    one.ends = 0;
    one.seen = b24_pcalloc(m->pool, m->sieve->nnodes);
    one.list = b24_palloc(m->pool, (size_t) m->sieve->nnodes * 2
                                   * sizeof(uint16_t));

    if (one.seen == NULL || one.list == NULL) {
        return B24_ERROR;
    }

    if (start == B24_SIEVE_NONE) {
        b24_maker_starts(&one, 0);

    } else {
        b24_maker_reach(&one, start, 0);
    }

    r = b24_palloc(m->pool, sizeof(b24_reach_t) + one.n * sizeof(uint16_t));
    if (r == NULL) {
        return B24_ERROR;
    }

    for (i = 0, n = 0; i < one.n; i++) {
        node = one.list[i];

        if (m->sieve->nodes[node].type == B24_SIEVE_SET
            && (one.seen[node] & 1))
        {
            r->nodes[n++] = node;
        }
    }

    r->n = n;
    r->found = one.found;
    r->ends = one.ends;

    *reach = r;

    return B24_OK;
}


static void
b24_maker_add(b24_maker_t *m, const b24_reach_t *reach)
{
    unsigned  i;
    uint16_t  node;

    m->found |= reach->found;
    m->ends |= reach->ends;

    for (i = 0; i < reach->n; i++) {
        node = reach->nodes[i];

        if (m->seen[node] == 0) {
            m->seen[node] = 1;
            m->list[m->n++] = node;
        }
    }
}


/* the nodes to be had from there without a byte */
static void
b24_maker_reach(b24_maker_t *m, uint16_t start, int begin)
{
    u_char                   way;
    unsigned                 n;
    const b24_sieve_node_t  *node;

    if (start == B24_SIEVE_NONE
        || !(m->bits & (1ULL << m->sieve->nodes[start].bit)))
    {
        return;
    }

    n = 0;
    m->stack[n++] = start;
    m->stack[n++] = 1;

    while (n) {
        way = (u_char) m->stack[--n];
        start = m->stack[--n];

        if (start == B24_SIEVE_NONE || (m->seen[start] & way)) {
            continue;
        }

        node = &m->sieve->nodes[start];

        if (m->seen[start] == 0) {
            m->list[m->n++] = start;
        }

        /* a "^" that is not at the beginning now may be the next time */

        if (node->type == B24_SIEVE_BEGIN && !begin) {
            m->seen[start] |= 4;
            continue;
        }

        m->seen[start] |= way;

        switch (node->type) {

        case B24_SIEVE_MATCH:
            if (way == 1) {
                m->found |= 1ULL << node->bit;

            } else {
                m->ends |= 1ULL << node->bit;
            }

            break;

        case B24_SIEVE_SET:

            /* "$\n": seldom enough to be taken for a match */

            if (way == 2 && b24_set_has(&node->set, '\n')) {
                m->ends |= 1ULL << node->bit;
                m->sieve->loose |= 1ULL << node->bit;
            }

            break;

        case B24_SIEVE_FAIL:
            break;

        case B24_SIEVE_END:
            m->stack[n++] = node->a;
            m->stack[n++] = 2;
            break;

        case B24_SIEVE_SPLIT:
            m->stack[n++] = node->b;
            m->stack[n++] = way;

            /* fall through */

        default:
            m->stack[n++] = node->a;
            m->stack[n++] = way;
        }
    }
}


/* the row of what was gathered, an old one or a new one; line: its patterns
 * have matched if the text ends here */
static int
b24_maker_row(b24_maker_t *m, uint64_t line, unsigned *row)
{
    unsigned                 i, n;
    uint64_t                 hash, word;
    uint16_t                 node;
    b24_row_t               *r;

    for (i = 0; i < m->n; i++) {
        node = m->list[i];

        /* those that take a byte */

        if (m->sieve->nodes[node].type == B24_SIEVE_SET
            && (m->seen[node] & 1))
        {
            m->map[node / 64] |= 1ULL << (node % 64);
        }

        m->seen[node] = 0;
    }

    m->ends |= line;

    hash = m->found * 3 + m->ends * 5 + line * 7;
    n = 0;

    for (i = 0; i <= m->sieve->nnodes / 64; i++) {

        for (word = m->map[i]; word; word &= word - 1) {
            node = (uint16_t) (i * 64 + (unsigned) __builtin_ctzll(word));
            hash = (hash ^ node) * B24_SIEVE_MIX;
            m->list[n++] = node;
        }

        m->map[i] = 0;
    }

    hash = (hash ^ (hash >> 32)) & (B24_SIEVE_HASH - 1);

    for (r = m->hash[hash]; r; r = r->same) {

        if (r->n == n && r->found == m->found && r->ends == m->ends
            && r->line == line
            && memcmp(r->nodes, m->list, n * sizeof(uint16_t)) == 0)
        {
            break;
        }
    }

    if (r == NULL) {

        if (m->table->nrows == m->most) {
            return B24_DECLINED;
        }

        r = b24_palloc(m->pool, sizeof(b24_row_t) + n * sizeof(uint16_t));
        if (r == NULL) {
            return B24_ERROR;
        }

        r->found = m->found;
        r->ends = m->ends;
        r->line = line;
        r->number = m->table->nrows;
        r->n = n;
        memcpy(r->nodes, m->list, n * sizeof(uint16_t));

        r->same = m->hash[hash];
        m->hash[hash] = r;
        m->rows[m->table->nrows++] = r;
    }

    *row = r->number;

    m->n = 0;
    m->found = 0;
    m->ends = 0;

    return B24_OK;
}


static int
b24_maker_keep(b24_maker_t *m)
{
    size_t              size;
    unsigned            i, n, c;
    b24_pool_t         *pool;
    b24_sieve_table_t  *table, **last;

    pool = m->sieve->pool;
    size = (size_t) m->table->nrows * m->table->ncolumns * sizeof(uint16_t);

    table = b24_palloc(pool, sizeof(b24_sieve_table_t));
    if (table == NULL) {
        return B24_ERROR;
    }

    *table = *m->table;

    table->cells = b24_palloc(pool, size);
    table->found = b24_palloc(pool, table->nrows * sizeof(uint64_t));
    table->ends = b24_palloc(pool, table->nrows * sizeof(uint64_t));

    if (table->cells == NULL || table->found == NULL || table->ends == NULL) {
        return B24_ERROR;
    }

    /* rows that tell something go last, but the one that is begun with */

    n = 0;

    for (i = 0; i < table->nrows; i++) {

        if (i == 0 || m->rows[i]->found == 0) {
            m->rows[i]->number = n++;
        }
    }

    table->silent = n * table->ncolumns;

    for (i = 1; i < table->nrows; i++) {

        if (m->rows[i]->found) {
            m->rows[i]->number = n++;
        }
    }

    /* a cell is where its row begins */

    for (i = 0; i < table->nrows; i++) {
        n = m->rows[i]->number;
        table->found[n] = m->rows[i]->found;
        table->ends[n] = m->rows[i]->ends;

        for (c = 0; c < table->ncolumns; c++) {
            table->cells[n * table->ncolumns + c] = (uint16_t)
                (m->rows[m->table->cells[i * table->ncolumns + c]]->number
                 * table->ncolumns);
        }
    }

    for (last = &m->sieve->tables; *last; last = &(*last)->next) {
        /* void */
    }

    *last = table;
    m->sieve->size += size + (size_t) table->nrows * 2 * sizeof(uint64_t);

    return B24_OK;
}


uint64_t
b24_sieve_look(const b24_sieve_t *sieve, const b24_str_t *text,
    uint64_t want, uint64_t *sure)
{
    u_char                    all;
    unsigned                  at, silent;
    uint64_t                  set;
    const u_char             *p, *end, *columns;
    const uint16_t           *cells;
    const b24_sieve_table_t  *table;

    all = 0;
    set = sieve->any;
    end = text->len ? text->data + text->len : text->data;

    for (table = sieve->tables; table; table = table->next) {

        if ((table->bits & want) == 0) {
            continue;
        }

        at = 0;
        cells = table->cells;
        columns = table->columns;
        silent = table->silent;

        set |= table->found[0];

#pragma GCC unroll 4

        for (p = text->data; p < end; p++) {
            all |= *p;
            at = cells[at + columns[*p]];

            if (at >= silent) {
                set |= table->found[at / table->ncolumns];
            }
        }

        set |= table->ends[at / table->ncolumns];
    }

    set &= want;

    *sure = set & ~(sieve->loose | sieve->any);

    if (*sure && ((all & 0x80) || b24_sieve_low(text))) {
        *sure = 0;
    }

    return (!(all & 0x80) || b24_utf8_valid(text)) ? set : sieve->bits & want;
}


/* are there control characters in a text of ASCII? */
static int
b24_sieve_low(const b24_str_t *text)
{
    size_t         n;
    uint64_t       word, below;
    const u_char  *p;

    below = 0;
    p = text->data;

    for (n = text->len; n >= sizeof(uint64_t); n -= sizeof(uint64_t)) {
        memcpy(&word, p, sizeof(uint64_t));

        /* what is less than a blank borrows */

        below |= word - B24_SIEVE_EACH * ' ';
        p += sizeof(uint64_t);
    }

    for ( /* void */ ; n; n--) {
        below |= (uint64_t) *p++ - ' ';
    }

    return (below & (B24_SIEVE_EACH * 0x80)) != 0;
}


size_t
b24_sieve_size(const b24_sieve_t *sieve)
{
    return sieve->size;
}
