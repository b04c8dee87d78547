
/*
 * Statements, result codes and the names that the schema uses.
 */

#include "b24_queue_int.h"

#include <errno.h>
#include <stdio.h>


static void b24_queue_lose(b24_queue_t *q, b24_queue_rc_e rc);
static b24_queue_rc_e b24_queue_map(int code, int err);
static int b24_queue_name_find(const b24_str_t *name, const char *const *names,
    int n);


#define B24_X(id, name)  name,
static const char *const  b24_state_names[] = { B24_STATES(B24_X) };
#undef B24_X

static const char *const  b24_kind_names[] = {
    "new", "status", "changed", "link", "status"
};

static const char *const  b24_fact_names[B24_NFACTS] = {
    "phone", "email", "company", "product", "doubt"
};

static const char *const  b24_step_names[B24_NSTEPS] = {
    "contact", "company", "deal", "rows", "stage", "update", "back"
};

static const char *const  b24_step_state_names[] = {
    "open", "sent", "done", "failed", "skipped"
};


const char *
b24_state_name(b24_state_e state)
{
    return (unsigned) state < B24_NSTATES ? b24_state_names[state] : "-";
}


b24_state_e
b24_state_find(const b24_str_t *name)
{
    int  i;

    i = b24_queue_name_find(name, b24_state_names, B24_NSTATES);

    return i < 0 ? B24_NSTATES : (b24_state_e) i;
}


const char *
b24_queue_kind_name(b24_ev_e kind)
{
    return (unsigned) kind <= B24_EV_BACK ? b24_kind_names[kind] : "-";
}


int
b24_queue_kind_find(const b24_str_t *name, int64_t event)
{
    return event >= B24_QUEUE_BACK
           ? B24_EV_BACK
           : b24_queue_name_find(name, b24_kind_names, B24_EV_LINK + 1);
}


const char *
b24_queue_fact_name(b24_fact_e kind)
{
    return (unsigned) kind < B24_NFACTS ? b24_fact_names[kind] : NULL;
}


const char *
b24_queue_step_name(int step)
{
    return b24_step_names[step];
}


int
b24_queue_step_find(const b24_str_t *name)
{
    return b24_queue_name_find(name, b24_step_names, B24_NSTEPS);
}


const char *
b24_queue_step_state_name(b24_step_state_e state)
{
    return (unsigned) state <= B24_STEP_SKIPPED ? b24_step_state_names[state]
                                                : "open";
}


int
b24_queue_step_state_find(const b24_str_t *name)
{
    return b24_queue_name_find(name, b24_step_state_names,
                               B24_STEP_SKIPPED + 1);
}


static int
b24_queue_name_find(const b24_str_t *name, const char *const *names, int n)
{
    int  i;

    for (i = 0; i < n; i++) {

        if (b24_str_eqs(name, names[i])) {
            return i;
        }
    }

    return -1;
}


const char *
b24_queue_strerror(b24_queue_rc_e rc)
{
    switch (rc) {

    case B24_QUEUE_OK:
        return "no error";

    case B24_QUEUE_NONE:
        return "nothing found";

    case B24_QUEUE_BUSY:
        return "the queue is locked by another process";

    case B24_QUEUE_FULL:
        return "no space is left on the disk of the queue";

    case B24_QUEUE_READONLY:
        return "the queue can't be written: check owner and mode of its folder"
               " and whether its disk is mounted read-only";

    case B24_QUEUE_IO:
        return "the queue can't be opened, read or written";

    case B24_QUEUE_CORRUPT:
        return "the file of the queue is broken or no queue of this module";

    case B24_QUEUE_NEWER:
        return "the queue was made by a newer version of this module";

    case B24_QUEUE_NOMEM:
        return "out of memory";

    case B24_QUEUE_STALE:
        return "the record is in other hands by now";

    case B24_QUEUE_LIMIT:
        return "the queue holds as many undelivered records as \"max\" allows";

    case B24_QUEUE_ERROR:
        break;
    }

    return "internal error of the queue";
}


/* key: "k-" and the row in hexadecimal digits, at least six of them */

void
b24_queue_key_print(char *key, int64_t record)
{
    int       shift;
    uint64_t  value;

    static const char  digits[] = "0123456789abcdef";

    value = (uint64_t) record;
    shift = 20;

    while (shift < 60 && value >> (shift + 4)) {
        shift += 4;
    }

    *key++ = 'k';
    *key++ = '-';

    for ( /* void */ ; shift >= 0; shift -= 4) {
        *key++ = digits[value >> shift & 0xf];
    }

    *key = '\0';
}


