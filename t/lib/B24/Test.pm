package B24::Test;

# What every test file of the module loads first:
#
#   use lib 't/lib';
#   use B24::Test portal => 1, upstream => 'woocommerce-9.9.5';
#   use Test::Nginx::Socket;
#
# It gives the file a folder, ports, and a queue of its own, says where the
# module is, starts the helpers asked for, and after each server that has quit
# fails the file if the log has an alert, an emerg that wasn't asked for, or
# a sanitizer's report, or if a process stays behind.
#
# Nor may a log of the file show a secret or a buyer's data that the file has
# sent: see B24::Secrets for what is looked for, and where.
#
# The records an emulated portal has from the start belong to somebody else:
# when one of them has changed, or a command referred to a result that wasn't
# there, the file fails, whichever block did it.
#
# Functions for the file: portal(), shop(), upstream() give the helpers, portal(2)
# the second portal.
#
# Options (all off by default):
#
#   portal      1, or options for B24::PortalProcess->new: the emulated
#               Bitrix24
#   portals     2 and more: so many of them
#   portal_tls  1: the portal also listens with TLS
#   shop        1, or options for B24::Shop->start: the sample shop
#   upstream    the replay upstream: a folder of t/recordings, a list of
#               them, or 1 for none; with two lanes or `lanes`
#   module      path of the module, '' for plain nginx
#
# Variables for the blocks, in addition to those of Test::Nginx:
#
#   TEST_NGINX_PORT_1 ... _9     free ports for servers of the block's own
#   TEST_NGINX_QUEUE             queue folder, empty for each block, owned by
#                                the worker user
#   TEST_NGINX_DIR               the file's folder, for anything else
#   TEST_NGINX_ROOT              the checkout
#   TEST_NGINX_PRESETS           the folder of the shops' presets
#   TEST_NGINX_PORTAL_URL, _PORTAL_PORT, _PORTAL_TLS_URL,
#   _PORTAL_TLS_PORT, _PORTAL_CA; _PORTAL_URL_2 and _PORTAL_PORT_2 of the
#   second portal
#   TEST_NGINX_FPM_SOCKET, _SHOP_ROOT, _SHOP_SCRIPT, _SHOP_RULES
#   TEST_NGINX_UPSTREAM_PORT     also _PORT_0; _PORT_1 is the second lane
#
# Sections for the blocks, in addition to those of Test::Nginx:
#
#   keep_state       the queue and what the helpers hold stay as the previous
#                    block left them
#   before           Perl code, run before the server starts (init comes after
#                    that): what its first look is to find
#   expected_alert   lines: pieces of alerts that belong to this block (those
#                    of error_log are expected anyway)
#   scenario         Perl code, see B24::Scenario; one subtest per repeat.  In
#                    a block without a request it comes with one more: the
#                    status of an answer nginx gives beforehand
#
# Environment: B24_MODULE (path of the module), B24_ASAN=1 (the module built
# with the sanitizers, and nginx with their libraries), B24_VALGRIND=1 (nginx
# under valgrind), B24_KEEP=1 (the folder stays).

use strict;
use warnings;

use B24::Secrets ();
use Cwd ();
use File::Basename ();
use File::Path ();
use IO::Socket::INET;
use POSIX ();
use Socket ();
use Test::More ();
use Time::HiRes ();

use constant {
    FIRST_PORT   => 20000,
    LAST_PORT    => 32000,    # below what the kernel hands out by itself
    PORTS_A_FILE => 20,
    WORKER_USER  => 'www-data',
    QUIT_CAP     => 15,       # seconds until a server must be gone
    REQUEST_CAP  => 20,       # seconds until a block's request has an answer
};

our $ROOT = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');

# the folder of this file and the processes which serve it
our $DIR;

# nginx itself, also where TEST_NGINX_BINARY is a script around it
our $NGINX;

our ($PORTAL, $SHOP, $UPSTREAM);
our @PORTALS;

