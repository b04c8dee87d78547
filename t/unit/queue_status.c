
/* What a shop tells later of an order that the queue has: found, noted, merged,
 * behind all orders; and of one whose record has expired. */


#include "queue.h"


static b24_pool_t  *pool;
static const char  *origin = "shop";
static const char  *told_changed = "";
static int64_t      told_made;


static void told(b24_queue_t *q, const char *id, const char *row, const char *state, int64_t now, int want, const char *name);


/* "STATUS/CANCELED/PAID/SHIPPED" */
static b24_queue_rc_e
tell(b24_queue_t *q, const char *id, const char *row, const char *state, int64_t now, int *put)
{
    int                  i;
    char                *p;
    static char          text[128];
    b24_str_t           *to[4];
    b24_queue_rc_e       rc;
    b24_queue_change_t   change;

    memset(&change, 0, sizeof(change));
    snprintf(text, sizeof(text), "%s", state);

    to[0] = &change.status;
    to[1] = &change.canceled;
    to[2] = &change.paid;
    to[3] = &change.shipped;

    for (i = 0, p = strtok(text, "/"); p && i < 4; p = strtok(NULL, "/"), i++) {
        *to[i] = str(strcmp(p, "-") == 0 ? "" : p);
    }

    change.origin = str(origin);
    change.order_id = str(id);
    change.row = str(row);
    change.data = str("{\"v\":1,\"shop\":\"s\"}");
    change.look = strcmp(state, "look") == 0;
    change.changed = str(told_changed);
    change.made = told_made;
    change.now = now;

    if (change.look) {
        change.status.len = 0;
    }

    if (b24_queue_begin(q) != B24_QUEUE_OK) {
        return B24_QUEUE_ERROR;
    }

    rc = b24_queue_status(q, &change, put);

    if (rc == B24_QUEUE_OK || rc == B24_QUEUE_NONE) {
        (void) b24_queue_commit(q);

    } else {
        b24_queue_rollback(q);
    }

    return rc;
}


/* a row of "changes", "STATUS/CANCELED/PAID/SHIPPED", made and seen at these times */
static void
polled(b24_queue_t *q, const char *id, const char *changed, const char *state, int64_t made, int64_t now, int want, const char *name)
{
    told_changed = changed;
    told_made = made;

    told(q, id, "", state, now, want, name);

    told_changed = "";
    told_made = 0;
}


static void
told(b24_queue_t *q, const char *id, const char *row, const char *state, int64_t now, int want, const char *name)
{
    int  put, rc;

    rc = tell(q, id, row, state, now, &put);
    is_int(rc == B24_QUEUE_OK ? put : -(int) rc, want, name);
}


static b24_queue_put_result_t
order(b24_queue_t *q, const char *id, const char *row, int64_t now)
{
    b24_queue_put_t         put;
    b24_queue_put_result_t  result;

    queue_put_init(&put, origin, id, id, now);
    put.row = str(row);

    (void) b24_queue_begin(q);
    (void) b24_queue_put(q, &put, &result);
    (void) b24_queue_commit(q);

    return result;
}


static b24_queue_rc_e
claim(b24_queue_t *q, int64_t now, b24_queue_job_t *job)
{
    int64_t    next;
    b24_str_t  o = str(origin);

    return b24_queue_claim(q, pool, &o, 1, "w", 5 * MINUTE, now, job, &next);
}


/* the claimed event ends; state is what has come to the deal */
static void
end(b24_queue_t *q, b24_queue_job_t *job, b24_state_e state, int64_t now)
{
    b24_queue_seen_t     seen;
    b24_queue_outcome_t  out;

    memset(&out, 0, sizeof(out));
    memset(&seen, 0, sizeof(seen));

    seen.status = job->seen.status;
    seen.canceled = job->seen.canceled;
    seen.paid = job->seen.paid;
    seen.shipped = job->seen.shipped;
    seen.held = str("HELD");
    seen.held_time = now;

    if (job->kind == B24_EV_NEW) {
        seen.status = str("N");
        seen.sent = str("NEW");
        seen.sent_time = now;
    }

    memcpy(out.steps, job->steps, sizeof(out.steps));

    out.state = state;
    out.next = now + MINUTE;
    out.deal_id = 7;
    out.seen = &seen;

    is_int(b24_queue_outcome(q, "w", job, &out, now), B24_QUEUE_OK, b24_state_name(state));
}


