
/*
 * The way back: what a deal that somebody has moved in the CRM means for the
 * order in the shop.
 */


#include "b24_crm_int.h"


static int b24_back_table(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_pair_t *from, int keyed, b24_pair_t **to);
static int b24_back_pipeline(const b24_str_t *stage);


b24_back_e
b24_crm_back(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_queue_seen_t *seen, b24_str_t *status)
{
    b24_pair_t        *stages, *back;
    const b24_pair_t  *line;
    const b24_str_t   *found;

    static const b24_str_t  none = b24_null_string;

    *status = none;

    if (b24_back_table(pool, set, set->stages, 0, &stages) != B24_OK
        || b24_back_table(pool, set, set->back, 1, &back) != B24_OK)
    {
        return B24_BACK_ERROR;
    }

    /* an order of which no status was told has the usual one */

    line = b24_order_stage(order, stages, &set->default_status);

    if (seen->held.len == 0 || seen->moved <= seen->sent_time) {
        return B24_BACK_NOTHING;
    }

    if (line && b24_str_eq(&line->value, &seen->held)) {
        return B24_BACK_THERE;
    }

    /* what has come to the deal already was there before it was moved */

    if (seen->moved <= seen->time && !seen->settled) {
        return B24_BACK_OLDER;
    }

    found = b24_order_status_of(back, stages, &seen->held);

    if (found) {

        /* several stages may stand for one status */

        if (b24_crm_back_there(order, found)) {
            return B24_BACK_THERE;
        }

        *status = *found;
        return B24_BACK_WRITE;
    }

    return b24_back_pipeline(&seen->held) == set->category
           ? B24_BACK_UNKNOWN : B24_BACK_PIPELINE;
}


/* the table with stages as the portal calls them, in its order */

static int
b24_back_table(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_pair_t *from, int keyed, b24_pair_t **to)
{
    b24_pair_t  *pair, **last;

    *to = NULL;

    for (last = to; from; from = from->next) {
        pair = b24_pcalloc(pool, sizeof(b24_pair_t));

        if (pair == NULL) {
            return B24_ERROR;
        }

        pair->name = from->name;
        pair->value = from->value;

        if (b24_crm_stage_id(pool, set, keyed ? &from->name : &from->value,
                             keyed ? &pair->name : &pair->value)
            != B24_OK)
        {
            return B24_ERROR;
        }

        *last = pair;
        last = &pair->next;
    }

    return B24_OK;
}


/* "C7:NEW" is of pipeline 7, "NEW" of 0 */

static int
b24_back_pipeline(const b24_str_t *stage)
{
    int     n;
    size_t  i;

    if (stage->len < 3 || stage->data[0] != 'C') {
        return 0;
    }

    for (i = 1, n = 0; i < stage->len && i < 9 && b24_isdigit(stage->data[i]);
         i++)
    {
        n = n * 10 + stage->data[i] - '0';
    }

    return i > 1 && i < stage->len && stage->data[i] == ':' ? n : 0;
}


int
b24_crm_back_there(const b24_order_t *order, const b24_str_t *status)
{
    const b24_str_t  *f;

    f = order->fields;

    if (b24_str_eqs(status, "CANCELED")) {
        return b24_str_eqs(&f[B24_ORDER_CANCELED], "Y");
    }

    if (b24_str_eqs(status, "PAID")) {
        return b24_str_eqs(&f[B24_ORDER_PAID], "Y");
    }

    if (b24_str_eqs(status, "SHIPPED")) {
        return b24_str_eqs(&f[B24_ORDER_SHIPPED], "Y");
    }

    return b24_str_eq(&f[B24_ORDER_STATUS], status)
           && !b24_str_eqs(&f[B24_ORDER_CANCELED], "Y");
}


int
b24_crm_back_ours(const b24_order_t *order, const b24_queue_seen_t *seen,
    const b24_str_t *status)
{
    size_t            i;
    const b24_str_t  *f, *was[] = { &seen->canceled, &seen->paid,
                                    &seen->shipped };

    static const unsigned  now[] = { B24_ORDER_CANCELED, B24_ORDER_PAID,
                                     B24_ORDER_SHIPPED };
    static const char     *flags[] = { "CANCELED", "PAID", "SHIPPED" };

    f = order->fields;

    for (i = 0; i < 3; i++) {

        /* what a call takes back (a cancelled order gets its status) may be
         * half done */

        if (b24_str_eqs(&f[now[i]], "Y") && was[i]->len
            && !b24_str_eqs(was[i], "Y") && !b24_str_eqs(status, flags[i]))
        {
            return 0;
        }
    }

    return b24_str_eq(&f[B24_ORDER_STATUS], &seen->status)
           || b24_str_eq(&f[B24_ORDER_STATUS], status);
}


int
b24_crm_back_same(const b24_order_t *order, const b24_queue_seen_t *seen)
{
    size_t            i;
    const b24_str_t  *f, *was[] = { &seen->status, &seen->canceled,
                                    &seen->paid, &seen->shipped };

    static const unsigned  now[] = { B24_ORDER_STATUS, B24_ORDER_CANCELED,
                                     B24_ORDER_PAID, B24_ORDER_SHIPPED };

    f = order->fields;

    for (i = 0; i < 4; i++) {

        /* what was never told can't have changed */

        if (was[i]->len && f[now[i]].len && !b24_str_eq(was[i], &f[now[i]])) {
            return 0;
        }
    }

    return 1;
}


int
b24_crm_back_words(b24_pool_t *pool, b24_back_e back,
    const b24_queue_seen_t *seen, const b24_str_t *status, b24_str_t *text,
    const char **advice)
{
    b24_buf_t  buf;

    b24_buf_init(&buf, pool);

    *advice = NULL;

    switch (back) {

    case B24_BACK_NOTHING:
        b24_buf_adds(&buf, "nothing is left to be told to the shop");
        break;

    case B24_BACK_THERE:
        b24_buf_adds(&buf, "the shop has it already");
        break;

    case B24_BACK_WRITE:
        b24_buf_adds(&buf, "the shop has the status \"");
        b24_buf_addstr(&buf, status);
        b24_buf_adds(&buf, "\" now, for the deal is at the stage \"");
        b24_buf_addstr(&buf, &seen->held);
        b24_buf_addc(&buf, '"');

        if (seen->time && !seen->settled) {
            b24_buf_adds(&buf, "; in the shop it had been changed before that");
            *advice = "look at the deal and at the order in the shop";
        }

        break;

    case B24_BACK_OLDER:
        b24_buf_adds(&buf, "the deal was moved to \"");
        b24_buf_addstr(&buf, &seen->held);
        b24_buf_adds(&buf, "\" in the CRM before the shop's own change: the"
                           " shop was left as it is");
        *advice = "look at the deal and at the order in the shop";
        break;

    case B24_BACK_PIPELINE:
        b24_buf_adds(&buf, "the deal was moved to another pipeline: its stage"
                           " \"");
        b24_buf_addstr(&buf, &seen->held);
        b24_buf_adds(&buf, "\" stands for no status of the shop");
        *advice = "look at the order in the shop; what is moved within the "
                  "pipeline of b24_category comes there by itself";
        break;

    default:
        b24_buf_adds(&buf, "the stage \"");
        b24_buf_addstr(&buf, &seen->held);
        b24_buf_adds(&buf, "\" stands for no status of the shop: the shop was"
                           " left as it is");
        *advice = "if it should, add \"b24_stage_back\" with that stage and "
                  "the status";
        break;
    }

    return b24_buf_str(&buf, text);
}
