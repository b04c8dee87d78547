
/* What the files of the order document share. */


#ifndef _B24_ORDER_INT_H_INCLUDED_
#define _B24_ORDER_INT_H_INCLUDED_


#include "b24_order.h"


/* list: the NULL that ends it */
int b24_pair_append(b24_pool_t *pool, b24_pair_t **list,
    const b24_str_t *name, const b24_str_t *value);


#endif /* _B24_ORDER_INT_H_INCLUDED_ */
