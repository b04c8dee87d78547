
#include "b24_text.h"

#include <endian.h>
#include <iconv.h>


#define B24_TEXT_ONES         0x0101010101010101ULL
#define B24_TEXT_HIGH         (B24_TEXT_ONES * 0x80)
#define B24_CHARSET_NAME      24        /* the longest name looked at */
#define B24_CONVERT_CHUNK     512


typedef struct {
    const char  *name;              /* lower case, letters and digits only */
    const char  *iconv;             /* NULL: UTF-8 itself */
} b24_charset_t;


static const u_char *b24_charset_value(const u_char *p, const u_char *end,
    b24_str_t *value);
static int b24_text_clean(b24_pool_t *pool, const b24_str_t *src,
    b24_str_t *dst);
static int b24_text_convert(b24_pool_t *pool, const b24_str_t *src,
    const b24_str_t *charset, b24_str_t *dst);
static const b24_charset_t *b24_charset_find(const b24_str_t *name);
static void b24_convert_utf8(b24_buf_t *out, const b24_str_t *src);
static void b24_convert_1251(b24_buf_t *out, const b24_str_t *src);
static void b24_convert_iconv(b24_buf_t *out, const b24_str_t *src,
    iconv_t cd);
static void b24_convert_char(b24_buf_t *out, uint32_t c);


/*
 * The name comes from the buyer, and iconv_open() loads whatever module it is
 * asked for; hence a list.  As browsers have it, ASCII and the Latin-1 family
 * stand for their Windows supersets.  windows-1251 is not here: it is what is
 * left when no other fits.
 */
static const b24_charset_t  b24_charsets[] = {
    { "utf8", NULL },
    { "windows1250", "CP1250" },
    { "cp1250", "CP1250" },
    { "windows1252", "CP1252" },
    { "cp1252", "CP1252" },
    { "iso88591", "CP1252" },
    { "latin1", "CP1252" },
    { "ascii", "CP1252" },
    { "usascii", "CP1252" },
    { "windows1253", "CP1253" },
    { "cp1253", "CP1253" },
    { "windows1254", "CP1254" },
    { "cp1254", "CP1254" },
    { "iso88599", "CP1254" },
    { "windows1255", "CP1255" },
    { "windows1256", "CP1256" },
    { "windows1257", "CP1257" },
    { "cp1257", "CP1257" },
    { "windows1258", "CP1258" },
    { "koi8r", "KOI8-R" },
    { "koi8u", "KOI8-U" },
    { "cp866", "CP866" },
    { "ibm866", "CP866" },
    { "maccyrillic", "MAC-CYRILLIC" },
    { "xmaccyrillic", "MAC-CYRILLIC" },
    { "iso88592", "ISO-8859-2" },
    { "iso88593", "ISO-8859-3" },
    { "iso88594", "ISO-8859-4" },
    { "iso88595", "ISO-8859-5" },
    { "iso88596", "ISO-8859-6" },
    { "iso88597", "ISO-8859-7" },
    { "iso88598", "ISO-8859-8" },
    { "iso885910", "ISO-8859-10" },
    { "iso885913", "ISO-8859-13" },
    { "iso885914", "ISO-8859-14" },
    { "iso885915", "ISO-8859-15" },
    { "iso885916", "ISO-8859-16" },
    { "gb2312", "GB18030" },
    { "gbk", "GB18030" },
    { "gb18030", "GB18030" },
    { "big5", "BIG5-HKSCS" },
    { "shiftjis", "CP932" },
    { "sjis", "CP932" },
    { "eucjp", "EUC-JP" },
    { "euckr", "EUC-KR" },
    { NULL, NULL }
};


