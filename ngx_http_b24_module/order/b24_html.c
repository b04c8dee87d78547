
#include "b24_text.h"


#define B24_ENTITY_NAME  8              /* the longest name of the table */
#define B24_ENTITY_MAX   16             /* the longest code looked at */
#define B24_TAG_NAME     12


typedef struct {
    char      name[B24_ENTITY_NAME + 1];
    uint16_t  c;
} b24_entity_t;


typedef struct {
    b24_str_t  name;                    /* empty for comments and the like */
    unsigned   end:1;                   /* "</..." */
    unsigned   closed:1;                /* ".../>" */
} b24_tag_t;


/* collapses blanks; out holds as many bytes as the source has, and what is
 * written for an entity or a blank is never longer than it was */
typedef struct {
    u_char    *start;
    u_char    *last;
    unsigned   blank:1;
} b24_strip_t;


static size_t b24_html_entity(const u_char *p, const u_char *end, uint32_t *c);
static size_t b24_html_number(const u_char *p, const u_char *end, uint32_t *c);
static uint32_t b24_html_char(uint32_t c);
static const b24_entity_t *b24_html_name(const u_char *name, size_t len);
static size_t b24_strip_tag(b24_strip_t *st, const u_char *p,
    const u_char *end);
static const u_char *b24_html_tag(const u_char *p, const u_char *end,
    b24_tag_t *tag);
static const u_char *b24_html_comment(const u_char *p, const u_char *end);
static const u_char *b24_html_raw(const u_char *p, const u_char *end,
    const b24_str_t *name);
static int b24_html_is(const b24_str_t *name, const char *const *list);
static void b24_strip_add(b24_strip_t *st, uint32_t c, const u_char *bytes,
    size_t len);


/* the 252 of HTML 4, which is what PHP's htmlentities() writes, and "apos" of
 * XML; sorted by bytes */
