
/* A run of a shop's blocks "write": the next call, what its answer means. */


#include "b24_rules_int.h"
#include "b24_call.h"
#include "b24_text.h"

#include <stdarg.h>
#include <stdio.h>


#define B24_CALL_SAID     200       /* bytes of what the shop says */
#define B24_CALL_SENTENCE 512
#define B24_CALL_LINE     120       /* bytes of a line in a sentence */
#define B24_CALL_SECRET   4         /* bytes that can be told from any word */
#define B24_CALL_WORD     20        /* characters that no word has */
#define B24_CALL_DIGITS   7         /* a phone, a card */
#define B24_CALL_PAGE     262144    /* bytes of a page that are looked at */


#define B24_CALL_LOGIN                                                        \
    "check user= and password= of b24_site: log in to the shop with them by " \
    "hand"
#define B24_CALL_RIGHT                                                        \
    "give the user of b24_site the right to change orders in the shop; a "    \
    "firewall in front of it may be the cause as well"
#define B24_CALL_SILENT                                                       \
    "the user of b24_site may not be allowed this change, or the order is "   \
    "locked in the shop: try it there by hand as that user"


/* how a value is put where it stands */
typedef enum {
    B24_PUT_RAW = 0,
    B24_PUT_URL,
    B24_PUT_FORM,
    B24_PUT_JSON,
    B24_PUT_XML,
    B24_PUT_HEADER
} b24_put_e;


struct b24_call_run_s {
    b24_pool_t          *pool;
    const b24_shop_t    *shop;
    b24_str_t            known[B24_CALL_NVALUES];
    b24_str_t            origin;        /* of the site: scheme, host, port */
    b24_pair_t          *values;        /* known ones, then what is learned */
    const b24_call_t    *call;          /* the next one, or the one sent */
    unsigned             n;             /* its number */
    unsigned             sent:1;
    unsigned             session:1;     /* something was learned */
    unsigned             renewed:1;     /* it was over once */
    unsigned             over:1;
    unsigned             login:1;       /* the answer at hand refuses it */
    unsigned             refused:1;     /* a session, for the second time */
    uint64_t             done;          /* bits of the blocks that are done and
                                           aren't called again */
    b24_call_verdict_t   verdict;       /* when it is over */
};


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


static void b24_call_reset(b24_call_run_t *run, int *rc);
static int b24_call_origin(const b24_str_t *site, b24_str_t *origin);
static int b24_call_basic(b24_pool_t *pool, const b24_str_t *user,
    const b24_str_t *password, b24_str_t *basic);
static b24_is_e b24_call_wanted(b24_call_run_t *run, const b24_call_t *call,
    int maybe);
static int b24_call_later(void *data, const char *what,
    const b24_str_t *name);
static b24_is_e b24_call_useful(b24_call_run_t *run);
static b24_is_e b24_call_holds(b24_call_run_t *run, b24_eval_t *ev,
    const b24_cond_t *cond);
static int b24_call_end(b24_call_run_t *run, b24_call_verdict_t *v);
static int b24_call_render(b24_call_run_t *run, b24_call_request_t *req,
    b24_call_verdict_t *v);
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
static int b24_call_accepted(b24_call_run_t *run, b24_eval_t *ev,
    b24_call_verdict_t *v);
static int b24_call_lost(b24_call_run_t *run, unsigned status,
    b24_call_verdict_t *v);
static int b24_call_auth(b24_call_run_t *run, const char *advice,
    b24_call_verdict_t *v, const char *reason, ...)
    __attribute__((format(printf, 4, 5)));
static int b24_call_refused(b24_call_run_t *run, b24_eval_t *ev,
    const b24_cond_t *cond, b24_call_verdict_t *v);
static int b24_call_unread(b24_call_run_t *run, b24_eval_t *ev,
    b24_call_verdict_t *v);
static int b24_call_page(b24_eval_t *ev);
static int b24_call_moved(const b24_input_t *in);
static int b24_call_has(const b24_str_t *text, const char *words);
static int b24_call_learned(b24_call_run_t *run, b24_eval_t *ev);
static int b24_call_said(b24_call_run_t *run, b24_eval_t *ev, b24_str_t *said);
static int b24_call_conceal(b24_call_run_t *run, b24_str_t *text);
static int b24_call_secret(b24_call_run_t *run, const b24_str_t *secret,
    b24_str_t *text);
