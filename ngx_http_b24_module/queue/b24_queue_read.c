
/*
 * What the shop's own database tells: of claimed orders, of those whose answer
 * was not seen, and how far its changes were read.
 */

#include "b24_queue_int.h"


#define B24_QUEUE_READ_CAUSE                                                  \
    "read from the shop's database"
#define B24_QUEUE_FOUND_CAUSE                                                 \
    "found in the shop's database"
#define B24_QUEUE_NUMBER_CAUSE                                                \
    "the shop's number is "
#define B24_QUEUE_TWIN_CAUSE                                                  \
    "the shop's database knows another record's order by this number"


#define B24_QUEUE_BUSY_CAUSE                                                  \
    "another order is worked on that has this number for its key"
#define B24_QUEUE_BUSY_MS  1000
/* a request doesn't take longer */
#define B24_QUEUE_REQUEST_MS  60000


/* who has a number; of several records of it the last */
typedef struct {
    int64_t   other;                /* a record, 0: none */
    int64_t   pending;              /* one that waits for its answer */
    int64_t   created;
    unsigned  imported:1;           /* of the former: not captured */
    unsigned  sent:1;               /* or it may have been */
    unsigned  taken:1;              /* somebody has it, or had */
    int64_t   key;                  /* another order's key is all that this one
                                       has it for, and it was not sent */
    unsigned  busy:1;               /* but is worked on */
    int64_t   reuse;                /* the next free one, 0: another order, by
                                       its key, has none */
    int64_t   next;                 /* the next free one in any case */
} b24_holder_t;

/* which of the shop's orders a record is */
typedef struct {
    size_t   n;
    int      doubled;               /* another record has it */
    int64_t  twin;                  /* 0: it is gone */
    int64_t  reuse;                 /* its number is another order's, too */
    int      busy;                  /* of one that may have another one soon */
} b24_choice_t;

/* the record that is to have a number */
typedef struct {
    int64_t           id;
    const b24_str_t  *origin;
    const b24_str_t  *order_id;
    int64_t           placed;
    int               contested;    /* this one may be another's */
    int               sent;         /* as that: whoever else has it as well */
} b24_claimant_t;

/* a record that went out unread */
typedef struct {
    b24_str_t    origin;
    b24_str_t    order_id;
    b24_state_e  state;
    int64_t      deal_id;
    int          sent;              /* or it may have been */
    int64_t      placed;
} b24_unread_t;


static b24_queue_rc_e b24_queue_identify(b24_queue_t *q,
    const b24_claimant_t *record, const b24_queue_match_t *matches, size_t n,
    int loose, int last, int64_t now, b24_choice_t *choice);
static b24_queue_rc_e b24_queue_choose(b24_queue_t *q,
    const b24_claimant_t *record, const b24_queue_match_t *matches, size_t n,
    int loose, b24_choice_t *choice);
static b24_queue_rc_e b24_queue_give_way(b24_queue_t *q,
    const b24_claimant_t *record, const b24_queue_match_t *match, int loose,
    b24_holder_t *holder);
static b24_queue_rc_e b24_queue_resubmitted(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_queue_match_t *matches, size_t n,
    b24_choice_t *choice);
static b24_queue_rc_e b24_queue_holder(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_queue_match_t *match,
    b24_holder_t *holder);
static int b24_queue_other(b24_query_t *query, const b24_queue_match_t *match,
    const b24_str_t *row, int64_t id, int64_t reuse, b24_holder_t *holder);
static b24_queue_rc_e b24_queue_twin(b24_queue_t *q, int64_t record,
    int64_t twin, int64_t now);
static b24_queue_rc_e b24_queue_taken(b24_queue_t *q, int64_t record,
    const b24_str_t *origin, const b24_str_t *order_id, const b24_str_t *row,
    int *taken);
static b24_queue_rc_e b24_queue_reject(b24_queue_t *q, int64_t record,
    const b24_str_t *origin);
