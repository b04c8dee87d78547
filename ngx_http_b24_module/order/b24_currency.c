
/* Currencies: by their codes, or by signs that stand for one alone. */


#include "b24_rules_int.h"
#include "b24_decimal.h"


typedef struct {
    const char  *sign;
    const char  *code;              /* NULL: of several, or none */
} b24_sign_t;


static int b24_currency_letters(const b24_str_t *text, int upper);


/*
 * As shops print them, without blanks and dots.  "$", "kr", "Rs", the sign of
 * yen and yuan, and "Br" (of Belarus and of Ethiopia) are not here: they are
 * several currencies'.  Pounds other than that of Great Britain have a letter
 * more, or its value.  The abbreviation of rouble is taken for Russia's, of
 * which there are more shops by far; one in Belarus says its currency.
 */
static const b24_sign_t  b24_signs[] = {
    { "€", "EUR" },
    { "£", "GBP" },
    { "₽", "RUB" },
    { "руб", "RUB" },
    { "Руб", "RUB" },
    { "РУБ", "RUB" },
    { "р", "RUB" },
    { "rub", "RUB" },
    { "₴", "UAH" },
    { "грн", "UAH" },
    { "₸", "KZT" },
    { "тг", "KZT" },
    { "тенге", "KZT" },
    { "сом", "KGS" },
    { "сум", "UZS" },
    { "₾", "GEL" },
    { "֏", "AMD" },
    { "₼", "AZN" },
    { "₮", "MNT" },
    { "zł", "PLN" },
    { "Kč", "CZK" },
    { "Ft", "HUF" },
    { "₺", "TRY" },
    { "₪", "ILS" },
    { "₹", "INR" },
    { "₩", "KRW" },
    { "₫", "VND" },
    { "₱", "PHP" },
    { "฿", "THB" },
    { "₦", "NGN" },
    { "KSh", "KES" },
    { "US$", "USD" },
    { "R$", "BRL" },

    /* of Arabic letters */

    { "\xd8\xaf\xd9\x83", "KWD" },
    { "\xd8\xaf\xd8\xa8", "BHD" },
    { "\xd8\xaf\xd8\xaa", "TND" },
    { "\xd8\xb1\xd8\xb9", "OMR" },
    { "\xd8\xaf\xd8\xa7", "JOD" },
    { "\xd8\xaf\xd8\xb9", "IQD" },
    { "\xd9\x84\xd8\xaf", "LYD" },
    { "\xd8\xaf\xd9\x84", "LYD" },
    { "\xd8\xaf\xd8\xa5", "AED" },
    { "\xd8\xb1\xd8\xb3", "SAR" },

    /* three letters that are no code: of Romania and of Moldova */

    { "lei", NULL },
    { "Lei", NULL }
};


int
b24_currency_parse(b24_pool_t *pool, const b24_str_t *text, u_char code[3],
    int *sign)
{
    int        rc, digits;
    u_char     buf[B24_MONEY_SIGN_LEN];
    size_t     i;
    b24_str_t  s;

    /* mostly it is the code alone, which is none of the signs */

    if (text->len == 3 && b24_currency_letters(text, 1)) {
        memcpy(code, text->data, 3);
        *sign = 0;

        return B24_OK;
    }

    rc = b24_money_sign(pool, text, buf, &s, &digits);
    if (rc != B24_OK) {
        return rc;
    }

    for (i = 0; i < sizeof(b24_signs) / sizeof(b24_sign_t); i++) {

        if (!b24_str_eqs(&s, b24_signs[i].sign)) {
            continue;
        }

        if (b24_signs[i].code == NULL) {
            return B24_DECLINED;
        }

        memcpy(code, b24_signs[i].code, 3);
        *sign = 1;

        return B24_OK;
    }

    /* beside a number small letters are a word: "12 pcs" */

    if (!b24_currency_letters(&s, digits)) {
        return B24_DECLINED;
    }

    for (i = 0; i < 3; i++) {
        code[i] = (u_char) (b24_tolower(buf[i]) - 'a' + 'A');
    }

    *sign = 0;

    return B24_OK;
}


static int
b24_currency_letters(const b24_str_t *text, int upper)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < text->len; i++) {
        c = upper ? text->data[i] : b24_tolower(text->data[i]);

        if (upper ? (c < 'A' || c > 'Z') : (c < 'a' || c > 'z')) {
            return 0;
        }
    }

    return text->len == 3;
}


int
b24_currency_thousandths(const b24_str_t *code)
{
    size_t                    i;
    static const char *const  codes[] = { "BHD", "IQD", "JOD", "KWD", "LYD",
                                          "OMR", "TND" };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {

        if (b24_str_eqs(code, codes[i])) {
            return 1;
        }
    }

    return 0;
}
