
/*
 * What the shop's own database tells: of claimed orders, of those whose answer
 * was not seen, and how far its changes were read.
 */

#include "b24_queue_int.h"


#define B24_QUEUE_READ_EARLIER  600000  /* ms: another order of the buyer's */
#define B24_QUEUE_READ_CAUSE                                                  \
    "read from the shop's database"
#define B24_QUEUE_FOUND_CAUSE                                                 \
    "found in the shop's database"
#define B24_QUEUE_TWIN_CAUSE                                                  \
    "the shop's database knows another record's order by this number"


/* who has a number */
typedef struct {
    int64_t  other;                 /* a record, 0: none */
    int64_t  pending;               /* one that waits for its answer */
    int64_t  accepted;              /* of the former */
} b24_holder_t;


static b24_queue_rc_e b24_queue_identify(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_str_t *order_id, int64_t since,
    int64_t now, int *doubled);
static b24_queue_rc_e b24_queue_holder(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_str_t *order_id,
    b24_holder_t *holder);
static b24_queue_rc_e b24_queue_reject(b24_queue_t *q, int64_t record,
    const b24_str_t *origin);
static b24_queue_rc_e b24_queue_gone(b24_queue_t *q, int64_t record);
static b24_queue_rc_e b24_queue_put_read(b24_queue_t *q,
    const b24_queue_job_t *job, const b24_queue_read_t *read, int64_t now);


b24_queue_rc_e
b24_queue_read(b24_queue_t *q, const char *owner, const b24_queue_job_t *job,
    const b24_queue_read_t *read, int64_t now, b24_state_e *state)
{
    int             doubled;
    int64_t         since;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *state = read->state;
    doubled = 0;
    since = read->alone ? INT64_MAX
            : read->loose ? job->accepted - B24_QUEUE_READ_EARLIER : 0;

    rc = b24_queue_begin_held(q, owner, job);

    if (rc == B24_QUEUE_OK && read->order_id.len
        && !b24_str_eq(&read->order_id, &job->order_id))
    {
        rc = b24_queue_identify(q, job->record, &job->origin, &read->order_id,
                                since, now, &doubled);
    }

    if (rc == B24_QUEUE_OK && doubled) {
        *state = B24_STATE_DUPLICATE;
        return b24_queue_finish(q, rc);
    }

    if (rc == B24_QUEUE_OK && read->state == B24_STATE_REJECTED) {
        return b24_queue_finish(q, b24_queue_reject(q, job->record,
                                                    &job->origin));
    }

    if (rc == B24_QUEUE_OK && read->data.len) {
        b24_query_init(&query, q, B24_SQL_EVENT_DATA);
        b24_query_text(&query, &read->data);
        b24_query_int(&query, job->event);

        rc = b24_query_done(&query);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_read(q, job, read, now);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_put_read(b24_queue_t *q, const b24_queue_job_t *job,
    const b24_queue_read_t *read, int64_t now)
{
    b24_str_t       done = b24_string(B24_QUEUE_READ_CAUSE);
    b24_query_t     query;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_READ);
    b24_query_chars(&query, b24_state_name(read->state));
    b24_query_id(&query, read->state == B24_STATE_WAITING ? read->next : 0);
    b24_query_int(&query, now);
    b24_query_str(&query, &read->cause);
    b24_query_str(&query, &read->advice);

    /* of a later event each counts: it is the measure of its pauses */

    b24_query_int(&query, job->kind == B24_EV_NEW);
    b24_query_int(&query, job->record);

    rc = b24_query_done(&query);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = read->state;
    moment.cause = read->cause;

    if (read->state == B24_STATE_ACCEPTED && moment.cause.len == 0) {
        moment.cause = done;
    }

    rc = b24_queue_moment(q, job->record, &moment, now);

    if (rc == B24_QUEUE_OK && read->state == B24_STATE_DELIVERED) {
        rc = b24_queue_go_on(q, job, now);
    }

    return rc;
}


/*
 * The record has that number from now on, or goes as a duplicate; NONE when who
 * has the number came before since (0: that doesn't matter)
 */

static b24_queue_rc_e
b24_queue_identify(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    const b24_str_t *order_id, int64_t since, int64_t now, int *doubled)
{
    int             known;
    b24_query_t     query;
    b24_holder_t    holder;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    *doubled = 0;

    rc = b24_queue_holder(q, record, origin, order_id, &holder);

    /* of the two the one that is further is the order */

    if (rc == B24_QUEUE_OK && holder.pending) {
        rc = b24_queue_gone(q, holder.pending);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_known(q, origin, order_id, &known);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (!known) {
        b24_query_init(&query, q, B24_SQL_NUMBER);
        b24_query_str(&query, order_id);
        b24_query_int(&query, record);

        return b24_query_done(&query);
    }

    if (since && holder.accepted < since) {
        return B24_QUEUE_NONE;
    }

    *doubled = 1;

    rc = b24_queue_count(q, origin, B24_STATE_DUPLICATE, 1);

    if (rc == B24_QUEUE_OK && holder.other) {
        memset(&moment, 0, sizeof(b24_moment_t));

        moment.state = B24_STATE_DUPLICATE;
        moment.cause.data = (u_char *) B24_QUEUE_TWIN_CAUSE;
        moment.cause.len = sizeof(B24_QUEUE_TWIN_CAUSE) - 1;

        rc = b24_queue_moment(q, holder.other, &moment, now);
    }

    return rc == B24_QUEUE_OK ? b24_queue_gone(q, record) : rc;
}


/* who has the number: a record that waits for its answer, and any other */

static b24_queue_rc_e
b24_queue_holder(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_str_t *order_id, b24_holder_t *holder)
{
    int64_t      id;
    b24_str_t    name;
    b24_query_t  query;

    memset(holder, 0, sizeof(b24_holder_t));

    b24_query_init(&query, q, B24_SQL_TWINS);
    b24_query_str(&query, order_id);
    b24_query_text(&query, origin);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        id = b24_query_get_int(&query, 0);
        b24_query_peek_str(&query, 2, &name);

        if (id == record) {
            continue;
        }

        if (b24_state_find(&name) == B24_STATE_UNCONFIRMED) {
            holder->pending = id;

        } else {
            holder->other = id;
            holder->accepted = b24_query_get_int(&query, 4);
        }
    }

    return b24_query_end(&query);
}


static b24_queue_rc_e
b24_queue_reject(b24_queue_t *q, int64_t record, const b24_str_t *origin)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_gone(q, record);

    return rc == B24_QUEUE_OK
           ? b24_queue_count(q, origin, B24_STATE_REJECTED, 1) : rc;
}