static b24_queue_rc_e b24_queue_unconfirmed(b24_queue_t *q, b24_pool_t *pool,
    b24_claimant_t *record, b24_str_t *origin, b24_str_t *order_id);
static b24_queue_rc_e b24_queue_gone(b24_queue_t *q, int64_t record);
static b24_queue_rc_e b24_queue_said(b24_queue_t *q, int64_t record,
    const b24_str_t *cause, int *said);
static b24_queue_rc_e b24_queue_behind(b24_queue_t *q,
    const b24_queue_job_t *job, b24_state_e *state, int64_t now);
static b24_queue_rc_e b24_queue_put_read(b24_queue_t *q,
    const b24_queue_job_t *job, const b24_queue_read_t *read, int64_t now);
static b24_queue_rc_e b24_queue_asked(b24_query_t *query, b24_pool_t *pool,
    int limit, b24_queue_unsettled_t **records, size_t *n,
    b24_queue_unsettled_at_t *at);
static b24_queue_rc_e b24_queue_placed_before(b24_queue_t *q, int64_t since,
    int64_t *record);
static b24_queue_rc_e b24_queue_placed(b24_queue_t *q, b24_sql_e sql,
    int64_t from, int64_t *record, int64_t *created);
static b24_queue_rc_e b24_queue_unread_one(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_unread_t *unread);
static b24_queue_rc_e b24_queue_recognized(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const b24_unread_t *unread,
    const b24_queue_match_t *match, int64_t now);
static b24_queue_rc_e b24_queue_shop_number(b24_queue_t *q, int64_t record,
    const b24_str_t *number);