/* windows-1251 from 0x80; here, since it must not depend on iconv's modules */
static const uint16_t  b24_cp1251[128] = {
    0x0402, 0x0403, 0x201a, 0x0453, 0x201e, 0x2026, 0x2020, 0x2021,
    0x20ac, 0x2030, 0x0409, 0x2039, 0x040a, 0x040c, 0x040b, 0x040f,
    0x0452, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0xfffd, 0x2122, 0x0459, 0x203a, 0x045a, 0x045c, 0x045b, 0x045f,
    0x00a0, 0x040e, 0x045e, 0x0408, 0x00a4, 0x0490, 0x00a6, 0x00a7,
    0x0401, 0x00a9, 0x0404, 0x00ab, 0x00ac, 0x00ad, 0x00ae, 0x0407,
    0x00b0, 0x00b1, 0x0406, 0x0456, 0x0491, 0x00b5, 0x00b6, 0x00b7,
    0x0451, 0x2116, 0x0454, 0x00bb, 0x0458, 0x0405, 0x0455, 0x0457,
    0x0410, 0x0411, 0x0412, 0x0413, 0x0414, 0x0415, 0x0416, 0x0417,
    0x0418, 0x0419, 0x041a, 0x041b, 0x041c, 0x041d, 0x041e, 0x041f,
    0x0420, 0x0421, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427,
    0x0428, 0x0429, 0x042a, 0x042b, 0x042c, 0x042d, 0x042e, 0x042f,
    0x0430, 0x0431, 0x0432, 0x0433, 0x0434, 0x0435, 0x0436, 0x0437,
    0x0438, 0x0439, 0x043a, 0x043b, 0x043c, 0x043d, 0x043e, 0x043f,
    0x0440, 0x0441, 0x0442, 0x0443, 0x0444, 0x0445, 0x0446, 0x0447,
    0x0448, 0x0449, 0x044a, 0x044b, 0x044c, 0x044d, 0x044e, 0x044f
};


/* eight bytes at once; the first byte is the lowest */

static uint64_t
b24_text_word(const u_char *p)
{
    uint64_t  w;

    memcpy(&w, p, sizeof(w));

    return le64toh(w);
}


/* the first byte that is less than 0x20, or a, or b, or more than high */

static inline const u_char *
b24_text_find(const u_char *p, const u_char *end, u_char a, u_char b,
    u_char high)
{
    uint64_t  w, wa, wb, found;

    while (end - p >= 8) {
        w = b24_text_word(p);

        wa = w ^ (B24_TEXT_ONES * a);
        wb = w ^ (B24_TEXT_ONES * b);

        /* the highest bit of the first such byte, and of no byte before it */

        found = (((w - B24_TEXT_ONES * 0x20) & ~w)
                 | ((wa - B24_TEXT_ONES) & ~wa)
                 | ((wb - B24_TEXT_ONES) & ~wb)
                 | (high < 0xff ? w : 0))
                & B24_TEXT_HIGH;

        if (found) {
            return p + (__builtin_ctzll(found) >> 3);
        }

        p += 8;
    }

    while (p < end && *p >= 0x20 && *p != a && *p != b && *p <= high) {
        p++;
    }

    return p;
}


const u_char *
b24_text_plain(const u_char *p, const u_char *end)
{
    return b24_text_find(p, end, '"', '\\', 0xff);
}


const u_char *
b24_text_simple(const u_char *p, const u_char *end)
{
    return b24_text_find(p, end, '"', '\\', 0x7f);
}


const u_char *
b24_text_ascii(const u_char *p, const u_char *end)
{
    uint64_t  found;

    while (end - p >= 8) {
        found = b24_text_word(p) & B24_TEXT_HIGH;

        if (found) {
            return p + (__builtin_ctzll(found) >> 3);
        }

        p += 8;
    }

    while (p < end && *p < 0x80) {
        p++;
    }

    return p;
}


int
b24_utf8_valid(const b24_str_t *s)
{
    const u_char  *p, *end;

    if (s->len == 0) {                      /* its data may be NULL */
        return 1;
    }

    p = s->data;
    end = p + s->len;

    for ( ;; ) {
        p = b24_text_ascii(p, end);

        if (p == end) {
            return 1;
        }

        do {
            if (*p >= 0xc2 && *p <= 0xdf && end - p > 1
                && (p[1] & 0xc0) == 0x80)
            {
                p += 2;

            } else if (b24_utf8_next(&p, end) == B24_UTF8_BAD) {
                return 0;
            }
        } while (p < end && *p >= 0x80);
    }
}


uint32_t
b24_utf8_next(const u_char **pos, const u_char *end)
{
    u_char         lo, hi;
    unsigned       n;
    uint32_t       c;
    const u_char  *p;

    p = *pos;
    c = *p++;
    *pos = p;

    if (c < 0x80) {
        return c;
    }

    if (c < 0xc2 || c > 0xf4) {
        return B24_UTF8_BAD;
    }

    /* overlong forms, surrogates and all above U+10FFFF show in byte two */

    lo = (c == 0xe0) ? 0xa0 : (c == 0xf0) ? 0x90 : 0x80;
    hi = (c == 0xed) ? 0x9f : (c == 0xf4) ? 0x8f : 0xbf;

    n = (c < 0xe0) ? 1 : (c < 0xf0) ? 2 : 3;
    c &= 0x3fU >> n;

    while (n--) {

        if (p == end || *p < lo || *p > hi) {
            *pos = p;
            return B24_UTF8_BAD;
        }

        c = c << 6 | (*p++ & 0x3f);
        lo = 0x80;
        hi = 0xbf;
    }

    *pos = p;

    return c;
}


