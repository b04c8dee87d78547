
/*
 * A later status of an order: the deal is read, compared with what was known of
 * it, and moved.  A list by its id is asked for and not crm.deal.get, since a
 * deal that is gone is then an empty list, and no error among others.
 */


#include <stdio.h>
#include <time.h>

#include "b24_crm_int.h"


#define B24_MOVE_NAME  40           /* a status as it is shown */
#define B24_MOVE_SKEW  5            /* s that clocks may differ: an answer is on
                                       its way for a while, too */
#define B24_MOVE_STEP  60000        /* ms between what was seen and what is told
                                       of one move */


static int64_t b24_move_time(const b24_crm_api_t *api, const b24_node_t *node,
    const char *field);
static int b24_move_shown(const b24_str_t *status);


static const char *const  b24_move_fields[] = {
    "ID", "STAGE_ID", "CATEGORY_ID", "STAGE_SEMANTIC_ID", "MOVED_TIME",
    "DATE_MODIFY", "OPPORTUNITY", "CURRENCY_ID", "IS_MANUAL_OPPORTUNITY", NULL
};

#define B24_MOVE_MONEY  6           /* the first of those */


int
b24_crm_move_to(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_str_t *stage, b24_str_t *text,
    b24_str_t *name)
{
    char               words[256];
    int                n;
    b24_str_t          none = b24_null_string;
    const b24_str_t   *status;
    const b24_pair_t  *line;

    *stage = none;
    *text = none;
    *name = none;

    if (set->stages == NULL) {
        return B24_OK;
    }

    line = b24_order_stage(order, set->stages, &none);
    status = &order->fields[B24_ORDER_STATUS];

    if (line == NULL) {

        if (status->len == 0) {
            return B24_OK;
        }

        if (b24_move_shown(status)) {
            *name = *status;
        }

        n = snprintf(words, sizeof(words), "the order's status%s%.*s%s has no"
                     " line in the table of stages: the deal's stage was left"
                     " alone", name->len ? " \"" : "", (int) name->len,
                     (char *) name->data, name->len ? "\"" : "");

        return b24_pstrdup(pool, text, (u_char *) words, (size_t) n);
    }

    if (b24_crm_stage_id(pool, set, &line->value, stage) != B24_OK) {
        return B24_ERROR;
    }

    if (b24_crm_stage_known(set, stage)) {
        return B24_OK;
    }

    n = snprintf(words, sizeof(words), "the portal has no stage \"%.*s\" in"
                 " pipeline %d: the deal's stage was left alone",
                 (int) stage->len, (char *) stage->data, set->category);

    *stage = none;

    return b24_pstrdup(pool, text, (u_char *) words, (size_t) n);
}


/* it may come from a request: only what can be a shop's code is repeated */

static int
b24_move_shown(const b24_str_t *status)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < status->len; i++) {
        c = b24_tolower(status->data[i]);

        if (!b24_isdigit(c) && (c < 'a' || c > 'z') && c != '_' && c != '-') {
            return 0;
        }
    }

    return status->len <= B24_MOVE_NAME;
}


int
b24_crm_deal_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_crm_known_t *known)
{
    b24_str_t             origin;
    b24_command_t        *cmd;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);
    origin = set->origin;

    b24_crm_cut(&origin, B24_ORIGIN_CHARS);

    cmd = b24_batch_add(batch, "deal", api->list[B24_ENTITY_DEAL]);

    if (api->universal) {
        b24_command_int(batch, cmd, "entityTypeId",
                        api->type[B24_ENTITY_DEAL]);
    }

    b24_command_int(batch, cmd, api->universal ? "filter[=id]" : "filter[=ID]",
                    known->deal);

    /* another portal, or one made anew, has another's deal of that number */

    b24_command_text(batch, cmd, api->universal ? "filter[=originatorId]"
                                                : "filter[=ORIGINATOR_ID]",
                     &origin);
    b24_crm_deal_select(batch, cmd, api, 1);
    b24_command_int(batch, cmd, "start", -1);

    return batch->failed ? B24_ERROR : B24_OK;
}


void
b24_crm_deal_select(b24_batch_t *batch, b24_command_t *cmd,
    const b24_crm_api_t *api, int money)
{
    int   i;
    char  key[B24_CRM_KEY], field[B24_CRM_KEY];

    for (i = 0; b24_move_fields[i] && (money || i < B24_MOVE_MONEY); i++) {
        (void) snprintf(key, sizeof(key), "select[%d]", i);

        if (api->universal && strcmp(b24_move_fields[i], "DATE_MODIFY") == 0) {
            b24_command_chars(batch, cmd, key, "updatedTime");
            continue;
        }

        b24_crm_key(api, field, NULL, "", b24_move_fields[i]);
        b24_command_chars(batch, cmd, key, field);
    }
}


