
/*
 * A queue of any number of records in one state, made fast: past the triggers
 * and the journal, whose work is done at the end.
 */


#ifndef _QUEUE_FILL_H_INCLUDED_
#define _QUEUE_FILL_H_INCLUDED_


#include "queue.h"


#define FILL_ORIGIN  "shop.example.com"


typedef struct {
    const char  *state;
    const char  *event;             /* ids of events: this and the number */
    const char  *columns;           /* more of them, each after a comma */
    const char  *values;            /* i: the number of the record */
    const char  *more;              /* statements, or "" */
} fill_t;


static const fill_t  fill_accepted = { "accepted", "0", "", "", "" };

static const fill_t  fill_waiting = {
    "waiting", "0", ", attempts, next", ", 1, 1800000000000 + i", ""
};

static const fill_t  fill_delivered = {
    "delivered", "0", ", attempts, delivered, deal_id, shop_row",
    ", 1, 1700000000000 + i, i, 'r' || i",
    "UPDATE events SET done = arrived;"
    "INSERT INTO links SELECT origin, order_id, deal_id, 1, 1, fingerprint,"
    " accepted, shop_row FROM records;"
    "INSERT INTO steps SELECT id, 'deal', 'done' FROM records;"
    "INSERT INTO seen (record, origin, status, time, settled) SELECT id,"
    " origin, 'N', created, 1 FROM records;"
};

static const fill_t  fill_unconfirmed = {
    "unconfirmed", "0", "", "", ""
};

static const fill_t  fill_parked = {
    "parked", "0", ", attempts", ", 1", ""
};

static const fill_t  fill_unread = {
    "delivered", "0", ", attempts, delivered, deal_id, shop_number",
    ", 1, 1700000000000 + i, i, ''", "UPDATE events SET done = arrived;"
};


/* what follows orders: links, and statuses whose time has come */

static const fill_t  fill_links = {
    "accepted", "140737488355328", ", delivered, deal_id", ", 1, i",
    "UPDATE events SET kind = 'link';"
};

static const fill_t  fill_statuses = {
    "waiting", "281474976710656", ", delivered, deal_id, next", ", 1, i, i",
    "UPDATE events SET kind = 'status';"
};


static inline void
fill_exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        printf("Bail out! %.60s: %s\n", sql, sqlite3_errmsg(db));
        exit(2);
    }
}


/* the first column of the first row, a copy */

static inline char *
fill_texts(sqlite3 *db, const char *sql)
{
    char          *texts;
    sqlite3_stmt  *stmt;

    texts = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK
        && sqlite3_step(stmt) == SQLITE_ROW
        && sqlite3_column_text(stmt, 0))
    {
        texts = strdup((const char *) sqlite3_column_text(stmt, 0));
    }

    (void) sqlite3_finalize(stmt);

    if (texts == NULL) {
        printf("Bail out! triggers: %s\n", sqlite3_errmsg(db));
        exit(2);
    }

    return texts;
}


static inline void
queue_fill(const char *path, long rows, const fill_t *fill)
{
    char      sql[2000], *triggers, *drops;
    sqlite3  *db;

    b24_queue_close(queue_open(path));

    if (sqlite3_open(path, &db) != SQLITE_OK) {
        printf("Bail out! %s: %s\n", path, sqlite3_errmsg(db));
        exit(2);
    }

    triggers = fill_texts(db, "SELECT group_concat(sql, ';') FROM"
                              " sqlite_schema WHERE type = 'trigger'"
                              " AND tbl_name = 'records'");
    drops = fill_texts(db, "SELECT group_concat('DROP TRIGGER ' || name, ';')"
                           " FROM sqlite_schema WHERE type = 'trigger'"
                           " AND tbl_name = 'records'");

    fill_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                  "PRAGMA cache_size = -65536; BEGIN");
    fill_exec(db, drops);

    (void) snprintf(sql, sizeof(sql),
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < %ld) INSERT INTO records (origin, order_id, reuse, rule,"
        " fingerprint, state, event, arrived, accepted, created, updated%s)"
        " SELECT '" FILL_ORIGIN "', printf('%%08d', i), 0, 'shop/save',"
        " '0123456789abcdef', '%s', %s + i, %lld + i, %lld + i, %lld + i,"
        " %lld + i%s FROM c;"
        "INSERT INTO events (id, record, seq, kind, arrived, data)"
        " SELECT event, id, 1, 'new', arrived, '{\"v\":1}' FROM records;"
        "INSERT INTO timeline SELECT id, 1, arrived, arrived, 1, state,"
        " NULL, NULL, NULL FROM records;"
        "INSERT INTO counts VALUES ('" FILL_ORIGIN "', '%s', %ld, %ld, 1);",
        rows, fill->columns, fill->state, fill->event, (long long) T0,
        (long long) T0, (long long) T0, (long long) T0, fill->values,
        fill->state, rows, rows);

    fill_exec(db, sql);
    fill_exec(db, fill->more);
    fill_exec(db, triggers);
    fill_exec(db, "COMMIT");

    free(drops);
    free(triggers);
    (void) sqlite3_close(db);
}


#endif /* _QUEUE_FILL_H_INCLUDED_ */
