# 1C-Bitrix's administration behind nginx: every form in which a manager, a
# buyer or a gateway changes an order is sent through the module to the stand-in
# of B24::BitrixAdmin, which really does it, or doesn't.  The deal follows the
# order, and not what the form said.

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
use B24::Desk;
use B24::MariaDB;
use B24::Tables;
use Digest::MD5 ();
use JSON::PP ();

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
our $admin = B24::BitrixAdmin->start("$B24::Test::DIR/bitrix", db => $db);

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

    include $TEST_NGINX_PRESETS/bitrix.conf;
EOC

# what isn't told by the requests comes after longer than any wait
our $http = "$plain    b24_database  \$TEST_NGINX_DB poll=60s traffic=1s;\n";
our $quick = $http =~ s/poll=60s/poll=1s/r;

# another way in, without the module: cron, the API, 1C
our $aside = <<"EOC";
    server {
        listen 127.0.0.1:\$TEST_NGINX_PORT_1;

        b24_mirror off;
        @{[$admin->location]}
    }
EOC

# The stages of statuses, and of flags behind them, in the order of the table.
our @stages = (N => 'NEW', P => 'PREPARATION', A => 'EXECUTING',
               D => 'FINAL_INVOICE', F => 'WON', C => 'LOSE',
               paid => 'PREPAYMENT_INVOICE', shipped => 'FINAL_INVOICE');

our $server = <<"EOC";
    b24_stage PAID PREPAYMENT_INVOICE;
    b24_stage SHIPPED FINAL_INVOICE;

    location /b24 {
        b24_status;
    }

    location / {
        b24_mirror bitrix;
        proxy_pass http://recorded;
        proxy_set_header Host \$host;
    }

    @{[$admin->location('b24_mirror bitrix;')]}
EOC

our $site = B24::Bitrix->new;

# Where a deal of such an order belongs ("P,paid").
sub stage_of {
    my ($state) = @_;

    my %has = map { $_ => 1 } split /,/, $state;
    my $stage;

    return 'LOSE' if $has{canceled};

    for (my $i = 0; $i < @stages; $i += 2) {
        $stage = $stages[$i + 1] if $has{$stages[$i]};
    }

    return $stage;
}

my $looks;

sub looks {
    return scalar grep { /Execute.*MAX\(`changed`\)/ } $db->log;
}

# The tables of a shop with these orders, before nginx starts and looks at what
# there is: "ID" => further columns.  `numbered`: they have other numbers than
# their keys.
sub tables {
    my ($numbered, @orders) = @_;

    my @rows;

    $db->sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
    $admin->reset;
    B24::Tables::bitrix($db);
    B24::Tables::bitrix_properties($db, $_, $site->{types}[$_ - 1]) for 1, 2;

    while (my ($id, $more) = splice @orders, 0, 2) {
        push @rows, { ID => $id, ACCOUNT_NUMBER => $numbered ? "A-$id" : $id,
            PRICE => 1990, PRICE_DELIVERY => 0, ids => $site->{types}[0],
            values => { FIO => 'Иванов Пётр', PHONE => '79161234567' },
            rows => [[$id * 10, 1012, 'Футболка', 1, 1990]], %$more };
    }

    B24::Tables::bitrix_orders($db, @rows);
    $looks = looks();
}

# All of them have been bought, and are deals; a manager's session.
sub sold {
    my @numbers = map { $_->[0] }
        $db->rows('SELECT ACCOUNT_NUMBER FROM shop.b_sale_order');

    for my $number (@numbers) {
        $site->save({ FIO => 'Иванов Пётр', PHONE => '+79161234567' },
                    $site->accepted($number));
        B24::Desk::deal($number, timeout => 40);
    }

    return $admin->session('manager');
}

# What changes from now on is seen.
sub watched {
    return Test::More::ok(B24::Scenario::wait_until(
        sub { looks() > $looks }, 30), 'changes are looked for');
}

