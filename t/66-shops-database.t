# Presets with the shop's own database: what traffic alone can't give comes from
# a real MariaDB with that shop's tables.

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
use B24::OpenCart;
use B24::Recording;
use B24::Tables;
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

$ENV{TEST_NGINX_DB} = $db->url;

our $http = B24::Bought::http(qw(woocommerce opencart prestashop bitrix))
    . <<'EOC';
    b24_database  $TEST_NGINX_DB poll=1s traffic=1s;
    b24_import    off;
EOC

# An empty database.
sub fresh {
    $db->sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
}

# The recorded orders of a shop in its tables; returns what it is bought in.
sub recorded {
    my ($name, $fill) = @_;

    my $truth = JSON::PP::decode_json(B24::Recording::read_file(
        "t/recordings/$name/truth.json"));

    fresh();
    $fill->($db, @{$truth->{orders}});

    return B24::Bought->load($name);
}

our $bought;

# WooCommerce with a plugin for numbers: what it keeps of each order (given its
# key, gives pairs) is in the table, the number expected is the deals'.
sub numbered {
    my ($table, $number, $meta) = @_;

    for my $order (@{$bought->{orders}}) {
        my $key = $order->{id};

        B24::Tables::woocommerce_meta($db, $table, $key, $meta->($key));
        $order->{id} = $number->($key);
    }
}

# Orders that a manager types in, one with a number of the plugin, one bought
# through nginx: each is one deal.
sub imported_numbers {
    my ($table, $fill) = @_;

    my $truth = JSON::PP::decode_json(B24::Recording::read_file(
        't/recordings/woocommerce-9.9.5/truth.json'));
    my ($first, @orders) = @{$truth->{orders}};
    my ($typed) = grep { $_->{scenario} eq 'classic-c' } @orders;
    my ($bare) = grep { $_->{scenario} eq 'classic-e' } @orders;
    my ($passed) = grep { $_->{scenario} eq 'classic-g' } @orders;

    ok(looked_at(), 'the first look');
    sleep 1;

    @{$bought->{orders}} = grep { $_->{scenario} =~ /^classic-[ceg]$/ }
                                @{$bought->{orders}};

    # the plugin's number comes with the order
    B24::Tables::together($db, sub {
        for ($typed, $bare, $passed) {
            $_->{date_created_gmt} = '2027-01-01 12:00:00';
            $fill->($db, $_);
        }

        numbered($table,
            sub { $_[0] == $bare->{order_id} ? $_[0] : "W-$_[0]" },
            sub { $_[0] == $bare->{order_id} ? (_order_key => 'x')
                                             : (_order_number => "W-$_[0]") });
    });

    $bought->play(filter => sub { $_[0]{name} =~ /classic-g.*checkout$/
                                  && $_[0]{method} eq 'POST' });
    $bought->deals_are;

    # known by the same number from then on
    my $polls = sub { scalar grep { /AS changed/ } $db->log };
    my $polled = $polls->();
    ok(B24::Scenario::wait_until(sub { $polls->() > $polled + 3 }),
       'and asked for again');
    B24::Desk::count_is('duplicate', 0, 'none came twice');
}

# An order as recorded, with another key and time (SQL).
sub typed {
    my ($id, $time) = @_;

    my ($order) = grep { $_->{scenario} eq 'classic-c' }
        @{JSON::PP::decode_json(B24::Recording::read_file(
            't/recordings/woocommerce-9.9.5/truth.json'))->{orders}};

    return { %$order, order_id => $id, date_created_gmt => \$time };
}

our ($site, %bitrix);

