
/* The client of shops' databases against a real MariaDB (t/mariadb.pl). */


#include "tap.h"
#include "b24_database.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define USER  "b24%40shop:se%2Fc%3Are%40t%251"


static FILE        *server_in;
static FILE        *server_out;
static unsigned     server_port;
static char         server_dir[128];
static pid_t        server_pid;
static b24_pool_t  *pool;


static void
server_start(void)
{
    int          in[2], out[2];
    char         line[256];
    const char  *tmp;

    tmp = getenv("TMPDIR");
    snprintf(server_dir, sizeof(server_dir), "%s/b24-database-%d",
             tmp ? tmp : "/tmp", (int) getpid());

    if (pipe(in) != 0 || pipe(out) != 0) {
        printf("Bail out! no pipe\n");
        exit(1);
    }

    server_pid = fork();

    if (server_pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execlp("perl", "perl", "t/mariadb.pl", server_dir, (char *) NULL);
        _exit(127);
    }

    close(in[0]);
    close(out[1]);

    server_in = fdopen(in[1], "w");
    server_out = fdopen(out[0], "r");

    if (fgets(line, sizeof(line), server_out) == NULL
        || sscanf(line, "ready %u", &server_port) != 1)
    {
        printf("Bail out! MariaDB did not start\n");
        exit(1);
    }
}


/* a command of t/mariadb.pl; what it prints, in the pool */
static b24_str_t
server(const char *command)
{
    char       line[4096];
    b24_buf_t  buf;
    b24_str_t  text;

    b24_buf_init(&buf, pool);

    fprintf(server_in, "%s\n", command);
    fflush(server_in);

    while (fgets(line, sizeof(line), server_out)) {

        if (strcmp(line, "done\n") == 0) {
            (void) b24_buf_str(&buf, &text);
            return text;
        }

        b24_buf_adds(&buf, line);
    }

    printf("Bail out! MariaDB's helper went away\n");
    exit(1);
}


static b24_database_url_t *
url(const char *user, unsigned port, const char *args)
{
    char                 text[512];
    b24_str_t            s;
    const char          *wrong;
    b24_database_url_t  *u;

    u = b24_palloc(pool, sizeof(b24_database_url_t));

    snprintf(text, sizeof(text), "mysql://%s@127.0.0.1:%u/shop%s", user, port,
             args);
    s = str(text);

    if (b24_database_url(pool, &s, u, &wrong) != B24_OK) {
        printf("# %s: %s\n", text, wrong);
        return NULL;
    }

    return u;
}


/* statements given one after the other are alternatives */
static b24_statement_t *
statement(b24_statement_e kind, const char *sql, const char *other)
{
    char              err[256] = "";
    b24_str_t         s;
    b24_statement_t  *st;

    s = str(sql);
    st = NULL;

    if (b24_statement_compile(pool, kind, &s, &st, err, sizeof(err)) != B24_OK)
    {
        printf("# %s\n", err);
        return NULL;
    }

    if (other) {
        st->next = statement(kind, other, NULL);
    }

    return st;
}


static b24_str_t *
values(void)
{
    return b24_pcalloc(pool, B24_NBINDS * sizeof(b24_str_t));
}


/* a column of the n-th row, "-" when it isn't there */
static b24_str_t
cell(b24_node_t *rows, int n, const char *name)
{
    b24_str_t    key;
    b24_node_t  *row, *member;

    key = str(name);

    for (row = rows ? rows->first : NULL; row && n; n--) {
        row = row->next;
    }

    member = row ? b24_node_get(row, &key) : NULL;

    return member ? member->value : str("-");
}