# A gateway says that a payment has come; 0: none there is.
sub callback {
    my ($payment) = @_;

    return B24::Scenario::post('/bitrix/tools/sale_ps_result.php',
        B24::Bitrix::urlencoded('UTF-8', BX_PAYMENT_NUMBER => $payment,
            AMOUNT => '1990.00',
            SIGN => Digest::MD5::md5_hex("$payment;1990.00;secret")))->{body};
}

# An order is so now, and its deal at the stage for it.
sub follows {
    my ($id, $state, $name) = @_;

    Test::More::is($admin->state($id), $state, "$name: done");
    B24::Desk::stage_is("A-$id", stage_of($state), "$name: the deal follows");
}

sub asked {
    return B24::Test::portal()->report(journal => 0)->{counts}{arrived};
}

{
    package B24::Scenario::Code;

    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&{"main::$_"}
        for qw(asked callback follows sold stage_of watched);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the page of an order
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57 .. 59);
--- scenario
    my $in = sold();
    my $ajax = sub {
        my ($id, $action, @fields) = @_;

        return $::admin->ajax($in, action => $action, orderId => $id, @fields);
    };

    $ajax->(57, 'saveStatus', statusId => 'P');
    follows(57, 'P', 'saveStatus');
    $ajax->(57, 'saveStatus', statusId => 'A', refreshOrderData => 'Y',
            'formData[ID]' => 57, 'formData[STATUS_ID]' => 'F');
    follows(57, 'A', 'saveStatus with the whole form');
    $ajax->(57, 'cancelOrder', canceled => 'N', comment => 'x');
    follows(57, 'A,canceled', 'cancelOrder');
    $ajax->(57, 'cancelOrder', canceled => 'Y');
    follows(57, 'A', 'taken back');

    my @pay = (paymentId => 581, method => 'save',
               'data[PAY_VOUCHER_NUM_1]' => 1,
               'data[PAY_VOUCHER_DATE_1]' => '15.03.2026');
    $ajax->(58, 'updatePaymentStatus', @pay);
    follows(58, 'N,paid', 'updatePaymentStatus');
    $ajax->(58, 'updatePaymentStatus', paymentId => 581, method => 'return',
            'data[PAY_RETURN_NUM_1]' => 1);
    follows(58, 'N', 'returned');
    $ajax->(58, 'updatePaymentStatus', @pay, 'data[ORDER_STATUS_ID_1]' => 'F');
    follows(58, 'F,paid', 'with a status');

    my $ship = sub {
        my ($field, $value, @more) = @_;

        return $ajax->(59, 'updateShipmentStatus', shipmentId => 591,
                       field => $field, status => $value, @more);
    };

    # what follows from it, as the site has it
    $::admin->set(status_on_allow_delivery => 'P',
                  status_on_shipped_shipment => 'A', status_on_paid => 'D',
                  warning => 'Осталось мало');
    $ship->('ALLOW_DELIVERY', 'Y');
    follows(59, 'P', 'ALLOW_DELIVERY, status_on_allow_delivery');
    $ship->('DEDUCTED', 'Y');
    follows(59, 'A,shipped', 'DEDUCTED, status_on_shipped_shipment');
    $ship->('DEDUCTED', 'N');
    follows(59, 'A', 'taken back');
    $ajax->(59, 'updatePaymentStatus', paymentId => 591, method => 'save');
    follows(59, 'D,paid', 'status_on_paid');

    is(B24::Desk::counter('statuses'), 11, 'eleven were told');
    is(B24::Desk::counter('statuses_ignored'), 0, 'none was refused');
    is(scalar(grep { $_->{outcome} ne 'done' } $::admin->calls), 0,
       'and all were done');



