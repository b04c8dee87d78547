# What is done by the buttons of the page, in a browser: each asks first, and
# does once what it says, however often it is clicked.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands;
use B24::Orders;
use B24::Page;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

our $http = B24::Hands::http(retry => 'first=60s max=60s unknown=3s');
our $dry = B24::Hands::http(webhook => '$TEST_NGINX_PORTAL_URL dry');
our $nowhere = B24::Hands::http(webhook => 'http://127.0.0.1:9/rest/1/none/ dry');
our $bare = $dry =~ s/^\s*b24_webhook .*\n//mr;

our $server = B24::Orders::server(more => <<'EOC');
    proxy_ignore_client_abort on;
    client_header_timeout 3s;           # browsers connect ahead
EOC

# An expression: what the form to that address has.
sub form {
    my ($address, $what) = @_;

    return qq{document.querySelector('form[action="$address"]')$what};
}

# Opens what asks, and clicks the button inside, twice at once.
sub press {
    my ($address) = @_;

    browser()->js(form($address,
        '.closest("details").querySelector("summary").click()'));
    browser()->act('(function (b) { b.click(); b.click() })('
                   . form($address, '.querySelector("button")') . ')');
}

sub seen {
    my ($address) = @_;

    return browser()->js('(function (f) { return !!f && f.checkVisibility() })('
                         . form($address, '') . ')') ? 1 : 0;
}

