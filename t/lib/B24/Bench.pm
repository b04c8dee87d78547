package B24::Bench;

# For benchmarks: an nginx of their own, the client (t/bench/load.c), callgrind,
# and rows of the table that "./build.sh bench" prints.
#
#   my $bench = B24::Bench->new("orders");        # below build/bench/
#   my $nginx = $bench->nginx(without => { module => 0, http => TEXT });
#   my $load = $bench->load($port, requests => 5000, file => $path);
#   $bench->ratio("GET", base => [..], ours => [..], unit => '/s', least => .9);
#
# A row is one line on the standard output, fields apart by tabs, which
# t/bench/bench.pl makes a table of: ROW, what, unit, median, least and greatest
# value, of what it is a ratio, median, least and greatest ratio, the bound
# (">= 0.98"), "" or "ok" or "MISSED".  All other lines are said as they are.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    START_CAP => 180,              # seconds; valgrind is slow
    STOP_CAP  => 60,
};

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class, $name) = @_;

    my $self = bless { dir => "$ROOT/build/bench-run/$name-$$", nginx => [],
                       owner => $$ }, $class;

    make_path($self->{dir});
    $| = 1;
    $SIG{$_} = sub { exit 2 } for qw(INT TERM HUP);

    return $self;
}

sub root { return $ROOT }

sub dir {
    my ($self, $path) = @_;

    return defined $path ? "$self->{dir}/$path" : $self->{dir};
}

# Writes a file below the folder; returns its path.
sub put {
    my ($self, $path, $text) = @_;

    make_path(dirname("$self->{dir}/$path"));

    open my $out, '>', "$self->{dir}/$path" or die "cannot write $path: $!\n";
    binmode $out;
    print $out $text;
    close $out or die "cannot write $path: $!\n";

    return "$self->{dir}/$path";
}

sub text_of {
    my ($path) = @_;

    open my $in, '<', $path or return '';
    local $/;

    return <$in> // '';
}

# A port that nobody listens at.  All are found before any is used.
sub ports {
    my ($class, $n) = @_;

    my @sockets = map {
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
            or die "no port: $!\n"
    } 1 .. $n;

    return map { $_->sockport } @sockets;
}


# ---- nginx ---------------------------------------------------------------

