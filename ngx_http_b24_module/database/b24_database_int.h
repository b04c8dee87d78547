
/*
 * What the files of this room share; they alone know the client library.
 */


#ifndef _B24_DATABASE_INT_H_INCLUDED_
#define _B24_DATABASE_INT_H_INCLUDED_


#include "b24_database.h"

#include <mariadb/mysql.h>


#define B24_DATABASE_BINDS   (B24_STATEMENT_BINDS + 3)


struct b24_database_s {
    const b24_database_url_t  *url;
    MYSQL                     *mysql;       /* NULL: not connected */
    unsigned                   connect;     /* s */
    unsigned                   read;
    int64_t                    began;       /* ms, the call at hand */
    unsigned                   used:1;      /* the connection has served */
    unsigned                   prepared:1;  /* the statement at hand was */
    unsigned                   mixes:1;     /* one of the line compares what
                                               can't be compared */
    char                       cause[B24_DATABASE_WORDS];
    const char                *advice;
};


typedef struct {
    MYSQL_BIND     bind[B24_DATABASE_BINDS];
    long long      numbers[B24_DATABASE_BINDS];
    unsigned       n;
} b24_binds_t;


b24_database_rc_e b24_database_connect(b24_database_t *db);
void b24_database_close(b24_database_t *db);
/* rows are read, or, with affected, something is written */
b24_database_rc_e b24_database_run(b24_database_t *db, b24_pool_t *pool,
    const char *sql, size_t len, b24_binds_t *binds, b24_node_t **rows,
    uint64_t *affected);

/* how many of the first n values are known */
int b24_database_bind(const b24_statement_t *statement, unsigned n,
    const b24_str_t *values, b24_binds_t *binds);
/* one more; number: as such, if it is one */
void b24_database_bind_one(b24_binds_t *binds, const b24_str_t *value,
    int number);

/* b24_database_fault.c: the error at hand, said in our words */
b24_database_rc_e b24_database_failed(b24_database_t *db, MYSQL_STMT *stmt);
b24_database_rc_e b24_database_say(b24_database_t *db, b24_database_rc_e rc,
    unsigned code, const char *words);
/* monotonic, ms */
int64_t b24_database_now(void);


#endif /* _B24_DATABASE_INT_H_INCLUDED_ */
