
/* Blocks "write" of a shop: their lines, heirs, checks. */


#include "b24_rules_int.h"
#include "b24_call.h"

#include <stdio.h>


#define B24_CALL_TITLE  (B24_RULES_NAME + 16)


/* which names a block may use: those of every run, and learned before it */
typedef struct {
    b24_rules_t       *rules;
    const b24_shop_t  *shop;
    const b24_call_t  *call;
} b24_call_check_t;


static int b24_call_new(b24_rules_t *rules, const b24_str_t *name);
static int b24_call_text(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_source_t **sources);
static int b24_call_url(b24_rules_t *rules, const b24_str_t *args, size_t n);
static int b24_call_method(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_call_header(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_call_named(b24_rules_t *rules, b24_named_t **list,
    const b24_str_t *args,
    int (*same)(const b24_str_t *a, const b24_str_t *b),
    b24_named_t **named);
static int b24_call_learn(b24_rules_t *rules, const b24_str_t *args,
    size_t n);
static int b24_call_cond(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_cond_t **list);
static int b24_call_joined(b24_rules_t *rules, const b24_str_t *args,
    size_t n, b24_str_t *text);
static int b24_call_literal(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t ***next);
static int b24_call_name(const b24_str_t *name);
static b24_call_t *b24_call_find(b24_call_t *call, const b24_str_t *name);
static b24_call_t *b24_call_heir(b24_rules_t *rules, const b24_call_t *base,
    const b24_call_t *own);
static int b24_call_drops(b24_rules_t *rules, b24_shop_t *shop);
static int b24_call_whole(b24_rules_t *rules, b24_call_t *call);
static int b24_call_last(b24_rules_t *rules, const b24_call_t *call);
static int b24_call_kind(b24_rules_t *rules, b24_call_t *call);
static int b24_call_kind_type(b24_rules_t *rules, b24_call_t *call,
    const b24_source_t *type);
static int b24_call_known(void *data, const char *what,
    const b24_str_t *name);
static const char *b24_call_title(const b24_call_t *call,
    char buf[B24_CALL_TITLE]);
static int b24_call_source_names(const b24_source_t *source, const char *what,
    b24_call_name_pt fn, void *data);
static int b24_call_value_names(const b24_value_t *value, const char *what,
    b24_call_name_pt fn, void *data);


static const char  *const b24_call_methods[] = {
    "GET", "POST", "PUT", "PATCH", "DELETE"
};

/* who sends the call sets them */
static const char  *const b24_call_own_headers[] = {
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect",
    "Upgrade", "TE", "Trailer"
};


int
b24_call_open(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int        rc;
    b24_str_t  name;

    if (n > 2) {
        return b24_rules_fail(rules, "\"write\" takes one name at most before "
                              "\"{\"");
    }

    memset(&name, 0, sizeof(b24_str_t));

    if (n == 2) {
        name = args[1];

        rc = b24_rules_name(rules, "write", &name);
        if (rc != B24_OK) {
            return rc;
        }

        if (b24_str_eqs(&name, "off")) {
            return b24_rules_fail(rules, "\"write off\" is no name for a "
                                  "block: to drop those of the base, end the "
                                  "line with \";\"");
        }
    }

    rc = b24_call_new(rules, &name);

    if (rc == B24_OK) {
        rules->level = B24_LEVEL_WRITE;
    }

    return rc;
}


/* "write off;", "write NAME off;" */
int
b24_call_off(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int  rc;

    if (n < 2 || n > 3 || !b24_str_eqs(&args[n - 1], "off")) {
        return b24_rules_fail(rules, "\"write\" needs a block \"{ ... }\", or "
                              "\"off\" to drop those of the base");
    }

    if (rules->shop->base == NULL) {
        return b24_rules_fail(rules, "\"write ... off\" drops a block of a "
                              "base, and this shop has none: leave the line "
                              "out");
    }

    if (n == 2) {
        rules->shop->calls_off = 1;
        return B24_OK;
    }

    rc = b24_call_new(rules, &args[1]);

    if (rc == B24_OK) {
        rules->call->off = 1;
    }

    return rc;
}


static int
b24_call_new(b24_rules_t *rules, const b24_str_t *name)
{
    unsigned      n;
    b24_call_t   *call, **last;

    n = 0;

    for (last = &rules->shop->calls; *last; last = &(*last)->next) {
        n++;
    }

    if (b24_call_find(rules->shop->calls, name)) {
        return b24_rules_fail(rules, "\"write%s%.*s\" is given twice in this "
                              "shop: give one of the two another name",
                              name->len ? " " : "", b24_rules_arg(name));
    }

    if (n == B24_SHOP_CALLS) {
        return b24_rules_fail(rules, "\"write\" is one block too many: a shop "
                              "takes at most %d", B24_SHOP_CALLS);
    }

    call = b24_pcalloc(rules->pool, sizeof(b24_call_t));
    if (call == NULL || b24_rules_copy(rules, &call->name, name) != B24_OK) {
        return B24_ERROR;
    }

    *last = call;
    rules->call = call;

    return B24_OK;
}


static b24_call_t *
b24_call_find(b24_call_t *call, const b24_str_t *name)
{
    while (call && !b24_str_eq(&call->name, name)) {
        call = call->next;
    }

    return call;
}


int
b24_call_line(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int          rc;
    b24_call_t  *call;

    call = rules->call;

    if (b24_str_eqs(&args[0], "method")) {
        return b24_call_method(rules, args, n);
    }

    if (b24_str_eqs(&args[0], "url")) {
        return b24_call_url(rules, args, n);
    }

    if (b24_str_eqs(&args[0], "body")) {
        return b24_call_text(rules, args, n, &call->body);
    }

    if (b24_str_eqs(&args[0], "header")) {
        return b24_call_header(rules, args, n);
    }

    if (b24_str_eqs(&args[0], "when")) {
        rules->given = 1;
        rc = b24_call_cond(rules, args, n, &call->when);
        rules->given = 0;
        return rc;
    }

    if (b24_str_eqs(&args[0], "accept")) {
        return b24_call_cond(rules, args, n, &call->accept);
    }

    if (b24_str_eqs(&args[0], "expired")) {
        return b24_call_cond(rules, args, n, &call->expired);
    }

    if (b24_str_eqs(&args[0], "learn")) {
        return b24_call_learn(rules, args, n);
    }

    return b24_rules_fail(rules, "\"%.*s\" is unknown in \"write\": it takes "
                          "when, method, url, header, body, accept, expired, "
                          "learn", b24_rules_arg(&args[0]));
}


static int
b24_call_text(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_source_t **sources)
{
    if (n != 2 || args[1].len == 0) {
        return b24_rules_fail(rules, "\"%.*s\" needs one text: put it in "
                              "quotes", b24_rules_arg(&args[0]));
    }

    if (*sources) {
        return b24_rules_fail(rules, "\"%.*s\" is given twice in this block: "
                              "leave one of the two out",
                              b24_rules_arg(&args[0]));
    }

    return b24_call_template(rules, &args[0], &args[1], sources);
}


/* whether it stays at the shop is known when the values are in it */
static int
b24_call_url(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int                  rc;
    const b24_source_t  *s;

    rc = b24_call_text(rules, args, n, &rules->call->url);
    if (rc != B24_OK) {
        return rc;
    }

    s = rules->call->url;

    if (s->type == B24_SOURCE_GIVEN && b24_str_eqs(&s->text, "site")
        && s->next && s->next->type == B24_SOURCE_TEXT
        && (s->next->text.data[0] == '/' || s->next->text.data[0] == '?'))
    {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"url\" must begin with \"%%{site}/\", the "
                          "address that \"b24_site\" gives, such as "
                          "\"%%{site}/api/orders\"");
}


static int
b24_call_method(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    size_t  i;

    if (rules->call->method.len) {
        return b24_rules_fail(rules, "\"method\" is given twice in this block: "
                              "leave one of the two out");
    }

    for (i = 0; n == 2 && i < sizeof(b24_call_methods) / sizeof(char *); i++) {

        if (b24_str_eqs(&args[1], b24_call_methods[i])) {
            return b24_rules_copy(rules, &rules->call->method, &args[1]);
        }
    }

    return b24_rules_fail(rules, "\"method\" of a call is one of GET, POST, "
                          "PUT, PATCH and DELETE");
}


static int
b24_call_header(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int           rc;
    u_char        c;
    size_t        i;
    b24_alt_t    *alt;
    b24_named_t  *named;

    for (i = 0; n == 3 && i < args[1].len; i++) {
        c = b24_tolower(args[1].data[i]);

        if (!b24_isdigit(c) && c != '-' && c != '_' && (c < 'a' || c > 'z')) {
            break;
        }
    }

    if (n != 3 || args[1].len == 0 || i < args[1].len) {
        return b24_rules_fail(rules, "\"header\" needs a name and a text in "
                              "quotes, such as header Authorization \"Basic "
                              "%%{basic}\"");
    }

    for (i = 0; i < args[2].len; i++) {

        if (args[2].data[i] < 0x20 || args[2].data[i] == 0x7f) {
            return b24_rules_fail(rules, "\"header %.*s\" has a line break or "
                                  "another control character: leave it out",
                                  b24_rules_arg(&args[1]));
        }
    }

    for (i = 0; i < sizeof(b24_call_own_headers) / sizeof(char *); i++) {

        if (b24_str_caseeqs(&args[1], b24_call_own_headers[i])) {
            return b24_rules_fail(rules, "\"header %.*s\" is set by the "
                                  "module: leave the line out",
                                  b24_rules_arg(&args[1]));
        }
    }

    rc = b24_call_named(rules, &rules->call->headers, args, b24_str_caseeq,
                        &named);

    /* "" in an heir: the base's isn't sent */

    if (rc != B24_OK || named == NULL || args[2].len == 0) {
        return rc;
    }

    alt = b24_pcalloc(rules->pool, sizeof(b24_alt_t));
    if (alt == NULL) {
        return B24_ERROR;
    }

    named->value.alts = alt;

    return b24_call_template(rules, &args[0], &args[2], &alt->sources);
}


/* "header NAME", "learn NAME": once in the block */
static int
b24_call_named(b24_rules_t *rules, b24_named_t **list, const b24_str_t *args,
    int (*same)(const b24_str_t *a, const b24_str_t *b), b24_named_t **named)
{
    *named = NULL;

    for ( /* void */ ; *list; list = &(*list)->next) {

        if (same(&(*list)->name, &args[1])) {
            return b24_rules_fail(rules, "\"%.*s %.*s\" is given twice in this "
                                  "block: leave one of the two out",
                                  b24_rules_arg(&args[0]),
                                  b24_rules_arg(&args[1]));
        }
    }

    *named = b24_pcalloc(rules->pool, sizeof(b24_named_t));

    if (*named == NULL
        || b24_rules_copy(rules, &(*named)->name, &args[1]) != B24_OK)
    {
        return B24_ERROR;
    }

    *list = *named;

    return B24_OK;
}


static int
b24_call_learn(b24_rules_t *rules, const b24_str_t *args, size_t n)
{
    int           rc;
    b24_str_t     what;
    b24_named_t  *named;

    if (n < 3) {
        return b24_rules_fail(rules, "\"learn\" needs a name and a value: "
                              "\"learn NAME VALUE\"");
    }

    rc = b24_rules_name(rules, "learn", &args[1]);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_call_name(&args[1])) {
        return b24_rules_fail(rules, "\"learn %.*s\": every call has a value "
                              "of that name, give it another",
                              b24_rules_arg(&args[1]));
    }

    rc = b24_call_named(rules, &rules->call->learn, args, b24_str_eq, &named);

    if (rc == B24_OK) {
        rc = b24_call_joined(rules, args, 2, &what);
    }

    if (rc != B24_OK || named == NULL) {
        return rc;
    }

    return b24_value_compile(rules, &what, args + 2, n - 2, &named->value);
}


static int
b24_call_cond(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_cond_t **list)
{
    int          rc;
    b24_cond_t  *cond;

    while (*list) {
        list = &(*list)->next;
    }

    cond = b24_pcalloc(rules->pool, sizeof(b24_cond_t));
    if (cond == NULL) {
        return B24_ERROR;
    }

    rc = b24_cond_compile(rules, &args[0], args + 1, n - 1, cond);
    if (rc != B24_OK) {
        return rc;
    }

    *list = cond;

    /* the line itself: it tells what an answer didn't hold */

    return b24_call_joined(rules, args, n, &cond->value.key);
}


static int
b24_call_joined(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_str_t *text)
{
    size_t     i;
    b24_buf_t  buf;

    b24_buf_init(&buf, rules->pool);

    for (i = 0; i < n; i++) {

        if (i) {
            b24_buf_addc(&buf, ' ');
        }

        b24_buf_addstr(&buf, &args[i]);
    }

    if (b24_buf_str(&buf, text) != B24_OK) {
        return B24_ERROR;
    }

    return b24_rules_text(rules, text, text);
}


int
b24_call_given(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t *source)
{
    int  rc;

    if (b24_str_find(token, 0, "%{") != -1) {
        return B24_DECLINED;
    }

    rc = b24_rules_name(rules, "value", token);

    if (rc != B24_OK) {
        return b24_rules_fail(rules, "\"%.*s\" of a call takes values by name, "
                              "such as status, canceled or one that was "
                              "learned, and not \"%.*s\"",
                              b24_rules_arg(what), b24_rules_arg(token));
    }

    source->type = B24_SOURCE_GIVEN;

    return b24_rules_copy(rules, &source->text, token);
}


int
b24_call_variable(b24_rules_t *rules, const b24_str_t *what)
{
    return b24_rules_fail(rules, "\"%.*s\" has a variable, and a call to the "
                          "shop has no request it could be of: its values are "
                          "%%{status}, %%{row} and the like",
                          b24_rules_arg(what));
}


int
b24_call_template(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t **sources)
{
    int             rc;
    size_t          pos, end;
    ssize_t         at;
    b24_str_t       part;
    b24_source_t  **next, *source;

    next = sources;

    for (pos = 0; pos < text->len; pos = end + 1) {

        at = b24_str_find(text, pos, "%{");

        part.data = text->data + pos;
        part.len = at == -1 ? text->len - pos : (size_t) at - pos;

        rc = b24_call_literal(rules, what, &part, &next);
        if (rc != B24_OK || at == -1) {
            return rc;
        }

        part.data = text->data + at + 2;
        part.len = 0;
        end = (size_t) at + 2;

        while (end < text->len && text->data[end] != '}') {
            part.len++;
            end++;
        }

        if (end == text->len) {
            return b24_rules_fail(rules, "\"%.*s\" has a \"%%{\" without its "
                                  "\"}\" in \"%.*s\"", b24_rules_arg(what),
                                  b24_rules_arg(text));
        }

        source = b24_pcalloc(rules->pool, sizeof(b24_source_t));
        if (source == NULL) {
            return B24_ERROR;
        }

        *next = source;
        next = &source->next;

        rc = b24_call_given(rules, what, &part, source);
        if (rc != B24_OK) {
            return rc == B24_DECLINED && rules->err[0] == '\0'
                   ? b24_rules_fail(rules, "\"%.*s\" has a \"%%{\" inside of "
                                    "another one", b24_rules_arg(what))
                   : rc;
        }
    }

    return B24_OK;
}


static int
b24_call_literal(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t ***next)
{
    size_t         pos;
    b24_str_t      name;
    b24_source_t  *source;

    if (text->len == 0) {
        return B24_OK;
    }

    for (pos = 0; b24_template_next(text, &pos, &name); /* void */ ) {

        if (name.len) {
            return b24_call_variable(rules, what);
        }
    }

    source = b24_pcalloc(rules->pool, sizeof(b24_source_t));
    if (source == NULL) {
        return B24_ERROR;
    }

    **next = source;
    *next = &source->next;

    return b24_rules_text(rules, &source->text, text);
}


/* every run has it */
static int
b24_call_name(const b24_str_t *name)
{
    size_t  i;

    for (i = 0; i < B24_CALL_NVALUES; i++) {

        if (b24_str_eqs(name, b24_call_values[i].name)) {
            return 1;
        }
    }

    return 0;
}


/* ---- heirs ---- */

/* the base's, with the heir's lines over them; then the heir's own: what they
 * need was learned by then */
int
b24_call_heirs(b24_rules_t *rules, b24_shop_t *shop)
{
    int                rc;
    b24_call_t        *own, *call, *list, **last;
    const b24_call_t  *base;

    rc = b24_call_drops(rules, shop);
    if (rc != B24_OK) {
        return rc;
    }

    list = NULL;
    last = &list;
    base = shop->calls_off ? NULL : shop->base->calls;

    for ( /* void */ ; base; base = base->next) {

        own = b24_call_find(shop->calls, &base->name);

        if (own && own->off) {
            continue;
        }

        call = b24_call_heir(rules, base, own);
        if (call == NULL) {
            return B24_ERROR;
        }

        *last = call;
        last = &call->next;
    }

    for (own = shop->calls; own; own = call) {
        call = own->next;

        if (own->off || b24_call_find(list, &own->name)) {
            continue;
        }

        own->next = NULL;
        *last = own;
        last = &own->next;
    }

    shop->calls = list;

    return B24_OK;
}


static int
b24_call_drops(b24_rules_t *rules, b24_shop_t *shop)
{
    const b24_call_t  *own;

    if (shop->calls_off && shop->base->calls == NULL) {
        return b24_rules_fail(rules, "\"write off\": the base \"%.*s\" has no "
                              "such block, leave the line out",
                              b24_rules_arg(&shop->base->name));
    }

    for (own = shop->calls; own; own = own->next) {

        if (own->off && b24_call_find(shop->base->calls, &own->name) == NULL) {
            return b24_rules_fail(rules, "\"write %.*s off\": the base "
                                  "\"%.*s\" has no such block, leave the line "
                                  "out", b24_rules_arg(&own->name),
                                  b24_rules_arg(&shop->base->name));
        }
    }

    return B24_OK;
}


static b24_call_t *
b24_call_heir(b24_rules_t *rules, const b24_call_t *base,
    const b24_call_t *own)
{
    b24_call_t  *copy;

    copy = b24_palloc(rules->pool, sizeof(b24_call_t));
    if (copy == NULL) {
        return NULL;
    }

    *copy = *base;
    copy->next = NULL;

    if (own == NULL) {
        return copy;
    }

    copy->method = own->method.len ? own->method : base->method;
    copy->url = own->url ? own->url : base->url;
    copy->body = own->body ? own->body : base->body;
    copy->when = own->when ? own->when : base->when;
    copy->accept = own->accept ? own->accept : base->accept;
    copy->expired = own->expired ? own->expired : base->expired;
    copy->headers = own->headers;
    copy->learn = own->learn;

    if (b24_heir_pairs(rules, &copy->headers, base->headers, b24_str_caseeq)
        != B24_OK
        || b24_heir_pairs(rules, &copy->learn, base->learn, b24_str_eq)
           != B24_OK)
    {
        return NULL;
    }

    return copy;
}


/* ---- checks ---- */

int
b24_call_check(b24_rules_t *rules, b24_shop_t *shop)
{
    int                rc;
    unsigned           n;
    b24_call_t        *call;
    b24_call_check_t   check;

    check.rules = rules;
    check.shop = shop;
    n = 0;

    for (call = shop->calls; call; call = call->next) {

        if (++n > B24_SHOP_CALLS) {
            return b24_rules_fail(rules, "\"b24_shop %.*s\" has too many "
                                  "\"write\" blocks with those of its base: a "
                                  "shop takes at most %d",
                                  b24_rules_arg(&shop->name), B24_SHOP_CALLS);
        }

        rc = b24_call_whole(rules, call);

        if (rc == B24_OK) {
            check.call = call;
            rc = b24_call_names(call, b24_call_known, &check);
        }

        if (rc == B24_OK) {
            rc = b24_call_last(rules, call);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


static int
b24_call_whole(b24_rules_t *rules, b24_call_t *call)
{
    char       title[B24_CALL_TITLE];
    b24_str_t  post = b24_string("POST");

    if (call->url == NULL) {
        return b24_rules_fail(rules, "\"%s\" has no \"url\": say what is "
                              "called, such as url "
                              "\"%%{site}/api/orders/%%{id}\"",
                              b24_call_title(call, title));
    }

    if (call->accept == NULL) {
        return b24_rules_fail(rules, "\"%s\" has no \"accept\": say how the "
                              "shop's answer tells that it did it, such as "
                              "accept response:/status \"=%%{status}\"",
                              b24_call_title(call, title));
    }

    if (call->method.len == 0) {
        call->method = post;
    }

    if (call->body && b24_str_eqs(&call->method, "GET")) {
        return b24_rules_fail(rules, "\"%s\" has a \"body\", and a GET has "
                              "none: add \"method POST\" or the like",
                              b24_call_title(call, title));
    }

    return call->body ? b24_call_kind(rules, call) : B24_OK;
}


/* what learns is called for the sake of another one */
static int
b24_call_last(b24_rules_t *rules, const b24_call_t *call)
{
    char               title[B24_CALL_TITLE];
    const b24_call_t  *next;

    for (next = call; next && next->learn; next = next->next) {
        /* void */
    }

    if (next) {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"%s\" learns for blocks after it, and none "
                          "of them is without \"learn\": it would never be "
                          "called, leave its \"learn\" lines out or add the "
                          "block that writes", b24_call_title(call, title));
}


/* by its Content-Type, else by what it begins with */
static int
b24_call_kind(b24_rules_t *rules, b24_call_t *call)
{
    b24_str_t           text;
    const b24_named_t  *header;

    for (header = call->headers; header; header = header->next) {

        if (b24_str_caseeqs(&header->name, "Content-Type")
            && header->value.alts)
        {
            return b24_call_kind_type(rules, call,
                                      header->value.alts->sources);
        }
    }

    text = call->body->text;
    b24_str_trim(&text);

    call->kind = B24_CALL_FORM;

    if (call->body->type == B24_SOURCE_TEXT && text.len) {

        if (text.data[0] == '{' || text.data[0] == '[') {
            call->kind = B24_CALL_JSON;

        } else if (text.data[0] == '<') {
            call->kind = B24_CALL_XML;
        }
    }

    return B24_OK;
}


static int
b24_call_kind_type(b24_rules_t *rules, b24_call_t *call,
    const b24_source_t *type)
{
    size_t     i;
    char       title[B24_CALL_TITLE];
    b24_str_t  media;

    media = type->text;

    for (i = 0; i < media.len; i++) {

        if (media.data[i] == ';') {
            media.len = i;
        }
    }

    b24_str_trim(&media);

    if (type->type == B24_SOURCE_TEXT && type->next == NULL) {

        if (b24_str_caseeqs(&media, "application/x-www-form-urlencoded")) {
            call->kind = B24_CALL_FORM;
            return B24_OK;
        }

        if (b24_str_caseeqs(&media, "application/json")
            || (media.len > 5 && memcmp(media.data + media.len - 5, "+json", 5)
                                 == 0))
        {
            call->kind = B24_CALL_JSON;
            return B24_OK;
        }

        if (b24_str_caseeqs(&media, "application/xml")
            || b24_str_caseeqs(&media, "text/xml")
            || (media.len > 4 && memcmp(media.data + media.len - 4, "+xml", 4)
                                 == 0))
        {
            call->kind = B24_CALL_XML;
            return B24_OK;
        }

        if (b24_str_caseeqs(&media, "text/plain")) {
            call->kind = B24_CALL_PLAIN;
            return B24_OK;
        }
    }

    return b24_rules_fail(rules, "\"%s\" has a \"Content-Type\" in which "
                          "values can't be put safely: use "
                          "application/x-www-form-urlencoded, "
                          "application/json, application/xml or text/plain",
                          b24_call_title(call, title));
}


/* b24_call_name_pt: it is one of every run, or learned before */
static int
b24_call_known(void *data, const char *what, const b24_str_t *name)
{
    b24_call_check_t  *check = data;

    char                title[B24_CALL_TITLE];
    const b24_call_t   *call;
    const b24_named_t  *learn;

    if (b24_call_name(name)) {
        return B24_OK;
    }

    for (call = check->shop->calls; call != check->call; call = call->next) {

        for (learn = call->learn; learn; learn = learn->next) {

            if (b24_str_eq(&learn->name, name)) {
                return B24_OK;
            }
        }
    }

    return b24_rules_fail(check->rules, "\"%s\" of \"%s\" uses \"%.*s\", which "
                          "no call has and no block before it learns: check "
                          "its spelling, or add \"learn %.*s VALUE\" there",
                          what, b24_call_title(check->call, title),
                          b24_rules_arg(name), b24_rules_arg(name));
}


static const char *
b24_call_title(const b24_call_t *call, char buf[B24_CALL_TITLE])
{
    snprintf(buf, B24_CALL_TITLE, "write%s%.*s", call->name.len ? " " : "",
             b24_rules_arg(&call->name));

    return buf;
}


/* ---- names that lines use ---- */

int
b24_call_names(const b24_call_t *call, b24_call_name_pt fn, void *data)
{
    int                 rc;
    const b24_named_t  *named;

    rc = b24_call_cond_names(call->when, "when", fn, data);

    if (rc == 0) {
        rc = b24_call_source_names(call->url, "url", fn, data);
    }

    if (rc == 0) {
        rc = b24_call_source_names(call->body, "body", fn, data);
    }

    for (named = call->headers; rc == 0 && named; named = named->next) {
        rc = b24_call_value_names(&named->value, "header", fn, data);
    }

    if (rc == 0) {
        rc = b24_call_cond_names(call->accept, "accept", fn, data);
    }

    if (rc == 0) {
        rc = b24_call_cond_names(call->expired, "expired", fn, data);
    }

    for (named = call->learn; rc == 0 && named; named = named->next) {
        rc = b24_call_value_names(&named->value, "learn", fn, data);
    }

    return rc;
}


int
b24_call_cond_names(const b24_cond_t *cond, const char *what,
    b24_call_name_pt fn, void *data)
{
    int  rc;

    for (rc = 0; rc == 0 && cond; cond = cond->next) {
        rc = b24_call_value_names(&cond->value, what, fn, data);

        if (rc == 0) {
            rc = b24_call_source_names(cond->with, what, fn, data);
        }
    }

    return rc;
}


static int
b24_call_value_names(const b24_value_t *value, const char *what,
    b24_call_name_pt fn, void *data)
{
    int               rc;
    const b24_alt_t  *alt;

    for (rc = 0, alt = value->alts; rc == 0 && alt; alt = alt->next) {
        rc = b24_call_source_names(alt->sources, what, fn, data);
    }

    return rc;
}


static int
b24_call_source_names(const b24_source_t *source, const char *what,
    b24_call_name_pt fn, void *data)
{
    int                rc;
    const b24_step_t  *step;

    for (rc = 0; rc == 0 && source; source = source->next) {

        if (source->type == B24_SOURCE_GIVEN) {
            rc = fn(data, what, &source->text);
        }

        for (step = source->ptr.steps; rc == 0 && step; step = step->next) {

            if (step->type == B24_STEP_LEARNED) {
                rc = fn(data, what, &step->key);

            } else if (step->type == B24_STEP_MATCH && step->learned_value) {
                rc = fn(data, what, &step->value);
            }
        }
    }

    return rc;
}