my $owner = $$;
my %reset_with;
my $port_lock;
my $next_port;
my $queues = 0;
my $failures = 0;

# the block whose server is running or has just quit
my $watched;


sub import {
    my ($class, %option) = @_;

    chdir $ROOT or die "cannot go to $ROOT: $!\n";

    make_folder();
    B24::Secrets::folder($DIR);
    choose_ports();
    choose_worker();
    choose_nginx($option{module});
    new_queue();
    start_helpers(\%option);

    # of a machine that stands still for a moment
    $ENV{TEST_NGINX_TIMEOUT} ||= REQUEST_CAP;

    # the runner reads the environment as it is loaded
    unshift @INC, "$ROOT/t/lib/runner" if !eval {
        require Test::Nginx::Socket;
        1;
    };
    require Test::Nginx::Socket;
    require B24::Scenario;

    Test::Nginx::Util::add_block_preprocessor(\&before_block);
    Test::Nginx::Util::add_cleanup_handler(\&after_last_block);
    Test::Nginx::Socket::add_response_body_check(\&run_scenario);

    no strict 'refs';

    my $caller = caller;
    *{"${caller}::$_"} = \&$_ for qw(portal shop upstream);
}

sub portal {
    my ($n) = @_;

    return $PORTALS[($n // 1) - 1];
}

sub shop {
    return $SHOP;
}

sub upstream {
    return $UPSTREAM;
}


# ---- the file's surroundings ---------------------------------------------

# build/t/NAME.PID; what files that are over have left there is removed when
# they are run again.
sub make_folder {
    my $name = File::Basename::basename($0, '.t');

    for my $dir (glob "$ROOT/build/t/$name.*") {
        my ($pid) = $dir =~ /\.(\d+)$/;
        File::Path::remove_tree($dir) if $pid && !is_alive($pid);
    }

    $DIR = "$ROOT/build/t/$name.$$";
    File::Path::make_path($DIR);

    $ENV{TEST_NGINX_ROOT} = $ROOT;
    $ENV{TEST_NGINX_PRESETS} = "$ROOT/ngx_http_b24_module/shops";
    $ENV{TEST_NGINX_DIR} = $DIR;
    $ENV{TEST_NGINX_SERVROOT} = "$DIR/servroot";
}

sub port_is_free {
    my ($port) = @_;

    return defined IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Proto => 'tcp', Listen => 1, ReuseAddr => 1);
}

# A range of ports is ours while we hold an abstract socket named after it,
# so that files running at the same time never share one, in whatever
# checkout.
sub choose_ports {
    my $ranges = int((LAST_PORT - FIRST_PORT) / PORTS_A_FILE);

    for my $try (0 .. $ranges - 1) {
        my $base = FIRST_PORT + PORTS_A_FILE * (($$ + $try) % $ranges);

        socket $port_lock, Socket::AF_UNIX(), Socket::SOCK_STREAM(), 0
            or die "cannot make a socket: $!\n";
        next if !bind $port_lock,
                      Socket::pack_sockaddr_un("\0b24-test-ports-$base");
        next if grep { !port_is_free($_) } $base .. $base + PORTS_A_FILE - 1;

        $ENV{"TEST_NGINX_$_"} = $base
            for qw(PORT SERVER_PORT CLIENT_PORT);
        $ENV{"TEST_NGINX_PORT_$_"} = $base + $_ for 1 .. 9;
        $next_port = $base + 10;
        return;
    }

    die "no free range of ports\n";
}

# One more port of our range.
sub free_port {
    my $port = $next_port++;

    die "no port left\n" if $port >= $ENV{TEST_NGINX_PORT} + PORTS_A_FILE;

    return $port;
}

# Workers run as an ordinary user when we are root and that user can reach
# the folder; it owns the queue.
sub choose_worker {
    return if $> != 0 || $ENV{TEST_NGINX_WORKER_USER};

    my @path = split m{/}, $DIR;

    for my $last (1 .. $#path) {
        my $mode = (stat join '/', @path[0 .. $last])[2];
        return if !($mode & 01);
    }

    $ENV{TEST_NGINX_WORKER_USER} = WORKER_USER if getpwnam WORKER_USER;
}

sub worker_ids {
    my $user = $> == 0 ? $ENV{TEST_NGINX_WORKER_USER} : undef;

    return ($>, $) + 0) if !defined $user;

    ($user) = split ' ', $user;
    my (undef, undef, $uid, $gid) = getpwnam $user;

    return ($uid, $gid);
}

