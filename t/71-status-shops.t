# Later statuses of orders as the presets read them: what the administrations of
# the shops send, recorded and documented, with and without the shop's database.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => ['woocommerce-9.9.5', 'opencart-3.0.5.1',
                           'opencart-4.1.0.4', 'prestashop-8.1.2'];
use Test::Nginx::Socket;

use B24::Bitrix;
use B24::Bought;
use B24::Client;
use B24::Desk;
use B24::MariaDB;
use B24::Recording;
use B24::Tables;
use JSON::PP ();
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);
log_level('info');

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
                            port => B24::Test::free_port());

$ENV{TEST_NGINX_DB} = $db->url;

our $plain = <<'EOC';
    b24_queue     $TEST_NGINX_QUEUE;
    b24_origin    shop;
    b24_webhook   $TEST_NGINX_PORTAL_URL;
    b24_rate      50 burst=4000;
    b24_retry     first=100ms max=1s unknown=300ms;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    include $TEST_NGINX_PRESETS/woocommerce.conf;
    include $TEST_NGINX_PRESETS/opencart.conf;
    include $TEST_NGINX_PRESETS/prestashop.conf;
    include $TEST_NGINX_PRESETS/bitrix.conf;
EOC

our $http = $plain . '    b24_database  $TEST_NGINX_DB poll=POLL traffic=1s;';

sub polled {
    my ($poll) = @_;

    return $http =~ s/POLL/$poll/r;
}

our $server = <<'EOC';
    location /b24 {
        b24_status;
    }

    location / {
        b24_mirror SHOP;
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }
EOC

sub server_of {
    my ($shop) = @_;

    return $server =~ s/SHOP/$shop/r;
}

# The server's lines that give the flags of 1C-Bitrix stages.
sub server_with_flags {
    return "    b24_stage PAID PREPAYMENT_INVOICE;\n"
        . "    b24_stage SHIPPED FINAL_INVOICE;\n" . server_of('bitrix');
}

sub fresh {
    $db->sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
}

# The recorded orders of a shop, in its tables when they are to be filled.
sub recorded {
    my ($name, $fill) = @_;

    if ($fill) {
        my $truth = JSON::PP::decode_json(B24::Recording::read_file(
            "t/recordings/$name/truth.json"));

        fresh();
        $fill->($db, @{$truth->{orders}});
    }

    return B24::Bought->load($name);
}

# Plays the recorded exchange whose name begins with a number.
sub replay {
    my ($bought, $n) = @_;

    return $bought->play(filter => sub { $_[0]{name} =~ /^$n-/ });
}

our ($site, %bitrix);

sub site {
    fresh();
    $site = B24::Bitrix->new;
    B24::Tables::bitrix($db, layout => 21);
    B24::Tables::bitrix_properties($db, $_, $site->{types}[$_ - 1], deal => 1)
        for 1, 2;
}

# An order of 1C-Bitrix, in its tables and as a deal.
sub ordered {
    my ($id, $number, %more) = @_;

    B24::Tables::bitrix_order($db, ID => $id, ACCOUNT_NUMBER => $number,
        PRICE => 1990, PRICE_DELIVERY => 0, ids => $site->{types}[0],
        layout => 21, values => { FIO => 'Иванов Пётр',
                                  PHONE => '79161234567' },
        rows => [[$id * 10, 1012, 'Футболка', 1, 1990]], %more);
    $site->save({ FIO => 'Иванов Пётр' }, $site->accepted($number));

    return B24::Desk::deal($number, timeout => 40);
}

# What a page of the administration is sent, and what it answers.
sub admin {
    my ($page, $fields, $answer, %option) = @_;

    my $target = "/bitrix/admin/$page";

    $site->says($target, $answer, %option);

    return B24::Scenario::post($target,
        B24::Bitrix::urlencoded('UTF-8', @$fields, sessid => '0123'),
        $site->cookies);
}

sub ajax {
    my ($fields, $answer) = @_;

    return admin('sale_order_ajax.php', $fields, $answer);
}

