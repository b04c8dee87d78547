package B24::Scenario;

# For what request and answer sections can't tell: reloads under traffic,
# answers compared while something else is held, a server that quits.  A
# block's --- scenario is Perl code that runs while the block's nginx does;
# it may use Test::More's functions and those below, all bounded in time.
# It is one subtest of the block.
#
#   --- scenario
#       my $answer = post('/checkout', 'a=b');
#       is($answer->{status}, 200, 'accepted');
#       reload();
#       ok(wait_until(sub { portal()->report->{deals} }), 'a deal');

use strict;
use warnings;

use B24::Client qw(parallel request_bytes);
use B24::Test ();
use File::Path ();
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

use constant CAP => 20;    # seconds, of every wait

my @helpers = qw(
    client error_log error_log_lines exchange get is_alive master_pid
    parallel_requests port portal post queue_dir quit reload request_bytes
    remove_queue shop signal_master start_again start_preloaded start_traffic
    upstream wait_until worker_pids
);


sub run {
    my ($code) = @_;

    # all scenarios share one package, their variables are lexical
    no strict 'refs';
    no warnings 'redefine';

    *{"B24::Scenario::Code::$_"} = \&$_ for @helpers;

    my $done = eval "package B24::Scenario::Code;"
                    . ' use strict; use warnings; use Test::More;'
                    . "\n#line 1 \"scenario\"\n$code\n;1";

    Test::More::fail("the scenario ended early: $@") if !$done;
    Test::More::pass('the scenario ran to its end') if $done;
}

sub portal {
    return B24::Test::portal(@_);
}

sub shop {
    return B24::Test::shop();
}

sub upstream {
    return B24::Test::upstream();
}

sub queue_dir {
    return $ENV{TEST_NGINX_QUEUE};
}

# Deletes the queue's folder, at once: a worker may be about to make its files
# there, and a folder isn't deleted while it holds one.
sub remove_queue {
    my $dir = queue_dir();

    rename $dir, "$dir.gone" or die "cannot move $dir: $!\n";
    File::Path::remove_tree("$dir.gone");
    die "$dir.gone is still there\n" if -e "$dir.gone";
}

# The port of the block's server.
sub port {
    return $ENV{TEST_NGINX_CLIENT_PORT};
}


# ---- requests ------------------------------------------------------------