=== TEST 2: what is said to be done and isn't, what only looks
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, 57 => {}, 58 => {}, 59 => { CANCELED => 'Y' });
--- scenario
    my $manager = sold();
    $::admin->account(login => 'crm', access => 'U');
    my $in = $::admin->session('crm');
    my $ajax = sub {
        my ($id, $action, @fields) = @_;

        return $::admin->ajax($in, action => $action, orderId => $id, @fields);
    };
    my $from = asked();

    # OK, and nothing was done: it is read, and found to be as before
    $::admin->deny('crm', to => 'F');
    is_deeply($ajax->(57, 'saveStatus', statusId => 'F'), { RESULT => 'OK' },
              'a status that he may not set: OK');
    B24::Desk::told('A-57', qr/^delivered: nothing in it is new$/, 'nothing is');
    is($::admin->state(57), 'N', 'it is as it was');
    $ajax->(57, 'saveStatus', statusId => 'ZZ');

    # nor does what the form says count where something else was done
    $::db->sql("UPDATE shop.b_sale_order SET STATUS_ID = 'A', DATE_UPDATE ="
               . ' NOW() WHERE ID = 58');
    $ajax->(58, 'saveStatus', statusId => 'F');
    follows(58, 'A', 'another status than the one that was sent');

    # to be confirmed first
    my @ship = (shipmentId => 581, field => 'DEDUCTED', status => 'Y');
    my @pay = (paymentId => 581, method => 'save');
    $::admin->set(need_confirm => 'strict');
    ok($ajax->(58, 'updateShipmentStatus', @ship)->{NEED_CONFIRM}, 'shipping');
    ok($ajax->(58, 'updatePaymentStatus', @pay)->{NEED_CONFIRM}, 'paying');
    $::admin->set(need_confirm => 'confirmed');
    is($ajax->(58, 'updateShipmentStatus', @ship)->{NEED_CONFIRM}, 'Y',
       'in the other way');

    # refused
    for my $answer ($ajax->(59, 'updatePaymentStatus', paymentId => 591,
                            method => 'save', confirmed => 'Y'),
                    $ajax->(59, 'updateShipmentStatus', shipmentId => 591,
                            field => 'DEDUCTED', status => 'Y',
                            confirmed => 'Y'),
                    $ajax->(57, 'cancelOrder', canceled => 'Y'),
                    $ajax->(99, 'saveStatus', statusId => 'P'))
    {
        ok($answer->{ERROR}, $answer->{ERROR});
    }

    # no session, no token, the login page, an exception, a fault
    my $form = B24::Bitrix::urlencoded('UTF-8', action => 'saveStatus',
        orderId => 57, statusId => 'P', sessid => $in->{sessid});
    my $ajax_page = '/bitrix/admin/sale_order_ajax.php';
    like(post($ajax_page, $form)->{body}, qr/Access denied!/, 'no session');
    like(post($ajax_page, $form =~ s/sessid=\w+/sessid=0/r,
              Cookie => $in->{cookie})->{body}, qr/Access denied!/, 'no token');
    $::admin->set(lost => 'page');
    like(post($ajax_page, $form)->{body}, qr/type="password"/, 'the login page');
    is(post($ajax_page, $form =~ s/orderId=57/orderId=x/r,
            Cookie => $in->{cookie})->{status}, 500, 'an exception');
    $::admin->fault(kind => 'answer', value => 502);
    is(post($ajax_page, $form, Cookie => $in->{cookie})->{status}, 502,
       'a fault');

    is(B24::Desk::counter('statuses_ignored'), 12, 'twelve were refused');
    my $told = B24::Desk::counter('statuses');

    # what looks, calculates, or changes something else
    $ajax->(57, $_, statusId => 'F', 'formData[ID]' => 57,
            'formData[STATUS_ID]' => 'F')
        for qw(refreshOrderData getOrderFields getOrderTails addProductToBasket
               getProductIdByBarcode changeDeliveryService createNewPayment
               changeResponsibleUser);
    $ajax->(57, 'saveComments', comments => 'x');
    $ajax->(57, 'unmarkOrder');
    $ajax->(57, 'saveTrackingNumber', shipmentId => 571, trackingNumber => 'RR1');
    $ajax->(57, 'deletePayment', paymentId => 571);
    $::admin->ajax($in, action => 'deleteShipment', order_id => 57,
                   shipment_id => 571);
    $::admin->follow($manager, "/bitrix/admin/$_")
        for 'sale_order.php?lang=ru', 'sale_order_view.php?ID=57',
            'sale_order_edit.php?ID=57';

    is(B24::Desk::counter('statuses'), $told, 'no status was told by these');
    is(B24::Desk::counter('statuses_ignored'), 12, 'nor refused');
    is($::admin->state(57), 'N', 'nothing of its status');

    # then one that does something
    $ajax->(57, 'saveStatus', statusId => 'P');
    follows(57, 'P', 'it may');
    is(B24::Desk::counter('statuses'), 4, 'four were told in all');
    is(asked() - $from, 4, 'the portal was asked for two of them alone');



