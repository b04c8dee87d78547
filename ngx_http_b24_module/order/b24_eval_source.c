
/* What the sources of values give on a captured exchange. */


#include "b24_rules_int.h"
#include "b24_text.h"

#include <stdio.h>


typedef struct {
    b24_pool_t         *pool;
    const b24_regex_t  *regex;
    b24_node_t         *list;
} b24_rows_t;


static b24_is_e b24_eval_root(b24_eval_t *ev, const b24_source_t *source,
    b24_node_t **root, const b24_str_t **charset);
static b24_is_e b24_eval_var(b24_eval_t *ev, const b24_source_t *source,
    b24_result_t *res);
static b24_is_e b24_eval_status(b24_eval_t *ev, b24_result_t *res);
static b24_is_e b24_eval_header(b24_eval_t *ev, const b24_str_t *name,
    b24_result_t *res);
static b24_is_e b24_eval_key(b24_eval_t *ev, b24_result_t *res);
static b24_is_e b24_eval_node(b24_eval_t *ev, const b24_pointer_t *ptr,
    b24_node_t *root, const b24_str_t *charset, b24_value_kind_e kind,
    b24_result_t *res);
static b24_is_e b24_eval_joined(b24_eval_t *ev, const b24_node_t *node,
    b24_value_kind_e kind, int listed, const b24_str_t *charset,
    b24_result_t *res);
static int b24_eval_listed(const b24_pointer_t *ptr, const b24_node_t *node);
static b24_is_e b24_eval_rows(b24_eval_t *ev, const b24_regex_t *regex,
    const b24_str_t *text, b24_node_t **list);
static int b24_eval_row(void *data, const b24_regex_match_t *match);


b24_is_e
b24_eval_source(b24_eval_t *ev, const b24_source_t *source,
    b24_value_kind_e kind, b24_result_t *res)
{
    b24_is_e          is;
    b24_node_t        *root;
    const b24_str_t   *charset;
    const b24_pair_t  *pair;

    switch (source->type) {

    case B24_SOURCE_TEXT:
        res->text = source->text;
        return B24_IS_SET;

    case B24_SOURCE_VAR:
        return b24_eval_var(ev, source, res);

    case B24_SOURCE_STATUS:
        return b24_eval_status(ev, res);

    case B24_SOURCE_GENERATED:
        res->text = ev->in->round;
        return res->text.len ? B24_IS_SET : B24_IS_EMPTY;

    case B24_SOURCE_GIVEN:
        pair = b24_pair_get(ev->fresh, &source->text);

        return pair ? b24_eval_utf8(ev, &pair->value, &ev->charset, res)
                    : B24_IS_EMPTY;

    case B24_SOURCE_HEADER:
        return b24_eval_header(ev, &source->text, res);

    case B24_SOURCE_KEY:
        return b24_eval_key(ev, res);

    case B24_SOURCE_ANSWER:
        is = b24_eval_answer_text(ev);
        res->text = ev->utf8;
        return is;

    case B24_SOURCE_DATABASE:

        /* asked later, see b24_merge.c */

        return B24_IS_EMPTY;

    default:
        break;
    }

    is = b24_eval_root(ev, source, &root, &charset);

    return is == B24_IS_SET
           ? b24_eval_node(ev, &source->ptr, root, charset, kind, res) : is;
}


/* the tree a pointer is looked up in */
static b24_is_e
b24_eval_root(b24_eval_t *ev, const b24_source_t *source, b24_node_t **root,
    const b24_str_t **charset)
{
    b24_is_e  is;

    *charset = &ev->charset;

    switch (source->type) {

    case B24_SOURCE_REQUEST:
        is = b24_eval_request(ev);
        *root = ev->request.root;
        return is;

    case B24_SOURCE_QUERY:
        is = b24_eval_query(ev);
        *root = ev->query.root;
        return is;

    case B24_SOURCE_RESPONSE:
        is = b24_eval_response(ev);
        *root = ev->response.root;
        break;

    case B24_SOURCE_INLINE:
        is = b24_eval_inline(ev, &source->text, root);
        break;

    default:
        *root = ev->element;

        if (ev->element_early) {
            return B24_IS_SET;
        }

        is = B24_IS_SET;
        break;
    }

    *charset = &ev->answer_charset;

    return is;
}


static b24_is_e
b24_eval_var(b24_eval_t *ev, const b24_source_t *source, b24_result_t *res)
{
    int        rc;
    b24_str_t  text;

    if (ev->in->var == NULL) {
        return B24_IS_EMPTY;
    }

    memset(&text, 0, sizeof(b24_str_t));

    rc = ev->in->var(ev->in->data, source->var, &text);

    if (rc == B24_ERROR) {
        return B24_IS_ERROR;
    }

    return rc == B24_OK ? b24_eval_utf8(ev, &text, &ev->charset, res)
                        : B24_IS_EMPTY;
}