static void
next_is(b24_queue_t *q, int64_t now, b24_queue_job_t *job, const char *id, const char *status, const char *name)
{
    if (claim(q, now, job) != B24_QUEUE_OK) {
        ok(0, "%s: nothing is due", name);
        memset(job, 0, sizeof(b24_queue_job_t));
        return;
    }

    is_str(&job->order_id, id, name);

    if (status == NULL) {
        is_int(job->kind, B24_EV_NEW, "the order itself");

    } else {
        is_int(job->kind, B24_EV_STATUS, "a status");
        is_str(&job->seen.status, status, "which one");
    }
}


static void
nothing(b24_queue_t *q, int64_t now, const char *name)
{
    b24_queue_job_t  job;

    is_int(claim(q, now, &job), B24_QUEUE_NONE, name);
}


static void
test_order(b24_queue_t *q)
{
    int              put;
    b24_queue_job_t  job;

    is_int(b24_queue_status(q, &(b24_queue_change_t) { .origin = str("x") }, &put), B24_QUEUE_ERROR, "a change belongs into a transaction");

    told(q, "1", "", "P", T0, -B24_QUEUE_NONE, "no such order");
    (void) order(q, "1", "", T0);
    told(q, "1", "", "P", T0 + 1, 1, "its status before it is delivered");
    (void) order(q, "2", "", T0 + 2);

    next_is(q, T0 + 3, &job, "1", NULL, "the order first");
    end(q, &job, B24_STATE_DELIVERED, T0 + 4);
    next_is(q, T0 + 5, &job, "2", NULL, "then others, the status is behind them");
    end(q, &job, B24_STATE_DELIVERED, T0 + 6);
    next_is(q, T0 + 7, &job, "1", "P", "then the status");
    is_int(job.deal_id, 7, "with its deal");
    is_str(&job.seen.sent, "NEW", "and what was sent");
    is_str(&job.seen.held, "HELD", "and seen");
    ok(!job.seen.settled, "it is news");
    end(q, &job, B24_STATE_DELIVERED, T0 + 8);
    nothing(q, T0 + 9, "that is all");

    told(q, "1", "", "P", T0 + 10, 0, "the same again is nothing");
    told(q, "1", "", "P/-/N", T0 + 11, 1, "a flag is told for the first time");
    next_is(q, T0 + 12, &job, "1", "P", "its turn");
    is_str(&job.seen.paid, "N", "the flag");
    end(q, &job, B24_STATE_DELIVERED, T0 + 12);
    told(q, "1", "", "-/-/N", T0 + 13, 0, "and told again");
    told(q, "2", "", "N", T0 + 14, 0, "what the order came with is settled");
}


