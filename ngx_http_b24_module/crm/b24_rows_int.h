
/* Inside the rows: what its files share. */


#ifndef _B24_ROWS_INT_H_INCLUDED_
#define _B24_ROWS_INT_H_INCLUDED_


#include "b24_crm_int.h"


#define B24_PRICE_PLACES  2
#define B24_QTY_PLACES    4
#define B24_RATE_PLACES   2


typedef enum {
    B24_ROWS_DIFFER = 0,            /* a fee or discount nobody named */
    B24_ROWS_NEAR,                  /* a kopeck per line aside */
    B24_ROWS_EXACT
} b24_rows_fit_e;


typedef struct {
    b24_pool_t          *pool;
    const b24_order_t   *order;
    b24_row_t           *rows;
    size_t               n;
    b24_decimal_t        sum;       /* of the rows, exact */
    unsigned             gross:1;   /* tax is added to net prices */
    unsigned             piece:1;   /* a price is rounded before it is times the
                                       quantity, not after */
    unsigned             net:1;     /* there are net prices */
    unsigned             fine:1;    /* a price may be finer than kopecks */
    unsigned             rounded:1; /* a line's sum was rounded */
    unsigned             unpriced:1;
    unsigned             failed:1;  /* out of memory */
    unsigned             overflow:1;
} b24_rows_t;


/* the code of the portal's measure, 0: it has no such */
int b24_row_measure(const b24_str_t *text);
/* rows for what the lines leave of the total; how well they fit it */
b24_rows_fit_e b24_rows_explain(b24_rows_t *b, const b24_decimal_t *total);

/* a row of that name; price: of all of it */
void b24_rows_extra(b24_rows_t *b, const char *name,
    const b24_decimal_t *price);
/* adds a row, and its sum to b->sum */
void b24_rows_push(b24_rows_t *b, const b24_row_t *row);
/* DECLINED: it is not there, or no number */
int b24_amount(const b24_str_t *text, b24_decimal_t *d);
void b24_negate(b24_decimal_t *d);
/* with these places it is more than the portal's columns hold */
int b24_is_big(const b24_decimal_t *d, unsigned places);


#endif /* _B24_ROWS_INT_H_INCLUDED_ */
