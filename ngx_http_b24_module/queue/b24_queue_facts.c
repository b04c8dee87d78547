
/*
 * What of a portal is known without asking it.
 */

#include "b24_queue_int.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>


#define B24_QUEUE_FACTS_STEP  2     /* old ones dropped for a new one */


static b24_queue_rc_e b24_queue_recall_all(b24_queue_t *q,
    b24_queue_fact_t *facts, size_t n, int64_t max_age_ms, int64_t now);
static b24_queue_rc_e b24_queue_recall_one(b24_queue_t *q,
    const u_char *salt, b24_queue_fact_t *fact, int64_t max_age_ms,
    int64_t now);
static b24_queue_rc_e b24_queue_put_fact(b24_queue_t *q, const u_char *salt,
    const b24_queue_fact_t *fact, int64_t now);
static b24_queue_rc_e b24_queue_drop_fact(b24_queue_t *q, const u_char *salt,
    const b24_queue_fact_t *fact);
static b24_queue_rc_e b24_queue_drop_facts_of(b24_queue_t *q,
    const b24_queue_fact_t *fact);
static b24_queue_rc_e b24_queue_facts_room(b24_queue_t *q, int limit);
static b24_queue_rc_e b24_queue_drop_facts(b24_queue_t *q, b24_sql_e sql,
    int64_t time, int *limit);
static int64_t b24_queue_fact_hash(const u_char *salt,
    const b24_queue_fact_t *fact);
static b24_queue_rc_e b24_queue_random(b24_queue_t *q, u_char *p, size_t len);


b24_queue_rc_e
b24_queue_recall(b24_queue_t *q, b24_queue_fact_t *facts, size_t n,
    int64_t max_age_ms, int64_t now)
{
    int             own;
    size_t          i;
    b24_queue_rc_e  rc;

    for (i = 0; i < n; i++) {
        facts[i].id = 0;
        facts[i].time = 0;
    }

    rc = b24_queue_begin_read(q, &own);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_recall_all(q, facts, n, max_age_ms, now);

    /* nothing was written: what matters is that the transaction ends */

    if (own) {
        b24_queue_rollback(q);
    }

    for (i = 0; rc != B24_QUEUE_OK && i < n; i++) {
        facts[i].id = 0;
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_recall_all(b24_queue_t *q, b24_queue_fact_t *facts, size_t n,
    int64_t max_age_ms, int64_t now)
{
    size_t          i;
    u_char          salt[B24_SIP_KEY];
    b24_queue_rc_e  rc;

    rc = b24_queue_salt(q, 0, salt);

    if (rc == B24_QUEUE_NONE) {
        return B24_QUEUE_OK;
    }

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {

        if (facts[i].key.len) {
            rc = b24_queue_recall_one(q, salt, &facts[i], max_age_ms, now);
        }
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_recall_one(b24_queue_t *q, const u_char *salt,
    b24_queue_fact_t *fact, int64_t max_age_ms, int64_t now)
{
    int64_t      time;
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_FACT);
    b24_query_int(&query, b24_queue_fact_hash(salt, fact));
    b24_query_text(&query, &fact->portal);
    b24_query_chars(&query, b24_queue_fact_name(fact->kind));

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        time = b24_query_get_int(&query, 1);

        if (time >= now - max_age_ms && time <= now + B24_QUEUE_DAY) {
            fact->id = b24_query_get_int(&query, 0);
            fact->time = time;
        }
    }

    return b24_query_end(&query);
}


b24_queue_rc_e
b24_queue_learn(b24_queue_t *q, const b24_queue_fact_t *facts, size_t n,
    int64_t now)
{
    b24_queue_rc_e  rc;

    if (n == 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_begin(q);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_put_facts(q, facts, n, now);
    }

    return b24_queue_finish(q, rc);
}


b24_queue_rc_e
b24_queue_put_facts(b24_queue_t *q, const b24_queue_fact_t *facts, size_t n,
    int64_t now)
{
    size_t          i;
    u_char          salt[B24_SIP_KEY];
    b24_queue_rc_e  rc;

    if (n == 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_salt(q, 1, salt);

    for (i = 0; rc == B24_QUEUE_OK && i < n; i++) {

        if (b24_queue_fact_name(facts[i].kind) == NULL) {
            rc = b24_queue_fault(q, B24_QUEUE_ERROR, "no such kind of fact");

        } else if (facts[i].id < 0) {
            rc = b24_queue_drop_facts_of(q, &facts[i]);

        } else if (facts[i].key.len == 0) {
            continue;

        } else if (facts[i].id == 0) {
            rc = b24_queue_drop_fact(q, salt, &facts[i]);

        } else {
            rc = b24_queue_put_fact(q, salt, &facts[i], now);
        }
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_put_fact(b24_queue_t *q, const u_char *salt,
    const b24_queue_fact_t *fact, int64_t now)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, B24_SQL_PUT_FACT);
    b24_query_int(&query, b24_queue_fact_hash(salt, fact));
    b24_query_text(&query, &fact->portal);
    b24_query_chars(&query, b24_queue_fact_name(fact->kind));
    b24_query_int(&query, fact->id);
    b24_query_int(&query, now);

    rc = b24_query_done(&query);

    return rc == B24_QUEUE_OK ? b24_queue_facts_room(q, B24_QUEUE_FACTS_STEP)
                              : rc;
}


static b24_queue_rc_e
b24_queue_drop_fact(b24_queue_t *q, const u_char *salt,
    const b24_queue_fact_t *fact)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_DROP_FACT);
    b24_query_int(&query, b24_queue_fact_hash(salt, fact));
    b24_query_text(&query, &fact->portal);
    b24_query_chars(&query, b24_queue_fact_name(fact->kind));

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_drop_facts_of(b24_queue_t *q, const b24_queue_fact_t *fact)
{
    b24_query_t  query;

    b24_query_init(&query, q, B24_SQL_DROP_FACTS_OF);
    b24_query_text(&query, &fact->portal);
    b24_query_chars(&query, b24_queue_fact_name(fact->kind));
    b24_query_int(&query, fact->id);

    return b24_query_done(&query);
}


/* the oldest beyond the most that are kept, at most limit of them */

static b24_queue_rc_e
b24_queue_facts_room(b24_queue_t *q, int limit)
{
    int64_t         n;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    n = 0;

    b24_query_init(&query, q, B24_SQL_FACTS);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        n = b24_query_get_int(&query, 0);
    }

    rc = b24_query_end(&query);

    n -= q->max_facts;

    if (rc != B24_QUEUE_OK || n <= 0) {
        return rc;
    }

    if (n < limit) {
        limit = (int) n;
    }

    return b24_queue_drop_facts(q, B24_SQL_CLEAN_FACTS, INT64_MAX, &limit);
}


b24_queue_rc_e
b24_queue_clean_facts(b24_queue_t *q, int64_t keep_ms, int limit, int64_t now)
{
    b24_queue_rc_e  rc;

    rc = b24_queue_drop_facts(q, B24_SQL_CLEAN_FACTS, now - keep_ms, &limit);

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_drop_facts(q, B24_SQL_CLEAN_FUTURE_FACTS,
                                  now + B24_QUEUE_DAY, &limit);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_facts_room(q, limit);
    }

    return rc;
}


