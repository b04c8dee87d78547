
/*
 * Many orders in one batch.  A failure stops nobody (halt:0), so nothing may
 * refer to anything, and each order sees its own answers only.
 */


#include <stdio.h>

#include "b24_slice.h"
#include "b24_text.h"


#define B24_SLICE_NAME  64


/* the answer's maps, and those of one order */
typedef struct {
    b24_pool_t        *pool;
    const b24_node_t  *result;
    const b24_node_t  *errors;
    const b24_node_t  *times;
    b24_node_t        *own_result;
    b24_node_t        *own_errors;
    b24_node_t        *own_times;
} b24_slice_maps_t;


static int b24_slice_command(b24_slice_t *slice, b24_command_t *cmd,
    unsigned number);
static int b24_slice_value(const b24_slice_slot_t *slot,
    const b24_str_t *value);
static int b24_slice_same(const b24_command_t *a, const b24_command_t *b);
static int b24_slice_same_buf(const b24_buf_t *a, size_t from_a, size_t to_a,
    const b24_buf_t *b, size_t from_b, size_t to_b);
static void b24_slice_send(b24_slice_t *slice, b24_slice_slot_t *slot);
static void b24_slice_list(b24_slice_t *slice, b24_slice_slot_t *slot);
static int b24_slice_maps(b24_pool_t *pool, const b24_answer_t *answer,
    b24_slice_maps_t *maps, b24_answer_t *own);
static int b24_slice_part(b24_slice_maps_t *maps,
    const b24_slice_part_t *part);
static int b24_slice_split(b24_slice_maps_t *maps,
    const b24_slice_part_t *part, const b24_node_t *result);
static int b24_slice_rows(b24_pool_t *pool, const b24_many_t *many,
    const b24_node_t *list, b24_node_t *rows);
static int b24_slice_missing(b24_slice_maps_t *maps,
    const b24_slice_part_t *part);
static int b24_slice_put(b24_pool_t *pool, b24_node_t *parent,
    const char *name, const b24_node_t *node);
static b24_node_t *b24_slice_text(b24_pool_t *pool, const char *text);


void
b24_slice_init(b24_slice_t *slice, b24_pool_t *pool)
{
    memset(slice, 0, sizeof(b24_slice_t));

    slice->pool = pool;
}


int
b24_slice_add(b24_slice_t *slice, b24_batch_t *batch, unsigned number)
{
    int                rc;
    unsigned           i, count, nvalues[B24_BATCH_MAX];
    b24_command_t     *cmd;
    b24_slice_part_t  *part, *last;

    if (batch->halt || batch->failed) {
        return B24_ERROR;
    }

    for (part = slice->first; part; part = part->next) {

        if (part->number == number) {
            return B24_ERROR;
        }
    }

    count = slice->count;
    last = slice->last;

    for (i = 0; i < count; i++) {
        nvalues[i] = slice->slots[i].nvalues;
    }

    rc = B24_OK;

    for (cmd = batch->first; cmd && rc == B24_OK; cmd = cmd->next) {
        rc = b24_slice_command(slice, cmd, number);
    }

    if (rc == B24_OK) {
        return B24_OK;
    }

    /* all or none */

    for (i = 0; i < count; i++) {
        slice->slots[i].nvalues = nvalues[i];
    }

    slice->count = count;
    slice->last = last;

    if (last) {
        last->next = NULL;

    } else {
        slice->first = NULL;
    }

    return rc;
}


