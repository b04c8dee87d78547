
/*
 * Preloaded by a test: as long as the file that B24_PRELOAD names is there,
 * the disk fails whoever writes, syncs or cuts a file whose name holds
 * "/queue.db".  Descriptors of all others are as ever.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static char  io_error_flag[4096];


/* nginx gives its workers another environment */

__attribute__((constructor))
static void
io_error_init(void)
{
    const char  *name;

    name = getenv("B24_PRELOAD");

    if (name) {
        snprintf(io_error_flag, sizeof(io_error_flag), "%s", name);
    }
}


static int
io_error(int fd)
{
    char     path[64], name[4096];
    ssize_t  n;

    if (io_error_flag[0] == '\0' || access(io_error_flag, F_OK) != 0) {
        return 0;
    }

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

    n = readlink(path, name, sizeof(name) - 1);

    if (n <= 0) {
        return 0;
    }

    name[n] = '\0';

    return strstr(name, "/queue.db") != NULL;
}


#define io_error_call(type, name, params, args)                               \
                                                                              \
type                                                                          \
name params                                                                   \
{                                                                             \
    static type  (*real) params;                                              \
                                                                              \
    if (real == NULL) {                                                       \
        real = (type (*) params) dlsym(RTLD_NEXT, #name);                     \
    }                                                                         \
                                                                              \
    if (io_error(fd)) {                                                       \
        errno = EIO;                                                          \
        return -1;                                                            \
    }                                                                         \
                                                                              \
    return real args;                                                         \
}


io_error_call(ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t at),
              (fd, buf, n, at))
io_error_call(ssize_t, pwrite64,
              (int fd, const void *buf, size_t n, off64_t at),
              (fd, buf, n, at))
io_error_call(ssize_t, write, (int fd, const void *buf, size_t n),
              (fd, buf, n))
io_error_call(int, fsync, (int fd), (fd))
io_error_call(int, fdatasync, (int fd), (fd))
io_error_call(int, ftruncate, (int fd, off_t len), (fd, len))
io_error_call(int, ftruncate64, (int fd, off64_t len), (fd, len))
