# Deals that somebody moves in the CRM, and 1C-Bitrix behind nginx: the order is
# changed by the calls of the preset, as the user of b24_site, in the stand-in of
# B24::BitrixAdmin, which does what is known of the real one.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Bitrix;
use B24::BitrixAdmin;
use B24::Client;
use B24::Crm ();
use B24::Desk;
use B24::MariaDB;
use B24::Tables;
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

use constant { USER => 'crm', PASSWORD => 's3cret-54321' };

our $token = '51856fefc120afa4b628cc82d3935cce';
our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
                            port => B24::Test::free_port());
our $admin = B24::BitrixAdmin->start("$B24::Test::DIR/bitrix", db => $db);
our $site = B24::Bitrix->new;

$ENV{TEST_NGINX_DB} = $db->url;

{
    open my $file, '>', "$B24::Test::DIR/password" or die "password: $!\n";
    print {$file} PASSWORD, "\n";
    close $file;
    chmod 0600, "$B24::Test::DIR/password";
}

our $http = <<"EOC";
    b24_queue     \$TEST_NGINX_QUEUE;
    b24_origin    shop;
    b24_webhook   \$TEST_NGINX_PORTAL_URL;
    b24_rate      50 burst=4000;
    b24_retry     first=100ms max=1s unknown=300ms;
    b24_database  \$TEST_NGINX_DB poll=1s traffic=1s;

    upstream recorded {
        server 127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT_0;
    }

    include \$TEST_NGINX_PRESETS/bitrix.conf;
EOC

# The calls of b24_site come by the same server, with all of its rules.
sub server {
    my (%option) = @_;

    my $more = $option{more} // '';

    return <<"EOC";
    b24_site http://127.0.0.1:\$TEST_NGINX_SERVER_PORT user=@{[USER]}
             password=file:$B24::Test::DIR/password;
    b24_mirror bitrix;
    $more

    location /b24 {
        b24_mirror off;
        b24_status;
    }

    location = /events {
        b24_mirror off;
        b24_events $token poll=1s;
    }

    location / {
        proxy_pass http://recorded;
        proxy_set_header Host \$host;
    }

    @{[$admin->location('access_log off;')]}
EOC
}

# The tables of a shop with these orders, and the user of b24_site.
sub tables {
    my ($access, @ids) = @_;

    $db->sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
    $admin->reset;
    $admin->account(login => USER, password => PASSWORD, access => $access);
    B24::Tables::bitrix($db);
    B24::Tables::bitrix_properties($db, $_, $site->{types}[$_ - 1]) for 1, 2;
    B24::Tables::bitrix_orders($db, map { {
        ID => $_, ACCOUNT_NUMBER => "A-$_", PRICE => 1990, PRICE_DELIVERY => 0,
        ids => $site->{types}[0],
        values => { FIO => 'Иванов Пётр', PHONE => '79161234567' },
        rows => [[$_ * 10, 1012, 'Футболка', 1, 1990]] } } @ids);
}

# An order that has been bought, its deal.
sub sold {
    my ($id) = @_;

    $site->save({ FIO => 'Иванов Пётр', PHONE => '+79161234567' },
                $site->accepted("A-$id"));

    return B24::Desk::deal("A-$id", timeout => 40);
}

# A deal that somebody moves, and the portal tells of it.
sub moves {
    my ($deal, $stage) = @_;

    B24::Crm::person_moves($deal, $stage);
    B24::Scenario::post('/events', "event=ONCRMDEALUPDATE"
        . "&data%5BFIELDS%5D%5BID%5D=$deal->{id}"
        . "&auth%5Bapplication_token%5D=$token");
}

# A test: the shop's tables come to have the order so.
sub shop_has {
    my ($id, $state, $name) = @_;

    B24::Scenario::wait_until(sub { $admin->state($id) eq $state });

    return Test::More::is($admin->state($id), $state, $name);
}