=== TEST 3: the list
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57 .. 61);
--- scenario
    my $in = sold();
    my $list = sub { $::admin->page($in, 'sale_order.php?lang=ru', @_) };

    for (['status_P', 'P'], ['paid', 'P,paid'], ['paid_n', 'P'],
         ['cancel', 'P,canceled'], ['cancel_n', 'P'], ['deducted', 'P,shipped'],
         ['deducted_n', 'P'])
    {
        my ($action, $state) = @$_;

        $list->(action_button => $action, 'ID[]' => 57);
        follows(57, $state, $action);
    }

    # the other names of the button, several that are ticked
    $list->(action => 'status_A', ID => 57);
    follows(57, 'A', 'action');
    $list->(action_button_tbl_sale_order => 'status_P', 'ID[]' => 58,
            'ID[]' => 59);
    follows($_, 'P', 'action_button_tbl_sale_order') for 58, 59;

    $::admin->set(status_on_allow_delivery => 'D', gateway_paid => 'Y');
    $list->(action_button => 'allow_delivery', 'ID[]' => 58);
    follows(58, 'D', 'allow_delivery');
    $list->(action_button => 'update_payment_status', 'ID[]' => 59);
    follows(59, 'P,paid', 'update_payment_status');

    # the menu of a row
    $::admin->follow($in, '/bitrix/admin/sale_order.php?lang=ru&ID=60'
                          . '&action=status_F');
    follows(60, 'F', 'the menu');
    $::admin->follow($in, '/bitrix/admin/sale_order.php?lang=ru&ID=60'
                          . '&action_button=status_A');
    follows(60, 'A', 'the menu, older');

    # typed in the list
    $list->(save => 'y', 'FIELDS[60][STATUS_ID]' => 'P',
            'FIELDS[61][CANCELED]' => 'Y');
    follows(60, 'P', 'typed: a status');
    follows(61, 'N,canceled', 'typed: cancelled');
    $list->(action_button_tbl_sale_order => 'edit',
            'FIELDS[61][CANCELED]' => 'N');
    follows(61, 'N', 'in the newer list');

    # refused, and told by nothing but a text in the page
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = 9, DATE_LOCK = NOW()'
               . ' WHERE ID = 61');
    my $from = asked();
    like($list->(action => 'status_F', 'ID[]' => 61)->{body},
         qr/adm-info-message-red/, 'locked');
    B24::Desk::told('A-61', qr/^delivered: nothing in it is new$/,
                    'nothing is done');
    is(asked(), $from, 'and nothing sent');



=== TEST 4: all by filter: the ids are not in the request
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57 .. 59);
--- scenario
    my $in = sold();
    my $list = sub { $::admin->page($in, 'sale_order.php?lang=ru', @_) };

    watched();
    $list->(action_button => 'status_P', action_target => 'selected');
    follows($_, 'P', 'action_target') for 57 .. 59;

    # rows of this page may be ticked, and others are meant as well
    $list->(action_button_tbl_sale_order => 'status_A', 'ID[]' => 57,
            action_all_rows_tbl_sale_order => 'Y');
    follows($_, 'A', 'action_all_rows') for 57 .. 59;
    $list->(action => 'status_D', action_target => 'selected', 'ID[]' => 58);
    follows($_, 'D', 'with one that is ticked') for 57 .. 59;

    # a gateway names a payment, in its own words
    is(callback(571), "OK\n", 'a payment has come');
    follows(57, 'D,paid', 'the callback');