static long
ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
test_url(void)
{
    size_t              i;
    b24_str_t           s;
    const char         *wrong;
    b24_database_url_t  u;
    static char         zero[] = "mysql://u:p@ho0st/name";

    static const char  *bad[] = {
        "", "mysql:", "mysql://", "mysql://host/name", "mysql://u:p@host",
        "mysql://u:p@host/", "mysql://:p@host/name", "http://u:p@host/name",
        "mysql://u:p@host:0/name", "mysql://u:p@host:65536/name",
        "mysql://u:p@host:/name?x=1", "mysql://u:p@ho st/name",
        "mysql://u:p%@host/name", "mysql://u:p%00@host/name",
        "mysql://u:p%4@host/name", "mysql://u:p/q@host/name",
        "mysql://u:p@host=x/name", "mysql://u:p@/name",
        "mysql://u:p@host/name?ssl=2", "mysql://u:p@host/name?socket=x",
        "mysql://u:p@host/name?ssl_ca=", "mysql://u:p@[::1/name",
        "mysql://u:p@[::1]x/name", "mysql://u:p@host:33a/name"
    };

    /* a zero byte would end the host's name early */

    s = str(zero);
    zero[14] = '\0';
    is_int(b24_database_url(pool, &s, &u, &wrong), B24_DECLINED, "a zero byte in the host");

    s = str("mysql://b24%40shop:se%2Fc%3Are%40t%251@db.example.com:3307/shop");
    is_int(b24_database_url(pool, &s, &u, &wrong), B24_OK, "a whole address");
    is_str(&u.user, "b24@shop", "its user");
    is_str(&u.password, "se/c:re@t%1", "its password");
    is_str(&u.host, "db.example.com", "its host");
    is_str(&u.name, "shop", "its name");
    is_int(u.port, 3307, "its port");
    is_int(u.tls, 0, "no TLS");

    s = str("mysql://u@[2001:db8::1]/n?ssl_ca=/etc/ca.pem&socket=/run/s%20k");
    is_int(b24_database_url(pool, &s, &u, &wrong), B24_OK, "with arguments");
    is_str(&u.host, "2001:db8::1", "an IPv6 address");
    is_str(&u.password, "", "no password");
    is_int(u.port, 3306, "the usual port");
    is_int(u.tls, 1, "a CA means TLS");
    is_str(&u.ca, "/etc/ca.pem", "the CA");
    is_str(&u.socket, "/run/s k", "the socket");

    s = str("mysql://u:p@/n?socket=/run/s");
    is_int(b24_database_url(pool, &s, &u, &wrong), B24_OK,
           "a socket needs no host");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        wrong = NULL;
        s = str(bad[i]);
        ok(b24_database_url(pool, &s, &u, &wrong) == B24_DECLINED && wrong
           && strstr(wrong, "u:p") == NULL, "no address: \"%s\"", bad[i]);
    }
}


static void
test_ask(void)
{
    b24_str_t        *v;
    b24_node_t       *rows;
    b24_database_t   *db;
    b24_statement_t  *st;

    db = b24_database_create(url(USER, server_port, ""));
    v = values();

    st = statement(B24_STATEMENT_ORDER, "SELECT id, number, total, note, big,"
                   " made, part, name AS `имя` FROM orders"
                   " WHERE number = :number", NULL);

    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_UNASKED,
           "nothing to ask with");

    v[B24_ORDER_ID] = str("57/2026");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "an order is found");
    is_int((long long) rows->count, 1, "one row");
    { b24_str_t  c = cell(rows, 0, "id"); is_str(&c, "57", "an integer"); }
    { b24_str_t  c = cell(rows, 0, "number");
      is_str(&c, "57/2026", "a text"); }
    { b24_str_t  c = cell(rows, 0, "total");
      is_str(&c, "4280.5000", "a decimal as it is written"); }
    { b24_str_t  c = cell(rows, 0, "note"); is_str(&c, "-", "no NULL"); }
    { b24_str_t  c = cell(rows, 0, "made");
      is_str(&c, "2026-03-15 12:00:00", "a time"); }
    { b24_str_t  c = cell(rows, 0, "part"); is_str(&c, "0.5000", "a double"); }
    { b24_str_t  c = cell(rows, 0, "big");
      is_int((long long) c.len, 70000, "a long text is whole"); }
    { b24_str_t  c = cell(rows, 0, "имя");
      is_str(&c, "Иванов Пётр", "windows-1251 as UTF-8"); }

    v[B24_ORDER_ID] = str("57");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_NONE,
           "\"57\" is not \"57/2026\"");

    v[B24_ORDER_ID] = str("' OR '1'='1");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_NONE,
           "a quote is a quote");

    v[B24_ORDER_ID] = str("\xf0\x9f\x98\x80");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_NONE,
           "a text the table can't hold is no order");

    st = statement(B24_STATEMENT_ORDER, "SELECT id FROM orders WHERE id = :row"
                   " OR number = :number", NULL);
    v = values();
    v[B24_ORDER_ROW] = str("57");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "by its row, the number is not known");

    b24_database_destroy(db);
}


