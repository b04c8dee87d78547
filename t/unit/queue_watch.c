
/* Deals that move in the CRM: which are ours, what is an echo, what is news. */


#include "queue.h"


static b24_pool_t       *pool;
static const b24_str_t   portal = b24_string("p.bitrix24.ru");
static b24_str_t         origins[2];
static b24_str_t         watch;             /* of the orders to come */
static size_t            nwriters;      /* of these, the first ones */


static void
is_text(const char *got, const char *want, const char *name)
{
    b24_str_t  s = str(got);

    is_str(&s, want, name);
}


/* an order whose deal was made at the stage NEW, at this time */
static int64_t
order(b24_queue_t *q, const char *origin, const char *id, int64_t deal,
    int64_t now)
{
    int64_t                 next;
    b24_str_t               o = str(origin);
    b24_queue_put_t         put;
    b24_queue_job_t         job;
    b24_queue_seen_t        seen;
    b24_queue_outcome_t     out;
    b24_queue_put_result_t  result;

    queue_put_init(&put, origin, id, id, now);

    (void) b24_queue_begin(q);
    (void) b24_queue_put(q, &put, &result);
    (void) b24_queue_commit(q);

    is_int(b24_queue_claim(q, pool, &o, 1, "w", MINUTE, now, &job, &next),
           B24_QUEUE_OK, "an order");

    memset(&out, 0, sizeof(out));
    memset(&seen, 0, sizeof(seen));

    seen.sent = str("NEW");
    seen.sent_time = now;

    out.state = B24_STATE_DELIVERED;
    out.deal_id = deal;
    out.seen = &seen;
    out.watch = watch;

    is_int(b24_queue_outcome(q, "w", &job, &out, now), B24_QUEUE_OK,
           "its deal");

    return job.record;
}


static void
moved(b24_queue_t *q, int64_t deal, int64_t history, int64_t now)
{
    is_int(b24_queue_moved(q, &portal, origins, 2, &deal, deal ? 1 : 0,
                           history, now),
           B24_QUEUE_OK, "told of");
}


/* "7@1000 8@2000 history 5": deals and when they were told of */
static void
list_is(b24_queue_t *q, const char *want, const char *name)
{
    char                text[256];
    size_t              i, n, len;
    int64_t             history;
    b24_queue_moved_t  *deals;

    is_int(b24_queue_watch(q, pool, &portal, 10, &deals, &n, &history),
           B24_QUEUE_OK, "the list");

    text[0] = '\0';

    for (i = 0, len = 0; i < n; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%lld@%lld ",
                                 (long long) deals[i].id,
                                 (long long) (deals[i].told - T0));
    }

    snprintf(text + len, sizeof(text) - len, "history %lld",
             (long long) history);

    is_text(text, want, name);
}


/* what the portal says of the first in the list: "NEWS LEFT" */
static void
said(b24_queue_t *q, const char *stage, int64_t moved_at, int64_t now,
    const char *want, const char *name)
{
    char                text[64];
    size_t              n, news, left;
    int64_t             history;
    b24_queue_moved_t  *deals;

    (void) b24_queue_watch(q, pool, &portal, 1, &deals, &n, &history);

    if (n == 0) {
        ok(0, "%s: the list is empty", name);
        return;
    }

    deals->stage = str(stage);
    deals->moved = moved_at;

    is_int(b24_queue_watched(q, &portal, origins, 2, origins, nwriters, deals,
                             n, now - 100, now, &news, &left),
           B24_QUEUE_OK, "noted");

    snprintf(text, sizeof(text), "%zu %zu", news, left);
    is_text(text, want, name);
}


/* "HELD@TIME moved TIME", and the last row of the timeline */
static void
seen_is(b24_queue_t *q, int64_t record, const char *want, const char *last,
    const char *name)
{
    char                 text[128];
    size_t               n;
    b24_queue_seen_t     seen;
    b24_queue_moment_t  *m;

    is_int(b24_queue_load_seen(q, pool, record, &seen), B24_QUEUE_OK, "seen");

    snprintf(text, sizeof(text), "%.*s@%lld moved %lld", (int) seen.held.len,
             (char *) seen.held.data,
             (long long) (seen.held_time ? seen.held_time - T0 : 0),
             (long long) (seen.moved ? seen.moved - T0 : 0));

    is_text(text, want, name);

    (void) b24_queue_timeline(q, pool, record, NULL, &m, &n);
    is_str(&m[n - 1].cause, last, "its timeline");
}


static void
test_list(void)
{
    b24_queue_t  *q = queue_open(queue_path("list.db"));

    (void) order(q, "shop", "1", 7, T0);
    (void) order(q, "other", "1", 8, T0);
    (void) order(q, "foreign", "1", 9, T0);

    list_is(q, "history 0", "nothing was told of");
    moved(q, 7, 0, T0 + 1000);
    moved(q, 8, 20, T0 + 2000);
    moved(q, 9, 0, T0 + 3000);
    moved(q, 10, 0, T0 + 3000);
    list_is(q, "7@1000 8@2000 history 20", "ours are noted");
    moved(q, 7, 15, T0 + 4000);
    list_is(q, "8@2000 7@4000 history 20", "once; history doesn't go back");
    moved(q, 0, 30, T0 + 5000);
    list_is(q, "8@2000 7@4000 history 30", "it goes on without a deal");

    /* told of before it was known whose it is: looked at as soon as it is */

    moved(q, 11, 0, T0 + 6000);
    list_is(q, "8@2000 7@4000 history 30", "nobody's");
    watch = portal;
    (void) order(q, "shop", "2", 11, T0 + 7000);
    watch.len = 0;
    list_is(q, "8@2000 7@4000 11@7000 history 30", "one of ours");

    b24_queue_close(q);
}


