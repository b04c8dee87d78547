
/*
 * What a call sends: its texts with values in them, each as the place where it
 * stands wants it, to no address but the site's.
 */


#include "b24_call_int.h"
#include "b24_text.h"


/* how a value is put where it stands */
typedef enum {
    B24_PUT_RAW = 0,
    B24_PUT_URL,
    B24_PUT_FORM,
    B24_PUT_JSON,
    B24_PUT_XML,
    B24_PUT_HEADER
} b24_put_e;


/* a text that values are put into */
typedef struct {
    b24_call_run_t      *run;
    b24_put_e            put;
    b24_buf_t            buf;
    unsigned             quoted:1;      /* JSON: inside of a string */
    unsigned             escaped:1;
    const b24_str_t     *unknown;       /* NAME of a value that isn't there */
    const char          *wrong;         /* why NAME can't stand there */
} b24_put_t;


static int b24_call_headers(b24_call_run_t *run, b24_call_request_t *req,
    b24_call_verdict_t *v);
static int b24_call_typed(b24_call_run_t *run, b24_pair_t **list);
static int b24_call_fill(b24_call_run_t *run, const b24_source_t *sources,
    b24_put_e put, const char *what, b24_str_t *text, b24_call_verdict_t *v);
static void b24_put_text(b24_put_t *p, const b24_source_t *sources);
static void b24_put_value(b24_put_t *p, const b24_str_t *value);
static void b24_put_scan(b24_put_t *p, const b24_str_t *text);
static void b24_put_json(b24_put_t *p, const b24_str_t *value);
static void b24_put_xml(b24_put_t *p, const b24_str_t *value);
static int b24_call_number(const b24_str_t *text);
static const char *b24_call_astray(const b24_call_run_t *run,
    const b24_str_t *url);
static size_t b24_call_dots(const b24_str_t *url, size_t from, size_t end);
static size_t b24_call_slash(const b24_str_t *url, size_t at, size_t end);
static size_t b24_call_coded(const b24_str_t *url, size_t at, size_t end,
    u_char c);
static int b24_call_unknown(b24_call_run_t *run, const char *what,
    const b24_str_t *name, b24_call_verdict_t *v);


/* "=%{NAME}": nothing equals a value that isn't known */
b24_is_e
b24_call_holds(b24_call_run_t *run, b24_eval_t *ev, const b24_cond_t *cond)
{
    b24_put_t   p;
    b24_cond_t  line;

    if (cond->with == NULL) {
        return b24_eval_cond(ev, cond);
    }

    memset(&p, 0, sizeof(b24_put_t));
    p.run = run;
    line = *cond;

    b24_put_text(&p, cond->with);

    if (p.unknown) {
        return cond->type == B24_COND_DIFFERENT ? B24_IS_SET : B24_IS_EMPTY;
    }

    if (b24_buf_str(&p.buf, &line.text) != B24_OK) {
        return B24_IS_ERROR;
    }

    return b24_eval_cond(ev, &line);
}


/* DECLINED: the verdict says why there is no request */
int
b24_call_render(b24_call_run_t *run, b24_call_request_t *req,
    b24_call_verdict_t *v)
{
    int                rc;
    b24_str_t          text;
    const char        *astray;
    const b24_cond_t  *cond;
    const b24_call_t  *call;
    static const b24_put_e  puts[] = {
        B24_PUT_FORM, B24_PUT_JSON, B24_PUT_XML, B24_PUT_RAW
    };

    call = run->call;

    req->block = call->name;
    req->method = call->method;
    req->login = (call->learn != NULL);

    /* what can't be compared later isn't sent */

    for (cond = call->accept; cond; cond = cond->next) {
        rc = b24_call_fill(run, cond->with, B24_PUT_RAW, "accept", &text, v);
        if (rc != B24_OK) {
            return rc;
        }
    }

    rc = b24_call_fill(run, call->url, B24_PUT_URL, "url", &req->url, v);
    if (rc != B24_OK) {
        return rc;
    }

    astray = b24_call_astray(run, &req->url);

    if (astray) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "check \"url\" of this block, and the values "
                                "in it", "the URL of the call %s", astray)
               == B24_OK ? B24_DECLINED : B24_ERROR;
    }

    if (call->body) {
        req->has_body = 1;

        rc = b24_call_fill(run, call->body, puts[call->kind], "body",
                           &req->body, v);
        if (rc != B24_OK) {
            return rc;
        }
    }

    rc = b24_call_headers(run, req, v);

    if (rc == B24_OK) {
        run->sent = 1;
    }

    return rc;
}


