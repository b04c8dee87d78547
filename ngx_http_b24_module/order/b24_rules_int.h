
/*
 * Compiled rules and their evaluation; only files of order/ and its tests
 * include this one.
 *
 *     shop -> blocks -> lines (value, condition) -> alternatives -> sources
 *
 * Points of the language that are easily got wrong:
 *
 * - Alternatives are places of one thing: one that can't be read (a body too
 *   large, a regex given up) counts only when no other gives a value.
 * - An answer that is no JSON has no JSON values.  Broken is only what says it
 *   is JSON or begins like it.  So a redirect's HTML doesn't make an order
 *   unconfirmed, and half of a JSON answer does.
 * - An array or object taken as a text is its scalars, joined by ", ", one
 *   level deep; a condition sees that it is there.
 * - "=TEXT" and "!=TEXT" compare the first alternative that isn't empty (JSON
 *   true equals "1" and "true"; nothing differs from any TEXT), "!~REGEX"
 *   looks at all of them.
 * - The body as a whole is never taken for a field, nor $request_body.
 * - Response headers of one name are one text, a line each.
 * - "uri" and "method" of an heir replace those of its base as fields do.
 *   Unnamed blocks belong together when base and heir have just one of the
 *   kind; "order off;" drops it.  session lines replace the base's as a whole,
 *   stage lines single ones.
 */


#ifndef _B24_RULES_INT_H_INCLUDED_
#define _B24_RULES_INT_H_INCLUDED_


#include "b24_rules.h"
#include "b24_node.h"
#include "b24_regex.h"
#include "b24_statement.h"


#define B24_RULES_NAME    64        /* bytes of a shop's or block's name */
#define B24_RULES_ALTS    32        /* alternatives of a line */
#define B24_RULES_ITEMS   B24_ORDER_ITEMS   /* rows of an order */
#define B24_RULES_ID      255       /* bytes: ORIGIN_ID in Bitrix24 */
#define B24_RULES_MINOR   6         /* minor_units: more has no currency */

#define B24_TITLE_LEN     96


typedef enum {
    B24_SOURCE_TEXT = 0,            /* a literal */
    B24_SOURCE_VAR,                 /* an nginx string with variables */
    B24_SOURCE_STATUS,
    B24_SOURCE_REQUEST,
    B24_SOURCE_QUERY,
    B24_SOURCE_RESPONSE,
    B24_SOURCE_ANSWER,              /* "response:", the text of the answer */
    B24_SOURCE_INLINE,
    B24_SOURCE_HEADER,
    B24_SOURCE_DATABASE,
    B24_SOURCE_ELEMENT,             /* "/PTR" or "" in items */
    B24_SOURCE_KEY,                 /* "@key" in items */
    B24_SOURCE_GENERATED,           /* the number of the session's round */
    B24_SOURCE_GIVEN                /* a value of a call, by NAME */
} b24_source_e;


typedef struct b24_source_s  b24_source_t;

struct b24_source_s {
    b24_source_e    type;
    b24_str_t       text;           /* literal, or NAME */
    b24_pointer_t   ptr;
    size_t          var;
    unsigned        late:1;         /* VAR: known with the answer only */
    b24_source_t   *next;           /* of a template */
};


typedef struct b24_filter_s  b24_filter_t;

struct b24_filter_s {
    b24_regex_t    *regex;
    unsigned        each:1;         /* "~~": every match is an element */
    b24_filter_t   *next;
};


typedef struct b24_alt_s  b24_alt_t;

struct b24_alt_s {
    unsigned        n;              /* number on the line, from 0 */
    unsigned        template:1;     /* empty when a piece of it is */
    b24_part_e      part;           /* what it is taken from */
    b24_source_t   *sources;
    b24_filter_t   *filters;
    b24_str_t       cookie;         /* session: it is $cookie_NAME, alone */
    b24_alt_t      *next;
};


/* what an empty value is and what a value is good for differs a little */
typedef enum {
    B24_VALUE_FIELD = 0,
    B24_VALUE_ONE,                  /* several texts are none: id */
    B24_VALUE_FLAG,                 /* false is a value: tax_included, paid */
    B24_VALUE_PLACES,               /* id and row of a status block: a list is
                                       several of them */
    B24_VALUE_COND,                 /* objects and arrays count */
    B24_VALUE_LIST                  /* the source of items */
} b24_value_kind_e;


