
/* What the files of this folder share and others need not know. */


#ifndef _B24_CRM_INT_H_INCLUDED_
#define _B24_CRM_INT_H_INCLUDED_


#include "b24_crm.h"


#define B24_CRM_KEY     128         /* a parameter's name, "fields[...]" */
#define B24_NAME_CHARS  50          /* NAME, SECOND_NAME, LAST_NAME */


/*
 * The two families of methods.  Fields have classic names everywhere in the
 * code; universal ones are made from them (STAGE_ID -> stageId).
 */
typedef struct {
    unsigned     universal:1;
    const char  *add[3];            /* by b24_entity_e */
    const char  *list[3];
    const char  *update;            /* of a company */
    const char  *rows_set;
    const char  *ref[3];            /* id of what this batch has added */
    int          type[3];           /* entityTypeId */
    const char  *rows;              /* parameter that holds the rows */
} b24_crm_api_t;


typedef enum {
    B24_ENTITY_CONTACT = 0,
    B24_ENTITY_COMPANY,
    B24_ENTITY_DEAL
} b24_entity_e;


/* what the order says of the buyer, in the form the portal compares */
typedef struct {
    b24_str_t  originator;
    b24_str_t  id;                  /* ORIGIN_ID of contact and deal */
    b24_str_t  phone;               /* E.164, or empty */
    b24_str_t  email;               /* empty also when the portal refused it */
    b24_str_t  title;               /* of the company */
    b24_str_t  inn;                 /* valid, or empty */
    b24_str_t  kpp;
    b24_str_t  firm;                /* ORIGIN_ID of the company */
    unsigned   buyer:1;
    unsigned   company:1;
    unsigned   by_phone:1;          /* look the buyer up by it */
    unsigned   by_email:1;
    unsigned   phone_first:1;
} b24_crm_facts_t;


const b24_crm_api_t *b24_crm_api(const b24_crm_settings_t *set);

/* B24_DECLINED: nothing to tell the order by */
int b24_crm_facts(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_crm_facts_t *facts);

/* the id a method that adds something has answered, 0: none */
int64_t b24_crm_added(const b24_crm_api_t *api, const b24_node_t *result);

void b24_crm_failed(b24_verdict_t *verdict, b24_class_e class,
    const char *code, const char *text);

/* the buyer's name in three parts, any of them may be empty */
void b24_crm_name(const b24_order_t *order, b24_str_t *first,
    b24_str_t *second, b24_str_t *last);

/* the deal's COMMENTS */
int b24_crm_comments(b24_pool_t *pool, const b24_crm_facts_t *facts,
    const b24_order_t *order, const b24_crm_known_t *known,
    const b24_decimal_t *diff, b24_str_t *text);
/* text that can't become a link or markup where the portal reads BB-code */
void b24_crm_plain(b24_buf_t *out, const b24_str_t *text);

/* the name of a field in key: prefix[FIELD]; "fields" or "filter" or "rows[1]";
 * op ("=" or "") stands before the name */
void b24_crm_key(const b24_crm_api_t *api, char *key, const char *prefix,
    const char *op, const char *field);

/* cuts s to at most max characters */
void b24_crm_cut(b24_str_t *s, size_t max);

/* variables that the rows take in a command */
unsigned b24_crm_rows_vars(const b24_row_t *rows, size_t n);
void b24_crm_rows_put(b24_batch_t *batch, b24_command_t *cmd,
    const b24_crm_api_t *api, const b24_row_t *rows, size_t n);


#endif /* _B24_CRM_INT_H_INCLUDED_ */
