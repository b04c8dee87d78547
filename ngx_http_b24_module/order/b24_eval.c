
/* Values of rules on a captured exchange. */


#include "b24_rules_int.h"
#include "b24_text.h"

#include <stdio.h>


typedef struct {
    b24_pool_t         *pool;
    const b24_regex_t  *regex;
    b24_node_t         *list;
} b24_rows_t;


static b24_is_e b24_eval_changed(b24_eval_t *ev, const b24_value_t *value,
    b24_result_t *res);
static b24_is_e b24_eval_false(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, const b24_cond_t *cond, b24_result_t *res);
static b24_is_e b24_eval_pieces(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, b24_result_t *res);
static b24_value_kind_e b24_eval_piece_kind(const b24_value_t *value);
static b24_is_e b24_eval_keep_pieces(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt);
static b24_is_e b24_eval_regex_is(b24_eval_t *ev, b24_regex_e result);
static b24_is_e b24_eval_match(b24_eval_t *ev, const b24_cond_t *cond,
    b24_result_t *res);
static b24_is_e b24_eval_kept(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, int piece, b24_result_t *res);
static int b24_alt_early(const b24_eval_t *ev, const b24_alt_t *alt,
    int *mixed);
static b24_is_e b24_eval_source(b24_eval_t *ev, const b24_source_t *source,
    b24_value_kind_e kind, b24_result_t *res);
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


void
b24_eval_init(b24_eval_t *ev, b24_pool_t *pool, const b24_input_t *in,
    int answer)
{
    memset(ev, 0, sizeof(b24_eval_t));

    ev->pool = pool;
    ev->in = in;
    ev->answer = answer ? 1 : 0;

    b24_text_charset(&in->content_type, &ev->charset);
    b24_text_charset(&in->answer_type, &ev->answer_charset);
}


b24_is_e
b24_eval_unknown(b24_eval_t *ev, b24_why_e why)
{
    if (ev->why == B24_WHY_NONE) {
        ev->why = why;
    }

    return B24_IS_UNKNOWN;
}


/*
 * The first alternative that isn't empty.  One whose source can't be read is
 * passed over, and matters only when no other gives a value: alternatives are
 * places of the same thing.
 */
b24_is_e
b24_eval_line(b24_eval_t *ev, const b24_value_t *value, const b24_cond_t *cond,
    b24_result_t *res)
{
    int               early, mixed;
    unsigned          later, unknown;
    b24_is_e          is;
    const b24_alt_t  *alt, *no;

    if (value->alts == NULL) {
        memset(res, 0, sizeof(b24_result_t));
        return B24_IS_EMPTY;
    }

    if (ev->answer && ev->partial->changed) {
        return b24_eval_changed(ev, value, res);
    }

    no = NULL;
    later = 0;
    unknown = 0;

    for (alt = value->alts; alt; alt = alt->next) {

        memset(res, 0, sizeof(b24_result_t));
        early = b24_alt_early(ev, alt, &mixed);

        if (early && ev->answer) {
            is = b24_eval_kept(ev, value, alt, -1, res);

        } else if (!early && !ev->answer && !ev->whole) {
            is = mixed ? b24_eval_keep_pieces(ev, value, alt) : B24_IS_LATER;

        } else {
            is = b24_eval_alt(ev, value, alt, res);

            if (is == B24_IS_SET && cond) {
                is = b24_eval_match(ev, cond, res);
            }

            if (is == B24_IS_SET && ev->keep && !ev->answer
                && b24_keep_add(ev->pool, ev->keep, value, (int) alt->n, -1,
                                &res->text)
                   != B24_OK)
            {
                return B24_IS_ERROR;
            }
        }

        if (is == B24_IS_SET || is == B24_IS_ERROR) {
            res->later = later;
            res->alt = (int) alt->n;
            res->part = alt->part;
            return is;
        }

        later |= is == B24_IS_LATER;
        unknown |= is == B24_IS_UNKNOWN;
        no = (res->no && alt->filters == NULL) ? alt : no;
    }

    memset(res, 0, sizeof(b24_result_t));

    if (unknown || later) {
        return unknown ? B24_IS_UNKNOWN : B24_IS_LATER;
    }

    return (no && cond) ? b24_eval_false(ev, value, no, cond, res)
                        : B24_IS_EMPTY;
}


/* all is empty; but "=false" is true of a JSON false */
static b24_is_e
b24_eval_false(b24_eval_t *ev, const b24_value_t *value, const b24_alt_t *alt,
    const b24_cond_t *cond, b24_result_t *res)
{
    b24_str_t  yes = b24_string("1");

    if (!b24_str_eqs(&cond->text, "false")) {
        return B24_IS_EMPTY;
    }

    res->text = yes;

    if (ev->keep && !ev->answer
        && b24_keep_add(ev->pool, ev->keep, value, (int) alt->n, -1,
                        &res->text)
           != B24_OK)
    {
        return B24_IS_ERROR;
    }

    return B24_IS_SET;
}