typedef struct {
    b24_str_t          key;         /* unique in its block: "phone", "deal
                                       TITLE", "accept 0"; empty: no line */
    b24_value_kind_e   kind;
    unsigned           body:1;      /* it looks into the request's body */
    uint64_t           sum;         /* of the line's tokens */
    b24_alt_t         *alts;
} b24_value_t;


typedef enum {
    B24_COND_SET = 0,
    B24_COND_EMPTY,                 /* ! */
    B24_COND_UNLIKE,                /* !~REGEX */
    B24_COND_EQUAL,                 /* =TEXT; JSON true is "true" and "1",
                                       false is "false" */
    B24_COND_DIFFERENT              /* !=TEXT */
} b24_cond_e;


typedef struct b24_cond_s  b24_cond_t;

struct b24_cond_s {
    b24_value_t     value;
    b24_cond_e      type;
    b24_regex_t    *regex;
    b24_str_t       text;
    b24_source_t   *with;           /* of a call: text has values in it */
    b24_cond_t     *next;
};


/* deal FIELD, contact FIELD, company_field FIELD; learn NAME */
typedef struct b24_named_s  b24_named_t;

struct b24_named_s {
    b24_str_t       name;
    b24_value_t     value;
    b24_named_t    *next;
};


typedef enum {
    B24_URI_EXACT = 0,
    B24_URI_PREFIX,
    B24_URI_REGEX
} b24_uri_e;


typedef struct b24_uri_s  b24_uri_t;

struct b24_uri_s {
    b24_uri_e       type;
    b24_str_t       text;
    b24_regex_t    *regex;
    b24_uri_t      *next;
};


typedef struct {
    b24_value_t     source;
    b24_value_t     fields[B24_ITEM_NFIELDS];
    b24_cond_t     *when;
} b24_items_t;


/* which lists of pairs of an order a block fills */
enum {
    B24_PAIRS_DEAL = 0,
    B24_PAIRS_CONTACT,
    B24_PAIRS_COMPANY,
    B24_NPAIRS
};


/* a rule; also the block being read.  An heir's copy shares what it inherits */
struct b24_block_s {
    b24_rule_e      kind;
    b24_str_t       name;
    unsigned        nr;             /* among unnamed blocks of this kind */
    unsigned        off:1;          /* "order save off;" */
    unsigned        alone:1;        /* "session off;" */
    unsigned        outdated:1;     /* "session outdated;" */

    b24_uri_t      *uri;
    b24_pair_t     *methods;        /* names only */
    b24_cond_t     *when;
    b24_cond_t     *accept;
    b24_value_t     fields[B24_ORDER_NFIELDS];
    b24_named_t    *pairs[B24_NPAIRS];
    b24_named_t    *learn;
    b24_items_t    *items;

    /* filled when the shop is closed: what it needs, and a sum of its lines,
     * by which a journal's entry tells whether they are still the same */
    uint64_t        sum;
    unsigned        body:1;
    unsigned        answer:1;
    size_t         *vars;
    size_t          nvars;
    b24_pair_t     *headers;        /* names only */

    b24_rule_t     *next;
};


/* statements of "database" */
typedef struct b24_raw_s  b24_raw_t;

struct b24_raw_s {
    b24_str_t       name;
    b24_str_t      *args;
    size_t          nargs;
    b24_statement_t  *statement;    /* compiled */
    b24_raw_t      *next;
};


/* how values are put into the body of a call */
typedef enum {
    B24_CALL_FORM = 0,
    B24_CALL_JSON,
    B24_CALL_XML,
    B24_CALL_PLAIN
} b24_call_body_e;


/* a block "write": texts with values are lists of TEXT and GIVEN */
typedef struct b24_call_s  b24_call_t;

struct b24_call_s {
    b24_str_t        name;
    unsigned         off:1;         /* "write NAME off;" */
    b24_str_t        method;
    b24_source_t    *url;
    b24_named_t     *headers;       /* value: one alternative, or none */
    b24_source_t    *body;
    b24_call_body_e  kind;          /* of the body */
    b24_cond_t      *when;
    b24_cond_t      *accept;
    b24_cond_t      *expired;       /* one of them: the session is over */
    b24_named_t     *learn;
    b24_call_t      *next;
};


/* what rules requests out at a glance (b24_maybe.c) */
typedef struct b24_maybe_s  b24_maybe_t;


