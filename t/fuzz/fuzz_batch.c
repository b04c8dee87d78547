
/*
 * The batch encoder, there and back: what the server decodes of a batch is what
 * was meant, parameter by parameter, and holds no reference but ours.
 *
 * Aims at: crm/b24_batch.c
 */


#include "fuzz.h"
#include "b24_batch.h"
#include "b24_text.h"
#include "reference.h"


#define MEANT  64


typedef struct {
    const char  *path[3];           /* as PHP nests it */
    b24_str_t    value;
    unsigned     ref:1;
    unsigned     last:1;            /* nothing after it has the same key */
} meant_t;


static const char *const  methods[] = {
    "crm.deal.add", "crm.deal.list", "crm.item.add", "crm.contact.update"
};

/* keys as they are written here, and as the server nests them */
static const struct {
    const char  *key;
    const char  *path[3];
} keys[] = {
    { "fields[TITLE]",               { "fields", "TITLE", NULL } },
    { "fields[PHONE][0][VALUE]",     { "fields", "PHONE", NULL } },
    { "filter[=ORIGIN_ID]",          { "filter", "=ORIGIN_ID", NULL } },
    { "filter[>=ID]",                { "filter", ">=ID", NULL } },
    { "fields[UF_CRM_1]",            { "fields", "UF_CRM_1", NULL } },
    { "id",                          { "id", NULL, NULL } },
    { "fields[a&b=c]",               { "fields", "a&b=c", NULL } }
};

/* what text is made of: everything that a server may take for something else */
static const char *const  pieces[] = {
    "$", "$result[c]", "$RESULT", "result", "next", "total", "time", "error",
    "e", "r", "[", "]", "&", "=", "%", "%24", "+", "?", "#", "\"", "\\", "{",
    "}", " ", "\r\n", "\x01", "\xef\xbc\x84", "\xc5\xbf", "re\xc5\xbfult",
    "\xd0\x98", "\xd0", "\xff", "\xf0\x9f\x8c\xb7", "$$", "TiMe", "\\u0024",
    "<", "result_error", "$nex", "t"
};


/* U+FF04 back to "$": texts that differ in nothing else are the same */
static b24_str_t
dollars(b24_pool_t *pool, const b24_str_t *s)
{
    size_t     i;
    b24_buf_t  buf;
    b24_str_t  out;

    b24_buf_init(&buf, pool);

    for (i = 0; i < s->len; i++) {

        if (s->len - i >= 3 && memcmp(s->data + i, "\xEF\xBC\x84", 3) == 0) {
            b24_buf_addc(&buf, '$');
            i += 2;

        } else {
            b24_buf_addc(&buf, s->data[i]);
        }
    }

    ABORT_UNLESS(b24_buf_str(&buf, &out) == B24_OK);

    return out;
}


static b24_str_t
text(fuzz_t *f)
{
    b24_str_t  s, none = b24_null_string;

    s = fuzz_byte(f) & 1
        ? fuzz_str(f)
        : fuzz_pieces(f, pieces, sizeof(pieces) / sizeof(pieces[0]), 12);

    /* the portal gets clean text, whatever it was made of */
    ABORT_UNLESS(b24_text_utf8(f->pool, &s, &none, &s) == B24_OK);

    return s;
}


/* one parameter, by each of the functions there are */
static void
add(fuzz_t *f, b24_batch_t *batch, b24_command_t *cmd, meant_t *m)
{
    char       *chars;
    unsigned    k;
    b24_buf_t   buf;
    int64_t     n;

    k = fuzz_below(f, sizeof(keys) / sizeof(keys[0]));
    memcpy(m->path, keys[k].path, sizeof(m->path));
    m->ref = 0;
    m->last = 1;

    switch (fuzz_below(f, 4)) {

    case 0:
        n = fuzz_int(f);
        b24_command_int(batch, cmd, keys[k].key, n);

        b24_buf_init(&buf, f->pool);
        b24_buf_addi(&buf, n);
        ABORT_UNLESS(b24_buf_str(&buf, &m->value) == B24_OK);
        return;

    case 1:

        if (batch->halt) {
            m->ref = 1;
            m->value.data = (u_char *) "$result[c0][ID]";
            m->value.len = sizeof("$result[c0][ID]") - 1;
            b24_command_ref(batch, cmd, keys[k].key, "$result[c0][ID]");
            return;
        }

        /* fall through */

    case 2:
        m->value = text(f);
        b24_command_text(batch, cmd, keys[k].key, &m->value);
        return;

    default:
        m->value = text(f);
        chars = (char *) b24_pnalloc(f->pool, m->value.len + 1);
        ABORT_UNLESS(chars != NULL);
        memcpy(chars, m->value.data, m->value.len);
        chars[m->value.len] = '\0';
        b24_command_chars(batch, cmd, keys[k].key, chars);
        return;
    }
}