int64_t
b24_queue_key_parse(const u_char *key, size_t len)
{
    int      digit;
    char     again[B24_QUEUE_KEY_LEN];
    size_t   i;
    int64_t  record;

    if (len < 8 || len > 2 + 15 || key[0] != 'k' || key[1] != '-') {
        return 0;
    }

    record = 0;

    for (i = 2; i < len; i++) {
        digit = b24_hex(key[i]);

        if (digit < 0) {
            return 0;
        }

        record = record * 16 + digit;
    }

    /* one record has one key: "k-00001F" and "k-0000001f" are none */

    b24_queue_key_print(again, record);

    if (strlen(again) != len || memcmp(again, key, len) != 0) {
        return 0;
    }

    return record;
}


/*
 * SQLite notes errno at most calls, but not where a COMMIT fails; that is why
 * errno is cleared before each step and looked at first.
 */

b24_queue_rc_e
b24_queue_failed(b24_queue_t *q)
{
    int             code, err;
    b24_queue_rc_e  rc;

    err = errno;
    code = sqlite3_extended_errcode(q->db);

    if (err == 0) {
        err = sqlite3_system_errno(q->db);
    }

    switch (code & 0xff) {

    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        (void) snprintf(q->message, sizeof(q->message), "%s (%d, errno %d)",
                        sqlite3_errmsg(q->db), code, err);
        break;

    default:
        (void) snprintf(q->message, sizeof(q->message), "%s (%d)",
                        sqlite3_errmsg(q->db), code);
        break;
    }

    rc = b24_queue_map(code, err);

    if (rc == B24_QUEUE_CORRUPT) {
        q->broken = 1;
        memcpy(q->fault, q->message, sizeof(q->fault));
    }

    b24_queue_lose(q, rc);

    return rc;
}


/*
 * Of a group nothing counts when the disk fails, or when SQLite has rolled all
 * of it back: to go on then would commit some of its calls without the others.
 */

static void
b24_queue_lose(b24_queue_t *q, b24_queue_rc_e rc)
{
    if (!q->group || q->lost != B24_QUEUE_OK) {
        return;
    }

    switch (rc) {

    case B24_QUEUE_BUSY:
    case B24_QUEUE_FULL:
    case B24_QUEUE_READONLY:
    case B24_QUEUE_IO:
    case B24_QUEUE_CORRUPT:
        q->lost = rc;
        break;

    default:

        if (sqlite3_get_autocommit(q->db)) {
            q->lost = rc;
        }
    }
}


b24_queue_rc_e
b24_queue_fault(b24_queue_t *q, b24_queue_rc_e rc, const char *words)
{
    (void) snprintf(q->message, sizeof(q->message), "%s", words);

    return rc;
}


/*
 * SQLite reports a full disk as FULL only where write() said ENOSPC; a quota,
 * a limit of the process and the growth of the -shm file come as I/O errors.
 */

static b24_queue_rc_e
b24_queue_map(int code, int err)
{
    switch (code & 0xff) {

    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return B24_QUEUE_OK;

    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return B24_QUEUE_BUSY;

    case SQLITE_FULL:
        return B24_QUEUE_FULL;

    case SQLITE_READONLY:
        return code == SQLITE_READONLY_DBMOVED ? B24_QUEUE_IO
                                               : B24_QUEUE_READONLY;

    case SQLITE_PERM:
    case SQLITE_AUTH:
        return B24_QUEUE_READONLY;

    case SQLITE_IOERR:

        if (code == SQLITE_IOERR_NOMEM) {
            return B24_QUEUE_NOMEM;
        }

        /* fall through */

    case SQLITE_CANTOPEN:

        if (err == ENOSPC || err == EDQUOT || err == EFBIG) {
            return B24_QUEUE_FULL;
        }

        if (err == EROFS || err == EACCES || err == EPERM) {
            return B24_QUEUE_READONLY;
        }

        return B24_QUEUE_IO;

    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return B24_QUEUE_CORRUPT;

    case SQLITE_NOMEM:
        return B24_QUEUE_NOMEM;

    default:
        return B24_QUEUE_ERROR;
    }
}


