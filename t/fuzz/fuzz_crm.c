
/*
 * What the portal answers to each batch there is, command by command: a result
 * of some shape, an error, or nothing.  Whatever comes: no id is made up, an
 * order that is done has a deal, rounds come to an end, and what is told of an
 * error is short and clean.
 *
 * Aims at: crm/b24_answer.c crm/b24_crm.c crm/b24_written.c crm/b24_book.c
 * Aims at: crm/b24_change.c crm/b24_watch.c crm/b24_update.c crm/b24_write.c
 */


#include "fuzz.h"
#include "b24_crm.h"
#include "b24_text.h"


#define ROUNDS  24


static const char *const  names[] = {
    "ID", "id", "items", "item", "STAGE_ID", "stageId", "CATEGORY_ID",
    "categoryId", "TITLE", "PHONE", "EMAIL", "VALUE", "CONTACT_ID", "total",
    "COMPANY_ID", "OPPORTUNITY", "opportunity", "CURRENCY_ID", "currencyId",
    "MOVED_TIME", "movedTime", "DATE_MODIFY", "STATUS_ID", "XML_ID", "xmlId",
    "productRows", "price", "PRICE", "quantity", "QUANTITY", "next", "result",
    "OWNER_ID", "STAGE_SEMANTIC_ID", "CREATED_TIME", "ORIGIN_ID", "originId",
    "catalogs", "iblockId", "RQ_INN", "IS_MANUAL_OPPORTUNITY", "CLOSED"
};

static const char *const  values[] = {
    "17", "\"17\"", "0", "-1", "true", "false", "null", "\"\"", "\"NEW\"",
    "\"C1:NEW\"", "\"WON\"", "\"+79161234567\"", "\"ivan@example.com\"",
    "\"2026-11-23T12:00:00+03:00\"", "\"10.00\"", "10.00", "\"RUB\"", "[]",
    "{}", "1e3", "99999999999999999999", "\"Y\"", "\"N\"", "\"1001\"",
    "[{\"ID\":\"55\"}]", "{\"items\":[{\"id\":55}]}", "{\"item\":{\"id\":7}}",
    "[{\"ID\":\"55\",\"PHONE\":[{\"VALUE\":\"+79161234567\"}]}]",
    "{\"ID\":\"17\",\"STAGE_ID\":\"NEW\",\"CATEGORY_ID\":\"0\"}",
    "{\"item\":{\"id\":17,\"stageId\":\"NEW\",\"categoryId\":0}}",
    "[{\"STATUS_ID\":\"NEW\"},{\"STATUS_ID\":\"WON\"}]", "[\"crm\",\"catalog\"]"
};

static const char *const  errors[] = {
    "\"\"", "\"QUERY_LIMIT_EXCEEDED\"", "\"ACCESS_DENIED\"",
    "\"ERROR_METHOD_NOT_FOUND\"", "\"OPERATION_TIME_LIMIT\"", "\"NOT_FOUND\"",
    "\"INTERNAL_SERVER_ERROR\"", "\"insufficient_scope\"", "\"ERROR_CORE\"",
    "\"ERROR_BATCH_METHOD_NOT_ALLOWED\"", "\"PORTAL_DELETED\"", "17", "null"
};

static const char *const  descriptions[] = {
    "\"Not found\"", "\"Access denied.\"", "\"\"", "null",
    "\"https://x.bitrix24.ru/rest/1/CODE/ failed\"", "\"ivan@example.com\"",
    "\"Incorrect e-mail\"", "\"Element not found\"", "\"<b>Required</b>\"",
    "\"Method not found!\"", "\"Contact is not found\"", "[]"
};

static const unsigned  statuses[] = { 200, 200, 200, 400, 401, 403, 500, 503 };


#define N(list)  (sizeof(list) / sizeof(list[0]))