static const b24_node_t *
at(const b24_node_t *node, const meant_t *m)
{
    int        i;
    b24_str_t  key;

    for (i = 0; node && i < 3 && m->path[i]; i++) {
        key.data = (u_char *) m->path[i];
        key.len = strlen(m->path[i]);
        node = b24_node_get(node, &key);
    }

    /* PHONE[0][VALUE] */

    while (node && node->type == B24_OBJECT && node->count == 1) {
        node = node->first;
    }

    return node;
}


static int
same_path(const meant_t *a, const meant_t *b)
{
    return a->path[0] == b->path[0] && a->path[1] == b->path[1];
}


static void
check_command(b24_pool_t *pool, const b24_node_t *line, const char *method,
    const meant_t *meant, size_t n)
{
    size_t             i, len;
    b24_str_t          query, want, got;
    b24_node_t        *root;
    const b24_node_t  *node;

    len = strlen(method);

    ABORT_UNLESS(line && line->type == B24_STRING && line->value.len > len);
    ABORT_UNLESS(memcmp(line->value.data, method, len) == 0);
    ABORT_UNLESS(line->value.data[len] == '?');

    query.data = line->value.data + len + 1;
    query.len = line->value.len - len - 1;

    /* nothing in it has to be escaped again, in JSON or in a URL */

    for (i = 0; i < query.len; i++) {
        ABORT_UNLESS(query.data[i] > ' ' && query.data[i] < 0x7f
                     && query.data[i] != '"' && query.data[i] != '\\'
                     && query.data[i] != '$' && query.data[i] != '#');
    }

    if (b24_form_parse(pool, &query, &root) != B24_OK) {
        ABORT_UNLESS(n == 0 || query.len > 4096);
        return;
    }

    for (i = 0; i < n; i++) {

        if (!meant[i].last) {
            continue;
        }

        node = at(root, &meant[i]);
        ABORT_UNLESS(node != NULL);
        ABORT_UNLESS(node->type == B24_STRING);

        if (meant[i].ref) {
            ABORT_UNLESS(b24_str_eq(&node->value, &meant[i].value));
            continue;
        }

        ABORT_UNLESS(!has_reference(&node->value));

        want = dollars(pool, &meant[i].value);
        got = dollars(pool, &node->value);
        ABORT_UNLESS(b24_str_eq(&want, &got));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t            f;
    size_t            n, i, ncmds, from[8], to[8];
    char              names[8][4];
    const char       *used[8];
    meant_t           meant[MEANT];
    b24_str_t         json;
    b24_batch_t       batch;
    b24_node_t       *root, *cmds;
    b24_command_t    *cmd;

    fuzz_init(&f, data, size);
    b24_batch_init(&batch, f.pool, (int) fuzz_below(&f, 2));

    n = 0;

    for (ncmds = 0; ncmds < 8 && (ncmds == 0 || fuzz_more(&f)); ncmds++) {
        snprintf(names[ncmds], sizeof(names[ncmds]), "c%zu", ncmds);
        used[ncmds] = methods[fuzz_below(&f, 4)];
        cmd = b24_batch_add(&batch, names[ncmds], used[ncmds]);

        from[ncmds] = n;

        for (i = fuzz_below(&f, 8); i && n < MEANT; i--) {
            add(&f, &batch, cmd, &meant[n++]);
        }

        to[ncmds] = n;
    }

    for (i = 0; i < ncmds; i++) {

        for (n = from[i]; n < to[i]; n++) {
            size_t  k;

            for (k = n + 1; k < to[i]; k++) {
                meant[n].last &= !same_path(&meant[n], &meant[k]);
            }
        }
    }

    ABORT_UNLESS(b24_batch_print(&batch, &json) == B24_OK);
    ABORT_UNLESS(b24_json_parse(f.pool, &json, 0, &root) == B24_OK);

    cmds = b24_member(root, "cmd");
    ABORT_UNLESS(cmds && cmds->count == ncmds && root->count == 2);

    for (i = 0; i < ncmds; i++) {
        check_command(f.pool, b24_member(cmds, names[i]), used[i],
                      meant + from[i], to[i] - from[i]);
    }

    b24_pool_destroy(f.pool);

    return 0;
}
