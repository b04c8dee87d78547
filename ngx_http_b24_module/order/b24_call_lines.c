
/* Lines of a shop's blocks "write". */


#include "b24_rules_int.h"
#include "b24_call.h"


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


b24_call_t *
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
int
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
