
/*
 * The rules of a shop: compiled from nginx tokens, evaluated on a captured
 * exchange.  The compiler knows no nginx: it is fed lines.  nginx strings with
 * variables are kept as templates; the caller evaluates them and hands the
 * values in through b24_input_t.
 */


#ifndef _B24_RULES_H_INCLUDED_
#define _B24_RULES_H_INCLUDED_


#include "b24_base.h"
#include "b24_order.h"
#include "b24_statement.h"


#define B24_SHOP_BLOCKS   64        /* order + collect + status of one shop */
#define B24_RULES_ERR     512


typedef struct b24_rules_s    b24_rules_t;      /* all shops, the compiler */
typedef struct b24_shop_s     b24_shop_t;
typedef struct b24_block_s    b24_rule_t;       /* one block */
/* the end of each advice about an order whose answer was not seen */
#define B24_LOOK                                                              \
    "look whether the shop has this order, then send or drop this record"


typedef struct b24_partial_s  b24_partial_t;    /* request side of an event */


typedef enum {
    B24_RULE_ORDER = 0,
    B24_RULE_COLLECT,
    B24_RULE_STATUS
} b24_rule_e;


/*
 * ---- compiling: the configuration's one thread, before any evaluation ----
 *
 * pool lives as long as the configuration.  All functions return B24_OK or
 * B24_DECLINED with one sentence in rules->err that names the line's directive
 * and the cure (no file and line: the caller adds them), or B24_ERROR.
 */
b24_rules_t *b24_rules_create(b24_pool_t *pool);
const char *b24_rules_error(const b24_rules_t *rules);

/* "b24_shop NAME [: BASE] {": args are what follows b24_shop */
int b24_rules_shop(b24_rules_t *rules, const b24_str_t *args, size_t n);
/* a line of the current block: args[0] is the directive */
int b24_rules_line(b24_rules_t *rules, const b24_str_t *args, size_t n);
/* a line that opens a block ("order save {", "items request:/items {") */
int b24_rules_open(b24_rules_t *rules, const b24_str_t *args, size_t n);
/* "}" of the innermost block; for the shop itself this resolves heirs and
 * checks the whole shop (an order without "id", ...) */
int b24_rules_close(b24_rules_t *rules);

/* NULL when there is no shop of that name */
const b24_shop_t *b24_rules_find(const b24_rules_t *rules,
    const b24_str_t *name);
const b24_str_t *b24_shop_name(const b24_shop_t *shop);

/*
 * nginx strings with variables used by the rules: the caller compiles each
 * once after parsing.  Numbers are unique over all shops.
 */
size_t b24_rules_nvars(const b24_rules_t *rules);
const b24_str_t *b24_rules_var(const b24_rules_t *rules, size_t n);
/* true when the template can only be evaluated once the answer is there
 * ($upstream_..., $sent_..., $status, $bytes_sent, $body_bytes_sent,
 * $request_time) */
int b24_rules_var_late(const b24_rules_t *rules, size_t n);
/* the same of any nginx string */
int b24_template_late(const b24_str_t *text);
/* the next "$name" or "${name}" of an nginx string, at *pos (0 at first) or
 * after it: *name is the name alone, *pos moves behind it; 0: there is none */
int b24_template_next(const b24_str_t *text, size_t *pos, b24_str_t *name);

/* STAGE for a status of the shop, NULL when the table has none */
const b24_str_t *b24_shop_stage(const b24_shop_t *shop,
    const b24_str_t *status);
/* the table itself, in the order of its lines (name: STATUS, value: STAGE) */
const b24_pair_t *b24_shop_stages(const b24_shop_t *shop);
/* of its "database" block, with those of its base; NULL: there is none */
const b24_statement_t *b24_shop_statement(const b24_shop_t *shop,
    b24_statement_e kind);
/* calls fn for each field of the CRM that a line of the shop's rules sets, as
 * often as it does; line: "deal", "contact", "company_field"; stops on non-zero
 * and returns it */
int b24_shop_pairs(const b24_shop_t *shop,
    int (*fn)(void *data, const char *line, const b24_str_t *field),
    void *data);
