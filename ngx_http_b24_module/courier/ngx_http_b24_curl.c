
/*
 * libcurl's multi interface on nginx's events: level-triggered, since curl does
 * not promise to drain a socket; a socket is unregistered inside curl's REMOVE,
 * since the number may be reused in the same call.  curl owns the descriptors,
 * and closes one that it gives up while it connects before it says REMOVE: that
 * the number is still the same socket's is looked at each time.
 */


#include "ngx_http_b24_curl.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>


#define NGX_HTTP_B24_CONNECT      10000L    /* ms, name resolution included */
/* the portal cuts a request after 60 s: the client must wait longer */
#define NGX_HTTP_B24_TIMEOUT      75000L
/* a shop that takes longer is looked at again, nothing is done twice */
#define NGX_HTTP_B24_SITE_TIMEOUT 60000L
/* an alert that takes longer is told again, nobody waits for it */
#define NGX_HTTP_B24_ALERT_TIMEOUT 10000L
#define NGX_HTTP_B24_CURL_HOLD    80000


static ngx_int_t ngx_http_b24_curl_init(void);
static ngx_int_t ngx_http_b24_curl_options(ngx_http_b24_transfer_t *t);
static CURLcode ngx_http_b24_curl_request(ngx_http_b24_transfer_t *t);
static ngx_int_t ngx_http_b24_curl_list(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_curl_free(ngx_http_b24_transfer_t *t);
static int ngx_http_b24_curl_socket(CURL *easy, curl_socket_t fd, int what,
    void *userp, void *sockp);
static ino_t ngx_http_b24_curl_inode(curl_socket_t fd);
static void ngx_http_b24_curl_lost(ngx_connection_t *c);
static void ngx_http_b24_curl_forget(ngx_connection_t *c);
static int ngx_http_b24_curl_interest(ngx_event_t *ev, ngx_int_t event,
    int want);
static int ngx_http_b24_curl_timer(CURLM *multi, long ms, void *userp);
static void ngx_http_b24_curl_io(ngx_event_t *ev);
static void ngx_http_b24_curl_timeout(ngx_event_t *ev);
static void ngx_http_b24_curl_hold(ngx_event_t *ev);
static void ngx_http_b24_curl_act(curl_socket_t fd, int what);
static void ngx_http_b24_curl_reap(void);
static void ngx_http_b24_curl_finish(ngx_http_b24_transfer_t *t, CURLcode rc);
static void ngx_http_b24_curl_abort(ngx_event_t *ev);


static CURLM              *ngx_http_b24_multi;
static CURLSH             *ngx_http_b24_share;
static struct curl_slist  *ngx_http_b24_headers;
static ngx_uint_t          ngx_http_b24_nheaders;
static ngx_queue_t         ngx_http_b24_transfers;
static ngx_uint_t          ngx_http_b24_ntransfers;
static ngx_event_t         ngx_http_b24_curl_ev;
static ngx_event_t         ngx_http_b24_hold_ev;
static ngx_event_t         ngx_http_b24_abort_ev;
static ngx_connection_t    ngx_http_b24_curl_nofd;
static ngx_uint_t          ngx_http_b24_global;


static ngx_int_t
ngx_http_b24_curl_init(void)
{
    static char  *headers[] = {
        "Content-Type: application/json",
        "Accept: application/json",
        "Expect:"               /* no waiting for 100 (Continue) */
    };

    ngx_uint_t          i;
    struct curl_slist  *list;

    if (ngx_http_b24_multi) {
        return NGX_OK;
    }

    if (!ngx_http_b24_global) {

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
            return NGX_ERROR;
        }

        ngx_http_b24_global = 1;

        ngx_queue_init(&ngx_http_b24_transfers);

        ngx_http_b24_curl_nofd.fd = (ngx_socket_t) -1;

        ngx_http_b24_curl_ev.handler = ngx_http_b24_curl_timeout;
        ngx_http_b24_curl_ev.data = &ngx_http_b24_curl_nofd;
        ngx_http_b24_curl_ev.log = ngx_cycle->log;
        ngx_http_b24_curl_ev.cancelable = 1;

        ngx_http_b24_hold_ev.handler = ngx_http_b24_curl_hold;
        ngx_http_b24_hold_ev.data = &ngx_http_b24_curl_nofd;
        ngx_http_b24_hold_ev.log = ngx_cycle->log;

        ngx_http_b24_abort_ev.handler = ngx_http_b24_curl_abort;
        ngx_http_b24_abort_ev.data = &ngx_http_b24_curl_nofd;
        ngx_http_b24_abort_ev.log = ngx_cycle->log;
    }

    for (i = 0; i < 3 && ngx_http_b24_nheaders == i; i++) {
        list = curl_slist_append(ngx_http_b24_headers, headers[i]);
        if (list == NULL) {
            return NGX_ERROR;
        }

        ngx_http_b24_headers = list;
        ngx_http_b24_nheaders++;
    }

    if (ngx_http_b24_share == NULL) {
        ngx_http_b24_share = curl_share_init();
        if (ngx_http_b24_share == NULL) {
            return NGX_ERROR;
        }

        /* one thread: no lock callbacks */

        (void) curl_share_setopt(ngx_http_b24_share, CURLSHOPT_SHARE,
                                 CURL_LOCK_DATA_SSL_SESSION);
    }

    ngx_http_b24_multi = curl_multi_init();
    if (ngx_http_b24_multi == NULL) {
        return NGX_ERROR;
    }

    (void) curl_multi_setopt(ngx_http_b24_multi, CURLMOPT_SOCKETFUNCTION,
                             ngx_http_b24_curl_socket);
    (void) curl_multi_setopt(ngx_http_b24_multi, CURLMOPT_TIMERFUNCTION,
                             ngx_http_b24_curl_timer);
    (void) curl_multi_setopt(ngx_http_b24_multi, CURLMOPT_MAXCONNECTS, 8L);

    return NGX_OK;
}