b24_queue_rc_e
b24_queue_read(b24_queue_t *q, const char *owner, const b24_queue_job_t *job,
    const b24_queue_read_t *read, int64_t now, b24_state_e *state)
{
    b24_query_t       query;
    b24_choice_t      choice;
    b24_claimant_t    record;
    b24_queue_rc_e    rc;
    b24_queue_read_t  other;
    const b24_str_t  *data;

    *state = read->state;
    data = &read->data;

    memset(&choice, 0, sizeof(b24_choice_t));

    rc = b24_queue_begin_held(q, owner, job);

    if (rc == B24_QUEUE_OK && read->nmatches) {
        memset(&record, 0, sizeof(b24_claimant_t));

        record.id = job->record;
        record.origin = &job->origin;
        record.order_id = &job->order_id;
        record.placed = job->placed;
        record.contested = job->contested;

        rc = b24_queue_identify(q, &record, read->matches, read->nmatches,
                                read->loose, read->last, now, &choice);

        if (rc == B24_QUEUE_OK && choice.doubled) {
            *state = B24_STATE_DUPLICATE;
            return b24_queue_finish(q, rc);
        }

        data = &read->matches[choice.n].data;

    } else if (read->state == B24_STATE_ACCEPTED && job->contested) {

        /* nobody could tell */

        choice.reuse = 1;
    }

    if (rc == B24_QUEUE_OK && choice.reuse) {
        other = *read;
        other.unread = 0;

        if (choice.busy) {
            other.state = B24_STATE_WAITING;
            other.next = now + B24_QUEUE_BUSY_MS;
            other.cause = (b24_str_t) b24_string(B24_QUEUE_BUSY_CAUSE);
            memset(&other.row, 0, sizeof(b24_str_t));
            data = &other.row;

        } else {
            other.state = B24_STATE_PARKED;
            b24_queue_reused(&other.cause, &other.advice);
        }

        *state = other.state;
        read = &other;
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_row(q, job->record, &read->row);
    }

    if (rc == B24_QUEUE_OK && read->seen) {
        rc = b24_queue_put_seen(q, job->record, read->seen);
    }

    if (rc == B24_QUEUE_OK && read->state == B24_STATE_REJECTED) {
        return b24_queue_finish(q, b24_queue_reject(q, job->record,
                                                    &job->origin));
    }

    if (rc == B24_QUEUE_OK && data->len) {
        b24_query_init(&query, q, B24_SQL_EVENT_DATA);
        b24_query_text(&query, data);
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
    int             said;
    b24_str_t       done = b24_string(B24_QUEUE_READ_CAUSE);
    b24_query_t     query;
    b24_state_e     state;
    b24_moment_t    moment;
    b24_queue_rc_e  rc;

    state = read->state;
    said = 0;

    if (job->kind == B24_EV_LINK && state == B24_STATE_WAITING) {
        rc = b24_queue_behind(q, job, &state, now);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    if (read->once) {
        rc = b24_queue_said(q, job->record, &read->cause, &said);
        if (rc != B24_QUEUE_OK) {
            return rc;
        }
    }

    b24_query_init(&query, q, B24_SQL_READ);
    b24_query_chars(&query, b24_state_name(state));
    b24_query_id(&query, state == B24_STATE_WAITING ? read->next : 0);
    b24_query_int(&query, now);
    b24_query_str(&query, said ? NULL : &read->cause);
    b24_query_str(&query, said ? NULL : &read->advice);

    /* of a later event each counts: it is the measure of its pauses */

    b24_query_int(&query, job->kind == B24_EV_NEW);
    b24_query_int(&query, job->record);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK && read->unread) {
        rc = b24_queue_shop_number(q, job->record,
                                   &(b24_str_t) b24_string(""));
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    memset(&moment, 0, sizeof(b24_moment_t));

    moment.state = state;

    if (!said) {
        moment.cause = read->cause;
    }

    if (state == B24_STATE_ACCEPTED && moment.cause.len == 0) {
        moment.cause = done;
    }

    rc = b24_queue_moment(q, job->record, &moment, now);

    if (rc == B24_QUEUE_OK && state == B24_STATE_DELIVERED) {
        rc = b24_queue_go_on(q, job, now);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_said(b24_queue_t *q, int64_t record, const b24_str_t *cause,
    int *said)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_MOMENT_SAID);
    b24_query_int(&query, record);
    b24_query_text(&query, cause);

    *said = (b24_query_row(&query) == B24_QUEUE_OK);

    return b24_query_end(&query);
}


/*
 * The deal's number that can't be written into the shop now must not keep the
 * deal from what follows: it is tried again behind that.
 */

static b24_queue_rc_e
b24_queue_behind(b24_queue_t *q, const b24_queue_job_t *job,
    b24_state_e *state, int64_t now)
{
    int             kind;
    int64_t         event;
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_NEXT_EVENT);
    b24_query_int(&query, job->event);

    rc = b24_query_row(&query);

    if (rc != B24_QUEUE_OK) {
        (void) b24_query_end(&query);
        return rc == B24_QUEUE_NONE ? B24_QUEUE_OK : rc;
    }

    event = b24_query_get_int(&query, 0);
    b24_query_peek_str(&query, 1, &name);
    kind = b24_queue_kind_find(&name, event);

    rc = b24_query_end(&query);

    /* two of them must not take turns */

    if (rc != B24_QUEUE_OK || kind == B24_EV_LINK) {
        return rc;
    }

    *state = B24_STATE_DELIVERED;

    return b24_queue_event(q, job->record, B24_EV_LINK, &job->data, now);
}


/*
 * The record has the number of one of them from now on, or goes as a duplicate;
 * NONE when all are other records'
 */

static b24_queue_rc_e
b24_queue_identify(b24_queue_t *q, const b24_claimant_t *record,
    const b24_queue_match_t *matches, size_t n, int loose, int last,
    int64_t now, b24_choice_t *choice)
{
    b24_query_t       query;
    b24_queue_rc_e    rc;
    const b24_str_t  *number;

    rc = b24_queue_choose(q, record, matches, n, loose, choice);

    if (rc == B24_QUEUE_NONE && last) {
        rc = b24_queue_resubmitted(q, record->id, record->origin, matches, n,
                                   choice);
    }

    if (rc != B24_QUEUE_OK || choice->busy) {
        return rc;
    }

    if (choice->doubled) {
        return b24_queue_double(q, record->id, record->origin, choice->twin,
                                now);
    }

    rc = b24_queue_row(q, record->id, &matches[choice->n].row);

    number = &matches[choice->n].order_id;

    if (number->len == 0) {
        number = record->order_id;
    }

    if (rc != B24_QUEUE_OK
        || (b24_str_eq(number, record->order_id) && !record->contested))
    {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_NUMBER);
    b24_query_str(&query, number);
    b24_query_int(&query, choice->reuse);
    b24_query_int(&query, record->id);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_row(b24_queue_t *q, int64_t record, const b24_str_t *row)
{
    b24_query_t  query;

    if (row->len == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_ROW);
    b24_query_text(&query, row);
    b24_query_int(&query, record);

    return b24_query_done(&query);
}


/* what makes room for the record goes */

static b24_queue_rc_e
b24_queue_choose(b24_queue_t *q, const b24_claimant_t *record,
    const b24_queue_match_t *matches, size_t n, int loose,
    b24_choice_t *choice)
{
    int                own;
    b24_holder_t       holder;
    b24_queue_rc_e     rc;
    b24_queue_match_t  match;

    memset(choice, 0, sizeof(b24_choice_t));

    for ( /* void */ ; choice->n < n; choice->n++) {
        match = matches[choice->n];

        own = match.order_id.len == 0
              || b24_str_eq(&match.order_id, record->order_id);

        if (own && !record->contested) {
            return B24_QUEUE_OK;
        }

        if (own) {
            match.order_id = *record->order_id;
        }

        rc = b24_queue_holder(q, record->id, record->origin, &match, &holder);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_give_way(q, record, &match, loose, &holder);
        }

        choice->reuse = holder.reuse;
        choice->busy = holder.busy;

        if (rc != B24_QUEUE_OK || holder.busy || !holder.taken) {
            return rc;
        }

        if (own && holder.other == 0) {

            /* given away, or of an order that is gone: not of this one */

            choice->reuse = holder.next;
            return B24_QUEUE_OK;
        }

        choice->reuse = 0;

        if (loose) {

            /*
             * What another request has brought is another order, and so is what
             * was in the shop before this request was
             */

            if (holder.pending || !holder.imported
                || holder.created < record->placed - B24_QUEUE_REQUEST_MS)
            {
                continue;
            }

            if (!holder.sent) {
                return b24_queue_gone(q, holder.other);
            }
        }

        choice->doubled = 1;
        choice->twin = holder.other;

        return B24_QUEUE_OK;
    }

    return B24_QUEUE_NONE;
}


/* of two unconfirmed ones the one that is further is the order; and one that
 * has the number for its key may have another */

static b24_queue_rc_e
b24_queue_give_way(b24_queue_t *q, const b24_claimant_t *record,
    const b24_queue_match_t *match, int loose, b24_holder_t *holder)
{
    int             pending, key;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = B24_QUEUE_OK;
    pending = holder->pending && !loose;
    key = holder->key && !record->sent;

    if (pending) {
        rc = b24_queue_gone(q, holder->pending);
    }

    if (rc == B24_QUEUE_OK && key) {
        b24_query_init(&query, q, B24_SQL_CONTEST);
        b24_query_int(&query, holder->key);

        rc = b24_query_done(&query);
    }

    return rc == B24_QUEUE_OK && (pending || key)
           ? b24_queue_holder(q, record->id, record->origin, match, holder)
           : rc;
}


/* it may be the order of one that was unconfirmed, which was not placed */

static b24_queue_rc_e
b24_queue_resubmitted(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    const b24_queue_match_t *matches, size_t n, b24_choice_t *choice)
{
    size_t          i;
    b24_str_t       cause = b24_string(B24_QUEUE_FOUND_CAUSE);
    b24_query_t     query;
    b24_holder_t    holder;
    b24_queue_rc_e  rc;

    for (i = 0; i < n; i++) {
        rc = b24_queue_holder(q, record, origin, &matches[i], &holder);

        if (rc == B24_QUEUE_OK && holder.other) {
            b24_query_init(&query, q, B24_SQL_WAS_UNCONFIRMED);
            b24_query_int(&query, holder.other);
            b24_query_text(&query, &cause);

            choice->doubled = b24_query_row(&query) == B24_QUEUE_OK;
            choice->twin = holder.other;

            rc = b24_query_end(&query);
        }

        if (rc != B24_QUEUE_OK || choice->doubled) {
            return rc;
        }
    }

    return B24_QUEUE_NONE;
}


/* who has the number: a record that waits for its answer, and any other */

static b24_queue_rc_e
b24_queue_holder(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    const b24_queue_match_t *match, b24_holder_t *holder)
{
    int             taken, others;
    int64_t         id, reuse;
    b24_str_t       row;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    memset(holder, 0, sizeof(b24_holder_t));

    holder->next = 1;
    others = 0;

    b24_query_init(&query, q, B24_SQL_HOLDERS);
    b24_query_str(&query, &match->order_id);
    b24_query_text(&query, origin);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        id = b24_query_get_int(&query, 0);

        if (id == record) {
            continue;
        }

        reuse = b24_query_get_int(&query, 4);
        b24_query_peek_str(&query, 5, &row);

        if (b24_queue_other_row(&match->row, &row)) {
            others |= b24_queue_other(&query, match, &row, id, reuse, holder);
            holder->next = holder->next > reuse ? holder->next : reuse + 1;

        } else if (b24_query_get_int(&query, 1)) {
            holder->pending = id;

        } else {
            holder->other = id;
            holder->created = b24_query_get_int(&query, 7);
            holder->imported = b24_query_get_int(&query, 2) & 1;
            holder->sent = b24_query_get_int(&query, 3) & 1;
        }
    }

    rc = b24_query_end(&query);

    if (others) {
        holder->reuse = holder->next;
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_taken(q, record, origin, &match->order_id, &match->row,
                             &taken);
        holder->taken = taken & 1;
    }

    return rc;
}


