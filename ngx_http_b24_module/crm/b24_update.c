
/*
 * A later change of an order: what of total and goods its deal is to be given.
 * The shop's change counts; but what somebody has put there in the CRM is told
 * of.  So what a deal was given is kept, in a form in which it can be known
 * again: "1990.00 RUB", and for rows their number and a hash, "3:0123...".
 * While nobody knows whether the last of them has come, those before stand
 * behind it, "/" between them.
 */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_UPDATE_OWN    "-"       /* the total is what a line says */
#define B24_UPDATE_SENT   200       /* bytes of what is kept */
#define B24_UPDATE_PAGE   50        /* crm.item.productrow.list */
#define B24_UPDATE_PAGES  20
#define B24_UPDATE_CODE   16        /* bytes of a currency's */


static int b24_update_total(b24_pool_t *pool, const b24_str_t *total,
    const b24_str_t *currency, b24_str_t *text);
static int b24_update_code(const b24_str_t *currency);
static int b24_update_rows(b24_pool_t *pool, const b24_order_t *order,
    b24_crm_update_t *update);
static uint64_t b24_update_row(b24_pool_t *pool, const b24_str_t *name,
    const b24_decimal_t *price, const b24_decimal_t *quantity);
static int b24_update_token(b24_pool_t *pool, size_t n, uint64_t sum,
    b24_str_t *text);
static int b24_update_other_total(const b24_order_t *order,
    const b24_queue_seen_t *seen);
static int b24_update_sent(const b24_str_t *list, const b24_str_t *text);
static int b24_update_sent_total(const b24_str_t *list,
    const b24_str_t *amount, const b24_str_t *currency);
static int b24_update_next(const b24_str_t *list, size_t *at,
    b24_str_t *text);
static int b24_update_remember(b24_pool_t *pool, const b24_str_t *text,
    b24_str_t *list);
static unsigned b24_update_pages(const b24_crm_api_t *api,
    const b24_queue_seen_t *seen);
static const char *b24_update_name(b24_pool_t *pool, unsigned page);
static int b24_update_held(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_api_t *api, unsigned pages, b24_crm_update_t *update,
    b24_str_t *token, b24_verdict_t *verdict);
static int b24_update_held_page(b24_pool_t *pool, const b24_crm_api_t *api,
    const b24_node_t *list, b24_crm_update_t *update, uint64_t *sum);
static void b24_update_decimal(const b24_crm_api_t *api,
    const b24_node_t *row, const char *field, unsigned places,
    b24_decimal_t *d);
static void b24_update_decide(int opens, const b24_queue_seen_t *seen,
    const b24_str_t *held, b24_crm_update_t *update);


/* ---- what a deal is given ---- */

int
b24_crm_told(b24_pool_t *pool, const b24_order_t *order,
    b24_queue_seen_t *seen)
{
    b24_str_t         amount, currency;
    b24_str_t         own = b24_string(B24_UPDATE_OWN);
    b24_str_t         code = b24_string("CURRENCY_ID");
    b24_str_t         opportunity = b24_string("OPPORTUNITY");
    b24_crm_update_t  update;

    seen->total = order->had.total;
    seen->goods = order->had.goods;

    memset(&update, 0, sizeof(b24_crm_update_t));

    currency = order->fields[B24_ORDER_CURRENCY];

    if (b24_pair_get(order->deal, &code)) {
        currency.len = 0;
    }

    if (b24_order_amount(pool, &order->fields[B24_ORDER_TOTAL], &amount)
        != B24_OK
        || b24_update_total(pool, &amount, &currency, &seen->sent_total)
           != B24_OK
        || b24_update_rows(pool, order, &update) != B24_OK)
    {
        return B24_ERROR;
    }

    seen->sent_rows = update.sent_rows;

    if (b24_pair_get(order->deal, &opportunity)) {
        seen->sent_total = own;
    }

    return B24_OK;
}


static int
b24_update_total(b24_pool_t *pool, const b24_str_t *total,
    const b24_str_t *currency, b24_str_t *text)
{
    b24_buf_t  buf;

    memset(text, 0, sizeof(b24_str_t));

    if (total->len == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, total);

    if (b24_update_code(currency)) {
        b24_buf_addc(&buf, ' ');
        b24_buf_addstr(&buf, currency);
    }

    return b24_buf_str(&buf, text);
}


static int
b24_update_code(const b24_str_t *currency)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < currency->len; i++) {
        c = b24_tolower(currency->data[i]);

        if ((c < 'a' || c > 'z') && !b24_isdigit(c)) {
            return 0;
        }
    }

    return i && i <= B24_UPDATE_CODE;
}


