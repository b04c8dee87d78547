
/*
 * $b24_event, $b24_state, $b24_order: what became of the request, for
 * log_format.  Any phase, any request; values change while it lives.
 */


#include "ngx_http_b24_module.h"


static ngx_int_t ngx_http_b24_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_b24_vars[] = {

    { ngx_string("b24_event"), NULL, ngx_http_b24_variable,
      offsetof(ngx_http_b24_ctx_t, event), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("b24_state"), NULL, ngx_http_b24_variable,
      offsetof(ngx_http_b24_ctx_t, state), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("b24_order"), NULL, ngx_http_b24_variable,
      offsetof(ngx_http_b24_ctx_t, order), NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static ngx_int_t
ngx_http_b24_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t           *s;
    ngx_http_b24_ctx_t  *ctx;

    ctx = ngx_http_b24_get_ctx(r->main);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s = (ngx_str_t *) ((char *) ctx + data);

    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = s->len;
    v->data = s->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


ngx_int_t
ngx_http_b24_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_b24_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}