static int
b24_call_headers(b24_call_run_t *run, b24_call_request_t *req,
    b24_call_verdict_t *v)
{
    int                 rc;
    b24_str_t           text;
    b24_pair_t        **last;
    const b24_named_t  *header;

    last = &req->headers;

    for (header = run->call->headers; header; header = header->next) {

        if (header->value.alts == NULL) {
            continue;
        }

        rc = b24_call_fill(run, header->value.alts->sources, B24_PUT_HEADER,
                           "header", &text, v);
        if (rc != B24_OK) {
            return rc;
        }

        b24_str_trim(&text);

        *last = b24_pcalloc(run->pool, sizeof(b24_pair_t));
        if (*last == NULL) {
            return B24_ERROR;
        }

        (*last)->name = header->name;
        (*last)->value = text;
        last = &(*last)->next;
    }

    return req->has_body ? b24_call_typed(run, &req->headers) : B24_OK;
}


/* a body's type, where no line gives it */
static int
b24_call_typed(b24_call_run_t *run, b24_pair_t **list)
{
    b24_str_t                name = b24_string("Content-Type");
    static const b24_str_t   types[] = {
        b24_string("application/x-www-form-urlencoded"),
        b24_string("application/json"),
        b24_string("application/xml; charset=utf-8"),
        b24_string("text/plain; charset=utf-8")
    };

    for ( /* void */ ; *list; list = &(*list)->next) {

        if (b24_str_caseeq(&(*list)->name, &name)) {
            return B24_OK;
        }
    }

    return b24_pair_set(run->pool, list, &name, &types[run->call->kind]);
}


/* DECLINED: a value isn't known, or can't stand there */
static int
b24_call_fill(b24_call_run_t *run, const b24_source_t *sources,
    b24_put_e put, const char *what, b24_str_t *text, b24_call_verdict_t *v)
{
    int        rc;
    b24_put_t  p;

    memset(&p, 0, sizeof(b24_put_t));

    p.run = run;
    p.put = put;

    b24_put_text(&p, sources);

    if (p.wrong) {
        rc = b24_call_verdict(run, v, B24_CALL_REFUSED,
                              "look at what gives this value",
                              "%.*s can't stand in \"%s\": %s",
                              b24_rules_arg(p.unknown), what, p.wrong);

        return rc == B24_OK ? B24_DECLINED : B24_ERROR;
    }

    if (p.unknown) {
        return b24_call_unknown(run, what, p.unknown, v);
    }

    return b24_buf_str(&p.buf, text);
}


static int
b24_call_unknown(b24_call_run_t *run, const char *what, const b24_str_t *name,
    b24_call_verdict_t *v)
{
    int          i, rc;
    const char  *cure;

    cure = "look whether the shop still answers the call that learns it as it "
           "did, and check its \"learn\" and \"when\" lines";

    for (i = 0; i < B24_CALL_NVALUES; i++) {

        if (b24_str_eqs(name, b24_call_values[i].name)) {
            cure = b24_call_values[i].cure;
        }
    }

    rc = b24_call_verdict(run, v, B24_CALL_REFUSED, cure,
                          "%.*s is not known, and \"%s\" needs it",
                          b24_rules_arg(name), what);

    return rc == B24_OK ? B24_DECLINED : B24_ERROR;
}


/* ---- values in texts ---- */

static void
b24_put_text(b24_put_t *p, const b24_source_t *sources)
{
    const b24_pair_t    *pair;
    const b24_source_t  *source;

    b24_buf_init(&p->buf, p->run->pool);

    for (source = sources; source; source = source->next) {

        if (source->type == B24_SOURCE_TEXT) {
            b24_put_scan(p, &source->text);
            b24_buf_addstr(&p->buf, &source->text);
            continue;
        }

        p->unknown = &source->text;
        pair = b24_pair_get(p->run->values, &source->text);

        if (pair == NULL) {
            return;
        }

        /* an address can only begin with it */

        if (p->put == B24_PUT_URL && source == sources) {
            b24_buf_addstr(&p->buf, &pair->value);

        } else {
            b24_put_value(p, &pair->value);
        }

        if (p->wrong) {
            return;
        }

        p->unknown = NULL;
    }
}


static void
b24_put_value(b24_put_t *p, const b24_str_t *value)
{
    size_t  i;

    switch (p->put) {

    case B24_PUT_URL:
    case B24_PUT_FORM:
        b24_text_escape(&p->buf, value);
        return;

    case B24_PUT_JSON:
        b24_put_json(p, value);
        return;

    case B24_PUT_XML:
        b24_put_xml(p, value);
        return;

    case B24_PUT_HEADER:

        for (i = 0; i < value->len; i++) {

            if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
                p->wrong = "it has a line break or another control character";
                return;
            }
        }

        break;

    default:
        break;
    }

    b24_buf_addstr(&p->buf, value);
}


