# The stand-in of 1C-Bitrix's administration (t/bitrix), through a real nginx and
# PHP-FPM without the module: what tests of the module rely on, compared with
# what is known of the real one.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test module => '';
use Test::Nginx::Socket;

use B24::Bitrix;
use B24::BitrixAdmin;
use B24::Client;
use B24::MariaDB;
use B24::Tables;
use Digest::MD5 ();
use Encode ();
use JSON::PP ();
use MIME::Base64 ();
use Mojo::DOM;
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

use constant AJAX => '/bitrix/admin/sale_order_ajax.php';
use constant EXCHANGE => '/bitrix/admin/1c_exchange.php?type=crm';

our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
                            port => B24::Test::free_port());
our $admin = B24::BitrixAdmin->start("$B24::Test::DIR/bitrix", db => $db,
                                     children => 6);

# who logs in by HTTP stands in nginx's own log
our $config = $admin->location('access_log off;');
our $site = B24::Bitrix->new;

# Orders 57 (in one payment and one shipment) and what else is said, in tables
# that are new.
sub orders {
    my (@orders) = @_;

    $db->sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
    $admin->reset;
    B24::Tables::bitrix($db);
    B24::Tables::bitrix_properties($db, 1, $site->{types}[0]);
    B24::Tables::bitrix_orders($db, map { {
        ID => $_->{ID}, ACCOUNT_NUMBER => "A-$_->{ID}", PRICE => 4280,
        PRICE_DELIVERY => 300, ids => $site->{types}[0],
        DATE_INSERT => '2026-03-15 12:00:00',
        DATE_UPDATE => '2026-03-15 12:00:00',
        values => { FIO => 'Иванов Пётр', EMAIL => 'petr@example.com',
                    PHONE => '79161234567' },
        USER_DESCRIPTION => 'домофон &quot;12&quot;',
        rows => [[$_->{ID} * 10, 1012, 'Футболка «Лето»', 2, 1990],
                 [$_->{ID} * 10 + 1, 5, 'Часть набора', 1, 0,
                  SET_PARENT_ID => $_->{ID} * 10]],
        %$_ } } @orders ? @orders : { ID => 57 });
}

# A form, urlencoded.
sub form {
    return B24::Bitrix::urlencoded('UTF-8', @_);
}

sub basic {
    my ($login, $password) = @_;

    return (Authorization => 'Basic '
            . MIME::Base64::encode_base64("$login:$password", ''));
}

sub ajax {
    return $admin->ajax(@_);
}

sub page {
    return $admin->page(@_);
}

