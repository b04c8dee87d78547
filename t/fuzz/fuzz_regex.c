
/*
 * Any regex on any text: within its time, and what it gives lies in the text.
 * All matches go forward and aren't empty.
 *
 * Aims at: order/b24_regex.c
 */


#include "patterns.h"
#include "b24_regex.h"
#include "b24_text.h"

#include <time.h>


/* of one match on this input; a sanitizer and a fuzzer beside it are slow */
#define MOST  4000


typedef struct {
    const b24_str_t  *text;
    const u_char     *last;
    unsigned          n;
} each_t;


static int64_t
milliseconds(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
check_groups(const b24_str_t *text, const b24_regex_match_t *match)
{
    size_t  i;

    ABORT_UNLESS(match->ngroups >= 1);
    ABORT_UNLESS(match->ngroups <= B24_REGEX_GROUPS);

    for (i = 0; i < match->ngroups; i++) {

        if (match->groups[i].data == NULL) {
            ABORT_UNLESS(i != 0);
            continue;
        }

        ABORT_UNLESS(match->groups[i].data >= text->data);
        ABORT_UNLESS(match->groups[i].len <= text->len);
        ABORT_UNLESS(match->groups[i].data + match->groups[i].len
                     <= text->data + text->len);
        ABORT_UNLESS(b24_utf8_valid(&match->groups[i]));
    }
}


static int
each(void *data, const b24_regex_match_t *match)
{
    each_t  *e = data;

    check_groups(e->text, match);
    ABORT_UNLESS(match->groups[0].len != 0);
    ABORT_UNLESS(match->groups[0].data >= e->last);

    e->last = match->groups[0].data + match->groups[0].len;

    return ++e->n == 1000 ? B24_DECLINED : B24_OK;
}


/* little texts tell little of time: pieces again and again */
static b24_str_t
repeat(fuzz_t *f, const b24_str_t *piece)
{
    unsigned   n;
    b24_buf_t  buf;
    b24_str_t  s;

    b24_buf_init(&buf, f->pool);

    for (n = 1U << fuzz_below(f, 13); n && buf.len < 65536; n--) {
        b24_buf_addstr(&buf, piece);
    }

    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    return s;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 rc, icase, again;
    char                err[200];
    fuzz_t              f;
    size_t              n;
    each_t              e;
    int64_t             start;
    b24_str_t           pattern, text, name, none = b24_null_string;
    b24_regex_e         found, all;
    b24_regex_t        *regex;
    b24_regex_time_t    time;
    b24_regex_match_t   match;

    fuzz_init(&f, data, size);

    icase = (int) fuzz_below(&f, 2);
    pattern = pattern_make(&f);
    text = pattern_text(&f);
    text = repeat(&f, &text);

    ABORT_UNLESS(b24_text_utf8(f.pool, &text, &none, &text) == B24_OK);

    memset(err, 0, sizeof(err));
    rc = b24_regex_compile(f.pool, &pattern, icase, &regex, err, sizeof(err));

    if (rc != B24_OK) {
        ABORT_UNLESS(rc != B24_DECLINED || err[0]);
        b24_pool_destroy(f.pool);
        return 0;
    }

    ABORT_UNLESS(b24_str_eq(b24_regex_text(regex, &again), &pattern));
    ABORT_UNLESS(again == icase);

    for (n = 0; n < 4; n++) {
        (void) b24_regex_name(regex, n, &name);
    }

    time.spent = 0;
    start = milliseconds();
    found = b24_regex_exec(regex, &text, &time, &match);
    ABORT_UNLESS(milliseconds() - start < MOST);

    if (found == B24_REGEX_MATCH) {
        check_groups(&text, &match);
    }

    e.text = &text;
    e.last = text.data;
    e.n = 0;

    time.spent = 0;
    start = milliseconds();
    all = b24_regex_each(regex, &text, &time, each, &e);
    ABORT_UNLESS(milliseconds() - start < MOST);

    /* what isn't found once isn't found at all */

    ABORT_UNLESS(found != B24_REGEX_NONE || all != B24_REGEX_MATCH);
    ABORT_UNLESS((all == B24_REGEX_MATCH) == (e.n != 0)
                 || all == B24_REGEX_LIMIT || all == B24_REGEX_ERROR);

    b24_pool_destroy(f.pool);

    return 0;
}
