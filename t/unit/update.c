
/* A later change of an order: what its deal was given, what is new, what stands
 * in the deal, what is written and said. */


#include <stdlib.h>

#include "tap.h"
#include "b24_crm.h"


static b24_pool_t  *pool;


/* an order as the shop's database has it: "NAME PRICE QUANTITY; ..." */
static b24_order_t *
order(const char *total, const char *delivery, const char *goods)
{
    char         *line, *copy, *end, *part;
    b24_item_t   *item;
    b24_order_t  *o;

    o = b24_order_create(pool);

    o->read = 1;
    o->fields[B24_ORDER_TOTAL] = str(total);
    o->fields[B24_ORDER_CURRENCY] = str("RUB");
    o->fields[B24_ORDER_DELIVERY] = str(delivery);

    copy = b24_pnalloc(pool, strlen(goods) + 1);
    strcpy(copy, goods);

    for (line = strtok_r(copy, ";", &end); line; line = strtok_r(NULL, ";", &end)) {
        item = b24_order_add_item(pool, o);

        item->fields[B24_ITEM_NAME] = str(strtok_r(line, " ", &part));
        item->fields[B24_ITEM_PRICE] = str(strtok_r(NULL, " ", &part));
        item->fields[B24_ITEM_QUANTITY] = str(strtok_r(NULL, " ", &part));
    }

    (void) b24_order_had(pool, o, goods[0] != '\0', &o->had);

    return o;
}


static void
test_had(void)
{
    b24_order_t      *a, *b, *parsed;
    b24_str_t         text, none = b24_null_string;
    b24_order_had_t   had;

    a = order("1990", "400", "Mug 795 2;Cup 10 1");
    b = order("1990.004", "400", "Cup 10 1;Mug 795 2");

    is_str(&a->had.total, "1990.00", "a total with two places");
    is_str(&b->had.total, "1990.00", "rounded");
    is_int((int) a->had.goods.len, 16, "goods as a hash");
    is_str(&a->had.buyer, "", "no buyer");

    b->fields[B24_ORDER_TOTAL] = str("1990");
    (void) b24_order_had(pool, b, 1, &b->had);
    ok(b24_str_eq(&a->had.goods, &b->had.goods), "in any order");

    b->fields[B24_ORDER_DELIVERY] = str("401");
    (void) b24_order_had(pool, b, 1, &b->had);
    ok(!b24_str_eq(&a->had.goods, &b->had.goods), "amounts make rows, too");

    b = order("1990", "400", "Mug 795 2;Cup 10 2");
    ok(!b24_str_eq(&a->had.goods, &b->had.goods), "another quantity");
    b = order("1990", "400", "Mug 79 52;Cup 10 1");
    ok(!b24_str_eq(&a->had.goods, &b->had.goods), "columns are apart");

    (void) b24_order_had(pool, b, 0, &had);
    is_str(&had.goods, "", "goods that were not asked for");

    b->fields[B24_ORDER_TOTAL] = str("free");
    b->fields[B24_ORDER_PHONE] = str("+79161234567");
    (void) b24_order_had(pool, b, 0, &had);
    is_str(&had.total, "", "no number is no total");
    is_int((int) had.buyer.len, 16, "a buyer as a hash");

    b->had = had;
    b->fields[B24_ORDER_PHONE] = none;
    b->fields[B24_ORDER_EMAIL] = str("+79161234567");
    (void) b24_order_had(pool, b, 0, &had);
    ok(!b24_str_eq(&b->had.buyer, &had.buyer), "in another field");

    if (b24_order_print(pool, a, &text) != B24_OK || b24_order_parse(pool, &text, &parsed) != B24_OK) {
        ok(0, "printed and parsed");
        return;
    }

    ok(b24_str_eq(&a->had.total, &parsed->had.total) && b24_str_eq(&a->had.goods, &parsed->had.goods) && parsed->had.buyer.len == 0, "in the document");
}


static void
told_is(b24_order_t *o, const char *total, const char *sent, const char *rows, const char *name)
{
    b24_str_t         n;
    b24_queue_seen_t  seen;

    memset(&seen, 0, sizeof(seen));

    is_int(b24_crm_told(pool, o, &seen), B24_OK, name);
    is_str(&seen.total, total, "the shop's total");
    is_str(&seen.sent_total, sent, "what was sent");

    n = seen.sent_rows;
    n.len = strcspn((char *) n.data, ":");
    is_str(&n, rows, "number of rows");
}


