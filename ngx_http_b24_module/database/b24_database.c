
/* The client library's side of a shop's database. */


#include "b24_database_int.h"

#include <mariadb/mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>


#define B24_DATABASE_CELL    256        /* bytes of a value read at once */


typedef struct {
    MYSQL_BIND     bind[B24_DATABASE_COLUMNS];
    unsigned long  length[B24_DATABASE_COLUMNS];
    my_bool        null[B24_DATABASE_COLUMNS];
    char           cells[B24_DATABASE_COLUMNS][B24_DATABASE_CELL];
    unsigned       n;
    size_t         bytes;
} b24_result_set_t;


static void b24_database_options(b24_database_t *db, MYSQL *mysql);
static b24_database_rc_e b24_database_session(b24_database_t *db);
static b24_database_rc_e b24_database_once(b24_database_t *db,
    b24_pool_t *pool, const char *sql, size_t len, b24_binds_t *binds,
    b24_node_t **rows, uint64_t *affected);
static b24_database_rc_e b24_database_fetch(b24_database_t *db,
    MYSQL_STMT *stmt, b24_pool_t *pool, b24_node_t **rows);
static b24_database_rc_e b24_database_rows(b24_database_t *db,
    MYSQL_STMT *stmt, MYSQL_RES *meta, b24_pool_t *pool,
    b24_result_set_t *set, b24_node_t *list);
static b24_database_rc_e b24_database_row(b24_database_t *db,
    MYSQL_STMT *stmt, MYSQL_RES *meta, b24_pool_t *pool,
    b24_result_set_t *set, b24_node_t *list);
static b24_database_rc_e b24_database_cell(MYSQL_STMT *stmt, unsigned column,
    b24_pool_t *pool, b24_result_set_t *set, b24_str_t *value);


int
b24_database_init(void)
{
    return mysql_library_init(0, NULL, NULL) == 0 ? B24_OK : B24_ERROR;
}


b24_database_t *
b24_database_create(const b24_database_url_t *url)
{
    b24_database_t  *db;

    db = calloc(1, sizeof(b24_database_t));
    if (db == NULL) {
        return NULL;
    }

    db->url = url;
    db->connect = B24_DATABASE_CONNECT;
    db->read = B24_DATABASE_READ;

    return db;
}


void
b24_database_destroy(b24_database_t *db)
{
    if (db) {
        b24_database_close(db);
        free(db);
    }
}


void
b24_database_timeouts(b24_database_t *db, unsigned connect, unsigned read)
{
    db->connect = connect;
    db->read = read;
}


const char *
b24_database_cause(const b24_database_t *db)
{
    return db->cause;
}


const char *
b24_database_advice(const b24_database_t *db)
{
    return db->advice;
}


/* ---- connection ---- */

b24_database_rc_e
b24_database_connect(b24_database_t *db)
{
    MYSQL                     *mysql;
    b24_database_rc_e          rc;
    const b24_database_url_t  *url;

    if (db->mysql) {
        return B24_DATABASE_OK;
    }

    mysql = mysql_init(NULL);
    if (mysql == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    db->mysql = mysql;
    db->used = 0;
    url = db->url;

    b24_database_options(db, mysql);

    /* found, not changed: a deal's number that is there already counts */

    if (mysql_real_connect(mysql, url->socket.len ? NULL
                                                  : (char *) url->host.data,
                           (char *) url->user.data,
                           (char *) url->password.data,
                           (char *) url->name.data, url->port,
                           url->socket.len ? (char *) url->socket.data : NULL,
                           CLIENT_FOUND_ROWS)
        == NULL)
    {
        return b24_database_failed(db, NULL);
    }

    rc = b24_database_session(db);

    if (rc != B24_DATABASE_OK) {
        b24_database_close(db);
    }

    return rc;
}


static void
b24_database_options(b24_database_t *db, MYSQL *mysql)
{
    my_bool                    yes, no;
    unsigned                   protocol, local, read;
    unsigned long              packet;
    const b24_database_url_t  *url;

    yes = 1;
    no = 0;
    local = 0;

    /* the server gives up first, so that it doesn't go on for nobody */

    read = db->read + 1;
    packet = 2 * B24_DATABASE_BYTES;
    url = db->url;

    /* "localhost" is a host like any other: a socket is asked for by name */

    protocol = url->socket.len ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

    (void) mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    (void) mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &db->connect);
    (void) mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read);
    (void) mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &read);
    (void) mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
    (void) mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local);
    (void) mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    (void) mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");

    if (url->tls) {
        (void) mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
        (void) mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);

        if (url->ca.len) {
            (void) mysql_options(mysql, MYSQL_OPT_SSL_CA, url->ca.data);
        }

    } else {
        (void) mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    }
}