static void
test_news(void)
{
    int64_t       record;
    b24_queue_t  *q = queue_open(queue_path("news.db"));

    record = order(q, "shop", "1", 7, T0);
    (void) order(q, "shop", "2", 8, T0);

    moved(q, 7, 0, T0 + 1000);
    said(q, "NEW", T0, T0 + 2000, "0 0", "our own stage is an echo");
    list_is(q, "history 0", "it is done with");
    seen_is(q, record, "@0 moved 0", "", "nothing is noted");

    moved(q, 7, 0, T0 + 3000);
    said(q, "WON", T0 + 2500, T0 + 4000, "1 0", "another stage is news");
    seen_is(q, record, "WON@4000 moved 2500",
            "the deal was moved to \"WON\" in the CRM", "it is noted");

    moved(q, 7, 0, T0 + 5000);
    said(q, "WON", T0 + 2500, T0 + 6000, "0 0", "it is told of again");

    /* there and back: the stage we had sent is news then */

    moved(q, 7, 0, T0 + 7000);
    said(q, "NEW", T0 + 6500, T0 + 8000, "1 0", "back to what we have sent");
    seen_is(q, record, "NEW@8000 moved 6500",
            "the deal was moved to \"NEW\" in the CRM", "that is noted, too");

    /* clocks: not before what it was at */

    moved(q, 7, 0, T0 + 9000);
    said(q, "LOSE", T0 - 5000, T0 + 10000, "1 0", "a clock that is behind");
    seen_is(q, record, "LOSE@10000 moved 8001",
            "the deal was moved to \"LOSE\" in the CRM", "after our own");
    moved(q, 7, 0, T0 + 11000);
    said(q, "NEW", 0, T0 + 12000, "1 0", "no time at all");
    seen_is(q, record, "NEW@12000 moved 12000",
            "the deal was moved to \"NEW\" in the CRM", "is now");

    /* gone */

    moved(q, 7, 0, T0 + 13000);
    said(q, "", 0, T0 + 14000, "1 0", "a deal that is gone");
    seen_is(q, record, "NEW@12000 moved 12000",
            "the deal is not in the CRM any more", "is told");

    b24_queue_close(q);
}


static void
test_meanwhile(void)
{
    size_t               news, left;
    int64_t              record, next;
    b24_queue_t         *q = queue_open(queue_path("meanwhile.db"));
    b24_queue_job_t      job;
    b24_queue_moved_t    deal;

    record = order(q, "shop", "1", 7, T0);

    /* told of anew while it was asked for */

    moved(q, 7, 0, T0 + 1000);
    memset(&deal, 0, sizeof(deal));
    deal.id = 7;
    deal.told = T0 + 1000;
    deal.stage = str("WON");
    deal.moved = T0 + 900;
    moved(q, 7, 0, T0 + 1500);

    is_int(b24_queue_watched(q, &portal, origins, 2, NULL, 0, &deal, 1,
                             T0 + 1200, T0 + 2000, &news, &left),
           B24_QUEUE_OK, "an old answer");
    is_int((long long) news, 1, "is news");
    is_int((long long) left, 1, "and it is asked for again");
    list_is(q, "7@1500 history 0", "it is still there");

    /* an order that is being sent is left alone */

    (void) b24_queue_begin(q);
    is_int(b24_queue_event(q, record, B24_EV_STATUS, &deal.stage, T0 + 2500),
           B24_QUEUE_OK, "a status");
    (void) b24_queue_commit(q);
    is_int(b24_queue_claim(q, pool, origins, 2, "w", MINUTE, T0 + 3000, &job,
                           &next),
           B24_QUEUE_OK, "it is taken");

    said(q, "LOSE", T0 + 2900, T0 + 3500, "0 1", "nothing can be said");
    list_is(q, "7@1500 history 0", "it is asked for later");

    b24_queue_close(q);
}


/* what an attempt or an outcome writes down */
static void
write_seen(b24_queue_t *q, int64_t record, const char *sent, const char *held, int64_t now)
{
    b24_queue_seen_t  seen;

    memset(&seen, 0, sizeof(seen));

    seen.sent = str(sent);
    seen.sent_time = seen.sent.len ? now : 0;
    seen.held = str(held);
    seen.held_time = seen.held.len ? now : 0;

    is_int(b24_queue_begin(q), B24_QUEUE_OK, "written down");
    is_int(b24_queue_put_seen(q, record, &seen), B24_QUEUE_OK, "it");
    is_int(b24_queue_commit(q), B24_QUEUE_OK, "committed");
}


/* an answer that was under way while we have moved the deal says nothing */
static void
test_late(void)
{
    int64_t       record;
    b24_queue_t  *q = queue_open(queue_path("late.db"));

    record = order(q, "shop", "1", 7, T0);

    moved(q, 7, 0, T0 + 1000);
    write_seen(q, record, "WON", "WON", T0 + 1950);
    said(q, "NEW", T0, T0 + 2000, "0 1", "asked before it was moved");
    list_is(q, "7@1000 history 0", "it is asked for again");
    said(q, "WON", T0 + 2000, T0 + 3000, "0 0", "asked after it");

    moved(q, 7, 0, T0 + 4000);
    write_seen(q, record, "", "LOSE", T0 + 4000 + HOUR);
    said(q, "WON", T0 + 4000, T0 + 5000, "1 0",
         "a clock that was ahead holds nothing up");

    b24_queue_close(q);
}


/* nobody knows whether our move has come there */
static void
test_unknown(void)
{
    int64_t       record;
    b24_queue_t  *q = queue_open(queue_path("unknown.db"));

    record = order(q, "shop", "1", 7, T0);
    write_seen(q, record, "", "NEW", T0);
    write_seen(q, record, "WON", "", T0 + 1000);

    moved(q, 7, 0, T0 + 2000);
    said(q, "NEW", T0, T0 + 3000, "0 0", "it hasn't");
    moved(q, 7, 0, T0 + 4000);
    said(q, "WON", T0 + 1000, T0 + 5000, "0 0", "it has");
    seen_is(q, record, "NEW@0 moved 0", "", "nobody else has moved it");
    moved(q, 7, 0, T0 + 6000);
    said(q, "LOSE", T0 + 5500, T0 + 7000, "1 0", "somebody has");
    seen_is(q, record, "LOSE@7000 moved 5500",
            "the deal was moved to \"LOSE\" in the CRM", "it is noted");
    moved(q, 7, 0, T0 + 8000);
    said(q, "WON", T0 + 7500, T0 + 9000, "1 0", "to where we had sent it");

    b24_queue_close(q);
}