static int
b24_update_rows(b24_pool_t *pool, const b24_order_t *order,
    b24_crm_update_t *update)
{
    size_t      i;
    uint64_t    sum;
    b24_row_t  *row;

    if (b24_crm_rows(pool, order, &update->list, &update->nlist,
                     &update->diff)
        != B24_OK)
    {
        return B24_ERROR;
    }

    sum = 0;

    for (i = 0; i < update->nlist; i++) {
        row = &update->list[i];
        sum += b24_update_row(pool, &row->name, &row->price, &row->quantity);
    }

    return b24_update_token(pool, update->nlist, sum, &update->sent_rows);
}


/* what of a row the portal keeps as it is sent; their order doesn't matter */

static uint64_t
b24_update_row(b24_pool_t *pool, const b24_str_t *name,
    const b24_decimal_t *price, const b24_decimal_t *quantity)
{
    char       number[B24_DECIMAL_LEN];
    size_t     len;
    uint64_t   h;
    b24_buf_t  buf;
    b24_str_t  text;

    b24_buf_init(&buf, pool);
    b24_neutralise(&buf, name);

    if (b24_buf_str(&buf, &text) != B24_OK) {
        text = *name;
    }

    b24_str_trim(&text);

    h = b24_hash(B24_HASH_START, text.data, text.len);

    len = b24_decimal_print(price, 2, number);
    h = b24_hash(b24_hash(h, "\xff", 1), number, len);

    len = b24_decimal_print(quantity, 0, number);

    return b24_hash(b24_hash(h, "\xff", 1), number, len);
}


static int
b24_update_token(b24_pool_t *pool, size_t n, uint64_t sum, b24_str_t *text)
{
    char       hex[17];
    b24_buf_t  buf;

    b24_hash_hex(sum, hex);

    b24_buf_init(&buf, pool);
    b24_buf_addi(&buf, (int64_t) n);
    b24_buf_addc(&buf, ':');
    b24_buf_adds(&buf, hex);

    return b24_buf_str(&buf, text);
}


/* ---- what has changed ---- */

int
b24_crm_update_begin(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_order_t *first,
    b24_queue_seen_t *seen, b24_crm_update_t *update)
{
    int               goods;
    b24_queue_seen_t  told;

    memset(update, 0, sizeof(b24_crm_update_t));

    if (set->update == B24_UPDATE_OFF || !order->read) {
        return B24_OK;
    }

    if (first && seen->sent_total.len == 0 && seen->sent_rows.len == 0) {
        memset(&told, 0, sizeof(b24_queue_seen_t));

        if (b24_crm_told(pool, first, &told) != B24_OK) {
            return B24_ERROR;
        }

        seen->sent_total = told.sent_total;
        seen->sent_rows = told.sent_rows;
    }

    update->amount = order->had.total;

    /* not where a line of the rules or the configuration has set it */

    if (b24_str_find(&seen->sent_total, 0, " ") >= 0
        && b24_update_code(&order->fields[B24_ORDER_CURRENCY]))
    {
        update->currency = order->fields[B24_ORDER_CURRENCY];
    }

    update->total = b24_update_other_total(order, seen) & 1;

    if (set->update == B24_UPDATE_ROWS && order->had.goods.len) {
        goods = seen->goods.len ? !b24_str_eq(&order->had.goods, &seen->goods)
                                : update->total;

        update->rows = goods && order->items;
        update->goodless = goods && order->items == NULL;
    }

    return b24_update_total(pool, &update->amount, &update->currency,
                            &update->sent_total);
}


static int
b24_update_other_total(const b24_order_t *order, const b24_queue_seen_t *seen)
{
    b24_str_t         none = b24_null_string;
    const b24_str_t  *total, *sent;

    total = &order->had.total;
    sent = &seen->sent_total;

    if (total->len == 0 || b24_str_eqs(sent, B24_UPDATE_OWN)) {
        return 0;
    }

    if (seen->total.len) {
        return !b24_str_eq(total, &seen->total);
    }

    return sent->len && !b24_update_sent_total(sent, total, &none);
}


/* one of those that a deal was given, or may have been */

static int
b24_update_sent(const b24_str_t *list, const b24_str_t *text)
{
    size_t     at;
    b24_str_t  one;

    at = 0;

    while (b24_update_next(list, &at, &one)) {

        if (b24_str_eq(&one, text)) {
            return 1;
        }
    }

    return 0;
}


/* a currency that isn't known on either side may be any */

