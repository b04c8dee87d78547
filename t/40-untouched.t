# The shop must not notice the module: the same bytes reach the shop, and the
# same bytes the buyer, as without it, whatever state our side is in.

use strict;
use warnings;

use lib 't/lib';

our @shops;

BEGIN {
    @shops = qw(woocommerce-9.9.5 opencart-4.1.0.4 prestashop-8.1.2);
}

use B24::Test upstream => \@shops, lanes => 3;
use Test::Nginx::Socket;

use B24::Recording;
use B24::SideBySide;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

our $recording = B24::Recording->load(map { "t/recordings/$_" } @shops);

# rules that make candidates of all ways to order, so that bodies and answers
# are looked at
our $rules = <<'EOC';
    b24_queue $TEST_NGINX_QUEUE;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    b24_shop recorded {
        order block {
            uri        /wp-json/wc/store/v1/checkout;
            when       query:/__experimental_calc_totals !;
            accept     response:/payment_result/payment_status
                       ~^(success|pending)$;
            id         response:/order_id;
            first_name request:/billing_address/first_name;
            last_name  request:/billing_address/last_name;
            phone      request:/billing_address/phone;
            email      request:/billing_address/email;
        }

        order classic {
            uri        /;
            when       query:/wc-ajax =checkout;
            accept     response:/result =success;
            id         response:/order_id;
            first_name request:/billing_first_name;
            phone      request:/billing_phone;
            email      request:/billing_email;
        }

        order any {
            uri        /*;
            id         header:Location ~id_order=(\d+) response:/order_id;
            name       request:/firstname;
            email      request:/email;
        }
    }

    b24_origin  recorded;
    b24_webhook http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_2/rest/1/code/;
    b24_mirror  recorded;
EOC

our $server = <<'EOC';
    location = /b24-sentinel {
        return 200 "sentinel\n";
    }
EOC

our $shop = <<'EOC';
    location / {
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }
EOC

# Compares all recorded exchanges and, unless told otherwise, those below
# that no browser sent but a server has to put up with.
sub compare {
    my (%option) = @_;

    my $pair = B24::SideBySide->new;
    my @exchanges = ($recording->exchanges, $option{more} ? more() : ());
    my @differences = ($pair->compare_pipelined(@exchanges),
                       $pair->compare_keepalive($recording->exchanges));

    $pair->stop;

    is(join("\n", @differences[0 .. ($#differences < 9 ? $#differences
                                                         : 9)]), '',
       'no difference in ' . @exchanges . ' exchanges');
    cmp_ok(scalar upstream()->journal(lane => 0), '>=', 150,
           'all of them reached the shop');

    # or there was nothing to compare
    ok(scalar upstream()->wait_for(lane => 2), 'the module was at work')
        if $option{at_work};
}

sub request {
    my ($method, $target, $body, @headers) = @_;

    return { name => "$method $target", method => $method,
             request => B24::Client::request_bytes($method, $target, $body,
                            Connection => undef, @headers) };
}

sub more {
    my $checkout = '/wp-json/wc/store/v1/checkout';
    my @json = ('Content-Type' => 'application/json');
    my @form = ('Content-Type' => 'application/x-www-form-urlencoded');
    my @chunked = ('Transfer-Encoding' => 'chunked');
    my $big = 'a=' . 'x' x 100_000;

    return (
        request(POST => $checkout, "5\r\n{\"a\":\r\n3\r\n 1}\r\n0\r\n\r\n",
                @json, @chunked),
        request(POST => $checkout, '{"a":1}', @json,
                Expect => '100-continue'),
        request(POST => $checkout, '{"broken', @json),
        request(POST => $checkout, "\0\xff\xfe", @json),
        request(POST => $checkout, '', @json),
        request(POST => $checkout, $big, @form),
        request(POST => '/?wc-ajax=checkout', $big, @form),
        request(POST => '/?wc-ajax=checkout', '&&=&[[]=', @form),
        request(PUT => $checkout, '{}', @json),
        request(GET => $checkout),
        request(GET => '/'),
        request(OPTIONS => '/'),
        request(DELETE => "$checkout/1"),
        request(POST => '/%2e%2e//./x', 'a=1', @form),
    );
}

# Nothing may keep the buyer's connection busy once the shop has answered:
# while the portal holds our request, the next one on the same connection
# must be answered.
sub second_request_while_held {
    my ($pair) = @_;

    my ($placed) = grep { $_->{name} =~ /block-a-order1-finish.*checkout$/ }
                        $recording->exchanges;
    my $again = B24::Client::request_bytes('GET', '/b24-sentinel', undef,
                                           Connection => 'keep-alive');

    upstream()->reset;
    upstream()->script(lane => 2, hold => 1);

    my $client = B24::Client->new(port => $pair->port(0));

    $client->send($placed->{request});
    is($client->response->{status}, 200, 'the order is placed');

    my ($held) = upstream()->wait_for(lane => 2, state => 'held');
    ok($held, 'the portal holds our request');

    for my $n (1 .. 3) {
        $client->send($again);
        is($client->response->{body}, "sentinel\n",
           "request $n on the same connection is answered");
    }

    my @still = upstream()->journal(lane => 2, state => 'held');
    ok(scalar @still, 'while the portal still holds it');

    my ($with, $without) = $pair->second_request_times(
        first => $placed->{request}, second => $again);
    Test::More::note(sprintf 'the second request takes %.2f ms, without the'
                             . ' module %.2f ms',
                     1000 * $with, 1000 * $without);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the portal breaks every connection, usual proxying
--- http_config eval: $::rules
--- config eval: $::server . $::shop
--- scenario
    upstream()->script(lane => 2, close => 1);
    main::compare(more => 1, at_work => 1);



=== TEST 2: the portal hangs; buffering off, connections to the shop kept
--- http_config eval
$::rules =~ s/(server 127[^;]+;)/$1 keepalive 4;/r
--- config eval
$::server . $::shop
. "proxy_http_version 1.1; proxy_set_header Connection '';"
. "proxy_buffering off; proxy_request_buffering off;"
--- scenario
    upstream()->script(lane => 2, hold => 1);
    main::compare(at_work => 1);



=== TEST 3: bodies in files, answers compressed by nginx
--- http_config eval: $::rules
--- config eval
$::server . $::shop
. "client_body_buffer_size 256; client_body_in_file_only clean;"
. "gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;"
--- scenario
    main::compare(more => 1, at_work => 1);



=== TEST 4: the queue is taken away
--- http_config eval: $::rules
--- config eval: $::server . $::shop
--- expected_alert
b24
--- scenario
    remove_queue();
    main::compare();
    ok(wait_until(sub { error_log_lines(qr/b24: .*queue/) }),
       'the log tells of it');

    # or who has orders in memory would wait for it
    mkdir queue_dir(), 0700 or die "cannot make the folder: $!\n";
    chown B24::Test::worker_ids(), queue_dir();



=== TEST 5: the next request on the connection, while the portal hangs
--- http_config eval: $::rules
--- config eval: $::server . $::shop
--- scenario
    my $pair = B24::SideBySide->new;
    main::second_request_while_held($pair);
    $pair->stop;
