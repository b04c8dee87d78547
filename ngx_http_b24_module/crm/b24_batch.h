
/*
 * Bitrix24's batch: commands in, results out.  Everything that keeps a buyer's
 * text from being read as a reference or a parameter is here.
 */


#ifndef _B24_BATCH_H_INCLUDED_
#define _B24_BATCH_H_INCLUDED_


#include "b24_base.h"
#include "b24_node.h"


#define B24_BATCH_MAX    50         /* batch: at most 50 commands */
#define B24_COMMAND_VARS 950        /* PHP's max_input_vars is 1000 */


/* a command that asks for one of many, see b24_slice.h */
typedef enum {
    B24_MANY_NO = 0,
    B24_MANY_LIST,                  /* the rows of a list with one value */
    B24_MANY_GET                    /* the record of an id */
} b24_many_e;


typedef struct {
    b24_many_e      kind;
    const char     *method;         /* the list that answers for many */
    const char     *field;          /* of its rows, what is asked by */
    const char     *items;          /* member with the rows; NULL: the result */
    b24_str_t       value;          /* as the server decodes it */
    size_t          at;             /* the parameter in the query */
    size_t          len;
    b24_buf_t       rest;           /* further parameters of the list */
    unsigned        nrest;
    unsigned        nselect;
} b24_many_t;


typedef struct b24_command_s  b24_command_t;

struct b24_command_s {
    const char     *name;           /* key of the result: letters and digits */
    const char     *method;
    b24_buf_t       query;          /* percent-encoded */
    unsigned        nvars;
    b24_many_t      many;
    int64_t         spent;          /* ms, by b24_pace_sent() */
    b24_command_t  *next;
};


typedef struct {
    b24_pool_t     *pool;
    b24_command_t  *first;
    b24_command_t  *last;
    unsigned        count;
    int64_t         spent;          /* of them all */
    unsigned        halt:1;
    unsigned        failed:1;       /* out of memory or beyond a bound */
    b24_command_t   spare;          /* takes what comes after a failure */
} b24_batch_t;


void b24_batch_init(b24_batch_t *batch, b24_pool_t *pool, int halt);
/* name and method are static or live in the pool; never NULL: after a failure
 * it returns a command that is thrown away, b24_batch_print() reports it */
b24_command_t *b24_batch_add(b24_batch_t *batch, const char *name,
    const char *method);

/*
 * key is ours ("fields[TITLE]", brackets stay, operators and the rest are
 * encoded); value is anybody's: neutralised, then percent-encoded.
 */
void b24_command_text(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    const b24_str_t *value);
void b24_command_chars(b24_batch_t *batch, b24_command_t *cmd,
    const char *key, const char *value);
/*
 * filter[=field]=value of a list, which a slice may ask for together with
 * others.  The list selects field, and is ordered by the id; field and items
 * are static.
 */
void b24_command_value(b24_batch_t *batch, b24_command_t *cmd,
    const char *field, const char *items, const b24_str_t *value);
/*
 * id=N of a method that gets a record; in a slice it may be the list method
 * whose rows have field for the id, and what b24_command_select() names.
 */
void b24_command_record(b24_batch_t *batch, b24_command_t *cmd, int64_t id,
    const char *method, const char *field, const char *items);
void b24_command_select(b24_batch_t *batch, b24_command_t *cmd,
    const char *name);
void b24_command_int(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    int64_t value);
/* a reference to an earlier command of a batch with halt:1 ("$result[c]") */
void b24_command_ref(b24_batch_t *batch, b24_command_t *cmd, const char *key,
    const char *ref);

/*
 * A "$" before result, next, total, time or error (any case) becomes U+FF04,
 * wherever it stands: the server expands such text in batch commands and there
 * is no escape (neutralised before percent-encoding).  U+017F (long s) counts
 * as an "s", since a pattern that folds Unicode would take it for one.
 */
void b24_neutralise(b24_buf_t *out, const b24_str_t *text);

/* the JSON body for batch.json; read back by our own parser before it is given
 * out, since an invalid one would be taken for "no parameters" */
int b24_batch_print(b24_batch_t *batch, b24_str_t *json);


/* ---- answers ---- */

