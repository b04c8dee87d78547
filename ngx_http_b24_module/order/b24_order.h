
/*
 * An order as the rest of the module knows it: what intake stores, what the
 * queue keeps as JSON, what crm turns into commands.
 */


#ifndef _B24_ORDER_H_INCLUDED_
#define _B24_ORDER_H_INCLUDED_


#include "b24_base.h"
#include "b24_node.h"


/* an order with more items keeps the first ones in the queue: with all fields
 * they are what a document of B24_NODE_MAX nodes can hold */
#define B24_ORDER_ITEMS    5000


/* fields of an order; names as in the rules (X(enum, "rule name")).  The
 * currency stands before the amounts: it tells how they are read */
#define B24_ORDER_FIELDS(X)                                                   \
    X(ID, "id")                                                               \
    X(ROW, "row")                                                             \
    X(NAME, "name")                                                           \
    X(FIRST_NAME, "first_name")                                               \
    X(SECOND_NAME, "second_name")                                             \
    X(LAST_NAME, "last_name")                                                 \
    X(PHONE, "phone")                                                         \
    X(EMAIL, "email")                                                         \
    X(COMPANY, "company")                                                     \
    X(INN, "inn")                                                             \
    X(KPP, "kpp")                                                             \
    X(ADDRESS, "address")                                                     \
    X(COMMENT, "comment")                                                     \
    X(CURRENCY, "currency")                                                   \
    X(TOTAL, "total")                                                         \
    X(DELIVERY, "delivery")                                                   \
    X(DISCOUNT, "discount")                                                   \
    X(TAX, "tax")                                                             \
    X(MINOR_UNITS, "minor_units")                                             \
    X(STATUS, "status")                                                       \
    X(CANCELED, "canceled")                                                   \
    X(PAID, "paid")                                                           \
    X(SHIPPED, "shipped")


#define B24_ITEM_FIELDS(X)                                                    \
    X(NAME, "name")                                                           \
    X(PRICE, "price")                                                         \
    X(SUM, "sum")                                                             \
    X(QUANTITY, "quantity")                                                   \
    X(PRODUCT_ID, "product_id")                                               \
    X(XML_ID, "xml_id")                                                       \
    X(DISCOUNT, "discount")                                                   \
    X(TAX_RATE, "tax_rate")                                                   \
    X(TAX_INCLUDED, "tax_included")                                           \
    X(MEASURE, "measure")


#define B24_X(id, name)  B24_ORDER_##id,
enum { B24_ORDER_FIELDS(B24_X) B24_ORDER_NFIELDS };
#undef B24_X

#define B24_X(id, name)  B24_ITEM_##id,
enum { B24_ITEM_FIELDS(B24_X) B24_ITEM_NFIELDS };
#undef B24_X


extern const b24_str_t  b24_order_names[B24_ORDER_NFIELDS];
extern const b24_str_t  b24_item_names[B24_ITEM_NFIELDS];


/* what a value was taken from (X(enum, "name in the document")) */
#define B24_PARTS(X)                                                          \
    X(NONE, "")                     /* not known */                           \
    X(RULE, "rule")                 /* a text of the rules */                 \
    X(VARIABLE, "variable")         /* an nginx string */                     \
    X(REQUEST, "request")           /* query or body */                       \
    X(ANSWER, "answer")                                                       \
    X(SESSION, "session")           /* the number of its round */             \
    X(DATABASE, "database")

#define B24_X(id, name)  B24_PART_##id,
typedef enum { B24_PARTS(B24_X) B24_NPARTS } b24_part_e;
#undef B24_X

extern const b24_str_t  b24_part_names[B24_NPARTS];


/* an exchange that gave values, as it is told to people */
typedef struct {
    b24_str_t    block;             /* "collect cart", "database order" */
    b24_str_t    request;           /* "POST /checkout/"; empty: none was
                                       seen */
} b24_place_t;


typedef struct {
    const b24_place_t  *place;      /* NULL: not known; lives as long as the
                                       value does */
    b24_part_e          part;
} b24_from_t;


/* a CRM field set by a rule or a directive: FIELD and its value */
typedef struct b24_pair_s  b24_pair_t;

struct b24_pair_s {
    b24_str_t    name;
    b24_str_t    value;
    b24_from_t   from;
    b24_pair_t  *next;
};


typedef struct b24_item_s  b24_item_t;

struct b24_item_s {
    b24_str_t    fields[B24_ITEM_NFIELDS];
    int64_t      product;           /* PRODUCT_ID in the portal, 0: none; found
                                       at delivery, not part of the document */
    b24_item_t  *next;
};


/*
 * What the shop's database has of an order, to be compared with what it has
 * later.
 */
typedef struct {
    b24_str_t    total;             /* two places; empty: none, or no number */
    b24_str_t    goods;             /* a hash of items and amounts; empty: they
                                       were not asked for */
    b24_str_t    buyer;             /* of name, phone, e-mail; empty: none */
} b24_order_had_t;


/*
 * After extraction: texts are clean UTF-8; amounts (total, delivery, discount,
 * tax, an item's price, sum, quantity, discount, tax_rate) are canonical
 * decimals in major units ("1990.00", "0.5"), empty when absent or when the
 * shop's text was no number; tax_rate is percent; tax_included, canceled, paid
 * and shipped are "Y", "N" or empty; minor_units has been applied.
 */