static void
test_merge(b24_queue_t *q)
{
    b24_queue_job_t  job, other;

    (void) order(q, "m", "", T0);
    next_is(q, T0, &job, "m", NULL, "an order");
    end(q, &job, B24_STATE_DELIVERED, T0);

    told(q, "m", "", "A", T0 + 1, 1, "A");
    told(q, "m", "", "B", T0 + 2, 1, "B");
    told(q, "m", "", "A", T0 + 3, 1, "A");
    next_is(q, T0 + 4, &job, "m", "A", "is A");
    is_int(job.accepted, T0 + 3, "since the last one");

    told(q, "m", "", "B", T0 + 5, 1, "one more while that is claimed");
    end(q, &job, B24_STATE_DELIVERED, T0 + 6);
    next_is(q, T0 + 7, &job, "m", "B", "comes behind it");
    end(q, &job, B24_STATE_WAITING, T0 + 8);

    told(q, "m", "", "C", T0 + 9, 1, "one while that waits");
    nothing(q, T0 + 10, "waits with it");
    next_is(q, T0 + 2 * MINUTE, &job, "m", "C", "and takes its place");
    is_int(job.attempts, 2, "at its second attempt");
    end(q, &job, B24_STATE_PARKED, T0 + 2 * MINUTE);

    is_int(b24_queue_drop(q, job.key, "dropped", T0 + 2 * MINUTE), B24_QUEUE_OK, "dropped by hand");
    is_int(b24_queue_drop(q, job.key, "dropped", T0 + 2 * MINUTE), B24_QUEUE_NONE, "the status alone: the order is delivered");
    told(q, "m", "", "C", T0 + 2 * MINUTE + 1, 1, "it may come again");
    next_is(q, T0 + 2 * MINUTE + 2, &job, "m", "C", "as any other");
    end(q, &job, B24_STATE_PARKED, T0 + 2 * MINUTE + 3);

    told(q, "m", "", "D", T0 + 3 * MINUTE, 1, "one where that was refused");
    next_is(q, T0 + 3 * MINUTE, &job, "m", "D", "is tried");
    is_int(job.attempts, 1, "anew");
    end(q, &job, B24_STATE_DELIVERED, T0 + 3 * MINUTE);
    nothing(q, T0 + 4 * MINUTE, "nothing is left");

    told(q, "m", "", "A", T0 + 3 * MINUTE + 1, 1, "one more");
    next_is(q, T0 + 3 * MINUTE + 1, &job, "m", "A", "is on its way");
    told(q, "m", "", "D", T0 + 3 * MINUTE + 2, 1, "and back to the one before");
    told(q, "m", "", "D", T0 + 3 * MINUTE + 3, 1, "which is told again, as any that is on its way");
    end(q, &job, B24_STATE_DELIVERED, T0 + 3 * MINUTE + 4);
    next_is(q, T0 + 3 * MINUTE + 5, &job, "m", "D", "comes behind it");
    ok(!job.seen.settled, "and is news");
    end(q, &job, B24_STATE_DELIVERED, T0 + 3 * MINUTE + 6);
    nothing(q, T0 + 4 * MINUTE, "that is all");

    told(q, "m", "", "D", T0 + 3 * MINUTE + 9, 0, "told again");
    told(q, "m", "", "A", T0 + 3 * MINUTE + 8, 0, "what came in between, written down later");

    told(q, "m", "", "E", T0 + 3 * MINUTE - 1, 0, "what is older, written down later, is nothing");
    told(q, "m", "", "E", T0 - HOUR, 1, "a clock that was set back an hour");
    next_is(q, T0 + 4 * MINUTE, &other, "m", "E", "is no reason");
    end(q, &other, B24_STATE_DELIVERED, T0 + 4 * MINUTE);
}