static int
b24_update_sent_total(const b24_str_t *list, const b24_str_t *amount,
    const b24_str_t *currency)
{
    size_t     at;
    ssize_t    blank;
    b24_str_t  one, code;

    at = 0;

    while (b24_update_next(list, &at, &one)) {
        memset(&code, 0, sizeof(b24_str_t));

        blank = b24_str_find(&one, 0, " ");

        if (blank >= 0) {
            code.data = one.data + blank + 1;
            code.len = one.len - (size_t) blank - 1;
            one.len = (size_t) blank;
        }

        if (b24_str_eq(&one, amount)
            && (code.len == 0 || currency->len == 0
                || b24_str_eq(&code, currency)))
        {
            return 1;
        }
    }

    return 0;
}


static int
b24_update_next(const b24_str_t *list, size_t *at, b24_str_t *text)
{
    ssize_t  end;

    if (*at >= list->len) {
        return 0;
    }

    end = b24_str_find(list, *at, "/");

    if (end < 0) {
        end = (ssize_t) list->len;
    }

    text->data = list->data + *at;
    text->len = (size_t) end - *at;

    *at = (size_t) end + 1;

    return 1;
}


/* in front of the others, of which the oldest may go */

static int
b24_update_remember(b24_pool_t *pool, const b24_str_t *text, b24_str_t *list)
{
    size_t     at;
    b24_buf_t  buf;
    b24_str_t  one;

    if (text->len == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, text);

    at = 0;

    while (b24_update_next(list, &at, &one)) {

        if (!b24_str_eq(&one, text)
            && buf.len + one.len + 1 <= B24_UPDATE_SENT)
        {
            b24_buf_addc(&buf, '/');
            b24_buf_addstr(&buf, &one);
        }
    }

    return b24_buf_str(&buf, list);
}


/* ---- what the deal has ---- */

int
b24_crm_update_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    const b24_queue_seen_t *seen, const b24_crm_update_t *update)
{
    unsigned              page, pages;
    const char           *name;
    b24_command_t        *cmd;
    const b24_crm_api_t  *api;

    if (!update->rows) {
        return B24_OK;
    }

    api = b24_crm_api(set);
    pages = b24_update_pages(api, seen);

    for (page = 0; page < pages; page++) {
        name = b24_update_name(batch->pool, page);
        if (name == NULL) {
            return B24_ERROR;
        }

        cmd = b24_batch_add(batch, name, api->rows_get);

        if (!api->universal) {
            b24_command_int(batch, cmd, "id", known->deal);
            continue;
        }

        b24_command_chars(batch, cmd, "filter[=ownerType]", "D");
        b24_command_int(batch, cmd, "filter[=ownerId]", known->deal);
        b24_command_chars(batch, cmd, "order[id]", "ASC");
        b24_command_int(batch, cmd, "start", (int64_t) page * B24_UPDATE_PAGE);
    }

    b24_products_ask(batch, set, order, known);

    return batch->failed ? B24_ERROR : B24_OK;
}


/* one more than what we have sent needs: somebody may have added a row */

static unsigned
b24_update_pages(const b24_crm_api_t *api, const b24_queue_seen_t *seen)
{
    size_t    i;
    unsigned  n;

    if (!api->universal) {
        return 1;
    }

    n = 0;

    for (i = 0; i < seen->sent_rows.len && i < 6
                && b24_isdigit(seen->sent_rows.data[i]); i++)
    {
        n = n * 10 + (seen->sent_rows.data[i] - '0');
    }

    n = n / B24_UPDATE_PAGE + 1;

    return n < B24_UPDATE_PAGES ? n : B24_UPDATE_PAGES;
}


static const char *
b24_update_name(b24_pool_t *pool, unsigned page)
{
    char       text[16];
    int        n;
    b24_str_t  name;

    n = snprintf(text, sizeof(text), "rows%u", page);

    return b24_pstrdup(pool, &name, (u_char *) text, (size_t) n) == B24_OK
           ? (char *) name.data : NULL;
}


