
/*
 * One tree for everything a request or an answer can carry: JSON, JavaScript
 * literals, urlencoded and multipart forms.  Numbers keep their source text,
 * so that money is never touched by floating point.
 */


#ifndef _B24_NODE_H_INCLUDED_
#define _B24_NODE_H_INCLUDED_


#include "b24_base.h"


/* bounds on what a buyer can make us build; beyond them a parser declines */
#define B24_NODE_DEPTH     128      /* nesting */
#define B24_NODE_MAX       65536    /* nodes of one tree */
#define B24_FORM_FIELDS    16384    /* fields of a form (PHP reads 1000) */
#define B24_NODE_STRINGS   4        /* strings a pointer goes through, one
                                       inside of the other: each is parsed */


typedef enum {
    B24_NULL = 0,
    B24_FALSE,
    B24_TRUE,
    B24_NUMBER,                     /* value is its text, as written */
    B24_STRING,                     /* value is UTF-8 or raw bytes */
    B24_ARRAY,
    B24_OBJECT
} b24_type_e;


typedef struct b24_node_s  b24_node_t;

struct b24_node_s {
    b24_type_e   type;
    b24_str_t    key;               /* member's name, empty in arrays */
    b24_str_t    value;
    b24_node_t  *first;
    b24_node_t  *last;
    b24_node_t  *next;
    size_t       count;             /* children */
};


/*
 * All parsers: *root is set on B24_OK; B24_DECLINED when the text is broken
 * or beyond the bounds; B24_ERROR when memory is out.  The tree lives in the
 * pool and may point into text.
 */

/*
 * RFC 8259 by cJSON, numbers exact, the last of equal members wins (as in
 * PHP).  A byte order mark is skipped; \u0000 becomes U+FFFD; lone surrogates
 * become U+FFFD; invalid UTF-8 is kept as bytes.  With junk set, the object or
 * array is looked for among other output (PHP notices before an answer): the
 * text begins or ends with it, not with two, or it is the only object, or the
 * only array; empty ones count when there is no other.  Otherwise only blanks
 * may stand around the value.
 */
int b24_json_parse(b24_pool_t *pool, const b24_str_t *text, int junk,
    b24_node_t **root);

/*
 * A JavaScript or JSON literal at the start of text: single or double quotes,
 * unquoted keys, trailing commas, true/false/null/undefined, escapes \xHH,
 * \uXXXX, \/, \', line continuations, comments.  *used is its length.
 */
int b24_js_parse(b24_pool_t *pool, const b24_str_t *text, size_t *used,
    b24_node_t **root);

/*
 * The literal that follows "NAME =", "NAME(" or "NAME:" in text (NAME may
 * hold dots: BX.Sale.OrderAjaxComponent.init); the first place where a literal
 * parses.  NAME is not part of a longer identifier.
 */
int b24_inline_find(b24_pool_t *pool, const b24_str_t *text,
    const b24_str_t *name, b24_node_t **root);

/*
 * application/x-www-form-urlencoded and query strings with PHP's rules:
 * brackets nest, [] numbers itself, a name is cut at a broken bracket as PHP
 * does it, dots and blanks in the top-level name become "_", of equal names the
 * last wins.  Always an object, and so is all that brackets make: "a[]=1" gives
 * {"a":{"0":"1"}}.
 */
int b24_form_parse(b24_pool_t *pool, const b24_str_t *text, b24_node_t **root);

/*
 * multipart/form-data: content_type is the request's header with its boundary.
 * Parts with a filename are skipped.  A body that ends without the closing
 * boundary is declined.
 */
int b24_multipart_parse(b24_pool_t *pool, const b24_str_t *content_type,
    const b24_str_t *body, b24_node_t **root);

/*
 * A body by its Content-Type; an unknown or missing type is guessed: JSON when
 * it begins with "{" or "[", a form otherwise.  JSON that begins with "{" and
 * calls itself urlencoded (scripts that set no type) is JSON.  An empty body
 * is an empty object.
 */
int b24_body_parse(b24_pool_t *pool, const b24_str_t *content_type,
    const b24_str_t *body, b24_node_t **root);