static void
test_alternatives(void)
{
    b24_str_t        *v;
    b24_node_t       *rows;
    b24_database_t   *db;

    db = b24_database_create(url(USER, server_port, ""));
    v = values();
    v[B24_ORDER_ROW] = str("57");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER,
                         "SELECT nothing FROM orders WHERE id = :row",
                         "SELECT id FROM orders WHERE id = :row"), v, &rows),
           B24_DATABASE_OK, "the second fits the table");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER,
                         "SELECT id FROM elsewhere WHERE id = :row",
                         "SELECT nothing FROM orders WHERE id = :row"), v,
               &rows),
           B24_DATABASE_SQL, "none fits");
    ok(strstr(b24_database_cause(db), "nothing") != NULL,
       "the server's words: %s", b24_database_cause(db));
    ok(b24_database_advice(db) != NULL, "and what to do");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER,
                         "SELECT id FROM orders WHERE id = :row + 1",
                         "SELECT nothing FROM orders WHERE id = :row"), v,
               &rows),
           B24_DATABASE_NONE, "the first fits and finds nothing");

    b24_database_destroy(db);
}


/* a text that no row can have, and columns that can't be compared at all */
static void
test_collations(void)
{
    b24_str_t         *v, found;
    uint64_t           affected;
    b24_node_t        *rows;
    b24_database_t    *db;
    b24_statement_t   *st;

    static const char  mixed[] = "SELECT id FROM texts WHERE id = :row"
                                 " AND one = two";

    db = b24_database_create(url(USER, server_port, ""));
    v = values();
    v[B24_ORDER_ROW] = str("57");
    v[B24_ORDER_ID] = str("\xf0\x9f\x98\x80");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT id FROM orders WHERE"
                         " number BETWEEN :number AND :number", NULL), v,
               &rows), B24_DATABASE_NONE, "a text twice");
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT id FROM orders WHERE"
                         " number IN (:number, :number, :number)", NULL), v,
               &rows), B24_DATABASE_NONE, "and among several");

    st = statement(B24_STATEMENT_ORDER, mixed, NULL);
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_SQL,
           "two columns that can't be compared");
    ok(strstr(b24_database_cause(db), "collations") != NULL,
       "the server's words: %s", b24_database_cause(db));
    ok(strstr(b24_database_advice(db), "COLLATE") != NULL, "what to do: %s",
       b24_database_advice(db));

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT id FROM texts WHERE"
                         " one IN (two, :number)", NULL), v, &rows),
           B24_DATABASE_SQL, "nor with a value beside them");
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT id FROM texts WHERE"
                         " one IN (two, one, :number, 'x')", NULL), v, &rows),
           B24_DATABASE_SQL, "nor with several");

    /* that other tables are there and empty says nothing of it */

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, mixed,
                         "SELECT id FROM orders WHERE id = :row + 1"), v,
               &rows), B24_DATABASE_SQL, "the next finds nothing");
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, mixed,
                         "SELECT nothing FROM orders WHERE id = :row"), v,
               &rows), B24_DATABASE_SQL, "or doesn't fit");
    ok(strstr(b24_database_cause(db), "collations") != NULL,
       "what counts is said: %s", b24_database_cause(db));
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, mixed,
                         "SELECT id FROM orders WHERE id = :row"), v, &rows),
           B24_DATABASE_OK, "the next finds it");

    v[B24_BIND_DEAL] = str("9");
    is_int(b24_database_write(db,
               statement(B24_STATEMENT_LINK, "UPDATE texts SET deal = :deal"
                         " WHERE id = :row AND one = two", NULL), v,
               &affected), B24_DATABASE_SQL, "nor while writing");

    is_int(b24_database_changes(db, pool,
               statement(B24_STATEMENT_CHANGES, "SELECT id AS `row`, id,"
                         " deal AS changed FROM texts WHERE deal >= :since"
                         " AND one = two",
                         "SELECT id AS `row`, number AS id, changed FROM many"
                         " WHERE changed >= :since AND id > 100"),
               &(b24_str_t) b24_string("2026-01-01 00:00:00"),
               &(b24_str_t) b24_string("1"), 5, &rows),
           B24_DATABASE_SQL, "nor among changes");

    /* what is looked at only while it runs */

    v[B24_ORDER_ID] = str("57/2026");
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT mixes() AS id FROM"
                         " orders WHERE number = :number", NULL), v, &rows),
           B24_DATABASE_SQL, "nor in a function");
    found = str(b24_database_cause(db));
    ok(b24_str_find(&found, 0, "collations") >= 0
       && b24_str_find(&found, 0, "57/2026") < 0, "without a value: %s",
       b24_database_cause(db));

    b24_database_destroy(db);
}