static b24_queue_rc_e
b24_queue_drop_facts(b24_queue_t *q, b24_sql_e sql, int64_t time, int *limit)
{
    b24_query_t     query;
    b24_queue_rc_e  rc;

    b24_query_init(&query, q, sql);
    b24_query_int(&query, time);
    b24_query_int(&query, *limit);

    rc = b24_query_done(&query);

    if (rc == B24_QUEUE_OK) {
        *limit -= sqlite3_changes(q->db);
    }

    return rc;
}


/* the length keeps "a" + "bc" and "ab" + "c" apart */

static int64_t
b24_queue_fact_hash(const u_char *salt, const b24_queue_fact_t *fact)
{
    u_char     kind;
    uint64_t   len;
    b24_sip_t  sip;

    kind = (u_char) fact->kind;
    len = fact->portal.len;

    b24_sip_init(&sip, salt);
    b24_sip_add(&sip, &kind, 1);
    b24_sip_add(&sip, &len, sizeof(len));
    b24_sip_add(&sip, fact->portal.data, fact->portal.len);
    b24_sip_add(&sip, fact->key.data, fact->key.len);

    return (int64_t) b24_sip_end(&sip);
}


b24_queue_rc_e
b24_queue_salt(b24_queue_t *q, int create, u_char salt[B24_SIP_KEY])
{
    b24_str_t       bytes;
    b24_query_t     query;
    b24_queue_rc_e  rc, end;

    b24_query_init(&query, q, B24_SQL_SALT);

    rc = b24_query_row(&query);

    if (rc == B24_QUEUE_OK) {
        b24_query_peek_blob(&query, 0, &bytes);

        if (bytes.data == NULL || bytes.len != B24_SIP_KEY) {
            rc = b24_queue_fault(q, B24_QUEUE_NOMEM, "out of memory");

        } else {
            memcpy(salt, bytes.data, B24_SIP_KEY);
        }
    }

    end = b24_query_end(&query);

    if (end != B24_QUEUE_OK) {
        return end;
    }

    if (rc != B24_QUEUE_NONE || !create) {
        return rc;
    }

    rc = b24_queue_random(q, salt, B24_SIP_KEY);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_PUT_SALT);
    b24_query_blob(&query, salt, B24_SIP_KEY);

    return b24_query_done(&query);
}


static b24_queue_rc_e
b24_queue_random(b24_queue_t *q, u_char *p, size_t len)
{
    ssize_t  n;

    while (len) {
        n = getrandom(p, len, 0);

        if (n < 0) {

            if (errno == EINTR) {
                continue;
            }

            (void) snprintf(q->message, sizeof(q->message),
                            "getrandom() failed (errno %d)", errno);
            return B24_QUEUE_ERROR;
        }

        p += n;
        len -= (size_t) n;
    }

    return B24_QUEUE_OK;
}
