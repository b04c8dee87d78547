
/*
 * The sieve beside what it saves: of several patterns in one table, what it
 * leaves out PCRE2, the query's parser and a comparison leave out as well; what
 * it is sure of they find.
 *
 * Aims at: order/b24_sieve.c order/b24_sieve_table.c
 * Aims at: order/b24_sieve_regex.c
 */


#include "patterns.h"
#include "b24_node.h"
#include "b24_regex.h"
#include "b24_sieve.h"
#include "b24_text.h"


#define PATTERNS  5


typedef enum {
    IS_REGEX = 0,
    IS_TEXT,
    IS_PREFIX,
    IS_QUERY
} is_e;


typedef struct {
    is_e          is;
    int           icase;
    b24_str_t     text;             /* or the query's key */
    b24_regex_t  *regex;            /* NULL: none, or anything in the query */
} pattern_t;


static int
make(fuzz_t *f, b24_sieve_t *sieve, unsigned bit, pattern_t *p)
{
    char              err[200];
    b24_str_t         pattern;
    static const char *const  keys[] = { "k", "key", "k_y", "a", "x.y", "K" };

    memset(p, 0, sizeof(pattern_t));
    p->is = (is_e) fuzz_below(f, 4);
    p->icase = (int) fuzz_below(f, 2);

    if (p->is == IS_TEXT || p->is == IS_PREFIX) {
        p->text = pattern_text(f);

        return b24_sieve_text(sieve, bit, &p->text, p->is == IS_PREFIX);
    }

    if (p->is == IS_QUERY) {
        p->text = fuzz_pick(f, keys, sizeof(keys) / sizeof(keys[0]));

        if (fuzz_below(f, 3) == 0) {
            return b24_sieve_query(sieve, bit, &p->text, NULL, 0);
        }
    }

    pattern = pattern_make(f);

    if (b24_regex_compile(f->pool, &pattern, p->icase, &p->regex, err,
                          sizeof(err))
        != B24_OK)
    {
        return B24_DECLINED;
    }

    return p->is == IS_REGEX
           ? b24_sieve_regex(sieve, bit, &pattern, p->icase)
           : b24_sieve_query(sieve, bit, &p->text, &pattern, p->icase);
}


/* -1: nobody can say */
static int
regex_holds(const b24_regex_t *regex, const b24_str_t *text)
{
    b24_regex_time_t    time;
    b24_regex_match_t   match;

    time.spent = 0;

    switch (b24_regex_exec(regex, text, &time, &match)) {
    case B24_REGEX_MATCH:
        return 1;
    case B24_REGEX_NONE:
        return 0;
    default:
        return -1;
    }
}


static int
query_holds(b24_pool_t *pool, const pattern_t *p, const b24_str_t *target)
{
    const u_char      *q;
    b24_str_t          args, text, none = b24_null_string;
    b24_node_t        *root;
    const b24_node_t  *node;

    q = target->len ? memchr(target->data, '?', target->len) : NULL;

    if (q == NULL) {
        return 0;
    }

    args.data = (u_char *) q + 1;
    args.len = target->len - (size_t) (args.data - target->data);

    if (b24_form_parse(pool, &args, &root) != B24_OK) {
        return -1;
    }

    node = b24_node_get(root, &p->text);

    if (node == NULL) {
        return 0;
    }

    if (node->type != B24_STRING) {
        return node->count != 0;
    }

    if (node->value.len == 0) {
        return 0;
    }

    if (p->regex == NULL) {
        return 1;
    }

    ABORT_UNLESS(b24_text_utf8(pool, &node->value, &none, &text) == B24_OK);

    return regex_holds(p->regex, &text);
}


static int
holds(b24_pool_t *pool, const pattern_t *p, const b24_str_t *text)
{
    switch (p->is) {

    case IS_REGEX:
        return regex_holds(p->regex, text);

    case IS_TEXT:
        return b24_str_eq(&p->text, text);

    case IS_PREFIX:
        return text->len >= p->text.len
               && (p->text.len == 0
                   || memcmp(text->data, p->text.data, p->text.len) == 0);

    default:
        return query_holds(pool, p, text);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           h;
    fuzz_t        f;
    uint64_t      set, sure, want;
    unsigned      i, n, texts;
    b24_str_t     text;
    pattern_t     patterns[PATTERNS];
    b24_sieve_t  *sieve;

    fuzz_init(&f, data, size);

    sieve = b24_sieve_create(f.pool);
    ABORT_UNLESS(sieve != NULL);

    want = 0;

    for (n = 0, i = fuzz_below(&f, PATTERNS) + 1; i; i--) {

        if (make(&f, sieve, n * 13 % B24_SIEVE_BITS, &patterns[n]) == B24_OK) {
            want |= 1ULL << n * 13 % B24_SIEVE_BITS;
            n++;
        }
    }

    if (b24_sieve_close(sieve) != B24_OK) {
        b24_pool_destroy(f.pool);
        return 0;
    }

    ABORT_UNLESS(b24_sieve_size(sieve) < 16 << 20);

    for (texts = 0; texts < 12 && (texts == 0 || fuzz_more(&f)); texts++) {
        text = fuzz_below(&f, 4) ? pattern_text(&f) : fuzz_str(&f);
        sure = ~0ULL;
        set = b24_sieve_look(sieve, &text, want, &sure);

        ABORT_UNLESS((set & ~want) == 0);
        ABORT_UNLESS((sure & ~set) == 0);

        if (!b24_utf8_valid(&text)) {
            ABORT_UNLESS(set == want && sure == 0);
            continue;
        }

        for (i = 0; i < n; i++) {
            h = holds(f.pool, &patterns[i], &text);

            if (h == 1) {
                ABORT_UNLESS(set >> i * 13 % B24_SIEVE_BITS & 1);
            }

            if (h == 0) {
                ABORT_UNLESS(!(sure >> i * 13 % B24_SIEVE_BITS & 1));
            }
        }
    }

    b24_pool_destroy(f.pool);

    return 0;
}
