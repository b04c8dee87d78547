
/* What a delivery begins with: the order as it was stored, what is known. */


#include "b24_crm.h"


static unsigned b24_begin_settled(const b24_queue_job_t *job,
    b24_delivery_step_e step);


int
b24_crm_begin(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_queue_job_t *job, b24_order_t *order, b24_crm_known_t *known)
{
    /* the queue's columns are the truth; the document may be older */

    order->origin = job->origin;
    order->fields[B24_ORDER_ID] = job->order_id;

    known->deal = job->deal_id;

    if (job->kind == B24_EV_STATUS) {
        order->fields[B24_ORDER_STATUS] = job->seen.status;
        order->fields[B24_ORDER_CANCELED] = job->seen.canceled;
        order->fields[B24_ORDER_PAID] = job->seen.paid;
        order->fields[B24_ORDER_SHIPPED] = job->seen.shipped;

        return B24_OK;
    }

    b24_crm_product_ids(set, order);

    if (b24_crm_stage_remark(pool, set, order) != B24_OK) {
        return B24_ERROR;
    }

    known->contact = job->contact_id;
    known->company = job->company_id;

    known->contact_done = b24_begin_settled(job, B24_STEP_CONTACT);
    known->company_done = b24_begin_settled(job, B24_STEP_COMPANY);
    known->rows_done = b24_begin_settled(job, B24_STEP_ROWS);

    /* a number that was another order's, or none */

    if (job->origin_id.len) {
        known->origin_id = job->origin_id;

    } else if (job->order_id.len == 0) {
        return b24_pstrdup(pool, &known->origin_id, (u_char *) job->key,
                           strlen(job->key));
    }

    return B24_OK;
}


static unsigned
b24_begin_settled(const b24_queue_job_t *job, b24_delivery_step_e step)
{
    return job->steps[step] == B24_STEP_DONE
           || job->steps[step] == B24_STEP_SKIPPED;
}