static b24_is_e
b24_eval_status(b24_eval_t *ev, b24_result_t *res)
{
    int   len;
    char  text[16];

    if (ev->in->status == 0) {
        return b24_eval_unknown(ev, B24_WHY_UNSEEN);
    }

    len = snprintf(text, sizeof(text), "%u", ev->in->status);

    return b24_pstrdup(ev->pool, &res->text, (u_char *) text, (size_t) len)
           == B24_OK ? B24_IS_SET : B24_IS_ERROR;
}


/* several headers of one name (Set-Cookie): one text, a line each */
static b24_is_e
b24_eval_header(b24_eval_t *ev, const b24_str_t *name, b24_result_t *res)
{
    b24_buf_t          buf;
    b24_str_t          text;
    const b24_pair_t  *header;

    b24_buf_init(&buf, ev->pool);

    for (header = ev->in->headers; header; header = header->next) {

        if (b24_str_caseeq(&header->name, name) && header->value.len) {

            if (buf.len) {
                b24_buf_addc(&buf, '\n');
            }

            b24_buf_addstr(&buf, &header->value);
        }
    }

    if (b24_buf_str(&buf, &text) != B24_OK) {
        return B24_IS_ERROR;
    }

    return b24_eval_utf8(ev, &text, &ev->answer_charset, res);
}


/* "@key": a member's name, in arrays the number of the element */
static b24_is_e
b24_eval_key(b24_eval_t *ev, b24_result_t *res)
{
    b24_buf_t  buf;

    if (ev->element == NULL) {
        return B24_IS_EMPTY;
    }

    if (ev->element->key.len) {
        return b24_eval_utf8(ev, &ev->element->key,
                             ev->element_early ? &ev->charset
                                               : &ev->answer_charset, res);
    }

    b24_buf_init(&buf, ev->pool);
    b24_buf_addi(&buf, (int64_t) ev->index);

    return b24_buf_str(&buf, &res->text) == B24_OK ? B24_IS_SET
                                                   : B24_IS_ERROR;
}


b24_is_e
b24_eval_utf8(b24_eval_t *ev, const b24_str_t *text, const b24_str_t *charset,
    b24_result_t *res)
{
    if (text->len == 0) {
        return B24_IS_EMPTY;
    }

    if (b24_text_utf8(ev->pool, text, charset, &res->text) != B24_OK) {
        return B24_IS_ERROR;
    }

    return res->text.len ? B24_IS_SET : B24_IS_EMPTY;
}


static b24_is_e
b24_eval_node(b24_eval_t *ev, const b24_pointer_t *ptr, b24_node_t *root,
    const b24_str_t *charset, b24_value_kind_e kind, b24_result_t *res)
{
    b24_is_e                  is;
    b24_str_t                 text;
    b24_node_t               *node;
    static const b24_str_t    zero = b24_string("0");

    if (root == NULL) {
        return B24_IS_EMPTY;
    }

    is = b24_eval_point(ev, ptr, root, &node);

    if (is != B24_IS_SET) {
        return is;
    }

    if (node->type == B24_FALSE && kind == B24_VALUE_FLAG) {
        res->text = zero;
        return B24_IS_SET;
    }

    if (b24_node_empty(node)) {
        res->no = node->type == B24_FALSE;
        return B24_IS_EMPTY;
    }

    res->node = node;
    res->truth = node->type == B24_TRUE;

    if (b24_node_text(node, &text) == B24_OK) {
        return b24_eval_utf8(ev, &text, charset, res);
    }

    is = b24_eval_joined(ev, node, kind, b24_eval_listed(ptr, node), charset,
                         res);

    /* an object without texts of its own is no text, but it is there */

    if (is == B24_IS_EMPTY
        && (kind == B24_VALUE_COND || kind == B24_VALUE_LIST
            || kind == B24_VALUE_PLACES))
    {
        return B24_IS_SET;
    }

    return is;
}


/*
 * What has several texts that may stand for one value: an array, a list of
 * PHP's, whose names are numbers, and members asked for by their names.  In any
 * other object the texts are different things, maybe a card's number, and
 * nobody said which of them is meant.
 */
static int
b24_eval_listed(const b24_pointer_t *ptr, const b24_node_t *node)
{
    size_t             i;
    const b24_step_t  *step;
    const b24_node_t  *child;

    if (node->type == B24_ARRAY) {
        return 1;
    }

    for (step = ptr->steps; step; step = step->next) {

        if (step->next == NULL && step->type == B24_STEP_PREFIX) {
            return 1;
        }
    }

    for (child = node->first; child; child = child->next) {

        for (i = 0; i < child->key.len && b24_isdigit(child->key.data[i]); i++)
        {
            /* void */
        }

        if (i == 0 || i < child->key.len) {
            return 0;
        }
    }

    return 1;
}


