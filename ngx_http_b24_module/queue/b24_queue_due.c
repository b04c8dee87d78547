
/*
 * What is to be done next: the lines that events stand in, and those whose time
 * has come.
 */

#include "b24_queue_int.h"


/* beyond this a time in the future is one of a clock that was set back since */
#define B24_QUEUE_STEP  60000
/*
 * Where no index tells what is looked for from what isn't, so many are looked
 * at: what stands before the others is due, and taken by another claim.
 */
#define B24_QUEUE_LOOK  100


typedef struct {
    int64_t   record;               /* 0: none */
    int64_t   time;
    int64_t   event;
} b24_candidate_t;


static b24_queue_rc_e b24_queue_due_accepted(b24_queue_t *q,
    const b24_str_t *origin, int64_t now, b24_due_t *due);
static b24_queue_rc_e b24_queue_due_line(b24_queue_t *q,
    const b24_str_t *origin, int64_t from, int64_t to, int limit, int64_t now,
    b24_due_t *due);
static b24_queue_rc_e b24_queue_due_waiting(b24_queue_t *q,
    const b24_str_t *origin, int64_t now, b24_due_t *due);
static b24_queue_rc_e b24_queue_due_sending(b24_queue_t *q,
    const b24_str_t *origin, const char *owner, int64_t lease_ms, int64_t now,
    b24_due_t *due);
static void b24_queue_due_init(b24_query_t *query, b24_queue_t *q,
    b24_sql_e sql, const b24_str_t *origin, int64_t from, int64_t to);
static b24_queue_rc_e b24_queue_due_first(b24_query_t *query, int limit,
    b24_due_e what, b24_candidate_t *c);
static int b24_queue_due_is(b24_due_e what, int64_t event, int first);
static void b24_queue_due_best(b24_due_t *due, const b24_candidate_t *c,
    int64_t time, unsigned expired);
static void b24_queue_due_later(b24_due_t *due, int64_t time);
static b24_queue_rc_e b24_queue_due_add(b24_query_t *query, int limit,
    int64_t now, int *n);


/*
 * Of the accepted ones the first in line, of the others the one whose time came
 * first; between them the longest overdue.  So neither a stream of new orders
 * nor a crowd of retries keeps the other out.  What follows an order waits for
 * all that are due.
 */

b24_queue_rc_e
b24_queue_due(b24_queue_t *q, const b24_str_t *origin, const char *owner,
    int64_t lease_ms, int64_t now, b24_due_t *due)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_due_accepted(q, origin, now, due);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_due_waiting(q, origin, now, due);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_due_sending(q, origin, owner, lease_ms, now, due);
    }

    return rc;
}