static int b24_call_replace(b24_call_run_t *run, const b24_str_t *secret,
    b24_str_t *text);
static int b24_call_words(b24_call_run_t *run, b24_str_t *text);
static int b24_call_private(const b24_str_t *word);
static int b24_call_verdict(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static int b24_call_verdict_args(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, va_list args)
    __attribute__((format(printf, 5, 0)));


#define B24_X(id, name, cure)  { name, cure },

const b24_call_value_t  b24_call_values[B24_CALL_NVALUES] = {
    B24_CALL_VALUES(B24_X)
};

#undef B24_X


static const b24_input_t  b24_call_nothing;


/* where shops put what they have to say of an error */
static const char  *const b24_call_errors[] = {
    "message", "SYSTEM_ERROR", "ERROR", "error", "ERRORS", "errors",
    "error_description"
};


int
b24_shop_writes(const b24_shop_t *shop)
{
    return shop->calls != NULL;
}


/* b24_call_name_pt: stops at a name */
static int
b24_call_uses(void *data, const char *what, const b24_str_t *name)
{
    (void) what;

    return b24_str_eqs(name, data);
}


int
b24_shop_writes_use(const b24_shop_t *shop, const char *name)
{
    const b24_call_t  *call;

    for (call = shop->calls; call; call = call->next) {

        if (b24_call_names(call, b24_call_uses, (void *) name)) {
            return 1;
        }
    }

    return 0;
}


int
b24_call_begin(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_str_t values[B24_CALL_NVALUES], b24_call_run_t **run)
{
    int              i, rc;
    b24_str_t        none, *site;
    b24_call_run_t  *r;

    r = b24_pcalloc(pool, sizeof(b24_call_run_t));
    if (r == NULL) {
        return B24_ERROR;
    }

    r->pool = pool;
    r->shop = shop;

    for (i = 0; i < B24_CALL_NVALUES; i++) {

        if (b24_pstrdup(pool, &r->known[i], values[i].data, values[i].len)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    site = &r->known[B24_CALL_SITE];

    while (site->len && site->data[site->len - 1] == '/') {
        site->len--;
    }

    memset(&none, 0, sizeof(b24_str_t));

    rc = b24_call_basic(pool, &r->known[B24_CALL_USER],
                        &r->known[B24_CALL_PASSWORD],
                        &r->known[B24_CALL_BASIC]);

    if (rc == B24_OK) {
        rc = b24_call_basic(pool, &r->known[B24_CALL_PASSWORD], &none,
                            &r->known[B24_CALL_KEY]);
    }

    if (rc == B24_OK) {
        b24_call_reset(r, &rc);
    }

    if (rc != B24_OK) {
        return rc;
    }

    *run = r;

    if (site->len && b24_call_origin(site, &r->origin) != B24_OK) {
        return b24_call_verdict(r, &r->verdict, B24_CALL_REFUSED,
                                "give it as https://HOST or http://HOST, "
                                "without a user in it",
                                "b24_site is no address that can be called");
    }

    return B24_OK;
}


/* to the first call, with nothing learned */
static void
b24_call_reset(b24_call_run_t *run, int *rc)
{
    int        i;
    b24_str_t  name;

    run->values = NULL;
    run->session = 0;
    run->sent = 0;
    run->call = run->shop->calls;
    run->n = 0;

    for (i = 0; *rc == B24_OK && i < B24_CALL_NVALUES; i++) {
        name.data = (u_char *) b24_call_values[i].name;
        name.len = strlen(b24_call_values[i].name);

        *rc = b24_pair_set(run->pool, &run->values, &name, &run->known[i]);
    }
}


/* scheme://host[:port]; a user in it would make another host of it */
static int
b24_call_origin(const b24_str_t *site, b24_str_t *origin)
{
    u_char     c;
    size_t     i, start;
    b24_str_t  scheme;

    scheme = *site;

    for (start = 0; start < site->len && site->data[start] != ':'; start++) {
        /* void */
    }

    scheme.len = start;

    if ((!b24_str_caseeqs(&scheme, "https")
         && !b24_str_caseeqs(&scheme, "http"))
        || b24_str_find(site, start, "://") != (ssize_t) start)
    {
        return B24_DECLINED;
    }

    start += sizeof("://") - 1;

    for (i = start; i < site->len; i++) {
        c = b24_tolower(site->data[i]);

        if (c == '/') {
            break;
        }

        if (!b24_isdigit(c) && (c < 'a' || c > 'z')
            && (c == '\0' || strchr("-._:[]", c) == NULL))
        {
            return B24_DECLINED;
        }
    }

    origin->data = site->data;
    origin->len = i;

    return i > start ? B24_OK : B24_DECLINED;
}


/* RFC 7617, RFC 4648; empty without a user, or with one that it can't carry */
static int
b24_call_basic(b24_pool_t *pool, const b24_str_t *user,
    const b24_str_t *password, b24_str_t *basic)
{
    size_t              i;
    uint32_t            bits;
    b24_buf_t           in, out;
    b24_str_t           text;
    static const char   digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";

    memset(basic, 0, sizeof(b24_str_t));

    if (user->len == 0 || memchr(user->data, ':', user->len)) {
        return B24_OK;
    }

    b24_buf_init(&in, pool);
    b24_buf_init(&out, pool);

    b24_buf_addstr(&in, user);
    b24_buf_addc(&in, ':');
    b24_buf_addstr(&in, password);

    if (b24_buf_str(&in, &text) != B24_OK) {
        return B24_ERROR;
    }

    for (i = 0; i < text.len; i += 3) {
        bits = (uint32_t) text.data[i] << 16;

        if (i + 1 < text.len) {
            bits |= (uint32_t) text.data[i + 1] << 8;
        }

        if (i + 2 < text.len) {
            bits |= text.data[i + 2];
        }

        b24_buf_addc(&out, (u_char) digits[bits >> 18]);
        b24_buf_addc(&out, (u_char) digits[bits >> 12 & 63]);
        b24_buf_addc(&out, i + 1 < text.len ? (u_char) digits[bits >> 6 & 63]
                                            : '=');
        b24_buf_addc(&out, i + 2 < text.len ? (u_char) digits[bits & 63]
                                            : '=');
    }

    return b24_buf_str(&out, basic);
}


/* ---- the next call ---- */

int
b24_call_next(b24_call_run_t *run, b24_call_request_t *request,
    b24_call_verdict_t *verdict)
{
    b24_is_e           is;
    const b24_call_t  *call;

    memset(request, 0, sizeof(b24_call_request_t));
    memset(verdict, 0, sizeof(b24_call_verdict_t));

    if (run->sent) {

        /* nobody told what came of it */

        return b24_call_lost(run, 0, verdict) == B24_OK ? B24_DECLINED
                                                        : B24_ERROR;
    }

    while (!run->over && run->call) {
        call = run->call;
        is = B24_IS_EMPTY;

        if (!(run->done & 1ULL << run->n)) {
            is = b24_call_wanted(run, call, 0);
        }

        /* a login for nothing that follows is none of ours */

        if (is == B24_IS_SET && call->learn) {
            is = b24_call_useful(run);
        }

        if (is == B24_IS_SET) {
            return b24_call_render(run, request, verdict);
        }

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_EMPTY) {
            return b24_call_verdict(run, verdict, B24_CALL_REFUSED,
                                    "simplify the regexes of this block",
                                    "a regex of \"when\" took too long")
                   == B24_OK ? B24_DECLINED : B24_ERROR;
        }

        run->call = call->next;
        run->n++;
    }

    return b24_call_end(run, verdict);
}


static int
b24_call_end(b24_call_run_t *run, b24_call_verdict_t *v)
{
    int  rc;

    if (run->over) {
        *v = run->verdict;
        return B24_DECLINED;
    }

    rc = run->done
         ? b24_call_verdict(run, v, B24_CALL_DONE, "",
                            "the shop has made the change")
         : b24_call_verdict(run, v, B24_CALL_SKIPPED,
                            "give a \"write\" block whose \"when\" lines hold "
                            "for it, or leave it if the shop shall not follow",
                            "no \"write\" block is for this change");

    return rc == B24_OK ? B24_DECLINED : B24_ERROR;
}


/* maybe: a line with a value that is still to be learned counts as holding */
static b24_is_e
b24_call_wanted(b24_call_run_t *run, const b24_call_t *call, int maybe)
{
    b24_is_e           is;
    b24_eval_t         ev;
    b24_cond_t         line;
    const b24_cond_t  *cond;

    b24_eval_init(&ev, run->pool, &b24_call_nothing, 0);
    ev.whole = 1;
    ev.fresh = run->values;

    for (cond = call->when; cond; cond = cond->next) {

        line = *cond;
        line.next = NULL;

        if (maybe && b24_call_cond_names(&line, "", b24_call_later, run)) {
            continue;
        }

        is = b24_call_holds(run, &ev, cond);

        if (is != B24_IS_SET) {
            return is;
        }
    }

    return B24_IS_SET;
}


/* b24_call_name_pt: stops at what is not there yet */
static int
b24_call_later(void *data, const char *what, const b24_str_t *name)
{
    b24_call_run_t  *run = data;

    int  i;

    (void) what;

    for (i = 0; i < B24_CALL_NVALUES; i++) {

        if (b24_str_eqs(name, b24_call_values[i].name)) {
            return 0;
        }
    }

    return b24_pair_get(run->values, name) == NULL;
}


/* of a block that learns: one without comes after it */
static b24_is_e
b24_call_useful(b24_call_run_t *run)
{
    unsigned           n;
    b24_is_e           is;
    const b24_call_t  *call;

    n = run->n + 1;

    for (call = run->call->next; call; call = call->next, n++) {

        if (call->learn || (run->done & 1ULL << n)) {
            continue;
        }

        is = b24_call_wanted(run, call, 1);

        if (is != B24_IS_EMPTY) {
            return is;
        }
    }

    return B24_IS_EMPTY;
}


/* "=%{NAME}": nothing equals a value that isn't known */
static b24_is_e
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
static int
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


/* ---- answers ---- */

int
b24_call_answer(b24_call_run_t *run, const b24_input_t *in,
    b24_call_verdict_t *verdict)
{
    b24_is_e           is;
    b24_eval_t         ev;
    const b24_cond_t  *cond;
    const b24_call_t  *call;

    memset(verdict, 0, sizeof(b24_call_verdict_t));
    call = run->call;

    if (!run->sent) {
        return B24_ERROR;
    }

    run->sent = 0;

    b24_eval_init(&ev, run->pool, in, 0);
    ev.whole = 1;
    ev.fresh = run->values;

    if (in->status == 0 || in->status == 408 || in->status == 425
        || in->status == 429 || in->status >= 500)
    {
        return b24_call_lost(run, in->status, verdict);
    }

    run->login = (in->status == 401);

    if (run->login) {
        return b24_call_auth(run, B24_CALL_LOGIN, verdict,
                             "the shop refuses the login (401)");
    }

    if (in->status == 403) {
        return b24_call_auth(run, B24_CALL_RIGHT, verdict,
                             "the shop forbids it (403)");
    }

    for (cond = call->expired; cond; cond = cond->next) {
        is = b24_call_holds(run, &ev, cond);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            continue;
        }

        if (b24_call_said(run, &ev, &verdict->said) != B24_OK) {
            return B24_ERROR;
        }

        return b24_call_auth(run, B24_CALL_RIGHT, verdict,
                             run->renewed ? "the shop refuses a new session "
                                            "as well"
                                          : "the shop refuses the session");
    }

    ev.why = B24_WHY_NONE;

    for (cond = call->accept; cond; cond = cond->next) {
        is = b24_call_holds(run, &ev, cond);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            return b24_call_refused(run, &ev, is == B24_IS_EMPTY ? cond : NULL,
                                    verdict);
        }
    }

    return b24_call_accepted(run, &ev, verdict);
}


