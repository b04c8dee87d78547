#!/usr/bin/perl

# nginx with the module under reloads, killed workers, reopened logs and binary
# upgrades while orders come, and what is left over: "./build.sh soak".
#
#   perl -It/lib t/soak.pl [--seconds 60] [--reloads N] [--seed 1] [--verbose]
#
#   --reloads  ends after so many, in place of --seconds
#
# A reload each 0.3 seconds, so that two generations of workers overlap all the
# time; each has another number of workers, with accept_mutex or without, other
# rules.
# Meanwhile three clients place orders: an accepted one must be in the CRM, once.
# Right or wrong is whether
#
#   orders    all that were accepted have one deal (b24_journal sync: nothing
#             may be lost with a worker), and nothing else has one
#   answers   came, but for those whose worker was killed
#   log       no alert, no crit, nothing on stderr
#   left      after the last reload no process, descriptor or memory is left:
#             slopes of the master over the reloads are printed
#
# and the status of the end says so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use B24::Bench;
use B24::PortalProcess;
use Cwd qw(abs_path);
use Getopt::Long qw(GetOptions);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    CLIENTS  => 3,
    PERIOD   => 0.3,               # seconds between reloads
    WARM     => 24,                # reloads before the first look
    LIKE     => 12,                # a look each so many: generations alike
    CAP      => 120,               # seconds for whatever must come
    PAUSE    => 0.3,               # seconds between a client's orders
    FD_SLOPE => 0.05,              # descriptors a reload, at most
    KB_SLOPE => 2,                 # KiB a reload, at most
};

my %option = (seconds => 60, seed => 1);

GetOptions(\%option, 'seconds=f', 'reloads=i', 'seed=i', 'verbose') && !@ARGV
    or die "see the head of $0 for its options\n";