ngx_int_t
ngx_http_b24_curl_send(ngx_http_b24_transfer_t *t)
{
    sigset_t   all, old;
    CURLMcode  rc;

    t->net = B24_NET_UNSENT;
    t->http = 0;
    t->error = NULL;
    t->advice = NULL;
    t->answer.data = NULL;
    t->answer.len = 0;
    t->size = 0;
    t->large = 0;
    t->list = NULL;
    t->told = NULL;
    t->lines = 0;
    t->bytes = 0;
    t->headed = 0;
    ngx_str_null(&t->location);

    if (ngx_http_b24_curl_init() != NGX_OK) {
        return NGX_ERROR;
    }

    t->easy = curl_easy_init();
    if (t->easy == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_b24_curl_options(t) != NGX_OK) {
        ngx_http_b24_curl_free(t);
        return NGX_ERROR;
    }

    /* threads that curl starts for look-ups must not take nginx's signals */

    sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = curl_multi_add_handle(ngx_http_b24_multi, t->easy);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (rc != CURLM_OK) {
        ngx_http_b24_curl_free(t);
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&ngx_http_b24_transfers, &t->queue);
    ngx_http_b24_ntransfers++;

    /* not cancelable: a quitting worker stays until the outcome is known */

    if (!ngx_http_b24_hold_ev.timer_set) {
        ngx_add_timer(&ngx_http_b24_hold_ev, NGX_HTTP_B24_CURL_HOLD);
    }

    return NGX_OK;
}


