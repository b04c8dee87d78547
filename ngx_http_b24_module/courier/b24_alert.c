
/*
 * Raised, settled, told, told again, over.  What is to be said is worked out
 * anew at each try from what is so then: nothing is queued, and a thousand
 * changes that nobody could be told of are one message.
 */


#include "b24_alert.h"
#include "b24_node.h"
#include "b24_text.h"

#include <time.h>


/* messages that a target gets in a row, then one each so often */
#define B24_ALERT_BURST   20
#define B24_ALERT_EVERY   60000

#define B24_ALERT_FIRST   5000      /* the pause after a failure */
#define B24_ALERT_PAUSE   600000    /* the longest one */

#define B24_ALERT_WORDS   400       /* bytes of a cause, of an advice */
#define B24_ALERT_NUMBER  100       /* and of an order's number */


static void b24_alert_text(b24_buf_t *out, const b24_alert_message_t *m);
static void b24_alert_why(b24_buf_t *out, const b24_alert_message_t *m);
static void b24_alert_words(b24_buf_t *out, const b24_str_t *words);
static void b24_alert_age(b24_buf_t *out, int64_t seconds);
static void b24_alert_n(b24_buf_t *out, int64_t n, const char *one,
    const char *many);
static void b24_alert_json(b24_buf_t *out, const char *name,
    const b24_str_t *text);
static void b24_alert_number(b24_buf_t *out, const char *name, int64_t n);
static void b24_alert_time(b24_buf_t *out, const char *name, int64_t ms);


static const struct {
    const char  *name;
    unsigned     counted:1;
    unsigned     once:1;
} b24_alerts[B24_NALERTS] = {
#define B24_X(id, name, counted, once)  { name, counted, once },
    B24_ALERTS(B24_X)
#undef B24_X
};


const char *
b24_alert_name(b24_alert_e event)
{
    return b24_alerts[event].name;
}


void
b24_alert_look(b24_alert_t *alert, const b24_alert_limits_t *limits,
    int64_t count, int64_t now)
{
    /* the clock may have been set back */

    if (alert->told > now) {
        alert->told = now;
    }

    if (alert->changed == 0 || alert->changed > now
        || (count == 0) != (alert->count == 0))
    {
        alert->changed = now;
        alert->tries = 0;
    }

    alert->count = count;

    /* who has seen to some of them is to be told of others */

    if (b24_alerts[alert->event].counted && count < alert->n) {
        alert->n = count;
        alert->dirty = 1;
    }

    if (alert->told && !alert->raised && alert->n == 0
        && now - alert->told >= limits->gap)
    {
        alert->told = 0;
        alert->dirty = 1;
    }
}


b24_alert_say_e
b24_alert_wants(const b24_alert_t *alert, const b24_alert_limits_t *limits,
    int64_t now)
{
    int  more;

    if (now - alert->changed < B24_ALERT_SETTLE
        || (alert->told && now - alert->told < limits->gap))
    {
        return B24_ALERT_NOTHING;
    }

    more = b24_alerts[alert->event].counted && alert->count > alert->n;

    if (b24_alerts[alert->event].once) {
        return more ? B24_ALERT_RAISE : B24_ALERT_NOTHING;
    }

    if (alert->count == 0) {
        return alert->raised ? B24_ALERT_CLEAR : B24_ALERT_NOTHING;
    }

    if (!alert->raised || more
        || (limits->again && now - alert->told >= limits->again))
    {
        return B24_ALERT_RAISE;
    }

    return B24_ALERT_NOTHING;
}


int64_t
b24_alert_since(const b24_alert_t *alert)
{
    return alert->raised ? alert->since : alert->changed;
}


void
b24_alert_said(b24_alert_t *alert, b24_alert_say_e say, int64_t since,
    int64_t count, int64_t now)
{
    if (say == B24_ALERT_RAISE) {
        alert->since = since;
        alert->raised = !b24_alerts[alert->event].once;
        alert->n = count;

    } else {
        alert->raised = 0;
        alert->since = 0;
        alert->n = 0;
    }

    alert->told = now;
    alert->tries = 0;
    alert->dirty = 1;
}


