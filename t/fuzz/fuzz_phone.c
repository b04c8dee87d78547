
/*
 * Phone, e-mail, INN.  The first byte chooses the country code.  A phone is
 * E.164 or nothing, and what is found stays what it is when read again.
 *
 * Aims at: crm/b24_buyer.c
 */


#include "b24_crm.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
phone(b24_pool_t *pool, const b24_str_t *text, const b24_str_t *code)
{
    size_t     i;
    b24_str_t  once, twice;

    if (b24_crm_phone(pool, text, code, &once) != B24_OK) {
        return;
    }

    if (once.len < 9 || once.len > 16 || once.data[0] != '+'
        || once.data[1] == '0')
    {
        abort();
    }

    for (i = 1; i < once.len; i++) {

        if (!b24_isdigit(once.data[i])) {
            abort();
        }
    }

    if (b24_crm_phone(pool, &once, code, &twice) != B24_OK
        || !b24_str_eq(&once, &twice))
    {
        abort();
    }
}


static void
email(b24_pool_t *pool, const b24_str_t *text)
{
    b24_str_t  once, twice;

    if (b24_crm_email(pool, text, &once) != B24_OK) {
        return;
    }

    if (once.len > 250 || b24_str_find(&once, 0, "@") <= 0
        || b24_str_find(&once, 0, " ") >= 0
        || b24_crm_email(pool, &once, &twice) != B24_OK
        || !b24_str_eq(&once, &twice))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    b24_str_t           text, code;
    b24_pool_t         *pool;
    static const char  *codes[] = { "7", "1", "49", "375", "380", "39", "34",
                                    "" };

    if (size == 0) {
        return 0;
    }

    pool = b24_pool_create(1 << 20);

    code.data = (u_char *) codes[data[0] % 8];
    code.len = strlen(codes[data[0] % 8]);
    text.data = (u_char *) data + 1;
    text.len = size - 1;

    phone(pool, &text, &code);
    email(pool, &text);
    (void) b24_crm_inn_valid(&text);

    b24_pool_destroy(pool);

    return 0;
}