static void
test_told(void)
{
    b24_order_t  *o, *p;
    b24_queue_seen_t  a, b;

    o = order("1990", "400", "Mug 795 2");
    told_is(o, "1990.00", "1990.00 RUB", "2", "an order");

    o->fields[B24_ORDER_TOTAL] = str("2000.5");
    told_is(o, "1990.00", "2000.50 RUB", "3", "that was captured with another total");

    o->fields[B24_ORDER_CURRENCY] = str("a|b/c");
    told_is(o, "1990.00", "2000.50", "3", "a currency that can't be one");

    o->fields[B24_ORDER_CURRENCY] = str("RUB");
    o->deal = b24_pcalloc(pool, sizeof(b24_pair_t));
    o->deal->name = str("CURRENCY_ID");
    o->deal->value = str("USD");
    told_is(o, "1990.00", "2000.50", "3", "a line that sets the currency");

    o->deal->name = str("OPPORTUNITY");
    told_is(o, "1990.00", "-", "3", "a line that sets the total");

    o = order("", "", "");
    told_is(o, "", "", "0", "an order without anything");

    /* the portal keeps names neutralised */
    o = order("10", "", "$result[c] 10 1");
    p = order("10", "", "\xEF\xBC\x84result[c] 10.00 1.0");
    (void) b24_crm_told(pool, o, &a);
    (void) b24_crm_told(pool, p, &b);
    ok(b24_str_eq(&a.sent_rows, &b.sent_rows), "a row as the portal keeps it");
}


#define RUB  "1990.00 RUB"

/* what is new: "total rows goodless" */
static void
new_is(b24_update_e mode, b24_order_t *o, b24_order_t *first, const char *total, const char *sent, const char *goods, const char *want, const char *name)
{
    char                text[64];
    b24_str_t           got;
    b24_queue_seen_t    seen;
    b24_crm_update_t    update;
    b24_crm_settings_t  set;

    memset(&set, 0, sizeof(set));
    memset(&seen, 0, sizeof(seen));

    set.update = mode;
    seen.total = str(total);
    seen.sent_total = str(sent);
    seen.goods = str(goods);

    is_int(b24_crm_update_begin(pool, &set, o, first, &seen, &update), B24_OK, name);

    snprintf(text, sizeof(text), "%s%s%s", update.total ? "total " : "", update.rows ? "rows " : "", update.goodless ? "goodless " : "");
    got = str(text);
    is_str(&got, want, "what is new");
}


static void
test_new(void)
{
    b24_order_t  *o, *first;
    const char   *goods;

    o = order("4280", "400", "Mug 1940 2");
    first = order("1990", "400", "Mug 795 2");
    memset(&first->had, 0, sizeof(first->had));
    goods = (char *) o->had.goods.data;

    new_is(B24_UPDATE_TOTAL, o, NULL, "1990.00", RUB, "", "total ", "another total");
    new_is(B24_UPDATE_TOTAL, o, NULL, "4280.00", RUB, "", "", "the shop's was the same, whatever was sent");
    new_is(B24_UPDATE_TOTAL, o, first, "", "", "", "total ", "the first event tells");
    new_is(B24_UPDATE_TOTAL, o, NULL, "", "", "", "", "nothing tells");
    new_is(B24_UPDATE_TOTAL, o, NULL, "", "4280.00 RUB", "", "", "what was sent is the shop's");
    new_is(B24_UPDATE_TOTAL, o, NULL, "", "4280.00", "", "", "of any currency");
    new_is(B24_UPDATE_TOTAL, o, NULL, "1990.00", "-", "", "", "a total of a line's own");
    new_is(B24_UPDATE_OFF, o, first, "1990.00", RUB, "x", "", "off");
    new_is(B24_UPDATE_ROWS, o, NULL, "1990.00", RUB, "x", "total rows ", "rows");
    new_is(B24_UPDATE_ROWS, o, NULL, "4280.00", RUB, "x", "rows ", "goods alone");
    new_is(B24_UPDATE_ROWS, o, NULL, "1990.00", RUB, goods, "total ", "the total alone");
    new_is(B24_UPDATE_ROWS, o, NULL, "1990.00", RUB, "", "total rows ", "goods that nobody knows, with the total");
    new_is(B24_UPDATE_ROWS, o, NULL, "4280.00", RUB, "", "", "and without");

    o->items = NULL;
    new_is(B24_UPDATE_ROWS, o, NULL, "4280.00", RUB, "x", "goodless ", "no goods");

    o->read = 0;
    new_is(B24_UPDATE_ROWS, o, NULL, "1990.00", RUB, "x", "", "an order that was not read");
    o->read = 1;

    memset(&o->had, 0, sizeof(o->had));
    new_is(B24_UPDATE_ROWS, o, NULL, "1990.00", RUB, "x", "", "a database that tells nothing");
}