#define ngx_http_b24_opt(name, value)                                         \
    if (rc == CURLE_OK) {                                                     \
        rc = curl_easy_setopt(easy, CURLOPT_##name, value);                   \
    }


static ngx_int_t
ngx_http_b24_curl_options(ngx_http_b24_transfer_t *t)
{
    CURL      *easy;
    CURLcode   rc;

    easy = t->easy;
    rc = ngx_http_b24_curl_request(t);

    ngx_http_b24_opt(PRIVATE, t);
    ngx_http_b24_opt(URL, (char *) t->url.data);
    ngx_http_b24_opt(USERAGENT, "ngx_http_b24_module/" NGX_HTTP_B24_VERSION);
    ngx_http_b24_opt(WRITEFUNCTION, ngx_http_b24_curl_write);
    ngx_http_b24_opt(WRITEDATA, t);

    if (t->verb) {
        ngx_http_b24_opt(HEADERFUNCTION, ngx_http_b24_curl_header);
        ngx_http_b24_opt(HEADERDATA, t);
    }

    ngx_http_b24_opt(NOSIGNAL, 1L);
    ngx_http_b24_opt(HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);

    /* plain http passed the configuration for the loopback only */

    ngx_http_b24_opt(PROTOCOLS_STR,
                     (ngx_strncasecmp(t->url.data, (u_char *) "https:", 6)
                      == 0) ? "https" : "http");

    /* a redirect would carry the secret to somebody else */

    ngx_http_b24_opt(FOLLOWLOCATION, 0L);
    ngx_http_b24_opt(PROXY, "");
    ngx_http_b24_opt(SSL_VERIFYPEER, 1L);
    ngx_http_b24_opt(SSL_VERIFYHOST, 2L);
    ngx_http_b24_opt(SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    ngx_http_b24_opt(SHARE, ngx_http_b24_share);

    /* or ending a transfer would join a thread that hangs in the resolver */

    ngx_http_b24_opt(QUICK_EXIT, 1L);
    ngx_http_b24_opt(CONNECTTIMEOUT_MS, NGX_HTTP_B24_CONNECT);
    ngx_http_b24_opt(TIMEOUT_MS, t->verb ? NGX_HTTP_B24_SITE_TIMEOUT
                                 : t->alert ? NGX_HTTP_B24_ALERT_TIMEOUT
                                 : NGX_HTTP_B24_TIMEOUT);
    ngx_http_b24_opt(MAXAGE_CONN, 30L);
    ngx_http_b24_opt(FRESH_CONNECT, t->fresh ? 1L : 0L);

    /* kept, another's would take the place of the portal's, and a shop's that
     * of a buyer's */

    ngx_http_b24_opt(FORBID_REUSE, (t->verb || t->alert) ? 1L : 0L);

    if (t->certificate.len) {
        ngx_http_b24_opt(CAINFO, (char *) t->certificate.data);
    }

    return (rc == CURLE_OK) ? NGX_OK : NGX_ERROR;
}


/* method, headers and body */

static CURLcode
ngx_http_b24_curl_request(ngx_http_b24_transfer_t *t)
{
    CURL                *easy;
    CURLcode             rc;
    struct curl_slist   *list;

    easy = t->easy;
    list = ngx_http_b24_headers;
    rc = CURLE_OK;

    if (t->verb) {

        if (ngx_http_b24_curl_list(t) != NGX_OK) {
            return CURLE_OUT_OF_MEMORY;
        }

        list = t->list;
    }

    if (t->verb == NULL || t->bodied) {
        ngx_http_b24_opt(POST, 1L);
        ngx_http_b24_opt(POSTFIELDS,
                         t->body.len ? (char *) t->body.data : "");
        ngx_http_b24_opt(POSTFIELDSIZE_LARGE, (curl_off_t) t->body.len);

    } else {
        ngx_http_b24_opt(HTTPGET, 1L);
    }

    if (t->verb) {
        ngx_http_b24_opt(CUSTOMREQUEST, t->verb);
    }

    ngx_http_b24_opt(HTTPHEADER, list);

#undef ngx_http_b24_opt

    return rc;
}


/* names and values hold no line break: order/b24_call_request.c sees to that */

static ngx_int_t
ngx_http_b24_curl_list(ngx_http_b24_transfer_t *t)
{
    char                *line;
    u_char              *p;
    b24_pair_t          *header;
    struct curl_slist   *list;

    t->list = curl_slist_append(NULL, "Expect:");
    if (t->list == NULL) {
        return NGX_ERROR;
    }

    for (header = t->headers; header; header = header->next) {

        /* "Name;" is a header without a value, "Name:" none at all */

        line = malloc(header->name.len + header->value.len + 3);
        if (line == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(line, header->name.data, header->name.len);

        if (header->value.len) {
            *p++ = ':';
            *p++ = ' ';
            p = ngx_cpymem(p, header->value.data, header->value.len);

        } else {
            *p++ = ';';
        }

        *p = '\0';

        list = curl_slist_append(t->list, line);

        free(line);

        if (list == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_b24_curl_free(ngx_http_b24_transfer_t *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->list);

    t->easy = NULL;
    t->list = NULL;
}


static int
ngx_http_b24_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userp,
    void *sockp)
{
    ngx_connection_t  *c = sockp;

    if (what == CURL_POLL_REMOVE) {

        if (c) {
            ngx_http_b24_curl_forget(c);
        }

        return 0;
    }

    if (c == NULL) {
        c = ngx_get_connection(fd, ngx_cycle->log);
        if (c == NULL) {
            return -1;
        }

        /* both, always: worker_shutdown_timeout calls them */

        c->read->handler = ngx_http_b24_curl_io;
        c->write->handler = ngx_http_b24_curl_io;
        c->read->log = ngx_cycle->log;
        c->write->log = ngx_cycle->log;
        c->data = (void *) (uintptr_t) ngx_http_b24_curl_inode(fd);

        (void) curl_multi_assign(ngx_http_b24_multi, fd, c);
    }

    ngx_http_b24_curl_lost(c);

    if (ngx_http_b24_curl_interest(c->read, NGX_READ_EVENT,
                                   what & CURL_POLL_IN)
        == -1
        || ngx_http_b24_curl_interest(c->write, NGX_WRITE_EVENT,
                                      what & CURL_POLL_OUT)
           == -1)
    {
        /* curl gives the multi up, perhaps without a REMOVE for this one */

        (void) curl_multi_assign(ngx_http_b24_multi, fd, NULL);
        ngx_http_b24_curl_forget(c);

        return -1;
    }

    return 0;
}


static ino_t
ngx_http_b24_curl_inode(curl_socket_t fd)
{
    struct stat  st;

    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}


/* the kernel drops events of a closed socket, whoever has the number now */

static void
ngx_http_b24_curl_lost(ngx_connection_t *c)
{
    void  *inode;

    inode = (void *) (uintptr_t) ngx_http_b24_curl_inode(c->fd);

    if (inode == c->data) {
        return;
    }

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
    }

    c->data = inode;
}


static void
ngx_http_b24_curl_forget(ngx_connection_t *c)
{
    ngx_http_b24_curl_lost(c);

    (void) ngx_http_b24_curl_interest(c->read, NGX_READ_EVENT, 0);
    (void) ngx_http_b24_curl_interest(c->write, NGX_WRITE_EVENT, 0);

    c->shared = 1;                  /* the descriptor is curl's to close */
    ngx_close_connection(c);
}


static int
ngx_http_b24_curl_interest(ngx_event_t *ev, ngx_int_t event, int want)
{
    if (want && !ev->active) {
        return (ngx_add_event(ev, event, NGX_LEVEL_EVENT) == NGX_OK) ? 0 : -1;
    }

    if (!want && ev->active) {
        return (ngx_del_event(ev, event, NGX_LEVEL_EVENT) == NGX_OK) ? 0 : -1;
    }

    return 0;
}


static int
ngx_http_b24_curl_timer(CURLM *multi, long ms, void *userp)
{
    if (ngx_http_b24_curl_ev.timer_set) {
        ngx_del_timer(&ngx_http_b24_curl_ev);
    }

    if (ms >= 0) {

        /* a timer of 0 set inside the timer loop would expire in it again */

        ngx_add_timer(&ngx_http_b24_curl_ev, (ngx_msec_t) ngx_max(ms, 1));
    }

    return 0;
}


static void
ngx_http_b24_curl_io(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    if (c->close) {

        /* worker_shutdown_timeout; the walk over connections goes on */

        if (!ngx_http_b24_abort_ev.posted) {
            ngx_post_event(&ngx_http_b24_abort_ev, &ngx_posted_events);
        }

        return;
    }

    /* c may be recycled inside */

    ngx_http_b24_curl_act(c->fd,
                          ev->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
}


static void
ngx_http_b24_curl_timeout(ngx_event_t *ev)
{
    ngx_http_b24_curl_act(CURL_SOCKET_TIMEOUT, 0);
}


/* only keeps the worker; a transfer never lives longer than its own limit */

static void
ngx_http_b24_curl_hold(ngx_event_t *ev)
{
    if (ngx_http_b24_ntransfers) {
        ngx_add_timer(ev, NGX_HTTP_B24_CURL_HOLD);
    }
}


static void
ngx_http_b24_curl_act(curl_socket_t fd, int what)
{
    int        running;
    sigset_t   all, old;
    CURLMcode  rc;

    sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = curl_multi_socket_action(ngx_http_b24_multi, fd, what, &running);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (rc == CURLM_OK) {
        ngx_http_b24_curl_reap();
        return;
    }

    /* no free connection once, and curl has given the whole multi up */

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "b24: curl failed: %s", curl_multi_strerror(rc));

    ngx_http_b24_curl_abort(NULL);

    (void) curl_multi_cleanup(ngx_http_b24_multi);
    ngx_http_b24_multi = NULL;
}


static void
ngx_http_b24_curl_reap(void)
{
    int                       left;
    CURL                     *easy;
    CURLcode                  rc;
    CURLMsg                  *msg;
    ngx_http_b24_transfer_t  *t;

    while (ngx_http_b24_multi) {

        msg = curl_multi_info_read(ngx_http_b24_multi, &left);

        if (msg == NULL) {
            break;
        }

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        /* msg dies with remove_handle */

        easy = msg->easy_handle;
        rc = msg->data.result;
        t = NULL;

        (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &t);

        if (t) {
            ngx_http_b24_curl_finish(t, rc);
        }
    }
}


static void
ngx_http_b24_curl_finish(ngx_http_b24_transfer_t *t, CURLcode rc)
{
    u_char  *answer, *location;

    ngx_http_b24_curl_judge(t, rc);
    ngx_http_b24_curl_location(t);

    (void) curl_multi_remove_handle(ngx_http_b24_multi, t->easy);
    ngx_http_b24_curl_free(t);

    ngx_queue_remove(&t->queue);
    ngx_http_b24_ntransfers--;

    if (ngx_http_b24_ntransfers == 0 && ngx_http_b24_hold_ev.timer_set) {
        ngx_del_timer(&ngx_http_b24_hold_ev);
    }

    answer = t->answer.data;
    location = t->location.data;

    t->done(t);                     /* t may be used again from here on */

    free(answer);
    free(location);
}


/* worker_shutdown_timeout: what is in flight ends with an unknown outcome */

static void
ngx_http_b24_curl_abort(ngx_event_t *ev)
{
    ngx_queue_t              *q;
    ngx_http_b24_transfer_t  *t;

    while (!ngx_queue_empty(&ngx_http_b24_transfers)) {
        q = ngx_queue_head(&ngx_http_b24_transfers);
        t = ngx_queue_data(q, ngx_http_b24_transfer_t, queue);

        ngx_http_b24_curl_finish(t, CURLE_ABORTED_BY_CALLBACK);
    }
}


void
ngx_http_b24_curl_exit(void)
{
    ngx_queue_t              *q;
    ngx_http_b24_transfer_t  *t;

    if (ngx_http_b24_multi == NULL) {
        return;
    }

    for (q = ngx_queue_head(&ngx_http_b24_transfers);
         q != ngx_queue_sentinel(&ngx_http_b24_transfers);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_http_b24_transfer_t, queue);

        /* the lease runs out and the outcome is looked up */

        (void) curl_multi_remove_handle(ngx_http_b24_multi, t->easy);
        ngx_http_b24_curl_free(t);

        free(t->answer.data);
        t->answer.data = NULL;
    }

    ngx_queue_init(&ngx_http_b24_transfers);
    ngx_http_b24_ntransfers = 0;

    (void) curl_multi_cleanup(ngx_http_b24_multi);
    ngx_http_b24_multi = NULL;

    if (ngx_http_b24_share) {
        (void) curl_share_cleanup(ngx_http_b24_share);
        ngx_http_b24_share = NULL;
    }

    curl_slist_free_all(ngx_http_b24_headers);
    ngx_http_b24_headers = NULL;
    ngx_http_b24_nheaders = 0;
}