static void
test_find(b24_queue_t *q)
{
    b24_str_t                id;
    b24_queue_job_t          job;
    b24_queue_put_t          put;
    b24_queue_put_result_t   r, reused;

    (void) order(q, "f-1", "57", T0);
    (void) order(q, "57", "58", T0);

    told(q, "", "57", "P", T0 + 1, 1, "by its key");
    told(q, "", "59", "P", T0 + 1, -B24_QUEUE_NONE, "no such key");
    told(q, "57", "57", "W", T0 + 2, 1, "the key goes before the number");
    told(q, "57", "60", "X", T0 + 3, -B24_QUEUE_NONE, "not one with another key");
    told(q, "57", "58", "P", T0 + 3, 1, "both");

    next_is(q, T0 + 4, &job, "f-1", NULL, "the first");
    end(q, &job, B24_STATE_DELIVERED, T0 + 4);
    next_is(q, T0 + 4, &job, "57", NULL, "the second");
    end(q, &job, B24_STATE_DELIVERED, T0 + 4);
    next_is(q, T0 + 5, &job, "f-1", "W", "the first's");
    end(q, &job, B24_STATE_DELIVERED, T0 + 5);
    next_is(q, T0 + 5, &job, "57", "P", "the second's");
    end(q, &job, B24_STATE_DELIVERED, T0 + 5);

    /* a number used again: the one that was sent is meant, parked or not */

    queue_put_init(&put, origin, "57", "other", T0 + 2 * DAY);
    put.row = str("58");
    (void) b24_queue_begin(q);
    (void) b24_queue_put(q, &put, &reused);
    (void) b24_queue_commit(q);
    is_int(reused.state, B24_STATE_PARKED, "a number used again");
    told(q, "57", "", "A", T0 + 2 * DAY, 1, "the order that had it");
    next_is(q, T0 + 2 * DAY, &job, "57", "A", "not what is parked");
    end(q, &job, B24_STATE_DELIVERED, T0 + 2 * DAY);
    told(q, "", "58", "B", T0 + 2 * DAY, 1, "the same by its key");
    next_is(q, T0 + 2 * DAY, &job, "57", "B", "nor here");
    ok(job.record != reused.record, "the order");
    end(q, &job, B24_STATE_DELIVERED, T0 + 2 * DAY);

    is_int(b24_queue_send(q, pool, reused.key, NULL, "sent", T0 + 2 * DAY, &id), B24_QUEUE_OK, "sent by hand");
    is_str(&id, "57-2", "with a suffix");
    next_is(q, T0 + 2 * DAY, &job, "57", NULL, "it goes");
    end(q, &job, B24_STATE_DELIVERED, T0 + 2 * DAY);
    told(q, "57-2", "", "P", T0 + 2 * DAY, 1, "by what the CRM calls it");
    next_is(q, T0 + 2 * DAY, &job, "57", "P", "it");
    ok(job.record == reused.record, "the one with the suffix");
    end(q, &job, B24_STATE_DELIVERED, T0 + 2 * DAY);

    r = order(q, "", "", T0);
    ok(r.record != 0, "an order without a number");
    told(q, "", "", "P", T0, -B24_QUEUE_NONE, "is not meant by none");
    next_is(q, T0 + 2 * DAY, &job, "", NULL, "it");
    end(q, &job, B24_STATE_DELIVERED, T0 + 2 * DAY);
}


static void
test_look(b24_queue_t *q)
{
    b24_queue_job_t   job;
    b24_queue_read_t  read;
    b24_queue_seen_t  seen;
    b24_state_e       state;

    (void) order(q, "d", "", T0);
    next_is(q, T0, &job, "d", NULL, "an order");
    end(q, &job, B24_STATE_DELIVERED, T0);

    told(q, "d", "", "look", T0 + 1, 1, "the database is to be asked");
    next_is(q, T0 + 1, &job, "d", "N", "nothing is told yet");
    ok(job.seen.settled, "nothing is news");
    is_str(&job.row, "", "its key isn't known");

    memset(&read, 0, sizeof(read));
    memset(&seen, 0, sizeof(seen));
    seen.status = str("P");
    seen.time = T0 + 1;
    read.state = B24_STATE_ACCEPTED;
    read.data = str("{\"v\":1,\"read\":true}");
    read.row = str("90");
    read.seen = &seen;
    is_int(b24_queue_read(q, "w", &job, &read, T0 + 2, &state), B24_QUEUE_OK, "it is asked");
    next_is(q, T0 + 3, &job, "d", "P", "what it says");
    ok(!job.seen.settled, "is news");
    is_str(&job.data, "{\"v\":1,\"read\":true}", "it was asked");
    is_str(&job.row, "90", "and has told its key");
    end(q, &job, B24_STATE_DELIVERED, T0 + 3);
    nothing(q, T0 + 4, "that is all");
}


