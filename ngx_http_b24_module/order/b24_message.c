
/* The request and the answer, each parsed once, when a rule first asks. */


#include "b24_rules_int.h"
#include "b24_text.h"


/* names of learned values in one pointer, and how often it is looked up with
 * other values of them */
#define B24_EVAL_NAMES   4
#define B24_EVAL_TRIES   64


/* a name of a pointer and the value it has at the moment */
typedef struct {
    const b24_str_t  *name;
    size_t            n;
    b24_str_t         value;
} b24_choice_t;


typedef struct {
    b24_choice_t      choices[B24_EVAL_NAMES];
    unsigned          n;
} b24_choices_t;


static b24_is_e b24_eval_request_body(b24_eval_t *ev);
static b24_is_e b24_eval_answer(b24_eval_t *ev);
static b24_is_e b24_eval_answer_body(b24_eval_t *ev);
static b24_is_e b24_eval_inflate(b24_eval_t *ev);
static int b24_eval_is_json(const b24_eval_t *ev);
static unsigned b24_eval_learned_names(const b24_pointer_t *ptr,
    b24_choice_t *choices);
static b24_is_e b24_eval_steps(b24_eval_t *ev, const b24_pointer_t *ptr,
    b24_node_t *root, b24_learned_pt learned, void *data, b24_node_t **node);
static int b24_eval_learned(b24_eval_t *ev, b24_choice_t *choice);
static int b24_eval_chosen(void *data, const b24_str_t *name,
    b24_str_t *value);
static int b24_eval_into(void *reader, const b24_node_t *node,
    b24_node_t **root);


b24_is_e
b24_eval_request(b24_eval_t *ev)
{
    if (!ev->request.done) {
        ev->request.done = 1;
        ev->request.is = b24_eval_request_body(ev);
    }

    return ev->request.is;
}


static b24_is_e
b24_eval_request_body(b24_eval_t *ev)
{
    b24_str_t  type;

    switch (ev->in->body_state) {

    case B24_BODY_FULL:
        break;

    case B24_BODY_NONE:
        return B24_IS_EMPTY;

    case B24_BODY_CUT:
        return b24_eval_unknown(ev, B24_WHY_REQUEST_CUT);

    case B24_BODY_LARGE:
        return b24_eval_unknown(ev, B24_WHY_REQUEST_LARGE);

    default:
        return b24_eval_unknown(ev, B24_WHY_REQUEST_UNSEEN);
    }

    switch (b24_body_parse(ev->pool, &ev->in->content_type, &ev->in->body,
                           &ev->request.root))
    {
    case B24_OK:
        return B24_IS_SET;

    case B24_DECLINED:
        break;

    default:
        return B24_IS_ERROR;
    }

    type = ev->in->content_type;

    if (type.len > sizeof("multipart/") - 1) {
        type.len = sizeof("multipart/") - 1;

        if (b24_str_caseeqs(&type, "multipart/")) {
            return b24_eval_unknown(ev, B24_WHY_REQUEST_MULTIPART);
        }
    }

    type = ev->in->body;
    b24_str_trim(&type);

    if (type.len && (type.data[0] == '{' || type.data[0] == '['
                     || b24_str_find(&ev->in->content_type, 0, "json") != -1))
    {
        return b24_eval_unknown(ev, B24_WHY_REQUEST_JSON);
    }

    return b24_eval_unknown(ev, B24_WHY_REQUEST_FORM);
}


b24_is_e
b24_eval_query(b24_eval_t *ev)
{
    int  rc;

    if (!ev->query.done) {
        ev->query.done = 1;

        rc = b24_form_parse(ev->pool, &ev->in->args, &ev->query.root);

        ev->query.is = rc == B24_OK ? B24_IS_SET
                       : rc == B24_ERROR ? B24_IS_ERROR
                       : b24_eval_unknown(ev, B24_WHY_QUERY);
    }

    return ev->query.is;
}


/* the answer's bytes, inflated */
static b24_is_e
b24_eval_answer(b24_eval_t *ev)
{
    if (!ev->text.done) {
        ev->text.done = 1;
        ev->text.is = b24_eval_answer_body(ev);
    }

    return ev->text.is;
}


