
/*
 * "b24_shop NAME { ... }": nginx reads the tokens, order/b24_rules.c compiles
 * them.  The lines inside are directives of contexts of our own (see
 * ngx_http_b24_commands), so that nginx's parser finds words, quotes, blocks
 * and line numbers.
 */


#include "ngx_http_b24_module.h"


static char *ngx_http_b24_shop_block(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_uint_t context);
static char *ngx_http_b24_shop_rc(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, int rc);
static ngx_uint_t ngx_http_b24_shop_context(ngx_conf_t *cf,
    ngx_str_t *name);
static char *ngx_http_b24_shop_vars(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static ngx_int_t ngx_http_b24_shop_peek(ngx_conf_t *cf);
static u_char ngx_http_b24_shop_end(ngx_buf_t *b, ngx_uint_t *more);
static ngx_int_t ngx_http_b24_shop_fill(ngx_conf_t *cf);


char *
ngx_http_b24_shop(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_main_conf_t  *bmcf = conf;

    int          rc;
    char        *rv;
    ngx_str_t   *value;

    value = cf->args->elts;

    rc = b24_rules_shop(bmcf->rules, &value[1],
                        cf->args->nelts - 1);
    if (rc != B24_OK) {
        return ngx_http_b24_shop_rc(cf, bmcf, rc);
    }

    rv = ngx_http_b24_shop_block(cf, bmcf, NGX_HTTP_B24_SHOP_CONF);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_b24_shop_vars(cf, bmcf);
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

        return ngx_http_b24_shop_block(cf, bmcf, context);
    }

    rc = b24_rules_line(bmcf->rules, value,
                        cf->args->nelts);
    if (rc != B24_OK) {
        return ngx_http_b24_shop_rc(cf, bmcf, rc);
    }

    if (shop && ngx_http_b24_shop_peek(cf) != NGX_OK) {
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


/* compiles the nginx strings with variables that this shop added */

static char *
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
            return NGX_CONF_ERROR;
        }

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &text;
        ccv.complex_value = cv;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/*
 * Blocks of a shop have two forms, "order save { ... }" and, in an heir,
 * "order save off;".  nginx's parser wants to know from the command's type
 * which of them comes, so before each line of a shop the buffer is looked
 * through up to its ";" or "{", and the type is set.
 */

static ngx_int_t
ngx_http_b24_shop_peek(ngx_conf_t *cf)
{
    u_char          end;
    ngx_uint_t      more;
    ngx_command_t  *cmd;

    end = '{';

    if (cf->conf_file->file.fd != NGX_INVALID_FILE) {

        for ( ;; ) {
            end = ngx_http_b24_shop_end(cf->conf_file->buffer, &more);

            if (!more) {
                break;
            }

            switch (ngx_http_b24_shop_fill(cf)) {

            case NGX_OK:
                continue;

            case NGX_ERROR:
                return NGX_ERROR;
            }

            break;
        }
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


/* the character that ends the line at b->pos, or *more when b has not got it */

static u_char
ngx_http_b24_shop_end(ngx_buf_t *b, ngx_uint_t *more)
{
    u_char      *p, quote;
    ngx_uint_t   start;

    *more = 0;
    quote = 0;
    start = 1;

    for (p = b->pos; p < b->last; p++) {

        if (quote) {
            if (*p == '\\') {
                p++;

            } else if (*p == quote) {
                quote = 0;
            }

            continue;
        }

        switch (*p) {

        case ' ':
        case '\t':
        case CR:
        case LF:
            start = 1;
            continue;

        case ';':
        case '{':
            return *p;

        case '}':
            if (start) {
                return *p;
            }

            break;

        case '$':
            if (p + 1 < b->last && p[1] == '{') {
                p++;
            }

            break;

        case '\\':
            p++;
            break;

        case '"':
        case '\'':
            if (start) {
                quote = *p;
            }

            break;

        case '#':
            if (start) {
                while (p < b->last && *p != LF) {
                    p++;
                }

                continue;
            }

            break;
        }

        start = 0;
    }

    *more = 1;

    return 0;
}


/*
 * Reads on, as the parser itself does between two tokens: what is left moves
 * to the buffer's start.  NGX_DECLINED: the buffer is full or the file ends.
 */

static ngx_int_t
ngx_http_b24_shop_fill(ngx_conf_t *cf)
{
    off_t       rest;
    size_t      len, size;
    ssize_t     n;
    ngx_buf_t  *b;

    b = cf->conf_file->buffer;

    len = b->last - b->pos;

    if (b->pos > b->start) {
        ngx_memmove(b->start, b->pos, len);
        b->pos = b->start;
        b->last = b->start + len;
    }

    rest = ngx_file_size(&cf->conf_file->file.info)
           - cf->conf_file->file.offset;
    size = ngx_min(rest, (off_t) (b->end - b->last));

    if (size == 0) {
        return NGX_DECLINED;
    }

    n = ngx_read_file(&cf->conf_file->file, b->last, size,
                      cf->conf_file->file.offset);

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    if ((size_t) n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           ngx_read_file_n " returned only %z bytes instead "
                           "of %uz", n, size);
        return NGX_ERROR;
    }

    /* what "nginx -T" prints */

    if (cf->conf_file->dump) {
        cf->conf_file->dump->last = ngx_cpymem(cf->conf_file->dump->last,
                                               b->last, n);
    }

    b->last += n;

    return NGX_OK;
}
