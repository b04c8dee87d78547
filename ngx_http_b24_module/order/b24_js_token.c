
/* What a literal of JavaScript is made of: strings, numbers, words, blanks. */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "b24_js_int.h"
#include "b24_text.h"

#include <stdio.h>


static int b24_js_escape(b24_js_t *js);
static int b24_js_unicode(b24_js_t *js, uint32_t *code);
static int b24_js_digits(b24_js_t *js, size_t n, uint32_t *code);
static int b24_js_decimal(b24_js_t *js, b24_str_t *value, unsigned minus);
static int b24_js_exponent(b24_js_t *js);
static int b24_js_hex(b24_js_t *js, b24_str_t *value, unsigned minus);
static void b24_js_char(b24_js_t *js, uint32_t code);
static void b24_js_emit(b24_js_t *js, const void *data, size_t len);


int
b24_js_string(b24_js_t *js, b24_str_t *value)
{
    u_char         quote;
    size_t         bytes;
    const u_char  *start;

    quote = *js->p++;
    bytes = js->bytes;

    value->data = js->text;

    for ( ;; ) {
        start = js->p;

        while (js->p < js->end && *js->p != quote && *js->p != '\\'
               && *js->p != '\n' && *js->p != '\r')
        {
            js->p++;
        }

        b24_js_emit(js, start, (size_t) (js->p - start));

        if (js->p == js->end || *js->p == '\n' || *js->p == '\r') {
            return B24_DECLINED;
        }

        if (*js->p == quote) {
            break;
        }

        if (b24_js_escape(js) != B24_OK) {
            return B24_DECLINED;
        }
    }

    js->p++;

    value->len = js->bytes - bytes;

    return B24_OK;
}


static int
b24_js_escape(b24_js_t *js)
{
    u_char       c;
    uint32_t     code;
    const char  *p;

    static const char  from[] = "bfnrtv";
    static const char  to[] = "\b\f\n\r\t\v";

    js->p++;

    if (js->p == js->end) {
        return B24_DECLINED;
    }

    c = *js->p++;

    switch (c) {

    case 'x':
    case 'u':
        if (c == 'x') {

            if (b24_js_digits(js, 2, &code) != B24_OK) {
                return B24_DECLINED;
            }

        } else if (b24_js_unicode(js, &code) != B24_OK) {
            return B24_DECLINED;
        }

        b24_js_char(js, code);
        return B24_OK;

    case '0':
        b24_js_char(js, 0);
        return B24_OK;

    case '\r':

        if (js->p < js->end && *js->p == '\n') {
            js->p++;
        }

        return B24_OK;

    case '\n':
        return B24_OK;

    default:
        p = c ? strchr(from, c) : NULL;

        if (p) {
            c = (u_char) to[p - from];
        }

        b24_js_emit(js, &c, 1);
        return B24_OK;
    }
}


/* behind "\u": HHHH, a pair of surrogates, or {H...} */

static int
b24_js_unicode(b24_js_t *js, uint32_t *code)
{
    int            digit;
    uint32_t       low;
    const u_char  *p;

    if (js->p < js->end && *js->p == '{') {
        *code = 0;

        for (p = js->p + 1; p < js->end && b24_hex(*p) >= 0; p++) {
            digit = b24_hex(*p);

            /* what is too large stays too large */

            if (*code <= 0x10ffff) {
                *code = *code * 16 + (uint32_t) digit;
            }
        }

        if (p == js->end || *p != '}' || p == js->p + 1) {
            return B24_DECLINED;
        }

        js->p = p + 1;
        return B24_OK;
    }

    if (b24_js_digits(js, 4, code) != B24_OK) {
        return B24_DECLINED;
    }

    if (*code >= 0xd800 && *code <= 0xdbff
        && js->end - js->p >= 6 && js->p[0] == '\\' && js->p[1] == 'u')
    {
        p = js->p;
        js->p += 2;

        if (b24_js_digits(js, 4, &low) == B24_OK
            && low >= 0xdc00 && low <= 0xdfff)
        {
            *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);

        } else {
            js->p = p;
        }
    }

    return B24_OK;
}


static int
b24_js_digits(b24_js_t *js, size_t n, uint32_t *code)
{
    int  digit;

    *code = 0;

    while (n--) {
        digit = (js->p < js->end) ? b24_hex(*js->p) : -1;

        if (digit < 0) {
            return B24_DECLINED;
        }

        *code = *code * 16 + (uint32_t) digit;
        js->p++;
    }

    return B24_OK;
}


int
b24_js_number(b24_js_t *js, b24_node_t *node)
{
    int         rc;
    unsigned    minus;
    b24_str_t   value;
    b24_type_e  type;

    minus = (*js->p == '-');

    if (minus || *js->p == '+') {
        js->p++;
    }

    type = B24_NUMBER;
    value.len = 0;
    value.data = NULL;

    if (js->end - js->p > 2 && js->p[0] == '0'
        && b24_tolower(js->p[1]) == 'x')
    {
        js->p += 2;
        rc = b24_js_hex(js, &value, minus);

    } else if (js->p < js->end && *js->p == 'I') {
        rc = b24_js_word(js, &type);            /* Infinity */

    } else {
        rc = b24_js_decimal(js, &value, minus);
    }

    /* "5px", "1.2.3" */

    if (rc != B24_OK
        || (js->p < js->end && (b24_js_isname(*js->p) || *js->p == '.')))
    {
        return B24_DECLINED;
    }

    if (node) {
        node->type = type;
        node->value = value;
    }

    return B24_OK;
}


/*
 * JavaScript's "+1", ".5" and "5." become JSON's "1", "0.5" and "5", nothing
 * else about the text changes
 */