static void
test_write(void)
{
    uint64_t          n;
    b24_str_t         c, *v;
    b24_node_t       *rows;
    b24_database_t   *db;
    b24_statement_t  *st;

    db = b24_database_create(url(USER, server_port, ""));
    v = values();
    v[B24_ORDER_ROW] = str("57");
    v[B24_BIND_DEAL] = str("412");

    st = statement(B24_STATEMENT_LINK, "UPDATE orders SET deal = :deal"
                   " WHERE id = :row", NULL);

    is_int(b24_database_write(db, st, v, &n), B24_DATABASE_OK, "written");
    is_int((long long) n, 1, "one row");

    is_int(b24_database_write(db, st, v, &n), B24_DATABASE_OK, "again");
    is_int((long long) n, 1, "it counts though nothing changed");

    v[B24_ORDER_ROW] = str("58");
    is_int(b24_database_write(db, st, v, &n), B24_DATABASE_OK, "not there");
    is_int((long long) n, 0, "no row");

    /* a function with a side effect is all a SELECT could hide */

    st = statement(B24_STATEMENT_ORDER, "SELECT spoil() AS id", NULL);
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_SQL,
           "a statement that reads can't write");
    ok(strstr(b24_database_cause(db), "READ ONLY") != NULL, "%s",
       b24_database_cause(db));

    v[B24_ORDER_ROW] = str("57");
    st = statement(B24_STATEMENT_ORDER, "SELECT deal FROM orders"
                   " WHERE id = :row", NULL);
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "read back");
    c = cell(rows, 0, "deal");
    is_str(&c, "412", "the deal");

    b24_database_destroy(db);
}


static void
test_clock(void)
{
    b24_str_t              seconds;
    b24_database_t        *db;
    b24_database_clock_t   clock;

    db = b24_database_create(url(USER, server_port, ""));

    is_int(b24_database_clock(db, &clock), B24_DATABASE_OK, "the time");
    is_int((long long) clock.now.len, 19, "as a text");
    ok(clock.now.data[4] == '-' && clock.now.data[10] == ' ', "%.*s",
       (int) clock.now.len, clock.now.data);

    seconds = clock.seconds;
    ok(seconds.len == 10 && seconds.data[0] != '0', "and in seconds");

    b24_database_destroy(db);

    db = b24_database_create(url(USER, 1, ""));
    is_int(b24_database_clock(db, &clock), B24_DATABASE_DOWN, "nobody there");
    is_int((long long) clock.now.len, 0, "no time");
    b24_database_destroy(db);
}


