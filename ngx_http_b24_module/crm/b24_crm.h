
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
    int            category;        /* pipeline; stages get "C<n>:" when not 0 */
    unsigned       universal:1;     /* b24_api universal */
    b24_match_e    match;
    b24_str_t      phone_code;      /* "7" */
    int            requisite_preset;
    b24_pair_t    *stages;          /* STATUS -> STAGE, b24_stage over the shop's */
    b24_str_t      default_status;
} b24_crm_settings_t;


/* what is known of an order in the CRM */
typedef struct {
    int64_t   deal;                 /* 0: none */
    int64_t   contact;
    int64_t   company;
    unsigned  deal_found:1;         /* by look-up: created by an earlier try */
    unsigned  contact_done:1;       /* exists, or the order has no buyer */
    unsigned  company_done:1;
    unsigned  rows_done:1;
    unsigned  drop_email:1;         /* the portal refused the e-mail: send the
                                       contact without it, keep it in COMMENTS */
} b24_crm_known_t;


/* E.164 with "+" from a national or international number, B24_DECLINED when
 * there is none; the rule of the country code is in docs/mapping.md */
int b24_crm_phone(b24_pool_t *pool, const b24_str_t *text,
    const b24_str_t *code, b24_str_t *e164);
/* trimmed, lower case; B24_DECLINED when it can't be an address */
int b24_crm_email(b24_pool_t *pool, const b24_str_t *text, b24_str_t *email);
/* INN of 10 or 12 digits with a right checksum */
int b24_crm_inn_valid(const b24_str_t *inn);

/* STAGE_ID for the order's status, with its prefix; empty when the table has
 * none (the portal then takes the pipeline's first stage) */
int b24_crm_stage(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_str_t *stage);


/* one product row; all amounts exact */
typedef struct {
    b24_str_t      name;
    b24_str_t      product_id;
    b24_decimal_t  price;           /* per unit, after discount */
    b24_decimal_t  quantity;
    b24_str_t      tax_rate;        /* percent, empty: none given */
    b24_str_t      tax_included;    /* "Y", "N" or empty */
    b24_str_t      measure;         /* measure code, empty: none */
} b24_row_t;


/*
 * Rows of the order: its items, delivery, and what remains to the total (order
 * discount, fee) as rows of their own, so that the sum of price x quantity is
 * the shop's total exactly.  *diff is what could not be brought into rows (0
 * when all is well or the order has no total).  Without items and delivery
 * there are no rows.
 */
int b24_crm_rows(b24_pool_t *pool, const b24_order_t *order, b24_row_t **rows,
    size_t *n, b24_decimal_t *diff);


/* look-up batch (halt:0): deal by ORIGINATOR_ID + ORIGIN_ID, contact by phone
 * and e-mail, company by INN, contact and company by origin where an earlier
 * attempt may have made them (retry set) */
int b24_crm_lookup(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, int retry);

/*
 * Reads the look-up's answer into known (lowest id among several).  Every
 * command must have answered: otherwise verdict says which class of failure it
 * is and nothing may be created.  A remark goes to the order when phone and
 * e-mail point to different contacts.
 */
int b24_crm_looked_up(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict);

/*
 * Write batch (halt:1, references): what known does not have yet of contact,
 * company (+ requisite, link), deal, rows.  *mask gets 1 << step for each step
 * inside (b24_queue.h's order: contact, company, deal, rows).  More rows than a
 * command can carry go in b24_crm_rows_direct().
 */
int b24_crm_write(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, unsigned *mask);

/*
 * Reads the answer of a write batch into known, step by step; verdict is of the
 * first command that failed, with *method its name; B24_CLASS_OK when all is
 * done.  When the portal refused only the e-mail, known->drop_email is set and
 * the class is B24_CLASS_RETRY.
 */
int b24_crm_written(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, const b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict, const char **method);


#endif /* _B24_CRM_H_INCLUDED_ */
