
/* A deal that is there is moved, and given another total and other rows. */


#include "b24_crm_int.h"


static void b24_change_fields(b24_batch_t *batch,
    const b24_crm_settings_t *set, const b24_crm_known_t *known,
    const b24_str_t *stage, const b24_crm_update_t *update);
static void b24_change_rows(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_crm_known_t *known, const b24_crm_update_t *update);
static void b24_change_from(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_crm_known_t *known);
static void b24_change_overtaken(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_api_t *api, int64_t skew, b24_crm_update_t *update);
static int b24_change_done(b24_pool_t *pool, const b24_answer_t *answer,
    const char *name, const char *unsaid, b24_verdict_t *verdict);
static int b24_change_again(b24_pool_t *pool, const b24_crm_api_t *api,
    b24_order_t *order, b24_crm_known_t *known, const b24_verdict_t *verdict);
static int b24_change_taken(b24_pool_t *pool, const b24_crm_deal_t *deal,
    b24_crm_update_t *update);


int
b24_crm_deal_change(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_crm_known_t *known, const b24_str_t *stage,
    const b24_crm_update_t *update)
{
    if (stage->len || update->set_total) {
        b24_change_fields(batch, set, known, stage, update);
    }

    if (update->set_rows && !update->direct) {
        b24_change_rows(batch, b24_crm_api(set), known, update);
    }

    if (batch->count == 0) {
        return B24_OK;
    }

    return b24_crm_deal_ask(batch, set, known);
}


static void
b24_change_fields(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_crm_known_t *known, const b24_str_t *stage,
    const b24_crm_update_t *update)
{
    char                  key[B24_CRM_KEY];
    b24_command_t        *cmd;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);

    if (stage->len) {
        b24_change_from(batch, api, known);
    }

    cmd = b24_batch_add(batch, "move", api->update[B24_ENTITY_DEAL]);

    if (api->universal) {
        b24_command_int(batch, cmd, "entityTypeId",
                        api->type[B24_ENTITY_DEAL]);
    }

    b24_command_int(batch, cmd, "id", known->deal);

    if (stage->len) {
        b24_crm_key(api, key, "fields", "", "STAGE_ID");
        b24_command_text(batch, cmd, key, stage);
    }

    if (!update->set_total) {
        return;
    }

    b24_crm_key(api, key, "fields", "", "OPPORTUNITY");
    b24_command_text(batch, cmd, key, &update->amount);

    b24_crm_key(api, key, "fields", "", "IS_MANUAL_OPPORTUNITY");
    b24_command_chars(batch, cmd, key, "Y");

    if (update->currency.len) {
        b24_crm_key(api, key, "fields", "", "CURRENCY_ID");
        b24_command_text(batch, cmd, key, &update->currency);
    }
}


/*
 * Where the deal is by then.  No reference may make the next command depend on
 * it: to an empty list it would be one to another deal.
 */

static void
b24_change_from(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_crm_known_t *known)
{
    b24_command_t  *cmd;

    cmd = b24_batch_add(batch, "from", api->list[B24_ENTITY_DEAL]);

    if (api->universal) {
        b24_command_int(batch, cmd, "entityTypeId",
                        api->type[B24_ENTITY_DEAL]);
    }

    b24_command_int(batch, cmd, api->universal ? "filter[=id]" : "filter[=ID]",
                    known->deal);
    b24_crm_deal_select(batch, cmd, api, 0);
    b24_command_int(batch, cmd, "start", -1);
}


/* they take the place of all that are there */

static void
b24_change_rows(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_crm_known_t *known, const b24_crm_update_t *update)
{
    b24_command_t  *cmd;

    cmd = b24_batch_add(batch, "rows", api->rows_set);

    if (api->universal) {
        b24_command_chars(batch, cmd, "ownerType", "D");
    }

    b24_command_int(batch, cmd, api->universal ? "ownerId" : "id",
                    known->deal);

    b24_crm_rows_put(batch, cmd, api, update->list, update->nlist);
}