static const b24_entity_t  b24_entities[] = {
    { "AElig", 0x00c6 }, { "Aacute", 0x00c1 }, { "Acirc", 0x00c2 },
    { "Agrave", 0x00c0 }, { "Alpha", 0x0391 }, { "Aring", 0x00c5 },
    { "Atilde", 0x00c3 }, { "Auml", 0x00c4 }, { "Beta", 0x0392 },
    { "Ccedil", 0x00c7 }, { "Chi", 0x03a7 }, { "Dagger", 0x2021 },
    { "Delta", 0x0394 }, { "ETH", 0x00d0 }, { "Eacute", 0x00c9 },
    { "Ecirc", 0x00ca }, { "Egrave", 0x00c8 }, { "Epsilon", 0x0395 },
    { "Eta", 0x0397 }, { "Euml", 0x00cb }, { "Gamma", 0x0393 },
    { "Iacute", 0x00cd }, { "Icirc", 0x00ce }, { "Igrave", 0x00cc },
    { "Iota", 0x0399 }, { "Iuml", 0x00cf }, { "Kappa", 0x039a },
    { "Lambda", 0x039b }, { "Mu", 0x039c }, { "Ntilde", 0x00d1 },
    { "Nu", 0x039d }, { "OElig", 0x0152 }, { "Oacute", 0x00d3 },
    { "Ocirc", 0x00d4 }, { "Ograve", 0x00d2 }, { "Omega", 0x03a9 },
    { "Omicron", 0x039f }, { "Oslash", 0x00d8 }, { "Otilde", 0x00d5 },
    { "Ouml", 0x00d6 }, { "Phi", 0x03a6 }, { "Pi", 0x03a0 },
    { "Prime", 0x2033 }, { "Psi", 0x03a8 }, { "Rho", 0x03a1 },
    { "Scaron", 0x0160 }, { "Sigma", 0x03a3 }, { "THORN", 0x00de },
    { "Tau", 0x03a4 }, { "Theta", 0x0398 }, { "Uacute", 0x00da },
    { "Ucirc", 0x00db }, { "Ugrave", 0x00d9 }, { "Upsilon", 0x03a5 },
    { "Uuml", 0x00dc }, { "Xi", 0x039e }, { "Yacute", 0x00dd },
    { "Yuml", 0x0178 }, { "Zeta", 0x0396 }, { "aacute", 0x00e1 },
    { "acirc", 0x00e2 }, { "acute", 0x00b4 }, { "aelig", 0x00e6 },
    { "agrave", 0x00e0 }, { "alefsym", 0x2135 }, { "alpha", 0x03b1 },
    { "amp", 0x0026 }, { "and", 0x2227 }, { "ang", 0x2220 },
    { "apos", 0x0027 }, { "aring", 0x00e5 }, { "asymp", 0x2248 },
    { "atilde", 0x00e3 }, { "auml", 0x00e4 }, { "bdquo", 0x201e },
    { "beta", 0x03b2 }, { "brvbar", 0x00a6 }, { "bull", 0x2022 },
    { "cap", 0x2229 }, { "ccedil", 0x00e7 }, { "cedil", 0x00b8 },
    { "cent", 0x00a2 }, { "chi", 0x03c7 }, { "circ", 0x02c6 },
    { "clubs", 0x2663 }, { "cong", 0x2245 }, { "copy", 0x00a9 },
    { "crarr", 0x21b5 }, { "cup", 0x222a }, { "curren", 0x00a4 },
    { "dArr", 0x21d3 }, { "dagger", 0x2020 }, { "darr", 0x2193 },
    { "deg", 0x00b0 }, { "delta", 0x03b4 }, { "diams", 0x2666 },
    { "divide", 0x00f7 }, { "eacute", 0x00e9 }, { "ecirc", 0x00ea },
    { "egrave", 0x00e8 }, { "empty", 0x2205 }, { "emsp", 0x2003 },
    { "ensp", 0x2002 }, { "epsilon", 0x03b5 }, { "equiv", 0x2261 },
    { "eta", 0x03b7 }, { "eth", 0x00f0 }, { "euml", 0x00eb },
    { "euro", 0x20ac }, { "exist", 0x2203 }, { "fnof", 0x0192 },
    { "forall", 0x2200 }, { "frac12", 0x00bd }, { "frac14", 0x00bc },
    { "frac34", 0x00be }, { "frasl", 0x2044 }, { "gamma", 0x03b3 },
    { "ge", 0x2265 }, { "gt", 0x003e }, { "hArr", 0x21d4 },
    { "harr", 0x2194 }, { "hearts", 0x2665 }, { "hellip", 0x2026 },
    { "iacute", 0x00ed }, { "icirc", 0x00ee }, { "iexcl", 0x00a1 },
    { "igrave", 0x00ec }, { "image", 0x2111 }, { "infin", 0x221e },
    { "int", 0x222b }, { "iota", 0x03b9 }, { "iquest", 0x00bf },
    { "isin", 0x2208 }, { "iuml", 0x00ef }, { "kappa", 0x03ba },
    { "lArr", 0x21d0 }, { "lambda", 0x03bb }, { "lang", 0x2329 },
    { "laquo", 0x00ab }, { "larr", 0x2190 }, { "lceil", 0x2308 },
    { "ldquo", 0x201c }, { "le", 0x2264 }, { "lfloor", 0x230a },
    { "lowast", 0x2217 }, { "loz", 0x25ca }, { "lrm", 0x200e },
    { "lsaquo", 0x2039 }, { "lsquo", 0x2018 }, { "lt", 0x003c },
    { "macr", 0x00af }, { "mdash", 0x2014 }, { "micro", 0x00b5 },
    { "middot", 0x00b7 }, { "minus", 0x2212 }, { "mu", 0x03bc },
    { "nabla", 0x2207 }, { "nbsp", 0x00a0 }, { "ndash", 0x2013 },
    { "ne", 0x2260 }, { "ni", 0x220b }, { "not", 0x00ac },
    { "notin", 0x2209 }, { "nsub", 0x2284 }, { "ntilde", 0x00f1 },
    { "nu", 0x03bd }, { "oacute", 0x00f3 }, { "ocirc", 0x00f4 },
    { "oelig", 0x0153 }, { "ograve", 0x00f2 }, { "oline", 0x203e },
    { "omega", 0x03c9 }, { "omicron", 0x03bf }, { "oplus", 0x2295 },
    { "or", 0x2228 }, { "ordf", 0x00aa }, { "ordm", 0x00ba },
    { "oslash", 0x00f8 }, { "otilde", 0x00f5 }, { "otimes", 0x2297 },
    { "ouml", 0x00f6 }, { "para", 0x00b6 }, { "part", 0x2202 },
    { "permil", 0x2030 }, { "perp", 0x22a5 }, { "phi", 0x03c6 },
    { "pi", 0x03c0 }, { "piv", 0x03d6 }, { "plusmn", 0x00b1 },
    { "pound", 0x00a3 }, { "prime", 0x2032 }, { "prod", 0x220f },
    { "prop", 0x221d }, { "psi", 0x03c8 }, { "quot", 0x0022 },
    { "rArr", 0x21d2 }, { "radic", 0x221a }, { "rang", 0x232a },
    { "raquo", 0x00bb }, { "rarr", 0x2192 }, { "rceil", 0x2309 },
    { "rdquo", 0x201d }, { "real", 0x211c }, { "reg", 0x00ae },
    { "rfloor", 0x230b }, { "rho", 0x03c1 }, { "rlm", 0x200f },
    { "rsaquo", 0x203a }, { "rsquo", 0x2019 }, { "sbquo", 0x201a },
    { "scaron", 0x0161 }, { "sdot", 0x22c5 }, { "sect", 0x00a7 },
    { "shy", 0x00ad }, { "sigma", 0x03c3 }, { "sigmaf", 0x03c2 },
    { "sim", 0x223c }, { "spades", 0x2660 }, { "sub", 0x2282 },
    { "sube", 0x2286 }, { "sum", 0x2211 }, { "sup", 0x2283 },
    { "sup1", 0x00b9 }, { "sup2", 0x00b2 }, { "sup3", 0x00b3 },
    { "supe", 0x2287 }, { "szlig", 0x00df }, { "tau", 0x03c4 },
    { "there4", 0x2234 }, { "theta", 0x03b8 }, { "thetasym", 0x03d1 },
    { "thinsp", 0x2009 }, { "thorn", 0x00fe }, { "tilde", 0x02dc },
    { "times", 0x00d7 }, { "trade", 0x2122 }, { "uArr", 0x21d1 },
    { "uacute", 0x00fa }, { "uarr", 0x2191 }, { "ucirc", 0x00fb },
    { "ugrave", 0x00f9 }, { "uml", 0x00a8 }, { "upsih", 0x03d2 },
    { "upsilon", 0x03c5 }, { "uuml", 0x00fc }, { "weierp", 0x2118 },
    { "xi", 0x03be }, { "yacute", 0x00fd }, { "yen", 0x00a5 },
    { "yuml", 0x00ff }, { "zeta", 0x03b6 }, { "zwj", 0x200d },
    { "zwnj", 0x200c }
};


