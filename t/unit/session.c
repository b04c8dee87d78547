
/*
 * The store of sessions: what it finds, forgets and gives up, and what is left
 * when a process dies inside of it.
 */

#include "tap.h"
#include "children.h"
#include "session_model.h"

#include <sys/mman.h>
#include <time.h>


#define ROUNDS  40                  /* processes that are killed */


static u_char           seed[B24_SESSIONS_SEED] = "0123456789abcdef";
static b24_sessions_t  *store;


static void
store_new(size_t size)
{
    free(store);
    store = malloc(size);

    if (store == NULL || b24_sessions_init(store, size, seed) != B24_OK) {
        exit(2);
    }
}


static b24_session_key_t
key_of(const char *origin, unsigned line, const char *value)
{
    b24_str_t          o, v;
    b24_session_key_t  key;

    o = str(origin);
    v = str(value);

    b24_session_key(store, &o, line, &v, &key);

    return key;
}


static b24_session_id_t
find(const char *value, uint32_t now, int make)
{
    b24_session_key_t  key;

    key = key_of("shop", 0, value);

    return b24_session_find(store, &key, 1, now, make);
}


static int
put(const char *value, uint32_t now, const char *data)
{
    b24_session_id_t    id;
    b24_session_info_t  info;

    id = find(value, now, 1);
    b24_session_info(store, id, now, &info);

    return b24_session_write(store, id, info.version, (u_char *) data,
                             strlen(data), 5);
}


static int
has(const char *value, uint32_t now, const char *data)
{
    int                 same;
    u_char             *got;
    b24_session_id_t    id;
    b24_session_info_t  info;

    id = find(value, now, 0);
    if (id == 0) {
        return data == NULL;
    }

    b24_session_info(store, id, now, &info);

    got = malloc(info.len + 1);
    b24_session_read(store, id, got);

    same = data && info.len == strlen(data)
           && memcmp(got, data, info.len) == 0;

    free(got);

    return same;
}


static void
test_keys(void)
{
    u_char             other[B24_SESSIONS_SEED];
    b24_session_key_t  a, b;

    store_new(B24_SESSIONS_MIN);

    a = key_of("shop", 0, "v");
    b = key_of("shop", 0, "v");
    ok(memcmp(&a, &b, sizeof(a)) == 0, "the same is the same");

    b = key_of("shop", 1, "v");
    ok(a.a != b.a && a.b != b.b, "another line is another key");
    b = key_of("shop2", 0, "v");
    ok(a.a != b.a && a.b != b.b, "another origin");
    b = key_of("shop", 0, "V");
    ok(a.a != b.a && a.b != b.b, "another value");
    b = key_of("sho", 0, "pv");
    ok(a.a != b.a && a.b != b.b, "origin and value don't run into one another");
    ok(a.a != a.b, "both halves have keys of their own");

    memset(other, 3, sizeof(other));
    (void) b24_sessions_init(store, B24_SESSIONS_MIN, other);
    b = key_of("shop", 0, "v");
    ok(a.a != b.a && a.b != b.b, "another zone has other keys");

    is_int(b24_sessions_init(store, B24_SESSIONS_MIN - 1, seed),
           B24_DECLINED, "too small");
}