struct b24_shop_s {
    b24_str_t       name;
    b24_shop_t     *base;
    b24_value_t    *sessions;
    size_t          nsessions;
    b24_rule_t     *session;        /* what those lines need; else NULL */
    b24_pair_t     *stages;
    b24_str_t       default_status;
    b24_rule_t     *blocks;         /* in the order they are tried */
    b24_rule_t     *rules[B24_SHOP_BLOCKS];
    unsigned        nrules;
    b24_maybe_t    *maybe;          /* filled when the shop is closed */
    b24_raw_t      *raw;
    b24_call_t     *calls;          /* in the order they are made */
    unsigned        calls_off:1;    /* "write off;": none of the base's */
    unsigned        follows:1;      /* an answer's cookie names a session */
    b24_pair_t     *learned;        /* names of all learn lines */
    b24_pair_t     *uses;           /* name: NAME of a %{NAME} in a pointer,
                                       value: the directive */
    b24_shop_t     *next;
};


typedef enum {
    B24_LEVEL_SHOP = 0,
    B24_LEVEL_BLOCK,
    B24_LEVEL_ITEMS,
    B24_LEVEL_DATABASE,
    B24_LEVEL_WRITE
} b24_level_e;


typedef struct {
    b24_str_t       text;
    unsigned        late:1;
} b24_var_t;


struct b24_rules_s {
    b24_pool_t     *pool;
    b24_shop_t     *shops;
    b24_var_t      *vars;
    size_t          nvars;
    size_t          avars;

    /* what is being read */
    b24_shop_t     *shop;
    b24_rule_t     *block;
    b24_items_t    *items;
    b24_call_t     *call;
    unsigned        given:1;        /* of a call: names are values of it */
    b24_level_e     level;

    char            err[B24_RULES_ERR];
};


/* ---- compiling ---- */

/* for "%.*s": a token, cut so that a sentence stays one */
#define b24_rules_arg(s)                                                      \
    (int) ((s)->len < 80 ? (s)->len : 80), (s)->data ? (char *) (s)->data : ""

/* writes the sentence, returns B24_DECLINED */
__attribute__((format(printf, 2, 3)))
int b24_rules_fail(b24_rules_t *rules, const char *fmt, ...);

/* args are what follows the directive; what is its name for sentences */
int b24_value_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *args, size_t n, b24_value_t *value);
int b24_cond_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *args, size_t n, b24_cond_t *cond);
int b24_rules_regex(b24_rules_t *rules, const b24_str_t *what,
    const u_char *data, size_t len, b24_regex_t **regex);
/* a text that stands for itself, and one of the other tokens (b24_source.c) */
int b24_source_literal(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t ***next);
int b24_source_compile(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t **source);
/* known without the answer, when elements of items are too if element is set */
int b24_source_early(const b24_source_t *source, int element);
int b24_value_early(const b24_value_t *value, int element);
/* always gives the same text */
int b24_value_fixed(const b24_value_t *value);

/* a copy that lives as long as the rules */
int b24_rules_copy(b24_rules_t *rules, b24_str_t *dst, const b24_str_t *src);
/* the same as clean UTF-8: configurations can be written in windows-1251 */
int b24_rules_text(b24_rules_t *rules, b24_str_t *dst, const b24_str_t *src);
int b24_rules_pair(b24_rules_t *rules, b24_pair_t **list,
    const b24_str_t *name, const b24_str_t *value);

