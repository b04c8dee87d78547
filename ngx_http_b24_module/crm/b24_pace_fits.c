
/* Whether an order's batch may go with a slice, and how long it has to wait. */


#include "b24_pace.h"


#define B24_PACE_COMMANDS  (2 * B24_BATCH_MAX)


/* what a slice would take of each method */
typedef struct {
    const char  *method[B24_PACE_COMMANDS];
    int64_t      ms[B24_PACE_COMMANDS];
    unsigned     n;
    int64_t      all;
} b24_pace_tally_t;


static void b24_pace_count_batch(const b24_pace_t *pace, b24_slice_t *slice,
    const b24_batch_t *batch, b24_pace_tally_t *tally);
static void b24_pace_count_slice(const b24_pace_t *pace,
    const b24_slice_t *slice, b24_pace_tally_t *tally);
static void b24_pace_count(const b24_pace_t *pace, b24_pace_tally_t *tally,
    const char *method);
static int b24_pace_left(const b24_pace_t *pace, const char *method,
    int64_t limit, int64_t need, int64_t now);
static int64_t b24_pace_claim(const b24_pace_t *pace, const char *method,
    int64_t limit, int64_t ms);


int
b24_pace_fits(const b24_pace_t *pace, b24_slice_t *slice,
    const b24_batch_t *batch, int64_t limit, int64_t cap, int64_t now)
{
    unsigned          i;
    b24_pace_tally_t  tally;

    if (slice->count == 0) {
        return b24_pace_wait_batch(pace, batch, limit, now) == 0;
    }

    tally.n = 0;
    tally.all = 0;

    b24_pace_count_slice(pace, slice, &tally);
    b24_pace_count_batch(pace, slice, batch, &tally);

    if (tally.all > cap
        || !b24_pace_left(pace, "batch", limit, tally.all, now))
    {
        return 0;
    }

    for (i = 0; i < tally.n; i++) {

        if (!b24_pace_left(pace, tally.method[i], limit, tally.ms[i], now)) {
            return 0;
        }
    }

    return 1;
}


int64_t
b24_pace_wait_batch(const b24_pace_t *pace, const b24_batch_t *batch,
    int64_t limit, int64_t now)
{
    int64_t           wait, one, need;
    unsigned          i;
    const char       *method;
    b24_pace_tally_t  tally;

    tally.n = 0;
    tally.all = 0;

    b24_pace_count_batch(pace, NULL, batch, &tally);

    wait = 0;

    for (i = 0; i <= tally.n; i++) {
        method = (i < tally.n) ? tally.method[i] : "batch";
        need = (i < tally.n) ? tally.ms[i] : tally.all;
        one = b24_pace_wait(pace, method, limit,
                            b24_pace_claim(pace, method, limit, need), now);

        if (one > wait) {
            wait = one;
        }
    }

    return wait;
}


static int
b24_pace_left(const b24_pace_t *pace, const char *method, int64_t limit,
    int64_t need, int64_t now)
{
    int64_t  room;

    room = b24_pace_room(pace, method, limit, now);

    if (limit <= 0) {
        return room > 0;
    }

    return room >= b24_pace_claim(pace, method, limit, need);
}


static void
b24_pace_count(const b24_pace_t *pace, b24_pace_tally_t *tally,
    const char *method)
{
    int64_t   cost;
    unsigned  i;

    cost = b24_pace_cost(pace, method);
    tally->all += cost;

    for (i = 0; i < tally->n; i++) {

        if (strcmp(tally->method[i], method) == 0) {
            tally->ms[i] += cost;
            return;
        }
    }

    if (tally->n < B24_PACE_COMMANDS) {
        tally->method[tally->n] = method;
        tally->ms[tally->n++] = cost;
    }
}


static void
b24_pace_count_slice(const b24_pace_t *pace, const b24_slice_t *slice,
    b24_pace_tally_t *tally)
{
    unsigned                 i;
    const b24_slice_slot_t  *slot;

    for (i = 0; i < slice->count; i++) {
        slot = &slice->slots[i];

        b24_pace_count(pace, tally, slot->nvalues > 1
                                    ? slot->command->many.method
                                    : slot->command->method);
    }
}


/* slice: NULL, or what its commands may go with */

static void
b24_pace_count_batch(const b24_pace_t *pace, b24_slice_t *slice,
    const b24_batch_t *batch, b24_pace_tally_t *tally)
{
    const b24_command_t     *cmd;
    const b24_slice_slot_t  *slot;

    for (cmd = batch->first; cmd; cmd = cmd->next) {
        slot = slice ? b24_slice_alike(slice, cmd) : NULL;

        if (slot == NULL) {
            b24_pace_count(pace, tally, cmd->method);

        } else if (slot->nvalues == 1) {

            /* both become a list, which may be another method */

            b24_pace_count(pace, tally, cmd->many.method);
        }
    }
}


/* what has to be left of the limit: all that will be counted, and twice of it
 * where 80 % are spent */

static int64_t
b24_pace_claim(const b24_pace_t *pace, const char *method, int64_t limit,
    int64_t ms)
{
    int64_t  free, need;

    free = limit / 5 + 1;
    need = b24_pace_counted(pace, method, ms);

    if (free < need) {
        free = need;
    }

    return free < 2 * need ? free : 2 * need;
}