/* as browsers read &#128; .. &#159; */
static const uint16_t  b24_cp1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
    0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178
};


static const char *const  b24_html_blocks[] = {
    "address", "article", "aside", "blockquote", "br", "caption", "center",
    "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "legend", "li", "main", "nav", "ol", "optgroup", "option", "p", "pre",
    "section", "select", "summary", "table", "tbody", "td", "textarea",
    "tfoot", "th", "thead", "tr", "ul", NULL
};


static const char *const  b24_html_raws[] = { "script", "style", NULL };


int
b24_text_entities(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst)
{
    int            cr;
    size_t         n;
    u_char        *d, *start;
    uint32_t       c;
    const u_char  *p, *end, *next;

    if (src->len == 0) {
        return b24_pstrdup(pool, dst, NULL, 0);
    }

    /* no character is longer than the code that stands for it */

    start = b24_pnalloc(pool, src->len + 1);
    if (start == NULL) {
        return B24_ERROR;
    }

    cr = 0;
    d = start;
    p = src->data;
    end = p + src->len;

    while (p < end) {

        n = (*p == '&') ? b24_html_entity(p, end, &c) : 0;

        if (n == 0) {
            cr = 0;
            next = memchr(p + 1, '&', (size_t) (end - p - 1));
            n = (size_t) ((next ? next : end) - p);

            memcpy(d, p, n);
            d += n;
            p += n;
            continue;
        }

        p += n;

        /* "&#13;&#10;" is one end of line */

        if (c == '\r' || (c == '\n' && !cr)) {
            *d++ = '\n';

        } else if (c != '\n' && c != B24_UTF8_BAD) {
            d += b24_utf8_encode(d, c);
        }

        cr = (c == '\r');
    }

    *d = '\0';

    dst->data = start;
    dst->len = (size_t) (d - start);

    return B24_OK;
}


