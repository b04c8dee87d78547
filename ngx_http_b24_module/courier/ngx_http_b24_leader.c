
/*
 * One courier a host.  flock() decides: the kernel frees it however a process
 * ends.  The elected worker makes the socket the others knock on when they have
 * committed something; their tick is only the net.
 *
 * All file work is done in the queue's thread.
 */


#include "ngx_http_b24_courier.h"

#include <sys/file.h>
#include <sys/un.h>


/* ticks between looks for orders nobody knocked for */
#define NGX_HTTP_B24_CHECK  5

/* keep=: so many records at most every so many seconds */
#define NGX_HTTP_B24_CLEAN_MAX    100
#define NGX_HTTP_B24_CLEAN_EVERY  10


static void ngx_http_b24_leader_run(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_leader_clean(void);
static void ngx_http_b24_clean_run(ngx_http_b24_call_t *call, b24_queue_t *q);
static void ngx_http_b24_clean_done(ngx_http_b24_call_t *call);
static void ngx_http_b24_leader_lock(void);
static int ngx_http_b24_leader_address(struct sockaddr_un *addr);
static void ngx_http_b24_leader_done(ngx_http_b24_call_t *call);
static void ngx_http_b24_leader_begin(void);
static void ngx_http_b24_leader_end(void);
static void ngx_http_b24_leader_knock(ngx_event_t *ev);


static ngx_http_b24_call_t   ngx_http_b24_election;
static ngx_uint_t            ngx_http_b24_electing;
static ngx_http_b24_call_t   ngx_http_b24_cleaning;
static ngx_uint_t            ngx_http_b24_cleans;
static time_t                ngx_http_b24_cleaned;
static int64_t               ngx_http_b24_clean_now;
static int64_t               ngx_http_b24_pointed;  /* the last ten minutes */
static ngx_uint_t            ngx_http_b24_leads;
static ngx_uint_t            ngx_http_b24_ticks;
static ngx_connection_t     *ngx_http_b24_door;

/* written in the thread while ngx_http_b24_electing */
static ngx_fd_t              ngx_http_b24_lock_fd = NGX_INVALID_FILE;
static ngx_socket_t          ngx_http_b24_sock_fd = (ngx_socket_t) -1;
static ngx_uint_t            ngx_http_b24_locked;


ngx_int_t
ngx_http_b24_courier_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_http_b24_election.run = ngx_http_b24_leader_run;
    ngx_http_b24_election.done = ngx_http_b24_leader_done;
    ngx_http_b24_election.silent = 1;

    ngx_http_b24_cleaning.run = ngx_http_b24_clean_run;
    ngx_http_b24_cleaning.done = ngx_http_b24_clean_done;

    if (ngx_http_b24_keep_init(cycle, bmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_b24_database_init(cycle, bmcf) != NGX_OK
        || ngx_http_b24_watch_init(cycle, bmcf) != NGX_OK
        || ngx_http_b24_back_init(cycle, bmcf) != NGX_OK
        || ngx_http_b24_alert_init(cycle, bmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_b24_deliver_init(cycle, bmcf);
}


void
ngx_http_b24_courier_exit(ngx_cycle_t *cycle)
{
    ngx_http_b24_deliver_exit();
    ngx_http_b24_watch_exit();
    ngx_http_b24_back_exit();
    ngx_http_b24_database_exit();
    ngx_http_b24_curl_exit();
    ngx_http_b24_keep_exit();
    ngx_http_b24_alert_exit();
    ngx_http_b24_leader_end();
}


ngx_uint_t
ngx_http_b24_leader(void)
{
    return ngx_http_b24_leads;
}


void
ngx_http_b24_courier_tick(void)
{
    ngx_http_b24_deliver_tick();

    if (ngx_exiting) {

        /*
         * The next generation takes over as soon as nothing is in flight; the
         * thread must not be at the lock while it is closed here.
         */

        if (ngx_http_b24_leads && !ngx_http_b24_electing
            && !ngx_http_b24_deliver_busy() && !ngx_http_b24_alert_busy())
        {
            ngx_http_b24_leader_end();
        }

        return;
    }

    if (ngx_http_b24_leads) {
        ngx_http_b24_keep_tick();
        ngx_http_b24_database_tick();
        ngx_http_b24_watch_tick();
        ngx_http_b24_alert_tick();
    }

    if (ngx_http_b24_leads
        && ++ngx_http_b24_ticks % NGX_HTTP_B24_CHECK == 0)
    {
        ngx_http_b24_deliver_kick();
        ngx_http_b24_leader_clean();
    }

    /*
     * The elected one looks each time, too: where its lock file was taken away
     * another one is elected within a tick, and two must not deliver for long.
     */

    if (!ngx_http_b24_electing) {
        ngx_http_b24_electing = 1;
        ngx_http_b24_store_call(&ngx_http_b24_election);
    }
}


static void
ngx_http_b24_leader_clean(void)
{
    if (ngx_http_b24_cleans
        || (ngx_http_b24_cleaned
            && ngx_time() - ngx_http_b24_cleaned < NGX_HTTP_B24_CLEAN_EVERY))
    {
        return;
    }

    ngx_http_b24_cleans = 1;
    ngx_http_b24_cleaned = ngx_time();
    ngx_http_b24_clean_now = ngx_http_b24_now();

    ngx_http_b24_store_call(&ngx_http_b24_cleaning);
}


void
ngx_http_b24_courier_wake(void)
{
    int                  fd;
    struct sockaddr_un   addr;

    if (ngx_http_b24_leads) {
        ngx_http_b24_deliver_kick();
        return;
    }

    if (ngx_http_b24_leader_address(&addr) == -1) {
        return;
    }

    fd = socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return;
    }

    /* nobody there, or a full buffer: somebody is awake or the tick will be */

    (void) sendto(fd, "", 1, MSG_DONTWAIT, (struct sockaddr *) &addr,
                  sizeof(struct sockaddr_un));
    (void) close(fd);
}


/* in the thread */

static void
ngx_http_b24_leader_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    struct stat  opened, named;

    if (ngx_http_b24_lock_fd != NGX_INVALID_FILE
        && (fstat(ngx_http_b24_lock_fd, &opened) == -1
            || stat((char *) ngx_http_b24_main->lock.data, &named) == -1
            || opened.st_ino != named.st_ino
            || opened.st_dev != named.st_dev))
    {
        /* the folder was taken away: a lock nobody else sees is none */

        (void) close(ngx_http_b24_lock_fd);
        ngx_http_b24_lock_fd = NGX_INVALID_FILE;

        if (ngx_http_b24_locked) {

            /* done() closes the door; the next tick begins anew */

            ngx_http_b24_locked = 0;
            return;
        }
    }

    if (!ngx_http_b24_locked) {
        ngx_http_b24_leader_lock();
    }
}


/* what keep= has run out for, in small steps; with it goes personal data */

static void
ngx_http_b24_clean_run(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    int  n;

    if (q) {

        /* exchanges whose worker has died end as unconfirmed */

        (void) b24_queue_orphans(q, ngx_http_b24_journal_alive, NULL,
                                 ngx_http_b24_clean_now, &n);

        (void) b24_queue_clean(q, (int64_t) ngx_http_b24_main->keep * 1000,
                               NGX_HTTP_B24_CLEAN_MAX, ngx_http_b24_clean_now,
                               &n);

        if (ngx_http_b24_pointed
            != ngx_http_b24_clean_now / B24_QUEUE_POINT_MS
            && b24_queue_point(q, ngx_http_b24_clean_now) == B24_QUEUE_OK)
        {
            ngx_http_b24_pointed = ngx_http_b24_clean_now
                                   / B24_QUEUE_POINT_MS;
        }
    }
}


static void
ngx_http_b24_clean_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_cleans = 0;
}


