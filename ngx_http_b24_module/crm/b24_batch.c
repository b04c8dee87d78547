
/*
 * Batch commands.  Bitrix24 percent-decodes a command's query and then expands
 * "$result[...]" in every value it finds, so a buyer's text must be defused
 * before it is encoded; our own references go in by a function of their own.
 */


#include "b24_batch.h"
#include "b24_text.h"


static void b24_command_key(b24_batch_t *batch, b24_command_t *cmd,
    const char *key);
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
    b24_str_t    s;
    const char  *p;

    if (++cmd->nvars > B24_COMMAND_VARS) {
        /* PHP would drop the rest without a word */
        batch->failed = 1;
    }

    if (cmd->query.len) {
        b24_buf_addc(&cmd->query, '&');
    }

    for (p = key; *p; p++) {

        if (*p == '[' || *p == ']') {
            b24_buf_addc(&cmd->query, (u_char) *p);
            continue;
        }

        s.data = (u_char *) p;
        s.len = 1;
        b24_text_escape(&cmd->query, &s);
    }

    b24_buf_addc(&cmd->query, '=');
}


void
b24_command_text(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    const b24_str_t *value)
{
    b24_buf_t  buf;
    b24_str_t  text, none = b24_null_string;

    b24_command_key(batch, cmd, key);

    if (value->len == 0) {
        return;
    }

    /*
     * Made valid first: dropping a control character afterwards could join a
     * "$" with the word behind it.
     */

    if (b24_text_utf8(batch->pool, value, &none, &text) != B24_OK) {
        batch->failed = 1;
        return;
    }

    b24_buf_init(&buf, batch->pool);
    b24_neutralise(&buf, &text);

    if (b24_buf_str(&buf, &text) != B24_OK) {
        batch->failed = 1;
        return;
    }

    b24_text_escape(&cmd->query, &text);
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
