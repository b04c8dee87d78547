
/* The lexer of JSON: strict, and what it copies is for cJSON. */


#include "b24_json_int.h"
#include "b24_text.h"


static int b24_json_value(b24_json_lexer_t *lx);
static int b24_json_open(b24_json_lexer_t *lx);
static int b24_json_key(b24_json_lexer_t *lx);
static int b24_json_after(b24_json_lexer_t *lx);
static int b24_json_text(b24_json_lexer_t *lx, unsigned mark);
static int b24_json_escaped(b24_json_lexer_t *lx);
static int b24_json_hex4(const u_char *p, const u_char *end);
static int b24_json_scalar(b24_json_lexer_t *lx);


/* one value with all that is in it */

int
b24_json_lex(b24_json_lexer_t *lx)
{
    int  rc;

    for ( ;; ) {

        rc = b24_json_value(lx);

        /* a container was opened: its first value comes */

        if (rc > 0) {
            continue;
        }

        if (rc == B24_OK) {
            rc = b24_json_after(lx);
        }

        if (rc <= 0) {
            return rc;
        }
    }
}


/* 1: a value has to follow; 0: the value is complete; B24_DECLINED */

static int
b24_json_value(b24_json_lexer_t *lx)
{
    b24_json_blanks(lx);

    if (lx->p == lx->end || ++lx->nodes > B24_NODE_MAX) {
        return B24_DECLINED;
    }

    switch (*lx->p) {

    case '{':
    case '[':
        return b24_json_open(lx);

    case '"':
        return b24_json_text(lx, 1);

    default:
        return b24_json_scalar(lx);
    }
}


static int
b24_json_open(b24_json_lexer_t *lx)
{
    u_char  closer;

    if (lx->depth == B24_NODE_DEPTH) {
        return B24_DECLINED;
    }

    closer = (*lx->p == '{') ? '}' : ']';
    *lx->out++ = *lx->p++;

    b24_json_blanks(lx);

    if (lx->p < lx->end && *lx->p == closer) {
        *lx->out++ = *lx->p++;
        return B24_OK;
    }

    lx->closer[lx->depth++] = closer;

    return (closer == '}') ? b24_json_key(lx) : 1;
}


static int
b24_json_key(b24_json_lexer_t *lx)
{
    b24_json_blanks(lx);

    if (lx->p == lx->end || *lx->p != '"'
        || b24_json_text(lx, 0) != B24_OK)
    {
        return B24_DECLINED;
    }

    b24_json_blanks(lx);

    if (lx->p == lx->end || *lx->p != ':') {
        return B24_DECLINED;
    }

    *lx->out++ = *lx->p++;

    return 1;
}


/* 1: another value follows; 0: the outermost value is complete */

static int
b24_json_after(b24_json_lexer_t *lx)
{
    u_char  closer;

    while (lx->depth) {

        b24_json_blanks(lx);

        if (lx->p == lx->end) {
            return B24_DECLINED;
        }

        closer = lx->closer[lx->depth - 1];

        if (*lx->p == ',') {
            *lx->out++ = *lx->p++;
            return (closer == '}') ? b24_json_key(lx) : 1;
        }

        if (*lx->p != closer) {
            return B24_DECLINED;
        }

        *lx->out++ = *lx->p++;
        lx->depth--;
    }

    return B24_OK;
}


static int
b24_json_text(b24_json_lexer_t *lx, unsigned mark)
{
    const u_char  *p, *start;

    *lx->out++ = *lx->p++;

    if (mark) {
        *lx->out++ = B24_JSON_STRING;
    }

    start = lx->p;

    for ( ;; ) {

        p = b24_text_plain(lx->p, lx->end);

        memcpy(lx->out, lx->p, (size_t) (p - lx->p));
        lx->out += p - lx->p;
        lx->p = p;

        if (p == lx->end || *p < 0x20) {
            return B24_DECLINED;
        }

        if (*p == '"') {
            lx->bytes += (size_t) (p - start);
            *lx->out++ = *lx->p++;
            return B24_OK;
        }

        if (b24_json_escaped(lx) != B24_OK) {
            return B24_DECLINED;
        }
    }
}


static int
b24_json_escaped(b24_json_lexer_t *lx)
{
    int     c, low;
    size_t  len;

    if (lx->end - lx->p < 2) {
        return B24_DECLINED;
    }

    if (lx->p[1] != 'u') {

        if (lx->p[1] == '\0' || strchr("\"\\/bfnrt", lx->p[1]) == NULL) {
            return B24_DECLINED;
        }

        *lx->out++ = *lx->p++;
        *lx->out++ = *lx->p++;

        return B24_OK;
    }

    c = b24_json_hex4(lx->p + 2, lx->end);

    if (c < 0) {
        return B24_DECLINED;
    }

    len = 6;

    if (c >= 0xd800 && c <= 0xdbff
        && lx->end - lx->p >= 12 && lx->p[6] == '\\' && lx->p[7] == 'u')
    {
        low = b24_json_hex4(lx->p + 8, lx->end);

        if (low >= 0xdc00 && low <= 0xdfff) {
            len = 12;
        }
    }

    if (c == 0 || (len == 6 && c >= 0xd800 && c <= 0xdfff)) {
        memcpy(lx->out, "\\ufffd", 6);

    } else {
        memcpy(lx->out, lx->p, len);
    }

    lx->out += len;
    lx->p += len;

    return B24_OK;
}


static int
b24_json_hex4(const u_char *p, const u_char *end)
{
    int     c, digit;
    size_t  i;

    if (end - p < 4) {
        return -1;
    }

    c = 0;

    for (i = 0; i < 4; i++) {
        digit = b24_hex(p[i]);

        if (digit < 0) {
            return -1;
        }

        c = c * 16 + digit;
    }

    return c;
}


static int
b24_json_scalar(b24_json_lexer_t *lx)
{
    size_t       i, len;
    const char  *word;

    static const char *const  words[] = { "true", "false", "null" };

    len = b24_json_number(lx->p, lx->end);

    if (len) {
        *lx->out++ = '"';
        *lx->out++ = B24_JSON_NUMBER;
        memcpy(lx->out, lx->p, len);
        lx->out += len;
        *lx->out++ = '"';

        lx->bytes += len;
        lx->p += len;

        return B24_OK;
    }

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        word = words[i];
        len = strlen(word);

        if ((size_t) (lx->end - lx->p) >= len
            && memcmp(lx->p, word, len) == 0)
        {
            memcpy(lx->out, word, len);
            lx->out += len;
            lx->p += len;
            return B24_OK;
        }
    }

    return B24_DECLINED;
}


size_t
b24_json_number(const u_char *p, const u_char *end)
{
    const u_char  *start, *digits;

    start = p;

    if (p < end && *p == '-') {
        p++;
    }

    digits = p;

    while (p < end && b24_isdigit(*p)) {
        p++;
    }

    if (p == digits || (*digits == '0' && p - digits > 1)) {
        return 0;
    }

    if (p < end && *p == '.') {
        digits = ++p;

        while (p < end && b24_isdigit(*p)) {
            p++;
        }

        if (p == digits) {
            return 0;
        }
    }

    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        digits = p;

        while (p < end && b24_isdigit(*p)) {
            p++;
        }

        if (p == digits) {
            return 0;
        }
    }

    return (size_t) (p - start);
}


void
b24_json_blanks(b24_json_lexer_t *lx)
{
    while (lx->p < lx->end
           && (*lx->p == ' ' || *lx->p == '\t' || *lx->p == '\n'
               || *lx->p == '\r'))
    {
        lx->p++;
    }
}