static int
b24_call_accepted(b24_call_run_t *run, b24_eval_t *ev, b24_call_verdict_t *v)
{
    int  rc;

    if (run->call->learn) {

        if (b24_call_learned(run, ev) != B24_OK) {
            return B24_ERROR;
        }

        run->session = 1;

    } else {
        run->done |= 1ULL << run->n;
    }

    rc = b24_call_verdict(run, v, B24_CALL_OK, "", "the shop accepts it (%u)",
                          ev->in->status);

    run->call = run->call->next;
    run->n++;

    return rc;
}


/* what can't be read is not learned, and missed where it is needed */
static int
b24_call_learned(b24_call_run_t *run, b24_eval_t *ev)
{
    b24_is_e            is;
    b24_pair_t         *learned, *pair;
    b24_result_t        res;
    const b24_named_t  *learn;

    learned = NULL;

    for (learn = run->call->learn; learn; learn = learn->next) {
        is = b24_eval_line(ev, &learn->value, NULL, &res);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            continue;
        }

        b24_str_trim(&res.text);

        if (b24_pair_set(run->pool, &learned, &learn->name, &res.text)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    for (pair = learned; pair; pair = pair->next) {

        if (b24_pair_set(run->pool, &run->values, &pair->name, &pair->value)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_call_lost(b24_call_run_t *run, unsigned status, b24_call_verdict_t *v)
{
    if (status == 0) {
        return b24_call_verdict(run, v, B24_CALL_RETRY,
                                "see whether b24_site can be reached from "
                                "this server", "the shop did not answer");
    }

    return b24_call_verdict(run, v, B24_CALL_RETRY,
                            status == 429
                            ? "the shop takes fewer calls than there are: "
                              "raise its limit for this server"
                            : "see the shop's own error log",
                            "the shop answered %u", status);
}


/* once a run, if there was a session */
static int
b24_call_auth(b24_call_run_t *run, const char *advice, b24_call_verdict_t *v,
    const char *reason, ...)
{
    int      rc;
    va_list  args;

    rc = B24_OK;
    va_start(args, reason);

    if (run->session && !run->renewed) {
        rc = b24_call_verdict_args(run, v, B24_CALL_AUTH, "", reason, args);
        run->renewed = 1;

        if (rc == B24_OK) {
            b24_call_reset(run, &rc);
        }

    } else {
        run->refused = run->session;
        rc = b24_call_verdict_args(run, v, B24_CALL_REFUSED, advice, reason,
                                   args);
    }

    va_end(args);

    return rc;
}


/* cond: the line that doesn't hold; NULL: it can't be told */
static int
b24_call_refused(b24_call_run_t *run, b24_eval_t *ev, const b24_cond_t *cond,
    b24_call_verdict_t *v)
{
    int        page;
    unsigned   status;
    b24_str_t  line;

    status = ev->in->status;
    page = status < 400 ? b24_call_page(ev) : 0;

    if (page < 0) {
        return B24_ERROR;
    }

    if (page || (status / 100 == 3 && b24_call_moved(ev->in))) {
        return b24_call_auth(run, B24_CALL_LOGIN, v,
                             "the shop asks for a login in place of an answer "
                             "(%u)", status);
    }

    if (status / 100 == 3) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "give b24_site the address it ends at: https "
                                "or http, with or without www",
                                "the shop sends the call elsewhere (%u)",
                                status);
    }

    if (status < 400 && cond == NULL) {
        return b24_call_unread(run, ev, v);
    }

    if (b24_call_said(run, ev, &v->said) != B24_OK) {
        return B24_ERROR;
    }

    if (status == 404 || status == 410) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "check \"url\" of this block and the path of "
                                "b24_site; the order may have been deleted in "
                                "the shop",
                                "the shop does not know this order or this "
                                "address (%u)", status);
    }

    if (status >= 400) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "compare the block with what the shop's "
                                "interface takes, and see the shop's own log",
                                "the shop refuses the call (%u)", status);
    }

    line = cond->value.key;
    b24_text_cut(&line, B24_CALL_LINE);

    return b24_call_verdict(run, v, B24_CALL_REFUSED,
                            run->call->learn ? B24_CALL_LOGIN : B24_CALL_SILENT,
                            "the shop answered %u, but \"%.*s\" does not hold",
                            status, (int) line.len, (char *) line.data);
}


