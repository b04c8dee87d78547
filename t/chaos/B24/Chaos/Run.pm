package B24::Chaos::Run;

# One run: starts everything, does what the plan says, lets all settle, and asks
# the oracle.
#
#   my $run = B24::Chaos::Run->new(dir => 'build/chaos/run', seed => 1,
#                                  orders => 1000, rate => 14,
#                                  journal => 'sync', module => FILE);
#   my $oracle = $run->go;
#   print $run->line($oracle), "\n";

use strict;
use warnings;

use B24::Chaos::Buyers;
use B24::Chaos::Child;
use B24::Chaos::Disk;
use B24::Chaos::Nginx;
use B24::Chaos::Oracle;
use B24::Chaos::Php;
use B24::Chaos::Plan;
use B24::Chaos::Relay;
use B24::Chaos::Shop;
use B24::Client qw(request_bytes);
use B24::PortalProcess;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

our $ROOT = abs_path(dirname(__FILE__) . '/../../../..');

# unknown= is longer than the portal is ever at work, see HOLD of the plan
use constant {
    CODE         => 'chaoscode1234567',
    RETRY        => 'first=100ms max=400ms unknown=9s',
    FAULTS       => 4,      # of the portal at a time
    ELECTED_CAP  => 4,     # seconds until a worker has taken over
    HELD_CAP     => 5,     # seconds for a write to come that is to be held
    LATE_FACTOR  => 2,     # of the time planned for the orders
    STILL_CAP    => 45,    # seconds without progress: nothing more will come
    SETTLE_CAP   => 240,   # seconds, and one for each 5 orders
    PHP_CHILDREN => 6,
};


sub new {
    my ($class, %args) = @_;

    my $self = bless {say => sub {}, kills => [], reloads => 0, stops => 0,
                      %args, owner => $$}, $class;

    $self->{plan} = B24::Chaos::Plan->new(
        seed => $args{seed}, orders => $args{orders},
        products => dump_of('catalogue'));

    return $self;
}


sub plan { return $_[0]{plan} }


# What t/chaos/dump.php gives.
sub dump_of {
    my (@args) = @_;

    open my $in, '-|', 'php', '-n', '-d', 'extension=sqlite3',
        "$ROOT/t/chaos/dump.php", @args or die "php: $!\n";
    my $text = do { local $/; <$in> };
    close $in or die "cannot read the $args[0]\n";

    return JSON::PP->new->utf8->decode($text);
}


sub go {
    my ($self) = @_;

    $self->_start;
    $self->_play;
    $self->_settle;

    return $self->_judge;
}


# The oracle's line, with what was done to nginx.
sub line {
    my ($self, $oracle) = @_;

    my $done = 'kills ' . $self->_kills
               . ", reloads $self->{reloads}, seed $self->{seed}";

    return $oracle->line($done);
}


# of signal 9 only
sub _kills { return scalar grep { !$_->{soft} } @{$_[0]{kills}} }


# ---- start -------------------------------------------------------------------

sub _start {
    my ($self) = @_;

    remove_tree($self->{dir});
    make_path($self->{dir});
    my $dir = $self->{dir} = abs_path($self->{dir});

    # children of ours first: they are forks of this process
    $self->{shop} = B24::Chaos::Child->start(sub {
        B24::Chaos::Shop::serve($_[0], $dir);
    });
    $self->{shop_port} = $self->{shop}->line // die "the shop ended\n";

    $self->{disk} = B24::Chaos::Child->start(sub {
        B24::Chaos::Disk::watch($_[0], $dir);
    });

    $self->{portal} = B24::PortalProcess->new(code => CODE, config => {
        bucket => {burst => 100_000}, journal_max => 200,
    });

    my $port = $self->{portal}->port;

    $self->{relay} = B24::Chaos::Child->start(sub {
        B24::Chaos::Relay::serve($_[0], $port);
    });
    $self->{relay_port} = $self->{relay}->line // die "the relay ended\n";

    $self->{php} = B24::Chaos::Php->start("$dir/shop", test => 1,
                                          children => PHP_CHILDREN);
    $self->{port} = _free_port();

    $self->{nginx} = B24::Chaos::Nginx->new(dir => $dir,
        module => $self->{module}, port => $self->{port},
        conf => $self->_conf);
    $self->{nginx}->start;

    $self->{begin} = time + 0.2;
    $self->{buyers} = B24::Chaos::Buyers->start(
        map { $_ => $self->{$_} } qw(dir plan rate begin port php));

    return;
}


