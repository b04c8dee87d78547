
/* Sources: the places that an alternative is taken from. */


#include "b24_rules_int.h"


typedef struct {
    const char      *prefix;
    b24_source_e     type;
    const char      *example;
} b24_prefix_t;


static int b24_source_prefixed(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, const b24_prefix_t *prefix, b24_source_t *source);
static int b24_source_inline(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_str_t *rest, b24_source_t *source);
static int b24_source_header(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *rest, b24_source_t *source);
static int b24_source_relative(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t *source);
static int b24_source_pointer(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, const b24_str_t *text, b24_source_t *source);
static int b24_source_use(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *name);
static int b24_source_var(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t *source);
static int b24_var_late(const b24_str_t *name);


static const b24_prefix_t  b24_prefixes[] = {
    { "request:",  B24_SOURCE_REQUEST,  "request:/phone" },
    { "query:",    B24_SOURCE_QUERY,    "query:/order" },
    { "response:", B24_SOURCE_RESPONSE, "response:/order/ID" },
    { "inline:",   B24_SOURCE_INLINE,   "inline:prestashop/cart" },
    { "header:",   B24_SOURCE_HEADER,   "header:Location" },
    { "database:", B24_SOURCE_DATABASE, "database:TOTAL" }
};

#define B24_NPREFIXES  (sizeof(b24_prefixes) / sizeof(b24_prefixes[0]))


/* variables whose value isn't final before the answer is */
static const char  *const b24_late_names[] = {
    "status", "bytes_sent", "body_bytes_sent", "request_time",
    "request_completion"
};

static const char  *const b24_late_prefixes[] = {
    "upstream_", "sent_", "b24_"
};


int
b24_source_literal(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t ***next)
{
    b24_source_t  *source;

    if (text->len == 0) {
        return B24_OK;
    }

    source = b24_pcalloc(rules->pool, sizeof(b24_source_t));
    if (source == NULL) {
        return B24_ERROR;
    }

    **next = source;
    *next = &source->next;

    if (memchr(text->data, '$', text->len)) {
        return b24_source_var(rules, what, text, source);
    }

    return b24_rules_text(rules, &source->text, text);
}


/* B24_DECLINED without a sentence: it is no source, hence a string */
int
b24_source_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t **source)
{
    size_t         i, len;
    b24_str_t      text;
    b24_source_t  *s;

    rules->err[0] = '\0';

    s = b24_pcalloc(rules->pool, sizeof(b24_source_t));
    if (s == NULL) {
        return B24_ERROR;
    }

    *source = s;

    if (rules->given) {
        return b24_call_given(rules, what, token, s);
    }

    if (token->len == 0 || token->data[0] == '/'
        || b24_str_eqs(token, "@key"))
    {
        return b24_source_relative(rules, what, token, s);
    }

    if (b24_str_eqs(token, "status")) {
        s->type = B24_SOURCE_STATUS;
        return B24_OK;
    }

    for (i = 0; i < B24_NPREFIXES; i++) {
        len = strlen(b24_prefixes[i].prefix);

        if (token->len >= len
            && memcmp(token->data, b24_prefixes[i].prefix, len) == 0)
        {
            return b24_source_prefixed(rules, what, token, &b24_prefixes[i],
                                       s);
        }
    }

    len = sizeof("text:") - 1;

    if (token->len < len || memcmp(token->data, "text:", len) != 0) {
        return B24_DECLINED;
    }

    if (token->len == len) {
        return b24_rules_fail(rules, "\"%.*s\": \"text:\" needs a text after "
                              "the colon", b24_rules_arg(what));
    }

    text.data = token->data + len;
    text.len = token->len - len;

    return b24_rules_text(rules, &s->text, &text);
}


