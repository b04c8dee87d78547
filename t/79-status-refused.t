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

    b24_shop sure {
        status all { uri /sure; id request:/id; }
    }

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

    location /sure {
        b24_mirror sure;
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
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

    # What becomes of requests and their answers, together: how many are taken
    # for a status, of how many orders (none is known), how many are looked at
    # and are none.  Exchanges are counted in their order: one of ten orders
    # comes behind them, which takes the seconds that unknown orders are given.
    sub counted {
        my (@exchanges) = @_;

        my $counters = sub {
            return @{B24::Desk::status()->{counters}}{qw(statuses
                statuses_unknown statuses_ignored)};
        };
        my @before = $counters->();
        my @now;

        passes(@$_) for @exchanges;
        passes(POST => '/sure', join('&', map { "id[]=$_" } 1 .. 10), 302, '/');

        B24::Scenario::wait_until(sub {
            @now = $counters->();
            return $now[1] >= $before[1] + 10;
        }) or die "nothing is counted\n";

        return ($now[0] - $before[0] - 1, $now[1] - $before[1] - 10,
                $now[2] - $before[2]);
    }

    # Tests: each of the exchanges, [NAME, what passes() takes], is taken for
    # the status of one order ("taken"), is looked at and is none ("ignored"),
    # or is not taken ("left").  When all are as they should be their number
    # says so; else each is sent again, alone.
    sub all_are {
        my ($what, @all) = @_;

        my $n = @all;
        my $is = sub {
            my ($n, $taken, $orders, $ignored) = @_;

            return $what eq 'taken' ? $taken == $n && $orders == $n && !$ignored
                 : $what eq 'ignored' ? !$taken && !$orders && $ignored == $n
                 : !$taken && !$orders;
        };

        my @exchanges = map { [@$_[1 .. $#$_]] } @all;

        if ($is->($n, counted(@exchanges))) {
            Test::More::pass("$_->[0]: $what") for @all;
            return;
        }

        Test::More::fail("not all $n are $what");

        for my $i (0 .. $#all) {
            my @alone = counted($exchanges[$i]);

            Test::More::ok($is->(1, @alone), "$all[$i][0]: $what")
                or Test::More::diag("taken $alone[0], of $alone[1] orders,"
                                    . " ignored $alone[2]");
        }
    }

    sub passes {
        my ($method, $target, $body, $status, $location) = @_;

        my $client = B24::Client->new(port => B24::Scenario::port());

        $client->send(B24::Client::request_bytes($method, $target, $body,
            'Content-Type' => 'application/x-www-form-urlencoded',
            'X-Status' => $status, 'X-Location' => $location));

        my $answer = $client->response;

        die "answered with $answer->{status}\n" if $answer->{status} != $status;
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: WooCommerce: an address that is sent elsewhere as it is
--- http_config eval: $::http
--- config eval: main::server_of('woocommerce')
--- scenario
    my $bulk = '/wp-admin/edit.php?post_type=shop_order&post[]=5121'
        . '&action=mark_cancelled&action2=-1';
    my $list = '/wp-admin/edit.php?post_type=shop_order';
    my $form = 'action=editpost&post_ID=5121&order_status=wc-cancelled';

    all_are(taken =>
        ['a group action that is done',
         GET => $bulk, '', 302, "$list&changed=1&ids=5121"],
        ['a form that is saved', POST => '/wp-admin/post.php', $form, 302,
         '/wp-admin/post.php?post=5121&action=edit&message=1']);
    all_are(ignored =>
        ['one that is not', GET => $bulk, '', 302, "$list&changed=0&ids="]);

    # nobody has to be signed in for these
    my @refused;

    for my $status (301, 302) {
        for my $echo ('&changed=1', '&x=?changed=1', '&x=%26&changed=1') {
            push @refused, ["to https: $status $echo", GET => "$bulk$echo", '',
                            $status, "https://shop$bulk$echo"];
        }

        for my $echo ('?message=1', '?x=?message=1', '?x=1&message=1') {
            my $page = "/wp-admin/post.php$echo";

            push @refused, ["to https: $status $echo", POST => $page, $form,
                            $status, "https://shop$page"];
        }
    }

    all_are(left => @refused, ['to the login',
        POST => '/wp-admin/post.php?message=1', $form, 302,
        'http://shop/wp-login.php?redirect_to=http%3A%2F%2Fshop%2F'
        . 'wp-admin%2Fpost.php%3Fmessage%3D1&reauth=1']);



=== TEST 2: PrestaShop: not signed in, a token of another session
--- http_config eval: $::http
--- config eval: main::server_of('prestashop')
--- scenario
    my $page = '/admin814/index.php/sell/orders/209/status';
    my $list = '/admin814/index.php/sell/orders/list/209/status';
    my $set = 'update_order_status_action_bar%5Bnew_order_status_id%5D=6';

    all_are(taken =>
        ['the page of an order', POST => "$page?_token=x", $set, 302,
         '/admin814/index.php/sell/orders/209/view?_token=x'],
        ['the list', POST => "$list?_token=x", 'value=6', 302,
         '/admin814/index.php/sell/orders/?_token=x']);

    all_are(ignored =>
        map { ["to $_", POST => "$page?_token=x", $set, 302, $_] }
        'http://shop/admin814/index.php?controller=AdminLogin&redirect=AdminOrders',
        '/admin814/index.php/login',
        '/admin814/index.php/security/compromised?uri=%2Fadmin814%2Findex.php'
        . '%2Fsell%2Forders%2F209%2Fview',
        "https://shop$page?_token=x",
        "https://shop$page?x=/sell/orders/209/view",
        "/en$page");



=== TEST 3: 1C-Bitrix: the buyer's page
--- http_config eval: $::http
--- config eval: main::server_of('bitrix')
--- scenario
    my $form = 'CANCEL=Y&ID=57&action=x&REASON_CANCELED=&sessid='
        . '0123456789abcdef0123456789abcdef';
    my @exchange = map { ["@$_", POST => $_->[0], $form, 302, $_->[1]] }
        ['/personal/order/cancel/57/', '/personal/order/'],
        ['/personal/orders/?ID=57', '/personal/orders/'],
        ['/personal/order/cancel.php', '/personal/order/index.php?a=b'],
        ['/personal/orders/', 'https://shop.test/personal/orders/?x=y'],

        # nobody has to be signed in for these
        ['/personal/orders/', '/auth/?backurl=/personal/orders/'],
        ['/personal/orders/', '/'], ['/', '/'],
        ['/personal/orders/', 'https://shop.test/'],
        ['/personal/orders/', 'https://shop.test'],
        ['/personal/orders/?logout=yes', '/personal/orders/'],
        ['/catalog/?a=/personal/', '/personal/'],
        ['/personal', '/personal/'],
        ['/personal/orders/', '//personal/orders/'];

    all_are(taken => @exchange[0 .. 3]);
    all_are(left => @exchange[4 .. $#exchange]);