/* alternatives have other numbers now: what was kept of a line is its value */
static b24_is_e
b24_eval_changed(b24_eval_t *ev, const b24_value_t *value, b24_result_t *res)
{
    const b24_kept_t  *kept;

    memset(res, 0, sizeof(b24_result_t));

    kept = b24_keep_find(ev->keep, value, -1, -1);

    if (kept == NULL) {
        return B24_IS_EMPTY;
    }

    res->text = kept->text;
    res->part = B24_PART_REQUEST;

    return B24_IS_SET;
}


/* mixed: some of a template is known without the answer, some isn't */
static int
b24_alt_early(const b24_eval_t *ev, const b24_alt_t *alt, int *mixed)
{
    int                  early;
    unsigned             now, later;
    const b24_source_t  *source;

    now = 0;
    later = 0;

    for (source = alt->sources; source; source = source->next) {
        early = b24_source_early(source, ev->element_early);

        if (!early) {
            later = 1;

        } else if (source->type != B24_SOURCE_TEXT) {
            now = 1;
        }
    }

    *mixed = now && later;

    return !later;
}


b24_is_e
b24_eval_alt(b24_eval_t *ev, const b24_value_t *value, const b24_alt_t *alt,
    b24_result_t *res)
{
    b24_is_e  is;

    if (alt->template) {
        is = b24_eval_pieces(ev, value, alt, res);

    } else {
        is = b24_eval_source(ev, alt->sources, value->kind, res);
    }

    if (is == B24_IS_SET && alt->filters) {
        is = b24_eval_filters(ev, alt->filters, res);
    }

    return is;
}


/* a template: empty when one of its pieces is */
static b24_is_e
b24_eval_pieces(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, b24_result_t *res)
{
    int                  n;
    b24_buf_t            buf;
    b24_is_e             is;
    b24_str_t            text;
    b24_result_t         piece;
    const b24_source_t  *source;

    b24_buf_init(&buf, ev->pool);

    for (n = 0, source = alt->sources; source; n++, source = source->next) {

        memset(&piece, 0, sizeof(b24_result_t));

        if (ev->answer && source->type != B24_SOURCE_TEXT
            && b24_source_early(source, ev->element_early))
        {
            is = b24_eval_kept(ev, value, alt, n, &piece);

        } else {
            is = b24_eval_source(ev, source, b24_eval_piece_kind(value),
                                 &piece);
        }

        if (is == B24_IS_SET && source->type != B24_SOURCE_TEXT) {
            text = piece.text;
            b24_str_trim(&piece.text);
            is = piece.text.len ? B24_IS_SET : B24_IS_EMPTY;

            /* blanks around a variable are the rule's */

            if (source->type == B24_SOURCE_VAR) {
                piece.text = text;
            }
        }

        if (is != B24_IS_SET) {
            return is;
        }

        b24_buf_addstr(&buf, &piece.text);
    }

    return b24_buf_str(&buf, &res->text) == B24_OK ? B24_IS_SET
                                                   : B24_IS_ERROR;
}


/* conditions and flags have no part in a text */
static b24_value_kind_e
b24_eval_piece_kind(const b24_value_t *value)
{
    return value->kind == B24_VALUE_ONE ? B24_VALUE_ONE : B24_VALUE_FIELD;
}


/* what the second stage needs of a template that has parts of both */
static b24_is_e
b24_eval_keep_pieces(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt)
{
    int                  n;
    b24_is_e             is;
    b24_result_t         piece;
    const b24_source_t  *source;

    for (n = 0, source = alt->sources; source; n++, source = source->next) {

        if (source->type == B24_SOURCE_TEXT
            || !b24_source_early(source, ev->element_early))
        {
            continue;
        }

        memset(&piece, 0, sizeof(b24_result_t));

        is = b24_eval_source(ev, source, b24_eval_piece_kind(value), &piece);

        if (is != B24_IS_SET) {
            return is;
        }

        if (ev->keep
            && b24_keep_add(ev->pool, ev->keep, value, (int) alt->n, n,
                            &piece.text)
               != B24_OK)
        {
            return B24_IS_ERROR;
        }
    }

    return B24_IS_LATER;
}


static b24_is_e
b24_eval_kept(b24_eval_t *ev, const b24_value_t *value, const b24_alt_t *alt,
    int piece, b24_result_t *res)
{
    const b24_kept_t  *kept;

    kept = b24_keep_find(ev->keep, value, (int) alt->n, piece);

    if (kept) {
        res->text = kept->text;
        return B24_IS_SET;
    }

    /* it was empty, unless the first stage couldn't look */

    if (value->body && ev->partial->why != B24_WHY_NONE) {
        return b24_eval_unknown(ev, ev->partial->why);
    }

    return B24_IS_EMPTY;
}


b24_is_e
b24_eval_regex(b24_eval_t *ev, const b24_regex_t *regex,
    const b24_str_t *text, b24_regex_match_t *match)
{
    return b24_eval_regex_is(ev, b24_regex_exec(regex, text, &ev->time,
                                                match));
}


