# What needs a person is told: to an address and to a socket, each event when it
# begins and when it is over, throttled, over restarts, and whatever becomes of
# who is to be told.  Orders go on meanwhile.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portal_tls => 1;
use Test::Nginx::Socket;

use B24::Orders;
use B24::Receiver;
use B24::Secrets;
use File::Basename ();
use IO::Socket::UNIX;
use Time::Local ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

# in the address of a bot; no log, page or message may show them
use constant TOKEN => 'T0k3nOfTheB0t';
use constant KEY   => 'k3yOfTheB0t';

B24::Secrets::note(token => $_) for TOKEN, KEY;

our $target = '$TEST_NGINX_PORT_3/hook/' . TOKEN . '?key=' . KEY;
our $unix = '$TEST_NGINX_DIR/alert.sock';

# Lines for http{}: the target and its options, and whatever else.
sub http {
    my ($line, %option) = @_;

    return B24::Orders::http(shop => 0, %option,
        more => "b24_alert $line;\n    b24_trusted_certificate"
                . " \$TEST_NGINX_PORTAL_CA;\n    " . ($option{more} // ''))
        . B24::Orders::ASKED_SHOP;
}

sub https {
    return http("https://127.0.0.1:$target $_[0]", @_[1 .. $#_]);
}

sub unix {
    return http("unix:$unix $_[0]", @_[1 .. $#_]);
}

our $server = B24::Orders::server(more => 'proxy_ignore_client_abort on;');

our $wrong = { kind => 'command', times => 0, method => 'crm\.deal\.add',
               error => 'ERROR_CORE', description => 'Wrong value <b>' };

my $receivers = 0;

# Somebody who is told, at the target's port.
sub receiver {
    my (%option) = @_;

    my $dir = File::Basename::dirname(B24::Test::portal()->ca);

    return B24::Receiver->start(port => $ENV{TEST_NGINX_PORT_3},
        tls => ["$dir/server.pem", "$dir/server.key"],
        dir => "$ENV{TEST_NGINX_DIR}/receiver-" . ++$receivers, %option);
}

# Somebody at the socket.
sub listener {
    return B24::Receiver->start(path => "$ENV{TEST_NGINX_DIR}/alert.sock",
        dir => "$ENV{TEST_NGINX_DIR}/receiver-" . ++$receivers, @_);
}

# "EVENT STATE, ..." of all that came.
sub events {
    my ($receiver) = @_;

    return join ', ', map { "$_->{event} $_->{state}" } $receiver->messages;
}

# A test: the messages come to be these, and no others before them.
sub events_are {
    my ($receiver, $want, $name, $cap) = @_;

    B24::Scenario::wait_until(sub {
        return length events($receiver) >= length $want;
    }, $cap // 30);

    return Test::More::is(events($receiver), $want, $name);
}

sub alert_of {
    return B24::Orders::portal_state(@_)->{alert};
}

# A test: the page comes to say that of the target.
sub state_is {
    my ($state, $like, $name) = @_;

    my $alert;

    B24::Scenario::wait_until(sub {
        $alert = alert_of();
        return $alert->{state} eq $state && ($alert->{reason} // '') =~ $like;
    });

    my $reason = $alert->{reason} // '';

    return Test::More::ok($alert->{state} eq $state && $reason =~ $like, $name)
        || Test::More::diag("$alert->{state}: $reason");
}

# One line each for a target that takes none, whatever the number of tries.
sub complaints {
    return scalar(() = B24::Scenario::error_log_lines(
                           qr/\[warn\].*does not take alerts/));
}

sub shows_no_secret {
    my $seen = join '', map { B24::Scenario::get($_)->{raw} }
        '/b24', '/b24?format=json', '/b24?format=prometheus';

    $seen .= B24::Scenario::error_log();

    return Test::More::ok($seen !~ /${\ TOKEN}|${\ KEY}|code1234567890ab/,
                          'no secret on the page or in the log');
}

# Orders that are all there before the first is sent.
sub place_both {
    my @orders = @_;

    B24::Scenario::post('/b24/pause', '')->{status} == 202
        or die "not paused\n";
    place(@orders);
    B24::Scenario::wait_until(sub {
        B24::Desk::count('accepted') == @orders }) or die "not accepted\n";
    B24::Scenario::post('/b24/resume', '');
}

# The buyer of an order whose answer is lost.
sub place_lost {
    my ($n) = @_;

    my $client = B24::Scenario::client();

    $client->send(B24::Client::request_bytes('POST', '/checkout?lost=1',
        order_json($n), 'Content-Type' => 'application/json'));

    return $client->until_eof;
}

# The time of a message.
sub seconds {
    my ($year, $month, $day, @time) = $_[0] =~ /\d+/g;

    return Time::Local::timegm(reverse(@time), $day, $month - 1, $year);
}

# The queue as another program sees it.
sub rows {
    my ($sql) = @_;

    my $code = '$d = new SQLite3($argv[1], SQLITE3_OPEN_READONLY);'
               . ' $d->busyTimeout(20000); $r = $d->query($argv[2]);'
               . ' while ($a = $r->fetchArray(SQLITE3_NUM))'
               . ' echo implode(" ", $a), "\n";';

    open my $out, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db", $sql or die "no PHP: $!\n";
    local $/;

    return <$out> // '';
}

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_)
        for qw(alert_of complaints events_are events listener place_both
               place_lost receiver rows shows_no_secret state_is);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a portal that is blocked, and takes orders again
--- http_config eval: ::https('gap=1s', retry => 'first=1s max=1s unknown=1s')
--- config eval: $::server
--- scenario
    my $r = receiver();

    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place_both(1, 2);
    events_are($r, 'blocked raised', 'told');

    my ($m) = $r->messages;
    is(join(' ', sort keys %$m), 'count event host oldest_undelivered_seconds'
       . ' orders origin since state text time version waiting', 'members');
    is($m->{origin}, 'tested', 'the shop');
    is($m->{host}, '127.0.0.1:' . portal()->port, 'the portal');
    is($m->{waiting}, 2, 'orders that wait');
    is($m->{count}, 2, 'as many');
    is(join(' ', sort @{$m->{orders}}), 'o-1 o-2', 'these');
    like($m->{text}, qr/^tested:\ Bitrix24\ refuses\ what\ is\ sent\ to\ it,
                        \ 2\ orders\ wait:\ .*INVALID_CREDENTIALS.*
                        b24_webhook\.$/x, 'why, and what to do');
    like("$m->{time} $m->{since}", qr/^(?:\d{4}-\d\d-\d\dT[\d:]{8}Z ?){2}$/,
         'times');

    my ($head) = $r->heads;
    like($head, qr{^POST /hook/\w+\?key=\w+ HTTP/1\.1\r\n}, 'the request');
    like($head, qr{^Content-Type: application/json\r?$}mi, 'JSON');

    my ($text) = $r->texts;
    unlike($text, qr/buyer|\@|\+?7?916\d|Иван|code1234567890ab/,
           'nothing of a buyer, no secret');
    ok(wait_until(sub { alert_of()->{told} == 1 }), 'the page counts it');
    is(alert_of()->{state}, 'ok', 'all is well with the target');
    is(alert_of()->{target}, "https://127.0.0.1:$ENV{TEST_NGINX_PORT_3}",
       'the target, without what is secret');

    portal()->config(webhook => { state => 'ok' });
    settled($_) for 1, 2;
    events_are($r, 'blocked raised, blocked cleared', 'and that it is over');

    my ($first, $last) = $r->messages;
    is($last->{since}, $first->{since}, 'when it began');
    is($last->{text}, 'tested: Bitrix24 takes orders again.', 'in words');
    is_deeply($last->{orders}, [], 'of no order');
    delivered_once(1, 2);
    shows_no_secret();
    is(complaints(), 0, 'nothing in the log');
    $r->stop;



=== TEST 2: flapping is one message within the gap
--- http_config eval: ::unix('gap=1h', retry => 'first=100ms max=200ms unknown=100ms')
--- config eval: $::server
--- scenario
    my $r = listener();

    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1);
    events_are($r, 'blocked raised', 'told');

    for my $n (2 .. 4) {
        portal()->config(webhook => { state => 'ok' });
        settled($n - 1);

        my $before = time;
        ok(wait_until(sub { time > $before + 4 }), 'well for seconds');

        portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
        place($n);
        ok(wait_until(sub { portal_state()->{state} eq 'blocked' }),
           'blocked once more');
    }

    portal()->config(webhook => { state => 'ok' });
    settled(4);

    # what comes now would have come after it
    place_lost(5);
    events_are($r, 'blocked raised, unconfirmed raised', 'no more of it');
    $r->stop;



=== TEST 3: parked orders: a burst is one message, the next has their number
--- http_config eval: ::https('gap=6s')
--- config eval: $::server
--- scenario
    my $r = receiver();

    portal()->fault(%$main::wrong);
    is(place(1 .. 40), 40, 'the shop accepts');
    events_are($r, 'parked raised', 'told');

    my ($m) = $r->messages;
    like($m->{text}, qr/parked(?:, the latest)?: Bitrix24 answered ERROR_CORE: Wrong/,
         'with the cause');
    cmp_ok(scalar @{$m->{orders}}, '<=', 5, 'a few numbers');
    like($_, qr/^o-\d+$/, 'a number') for @{$m->{orders}};
    settled($_, 'parked') for 1 .. 40;
    B24::Desk::count_is('parked', 40, 'all are parked');

    ok(wait_until(sub { ($r->messages)[-1]{count} == 40 }),
       'the last message has their number');

    # one for each gap that they took
    my @at = map { main::seconds($_->{time}) } $r->messages;
    is(scalar(grep { $at[$_] - $at[$_ - 1] < 5 } 1 .. $#at), 0,
       @at . ' messages, none within the gap of another');

    # fewer are no news, more are
    portal()->clear_faults;
    my $key = record(1)->{key};
    is(post("/b24/orders/$key/retry", '')->{status}, 202, 'one is retried');
    settled(1, 'delivered');
    portal()->fault(%$main::wrong);
    place(41, 42);
    settled($_, 'parked') for 41, 42;
    ok(wait_until(sub { ($r->messages)[-1]{count} == 41 }), 'more are told');

    portal()->clear_faults;
    is(post('/b24/retry', '')->{status}, 202, 'all are retried');
    ok(wait_until(sub { events($r) =~ /parked cleared$/ }), 'and it is over');
    delivered_once(1 .. 42);
    shows_no_secret();
    $r->stop;



=== TEST 4: an order waits for too long
--- http_config eval: ::unix('age=2s gap=1s', retry => 'first=1s max=1s unknown=1s')
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'html502_before', times => 0);
    place(1);
    settled(1, 'waiting');

    # a message is made of what is so when it can be sent
    my $r = listener();
    events_are($r, 'age raised', 'told');

    my ($m) = $r->messages;
    cmp_ok($m->{oldest_undelivered_seconds}, '>=', 2, 'for how long');
    is_deeply($m->{orders}, ['o-1'], 'which one');
    like($m->{text}, qr/^tested:\ the\ oldest\ order\ has\ waited\ for\ \d+
                        \ seconds,\ 1\ order\ waits:\ Bitrix24\ answered
                        \ UNREADABLE/x, 'why');

    my ($text) = $r->texts;
    like($text, qr/^\{.*\}\n\z/, 'one line');

    portal()->clear_faults;
    settled(1);
    events_are($r, 'age raised, age cleared', 'over');
    delivered_once(1);

    # a person's pause counts as well
    is(post('/b24/pause', '')->{status}, 202, 'paused');
    place(2);
    events_are($r, 'age raised, age cleared, age raised', 'told again');
    like(($r->messages)[-1]{text}, qr/: paused by hand\. resume/, 'why');
    is(post('/b24/resume', '')->{status}, 202, 'on it goes');
    delivered_once(1, 2);
    $r->stop;



=== TEST 5: unconfirmed orders, and a reminder
--- http_config eval: ::unix('gap=1s again=3s')
--- config eval: $::server
--- scenario
    my $r = listener();

    place_lost(1);
    ok(wait_until(sub { 2 <= (() = $r->messages) }, 30),
       'told, and once more while it lasts');
    like(events($r), qr/^unconfirmed raised(?:, unconfirmed raised)+$/,
         'nothing else');

    my ($first, $second) = $r->messages;
    is($second->{since}, $first->{since}, 'since when');
    is($second->{count}, 1, 'one');
    is_deeply($second->{orders}, ['o-1'], 'which');

    my ($record) = B24::Desk::records();
    is(post("/b24/orders/$record->{key}/drop", '')->{status}, 202, 'dropped');
    ok(wait_until(sub { events($r) =~ /unconfirmed cleared$/ }), 'over');
    $r->stop;



=== TEST 6: what was told outlives restarts
--- http_config eval: ::https('gap=1s', retry => 'first=1s max=1s unknown=1s')
--- config eval: $::server
--- scenario
    my $r = receiver();

    portal()->fault(%$main::wrong);
    place(1);
    events_are($r, 'parked raised', 'told');
    ok(wait_until(sub { rows('SELECT origin, event, raised, n FROM alerts')
                        eq "tested parked 1 1\n" }), 'written down')
        or diag(rows('SELECT * FROM alerts'));
    unlike(rows('SELECT * FROM alerts'), qr/${\ main::TOKEN }/,
           'without the secret');

    ok(quit(), 'quits');
    start_again();

    # what comes now would have come after it
    place_lost(2);
    events_are($r, 'parked raised, unconfirmed raised', 'not told again');

    reload();
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(3);
    events_are($r, 'parked raised, unconfirmed raised, blocked raised',
               'nor after a reload');

    # killed, so that nothing is written at the end
    my $master = master_pid();
    ok(wait_until(sub { rows('SELECT count(*) FROM alerts') == 3 }),
       'all are written down');
    my @pids = (worker_pids(), $master);
    kill 'KILL', $_ for reverse @pids;
    ok(wait_until(sub { !grep { is_alive($_) } @pids }), 'killed');

    # what is over meanwhile
    portal()->config(webhook => { state => 'ok' });
    portal()->clear_faults;
    start_again();
    settled(3, 'delivered');
    events_are($r, 'parked raised, unconfirmed raised, blocked raised,'
                   . ' blocked cleared', 'that it is over is told');
    is(post('/b24/retry', '')->{status}, 202, 'the parked one');
    events_are($r, 'parked raised, unconfirmed raised, blocked raised,'
                   . ' blocked cleared, parked cleared', 'and of this');
    $r->stop;



=== TEST 7: who is to be told is not well, and orders go on
--- http_config eval: ::https('gap=1s')
--- config eval: $::server
--- scenario
    portal()->fault(%$main::wrong, times => 1);
    place(1);
    settled(1, 'parked');
    state_is('failing', qr/does not accept connections/, 'nobody listens');
    is(complaints(), 1, 'a line in the log');
    like(get('/b24')->{body}, qr/the server in b24_alert does not accept/,
         'on the page');
    like(get('/b24', 'Accept-Language' => 'ru')->{body},
         qr/сервер из b24_alert не принимает соединений/, 'in Russian');
    like(get('/b24?format=prometheus')->{body},
         qr/^b24_alert_up\{origin="tested"\} 0$/m, 'for programs');

    my $r = receiver(mode => '500');
    state_is('failing', qr/answered 500/, 'an error');

    place(2);
    is(settled(2)->{state}, 'delivered', 'orders go on');
    is(complaints(), 1, 'it is still one line');

    $r->mode('200');
    events_are($r, 'parked raised', 'told in the end');
    ok(wait_until(sub { error_log_lines(qr/\[notice\].*takes alerts again/) }),
       'the log says so');
    state_is('ok', qr/^$/, 'the page, too');
    is(alert_of()->{reason}, undef, 'no reason any more');
    shows_no_secret();
    $r->stop;



=== TEST 8: a redirect is not followed
--- http_config eval: ::https('gap=1s')
--- config eval: $::server
--- scenario
    my $r = receiver(mode => "302 https://127.0.0.1:$ENV{TEST_NGINX_PORT_3}/x");

    portal()->fault(%$main::wrong, times => 1);
    place(1);
    settled(1, 'parked');
    state_is('failing', qr/answered 302/, 'said');
    like(alert_of()->{advice}, qr/redirects are not followed/, 'why');
    ok(!(grep { m{^\w+ /x} } $r->heads), 'nobody was called there');
    shows_no_secret();
    $r->mode('200');
    events_are($r, 'parked raised', 'told in the end');
    $r->stop;



=== TEST 9: answers that are none
--- http_config eval: ::https('gap=1s')
--- config eval: $::server
--- scenario
    my $r = receiver(mode => 'close');

    portal()->fault(%$main::wrong, times => 1);
    place(1);
    settled(1, 'parked');
    state_is('failing', qr/broke/, 'the connection broke');
    is(complaints(), 1, 'a line');
    $r->mode('endless');
    events_are($r, 'parked raised', 'the status is enough');
    state_is('ok', qr/^$/, 'it was taken');

    $r->mode('dribble');
    is(post('/b24/retry', '')->{status}, 202, 'retried');
    events_are($r, 'parked raised, parked cleared', 'also without its body');
    is(complaints(), 1, 'no other line');
    delivered_once(1);
    $r->stop;



=== TEST 10: a target that hangs holds up nothing
--- http_config eval: ::https('gap=1s')
--- config eval: $::server
--- scenario
    my $r = receiver(mode => 'hang');

    portal()->fault(%$main::wrong, times => 1);
    place(1);
    settled(1, 'parked');
    ok(wait_until(sub { $r->tries }), 'it is being told');

    # a try that is over is told of by the page at once
    place(2 .. 11);
    settled($_) for 2 .. 11;
    isnt(alert_of()->{state}, 'failing', 'ten orders were delivered meanwhile');
    is($r->tries, 1, 'it hangs still');
    is(join(' ', map { record($_)->{state} } 2 .. 11),
       join(' ', ('delivered') x 10), 'all of them');

    # a reload hands deliveries over at once
    reload();
    place(12);
    is(settled(12)->{state}, 'delivered', 'also after a reload');

    $r->mode('200');
    ok(wait_until(sub { $r->messages }, 60), 'told in the end');
    ok(wait_until(sub { worker_pids(all => 1) == 2 }, 30), 'nobody stays');
    $r->stop;



=== TEST 11: a certificate nobody has signed
--- http_config eval
::https('gap=1s') =~ s/b24_trusted_certificate [^;]*;//r
--- config eval: $::server
--- scenario
    my $r = receiver();

    portal()->fault(%$main::wrong, times => 1);
    place(1);
    settled(1, 'parked');
    state_is('failing', qr/certificate .* is not trusted/, 'said');
    is(scalar(() = $r->messages), 0, 'nothing was told');
    $r->stop;



=== TEST 12: no socket, nobody there, too many, not allowed
--- http_config eval: ::unix('gap=1s')
--- config eval: $::server
--- scenario
    my $path = "$ENV{TEST_NGINX_DIR}/alert.sock";
    unlink $path;

    portal()->fault(%$main::wrong, times => 1);
    place(1);
    settled(1, 'parked');
    state_is('failing', qr/there is no such socket/, 'no socket');

    # one that is left of somebody
    my $left = IO::Socket::UNIX->new(Local => $path, Listen => 1);
    chmod 0666, $path;
    close $left;
    state_is('failing', qr/nobody listens at the socket/, 'nobody listens');

    # one that takes no more
    unlink $path;
    my $deaf = IO::Socket::UNIX->new(Local => $path, Listen => 1)
        or die "cannot listen: $!\n";
    chmod 0666, $path;

    my @full;
    while (my $c = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(),
                                         Blocking => 0)) {
        last if !$c->connect(Socket::pack_sockaddr_un($path));
        push @full, $c;
        last if @full > 100;
    }

    state_is('failing', qr/takes no more connections/, 'too many');
    place(2);
    is(settled(2)->{state}, 'delivered', 'orders go on');
    is(complaints(), 1, 'one line of all that');

    close $_ for @full, $deaf;
    my $r = listener(mode => 'close');
    ok(wait_until(sub { $r->tries }, 60), 'it was tried');
    $r->stop;

    $r = listener();
    is(post('/b24/retry', '')->{status}, 202, 'retried');
    ok(wait_until(sub { events($r) =~ /parked cleared$/ }, 60), 'told of it');
    state_is('ok', qr/^$/, 'well');
    $r->stop;



=== TEST 13: a disk that refuses
--- http_config eval: ::unix('gap=1s')
--- config eval: $::server
--- scenario
    SKIP: {
        ok(quit(), 'quits');
        my $flag = start_preloaded('io_error')
            or do { start_again(); skip 'not under the sanitizers', 1 };

        place(1);
        delivered_once(1);

        open my $out, '>', $flag or die "cannot write $flag: $!\n";
        close $out;
        is(place(2 .. 4), 3, 'the shop answers');
        ok(wait_until(sub { B24::Desk::counter('held') == 3 }), 'and holds them');

        my $r = listener();
        events_are($r, 'queue raised', 'told, though nothing can be written');

        my ($m) = $r->messages;
        is($m->{origin}, undef, 'of no shop');
        is($m->{count}, 3, 'orders in memory');
        like($m->{text}, qr/3 orders are held in memory/, 'in words');

        unlink $flag or die "cannot remove $flag: $!\n";
        delivered_once(1 .. 4);
        events_are($r, 'queue raised, queue cleared', 'over');
        ok(quit(), 'quits');
        $r->stop;
    }



=== TEST 14: a queue that was set aside
--- http_config eval: ::unix('gap=1s')
--- config eval: $::server
--- expected_alert
b24: a new queue
--- scenario
    my $r = listener();

    place(1);
    delivered_once(1);
    ok(quit(), 'quits');
    is(join(' ', glob "$ENV{TEST_NGINX_QUEUE}/queue.db-*"), '',
       'all is in the file');

    open my $out, '>', "$ENV{TEST_NGINX_QUEUE}/queue.db" or die "$!\n";
    print $out 'garbage, ' x 1000;
    close $out;

    start_again();
    place(2);
    events_are($r, 'begun raised', 'told');
    is(B24::Desk::counter('set_aside'), 1, 'counted');
    like(($r->messages)[0]{text}, qr/set aside and a new one is begun/, 'what');

    # known after a reload, and nothing that is over
    ok(wait_until(sub { rows('SELECT event, raised, n FROM alerts')
                        eq "begun 0 1\n" }), 'written down');
    reload();
    place_lost(3);
    events_are($r, 'begun raised, unconfirmed raised', 'once');
    $r->stop;



=== TEST 15: several shops and one target
--- http_config eval
::unix('gap=1s', retry => 'first=1s max=1s unknown=1s') . '
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_4;
        b24_origin other;
        b24_mirror tested;
        location / { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_4;
        server_name twin.test;
        b24_origin other;
        b24_mirror tested;
        location / { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_4;
        server_name quiet.test;
        b24_origin quiet;
        b24_mirror tested;
        b24_alert off;
        location / { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }'
--- config eval: $::server
--- expected_alert
b24: a new queue
--- scenario
    my $r = listener();

    is(alert_of('quiet'), undef, 'one is not told of');

    ok(quit(), 'quits');
    open my $out, '>', "$ENV{TEST_NGINX_QUEUE}/queue.db" or die "$!\n";
    print $out 'garbage, ' x 1000;
    close $out;
    start_again();
    events_are($r, 'begun raised', 'what is of all is told once');

    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1);
    ok(wait_until(sub { 3 == (() = $r->messages) }), 'of each shop');
    is(join(' ', sort map { $_->{origin} // '-' } $r->messages),
       '- other tested', 'once, and not of the third');
    portal()->config(webhook => { state => 'ok' });
    settled(1);
    $r->stop;



=== TEST 16: somebody else is told anew of what lasts
--- http_config eval: ::unix('gap=1h')
--- config eval: $::server
--- scenario
    my $r = listener();

    portal()->fault(%$main::wrong, times => 1);
    place(1);
    events_are($r, 'parked raised', 'told');
    ok(quit(), 'quits');
    $r->stop;

    my $other = receiver();
    start_again(sub { $_[0] =~ s{b24_alert unix:\S+}
                                {b24_alert https://127.0.0.1:$ENV{TEST_NGINX_PORT_3}/new} });
    events_are($other, 'parked raised', 'the new one, too');
    ok(wait_until(sub { rows('SELECT target FROM alerts') =~ /^https:/ }),
       'noted');
    $other->stop;



=== TEST 17: orders that could not be kept
--- http_config eval
::unix('gap=1s', retry => 'first=300ms max=1s unknown=300ms')
    =~ s/(b24_queue [^;]+);/$1 max=100;/r
--- config eval: $::server
--- expected_alert
undelivered records
--- scenario
    portal()->fault(kind => 'html', status => 502, when => 'before',
                    times => 0);
    is(place(1 .. 100), 100, 'as many as it may hold');
    ok(wait_until(sub {
        my $counts = B24::Desk::status()->{portals}[0]{counts};
        return $counts->{accepted} + $counts->{waiting}
               + $counts->{sending} == 100;
    }), 'kept');

    is(place(101 .. 103), 3, 'the shop answers all the same');
    ok(wait_until(sub { B24::Desk::counter('lost') == 3 }), 'they are lost');

    # a message is made of what is so when it can be sent
    my $r = listener();
    events_are($r, 'lost raised', 'told');

    my ($m) = $r->messages;
    is($m->{origin}, undef, 'of no shop');
    is($m->{count}, 3, 'how many');
    is_deeply($m->{orders}, [], 'which ones nobody knows');
    like($m->{text}, qr/^3 orders could not be kept .* enter them by hand/, 'in words');

    is(place(104), 1, 'another one');
    events_are($r, 'lost raised, lost raised', 'told again');
    is(($r->messages)[1]{count}, 4, 'since nginx was started');

    # never over; a reload knows what was told
    portal()->clear_faults;
    ok(wait_until(sub { portal()->report(journal => 0)->{counts}{deals} == 100 },
                  60), 'what was kept is delivered');
    ok(wait_until(sub { rows("SELECT n FROM alerts WHERE event = 'lost'")
                        eq "4\n" }), 'written down');
    reload();
    place_lost(105);
    events_are($r, 'lost raised, lost raised, unconfirmed raised', 'once');
    $r->stop;