/* calls fn for each currency that a line of an order or collect block names by
 * its code; stops on non-zero and returns it */
int b24_shop_currencies(const b24_shop_t *shop,
    int (*fn)(void *data, const b24_str_t *code), void *data);
/* empty when not given */
const b24_str_t *b24_shop_default_status(const b24_shop_t *shop);

/*
 * NULL, or the cure for a text that is no stage: a STATUS_ID of the portal has
 * letters, digits, "_", ":" and "-", and STAGE_ID, of 50 characters, has room
 * for 40 and a pipeline's prefix, which is ours to add (b24_crm.h).
 */
const char *b24_stage_wrong(const b24_str_t *stage);


/*
 * ---- evaluating: any thread; the rules are read-only ----
 */

typedef enum {
    B24_BODY_NONE = 0,              /* the message has no body */
    B24_BODY_FULL,
    B24_BODY_CUT,                   /* ended before its end */
    B24_BODY_LARGE,                 /* above b24_capture, not read */
    B24_BODY_UNSEEN                 /* not looked at, lost */
} b24_body_e;


typedef struct {
    /* request, as the client sent it */
    b24_str_t          method;
    b24_str_t          target;      /* as it was sent; empty: not known */
    unsigned           bodyless:1;  /* it surely has no body */
    unsigned           looked:1;    /* by b24_shop_maybe(), for the next call
                                       of b24_shop_candidates(): */
    uint64_t           maybe;       /* blocks it may be for */
    uint64_t           sure;        /* those of them whose uri lines hold */
    b24_str_t          path;        /* b24_text_target() */
    b24_str_t          args;
    b24_str_t          content_type;
    b24_str_t          body;
    b24_body_e         body_state;

    /* answer */
    unsigned           status;      /* 0: none seen */
    const b24_pair_t  *headers;     /* those b24_shop_headers() named */
    b24_str_t          answer_type;
    b24_str_t          answer_encoding;
    b24_str_t          answer;      /* as sent, maybe compressed */
    b24_body_e         answer_state;
    size_t             answer_max;  /* bound for what inflates */

    /* what "id generated" gives; empty: nothing is known of the session */
    b24_str_t          round;

    /* the n-th value learned of a name, the newest first; 0: no such one */
    int              (*learned)(void *data, const b24_str_t *name, size_t n,
                                b24_str_t *value);
    void              *learned_data;

    /* value of template n; B24_OK, or B24_DECLINED when it has none */
    int              (*var)(void *data, size_t n, b24_str_t *value);
    void              *data;

    /* of b24_extract_refused(), for b24_extract_exchange() */
    unsigned           refused:1;
    const struct b24_eval_s  *judged;   /* what was read of the answer */
} b24_input_t;


/*
 * 0: surely none of the blocks is for this request.  A glance at method, path
 * and target, which is all that in needs to have: nothing is allocated, no
 * template is asked for.  What was seen is kept in it.
 */
int b24_shop_maybe(const b24_shop_t *shop, b24_input_t *in);

/*
 * Which blocks this request may be for: uri, method, query: and those when
 * lines that need no body.  A bit per block in the shop's order; 0: not a
 * candidate.  Allocates only when a template or query must be looked at.
 */
uint64_t b24_shop_candidates(b24_pool_t *pool, const b24_shop_t *shop,
    b24_input_t *in);

/* what the candidates need captured */
int b24_shop_needs_body(const b24_shop_t *shop, uint64_t set);
int b24_shop_needs_answer(const b24_shop_t *shop, uint64_t set);
/* calls fn for each response header named; stops on non-zero and returns it */
int b24_shop_headers(const b24_shop_t *shop, uint64_t set,
    int (*fn)(void *data, const b24_str_t *name), void *data);
/* calls fn for each template number used by the blocks of set */
int b24_shop_vars(const b24_shop_t *shop, uint64_t set,
    int (*fn)(void *data, size_t n), void *data);
/* the set holds an order block */
int b24_shop_has_order(const b24_shop_t *shop, uint64_t set);
const b24_rule_t *b24_shop_rule(const b24_shop_t *shop, unsigned n);
b24_rule_e b24_rule_kind(const b24_rule_t *rule);
const b24_str_t *b24_rule_name(const b24_rule_t *rule);