/* does another order have the number, and not for its key alone? */

static int
b24_queue_other(b24_query_t *query, const b24_queue_match_t *match,
    const b24_str_t *row, int64_t id, int64_t reuse, b24_holder_t *holder)
{
    b24_str_t  state;

    b24_query_peek_str(query, 6, &state);

    if (b24_query_get_int(query, 3) || !b24_str_eq(row, &match->order_id)) {
        return 1;
    }

    switch (b24_state_find(&state)) {

    case B24_STATE_ACCEPTED:
    case B24_STATE_WAITING:
    case B24_STATE_UNCONFIRMED:

        if (reuse == 0) {
            holder->key = id;
        }

        return 0;

    case B24_STATE_SENDING:

        /* being read, or about to be sent as that */

        if (reuse == 0) {
            holder->busy = 1;
        }

        return reuse == 0;

    default:
        return reuse == 0;
    }
}


/* it goes as a duplicate of the twin, 0: of one that is gone itself */

b24_queue_rc_e
b24_queue_double(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    int64_t twin, int64_t now)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_count(q, origin, B24_STATE_DUPLICATE, 1);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_twin(q, record, twin, now);
    }

    return rc == B24_QUEUE_OK ? b24_queue_gone(q, record) : rc;
}


/* the order of the record is the twin's: that one was captured, then */