static void
ngx_http_b24_leader_lock(void)
{
    int                 fd;
    struct sockaddr_un  addr;

    if (ngx_http_b24_lock_fd == NGX_INVALID_FILE) {
        ngx_http_b24_lock_fd = open((char *) ngx_http_b24_main->lock.data,
                                    O_RDWR|O_CREAT|O_CLOEXEC, 0600);

        if (ngx_http_b24_lock_fd == NGX_INVALID_FILE) {
            return;
        }
    }

    if (flock(ngx_http_b24_lock_fd, LOCK_EX|LOCK_NB) == -1) {
        return;
    }

    ngx_http_b24_locked = 1;

    if (ngx_http_b24_leader_address(&addr) == -1) {
        return;
    }

    fd = socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return;
    }

    (void) unlink(addr.sun_path);

    /* the mode of what bind() makes, which else would be the umask's */

    (void) fchmod(fd, 0600);

    if (bind(fd, (struct sockaddr *) &addr, sizeof(struct sockaddr_un)) == -1)
    {
        (void) close(fd);
        return;
    }

    ngx_http_b24_sock_fd = fd;
}


/* a folder too deep for a socket's name leaves only the tick */

static int
ngx_http_b24_leader_address(struct sockaddr_un *addr)
{
    ngx_str_t  *path;

    path = &ngx_http_b24_main->sock;

    if (path->len >= sizeof(addr->sun_path)) {
        return -1;
    }

    ngx_memzero(addr, sizeof(struct sockaddr_un));

    addr->sun_family = AF_UNIX;
    ngx_memcpy(addr->sun_path, path->data, path->len);

    return 0;
}


