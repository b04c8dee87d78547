
/*
 * Preloaded by a test: as long as the file that B24_PRELOAD names is there, a
 * process that changes the sessions is killed in the middle of it: the number,
 * of 8 bytes, for a new round is drawn inside of the lock.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>


static char  session_kill_flag[4096];


/* nginx gives its workers another environment */

__attribute__((constructor))
static void
session_kill_init(void)
{
    const char  *name;

    name = getenv("B24_PRELOAD");

    if (name) {
        snprintf(session_kill_flag, sizeof(session_kill_flag), "%s", name);
    }
}


ssize_t
getrandom(void *buf, size_t n, unsigned flags)
{
    Dl_info  info;

    static ssize_t  (*real) (void *, size_t, unsigned);

    if (real == NULL) {
        real = (ssize_t (*) (void *, size_t, unsigned))
                   dlsym(RTLD_NEXT, "getrandom");
    }

    if (n == 8 && session_kill_flag[0] != '\0'
        && dladdr(__builtin_return_address(0), &info) != 0
        && strstr(info.dli_fname, "ngx_http_b24_module") != NULL
        && access(session_kill_flag, F_OK) == 0)
    {
        (void) kill(getpid(), SIGKILL);
    }

    return real(buf, n, flags);
}
