
/*
 * What Bitrix24's server takes for a reference to another command's result, in
 * text that it has decoded: a dollar and one of its words, in any case, also
 * with the long s.
 */


#ifndef _REFERENCE_H_INCLUDED_
#define _REFERENCE_H_INCLUDED_


#include "b24_base.h"


static inline int
has_word(const u_char *p, const u_char *end, const char *word)
{
    for (/* void */; *word; word++) {

        if (p < end && b24_tolower(*p) == (u_char) *word) {
            p++;

        } else if (*word == 's' && end - p >= 2 && p[0] == 0xC5
                   && p[1] == 0xBF)
        {
            p += 2;

        } else {
            return 0;
        }
    }

    return 1;
}


static inline int
has_reference(const b24_str_t *s)
{
    size_t         i, n;
    const u_char  *end;
    const char    *words[] = { "result", "next", "total", "time", "error" };

    end = s->data + s->len;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] != '$') {
            continue;
        }

        for (n = 0; n < sizeof(words) / sizeof(words[0]); n++) {

            if (has_word(s->data + i + 1, end, words[n])) {
                return 1;
            }
        }
    }

    return 0;
}


#endif /* _REFERENCE_H_INCLUDED_ */
