
/*
 * "b24_shop NAME { ... }": nginx reads the tokens, order/b24_rules.c compiles
 * them.  The lines inside are directives of contexts of our own (see
 * ngx_http_b24_commands), so that nginx's parser finds words, quotes, blocks
 * and line numbers.
 */


#include "ngx_http_b24_module.h"


#define NGX_HTTP_B24_PEEK  1024


/* where a look at the text ahead has got to */
typedef struct {
    u_char    end;              /* the character that ends the line, or 0 */
    u_char    quote;            /* the quote it is in, or 0 */
    unsigned  start:1;          /* a token may begin */
    unsigned  escaped:1;
    unsigned  variable:1;       /* after "$" */
    unsigned  comment:1;
} ngx_http_b24_peek_t;


static char *ngx_http_b24_shop_block(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_uint_t context);
static char *ngx_http_b24_shop_rc(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, int rc);
static ngx_uint_t ngx_http_b24_shop_context(ngx_conf_t *cf,
    ngx_str_t *name);
static ngx_int_t ngx_http_b24_shop_vars(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static ngx_int_t ngx_http_b24_shop_peek(ngx_conf_t *cf);
static ngx_int_t ngx_http_b24_shop_end(ngx_conf_t *cf, u_char *end);
static void ngx_http_b24_shop_scan(ngx_http_b24_peek_t *peek, u_char *p,
    u_char *last);
static void ngx_http_b24_shop_char(ngx_http_b24_peek_t *peek, u_char ch);


char *
ngx_http_b24_shop(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_main_conf_t  *bmcf = conf;

    int         rc;
    ngx_str_t  *value;

    value = cf->args->elts;

    rc = b24_rules_shop(bmcf->rules, &value[1],
                        cf->args->nelts - 1);
    if (rc != B24_OK) {
        return ngx_http_b24_shop_rc(cf, bmcf, rc);
    }

    return ngx_http_b24_shop_block(cf, bmcf, NGX_HTTP_B24_SHOP_CONF);
}


/* any line inside: a plain one, or the beginning of a block */

char *
ngx_http_b24_shop_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_main_conf_t  *bmcf = conf;

    int          rc;
    ngx_str_t   *value;
    ngx_uint_t   context, shop;

    value = cf->args->elts;
    shop = (cf->cmd_type == NGX_HTTP_B24_SHOP_CONF);

    if (cmd->type & NGX_CONF_BLOCK) {
        context = ngx_http_b24_shop_context(cf, &value[0]);

        rc = b24_rules_open(bmcf->rules, value,
                            cf->args->nelts);
        if (rc != B24_OK) {
            return ngx_http_b24_shop_rc(cf, bmcf, rc);
        }

        if (ngx_http_b24_shop_vars(cf, bmcf) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        return ngx_http_b24_shop_block(cf, bmcf, context);
    }

    rc = b24_rules_line(bmcf->rules, value,
                        cf->args->nelts);
    if (rc != B24_OK) {
        return ngx_http_b24_shop_rc(cf, bmcf, rc);
    }

    if (ngx_http_b24_shop_vars(cf, bmcf) != NGX_OK
        || (shop && ngx_http_b24_shop_peek(cf) != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_shop_block(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_uint_t context)
{
    int          rc;
    char        *rv;
    ngx_conf_t   save;

    save = *cf;

    cf->cmd_type = context;

    if (context == NGX_HTTP_B24_SHOP_CONF
        && ngx_http_b24_shop_peek(cf) != NGX_OK)
    {
        *cf = save;
        return NGX_CONF_ERROR;
    }

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rc = b24_rules_close(bmcf->rules);
    if (rc != B24_OK) {
        return ngx_http_b24_shop_rc(cf, bmcf, rc);
    }

    if (save.cmd_type == NGX_HTTP_B24_SHOP_CONF
        && ngx_http_b24_shop_peek(cf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_shop_rc(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf, int rc)
{
    if (rc == B24_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s",
                           b24_rules_error(bmcf->rules));
    }

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_http_b24_shop_context(ngx_conf_t *cf, ngx_str_t *name)
{
    if (cf->cmd_type == NGX_HTTP_B24_RULE_CONF) {
        return NGX_HTTP_B24_ITEMS_CONF;
    }

    if (ngx_strcmp(name->data, "database") == 0) {
        return NGX_HTTP_B24_DB_CONF;
    }

    if (ngx_strcmp(name->data, "write") == 0) {
        return NGX_HTTP_B24_WRITE_CONF;
    }

    return NGX_HTTP_B24_RULE_CONF;
}


/* compiles the nginx strings with variables that the line at hand added */

static ngx_int_t
ngx_http_b24_shop_vars(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    size_t                             n;
    ngx_str_t                          text;
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    for (n = bmcf->vars.nelts; n < b24_rules_nvars(bmcf->rules); n++) {

        text = *b24_rules_var(bmcf->rules, n);

        cv = ngx_array_push(&bmcf->vars);
        if (cv == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &text;
        ccv.complex_value = cv;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK
            || ngx_http_b24_conf_uses(cf, bmcf, &text) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Blocks of a shop have two forms, "order save { ... }" and, in an heir,
 * "order save off;".  nginx's parser wants to know from the command's type
 * which of them comes, so before each line of a shop the ";" or "{" that ends
 * it is looked for, and the type is set.
 */

static ngx_int_t
ngx_http_b24_shop_peek(ngx_conf_t *cf)
{
    u_char          end;
    ngx_command_t  *cmd;

    end = '{';

    if (cf->conf_file->file.fd != NGX_INVALID_FILE
        && ngx_http_b24_shop_end(cf, &end) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (cmd = ngx_http_b24_commands; cmd->name.len; cmd++) {

        if (!(cmd->type & NGX_HTTP_B24_SHOP_CONF)
            || ngx_strcmp(cmd->name.data, "session") == 0
            || ngx_strcmp(cmd->name.data, "stage") == 0
            || ngx_strcmp(cmd->name.data, "default_status") == 0)
        {
            continue;
        }

        if (end == ';') {
            cmd->type &= ~NGX_CONF_BLOCK;

        } else {
            cmd->type |= NGX_CONF_BLOCK;
        }
    }

    return NGX_OK;
}


/*
 * The character that ends the line the parser reads next, 0 at the file's end.
 * The parser's buffer stays as it is, what lies beyond is read on the side: so
 * comments may be of any length, and "nginx -T" prints everything once.
 */

static ngx_int_t
ngx_http_b24_shop_end(ngx_conf_t *cf, u_char *end)
{
    u_char                 buf[NGX_HTTP_B24_PEEK];
    ssize_t                n;
    ngx_buf_t             *b;
    ngx_file_t             file;
    ngx_http_b24_peek_t    peek;

    b = cf->conf_file->buffer;
    file = cf->conf_file->file;

    ngx_memzero(&peek, sizeof(ngx_http_b24_peek_t));
    peek.start = 1;

    ngx_http_b24_shop_scan(&peek, b->pos, b->last);

    while (peek.end == 0) {

        n = ngx_read_file(&file, buf, NGX_HTTP_B24_PEEK, file.offset);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }

        ngx_http_b24_shop_scan(&peek, buf, buf + n);
    }

    *end = peek.end;

    return NGX_OK;
}


/* the same tokens as ngx_conf_read_token(), any number of pieces */

static void
ngx_http_b24_shop_scan(ngx_http_b24_peek_t *peek, u_char *p, u_char *last)
{
    for ( /* void */ ; p < last && peek->end == 0; p++) {

        if (peek->comment) {
            peek->comment = (*p != LF);

        } else if (peek->escaped) {
            peek->escaped = 0;

        } else if (*p == '\\') {
            peek->escaped = 1;
            peek->start = 0;
            peek->variable = 0;

        } else if (peek->quote) {
            if (*p == peek->quote) {
                peek->quote = 0;
            }

        } else {
            ngx_http_b24_shop_char(peek, *p);
        }
    }
}


/* a character outside of quotes and comments */

static void
ngx_http_b24_shop_char(ngx_http_b24_peek_t *peek, u_char ch)
{
    ngx_uint_t  start;

    start = peek->start;
    peek->start = 0;

    switch (ch) {

    case ' ':
    case '\t':
    case CR:
    case LF:
        peek->start = 1;
        break;

    case '{':
        if (peek->variable) {

            /* "${" */

            return;
        }

        /* fall through */

    case ';':
        peek->end = ch;
        break;

    case '}':
        if (start) {
            peek->end = ch;
        }

        break;

    case '$':
        peek->variable = 1;
        return;

    case '"':
    case '\'':
        if (start) {
            peek->quote = ch;
        }

        break;

    case '#':
        if (start) {
            peek->comment = 1;
            peek->start = 1;
        }

        break;
    }

    peek->variable = 0;
}