static void
check_text(const b24_str_t *text, size_t max)
{
    ABORT_UNLESS(text->len <= max);
    ABORT_UNLESS(b24_utf8_valid(text));
    ABORT_UNLESS(b24_str_find(text, 0, "://") < 0);
    ABORT_UNLESS(b24_str_find(text, 0, "rest/") < 0);
    ABORT_UNLESS(b24_str_find(text, 0, "@") < 0);
}


static void
check(const b24_verdict_t *v)
{
    check_text(&v->code, 64);
    check_text(&v->text, 300);
    ABORT_UNLESS(v->class <= B24_CLASS_OPERATOR);
}


static void
grow_error(fuzz_t *f, b24_buf_t *out)
{
    b24_buf_adds(out, "\"error\":");
    b24_buf_adds(out, errors[fuzz_byte(f) % N(errors)]);
    b24_buf_adds(out, ",\"error_description\":");
    b24_buf_adds(out, descriptions[fuzz_byte(f) % N(descriptions)]);
}


static void
grow_members(fuzz_t *f, b24_buf_t *out, const b24_batch_t *batch,
    const unsigned char *what, int wanted)
{
    int                   first;
    size_t                i;
    const b24_command_t  *cmd;

    first = 1;

    for (i = 0, cmd = batch->first; cmd; cmd = cmd->next, i++) {

        if (what[i] != wanted) {
            continue;
        }

        b24_buf_adds(out, first ? "\"" : ",\"");
        b24_buf_adds(out, cmd->name);
        b24_buf_adds(out, "\":");
        first = 0;

        if (wanted == 1) {
            b24_buf_addc(out, '{');
            grow_error(f, out);
            b24_buf_addc(out, '}');

        } else if (fuzz_below(f, 4)) {
            b24_buf_adds(out, values[fuzz_byte(f) % N(values)]);

        } else {
            fuzz_json(f, out, names, N(names), values, N(values), 4);
        }
    }
}


static void
answer_to(fuzz_t *f, const b24_batch_t *batch, b24_answer_t *answer)
{
    size_t          i;
    unsigned        status;
    b24_buf_t       buf;
    b24_str_t       body;
    b24_net_e       net;
    unsigned char   what[B24_BATCH_MAX];

    for (i = 0; i < B24_BATCH_MAX; i++) {
        what[i] = i < batch->count ? "\2\2\2\2\2\2\1\0"[fuzz_below(f, 8)] : 0;
    }

    net = fuzz_byte(f) < 8 ? B24_NET_UNKNOWN : B24_NET_OK;
    status = statuses[fuzz_below(f, 8)];

    b24_buf_init(&buf, f->pool);
    b24_buf_addc(&buf, '{');

    if (fuzz_byte(f) < 16) {
        grow_error(f, &buf);
        b24_buf_addc(&buf, ',');
    }

    b24_buf_adds(&buf, "\"result\":{\"result\":{");
    grow_members(f, &buf, batch, what, 2);
    b24_buf_adds(&buf, "},\"result_error\":{");
    grow_members(f, &buf, batch, what, 1);
    b24_buf_adds(&buf, "},\"result_total\":[],\"result_next\":[]},"
                       "\"time\":{\"date_start\":\"2026-11-23T12:00:00+03:00\","
                       "\"operating_reset_at\":1795435200,\"operating\":0.2}}");

    ABORT_UNLESS(b24_buf_str(&buf, &body) == B24_OK);

    /* a part of it, as a proxy would give it */

    if (fuzz_byte(f) < 8) {
        body.len = body.len * fuzz_byte(f) / 256;
    }

    ABORT_UNLESS(b24_answer_parse(f->pool, net, status, &body, answer)
                 == B24_OK);
    check(&answer->verdict);
}


static void
add_items(fuzz_t *f, b24_order_t *order)
{
    unsigned     n;
    b24_item_t  *item;

    static const b24_str_t  name = b24_string("Mug");
    static const b24_str_t  price = b24_string("10.00");
    static const b24_str_t  xml = b24_string("sku-1");

    for (n = fuzz_below(f, 5); n; n--) {
        item = b24_order_add_item(f->pool, order);
        ABORT_UNLESS(item != NULL);
        item->fields[B24_ITEM_NAME] = name;
        item->fields[B24_ITEM_PRICE] = price;
        item->fields[B24_ITEM_QUANTITY] = price;
        item->fields[B24_ITEM_XML_ID] = xml;
    }
}