=== TEST 5: forms
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, 57 => {}, 58 => { payments => [1000, 990] }, 59 => {});
--- scenario
    my $in = sold();
    my $form = sub {
        return $::admin->page($in, 'sale_order_edit.php?ID=57&lang=ru', @_);
    };
    my $location = sub { $_[0]{head} =~ /^Location: .*?(sale_\w+)/m ? $1 : '' };

    is($form->(apply => 'y', STATUS_ID => 'P')->{status}, 302, 'saved');
    follows(57, 'P', 'apply');
    $form->(save => 'y', STATUS_ID => 'A', 'PROPERTIES[21]' => 'Петров',
            'PAYMENT[1][PAID]' => 'Y');
    follows(57, 'A,paid', 'save, with a payment');
    $form->(apply => 'y', 'SHIPMENT[1][DEDUCTED]' => 'Y',
            'SHIPMENT[1][STATUS_ID]' => 'DF', 'PAYMENT[1][PAID]' => 'N');
    follows(57, 'A,shipped', 'a shipment');
    $form->(refresh_data_and_save => 'Y', STATUS_ID => 'F',
            'SHIPMENT[1][DEDUCTED]' => 'N');
    follows(57, 'F', 'calculated anew');

    # payments and shipments on pages of their own
    my $payment = 'sale_order_payment_edit.php?order_id=58&payment_id=58';
    $::admin->page($in, "${payment}1", update => 'Y', save => 'y',
        'PAYMENT[1][PAYMENT_ID]' => 581, 'PAYMENT[1][PAID]' => 'Y',
        'PAYMENT[1][ORDER_STATUS_ID]' => 'P');
    follows(58, 'P', 'the form of a payment');
    $::admin->page($in, "${payment}2", update => 'Y',
        'PAYMENT[1][PAYMENT_ID]' => 582, 'PAYMENT[1][PAID]' => 'Y');
    follows(58, 'P,paid', 'sent by a script');
    $::admin->page($in, 'sale_order_shipment_edit.php', order_id => 59,
        shipment_id => 591, apply => 'y', 'SHIPMENT[1][SHIPMENT_ID]' => 591,
        'SHIPMENT[1][DEDUCTED]' => 'Y');
    follows(59, 'N,shipped', 'the form of a shipment');

    # a link deletes: the other shipment is shipped, so is the order
    $::db->sql("UPDATE shop.b_sale_order SET DEDUCTED = 'N' WHERE ID = 59;"
        . " INSERT INTO shop.b_sale_order_delivery (ID, ORDER_ID, STATUS_ID)"
        . " VALUES (599, 59, 'DN')");
    $::admin->follow($in, '/bitrix/admin/sale_order_shipment_edit.php?order_id=59'
                          . '&shipment_id=599&delete=Y');
    is($::admin->state(59), 'N,shipped', 'the link of a shipment');
    B24::Desk::told('A-59', qr/^delivered: nothing in it is new$/,
                    'is looked at, too');

    # led elsewhere in place of an error, the page with the error
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = 9, DATE_LOCK = NOW()'
               . ' WHERE ID = 57');
    is($location->($form->(apply => 'y', STATUS_ID => 'N')), 'sale_order_view',
       'locked');
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = NULL');
    is($::admin->page($in, 'sale_order_edit.php?ID=59', apply => 'y',
        'PAYMENT[1][PAID]' => 'Y', 'PAYMENT[1][PAYMENT_ID]' => 591)->{status},
       302, 'paid');
    follows(59, 'N,paid,shipped', 'paid');



