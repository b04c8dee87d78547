
/*
 * What is to be known of a portal after a restart: how full its bucket is,
 * whether it takes orders, why not, and when it is asked again; what its
 * methods cost.
 */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_put_portal(b24_queue_t *q,
    const b24_queue_portal_t *portal);


b24_queue_rc_e
b24_queue_portal(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *host,
    b24_queue_portal_t *portal)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    memset(portal, 0, sizeof(b24_queue_portal_t));

    b24_query_init(&query, q, B24_SQL_PORTAL);
    b24_query_text(&query, host);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        portal->host = *host;

        b24_query_get_str(&query, 0, pool, &portal->state);
        portal->failures = b24_query_get_int(&query, 1);
        portal->resume = b24_query_get_int(&query, 2);
        portal->level = b24_query_get_int(&query, 3);
        portal->time = b24_query_get_int(&query, 4);
        b24_query_get_str(&query, 5, pool, &portal->reason);
        b24_query_get_str(&query, 6, pool, &portal->advice);
        b24_query_get_str(&query, 7, pool, &portal->pace);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_put_portals(b24_queue_t *q, const b24_queue_portal_t *portals,
    size_t n)
{
    size_t          i;
    b24_queue_rc_e  rc;

    if (n == 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        rc = b24_queue_put_portal(q, &portals[i]);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_put_portal(b24_queue_t *q, const b24_queue_portal_t *portal)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_PUT_PORTAL);
    b24_query_text(&query, &portal->host);
    b24_query_text(&query, &portal->state);
    b24_query_int(&query, portal->failures);
    b24_query_int(&query, portal->resume);
    b24_query_int(&query, portal->level);
    b24_query_int(&query, portal->time);
    b24_query_str(&query, &portal->reason);
    b24_query_str(&query, &portal->advice);

    rc = b24_query_done(&query);

    if (rc != B24_QUEUE_OK || portal->pace.len == 0) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_PUT_PACE);
    b24_query_text(&query, &portal->host);
    b24_query_text(&query, &portal->pace);
    b24_query_int(&query, portal->time);

    return b24_query_done(&query);
}


b24_queue_rc_e
b24_queue_clean_portals(b24_queue_t *q, int64_t keep_ms, int64_t now)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_CLEAN_PORTALS);
    b24_query_int(&query, now - keep_ms);
    b24_query_int(&query, now + B24_QUEUE_DAY);

    return b24_query_done(&query);
}
