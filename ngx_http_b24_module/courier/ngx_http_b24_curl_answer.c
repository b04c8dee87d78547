
/* What comes back over curl: an answer's head and body, and what it all means
 * when it is over. */


#include "ngx_http_b24_curl.h"


/* the status has told all by then */
#define NGX_HTTP_B24_ALERT_ANSWER (64 * 1024)
/* of a shop's answer: what is read of its head */
#define NGX_HTTP_B24_HEAD_LINES   500
#define NGX_HTTP_B24_HEAD_BYTES   (128 * 1024)


typedef enum {
    NGX_HTTP_B24_NO_NAME = 0,
    NGX_HTTP_B24_NO_CONNECT,
    NGX_HTTP_B24_NO_TRUST,
    NGX_HTTP_B24_NO_TLS,
    NGX_HTTP_B24_NO_ANSWER,
    NGX_HTTP_B24_NO_CONNECT_YET,
    NGX_HTTP_B24_TOO_LARGE,
    NGX_HTTP_B24_BROKEN,
    NGX_HTTP_B24_NO_CONNECTION
} ngx_http_b24_net_e;

typedef struct {
    const char  *error;
    const char  *advice;
} ngx_http_b24_words_t;


static ngx_int_t ngx_http_b24_curl_told(ngx_http_b24_transfer_t *t,
    u_char *line, size_t len);


/* of a portal, of a shop, of whom b24_alert names */
static const ngx_http_b24_words_t  ngx_http_b24_curl_words[][3] = {

    { { "the portal's name cannot be resolved",
        "Check the host in b24_webhook, and this server's DNS." },
      { "the shop's name cannot be resolved",
        "Check the host in b24_site, and this server's DNS." },
      { "the name in b24_alert cannot be resolved",
        "Check the host in b24_alert, and this server's DNS." } },

    { { "the portal does not accept connections", NULL },
      { "the shop does not accept connections", NULL },
      { "the server in b24_alert does not accept connections", NULL } },

    { { "the portal's certificate is not trusted",
        "Check the host in b24_webhook, and that b24_trusted_certificate holds "
        "the portal's CA." },
      { "the shop's certificate is not trusted",
        "Check the host in b24_site, and that b24_trusted_certificate holds "
        "the shop's CA." },
      { "the certificate of the server in b24_alert is not trusted",
        "Check the host in b24_alert, and that b24_trusted_certificate holds "
        "the CA of its server, too." } },

    { { "no TLS connection to the portal",
        "Check the host in b24_webhook, and that it speaks TLS 1.2 or newer." },
      { "no TLS connection to the shop",
        "Check the host in b24_site, and that it speaks TLS 1.2 or newer." },
      { "no TLS connection to the server in b24_alert",
        "Check the host in b24_alert, and that it speaks TLS 1.2 or newer." } },

    { { "the portal did not answer in time", NULL },
      { "the shop did not answer in time", NULL },
      { "the server in b24_alert did not answer in time", NULL } },

    { { "no connection to the portal in time", NULL },
      { "no connection to the shop in time", NULL },
      { "no connection to the server in b24_alert in time", NULL } },

    { { "the portal's answer is too large", NULL },
      { "the shop's answer is too large", NULL },
      { NULL, NULL } },

    { { "the connection to the portal broke", NULL },
      { "the connection to the shop broke", NULL },
      { "the connection to the server in b24_alert broke", NULL } },

    { { "no connection to the portal", NULL },
      { "no connection to the shop", NULL },
      { "no connection to the server in b24_alert", NULL } }
};


size_t
ngx_http_b24_curl_write(char *data, size_t size, size_t n, void *userp)
{
    ngx_http_b24_transfer_t  *t = userp;

    size_t   len, want;
    u_char  *p;

    len = size * n;

    if (t->alert) {
        t->size += len;
        return (t->size <= NGX_HTTP_B24_ALERT_ANSWER) ? len : 0;
    }

    if (len > NGX_HTTP_B24_ANSWER_MAX - t->answer.len) {
        t->large = 1;
        return 0;
    }

    if (t->answer.len + len > t->size) {
        want = ngx_max(t->size * 2, t->answer.len + len);
        want = ngx_max(want, 4096);

        p = realloc(t->answer.data, want);
        if (p == NULL) {
            return 0;
        }

        t->answer.data = p;
        t->size = want;
    }

    ngx_memcpy(t->answer.data + t->answer.len, data, len);
    t->answer.len += len;

    return len;
}


