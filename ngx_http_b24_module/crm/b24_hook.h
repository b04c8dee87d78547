
/*
 * What the portal's outgoing webhook says: "this deal has changed".  Whoever
 * knows the address can send anything; only the token tells that it is the
 * portal.
 */


#ifndef _B24_HOOK_H_INCLUDED_
#define _B24_HOOK_H_INCLUDED_


#include "b24_base.h"


typedef struct {
    b24_str_t  token;               /* auth[application_token], may be empty;
                                       secret */
    int64_t    deal;                /* of an event of deals; 0: of another, or
                                       it names none */
} b24_hook_t;


/* an urlencoded body; strings live in the pool.  B24_OK, B24_ERROR, or
 * B24_DECLINED: it is no form */
int b24_hook_read(b24_pool_t *pool, const b24_str_t *body, b24_hook_t *hook);

/* one of n tokens, none of which may be empty.  All are compared to the end,
 * whatever is found: time tells nothing. */
int b24_hook_known(const b24_str_t *tokens, size_t n, const b24_str_t *token);


#endif /* _B24_HOOK_H_INCLUDED_ */
