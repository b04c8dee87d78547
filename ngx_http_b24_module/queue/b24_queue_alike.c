
/*
 * An order whose answer was not seen and of which nothing is known that the
 * shop's database could be asked by: it may have come in from there all the
 * same, and is known by its buyer, its total, and the time.
 */


#include "b24_queue_int.h"
#include "b24_order.h"


#define B24_ALIKE_BEFORE   ((int64_t) 10 * 60 * 1000)       /* ms */
#define B24_ALIKE_AFTER    ((int64_t) 24 * 3600 * 1000)
#define B24_ALIKE_RECORDS  10000        /* looked through in each direction */


typedef struct {
    int64_t       record;
    int64_t       created;
    b24_str_t     origin;
    b24_order_t  *order;
} b24_alike_t;


static b24_queue_rc_e b24_queue_alike_of(b24_queue_t *q, b24_pool_t *pool,
    b24_alike_t *of);
static b24_queue_rc_e b24_queue_alike_find(b24_queue_t *q, b24_pool_t *pool,
    const b24_alike_t *of, b24_sql_e sql, int64_t *twin);
static int b24_queue_alike_orders(const b24_order_t *a, const b24_order_t *b);
static int b24_queue_alike_field(const b24_order_t *a, const b24_order_t *b,
    int field);


b24_queue_rc_e
b24_queue_alike(b24_queue_t *q, b24_pool_t *pool, int64_t record, int64_t now)
{
    int64_t         twin;
    b24_str_t       origin;
    b24_queue_rc_e  rc;

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_alike_twin(q, pool, record, &origin, &twin);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_double(q, record, &origin, twin, now);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_alike_twin(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_str_t *origin, int64_t *twin)
{
    b24_alike_t     of;
    b24_queue_rc_e  rc;

    memset(&of, 0, sizeof(b24_alike_t));

    of.record = record;
    *twin = 0;

    rc = b24_queue_alike_of(q, pool, &of);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_alike_find(q, pool, &of, B24_SQL_ALIKE_AFTER, twin);
    }

    if (rc == B24_QUEUE_OK && *twin == 0) {
        rc = b24_queue_alike_find(q, pool, &of, B24_SQL_ALIKE_BEFORE, twin);
    }

    *origin = of.origin;

    return rc == B24_QUEUE_OK && *twin == 0 ? B24_QUEUE_NONE : rc;
}


static b24_queue_rc_e
b24_queue_alike_of(b24_queue_t *q, b24_pool_t *pool, b24_alike_t *of)
{
    int             parsed;
    b24_str_t       data;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_ALIKE_OF);
    b24_query_int(&query, of->record);

    rc = b24_query_row(&query);
    parsed = B24_DECLINED;

    if (rc == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &of->origin);
        of->created = b24_query_get_int(&query, 1);
        b24_query_get_str(&query, 2, pool, &data);

        parsed = b24_order_parse(pool, &data, &of->order);
    }

    end = b24_query_end(&query);

    if (rc != B24_QUEUE_OK || end != B24_QUEUE_OK) {
        return end != B24_QUEUE_OK ? end : rc;
    }

    return parsed == B24_OK ? B24_QUEUE_OK
           : parsed == B24_DECLINED ? B24_QUEUE_NONE : B24_QUEUE_NOMEM;
}


/* from the record on, one way or the other, as far as the time is near */

static b24_queue_rc_e
b24_queue_alike_find(b24_queue_t *q, b24_pool_t *pool, const b24_alike_t *of,
    b24_sql_e sql, int64_t *twin)
{
    int64_t         created;
    b24_str_t       data;
    b24_order_t    *order;
    b24_query_t     query;

    b24_query_init(&query, q, sql);
    b24_query_int(&query, of->record);
    b24_query_text(&query, &of->origin);
    b24_query_int(&query, B24_ALIKE_RECORDS);

    while (*twin == 0 && b24_query_row(&query) == B24_QUEUE_OK) {
        created = b24_query_get_int(&query, 1);

        if (created < of->created - B24_ALIKE_BEFORE
            || created > of->created + B24_ALIKE_AFTER)
        {
            break;
        }

        if (b24_query_get_int(&query, 2) == 0) {
            continue;
        }

        b24_query_get_str(&query, 3, pool, &data);

        if (b24_order_parse(pool, &data, &order) == B24_OK
            && b24_queue_alike_orders(of->order, order))
        {
            *twin = b24_query_get_int(&query, 0);
        }
    }

    return b24_query_end(&query);
}


/* of the same buyer; totals that are known on both sides are the same */

static int
b24_queue_alike_orders(const b24_order_t *a, const b24_order_t *b)
{
    return (b24_queue_alike_field(a, b, B24_ORDER_EMAIL) > 0
            || b24_queue_alike_field(a, b, B24_ORDER_PHONE) > 0)
           && b24_queue_alike_field(a, b, B24_ORDER_TOTAL) != 0;
}


/* 1: the same, 0: another, -1: not known */

static int
b24_queue_alike_field(const b24_order_t *a, const b24_order_t *b, int field)
{
    char         left[17], right[17];
    b24_order_t  one;

    if (a->fields[field].len == 0 || b->fields[field].len == 0) {
        return -1;
    }

    memset(&one, 0, sizeof(b24_order_t));

    one.fields[field] = a->fields[field];
    b24_order_fingerprint(&one, left);

    one.fields[field] = b->fields[field];
    b24_order_fingerprint(&one, right);

    return strcmp(left, right) == 0;
}
