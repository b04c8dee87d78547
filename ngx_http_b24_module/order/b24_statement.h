
/*
 * A statement of a shop's "database" block: checked and turned into a text with
 * "?" when the configuration is read; its values are bound when it is asked.
 */


#ifndef _B24_STATEMENT_H_INCLUDED_
#define _B24_STATEMENT_H_INCLUDED_


#include "b24_base.h"
#include "b24_order.h"


#define B24_STATEMENT_BINDS  64


typedef enum {
    B24_STATEMENT_ORDER = 0,
    B24_STATEMENT_ITEMS,
    B24_STATEMENT_CHANGES,
    B24_STATEMENT_LINK,
    B24_NSTATEMENTS
} b24_statement_e;


/* what is bound: the fields of an order by their number, and these */
enum {
    B24_BIND_SINCE = B24_ORDER_NFIELDS,
    B24_BIND_DEAL,
    B24_BIND_PLACED,
    B24_NBINDS
};


typedef struct b24_statement_s  b24_statement_t;

struct b24_statement_s {
    b24_str_t         sql;          /* terminated */
    size_t            head;         /* its length without ORDER BY and LIMIT */
    unsigned char     binds[B24_STATEMENT_BINDS];
    unsigned          nbinds;
    unsigned          nhead;        /* of these, in the head */
    b24_statement_t  *next;         /* the alternative for other tables */
};


/* B24_DECLINED: err (errlen bytes) has the sentence */
int b24_statement_compile(b24_pool_t *pool, b24_statement_e kind,
    const b24_str_t *sql, b24_statement_t **statement, char *err,
    size_t errlen);


extern const b24_str_t  b24_statement_names[B24_NSTATEMENTS];


#endif /* _B24_STATEMENT_H_INCLUDED_ */
