
/* What the portal quotes of a buyer is masked. */


#include "tap.h"
#include "b24_crm.h"

#include <string.h>


typedef struct {
    const char  *text;
    const char  *masked;
} case_t;


static const case_t  cases[] = {
    { "", "" },
    { "nothing of anybody", "nothing of anybody" },
    { "Анна Ёлкина", "(buyer)" },
    { "Contact Анна Ёлкина is wrong", "Contact (buyer) is wrong" },
    { "Ёлкина, Анна: no", "(buyer), (buyer): no" },
    { "\"Ёлкина\"", "\"(buyer)\"" },
    { "Ёлкина", "(buyer)" },

    /* whole words only */
    { "Ёлкинам and Жанна", "Ёлкинам and Жанна" },
    { "ЁлкинаАнна", "ЁлкинаАнна" },

    /* ASCII case; the longest first */
    { "ACME ltd is twice", "(buyer) is twice" },
    { "acme alone", "(buyer) alone" },
    { "ltd is too short", "ltd is too short" },

    /* numbers of houses are anybody's */
    { "17 of Kuznechny, 17", "17 of (buyer)" },
    { "Kuznechny, 18", "(buyer), 18" },
    { "call +7 916 1234567", "call (buyer)" },
    { "a@example.com, please ring", "(buyer), (buyer)" },
    { "please", "please" },
    { "uid42 of the contact", "(buyer) of the contact" },
};


static b24_str_t
many(b24_pool_t *pool, unsigned n)
{
    b24_buf_t  buf;
    b24_str_t  s = b24_null_string;

    b24_buf_init(&buf, pool);

    while (n--) {
        b24_buf_adds(&buf, "Word");
        b24_buf_addi(&buf, n);
        b24_buf_addc(&buf, ' ');
    }

    (void) b24_buf_str(&buf, &s);

    return s;
}


int
main(void)
{
    size_t        i;
    b24_str_t     text;
    b24_pair_t    pair;
    b24_pool_t   *pool;
    b24_order_t   order;

    memset(&order, 0, sizeof(b24_order_t));
    memset(&pair, 0, sizeof(b24_pair_t));

    order.fields[B24_ORDER_NAME] = str(" Анна Ёлкина ");
    order.fields[B24_ORDER_COMPANY] = str("Acme Ltd");
    order.fields[B24_ORDER_ADDRESS] = str("Kuznechny, 17");
    order.fields[B24_ORDER_PHONE] = str("+7 916 1234567");
    order.fields[B24_ORDER_EMAIL] = str("a@example.com");
    order.fields[B24_ORDER_COMMENT] = str("please ring");
    pair.name = str("UF_CRM_UID");
    pair.value = str("uid42");
    order.contact = &pair;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pool = b24_pool_create(0);
        text = str(cases[i].text);

        b24_crm_conceal(pool, &order, &text);

        is_str(&text, cases[i].masked, cases[i].text);

        b24_pool_destroy(pool);
    }

    /* a buyer of many words is no less concealed, one of too many wholly */

    pool = b24_pool_create(0);
    order.fields[B24_ORDER_COMPANY] = many(pool, 200);
    text = str("uid42 has a@example.com");

    b24_crm_conceal(pool, &order, &text);
    is_str(&text, "(buyer) has (buyer)", "a name of 200 words");

    order.fields[B24_ORDER_COMPANY] = many(pool, 2000);
    text = str("uid42 has a@example.com");

    b24_crm_conceal(pool, &order, &text);
    is_str(&text, "(buyer)", "a name of 2000 words");

    b24_pool_destroy(pool);

    /* nobody is known */

    pool = b24_pool_create(0);
    memset(&order, 0, sizeof(b24_order_t));
    text = str("Анна");

    b24_crm_conceal(pool, &order, &text);
    is_str(&text, "Анна", "an order without a buyer");

    b24_pool_destroy(pool);

    return done_testing();
}