=== TEST 6: the buyer cancels
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57 .. 59);
--- scenario
    sold();
    my $anna = $::admin->account(login => 'anna');
    $::db->sql("UPDATE shop.b_sale_order SET USER_ID = $anna");
    my $in = $::admin->session('anna');
    my @cancel = (CANCEL => 'Y', action => 'Отменить', REASON_CANCELED => 'x');

    # the address has the number, the form the key
    $::admin->set(account_number_template => 'A-');
    $::admin->send_form($in, '/personal/orders/?CANCEL=Y&ID=A-57', @cancel,
                        ID => 57);
    follows(57, 'N,canceled', 'in the list of his orders');
    $::admin->send_form($in, '/personal/order/cancel/A-58/?CANCEL=Y', @cancel,
                        ID => 58);
    follows(58, 'N,canceled', 'on a page of its own');
    $::admin->send_form($in, '/personal/orders/?CANCEL=Y&ID=A-59', @cancel);
    follows(59, 'N,canceled', 'a form without the key');

    is($::admin->send_form($in, '/personal/orders/?CANCEL=Y&ID=A-59', @cancel,
                           ID => 59)->{status}, 302, 'again: as if it were done');
    B24::Desk::told('A-59', qr/^delivered: nothing in it is new$/, 'it was not');



