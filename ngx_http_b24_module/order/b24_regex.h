
/*
 * PCRE2 with bounds: a buyer chooses the text, so that no pattern may cost more
 * than a fraction of a second whatever the text is.
 */


#ifndef _B24_REGEX_H_INCLUDED_
#define _B24_REGEX_H_INCLUDED_


#include "b24_base.h"


#define B24_REGEX_GROUPS   64       /* the whole match and 63 groups */
#define B24_REGEX_SUBJECT  4194304      /* bytes */


typedef struct b24_regex_s  b24_regex_t;


typedef enum {
    B24_REGEX_NONE = 0,
    B24_REGEX_MATCH,
    B24_REGEX_LIMIT,                /* given up: too long a text, too slow */
    B24_REGEX_ERROR                 /* out of memory */
} b24_regex_e;


/* processor time of all matches that share it, zeroed by its owner */
typedef struct {
    int64_t  spent;                 /* nanoseconds */
} b24_regex_time_t;


typedef struct {
    b24_str_t  groups[B24_REGEX_GROUPS];    /* data NULL: took no part */
    size_t     ngroups;
} b24_regex_match_t;


/*
 * UTF-8 patterns; icase ignores letters' case.  The code lives in the pool and
 * is read-only afterwards.  B24_DECLINED: err gets PCRE2's message and offset
 * ("missing closing parenthesis at offset 3").
 */
int b24_regex_compile(b24_pool_t *pool, const b24_str_t *pattern, int icase,
    b24_regex_t **regex, char *err, size_t size);

/* the first match; the subject must be valid UTF-8, groups point into it */
b24_regex_e b24_regex_exec(const b24_regex_t *regex, const b24_str_t *subject,
    b24_regex_time_t *time, b24_regex_match_t *match);

/*
 * All matches that aren't empty, one behind the other: fn is called for each.
 * It returns B24_OK to go on, B24_DECLINED to have had enough, or B24_ERROR.
 * B24_REGEX_MATCH when there was at least one.
 */
typedef int (*b24_regex_match_pt)(void *data, const b24_regex_match_t *match);

b24_regex_e b24_regex_each(const b24_regex_t *regex, const b24_str_t *subject,
    b24_regex_time_t *time, b24_regex_match_pt fn, void *data);

/* named group n of the pattern: its number, 0 when there is no such n */
size_t b24_regex_name(const b24_regex_t *regex, size_t n, b24_str_t *name);

/* the pattern it was compiled from */
const b24_str_t *b24_regex_text(const b24_regex_t *regex, int *icase);


#endif /* _B24_REGEX_H_INCLUDED_ */
