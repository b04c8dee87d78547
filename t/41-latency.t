# The buyer's connection is free as soon as the shop has answered, whatever
# the portal, the disk, the shop's database and the courier are busy with.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::MariaDB;
use B24::Orders;
use B24::SideBySide;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
worker_connections(512);

# a single worker: it serves the buyers and delivers, so that whatever blocks
# is seen
workers(1);

use constant {
    ROUNDS => 25,
    BOUND  => 0.05,      # seconds; two requests take less than one
};

our $upstream = <<'EOC';
    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }
EOC

our $http = B24::Orders::http(shop => 0) . $upstream;

our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
                            port => B24::Test::free_port());

# what takes connections and never says a word
our $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => B24::Test::free_port(), Proto => 'tcp', Listen => 50,
    ReuseAddr => 1) or die "no socket: $!\n";

$ENV{TEST_NGINX_DB} = $db->url;
$ENV{TEST_NGINX_DB_MUTE} = $db->url(port => $mute->sockport);

our $statements = <<'EOC';

        database {
            order "SELECT id AS `row`, number AS id FROM orders
                   WHERE number = :number";
            link  "UPDATE orders SET deal = :deal WHERE id = :row";
        }
EOC

# With the shop's database, whose timeouts are longer than any test.
sub with_database {
    my ($url) = @_;

    return B24::Orders::http(shop => 0, more => "b24_database $url"
        . ' connect=120s read=120s wait=1s absent=1s; b24_import off;')
        =~ s/(b24_shop tested \{)/$1$statements/r . $upstream;
}

# Empties the shop but for orders of these numbers.
sub sold {
    $db->sql('DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int'
        . ' AUTO_INCREMENT PRIMARY KEY, number varchar(60) UNIQUE, deal int);'
        . join('', map { "INSERT INTO orders (number) VALUES ('o-$_');" } @_),
        'shop');
}

# While something of the shop's database waits: many buyers as well.
sub database_waits {
    my ($waits) = @_;

    place(100);
    ok(B24::Scenario::wait_until($waits), 'the database is asked');

    goes_on(1, $waits);

    my @answers = B24::Scenario::parallel_requests(map { order_bytes($_) }
                                                       5 .. 24);

    is(scalar(grep { /\r\n\r\n\{"ok":true\}$/ } @answers), 20,
       'many at once are answered');
    ok($waits->(), 'and nothing was heard of the database');
}

our $server = B24::Orders::server(shop => 'http://recorded')
              . 'keepalive_requests 10000;';

our $plain = B24::Client::request_bytes('GET', '/plain', undef,
                                        Connection => 'keep-alive');

# The shop says yes to everything.
sub open_shop {
    B24::Test::upstream()->script(target => '^/checkout', status => 200,
        headers => [['Content-Type', 'application/json']],
        body => '{"ok":true}');
}

sub order {
    my ($n) = @_;

    return order_bytes($n) =~ s/Connection: close/Connection: keep-alive/r;
}

# On one connection: an order, then other requests of several kinds, each of
# which must be answered while CONDITION holds.
sub goes_on {
    my ($n, $condition) = @_;

    my $client = B24::Client->new(port => B24::Scenario::port());

    $client->send(order($n));
    is($client->response->{status}, 200, "order $n");
    ok($condition->(), 'something takes long');

    $client->send($plain);
    is($client->response->{body}, "plain\n", 'a plain request');
    $client->send($plain x 3);
    is($client->response->{body}, "plain\n", "pipelined $_") for 1 .. 3;
    $client->send(order($n + 1));
    is($client->response->{body}, '{"ok":true}', 'another order');
    $client->send(B24::Client::request_bytes('HEAD', '/plain', undef,
                                             Connection => 'keep-alive'));
    is($client->response(head => 1)->{status}, 200, 'HEAD');
    $client->send(order($n + 2) . order($n + 3) . $plain);
    is($client->response->{body}, '{"ok":true}', 'two pipelined orders')
        for 1 .. 2;
    is($client->response->{body}, "plain\n", 'and a plain request');
    ok($client->is_idle, 'the connection stays open');
    ok($condition->(), 'and it still takes long');
}

sub held {
    return B24::Test::portal()->report(journal => 0)->{counts}{held};
}

# Median time of the first request on a connection, each side, in seconds.
sub first_request_times {
    my ($pair) = @_;

    my @times = ([], []);

    for my $n (1 .. ROUNDS) {
        for my $side (0, 1) {
            my $client = B24::Client->new(port => $pair->port($side));
            my $start = Time::HiRes::time();

            $client->send(order(1000 + $n));
            $client->response;
            push @{$times[$side]}, Time::HiRes::time() - $start;
        }
    }

    return map { (sort { $a <=> $b } @$_)[$#$_ / 2] } @times;
}

# Prints both medians; the bound is for a busy machine, far below what any
# wait for the portal or for the disk would take.
sub compared {
    my ($what, $with, $without) = @_;

    Test::More::note(sprintf '%s: %.2f ms, without the module %.2f ms',
                     $what, 1000 * $with, 1000 * $without);
    cmp_ok($with - $without, '<', BOUND, $what);
}

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_)
        for qw(compared database_waits first_request_times goes_on held
               open_shop order sold);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the portal hangs over a look-up
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    open_shop();
    portal()->fault(kind => 'hang_before', times => 0);
    goes_on(1, sub { portal()->wait_for(held => 1); held() >= 1 });
    portal()->clear_faults;
    portal()->release;
    delivered_once(1 .. 4);



=== TEST 2: the portal hangs over a write
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    open_shop();
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    goes_on(1, sub { portal()->wait_for(held => 1); held() >= 1 });
    portal()->release;
    delivered_once(1 .. 4);



=== TEST 3: the portal's name takes long to resolve, or does not
--- http_config eval
B24::Orders::http(shop => 0, webhook => 'https://portal.invalid/rest/1/code/')
. '
    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }'
--- config eval: $::server
--- scenario
    open_shop();
    goes_on(1, sub { 1 });
    is(portal()->report->{counts}{arrived}, 0, 'nothing was sent');



=== TEST 4: nothing can be committed
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    open_shop();

    # the first order makes the file
    my $client = client();
    $client->send(order(100));
    $client->response;
    delivered_once(100);

    my $lock = lock_queue();
    my $state = sub { portal()->report(journal => 0)->{counts}{deals} == 1 };

    goes_on(1, $state);
    unlock_queue($lock);
    delivered_once(100, 1 .. 4);



=== TEST 5: many buyers at once while the portal hangs
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    open_shop();
    portal()->fault(kind => 'hang_before');

    my @answers = parallel_requests(map { order_bytes($_) } 1 .. 60);

    is(scalar(grep { /\r\n\r\n\{"ok":true\}$/ } @answers), 60,
       'all are answered');
    ok(portal()->wait_for(held => 1)->{counts}{held}, 'it hangs');
    is(get('/plain')->{body}, "plain\n", 'nginx goes on');
    portal()->release;
    delivered_once(1 .. 60);



=== TEST 6: beside a server without the module, while the portal hangs
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    open_shop();
    portal()->fault(kind => 'hang_before', times => 0);

    my $pair = B24::SideBySide->new;

    compared('the second request', $pair->second_request_times(
        first => order(1), second => $main::plain,
        rounds => main::ROUNDS));
    ok(portal()->wait_for(held => 1)->{counts}{held}, 'it hung');
    compared('an order', first_request_times($pair));
    ok(held(), 'it still hung');
    $pair->stop;



=== TEST 7: a statement of the shop's database waits for a lock
--- http_config eval: main::with_database('$TEST_NGINX_DB')
--- config eval: $::server
--- scenario
    open_shop();
    sold(1 .. 24, 100);

    my $lock = $::db->hold('LOCK TABLES orders WRITE', 'shop');

    database_waits(sub { 1 == $::db->running(qr/^SELECT id AS/) });
    close $lock;
    delivered_once(1 .. 24, 100);



=== TEST 8: the deal's number waits for a lock
--- http_config eval: main::with_database('$TEST_NGINX_DB')
--- config eval: $::server
--- scenario
    open_shop();
    sold(1 .. 24, 100);
    $::db->sql('SET GLOBAL innodb_lock_wait_timeout = 120');

    my $lock = $::db->hold('START TRANSACTION; SELECT * FROM orders FOR UPDATE',
                           'shop');

    database_waits(sub { 1 == $::db->running(qr/^UPDATE orders/) });
    close $lock;
    delivered_once(1 .. 24, 100);



=== TEST 9: who is there for the shop's database never says a word
--- http_config eval: main::with_database('$TEST_NGINX_DB_MUTE')
--- config eval: $::server
--- scenario
    open_shop();

    my $peer;

    # still connected, and nothing was sent: the greeting comes first
    database_waits(sub {
        $peer //= $::mute->accept;
        return !IO::Select->new($peer)->can_read(0);
    });

    $::mute->shutdown(2);
    close $peer;
    is(portal()->wait_for(deals => 25, timeout => 60)->{counts}{deals}, 25,
       'all are delivered as captured');