/* what comes later is so by any clock */
static void
test_set_back(void)
{
    int64_t       record;
    b24_queue_t  *q = queue_open(queue_path("set_back.db"));

    record = order(q, "shop", "1", 7, T0 + HOUR);

    moved(q, 7, 0, T0);
    said(q, "WON", T0 + 1000, T0 + 2000, "1 0", "an hour back");
    moved(q, 7, 0, T0 + 3000);
    said(q, "WON", T0 + 1000, T0 + 4000, "0 0", "once");
    moved(q, 7, 0, T0 + 4000);
    said(q, "NEW", T0 + 4000, T0 + 5000, "1 0", "to where we had sent it");

    write_seen(q, record, "LOSE", "", T0 + 5000);
    moved(q, 7, 0, T0 + 6000);
    said(q, "LOSE", T0 + 5000, T0 + 7000, "0 0", "we have moved it");
    write_seen(q, record, "", "LOSE", T0 + 8000);
    moved(q, 7, 0, T0 + 9000);
    said(q, "WON", T0 + 8500, T0 + 10000, "1 0", "somebody has");

    b24_queue_close(q);
}


/* a hundred thousand others */
static void
test_many(void)
{
    size_t        i, n;
    int64_t       deals[1000], history;
    b24_queue_t  *q = queue_open(queue_path("many.db"));
    b24_queue_moved_t  *list;

    (void) order(q, "shop", "1", 7, T0);

    for (i = 0; i < 1000; i++) {
        deals[i] = (int64_t) i + 1;
    }

    is_int(b24_queue_moved(q, &portal, origins, 2, deals, 1000, 0, T0 + 1),
           B24_QUEUE_OK, "a mass change");
    is_int(b24_queue_watch(q, pool, &portal, 10, &list, &n, &history),
           B24_QUEUE_OK, "the list");
    is_int((long long) n, 1, "has our own deal alone");

    b24_queue_close(q);
}


/* ---- back to the shop ---- */

/* the next of a line: "KIND ID ATTEMPT", "none NEXT" */
static void
next_is(b24_queue_t *q, int back, int64_t now, b24_queue_job_t *job,
    const char *want, const char *name)
{
    char            text[128];
    int64_t         next;
    b24_queue_rc_e  rc;

    rc = back ? b24_queue_claim_back(q, pool, &origins[0], "w", MINUTE, now,
                                     job, &next)
              : b24_queue_claim(q, pool, origins, 2, "w", MINUTE, now, job,
                                &next);

    if (rc == B24_QUEUE_OK) {
        snprintf(text, sizeof(text), "%s %.*s %d",
                 job->kind == B24_EV_BACK ? "back"
                 : job->kind == B24_EV_STATUS ? "status" : "?",
                 (int) job->order_id.len, (char *) job->order_id.data,
                 job->attempts);

    } else {
        snprintf(text, sizeof(text), "none %lld",
                 (long long) (next ? next - T0 : 0));
    }

    is_text(text, want, name);
}


static void
ends(b24_queue_t *q, b24_queue_job_t *job, b24_state_e state, int64_t next,
    int64_t now)
{
    b24_queue_outcome_t  out;

    memset(&out, 0, sizeof(out));

    out.state = state;
    out.next = next;
    out.cause = "because";
    memcpy(out.steps, job->steps, sizeof(out.steps));

    is_int(b24_queue_outcome(q, "w", job, &out, now), B24_QUEUE_OK,
           b24_state_name(state));
}


static void
status(b24_queue_t *q, const char *id, const char *to, int64_t now)
{
    int                 put;
    b24_queue_change_t  change;

    memset(&change, 0, sizeof(change));

    change.origin = origins[0];
    change.order_id = str(id);
    change.status = str(to);
    change.data = str("{}");
    change.now = now;

    (void) b24_queue_begin(q);
    is_int(b24_queue_status(q, &change, &put), B24_QUEUE_OK, "a status");
    (void) b24_queue_commit(q);
}


