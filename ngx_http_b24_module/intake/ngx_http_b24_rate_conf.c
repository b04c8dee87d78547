
/*
 * b24_rate RATE [burst=N] [operating=TIME] [window=TIME] [batch=TIME]: what a
 * portal stands (bitrix24-rest: leaky bucket, server time of each method).
 *
 *     RATE       requests a second, 0.01 to 100, three decimals; 2, every plan
 *                but Enterprise, which has 5
 *     burst      requests at once, 1 to 10000; 50, Enterprise 250
 *     operating  server time that all calls of one method may take in a window;
 *                480s in the cloud; "off": this portal does not count
 *     window     10m
 *     batch      server time of a request that holds many orders, at most; 40s:
 *                the cloud cuts a request after 60 s
 */


#include "ngx_http_b24_module.h"


static char *ngx_http_b24_rate_time(ngx_str_t *value, size_t skip,
    ngx_uint_t off, ngx_msec_t min, ngx_msec_t *ms);


void
ngx_http_b24_limits_default(ngx_http_b24_limits_t *limits)
{
    limits->rate = 2000;
    limits->burst = 50;
    limits->operating = 480000;
    limits->window = 600000;
    limits->batch = 40000;
}


ngx_uint_t
ngx_http_b24_limits_same(const ngx_http_b24_limits_t *a,
    const ngx_http_b24_limits_t *b)
{
    return a->rate == b->rate && a->burst == b->burst
           && a->operating == b->operating && a->window == b->window
           && a->batch == b->batch;
}


char *
ngx_http_b24_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    char                   *rv;
    ngx_int_t               n;
    ngx_str_t              *value;
    ngx_uint_t              i;
    ngx_http_b24_limits_t  *limits;

    limits = &bscf->limits;

    if (limits->rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atofp(value[1].data, value[1].len, 3);

    if (n == NGX_ERROR || n < 10 || n > 100000) {
        return "needs requests a second, 0.01 to 100, such as 2";
    }

    ngx_http_b24_limits_default(limits);

    limits->rate = n;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = NGX_CONF_OK;

        if (ngx_strncmp(value[i].data, "burst=", 6) == 0) {
            n = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (n == NGX_ERROR || n < 1 || n > 10000) {
                return "needs a burst of 1 to 10000";
            }

            limits->burst = n;

        } else if (ngx_strncmp(value[i].data, "operating=", 10) == 0) {
            rv = ngx_http_b24_rate_time(&value[i], 10, 1, 1000,
                                        &limits->operating);

        } else if (ngx_strncmp(value[i].data, "window=", 7) == 0) {
            rv = ngx_http_b24_rate_time(&value[i], 7, 0, 1000,
                                        &limits->window);

        } else if (ngx_strncmp(value[i].data, "batch=", 6) == 0) {
            rv = ngx_http_b24_rate_time(&value[i], 6, 0, 100, &limits->batch);

        } else {
            return "takes only burst=NUMBER, operating=TIME, window=TIME and "
                   "batch=TIME after the rate";
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_http_b24_place(cf, &bscf->rate_place);

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_rate_time(ngx_str_t *value, size_t skip, ngx_uint_t off,
    ngx_msec_t min, ngx_msec_t *ms)
{
    ngx_int_t  n;
    ngx_str_t  s;

    s.data = value->data + skip;
    s.len = value->len - skip;

    if (off && s.len == 3 && ngx_strncmp(s.data, "off", 3) == 0) {
        *ms = 0;
        return NGX_CONF_OK;
    }

    n = ngx_parse_time(&s, 0);

    if (n == NGX_ERROR || (ngx_msec_t) n < min || n > 3600 * 1000) {
        return "needs times such as operating=480s, window=10m, batch=40s, "
               "of an hour at most";
    }

    *ms = (ngx_msec_t) n;

    return NGX_CONF_OK;
}