/* texts of an array's elements or an object's members, one level deep */
static b24_is_e
b24_eval_joined(b24_eval_t *ev, const b24_node_t *node,
    b24_value_kind_e kind, int listed, const b24_str_t *charset,
    b24_result_t *res)
{
    b24_buf_t          buf;
    b24_str_t          text, first = b24_null_string;
    const b24_node_t  *child;

    /* an element made by "~~": the whole match */

    if (node->value.len) {
        return b24_eval_utf8(ev, &node->value, charset, res);
    }

    b24_buf_init(&buf, ev->pool);

    for (child = node->first; child; child = child->next) {

        if (b24_node_empty(child) || b24_node_text(child, &text) != B24_OK) {
            continue;
        }

        if (buf.len == 0) {
            first = text;

        } else if (kind != B24_VALUE_ONE) {
            b24_buf_adds(&buf, ", ");

        } else if (b24_str_eq(&text, &first)) {
            continue;

        } else {
            return b24_eval_unknown(ev, B24_WHY_MANY_IDS);
        }

        b24_buf_addstr(&buf, &text);
    }

    if (!listed && (kind == B24_VALUE_FIELD || kind == B24_VALUE_ONE
                    || kind == B24_VALUE_FLAG))
    {
        return B24_IS_EMPTY;
    }

    if (b24_buf_str(&buf, &text) != B24_OK) {
        return B24_IS_ERROR;
    }

    return b24_eval_utf8(ev, &text, charset, res);
}


/* ---- rows of items ---- */

b24_is_e
b24_eval_list(b24_eval_t *ev, const b24_alt_t *alt, b24_node_t **list)
{
    int                  rc;
    b24_is_e             is;
    b24_result_t         res;
    const b24_filter_t  *filter;

    memset(&res, 0, sizeof(b24_result_t));

    is = b24_eval_source(ev, alt->sources, B24_VALUE_LIST, &res);

    if (is == B24_IS_SET && alt->filters) {
        is = b24_eval_filters(ev, alt->filters, &res);
    }

    if (is != B24_IS_SET) {
        return is;
    }

    for (filter = alt->filters; filter; filter = filter->next) {

        if (filter->each) {
            return b24_eval_rows(ev, filter->regex, &res.text, list);
        }
    }

    *list = res.node;

    if (res.node == NULL || (res.node->type != B24_ARRAY
                             && res.node->type != B24_OBJECT))
    {
        rc = b24_json_parse(ev->pool, &res.text, 0, list);

        if (rc != B24_OK) {
            return rc == B24_ERROR ? B24_IS_ERROR : B24_IS_EMPTY;
        }
    }

    if ((*list)->type != B24_ARRAY && (*list)->type != B24_OBJECT) {
        return B24_IS_EMPTY;
    }

    return b24_node_empty(*list) ? B24_IS_EMPTY : B24_IS_SET;
}


/* "~~REGEX": every match an object of its named groups */
static b24_is_e
b24_eval_rows(b24_eval_t *ev, const b24_regex_t *regex, const b24_str_t *text,
    b24_node_t **list)
{
    b24_rows_t  rows;

    *list = b24_node_new(ev->pool, B24_ARRAY);
    if (*list == NULL) {
        return B24_IS_ERROR;
    }

    rows.pool = ev->pool;
    rows.regex = regex;
    rows.list = *list;

    return b24_eval_regex_is(ev, b24_regex_each(regex, text, &ev->time,
                                                b24_eval_row, &rows));
}


static int
b24_eval_row(void *data, const b24_regex_match_t *match)
{
    b24_rows_t  *rows = data;

    size_t       i, group;
    b24_str_t    name;
    b24_node_t  *row, *member;

    row = b24_node_new(rows->pool, B24_OBJECT);

    if (row == NULL
        || b24_text_strip(rows->pool, &match->groups[0], &row->value)
           != B24_OK)
    {
        return B24_ERROR;
    }

    for (i = 0; (group = b24_regex_name(rows->regex, i, &name)) != 0; i++) {

        if (group >= match->ngroups || match->groups[group].data == NULL) {
            continue;
        }

        member = b24_node_new(rows->pool, B24_STRING);

        if (member == NULL
            || b24_text_strip(rows->pool, &match->groups[group],
                              &member->value)
               != B24_OK)
        {
            return B24_ERROR;
        }

        member->key = name;
        b24_node_append(row, member);
    }

    b24_node_append(rows->list, row);

    /* one more than an order may have, so that the cut is told */

    return rows->list->count > B24_RULES_ITEMS ? B24_DECLINED : B24_OK;
}
