
/* Which orders have changed: the statement "changes", page by page. */


#include "b24_database_int.h"


static b24_database_rc_e b24_database_newest(b24_database_t *db,
    b24_pool_t *pool, const b24_statement_t *s, b24_node_t **rows);
static b24_database_rc_e b24_database_since(b24_database_t *db,
    const b24_statement_t *s, b24_str_t *since);


b24_database_rc_e
b24_database_clock(b24_database_t *db, b24_database_clock_t *clock)
{
    size_t              i;
    b24_str_t           value, *to[2];
    b24_node_t         *rows;
    b24_pool_t         *pool;
    b24_binds_t         binds;
    b24_database_rc_e   rc;

    static const char       sql[] = "SELECT NOW() AS `now`,"
                                    " UNIX_TIMESTAMP() AS `seconds`";
    static const b24_str_t  column[] = { b24_string("now"),
                                         b24_string("seconds") };

    memset(clock, 0, sizeof(b24_database_clock_t));
    memset(&binds, 0, sizeof(b24_binds_t));

    to[0] = &clock->now;
    to[1] = &clock->seconds;

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    rc = b24_database_run(db, pool, sql, sizeof(sql) - 1, &binds, &rows, NULL);

    for (i = 0; rc == B24_DATABASE_OK && i < 2; i++) {

        if (b24_column(rows->first, &column[i], &value)
            && value.len < sizeof(clock->text[i]))
        {
            memcpy(clock->text[i], value.data, value.len);

            to[i]->data = clock->text[i];
            to[i]->len = value.len;
        }
    }

    b24_pool_destroy(pool);

    return rc;
}


b24_database_rc_e
b24_database_changes(b24_database_t *db, b24_pool_t *pool,
    const b24_statement_t *statement, const b24_str_t *changed,
    const b24_str_t *row, unsigned limit, b24_node_t **rows)
{
    b24_buf_t          buf;
    b24_str_t          sql, values[B24_NBINDS];
    b24_binds_t       *binds;
    b24_database_rc_e  rc, last;

    binds = b24_palloc(pool, sizeof(b24_binds_t));
    if (binds == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    last = B24_DATABASE_SQL;
    db->mixes = 0;

    for ( /* void */ ; statement; statement = statement->next) {

        if (changed->len == 0) {
            rc = b24_database_newest(db, pool, statement, rows);

        } else {
            memset(values, 0, sizeof(values));
            values[B24_BIND_SINCE] = *changed;

            (void) b24_database_bind(statement, statement->nhead, values,
                                     binds);
            b24_database_bind_one(binds, changed, 0);

            b24_buf_init(&buf, pool);
            b24_buf_adds(&buf, "SELECT * FROM (");
            b24_buf_add(&buf, statement->sql.data, statement->head);
            b24_buf_adds(&buf, ") AS b24 WHERE `changed` ");

            if (row->len) {
                b24_buf_adds(&buf, "> ? OR (`changed` = ? AND `row` > ?)");
                b24_database_bind_one(binds, changed, 0);
                b24_database_bind_one(binds, row, 1);

            } else {
                b24_buf_adds(&buf, ">= ?");
            }

            b24_buf_adds(&buf, " ORDER BY `changed`, `row` LIMIT ");
            b24_buf_addi(&buf, limit);

            if (b24_buf_str(&buf, &sql) != B24_OK) {
                return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
            }

            rc = b24_database_run(db, pool, (char *) sql.data, sql.len, binds,
                                  rows, NULL);
        }

        /* tables that are there and empty may be those of another time */

        if (rc == B24_DATABASE_NONE) {
            last = rc;

        } else if (rc != B24_DATABASE_SQL) {
            return rc;
        }
    }

    if (db->mixes) {
        return B24_DATABASE_SQL;
    }

    /* no order yet: whatever comes is newer than the beginning */

    return last == B24_DATABASE_NONE && changed->len == 0
           ? B24_DATABASE_OK : last;
}


/* NONE: there is no order, *rows is the beginning */

static b24_database_rc_e
b24_database_newest(b24_database_t *db, b24_pool_t *pool,
    const b24_statement_t *s, b24_node_t **rows)
{
    b24_buf_t          buf;
    b24_str_t          sql, values[B24_NBINDS];
    b24_binds_t       *binds;
    b24_database_rc_e  rc;

    memset(values, 0, sizeof(values));

    rc = b24_database_since(db, s, &values[B24_BIND_SINCE]);
    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "SELECT MAX(`changed`) AS `changed`,"
                       " MAX(`row`) AS `row` FROM (");
    b24_buf_add(&buf, s->sql.data, s->head);
    b24_buf_adds(&buf, ") AS b24");

    binds = b24_palloc(pool, sizeof(b24_binds_t));

    if (binds == NULL || b24_buf_str(&buf, &sql) != B24_OK) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    (void) b24_database_bind(s, s->nhead, values, binds);

    rc = b24_database_run(db, pool, (char *) sql.data, sql.len, binds, rows,
                          NULL);

    if (rc != B24_DATABASE_OK || b24_node_get((*rows)->first,
                                              &(b24_str_t)
                                              b24_string("changed")))
    {
        return rc;
    }

    (*rows)->first = b24_node_new(pool, B24_OBJECT);
    (*rows)->last = (*rows)->first;

    if ((*rows)->first == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    (*rows)->first->last = b24_node_new(pool, B24_STRING);
    (*rows)->first->first = (*rows)->first->last;

    if ((*rows)->first->first == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    (*rows)->first->first->key = (b24_str_t) b24_string("changed");
    (*rows)->first->first->value = values[B24_BIND_SINCE];
    (*rows)->first->count = 1;

    return B24_DATABASE_NONE;
}


/* the least that can be compared with the column "changed" */

static b24_database_rc_e
b24_database_since(b24_database_t *db, const b24_statement_t *s,
    b24_str_t *since)
{
    unsigned            i, n;
    MYSQL_RES          *meta;
    MYSQL_STMT         *stmt;
    MYSQL_FIELD        *fields;
    b24_database_rc_e   rc;

    static u_char  zero[] = "0";
    static u_char  early[] = "1971-01-01 00:00:00";

    db->began = b24_database_now();
    db->prepared = 0;

    rc = b24_database_connect(db);
    if (rc != B24_DATABASE_OK) {
        return rc;
    }

    stmt = mysql_stmt_init(db->mysql);
    if (stmt == NULL) {
        return b24_database_say(db, B24_DATABASE_NOMEM, 0, NULL);
    }

    if (mysql_stmt_prepare(stmt, (char *) s->sql.data,
                           (unsigned long) s->head)
        != 0)
    {
        rc = b24_database_failed(db, stmt);
        (void) mysql_stmt_close(stmt);
        return rc;
    }

    rc = b24_database_say(db, B24_DATABASE_SQL, 0,
                          "gives no column \"changed\"");

    meta = mysql_stmt_result_metadata(stmt);

    if (meta) {
        n = mysql_num_fields(meta);
        fields = mysql_fetch_fields(meta);

        for (i = 0; i < n; i++) {

            if (strcmp(fields[i].name, "changed") != 0) {
                continue;
            }

            since->data = IS_NUM(fields[i].type)
                          && fields[i].type != MYSQL_TYPE_TIMESTAMP
                          ? zero : early;
            since->len = strlen((char *) since->data);
            rc = B24_DATABASE_OK;
        }

        mysql_free_result(meta);
    }

    (void) mysql_stmt_close(stmt);

    return rc;
}
