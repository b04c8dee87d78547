
/*
 * Sends requests over kept connections as fast as they are answered.
 *
 *     load HOST:PORT CONNECTIONS COUNT FILE [FIRST [WORD]]
 *
 * FILE holds a whole request of HTTP/1.1 with Content-Length; each row of ten
 * "@" in it becomes the request's number, which goes up from FIRST (1).  COUNT
 * requests are sent over CONNECTIONS connections, one at a time on each.  All
 * are built before the first is sent.  Printed are, in one line:
 *
 *     answers=N good=N word=N closed=N seconds=S p50=US p99=US max=US
 *
 * "good" has status 2xx or 3xx, "word" holds WORD in its body as well; "closed"
 * counts requests whose connection was closed before the answer.
 * Times are of answers, from the request's first byte to the answer's last, in
 * microseconds.  The exit status is 0 when all COUNT were answered.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define BUFFER   65536
#define NUMBER   "@@@@@@@@@@"
#define DIGITS   (sizeof(NUMBER) - 1)
#define PLACES   16
#define PATIENCE 60000              /* ms without any event */


typedef struct {
    int      fd;
    long     n;                     /* the request under way, -1: none */
    size_t   sent;
    double   start;
    char     in[BUFFER];
    size_t   len;
    size_t   body;                  /* where it begins, 0: not known yet */
    size_t   length;                /* of the body, with "chunked": 0 */
    int      chunked;
} connection_t;


static struct sockaddr_in  target;

static char    *request;
static size_t   request_len;
static size_t   places[PLACES];
static int      nplaces;
static char    *requests;           /* all of them, one behind the other */
static double  *times;

static long     count, next, answers, good, word, broken;
static char    *wanted;


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}


static void
die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}


static void
address(char *text)
{
    char  *colon;

    colon = strchr(text, ':');

    if (colon == NULL) {
        errno = EINVAL;
        die(text);
    }

    *colon = '\0';

    target.sin_family = AF_INET;
    target.sin_port = htons((uint16_t) atoi(colon + 1));

    if (inet_pton(AF_INET, text, &target.sin_addr) != 1) {
        errno = EINVAL;
        die(text);
    }
}


static void
build(const char *path, long first)
{
    int    i;
    long   n;
    FILE  *f;
    char  *p, digits[DIGITS + 12];

    f = fopen(path, "rb");
    request = malloc(BUFFER);

    if (f == NULL || request == NULL) {
        die(path);
    }

    request_len = fread(request, 1, BUFFER, f);
    (void) fclose(f);

    for (p = request;
         nplaces < PLACES
         && (p = memmem(p, request_len - (size_t) (p - request), NUMBER,
                        DIGITS)) != NULL;
         p += DIGITS)
    {
        places[nplaces++] = (size_t) (p - request);
    }

    requests = malloc(request_len * (size_t) count);
    times = malloc(sizeof(double) * (size_t) count);

    if (requests == NULL || times == NULL) {
        die("memory");
    }

    for (n = 0; n < count; n++) {
        p = requests + (size_t) n * request_len;
        memcpy(p, request, request_len);

        (void) snprintf(digits, sizeof(digits), "%010ld", first + n);

        for (i = 0; i < nplaces; i++) {
            memcpy(p + places[i], digits, DIGITS);
        }
    }
}


static void
writable(connection_t *c)
{
    ssize_t  n;

    while (c->n != -1 && c->sent < request_len) {
        n = send(c->fd, requests + (size_t) c->n * request_len + c->sent,
                 request_len - c->sent, MSG_NOSIGNAL|MSG_DONTWAIT);

        if (n <= 0) {
            return;
        }

        c->sent += (size_t) n;
    }
}


static void
begin(connection_t *c)
{
    c->len = 0;
    c->body = 0;
    c->sent = 0;
    c->n = (next < count) ? next++ : -1;
    c->start = now();

    writable(c);
}


static void
joined(int ep, connection_t *c)
{
    int                 on;
    struct epoll_event  ev;

    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &target, sizeof(target)) == -1)
    {
        die("connect");
    }

    on = 1;
    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    ev.events = EPOLLIN|EPOLLOUT|EPOLLET;
    ev.data.ptr = c;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1) {
        die("epoll");
    }
}