# Starts one.  Options: http (lines for http{}), module (0: without ours),
# port (one that it listens at), workers (1), callgrind (a file for the
# counts: one process under valgrind), preload (a library), env (for it).
sub nginx {
    my ($self, $name, %option) = @_;

    my $dir = $self->dir($name);
    my $main = '';

    remove_tree($dir);
    make_path(map { "$dir/$_" } qw(logs temp));

    $main .= "load_module $ROOT/build/ngx_http_b24_module.so;\n"
        if $option{module} // 1;
    $main .= "user root;\n" if $> == 0;
    $main .= "master_process off;\n" if $option{callgrind};
    $main .= join '', map { "env $_;\n" } keys %{$option{env} // {}};

    my $workers = $option{workers} // 1;

    $self->put("$name/nginx.conf", <<"EOC");
${main}daemon off;
worker_processes $workers;
pid $dir/nginx.pid;
error_log $dir/logs/error.log warn;
events {
    worker_connections 1024;
}
http {
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 1h;
    client_body_buffer_size 64k;
    client_body_temp_path $dir/temp/body;
    proxy_temp_path $dir/temp/proxy;
    fastcgi_temp_path $dir/temp/fastcgi;
    uwsgi_temp_path $dir/temp/uwsgi;
    scgi_temp_path $dir/temp/scgi;
    fastcgi_buffers 16 32k;
$option{http}
}
EOC

    my @command = ('nginx', '-e', "$dir/logs/error.log", '-p', "$dir/", '-c',
                   "$dir/nginx.conf");

    unshift @command, 'valgrind', '--tool=callgrind', '--separate-threads=yes',
        "--callgrind-out-file=$option{callgrind}",
        "--log-file=$dir/valgrind.log" if $option{callgrind};

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        open STDOUT, '>', "$dir/output" or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        $ENV{LD_PRELOAD} = $option{preload} if $option{preload};
        %ENV = (%ENV, %{$option{env} // {}});
        exec @command or POSIX::_exit(127);
    }

    my $nginx = { pid => $pid, dir => $dir };
    push @{$self->{nginx}}, $nginx;

    wait_for(sub {
        die "nginx ended: " . text_of("$dir/output") . text_of(
            "$dir/logs/error.log") . "\n" if waitpid($pid, POSIX::WNOHANG) > 0;
        return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$option{port}");
    }, START_CAP) or die "nginx \"$name\" does not listen\n";

    return $nginx;
}

# Ends it and waits for it.
sub stop {
    my ($self, $nginx) = @_;

    return if !$nginx->{pid};

    # a single process that is about to wait for events may miss a signal

    my $gone = wait_for(sub {
        kill 'QUIT', $nginx->{pid};
        return waitpid($nginx->{pid}, POSIX::WNOHANG) != 0;
    }, STOP_CAP);

    if (!$gone) {
        kill 'KILL', children($nginx->{pid}), $nginx->{pid};
        waitpid $nginx->{pid}, 0;
    }

    delete $nginx->{pid};
    return;
}

sub children {
    my ($pid) = @_;

    return split ' ', text_of("/proc/$pid/task/$pid/children");
}

# Nanoseconds of processor time of the workers' threads so far.
sub cpu {
    my ($nginx) = @_;

    my $all = 0;

    for my $pid (children($nginx->{pid})) {
        for my $path (glob "/proc/$pid/task/*/schedstat") {
            $all += (split ' ', text_of($path) || '0')[0];
        }
    }

    return $all;
}

sub wait_for {
    my ($condition, $cap) = @_;

    my $until = time + $cap;

    while (1) {
        my $value = $condition->();

        return $value if $value;
        return 0 if time > $until;
        sleep 0.02;
    }
}

sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    local ($?, $@, $!);
    $self->stop($_) for @{$self->{nginx}};
    remove_tree($self->{dir}) if !$ENV{B24_BENCH_KEEP};
}


# ---- the client ----------------------------------------------------------

# Options: file, connections (1), requests, first (number of the first), word.
# Gives the counts and times that it prints, all answered.
sub load {
    my ($self, $port, %option) = @_;

    my @command = ("$ROOT/build/bench/load", "127.0.0.1:$port",
                   $option{connections} // 1, $option{requests},
                   $option{file}, $option{first} // 1, $option{word} // ());

    open my $out, '-|', @command or die "no client: $!\n";
    my $line = <$out> // '';
    close $out or die "the client failed: $line\n";

    my %got = $line =~ /(\w+)=([\d.]+)/g;

    die "$got{good} of $option{requests} answers are good: $line\n"
        if $got{good} != $option{requests} && !$option{refused};

    $got{rate} = $option{requests} / $got{seconds};

    return \%got;
}

# A whole request as the client takes it.
sub request {
    my ($method, $target, $body, @headers) = @_;

    my $text = "$method $target HTTP/1.1\r\nHost: shop.example.com\r\n"
        . "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"
        . " Gecko/20100101 Firefox/128.0\r\n"
        . "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
        . "Accept-Language: ru-RU,ru;q=0.8,en-US;q=0.5,en;q=0.3\r\n"
        . "Cookie: PHPSESSID=0123456789abcdef0123456789abcdef;"
        . " _ym_uid=1700000000000000000\r\n";

    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }

    $text .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;

    return "$text\r\n" . ($body // '');
}


# Records in the queue of that folder once there are as many; at the end of a
# minute those that there are.
sub stored {
    my ($class, $queue, $count) = @_;

    my $code = '$d = new SQLite3($argv[1]); $d->busyTimeout(20000); $n = 0;'
        . ' for ($i = 0; $i < 6000; $i++) {'
        . ' $n = $d->querySingle("SELECT count(*) FROM records");'
        . ' if ($n >= $argv[2]) break; usleep(10000); } echo $n;';

    open my $out, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$queue/queue.db", $count or die "no PHP: $!\n";
    my $n = <$out> // '';
    close $out or die "the queue can't be read\n";

    return $n;
}


# ---- callgrind -----------------------------------------------------------

# Instructions of the event loop for one request: two runs that differ by MORE
# requests.  Options are those of nginx() and, for the client, file; apart:
# functions of the module that are left out with all they call, what is not done
# for a request but each second, however many there were.
sub instructions {
    my ($self, $name, %option) = @_;

    my $more = $option{requests} // 1000;
    my @counts;

    for my $requests (300, 300 + $more) {
        my $file = $self->dir("callgrind-$name-$requests");
        my $nginx = $self->nginx($name, %option, callgrind => $file);

        $self->load($option{port}, requests => $requests,
                    file => $option{file});
        $self->stop($nginx);

        my ($count, %inside) = counted($file);

        $count -= $inside{$_}{cost} // 0 for @{$option{apart} // []};

        push @counts, $count;
    }

    return ($counts[1] - $counts[0]) / $more;
}

# Instructions of the event loop of an idle worker: of one call of FUNCTION with
# all it calls, over some seconds.
sub idle {
    my ($self, $name, $function, %option) = @_;

    my $file = $self->dir("callgrind-$name");
    my $nginx = $self->nginx($name, %option, callgrind => $file);

    sleep 6;
    $self->stop($nginx);

    my ($count, %inside) = counted($file);
    my $of = $inside{$function} or die "callgrind saw no $function\n";

    return $of->{cost} / $of->{calls};
}

# What callgrind has counted in the first thread (the queue's are in files of
# their own): all of it, and by function what calls of it took, with all they
# called.
sub counted {
    my ($file) = @_;

    my ($count, $function, $calls, %name, %inside);

    open my $in, '<', "$file-01" or die "callgrind left no $file\n";

    while (my $line = <$in>) {

        if ($line =~ /^(?:totals|summary): (\d+)/) {
            $count = $1;

        } elsif ($line =~ /^c?fn=\((\d+)\)(?: (.*))?/) {
            $name{$1} = $2 if defined $2;
            $function = $name{$1};

        } elsif ($line =~ /^calls=(\d+)/) {
            $calls = $1;

        } elsif ($calls) {
            my (undef, $cost) = split ' ', $line;

            $inside{$function}{calls} += $calls;
            $inside{$function}{cost} += $cost // 0;
            $calls = 0;
        }
    }

    die "callgrind left no count in $file\n" if !$count;

    return ($count, %inside);
}


# ---- rows ----------------------------------------------------------------

sub median {
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[@sorted / 2];
}

# Values and their ratios to those of the same turn.  Options: ours, base
# (lists), unit, of (what the base is), least or most (the ratio's bound),
# value_most or value_least (the value's), values (shown in place of ours).
sub ratio {
    my ($self, $what, %option) = @_;

    my @ours = @{$option{ours}};
    my @ratios = map { $ours[$_] / $option{base}[$_] } 0 .. $#ours;
    my @values = @{$option{values} // \@ours};
    my ($bound, $judged) = ('', '');

    if (defined $option{least}) {
        $bound = ">= $option{least}";
        $judged = median(@ratios) >= $option{least} ? 'ok' : 'MISSED';

    } elsif (defined $option{most}) {
        $bound = "<= $option{most}";
        $judged = median(@ratios) <= $option{most} ? 'ok' : 'MISSED';
    }

    if (defined $option{value_most}) {
        $bound = "<= $option{value_most}";
        $judged = median(@values) <= $option{value_most} ? 'ok' : 'MISSED';

    } elsif (defined $option{value_least}) {
        $bound = ">= $option{value_least}";
        $judged = median(@values) >= $option{value_least} ? 'ok' : 'MISSED';
    }

    my @fields = ($what, $option{unit} // '',
        (map { sprintf '%.6g', $_ } spread(@values)), $option{of} // '',
        (map { sprintf '%.4g', $_ } spread(@ratios)), $bound, $judged);

    print join("\t", 'ROW', @fields), "\n";

    return $judged ne 'MISSED';
}

sub spread {
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[@sorted / 2], $sorted[0], $sorted[-1]);
}

1;
