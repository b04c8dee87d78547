
/*
 * What a shop says of an order, and where its deal stands: the table "seen".
 */

#include "b24_queue_int.h"


static void b24_queue_seen_flag(b24_buf_t *buf, const b24_str_t *flag);
static int b24_queue_seen_pair(b24_pool_t *pool, const b24_str_t *shop,
    const b24_str_t *sent, b24_str_t *text);
static b24_queue_rc_e b24_queue_seen_row(b24_queue_t *q, b24_pool_t *pool,
    int64_t record, const b24_queue_seen_t *seen, b24_str_t *text);
static void b24_queue_seen_stated(b24_str_t *row, b24_str_t *stated);
static void b24_queue_seen_split(b24_str_t *text, b24_str_t *sent);


b24_queue_rc_e
b24_queue_put_seen(b24_queue_t *q, int64_t record,
    const b24_queue_seen_t *seen)
{
    b24_buf_t       buf;
    b24_str_t       settled, changed, total, goods;
    b24_pool_t     *pool;
    b24_query_t     query;
    b24_queue_rc_e  rc;

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return B24_QUEUE_NOMEM;
    }

    memset(&settled, 0, sizeof(b24_str_t));
    b24_buf_init(&buf, pool);

    if ((seen->settled
         && b24_queue_seen_print(seen, &buf, &settled) != B24_OK)
        || b24_queue_seen_pair(pool, &seen->total, &seen->sent_total, &total)
           != B24_OK
        || b24_queue_seen_pair(pool, &seen->goods, &seen->sent_rows, &goods)
           != B24_OK)
    {
        b24_pool_destroy(pool);
        return B24_QUEUE_NOMEM;
    }

    if (seen->unsettled) {
        settled = (b24_str_t) b24_string("-");
    }

    rc = b24_queue_seen_row(q, pool, record, seen, &changed);

    if (rc != B24_QUEUE_OK) {
        b24_pool_destroy(pool);
        return rc;
    }

    b24_query_init(&query, q, B24_SQL_PUT_SEEN);
    b24_query_int(&query, record);
    b24_query_str(&query, &seen->status);
    b24_query_str(&query, &seen->canceled);
    b24_query_str(&query, &seen->paid);
    b24_query_str(&query, &seen->shipped);
    b24_query_str(&query, &changed);
    b24_query_id(&query, seen->time);
    b24_query_str(&query, &settled);
    b24_query_str(&query, &seen->sent);
    b24_query_id(&query, seen->sent_time);
    b24_query_str(&query, &seen->held);
    b24_query_id(&query, seen->held_time);
    b24_query_id(&query, seen->moved);
    b24_query_str(&query, &total);
    b24_query_str(&query, &goods);
    b24_query_id(&query, seen->stamp);

    rc = b24_query_done(&query);

    b24_pool_destroy(pool);

    return rc;
}


/* what "changes" has told, and since when the state is so, as one column: who
 * puts one of them keeps the other */

static b24_queue_rc_e
b24_queue_seen_row(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    const b24_queue_seen_t *seen, b24_str_t *text)
{
    b24_buf_t         buf;
    b24_str_t         row, stated;
    b24_queue_rc_e    rc;
    b24_queue_seen_t  had;

    memset(text, 0, sizeof(b24_str_t));

    row = seen->changed;
    stated = seen->stated;

    if (stated.len && memchr(stated.data, '|', stated.len)) {
        stated.len = 0;
    }

    if (row.len == 0 && stated.len == 0) {
        return B24_QUEUE_OK;
    }

    rc = b24_queue_load_seen(q, pool, record, &had);
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, row.len ? &row : &had.changed);
    b24_buf_addc(&buf, '|');
    b24_buf_addstr(&buf, stated.len ? &stated : &had.stated);

    return b24_buf_str(&buf, text) == B24_OK ? B24_QUEUE_OK
                                             : B24_QUEUE_NOMEM;
}


