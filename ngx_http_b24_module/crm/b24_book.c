
/*
 * What the portal says of itself: the stages of its pipelines and where its
 * catalogue lies; and which of those stages an order's status means.
 */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_BOOK_NAME    16         /* "s2147483647" */
#define B24_BOOK_ENTITY  (sizeof("DEAL_STAGE_") + B24_BOOK_NAME)


static void b24_book_ask_stages(b24_batch_t *batch, const b24_book_t *book,
    const b24_pipeline_t *p);
static void b24_book_stage_entity(const b24_pipeline_t *p, char *entity);
static const char *b24_book_name(b24_pool_t *pool, const b24_pipeline_t *p);
static int b24_book_stages(b24_pool_t *pool, const b24_book_t *book,
    b24_pipeline_t *p, const b24_node_t *list);
static int b24_book_catalog(b24_book_t *book, const b24_node_t *result);


int
b24_book_ask(b24_batch_t *batch, const b24_book_t *book)
{
    b24_pipeline_t  *p;

    for (p = book->pipelines; p; p = p->next) {

        if (!p->known) {
            b24_book_ask_stages(batch, book, p);
        }
    }

    if (book->want_catalog && !book->catalog_known) {
        (void) b24_batch_add(batch, "cat", "catalog.catalog.list");
    }

    b24_self_ask(batch, book);
    b24_fields_ask(batch, book);

    return batch->failed ? B24_ERROR : B24_OK;
}


static void
b24_book_ask_stages(b24_batch_t *batch, const b24_book_t *book,
    const b24_pipeline_t *p)
{
    char            entity[B24_BOOK_ENTITY];
    const char     *name;
    b24_command_t  *cmd;

    name = b24_book_name(batch->pool, p);

    if (name == NULL) {
        batch->failed = 1;
        return;
    }

    if (!book->no_stage_list) {
        cmd = b24_batch_add(batch, name, "crm.dealcategory.stage.list");
        b24_command_int(batch, cmd, "id", p->category);
        return;
    }

    cmd = b24_batch_add(batch, name, "crm.status.list");

    b24_book_stage_entity(p, entity);

    /* a bare name: "=ENTITY_ID" filters nothing */

    b24_command_chars(batch, cmd, "filter[ENTITY_ID]", entity);
    b24_command_chars(batch, cmd, "order[SORT]", "ASC");
}


static void
b24_book_stage_entity(const b24_pipeline_t *p, char *entity)
{
    if (p->category) {
        (void) snprintf(entity, B24_BOOK_ENTITY, "DEAL_STAGE_%d", p->category);

    } else {
        (void) snprintf(entity, B24_BOOK_ENTITY, "DEAL_STAGE");
    }
}


static const char *
b24_book_name(b24_pool_t *pool, const b24_pipeline_t *p)
{
    char  *name;

    name = b24_pnalloc(pool, B24_BOOK_NAME);

    if (name) {
        (void) snprintf(name, B24_BOOK_NAME, "s%d", p->category);
    }

    return name;
}


