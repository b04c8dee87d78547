
/*
 * A sieve may let a text pass that does not match, and never the other way
 * round: it is compared with PCRE2 and with the query's parser, on texts that
 * are made of what patterns ask for.
 */


#include "tap.h"
#include "b24_node.h"
#include "b24_regex.h"
#include "b24_sieve.h"
#include "b24_text.h"

#include <stdlib.h>


#define TEXTS  4000


static b24_pool_t  *pool;
static uint32_t     seed = 1;


static uint32_t
any(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (uint32_t) (((uint64_t) (seed >> 4) * n) >> 28);
}


/* of what patterns here ask for, and of what is near to it */
static size_t
make_text(char *to, size_t size)
{
    size_t       len, n;
    const char  *s;

    static const char *const  pieces[] = {
        "/", "/", "/", "a", "b", "ab", "abc", "x", "xyz", ".", ".php", ".html",
        "index.php", "order", "orders", "ORDER", "checkout", "bitrix/", "admin",
        "tools/", "cart", "basket", "-", "_", "0", "17", "1", "=", "&", "?",
        "%", "%2F", "+", " ", "\n", "\r", "\t", "\xd0\x98", "\xd1\x8f",
        "\xe2\x84\xaa", "\xc5\xbf", "k", "K", "s", "S", "wp-json/wc/store/v1/",
        "wc-api", "[", "]", "{", "}", "(", ")", "|", "^", "$", "*", ",", "aa",
        "aaa", "bb", "cart/", "?route=", "&route=", "checkout/confirm", "key",
        "key=", "k.y=", "k_y=", "k%65y=", "[key]=", "key[]=", "key[a]=", "v"
    };

    len = 0;

    for (n = any(9); n; n--) {
        s = pieces[any(sizeof(pieces) / sizeof(pieces[0]))];

        if (len + strlen(s) < size) {
            memcpy(to + len, s, strlen(s));
            len += strlen(s);
        }
    }

    return len;
}


static void
is_regex(const char *pattern, int icase)
{
    int                 rc;
    char                text[256], err[200];
    b24_str_t           s, t;
    unsigned            n, missed, wrong, passed, found;
    uint64_t            set, sure;
    b24_regex_e         e;
    b24_regex_t        *regex;
    b24_sieve_t        *sieve;
    b24_regex_time_t    time;
    b24_regex_match_t   match;

    s = str(pattern);
    sieve = b24_sieve_create(pool);
    rc = b24_regex_compile(pool, &s, icase, &regex, err, sizeof(err));

    if (rc != B24_OK || b24_sieve_regex(sieve, 5, &s, icase) != B24_OK
        || b24_sieve_close(sieve) != B24_OK)
    {
        ok(0, "%s can't be compiled", pattern);
        return;
    }

    missed = 0;
    wrong = 0;
    passed = 0;
    found = 0;

    for (n = 0; n < TEXTS; n++) {
        t.data = (u_char *) text;
        t.len = n ? make_text(text, sizeof(text)) : 0;

        if (!b24_utf8_valid(&t)) {
            continue;
        }

        time.spent = 0;
        e = b24_regex_exec(regex, &t, &time, &match);
        set = b24_sieve_look(sieve, &t, UINT64_MAX, &sure);

        found += (e == B24_REGEX_MATCH);
        passed += (set != 0);

        if (e == B24_REGEX_MATCH && set == 0) {
            printf("# missed: \"%.*s\"\n", (int) t.len, text);
            missed++;
        }

        if (sure && e != B24_REGEX_MATCH) {
            printf("# not so sure: \"%.*s\"\n", (int) t.len, text);
            wrong++;
        }
    }

    ok(missed == 0 && wrong == 0, "~%s%s: %u match, %u pass, %u bytes",
       icase ? "*" : "", pattern, found, passed,
       (unsigned) b24_sieve_size(sieve));
}