static b24_order_t *
make_order(fuzz_t *f)
{
    unsigned      flags;
    b24_order_t  *order;

    static const b24_str_t  id = b24_string("1001");
    static const b24_str_t  name = b24_string("Ivan \xf0\x9f\x8c\xb7");
    static const b24_str_t  phone = b24_string("+79161234567");
    static const b24_str_t  email = b24_string("ivan@example.com");
    static const b24_str_t  firm = b24_string("Romashka");
    static const b24_str_t  inn = b24_string("7707083893");
    static const b24_str_t  price = b24_string("30.00");
    static const b24_str_t  status = b24_string("N");

    order = b24_order_create(f->pool);
    ABORT_UNLESS(order != NULL);

    flags = fuzz_byte(f);

    order->origin = id;
    order->fields[B24_ORDER_ID] = id;
    order->fields[B24_ORDER_STATUS] = status;
    order->fields[B24_ORDER_TOTAL] = price;

    if (flags & 1) {
        order->fields[B24_ORDER_NAME] = name;
    }

    if (flags & 2) {
        order->fields[B24_ORDER_PHONE] = phone;
    }

    if (flags & 4) {
        order->fields[B24_ORDER_EMAIL] = email;
    }

    if (flags & 8) {
        order->fields[B24_ORDER_COMPANY] = firm;
    }

    if (flags & 16) {
        order->fields[B24_ORDER_INN] = inn;
    }

    if (flags & 32) {
        order->fields[B24_ORDER_DELIVERY] = price;
    }

    add_items(f, order);

    return order;
}


static void
check_known(const b24_crm_known_t *known)
{
    ABORT_UNLESS(known->deal >= 0 && known->contact >= 0
                 && known->company >= 0);
}


/* an order from the look-up to its last round */
static void
deliver(fuzz_t *f, const b24_crm_settings_t *set)
{
    int               rc, rounds;
    unsigned          mask;
    const char       *method;
    b24_batch_t       batch;
    b24_order_t      *order;
    b24_answer_t      answer;
    b24_verdict_t     v;
    b24_crm_known_t   known;

    order = make_order(f);
    memset(&known, 0, sizeof(known));

    known.literal = fuzz_below(f, 2);

    b24_batch_init(&batch, f->pool, 0);

    if (b24_crm_lookup(&batch, set, order, &known, (int) fuzz_below(f, 2))
        != B24_OK)
    {
        return;
    }

    if (batch.count) {
        answer_to(f, &batch, &answer);

        rc = b24_crm_looked_up(f->pool, &answer, set, order, &known, &v);
        ABORT_UNLESS(rc == B24_OK);
        check(&v);
        check_known(&known);

        if (v.class != B24_CLASS_OK) {
            ABORT_UNLESS(!known.deal && !known.contact && !known.company);
            return;
        }
    }

    for (rounds = 0; fuzz_more(f); rounds++) {
        ABORT_UNLESS(rounds < ROUNDS);

        b24_batch_init(&batch, f->pool, !known.literal);
        known.again = B24_AGAIN_NO;
        rc = b24_crm_write(&batch, set, order, &known, &mask);
        ABORT_UNLESS(rc == B24_OK);

        if (batch.count == 0) {
            ABORT_UNLESS(known.deal != 0);
            break;
        }

        answer_to(f, &batch, &answer);

        rc = b24_crm_written(f->pool, &answer, set, order, &known, &v,
                             &method);
        ABORT_UNLESS(rc == B24_OK);
        check(&v);
        check_known(&known);

        if (v.class != B24_CLASS_OK && known.again == B24_AGAIN_NO) {
            break;
        }

        if (v.class == B24_CLASS_OK && !known.literal) {
            ABORT_UNLESS(known.deal != 0);
            break;
        }

        if (known.again == B24_AGAIN_LOOKUP) {
            break;
        }
    }
}


