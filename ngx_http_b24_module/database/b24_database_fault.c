
/* What went wrong, in plain words. */


#include "b24_database_int.h"

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>
#include <stdio.h>
#include <string.h>
#include <time.h>


/* texts that cannot be compared with each other */
#define B24_ER_MIX           1267
#define B24_ER_MIX_3         1270
#define B24_ER_MIX_N         1271
#define B24_ER_CONVERT       3988       /* MySQL's */
#define B24_ER_READ_ONLY     1836       /* MySQL's */
#define B24_ER_KILLED        1927       /* MariaDB's */
#define B24_ER_IDLE          4031       /* MySQL's */
#define B24_ER_HOOK          3100       /* of a group of MySQL's, as the next */
#define B24_ER_ROLLED_BACK   3101
#define B24_ER_LATE          1969       /* max_statement_time */
#define B24_ER_LATE_MYSQL    3024


static b24_database_rc_e b24_database_class(b24_database_t *db,
    unsigned code);
static unsigned b24_database_mixes(unsigned code);
static unsigned b24_database_absent(b24_database_t *db, unsigned code,
    const char *said);


b24_database_rc_e
b24_database_failed(b24_database_t *db, MYSQL_STMT *stmt)
{
    char               words[B24_DATABASE_WORDS];
    unsigned           code, mixes;
    const char        *said;
    b24_database_rc_e  rc;

    code = stmt ? mysql_stmt_errno(stmt) : 0;
    said = stmt ? mysql_stmt_error(stmt) : "";

    /* an error between two rows is the connection's */

    if (code == 0) {
        code = mysql_errno(db->mysql);
        said = mysql_error(db->mysql);
    }

    mixes = b24_database_mixes(code);

    if (mixes && b24_database_absent(db, code, said)) {
        return B24_DATABASE_NONE;
    }

    rc = b24_database_class(db, code);
    words[0] = '\0';

    /* before anything is bound the server's words are about the rules only,
     * and what cannot be mixed is named without a value */

    if (rc == B24_DATABASE_SQL
        && (!db->prepared || (mixes && code != B24_ER_CONVERT)))
    {
        snprintf(words, sizeof(words), "is refused: %.180s", said);
    }

    if (rc != B24_DATABASE_SQL) {
        b24_database_close(db);
    }

    (void) b24_database_say(db, rc, code, words[0] ? words : NULL);

    if (mixes) {
        db->mixes = 1;
        db->advice = "give the columns that it compares one collation (ALTER "
                     "TABLE ... CONVERT TO CHARACTER SET), or have COLLATE in "
                     "the statement of an heir of the shop's rules";
    }

    return rc;
}


static unsigned
b24_database_mixes(unsigned code)
{
    return code == B24_ER_MIX || code == B24_ER_MIX_3 || code == B24_ER_MIX_N
           || code == B24_ER_CONVERT;
}


/*
 * A bound text that no text of the column can be: no row has it.  Two columns
 * that don't go together are refused before anything is bound; in something
 * that is only looked at then, a trigger, neither is COERCIBLE.
 */

static unsigned
b24_database_absent(b24_database_t *db, unsigned code, const char *said)
{
    if (!db->prepared) {
        return 0;
    }

    return (code != B24_ER_MIX && code != B24_ER_MIX_3)
           || strstr(said, "COERCIBLE") != NULL;
}


static b24_database_rc_e
b24_database_class(b24_database_t *db, unsigned code)
{
    int64_t  ms;

    switch (code) {

    case ER_DBACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_ERROR:
    case ER_BAD_DB_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_HOST_IS_BLOCKED:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_MUST_CHANGE_PASSWORD:
    case ER_MUST_CHANGE_PASSWORD_LOGIN:
    case CR_SSL_CONNECTION_ERROR:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
        return B24_DATABASE_ACCESS;

    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_QUERY_INTERRUPTED:
    case B24_ER_LATE:
    case B24_ER_LATE_MYSQL:
        return B24_DATABASE_SLOW;

    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_SERVER_SHUTDOWN:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_ABORTING_CONNECTION:
    case ER_OUT_OF_RESOURCES:
    case B24_ER_KILLED:
    case B24_ER_IDLE:
        return B24_DATABASE_DOWN;

    /* a standby after a failover, a node that joins, a backup, a full disk */

    case ER_OPTION_PREVENTS_STATEMENT:
    case B24_ER_READ_ONLY:
    case ER_OPEN_AS_READONLY:
    case ER_CANT_UPDATE_WITH_READLOCK:
    case ER_UNKNOWN_COM_ERROR:
    case B24_ER_HOOK:
    case B24_ER_ROLLED_BACK:
    case ER_RECORD_FILE_FULL:
    case ER_DISK_FULL:
    case ER_LOCK_TABLE_FULL:
    case ER_USER_LIMIT_REACHED:
        return B24_DATABASE_BUSY;

    case CR_OUT_OF_MEMORY:
        return B24_DATABASE_NOMEM;

    default:
        break;
    }

    /* of the client library */

    if (code >= CR_MIN_ERROR && code < 3000) {
        ms = b24_database_now() - db->began;

        return ms >= 900 * (int64_t) db->connect ? B24_DATABASE_SLOW
                                                 : B24_DATABASE_DOWN;
    }

    return B24_DATABASE_SQL;
}


b24_database_rc_e
b24_database_say(b24_database_t *db, b24_database_rc_e rc, unsigned code,
    const char *words)
{
    static const struct {
        const char  *cause;
        const char  *advice;
    } says[] = {
        [B24_DATABASE_DOWN] = {
            "the shop's database cannot be reached",
            "look whether it runs and whether b24_database names its host, "
            "port or socket" },
        [B24_DATABASE_SLOW] = {
            "the shop's database does not answer in time",
            "look what it is busy with, and whether the columns that the "
            "statements compare have an index" },
        [B24_DATABASE_BUSY] = {
            "the shop's database does not take a statement for now",
            "look whether it is read-only (a standby, a failover, a backup) or "
            "full; b24_database must name the server that the shop writes to" },
        [B24_DATABASE_ACCESS] = {
            "the shop's database refuses access",
            "check user, password, name and ssl of b24_database, and what this "
            "user may do there" },
        [B24_DATABASE_SQL] = {
            "the shop's database refuses a statement",
            "compare the statements of the shop's \"database\" block with the "
            "tables" },
        [B24_DATABASE_LARGE] = {
            "the shop's database gives more than an order can have",
            "let the statements of the \"database\" block give one order's "
            "rows" },
        [B24_DATABASE_NOMEM] = { "memory is out", "give the server more "
                                 "memory" }
    };

    /* another statement may be for other tables, this one is not */

    if (db->mixes && rc == B24_DATABASE_SQL) {
        return rc;
    }

    if (words && rc == B24_DATABASE_SQL) {
        snprintf(db->cause, sizeof(db->cause), "a statement of \"database\" "
                 "%s", words);

    } else if (code) {
        snprintf(db->cause, sizeof(db->cause), "%s (error %u)",
                 says[rc].cause, code);

    } else {
        snprintf(db->cause, sizeof(db->cause), "%s", says[rc].cause);
    }

    db->advice = says[rc].advice;

    return rc;
}


int64_t
b24_database_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