static int
b24_call_unread(b24_call_run_t *run, b24_eval_t *ev, b24_call_verdict_t *v)
{
    switch (ev->why) {

    case B24_WHY_CUT:
    case B24_WHY_LOST:
        return b24_call_verdict(run, v, B24_CALL_RETRY, "",
                                "the shop's answer ended early");

    case B24_WHY_LARGE:
    case B24_WHY_INFLATE:
    case B24_WHY_ENCODING:
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "see what the shop answers to this call",
                                "the shop's answer is too large, or compressed "
                                "in a way that can't be read");

    case B24_WHY_REGEX:
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "simplify the regexes of this block",
                                "a regex of \"accept\" took too long");

    default:
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "see what the shop answers to this call: a "
                                "message of PHP in it may be the cause",
                                "the shop's answer could not be read: broken "
                                "JSON");
    }
}


/* a page with a field for a password; -1: no memory */
static int
b24_call_page(b24_eval_t *ev)
{
    b24_is_e   is;
    b24_str_t  text;

    is = b24_eval_response(ev);

    if (is == B24_IS_SET && ev->response.root) {
        return 0;
    }

    if (is != B24_IS_ERROR) {
        is = b24_eval_answer_text(ev);
    }

    if (is != B24_IS_SET) {
        return is == B24_IS_ERROR ? -1 : 0;
    }

    text = ev->utf8;

    if (text.len > B24_CALL_PAGE) {
        text.len = B24_CALL_PAGE;
    }

    return b24_call_has(&text, "type=\"password\"")
           || b24_call_has(&text, "type='password'")
           || b24_call_has(&text, "type=password");
}