static void
test_changes(void)
{
    b24_str_t         c, none = b24_null_string, since, row;
    b24_node_t       *rows;
    b24_database_t   *db;
    b24_statement_t  *st;

    db = b24_database_create(url(USER, server_port, ""));

    st = statement(B24_STATEMENT_CHANGES, "SELECT id AS `row`, number AS id,"
                   " changed FROM many WHERE changed >= :since"
                   " ORDER BY changed, id LIMIT 2", NULL);

    is_int(b24_database_changes(db, pool, st, &none, &none, 3, &rows),
           B24_DATABASE_OK, "the newest");
    c = cell(rows, 0, "changed");
    is_str(&c, "2026-01-01 00:00:09", "of the whole table");
    c = cell(rows, 0, "row");
    is_str(&c, "9", "its row");

    since = str("2026-01-01 00:00:03");
    is_int(b24_database_changes(db, pool, st, &since, &none, 3, &rows),
           B24_DATABASE_OK, "a page");
    is_int((long long) rows->count, 3, "of three, whatever the rule says");
    c = cell(rows, 0, "row");
    is_str(&c, "3", "from there on");

    row = str("3");
    is_int(b24_database_changes(db, pool, st, &since, &row, 3, &rows),
           B24_DATABASE_OK, "behind a row");
    c = cell(rows, 0, "row");
    is_str(&c, "4", "the next");

    since = str("2026-01-01 00:00:09");
    row = str("9");
    is_int(b24_database_changes(db, pool, st, &since, &row, 3, &rows),
           B24_DATABASE_NONE, "nothing more");

    st = statement(B24_STATEMENT_CHANGES, "SELECT id AS `row`, id AS changed,"
                   " number AS id FROM none WHERE id > :since", NULL);
    is_int(b24_database_changes(db, pool, st, &none, &none, 3, &rows),
           B24_DATABASE_OK, "of an empty table");
    c = cell(rows, 0, "changed");
    is_str(&c, "0", "a number begins at 0");

    st = statement(B24_STATEMENT_CHANGES, "SELECT id AS `row`, number AS id"
                   " FROM many WHERE changed >= :since", NULL);
    is_int(b24_database_changes(db, pool, st, &none, &none, 3, &rows),
           B24_DATABASE_SQL, "no column \"changed\"");
    ok(strstr(b24_database_cause(db), "changed") != NULL, "%s",
       b24_database_cause(db));

    b24_database_destroy(db);
}


static void
test_bounds(void)
{
    b24_str_t        *v;
    b24_node_t       *rows;
    b24_database_t   *db;

    db = b24_database_create(url(USER, server_port, ""));
    v = values();
    v[B24_ORDER_ROW] = str("57");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ITEMS, "SELECT seq FROM seq_1_to_6000 WHERE"
                         " :row", NULL), v, &rows),
           B24_DATABASE_LARGE, "too many rows");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ITEMS, "SELECT repeat('x', 9000000) AS"
                         " a FROM orders WHERE id = :row", NULL), v, &rows),
           B24_DATABASE_LARGE, "too many bytes");

    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ITEMS, "SELECT id FROM orders"
                         " WHERE id = :row", NULL), v, &rows),
           B24_DATABASE_OK, "the next is well again");

    b24_database_destroy(db);
}


static void
test_access(void)
{
    b24_str_t        *v;
    b24_node_t       *rows;
    b24_database_t   *db;
    b24_statement_t  *st;

    v = values();
    v[B24_ORDER_ROW] = str("57");
    st = statement(B24_STATEMENT_ORDER, "SELECT id FROM orders WHERE id = :row",
                   NULL);

    db = b24_database_create(url("b24%40shop:hunter2", server_port, ""));
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_ACCESS,
           "a wrong password");
    ok(strstr(b24_database_cause(db), "1045") && b24_database_advice(db)
       && strstr(b24_database_cause(db), "hunter2") == NULL
       && strstr(b24_database_cause(db), "shop:") == NULL, "%s",
       b24_database_cause(db));
    b24_database_destroy(db);

    db = b24_database_create(url(USER, server_port, ""));
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT user FROM mysql.user"
                         " WHERE :row", NULL), v, &rows),
           B24_DATABASE_ACCESS, "a table that isn't ours");
    b24_database_destroy(db);
}


