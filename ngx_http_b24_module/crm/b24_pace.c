
/*
 * The portal's time: what is left of what is told, what we have spent since,
 * and what has left the window.
 */


#include "b24_pace_int.h"


#define B24_PACE_DEFAULT  500       /* ms of a method nobody has measured */


static const b24_pace_method_t *b24_pace_find(const b24_pace_t *pace,
    const char *method);
static int64_t b24_pace_sample(const char *method);
static void b24_pace_reset(const b24_pace_t *pace, b24_pace_method_t *m);
static void b24_pace_back(const b24_pace_t *pace, b24_pace_method_t *m,
    int64_t now);
static void b24_pace_shift(const b24_pace_t *pace, b24_pace_method_t *m,
    int64_t n);
static int64_t b24_pace_used(const b24_pace_method_t *m);
static int64_t b24_pace_own(const b24_pace_t *pace,
    const b24_pace_method_t *m, int64_t much, int64_t now);


static const struct {
    const char  *method;
    int64_t      ms;
} b24_pace_samples[] = {
    { "crm.duplicate.findbycomm", 50 },
    { "crm.contact.company.add", 400 },
    { "crm.item.productrow.set", 430 },
    { "crm.deal.get", 640 },
    { "crm.deal.add", 950 },
    { "crm.deal.productrows.set", 1230 },
    { "crm.requisite.add", 1400 },
    { "crm.contact.add", 1510 },
    { "crm.deal.update", 1610 },
    { "crm.item.update", 3660 },
    { NULL, 0 }
};


void
b24_pace_init(b24_pace_t *pace, int64_t window, unsigned buckets)
{
    memset(pace, 0, sizeof(b24_pace_t));

    pace->window = (window > 0) ? window : B24_PACE_WINDOW;
    pace->buckets = (buckets > 0 && buckets <= B24_PACE_BUCKETS)
                    ? buckets : B24_PACE_BUCKETS;

    if (pace->window < pace->buckets) {
        pace->window = pace->buckets;
    }
}


static const b24_pace_method_t *
b24_pace_find(const b24_pace_t *pace, const char *method)
{
    unsigned  i;

    for (i = 0; i < B24_PACE_METHODS; i++) {

        if (pace->methods[i].name[0]
            && strcmp(pace->methods[i].name, method) == 0)
        {
            return &pace->methods[i];
        }
    }

    return NULL;
}


b24_pace_method_t *
b24_pace_method(b24_pace_t *pace, const char *method, int64_t now)
{
    unsigned            i;
    b24_pace_method_t  *m, *place;

    m = (b24_pace_method_t *) b24_pace_find(pace, method);

    if (m) {
        b24_pace_turn(pace, m, now);
        m->used = now;
        return m;
    }

    place = NULL;

    for (i = 0; i < B24_PACE_METHODS; i++) {
        m = &pace->methods[i];

        if (m->name[0] == '\0') {
            place = m;
            break;
        }

        if (m->blocked <= now && (place == NULL || m->used < place->used)) {
            place = m;
        }
    }

    if (place == NULL || strlen(method) >= B24_PACE_NAME) {
        return NULL;
    }

    memset(place, 0, sizeof(b24_pace_method_t));
    memcpy(place->name, method, strlen(method));

    place->cost = b24_pace_sample(method) * 1000;
    place->told = -1;
    place->used = now;
    place->slot = now / b24_pace_width(pace);

    return place;
}


static int64_t
b24_pace_sample(const char *method)
{
    unsigned  i;

    for (i = 0; b24_pace_samples[i].method; i++) {

        if (strcmp(b24_pace_samples[i].method, method) == 0) {
            return b24_pace_samples[i].ms;
        }
    }

    return B24_PACE_DEFAULT;
}


/* never 0, whatever memory the pace lies in */

int64_t
b24_pace_width(const b24_pace_t *pace)
{
    if (pace->buckets == 0 || pace->window < pace->buckets) {
        return B24_PACE_WINDOW / B24_PACE_BUCKETS;
    }

    return pace->window / pace->buckets;
}


/* ---- time goes on ---- */