static b24_queue_rc_e
b24_queue_twin(b24_queue_t *q, int64_t record, int64_t twin, int64_t now)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    if (twin == 0) {
        return B24_QUEUE_OK;
    }

    b24_query_init(&query, q, B24_SQL_AS_CAPTURED);
    b24_query_int(&query, record);
    b24_query_int(&query, twin);

    rc = b24_query_done(&query);

    return rc == B24_QUEUE_OK ? b24_queue_note(q, twin, B24_STATE_DUPLICATE,
                                               B24_QUEUE_TWIN_CAUSE, now)
                              : rc;
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
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_UNSETTLED);
    b24_query_text(&query, origin);
    b24_query_int(&query, at->updated);
    b24_query_int(&query, at->record);

    rc = b24_queue_asked(&query, pool, limit, records, n, at);

    if (*n < (size_t) limit) {
        memset(at, 0, sizeof(b24_queue_unsettled_at_t));
    }

    return rc;
}


/* what is to be asked for; at: the last of them */

static b24_queue_rc_e
b24_queue_asked(b24_query_t *query, b24_pool_t *pool, int limit,
    b24_queue_unsettled_t **records, size_t *n, b24_queue_unsettled_at_t *at)
{
    b24_queue_unsettled_t  *r;

    *n = 0;

    b24_query_int(query, limit);

    *records = b24_pcalloc(pool, (size_t) limit
                                 * sizeof(b24_queue_unsettled_t));
    if (*records == NULL) {
        (void) b24_query_end(query);
        return B24_QUEUE_NOMEM;
    }

    while (*n < (size_t) limit && b24_query_row(query) == B24_QUEUE_OK) {
        r = &(*records)[(*n)++];

        r->record = b24_query_get_int(query, 0);
        r->created = b24_query_get_int(query, 1);
        b24_query_get_str(query, 2, pool, &r->order_id);
        b24_query_get_str(query, 3, pool, &r->data);

        at->record = r->record;
        at->updated = b24_query_get_int(query, 4);

        b24_queue_key_print(r->key, r->record);
    }

    return b24_query_end(query);
}