b24_queue_rc_e
b24_queue_load_seen(b24_queue_t *q, b24_pool_t *pool, int64_t record,
    b24_queue_seen_t *seen)
{
    b24_buf_t    buf;
    b24_str_t    settled, now;
    b24_query_t  query;

    memset(seen, 0, sizeof(b24_queue_seen_t));

    b24_query_init(&query, q, B24_SQL_SEEN);
    b24_query_int(&query, record);

    if (b24_query_row(&query) == B24_QUEUE_OK) {
        b24_query_get_str(&query, 0, pool, &seen->status);
        b24_query_get_str(&query, 1, pool, &seen->canceled);
        b24_query_get_str(&query, 2, pool, &seen->paid);
        b24_query_get_str(&query, 3, pool, &seen->shipped);
        b24_query_get_str(&query, 4, pool, &seen->changed);
        seen->time = b24_query_get_int(&query, 5);
        b24_query_get_str(&query, 6, pool, &seen->sent);
        seen->sent_time = b24_query_get_int(&query, 7);
        b24_query_get_str(&query, 8, pool, &seen->held);
        seen->held_time = b24_query_get_int(&query, 9);
        b24_query_peek_str(&query, 10, &settled);
        seen->moved = b24_query_get_int(&query, 11);
        b24_query_get_str(&query, 12, pool, &seen->total);
        b24_query_get_str(&query, 13, pool, &seen->goods);
        seen->stamp = b24_query_get_int(&query, 14);

        b24_queue_seen_stated(&seen->changed, &seen->stated);
        b24_queue_seen_split(&seen->total, &seen->sent_total);
        b24_queue_seen_split(&seen->goods, &seen->sent_rows);

        b24_buf_init(&buf, pool);

        if (b24_queue_seen_print(seen, &buf, &now) != B24_OK) {
            (void) b24_query_end(&query);
            return B24_QUEUE_NOMEM;
        }

        seen->settled = b24_str_eq(&settled, &now);
    }

    return b24_query_end(&query);
}


int
b24_queue_seen_known(const b24_queue_seen_t *seen, const b24_str_t *stage,
    int64_t stamp)
{
    if ((seen->held.len == 0 || seen->sent_time > seen->held_time)
        && b24_str_eq(stage, &seen->sent))
    {
        return 1;
    }

    /* away and back again since then */

    return b24_str_eq(stage, &seen->held)
           && (stamp == 0 || seen->stamp == 0 || stamp == seen->stamp);
}


int
b24_queue_seen_restated(const b24_queue_seen_t *seen, const b24_str_t *stated)
{
    int               rc;
    size_t            i, n;
    const b24_str_t  *had;

    had = &seen->stated;

    if (had->len == 0 || stated->len == 0) {
        return 0;
    }

    /* numbers as such, times as the texts they are */

    for (i = 0; i < stated->len && b24_isdigit(stated->data[i]); i++) {
        /* void */
    }

    if (i == stated->len && had->len != stated->len) {
        return stated->len > had->len;
    }

    n = had->len < stated->len ? had->len : stated->len;
    rc = memcmp(stated->data, had->data, n);

    return rc ? rc > 0 : stated->len > had->len;
}


/* status and flags as one text, to be compared */

int
b24_queue_seen_print(const b24_queue_seen_t *seen, b24_buf_t *buf,
    b24_str_t *text)
{
    b24_queue_seen_flag(buf, &seen->canceled);
    b24_queue_seen_flag(buf, &seen->paid);
    b24_queue_seen_flag(buf, &seen->shipped);
    b24_buf_addc(buf, ' ');
    b24_buf_addstr(buf, &seen->status);

    return b24_buf_str(buf, text);
}


static void
b24_queue_seen_flag(b24_buf_t *buf, const b24_str_t *flag)
{
    b24_buf_addc(buf, flag->len ? flag->data[0] : '-');
}


/* what the shop had and what was sent, as one column; NULL: neither is known */

static int
b24_queue_seen_pair(b24_pool_t *pool, const b24_str_t *shop,
    const b24_str_t *sent, b24_str_t *text)
{
    b24_buf_t  buf;

    memset(text, 0, sizeof(b24_str_t));

    if (shop->len == 0 && sent->len == 0) {
        return B24_OK;
    }

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, shop);
    b24_buf_addc(&buf, '|');
    b24_buf_addstr(&buf, sent);

    return b24_buf_str(&buf, text);
}


/* a status may have a "|", a time doesn't */

static void
b24_queue_seen_stated(b24_str_t *row, b24_str_t *stated)
{
    size_t  i;

    for (i = row->len; i && row->data[i - 1] != '|'; i--) { /* void */ }

    if (i == 0) {
        memset(stated, 0, sizeof(b24_str_t));
        return;
    }

    stated->data = row->data + i;
    stated->len = row->len - i;

    row->len = i - 1;
}


static void
b24_queue_seen_split(b24_str_t *text, b24_str_t *sent)
{
    ssize_t  at;

    at = b24_str_find(text, 0, "|");

    if (at < 0) {
        memset(sent, 0, sizeof(b24_str_t));
        return;
    }

    sent->data = text->data + at + 1;
    sent->len = text->len - (size_t) at - 1;

    text->len = (size_t) at;
}