typedef struct {
    b24_str_t    origin;            /* ORIGINATOR_ID */
    b24_str_t    shop;              /* name of the b24_shop */
    b24_str_t    rule;              /* name of the block, may be empty */
    b24_str_t    fields[B24_ORDER_NFIELDS];
    b24_item_t  *items;
    b24_item_t  *items_last;
    size_t       nitems;
    b24_pair_t  *deal;              /* deal FIELD lines, b24_deal */
    b24_pair_t  *contact;
    b24_pair_t  *company;
    b24_from_t   from[B24_ORDER_NFIELDS + 1];   /* of the fields; behind them
                                                   that of the items */
    b24_pair_t  *columns;           /* of the shop's database, that go before
                                       what was captured: the line and the
                                       column, in the order they are tried */
    int64_t      asked;             /* the database, for the first time, ms */
    int64_t      placed;            /* ms; set by who asks the database, not
                                       part of the document */
    unsigned     tries;             /* how often it was asked */
    unsigned     looks;             /* and how often for goods it had not yet */
    b24_order_had_t  had;           /* as it was read there */
    unsigned     read:1;            /* it was: nothing more is to be asked */
    unsigned     imported:1;        /* from there, no request was seen */
    unsigned     generated:1;       /* the number is one of ours */
    unsigned     collected:1;       /* total and rows are earlier requests' */
    unsigned     sign:1;            /* the currency was told by its sign: any
                                       code goes before it */
    b24_pair_t  *remarks;           /* plain words for the record and the deal's
                                       comment; name is a short code */
} b24_order_t;


/* NULL when memory is out */
b24_order_t *b24_order_create(b24_pool_t *pool);
b24_item_t *b24_order_add_item(b24_pool_t *pool, b24_order_t *order);

/* sets FIELD, replacing an earlier value of the same FIELD; an empty value
 * removes it.  Field names compare exactly.  Both are copied; where the value
 * is from is not known then. */
int b24_pair_set(b24_pool_t *pool, b24_pair_t **list, const b24_str_t *name,
    const b24_str_t *value);
/* the same, and where it is from */
int b24_pair_set_from(b24_pool_t *pool, b24_pair_t **list,
    const b24_str_t *name, const b24_str_t *value, const b24_from_t *from);
/* NULL when absent */
const b24_pair_t *b24_pair_get(const b24_pair_t *list, const b24_str_t *name);
/*
 * A block and its request.  kind and name are copied, as is what of the path
 * may be kept: parts of it that can be an address, a phone or a token are "*".
 * method empty: there is no request.  NULL when memory is out.
 */
b24_place_t *b24_place_create(b24_pool_t *pool, const b24_str_t *kind,
    const b24_str_t *name, const b24_str_t *method, const b24_str_t *path);
/* a page that was seen twice is one */
int b24_place_same(const b24_place_t *a, const b24_place_t *b);
/* of the order's values, each once, at most max; returns how many */
size_t b24_order_places(const b24_order_t *order, const b24_place_t **places,
    size_t max);
/* nothing is known of where its values are from */
void b24_from_forget(b24_order_t *order);
/* the document's member "from", and back */
void b24_from_print(b24_buf_t *out, const b24_order_t *order);
int b24_from_parse(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order);
/* copies both; the same remark is kept once */
int b24_order_remark(b24_pool_t *pool, b24_order_t *order, const char *code,
    const char *text);
/*
 * The line of a table of stages (name: STATUS, value: STAGE) for an order's
 * status and flags, NULL: none.  A cancelled order is at the line CANCELED if
 * there is one.  Else of the lines for its status (or the usual one, when it
 * has none), PAID if it is paid and SHIPPED if it is shipped, the one that
 * stands last in the table: what is further there is further in the CRM.
 */
const b24_pair_t *b24_order_stage(const b24_order_t *order,
    const b24_pair_t *stages, const b24_str_t *usual);
/*
 * The way back: the shop's status that a stage stands for, NULL: none.  It is
 * that of the first line of back (name: STAGE, value: STATUS) with this stage,
 * else of the first line of the table that leads to it; so it may be CANCELED,
 * PAID or SHIPPED, which are no statuses but flags.  stage has no pipeline's
 * prefix.
 */
const b24_str_t *b24_order_status_of(const b24_pair_t *back,
    const b24_pair_t *stages, const b24_str_t *stage);
/*
 * Takes characters beyond U+FFFF out of all texts but the order's number, for
 * portals whose database keeps three bytes a character; *n how many.
 */
int b24_order_narrow(b24_pool_t *pool, b24_order_t *order, size_t *n);

/*
 * The JSON document kept in the queue ("v":1), and back.  Unknown members are
 * ignored, so that an older record is read by a newer module; another version
 * or another shape is B24_DECLINED.  What is read is copied, json is needed no
 * more.  Beyond B24_ORDER_ITEMS items a remark takes the place of the rest.
 */
int b24_order_print(b24_pool_t *pool, const b24_order_t *order,
    b24_str_t *json);
int b24_order_parse(b24_pool_t *pool, const b24_str_t *json,
    b24_order_t **order);

/*
 * Who bought and for how much, as 16 hexadecimal digits: phone by its digits
 * (a leading national 8 read as 7), e-mail in lower case, name when both are
 * empty, and the total.  Equal for a repeated submit.
 */
void b24_order_fingerprint(const b24_order_t *order, char out[17]);
/* order holds nothing but what the database says of it, goods: its items, too;
 * had in the pool */
int b24_order_had(b24_pool_t *pool, const b24_order_t *order, int goods,
    b24_order_had_t *had);
/* an amount with two places, so that texts can be compared; empty: it is no
 * number */
int b24_order_amount(b24_pool_t *pool, const b24_str_t *text,
    b24_str_t *amount);
/*
 * A number of ours: the round's becomes that of the round and the fingerprint,
 * once all of the order is known.  What a buyer sends again after an error is
 * the same order; other goods in the round of one that nobody saw accepted are
 * another.  Numbers of the shop stay.
 */
int b24_order_generate(b24_pool_t *pool, b24_order_t *order);


#endif /* _B24_ORDER_H_INCLUDED_ */