# The same order comes back two days later with another content.
sub again {
    my ($n) = @_;

    queue_sql("UPDATE $_ SET accepted = accepted - 172800000"
              . " WHERE order_id = 'o-$n'") for qw(records links);
    B24::Orders::place([$n, total => '5.00']);

    my $key;
    B24::Scenario::wait_until(sub {
        ($key) = map { $_->{key} }
                 grep { ($_->{id} // '') eq "o-$n" && $_->{state} eq 'parked' }
                      @{B24::Desk::status()->{orders}};
        return $key;
    });

    return $key;
}

# How often a record was done something to by hand.
sub by_hand {
    my ($key, $word) = @_;

    my $answer = B24::Scenario::get("/b24/orders/$key?format=json");

    my $n = 0;
    $n += $_->{count}
        for grep { ($_->{cause} // '') =~ /^$word by hand from 127\.0\.0\.1/ }
                 @{JSON::PP::decode_json($answer->{body})->{timeline}};

    return $n;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: all that is parked, but what only a person can decide
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1);
    settled(1);
    my $reused = main::again(1);

    portal()->fault(B24::Hands::WRONG, times => 3);
    place(2 .. 4);
    settled($_, 'parked') for 2 .. 4;
    my %key = map { $_ => record($_)->{key} } 2 .. 4;

    my $answer = act('/b24/pause?origin=tested');
    is($answer->{status}, 202, 'nothing goes before all is seen');
    $answer = act('/b24/retry');
    is($answer->{json}{count}, 3, 'three are retried');
    is_deeply($answer->{json}{left}, [{ count => 1,
        cause => 'order number seen before with other content',
        advice => 'if it is a new order, send it: its number gets a suffix;'
                  . ' else drop it' }], 'one is left, and why');
    is_deeply(act('/b24/retry')->{json}{left}, $answer->{json}{left},
              'it stays');
    is_deeply(act('/b24/retry?origin=other')->{json}{left}, [],
              'not of another shop');

    # the same by the page
    queue_sql("UPDATE records SET state = 'parked', attempts = 1"
              . " WHERE state = 'accepted'");
    ok(wait_until(sub { B24::Desk::count('parked') == 4 }), 'parked again');

    my $button = '/b24/retry?origin=tested';
    visit('/b24', 'to be retried', qr/Some need you: 4/, qr/решения: 4/);
    is(main::seen($button), 0, 'nothing is done by one click');
    main::press($button);
    like(browser()->js('location.href'), qr{/\?state=parked$},
         'it leads to what is left');
    like(text(), qr/Orders in the state.*o-1.*seen before.*Drop/s,
         'with its cause and its buttons');
    sound('left');
    B24::Desk::count_is('accepted', 3, 'three are to go');
    is(main::by_hand($_, 'retried'), 2, "$_: once for each time")
        for values %key;
    is(main::by_hand($reused, 'retried'), 0, 'never the other');

    # it is sent by its own button, as an order of its own
    main::press("/b24/orders/$reused/send");
    act('/b24/resume');
    settled($_) for 2 .. 4;
    ok(wait_until(sub { B24::Desk::count('delivered') == 5 }), 'delivered');
    is(main::by_hand($reused, 'sent'), 1, 'sent once');
    is(portal()->wait_for(stable_ms => 300)->{counts}{deals}, 5, 'five deals');
    is(join(' ', sort keys %{deals()}), 'o-1 o-1-2 o-2 o-3 o-4', 'once each');
    away();



=== TEST 2: one shop of two is paused, the other goes on
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    visit('/b24', 'two shops', qr/All is well/, qr/Всё хорошо/);
    is(main::seen('/b24/pause?origin=other'), 0, 'a pause asks first');
    main::press('/b24/pause?origin=other');
    is(state_of('other')->{state}, 'paused', 'paused');
    is(state_of('tested')->{state}, 'ok', 'that one alone');
    is(scalar error_log_lines(qr/deliveries of "other": paused by hand from 127/),
       1, 'once');

    place(1);
    place_other(2);
    is(settled(1)->{state}, 'delivered', 'the other goes on');
    visit('/b24', 'one is paused',
        qr/Deliveries of some shops to the CRM are paused.*1 order waits/s,
        qr/приостановлена у части магазинов.*Ждёт 1 заказ/s);

    browser()->act('(function (b) { b.click(); b.click() })('
                   . main::form('/b24/resume?origin=other',
                                '.querySelector("button")') . ')');
    is(settled(2)->{state}, 'delivered', 'resumed');
    is(scalar error_log_lines(qr/deliveries of "other": resumed by hand/), 1,
       'once');
    ok(browser()->until_js(q{document.querySelector('.now.ok')}),
       'the page tells by itself');
    away();



=== TEST 3: send and drop, clicked twice
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    lose($_) for 1, 2;
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 2 }), 'two');

    my ($send, $drop) = map { record($_)->{key} } 1, 2;

    for my $language ('ru', 'en') {
        browser()->language($language);
        browser()->open(url('/b24'));
        ($language eq 'ru')
            ? main::press("/b24/orders/$send/send")
            : main::press("/b24/orders/$drop/drop");
        like(browser()->js('location.pathname'), qr{^/b24/orders/k-},
             'it leads to the order');
        like(text(), $language eq 'ru'
                     ? qr/отправлено вручную, с адреса 127\.0\.0\.1/
                     : qr/dropped by hand from 127\.0\.0\.1/, 'who did it');
    }

    sound('dropped');
    is(settled(1)->{state}, 'delivered', 'delivered');
    delivered_once(1);
    is(main::by_hand($send, 'sent'), 1, 'sent once');
    is(main::by_hand($drop, 'dropped'), 1, 'dropped once');
    B24::Desk::count_is('rejected', 1, 'counted once');
    away();



=== TEST 4: clicks that come at the same time, over connections of their own
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    lose(1);
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 1 }), 'one');

    my $key = record(1)->{key};
    my @clients = map { client() } 1 .. 8;

    $_->send(request_bytes('POST', "/b24/orders/$key/send", '')) for @clients;
    is(join(' ', map { $_->response->{status} } @clients),
       join(' ', (202) x 8), 'each is answered as if it had done it');
    is(settled(1)->{state}, 'delivered', 'delivered');
    is(main::by_hand($key, 'sent'), 1, 'one line');
    delivered_once(1);



