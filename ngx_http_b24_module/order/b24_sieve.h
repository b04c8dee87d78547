
/*
 * Many patterns looked for in one text at once: which of them surely are not
 * there.  For the texts of requests that no rule is for, which are nearly all.
 *
 * A sieve is a table that is walked a step for each byte.  It errs to one side:
 * what it leaves out doesn't match, what it lets pass has to be looked at.
 */


#ifndef _B24_SIEVE_H_INCLUDED_
#define _B24_SIEVE_H_INCLUDED_


#include "b24_base.h"


#define B24_SIEVE_BITS  64


typedef struct b24_sieve_s  b24_sieve_t;


/*
 * Patterns are added each under a bit (0 .. 63), several under one are
 * alternatives; then the sieve is closed, after which it is read-only.  B24_OK
 * or B24_ERROR: out of memory.  What can't be told of a pattern (a reference, a
 * table that would be too large) lets all texts pass for its bit.
 */
b24_sieve_t *b24_sieve_create(b24_pool_t *pool);
/* the whole text, or its beginning */
int b24_sieve_text(b24_sieve_t *sieve, unsigned bit, const b24_str_t *text,
    int prefix);
/* a regex as PCRE2 takes it, found anywhere in the text */
int b24_sieve_regex(b24_sieve_t *sieve, unsigned bit,
    const b24_str_t *pattern, int icase);
/* the text is a request's target, the query has a field key that isn't empty
 * and in which the regex (NULL: none) is found */
int b24_sieve_query(b24_sieve_t *sieve, unsigned bit, const b24_str_t *key,
    const b24_str_t *pattern, int icase);
int b24_sieve_close(b24_sieve_t *sieve);

/*
 * Of the wanted bits those of patterns that may match, *sure those of them that
 * do.  A text that is not UTF-8 passes for all bits.
 */
uint64_t b24_sieve_look(const b24_sieve_t *sieve, const b24_str_t *text,
    uint64_t want, uint64_t *sure);

/* of its tables */
size_t b24_sieve_size(const b24_sieve_t *sieve);


#endif /* _B24_SIEVE_H_INCLUDED_ */
