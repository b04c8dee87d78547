
/*
 * At debug nginx prints the values of variables as it evaluates them, and the
 * address of a request whenever it is finalized.  What it does so for us alone
 * is done with debug switched off for that connection, and without the words
 * about the request that follow a line of any other level: no line shows a
 * buyer's data because of this module.
 */


#include "ngx_http_b24_module.h"


typedef struct {
    ngx_uint_t           level;
    ngx_log_handler_pt   handler;
} ngx_http_b24_hush_t;


static void ngx_http_b24_hush(ngx_log_t *log, ngx_http_b24_hush_t *was);
static void ngx_http_b24_unhush(ngx_log_t *log, ngx_http_b24_hush_t *was);


/* the log of a connection is its own: nobody else writes to it meanwhile */

static void
ngx_http_b24_hush(ngx_log_t *log, ngx_http_b24_hush_t *was)
{
    was->level = log->log_level;
    was->handler = log->handler;

    if (log->log_level > NGX_LOG_INFO) {
        log->log_level = NGX_LOG_INFO;
    }

    log->handler = NULL;
}


static void
ngx_http_b24_unhush(ngx_log_t *log, ngx_http_b24_hush_t *was)
{
    log->log_level = was->level;
    log->handler = was->handler;
}


ngx_int_t
ngx_http_b24_value(ngx_http_request_t *r, ngx_http_complex_value_t *cv,
    ngx_str_t *value)
{
    ngx_int_t             rc;
    ngx_log_t            *log;
    ngx_http_b24_hush_t   was;

    log = r->connection->log;

    ngx_http_b24_hush(log, &was);

    rc = ngx_http_complex_value(r, cv, value);

    ngx_http_b24_unhush(log, &was);

    return rc;
}


/*
 * Drops the reference that reading the body took.  When it is the last one the
 * request ends here, and maybe its connection, with the log: a closed one has
 * no descriptor any more, and what stands for a stream of HTTP/2 lives as long
 * as its connection, which is closed by an event.
 */

void
ngx_http_b24_unref(ngx_http_request_t *r)
{
    ngx_log_t            *log;
    ngx_connection_t     *c;
    ngx_http_b24_hush_t   was;

    if (r->main->count > 1) {
        r->main->count--;
        return;
    }

    c = r->connection;

    if (c->fd == (ngx_socket_t) -1) {
        ngx_http_finalize_request(r, NGX_DONE);
        return;
    }

    log = c->log;

    ngx_http_b24_hush(log, &was);

    ngx_http_finalize_request(r, NGX_DONE);

    if (c->fd != (ngx_socket_t) -1) {
        ngx_http_b24_unhush(log, &was);
    }
}
