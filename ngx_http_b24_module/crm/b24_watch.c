
/*
 * Deals that may have moved: read in pages of one batch, together with the
 * portal's own history of stages, which tells of what its webhooks lose.
 */

#include <stdio.h>

#include "b24_crm_int.h"


static const char *b24_watch_name(b24_pool_t *pool, size_t page);
static int b24_watch_ask_page(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_str_t *origins, size_t norigins,
    const b24_queue_moved_t *deals, size_t n, size_t page);
static void b24_watch_ask_history(b24_batch_t *batch, int64_t last);
static int b24_watch_take(b24_pool_t *pool, const b24_crm_api_t *api,
    const b24_node_t *list, int64_t skew, b24_queue_moved_t *deals, size_t n);
static int b24_watch_take_history(b24_pool_t *pool, const b24_node_t *list,
    b24_crm_history_t *history);


static const char *const  b24_watch_history[] = {
    "ID", "OWNER_ID", NULL
};


int
b24_crm_watch_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_str_t *origins, size_t norigins,
    const b24_queue_moved_t *deals, size_t n,
    const b24_crm_history_t *history)
{
    size_t                page;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);

    if (history) {
        b24_watch_ask_history(batch, history->last);
    }

    for (page = 0; page * B24_WATCH_PAGE < n; page++) {

        if (b24_watch_ask_page(batch, api, origins, norigins, deals, n, page)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return batch->failed ? B24_ERROR : B24_OK;
}


static const char *
b24_watch_name(b24_pool_t *pool, size_t page)
{
    char       text[16];
    int        n;
    b24_str_t  name;

    n = snprintf(text, sizeof(text), "deals%u", (unsigned) page);

    return b24_pstrdup(pool, &name, (u_char *) text, (size_t) n + 1) == B24_OK
           ? (char *) name.data : NULL;
}


/* of their origins: another portal, or one made anew, has other deals of those
 * numbers */

static int
b24_watch_ask_page(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_str_t *origins, size_t norigins,
    const b24_queue_moved_t *deals, size_t n, size_t page)
{
    char            key[B24_CRM_KEY];
    size_t          i;
    b24_str_t       origin;
    const char     *name;
    b24_command_t  *cmd;

    name = b24_watch_name(batch->pool, page);
    if (name == NULL) {
        return B24_ERROR;
    }

    cmd = b24_batch_add(batch, name, api->list[B24_ENTITY_DEAL]);

    if (api->universal) {
        b24_command_int(batch, cmd, "entityTypeId",
                        api->type[B24_ENTITY_DEAL]);
    }

    deals += page * B24_WATCH_PAGE;
    n -= page * B24_WATCH_PAGE;

    for (i = 0; i < n && i < B24_WATCH_PAGE; i++) {
        (void) snprintf(key, sizeof(key), "filter[@%s][%u]",
                        api->universal ? "id" : "ID", (unsigned) i);
        b24_command_int(batch, cmd, key, deals[i].id);
    }

    for (i = 0; i < norigins; i++) {
        origin = origins[i];
        b24_crm_cut(&origin, B24_ORIGIN_CHARS);

        (void) snprintf(key, sizeof(key), "filter[@%s][%u]",
                        api->universal ? "originatorId" : "ORIGINATOR_ID",
                        (unsigned) i);
        b24_command_text(batch, cmd, key, &origin);
    }

    b24_crm_deal_select(batch, cmd, api, 0);
    b24_command_int(batch, cmd, "start", -1);

    return B24_OK;
}


static void
b24_watch_ask_history(b24_batch_t *batch, int64_t last)
{
    int             i;
    char            key[B24_CRM_KEY];
    b24_command_t  *cmd;

    cmd = b24_batch_add(batch, "history", "crm.stagehistory.list");

    b24_command_int(batch, cmd, "entityTypeId", 2);

    if (last) {
        b24_command_int(batch, cmd, "filter[>ID]", last);
    }

    b24_command_chars(batch, cmd, "order[ID]", last ? "ASC" : "DESC");

    for (i = 0; b24_watch_history[i]; i++) {
        (void) snprintf(key, sizeof(key), "select[%d]", i);
        b24_command_chars(batch, cmd, key, b24_watch_history[i]);
    }

    b24_command_int(batch, cmd, "start", 0);
}


int
b24_crm_watch_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, int64_t now, b24_queue_moved_t *deals,
    size_t *n, b24_crm_history_t *history, b24_verdict_t *verdict)
{
    int                   rc;
    size_t                page, left, of, told;
    int64_t               skew;
    b24_node_t           *list;
    const char           *name;
    b24_verdict_t         v;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);
    *verdict = answer->verdict;
    left = *n;
    told = 0;
    *n = 0;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    skew = b24_crm_skew(answer, now);

    for (page = 0; left; page++, left -= of) {
        of = left < B24_WATCH_PAGE ? left : B24_WATCH_PAGE;

        name = b24_watch_name(pool, page);
        if (name == NULL) {
            return B24_ERROR;
        }

        rc = b24_crm_list(pool, answer, api->items, name, &list, &v);

        if (rc == B24_ERROR) {
            return rc;
        }

        if (rc == B24_OK) {
            memmove(&deals[told], &deals[page * B24_WATCH_PAGE],
                    of * sizeof(b24_queue_moved_t));

            rc = b24_watch_take(pool, api, list, skew, &deals[told], of);

            if (rc == B24_ERROR) {
                return rc;
            }

            if (rc == B24_OK) {
                told += of;
                continue;
            }

            b24_crm_failed(&v, B24_CLASS_RETRY, "UNEXPECTED",
                           "a look-up was answered in a form the module does"
                           " not know");
        }

        *verdict = v;
    }

    *n = told;

    if (history == NULL) {
        return B24_OK;
    }

    /* its list is in "items", whichever methods deals are read with */

    rc = b24_crm_list(pool, answer, "items", "history", &list, &v);

    if (rc == B24_OK) {
        return b24_watch_take_history(pool, list, history);
    }

    *verdict = v;

    return rc == B24_ERROR ? B24_ERROR : B24_OK;
}


