
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
    const char  *get[3];
    const char  *list[3];
    const char  *update[3];
    const char  *rows_set;
    const char  *rows_get;
    const char  *ref[3];            /* id of what this batch has added */
    int          type[3];           /* entityTypeId */
    const char  *rows;              /* parameter that holds the rows */
    const char  *items;             /* member of a list's result, or NULL */
} b24_crm_api_t;


/* the commands of a write batch, in their order */
typedef enum {
    B24_DO_ASK_CONTACT = 0,         /* is what we remember still true? */
    B24_DO_ASK_COMPANY,
    B24_DO_CONTACT,
    B24_DO_COMPANY,
    B24_DO_DEAL,
    B24_DO_ROWS,
    B24_DO_RELINK,                  /* the deal's contact and company */
    B24_DO_REQUISITE,
    B24_DO_MARK,                    /* the company's ORIGIN_ID by its INN */
    B24_DO_LINK,
    B24_DO_READ,                    /* the deal as the portal has taken it */
    B24_DO_ENRICH,                  /* the found contact gets phone or e-mail */
    B24_DO_N
} b24_do_e;


/* which of them an order still needs */
typedef struct {
    unsigned       want[B24_DO_N];
    unsigned       part:1;          /* others follow when ids are known */
    b24_row_t     *rows;
    size_t         nrows;
    b24_decimal_t  diff;
} b24_plan_t;


/* what the order says of the buyer, in the form the portal compares */
typedef struct {
    b24_str_t  originator;
    b24_str_t  id;                  /* ORIGIN_ID of contact and deal */
    b24_str_t  phone;               /* E.164, or empty */
    b24_str_t  email;               /* empty also when the portal refused it */
    b24_str_t  pair;                /* both together, empty when one is */
    b24_str_t  title;               /* of the company */
    b24_str_t  inn;                 /* valid, or empty */
    b24_str_t  kpp;
    b24_str_t  firm;                /* ORIGIN_ID of the company */
    b24_str_t  firm_key;            /* what the company is remembered by */
    unsigned   buyer:1;
    unsigned   company:1;
    unsigned   by_phone:1;          /* look the buyer up by it */
    unsigned   by_email:1;
    unsigned   phone_first:1;
} b24_crm_facts_t;


const b24_crm_api_t *b24_crm_api(const b24_crm_settings_t *set);

/* b24_move.c: what of deals is read, and how */
/* money: OPPORTUNITY and the like, too */
void b24_crm_deal_select(b24_batch_t *batch, b24_command_t *cmd,
    const b24_crm_api_t *api, int money);
/* the list that a command gave, below the member items (NULL: it is the
 * result); B24_DECLINED: verdict tells */
int b24_crm_list(b24_pool_t *pool, const b24_answer_t *answer,
    const char *items, const char *name, b24_node_t **list,
    b24_verdict_t *verdict);
/* the other family of methods may do it */
void b24_crm_again(const b24_crm_api_t *api, b24_crm_known_t *known,
    const b24_verdict_t *verdict, b24_again_e again);
int64_t b24_crm_skew(const b24_answer_t *answer, int64_t now);
/* an item of it; B24_DECLINED: it is none */
int b24_crm_deal_item(const b24_crm_api_t *api, const b24_node_t *node,
    int64_t skew, b24_crm_deal_t *deal);

/* B24_DECLINED: nothing to tell the order by */
int b24_crm_facts(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_crm_facts_t *facts);

int b24_crm_plan(b24_pool_t *pool, const b24_crm_api_t *api,
    const b24_order_t *order, const b24_crm_known_t *known,
    const b24_crm_facts_t *facts, b24_plan_t *plan);
/* name of a command's result in the batch, letters only */
const char *b24_crm_do_name(b24_do_e step);

/* the other family of methods may do what this one was refused */
int b24_crm_api_refused(const b24_crm_api_t *api,
    const b24_verdict_t *verdict);

/* a contact of crm.contact.get or crm.item.get still has what it was
 * remembered by */
int b24_crm_contact_fits(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_crm_facts_t *facts, const b24_crm_known_t *known,
    const b24_node_t *contact);
/* remarks where the deal, as the portal holds it, differs from what was sent */
int b24_crm_read_back(b24_pool_t *pool, const b24_crm_settings_t *set,
    b24_order_t *order, const b24_crm_known_t *known,
    const b24_node_t *deal);

/* commands for articles whose products are not known yet, and their answer */
void b24_products_ask(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known);
/* B24_DECLINED: verdict tells a failure that may pass */
int b24_products_read(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict);
/* the article's key, empty: the item needs no product */
b24_str_t b24_products_key(const b24_crm_settings_t *set,
    const b24_item_t *item);

/* a member of an object by its classic name, NULL: none */
b24_node_t *b24_crm_field(const b24_crm_api_t *api, const b24_node_t *node,
    const char *name);

/* a row of crm.status.list, which may answer more than it was asked for, is of
 * this ENTITY_ID, or does not tell */
int b24_book_entity(const b24_node_t *row, const char *entity);
/* the part of b24_book_ask() and b24_book_read() for fields and dictionaries;
 * B24_ERROR: out of memory */
void b24_fields_ask(b24_batch_t *batch, const b24_book_t *book);
int b24_fields_read(b24_pool_t *pool, const b24_answer_t *answer,
    b24_book_t *book);

/* the same for what the webhook may, and the currencies */
void b24_self_ask(b24_batch_t *batch, const b24_book_t *book);
int b24_self_read(b24_pool_t *pool, const b24_answer_t *answer,
    b24_book_t *book);

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

#define B24_ORIGIN_CHARS  255       /* ORIGINATOR_ID, ORIGIN_ID */

/* cuts s to at most max characters */
void b24_crm_cut(b24_str_t *s, size_t max);

/* a look-up asks for them */
int b24_lookup_wants_contact(const b24_crm_known_t *known,
    const b24_crm_facts_t *facts);
int b24_lookup_wants_company(const b24_crm_known_t *known,
    const b24_crm_facts_t *facts);
/* variables that the rows take in a command */
unsigned b24_crm_rows_vars(const b24_row_t *rows, size_t n);
void b24_crm_rows_put(b24_batch_t *batch, b24_command_t *cmd,
    const b24_crm_api_t *api, const b24_row_t *rows, size_t n);


#endif /* _B24_CRM_INT_H_INCLUDED_ */