/* the whole way: what seen has, the deal, its rows, what becomes of it */
static void
way(unsigned universal, const char *sent, const char *rows, const char *deal, int final, int opens, const char *answer,
    const char *commands, const char *kept, const char *words, const char *name)
{
    b24_buf_t           buf;
    b24_str_t           text, none = b24_null_string;
    const char         *advice;
    b24_batch_t         batch;
    b24_order_t        *o, *before;
    b24_answer_t        a;
    b24_verdict_t       verdict;
    b24_command_t      *cmd;
    b24_crm_deal_t      found;
    b24_crm_known_t     known;
    b24_queue_seen_t    seen;
    b24_crm_update_t    update;
    b24_crm_settings_t  set;

    memset(&set, 0, sizeof(set));
    memset(&seen, 0, sizeof(seen));
    memset(&known, 0, sizeof(known));
    memset(&found, 0, sizeof(found));

    set.update = rows ? B24_UPDATE_ROWS : B24_UPDATE_TOTAL;
    set.universal = universal & 1;
    known.deal = 7;
    o = order("4280", "400", "Mug 1940 2");
    before = order("1990", "400", "Mug 795 2");
    (void) b24_crm_told(pool, before, &seen);

    if (sent) {
        seen.sent_total = str(sent);
    }

    if (rows && *rows) {
        seen.sent_rows = str(rows);
    }

    found.id = 7;
    found.stage = str(final ? "WON" : "NEW");
    found.final = final & 1;
    found.amount = str(deal);
    found.currency = str("RUB");

    text = str(answer);
    advice = NULL;
    b24_batch_init(&batch, pool, 1);
    b24_buf_init(&buf, pool);

    if (b24_crm_update_begin(pool, &set, o, NULL, &seen, &update) != B24_OK
        || b24_answer_parse(pool, B24_NET_OK, 200, &text, &a) != B24_OK
        || b24_crm_update_read(pool, &a, &set, o, &known, &found, opens, &seen, &update, &verdict) != B24_OK
        || b24_crm_deal_change(&batch, &set, &known, &none, &update) != B24_OK)
    {
        ok(0, "%s: an error", name);
        return;
    }

    for (cmd = batch.first; cmd; cmd = cmd->next) {
        b24_buf_adds(&buf, cmd->name);
        b24_buf_addc(&buf, ' ');
    }

    (void) b24_buf_str(&buf, &text);
    is_str(&text, commands, name);
    is_str(&seen.sent_total, kept, "what is kept of the total");

    b24_buf_init(&buf, pool);
    b24_crm_update_words(&buf, &update, &advice);
    (void) b24_buf_str(&buf, &text);
    is_str(&text, words, "what is said");
}


#define NO_ROWS    "{\"result\":{\"result\":[],\"result_error\":[]}}"
#define CLASSIC(rows)    "{\"result\":{\"result\":{\"rows0\":[" rows "]},\"result_error\":[]}}"
#define UNIVERSAL(rows)  "{\"result\":{\"result\":{\"rows0\":{\"productRows\":[" rows "]}},\"result_error\":[]}}"
#define MUG(price, n)  "{\"PRODUCT_NAME\":\"Mug\",\"PRICE\":\"" price "\",\"QUANTITY\":\"" n "\"}"
#define DELIVERY  "{\"PRODUCT_NAME\":\"Delivery\",\"PRICE\":\"400.00\",\"QUANTITY\":\"1.0000\"}"
#define NOW  "the deal's total is 4 280.00 RUB now, as in the shop"