static b24_is_e
b24_eval_answer_body(b24_eval_t *ev)
{
    b24_str_t  coding;

    switch (ev->in->answer_state) {

    case B24_BODY_FULL:
        break;

    case B24_BODY_NONE:
        return B24_IS_EMPTY;

    case B24_BODY_CUT:
        return b24_eval_unknown(ev, B24_WHY_CUT);

    case B24_BODY_LARGE:
        return b24_eval_unknown(ev, B24_WHY_LARGE);

    default:
        return b24_eval_unknown(ev, B24_WHY_LOST);
    }

    if (ev->in->answer.len == 0) {
        return B24_IS_EMPTY;
    }

    coding = ev->in->answer_encoding;
    b24_str_trim(&coding);

    if (coding.len == 0 || b24_str_caseeqs(&coding, "identity")) {
        ev->bytes = ev->in->answer;
        return B24_IS_SET;
    }

    if (b24_str_caseeqs(&coding, "gzip") || b24_str_caseeqs(&coding, "x-gzip")
        || b24_str_caseeqs(&coding, "deflate"))
    {
        return b24_eval_inflate(ev);
    }

    return b24_eval_unknown(ev, B24_WHY_ENCODING);
}


static b24_is_e
b24_eval_inflate(b24_eval_t *ev)
{
    switch (b24_inflate(ev->pool, &ev->in->answer, ev->in->answer_max,
                        &ev->bytes))
    {
    case B24_OK:
        return ev->bytes.len ? B24_IS_SET : B24_IS_EMPTY;

    case B24_DECLINED:
        return b24_eval_unknown(ev, B24_WHY_INFLATE);

    default:
        return B24_IS_ERROR;
    }
}


b24_is_e
b24_eval_answer_text(b24_eval_t *ev)
{
    b24_is_e      is;
    b24_result_t  res;

    is = b24_eval_answer(ev);

    if (is != B24_IS_SET) {
        return is;
    }

    if (!ev->utf8_done) {
        is = b24_eval_utf8(ev, &ev->bytes, &ev->answer_charset, &res);

        if (is == B24_IS_ERROR) {
            return is;
        }

        ev->utf8_done = 1;

        if (is == B24_IS_SET) {
            ev->utf8 = res.text;
        }
    }

    return ev->utf8.len ? B24_IS_SET : B24_IS_EMPTY;
}


/*
 * An answer that is no JSON has no JSON values: a redirect's HTML, a page shown
 * again.  One that says it is JSON, or begins like it, and isn't, is broken.
 */
b24_is_e
b24_eval_response(b24_eval_t *ev)
{
    int       rc;
    b24_is_e  is;

    if (ev->response.done) {
        return ev->response.is;
    }

    is = b24_eval_answer(ev);

    if (is == B24_IS_SET) {
        rc = b24_json_parse(ev->pool, &ev->bytes, 1, &ev->response.root);

        if (rc == B24_ERROR) {
            is = B24_IS_ERROR;

        } else if (rc == B24_DECLINED) {
            is = b24_eval_is_json(ev) ? b24_eval_unknown(ev, B24_WHY_JSON)
                                      : B24_IS_EMPTY;
        }
    }

    ev->response.done = 1;
    ev->response.is = is;

    return is;
}


static int
b24_eval_is_json(const b24_eval_t *ev)
{
    b24_str_t  text;

    text = ev->bytes;

    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.len -= 3;
    }

    b24_str_trim(&text);

    if (text.len == 0) {
        return 0;
    }

    return text.data[0] == '{' || text.data[0] == '['
           || b24_str_find(&ev->in->answer_type, 0, "json") != -1;
}


b24_is_e
b24_eval_inline(b24_eval_t *ev, const b24_str_t *name, b24_node_t **root)
{
    int            rc;
    b24_is_e       is;
    b24_inline_t  *in;

    for (in = ev->inlines; in; in = in->next) {

        if (b24_str_eq(&in->name, name)) {
            *root = in->root;
            return B24_IS_SET;
        }
    }

    is = b24_eval_answer(ev);

    if (is != B24_IS_SET) {
        return is;
    }

    in = b24_pcalloc(ev->pool, sizeof(b24_inline_t));
    if (in == NULL) {
        return B24_IS_ERROR;
    }

    rc = b24_inline_find(ev->pool, &ev->bytes, name, &in->root);

    if (rc == B24_ERROR) {
        return B24_IS_ERROR;
    }

    if (rc == B24_DECLINED) {
        in->root = NULL;
    }

    in->name = *name;
    in->next = ev->inlines;
    ev->inlines = in;

    *root = in->root;

    return B24_IS_SET;
}


