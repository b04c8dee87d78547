
/*
 * Processes of a test, each with a pipe to it and one from it, so that they
 * wait for each other and not for a clock.
 */


#ifndef _CHILDREN_H_INCLUDED_
#define _CHILDREN_H_INCLUDED_


#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>


typedef struct {
    pid_t  pid;
    int    in;                      /* what the child writes */
    int    out;                     /* what it reads */
} child_t;

typedef int (*child_pt)(const char *path, int n, int in, int out);


/* what is freed and kept to find its use is copied with each fork: not 256 MB */

const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}


static inline void
child_start(child_t *c, child_pt what, const char *path, int n)
{
    int  rc, to[2], from[2];

    if (pipe(to) != 0 || pipe(from) != 0) {
        exit(2);
    }

    (void) fflush(stdout);

    c->pid = fork();

    if (c->pid < 0) {
        exit(2);
    }

    if (c->pid == 0) {
        (void) close(to[1]);
        (void) close(from[0]);
        rc = what(path, n, to[0], from[1]);
        (void) fflush(stdout);
        _exit(rc);
    }

    (void) close(to[0]);
    (void) close(from[1]);

    c->out = to[1];
    c->in = from[0];
}


static inline int
child_wait(child_t *c)
{
    int  status;

    (void) close(c->in);
    (void) close(c->out);

    if (waitpid(c->pid, &status, 0) != c->pid || !WIFEXITED(status)) {
        return 255;
    }

    return WEXITSTATUS(status);
}


static inline void
child_kill(child_t *c)
{
    (void) kill(c->pid, SIGKILL);
    (void) child_wait(c);
}


/* a byte from the other side, -1 when it is gone */

static inline int
wait_byte(int fd)
{
    u_char  c;

    return read(fd, &c, 1) == 1 ? c : -1;
}


static inline int
send_byte(int fd)
{
    return write(fd, "x", 1) == 1 ? 0 : -1;
}


#endif /* _CHILDREN_H_INCLUDED_ */
