# b24_journal: what an order's request carries is written down before the shop
# answers, and is there whatever happens then.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::Orders;
use JSON::PP ();
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

our $upstream = 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0';

sub http {
    my ($journal) = @_;

    return B24::Orders::http(more => $journal ? "b24_journal $journal;" : '');
}

sub server {
    my ($more) = @_;

    return B24::Orders::server(shop => $upstream, more => $more // '');
}

# the shop says yes, when it is let
sub shop_holds {
    B24::Test::upstream()->script(target => '^/checkout', hold => 1,
        status => 200, headers => [ [ 'Content-Type', 'application/json' ] ],
        body => '{"ok":true}', @_);
}

sub shop_answers {
    B24::Test::upstream()->script(target => '^/checkout',
        status => 200, headers => [ [ 'Content-Type', 'application/json' ] ],
        body => '{"ok":true}', @_);
}

# Sends an order and doesn't wait for the answer.
sub send_order {
    my ($n, %field) = @_;

    my $client = B24::Scenario::client();
    $client->send(order_bytes($n, %field));

    return $client;
}

# Orders 2 to 5 are answered while the queue's thread, which has the first of
# them already, waits for its transaction.
sub answered_meanwhile {
    my ($body) = @_;

    my $upstream = B24::Test::upstream();
    my $lock = B24::Orders::lock_queue();
    my @clients;

    shop_holds(times => 4, body => $body);

    for my $n (2 .. 5) {
        push @clients, send_order($n);
        Test::More::ok(scalar $upstream->wait_for(state => 'held',
            count => $n - 1), "the shop has order $n");
    }

    Time::HiRes::sleep(0.3);
    $upstream->release(count => 4);
    Test::More::is(scalar(grep { $_->response->{status} == 200 } @clients), 4,
        'it answers');
    B24::Orders::unlock_queue($lock);
}

sub counts {
    return B24::Desk::status()->{portals}[0]{counts};
}

# Ends the master and all workers at once.
sub kill_all {
    my $master = B24::Scenario::master_pid();
    my @pids = ($master, B24::Scenario::worker_pids(all => 1));

    kill 'KILL', @pids;

    B24::Scenario::wait_until(sub {
        return !grep { B24::Test::is_alive($_) } @pids;
    }) or die "nginx does not end\n";

    unlink B24::Test::pid_file();
}

sub becomes {
    my ($state, $n) = @_;

    return B24::Scenario::wait_until(sub { counts()->{$state} == $n });
}

# All records.
sub records {
    return @{B24::Desk::status()->{orders}};
}

# What order N's request carries stands in the record.
sub carries {
    my ($record, $n) = @_;

    my $document = B24::Desk::document($record->{key});
    my $text = JSON::PP->new->canonical->encode($document);

    Test::More::like($text, qr/\+7916000000$n/, 'with the phone');
    Test::More::like($text, qr/"1990\.00"/, 'with the total');
    Test::More::like($text, qr/"795\.00"/, 'with the items');
}

# The number that was given out last to what was written down.
sub last_record {
    my $code = '$d = new SQLite3($argv[1], SQLITE3_OPEN_READONLY);'
        . ' $d->busyTimeout(20000); echo $d->querySingle("SELECT seq'
        . ' FROM sqlite_sequence WHERE name = \'records\'");';

    open my $from, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db"
        or die "cannot run php: $!\n";

    return scalar <$from>;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: captured while the shop works, then accepted with the same key
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_holds();
    my $client = ::send_order(1);

    ok(::becomes(captured => 1), 'captured');
    my ($captured) = ::records();
    is($captured->{state}, 'captured', 'on the page');
    is($captured->{id}, undef, 'without a number');
    ::carries($captured, 1);

    upstream()->release(count => 1);
    is($client->response->{status}, 200, 'the shop accepts');
    is(settled(1)->{state}, 'delivered', 'delivered');
    is(record(1)->{key}, $captured->{key}, 'the same record');
    is(join(' ', map { s/:.*//r } timeline(1)),
       'captured accepted sending delivered', 'its timeline');
    delivered_once(1);
    is(::counts()->{captured}, 0, 'none is left');



=== TEST 2: the shop says no: nothing stays
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_holds(body => '{"ok":false}');
    my $client = ::send_order(1);

    ok(::becomes(captured => 1), 'captured');
    upstream()->release(count => 1);
    is($client->response->{status}, 200, 'the shop answers');
    ok(::becomes(rejected => 1), 'counted as rejected');
    is(scalar(::records()), 0, 'no record');
    is(::counts()->{captured}, 0, 'nothing captured');



=== TEST 3: the worker is killed while the shop works
--- http_config eval: ::http()
--- config eval: ::server()
--- expected_alert
exited on signal 9
--- scenario
    ::shop_holds(times => 1);
    my $client = ::send_order(1);

    ok(::becomes(captured => 1), 'captured');
    kill KILL => worker_pids();
    ok(::becomes(unconfirmed => 1), 'unconfirmed');

    my ($record) = ::records();
    like($record->{cause}, qr/before the shop's answer was seen/, 'the cause');
    like($record->{advice}, qr/send or drop/, 'what to do');
    ::carries($record, 1);
    is(::counts()->{captured}, 0, 'no longer captured');

    # the next one is as ever
    upstream()->release;
    ::shop_answers();
    is(place(2), 1, 'an order');
    delivered_once(2);



=== TEST 4: the master and all workers are killed while the shop works
--- http_config eval: ::http('sync')
--- config eval: ::server()
--- expected_alert
open socket
--- scenario
    ::shop_holds(times => 1);
    my $client = ::send_order(1);

    ok(scalar upstream()->wait_for(state => 'held'), 'the shop has it');

    # sync: what the shop has is written down, or the log tells of the disk
    my ($record) = wait_until(sub {
        my @records = ::records();
        return @records || !error_log_lines(qr/disk took more than 200 ms/)
               ? \@records : 0;
    })->@*;
    is($record->{state}, 'captured', 'so it is captured');
    is($record->{id}, undef, 'its number does not count yet');
    ::carries($record, 1);
    ok(::becomes(captured => 1), 'and counted');

    ::kill_all();
    upstream()->release;
    start_again();
    ok(::becomes(unconfirmed => 1), 'a restart finds it');

    my ($found) = ::records();
    is($found->{key}, $record->{key}, 'the same record');
    is($found->{id}, 'o-1', 'with the number that its request carried');
    like($found->{cause}, qr/before the shop's answer was seen/, 'the cause');
    like($found->{advice}, qr/send or drop/, 'what to do');
    ::carries($found, 1);

    # the buyer tries once more: the same order
    ::shop_answers();
    is(place(1), 1, 'the shop accepts it now');
    is(settled(1)->{key}, $record->{key}, 'its answer settles the record');
    delivered_once(1);
    is(::counts()->{unconfirmed}, 0, 'nothing is left');



=== TEST 5: sync: a disk that is slow holds the request 200 ms at most
--- http_config eval: ::http('sync')
--- config eval: ::server()
--- scenario
    ::shop_answers();
    is(place(1), 1, 'an order');
    delivered_once(1);

    my $lock = lock_queue();
    my $begin = Time::HiRes::time();
    is(place(2), 1, 'the shop answers all the same');
    my $took = Time::HiRes::time() - $begin;
    cmp_ok($took, '>=', 0.19, 'after a pause');
    ok(error_log_lines(qr/disk took more than 200 ms/), 'the log says so');
    unlock_queue($lock);
    delivered_once(1, 2);
    is(::counts()->{captured}, 0, 'nothing is left');



=== TEST 6: the buyer leaves
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_holds(times => 1);
    my $client = ::send_order(1);
    ok(::becomes(captured => 1), 'captured');
    my ($captured) = ::records();
    $client->close;
    ok(::becomes(unconfirmed => 1), 'unconfirmed');

    my ($record) = ::records();
    is($record->{key}, $captured->{key}, 'the same record');
    ::carries($record, 1);

    my @warned = grep { /location.*proxy_ignore_client_abort on/ }
                 @{portal_state()->{warnings}};
    is(scalar @warned, 1, 'the page names the location');
    ::shop_answers();
    place(2);
    is(scalar(() = error_log() =~ /\[warn\].*proxy_ignore_client_abort/g), 1,
       'the log does, once');



=== TEST 7: the buyer leaves, and the location goes on
--- http_config eval: ::http()
--- config eval: ::server('proxy_ignore_client_abort on;')
--- scenario
    ::shop_holds();
    my $client = ::send_order(1);
    ok(::becomes(captured => 1), 'captured');
    $client->close;
    upstream()->release(count => 1);
    is(settled(1)->{state}, 'delivered', 'delivered');
    delivered_once(1);
    is(scalar @{portal_state()->{warnings}}, 0, 'nothing to warn of');



=== TEST 8: the shop does not answer in time
--- http_config eval: ::http()
--- config eval: ::server('proxy_read_timeout 500ms;')
--- scenario
    ::shop_holds();
    my $client = ::send_order(1);
    is($client->response->{status}, 504, 'the buyer is told');
    ok(::becomes(unconfirmed => 1), 'unconfirmed');
    ::carries((::records())[0], 1);
    is(::counts()->{captured}, 0, 'not captured');



=== TEST 9: the shop was not reached: nothing can have been ordered
--- http_config eval: ::http()
--- config eval: B24::Orders::server(shop => 'http://127.0.0.1:$TEST_NGINX_PORT_9')
--- scenario
    is(post('/checkout', order_json(1),
            'Content-Type' => 'application/json')->{status}, 502, 'refused');
    ok(wait_until(sub { ::counts()->{captured} == 0 }), 'nothing captured');
    is(scalar(::records()), 0, 'no record');



=== TEST 10: a large body, a body in a file
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_holds();
    my $client = ::send_order(1, comment => 'x' x 150_000);
    ok(::becomes(captured => 1), 'captured');
    my ($captured) = ::records();
    ::carries($captured, 1);
    upstream()->release(count => 1);
    is($client->response->{status}, 200, 'the shop accepts');
    is(settled(1)->{key}, $captured->{key}, 'the same record');
    delivered_once(1);



=== TEST 11: off: only what the shop accepted is written down
--- http_config eval: ::http('off')
--- config eval: ::server()
--- expected_alert
exited on signal 9
--- scenario
    ::shop_holds(times => 1);
    my $client = ::send_order(1);
    ok(scalar upstream()->wait_for(state => 'held'), 'the shop has it');
    kill KILL => worker_pids();
    upstream()->release;
    ::shop_answers();
    is(place(2), 1, 'another order');
    delivered_once(2);
    is(join(' ', map { $_->{id} } ::records()), 'o-2', 'the only record');



=== TEST 12: a reload does not take exchanges for dead
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_holds(times => 1);
    my $client = ::send_order(1);
    ok(::becomes(captured => 1), 'captured');

    my @old = worker_pids();
    signal_master('HUP');
    ok(wait_until(sub { my %is = map { $_ => 1 } @old;
                        grep { !$is{$_} } worker_pids() }), 'reloaded');

    # the new worker looks for orphans once it delivers
    ::shop_answers();
    is(place(2), 1, 'an order of the new worker');
    is(::counts()->{unconfirmed}, 0, 'the old one is not given up');
    upstream()->release;
    is($client->response->{status}, 200, 'the shop accepts');
    delivered_once(1, 2);



=== TEST 13: many at once
--- http_config eval: ::http('sync')
--- config eval: ::server()
--- scenario
    ::shop_answers();

    my @clients = map { ::send_order($_) } 1 .. 60;

    is(scalar(grep { $_->response->{status} == 200 } @clients), 60,
       'all are answered');
    delivered_once(1 .. 60);
    is(::counts()->{captured}, 0, 'nothing is left');



=== TEST 14: all are killed between the answer and the commit
--- http_config eval: ::http('sync')
--- config eval: ::server()
--- scenario
    ::shop_holds(times => 1);
    my $client = ::send_order(1);

    ok(::becomes(captured => 1), 'captured');

    my $lock = lock_queue();

    upstream()->release(count => 1);
    is($client->response->{status}, 200, 'the buyer knows');
    ::kill_all();
    unlock_queue($lock);
    start_again();
    ok(::becomes(unconfirmed => 1), 'it is kept');

    my ($record) = ::records();
    ::carries($record, 1);

    # a person finds it in the shop
    my $answer = post("/b24/orders/$record->{key}/send", '');
    is($answer->{status}, 202, 'sent');
    is(settled(1)->{state}, 'delivered', 'delivered');
    delivered_once(1);

    # and the buyer, who has seen nothing of that, orders again
    ::shop_answers();
    place(1);
    ok(::becomes(duplicate => 1), 'a duplicate');
    delivered_once(1);



=== TEST 15: the shop says no before the queue's thread comes to it
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_answers(times => 1);
    is(place(1), 1, 'an order');
    delivered_once(1);
    my $first = ::last_record();

    ::answered_meanwhile('{"ok":false}');
    ok(::becomes(rejected => 4), 'counted as rejected');
    is(::last_record() - $first, 0, 'none of them was ever written down');
    is(::counts()->{captured}, 0, 'nothing captured');

    ::shop_answers();
    is(place(6), 1, 'an order after that');
    delivered_once(1, 6);



=== TEST 16: the shop says yes before the queue's thread comes to it
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    ::shop_answers(times => 1);
    is(place(1), 1, 'an order');
    delivered_once(1);

    ::answered_meanwhile('{"ok":true}');
    delivered_once(1 .. 5);

    # the first was part of a commit under way, and that is the first to land
    for my $n (2 .. 5) {
        is(join(' ', map { s/:.*//r } timeline($n)),
           ($n == 2 ? 'captured ' : '') . 'accepted sending delivered',
           "what was written down of order $n");
    }

    is(::counts()->{captured}, 0, 'nothing is left');



=== TEST 17: the disk fails while the shop works
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    SKIP: {
        ok(quit(), 'quits');

        my $flag = start_preloaded('io_error')
            or do { start_again(); skip 'not under the sanitizers', 1 };
        my $disk = sub {
            return unlink $flag if $_[0];
            open my $out, '>', $flag or die "cannot write $flag: $!\n";
            close $out;
        };

        ::shop_answers(times => 1);
        is(place(1), 1, 'an order');
        delivered_once(1);

        # it goes back to the event loop, and is written when that is possible
        $disk->(0);
        ::shop_holds(times => 1);
        my $client = ::send_order(2);
        ok(wait_until(sub { B24::Desk::counter('store_errors') > 1 }),
           'the disk fails');
        is(B24::Desk::counter('held'), 1, 'it is held');
        $disk->(1);
        ok(::becomes(captured => 1), 'captured');
        my ($captured) = grep { $_->{state} eq 'captured' } ::records();
        ::carries($captured, 2);
        upstream()->release(count => 1);
        is($client->response->{status}, 200, 'the shop accepts');
        is(settled(2)->{key}, $captured->{key}, 'the same record');
        delivered_once(1, 2);

        # its exchange ends before that: it goes
        my $last = ::last_record();
        my $errors = B24::Desk::counter('store_errors');
        $disk->(0);
        ::shop_holds(times => 1, body => '{"ok":false}');
        $client = ::send_order(3);
        ok(wait_until(sub {
            return B24::Desk::counter('store_errors') > $errors + 1;
        }), 'the disk fails again');
        is(B24::Desk::counter('held'), 1, 'it is held');
        upstream()->release(count => 1);
        is($client->response->{status}, 200, 'the shop says no');
        ok(wait_until(sub { B24::Desk::counter('held') == 0 }), 'it goes');
        $disk->(1);
        ok(::becomes(rejected => 1), 'counted as rejected');
        is(::last_record(), $last, 'it was never written down');
        is(::counts()->{captured}, 0, 'nothing captured');
    }
