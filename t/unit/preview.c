
/* The dry run: which commands are shown of an order, and what of its buyer. */


#include "tap.h"
#include "b24_preview.h"


static const struct {
    const char  *text;
    const char  *shape;
} shapes[] = {
    { "", "" },
    { "+79161234567", "+7916*****67" },
    { "+3725551234", "+3725****34" },
    { "+12345", "+1**45" },
    { "+", "+" },
    { "ivan@example.com", "i***@e******.com" },
    { "i@x.y.ru", "*@*.*.ru" },
    { "@ivan", "@i***" },
    { "Ivan Petrov", "I*** P*****" },
    { "Анна Ёлкина-Сидорова", "А*** Ё*****-С*******" },
    { "Lenina st. 17, 5", "L***** **. **, *" },
    { "7707083893", "**********" },
    { "a\nbcd", "*\nb**" },
    { "\xff\xfe ok", "** **" },
    { "\xc3", "*" },
};


static b24_pool_t           *pool;
static b24_crm_settings_t    set;
static b24_queue_job_t       job;
static b24_preview_t         preview;


static void
pair(b24_pair_t **list, const char *name, const char *value)
{
    b24_str_t  n = str(name), v = str(value);

    (void) b24_pair_set(pool, list, &n, &v);
}


static void
begin(void)
{
    b24_item_t   *item;
    b24_order_t  *order;

    pool = b24_pool_create(0);
    order = b24_order_create(pool);

    order->fields[B24_ORDER_NAME] = str("Ivan Petrov");
    order->fields[B24_ORDER_PHONE] = str("8 916 123-45-67");
    order->fields[B24_ORDER_EMAIL] = str("ivan@example.com");
    order->fields[B24_ORDER_ADDRESS] = str("Lenina 17");
    order->fields[B24_ORDER_COMMENT] = str("Ring me");
    order->fields[B24_ORDER_TOTAL] = str("1990");
    order->fields[B24_ORDER_CURRENCY] = str("RUB");
    order->fields[B24_ORDER_STATUS] = str("N");

    item = b24_order_add_item(pool, order);
    item->fields[B24_ITEM_NAME] = str("Mug $result[c] & co for Petrov");
    item->fields[B24_ITEM_PRICE] = str("995.00");
    item->fields[B24_ITEM_QUANTITY] = str("2");

    memset(&set, 0, sizeof(set));
    memset(&job, 0, sizeof(job));
    memset(&preview, 0, sizeof(preview));

    set.origin = str("shop");
    set.phone_code = str("7");
    pair(&set.stages, "N", "NEW");
    pair(&set.stages, "F", "WON");

    job.origin = str("shop");
    job.order_id = str("1001");
    (void) strcpy(job.key, "k-00000a");

    preview.set = &set;
    preview.job = &job;
    preview.order = order;
}


/* the commands, read back */

static b24_node_t *
commands(int rc, b24_str_t *text)
{
    b24_buf_t    out;
    b24_node_t  *root = NULL;

    b24_buf_init(&out, pool);

    ok(b24_preview(pool, &preview, &out) == rc, "the preview is %s", rc == B24_OK ? "there" : "declined");
    ok(b24_buf_str(&out, text) == B24_OK && b24_json_parse(pool, text, 0, &root) == B24_OK && root->type == B24_ARRAY, "it is an array");

    return root;
}


/* the one of that method, NULL: none */

static const b24_node_t *
method(const b24_node_t *root, const char *name)
{
    b24_str_t          key = str("method"), params = str("params");
    const b24_node_t  *node;

    for (node = root->first; node; node = node->next) {
        if (b24_str_eqs(&b24_node_get(node, &key)->value, name)) {
            return b24_node_get(node, &params);
        }
    }

    return NULL;
}


/* what a pointer leads to, as text */

static void
is_at(const b24_node_t *node, const char *at, const char *want)
{
    b24_str_t      text = str(at), got = str("(nothing)");
    b24_walk_t     walk;
    const char    *err;
    b24_node_t    *found;
    b24_pointer_t  ptr;

    memset(&walk, 0, sizeof(walk));
    walk.pool = pool;

    if (node && b24_pointer_compile(pool, &text, &ptr, &err) == B24_OK && b24_pointer_get(&walk, &ptr, (b24_node_t *) node, &found) == B24_OK) {
        (void) b24_node_text(found, &got);
    }

    is_str(&got, want, at);
}


static void
test_new(int universal)
{
    b24_str_t          text;
    b24_node_t        *root;
    const b24_node_t  *deal, *contact, *rows;

    begin();
    set.universal = universal;
    pair(&preview.order->deal, "UF_CRM_BORN", "1.2.1990");
    pair(&preview.order->deal, "UTM_SOURCE", "ads for petrov");

    root = commands(B24_OK, &text);

    is_at(method(root, "crm.duplicate.findbycomm"), "/values/0", "+7916*****67");

    if (!universal) {
        contact = method(root, "crm.contact.add");
        deal = method(root, "crm.deal.add");
        rows = method(root, "crm.deal.productrows.set");

        is_at(contact, "/fields/NAME", "I*** P*****");
        is_at(contact, "/fields/PHONE/0/VALUE", "+7916*****67");
        is_at(contact, "/fields/PHONE/0/VALUE_TYPE", "WORK");
        is_at(contact, "/fields/EMAIL/0/VALUE", "i***@e******.com");
        is_at(deal, "/fields/TITLE", "Order #1001");
        is_at(deal, "/fields/STAGE_ID", "NEW");
        is_at(deal, "/fields/OPPORTUNITY", "1990.00");
        is_at(deal, "/fields/ORIGIN_ID", "1001");
        is_at(deal, "/fields/CONTACT_IDS/0", "$result[c]");
        is_at(deal, "/fields/UF_CRM_BORN", "*.*.****");
        is_at(deal, "/fields/UTM_SOURCE", "ads for (buyer)");
        is_at(rows, "/rows/0/PRODUCT_NAME", "Mug \xef\xbc\x84result[c] & co for (buyer)");
        is_at(rows, "/rows/0/PRICE", "995.00");
        is_at(rows, "/id", "$result[d]");

    } else {
        is_at(root, "/[method=crm.item.add]/params/fields/fm/0/value", "+7916*****67");
        is_at(root, "/[method=crm.item.add]/params/fields/fm/0/typeId", "PHONE");
        is_at(root, "/[method=crm.item.add]/params/fields/name", "I*** P*****");
    }

    ok(b24_str_find(&text, 0, "Petrov") < 0 && b24_str_find(&text, 0, "123") < 0 && b24_str_find(&text, 0, "Lenina") < 0 && b24_str_find(&text, 0, "Ring") < 0 && b24_str_find(&text, 0, "ivan@") < 0 && b24_str_find(&text, 0, "1.2.1990") < 0, "nothing of the buyer is shown");

    b24_pool_destroy(pool);
}


