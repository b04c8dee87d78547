
/*
 * What people and the desk read.
 */

#include "b24_queue_int.h"

#include <stdio.h>
#include <stdlib.h>


#define B24_QUEUE_LIST_MAX  1000


/* the latest records found so far, newest first */
typedef struct {
    int64_t   id;
    int64_t   updated;
} b24_latest_t;

typedef struct {
    b24_latest_t  *elts;
    int            n;
    int            max;
} b24_list_t;


static b24_queue_rc_e b24_queue_count_rows(b24_queue_t *q, b24_pool_t *pool,
    b24_queue_counts_t **counts, size_t *n, int64_t *change);
static b24_queue_rc_e b24_queue_origins(b24_queue_t *q, b24_pool_t *pool,
    b24_str_t **origins, size_t *n);
static b24_queue_rc_e b24_queue_count_more(b24_queue_t *q,
    b24_queue_counts_t *counts);
static b24_queue_rc_e b24_queue_list_init(b24_queue_t *q, b24_pool_t *pool,
    int limit, b24_list_t *list, b24_queue_record_t **records, size_t *n);
static b24_queue_rc_e b24_queue_list_records(b24_queue_t *q, b24_pool_t *pool,
    b24_list_t *list, b24_queue_record_t **records, size_t *n);
static b24_queue_rc_e b24_queue_list_ids(b24_queue_t *q, b24_sql_e sql,
    const b24_str_t *origin, b24_state_e state, b24_list_t *list);
static void b24_queue_list_add(b24_list_t *list, int64_t id, int64_t updated);
static b24_queue_rc_e b24_queue_record(b24_queue_t *q, b24_pool_t *pool,
    int64_t id, b24_queue_record_t *r);
static b24_queue_rc_e b24_queue_record_read(b24_queue_t *q, b24_pool_t *pool,
    b24_sql_e sql, int64_t id, b24_queue_record_t *r);
static b24_queue_rc_e b24_queue_find(b24_queue_t *q, const b24_str_t *key,
    const b24_str_t *origin, const b24_str_t *order_id, int64_t *ids, int *n);
static b24_queue_rc_e b24_queue_find_by(b24_queue_t *q, b24_sql_e sql,
    const b24_str_t *origin, const b24_str_t *order_id, int64_t *ids, int *n);
static b24_queue_rc_e b24_queue_moments(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, b24_queue_moment_t **moments, size_t *n);
static b24_queue_rc_e b24_queue_moments_of(b24_queue_t *q, b24_pool_t *pool,
    b24_sql_e sql, int64_t record, b24_queue_moment_t *moments, size_t *n);
static b24_queue_rc_e b24_queue_dropped_moments(b24_queue_t *q,
    b24_pool_t *pool, int64_t record, b24_queue_moment_t *m, size_t *n);


b24_queue_rc_e
b24_queue_link(b24_queue_t *q, const b24_str_t *origin,
    const b24_str_t *order_id, b24_queue_link_t *link)
{
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    memset(link, 0, sizeof(b24_queue_link_t));

    b24_query_init(&query, q, B24_SQL_LINK);
    b24_query_text(&query, origin);
    b24_query_text(&query, order_id);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        link->deal_id = b24_query_get_int(&query, 0);
        link->contact_id = b24_query_get_int(&query, 1);
        link->company_id = b24_query_get_int(&query, 2);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_counts(b24_queue_t *q, b24_pool_t *pool, b24_queue_counts_t **counts,
    size_t *n, int64_t *change)
{
    int             own;
    size_t          i;
    b24_queue_rc_e  rc;

    *counts = NULL;
    *n = 0;
    *change = 0;

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_count_rows(q, pool, counts, n, change);

    for (i = 0; rc == B24_QUEUE_OK && i < *n; i++) {
        rc = b24_queue_count_more(q, &(*counts)[i]);
    }

    return own ? b24_queue_finish(q, rc) : rc;
}


/* of one origin, what its counts don't tell */

static b24_queue_rc_e
b24_queue_count_more(b24_queue_t *q, b24_queue_counts_t *counts)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_OLDEST);
    b24_query_text(&query, &counts->origin);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        counts->oldest = b24_query_get_int(&query, 0);
        counts->paused = (int) b24_query_get_int(&query, 1);
    }

    return b24_query_end(&query);
}