sub new_queue {
    my $queue = "$DIR/queue-" . ++$queues;

    mkdir $queue, 0700 or die "cannot make $queue: $!\n";
    chown worker_ids(), $queue;

    $ENV{TEST_NGINX_QUEUE} = $queue;
}

sub choose_nginx {
    my ($module) = @_;

    $ENV{TEST_NGINX_BINARY} ||= first_executable(
        map { "$_/nginx" } '/usr/sbin', split /:/, $ENV{PATH});
    $NGINX = $ENV{TEST_NGINX_BINARY};

    my $build = $ENV{B24_ASAN} ? 'build/asan' : 'build';

    $module //= $ENV{B24_MODULE} // "$build/ngx_http_b24_module.so";

    # nginx would look for it under its prefix
    $module = "$ROOT/$module" if $module =~ m{^[^/]};

    # the file may need other modules as well
    $ENV{TEST_NGINX_LOAD_MODULES}
        = join ' ', grep { length }
                    $ENV{TEST_NGINX_LOAD_MODULES} // '', $module;

    $ENV{TEST_NGINX_BINARY} = sanitized_nginx() if $ENV{B24_ASAN};
    $ENV{TEST_NGINX_BINARY} = watched_nginx() if $ENV{B24_VALGRIND};
}

sub first_executable {
    for my $path (@_) {
        return $path if -x $path;
    }

    die "nginx isn't installed\n";
}

# nginx itself is built without the sanitizers, so their libraries have to be
# there before anything else: a script in nginx's place sees to it.  Behind them
# comes the checker of locks, which the module asks (lock_check.c).
sub sanitized_nginx {
    my @libraries = map { my $path = `gcc -print-file-name=$_`;
                          chomp $path;
                          $path } qw(libasan.so libubsan.so);

    push @libraries, "$ROOT/build/asan/lock_check.so";

    my $script = "$DIR/nginx-asan";

    open my $out, '>', $script or die "cannot write $script: $!\n";
    print $out <<"EOS";
#!/bin/sh
# leaks: nginx's pools live until the end, and its core leaks by design; each
# dynamic module has its ngx_modules[], as nginx has
ASAN_OPTIONS="detect_leaks=0:detect_odr_violation=0:\$ASAN_OPTIONS"
UBSAN_OPTIONS="print_stacktrace=1:\$UBSAN_OPTIONS"
LD_PRELOAD="@libraries"
export ASAN_OPTIONS UBSAN_OPTIONS LD_PRELOAD
exec $ENV{TEST_NGINX_BINARY} "\$@"
EOS
    close $out or die "cannot write $script: $!\n";
    chmod 0755, $script;

    return $script;
}

# Each process writes a log of its own, which is empty when all is well; what is
# still reachable at the end isn't told, since nginx frees no pool of its cycle.
sub watched_nginx {
    my $script = "$DIR/nginx-valgrind";

    mkdir "$DIR/valgrind", 0777 or die "cannot make a folder: $!\n";
    chmod 0777, "$DIR/valgrind";

    open my $out, '>', $script or die "cannot write $script: $!\n";
    print $out <<"EOS";
#!/bin/sh
exec valgrind --quiet --keep-debuginfo=yes --num-callers=25 --leak-check=full \\
    --show-leak-kinds=definite --errors-for-leak-kinds=definite \\
    --suppressions="$ROOT/t/suppress/valgrind.supp" \\
    --log-file="$DIR/valgrind/%p.log" $ENV{TEST_NGINX_BINARY} "\$@"
EOS
    close $out or die "cannot write $script: $!\n";
    chmod 0755, $script;

    return $script;
}

