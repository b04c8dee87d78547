
/*
 * Watches the locks of shared memory, preloaded for an nginx whose module was
 * built with lock_check.h.  All workers spin for a lock that one of them holds:
 * it may not be held across a call that waits, nor while another is taken, nor
 * when an event is over, which is when the loop or a thread waits for the next.
 * What is wrong is said on standard error, which is nginx's error log, and
 * aborts.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


void lock_check_lock(void *mtx);
uintptr_t lock_check_trylock(void *mtx);
void lock_check_unlock(void *mtx);


static __thread void  *held;
static __thread void  *held_by;         /* the code that took it */


static const char *
name_of(void *code)
{
    Dl_info      info;
    static int   n;
    static char  text[2][256];

    if (dladdr(code, &info) == 0) {
        return "unknown code";
    }

    /* for addr2line, where it is a static function */

    n = !n;
    (void) snprintf(text[n], sizeof(text[n]), "%s+0x%lx of %s",
                    info.dli_sname ? info.dli_sname : "", (unsigned long)
                    ((char *) code - (char *) (info.dli_sname ? info.dli_saddr
                                               : info.dli_fbase)),
                    info.dli_fname);

    return text[n];
}


/* without the library's own functions: they are watched */
static void
wrong(const char *what, void *code)
{
    int   n;
    char  text[512];

    n = snprintf(text, sizeof(text),
                 "LockSanitizer: %s in %s, lock %p taken in %s\n", what,
                 name_of(code), held,
                 held_by ? name_of(held_by) : "nothing");

    if (n > 0) {
        (void) !syscall(SYS_write, STDERR_FILENO, text, strlen(text));
    }

    abort();
}


static void *
next_of(const char *name)
{
    void  *p;

    p = dlsym(RTLD_NEXT, name);

    if (p == NULL) {
        abort();
    }

    return p;
}


void
lock_check_lock(void *mtx)
{
    static void  (*lock)(void *);

    if (held) {
        wrong(held == mtx ? "a lock is taken twice"
                          : "a second lock is taken",
              __builtin_return_address(0));
    }

    if (lock == NULL) {
        lock = (void (*)(void *)) dlsym(RTLD_DEFAULT, "ngx_shmtx_lock");
    }

    lock(mtx);

    held = mtx;
    held_by = __builtin_return_address(0);
}


uintptr_t
lock_check_trylock(void *mtx)
{
    uintptr_t           taken;
    static uintptr_t  (*trylock)(void *);

    if (held) {
        wrong(held == mtx ? "a lock is taken twice"
                          : "a second lock is taken",
              __builtin_return_address(0));
    }

    if (trylock == NULL) {
        trylock = (uintptr_t (*)(void *)) dlsym(RTLD_DEFAULT,
                                                "ngx_shmtx_trylock");
    }

    taken = trylock(mtx);

    if (taken) {
        held = mtx;
        held_by = __builtin_return_address(0);
    }

    return taken;
}


void
lock_check_unlock(void *mtx)
{
    static void  (*unlock)(void *);

    if (held != mtx) {
        wrong("a lock is given back that isn't held",
              __builtin_return_address(0));
    }

    if (unlock == NULL) {
        unlock = (void (*)(void *)) dlsym(RTLD_DEFAULT, "ngx_shmtx_unlock");
    }

    held = NULL;
    held_by = NULL;

    unlock(mtx);
}


/* ---- what may not be called with a lock ---- */

#define WATCHED(type, name, params, args)                                     \
                                                                              \
type                                                                          \
name params                                                                   \
{                                                                             \
    static type  (*next) params;                                              \
                                                                              \
    if (held) {                                                               \
        wrong(#name "() is called", __builtin_return_address(0));             \
    }                                                                         \
                                                                              \
    if (next == NULL) {                                                       \
        next = (type (*) params) next_of(#name);                              \
    }                                                                         \
                                                                              \
    return next args;                                                         \
}


/* the end of an event */

WATCHED(int, epoll_wait, (int fd, struct epoll_event *ev, int n, int ms),
        (fd, ev, n, ms))


WATCHED(int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))


WATCHED(int, select, (int n, fd_set *r, fd_set *w, fd_set *x,
        struct timeval *tv), (n, r, w, x, tv))


WATCHED(int, pthread_cond_wait, (pthread_cond_t *c, pthread_mutex_t *m),
        (c, m))


WATCHED(int, pthread_cond_timedwait, (pthread_cond_t *c, pthread_mutex_t *m,
        const struct timespec *ts), (c, m, ts))


/* what waits */

WATCHED(int, pthread_mutex_lock, (pthread_mutex_t *m), (m))


/* but for lines of the debug log, which nginx itself writes as it allocates */
ssize_t
write(int fd, const void *buf, size_t n)
{
    static ssize_t  (*next)(int fd, const void *buf, size_t n);

    if (held && memmem(buf, n < 64 ? n : 64, " [debug] ", 9) == NULL) {
        wrong("write() is called", __builtin_return_address(0));
    }

    if (next == NULL) {
        next = (ssize_t (*)(int, const void *, size_t)) next_of("write");
    }

    return next(fd, buf, n);
}


WATCHED(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))


WATCHED(ssize_t, pwrite64, (int fd, const void *buf, size_t n, off64_t at),
        (fd, buf, n, at))


WATCHED(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n))


WATCHED(ssize_t, pread64, (int fd, void *buf, size_t n, off64_t at),
        (fd, buf, n, at))


WATCHED(int, fsync, (int fd), (fd))


WATCHED(int, fdatasync, (int fd), (fd))


WATCHED(ssize_t, send, (int fd, const void *buf, size_t n, int flags),
        (fd, buf, n, flags))


WATCHED(ssize_t, recv, (int fd, void *buf, size_t n, int flags),
        (fd, buf, n, flags))


WATCHED(int, connect, (int fd, const struct sockaddr *a, socklen_t n),
        (fd, a, n))


WATCHED(int, usleep, (useconds_t us), (us))


WATCHED(int, nanosleep, (const struct timespec *ts, struct timespec *rest),
        (ts, rest))


WATCHED(int, unlink, (const char *path), (path))


WATCHED(int, rename, (const char *from, const char *to), (from, to))


WATCHED(pid_t, fork, (void), ())


/* the mode is there whenever a file may be made */

#define WATCHED_OPEN(name)                                                    \
                                                                              \
int                                                                           \
name(const char *path, int flags, ...)                                        \
{                                                                             \
    mode_t        mode;                                                       \
    va_list       args;                                                       \
    static int  (*next)(const char *, int, ...);                              \
                                                                              \
    if (held) {                                                               \
        wrong(#name "() is called", __builtin_return_address(0));             \
    }                                                                         \
                                                                              \
    if (next == NULL) {                                                       \
        next = (int (*)(const char *, int, ...)) next_of(#name);              \
    }                                                                         \
                                                                              \
    va_start(args, flags);                                                    \
    mode = va_arg(args, mode_t);                                              \
    va_end(args);                                                             \
                                                                              \
    return next(path, flags, mode);                                           \
}


WATCHED_OPEN(open)


WATCHED_OPEN(open64)
