
/*
 * An order turned into Bitrix24 commands, and their answers turned into what is
 * known of the order: pure functions, no clock, no I/O.
 *
 *     b24_book_ask()   -> batch -> b24_book_read()       once a portal
 *     b24_crm_keys()   -> queue -> b24_crm_recalled()    once an order, then
 *     b24_crm_lookup() -> batch -> b24_crm_looked_up()   unless all is known
 *     b24_crm_write()  -> batch -> b24_crm_written()
 *         (of many orders at once: see b24_slice.h)
 *     b24_crm_learn()  -> queue
 *
 *     b24_crm_deal_ask()  -> batch -> b24_crm_deal_read()    a change, then
 *     b24_crm_move(), b24_crm_update_read()   decide
 *     b24_crm_deal_change() -> batch -> b24_crm_deal_changed()
 */


#ifndef _B24_CRM_H_INCLUDED_
#define _B24_CRM_H_INCLUDED_


#include "b24_base.h"
#include "b24_order.h"
#include "b24_batch.h"
#include "b24_decimal.h"
#include "b24_queue.h"              /* b24_queue_fact_t, b24_delivery_step_e */


typedef enum {
    B24_MATCH_PHONE_EMAIL = 0,
    B24_MATCH_EMAIL_PHONE,
    B24_MATCH_PHONE,
    B24_MATCH_EMAIL,
    B24_MATCH_NONE
} b24_match_e;


/* PRODUCT_ID of rows: 0, the shop's own id, or found by XML_ID */
typedef enum {
    B24_PRODUCT_NONE = 0,
    B24_PRODUCT_ID,
    B24_PRODUCT_XML_ID
} b24_product_e;


/* what of a deal follows later changes of its order */
typedef enum {
    B24_UPDATE_OFF = 0,
    B24_UPDATE_TOTAL,
    B24_UPDATE_ROWS                 /* and its product rows */
} b24_update_e;


typedef enum {
    B24_ENTITY_CONTACT = 0,
    B24_ENTITY_COMPANY,
    B24_ENTITY_DEAL
} b24_entity_e;


/* a pipeline's stages as the portal told them, whole STAGE_IDs ("C9:NEW") */
typedef struct b24_pipeline_s  b24_pipeline_t;

struct b24_pipeline_s {
    int              category;
    unsigned         known:1;       /* the portal has answered */
    b24_str_t       *stages;        /* known and none: no such pipeline */
    size_t           nstages;
    b24_pipeline_t  *next;
};


/* names of an entity's fields, as one family of methods has them */
typedef struct b24_fieldlist_s  b24_fieldlist_t;

struct b24_fieldlist_s {
    b24_entity_e      entity;
    unsigned          universal:1;
    unsigned          asked:1;      /* answered or not */
    b24_str_t        *names;
    size_t            nnames;       /* 0: nobody knows */
    b24_fieldlist_t  *next;
};


/* STATUS_IDs of a dictionary */
typedef struct b24_dictionary_s  b24_dictionary_t;

struct b24_dictionary_s {
    const char        *name;        /* ENTITY_ID, static */
    unsigned           asked:1;     /* answered or not */
    b24_str_t         *values;
    size_t             nvalues;     /* 0: nobody knows */
    b24_dictionary_t  *next;
};


/* a line of the configuration that sets a field of the CRM */
typedef struct {
    b24_entity_e  entity;
    b24_str_t     field;            /* perhaps with an index: "UF_CRM_A[0]" */
    b24_str_t     value;            /* empty: it depends on the request */
} b24_field_line_t;


#define B24_BOOK_IBLOCKS  8

/*
 * What the portal says of itself.  pipelines, want_catalog and want_self are
 * filled in by whoever asks, fields and dictionaries by b24_book_want(), the
 * rest by b24_book_read().
 */
