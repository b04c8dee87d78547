
/* Inside b24_write: a command that is being written, and its fields. */


#ifndef _B24_WRITE_INT_H_INCLUDED_
#define _B24_WRITE_INT_H_INCLUDED_


#include "b24_crm_int.h"


#define B24_TITLE_CHARS   255


typedef struct {
    b24_batch_t               *batch;
    b24_command_t             *cmd;
    const b24_crm_api_t       *api;
    const b24_crm_settings_t  *set;
    const b24_order_t         *order;
    const b24_crm_known_t     *known;
    const b24_crm_facts_t     *facts;
    const b24_plan_t          *plan;
    const b24_pair_t          *pairs;   /* of the entity being written */
    size_t                     multi[4];
    size_t                     fm;
    const char                *fm_new;  /* before its number: "n" where numbers
                                           are ids of what is there */
} b24_write_t;


/* nothing is sent for an empty value, nor where a pair sets the field; max:
 * characters */
void b24_write_field(b24_write_t *w, const char *field, size_t max,
    const b24_str_t *value);
void b24_write_chars(b24_write_t *w, const char *field, const char *value);
/* whose it is: ORIGINATOR_ID and ORIGIN_ID */
void b24_write_origin(b24_write_t *w, const b24_str_t *id);
/* a phone, an e-mail: the next of its type */
void b24_write_multi(b24_write_t *w, const char *type,
    const b24_str_t *value);
/* what rules and directives set; multi: phones and e-mails among them */
void b24_write_pairs(b24_write_t *w, int multi);
void b24_write_id(b24_write_t *w, const char *key, b24_entity_e entity,
    int64_t id);


#endif /* _B24_WRITE_INT_H_INCLUDED_ */
