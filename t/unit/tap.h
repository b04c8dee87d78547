
/* TAP for the unit tests: one assertion, one line. */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "b24_base.h"


static int  tap_count;
static int  tap_failed;


__attribute__((format(printf, 2, 3)))
static inline int
ok(int good, const char *fmt, ...)
{
    va_list  args;

    tap_count++;

    if (!good) {
        tap_failed++;
    }

    printf("%sok %d - ", good ? "" : "not ", tap_count);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");

    return good;
}


static inline int
is_str(const b24_str_t *got, const char *want, const char *name)
{
    int  good;

    good = ok(b24_str_eqs(got, want), "%s", name);

    if (!good) {
        printf("#      got: \"%.*s\"\n# expected: \"%s\"\n",
               (int) got->len, got->data ? (char *) got->data : "", want);
    }

    return good;
}


static inline int
is_int(long long got, long long want, const char *name)
{
    int  good;

    good = ok(got == want, "%s", name);

    if (!good) {
        printf("#      got: %lld\n# expected: %lld\n", got, want);
    }

    return good;
}


static inline b24_str_t
str(const char *s)
{
    b24_str_t  v;

    v.data = (u_char *) s;
    v.len = strlen(s);

    return v;
}


static inline int
done_testing(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}


#endif /* _TAP_H_INCLUDED_ */
