
/*
 * SQL of a shop's rules.  What was accepted is read again by a lexer that knows
 * what a server makes of a text, and must be one statement, that only reads
 * unless it is a link, with a mark for each value.
 *
 * Aims at: order/b24_statement.c
 */


#include "b24_statement.h"

#include <stdlib.h>


#define CHECK(cond)  if (!(cond)) { abort(); }


typedef enum {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_COLUMN,               /* a word behind "NAME." */
    TOKEN_NAME,                 /* in quotes */
    TOKEN_TEXT,
    TOKEN_NUMBER,
    TOKEN_MARK,                 /* "?" */
    TOKEN_BIND,                 /* ":name", of ours */
    TOKEN_COMMENT,
    TOKEN_BROKEN,
    TOKEN_SIGN
} token_e;


typedef struct {
    b24_str_t  s;
    size_t     start;
    size_t     pos;
    token_e    type;
    token_e    before;          /* the two before it, when they touch */
    token_e    before2;
    u_char     sign;            /* before it */
} lexer_t;


static const char  *wrong[] = { "into", "update", "delete", "outfile",
                                "dumpfile" };


static int
letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80
           || c == '_' || c == '$';
}


static int
digit(int c)
{
    return c >= '0' && c <= '9';
}


/* -1 behind the end */

static int
at(const lexer_t *l, size_t ahead)
{
    return l->pos + ahead < l->s.len ? l->s.data[l->pos + ahead] : -1;
}


static int
is_word(const lexer_t *l, const char *word)
{
    b24_str_t  s;

    s.data = l->s.data + l->start;
    s.len = l->pos - l->start;

    return l->type == TOKEN_WORD && b24_str_caseeqs(&s, word);
}


static token_e
quoted(lexer_t *l, int quote)
{
    for (l->pos++; at(l, 0) >= 0; l->pos++) {

        if (at(l, 0) == '\\' && quote != '`') {
            l->pos++;

        } else if (at(l, 0) == quote) {

            if (at(l, 1) != quote) {
                l->pos++;
                return quote == '`' ? TOKEN_NAME : TOKEN_TEXT;
            }

            l->pos++;
        }
    }

    return TOKEN_BROKEN;
}


static token_e
number(lexer_t *l)
{
    size_t  sign;

    while (digit(at(l, 0))) {
        l->pos++;
    }

    if (at(l, 0) == '.') {
        do {
            l->pos++;
        } while (digit(at(l, 0)));
    }

    if (at(l, 0) == 'e' || at(l, 0) == 'E') {
        sign = (at(l, 1) == '+' || at(l, 1) == '-');

        if (digit(at(l, 1 + sign))) {
            for (l->pos += 1 + sign; digit(at(l, 0)); l->pos++) { /* void */ }
        }
    }

    return TOKEN_NUMBER;
}


/* "1a" is a name, "1e5a" a number and a word */

static int
named_by_number(const lexer_t *l)
{
    size_t  n;

    for (n = 0; digit(at(l, n)); n++) { /* void */ }

    if (!letter(at(l, n))) {
        return 0;
    }

    if ((at(l, n) | 0x20) != 'e') {
        return 1;
    }

    n++;
    n += (at(l, n) == '+' || at(l, n) == '-');

    return !digit(at(l, n));
}


static token_e
comment(lexer_t *l)
{
    if (at(l, 0) == '/') {

        if (at(l, 2) == '!' || (at(l, 2) == 'M' && at(l, 3) == '!')) {
            return TOKEN_BROKEN;
        }

        for (l->pos += 2; at(l, 0) >= 0; l->pos++) {

            if (at(l, 0) == '*' && at(l, 1) == '/') {
                l->pos += 2;
                return TOKEN_COMMENT;
            }
        }

        return TOKEN_BROKEN;
    }

    while (at(l, 0) >= 0 && at(l, 0) != '\n') {
        l->pos++;
    }

    return TOKEN_COMMENT;
}


static token_e
token(lexer_t *l)
{
    int  c;

    c = at(l, 0);

    if (c < 0) {
        return TOKEN_END;
    }

    if (c == '\'' || c == '"' || c == '`') {
        return quoted(l, c);
    }

    if (c == '#' || (c == '/' && at(l, 1) == '*')
        || (c == '-' && at(l, 1) == '-'
            && (at(l, 2) <= ' ' || at(l, 2) == 0x7f)))
    {
        return comment(l);
    }

    if ((digit(c) && !named_by_number(l))
        || (c == '.' && digit(at(l, 1)) && l->before != TOKEN_WORD
            && l->before != TOKEN_NAME && l->before != TOKEN_COLUMN))
    {
        return number(l);
    }

    if (letter(c) || digit(c)) {

        while (letter(at(l, 0)) || digit(at(l, 0))) {
            l->pos++;
        }

        return l->before == TOKEN_SIGN && l->sign == '.'
               && (l->before2 == TOKEN_WORD || l->before2 == TOKEN_COLUMN
                   || l->before2 == TOKEN_NAME)
               ? TOKEN_COLUMN : TOKEN_WORD;
    }

    l->pos++;

    if (c == ':' && letter(at(l, 0))) {

        while (letter(at(l, 0))) {
            l->pos++;
        }

        return TOKEN_BIND;
    }

    return c == '?' ? TOKEN_MARK : TOKEN_SIGN;
}


/* the next token, without the blanks before it */