typedef struct {
    b24_pipeline_t  *pipelines;
    unsigned         want_catalog:1;
    unsigned         catalog_known:1;   /* iblocks are told, or refused */
    unsigned         no_stage_list:1;   /* crm.dealcategory.stage.list is gone:
                                           crm.status.list is asked instead */
    int64_t          iblocks[B24_BOOK_IBLOCKS];
    size_t           niblocks;
    b24_str_t        refused;       /* why the catalogue can't be read */
    b24_fieldlist_t   *fields;
    b24_dictionary_t  *dictionaries;

    /* of the webhook: what it may, and what the portal refuses it */
    unsigned         want_self:1;
    unsigned         self_asked:1;      /* answered or not */
    unsigned         scope_known:1;
    unsigned         scope_crm:1;
    unsigned         scope_catalog:1;
    b24_str_t        denied;        /* Bitrix24's code to a question that needs
                                       a right of the webhook's user */
    b24_str_t       *currencies;
    size_t           ncurrencies;   /* 0: nobody knows */
} b24_book_t;


/* what b24_* directives of a server say; strings live with the configuration */
typedef struct {
    b24_str_t      origin;
    int            category;        /* pipeline; stages get "C<n>:" if not 0 */
    unsigned       universal:1;     /* b24_api universal */
    b24_match_e    match;
    b24_str_t      phone_code;      /* "7" */
    int            requisite_preset;
    b24_pair_t    *stages;          /* STATUS -> STAGE, b24_stage over the
                                       shop's */
    b24_pair_t    *back;            /* STAGE -> STATUS, b24_stage_back */
    b24_str_t      default_status;
    b24_product_e  product;
    b24_update_e   update;
    const b24_book_t  *book;        /* NULL: the portal was not asked yet */
} b24_crm_settings_t;


/* what b24_crm_looked_up() or b24_crm_written() wants done at once */
typedef enum {
    B24_AGAIN_NO = 0,
    B24_AGAIN_WRITE,                /* b24_crm_write() once more */
    B24_AGAIN_LOOKUP                /* b24_crm_lookup() first */
} b24_again_e;


/*
 * What is known of an order in the CRM.  All zero at first; the courier fills
 * in the ids and steps it has kept, then the functions below go on with it.
 */
typedef struct {
    int64_t   deal;                 /* 0: none */
    int64_t   contact;
    int64_t   company;
    unsigned  deal_found:1;         /* by look-up: created by an earlier try */
    unsigned  contact_done:1;       /* exists, or the order has no buyer */
    unsigned  company_done:1;       /* with requisite and link, or no company */
    unsigned  rows_done:1;          /* or there are none */
    unsigned  drop_email:1;         /* the portal refused the e-mail: it goes to
                                       COMMENTS instead of the contact */
    unsigned  requisite_done:1;     /* the company has its INN in a requisite */
    unsigned  recalled_contact:1;   /* from our own memory: the write batch asks
                                       for it before it is relied upon */
    unsigned  recalled_company:1;
    unsigned  phone_fits:1;         /* the contact has the order's phone */
    unsigned  email_fits:1;
    unsigned  phone_alone:1;        /* whoever gave that alone is the same */
    unsigned  email_alone:1;
    unsigned  relink:1;             /* the deal is there with a contact that
                                       turned out to be another's */
    unsigned  add_phone:1;          /* nobody has it: the contact that was found
                                       gets it */
    unsigned  add_email:1;
    unsigned  other_api:1;          /* b24_api's other family of methods */
    unsigned  no_products:1;        /* the catalogue was asked already */
    unsigned  unreadable:1;         /* the contact can't be read, so is not
                                       worth remembering */
    unsigned  literal:1;            /* b24_crm_write() in rounds, for batches
                                       with halt:0 */
    unsigned  contact_made:1;       /* by an earlier one of these rounds */
    unsigned  company_made:1;
    unsigned  read_due:1;           /* the deal as well, and is still to be read
                                       back */
    int64_t   hint;                 /* a contact our memory has for a part of
                                       what tells the buyer: taken when the
                                       portal, whose index may lag, has none */
    unsigned  hint_phone:1;
    unsigned  hint_email:1;
    int64_t   gone_contact;         /* what our memory had wrong, to be
                                       forgotten; 0: nothing */
    int64_t   gone_company;
    b24_again_e  again;
    b24_str_t  stage;               /* of a deal just made, as the portal has
                                       it; empty: it was not told */
    b24_str_t  origin_id;           /* ORIGIN_ID unless it is the order's number
                                       (an order without one: the record's key;
                                       a number used again: with its suffix) */
} b24_crm_known_t;