sub location_of {
    my ($answer) = @_;

    return $answer->{head} =~ /^Location: (\S+)/mi
           ? $1 =~ s{^http://[^/]+}{}r : 'none';
}

# "RESULT" of an answer as a text; its object with its own keys alone.
sub result {
    my ($answer) = @_;

    my $result = $answer->{RESULT};

    return $result if !ref $result;
    return join ' ', map { "$_=$result->{$_}" }
        grep { /^(?:STATUS_ID|PAYMENT_PAID_\d+|DEDUCTED_\d+|ALLOW_DELIVERY_\d+)$/ }
        sort keys %$result;
}

sub state_of {
    return $admin->state(@_);
}

# The documents of an export, each as { number, status, paid, canceled, ... }.
sub documents {
    my ($answer) = @_;

    my $dom = Mojo::DOM->new->xml(1)->parse(
        Encode::decode('UTF-8', $answer->{body}));

    return map {
        my $document = $_;
        my %value = map { $_->at('ItemName')->text => $_->at('Value')->text }
            $document->find('PropertyValue')->each;
        { id => $document->at('Id')->text, dom => $document, value => \%value,
          number => $document->at('Number')->text,
          updated => $document->at('DateUpdate')->text }
    } $dom->find('Document')->each;
}

{
    package B24::Scenario::Code;

    no strict 'refs';
    no warnings 'once';

    *{"B24::Scenario::Code::$_"} = \&{"main::$_"}
        for qw(ajax basic documents form location_of orders page result
               state_of);
    *{"B24::Scenario::Code::$_"} = \&{"main::$_"} for qw(AJAX EXCHANGE);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: checkauth: who he is, in plain text, and a session that works
--- config eval: $::config
--- scenario
    orders();
    my $url = EXCHANGE . '&mode=checkauth';
    my $answer = get($url, basic('manager', 'manager-12345'));

    is($answer->{status}, 200, 'answered');
    like($answer->{body},
         qr/^success\nPHPSESSID\n\w{20,}\nsessid=[0-9a-f]{32}\n$/, 'four lines');
    like($answer->{head}, qr/^Content-Type: text\/html; charset=windows-1251/m,
         'in no charset in particular');

    my (undef, $name, $value, $sessid) = split /\n/, $answer->{body};
    like($answer->{head}, qr/^Set-Cookie: \Q$name=$value\E/m, 'as a cookie, too');
    $sessid =~ s/^sessid=//;

    my $in = { cookie => "$name=$value", sessid => $sessid };
    is(result(ajax($in, action => 'saveStatus', orderId => 57, statusId => 'P')),
       'OK', 'it works');
    is(state_of(57), 'P', 'and something was done');

    is(get($url, Cookie => "$name=$value")->{body}, $answer->{body},
       'the session is enough for the next');

    # whom it lets in
    my $failure = Encode::encode('windows-1251', "failure\nОшибка авторизации");
    is(index(get($url, basic('manager', 'no'))->{body}, $failure), 0,
       'a wrong password');
    is(index(get($url)->{body}, $failure), 0, 'none');
    is(index(get($url, Cookie => 'PHPSESSID=abcdef')->{body}, $failure), 0,
       'a session that is not there');
    $::admin->account(login => 'anna');
    like(get($url, basic('anna', 'secret-12345'))->{body}, qr/^success\n/,
         'anybody who is somebody');
    like(get('/bitrix/admin/1c_exchange.php')->{body}, qr/^failure\n/,
         'no type');

    $::admin->set(lost => 'page');
    like(get($url)->{body}, qr/name="AUTH_FORM".*type="password"/s,
         'where the file itself is closed: the login page');



=== TEST 2: checkauth with a form in place of Basic
--- config eval: $::config
--- scenario
    orders();
    my $url = EXCHANGE . '&mode=checkauth';
    my @login = (AUTH_FORM => 'Y', TYPE => 'AUTH', USER_LOGIN => 'manager',
                 USER_PASSWORD => 'manager-12345');

    $::admin->set(basic => 'N');
    like(get($url, basic('manager', 'manager-12345'))->{body}, qr/^failure\n/,
         'PHP is not told of Basic');

    # pages of the administration are in a frame of the login form
    my $answer = post($url, form(@login));
    like($answer->{body}, qr/^<script.*setAuthResult\(false\)/, 'a script');
    my ($cookie) = $answer->{head} =~ /^Set-Cookie: (PHPSESSID=[^;]+)/m;
    like(get($url, Cookie => $cookie)->{body}, qr/^success\n/, 'but logged in');

    like(post($url, form(@login[0 .. 5], USER_PASSWORD => 'x'))->{body},
         qr/^failure\n/, 'a wrong password');

    $::admin->set(form_login => 'direct');
    like(post($url, form(@login))->{body}, qr/^success\nPHPSESSID\n/,
         'where the page itself follows');

    # any page of the administration says what the token is
    $answer = get('/bitrix/admin/sale_order.php?lang=ru', Cookie => $cookie);
    like($answer->{body}, qr/'bitrix_sessid': '[0-9a-f]{32}'/, 'in its script');
    $answer = get('/bitrix/admin/sale_order.php?lang=ru');
    like($answer->{body}, qr/name="USER_PASSWORD"/, 'else: the login page');
    like($answer->{head}, qr/^X-Bitrix-Ajax-Status: Authorize/m, 'says so');



=== TEST 3: sale_order_ajax.php: a session and its token, nothing else
--- config eval: $::config
--- scenario
    orders();
    my $in = $::admin->session('manager');
    my @save = (action => 'saveStatus', orderId => 57, statusId => 'P');
    my $denied = sub {
        my ($name, $body, @headers) = @_;

        my $answer = JSON::PP::decode_json(post(AJAX, $body, @headers)->{body});
        is($answer->{SYSTEM_ERROR}, 'Access denied!', $name);
        is($answer->{RESULT}, 'ERROR', 'RESULT');
        is_deeply($answer->{ERRORS}, [$answer->{ERROR}], 'ERRORS');
    };

    $denied->('Basic is not looked at', form(@save, sessid => $in->{sessid}),
              basic('manager', 'manager-12345'));
    $denied->('nor is the form',
              form(@save, AUTH_FORM => 'Y', TYPE => 'AUTH', USER_LOGIN => 'manager',
                   USER_PASSWORD => 'manager-12345', sessid => $in->{sessid}));
    $denied->('a wrong token', form(@save, sessid => '0' x 32),
              Cookie => $in->{cookie});
    $denied->('none', form(@save), Cookie => $in->{cookie});

    $::admin->account(login => 'anna');
    my $anna = $::admin->session('anna');
    $denied->('no right to the module', form(@save, sessid => $anna->{sessid}),
              Cookie => $anna->{cookie});
    is(state_of(57), 'N', 'nothing was done');

    is(result(JSON::PP::decode_json(post(AJAX, form(@save),
        Cookie => $in->{cookie},
        'X-Bitrix-Csrf-Token' => $in->{sessid})->{body})), 'OK',
       'in the header');
    is(state_of(57), 'P', 'done');

    my $answer = post(AJAX, form(sessid => $in->{sessid}),
                      Cookie => $in->{cookie});
    is(JSON::PP::decode_json($answer->{body})->{SYSTEM_ERROR},
       'REQUEST[action] not defined!', 'no action');
    like($answer->{head}, qr/^Content-Type: application\/json/m, 'JSON');

    # the session is over
    $::admin->expire;
    $denied->('an old session', form(@save, sessid => $in->{sessid}),
              Cookie => $in->{cookie});
    $::admin->set(lost => 'page');
    like(post(AJAX, form(@save, sessid => $in->{sessid}),
              Cookie => $in->{cookie})->{body}, qr/type="password"/,
         'or the login page');
    is(scalar(grep { $_->{outcome} eq 'denied' } $::admin->calls), 6,
       'the log has all that were denied');



=== TEST 4: saveStatus: OK also where nothing was done
--- config eval: $::config
--- scenario
    orders({ ID => 57 }, { ID => 58, RESPONSIBLE_ID => 2 },
           { ID => 59, COMPANY_ID => 7 });
    $::admin->account(login => 'crm', access => 'U');
    $::admin->account(login => 'own', access => 'P', company => 7);
    my ($in, $crm, $own) = map { $::admin->session($_) } qw(manager crm own);
    my $save = sub {
        my ($who, $id, $status) = @_;

        return ajax($who, action => 'saveStatus', orderId => $id,
                    statusId => $status);
    };
    my $before = $::admin->order(57);

    is_deeply($save->($in, 57, 'P'), { RESULT => 'OK' }, 'OK');
    my $after = $::admin->order(57);
    is($after->{STATUS_ID}, 'P', 'done');
    is($after->{VERSION}, $before->{VERSION} + 1, 'VERSION');
    isnt($after->{DATE_UPDATE}, $before->{DATE_UPDATE}, 'DATE_UPDATE');
    is($after->{DATE_STATUS}, $after->{DATE_UPDATE}, 'DATE_STATUS');
    is($after->{EMP_STATUS_ID}, 1, 'who');
    my ($change) = $::admin->rows('shop.b_sale_order_change WHERE ORDER_ID = 57',
                                  qw(TYPE DATA USER_ID));
    is_deeply($change, { TYPE => 'ORDER_STATUS_CHANGED', USER_ID => 1,
        DATA => 'a:1:{s:9:"STATUS_ID";s:1:"P";}' }, 'in the journal');

    my $same = sub {
        my ($name, $who, $status) = @_;

        is_deeply($save->($who, 57, $status), { RESULT => 'OK' }, "$name: OK");
        is_deeply($::admin->order(57), $after, 'and nothing was done');
    };

    $same->('the same', $in, 'P');
    $same->('no such status', $in, 'ZZ');
    $same->('one of a shipment', $in, 'DF');
    $::admin->deny('crm', to => 'F');
    $same->('to where he may not', $crm, 'F');
    $::admin->deny('crm', from => 'P');
    $same->('from where he may not', $crm, 'A');
    $::admin->allow;
    is($save->($crm, 57, 'F')->{RESULT}, 'OK', 'he may');
    is(state_of(57), 'F', 'done');
    is(join(' ', map { $_->{outcome} } $::admin->calls(57)),
       'done nothing nothing nothing nothing nothing done', 'the log');
    is(($::admin->calls_shown(57))[0], 'saveStatus done N>P', 'what it was');

    # P: what is his own, or his company's
    my $answer = $save->($own, 57, 'P');
    is($answer->{RESULT}, 'ERROR', 'not his');
    is_deeply($answer->{ERRORS}, [$answer->{ERROR}], 'with the reason');
    is(state_of(57), 'F', 'nothing was done');
    is($save->($own, 59, 'P')->{RESULT}, 'OK', "of his company's");
    is(state_of(59), 'P', 'done');
    $::db->sql('UPDATE shop.b_sale_order SET RESPONSIBLE_ID = 3 WHERE ID = 58');
    $save->($own, 58, 'P');
    is(state_of(58), 'P', 'his own');

    like($save->($in, 99, 'P')->{ERROR}, qr/99/, 'an order that is not there');
    is(post(AJAX, form(action => 'saveStatus', orderId => 'x', statusId => 'P',
                       sessid => $in->{sessid}), Cookie => $in->{cookie})
       ->{status}, 500, 'no order: an exception');

    # locks are not looked at, unless the site does
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = 9, DATE_LOCK = NOW()'
               . ' WHERE ID = 57');
    $save->($in, 57, 'A');
    is(state_of(57), 'A', 'somebody has its form open');
    $::admin->set(ajax_lock => 'Y');
    like($save->($in, 57, 'D')->{ERROR}, qr/заблокирован/, 'refused');
    is(state_of(57), 'A', 'nothing was done');



=== TEST 5: cancelOrder: by the state that the page shows
--- config eval: $::config
--- scenario
    orders({ ID => 57 }, { ID => 58, payments => [4280] }, { ID => 59 });
    $::admin->account(login => 'crm', access => 'U');
    my ($in, $crm) = map { $::admin->session($_) } qw(manager crm);
    my $cancel = sub {
        my ($who, $id, $shown) = @_;

        return ajax($who, action => 'cancelOrder', orderId => $id,
                    canceled => $shown, comment => 'CRM');
    };

    my $answer = $cancel->($in, 57, 'N');
    is($answer->{RESULT}, 'OK', 'N: cancels');
    is($answer->{CANCELED}, 'Y', 'CANCELED');
    like($answer->{DATE_CANCELED}, qr/^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d$/, 'when');
    is($answer->{EMP_CANCELED_ID}, 1, 'who');
    is($answer->{EMP_CANCELED_NAME}, 'manager (manager)', 'by name');
    is(state_of(57), 'N,canceled', 'it keeps its status');
    my $row = $::admin->order(57);
    is($row->{REASON_CANCELED}, 'CRM', 'why');
    is($row->{VERSION}, 1, 'VERSION');

    $answer = $cancel->($in, 57, 'N');
    is($answer->{RESULT}, 'ERROR', 'N again');
    is($answer->{CANCELED}, undef, 'says nothing of it');
    is(state_of(57), 'N,canceled', 'and does not turn it back');

    is($cancel->($in, 57, 'Y')->{CANCELED}, 'N', 'Y: restores');
    is(state_of(57), 'N', 'done');
    is($::admin->order(57)->{REASON_CANCELED}, '', 'no reason');
    is($cancel->($in, 57, 'Y')->{RESULT}, 'ERROR', 'Y again');

    # what is paid or shipped can't be cancelled
    ajax($in, action => 'updatePaymentStatus', orderId => 58, paymentId => 581,
         method => 'save');
    is($cancel->($in, 58, 'N')->{RESULT}, 'ERROR', 'paid');
    ajax($in, action => 'updateShipmentStatus', orderId => 59, shipmentId => 591,
         field => 'DEDUCTED', status => 'Y');
    is($cancel->($in, 59, 'N')->{RESULT}, 'ERROR', 'shipped');
    is(state_of(58), 'N,paid', 'still paid');
    is(state_of(59), 'N,shipped', 'still shipped');

    $::admin->deny('crm', cancel => 'N');
    is($cancel->($crm, 57, 'N')->{RESULT}, 'ERROR', 'no right: an error here');
    is(state_of(57), 'N', 'nothing was done');



=== TEST 6: updatePaymentStatus, and the statuses that follow
--- config eval: $::config
--- scenario
    orders({ ID => 57, payments => [1000, 3280] }, { ID => 58 }, { ID => 59 },
           { ID => 60, CANCELED => 'Y' });
    $::admin->account(login => 'crm', access => 'U');
    my ($in, $crm) = map { $::admin->session($_) } qw(manager crm);
    my $pay = sub {
        my ($who, $id, $payment, @more) = @_;

        return ajax($who, action => 'updatePaymentStatus', orderId => $id,
                    paymentId => $payment, method => 'save', @more);
    };

    my $answer = $pay->($in, 57, 571, 'data[PAY_VOUCHER_NUM_1]' => '12',
                        'data[PAY_VOUCHER_DATE_1]' => '15.03.2026');
    is(result($answer), 'ALLOW_DELIVERY_571=N DEDUCTED_571=N PAYMENT_PAID_571=Y'
       . ' STATUS_ID=N', 'RESULT is an object');
    is(state_of(57), 'N', 'the half of it: the order is not paid');
    is($::admin->order(57)->{SUM_PAID}, '1000.00', 'SUM_PAID');
    my ($payment) = $::admin->payments(57);
    is($payment->{PAY_VOUCHER_NUM}, '12', 'the voucher');
    is($payment->{PAY_VOUCHER_DATE}, '2026-03-15', 'its date');
    is($payment->{EMP_PAID_ID}, 1, 'who');
    is($::admin->order(57)->{VERSION}, 1, 'VERSION');

    $pay->($in, 57, 572, 'data[ORDER_STATUS_ID_2]' => 'A');
    is(state_of(57), 'A,paid', 'all of it, and the status that was chosen');
    $answer = $pay->($in, 57, 572);
    is($::admin->order(57)->{VERSION}, 2, 'again: nothing to be saved');
    is(($::admin->calls(57))[-1]{outcome}, 'nothing', 'says the log');

    # another method than "save" takes it back
    $answer = ajax($in, action => 'updatePaymentStatus', orderId => 57,
                   paymentId => 572, method => 'return',
                   'data[PAY_RETURN_NUM_2]' => '7');
    is($answer->{RESULT}{PAYMENT_PAID_572}, 'N', 'returned');
    is(state_of(57), 'A', 'not paid any more');

    # options
    $::admin->set(status_on_paid => 'P', status_on_half_paid => 'D');
    is($pay->($in, 58, 581)->{RESULT}{STATUS_ID}, 'P', 'status_on_paid');
    is(state_of(58), 'P,paid', 'done');
    $pay->($in, 57, 572);
    is(state_of(57), 'P,paid', 'both of two');
    $::db->sql("UPDATE shop.b_sale_order SET STATUS_ID = 'F' WHERE ID = 59");
    $pay->($in, 59, 591);
    is(state_of(59), 'F,paid', 'the final status stays');
    ajax($in, action => 'updatePaymentStatus', orderId => 59, paymentId => 591,
         method => 'return');
    $::db->sql("UPDATE shop.b_sale_order SET STATUS_ID = 'N' WHERE ID = 59");
    $::admin->deny('crm', to => 'P');
    $pay->($crm, 59, 591);
    is(state_of(59), 'N,paid', 'he may not set that status');

    like($pay->($in, 60, 601)->{ERROR}, qr/отмененного/, 'of a cancelled one');
    is(state_of(60), 'N,canceled', 'nothing was done');
    like($pay->($in, 60, 601, 'data[PAY_VOUCHER_DATE_1]' => 'x')->{ERROR},
         qr/дат/, 'no date');
    is(post(AJAX, form(action => 'updatePaymentStatus', orderId => 57,
        paymentId => 999, method => 'save', sessid => $in->{sessid}),
        Cookie => $in->{cookie})->{status}, 500, 'no such payment');



=== TEST 7: what is to be confirmed first is not done
--- config eval: $::config
--- scenario
    orders();
    my $in = $::admin->session('manager');
    my @pay = (action => 'updatePaymentStatus', orderId => 57, paymentId => 571,
               method => 'save');
    my @ship = (action => 'updateShipmentStatus', orderId => 57,
                shipmentId => 571, field => 'DEDUCTED', status => 'Y');

    $::admin->set(need_confirm => 'strict');
    my $answer = ajax($in, @pay);
    is($answer->{RESULT}, 'OK', 'paying: OK');
    is($answer->{NEED_CONFIRM}, JSON::PP::true(), 'but NEED_CONFIRM');
    ok(length $answer->{$_}, $_) for qw(CONFIRM_TITLE CONFIRM_MESSAGE WARNING);
    is_deeply($answer->{WARNINGS}, [$answer->{WARNING}], 'WARNINGS');

    $answer = ajax($in, @ship);
    is($answer->{NEED_CONFIRM}, JSON::PP::true(), 'shipping');
    is(result($answer), 'ALLOW_DELIVERY_571=N DEDUCTED_571=N STATUS_ID=N',
       'with what is now');
    is(state_of(57), 'N', 'nothing was done');
    is($::admin->order(57)->{VERSION}, 0, 'nothing was saved');
    is(join(' ', map { $_->{outcome} } $::admin->calls(57)), 'confirm confirm',
       'says the log');

    $answer = ajax($in, @pay, strict => 'true');
    is($answer->{RESULT}{PAYMENT_PAID_571}, 'Y', 'strict');
    is($answer->{NEED_CONFIRM}, undef, 'no question any more');
    $answer = ajax($in, @ship, strict => 'true');
    is($answer->{RESULT}{DEDUCTED_571}, 'Y', 'strict');
    is(state_of(57), 'N,paid,shipped', 'done');

    # the other way to ask
    $::admin->set(need_confirm => 'confirmed');
    ajax($in, action => 'updateShipmentStatus', orderId => 57, shipmentId => 571,
         field => 'DEDUCTED', status => 'N');
    is(state_of(57), 'N,paid', 'taking back needs none');
    $answer = ajax($in, @ship);
    is($answer->{NEED_CONFIRM}, 'Y', 'Y');
    is_deeply([sort keys %{$answer->{CONFIRM}}], ['TEXT', 'TITLE'], 'CONFIRM');
    is(state_of(57), 'N,paid', 'nothing was done');
    ajax($in, @ship, confirmed => 'Y');
    is(state_of(57), 'N,paid,shipped', 'confirmed=Y');

    # done, with a warning
    $::admin->set(warning => 'Осталось мало');
    $answer = ajax($in, action => 'saveStatus', orderId => 57, statusId => 'P');
    is($answer->{RESULT}, 'OK', 'OK');
    is_deeply($answer->{WARNINGS}, ['Осталось мало'], 'WARNINGS');
    is(state_of(57), 'P,paid,shipped', 'done');



=== TEST 8: updateShipmentStatus
--- config eval: $::config
--- scenario
    orders({ ID => 57, shipments => 2 }, { ID => 58 }, { ID => 59 },
           { ID => 60, CANCELED => 'Y' });
    my $in = $::admin->session('manager');
    my $ship = sub {
        my ($id, $shipment, $field, $value) = @_;

        return ajax($in, action => 'updateShipmentStatus', orderId => $id,
                    shipmentId => $shipment, field => $field, status => $value);
    };

    is(result($ship->(57, 571, 'ALLOW_DELIVERY', 'Y')),
       'ALLOW_DELIVERY_571=Y DEDUCTED_571=N STATUS_ID=N', 'allowed');
    is($::admin->order(57)->{ALLOW_DELIVERY}, 'N', 'one of two');
    $ship->(57, 572, 'ALLOW_DELIVERY', 'Y');
    is($::admin->order(57)->{ALLOW_DELIVERY}, 'Y', 'both');
    $ship->(57, 571, 'DEDUCTED', 'Y');
    is(state_of(57), 'N', 'one is shipped');
    $ship->(57, 572, 'DEDUCTED', 'Y');
    is(state_of(57), 'N,shipped', 'both');
    $ship->(57, 571, 'DEDUCTED', 'N');
    is(state_of(57), 'N', 'taken back');
    is($::admin->order(57)->{VERSION}, 5, 'saved each time');

    my $answer = $ship->(57, 571, 'STATUS_ID', 'DF');
    is($answer->{RESULT}{SHIPMENT_STATUS_571}{id}, 'DF', 'its own status');
    is($answer->{RESULT}{STATUS_ID}, 'N', "not the order's");
    is(state_of(57), 'N', 'nothing of the order');

    $::admin->set(status_on_allow_delivery => 'A',
                  status_on_shipped_shipment => 'D',
                  shipment_status_on_shipped => 'DF',
                  status_on_shipped_shipment_one_of => 'P');
    is($ship->(58, 581, 'ALLOW_DELIVERY', 'Y')->{RESULT}{STATUS_ID}, 'A',
       'status_on_allow_delivery');
    is($ship->(58, 581, 'DEDUCTED', 'Y')->{RESULT}{STATUS_ID}, 'D',
       'status_on_shipped_shipment');
    is(state_of(58), 'D,shipped', 'done');
    is(($::admin->shipments(58))[0]{STATUS_ID}, 'DF', "the shipment's own");
    $ship->(57, 572, 'DEDUCTED', 'N');
    $ship->(57, 572, 'DEDUCTED', 'Y');
    is(state_of(57), 'P', 'one of two');

    $answer = $ship->(60, 601, 'DEDUCTED', 'Y');
    like($answer->{ERROR}, qr/отмененного/, 'of a cancelled one');
    is(result($answer), 'ALLOW_DELIVERY_601=N DEDUCTED_601=N STATUS_ID=N',
       'RESULT is an object all the same');
    is(state_of(60), 'N,canceled', 'nothing was done');
    like($ship->(59, 591, 'STATUS_ID', 'F')->{ERROR}, qr/статус/,
         'no status of shipments');



=== TEST 9: what only looks, and what changes other things
--- config eval: $::config
--- scenario
    orders();
    my $in = $::admin->session('manager');
    my $before = $::admin->order(57);

    for (qw(refreshOrderData getOrderFields getOrderTails addProductToBasket
            getProductIdByBarcode changeDeliveryService createNewPayment
            changeResponsibleUser))
    {
        is(ajax($in, action => $_, orderId => 57, statusId => 'F',
                'formData[ID]' => 57, 'formData[STATUS_ID]' => 'F')->{RESULT},
           'OK', $_);
    }

    is_deeply($::admin->order(57), $before, 'nothing was done');
    is(scalar(grep { $_->{outcome} eq 'read' } $::admin->calls(57)), 8, 'the log');

    my $answer = ajax($in, action => 'saveStatus', orderId => 57,
        statusId => 'P', refreshOrderData => 'Y', 'formData[STATUS_ID]' => 'F');
    is($answer->{ORDER_DATA}{STATUS_ID}, 'F', 'the form rides along');
    is(state_of(57), 'P', 'and is not saved');

    my $version = 1;
    my $saved = sub {
        my ($name, $column, $value, @fields) = @_;

        is(ajax($in, @fields)->{RESULT}, 'OK', $name);
        is($::admin->order(57)->{VERSION}, ++$version, 'saved');
        is($::admin->order(57)->{$column}, $value, $column) if $column;
    };

    $::db->sql("UPDATE shop.b_sale_order SET MARKED = 'Y'");
    $saved->('saveComments', 'COMMENTS', 'x', action => 'saveComments',
             orderId => 57, comments => 'x');
    $saved->('unmarkOrder', 'MARKED', 'N', action => 'unmarkOrder',
             orderId => 57);
    $saved->('saveTrackingNumber', undef, undef, action => 'saveTrackingNumber',
             orderId => 57, shipmentId => 571, trackingNumber => 'RR1');
    is(($::admin->shipments(57))[0]{TRACKING_NUMBER}, 'RR1', 'it is there');
    $saved->('deletePayment', undef, undef, action => 'deletePayment',
             orderId => 57, paymentId => 571);
    is(scalar($::admin->payments(57)), 0, 'it is gone');
    is(ref ajax($in, action => 'deleteShipment', order_id => 57,
                shipment_id => 571)->{RESULT}, 'HASH', 'deleteShipment');
    is(scalar($::admin->shipments(57)), 0, 'it is gone');
    is(state_of(57), 'P', 'the status stays through all of it');



=== TEST 10: mode=query: the XML, and who gets it
--- config eval: $::config
--- scenario
    orders({ ID => 57 }, { ID => 58, DATE_UPDATE => '2026-03-15 12:00:01',
                           STATUS_ID => 'F', PAYED => 'Y', CANCELED => 'Y' },
           { ID => 59, DATE_UPDATE => '2026-03-15 12:00:02' });
    $::admin->account(login => 'crm', access => 'U');
    my ($in, $crm) = map { $::admin->session($_) } qw(manager crm);
    my $query = sub {
        my ($arguments, $who) = @_;

        return get(EXCHANGE . "&mode=query$arguments",
                   Cookie => ($who // $in)->{cookie});
    };

    my $answer = $query->('&ORDER_ID=57');
    like($answer->{head},
         qr/^Content-Type: application\/xml; charset=windows-1251/m, 'the header');
    like($answer->{body}, qr/^<\?xml version="1\.0" encoding="UTF-8"\?>/, 'the XML');
    like($answer->{body}, qr/<CommerceInformation SchemaVersion="2\.05"/, 'its root');
    my ($one, @others) = documents($answer);
    is(scalar(@others), 0, 'one order, by the key of the database');
    is("$one->{id} $one->{number} $one->{updated}",
       '57 A-57 2026-03-15 12:00:00', 'its number');
    is_deeply([@{$one->{value}}{qw(OrderPaid Canceled FinalStatus OrderStatus
                                   PaymentSystem DeliveryService)}],
        ['false', 'false', 'false', '[N] Принят, ожидается оплата',
         'Наличные курьеру', 'Курьер'], 'its state');
    is($one->{dom}->at('Amount')->text, '4280.0000', 'its total');
    is($one->{dom}->at('FullTitle')->text, 'Иванов Пётр', 'the buyer');
    is($one->{dom}->find('Contact')->map(sub {
        $_->at('Type')->text . ' ' . $_->at('Value')->text })->join('; '),
       'Mail petr@example.com; WorkPhone 79161234567', 'contacts');
    is($one->{dom}->find('Item')->map(sub { my ($item) = @_;
        join ' ', map { $item->at($_)->text } qw(Id ItemName ItemPrice Amount)
       })->join('; '), 'xml#1012 Футболка «Лето» 1990.0000 3980;'
       . ' ORDER_DELIVERY OrderDelivery 300.0000 300.0000', 'goods and delivery');
    is($one->{dom}->at('Comment')->text, 'домофон "12"', 'the comment');

    ($one) = documents($query->('&ORDER_ID=58'));
    is_deeply([@{$one->{value}}{qw(OrderPaid Canceled FinalStatus)}],
              ['true', 'true', 'true'], 'flags');
    is(scalar(documents($query->('&ORDER_ID=99'))), 0, 'no such order');

    # strictly later than the label, which is seconds of a clock that reads UTC
    my $since = sub {
        return join ' ', map { $_->{id} } documents($query->(
            "&ZZZ=0&MODIFICATION_LABEL=$_[0]" . ($_[1] // '')));
    };
    is($since->(1773576000 - 1), '57 58 59', 'a second before');
    is($since->(1773576000), '58 59', 'of that second');
    is($since->(1773576000 - 1, '&IMPORT_SIZE=2'), '57 58', 'so many');
    is(join(' ', map { $_->{id} } documents($query->(
        '&ZZZ=3600&MODIFICATION_LABEL=' . (1773576001 - 3600)))), '59',
       'another zone');

    # rights: logged in is not enough
    my $failure = Encode::encode('windows-1251', "failure\nУ Вас нет прав");
    is(index($query->('&ORDER_ID=57', $crm)->{body}, $failure), 0,
       'no right to export');
    is(index($query->('&ORDER_ID=57', { cookie => 'a=b' })->{body},
       Encode::encode('windows-1251', "failure\nОшибка авторизации")), 0,
       'not logged in');

    # the first sessid closes it for those without
    is($::admin->setting('secure_1c_exchange'), '', 'open');
    is(scalar(documents($query->("&ORDER_ID=57&sessid=$in->{sessid}"))), 1,
       'with a token');
    is($::admin->setting('secure_1c_exchange'), 'Y', 'closed');
    like($query->('&ORDER_ID=57')->{body}, qr/^failure\n/, 'without');
    like($query->('&ORDER_ID=57&sessid=' . '0' x 32)->{body}, qr/^failure\n/,
         'a wrong one');

    # a version that is declared
    like(get(EXCHANGE . "&mode=init&version=2.09&sessid=$in->{sessid}",
             Cookie => $in->{cookie})->{body},
         qr/^zip=no\nfile_limit=204800\nsessid=[0-9a-f]{32}\nversion=2\.09$/,
         'init');
    ($one) = documents($query->("&ORDER_ID=57&sessid=$in->{sessid}"));
    is($one->{dom}->find('Type')->map('text')->join('; '),
       'E-Mail; Work phone', 'other names');



=== TEST 11: the list: actions on what is ticked, and on all of a filter
--- config eval: $::config
--- scenario
    orders(map { { ID => $_ } } 57 .. 60);
    $::admin->account(login => 'crm', access => 'U');
    my ($in, $crm) = map { $::admin->session($_) } qw(manager crm);
    my $list = sub { return page($in, 'sale_order.php?lang=ru', @_) };
    my $states = sub { return join ' ', map { state_of($_) } 57 .. 60 };

    my $answer = $list->(action_button => 'status_P', 'ID[]' => 57,
                         'ID[]' => 58);
    is($answer->{status}, 200, 'a page');
    like($answer->{head}, qr/^Content-Type: text\/html/m, 'HTML');
    is($states->(), 'P P N N', 'two of them');
    is($list->(action => 'status_P', 'ID[]' => 57)->{status}, 200,
       'nothing done: a page as well');
    is($::admin->order(57)->{VERSION}, 1, 'nothing was saved');

    for (['paid', 'P,paid'], ['deducted', 'P,paid,shipped'],
         ['cancel', 'P,paid,shipped'], ['deducted_n', 'P,paid'],
         ['paid_n', 'P'], ['allow_delivery', 'P'], ['cancel', 'P,canceled'],
         ['cancel_n', 'P'], ['allow_delivery_n', 'P'])
    {
        my ($action, $state) = @$_;

        $list->(action_button_tbl_sale_order => $action, 'ID[]' => 57);
        is(state_of(57), $state, $action);
    }

    is($::admin->order(57)->{ALLOW_DELIVERY}, 'N', 'not allowed any more');
    $list->(action => 'update_payment_status', 'ID[]' => 57);
    is(state_of(57), 'P', 'the gateway knows of no payment');
    $::admin->set(gateway_paid => 'Y');
    $list->(action => 'update_payment_status', 'ID[]' => 57);
    is(state_of(57), 'P,paid', 'it does');

    # the menu of a row, by GET
    my $menu = sub {
        my ($sessid) = @_;

        return get('/bitrix/admin/sale_order.php?lang=ru&ID=58&action=status_A'
                   . "&sessid=$sessid", Cookie => $in->{cookie});
    };
    $menu->('0' x 32);
    is(state_of(58), 'P', 'a wrong token');
    $menu->($in->{sessid});
    is(state_of(58), 'A', 'the menu');

    $list->(action_button => 'status_D', action_target => 'selected');
    is($states->(), 'D,paid D D D', 'all by filter');
    is(state_of(60), 'D', 'which no request has named');
    $list->(action_button_tbl_sale_order => 'status_N', 'ID[]' => 57,
            action_all_rows_tbl_sale_order => 'Y');
    is($states->(), 'N,paid N N N', 'and as the newer list says it');

    # one whose form somebody has open
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = 9, DATE_LOCK = NOW()'
               . ' WHERE ID = 58');
    like($list->(action => 'status_P', 'ID[]' => 58)->{body},
         qr/adm-info-message-red/, 'locked');
    is(state_of(58), 'N', 'nothing was done');
    $list->(action => 'unlock', 'ID[]' => 58);
    $list->(action => 'status_P', 'ID[]' => 58);
    is(state_of(58), 'P', 'unlocked');

    $::admin->deny('crm', to => 'F');
    page($crm, 'sale_order.php', action => 'status_F', 'ID[]' => 59);
    is(state_of(59), 'N', 'he may not');

    # typed in the list itself
    $list->(save => 'y', 'FIELDS[59][CANCELED]' => 'Y',
            'FIELDS[60][STATUS_ID]' => 'P');
    is($states->(), 'N,paid P N,canceled P', 'typed');
    $list->(action_button_tbl_sale_order => 'edit',
            'FIELDS[59][CANCELED]' => 'N', 'FIELDS[60][STATUS_ID]' => 'P');
    is($states->(), 'N,paid P N P', 'in the newer list');

    $list->(action => 'delete', 'ID[]' => 60);
    is(state_of(60), 'none', 'deleted');
    $list->(action => 'archive', 'ID[]' => 59);
    is(state_of(59), 'none', 'archived');
    is(join(' ', $::admin->calls_shown(60))
       =~ /delete done P>P$/ ? 1 : 0, 1, 'the log has it');



=== TEST 12: the form of an order: 302, but not for that alone
--- config eval: $::config
--- scenario
    orders({ ID => 57 }, { ID => 58, CANCELED => 'Y' });
    $::admin->account(login => 'crm', access => 'U');
    my ($in, $crm) = map { $::admin->session($_) } qw(manager crm);
    my $form = sub { return page($in, 'sale_order_edit.php?ID=57&lang=ru', @_) };

    my $answer = $form->(apply => 'y', STATUS_ID => 'A',
        'PROPERTIES[21]' => 'Петров', 'PAYMENT[1][PAID]' => 'Y',
        'SHIPMENT[1][DEDUCTED]' => 'Y', 'SHIPMENT[1][STATUS_ID]' => 'DF',
        'PRODUCT[570][QUANTITY]' => 1, 'PRODUCT[570][PRICE]' => 1990);
    is($answer->{status}, 302, 'apply');
    is(location_of($answer), '/bitrix/admin/sale_order_edit.php?lang=ru&ID=57',
       'the form again');
    is(state_of(57), 'A,paid,shipped', 'all of it');
    is($::admin->order(57)->{PRICE}, '2290.0000', 'the total');
    is(($::admin->shipments(57))[0]{STATUS_ID}, 'DF', 'the shipment');
    is(($::db->rows('SELECT VALUE FROM shop.b_sale_order_props_value WHERE'
        . ' ORDER_ID = 57 AND ORDER_PROPS_ID = 21'))[0][0], 'Петров', 'a property');
    is($::admin->order(57)->{VERSION}, 1, 'saved once');

    $answer = $form->(save => 'y', STATUS_ID => 'P');
    is(location_of($answer), '/bitrix/admin/sale_order_edit.php?lang=ru&ID=57'
       . '&unlock=Y&target=list', 'save: and on to the list');
    is(state_of(57), 'P,paid,shipped', 'done');
    is($::admin->order(57)->{LOCKED_BY}, 1, 'it is locked until that');
    is(location_of(get('/bitrix/admin/sale_order_edit.php?lang=ru&ID=57'
        . '&unlock=Y&target=list', Cookie => $in->{cookie})),
       '/bitrix/admin/sale_order.php?lang=ru', 'the list');
    is($::admin->order(57)->{LOCKED_BY}, undef, 'unlocked');

    $answer = $form->(refresh_data_and_save => 'Y', STATUS_ID => 'D');
    is($answer->{status}, 302, 'the button that calculates anew');
    is(state_of(57), 'D,paid,shipped', 'done');

    # refused: the page with the form
    $answer = page($in, 'sale_order_edit.php?ID=58', apply => 'y',
                   STATUS_ID => 'P', 'PAYMENT[1][PAID]' => 'Y');
    is($answer->{status}, 200, 'an error');
    like($answer->{body}, qr/adm-info-message-red.*sale_order_edit/s, 'the form');
    is(state_of(58), 'N,canceled', 'nothing was done');
    is(post('/bitrix/admin/sale_order_edit.php?ID=57', form(apply => 'y',
        STATUS_ID => 'N'), Cookie => $in->{cookie})->{status}, 200, 'no token');
    is($form->(STATUS_ID => 'N')->{status}, 200, 'neither save nor apply');
    is(state_of(57), 'D,paid,shipped', 'nothing was done');

    # redirects that are none of success
    $::admin->deny('crm', to => 'F');
    my $version = $::admin->order(57)->{VERSION};
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = NULL');
    $answer = page($crm, 'sale_order_edit.php?ID=57', apply => 'y',
                   STATUS_ID => 'F');
    is($answer->{status}, 302, 'a status that he may not set');
    is($::admin->order(57)->{VERSION}, $version, 'nothing was done');
    $answer = $form->(apply => 'y', STATUS_ID => 'N');
    is(location_of($answer), '/bitrix/admin/sale_order_view.php?lang=ru&ID=57',
       'locked: led to the page to look at');
    $::db->sql('UPDATE shop.b_sale_order SET LOCKED_BY = NULL');
    $::admin->deny('crm', update => 'D');
    is(location_of(page($crm, 'sale_order_edit.php?ID=57', apply => 'y',
                        STATUS_ID => 'N')),
       '/bitrix/admin/sale_order_view.php?lang=ru&ID=57', 'no right: the same');
    is(location_of(page($in, 'sale_order_edit.php?ID=99', apply => 'y')),
       '/bitrix/admin/sale_order.php?lang=ru', 'no order: the list');
    is(state_of(57), 'D,paid,shipped', 'nothing was done');



=== TEST 13: the forms of payments and shipments, and a new order
--- config eval: $::config
--- scenario
    orders({ ID => 57, payments => [1000, 3280] });
    my $in = $::admin->session('manager');

    my $answer = page($in, 'sale_order_payment_edit.php?order_id=57'
        . '&payment_id=571', update => 'Y', save => 'y',
        'PAYMENT[1][PAYMENT_ID]' => 571, 'PAYMENT[1][PAID]' => 'Y');
    is(location_of($answer), '/bitrix/admin/sale_order_payment.php?lang=ru',
       'a payment: to the list of them');
    is($::admin->order(57)->{SUM_PAID}, '1000.00', 'done');
    is(location_of(get('/bitrix/admin/sale_order_payment_edit.php?order_id=57'
        . "&payment_id=572&delete=Y&sessid=$in->{sessid}",
        Cookie => $in->{cookie})),
       '/bitrix/admin/sale_order_payment.php?lang=ru', 'deleted by a link');
    is(scalar($::admin->payments(57)), 1, 'done');
    $answer = page($in, 'sale_order_payment_edit.php?order_id=57&payment_id=571'
                   . '&delete=Y');
    is($answer->{status}, 200, 'a paid one: an error');

    $answer = page($in, 'sale_order_shipment_edit.php?order_id=57'
        . '&shipment_id=571', apply => 'y', 'SHIPMENT[1][SHIPMENT_ID]' => 571,
        'SHIPMENT[1][DEDUCTED]' => 'Y', 'SHIPMENT[1][TRACKING_NUMBER]' => 'RR1');
    is(location_of($answer), '/bitrix/admin/sale_order_shipment_edit.php?lang=ru'
       . '&order_id=57&shipment_id=571', 'a shipment: the form again');
    is(state_of(57), 'N,shipped', 'done');

    # in steps: the order comes before its goods
    $::admin->set(account_number_template => 'M-');
    my $fault = $::admin->fault(kind => 'hold', moment => 'between',
                                page => 'sale_order_create.php');
    my $client = client();
    $client->send(request_bytes('POST', '/bitrix/admin/sale_order_create.php',
        form(save => 'y', sessid => $in->{sessid}, 'PROPERTIES[21]' => 'Анна',
             'PRODUCT[n1][PRODUCT_ID]' => 5, 'PRODUCT[n1][NAME]' => 'Кружка',
             'PRODUCT[n1][QUANTITY]' => 2, 'PRODUCT[n1][PRICE]' => '250',
             'SHIPMENT[1][PRICE_DELIVERY]' => 100),
        'Content-Type' => 'application/x-www-form-urlencoded',
        Cookie => $in->{cookie}));
    ok($::admin->wait_held($fault), 'it is held');
    is($::admin->order(58)->{ACCOUNT_NUMBER}, 'M-58', 'the order is there');
    is(scalar($::admin->payments(58)), 0, 'nothing else');
    $::admin->release($fault);
    is(location_of($client->response),
       '/bitrix/admin/sale_order_view.php?lang=ru&ID=58', 'saved');
    is($::admin->order(58)->{PRICE}, '600.0000', 'its total');
    is(scalar($::admin->payments(58)), 1, 'with all of it');



=== TEST 14: the buyer's page and a gateway's callback
--- config eval: $::config
--- scenario
    orders({ ID => 57 });
    my $anna = $::admin->account(login => 'anna');
    $::admin->account(login => 'boris');
    $::db->sql("UPDATE shop.b_sale_order SET USER_ID = $anna");
    my %in = map { $_ => $::admin->session($_) } qw(anna boris);
    my $cancel = sub {
        my ($who, $target, @more) = @_;

        return post($target, form(CANCEL => 'Y', action => 'Отменить',
            REASON_CANCELED => 'x', @more, sessid => $in{$who}{sessid}),
            Cookie => $in{$who}{cookie});
    };

    my $list = '/personal/orders/?CANCEL=Y&ID=';

    is($cancel->('boris', "${list}57")->{status}, 200, "somebody else's");
    is(post("${list}57", form(CANCEL => 'Y', ID => 57, action => 'x',
        sessid => '0' x 32), Cookie => $in{anna}{cookie})->{status}, 200,
       'a wrong token');
    is($cancel->('anna', '/personal/orders/', ID => 57)->{status}, 200,
       'an order that only the form names');
    is($cancel->('anna', "${list}A-57")->{status}, 200,
       'a number, where orders have none');
    is(state_of(57), 'N', 'nothing was done');
    my $answer = $cancel->('anna', "${list}57");
    is($answer->{status}, 302, 'his own');
    is(location_of($answer), '/personal/orders/', 'to his orders');
    is(state_of(57), 'N,canceled', 'done');

    # where orders have numbers, it goes on whatever comes of it
    is($cancel->('anna', '/personal/order/cancel/57/')->{status}, 200, 'again');
    $::admin->set(account_number_template => 'A-');
    is($cancel->('anna', '/personal/order/cancel/A-57/')->{status}, 302,
       'again, by its number');
    is(state_of(57), 'N,canceled', 'nothing was done');

    # who logs in on a page of the site gets that page
    like(post('/auth/', form(AUTH_FORM => 'Y', TYPE => 'AUTH',
        USER_LOGIN => 'anna', USER_PASSWORD => 'secret-12345'))->{body},
        qr/<p>anna<\/p>.*name="sessid" value="[0-9a-f]{32}"/s, 'logs in');

    orders({ ID => 58 });
    $::admin->set(status_on_paid => 'P');
    my $paid = sub {
        return post('/bitrix/tools/sale_ps_result.php', form(
            BX_PAYMENT_NUMBER => 581, AMOUNT => '4280.00', SIGN => $_[0]))
            ->{body};
    };
    is($paid->('x'), "FAIL\n", 'a wrong signature');
    is($paid->(Digest::MD5::md5_hex('581;4280.00;secret')), "OK\n", 'paid');
    is(state_of(58), 'P,paid', 'and what follows');
    is(get('/personal/orders/x/y')->{status}, 404, 'nothing else is here');



=== TEST 15: faults, as tests order them
--- config eval: $::config
--- scenario
    orders({ ID => 57 }, { ID => 58 });
    my $in = $::admin->session('manager');
    my $save = sub {
        my ($status, $id) = @_;

        return post(AJAX, form(action => 'saveStatus', orderId => $id // 57,
            statusId => $status, sessid => $in->{sessid}),
            Cookie => $in->{cookie});
    };

    my $fault = $::admin->fault(kind => 'answer', value => 500, order => 57,
                                page => 'sale_order_ajax.php', times => 2);
    is($save->('P', 58)->{status}, 200, 'another order');
    is($save->('P')->{status}, 500, 'answered 500') for 1, 2;
    is(state_of(57), 'N', 'nothing was done');
    is($::admin->left($fault), 0, 'used up');
    is($save->('P')->{status}, 200, 'and over');

    $::admin->fault(kind => 'answer', value => 502, moment => 'after');
    is($save->('A')->{status}, 502, 'the answer is lost');
    is(state_of(57), 'A', 'but it was done');

    $::admin->fault(kind => 'login', action => 'saveStatus');
    like($save->('P')->{body}, qr/type="password"/, 'the login page');
    $::admin->fault(kind => 'hang', value => 0.05, action => 'saveStatus');
    is($save->('P')->{status}, 200, 'late');

    $fault = $::admin->fault(kind => 'hold', moment => 'after');
    my $client = client();
    $client->send(request_bytes('POST', AJAX, form(action => 'saveStatus',
        orderId => 57, statusId => 'D', sessid => $in->{sessid}),
        'Content-Type' => 'application/x-www-form-urlencoded',
        Cookie => $in->{cookie}));
    ok($::admin->wait_held($fault), 'held');
    is(state_of(57), 'D', 'after it was done');
    ok($client->is_idle, 'no answer yet');
    $::admin->release($fault);
    is($client->response->{status}, 200, 'answered');

    $::admin->fault(kind => 'expire', action => 'saveStatus');
    like($save->('P')->{body}, qr/Access denied!/, 'its session is over');
    like($save->('P')->{body}, qr/Access denied!/, 'for good');
    is(state_of(57), 'D', 'nothing was done');

    $::db->stop;
    is(get(EXCHANGE . '&mode=checkauth', basic('manager', 'manager-12345'))->{status},
       500, 'without its database');
    $::db->start;
    like(get(EXCHANGE . '&mode=checkauth', basic('manager', 'manager-12345'))->{body},
         qr/^success/, 'with it again');



=== TEST 16: many at once
--- config eval: $::config
--- scenario
    orders(map { { ID => $_ } } 57 .. 60);
    my @in = map { $::admin->session('manager') } 1 .. 5;
    my @statuses = qw(P A D F N);
    my @requests;

    # each session asks for a status of its own for each order, all together
    for my $i (0 .. 99) {
        my $in = $in[$i % @in];

        push @requests, request_bytes('POST', AJAX, form(action => 'saveStatus',
            orderId => 57 + $i % 4, statusId => $statuses[$i % 5],
            sessid => $in->{sessid}),
            'Content-Type' => 'application/x-www-form-urlencoded',
            Cookie => $in->{cookie});
    }

    my $begin = Time::HiRes::time();
    my @answers = parallel_requests(@requests);
    note(sprintf '%.1f ms a call, of 100 at once',
         (Time::HiRes::time() - $begin) * 10);

    is(scalar(grep { /\{"RESULT":"OK"\}/ } @answers), 100, 'all OK');

    for my $id (57 .. 60) {
        my @calls = $::admin->calls($id);
        my $state = 'N';
        my @torn = grep { my $is = $_->{before_state} ne $state;
                          $state = $_->{after_state};
                          $is } @calls;

        is(scalar(@calls), 25, "$id: all are in the log");
        is(scalar(@torn), 0, 'each begins where the one before it ended');
        is(state_of($id), $state, 'the last one counts');
        is($::admin->order($id)->{VERSION},
           scalar(grep { $_->{outcome} eq 'done' } @calls), 'VERSION');
    }

    $begin = Time::HiRes::time();
    ajax($in[0], action => 'saveStatus', orderId => 57,
         statusId => $statuses[$_ % 5]) for 1 .. 50;
    note(sprintf '%.1f ms a call, one after another',
         (Time::HiRes::time() - $begin) * 20);

    # of one cancel only one is done, whoever presses it
    my @pressed = parallel_requests(map { request_bytes('POST', AJAX,
        form(action => 'cancelOrder', orderId => 57, canceled => 'N',
             sessid => $_->{sessid}),
        'Content-Type' => 'application/x-www-form-urlencoded',
        Cookie => $_->{cookie}) } @in);
    is(scalar(grep { /"CANCELED":"Y"/ } @pressed), 1, 'one of five cancels it');
    is(state_of(57) =~ /canceled$/ ? 1 : 0, 1, 'it is');



=== TEST 17: PHP has nothing to complain about
--- config eval: $::config
--- scenario
    my $log = join '', map { B24::Test::slurp("$B24::Test::DIR/bitrix/$_") }
                           'fpm.log', 'fpm.out';

    # what ends a request is told by its exception
    is(join("\n", grep { /PHP (?:Warning|Notice|Deprecated|Fatal|Parse)/ }
                   split /\n/, $log), '', 'no warnings');