int
b24_crm_deal_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_crm_known_t *known, int64_t now,
    b24_crm_deal_t *deal, b24_verdict_t *verdict)
{
    int                   rc;
    int64_t               skew;
    b24_node_t           *list;
    const b24_crm_api_t  *api;

    memset(deal, 0, sizeof(b24_crm_deal_t));

    api = b24_crm_api(set);

    *verdict = answer->verdict;
    known->again = B24_AGAIN_NO;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    rc = b24_crm_list(pool, answer, api->items, "deal", &list, verdict);

    if (rc != B24_OK) {
        b24_crm_again(api, known, verdict, B24_AGAIN_LOOKUP);
        return rc == B24_ERROR ? B24_ERROR : B24_OK;
    }

    skew = b24_crm_skew(answer, now);

    if (list->first
        && b24_crm_deal_item(api, list->first, skew, deal) != B24_OK)
    {
        b24_crm_failed(verdict, B24_CLASS_RETRY, "UNEXPECTED",
                       "a look-up was answered in a form the module does not"
                       " know");
    }

    return B24_OK;
}


/* seconds that the portal's clock is ahead of ours; small ones are none */

int64_t
b24_crm_skew(const b24_answer_t *answer, int64_t now)
{
    int64_t  skew;

    skew = b24_answer_now(answer);

    if (skew) {
        skew -= now;
    }

    return skew >= -B24_MOVE_SKEW && skew <= B24_MOVE_SKEW ? 0 : skew;
}


int
b24_crm_list(b24_pool_t *pool, const b24_answer_t *answer, const char *items,
    const char *name, b24_node_t **list, b24_verdict_t *verdict)
{
    b24_str_t        key;
    b24_node_t      *node;
    b24_cmd_state_e  state;

    state = b24_answer_command(pool, answer, name, &node, verdict);

    if (state == B24_CMD_FAILED) {
        return B24_DECLINED;
    }

    *verdict = answer->verdict;

    if (state == B24_CMD_NOT_RUN) {
        b24_crm_failed(verdict, B24_CLASS_RETRY, "NOT_ANSWERED",
                       "the portal left a look-up out of its answer");
        return B24_DECLINED;
    }

    if (items) {
        key.data = (u_char *) items;
        key.len = strlen(items);

        node = (node->type == B24_OBJECT) ? b24_node_get(node, &key) : NULL;
    }

    if (node == NULL || (node->type != B24_ARRAY && node->type != B24_OBJECT))
    {
        b24_crm_failed(verdict, B24_CLASS_RETRY, "UNEXPECTED",
                       "a look-up was answered in a form the module does not"
                       " know");
        return B24_DECLINED;
    }

    *list = node;

    return B24_OK;
}


int
b24_crm_deal_item(const b24_crm_api_t *api, const b24_node_t *node,
    int64_t skew, b24_crm_deal_t *deal)
{
    b24_str_t          text;
    const b24_node_t  *field;

    deal->id = b24_node_id(b24_crm_field(api, node, "ID"));
    field = b24_crm_field(api, node, "STAGE_ID");

    if (deal->id == 0 || field == NULL
        || b24_node_text(field, &deal->stage) != B24_OK)
    {
        return B24_DECLINED;
    }

    deal->category = (int) b24_node_id(b24_crm_field(api, node,
                                                     "CATEGORY_ID"));

    field = b24_crm_field(api, node, "STAGE_SEMANTIC_ID");

    deal->final = field && b24_node_text(field, &text) == B24_OK
                  && (b24_str_eqs(&text, "S") || b24_str_eqs(&text, "F"));

    field = b24_crm_field(api, node, "OPPORTUNITY");

    if (field == NULL || b24_node_text(field, &deal->amount) != B24_OK) {
        deal->amount.len = 0;
    }

    field = b24_crm_field(api, node, "CURRENCY_ID");

    if (field == NULL || b24_node_text(field, &deal->currency) != B24_OK) {
        deal->currency.len = 0;
    }

    field = b24_crm_field(api, node, "IS_MANUAL_OPPORTUNITY");

    deal->summed = field && b24_node_text(field, &text) == B24_OK
                   && b24_str_eqs(&text, "N");

    deal->stamp = b24_move_time(api, node, "MOVED_TIME");
    deal->moved = deal->stamp;

    if (deal->moved == 0) {
        deal->moved = b24_move_time(api, node, api->universal
                                               ? "UPDATED_TIME"
                                               : "DATE_MODIFY");
    }

    if (deal->moved) {
        deal->moved -= skew;
    }

    return B24_OK;
}


/* "2024-08-30T14:29:00+02:00"; 0: it is none */

