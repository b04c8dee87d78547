
/*
 * Exchanges of anybody's making for fixed rules.  Of the input the first four
 * bytes choose types and states, two are the length of the request's body; the
 * rest is this body, then the answer's.
 */


#ifndef _EXCHANGE_H_INCLUDED_
#define _EXCHANGE_H_INCLUDED_


#include "fuzz.h"
#include "b24_text.h"
#include "shopconf.h"


#define EXCHANGE_HEAD  6


static inline b24_str_t
pick(const char **list, size_t n, unsigned byte)
{
    b24_str_t  s;

    s.data = (u_char *) list[byte % n];
    s.len = strlen(list[byte % n]);

    return s;
}


/* the only template there is: a cookie */
static inline int
exchange_var(void *data, size_t n, b24_str_t *value)
{
    (void) n;

    *value = *(b24_str_t *) data;
    return value->len ? B24_OK : B24_DECLINED;
}


static inline b24_body_e
exchange_state(unsigned byte)
{
    return byte & 0x80 ? (b24_body_e) (byte >> 4 & 3) + 1 : B24_BODY_FULL;
}


/* the shop "s", once a process */
static inline const b24_shop_t *
exchange_shop(const char *conf)
{
    b24_str_t                 name;
    b24_pool_t               *pool;
    b24_rules_t              *rules;
    static const b24_shop_t  *shop;

    if (shop) {
        return shop;
    }

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    name.data = (u_char *) "s";
    name.len = 1;

    ABORT_UNLESS(conf_load(pool, rules, conf) == B24_OK);

    shop = b24_rules_find(rules, &name);

    return shop;
}


/* a file of shops/, as nginx would read it */
static inline void
exchange_preset(b24_pool_t *pool, b24_rules_t *rules, const char *file)
{
    char    path[128], *text;
    FILE   *in;
    size_t  n;

    snprintf(path, sizeof(path), "ngx_http_b24_module/shops/%s.conf", file);

    in = fopen(path, "r");
    ABORT_UNLESS(in != NULL);

    text = (char *) b24_pnalloc(pool, 1 << 18);
    ABORT_UNLESS(text != NULL);

    n = fread(text, 1, (1 << 18) - 1, in);
    text[n] = '\0';
    fclose(in);

    ABORT_UNLESS(conf_load(pool, rules, text) == B24_OK);
}


/*
 * The request, and the bytes of the answer; the first ones of it, at most
 * "most", are the cookie, too.
 */
static inline void
exchange_open(b24_pool_t *pool, b24_input_t *in, const uint8_t *data,
    size_t size, const b24_str_t *target, const b24_str_t *type,
    b24_str_t *cookie, size_t most)
{
    size_t  len;

    memset(in, 0, sizeof(b24_input_t));

    ABORT_UNLESS(b24_text_target(pool, target, &in->path, &in->args)
                 == B24_OK);

    in->method.data = (u_char *) "POST";
    in->method.len = 4;
    in->content_type = *type;
    in->body_state = exchange_state(data[1]);

    len = (size_t) (data[4] << 8 | data[5]) % (size - EXCHANGE_HEAD + 1);

    in->body.data = (u_char *) data + EXCHANGE_HEAD;
    in->body.len = len;

    in->answer.data = in->body.data + len;
    in->answer.len = size - EXCHANGE_HEAD - len;
    in->answer_max = 1 << 18;

    cookie->data = in->answer.data;
    cookie->len = in->answer.len < most ? in->answer.len : most;

    in->var = exchange_var;
    in->data = cookie;
}


#endif /* _EXCHANGE_H_INCLUDED_ */