/* to an address whose path or arguments speak of a login; names of hosts may
 * be any words */
static int
b24_call_moved(const b24_input_t *in)
{
    ssize_t            at;
    b24_str_t          to, scheme;
    const b24_pair_t  *header;

    for (header = in->headers; header; header = header->next) {

        if (!b24_str_caseeqs(&header->name, "Location")) {
            continue;
        }

        to = header->value;
        at = b24_str_find(&to, 0, "//");

        scheme = to;
        scheme.len = at > 0 ? (size_t) at : 0;

        if (at >= 0 && b24_str_find(&scheme, 0, "/") == -1
            && b24_str_find(&scheme, 0, "?") == -1)
        {
            at = b24_str_find(&to, (size_t) at + 2, "/");
            at = at < 0 ? (ssize_t) to.len : at;

            to.data += at;
            to.len -= (size_t) at;
        }

        if (b24_call_has(&to, "login") || b24_call_has(&to, "auth")) {
            return 1;
        }
    }

    return 0;
}


/* words are in lower case */
static int
b24_call_has(const b24_str_t *text, const char *words)
{
    size_t  i, k, len;

    len = strlen(words);

    for (i = 0; i + len <= text->len; i++) {

        for (k = 0; k < len; k++) {

            if (b24_tolower(text->data[i + k]) != (u_char) words[k]) {
                break;
            }
        }

        if (k == len) {
            return 1;
        }
    }

    return 0;
}


