
#define PCRE2_CODE_UNIT_WIDTH  8

#include "b24_regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <time.h>


/*
 * The match limit counts backtracking from one starting position only, and not
 * at all the characters a repeat runs over, so that it alone lets a text of
 * 100 KB burn minutes.  Hence positions are tried in windows, between which the
 * thread's processor time is looked at.
 */
#define B24_REGEX_LIMIT_MATCH   100000
#define B24_REGEX_LIMIT_DEPTH   100000
#define B24_REGEX_LIMIT_HEAP    8192        /* KiB */
#define B24_REGEX_WINDOW        64
#define B24_REGEX_WINDOW_MAX    1024        /* grows while it is quick */
#define B24_REGEX_QUICK         1000000     /* nanoseconds */
#define B24_REGEX_TIME          250000000   /* nanoseconds, for one owner */


struct b24_regex_s {
    pcre2_code  *code;
    uint32_t     ngroups;
    uint32_t     nnames;
    uint32_t     name_size;
    u_char      *names;
    unsigned     anchored:1;
};


static void *b24_regex_malloc(PCRE2_SIZE size, void *data);
static void b24_regex_free(void *p, void *data);
static int b24_regex_info(b24_regex_t *regex);
static b24_regex_e b24_regex_windows(const b24_regex_t *regex,
    const b24_str_t *subject, size_t from, b24_regex_time_t *time,
    pcre2_match_data *md, pcre2_match_context *mc);
static b24_regex_e b24_regex_result(int rc);
static int64_t b24_regex_clock(void);


static void *
b24_regex_malloc(PCRE2_SIZE size, void *data)
{
    return b24_palloc(data, size);
}


static void
b24_regex_free(void *p, void *data)
{
    /* the pool frees it */

    (void) p;
    (void) data;
}


int
b24_regex_compile(b24_pool_t *pool, const b24_str_t *pattern, int icase,
    b24_regex_t **regex, char *err, size_t size)
{
    int                     code;
    uint32_t                options;
    PCRE2_SIZE              offset;
    PCRE2_UCHAR             text[160];
    b24_regex_t            *re;
    pcre2_compile_context  *cc;
    pcre2_general_context  *gc;

    re = b24_pcalloc(pool, sizeof(b24_regex_t));
    gc = pcre2_general_context_create(b24_regex_malloc, b24_regex_free, pool);
    if (re == NULL || gc == NULL) {
        return B24_ERROR;
    }

    cc = pcre2_compile_context_create(gc);
    if (cc == NULL) {
        return B24_ERROR;
    }

    options = PCRE2_UTF|PCRE2_USE_OFFSET_LIMIT|PCRE2_NEVER_BACKSLASH_C;

    if (icase) {
        options |= PCRE2_CASELESS;
    }

    re->code = pcre2_compile(pattern->data ? pattern->data : (u_char *) "",
                             pattern->len, options, &code, &offset, cc);

    if (re->code == NULL) {

        if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) {
            return B24_ERROR;
        }

        if (pcre2_get_error_message(code, text, sizeof(text)) < 0) {
            snprintf((char *) text, sizeof(text), "error %d", code);
        }

        snprintf(err, size, "%s at offset %zu", (char *) text,
                 (size_t) offset);
        return B24_DECLINED;
    }

    if (b24_regex_info(re) != B24_OK || re->ngroups > B24_REGEX_GROUPS) {
        snprintf(err, size, "more than %d groups", B24_REGEX_GROUPS - 1);
        return B24_DECLINED;
    }

    *regex = re;

    return B24_OK;
}


static int
b24_regex_info(b24_regex_t *re)
{
    uint32_t  options;

    if (pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->ngroups)
        || pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &re->nnames)
        || pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE,
                              &re->name_size)
        || pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &re->names)
        || pcre2_pattern_info(re->code, PCRE2_INFO_ALLOPTIONS, &options))
    {
        return B24_ERROR;
    }

    re->ngroups++;
    re->anchored = (options & PCRE2_ANCHORED) ? 1 : 0;

    return B24_OK;
}