b24_queue_rc_e
b24_queue_found(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_queue_put_t *put, const b24_queue_match_t *matches, size_t n,
    int loose, b24_queue_put_result_t *result)
{
    b24_str_t        origin, had;
    b24_choice_t     choice;
    b24_claimant_t   claimant;
    b24_queue_rc_e   rc;
    b24_queue_put_t  found;

    memset(result, 0, sizeof(b24_queue_put_result_t));
    memset(&claimant, 0, sizeof(b24_claimant_t));

    claimant.id = record;
    claimant.origin = &origin;
    claimant.order_id = &had;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_unconfirmed(q, pool, &claimant, &origin, &had);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_identify(q, &claimant, matches, n, loose, 0, put->now,
                                &choice);
    }

    /* it stays so until that other one is read */

    if (rc == B24_QUEUE_OK && choice.busy) {
        result->state = B24_STATE_UNCONFIRMED;
        return b24_queue_finish(q, rc);
    }

    if (rc == B24_QUEUE_OK && choice.doubled) {
        result->state = B24_STATE_DUPLICATE;
        return b24_queue_finish(q, rc);
    }

    if (rc == B24_QUEUE_OK) {
        found = *put;
        found.order_id = matches[choice.n].order_id;
        found.row = matches[choice.n].row;
        found.data = matches[choice.n].data;
        found.fingerprint = matches[choice.n].fingerprint;
        found.cause.data = (u_char *) B24_QUEUE_FOUND_CAUSE;
        found.cause.len = sizeof(B24_QUEUE_FOUND_CAUSE) - 1;

        if (choice.reuse) {
            found.state = B24_STATE_PARKED;
            b24_queue_reused(&found.cause, &found.advice);
        }

        rc = b24_queue_confirm(q, &found, record, result);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_absent(b24_queue_t *q, b24_pool_t *pool, int64_t record)
{
    b24_str_t       origin, had;
    b24_claimant_t  claimant;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    claimant.id = record;

    rc = b24_queue_unconfirmed(q, pool, &claimant, &origin, &had);

    return b24_queue_finish(q, rc == B24_QUEUE_OK
                               ? b24_queue_reject(q, record, &origin) : rc);
}


/* NONE: it is so no more */

static b24_queue_rc_e
b24_queue_unconfirmed(b24_queue_t *q, b24_pool_t *pool,
    b24_claimant_t *record, b24_str_t *origin, b24_str_t *order_id)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_UNCONFIRMED);
    b24_query_int(&query, record->id);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, origin);
        b24_query_get_str(&query, 1, pool, order_id);
        record->contested = b24_query_get_int(&query, 2) != 0;
        record->placed = b24_query_get_int(&query, 3);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


