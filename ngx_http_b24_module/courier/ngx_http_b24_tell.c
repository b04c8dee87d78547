
/*
 * One message to whom b24_alert names: a POST, or a line into a socket.  Curl
 * goes on with the POST by itself; a socket on this machine takes a line that
 * fits into its buffer at once, or doesn't take it.
 */


#include "ngx_http_b24_courier.h"

#include <sys/un.h>


static void ngx_http_b24_tell_socket(ngx_http_b24_target_t *target,
    ngx_str_t *line);
static void ngx_http_b24_tell_refused(ngx_http_b24_target_t *target,
    ngx_err_t err);
static ngx_int_t ngx_http_b24_tell_post(ngx_http_b24_target_t *target,
    ngx_str_t *line);
static void ngx_http_b24_tell_answer(ngx_http_b24_transfer_t *t);


void
ngx_http_b24_tell(ngx_http_b24_target_t *target)
{
    b24_buf_t  buf;
    b24_str_t  line;

    b24_buf_init(&buf, target->pool);
    b24_alert_print(&buf, &target->message);

    if (b24_buf_str(&buf, &line) != B24_OK) {
        ngx_http_b24_alert_told(target, "out of memory", NULL);
        return;
    }

    if (target->conf->local) {
        ngx_http_b24_tell_socket(target, &line);
        return;
    }

    if (ngx_http_b24_tell_post(target, &line) != NGX_OK) {
        ngx_http_b24_alert_told(target, "the request could not be sent", NULL);
    }
}


static void
ngx_http_b24_tell_socket(ngx_http_b24_target_t *target, ngx_str_t *line)
{
    int                  fd;
    ssize_t              n;
    ngx_err_t            err;
    struct sockaddr_un   addr;

    ngx_memzero(&addr, sizeof(struct sockaddr_un));

    addr.sun_family = AF_UNIX;
    ngx_memcpy(addr.sun_path, target->conf->url.data, target->conf->url.len);

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (fd == -1) {
        ngx_http_b24_tell_refused(target, ngx_errno);
        return;
    }

    n = -1;
    err = 0;

    if (connect(fd, (struct sockaddr *) &addr, sizeof(struct sockaddr_un))
        == 0)
    {
        n = send(fd, line->data, line->len, MSG_NOSIGNAL);
    }

    if (n == -1) {
        err = ngx_errno;
    }

    (void) close(fd);

    if (n != (ssize_t) line->len) {
        ngx_http_b24_tell_refused(target, err);
        return;
    }

    ngx_http_b24_alert_told(target, NULL, NULL);
}


static void
ngx_http_b24_tell_refused(ngx_http_b24_target_t *target, ngx_err_t err)
{
    ngx_uint_t  i;

    static const struct {
        ngx_err_t    err;
        const char  *reason;
        const char  *advice;
    } words[] = {

        { ENOENT, "there is no such socket",
          "Make it, or correct the path in b24_alert." },

        { ECONNREFUSED, "nobody listens at the socket",
          "Start who is to listen there: with systemd, the unit of the "
          "socket." },

        { EACCES, "the workers' user may not write to the socket",
          "Let that user reach the socket and write to it." },

        { EPROTOTYPE, "it is no stream socket",
          "Let who listens there make a stream socket: with systemd, "
          "ListenStream." },

        { NGX_EAGAIN, "the socket takes no more connections",
          "See why who listens there takes none." },

        { 0, "the socket did not take the message",
          "See whether who listens there is well." }
    };

    for (i = 0; words[i].err && words[i].err != err; i++) { /* void */ }

    ngx_http_b24_alert_told(target, words[i].reason, words[i].advice);
}


static ngx_int_t
ngx_http_b24_tell_post(ngx_http_b24_target_t *target, ngx_str_t *line)
{
    ngx_http_b24_transfer_t  *t;

    t = &target->transfer;

    ngx_memzero(t, sizeof(ngx_http_b24_transfer_t));

    t->url = target->conf->url;
    t->certificate = target->certificate;
    t->body = *line;
    t->alert = 1;
    t->done = ngx_http_b24_tell_answer;
    t->data = target;

    return ngx_http_b24_curl_send(t);
}


static void
ngx_http_b24_tell_answer(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_target_t  *target = t->data;

    char  reason[NGX_HTTP_B24_REASON];

    if (t->http >= 200 && t->http < 300) {
        ngx_http_b24_alert_told(target, NULL, NULL);
        return;
    }

    if (t->http == 0) {
        ngx_http_b24_alert_told(target, t->error ? t->error
                                        : "the request could not be sent",
                                t->advice);
        return;
    }

    ngx_snprintf((u_char *) reason, sizeof(reason),
                 "the server in b24_alert answered %ui%Z", t->http);

    ngx_http_b24_alert_told(target, reason, (t->http >= 300 && t->http < 400)
        ? "Put the address that it redirects to into b24_alert, if it is to "
          "be believed: redirects are not followed."
        : "Check the address in b24_alert: what takes alerts there must "
          "answer with 200 to 299.");
}
