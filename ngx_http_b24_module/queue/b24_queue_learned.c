
/* Values that a shop's rules have learned: which property is the phone. */

#include "b24_queue_int.h"


static b24_queue_rc_e b24_queue_put_one_learned(b24_queue_t *q,
    const b24_queue_learned_t *value, int64_t now);


b24_queue_rc_e
b24_queue_learned(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origin,
    const b24_str_t *name, b24_str_t *values, size_t *n)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    *n = 0;

    b24_query_init(&query, q, B24_SQL_LEARNED);
    b24_query_text(&query, origin);
    b24_query_text(&query, name);
    b24_query_int(&query, B24_QUEUE_LEARNED);

    while (*n < B24_QUEUE_LEARNED && b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &values[*n]);
        (*n)++;
    }

    rc = b24_query_end(&query);

    if (rc != B24_QUEUE_OK) {
        *n = 0;
    }

    return rc;
}


b24_queue_rc_e
b24_queue_put_learned(b24_queue_t *q, const b24_queue_learned_t *values,
    size_t n, int64_t now)
{
    size_t          i;
    b24_queue_rc_e  rc;

    if (n == 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_begin(q);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {
        rc = b24_queue_put_one_learned(q, &values[i], now);
    }

    return b24_queue_finish(q, rc);
}


static b24_queue_rc_e
b24_queue_put_one_learned(b24_queue_t *q, const b24_queue_learned_t *value,
    int64_t now)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_PUT_LEARNED);
    b24_query_text(&query, &value->origin);
    b24_query_text(&query, &value->name);
    b24_query_text(&query, &value->value);
    b24_query_int(&query, now);

    rc = b24_query_done(&query);

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_CLEAN_LEARNED);
    b24_query_text(&query, &value->origin);
    b24_query_text(&query, &value->name);
    b24_query_int(&query, B24_QUEUE_LEARNED);

    return b24_query_done(&query);
}
