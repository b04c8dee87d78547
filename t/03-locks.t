#!/usr/bin/perl

# The checker of locks (t/lib/B24/lock_check.c), which all tests under the
# sanitizers run with, finds what it is for.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

chdir abs_path(dirname(__FILE__) . '/..') or die "can't change folder: $!\n";

my $room = tempdir(CLEANUP => 1);

# nginx's part, and one case after the other
my $program = <<'END';
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static int  locked[2];

void ngx_shmtx_lock(void *m);
uintptr_t ngx_shmtx_trylock(void *m);
void ngx_shmtx_unlock(void *m);
void lock_check_lock(void *m);
uintptr_t lock_check_trylock(void *m);
void lock_check_unlock(void *m);

void
ngx_shmtx_lock(void *m)
{
    *(int *) m = 1;
}

uintptr_t
ngx_shmtx_trylock(void *m)
{
    return *(int *) m ? 0 : (uintptr_t) (*(int *) m = 1);
}

void
ngx_shmtx_unlock(void *m)
{
    *(int *) m = 0;
}

static void *
other_thread(void *data)
{
    (void) data;
    (void) !write(1, "", 0);
    return NULL;
}

int
main(int argc, char **argv)
{
    int                 fd = epoll_create1(0);
    pthread_t           thread;
    struct epoll_event  ev;

    (void) argc;

    switch (argv[1][0]) {

    case 'g':                           /* as it should be */
        lock_check_lock(&locked[0]);
        lock_check_unlock(&locked[0]);
        (void) !write(1, "", 0);
        (void) epoll_wait(fd, &ev, 1, 0);

        if (!lock_check_trylock(&locked[1]) || !locked[1]) {
            return 3;
        }

        lock_check_unlock(&locked[1]);
        locked[1] = 1;

        /* somebody else's: it was not taken */
        if (lock_check_trylock(&locked[1])) {
            return 4;
        }

        (void) epoll_wait(fd, &ev, 1, 0);
        return locked[0];

    case 't':                           /* another thread may do anything */
        lock_check_lock(&locked[0]);
        (void) pthread_create(&thread, NULL, other_thread, NULL);
        (void) pthread_join(thread, NULL);
        lock_check_unlock(&locked[0]);
        return 0;

    case 'w':
        lock_check_lock(&locked[0]);
        (void) !write(1, "", 0);
        break;

    case 'e':
        (void) lock_check_trylock(&locked[0]);
        (void) epoll_wait(fd, &ev, 1, 0);
        break;

    case '2':
        lock_check_lock(&locked[0]);
        lock_check_lock(&locked[0]);
        break;

    case 'n':
        lock_check_lock(&locked[0]);
        lock_check_lock(&locked[1]);
        break;

    case 'u':
        lock_check_unlock(&locked[0]);
        break;
    }

    return 0;
}
END

open my $out, '>', "$room/case.c" or die "can't write: $!\n";
print $out $program;
close $out or die "can't write: $!\n";

my @gcc = qw(gcc -O1 -Wall -Wextra -Werror);

is(system(@gcc, '-shared', '-fPIC', '-o', "$room/check.so",
          't/lib/B24/lock_check.c', '-ldl'), 0, 'the checker is built');
is(system(@gcc, '-rdynamic', '-o', "$room/case", "$room/case.c",
          "$room/check.so", '-lpthread'), 0, 'and a program to be watched');

sub run_case {
    my ($case) = @_;

    local $ENV{LD_PRELOAD} = "$room/check.so";
    my $text = `$room/case $case 2>&1`;

    return ($? & 127, $? >> 8, $text);
}

for my $case (['g', 'locks that are given back'],
              ['t', "another thread's calls"])
{
    my ($signal, $status, $text) = run_case($case->[0]);

    is("$signal $status $text", '0 0 ', $case->[1]);
}

for my $case (['w', qr/write\(\) is called in .*taken in/, 'a call that waits'],
              ['e', qr/epoll_wait\(\) is called/, 'the end of an event'],
              ['2', qr/a lock is taken twice/, 'a lock taken twice'],
              ['n', qr/a second lock is taken/, 'a lock within a lock'],
              ['u', qr/a lock is given back that isn't held/, 'one that nobody holds'])
{
    my ($signal, $status, $text) = run_case($case->[0]);

    is($signal, 6, "$case->[2] aborts");
    like($text, qr/^LockSanitizer: $case->[1]/, 'and says why');
}

# the module that the sanitizers are in goes through it, and so through all of
# its calls; what it is built from is told in build.sh
SKIP: {
    my $module = 'build/asan/ngx_http_b24_module.so';

    skip('no module with sanitizers was built', 2) if !-e $module;

    my @asked = grep { /shmtx|lock_check/ }
                split /\n/, `nm -D --undefined-only $module`;

    is(scalar(grep { /lock_check_(?:un|try)?lock$/ } @asked), 3,
       'the module asks the checker');
    is_deeply([grep { /ngx_shmtx/ } @asked], [], 'and nothing else');
}

done_testing();