static int
b24_source_prefixed(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, const b24_prefix_t *prefix, b24_source_t *source)
{
    int        rc;
    b24_str_t  rest;

    source->type = prefix->type;

    rest.data = token->data + strlen(prefix->prefix);
    rest.len = token->len - strlen(prefix->prefix);

    if (rules->level == B24_LEVEL_WRITE
        && (prefix->type == B24_SOURCE_REQUEST
            || prefix->type == B24_SOURCE_QUERY
            || prefix->type == B24_SOURCE_DATABASE))
    {
        return b24_rules_fail(rules, "\"%.*s\" can't take \"%.*s\": in "
                              "\"write\" it looks at what the shop answers to "
                              "the call; its sources are status, response:, "
                              "header: and inline:", b24_rules_arg(what),
                              b24_rules_arg(token));
    }

    switch (prefix->type) {

    case B24_SOURCE_HEADER:
        return b24_source_header(rules, what, &rest, source);

    case B24_SOURCE_DATABASE:
        if (rest.len == 0 && !b24_str_eqs(what, "items")) {
            return b24_rules_fail(rules, "\"%.*s\": \"database:\" needs a "
                                  "column, such as %s", b24_rules_arg(what),
                                  prefix->example);
        }

        return b24_rules_copy(rules, &source->text, &rest);

    case B24_SOURCE_INLINE:
        rc = b24_source_inline(rules, what, token, &rest, source);
        if (rc != B24_OK) {
            return rc;
        }

        break;

    case B24_SOURCE_RESPONSE:
        if (rest.len == 0) {
            source->type = B24_SOURCE_ANSWER;
            return B24_OK;
        }

        break;

    default:
        break;
    }

    if (rest.len && rest.data[0] != '/') {
        return b24_rules_fail(rules, "\"%.*s\": \"%.*s\" needs a \"/\" after "
                              "the colon, such as %s", b24_rules_arg(what),
                              b24_rules_arg(token), prefix->example);
    }

    return b24_source_pointer(rules, what, token, &rest, source);
}


/* NAME ends at the first "/" */
static int
b24_source_inline(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_str_t *rest, b24_source_t *source)
{
    size_t     len;
    b24_str_t  name;

    for (len = 0; len < rest->len && rest->data[len] != '/'; len++) {
        /* void */
    }

    if (len == 0) {
        return b24_rules_fail(rules, "\"%.*s\": \"%.*s\" needs the name of a "
                              "JavaScript variable or function, such as "
                              "inline:prestashop/cart", b24_rules_arg(what),
                              b24_rules_arg(token));
    }

    name.data = rest->data;
    name.len = len;

    rest->data += len;
    rest->len -= len;

    return b24_rules_copy(rules, &source->text, &name);
}


static int
b24_source_header(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *rest, b24_source_t *source)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < rest->len; i++) {
        c = rest->data[i];

        if (!b24_isdigit(c) && c != '-' && c != '_'
            && (b24_tolower(c) < 'a' || b24_tolower(c) > 'z'))
        {
            break;
        }
    }

    if (rest->len == 0 || i < rest->len) {
        return b24_rules_fail(rules, "\"%.*s\": \"header:%.*s\" needs the name "
                              "of a response header, such as header:Location",
                              b24_rules_arg(what), b24_rules_arg(rest));
    }

    return b24_rules_copy(rules, &source->text, rest);
}


/* "/PTR", "" and "@key": of an element of items */
static int
b24_source_relative(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t *source)
{
    if (rules->level == B24_LEVEL_ITEMS) {

        if (token->len && token->data[0] == '@') {
            source->type = B24_SOURCE_KEY;
            return B24_OK;
        }

        source->type = B24_SOURCE_ELEMENT;
        return b24_source_pointer(rules, what, token, token, source);
    }

    if (token->len == 0) {
        return b24_rules_fail(rules, "\"%.*s\" has an empty alternative \"\": "
                              "leave it out", b24_rules_arg(what));
    }

    if (token->data[0] == '@') {
        return b24_rules_fail(rules, "\"%.*s\": \"@key\" works inside "
                              "\"items { ... }\" only; for the text write "
                              "text:@key", b24_rules_arg(what));
    }

    return b24_rules_fail(rules, "\"%.*s\": \"%.*s\" works inside "
                          "\"items { ... }\" only; write request:%.*s or "
                          "text:%.*s", b24_rules_arg(what),
                          b24_rules_arg(token), b24_rules_arg(token),
                          b24_rules_arg(token));
}