static void
test_rows(b24_queue_t *q)
{
    b24_queue_job_t   job;
    b24_queue_seen_t  seen;

    (void) order(q, "r", "", T0);
    next_is(q, T0, &job, "r", NULL, "an order");
    end(q, &job, B24_STATE_DELIVERED, T0);

    polled(q, "r", "12:00:01", "N", T0, T0 + 1000, 0, "a row that tells nothing new");
    polled(q, "r", "12:00:02", "P", T0 + 2000, T0 + 9000, 1, "one that does");
    next_is(q, T0 + 9000, &job, "r", "P", "it");
    is_int(job.accepted, T0 + 2000, "of the time it was made");
    is_int(job.seen.time, T0 + 2000, "that is noted");
    end(q, &job, B24_STATE_DELIVERED, T0 + 9000);

    polled(q, "r", "12:00:02", "P", T0 + 2000, T0 + 10000, 0, "it is seen once");
    polled(q, "r", "12:00:02", "E", T0 + 2000, T0 + 11000, 1, "another change in that second");
    next_is(q, T0 + 11000, &job, "r", "E", "it");
    end(q, &job, B24_STATE_DELIVERED, T0 + 11000);
    polled(q, "r", "12:00:02", "E", T0 + 2000, T0 + 12000, 0, "once as well");

    /* a request that says "look" is no change */

    told(q, "r", "", "look", T0 + 20000, 1, "a hint");
    (void) b24_queue_load_seen(q, pool, job.record, &seen);
    is_int(seen.time, T0 + 2000, "it has no time");
    next_is(q, T0 + 20000, &job, "r", "E", "the state is as before");
    end(q, &job, B24_STATE_DELIVERED, T0 + 20000);

    /* a clock of the database that is behind, or a time that was cut off */

    told(q, "r", "", "W", T0 + 30000, 1, "by a request");
    next_is(q, T0 + 30000, &job, "r", "W", "it");
    end(q, &job, B24_STATE_DELIVERED, T0 + 30000);
    polled(q, "r", "12:00:29", "A", T0 + 29000, T0 + 31000, 1, "a row that says it is older is the newest");
    next_is(q, T0 + 31000, &job, "r", "A", "it");
    is_int(job.seen.time, T0 + 30000, "not before what is known");
    end(q, &job, B24_STATE_DELIVERED, T0 + 31000);

    /* there and back while it is on its way */

    polled(q, "r", "12:00:40", "W", T0 + 40000, T0 + 41000, 1, "W");
    next_is(q, T0 + 41000, &job, "r", "W", "is on its way");
    polled(q, "r", "12:00:42", "A", T0 + 42000, T0 + 43000, 1, "A again");
    end(q, &job, B24_STATE_DELIVERED, T0 + 44000);
    next_is(q, T0 + 44000, &job, "r", "A", "follows");
    end(q, &job, B24_STATE_DELIVERED, T0 + 44000);
    nothing(q, T0 + 45000, "that is all");
}


/* hints that come for months: rows of them don't add up */
static void
test_hints(b24_queue_t *q)
{
    int              i;
    b24_queue_job_t  job;

    (void) order(q, "h", "", T0);
    next_is(q, T0, &job, "h", NULL, "an order");
    end(q, &job, B24_STATE_DELIVERED, T0);

    for (i = 1; i < 20; i++) {
        told(q, "h", "", "look", T0 + i, 1, "a hint");
        next_is(q, T0 + i, &job, "h", "N", "it");
        told(q, "h", "", "look", T0 + i, 1, "one while it is looked at");
        end(q, &job, B24_STATE_DELIVERED, T0 + i);
        next_is(q, T0 + i, &job, "h", "N", "that one");
        end(q, &job, B24_STATE_DELIVERED, T0 + i);
    }

    nothing(q, T0 + i, "that is all");
    is_int(queue_sql(q, "SELECT count(*) FROM events e JOIN records r ON r.id = e.record WHERE r.order_id = 'h'"), 2, "the order itself and the last one");
}