int
b24_crm_deal_changed(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_crm_update_t *update, const b24_str_t *stage,
    int64_t now, b24_str_t *held, b24_verdict_t *verdict, const char **method)
{
    int                   rc;
    b24_str_t             none = b24_null_string;
    b24_node_t           *node;
    b24_verdict_t         v;
    b24_crm_deal_t        deal;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);

    *held = none;
    *method = NULL;
    *verdict = answer->verdict;
    known->again = B24_AGAIN_NO;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    rc = B24_OK;

    if (stage->len || update->set_total) {
        *method = api->update[B24_ENTITY_DEAL];
        rc = b24_change_done(pool, answer, "move",
                             "the portal did not say that the deal was moved",
                             verdict);
    }

    if (rc == B24_OK && update->set_rows && !update->direct) {
        *method = api->rows_set;
        rc = b24_change_done(pool, answer, "rows",
                             "the portal did not confirm the product rows",
                             verdict);
    }

    if (rc != B24_OK) {
        return b24_change_again(pool, api, order, known, verdict);
    }

    update->overtaken = 0;

    if (stage->len) {
        b24_change_overtaken(pool, answer, api, b24_crm_skew(answer, now),
                             update);
    }

    /* it is changed, whether it can be read again or not */

    memset(&deal, 0, sizeof(b24_crm_deal_t));

    if (b24_crm_list(pool, answer, api->items, "deal", &node, &v) != B24_OK
        || node->first == NULL
        || b24_crm_deal_item(api, node->first, 0, &deal) != B24_OK)
    {
        return B24_OK;
    }

    *held = deal.stage;
    update->stamp = deal.stamp;

    return b24_change_taken(pool, &deal, update);
}


/* somebody has moved it between the look and the write */

static void
b24_change_overtaken(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_api_t *api, int64_t skew, b24_crm_update_t *update)
{
    b24_node_t      *list;
    b24_verdict_t    v;
    b24_crm_deal_t   deal;

    memset(&deal, 0, sizeof(b24_crm_deal_t));

    if (b24_crm_list(pool, answer, api->items, "from", &list, &v) != B24_OK
        || list->first == NULL
        || b24_crm_deal_item(api, list->first, skew, &deal) != B24_OK
        || b24_str_eq(&deal.stage, &update->deal.stage))
    {
        return;
    }

    update->overtaken = 1;
    update->deal = deal;
}


/* B24_DECLINED: verdict tells why not */

static int
b24_change_done(b24_pool_t *pool, const b24_answer_t *answer, const char *name,
    const char *unsaid, b24_verdict_t *verdict)
{
    b24_node_t       *node;
    b24_verdict_t     v;
    b24_cmd_state_e   state;

    state = b24_answer_command(pool, answer, name, &node, &v);

    if (state == B24_CMD_FAILED) {
        *verdict = v;
        return B24_DECLINED;
    }

    if (state == B24_CMD_NOT_RUN || node->type == B24_NULL
        || node->type == B24_FALSE)
    {
        b24_crm_failed(verdict, B24_CLASS_CHECK,
                       state == B24_CMD_NOT_RUN ? "NOT_RUN" : "UNEXPECTED",
                       unsaid);
        return B24_DECLINED;
    }

    return B24_OK;
}


/* is there another way to go on at once? */

static int
b24_change_again(b24_pool_t *pool, const b24_crm_api_t *api,
    b24_order_t *order, b24_crm_known_t *known, const b24_verdict_t *verdict)
{
    size_t  n;

    if (b24_str_caseeqs(&verdict->code, "ERROR_CORE")) {

        if (b24_order_narrow(pool, order, &n) != B24_OK) {
            return B24_ERROR;
        }

        if (n) {
            known->again = B24_AGAIN_LOOKUP;
            return B24_OK;
        }
    }

    b24_crm_again(api, known, verdict, B24_AGAIN_WRITE);

    return B24_OK;
}


static int
b24_change_taken(b24_pool_t *pool, const b24_crm_deal_t *deal,
    b24_crm_update_t *update)
{
    b24_str_t  amount;

    if (!update->set_total) {
        return B24_OK;
    }

    if (b24_order_amount(pool, &deal->amount, &amount) != B24_OK) {
        return B24_ERROR;
    }

    if (amount.len && !b24_str_eq(&amount, &update->amount)) {
        update->taken = amount;
    }

    return B24_OK;
}
