
/*
 * A slice: the commands of many orders in one batch (halt:0, no references),
 * and each order's part of its answer.
 *
 *     b24_slice_init()
 *     b24_slice_add()      a batch of each order, under a number of its own
 *     b24_slice_print()    -> POST body to batch.json
 *     b24_slice_answer()   <- what its own batch would have been answered
 *
 * Commands that ask for one of many alike (b24_command_value(),
 * b24_command_record()) are sent as one list.  Only such as differ in nothing
 * but the value are alike, so originators, entities and families of methods
 * are never mixed.  An order that is alone with its command sends it as it is.
 */


#ifndef _B24_SLICE_H_INCLUDED_
#define _B24_SLICE_H_INCLUDED_


#include "b24_batch.h"


#define B24_SLICE_PAGE    50        /* rows that a list answers at most */
#define B24_SLICE_VALUES  25        /* of one list: there may be doubles */


/* a command as the portal gets it */
typedef struct {
    b24_command_t    *command;      /* the first order's */
    const char       *name;
    const b24_str_t  *values[B24_SLICE_VALUES];
    unsigned          nvalues;      /* 0: it is not one of many */
} b24_slice_slot_t;


/* a command of an order */
typedef struct b24_slice_part_s  b24_slice_part_t;

struct b24_slice_part_s {
    unsigned           number;
    b24_command_t     *command;
    b24_slice_slot_t  *slot;
    b24_slice_part_t  *next;
};


typedef struct {
    b24_pool_t        *pool;
    b24_slice_part_t  *first;
    b24_slice_part_t  *last;
    unsigned           count;       /* of slots */
    b24_batch_t        sent;        /* by b24_slice_print() */
    b24_slice_slot_t   slots[B24_BATCH_MAX];
} b24_slice_t;


/* slice may not be copied or moved once it has commands */
void b24_slice_init(b24_slice_t *slice, b24_pool_t *pool);

/*
 * All commands of the batch or none: B24_DECLINED when there is no room.
 * B24_ERROR: out of memory, a batch with halt:1 or one that has failed, or a
 * number that is there already.  The batch's pool has to live as long as the
 * slice.
 */
int b24_slice_add(b24_slice_t *slice, b24_batch_t *batch, unsigned number);

/* what the command would go with, NULL: it takes a place of its own */
b24_slice_slot_t *b24_slice_alike(b24_slice_t *slice,
    const b24_command_t *cmd);

/* the JSON body for batch.json; slice->sent are its commands */
int b24_slice_print(b24_slice_t *slice, b24_str_t *json);

/*
 * What the order of that number was answered, under the names that it has
 * given.  A request that failed as a whole has failed for all.  A command that
 * was neither done nor failed is in neither map; so is one whose list can't be
 * believed: rows without the field, or a full page without a row for it.  It
 * will be so again: such an order is to go alone.  A record that a list does
 * not have is told as its method tells it, "Not found".  own shares nodes with
 * answer.
 */
int b24_slice_answer(b24_pool_t *pool, const b24_slice_t *slice,
    const b24_answer_t *answer, unsigned number, b24_answer_t *own);


#endif /* _B24_SLICE_H_INCLUDED_ */