/*
 * E.164 with "+" from a national or international number, the first one of a
 * text that holds several; B24_DECLINED when there is none.  code: country code
 * of national numbers, 1..4 digits, empty is "7".  The rule is in
 * docs/mapping.md.
 */
int b24_crm_phone(b24_pool_t *pool, const b24_str_t *text,
    const b24_str_t *code, b24_str_t *e164);
/* trimmed, ASCII in lower case, at most 250 bytes; B24_DECLINED when the portal
 * would refuse it (and the whole contact with it) */
int b24_crm_email(b24_pool_t *pool, const b24_str_t *text, b24_str_t *email);
/* INN of 10 or 12 digits with a right checksum */
int b24_crm_inn_valid(const b24_str_t *inn);

/* STAGE_ID for the order's status and flags, with its prefix; empty when the
 * table has none or the portal does not know it (the portal then takes the
 * pipeline's first stage) */
int b24_crm_stage(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_str_t *stage);
/* the same of one line of the table: value with its pipeline's prefix */
int b24_crm_stage_id(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_str_t *value, b24_str_t *stage);
/* 1: it is a stage of the settings' pipeline, or nobody knows better */
int b24_crm_stage_known(const b24_crm_settings_t *set,
    const b24_str_t *stage);
/* 1: the portal has told the stages of the settings' pipeline */
int b24_crm_stages_told(const b24_crm_settings_t *set);
/* a remark to an order whose status has no stage, or one the portal does not
 * know: it is delivered all the same, at the pipeline's first stage */
int b24_crm_stage_remark(b24_pool_t *pool, const b24_crm_settings_t *set,
    b24_order_t *order);


/* ---- the portal's book ---- */

/* has the book ask for what the line is checked against: the fields of its
 * entity by this family of methods; a constant's dictionary */
int b24_book_want(b24_pool_t *pool, b24_book_t *book, unsigned universal,
    const b24_field_line_t *line);
/*
 * Commands (halt:0) for what the book has not: stages of its pipelines by
 * crm.dealcategory.stage.list, or by crm.status.list where the portal does not
 * know that method any more, the catalogue's information blocks; what the
 * webhook may, the currencies; fields by
 * crm.deal.fields and the like or crm.item.fields, dictionaries by
 * crm.status.list, as far as they fit in.  batch->count 0: all is known.
 */
int b24_book_ask(b24_batch_t *batch, const b24_book_t *book);
/*
 * Reads what was answered; strings are copied to pool.  verdict is of the
 * request, or of the first command that failed and left something unknown;
 * *again: b24_book_ask() has another way to ask.
 */
int b24_book_read(b24_pool_t *pool, const b24_answer_t *answer,
    b24_book_t *book, b24_verdict_t *verdict, int *again);
/*
 * *text: what the portal does not know of a line, for a person; empty when
 * nothing is wrong or nobody knows.  What the portal ignores without a word is
 * told: a field it does not have, a constant that is not in the field's
 * dictionary (bitrix24-rest.md §4.5).
 */
int b24_book_line_wrong(b24_pool_t *pool, const b24_book_t *book,
    unsigned universal, const b24_field_line_t *line, b24_str_t *text);
/* 1: the portal has that currency, or nobody knows better */
int b24_book_currency(const b24_book_t *book, const b24_str_t *code);
/* NULL when the book has none of that number */
const b24_pipeline_t *b24_book_pipeline(const b24_book_t *book,
    int category);


/* b24_product id: the shop's own ids, where they are numbers, are the
 * portal's */
void b24_crm_product_ids(const b24_crm_settings_t *set, b24_order_t *order);


/* ---- what earlier deliveries have taught ---- */