int
b24_book_read(b24_pool_t *pool, const b24_answer_t *answer, b24_book_t *book,
    b24_verdict_t *verdict, int *again)
{
    unsigned          gone;
    const char       *name;
    b24_node_t       *node;
    b24_verdict_t     v;
    b24_pipeline_t   *p;
    b24_cmd_state_e   state;

    *again = 0;
    *verdict = answer->verdict;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    gone = 0;

    for (p = book->pipelines; p; p = p->next) {

        if (p->known) {
            continue;
        }

        name = b24_book_name(pool, p);
        if (name == NULL) {
            return B24_ERROR;
        }

        state = b24_answer_command(pool, answer, name, &node, &v);

        if (state == B24_CMD_DONE) {

            if (b24_book_stages(pool, book, p, node) == B24_ERROR) {
                return B24_ERROR;
            }

            continue;
        }

        if (state == B24_CMD_NOT_RUN) {
            b24_crm_failed(&v, B24_CLASS_RETRY, "NOT_ANSWERED",
                           "the portal left a question out of its answer");

        } else if (b24_str_caseeqs(&v.code, "ERROR_METHOD_NOT_FOUND")) {
            gone = 1;

        } else if (v.class == B24_CLASS_PERMANENT) {

            /* "Not found": no such pipeline */

            p->known = 1;
            continue;

        } else if (v.class == B24_CLASS_OPERATOR
                   && b24_pstrdup(pool, &book->denied, v.code.data,
                                  v.code.len)
                      != B24_OK)
        {
            return B24_ERROR;
        }

        if (verdict->class == B24_CLASS_OK) {
            *verdict = v;
        }
    }

    if (book->want_catalog && !book->catalog_known) {
        state = b24_answer_command(pool, answer, "cat", &node, &v);

        if (state == B24_CMD_DONE) {
            book->catalog_known = b24_book_catalog(book, node) ? 1 : 0;

        } else if (state == B24_CMD_FAILED
                   && (v.class == B24_CLASS_OPERATOR
                       || v.class == B24_CLASS_PERMANENT))
        {
            book->catalog_known = 1;

            if (b24_pstrdup(pool, &book->refused, v.code.data, v.code.len)
                != B24_OK)
            {
                return B24_ERROR;
            }
        }
    }

    if (b24_self_read(pool, answer, book) != B24_OK
        || b24_fields_read(pool, answer, book) != B24_OK)
    {
        return B24_ERROR;
    }

    if (gone && !book->no_stage_list) {
        book->no_stage_list = 1;
        verdict->class = B24_CLASS_OK;
        *again = 1;
    }

    return B24_OK;
}


/* [{"STATUS_ID":"C9:NEW",...},...] of both methods; [] is no such pipeline */

static int
b24_book_stages(b24_pool_t *pool, const b24_book_t *book, b24_pipeline_t *p,
    const b24_node_t *list)
{
    char               entity[B24_BOOK_ENTITY];
    size_t             n;
    b24_str_t          id, *ids, key = b24_string("STATUS_ID");
    const b24_node_t  *row, *field;

    b24_book_stage_entity(p, entity);

    if (list->type != B24_ARRAY && list->type != B24_OBJECT) {
        return B24_DECLINED;
    }

    ids = b24_pcalloc(pool, (list->count + 1) * sizeof(b24_str_t));
    if (ids == NULL) {
        return B24_ERROR;
    }

    n = 0;

    for (row = list->first; row; row = row->next) {

        field = (row->type == B24_OBJECT) ? b24_node_get(row, &key) : NULL;

        if (field == NULL || b24_node_text(field, &id) != B24_OK) {
            return B24_DECLINED;
        }

        if (book->no_stage_list && !b24_book_entity(row, entity)) {
            continue;
        }

        if (b24_pstrdup(pool, &ids[n++], id.data, id.len) != B24_OK) {
            return B24_ERROR;
        }
    }

    p->stages = ids;
    p->nstages = n;
    p->known = 1;

    return B24_OK;
}


int
b24_book_entity(const b24_node_t *row, const char *entity)
{
    b24_str_t          text, key = b24_string("ENTITY_ID");
    const b24_node_t  *field;

    field = b24_node_get(row, &key);

    return field == NULL || b24_node_text(field, &text) != B24_OK
           || b24_str_eqs(&text, entity);
}


/*
 * {"catalogs":[{"iblockId":24,"productIblockId":null},...]}: a catalogue with a
 * productIblockId holds offers.
 */

static int
b24_book_catalog(b24_book_t *book, const b24_node_t *result)
{
    int64_t            id;
    b24_str_t          key = b24_string("iblockId");
    b24_str_t          list = b24_string("catalogs");
    const b24_node_t  *node;

    node = (result->type == B24_OBJECT) ? b24_node_get(result, &list) : NULL;

    if (node == NULL || (node->type != B24_ARRAY && node->type != B24_OBJECT))
    {
        return 0;
    }

    book->niblocks = 0;

    for (node = node->first; node; node = node->next) {

        id = (node->type == B24_OBJECT)
             ? b24_node_id(b24_node_get(node, &key)) : 0;

        if (id && book->niblocks < B24_BOOK_IBLOCKS) {
            book->iblocks[book->niblocks++] = id;
        }
    }

    return 1;
}


