
/* What people were told of last: a raise is not told again after a restart, and
 * that something is over is told after one. */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_put_alert(b24_queue_t *q,
    const b24_queue_alert_t *alert);


b24_queue_rc_e
b24_queue_alert(b24_queue_t *q, b24_pool_t *pool, b24_queue_alert_t *alert)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_ALERT);
    b24_query_text(&query, &alert->origin);
    b24_query_text(&query, &alert->event);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &alert->target);
        alert->raised = b24_query_get_int(&query, 1) != 0;
        alert->since = b24_query_get_int(&query, 2);
        alert->told = b24_query_get_int(&query, 3);
        alert->n = b24_query_get_int(&query, 4);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_put_alerts(b24_queue_t *q, const b24_queue_alert_t *alerts, size_t n)
{
    size_t          i;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        rc = b24_queue_put_alert(q, &alerts[i]);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_put_alert(b24_queue_t *q, const b24_queue_alert_t *alert)
{
    b24_query_t  query;

    b24_query_init(&query, q, alert->told ? B24_SQL_PUT_ALERT
                                          : B24_SQL_DROP_ALERT);
    b24_query_text(&query, &alert->origin);
    b24_query_text(&query, &alert->event);

    if (alert->told) {
        b24_query_text(&query, &alert->target);
        b24_query_int(&query, alert->raised);
        b24_query_int(&query, alert->since);
        b24_query_int(&query, alert->told);
        b24_query_int(&query, alert->n);
    }

    return b24_query_done(&query);
}