int
b24_text_strip(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst)
{
    size_t         n;
    uint32_t       c;
    b24_strip_t    st;
    const u_char  *p, *q, *end;

    if (src->len == 0) {
        return b24_pstrdup(pool, dst, NULL, 0);
    }

    st.start = b24_pnalloc(pool, src->len + 1);
    if (st.start == NULL) {
        return B24_ERROR;
    }

    st.last = st.start;
    st.blank = 0;

    p = src->data;
    end = p + src->len;

    while (p < end) {

        n = (*p == '<') ? b24_strip_tag(&st, p, end) : 0;

        if (n) {
            p += n;
            continue;
        }

        n = (*p == '&') ? b24_html_entity(p, end, &c) : 0;

        if (n) {
            p += n;

            if (c != B24_UTF8_BAD) {
                b24_strip_add(&st, c, NULL, 0);
            }

            continue;
        }

        q = p;
        c = b24_utf8_next(&p, end);
        b24_strip_add(&st, c, q, (size_t) (p - q));
    }

    *st.last = '\0';

    dst->data = st.start;
    dst->len = (size_t) (st.last - st.start);

    return B24_OK;
}


/*
 * The length of the entity at p, where there is a "&"; 0 when it is none.
 * Without its ";" it is none either: "?a=1&copy=2" is met in links.
 * *c is B24_UTF8_BAD when it stands for nothing that may be shown.
 */
static size_t
b24_html_entity(const u_char *p, const u_char *end, uint32_t *c)
{
    size_t               n;
    const b24_entity_t  *entity;

    if (end - p < 3) {
        return 0;
    }

    if (p[1] == '#') {
        return b24_html_number(p, end, c);
    }

    for (n = 1; n <= B24_ENTITY_NAME + 1 && p + n < end; n++) {

        if (p[n] == ';') {
            break;
        }
    }

    if (n > B24_ENTITY_NAME + 1 || p + n == end) {
        return 0;
    }

    entity = b24_html_name(p + 1, n - 1);
    if (entity == NULL) {
        return 0;
    }

    *c = entity->c;

    return n + 1;
}


/* "&#8381;", "&#x20bd;" */
static size_t
b24_html_number(const u_char *p, const u_char *end, uint32_t *c)
{
    int       digit;
    size_t    n, first;
    unsigned  base;
    uint32_t  value;

    base = (p[2] == 'x' || p[2] == 'X') ? 16 : 10;
    first = (base == 16) ? 3 : 2;
    value = 0;

    for (n = first; n < B24_ENTITY_MAX && p + n < end; n++) {

        digit = b24_hex(p[n]);

        if (digit == -1 || (unsigned) digit >= base) {
            break;
        }

        if (value <= 0x10ffff) {            /* beyond, it only must not wrap */
            value = value * base + (uint32_t) digit;
        }
    }

    if (n == first || n == B24_ENTITY_MAX || p + n == end || p[n] != ';') {
        return 0;
    }

    *c = b24_html_char(value);

    return n + 1;
}


static uint32_t
b24_html_char(uint32_t c)
{
    if (c >= 0x80 && c <= 0x9f) {
        return b24_cp1252[c - 0x80];
    }

    if (c == 0 || c > 0x10ffff) {
        return 0xfffd;
    }

    if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) {
        return B24_UTF8_BAD;
    }

    return c;                               /* surrogates: as it is encoded */
}


static const b24_entity_t *
b24_html_name(const u_char *name, size_t len)
{
    int     rc;
    char    key[B24_ENTITY_NAME + 1];
    size_t  lo, hi, mid;

    memcpy(key, name, len);
    key[len] = '\0';

    lo = 0;
    hi = sizeof(b24_entities) / sizeof(b24_entities[0]);

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        rc = strcmp(key, b24_entities[mid].name);

        if (rc == 0) {
            return &b24_entities[mid];
        }

        if (rc < 0) {
            hi = mid;

        } else {
            lo = mid + 1;
        }
    }

    return NULL;
}