static void
header(connection_t *c)
{
    char  *p, *end;

    end = memmem(c->in, c->len, "\r\n\r\n", 4);

    if (end == NULL) {
        return;
    }

    c->body = (size_t) (end + 4 - c->in);
    c->length = 0;
    c->chunked = 0;

    for (p = c->in; p < end; p = strstr(p, "\r\n") + 2) {

        if (strncasecmp(p, "Content-Length:", 15) == 0) {
            c->length = strtoul(p + 15, NULL, 10);

        } else if (strncasecmp(p, "Transfer-Encoding: chunked", 26) == 0) {
            c->chunked = 1;
        }
    }
}


/* is the answer whole? */

static int
whole(connection_t *c)
{
    char    *end;
    size_t   pos, size;

    if (!c->chunked) {
        return c->len >= c->body + c->length;
    }

    pos = c->body;

    for ( ;; ) {

        if (memmem(c->in + pos, c->len - pos, "\r\n", 2) == NULL) {
            return 0;
        }

        size = strtoul(c->in + pos, &end, 16);
        pos = (size_t) (end - c->in) + 2 + size + 2;

        if (pos > c->len) {
            return 0;
        }

        if (size == 0) {
            return 1;
        }
    }
}


static void
answered(connection_t *c)
{
    times[answers++] = now() - c->start;

    if (c->in[9] != '2' && c->in[9] != '3') {
        return;
    }

    good++;

    if (wanted && memmem(c->in + c->body, c->len - c->body, wanted,
                         strlen(wanted)))
    {
        word++;
    }
}


/* 0: the connection is over */

static int
readable(connection_t *c)
{
    ssize_t  n;

    for ( ;; ) {
        n = recv(c->fd, c->in + c->len, BUFFER - 1 - c->len, MSG_DONTWAIT);

        if (n == -1 && errno == EAGAIN) {
            return 1;
        }

        if (n <= 0) {
            return 0;
        }

        c->len += (size_t) n;
        c->in[c->len] = '\0';

        if (c->body == 0) {
            header(c);
        }

        if (c->body && whole(c)) {
            answered(c);
            begin(c);
        }
    }
}


static int
compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return x < y ? -1 : x > y;
}


int
main(int argc, char **argv)
{
    int                  ep, i, n, connections;
    double               start, seconds;
    connection_t        *all, *c;
    struct epoll_event   events[256];

    if (argc < 5) {
        fprintf(stderr, "usage: load HOST:PORT CONNECTIONS COUNT FILE"
                " [FIRST [WORD]]\n");
        return 2;
    }

    address(argv[1]);
    connections = atoi(argv[2]);
    count = strtol(argv[3], NULL, 10);
    wanted = argc > 6 ? argv[6] : NULL;

    build(argv[4], argc > 5 ? strtol(argv[5], NULL, 10) : 1);

    ep = epoll_create1(0);
    all = calloc((size_t) connections, sizeof(connection_t));

    if (ep == -1 || all == NULL) {
        die("start");
    }

    for (i = 0; i < connections; i++) {
        joined(ep, &all[i]);
    }

    start = now();

    for (i = 0; i < connections; i++) {
        begin(&all[i]);
    }

    while (answers + broken < count) {
        n = epoll_wait(ep, events, 256, PATIENCE);

        if (n <= 0) {
            fprintf(stderr, "load: no answer\n");
            break;
        }

        for (i = 0; i < n; i++) {
            c = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                writable(c);
            }

            if ((events[i].events & (EPOLLIN|EPOLLHUP|EPOLLERR))
                && !readable(c))
            {
                broken += (c->n != -1);
                (void) close(c->fd);
                joined(ep, c);
                begin(c);
            }
        }
    }

    seconds = (now() - start) / 1e6;

    qsort(times, (size_t) answers, sizeof(double), compare);

    printf("answers=%ld good=%ld word=%ld closed=%ld seconds=%.6f p50=%.1f"
           " p99=%.1f max=%.1f\n", answers, good, word, broken, seconds,
           answers ? times[answers / 2] : 0,
           answers ? times[answers * 99 / 100] : 0,
           answers ? times[answers - 1] : 0);

    return answers == count ? 0 : 1;
}