void
b24_pace_turn(const b24_pace_t *pace, b24_pace_method_t *m, int64_t now)
{
    int64_t  n, slot;

    slot = now / b24_pace_width(pace);
    n = slot - m->slot;

    /* a clock that is set right by a little crosses an edge twice */

    if (n < -1 || m->told_at > now || m->blocked > now + pace->window) {
        b24_pace_back(pace, m, now);
        n = slot - m->slot;
    }

    if (m->blocked <= now) {
        m->blocked = 0;
    }

    while (m->reset_at && m->reset_at <= now) {
        b24_pace_reset(pace, m);
    }

    if (n > 0) {
        b24_pace_shift(pace, m, n);
    }

    /* all that was told has left the window */

    if (m->told >= 0 && now - m->told_at >= pace->window) {
        m->told = b24_pace_sum(m) - b24_pace_open(m);
        m->told_at = now;
        m->left = 0;
    }
}


static void
b24_pace_shift(const b24_pace_t *pace, b24_pace_method_t *m, int64_t n)
{
    int64_t  i;

    for (i = pace->buckets; i >= 0; i--) {

        if (i + n > (int64_t) pace->buckets) {
            m->left += m->spent[i];

        } else {
            m->spent[i + n] = m->spent[i];
        }

        m->spent[i] = 0;
    }

    /* an answer that has not come by now does not come: it was spent */

    for (i = B24_PACE_OPEN - 1; i >= 0; i--) {

        if (i + n < B24_PACE_OPEN) {
            m->open[i + n] = m->open[i];

        } else if (m->told >= 0) {
            m->told += m->open[i];
        }

        m->open[i] = 0;
    }

    m->slot += n;
}


/*
 * The oldest bucket of the portal's has left its sum.  Ours do not begin with
 * the portal's, and are kept a little longer than they count for that; but now
 * it is known.  If it is none of ours, somebody else has spent it, nobody knows
 * how much: a small part of the sum, since the next answer tells.
 */

static void
b24_pace_reset(const b24_pace_t *pace, b24_pace_method_t *m)
{
    int64_t  i, begin;

    for (i = pace->buckets; i >= 0; i--) {
        begin = (m->slot - i) * b24_pace_width(pace);

        if (begin > m->reset_at - pace->window) {
            break;
        }

        m->left += m->spent[i];
        m->spent[i] = 0;
    }

    if (m->left == 0 && m->told > 0 && !m->reckoned) {
        m->left = m->told / (pace->buckets + 1);
    }

    m->reckoned = (b24_pace_sum(m) > 0);
    m->reset_at = m->reckoned ? m->reset_at + b24_pace_width(pace) : 0;
}


/* our clock was set back: what it says is later than now is now */

static void
b24_pace_back(const b24_pace_t *pace, b24_pace_method_t *m, int64_t now)
{
    int64_t  slot, width;

    width = b24_pace_width(pace);
    slot = now / width;

    if (m->slot > slot + 1) {
        m->slot = slot;
    }

    if (m->told_at > now) {
        m->told_at = now;
    }

    if (m->blocked > now + pace->window) {
        m->blocked = now + pace->window;
    }

    if (m->reset_at > now + pace->window + width) {
        m->reset_at = 0;
    }

    if (m->used > now) {
        m->used = now;
    }
}


int64_t
b24_pace_sum(const b24_pace_method_t *m)
{
    int64_t   sum;
    unsigned  i;

    sum = 0;

    for (i = 0; i <= B24_PACE_BUCKETS; i++) {
        sum += m->spent[i];
    }

    return sum;
}


int64_t
b24_pace_open(const b24_pace_method_t *m)
{
    int64_t  sum;
    int      i;

    sum = 0;

    for (i = 0; i < B24_PACE_OPEN; i++) {
        sum += m->open[i];
    }

    return sum;
}


static int64_t
b24_pace_used(const b24_pace_method_t *m)
{
    int64_t  used;

    if (m->told < 0) {
        return 0;
    }

    used = m->told + b24_pace_open(m) - m->left;

    return used > 0 ? used : 0;
}


/* ---- what is left ---- */

