
/*
 * What the last day was like: a point of each origin every ten minutes, taken
 * from the counts that the queue keeps anyway.
 */

#include "b24_queue_int.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


/*
 * The orders of an origin since the last point.  A page that is looked at every
 * few seconds counts what came since it was looked at before, and not each time
 * what a busy hour brings in ten minutes.
 */
struct b24_tally_s {
    b24_tally_t  *next;
    int64_t       n;
    size_t        len;
    u_char        origin[1];
};


/* of the points read so far */
typedef struct {
    b24_queue_point_t  *elts;
    size_t              n;
    size_t              size;
    int64_t             first;      /* when the first of any origin was taken */
    int64_t             last;       /* id that the last one ends at, -1: none */
} b24_points_t;


static b24_queue_rc_e b24_queue_points_of(b24_queue_t *q, b24_pool_t *pool,
    b24_sql_e sql, int64_t time, const b24_str_t *origins, size_t norigins,
    b24_points_t *points);
static int64_t b24_queue_tally_since(b24_queue_t *q, int64_t last);
static int64_t b24_queue_tally(b24_queue_t *q, const b24_str_t *origin,
    int64_t n);
static b24_queue_point_t *b24_points_add(b24_pool_t *pool,
    b24_points_t *points);
static int b24_points_wanted(const b24_str_t *origin,
    const b24_str_t *origins, size_t norigins);
static void b24_points_differences(b24_points_t *points);


b24_queue_rc_e
b24_queue_point(b24_queue_t *q, int64_t now)
{
    int64_t         time;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    time = now - now % B24_QUEUE_POINT_MS;

    rc = b24_queue_begin(q);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    /* those of a clock that was ahead go as well, or none would be written */

    b24_query_init(&query, q, B24_SQL_DROP_POINTS);
    b24_query_int(&query, time - B24_QUEUE_POINTS_KEPT);
    b24_query_int(&query, time);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_init(&query, q, B24_SQL_POINT_AT);
        b24_query_int(&query, time);

        rc = b24_query_row(&query);

        (void) b24_query_end(&query);
    }

    if (rc == B24_QUEUE_NONE) {
        b24_query_init(&query, q, B24_SQL_PUT_POINT);
        b24_query_int(&query, time);

        rc = b24_query_done(&query);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_points(b24_queue_t *q, b24_pool_t *pool, const b24_str_t *origins,
    size_t norigins, int64_t since, int64_t now, b24_queue_point_t **points,
    size_t *n)
{
    int             own;
    b24_points_t    list;
    b24_queue_rc_e  rc;

    *points = NULL;
    *n = 0;

    memset(&list, 0, sizeof(b24_points_t));
    list.first = INT64_MAX;
    list.last = -1;

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_points_of(q, pool, B24_SQL_POINTS, since, origins,
                             norigins, &list);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_points_of(q, pool, B24_SQL_POINT_NOW, now, origins,
                                 norigins, &list);
    }

    if (rc == B24_QUEUE_OK) {
        b24_points_differences(&list);

        *points = list.elts;
        *n = list.n;
    }

    return own ? b24_queue_finish(q, rc) : rc;
}


