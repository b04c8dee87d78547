
/* What the shop says of an error, without what is secret or personal. */


#include "b24_call_int.h"
#include "b24_text.h"


#define B24_CALL_SAID     200       /* bytes of what the shop says */
#define B24_CALL_SECRET   4         /* bytes that can be told from any word */
#define B24_CALL_WORD     20        /* characters that no word has */
#define B24_CALL_DIGITS   7         /* a phone, a card */


static int b24_call_conceal(b24_call_run_t *run, b24_str_t *text);
static int b24_call_secret(b24_call_run_t *run, const b24_str_t *secret,
    b24_str_t *text);
static int b24_call_replace(b24_call_run_t *run, const b24_str_t *secret,
    b24_str_t *text);
static int b24_call_words(b24_call_run_t *run, b24_str_t *text);
static int b24_call_private(const b24_str_t *word);


/* where shops put what they have to say of an error */
static const char  *const b24_call_errors[] = {
    "message", "SYSTEM_ERROR", "ERROR", "error", "ERRORS", "errors",
    "error_description"
};


int
b24_call_said(b24_call_run_t *run, b24_eval_t *ev, b24_str_t *said)
{
    size_t             i;
    b24_is_e           is;
    b24_str_t          name, text;
    const b24_node_t  *node;

    memset(said, 0, sizeof(b24_str_t));

    is = b24_eval_response(ev);

    if (is != B24_IS_SET || ev->response.root == NULL
        || ev->response.root->type != B24_OBJECT)
    {
        return is == B24_IS_ERROR ? B24_ERROR : B24_OK;
    }

    for (i = 0; i < sizeof(b24_call_errors) / sizeof(char *); i++) {
        name.data = (u_char *) b24_call_errors[i];
        name.len = strlen(b24_call_errors[i]);

        node = b24_node_get(ev->response.root, &name);

        /* {"error":{"warning":"..."}}, {"ERRORS":["..."]} */

        if (node && (node->type == B24_OBJECT || node->type == B24_ARRAY)) {
            node = node->first;
        }

        if (node == NULL || node->type != B24_STRING || node->value.len == 0) {
            continue;
        }

        name = (b24_str_t) b24_null_string;

        if (b24_text_utf8(run->pool, &node->value, &name, &text) != B24_OK
            || b24_text_strip(run->pool, &text, &text) != B24_OK
            || b24_call_conceal(run, &text) != B24_OK)
        {
            return B24_ERROR;
        }

        b24_text_cut(&text, B24_CALL_SAID);
        *said = text;
        return B24_OK;
    }

    return B24_OK;
}


/* secrets first: what is left of a word could be one no more */
static int
b24_call_conceal(b24_call_run_t *run, b24_str_t *text)
{
    int          i, rc;
    b24_pair_t  *pair;

    rc = B24_OK;

    for (pair = run->values; rc == B24_OK && pair; pair = pair->next) {

        for (i = 0; i < B24_CALL_NVALUES; i++) {

            if (b24_str_eqs(&pair->name, b24_call_values[i].name)) {
                break;
            }
        }

        /* no token of a session is that short, a sign of an address may be */

        if (i == B24_CALL_PASSWORD || i == B24_CALL_BASIC || i == B24_CALL_KEY
            || (i == B24_CALL_NVALUES && pair->value.len >= B24_CALL_SECRET))
        {
            rc = b24_call_secret(run, &pair->value, text);
        }
    }

    return rc == B24_OK ? b24_call_words(run, text) : rc;
}


/* as it is, as the text was read (b24_text_strip()), as it stands in URLs */
static int
b24_call_secret(b24_call_run_t *run, const b24_str_t *secret, b24_str_t *text)
{
    int        rc;
    b24_buf_t  buf;
    b24_str_t  escaped, none, clean;

    memset(&none, 0, sizeof(b24_str_t));

    b24_buf_init(&buf, run->pool);
    b24_text_escape(&buf, secret);

    if (b24_buf_str(&buf, &escaped) != B24_OK
        || b24_text_utf8(run->pool, secret, &none, &clean) != B24_OK
        || b24_text_strip(run->pool, &clean, &clean) != B24_OK)
    {
        return B24_ERROR;
    }

    rc = b24_call_replace(run, secret, text);

    if (rc == B24_OK) {
        rc = b24_call_replace(run, &clean, text);
    }

    return rc == B24_OK ? b24_call_replace(run, &escaped, text) : rc;
}


/* a short one could be a part of any word: nothing is left of the text */
static int
b24_call_replace(b24_call_run_t *run, const b24_str_t *secret, b24_str_t *text)
{
    size_t     i;
    b24_buf_t  buf;
    b24_str_t  here;

    if (secret->len == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, run->pool);

    for (i = 0; i < text->len; /* void */ ) {
        here.data = text->data + i;
        here.len = secret->len;

        if (here.len > text->len - i || !b24_str_caseeq(&here, secret)) {
            b24_buf_addc(&buf, text->data[i++]);
            continue;
        }

        if (secret->len < B24_CALL_SECRET) {
            text->len = 0;
            return B24_OK;
        }

        b24_buf_adds(&buf, "(secret)");
        i += secret->len;
    }

    return b24_buf_str(&buf, text);
}


/* addresses, links, phones, tokens */
static int
b24_call_words(b24_call_run_t *run, b24_str_t *text)
{
    size_t     i;
    b24_buf_t  buf;
    b24_str_t  word;

    b24_buf_init(&buf, run->pool);

    for (i = 0; i < text->len; i++) {
        word.data = text->data + i;
        word.len = 0;

        while (i < text->len && !b24_isspace(text->data[i])) {
            word.len++;
            i++;
        }

        if (b24_call_private(&word)) {
            b24_buf_adds(&buf, "(hidden)");

        } else {
            b24_buf_addstr(&buf, &word);
        }

        if (i < text->len) {
            b24_buf_addc(&buf, ' ');
        }
    }

    return b24_buf_str(&buf, text);
}


static int
b24_call_private(const b24_str_t *word)
{
    u_char  c;
    size_t  i, run, digits;

    run = 0;
    digits = 0;

    for (i = 0; i < word->len; i++) {
        c = b24_tolower(word->data[i]);

        if (c == '@') {
            return 1;
        }

        digits += b24_isdigit(c) ? 1 : 0;

        if (b24_isdigit(c) || (c >= 'a' && c <= 'z')) {
            run++;

        } else {
            run = 0;
        }

        if (digits == B24_CALL_DIGITS || run == B24_CALL_WORD) {
            return 1;
        }
    }

    return b24_str_find(word, 0, "://") != -1;
}