int64_t
b24_pace_cost(const b24_pace_t *pace, const char *method)
{
    const b24_pace_method_t  *m;

    m = b24_pace_find(pace, method);

    return m ? (m->cost + 999) / 1000 : b24_pace_sample(method);
}


int64_t
b24_pace_counted(const b24_pace_t *pace, const char *method, int64_t ms)
{
    const b24_pace_method_t  *m;

    m = b24_pace_find(pace, method);

    return m ? ms - ms * m->spared / 1000 : ms;
}


int64_t
b24_pace_room(const b24_pace_t *pace, const char *method, int64_t limit,
    int64_t now)
{
    int64_t                   room;
    b24_pace_method_t         turned;
    const b24_pace_method_t  *m;

    room = (limit > 0) ? limit : INT64_MAX;

    m = b24_pace_find(pace, method);
    if (m == NULL) {
        return room;
    }

    turned = *m;
    b24_pace_turn(pace, &turned, now);

    if (turned.blocked) {
        return 0;
    }

    room -= (limit > 0) ? b24_pace_used(&turned) : 0;

    return room > 0 ? room : 0;
}


int64_t
b24_pace_wait(const b24_pace_t *pace, const char *method, int64_t limit,
    int64_t need, int64_t now)
{
    int64_t                   much;
    b24_pace_method_t         turned;
    const b24_pace_method_t  *m;

    m = b24_pace_find(pace, method);
    if (m == NULL) {
        return 0;
    }

    turned = *m;
    b24_pace_turn(pace, &turned, now);

    if (turned.blocked) {
        return turned.blocked - now;
    }

    if (limit <= 0) {
        return 0;
    }

    if (need > limit) {
        need = limit;
    }

    much = b24_pace_used(&turned) + need - limit;

    if (much <= 0) {
        return 0;
    }

    if (turned.reset_at) {
        return turned.reset_at - now;
    }

    return b24_pace_own(pace, &turned, much, now);
}


/* ms until so much of our own has left the window */

static int64_t
b24_pace_own(const b24_pace_t *pace, const b24_pace_method_t *m, int64_t much,
    int64_t now)
{
    int64_t  i, at;

    at = m->told_at + pace->window;

    for (i = pace->buckets; i >= 0; i--) {
        much -= m->spent[i];

        if (much <= 0) {
            at = (m->slot - i + pace->buckets + 1) * b24_pace_width(pace);
            break;
        }
    }

    return at > now ? at - now : 1;
}


/* ---- what is spent ---- */

void
b24_pace_spend(b24_pace_t *pace, const char *method, int64_t ms, int64_t now)
{
    b24_pace_method_t  *m;

    m = b24_pace_method(pace, method, now);

    if (m == NULL) {
        return;
    }

    if (ms < 0) {
        ms = (ms < -pace->window) ? pace->window : -ms;
        b24_pace_take(m, ms, 0);
        return;
    }

    ms = (ms < pace->window) ? ms : pace->window;
    m->open[0] += ms;
    m->spent[0] += ms;
}


void
b24_pace_take(b24_pace_method_t *m, int64_t ms, int oldest)
{
    int      i, n;
    int64_t  part;

    for (n = 0; n < B24_PACE_OPEN; n++) {
        i = oldest ? B24_PACE_OPEN - 1 - n : n;

        part = (m->open[i] < ms) ? m->open[i] : ms;
        m->open[i] -= part;
        ms -= part;

        m->spent[i] -= (m->spent[i] < part) ? m->spent[i] : part;
    }
}


void
b24_pace_sent(b24_pace_t *pace, b24_batch_t *batch, int64_t now)
{
    int64_t         ms, all;
    b24_command_t  *cmd;

    all = 0;

    for (cmd = batch->first; cmd; cmd = cmd->next) {
        ms = b24_pace_cost(pace, cmd->method);
        all += ms;

        cmd->spent = b24_pace_counted(pace, cmd->method, ms);
        b24_pace_spend(pace, cmd->method, cmd->spent, now);
    }

    batch->spent = b24_pace_counted(pace, "batch", all);
    b24_pace_spend(pace, "batch", batch->spent, now);
}