# What valgrind has told of processes that are gone.
sub valgrind_lines {
    my @lines;

    for my $path (glob "$DIR/valgrind/*.log") {
        my ($pid) = $path =~ /(\d+)\.log$/;

        next if is_alive($pid);

        push @lines, split /^/, slurp($path);
        unlink $path;
    }

    return @lines;
}

sub start_helpers {
    my ($option) = @_;

    if (my $args = $option->{portal} || $option->{portal_tls}) {
        require B24::PortalProcess;

        my %args = (ref $args ? %$args : (),
                    $option->{portal_tls} ? (tls => 1) : ());

        for my $n (1 .. $option->{portals} // 1) {
            my $portal = B24::PortalProcess->new(%args);
            my $suffix = $n == 1 ? '' : "_$n";

            push @PORTALS, $portal;
            $reset_with{$portal} = { config => $args{config} }
                if $args{config};

            $ENV{"TEST_NGINX_PORTAL_PORT$suffix"} = $portal->port;
            $ENV{"TEST_NGINX_PORTAL_URL$suffix"} = $portal->url;
        }

        ($PORTAL) = @PORTALS;

        # a file that ends early has not been asked yet
        B24::PortalProcess->before_end(sub {
            check_canary($watched) if $$ == $owner;
        });

        if ($option->{portal_tls}) {
            $ENV{TEST_NGINX_PORTAL_CA} = $PORTAL->ca;
            $ENV{TEST_NGINX_PORTAL_TLS_URL} = $PORTAL->tls_url;
            $ENV{TEST_NGINX_PORTAL_TLS_PORT} = $PORTAL->tls_port;
        }
    }

    if (my $args = $option->{shop}) {
        require B24::Shop;

        $SHOP = B24::Shop->start("$DIR/shop", ref $args ? %$args : ());

        $ENV{TEST_NGINX_FPM_SOCKET} = $SHOP->socket;
        $ENV{TEST_NGINX_SHOP_ROOT} = $SHOP->docroot;
        $ENV{TEST_NGINX_SHOP_SCRIPT} = $SHOP->script;
        $ENV{TEST_NGINX_SHOP_RULES} = $SHOP->rules;
    }

    if (my $names = $option->{upstream}) {
        require B24::Replay;

        my @folders = map { "$ROOT/t/recordings/$_" }
                          grep { $_ ne '1' } ref $names ? @$names : $names;
        my $lanes = $option->{lanes} // 2;

        $UPSTREAM = B24::Replay->start(folders => \@folders, dir => $DIR,
            ports => [ map { free_port() } 0 .. $lanes ]);

        $ENV{TEST_NGINX_UPSTREAM_PORT} = $UPSTREAM->port(0);
        $ENV{"TEST_NGINX_UPSTREAM_PORT_$_"} = $UPSTREAM->port($_)
            for 0 .. $lanes - 1;
    }
}


# ---- blocks --------------------------------------------------------------

# Before the runner looks at a block: the previous server quits and its log
# is judged, then the block's surroundings are made.
sub before_block {
    my ($block) = @_;

    my $before = $watched;

    # without a configuration it goes on with the running server
    if (defined scalar $block->config) {
        my $keep = defined scalar $block->keep_state;

        let_go($keep);
        after_server();

        if (!$keep) {
            # a server that was about to quit may have sent something still
            let_go();
            new_queue();
        }

        if (defined scalar $block->before) {
            eval $block->before;
            die $block->name . ": before: $@" if $@;
        }
    }

    check_canary($before);
    $watched = $block;

    return if !defined scalar $block->scenario;
    return if defined $block->request || defined $block->raw_request
              || defined $block->pipelined_requests;

    $block->set_value(config => $block->config
                      . "\nlocation = /b24-ready { return 204; }\n");
    $block->set_value(request => 'GET /b24-ready');
    $block->set_value(error_code => 204);
}