/* phone, e-mail, both together, company; products come on top, one for each
 * item at most */
#define B24_CRM_KEYS  4

/*
 * What the queue's memory may know of this order's contact, company and
 * products: facts gets the keys (ids 0, portals empty), *n how many; room for
 * B24_CRM_KEYS + order->nitems.  B24_DECLINED as b24_crm_lookup().
 */
int b24_crm_keys(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_queue_fact_t *facts, size_t *n);
/*
 * Takes over the ids found; of contact and company only on a first attempt
 * (retry: an earlier one may have made anything).  Phone and e-mail together
 * are remembered as such, since one of them alone may be another's.  Returns 1
 * when nothing has to be looked up, 0 when b24_crm_lookup() must come first.
 */
int b24_crm_recalled(b24_pool_t *pool, const b24_crm_settings_t *set,
    b24_order_t *order, b24_crm_known_t *known,
    const b24_queue_fact_t *facts, size_t n, int retry);
/* after a delivery: what is worth remembering, and what to forget (negative
 * ids); facts as above with room for three more */
int b24_crm_learn(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_queue_fact_t *facts, size_t *n);


/*
 * What a delivery of the job begins with: the order, as it was stored, gets
 * what the queue knows better, known its ids and steps.  known is all zero
 * before.
 */
int b24_crm_begin(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_queue_job_t *job, b24_order_t *order, b24_crm_known_t *known);


/* one product row; all amounts exact as the portal stores them, with 15 digits
 * at most, which PHP's floating point keeps */
typedef struct {
    b24_str_t      name;            /* at most 255 characters */
    int64_t        product;         /* the portal's PRODUCT_ID, 0: none */
    b24_decimal_t  price;           /* per unit, after discount, with tax; 2
                                       places at most, may be negative */
    b24_decimal_t  quantity;        /* above 0, at most 4 places */
    b24_decimal_t  discount;        /* per unit, without tax, 2 places; inside
                                       the price already; 0: none shown */
    b24_decimal_t  tax_rate;        /* percent, 2 places, 0 is "0 %"; means
                                       nothing while tax_included is empty */
    b24_str_t      tax_included;    /* "Y", "N"; empty: no rate given */
    int            measure;         /* measure code, 0: none */
} b24_row_t;


/*
 * Rows of the order: its items, delivery, and what remains to the total (order
 * discount, fee) as rows of their own, so that the sum of price x quantity is
 * the shop's total exactly.  *diff is the total less that sum, what could not
 * be brought into rows (0 when all is well or the order has no total).  Without
 * items and delivery there are no rows.  docs/mapping.md tells the rules.
 */
int b24_crm_rows(b24_pool_t *pool, const b24_order_t *order, b24_row_t **rows,
    size_t *n, b24_decimal_t *diff);


/*
 * Look-up batch (halt:0): deal by ORIGINATOR_ID + ORIGIN_ID, contact by phone
 * and e-mail, company by INN, by its own ORIGIN_ID and by title + origin; with
 * retry set also the contact by origin, since an earlier attempt may have made
 * it; products of the catalogue by XML_ID.  batch->count 0: nothing has to be
 * asked.  B24_DECLINED: the order has no
 * number and known no origin_id, so it could never be found again.
 */
int b24_crm_lookup(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, int retry);

/*
 * Reads the look-up's answer into known (lowest id among several).  Every
 * command must have answered in its documented shape: otherwise verdict says
 * which class of failure it is and nothing may be created.  A remark goes to
 * the order when phone and e-mail point to different contacts.  known->again
 * tells when the other family of methods has to be asked.
 */
int b24_crm_looked_up(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict);

/*
 * Write batch (halt:1, references): what known does not have yet of contact,
 * company (+ requisite, link), deal, rows.  *mask gets 1 << step for each step
 * inside (b24_queue.h's order: contact, company, deal, rows).  batch->count 0:
 * nothing is left to write in a batch.  More rows than a command can carry are
 * not inside; see b24_crm_rows_direct_needed().  B24_DECLINED as above.
 */
int b24_crm_write(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, unsigned *mask);

