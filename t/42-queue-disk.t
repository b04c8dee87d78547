# A disk that refuses what one worker writes, the only one there is: it is told
# as long as it is so, and at an exit what is held is written or given up.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Orders;
use B24::Receiver;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

# A shop that refuses when asked to; without a journal that is a number only.
our $http = B24::Orders::http(shop => 0,
    more => 'b24_alert unix:$TEST_NGINX_DIR/alert.sock gap=1s;'
            . ' b24_journal off;') . <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;

        location / {
            default_type application/json;

            if ($arg_no) {
                return 200 '{"ok":false}';
            }

            return 200 '{"ok":true}';
        }
    }
EOC

our $server = B24::Orders::server();

# With a disk that works until refuse(); undef under the sanitizers.
sub with_disk {
    Test::More::ok(B24::Scenario::quit(), 'quits');

    my $flag = B24::Scenario::start_preloaded('io_error');

    B24::Scenario::start_again() if !$flag;

    return $flag;
}

sub refuse {
    my ($flag) = @_;

    open my $out, '>', $flag or die "cannot write $flag: $!\n";
    close $out;
}

sub listener {
    return B24::Receiver->start(path => "$ENV{TEST_NGINX_DIR}/alert.sock",
                                dir => "$ENV{TEST_NGINX_DIR}/receiver");
}

# A test: the messages come to be these.
sub events_are {
    my ($receiver, $want, $name) = @_;

    my $events = sub {
        return join ', ', map { "$_->{event} $_->{state}" }
                          $receiver->messages;
    };

    B24::Scenario::wait_until(sub { length $events->() >= length $want }, 30);

    return Test::More::is($events->(), $want, $name);
}

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_)
        for qw(events_are listener refuse with_disk);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: it is told, though the shop accepts nothing
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    SKIP: {
        my $r = listener();
        my $flag = with_disk() or skip 'not under the sanitizers', 1;

        place(1);
        delivered_once(1);

        refuse($flag);
        my $no = post('/checkout?no=1', order_json(2),
                      'Content-Type' => 'application/json');
        is($no->{body}, '{"ok":false}', 'no order');
        events_are($r, 'queue raised', 'told');
        is(B24::Desk::counter('held'), 0, 'nothing is held');
        isnt(B24::Desk::status()->{queue}, 'ok', 'the page says so');

        unlink $flag or die "cannot remove $flag: $!\n";
        events_are($r, 'queue raised, queue cleared', 'over');
        B24::Desk::count_is('rejected', 1, 'the refusal is counted');
        ok(quit(), 'quits');
        $r->stop;
    }



=== TEST 2: what is held at an exit is written when the disk is well again
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    SKIP: {
        my $flag = with_disk() or skip 'not under the sanitizers', 1;

        place(1);
        delivered_once(1);

        refuse($flag);
        is(place(2 .. 41), 40, 'the shop answers');
        ok(wait_until(sub { B24::Desk::counter('held') == 40 }), 'held');

        unlink $flag or die "cannot remove $flag: $!\n";
        ok(quit(undef, 'TERM'), 'ends at once');
        is(scalar(() = error_log_lines(qr/could not be written to/)), 0,
           'nothing is given up');

        start_again();
        delivered_once(1 .. 41);
    }



=== TEST 3: what can't be written then is said
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert
could not be written to
--- scenario
    SKIP: {
        my $flag = with_disk() or skip 'not under the sanitizers', 1;

        place(1);
        delivered_once(1);

        refuse($flag);
        is(place(2 .. 4), 3, 'the shop answers');
        ok(wait_until(sub { B24::Desk::counter('held') == 3 }), 'held');

        ok(quit(undef, 'TERM'), 'ends at once');
        is(scalar(() = error_log_lines(
               qr/\[alert\].* 3 order events could not be written to/)), 1,
           'what is lost, in one line');

        unlink $flag or die "cannot remove $flag: $!\n";
        start_again();
        place(5);
        delivered_once(1, 5);
    }