b24_is_e
b24_eval_point(b24_eval_t *ev, const b24_pointer_t *ptr, b24_node_t *root,
    b24_node_t **node)
{
    unsigned       i, tries;
    b24_is_e       is;
    b24_choices_t  c;

    c.n = b24_eval_learned_names(ptr, c.choices);

    if (c.n == 0) {
        return b24_eval_steps(ev, ptr, root, NULL, NULL, node);
    }

    for (i = 0; i < c.n; i++) {
        c.choices[i].n = 0;

        if (!b24_eval_learned(ev, &c.choices[i])) {
            return B24_IS_EMPTY;
        }
    }

    /* each value of each name, the newest first, until something is there */

    for (tries = 0; tries < B24_EVAL_TRIES; tries++) {

        is = b24_eval_steps(ev, ptr, root, b24_eval_chosen, &c, node);

        if (is == B24_IS_ERROR
            || (is == B24_IS_SET && !b24_node_empty(*node)))
        {
            return is;
        }

        for (i = 0; i < c.n; i++) {
            c.choices[i].n++;

            if (b24_eval_learned(ev, &c.choices[i])) {
                break;
            }

            c.choices[i].n = 0;
            (void) b24_eval_learned(ev, &c.choices[i]);
        }

        if (i == c.n) {
            break;
        }
    }

    *node = NULL;

    return B24_IS_EMPTY;
}


static unsigned
b24_eval_learned_names(const b24_pointer_t *ptr, b24_choice_t *choices)
{
    unsigned           i, n;
    const b24_str_t   *name;
    const b24_step_t  *step;

    n = 0;

    for (step = ptr->steps; step; step = step->next) {

        if (step->type == B24_STEP_LEARNED) {
            name = &step->key;

        } else if (step->type == B24_STEP_MATCH && step->learned_value) {
            name = &step->value;

        } else {
            continue;
        }

        for (i = 0; i < n && !b24_str_eq(choices[i].name, name); i++) {
            /* void */
        }

        if (i == n && n < B24_EVAL_NAMES) {
            choices[n++].name = name;
        }
    }

    return n;
}


/* the choice's n-th value: what this exchange tells, else what others told */
static int
b24_eval_learned(b24_eval_t *ev, b24_choice_t *choice)
{
    size_t             n;
    unsigned           told;
    const b24_pair_t  *pair;

    n = choice->n;
    told = 0;

    for (pair = ev->fresh; pair; pair = pair->next) {

        if (!b24_str_eq(&pair->name, choice->name)) {
            continue;
        }

        if (n-- == 0) {
            choice->value = pair->value;
            return 1;
        }

        told = 1;
    }

    return !told && ev->in->learned
           && ev->in->learned(ev->in->learned_data, choice->name, n,
                              &choice->value);
}


static int
b24_eval_chosen(void *data, const b24_str_t *name, b24_str_t *value)
{
    b24_choices_t  *c = data;

    unsigned  i;

    for (i = 0; i < c->n; i++) {

        if (b24_str_eq(c->choices[i].name, name)) {
            *value = c->choices[i].value;
            return 1;
        }
    }

    return 0;
}


static b24_is_e
b24_eval_steps(b24_eval_t *ev, const b24_pointer_t *ptr, b24_node_t *root,
    b24_learned_pt learned, void *data, b24_node_t **node)
{
    int         rc;
    b24_walk_t  walk;

    walk.pool = ev->pool;
    walk.learned = learned;
    walk.data = data;
    walk.into = b24_eval_into;
    walk.reader = ev;

    rc = b24_pointer_get(&walk, ptr, root, node);

    if (rc != B24_OK) {
        *node = NULL;
    }

    return rc == B24_OK ? B24_IS_SET
                        : rc == B24_ERROR ? B24_IS_ERROR : B24_IS_EMPTY;
}


/* a string many lines point into is read once */

static int
b24_eval_into(void *reader, const b24_node_t *node, b24_node_t **root)
{
    b24_eval_t  *ev = reader;

    int            rc;
    size_t         i;
    b24_string_t  *string;

    for (i = 0; i < B24_EVAL_STRINGS && i < ev->nstrings; i++) {

        if (ev->strings[i].node == node) {
            *root = ev->strings[i].root;
            return *root ? B24_OK : B24_DECLINED;
        }
    }

    *root = NULL;

    rc = b24_pointer_into(ev->pool, &node->value, root);

    if (rc == B24_ERROR) {
        return rc;
    }

    string = &ev->strings[ev->nstrings++ % B24_EVAL_STRINGS];
    string->node = node;
    string->root = *root;

    return *root ? B24_OK : B24_DECLINED;
}
