
/* Which of the portal's measures a text of the shop names. */


#include "b24_rows_int.h"


#define B24_UNIT_MAX      24        /* bytes of a measure's text */


typedef struct {
    int          code;
    const char  *text;
} b24_measure_t;


static size_t b24_measure_plain(const b24_str_t *text, u_char *plain);


/*
 * The measures every portal has; one that it doesn't know would leave the
 * quantity without a unit.  Cyrillic texts are in UTF-8, lower case.
 */
static const b24_measure_t  b24_measures[] = {
    { 796, "\xD1\x88\xD1\x82" },                                /* sht */
    { 796, "\xD1\x88\xD1\x82\xD1\x83\xD0\xBA\xD0\xB0" },        /* shtuka */
    { 796, "\xD1\x88\xD1\x82\xD1\x83\xD0\xBA\xD0\xB8" },        /* shtuki */
    { 796, "\xD1\x88\xD1\x82\xD1\x83\xD0\xBA" },                /* shtuk */
    { 796, "pc" },
    { 796, "pcs" },
    { 796, "pce" },
    { 796, "piece" },
    { 796, "pieces" },
    { 166, "\xD0\xBA\xD0\xB3" },                                /* kg */
    { 166, "kg" },
    { 166, "kgm" },
    { 163, "\xD0\xB3" },                                        /* g */
    { 163, "\xD0\xB3\xD1\x80" },                                /* gr */
    { 163, "g" },
    { 163, "grm" },
    { 112, "\xD0\xBB" },                                        /* l */
    { 112, "\xD0\xBB\xD0\xB8\xD1\x82\xD1\x80" },                /* litr */
    { 112, "l" },
    { 112, "ltr" },
    { 6,   "\xD0\xBC" },                                        /* m */
    { 6,   "\xD0\xBC\xD0\xB5\xD1\x82\xD1\x80" },                /* metr */
    { 6,   "m" },
    { 6,   "mtr" }
};


/* 0: none, or one that not every portal has */

int
b24_row_measure(const b24_str_t *text)
{
    int        code;
    u_char     plain[B24_UNIT_MAX];
    size_t     i;
    b24_str_t  s;

    s.data = plain;
    s.len = b24_measure_plain(text, plain);

    code = 0;

    for (i = 0; i < s.len && i < 4 && b24_isdigit(plain[i]); i++) {
        code = code * 10 + (plain[i] - '0');
    }

    if (i == s.len) {
        return code;
    }

    for (i = 0; i < sizeof(b24_measures) / sizeof(b24_measures[0]); i++) {

        if (b24_str_eqs(&s, b24_measures[i].text)) {
            return b24_measures[i].code;
        }
    }

    return 0;
}


/* Latin and Russian letters in lower case, without blanks around and the dot of
 * a short form; 0: nothing is left, or too much */

static size_t
b24_measure_plain(const b24_str_t *text, u_char *plain)
{
    u_char     c;
    size_t     i;
    b24_str_t  s;

    s = *text;
    b24_str_trim(&s);

    if (s.len && s.data[s.len - 1] == '.') {
        s.len--;
    }

    if (s.len > B24_UNIT_MAX) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        c = b24_tolower(s.data[i]);

        /* U+0410 .. U+042F are D0 90 .. D0 AF, their small letters D0 B0 ..
         * D0 BF and D1 80 .. D1 8F */

        if (i && s.data[i - 1] == 0xD0 && c >= 0x90 && c <= 0xAF) {

            if (c < 0xA0) {
                c += 0x20;

            } else {
                plain[i - 1] = 0xD1;
                c -= 0x20;
            }
        }

        plain[i] = c;
    }

    return s.len;
}
