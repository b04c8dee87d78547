
/*
 * Alerts: what is told is one line of JSON that says what was meant, and how
 * long something lasts decides when: never sooner than the gap, never without
 * end.
 *
 * Aims at: courier/b24_alert.c
 */


#include "fuzz.h"
#include "b24_alert.h"
#include "b24_batch.h"
#include "b24_text.h"


#define LINE  32768


static b24_str_t
clean(fuzz_t *f)
{
    b24_str_t  s, none = b24_null_string;

    s = fuzz_str(f);
    ABORT_UNLESS(b24_text_utf8(f->pool, &s, &none, &s) == B24_OK);

    return s;
}


static void
is_text(const b24_node_t *root, const char *name, const b24_str_t *want)
{
    const b24_node_t  *node;

    node = b24_member(root, name);
    ABORT_UNLESS(node != NULL);

    if (want->len == 0) {
        ABORT_UNLESS(node->type == B24_NULL);
        return;
    }

    ABORT_UNLESS(node->type == B24_STRING);
    ABORT_UNLESS(b24_str_eq(&node->value, want));
}


static void
is_number(fuzz_t *f, const b24_node_t *root, const char *name, int64_t n)
{
    b24_buf_t          buf;
    b24_str_t          s;
    const b24_node_t  *node;

    b24_buf_init(&buf, f->pool);
    b24_buf_addi(&buf, n);
    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    node = b24_member(root, name);
    ABORT_UNLESS(node && node->type == B24_NUMBER);
    ABORT_UNLESS(b24_str_eq(&node->value, &s));
}


static void
check_message(fuzz_t *f)
{
    size_t                i;
    b24_buf_t             out;
    b24_str_t             line;
    b24_node_t           *root, *node;
    b24_alert_message_t   m;

    memset(&m, 0, sizeof(m));

    m.version = "1.0.0";
    m.event = (b24_alert_e) fuzz_below(f, B24_NALERTS);
    m.say = fuzz_below(f, 2) ? B24_ALERT_RAISE : B24_ALERT_CLEAR;
    m.origin = clean(f);
    m.host = clean(f);
    m.cause = clean(f);
    m.advice = clean(f);
    m.since = fuzz_int(f);
    m.now = fuzz_int(f);
    m.count = fuzz_int(f);
    m.waiting = fuzz_int(f);
    m.oldest = fuzz_int(f);
    m.norders = fuzz_below(f, B24_ALERT_ORDERS + 1);

    for (i = 0; i < m.norders; i++) {
        m.orders[i] = clean(f);
    }

    b24_buf_init(&out, f->pool);
    b24_alert_print(&out, &m);
    ABORT_UNLESS(b24_buf_str(&out, &line) == B24_OK);

    ABORT_UNLESS(line.len && line.len < LINE);
    ABORT_UNLESS(line.data[line.len - 1] == '\n');
    line.len--;
    ABORT_UNLESS(memchr(line.data, '\n', line.len) == NULL);
    ABORT_UNLESS(b24_utf8_valid(&line));

    ABORT_UNLESS(b24_json_parse(f->pool, &line, 0, &root) == B24_OK);
    ABORT_UNLESS(root->type == B24_OBJECT);

    is_text(root, "origin", &m.origin);
    is_number(f, root, "count", m.count);
    is_number(f, root, "waiting", m.waiting);
    is_number(f, root, "oldest_undelivered_seconds", m.oldest);

    node = b24_member(root, "event");
    ABORT_UNLESS(node && b24_str_eqs(&node->value, b24_alert_name(m.event)));

    node = b24_member(root, "text");
    ABORT_UNLESS(node && (node->type == B24_STRING
                          || (m.origin.len == 0
                              && m.say == B24_ALERT_CLEAR)));

    node = b24_member(root, "orders");
    ABORT_UNLESS(node && node->type == B24_ARRAY && node->count == m.norders);
}


/* a life: what is so, told or not, over any time */
static void
check_life(fuzz_t *f)
{
    int                  given_up;
    int64_t              now, count, told;
    unsigned             steps;
    b24_alert_t          alert;
    b24_alert_limits_t   limits;
    b24_alert_pace_t     pace;
    b24_alert_say_e      say, before;

    memset(&alert, 0, sizeof(alert));
    memset(&pace, 0, sizeof(pace));

    alert.event = (b24_alert_e) fuzz_below(f, B24_NALERTS);
    limits.gap = (fuzz_byte(f) + 1) * (int64_t) 1000;
    limits.again = fuzz_below(f, 4) * (int64_t) 3600000;

    now = 1700000000000;
    told = 0;
    before = B24_ALERT_NOTHING;

    for (steps = 0; steps < 200 && fuzz_more(f); steps++) {
        now += fuzz_byte(f) * (int64_t) (fuzz_below(f, 4) ? 100 : 60000);
        count = fuzz_below(f, 4) ? fuzz_below(f, 8) : 0;

        b24_alert_look(&alert, &limits, count, now);
        say = b24_alert_wants(&alert, &limits, now);

        ABORT_UNLESS(say == B24_ALERT_NOTHING || say == B24_ALERT_RAISE
                     || say == B24_ALERT_CLEAR);

        /* over is only what was told to be so */
        ABORT_UNLESS(say != B24_ALERT_CLEAR || alert.raised);
        ABORT_UNLESS(b24_alert_since(&alert) <= now);

        if (say == B24_ALERT_NOTHING || !b24_alert_may(&pace, now)) {
            continue;
        }

        /* two messages that say the same keep their distance */
        ABORT_UNLESS(told == 0 || say != B24_ALERT_RAISE
                     || before != B24_ALERT_RAISE
                     || now - told >= limits.gap);

        b24_alert_tried(&pace, now);

        if (fuzz_below(f, 3)) {
            b24_alert_ended(&pace, 1, now);
            b24_alert_said(&alert, say, b24_alert_since(&alert), count, now);
            told = now;
            before = say;

        } else {
            b24_alert_ended(&pace, 0, now);
            given_up = b24_alert_unsaid(&alert, say, now);
            ABORT_UNLESS(!given_up || say == B24_ALERT_CLEAR);
        }

        ABORT_UNLESS(alert.tries <= B24_ALERT_TRIES
                     || say == B24_ALERT_RAISE);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t  f;

    fuzz_init(&f, data, size);

    if (fuzz_byte(&f) & 1) {
        check_life(&f);

    } else {
        check_message(&f);
    }

    b24_pool_destroy(f.pool);

    return 0;
}