=== TEST 5: a trial run: the portal is asked when a person wants it
--- http_config eval
$::dry =~ s/N NEW;/N NOWHERE;/r
--- config eval: $::server
--- scenario
    place(1);
    ok(wait_until(sub { record(1) }), 'accepted');

    is(scalar(@{portal()->wait_for(stable_ms => 1500)->{journal}}), 0,
       'nothing is asked by itself');
    visit('/b24', 'dry', qr/A trial run: no order is sent.*1 order waits/s,
          qr/Пробный режим: заказы в CRM не отправляются.*Ждёт 1 заказ/s);

    browser()->act(main::form('/b24/check?origin=tested',
                              '.querySelector("button").click()'));
    ok(wait_until(sub { @{state_of('tested')->{warnings}} }), 'asked');

    my $journal = portal()->report->{journal};
    my %asked = map { %{$_->{params}{cmd} // {}} } @$journal;

    is(scalar(@$journal), 1, 'one batch');
    is(join(' ', grep { !/^(?:profile|scope|\S+\.(?:list|fields))(?:\?|$)/ }
                 values %asked), '', 'nothing but questions');
    is(portal()->report->{counts}{deals}, 0, 'nothing is sent');
    is(state_of('tested')->{state}, 'dry', 'dry as before');
    is(record(1)->{state}, 'accepted', 'so is the order');

    visit('/b24', 'dry, checked',
        qr/the portal has no stage "NOWHERE" \(of the status "N"\)/,
        qr/на портале нет стадии «NOWHERE» \(для статуса «N»\)/);

    # what is wrong with the webhook is told, too, and nothing is tried again
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    is(act('/b24/check')->{status}, 202, 'asked');
    ok(wait_until(sub { state_of('tested')->{advice} }), 'refused');
    like(state_of('tested')->{advice}, qr/put a new one in b24_webhook/, 'why');
    is(state_of('tested')->{state}, 'dry', 'still dry');
    visit('/b24', 'dry, refused', qr/A trial run.*put a new one/s,
          qr/Пробный режим.*впишите новый/s);

    my $n = @{portal()->wait_for(stable_ms => 1500)->{journal}};
    portal()->config(webhook => { state => 'ok' });
    is(act('/b24/check')->{status}, 202, 'asked again');
    ok(wait_until(sub { !state_of('tested')->{advice} }), 'mended');
    is(scalar(@{portal()->report->{journal}}), $n + 1, 'by one batch');
    away();



=== TEST 6: a trial run with a portal that isn't there
--- http_config eval: $::nowhere
--- config eval: $::server
--- scenario
    place(1);
    ok(wait_until(sub { record(1) }), 'accepted');
    is(act('/b24/check')->{status}, 202, 'asked');
    ok(wait_until(sub { state_of('tested')->{reason} }), 'no answer');
    is(state_of('tested')->{state}, 'dry', 'dry');
    visit('/b24', 'dry, nobody there',
          qr/A trial run.*the portal does not accept connections/s,
          qr/Пробный режим.*портал не принимает соединений/s);
    away();



=== TEST 7: no portal is configured
--- http_config eval: $::bare
--- config eval: $::server
--- scenario
    place(1);
    ok(wait_until(sub { record(1) }), 'accepted');
    visit('/b24', 'no portal', qr/do not reach.*no portal.*add b24_webhook/s,
          qr/не доходят.*портал не указан.*добавьте b24_webhook/s);
    like(said('/b24/check'), qr/^409: there is no portal to ask/, 'none');
    away();



=== TEST 8: the disk refuses
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1);
    is(settled(1)->{state}, 'delivered', 'one before');

    my $folder = queue_dir();
    rename $folder, "$folder-away" or die "$folder: $!\n";

    place(2, 3);
    ok(wait_until(sub { B24::Desk::counter('held') == 2 }), 'held in memory');
    visit('/b24', 'held', qr/do not reach.*cannot be written, orders held in memory: 2/s,
          qr/не доходят.*нельзя записать, заказов в памяти: 2/s);

    unlike(text(), qr/No orders yet/, 'nothing is said that nobody knows');
    browser()->open(url('/b24?state=delivered'));
    like(text(), qr/\bdelivered\s+Not to be read now\./, 'of a state either');

    rename "$folder-away", $folder or die "$folder: $!\n";
    ok(wait_until(sub { !B24::Desk::counter('held') }), 'written');
    settled($_) for 2, 3;
    delivered_once(1 .. 3);
    away();
