
/*
 * The file that was opened: its schema, brought up to date, and pragmas.
 */

#include "b24_queue_int.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>


#define B24_QUEUE_TABLES  15


static b24_queue_rc_e b24_queue_version(b24_queue_t *q, int64_t *version);
static b24_queue_rc_e b24_queue_wal(b24_queue_t *q);
static b24_queue_rc_e b24_queue_migrate(b24_queue_t *q);
static b24_queue_rc_e b24_queue_begin_keys(b24_queue_t *q);
static b24_queue_rc_e b24_queue_check_tables(b24_queue_t *q);


b24_queue_rc_e
b24_queue_prepare(b24_queue_t *q)
{
    int64_t         version;
    b24_queue_rc_e  rc;

    /* nothing is written before the file is known to be ours or empty */

    rc = b24_queue_version(q, &version);

    if (rc == B24_QUEUE_OK && version == 0) {
        rc = b24_queue_lock(q);

        /* another process may have been first */

        if (rc == B24_QUEUE_OK) {
            rc = b24_queue_version(q, &version);
        }
    }

    if (rc == B24_QUEUE_OK && version == 0) {

        /* pages of deleted records can then be given back in small steps;
         * it must be said before the first table is made */

        rc = b24_queue_exec(q, "PRAGMA auto_vacuum = INCREMENTAL");
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_wal(q);
    }

    /* secure_delete: what keep= has expired is to be gone from the disk */

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_exec(q, "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA secure_delete = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA cache_size = -4096;"
                               "PRAGMA wal_autocheckpoint = 4000;"
                               "PRAGMA journal_size_limit = 67108864");
    }

    if (rc == B24_QUEUE_OK && version < B24_QUEUE_SCHEMA) {
        rc = b24_queue_migrate(q);
    }

    return rc == B24_QUEUE_OK ? b24_queue_check_tables(q) : rc;
}


/* of the file's schema, 0: the file is empty */

static b24_queue_rc_e
b24_queue_version(b24_queue_t *q, int64_t *version)
{
    int             own;
    int64_t         application, tables;
    b24_queue_rc_e  rc;

    *version = 0;
    application = 0;
    tables = 0;

    /* one view of all three: another worker may be making the schema now */

    own = sqlite3_get_autocommit(q->db);

    rc = own ? b24_queue_exec(q, "BEGIN") : B24_QUEUE_OK;

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_pragma(q, "PRAGMA application_id", &application);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_pragma(q, "PRAGMA user_version", version);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_pragma(q, "SELECT count(*) FROM sqlite_schema",
                              &tables);
    }

    if (own) {
        b24_queue_rollback(q);
    }

    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    if (application == 0 && *version == 0 && tables == 0) {
        return B24_QUEUE_OK;
    }

    if (application != B24_QUEUE_APPLICATION || *version < 1) {
        return b24_queue_fault(q, B24_QUEUE_CORRUPT,
                               "the file is a database of another program");
    }

    if (*version > B24_QUEUE_SCHEMA) {
        (void) snprintf(q->message, sizeof(q->message),
                        "the schema has version %lld, this module knows %d",
                        (long long) *version, B24_QUEUE_SCHEMA);
        return B24_QUEUE_NEWER;
    }

    return B24_QUEUE_OK;
}


b24_queue_rc_e
b24_queue_pragma(b24_queue_t *q, const char *sql, int64_t *value)
{
    int64_t         until;
    sqlite3_stmt   *stmt;
    b24_queue_rc_e  rc;

    until = b24_queue_monotonic() + q->timeout;
    *value = 0;

    /*
     * SQLite answers BUSY at once, without the handler, where another process
     * recovers the WAL or is the last one to leave it.
     */

    for ( ;; ) {
        stmt = NULL;
        rc = B24_QUEUE_OK;
        errno = 0;

        if (sqlite3_prepare_v2(q->db, sql, -1, &stmt, NULL) != SQLITE_OK
            || sqlite3_step(stmt) != SQLITE_ROW)
        {
            rc = b24_queue_failed(q);

        } else {
            *value = sqlite3_column_int64(stmt, 0);
        }

        (void) sqlite3_finalize(stmt);

        if (rc != B24_QUEUE_BUSY || b24_queue_monotonic() >= until) {
            return rc;
        }

        b24_queue_sleep(B24_QUEUE_RETRY);
    }
}


/* the pragma answers with the mode that is set: "wal", or the old one */

