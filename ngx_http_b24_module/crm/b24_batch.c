
/*
 * Batch commands.  Bitrix24 percent-decodes a command's query and then expands
 * "$result[...]" in every value it finds, so a buyer's text must be defused
 * before it is encoded; our own references go in by a function of their own.
 */


#include <stdio.h>

#include "b24_batch.h"
#include "b24_text.h"


#define B24_COMMAND_FIELD  64       /* a key of ours with a field's name */


static void b24_command_key(b24_batch_t *batch, b24_command_t *cmd,
    const char *key);
static void b24_query_key(b24_buf_t *query, const char *key);
static int b24_command_clean(b24_batch_t *batch, const b24_str_t *value,
    b24_str_t *text);
static void b24_command_many(b24_batch_t *batch, b24_command_t *cmd,
    const char *field, const char *items);
static void b24_command_rest(b24_command_t *cmd, const char *key,
    const char *value);
static size_t b24_reference_word(const u_char *p, const u_char *end);
static size_t b24_match_word(const u_char *p, const u_char *end,
    const char *word);
static int b24_batch_readable(b24_batch_t *batch, const b24_str_t *json);


/* what the server expands after a "$" */
static const char  *b24_reference_words[] = {
    "result",
    "next",
    "total",
    "time",
    "error",
    NULL
};


void
b24_batch_init(b24_batch_t *batch, b24_pool_t *pool, int halt)
{
    memset(batch, 0, sizeof(b24_batch_t));

    batch->pool = pool;
    batch->halt = halt ? 1 : 0;
}


b24_command_t *
b24_batch_add(b24_batch_t *batch, const char *name, const char *method)
{
    b24_command_t  *cmd;

    cmd = NULL;

    if (batch->count < B24_BATCH_MAX) {
        cmd = b24_pcalloc(batch->pool, sizeof(b24_command_t));
    }

    if (cmd == NULL) {
        batch->failed = 1;

        cmd = &batch->spare;
        memset(cmd, 0, sizeof(b24_command_t));
        b24_buf_init(&cmd->query, batch->pool);
        cmd->query.failed = 1;

        return cmd;
    }

    cmd->name = name;
    cmd->method = method;
    b24_buf_init(&cmd->query, batch->pool);

    if (batch->last) {
        batch->last->next = cmd;

    } else {
        batch->first = cmd;
    }

    batch->last = cmd;
    batch->count++;

    return cmd;
}


/* "key=", with the brackets PHP nests by left as they are */

static void
b24_command_key(b24_batch_t *batch, b24_command_t *cmd, const char *key)
{
    if (++cmd->nvars > B24_COMMAND_VARS) {
        /* PHP would drop the rest without a word */
        batch->failed = 1;
    }

    b24_query_key(&cmd->query, key);
}


static void
b24_query_key(b24_buf_t *query, const char *key)
{
    b24_str_t    s;
    const char  *p;

    if (query->len) {
        b24_buf_addc(query, '&');
    }

    for (p = key; *p; p++) {

        if (*p == '[' || *p == ']') {
            b24_buf_addc(query, (u_char) *p);
            continue;
        }

        s.data = (u_char *) p;
        s.len = 1;
        b24_text_escape(query, &s);
    }

    b24_buf_addc(query, '=');
}


void
b24_command_text(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    const b24_str_t *value)
{
    b24_str_t  text;

    b24_command_key(batch, cmd, key);

    if (value->len && b24_command_clean(batch, value, &text) == B24_OK) {
        b24_text_escape(&cmd->query, &text);
    }
}


static int
b24_command_clean(b24_batch_t *batch, const b24_str_t *value, b24_str_t *text)
{
    b24_buf_t  buf;
    b24_str_t  none = b24_null_string;

    /*
     * Made valid first: dropping a control character afterwards could join a
     * "$" with the word behind it.
     */

    if (b24_text_utf8(batch->pool, value, &none, text) != B24_OK) {
        batch->failed = 1;
        return B24_ERROR;
    }

    b24_buf_init(&buf, batch->pool);
    b24_neutralise(&buf, text);

    if (b24_buf_str(&buf, text) != B24_OK) {
        batch->failed = 1;
        return B24_ERROR;
    }

    return B24_OK;
}


void
b24_command_chars(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    const char *value)
{
    b24_str_t  s;

    s.data = (u_char *) value;
    s.len = strlen(value);

    b24_command_text(batch, cmd, key, &s);
}


void
b24_command_int(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    int64_t value)
{
    b24_command_key(batch, cmd, key);
    b24_buf_addi(&cmd->query, value);
}


void
b24_command_value(b24_batch_t *batch, b24_command_t *cmd, const char *field,
    const char *items, const b24_str_t *value)
{
    char         key[B24_COMMAND_FIELD];
    b24_many_t  *many;

    many = &cmd->many;
    many->at = cmd->query.len;

    (void) snprintf(key, sizeof(key), "filter[=%s]", field);
    b24_command_text(batch, cmd, key, value);

    many->len = cmd->query.len - many->at;

    if (b24_command_clean(batch, value, &many->value) == B24_OK
        && many->value.len)
    {
        many->kind = B24_MANY_LIST;
        many->method = cmd->method;
        b24_command_many(batch, cmd, field, items);
    }
}


