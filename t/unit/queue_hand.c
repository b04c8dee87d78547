
/* What a person does: retry, send, drop, pause; and what stays of it. */

#define _GNU_SOURCE

#include "queue.h"


#define WHO    " by hand from 192.0.2.1"
#define AGAIN  "retried" WHO
#define SENT   "sent" WHO
#define GONE   "dropped" WHO


static b24_pool_t  *pool;


static b24_queue_record_t *
get(b24_queue_t *q, const char *key)
{
    size_t               n;
    b24_str_t            k;
    b24_queue_record_t  *r;

    static b24_queue_record_t  none;

    k = str(key);

    return b24_queue_get(q, pool, &k, NULL, NULL, &r, &n) == B24_QUEUE_OK
           && n == 1 ? r : &none;
}


/* "KEY KEY", of an order id */

static const char *
found(b24_queue_t *q, const char *origin, const char *id)
{
    size_t               i, n;
    b24_str_t            o, number;
    b24_queue_record_t  *r;

    static char  text[256];

    o = str(origin);
    number = str(id);
    text[0] = '\0';

    if (b24_queue_get(q, pool, NULL, &o, &number, &r, &n) != B24_QUEUE_OK) {
        return "none";
    }

    for (i = 0; i < n; i++) {
        (void) strcat(text, i ? " " : "");
        (void) strcat(text, r[i].key);
    }

    return text;
}


static void
is_chars(const char *got, const char *want, const char *name)
{
    b24_str_t  s;

    s = str(got);
    is_str(&s, want, name);
}


static int64_t
count(b24_queue_t *q, const char *origin, b24_state_e state)
{
    size_t               i, n;
    int64_t              change;
    b24_queue_counts_t  *c;

    if (b24_queue_counts(q, pool, &c, &n, &change) == B24_QUEUE_OK) {

        for (i = 0; i < n; i++) {

            if (b24_str_eqs(&c[i].origin, origin)) {
                return c[i].counts[state];
            }
        }
    }

    return -1;
}


/* counts are what is in the tables */

static void
check_counts(b24_queue_t *q, const char *what)
{
    ok(queue_sql(q, "SELECT count(*) FROM counts c WHERE kept <>"
                    " (SELECT count(*) FROM records r"
                    " WHERE r.origin = c.origin AND r.state = c.state)") == 0,
       "counts fit: %s", what);
}


static b24_queue_put_result_t
unconfirmed(b24_queue_t *q, const char *id, const char *print, int64_t now)
{
    b24_queue_put_t         put;
    b24_queue_put_result_t  result;

    queue_put_init(&put, "shop", id, print, now);
    put.state = B24_STATE_UNCONFIRMED;
    put.cause = str("the shop's answer was not seen");
    put.advice = str("look the order up");

    if (queue_put1(q, &put, &result) != B24_QUEUE_OK) {
        ok(0, "put: %s", b24_queue_message(q));
    }

    return result;
}


/* the next due order ends in that state */

static int64_t
end(b24_queue_t *q, b24_state_e state, b24_step_state_e deal, int64_t now)
{
    int64_t              next;
    b24_queue_job_t      job;
    b24_queue_outcome_t  out;

    if (queue_claim(q, pool, "shop", "w1", now, &job, &next) != B24_QUEUE_OK) {
        return 0;
    }

    if (deal != B24_STEP_OPEN) {
        (void) b24_queue_attempt(q, "w1", &job, 1 << B24_STEP_DEAL, "batch",
                                 NULL, MINUTE, now);
    }

    memset(&out, 0, sizeof(b24_queue_outcome_t));

    out.state = state;
    out.steps[B24_STEP_DEAL] = deal;
    out.next = now + HOUR;
    out.cause = "Bitrix24 answered ERROR_CORE: Petrov";
    out.advice = "correct it";

    if (state == B24_STATE_DELIVERED) {
        out.deal_id = 100 + job.record;
        out.cause = NULL;
    }

    if (b24_queue_outcome(q, "w1", &job, &out, now) != B24_QUEUE_OK) {
        ok(0, "outcome: %s", b24_queue_message(q));
    }

    return job.record;
}