/*
 * First stage: everything the request alone decides.  Chooses the first order
 * or status block of the set whose when lines all hold (B24_DECLINED: none);
 * evaluates every alternative that needs no answer and keeps the results, so
 * that afterwards the body isn't needed.
 *
 * Of a status block nothing is evaluated: b24_partial_rule() tells.
 *
 * When the body can't be read (broken, too deep, B24_BODY_LARGE, ...), the
 * first order block of the set is chosen and the partial says why
 * (b24_partial_unreadable()).
 */
int b24_extract_request(b24_pool_t *pool, const b24_shop_t *shop,
    uint64_t set, const b24_input_t *in, b24_partial_t **partial);
/* NULL, or plain words */
const char *b24_partial_unreadable(const b24_partial_t *partial);
const b24_rule_t *b24_partial_rule(const b24_partial_t *partial);
/* JSON for the journal ("v":1; only values that rules name), and back */
int b24_partial_print(b24_pool_t *pool, const b24_partial_t *partial,
    b24_str_t *json);
int b24_partial_parse(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_str_t *json, b24_partial_t **partial);


typedef enum {
    B24_OUTCOME_ACCEPTED = 0,       /* every accept line holds, id known */
    B24_OUTCOME_REJECTED,           /* an accept line fails */
    B24_OUTCOME_UNCONFIRMED         /* the answer is missing or unreadable, or
                                       the request's values are */
} b24_outcome_e;


typedef struct {
    b24_outcome_e   outcome;
    b24_rule_e      kind;
    b24_order_t    *order;          /* NULL if the answer alone refused it */
    b24_str_t       cause;          /* plain words, no buyer's data */
    b24_str_t       advice;         /* what to do about it, may be empty */
    b24_pair_t     *learned;        /* accepted: NAME and value */
    b24_pair_t     *targets;        /* of a status block: an order's number and
                                       its row, either may be empty */
    size_t          over;           /* targets that were too many */
    unsigned        alone:1;        /* nothing of the session belongs to it */
    unsigned        unseen:1;       /* unconfirmed: nobody saw the shop's
                                       answer */
    unsigned        no_id:1;        /* it would be accepted, but has no
                                       number */
} b24_event_t;


/* 502, 504: a gateway's word, from which nothing can be told of an order */
int b24_status_gateway(unsigned status);
/*
 * Second stage: accept lines and what only the answer gives.  An answer
 * compressed as br or zstd, broken, cut or too large makes an order
 * unconfirmed when a line needs its body, with the cure in advice.  Accepted
 * without an id: unconfirmed ("the shop's answer has no order number").
 *
 * A status block has one stage: in must have the request, too, and its order
 * has but the status and the flags.  No targets: the exchange names no order.
 */
int b24_extract_answer(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_partial_t *partial, const b24_input_t *in, b24_event_t *event);


/* the order or status block that b24_extract_request() chooses, when that needs
 * no body to be told; else NULL */
const b24_rule_t *b24_shop_certain(const b24_shop_t *shop, uint64_t set);
/*
 * Whether the answer alone refuses the order, whatever the request's body is.
 * That, or what was read of the answer, is noted in in, for an exchange() of
 * the same pool, set and answer.
 */
int b24_extract_refused(b24_pool_t *pool, const b24_shop_t *shop,
    uint64_t set, b24_input_t *in);
/*
 * Both stages, one after the other, when the answer is there.  An order that
 * the answer alone refuses is told by that: its request is not read, and
 * *partial stays NULL.  b24_extract_refused() may have been asked before.
 */
int b24_extract_exchange(b24_pool_t *pool, const b24_shop_t *shop,
    uint64_t set, const b24_input_t *in, b24_partial_t **partial,
    b24_event_t *event);


/*
 * ---- sessions: what ties earlier requests of a buyer to the order ----
 */

#define B24_SHOP_SESSIONS  4        /* session lines of a shop */
#define B24_SESSION_VALUES (3 * B24_SHOP_SESSIONS)