static void
book(fuzz_t *f, const b24_crm_settings_t *set)
{
    int                again;
    unsigned           n, rounds;
    b24_str_t          code, text;
    b24_book_t         book;
    b24_batch_t        batch;
    b24_answer_t       answer;
    b24_verdict_t      v;
    b24_pipeline_t     pipelines[2];
    b24_field_line_t   line;

    static const char *const  fields[] = {
        "UF_CRM_1", "SOURCE_ID", "TITLE", "UF_CRM_A[0]", "ASSIGNED_BY_ID",
        "TYPE_ID", "PHONE"
    };

    static const char *const  constants[] = { "", "WEB", "17", "\xd0\x98" };

    memset(&book, 0, sizeof(book));
    memset(pipelines, 0, sizeof(pipelines));

    pipelines[0].next = &pipelines[1];
    pipelines[1].category = 9;
    book.pipelines = pipelines;
    book.want_catalog = fuzz_below(f, 2);
    book.want_self = fuzz_below(f, 2);

    for (n = 0; n < 4; n++) {
        line.entity = (b24_entity_e) fuzz_below(f, 3);
        line.field = fuzz_pick(f, fields, N(fields));
        line.value = fuzz_pick(f, constants, N(constants));

        ABORT_UNLESS(b24_book_want(f->pool, &book, set->universal, &line)
                     == B24_OK);
    }

    for (rounds = 0; fuzz_more(f) && rounds < 8; rounds++) {
        b24_batch_init(&batch, f->pool, 0);
        ABORT_UNLESS(b24_book_ask(&batch, &book) == B24_OK);

        if (batch.count == 0) {
            break;
        }

        answer_to(f, &batch, &answer);
        ABORT_UNLESS(b24_book_read(f->pool, &answer, &book, &v, &again)
                     == B24_OK);
        check(&v);
    }

    ABORT_UNLESS(book.niblocks <= B24_BOOK_IBLOCKS);
    ABORT_UNLESS(b24_book_line_wrong(f->pool, &book, set->universal, &line,
                                     &text)
                 == B24_OK);
    ABORT_UNLESS(b24_utf8_valid(&text));

    code.data = (u_char *) "RUB";
    code.len = 3;
    (void) b24_book_currency(&book, &code);
}


/* a deal that is there: read, compared, changed */
static void
change(fuzz_t *f, const b24_crm_settings_t *set)
{
    int                 rc;
    int64_t             now;
    b24_buf_t           buf;
    b24_str_t           stage, held, text;
    const char         *method, *advice;
    b24_batch_t         batch;
    b24_order_t        *order, *first;
    b24_answer_t        answer;
    b24_verdict_t       v;
    b24_crm_deal_t      deal;
    b24_crm_known_t     known;
    b24_crm_update_t    update;
    b24_queue_seen_t    seen;

    static const char *const  stages[] = { "", "NEW", "C1:NEW", "WON", "LOSE" };

    now = 1795435200;
    order = make_order(f);
    first = make_order(f);
    memset(&known, 0, sizeof(known));
    memset(&seen, 0, sizeof(seen));
    memset(&update, 0, sizeof(update));
    known.deal = 17;

    ABORT_UNLESS(b24_order_had(f->pool, order, (int) fuzz_below(f, 2),
                               &order->had)
                 == B24_OK);
    order->read = 1;

    if (fuzz_below(f, 2)) {
        ABORT_UNLESS(b24_crm_told(f->pool, first, &seen) == B24_OK);
    }

    if (b24_crm_update_begin(f->pool, set, order,
                             fuzz_below(f, 2) ? first : NULL, &seen, &update)
        != B24_OK)
    {
        return;
    }

    b24_batch_init(&batch, f->pool, 0);

    if (b24_crm_deal_ask(&batch, set, &known) != B24_OK
        || b24_crm_update_ask(&batch, set, order, &known, &seen, &update)
           != B24_OK)
    {
        return;
    }

    answer_to(f, &batch, &answer);

    rc = b24_crm_deal_read(f->pool, &answer, set, &known, now, &deal, &v);
    ABORT_UNLESS(rc == B24_OK);
    check(&v);

    if (v.class != B24_CLASS_OK) {
        return;
    }

    stage = fuzz_pick(f, stages, N(stages));
    ABORT_UNLESS(deal.id == 0 || deal.id == known.deal);
    ABORT_UNLESS(b24_utf8_valid(&deal.stage));

    rc = b24_crm_update_read(f->pool, &answer, set, order, &known, &deal,
                             stage.len != 0, &seen, &update, &v);
    ABORT_UNLESS(rc == B24_OK);
    check(&v);

    b24_buf_init(&buf, f->pool);
    b24_crm_update_words(&buf, &update, &advice);
    ABORT_UNLESS(b24_buf_str(&buf, &text) == B24_OK);
    ABORT_UNLESS(b24_utf8_valid(&text));

    if (v.class != B24_CLASS_OK) {
        return;
    }

    b24_batch_init(&batch, f->pool, 1);

    if (b24_crm_deal_change(&batch, set, &known, &stage, &update) != B24_OK
        || batch.count == 0)
    {
        return;
    }

    answer_to(f, &batch, &answer);

    rc = b24_crm_deal_changed(f->pool, &answer, set, order, &known, &update,
                              &stage, now, &held, &v, &method);
    ABORT_UNLESS(rc == B24_OK);
    check(&v);
}


