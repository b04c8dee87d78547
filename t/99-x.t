# Requests that look like those of a shop's administration, from somebody who
# is none of it, or that the shop has not done: without the shop's database the
# presets must see that from the answer.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);
log_level('info');

our $http = <<'EOC';
    b24_queue     $TEST_NGINX_QUEUE;
    b24_origin    shop;
    b24_webhook   $TEST_NGINX_PORTAL_URL;

    include $TEST_NGINX_PRESETS/woocommerce.conf;
    include $TEST_NGINX_PRESETS/prestashop.conf;
    include $TEST_NGINX_PRESETS/bitrix.conf;

    # what the shop answers: a status and a location
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;

        location / {
            add_header Location $http_x_location always;

            if ($http_x_status = 301) { return 301; }

            return 302;
        }
    }
EOC

our $server = <<'EOC';
    location /b24 {
        b24_status;
    }

    location / {
        b24_mirror SHOP;
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
    }
EOC

sub server_of {
    my ($shop) = @_;

    return $server =~ s/SHOP/$shop/r;
}

{
    package B24::Scenario::Code;

    # Whether such a request and its answer were taken for a status:
    # "taken N" (orders that aren't known), "ignored" or "none".
    sub takes {
        my ($method, $target, $body, $status, $location) = @_;

        my $count = sub {
            return map { B24::Desk::counter("statuses$_") } '', '_ignored',
                '_unknown';
        };
        my @before = $count->();
        my $client = B24::Client->new(port => B24::Scenario::port());

        $client->send(B24::Client::request_bytes($method, $target, $body,
            'Content-Type' => 'application/x-www-form-urlencoded',
            'X-Status' => $status, 'X-Location' => $location));

        my $answer = $client->response;
        my @now;

        die "answered with $answer->{status}\n" if $answer->{status} != $status;

        # what is none of a status block's is counted nowhere
        B24::Scenario::wait_until(sub {
            @now = $count->();
            return "@now[0, 1]" ne "@before[0, 1]";
        }, 2);

        return $now[0] > $before[0] ? 'taken ' . ($now[2] - $before[2])
            : $now[1] > $before[1] ? 'ignored' : 'none';
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 3: 1C-Bitrix: the buyer's page
--- http_config eval: $::http
--- config eval: main::server_of('bitrix')
--- scenario
    my $form = 'CANCEL=Y&ID=57&action=x&REASON_CANCELED=&sessid='
        . '0123456789abcdef0123456789abcdef';

    is(takes(POST => $_->[0], $form, 302, $_->[1]), 'taken 1', "@$_")
        for ['/personal/order/cancel/57/', '/personal/order/'],
            ['/personal/orders/?ID=57', '/personal/orders/'],
            ['/personal/order/cancel.php', '/personal/order/index.php?a=b'],
            ['/personal/orders/', 'https://shop.test/personal/orders/?x=y'];

    # nobody has to be signed in for these
    is(takes(POST => $_->[0], $form, 302, $_->[1]) =~ /taken/ ? 1 : 0, 0, "@$_")
        for ['/personal/orders/', '/auth/?backurl=/personal/orders/'],
            ['/personal/orders/', '/'], ['/', '/'],
            ['/personal/orders/', 'https://shop.test/'],
            ['/personal/orders/', 'https://shop.test'],
            ['/personal/orders/?logout=yes', '/personal/orders/'],
            ['/catalog/?a=/personal/', '/personal/'],
            ['/personal', '/personal/'],
            ['/personal/orders/', '//personal/orders/'];
