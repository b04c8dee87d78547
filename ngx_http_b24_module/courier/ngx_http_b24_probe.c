
/*
 * A blocked portal (webhook refused, a right missing, the plan) is asked slowly
 * for "profile", which needs no right and changes nothing.  That it answers
 * does not prove that it takes orders: one order is tried then.
 */


#include "ngx_http_b24_courier.h"


static void ngx_http_b24_probe_answer(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_probe_failed(ngx_http_b24_probe_t *probe,
    b24_verdict_t *verdict);


ngx_int_t
ngx_http_b24_probe_send(ngx_http_b24_probe_t *probe,
    ngx_http_b24_srv_conf_t *conf)
{
    ngx_http_b24_transfer_t  *t;

    ngx_http_b24_probe_free(probe);

    probe->pool = b24_pool_create(0);
    if (probe->pool == NULL) {
        return NGX_ERROR;
    }

    probe->conf = conf;
    probe->good = 0;

    t = &probe->transfer;

    ngx_memzero(t, sizeof(ngx_http_b24_transfer_t));

    if (ngx_http_b24_portal_url(probe->portal, conf->webhook, "profile",
                                probe->pool, &t->url)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&t->body, "{}");

    t->certificate = conf->certificate;
    t->done = ngx_http_b24_probe_answer;
    t->data = probe;

    return ngx_http_b24_curl_send(t);
}


void
ngx_http_b24_probe_free(ngx_http_b24_probe_t *probe)
{
    if (probe->pool) {
        b24_pool_destroy(probe->pool);
        probe->pool = NULL;
    }
}


static void
ngx_http_b24_probe_answer(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_probe_t  *probe = t->data;

    int           rc;
    b24_answer_t  answer;

    if (ngx_http_b24_portal_follow(probe->portal, t, probe->pool) == NGX_OK) {
        return;
    }

    rc = b24_answer_parse(probe->pool, t->net, (unsigned) t->http, &t->answer,
                          &answer);

    ngx_http_b24_portal_result(probe->portal, t->net,
                               rc == B24_OK ? &answer.verdict : NULL);

    if (rc != B24_OK) {
        ngx_memzero(&answer, sizeof(b24_answer_t));
        answer.verdict.class = B24_CLASS_RETRY;
    }

    if (answer.verdict.class == B24_CLASS_OK) {
        probe->good = 1;

    } else {
        ngx_http_b24_probe_failed(probe, &answer.verdict);
    }

    ngx_http_b24_probe_free(probe);

    probe->done(probe->data);
}


static void
ngx_http_b24_probe_failed(ngx_http_b24_probe_t *probe, b24_verdict_t *verdict)
{
    char                      reason[NGX_HTTP_B24_REASON];
    ngx_http_b24_transfer_t  *t;

    t = &probe->transfer;

    if (t->advice) {
        verdict->advice = t->advice;
    }

    ngx_http_b24_reason(t, verdict, reason, sizeof(reason));

    (void) ngx_http_b24_portal_bad(probe->portal, probe->conf, verdict,
                                   reason, verdict->advice);
}
