
/*
 * What a collect and an order cost with a store of sessions that is full.
 *
 *     session [SESSIONS [SIZE]]
 *
 * SESSIONS (1000000) buyers, each with a cart, a form and every tenth with an
 * order, go through a store of SIZE (16777216) bytes: keys, look-ups, copies,
 * merges and clearing as the event loop does them, with the lock left out.  The
 * first 10000 fill an empty store, the last ones push out others: the ratio
 * tells whether that is slower.  Memory is the region and nothing else.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

#include "b24_order.h"
#include "b24_session.h"


#define PART  10000


static b24_sessions_t  *store;


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static long
resident(void)
{
    struct rusage  usage;

    (void) getrusage(RUSAGE_SELF, &usage);

    return usage.ru_maxrss;
}


static void
copy(b24_pool_t *pool, b24_str_t *to, const char *text)
{
    if (b24_pstrdup(pool, to, (const u_char *) text, strlen(text)) != B24_OK) {
        exit(2);
    }
}


/* what a block of rules has given */

static void
collected(b24_pool_t *pool, b24_order_t *session, unsigned long n, int cart)
{
    int          i;
    char         text[64];
    b24_item_t  *item;

    if (!cart) {
        (void) snprintf(text, sizeof(text), "+7916%07lu", n % 10000000);
        copy(pool, &session->fields[B24_ORDER_PHONE], text);
        copy(pool, &session->fields[B24_ORDER_NAME], "Анна Ёлкина");
        copy(pool, &session->fields[B24_ORDER_EMAIL], "anna@example.com");
        copy(pool, &session->fields[B24_ORDER_ADDRESS],
             "127055, Москва, ул. Лесная, д. 5, кв. 12");
        return;
    }

    session->items = NULL;
    session->items_last = NULL;
    session->nitems = 0;

    for (i = 0; i < 1 + (int) (n % 5); i++) {
        item = b24_order_add_item(pool, session);
        if (item == NULL) {
            exit(2);
        }

        copy(pool, &item->fields[B24_ITEM_NAME], "Кружка фарфоровая, 300 мл");
        copy(pool, &item->fields[B24_ITEM_PRICE], "795.00");
        copy(pool, &item->fields[B24_ITEM_QUANTITY], "2");
        copy(pool, &item->fields[B24_ITEM_XML_ID], "MUG-300-W");
    }

    copy(pool, &session->fields[B24_ORDER_TOTAL], "3180.00");
}


static void
take(b24_pool_t *pool, const b24_session_key_t *key, uint32_t second,
    b24_session_info_t *info, b24_order_t **session)
{
    b24_str_t         text;
    b24_session_id_t  id;

    (void) b24_sessions_enter(store);

    id = b24_session_find(store, key, 1, second, 1);
    b24_session_info(store, id, second, info);

    text.len = info->len;
    text.data = b24_pnalloc(pool, info->len + 1);
    b24_session_read(store, id, text.data);

    b24_sessions_leave(store);

    if (text.len == 0) {
        *session = b24_order_create(pool);

    } else if (b24_order_parse(pool, &text, session) != B24_OK) {
        exit(2);
    }
}


static void
buyer(unsigned long n)
{
    int                  part;
    char                 cookie[40];
    uint32_t             second;
    b24_str_t            origin, value, text;
    b24_pool_t          *pool;
    b24_order_t         *session;
    b24_session_key_t    key;
    b24_session_info_t   info;

    origin.data = (u_char *) "shop.example.com";
    origin.len = strlen("shop.example.com");

    value.len = (size_t) snprintf(cookie, sizeof(cookie), "%032lx", n);
    value.data = (u_char *) cookie;

    second = (uint32_t) (n / 1000);

    for (part = 0; part < 2 + (n % 10 == 0); part++) {
        pool = b24_pool_create(0);

        b24_session_key(store, &origin, 0, &value, &key);
        take(pool, &key, second, &info, &session);

        if (part == 2) {
            (void) b24_sessions_enter(store);
            b24_session_clear(store, b24_session_find(store, &key, 1, second,
                                                      1));
            b24_sessions_leave(store);

        } else {
            collected(pool, session, n, part == 0);

            if (b24_order_print(pool, session, &text) != B24_OK) {
                exit(2);
            }

            (void) b24_sessions_enter(store);

            if (b24_session_write(store,
                                  b24_session_find(store, &key, 1, second, 1),
                                  info.version, text.data, text.len, n + 1)
                != B24_OK)
            {
                exit(2);
            }

            b24_sessions_leave(store);
        }

        b24_pool_destroy(pool);
    }
}


int
main(int argc, char **argv)
{
    long                  before;
    size_t                size;
    double                begin, first, last, part;
    u_char                seed[B24_SESSIONS_SEED] = "bench";
    unsigned long         n, sessions;
    b24_sessions_stat_t   stat;

    sessions = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    size = argc > 2 ? strtoul(argv[2], NULL, 10) : 16 * 1024 * 1024;

    store = malloc(size);

    if (store == NULL || b24_sessions_init(store, size, seed) != B24_OK) {
        fprintf(stderr, "session: the store is too small\n");
        return 2;
    }

    before = resident();
    first = 0;
    last = 0;
    begin = now();

    for (n = 0; n < sessions; n++) {

        buyer(n);

        if ((n + 1) % PART == 0) {
            part = (now() - begin) / PART;
            begin = now();

            first = first > 0 ? first : part;
            last = part;
        }
    }

    b24_sessions_stat(store, &stat);

    printf("%lu buyers through %zu KiB: %llu sessions are there, %llu made "
           "room, %llu expired\n", sessions, size / 1024,
           (unsigned long long) stat.sessions,
           (unsigned long long) stat.evicted,
           (unsigned long long) stat.expired);
    printf("ROW\ta buyer, the store is full\tus\t%.1f\t%.1f\t%.1f\t"
           "the first 10000\t%.2f\t%.2f\t%.2f\t\t\n", last * 1e6, last * 1e6,
           last * 1e6, last / first, last / first, last / first);
    printf("memory: %ld KiB more at the end\n", resident() - before);

    return b24_sessions_check(store) ? 0 : 1;
}