static b24_queue_rc_e
b24_queue_points_of(b24_queue_t *q, b24_pool_t *pool, b24_sql_e sql,
    int64_t time, const b24_str_t *origins, size_t norigins,
    b24_points_t *points)
{
    int                 now;
    int64_t             last, accepted;
    b24_str_t           origin;
    b24_query_t         query;
    b24_queue_point_t  *p;

    now = (sql == B24_SQL_POINT_NOW);

    b24_query_init(&query, q, sql);
    b24_query_int(&query, time);

    if (now) {
        b24_query_int(&query, b24_queue_tally_since(q, points->last));
    }

    while (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_peek_str(&query, 1, &origin);

        last = b24_query_get_int(&query, 2);
        accepted = b24_query_get_int(&query, 3);

        if (now) {
            q->tallied_to = last > q->tallied_to ? last : q->tallied_to;
            accepted = b24_queue_tally(q, &origin, accepted);

        } else {
            points->last = last;
        }

        if (origin.len == 0) {
            time = b24_query_get_int(&query, 0);
            points->first = time < points->first ? time : points->first;
            continue;
        }

        if (!b24_points_wanted(&origin, origins, norigins)) {
            continue;
        }

        p = b24_points_add(pool, points);

        if (p == NULL) {
            query.rc = b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");
            break;
        }

        p->time = b24_query_get_int(&query, 0);
        b24_query_get_str(&query, 1, pool, &p->origin);
        p->accepted = accepted;
        p->delivered = b24_query_get_int(&query, 4);
        p->waiting = b24_query_get_int(&query, 5);
    }

    if (now && query.rc != B24_QUEUE_OK) {
        b24_queue_tally_forget(q);
    }

    return b24_query_end(&query);
}


/* the id that was counted up to since the point that ends at last; 0: nothing
 * was */

static int64_t
b24_queue_tally_since(b24_queue_t *q, int64_t last)
{
    if (last == -1 || q->tallied_from != last) {
        b24_queue_tally_forget(q);
        q->tallied_from = last;
    }

    return q->tallied_to;
}


/* n more have come: all of them */

static int64_t
b24_queue_tally(b24_queue_t *q, const b24_str_t *origin, int64_t n)
{
    b24_tally_t  *t;

    for (t = q->tallies; t; t = t->next) {

        if (t->len == origin->len
            && memcmp(t->origin, origin->data, origin->len) == 0)
        {
            t->n += n;
            return t->n;
        }
    }

    t = malloc(sizeof(b24_tally_t) + origin->len);

    if (t == NULL) {

        /* the next look counts from the point on */

        q->tallied_from = -1;
        return n;
    }

    t->n = n;
    t->len = origin->len;
    memcpy(t->origin, origin->data, origin->len);

    t->next = q->tallies;
    q->tallies = t;

    return n;
}


void
b24_queue_tally_forget(b24_queue_t *q)
{
    b24_tally_t  *t;

    while ((t = q->tallies) != NULL) {
        q->tallies = t->next;
        free(t);
    }

    q->tallied_from = -1;
    q->tallied_to = 0;
}


static b24_queue_point_t *
b24_points_add(b24_pool_t *pool, b24_points_t *points)
{
    size_t              size;
    b24_queue_point_t  *elts;

    if (points->n == points->size) {
        size = points->size ? points->size * 2 : 160;

        elts = b24_pcalloc(pool, size * sizeof(b24_queue_point_t));
        if (elts == NULL) {
            return NULL;
        }

        if (points->n) {
            memcpy(elts, points->elts, points->n * sizeof(b24_queue_point_t));
        }

        points->elts = elts;
        points->size = size;
    }

    return &points->elts[points->n++];
}


static int
b24_points_wanted(const b24_str_t *origin, const b24_str_t *origins,
    size_t norigins)
{
    size_t  i;

    for (i = 0; i < norigins; i++) {
        if (b24_str_eq(&origins[i], origin)) {
            return 1;
        }
    }

    return origins == NULL;
}


/* the file has how many were delivered in all: from the last to the first, each
 * becomes what came since the one before it */

static void
b24_points_differences(b24_points_t *points)
{
    size_t              i, k;
    b24_queue_point_t  *p, *e;

    e = points->elts;

    for (i = points->n; i-- > 0; /* void */) {
        p = &e[i];

        for (k = i; k-- > 0; /* void */) {

            if (b24_str_eq(&e[k].origin, &p->origin)) {
                break;
            }
        }

        if (k == (size_t) -1) {

            /* it is new, or nobody knows what was before */

            if (p->time <= points->first) {
                p->delivered = 0;
                p->accepted = 0;
            }

            continue;
        }

        p->delivered -= e[k].delivered;
        p->delivered = p->delivered < 0 ? 0 : p->delivered;
    }
}
