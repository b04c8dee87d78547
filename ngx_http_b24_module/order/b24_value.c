
/* Values and conditions of rules: tokens in, alternatives out. */


#include "b24_rules_int.h"
#include "b24_text.h"


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
static int b24_cond_form(const b24_str_t *token);
static int b24_cond_last(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_cond_t *cond);


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