static int64_t
b24_move_time(const b24_crm_api_t *api, const b24_node_t *node,
    const char *field)
{
    int                n, hours, minutes;
    char               text[40], sign;
    int64_t            zone;
    b24_str_t          s;
    struct tm          tm;
    const b24_node_t  *member;

    member = b24_crm_field(api, node, field);

    if (member == NULL || b24_node_text(member, &s) != B24_OK
        || s.len >= sizeof(text))
    {
        return 0;
    }

    memcpy(text, s.data, s.len);
    text[s.len] = '\0';

    memset(&tm, 0, sizeof(struct tm));
    sign = 'Z';
    hours = 0;
    minutes = 0;

    n = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c%2d:%2d", &tm.tm_year,
               &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
               &sign, &hours, &minutes);

    if (n < 6) {
        return 0;
    }

    tm.tm_year -= 1900;
    tm.tm_mon--;

    zone = 60 * ((int64_t) 60 * hours + minutes);

    return (int64_t) timegm(&tm)
           - (sign == '+' ? zone : sign == '-' ? -zone : 0);
}


void
b24_crm_again(const b24_crm_api_t *api, b24_crm_known_t *known,
    const b24_verdict_t *verdict, b24_again_e again)
{
    if (!known->other_api && b24_crm_api_refused(api, verdict)) {
        known->other_api = 1;
        known->again = again;
    }
}


b24_move_e
b24_crm_move(const b24_crm_settings_t *set, const b24_crm_deal_t *deal,
    const b24_str_t *stage, const b24_queue_seen_t *seen, int64_t changed)
{
    int      ours;
    int64_t  moved;

    if (deal->id == 0) {
        return B24_MOVE_GONE;
    }

    if (b24_str_eq(&deal->stage, stage)) {
        return B24_MOVE_THERE;
    }

    if (deal->category != set->category) {
        return B24_MOVE_PIPELINE;
    }

    ours = b24_queue_seen_known(seen, &deal->stage, deal->stamp);
    moved = deal->moved * 1000;

    /* somebody has, since we have, and it was seen; the portal's clock tells
     * seconds, a time far ahead of it is one of a clock that was set back */

    if (seen->moved > seen->sent_time
        && b24_str_eq(&deal->stage, &seen->held))
    {
        ours = 0;

        if (moved == 0
            || (moved < seen->moved && seen->moved - moved <= B24_MOVE_STEP))
        {
            moved = seen->moved;
        }
    }

    if (ours) {
        return B24_MOVE_DO;
    }

    if (moved <= changed) {
        return B24_MOVE_OVER;
    }

    return deal->final ? B24_MOVE_CLOSED : B24_MOVE_NEWER;
}


int
b24_crm_move_words(b24_pool_t *pool, b24_move_e move,
    const b24_crm_deal_t *deal, const b24_str_t *stage, b24_str_t *text,
    const char **advice)
{
    b24_buf_t  buf;

    b24_buf_init(&buf, pool);

    *advice = "look at the deal and at the order in the shop";

    switch (move) {

    case B24_MOVE_DO:
    case B24_MOVE_OVER:
        b24_buf_adds(&buf, "the deal is at the stage \"");
        b24_buf_addstr(&buf, stage);
        b24_buf_adds(&buf, "\" now");

        if (move == B24_MOVE_DO) {
            *advice = NULL;
            break;
        }

        b24_buf_adds(&buf, ", the shop's change was the newer one: in the CRM"
                           " it had been moved to \"");
        b24_buf_addstr(&buf, &deal->stage);
        b24_buf_addc(&buf, '"');
        break;

    case B24_MOVE_THERE:
        b24_buf_adds(&buf, "the deal was at the stage \"");
        b24_buf_addstr(&buf, stage);
        b24_buf_adds(&buf, "\" already");
        *advice = NULL;
        break;

    case B24_MOVE_GONE:
        b24_buf_adds(&buf, "the deal is not in the CRM any more: it is not made"
                           " again");
        *advice = "if it was deleted by mistake, restore it in Bitrix24";
        break;

    case B24_MOVE_PIPELINE:
        b24_buf_adds(&buf, "the deal was moved to another pipeline: its stage"
                           " \"");
        b24_buf_addstr(&buf, &deal->stage);
        b24_buf_adds(&buf, "\" was left alone");
        break;

    case B24_MOVE_NEWER:
        b24_buf_adds(&buf, "the deal was moved to \"");
        b24_buf_addstr(&buf, &deal->stage);
        b24_buf_adds(&buf, "\" in the CRM after the shop's change to \"");
        b24_buf_addstr(&buf, stage);
        b24_buf_adds(&buf, "\": it was left there");
        break;

    case B24_MOVE_CLOSED:
        b24_buf_adds(&buf, "the deal was closed at \"");
        b24_buf_addstr(&buf, &deal->stage);
        b24_buf_adds(&buf, "\" after the shop's change to \"");
        b24_buf_addstr(&buf, stage);
        b24_buf_adds(&buf, "\": it was left there");
        break;
    }

    return b24_buf_str(&buf, text);
}