/* what isn't in the list is not there any more; DECLINED: it is none */

static int
b24_watch_take(b24_pool_t *pool, const b24_crm_api_t *api,
    const b24_node_t *list, int64_t skew, b24_queue_moved_t *deals, size_t n)
{
    size_t             i;
    b24_crm_deal_t     deal;
    const b24_node_t  *item;

    for (i = 0; i < n; i++) {
        memset(&deals[i].stage, 0, sizeof(b24_str_t));
        deals[i].moved = 0;
        deals[i].stamp = 0;
    }

    for (item = list->first; item; item = item->next) {
        memset(&deal, 0, sizeof(b24_crm_deal_t));

        if (b24_crm_deal_item(api, item, skew, &deal) != B24_OK) {
            return B24_DECLINED;
        }

        for (i = 0; i < n && deals[i].id != deal.id; i++) { /* void */ }

        if (i == n) {
            continue;
        }

        deals[i].moved = deal.moved * 1000;
        deals[i].stamp = deal.stamp;

        if (b24_pstrdup(pool, &deals[i].stage, deal.stage.data,
                        deal.stage.len)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_watch_take_history(b24_pool_t *pool, const b24_node_t *list,
    b24_crm_history_t *history)
{
    size_t             n;
    int64_t            id, deal;
    b24_str_t          own = b24_string("ID");
    b24_str_t          owner = b24_string("OWNER_ID");
    const b24_node_t  *item;

    for (n = 0, item = list->first; item; item = item->next) {
        n++;
    }

    history->deals = b24_palloc(pool, (n + 1) * sizeof(int64_t));
    if (history->deals == NULL) {
        return B24_ERROR;
    }

    history->n = 0;

    for (item = list->first; item; item = item->next) {
        id = b24_node_id(b24_node_get(item, &own));
        deal = b24_node_id(b24_node_get(item, &owner));

        if (id > history->last) {
            history->last = id;
        }

        if (deal) {
            history->deals[history->n++] = deal;
        }
    }

    /* of one never read the rest is old */

    history->more = n >= B24_WATCH_PAGE;

    return B24_OK;
}