static void
test_way(void)
{
    way(0, NULL, NULL, "1990.00", 0, 0, NO_ROWS, "move deal ", "4280.00 RUB/1990.00 RUB", NOW, "as we have left it");
    way(1, NULL, NULL, "1990", 0, 0, NO_ROWS, "move deal ", "4280.00 RUB/1990.00 RUB", NOW, "universal");
    way(0, NULL, NULL, "4000.00", 0, 0, NO_ROWS, "move deal ", "4280.00 RUB/1990.00 RUB", "the deal's total had been changed in the CRM to 4 000.00 RUB: it is 4 280.00 RUB now, as in the shop", "edited");
    way(0, "2500.00 RUB/1990.00 RUB", NULL, "2500.00", 0, 0, NO_ROWS, "move deal ", "4280.00 RUB/2500.00 RUB/1990.00 RUB", NOW, "what may have been sent");
    way(0, "2500.00 RUB/1990.00 RUB", NULL, "1990.00", 0, 0, NO_ROWS, "move deal ", "4280.00 RUB/2500.00 RUB/1990.00 RUB", NOW, "and may not");
    way(0, "2500.00 USD", NULL, "2500.00", 0, 0, NO_ROWS, "move deal ", "4280.00 RUB/2500.00 USD", "the deal's total had been changed in the CRM to 2 500.00 RUB: it is 4 280.00 RUB now, as in the shop", "another currency");
    way(0, "2500.00", NULL, "2500.00", 0, 0, NO_ROWS, "move deal ", "4280.00/2500.00", "the deal's total is 4 280.00 now, as in the shop", "a currency that isn't ours");
    way(0, NULL, NULL, "4280", 0, 0, NO_ROWS, "", RUB, "the deal's total was 4 280.00 RUB already", "it has it");
    way(0, NULL, NULL, "1990.00", 1, 0, NO_ROWS, "", RUB, "the deal is closed at \"WON\": what was changed in the shop was left out, the order's total is 4 280.00 RUB there, the deal's is 1 990.00", "closed");
    way(0, NULL, NULL, "1990.00", 1, 1, NO_ROWS, "move deal ", "4280.00 RUB/1990.00 RUB", NOW, "closed, about to be opened");

    way(0, NULL, "", "1990.00", 0, 0, CLASSIC(MUG("795.00", "2.0000") "," DELIVERY), "move rows deal ", "4280.00 RUB/1990.00 RUB", NOW "; its product rows are those of the shop now", "rows as we have left them");
    way(0, NULL, "", "1990.00", 0, 0, CLASSIC(DELIVERY "," MUG("795", "2")), "move rows deal ", "4280.00 RUB/1990.00 RUB", NOW "; its product rows are those of the shop now", "in another order");
    way(0, NULL, "", "1990.00", 0, 0, CLASSIC(MUG("795.00", "1.0000")), "move rows deal ", "4280.00 RUB/1990.00 RUB", NOW "; its product rows had been changed in the CRM, to 1 row of 795.00: they are those of the shop now", "edited rows");
    way(0, NULL, "", "1990.00", 0, 0, CLASSIC(""), "move rows deal ", "4280.00 RUB/1990.00 RUB", NOW "; its product rows had been changed in the CRM, to 0 rows of 0.00: they are those of the shop now", "deleted rows");
    way(0, NULL, "", "4280.00", 0, 0, CLASSIC(MUG("1940.00", "2.0000") "," DELIVERY), "", RUB, "the deal's total was 4 280.00 RUB already; its product rows were those of the shop already", "all is there");
    way(1, NULL, "", "1990.00", 0, 0, UNIVERSAL("{\"productName\":\"Mug\",\"price\":795,\"quantity\":2},{\"productName\":\"Delivery\",\"price\":400.0,\"quantity\":1}"), "move rows deal ", "4280.00 RUB/1990.00 RUB", NOW "; its product rows are those of the shop now", "universal rows");
}


