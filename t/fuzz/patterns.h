
/*
 * Patterns that grow from a plan, and texts near to what they ask for.  A text
 * is of the same letters, so that it matches often enough.
 */


#ifndef _PATTERNS_H_INCLUDED_
#define _PATTERNS_H_INCLUDED_


#include "fuzz.h"


static const char *const  pattern_atoms[] = {
    "a", "b", "c", "/", "x", "1", "k", "s", "K", ".", "\\.", "\\d", "\\w",
    "\\s", "\\D", "\\W", "\\S", "\\/", "\\n", "\\t", "\\x41", "[a-c]", "[^a]",
    "[^/]", "[\\w-]", "[-a]", "[\\]]", "[[:alpha:]]", "\\p{L}", "\\h",
    "\xd0\x98", "[\xd0\x98\xd1\x8f]", "ab", "order", "=", "&", "?", "\\?",
    "\\R", "\\Qa.b\\E", "[a-z]", "[A-Z]", "[^a-z]", "[k-s]", "%", "\xc5\xbf"
};

static const char *const  pattern_repeats[] = {
    "", "", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?",
    "+?", "++", "?+", "{0}", "{,2}"
};

static const char *const  pattern_opens[] = {
    "(", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "(?i:", "(?|",
    "(?i)(", "(?s)(", "(?#c)("
};

static const char *const  pattern_ends[] = {
    "^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\K", "\\1", "|", "(?i)"
};

static const char *const  pattern_texts[] = {
    "/", "a", "b", "c", "x", "1", "k", "s", "K", "S", ".", "ab", "abc", "order",
    "ORDER", "=", "&", "?", "%", "+", "-", "_", " ", "\n", "\r\n", "\t", "A",
    "\xd0\x98", "\xd1\x8f", "\xe2\x84\xaa", "\xc5\xbf", "]", "a.b", "aa", "bb",
    "ab/", "17", "12", "%2F", "%6b", "k=", "key=", "&k=", "?k=", "k[]=", "Z"
};

#define PATTERN_N(list)  (sizeof(list) / sizeof(list[0]))


static inline void
pattern_grow(fuzz_t *f, b24_buf_t *out, int depth)
{
    unsigned  n, c;

    for (n = fuzz_byte(f) % 7 + 1; n; n--) {
        c = fuzz_byte(f);

        if (c < 60 && depth > 0) {
            b24_buf_adds(out, pattern_opens[c % PATTERN_N(pattern_opens)]);
            pattern_grow(f, out, depth - 1);

            if (c & 1) {
                b24_buf_addc(out, '|');
                pattern_grow(f, out, depth - 1);
            }

            b24_buf_addc(out, ')');

        } else if (c < 90) {
            b24_buf_adds(out, pattern_ends[c % PATTERN_N(pattern_ends)]);
            continue;

        } else {
            b24_buf_adds(out, pattern_atoms[c % PATTERN_N(pattern_atoms)]);
        }

        b24_buf_adds(out, pattern_repeats[fuzz_byte(f)
                                          % PATTERN_N(pattern_repeats)]);
    }
}


static inline b24_str_t
pattern_make(fuzz_t *f)
{
    b24_buf_t  buf;
    b24_str_t  s;

    if (fuzz_byte(f) > 240) {
        return fuzz_str(f);
    }

    b24_buf_init(&buf, f->pool);
    pattern_grow(f, &buf, 3);
    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    return s;
}


static inline b24_str_t
pattern_text(fuzz_t *f)
{
    return fuzz_pieces(f, pattern_texts, PATTERN_N(pattern_texts), 24);
}


#endif /* _PATTERNS_H_INCLUDED_ */