static b24_queue_rc_e
b24_queue_count_rows(b24_queue_t *q, b24_pool_t *pool,
    b24_queue_counts_t **counts, size_t *n, int64_t *change)
{
    b24_str_t            origin, name;
    b24_query_t          query;
    b24_state_e          state;
    b24_queue_counts_t  *c;

    c = NULL;

    b24_query_init(&query, q, B24_SQL_COUNTS);

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 0, &origin);
        b24_query_peek_str(&query, 1, &name);

        if (c == NULL || !b24_str_eq(&c->origin, &origin)) {

            c = b24_pgrow(pool, *counts, *n, sizeof(b24_queue_counts_t));

            if (c == NULL) {
                query.rc = b24_queue_fault(q, B24_QUEUE_NOMEM,
                                           "out of memory");
                break;
            }

            *counts = c;
            c = &(*counts)[(*n)++];

            memset(c, 0, sizeof(b24_queue_counts_t));
            b24_query_get_str(&query, 0, pool, &c->origin);
        }

        state = b24_state_find(&name);

        if (state < B24_NSTATES) {
            c->counts[state] = b24_query_get_int(&query, 2);
        }

        *change += b24_query_get_int(&query, 3);
    }

    return b24_query_end(&query);
}


static b24_queue_rc_e
b24_queue_origins(b24_queue_t *q, b24_pool_t *pool, b24_str_t **origins,
    size_t *n)
{
    b24_str_t   *list;
    b24_query_t  query;

    *origins = NULL;
    *n = 0;

    b24_query_init(&query, q, B24_SQL_ORIGINS);

    while (b24_query_row(&query) == B24_QUEUE_OK) {

        list = b24_pgrow(pool, *origins, *n, sizeof(b24_str_t));

        if (list == NULL) {
            query.rc = b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
            break;
        }

        *origins = list;

        b24_query_get_str(&query, 0, pool, &(*origins)[(*n)++]);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_list(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origins,
    size_t norigins, b24_state_e state, int limit,
    b24_queue_record_t **records, size_t *n)
{
    int             own, i;
    size_t          k;
    b24_str_t      *all;
    b24_list_t      list;
    b24_queue_rc_e  rc;

    rc = b24_queue_list_init(q, pool, limit, &list, records, n);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_begin_read(q, &own);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (origins == NULL) {
        rc = b24_queue_origins(q, pool, &all, &norigins);
        origins = all;
    }

    for (k = 0; rc == B24_QUEUE_OK && k < norigins; k++) {

        for (i = 0; rc == B24_QUEUE_OK && i < B24_NSTATES; i++) {

            if (state != B24_NSTATES && state != (b24_state_e) i) {
                continue;
            }

            /* no record is in this state, but some of those that are gone
             * were */

            rc = b24_queue_list_ids(q, i == B24_STATE_REJECTED
                                       ? B24_SQL_LATEST_DROPPED
                                       : B24_SQL_LATEST,
                                    &origins[k], (b24_state_e) i, &list);

            if (rc == B24_QUEUE_OK && i == B24_STATE_CAPTURED) {
                rc = b24_queue_list_ids(q, B24_SQL_LATEST_CAPTURES,
                                        &origins[k], (b24_state_e) i, &list);
            }
        }
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_list_records(q, pool, &list, records, n);
    }

    return own ? b24_queue_finish(q, rc) : rc;
}


b24_queue_rc_e
b24_queue_list_oldest(b24_queue_t *q, b24_pool_t *pool,
    const b24_str_t *origin, int limit, b24_queue_record_t **records,
    size_t *n)
{
    int             own;
    b24_list_t      list;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    rc = b24_queue_list_init(q, pool, limit, &list, records, n);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_begin_read(q, &own);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_LONGEST);
    b24_query_text(&query, origin);
    b24_query_int(&query, list.max);

    while (list.n < list.max && b24_query_row(&query) == B24_QUEUE_OK) {
        list.elts[list.n].id = b24_query_get_int(&query, 0);
        list.elts[list.n++].updated = b24_query_get_int(&query, 1);
    }

    rc = b24_query_end(&query);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_list_records(q, pool, &list, records, n);
    }

    return own ? b24_queue_finish(q, rc) : rc;
}


