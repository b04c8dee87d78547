
/* What a portal tells of its methods' time, and what calls have cost. */


#include "b24_pace_int.h"
#include "b24_decimal.h"


#define B24_PACE_LONGEST  60000000LL    /* of a request in the cloud, us */


/* the answer to one call */
typedef struct {
    const b24_node_t     *time;
    const b24_verdict_t  *verdict;  /* of a failure, else NULL */
    int64_t               expected; /* ms, spent already */
    unsigned              done:1;
    unsigned              unknown:1;
} b24_pace_call_t;


static void b24_pace_ran(const b24_pace_t *pace, b24_pace_method_t *m,
    int64_t ms, int64_t ago);
static void b24_pace_call(b24_pace_t *pace, const char *method,
    const b24_pace_call_t *call, int64_t finish, int64_t now);
static int b24_pace_late(b24_pace_method_t *m, int64_t finish);
static void b24_pace_told(b24_pace_method_t *m, int64_t told, int64_t ms,
    int64_t now);
static void b24_pace_spared(b24_pace_method_t *m, int64_t told, int64_t ms);
static int64_t b24_pace_less(b24_pace_method_t *m, int i, int64_t ms);
static int64_t b24_pace_until(const b24_pace_t *pace, int64_t seconds,
    int64_t finish, int64_t now);
static int64_t b24_pace_us(const b24_node_t *node);


void
b24_pace_learn(b24_pace_t *pace, b24_batch_t *batch,
    const b24_answer_t *answer, int64_t now)
{
    int64_t                 finish;
    b24_node_t             *node;
    b24_command_t          *cmd;
    b24_verdict_t           v;
    b24_cmd_state_e         state;
    b24_pace_call_t         call;
    const b24_node_t       *times;

    times = b24_member(b24_member(answer->root, "result"), "result_time");
    finish = b24_pace_us(b24_member(b24_member(answer->root, "time"),
                                    "finish")) / 1000;

    for (cmd = batch->first; cmd; cmd = cmd->next) {
        memset(&call, 0, sizeof(b24_pace_call_t));
        call.expected = cmd->spent;

        if (answer->verdict.class == B24_CLASS_OK) {
            state = b24_answer_command(batch->pool, answer, cmd->name, &node,
                                       &v);
            call.time = b24_member(times, cmd->name);
            call.done = (state == B24_CMD_DONE);
            call.verdict = (state == B24_CMD_FAILED) ? &v : NULL;
        }

        call.unknown = (answer->verdict.class == B24_CLASS_CHECK);

        b24_pace_call(pace, cmd->method, &call, finish, now);
        cmd->spent = 0;
    }

    memset(&call, 0, sizeof(b24_pace_call_t));
    call.expected = batch->spent;
    call.time = b24_member(answer->root, "time");
    call.done = (answer->verdict.class == B24_CLASS_OK);
    call.verdict = call.done ? NULL : &answer->verdict;
    call.unknown = (answer->verdict.class == B24_CLASS_CHECK);

    b24_pace_call(pace, "batch", &call, finish, now);
    batch->spent = 0;
}


void
b24_pace_learn_call(b24_pace_t *pace, const char *method,
    const b24_answer_t *answer, int64_t now)
{
    int64_t          finish;
    b24_pace_call_t  call;

    memset(&call, 0, sizeof(b24_pace_call_t));

    call.time = b24_member(answer->root, "time");
    call.done = (answer->verdict.class == B24_CLASS_OK);
    call.verdict = call.done ? NULL : &answer->verdict;

    finish = b24_pace_us(b24_member(call.time, "finish")) / 1000;

    b24_pace_call(pace, method, &call, finish, now);
}


static void
b24_pace_call(b24_pace_t *pace, const char *method,
    const b24_pace_call_t *call, int64_t finish, int64_t now)
{
    int64_t             us, ms, told, done;
    b24_pace_method_t  *m;

    m = b24_pace_method(pace, method, now);
    if (m == NULL) {
        return;
    }

    us = b24_pace_us(b24_member(call->time, "duration"));

    if (us > B24_PACE_LONGEST) {
        us = B24_PACE_LONGEST;
    }

    /* of a lost answer nobody knows; what was not run has cost nothing */

    if (call->unknown) {
        return;
    }

    ms = (us >= 0) ? (us + 999) / 1000 : call->done ? call->expected : 0;

    done = b24_pace_us(b24_member(call->time, "finish")) / 1000;

    b24_pace_take(m, call->expected, 1);
    b24_pace_ran(pace, m, ms, (done > 0 && finish > done) ? finish - done : 0);

    if (call->done) {
        m->blocked = 0;

        if (us >= 0) {
            m->cost += (us - m->cost) / 4;
        }
    }

    told = b24_pace_us(b24_member(call->time, "operating"));

    if (told >= 0 && b24_pace_late(m, done)) {

        /* the newer sum has this call's part already */

    } else if (told >= 0) {
        m->reset_at = b24_pace_until(pace,
                           b24_node_id(b24_member(call->time,
                                                  "operating_reset_at")),
                           finish, now);
        m->reckoned = 0;

        if (call->done) {
            b24_pace_spared(m, told / 1000, ms);
        }

        b24_pace_told(m, told / 1000, ms, now);

    } else if (m->told >= 0) {
        m->told += ms;
    }

    if (call->verdict && call->verdict->class == B24_CLASS_WAIT) {
        m->blocked = b24_pace_until(pace, call->verdict->reset_at, finish,
                                    now);

        if (m->blocked == 0) {
            m->blocked = now + pace->window / 2;
        }
    }
}