void
b24_command_record(b24_batch_t *batch, b24_command_t *cmd, int64_t id,
    const char *method, const char *field, const char *items)
{
    char         key[B24_COMMAND_FIELD];
    b24_buf_t    buf;
    b24_many_t  *many;

    many = &cmd->many;
    many->at = cmd->query.len;

    b24_command_int(batch, cmd, "id", id);

    many->len = cmd->query.len - many->at;

    b24_buf_init(&buf, batch->pool);
    b24_buf_addi(&buf, id);

    if (b24_buf_str(&buf, &many->value) != B24_OK) {
        batch->failed = 1;
        return;
    }

    many->kind = B24_MANY_GET;
    many->method = method;
    b24_command_many(batch, cmd, field, items);

    (void) snprintf(key, sizeof(key), "order[%s]", field);
    b24_command_rest(cmd, key, "ASC");
    b24_command_rest(cmd, "start", "-1");
}


/* not the "&" before the parameter: it stays */

static void
b24_command_many(b24_batch_t *batch, b24_command_t *cmd, const char *field,
    const char *items)
{
    b24_many_t  *many;

    many = &cmd->many;
    many->field = field;
    many->items = items;
    b24_buf_init(&many->rest, batch->pool);

    if (many->at) {
        many->at++;
        many->len--;
    }
}


void
b24_command_select(b24_batch_t *batch, b24_command_t *cmd, const char *name)
{
    char  key[B24_COMMAND_FIELD];

    if (cmd->many.kind == B24_MANY_NO) {
        batch->failed = 1;
        return;
    }

    (void) snprintf(key, sizeof(key), "select[%u]", cmd->many.nselect++);
    b24_command_rest(cmd, key, name);
}


static void
b24_command_rest(b24_command_t *cmd, const char *key, const char *value)
{
    b24_str_t  s;

    s.data = (u_char *) value;
    s.len = strlen(value);

    cmd->many.nrest++;
    b24_query_key(&cmd->many.rest, key);
    b24_text_escape(&cmd->many.rest, &s);
}


void
b24_command_ref(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    const char *ref)
{
    b24_str_t  s;

    /*
     * With halt:0 a reference to a command that failed becomes the map of all
     * results, which classic methods cast to the id 1.
     */

    if (!batch->halt) {
        batch->failed = 1;
    }

    s.data = (u_char *) ref;
    s.len = strlen(ref);

    b24_command_key(batch, cmd, key);
    b24_text_escape(&cmd->query, &s);
}


void
b24_neutralise(b24_buf_t *out, const b24_str_t *text)
{
    const u_char  *p, *last, *end;

    last = text->data;
    end = text->data + text->len;

    for (p = text->data; p < end; p++) {

        if (*p != '$' || b24_reference_word(p + 1, end) == 0) {
            continue;
        }

        b24_buf_add(out, last, (size_t) (p - last));
        b24_buf_adds(out, "\xEF\xBC\x84");
        last = p + 1;
    }

    b24_buf_add(out, last, (size_t) (end - last));
}


static size_t
b24_reference_word(const u_char *p, const u_char *end)
{
    size_t        len;
    const char  **word;

    for (word = b24_reference_words; *word; word++) {
        len = b24_match_word(p, end, *word);

        if (len) {
            return len;
        }
    }

    return 0;
}


static size_t
b24_match_word(const u_char *p, const u_char *end, const char *word)
{
    const u_char  *start;

    start = p;

    for (/* void */; *word; word++) {

        if (p == end) {
            return 0;
        }

        if (b24_tolower(*p) == (u_char) *word) {
            p++;
            continue;
        }

        if (*word == 's' && end - p >= 2 && p[0] == 0xC5 && p[1] == 0xBF) {
            p += 2;
            continue;
        }

        return 0;
    }

    return (size_t) (p - start);
}


int
b24_batch_print(b24_batch_t *batch, b24_str_t *json)
{
    b24_buf_t       out, line;
    b24_str_t       s;
    b24_command_t  *cmd;

    if (batch->failed) {
        return B24_ERROR;
    }

    b24_buf_init(&out, batch->pool);
    b24_buf_adds(&out, batch->halt ? "{\"halt\":1,\"cmd\":{"
                                   : "{\"halt\":0,\"cmd\":{");

    for (cmd = batch->first; cmd; cmd = cmd->next) {

        if (cmd != batch->first) {
            b24_buf_addc(&out, ',');
        }

        s.data = (u_char *) cmd->name;
        s.len = strlen(cmd->name);
        b24_json_string(&out, &s);
        b24_buf_addc(&out, ':');

        b24_buf_init(&line, batch->pool);
        b24_buf_adds(&line, cmd->method);
        b24_buf_addc(&line, '?');

        if (b24_buf_str(&cmd->query, &s) != B24_OK) {
            return B24_ERROR;
        }

        b24_buf_addstr(&line, &s);

        if (b24_buf_str(&line, &s) != B24_OK) {
            return B24_ERROR;
        }

        b24_json_string(&out, &s);
    }

    b24_buf_adds(&out, "}}");

    if (b24_buf_str(&out, json) != B24_OK) {
        return B24_ERROR;
    }

    return b24_batch_readable(batch, json);
}


/*
 * The server takes a body it can't parse for a call without parameters, and a
 * deal added without parameters is an empty deal.
 */

static int
b24_batch_readable(b24_batch_t *batch, const b24_str_t *json)
{
    b24_str_t    name = b24_string("cmd");
    b24_node_t  *root, *cmd;

    if (b24_json_parse(batch->pool, json, 0, &root) != B24_OK) {
        return B24_ERROR;
    }

    cmd = b24_node_get(root, &name);

    if (cmd == NULL || cmd->type != B24_OBJECT || cmd->count != batch->count) {
        return B24_ERROR;
    }

    return B24_OK;
}
