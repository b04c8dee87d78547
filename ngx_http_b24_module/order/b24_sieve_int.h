
/*
 * The patterns of a sieve before it is closed: nodes of an automaton that is in
 * many states at once.  b24_sieve.c and b24_sieve_regex.c make them,
 * b24_sieve_table.c a table of them.
 */


#ifndef _B24_SIEVE_INT_H_INCLUDED_
#define _B24_SIEVE_INT_H_INCLUDED_


#include "b24_sieve.h"


#define B24_SIEVE_NODES   16000
#define B24_SIEVE_NONE    UINT16_MAX


typedef enum {
    B24_SIEVE_EMPTY = 0,            /* on to a */
    B24_SIEVE_SPLIT,                /* on to a and to b */
    B24_SIEVE_SET,                  /* one byte of the set, on to a */
    B24_SIEVE_BEGIN,                /* only at the text's beginning, on to a */
    B24_SIEVE_END,                  /* only at its end, on to a */
    B24_SIEVE_FAIL,
    B24_SIEVE_MATCH
} b24_sieve_e;


typedef struct {
    uint64_t        bits[4];
} b24_sieve_set_t;


typedef struct {
    b24_sieve_e     type;
    uint16_t        a;
    uint16_t        b;
    unsigned        bit;            /* of the pattern it belongs to */
    b24_sieve_set_t set;
} b24_sieve_node_t;


typedef struct b24_sieve_table_s  b24_sieve_table_t;

struct b24_sieve_table_s {
    u_char              columns[256];
    uint64_t            bits;       /* that it tells of */
    unsigned            ncolumns;
    unsigned            nrows;
    uint16_t           *cells;      /* row * ncolumns + column -> row */
    unsigned            silent;     /* rows below it tell nothing new */
    uint64_t           *found;      /* by row: matched by the last byte */
    uint64_t           *ends;       /* matched if nothing comes */
    b24_sieve_table_t  *next;
};


struct b24_sieve_s {
    b24_pool_t         *pool;
    b24_sieve_node_t   *nodes;      /* until it is closed */
    unsigned            nnodes;
    unsigned            anodes;
    uint16_t            starts[4 * B24_SIEVE_BITS];
    unsigned            nstarts;
    uint64_t            bits;       /* that are there */
    uint64_t            any;        /* that all texts pass */
    uint64_t            loose;
    size_t              size;
    b24_sieve_table_t  *tables;
};


/* a part of a pattern: one way in, one way out (an EMPTY node) */
typedef struct {
    uint16_t        in;
    uint16_t        out;
} b24_sieve_part_t;


/* what "^" stands for */
typedef enum {
    B24_SIEVE_AT_BEGIN = 0,
    B24_SIEVE_AT_HERE,              /* it is here */
    B24_SIEVE_AT_NEVER
} b24_sieve_at_e;


typedef struct {
    b24_sieve_t        *sieve;
    const u_char       *p;
    const u_char       *end;
    unsigned            bit;
    int                 icase;
    int                 depth;
    b24_sieve_at_e      at;
    unsigned            inner:1;    /* a part of the text: "$" is anywhere */
    unsigned            loose:1;    /* it may match where the regex doesn't */
} b24_sieve_read_t;


/* all return B24_DECLINED when the pattern is too much for a sieve */

int b24_sieve_node(b24_sieve_t *sieve, unsigned bit, b24_sieve_e type,
    uint16_t *n);
/* first, then second; the result is first */
void b24_sieve_join(b24_sieve_t *sieve, b24_sieve_part_t *first,
    const b24_sieve_part_t *second);
/* either of them; the result is first */
int b24_sieve_either(b24_sieve_t *sieve, unsigned bit,
    b24_sieve_part_t *first, const b24_sieve_part_t *second);
int b24_sieve_repeat(b24_sieve_t *sieve, unsigned bit,
    b24_sieve_part_t *part);
int b24_sieve_set(b24_sieve_t *sieve, unsigned bit,
    const b24_sieve_set_t *set, b24_sieve_part_t *part);

void b24_set_add(b24_sieve_set_t *set, unsigned from, unsigned to);
int b24_set_has(const b24_sieve_set_t *set, unsigned c);

/* the pattern from read->p to its end */
int b24_sieve_read(b24_sieve_read_t *read, b24_sieve_part_t *part);


#endif /* _B24_SIEVE_INT_H_INCLUDED_ */