static int
b24_source_pointer(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, const b24_str_t *text, b24_source_t *source)
{
    int          rc;
    b24_str_t    copy;
    const char  *err;
    b24_step_t  *step;

    /* steps may point into it */

    if (b24_rules_copy(rules, &copy, text) != B24_OK) {
        return B24_ERROR;
    }

    err = "";
    rc = b24_pointer_compile(rules->pool, &copy, &source->ptr, &err);

    if (rc == B24_DECLINED) {
        return b24_rules_fail(rules, "\"%.*s\" has a bad pointer \"%.*s\": %s",
                              b24_rules_arg(what), b24_rules_arg(token), err);
    }

    if (rc != B24_OK) {
        return rc;
    }

    for (step = source->ptr.steps; step; step = step->next) {

        if (step->type == B24_STEP_LEARNED) {
            rc = b24_source_use(rules, what, &step->key);

        } else if (step->type == B24_STEP_MATCH && step->learned_value) {
            rc = b24_source_use(rules, what, &step->value);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


/* checked when the shop is closed: its learn lines may come later */
static int
b24_source_use(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *name)
{
    /* a value of the call, see b24_call_check() */

    if (rules->level == B24_LEVEL_WRITE) {
        return B24_OK;
    }

    return b24_rules_pair(rules, &rules->shop->uses, name, what);
}


static int
b24_source_var(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t *source)
{
    int         rc;
    size_t      n, pos;
    b24_str_t   name;
    b24_var_t  *vars, var;

    source->type = B24_SOURCE_VAR;
    memset(&var, 0, sizeof(b24_var_t));

    if (rules->level == B24_LEVEL_WRITE) {
        return b24_call_variable(rules, what);
    }

    for (pos = 0; b24_template_next(text, &pos, &name); /* void */) {

        if (b24_str_caseeqs(&name, "request_body")
            || b24_str_caseeqs(&name, "request_body_file"))
        {
            return b24_rules_fail(rules, "\"%.*s\" can't take the whole "
                                  "request from $%.*s: name a field of it, "
                                  "such as request:/phone",
                                  b24_rules_arg(what), b24_rules_arg(&name));
        }

    }

    var.late = b24_template_late(text) ? 1 : 0;
    source->late = var.late;

    for (n = 0; n < rules->nvars; n++) {

        if (b24_str_eq(&rules->vars[n].text, text)) {
            source->var = n;
            return B24_OK;
        }
    }

    if (rules->nvars == rules->avars) {
        n = rules->avars ? rules->avars * 2 : 16;

        vars = b24_palloc(rules->pool, n * sizeof(b24_var_t));
        if (vars == NULL) {
            return B24_ERROR;
        }

        if (rules->nvars) {
            memcpy(vars, rules->vars, rules->nvars * sizeof(b24_var_t));
        }

        rules->vars = vars;
        rules->avars = n;
    }

    rc = b24_rules_copy(rules, &var.text, text);

    source->var = rules->nvars;
    rules->vars[rules->nvars++] = var;

    return rc;
}


int
b24_template_late(const b24_str_t *text)
{
    size_t     pos;
    b24_str_t  name;

    for (pos = 0; b24_template_next(text, &pos, &name); /* void */) {

        if (b24_var_late(&name)) {
            return 1;
        }
    }

    return 0;
}


int
b24_template_next(const b24_str_t *text, size_t *pos, b24_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = *pos; i < text->len && text->data[i] != '$'; i++) {
        /* void */
    }

    if (i == text->len) {
        return 0;
    }

    i++;

    if (i < text->len && text->data[i] == '{') {
        i++;
    }

    name->data = text->data + i;

    for ( /* void */ ; i < text->len; i++) {
        c = b24_tolower(text->data[i]);

        if (!b24_isdigit(c) && c != '_' && (c < 'a' || c > 'z')) {
            break;
        }
    }

    name->len = (size_t) (text->data + i - name->data);
    *pos = i;

    return 1;
}


static int
b24_var_late(const b24_str_t *name)
{
    size_t     i;
    b24_str_t  head;

    for (i = 0; i < sizeof(b24_late_names) / sizeof(char *); i++) {

        if (b24_str_caseeqs(name, b24_late_names[i])) {
            return 1;
        }
    }

    for (i = 0; i < sizeof(b24_late_prefixes) / sizeof(char *); i++) {
        head = *name;

        if (head.len > strlen(b24_late_prefixes[i])) {
            head.len = strlen(b24_late_prefixes[i]);

            if (b24_str_caseeqs(&head, b24_late_prefixes[i])) {
                return 1;
            }
        }
    }

    return 0;
}