static void
test_regexes(void)
{
    size_t  i;

    static const char *const  patterns[] = {
        "", "a", "abc", "^a", "a$", "^a$", "^$", "$", "^", "a|b", "^a|b$",
        "^(a|b)$", "a*", "^a*$", "a+b", "^a+b?$", "(ab)+", "^(ab|abc)*x",
        "a{2}", "^a{2,3}$", "a{0,2}b", "^a{2,}$", "x{1}", "a{,3}", "a{x", "{",
        "}", "]", "a}", ".", "^.$", "^..$", "^...$", "a.b", "^.{3}$", "^.*$",
        "[ab]", "^[ab]+$", "[^ab]", "^[^ab]$", "^[^/]*$", "[]a]", "[^]a]",
        "[a-c]", "[a\\-c]", "[-a]", "[a-]", "[\\w-]+$", "[\\d.]", "[\\W]",
        "[^\\w]", "[\\s]", "[\\]]", "[^\\]]", "\\d", "^\\d+$", "\\w\\W",
        "\\s", "^\\S+$", "\\D", "\\n", "\\t", "\\r", "a\\nb", "\\x41",
        "\\x2f", "\\.php$", "\\/", "\\bab\\b", "\\Bb", "(?:ab)x", "(?<n>ab)x",
        "(?P<n>a)", "(?>a|ab)x", "(?=a)ab", "^(?!a)", "(?<=a)b", "(?<!a)b",
        "(a)\\1", "(?i)A", "(?#no)a", "\\Qa\\E", "\\Aa", "a\\z", "a\\Z",
        "\\Ka", "a\\Kb", "[[:alpha:]]", "\\p{L}", "\\h", "\\R", "(?|a|b)",
        "a*?b", "a++b", "a?+b", "(a*)*b", "(a|b|)x", "()", "(|a)", "(^a)",
        "(a$)", "a$b", "a^b", "(a|^)b", "^^a", "a$$", "$\\n", "a$\\n",
        "a(b$|c)", "\xd0\x98", "[\xd0\x98]", "^\xd0\x98$", "[^a]",
        "^[^\\x00-\\x1f]*$", "(?!a|b)c", "k", "s", "^k$", "^s+$", "[k]",
        "[^k]", "[a-z]", "[^a-z]", "[A-Z]", "^[s-t]$",
        "/(index\\.php)?$",
        "^/(?!bitrix/(admin|tools)/)(.*/)?([^/.]*|[^/]+\\.(php|html?))$",
        "/[\\w-]*(order|make|checkout|cart|basket|korzina)[\\w-]*"
        "(/|(/[\\w-]+)?\\.(php|html?))?$",
        "^/.*wp-json/wc/store/v1/cart(/|$)",
        "^/(?!.*(wp-admin|wp-json|wp-login)).*$",
        "/(checkout|order|orders|buy)(/[\\w-]*)*/?(\\w+\\.php)?$",
        "/sell/orders/(list/)?\\d+/status$", "[?&]wc-api[/=]"
    };

    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        is_regex(patterns[i], 0);
        is_regex(patterns[i], 1);
    }
}


static void
is_query(const char *key, const char *pattern, int icase)
{
    int                 rc, holds;
    char                text[300], err[200];
    b24_str_t           k, p, t, args;
    unsigned            n, missed, passed, found;
    uint64_t            set, sure;
    b24_node_t         *root, *node;
    b24_regex_t        *regex;
    b24_sieve_t        *sieve;
    b24_regex_time_t    time;
    b24_regex_match_t   match;

    k = str(key);
    p = str(pattern ? pattern : "");
    regex = NULL;
    sieve = b24_sieve_create(pool);
    rc = pattern ? b24_regex_compile(pool, &p, icase, &regex, err, sizeof(err))
                 : B24_OK;

    if (rc != B24_OK
        || b24_sieve_query(sieve, 63, &k, pattern ? &p : NULL, icase)
           != B24_OK
        || b24_sieve_close(sieve) != B24_OK)
    {
        ok(0, "%s ~%s can't be compiled", key, p.data);
        return;
    }

    missed = 0;
    passed = 0;
    found = 0;

    for (n = 0; n < TEXTS; n++) {
        memcpy(text, "/a?", 3);
        t.data = (u_char *) text;
        t.len = 3 + make_text(text + 3, sizeof(text) - 3);
        args.data = t.data + 3;
        args.len = t.len - 3;

        if (!b24_utf8_valid(&t)
            || b24_form_parse(pool, &args, &root) != B24_OK)
        {
            continue;
        }

        holds = 0;

        for (node = root->first; node; node = node->next) {

            if (!b24_str_eq(&node->key, &k)) {
                continue;
            }

            if (node->type != B24_STRING || regex == NULL) {
                holds = node->type != B24_STRING || node->value.len;
                continue;
            }

            time.spent = 0;
            holds = node->value.len && b24_utf8_valid(&node->value)
                    && b24_regex_exec(regex, &node->value, &time, &match)
                       == B24_REGEX_MATCH;
        }

        set = b24_sieve_look(sieve, &t, UINT64_MAX, &sure);

        found += (holds != 0);
        passed += (set != 0);

        if ((holds && set == 0) || sure) {
            printf("# missed: \"%.*s\"\n", (int) t.len, text);
            missed++;
        }
    }

    ok(missed == 0, "query:/%s ~%s%s: %u hold, %u pass", key,
       icase ? "*" : "", p.data, found, passed);
}