static b24_queue_rc_e
b24_queue_wal(b24_queue_t *q)
{
    int             wal;
    int64_t         until;
    sqlite3_stmt   *stmt;
    const u_char   *mode;
    b24_queue_rc_e  rc;

    until = b24_queue_monotonic() + q->timeout;

    for ( ;; ) {
        stmt = NULL;
        wal = 0;
        errno = 0;

        if (sqlite3_prepare_v2(q->db, "PRAGMA journal_mode = WAL", -1, &stmt,
                               NULL)
            != SQLITE_OK
            || sqlite3_step(stmt) != SQLITE_ROW)
        {
            rc = b24_queue_failed(q);

        } else {
            mode = sqlite3_column_text(stmt, 0);
            wal = mode && strcmp((const char *) mode, "wal") == 0;
            rc = B24_QUEUE_BUSY;
        }

        (void) sqlite3_finalize(stmt);

        if (wal) {
            return B24_QUEUE_OK;
        }

        if (rc != B24_QUEUE_BUSY || b24_queue_monotonic() >= until) {
            return rc;
        }

        b24_queue_sleep(B24_QUEUE_RETRY);
    }
}


b24_queue_rc_e
b24_queue_exec(b24_queue_t *q, const char *sql)
{
    int64_t         until;
    b24_queue_rc_e  rc;

    until = b24_queue_monotonic() + q->timeout;

    for ( ;; ) {
        errno = 0;

        if (sqlite3_exec(q->db, sql, NULL, NULL, NULL) == SQLITE_OK) {
            return B24_QUEUE_OK;
        }

        rc = b24_queue_failed(q);

        if (rc != B24_QUEUE_BUSY || !sqlite3_get_autocommit(q->db)
            || b24_queue_monotonic() >= until)
        {
            return rc;
        }

        b24_queue_sleep(B24_QUEUE_RETRY);
    }
}


/*
 * All that the file lacks in one transaction, which takes the file as it is
 * now: another process may have been first, with this schema or a newer one.
 */

static b24_queue_rc_e
b24_queue_migrate(b24_queue_t *q)
{
    char            ids[96];
    u_char          salt[B24_SIP_KEY];
    int64_t         version;
    b24_queue_rc_e  rc;

    rc = b24_queue_exec(q, "BEGIN IMMEDIATE");
    if (rc != B24_QUEUE_OK) {
        return rc;
    }

    rc = b24_queue_version(q, &version);

    if (rc != B24_QUEUE_OK || version == B24_QUEUE_SCHEMA) {
        b24_queue_rollback(q);
        return rc;
    }

    if (version == 0) {
        rc = b24_queue_exec(q, b24_queue_schema[version++]);

        if (rc == B24_QUEUE_OK && q->aside) {
            rc = b24_queue_begin_keys(q);
        }
    }

    while (rc == B24_QUEUE_OK && version < B24_QUEUE_SCHEMA) {
        rc = b24_queue_exec(q, b24_queue_schema[version++]);
    }

    if (rc == B24_QUEUE_OK) {
        rc = b24_queue_salt(q, 1, salt);
    }

    if (rc == B24_QUEUE_OK) {
        (void) snprintf(ids, sizeof(ids),
                        "PRAGMA application_id = %d; PRAGMA user_version = %d",
                        B24_QUEUE_APPLICATION, B24_QUEUE_SCHEMA);

        rc = b24_queue_exec(q, ids);
    }

    return b24_queue_finish(q, rc);
}


/*
 * The file set aside can't be asked how far its keys went.  They can't have
 * gone beyond the time: in the long run a queue takes less than one record a
 * second.
 */

static b24_queue_rc_e
b24_queue_begin_keys(b24_queue_t *q)
{
    char  sql[96];

    (void) snprintf(sql, sizeof(sql),
                    "INSERT INTO sqlite_sequence VALUES ('records', %lld)",
                    (long long) time(NULL));

    return b24_queue_exec(q, sql);
}


static b24_queue_rc_e
b24_queue_check_tables(b24_queue_t *q)
{
    int64_t         n;
    b24_queue_rc_e  rc;

    rc = b24_queue_pragma(q, "SELECT count(*) FROM sqlite_schema"
                             " WHERE type = 'table' AND name IN ('records',"
                             " 'events', 'steps', 'timeline', 'links',"
                             " 'counts', 'secrets', 'facts', 'sizes',"
                             " 'numbers', 'dropped', 'paused', 'portals',"
                              " 'learned', 'marks')",
                        &n);

    if (rc == B24_QUEUE_OK && n != B24_QUEUE_TABLES) {
        rc = b24_queue_fault(q, B24_QUEUE_CORRUPT,
                             "a table of the queue is missing");
    }

    return rc;
}
