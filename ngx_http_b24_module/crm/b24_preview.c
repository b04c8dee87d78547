
/* The dry run: see b24_preview.h.  What is shown of values: b24_preview_mask.c
 */


#include "b24_preview.h"
#include "b24_preview_int.h"


static int b24_preview_new(b24_view_t *view);
static int b24_preview_later(b24_view_t *view);
static int b24_preview_direct(b24_view_t *view, const b24_crm_known_t *known);
static int b24_preview_batch(b24_view_t *view, const b24_batch_t *batch);
static void b24_preview_command(b24_view_t *view, const char *method,
    b24_node_t *params);


int
b24_preview(b24_pool_t *pool, const b24_preview_t *preview, b24_buf_t *out)
{
    int         rc;
    b24_view_t  view;

    memset(&view, 0, sizeof(b24_view_t));

    view.pool = pool;
    view.preview = preview;
    view.out = out;

    b24_buf_addc(out, '[');

    rc = preview->job->kind == B24_EV_STATUS ? b24_preview_later(&view)
                                             : b24_preview_new(&view);

    b24_buf_addc(out, ']');

    return rc == B24_OK && out->failed ? B24_ERROR : rc;
}


static int
b24_preview_new(b24_view_t *view)
{
    int                   rc;
    unsigned              mask;
    b24_batch_t           lookup, write;
    b24_crm_known_t       known;
    const b24_preview_t  *p;

    p = view->preview;

    memset(&known, 0, sizeof(b24_crm_known_t));

    rc = b24_crm_begin(view->pool, p->set, p->job, p->order, &known);
    if (rc != B24_OK) {
        return rc;
    }

    view->number = known.origin_id.len ? known.origin_id : p->job->order_id;

    b24_batch_init(&lookup, view->pool, 0);

    rc = b24_crm_lookup(&lookup, p->set, p->order, &known, p->retry);

    if (rc == B24_OK) {
        rc = b24_preview_batch(view, &lookup);
    }

    if (rc != B24_OK) {
        return rc;
    }

    b24_batch_init(&write, view->pool, 1);

    rc = b24_crm_write(&write, p->set, p->order, &known, &mask);

    if (rc == B24_OK) {
        rc = b24_preview_batch(view, &write);
    }

    return rc == B24_OK ? b24_preview_direct(view, &known) : rc;
}


/* a later status: the deal is read, then moved */

static int
b24_preview_later(b24_view_t *view)
{
    int                   rc;
    b24_str_t             stage, text, name;
    b24_batch_t           ask, change;
    b24_crm_known_t       known;
    b24_crm_update_t      update;
    const b24_preview_t  *p;

    p = view->preview;

    memset(&known, 0, sizeof(b24_crm_known_t));
    memset(&update, 0, sizeof(b24_crm_update_t));

    rc = b24_crm_begin(view->pool, p->set, p->job, p->order, &known);

    if (rc == B24_OK) {
        rc = b24_crm_move_to(view->pool, p->set, p->order, &stage, &text,
                             &name);
    }

    if (rc != B24_OK || known.deal == 0) {
        return rc;
    }

    b24_batch_init(&ask, view->pool, 0);
    b24_batch_init(&change, view->pool, 1);

    rc = b24_crm_deal_ask(&ask, p->set, &known);

    if (rc == B24_OK) {
        rc = b24_preview_batch(view, &ask);
    }

    if (rc == B24_OK && stage.len) {
        rc = b24_crm_deal_change(&change, p->set, &known, &stage, &update);
    }

    return rc == B24_OK ? b24_preview_batch(view, &change) : rc;
}


/* rows too many for a batch */

static int
b24_preview_direct(b24_view_t *view, const b24_crm_known_t *known)
{
    int                   rc;
    b24_str_t             json, name, deal;
    const char           *method;
    b24_node_t           *root, *id;
    const b24_preview_t  *p;

    p = view->preview;

    if (known->rows_done) {
        return B24_OK;
    }

    rc = b24_crm_rows_direct_needed(view->pool, p->set, p->order);

    if (rc <= 0) {
        return rc;
    }

    if (b24_crm_rows_direct(view->pool, p->set, p->order, known->deal,
                            &method, &json)
        != B24_OK)
    {
        return B24_ERROR;
    }

    rc = b24_json_parse(view->pool, &json, 0, &root);

    if (rc != B24_OK) {
        return rc;
    }

    name.data = (u_char *) (p->set->universal ? "ownerId" : "id");
    name.len = strlen((char *) name.data);

    id = b24_node_get(root, &name);

    if (id && known->deal == 0) {
        deal.data = (u_char *) "the deal's id";
        deal.len = strlen((char *) deal.data);

        id->type = B24_STRING;
        id->value = deal;
    }

    b24_preview_command(view, method, root);

    return B24_OK;
}


static int
b24_preview_batch(b24_view_t *view, const b24_batch_t *batch)
{
    int             rc;
    b24_str_t       query;
    b24_node_t     *params;
    b24_command_t  *cmd;

    for (cmd = batch->first; cmd; cmd = cmd->next) {

        if (b24_buf_str(&cmd->query, &query) != B24_OK) {
            return B24_ERROR;
        }

        rc = b24_form_parse(view->pool, &query, &params);

        if (rc != B24_OK) {
            return rc;
        }

        b24_preview_command(view, cmd->method, params);
    }

    return B24_OK;
}


static void
b24_preview_command(b24_view_t *view, const char *method, b24_node_t *params)
{
    b24_str_t  name;

    name.data = (u_char *) method;
    name.len = strlen(method);

    b24_buf_adds(view->out, view->count++ ? ",\n{\"method\":"
                                          : "\n{\"method\":");
    b24_json_string(view->out, &name);
    b24_buf_adds(view->out, ",\"params\":");
    b24_view_params(view, method, params);
    b24_buf_addc(view->out, '}');
}