/* member of an object, element of an array by its decimal index; the last of
 * equal names; NULL when there is none */
b24_node_t *b24_node_get(const b24_node_t *node, const b24_str_t *key);

/* absent, null, false, "", [], {} are empty; 0 is not */
int b24_node_empty(const b24_node_t *node);

/* text of a scalar (numbers as written, true as "1" like PHP prints it);
 * B24_DECLINED for null, false, arrays and objects */
int b24_node_text(const b24_node_t *node, b24_str_t *text);

b24_node_t *b24_node_new(b24_pool_t *pool, b24_type_e type);
void b24_node_append(b24_node_t *parent, b24_node_t *child);
/* all of it in that pool; NULL: out of memory, or deeper than parsers make it
 * (B24_NODE_DEPTH) */
b24_node_t *b24_node_copy(b24_pool_t *pool, const b24_node_t *node);

/* compact JSON of a tree (numbers as written, text made valid UTF-8) */
int b24_node_print(const b24_node_t *node, b24_buf_t *out);
/* a JSON string literal with its quotes; control characters escaped,
 * invalid UTF-8 replaced by U+FFFD */
void b24_json_string(b24_buf_t *out, const b24_str_t *text);


/*
 * A compiled pointer: RFC 6901 steps plus [KEY=VALUE] (first child whose
 * member KEY equals VALUE), [last], [*] (the last child below which the rest of
 * the pointer leads to something, null included; once in a pointer), [N] (child
 * number N, from 0, of objects, too), [@N] (its name), [NAME*] (an object of
 * the members whose names begin so), and %{NAME} (a learned value in a step or
 * in the VALUE, once in each, text may stand around it: PROP_%{NAME}).  ""
 * points to the root.  "~0" and "~1" as in the RFC, also for "/" in brackets.
 */
typedef enum {
    B24_STEP_KEY = 0,
    B24_STEP_LAST,
    B24_STEP_ANY,
    B24_STEP_MATCH,
    B24_STEP_LEARNED,
    B24_STEP_CHILD,
    B24_STEP_NAME,
    B24_STEP_PREFIX
} b24_step_e;


typedef struct b24_step_s  b24_step_t;

struct b24_step_s {
    b24_step_e   type;
    b24_str_t    key;               /* KEY, or NAME of a learned value */
    b24_str_t    value;
    unsigned     learned_value:1;   /* value is a NAME */
    b24_str_t    before;            /* text around the learned value */
    b24_str_t    after;
    size_t       n;                 /* of CHILD and NAME */
    b24_step_t  *next;
};


typedef struct {
    b24_step_t  *steps;             /* NULL points to the root */
} b24_pointer_t;


/* a learned value by its name; 0 when it isn't known */
typedef int (*b24_learned_pt)(void *data, const b24_str_t *name,
    b24_str_t *value);


/* err gets a sentence (static text) on B24_DECLINED */
int b24_pointer_compile(b24_pool_t *pool, const b24_str_t *text,
    b24_pointer_t *ptr, const char **err);

/* what a string holds that a pointer goes on below, see b24_pointer_into() */
typedef int (*b24_into_pt)(void *reader, const b24_node_t *string,
    b24_node_t **root);


typedef struct {
    b24_pool_t      *pool;          /* takes what strings hold */
    b24_learned_pt   learned;       /* NULL: nothing is known */
    void            *data;
    b24_into_pt      into;          /* NULL: b24_pointer_into() */
    void            *reader;
} b24_walk_t;


/*
 * B24_DECLINED when nothing is there.  A step that goes on below a string
 * parses that string (JSON, else query string), at most B24_NODE_STRINGS times
 * on one way.
 */
int b24_pointer_get(const b24_walk_t *walk, const b24_pointer_t *ptr,
    b24_node_t *root, b24_node_t **node);

/* what such a string holds; B24_DECLINED: nothing to point into, B24_ERROR */
int b24_pointer_into(b24_pool_t *pool, const b24_str_t *text,
    b24_node_t **root);


#endif /* _B24_NODE_H_INCLUDED_ */
