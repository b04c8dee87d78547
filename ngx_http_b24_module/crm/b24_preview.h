
/*
 * What was or would be sent of an order, for a person to look at: the commands
 * are made by the functions that deliver, with today's settings and what is
 * known, and nothing is sent.
 */


#ifndef _B24_PREVIEW_H_INCLUDED_
#define _B24_PREVIEW_H_INCLUDED_


#include "b24_crm.h"


typedef struct {
    const b24_crm_settings_t  *set;
    const b24_queue_job_t     *job;     /* as a claim would give it */
    b24_order_t               *order;   /* its document; it is changed as a
                                           delivery changes it */
    unsigned                   retry:1; /* it was tried before */
    unsigned                   reveal:1;    /* personal data, too */
} b24_preview_t;


/*
 * A JSON array of {"method":...,"params":{...}}, a line for each: names and
 * values as Bitrix24 reads them.  References stay: "$result[c]" is the id of
 * what the command of that name has added; a look-up that finds somebody leaves
 * out what would be added.
 *
 * Unless revealed, a value is shown as it is where its name tells that it is
 * nothing of the buyer; of texts that may quote him his words are taken out,
 * and of anything else only the shape is left ("+7916*****67").
 *
 * B24_DECLINED: the order can't be put into commands.
 */
int b24_preview(b24_pool_t *pool, const b24_preview_t *preview,
    b24_buf_t *out);

/* the shape of a text: first letters, a phone's ends, an address's ending */
void b24_preview_mask(b24_buf_t *out, const b24_str_t *text);


#endif /* _B24_PREVIEW_H_INCLUDED_ */
