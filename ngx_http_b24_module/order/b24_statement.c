
/* SQL of a shop's rules: what may stand there, and where values are bound. */


#include "b24_statement.h"

#include <stdio.h>


#define B24_SQL_WORD  32


typedef struct {
    b24_statement_e   kind;
    const b24_str_t  *sql;
    size_t            pos;
    unsigned          depth;        /* of parentheses */
    unsigned          words;        /* seen so far */
    unsigned          ended:1;      /* behind the ";" */
    char              last[B24_SQL_WORD];   /* the word before, small */
    size_t            last_at;      /* where it stands in out */
    size_t            name_end;     /* of the name before, in sql */
    b24_buf_t         out;
    b24_statement_t  *statement;
    char             *err;
    size_t            errlen;
} b24_sql_scan_t;


static int b24_sql_scan(b24_sql_scan_t *scan);
static int b24_sql_skip(b24_sql_scan_t *scan);
static int b24_sql_quoted(b24_sql_scan_t *scan, u_char quote);
static int b24_sql_comment(b24_sql_scan_t *scan, size_t start,
    const char *end);
static int b24_sql_word(b24_sql_scan_t *scan);
static void b24_sql_head(b24_sql_scan_t *scan, const char *word);
static int b24_sql_first(b24_sql_scan_t *scan, const char *word);
static int b24_sql_forbidden(b24_sql_scan_t *scan, const char *word);
static size_t b24_sql_number(const b24_sql_scan_t *scan);
static size_t b24_sql_digits(const b24_str_t *sql, size_t pos);
static int b24_sql_sign(b24_sql_scan_t *scan, u_char c);
static int b24_sql_bind(b24_sql_scan_t *scan);
static int b24_sql_fail(b24_sql_scan_t *scan, const char *words);
static int b24_sql_letter(u_char c);
static int b24_sql_blank(u_char c);


const b24_str_t  b24_statement_names[B24_NSTATEMENTS] = {
    b24_string("order"), b24_string("items"), b24_string("changes"),
    b24_string("link")
};


int
b24_statement_compile(b24_pool_t *pool, b24_statement_e kind,
    const b24_str_t *sql, b24_statement_t **statement, char *err,
    size_t errlen)
{
    int               rc;
    b24_sql_scan_t    scan;
    b24_statement_t  *s;

    s = b24_pcalloc(pool, sizeof(b24_statement_t));
    if (s == NULL) {
        return B24_ERROR;
    }

    memset(&scan, 0, sizeof(b24_sql_scan_t));

    scan.kind = kind;
    scan.sql = sql;
    scan.statement = s;
    scan.err = err;
    scan.errlen = errlen;

    b24_buf_init(&scan.out, pool);

    rc = b24_sql_scan(&scan);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_buf_str(&scan.out, &s->sql) != B24_OK) {
        return B24_ERROR;
    }

    if (s->head == 0) {
        s->head = s->sql.len;
        s->nhead = s->nbinds;
    }

    *statement = s;

    return B24_OK;
}