# A column of an order in the tables.
sub set {
    my ($id, %set) = @_;

    my $set = join ', ', map { "$_ = '$set{$_}'" } sort keys %set;

    $db->sql("UPDATE b_sale_order SET $set,"
             . " DATE_UPDATE = DATE_ADD(DATE_UPDATE, INTERVAL 1 SECOND)"
             . " WHERE ID = $id", 'shop');
}

# Changes an order as the shop does, with the time of now; hours: by which the
# shop's zone is ahead of the database's.
sub changed {
    my ($id, $hours, %set) = @_;

    my $set = join ', ', map { "$_ = '$set{$_}'" } sort keys %set;

    $db->sql("UPDATE b_sale_order SET $set,"
             . " DATE_UPDATE = DATE_ADD(NOW(), INTERVAL $hours * 60 MINUTE)"
             . " WHERE ID = $id", 'shop');
}

# Changes on both sides between two looks at the table, in either order.
sub of_their_times {
    my ($id, $hours) = @_;

    my $deal = ordered($id, "A-$id", DATE_UPDATE =>
                       \"DATE_ADD(NOW(), INTERVAL $hours * 60 MINUTE)");

    next_poll() for 1, 2;
    changed($id, $hours, STATUS_ID => 'P');
    Time::HiRes::sleep(2.2);
    person_moves($deal, 'EXECUTING');
    B24::Desk::told("A-$id", qr/moved to "EXECUTING" in the CRM after the shop's change to "PREPARATION": it was left there/,
         'the CRM was later');

    next_poll();
    person_moves($deal, 'NEW');
    Time::HiRes::sleep(2.2);
    changed($id, $hours, STATUS_ID => 'F');
    B24::Desk::told("A-$id", qr/"WON" now, the shop's change was the newer one: in the CRM it had been moved to "NEW"/,
         'the shop was later');
}

# Waits until changes are asked for once more.
sub next_poll {
    my $polls = sub { scalar grep { /AS changed/ && /Execute/ } $db->log };
    my $before = $polls->();

    return B24::Scenario::wait_until(sub { $polls->() > $before }, 30);
}