static void
test_tls(void)
{
    char              args[256];
    b24_str_t         c, *v;
    b24_node_t       *rows;
    b24_database_t   *db;
    b24_statement_t  *st;

    v = values();
    v[B24_ORDER_ROW] = str("57");
    st = statement(B24_STATEMENT_ORDER, "SELECT variable_value AS cipher FROM"
                   " information_schema.session_status"
                   " WHERE variable_name = 'ssl_cipher' AND :row", NULL);

    snprintf(args, sizeof(args), "?ssl_ca=%s/ca.pem", server_dir);

    db = b24_database_create(url(USER, server_port, args));
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "over TLS");
    c = cell(rows, 0, "cipher");
    ok(c.len > 5, "cipher %.*s", (int) c.len, c.data);
    b24_database_destroy(db);

    db = b24_database_create(url(USER, server_port, "?ssl=1"));
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_ACCESS,
           "a certificate nobody vouches for");
    b24_database_destroy(db);

    snprintf(args, sizeof(args), "?socket=%s/sock", server_dir);
    db = b24_database_create(url(USER, 1, args));
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "through the socket");
    b24_database_destroy(db);
}


static void
test_faults(void)
{
    int                 fd;
    long                began;
    socklen_t           len;
    b24_str_t          *v;
    b24_node_t         *rows;
    b24_database_t     *db, *other;
    b24_statement_t    *st;
    struct sockaddr_in  addr;

    v = values();
    v[B24_ORDER_ROW] = str("57");
    st = statement(B24_STATEMENT_ORDER, "SELECT id FROM orders WHERE id = :row",
                   NULL);

    db = b24_database_create(url(USER, server_port, ""));
    b24_database_timeouts(db, 1, 1);

    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "connected");

    (void) server("stop");
    (void) server("start");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "a connection that was closed meanwhile is made anew");

    (void) server("stop");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_DOWN,
           "stopped");
    ok(b24_database_advice(db) != NULL, "%s", b24_database_cause(db));
    (void) server("start");
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "back again");

    (void) server("pause");
    began = ms();
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_SLOW,
           "it hangs with a connection");
    ok(ms() - began < 8000, "given up in time (%ld ms)", ms() - began);

    other = b24_database_create(url(USER, server_port, ""));
    b24_database_timeouts(other, 1, 1);
    began = ms();
    is_int(b24_database_ask(other, pool, st, v, &rows), B24_DATABASE_SLOW,
           "it hangs at the greeting");
    ok(ms() - began < 8000, "given up in time (%ld ms)", ms() - began);
    (void) server("resume");
    is_int(b24_database_ask(other, pool, st, v, &rows), B24_DATABASE_OK,
           "and goes on");
    b24_database_destroy(other);

    began = ms();
    is_int(b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT count(*) AS id FROM"
                         " seq_1_to_1000000 a, seq_1_to_1000000 b WHERE"
                         " a.seq + b.seq > :row", NULL), v, &rows),
           B24_DATABASE_SLOW, "a slow statement");
    ok(ms() - began < 8000, "given up in time (%ld ms): %s", ms() - began,
       b24_database_cause(db));
    is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_OK,
           "the next is well again");

    b24_database_destroy(db);

    /* a port that takes connections and never says a word */

    fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(addr);

    if (bind(fd, (struct sockaddr *) &addr, len) == 0
        && listen(fd, 5) == 0
        && getsockname(fd, (struct sockaddr *) &addr, &len) == 0)
    {
        db = b24_database_create(url(USER, ntohs(addr.sin_port), ""));
        b24_database_timeouts(db, 1, 1);
        began = ms();
        is_int(b24_database_ask(db, pool, st, v, &rows), B24_DATABASE_SLOW,
               "somebody who says nothing");
        ok(ms() - began < 8000, "given up in time (%ld ms)", ms() - began);
        b24_database_destroy(db);
    }

    close(fd);
}