=== TEST 7: found by the look that comes anyway
--- http_config eval: $::quick . $::aside
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57 .. 59);
--- scenario
    my $in = sold();
    my $past = sub {
        my $client = client($ENV{TEST_NGINX_PORT_1});

        $client->send(request_bytes('POST', '/bitrix/admin/sale_order_ajax.php',
            B24::Bitrix::urlencoded('UTF-8', @_, sessid => $in->{sessid}),
            'Content-Type' => 'application/x-www-form-urlencoded',
            Cookie => $in->{cookie}));

        return $client->response;
    };

    watched();
    $past->(action => 'saveStatus', orderId => 57, statusId => 'P');
    follows(57, 'P', 'past nginx');
    $past->(action => 'cancelOrder', orderId => 57, canceled => 'N');
    follows(57, 'P,canceled', 'cancelled past nginx');

    # done, and nobody was told
    $::admin->fault(kind => 'answer', value => 502, moment => 'after');
    is($::admin->page($in, 'sale_order_ajax.php', action => 'saveStatus',
                      orderId => 58, statusId => 'A')->{status}, 502,
       'the answer is lost');
    follows(58, 'A', 'but it was done');
    my $fault = $::admin->fault(kind => 'hold', moment => 'after');
    my $client = client();
    $client->send(request_bytes('POST', '/bitrix/admin/sale_order_ajax.php',
        B24::Bitrix::urlencoded('UTF-8', action => 'saveStatus', orderId => 58,
            statusId => 'D', sessid => $in->{sessid}),
        'Content-Type' => 'application/x-www-form-urlencoded',
        Cookie => $in->{cookie}));
    ok($::admin->wait_held($fault), 'an answer that does not come');
    follows(58, 'D', 'it was done as well');
    $::admin->release($fault);
    is($client->response->{status}, 200, 'at last');

    # one that a manager makes, saved in steps
    $fault = $::admin->fault(kind => 'hold', moment => 'between');
    $client = client();
    $client->send(request_bytes('POST', '/bitrix/admin/sale_order_create.php',
        B24::Bitrix::urlencoded('UTF-8', save => 'y', sessid => $in->{sessid},
            'PROPERTIES[21]' => 'Анна', 'PROPERTIES[23]' => '+79161234568',
            'PRODUCT[n1][PRODUCT_ID]' => 5, 'PRODUCT[n1][NAME]' => 'Кружка',
            'PRODUCT[n1][QUANTITY]' => 2, 'PRODUCT[n1][PRICE]' => '250',
            'SHIPMENT[1][PRICE_DELIVERY]' => 100),
        'Content-Type' => 'application/x-www-form-urlencoded',
        Cookie => $in->{cookie}));
    ok($::admin->wait_held($fault), 'the order alone is there');
    my $looks = sub { scalar grep { /AS changed/ } $::db->log };
    my $before = $looks->();
    ok(wait_until(sub { $looks->() > $before + 3 }), 'it is looked at');
    is(scalar(grep { ($_->{origin_id} // '') eq '60' }
              @{portal()->report(journal => 0)->{deals}}), 0, 'no deal yet');
    $::admin->release($fault);
    is($client->response->{status}, 302, 'saved');
    is(B24::Desk::deal_text('60', rows => 2, timeout => 40),
       Encode::encode('UTF-8', '600.00 RUB; Анна +79161234568; Кружка 2 x 250.00;'
                               . ' Delivery 1 x 100.00'), 'a deal with all of it');
    $::admin->ajax($in, action => 'saveStatus', orderId => 60, statusId => 'F');
    is($::admin->state(60), 'F', 'done');
    B24::Desk::stage_is('60', 'WON', 'which follows from then on');



=== TEST 8: an order that is deleted
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57, 58);
--- scenario
    my $in = sold();
    my $from = asked();

    $::admin->page($in, 'sale_order.php?lang=ru', action_button => 'delete',
                   'ID[]' => 57);
    is($::admin->state(57), 'none', 'deleted');
    $::admin->ajax($in, action => 'saveStatus', orderId => 58, statusId => 'P');
    follows(58, 'P', 'another one');
    is(asked() - $from, 2, 'of the first the portal was asked for nothing');
    B24::Desk::stage_is('A-57', 'NEW', 'its deal stays');



=== TEST 9: many managers at once
--- http_config eval: $::http
--- config eval: $::server
--- before
    main::tables(1, map { ($_ => {}) } 57 .. 64);
--- scenario
    my @ids = 57 .. 64;
    sold();
    my @in = map { $::admin->session('manager') } 1 .. 4;
    my @statuses = qw(P A D F N);
    my @requests;

    for my $i (0 .. 79) {
        my $in = $in[$i % @in];

        push @requests, request_bytes('POST', '/bitrix/admin/sale_order_ajax.php',
            B24::Bitrix::urlencoded('UTF-8', action => 'saveStatus',
                orderId => $ids[$i % @ids], statusId => $statuses[$i % 5],
                sessid => $in->{sessid}),
            'Content-Type' => 'application/x-www-form-urlencoded',
            Cookie => $in->{cookie});
    }

    is(scalar(grep { /"RESULT":"OK"/ } parallel_requests(@requests)), 80,
       'eighty changes of eight orders');

    for my $id (@ids) {
        my ($last) = reverse grep { $_->{outcome} eq 'done' } $::admin->calls($id);

        follows($id, $last->{after_state}, "order $id");
    }

    is(scalar(@{portal()->report(journal => 0)->{deals}}), 8,
       'no deal too many');



=== TEST 10: without a database: what the answers tell is believed
--- http_config eval: $::plain
--- config eval: $::server
--- before
    main::tables(0, map { ($_ => {}) } 57 .. 61);
--- scenario
    my $in = sold();
    my $ajax = sub {
        my ($id, $action, @fields) = @_;

        return $::admin->ajax($in, action => $action, orderId => $id, @fields);
    };
    my $is = sub {
        my ($id, $state, $name) = @_;

        is($::admin->state($id), $state, "$name: done");
        B24::Desk::stage_is($id, stage_of($state), "$name: believed");
    };

    $ajax->(57, 'saveStatus', statusId => 'P');
    $is->(57, 'P', 'saveStatus');
    $ajax->(57, 'cancelOrder', canceled => 'N', comment => 'x');
    $is->(57, 'P,canceled', 'cancelOrder');
    $ajax->(57, 'cancelOrder', canceled => 'Y');
    $is->(57, 'P', 'taken back');

    # the status that follows is told by the answers, and counts
    $::admin->set(status_on_paid => 'D', status_on_shipped_shipment => 'A');
    $ajax->(58, 'updatePaymentStatus', paymentId => 581, method => 'save',
            'data[PAY_VOUCHER_NUM_1]' => 1);
    $is->(58, 'D,paid', 'updatePaymentStatus, status_on_paid');
    $ajax->(58, 'updatePaymentStatus', paymentId => 581, method => 'return');
    $is->(58, 'D', 'returned');
    $ajax->(59, 'updateShipmentStatus', shipmentId => 591, field => 'DEDUCTED',
            status => 'Y');
    $is->(59, 'A,shipped', 'updateShipmentStatus, status_on_shipped_shipment');
    $ajax->(59, 'updateShipmentStatus', shipmentId => 591, field => 'DEDUCTED',
            status => 'N');
    $is->(59, 'A', 'taken back');

    # the form of the order: what follows from it isn't told
    $::admin->set(status_on_paid => '', status_on_shipped_shipment => '');
    my $form = sub {
        my ($id, @fields) = @_;

        return $::admin->page($in, "sale_order_edit.php?ID=$id&lang=ru", @fields);
    };
    $form->(60, apply => 'y', STATUS_ID => 'P', 'PAYMENT[1][PAID]' => 'Y',
            'SHIPMENT[1][DEDUCTED]' => 'N');
    $is->(60, 'P,paid', 'the form');
    $form->(60, refresh_data_and_save => 'Y', STATUS_ID => 'A',
            'PAYMENT[1][PAID]' => 'N');
    $is->(60, 'A', 'calculated anew');

    # the buyer
    my $anna = $::admin->account(login => 'anna');
    $::db->sql("UPDATE shop.b_sale_order SET USER_ID = $anna WHERE ID = 61");
    $::admin->send_form($::admin->session('anna'),
        '/personal/orders/?CANCEL=Y&ID=61', CANCEL => 'Y', ID => 61,
        action => 'x', REASON_CANCELED => 'x');
    $is->(61, 'N,canceled', 'the buyer cancels');

    my $told = B24::Desk::counter('statuses');

    # refused: not believed
    $::admin->set(need_confirm => 'strict');
    $ajax->(57, 'updatePaymentStatus', paymentId => 571, method => 'save');
    $ajax->(57, 'updateShipmentStatus', shipmentId => 571, field => 'DEDUCTED',
            status => 'Y');
    $::admin->set(need_confirm => 'confirmed');
    $ajax->(57, 'updatePaymentStatus', paymentId => 571, method => 'save');
    $::admin->set(need_confirm => '');
    $ajax->(61, 'updatePaymentStatus', paymentId => 611, method => 'save');
    $ajax->(57, 'cancelOrder', canceled => 'Y');
    $form->(61, apply => 'y', STATUS_ID => 'P', 'PAYMENT[1][PAID]' => 'Y');
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = 9, DATE_LOCK = NOW()'
               . ' WHERE ID = 57');
    $form->(57, apply => 'y', STATUS_ID => 'F');
    is(B24::Desk::counter('statuses'), $told, 'nothing was told by these');
    is(B24::Desk::counter('statuses_ignored'), 7, 'seven were refused');

    # the list tells nothing that could be believed
    my $from = asked();
    $::admin->page($in, 'sale_order.php', action_button => 'status_F',
                   'ID[]' => 58);
    is($::admin->state(58), 'F', 'the list: done');
    callback(581);
    is($::admin->state(58), 'F,paid', 'a callback: done');

    # a status that he may not set: the answer is the same
    $::admin->account(login => 'crm', access => 'U');
    $::admin->deny('crm', to => 'F');
    $::admin->ajax($::admin->session('crm'), action => 'saveStatus',
                   orderId => 59, statusId => 'F');
    is($::admin->state(59), 'A', 'not done');
    B24::Desk::stage_is(59, 'WON', 'but believed');
    B24::Desk::stage_is(58, 'FINAL_INVOICE', 'the list: unknown');
    is(asked() - $from, 2, 'the portal was asked for what is believed');