static b24_queue_moment_t *
last_moment(b24_queue_t *q, const char *key, size_t *n)
{
    b24_queue_moment_t  *m;

    static b24_queue_moment_t  none;

    return b24_queue_timeline(q, pool, 0, key, &m, n) == B24_QUEUE_OK
           ? &m[*n - 1] : &none;
}


static void
test_retry(void)
{
    int                      n;
    size_t                   rows, nleft;
    b24_str_t                origin;
    b24_state_e              state;
    b24_queue_t             *q;
    b24_queue_left_t         left[B24_QUEUE_LEFT];
    b24_queue_moment_t      *m;
    b24_queue_record_t      *r;
    b24_queue_cursor_t       cursor;
    b24_queue_put_result_t   a, b;

    q = queue_open(queue_path("retry.db"));

    a = queue_order(q, "shop", "1", "a", T0);
    is_int(b24_queue_retry(q, a.key, MINUTE, AGAIN, T0, &state),
           B24_QUEUE_NONE, "accepted: nothing to retry");

    (void) end(q, B24_STATE_PARKED, B24_STEP_SENT, T0 + 1);
    is_int(b24_queue_retry(q, a.key, MINUTE, AGAIN, T0 + 2, &state),
           B24_QUEUE_OK, "parked: the portal has answered");
    is_int(state, B24_STATE_ACCEPTED, "accepted at once");
    m = last_moment(q, a.key, &rows);
    is_str(&m->cause, AGAIN, "the timeline says who");
    is_int(m->state, B24_STATE_ACCEPTED, "with the state");

    /* waiting, nothing was sent: at once */

    (void) end(q, B24_STATE_WAITING, B24_STEP_OPEN, T0 + 3);
    is_int(queue_sql(q, "DELETE FROM steps RETURNING 1"), 1, "steps forgotten");
    is_int(b24_queue_retry(q, a.key, MINUTE, AGAIN, T0 + 4, &state),
           B24_QUEUE_OK, "waiting, nothing was sent");
    is_int(state, B24_STATE_ACCEPTED, "accepted at once");

    /* waiting, and the portal may be at work */

    (void) end(q, B24_STATE_WAITING, B24_STEP_SENT, T0 + 5);
    is_int(b24_queue_retry(q, a.key, MINUTE, AGAIN, T0 + 6, &state),
           B24_QUEUE_OK, "waiting, the outcome is unknown");
    is_int(state, B24_STATE_WAITING, "it waits");
    r = get(q, a.key);
    is_int(r->state, B24_STATE_WAITING, "so does the record");
    is_int(r->next, T0 + 5 + MINUTE, "until it is safe");
    m = last_moment(q, a.key, &rows);
    is_str(&m->cause, AGAIN, "the timeline says so");
    is_int(b24_queue_retry(q, a.key, MINUTE, AGAIN, T0 + 7, &state),
           B24_QUEUE_OK, "once more");
    is_int(get(q, a.key)->next, T0 + 5 + MINUTE, "that changes nothing");
    is_int(b24_queue_retry(q, a.key, MINUTE, AGAIN, T0 + 5 + MINUTE, &state),
           B24_QUEUE_OK, "when the time is over");
    is_int(state, B24_STATE_ACCEPTED, "it is accepted");
    check_counts(q, "retry");

    /* all that is parked */

    (void) end(q, B24_STATE_PARKED, B24_STEP_OPEN, T0 + 2 * MINUTE);

    for (n = 2; n < 8; n++) {
        char  id[8];

        (void) snprintf(id, sizeof(id), "%d", n);
        (void) queue_order(q, "shop", id, "a", T0 + n);
        (void) end(q, B24_STATE_PARKED, B24_STEP_OPEN,
                   T0 + 2 * MINUTE + n % 3);
    }

    b = queue_order(q, "shop", "2", "z", T0 + 3 * DAY);
    is_int(b.state, B24_STATE_PARKED, "a number used again");
    (void) queue_order(q, "other", "1", "a", T0);
    (void) queue_sql(q, "UPDATE records SET state = 'parked'"
                        " WHERE origin = 'other' RETURNING 1");

    origin = str("shop");
    memset(&cursor, 0, sizeof(cursor));
    is_int(b24_queue_retry_parked(q, &origin, &cursor, 4, AGAIN,
                                  T0 + 4 * DAY, &n), B24_QUEUE_OK, "in parts");
    is_int(n, 4, "a whole one");
    is_int(b24_queue_retry_parked(q, &origin, &cursor, 4, AGAIN,
                                  T0 + 4 * DAY, &n), B24_QUEUE_OK, "the next");
    is_int(n, 3, "what is left");
    is_int(queue_sql(q, "SELECT count(*) FROM timeline WHERE cause = '" AGAIN
                        "' AND time > 1700300000000"), 7, "seven timelines");
    is_int(count(q, "shop", B24_STATE_PARKED), 1, "but the re-used number");
    is_int(get(q, b.key)->state, B24_STATE_PARKED, "which stays");
    is_int(count(q, "other", B24_STATE_PARKED), 1, "and other shops'");
    check_counts(q, "all parked");

    nleft = 0;
    is_int(b24_queue_parked_left(q, pool, &origin, left, &nleft),
           B24_QUEUE_OK, "what was left");
    ok(nleft == 1 && left[0].n == 1
       && b24_str_eqs(&left[0].cause, "order number seen before with other "
                      "content") && left[0].advice.len,
       "is told with its cause");

    (void) queue_order(q, "shop", "8", "a", T0);
    (void) queue_order(q, "shop", "9", "a", T0);
    (void) queue_sql(q, "UPDATE records SET state = 'parked', attempts = 0,"
                        " cause = 'c' || id WHERE origin = 'shop'"
                        " AND state <> 'parked' RETURNING 1");
    is_int(b24_queue_parked_left(q, pool, &origin, left, &nleft),
           B24_QUEUE_OK, "many causes");
    ok(nleft == B24_QUEUE_LEFT && left[0].n == 2, "no more than there is room");

    b24_queue_close(q);
}


