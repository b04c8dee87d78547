
/* Values and conditions of rules: tokens in, alternatives of sources out. */


#include "b24_rules_int.h"
#include "b24_text.h"

#include <stdio.h>


typedef struct {
    const char      *prefix;
    b24_source_e     type;
    const char      *example;
} b24_prefix_t;


static int b24_value_token(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_value_t *value, b24_alt_t **last);
static int b24_value_filter(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, const b24_value_t *value, b24_alt_t *alt);
static int b24_value_alt(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_value_t *value, b24_alt_t *alt);
static int b24_value_string(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_alt_t *alt);
static b24_part_e b24_value_part(const b24_source_t *source);
static int b24_value_typo(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token);
static size_t b24_value_insert(const b24_str_t *token, size_t from);
static int b24_source_literal(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t ***next);
static int b24_source_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t **source);
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
static int b24_cond_form(const b24_str_t *token);
static int b24_cond_last(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_cond_t *cond);


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
b24_value_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *args, size_t n, b24_value_t *value)
{
    int         rc;
    size_t      i;
    b24_alt_t  *last;

    last = NULL;

    if (n == 0) {
        return b24_rules_fail(rules, "\"%.*s\" needs a value, such as "
                              "request:/NAME, response:/NAME or a text",
                              b24_rules_arg(what));
    }

    for (i = 0; i < n; i++) {

        if (value->kind != B24_VALUE_COND && b24_cond_form(&args[i])) {
            return b24_rules_fail(rules, "\"%.*s\" gives a value, \"%.*s\" is "
                                  "a condition for \"when\" and \"accept\": "
                                  "leave it out, or write text:%.*s",
                                  b24_rules_arg(what), b24_rules_arg(&args[i]),
                                  b24_rules_arg(&args[i]));
        }

        rc = b24_value_token(rules, what, &args[i], value, &last);
        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


/* *last is the alternative before this token */
static int
b24_value_token(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_value_t *value, b24_alt_t **last)
{
    b24_alt_t  *alt;

    if (token->len && token->data[0] == '~') {

        if (*last == NULL) {
            return b24_rules_fail(rules, "\"%.*s\" begins with the filter "
                                  "\"%.*s\": put the value it filters before "
                                  "it", b24_rules_arg(what),
                                  b24_rules_arg(token));
        }

        return b24_value_filter(rules, what, token, value, *last);
    }

    alt = b24_pcalloc(rules->pool, sizeof(b24_alt_t));
    if (alt == NULL) {
        return B24_ERROR;
    }

    if (*last) {
        alt->n = (*last)->n + 1;
        (*last)->next = alt;

    } else {
        value->alts = alt;
    }

    if (alt->n == B24_RULES_ALTS) {
        return b24_rules_fail(rules, "\"%.*s\" has too many alternatives: at "
                              "most %d are possible", b24_rules_arg(what),
                              B24_RULES_ALTS);
    }

    *last = alt;

    return b24_value_alt(rules, what, token, value, alt);
}


static int
b24_value_filter(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, const b24_value_t *value, b24_alt_t *alt)
{
    int             rc;
    size_t          skip;
    b24_str_t       name;
    b24_filter_t   *filter, **next;

    skip = 1;

    for (next = &alt->filters; *next; next = &(*next)->next) {

        if ((*next)->each) {
            return b24_rules_fail(rules, "\"%.*s\": nothing can follow "
                                  "\"~~REGEX\" but another alternative",
                                  b24_rules_arg(what));
        }
    }

    filter = b24_pcalloc(rules->pool, sizeof(b24_filter_t));
    if (filter == NULL) {
        return B24_ERROR;
    }

    if (token->len > 1 && token->data[1] == '~') {

        if (value->kind != B24_VALUE_LIST) {
            return b24_rules_fail(rules, "\"%.*s\": \"~~REGEX\" makes rows and "
                                  "works in \"items\" only; a filter has one "
                                  "\"~\"", b24_rules_arg(what));
        }

        filter->each = 1;
        skip = 2;
    }

    rc = b24_rules_regex(rules, what, token->data + skip, token->len - skip,
                         &filter->regex);
    if (rc != B24_OK) {
        return rc;
    }

    if (filter->each && b24_regex_name(filter->regex, 0, &name) == 0) {
        return b24_rules_fail(rules, "\"%.*s\": \"~~REGEX\" needs named "
                              "groups, such as (?<name>[^<]+)",
                              b24_rules_arg(what));
    }

    *next = filter;

    return B24_OK;
}


int
b24_rules_regex(b24_rules_t *rules, const b24_str_t *what, const u_char *data,
    size_t len, b24_regex_t **regex)
{
    int        rc, icase;
    char       err[256];
    b24_str_t  text;

    icase = 0;
    text.data = (u_char *) data;
    text.len = len;

    /* "~*" as in locations: no regex can begin with "*" */

    if (text.len && text.data[0] == '*') {
        icase = 1;
        text.data++;
        text.len--;
    }

    if (text.len == 0) {
        return b24_rules_fail(rules, "\"%.*s\" has an empty regex: write "
                              "\"~REGEX\" in one piece", b24_rules_arg(what));
    }

    rc = b24_regex_compile(rules->pool, &text, icase, regex, err, sizeof(err));

    if (rc == B24_DECLINED) {
        return b24_rules_fail(rules, "\"%.*s\" has a bad regex \"%.*s\": %s",
                              b24_rules_arg(what), b24_rules_arg(&text), err);
    }

    return rc;
}


static int
b24_value_alt(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_value_t *value, b24_alt_t *alt)
{
    int            rc;
    b24_source_t  *source;

    rc = b24_source_compile(rules, what, token, &source);
    if (rc == B24_ERROR || (rc == B24_DECLINED && rules->err[0])) {
        return rc;
    }

    if (rc == B24_DECLINED) {
        rc = b24_value_string(rules, what, token, alt);
        if (rc != B24_OK) {
            return rc;
        }

        source = alt->sources;
    }

    alt->sources = source;
    alt->part = b24_value_part(source);

    if (value->kind == B24_VALUE_LIST
        && (alt->template || source->type == B24_SOURCE_TEXT))
    {
        return b24_rules_fail(rules, "\"items\" can't take its rows from "
                              "\"%.*s\": give a source, such as "
                              "request:/items", b24_rules_arg(token));
    }

    for (/* void */; source; source = source->next) {

        if (source->type == B24_SOURCE_REQUEST) {
            value->body = 1;

            if (source->ptr.steps == NULL
                && (alt->template || value->kind == B24_VALUE_FIELD
                    || value->kind == B24_VALUE_PLACES
                    || value->kind == B24_VALUE_FLAG))
            {
                /* all of it would be kept: it may hold passwords */

                return b24_rules_fail(rules, "\"%.*s\" can't take the whole "
                                      "request: name a field of it, such as "
                                      "request:/phone", b24_rules_arg(what));
            }
        }
    }

    return B24_OK;
}


/* of a template it is what the answer has, else the request, else a variable */
static b24_part_e
b24_value_part(const b24_source_t *source)
{
    b24_part_e  part, is;

    for (part = B24_PART_RULE; source; source = source->next) {

        switch (source->type) {

        case B24_SOURCE_REQUEST:
        case B24_SOURCE_QUERY:
            is = B24_PART_REQUEST;
            break;

        case B24_SOURCE_STATUS:
        case B24_SOURCE_RESPONSE:
        case B24_SOURCE_ANSWER:
        case B24_SOURCE_INLINE:
        case B24_SOURCE_HEADER:
            is = B24_PART_ANSWER;
            break;

        case B24_SOURCE_VAR:
            is = B24_PART_VARIABLE;
            break;

        case B24_SOURCE_GENERATED:
            is = B24_PART_SESSION;
            break;

        case B24_SOURCE_DATABASE:
            is = B24_PART_DATABASE;
            break;

        default:
            is = B24_PART_RULE;
            break;
        }

        part = (is > part) ? is : part;
    }

    return part;
}


/* an nginx string, maybe with "%{SOURCE}" inside */
static int
b24_value_string(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_alt_t *alt)
{
    int             rc;
    size_t          pos, end;
    ssize_t         at;
    b24_str_t       part;
    b24_source_t  **next;

    rc = b24_value_typo(rules, what, token);
    if (rc != B24_OK) {
        return rc;
    }

    next = &alt->sources;

    for (pos = 0; pos < token->len; pos = end + 1) {

        at = b24_str_find(token, pos, "%{");

        part.data = token->data + pos;
        part.len = at == -1 ? token->len - pos : (size_t) at - pos;

        rc = b24_source_literal(rules, what, &part, &next);
        if (rc != B24_OK || at == -1) {
            return rc;
        }

        end = b24_value_insert(token, (size_t) at);

        if (end == token->len) {
            return b24_rules_fail(rules, "\"%.*s\" has a \"%%{\" without its "
                                  "\"}\" in \"%.*s\"", b24_rules_arg(what),
                                  b24_rules_arg(token));
        }

        part.data = token->data + at + 2;
        part.len = end - (size_t) at - 2;

        rc = b24_source_compile(rules, what, &part, next);

        if (rc == B24_ERROR || (rc == B24_DECLINED && rules->err[0])) {
            return rc;
        }

        if (rc == B24_DECLINED || (*next)->type == B24_SOURCE_TEXT) {
            return b24_rules_fail(rules, "\"%.*s\": \"%%{%.*s}\" names no "
                                  "source, write %%{request:/NAME} or the like",
                                  b24_rules_arg(what), b24_rules_arg(&part));
        }

        next = &(*next)->next;
        alt->template = 1;
    }

    return B24_OK;
}


/* "reqest:/phone" would quietly become a text */
static int
b24_value_typo(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < token->len; i++) {
        c = b24_tolower(token->data[i]);

        if ((c < 'a' || c > 'z') && c != '_') {
            break;
        }
    }

    if (i == 0 || i + 2 >= token->len || token->data[i] != ':'
        || token->data[i + 1] != '/' || token->data[i + 2] == '/'
        || memchr(token->data, ' ', token->len))
    {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"%.*s\" has an unknown source \"%.*s\": "
                          "sources are request:, query:, response:, inline:, "
                          "header: and database:; for a text write text:%.*s",
                          b24_rules_arg(what), b24_rules_arg(token),
                          b24_rules_arg(token));
}


/* where the "%{" at from ends; pointers may hold "%{NAME}" themselves */
static size_t
b24_value_insert(const b24_str_t *token, size_t from)
{
    size_t    i;
    unsigned  depth;

    depth = 0;

    for (i = from; i < token->len; i++) {

        if (token->data[i] == '%' && i + 1 < token->len
            && token->data[i + 1] == '{')
        {
            depth++;

        } else if (token->data[i] == '}') {
            depth--;

            if (depth == 0) {
                return i;
            }
        }
    }

    return token->len;
}


static int
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


int
b24_rules_text(b24_rules_t *rules, b24_str_t *dst, const b24_str_t *src)
{
    b24_str_t  none;

    if (b24_rules_copy(rules, dst, src) != B24_OK) {
        return B24_ERROR;
    }

    memset(&none, 0, sizeof(b24_str_t));

    return b24_text_utf8(rules->pool, dst, &none, dst);
}


/* B24_DECLINED without a sentence: it is no source, hence a string */
static int
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


int
b24_cond_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *args, size_t n, b24_cond_t *cond)
{
    int     rc;
    size_t  i;

    cond->value.kind = B24_VALUE_COND;

    for (i = 0; i + 1 < n; i++) {

        if (b24_cond_form(&args[i])) {
            return b24_rules_fail(rules, "\"%.*s\": the condition \"%.*s\" "
                                  "must be the last on its line",
                                  b24_rules_arg(what),
                                  b24_rules_arg(&args[i]));
        }
    }

    if (n && b24_cond_form(&args[n - 1])) {

        if (n == 1) {
            return b24_rules_fail(rules, "\"%.*s\" needs a value before the "
                                  "condition \"%.*s\"", b24_rules_arg(what),
                                  b24_rules_arg(&args[0]));
        }

        n--;

        rc = b24_cond_last(rules, what, &args[n], cond);
        if (rc != B24_OK) {
            return rc;
        }
    }

    rc = b24_value_compile(rules, what, args, n, &cond->value);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_value_fixed(&cond->value)) {
        return b24_rules_fail(rules, "\"%.*s\" has a fixed text among its "
                              "values: to compare, write =TEXT at the end of "
                              "the line", b24_rules_arg(what));
    }

    return B24_OK;
}