/* the portal has counted it when it was done, which may be a while ago */

static void
b24_pace_ran(const b24_pace_t *pace, b24_pace_method_t *m, int64_t ms,
    int64_t ago)
{
    int64_t  i, begun;

    begun = m->used - m->slot * b24_pace_width(pace);
    i = 0;

    if (ago > begun) {
        i = (ago - begun - 1) / b24_pace_width(pace) + 1;
    }

    m->spent[i < B24_PACE_OPEN ? i : B24_PACE_OPEN - 1] += ms;
}


/*
 * Of two transfers the one that ends later may tell of an earlier moment.  A
 * request is over after a minute: what is older is a clock that was set back.
 */

static int
b24_pace_late(b24_pace_method_t *m, int64_t finish)
{
    if (finish > 0 && finish < m->told_by
        && m->told_by - finish <= B24_PACE_LONGEST / 1000)
    {
        return 1;
    }

    m->told_by = (finish > 0) ? finish : 0;

    return 0;
}


/*
 * How much of a call has come to the sum.  A bucket may have left the sum
 * meanwhile, so that less is believed slowly, and more at once.
 */

static void
b24_pace_spared(b24_pace_method_t *m, int64_t told, int64_t ms)
{
    int64_t  more, spared;

    more = told - m->told;

    if (m->told < 0 || more < 0 || ms <= 0) {
        return;
    }

    spared = (more < ms) ? 1000 - more * 1000 / ms : 0;

    m->spared = (spared < m->spared) ? spared
                                     : m->spared + (spared - m->spared) / 8;
}


/*
 * Our own is brought down to what the portal counts (half of it, nothing of
 * short calls), since it is taken off as it leaves the window: first what this
 * call has added, as the portal has told of all others before; then the oldest,
 * which has left already.
 */

static void
b24_pace_told(b24_pace_method_t *m, int64_t told, int64_t ms, int64_t now)
{
    int      i;
    int64_t  more;

    m->told = told;
    m->told_at = now;
    m->left = 0;

    more = b24_pace_sum(m) - told - b24_pace_open(m);

    if (more <= 0) {
        return;
    }

    if (ms > more) {
        ms = more;
    }

    more -= ms;

    for (i = 0; i <= B24_PACE_BUCKETS && ms > 0; i++) {
        ms -= b24_pace_less(m, i, ms);
    }

    for (i = B24_PACE_BUCKETS; i >= 0 && more > 0; i--) {
        more -= b24_pace_less(m, i, more);
    }
}


/* what is on its way stays */

static int64_t
b24_pace_less(b24_pace_method_t *m, int i, int64_t ms)
{
    int64_t  most;

    most = m->spent[i] - (i < B24_PACE_OPEN ? m->open[i] : 0);

    if (ms > most) {
        ms = (most > 0) ? most : 0;
    }

    m->spent[i] -= ms;

    return ms;
}


/* the portal's time by our clock, 0: not known, or nothing that makes sense */

static int64_t
b24_pace_until(const b24_pace_t *pace, int64_t seconds, int64_t finish,
    int64_t now)
{
    int64_t  until, latest;

    if (seconds <= 0 || seconds > INT64_MAX / 4000) {
        return 0;
    }

    until = seconds * 1000;

    if (finish > 0) {
        until += now - finish;
    }

    latest = now + pace->window + b24_pace_width(pace);

    if (until <= now) {
        return 0;
    }

    return until < latest ? until : latest;
}


/* seconds as microseconds, at most a hundred years; -1: not told */

static int64_t
b24_pace_us(const b24_node_t *node)
{
    b24_str_t      text;
    b24_decimal_t  d;

    if (node == NULL || b24_node_text(node, &text) != B24_OK
        || b24_decimal_parse(&text, &d) != B24_OK
        || b24_decimal_round(&d, 6) != B24_OK || d.units < 0
        || d.units > B24_PACE_MOST)
    {
        return -1;
    }

    return d.units;
}