static void
test_back(void)
{
    int64_t           one;
    b24_queue_t      *q = queue_open(queue_path("back.db"));
    b24_queue_job_t   job, other;

    one = order(q, "shop", "1", 7, T0);
    (void) order(q, "shop", "2", 8, T0);
    (void) order(q, "other", "1", 9, T0);

    nwriters = 1;

    moved(q, 9, 0, T0 + 1000);
    said(q, "WON", T0 + 500, T0 + 1000, "1 0", "moved");
    next_is(q, 1, T0 + 1000, &job, "none 0", "an origin that doesn't write");

    moved(q, 7, 0, T0 + 2000);
    said(q, "WON", T0 + 1500, T0 + 2000, "1 0", "moved");
    moved(q, 7, 0, T0 + 2100);
    said(q, "LOSE", T0 + 2050, T0 + 2200, "1 0", "moved on");

    next_is(q, 0, T0 + 2300, &job, "none 0", "nothing is for the CRM");
    next_is(q, 1, T0 + 2300, &job, "back 1 1", "the shop is to be told, once");
    is_str(&job.seen.held, "LOSE", "where it is now");
    is_int(job.seen.moved - T0, 2050, "since then");
    ok(job.data.len > 2, "with what the order was");

    next_is(q, 1, T0 + 2300, &other, "none 62300", "once");

    /* a shop that hangs holds up nothing else */

    status(q, "2", "P", T0 + 2400);
    next_is(q, 0, T0 + 2500, &other, "status 2 1", "others go on");
    ends(q, &other, B24_STATE_DELIVERED, 0, T0 + 2500);

    /* while it is called it can't be told where the deal is */

    moved(q, 7, 0, T0 + 2600);
    said(q, "NEW", T0 + 2600, T0 + 2600, "0 1", "left for another time");

    ends(q, &job, B24_STATE_WAITING, T0 + 60000, T0 + 2700);
    next_is(q, 0, T0 + 2700, &other, "none 0", "it isn't the CRM's");
    next_is(q, 1, T0 + 2700, &other, "none 60000", "it waits");

    said(q, "NEW", T0 + 2600, T0 + 2800, "1 0", "now it can");
    next_is(q, 1, T0 + 2800, &other, "none 60000", "the back-off stays");

    /* the shop's own change may be newer */

    status(q, "1", "A", T0 + 3000);
    next_is(q, 1, T0 + 3000, &other, "none 0", "it goes first");
    next_is(q, 0, T0 + 3000, &job, "status 1 1", "to the CRM");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 3050);
    next_is(q, 1, T0 + 3050, &job, "back 1 1", "then it is looked at anew");
    is_int(job.seen.time - T0, 3000, "with the shop's time");

    ends(q, &job, B24_STATE_PARKED, 0, T0 + 3100);
    next_is(q, 1, T0 + 3100, &other, "none 0", "it is parked");

    moved(q, 7, 0, T0 + 4000);
    said(q, "WON", T0 + 3900, T0 + 4000, "1 0", "moved once more");
    next_is(q, 1, T0 + 4000, &job, "back 1 1", "what is newer may be taken");

    /* what comes while it is called */

    status(q, "1", "B", T0 + 4050);
    next_is(q, 0, T0 + 4050, &other, "none 0", "in sequence");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 4100);

    next_is(q, 0, T0 + 4100, &job, "status 1 1", "then what came behind it");

    moved(q, 7, 0, T0 + 4200);
    (void) b24_queue_begin(q);
    is_int(b24_queue_look(q, one, B24_EV_BACK, &job.data, T0 + 4200, T0 + 4200),
           B24_QUEUE_OK, "and back");
    (void) b24_queue_commit(q);
    next_is(q, 1, T0 + 4300, &other, "none 0", "in sequence");

    ends(q, &job, B24_STATE_PARKED, 0, T0 + 4300);
    (void) b24_queue_begin(q);
    is_int(b24_queue_look(q, one, B24_EV_BACK, &job.data, T0 + 4400, T0 + 4400),
           B24_QUEUE_OK, "moved again");
    (void) b24_queue_commit(q);
    next_is(q, 0, T0 + 4400, &job, "status 1 1", "which frees what stands in"
            " front of it");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 4500);
    next_is(q, 1, T0 + 4500, &job, "back 1 1", "and comes after it, once");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 4500);
    next_is(q, 1, T0 + 4500, &job, "none 0", "nothing is left");
    next_is(q, 0, T0 + 4500, &job, "none 0", "nor of the CRM's");

    nwriters = 0;
    b24_queue_close(q);
}


/* what is to be delivered of a record, in sequence: "back status" */
static void
events_are(b24_queue_t *q, int64_t record, const char *want, const char *name)
{
    char           text[128];
    size_t         len;
    sqlite3_stmt  *stmt;

    text[0] = '\0';
    len = 0;

    (void) sqlite3_prepare_v2(q->db, "SELECT id >= 1 << 49 FROM events"
                              " WHERE record = ? AND done IS NULL"
                              " ORDER BY seq", -1, &stmt, NULL);
    (void) sqlite3_bind_int64(stmt, 1, record);

    while (sqlite3_step(stmt) == SQLITE_ROW && len < 100) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%s",
                                 len ? " " : "",
                                 sqlite3_column_int(stmt, 0) ? "back"
                                                             : "status");
    }

    (void) sqlite3_finalize(stmt);

    is_text(text, want, name);
}


/* a shop that can't be told, or won't be, holds up nothing for the CRM */
static void
test_overtake(void)
{
    int                  cleaned;
    size_t               n;
    int64_t              record;
    b24_str_t            id;
    b24_queue_t         *q = queue_open(queue_path("overtake.db"));
    b24_queue_job_t      job, other;
    b24_queue_record_t  *r;

    nwriters = 1;
    id = str("1");

    record = order(q, "shop", "1", 7, T0);
    moved(q, 7, 0, T0 + 1000);
    said(q, "WON", T0 + 1000, T0 + 1000, "1 0", "moved");

    /* nobody has taken it yet, nor ever will */

    status(q, "1", "A", T0 + 1500);
    events_are(q, record, "status back", "before one that waits to be taken");
    status(q, "1", "B", T0 + 1600);
    events_are(q, record, "status back", "once");
    next_is(q, 0, T0 + 1700, &job, "status 1 1", "it is taken");
    status(q, "1", "C", T0 + 1750);
    events_are(q, record, "status back status", "behind its like");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 1800);

    /* while it is worked on, and then fails */

    next_is(q, 1, T0 + 1900, &job, "back 1 1", "it is called");
    ends(q, &job, B24_STATE_WAITING, T0 + HOUR, T0 + 2000);
    events_are(q, record, "status back", "it fails: what stood behind it");
    next_is(q, 1, T0 + 2100, &other, "none 0", "it isn't its turn");
    next_is(q, 0, T0 + 2100, &job, "status 1 1", "goes first");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2200);
    next_is(q, 1, T0 + 2200, &job, "back 1 1", "then it");

    ends(q, &job, B24_STATE_PARKED, 0, T0 + 2300);
    status(q, "1", "D", T0 + 2400);
    (void) b24_queue_get(q, pool, NULL, &origins[0], &id, &r, &n);
    is_int(r->state, B24_STATE_ACCEPTED, "before one that is parked");
    is_str(&r->cause, "", "which is no remark on it");
    next_is(q, 0, T0 + 2500, &job, "status 1 1", "it is taken");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2500);
    next_is(q, 1, T0 + 2500, &job, "back 1 1", "then the other");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2600);
    events_are(q, record, "", "nothing is left");

    /* the first event of a record that is made anew */

    (void) b24_queue_clean(q, DAY, 100, T0 + 2 * DAY, &cleaned);
    is_int(cleaned, 1, "its record has gone");

    moved(q, 7, 0, T0 + 2 * DAY);
    said(q, "NEW", T0 + DAY, T0 + 2 * DAY, "1 0", "moved");
    status(q, "1", "A", T0 + 2 * DAY + 100);
    next_is(q, 0, T0 + 2 * DAY + 200, &job, "status 1 1", "the shop's first");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2 * DAY + 300);
    next_is(q, 1, T0 + 2 * DAY + 400, &job, "back 1 1", "then back");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2 * DAY + 500);

    nwriters = 0;
    b24_queue_close(q);
}