typedef struct {
    unsigned        line;           /* from 0: the same value of two lines is
                                       not the same thing */
    b24_str_t       value;
} b24_session_value_t;

/* blocks of a kind, a bit each as in b24_shop_candidates() */
uint64_t b24_shop_set(const b24_shop_t *shop, b24_rule_e kind);
/* it has session lines and something to keep for them */
int b24_shop_keeps_sessions(const b24_shop_t *shop);
/* its session lines look into bodies */
int b24_shop_sessions_bodies(const b24_shop_t *shop);
/* it keeps sessions, and their lines can follow a cookie that an answer sets */
int b24_shop_follows(const b24_shop_t *shop);
/* this Set-Cookie may be one of them */
int b24_shop_sets(const b24_shop_t *shop, const b24_str_t *header);
/* calls fn for each name of its learn lines, as often as there are */
int b24_shop_learns(const b24_shop_t *shop,
    int (*fn)(void *data, const b24_str_t *name), void *data);

/*
 * The values its session lines give, by line: the request's, or, with answer
 * set, those and then the ones that came with the answer.  What can't be read
 * is left out.  B24_OK or B24_ERROR.
 */
int b24_shop_sessions(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_input_t *in, int answer, b24_session_value_t *values,
    unsigned *n);


/* what a collect block of the exchange gives */
typedef struct b24_collect_s  b24_collect_t;

struct b24_collect_s {
    const b24_rule_t  *rule;
    b24_outcome_e      outcome;     /* UNCONFIRMED: unreadable */
    unsigned           doubt:1;     /* what the session has may be older now */
    b24_order_t       *order;       /* accepted */
    b24_pair_t        *learned;
    b24_collect_t     *next;
};

/* all collect blocks of the set whose when lines hold, in their order */
int b24_shop_collect(b24_pool_t *pool, const b24_shop_t *shop, uint64_t set,
    const b24_input_t *in, b24_collect_t **list);
/* it names more than what is learned */
int b24_collect_keeps(const b24_collect_t *collect);
/* replaces in the session what the block names, also by nothing */
int b24_collect_merge(b24_pool_t *pool, b24_order_t *session,
    const b24_collect_t *collect);
/* a session's text as an order; nothing is known where it can't be read */
int b24_collect_session(b24_pool_t *pool, const b24_str_t *text,
    b24_order_t **session);
/*
 * A session's text with what the blocks give.  DECLINED: with some of them it
 * would be longer than most; what those name is forgotten in it, and the order
 * will say so.
 */
int b24_collect_store(b24_pool_t *pool, b24_str_t *text,
    const b24_collect_t *list, size_t most);
/* what the order doesn't give comes from the session */
int b24_order_fill(b24_pool_t *pool, b24_order_t *order,
    const b24_order_t *session);


/*
 * ---- the shop's database ----
 */

/* what statements bind, by number: data NULL where the order doesn't know it.
 * A number of ours is none of the shop's. */
void b24_order_binds(const b24_order_t *order,
    b24_str_t values[B24_NBINDS]);
/* it has goods or a total, and a buyer */
int b24_order_deliverable(const b24_order_t *order);
/* B24_OK: its goods, and what goes with them, make its total; B24_DECLINED:
 * they don't; B24_ERROR: it has none */
int b24_order_goods(const b24_order_t *order);
/* neither its number nor its key is known: it is looked for by its buyer */
int b24_order_loose(const b24_order_t *order);
/*
 * Puts what the database says of an order into it: row has the columns of the
 * "order" statement, items (NULL: not asked) is the list of those of "items".
 * A column with the name of a field fills one that is empty; those that the
 * rules put before what was captured replace it; the number and the row are the
 * database's.
 */
int b24_order_merge(b24_pool_t *pool, const b24_shop_t *shop,
    b24_order_t *order, const b24_node_t *row, const b24_node_t *items);
/* a column of a row, ASCII case ignored; 0: none, or an empty one */
int b24_column(const b24_node_t *row, const b24_str_t *name,
    b24_str_t *value);


#endif /* _B24_RULES_H_INCLUDED_ */
