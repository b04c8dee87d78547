
/*
 * Redirects of a portal: the credential goes on by TLS only, and only to a host
 * of the portal's own domain.
 *
 * Aims at: crm/b24_moved.c
 */


#include "fuzz.h"
#include "b24_batch.h"
#include "b24_text.h"


static const char *const  homes[] = {
    "a.bitrix24.ru", "a.bitrix24.com:443", "crm.example.co.uk", "127.0.0.1:8080",
    "portal.example.com", "bitrix24.ru", "A.Bitrix24.RU"
};

static const char *const  pieces[] = {
    "https://", "http://", "HTTPS://", "a.bitrix24.ru", "b.bitrix24.ru",
    "bitrix24.ru", "evil.example", "a.bitrix24.ru.evil.example", "@", ":", "443",
    "/rest/1/", "/rest/", "/", "?", "#", ".", "..", "\\", "%2e", "[::1]",
    "127.0.0.1", "a.bitrix24.com", "co.uk", "x.co.uk", "example", "-", " ",
    "\t", "user", "portal2.example.com", "xn--a", "\xd0\x98", "//", "8080", "b",
    "CODE/batch.json", "0", ":443/rest/1/c/", "/oauth/", "a", "ru"
};


static int
ends(const b24_str_t *s, const b24_str_t *end)
{
    b24_str_t  tail;

    if (s->len < end->len) {
        return 0;
    }

    tail.data = s->data + s->len - end->len;
    tail.len = end->len;

    return b24_str_caseeq(&tail, end);
}


/* host without a port */
static b24_str_t
name_of(const b24_str_t *host)
{
    b24_str_t  s = *host;
    u_char    *p;

    p = s.len ? memchr(s.data, ':', s.len) : NULL;

    if (p && (s.len == 0 || s.data[0] != '[')) {
        s.len = (size_t) (p - s.data);
    }

    return s;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          advice[B24_MOVED_ADVICE];
    size_t        i;
    fuzz_t        f;
    b24_buf_t     buf;
    b24_str_t     home, asked, location, host, name, home_name, domain, s;
    b24_moved_e   moved;

    fuzz_init(&f, data, size);

    home = fuzz_pick(&f, homes, sizeof(homes) / sizeof(homes[0]));

    b24_buf_init(&buf, f.pool);
    b24_buf_adds(&buf, fuzz_below(&f, 4) ? "https://" : "http://");
    s = fuzz_below(&f, 4) ? home : fuzz_pick(&f, homes, 7);
    b24_buf_addstr(&buf, &s);
    b24_buf_adds(&buf, "/rest/1/SECRETCODE/batch.json");
    ABORT_UNLESS(b24_buf_str(&buf, &asked) == B24_OK);

    location = fuzz_below(&f, 4)
               ? fuzz_pieces(&f, pieces, sizeof(pieces) / sizeof(pieces[0]),
                             10)
               : fuzz_str(&f);

    moved = b24_moved(f.pool, &home, &asked, &location, &host);

    ABORT_UNLESS(moved <= B24_MOVED_BACK);

    for (i = 0; i < host.len; i++) {
        ABORT_UNLESS(host.data[i] == b24_tolower(host.data[i]));
        ABORT_UNLESS(host.data[i] > ' ' && host.data[i] < 0x7f);
        ABORT_UNLESS(memchr("/?#@\\", host.data[i], 5) == NULL);
    }

    memset(advice, 'x', sizeof(advice));
    b24_moved_advice(moved, &host, advice, sizeof(advice));
    ABORT_UNLESS(memchr(advice, '\0', sizeof(advice)) != NULL);
    ABORT_UNLESS(strstr(advice, "SECRETCODE") == NULL);
    s.data = (u_char *) advice;
    s.len = strlen(advice);
    ABORT_UNLESS(b24_utf8_valid(&s));

    if (moved == B24_MOVED_TO) {
        name = name_of(&host);
        home_name = name_of(&home);

        ABORT_UNLESS(host.len && host.len <= B24_MOVED_HOST);
        ABORT_UNLESS(location.len > 8);
        domain.data = location.data;
        domain.len = 8;
        ABORT_UNLESS(b24_str_caseeqs(&domain, "https://"));

        if (!b24_str_caseeq(&name, &home_name)) {

            /* all but the first label are home's, and two or more */

            for (i = 0; i < home_name.len && home_name.data[i] != '.'; i++) {
                /* void */
            }

            domain.data = home_name.data + i;
            domain.len = home_name.len - i;

            ABORT_UNLESS(domain.len > 1 && ends(&name, &domain));
            ABORT_UNLESS(name.len > domain.len);
            ABORT_UNLESS(memchr(name.data, '.', name.len - domain.len)
                         == NULL);
            ABORT_UNLESS(memchr(domain.data + 1, '.', domain.len - 1) != NULL);
        }
    }

    b24_pool_destroy(f.pool);

    return 0;
}