/*
 * Of the steps in mask, of such a batch: those that make something which orders
 * of the same buyer or firm would make a second time.  To link a contact and a
 * firm again does no harm.
 */
unsigned b24_crm_makes(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, unsigned mask);

/*
 * With known->literal the same commands come in rounds: each batch (halt:0)
 * has those whose ids are known by then, and no references.  When one was
 * answered b24_crm_write() is called again, until batch->count is 0:
 *
 *     contact and company that are only remembered are asked for, alone
 *     contact and company are added
 *     the deal is added, or linked anew
 *     rows, requisite, mark, link, reading back, phone or e-mail of a contact
 *
 * What belongs to the company waits for the deal, so that it can't keep the
 * order from it.  At most four rounds, but for those after known->again.
 */

/*
 * Reads the answer of a write batch into known (which must be as it was for
 * b24_crm_write()), step by step; verdict is of the first command that failed,
 * with *method its name (static; NULL when the request failed as a whole);
 * B24_CLASS_OK when all is done.
 *
 * known->again is set when there is a way to go on at once: without an e-mail
 * the portal refused (drop_email), without characters beyond U+FFFF its
 * database can't keep (the order's texts lose them), by the other family of
 * methods (other_api), or without the contact our memory had wrong.  What the
 * portal did not take as it was sent goes to the order's remarks.
 */
int b24_crm_written(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict, const char **method);

/* masks what text quotes of the order's buyer: names, address ... */
void b24_crm_conceal(b24_pool_t *pool, const b24_order_t *order,
    b24_str_t *text);
/* it knows of a buyer that could be concealed */
int b24_crm_conceals(const b24_order_t *order);

/* the order's remarks as one text, "; " between them; empty: none */
int b24_crm_remarks(b24_pool_t *pool, const b24_order_t *order,
    b24_str_t *text);


/*
 * Rows too many for a batch command (950 variables, 105 to 316 rows) go in a
 * direct JSON call of their own, a step after the write batch, once
 * known->deal is there:
 *
 *     if (!known.rows_done && b24_crm_rows_direct_needed(...)) {
 *         b24_crm_rows_direct()  -> POST body to METHOD.json
 *         b24_crm_rows_written() <- its answer
 *     }
 *
 * The call replaces all rows, so it may be repeated.
 */

/* 1: b24_crm_write() leaves the rows out; 0; or B24_ERROR */
int b24_crm_rows_direct_needed(b24_pool_t *pool,
    const b24_crm_settings_t *set, const b24_order_t *order);
/* *method is static; texts are not neutralised, a direct call isn't expanded */
int b24_crm_rows_direct(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, int64_t deal, const char **method,
    b24_str_t *json);
/* sets known->rows_done; verdict as of b24_crm_written() */
int b24_crm_rows_written(const b24_answer_t *answer, b24_crm_known_t *known,
    b24_verdict_t *verdict);


/* ---- a deal that is there, and where the shop wants it ---- */

typedef struct {
    int64_t    id;                  /* 0: there is none any more */
    int        category;
    b24_str_t  stage;
    unsigned   final:1;             /* won or lost */
    int64_t    moved;               /* to that stage, or changed at all; Unix
                                       seconds by our clock, 0: not told */
    int64_t    stamp;               /* to that stage, by the portal's clock; 0:
                                       not told */
    b24_str_t  amount;              /* OPPORTUNITY; empty: not told */
    b24_str_t  currency;
    unsigned   summed:1;            /* the amount is the sum of its rows */
} b24_crm_deal_t;

typedef enum {
    B24_MOVE_DO = 0,                /* nobody has touched it */
    B24_MOVE_OVER,                  /* somebody has, before the shop's change */
    B24_MOVE_THERE,                 /* it is there already */
    B24_MOVE_GONE,
    B24_MOVE_PIPELINE,              /* in another one than the configured */
    B24_MOVE_NEWER,                 /* moved there after the shop's change */
    B24_MOVE_CLOSED                 /* the same, to an end */
} b24_move_e;

