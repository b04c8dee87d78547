
/* Headers and body of what the desk answers. */


#include "ngx_http_b24_desk.h"


static ngx_int_t ngx_http_b24_reply_headers(ngx_http_b24_desk_t *desk);


ngx_int_t
ngx_http_b24_desk_page(ngx_http_b24_desk_t *desk, ngx_uint_t status)
{
    b24_buf_t  out;

    b24_buf_init(&out, desk->pool);

    switch (desk->format) {

    case NGX_HTTP_B24_DESK_JSON:
        ngx_http_b24_desk_json(desk, &out);
        break;

    case NGX_HTTP_B24_DESK_PROMETHEUS:
        ngx_http_b24_desk_prometheus(desk, &out);
        break;

    default:
        ngx_http_b24_desk_html(desk, &out);
        break;
    }

    return ngx_http_b24_desk_reply(desk, status, &out);
}


ngx_int_t
ngx_http_b24_desk_say(ngx_http_b24_desk_t *desk, ngx_uint_t status,
    const char *sentence)
{
    b24_str_t  text;
    b24_buf_t  out;

    b24_buf_init(&out, desk->pool);

    if (desk->format == NGX_HTTP_B24_DESK_HTML) {
        ngx_http_b24_html_sentence(desk, &out, sentence);

    } else {
        text.data = (u_char *) sentence;
        text.len = ngx_strlen(sentence);

        b24_buf_adds(&out, "{\"ok\":false,");

        if (desk->key.len && desk->nrecords == 1) {
            b24_buf_adds(&out, "\"key\":\"");
            b24_buf_adds(&out, desk->records[0].key);
            b24_buf_adds(&out, "\",\"state\":\"");
            b24_buf_adds(&out, b24_state_name(desk->records[0].state));
            b24_buf_adds(&out, "\",");
        }

        b24_buf_adds(&out, "\"error\":");
        b24_json_string(&out, &text);
        b24_buf_adds(&out, "}\n");
    }

    return ngx_http_b24_desk_reply(desk, status, &out);
}


ngx_int_t
ngx_http_b24_desk_reply(ngx_http_b24_desk_t *desk, ngx_uint_t status,
    b24_buf_t *out)
{
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_buf_t           *b;
    ngx_chain_t          cl;
    ngx_http_request_t  *r;

    r = desk->request;

    if (b24_buf_str(out, &text) != B24_OK
        || ngx_http_b24_reply_headers(desk) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = text.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    /* the text lives in the desk's pool, which a cleanup of r->pool frees */

    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = (text.len != 0);
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    cl.buf = b;
    cl.next = NULL;

    return ngx_http_output_filter(r, &cl);
}


/*
 * Referrer-Policy: with "no-referrer" browsers would send "Origin: null" with
 * our own forms, which looks like another site's.
 */

static ngx_int_t
ngx_http_b24_reply_headers(ngx_http_b24_desk_t *desk)
{
    ngx_uint_t           i;
    ngx_http_request_t  *r;

    static struct {
        char       *name;
        ngx_str_t   value;
    } headers[] = {
        { "Cache-Control", ngx_string("no-store") },
        { "Referrer-Policy", ngx_string("same-origin") },
        { "X-Content-Type-Options", ngx_string("nosniff") }
    };

    r = desk->request;

    switch (desk->format) {

    case NGX_HTTP_B24_DESK_JSON:
        ngx_str_set(&r->headers_out.content_type, "application/json");
        break;

    case NGX_HTTP_B24_DESK_PROMETHEUS:
        ngx_str_set(&r->headers_out.content_type,
                    "text/plain; version=0.0.4; charset=utf-8");
        break;

    default:
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
        break;
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_b24_desk_add_header(r, "Content-Security-Policy",
                                     &ngx_http_b24_policy)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (ngx_http_b24_desk_add_header(r, headers[i].name,
                                         &headers[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_b24_desk_add_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}
