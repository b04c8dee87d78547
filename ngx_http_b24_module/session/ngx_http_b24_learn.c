
/*
 * Values of learn lines: which of a shop's properties is the phone, and the
 * like.  They lie in shared memory.
 */


#include "ngx_http_b24_session.h"


static ngx_uint_t ngx_http_b24_learn_fit(b24_str_t *value);


/* no value of a buyer looks like one of these for long, and 16 are kept */

static ngx_uint_t
ngx_http_b24_learn_fit(b24_str_t *value)
{
    u_char  c;
    size_t  i;

    if (value->len == 0 || value->len > NGX_HTTP_B24_LEARNED_LEN) {
        return 0;
    }

    for (i = 0; i < value->len; i++) {
        c = b24_tolower(value->data[i]);

        if (!b24_isdigit(c) && c != '_' && c != '-' && c != '.'
            && (c < 'a' || c > 'z'))
        {
            return 0;
        }
    }

    return 1;
}


void
ngx_http_b24_learn_value(ngx_http_b24_origin_t *origin, b24_str_t *name,
    b24_str_t *value)
{
    ngx_uint_t                  i, n;
    ngx_http_b24_sh_learned_t  *l;

    if (!ngx_http_b24_learn_fit(value)) {
        return;
    }

    l = ngx_http_b24_sh_learned(&origin->name, name, 1);
    if (l == NULL) {
        return;
    }

    /* mostly it is known: no lock is taken */

    n = ngx_min(l->n, NGX_HTTP_B24_LEARNED);

    for (i = 0; i < n; i++) {

        if (l->lens[i] == value->len
            && ngx_memcmp(l->values[i], value->data, value->len) == 0)
        {
            return;
        }
    }

    if (ngx_http_b24_sh_learn(l, value, 0)) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LEARNED, 1);
    }
}


int
ngx_http_b24_learned(void *data, const b24_str_t *name, size_t n,
    b24_str_t *value)
{
    ngx_http_b24_job_t  *job = data;

    u_char                      text[NGX_HTTP_B24_LEARNED_LEN];
    size_t                      len;
    ngx_uint_t                  k;
    ngx_atomic_uint_t           have;
    ngx_http_b24_sh_learned_t  *l;

    l = ngx_http_b24_sh_learned(&job->origin->name, name, 0);
    if (l == NULL) {
        return 0;
    }

    do {
        have = l->n;
        ngx_memory_barrier();

        if (n >= have || n >= NGX_HTTP_B24_LEARNED) {
            return 0;
        }

        k = (have - 1 - n) % NGX_HTTP_B24_LEARNED;

        len = ngx_min(l->lens[k], NGX_HTTP_B24_LEARNED_LEN);
        ngx_memcpy(text, l->values[k], len);

        ngx_memory_barrier();

    } while (have != l->n);

    return b24_pstrdup(job->pool, value, text, len) == B24_OK;
}