size_t
b24_utf8_encode(u_char *buf, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        c = B24_UTF8_REPLACEMENT;
    }

    if (c < 0x80) {
        buf[0] = (u_char) c;
        return 1;
    }

    if (c < 0x800) {
        buf[0] = (u_char) (0xc0 | c >> 6);
        buf[1] = (u_char) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        buf[0] = (u_char) (0xe0 | c >> 12);
        buf[1] = (u_char) (0x80 | (c >> 6 & 0x3f));
        buf[2] = (u_char) (0x80 | (c & 0x3f));
        return 3;
    }

    buf[0] = (u_char) (0xf0 | c >> 18);
    buf[1] = (u_char) (0x80 | (c >> 12 & 0x3f));
    buf[2] = (u_char) (0x80 | (c >> 6 & 0x3f));
    buf[3] = (u_char) (0x80 | (c & 0x3f));

    return 4;
}


int
b24_text_utf8(b24_pool_t *pool, const b24_str_t *src,
    const b24_str_t *charset, b24_str_t *dst)
{
    b24_str_t      text;
    const u_char  *end;

    if (src->len) {
        end = src->data + src->len;

        /* mostly there is nothing to be done */

        if (b24_text_find(src->data, end, 0x7f, 0x7f, 0x7f) == end) {
            return b24_pstrdup(pool, dst, src->data, src->len);
        }
    }

    if (b24_utf8_valid(src)) {
        return b24_text_clean(pool, src, dst);
    }

    if (b24_text_convert(pool, src, charset, &text) != B24_OK) {
        return B24_ERROR;
    }

    return b24_text_clean(pool, &text, dst);
}


void
b24_text_charset(const b24_str_t *content_type, b24_str_t *charset)
{
    b24_str_t      name, value;
    const u_char  *p, *end;

    charset->data = NULL;
    charset->len = 0;

    if (content_type->len == 0) {
        return;
    }

    p = content_type->data;
    end = p + content_type->len;

    p = memchr(p, ';', content_type->len);

    while (p && p < end) {

        name.data = (u_char *) ++p;         /* behind the ";" */

        while (p < end && *p != '=' && *p != ';') {
            p++;
        }

        name.len = (size_t) (p - name.data);
        b24_str_trim(&name);

        if (p == end || *p == ';') {
            continue;
        }

        p = b24_charset_value(p + 1, end, &value);

        if (b24_str_caseeqs(&name, "charset")) {
            *charset = value;
            return;
        }
    }
}


/* behind the value at p, which is the end or a ";" */
static const u_char *
b24_charset_value(const u_char *p, const u_char *end, b24_str_t *value)
{
    const u_char  *q;

    while (p < end && b24_isspace(*p)) {
        p++;
    }

    value->data = (u_char *) p;
    q = NULL;

    /* a quoted value may hold a ";" of its own */

    if (p < end && (*p == '"' || *p == '\'')) {
        value->data++;
        q = memchr(p + 1, *p, (size_t) (end - p - 1));
        p = q ? q : end;
    }

    while (p < end && *p != ';') {
        p++;
    }

    value->len = (size_t) ((q ? q : p) - value->data);
    b24_str_trim(value);

    return p;
}


void
b24_text_cut(b24_str_t *s, size_t max)
{
    unsigned  n;

    if (s->len <= max) {
        return;
    }

    s->len = max;

    /* a character has three bytes at most that are not its first one */

    for (n = 0; n < 3 && n < max; n++) {

        if ((s->data[max - n] & 0xc0) != 0x80) {
            break;
        }
    }

    if ((s->data[max - n] & 0xc0) == 0xc0) {
        s->len = max - n;
    }
}