static token_e
next(lexer_t *l)
{
    l->before2 = l->before;
    l->before = l->pos ? l->type : TOKEN_END;
    l->sign = l->pos ? l->s.data[l->pos - 1] : '\0';

    while (at(l, 0) >= 0 && b24_isspace((u_char) at(l, 0))) {
        l->pos++;
        l->before = l->before2 = TOKEN_END;
    }

    l->start = l->pos;
    l->type = token(l);

    return l->type;
}


static void
check_first(const lexer_t *l, b24_statement_e kind)
{
    if (kind == B24_STATEMENT_LINK) {
        CHECK(is_word(l, "update") || is_word(l, "insert")
              || is_word(l, "replace"));

    } else {
        CHECK(is_word(l, "select") || is_word(l, "with"));
    }
}


static void
check_word(const lexer_t *l, b24_statement_e kind)
{
    size_t  i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(!is_word(l, wrong[i])
              || (kind == B24_STATEMENT_LINK && i < 3));
    }
}


/* the text as the server will see it */

static void
check_sql(const b24_statement_t *s, b24_statement_e kind)
{
    int       began, headed;
    unsigned  n;
    lexer_t   l;

    memset(&l, 0, sizeof(lexer_t));

    l.s = s->sql;
    n = 0;
    began = 0;
    headed = 0;

    CHECK(s->sql.data[s->sql.len] == '\0');
    CHECK(s->head <= s->sql.len && s->nhead <= s->nbinds);

    while (next(&l) != TOKEN_END) {

        CHECK(l.type != TOKEN_BROKEN && l.type != TOKEN_COMMENT);
        CHECK(l.type != TOKEN_BIND && s->sql.data[l.start] != ';');

        if (!began && s->sql.data[l.start] != '(') {
            check_first(&l, kind);
            began = 1;
        }

        check_word(&l, kind);

        if (l.start >= s->head && !headed) {

            /* nothing is cut in two */

            headed = 1;
            CHECK(n == s->nhead);
            CHECK(l.start == s->head || s->head == s->sql.len
                  || b24_isspace(s->sql.data[s->head]));
        }

        n += (l.type == TOKEN_MARK);
    }

    CHECK(began && n == s->nbinds);
    CHECK(headed || s->nhead == s->nbinds);
}


/* the names in the text as it was written */

static void
check_binds(const b24_statement_t *s, const b24_str_t *sql)
{
    unsigned   n;
    lexer_t    l;
    b24_str_t  name;

    memset(&l, 0, sizeof(lexer_t));

    l.s = *sql;
    n = 0;

    while (next(&l) != TOKEN_END) {

        CHECK(l.type != TOKEN_BROKEN && l.type != TOKEN_MARK);

        if (l.type != TOKEN_BIND) {
            continue;
        }

        CHECK(n < s->nbinds);

        name.data = sql->data + l.start + 1;
        name.len = l.pos - l.start - 1;

        if (s->binds[n] == B24_BIND_SINCE) {
            CHECK(b24_str_eqs(&name, "since"));

        } else if (s->binds[n] == B24_BIND_DEAL) {
            CHECK(b24_str_eqs(&name, "deal"));

        } else {
            CHECK(b24_str_eq(&name, &b24_order_names[s->binds[n]])
                  || (s->binds[n] == B24_ORDER_ID
                      && b24_str_eqs(&name, "number")));
        }

        n++;
    }

    CHECK(n == s->nbinds);
}


/* with names in place of its marks the text is accepted, and stays as it is */

static void
check_again(b24_pool_t *pool, const b24_statement_t *s, b24_statement_e kind)
{
    char              err[512];
    lexer_t           l;
    b24_buf_t         buf;
    b24_str_t         sql;
    b24_statement_t  *again;

    memset(&l, 0, sizeof(lexer_t));
    b24_buf_init(&buf, pool);

    l.s = s->sql;

    while (next(&l) != TOKEN_END) {

        /* blanks are of no account, but they part names */

        if (l.type == TOKEN_MARK) {
            b24_buf_adds(&buf, kind == B24_STATEMENT_CHANGES ? ":since"
                                                             : ":row");
        } else {
            b24_buf_add(&buf, s->sql.data + l.start, l.pos - l.start);
        }

        while (at(&l, 0) >= 0 && b24_isspace((u_char) at(&l, 0))) {
            b24_buf_addc(&buf, (u_char) at(&l, 0));
            l.pos++;
            l.type = TOKEN_END;
        }
    }

    CHECK(b24_buf_str(&buf, &sql) == B24_OK);
    CHECK(b24_statement_compile(pool, kind, &sql, &again, err, sizeof(err))
          == B24_OK);
    CHECK(again->nbinds == s->nbinds && again->nhead == s->nhead);
}


/* the first byte is the kind */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               rc;
    char              err[512];
    b24_str_t         sql;
    b24_pool_t       *pool;
    b24_statement_e   kind;
    b24_statement_t  *s;

    if (size == 0) {
        return 0;
    }

    pool = b24_pool_create(1 << 22);

    kind = (b24_statement_e) (data[0] % B24_NSTATEMENTS);
    sql.data = (u_char *) data + 1;
    sql.len = size - 1;
    err[0] = '\0';

    rc = b24_statement_compile(pool, kind, &sql, &s, err, sizeof(err));

    if (rc == B24_OK) {
        check_sql(s, kind);
        check_binds(s, &sql);
        check_again(pool, s, kind);

    } else {
        CHECK(rc == B24_DECLINED);
        CHECK(err[0] == '"' && strlen(err) < sizeof(err) - 1);
    }

    b24_pool_destroy(pool);

    return 0;
}