static int
b24_slice_command(b24_slice_t *slice, b24_command_t *cmd, unsigned number)
{
    char              *name;
    b24_slice_part_t  *part;
    b24_slice_slot_t  *slot;

    if (cmd->query.failed || cmd->many.rest.failed) {
        return B24_ERROR;
    }

    part = b24_pcalloc(slice->pool, sizeof(b24_slice_part_t));
    if (part == NULL) {
        return B24_ERROR;
    }

    slot = b24_slice_alike(slice, cmd);

    if (slot == NULL) {

        if (slice->count == B24_BATCH_MAX) {
            return B24_DECLINED;
        }

        name = b24_pnalloc(slice->pool, B24_SLICE_NAME);
        if (name == NULL) {
            return B24_ERROR;
        }

        /* names of a batch have no "_", so that no two of these are equal */

        (void) snprintf(name, B24_SLICE_NAME, "%.40s_%u", cmd->name, number);

        slot = &slice->slots[slice->count++];
        memset(slot, 0, sizeof(b24_slice_slot_t));
        slot->command = cmd;
        slot->name = name;
    }

    if (cmd->many.kind != B24_MANY_NO
        && !b24_slice_value(slot, &cmd->many.value))
    {
        slot->values[slot->nvalues++] = &cmd->many.value;
    }

    part->number = number;
    part->command = cmd;
    part->slot = slot;

    if (slice->last) {
        slice->last->next = part;

    } else {
        slice->first = part;
    }

    slice->last = part;

    return B24_OK;
}


b24_slice_slot_t *
b24_slice_alike(b24_slice_t *slice, const b24_command_t *cmd)
{
    unsigned           i;
    b24_slice_slot_t  *slot;

    if (cmd->many.kind == B24_MANY_NO) {
        return NULL;
    }

    for (i = 0; i < slice->count; i++) {
        slot = &slice->slots[i];

        if (slot->nvalues && b24_slice_same(slot->command, cmd)
            && (slot->nvalues < B24_SLICE_VALUES
                || b24_slice_value(slot, &cmd->many.value)))
        {
            return slot;
        }
    }

    return NULL;
}


/* they differ in the value only */

static int
b24_slice_same(const b24_command_t *a, const b24_command_t *b)
{
    const b24_many_t  *m, *n;

    m = &a->many;
    n = &b->many;

    return m->kind == n->kind
           && strcmp(a->method, b->method) == 0
           && strcmp(m->method, n->method) == 0
           && strcmp(m->field, n->field) == 0
           && (m->items == NULL) == (n->items == NULL)
           && (m->items == NULL || strcmp(m->items, n->items) == 0)
           && b24_slice_same_buf(&a->query, 0, m->at, &b->query, 0, n->at)
           && b24_slice_same_buf(&a->query, m->at + m->len, a->query.len,
                                 &b->query, n->at + n->len, b->query.len)
           && b24_slice_same_buf(&m->rest, 0, m->rest.len,
                                 &n->rest, 0, n->rest.len);
}


static int
b24_slice_same_buf(const b24_buf_t *a, size_t from_a, size_t to_a,
    const b24_buf_t *b, size_t from_b, size_t to_b)
{
    return to_a - from_a == to_b - from_b
           && (to_a == from_a
               || memcmp(a->data + from_a, b->data + from_b, to_a - from_a)
                  == 0);
}


static int
b24_slice_value(const b24_slice_slot_t *slot, const b24_str_t *value)
{
    unsigned  i;

    for (i = 0; i < slot->nvalues; i++) {

        if (b24_str_eq(slot->values[i], value)) {
            return 1;
        }
    }

    return 0;
}


/* ---- what is sent ---- */

int
b24_slice_print(b24_slice_t *slice, b24_str_t *json)
{
    unsigned  i;

    b24_batch_init(&slice->sent, slice->pool, 0);

    for (i = 0; i < slice->count; i++) {
        b24_slice_send(slice, &slice->slots[i]);
    }

    return b24_batch_print(&slice->sent, json);
}


static void
b24_slice_send(b24_slice_t *slice, b24_slice_slot_t *slot)
{
    b24_str_t       query;
    b24_command_t  *cmd;

    if (slot->nvalues > 1) {
        b24_slice_list(slice, slot);
        return;
    }

    cmd = b24_batch_add(&slice->sent, slot->name, slot->command->method);

    if (b24_buf_str(&slot->command->query, &query) != B24_OK) {
        slice->sent.failed = 1;
        return;
    }

    cmd->nvars = slot->command->nvars;
    b24_buf_addstr(&cmd->query, &query);
}


/* "filter[@FIELD][0]=..&filter[@FIELD][1]=.." in the place of the parameter */