# A worker that quits stays until it knows how its last requests went: nothing
# may be held back any more.
sub let_go {
    my ($keep) = @_;

    for my $helper (@PORTALS, grep { defined } $UPSTREAM) {
        $keep ? $helper->release
              : $helper->reset(%{$reset_with{$helper} // {}});
    }
}

# After each answer; a scenario runs once per repeat, after the first.
sub run_scenario {
    my ($block, $body, $index, $repeat) = @_;

    my $code = $block->scenario;

    return if !defined $code || $index > 0;

    Test::More::subtest($block->name . ' - scenario', sub {
        B24::Scenario::run($code);
    });
}


# ---- servers that have quit ----------------------------------------------

sub pid_file {
    return "$ENV{TEST_NGINX_SERVROOT}/logs/nginx.pid";
}

sub read_pid {
    open my $in, '<', pid_file() or return undef;
    my $pid = <$in>;

    return defined $pid && $pid =~ /^(\d+)$/ ? $1 : undef;
}

# A zombie has ended; process 1 may take seconds to collect it.
sub is_alive {
    my ($pid) = @_;

    return 0 if !kill 0, $pid;

    open my $in, '<', "/proc/$pid/stat" or return 0;
    my $stat = <$in> // '';

    return $stat !~ /\) Z /;
}

# Processes, other than this one, which hold a file of the server's folder.
sub holders {
    my ($folder) = @_;
    my @pids;

    for my $proc (glob '/proc/[0-9]*') {
        my ($pid) = $proc =~ /(\d+)$/;
        next if $pid == $$ || $pid == $owner;

        push @pids, $pid if grep { index(readlink($_) // '', "$folder/") == 0 }
                                 glob "$proc/fd/*";
    }

    return @pids;
}

# Waits for a condition; true when it came to hold within $cap seconds.
sub wait_until {
    my ($condition, $cap) = @_;
    my $begin = Time::HiRes::time();

    while (!$condition->()) {
        my $waited = Time::HiRes::time() - $begin;

        return 0 if $waited > $cap;

        # to look at all processes costs more than most quits take
        Time::HiRes::sleep($waited < 0.2 ? 0.01 : $waited < 1 ? 0.05 : 0.1);
    }

    return 1;
}

sub after_last_block {
    return if $$ != $owner || !$watched;

    my $block = $watched;

    let_go();
    after_server();
    check_canary($block);
}

# What nobody has any business with is as it was: a portal remembers over its
# resets what was done to it.
sub check_canary {
    my ($block) = @_;

    my $name = $block ? $block->name : $0;

    for my $portal (grep { $_->pid } @PORTALS) {
        my @spoiled = eval { $portal->spoiled };

        push @spoiled, "the emulator doesn't answer: $@" if $@;
        next if !@spoiled;

        report("$name - other people's records at the portal", @spoiled);
        eval { $portal->forgive };
    }
}

# Ends the running server the polite way and judges what it left.  A reloaded
# server goes on; then only its log is looked at.
sub after_server {
    return if $$ != $owner || !$watched;

    my $block = $watched;
    my $folder = $ENV{TEST_NGINX_SERVROOT};
    no warnings 'once';
    my $keep = $Test::Nginx::Util::UseHup || $ENV{TEST_NGINX_NO_CLEAN};

    undef $watched;

    if (!$keep) {
        my $pid = read_pid();

        if ($pid && is_alive($pid)) {
            kill 'QUIT', $pid;
            wait_until(sub { !is_alive($pid) }, QUIT_CAP);
        }

        check_leftovers($block, $folder);
    }

    my @bad = bad_lines($block, "$folder/logs/error.log");

    report($block->name . ' - nothing alarming in error.log', @bad) if @bad;

    @bad = $ENV{B24_VALGRIND} ? valgrind_lines() : ();

    report($block->name . ' - nothing that valgrind tells', @bad) if @bad;

    check_discretion($block);
}

# Logs that were looked through: device, inode and size by path.
my %looked;

# All logs below the file's folder: also those of servers that a test has
# started by itself.  The twin of B24::SideBySide has no module to answer for.
sub check_discretion {
    my ($block) = @_;

    B24::Secrets::note_block($block);
    B24::Secrets::take_sent();
    B24::Secrets::note_config(slurp($_))
        for glob("$DIR/*/conf/*.conf"), glob("$DIR/*/html/*.conf"),
            glob("$DIR/secret*");

    my @found;

    for my $path (glob("$DIR/*/logs/*.log"), glob("$DIR/*/output")) {
        next if $path =~ m{^\Q$DIR\E/twin/};

        my ($device, $inode, $size) = (stat $path)[0, 1, 7];
        next if !$size;

        my $state = "$device $inode $size";
        next if ($looked{$path} // '') eq $state;

        $looked{$path} = $state;
        push @found, B24::Secrets::look_through($path);
    }

    report($block->name . ' - nothing private in a log', @found) if @found;
}

sub slurp {
    my ($path) = @_;

    open my $in, '<:raw', $path or return '';
    local $/;

    return <$in> // '';
}

sub check_leftovers {
    my ($block, $folder) = @_;

    return if wait_until(sub { !holders($folder) }, QUIT_CAP);

    my @left = holders($folder);

    report($block->name . ' - no process stays behind',
           map { "process $_: " . command_of($_) } @left);

    kill 'KILL', @left;
    wait_until(sub { !holders($folder) }, 5);
    unlink pid_file();
}

sub command_of {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/cmdline" or return 'gone';
    local $/;
    my $command = <$in> // '';
    $command =~ tr/\0/ /;

    return $command;
}

# A failure on top of the planned subtests.
sub report {
    my ($label, @lines) = @_;

    my $builder = Test::More->builder;

    $failures++;
    $builder->no_ending(1);
    $builder->ok(0, $label);
    $builder->diag(join "\n", map { my $line = $_; chomp $line; $line }
                                  @lines[0 .. ($#lines < 40 ? $#lines : 40)]);
}

sub bad_lines {
    my ($block, $path) = @_;

    open my $in, '<', $path or return;

    my @expected = map { ref $_ eq 'ARRAY' ? @$_
                         : ref $_ ? $_
                         : grep { length } split /\n/, $_ }
                   grep { defined } scalar $block->error_log,
                                    scalar $block->expected_alert;

    # a killed process may have held a lock, which the master then takes back
    push @expected, qr/shared memory zone "\S+" was locked by \d+/
        if grep { !ref && /exited on signal 9/ } @expected;

    my $may_die = defined scalar $block->must_die;
    my @bad;

    # a report of a sanitizer goes on until the end of its stack
    my $in_report = 0;

    while (my $line = <$in>) {
        $in_report = 1 if $line =~ /Sanitizer|runtime error:/;
        $in_report = 0 if $line =~ m{^\d+/\d+/\d+ \d+:\d+:\d+ \[};

        if ($in_report) {
            push @bad, $line;
            next;
        }

        next if $line !~ /\[alert\]|\[emerg\]/;
        next if $may_die && $line =~ /\[emerg\]/;
        next if grep { ref $_ ? $line =~ $_ : index($line, $_) >= 0 }
                     @expected;

        push @bad, $line;
    }

    return @bad;
}

END {
    if ($$ == $owner && defined $DIR) {
        local $?;

        $_->stop for (grep { defined } $UPSTREAM, $SHOP), @PORTALS;

        my $passed = Test::More->builder->is_passing && !$failures;

        File::Path::remove_tree($DIR) if $passed && !$ENV{B24_KEEP};
    }
}

1;