static void
test_pages(void)
{
    b24_batch_t         batch;
    b24_order_t        *o;
    b24_crm_known_t     known;
    b24_queue_seen_t    seen;
    b24_crm_update_t    update;
    b24_crm_settings_t  set;

    memset(&set, 0, sizeof(set));
    memset(&seen, 0, sizeof(seen));
    memset(&known, 0, sizeof(known));
    memset(&update, 0, sizeof(update));

    o = order("10", "", "Mug 10 1");
    set.universal = 1;
    known.deal = 7;
    update.rows = 1;

    seen.sent_rows = str("49:0123");
    b24_batch_init(&batch, pool, 0);
    is_int(b24_crm_update_ask(&batch, &set, o, &known, &seen, &update), B24_OK, "49 rows");
    is_int(batch.count, 1, "a page");

    seen.sent_rows = str("50:0123");
    b24_batch_init(&batch, pool, 0);
    is_int(b24_crm_update_ask(&batch, &set, o, &known, &seen, &update), B24_OK, "50 rows");
    is_int(batch.count, 2, "and one, should there be more");

    seen.sent_rows = str("999999999999:0123");
    b24_batch_init(&batch, pool, 0);
    is_int(b24_crm_update_ask(&batch, &set, o, &known, &seen, &update), B24_OK, "many rows");
    is_int(batch.count, 20, "no more pages than fit");

    set.universal = 0;
    b24_batch_init(&batch, pool, 0);
    is_int(b24_crm_update_ask(&batch, &set, o, &known, &seen, &update), B24_OK, "classic");
    is_int(batch.count, 1, "all at once");

    update.rows = 0;
    b24_batch_init(&batch, pool, 0);
    is_int(b24_crm_update_ask(&batch, &set, o, &known, &seen, &update), B24_OK, "the total alone");
    is_int(batch.count, 0, "asks for no rows");
}


/* what the portal answers to the write */
static void
changed_is(const char *answer, b24_class_e class, const char *held, const char *taken, const char *name)
{
    b24_str_t           text, at, stage = b24_string("PREPARATION");
    const char         *method;
    b24_order_t        *o;
    b24_answer_t        a;
    b24_verdict_t       verdict;
    b24_crm_known_t     known;
    b24_crm_update_t    update;
    b24_crm_settings_t  set;

    memset(&set, 0, sizeof(set));
    memset(&known, 0, sizeof(known));
    memset(&update, 0, sizeof(update));

    o = order("4280", "", "Mug 4280 1");
    update.set_total = 1;
    update.set_rows = 1;
    update.amount = str("4280.00");
    text = str(answer);

    if (b24_answer_parse(pool, B24_NET_OK, 200, &text, &a) != B24_OK
        || b24_crm_deal_changed(pool, &a, &set, o, &known, &update, &stage, 0, &at, &verdict, &method) != B24_OK)
    {
        ok(0, "%s: an error", name);
        return;
    }

    is_int(verdict.class, class, name);
    is_str(&at, held, "where it is now");
    is_str(&update.taken, taken, "what it has now");
}


static void
test_changed(void)
{
    changed_is("{\"result\":{\"result\":{\"move\":true,\"rows\":true,\"deal\":[{\"ID\":\"7\",\"STAGE_ID\":\"PREPARATION\",\"OPPORTUNITY\":\"4280.00\"}]},\"result_error\":[]}}", B24_CLASS_OK, "PREPARATION", "", "done");
    changed_is("{\"result\":{\"result\":{\"move\":true,\"rows\":true,\"deal\":[{\"ID\":\"7\",\"STAGE_ID\":\"NEW\",\"OPPORTUNITY\":\"1990.00\"}]},\"result_error\":[]}}", B24_CLASS_OK, "NEW", "1990.00", "dropped without a word");
    changed_is("{\"result\":{\"result\":{\"move\":true,\"rows\":true},\"result_error\":{\"deal\":{\"error\":\"\",\"error_description\":\"no\"}}}}", B24_CLASS_OK, "", "", "it can't be read again");
    changed_is("{\"result\":{\"result\":{\"move\":true},\"result_error\":[]}}", B24_CLASS_CHECK, "", "", "the rows were left out");
    changed_is("{\"result\":{\"result\":{\"rows\":true},\"result_error\":[]}}", B24_CLASS_CHECK, "", "", "the total was");
    changed_is("{\"result\":{\"result\":{\"move\":true},\"result_error\":{\"rows\":{\"error\":\"\",\"error_description\":\"no\"}}}}", B24_CLASS_PERMANENT, "", "", "the rows are refused");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_had();
    test_told();
    test_new();
    test_way();
    test_pages();
    test_changed();

    b24_pool_destroy(pool);

    return done_testing();
}