static void
test_log(void)
{
    b24_str_t         log, *v;
    b24_node_t       *rows;
    b24_database_t   *db;

    db = b24_database_create(url(USER, server_port, ""));
    v = values();
    v[B24_ORDER_EMAIL] = str("x'; DROP TABLE orders; -- ");

    (void) b24_database_ask(db, pool,
               statement(B24_STATEMENT_ORDER, "SELECT id FROM orders"
                         " WHERE number = :email", NULL), v, &rows);
    b24_database_destroy(db);

    log = server("log");

    ok(b24_str_find(&log, 0, "Prepare SELECT id FROM orders WHERE number = ?")
       >= 0, "prepared with a question mark");
    ok(b24_str_find(&log, 0, "Execute SELECT id FROM orders WHERE number ="
                             " 'x\\'; DROP TABLE orders; -- '") >= 0,
       "executed with the value bound");
    ok(b24_str_find(&log, 0, "Query DROP") < 0, "and nothing else");
    ok(b24_str_find(&log, 0, "Query SET SESSION TRANSACTION READ ONLY") >= 0,
       "read only");
    ok(b24_str_find(&log, 0, "se/c:re@t%1") < 0, "no password");
}


int
main(void)
{
    pool = b24_pool_create(0);

    if (pool == NULL || b24_database_init() != B24_OK) {
        return 1;
    }

    test_url();

    server_start();

    (void) server("sql CREATE TABLE orders (id int PRIMARY KEY, number"
                  " varchar(100), total decimal(18,4), note text NULL, big"
                  " mediumtext, made datetime, part double(18,4), name"
                  " varchar(100) CHARACTER SET cp1251, deal int, UNIQUE"
                  " (number)) CHARACTER SET cp1251");
    (void) server("sql INSERT INTO orders VALUES (57, '57/2026', 4280.5, NULL,"
                  " repeat('x', 70000), '2026-03-15 12:00:00', 0.5,"
                  " 'Иванов Пётр', NULL)");
    (void) server("sql CREATE TABLE many (id int PRIMARY KEY, number"
                  " varchar(20), changed datetime);"
                  " INSERT INTO many SELECT seq, concat('n-', seq),"
                  " timestampadd(SECOND, seq, '2026-01-01') FROM seq_1_to_9;"
                  " CREATE TABLE none (id int, number varchar(20))");
    (void) server("sql CREATE TABLE texts (id int PRIMARY KEY, deal int, one"
                  " varchar(20) COLLATE utf8mb4_unicode_ci, two varchar(20)"
                  " COLLATE utf8mb4_general_ci) CHARACTER SET utf8mb4;"
                  " INSERT INTO texts VALUES (57, 1, 'x', 'x')");
    (void) server("sql SET GLOBAL log_bin_trust_function_creators = 1;"
                  "\\nDELIMITER //\\nCREATE FUNCTION spoil() RETURNS int"
                  " MODIFIES SQL DATA BEGIN UPDATE orders SET deal = 1; RETURN"
                  " 1; END//\\nCREATE FUNCTION mixes() RETURNS int READS SQL"
                  " DATA BEGIN RETURN (SELECT count(*) FROM texts WHERE one ="
                  " two); END//");
    (void) server("sql GRANT EXECUTE ON shop.* TO 'b24@shop'@'%'");

    test_ask();
    test_alternatives();
    test_collations();
    test_write();
    test_clock();
    test_changes();
    test_bounds();
    test_access();
    test_tls();
    test_faults();
    test_log();

    fclose(server_in);
    fclose(server_out);
    waitpid(server_pid, NULL, 0);

    b24_pool_destroy(pool);

    return done_testing();
}
