
/* What the files of the pace share. */


#ifndef _B24_PACE_INT_H_INCLUDED_
#define _B24_PACE_INT_H_INCLUDED_


#include "b24_pace.h"


/* a hundred years in microseconds: sums of some of them do not overflow */
#define B24_PACE_MOST  3155760000000000LL


/* ms of a bucket */
int64_t b24_pace_width(const b24_pace_t *pace);
/* the method, brought to now: a new one takes the place of what was not spoken
 * of for the longest time, but of none that is blocked; NULL: there is none */
b24_pace_method_t *b24_pace_method(b24_pace_t *pace, const char *method,
    int64_t now);
/* our own within the window, and what of it is on its way */
int64_t b24_pace_sum(const b24_pace_method_t *m);
int64_t b24_pace_open(const b24_pace_method_t *m);
/* what is on its way, as far as it is there, is so no more: from one end of it,
 * and each from where it was spent */
void b24_pace_take(b24_pace_method_t *m, int64_t ms, int oldest);
/* brings a method to now */
void b24_pace_turn(const b24_pace_t *pace, b24_pace_method_t *m,
    int64_t now);


#endif /* _B24_PACE_INT_H_INCLUDED_ */
