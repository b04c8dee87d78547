
/* Values and conditions of rules on a captured exchange. */


#include "b24_rules_int.h"
#include "b24_text.h"


static b24_is_e b24_eval_changed(b24_eval_t *ev, const b24_value_t *value,
    b24_result_t *res);
static b24_is_e b24_eval_false(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, const b24_cond_t *cond, b24_result_t *res);
static b24_is_e b24_eval_pieces(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, b24_result_t *res);
static b24_value_kind_e b24_eval_piece_kind(const b24_value_t *value);
static b24_is_e b24_eval_keep_pieces(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt);
static b24_is_e b24_eval_match(b24_eval_t *ev, const b24_cond_t *cond,
    b24_result_t *res);
static b24_is_e b24_eval_kept(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, int piece, b24_result_t *res);
static int b24_alt_early(const b24_eval_t *ev, const b24_alt_t *alt,
    int *mixed);


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


b24_is_e
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