# below what the kernel hands out by itself
sub _free_port {
    for my $try (1 .. 200) {
        my $port = 20_000 + ($$ * 7 + $try * 31) % 12_000;

        return $port if IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1, ReuseAddr => 1);
    }

    die "no free port\n";
}


sub _conf {
    my ($self) = @_;

    my $dir = $self->{dir};
    my $php = $self->{php}->location('fastcgi_ignore_client_abort on;'
                                     . ' fastcgi_next_upstream off;');
    my $journal = $self->{journal} ? "b24_journal $self->{journal};" : '';

    return <<"EOC";
http {
    log_format  chaos  '\$msec \$pid \$request_time \$status \$b24_event '
                       '\$b24_state \$b24_order \$host \$request_length';
    access_log  $dir/logs/access.log  chaos;

    client_body_temp_path  $dir/tmp_body;
    proxy_temp_path        $dir/tmp_proxy;
    fastcgi_temp_path      $dir/tmp_fastcgi;
    uwsgi_temp_path        $dir/tmp_uwsgi;
    scgi_temp_path         $dir/tmp_scgi;

    b24_queue    $dir/queue;
    b24_webhook  http://127.0.0.1:$self->{relay_port}/rest/1/@{[CODE]}/;
    b24_retry    @{[RETRY]};
    b24_rate     100 burst=5000;
    $journal

    include  $ROOT/t/shop/b24-shop.conf;

    server {
        listen       127.0.0.1:$self->{port} backlog=1024;
        server_name  own.test;
        b24_mirror   sample;

        location / {
            proxy_pass          http://127.0.0.1:$self->{shop_port};
            proxy_read_timeout  @{[B24::Chaos::Shop::LATE() - 1]}s;
            proxy_next_upstream off;
        }

        location /b24 {
            b24_status;
        }
    }

    server {
        listen       127.0.0.1:$self->{port};
        server_name  php.test;
        b24_mirror   sample;

        $php
    }
}
EOC
}


# ---- what happens ------------------------------------------------------------

sub _say {
    my ($self, $text) = @_;

    $self->{say}->(sprintf '%6.1f s  %s', time - $self->{begin}, $text);

    return;
}


sub _play {
    my ($self) = @_;

    for my $event ($self->{plan}->events) {
        my $left = $self->{begin} + $event->{at} / $self->{rate} - time;

        sleep $left if $left > 0;
        $self->_hurry;

        # not before its order was begun, however slow the machine is
        last if $self->{buyers}->over || $self->{hurried};

        my ($kind) = split ' ', $event->{kind};
        my $method = "_event_$kind";

        $self->_say("order $event->{at}: " . _words($event))
            if $self->{verbose};
        $self->$method($event);
    }

    until ($self->{buyers}->over) {
        $self->_hurry;
        sleep 0.1;
    }

    $self->_say(B24::Chaos::Buyers->count($self->{dir}) . ' orders sent, '
        . $self->_kills . " kills, $self->{reloads} reloads, "
        . "$self->{stops} stops");

    return;
}


sub _words {
    my ($event) = @_;

    my $of = $event->{fault} ? {%{$event->{fault}}} : {%$event};

    return join ' ', $event->{kind}, map { "$_=$of->{$_}" }
                     grep { !/^(?:kind|at)$/ } sort keys %$of;
}


# A machine that needs far more time than was planned sends fewer orders.
sub _hurry {
    my ($self) = @_;

    my $planned = $self->{plan}->orders / $self->{rate};

    return if $self->{hurried}
              || time < $self->{begin} + LATE_FACTOR * $planned + 20;

    $self->_say('too slow: the orders that are left are not sent');
    $self->{buyers}->hurry;
    $self->{hurried} = 1;

    return;
}