static b24_queue_rc_e
b24_queue_list_init(b24_queue_t *q, b24_pool_t *pool, int limit,
    b24_list_t *list, b24_queue_record_t **records, size_t *n)
{
    *records = NULL;
    *n = 0;

    list->n = 0;
    list->max = limit < 1 ? 1
                : limit > B24_QUEUE_LIST_MAX ? B24_QUEUE_LIST_MAX : limit;
    list->elts = b24_palloc(pool, (size_t) list->max * sizeof(b24_latest_t));

    return list->elts ? B24_QUEUE_OK
                      : b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
}


static b24_queue_rc_e
b24_queue_list_records(b24_queue_t *q, b24_pool_t *pool, b24_list_t *list,
    b24_queue_record_t **records, size_t *n)
{
    int                  i;
    b24_queue_rc_e       rc;
    b24_queue_record_t  *r;

    if (list->n == 0) {
        return B24_QUEUE_OK;
    }

    r = b24_pcalloc(pool, (size_t) list->n * sizeof(b24_queue_record_t));

    if (r == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = B24_QUEUE_OK;

    for (i = 0; rc == B24_QUEUE_OK && i < list->n; i++) {
        rc = b24_queue_record(q, pool, list->elts[i].id, &r[i]);
    }

    if (rc == B24_QUEUE_OK) {
        *records = r;
        *n = (size_t) list->n;
    }

    return rc;
}


/*
 * One index serves any choice: the latest of each origin and state, merged.
 * Of captures there are not many, they go with their requests: all are read.
 */

static b24_queue_rc_e
b24_queue_list_ids(b24_queue_t *q, b24_sql_e sql, const b24_str_t *origin,
    b24_state_e state, b24_list_t *list)
{
    int64_t      least;
    b24_query_t  query;

    least = list->n == list->max ? list->elts[list->n - 1].updated : INT64_MIN;

    b24_query_init(&query, q, sql);
    b24_query_text(&query, origin);

    if (sql == B24_SQL_LATEST) {
        b24_query_chars(&query, b24_state_name(state));
    }

    b24_query_int(&query, least);

    if (sql != B24_SQL_LATEST_CAPTURES) {
        b24_query_int(&query, list->max);
    }

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_queue_list_add(list, b24_query_get_int(&query, 0),
                           b24_query_get_int(&query, 1));
    }

    return b24_query_end(&query);
}


