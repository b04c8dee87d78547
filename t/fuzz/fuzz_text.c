
/*
 * Charsets, entities and tags: whatever comes in, clean UTF-8 goes out.
 * With the first byte above 127 the text is a plan of pieces (fuzz.h).
 *
 * Aims at: order/b24_text.c order/b24_html.c
 */

#include "fuzz.h"
#include "b24_text.h"


#define CHECK(cond)  if (!(cond)) { abort(); }


static const char *const  charsets[] = {
    "", "utf-8", "windows-1251", "koi8-r", "windows-1252", "gb18030", "big5", "shift_jis", "euc-kr", "windows-1258", "no-such"
};


static const char *const  pieces[] = {
    "&amp;", "&lt;", "&nbsp;", "&#38;", "&#x26;", "&#0;", "&#x110000;", "&#10;",
    "&#xD800;", "&apos;", "&amp", "&", "&amp;lt;", "&euro;", "&Alpha;", "&;",
    "<b>", "</b>", "<br>", "<br/>", "<script>", "</script>", "<style>",
    "</style>", "<!--", "-->", "<p a='>'>", "<", ">", "<td", "\xc2\xa0",
    "\xe2\x80\x89", "\xe2\x80\xaf", " ", "\t", "\r\n", "\r", "\x01", "\x7f",
    "\xd0\x98", "\xc8", "\xff", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
    "\xf0\x9f\x8c\xb7", "\xef\xbb\xbf", "a", "SCRIPT", "charset=", "\"", "'",
    "\x81\x30\x81\x30", "\xb0\xa1", "<![CDATA[", "]]>", "<?php", "?>", "&#1234567890123;"
};


static void
check_clean(const b24_str_t *s)
{
    size_t  i;

    CHECK(b24_utf8_valid(s));
    CHECK(s->data[s->len] == '\0');

    for (i = 0; i < s->len; i++) {
        CHECK(s->data[i] >= 0x20 || s->data[i] == '\t' || s->data[i] == '\n');
        CHECK(s->data[i] != 0x7f);
    }
}


/* the first byte chooses the charset and where to cut */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    b24_str_t    src, cs, text, d, again;
    b24_pool_t  *pool;

    if (size == 0) {
        return 0;
    }

    pool = b24_pool_create(0);

    src.data = (u_char *) data + 1;
    src.len = size - 1;

    if (data[0] & 0x80) {
        fuzz_t  f;

        f.p = data + 1;
        f.end = data + size;
        f.pool = pool;
        src = fuzz_pieces(&f, pieces, sizeof(pieces) / sizeof(pieces[0]), 255);
    }

    cs.data = (u_char *) charsets[data[0] % (sizeof(charsets) / sizeof(charsets[0]))];
    cs.len = strlen((char *) cs.data);

    CHECK(b24_text_utf8(pool, &src, &cs, &text) == B24_OK);
    check_clean(&text);

    CHECK(b24_text_utf8(pool, &text, &cs, &again) == B24_OK);
    CHECK(b24_str_eq(&text, &again));

    CHECK(b24_text_entities(pool, &text, &d) == B24_OK);
    CHECK(d.len <= text.len);
    check_clean(&d);

    CHECK(b24_text_strip(pool, &text, &d) == B24_OK);
    CHECK(d.len <= text.len);
    check_clean(&d);
    CHECK(d.len == 0 || (d.data[0] != ' ' && d.data[d.len - 1] != ' '));
    CHECK(b24_str_find(&d, 0, "  ") == -1);

    b24_text_cut(&text, data[0]);
    CHECK(text.len <= data[0] && b24_utf8_valid(&text));

    /* bytes as they come must not do harm either */

    CHECK(b24_text_entities(pool, &src, &d) == B24_OK);
    CHECK(b24_text_strip(pool, &src, &d) == B24_OK);
    b24_text_charset(&src, &cs);
    CHECK(b24_text_utf8(pool, &src, &cs, &d) == B24_OK);
    check_clean(&d);

    b24_pool_destroy(pool);

    return 0;
}
