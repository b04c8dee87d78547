
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

/* nanoseconds all matches of one owner may take: a small text is looked at on
 * an event loop, 64 KB get 33 ms, 1 MB gets 230 ms */
#define B24_REGEX_TIME(len)     (20000000 + 200 * (int64_t) (len))


struct b24_regex_s {
    pcre2_code  *code;
    uint32_t     ngroups;
    uint32_t     nnames;
    uint32_t     name_size;
    u_char      *names;
    b24_str_t    pattern;
    unsigned     icase:1;
    unsigned     anchored:1;
};


/* one regex on one subject */
typedef struct {
    const b24_regex_t    *regex;
    u_char               *data;
    size_t                len;
    b24_regex_time_t     *time;
    int64_t               limit;
    int64_t               clock;    /* -1: not looked at yet */
    pcre2_match_data     *md;
    pcre2_match_context  *mc;
} b24_matcher_t;


static void *b24_regex_malloc(PCRE2_SIZE size, void *data);
static void b24_regex_free(void *p, void *data);
static int b24_regex_info(b24_regex_t *regex);
static b24_regex_e b24_matcher_open(b24_matcher_t *m,
    const b24_regex_t *regex, const b24_str_t *subject,
    b24_regex_time_t *time);
static void b24_matcher_close(b24_matcher_t *m);
static b24_regex_e b24_matcher_next(b24_matcher_t *m, size_t from,
    b24_regex_match_t *match);
static b24_regex_e b24_matcher_windows(b24_matcher_t *m, size_t from);
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

    re->icase = icase ? 1 : 0;

    if (b24_pstrdup(pool, &re->pattern, pattern->data, pattern->len)
        != B24_OK)
    {
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
b24_regex_exec(const b24_regex_t *regex, const b24_str_t *subject,
    b24_regex_time_t *time, b24_regex_match_t *match)
{
    b24_regex_e    rc;
    b24_matcher_t  m;

    rc = b24_matcher_open(&m, regex, subject, time);

    if (rc == B24_REGEX_MATCH) {
        rc = b24_matcher_next(&m, 0, match);
    }

    b24_matcher_close(&m);

    return rc;
}


b24_regex_e
b24_regex_each(const b24_regex_t *regex, const b24_str_t *subject,
    b24_regex_time_t *time, b24_regex_match_pt fn, void *data)
{
    int                rc;
    size_t             from;
    unsigned           found;
    b24_regex_e        re;
    b24_matcher_t      m;
    b24_regex_match_t  match;

    found = 0;
    match.groups[0].data = NULL;
    re = b24_matcher_open(&m, regex, subject, time);

    for (from = 0; re == B24_REGEX_MATCH; /* void */) {

        re = b24_matcher_next(&m, from, &match);

        if (re != B24_REGEX_MATCH || match.groups[0].data == NULL) {
            break;
        }

        from = (size_t) (match.groups[0].data - m.data) + match.groups[0].len;

        if (match.groups[0].len) {
            found = 1;
            rc = fn(data, &match);

            if (rc != B24_OK) {
                re = rc == B24_ERROR ? B24_REGEX_ERROR : B24_REGEX_MATCH;
                break;
            }

            continue;
        }

        /* nothing matched here: on by one character */

        if (from == m.len) {
            break;
        }

        do {
            from++;
        } while (from < m.len && (m.data[from] & 0xc0) == 0x80);
    }

    b24_matcher_close(&m);

    if (re == B24_REGEX_LIMIT || re == B24_REGEX_ERROR) {
        return re;
    }

    return found ? B24_REGEX_MATCH : B24_REGEX_NONE;
}


static b24_regex_e
b24_matcher_open(b24_matcher_t *m, const b24_regex_t *regex,
    const b24_str_t *subject, b24_regex_time_t *time)
{
    memset(m, 0, sizeof(b24_matcher_t));

    m->regex = regex;
    m->data = subject->data ? subject->data : (u_char *) "";
    m->len = subject->len;
    m->time = time;
    m->limit = B24_REGEX_TIME(subject->len);
    m->clock = -1;

    if (m->len > B24_REGEX_SUBJECT) {
        return B24_REGEX_LIMIT;
    }

    /* malloc()ed: the pool of the code belongs to another thread */

    m->md = pcre2_match_data_create(regex->ngroups, NULL);
    m->mc = pcre2_match_context_create(NULL);

    if (m->md == NULL || m->mc == NULL) {
        return B24_REGEX_ERROR;
    }

    pcre2_set_match_limit(m->mc, B24_REGEX_LIMIT_MATCH);
    pcre2_set_depth_limit(m->mc, B24_REGEX_LIMIT_DEPTH);
    pcre2_set_heap_limit(m->mc, B24_REGEX_LIMIT_HEAP);

    return B24_REGEX_MATCH;
}


static void
b24_matcher_close(b24_matcher_t *m)
{
    pcre2_match_context_free(m->mc);
    pcre2_match_data_free(m->md);
}


static b24_regex_e
b24_matcher_next(b24_matcher_t *m, size_t from, b24_regex_match_t *match)
{
    size_t       n, start, end;
    b24_regex_e  rc;
    PCRE2_SIZE  *ov;

    rc = b24_matcher_windows(m, from);

    if (rc != B24_REGEX_MATCH) {
        return rc;
    }

    ov = pcre2_get_ovector_pointer(m->md);
    match->ngroups = m->regex->ngroups;

    for (n = 0; n < match->ngroups; n++) {
        match->groups[n].data = NULL;
        match->groups[n].len = 0;

        start = ov[2 * n];
        end = ov[2 * n + 1];

        /* \K in a lookaround can end a match before its start, or before the
         * place it was looked for */

        if (start != PCRE2_UNSET && end >= start && (n || start >= from)) {
            match->groups[n].data = m->data + start;
            match->groups[n].len = end - start;
        }
    }

    return B24_REGEX_MATCH;
}


static b24_regex_e
b24_matcher_windows(b24_matcher_t *m, size_t from)
{
    int      rc;
    size_t   end, window;
    int64_t  now;

    window = m->regex->anchored ? m->len : B24_REGEX_WINDOW;

    while (m->time->spent <= m->limit) {
        end = m->len - from > window ? from + window : m->len;

        while (end < m->len && (m->data[end] & 0xc0) == 0x80) {
            end++;
        }

        if (end < m->len && m->clock == -1) {
            m->clock = b24_regex_clock();
        }

        pcre2_set_offset_limit(m->mc, end);

        rc = pcre2_match(m->regex->code, m->data, m->len, from,
                         PCRE2_NO_UTF_CHECK, m->md, m->mc);

        if (m->clock != -1) {
            now = b24_regex_clock();
            m->time->spent += now - m->clock;

            if (now - m->clock < B24_REGEX_QUICK
                && window < B24_REGEX_WINDOW_MAX)
            {
                window *= 2;
            }

            m->clock = now;
        }

        if (rc != PCRE2_ERROR_NOMATCH || end == m->len) {
            return b24_regex_result(rc);
        }

        from = end;
    }

    return B24_REGEX_LIMIT;
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


const b24_str_t *
b24_regex_text(const b24_regex_t *regex, int *icase)
{
    *icase = regex->icase;

    return &regex->pattern;
}
