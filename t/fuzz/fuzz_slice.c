
/*
 * Orders of one slice: a byte with their number, for each a byte of flags and a
 * length before a text of its buyer's, then the portal's answer.  What the
 * server decodes is what each order has asked for, and whatever is answered, an
 * order sees nothing of another one.  The same answer teaches the pace, which
 * stays in its bounds.
 *
 * Aims at: crm/b24_slice.c crm/b24_pace.c crm/b24_pace_told.c
 */


#include "b24_slice.h"
#include "b24_pace.h"

#include <stdio.h>
#include <stdlib.h>


#define ORDERS  8


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(int good)
{
    if (!good) {
        abort();
    }
}


static b24_node_t *
member(const b24_node_t *node, const char *name)
{
    return b24_member(node, name);
}


static int
is_text(const b24_node_t *node, const b24_str_t *want)
{
    b24_str_t  text;

    return node && b24_node_text(node, &text) == B24_OK
           && b24_str_eq(&text, want);
}


/* a list by a value, a record by its id, and what is nobody else's business */

static void
make_batch(b24_batch_t *batch, b24_pool_t *pool, unsigned flags,
    const b24_str_t *text)
{
    int             universal;
    const char     *field, *items;
    b24_command_t  *cmd;

    universal = flags & 1;
    field = universal ? "originId" : "ORIGIN_ID";
    items = universal ? "items" : NULL;

    b24_batch_init(batch, pool, 0);

    cmd = b24_batch_add(batch, "deal", universal ? "crm.item.list"
                                                 : "crm.deal.list");
    b24_command_chars(batch, cmd, "filter[=by]", flags & 2 ? "a" : "b");
    b24_command_value(batch, cmd, field, items, text);
    b24_command_chars(batch, cmd, "select[0]", field);

    if (flags & 4) {
        cmd = b24_batch_add(batch, "get", universal ? "crm.item.get"
                                                    : "crm.deal.get");

        if (universal) {
            b24_command_int(batch, cmd, "entityTypeId", 2);
        }

        b24_command_record(batch, cmd, (flags >> 4) + 1,
                           universal ? "crm.item.list" : "crm.deal.list",
                           universal ? "id" : "ID", items);
        b24_command_select(batch, cmd, universal ? "id" : "ID");
    }

    if (flags & 8) {
        cmd = b24_batch_add(batch, "plain", "crm.deal.add");
        b24_command_text(batch, cmd, "fields[TITLE]", text);
    }
}


/* ---- what is sent ---- */

static void
check_sent(b24_pool_t *pool, const b24_node_t *cmds,
    const b24_slice_part_t *part)
{
    char               key[64];
    size_t             len;
    b24_str_t          own, query, name;
    b24_node_t        *line, *root, *list;
    const b24_node_t  *value;
    b24_command_t     *cmd;

    cmd = part->command;
    line = member(cmds, part->slot->name);
    require(line && line->type == B24_STRING);
    require(b24_buf_str(&cmd->query, &own) == B24_OK);

    if (part->slot->nvalues <= 1) {
        len = strlen(cmd->method);
        require(line->value.len == len + 1 + own.len
                && memcmp(line->value.data, cmd->method, len) == 0
                && line->value.data[len] == '?'
                && (own.len == 0
                    || memcmp(line->value.data + len + 1, own.data, own.len)
                       == 0));
        return;
    }

    len = strlen(cmd->many.method);
    require(line->value.len > len
            && memcmp(line->value.data, cmd->many.method, len) == 0
            && line->value.data[len] == '?');

    query.data = line->value.data + len + 1;
    query.len = line->value.len - len - 1;
    require(b24_form_parse(pool, &query, &root) == B24_OK);

    (void) snprintf(key, sizeof(key), "@%s", cmd->many.field);
    list = member(member(root, "filter"), key);
    require(list && list->count == part->slot->nvalues);

    len = 0;

    for (value = list->first; value; value = value->next) {
        len += (size_t) is_text(value, &cmd->many.value);
    }

    require(len == 1);

    /* nothing else differs from what the order has asked for */

    require(b24_form_parse(pool, &own, &root) == B24_OK);
    list = member(member(root, "filter"), "=by");

    if (list) {
        name = list->value;
        require(b24_form_parse(pool, &query, &root) == B24_OK);
        require(is_text(member(member(root, "filter"), "=by"), &name));
        require(member(root, "filter")->count == 2);
    }
}


/* ---- what is told ---- */