/* the length of what a "<" begins, 0 when it is just a "<" ("a < b", "<3");
 * what has no end goes up to the end of the text, as in browsers */
static size_t
b24_strip_tag(b24_strip_t *st, const u_char *p, const u_char *end)
{
    b24_tag_t      tag;
    const u_char  *q;

    q = b24_html_tag(p, end, &tag);

    if (q == p) {
        return 0;
    }

    if (b24_html_is(&tag.name, b24_html_blocks)) {
        b24_strip_add(st, ' ', NULL, 0);

    } else if (!tag.end && !tag.closed
               && b24_html_is(&tag.name, b24_html_raws))
    {
        q = b24_html_raw(q, end, &tag.name);
    }

    return (size_t) (q - p);
}


/* behind the tag or comment at p; p when there is none */
static const u_char *
b24_html_tag(const u_char *p, const u_char *end, b24_tag_t *tag)
{
    u_char         c, last, quote;
    const u_char  *q;

    memset(tag, 0, sizeof(b24_tag_t));

    q = p + 1;

    if (q < end && (*q == '!' || *q == '?')) {
        return b24_html_comment(p, end);
    }

    if (q < end && *q == '/') {
        tag->end = 1;
        q++;
    }

    if (q == end || b24_tolower(*q) < 'a' || b24_tolower(*q) > 'z') {
        return p;
    }

    tag->name.data = (u_char *) q;

    while (q < end && *q != '>' && *q != '/' && !b24_isspace(*q)) {
        q++;
    }

    tag->name.len = (size_t) (q - tag->name.data);

    /* a quote is one only where a value begins: <a title=it's> */

    for (quote = 0, last = 0; q < end; q++) {
        c = *q;

        if (quote) {
            quote = (c == quote) ? 0 : quote;

        } else if (c == '>') {
            tag->closed = (last == '/');
            return q + 1;

        } else if ((c == '"' || c == '\'') && last == '=') {
            quote = c;
        }

        last = b24_isspace(c) ? last : c;
    }

    return end;
}


/* p points to "<!" or "<?" */
static const u_char *
b24_html_comment(const u_char *p, const u_char *end)
{
    ssize_t    n;
    b24_str_t  s;

    s.data = (u_char *) p;
    s.len = (size_t) (end - p);

    if (s.len > 3 && p[1] == '!' && p[2] == '-' && p[3] == '-') {
        n = b24_str_find(&s, 2, "-->");     /* "<!-->" is a whole one */
        return (n == -1) ? end : p + n + 3;
    }

    n = b24_str_find(&s, 2, ">");

    return (n == -1) ? end : p + n + 1;
}


/* the end tag of a script or a style, whose content is no HTML */
static const u_char *
b24_html_raw(const u_char *p, const u_char *end, const b24_str_t *name)
{
    b24_str_t      s;
    const u_char  *q;

    s.len = name->len;

    while (p < end) {

        p = memchr(p, '<', (size_t) (end - p));

        if (p == NULL) {
            break;
        }

        if ((size_t) (end - p) > s.len + 2 && p[1] == '/') {
            s.data = (u_char *) p + 2;
            q = s.data + s.len;

            if (b24_str_caseeq(&s, name)
                && (*q == '>' || *q == '/' || b24_isspace(*q)))
            {
                return p;
            }
        }

        p++;
    }

    return end;
}


static int
b24_html_is(const b24_str_t *name, const char *const *list)
{
    size_t  i;

    if (name->len == 0 || name->len > B24_TAG_NAME) {
        return 0;
    }

    for (i = 0; list[i]; i++) {

        if (b24_str_caseeqs(name, list[i])) {
            return 1;
        }
    }

    return 0;
}


/* c as it stands in the source (bytes), or to be encoded (NULL) */
static void
b24_strip_add(b24_strip_t *st, uint32_t c, const u_char *bytes, size_t len)
{
    if (c == ' ' || (c >= '\t' && c <= '\r')
        || c == 0xa0 || c == 0x2009 || c == 0x202f)
    {
        st->blank = (st->last != st->start);
        return;
    }

    if (st->blank) {
        *st->last++ = ' ';
        st->blank = 0;
    }

    if (bytes) {
        memcpy(st->last, bytes, len);
        st->last += len;

    } else {
        st->last += b24_utf8_encode(st->last, c);
    }
}