/* another total, told while the shop is called, is news as well */
static void
test_total(void)
{
    int                  put;
    b24_queue_t         *q = queue_open(queue_path("total.db"));
    b24_queue_job_t      job;
    b24_queue_change_t   change;

    nwriters = 1;

    (void) order(q, "shop", "1", 7, T0);
    status(q, "1", "N", T0 + 500);
    next_is(q, 0, T0 + 500, &job, "status 1 1", "as it is");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 600);
    (void) queue_sql(q, "UPDATE seen SET total = '10.00|', settled = '--- N'"
                     " RETURNING 1");

    moved(q, 7, 0, T0 + 1000);
    said(q, "WON", T0 + 1000, T0 + 1000, "1 0", "moved");
    next_is(q, 1, T0 + 1100, &job, "back 1 1", "it is called");

    memset(&change, 0, sizeof(change));
    change.origin = origins[0];
    change.order_id = str("1");
    change.status = str("N");
    change.total = str("12.00");
    change.changed = str("2026-01-01 00:00:00");
    change.data = str("{}");
    change.now = T0 + 1200;

    (void) b24_queue_begin(q);
    (void) b24_queue_status(q, &change, &put);
    (void) b24_queue_commit(q);
    is_int(put, 1, "another total is told");

    ends(q, &job, B24_STATE_PARKED, 0, T0 + 1300);
    next_is(q, 0, T0 + 1400, &job, "status 1 1", "it goes first");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 1400);

    nwriters = 0;
    b24_queue_close(q);
}


/* what the shop has refused it isn't asked for again, unless somebody does */
static void
test_refused(void)
{
    char                 key[B24_QUEUE_KEY_LEN];
    b24_state_e          state;
    b24_queue_t         *q = queue_open(queue_path("refused.db"));
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    nwriters = 1;

    (void) order(q, "shop", "1", 7, T0);
    moved(q, 7, 0, T0 + 1000);
    said(q, "WON", T0 + 1000, T0 + 1000, "1 0", "moved");
    next_is(q, 1, T0 + 1000, &job, "back 1 1", "it is called");
    is_int(job.steps[B24_STEP_BACK], B24_STEP_OPEN, "for the first time");

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_PARKED;
    out.steps[B24_STEP_BACK] = B24_STEP_SKIPPED;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 1100), B24_QUEUE_OK,
           "refused");

    status(q, "1", "A", T0 + 2000);
    next_is(q, 0, T0 + 2000, &job, "status 1 1", "what the shop tells");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2000);
    next_is(q, 1, T0 + 2100, &job, "back 1 1", "it is looked at anew");
    is_int(job.steps[B24_STEP_BACK], B24_STEP_SKIPPED, "and not asked again");
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 2200), B24_QUEUE_OK,
           "parked");

    memcpy(key, job.key, sizeof(key));
    is_int(b24_queue_retry(q, key, MINUTE, "by hand", T0 + 3000, &state),
           B24_QUEUE_OK, "by hand");
    next_is(q, 1, T0 + 3000, &job, "back 1 2", "it is called");
    is_int(job.steps[B24_STEP_BACK], B24_STEP_OPEN, "once more");
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 3100), B24_QUEUE_OK,
           "refused");

    moved(q, 7, 0, T0 + 4000);
    said(q, "LOSE", T0 + 4000, T0 + 4000, "1 0", "moved on");
    next_is(q, 1, T0 + 4000, &job, "back 1 1", "it is called");
    is_int(job.steps[B24_STEP_BACK], B24_STEP_OPEN, "for another status");

    nwriters = 0;
    b24_queue_close(q);
}


/* "STATUS@TIME", "settled" if the deal has it */
static void
shop_is(b24_queue_t *q, int64_t record, const char *want, const char *name)
{
    char              text[64];
    b24_queue_seen_t  seen;

    (void) b24_queue_load_seen(q, pool, record, &seen);

    snprintf(text, sizeof(text), "%.*s@%lld%s", (int) seen.status.len,
             (char *) seen.status.data, (long long) (seen.time - T0),
             seen.settled ? " settled" : "");

    is_text(text, want, name);
}


