# An order that is changed later in the shop: its deal follows in total and
# goods, never over a person's own edits without a word, and nothing is sent
# where nothing has changed.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Bitrix;
use B24::Client;
use B24::Crm;
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
workers(1);
worker_connections(256);
log_level('info');

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
                            port => B24::Test::free_port());

$ENV{TEST_NGINX_DB} = $db->url;

# Statements; without: columns of "changes" that are left out.
sub statements {
    my (%without) = map { $_ => 1 } @_;

    my $more = join '', map { ", $_" } grep { !$without{$_} }
                        qw(status total);

    return <<"EOC";
        stage N NEW;  stage P PREPARATION;  stage W WON;  stage C LOSE;
        default_status N;

        status admin {
            uri       ~ ^/admin/;
            id        query:/id;
            row       query:/row;
        }

        database {
            order   "SELECT id AS `row`, number AS id, status, total, currency,
                        delivery, discount, name, phone, email
                     FROM orders WHERE number = :number OR id = :row LIMIT 1";
            items   "SELECT name, price, quantity, sku AS xml_id FROM goods
                     WHERE order_id = :row ORDER BY id";
            changes "SELECT id AS `row`, number AS id, changed$more
                     FROM orders WHERE changed >= :since";
        }
EOC
}

our $servers = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;

        location / { return 204; }
    }
EOC