static void
test_expired(b24_queue_t *q)
{
    int              n;
    b24_queue_job_t  job;

    (void) order(q, "x", "70", T0);
    next_is(q, T0, &job, "x", NULL, "an order");
    end(q, &job, B24_STATE_DELIVERED, T0);

    is_int(b24_queue_clean(q, 30 * DAY, 1000, T0 + 40 * DAY, &n), B24_QUEUE_OK, "cleaned");
    ok(n > 0, "records have gone");

    told(q, "x", "", "N", T0 + 40 * DAY, 0, "what is not new brings nothing back");
    polled(q, "x", "11:00", "N", T0 + 39 * DAY, T0 + 40 * DAY, 0, "neither does a row");
    nothing(q, T0 + 40 * DAY, "nothing is due");
    told(q, "x", "71", "F", T0 + 40 * DAY, -B24_QUEUE_NONE, "nor one with another key");
    told(q, "", "70", "F", T0 + 40 * DAY, 1, "a status, by its key");
    next_is(q, T0 + 40 * DAY, &job, "x", "F", "a record of it");
    is_int(job.deal_id, 7, "with its deal");
    is_str(&job.seen.sent, "NEW", "and what was sent");
    end(q, &job, B24_STATE_DELIVERED, T0 + 40 * DAY);
    told(q, "x", "", "F", T0 + 40 * DAY + 1, 0, "it is known now");
    told(q, "y", "70", "F", T0 + 40 * DAY + 1, 0, "by its key, too");

    is_int(b24_queue_clean(q, 30 * DAY, 1000, T0 + 80 * DAY, &n), B24_QUEUE_OK, "cleaned again");
    told(q, "x", "", "A", T0 + 80 * DAY, 1, "and back again");
    next_is(q, T0 + 80 * DAY, &job, "x", "A", "by its number");
    is_str(&job.seen.held, "HELD", "with all of it");
    end(q, &job, B24_STATE_DELIVERED, T0 + 80 * DAY);
}


/* a look of "changes": total empty: it has no such column */
static void
looked(b24_queue_t *q, const char *row, const char *changed, const char *total, int64_t now, int want, const char *name)
{
    int                  put;
    b24_queue_rc_e       rc;
    b24_queue_change_t   change;

    memset(&change, 0, sizeof(change));

    change.origin = str(origin);
    change.row = str(row);
    change.data = str("{\"v\":1,\"shop\":\"s\"}");
    change.status = str("N");
    change.changed = str(changed);
    change.total = str(total);
    change.now = now;

    (void) b24_queue_begin(q);
    rc = b24_queue_status(q, &change, &put);
    is_int(rc == B24_QUEUE_OK ? put : -(int) rc, want, name);
    (void) b24_queue_commit(q);
}


/* the claimed event ends, the deal was given what the shop has */
static void
given(b24_queue_t *q, b24_queue_job_t *job, const char *total, int64_t now)
{
    b24_queue_seen_t     seen;
    b24_queue_outcome_t  out;

    memset(&out, 0, sizeof(out));
    memset(&seen, 0, sizeof(seen));

    seen.status = str("N");
    seen.total = str(total);
    seen.sent_total = str("sent");
    seen.goods = str("goods");
    seen.sent_rows = str("rows");

    memcpy(out.steps, job->steps, sizeof(out.steps));

    out.state = B24_STATE_DELIVERED;
    out.deal_id = 7;
    out.seen = &seen;

    is_int(b24_queue_outcome(q, "w", job, &out, now), B24_QUEUE_OK, "given");
}


