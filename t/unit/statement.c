
/* SQL of rules: what is bound, what may stand there. */


#include "tap.h"
#include "b24_statement.h"


static b24_pool_t  *pool;


static b24_statement_t *
compile(b24_statement_e kind, const char *sql, char *err)
{
    b24_str_t         s;
    b24_statement_t  *st;

    s = str(sql);
    st = NULL;
    err[0] = '\0';

    return b24_statement_compile(pool, kind, &s, &st, err, 512) == B24_OK
           ? st : NULL;
}


static void
is_sql(b24_statement_e kind, const char *sql, const char *want,
    const char *head)
{
    char              err[512];
    b24_str_t         got;
    b24_statement_t  *st;

    st = compile(kind, sql, err);

    if (!ok(st != NULL, "compiled: %s", sql)) {
        printf("# %s\n", err);
        return;
    }

    is_str(&st->sql, want, "its text");

    if (head) {
        got.data = st->sql.data;
        got.len = st->head;
        is_str(&got, head, "its head");
    }
}


static void
is_bad(b24_statement_e kind, const char *sql, const char *want)
{
    char  err[512];

    ok(compile(kind, sql, err) == NULL && strstr(err, want) != NULL,
       "refused: %s: %s", sql, err);
}


int
main(void)
{
    char              err[512];
    b24_statement_t  *st;

    pool = b24_pool_create(0);

    is_sql(B24_STATEMENT_ORDER, "SELECT a FROM t WHERE n = :number;",
           "SELECT a FROM t WHERE n = ?", NULL);
    is_sql(B24_STATEMENT_ORDER, "\n select ':number', \":row\", `:id` -- :id\n"
           ", 'it''s', 'a\\':id' /* :deal */ FROM t # :row",
           "\n select ':number', \":row\", `:id`  , 'it''s', 'a\\':id'   FROM"
           " t  ", NULL);
    is_sql(B24_STATEMENT_ITEMS, "WITH x AS (SELECT :row) SELECT * FROM x",
           "WITH x AS (SELECT ?) SELECT * FROM x", NULL);
    is_sql(B24_STATEMENT_ORDER, "SELECT t.into, t.limit FROM t",
           "SELECT t.into, t.limit FROM t", "SELECT t.into, t.limit FROM t");
    is_sql(B24_STATEMENT_ORDER, "SELECT t1.into, `t`.update, t.1into, 5into,"
           " a$into, .5e1, 1.e, 1.5 FROM t",
           "SELECT t1.into, `t`.update, t.1into, 5into, a$into, .5e1, 1.e, 1.5"
           " FROM t", NULL);

    /* a server takes these for comments, and those that weren't for none */

    is_sql(B24_STATEMENT_ORDER, "SELECT 1 --\001'\n, :row --\177'",
           "SELECT 1  , ?  ", NULL);
    is_sql(B24_STATEMENT_ORDER, "SELECT 2--#\n1, 2--/**/1, 2--1, 2---1",
           "SELECT 2- - 1, 2- - 1, 2- -1, 2- - -1", NULL);
    is_sql(B24_STATEMENT_CHANGES, "SELECT a FROM t WHERE c >= :since"
           " ORDER  BY c, a\nLIMIT 500",
           "SELECT a FROM t WHERE c >= ? ORDER  BY c, a\nLIMIT 500",
           "SELECT a FROM t WHERE c >= ? ");
    is_sql(B24_STATEMENT_CHANGES, "SELECT (SELECT x FROM y ORDER BY x LIMIT 1)"
           " AS a FROM t WHERE c > :since LIMIT 5",
           "SELECT (SELECT x FROM y ORDER BY x LIMIT 1) AS a FROM t WHERE c >"
           " ? LIMIT 5",
           "SELECT (SELECT x FROM y ORDER BY x LIMIT 1) AS a FROM t WHERE c >"
           " ? ");
    is_sql(B24_STATEMENT_LINK, "insert into t (a) select :deal from o where"
           " id = :row on duplicate key update a = :deal",
           "insert into t (a) select ? from o where id = ? on duplicate key"
           " update a = ?", NULL);

    st = compile(B24_STATEMENT_ORDER, "SELECT 1 FROM t WHERE a = :id OR b ="
                 " :number OR c = :row OR d = :email OR e = :first_name",
                 err);
    ok(st && st->nbinds == 5 && st->binds[0] == B24_ORDER_ID
       && st->binds[1] == B24_ORDER_ID && st->binds[2] == B24_ORDER_ROW
       && st->binds[3] == B24_ORDER_EMAIL
       && st->binds[4] == B24_ORDER_FIRST_NAME, "what is bound, in order");

    st = compile(B24_STATEMENT_LINK, "UPDATE t SET a = :deal WHERE b = :row",
                 err);
    ok(st && st->nbinds == 2 && st->binds[0] == B24_BIND_DEAL
       && st->binds[1] == B24_ORDER_ROW, "of a link");

    is_bad(B24_STATEMENT_ORDER, "", "is empty");
    is_bad(B24_STATEMENT_ORDER, " -- SELECT", "is empty");
    is_bad(B24_STATEMENT_ORDER, "UPDATE t SET a = 1", "SELECT or WITH");
    is_bad(B24_STATEMENT_ORDER, "(SELECT 1); SELECT 2", "more than one");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1; 'x'", "more than one");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1 INTO OUTFILE 'x'", "INTO");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1 into\tDumpFile 'x'", "INTO");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1.INTO @a", "INTO");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1e5INTO @a", "INTO");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1.e-5INTO @a", "INTO");
    is_bad(B24_STATEMENT_ORDER, "SELECT t . into", "INTO");
    is_bad(B24_STATEMENT_ORDER, "SELECT 't'.into", "INTO");
    is_bad(B24_STATEMENT_ORDER, "WITH x AS (SELECT 1) DELETE FROM t",
           "UPDATE or DELETE");
    is_bad(B24_STATEMENT_ORDER, "WITH x AS (SELECT 1) UPDATE t SET a = 1",
           "UPDATE or DELETE");
    is_bad(B24_STATEMENT_ORDER, "'SELECT' DELETE FROM t", "SELECT or WITH");
    is_bad(B24_STATEMENT_ORDER, ".SELECT 1", "SELECT or WITH");
    is_bad(B24_STATEMENT_ORDER, "SELECT$ 1", "SELECT or WITH");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1 FROM t FOR UPDATE", "locks");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1 FROM t FOR /**/ SHARE", "locks");
    is_bad(B24_STATEMENT_ORDER, "SELECT 1 FROM t LOCK IN SHARE MODE",
           "locks");
    is_bad(B24_STATEMENT_ORDER, "SELECT /*!50000 1 */", "would run");
    is_bad(B24_STATEMENT_ORDER, "SELECT /*M! 1 */", "would run");
    is_bad(B24_STATEMENT_ORDER, "SELECT /* 1", "without its end");
    is_bad(B24_STATEMENT_ORDER, "SELECT 'a", "quote without");
    is_bad(B24_STATEMENT_ORDER, "SELECT 'a\\'", "quote without");
    is_bad(B24_STATEMENT_ORDER, "SELECT ?", "name what is bound");
    is_bad(B24_STATEMENT_ORDER, "SELECT @a := 1", "name what is bound");
    is_bad(B24_STATEMENT_ORDER, "SELECT :nothing", ":nothing");
    is_bad(B24_STATEMENT_ORDER, "SELECT :deal", ":deal");
    is_bad(B24_STATEMENT_ORDER, "SELECT :since", ":since");
    is_bad(B24_STATEMENT_ORDER, "SELECT :minor_units", ":minor_units");
    is_bad(B24_STATEMENT_CHANGES, "SELECT :number", "takes :since");
    is_bad(B24_STATEMENT_LINK, "UPDATE t SET a = :email", ":email");
    is_bad(B24_STATEMENT_LINK, "UPDATE t SET a = :since", ":since");
    is_bad(B24_STATEMENT_LINK, "SELECT 1", "UPDATE, INSERT or REPLACE");
    is_bad(B24_STATEMENT_LINK, "DELETE FROM t", "UPDATE, INSERT or REPLACE");
    is_bad(B24_STATEMENT_LINK, "UPDATE t SET a = :deal; DELETE FROM t",
           "more than one");

    b24_pool_destroy(pool);

    return done_testing();
}