# Lines for http{}; options: mode (b24_update), without, import, lines, those of
# B24::Crm::http().
sub http {
    my (%option) = @_;

    my $mode = delete $option{mode};
    my $import = delete $option{import} // 'on';
    my $without = delete $option{without} // [];

    return B24::Crm::http(stages => statements(@$without),
        servers => $servers, %option,
        lines => 'b24_database $TEST_NGINX_DB poll=1s traffic=1s;'
            . " b24_import $import; " . ($mode ? "b24_update $mode; " : '')
            . ($option{lines} // ''));
}

our $server = B24::Crm::server(more => <<'EOC');
    location /admin/ {
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_3;
    }

    location = /events {
        b24_mirror off;
        b24_events 51856fefc120afa4b628cc82d3935cce;
    }
EOC

our %shops = map { $_ => <<"EOC" } qw(bitrix woocommerce opencart prestashop);
    b24_queue     \$TEST_NGINX_QUEUE;
    b24_origin    shop;
    b24_webhook   \$TEST_NGINX_PORTAL_URL;
    b24_rate      50 burst=4000;
    b24_retry     first=100ms max=1s unknown=300ms;
    b24_database  \$TEST_NGINX_DB poll=1s traffic=1s;
    b24_update    rows;

    include \$TEST_NGINX_PRESETS/$_.conf;
EOC

sub shop_server {
    my ($shop) = @_;

    return <<"EOC";
    b24_mirror $shop;

    location /b24 {
        b24_status;
    }
EOC
}

# How often the shop was asked for changes: by the statement as it is executed,
# which tells of what was there by then.
sub looks {
    return scalar grep { /^Execute.* (?:AS|AS id,) changed/s } $db->log;
}

# An order of WooCommerce as recorded, placed now.
sub woocommerce_sold {
    my ($order) = grep { $_->{scenario} eq 'classic-c' }
        @{JSON::PP::decode_json(B24::Recording::read_file(
            't/recordings/woocommerce-9.9.5/truth.json'))->{orders}};

    return { %$order, order_id => 900, status_now => 'wc-processing',
             total => '4039.40',
             date_created_gmt => \'UTC_TIMESTAMP() + INTERVAL 1 SECOND' };
}

sub fresh {
    $db->sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
}

# The queue's database, through PHP's SQLite: what the statement gives.
sub queue_sql {
    my ($sql) = @_;

    my $code = '$d = new SQLite3($argv[1]); $d->busyTimeout(5000);'
        . ' $r = $d->query($argv[2]);'
        . ' while ($r->numColumns() && ($x = $r->fetchArray(SQLITE3_NUM)))'
        . ' echo implode(" ", $x), "\n";';

    open my $from, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db", $sql
        or die "cannot run php: $!\n";

    return join '', <$from>;
}

# The tables of the small shop.
sub tables {
    fresh();
    $db->sql(<<'EOS', 'shop');
CREATE TABLE orders (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, number varchar(60) NOT NULL,
    status varchar(2), total decimal(24,4), currency char(3),
    delivery decimal(18,4), discount decimal(18,4), name varchar(100),
    phone varchar(60), email varchar(100), changed int NOT NULL DEFAULT 1000,
    KEY (changed));
CREATE TABLE goods (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id int, name varchar(100),
    price decimal(24,4), quantity double(18,4), sku varchar(40),
    KEY (order_id));
EOS
}

BEGIN {
    no warnings 'redefine';

    *is = \&Test::More::is;
    *ok = \&Test::More::ok;
    *like = \&Test::More::like;
    *unlike = \&Test::More::unlike;
}

{
    package B24::Scenario::Code;

    use utf8;

    B24::Crm->import(qw(person_moves so_far told));

    my $clock = 1000;

    sub begin {
        main::tables();
        $clock = 1000;
    }

    # Rows of an order in the shop: [name, price, quantity, sku].
    sub goods {
        my ($id, @rows) = @_;

        $::db->sql("DELETE FROM goods WHERE order_id = $id", 'shop');
        B24::Tables::insert($::db, 'goods', map { { order_id => $id,
            name => $_->[0], price => $_->[1], quantity => $_->[2],
            sku => $_->[3] // '' } } @rows);
    }

    # An order in the shop's tables and as a deal: two mugs and the delivery, as
    # the buyer's request tells of them; {} is its deal.  It is placed by that
    # request, so no look at "changes" finds it before.
    sub sold {
        my ($id, %field) = @_;

        B24::Tables::insert($::db, 'orders', { id => $id, number => "n-$id",
            status => 'N', total => 1990, currency => 'RUB', delivery => 400,
            discount => 0, name => 'Анна Ким', phone => '+79160000001',
            email => 'kim@example.com', changed => -1000, %field });
        goods($id, ['Mug, in the tables', 795, 2, 'mug-1']);

        my %order = (id => "n-$id", name => 'Анна Ким',
                     phone => '+79160000001', email => 'kim@example.com');
        $order{$_} = $field{$_} for grep { exists $field{$_} } qw(total);

        main::ok(order(%order), "n-$id is placed");

        my $deal = delivered("n-$id");

        $::db->sql("UPDATE orders SET changed = $clock WHERE id = $id", 'shop');

        return $deal;
    }

    # Columns of an order, changed in the shop.
    sub set {
        my ($id, %set) = @_;

        $set{changed} = ++$clock;

        my $set = join ', ', map { "$_ = '$set{$_}'" } sort keys %set;

        $::db->sql("UPDATE orders SET $set WHERE id = $id", 'shop');
    }

    # A request that has the order read again.
    sub look {
        my ($id) = @_;

        return B24::Scenario::get("/admin/?id=n-$id")->{status};
    }

    sub deal_now {
        my ($id) = @_;

        my ($deal) = @{B24::Crm::whole_crm()->{deals}{"n-$id"} // []};

        return $deal;
    }

    sub rows_of {
        my ($deal) = @_;

        return join '; ', map { "$_->{product_name} $_->{quantity} x"
                                . " $_->{price}" }
            sort { $a->{id} <=> $b->{id} } @{$deal->{rows}};
    }

    # Waits for the deal's total.
    sub total_is {
        my ($id, $total, $name) = @_;

        my $deal;

        B24::Scenario::wait_until(sub {
            $deal = deal_now($id);
            return $deal->{opportunity} eq $total;
        });

        return main::is($deal->{opportunity}, $total, $name);
    }

    # Methods of the commands since a request, in their order; but for those of
    # the watch, which looks once at each new deal, some seconds behind it.
    sub commands {
        my ($from) = @_;

        return join ' ', map { $_->{method} eq 'batch'
                               ? map { $_->{method} } @{$_->{commands}}
                               : $_->{method} }
                         grep { $_->{kind} ne 'watch' }
                         B24::Crm::requests(undef, $from);
    }

    # Whether the watch has looked at deals since, and has none left to look at.
    sub watched {
        my ($from) = @_;

        return main::queue_sql('SELECT count(*) FROM moved') eq "0\n"
               && grep { $_->{kind} eq 'watch'
                         && grep { /^deals/ } keys %{$_->{params}{cmd}} }
                  B24::Crm::requests(undef, $from);
    }

    # Waits until the shop was asked for changes twice more: the first of these
    # looks is over then.
    sub looked_twice {
        my $n = main::looks();

        return B24::Scenario::wait_until(sub { main::looks() > $n + 1 });
    }

    # And until all is done.
    sub polled {
        looked_twice();

        return B24::Scenario::wait_until(sub {
            return !grep { $_->{state} !~ /^(?:delivered|parked)$/ } records();
        });
    }

    sub edit {
        my ($deal, %fields) = @_;

        portal()->edit(entity => 'deal', id => $deal->{id},
                       fields => \%fields);
    }

    sub edit_rows {
        my ($deal, @rows) = @_;

        portal()->call('crm.deal.productrows.set', { id => $deal->{id},
            rows => [ map { { PRODUCT_NAME => $_->[0], PRICE => $_->[1],
                              QUANTITY => $_->[2] } } @rows ] });
    }

    # A shop's tables; what is in them before the first look is none of ours.
    sub begin_with {
        my ($make) = @_;

        main::fresh();
        $make->();

        main::ok(looked_twice(), 'the changes are asked for');
    }

    # The total of an order's deal, which comes from the database.
    sub imported {
        my ($id) = @_;

        return B24::Desk::deal($id, timeout => 40)->{opportunity};
    }

    # Changes the order; total and rows of its deal follow.
    sub follows {
        my ($id, $total, @sql) = @_;

        my $deal;

        $::db->sql(join('; ', @sql), 'shop');

        B24::Scenario::wait_until(sub {
            $deal = B24::Desk::deal($id);
            return $deal->{opportunity} eq $total
                   && $deal->{rows_sum} eq $total;
        }, 30);

        main::is("$deal->{opportunity} $deal->{rows_sum}", "$total $total",
                 'total and rows follow');
    }

    # A deal that is moved in the CRM, then the order is set to what it was.
    sub set_back {
        my ($id, @sql) = @_;

        B24::Crm::person_moves(B24::Desk::deal($id), 'EXECUTING');
        Time::HiRes::sleep(2.1);
        $::db->sql(join('; ', @sql), 'shop');
        B24::Desk::stage_is($id, 'NEW', 'set back in the shop');
    }

    sub hook {
        my ($deal) = @_;

        return B24::Scenario::post('/events', 'event=ONCRMDEALUPDATE'
            . "&data%5BFIELDS%5D%5BID%5D=$deal->{id}"
            . '&auth%5Bapplication_token%5D=51856fefc120afa4b628cc82d3935cce',
            'Content-Type' => 'application/x-www-form-urlencoded')->{status};
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: classic: the total, as the poll tells of it
--- http_config eval: $::http = main::http()
--- config eval: $::server
--- scenario
    begin();
    my $deal = sold(1);
    is($deal->{opportunity}, '1990.00', 'what the buyer saw');
    my $rows = rows_of($deal);
    polled();

    my $from = so_far();
    set(1, total => 4280);
    total_is(1, '4280.00', 'the deal follows');
    told('n-1', qr/^delivered: the deal's total is 4 280\.00 RUB now, as in the shop$/,
         'the timeline tells');
    is(commands($from), 'crm.deal.list crm.deal.update crm.deal.list',
       'by two requests');
    $deal = deal_now(1);
    ok($deal->{manual}, 'it is kept by hand');
    is($deal->{currency_id}, 'RUB', 'in its currency');
    is($deal->{stage_id}, 'NEW', 'the stage is where it was');
    is(rows_of($deal), $rows, 'and so are the rows');

    $from = so_far();
    set(1, changed => 0);
    polled();
    is(commands($from), '', 'another change of the order asks for nothing');

    look(1);
    told('n-1', qr/^delivered: nothing in it is new/, 'nor does a hint');
    is(commands($from), '', 'which is looked after in the shop only');
    B24::Desk::count_is('delivered', 1, 'it is one order');



=== TEST 2: universal: the same
--- http_config eval: main::http(api => 'universal')
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();

    my $from = so_far();
    set(1, total => '1234567.5', currency => 'USD');
    total_is(1, '1234567.50', 'the deal follows');
    told('n-1', qr/^delivered: the deal's total is 1 234 567\.50 USD now/,
         'the timeline tells');
    is(commands($from), 'crm.item.list crm.item.update crm.item.list',
       'by two requests');
    is(deal_now(1)->{currency_id}, 'USD', 'with its currency');
    ok(deal_now(1)->{manual}, 'kept by hand');



=== TEST 3: a burst, back and forth, with a status
--- http_config eval: main::http()
--- config eval: $::server
--- scenario
    begin();
    sold($_) for 1 .. 3;
    polled();

    my $from = so_far();
    is(B24::Scenario::post('/b24/pause', '')->{status}, 202, 'paused');
    for my $total (2000, 2100, 2200) {
        set(1, total => $total);
        set(2, total => $total);
        set(3, total => $total, status => 'P');
        look($_) for 1 .. 3;
    }
    set(2, total => 1990);
    looked_twice();
    B24::Scenario::post('/b24/resume', '');

    total_is(1, '2200.00', 'the last of a burst');
    total_is(3, '2200.00', 'and of the other');
    told('n-2', qr/nothing in it is new/, 'A, B, A is A');
    told('n-3', qr/^delivered: the deal is at the stage "PREPARATION" now; the deal's total is 2 200\.00 RUB now, as in the shop$/,
         'with the stage');
    is(deal_now(3)->{stage_id}, 'PREPARATION', 'which is there');
    is(commands($from), 'crm.deal.list crm.deal.update crm.deal.list '
       . 'crm.deal.list crm.deal.list crm.deal.update crm.deal.list',
       'each by one write');



=== TEST 4: classic: rows, only when they are others
--- http_config eval: main::http(mode => 'rows')
--- config eval: $::server
--- scenario
    begin();
    my $deal = sold(1);
    is(rows_of($deal), 'Mug 2 x 795.00; Delivery 1 x 400.00',
       'the rows are the request\'s');
    polled();

    my $from = so_far();
    set(1, name => 'Anna', status => 'P');
    told('n-1', qr/^delivered: the deal is at the stage "PREPARATION" now$/,
         'another status');
    is(rows_of(deal_now(1)), rows_of($deal), 'other words for the same goods are nothing');

    $from = so_far();
    goods(1, ['Mug, in the tables', 795, 1, 'mug-1'], ['Cup', 100.333, 3, 'cup']);
    set(1, total => 1496, delivery => 400);
    total_is(1, '1496.00', 'the total');
    told('n-1', qr/^delivered: the deal's total is 1 496\.00 RUB now, as in the shop; its product rows are those of the shop now$/,
         'the timeline tells');
    $deal = deal_now(1);
    is(rows_of($deal), 'Mug, in the tables 1 x 795.00; Cup 2 x 100.33; Cup 1 x 100.34; Delivery 1 x 400.00',
       'the rows are the shop\'s');
    is($deal->{rows_sum}, '1496.00', 'to the kopeck');
    is(commands($from), 'crm.deal.list crm.deal.productrows.get crm.deal.update crm.deal.productrows.set crm.deal.list',
       'by two requests');

    # goods alone
    $from = so_far();
    goods(1, ['Mug, in the tables', 795, 1, 'mug-1'], ['Jug', 301, 1, 'jug']);
    set(1);
    told('n-1', qr/^delivered: its product rows are those of the shop now$/,
         'other goods for the same money');
    is(rows_of(deal_now(1)), 'Mug, in the tables 1 x 795.00; Jug 1 x 301.00; Delivery 1 x 400.00',
       'are there');
    is(commands($from), 'crm.deal.list crm.deal.productrows.get crm.deal.productrows.set crm.deal.list',
       'nothing else is set');

    $from = so_far();
    set(1);
    polled();
    unlike(commands($from), qr/rows|update/, 'and nothing more is done');



=== TEST 5: universal: rows
--- http_config eval: main::http(mode => 'rows', api => 'universal')
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();

    my $from = so_far();
    goods(1, ['Cup', 500, 2, 'cup']);
    set(1, total => 1400);
    total_is(1, '1400.00', 'the total');
    told('n-1', qr/its product rows are those of the shop now$/, 'told');
    is(rows_of(deal_now(1)), 'Cup 2 x 500.00; Delivery 1 x 400.00', 'the rows');
    is(commands($from), 'crm.item.list crm.item.productrow.list crm.item.update crm.item.productrow.set crm.item.list',
       'by two requests');

    # somebody has taken a cup away meanwhile
    my $deal = deal_now(1);
    edit_rows($deal, ['Cup', 500, 1]);
    goods(1, ['Cup', 500, 3, 'cup']);
    set(1, total => 1900);
    told('n-1', qr/^delivered: the deal's total is 1 900\.00 RUB now, as in the shop; its product rows had been changed in the CRM, to 1 row of 500\.00: they are those of the shop now$/,
         'it is said what was there');



=== TEST 6: what a person has put into the deal
--- http_config eval: main::http(mode => 'rows')
--- config eval: $::server
--- scenario
    begin();
    my ($one, $two, $three, $four) = map { sold($_) } 1 .. 4;
    polled();

    edit($one, OPPORTUNITY => '4000.00');
    edit_rows($one, ['Mug', 795, 2], ['Delivery', 400, 1], ['Gift', 0, 1]);
    edit($two, OPPORTUNITY => '4000.00', CURRENCY_ID => 'USD');
    edit($three, OPPORTUNITY => '4280.00');
    edit_rows($four, ['Tea', 10, 2]);

    my $from = so_far();
    polled();
    is(commands($from), '', 'is left there while nothing changes in the shop');

    goods(1, ['Mug, in the tables', 1940, 2, 'mug-1']);
    set($_, total => 4280) for 1, 2, 3;
    told('n-1', qr/^delivered: the deal's total had been changed in the CRM to 4 000\.00 RUB: it is 4 280\.00 RUB now, as in the shop; its product rows had been changed in the CRM, to 3 rows of 1 990\.00: they are those of the shop now$/,
         'total and rows');
    told('n-2', qr/^delivered: the deal's total had been changed in the CRM to 4 000\.00 USD: it is 4 280\.00 RUB now, as in the shop/,
         'a currency');
    told('n-3', qr/^delivered: the deal's total was 4 280\.00 RUB already/,
         'what the shop has now is no edit');

    my $record = record('n-1');
    like($record->{cause}, qr/had been changed in the CRM to 4 000\.00/,
         'the page tells');
    like($record->{advice}, qr/enter it in the shop/, 'with an advice');

    # the sum of its rows
    edit($four, IS_MANUAL_OPPORTUNITY => 'N');
    portal()->call('crm.deal.productrows.set', { id => $four->{id},
        rows => [{ PRODUCT_NAME => 'Tea', PRICE => 10, QUANTITY => 3 }] });
    goods(4, ['Mug, in the tables', 800, 2, 'mug-1']);
    set(4, total => 2000);
    told('n-4', qr/^delivered: the deal's total had been changed in the CRM to 30\.00 RUB, the sum of its rows: it is 2 000\.00 RUB now, as in the shop; its product rows had been changed in the CRM, to 1 row of 30\.00:/,
         'a total that follows its rows');
    ok(deal_now(4)->{manual}, 'it is the shop\'s now');

    # what we have written ourselves is no edit
    set(1, total => 4300);
    told('n-1', qr/^delivered: the deal's total is 4 300\.00 RUB now, as in the shop/,
         'what came from the shop is no edit');



=== TEST 7: an end, another pipeline, a deal that is gone
--- http_config eval: main::http()
--- config eval: $::server
--- scenario
    begin();
    my @deals = map { sold($_) } 1 .. 5;
    polled();

    person_moves($deals[0], 'WON');
    portal()->call('crm.item.update', { entityTypeId => 2, id => $deals[1]{id},
        fields => { categoryId => 3, stageId => 'C3:NEW' } });
    portal()->edit(entity => 'deal', id => $deals[2]{id}, delete => \1);

    my $from = so_far();
    set(1, total => 2500);
    told('n-1', qr/^delivered: the deal is closed at "WON": what was changed in the shop was left out, the order's total is 2 500\.00 RUB there, the deal's is 1 990\.00$/,
         'a deal that is won stays');
    like(record('n-1')->{advice}, qr/look at the deal/, 'with an advice');
    is(deal_now(1)->{opportunity}, '1990.00', 'as it is');
    unlike(commands($from), qr/update/, 'nothing is written');

    set(2, total => 2500);
    total_is(2, '2500.00', 'another pipeline is not the end');
    is(deal_now(2)->{stage_id}, 'C3:NEW', 'where it stays');

    $from = so_far();
    set(3, total => 2500);
    told('n-3', qr/^delivered: the deal is not in the CRM any more: it is not made again/,
         'gone');
    unlike(commands($from), qr/add|update/, 'it is not made again');

    # to the end and from there
    set(4, total => 2500, status => 'W');
    told('n-4', qr/^delivered: the deal is at the stage "WON" now; the deal's total is 2 500\.00 RUB now/,
         'with its last status');
    set(4, total => 2600, status => 'P');
    told('n-4', qr/^delivered: the deal is at the stage "PREPARATION" now; the deal's total is 2 600\.00 RUB now/,
         'opened by the shop');

    # a person moves it: a change of the total doesn't hide that
    person_moves($deals[4], 'EXECUTING');
    set(5, total => 2500);
    total_is(5, '2500.00', 'the total');
    is(deal_now(5)->{stage_id}, 'EXECUTING', 'the stage is the person\'s');
    is(hook($deals[4]), 200, 'the webhook');
    ok(B24::Scenario::wait_until(sub {
        grep { /moved to "EXECUTING" in the CRM/ } timeline_of('n-5') }),
       'is heard of');



=== TEST 8: the buyer's data
--- http_config eval: main::http()
--- config eval: $::server
--- scenario
    begin();
    my $deal = sold(1);
    polled();

    set(1, name => 'Ольга Новая', phone => '+79169999999', total => 2000);
    total_is(1, '2000.00', 'the total');
    my @told = grep { /buyer/ } timeline_of('n-1');
    is("@told", 'accepted: the buyer\'s data were changed in the shop: the contact was left as it is',
       'is told of');

    set(1, email => 'other@example.com');
    look(1);
    told('n-1', qr/nothing in it is new/, 'changed again');
    set(1, total => 2100);
    total_is(1, '2100.00', 'and with a total');
    is(scalar(grep { /buyer/ } timeline_of('n-1')), 1, 'once');
    is(deal_now(1)->{contact}{name}, 'Анна Ким', 'nothing is written');

    unlike(B24::Scenario::error_log(), qr/Ольга|Новая|79169999999|other\@/,
           'nothing of it is in the log');

    # alone it is what the page shows
    sold(2);
    set(2, phone => '+79168888888');
    look(2);
    ok(B24::Scenario::wait_until(sub {
        (record('n-2')->{cause} // '') =~ /buyer's data were changed/ }),
       'the page tells');
    like(record('n-2')->{advice}, qr/compare the deal's contact/, 'and what to do');



=== TEST 9: b24_update off
--- http_config eval: main::http(mode => 'off')
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();

    my $from = so_far();
    set(1, total => 2500, name => 'Ольга');
    look(1);
    told('n-1', qr/nothing in it is new/, 'nothing is new');
    is(commands($from), '', 'nothing is asked for');

    set(1, status => 'P');
    told('n-1', qr/^delivered: the deal is at the stage "PREPARATION" now$/,
         'but statuses');
    is(deal_now(1)->{opportunity}, '1990.00', 'the total stays');
    is(scalar(grep { /buyer/ } timeline_of('n-1')), 0, 'nothing of the buyer');



=== TEST 10: statements without a total, and none but hints
--- http_config eval: main::http(without => ['total'])
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();
    set(1, total => 2500);
    total_is(1, '2500.00', 'any change is looked at');



=== TEST 11: without a status, too
--- http_config eval: main::http(without => ['total', 'status'])
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();
    set(1, total => 2500);
    total_is(1, '2500.00', 'the same');



=== TEST 12: b24_import off: what the administration sends
--- http_config eval: main::http(import => 'off')
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    set(1, total => 2500);
    is(look(1), 204, 'the shop says yes');
    total_is(1, '2500.00', 'is looked after');



=== TEST 13: the portal fails
--- http_config eval: main::http(mode => 'rows')
--- config eval: $::server
--- scenario
    begin();
    sold($_) for 1 .. 5;
    polled();

    portal()->fault(kind => 'drop', when => 'before',
                    method => 'crm\.deal\.update');
    set(1, total => 2500);
    total_is(1, '2500.00', 'what was lost before is done again');
    told('n-1', qr/^delivered: the deal's total is 2 500\.00 RUB now, as in the shop; its product rows are those of the shop now$/,
         'nobody has edited it');
    is(rows_of(deal_now(1)), 'Mug, in the tables 2 x 795.00; Delivery 1 x 400.00; Fee 1 x 510.00',
       'what the goods lack is a row');

    portal()->fault(kind => 'drop', when => 'after',
                    method => 'crm\.deal\.update');
    set(2, total => 2500);
    told('n-2', qr/^delivered: the deal's total was 2 500\.00 RUB already; its product rows were those of the shop already$/,
         'what was done is seen');

    # another change before anybody knows
    portal()->fault(kind => 'hang', when => 'after',
                    method => 'crm\.deal\.update');
    set(3, total => 2500);
    portal()->wait_for(held => 1);
    B24::Scenario::post('/b24/pause', '');
    portal()->release(drop => \1);
    ok(B24::Scenario::wait_until(sub { record('n-3')->{state} eq 'waiting' }),
       'an outcome that nobody knows');
    set(3, total => 2600);
    looked_twice();
    B24::Scenario::post('/b24/resume', '');
    total_is(3, '2600.00', 'and then another total');
    ok(B24::Scenario::wait_until(sub { record('n-3')->{state} eq 'delivered' }),
       'it is over');
    is(scalar(grep { /had been changed/ } timeline_of('n-3')), 0,
       'nobody is said to have edited it');

    portal()->fault(kind => 'command', error => '', description => 'no',
                    method => 'crm\.deal\.productrows\.set');
    set(4, total => 2500);
    told('n-4', qr/^parked/, 'a refusal parks it');
    set(5, total => 2500);
    total_is(5, '2500.00', 'nothing else waits for it');
    my $from = so_far();
    polled();
    is(commands($from), '', 'nor is it tried again by itself');
    set(4, total => 2600);
    total_is(4, '2600.00', 'but with another change');
    told('n-4', qr/^delivered: the deal's total is 2 600\.00 RUB now, as in the shop; its product rows are those of the shop now/,
         'as if nothing had been');



=== TEST 14: killed between reading and writing
--- http_config eval: main::http(mode => 'rows')
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();

    for my $when (qw(before after)) {
        portal()->fault(kind => 'hang', when => $when,
                        method => 'crm\.deal\.update');
        my $total = $when eq 'before' ? 2500 : 2600;
        goods(1, ['Mug, in the tables', ($total - 400) / 2, 2, 'mug-1']);
        set(1, total => $total);
        portal()->wait_for(held => 1);

        my @old = B24::Scenario::worker_pids();
        kill KILL => @old;
        B24::Scenario::wait_until(sub {
            my %old = map { $_ => 1 } @old;
            my @now = B24::Scenario::worker_pids();
            return @now && !grep { $old{$_} } @now;
        });
        portal()->release(drop => \1);

        total_is(1, "$total.00", "$when it");
        told('n-1', qr/^delivered: /, 'and it is over');
        is(deal_now(1)->{rows_sum}, "$total.00", 'with its rows');
    }

    is(scalar(grep { /had been changed/ } timeline_of('n-1')), 0,
       'nobody is said to have edited it');
    is(scalar @{whole_crm()->{deals}{'n-1'}}, 1, 'one deal');
--- expected_alert
exited on signal 9



=== TEST 15: many rows, rows that don't make the total, none
--- http_config eval: main::http(mode => 'rows', api => 'universal')
--- config eval: $::server
--- scenario
    begin();
    sold($_) for 1 .. 3;
    polled();

    my $from = so_far();
    goods(1, map { ["Thing $_", 1, 1, "t-$_"] } 1 .. 400);
    set(1, total => 800);
    told('n-1', qr/its product rows are those of the shop now$/, 'many rows');
    is(commands($from), 'crm.item.list crm.item.productrow.list crm.item.update crm.item.list crm.item.productrow.set',
       'by a call of their own');
    my $deal = deal_now(1);
    is(scalar @{$deal->{rows}}, 401, 'all are there');
    is($deal->{rows_sum}, '800.00', 'to the kopeck');

    $from = so_far();
    goods(1, map { ["Thing $_", 2, 1, "t-$_"] } 1 .. 400);
    set(1, total => 1200);
    told('n-1', qr/^delivered: the deal's total is 1 200\.00 RUB now, as in the shop; its product rows are those of the shop now$/,
         'many rows that were ours');
    like(commands($from), qr/^crm\.item\.list(?: crm\.item\.productrow\.list){9} crm\.item\.update/,
         'are read in pages');

    goods(2);
    set(2, total => 0);
    told('n-2', qr/^delivered: the deal's total is 0\.00 RUB now, as in the shop; what the shop's database has of the order's goods makes no product rows: the deal's were left as they are$/,
         'no goods at all');
    is(rows_of(deal_now(2)), 'Mug 2 x 795.00; Delivery 1 x 400.00',
       'are no reason to delete rows');

    goods(3, ['Gold', '900000000000000', 10, 'au']);
    set(3, total => '9000000000000400');
    told('n-3', qr/^delivered: the deal's total is 9 000 000 000 000 400\.00 RUB now.*; what the shop's database has of the order's goods makes no product rows/,
         'rows that are beyond what the portal keeps');



=== TEST 16: a total that a line sets, products of the catalogue
--- http_config eval
main::http(mode => 'rows', lines => 'b24_product xml_id;',
    more => 'deal OPPORTUNITY text:7;  deal CURRENCY_ID text:USD;')
--- config eval: $::server
--- scenario
    begin();
    my $deal = sold(1);
    polled();

    goods(1, ['Cup', 500, 2, 'SKU-102']);
    set(1, total => 1400);
    told('n-1', qr/^delivered: its product rows are those of the shop now$/,
         'rows follow');
    $deal = deal_now(1);
    is($deal->{opportunity}, '7.00', 'the total is the line\'s');
    is($deal->{currency_id}, 'USD', 'and so is the currency');
    is(join(' ', map { $_->{product_id} } sort { $a->{id} <=> $b->{id} }
                 @{$deal->{rows}}), '102 0', 'the product is found');



=== TEST 17: characters that the portal can't keep
--- http_config eval: main::http(mode => 'rows')
--- config eval: $::server
--- scenario
    begin();
    sold(1);
    polled();
    portal()->config(utf8mb3 => 'refuse');

    goods(1, ["C\x{1F600}up", 500, 2, 'cup']);
    set(1);
    told('n-1', qr/^delivered: its product rows are those of the shop now$/,
         'are left out');
    is(rows_of(deal_now(1)), 'Cup 2 x 500.00; Delivery 1 x 400.00; Fee 1 x 590.00',
       'the others are there');
    goods(1, ["C\x{1F600}up", 500, 3, 'cup']);
    set(1);
    ok(B24::Scenario::wait_until(sub {
        rows_of(deal_now(1)) =~ /Cup 3/ }), 'and follow');
    is(scalar(grep { /had been changed/ } timeline_of('n-1')), 0,
       'nobody is said to have edited them');



=== TEST 18: orders of an earlier version, and what is kept of them
--- http_config eval: main::http()
--- config eval: $::server
--- scenario
    begin();
    sold($_) for 1 .. 3;
    polled();

    is(main::queue_sql('SELECT total FROM seen ORDER BY record LIMIT 1'),
       "1990.00|1990.00 RUB\n", 'what the deal was given');
    like(main::queue_sql('SELECT goods FROM seen ORDER BY record LIMIT 1'),
         qr/^[0-9a-f]{16}\|2:[0-9a-f]{16}$/, 'and no goods');

    main::queue_sql('UPDATE seen SET total = NULL, goods = NULL');
    main::queue_sql(q{UPDATE events SET data = '{"v":1,"fields":{}}'
                      WHERE record = (SELECT max(record) FROM seen)});

    my $from = so_far();
    set($_, total => 2500) for 1, 3;
    set(2);
    total_is(1, '2500.00', 'the first event tells what was sent');
    polled();
    is(deal_now(3)->{opportunity}, '1990.00', 'else nothing is compared');
    is(commands($from), 'crm.deal.list crm.deal.update crm.deal.list',
       'nothing else is asked');

    set(2, total => 2600);
    set(3, total => 2600);
    total_is($_, '2600.00', 'the next change counts') for 2, 3;



=== TEST 19: nothing bounces
--- http_config eval: main::http(mode => 'rows')
--- config eval: $::server
--- scenario
    begin();
    my $deal = sold(1);
    polled();

    goods(1, ['Cup', 500, 2, 'cup']);
    set(1, total => 1400);
    told('n-1', qr/its product rows are those of the shop now$/, 'written');
    my @timeline = timeline_of('n-1');

    my $from = so_far();
    is(hook($deal), 200, 'the portal tells of it') for 1 .. 2;
    ok(B24::Scenario::wait_until(sub { watched($from) }), 'it is looked at');
    polled();
    is(commands($from), '', 'nothing is written, nothing else is asked for');
    is(scalar(timeline_of('n-1')), scalar @timeline, 'nothing is told');



=== TEST 20: 1C-Bitrix
--- http_config eval: $::shops{bitrix}
--- config eval: main::shop_server('bitrix')
--- scenario
    my $site = B24::Bitrix->new;

    begin_with(sub {
        B24::Tables::bitrix($::db, layout => 21);
        B24::Tables::bitrix_properties($::db, 1, $site->{types}[0], deal => 0);
    });
    B24::Tables::bitrix_order($::db, ID => 57, ACCOUNT_NUMBER => '57/2026',
        PRICE => 2280, PRICE_DELIVERY => 300, ids => $site->{types}[0],
        layout => 21, DATE_INSERT => \'NOW() + INTERVAL 1 SECOND',
        DATE_UPDATE => \'NOW() + INTERVAL 1 SECOND',
        values => { FIO => 'Иванов Пётр', PHONE => '79161234567' },
        rows => [[570, 1012, 'Футболка', 1, 1980]]);

    is(imported('57/2026'), '2280.00', 'as it was placed');
    follows('57/2026', '4260.00',
        'UPDATE b_sale_basket SET QUANTITY = 2 WHERE ID = 570',
        'UPDATE b_sale_order SET PRICE = 4260,'
        . ' DATE_UPDATE = DATE_ADD(DATE_UPDATE, INTERVAL 2 SECOND)');



=== TEST 21: WooCommerce, its own tables
--- http_config eval: $::shops{woocommerce}
--- config eval: main::shop_server('woocommerce')
--- scenario
    begin_with(sub { B24::Tables::woocommerce($::db) });
    B24::Tables::woocommerce_order($::db, main::woocommerce_sold());
    is(imported(900), main::woocommerce_sold()->{total}, 'as it was placed');
    follows(900, sprintf('%.2f', main::woocommerce_sold()->{total} + 100),
        'UPDATE wp_wc_orders SET total_amount = total_amount + 100,'
        . ' date_updated_gmt = date_updated_gmt + INTERVAL 1 SECOND');



=== TEST 22: WooCommerce among the posts
--- http_config eval: $::shops{woocommerce}
--- config eval: main::shop_server('woocommerce')
--- scenario
    begin_with(sub {
        B24::Tables::woocommerce($::db);
        B24::Tables::woocommerce_post($::db, { %{main::woocommerce_sold()},
            order_id => 1,
            date_created_gmt => \'UTC_TIMESTAMP() - INTERVAL 1 HOUR' });
    });
    B24::Tables::woocommerce_post($::db, main::woocommerce_sold());
    is(imported(900), main::woocommerce_sold()->{total}, 'as it was placed');
    follows(900, sprintf('%.2f', main::woocommerce_sold()->{total} + 100),
        "UPDATE wp_postmeta SET meta_value = meta_value + 100"
        . " WHERE post_id = 900 AND meta_key = '_order_total'",
        'UPDATE wp_posts SET post_modified_gmt = post_modified_gmt'
        . ' + INTERVAL 1 SECOND WHERE ID = 900');



=== TEST 23: OpenCart
--- http_config eval: $::shops{opencart}
--- config eval: main::shop_server('opencart')
--- scenario
    begin_with(sub { B24::Tables::opencart($::db) });
    B24::Tables::opencart_order($::db, { order_id => 900, currency => 'USD',
        currency_value => 2, total_base_currency => 25, comment => '',
        buyer => { firstname => 'Anna', lastname => 'Kim',
                   email => 'kim@example.com', telephone => '+79160000001',
                   map { $_ => '' } qw(address_1 city zone postcode company
                                       country) },
        items => [{ product_id => 3, name => 'Mug', model => 'M',
                    quantity => 2, price => 10, total => 20,
                    tax_per_unit => 0 }],
        totals => [{ code => 'shipping', title => 'Flat', value => 5 },
                   { code => 'total', title => 'Total', value => 25 }] },
        added => \'NOW() + INTERVAL 1 SECOND', confirmed =>
            \'NOW() + INTERVAL 1 SECOND');

    is(imported(900), '50.00', 'as it was placed');
    follows(900, '70.00',
        'UPDATE oc_order_product SET quantity = 3, total = 30',
        'UPDATE oc_order SET total = 35, date_modified ='
        . ' date_modified + INTERVAL 1 SECOND');

    # found with another change; a remark sets no status
    set_back(900, 'INSERT INTO oc_order_history (order_id, order_status_id,'
        . " comment, date_added) VALUES (900, 3, '', NOW()), (900, 1, '', NOW()),"
        . " (900, 1, 'x', NOW() + INTERVAL 1 HOUR)",
        'UPDATE oc_order SET total = 36, date_modified = NOW()');



=== TEST 24: PrestaShop
--- http_config eval: $::shops{prestashop}
--- config eval: main::shop_server('prestashop')
--- scenario
    begin_with(sub { B24::Tables::prestashop($::db) });
    B24::Tables::prestashop_order($::db, { order_id => 900, id_cart => 7,
        reference => 'ABCDEFGHI', payment => 'Check', total => '25.000000',
        shipping => '5.000000', comment => '',
        date_add => \'NOW() + INTERVAL 1 SECOND',
        buyer => { firstname => 'Anna', lastname => 'Kim', company => '',
                   email => 'kim@example.com', address1 => 'x',
                   postcode => '1', city => 'y', phone => '+79160000001' },
        items => [{ product_id => 3, attribute_id => 0, name => 'Mug',
                    quantity => 2, reference => 'M',
                    unit_price_tax_incl => 10, line_total_tax_incl => 20 }] });

    is(imported(900), '25.00', 'as it was placed');
    follows(900, '35.00',
        'UPDATE ps_order_detail SET product_quantity = 3,'
        . ' total_price_tax_incl = 30',
        'UPDATE ps_orders SET total_paid_tax_incl = 35, date_upd ='
        . ' date_upd + INTERVAL 1 SECOND');
    set_back(900, 'INSERT INTO ps_order_history (id_order, id_order_state,'
        . ' date_add) VALUES (900, 4, NOW()), (900, 13, NOW())',
        'UPDATE ps_orders SET date_upd = NOW()');