typedef enum {
    B24_CLASS_OK = 0,
    B24_CLASS_RETRY,                /* nothing happened: again with back-off */
    B24_CLASS_WAIT,                 /* wait until reset_at (or 300 s) */
    B24_CLASS_CHECK,                /* outcome unknown: look up, then again */
    B24_CLASS_PERMANENT,            /* this order needs a person */
    B24_CLASS_OPERATOR              /* the portal needs a person */
} b24_class_e;


typedef struct {
    b24_class_e  class;
    b24_str_t    code;              /* Bitrix24's error (may be ""), or ours */
    b24_str_t    text;              /* its description: plain text, at most 300
                                       bytes, no URL, no webhook code */
    const char  *advice;            /* static, plain words; NULL when none */
    int64_t      reset_at;          /* Unix seconds; 0: not told */
    int64_t      now;               /* the portal's clock at that answer, Unix
                                       seconds; 0: not told */
    unsigned     http;
} b24_verdict_t;


/* where nobody has to do anything */
#define B24_ADVICE_AGAIN                                                      \
    "Nothing to do: it is tried again."

#define B24_ADVICE_CHECK                                                      \
    "Nothing to do: the order is looked for in the portal, then tried again."


/* what happened to the transfer below HTTP */
typedef enum {
    B24_NET_OK = 0,
    B24_NET_UNSENT,                 /* DNS, connect, TLS: nothing was sent */
    B24_NET_UNKNOWN                 /* reset, time-out, cut after sending */
} b24_net_e;


typedef struct {
    b24_node_t  *root;              /* NULL: no JSON object */
    b24_node_t  *result;            /* of a batch: result.result */
    b24_node_t  *errors;            /* of a batch: result.result_error */
    b24_verdict_t  verdict;         /* of the request as a whole */
    int64_t      operating;         /* milliseconds, -1: not told */
    int64_t      operating_reset_at;
} b24_answer_t;


/* judges by the key "error" first (present even when ""), then by status; a
 * body that is no JSON object is an unknown outcome */
int b24_answer_parse(b24_pool_t *pool, b24_net_e net, unsigned http,
    const b24_str_t *body, b24_answer_t *answer);

typedef enum {
    B24_CMD_DONE = 0,
    B24_CMD_FAILED,
    B24_CMD_NOT_RUN                 /* in neither map */
} b24_cmd_state_e;

/* the portal's clock at that answer, Unix seconds; 0: not told */
int64_t b24_answer_now(const b24_answer_t *answer);

/* result of the command called name; verdict is filled for B24_CMD_FAILED */
b24_cmd_state_e b24_answer_command(b24_pool_t *pool,
    const b24_answer_t *answer, const char *name, b24_node_t **result,
    b24_verdict_t *verdict);

/* ---- a portal that was renamed ---- */

#define B24_MOVED_HOST    100       /* bytes of a host that are kept */
#define B24_MOVED_ADVICE  256

typedef enum {
    B24_MOVED_TO = 0,               /* the same request may go to *host */
    B24_MOVED_NOWHERE,              /* no address, or none that makes sense */
    B24_MOVED_PLAIN,                /* without TLS */
    B24_MOVED_AWAY,                 /* out of the portal's domain */
    B24_MOVED_ELSEWHERE,            /* not to REST */
    B24_MOVED_BACK                  /* to where it was asked */
} b24_moved_e;

/*
 * What a redirect (301, 302, 307, 308) means.  home: host[:port] of
 * b24_webhook; asked: the address of the request; location: where the answer
 * points, absolute.  Only https is followed, to the host of home or to one that
 * differs from it in the first label only, with two labels or more behind that
 * (a.bitrix24.ru -> b.bitrix24.ru).  *host: host[:port] in lower case, also
 * when it is refused; empty when there is none.
 */
b24_moved_e b24_moved(b24_pool_t *pool, const b24_str_t *home,
    const b24_str_t *asked, const b24_str_t *location, b24_str_t *host);
/* what a person should do about one that is not followed; names the host, never
 * the path: text has room for B24_MOVED_ADVICE */
void b24_moved_advice(b24_moved_e moved, const b24_str_t *host, char *text,
    size_t size);


/* of an object; NULL: there is none, or it is no object: an empty map arrives
 * as [] */
b24_node_t *b24_member(const b24_node_t *node, const char *name);

/* an id as Bitrix24 prints it: number or string of digits; 0 when it is none */
int64_t b24_node_id(const b24_node_t *node);


#endif /* _B24_BATCH_H_INCLUDED_ */