static void
ngx_http_b24_leader_done(ngx_http_b24_call_t *call)
{
    ngx_http_b24_electing = 0;

    if (ngx_http_b24_leads && !ngx_http_b24_locked) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "b24: \"%V\" was taken away, a worker is elected anew",
                      &ngx_http_b24_main->lock);
        ngx_http_b24_leader_end();
        ngx_http_b24_keep_end();
        return;
    }

    if (!ngx_http_b24_leads && ngx_http_b24_locked) {

        if (ngx_exiting) {
            ngx_http_b24_leader_end();
            return;
        }

        ngx_http_b24_leader_begin();
    }
}


static void
ngx_http_b24_leader_begin(void)
{
    ngx_connection_t  *c;

    ngx_http_b24_leads = 1;
    ngx_http_b24_sh()->courier = ngx_pid;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "b24: this worker delivers the orders");

    if (ngx_http_b24_sock_fd != (ngx_socket_t) -1) {

        c = ngx_get_connection(ngx_http_b24_sock_fd, ngx_cycle->log);

        if (c) {
            c->read->handler = ngx_http_b24_leader_knock;
            c->write->handler = ngx_http_b24_leader_knock;
            c->read->log = ngx_cycle->log;
            c->write->log = ngx_cycle->log;

            if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT)
                == NGX_OK)
            {
                ngx_http_b24_door = c;

            } else {
                ngx_close_connection(c);
                ngx_http_b24_sock_fd = (ngx_socket_t) -1;
            }
        }
    }

    ngx_http_b24_cleaned = 0;
    ngx_http_b24_leader_clean();

    ngx_http_b24_alert_begin();
    ngx_http_b24_keep_begin();
}


static void
ngx_http_b24_leader_end(void)
{
    ngx_http_b24_leads = 0;

    if (ngx_http_b24_door) {
        ngx_close_connection(ngx_http_b24_door);
        ngx_http_b24_door = NULL;

    } else if (ngx_http_b24_sock_fd != (ngx_socket_t) -1) {
        (void) close(ngx_http_b24_sock_fd);
    }

    ngx_http_b24_sock_fd = (ngx_socket_t) -1;

    if (ngx_http_b24_lock_fd != NGX_INVALID_FILE) {
        (void) close(ngx_http_b24_lock_fd);
        ngx_http_b24_lock_fd = NGX_INVALID_FILE;
    }

    ngx_http_b24_locked = 0;
}


static void
ngx_http_b24_leader_knock(ngx_event_t *ev)
{
    u_char             buf[64];
    ssize_t            n;
    ngx_connection_t  *c;

    c = ev->data;

    if (c->close) {

        /* worker_shutdown_timeout */

        ngx_http_b24_door = NULL;
        ngx_http_b24_sock_fd = (ngx_socket_t) -1;
        ngx_close_connection(c);
        return;
    }

    do {
        n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
    } while (n > 0);

    ngx_http_b24_deliver_kick();
}