static void
test_send(void)
{
    size_t                   rows;
    int64_t                  next;
    b24_str_t                number, suffix, origin;
    b24_state_e              state;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_link_t         link;
    b24_queue_moment_t      *m;
    b24_queue_record_t      *r;
    b24_queue_put_result_t   a, b, c, u;

    q = queue_open(queue_path("send.db"));
    origin = str("shop");

    /* unconfirmed */

    u = unconfirmed(q, "", "u", T0);
    is_int(b24_queue_retry(q, u.key, 0, AGAIN, T0, &state), B24_QUEUE_NONE,
           "unconfirmed: not for a retry");
    is_int(b24_queue_send(q, pool, "k-ffffff", NULL, SENT, T0, &number),
           B24_QUEUE_NONE, "no such record");
    is_int(b24_queue_send(q, pool, u.key, NULL, SENT, T0 + HOUR, &number),
           B24_QUEUE_OK, "sent");
    ok(number.data == NULL, "without a number of its own");
    r = get(q, u.key);
    ok(r->state == B24_STATE_ACCEPTED && r->cause.data == NULL
       && r->advice.data == NULL, "accepted, nothing to complain of");
    m = last_moment(q, u.key, &rows);
    is_str(&m->cause, SENT, "the timeline says who");
    is_int((long long) rows, 2, "after its first row");
    is_int(b24_queue_send(q, pool, u.key, NULL, SENT, T0 + HOUR, &number),
           B24_QUEUE_NONE, "not twice");
    is_int(queue_claim(q, pool, "shop", "w1", T0 + HOUR, &job, &next),
           B24_QUEUE_OK, "it is delivered");
    is_int(job.accepted, T0 + HOUR, "accepted when it was sent");
    (void) queue_sql(q, "DELETE FROM records RETURNING 1");

    /* a number used again */

    a = queue_order(q, "shop", "1001", "a", T0);
    (void) end(q, B24_STATE_DELIVERED, B24_STEP_DONE, T0);
    b = queue_order(q, "shop", "1001", "b", T0 + 2 * DAY);
    c = queue_order(q, "shop", "1001", "c", T0 + 4 * DAY);
    is_int(c.state, B24_STATE_PARKED, "the third of that number");
    is_int(get(q, a.key)->reuse, 0, "the first");
    is_int(get(q, c.key)->reuse, 2, "the third");
    is_int(b24_queue_send(q, pool, a.key, NULL, SENT, T0, &number),
           B24_QUEUE_NONE, "a delivered one isn't sent");

    is_int(b24_queue_send(q, pool, c.key, NULL, SENT, T0 + 5 * DAY, &number),
           B24_QUEUE_OK, "sent");
    is_str(&number, "1001-2", "by the first free name");
    r = get(q, c.key);
    is_int(r->state, B24_STATE_ACCEPTED, "accepted");
    is_str(&r->order_id, "1001", "the shop's number stays");
    is_str(&r->origin_id, "1001-2", "and the one in the CRM");
    m = last_moment(q, c.key, &rows);
    is_str(&m->cause, SENT " as number 1001-2", "the timeline says it");
    is_int(b24_queue_send(q, pool, c.key, NULL, SENT, T0 + 5 * DAY, &number),
           B24_QUEUE_NONE, "not twice");

    suffix = str("2");
    is_int(b24_queue_send(q, pool, b.key, &suffix, SENT, T0 + 5 * DAY,
                          &number), B24_QUEUE_LIMIT, "a name that is taken");
    is_int(get(q, b.key)->state, B24_STATE_PARKED, "nothing has changed");
    suffix = str("new");
    is_int(b24_queue_send(q, pool, b.key, &suffix, SENT, T0 + 5 * DAY,
                          &number), B24_QUEUE_OK, "another name");
    is_str(&number, "1001-new", "is taken as it is");

    is_int(queue_claim(q, pool, "shop", "w1", T0 + 6 * DAY, &job, &next),
           B24_QUEUE_OK, "the courier");
    is_str(&job.order_id, "1001", "is told the shop's number");
    is_str(&job.origin_id, "1001-new", "and the other one");
    is_int(job.record, b.record, "in the order they came in");

    /* parked again: it has its name, and is retried */

    {
        b24_queue_outcome_t  out;

        memset(&out, 0, sizeof(b24_queue_outcome_t));
        out.state = B24_STATE_PARKED;
        out.cause = "refused";
        (void) b24_queue_outcome(q, "w1", &job, &out, T0 + 6 * DAY);
    }

    is_int(b24_queue_send(q, pool, b.key, NULL, SENT, T0 + 6 * DAY, &number),
           B24_QUEUE_NONE, "no second name");
    is_int(b24_queue_retry(q, b.key, MINUTE, AGAIN, T0 + 6 * DAY, &state),
           B24_QUEUE_OK, "but a retry");
    is_int(end(q, B24_STATE_DELIVERED, B24_STEP_DONE, T0 + 7 * DAY), b.record,
           "delivered");
    is_int(end(q, B24_STATE_DELIVERED, B24_STEP_DONE, T0 + 7 * DAY), c.record,
           "and the other");
    number = str("1001");
    (void) b24_queue_link(q, &origin, &number, &link);
    is_int(link.deal_id, 100 + a.record, "the number leads to its first deal");

    is_chars(found(q, "shop", "1001-new"), b.key, "found by its name");
    is_chars(found(q, "", "1001-2"), c.key, "of any origin");

    /* an order that really has this number */

    a = queue_order(q, "shop", "1001-2", "x", T0 + 7 * DAY);
    is_int(a.state, B24_STATE_PARKED, "isn't taken for the other");
    a = queue_order(q, "other", "1001-2", "x", T0 + 7 * DAY);
    is_int(a.state, B24_STATE_ACCEPTED, "another shop's has nothing to do");

    /* names of orders the shop has had are passed over */

    (void) queue_order(q, "shop", "7-2", "a", T0 + 7 * DAY);
    (void) queue_order(q, "shop", "7", "a", T0 + 7 * DAY);
    (void) queue_sql(q, "INSERT INTO links VALUES ('shop', '7-3', 1, NULL,"
                        " NULL, NULL, 1, NULL) RETURNING 1");
    b = queue_order(q, "shop", "7", "b", T0 + 9 * DAY);
    is_int(b24_queue_send(q, pool, b.key, NULL, SENT, T0 + 9 * DAY, &number),
           B24_QUEUE_OK, "sent");
    is_str(&number, "7-4", "by a name that is free");

    /* the name stays taken without its record */

    (void) queue_sql(q, "DELETE FROM records WHERE order_id = '7' RETURNING 1");
    a = queue_order(q, "shop", "7-4", "a", T0 + 9 * DAY);
    is_int(a.state, B24_STATE_PARKED, "taken for ever");

    check_counts(q, "send");
    b24_queue_close(q);
}