/* ---- what the shop says ---- */

static int
b24_call_said(b24_call_run_t *run, b24_eval_t *ev, b24_str_t *said)
{
    size_t             i;
    b24_is_e           is;
    b24_str_t          name, text;
    const b24_node_t  *node;

    memset(said, 0, sizeof(b24_str_t));

    is = b24_eval_response(ev);

    if (is != B24_IS_SET || ev->response.root == NULL
        || ev->response.root->type != B24_OBJECT)
    {
        return is == B24_IS_ERROR ? B24_ERROR : B24_OK;
    }

    for (i = 0; i < sizeof(b24_call_errors) / sizeof(char *); i++) {
        name.data = (u_char *) b24_call_errors[i];
        name.len = strlen(b24_call_errors[i]);

        node = b24_node_get(ev->response.root, &name);

        /* {"error":{"warning":"..."}}, {"ERRORS":["..."]} */

        if (node && (node->type == B24_OBJECT || node->type == B24_ARRAY)) {
            node = node->first;
        }

        if (node == NULL || node->type != B24_STRING || node->value.len == 0) {
            continue;
        }

        name = (b24_str_t) b24_null_string;

        if (b24_text_utf8(run->pool, &node->value, &name, &text) != B24_OK
            || b24_text_strip(run->pool, &text, &text) != B24_OK
            || b24_call_conceal(run, &text) != B24_OK)
        {
            return B24_ERROR;
        }

        b24_text_cut(&text, B24_CALL_SAID);
        *said = text;
        return B24_OK;
    }

    return B24_OK;
}


/* secrets first: what is left of a word could be one no more */
static int
b24_call_conceal(b24_call_run_t *run, b24_str_t *text)
{
    int          i, rc;
    b24_pair_t  *pair;

    rc = B24_OK;

    for (pair = run->values; rc == B24_OK && pair; pair = pair->next) {

        for (i = 0; i < B24_CALL_NVALUES; i++) {

            if (b24_str_eqs(&pair->name, b24_call_values[i].name)) {
                break;
            }
        }

        /* no token of a session is that short, a sign of an address may be */

        if (i == B24_CALL_PASSWORD || i == B24_CALL_BASIC || i == B24_CALL_KEY
            || (i == B24_CALL_NVALUES && pair->value.len >= B24_CALL_SECRET))
        {
            rc = b24_call_secret(run, &pair->value, text);
        }
    }

    return rc == B24_OK ? b24_call_words(run, text) : rc;
}