static void
test_store(void)
{
    char                  *large;
    size_t                 most;
    b24_session_id_t       id;
    b24_session_info_t     info, later;
    b24_sessions_stat_t    stat;

    store_new(B24_SESSIONS_MIN);
    ok(!b24_sessions_enter(store), "clean");

    ok(has("a", 1, NULL), "nothing there");
    is_int(put("a", 1, "one"), B24_OK, "written");
    ok(has("a", 1, "one"), "read");
    is_int(put("a", 1, ""), B24_OK, "nothing is written over it");
    ok(has("a", 1, ""), "read");

    id = find("a", 1, 0);
    b24_session_info(store, id, 1, &info);
    ok(info.round == 5, "the round is the first one's");
    is_int(b24_session_write(store, id, info.version, (u_char *) "x", 1, 9),
           B24_OK, "again");
    b24_session_info(store, id, 1, &later);
    ok(later.round == 5 && later.version != info.version
       && later.epoch == info.epoch, "only the version changes");

    b24_session_clear(store, id);
    b24_session_info(store, id, 1, &later);
    ok(later.len == 0 && later.round == 0 && later.epoch != info.epoch,
       "cleared");
    is_int(b24_session_write(store, id, info.version, (u_char *) "x", 1, 9),
           B24_DECLINED, "what was read before is too late");
    ok(find("a", 1, 0) == id, "its key stays");

    most = b24_sessions_most(store);
    large = malloc(most + 2);
    memset(large, 'x', most + 1);
    large[most + 1] = '\0';
    is_int(put("b", 1, large), B24_ERROR, "too large");
    large[most] = '\0';
    is_int(put("b", 1, large), B24_OK, "just not");
    ok(has("b", 1, large), "whole");
    ok(most <= B24_SESSIONS_MIN / B24_SESSION_SHARE
       && most > B24_SESSIONS_MIN / B24_SESSION_SHARE / 2,
       "a sixteenth: %zu", most);
    free(large);

    b24_sessions_stat(store, &stat);
    is_int((long long) stat.sessions, 2, "two sessions");
    ok(b24_sessions_check(store), "all in order");
    b24_sessions_leave(store);
}


static uint32_t
marks(b24_session_id_t id, b24_session_mark_e mark, uint32_t now)
{
    b24_session_info_t  info;

    b24_session_info(store, id, now, &info);

    return info.marks[mark];
}


static void
test_marks(void)
{
    b24_session_id_t    id;
    b24_session_info_t  info;

    store_new(B24_SESSIONS_MIN);

    id = find("a", 10, 1);
    b24_session_info(store, id, 10, &info);
    is_int(info.marks[0] + info.marks[1], 0, "no mark");

    b24_session_mark(store, id, B24_SESSION_QUEUED, 10);
    b24_session_mark(store, id, B24_SESSION_QUEUED, 11);
    is_int(marks(id, B24_SESSION_QUEUED, 12), 2, "two");
    is_int(marks(id, B24_SESSION_ANSWER, 12), 0, "none of the other kind");
    b24_session_unmark(store, id, B24_SESSION_QUEUED, info.epoch);
    is_int(marks(id, B24_SESSION_QUEUED, 12), 1, "one is taken back");
    b24_session_unmark(store, id, B24_SESSION_QUEUED, info.epoch + 1);
    is_int(marks(id, B24_SESSION_QUEUED, 12), 1, "of another time it isn't");
    b24_session_unmark(store, id, B24_SESSION_QUEUED, info.epoch);
    b24_session_unmark(store, id, B24_SESSION_QUEUED, info.epoch);
    is_int(marks(id, B24_SESSION_QUEUED, 12), 0, "never below none");

    b24_session_mark(store, id, B24_SESSION_ANSWER, 20);
    is_int(marks(id, B24_SESSION_ANSWER, 20 + B24_SESSION_PENDING), 1,
           "still");
    is_int(marks(id, B24_SESSION_ANSWER, 21 + B24_SESSION_PENDING), 0,
           "one that nobody took back is forgotten");
    b24_session_mark(store, id, B24_SESSION_ANSWER, 100);
    is_int(marks(id, B24_SESSION_ANSWER, 100), 1, "and does not come back");

    b24_session_clear(store, id);
    is_int(marks(id, B24_SESSION_ANSWER, 100), 0,
           "what was on its way is of no use after an order");

    /* but what came behind it is of the next one */

    b24_session_info(store, id, 100, &info);
    b24_session_mark(store, id, B24_SESSION_ORDER, 100);
    b24_session_mark(store, id, B24_SESSION_BEHIND, 100);
    b24_session_clear(store, id);
    is_int(marks(id, B24_SESSION_ORDER, 100), 0, "the order is through");
    is_int(marks(id, B24_SESSION_BEHIND, 100), 1, "what is behind it waits");
    b24_session_unmark(store, id, B24_SESSION_BEHIND, info.epoch);
    is_int(marks(id, B24_SESSION_BEHIND, 100), 0, "it is applied");
}