my $module = abs_path($ENV{B24_MODULE}
    // "$FindBin::Bin/../build/ngx_http_b24_module.so");
my $bench = B24::Bench->new('soak');
my ($shop, $front) = B24::Bench->ports(2);
my $portal = B24::PortalProcess->new(
    config => { bucket => { burst => 1_000_000 } });
my $dir = $bench->dir('nginx');
my @wrong;

srand $option{seed};
$| = 1;

sub wrong {
    my ($what) = @_;

    push @wrong, $what;
    print "WRONG: $what\n";
    return;
}

sub told { printf "%7.1f %s\n", time - $^T, $_[0] if $option{verbose} }

sub file { return B24::Bench::text_of("$dir/$_[0]") }


# ---- nginx -----------------------------------------------------------------

# each generation is a little different
sub configure {
    my ($generation) = @_;

    my $workers = (1, 2, 3, 8)[$generation % 4];
    my $mutex = (qw(off on))[$generation % 2];
    my $user = $> == 0 ? "user root;\n" : '';

    $bench->put('nginx/nginx.conf', <<"EOC");
load_module $module;
${user}worker_processes $workers;
worker_shutdown_timeout 5s;
pid $dir/nginx.pid;
error_log $dir/logs/error.log notice;
events {
    accept_mutex $mutex;
    worker_connections 256;
}
http {
    access_log $dir/logs/access.log;
    client_body_temp_path $dir/temp/body;
    proxy_temp_path $dir/temp/proxy;
    fastcgi_temp_path $dir/temp/fastcgi;
    uwsgi_temp_path $dir/temp/uwsgi;
    scgi_temp_path $dir/temp/scgi;

    b24_queue $dir/queue;
    b24_webhook ${\$portal->url};
    b24_rate 100 burst=10000;
    b24_retry first=100ms max=500ms unknown=200ms;

    b24_shop soak {
        order placed-$generation {
            uri      /checkout;
            accept   response:/ok;
            id       request:/id;
            phone    request:/phone;
            total    request:/total;
            currency RUB;
        }
    }

    server {
        listen 127.0.0.1:$front;
        b24_origin soak.example.com;
        b24_mirror soak;
        b24_journal sync;

        location / {
            proxy_pass http://127.0.0.1:$shop;
            proxy_ignore_client_abort on;
        }

        location /b24 {
            b24_status;
        }
    }
}
EOC
    return;
}

sub master {
    my ($pid) = file('nginx.pid') =~ /^(\d+)/;

    return $pid;
}

sub workers {
    return grep { B24::Bench::text_of("/proc/$_/cmdline") =~ /worker process/ }
           B24::Bench::children($_[0] // master());
}

sub alive { return $_[0] && kill 0, $_[0] }

sub comes {
    my ($what, $condition) = @_;

    return 1 if B24::Bench::wait_for($condition, CAP);
    wrong("$what: not within " . CAP . ' seconds');
    return 0;
}

# another binary takes over (the same one here)
sub upgrade {
    my $old = master();

    told('upgrade');
    kill 'USR2', $old;
    comes('upgrade: the new master', sub {
        my $new = master();
        return $new && $new != $old && workers($new);
    }) or return;
    kill 'QUIT', $old;
    comes('upgrade: the end of the old master', sub { !alive($old) });

    return;
}


# ---- what is left over ------------------------------------------------------

# descriptors and anonymous memory (KiB) of the master
sub look {
    my ($pid) = @_;

    my $n = () = glob "/proc/$pid/fd/*";
    my ($kb) = B24::Bench::text_of("/proc/$pid/smaps_rollup")
        =~ /^Anonymous:\s+(\d+)/m;

    return { fd => $n, kb => $kb // 0 };
}

# of a line through the points, least squares
sub slope {
    my ($name, @points) = @_;

    return 0 if @points < 3;

    my ($n, $sx, $sy, $sxx, $sxy) = (scalar @points, 0, 0, 0, 0);

    for my $point (@points) {
        my ($x, $y) = ($point->{reloads}, $point->{$name});

        $sx += $x, $sy += $y, $sxx += $x * $x, $sxy += $x * $y;
    }

    my $d = $n * $sxx - $sx * $sx;

    return $d ? ($n * $sxy - $sx * $sy) / $d : 0;
}


# how many orders wait for what, as the page tells
sub states {
    my $page = eval { HTTP::Tiny->new(timeout => 10)->get(
        "http://127.0.0.1:$front/b24?format=json&limit=1000")->{content} };
    my %n;

    for my $order (@{(eval { decode_json($page) } // {})->{orders} // []}) {
        $n{join ': ', $order->{state}, $order->{cause} // '-'}++;
    }

    return map { "\n    $n{$_} $_" } sort keys %n;
}


# ---- clients ----------------------------------------------------------------

# Places orders until the parent says so; a line in its file for each that the
# shop has accepted, "-" and the number for each without an answer.
sub client {
    my ($n, $log) = @_;

    my $going = 1;

    $SIG{TERM} = sub { $going = 0 };
    open my $out, '>', $log or die "$log: $!\n";

    for (my $i = 1; $going; $i++) {
        my $id = "S$n-$i";
        my $body = sprintf '{"id":"%s","phone":"+7916%07d","total":"10.00"}',
            $id, $n * 1e6 + $i;
        my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$front",
                                           Timeout => 10);
        my $answer = '';

        if ($socket) {
            print $socket "POST /checkout HTTP/1.0\r\nContent-Length: ",
                length $body, "\r\nContent-Type: application/json\r\n\r\n$body";
            local $/;
            $answer = <$socket> // '';
        }

        syswrite $out, ($answer =~ /"ok":true/ ? '' : '-') . "$id\n";
        sleep PAUSE;
    }

    POSIX::_exit(0);
}


# ---- the run ----------------------------------------------------------------

$bench->nginx('shop', module => 0, port => $shop, http => <<"EOC");
    server {
        listen 127.0.0.1:$shop;
        default_type application/json;
        return 200 '{"ok":true}';
    }
EOC

configure(0);
mkdir "$dir/$_" or die "$dir/$_: $!\n" for qw(logs temp);

# with its folder: an upgrade starts it by its name
my ($binary) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}),
                                              '/usr/sbin';
my @nginx = ($binary // 'nginx', '-e', "$dir/logs/error.log", '-p', "$dir/", '-c',
             "$dir/nginx.conf");

system("@nginx > $dir/output 2>&1") == 0
    or die "nginx does not start: ", file('output'), "\n";

END {
    local $?;

    my $pid = $dir ? master() : undef;

    kill 'KILL', workers($pid), $pid if alive($pid);
}

comes('the first worker', sub {
    IO::Socket::INET->new(PeerAddr => "127.0.0.1:$front") });

my %clients = map {
    my $pid = fork // die "fork: $!\n";

    client($_, "$dir/client-$_") if !$pid;
    ($_ => $pid);
} 1 .. CLIENTS;

my ($reloads, $killed, $upgrades, $reopened) = (0, 0, 0, 0);
my (@points, %gone);
my $start = time;

while ($option{reloads} ? $reloads < $option{reloads}
                        : time - $start < $option{seconds})
{
    configure(++$reloads);
    kill 'HUP', master();
    sleep PERIOD;

    if (rand() < 0.1) {
        my @now = workers();
        my $pid = $now[rand @now];

        if ($pid && kill 'KILL', $pid) {
            told("worker $pid is killed");
            $gone{$pid} = 1;
            $killed++;
        }
    }

    if (rand() < 0.1) {
        rename "$dir/logs/error.log", "$dir/logs/error.log.$reloads";
        kill 'USR1', master();
        $reopened++;
    }

    # not while what is measured is of one master
    if ($reloads == WARM / 2) {
        upgrade();
        $upgrades++;
    }

    if ($reloads >= WARM && $reloads % LIKE == 0) {
        push @points, { reloads => $reloads, %{look(master())} };
    }
}

kill 'TERM', values %clients;
waitpid $_, 0 for values %clients;
printf "%d reloads, %d workers killed, %d upgrades, logs reopened %d times,"
    . " %.0f s\n", $reloads, $killed, $upgrades, $reopened, time - $start;


# ---- what came of it ---------------------------------------------------------

my (%accepted, %silent);

for my $n (1 .. CLIENTS) {
    for my $line (split /\n/, file("client-$n")) {
        my $unanswered = $line =~ s/^-//;

        ($unanswered ? \%silent : \%accepted)->{$line} = 1;
    }
}

# a killed worker takes the exchanges it had with it
wrong(keys(%silent) . " requests had no answer, $killed workers were killed")
    if keys %silent > $killed * CLIENTS;

my %deals;

comes('the delivery of all accepted orders', sub {
    %deals = ();
    $deals{$_->{origin_id}}++ for @{$portal->report(journal => 0)->{deals}};
    return !grep { !$deals{$_} } keys %accepted;
}) or wrong('not delivered: ' . join ' ',
            (grep { !$deals{$_} } sort keys %accepted)[0 .. 9], states());

wrong("$_ has $deals{$_} deals") for grep { $deals{$_} > 1 } sort keys %deals;
wrong("$_ was never accepted")
    for grep { !$accepted{$_} && !$silent{$_} } sort keys %deals;

printf "orders: %d accepted, %d deals, %d requests without an answer\n",
    scalar keys %accepted, scalar keys %deals, scalar keys %silent;

my $pid = master();

comes('old workers end', sub {
    !grep { B24::Bench::text_of("/proc/$_/cmdline") =~ /shutting down/ }
        workers($pid) });

printf "master: %+.4f descriptors a reload, %+.3f KiB a reload (%d looks,"
    . " %d .. %d KiB)\n", slope('fd', @points), slope('kb', @points),
    scalar @points, (sort { $a <=> $b } map { $_->{kb} } @points)[0, -1]
    if @points;

wrong('descriptors grow') if slope('fd', @points) > FD_SLOPE;
wrong('memory grows') if slope('kb', @points) > KB_SLOPE;

kill 'QUIT', $pid;
comes('nginx quits', sub { !alive($pid) });

for my $line (map { split /\n/, B24::Bench::text_of($_) }
              glob "$dir/logs/error.log*")
{
    next if $line !~ /\[(?:alert|crit|emerg)\]/;
    next if $line =~ /worker process (\d+) exited on signal 9/ && $gone{$1};

    wrong("the log: $line");
}

wrong('said: ' . file('output')) if file('output') =~ /\S/;

for my $path (glob '/proc/[0-9]*/cmdline') {
    wrong("a process is left: $path")
        if B24::Bench::text_of($path) =~ /\Q$dir\E/;
}

print @wrong ? scalar(@wrong) . " things are wrong\n" : "nothing is left over\n";
exit(@wrong ? 1 : 0);
