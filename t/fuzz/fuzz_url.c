
/*
 * b24_database's URL, and times as databases write them.  What is refused says
 * so without a byte of it: it holds a password.
 *
 * Aims at: database/b24_database_url.c database/b24_database_time.c
 */


#include "fuzz.h"
#include "b24_database.h"


static const char *const  pieces[] = {
    "mysql://", "user", ":", "password", "@", "host", "/", "name", "?", "&",
    "socket=", "/run/mysqld/mysqld.sock", "ssl=", "1", "0", "ssl_ca=", "%2F",
    "%40", "%", "%00", "[::1]", "[", "]", "3306", "65536", "0", "=", ".", "-",
    "localhost", "127.0.0.1", "\xd0\x98", "#", " ", "%zz", "mysql", "//"
};


static void
check_str(const b24_str_t *s)
{
    ABORT_UNLESS(s->len == 0 || s->data != NULL);
    ABORT_UNLESS(s->data == NULL || s->data[s->len] == '\0');
    ABORT_UNLESS(s->len == 0 || memchr(s->data, '\0', s->len) == NULL);
}


static void
check_url(fuzz_t *f)
{
    int                  rc;
    b24_str_t            text;
    const char          *wrong;
    b24_database_url_t   url;

    text = fuzz_below(f, 4)
           ? fuzz_pieces(f, pieces, sizeof(pieces) / sizeof(pieces[0]), 24)
           : fuzz_str(f);

    wrong = NULL;
    rc = b24_database_url(f->pool, &text, &url, &wrong);

    if (rc != B24_OK) {
        ABORT_UNLESS(rc != B24_DECLINED || (wrong && *wrong));
        return;
    }

    ABORT_UNLESS(url.user.len && url.name.len);
    ABORT_UNLESS(url.host.len || url.socket.len);
    ABORT_UNLESS(url.port <= 65535);
    check_str(&url.user);
    check_str(&url.password);
    check_str(&url.host);
    check_str(&url.name);
    check_str(&url.socket);
    check_str(&url.ca);
}


static void
check_time(fuzz_t *f)
{
    int                     rc;
    int64_t                 seconds, most, age, zone;
    unsigned                n;
    b24_str_t               text;
    b24_database_clock_t    clock;

    static const char *const  digits[] = {
        "2026", "-", "11", "-", "23", " ", "12", ":", "00", ":", "00", "T", "0",
        "9", "1970-01-01 00:00:00", ".000001", "Z", "+03:00", "31", "02", "29",
        "2026-11-23 12:00:00", "2026-11-23 15:00:01", "1795435200", "9999"
    };

#define NDIGITS  (sizeof(digits) / sizeof(digits[0]))

    memset(&clock, 0, sizeof(clock));

    text = fuzz_pieces(f, digits, NDIGITS, 12);
    seconds = 0;
    rc = b24_database_time(&text, &seconds);
    ABORT_UNLESS(rc == B24_OK || rc == B24_DECLINED);
    ABORT_UNLESS(rc != B24_OK || (seconds > -100000000000
                                  && seconds < 400000000000));

    clock.now = fuzz_pieces(f, digits, NDIGITS, 12);
    clock.seconds = fuzz_pieces(f, digits, NDIGITS, 4);
    zone = 0;

    for (n = 0; n < 6; n++) {
        most = fuzz_int(f);
        most = most < 0 ? 0 : most;
        text = fuzz_pieces(f, digits, NDIGITS, 12);
        age = b24_database_age(&clock, &text, most, &zone);

        ABORT_UNLESS(age >= 0 && age <= most);
        ABORT_UNLESS(zone % 900 == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t  f;

    fuzz_init(&f, data, size);

    if (fuzz_below(&f, 2)) {
        check_url(&f);

    } else {
        check_time(&f);
    }

    b24_pool_destroy(f.pool);

    return 0;
}