/* a line by where it stands (b24_lines.c, b24_lines_values.c) */
int b24_line_shop(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_block(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_field(b24_rules_t *rules, const b24_str_t *args, size_t n,
    size_t field);
int b24_line_item(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_raw(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_pair(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_learn(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_items(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_own(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_line_cond(b24_rules_t *rules, const b24_str_t *args, size_t n,
    b24_cond_t **list);
/* of blocks "write" (b24_call_lines.c, b24_call_check.c) */
int b24_call_open(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_call_line(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_call_off(b24_rules_t *rules, const b24_str_t *args, size_t n);
int b24_call_heirs(b24_rules_t *rules, b24_shop_t *shop);
int b24_call_check(b24_rules_t *rules, b24_shop_t *shop);
b24_call_t *b24_call_find(b24_call_t *call, const b24_str_t *name);
/* every run has a value of this name */
int b24_call_name(const b24_str_t *name);
/* DECLINED without a sentence: the token is no value's name */
int b24_call_given(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *token, b24_source_t *source);
/* a call has no request whose variables there could be */
int b24_call_variable(b24_rules_t *rules, const b24_str_t *what);
/* "... %{NAME} ..." */
int b24_call_template(b24_rules_t *rules, const b24_str_t *what,
    const b24_str_t *text, b24_source_t **sources);
/* calls fn for each value's name that lines use; stops on non-zero and returns
 * it; what: the directive */
typedef int (*b24_call_name_pt)(void *data, const char *what,
    const b24_str_t *name);
int b24_call_names(const b24_call_t *call, b24_call_name_pt fn, void *data);
int b24_call_cond_names(const b24_cond_t *cond, const char *what,
    b24_call_name_pt fn, void *data);
int b24_line_key(b24_rules_t *rules, b24_value_t *value,
    const char *prefix, const b24_str_t *key, const b24_str_t *args, size_t n);

int b24_rules_name(b24_rules_t *rules, const char *what,
    const b24_str_t *name);
int b24_kind_find(const b24_str_t *name);
int b24_block_new(b24_rules_t *rules, b24_rule_e kind,
    const b24_str_t *name, b24_rule_t **block);

/* heirs, checks, what blocks need */
int b24_shop_close(b24_rules_t *rules, b24_shop_t *shop);
int b24_heir_merge(b24_rules_t *rules, b24_shop_t *shop);
/* kind and name of a block, for sentences */
const char *b24_rule_title(const b24_rule_t *rule,
    char buf[B24_TITLE_LEN]);
int b24_maybe_make(b24_rules_t *rules, b24_shop_t *shop);
/* blocks that may take the request, by its method, uri and query; *sure: those
 * of them whose uri lines hold */
uint64_t b24_maybe_look(const b24_shop_t *shop, const b24_input_t *in,
    uint64_t *sure);
int b24_rule_method(const b24_rule_t *rule, const b24_str_t *method);
/* adds those of the base whose name, as same() compares it, the heir's list
 * lacks */
int b24_heir_pairs(b24_rules_t *rules, b24_named_t **list,
    const b24_named_t *base,
    int (*same)(const b24_str_t *a, const b24_str_t *b));

/* it needs the buyer's session: collects more than learned values, or has "id
 * generated" (b24_collect.c) */
int b24_rule_keeps(const b24_rule_t *rule);
/* it has a field, a pair or items */
int b24_rule_names(const b24_rule_t *rule);

/* every line of a block, in a fixed order; stops on non-zero and returns it */
typedef int (*b24_line_pt)(void *data, const b24_value_t *line);
int b24_rule_lines(const b24_rule_t *rule, b24_line_pt fn, void *data);

extern const b24_str_t  b24_kind_names[3];

/* b24_hash() of a text and a zero byte that ends it */
uint64_t b24_rules_sum(uint64_t sum, const b24_str_t *text);


/* ---- evaluating ---- */

/* why something couldn't be read; words and advice in b24_why_words() */
typedef enum {
    B24_WHY_NONE = 0,
    B24_WHY_REQUEST_JSON,
    B24_WHY_REQUEST_FORM,
    B24_WHY_REQUEST_MULTIPART,
    B24_WHY_REQUEST_LARGE,
    B24_WHY_REQUEST_CUT,
    B24_WHY_REQUEST_UNSEEN,
    B24_WHY_QUERY,
    B24_WHY_UNSEEN,
    B24_WHY_GATEWAY,
    B24_WHY_LARGE,
    B24_WHY_CUT,
    B24_WHY_LOST,
    B24_WHY_ENCODING,
    B24_WHY_INFLATE,
    B24_WHY_JSON,
    B24_WHY_REGEX,
    B24_WHY_CHANGED,
    B24_WHY_NO_ID,
    B24_WHY_NO_SESSION,
    B24_WHY_LONG_ID,
    B24_WHY_MANY_IDS,
    B24_NWHYS
} b24_why_e;


void b24_why_words(b24_why_e why, b24_str_t *cause, b24_str_t *advice);
/* a short word for the journal, and back (B24_WHY_NONE: no such word) */
const char *b24_why_code(b24_why_e why);
b24_why_e b24_why_find(const b24_str_t *code);


typedef enum {
    B24_IS_EMPTY = 0,
    B24_IS_SET,
    B24_IS_UNKNOWN,                 /* its source can't be read */
    B24_IS_LATER,                   /* the answer decides */
    B24_IS_ERROR                    /* out of memory */
} b24_is_e;


/*
 * What the first stage keeps of a line: the text of its first request-side
 * alternative that isn't empty; for conditions "1" or "0" in place of it; of
 * templates that need both sides also the pieces.
 */
typedef struct b24_kept_s  b24_kept_t;

struct b24_kept_s {
    const b24_value_t  *line;
    int                 alt;
    int                 piece;      /* -1: the whole alternative */
    b24_str_t           text;
    b24_kept_t         *next;
};


typedef struct {
    b24_kept_t  *first;
    b24_kept_t  *last;
} b24_keep_t;


typedef struct b24_row_kept_s  b24_row_kept_t;

struct b24_row_kept_s {
    b24_keep_t       keep;
    b24_row_kept_t  *next;
};


struct b24_partial_s {
    const b24_shop_t  *shop;
    const b24_rule_t  *rule;
    uint64_t           sum;         /* of the rules it was read with */
    b24_why_e          why;         /* the request is unreadable */
    unsigned           changed:1;   /* read with other rules than these */
    unsigned           many:1;      /* more than B24_RULES_ITEMS rows */
    b24_keep_t         keep;
    int                items_alt;   /* -1: none */
    b24_row_kept_t    *rows;
    b24_row_kept_t    *rows_last;
    size_t             nrows;
};


/* the outcome of one source, template or line */
typedef struct {
    b24_str_t          text;
    b24_node_t        *node;        /* NULL: a text only */
    int                alt;         /* the number of the alternative */
    b24_part_e         part;        /* what it is taken from */
    unsigned           truth:1;     /* JSON true: "true" as well as "1" */
    unsigned           no:1;        /* empty, but a JSON false */
    unsigned           later:1;     /* an alternative before it is LATER */
} b24_result_t;


/* parsed once, when first needed */
typedef struct {
    unsigned           done:1;
    b24_is_e           is;
    b24_node_t        *root;
} b24_lazy_t;


typedef struct b24_inline_s  b24_inline_t;

struct b24_inline_s {
    b24_str_t          name;
    b24_node_t        *root;
    b24_inline_t      *next;
};


/* strings read as JSON or query strings, the latest few */
#define B24_EVAL_STRINGS  8

typedef struct {
    const b24_node_t   *node;
    b24_node_t         *root;       /* NULL: it is neither */
} b24_string_t;


typedef struct b24_eval_s {
    b24_pool_t           *pool;
    const b24_input_t    *in;
    unsigned              answer:1;     /* the second stage */
    unsigned              whole:1;      /* no stages: both sides are there */
    const b24_partial_t  *partial;      /* of the first, in the second */
    const b24_place_t    *place;        /* what values are from; NULL: a call's,
                                           or of no matter */
    b24_keep_t           *keep;         /* where the first stage puts things,
                                           where the second finds them */
    b24_node_t           *element;      /* of items */
    size_t                index;
    unsigned              element_early:1;

    b24_str_t             charset;
    b24_str_t             answer_charset;
    b24_lazy_t            request;
    b24_lazy_t            query;
    b24_lazy_t            response;
    b24_lazy_t            text;
    b24_str_t             bytes;        /* of text: inflated */
    b24_str_t             utf8;
    unsigned              utf8_done:1;
    b24_inline_t         *inlines;
    b24_string_t          strings[B24_EVAL_STRINGS];
    size_t                nstrings;
    b24_regex_time_t      time;
    b24_why_e             why;          /* of the first UNKNOWN */
    const b24_pair_t     *fresh;        /* learned from this exchange; values
                                           of a call */
} b24_eval_t;


void b24_eval_init(b24_eval_t *ev, b24_pool_t *pool, const b24_input_t *in,
    int answer);
/* a line's value, with cond a line's condition: text is then "1" or "0" */
b24_is_e b24_eval_line(b24_eval_t *ev, const b24_value_t *value,
    const b24_cond_t *cond, b24_result_t *res);
/* SET: it holds; EMPTY: it doesn't */
b24_is_e b24_eval_cond(b24_eval_t *ev, const b24_cond_t *cond);
/* all of a list: the first EMPTY decides, then UNKNOWN, then LATER */
b24_is_e b24_eval_conds(b24_eval_t *ev, const b24_cond_t *cond);
/* one alternative with what is at hand, without stages */
b24_is_e b24_eval_alt(b24_eval_t *ev, const b24_value_t *value,
    const b24_alt_t *alt, b24_result_t *res);
b24_is_e b24_eval_filters(b24_eval_t *ev, const b24_filter_t *filter,
    b24_result_t *res);
/* the list an alternative of items gives: an array or an object */
b24_is_e b24_eval_list(b24_eval_t *ev, const b24_alt_t *alt,
    b24_node_t **list);
/* a regex on text; LIMIT is noted as the reason */
b24_is_e b24_eval_regex(b24_eval_t *ev, const b24_regex_t *regex,
    const b24_str_t *text, b24_regex_match_t *match);
b24_is_e b24_eval_regex_is(b24_eval_t *ev, b24_regex_e result);
/* one source (b24_eval_source.c) */
b24_is_e b24_eval_source(b24_eval_t *ev, const b24_source_t *source,
    b24_value_kind_e kind, b24_result_t *res);

/* notes the first reason, returns UNKNOWN */
b24_is_e b24_eval_unknown(b24_eval_t *ev, b24_why_e why);
b24_is_e b24_eval_utf8(b24_eval_t *ev, const b24_str_t *text,
    const b24_str_t *charset, b24_result_t *res);

/* what a pointer points to; EMPTY: nothing */
b24_is_e b24_eval_point(b24_eval_t *ev, const b24_pointer_t *ptr,
    b24_node_t *root, b24_node_t **node);
/* SET: ev->request.root, ev->query.root, ev->utf8, ev->response.root are there;
 * *root is NULL when the answer has no such literal */
b24_is_e b24_eval_request(b24_eval_t *ev);
b24_is_e b24_eval_query(b24_eval_t *ev);
b24_is_e b24_eval_answer_text(b24_eval_t *ev);
b24_is_e b24_eval_response(b24_eval_t *ev);
b24_is_e b24_eval_inline(b24_eval_t *ev, const b24_str_t *name,
    b24_node_t **root);

/* a block on both sides of an exchange (b24_judge.c): its accept lines, the
 * rest of its lines, what it learns */
b24_is_e b24_judge_accept(b24_eval_t *ev, const b24_rule_t *rule,
    b24_why_e *why);
/* what the values are from, for the next one */
int b24_judge_place(b24_eval_t *ev, const b24_rule_t *rule);
int b24_judge_block(b24_eval_t *ev, const b24_rule_t *rule,
    b24_order_t *order, b24_why_e *why);
int b24_judge_learn(b24_eval_t *ev, const b24_rule_t *rule,
    b24_pair_t **list);
/* a status block (b24_status.c) */
int b24_judge_status(b24_pool_t *pool, const b24_rule_t *rule,
    const b24_input_t *in, b24_event_t *event);

void b24_partial_add_row(b24_partial_t *partial, b24_row_kept_t *row);
int b24_keep_add(b24_pool_t *pool, b24_keep_t *keep, const b24_value_t *line,
    int alt, int piece, const b24_str_t *text);
const b24_kept_t *b24_keep_find(const b24_keep_t *keep,
    const b24_value_t *line, int alt, int piece);


/* ---- columns of the shop's database (b24_merge.c) ---- */

/* notes which columns stand before the alternative won (-1: none won) */
int b24_order_columns(b24_pool_t *pool, b24_order_t *order,
    const b24_value_t *value, int won);
/* whether "database:" may stand on the line, and how */
int b24_line_database(b24_rules_t *rules, const b24_str_t *what,
    const b24_value_t *value);


/* ---- currencies (b24_currency.c) ---- */

/* a code of three letters, or what one is written by, maybe with an amount:
 * "RUB", "&#8381;", "1 234,50 руб."; *sign: no code was there.  B24_DECLINED:
 * it may be several, or none */
int b24_currency_parse(b24_pool_t *pool, const b24_str_t *text, u_char code[3],
    int *sign);
/* of ISO 4217, with three places */
int b24_currency_thousandths(const b24_str_t *code);


/* ---- cleaning (b24_clean.c) ---- */

/* what a block's amounts are divided by */
typedef struct {
    b24_pool_t   *pool;
    b24_order_t  *order;
    b24_str_t     charset;          /* of percent codes in order numbers */
    unsigned      minor;            /* places */
    unsigned      refuse:1;         /* minor_units made no sense */
    unsigned      thousandths:1;    /* the currency has three places */
    unsigned      item:1;           /* the value at hand is one of items */
} b24_clean_t;

int b24_clean_minor(b24_clean_t *clean, const b24_str_t *text);
int b24_clean_field(b24_clean_t *clean, int field, b24_str_t *text);
/* decoded: entities in it are decoded already */
int b24_clean_item(b24_clean_t *clean, int field, int decoded,
    b24_str_t *text);


#endif /* _B24_RULES_INT_H_INCLUDED_ */
