
/*
 * What the portal says of the webhook: whether it is alive, which permissions
 * it has, and which currencies there are.  A portal that does not answer one of
 * these is no worse for that.
 */


#include "b24_crm_int.h"


static int b24_self_scope(const b24_node_t *list, b24_book_t *book);
static int b24_self_currencies(b24_pool_t *pool, const b24_node_t *list,
    b24_book_t *book);


void
b24_self_ask(b24_batch_t *batch, const b24_book_t *book)
{
    if (!book->want_self || book->self_asked
        || batch->count + 3 > B24_BATCH_MAX)
    {
        return;
    }

    (void) b24_batch_add(batch, "who", "profile");
    (void) b24_batch_add(batch, "may", "scope");
    (void) b24_batch_add(batch, "money", "crm.currency.list");
}


int
b24_self_read(b24_pool_t *pool, const b24_answer_t *answer, b24_book_t *book)
{
    b24_node_t     *node;
    b24_verdict_t   v;

    if (!book->want_self || book->self_asked) {
        return B24_OK;
    }

    book->self_asked = 1;

    if (b24_answer_command(pool, answer, "may", &node, &v) == B24_CMD_DONE) {
        book->scope_known = b24_self_scope(node, book) ? 1 : 0;
    }

    if (b24_answer_command(pool, answer, "money", &node, &v) == B24_CMD_DONE) {
        return b24_self_currencies(pool, node, book);
    }

    return B24_OK;
}


/* ["crm","catalog"] */

static int
b24_self_scope(const b24_node_t *list, b24_book_t *book)
{
    const b24_node_t  *node;

    if (list->type != B24_ARRAY && list->type != B24_OBJECT) {
        return 0;
    }

    for (node = list->first; node; node = node->next) {

        if (node->type != B24_STRING) {
            return 0;
        }

        if (b24_str_eqs(&node->value, "crm")) {
            book->scope_crm = 1;
        }

        if (b24_str_eqs(&node->value, "catalog")) {
            book->scope_catalog = 1;
        }
    }

    return 1;
}


/* [{"CURRENCY":"RUB",...},...] */

static int
b24_self_currencies(b24_pool_t *pool, const b24_node_t *list, b24_book_t *book)
{
    size_t             n;
    b24_str_t          text, *codes, key = b24_string("CURRENCY");
    const b24_node_t  *row, *field;

    if (list->type != B24_ARRAY && list->type != B24_OBJECT) {
        return B24_OK;
    }

    codes = b24_pcalloc(pool, (list->count + 1) * sizeof(b24_str_t));
    if (codes == NULL) {
        return B24_ERROR;
    }

    for (row = list->first, n = 0; row; row = row->next) {

        field = (row->type == B24_OBJECT) ? b24_node_get(row, &key) : NULL;

        if (field == NULL || b24_node_text(field, &text) != B24_OK) {
            return B24_OK;
        }

        if (b24_pstrdup(pool, &codes[n++], text.data, text.len) != B24_OK) {
            return B24_ERROR;
        }
    }

    book->currencies = codes;
    book->ncurrencies = n;

    return B24_OK;
}


int
b24_book_currency(const b24_book_t *book, const b24_str_t *code)
{
    size_t  i;

    for (i = 0; i < book->ncurrencies; i++) {

        if (b24_str_eq(&book->currencies[i], code)) {
            return 1;
        }
    }

    return book->ncurrencies == 0;
}