static void
test_queries(void)
{
    is_query("key", NULL, 0);
    is_query("k_y", NULL, 0);
    is_query("route", NULL, 0);
    is_query("key", "^a", 0);
    is_query("key", "a$", 0);
    is_query("key", "^a$", 0);
    is_query("key", "a b", 0);
    is_query("key", "^[^a]", 0);
    is_query("key", "/", 1);
    is_query("key", "K", 1);
    is_query("k_y", "v", 0);
    is_query("a", "^b|c$", 0);
    is_query("a", "(x)\\1", 0);
    is_query("route", "^checkout/confirm([/.|]confirm)?$", 0);
}


static void
test_texts(void)
{
    b24_str_t     s;
    uint64_t      sure;
    b24_sieve_t  *sieve;

    sieve = b24_sieve_create(pool);

    s = str("/checkout");
    (void) b24_sieve_text(sieve, 0, &s, 0);
    s = str("/api/");
    (void) b24_sieve_text(sieve, 1, &s, 1);
    s = str("/cart");
    (void) b24_sieve_text(sieve, 0, &s, 0);
    s = str("(a)\\1");
    (void) b24_sieve_regex(sieve, 63, &s, 0);

    is_int(b24_sieve_close(sieve), B24_OK, "closed");

    s = str("/checkout");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 1, "a text");
    is_int((int64_t) sure, 1, "for sure");
    s = str("/cart");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 1, "another");
    s = str("/checkout/");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 0, "a longer one");
    s = str("/checkou");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 0, "a shorter one");
    s = str("/x/checkout");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 0, "not at the start");
    s = str("/api/");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 2, "a beginning");
    s = str("/api/x?y");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 2, "and what follows");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) >> 63), 1, "what can't be told passes");
    is_int((int64_t) (sure >> 63), 0, "and is not sure");
    s = str("/a\xff");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 3), 3, "no UTF-8 passes for all");
    is_int((int64_t) sure, 0, "and nothing is sure");
    s = str("/checkout");
    is_int((int64_t) b24_sieve_look(sieve, &s, 2, &sure), 0, "not wanted");
    s = str("");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 7), 0, "an empty text");
}


/* what is too large for one table is parted, what is for any passes */
static void
test_large(void)
{
    char          text[40];
    b24_str_t     s;
    unsigned      i;
    uint64_t      sure;
    b24_sieve_t  *sieve;

    sieve = b24_sieve_create(pool);

    for (i = 0; i < 64; i++) {
        (void) snprintf(text, sizeof(text), "%c.{%u}%c.*%c$", 'a' + i % 26,
                        1 + i % 5, 'b' + i % 20, 'c' + i % 7);
        s = str(text);
        (void) b24_sieve_regex(sieve, i, &s, 0);
    }

    is_int(b24_sieve_close(sieve), B24_OK, "64 patterns");
    ok(b24_sieve_size(sieve) < 4 << 20, "take %u bytes",
       (unsigned) b24_sieve_size(sieve));

    s = str("/");
    is_int((int64_t) b24_sieve_look(sieve, &s, UINT64_MAX, &sure), 0, "and none passes");
    s = str("a/bc");
    is_int((int64_t) (b24_sieve_look(sieve, &s, UINT64_MAX, &sure) & 1), 1, "one passes");

    sieve = b24_sieve_create(pool);
    s = str("a.{20}b");
    (void) b24_sieve_regex(sieve, 0, &s, 0);
    s = str("^/b");
    (void) b24_sieve_regex(sieve, 1, &s, 0);
    is_int(b24_sieve_close(sieve), B24_OK, "a pattern of many states");

    s = str("/x");
    is_int((int64_t) b24_sieve_look(sieve, &s, UINT64_MAX, &sure), 1, "passes always");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_regexes();
    test_queries();
    test_texts();
    test_large();

    b24_pool_destroy(pool);

    return done_testing();
}
