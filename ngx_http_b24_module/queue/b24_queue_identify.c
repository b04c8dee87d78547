
/*
 * Which of the orders that the shop's database tells of a record is.
 */

#include "b24_queue_int.h"


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


/*
 * The record has the number of one of them from now on, or goes as a duplicate;
 * NONE when all are other records'
 */

b24_queue_rc_e
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


/* what makes room for the record goes */

b24_queue_rc_e
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