static void
b24_slice_list(b24_slice_t *slice, b24_slice_slot_t *slot)
{
    size_t             end;
    unsigned           i;
    b24_str_t          query, rest;
    b24_command_t     *cmd;
    const b24_many_t  *many;

    many = &slot->command->many;

    cmd = b24_batch_add(&slice->sent, slot->name, many->method);
    cmd->nvars = slot->command->nvars - 1 + slot->nvalues + many->nrest;

    if (b24_buf_str(&slot->command->query, &query) != B24_OK
        || b24_buf_str(&slot->command->many.rest, &rest) != B24_OK
        || cmd->nvars > B24_COMMAND_VARS)
    {
        slice->sent.failed = 1;
        return;
    }

    b24_buf_add(&cmd->query, query.data, many->at);

    for (i = 0; i < slot->nvalues; i++) {

        if (i) {
            b24_buf_addc(&cmd->query, '&');
        }

        b24_buf_adds(&cmd->query, "filter[%40");
        b24_buf_adds(&cmd->query, many->field);
        b24_buf_adds(&cmd->query, "][");
        b24_buf_addi(&cmd->query, i);
        b24_buf_adds(&cmd->query, "]=");
        b24_text_escape(&cmd->query, slot->values[i]);
    }

    end = many->at + many->len;
    b24_buf_add(&cmd->query, query.data + end, query.len - end);

    if (rest.len) {
        b24_buf_addc(&cmd->query, '&');
        b24_buf_addstr(&cmd->query, &rest);
    }
}


/* ---- what is answered ---- */