static int
b24_js_decimal(b24_js_t *js, b24_str_t *value, unsigned minus)
{
    size_t         bytes;
    const u_char  *whole, *places;

    bytes = js->bytes;
    value->data = js->text;

    whole = js->p;

    while (js->p < js->end && b24_isdigit(*js->p)) {
        js->p++;
    }

    if (js->p - whole > 1 && *whole == '0') {
        return B24_DECLINED;                    /* an old octal number */
    }

    if (minus) {
        b24_js_emit(js, "-", 1);
    }

    if (js->p == whole) {
        b24_js_emit(js, "0", 1);

    } else {
        b24_js_emit(js, whole, (size_t) (js->p - whole));
    }

    if (js->p < js->end && *js->p == '.') {
        places = js->p++;

        while (js->p < js->end && b24_isdigit(*js->p)) {
            js->p++;
        }

        if (js->p - places > 1) {
            b24_js_emit(js, places, (size_t) (js->p - places));

        } else if (places == whole) {
            return B24_DECLINED;
        }

    } else if (js->p == whole) {
        return B24_DECLINED;
    }

    if (b24_js_exponent(js) != B24_OK) {
        return B24_DECLINED;
    }

    value->len = js->bytes - bytes;

    return B24_OK;
}


static int
b24_js_exponent(b24_js_t *js)
{
    const u_char  *start;

    if (js->p == js->end || (*js->p != 'e' && *js->p != 'E')) {
        return B24_OK;
    }

    start = js->p++;

    if (js->p < js->end && (*js->p == '+' || *js->p == '-')) {
        js->p++;
    }

    if (js->p == js->end || !b24_isdigit(*js->p)) {
        return B24_DECLINED;
    }

    while (js->p < js->end && b24_isdigit(*js->p)) {
        js->p++;
    }

    b24_js_emit(js, start, (size_t) (js->p - start));

    return B24_OK;
}


static int
b24_js_hex(b24_js_t *js, b24_str_t *value, unsigned minus)
{
    int       len;
    char      text[24];
    size_t    n;
    uint64_t  number;

    number = 0;

    for (n = 0; js->p < js->end && b24_hex(*js->p) >= 0; n++) {
        number = number * 16 + (uint64_t) b24_hex(*js->p);
        js->p++;
    }

    if (n == 0 || n > 16) {
        return B24_DECLINED;
    }

    len = snprintf(text, sizeof(text), "%s%llu", minus ? "-" : "",
                   (unsigned long long) number);

    value->data = js->text;
    value->len = (size_t) len;

    b24_js_emit(js, text, (size_t) len);

    return B24_OK;
}


/* also "!0", "!1" and "void 0", which minifiers write */

int
b24_js_word(b24_js_t *js, b24_type_e *type)
{
    b24_str_t  name;

    if (js->end - js->p >= 2 && js->p[0] == '!'
        && (js->p[1] == '0' || js->p[1] == '1'))
    {
        *type = (js->p[1] == '0') ? B24_TRUE : B24_FALSE;
        js->p += 2;
        return B24_OK;
    }

    b24_js_name(js, &name);

    if (b24_str_eqs(&name, "true")) {
        *type = B24_TRUE;
        return B24_OK;
    }

    if (b24_str_eqs(&name, "false")) {
        *type = B24_FALSE;
        return B24_OK;
    }

    *type = B24_NULL;

    if (b24_str_eqs(&name, "null") || b24_str_eqs(&name, "undefined")
        || b24_str_eqs(&name, "NaN") || b24_str_eqs(&name, "Infinity"))
    {
        return B24_OK;
    }

    if (b24_str_eqs(&name, "void") && b24_js_blanks(js) == B24_OK) {
        b24_js_name(js, &name);

        if (b24_str_eqs(&name, "0")) {
            return B24_OK;
        }
    }

    return B24_DECLINED;
}


void
b24_js_name(b24_js_t *js, b24_str_t *name)
{
    name->data = (u_char *) js->p;

    while (js->p < js->end && b24_js_isname(*js->p)) {
        js->p++;
    }

    name->len = (size_t) (js->p - name->data);
}


/* blanks and comments */

int
b24_js_blanks(b24_js_t *js)
{
    const u_char  *p;

    while (js->p < js->end) {

        if (b24_isspace(*js->p)) {
            js->p++;
            continue;
        }

        if (js->end - js->p >= 2 && js->p[0] == 0xc2 && js->p[1] == 0xa0) {
            js->p += 2;
            continue;
        }

        if (js->end - js->p >= 3 && memcmp(js->p, "\xef\xbb\xbf", 3) == 0) {
            js->p += 3;
            continue;
        }

        if (*js->p != '/' || js->end - js->p < 2) {
            break;
        }

        if (js->p[1] == '/') {
            p = memchr(js->p, '\n', (size_t) (js->end - js->p));
            js->p = p ? p + 1 : js->end;
            continue;
        }

        if (js->p[1] != '*') {
            break;
        }

        p = memmem(js->p + 2, (size_t) (js->end - js->p) - 2, "*/", 2);

        if (p == NULL) {
            js->p = js->end;
            return B24_DECLINED;
        }

        js->p = p + 2;
    }

    return B24_OK;
}


/* C libraries behind us would cut a text at NUL */

static void
b24_js_char(b24_js_t *js, uint32_t code)
{
    u_char  utf8[4];

    b24_js_emit(js, utf8, b24_utf8_encode(utf8, code ? code : 0xfffd));
}


static void
b24_js_emit(b24_js_t *js, const void *data, size_t len)
{
    js->bytes += len;

    if (js->text && len) {
        memcpy(js->text, data, len);
        js->text += len;
    }
}


int
b24_js_isname(u_char c)
{
    return b24_isdigit(c) || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z')
           || c == '_' || c == '$' || c >= 0x80;
}
