
/* Charsets, entities, tags, percent codes, request targets, compression. */

#include "tap.h"
#include "b24_text.h"

#include <stdlib.h>
#include <zlib.h>


static b24_pool_t  *pool;


typedef int (*text_pt)(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);


/* for a line of TAP; good for two texts at a time */
static const char *
shown(const char *text)
{
    size_t       i;
    char        *buf;
    static char  bufs[2][80];
    static int   turn;

    buf = bufs[turn++ & 1];

    for (i = 0; i + 1 < sizeof(bufs[0]) && text[i]; i++) {
        buf[i] = text[i];

        if ((u_char) text[i] < 0x20) {
            buf[i] = '.';
        }
    }

    buf[i] = '\0';

    return buf;
}


static void
is_text(text_pt fn, const char *text, const char *want)
{
    b24_str_t  s, d;

    s = str(text);
    d.data = NULL;
    d.len = 0;

    if (fn(pool, &s, &d) != B24_OK) {
        ok(0, "%s: not done", text);
        return;
    }

    ok(b24_str_eqs(&d, want) && d.data[d.len] == '\0', "\"%s\" becomes \"%s\"%s%.*s", shown(text), shown(want), b24_str_eqs(&d, want) ? "" : ", got ", b24_str_eqs(&d, want) ? 0 : (int) d.len, d.data);
}


static void
is_utf8(const char *text, size_t len, const char *charset, const char *want, const char *name)
{
    b24_str_t  s, cs, d;

    s.data = (u_char *) text;
    s.len = len;
    cs = str(charset);

    if (b24_text_utf8(pool, &s, &cs, &d) != B24_OK) {
        ok(0, "%s: not done", name);
        return;
    }

    is_str(&d, want, name);
}


#define UTF8(text, charset, want, name)                                       \
    is_utf8(text, sizeof(text) - 1, charset, want, name)


static void
test_valid(void)
{
    size_t                    i;
    b24_str_t                 s;
    static const char *const  good[] = {
        "", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "\xf0\x9f\x8e\x81", NULL
    };
    static const char *const  bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "ab\xd0", "\xc8\xe2\xe0\xed", NULL
    };

    for (i = 0; good[i]; i++) {
        s = str(good[i]);
        ok(b24_utf8_valid(&s), "valid UTF-8 %d", (int) i);
    }

    for (i = 0; bad[i]; i++) {
        s = str(bad[i]);
        ok(!b24_utf8_valid(&s), "invalid UTF-8 %d", (int) i);
    }

    s.data = NULL;
    s.len = 0;
    ok(b24_utf8_valid(&s), "no text is valid");

    s.data = (u_char *) "a\0b";
    s.len = 3;
    ok(b24_utf8_valid(&s), "a zero byte is UTF-8");
}


/* every character there is goes through, and nothing else */
static void
test_characters(void)
{
    int            bad;
    u_char         buf[4];
    size_t         n;
    uint32_t       c, got;
    const u_char  *p;

    bad = 0;

    for (c = 0; c < 0x110100; c++) {
        n = b24_utf8_encode(buf, c);
        p = buf;
        got = b24_utf8_next(&p, buf + n);

        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
            bad += (got != 0xfffd || n != 3);

        } else {
            bad += (got != c || p != buf + n);
        }
    }

    is_int(bad, 0, "every character is encoded and read back");

    bad = 0;

    for (c = 0x80; c < 0x110000; c += 257) {
        n = b24_utf8_encode(buf, c);
        p = buf;
        bad += (b24_utf8_next(&p, buf + n - 1) != B24_UTF8_BAD || p != buf + n - 1);
    }

    is_int(bad, 0, "cut characters are bad and skipped as one piece");
}