/* "!", "!~REGEX", "=TEXT", "!=TEXT" */
static int
b24_cond_form(const b24_str_t *token)
{
    if (token->len == 0) {
        return 0;
    }

    if (token->data[0] == '=') {
        return 1;
    }

    return token->data[0] == '!'
           && (token->len == 1 || token->data[1] == '~'
               || token->data[1] == '=');
}


static int
b24_cond_last(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_cond_t *cond)
{
    b24_str_t  text;

    if (token->len == 1 && token->data[0] == '!') {
        cond->type = B24_COND_EMPTY;
        return B24_OK;
    }

    if (token->data[0] == '!' && token->data[1] == '~') {
        cond->type = B24_COND_UNLIKE;
        return b24_rules_regex(rules, what, token->data + 2, token->len - 2,
                               &cond->regex);
    }

    text = *token;

    if (text.data[0] == '!') {
        cond->type = B24_COND_DIFFERENT;
        text.data++;
        text.len--;

    } else {
        cond->type = B24_COND_EQUAL;
    }

    text.data++;
    text.len--;

    /* nginx takes off the quotes of a whole token only */

    if (text.len == 0 || b24_str_eqs(&text, "\"\"")
        || b24_str_eqs(&text, "\'\'"))
    {
        return b24_rules_fail(rules, "\"%.*s\": \"%.*s\" needs a text after "
                              "the \"=\"; that a value is empty is written "
                              "\"!\"", b24_rules_arg(what),
                              b24_rules_arg(token));
    }

    if (rules->level == B24_LEVEL_WRITE && b24_str_find(&text, 0, "%{") != -1) {
        return b24_call_template(rules, what, &text, &cond->with);
    }

    return b24_rules_text(rules, &cond->text, &text);
}


int
b24_source_early(const b24_source_t *source, int element)
{
    switch (source->type) {

    case B24_SOURCE_TEXT:
    case B24_SOURCE_REQUEST:
    case B24_SOURCE_QUERY:
    case B24_SOURCE_GENERATED:
        return 1;

    case B24_SOURCE_VAR:
        return !source->late;

    case B24_SOURCE_ELEMENT:
    case B24_SOURCE_KEY:
        return element;

    default:
        return 0;
    }
}


int
b24_value_early(const b24_value_t *value, int element)
{
    const b24_alt_t     *alt;
    const b24_source_t  *source;

    for (alt = value->alts; alt; alt = alt->next) {

        for (source = alt->sources; source; source = source->next) {

            if (!b24_source_early(source, element)) {
                return 0;
            }
        }
    }

    return 1;
}


int
b24_value_fixed(const b24_value_t *value)
{
    const b24_alt_t  *alt;

    for (alt = value->alts; alt; alt = alt->next) {

        if (alt->sources->type == B24_SOURCE_TEXT
            && alt->sources->next == NULL && alt->filters == NULL)
        {
            return 1;
        }
    }

    return 0;
}