int
b24_crm_update_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, const b24_crm_deal_t *deal, int opens,
    b24_queue_seen_t *seen, b24_crm_update_t *update,
    b24_verdict_t *verdict)
{
    int                   rc;
    unsigned              pages;
    b24_str_t             held = b24_null_string;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);
    update->deal = *deal;

    if (b24_order_amount(pool, &deal->amount, &update->deal.amount) != B24_OK)
    {
        return B24_ERROR;
    }

    if (update->rows) {
        b24_crm_product_ids(set, order);

        pages = b24_update_pages(api, seen);

        rc = b24_update_held(pool, answer, api, pages, update, &held, verdict);

        if (rc == B24_OK) {
            rc = b24_products_read(pool, answer, set, order, known, verdict);
        }

        if (rc == B24_DECLINED) {
            b24_crm_again(api, known, verdict, B24_AGAIN_LOOKUP);
        }

        if (rc != B24_OK) {
            return rc == B24_ERROR ? B24_ERROR : B24_OK;
        }

        if (b24_update_rows(pool, order, update) != B24_OK) {
            return B24_ERROR;
        }

        /* what gives none, or more than the portal can count, deletes none */

        if (update->nlist == 0) {
            update->rows = 0;
            update->goodless = 1;
        }

        update->direct = b24_crm_rows_vars(update->list, update->nlist)
                         > B24_COMMAND_VARS;
    }

    b24_update_decide(opens, seen, &held, update);

    if ((update->set_total
         && b24_update_remember(pool, &update->sent_total, &seen->sent_total)
            != B24_OK)
        || (update->set_rows
            && b24_update_remember(pool, &update->sent_rows, &seen->sent_rows)
               != B24_OK))
    {
        return B24_ERROR;
    }

    return B24_OK;
}


/* the deal's rows as a token; B24_DECLINED: verdict tells */

static int
b24_update_held(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_api_t *api, unsigned pages, b24_crm_update_t *update,
    b24_str_t *token, b24_verdict_t *verdict)
{
    int          rc;
    unsigned     page;
    uint64_t     sum;
    const char  *name;
    b24_node_t  *list;

    sum = 0;

    update->nheld = 0;
    memset(&update->held, 0, sizeof(b24_decimal_t));

    for (page = 0; page < pages; page++) {
        name = b24_update_name(pool, page);
        if (name == NULL) {
            return B24_ERROR;
        }

        rc = b24_crm_list(pool, answer,
                          api->universal ? "productRows" : NULL, name, &list,
                          verdict);

        if (rc == B24_OK) {
            rc = b24_update_held_page(pool, api, list, update, &sum);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return b24_update_token(pool, update->nheld, sum, token);
}


static int
b24_update_held_page(b24_pool_t *pool, const b24_crm_api_t *api,
    const b24_node_t *list, b24_crm_update_t *update, uint64_t *sum)
{
    b24_str_t          name;
    b24_decimal_t      price, quantity, line;
    const b24_node_t  *row, *field;

    for (row = list->first; row; row = row->next) {
        field = b24_crm_field(api, row, "PRODUCT_NAME");

        if (field == NULL || b24_node_text(field, &name) != B24_OK) {
            name.data = NULL;
            name.len = 0;
        }

        b24_update_decimal(api, row, "PRICE", 2, &price);
        b24_update_decimal(api, row, "QUANTITY", 4, &quantity);

        *sum += b24_update_row(pool, &name, &price, &quantity);
        update->nheld++;

        if (b24_decimal_mul(&price, &quantity, &line) == B24_OK) {
            (void) b24_decimal_add(&update->held, &line, &update->held);
        }
    }

    return B24_OK;
}


static void
b24_update_decimal(const b24_crm_api_t *api, const b24_node_t *row,
    const char *field, unsigned places, b24_decimal_t *d)
{
    b24_str_t          text;
    const b24_node_t  *node;

    node = b24_crm_field(api, row, field);

    if (node == NULL || b24_node_text(node, &text) != B24_OK
        || b24_decimal_parse(&text, d) != B24_OK
        || b24_decimal_round(d, places) != B24_OK)
    {
        memset(d, 0, sizeof(b24_decimal_t));
    }
}


/* held: its rows */

static void
b24_update_decide(int opens, const b24_queue_seen_t *seen,
    const b24_str_t *held, b24_crm_update_t *update)
{
    int                    total, rows;
    const b24_crm_deal_t  *deal;

    deal = &update->deal;

    total = update->total
            && !(b24_str_eq(&deal->amount, &update->amount)
                 && (deal->currency.len == 0 || update->currency.len == 0
                     || b24_str_eq(&deal->currency, &update->currency)));

    rows = update->rows && !b24_str_eq(held, &update->sent_rows);

    update->left = deal->final && !opens && (total || rows);

    if (update->left) {
        return;
    }

    update->set_total = total & 1;
    update->set_rows = rows & 1;

    update->edited_total = total && deal->amount.len && seen->sent_total.len
                           && !b24_update_sent_total(&seen->sent_total,
                                                     &deal->amount,
                                                     &deal->currency);

    update->edited_rows = rows && seen->sent_rows.len
                          && !b24_update_sent(&seen->sent_rows, held);
}