static void
test_reveal(void)
{
    b24_str_t    text;
    b24_node_t  *root;

    begin();
    preview.reveal = 1;

    root = commands(B24_OK, &text);

    is_at(method(root, "crm.contact.add"), "/fields/NAME", "Ivan Petrov");
    is_at(method(root, "crm.contact.add"), "/fields/PHONE/0/VALUE", "+79161234567");

    b24_pool_destroy(pool);
}


static void
test_firm(void)
{
    b24_str_t    text;
    b24_node_t  *root;

    begin();
    preview.order->fields[B24_ORDER_COMPANY] = str("Petrov and Sons");
    preview.order->fields[B24_ORDER_INN] = str("7707083893");

    root = commands(B24_OK, &text);

    is_at(method(root, "crm.company.add"), "/fields/TITLE", "P***** a** S***");
    is_at(method(root, "crm.requisite.add"), "/fields/RQ_INN", "**********");
    is_at(method(root, "crm.requisite.add"), "/fields/ENTITY_ID", "$result[k]");
    ok(b24_str_find(&text, 0, "7707083893") < 0 && b24_str_find(&text, 0, "Sons") < 0, "nothing of the firm is shown");

    b24_pool_destroy(pool);
}


/* what is known is not made again */

static void
test_known(void)
{
    b24_str_t    text;
    b24_node_t  *root;

    begin();
    job.contact_id = 55;
    job.steps[B24_STEP_CONTACT] = B24_STEP_DONE;
    job.attempts = 1;
    preview.retry = 1;

    root = commands(B24_OK, &text);

    ok(method(root, "crm.contact.add") == NULL, "no contact is added");
    is_at(method(root, "crm.deal.add"), "/fields/CONTACT_IDS/0", "55");

    b24_pool_destroy(pool);

    begin();
    job.deal_id = 412;
    job.contact_id = 55;
    job.steps[B24_STEP_CONTACT] = B24_STEP_DONE;

    root = commands(B24_OK, &text);

    ok(method(root, "crm.deal.add") == NULL, "no deal is added");
    is_at(method(root, "crm.deal.productrows.set"), "/id", "412");

    b24_pool_destroy(pool);
}


static void
test_numberless(void)
{
    b24_str_t    text;
    b24_node_t  *root;

    begin();
    job.order_id.len = 0;

    root = commands(B24_OK, &text);

    is_at(method(root, "crm.deal.add"), "/fields/ORIGIN_ID", "k-00000a");
    is_at(method(root, "crm.deal.add"), "/fields/TITLE", "Order without a number");

    b24_pool_destroy(pool);
}


static void
test_later(void)
{
    b24_str_t    text;
    b24_node_t  *root;

    begin();
    job.kind = B24_EV_STATUS;
    job.deal_id = 412;
    job.seen.status = str("F");

    root = commands(B24_OK, &text);

    is_at(method(root, "crm.deal.update"), "/id", "412");
    is_at(method(root, "crm.deal.update"), "/fields/STAGE_ID", "WON");
    ok(method(root, "crm.deal.add") == NULL, "no deal is added");

    b24_pool_destroy(pool);
}


static void
test_many_rows(void)
{
    size_t             i;
    b24_str_t          text;
    b24_node_t        *root;
    b24_item_t        *item;
    const b24_node_t  *rows;

    begin();

    for (i = 0; i < 400; i++) {
        item = b24_order_add_item(pool, preview.order);
        item->fields[B24_ITEM_NAME] = str("Mug");
        item->fields[B24_ITEM_PRICE] = str("1");
        item->fields[B24_ITEM_QUANTITY] = str("1");
    }

    root = commands(B24_OK, &text);
    rows = method(root, "crm.deal.productrows.set");

    is_at(rows, "/id", "the deal's id");
    is_at(rows, "/rows/[last]/PRICE", "-400.00");
    is_at(rows, "/rows/400/PRODUCT_NAME", "Mug");

    b24_pool_destroy(pool);
}


int
main(void)
{
    size_t     i;
    b24_buf_t  out;
    b24_str_t  text;

    pool = b24_pool_create(0);

    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        text = str(shapes[i].text);

        b24_buf_init(&out, pool);
        b24_preview_mask(&out, &text);

        ok(b24_buf_str(&out, &text) == B24_OK, "there is memory");
        is_str(&text, shapes[i].shape, shapes[i].text);
    }

    b24_pool_destroy(pool);

    test_new(0);
    test_new(1);
    test_reveal();
    test_firm();
    test_known();
    test_numberless();
    test_later();
    test_many_rows();

    return done_testing();
}