# A person moves a deal in the CRM.
sub person_moves {
    my ($deal, $stage) = @_;

    B24::Test::portal()->edit(entity => 'deal', id => $deal->{id},
                              fields => { STAGE_ID => $stage });
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: WooCommerce: the list, the form, the group action, the REST API
--- http_config eval: $::plain
--- config eval: main::server_of('woocommerce')
--- scenario
    my $bought = main::recorded('woocommerce-9.9.5');
    $bought->play(filter => sub { $_[0]{name} =~ /(?:classic-c|block-a).*checkout$/
                                  && $_[0]{method} eq 'POST' });
    B24::Desk::stage_is($_, 'NEW', "$_ is there") for 5121, 5128;

    main::replay($bought, '088');
    B24::Desk::stage_is(5121, 'WON', 'the button of the list');
    main::replay($bought, '089');
    B24::Desk::stage_is(5128, 'PREPARATION', 'the form: on-hold');
    main::replay($bought, '091');
    B24::Desk::stage_is(5128, 'WON', 'the form: completed');
    main::replay($bought, '092');
    B24::Desk::stage_is(5128, 'LOSE', 'the form: cancelled');
    main::replay($bought, '093');
    B24::Desk::stage_is(5128, 'NEW', 'a group action: processing');
    main::replay($bought, '094');
    B24::Desk::stage_is(5128, 'WON', 'the API: completed');
    main::replay($bought, '095');
    B24::Desk::stage_is(5128, 'LOSE', 'the API: cancelled');

    is(B24::Desk::counter('statuses'), 7, 'each was taken down');
    is(B24::Desk::counter('statuses_ignored'), 0, 'none was refused');
    B24::Desk::count_is('delivered', 2, 'of two orders');



=== TEST 2: OpenCart 3 and 4: read again from the tables
--- http_config eval: main::polled('60s')
--- config eval: main::server_of('opencart')
--- scenario
    my %of = ('opencart-3.0.5.1' => [1041, 72, 74, 76],
              'opencart-4.1.0.4' => [7305, 89, 91, 93]);

    for my $name (sort keys %of) {
        my ($id, @exchanges) = @{$of{$name}};
        my $bought = main::recorded($name, \&B24::Tables::opencart);
        my $put = sub {
            $::db->sql("UPDATE oc_order SET order_status_id = $_[0]"
                       . " WHERE order_id = $id", 'shop');
        };

        $put->(1);
        my ($last) = (sort map { $_->{name} }
            $bought->exchanges(sub { $_[0]{name} =~ /-a-order1/ }))[-1];
        $bought->play(filter => sub { $_[0]{name} le $last });
        B24::Desk::stage_is($id, 'NEW', "$name: it is there");

        for (['EXECUTING', 3], ['WON', 5], ['LOSE', 7]) {
            my ($stage, $status) = @$_;

            $put->($status);
            main::replay($bought, sprintf '%03d', shift @exchanges);
            B24::Desk::stage_is($id, $stage, "$name: status $status");
        }
    }



=== TEST 3: PrestaShop: the page of an order
--- http_config eval: $::plain
--- config eval: main::server_of('prestashop')
--- scenario
    my $bought = main::recorded('prestashop-8.1.2');
    $bought->play(filter => sub { $_[0]{name} =~ /-a-.*validation$/ });
    B24::Scenario::wait_until(sub { B24::Desk::count('delivered') == 1 });
    my ($deal) = @{B24::Test::portal()->report->{deals}};

    main::replay($bought, '051');
    B24::Desk::stage_is($deal->{origin_id}, 'EXECUTING', 'shipped');
    main::replay($bought, '052');
    B24::Desk::stage_is($deal->{origin_id}, 'WON', 'delivered');
    main::replay($bought, '053');
    B24::Desk::stage_is($deal->{origin_id}, 'LOSE', 'cancelled');



=== TEST 4: 1C-Bitrix: an older answer (others: t/73-bitrix-admin.t)
--- http_config eval: $::plain
--- config eval: main::server_with_flags()
--- scenario
    $::site = B24::Bitrix->new;
    $::site->refresh(total => 1990, rows => [[1, 1012, 'Футболка', 1, 1990]]);
    $::site->save({ FIO => 'Иванов Пётр', PHONE => '+79161234567' },
                  $::site->accepted('57'));
    B24::Desk::stage_is(57, 'NEW', 'it is there');

    # the payment's key beside RESULT, no status in it
    main::ajax([action => 'updatePaymentStatus', orderId => 57, paymentId => 7,
                method => 'save', 'data[PAY_VOUCHER_NUM_1]' => 1],
               { RESULT => 'OK', PAYMENT_PAID_7 => 'Y' });
    B24::Desk::stage_is(57, 'PREPAYMENT_INVOICE', 'updatePaymentStatus');
    main::ajax([action => 'updateShipmentStatus', orderId => 57,
                shipmentId => 5, field => 'DEDUCTED', status => 'Y'],
               { RESULT => { DEDUCTED_5 => 'Y', ALLOW_DELIVERY_5 => 'Y' } });
    B24::Desk::stage_is(57, 'FINAL_INVOICE', 'updateShipmentStatus');

    # an error without its text
    main::ajax([action => 'saveStatus', orderId => 57, statusId => 'F'],
               { RESULT => 'ERROR' });
    ok(B24::Scenario::wait_until(sub {
        B24::Desk::counter('statuses_ignored') == 1 }), 'refused');



=== TEST 5: what never passes nginx, and a database that is away
--- http_config eval: main::polled('1s')
--- config eval: main::server_with_flags()
--- scenario
    main::site();
    main::ordered(58, 'A-58');
    B24::Desk::stage_is('A-58', 'NEW', 'it is there');

    main::set(58, STATUS_ID => 'A');
    B24::Desk::stage_is('A-58', 'EXECUTING', 'the table was changed');

    # something else of the order: no status of it
    my $shown = sub {
        my ($record) = @{B24::Desk::status()->{orders}};
        return $record->{updated};
    };
    my $before = $shown->();
    my $polls = scalar grep { /AS changed/ } $::db->log;
    main::set(58, USER_DESCRIPTION => 'other');
    ok(B24::Scenario::wait_until(sub {
        (grep { /AS changed/ } $::db->log) > $polls + 2 }), 'it is seen');
    is($shown->(), $before, 'and nothing is done');

    $::db->stop;
    main::ajax([action => 'saveStatus', orderId => 58, statusId => 'F'],
               { RESULT => 'OK' });
    ok(B24::Scenario::wait_until(sub { B24::Desk::count('waiting') == 1 }),
       'a hint waits for the database');
    $::db->start;
    main::set(58, STATUS_ID => 'F');
    B24::Desk::stage_is('A-58', 'WON', 'which is asked then');



=== TEST 6: changes are of the time that the shop has, not of the look at it
--- http_config eval: main::polled('7s')
--- config eval: main::server_with_flags()
--- timeout: 60
--- scenario
    main::site();
    main::of_their_times(60, 0);



=== TEST 7: the shop's program has a zone to the east of the database's
--- http_config eval: main::polled('7s')
--- config eval: main::server_with_flags()
--- timeout: 60
--- scenario
    main::site();
    main::of_their_times(61, 3);



=== TEST 8: to the west
--- http_config eval: main::polled('7s')
--- config eval: main::server_with_flags()
--- timeout: 60
--- scenario
    main::site();
    main::of_their_times(62, -5.75);



=== TEST 9: two changes in one second, a look in between
--- http_config eval: main::polled('1s')
--- config eval: main::server_with_flags()
--- scenario
    main::site();
    main::ordered(63, 'A-63');
    B24::Desk::stage_is('A-63', 'NEW', 'it is there');

    main::set(63, STATUS_ID => 'P');
    B24::Desk::stage_is('A-63', 'PREPARATION', 'the first');
    $::db->sql("UPDATE b_sale_order SET STATUS_ID = 'A' WHERE ID = 63", 'shop');
    B24::Desk::stage_is('A-63', 'EXECUTING', 'the second');



=== TEST 10: b24_import off: no orders come in, statuses of those that did follow
--- http_config eval: main::polled('1s') . ' b24_import off;'
--- config eval: main::server_with_flags()
--- scenario
    main::site();
    main::ordered(64, 'A-64');
    B24::Desk::stage_is('A-64', 'NEW', 'it is there');

    B24::Tables::bitrix_order($::db, ID => 65, ACCOUNT_NUMBER => 'A-65',
        PRICE => 1990, PRICE_DELIVERY => 0, ids => $::site->{types}[0],
        layout => 21, values => { FIO => 'Иванов Пётр' },
        rows => [[650, 1012, 'Футболка', 1, 1990]]);
    main::set(64, STATUS_ID => 'P');
    B24::Desk::stage_is('A-64', 'PREPARATION', 'the table was changed');

    # nobody is named
    main::set(64, STATUS_ID => 'A');
    my $list = '/bitrix/admin/sale_order.php?lang=ru';
    $::site->says($list, '<table>', type => 'text/html');
    post($list, 'action=status_A&action_target=selected');
    B24::Desk::stage_is('A-64', 'EXECUTING', 'all by a filter');
    main::next_poll() for 1 .. 3;
    B24::Desk::count_is('delivered', 1, 'of one order');

    # from here on
    ok(quit(), 'nginx is gone');
    start_again(sub { $_[0] =~ s/b24_import off/b24_import on/ });
    main::next_poll() for 1 .. 3;
    main::set(65, STATUS_ID => 'P');
    Time::HiRes::sleep(1.1);
    B24::Tables::bitrix_order($::db, ID => 66, ACCOUNT_NUMBER => 'A-66',
        PRICE => 1990, PRICE_DELIVERY => 0, ids => $::site->{types}[0],
        layout => 21, values => { FIO => 'Иванов Пётр' },
        rows => [[660, 1012, 'Футболка', 1, 1990]]);
    B24::Desk::stage_is('A-66', 'NEW', 'one that is made now comes in');
    is(scalar(grep { ($_->{origin_id} // '') eq 'A-65' }
              @{portal()->report->{deals}}), 0, 'the other does not');