const b24_pipeline_t *
b24_book_pipeline(const b24_book_t *book, int category)
{
    const b24_pipeline_t  *p;

    for (p = book ? book->pipelines : NULL; p; p = p->next) {

        if (p->category == category) {
            return p;
        }
    }

    return NULL;
}


/* ---- stages ---- */

int
b24_crm_stage(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_str_t *stage)
{
    b24_str_t          none = b24_null_string;
    const b24_pair_t  *line;

    line = b24_order_stage(order, set->stages, &set->default_status);

    if (line == NULL || line->value.len == 0) {
        *stage = none;
        return B24_OK;
    }

    if (b24_crm_stage_id(pool, set, &line->value, stage) != B24_OK) {
        return B24_ERROR;
    }

    if (!b24_crm_stage_known(set, stage)) {
        *stage = none;
    }

    return B24_OK;
}


int
b24_crm_stage_id(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_str_t *value, b24_str_t *stage)
{
    size_t     i;
    b24_buf_t  buf;

    *stage = *value;

    /* "C9:NEW" names its pipeline already */

    if (stage->len && stage->data[0] == 'C') {

        for (i = 1; i < stage->len && b24_isdigit(stage->data[i]); i++) {
            /* void */
        }

        if (i > 1 && i < stage->len && stage->data[i] == ':') {
            return B24_OK;
        }
    }

    if (set->category == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, pool);
    b24_buf_addc(&buf, 'C');
    b24_buf_addi(&buf, set->category);
    b24_buf_addc(&buf, ':');
    b24_buf_addstr(&buf, value);

    return b24_buf_str(&buf, stage);
}


int
b24_crm_stage_known(const b24_crm_settings_t *set, const b24_str_t *stage)
{
    size_t                 i;
    const b24_pipeline_t  *p;

    if (!b24_crm_stages_told(set)) {
        return 1;
    }

    p = b24_book_pipeline(set->book, set->category);

    for (i = 0; i < p->nstages; i++) {

        if (b24_str_eq(&p->stages[i], stage)) {
            return 1;
        }
    }

    return 0;
}


int
b24_crm_stages_told(const b24_crm_settings_t *set)
{
    const b24_pipeline_t  *p;

    p = b24_book_pipeline(set->book, set->category);

    return p && p->known;
}


/*
 * The status is the shop's own code, but it may come from a request: it is not
 * repeated in the remark.
 */

int
b24_crm_stage_remark(b24_pool_t *pool, const b24_crm_settings_t *set,
    b24_order_t *order)
{
    char                   text[256];
    b24_str_t              stage;
    const b24_pair_t      *line;
    const b24_pipeline_t  *p;

    p = b24_book_pipeline(set->book, set->category);

    if (p && p->known && p->nstages == 0) {
        (void) snprintf(text, sizeof(text), "the portal has no pipeline %d",
                        set->category);

        return b24_order_remark(pool, order, "pipeline", text);
    }

    if (set->stages == NULL || (order->fields[B24_ORDER_STATUS].len == 0
                                && set->default_status.len == 0))
    {
        return B24_OK;
    }

    line = b24_order_stage(order, set->stages, &set->default_status);

    if (line == NULL) {
        return b24_order_remark(pool, order, "status", "the order's status has"
                                " no line in the table of stages: the deal is"
                                " at the pipeline's first stage");
    }

    if (line->value.len == 0) {
        return B24_OK;
    }

    if (b24_crm_stage_id(pool, set, &line->value, &stage) != B24_OK) {
        return B24_ERROR;
    }

    if (b24_crm_stage_known(set, &stage)) {
        return B24_OK;
    }

    (void) snprintf(text, sizeof(text), "the portal has no stage \"%.*s\" in"
                    " pipeline %d: the deal is at the pipeline's first stage",
                    (int) stage.len, (char *) stage.data, set->category);

    return b24_order_remark(pool, order, "stage", text);
}