/*
 * A line of the answer's head.  There may be several answers to one request,
 * 100 (Continue) and the like: the last one counts.  What follows the body is
 * left out.  Limits are of all of them, however many there are.
 */

size_t
ngx_http_b24_curl_header(char *data, size_t size, size_t n, void *userp)
{
    ngx_http_b24_transfer_t  *t = userp;

    size_t   len;
    u_char  *line;

    len = size * n;
    line = (u_char *) data;

    t->bytes += len;

    if (++t->lines > NGX_HTTP_B24_HEAD_LINES
        || t->bytes > NGX_HTTP_B24_HEAD_BYTES)
    {
        /* what isn't whole says nothing */

        t->told = NULL;
        t->large = 1;
        return 0;
    }

    while (len && (line[len - 1] == CR || line[len - 1] == LF)) {
        len--;
    }

    if (len >= 5 && ngx_strncmp(line, "HTTP/", 5) == 0) {
        t->told = NULL;
        t->headed = 0;

    } else if (len == 0) {
        t->headed = 1;

    } else if (!t->headed && ngx_http_b24_curl_told(t, line, len) != NGX_OK) {
        return 0;
    }

    return size * n;
}


static ngx_int_t
ngx_http_b24_curl_told(ngx_http_b24_transfer_t *t, u_char *line, size_t len)
{
    u_char      *colon;
    b24_str_t    value;
    b24_pair_t  *pair;

    colon = ngx_strlchr(line, line + len, ':');

    if (colon == NULL) {
        return NGX_OK;
    }

    value.data = colon + 1;
    value.len = line + len - value.data;

    b24_str_trim(&value);

    pair = b24_pcalloc(t->pool, sizeof(b24_pair_t));

    if (pair == NULL
        || b24_pstrdup(t->pool, &pair->name, line, colon - line) != B24_OK
        || b24_pstrdup(t->pool, &pair->value, value.data, value.len) != B24_OK)
    {
        /* an answer without it may mean something else */

        return NGX_ERROR;
    }

    *(t->told ? &t->last->next : &t->told) = pair;
    t->last = pair;

    return NGX_OK;
}


/* could the other side have done something? */

void
ngx_http_b24_curl_judge(ngx_http_b24_transfer_t *t, CURLcode rc)
{
    long                         http, sent;
    ngx_http_b24_net_e           why;
    const ngx_http_b24_words_t  *words;

    http = 0;
    sent = 0;

    (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &http);
    (void) curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);

    t->http = (ngx_uint_t) http;

    if (rc == CURLE_OK) {
        t->net = B24_NET_OK;
        return;
    }

    switch (rc) {

    case CURLE_COULDNT_RESOLVE_HOST:
        why = NGX_HTTP_B24_NO_NAME;
        break;

    case CURLE_COULDNT_CONNECT:
        why = NGX_HTTP_B24_NO_CONNECT;
        break;

    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        why = NGX_HTTP_B24_NO_TRUST;
        break;

    case CURLE_SSL_CONNECT_ERROR:
        why = NGX_HTTP_B24_NO_TLS;
        break;

    case CURLE_OPERATION_TIMEDOUT:
        why = sent ? NGX_HTTP_B24_NO_ANSWER : NGX_HTTP_B24_NO_CONNECT_YET;
        break;

    default:
        why = t->large ? NGX_HTTP_B24_TOO_LARGE
              : sent ? NGX_HTTP_B24_BROKEN
              : NGX_HTTP_B24_NO_CONNECTION;
        break;
    }

    words = &ngx_http_b24_curl_words[why][t->alert ? 2 : t->verb != NULL];

    t->error = words->error;
    t->advice = words->advice;
    t->net = sent ? B24_NET_UNKNOWN : B24_NET_UNSENT;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "b24: curl %d, sent %l, %s", (int) rc, sent, t->error);
}


/* curl makes it absolute; it goes with the handle */

void
ngx_http_b24_curl_location(ngx_http_b24_transfer_t *t)
{
    char    *url;
    size_t   len;

    url = NULL;

    if (t->net != B24_NET_OK
        || curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url) != CURLE_OK
        || url == NULL)
    {
        return;
    }

    len = ngx_strlen(url);

    t->location.data = malloc(len + 1);

    if (t->location.data) {
        ngx_memcpy(t->location.data, url, len + 1);
        t->location.len = len;
    }
}