static void
check_rows(const b24_slice_part_t *part, const b24_node_t *result)
{
    const b24_node_t   *row;
    const b24_many_t   *many;

    many = &part->command->many;

    if (many->kind == B24_MANY_GET) {
        row = many->items ? member(result, "item") : result;
        require(is_text(member(row, many->field), &many->value));
        return;
    }

    result = many->items ? member(result, many->items) : result;
    require(result != NULL);

    for (row = result->first; row; row = row->next) {
        require(is_text(member(row, many->field), &many->value));
    }
}


static void
check_told(const b24_slice_part_t *part, const b24_answer_t *answer,
    const b24_answer_t *own)
{
    const b24_node_t  *result, *error, *whole;

    result = member(own->result, part->command->name);
    error = member(own->errors, part->command->name);
    require(result == NULL || error == NULL);

    if (error) {
        whole = member(answer->errors, part->slot->name);

        if (whole) {
            require(error->first == whole->first
                    && error->value.data == whole->value.data);
        } else {
            require(part->command->many.kind == B24_MANY_GET
                    && part->slot->nvalues > 1);
        }
    }

    if (result == NULL) {
        return;
    }

    whole = member(answer->result, part->slot->name);
    require(whole != NULL);

    if (part->slot->nvalues > 1) {
        check_rows(part, result);
        return;
    }

    require(result->first == whole->first
            && result->value.data == whole->value.data);
}


static void
check_answer(b24_pool_t *pool, b24_slice_t *slice, b24_answer_t *answer,
    unsigned orders)
{
    size_t                   n;
    unsigned                 i;
    b24_answer_t             own;
    const b24_slice_part_t  *part;

    for (i = 0; i < orders; i++) {

        if (b24_slice_answer(pool, slice, answer, i, &own) != B24_OK
            || answer->verdict.class != B24_CLASS_OK)
        {
            continue;
        }

        n = 0;

        for (part = slice->first; part; part = part->next) {

            if (part->number == i) {
                check_told(part, answer, &own);
                n++;
            }
        }

        require(own.result->count + own.errors->count <= n);
    }
}


static void
check_pace(b24_pool_t *pool, b24_slice_t *slice, b24_answer_t *answer,
    const b24_str_t *body)
{
    int64_t     now, room;
    b24_pace_t  pace;

    now = 1800000000000LL;
    b24_pace_init(&pace, 0, 0);
    (void) b24_pace_parse(&pace, pool, now, body);

    b24_pace_sent(&pace, &slice->sent, now);
    b24_pace_learn(&pace, &slice->sent, answer, now + 1000);

    room = b24_pace_room(&pace, "crm.deal.list", B24_PACE_LIMIT, now + 1000);

    require(room >= 0 && room <= B24_PACE_LIMIT
            && b24_pace_wait(&pace, "batch", B24_PACE_LIMIT, 1, now + 1000)
               <= 2 * B24_PACE_WINDOW
            && b24_pace_room(&pace, "batch", B24_PACE_LIMIT,
                             now + 3 * B24_PACE_WINDOW)
               == B24_PACE_LIMIT);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                   len;
    unsigned                 i, orders, flags;
    b24_str_t                text, json, body;
    b24_pool_t              *pool;
    b24_node_t              *root;
    b24_batch_t              batches[ORDERS];
    b24_slice_t              slice;
    b24_answer_t             answer;
    const uint8_t           *end;
    const b24_slice_part_t  *part;

    if (size == 0) {
        return 0;
    }

    pool = b24_pool_create(1 << 24);
    b24_slice_init(&slice, pool);

    end = data + size;
    orders = *data++ % ORDERS + 1;

    for (i = 0; i < orders; i++) {
        flags = (data < end) ? *data++ : 0;
        len = (data < end) ? *data++ : 0;
        len = (len < (size_t) (end - data)) ? len : (size_t) (end - data);
        text.data = (u_char *) data;
        text.len = len;
        data += len;

        make_batch(&batches[i], pool, flags, &text);
        (void) b24_slice_add(&slice, &batches[i], i);
    }

    body.data = (u_char *) data;
    body.len = (size_t) (end - data);

    if (b24_slice_print(&slice, &json) == B24_OK
        && b24_json_parse(pool, &json, 0, &root) == B24_OK)
    {
        root = member(root, "cmd");

        for (part = slice.first; part; part = part->next) {
            check_sent(pool, root, part);
        }
    }

    if (b24_answer_parse(pool, B24_NET_OK, 200, &body, &answer) == B24_OK) {
        check_answer(pool, &slice, &answer, orders);
        check_pace(pool, &slice, &answer, &body);
    }

    b24_pool_destroy(pool);

    return 0;
}