static void
test_time(void)
{
    int       i, good;
    char      name[16];
    unsigned  n;

    store_new(B24_SESSIONS_MIN);
    b24_sessions_ttl(store, 100);

    (void) put("a", 1000, "one");
    (void) put("b", 1050, "two");
    ok(has("a", 1100, "one"), "used in time");
    ok(has("b", 1151, NULL), "too late");
    ok(has("a", 1200, "one"), "use prolongs it");
    ok(has("a", 1301, NULL), "not for ever");

    /* another worker's clock may be a tick behind */

    (void) put("c", 2000, "three");
    (void) put("d", 1999, "four");
    ok(has("c", 1998, "three") && has("d", 2000, "four"), "a tick behind");
    ok(b24_sessions_check(store), "the list stays in order");

    good = 1;
    for (i = 0; i < 50; i++) {
        (void) snprintf(name, sizeof(name), "e%d", i);
        good &= put(name, 3000, "x") == B24_OK;
    }

    n = b24_sessions_expire(store, 3101, 20);
    is_int(n, 20, "at most so many at once");
    n += b24_sessions_expire(store, 3101, 100);
    is_int(n, 50, "then the rest");
    ok(good && b24_sessions_check(store), "all in order");
}


static void
test_aliases(void)
{
    int                  i, good;
    char                 name[16];
    b24_session_id_t     id;
    b24_session_key_t    k[B24_SESSION_KEYS];
    b24_sessions_stat_t  stat;

    store_new(B24_SESSIONS_MIN);

    (void) put("a", 1, "of a");
    k[0] = key_of("shop", 0, "a");
    k[1] = key_of("shop", 0, "b");
    id = b24_session_find(store, k, 2, 1, 0);
    ok(id && find("b", 1, 0) == id, "a login: both lead to it");
    ok(has("b", 1, "of a"), "with its data");

    (void) put("c", 1, "of c");
    k[0] = key_of("shop", 0, "c");
    id = b24_session_find(store, k, 2, 1, 0);
    ok(has("b", 1, "of c") && has("a", 1, "of c"),
       "the first key decides, all keys lead to it");
    b24_sessions_stat(store, &stat);
    is_int((long long) stat.sessions, 1, "one is left");

    /* at most four, the oldest go, those of the request stay */

    good = 1;

    for (i = 0; i < 20; i++) {
        (void) snprintf(name, sizeof(name), "n%d", i);
        k[0] = key_of("shop", 0, "c");
        k[1] = key_of("shop", 0, name);
        good &= b24_session_find(store, k, 2, 1, 0) == id;
        good &= has("c", 1, "of c");
    }

    ok(good, "a key in use is never the one that goes");
    ok(has("a", 1, NULL) && has("n16", 1, NULL), "older ones are forgotten");
    ok(has("n17", 1, "of c") && has("n19", 1, "of c"), "the last ones lead");
    is_int(b24_session_find(store, k, 0, 1, 1), 0, "no key, no session");
    ok(b24_sessions_check(store), "all in order");
}


