#!/usr/bin/perl

# How fast a backlog gets into the CRM, and what it costs the portal: orders of
# new buyers, and of such as the portal knows and we have never seen, beside
# two clients that keep the same limits: one that goes the obvious way (look for
# the buyer, then contact, deal and rows, a call each), one that sends a batch to
# look and a batch to write for each order.
#
#   perl -It/lib t/bench/backlog.pl [ORDERS [CASE ...]]
#
# The portal is the emulator, all of its times divided by ten: 20 requests a
# second, 50 at once, 48 s of a minute for a method, 6 s for a request, and
# methods that take a tenth of what they take in the documentation's samples.
# They are counted in both ways that are known of: each method under its own
# name, or all under "batch" at half of their time.
#
# The limit that binds is the largest of: the requests at the portal's rate, but
# for the burst; the time that a method may take within its windows; all work of
# the portal in two transfers, as the courier has no more for a backlog.  Each of
# them counts what an order can't do without, and no more.  A method's time is
# spent as whole orders go: there are no rows without a deal.
#
# An order of the last minute is fresh to the courier and goes by itself, ahead of
# the others, so a backlog is left to grow old first; one that comes all at once is
# a case of its own.
#
# Then single orders in an idle system, at the portal's real speed: from the shop's
# answer until the portal has finished the last of the order's requests, beside what
# the portal itself has needed for them.
#
# Most of the time everybody sleeps: the cases run side by side.  With
# B24_BENCH_TRACE each request of the module is printed.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/../lib";

use B24::Bench;
use B24::Client;
use B24::Portal::Limits;
use B24::PortalProcess;
use IO::Handle;
use JSON::PP ();
use List::Util qw(max min sum0);
use Mojo::UserAgent;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    SCALE    => 10,
    RATE     => 20,
    BURST    => 50,
    LIMIT    => 48,                # seconds of a method in a window
    WINDOW   => 60,
    CAP      => 6,                 # seconds of a request
    ASIDE    => 50,                # orders of the clients beside, scaled
    WARM     => 12,                # orders before, so that costs are known
    OLD      => 61,                # seconds; a backlog's orders are not fresh
    CAP_CASE => 900,
    SINGLE   => 7,                 # orders, one after the other
    SLOTS    => 2,                 # the courier's transfers for a backlog
};

binmode STDOUT, ':utf8';
$| = 1;

my $orders = shift @ARGV // 500;
my %only = map { $_ => 1 } @ARGV;

my %took = map { $_ => B24::Portal::Limits->samples->{$_} / SCALE }
           keys %{B24::Portal::Limits->samples};

# what an order can't do without: method => calls
my %need = (
    new   => { 'crm.duplicate.findbycomm' => 2, 'crm.contact.add' => 1,
               'crm.deal.add' => 1, 'crm.deal.productrows.set' => 1 },
    known => { 'crm.duplicate.findbycomm' => 2, 'crm.deal.add' => 1,
               'crm.deal.productrows.set' => 1 },
);

my %most = (new => 0.25, known => 0.15);    # requests of an order
my %way = (ours => \&ours, fresh => \&fresh, single => \&single,
           pair => \&pair);
my %called = (ours => 'module', fresh => 'module, all of the last minute',
              single => 'one by one', pair => 'two batches an order');


# ---- the portal ----------------------------------------------------------

sub phone { return sprintf '+7916%07d', $_[0] }
sub email { return "buyer$_[0]\@example.com" }
sub price { return 1000 + $_[0] }
sub total { return sprintf '%d.10', price($_[0]) + 10 }

# with the contacts of known buyers in it
sub portal {
    my ($buyers, $billing, $n) = @_;

    my $portal = B24::PortalProcess->new(config => {
        journal_max => 100_000, bucket => { burst => 100_000 } });

    for (my $i = 1; $buyers eq 'known' && $i <= $n; $i += 50) {
        call($portal, batch => { cmd => { map {
            ("c$_" => 'crm.contact.add?' . contact_query($_))
        } $i .. min($i + 49, $n) } });
    }

    $portal->fault(kind => 'slow', durations => \%took);
    $portal->config(request_cap => CAP,
        bucket => { enabled => 1, burst => BURST, rate => RATE },
        operating => { enabled => 1, limit => LIMIT, window => WINDOW,
            cost => \%took, shortest => 0.1 / SCALE,
            $billing eq 'batch' ? (batch => 0.5, inner => 0) : () });

    return $portal;
}