# An order of Anna Kim's in the tables of OpenCart: 20.00 and the delivery.
sub sold {
    my ($id, $added, $confirmed) = @_;

    B24::Tables::opencart_order($db, { order_id => $id, currency => 'USD',
        currency_value => 1, total_base_currency => 25, comment => '',
        buyer => { firstname => 'Anna', lastname => 'Kim',
                   email => 'kim@example.com', telephone => '+79160000001',
                   map { $_ => '' } qw(address_1 city zone postcode company
                                       country) },
        items => [{ product_id => 3, name => "Mug $id", model => 'M',
                    quantity => 2, price => 10, total => 20,
                    tax_per_unit => 0 }],
        totals => [{ code => 'shipping', title => 'Flat', value => 5 },
                   { code => 'total', title => 'Total', value => 25 }] },
        added => $added // \'NOW()', confirmed => $confirmed);
}

# She buys it; options of steps().
sub bought {
    my (%option) = @_;

    B24::OpenCart::steps([['Mug', 2, '$10.00', '$20.00', '']],
                         [['Sub-Total', '$20.00'], ['Flat Rate', '$5.00'],
                          ['Total', '$25.00']], %option);
    B24::OpenCart::button();
}

# The shop was looked at once: what comes from now on can be imported.
sub looked_at {
    return B24::Scenario::wait_until(sub {
        (B24::Desk::status()->{portals}[0]{database}{state} // '') eq 'ok' }, 30);
}

# "NUMBER ROWS; ..." of all deals.
sub deals_shown {
    my ($n, %want) = @_;

    my $report = B24::Test::portal()->wait_for(deals => $n, rows => 2 * $n,
        stable_ms => $want{stable} // 300, journal => 0,
        timeout => $want{timeout} // 60);

    return join '; ', sort map { my $deal = $_; join ' ', $deal->{origin_id},
        map { "$_->{product_name} x$_->{quantity}" } @{$deal->{rows}}
        } @{$report->{deals}};
}

# Fresh settings: import, and how long the traffic is waited for.
sub settings {
    my (%set) = @_;

    my $http = $main::http;
    $http =~ s/poll=1s traffic=1s/$set{times}/ if $set{times};
    $http =~ s/b24_import    off/b24_import    on/ if $set{import};

    return $http . ($set{more} // '');
}

# What the desk has of the record of a number; undef: nothing.
sub record_of {
    my ($number) = @_;

    my $answer = B24::Scenario::get("/b24/orders/$number?format=json");

    return $answer->{status} == 200 ? JSON::PP::decode_json($answer->{body})
                                    : undef;
}

# One click for order 700, whose number is A-700, delivered while the database
# is away; statements that come before that.
sub one_click_unread {
    my (@sql) = @_;

    my $script = '/bitrix/components/aspro/oneclickbuy.next/script.php';

    # or it would be imported
    $db->unseen(sub {
        order(700, 'A-700');
        $db->sql($_) for @sql;
    });
    $site->says($script, { result => 'Y', message => 700 });
    B24::Scenario::post($script, B24::Bitrix::urlencoded('UTF-8',
        'ONE_CLICK_BUY[FIO]' => 'Иванов Пётр', ELEMENT_ID => 1012,
        'ONE_CLICK_BUY[PHONE]' => '+7 916 123-45-67', ELEMENT_QUANTITY => 2),
        $site->cookies);

    return B24::Desk::deal('700', timeout => 40);
}

# A site of 1C-Bitrix with its tables, whose orders order() puts there.
sub site {
    my (%option) = @_;

    fresh();
    $site = B24::Bitrix->new(charset => $option{charset} // 'UTF-8');
    %bitrix = (layout => $option{layout} // 21);
    B24::Tables::bitrix($db, layout => $bitrix{layout},
        ($option{charset} // '') eq 'windows-1251' ? (charset => 'cp1251')
                                                   : ());
    B24::Tables::bitrix_properties($db, $_, $site->{types}[$_ - 1],
        deal => $option{deal} // 1) for 1, 2;
}

our %person = (FIO => 'Иванов Пётр', EMAIL => 'petr@example.com',
               PHONE => '79161234567', ZIP => '101000',
               LOCATION => '0000073738', ADDRESS => 'Тверская, 1');

sub order {
    my ($id, $number, %option) = @_;

    my $type = $option{type} // 1;

    B24::Tables::bitrix_order($db, ID => $id, ACCOUNT_NUMBER => $number,
        PRICE => 4280, PRICE_DELIVERY => 300, values => \%person,
        ids => $site->{types}[$type - 1], layout => $bitrix{layout},
        USER_DESCRIPTION => 'домофон &quot;12&quot;',
        rows => [[$id * 10, 1012, 'Футболка «Лето»', 2, 1990],
                 [$id * 10 + 1, 5, 'Часть набора', 1, 0,
                  SET_PARENT_ID => $id * 10]], %option);
}

sub shown {
    my ($number) = @_;

    my $deal = B24::Desk::deal($number, rows => 2);
    my $contact = $deal->{contacts}[0] // {};

    return join '; ', $contact->{name} // '', @{$contact->{phones} // []},
        @{$contact->{emails} // []}, "$deal->{opportunity} $deal->{rows_sum}",
        join(', ', map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                       @{$deal->{rows}}),
        ($deal->{comments} // '') =~ s/\n/ | /gr;
}

our $whole = 'Иванов Пётр; +79161234567; petr@example.com; 4280.00 4280.00;'
    . ' Футболка «Лето» 1990.00 x 2, Delivery 300.00 x 1; домофон "12" |'
    . ' Address: 101000, Москва, Тверская, 1';

# The deal's id as the shop knows it.
sub linked {
    my ($id) = @_;

    my $value;

    B24::Scenario::wait_until(sub {
        ($value) = $db->rows("SELECT VALUE FROM shop.b_sale_order_props_value"
            . " WHERE CODE = 'B24_DEAL_ID' AND ORDER_ID = $id");
        $value = $value->[0] if ref $value eq 'ARRAY';
        return defined $value;
    });

    return $value;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: WooCommerce: nothing but the requests that place orders
--- http_config eval: $::http
--- config eval: B24::Bought::server('woocommerce')
--- scenario
    $::bought = main::recorded('woocommerce-9.9.5', \&B24::Tables::woocommerce);
    $::bought->play(filter => sub {
        $_[0]{name} =~ /checkout$/ && $_[0]{method} eq 'POST' });
    my $report = $::bought->deals_are;

    is(scalar(grep { $_->{product_name} =~ /Кремль/ }
              map { @{$_->{rows}} } @{$report->{deals}}), 3,
       'a variation by its name');



=== TEST 2: OpenCart 3: numbers of the shop
--- http_config eval: $::http
--- config eval: B24::Bought::server('opencart')
--- scenario
    $::bought = main::recorded('opencart-3.0.5.1', \&B24::Tables::opencart);
    $::bought->play(together => qr/d-double-submit.*cod-confirm/);
    my $report = $::bought->deals_are;

    is(join(' ', sort map { $_->{origin_id} } @{$report->{deals}}),
       '1041 1042 1043 1046 1047 1049', 'numbers');
    B24::Desk::count_is('unconfirmed', 0, 'nothing is open');



=== TEST 3: OpenCart 4: numbers and unit prices
--- http_config eval: $::http
--- config eval: B24::Bought::server('opencart')
--- scenario
    $::bought = main::recorded('opencart-4.1.0.4', \&B24::Tables::opencart);
    $::bought->play(together => qr/d-double-submit.*cod-confirm/);
    my $report = $::bought->deals_are;

    is(join(' ', sort map { $_->{origin_id} } @{$report->{deals}}),
       '7305 7306 7307 7310 7312', 'numbers');



=== TEST 4: PrestaShop: nothing but the requests that place orders
--- http_config eval: $::http
--- config eval: B24::Bought::server('prestashop')
--- scenario
    $::bought = main::recorded('prestashop-8.1.2', \&B24::Tables::prestashop);
    $::bought->play(filter => sub { $_[0]{name} =~ /validation$/ });
    $::bought->deals_are;



=== TEST 5: WooCommerce: orders among the posts
--- http_config eval: $::http
--- config eval: B24::Bought::server('woocommerce')
--- scenario
    $::bought = main::recorded('woocommerce-9.9.5', sub {
        my ($db, @orders) = @_;
        B24::Tables::woocommerce($db);
        B24::Tables::woocommerce_post($db, $_) for @orders });
    $::bought->play(filter => sub {
        $_[0]{name} =~ /classic.*checkout$/ && $_[0]{method} eq 'POST' });
    $::bought->deals_are(qr/^classic/);



=== TEST 6: OpenCart: an order of the administration, and one by a callback
--- http_config eval: $::http =~ s/b24_import    off/b24_import    on/r
--- config eval: B24::Bought::server('opencart')
--- scenario
    $::bought = main::recorded('opencart-3.0.5.1', sub {
        B24::Tables::opencart($_[0]) });

    my $truth = JSON::PP::decode_json(B24::Recording::read_file(
        't/recordings/opencart-3.0.5.1/truth.json'));

    # the first look takes where the shop is now
    ok(main::looked_at(), 'the first look');
    sleep 1;
    B24::Tables::opencart_order($::db, $_)
        for grep { $_->{scenario} eq 'e' } @{$truth->{orders}};

    $::bought->deals_are(qr/^e$/);
    is(portal()->report(journal => 0)->{deals}[0]{origin_id}, '1046',
       'its number');



=== TEST 7: 1C-Bitrix: whole orders of each generation, the deal's id stored
--- http_config eval: $::http
--- config eval: B24::Bought::server('bitrix')
--- scenario
    main::site();
    my $id = 500;
    my $do = sub {
        my ($name, $request) = @_;

        $id++;
        main::order($id, "A-$id/26");
        $request->();
        is(main::shown("A-$id/26"), $::whole, "$name: whole");
        is(main::linked($id), B24::Desk::deal("A-$id/26")->{id},
           "$name: the shop knows the deal");
    };

    # nothing of a recalculation was seen
    $do->('18', sub { $::site->save({ FIO => 'Иванов Пётр' },
        $::site->accepted("A-$id/26")) });
    $do->('16', sub { $::site->save({ FIO => 'Иванов Пётр' },
        $::site->accepted("A-$id/26", old => 1), generation => 16) });
    $do->('15', sub { $::site->confirm({ FIO => 'Иванов Пётр' },
        '{"success":"Y","redirect":"\/?ORDER_ID=A-' . $id . '%252F26"}') });



=== TEST 8: 1C-Bitrix 17 in windows-1251: the other layout
--- http_config eval: $::http
--- config eval: B24::Bought::server('bitrix')
--- scenario
    main::site(layout => 17, charset => 'windows-1251');
    main::order(600, '600');
    $::site->save({ FIO => 'Иванов Пётр' }, $::site->accepted('600'),
                  generation => 17);

    is(main::shown('600'), $::whole, 'whole');
    is(main::linked(600), B24::Desk::deal('600')->{id}, 'linked');



=== TEST 9: 1C-Bitrix: one click shows the key, the deal has the number
--- http_config eval: $::http
--- config eval: B24::Bought::server('bitrix')
--- scenario
    main::site();
    # the number of one is the key of the other
    main::order(700, '701');
    main::order(701, '700');

    my $script = '/bitrix/components/aspro/oneclickbuy.next/script.php';
    $::site->says($script, { result => 'Y', message => 700 });
    post($script, B24::Bitrix::urlencoded('UTF-8',
        'ONE_CLICK_BUY[FIO]' => 'Иванов Пётр', ELEMENT_ID => 1012,
        'ONE_CLICK_BUY[PHONE]' => '+7 916 123-45-67', ELEMENT_QUANTITY => 2),
        $::site->cookies);

    is(main::shown('701'), $::whole, 'whole, by its number');
    is(main::linked(700), B24::Desk::deal('701')->{id}, 'linked');
    is(scalar @{portal()->report(journal => 0)->{deals}}, 1, 'one deal');



=== TEST 10: 1C-Bitrix: no property for the deal, a cancelled order, a firm
--- http_config eval: $::http
--- config eval: B24::Bought::server('bitrix')
--- scenario
    main::site(deal => 0);
    main::order(800, '800', CANCELED => 'Y', type => 2, values => {
        COMPANY => 'ООО «Ромашка»', INN => '7707083893', KPP => '770701001',
        CONTACT_PERSON => 'Сидорова Анна', PHONE => '74957654321',
        EMAIL => 'a@example.com' });
    $::site->save({ CONTACT_PERSON => 'Сидорова Анна' },
                  $::site->accepted('800'), person => 2);

    my $deal = B24::Desk::deal('800', rows => 2);
    my $report = portal()->wait_for(deal => 800, requisites => 1,
                                    journal => 0);

    is($deal->{stage_id}, 'LOSE', 'cancelled');
    is("$report->{companies}[0]{title} $report->{requisites}[0]{inn}"
       . " $report->{requisites}[0]{kpp}",
       'ООО «Ромашка» 7707083893 770701001', 'the firm');
    is("$deal->{contacts}[0]{name} @{$deal->{contacts}[0]{phones}}",
       'Сидорова Анна +74957654321', 'the buyer');

    ok(wait_until(sub {
        my ($record) = @{B24::Desk::status()->{orders}};
        return ($record->{advice} // '') =~ /B24_DEAL_ID/
               || ($record->{cause} // '') =~ /B24_DEAL_ID|no row|link/;
    }), 'it says that the property is missing')
        or diag(JSON::PP->new->canonical->encode(B24::Desk::status()));



=== TEST 29: 1C-Bitrix: a gateway times out, the order comes in: one deal
--- http_config eval: main::settings(import => 1)
--- config eval: B24::Bought::server('bitrix')
--- scenario
    main::site();
    ok(main::looked_at(), 'the shop was looked at');
    sleep 2;

    B24::Test::upstream()->script(target => 'ajax.php', times => 1,
                                  status => 504, body => '');
    $::site->save({ FIO => 'Иванов Пётр', PHONE => '8 (916) 123-45-67',
                    EMAIL => 'Petr@example.com' });

    B24::Desk::count_is('unconfirmed', 1, 'nobody saw the answer');
    like(B24::Desk::status()->{orders}[0]{advice}, qr/comes in by itself/,
         'what to do');

    main::order(500, 'A-500');
    $::db->sql('UPDATE shop.b_sale_order SET DATE_UPDATE = now() + INTERVAL 1'
               . ' SECOND, DATE_INSERT = now()');
    B24::Desk::count_is('duplicate', 1, 'they are one');
    B24::Desk::count_is('unconfirmed', 0, 'nobody is asked to send it');
    is(main::shown('A-500'), $main::whole, 'a whole deal');
    is(scalar @{portal()->report(journal => 0)->{deals}}, 1, 'the only one');



=== TEST 30: 1C-Bitrix: tables of two collations
--- http_config eval: main::settings(import => 1)
--- config eval: B24::Bought::server('bitrix')
--- before
    main::site();
    $::db->sql("ALTER TABLE shop.b_sale_$_->[0] CONVERT TO CHARACTER SET"
               . " $_->[1]") for ['location', 'utf8mb4 COLLATE'
                   . ' utf8mb4_unicode_ci'], ['order_props_value',
                   'utf8mb4 COLLATE utf8mb4_general_ci'];
--- scenario
    my $errors = sub { B24::Desk::status()->{portals}[0]{database}{error} };

    ok(main::looked_at(), 'the shop was looked at');
    sleep 2;

    main::order($_, "A-$_") for 500, 501;
    $::db->sql('UPDATE shop.b_sale_order SET DATE_UPDATE = now() + INTERVAL 1'
               . ' SECOND, DATE_INSERT = now()');
    $::site->save({ FIO => 'Иванов Пётр', PHONE => '79161234567',
                    EMAIL => 'petr@example.com' }, $::site->accepted('A-500'));
    is(main::shown("A-$_"), $main::whole, "A-$_ is whole") for 500, 501;

    is($errors->(), 0, 'no error');

    # non-Unicode as well; what is being read as the table changes may fail
    $::db->sql('ALTER TABLE shop.b_sale_location CONVERT TO CHARACTER SET'
               . ' latin1');
    sleep 2;
    my $before = $errors->();
    main::order(502, 'A-502');
    $::site->save({ FIO => 'Иванов Пётр', PHONE => '79161234567',
                    EMAIL => 'petr@example.com' }, $::site->accepted('A-502'));
    is(main::shown('A-502'), $main::whole, 'A-502 is whole');
    is($errors->(), $before, 'no error');



=== TEST 31: OpenCart: tables of two collations
--- http_config eval: main::settings(import => 1)
--- config eval: B24::Bought::server('opencart')
--- before
    main::fresh();
    B24::Tables::opencart($::db);
    $::db->sql("ALTER TABLE shop.oc_$_->[0] CONVERT TO CHARACTER SET utf8mb4"
               . " COLLATE utf8mb4_$_->[1]") for ['currency', 'unicode_ci'],
               ['order', 'general_ci'];
--- scenario
    ok(main::looked_at(), 'the shop was looked at');
    sleep 2;

    main::sold(900, \'NOW() + INTERVAL 1 SECOND');
    is(main::deals_shown(1), '900 Mug 900 x2 Delivery x1', 'a whole order');
    is(B24::Desk::status()->{portals}[0]{database}{error}, 0, 'no error');



=== TEST 11: what buyers type is bound, never part of a statement
--- http_config eval: $::http
--- config eval: B24::Bought::server('opencart')
--- scenario
    $::bought = main::recorded('opencart-3.0.5.1', \&B24::Tables::opencart);
    my @buyer = (Cookie => 'OCSESSID=0123456789abcdef01; currency=USD');
    my $evil = q{x' OR 1=1; DROP TABLE oc_order; -- "};
    my $coded = $evil =~ s/([^\w])/sprintf '%%%02X', ord $1/ger;

    upstream()->script(target => 'guest', times => 1, status => 200,
        body => '[]', headers => [['Content-Type', 'application/json']]);
    post('/index.php?route=checkout/guest/save', "firstname=$coded"
         . "&lastname=$coded&telephone=$coded&email=$coded&city=$coded", @buyer);
    upstream()->script(target => 'cod/confirm', times => 1, status => 200,
        body => '{"redirect":"x"}',
        headers => [['Content-Type', 'application/json']]);
    get('/index.php?route=extension/payment/cod/confirm', @buyer);

    ok(wait_until(sub { scalar grep { /DROP TABLE oc_order/ } $::db->log }),
       'it was asked for');

    my ($said) = grep { /DROP TABLE oc_order/ } $::db->log;
    unlike($said, qr/[^\\]' OR 1=1/, 'as a value');
    my ($left) = $::db->rows('SELECT count(*) FROM shop.oc_order');
    is(ref $left ? $left->[0] : $left, 6, 'the table is there');
    is(scalar @{portal()->report(journal => 0)->{deals}}, 0,
       "nobody else's order was taken");



=== TEST 12: WooCommerce: the number of a plugin, rows by the order's key
--- http_config eval: $::http
--- config eval: B24::Bought::server('woocommerce')
--- scenario
    $::bought = main::recorded('woocommerce-9.9.5', \&B24::Tables::woocommerce);
    main::numbered('orders_meta', sub { "W-$_[0]/26" }, sub {
        (_order_number => $_[0] - 4000, _edit_lock => '1:1',
         _order_number_formatted => "W-$_[0]/26") });
    # nothing but the key in the answers
    $::bought->play(filter => sub {
        $_[0]{name} =~ /classic.*checkout$/ && $_[0]{method} eq 'POST' });
    $::bought->deals_are(qr/^classic/);



=== TEST 13: WooCommerce: the number of a plugin, among the posts
--- http_config eval: $::http
--- config eval: B24::Bought::server('woocommerce')
--- scenario
    $::bought = main::recorded('woocommerce-9.9.5', sub {
        my ($db, @orders) = @_;
        B24::Tables::woocommerce($db);
        B24::Tables::woocommerce_post($db, $_) for @orders });
    # one kind each; of one order the plugin knows nothing
    my %number = (
        0 => sub { (_order_number => "S-$_[0]") },
        1 => sub { (_order_number => 17, _order_number_formatted => "S-$_[0]") },
        2 => sub { (_alg_wc_full_custom_order_number => "S-$_[0]") },
        3 => sub { (_order_number => '', _order_number_formatted => '') });
    main::numbered('postmeta',
        sub { $_[0] % 4 == 3 ? $_[0] : "S-$_[0]" },
        sub { $number{$_[0] % 4}->($_[0]) });
    $::bought->play(filter => sub {
        $_[0]{name} =~ /classic.*checkout$/ && $_[0]{method} eq 'POST' });
    my $report = $::bought->deals_are(qr/^classic/);
    is(join(' ', sort map { $_->{origin_id} } @{$report->{deals}}),
       '5123 S-5120 S-5121 S-5122 S-5126 S-5136', 'numbers');



=== TEST 14: WooCommerce: orders of the administration, with a plugin's number
--- http_config eval: $::http =~ s/b24_import    off/b24_import    on/r
--- config eval: B24::Bought::server('woocommerce')
--- before
    $::bought = main::recorded('woocommerce-9.9.5', sub {
        B24::Tables::woocommerce($_[0]) });
--- scenario
    main::imported_numbers('orders_meta', \&B24::Tables::woocommerce_order);



=== TEST 15: WooCommerce: the same among the posts
--- http_config eval: $::http =~ s/b24_import    off/b24_import    on/r
--- config eval: B24::Bought::server('woocommerce')
--- before
    $::bought = main::recorded('woocommerce-9.9.5', sub {
        my ($db, $first) = @_;
        B24::Tables::woocommerce($db);
        B24::Tables::woocommerce_post($db, $first) });
--- scenario
    main::imported_numbers('postmeta', \&B24::Tables::woocommerce_post);



=== TEST 23: WooCommerce: orders among the posts, other tables there and empty
--- http_config eval: $::http =~ s/b24_import    off/b24_import    on/r
--- config eval: B24::Bought::server('woocommerce')
--- before
    my @tables = map { "wp_wc_$_" }
        qw(orders order_addresses order_operational_data orders_meta);

    # B24::Tables leaves them out where orders are among the posts
    main::fresh();
    B24::Tables::woocommerce($::db);
    $::db->sql('USE shop; ' . join ' ', map { "CREATE TABLE k_$_ LIKE $_;" }
                                            @tables);
    my ($order) = grep { $_->{scenario} eq 'classic-c' }
        @{JSON::PP::decode_json(B24::Recording::read_file(
            't/recordings/woocommerce-9.9.5/truth.json'))->{orders}};
    B24::Tables::woocommerce_post($::db, $order);
    $::db->sql('USE shop; ' . join ' ', map {
        "CREATE TABLE IF NOT EXISTS $_ LIKE k_$_;" } @tables);
--- scenario
    ok(main::looked_at(), 'the first look');

    my ($order) = grep { $_->{scenario} eq 'classic-e' }
        @{JSON::PP::decode_json(B24::Recording::read_file(
            't/recordings/woocommerce-9.9.5/truth.json'))->{orders}};
    my $polls = sub { scalar grep { /AS changed/ } $::db->log };
    my $polled = $polls->();

    ok(wait_until(sub { $polls->() > $polled }), 'it is asked again');
    $order->{date_created_gmt} = '2027-01-01 12:00:00';
    B24::Tables::woocommerce_post($::db, $order);
    ok(B24::Desk::deal($order->{order_id}, timeout => 30),
       'an order of the administration comes');
    B24::Desk::count_is('delivered', 1, 'and no other');



=== TEST 16: WooCommerce: numbers of a plugin that are keys of other orders
--- http_config eval: $::http =~ s/b24_import    off/b24_import    on/r
--- config eval: B24::Bought::server('woocommerce')
--- before
    $::bought = main::recorded('woocommerce-9.9.5', sub {
        my ($db, @orders) = @_;
        B24::Tables::woocommerce($db, grep {
            $_->{scenario} =~ /^classic-[ceg]$/ } @orders) });
--- scenario
    my $polls = sub { scalar grep { /AS changed/ } $::db->log };
    my $buys = sub {
        my ($scenario) = @_;
        $::bought->play(filter => sub { $_[0]{method} eq 'POST'
            && $_[0]{name} =~ /$scenario.*checkout$/ });
    };

    ok(wait_until(sub { $polls->() }), 'the changes are asked for');
    $buys->('classic-c');
    my $deal = B24::Desk::deal('5121');
    ok($deal, 'delivered by its key');

    # the plugin comes, and gives that order a number, too
    B24::Tables::woocommerce_meta($::db, 'orders_meta', 5121,
                                  _order_number => 'W-21');
    $::db->sql("USE shop; UPDATE wp_wc_orders SET date_created_gmt ="
        . " '2027-01-01', date_updated_gmt = '2027-01-01' WHERE id = 5121");
    my $polled = $polls->();
    ok(wait_until(sub { $polls->() > $polled + 3 }), 'which "changes" tells');
    B24::Desk::count_is('delivered', 1, 'it is the same order');

    # the next number is that key
    B24::Tables::woocommerce_meta($::db, 'orders_meta', 5126,
                                  _order_number => '5121');
    $buys->('classic-g');
    B24::Desk::count_is('parked', 1, 'another order is not dropped');
    my ($parked) = grep { $_->{state} eq 'parked' }
                        @{B24::Desk::status()->{orders}};
    is($parked->{id}, '5121', 'it has its number');
    is($parked->{cause}, 'order number seen before with other content',
       'a person is told');
    B24::Desk::count_is('duplicate', 0, 'nothing is a duplicate');

    # others go on, and it can be sent
    $buys->('classic-e');
    ok(B24::Desk::deal('5136'), 'the one behind it');
    is(post("/b24/orders/$parked->{key}/send", '')->{status}, 202, 'sent');
    B24::Desk::count_is('delivered', 3, 'a deal of its own');

    my %deal = map { $_->{origin_id} => $_ }
                   @{portal()->report(journal => 0)->{deals}};
    is(join(' ', sort keys %deal), '5121 5121-2 5136', 'three deals');
    is($deal{5121}{opportunity}, '4039.40', 'the first has its own total');
    is($deal{'5121-2'}{opportunity}, '2110.20', 'and so has the other');



=== TEST 22: WooCommerce: the cart was changed in another window
--- http_config eval: $::http
--- config eval: B24::Bought::server('woocommerce')
--- scenario
    my @cookie = (Cookie => 'wp_woocommerce_session_3bc635ab=t_1%7C%7C17%7C%7Cab');
    my $says = sub {
        my ($target, $answer) = @_;
        upstream()->script(target => $target, times => 1, status => 200,
            headers => [['Content-Type', 'application/json']],
            body => JSON::PP->new->utf8->encode($answer));
    };
    my $truth = JSON::PP::decode_json(B24::Recording::read_file(
        't/recordings/woocommerce-9.9.5/truth.json'));
    my ($order) = grep { $_->{scenario} eq 'classic-c' } @{$truth->{orders}};

    main::fresh();
    B24::Tables::woocommerce($::db, $order);

    # a mug, in the first one
    $says->('update_order_review', { result => 'success', fragments => {
        '.woocommerce-checkout-review-order-table' => <<'EOH' } });
<table class="shop_table woocommerce-checkout-review-order-table"><tbody>
<tr class="cart_item">
<td class="product-name">Mug&nbsp;<strong class="product-quantity">&times;&nbsp;1</strong></td>
<td class="product-total"><span class="woocommerce-Price-amount amount"><bdi>1000&nbsp;<span class="woocommerce-Price-currencySymbol">&#8381;</span></bdi></span></td></tr>
</tbody><tfoot><tr class="order-total"><th>Total</th><td><strong><span class="woocommerce-Price-amount amount"><bdi>1000&nbsp;<span class="woocommerce-Price-currencySymbol">&#8381;</span></bdi></span></strong></td></tr></tfoot></table>
EOH
    post('/?wc-ajax=update_order_review', 'post_data=x', @cookie);
    $says->('wc-ajax=checkout', { result => 'success',
        order_id => $order->{order_id},
        redirect => "http://shop/order-received/$order->{order_id}/?key=x" });
    post('/?wc-ajax=checkout',
         'billing_first_name=Anna&billing_phone=%2B79160000001', @cookie);

    my $deal = B24::Desk::deal($order->{order_id}, rows => 3);
    is($deal->{opportunity}, '4039.40', 'the total is that of the database');
    is($deal->{rows_sum}, '4039.40', 'the rows as well');
    is(join(', ', map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                      @{$deal->{rows}}),
       'Пряник тульский 315.00 x 10, Ложка чайная 89.90 x 6, Delivery 350.00 x 1',
       'there is no discount');
    like($deal->{comments}, qr/has another total than the buyer's last page/,
         'the deal says so');



=== TEST 17: OpenCart: two orders of a buyer, read late
--- http_config eval: main::settings(more => '    b24_deal UTM_SOURCE $arg_utm;')
--- config eval: B24::Bought::server('opencart')
--- scenario
    main::fresh();
    B24::Tables::opencart($::db);
    main::sold(1);
    main::sold(2);
    $::db->stop;

    main::bought() for 1, 2;
    B24::Desk::count_is('waiting', 2, 'both wait for the database');
    $::db->start;

    is(main::deals_shown(2), '1 Mug 1 x2 Delivery x1; 2 Mug 2 x2 Delivery x1',
       'two deals, each with a number of its own');
    B24::Desk::count_is('duplicate', 0, 'none is a double');

    # there is no third
    main::bought();
    ok(wait_until(sub {
        grep { ($_->{cause} // '') =~ /not in the shop's database/ }
             @{B24::Desk::status()->{orders}} }), 'one that is not there waits');
    B24::Desk::count_is('duplicate', 0, 'and is no double of another');



=== TEST 18: OpenCart: the same with orders that never pass nginx
--- http_config eval: main::settings(import => 1, times => 'poll=1s traffic=30s')
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;
    main::sold(1);
    main::sold(2);
    $::db->stop;

    main::bought() for 1, 2;
    B24::Desk::count_is('waiting', 2, 'both wait for the database');
    $::db->start;

    is(main::deals_shown(2), '1 Mug 1 x2 Delivery x1; 2 Mug 2 x2 Delivery x1',
       'two deals, each with a number of its own');
    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 19: OpenCart: the portal is not asked meanwhile, the shop's clock elsewhere
--- http_config eval: main::settings(import => 1)
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;
    is(post('/b24/pause', '')->{status}, 202, 'deliveries stop');

    main::bought() for 1, 2;
    main::sold(1, \'NOW() - INTERVAL 5 HOUR');
    main::sold(2, \'NOW() - INTERVAL 5 HOUR');
    $::db->sql('UPDATE shop.oc_order SET date_modified = NOW()');

    B24::Desk::count_is('accepted', 4, 'both were captured, and imported');
    is(post('/b24/resume', '')->{status}, 202, 'and go on');

    is(main::deals_shown(2), '1 Mug 1 x2 Delivery x1; 2 Mug 2 x2 Delivery x1',
       'two deals, each with a number of its own');
    B24::Desk::count_is('duplicate', 0, 'none is a double');
    is(join(' ', sort map { $_->{rule} // '' } @{B24::Desk::status()->{orders}}),
       'opencart/confirm opencart/confirm', 'those that were captured');



=== TEST 20: 1C-Bitrix: delivered by its key while the database is away
--- http_config eval: main::settings(import => 1, times => 'connect=1s wait=1500ms absent=60s poll=1s traffic=1s')
--- config eval: B24::Bought::server('bitrix')
--- init
    main::site();
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;

    # "order" will be refused at first, "changes" will not
    my $deal = main::one_click_unread(
        'RENAME TABLE shop.b_sale_loc_name TO shop.away');
    is($deal->{contacts}[0]{name}, 'Иванов Пётр', 'with what was captured');
    is(main::record_of('A-700'), undef, 'nobody knows its number');

    my $looks = () = $::db->log;

    $::db->start;
    ok(wait_until(sub {
        my @log = $::db->log;
        splice @log, 0, $looks;
        return 4 <= grep { /^Execute.*DATE_UPDATE >=/s } @log;
    }, 90), 'changes are looked for again');
    sleep 2;
    is(scalar @{B24::Desk::status()->{orders}}, 1,
       'but none is taken before the order was looked for');

    $::db->sql('RENAME TABLE shop.away TO shop.b_sale_loc_name');
    ok(wait_until(sub { main::record_of('A-700') }, 90), 'it is found by it');

    my $record = main::record_of('A-700');

    is($record->{id}, '700', 'its id stays what was sent');
    is($record->{deal_id}, $deal->{id}, 'and so does its deal');
    ok(scalar(grep { ($_->{cause} // '') eq "the shop's number is A-700" }
                   @{$record->{timeline}}), 'the timeline tells');
    is(main::linked(700), $deal->{id}, 'the shop knows the deal');

    # many looks for changes later, also when it is changed
    $::db->sql('UPDATE shop.b_sale_order SET DATE_UPDATE = NOW()');
    sleep 5;
    is(scalar @{portal()->report(journal => 0)->{deals}}, 1, 'one deal');
    is(scalar @{B24::Desk::status()->{orders}}, 1, 'of one record');

    # others come in
    main::order(701, 'A-701');
    is(main::shown('A-701'), $::whole, 'an order that never passed nginx');



=== TEST 21: the same, everybody is killed in between
--- http_config eval: main::settings(import => 1, times => 'connect=1s wait=1500ms absent=60s poll=1s traffic=1s')
--- config eval: B24::Bought::server('bitrix')
--- init
    main::site();
--- expected_alert
exited on signal 9
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;

    my $deal = main::one_click_unread();
    my @old = B24::Scenario::worker_pids();

    kill KILL => @old;
    ok(wait_until(sub { !grep { is_alive($_) } @old }), 'all are killed');
    $::db->start;

    ok(wait_until(sub { main::record_of('A-700') }, 90), 'it is found');
    sleep 5;
    is(scalar @{portal()->report(journal => 0)->{deals}}, 1, 'one deal');
    is(main::linked(700), $deal->{id}, 'which the shop knows');



=== TEST 22: OpenCart: two of a buyer go out without their numbers
--- http_config eval: main::settings(import => 1, times => 'connect=1s wait=1500ms absent=3s poll=1s traffic=1s')
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;

    # or they would be imported
    $::db->unseen(sub { main::sold($_) for 1, 2 });

    main::bought() for 1, 2;
    my $report = portal()->wait_for(deals => 2, rows => 4, stable_ms => 300,
                                    journal => 0, timeout => 60);
    ok(!grep({ $_->{origin_id} =~ /^[12]$/ } @{$report->{deals}}),
       'numbers of ours');

    $::db->start;
    ok(wait_until(sub { main::record_of(1) && main::record_of(2) }, 90),
       'both are found by their numbers');
    isnt(main::record_of(1)->{key}, main::record_of(2)->{key},
         'two records');
    sleep 5;
    is(scalar @{portal()->report(journal => 0)->{deals}}, 2, 'two deals');
    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 23: OpenCart: a currency that is shown without decimals
--- http_config eval: $::http
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    my $buy = sub {
        my ($id, $cookie, $mug, $mugs, $delivery, $total) = @_;

        main::sold($id);
        $::db->sql("USE shop; UPDATE oc_order SET total = 25.46"
            . " WHERE order_id = $id; UPDATE oc_order_product SET price ="
            . " 10.24 WHERE order_id = $id; UPDATE oc_order_total SET value ="
            . " value - 0.02 WHERE order_id = $id AND code = 'shipping'");
        B24::OpenCart::steps([['Mug', 2, $mug, $mugs, '']],
            [['Sub-Total', $mugs], ['Flat Rate', $delivery],
             ['Total', $total]], cookie => $cookie);
        B24::OpenCart::button(undef, cookie => $cookie);

        my $deal = B24::Desk::deal($id, rows => 2);

        return join '; ', $deal->{opportunity}, sort map {
            "$_->{product_name} $_->{price} x $_->{quantity}" }
            @{$deal->{rows}};
    };

    $::db->sql("UPDATE shop.oc_currency SET decimal_place = '0'");
    is($buy->(1, 'a' x 26, '$10', '$20', '$5', '$25'),
       '25.00; Delivery 5.00 x 1; Mug 1 10.00 x 2', 'as it was shown');

    # whose currency the shop has given up
    $::db->sql('DELETE FROM shop.oc_currency');
    is($buy->(2, 'b' x 26, '$10.24', '$20.48', '$4.98', '$25.46'),
       '25.46; Delivery 4.98 x 1; Mug 2 10.24 x 2', 'two decimals else');



=== TEST 24: OpenCart: a buyer who is signed in
--- http_config eval: main::settings(times => 'connect=1s absent=6s')
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    # of that total, too, but of another moment; the shop's clock is elsewhere
    main::sold(1, \'NOW() - INTERVAL 5 MINUTE');
    main::sold(2, \'NOW() - INTERVAL 5 HOUR');
    main::bought(buyer => '');

    my $deal = B24::Desk::deal(2, rows => 2);
    is("$deal->{contacts}[0]{name}; @{$deal->{contacts}[0]{emails}}",
       'Anna; kim@example.com', 'the order of that moment');

    # that of the other moment is not the next one
    main::bought(buyer => '');
    B24::Desk::count_is('parked', 1, 'one that is not there is parked');

    my ($record) = grep { $_->{state} eq 'parked' }
                        @{B24::Desk::status()->{orders}};

    like($record->{cause}, qr/no buyer/, 'the cause');
    like($record->{advice}, qr/look for it in the shop/, 'and what to do');

    is(post('/b24/retry', '')->{status}, 202, 'all at once');
    sleep 1;
    B24::Desk::count_is('parked', 1, 'not that one');
    is(post("/b24/orders/$record->{key}/retry", '')->{status}, 202, 'it alone');

    $deal = B24::Desk::deal($record->{id}, rows => 2);
    is($deal->{opportunity}, '25.00', 'with what was captured');
    is(scalar @{$deal->{contacts}}, 0, 'without a contact');



=== TEST 25: OpenCart: a bank finishes an order when nobody waits for it any more
--- http_config eval: main::settings(import => 1, times => 'connect=1s absent=6s poll=1s traffic=1s')
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;
    $::db->unseen(sub {
        main::sold(1);
        $::db->sql('UPDATE shop.oc_order SET order_status_id = 0');
    });
    $::db->start;
    main::bought();
    B24::Desk::count_is('delivered', 1, 'as it was captured');

    # long enough for a look at what is older than "absent"
    sleep 5;
    $::db->sql('UPDATE shop.oc_order SET order_status_id = 1,'
               . ' date_modified = NOW()');
    ok(wait_until(sub { main::record_of(1) }, 10), 'its number is known');
    isnt(main::record_of(1)->{id}, 1, 'beside the one that was sent');

    # others, which the bank has nothing to do with
    main::sold(2);
    ok(wait_until(sub { main::record_of(2) }, 20), 'an order comes in');
    main::deals_shown(2, stable => 3000);
    is(scalar @{portal()->report(journal => 0)->{deals}}, 2, 'two deals');



=== TEST 26: WooCommerce: the database's currency goes before a sign
--- http_config eval: $::http
--- config eval: B24::Bought::server('woocommerce')
--- scenario
    my @cookie = (Cookie => 'wp_woocommerce_session_3bc635ab=t_1%7C%7C17%7C%7Cab');
    my $says = sub {
        my ($target, $answer) = @_;
        upstream()->script(target => $target, times => 1, status => 200,
            headers => [['Content-Type', 'application/json']],
            body => JSON::PP->new->utf8->encode($answer));
    };
    my @orders = grep { $_->{scenario} =~ /^classic-[cg]$/ }
        @{JSON::PP::decode_json(B24::Recording::read_file(
            't/recordings/woocommerce-9.9.5/truth.json'))->{orders}};

    main::fresh();
    B24::Tables::woocommerce($::db, @orders);
    $::db->sql("USE shop; UPDATE wp_wc_orders SET currency = 'EUR'");

    # one sign that is a pound's, one of several currencies
    for my $order (@orders) {
        my $sign = $order == $orders[0] ? '&pound;' : '&#36;';

        $says->('update_order_review', { result => 'success', fragments => {
            '.woocommerce-checkout-review-order-table' => <<"EOH" } });
<table class="shop_table woocommerce-checkout-review-order-table"><tbody>
<tr class="cart_item">
<td class="product-name">Mug&nbsp;<strong class="product-quantity">&times;&nbsp;1</strong></td>
<td class="product-total"><span class="woocommerce-Price-amount amount"><bdi>$sign$order->{total}</bdi></span></td></tr>
</tbody><tfoot><tr class="order-total"><th>Total</th><td><strong><span class="woocommerce-Price-amount amount"><bdi><span class="woocommerce-Price-currencySymbol">$sign</span>$order->{total}</bdi></span></strong></td></tr></tfoot></table>
EOH
        post('/?wc-ajax=update_order_review', 'post_data=x', @cookie);
        $says->('wc-ajax=checkout', { result => 'success',
            order_id => $order->{order_id} });
        post('/?wc-ajax=checkout', 'billing_first_name=Anna'
             . '&billing_phone=%2B79160000001', @cookie);

        my $deal = B24::Desk::deal($order->{order_id});
        is(sprintf('%.2f %s', @$deal{qw(opportunity currency_id)}),
           sprintf('%.2f EUR', $order->{total}), "$sign: that of the database");
        unlike($deal->{comments} // '', qr/"currency"|another total/,
               "$sign: nothing is left out");
    }



=== TEST 26: WooCommerce: its times are of another zone, one is ahead of it
--- http_config eval: main::settings(import => 1)
--- config eval: B24::Bought::server('woocommerce')
--- before
    main::fresh();
    $::db->sql("SET GLOBAL time_zone = '+05:00'");
    B24::Tables::woocommerce($::db, main::typed(1, 'UTC_TIMESTAMP()'));
--- scenario
    ok(main::looked_at(), 'the first look');
    sleep 2;

    B24::Tables::woocommerce_order($::db,
        main::typed(2, 'UTC_TIMESTAMP() + INTERVAL 2 HOUR'));
    ok(B24::Desk::deal('2', timeout => 30), 'one that is ahead');
    B24::Tables::woocommerce_order($::db, main::typed(3, 'UTC_TIMESTAMP()'));
    ok(B24::Desk::deal('3', timeout => 30), 'holds up no other');

    $::db->sql('SET GLOBAL time_zone = SYSTEM');
    B24::Desk::count_is('delivered', 2, 'none is from before the first start');



=== TEST 27: WooCommerce: numbers of a plugin that are keys, read late
--- http_config eval: main::settings(import => 1, times => 'connect=1s wait=60s poll=1s traffic=1s')
--- config eval: B24::Bought::server('woocommerce')
--- init
    $::bought = main::recorded('woocommerce-9.9.5', sub {
        B24::Tables::woocommerce($_[0]) });
--- scenario
    my $buys = sub {
        my ($scenario) = @_;
        $::bought->play(filter => sub { $_[0]{method} eq 'POST'
            && $_[0]{name} =~ /$scenario.*checkout$/ });
    };
    my %number = (5121 => 5126, 5126 => 5136, 5136 => 5140);
    my @orders = grep { $number{$_->{order_id}} }
        @{JSON::PP::decode_json(B24::Recording::read_file(
            't/recordings/woocommerce-9.9.5/truth.json'))->{orders}};

    ok(main::looked_at(), 'the first look');
    sleep 2;

    # or they would be imported
    $::db->unseen(sub {
        B24::Tables::together($::db, sub {
            for my $order (@orders) {
                my $key = $order->{order_id};
                $order->{date_created_gmt} = \'UTC_TIMESTAMP()';
                B24::Tables::woocommerce_order($::db, $order);
                B24::Tables::woocommerce_meta($::db, 'orders_meta', $key,
                    _order_number => $number{$key});
            }
        });
    });

    $buys->($_) for 'classic-c', 'classic-g';
    B24::Desk::count_is('waiting', 2, 'they wait for the database');
    $::db->start;
    B24::Desk::count_is('delivered', 2, 'each has its number');

    # one is there already that has this one's key for its number
    $buys->('classic-e');
    B24::Desk::count_is('delivered', 3, 'so has the last one');
    B24::Desk::count_is('parked', 0, 'nobody is asked');
    B24::Desk::count_is('duplicate', 0, 'none is a double');

    my %total = map { $_->{order_id} => $_->{total} } @orders;
    is(join(' ', sort map { "$_->{origin_id} $_->{opportunity}" }
                 @{portal()->report(journal => 0)->{deals}}),
       join(' ', map { sprintf '%s %.2f', $number{$_}, $total{$_} }
                 sort keys %number), 'three deals');



=== TEST 28: OpenCart: an earlier order of the buyer that nginx never saw
--- http_config eval: main::settings(times => 'connect=1s absent=60s')
--- config eval: B24::Bought::server('opencart')
--- init
    main::fresh();
    B24::Tables::opencart($::db);
--- scenario
    # of that total, too, and changed just now; the other one is at the bank
    main::sold(1, \'NOW() - INTERVAL 470 SECOND',
               \'NOW() - INTERVAL 450 SECOND');
    $::db->sql('UPDATE shop.oc_order SET date_modified = NOW()');
    main::sold(2);
    $::db->sql('UPDATE shop.oc_order SET order_status_id = 0'
               . ' WHERE order_id = 2');
    main::bought();

    ok(wait_until(sub {
        grep { ($_->{cause} // '') =~ /not in the shop's database/ }
             @{B24::Desk::status()->{orders}} }, 30), 'it is not that one');
    $::db->sql('UPDATE shop.oc_order SET order_status_id = 1,'
               . ' date_modified = NOW() WHERE order_id = 2');
    is(main::deals_shown(1), '2 Mug 2 x2 Delivery x1', 'but its own');
    is(main::record_of(1), undef, 'nobody is the earlier one');