int
b24_alert_unsaid(b24_alert_t *alert, b24_alert_say_e say, int64_t now)
{
    if (++alert->tries < B24_ALERT_TRIES || say == B24_ALERT_RAISE) {
        return 0;
    }

    b24_alert_said(alert, say, 0, 0, now);

    return 1;
}


int
b24_alert_may(b24_alert_pace_t *pace, int64_t now)
{
    int64_t  ms;

    ms = now - pace->time;

    pace->level = (ms >= pace->level) ? 0
                  : pace->level - (ms > 0 ? ms : 0);
    pace->time = now;

    if (pace->next > now + B24_ALERT_PAUSE) {
        pace->next = now;
    }

    return pace->next <= now
           && pace->level <= (int64_t) (B24_ALERT_BURST - 1) * B24_ALERT_EVERY;
}


void
b24_alert_tried(b24_alert_pace_t *pace, int64_t now)
{
    pace->level += B24_ALERT_EVERY;
    pace->time = now;
}


void
b24_alert_ended(b24_alert_pace_t *pace, int good, int64_t now)
{
    unsigned  n;
    int64_t   ms;

    if (good) {
        pace->failures = 0;
        pace->next = 0;
        return;
    }

    ms = B24_ALERT_FIRST;

    for (n = 0; n < pace->failures && ms < B24_ALERT_PAUSE; n++) {
        ms *= 2;
    }

    pace->failures++;
    pace->next = now + (ms < B24_ALERT_PAUSE ? ms : B24_ALERT_PAUSE);
}


void
b24_alert_print(b24_buf_t *out, const b24_alert_message_t *m)
{
    size_t     i;
    b24_buf_t  text;
    b24_str_t  s;

    b24_buf_init(&text, out->pool);
    b24_alert_text(&text, m);

    if (b24_buf_str(&text, &s) != B24_OK) {
        out->failed = 1;
        return;
    }

    b24_buf_adds(out, "{\"version\":\"");
    b24_buf_adds(out, m->version);
    b24_buf_addc(out, '"');
    b24_alert_time(out, "time", m->now);
    b24_alert_json(out, "origin", &m->origin);
    b24_alert_json(out, "host", &m->host);
    b24_buf_adds(out, ",\"event\":\"");
    b24_buf_adds(out, b24_alerts[m->event].name);
    b24_buf_adds(out, "\",\"state\":\"");
    b24_buf_adds(out, m->say == B24_ALERT_CLEAR ? "cleared\"" : "raised\"");
    b24_alert_time(out, "since", m->since);
    b24_alert_json(out, "text", &s);
    b24_buf_adds(out, ",\"orders\":[");

    for (i = 0; i < m->norders; i++) {
        s = m->orders[i];
        b24_text_cut(&s, B24_ALERT_NUMBER);

        b24_buf_adds(out, i ? "," : "");
        b24_json_string(out, &s);
    }

    b24_buf_addc(out, ']');
    b24_alert_number(out, "count", m->count);
    b24_alert_number(out, "waiting", m->waiting);
    b24_alert_number(out, "oldest_undelivered_seconds", m->oldest);
    b24_buf_adds(out, "}\n");
}


/* one or two sentences, in plain words */