b24_queue_rc_e
b24_queue_due_fresh(b24_queue_t *q, const b24_str_t *origin, int64_t since,
    b24_due_t *due)
{
    b24_query_t      query;
    b24_queue_rc_e   rc;
    b24_candidate_t  c;

    b24_queue_due_init(&query, q, B24_SQL_DUE_NEWEST, origin, 0,
                       B24_QUEUE_LINKS);
    rc = b24_queue_due_first(&query, B24_QUEUE_LOOK, B24_DUE_NEW, &c);

    if (rc == B24_QUEUE_OK && c.record && c.time >= since
        && c.event > due->event)
    {
        due->record = c.record;
        due->event = c.event;
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_due_accepted(b24_queue_t *q, const b24_str_t *origin, int64_t now,
    b24_due_t *due)
{
    b24_queue_rc_e  rc;

    if (due->what == B24_DUE_BACK) {
        return b24_queue_due_line(q, origin, B24_QUEUE_BACK, INT64_MAX, 1, now,
                                  due);
    }

    /* an earlier version has put links into the line of the orders, where each
     * comes to be the first */

    rc = b24_queue_due_line(q, origin, 0, B24_QUEUE_LINKS,
                            due->what == B24_DUE_NEW ? B24_QUEUE_LOOK : 1,
                            now, due);

    if (rc == B24_QUEUE_OK && due->what != B24_DUE_NEW) {
        rc = b24_queue_due_line(q, origin, B24_QUEUE_LINKS, B24_QUEUE_BACK, 1,
                                now, due);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_due_line(b24_queue_t *q, const b24_str_t *origin, int64_t from,
    int64_t to, int limit, int64_t now, b24_due_t *due)
{
    b24_query_t      query;
    b24_queue_rc_e   rc;
    b24_candidate_t  c;

    b24_queue_due_init(&query, q, B24_SQL_DUE_ACCEPTED, origin, from, to);
    rc = b24_queue_due_first(&query, limit, due->what, &c);

    /* accepted by a clock that was ahead: it must not be last for that */

    b24_queue_due_best(due, &c, c.time <= now ? c.time : 0, 0);

    return rc;
}


static b24_queue_rc_e
b24_queue_due_waiting(b24_queue_t *q, const b24_str_t *origin, int64_t now,
    b24_due_t *due)
{
    b24_query_t      query;
    b24_queue_rc_e   rc;
    b24_candidate_t  c;

    b24_query_init(&query, q, due->what == B24_DUE_BACK
                              ? B24_SQL_DUE_WAITING_BACK
                              : B24_SQL_DUE_WAITING);
    b24_query_text(&query, origin);

    rc = b24_queue_due_first(&query, B24_QUEUE_LOOK, due->what, &c);

    if (rc != B24_QUEUE_OK || c.record == 0) {
        return rc;
    }

    if (c.time <= now) {
        b24_queue_due_best(due, &c, c.time, 0);

    } else {
        b24_queue_due_later(due, c.time);
    }

    /* whichever line it is of: the other one's claim takes that away */

    b24_query_init(&query, q, B24_SQL_DUE_STEPPED);
    b24_query_text(&query, origin);

    rc = b24_queue_due_first(&query, 1, due->what, &c);

    if (c.time > now + B24_QUEUE_STEP) {
        b24_queue_due_best(due, &c, now, 0);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_due_sending(b24_queue_t *q, const b24_str_t *origin,
    const char *owner, int64_t lease_ms, int64_t now, b24_due_t *due)
{
    int64_t          from, to;
    b24_query_t      query;
    b24_queue_rc_e   rc;
    b24_candidate_t  c;

    from = due->what == B24_DUE_BACK ? B24_QUEUE_BACK : 0;
    to = due->what == B24_DUE_BACK ? INT64_MAX : B24_QUEUE_BACK;

    b24_queue_due_init(&query, q, B24_SQL_DUE_SENDING, origin, from, to);
    rc = b24_queue_due_first(&query, B24_QUEUE_LOOK, due->what, &c);

    if (rc != B24_QUEUE_OK || c.record == 0) {
        return rc;
    }

    if (c.time <= now) {
        b24_queue_due_best(due, &c, c.time, 1);

    } else {
        b24_queue_due_later(due, c.time);
    }

    /* no living owner can have such a lease, but for this one itself */

    b24_queue_due_init(&query, q, B24_SQL_DUE_FUTURE, origin, from, to);
    b24_query_int(&query, now + 2 * lease_ms);
    b24_query_chars(&query, owner);

    rc = b24_queue_due_first(&query, B24_QUEUE_LOOK, due->what, &c);

    b24_queue_due_best(due, &c, now, 1);

    return rc;
}


static void
b24_queue_due_init(b24_query_t *query, b24_queue_t *q, b24_sql_e sql,
    const b24_str_t *origin, int64_t from, int64_t to)
{
    b24_query_init(query, q, sql);
    b24_query_text(query, origin);
    b24_query_int(query, from);
    b24_query_int(query, to);
}


/* the first of these that is looked for */

static b24_queue_rc_e
b24_queue_due_first(b24_query_t *query, int limit, b24_due_e what,
    b24_candidate_t *c)
{
    memset(c, 0, sizeof(b24_candidate_t));

    b24_query_int(query, limit);

    while (b24_query_row(query) == B24_QUEUE_OK) {

        if (b24_queue_due_is(what, b24_query_get_int(query, 2),
                             b24_query_get_int(query, 3) != 0))
        {
            c->record = b24_query_get_int(query, 0);
            c->time = b24_query_get_int(query, 1);
            c->event = b24_query_get_int(query, 2);
            break;
        }
    }

    return b24_query_end(query);
}


/* first: nothing of that order was delivered before */

static int
b24_queue_due_is(b24_due_e what, int64_t event, int first)
{
    int  order;

    if (what == B24_DUE_BACK || event >= B24_QUEUE_BACK) {
        return what == B24_DUE_BACK && event >= B24_QUEUE_BACK;
    }

    order = (first && event < B24_QUEUE_LINKS);

    return what == B24_DUE_CRM || (what == B24_DUE_NEW) == order;
}


static void
b24_queue_due_best(b24_due_t *due, const b24_candidate_t *c, int64_t time,
    unsigned expired)
{
    unsigned  later;

    if (c->record == 0) {
        return;
    }

    later = c->event >= B24_QUEUE_LATER;

    if (due->record
        && (later > due->later
            || (later == due->later
                && (time > due->due
                    || (time == due->due && c->record > due->record)))))
    {
        return;
    }

    due->record = c->record;
    due->event = c->event;
    due->due = time;
    due->expired = expired & 1;
    due->later = later & 1;
}


static void
b24_queue_due_later(b24_due_t *due, int64_t time)
{
    if (due->next == 0 || time < due->next) {
        due->next = time;
    }
}


b24_queue_rc_e
b24_queue_due_count(b24_queue_t *q, const b24_str_t *origins, size_t n,
    int64_t now, int max, int *count)
{
    int             own;
    size_t          i;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *count = 0;

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        b24_queue_due_init(&query, q, B24_SQL_DUE_ACCEPTED, &origins[i], 0,
                           B24_QUEUE_LINKS);
        rc = b24_queue_due_add(&query, max, INT64_MAX, count);

        if (rc == B24_QUEUE_OK) {
            b24_query_init(&query, q, B24_SQL_DUE_WAITING);
            b24_query_text(&query, &origins[i]);
            rc = b24_queue_due_add(&query, max, now, count);
        }

        if (rc == B24_QUEUE_OK) {
            b24_queue_due_init(&query, q, B24_SQL_DUE_SENDING, &origins[i], 0,
                               B24_QUEUE_LINKS);
            rc = b24_queue_due_add(&query, max, now, count);
        }
    }

    if (own) {
        b24_queue_rollback(q);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_due_add(b24_query_t *query, int limit, int64_t now, int *n)
{
    b24_query_int(query, limit);

    while (*n < limit && b24_query_row(query) == B24_QUEUE_OK
           && b24_query_get_int(query, 1) <= now)
    {
        *n += b24_queue_due_is(B24_DUE_NEW, b24_query_get_int(query, 2),
                               b24_query_get_int(query, 3) != 0);
    }

    return b24_query_end(query);
}
