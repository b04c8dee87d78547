
/*
 * Rules from text as nginx reads it: tokens, quotes, "\" escapes, comments,
 * blocks.  Only what unit tests and fuzzers need of ngx_conf_file.c.
 */


#ifndef _SHOPCONF_H_INCLUDED_
#define _SHOPCONF_H_INCLUDED_


#include "b24_rules.h"


#define CONF_ARGS  64


typedef struct {
    b24_pool_t    *pool;
    const u_char  *p;
    const u_char  *end;
    u_char        *token;           /* room for the longest one */
    b24_str_t      args[CONF_ARGS];
    size_t         n;
    int            depth;
} conf_t;


static inline int
conf_blank(u_char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


/* one token from conf->p; quoted tokens end at their quote */
static inline int
conf_token(conf_t *conf)
{
    u_char      c, quote, *dst;
    b24_str_t  *arg;

    if (conf->n == CONF_ARGS) {
        return B24_DECLINED;
    }

    arg = &conf->args[conf->n++];
    dst = conf->token;
    quote = 0;

    if (*conf->p == '"' || *conf->p == '\'') {
        quote = *conf->p++;
    }

    while (conf->p < conf->end) {
        c = *conf->p;

        if (quote ? c == quote
                  : (conf_blank(c) || c == ';'
                     || (c == '{' && (dst == conf->token || dst[-1] != '$'))))
        {
            break;
        }

        conf->p++;

        if (c == '\\' && conf->p < conf->end) {
            c = *conf->p++;

            switch (c) {
            case 't':  c = '\t';  break;
            case 'r':  c = '\r';  break;
            case 'n':  c = '\n';  break;
            case '"': case '\'': case '\\':  break;
            default:  *dst++ = '\\';  break;
            }
        }

        *dst++ = c;
    }

    if (b24_pstrdup(conf->pool, arg, conf->token, (size_t) (dst - conf->token))
        != B24_OK)
    {
        return B24_ERROR;
    }

    if (quote) {

        if (conf->p == conf->end) {
            return B24_DECLINED;
        }

        conf->p++;
    }

    return B24_OK;
}


/* all b24_shop blocks of text; B24_DECLINED: b24_rules_error() tells */
static inline int
conf_load_str(b24_pool_t *pool, b24_rules_t *rules, const b24_str_t *text)
{
    int     rc;
    conf_t  conf;

    memset(&conf, 0, sizeof(conf));
    conf.pool = pool;
    conf.p = text->data;
    conf.end = text->data + text->len;

    conf.token = b24_pnalloc(pool, text->len + 1);

    if (conf.token == NULL) {
        return B24_ERROR;
    }

    while (conf.p < conf.end) {

        if (conf_blank(*conf.p)) {
            conf.p++;
            continue;
        }

        if (*conf.p == '#') {
            while (conf.p < conf.end && *conf.p != '\n') {
                conf.p++;
            }

            continue;
        }

        rc = B24_OK;

        if (*conf.p == ';') {
            conf.p++;

            if (conf.n) {
                rc = b24_rules_line(rules, conf.args, conf.n);
            }

            conf.n = 0;

        } else if (*conf.p == '{') {
            conf.p++;

            if (conf.depth == 0) {
                rc = conf.n && b24_str_eqs(&conf.args[0], "b24_shop")
                     ? b24_rules_shop(rules, conf.args + 1, conf.n - 1)
                     : B24_DECLINED;

            } else {
                rc = b24_rules_open(rules, conf.args, conf.n);
            }

            conf.depth++;
            conf.n = 0;

        } else if (*conf.p == '}' && conf.n == 0) {
            conf.p++;
            conf.depth--;
            rc = b24_rules_close(rules);

        } else {
            rc = conf_token(&conf);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


static inline int
conf_load(b24_pool_t *pool, b24_rules_t *rules, const char *text)
{
    b24_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return conf_load_str(pool, rules, &s);
}


#endif /* _SHOPCONF_H_INCLUDED_ */