static void
test_charsets(void)
{
    size_t       i;
    b24_str_t    s, cs, d;
    u_char       all[256];

    UTF8("plain", "", "plain", "ASCII stays");
    UTF8("\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "windows-1251", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "valid UTF-8 stays whatever the charset says");
    UTF8("\xc8\xe2\xe0\xed\xee\xe2", "", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "windows-1251 is the one left");
    UTF8("\xc8\xe2\xe0\xed\xee\xe2", "Windows-1251", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "windows-1251 by its name");
    UTF8("\xc8\xe2\xe0\xed\xee\xe2", "cp1251", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "... by another name");
    UTF8("\xc8\xe2\xe0\xed\xee\xe2", "no-such-charset", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "an unknown charset counts as none");
    UTF8("\xc8\xe2\xe0\xed\xee\xe2", "a-charset-whose-name-is-far-longer-than-any-of-them", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "... and one with a long name");
    UTF8("\xe9\xd7\xc1\xce\xcf\xd7", "KOI8-R", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "KOI8-R");
    UTF8("\x88\xa2\xa0\xad\xae\xa2", "cp866", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2", "CP866");
    UTF8("caf\xe9 \x80", "ISO-8859-1", "caf\xc3\xa9 \xe2\x82\xac", "Latin-1 is read as windows-1252");
    UTF8("\x93\xfa\x96{", "Shift_JIS", "\xe6\x97\xa5\xe6\x9c\xac", "Shift_JIS");
    UTF8("Caf\xe9\xd0\x98", "utf-8", "Caf\xef\xbf\xbd\xd0\x98", "bad bytes of declared UTF-8 become U+FFFD");
    UTF8("\xf0\x9f\x8e", "UTF-8", "\xef\xbf\xbd", "a cut character becomes one of them");
    UTF8("a\x98" "b\xc8", "", "a\xef\xbf\xbd" "b\xd0\x98", "the byte windows-1251 lacks");
    UTF8("a\x81" "b", "windows-1252", "a\xef\xbf\xbd" "b", "a byte windows-1252 lacks");
    UTF8("\x93", "Shift_JIS", "\xef\xbf\xbd", "half a character of Shift_JIS");

    UTF8("a\0b", "", "ab", "zero bytes go");
    UTF8("a\x01\x1f\x7f\x0b\x1b[31mb", "", "a[31mb", "control characters go");
    UTF8("a\xc2\x85" "b\xc2\x9b" "c\xc2\xa0", "", "abc\xc2\xa0", "the second set of them, too");
    UTF8("a\tb\nc", "", "a\tb\nc", "tab and new line stay");
    UTF8("a\r\nb\rc\n\rd\r", "", "a\nb\nc\n\nd\n", "ends of lines become \\n");
    UTF8("\xc8\0\xe2\r\n", "", "\xd0\x98\xd0\xb2\n", "... in other charsets too");
    UTF8("", "", "", "nothing");

    s.data = NULL;
    s.len = 0;
    is_int(b24_text_utf8(pool, &s, &s, &d), B24_OK, "NULL text, NULL charset");
    is_int((long long) d.len, 0, "... is empty");

    for (i = 0; i < sizeof(all); i++) {
        all[i] = (u_char) i;
    }

    cs = str("GB18030");
    s.data = all;
    s.len = sizeof(all);
    is_int(b24_text_utf8(pool, &s, &cs, &d) == B24_OK && b24_utf8_valid(&d), 1, "all bytes there are");

    /* more than one chunk of conversion, with a bad byte at a seam */

    s.len = 5000;
    s.data = b24_pnalloc(pool, s.len);
    memset(s.data, 0xe9, s.len);
    s.data[511] = 0x81;
    cs = str("windows-1252");
    is_int(b24_text_utf8(pool, &s, &cs, &d) == B24_OK && d.len == 2 * 4999 + 3, 1, "a long text");
}


static void
is_charset(const char *type, const char *want)
{
    b24_str_t  s, d;

    s = str(type);
    b24_text_charset(&s, &d);
    is_str(&d, want, type);
}


static void
test_content_type(void)
{
    b24_str_t  s, d;

    is_charset("", "");
    is_charset("text/html", "");
    is_charset("text/html;", "");
    is_charset("text/html; charset=UTF-8", "UTF-8");
    is_charset("text/html;charset=windows-1251", "windows-1251");
    is_charset("text/html ; CharSet = \"koi8-r\" ; x=y", "koi8-r");
    is_charset("text/html; charset='utf-8'", "utf-8");
    is_charset("multipart/form-data; boundary=\"a;charset=bad\"; charset=cp1251", "cp1251");
    is_charset("text/html; notcharset=a; charset=b; charset=c", "b");
    is_charset("text/html; charset", "");
    is_charset("text/html; charset=", "");
    is_charset("text/html; charset=\"utf-8", "utf-8");
    is_charset("text/html;;; charset=utf-8", "utf-8");
    is_charset("charset=utf-8", "");

    s.data = NULL;
    s.len = 0;
    b24_text_charset(&s, &d);
    is_int((long long) d.len, 0, "no Content-Type");
}


static void
test_entities(void)
{
    is_text(b24_text_entities, "", "");
    is_text(b24_text_entities, "a & b", "a & b");
    is_text(b24_text_entities, "AT&T; &", "AT&T; &");
    is_text(b24_text_entities, "&amp;&lt;&gt;&quot;&apos;&#039;", "&<>\"''");
    is_text(b24_text_entities, "&amp;quot;&amp;amp;", "&quot;&amp;");
    is_text(b24_text_entities, "\xd0\x9e&#8217;\xd0\x9d\xd0\xb8\xd0\xbb", "\xd0\x9e\xe2\x80\x99\xd0\x9d\xd0\xb8\xd0\xbb");
    is_text(b24_text_entities, "&#8381;&#x20BD;&#X20bd;", "\xe2\x82\xbd\xe2\x82\xbd\xe2\x82\xbd");
    is_text(b24_text_entities, "1&nbsp;490 &euro;&times;", "1\xc2\xa0" "490 \xe2\x82\xac\xc3\x97");
    is_text(b24_text_entities, "&laquo;&raquo;&ldquo;&rdquo;&hellip;&ndash;&mdash;", "\xc2\xab\xc2\xbb\xe2\x80\x9c\xe2\x80\x9d\xe2\x80\xa6\xe2\x80\x93\xe2\x80\x94");
    is_text(b24_text_entities, "&AElig;&zwnj;&thetasym;&alefsym;", "\xc3\x86\xe2\x80\x8c\xcf\x91\xe2\x84\xb5");
    is_text(b24_text_entities, "&unknown;&amp &toolongforaname;&;&#;&#x;&#xg;", "&unknown;&amp &toolongforaname;&;&#;&#x;&#xg;");
    is_text(b24_text_entities, "?a=1&copy=2&lt", "?a=1&copy=2&lt");
    is_text(b24_text_entities, "&#128;&#153;", "\xe2\x82\xac\xe2\x84\xa2");
    is_text(b24_text_entities, "&#0;&#xd800;&#x110000;&#99999999999;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    is_text(b24_text_entities, "&#12345678901234567890;", "&#12345678901234567890;");
    is_text(b24_text_entities, "a&#1;b&#127;c", "abc");
    is_text(b24_text_entities, "a&#13;&#10;b&#13;c&#9;d&#10;&#10;e", "a\nb\nc\td\n\ne");
    is_text(b24_text_entities, "&#128513;", "\xf0\x9f\x98\x81");
    is_text(b24_text_entities, "&lt;script&gt;", "<script>");
    is_text(b24_text_entities, "&a", "&a");
}


static void
test_strip(void)
{
    is_text(b24_text_strip, "", "");
    is_text(b24_text_strip, "  a \t\r\n b  ", "a b");
    is_text(b24_text_strip, "<b>bold</b>er", "bolder");
    is_text(b24_text_strip, "one<br>two<br/>three<BR />four", "one two three four");
    is_text(b24_text_strip, "<ul><li>a</li><li>b</li></ul>c<p>d", "a b c d");
    is_text(b24_text_strip, "<td class=\"text-left\">iPhone<br />\n  &nbsp;<small> - Colour: Black</small></td>", "iPhone - Colour: Black");
    is_text(b24_text_strip, "a<!-- > <b> -->b<!---->c<!-->d<!doctype html>e<?php echo '1' ?>f", "abcdef");
    is_text(b24_text_strip, "a<script>if (a < b) { '</b>' }</script>b<style type=\"text/css\">p > a {}</STYLE >c", "abc");
    is_text(b24_text_strip, "a<script>never closed </scripts", "a");
    is_text(b24_text_strip, "<a title=\"x > y\" href='?a>b'>text</a>", "text");
    is_text(b24_text_strip, "<a title=it's>text</a>", "text");
    is_text(b24_text_strip, "a < b <3 <- > c", "a < b <3 <- > c");
    is_text(b24_text_strip, "a <b", "a");
    is_text(b24_text_strip, "a<", "a<");
    is_text(b24_text_strip, "a</", "a</");
    is_text(b24_text_strip, "<!", "");
    is_text(b24_text_strip, "&lt;b&gt; &amp;amp;", "<b> &amp;");
    is_text(b24_text_strip, "&am<i></i>p;", "&amp;");
    is_text(b24_text_strip, "1\xc2\xa0" "490,50\xe2\x80\xaf\xe2\x82\xbd&nbsp;&nbsp;", "1 490,50 \xe2\x82\xbd");
    is_text(b24_text_strip, "<div></div>", "");
    is_text(b24_text_strip, "<strong>\xd0\x9a\xd1\x80\xd1\x83\xd0\xb6\xd0\xba\xd0\xb0</strong> \xc3\x97 2", "\xd0\x9a\xd1\x80\xd1\x83\xd0\xb6\xd0\xba\xd0\xb0 \xc3\x97 2");
    is_text(b24_text_strip, "a\xff" "b", "a\xff" "b");
}


static void
test_percent(void)
{
    b24_str_t  s, d;
    b24_buf_t  out;

    is_text(b24_text_unescape, "", "");
    is_text(b24_text_unescape, "a%20b+c%2B", "a b+c+");
    is_text(b24_text_unescape, "%d0%98%D0%B2", "\xd0\x98\xd0\xb2");
    is_text(b24_text_unescape, "%", "%");
    is_text(b24_text_unescape, "%2", "%2");
    is_text(b24_text_unescape, "%zz%2g%g2%%41", "%zz%2g%g2%A");
    is_text(b24_text_unescape, "%2541", "%41");

    s = str("a%00b");
    is_int(b24_text_unescape(pool, &s, &d) == B24_OK && d.len == 3 && d.data[1] == '\0', 1, "%00 gives a zero byte");

    is_text(b24_text_unescape_id, "57%2F2026", "57/2026");
    is_text(b24_text_unescape_id, "57%252F2026", "57/2026");
    is_text(b24_text_unescape_id, "57%25252F2026", "57%2F2026");
    is_text(b24_text_unescape_id, "A-57", "A-57");
    is_text(b24_text_unescape_id, "100%", "100%");

    b24_buf_init(&out, pool);
    s = str("aZ09-._~ /?&=+%\"$[\xd0\x98");
    b24_text_escape(&out, &s);
    b24_buf_str(&out, &d);
    is_str(&d, "aZ09-._~%20%2F%3F%26%3D%2B%25%22%24%5B%D0%98", "all but unreserved bytes are escaped");
}


static void
is_target(const char *target, const char *path, const char *args)
{
    int        rc;
    b24_str_t  s, p, a;

    s = str(target);
    rc = b24_text_target(pool, &s, &p, &a);

    ok(path ? rc == B24_OK && b24_str_eqs(&p, path) && b24_str_eqs(&a, args) && p.data[p.len] == '\0' : rc == B24_DECLINED,
       "target %s is %s, %s%s%.*s", target, path ? path : "none", args ? args : "", rc == B24_OK ? ", got " : "", rc == B24_OK ? (int) p.len : 0, rc == B24_OK ? (char *) p.data : "");
}


static void
test_target(void)
{
    b24_str_t  s, p, a;

    is_target("/", "/", "");
    is_target("/checkout/", "/checkout/", "");
    is_target("/a/b?c=d%20e", "/a/b", "c=d%20e");
    is_target("/?wc-ajax=checkout", "/", "wc-ajax=checkout");
    is_target("/a?b?c#d?e", "/a", "b?c");
    is_target("/a#b?c", "/a", "");
    is_target("/a%20b//../c?x=1", "/c", "x=1");
    is_target("//a///b//", "/a/b/", "");
    is_target("/a/./b/.", "/a/b/", "");
    is_target("/a/../b", "/b", "");
    is_target("/a/b/..", "/a/", "");
    is_target("/a/..", "/", "");
    is_target("/./", "/", "");
    is_target("/.", "/", "");
    is_target("/.a/..b/...", "/.a/..b/...", "");
    is_target("/%2e%2e/a", NULL, NULL);
    is_target("/a%2F%2e%2E%2fb", "/b", "");
    is_target("/a%3Fb%23c%25d", "/a?b#c%d", "");
    is_target("/a%252e", "/a%2e", "");
    is_target("/a+b", "/a+b", "");
    is_target("/%d0%98", "/\xd0\x98", "");
    is_target("/..", NULL, NULL);
    is_target("/a/../../b", NULL, NULL);
    is_target("/a/../..", NULL, NULL);
    is_target("/a%", NULL, NULL);
    is_target("/a%4", NULL, NULL);
    is_target("/a%zz", NULL, NULL);
    is_target("/a%00b", NULL, NULL);
    is_target("", NULL, NULL);
    is_target("?a", NULL, NULL);
    is_target("*", NULL, NULL);
    is_target("a/b", NULL, NULL);
    is_target("http://shop.test/a/b?c", "/a/b", "c");
    is_target("HTTPS://shop.test:443", "/", "");
    is_target("http://shop.test?c=/d", "/", "c=/d");
    is_target("http:///a", "/a", "");
    is_target("://a/b", NULL, NULL);

    s.data = (u_char *) "/a\0b";
    s.len = 4;
    is_int(b24_text_target(pool, &s, &p, &a), B24_DECLINED, "a zero byte in the target");

    s.data = NULL;
    s.len = 0;
    is_int(b24_text_target(pool, &s, &p, &a), B24_DECLINED, "no target");
}


static void
is_cut(const char *text, size_t max, const char *want)
{
    b24_str_t  s;

    s = str(text);
    b24_text_cut(&s, max);
    ok(b24_str_eqs(&s, want), "cut to %d: %d bytes", (int) max, (int) s.len);
}


static void
test_cut(void)
{
    is_cut("abc", 5, "abc");
    is_cut("abc", 3, "abc");
    is_cut("abc", 2, "ab");
    is_cut("abc", 0, "");
    is_cut("\xd0\x98\xd0\xb2", 3, "\xd0\x98");
    is_cut("\xd0\x98\xd0\xb2", 2, "\xd0\x98");
    is_cut("\xd0\x98\xd0\xb2", 1, "");
    is_cut("a\xe2\x82\xbd", 3, "a");
    is_cut("a\xf0\x9f\x8e\x81", 4, "a");
    is_cut("a\xf0\x9f\x8e\x81", 2, "a");
    is_cut("\xf0\x9f\x8e\x81", 3, "");
    is_cut("\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80");
}


static b24_str_t
deflated(const void *data, size_t len, int bits, size_t *room)
{
    z_stream   z;
    b24_str_t  s;

    memset(&z, 0, sizeof(z_stream));

    if (deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }

    *room = deflateBound(&z, (uLong) len) + 64;
    s.data = b24_pnalloc(pool, *room);

    z.next_in = (Bytef *) data;
    z.avail_in = (uInt) len;
    z.next_out = s.data;
    z.avail_out = (uInt) *room;

    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        abort();
    }

    s.len = z.total_out;
    *room -= s.len;
    deflateEnd(&z);

    return s;
}


static void
test_inflate_kind(int bits, const char *name)
{
    int         bad;
    size_t      i, len, room;
    u_char     *text;
    b24_str_t   s, cut, d;

    len = 100000;
    text = b24_pnalloc(pool, len);

    for (i = 0; i < len; i++) {
        text[i] = (u_char) (i * i / 97 % 251);
    }

    s = deflated(text, len, bits, &room);

    is_int(b24_inflate(pool, &s, len, &d), B24_OK, name);
    ok(d.len == len && memcmp(d.data, text, len) == 0 && d.data[len] == '\0', "%s: the same bytes", name);
    is_int(b24_inflate(pool, &s, len - 1, &d), B24_DECLINED, "... larger than allowed by a byte");
    is_int(b24_inflate(pool, &s, SIZE_MAX, &d), B24_OK, "... without a bound");

    bad = 0;

    for (i = 0; i < s.len; i += (i + 40 < s.len && i > 40) ? 997 : 1) {
        cut = s;
        cut.len = i;
        bad += (b24_inflate(pool, &cut, len, &d) != B24_DECLINED);
    }

    is_int(bad, 0, "... cut short anywhere");

    s.data[s.len / 2] ^= 0xff;
    s.data[s.len / 2 + 1] ^= 0xff;
    (void) b24_inflate(pool, &s, len, &d);
    ok(bits < 0 || b24_inflate(pool, &s, len, &d) == B24_DECLINED, "%s: broken in the middle", name);

    s = deflated("", 0, bits, &room);
    is_int(b24_inflate(pool, &s, 0, &d) == B24_OK && d.len == 0, 1, "... of nothing, when nothing is allowed");

    s = deflated("x", 1, bits, &room);
    is_int(b24_inflate(pool, &s, 0, &d), B24_DECLINED, "... of a byte, when nothing is allowed");
    s.data[s.len++] = '\n';
    s.data[s.len] = '\0';
    is_int(b24_inflate(pool, &s, 10, &d) == B24_OK, bits > 0, "... with a byte behind its end");
}


static void
test_inflate(void)
{
    size_t      room, used;
    u_char     *zeros;
    b24_str_t   one, two, s, d;
    b24_pool_t *tiny;

    test_inflate_kind(MAX_WBITS + 16, "gzip");
    test_inflate_kind(MAX_WBITS, "zlib");
    test_inflate_kind(-MAX_WBITS, "raw deflate");

    one = deflated("{\"id\":", 6, MAX_WBITS + 16, &room);
    two = deflated("57}", 3, MAX_WBITS + 16, &room);

    s.len = one.len + two.len;
    s.data = b24_pnalloc(pool, s.len);
    memcpy(s.data, one.data, one.len);
    memcpy(s.data + one.len, two.data, two.len);
    is_int(b24_inflate(pool, &s, 100, &d), B24_OK, "two members of gzip");
    is_str(&d, "{\"id\":57}", "... are one text");
    is_int(b24_inflate(pool, &s, 8, &d), B24_DECLINED, "... bounded together");
    s.len--;
    is_int(b24_inflate(pool, &s, 100, &d), B24_DECLINED, "the second one cut short");

    s = str("{\"id\":57}");
    is_int(b24_inflate(pool, &s, 100, &d), B24_DECLINED, "JSON is not compressed");
    s = str("<!DOCTYPE html><html><body>It is no stream</body></html>");
    is_int(b24_inflate(pool, &s, 1000, &d), B24_DECLINED, "HTML is not compressed");
    s = str("");
    is_int(b24_inflate(pool, &s, 100, &d), B24_DECLINED, "nothing");
    s.data = NULL;
    is_int(b24_inflate(pool, &s, 100, &d), B24_DECLINED, "NULL");

    /* a raw stream that begins like zlib's header: a stored block of 0x6a01
     * bytes whose first byte has padding bits that make it 0x78 */

    s.len = 5 + 0x6a01 + 5;
    s.data = b24_pcalloc(pool, s.len);
    memcpy(s.data, "\x78\x01\x6a\xfe\x95", 5);
    memcpy(s.data + s.len - 5, "\x01\x00\x00\xff\xff", 5);
    is_int(b24_inflate(pool, &s, 100000, &d), B24_OK, "raw deflate that begins as zlib does");
    is_int((long long) d.len, 0x6a01, "... has all its bytes");

    /* 8 MiB out of 8 KiB */

    zeros = calloc(1, 8 << 20);
    s = deflated(zeros, 8 << 20, MAX_WBITS + 16, &room);
    free(zeros);

    used = b24_pool_used(pool);
    is_int(b24_inflate(pool, &s, 1 << 20, &d), B24_DECLINED, "a bomb");
    is_int((long long) (b24_pool_used(pool) - used), 0, "... takes nothing of the pool");

    tiny = b24_pool_create(100);
    is_int(b24_inflate(tiny, &s, 10 << 20, &d), B24_ERROR, "... nor more than the pool has");
    b24_pool_destroy(tiny);
}


static void
test_shared(void)
{
    b24_str_t    s;
    b24_pool_t  *one, *two;

    one = b24_pool_create(0);

    (void) b24_pstrdup(one, &s, (u_char *) "text", 4);

    two = b24_pool_share(one);
    ok(two == one, "a pool that is shared");

    b24_pool_destroy(one);
    is_str(&s, "text", "stays until it is destroyed");
    b24_pool_destroy(two);
}


static void
test_grow(void)
{
    int          *list;
    size_t        n, i, bad;
    b24_pool_t   *small;

    list = NULL;
    bad = 0;

    for (n = 0; n < 1000; n++) {
        list = b24_pgrow(pool, list, n, sizeof(int));
        list[n] = (int) n;

        for (i = 0; i <= n; i++) {
            bad += list[i] != (int) i;
        }
    }

    is_int((long long) bad, 0, "a list that grows keeps its elements");

    small = b24_pool_create(4 * sizeof(int));

    list = b24_pgrow(small, NULL, 0, sizeof(int));
    ok(list && b24_pgrow(small, list, 3, sizeof(int)) == list, "room for four");
    ok(b24_pgrow(small, list, 4, sizeof(int)) == NULL, "no memory for a fifth");

    b24_pool_destroy(small);
}


/* each function with no memory left */
static void
test_memory(void)
{
    b24_str_t    s, cs, d, a;
    b24_pool_t  *none;

    none = b24_pool_create(1);
    s = str("/\xc8\xe2");
    cs = str("");

    is_int(b24_text_utf8(none, &s, &cs, &d), B24_ERROR, "windows-1251 without memory");
    cs = str("koi8-r");
    is_int(b24_text_utf8(none, &s, &cs, &d), B24_ERROR, "KOI8-R without memory");
    cs = str("utf-8");
    is_int(b24_text_utf8(none, &s, &cs, &d), B24_ERROR, "bad UTF-8 without memory");
    s = str("/abc");
    is_int(b24_text_utf8(none, &s, &cs, &d), B24_ERROR, "a clean text without memory");
    is_int(b24_text_entities(none, &s, &d), B24_ERROR, "entities without memory");
    is_int(b24_text_strip(none, &s, &d), B24_ERROR, "tags without memory");
    is_int(b24_text_unescape(none, &s, &d), B24_ERROR, "percent codes without memory");
    is_int(b24_text_unescape_id(none, &s, &d), B24_ERROR, "an id without memory");
    is_int(b24_text_target(none, &s, &d, &a), B24_ERROR, "a target without memory");

    b24_pool_destroy(none);
}


/* each byte at each place of texts of all lengths, eight bytes at once */

static void
test_words(void)
{
    int      c, bad;
    size_t   len, at, i;
    u_char   text[32];

    bad = 0;

    for (len = 1; len < sizeof(text); len++) {

        for (at = 0; at < len; at++) {

            for (c = 0; c < 256; c++) {
                memset(text, 'x', sizeof(text));
                text[at] = (u_char) c;

                i = (c < 0x20 || c == '"' || c == '\\') ? at : len;
                bad += b24_text_plain(text, text + len) != text + i;

                i = (c >= 0x80) ? at : i;
                bad += b24_text_simple(text, text + len) != text + i;

                i = (c >= 0x80) ? at : len;
                bad += b24_text_ascii(text, text + len) != text + i;
            }
        }
    }

    is_int(bad, 0, "the first byte that is not plain, or no ASCII");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_words();
    test_valid();
    test_characters();
    test_charsets();
    test_content_type();
    test_entities();
    test_strip();
    test_percent();
    test_target();
    test_cut();
    test_inflate();
    test_memory();
    test_shared();
    test_grow();

    b24_pool_destroy(pool);

    return done_testing();
}