/* nothing of the session can write; the shop's server drops what takes long */

static b24_database_rc_e
b24_database_session(b24_database_t *db)
{
    int   len;
    char  sql[80];

    if (mysql_query(db->mysql, "SET SESSION TRANSACTION READ ONLY") != 0) {
        return b24_database_failed(db, NULL);
    }

    len = snprintf(sql, sizeof(sql), "SET SESSION max_statement_time=%u",
                   db->read);

    /* MariaDB's name and unit, then MySQL's; neither has to be there */

    if (mysql_real_query(db->mysql, sql, (unsigned long) len) != 0
        && mysql_errno(db->mysql) == ER_UNKNOWN_SYSTEM_VARIABLE)
    {
        len = snprintf(sql, sizeof(sql), "SET SESSION max_execution_time=%u",
                       db->read * 1000);

        (void) mysql_real_query(db->mysql, sql, (unsigned long) len);
    }

    return B24_DATABASE_OK;
}


void
b24_database_close(b24_database_t *db)
{
    if (db->mysql) {
        mysql_close(db->mysql);
        db->mysql = NULL;
    }
}


/* ---- statements ---- */

b24_database_rc_e
b24_database_ask(b24_database_t *db, b24_pool_t *pool,
    const b24_statement_t *statement, const b24_str_t *values,
    b24_node_t **rows)
{
    b24_binds_t        *binds;
    b24_database_rc_e   rc, last;

    last = B24_DATABASE_UNASKED;
    db->mixes = 0;

    binds = b24_palloc(pool, sizeof(b24_binds_t));
    if (binds == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    for ( /* void */ ; statement; statement = statement->next) {

        if (b24_database_bind(statement, statement->nbinds, values, binds)
            == 0 && statement->nbinds)
        {
            continue;
        }

        rc = b24_database_run(db, pool, (char *) statement->sql.data,
                              statement->sql.len, binds, rows, NULL);

        if (rc == B24_DATABASE_NONE
            || (rc == B24_DATABASE_SQL && last != B24_DATABASE_NONE))
        {
            last = rc;

        } else if (rc != B24_DATABASE_SQL) {
            return rc;
        }
    }

    return db->mixes ? B24_DATABASE_SQL : last;
}


b24_database_rc_e
b24_database_write(b24_database_t *db, const b24_statement_t *statement,
    const b24_str_t *values, uint64_t *affected)
{
    b24_binds_t         binds;
    b24_database_rc_e   rc, last;

    last = B24_DATABASE_UNASKED;
    db->mixes = 0;
    *affected = 0;

    for ( /* void */ ; statement; statement = statement->next) {

        if (b24_database_bind(statement, statement->nbinds, values, &binds)
            == 0 && statement->nbinds)
        {
            continue;
        }

        rc = b24_database_run(db, NULL, (char *) statement->sql.data,
                              statement->sql.len, &binds, NULL, affected);

        if (rc == B24_DATABASE_OK && *affected) {
            return rc;
        }

        if (rc != B24_DATABASE_OK && rc != B24_DATABASE_SQL) {
            return rc;
        }

        if (rc == B24_DATABASE_OK || last != B24_DATABASE_OK) {
            last = rc;
        }
    }

    return db->mixes ? B24_DATABASE_SQL : last;
}


/* a kept connection may have been closed meanwhile: once more with a new one */

b24_database_rc_e
b24_database_run(b24_database_t *db, b24_pool_t *pool, const char *sql,
    size_t len, b24_binds_t *binds, b24_node_t **rows, uint64_t *affected)
{
    unsigned           kept;
    b24_database_rc_e  rc;

    db->began = b24_database_now();
    kept = db->mysql && db->used;

    rc = b24_database_once(db, pool, sql, len, binds, rows, affected);

    if (rc == B24_DATABASE_DOWN && kept) {
        db->began = b24_database_now();
        rc = b24_database_once(db, pool, sql, len, binds, rows, affected);
    }

    return rc;
}


static b24_database_rc_e
b24_database_once(b24_database_t *db, b24_pool_t *pool, const char *sql,
    size_t len, b24_binds_t *binds, b24_node_t **rows, uint64_t *affected)
{
    MYSQL_STMT         *stmt;
    b24_database_rc_e   rc;

    db->prepared = 0;

    rc = b24_database_connect(db);
    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    if (affected
        && mysql_query(db->mysql, "SET SESSION TRANSACTION READ WRITE") != 0)
    {
        return b24_database_failed(db, NULL);
    }

    stmt = mysql_stmt_init(db->mysql);
    if (stmt == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    if (mysql_stmt_prepare(stmt, sql, (unsigned long) len) != 0) {
        rc = b24_database_failed(db, stmt);

    } else if (mysql_stmt_param_count(stmt) != binds->n) {
        rc = b24_database_say(db, B24_DATABASE_SQL, 0,
                              "binds other values than it seems to");

    } else {
        db->prepared = 1;

        if ((binds->n && mysql_stmt_bind_param(stmt, binds->bind) != 0)
            || mysql_stmt_execute(stmt) != 0)
        {
            rc = b24_database_failed(db, stmt);

        } else if (affected) {
            *affected = mysql_stmt_affected_rows(stmt);

        } else {
            rc = b24_database_fetch(db, stmt, pool, rows);
        }
    }

    /* what is left of a large result would be read to its end */

    if (rc == B24_DATABASE_LARGE || rc == B24_DATABASE_NOMEM) {
        b24_database_close(db);
    }

    (void) mysql_stmt_close(stmt);

    if (affected && db->mysql
        && mysql_query(db->mysql, "SET SESSION TRANSACTION READ ONLY") != 0)
    {
        b24_database_close(db);
    }

    db->used = (db->mysql != NULL);

    return rc;
}


static b24_database_rc_e
b24_database_fetch(b24_database_t *db, MYSQL_STMT *stmt, b24_pool_t *pool,
    b24_node_t **rows)
{
    unsigned            i;
    MYSQL_RES          *meta;
    b24_result_set_t   *set;
    b24_database_rc_e   rc;

    meta = mysql_stmt_result_metadata(stmt);

    if (meta == NULL) {
        return b24_database_say(db, B24_DATABASE_SQL, 0, "gives no columns");
    }

    set = calloc(1, sizeof(b24_result_set_t));
    *rows = b24_node_new(pool, B24_ARRAY);

    if (set == NULL || *rows == NULL) {
        rc = b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
        goto done;
    }

    set->n = mysql_num_fields(meta);

    if (set->n > B24_DATABASE_COLUMNS) {
        rc = b24_database_say(db, B24_DATABASE_LARGE, 0, NULL);
        goto done;
    }

    for (i = 0; i < set->n; i++) {
        set->bind[i].buffer_type = MYSQL_TYPE_STRING;
        set->bind[i].buffer = set->cells[i];
        set->bind[i].buffer_length = B24_DATABASE_CELL;
        set->bind[i].length = &set->length[i];
        set->bind[i].is_null = &set->null[i];
    }

    if (mysql_stmt_bind_result(stmt, set->bind) != 0) {
        rc = b24_database_failed(db, stmt);

    } else {
        rc = b24_database_rows(db, stmt, meta, pool, set, *rows);
    }

done:

    free(set);
    mysql_free_result(meta);

    return rc;
}


static b24_database_rc_e
b24_database_rows(b24_database_t *db, MYSQL_STMT *stmt, MYSQL_RES *meta,
    b24_pool_t *pool, b24_result_set_t *set, b24_node_t *list)
{
    int                got;
    b24_database_rc_e  rc;

    for ( ;; ) {
        got = mysql_stmt_fetch(stmt);

        if (got == MYSQL_NO_DATA) {
            return list->first ? B24_DATABASE_OK : B24_DATABASE_NONE;
        }

        if (got != 0 && got != MYSQL_DATA_TRUNCATED) {
            return b24_database_failed(db, stmt);
        }

        /* a server that gives row after row slowly is slow, too */

        if (b24_database_now() - db->began > 2000 * (int64_t) db->read) {
            b24_database_close(db);
            return b24_database_say(db, B24_DATABASE_SLOW, 0, NULL);
        }

        if (list->count == B24_DATABASE_ROWS) {
            return b24_database_say(db, B24_DATABASE_LARGE, 0, NULL);
        }

        rc = b24_database_row(db, stmt, meta, pool, set, list);

        if (rc != B24_DATABASE_OK) {
            return rc;
        }
    }
}


static b24_database_rc_e
b24_database_row(b24_database_t *db, MYSQL_STMT *stmt, MYSQL_RES *meta,
    b24_pool_t *pool, b24_result_set_t *set, b24_node_t *list)
{
    unsigned            i;
    b24_node_t         *row, *member;
    MYSQL_FIELD        *fields;
    b24_database_rc_e   rc;

    fields = mysql_fetch_fields(meta);

    row = b24_node_new(pool, B24_OBJECT);
    if (row == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    for (i = 0; i < set->n; i++) {

        if (set->null[i]) {
            continue;
        }

        member = b24_node_new(pool, B24_STRING);

        if (member == NULL
            || b24_pstrdup(pool, &member->key, (u_char *) fields[i].name,
                           fields[i].name_length)
               != B24_OK)
        {
            return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
        }

        rc = b24_database_cell(stmt, i, pool, set, &member->value);

        if (rc != B24_DATABASE_OK) {
            return b24_database_say(db, rc, 0, NULL);
        }

        b24_node_append(row, member);
    }

    b24_node_append(list, row);

    return B24_DATABASE_OK;
}


static b24_database_rc_e
b24_database_cell(MYSQL_STMT *stmt, unsigned column, b24_pool_t *pool,
    b24_result_set_t *set, b24_str_t *value)
{
    size_t         len;
    my_bool        null;
    MYSQL_BIND     bind;
    unsigned long  length;

    len = set->length[column];
    set->bytes += len;

    if (set->bytes > B24_DATABASE_BYTES) {
        return B24_DATABASE_LARGE;
    }

    if (len <= B24_DATABASE_CELL) {
        return b24_pstrdup(pool, value, (u_char *) set->cells[column], len)
               == B24_OK ? B24_DATABASE_OK : B24_DATABASE_NOMEM;
    }

    value->data = b24_pnalloc(pool, len + 1);
    if (value->data == NULL) {
        return B24_DATABASE_NOMEM;
    }

    memset(&bind, 0, sizeof(MYSQL_BIND));

    bind.buffer_type = MYSQL_TYPE_STRING;
    bind.buffer = value->data;
    bind.buffer_length = len;
    bind.length = &length;
    bind.is_null = &null;

    if (mysql_stmt_fetch_column(stmt, &bind, column, 0) != 0) {
        return B24_DATABASE_DOWN;
    }

    value->data[len] = '\0';
    value->len = len;

    return B24_DATABASE_OK;
}


/* ---- what is bound ---- */

/* how many of the first n values are known */

int
b24_database_bind(const b24_statement_t *statement, unsigned n,
    const b24_str_t *values, b24_binds_t *binds)
{
    int               known;
    unsigned          i;
    const b24_str_t  *value;

    memset(binds, 0, sizeof(b24_binds_t));

    known = 0;

    for (i = 0; i < n; i++) {
        value = &values[statement->binds[i]];

        b24_database_bind_one(binds, value,
                              statement->binds[i] == B24_ORDER_ROW
                              || statement->binds[i] == B24_BIND_DEAL
                              || statement->binds[i] == B24_BIND_PLACED);

        /* these two tell of no order */

        if (value->data && statement->binds[i] != B24_BIND_DEAL
            && statement->binds[i] != B24_BIND_PLACED)
        {
            known++;
        }
    }

    return known;
}


/*
 * A key that is a number is bound as one.  All else is bound as text: compared
 * with a number "57/2026" would be 57.
 */

void
b24_database_bind_one(b24_binds_t *binds, const b24_str_t *value, int number)
{
    size_t       i;
    long long    n;
    MYSQL_BIND  *bind;

    bind = &binds->bind[binds->n];

    if (value->data == NULL) {
        bind->buffer_type = MYSQL_TYPE_NULL;
        binds->n++;
        return;
    }

    n = 0;

    for (i = 0; number && i < value->len; i++) {

        if (!b24_isdigit(value->data[i]) || i == 18) {
            number = 0;
            break;
        }

        n = n * 10 + (value->data[i] - '0');
    }

    if (number && value->len) {
        binds->numbers[binds->n] = n;
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = &binds->numbers[binds->n];

    } else {
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = value->data;
        bind->buffer_length = value->len;
    }

    binds->n++;
}