/* what came in from the shop's database meanwhile is not sent once more */
static void
test_alike(void)
{
    int                     i;
    b24_str_t               number;
    b24_queue_t            *q;
    b24_queue_put_t         put;
    b24_queue_put_result_t  u, result;

    static const struct {
        const char  *rule;
        const char  *data;
        int64_t      time;
        int          twin;
        const char  *name;
    } others[] = {
        { "import", "{\"v\":1,\"fields\":{\"name\":\"Anna\"}}", 0, 0,
          "not read yet" },
        { "import", "{\"v\":1,\"fields\":{\"email\":\"b@example.com\","
                    "\"total\":\"10.00\"}}", 0, 0, "another buyer's" },
        { "import", "{\"v\":1,\"fields\":{\"email\":\"a@example.com\","
                    "\"total\":\"11\"}}", 0, 0, "another total" },
        { "s/o", "{\"v\":1,\"fields\":{\"email\":\"a@example.com\","
                 "\"total\":\"10.00\"}}", 0, 0, "one that was captured" },
        { "import", "{\"v\":1,\"fields\":{\"email\":\"a@example.com\","
                    "\"total\":\"10.00\"}}", -HOUR, 0, "an earlier one" },
        { "import", "{\"v\":1,\"fields\":{\"email\":\"a@example.com\","
                    "\"total\":\"10.00\"}}", 25 * HOUR, 0, "a late one" },
        { "import", "{\"v\":1,\"fields\":{\"email\":\"A@Example.com\","
                    "\"total\":\"10.00\"}}", HOUR, 1, "the same" },
        { "import", "{\"v\":1,\"fields\":{\"phone\":"
                    "\"8 916 000-00-01\"}}", HOUR, 1,
          "the same by its phone, no total" },
        { "import", "{\"v\":1,\"fields\":{\"email\":"
                    "\"a@example.com\"}}", -HOUR / 10, 1,
          "before the answer that was not seen" }
    };

    for (i = 0; i < (int) (sizeof(others) / sizeof(others[0])); i++) {
        char  name[24], id[12];

        snprintf(name, sizeof(name), "alike%d.db", i);
        snprintf(id, sizeof(id), "%d", i);
        q = queue_open(queue_path(name));

        queue_put_init(&put, "shop", id, "x", T0 + others[i].time);
        put.rule = str(others[i].rule);
        put.data = str(others[i].data);

        if (others[i].time < 0) {
            (void) queue_put1(q, &put, &result);
        }

        queue_put_init(&put, "shop", "", "u", T0);
        put.state = B24_STATE_UNCONFIRMED;
        put.data = str("{\"v\":1,\"fields\":{\"email\":\"a@example.com\","
                       "\"phone\":\"+79160000001\",\"total\":\"10\"}}");
        (void) queue_put1(q, &put, &u);

        queue_put_init(&put, "shop", id, "x", T0 + others[i].time);
        put.rule = str(others[i].rule);
        put.data = str(others[i].data);

        if (others[i].time >= 0) {
            (void) queue_put1(q, &put, &result);
        }

        if (others[i].twin) {
            is_int(b24_queue_send(q, pool, u.key, NULL, SENT, T0, &number),
                   B24_QUEUE_LIMIT, others[i].name);
            ok(get(q, u.key)->state == B24_STATE_UNCONFIRMED, "it stays");
            is_int(b24_queue_alike(q, pool, u.record, T0), B24_QUEUE_OK,
                   "by itself it goes");
            ok(get(q, u.key)->key[0] == '\0', "it is the same order");
            is_int(queue_sql(q, "SELECT n FROM counts"
                                " WHERE state = 'duplicate'"), 1, "counted");
            is_int(b24_queue_alike(q, pool, u.record, T0), B24_QUEUE_NONE,
                   "once");

        } else {
            is_int(b24_queue_alike(q, pool, u.record, T0), B24_QUEUE_NONE,
                   others[i].name);
            is_int(b24_queue_send(q, pool, u.key, NULL, SENT, T0, &number),
                   B24_QUEUE_OK, "sent");
        }

        check_counts(q, others[i].name);
        b24_queue_close(q);
    }
}