# Does what ends something, and notes when: no sooner and no later than that, on
# a machine that is busy as well.
sub _killed {
    my ($self, $what, $code) = @_;

    my $kill = {what => $what, time => time};

    if ($code->()) {
        $kill->{until} = time;
        push @{$self->{kills}}, $kill;
    }

    return;
}


sub _kill_one {
    my ($self, $pid, $what) = @_;

    return if !$pid;

    $self->_killed("kill of $what", sub { kill 'KILL', $pid });

    return;
}


sub _event_worker {
    my ($self, $event) = @_;

    sleep $event->{lag} / 1000;

    my @pids = $self->{nginx}->workers;

    $self->_kill_one($pids[$event->{which} * @pids], 'a worker');

    return;
}


sub _event_courier {
    my ($self, $event) = @_;

    sleep $event->{lag} / 1000;
    $self->_kill_one(scalar $self->{nginx}->courier, 'the courier');

    return;
}


# In the middle of a write, whose outcome nobody then knows.
sub _event_held {
    my ($self, $event) = @_;

    my $portal = $self->{portal};
    my $id = $portal->fault(kind => 'hang',
        map { $_ => $event->{$_} } qw(when seconds method));

    my $held = eval {
        $portal->wait_for(held => 1, timeout => HELD_CAP, brief => 1);
    };

    $portal->_post(fault => {remove => $id});
    $self->_say('no write came that could be held') if !$held;

    my $pid = $self->{nginx}->courier;

    $self->_kill_one($pid, 'the courier');

    return if !$event->{again};

    # who takes over goes, too
    my $until = time + ELECTED_CAP;
    my $next;

    while (time < $until) {
        $next = $self->{nginx}->courier;
        last if $next && $next != ($pid // 0);
        sleep 0.02;
    }

    sleep 0.1;
    $self->_kill_one($next, 'the courier');

    return;
}


sub _event_all {
    my ($self, $event) = @_;

    my @workers = $self->{nginx}->kill_master;

    $self->_killed('kill of all', sub {
        $self->{nginx}->end_orphans('KILL', @workers);
    });
    $self->{nginx}->start;

    return;
}


sub _event_master {
    my ($self, $event) = @_;

    my @workers;

    $self->_killed('kill of the master', sub {
        @workers = $self->{nginx}->kill_master;
        return 1;
    });

    sleep $event->{ms} / 1000;

    my $end = sub { $self->{nginx}->end_orphans($event->{signal}, @workers) };

    if ($event->{signal} eq 'KILL') {
        $self->_killed('kill of its workers', $end);

    } else {
        $end->();
    }

    $self->{nginx}->start;

    return;
}


sub _event_reload {
    my ($self, $event) = @_;

    for my $turn (1 .. $event->{times}) {
        sleep 0.3 if $turn > 1;
        $self->{nginx}->signal('HUP');
        $self->{reloads}++;
    }

    return;
}


sub _event_stop {
    my ($self, $event) = @_;

    # a fast end leaves exchanges where they are
    my $from = time;

    $self->{nginx}->leave($event->{signal});
    push @{$self->{kills}}, {time => $from, until => time, what => 'TERM',
                             soft => 1}
        if $event->{signal} eq 'TERM';
    $self->{stops}++;
    $self->{nginx}->start;

    return;
}


sub _event_fault {
    my ($self, $event) = @_;

    my %fault = %{$event->{fault}};

    if ($fault{kind} eq 'refuse') {
        $self->{relay}->say("refuse $fault{ms}");

    } elsif ($fault{kind} eq 'tear') {
        $self->{relay}->say("tear $fault{bytes}");

    } else {
        $fault{$_} = $fault{$_} ? \1 : \0
            for grep { exists $fault{$_} } qw(reset chunked);
        push @{$self->{faults}}, $self->{portal}->fault(%fault);

        # one that nothing came for is over, or they would gather while the
        # portal is left alone, and nothing would be delivered any more
        $self->{portal}->_post(fault => {remove => shift @{$self->{faults}}})
            if @{$self->{faults}} > FAULTS;
    }

    return;
}


# ---- the end -----------------------------------------------------------------

# All faults are over; waits until there is nothing left to be delivered.
sub _settle {
    my ($self) = @_;

    $self->{relay}->say('calm');
    $self->{portal}->clear_faults;
    $self->{portal}->release;

    my $done = $self->_quiet;

    # then comes a person who knows the shop
    if ($done) {
        my @did = ($self->_retry_parked, $self->_send_some);

        $self->_say(join ', ', @did) if @did;
        $done = $self->_quiet if @did;
    }

    $self->_say($done ? 'settled' : 'not settled: ' . join ', ',
        map { "$_ " . $self->_count($_) }
        qw(captured accepted sending waiting parked));

    return;
}


sub _retry_parked {
    my ($self) = @_;

    return if !$self->_count('parked');

    my $answer = $self->_ask('POST', '/b24/retry');

    return $answer && $answer->{status} == 202 ? 'parked orders are sent again'
                                               : 'parked orders stay';
}


# Every second unconfirmed order that the shop has, and that is nowhere else.
sub _send_some {
    my ($self) = @_;

    my %mark_of = map { $_->{token} => $_->{mark} } $self->{plan}->orders;
    my %accepted = map { $mark_of{$_->{token}} => 1 } $self->_accepted;
    my %records;

    for my $record (@{dump_of('queue', $self->_queue)->{records}}) {
        push @{$records{$1}}, $record
            if ($record->{data} // '') =~ /(mark-\d{5})/;
    }

    my $sent = 0;

    for my $mark (sort grep { $accepted{$_} } keys %records) {
        my ($record, @others) = @{$records{$mark}};

        next if @others || $record->{state} ne 'unconfirmed'
                || $record->{id} % 2;

        my $answer = $self->_ask('POST', sprintf '/b24/orders/k-%06x/send',
                                 $record->{id});

        $sent++ if $answer && $answer->{status} == 202;
    }

    return $sent ? "$sent unconfirmed orders are sent" : ();
}


sub _queue { return $_[0]{nginx}->queue . '/queue.db' }


sub _quiet {
    my ($self) = @_;

    my $cap = time + SETTLE_CAP + $self->{orders} / 5;
    my $seen = '';
    my $moved = time;

    while (time < $cap) {
        my $status = $self->_status;

        if ($status) {
            my $left = 0;

            $left += $self->_count($_, $status)
                for qw(captured accepted sending waiting);
            return 1 if !$left && !$status->{counters}{held};

            my $now = join ' ', $left, map { $_->{requests_total} }
                                           @{$status->{portals}};

            $moved = time if $now ne $seen;
            $seen = $now;
        }

        return 0 if time > $moved + STILL_CAP;
        sleep 0.3;
    }

    return 0;
}


sub _ask {
    my ($self, $method, $target) = @_;

    return eval {
        my $client = B24::Client->new(port => $self->{port}, timeout => 10);

        $client->send(request_bytes($method, $target,
                                    $method eq 'POST' ? '' : undef,
                                    Host => 'own.test'));
        $client->response;
    };
}


sub _status {
    my ($self) = @_;

    my $answer = $self->_ask('GET', '/b24?format=json&limit=1') // return;

    return if $answer->{status} != 200;
    return $self->{status} = JSON::PP->new->utf8->decode($answer->{body});
}


sub _count {
    my ($self, $state, $status) = @_;

    my $sum = 0;

    $sum += $_->{counts}{$state}
        for @{($status // $self->{status} // {portals => []})->{portals}};

    return $sum;
}


sub _judge {
    my ($self) = @_;

    # what is under way at the portal is over, too
    my $report = $self->{portal}->wait_for(stable_ms => 300, timeout => 30,
                                           journal => 0);

    my @left = $self->{nginx}->end;

    $self->{php}->stop;
    $self->{shop}->stop;
    $self->{disk}->stop;

    my $queue = dump_of('queue', $self->_queue);

    my $oracle = B24::Chaos::Oracle->new(
        plan => $self->{plan}, report => $report,
        accepted => [$self->_accepted], records => $queue->{records},
        told => [B24::Chaos::Buyers->told($self->{dir})],
        kills => $self->{kills}, slow => [$self->_slow],
        stalls => [B24::Chaos::Disk->stalls($self->{dir})],
        journal => $self->{journal} || 'off')->judge;

    $oracle->note("the queue's file: $queue->{check}")
        if $queue->{check} ne 'ok';
    $oracle->note(@left . ' processes did not end by themselves') if @left;
    $oracle->note($_) for $self->_alarms;

    return $oracle;
}


# Both shops' own lists.
sub _accepted {
    my ($self) = @_;

    my $json = JSON::PP->new->utf8;
    my %answered;
    my @orders;

    for my $path ("$self->{dir}/answered", $self->{php}->answered) {
        open my $in, '<', $path or next;

        while (<$in>) {
            my ($token, $time) = split;
            $answered{$token} //= $time;
        }
    }

    open my $in, '<', "$self->{dir}/accepted" or die "accepted: $!\n";

    while (my $line = <$in>) {
        my $order = $json->decode($line);

        push @orders, {shop => 'own', %$order{qw(number token accepted)}};
    }

    push @orders, map {
        +{shop => 'php', number => $_->{number}, token => $_->{token},
          accepted => $answered{$_->{token}} // _seconds($_->{created})}
    } @{dump_of('shop', $self->{php}->db)};

    $_->{answered} = $answered{$_->{token}} for @orders;

    return @orders;
}


sub _seconds {
    my ($text) = @_;

    require Time::Local;

    my ($year, $month, @rest) = split /\D/, $text;

    return Time::Local::timegm(reverse(@rest), $month - 1, $year);
}


# When the disk took longer than b24_journal sync waits for it.
sub _slow {
    my ($self) = @_;

    open my $in, '<', "$self->{dir}/logs/error.log" or return;

    my @times;

    while (my $line = <$in>) {
        push @times, _time_of($line)
            if index($line, "b24: the queue's disk took more than") >= 0;
    }

    return @times;
}


# when a line of the log was written
sub _time_of {
    my ($line) = @_;

    my ($year, $month, @rest)
        = $line =~ m{^(\d+)/(\d+)/(\d+) (\d+):(\d+):(\d+)} or return 0;

    return POSIX::mktime(reverse(@rest), $month - 1, $year - 1900);
}


# What nginx's log must not hold: a crash, an alert, a secret, a buyer.
sub _alarms {
    my ($self) = @_;

    my %seen;
    my %phones = map { substr($_->{buyer}{digits}, -7) => 1 }
                 $self->{plan}->orders;

    open my $in, '<', "$self->{dir}/logs/error.log" or return 'no error log';

    my $ended = 0;

    while (my $line = <$in>) {
        my $what;

        # nginx 1.22 calls it an alert when TERM comes upon QUIT
        $ended = _time_of($line) if $line =~ /signal 15 \(SIGTERM\)/;
        next if $line =~ /open socket #\d+ left| \d+#\d+: aborting$/
                && _time_of($line) - $ended < 3;

        if ($line =~ /exited on signal (\d+)/) {
            $what = "a process died of signal $1" if $1 != 9;

        } elsif ($line =~ /\[(?:alert|emerg)\] (?:\S+ )*?(.{1,120})/) {
            $what = "alert: $1";

        } elsif ($line =~ /Sanitizer|runtime error:/) {
            $what = $line =~ s/\s+\z//r;
        }

        # nginx's own lines name the client's request, no more
        $what = 'a secret in the log'
            if index($line, CODE) >= 0 || $line =~ /buyer\.\d+\@/i
               || $line =~ /b24:/ && grep { $phones{$_} }
                                          $line =~ /(?=(\d{7}))/g;

        $seen{$what}++ if defined $what;
    }

    return map { "$_, $seen{$_} times" } sort keys %seen;
}


sub stop {
    my ($self) = @_;

    return if $self->{owner} != $$;

    delete $self->{nginx};
    $self->{$_} && $self->{$_}->stop for qw(buyers relay shop php portal);

    return;
}


sub DESTROY {
    my ($self) = @_;

    local ($@, $?, $!);
    $self->stop;

    return;
}


1;