/*
 * Where a later state of the order belongs: stage gets the STAGE_ID.  Empty:
 * nowhere, and *text says why in plain words (empty as well: what was told has
 * no stage by itself, such as "not paid"); *name is what lacks a line of the
 * table, if that is the reason.  The usual status of orders without one is not
 * used.
 */
int b24_crm_move_to(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_str_t *stage, b24_str_t *text,
    b24_str_t *name);

/* a command that reads the deal of known->deal */
int b24_crm_deal_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_crm_known_t *known);
/* now: our clock, Unix seconds; verdict and known->again as of
 * b24_crm_looked_up() */
int b24_crm_deal_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_crm_known_t *known, int64_t now,
    b24_crm_deal_t *deal, b24_verdict_t *verdict);
/*
 * changed: the shop's change, ms.  Where the deal is expected nobody else has
 * brought it (b24_queue_seen_known()): the shop's latest change goes on from
 * there.  Of its change and somebody else's the newer one counts.
 */
b24_move_e b24_crm_move(const b24_crm_settings_t *set,
    const b24_crm_deal_t *deal, const b24_str_t *stage,
    const b24_queue_seen_t *seen, int64_t changed);
/* what came of it, for a person; advice is static, NULL: none */
int b24_crm_move_words(b24_pool_t *pool, b24_move_e move,
    const b24_crm_deal_t *deal, const b24_str_t *stage, b24_str_t *text,
    const char **advice);

/* ---- a deal whose order was changed in the shop ---- */

typedef struct {
    unsigned       total:1;         /* is another than the deal was given */
    unsigned       rows:1;
    unsigned       goodless:1;      /* they would be, but there are none */

    /* from b24_crm_update_read() on: what comes of it */
    unsigned       set_total:1;     /* the deal is given the total */
    unsigned       set_rows:1;
    unsigned       direct:1;        /* the rows, by a call of their own */
    unsigned       left:1;          /* it is closed, nothing is set */
    unsigned       edited_total:1;  /* has what we have not given it */
    unsigned       edited_rows:1;
    unsigned       overtaken:1;     /* somebody has moved the deal before the
                                       write: deal is as it was then */

    b24_str_t      amount;          /* that it is to have, two places */
    b24_str_t      currency;        /* empty: not known */
    b24_str_t      sent_total;      /* as they are kept in "seen" */
    b24_str_t      sent_rows;
    b24_row_t     *list;
    size_t         nlist;
    b24_decimal_t  diff;            /* that the rows do not reach the total */
    b24_crm_deal_t deal;            /* as it was found */
    int64_t        stamp;           /* and since when it is where it was moved
                                       to, 0: not told */
    size_t         nheld;           /* its rows, and their sum */
    b24_decimal_t  held;
    b24_str_t      taken;           /* the total it has now, when that is
                                       another */
} b24_crm_update_t;

/*
 * What a deal is given with its order, for b24_queue_seen_t: sent_total and
 * sent_rows, and total and goods as the shop's database had them.
 */
int b24_crm_told(b24_pool_t *pool, const b24_order_t *order,
    b24_queue_seen_t *seen);
/*
 * Compares what the shop's database says of the order now (order->had, its
 * amounts and items) with what it said when the deal was given the last.  When
 * seen doesn't tell, as of orders delivered by an earlier version, seen gets
 * what first, the order as it was delivered, tells; NULL: it has gone, and
 * nothing is compared.  Not known what the goods were: they are taken to be
 * others when the total is.
 */
int b24_crm_update_begin(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_order_t *first,
    b24_queue_seen_t *seen, b24_crm_update_t *update);
/* further commands beside b24_crm_deal_ask(): what is to be overwritten, and
 * the products of the new rows */
int b24_crm_update_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    const b24_queue_seen_t *seen, const b24_crm_update_t *update);
/*
 * Decides: deal is as b24_crm_deal_read() has found it; opens: its stage is
 * about to be set, so that it does not stay closed.  seen gets what has to be
 * committed before it is sent.
 */