sub call {
    my ($portal, $method, $params) = @_;

    $portal->{ours} //= do {
        my $ua = Mojo::UserAgent->new(inactivity_timeout => 60,
                                      request_timeout => 60);
        $ua->proxy->detect(0);
        $ua;
    };

    return $portal->{ours}->post($portal->url . $method => json => $params)
                  ->result->json;
}

sub query {
    my (@pairs) = @_;

    my @list;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        utf8::encode($value);
        $value =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ge;
        push @list, "$name=$value";
    }

    return join '&', @list;
}

sub contact_query {
    my ($n) = @_;

    return query('fields[NAME]' => "Buyer $n",
        'fields[PHONE][0][VALUE]' => phone($n),
        'fields[PHONE][0][VALUE_TYPE]' => 'WORK',
        'fields[EMAIL][0][VALUE]' => email($n),
        'fields[EMAIL][0][VALUE_TYPE]' => 'WORK');
}

# what the journal and the records say of the orders BACK-1 .. BACK-N
sub seen {
    my ($portal, $from, $n, $start) = @_;

    my $report = $portal->report;
    my @journal = sort { $a->{at} <=> $b->{at} }
                  grep { $_->{seq} > $from } @{$report->{journal}};
    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};
    my (%deal, %buyer);

    push @{$deal{$_->{origin_id} // ''}}, $_ for @{$report->{deals}};
    $buyer{join ' ', @{$_->{phones}}}++ for values %contact;

    my $whole = grep {
        my $deal = $deal{"BACK-$_"};

        $deal && @$deal == 1 && $deal->[0]{opportunity} eq total($_)
            && @{$deal->[0]{rows}} == 2
            && ($deal->[0]{rows}[0]{price} + 0) == price($_)
            && ($contact{$deal->[0]{contact_ids}[0] // 0} // {})->{phones}[0]
               eq phone($_)
    } 1 .. $n;

    my @refused = map {
        my $entry = $_;

        (grep { ($entry->{status} // 0) == $_ } 429, 503),
        map { 429 } grep { ($_->{error} // '') eq 'OPERATION_TIME_LIMIT' }
                    @{$entry->{commands} // []}
    } @journal;

    return {
        journal => \@journal, requests => scalar @journal, whole => $whole,
        deals => sum0(map { scalar @{$deal{"BACK-$_"} // []} } 1 .. $n),
        doubles => scalar(grep { $_ > 1 } values %buyer),
        refused => scalar @refused,
        longest => SCALE / 1000 * max(0, map { $_->{ms} // 0 } @journal),
        seconds => max(map { $_->{at} + ($_->{ms} // 0) / 1000 } @journal)
                   - $start,
    };
}


# ---- what the limits allow -----------------------------------------------

# seconds until so much is spent at a speed, ten buckets of a window making the
# sum; START is the portal's clock, since they begin with it
sub windows {
    my ($all, $speed, $start) = @_;

    my ($now, $step, $width, %spent) = ($start, 0.02, WINDOW / 10);

    while ($all > 0) {
        my $slot = int($now / $width);

        delete @spent{grep { $_ <= $slot - 10 } keys %spent};

        if (sum0(values %spent) < LIMIT) {
            my $part = min($all, $step * $speed);
            $spent{$slot} += $part;
            $all -= $part;
        }

        $now += $step;
    }

    return $now - $start;
}

# (seconds, what it is)
sub limit {
    my ($buyers, $billing, $n, $requests, $start) = @_;

    my %all = map { $_ => $need{$buyers}{$_} * $took{$_} * $n }
              keys %{$need{$buyers}};
    my $sum = sum0(values %all);
    my %limit = ('requests' => max(0, $requests - BURST) / RATE,
                 'two transfers' => $sum / SLOTS);

    if ($billing eq 'batch') {
        $limit{'time of "batch"'} = windows($sum / 2, SLOTS / 2, $start);

    } else {
        $limit{"time of $_"} = windows($all{$_}, SLOTS * $all{$_} / $sum,
                                       $start)
            for grep { $took{$_} >= 0.1 / SCALE } keys %all;
    }

    # what is spent as whole orders go can't be quicker: then that is what binds

    $limit{'two transfers'} += 0.1;

    my ($which) = sort { $limit{$b} <=> $limit{$a} } keys %limit;

    $limit{'two transfers'} -= 0.1;

    return ($limit{$which}, $which);
}


# ---- the module ----------------------------------------------------------

sub configuration {
    my ($bench, $portal, $port, $shop) = @_;

    my ($rate, $burst, $limit, $window) = (RATE, BURST, LIMIT, WINDOW);
    my $queue = $bench->dir('queue');
    my $url = $portal->url;

    return <<"EOC";
    b24_queue   $queue;
    b24_origin  shop.example.com;
    b24_webhook $url;
    b24_rate    $rate burst=$burst operating=${limit}s window=${window}s
                batch=4s;
    b24_retry   unknown=6500ms;

    b24_shop backlog {
        order placed {
            uri       /checkout;
            accept    response:/ok;
            id        request:/id;
            name      request:/name;
            phone     request:/phone;
            email     request:/email;
            total     request:/total;
            delivery  request:/delivery;
            currency  RUB;
            items     request:/items {
                name /name;  price /price;  quantity /qty;
            }
        }
    }

    server {
        listen 127.0.0.1:$shop;
        default_type application/json;
        return 200 '{"ok":true}';
    }

    server {
        listen 127.0.0.1:$port;
        b24_mirror backlog;

        location / {
            proxy_pass http://127.0.0.1:$shop;
        }

        location /b24 {
            b24_status;
        }
    }
EOC
}

# nginx with a portal; place() and desk() talk to it
sub module {
    my ($name, $portal) = @_;

    my $bench = B24::Bench->new($name);
    my ($port, $shop) = B24::Bench->ports(2);

    $bench->nginx('nginx', port => $port,
                  http => configuration($bench, $portal, $port, $shop));

    return { bench => $bench, port => $port, portal => $portal };
}

sub place {
    my ($module, $id, $n) = @_;

    my $body = JSON::PP->new->utf8->encode({ id => $id, name => "Buyer $n",
        phone => phone($n), email => email($n), total => total($n),
        delivery => '10.10', items => [{ name => "Кружка $n", qty => 1,
                                         price => price($n) }] });
    my $client = $module->{client}
        //= B24::Client->new(port => $module->{port});

    $client->send(B24::Client::request_bytes('POST', '/checkout', $body,
        'Content-Type' => 'application/json', Connection => 'keep-alive'));

    my $answer = $client->response;

    delete $module->{client} if $answer->{head} =~ /^Connection: close/mi;
    die "the shop answers $answer->{body}\n"
        if $answer->{body} ne '{"ok":true}';

    return;
}

sub desk {
    my ($module, $method, $path) = @_;

    my $client = B24::Client->new(port => $module->{port}, timeout => 60);

    $client->send(B24::Client::request_bytes($method, "/b24$path", ''));

    return $client->response->{body};
}

# waits for so many orders to be delivered
sub delivered {
    my ($module, $n) = @_;

    return B24::Bench::wait_for(sub {
        my $desk = JSON::PP::decode_json(desk($module, GET => '?format=json'
                                                            . '&limit=1'));

        sleep 0.2;
        return sum0(map { $_->{counts}{delivered} } @{$desk->{portals}}) >= $n;
    }, CAP_CASE) || die "orders are left: " . desk($module, GET => '') . "\n";
}

sub ours  { return backlog(@_, OLD) }
sub fresh { return backlog(@_, 0) }

sub backlog {
    my ($name, $buyers, $billing, $age) = @_;

    my $portal = portal($buyers, $billing, $orders);
    my $module = module($name, $portal);

    place($module, "WARM-$_", 1_000_000 + $_) for 1 .. WARM;
    delivered($module, WARM);
    sleep BURST / RATE;

    desk($module, POST => '/pause');
    place($module, "BACK-$_", $_) for 1 .. $orders;

    sleep $age;

    my $from = $portal->report(journal => 0)->{counts}{arrived};
    my $start = time;

    desk($module, POST => '/resume');
    delivered($module, WARM + $orders);

    my $seen = seen($portal, $from, $orders, $start);

    trace($seen, $start, $name) if $ENV{B24_BENCH_TRACE};
    $module->{bench}->stop($_) for @{$module->{bench}{nginx}};

    return { %$seen, start => $start, orders => $orders };
}

# one order at a time: what each has taken, and the portal's part of it
sub idle {
    my ($name, $buyers) = @_;

    my $portal = portal($buyers eq 'new' ? 'new' : 'known', 'method', SINGLE);

    $portal->clear_faults;
    $portal->fault(kind => 'slow',
                   durations => B24::Portal::Limits->samples);
    $portal->config(request_cap => 60, operating => { enabled => 0 });

    my $module = module($name, $portal);
    my (@ours, @base, $done);

    place($module, 'WARM-1', $buyers eq 'remembered' ? 1 : 1_000_001);
    delivered($module, ++$done);

    for my $i (1 .. SINGLE) {
        my $from = $portal->report(journal => 0)->{counts}{arrived};

        place($module, "BACK-$i", $buyers eq 'remembered' ? 1 : $i);

        my $start = time;

        delivered($module, ++$done);

        my @journal = grep { $_->{seq} > $from } @{$portal->report->{journal}};

        push @ours, max(map { $_->{at} + $_->{ms} / 1000 } @journal) - $start;
        push @base, sum0(map { $_->{ms} / 1000 } @journal);
    }

    $module->{bench}->stop($_) for @{$module->{bench}{nginx}};

    return { ours => \@ours, base => \@base };
}

# a line for each request: when, how long, how many commands of what
sub trace {
    my ($seen, $start, $name) = @_;

    for my $entry (@{$seen->{journal}}) {
        my %count;

        $count{$_->{method} =~ s/^crm\.//r . ($_->{error} ? '!' : '')}++
            for @{$entry->{commands} // [$entry]};

        printf "%s: %7.2f .. %7.2f  %4d ms  %s\n", $name,
            $entry->{at} - $start,
            $entry->{at} - $start + $entry->{ms} / 1000, $entry->{ms},
            join ' ', map { "$count{$_} $_" } sort keys %count;
    }

    return;
}


# ---- the clients beside it -----------------------------------------------

# a client that keeps the portal's limits; METHODS are those of a batch
sub polite {
    my ($client, $method, $params) = @_;

    my $now = time;
    my $wait = $client->{blocked}{$method} // 0;

    sleep $wait - $now if $wait > $now;
    $now = time;

    $client->{level} = max(0, $client->{level}
                              - ($now - $client->{at}) * RATE);
    $client->{at} = $now;

    if ($client->{level} + 1 > BURST) {
        sleep(($client->{level} + 1 - BURST) / RATE);
    }

    $client->{level}++;

    my $answer = call($client->{portal}, $method, $params);
    my $time = $answer->{time} // {};

    if (($time->{operating} // 0) > LIMIT - CAP / 2) {
        $client->{blocked}{$method} = $time->{operating_reset_at};
    }

    die "$method: $answer->{error}\n" if exists $answer->{error};

    return $answer->{result};
}

sub deal_query {
    my ($n, $contact) = @_;

    return query('fields[TITLE]' => "Order BACK-$n", 'fields[STAGE_ID]' => 'NEW',
        'fields[CURRENCY_ID]' => 'RUB', 'fields[OPPORTUNITY]' => total($n),
        'fields[IS_MANUAL_OPPORTUNITY]' => 'Y',
        'fields[ORIGINATOR_ID]' => 'shop', 'fields[ORIGIN_ID]' => "BACK-$n")
        . "&fields[CONTACT_IDS][0]=$contact";
}

sub rows_query {
    my ($n, $deal) = @_;

    return "id=$deal&" . query(
        'rows[0][PRODUCT_NAME]' => "Кружка $n", 'rows[0][PRICE]' => price($n),
        'rows[0][QUANTITY]' => 1, 'rows[1][PRODUCT_NAME]' => 'Delivery',
        'rows[1][PRICE]' => '10.10', 'rows[1][QUANTITY]' => 1);
}

sub find_query {
    my ($type, $value) = @_;

    return query(entity_type => 'CONTACT', type => $type,
                 'values[0]' => $value);
}

sub found {
    my (@answers) = @_;

    return (grep { defined } map { ref eq 'HASH' ? @{$_->{CONTACT} // []} : () }
            @answers)[0];
}

# the same calls as commands: what is in a query goes as a form would
sub single_order {
    my ($client, $n) = @_;

    my $go = sub {
        my ($method, $query) = @_;
        return polite($client, "$method?$query", {});
    };

    my $contact = found($go->('crm.duplicate.findbycomm',
                              find_query(PHONE => phone($n))))
        // found($go->('crm.duplicate.findbycomm',
                       find_query(EMAIL => email($n))))
        // $go->('crm.contact.add', contact_query($n));
    my $deal = $go->('crm.deal.add', deal_query($n, $contact));

    $go->('crm.deal.productrows.set', rows_query($n, $deal));

    return;
}

sub pair_order {
    my ($client, $n) = @_;

    my $look = polite($client, batch => { halt => 0, cmd => {
        p => 'crm.duplicate.findbycomm?' . find_query(PHONE => phone($n)),
        m => 'crm.duplicate.findbycomm?' . find_query(EMAIL => email($n)),
    } })->{result};
    my $contact = found(@$look{qw(p m)});

    # commands run in the order in which they stand
    my @cmd = ($contact ? () : (c => 'crm.contact.add?' . contact_query($n)),
        d => 'crm.deal.add?' . deal_query($n, $contact // '$result[c]'),
        r => 'crm.deal.productrows.set?' . rows_query($n, '$result[d]'));
    my $query = join '&', map {
        "cmd[$cmd[2 * $_]]=" . ($cmd[2 * $_ + 1]
                                =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger)
    } 0 .. @cmd / 2 - 1;

    polite($client, "batch?halt=1&$query", {});

    return;
}

sub beside {
    my ($order, $buyers, $billing) = @_;

    my $n = min($orders, ASIDE);
    my $portal = portal($buyers, $billing, $n);
    my $from = $portal->report(journal => 0)->{counts}{arrived};
    my $start = time;
    my $client = { portal => $portal, level => 0, at => $start };

    $order->($client, $_) for 1 .. $n;

    return { %{seen($portal, $from, $n, $start)}, start => $start,
             orders => $n };
}

sub single { return beside(\&single_order, @_[1, 2]) }
sub pair   { return beside(\&pair_order, @_[1, 2]) }


# ---- the table -----------------------------------------------------------

# runs CODE in a process of its own; a handle that gives its result
sub start {
    my ($name, $code, @args) = @_;

    pipe my $in, my $out or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        close $in;
        my $result = eval { $code->(@args) };

        print STDERR "$name: $@" if !$result;
        delete $result->{journal} if $result;
        print {$out} JSON::PP::encode_json($result // {});
        close $out;
        exit !$result;
    }

    close $out;

    return { name => $name, pid => $pid, in => $in };
}

sub result {
    my ($job) = @_;

    my $text = do { local $/; readline $job->{in} };

    waitpid $job->{pid}, 0;
    die "$job->{name} failed\n" if $?;

    return JSON::PP::decode_json($text);
}

sub row {
    my ($what, $unit, $value, $beside, $ratio, $bound, $good) = @_;

    print join("\t", 'ROW', $what, $unit, ($value) x 3, $beside, ($ratio) x 3,
               $bound, $bound eq '' ? '' : $good ? 'ok' : 'MISSED'), "\n";

    return;
}

sub rows {
    my ($way, $buyers, $billing, $got) = @_;

    my $ours = $way eq 'ours';
    my $module = $ours || $way eq 'fresh';
    my $who = "$called{$way}: $buyers buyers, "
            . ($billing eq 'batch' ? 'batch billed' : 'methods billed');
    my $each = $got->{requests} / $got->{orders};
    my $seconds = $got->{seconds} * $orders / $got->{orders};
    my ($limit, $which) = limit($buyers, $billing, $orders,
                                $module ? $each * $orders : 0,
                                $got->{start});

    row("$who: requests of an order", '', sprintf('%.3f', $each), '', '',
        $ours ? "<= $most{$buyers}" : '', $each <= $most{$buyers});
    row("$who: all delivered", 's', sprintf('%.1f', $seconds),
        sprintf('%s: %.1f s', $which, $limit),
        sprintf('%.2f', $seconds / $limit), $ours ? '<= 1.1' : '',
        $seconds / $limit <= 1.1);
    row("$who: refused (429, 503)", '', $got->{refused}, '', '',
        $module ? '0' : '', $got->{refused} == 0);
    row("$who: longest request, unscaled", 's',
        sprintf('%.1f', $got->{longest}), '', '', $module ? '< 60' : '',
        $got->{longest} < 60);
    row("$who: deals as ordered / deals / buyers twice", '',
        "$got->{whole} / $got->{deals} / $got->{doubles}", '', '',
        "$got->{orders} / $got->{orders} / 0",
        $got->{whole} == $got->{orders} && $got->{deals} == $got->{orders}
        && $got->{doubles} == 0);

    return;
}

my @jobs;

my @idle = map { [$_, start("idle-$_", sub { idle("idle-@_", @_) }, $_)] }
           grep { !%only || $only{idle} } qw(new known remembered);

for my $buyers (qw(new known)) {
    for my $billing (qw(method batch)) {
        for my $way (qw(ours fresh single pair)) {
            my $name = "$way-$buyers-$billing";

            next if %only && !$only{$way} && !$only{$name};

            push @jobs, [$way, $buyers, $billing, start($name, sub {
                $way{$way}->($name, $buyers, $billing);
            })];
        }
    }
}

print "$orders orders; the clients beside: ", min($orders, ASIDE), ", their",
    " times scaled to as many\n";

rows(@$_[0 .. 2], result($_->[3])) for @jobs;

for my $idle (@idle) {
    my ($buyers, $job) = @$idle;

    B24::Bench->ratio("module, idle: order of a $buyers buyer, answer to deal",
        unit => 's', %{result($job)}, of => "the portal's own time",
        most => 1.2);
}