static int
b24_sql_scan(b24_sql_scan_t *scan)
{
    int      rc;
    size_t   end;
    u_char   c;

    while (scan->pos < scan->sql->len) {

        rc = b24_sql_skip(scan);

        if (rc != B24_DECLINED) {

            if (rc == B24_ERROR) {
                return scan->err[0] ? B24_DECLINED : B24_ERROR;
            }

            continue;
        }

        c = scan->sql->data[scan->pos];

        if (scan->ended && !b24_isspace(c)) {
            return b24_sql_fail(scan, "is more than one statement: leave out "
                                "what stands behind the \";\"");
        }

        end = b24_sql_number(scan);

        if (scan->words == 0 && !b24_sql_letter(c) && c != '(' && c != ';'
            && !b24_isspace(c))
        {
            rc = b24_sql_first(scan, "");

        } else if (end > scan->pos) {
            b24_buf_add(&scan->out, &scan->sql->data[scan->pos],
                        end - scan->pos);
            scan->pos = end;
            rc = B24_OK;

        } else if (b24_sql_letter(c) || b24_isdigit(c)) {
            rc = b24_sql_word(scan);

        } else if (c == ':') {
            rc = b24_sql_bind(scan);

        } else {
            rc = b24_sql_sign(scan, c);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return scan->words ? B24_OK : b24_sql_fail(scan, "is empty");
}


/* texts, names in quotes and comments; DECLINED: none of them is here */

static int
b24_sql_skip(b24_sql_scan_t *scan)
{
    u_char            c, next;
    const b24_str_t  *sql;

    sql = scan->sql;
    c = sql->data[scan->pos];
    next = scan->pos + 1 < sql->len ? sql->data[scan->pos + 1] : '\0';

    if (c == '\'' || c == '"' || c == '`') {
        return b24_sql_quoted(scan, c);
    }

    if (c == '#') {
        return b24_sql_comment(scan, 1, "\n");
    }

    if (c == '-' && next == '-'
        && (scan->pos + 2 == sql->len
            || b24_sql_blank(sql->data[scan->pos + 2])))
    {
        return b24_sql_comment(scan, 2, "\n");
    }

    if (c == '/' && next == '*') {

        /* the server runs what is in a comment of this kind */

        if (scan->pos + 2 < sql->len
            && (sql->data[scan->pos + 2] == '!'
                || sql->data[scan->pos + 2] == 'M'))
        {
            (void) b24_sql_fail(scan, "has a comment that the server would "
                                "run, \"/*! ... */\": leave it out");
            return B24_ERROR;
        }

        return b24_sql_comment(scan, 2, "*/");
    }

    return B24_DECLINED;
}


/* copied as it is; a doubled quote is two texts in a row, which is the same */

static int
b24_sql_quoted(b24_sql_scan_t *scan, u_char quote)
{
    u_char  c;
    size_t  start;

    if (scan->ended) {
        (void) b24_sql_fail(scan, "is more than one statement: leave out what "
                            "stands behind the \";\"");
        return B24_ERROR;
    }

    if (scan->words == 0) {
        (void) b24_sql_first(scan, "");
        return B24_ERROR;
    }

    start = scan->pos++;

    while (scan->pos < scan->sql->len) {
        c = scan->sql->data[scan->pos++];

        if (c == '\\' && quote != '`') {
            scan->pos++;

        } else if (c == quote) {
            if (quote == '`') {
                scan->name_end = scan->pos;
            }

            b24_buf_add(&scan->out, scan->sql->data + start,
                        scan->pos - start);
            return B24_OK;
        }
    }

    (void) b24_sql_fail(scan, "has a quote without its end");

    return B24_ERROR;
}


/* a blank in its place */

static int
b24_sql_comment(b24_sql_scan_t *scan, size_t start, const char *end)
{
    ssize_t  at;

    at = b24_str_find(scan->sql, scan->pos + start, end);

    if (at < 0 && end[0] == '*') {
        (void) b24_sql_fail(scan, "has a comment without its end");
        return B24_ERROR;
    }

    scan->pos = at < 0 ? scan->sql->len : (size_t) at + strlen(end);

    b24_buf_addc(&scan->out, ' ');

    return B24_OK;
}


static int
b24_sql_word(b24_sql_scan_t *scan)
{
    int               rc, column;
    char              word[B24_SQL_WORD];
    size_t            start, n;
    const b24_str_t  *sql;

    sql = scan->sql;
    start = scan->pos;

    for (n = 0; scan->pos < sql->len; scan->pos++) {

        if (!b24_sql_letter(sql->data[scan->pos])
            && !b24_isdigit(sql->data[scan->pos]))
        {
            break;
        }

        if (n < B24_SQL_WORD - 1) {
            word[n++] = (char) b24_tolower(sql->data[scan->pos]);
        }
    }

    word[n] = '\0';

    /* "t.update" is a column; "1.into" is a number and a word */

    column = scan->name_end && start == scan->name_end + 1
             && sql->data[start - 1] == '.';

    scan->name_end = scan->pos;

    if (!column) {
        rc = scan->words ? b24_sql_forbidden(scan, word)
                         : b24_sql_first(scan, word);
        if (rc != B24_OK) {
            return rc;
        }

        b24_sql_head(scan, word);
    }

    scan->last_at = scan->out.len;
    memcpy(scan->last, word, n + 1);
    scan->words++;

    b24_buf_add(&scan->out, sql->data + start, scan->pos - start);

    return B24_OK;
}


/* where the last ORDER BY or LIMIT of the whole begins */

static void
b24_sql_head(b24_sql_scan_t *scan, const char *word)
{
    b24_statement_t  *s;

    s = scan->statement;

    if (scan->depth) {
        return;
    }

    if (strcmp(word, "by") == 0 && strcmp(scan->last, "order") == 0) {
        s->head = scan->last_at;
        s->nhead = s->nbinds;

    } else if (strcmp(word, "limit") == 0 && s->head == 0) {
        s->head = scan->out.len;
        s->nhead = s->nbinds;
    }
}


static int
b24_sql_first(b24_sql_scan_t *scan, const char *word)
{
    if (scan->kind == B24_STATEMENT_LINK) {

        if (strcmp(word, "update") == 0 || strcmp(word, "insert") == 0
            || strcmp(word, "replace") == 0)
        {
            return B24_OK;
        }

        return b24_sql_fail(scan, "must begin with UPDATE, INSERT or REPLACE");
    }

    if (strcmp(word, "select") == 0 || strcmp(word, "with") == 0) {
        return B24_OK;
    }

    return b24_sql_fail(scan, "must begin with SELECT or WITH: it only reads");
}


/* the session is read only besides; this tells it when nginx starts */

static int
b24_sql_forbidden(b24_sql_scan_t *scan, const char *word)
{
    if (strcmp(word, "outfile") == 0 || strcmp(word, "dumpfile") == 0) {
        return b24_sql_fail(scan, "has INTO OUTFILE or DUMPFILE: it may write "
                            "no file");
    }

    if (scan->kind == B24_STATEMENT_LINK) {
        return B24_OK;
    }

    if (strcmp(word, "into") == 0) {
        return b24_sql_fail(scan, "has INTO: it only reads");
    }

    if ((strcmp(scan->last, "for") == 0
         && (strcmp(word, "update") == 0 || strcmp(word, "share") == 0))
        || (strcmp(scan->last, "lock") == 0 && strcmp(word, "in") == 0))
    {
        return b24_sql_fail(scan, "locks rows: leave FOR UPDATE, FOR SHARE and "
                            "LOCK IN SHARE MODE out");
    }

    /* behind a WITH */

    if (strcmp(word, "update") == 0 || strcmp(word, "delete") == 0) {
        return b24_sql_fail(scan, "has UPDATE or DELETE: it only reads");
    }

    return B24_OK;
}


/*
 * The end of the number that begins here, if one does: "1e5into" and ".5into"
 * are a number and a word, "1into" and the "5into" of "t.5into" are names.
 */

static size_t
b24_sql_number(const b24_sql_scan_t *scan)
{
    size_t            end, exponent, fraction;
    const b24_str_t  *sql;

    sql = scan->sql;
    end = b24_sql_digits(sql, scan->pos);

    fraction = end < sql->len && sql->data[end] == '.'
               && (end > scan->pos || scan->name_end != scan->pos);

    if (fraction) {
        end = b24_sql_digits(sql, end + 1);
    }

    if (end == scan->pos + fraction) {
        return scan->pos;
    }

    if (end == sql->len || !b24_sql_letter(sql->data[end])) {
        return end;
    }

    if (b24_tolower(sql->data[end]) == 'e') {
        exponent = end + 1;

        if (exponent < sql->len
            && (sql->data[exponent] == '+' || sql->data[exponent] == '-'))
        {
            exponent++;
        }

        if (b24_sql_digits(sql, exponent) > exponent) {
            return b24_sql_digits(sql, exponent);
        }
    }

    return fraction ? end : scan->pos;
}


static size_t
b24_sql_digits(const b24_str_t *sql, size_t pos)
{
    while (pos < sql->len && b24_isdigit(sql->data[pos])) {
        pos++;
    }

    return pos;
}


static int
b24_sql_sign(b24_sql_scan_t *scan, u_char c)
{
    if (c == '?') {
        return b24_sql_fail(scan, "has a \"?\": name what is bound, such as "
                            ":number");
    }

    scan->depth += (c == '(');
    scan->depth -= (c == ')' && scan->depth);

    scan->pos++;

    if (c == ';') {
        scan->ended = 1;
        return B24_OK;
    }

    /* with the blank that stands for a comment "--" would begin another one */

    if (c == '-' && scan->out.len
        && scan->out.data[scan->out.len - 1] == '-')
    {
        b24_buf_addc(&scan->out, ' ');
    }

    if (!scan->ended) {
        b24_buf_addc(&scan->out, c);
    }

    return B24_OK;
}


/* ":number"; "::" and ":=" are nothing of ours */

static int
b24_sql_bind(b24_sql_scan_t *scan)
{
    int               bind;
    size_t            i;
    b24_str_t         name;
    char              words[160];
    b24_statement_t  *s;

    name.data = scan->sql->data + scan->pos + 1;

    for (name.len = 0; scan->pos + 1 + name.len < scan->sql->len; name.len++) {

        if (!b24_sql_letter(name.data[name.len])) {
            break;
        }
    }

    if (name.len == 0) {
        return b24_sql_fail(scan, "has a \":\" without a name behind it: name "
                            "what is bound, such as :number");
    }

    bind = -1;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (i != B24_ORDER_MINOR_UNITS
            && b24_str_eq(&name, &b24_order_names[i]))
        {
            bind = (int) i;
        }
    }

    if (b24_str_eqs(&name, "number")) {
        bind = B24_ORDER_ID;

    } else if (b24_str_eqs(&name, "since")
               && scan->kind == B24_STATEMENT_CHANGES)
    {
        bind = B24_BIND_SINCE;

    } else if (b24_str_eqs(&name, "deal") && scan->kind == B24_STATEMENT_LINK)
    {
        bind = B24_BIND_DEAL;

    } else if (b24_str_eqs(&name, "placed")
               && scan->kind == B24_STATEMENT_ORDER)
    {
        bind = B24_BIND_PLACED;
    }

    if (bind < 0 || (scan->kind == B24_STATEMENT_CHANGES
                     && bind != B24_BIND_SINCE))
    {
        snprintf(words, sizeof(words), "binds \":%.*s\", which it does not "
                 "have: %s", (int) (name.len < 40 ? name.len : 40),
                 (char *) name.data,
                 scan->kind == B24_STATEMENT_CHANGES ? "it takes :since"
                 : scan->kind == B24_STATEMENT_LINK
                   ? "it takes :deal and the order's fields, such as :number"
                   : "it takes the order's fields, such as :number, :row, "
                     ":email");
        return b24_sql_fail(scan, words);
    }

    s = scan->statement;

    if (s->nbinds == B24_STATEMENT_BINDS) {
        return b24_sql_fail(scan, "binds more than 64 values");
    }

    s->binds[s->nbinds++] = (unsigned char) bind;
    scan->pos += 1 + name.len;
    scan->words++;
    scan->last[0] = '\0';

    b24_buf_addc(&scan->out, '?');

    return B24_OK;
}


static int
b24_sql_fail(b24_sql_scan_t *scan, const char *words)
{
    snprintf(scan->err, scan->errlen, "\"%s\" of \"database\" %s",
             (char *) b24_statement_names[scan->kind].data, words);

    return B24_DECLINED;
}


static int
b24_sql_letter(u_char c)
{
    return (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z') || c == '_'
           || c == '$' || c >= 0x80;
}


/* as the server sees it behind "--" */

static int
b24_sql_blank(u_char c)
{
    return c <= ' ' || c == 0x7f;
}
