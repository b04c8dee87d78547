# Processes come and go, and so does the disk: whatever ends at whatever
# moment, the shop answers, no order is lost that was written down, and none
# arrives twice.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Orders;
use B24::Recording ();
use Fcntl qw(:flock :mode);
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes ();

use constant WORKERS => 4;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(WORKERS);
worker_connections(256);

our $http = B24::Orders::http();
our $server = B24::Orders::server(more => 'add_header X-Worker $pid always;');

# what a block's "post_setup_server_root", which runs before nginx starts,
# leaves behind
our (@held, $mounted);

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_)
        for qw(all_gone courier fds files_of fill fill_and_place free_disk
               is_locked kill_all kill_worker knock own place_seen remount);
}

END {
    system 'umount', '-l', $mounted if $mounted;
}


# ---- processes -----------------------------------------------------------

# The pid of the elected courier, once there is a living one.
sub courier {
    my $pid;

    B24::Scenario::wait_until(sub {
        my @elected = B24::Scenario::error_log_lines(
                          qr/this worker delivers the orders/);

        return if !@elected;
        ($pid) = $elected[-1] =~ /\] (\d+)#/;
        return grep { $_ == $pid } B24::Scenario::worker_pids();
    }) or die "there is no courier\n";

    return $pid;
}

# Ends the master and all workers at once, as a power cut does.
sub kill_all {
    my $master = B24::Scenario::master_pid();
    my @pids = ($master, B24::Scenario::worker_pids(all => 1));

    # the master first, or it would start new workers
    kill 'KILL', @pids;

    B24::Scenario::wait_until(sub {
        return !grep { B24::Test::is_alive($_) } @pids;
    }) or die "nginx does not end\n";

    unlink B24::Test::pid_file();
}

sub all_gone {
    my (@pids) = @_;

    return B24::Scenario::wait_until(sub {
        return !grep { B24::Test::is_alive($_) } @pids;
    });
}

# An order; returns the pid of the worker that has served it.
sub place_seen {
    my ($n) = @_;

    my $answer = B24::Scenario::post('/checkout', order_json($n),
                                     'Content-Type' => 'application/json');

    die "the shop answers $answer->{status}\n" if $answer->{status} != 200;

    my ($pid) = B24::Recording::header_values($answer->{head}, 'X-Worker');

    return $pid;
}

# Ends a worker at once; nobody else by mistake.
sub kill_worker {
    my ($pid) = @_;

    die "$pid is no worker\n"
        if !grep { $_ == $pid } B24::Scenario::worker_pids(all => 1);

    kill 'KILL', $pid;
    all_gone($pid) or die "worker $pid does not end\n";
}