void
b24_query_init(b24_query_t *query, b24_queue_t *q, b24_sql_e sql)
{
    int  rc;

    query->queue = q;
    query->bound = 0;
    query->rc = B24_QUEUE_OK;

    if ((q->nfresh || q->record) && !b24_queue_fresh_unseen(sql)) {
        query->rc = b24_queue_fresh_write(q);
    }

    if (q->stmts[sql] == NULL) {
        errno = 0;

        rc = sqlite3_prepare_v3(q->db, b24_queue_sql(sql), -1,
                                SQLITE_PREPARE_PERSISTENT, &q->stmts[sql],
                                NULL);
        if (rc != SQLITE_OK) {
            query->rc = b24_queue_failed(q);
        }
    }

    query->stmt = q->stmts[sql];
}


static void
b24_query_bound(b24_query_t *query, int rc)
{
    if (rc != SQLITE_OK) {
        query->rc = b24_queue_failed(query->queue);
    }
}


void
b24_query_int(b24_query_t *query, int64_t value)
{
    if (query->rc == B24_QUEUE_OK) {
        b24_query_bound(query, sqlite3_bind_int64(query->stmt, ++query->bound,
                                                  value));
    }
}


void
b24_query_blob(b24_query_t *query, const void *data, size_t len)
{
    if (query->rc == B24_QUEUE_OK) {
        b24_query_bound(query, sqlite3_bind_blob64(query->stmt, ++query->bound,
                                                   data, len, SQLITE_STATIC));
    }
}


void
b24_query_id(b24_query_t *query, int64_t value)
{
    if (value) {
        b24_query_int(query, value);

    } else {
        query->bound++;             /* NULL since the last reset */
    }
}


void
b24_query_text(b24_query_t *query, const b24_str_t *text)
{
    int          rc;
    const char  *p;

    if (query->rc != B24_QUEUE_OK) {
        return;
    }

    /* a NULL pointer would be bound as NULL whatever its length */

    p = (text && text->len) ? (const char *) text->data : "";

    rc = sqlite3_bind_text64(query->stmt, ++query->bound, p,
                             text ? text->len : 0, SQLITE_STATIC, SQLITE_UTF8);
    b24_query_bound(query, rc);
}


void
b24_query_str(b24_query_t *query, const b24_str_t *text)
{
    if (text && text->len) {
        b24_query_text(query, text);

    } else {
        query->bound++;
    }
}


void
b24_query_chars(b24_query_t *query, const char *text)
{
    b24_str_t  s;

    s.data = (u_char *) text;
    s.len = text ? strlen(text) : 0;

    b24_query_str(query, &s);
}


b24_queue_rc_e
b24_query_row(b24_query_t *query)
{
    if (query->rc != B24_QUEUE_OK) {
        return query->rc;
    }

    errno = 0;

    switch (sqlite3_step(query->stmt)) {

    case SQLITE_ROW:
        return B24_QUEUE_OK;

    case SQLITE_DONE:
        return B24_QUEUE_NONE;

    default:
        query->rc = b24_queue_failed(query->queue);
        return query->rc;
    }
}


int64_t
b24_query_get_int(b24_query_t *query, int column)
{
    return sqlite3_column_int64(query->stmt, column);
}


void
b24_query_peek_str(b24_query_t *query, int column, b24_str_t *text)
{
    text->data = (u_char *) sqlite3_column_text(query->stmt, column);
    text->len = (size_t) sqlite3_column_bytes(query->stmt, column);

    if (text->data == NULL
        && sqlite3_column_type(query->stmt, column) != SQLITE_NULL)
    {
        query->rc = B24_QUEUE_NOMEM;
    }
}


void
b24_query_peek_blob(b24_query_t *query, int column, b24_str_t *bytes)
{
    bytes->data = (u_char *) sqlite3_column_blob(query->stmt, column);
    bytes->len = (size_t) sqlite3_column_bytes(query->stmt, column);
}


void
b24_query_get_str(b24_query_t *query, int column, b24_pool_t *pool,
    b24_str_t *text)
{
    b24_str_t  value;

    b24_query_peek_str(query, column, &value);

    text->data = NULL;
    text->len = 0;

    if (value.data
        && b24_pstrdup(pool, text, value.data, value.len) != B24_OK)
    {
        query->rc = b24_queue_fault(query->queue, B24_QUEUE_NOMEM,
                                    "out of memory");
    }
}


b24_queue_rc_e
b24_query_end(b24_query_t *query)
{
    if (query->stmt) {

        /* an error of the step has been noted and comes again here */

        (void) sqlite3_reset(query->stmt);
        (void) sqlite3_clear_bindings(query->stmt);
    }

    return query->rc;
}


b24_queue_rc_e
b24_query_done(b24_query_t *query)
{
    (void) b24_query_row(query);

    return b24_query_end(query);
}
