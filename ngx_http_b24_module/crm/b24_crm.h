
/*
 * An order turned into Bitrix24 commands, and their answers turned into what is
 * known of the order: pure functions, no clock, no I/O.
 *
 *     b24_crm_lookup() -> batch -> b24_crm_looked_up()
 *     b24_crm_write()  -> batch -> b24_crm_written()
 */


#ifndef _B24_CRM_H_INCLUDED_
#define _B24_CRM_H_INCLUDED_


#include "b24_base.h"
#include "b24_order.h"
#include "b24_batch.h"
#include "b24_decimal.h"


typedef enum {
    B24_MATCH_PHONE_EMAIL = 0,
    B24_MATCH_EMAIL_PHONE,
    B24_MATCH_PHONE,
    B24_MATCH_EMAIL,
    B24_MATCH_NONE
} b24_match_e;


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
    b24_str_t      default_status;
} b24_crm_settings_t;


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

/* STAGE_ID for the order's status, with its prefix; empty when the table has
 * none (the portal then takes the pipeline's first stage) */
int b24_crm_stage(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_str_t *stage);


/* one product row; all amounts exact as the portal stores them */
typedef struct {
    b24_str_t      name;            /* at most 255 characters */
    b24_str_t      product_id;      /* the shop's, not the portal's */
    b24_decimal_t  price;           /* per unit, after discount, with tax; 2
                                       places at most, may be negative */
    b24_decimal_t  quantity;        /* above 0, at most 4 places */
    b24_str_t      tax_rate;        /* percent, empty: none given */
    b24_str_t      tax_included;    /* "Y", "N" or empty */
    b24_str_t      measure;         /* measure code, empty: none */
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
 * it.  batch->count 0: nothing has to be asked.  B24_DECLINED: the order has no
 * number and known no origin_id, so it could never be found again.
 */
int b24_crm_lookup(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, int retry);

/*
 * Reads the look-up's answer into known (lowest id among several).  Every
 * command must have answered in its documented shape: otherwise verdict says
 * which class of failure it is and nothing may be created.  A remark goes to
 * the order when phone and e-mail point to different contacts.
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
 * Reads the answer of a write batch into known (which must be as it was for
 * b24_crm_write()), step by step; verdict is of the first command that failed,
 * with *method its name (static; NULL when the request failed as a whole);
 * B24_CLASS_OK when all is done.  When the portal refused only the e-mail,
 * known->drop_email is set and the class is B24_CLASS_RETRY.
 */
int b24_crm_written(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, const b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict, const char **method);


/*
 * Rows too many for a batch command (950 variables, about 150 rows) go in a
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
/*
 * *method is static; texts are not neutralised, a direct call isn't expanded.
 * B24_DECLINED: more rows than one call can carry.
 */
int b24_crm_rows_direct(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, int64_t deal, const char **method,
    b24_str_t *json);
/* sets known->rows_done; verdict as of b24_crm_written() */
int b24_crm_rows_written(const b24_answer_t *answer, b24_crm_known_t *known,
    b24_verdict_t *verdict);


#endif /* _B24_CRM_H_INCLUDED_ */
