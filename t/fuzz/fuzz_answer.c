
/*
 * Answers of the portal.  The first byte chooses status and methods.  Whatever
 * comes: descriptions are short, clean and without links, nothing is created
 * after a look-up that wasn't understood, and no id is made up.
 *
 * Aims at: crm/b24_answer.c
 */


#include "b24_crm.h"
#include "b24_text.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check_text(const b24_str_t *text, size_t max)
{
    if (text->len > max || !b24_utf8_valid(text)
        || b24_str_find(text, 0, "://") >= 0
        || b24_str_find(text, 0, "rest/") >= 0
        || b24_str_find(text, 0, "@") >= 0)
    {
        abort();
    }
}


static void
check(const b24_verdict_t *v)
{
    check_text(&v->code, 64);
    check_text(&v->text, 300);
}


static b24_order_t *
make_order(b24_pool_t *pool)
{
    b24_order_t             *order;
    static const b24_str_t   id = b24_string("1001");
    static const b24_str_t   name = b24_string("Ivan");
    static const b24_str_t   phone = b24_string("+79123456789");
    static const b24_str_t   email = b24_string("ivan@example.com");
    static const b24_str_t   firm = b24_string("Romashka");
    static const b24_str_t   inn = b24_string("7707083893");
    static const b24_str_t   price = b24_string("10.00");

    order = b24_order_create(pool);
    if (order == NULL) {
        abort();
    }

    order->origin = id;
    order->fields[B24_ORDER_ID] = id;
    order->fields[B24_ORDER_NAME] = name;
    order->fields[B24_ORDER_PHONE] = phone;
    order->fields[B24_ORDER_EMAIL] = email;
    order->fields[B24_ORDER_COMPANY] = firm;
    order->fields[B24_ORDER_INN] = inn;
    order->fields[B24_ORDER_TOTAL] = price;
    order->fields[B24_ORDER_DELIVERY] = price;

    return order;
}


static void
judge(b24_pool_t *pool, const b24_answer_t *answer, int universal)
{
    b24_order_t         *order;
    const char          *method;
    b24_verdict_t        v;
    b24_crm_known_t      known;
    b24_crm_settings_t   set;

    order = make_order(pool);

    memset(&set, 0, sizeof(set));
    set.universal = universal ? 1 : 0;

    memset(&known, 0, sizeof(known));

    if (b24_crm_looked_up(pool, answer, &set, order, &known, &v) == B24_OK) {
        check(&v);

        if (v.class != B24_CLASS_OK && (known.deal || known.contact
                                        || known.company))
        {
            abort();
        }
    }

    memset(&known, 0, sizeof(known));

    if (b24_crm_written(pool, answer, &set, order, &known, &v, &method)
        == B24_OK)
    {
        check(&v);

        if (known.deal < 0 || known.contact < 0 || known.company < 0
            || (v.class == B24_CLASS_OK && known.deal == 0))
        {
            abort();
        }
    }

    (void) b24_crm_rows_written(answer, &known, &v);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    b24_str_t                body;
    b24_node_t              *node;
    b24_pool_t              *pool;
    b24_answer_t             answer;
    b24_verdict_t            v;
    static const unsigned    status[] = { 200, 400, 401, 403, 429, 500, 503,
                                          302 };

    if (size == 0) {
        return 0;
    }

    pool = b24_pool_create(1 << 24);

    body.data = (u_char *) data + 1;
    body.len = size - 1;

    if (b24_answer_parse(pool, B24_NET_OK, status[data[0] & 7], &body,
                         &answer)
        == B24_OK)
    {
        check(&answer.verdict);
        (void) b24_answer_command(pool, &answer, "d", &node, &v);
        check(&v);
        judge(pool, &answer, data[0] & 8);
    }

    b24_pool_destroy(pool);

    return 0;
}