# What a process has open, except for what all have.
sub fds {
    my ($pid) = @_;

    return map { readlink // () } glob "/proc/$pid/fd/*";
}


# ---- the queue's folder --------------------------------------------------

sub queue_dir {
    return $ENV{TEST_NGINX_QUEUE};
}

# A folder for the queue at PATH, as the worker needs it.
sub own {
    my ($path) = @_;

    # a worker may be faster
    mkdir $path, 0700 or -d $path or die "cannot make $path: $!\n";
    chown B24::Test::worker_ids(), $path;
}

# Holds the courier's lock and its socket: nobody else is elected.
sub hold_courier {
    my $dir = queue_dir();

    open my $lock, '>', "$dir/courier.lock" or die "cannot lock: $!\n";
    chown B24::Test::worker_ids(), "$dir/courier.lock";
    flock $lock, LOCK_EX | LOCK_NB or die "cannot lock: $!\n";

    my $socket = IO::Socket::UNIX->new(Type => Socket::SOCK_DGRAM(),
                                       Local => "$dir/courier.sock")
        or die "cannot listen: $!\n";
    chown B24::Test::worker_ids(), "$dir/courier.sock";

    @held = ($lock, $socket);
}

# Whether somebody holds the lock at the place where all see it.
sub is_locked {
    open my $lock, '<', queue_dir() . '/courier.lock' or return 0;

    return !flock $lock, LOCK_EX | LOCK_NB;
}

# Whether somebody knocks at the held socket.
sub knock {
    my ($cap) = @_;

    return 0 if !IO::Select->new($held[1])->can_read($cap);

    recv $held[1], my $data, 64, 0;

    return 1;
}

# The files of a folder: { NAME => [mode, uid] }.
sub files_of {
    my ($dir) = @_;

    return { map { my @stat = lstat;
                   (m{([^/]+)$} => [S_IMODE($stat[2]), $stat[4],
                                    S_ISREG($stat[2])]) } glob "$dir/*" };
}

# The queue on a file system of its own, where that can be had.
sub mount_queue {
    my ($size) = @_;

    my ($uid, $gid) = B24::Test::worker_ids();
    my $dir = queue_dir();

    return if $> != 0;
    return if system("mount -t tmpfs -o size=$size,mode=0700,uid=$uid,gid=$gid"
                     . " b24-test '$dir' 2> /dev/null") != 0;
    $mounted = $dir;
}

sub remount {
    my ($how) = @_;

    system('mount', '-o', "remount,$how", $mounted) == 0
        or die "cannot remount\n";
}

sub free_disk {
    my ($dir) = @_;

    return if !$mounted;

    # lazily: whoever still is in there must not keep the test
    system 'umount', '-l', $mounted;
    undef $mounted;
}

# Leaves no space there.
sub fill {
    open my $out, '>', "$mounted/courier.filler" or die "cannot fill: $!\n";

    1 while syswrite $out, "\0" x 4096;
}

# An order that is delivered, then orders that the full disk refuses; returns
# the number of the last.
sub fill_and_place {
    B24::Scenario::Code::place(1);
    B24::Scenario::Code::delivered_once(1);
    fill();

    my $n = 1;

    B24::Scenario::wait_until(sub {
        return 0 if B24::Scenario::Code::place($n + 1) != 1;
        $n++;
        return B24::Scenario::error_log_lines(qr/cannot write the queue/);
    }) or die "the disk takes everything\n";

    B24::Scenario::Code::place($n + 1 .. $n + 10) == 10 or die "the shop is away\n";

    return $n + 10;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: whoever has committed an order knocks at the courier's door
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::hold_courier()
--- scenario
    is(place(1), 1, 'an order');
    ok(knock(20), 'a knock, with nobody elected and no tick that could');
    is(settled(1, 'accepted')->{state}, 'accepted', 'it waits');
    is(portal()->report->{counts}{arrived}, 0, 'nothing is sent');
    ok(!error_log_lines(qr/this worker delivers/), 'nobody else delivers');

    @main::held = ();
    delivered_once(1);
    ok(courier(), 'now somebody is elected');



=== TEST 2: the courier gets up at the knock
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $courier = courier();
    my ($n, $others) = (0, 0);
    my $start = time;

    # its own look for orders comes every fifth second only: eight orders
    # would take over half a minute
    while ($others < 8) {
        die "only the courier serves\n" if $n > 500;

        my $worker = place_seen(++$n);
        $others++ if $worker != $courier;
        portal()->wait_for(deal => "o-$n", rows => 2, journal => 0);
    }

    cmp_ok(time - $start, '<', 20, 'at once');
    is(courier(), $courier, 'by the same courier');
    delivered_once(1 .. $n);



=== TEST 3: what is open where
--- http_config eval
"proxy_cache_path $ENV{TEST_NGINX_DIR}/cache keys_zone=c:1m;" . $::http
--- config eval: $::server
--- scenario
    delivered_once(map { place_seen($_) && $_ } 1 .. 20);

    for my $round ('at first', 'after a reload') {
        my $courier = courier();
        my @workers = worker_pids();
        my $queue = queue_dir();

        is(scalar @workers, main::WORKERS, "workers $round");
        ok(wait_until(sub {
            return !grep { !grep({ $_ eq "$queue/queue.db" } fds($_)) }
                         @workers;
        }), 'each has the queue open');

        my %inode = map { $_ => scalar grep { $_ eq "$queue/courier.lock" }
                          fds($_) } @workers;
        is(scalar(grep { $_ != $courier
                         && grep { /eventpoll/ } fds($_) } @workers),
           main::WORKERS - 1, 'each its own events');
        is($inode{$courier}, 1, 'the courier holds the lock');

        is(scalar(grep { index($_, $queue) == 0 } fds(master_pid())), 0,
           'the master has nothing of it');

        # cache manager and cache loader are no workers
        for my $stat (glob '/proc/[0-9]*/stat') {
            my ($pid, $parent) = (eval { B24::Recording::read_file($stat) }
                                  // '') =~ /^(\d+) \(.*\) \S (\d+)/ or next;
            next if $parent != master_pid() || grep { $_ == $pid } @workers;
            next if !is_alive($pid);

            is(scalar(grep { index($_, $queue) == 0 } fds($pid)), 0,
               'a helper process has nothing of it');
        }

        reload() if $round eq 'at first';
        ok(all_gone(@workers), 'the old workers go')
            if $round eq 'at first';
    }



=== TEST 4: reload under traffic, again and again
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $traffic = start_traffic(sub {
        Time::HiRes::sleep(0.03);
        return order_bytes($_[0] + 1);
    });
    my @workers = worker_pids();

    for my $round (1 .. 4) {
        my $seen = $traffic->count;
        ok(wait_until(sub { $traffic->count > $seen + 15 }), 'traffic');
        reload();
    }

    my $seen = $traffic->count;
    ok(wait_until(sub { $traffic->count > $seen + 15 }), 'traffic');

    my @results = $traffic->stop;
    is(scalar(grep { $_->[1] != 200 } @results), 0, 'all are answered');
    cmp_ok(scalar @results, '>', 75, 'orders');
    delivered_once(map { $_->[0] + 1 } @results);
    ok(all_gone(@workers), 'no worker of the first generation is left');
    B24::Desk::count_is('duplicate', 0, 'none came twice');



=== TEST 5: an exchange that began before the reload
--- http_config eval: $::http
--- config eval
$::server =~ s/PORT_1/UPSTREAM_PORT/r
--- scenario
    upstream()->script(target => '^/checkout', hold => 1, status => 200,
                       headers => [['Content-Type', 'application/json']],
                       body => '{"ok":true}');

    my $client = client();
    my @workers = worker_pids();

    $client->send(order_bytes(1));
    ok(scalar upstream()->wait_for(state => 'held'), 'the shop works on it');

    reload();
    my $courier = courier();
    ok(!grep({ $_ == $courier } @workers), 'a new worker delivers');
    ok(wait_until(sub { 1 == grep { is_alive($_) } @workers }),
       'an old one stays for it');

    upstream()->release;
    is($client->response->{status}, 200, 'the shop answers');
    $client->close;
    delivered_once(1);
    ok(all_gone(@workers), 'the old worker goes');



=== TEST 6: reload while the portal hangs
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    place(1);
    portal()->wait_for(held => 1);

    my $courier = courier();
    my @workers = worker_pids();

    reload();
    ok(is_alive($courier), 'the old courier waits for its answer');
    ok(all_gone(grep { $_ != $courier } @workers), 'the others go');
    is(place(2 .. 5), 4, 'new orders');

    portal()->release;
    ok(all_gone($courier), 'it goes with the answer');
    delivered_once(1 .. 5);
    is(record(1)->{attempts}, 1, 'which was enough');
    isnt(courier(), $courier, 'another one delivers');



=== TEST 7: TERM while the portal hangs
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    place(1);
    portal()->wait_for(held => 1);
    # fewer than go together
    place(2 .. 4);

    ok(quit(10, 'TERM'), 'nobody waits for the portal');
    start_again();
    delivered_once(1 .. 4);
    is(record(1)->{attempts}, 2, 'the interrupted one was looked up');
    is(record(2)->{attempts}, 1, 'the others are sent once');



=== TEST 8: TERM right after the answer: what was accepted is written down
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # so that nothing can be committed before the end
    my $lock = lock_queue();

    is(place(1 .. 10), 10, 'orders');
    signal_master('TERM');
    unlock_queue($lock);
    ok(wait_until(sub { !eval { client(); 1 } }), 'it serves no more');
    ok(wait_until(sub { !B24::Test::holders($ENV{TEST_NGINX_SERVROOT}) }),
       'all gone');

    start_again();
    delivered_once(1 .. 10);



=== TEST 9: worker_shutdown_timeout ends what hangs
--- main_config
    worker_shutdown_timeout 300ms;
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    place(1);
    portal()->wait_for(held => 1);
    place(2);

    ok(quit(10), 'a quit in time');
    is(scalar(error_log_lines(qr/left in connection/)), 0, 'nothing is left');
    start_again();
    delivered_once(1, 2);



=== TEST 10: the courier dies while it looks up: its order is free at once
--- http_config eval
B24::Orders::http(retry => 'first=100ms max=500ms unknown=10m')
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    portal()->fault(kind => 'hang_before',
                    method => 'crm\.duplicate\.findbycomm');
    place(1);
    portal()->wait_for(held => 1);
    place(2);
    settled(2, 'accepted');

    my $courier = courier();
    kill_worker($courier);
    isnt(courier(), $courier, 'another one is elected');
    delivered_once(1, 2);
    is(record(1)->{attempts}, 2, 'once more from the start');
    is(record(2)->{attempts}, 1, 'the next one as usual');



=== TEST 11: the courier dies after it has sent a write: it is looked up later
--- http_config eval
B24::Orders::http(retry => 'first=100ms max=500ms unknown=2s')
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');

    my $begin = Time::HiRes::time();

    place(1);
    portal()->wait_for(held => 1);

    kill_worker(courier());
    place(2);
    delivered_once(1, 2);

    my ($write) = grep { $_->{kind} eq 'write' } journal();
    my ($again) = grep { $_->{seq} > $write->{seq}
                         && join(' ', values %{$_->{params}{cmd}}) =~ /o-1\b/ }
                  journal();
    my ($other) = grep { join(' ', values %{$_->{params}{cmd}}) =~ /o-2\b/ }
                  journal();
    is($again->{kind}, 'look', 'it was looked up');
    cmp_ok($other->{seq}, '<', $again->{seq}, 'others need not wait for it');
    cmp_ok($again->{at} - $begin, '>=', 1.95,
           'when the portal could no more be at work on it');



=== TEST 12: the portal works on a request whose sender is dead
--- http_config eval
B24::Orders::http(retry => 'first=100ms max=500ms unknown=2s')
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    portal()->fault(kind => 'hang_before', method => 'crm\.deal\.add');
    place(1);
    portal()->wait_for(held => 1);

    my $courier = courier();
    kill_worker($courier);
    isnt(courier(), $courier, 'another one is elected');
    is(portal()->report->{counts}{deals}, 0, 'there is no deal yet');
    portal()->release;
    delivered_once(1);
    is(scalar(grep { join(' ', values %{$_->{params}{cmd}}) =~ /deal\.add/ }
                   journal()), 1, 'created by the dead one');



=== TEST 13: all processes die at once
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # one alone, and the others, which go together
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add',
                    times => 0);
    place(1);
    portal()->wait_for(held => 1);
    place(2 .. 20);
    portal()->wait_for(held => 2);

    kill_all();
    portal()->clear_faults;
    start_again();
    delivered_once(1 .. 20);
    is(record(1)->{attempts}, 2, 'the interrupted one was looked up');



=== TEST 14: couriers die one after another while orders come
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    my %orders_of;

    for my $n (1 .. 60) {
        push @{$orders_of{place_seen($n)}}, $n;
        kill_worker(courier()) if $n % 10 == 5;
    }

    # answered, and the answer not yet committed when the worker died: nothing
    # is written down of such an order, or that its answer was not seen.  It can
    # only be the last ones of a dead worker
    my %alive = map { $_ => 1 } worker_pids();
    my (@kept, @lost);

    settled(60);

    for my $pid (sort keys %orders_of) {
        my @orders = @{$orders_of{$pid}};
        my @end;

        while (@orders && !$alive{$pid}) {
            my $record = record($orders[-1]);

            last if $record && $record->{state} ne 'unconfirmed';
            unshift @end, pop @orders;
        }

        push @kept, @orders;
        push @lost, @end;
    }

    cmp_ok(scalar @lost, '<=', 10, 'few are lost') or diag("@lost");
    delivered_once(sort { $a <=> $b } @kept);
    note("not written down when their worker died: @lost") if @lost;



=== TEST 15: a worker dies between the answer and the commit
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    is(place(1 .. 5), 5, 'orders');
    delivered_once(1 .. 5);

    # what is in its memory goes with it, as long as requests aren't written
    # down before the shop answers; nothing else may
    my $lock = lock_queue();
    my $worker = place_seen(6);

    kill_worker($worker);
    unlock_queue($lock);

    is(place(7 .. 12), 6, 'more orders');
    settled($_) for 7 .. 12;
    delivered_once(1 .. 5, record(6) ? 6 : (), 7 .. 12);
    is(B24::Desk::counter('held'), 0, 'nor does the page count it any more');



=== TEST 16: logs are reopened
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $log = "$ENV{TEST_NGINX_SERVROOT}/logs/error.log";

    place(1);
    delivered_once(1);
    rename $log, "$log.1" or die;
    signal_master('USR1');
    ok(wait_until(sub { -e $log }), 'a new log');

    ok(wait_until(sub {
        return !grep { grep { $_ eq "$log.1" } fds($_) } worker_pids();
    }), 'all workers use it');
    place(2 .. 4);
    delivered_once(1 .. 4);
    ok(wait_until(sub { error_log_lines(qr/b24: \S+ delivered as deal/) }),
       'deliveries are in it');
    unlike(B24::Recording::read_file("$log.1"), qr/\[alert\]/,
           'no alert in the old one');



=== TEST 17: another binary takes over
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    SKIP: {
        skip 'the new binary would lack the sanitizer', 1 if $ENV{B24_ASAN};

        my $old = master_pid();
        my @workers = worker_pids();
        my $traffic = start_traffic(sub {
            Time::HiRes::sleep(0.03);
            return order_bytes($_[0] + 1);
        });
        my $more = sub {
            my $seen = $traffic->count;
            return wait_until(sub { $traffic->count > $seen + 15 });
        };

        ok($more->(), 'traffic');
        kill 'USR2', $old;
        ok(wait_until(sub { my $pid = master_pid();
                            return $pid && $pid != $old
                                   && worker_pids() == main::WORKERS }),
           'a second master with its workers');
        ok($more->(), 'traffic for both');
        kill 'WINCH', $old;
        ok(all_gone(@workers), 'the old workers go');
        ok($more->(), 'traffic for the new ones');
        kill 'QUIT', $old;
        ok(all_gone($old), 'the old master goes');
        ok($more->(), 'traffic');

        my @results = $traffic->stop;
        is(scalar(grep { $_->[1] != 200 } @results), 0, 'all are answered');
        delivered_once(map { $_->[0] + 1 } @results);
    }



=== TEST 18: the folder cannot be written from the start
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: chmod 0500, main::queue_dir()
--- scenario
    SKIP: {
        skip 'the workers run as root', 1
            if (B24::Test::worker_ids())[0] == 0;

        is(place(1 .. 60), 60, 'the shop answers');
        ok(wait_until(sub { error_log_lines(qr/cannot write the queue/) }),
           'the log says so');
        is(get('/plain')->{status}, 200, 'everything else is served');
        is(place(61 .. 80), 20, 'the shop answers');

        my @lines = error_log_lines(qr/\[(?:crit|error|alert|warn)\].*b24/);
        cmp_ok(scalar @lines, '<=', 3 * main::WORKERS, 'not a line for each')
            or diag(@lines);

        ok(wait_until(sub { B24::Desk::counter('held') == 80 }),
           'the page says how many are held');
        isnt(B24::Desk::status()->{queue}, 'ok', 'and why');

        chmod 0700, queue_dir() or die;
        delivered_once(1 .. 80);
        is(B24::Desk::counter('held'), 0, 'nothing is held any more');
        is(B24::Desk::counter('lost'), 0, 'nothing was lost');
    }



=== TEST 19: held orders and a reload
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: chmod 0500, main::queue_dir()
--- scenario
    SKIP: {
        skip 'the workers run as root', 1
            if (B24::Test::worker_ids())[0] == 0;

        my @workers = worker_pids();

        is(place(1 .. 10), 10, 'the shop answers');
        ok(wait_until(sub { error_log_lines(qr/cannot write the queue/) }),
           'the log says so');

        signal_master('HUP');
        ok(wait_until(sub {
            return (error_log_lines(qr/gracefully shutting down/))
                   >= main::WORKERS
        }), 'the old workers are told to go');

        chmod 0700, queue_dir() or die;
        ok(all_gone(@workers), 'they go');
        delivered_once(1 .. 10);
        is(B24::Desk::counter('lost'), 0, 'nothing was lost');
    }



=== TEST 20: the folder is deleted
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $courier = courier();

    place(1);
    delivered_once(1);

    remove_queue();
    is(place(2 .. 40), 39, 'the shop answers');

    SKIP: {
        my ($uid) = B24::Test::worker_ids();

        skip 'the workers can make the folder themselves', 2
            if $uid == 0 || $uid == (stat $ENV{TEST_NGINX_DIR})[4];

        ok(wait_until(sub { error_log_lines(qr/cannot write the queue/) }),
           'the log says so');

        my @lines = error_log_lines(qr/\[(?:crit|error|alert|warn)\].*b24/);
        cmp_ok(scalar @lines, '<=', 3 * main::WORKERS, 'not a line for each')
            or diag(@lines);
    }

    own(queue_dir());
    is(settled($_)->{state}, 'delivered', "order $_") for 2 .. 40;
    ok(wait_until(\&is_locked), 'the lock is where all see it');
    ok(wait_until(sub {
        !grep { m{/courier\.lock \(deleted\)$} } map { fds($_) } worker_pids()
    }), 'nobody holds another');
    place(41);
    settled(41);
    B24::Orders::once_at_portal(portal()->report, 1 .. 41);



=== TEST 21: who has lost the lock stops at its next tick
--- http_config eval: $::http
--- config eval: $::server
--- log_level: debug
--- scenario
    SKIP: {
        skip 'this nginx has no debug log', 1
            if qx($ENV{TEST_NGINX_BINARY} -V 2>&1) !~ /--with-debug/;

        # just elected: only now it doesn't look again for long, if ever
        my $first = courier();
        my $queue = queue_dir();

        rename $queue, "$queue.old" or die;
        own($queue);
        ok(wait_until(sub { courier() != $first }), 'another one is elected');
        ok(wait_until(sub { error_log_lines(qr/taken away, a worker/) }),
           'the first one has seen it');

        # its ticks between the two
        my ($other, $ticks) = (0, 0);
        for my $line (error_log_lines(qr/b24: |timer add: -1: 1000:/)) {
            my ($pid) = $line =~ /\] (\d+)#/;

            $other ||= $line =~ /this worker delivers/ && $pid != $first;
            $ticks++ if $other && $pid == $first && $line =~ /timer add/;
            last if $line =~ /taken away, a worker/;
        }
        cmp_ok($ticks, '<=', 1, 'at once');

        place(1);
        delivered_once(1);
    }



=== TEST 22: the folder is replaced, and comes back
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $queue = queue_dir();

    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    place(1);
    portal()->wait_for(held => 1);
    place(2);
    settled(2, 'accepted');

    rename $queue, "$queue.old" or die;
    own($queue);
    is(place(3 .. 6), 4, 'the shop answers');
    portal()->release;
    portal()->wait_for(deal => "o-$_", rows => 2) for 3 .. 6;

    # as from a backup: 1 is under way there, 2 is due
    rename $queue, "$queue.new" or die;
    rename "$queue.old", $queue or die;
    portal()->wait_for(deal => 'o-2', rows => 2, timeout => 30);
    B24::Orders::once_at_portal(portal()->wait_for(deals => 6,
                                                   stable_ms => 500), 1 .. 6);



=== TEST 23: only the database is replaced
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1);
    delivered_once(1);

    my $queue = queue_dir();
    rename "$queue/$_", "$queue/$_.old"
        for grep { -e "$queue/$_" } qw(queue.db queue.db-wal queue.db-shm);
    is(place(2 .. 5), 4, 'the shop answers');
    portal()->wait_for(deal => "o-$_", rows => 2) for 2 .. 5;
    B24::Orders::once_at_portal(portal()->wait_for(stable_ms => 300), 1 .. 5);
    is((stat "$queue/queue.db")[2] & 0777, 0600, 'a new one is there');



