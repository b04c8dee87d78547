
/*
 * A shop's MySQL or MariaDB: one connection, kept and made anew when it is
 * lost, and prepared statements whose values are bound.  Everything here blocks
 * for as long as its timeouts say: it runs in threads of its own, one at a time
 * for each connection.  Nothing outside this folder knows the client library.
 */


#ifndef _B24_DATABASE_H_INCLUDED_
#define _B24_DATABASE_H_INCLUDED_


#include "b24_base.h"
#include "b24_node.h"
#include "b24_rules.h"


#define B24_DATABASE_CONNECT   3        /* s */
#define B24_DATABASE_READ      10
#define B24_DATABASE_ROWS      5000     /* of a result at most */
#define B24_DATABASE_BYTES     ((size_t) 8 * 1024 * 1024)
#define B24_DATABASE_COLUMNS   256
#define B24_DATABASE_ORDERS    20       /* that an order may be, at most */
#define B24_DATABASE_WORDS     256


/* what b24_database's URL says; strings are terminated */
typedef struct {
    b24_str_t   user;
    b24_str_t   password;
    b24_str_t   host;
    b24_str_t   name;
    b24_str_t   socket;             /* empty: none */
    b24_str_t   ca;                 /* file, empty: the system's */
    unsigned    port;
    unsigned    tls:1;
} b24_database_url_t;


/* B24_OK, B24_ERROR, or B24_DECLINED: *wrong says what is wrong with it, words
 * that hold nothing of the URL */
int b24_database_url(b24_pool_t *pool, const b24_str_t *text,
    b24_database_url_t *url, const char **wrong);


typedef enum {
    B24_DATABASE_OK = 0,
    B24_DATABASE_NONE,              /* no row */
    B24_DATABASE_UNASKED,           /* no value to ask with: nothing was sent */
    B24_DATABASE_DOWN,              /* no connection, or it was lost */
    B24_DATABASE_SLOW,              /* no answer in time */
    B24_DATABASE_BUSY,              /* it takes no such statement for now */
    B24_DATABASE_ACCESS,            /* user, password, rights, TLS */
    B24_DATABASE_SQL,               /* the statement is refused */
    B24_DATABASE_LARGE,             /* more than a result may have */
    B24_DATABASE_NOMEM
} b24_database_rc_e;


typedef struct b24_database_s  b24_database_t;


/* at the start of the process, before there are threads */
int b24_database_init(void);

/* url lives as long; nothing is connected yet.  NULL: no memory */
b24_database_t *b24_database_create(const b24_database_url_t *url);
void b24_database_destroy(b24_database_t *db);
/* seconds; for tests */
void b24_database_timeouts(b24_database_t *db, unsigned connect,
    unsigned read);


/*
 * Of the line's statements the first that the database's tables allow and that
 * gives rows.  rows is an array of objects, a member a column that isn't NULL.
 * values are by number of what is bound; data NULL: not known, NULL is bound.
 */
b24_database_rc_e b24_database_ask(b24_database_t *db, b24_pool_t *pool,
    const b24_statement_t *statement, const b24_str_t *values,
    b24_node_t **rows);

/* the same of the one statement that writes; *affected: rows that it found */
b24_database_rc_e b24_database_write(b24_database_t *db,
    const b24_statement_t *statement, const b24_str_t *values,
    uint64_t *affected);

/* what time it is there, as a text in the session's zone, and in seconds */
typedef struct {
    b24_str_t   now;
    b24_str_t   seconds;
    u_char      text[2][32];
} b24_database_clock_t;

b24_database_rc_e b24_database_clock(b24_database_t *db,
    b24_database_clock_t *clock);

/* "2026-11-23 12:00:00", of whatever zone, as if it were UTC; DECLINED: it is
 * none */
int b24_database_time(const b24_str_t *text, int64_t *seconds);
/*
 * Seconds since a row has changed, by the clock that was looked at before it
 * was read; at most what has gone by since it wasn't seen.  A shop's program
 * may have another zone than its database's session, by whole quarters of an
 * hour: *zone (seconds, 0 at first) is what was learned of that from rows that
 * can't be older than a quarter.  0 when changed is no time.
 */
int64_t b24_database_age(const b24_database_clock_t *clock,
    const b24_str_t *changed, int64_t most, int64_t *zone);

/* orders changed after (changed, row), the oldest first, at most limit;
 * changed empty: none are read, and the one row has the newest of each column
 * of the whole table */
b24_database_rc_e b24_database_changes(b24_database_t *db, b24_pool_t *pool,
    const b24_statement_t *statement, const b24_str_t *changed,
    const b24_str_t *row, unsigned limit, b24_node_t **rows);

/*
 * Asks for an order by what is known of it, then for its items: a copy of the
 * order with both put into it (b24_order_merge()).  Where it is looked for by
 * its buyer it may be several orders of the shop's, the likeliest first: found
 * has room for B24_DATABASE_ORDERS.  NONE: it isn't there.
 */
b24_database_rc_e b24_database_order(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, const b24_order_t *order, b24_order_t **found,
    size_t *n);

/* when a row was changed, and when its status or flags were: its columns
 * "changed" and "stated", empty if it has none, and what time it was there when
 * they were read */
typedef struct {
    b24_str_t             changed;
    b24_str_t             stated;
    b24_database_clock_t  clock;
} b24_database_moment_t;

/* puts what its "order" statement says of it, goods: "items", too, into an
 * order of which nothing else is known but its number or row */
b24_database_rc_e b24_database_state(b24_database_t *db, b24_pool_t *pool,
    const b24_shop_t *shop, b24_order_t *order, int goods,
    b24_database_moment_t *moment);

/* of the last call that failed, in plain words without a buyer's or a secret's
 * bytes; until the next call */
const char *b24_database_cause(const b24_database_t *db);
const char *b24_database_advice(const b24_database_t *db);


#endif /* _B24_DATABASE_H_INCLUDED_ */