# What the user of b24_site has called of an order, but the login.
sub calls {
    my ($id) = @_;

    return join ', ', map { "$_->{action} $_->{outcome}" }
                      grep { ($_->{login} // '') eq USER } $admin->calls($id);
}

sub record {
    my ($id) = @_;

    return (grep { ($_->{id} // '') eq "A-$id" }
                 @{B24::Desk::status()->{orders}})[0];
}

sub quiet {
    B24::Scenario::wait_until(sub {
        !grep { $_->{state} !~ /^(?:delivered|parked)$/ }
             @{B24::Desk::status()->{orders}};
    });
}

{
    package B24::Scenario::Code;

    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&{"main::$_"}
        for qw(calls moves quiet shop_has sold);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: statuses, a cancellation, and back
--- http_config eval: $::http
--- config eval: ::server()
--- before
    main::tables('W', 57);
--- scenario
    my $deal = sold(57);

    moves($deal, 'PREPARATION');
    shop_has(57, 'P', 'a status');
    B24::Desk::told('A-57', qr/^delivered: the shop has the status "P" now/,
                    'the order tells');
    quiet();
    is($::admin->order(57)->{EMP_STATUS_ID} > 0, 1, 'as a user of the shop');

    moves($deal, 'LOSE');
    shop_has(57, 'P,canceled', 'cancelled, the status stays');
    quiet();
    B24::Desk::stage_is('A-57', 'LOSE', 'the deal stays');

    moves($deal, 'EXECUTING');
    shop_has(57, 'A', 'restored, with the new status');
    quiet();

    moves($deal, 'WON');
    shop_has(57, 'F', 'done');
    quiet();
    Time::HiRes::sleep(2.5);
    B24::Desk::stage_is('A-57', 'WON', 'nothing bounces');
    is(calls(57), 'saveStatus done, cancelOrder done, cancelOrder done, '
       . 'saveStatus done, saveStatus done', 'each was done once');



=== TEST 2: a session that is over, the login page in its place
--- http_config eval: $::http
--- config eval: ::server()
--- before
    main::tables('W', 57, 58);
--- scenario
    my @deals = map { sold($_) } 57, 58;

    # between the login and the call
    my $login = $::admin->fault(kind => 'hold', moment => 'after',
                                page => '1c_exchange.php');
    moves($deals[0], 'PREPARATION');
    ok($::admin->wait_held($login), 'it has logged in');
    $::admin->release($login);
    $::admin->expire;
    shop_has(57, 'P', 'another login');

    $::admin->set(lost => 'page');
    $login = $::admin->fault(kind => 'hold', moment => 'after',
                             page => '1c_exchange.php');
    moves($deals[1], 'PREPARATION');
    ok($::admin->wait_held($login), 'it has logged in');
    $::admin->release($login);
    $::admin->expire;
    shop_has(58, 'P', 'the login page is told from an answer');



=== TEST 3: what the user may not do
--- http_config eval: $::http
--- config eval: ::server()
--- before
    main::tables('U', 57 .. 60);
--- scenario
    my @deals = map { sold($_) } 57 .. 60;

    # yes, and nothing is done
    $::admin->deny('crm', to => 'F');
    moves($deals[0], 'WON');
    B24::Desk::told('A-57', qr/^parked: the shop said yes to the new status, but its order has not changed$/,
                    'a silent refusal is found out');
    like(main::record(57)->{advice}, qr/user of b24_site may set/, 'with advice');
    is(calls(57), 'saveStatus nothing', 'tried once');
    is($::admin->state(57), 'N', 'the order is as it was');
    B24::Desk::stage_is('A-57', 'WON', 'and so is the deal');

    # the right is given: by hand
    $::admin->allow;
    is(post('/b24/orders/' . main::record(57)->{key} . '/retry', '')->{status}, 202,
       'retried');
    shop_has(57, 'F', 'done');

    # no right at all, and a newer change of the shop
    $::admin->steer("UPDATE account SET ACCESS = 'D' WHERE LOGIN = 'crm'");
    moves($deals[1], 'WON');
    B24::Desk::told('A-58', qr/^(?:parked|waiting): .*the shop/, 'no right');
    like(main::record(58)->{advice}, qr/\S/, 'with advice');
    Time::HiRes::sleep(1.1);
    $::admin->ajax($::admin->session('manager'), action => 'saveStatus',
                   orderId => 58, statusId => 'P');
    B24::Desk::stage_is('A-58', 'PREPARATION', 'what the shop does is newer');
    quiet();
    is(main::record(58)->{state}, 'delivered', 'nobody is asked any more');
    $::admin->steer("UPDATE account SET ACCESS = 'W' WHERE LOGIN = 'crm'");

    # a wrong password: the matter of all, nothing is parked
    $::admin->steer("UPDATE account SET PASSWORD = 'other' WHERE LOGIN = 'crm'");
    moves($deals[2], 'WON');
    B24::Desk::told('A-59', qr/^waiting: the shop answered/,
                    'a wrong password');
    like(main::record(59)->{advice}, qr/b24_site/, 'with advice');



=== TEST 4: a shop that fails, hangs, and changes meanwhile
--- http_config eval: $::http
--- config eval: ::server()
--- timeout: 60
--- before
    main::tables('W', 57 .. 60);
--- scenario
    my @deals = map { sold($_) } 57 .. 60;

    $::admin->fault(kind => 'answer', value => 502, times => 2,
                    page => 'sale_order_ajax.php');
    moves($deals[0], 'WON');
    B24::Desk::told('A-57', qr/^waiting: .*502/, 'it waits');
    shop_has(57, 'F', 'and is told');

    # done, and the answer is lost: not done once more
    $::admin->fault(kind => 'answer', value => 502, moment => 'after',
                    page => 'sale_order_ajax.php');
    moves($deals[1], 'LOSE');
    shop_has(58, 'N,canceled', 'done');
    quiet();
    is($::admin->state(58), 'N,canceled', 'not taken back');
    is(calls(58), 'cancelOrder done', 'once');
    B24::Desk::stage_is('A-58', 'LOSE', 'the deal stays');

    # somebody in the shop is quicker than our login
    my $login = $::admin->fault(kind => 'hold', page => '1c_exchange.php');
    moves($deals[2], 'WON');
    ok($::admin->wait_held($login), 'it logs in');
    Time::HiRes::sleep(2.2);
    $::admin->ajax($::admin->session('manager'), action => 'saveStatus',
                   orderId => 59, statusId => 'A');
    $::admin->release($login);
    B24::Desk::stage_is('A-59', 'EXECUTING', 'the shop was later');
    quiet();
    is($::admin->state(59), 'A', 'it keeps it');
    is(calls(59), '', 'nothing was written');

    # the shop makes another status of it
    $::admin->set(status_on_paid => 'P');
    my $in = $::admin->session('manager');
    moves($deals[3], 'EXECUTING');
    shop_has(60, 'A', 'told');
    quiet();
    Time::HiRes::sleep(1.1);
    $::admin->ajax($in, action => 'updatePaymentStatus', orderId => 60,
                   paymentId => 601, method => 'save');
    shop_has(60, 'P,paid', 'a payment moves it');
    B24::Desk::stage_is('A-60', 'PREPARATION', 'the deal follows');



=== TEST 5: somebody in the shop is quicker than a call that fails
--- http_config eval: $::http
--- config eval: ::server()
--- timeout: 60
--- before
    main::tables('W', 57, 58);
--- scenario
    my @deals = map { sold($_) } 57, 58;
    my $manager = $::admin->session('manager');
    my @of_crm = (page => 'sale_order_ajax.php', login => 'crm');

    for my $n (0, 1) {
        my $id = 57 + $n;
        my $hold = $::admin->fault(kind => 'hold', @of_crm);

        $::admin->fault(kind => 'answer', value => $n ? 404 : 502, @of_crm);
        moves($deals[$n], 'WON');
        ok($::admin->wait_held($hold), "$id: it is called");
        Time::HiRes::sleep(1.1);
        $::admin->ajax($manager, action => 'saveStatus', orderId => $id,
                       statusId => 'A');
        $::admin->release($hold);
        B24::Desk::stage_is("A-$id", 'EXECUTING', 'the shop was later');
        quiet();
        is($::admin->state($id), 'A', 'it keeps it');
    }



=== TEST 6: there and back in the shop, and the CRM in between
--- http_config eval: $::http
--- config eval: ::server()
--- timeout: 60
--- before
    main::tables('W', 57);
--- scenario
    my $deal = sold(57);
    my $manager = $::admin->session('manager');
    my $login = $::admin->fault(kind => 'hold', page => '1c_exchange.php');

    moves($deal, 'WON');
    ok($::admin->wait_held($login), 'it logs in');
    Time::HiRes::sleep(1.1);
    $::admin->ajax($manager, action => 'saveStatus', orderId => 57,
                   statusId => 'A');
    is(post('/b24/pause', '')->{status}, 202, 'what follows waits');
    $::admin->release($login);
    B24::Desk::told('A-57', qr/before the shop's own change/,
                    'that is found to be newer');
    $::admin->ajax($manager, action => 'saveStatus', orderId => 57,
                   statusId => 'N');
    is(post('/b24/resume', '')->{status}, 202, 'it goes on');
    B24::Desk::stage_is('A-57', 'NEW', 'as it was is newer, too');
    quiet();
    is($::admin->state(57), 'N', 'in the shop as well');



=== TEST 7: set to what it was, after the CRM, and nobody has looked in between
--- http_config eval: $::http
--- config eval: ::server()
--- timeout: 60
--- before
    main::tables('W', 57, 58);
--- scenario
    my @deals = map { sold($_) } 57, 58;
    my $again = sub {
        $::db->sql("UPDATE shop.b_sale_order SET DATE_STATUS = NOW(),"
                   . " DATE_UPDATE = NOW() WHERE ID = $_[0]");
    };

    quiet();

    # while the shop can't be told
    $::admin->fault(kind => 'answer', value => 503, times => 1000,
                    page => '1c_exchange.php');
    moves($deals[0], 'WON');
    B24::Desk::told('A-57', qr/^waiting: .*503/, 'it waits');
    Time::HiRes::sleep(1.1);
    $again->(57);
    B24::Desk::stage_is('A-57', 'NEW', 'the shop was later');
    $::admin->clear_faults;
    quiet();
    is($::admin->state(57), 'N', 'it keeps it');
    is(calls(57), '', 'nothing was written');

    # while it is told
    my $login = $::admin->fault(kind => 'hold', page => '1c_exchange.php');
    moves($deals[1], 'WON');
    ok($::admin->wait_held($login), 'it logs in');
    Time::HiRes::sleep(1.1);
    $again->(58);
    $::admin->release($login);
    B24::Desk::stage_is('A-58', 'NEW', 'the shop was later');
    quiet();
    is($::admin->state(58), 'N', 'it keeps it');
    is(calls(58), '', 'nothing was written');

    # our own writes are none
    moves($deals[1], 'WON');
    shop_has(58, 'F', 'told');
    quiet();
    moves($deals[1], 'LOSE');
    shop_has(58, 'F,canceled', 'told once more');
    quiet();
    B24::Desk::stage_is('A-58', 'LOSE', 'the deal stays');