static void
b24_alert_text(b24_buf_t *out, const b24_alert_message_t *m)
{
    static const char  *over[B24_NALERTS] = {
        "Bitrix24 takes orders again.",
        "No order is parked any more.",
        "No order is unconfirmed any more.",
        "No order waits for too long any more.",
        "The queue can be written again, no order is held in memory.",
        "", ""
    };

    if (m->origin.len) {
        b24_buf_addstr(out, &m->origin);
        b24_buf_adds(out, ": ");
    }

    if (m->say == B24_ALERT_CLEAR) {
        b24_buf_adds(out, over[m->event]);
        return;
    }

    switch (m->event) {

    case B24_ALERT_BLOCKED:
        b24_buf_adds(out, "Bitrix24 refuses what is sent to it, ");
        b24_alert_n(out, m->waiting, "order waits", "orders wait");
        break;

    case B24_ALERT_PARKED:
        b24_alert_n(out, m->count, "order is parked", "orders are parked");
        break;

    case B24_ALERT_UNCONFIRMED:
        b24_alert_n(out, m->count, "order is unconfirmed",
                    "orders are unconfirmed");
        break;

    case B24_ALERT_AGE:
        b24_buf_adds(out, "the oldest order has waited for ");
        b24_alert_age(out, m->oldest);
        b24_buf_adds(out, ", ");
        b24_alert_n(out, m->waiting, "order waits", "orders wait");
        break;

    case B24_ALERT_QUEUE:
        b24_buf_adds(out, "The queue can't be written, ");
        b24_alert_n(out, m->count, "order is", "orders are");
        b24_buf_adds(out, " held in memory: nginx's error log says what is the "
                     "matter with the disk; put it right, and don't stop "
                     "nginx before that.");
        return;

    case B24_ALERT_LOST:
        b24_alert_n(out, m->count, "order", "orders");
        b24_buf_adds(out, " could not be kept since nginx was started: its "
                     "error log says when and why; enter them by hand, as the "
                     "shop has them.");
        return;

    default:
        b24_buf_adds(out, "The queue's file could not be used, it was set "
                     "aside and a new one is begun: what waited in the old one "
                     "is not delivered by itself, nginx's error log says where "
                     "it is.");
        return;
    }

    b24_alert_why(out, m);
}


/* of several orders it is that of one */

static void
b24_alert_why(b24_buf_t *out, const b24_alert_message_t *m)
{
    if (m->cause.len) {
        b24_buf_adds(out, (b24_alerts[m->event].counted && m->count > 1)
                          ? ", the latest: " : ": ");
        b24_alert_words(out, &m->cause);
    }

    b24_buf_addc(out, '.');

    if (m->advice.len) {
        b24_buf_addc(out, ' ');
        b24_alert_words(out, &m->advice);
        b24_buf_addc(out, '.');
    }
}


/* some have a full stop at their end, others don't */

static void
b24_alert_words(b24_buf_t *out, const b24_str_t *words)
{
    b24_str_t  s;

    s = *words;

    b24_text_cut(&s, B24_ALERT_WORDS);

    while (s.len && (s.data[s.len - 1] == '.' || s.data[s.len - 1] <= ' ')) {
        s.len--;
    }

    b24_buf_addstr(out, &s);
}


static void
b24_alert_age(b24_buf_t *out, int64_t seconds)
{
    if (seconds >= (int64_t) 2 * 3600) {
        b24_alert_n(out, seconds / 3600, "hour", "hours");

    } else if (seconds >= 120) {
        b24_alert_n(out, seconds / 60, "minute", "minutes");

    } else {
        b24_alert_n(out, seconds, "second", "seconds");
    }
}


static void
b24_alert_n(b24_buf_t *out, int64_t n, const char *one, const char *many)
{
    b24_buf_addi(out, n);
    b24_buf_addc(out, ' ');
    b24_buf_adds(out, n == 1 ? one : many);
}


static void
b24_alert_json(b24_buf_t *out, const char *name, const b24_str_t *text)
{
    b24_buf_adds(out, ",\"");
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":");

    if (text->len) {
        b24_json_string(out, text);

    } else {
        b24_buf_adds(out, "null");
    }
}


static void
b24_alert_number(b24_buf_t *out, const char *name, int64_t n)
{
    b24_buf_adds(out, ",\"");
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":");
    b24_buf_addi(out, n);
}


static void
b24_alert_time(b24_buf_t *out, const char *name, int64_t ms)
{
    char       text[32];
    time_t     t;
    b24_str_t  s;
    struct tm  tm;

    t = (time_t) (ms / 1000);

    s.data = (u_char *) text;
    s.len = 0;

    if (ms && gmtime_r(&t, &tm)) {
        s.len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }

    b24_alert_json(out, name, &s);
}