static void
watch(fuzz_t *f, const b24_crm_settings_t *set)
{
    size_t               n, i, told;
    b24_str_t            origin = b24_string("shop");
    b24_batch_t          batch;
    b24_answer_t         answer;
    b24_verdict_t        v;
    b24_queue_moved_t    deals[60];
    b24_crm_history_t    history;

    memset(deals, 0, sizeof(deals));
    memset(&history, 0, sizeof(history));

    n = fuzz_below(f, 60);
    history.last = fuzz_below(f, 2) ? 0 : 100;

    for (i = 0; i < n; i++) {
        deals[i].id = (int64_t) i + 10;
    }

    b24_batch_init(&batch, f->pool, 0);
    ABORT_UNLESS(b24_crm_watch_ask(&batch, set, &origin, 1, deals, n, &history)
                 == B24_OK);
    answer_to(f, &batch, &answer);

    told = n;
    ABORT_UNLESS(b24_crm_watch_read(f->pool, &answer, set, 1795435200, deals,
                                    &told, &history, &v)
                 == B24_OK);
    check(&v);
    ABORT_UNLESS(told <= n);

    /* the same deals, in whatever order */

    for (i = 0; i < told; i++) {
        ABORT_UNLESS(deals[i].id >= 10 && deals[i].id < (int64_t) n + 10);
        ABORT_UNLESS(b24_utf8_valid(&deals[i].stage));
    }

    ABORT_UNLESS(history.last >= 0);

    for (i = 0; i < history.n; i++) {
        ABORT_UNLESS(history.deals[i] > 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t               f;
    unsigned             flags;
    b24_crm_settings_t   set;

    static const b24_str_t  origin = b24_string("shop");
    static const b24_str_t  code = b24_string("7");

    fuzz_init(&f, data, size);
    memset(&set, 0, sizeof(set));

    flags = fuzz_byte(&f);

    set.origin = origin;
    set.phone_code = code;
    set.universal = flags >> 2 & 1;
    set.category = flags & 8 ? 1 : 0;
    set.match = (b24_match_e) ((flags >> 4) % 5);
    set.product = (b24_product_e) fuzz_below(&f, 3);
    set.update = (b24_update_e) fuzz_below(&f, 3);

    switch (flags & 3) {

    case 0:
        deliver(&f, &set);
        break;

    case 1:
        book(&f, &set);
        break;

    case 2:
        change(&f, &set);
        break;

    default:
        watch(&f, &set);
    }

    b24_pool_destroy(f.pool);

    return 0;
}