/* what the shop tells while it is called */
static void
test_told(void)
{
    int64_t              record;
    b24_queue_t         *q = queue_open(queue_path("told.db"));
    b24_queue_job_t      job;
    b24_queue_seen_t     seen;
    b24_queue_outcome_t  out;

    nwriters = 1;

    record = order(q, "shop", "1", 7, T0);
    status(q, "1", "N", T0 + 500);
    next_is(q, 0, T0 + 500, &job, "status 1 1", "as it is");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 600);

    memset(&seen, 0, sizeof(seen));
    seen.status = str("W");
    seen.settled = 1;

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.seen = &seen;

    /* our own call, as it passes nginx */

    moved(q, 7, 0, T0 + 1000);
    said(q, "WON", T0 + 1000, T0 + 1000, "1 0", "moved");
    next_is(q, 1, T0 + 1100, &job, "back 1 1", "it is called");
    status(q, "1", "W", T0 + 1200);
    seen.time = job.seen.moved;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 1300), B24_QUEUE_OK,
           "it is done");
    shop_is(q, record, "W@1200 settled", "what it tells is ours");
    next_is(q, 0, T0 + 1400, &job, "status 1 1", "looked at");
    is_int(job.seen.settled, 1, "it is nothing new");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 1400);

    /* somebody in the shop, who was later */

    moved(q, 7, 0, T0 + 2000);
    said(q, "NEW", T0 + 2000, T0 + 2000, "1 0", "moved");
    next_is(q, 1, T0 + 2100, &job, "back 1 1", "it is called");
    status(q, "1", "L", T0 + 2200);
    seen.status = str("N");
    seen.time = job.seen.moved;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 2300), B24_QUEUE_OK,
           "it is done");
    shop_is(q, record, "L@2200", "it stays, and is news");
    next_is(q, 0, T0 + 2400, &job, "status 1 1", "looked at");

    /* as its lane does: what has come to the deal */

    seen.status = str("L");
    seen.time = 0;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 2400), B24_QUEUE_OK,
           "it is brought there");

    /* nobody */

    moved(q, 7, 0, T0 + 3000);
    said(q, "WON", T0 + 3000, T0 + 3000, "1 0", "moved");
    next_is(q, 1, T0 + 3100, &job, "back 1 1", "it is called");
    seen.status = str("W");
    seen.time = job.seen.moved;
    (void) b24_queue_outcome(q, "w", &job, &out, T0 + 3300);
    shop_is(q, record, "W@3000 settled", "as of the CRM's change");

    nwriters = 0;
    b24_queue_close(q);
}


/* a row of "changes"; 1: there is something to look at */
static int
row(b24_queue_t *q, const char *to, const char *canceled, const char *changed,
    const char *stated, int64_t now)
{
    int                 put;
    b24_queue_change_t  change;

    memset(&change, 0, sizeof(change));

    change.origin = origins[0];
    change.order_id = str("1");
    change.row = str("1");
    change.status = str(to);
    change.canceled = str(canceled);
    change.changed = str(changed);
    change.stated = str(stated);
    change.stated_at = now;
    change.data = str("{}");
    change.now = now;

    (void) b24_queue_begin(q);
    is_int(b24_queue_status(q, &change, &put), B24_QUEUE_OK, "a row");
    (void) b24_queue_commit(q);

    return put;
}


/* a cancellation that is taken back, the first of two calls: somebody is killed
 * between them, and the database tells of it */
static void
test_calling(void)
{
    int64_t              record;
    b24_queue_t         *q = queue_open(queue_path("calling.db"));
    b24_queue_job_t      job;
    b24_queue_seen_t     seen;
    b24_queue_outcome_t  out;

    nwriters = 1;

    record = order(q, "shop", "1", 7, T0);
    (void) row(q, "N", "Y", "2026-01-01 00:00:01", "", T0 + 500);
    next_is(q, 0, T0 + 500, &job, "status 1 1", "as it is");

    memset(&seen, 0, sizeof(seen));
    seen.status = str("N");
    seen.canceled = str("Y");
    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.seen = &seen;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 600), B24_QUEUE_OK,
           "it is there");

    moved(q, 7, 0, T0 + 1000);
    said(q, "WON", T0 + 1000, T0 + 1000, "1 0", "moved");
    next_is(q, 1, T0 + 1100, &job, "back 1 1", "it is called");
    is_int(row(q, "N", "N", "2026-01-01 00:00:02", "", T0 + 1200), 1,
           "it is to be looked at");
    shop_is(q, record, "N@500 settled", "that may be our own doing");

    seen.status = str("W");
    seen.canceled = str("N");
    seen.time = job.seen.moved;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 1300), B24_QUEUE_OK,
           "it is done");
    shop_is(q, record, "W@1000 settled", "as of the CRM's change");
    next_is(q, 0, T0 + 1400, &job, "status 1 1", "looked at");
    is_int(job.seen.settled, 1, "it is nothing new");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 1400);

    is_int(row(q, "P", "N", "2026-01-01 00:00:03", "", T0 + 2000), 1, "later");
    shop_is(q, record, "P@2000", "it is somebody else's");

    nwriters = 0;
    b24_queue_close(q);
}


/* set to what it was, after something else: the time of the state tells */
static void
test_restated(void)
{
    int64_t              record;
    b24_queue_t         *q = queue_open(queue_path("restated.db"));
    b24_queue_job_t      job;
    b24_queue_seen_t     seen;
    b24_queue_outcome_t  out;

    record = order(q, "shop", "1", 7, T0);

    (void) row(q, "a|b", "N", "2026-01-01 00:00:01", "2026-01-01 00:00:01",
               T0 + 500);
    next_is(q, 0, T0 + 500, &job, "status 1 1", "as it is");
    is_text((char *) job.seen.stated.data, "2026-01-01 00:00:01", "since then");

    memset(&seen, 0, sizeof(seen));
    seen.status = str("a|b");
    seen.canceled = str("N");
    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_DELIVERED;
    out.seen = &seen;
    (void) b24_queue_outcome(q, "w", &job, &out, T0 + 600);
    shop_is(q, record, "a|b@500 settled", "it is there");

    is_int(row(q, "a|b", "N", "2026-01-01 00:00:05", "2026-01-01 00:00:01",
               T0 + 5000), 0, "another change is none of the state");
    is_int(row(q, "a|b", "N", "2026-01-01 00:00:07", "2026-01-01 00:00:07",
               T0 + 7000), 1, "there and back");
    shop_is(q, record, "a|b@7000", "is news");
    is_int(row(q, "a|b", "N", "2026-01-01 00:00:07", "2026-01-01 00:00:07",
               T0 + 8000), 0, "told once");

    /* once more, while its lane is at work */

    next_is(q, 0, T0 + 8000, &job, "status 1 1", "looked at");
    is_int(row(q, "a|b", "N", "2026-01-01 00:00:09", "2026-01-01 00:00:09",
               T0 + 9000), 1, "there and back again");
    (void) b24_queue_outcome(q, "w", &job, &out, T0 + 9100);
    shop_is(q, record, "a|b@9000", "that has not come to the deal");
    next_is(q, 0, T0 + 9200, &job, "status 1 1", "looked at");

    /* ours, with the time that it was given */

    seen.stated = str("2026-01-01 00:00:10");
    (void) b24_queue_outcome(q, "w", &job, &out, T0 + 9300);
    shop_is(q, record, "a|b@9000 settled", "it is there");
    is_int(row(q, "a|b", "N", "2026-01-01 00:00:10", "2026-01-01 00:00:10",
               T0 + 10000), 0, "known");

    /* numbers; what was never told can't be later */

    seen.stated = str("999");
    is_int(b24_queue_seen_restated(&seen, &(b24_str_t) b24_string("1000")), 1,
           "larger");
    is_int(b24_queue_seen_restated(&seen, &(b24_str_t) b24_string("999")), 0,
           "the same");
    is_int(b24_queue_seen_restated(&seen, &(b24_str_t) b24_string("998")), 0,
           "smaller");
    is_int(b24_queue_seen_restated(&seen, &(b24_str_t) b24_null_string), 0,
           "none");
    seen.stated = str("");
    is_int(b24_queue_seen_restated(&seen, &(b24_str_t) b24_string("1")), 0,
           "none before");

    b24_queue_close(q);
}