=== TEST 24: the disk is full, then it isn't
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        place(1);
        delivered_once(1);
        fill();

        my $n = 1;
        ok(wait_until(sub {
            return 0 if place($n + 1) != 1;
            $n++;
            return error_log_lines(qr/cannot write the queue/);
        }), 'the log says so');
        is(place($n + 1 .. $n + 40), 40, 'the shop answers');

        my @lines = error_log_lines(qr/\[(?:crit|error|alert|warn)\].*b24/);
        cmp_ok(scalar @lines, '<=', 3 * main::WORKERS + 2,
               'not a line for each') or diag(@lines);
        like("@lines", qr/no space|full/, 'what it is');
        like(B24::Desk::status()->{queue}, qr/can't be written/,
             'the JSON says so');
        like(get('/b24')->{body}, qr/cannot be written, .* memory: \d+\./,
             'and the page');

        unlink "$main::mounted/courier.filler" or die;
        delivered_once(1 .. $n + 40);
        is(B24::Desk::status()->{queue}, 'ok', 'the JSON is content');
        unlike(get('/b24')->{body}, qr/cannot be written/, 'and the page');
        is(B24::Desk::counter('lost'), 0, 'nothing was lost');
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 25: the disk is full, and nginx is reloaded, twice
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        my $n = fill_and_place();
        my @old = worker_pids();

        for my $round (1, 2) {
            my @workers = worker_pids();

            signal_master('HUP');
            ok(wait_until(sub {
                my %is = map { $_ => 1 } worker_pids();
                return %is && !grep { $is{$_} } @workers;
            }), "reload $round");
            is(place($n + 1 .. $n + 10), 10, 'the shop answers');
            $n += 10;
        }

        # three rounds of the retry, each of which fails
        my $errors = B24::Desk::counter('store_errors');

        ok(wait_until(sub {
            B24::Desk::counter('store_errors') >= $errors + 3 * main::WORKERS
        }), 'the disk goes on refusing');
        ok((grep { B24::Test::is_alive($_) } @old),
           'who has orders in memory stays');
        is(B24::Desk::counter('lost'), 0, 'nothing was lost');

        unlink "$main::mounted/courier.filler" or die;
        ok(all_gone(@old), 'and goes when they are written');
        delivered_once(1 .. $n);
        is(B24::Desk::counter('lost'), 0, 'nothing was lost');
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 26: the disk is full, and nginx quits
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        my $n = fill_and_place();
        my $master = master_pid();

        signal_master('QUIT');
        ok(wait_until(sub { error_log_lines(qr/gracefully shutting down/) }),
           'it is told to go');
        sleep 3;
        ok(B24::Test::is_alive($master), 'it stays');

        unlink "$main::mounted/courier.filler" or die;
        ok(all_gone($master), 'and goes when all is written');
        start_again();
        delivered_once(1 .. $n);
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 27: the disk is full, and a worker is killed: what went with it is told
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- expected_alert
order events in memory that the disk had refused
exited on signal 9
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        my $n = fill_and_place();

        # each who has some has tried
        my $errors = B24::Desk::counter('store_errors');
        ok(wait_until(sub {
            B24::Desk::counter('store_errors') >= $errors + 3 * main::WORKERS
        }), 'the disk goes on refusing');

        my $held = B24::Desk::counter('held');

        cmp_ok($held, '>', 0, 'orders are held');
        kill 'KILL', worker_pids();
        ok(wait_until(sub { B24::Desk::counter('lost') == $held }),
           'all of them are counted') or diag(B24::Desk::counter('lost'));

        my @lines = error_log_lines(qr/was killed with \d+ order events/);
        my ($told) = (0);

        $told += $_ for map { /with (\d+) order/ } @lines;
        is($told, $held, 'and told');

        unlink "$main::mounted/courier.filler" or die;
        is(place($n + 1), 1, 'the shop answers');
        ok(wait_until(sub {
            portal()->report->{counts}{deals} >= 2
        }), 'what comes then is delivered');
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 28: the disk is full when the portal answers
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
        place(1);
        portal()->wait_for(held => 1);
        fill();

        # what the log of the database has room for is used up
        my $n = 1;
        ok(wait_until(sub {
            return 0 if place($n + 1) != 1;
            $n++;
            return error_log_lines(qr/cannot write the queue/);
        }), 'the log says that the disk is full');

        portal()->release;
        ok(wait_until(sub { error_log_lines(qr/is not written down/) }),
           'and that the outcome cannot be written');

        my @lines = error_log_lines(qr/is not written down/);
        is(portal()->wait_for(stable_ms => 1500)->{counts}{deals}, 1,
           'nothing else is sent');
        cmp_ok(scalar(error_log_lines(qr/is not written down/)), '<=', 2,
               'it says so once');

        unlink "$main::mounted/courier.filler" or die;
        delivered_once(1 .. $n);
        is(record(1)->{attempts}, 1, 'nothing is sent twice');
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 29: the disk is full when an order is to be sent
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        portal()->fault(kind => 'hang_before',
                        method => 'crm\.duplicate\.findbycomm');
        place(1);
        portal()->wait_for(held => 1);
        fill();

        my $n = 1;
        ok(wait_until(sub {
            return 0 if place($n + 1) != 1;
            $n++;
            return error_log_lines(qr/cannot write the queue/);
        }), 'the log says that the disk is full');

        portal()->release;
        is(portal()->wait_for(stable_ms => 1500)->{counts}{deals}, 0,
           'what is not written down is not sent');

        unlink "$main::mounted/courier.filler" or die;
        delivered_once(1 .. $n);
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 30: the disk is mounted read-only, then it isn't
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::mount_queue('16m')
--- scenario
    SKIP: {
        skip 'no file system can be mounted here', 1 if !$main::mounted;

        place(1);
        delivered_once(1);

        # with the database open this is refused, so the workers go first
        quit();
        remount('ro');
        start_again();
        is(place(2 .. 20), 19, 'the shop answers');
        ok(wait_until(sub { error_log_lines(qr/cannot write the queue/) }),
           'the log says so');
        is(portal()->report->{counts}{deals}, 1, 'nothing is sent unwritten');

        remount('rw');
        delivered_once(1 .. 20);
        ok(quit(), 'quits');
    }
    free_disk();