/* JSON: whether what follows is inside of a string */
static void
b24_put_scan(b24_put_t *p, const b24_str_t *text)
{
    u_char  c;
    size_t  i;

    if (p->put != B24_PUT_JSON) {
        return;
    }

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (p->escaped) {
            p->escaped = 0;

        } else if (c == '\\') {
            p->escaped = p->quoted;

        } else if (c == '"') {
            p->quoted = !p->quoted;
        }
    }
}


static void
b24_put_json(b24_put_t *p, const b24_str_t *value)
{
    b24_buf_t  buf;
    b24_str_t  text;

    if (!p->quoted) {

        if (!b24_call_number(value)) {
            p->wrong = "it is no number and stands outside of quotes";
            return;
        }

        b24_buf_addstr(&p->buf, value);
        return;
    }

    if (p->escaped) {
        p->wrong = "it stands behind a \"\\\"";
        return;
    }

    b24_buf_init(&buf, p->run->pool);
    b24_json_string(&buf, value);

    if (b24_buf_str(&buf, &text) != B24_OK) {
        p->buf.failed = 1;
        return;
    }

    b24_buf_add(&p->buf, text.data + 1, text.len - 2);
}


static void
b24_put_xml(b24_put_t *p, const b24_str_t *value)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        switch (c) {

        case '&':
            b24_buf_adds(&p->buf, "&amp;");
            break;

        case '<':
            b24_buf_adds(&p->buf, "&lt;");
            break;

        case '>':
            b24_buf_adds(&p->buf, "&gt;");
            break;

        case '"':
            b24_buf_adds(&p->buf, "&quot;");
            break;

        case '\'':
            b24_buf_adds(&p->buf, "&#39;");
            break;

        default:

            if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
                p->wrong = "XML can't carry its control characters";
                return;
            }

            b24_buf_addc(&p->buf, c);
        }
    }
}


/* RFC 8259, without an exponent */
static int
b24_call_number(const b24_str_t *text)
{
    size_t  i, start;

    i = (text->len && text->data[0] == '-') ? 1 : 0;

    for (start = i; i < text->len && b24_isdigit(text->data[i]); i++) {
        /* void */
    }

    if (i == start || (text->data[start] == '0' && i > start + 1)) {
        return 0;
    }

    if (i < text->len && text->data[i] == '.') {
        i++;

        for (start = i; i < text->len && b24_isdigit(text->data[i]); i++) {
            /* void */
        }

        if (i == start) {
            return 0;
        }
    }

    return i == text->len;
}


/* NULL, or what is wrong with it: values must not lead it elsewhere */
static const char *
b24_call_astray(const b24_call_run_t *run, const b24_str_t *url)
{
    size_t     i, n, end, path;
    b24_str_t  head;

    path = run->origin.len;

    head = *url;
    head.len = path;

    if (url->len <= path || !b24_str_eq(&head, &run->origin)
        || (url->data[path] != '/' && url->data[path] != '?'))
    {
        return "leads to another host than b24_site";
    }

    for (i = 0; i < url->len; i++) {

        if (url->data[i] <= ' ' || url->data[i] >= 0x7f
            || strchr("\"#<>\\^`{|}", url->data[i]))
        {
            return "has a character that must be percent-encoded";
        }
    }

    end = path;

    while (end < url->len && url->data[end] != '?') {
        end++;
    }

    for (i = path; i < end; i++) {
        n = b24_call_slash(url, i, end);

        if (n && b24_call_dots(url, i + n, end)) {
            return "has \"..\" or \".\" in its path";
        }
    }

    return NULL;
}


/* the segment from there on is "." or "..", however it is written */
static size_t
b24_call_dots(const b24_str_t *url, size_t from, size_t end)
{
    size_t  n, len;

    for (n = 0; from < end && b24_call_slash(url, from, end) == 0; n++) {
        len = b24_call_coded(url, from, end, '.');

        if (len == 0) {
            return 0;
        }

        from += len;
    }

    return n <= 2 ? n : 0;
}


/* servers decode a path before they put it in order: a slash of a value, which
 * stands there encoded, ends a segment as any other */
static size_t
b24_call_slash(const b24_str_t *url, size_t at, size_t end)
{
    size_t  len;

    len = b24_call_coded(url, at, end, '/');

    return len ? len : b24_call_coded(url, at, end, '\\');
}


/* bytes of c there, as it is or percent-encoded; 0: it is another one */
static size_t
b24_call_coded(const b24_str_t *url, size_t at, size_t end, u_char c)
{
    static const char  digits[] = "0123456789abcdef";

    if (url->data[at] == c) {
        return 1;
    }

    return end - at > 2 && url->data[at] == '%'
           && b24_tolower(url->data[at + 1]) == (u_char) digits[c >> 4]
           && b24_tolower(url->data[at + 2]) == (u_char) digits[c & 15]
           ? 3 : 0;
}