static void
test_drop(void)
{
    int                      n;
    size_t                   rows;
    int64_t                  next;
    b24_str_t                origin, number;
    b24_state_e              state;
    b24_queue_t             *q;
    b24_queue_job_t          job;
    b24_queue_moment_t      *m;
    b24_queue_record_t      *r;
    b24_queue_put_result_t   a, b, u;

    q = queue_open(queue_path("drop.db"));
    origin = str("shop");

    a = queue_order(q, "shop", "1", "a", T0);
    is_int(b24_queue_drop(q, a.key, GONE, T0), B24_QUEUE_NONE,
           "accepted: it isn't dropped");
    is_int(b24_queue_drop(q, "k-ffffff", GONE, T0), B24_QUEUE_NONE,
           "no such record");
    is_int(b24_queue_drop(q, "nonsense", GONE, T0), B24_QUEUE_NONE, "no key");
    (void) queue_claim(q, pool, "shop", "w1", T0, &job, &next);
    is_int(b24_queue_drop(q, a.key, GONE, T0), B24_QUEUE_NONE,
           "nor one that is being sent");

    (void) queue_sql(q, "UPDATE records SET lease = 1 RETURNING 1");
    (void) end(q, B24_STATE_PARKED, B24_STEP_FAILED, T0 + 1);
    (void) queue_sql(q, "UPDATE records SET contact_id = 55 RETURNING 1");
    is_int(b24_queue_drop(q, a.key, GONE, T0 + HOUR), B24_QUEUE_OK,
           "parked: dropped");
    is_int(queue_sql(q, "SELECT (SELECT count(*) FROM records)"
                        " + (SELECT count(*) FROM events)"
                        " + (SELECT count(*) FROM steps)"
                        " + (SELECT count(*) FROM timeline)"), 0,
           "nothing is left of it");
    is_int(count(q, "shop", B24_STATE_REJECTED), 1, "it is counted");
    is_int(count(q, "shop", B24_STATE_PARKED), 0, "and no more as parked");
    is_int(b24_queue_drop(q, a.key, GONE, T0 + HOUR), B24_QUEUE_NONE,
           "not twice");
    is_int(b24_queue_retry(q, a.key, 0, AGAIN, T0 + HOUR, &state),
           B24_QUEUE_NONE, "not to be retried");
    is_int(b24_queue_send(q, pool, a.key, NULL, SENT, T0 + HOUR, &number),
           B24_QUEUE_NONE, "nor sent");
    is_int(queue_claim(q, pool, "shop", "w1", T0 + 9 * DAY, &job, &next),
           B24_QUEUE_NONE, "nor delivered");

    /* what can be seen of it */

    r = get(q, a.key);
    is_int(r->state, B24_STATE_REJECTED, "its state");
    is_str(&r->order_id, "1", "its number");
    is_str(&r->cause, GONE, "who did it");
    is_int(r->updated, T0 + HOUR, "and when");
    ok(r->contact_id == 55 && r->deal_id == 0 && r->attempts == 2
       && r->data.data == NULL, "what was made of it, and no data");
    m = last_moment(q, a.key, &rows);
    ok(rows == 2 && m->state == B24_STATE_REJECTED, "a timeline of two");
    is_str(&m->cause, GONE, "that says who");
    ok(m[-1].state == B24_STATE_PARKED && m[-1].time == T0 + 1
       && m[-1].cause.data == NULL, "and what it was, without words");
    is_chars(found(q, "shop", "1"), a.key, "found by its number");
    is_int(b24_queue_list(q, pool, &origin, 1, B24_STATE_REJECTED, 10, &r,
                          &rows), B24_QUEUE_OK, "in the list");
    is_int((long long) rows, 1, "of the rejected");
    is_int(b24_queue_list(q, pool, NULL, 0, B24_NSTATES, 10, &r, &rows),
           B24_QUEUE_OK, "and in that of all");
    is_int((long long) rows, 1, "one");

    /* sent by the buyer again */

    b = queue_order(q, "shop", "1", "a", T0 + HOUR);
    is_int(b.state, B24_STATE_DUPLICATE, "the same day: a duplicate");
    b = queue_order(q, "shop", "1", "a", T0 + 2 * DAY);
    is_int(b.state, B24_STATE_PARKED, "later: for a person");
    is_chars(found(q, "shop", "1"), b.key, "the number is that one's now");
    is_int(b24_queue_drop(q, b.key, GONE, T0 + 2 * DAY), B24_QUEUE_OK,
           "it can be dropped, too");

    /* one whose answer wasn't seen may come yet */

    u = unconfirmed(q, "2", "u", T0);
    is_int(b24_queue_drop(q, u.key, GONE, T0), B24_QUEUE_OK, "unconfirmed");
    b = queue_order(q, "shop", "2", "u", T0);
    is_int(b.state, B24_STATE_ACCEPTED, "then its answer: it is an order");
    (void) end(q, B24_STATE_WAITING, B24_STEP_SENT, T0);
    is_int(b24_queue_drop(q, b.key, GONE, T0), B24_QUEUE_OK, "waiting");
    is_int(count(q, "shop", B24_STATE_REJECTED), 4, "four in all");
    is_int(count(q, "shop", B24_STATE_WAITING), 0, "none waits");
    check_counts(q, "drop");

    /* its time */

    is_int(queue_sql(q, "SELECT count(*) FROM dropped"), 4, "four are shown");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 32 * DAY - 1, &n);
    is_int(queue_sql(q, "SELECT count(*) FROM dropped"), 1,
           "for as long as keep= says");
    (void) b24_queue_clean(q, 30 * DAY, 100, T0 + 32 * DAY, &n);
    is_int(queue_sql(q, "SELECT count(*) FROM dropped"), 0, "then it is gone");
    is_int(count(q, "shop", B24_STATE_REJECTED), 4, "the count stays");

    b24_queue_close(q);
}