/* a status that finds the CRM's stage to be the newer one */
static void
test_newer(void)
{
    b24_queue_t          *q = queue_open(queue_path("newer.db"));
    b24_queue_job_t       job;
    b24_queue_outcome_t   out;

    (void) order(q, "shop", "1", 7, T0);
    status(q, "1", "P", T0 + 1000);
    next_is(q, 0, T0 + 1000, &job, "status 1 1", "it is looked at");

    memset(&out, 0, sizeof(out));
    out.state = B24_STATE_WAITING;
    out.next = T0 + 2000;
    out.back = 1;

    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 1100), B24_QUEUE_OK,
           "not yet");
    next_is(q, 0, T0 + 2000, &job, "status 1 2", "it is looked at");

    out.state = B24_STATE_DELIVERED;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 2100), B24_QUEUE_OK,
           "the CRM's is newer");
    next_is(q, 1, T0 + 2200, &job, "back 1 1", "the shop is told");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2300);
    next_is(q, 1, T0 + 2300, &job, "none 0", "once");

    b24_queue_close(q);
}


/* the shop there and back, a move in between: the shop's is the newest */
static void
test_there_and_back(void)
{
    b24_queue_t          *q = queue_open(queue_path("there.db"));
    b24_queue_job_t       job;
    b24_queue_seen_t      seen;
    b24_queue_outcome_t   out;

    nwriters = 1;

    (void) order(q, "shop", "1", 7, T0);
    status(q, "1", "N", T0 + 1000);
    next_is(q, 0, T0 + 1000, &job, "status 1 1", "how it is");

    memset(&out, 0, sizeof(out));
    memset(&seen, 0, sizeof(seen));
    seen.status = str("N");
    out.state = B24_STATE_DELIVERED;
    out.seen = &seen;
    is_int(b24_queue_outcome(q, "w", &job, &out, T0 + 1100), B24_QUEUE_OK,
           "has come to the deal");

    status(q, "1", "P", T0 + 2000);
    moved(q, 7, 0, T0 + 3000);
    said(q, "WON", T0 + 3000, T0 + 3000, "1 0", "moved");
    status(q, "1", "N", T0 + 4000);

    next_is(q, 0, T0 + 5000, &job, "status 1 1", "the shop's is looked at");
    is_str(&job.seen.status, "N", "back at the first one");
    is_int(job.seen.time - T0, 4000, "since then");
    ok(!job.seen.settled, "a change all the same");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 5000);
    next_is(q, 1, T0 + 5000, &job, "back 1 1", "then the CRM's");
    ok(!job.seen.settled, "which is weighed against it");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 5000);

    nwriters = 0;
    b24_queue_close(q);
}


/* its record has expired */
static void
test_gone(void)
{
    int                n;
    b24_queue_t       *q = queue_open(queue_path("gone.db"));
    b24_queue_job_t    job;

    (void) order(q, "shop", "1", 7, T0);
    is_int(b24_queue_clean(q, DAY, 100, T0 + 2 * DAY, &n), B24_QUEUE_OK,
           "days later");
    is_int(n, 1, "the record has gone");

    moved(q, 7, 0, T0 + 2 * DAY);
    said(q, "NEW", T0, T0 + 2 * DAY, "0 0", "an echo");
    moved(q, 7, 0, T0 + 2 * DAY);
    said(q, "WON", T0 + DAY, T0 + 2 * DAY, "1 0", "moved, nobody to be told");
    next_is(q, 1, T0 + 2 * DAY, &job, "none 0", "nothing is kept");

    nwriters = 1;
    moved(q, 7, 0, T0 + 2 * DAY);
    said(q, "WON", T0 + DAY, T0 + 2 * DAY, "1 0", "moved");
    next_is(q, 1, T0 + 2 * DAY, &job, "back 1 1", "it is made anew");
    is_str(&job.seen.held, "WON", "with the stage");
    is_str(&job.seen.sent, "NEW", "and what was known of it");
    is_int(job.deal_id, 7, "and its deal");
    seen_is(q, job.record, "WON@172800000 moved 86400000",
            "the deal was moved to \"WON\" in the CRM", "noted");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2 * DAY);

    is_int(queue_sql(q, "SELECT n FROM counts WHERE origin = 'shop'"
                     " AND state = 'delivered'"),
           1, "it is delivered as ever");

    nwriters = 0;
    b24_queue_close(q);
}