static void
test_totals(b24_queue_t *q)
{
    int              n;
    b24_queue_job_t  job;

    (void) order(q, "t", "80", T0);
    next_is(q, T0, &job, "t", NULL, "an order");
    given(q, &job, "10.00", T0);

    looked(q, "80", "1", "10.00", T0 + 1, 0, "the same total");
    looked(q, "80", "2", "", T0 + 2, 0, "none is told");
    looked(q, "80", "3", "11.00", T0 + 3, 1, "another one");
    looked(q, "80", "3", "11.00", T0 + 4, 0, "what was seen is passed over");
    looked(q, "80", "3", "12.00", T0 + 4, 1, "two changes of one time are not");
    next_is(q, T0 + 5, &job, "t", "N", "its turn");
    ok(job.seen.settled, "the status is not new");
    is_str(&job.seen.total, "10.00", "what the shop had");
    is_str(&job.seen.sent_total, "sent", "and the deal");
    is_str(&job.seen.goods, "goods", "the shop's goods");
    is_str(&job.seen.sent_rows, "rows", "and the deal's");
    is_str(&job.first, "{\"v\":1}", "the order as it was put");

    /* what may be sent is written down first */

    job.seen.sent_total = str("now/sent");
    job.seen.sent = str("NEVER");
    is_int(b24_queue_attempt(q, "w", &job, 1 << B24_STEP_UPDATE, "batch", NULL, 5 * MINUTE, T0 + 6), B24_QUEUE_OK, "about to be sent");
    looked(q, "80", "4", "10.00", T0 + 7, 1, "back, while the other is on its way");
    looked(q, "80", "5", "13.00", T0 + 7, 1, "and another one");
    is_int(claim(q, T0 + 7, &job), B24_QUEUE_NONE, "behind it");
    next_is(q, T0 + 10 * MINUTE, &job, "t", "N", "its lease is over");
    is_str(&job.seen.sent_total, "now/sent", "both may be there");
    is_str(&job.seen.total, "10.00", "the shop's stays");
    is_str(&job.seen.sent, "", "no stage was sent");
    is_int(job.steps[B24_STEP_UPDATE], B24_STEP_SENT, "the step");
    given(q, &job, "12.00", T0 + 10 * MINUTE);
    next_is(q, T0 + 10 * MINUTE, &job, "t", "N", "the next one");
    given(q, &job, "13.00", T0 + 10 * MINUTE);
    nothing(q, T0 + 11 * MINUTE, "that is all");

    /* nobody knows: it is looked at */

    (void) order(q, "u", "81", T0);
    next_is(q, T0 + 11 * MINUTE, &job, "u", NULL, "an order");
    given(q, &job, "", T0 + 11 * MINUTE);
    looked(q, "81", "1", "10.00", T0 + 12 * MINUTE, 1, "a total that nobody knows");
    next_is(q, T0 + 12 * MINUTE, &job, "u", "N", "its turn");
    is_str(&job.seen.total, "", "none");
    is_str(&job.seen.sent_total, "sent", "but the deal's");
    given(q, &job, "10.00", T0 + 12 * MINUTE);

    /* when the record is gone */

    is_int(b24_queue_clean(q, 30 * DAY, 1000, T0 + 40 * DAY, &n), B24_QUEUE_OK, "cleaned");
    looked(q, "80", "6", "13.00", T0 + 40 * DAY, 0, "the same brings nothing back");
    looked(q, "80", "7", "14.00", T0 + 40 * DAY, 1, "another total does");
    next_is(q, T0 + 40 * DAY, &job, "t", "N", "a record of it");
    is_str(&job.seen.sent_total, "sent", "with what the deal has");
    is_str(&job.first, "", "the order itself has gone");
    given(q, &job, "14.00", T0 + 40 * DAY);
}


static void
test_said(b24_queue_t *q)
{
    b24_state_e       state;
    b24_queue_job_t   job;
    b24_queue_read_t  read;
    int               i;

    (void) order(q, "s", "82", T0);
    next_is(q, T0 + 41 * DAY, &job, "s", NULL, "an order");
    given(q, &job, "10.00", T0 + 41 * DAY);

    for (i = 0; i < 2; i++) {
        looked(q, "82", i ? "2" : "1", i ? "12.00" : "11.00", T0 + 41 * DAY, 1, "a change");
        next_is(q, T0 + 41 * DAY, &job, "s", "N", "its turn");

        memset(&read, 0, sizeof(read));
        read.state = B24_STATE_ACCEPTED;
        read.cause = str("said once");
        read.advice = str("look");
        read.once = 1;
        is_int(b24_queue_read(q, "w", &job, &read, T0 + 41 * DAY, &state), B24_QUEUE_OK, "it is asked");

        next_is(q, T0 + 41 * DAY, &job, "s", "N", "again");
        given(q, &job, i ? "12.00" : "11.00", T0 + 41 * DAY);
    }

    is_int((int) queue_sql(q, "SELECT count(*) FROM timeline WHERE cause = 'said once'"), 1, "said once");
    is_int((int) queue_sql(q, "SELECT sum(count) FROM timeline WHERE cause = 'said once'"), 1, "and counted once");
}


int
main(void)
{
    b24_queue_t  *q;

    pool = b24_pool_create(0);
    (void) queue_mkdir();

    q = queue_open(queue_path("status.db"));

    test_order(q);
    test_merge(q);
    test_find(q);
    test_look(q);
    test_rows(q);
    test_hints(q);
    test_expired(q);
    test_totals(q);
    test_said(q);

    b24_queue_close(q);
    queue_rmdir(queue_dir);
    b24_pool_destroy(pool);

    return done_testing();
}