/* as it is, as the text was read (b24_text_strip()), as it stands in URLs */
static int
b24_call_secret(b24_call_run_t *run, const b24_str_t *secret, b24_str_t *text)
{
    int        rc;
    b24_buf_t  buf;
    b24_str_t  escaped, none, clean;

    memset(&none, 0, sizeof(b24_str_t));

    b24_buf_init(&buf, run->pool);
    b24_text_escape(&buf, secret);

    if (b24_buf_str(&buf, &escaped) != B24_OK
        || b24_text_utf8(run->pool, secret, &none, &clean) != B24_OK
        || b24_text_strip(run->pool, &clean, &clean) != B24_OK)
    {
        return B24_ERROR;
    }

    rc = b24_call_replace(run, secret, text);

    if (rc == B24_OK) {
        rc = b24_call_replace(run, &clean, text);
    }

    return rc == B24_OK ? b24_call_replace(run, &escaped, text) : rc;
}


/* a short one could be a part of any word: nothing is left of the text */
static int
b24_call_replace(b24_call_run_t *run, const b24_str_t *secret, b24_str_t *text)
{
    size_t     i;
    b24_buf_t  buf;
    b24_str_t  here;

    if (secret->len == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, run->pool);

    for (i = 0; i < text->len; /* void */ ) {
        here.data = text->data + i;
        here.len = secret->len;

        if (here.len > text->len - i || !b24_str_caseeq(&here, secret)) {
            b24_buf_addc(&buf, text->data[i++]);
            continue;
        }

        if (secret->len < B24_CALL_SECRET) {
            text->len = 0;
            return B24_OK;
        }

        b24_buf_adds(&buf, "(secret)");
        i += secret->len;
    }

    return b24_buf_str(&buf, text);
}


/* addresses, links, phones, tokens */
static int
b24_call_words(b24_call_run_t *run, b24_str_t *text)
{
    size_t     i;
    b24_buf_t  buf;
    b24_str_t  word;

    b24_buf_init(&buf, run->pool);

    for (i = 0; i < text->len; i++) {
        word.data = text->data + i;
        word.len = 0;

        while (i < text->len && !b24_isspace(text->data[i])) {
            word.len++;
            i++;
        }

        if (b24_call_private(&word)) {
            b24_buf_adds(&buf, "(hidden)");

        } else {
            b24_buf_addstr(&buf, &word);
        }

        if (i < text->len) {
            b24_buf_addc(&buf, ' ');
        }
    }

    return b24_buf_str(&buf, text);
}


static int
b24_call_private(const b24_str_t *word)
{
    u_char  c;
    size_t  i, run, digits;

    run = 0;
    digits = 0;

    for (i = 0; i < word->len; i++) {
        c = b24_tolower(word->data[i]);

        if (c == '@') {
            return 1;
        }

        digits += b24_isdigit(c) ? 1 : 0;

        if (b24_isdigit(c) || (c >= 'a' && c <= 'z')) {
            run++;

        } else {
            run = 0;
        }

        if (digits == B24_CALL_DIGITS || run == B24_CALL_WORD) {
            return 1;
        }
    }

    return b24_str_find(word, 0, "://") != -1;
}


/* ---- verdicts ---- */

static int
b24_call_verdict(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, ...)
{
    int      rc;
    va_list  args;

    va_start(args, fmt);
    rc = b24_call_verdict_args(run, v, result, advice, fmt, args);
    va_end(args);

    return rc;
}


/* what ends the run is told again whenever it is asked for */
static int
b24_call_verdict_args(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, va_list args)
{
    char       sentence[B24_CALL_SENTENCE];
    b24_str_t  text;

    vsnprintf(sentence, sizeof(sentence), fmt, args);

    text.data = (u_char *) sentence;
    text.len = strlen(sentence);
    b24_text_cut(&text, text.len);

    v->result = result;
    memset(&v->block, 0, sizeof(b24_str_t));

    v->login = run->login;
    v->session = run->refused;

    if (run->call) {
        v->block = run->call->name;
        v->login |= (run->call->learn != NULL);
    }

    v->advice.data = (u_char *) advice;
    v->advice.len = strlen(advice);

    if (result != B24_CALL_OK && result != B24_CALL_AUTH) {
        run->over = 1;
        run->sent = 0;
    }

    if (b24_pstrdup(run->pool, &v->reason, text.data, text.len) != B24_OK) {
        return B24_ERROR;
    }

    if (run->over) {
        run->verdict = *v;
    }

    return B24_OK;
}