/* src is valid UTF-8 */
static int
b24_text_clean(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst)
{
    u_char        *d, *start;
    const u_char  *p, *from, *end;

    if (src->len == 0) {
        return b24_pstrdup(pool, dst, NULL, 0);
    }

    start = b24_pnalloc(pool, src->len + 1);
    if (start == NULL) {
        return B24_ERROR;
    }

    d = start;
    p = src->data;
    end = p + src->len;

    while (p < end) {

        from = p;
        p = b24_text_find(p, end, 0x7f, 0xc2, 0xff);

        memcpy(d, from, (size_t) (p - from));
        d += p - from;

        if (p == end) {
            break;
        }

        if (*p == '\r') {

            if (p + 1 == end || p[1] != '\n') {
                *d++ = '\n';
            }

            p++;
            continue;
        }

        if ((*p < 0x20 && *p != '\t' && *p != '\n') || *p == 0x7f) {
            p++;
            continue;
        }

        /* U+0080 .. U+009F, the second set of controls */

        if (*p == 0xc2 && p[1] < 0xa0) {
            p += 2;
            continue;
        }

        *d++ = *p++;
    }

    *d = '\0';

    dst->data = start;
    dst->len = (size_t) (d - start);

    return B24_OK;
}


static int
b24_text_convert(b24_pool_t *pool, const b24_str_t *src,
    const b24_str_t *charset, b24_str_t *dst)
{
    iconv_t               cd;
    b24_buf_t             out;
    const b24_charset_t  *cs;

    b24_buf_init(&out, pool);

    cs = b24_charset_find(charset);

    if (cs == NULL) {
        b24_convert_1251(&out, src);
        return b24_buf_str(&out, dst);
    }

    if (cs->iconv == NULL) {
        b24_convert_utf8(&out, src);
        return b24_buf_str(&out, dst);
    }

    cd = iconv_open("UTF-8", cs->iconv);

    if (cd == (iconv_t) -1) {               /* this system lacks the module */
        b24_convert_1251(&out, src);
        return b24_buf_str(&out, dst);
    }

    b24_convert_iconv(&out, src, cd);
    (void) iconv_close(cd);

    return b24_buf_str(&out, dst);
}


/* NULL: none is given, or one that isn't known */
static const b24_charset_t *
b24_charset_find(const b24_str_t *name)
{
    u_char                c;
    size_t                i, n;
    char                  key[B24_CHARSET_NAME];
    const b24_charset_t  *cs;

    n = 0;
    key[0] = '\0';

    for (i = 0; i < name->len; i++) {
        c = b24_tolower(name->data[i]);

        if (c == '-' || c == '_' || c == ':') {
            continue;
        }

        if (n == B24_CHARSET_NAME - 1) {
            return NULL;
        }

        key[n++] = (char) c;
    }

    for (cs = b24_charsets; cs->name; cs++) {

        if (strlen(cs->name) == n && memcmp(cs->name, key, n) == 0) {
            return cs;
        }
    }

    return NULL;
}


static void
b24_convert_utf8(b24_buf_t *out, const b24_str_t *src)
{
    const u_char  *p, *q, *end;

    p = src->data;
    end = p + src->len;

    while (p < end) {
        q = p;

        if (b24_utf8_next(&p, end) == B24_UTF8_BAD) {
            b24_convert_char(out, B24_UTF8_REPLACEMENT);

        } else {
            b24_buf_add(out, q, (size_t) (p - q));
        }
    }
}


static void
b24_convert_1251(b24_buf_t *out, const b24_str_t *src)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < src->len; i++) {
        c = src->data[i];
        b24_convert_char(out, (c < 0x80) ? c : b24_cp1251[c - 0x80]);
    }
}


static void
b24_convert_iconv(b24_buf_t *out, const b24_str_t *src, iconv_t cd)
{
    char    *in, *to;
    char     chunk[B24_CONVERT_CHUNK];
    size_t   left, room, n, before;

    in = (char *) src->data;
    left = src->len;

    while (left && !out->failed) {
        to = chunk;
        room = sizeof(chunk);
        before = left;

        n = iconv(cd, &in, &left, &to, &room);

        b24_buf_add(out, chunk, sizeof(chunk) - room);

        if (n != (size_t) -1 || room < sizeof(chunk)) {
            continue;                       /* done, or the chunk was full */
        }

        if (left < before) {
            continue;
        }

        /* nothing moved: a byte that is none of the charset's */

        b24_convert_char(out, B24_UTF8_REPLACEMENT);
        in++;
        left--;
    }

    /* some charsets keep a base letter back until its accent has come */

    to = chunk;
    room = sizeof(chunk);

    if (iconv(cd, NULL, NULL, &to, &room) != (size_t) -1) {
        b24_buf_add(out, chunk, sizeof(chunk) - room);
    }
}


static void
b24_convert_char(b24_buf_t *out, uint32_t c)
{
    u_char  buf[4];

    b24_buf_add(out, buf, b24_utf8_encode(buf, c));
}