/* what was dropped is on no disk */

static void
test_erased(void)
{
    int                      i, seen;
    FILE                    *f;
    char                     text[1 << 16];
    size_t                   n;
    b24_queue_t             *q;
    b24_queue_put_t          put;
    b24_queue_put_result_t   result;

    static const char *const  names[] = { "erased.db", "erased.db-wal" };

    q = queue_open(queue_path("erased.db"));

    queue_put_init(&put, "shop", "1", "a", T0);
    put.state = B24_STATE_UNCONFIRMED;
    put.data = str("{\"name\":\"Qwertzuiop\"}");
    (void) queue_put1(q, &put, &result);
    (void) b24_queue_drop(q, result.key, GONE, T0);

    seen = 0;

    for (i = 0; i < 2; i++) {
        f = fopen(queue_path(names[i]), "rb");
        if (f == NULL) {
            continue;
        }

        while ((n = fread(text, 1, sizeof(text), f)) > 0) {
            seen |= memmem(text, n, "Qwertzuiop", 10) != NULL;
        }

        (void) fclose(f);
    }

    ok(!seen, "neither the file nor its WAL has the buyer");

    b24_queue_close(q);
}


static void
test_pause(void)
{
    int                  changed;
    size_t               n;
    int64_t              change, before;
    b24_str_t            origins[3], open[3], cause;
    b24_queue_t         *q, *other;
    b24_queue_counts_t  *c;

    q = queue_open(queue_path("pause.db"));
    other = queue_open(queue_path("pause.db"));

    origins[0] = str("a");
    origins[1] = str("b");
    origins[2] = str("c");

    is_int(b24_queue_unpaused(q, origins, 3, open, &n), B24_QUEUE_OK, "ask");
    is_int((long long) n, 3, "at first nothing is paused");
    (void) b24_queue_counts(q, pool, &c, &n, &before);

    is_int(b24_queue_pause(q, &origins[1], 1, "paused" WHO, T0, &changed),
           B24_QUEUE_OK, "pause");
    is_int(changed, 1, "it is new");
    is_int(b24_queue_pause(q, &origins[1], 1, "x", T0 + 1, &changed),
           B24_QUEUE_OK, "once more");
    is_int(changed, 0, "changes nothing");
    (void) b24_queue_paused(other, pool, &origins[1], &cause);
    is_str(&cause, "paused" WHO, "another connection knows who");
    (void) b24_queue_paused(other, pool, &origins[0], &cause);
    ok(cause.data == NULL, "and what isn't");
    (void) b24_queue_unpaused(other, origins, 3, open, &n);
    ok(n == 2 && b24_str_eqs(&open[0], "a") && b24_str_eqs(&open[1], "c"),
       "the others go on");

    (void) b24_queue_counts(other, pool, &c, &n, &change);
    ok(n == 1 && c[0].paused && change > before, "it stands in the counts");
    b24_queue_close(q);
    b24_queue_close(other);

    q = queue_open(queue_path("pause.db"));
    (void) b24_queue_unpaused(q, origins, 3, open, &n);
    is_int((long long) n, 2, "it is kept");
    is_int(b24_queue_pause(q, &origins[1], 0, NULL, T0, &changed),
           B24_QUEUE_OK, "resume");
    is_int(changed, 1, "it ends");
    (void) b24_queue_pause(q, &origins[1], 0, NULL, T0, &changed);
    is_int(changed, 0, "once");
    before = change;
    (void) b24_queue_counts(q, pool, &c, &n, &change);
    ok(n == 1 && !c[0].paused && change > before, "in the counts, too");
    b24_queue_close(q);
}