static b24_is_e
b24_eval_regex_is(b24_eval_t *ev, b24_regex_e result)
{
    switch (result) {

    case B24_REGEX_MATCH:
        return B24_IS_SET;

    case B24_REGEX_NONE:
        return B24_IS_EMPTY;

    case B24_REGEX_LIMIT:
        return b24_eval_unknown(ev, B24_WHY_REGEX);

    default:
        return B24_IS_ERROR;
    }
}


/* "~REGEX": the first group, else the whole match; one after the other */
b24_is_e
b24_eval_filters(b24_eval_t *ev, const b24_filter_t *filter,
    b24_result_t *res)
{
    b24_is_e           is;
    b24_regex_match_t  match;

    for ( /* void */ ; filter && !filter->each; filter = filter->next) {

        is = b24_eval_regex(ev, filter->regex, &res->text, &match);
        if (is != B24_IS_SET) {
            return is;
        }

        res->text = match.groups[0];

        if (match.ngroups > 1 && match.groups[1].data) {
            res->text = match.groups[1];
        }

        res->node = NULL;
        res->truth = 0;

        if (res->text.len == 0) {
            return B24_IS_EMPTY;
        }
    }

    return B24_IS_SET;
}


/* a condition's word on one alternative that isn't empty */
static b24_is_e
b24_eval_match(b24_eval_t *ev, const b24_cond_t *cond, b24_result_t *res)
{
    int                       equal;
    b24_is_e                  is;
    b24_regex_match_t         match;
    static const b24_str_t    yes = b24_string("1"), no = b24_string("0");

    equal = 1;

    switch (cond->type) {

    case B24_COND_UNLIKE:
        is = b24_eval_regex(ev, cond->regex, &res->text, &match);
        if (is != B24_IS_SET) {
            return is;
        }

        break;

    case B24_COND_EQUAL:
    case B24_COND_DIFFERENT:
        equal = b24_str_eq(&res->text, &cond->text)
                || (res->truth && b24_str_eqs(&cond->text, "true"));
        break;

    default:
        break;
    }

    res->text = equal ? yes : no;

    return B24_IS_SET;
}


b24_is_e
b24_eval_cond(b24_eval_t *ev, const b24_cond_t *cond)
{
    int           equal;
    b24_is_e      is;
    b24_result_t  res;

    is = b24_eval_line(ev, &cond->value, cond, &res);

    if (is == B24_IS_ERROR) {
        return is;
    }

    equal = b24_str_eqs(&res.text, "1");

    switch (cond->type) {

    case B24_COND_SET:
        return is;

    case B24_COND_EMPTY:
    case B24_COND_UNLIKE:

        if (is == B24_IS_SET) {
            return B24_IS_EMPTY;
        }

        return is == B24_IS_EMPTY ? B24_IS_SET : is;

    default:
        break;
    }

    /* an alternative before it may yet turn out not to be empty */

    if (is == B24_IS_SET && res.later) {
        return B24_IS_LATER;
    }

    if (is == B24_IS_SET || is == B24_IS_EMPTY) {
        equal = equal == (cond->type == B24_COND_EQUAL);
        return equal ? B24_IS_SET : B24_IS_EMPTY;
    }

    return is;
}


b24_is_e
b24_eval_conds(b24_eval_t *ev, const b24_cond_t *cond)
{
    b24_is_e  is, all;

    all = B24_IS_SET;

    for ( /* void */ ; cond; cond = cond->next) {

        is = b24_eval_cond(ev, cond);

        if (is == B24_IS_EMPTY || is == B24_IS_ERROR) {
            return is;
        }

        if (is == B24_IS_UNKNOWN
            || (is == B24_IS_LATER && all == B24_IS_SET))
        {
            all = is;
        }
    }

    return all;
}


/* ---- sources ---- */

static b24_is_e
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


/* ---- what the first stage keeps ---- */

int
b24_keep_add(b24_pool_t *pool, b24_keep_t *keep, const b24_value_t *line,
    int alt, int piece, const b24_str_t *text)
{
    b24_kept_t  *kept;

    kept = b24_palloc(pool, sizeof(b24_kept_t));
    if (kept == NULL) {
        return B24_ERROR;
    }

    kept->line = line;
    kept->alt = alt;
    kept->piece = piece;
    kept->text = *text;
    kept->next = NULL;

    if (keep->last) {
        keep->last->next = kept;

    } else {
        keep->first = kept;
    }

    keep->last = kept;

    return B24_OK;
}


const b24_kept_t *
b24_keep_find(const b24_keep_t *keep, const b24_value_t *line, int alt,
    int piece)
{
    const b24_kept_t  *kept;

    for (kept = keep->first; kept; kept = kept->next) {

        if (kept->line == line && kept->piece == piece
            && (kept->alt == alt || alt == -1))
        {
            return kept;
        }
    }

    return NULL;
}