/* ---- those that went out unread ---- */

b24_queue_rc_e
b24_queue_unread(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    int64_t record, int64_t since, int limit, b24_queue_unsettled_t **records,
    size_t *n)
{
    int64_t                   before;
    b24_query_t               query;
    b24_queue_rc_e            rc;
    b24_queue_unsettled_at_t  at;

    *n = 0;

    rc = b24_queue_placed_before(q, since, &before);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_UNREAD);
    b24_query_text(&query, origin);
    b24_query_int(&query, record > before ? record : before);
    b24_query_int(&query, since);

    return b24_queue_asked(&query, pool, limit, records, n, &at);
}


/*
 * The last record that was placed before since, 0: none.  They were placed in
 * the sequence of their keys, so it is found by halves: there may be a million
 * old ones.  Where a clock was set back some are missed, and come with all.
 */

static b24_queue_rc_e
b24_queue_placed_before(b24_queue_t *q, int64_t since, int64_t *record)
{
    int64_t         low, high, middle, id, created;
    b24_queue_rc_e  rc;

    *record = 0;

    if (since <= 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_placed(q, B24_SQL_PLACED_LAST, 0, &high, &created);

    for (low = 0; rc == B24_QUEUE_OK && low < high; /* void */) {
        middle = low + (high - low) / 2;

        rc = b24_queue_placed(q, B24_SQL_PLACED, middle, &id, &created);

        if (rc == B24_QUEUE_OK && id <= high && created < since) {
            low = id + 1;
            *record = id;

        } else {
            high = middle;
        }
    }

    return rc;
}


/* the first record from that key on; none: a key of 0 */

static b24_queue_rc_e
b24_queue_placed(b24_queue_t *q, b24_sql_e sql, int64_t from, int64_t *record,
    int64_t *created)
{
    b24_query_t  query;

    *record = 0;
    *created = INT64_MAX;

    b24_query_init(&query, q, sql);

    if (sql == B24_SQL_PLACED) {
        b24_query_int(&query, from);
    }

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        *record = b24_query_get_int(&query, 0);
        *created = b24_query_get_int(&query, 1);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_recognize(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_queue_match_t *matches, size_t n, int loose, int64_t now,
    b24_state_e *state)
{
    b24_choice_t    choice;
    b24_unread_t    unread;
    b24_claimant_t  claimant;
    b24_queue_rc_e  rc;

    memset(&claimant, 0, sizeof(b24_claimant_t));

    claimant.id = record;
    claimant.origin = &unread.origin;
    claimant.order_id = &unread.order_id;
    claimant.sent = 1;

    *state = B24_STATE_DUPLICATE;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_unread_one(q, pool, record, &unread);

    if (rc == B24_QUEUE_OK) {
        claimant.placed = unread.placed;

        rc = b24_queue_choose(q, &claimant, matches, n, loose, &choice);
    }

    if (rc == B24_QUEUE_OK && choice.doubled && !unread.sent) {
        return b24_queue_finish(q, b24_queue_double(q, record, &unread.origin,
                                                    choice.twin, now));
    }

    if (rc != B24_QUEUE_OK) {
        return b24_queue_finish(q, rc);
    }

    *state = unread.state;

    if (choice.doubled) {

        /* both are in the CRM */

        rc = b24_queue_twin(q, record, choice.twin, now);

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_note(q, record, unread.state, B24_QUEUE_TWIN_CAUSE,
                                now);
        }

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_shop_number(q, record, NULL);
        }

    } else {
        rc = b24_queue_recognized(q, pool, record, &unread,
                                  &matches[choice.n], now);
    }

    return b24_queue_finish(q, rc);
}