/* its record has expired, and the shop calls it otherwise than the CRM */
static void
test_gone_numbers(void)
{
    int               n;
    char              name[64];
    size_t            i;
    int64_t           record;
    b24_queue_t      *q;
    b24_queue_job_t   job;

    static const char  *ids[] = { "0f3b", "9f3b" };    /* before, behind "57" */

    nwriters = 1;

    for (i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "gone_numbers%zu.db", i);
        q = queue_open(queue_path(name));

        record = order(q, "shop", ids[i], 7, T0);

        (void) queue_sql(q, "UPDATE records SET shop_number = '57',"
                         " shop_row = '5' RETURNING 1");
        (void) b24_queue_begin(q);
        (void) b24_queue_put_link(q, record);
        (void) b24_queue_commit(q);

        (void) b24_queue_clean(q, DAY, 100, T0 + 2 * DAY, &n);
        is_int(n, 1, "the record has gone");

        moved(q, 7, 0, T0 + 2 * DAY);
        said(q, "WON", T0 + DAY, T0 + 2 * DAY, "1 0", "moved");
        next_is(q, 1, T0 + 2 * DAY, &job, i ? "back 9f3b 1" : "back 0f3b 1",
                "it is made anew");
        is_str(&job.seen.sent, "NEW", "with what was known of it");
        is_str(&job.shop_number, "57", "and the shop's number");
        is_str(&job.row, "5", "and key");
        ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 2 * DAY);

        b24_queue_close(q);
    }

    nwriters = 0;
}


/* of a number that was used again the shop may have the later order */
static void
test_reused(void)
{
    b24_queue_t             *q = queue_open(queue_path("reused.db"));
    b24_queue_job_t          job;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    nwriters = 1;

    (void) order(q, "shop", "1", 7, T0);
    (void) order(q, "shop", "2", 8, T0);

    queue_put_init(&put, "shop", "1", "other content", T0 + 10 * DAY);
    is_int(queue_put1(q, &put, &result), B24_QUEUE_OK, "the number again");

    moved(q, 7, 0, T0 + 11 * DAY);
    said(q, "WON", T0 + 11 * DAY, T0 + 11 * DAY, "1 0", "moved");
    next_is(q, 1, T0 + 11 * DAY, &job, "back 1 1", "the shop is to be told");
    is_int(job.contested, 1, "of one of two");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 11 * DAY);

    moved(q, 8, 0, T0 + 11 * DAY);
    said(q, "WON", T0 + 11 * DAY, T0 + 11 * DAY, "1 0", "moved");
    next_is(q, 1, T0 + 11 * DAY, &job, "back 2 1", "another one");
    is_int(job.contested, 0, "is the only one");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 11 * DAY);

    /* its key tells it from the other */

    (void) queue_sql(q, "UPDATE records SET shop_row = '77' WHERE id = 1"
                     " RETURNING 1");
    moved(q, 7, 0, T0 + 12 * DAY);
    said(q, "LOSE", T0 + 12 * DAY, T0 + 12 * DAY, "1 0", "moved");
    next_is(q, 1, T0 + 12 * DAY, &job, "back 1 1", "the shop is to be told");
    is_int(job.contested, 0, "of the one of that key");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 12 * DAY);

    nwriters = 0;
    b24_queue_close(q);
}


/* no room for a record that is to be made anew: others don't wait for it */
static void
test_full(void)
{
    int                  n;
    size_t               news, left;
    b24_queue_t         *q = queue_open(queue_path("full.db"));
    b24_queue_job_t      job;
    b24_queue_moved_t    deals[2];

    nwriters = 1;

    (void) order(q, "shop", "1", 7, T0);
    (void) b24_queue_clean(q, DAY, 100, T0 + 2 * DAY, &n);
    is_int(n, 1, "the record has gone");

    (void) order(q, "shop", "2", 8, T0 + 2 * DAY);
    status(q, "2", "P", T0 + 2 * DAY);
    b24_queue_limit(q, 1);

    moved(q, 7, 0, T0 + 3 * DAY);
    moved(q, 8, 0, T0 + 3 * DAY);

    memset(deals, 0, sizeof(deals));
    deals[0].id = 7;
    deals[1].id = 8;
    deals[0].told = deals[1].told = T0 + 3 * DAY;
    deals[0].stage = deals[1].stage = str("WON");

    is_int(b24_queue_watched(q, &portal, origins, 2, origins, 1, deals, 2,
                             T0 + 3 * DAY, T0 + 3 * DAY + 1, &news, &left),
           B24_QUEUE_OK, "what the portal says");
    is_int((long long) news, 1, "one is news");
    is_int((long long) left, 1, "one is left");
    list_is(q, "7@259200000 history 0", "for another time");
    next_is(q, 0, T0 + 4 * DAY, &job, "status 2 1", "the other goes on");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 4 * DAY);
    next_is(q, 1, T0 + 4 * DAY, &job, "back 2 1", "and back");
    ends(q, &job, B24_STATE_DELIVERED, 0, T0 + 4 * DAY);

    said(q, "WON", T0 + 4 * DAY, T0 + 4 * DAY, "1 0", "there is room");
    next_is(q, 1, T0 + 4 * DAY, &job, "back 1 1", "it is made anew");

    nwriters = 0;
    b24_queue_close(q);
}


int
main(void)
{
    pool = b24_pool_create(0);
    (void) queue_mkdir();

    origins[0] = str("shop");
    origins[1] = str("other");

    test_list();
    test_news();
    test_meanwhile();
    test_late();
    test_unknown();
    test_set_back();
    test_many();
    test_back();
    test_overtake();
    test_total();
    test_refused();
    test_told();
    test_calling();
    test_restated();
    test_newer();
    test_there_and_back();
    test_gone();
    test_gone_numbers();
    test_reused();
    test_full();

    queue_rmdir(queue_dir);
    b24_pool_destroy(pool);

    return done_testing();
}