b24_regex_e
b24_regex_exec(const b24_regex_t *regex, const b24_str_t *subject, size_t from,
    b24_regex_time_t *time, b24_regex_match_t *match)
{
    size_t                n;
    PCRE2_SIZE           *ov;
    b24_regex_e           rc;
    pcre2_match_data     *md;
    pcre2_match_context  *mc;

    if (subject->len > B24_REGEX_SUBJECT || time->spent > B24_REGEX_TIME) {
        return B24_REGEX_LIMIT;
    }

    /* malloc()ed: the pool of the code belongs to another thread */

    md = pcre2_match_data_create(regex->ngroups, NULL);
    mc = pcre2_match_context_create(NULL);

    if (md == NULL || mc == NULL) {
        rc = B24_REGEX_ERROR;
        goto done;
    }

    pcre2_set_match_limit(mc, B24_REGEX_LIMIT_MATCH);
    pcre2_set_depth_limit(mc, B24_REGEX_LIMIT_DEPTH);
    pcre2_set_heap_limit(mc, B24_REGEX_LIMIT_HEAP);

    rc = b24_regex_windows(regex, subject, from, time, md, mc);

    if (rc == B24_REGEX_MATCH) {
        ov = pcre2_get_ovector_pointer(md);
        match->ngroups = regex->ngroups;

        for (n = 0; n < regex->ngroups; n++) {
            match->groups[n].data = NULL;
            match->groups[n].len = 0;

            /* \K in a lookaround can end a match before its start */

            if (ov[2 * n] != PCRE2_UNSET && ov[2 * n + 1] >= ov[2 * n]) {
                match->groups[n].data = subject->data + ov[2 * n];
                match->groups[n].len = ov[2 * n + 1] - ov[2 * n];
            }
        }
    }

done:

    pcre2_match_context_free(mc);
    pcre2_match_data_free(md);

    return rc;
}


static b24_regex_e
b24_regex_windows(const b24_regex_t *regex, const b24_str_t *subject,
    size_t from, b24_regex_time_t *time, pcre2_match_data *md,
    pcre2_match_context *mc)
{
    int       rc;
    size_t    end, window;
    u_char   *data;
    int64_t   start, now;

    data = subject->data ? subject->data : (u_char *) "";
    window = regex->anchored ? subject->len : B24_REGEX_WINDOW;
    start = -1;

    for ( ;; ) {
        end = subject->len - from > window ? from + window : subject->len;

        while (end < subject->len && (data[end] & 0xc0) == 0x80) {
            end++;
        }

        if (end < subject->len && start == -1) {
            start = b24_regex_clock();
        }

        pcre2_set_offset_limit(mc, end);

        rc = pcre2_match(regex->code, data, subject->len, from,
                         PCRE2_NO_UTF_CHECK, md, mc);

        if (start != -1) {
            now = b24_regex_clock();
            time->spent += now - start;

            if (now - start < B24_REGEX_QUICK
                && window < B24_REGEX_WINDOW_MAX)
            {
                window *= 2;
            }

            start = now;
        }

        if (rc != PCRE2_ERROR_NOMATCH || end == subject->len) {
            break;
        }

        if (time->spent > B24_REGEX_TIME) {
            rc = PCRE2_ERROR_MATCHLIMIT;
            break;
        }

        from = end;
    }

    return b24_regex_result(rc);
}


static b24_regex_e
b24_regex_result(int rc)
{
    if (rc >= 0) {
        return B24_REGEX_MATCH;
    }

    if (rc == PCRE2_ERROR_NOMATCH) {
        return B24_REGEX_NONE;
    }

    if (rc == PCRE2_ERROR_NOMEMORY) {
        return B24_REGEX_ERROR;
    }

    return B24_REGEX_LIMIT;
}


static int64_t
b24_regex_clock(void)
{
    struct timespec  ts;

    /* the thread's own time: a busy machine must not change what matches */

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) != 0) {
        return 0;
    }

    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


size_t
b24_regex_name(const b24_regex_t *regex, size_t n, b24_str_t *name)
{
    u_char  *p;

    if (n >= regex->nnames) {
        return 0;
    }

    p = regex->names + n * regex->name_size;

    name->data = p + 2;
    name->len = strlen((char *) p + 2);

    return (size_t) (p[0] << 8 | p[1]);
}


int
b24_regex_has_groups(const b24_regex_t *regex)
{
    return regex->ngroups > 1;
}