static b24_queue_rc_e
b24_queue_gone(b24_queue_t *q, int64_t record)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_DROP_RECORD);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}


/* ---- unconfirmed ones ---- */

b24_queue_rc_e
b24_queue_unsettled(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    b24_queue_unsettled_at_t *at, int limit, b24_queue_unsettled_t **records,
    size_t *n)
{
    b24_query_t             query;
    b24_queue_unsettled_t  *r;

    *n = 0;

    *records = b24_pcalloc(pool, (size_t) limit
                                 * sizeof(b24_queue_unsettled_t));
    if (*records == NULL) {
        return B24_QUEUE_NOMEM;
    }

    b24_query_init(&query, q, B24_SQL_UNSETTLED);
    b24_query_text(&query, origin);
    b24_query_int(&query, at->updated);
    b24_query_int(&query, at->record);
    b24_query_int(&query, limit);

    while (*n < (size_t) limit && b24_query_row(&query) == B24_QUEUE_OK) {
        r = &(*records)[(*n)++];

        r->record = b24_query_get_int(&query, 0);
        r->created = b24_query_get_int(&query, 1);
        b24_query_get_str(&query, 2, pool, &r->order_id);
        b24_query_get_str(&query, 3, pool, &r->data);

        at->record = r->record;
        at->updated = b24_query_get_int(&query, 4);

        b24_queue_key_print(r->key, r->record);
    }

    if (*n < (size_t) limit) {
        memset(at, 0, sizeof(b24_queue_unsettled_at_t));
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_found(b24_queue_t *q, int64_t record, int loose,
    const b24_queue_put_t *put, b24_queue_put_result_t *result)
{
    int              doubled;
    int64_t          since;
    b24_str_t        had;
    b24_query_t      query;
    b24_queue_rc_e   rc, end;
    b24_queue_put_t  found;

    memset(result, 0, sizeof(b24_queue_put_result_t));

    doubled = 0;
    since = 0;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_UNCONFIRMED);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 1, &had);
        doubled = b24_str_eq(&had, &put->order_id);
        since = b24_query_get_int(&query, 2) - B24_QUEUE_READ_EARLIER;
    }

    end = b24_query_end(&query);
    rc = end != B24_QUEUE_OK ? end : rc;

    if (rc == B24_QUEUE_OK && !doubled) {
        rc = b24_queue_identify(q, record, &put->origin, &put->order_id,
                                loose ? since : 0, put->now, &doubled);

        if (rc == B24_QUEUE_OK && doubled) {
            result->state = B24_STATE_DUPLICATE;
            return b24_queue_finish(q, rc);
        }
    }

    if (rc == B24_QUEUE_OK) {
        found = *put;
        found.cause.data = (u_char *) B24_QUEUE_FOUND_CAUSE;
        found.cause.len = sizeof(B24_QUEUE_FOUND_CAUSE) - 1;

        rc = b24_queue_confirm(q, &found, record, result);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_absent(b24_queue_t *q, int64_t record)
{
    u_char          name[256];
    b24_str_t       origin;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_UNCONFIRMED);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    memset(&origin, 0, sizeof(b24_str_t));

    if (rc == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &origin);

        if (origin.len > sizeof(name)) {
            rc = B24_QUEUE_ERROR;

        } else {
            memcpy(name, origin.data, origin.len);
            origin.data = name;
        }
    }

    end = b24_query_end(&query);
    rc = end != B24_QUEUE_OK ? end : rc;

    return b24_queue_finish(q, rc == B24_QUEUE_OK
                               ? b24_queue_reject(q, record, &origin) : rc);
}


/* ---- changes ---- */

b24_queue_rc_e
b24_queue_mark(b24_queue_t *q, b24_pool_t *pool, b24_queue_mark_t *mark)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_MARK);
    b24_query_text(&query, &mark->origin);
    b24_query_text(&query, &mark->shop);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &mark->changed);
        b24_query_get_str(&query, 1, pool, &mark->begun);
        b24_query_get_str(&query, 2, pool, &mark->row);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_put_mark(b24_queue_t *q, const b24_queue_mark_t *mark)
{
    int             own;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    own = sqlite3_get_autocommit(q->db);

    rc = own ? b24_queue_begin(q) : B24_QUEUE_OK;

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_PUT_MARK);
        b24_query_text(&query, &mark->origin);
        b24_query_text(&query, &mark->shop);
        b24_query_text(&query, &mark->changed);
        b24_query_text(&query, &mark->begun);
        b24_query_str(&query, &mark->row);

        rc = b24_query_done(&query);
    }

    return own ? b24_queue_finish(q, rc) : rc;
}


b24_queue_rc_e
b24_queue_known(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, int *known)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_NUMBER_TAKEN);
    b24_query_text(&query, order_id);
    b24_query_text(&query, origin);

    *known = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
}