int b24_crm_update_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, const b24_crm_deal_t *deal, int opens,
    b24_queue_seen_t *seen, b24_crm_update_t *update,
    b24_verdict_t *verdict);
/* what came of it, for a person, behind what is in the buffer; nothing: empty;
 * *advice stays when there is none */
void b24_crm_update_words(b24_buf_t *buf, const b24_crm_update_t *update,
    const char **advice);

/*
 * A batch (halt:1) that sets the stage (empty: not), the total and the rows, as
 * far as they are to be set and fit in, and reads the deal again: a stage that
 * the portal does not know it drops without a word.  Where the deal is to be
 * moved it is read before that, too.  batch->count 0: there is nothing for a
 * batch.
 */
int b24_crm_deal_change(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_crm_known_t *known, const b24_str_t *stage,
    const b24_crm_update_t *update);
/* now: our clock, Unix seconds; *held: the stage it is at now, empty: not told;
 * *method is static */
int b24_crm_deal_changed(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_crm_update_t *update, const b24_str_t *stage,
    int64_t now, b24_str_t *held, b24_verdict_t *verdict, const char **method);


/* ---- deals that move in the CRM ---- */

/* crm.item.list, crm.stagehistory.list: pages of 50 */
#define B24_WATCH_PAGE   50
#define B24_WATCH_DEALS  (20 * B24_WATCH_PAGE)      /* of one batch */

/* the next page of the portal's stage history */
typedef struct {
    int64_t    last;                /* ID up to which it was read, 0: never */
    int64_t   *deals;               /* that it names */
    size_t     n;
    int        more;                /* the page was full */
} b24_crm_history_t;

/*
 * A batch (halt:0) that reads n deals of these origins, at most
 * B24_WATCH_DEALS, and, unless history is NULL, what has come to the stage
 * history after history->last; of one that was never read the latest page.
 */
int b24_crm_watch_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_str_t *origins, size_t norigins,
    const b24_queue_moved_t *deals, size_t n,
    const b24_crm_history_t *history);
/*
 * *n is how many of them were told of, which are the first then: at a stage, or
 * gone.  now: our clock, Unix seconds.  history may be NULL, and stays as it is
 * when it was not told.  verdict is that of the request, else of a command that
 * failed.
 */
int b24_crm_watch_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, int64_t now, b24_queue_moved_t *deals,
    size_t *n, b24_crm_history_t *history, b24_verdict_t *verdict);


/* ---- the way back ---- */

typedef enum {
    B24_BACK_NOTHING = 0,           /* nobody has moved the deal since we, or
                                       the shop, have */
    B24_BACK_THERE,                 /* the shop has it already */
    B24_BACK_WRITE,
    B24_BACK_OLDER,                 /* the shop's own change is newer, and on
                                       its way to the deal */
    B24_BACK_PIPELINE,              /* another one, without a status */
    B24_BACK_UNKNOWN,               /* no status for this stage */
    B24_BACK_ERROR                  /* no memory */
} b24_back_e;

/*
 * What the stage seen->held means for the order, whose status and flags are
 * those that the shop has now; *status is the one to be set: that of the first
 * line of set->back with the stage, else of the first one of set->stages.
 */
b24_back_e b24_crm_back(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_queue_seen_t *seen, b24_str_t *status);
/* the order has that status, or flag */
int b24_crm_back_there(const b24_order_t *order, const b24_str_t *status);
/* 1: what differs may be what a call with that status has done, or half of it:
 * the status is the one of before or the new one, and no flag has come up that
 * the call doesn't set */
int b24_crm_back_ours(const b24_order_t *order, const b24_queue_seen_t *seen,
    const b24_str_t *status);
/* what is known of both is the same */
int b24_crm_back_same(const b24_order_t *order, const b24_queue_seen_t *seen);
/* what came of it, for a person; advice is static, NULL: none */
int b24_crm_back_words(b24_pool_t *pool, b24_back_e back,
    const b24_queue_seen_t *seen, const b24_str_t *status, b24_str_t *text,
    const char **advice);


#endif /* _B24_CRM_H_INCLUDED_ */