static void
b24_queue_list_add(b24_list_t *list, int64_t id, int64_t updated)
{
    int            i, low, high;
    b24_latest_t  *e;

    low = 0;
    high = list->n;

    while (low < high) {
        i = (low + high) / 2;
        e = &list->elts[i];

        if (e->updated > updated || (e->updated == updated && e->id > id)) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    if (low == list->max) {
        return;
    }

    if (list->n < list->max) {
        list->n++;
    }

    memmove(&list->elts[low + 1], &list->elts[low],
            (size_t) (list->n - low - 1) * sizeof(b24_latest_t));

    list->elts[low].id = id;
    list->elts[low].updated = updated;
}


static b24_queue_rc_e
b24_queue_record(b24_queue_t *q, b24_pool_t *pool, int64_t id,
    b24_queue_record_t *r)
{
    size_t          i;
    b24_queue_rc_e  rc;

    static const b24_sql_e  tables[] = {
        B24_SQL_RECORD, B24_SQL_DROPPED, B24_SQL_CAPTURE_RECORD
    };

    rc = B24_QUEUE_NONE;

    for (i = 0;
         rc == B24_QUEUE_NONE && i < sizeof(tables) / sizeof(tables[0]);
         i++)
    {
        rc = b24_queue_record_read(q, pool, tables[i], id, r);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_record_read(b24_queue_t *q, b24_pool_t *pool, b24_sql_e sql,
    int64_t id, b24_queue_record_t *r)
{
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, sql);
    b24_query_int(&query, id);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_queue_key_print(r->key, b24_query_get_int(&query, 0));
        b24_query_get_str(&query, 1, pool, &r->origin);
        b24_query_get_str(&query, 2, pool, &r->order_id);
        b24_query_get_str(&query, 3, pool, &r->rule);
        b24_query_peek_str(&query, 4, &name);
        r->state = b24_state_find(&name);
        r->deal_id = b24_query_get_int(&query, 5);
        r->contact_id = b24_query_get_int(&query, 6);
        r->company_id = b24_query_get_int(&query, 7);
        r->attempts = (int) b24_query_get_int(&query, 8);
        r->created = b24_query_get_int(&query, 9);
        r->updated = b24_query_get_int(&query, 10);
        r->next = b24_query_get_int(&query, 11);
        b24_query_get_str(&query, 12, pool, &r->cause);
        b24_query_get_str(&query, 13, pool, &r->advice);
        r->reuse = (int) b24_query_get_int(&query, 14);
        b24_query_get_str(&query, 15, pool, &r->origin_id);
    }

    end = b24_query_end(&query);

    return end != B24_QUEUE_OK ? end : rc;
}


b24_queue_rc_e
b24_queue_get(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *key,
    const b24_str_t *origin, const b24_str_t *order_id,
    b24_queue_record_t **records, size_t *n)
{
    int                  own, i, found;
    int64_t              ids[B24_QUEUE_FOUND];
    b24_query_t          query;
    b24_queue_rc_e       rc;
    b24_queue_record_t  *r;

    *records = NULL;
    *n = 0;

    r = b24_pcalloc(pool, B24_QUEUE_FOUND * sizeof(b24_queue_record_t));
    if (r == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_find(q, key, origin, order_id, ids, &found);

    for (i = 0; rc == B24_QUEUE_OK && i < found; i++) {
        rc = b24_queue_record(q, pool, ids[i], &r[i]);

        if (rc != B24_QUEUE_OK) {
            break;
        }

        b24_query_init(&query, q, B24_SQL_FIRST_DATA);
        b24_query_int(&query, ids[i]);

        if (b24_query_row(&query) == B24_QUEUE_OK) {
            b24_query_get_str(&query, 0, pool, &r[i].data);
        }

        rc = b24_query_end(&query);
    }

    if (rc == B24_QUEUE_OK) {
        *records = r;
        *n = (size_t) found;
    }

    /* nothing was written: what matters is that the transaction ends */

    if (own) {
        b24_queue_rollback(q);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_find(b24_queue_t *q, const b24_str_t *key, const b24_str_t *origin,
    const b24_str_t *order_id, int64_t *ids, int *n)
{
    size_t          i;
    b24_queue_rc_e  rc;

    static const b24_sql_e  ways[] = {
        B24_SQL_BY_NUMBER, B24_SQL_BY_SHOP_NUMBER, B24_SQL_BY_ORIGIN_ID,
        B24_SQL_DROPPED_BY_NUMBER
    };

    *n = 0;

    if (key && key->len) {
        ids[0] = b24_queue_key_parse(key->data, key->len);
        *n = 1;

        return ids[0] ? B24_QUEUE_OK : B24_QUEUE_NONE;
    }

    if (order_id == NULL || order_id->len == 0) {
        return B24_QUEUE_NONE;
    }

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        rc = b24_queue_find_by(q, ways[i], origin, order_id, ids, n);

        if (rc != B24_QUEUE_OK || *n) {
            return rc;
        }
    }

    return B24_QUEUE_NONE;
}


static b24_queue_rc_e
b24_queue_find_by(b24_queue_t *q, b24_sql_e sql, const b24_str_t *origin,
    const b24_str_t *order_id, int64_t *ids, int *n)
{
    b24_query_t  query;

    b24_query_init(&query, q, sql);
    b24_query_text(&query, order_id);
    b24_query_str(&query, origin);
    b24_query_int(&query, B24_QUEUE_FOUND);

    while (*n < B24_QUEUE_FOUND && b24_query_row(&query) == B24_QUEUE_OK) {
        ids[(*n)++] = b24_query_get_int(&query, 0);
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_timeline(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const char *key, b24_queue_moment_t **moments, size_t *n)
{
    int             own;
    b24_queue_rc_e  rc;

    *moments = NULL;
    *n = 0;

    if (record == 0 && key) {
        record = b24_queue_key_parse((const u_char *) key, strlen(key));
    }

    if (record == 0) {
        return B24_QUEUE_NONE;
    }

    /* one view of all tables: a capture may become a record meanwhile */

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_moments(q, pool, record, moments, n);

    if (own) {
        b24_queue_rollback(q);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_moments(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_queue_moment_t **moments, size_t *n)
{
    b24_queue_rc_e  rc;

    *moments = b24_pcalloc(pool,
                           B24_QUEUE_MOMENTS * sizeof(b24_queue_moment_t));
    if (*moments == NULL) {
        return b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
    }

    rc = b24_queue_moments_of(q, pool, B24_SQL_FIRST_MOMENTS, record, *moments,
                              n);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_moments_of(q, pool, B24_SQL_TIMELINE, record, *moments,
                                  n);
    }

    if (rc == B24_QUEUE_OK && *n == 0) {
        rc = b24_queue_moments_of(q, pool, B24_SQL_CAPTURE_MOMENTS, record,
                                  *moments, n);
    }

    return rc == B24_QUEUE_OK && *n == 0
           ? b24_queue_dropped_moments(q, pool, record, *moments, n) : rc;
}


static b24_queue_rc_e
b24_queue_moments_of(b24_queue_t *q, b24_pool_t *pool, b24_sql_e sql,
    int64_t record, b24_queue_moment_t *moments, size_t *n)
{
    b24_str_t            name;
    b24_query_t          query;
    b24_queue_moment_t  *m;

    b24_query_init(&query, q, sql);
    b24_query_int(&query, record);

    while (*n < B24_QUEUE_MOMENTS && b24_query_row(&query) == B24_QUEUE_OK) {
        m = &moments[(*n)++];

        m->time = b24_query_get_int(&query, 0);
        m->last = b24_query_get_int(&query, 1);
        m->count = (int) b24_query_get_int(&query, 2);
        b24_query_peek_str(&query, 3, &name);
        m->state = b24_state_find(&name);
        b24_query_get_str(&query, 4, pool, &m->cause);
        b24_query_get_str(&query, 5, pool, &m->method);
        b24_query_get_str(&query, 6, pool, &m->error);
    }

    return b24_query_end(&query);
}


/* the timeline has gone with the record: its last state, and who dropped it */

static b24_queue_rc_e
b24_queue_dropped_moments(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_queue_moment_t *m, size_t *n)
{
    b24_str_t       name;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_DROPPED_MOMENTS);
    b24_query_int(&query, record);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        m[0].time = b24_query_get_int(&query, 0);
        m[0].last = m[0].time;
        m[0].count = 1;
        b24_query_peek_str(&query, 1, &name);
        m[0].state = b24_state_find(&name);

        m[1].time = b24_query_get_int(&query, 2);
        m[1].last = m[1].time;
        m[1].count = 1;
        m[1].state = B24_STATE_REJECTED;
        b24_query_get_str(&query, 3, pool, &m[1].cause);

        *n = 2;
    }

    rc = b24_query_end(&query);

    return rc == B24_QUEUE_OK && *n == 0 ? B24_QUEUE_NONE : rc;
}