static void
test_eviction(void)
{
    int                  i, good, stays;
    char                 name[16], data[1000];
    b24_sessions_stat_t  stat;

    store_new(B24_SESSIONS_MIN);
    memset(data, 'd', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';

    good = 1;
    stays = 1;
    (void) put("stays", 1, data);

    for (i = 0; i < 5000; i++) {
        (void) snprintf(name, sizeof(name), "s%d", i);
        good &= put(name, 1, data) == B24_OK && has(name, 1, data);
        stays &= has("stays", 1, data);
    }

    b24_sessions_stat(store, &stat);
    ok(good, "5000 sessions of 1000 bytes go through 64 KiB");
    ok(stays, "one that is used stays");
    ok(stat.evicted > 4900 && stat.sessions + stat.evicted == 5001,
       "%llu made room, %llu are there", (unsigned long long) stat.evicted,
       (unsigned long long) stat.sessions);
    ok(has("s4990", 1, data) && has("s4000", 1, NULL), "the latest are there");
    ok(b24_sessions_check(store), "all in order");
}


static void
test_moved(void)
{
    void  *at;

    store_new(B24_SESSIONS_MIN);
    (void) put("a", 1, "one");

    at = malloc(B24_SESSIONS_MIN + 64);
    memcpy((u_char *) at + 64, store, B24_SESSIONS_MIN);
    memset(store, 0xff, B24_SESSIONS_MIN);
    free(store);

    store = (b24_sessions_t *) ((u_char *) at + 64);
    ok(has("a", 1, "one") && put("b", 1, "two") == B24_OK
       && has("b", 1, "two"), "mapped at another address");

    store = NULL;
    free(at);
}


static void
test_model(void)
{
    int       i, k;
    u_char    p[4];
    model_t   m;
    uint32_t  x;

    for (i = 0; i < 20; i++) {
        model_init(&m);
        x = (uint32_t) i * 2654435761U + 1;

        for (k = 0; k < 5000 && m.wrong == NULL; k++) {
            x = x * 1664525U + 1013904223U;
            p[0] = (u_char) (x >> 24);
            p[1] = (u_char) (x >> 16);
            x = x * 1664525U + 1013904223U;
            p[2] = (u_char) (x >> 24);
            p[3] = (u_char) (x >> 16);

            model_step(&m, p);
        }

        model_end(&m);
        ok(m.wrong == NULL, "5000 steps beside a model, %d: %s", i,
           m.wrong ? m.wrong : "the same");
        model_done(&m);
    }
}


/* writes until it is killed */

static int
writer(const char *path, int n, int in, int out)
{
    char      name[16], data[3000];
    uint32_t  x;

    (void) path;
    (void) in;

    memset(data, 'd', sizeof(data));
    x = (uint32_t) n;

    (void) send_byte(out);

    for ( ;; ) {
        x = x * 1664525U + 1013904223U;
        (void) snprintf(name, sizeof(name), "s%u", x >> 25);

        data[x % sizeof(data)] = '\0';

        (void) b24_sessions_enter(store);
        (void) put(name, 1, data);
        b24_sessions_leave(store);

        data[x % sizeof(data)] = 'd';
    }

    return 0;
}


static void
test_killed(void)
{
    int                  i, dirty, good;
    child_t              child;
    struct timespec      ts;
    b24_sessions_stat_t  stat;

    free(store);
    store = mmap(NULL, B24_SESSIONS_MIN, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (store == MAP_FAILED
        || b24_sessions_init(store, B24_SESSIONS_MIN, seed) != B24_OK)
    {
        exit(2);
    }

    good = 1;
    dirty = 0;

    for (i = 0; i < ROUNDS; i++) {
        child_start(&child, writer, NULL, i);
        (void) wait_byte(child.in);

        ts.tv_sec = 0;
        ts.tv_nsec = 100000 + i * 77777;
        (void) nanosleep(&ts, NULL);

        child_kill(&child);

        if (b24_sessions_enter(store)) {
            dirty++;
            b24_sessions_stat(store, &stat);
            good &= stat.sessions == 0;
        }

        good &= b24_sessions_check(store);
        good &= put("a", 1, "one") == B24_OK && has("a", 1, "one");
        b24_sessions_leave(store);
    }

    b24_sessions_stat(store, &stat);
    ok(good, "processes killed while they write leave it whole, or empty");
    ok(dirty > 0 && stat.emptied == (uint64_t) dirty,
       "%d of %d were killed inside", dirty, ROUNDS);

    (void) munmap(store, B24_SESSIONS_MIN);
    store = NULL;
}


int
main(void)
{
    test_keys();
    test_store();
    test_marks();
    test_time();
    test_aliases();
    test_eviction();
    test_moved();
    test_model();
    test_killed();

    free(store);

    return done_testing();
}