/* a file of schema 2 */

static void
test_migrated(void)
{
    int           i, good;
    char          ids[96];
    sqlite3      *db;
    b24_queue_t  *q;

    good = sqlite3_open(queue_path("two.db"), &db) == SQLITE_OK;

    for (i = 0; i < 2; i++) {
        good &= sqlite3_exec(db, b24_queue_schema[i], NULL, NULL, NULL)
                == SQLITE_OK;
    }

    (void) snprintf(ids, sizeof(ids), "PRAGMA application_id = %d;"
                    " PRAGMA user_version = 2", B24_QUEUE_APPLICATION);
    good &= sqlite3_exec(db, ids, NULL, NULL, NULL) == SQLITE_OK
            && sqlite3_exec(db, "INSERT INTO secrets VALUES (1, 'sixteen"
                                " bytes...');"
                                "INSERT INTO records (origin, order_id, reuse,"
                                " rule, fingerprint, state, event, arrived,"
                                " accepted, created, updated) VALUES ('shop',"
                                " '5', 1, 's/o', 'f', 'parked', 1, 1, 1, 1, 1);"
                                "INSERT INTO events VALUES (1, 1, 1, 'new', 1,"
                                " NULL, '{}')", NULL, NULL, NULL)
               != SQLITE_MISUSE;
    (void) sqlite3_close(db);
    ok(good, "a file of schema 2");

    q = queue_open(queue_path("two.db"));
    is_int(queue_sql(q, "PRAGMA user_version"), B24_QUEUE_SCHEMA,
           "brought up to date");
    is_int(queue_sql(q, "SELECT count(*) FROM records"), 1, "with its record");
    is_int(queue_sql(q, "SELECT (SELECT count(*) FROM numbers)"
                        " + (SELECT count(*) FROM dropped)"
                        " + (SELECT count(*) FROM paused)"), 0, "new tables");
    is_int(b24_queue_drop(q, "k-000001", GONE, T0), B24_QUEUE_OK,
           "its record is dropped");
    b24_queue_close(q);
}


int
main(void)
{
    (void) queue_mkdir();
    pool = b24_pool_create(0);

    test_retry();
    test_send();
    test_alike();
    test_drop();
    test_erased();
    test_pause();
    test_migrated();

    b24_pool_destroy(pool);
    queue_rmdir(queue_dir);

    return done_testing();
}
