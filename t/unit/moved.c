
/* Where a redirect of a portal may be followed to. */


#include "tap.h"
#include "b24_batch.h"


typedef struct {
    const char   *home;
    const char   *asked;
    const char   *location;
    b24_moved_e   moved;
    const char   *host;
} case_t;


#define REST   "/rest/1/c0dec0de/batch.json"
#define RU     "https://a.bitrix24.ru" REST


static const case_t  cases[] = {

    /* the same parent domain */
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru" REST, B24_MOVED_TO, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "HTTPS://B.Bitrix24.RU" REST, B24_MOVED_TO, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru:443" REST, B24_MOVED_TO, "b.bitrix24.ru:443" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru/rest/7/other/x?y=z", B24_MOVED_TO, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru/up/rest/1/c/", B24_MOVED_TO, "b.bitrix24.ru" },
    { "a.x.test:8443", "https://a.x.test:8443" REST, "https://b.x.test:8443" REST, B24_MOVED_TO, "b.x.test:8443" },
    { "a.b.c.example.com", "https://a.b.c.example.com" REST, "https://z.b.c.example.com" REST, B24_MOVED_TO, "z.b.c.example.com" },

    { "crm.x.co.uk", "https://crm.x.co.uk" REST, "https://b24.x.co.uk" REST, B24_MOVED_TO, "b24.x.co.uk" },

    /* renamed once more, asked at the new host: the configured one decides */
    { "a.bitrix24.ru", "https://b.bitrix24.ru" REST, "https://c.bitrix24.ru" REST, B24_MOVED_TO, "c.bitrix24.ru" },
    { "a.bitrix24.ru", "https://b.bitrix24.ru" REST, "https://a.bitrix24.ru" REST, B24_MOVED_TO, "a.bitrix24.ru" },

    /* the same host, with TLS now */
    { "localhost:8080", "http://localhost:8080" REST, "https://localhost" REST, B24_MOVED_TO, "localhost" },
    { "127.0.0.1:80", "http://127.0.0.1:80" REST, "https://127.0.0.1:8443" REST, B24_MOVED_TO, "127.0.0.1:8443" },
    { "[::1]:80", "http://[::1]:80" REST, "https://[::1]:8443" REST, B24_MOVED_TO, "[::1]:8443" },

    /* without TLS */
    { "a.bitrix24.ru", RU, "http://b.bitrix24.ru" REST, B24_MOVED_PLAIN, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "http://a.bitrix24.ru" REST, B24_MOVED_PLAIN, "a.bitrix24.ru" },
    { "localhost:80", "http://localhost:80" REST, "http://localhost:81" REST, B24_MOVED_PLAIN, "localhost:81" },

    /* another domain */
    { "a.bitrix24.ru", RU, "https://a.bitrix24.com" REST, B24_MOVED_AWAY, "a.bitrix24.com" },
    { "a.bitrix24.ru", RU, "https://bitrix24.ru" REST, B24_MOVED_AWAY, "bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.a.bitrix24.ru" REST, B24_MOVED_AWAY, "b.a.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.evil.bitrix24.ru" REST, B24_MOVED_AWAY, "b.evil.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://bxbitrix24.ru" REST, B24_MOVED_AWAY, "bxbitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://a.bitrix24.ru.evil.test" REST, B24_MOVED_AWAY, "a.bitrix24.ru.evil.test" },
    { "a.bitrix24.ru", RU, "https://.bitrix24.ru" REST, B24_MOVED_AWAY, ".bitrix24.ru" },
    { "example.com", "https://example.com" REST, "https://another.com" REST, B24_MOVED_AWAY, "another.com" },
    { "a.co.uk", "https://a.co.uk" REST, "https://b.co.uk" REST, B24_MOVED_AWAY, "b.co.uk" },
    { "A.Co.UK", "https://A.Co.UK" REST, "https://b.co.uk" REST, B24_MOVED_AWAY, "b.co.uk" },
    { "a.msk.ru", "https://a.msk.ru" REST, "https://b.msk.ru" REST, B24_MOVED_AWAY, "b.msk.ru" },
    { "a.github.io", "https://a.github.io" REST, "https://b.github.io" REST, B24_MOVED_AWAY, "b.github.io" },
    { "a.x.ck", "https://a.x.ck" REST, "https://b.x.ck" REST, B24_MOVED_AWAY, "b.x.ck" },
    { "portal", "https://portal" REST, "https://other" REST, B24_MOVED_AWAY, "other" },
    { "a.", "https://a." REST, "https://b." REST, B24_MOVED_AWAY, "b." },
    { "a.b.", "https://a.b." REST, "https://c.b." REST, B24_MOVED_AWAY, "c.b." },
    { "a..b", "https://a..b" REST, "https://c..b" REST, B24_MOVED_AWAY, "c..b" },

    /* addresses have no domain */
    { "10.0.0.1", "https://10.0.0.1" REST, "https://11.0.0.1" REST, B24_MOVED_AWAY, "11.0.0.1" },
    { "a.0.0.1", "https://a.0.0.1" REST, "https://10.0.0.1" REST, B24_MOVED_AWAY, "10.0.0.1" },
    { "[::1]", "https://[::1]" REST, "https://[::2]" REST, B24_MOVED_AWAY, "[::2]" },

    /* what another reader may see another host in is none */
    { "a.bitrix24.ru", RU, "https://:a.bitrix24.ru:443" REST, B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://evil:.bitrix24.ru:443" REST, B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru:443x" REST, B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru:654321" REST, B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://[b.bitrix24.ru" REST, B24_MOVED_NOWHERE, "" },
    { "[::1]:80", "http://[::1]:80" REST, "https://[::1]x:8443" REST, B24_MOVED_NOWHERE, "" },

    /* not to REST */
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru/", B24_MOVED_ELSEWHERE, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru", B24_MOVED_ELSEWHERE, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru/rest", B24_MOVED_ELSEWHERE, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru/login?back=/rest/1/c/", B24_MOVED_ELSEWHERE, "b.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru/#/rest/1/c/", B24_MOVED_ELSEWHERE, "b.bitrix24.ru" },

    /* round in a circle */
    { "a.bitrix24.ru", RU, RU, B24_MOVED_BACK, "a.bitrix24.ru" },
    { "a.bitrix24.ru", RU, "https://a.bitrix24.ru:443" REST, B24_MOVED_BACK, "a.bitrix24.ru:443" },
    { "a.bitrix24.ru:443", "https://a.bitrix24.ru:443" REST, "https://A.bitrix24.ru/rest/other", B24_MOVED_BACK, "a.bitrix24.ru" },
    { "127.0.0.1", "https://127.0.0.1" REST, "https://127.0.0.1" REST, B24_MOVED_BACK, "127.0.0.1" },

    /* nothing that could be read */
    { "a.bitrix24.ru", RU, "", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https:///rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "//b.bitrix24.ru/rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "ftp://b.bitrix24.ru/rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https:/b.bitrix24.ru/rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://u:p@b.bitrix24.ru" REST, B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://evil.test\\@b.bitrix24.ru" REST, B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://evil.test?.bitrix24.ru/rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://b%2ebitrix24.ru/rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://\xd0\xb1.bitrix24.ru/rest/", B24_MOVED_NOWHERE, "" },
    { "a.bitrix24.ru", RU, "https://b.bitrix24.ru\r\n/rest/", B24_MOVED_NOWHERE, "" },
};


static void
test_cases(b24_pool_t *pool)
{
    char         name[256], advice[B24_MOVED_ADVICE];
    size_t       i;
    b24_str_t    home, asked, location, host, text;
    b24_moved_e  moved;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        home = str(cases[i].home);
        asked = str(cases[i].asked);
        location = str(cases[i].location);

        moved = b24_moved(pool, &home, &asked, &location, &host);

        (void) snprintf(name, sizeof(name), "%s to %.60s", cases[i].home,
                        cases[i].location[0] ? cases[i].location : "nowhere");
        is_int(moved, cases[i].moved, name);
        is_str(&host, cases[i].host, "and its host");

        if (moved == B24_MOVED_TO) {
            continue;
        }

        b24_moved_advice(moved, &host, advice, sizeof(advice));
        text = str(advice);

        ok(strstr(advice, "b24_webhook") != NULL, "the advice says what to do");
        ok(strstr(advice, "rest/") == NULL && strstr(advice, "c0de") == NULL, "and no path");
        ok(host.len == 0 || b24_str_find(&text, 0, (char *) host.data) >= 0, "it names the host");
        ok(text.data[text.len - 1] == '.', "to its end");
    }
}


/* a host of any length is read, or refused; the advice stays whole */

static void
test_length(b24_pool_t *pool)
{
    char         location[400], advice[B24_MOVED_ADVICE];
    size_t       len;
    int          whole;
    b24_str_t    home, asked, to, host;
    b24_moved_e  moved;

    home = str("a.bitrix24.ru");
    asked = str(RU);
    whole = 1;

    for (len = 1; len < 200; len++) {
        memcpy(location, "https://", 8);
        memset(location + 8, 'x', len);
        memcpy(location + 8 + len, REST, sizeof(REST));

        to = str(location);
        moved = b24_moved(pool, &home, &asked, &to, &host);

        b24_moved_advice(moved, &host, advice, sizeof(advice));

        whole &= (moved == (len <= B24_MOVED_HOST ? B24_MOVED_AWAY
                                                  : B24_MOVED_NOWHERE))
                 && advice[strlen(advice) - 1] == '.';
    }

    ok(whole, "hosts of 1 to 199 bytes");
}


int
main(void)
{
    b24_pool_t  *pool;

    pool = b24_pool_create(0);

    test_cases(pool);
    test_length(pool);

    b24_pool_destroy(pool);

    return done_testing();
}
