
/* A run of a shop's calls; only files b24_call*.c include this one. */


#ifndef _B24_CALL_INT_H_INCLUDED_
#define _B24_CALL_INT_H_INCLUDED_


#include "b24_rules_int.h"
#include "b24_call.h"


struct b24_call_run_s {
    b24_pool_t          *pool;
    const b24_shop_t    *shop;
    b24_str_t            known[B24_CALL_NVALUES];
    b24_str_t            origin;        /* of the site: scheme, host, port */
    b24_pair_t          *values;        /* known ones, then what is learned */
    const b24_call_t    *call;          /* the next one, or the one sent */
    unsigned             n;             /* its number */
    unsigned             sent:1;
    unsigned             session:1;     /* something was learned */
    unsigned             renewed:1;     /* it was over once */
    unsigned             over:1;
    unsigned             login:1;       /* the answer at hand refuses it */
    unsigned             refused:1;     /* a session, for the second time */
    uint64_t             done;          /* bits of the blocks that are done and
                                           aren't called again */
    b24_call_verdict_t   verdict;       /* when it is over */
};


/* from the first call on again, with nothing learned */
void b24_call_reset(b24_call_run_t *run, int *rc);
/* a condition whose text has values in it */
b24_is_e b24_call_holds(b24_call_run_t *run, b24_eval_t *ev,
    const b24_cond_t *cond);
/* the request of run->call */
int b24_call_render(b24_call_run_t *run, b24_call_request_t *req,
    b24_call_verdict_t *v);
/* no answer (status 0), or none that tells more than to try again */
int b24_call_lost(b24_call_run_t *run, unsigned status,
    b24_call_verdict_t *v);
/* what the shop says of an error, as a sentence may have it */
int b24_call_said(b24_call_run_t *run, b24_eval_t *ev, b24_str_t *said);
int b24_call_verdict(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));


#endif /* _B24_CALL_INT_H_INCLUDED_ */