/* NONE: it is so no more */

static b24_queue_rc_e
b24_queue_unread_one(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_unread_t *unread)
{
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_UNREAD_ONE);
    b24_query_int(&query, record);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &unread->origin);
        b24_query_get_str(&query, 1, pool, &unread->order_id);
        b24_query_peek_str(&query, 2, &name);
        unread->state = b24_state_find(&name);
        unread->deal_id = b24_query_get_int(&query, 3);
        unread->sent = b24_query_get_int(&query, 4) != 0;
        unread->placed = b24_query_get_int(&query, 5);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


static b24_queue_rc_e
b24_queue_recognized(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_unread_t *unread, const b24_queue_match_t *match, int64_t now)
{
    b24_buf_t         buf;
    b24_str_t         cause;
    b24_queue_rc_e    rc;
    const b24_str_t  *number;

    number = &match->order_id;

    if (number->len == 0 || b24_str_eq(number, &unread->order_id)) {
        number = NULL;
    }

    rc = b24_queue_shop_number(q, record, number);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_row(q, record, &match->row);
    }

    if (rc == B24_QUEUE_OK && number) {
        b24_buf_init(&buf, pool);
        b24_buf_adds(&buf, B24_QUEUE_NUMBER_CAUSE);
        b24_buf_addstr(&buf, number);

        if (b24_buf_str(&buf, &cause) != B24_OK) {
            return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
        }

        rc = b24_queue_note(q, record, unread->state, (char *) cause.data,
                            now);
    }

    if (rc != B24_QUEUE_OK || unread->deal_id == 0) {
        return rc;
    }

    rc = b24_queue_put_link(q, record);

    return rc == B24_QUEUE_OK && match->link.len
           ? b24_queue_event(q, record, B24_EV_LINK, &match->link, now) : rc;
}


b24_queue_rc_e
b24_queue_unrecognized(b24_queue_t *q, int64_t record)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    return rc == B24_QUEUE_OK
           ? b24_queue_finish(q, b24_queue_shop_number(q, record, NULL)) : rc;
}


/* NULL: it has none of its own; empty: it is looked for */

static b24_queue_rc_e
b24_queue_shop_number(b24_queue_t *q, int64_t record, const b24_str_t *number)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_SHOP_NUMBER);

    if (number) {
        b24_query_text(&query, number);

    } else {
        b24_query_chars(&query, NULL);
    }

    b24_query_int(&query, record);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_some_unread(b24_queue_t *q, const b24_str_t *origin, int *some)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_UNREAD);
    b24_query_text(&query, origin);
    b24_query_int(&query, 0);
    b24_query_int(&query, 0);
    b24_query_int(&query, 1);

    *some = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
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
    const b24_str_t *order_id, const b24_str_t *row, int *known)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_taken(q, 0, origin, order_id, row, known);

    if (rc != B24_QUEUE_OK || *known || row->len == 0) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_ROW_TAKEN);
    b24_query_text(&query, row);
    b24_query_text(&query, origin);

    *known = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
}


/* by another record's order that is not known to have another key */

static b24_queue_rc_e
b24_queue_taken(b24_queue_t *q, int64_t record, const b24_str_t *origin,
    const b24_str_t *order_id, const b24_str_t *row, int *taken)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_NUMBER_TAKEN);
    b24_query_text(&query, order_id);
    b24_query_text(&query, origin);
    b24_query_str(&query, row);
    b24_query_int(&query, record);

    *taken = b24_query_row(&query) == B24_QUEUE_OK;

    return b24_query_end(&query);
}