# A connection to the block's server, or to another port: a B24::Client.
sub client {
    my ($port) = @_;

    return B24::Client->new(port => $port // port());
}

# Sends bytes, reads until the server closes.
sub exchange {
    my ($bytes, $port) = @_;

    my $client = client($port);

    $client->send($bytes);

    return $client->until_eof;
}

# One request on a connection of its own; returns status, head, body, raw.
sub post {
    my ($target, $body, @headers) = @_;

    push @headers, 'Content-Type', 'application/x-www-form-urlencoded'
        if !grep { lc eq 'content-type' } @headers;

    my $client = client();

    $client->send(request_bytes('POST', $target, $body, @headers));

    return $client->response;
}

sub get {
    my ($target, @headers) = @_;

    my $client = client();

    $client->send(request_bytes('GET', $target, undef, @headers));

    return $client->response;
}

# All requests (bytes that ask to close) at the same time; returns raw
# answers in order.
sub parallel_requests {
    return parallel(port(), @_);
}

# Requests one after another from `clients` (2) processes until stopped.
#
#   my $traffic = start_traffic(sub { my ($n) = @_; return $bytes });
#   ...
#   my @results = $traffic->stop;       # [n, status], 0: no whole answer
#
# n is different for every request of all processes.
sub start_traffic {
    my ($make, %option) = @_;

    my $clients = $option{clients} // 2;
    my @children;

    for my $child (0 .. $clients - 1) {
        my $path = "$B24::Test::DIR/traffic-$$-" . time . "-$child";
        my $pid = fork // die "cannot fork: $!\n";

        if ($pid == 0) {
            eval { send_traffic($make, $path, $child, $clients) };
            warn $@ if $@;
            POSIX::_exit(0);
        }

        push @children, { pid => $pid, path => $path };
    }

    return bless { children => \@children }, 'B24::Scenario::Traffic';
}

sub send_traffic {
    my ($make, $path, $first, $step) = @_;

    open my $out, '>', $path or die "cannot write $path: $!\n";
    $out->autoflush(1);

    # asked by a file: a signal could cut a request short
    for (my $n = $first; !-e "$path.stop"; $n += $step) {
        my $status = eval {
            my $client = client();
            $client->send($make->($n));
            $client->response->{status};
        };

        print $out "$n " . ($status // 0) . "\n";
    }

    close $out;
}


# ---- the server ----------------------------------------------------------

sub is_alive {
    return B24::Test::is_alive(@_);
}

# Waits for a condition; returns its true value, or false after the cap
# (default 20 s).
sub wait_until {
    my ($condition, $cap) = @_;

    my $begin = time;
    my $end = $begin + ($cap // CAP);

    while (1) {
        my $value = $condition->();
        return $value if $value;

        my $now = time;

        return 0 if $now > $end;

        # what takes seconds is asked for less often: to look costs time that
        # whoever is waited for could use
        my $pause = ($now - $begin) / 20;

        sleep($pause < 0.02 ? 0.02 : $pause > 0.1 ? 0.1 : $pause);
    }
}

sub master_pid {
    return B24::Test::read_pid();
}

# Workers of the running configuration; with all => 1 also those on their
# way out.
sub worker_pids {
    my (%option) = @_;

    my $master = master_pid() // return;
    my @pids;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $state, $parent)
            = (<$in> // '') =~ /^(\d+) \(.*\) (\S) (\d+)/ or next;

        next if $parent != $master || $state eq 'Z';

        my $title = B24::Test::command_of($pid);

        next if $title !~ /worker process/;
        next if $title =~ /shutting down/ && !$option{all};

        push @pids, $pid;
    }

    return @pids;
}

sub signal_master {
    my ($signal) = @_;

    return kill $signal, master_pid() // die "nginx is not running\n";
}

# Reloads; returns when workers of the new configuration have taken over.
# (The old ones may still be busy: worker_pids(all => 1).)
sub reload {
    my @before = worker_pids();
    my %old = map { $_ => 1 } @before;

    signal_master('HUP');

    wait_until(sub {
        my @now = worker_pids();
        return @now >= @before && !grep { $old{$_} } @now;
    }) or die "the reload did not come to an end\n";
}

# Quits; true when all processes have ended within the cap.
sub quit {
    my ($cap, $signal) = @_;

    my $master = master_pid();

    signal_master($signal // 'QUIT');

    return wait_until(sub {
        return !is_alive($master)
               && !B24::Test::holders($ENV{TEST_NGINX_SERVROOT});
    }, $cap);
}

# nginx again, as the block has it; with a change of its configuration.
sub start_again {
    my ($change) = @_;

    my $root = $ENV{TEST_NGINX_SERVROOT};
    my $conf = "$root/conf/nginx.conf";

    if ($change) {
        my $text = B24::Recording::read_file($conf);

        $change->($text);
        $conf = "$root/conf/changed.conf";
        open my $out, '>', $conf or die "cannot write $conf: $!\n";
        print $out $text;
        close $out;
    }

    system($ENV{TEST_NGINX_BINARY}, '-e', "$root/logs/error.log", '-p',
           "$root/", '-c', $conf) == 0 or die "nginx does not start again\n";

    wait_until(sub { -s B24::Test::pid_file() })
        or die "nginx does not start again\n";
}

# nginx again, with t/lib/B24/NAME.c preloaded, which does what it does as long
# as the file is there whose name is returned; undef where that can't be had.
sub start_preloaded {
    my ($name) = @_;

    my $root = $ENV{TEST_NGINX_DIR};

    # the sanitizers' libraries have to be the first ones
    return if $ENV{B24_ASAN};
    return if system('gcc', '-shared', '-fPIC', '-O1', '-Wall', '-o',
                     "$root/$name.so", "t/lib/B24/$name.c") != 0;

    # for this one alone
    local $ENV{B24_PRELOAD} = "$root/$name";
    local $ENV{LD_PRELOAD} = "$root/$name.so";

    start_again();

    return $ENV{B24_PRELOAD};
}

sub error_log {
    open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
        or return '';
    local $/;

    return <$in> // '';
}

sub error_log_lines {
    my ($pattern) = @_;

    return grep { $_ =~ $pattern } split /^/, error_log();
}


package B24::Scenario::Traffic;

# Ends the processes after the request they are at; returns the results.
sub stop {
    my ($self) = @_;

    my @results;

    for my $child (@{$self->{children}}) {
        open my $out, '>', "$child->{path}.stop" or die "cannot stop: $!\n";
    }

    for my $child (splice @{$self->{children}}) {
        waitpid $child->{pid}, 0;

        open my $in, '<', $child->{path} or next;
        push @results, map { [split] } <$in>;
        unlink $child->{path}, "$child->{path}.stop";
    }

    return sort { $a->[0] <=> $b->[0] } @results;
}

# How many requests have been answered so far.
sub count {
    my ($self) = @_;

    my $count = 0;

    for my $child (@{$self->{children}}) {
        open my $in, '<', $child->{path} or next;
        $count++ while <$in>;
    }

    return $count;
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $@, $!);
    $self->stop if @{$self->{children}};
}

1;