=== TEST 31: whose files they are, also after nginx ran as root
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my ($uid) = B24::Test::worker_ids();
    my $queue = queue_dir();
    my $check = sub {
        my ($what) = @_;
        my $files = files_of($queue);

        is((stat $queue)[2] & 0777, 0700, "folder $what");
        is((stat $queue)[4], $uid, 'its owner');
        ok($files->{$_}, $_) for qw(queue.db queue.db-wal queue.db-shm
                                    courier.lock courier.sock);

        for my $name (sort keys %$files) {
            is($files->{$name}[1], $uid, "owner of $name");
            is($files->{$name}[0], 0600, "mode of $name")
                if $files->{$name}[2];
        }
    };

    place(1);
    delivered_once(1);
    $check->('at first');

    SKIP: {
        skip 'not run as root with workers as somebody else', 1
            if $> != 0 || $uid == 0;

        ok(quit(), 'quits');
        start_again(sub { $_[0] =~ s/^user\s[^;]*;/user root;/m
                              or die "no user\n" });
        place(2);
        delivered_once(1, 2);
        is((stat "$queue/queue.db")[4], 0, 'now they are root\'s');
        ok(quit(), 'quits');

        start_again();
        place(3);
        delivered_once(1 .. 3);
        $check->('in the end');
    }