int
b24_slice_answer(b24_pool_t *pool, const b24_slice_t *slice,
    const b24_answer_t *answer, unsigned number, b24_answer_t *own)
{
    b24_slice_maps_t         maps;
    const b24_slice_part_t  *part;

    *own = *answer;

    if (answer->verdict.class != B24_CLASS_OK) {
        return B24_OK;
    }

    if (b24_slice_maps(pool, answer, &maps, own) != B24_OK) {
        return B24_ERROR;
    }

    for (part = slice->first; part; part = part->next) {

        if (part->number == number
            && b24_slice_part(&maps, part) != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


/* a body of the same form, with maps that are still empty */

static int
b24_slice_maps(b24_pool_t *pool, const b24_answer_t *answer,
    b24_slice_maps_t *maps, b24_answer_t *own)
{
    b24_node_t        *root, *inner;
    const b24_node_t  *time;

    maps->pool = pool;
    maps->result = answer->result;
    maps->errors = answer->errors;
    maps->times = b24_member(b24_member(answer->root, "result"),
                             "result_time");

    root = b24_node_new(pool, B24_OBJECT);
    inner = b24_node_new(pool, B24_OBJECT);
    maps->own_result = b24_node_new(pool, B24_OBJECT);
    maps->own_errors = b24_node_new(pool, B24_OBJECT);
    maps->own_times = b24_node_new(pool, B24_OBJECT);

    if (root == NULL || inner == NULL || maps->own_result == NULL
        || maps->own_errors == NULL || maps->own_times == NULL)
    {
        return B24_ERROR;
    }

    inner->key.data = (u_char *) "result";
    inner->key.len = sizeof("result") - 1;
    maps->own_result->key = inner->key;
    maps->own_errors->key.data = (u_char *) "result_error";
    maps->own_errors->key.len = sizeof("result_error") - 1;
    maps->own_times->key.data = (u_char *) "result_time";
    maps->own_times->key.len = sizeof("result_time") - 1;

    b24_node_append(inner, maps->own_result);
    b24_node_append(inner, maps->own_errors);
    b24_node_append(inner, maps->own_times);
    b24_node_append(root, inner);

    time = b24_member(answer->root, "time");

    if (time && b24_slice_put(pool, root, "time", time) != B24_OK) {
        return B24_ERROR;
    }

    own->root = root;
    own->result = maps->own_result;
    own->errors = maps->own_errors;

    return B24_OK;
}


static int
b24_slice_part(b24_slice_maps_t *maps, const b24_slice_part_t *part)
{
    const char        *name;
    const b24_node_t  *result, *error, *time;

    name = part->command->name;

    result = b24_member(maps->result, part->slot->name);
    error = b24_member(maps->errors, part->slot->name);
    time = b24_member(maps->times, part->slot->name);

    if (time && b24_slice_put(maps->pool, maps->own_times, name, time)
                != B24_OK)
    {
        return B24_ERROR;
    }

    if (error) {
        return b24_slice_put(maps->pool, maps->own_errors, name, error);
    }

    if (result == NULL) {
        return B24_OK;
    }

    if (part->slot->nvalues > 1) {
        return b24_slice_split(maps, part, result);
    }

    return b24_slice_put(maps->pool, maps->own_result, name, result);
}


/* what of a list is this order's */

static int
b24_slice_split(b24_slice_maps_t *maps, const b24_slice_part_t *part,
    const b24_node_t *result)
{
    int                rc;
    b24_node_t        *rows, *outer;
    const char        *name;
    const b24_many_t  *many;

    name = part->command->name;
    many = &part->command->many;

    if (many->items) {
        result = b24_member(result, many->items);
    }

    if (result == NULL
        || (result->type != B24_ARRAY && result->type != B24_OBJECT))
    {
        return B24_OK;
    }

    rows = b24_node_new(maps->pool, B24_ARRAY);
    outer = b24_node_new(maps->pool, B24_OBJECT);

    if (rows == NULL || outer == NULL) {
        return B24_ERROR;
    }

    rc = b24_slice_rows(maps->pool, many, result, rows);

    if (rc != B24_OK) {
        return (rc == B24_DECLINED) ? B24_OK : B24_ERROR;
    }

    if (rows->count == 0 && result->count >= B24_SLICE_PAGE) {
        return B24_OK;
    }

    if (many->kind == B24_MANY_GET) {

        if (rows->count == 0) {
            return b24_slice_missing(maps, part);
        }

        rows = rows->first;
    }

    if (many->items == NULL) {
        return b24_slice_put(maps->pool, maps->own_result, name, rows);
    }

    if (b24_slice_put(maps->pool, outer,
                      many->kind == B24_MANY_GET ? "item" : many->items, rows)
        != B24_OK)
    {
        return B24_ERROR;
    }

    return b24_slice_put(maps->pool, maps->own_result, name, outer);
}


/*
 * The portal's database compares without case and accents: rows of another
 * spelling are nobody's.  B24_DECLINED: they can't be told apart.
 */

static int
b24_slice_rows(b24_pool_t *pool, const b24_many_t *many,
    const b24_node_t *list, b24_node_t *rows)
{
    b24_str_t          text;
    const b24_node_t  *row, *field;

    for (row = list->first; row; row = row->next) {
        field = b24_member(row, many->field);

        if (field == NULL) {
            return B24_DECLINED;
        }

        if (b24_node_text(field, &text) == B24_OK
            && b24_str_eq(&text, &many->value)
            && b24_slice_put(pool, rows, "", row) != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_slice_missing(b24_slice_maps_t *maps, const b24_slice_part_t *part)
{
    b24_node_t  *error, *code, *text;

    error = b24_node_new(maps->pool, B24_OBJECT);
    code = b24_slice_text(maps->pool,
                          part->command->many.items ? "NOT_FOUND" : "");
    text = b24_slice_text(maps->pool, "Not found");

    if (error == NULL || code == NULL || text == NULL
        || b24_slice_put(maps->pool, error, "error", code) != B24_OK
        || b24_slice_put(maps->pool, error, "error_description", text)
           != B24_OK)
    {
        return B24_ERROR;
    }

    return b24_slice_put(maps->pool, maps->own_errors, part->command->name,
                         error);
}


/* a node stands in one list only: the copy shares what is below it */

static int
b24_slice_put(b24_pool_t *pool, b24_node_t *parent, const char *name,
    const b24_node_t *node)
{
    b24_node_t  *copy;

    copy = b24_node_new(pool, node->type);
    if (copy == NULL) {
        return B24_ERROR;
    }

    *copy = *node;
    copy->key.data = (u_char *) name;
    copy->key.len = strlen(name);

    b24_node_append(parent, copy);

    return B24_OK;
}


static b24_node_t *
b24_slice_text(b24_pool_t *pool, const char *text)
{
    b24_node_t  *node;

    node = b24_node_new(pool, B24_STRING);

    if (node) {
        node->value.data = (u_char *) text;
        node->value.len = strlen(text);
    }

    return node;
}
