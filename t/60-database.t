# The shop's own database: orders are read from a real MariaDB once the shop has
# accepted them, whatever state it is in, and the buyer never waits for it.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm;
use B24::Desk;
use B24::MariaDB;
use B24::Tables;
use JSON::PP ();
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
    port => B24::Test::free_port(), tls => 1);

$ENV{TEST_NGINX_DB} = $db->url;
$ENV{TEST_NGINX_DB_WRONG} = $db->url(user => 'b24%40shop:hunter2');
$ENV{TEST_NGINX_DB_TLS} = $db->url(args => ['ssl_ca=' . $db->ca]);

# a port where nobody listens, and one where somebody says nothing
$ENV{TEST_NGINX_DB_NOBODY} = $db->url(port => B24::Test::free_port());

our $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => B24::Test::free_port(), Proto => 'tcp', Listen => 50,
    ReuseAddr => 1) or die "no socket: $!\n";

$ENV{TEST_NGINX_DB_MUTE} = $db->url(port => $mute->sockport);

# Empties the shop; statements that follow.
sub fresh {
    my (@sql) = @_;

    $db->start;
    $db->sql(join(";\n",
        'DROP TABLE IF EXISTS `orders`, `lines`',
        'CREATE TABLE `orders` (id int AUTO_INCREMENT PRIMARY KEY,'
        . ' number varchar(60) NOT NULL UNIQUE, name varchar(100),'
        . ' phone varchar(60), email varchar(100), total decimal(18,4),'
        . ' delivery decimal(18,4), currency char(3), status varchar(2),'
        . ' comment text, address varchar(200), note varchar(100), deal int,'
        . ' created datetime NOT NULL DEFAULT current_timestamp(),'
        . ' changed datetime NOT NULL DEFAULT current_timestamp()'
        . ' ON UPDATE current_timestamp(), KEY (changed))',
        'CREATE TABLE `lines` (id int AUTO_INCREMENT PRIMARY KEY,'
        . ' order_id int, name varchar(100), price decimal(18,4),'
        . ' quantity double(18,4), sku varchar(40), KEY (order_id))',
        @sql) . ';', 'shop');
}

# An order of the shop's own, with a mug and a delivery.
sub sold {
    my ($id, $number, %field) = @_;

    %field = (id => $id, number => $number, name => 'Пётр Базин',
              phone => '+79160000001', email => 'db@example.com',
              total => '1890.5000', delivery => '300', currency => 'RUB',
              status => 'P', comment => 'из базы', address => 'Москва',
              note => 'n-1', %field);

    my @columns = sort keys %field;
    my $quoted = join ', ', map { "'" . $field{$_} =~ s/'/''/gr . "'" }
                                @columns;

    return "INSERT INTO `orders` (" . join(', ', @columns) . ") VALUES ($quoted)",
           'INSERT INTO `lines` (order_id, name, price, quantity, sku) VALUES'
           . " ($id, 'Кружка &quot;Заря&quot;', 795.25, 2, 'mug-1')";
}

our $statements = <<'EOC';
        database {
            order   "SELECT id AS `row`, number AS id, name, phone, email,
                        total, delivery, currency, status, comment, address,
                        note
                     FROM orders WHERE number = :number OR id = :row LIMIT 1";
            items   "SELECT name, price, quantity, sku FROM `lines`
                     WHERE order_id = :row ORDER BY id";
            changes "SELECT id AS `row`, number AS id, changed, created
                     FROM orders WHERE changed >= :since ORDER BY changed
                     LIMIT 5";
            link    "UPDATE orders SET deal = :deal WHERE id = :row";
        }
EOC

# Goods that are seen late.
our $late = $statements =~ s/(:row)( ORDER BY id)/$1 AND seen <= NOW(6)$2/r;

# One that waits for a lock that nobody else needs.
our $slow = $statements =~ s/WHERE (number = :number OR id = :row)(?= LIMIT)/WHERE ($1) AND IF(GET_LOCK('slow', 60), RELEASE_LOCK('slow'), 0) = 1/r;

# Two columns that a shop's server may not be able to compare.
our $mixed = $statements =~ s/WHERE (number = :number OR id = :row)(?= LIMIT)/WHERE ($1) AND currency = note/r;

our $all = <<'EOC';
        database {
            order "SELECT id AS `row`, number AS id, total FROM orders
                   WHERE number = :id OR number = :number OR id = :row
                   OR name = :name OR phone = :phone OR email = :email
                   OR comment = :comment OR address = :address
                   OR status = :status OR total = :total
                   OR currency = :currency";
            items "SELECT name, price, quantity FROM `lines`
                   WHERE order_id = :row AND :email IS NOT NULL";
            link  "UPDATE orders SET deal = :deal WHERE id = :row
                   AND (number = :number OR number = 'none')";
        }
EOC

# The statements for 1C-Bitrix; "link" and "order" for both layouts of
# b_sale_order_props_value.
our $bitrix = <<'EOC';
        database {
            order "SELECT o.ID AS `row`, o.ACCOUNT_NUMBER AS id,
                      o.PRICE AS total, o.PRICE_DELIVERY AS delivery,
                      o.CURRENCY AS currency, o.STATUS_ID AS status,
                      o.USER_DESCRIPTION AS comment,
                      (SELECT v.VALUE FROM b_sale_order_props_value v
                       JOIN b_sale_order_props p ON p.ID = v.ORDER_PROPS_ID
                       WHERE v.ORDER_ID = o.ID AND p.IS_PAYER = 'Y' LIMIT 1)
                          AS name,
                      (SELECT v.VALUE FROM b_sale_order_props_value v
                       JOIN b_sale_order_props p ON p.ID = v.ORDER_PROPS_ID
                       WHERE v.ORDER_ID = o.ID AND p.IS_PHONE = 'Y' LIMIT 1)
                          AS phone
                   FROM b_sale_order o
                   WHERE o.ACCOUNT_NUMBER = :number OR o.ID = :row LIMIT 1";
            items "SELECT NAME AS name, PRICE AS price, QUANTITY AS quantity
                   FROM b_sale_basket WHERE ORDER_ID = :row
                   AND (SET_PARENT_ID IS NULL OR SET_PARENT_ID = 0
                        OR SET_PARENT_ID = ID) ORDER BY SORT, ID";
            link  "INSERT INTO b_sale_order_props_value (ORDER_ID,
                      ORDER_PROPS_ID, NAME, VALUE, CODE, XML_ID, ENTITY_ID,
                      ENTITY_TYPE)
                   SELECT o.ID, p.ID, p.NAME, :deal, p.CODE,
                      CONCAT('bx_', SUBSTRING(MD5(UUID()), 1, 13)), o.ID,
                      'ORDER'
                   FROM b_sale_order o JOIN b_sale_order_props p
                      ON p.PERSON_TYPE_ID = o.PERSON_TYPE_ID
                      AND p.CODE = 'B24_DEAL_ID'
                   WHERE o.ID = :row ON DUPLICATE KEY UPDATE
                      VALUE = VALUES(VALUE)"
                  "INSERT INTO b_sale_order_props_value (ORDER_ID,
                      ORDER_PROPS_ID, NAME, VALUE, CODE)
                   SELECT o.ID, p.ID, p.NAME, :deal, p.CODE
                   FROM b_sale_order o JOIN b_sale_order_props p
                      ON p.PERSON_TYPE_ID = o.PERSON_TYPE_ID
                      AND p.CODE = 'B24_DEAL_ID'
                   WHERE o.ID = :row ON DUPLICATE KEY UPDATE
                      VALUE = VALUES(VALUE)";
        }
EOC

# Its tables, in windows-1251 as many sites have them.
sub bitrix {
    my ($current) = @_;

    my $more = $current
        ? ', XML_ID varchar(255), ENTITY_ID int NOT NULL,'
          . ' ENTITY_TYPE varchar(255) NOT NULL,'
          . ' UNIQUE (ENTITY_ID, ENTITY_TYPE, ORDER_PROPS_ID)' : '';
    my @entity = $current ? (', ENTITY_ID, ENTITY_TYPE', ", %d, 'ORDER'")
                          : ('', '');

    my $value = sub {
        my ($order, $property, $code, $text) = @_;

        return "INSERT INTO b_sale_order_props_value (ORDER_ID,"
            . " ORDER_PROPS_ID, NAME, VALUE, CODE$entity[0]) VALUES ($order,"
            . " $property, '$code', '$text', '$code'"
            . $entity[1] =~ s/%d/$order/r . ')';
    };

    return (
        'DROP TABLE IF EXISTS b_sale_order, b_sale_basket, b_sale_order_props,'
        . ' b_sale_order_props_value',
        'ALTER DATABASE shop CHARACTER SET cp1251',
        'CREATE TABLE b_sale_order (ID int AUTO_INCREMENT PRIMARY KEY,'
        . ' ACCOUNT_NUMBER varchar(100) UNIQUE, LID char(2), PERSON_TYPE_ID'
        . ' int, STATUS_ID varchar(2), PRICE decimal(18,4), PRICE_DELIVERY'
        . ' decimal(18,4), CURRENCY char(3), USER_DESCRIPTION varchar(2000),'
        . ' DATE_INSERT datetime, DATE_UPDATE datetime)',
        'CREATE TABLE b_sale_basket (ID int AUTO_INCREMENT PRIMARY KEY,'
        . ' ORDER_ID int, NAME varchar(255), PRICE decimal(18,4), QUANTITY'
        . ' double(18,4), SET_PARENT_ID int, SORT int)',
        'CREATE TABLE b_sale_order_props (ID int PRIMARY KEY, PERSON_TYPE_ID'
        . ' int, NAME varchar(255), CODE varchar(50), IS_PAYER char(1),'
        . ' IS_PHONE char(1))',
        'CREATE TABLE b_sale_order_props_value (ID int AUTO_INCREMENT PRIMARY'
        . ' KEY, ORDER_ID int NOT NULL, ORDER_PROPS_ID int NULL, NAME'
        . ' varchar(255), VALUE varchar(500), CODE varchar(50)'
        . ", UNIQUE (ORDER_ID, ORDER_PROPS_ID)$more)",
        "INSERT INTO b_sale_order_props VALUES (1, 1, 'Ф.И.О.', 'FIO', 'Y',"
        . " 'N'), (3, 1, 'Телефон', 'PHONE', 'N', 'Y'), (12, 2, 'Лицо',"
        . " 'CONTACT_PERSON', 'Y', 'N'), (20, 1, 'Сделка', 'B24_DEAL_ID',"
        . " 'N', 'N')",
        "INSERT INTO b_sale_order VALUES (57, '57/2026', 's1', 1, 'N', 4280,"
        . " 300, 'RUB', '', now(), now()), (58, '58', 's1', 2, 'N', 4280, 300,"
        . " 'RUB', '', now(), now())",
        map({ "INSERT INTO b_sale_basket (ORDER_ID, NAME, PRICE, QUANTITY,"
              . " SET_PARENT_ID, SORT) VALUES ($_, 'Футболка &quot;Лето&quot;',"
              . " 1990, 2, NULL, 1), ($_, 'Часть набора', 10, 1, 1, 2)"
            } 57, 58),
        $value->(57, 1, 'FIO', 'Иванов Пётр'),
        $value->(57, 3, 'PHONE', '79161234567'),
        $value->(58, 12, 'CONTACT_PERSON', 'Контора'),
        'ALTER DATABASE shop CHARACTER SET utf8mb4',
    );
}

sub http {
    my (%option) = @_;

    my $url = $option{url} // '$TEST_NGINX_DB';
    my $times = $option{times} // 'connect=1s read=1s wait=1500ms absent=3s '
                                . 'poll=1s traffic=1s';
    my $database = $option{database} // $statements;
    my $more = $option{more} // '';
    my $id = $option{id} // 'request:/id';
    my $servers = $option{servers} // '';

    return <<"EOC";
    b24_queue    \$TEST_NGINX_QUEUE;
    b24_origin   tested;
    b24_webhook  \$TEST_NGINX_PORTAL_URL;
    b24_retry    first=100ms max=500ms unknown=300ms;
    b24_rate     100 burst=5000;
    b24_database $url $times;
    $more

    b24_shop full {
        stage N NEW;  stage P PREPARATION;  default_status N;

        order placed {
            uri       /checkout;
            accept    response:/ok;
            id        $id;
            row       request:/row;
            name      request:/name;
            phone     request:/phone;
            email     request:/email;
            total     request:/total;
            currency  request:/currency;
            status    request:/status;
            comment   database:comment request:/comment;
            address   request:/address database:note;
            deal      UF_CRM_RULE database:note request:/note;

            items     request:/items database: {
                name      "%{/name}";
                price     /price;
                quantity  /quantity;
                xml_id    /sku;
            }
        }

$database
    }

    server {
        listen 127.0.0.1:\$TEST_NGINX_PORT_1;

        location / {
            default_type application/json;
            return 200 '{"ok":true}';
        }
    }

$servers
EOC
}

# Places an order of these fields only; how long the buyer waited.
sub place {
    my (%field) = @_;

    my $began = Time::HiRes::time();
    my $ok = B24::Crm::order({ body => JSON::PP->new->canonical->utf8
                                       ->encode(\%field) });

    Test::More::ok($ok, "the shop accepted " . ($field{id} // 'an order'));

    return Time::HiRes::time() - $began;
}

# The deal of an order, once it is delivered.
sub deal_of {
    my ($id, %want) = @_;

    B24::Scenario::wait_until(sub {
        my $record = B24::Crm::record($id) // return 0;
        return $record->{state} eq 'delivered';
    }, $want{timeout} // 40);

    return B24::Crm::delivered($id);
}

sub database {
    return B24::Desk::status()->{portals}[0]{database};
}

# The rows of a deal as "NAME QUANTITY x PRICE".
sub deal_rows {
    my ($deal) = @_;

    return join '; ', map { "$_->{product_name} $_->{quantity} x $_->{price}" }
        sort { $a->{id} <=> $b->{id} } @{$deal->{rows}};
}

sub error_log {
    open my $in, '<:encoding(UTF-8)', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
        or die "error.log: $!\n";
    local $/;

    return scalar <$in>;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: what the request doesn't give comes from the database
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(57, 'A-57/1'));

    ok(main::place(id => 'A-57/1', phone => '+79161234567') < 5,
       'the buyer did not wait');

    my $deal = main::deal_of('A-57/1');

    is($deal->{contact}{name}, 'Пётр Базин', 'the name is from there');
    is_deeply($deal->{contact}{phones}, ['+79161234567'],
              'the phone is what the buyer typed');
    is_deeply($deal->{contact}{emails}, ['db@example.com'], 'the e-mail');
    is($deal->{opportunity}, '1890.50', 'the total');
    is($deal->{stage_id}, 'PREPARATION', 'the status');
    like(main::deal_rows($deal), qr/^Кружка "Заря" 2 x 795\.25/, 'the goods');
    like(main::deal_rows($deal), qr/300/, 'the delivery');

    is(main::database()->{state}, 'ok', 'the database is well');
    is(main::database()->{read}, 1, 'one order was read');

    ok(B24::Scenario::wait_until(sub { main::database()->{linked} == 1 }),
       'the deal is written into the shop');
    is_deeply([$main::db->rows('SELECT deal FROM orders')], [[$deal->{id}]],
              'its number');
    ok(wait_until(sub { record('A-57/1')->{state} eq 'delivered' }),
       'and the order is through');



=== TEST 2: where the database stands among the alternatives decides
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1', delivery => '0'),
        main::sold(2, 'n-2', comment => ''));

    main::place(id => 'n-1', name => 'Buyer', comment => 'typed',
                address => 'typed street', note => 'typed note',
                total => '10.00',
                items => [{ name => 'Pen', price => '10.00', quantity => 1 }]);
    main::place(id => 'n-2', comment => 'typed', email => 'n2@example.com');

    my $deal = main::deal_of('n-1');

    like($deal->{comments}, qr/из базы/, 'a column before the request wins');
    unlike($deal->{comments}, qr/typed$/m, 'in place of it');
    is($deal->{uf_crm_rule} // $deal->{fields}{UF_CRM_RULE} // '-', 'n-1',
       'a field of the CRM') if exists $deal->{uf_crm_rule};
    is(main::deal_rows($deal), 'Pen 1 x 10.00',
       'what the request had before the column stays');

    $deal = main::deal_of('n-2');

    like($deal->{comments}, qr/typed/, 'an empty column gives way');



=== TEST 3: an order that is visible late
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh();

    main::place(id => 'late', email => 'late@example.com');
    main::place(id => 'n-5', email => 'n5@example.com', total => '5.00');

    ok(B24::Scenario::wait_until(sub { main::database()->{absent} > 1 }),
       'it was looked for');
    like(record('late')->{cause}, qr/not in the shop's database yet/,
         'the page says what it waits for');

    $main::db->sql(join(";\n", main::sold(9, 'late')), 'shop');

    my $deal = main::deal_of('late');

    like(main::deal_rows($deal), qr/^Кружка/, 'it came');

    # an order that could be delivered without goes after a while
    $deal = main::deal_of('n-5');

    is($deal->{opportunity}, '5.00', 'what was captured');
    like(record('n-5')->{cause}, qr/was not found in the shop's database/,
         'with a remark');



=== TEST 4: the database is stopped: from captured data, or later
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1'), main::sold(2, 'n-2'));
    $main::db->stop;

    ok(main::place(id => 'n-1', email => 'n1@example.com', total => '7.00')
       < 5, 'the buyer did not wait');
    main::place(id => 'n-2');

    my $deal = B24::Desk::deal('n-1', timeout => 40);

    is($deal->{opportunity}, '7.00', 'from what was captured');
    ok(grep({ /database could not be read/ } timeline_of('n-1')),
       'and it says so');
    like($deal->{comments}, qr/database could not be read/,
         'in the deal, too');

    my $record;

    # or is asked for at the moment
    ok(wait_until(sub { $record = record('n-2');
                        $record->{state} eq 'waiting' }),
       'an order without anything waits');
    like($record->{cause}, qr/cannot be reached/, 'with the cause');
    like($record->{advice}, qr/b24_database/, 'and what to do');
    is(main::database()->{state}, 'failing', 'the page knows');
    like(main::database()->{reason}, qr/cannot be reached/, 'why');

    $main::db->start;

    $deal = main::deal_of('n-2', timeout => 60);

    like(main::deal_rows($deal), qr/^Кружка/, 'it is whole once it is back');
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' }),
       'and all is well');



=== TEST 5: the database hangs
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1'), main::sold(2, 'n-2'), main::sold(3, 'n-3'));

    main::place(id => 'n-1');
    main::deal_of('n-1');

    $main::db->pause;

    ok(main::place(id => 'n-2', email => 'n2@example.com', total => '7.00')
       < 5, 'the buyer did not wait');
    main::place(id => 'n-3');

    my $deal = B24::Desk::deal('n-2', timeout => 60);

    is($deal->{opportunity}, '7.00', 'from what was captured');
    ok(B24::Scenario::wait_until(sub {
        return (record('n-2')->{cause} // '') =~ /answer in time/;
    }, 60), 'its number can not be written into the shop now');
    like(main::database()->{reason}, qr/does not answer in time/, 'why');

    $main::db->resume;

    $deal = main::deal_of('n-3', timeout => 60);
    like(main::deal_rows($deal), qr/^Кружка/, 'the other when it goes on');



=== TEST 6: the database is slow: the buyer isn't
--- http_config eval: main::http(times => 'connect=1s read=60s wait=90s absent=90s poll=60s traffic=60s', database => $main::slow)
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(map { main::sold($_, "n-$_") } 1 .. 5);

    my $slow = $main::db->hold("SELECT GET_LOCK('slow', 60)");

    main::place(id => 'n-1');
    ok(wait_until(sub { $main::db->running(qr/GET_LOCK/) }), 'it is asked');
    main::place(id => "n-$_") for 2 .. 5;
    is(scalar $main::db->running(qr/GET_LOCK/), 1,
       'all are answered before it has said anything');
    is(scalar(grep { /GET_LOCK/ && /^Execute/ } $main::db->log), 1,
       'to the first question');

    close $slow;
    main::deal_of("n-$_", timeout => 60) for 1 .. 5;
    is(main::database()->{read}, 5, 'all were read');



=== TEST 7: a wrong password
--- http_config eval: main::http(url => '$TEST_NGINX_DB_WRONG')
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1'));

    main::place(id => 'n-1', email => 'n1@example.com', total => '7.00');

    my $deal = B24::Desk::deal('n-1', timeout => 40);
    is($deal->{opportunity}, '7.00', 'from what was captured');

    my $database = main::database();

    is($database->{state}, 'failing', 'the page knows');
    like($database->{reason}, qr/refuses access \(error 1045\)/, 'the cause');
    like($database->{advice}, qr/user, password/, 'the advice');

    my $page = B24::Scenario::get('/b24')->{body};
    like($page, qr/refuses access/, 'people are told');
    like(B24::Scenario::get('/b24?format=prometheus')->{body},
         qr/^b24_database_up\{origin="tested"\} 0$/m, 'programs, too');

    my $log = main::error_log();

    like($log, qr/the database of "tested" is of no help/, 'the log says it');
    unlike($log . $page . JSON::PP::encode_json(B24::Desk::status()), qr/$_/,
           "no $_") for qw(hunter2 b24@shop b24%40shop);



=== TEST 8: nobody there; another site goes on
--- http_config eval: main::http(url => '$TEST_NGINX_DB_MUTE', servers => B24::Crm::named_server('other.test', 'b24_origin other;', 'b24_database $TEST_NGINX_DB connect=1s read=1s;') . B24::Crm::named_server('third.test', 'b24_origin third;', 'b24_database $TEST_NGINX_DB_NOBODY connect=1s read=1s wait=1s;'))
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1'), main::sold(2, 'n-2'));

    main::place(id => 'n-1');

    my $began = Time::HiRes::time();

    ok(order({ host => 'other.test',
               body => '{"id":"n-2"}' }), 'an order of another site');
    ok(order({ host => 'third.test', body =>
               '{"id":"n-3","total":"3.00","email":"n3@example.com"}' }),
       'and of a third');

    my $deal = main::deal_of('n-2');

    ok(Time::HiRes::time() - $began < 10, 'it did not wait for the first');
    like(main::deal_rows($deal), qr/^Кружка/, 'and it is whole');
    B24::Desk::deal('n-3', timeout => 40);

    # but while it is asked for
    ok(wait_until(sub {
        my $record = record('n-1');
        return $record->{state} eq 'waiting'
               && ($record->{cause} // '') =~ /does not answer in time/;
    }, 30), 'the first waits for its own');



=== TEST 26: a server that can't write for a while: the number comes later
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(map { main::sold($_, "n-$_") } 1 .. 2);
    ok(wait_until(sub { main::database()->{state} eq 'ok' }, 30), 'looked');

    $main::db->sql('SET GLOBAL read_only = 1');
    main::place(id => 'n-1');
    B24::Desk::deal('n-1', timeout => 20);

    ok(wait_until(sub {
        my $record = record('n-1');
        return $record->{state} eq 'waiting' && $record->{deal_id}
               && ($record->{cause} // '') =~ /\Q(error 1290)\E/;
    }, 30), 'the number waits') or diag(JSON::PP::encode_json(record('n-1')));
    like(record('n-1')->{advice}, qr/read-only/, 'and says what may be wrong');
    is(main::database()->{state}, 'failing', 'the page knows');

    # it can be read
    main::place(id => 'n-2');
    is(B24::Desk::deal('n-2', timeout => 30)->{opportunity}, '1890.50',
       'another is whole');

    my $errors = main::database()->{error};
    ok(wait_until(sub { main::database()->{error} > $errors + 1 }, 60),
       'it is tried again');
    like(main::database()->{reason}, qr/1290/, 'the page still knows');

    $main::db->sql('SET GLOBAL read_only = 0');
    main::deal_of("n-$_", timeout => 60) for 1, 2;
    is(scalar grep({ $_->[0] } $main::db->rows(
           'SELECT deal IS NOT NULL FROM orders')), 2, 'both are written');
    ok(wait_until(sub { main::database()->{state} eq 'ok' }, 30),
       'and all is well');



=== TEST 27: columns that can't be compared: no order is taken for absent
--- http_config eval: main::http(id => 'response:/id request:/id', database => $main::mixed)
--- config eval: B24::Crm::server()
--- scenario
    main::fresh("INSERT INTO orders (id, number) VALUES (1, 'old')",
        'ALTER TABLE orders MODIFY currency char(3) COLLATE'
        . ' utf8mb4_unicode_ci, MODIFY note varchar(100) COLLATE'
        . ' utf8mb4_general_ci');
    ok(wait_until(sub { main::database()->{state} eq 'ok' }, 30), 'looked');
    sleep 2;

    # one whose answer was not seen, one that is imported, one that passes
    main::place(row => '2', email => 'a@example.com', total => 5,
        items => [{ name => 'Pen', price => 5, quantity => 1 }]);
    $main::db->sql(join(";\n", map { main::sold($_, "n-$_", note => 'RUB') }
                                   2 .. 4), 'shop');
    main::place(id => 'n-4');

    ok(wait_until(sub {
        return 2 == grep { ($_->{cause} // '') =~ /collations/ }
                    @{B24::Desk::status()->{orders}};
    }, 30), 'they wait for the statement');

    # longer than what is not there is waited for
    my $errors = main::database()->{error};
    sleep 5;
    ok(wait_until(sub { main::database()->{error} > $errors + 1 }, 30),
       'and are asked for again');

    B24::Desk::count_is($_, 0, "none is $_") for qw(rejected parked);
    B24::Desk::count_is('unconfirmed', 1, 'nor the one that was not seen');
    is(main::database()->{state}, 'failing', 'the page knows');
    like(main::database()->{reason}, qr/Illegal mix of collations/, 'why');
    like(main::database()->{advice}, qr/COLLATE/, 'and what to do');
    like(main::error_log(), qr/is of no help: .*Illegal mix/, 'so does the log');

    $main::db->sql('ALTER TABLE orders MODIFY note varchar(100) COLLATE'
                   . ' utf8mb4_unicode_ci', 'shop');
    main::deal_of("n-$_", timeout => 60) for 2 .. 4;
    ok(wait_until(sub { main::database()->{state} eq 'ok' }, 30),
       'and all is well');



=== TEST 28: goods whose columns can't be compared are no goods "Goods"
--- http_config eval: main::http(database => $main::statements =~ s/(order_id = :row) ORDER/$1 AND name <> sku ORDER/r)
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1'),
        'ALTER TABLE `lines` MODIFY name varchar(100) COLLATE'
        . ' utf8mb4_unicode_ci, MODIFY sku varchar(40) COLLATE'
        . ' utf8mb4_general_ci');
    main::place(id => 'n-1');

    ok(wait_until(sub {
        return ((record('n-1') // {})->{cause} // '') =~ /collations/;
    }, 30), 'it waits for the statement');
    ok(wait_until(sub { record('n-1')->{state} eq 'waiting' }),
       'as it has nothing else');

    $main::db->sql('ALTER TABLE `lines` MODIFY sku varchar(40) COLLATE'
                   . ' utf8mb4_unicode_ci', 'shop');
    like(main::deal_rows(main::deal_of('n-1', timeout => 60)), qr/^Кружка/,
         'its goods, once they can be read');



=== TEST 9: over TLS
--- http_config eval: main::http(url => '$TEST_NGINX_DB_TLS')
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'n-1'));
    $main::db->sql("ALTER USER 'b24\@shop'\@'%' REQUIRE SSL");

    main::place(id => 'n-1');
    like(main::deal_rows(main::deal_of('n-1')), qr/^Кружка/, 'read');

    $main::db->sql("ALTER USER 'b24\@shop'\@'%' REQUIRE NONE");



=== TEST 10: every captured value is bound
--- http_config eval: main::http(database => $main::all)
--- config eval: B24::Crm::server()
--- scenario
    my @evil = (
        q{x' OR '1'='1}, q{x" OR "1"="1}, q{x'; DROP TABLE orders; -- },
        q{x\\' OR 1=1 -- }, q{1 OR 1=1}, q{1; DELETE FROM orders},
        q{') UNION SELECT user, password FROM mysql.user -- },
        q{` OR 1=1 #}, q{/*! OR 1=1 */}, q{:row}, q{?}, q{%s%n},
        "x\x{27}\x{2019}\x{ff07} OR 1=1", "x\n'; DROP TABLE orders",
        "x\\", "0x27", "\x{1f600}' OR 1=1",
    );

    main::fresh(main::sold(1, 'n-1'));

    my $n = 0;

    for my $evil (@evil) {
        for my $field (qw(id row name phone email comment address status total
                          currency)) {
            main::place(id => 'e-' . ++$n, total => '1.00',
                        email => "e$n\@example.com", name => "Buyer $n",
                        items => [{ name => 'Pen', price => '1.00',
                                    quantity => 1 }],
                        $field => $field eq 'id' ? "$evil $n" : $evil);
        }
    }

    accepted(scalar @evil * 10, timeout => 120);

    my @log = $main::db->log;
    my @prepared = grep { s/^Prepare // } @log;
    my %texts = map { s/\s+/ /gr => 1 } @prepared;

    ok(!grep({ /x'|OR 1=1|DROP|UNION|DELETE/ } @prepared),
       'no value is part of a statement')
        or diag(join "\n", grep { /x'|OR 1=1|DROP|UNION/ } @prepared);

    # of the statement "order" of this shop one text only
    is(scalar(grep { /number = \? OR number = \? OR id = \?/ } keys %texts), 1,
       'it is the same text for all');

    my @executed = grep { /^Execute / && /FROM orders/ && /OR name =/ } @log;

    cmp_ok(scalar @executed, '>=', @evil * 10, 'all were asked for');

    my %seen;

    for my $line (@executed) {
        my $rest = $line =~ s/'(?:[^'\\]|\\.)*'/V/gsr;

        $seen{$rest =~ s/\s+/ /gr}++
            if $rest =~ /UNION|DROP|DELETE|1=1|;|#|--/;
    }

    is_deeply([keys %seen], [], 'and each value is one quoted text');

    is_deeply([grep { !/^Query (?:SET SESSION |$)/ }
               grep { /^Query / } @log], [], 'nothing else was ever sent');
    is_deeply([$main::db->rows('SELECT count(*), max(deal) FROM orders')],
              [[1, 'NULL']], 'the shop is untouched');



=== TEST 11: the real number is the order's before anything is created
--- http_config eval: main::http(id => 'request:/row', times => 'connect=1s read=1s wait=1500ms absent=3s poll=1s traffic=60s')
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(57, 'A-57'), main::sold(58, 'A-58'));

    main::place(row => '57');
    main::place(row => '58abc', email => 'x@example.com', total => '1.00');

    my $deal = main::deal_of('A-57');

    is($deal->{origin_id}, 'A-57', 'the deal has it');
    is(record('57'), undef, 'there is no record of the other');
    is(scalar @{B24::Test::portal()->report->{deals}}, 1, 'one deal so far');

    # the same order once more, by its number
    main::place(row => '57');
    ok(B24::Scenario::wait_until(sub { B24::Desk::count('duplicate') == 1 }),
       'submitted again: a duplicate');

    main::deal_of('58abc');
    is_deeply([$main::db->rows('SELECT deal FROM orders WHERE id = 58')],
              [['NULL']], '"58abc" is not 58');



=== TEST 12: unconfirmed orders settle themselves
--- http_config eval: main::http(id => 'response:/id')
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'A-1'));

    main::place(row => '1', phone => '+79161234567');

    my $deal = main::deal_of('A-1');

    is($deal->{contact}{phones}[0], '+79161234567', 'what was captured stays');
    like(main::deal_rows($deal), qr/^Кружка/, 'the rest is read');
    ok(grep({ /accepted: found in the shop's database/ } timeline_of('A-1')),
       'the timeline tells');

    # once more; not there at all; nothing to ask with
    main::place(row => '1');
    main::place(row => '99');
    main::place(email => 'nobody@example.com');

    ok(B24::Scenario::wait_until(sub {
        B24::Desk::count('duplicate') == 1 && B24::Desk::count('rejected') == 1;
    }, 30), 'one is a duplicate, one is rejected');
    B24::Desk::count_is('unconfirmed', 1, 'one waits for a person');
    is(main::database()->{settled}, 3, 'three are settled');
    is(scalar @{B24::Test::portal()->report->{deals}}, 1, 'one deal');



=== TEST 13: orders that never pass nginx come in, older ones don't
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh();

    # the first poll was before the table was there, or now
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    $main::db->sql(join(";\n", main::sold(1, 'old')), 'shop');
    main::place(id => 'n-2');
    $main::db->sql(join(";\n", main::sold(2, 'n-2'),
                        main::sold(3, 'phone-3')), 'shop');

    my $deal = main::deal_of('phone-3');

    is($deal->{contact}{name}, 'Пётр Базин', 'its buyer');
    like(main::deal_rows($deal), qr/^Кружка/, 'its goods');
    ok(grep({ /from the shop's database/ } timeline_of('phone-3')),
       'the timeline tells where from');

    main::deal_of('n-2');
    main::deal_of('old');

    # many at once, of one moment
    $main::db->sql("INSERT INTO orders (number, name, email, total, currency,"
        . " changed, created) SELECT concat('m-', seq), 'Many',"
        . " concat('m', seq, '\@example.com'), 1, 'RUB', now(), now()"
        . " FROM seq_1_to_430; UPDATE orders SET note = 'again'"
        . " WHERE number LIKE 'm-%'", 'shop');

    ok(B24::Scenario::wait_until(sub { B24::Desk::count('delivered') == 433 },
                                 120), 'all of them')
        or diag(B24::Desk::count('delivered'));

    my %deals;
    $deals{$_->{origin_id}}++ for @{B24::Test::portal()->report->{deals}};

    is(scalar keys %deals, 433, 'each has a deal');
    is_deeply([grep { $deals{$_} > 1 } keys %deals], [], 'only one');
    is(main::database()->{imported}, 432, 'imported but one');

    $main::db->sql(join(";\n", main::sold(1000, 'between')), 'shop');



=== TEST 14: what came between two lives, and nothing twice
--- keep_state
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::deal_of('between');

    # changed, but known or gone: nothing new
    $main::db->sql("UPDATE orders SET note = 'changed'", 'shop');
    sleep 4;

    B24::Desk::count_is('delivered', 434, 'no order is imported again');



=== TEST 15: orders from before the first start are none of ours
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- before
    main::fresh(map { main::sold($_, "old-$_") } 1 .. 3);
--- scenario
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    $main::db->sql(join(";\n", "UPDATE orders SET note = 'changed'",
                        main::sold(9, 'new')), 'shop');
    main::deal_of('new');
    sleep 3;

    B24::Desk::count_is('delivered', 1, 'the others were there before');



=== TEST 16: b24_import off
--- http_config eval: main::http(more => 'b24_import off;')
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::sold(1, 'a-1'));
    sleep 3;
    $main::db->sql(join(";\n", main::sold(2, 'a-2'), main::sold(3, 'a-3')),
                   'shop');
    main::place(id => 'a-2');
    main::deal_of('a-2');
    sleep 3;

    B24::Desk::count_is('delivered', 1, 'only what passes nginx');



=== TEST 17: 1C-Bitrix, current layout: the deal becomes an order property
--- http_config eval: main::http(database => $main::bitrix)
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::bitrix(1));

    main::place(id => '57/2026');
    main::place(id => '58');

    my $deal = main::deal_of('57/2026');

    is($deal->{contact}{name}, 'Иванов Пётр', 'the payer');
    is_deeply($deal->{contact}{phones}, ['+79161234567'], 'the phone');
    is($deal->{opportunity}, '4280.00', 'the total');
    like(main::deal_rows($deal), qr/^Футболка "Лето" 2 x 1990\.00/, 'goods');

    ok(B24::Scenario::wait_until(sub { main::database()->{linked} == 1 }),
       'stored');
    is_deeply([$main::db->rows('SELECT VALUE, CODE, NAME, ORDER_PROPS_ID,'
        . ' ENTITY_ID, ENTITY_TYPE, length(XML_ID) FROM'
        . " b_sale_order_props_value WHERE CODE = 'B24_DEAL_ID'")],
        [[$deal->{id}, 'B24_DEAL_ID', 'Сделка', 20, 57, 'ORDER', 16]],
        'as the shop stores it');

    # the other type of buyer has no such property
    $deal = main::deal_of('58');

    ok(B24::Scenario::wait_until(sub {
        return (record('58')->{cause} // '') =~ /number is not in the shop/;
    }), 'the property is missing: it says so');
    like(record('58')->{advice}, qr/B24_DEAL_ID/, 'and what to do');
    ok(grep({ /no place for the number of a deal/ }
            @{B24::Desk::status()->{portals}[0]{warnings}}),
       'so does the page');



=== TEST 18: 1C-Bitrix, the layout of sale 17
--- http_config eval: main::http(database => $main::bitrix)
--- config eval: B24::Crm::server()
--- scenario
    main::fresh(main::bitrix(0));

    main::place(id => '57/2026');

    my $deal = main::deal_of('57/2026');

    is($deal->{contact}{name}, 'Иванов Пётр', 'the payer');
    ok(B24::Scenario::wait_until(sub { main::database()->{linked} == 1 }),
       'stored');
    is_deeply([$main::db->rows('SELECT VALUE, NAME, ORDER_PROPS_ID FROM'
        . " b_sale_order_props_value WHERE CODE = 'B24_DEAL_ID'")],
        [[$deal->{id}, 'Сделка', 20]], 'as the shop stores it');
    is(main::database()->{state}, 'ok', 'and all is well');



=== TEST 19: orders through nginx and straight into the database at once
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- scenario
    main::fresh();

    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    # more than one poll long; the shop writes an order down before it answers,
    # now and then it is seen only later, or the answer shows no number
    for my $n (1 .. 40) {
        my @rows = map { my $id = 3 * $n + $_;
            join ";\n", 'START TRANSACTION', main::sold($id, ($_ == 2 ? 'o-' : 't-') . $id,
                total => "$id.50", delivery => 0,
                phone => sprintf('+7916%07d', $id),
                email => "b$id\@example.com"), 'COMMIT' } 0 .. 2;
        my $id = 3 * $n;

        $main::db->sql($rows[0], 'shop') if $n % 4;
        $main::db->sql($rows[2], 'shop') if $n % 2;
        main::place($n % 3 ? (id => "t-$id") : (row => $id),
                    address => "Lane $id", total => "$id.50",
                    phone => sprintf('+7916%07d', $id));
        $main::db->sql($rows[0], 'shop') if !($n % 4);
        $main::db->sql($rows[1], 'shop');
        main::place(id => "t-" . ($id + 1));
        $main::db->sql($rows[2], 'shop') if !($n % 2);
    }

    ok(B24::Scenario::wait_until(sub { B24::Desk::count('delivered') == 120 },
                                 120), 'all are delivered')
        or diag(JSON::PP->new->canonical->encode(
            B24::Desk::status()->{portals}[0]));

    # and whatever the polls after it would bring
    sleep 4;

    my %deals;
    push @{$deals{$_->{origin_id}}}, $_
        for @{B24::Test::portal()->report(journal => 0)->{deals}};

    is(join(' ', sort keys %deals),
       join(' ', sort map { ($_ % 3 == 2 ? 'o-' : 't-') . $_ } 3 .. 122),
       'each has a deal');
    is_deeply([grep { @{$deals{$_}} > 1 } keys %deals], [], 'only one');
    is_deeply([grep { my ($id) = /(\d+)/;
        $deals{$_}[0]{opportunity} ne "$id.50"
        || !@{$deals{$_}[0]{rows}} } keys %deals], [], 'whole');

    B24::Desk::count_is($_, 0, "none is $_")
        for qw(unconfirmed parked waiting accepted sending);
    cmp_ok(main::database()->{imported}, '>=', 40, 'those of the shop alone');
    is_deeply([$main::db->rows('SELECT number FROM orders WHERE deal IS NULL')],
              [], 'the shop knows the deals of all');



=== TEST 20: a value is bound wherever it was captured
--- http_config
    b24_queue    $TEST_NGINX_QUEUE;
    b24_origin   tested;
    b24_webhook  $TEST_NGINX_PORTAL_URL;
    b24_retry    first=100ms max=500ms unknown=300ms;
    b24_database $TEST_NGINX_DB;
    b24_import   off;

    b24_shop everywhere {
        session  $cookie_sid;

        collect page {
            uri          /page;
            accept       response:/ok;
            learn        field response:/field;
            company      request:/company;
            second_name  $cookie_second;
            last_name    $http_x_last;
            kpp          query:/kpp;
            inn          header:X-Inn;
        }

        order placed {
            uri         /checkout;
            accept      response:/ok;
            id          header:X-Number;
            row         response:/row;
            first_name  request:/first;
            phone       "request:/p_%{field}";
            email       $cookie_email;
            address     "%{request:/city}, %{query:/street}";
            comment     response:/note;
            status      $http_x_status;
            currency    request:/currency;
            total       request:/total;
            delivery    request:/delivery;
            discount    request:/discount;
            tax         response:/tax;
        }

        database {
            order "SELECT id AS `row`, number AS id FROM orders
                   WHERE number = :number OR number = :id OR id = :row
                   OR name IN (:first_name, :second_name, :last_name)
                   OR phone = :phone OR email = :email
                   OR note IN (:company, :inn, :kpp) OR address = :address
                   OR comment = :comment OR status = :status
                   OR currency = :currency OR total = :total
                   OR delivery IN (:delivery, :discount, :tax)";
            link  "UPDATE orders SET deal = :deal, note = :number
                   WHERE number = :id";
        }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        error_log logs/error.log info;

        location / {
            default_type application/json;
            add_header   X-Number $http_x_number;
            add_header   X-Inn $http_x_inn;
            return 200   $http_x_answer;
        }
    }
--- config
    location = /b24 {
        b24_status;
    }

    location / {
        b24_mirror everywhere;
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
    }
--- scenario
    # all that it takes to leave a quote, with a word to find it by
    my @ends = (q{' OR 1=1 -- }, q{" OR 1=1 #}, q{\\' OR 1=1 -- },
                q{') OR (1=1}, "\xc2\xa0\x{27}/*!", q{\\});
    my ($n, @tags) = (0);
    my $evil = sub {
        my ($what, $end) = @_;

        # what is no amount and no currency isn't taken at all
        push @tags, "TAG$n$what"
            if $what !~ /^(?:currency|total|delivery|discount|tax)$/;
        return "TAG$n$what$end";
    };
    my $coded = sub { $_[0] =~ s/([^\w])/sprintf '%%%02X', ord $1/ger };
    my $json = JSON::PP->new->latin1->canonical;

    main::fresh();

    for my $end (@ends) {
        $n++;
        my @cookies = ('sid=s' . $n, 'second=' . $evil->('second', $end),
                       'email=' . $evil->('email', $end));

        post("/page?kpp=" . $coded->($evil->('kpp', $end)),
             $json->encode({ company => $evil->('company', $end) }),
             'Content-Type' => 'application/json',
             Cookie => CORE::join('; ', @cookies),
             'X-Last' => $evil->('last', $end),
             'X-Inn' => $evil->('inn', $end),
             'X-Answer' => '{"ok":true,"field":"tel_7"}');

        post('/checkout?street=' . $coded->($evil->('street', $end)),
             $json->encode({ first => $evil->('first', $end),
                 p_tel_7 => $evil->('phone', $end),
                 city => $evil->('city', $end),
                 currency => $evil->('currency', $end),
                 total => $evil->('total', $end),
                 delivery => $evil->('delivery', $end),
                 discount => $evil->('discount', $end) }),
             'Content-Type' => 'application/json',
             Cookie => CORE::join('; ', @cookies),
             'X-Number' => $evil->('number', $end),
             'X-Status' => $evil->('status', $end),
             'X-Answer' => $json->encode({ ok => \1,
                 row => $evil->('row', $end), note => $evil->('note', $end),
                 tax => $evil->('tax', $end) }));
    }

    my (@log, @missing);

    wait_until(sub {
        @log = $main::db->log;
        my $all = CORE::join "\n", grep { /^Execute / } @log;
        @missing = grep { index($all, $_) < 0 } @tags;
        return !@missing;
    }, 60);

    is_deeply(\@missing, [], 'each value was asked for');
    is_deeply([grep { !/^Execute / && /TAG\d/ } @log], [],
              'none is part of a statement');
    is_deeply([grep { /TAG\d/ && s/'(?:[^'\\]|\\.)*'/V/gsr =~ /TAG|1=1|--|#|!/ }
               @log], [], 'each is one quoted text');

    # one that is there: what is written
    my $number = q{TAG9number' OR 1=1 -- x};
    $main::db->sql("INSERT INTO orders (number, name) VALUES ("
        . B24::Tables::quoted($number) . ", 'A'), ('other', 'B')", 'shop');
    post('/checkout', $json->encode({ first => 'Anna', total => 5,
             currency => 'RUB' }), 'Content-Type' => 'application/json',
         Cookie => 'sid=s9; email=anna@example.com', 'X-Number' => $number,
         'X-Answer' => '{"ok":true}');

    my $written = sub { [$main::db->rows('SELECT number, note FROM orders'
        . ' WHERE note IS NOT NULL OR deal IS NOT NULL')] };

    ok(wait_until(sub { @{$written->()} }, 60), 'the link is written')
        or diag(CORE::join "\n", grep { /UPDATE orders|TAG9/ } $main::db->log);
    is_deeply($written->(), [[$number, $number]], 'into this order alone');
    is_deeply([grep { !/^Execute / && /TAG\d/ } $main::db->log], [],
              'as values');



=== TEST 21: an order at the head of changes of several pages
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- before
    main::fresh("INSERT INTO orders (number, name, email, total, currency)"
        . " SELECT concat('old-', seq), 'Old', 'old\@example.com', 1, 'RUB'"
        . ' FROM seq_1_to_399');
--- scenario
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    # two full pages of what is old, over twenty minutes
    $main::db->sql(join(";\n", 'START TRANSACTION',
        'UPDATE orders SET changed = now() + INTERVAL 10 + 3 * id SECOND',
        main::sold(1000, 'head'), 'COMMIT'), 'shop');
    main::deal_of('head');

    $main::db->sql(join(";\n", 'START TRANSACTION', main::sold(1001, 'last'),
        'UPDATE orders SET changed = now() + INTERVAL 30 MINUTE'
        . ' WHERE id = 1001', 'COMMIT'), 'shop');
    main::deal_of('last');
    B24::Desk::count_is('delivered', 2, 'and nothing that is old');



=== TEST 22: an order that is dated ahead holds up no other
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- init
    main::fresh();
--- scenario
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    # a clock that was wrong, the hand of an administrator
    $main::db->sql(join(";\n", 'START TRANSACTION', main::sold(1, 'ahead'),
        "UPDATE orders SET changed = '9999-12-31 23:59:59' WHERE id = 1",
        'COMMIT'), 'shop');
    main::deal_of('ahead');

    $main::db->sql(join(";\n", main::sold(2, 'next')), 'shop');
    main::deal_of('next');

    my $asked = () = grep { /^Execute.*changed >= /s } $main::db->log;
    $main::db->sql(join(";\n", main::sold(3, 'one more')), 'shop');
    main::deal_of('one more');
    ok(wait_until(sub {
        $asked + 5 < grep { /^Execute.*changed >= /s } $main::db->log;
    }), 'the changes are asked for again');

    B24::Desk::count_is('delivered', 3, 'each comes');
    is(scalar @{B24::Test::portal()->report(journal => 0)->{deals}}, 3,
       'once');



=== TEST 23: nor does one that was there before the first start
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- before
    main::fresh(main::sold(1, 'old'), main::sold(2, 'ahead'),
        "UPDATE orders SET changed = '9999-12-31 23:59:59' WHERE id = 2");
--- scenario
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    $main::db->sql(join(";\n", "UPDATE orders SET note = 'x' WHERE id = 1",
                        main::sold(3, 'next')), 'shop');
    main::deal_of('next');
    sleep 3;
    B24::Desk::count_is('delivered', 1, 'those are none of ours');



=== TEST 24: the database's clock goes back
--- http_config eval: main::http()
--- config eval: B24::Crm::server()
--- before
    main::fresh();
    $main::db->sql("SET GLOBAL time_zone = '+05:00'");
--- scenario
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    $main::db->sql(join(";\n", main::sold(1, 'before')), 'shop');
    main::deal_of('before');

    # a connection keeps the zone that it was made with
    $main::db->sql("SET GLOBAL time_zone = '+04:00'");
    $main::db->sql("KILL $_->[0]")
        for $main::db->rows('SELECT id FROM information_schema.processlist'
                            . " WHERE user = 'b24\@shop'");

    # what is known has the time that is now
    $main::db->sql("UPDATE orders SET note = 'x'", 'shop');
    sleep 3;
    $main::db->sql(join(";\n", main::sold(2, 'after')), 'shop');
    main::deal_of('after');
    B24::Desk::count_is('delivered', 2, 'each once');
    $main::db->sql('SET GLOBAL time_zone = SYSTEM');



=== TEST 25: an order is read before the shop has written its goods down
--- http_config eval: main::http(database => $main::late)
--- config eval: B24::Crm::server()
--- scenario
    # an order of two mugs, the first and the other to be seen after seconds
    my $sold = sub {
        my ($id, @seconds) = @_;
        my ($order, $line) = main::sold($id, "n-$id", total => '1890.50',
                                        delivery => '300');
        return ($order, map { my $s = $_;
            $line =~ s/sku\)/sku, seen)/r =~ s/, 2, 'mug-1'/, 1, 'mug-$s'/r
                  =~ s/\)\z/, NOW(6) + INTERVAL $s SECOND)/r } @seconds);
    };

    main::fresh('ALTER TABLE `lines` ADD seen datetime(6)');
    ok(B24::Scenario::wait_until(sub { main::database()->{state} eq 'ok' },
                                 30), 'the first look');
    sleep 2;

    $main::db->sql(join(";\n", 'START TRANSACTION', $sold->(1, 5, 5),
                        'COMMIT'), 'shop');
    main::place(row => 1);
    my $deal = main::deal_of('n-1');
    is($deal->{rows_sum}, '1890.50', 'they are waited for');
    like(main::deal_rows($deal), qr/^Кружка.*; Кружка/, 'both');

    $main::db->sql(join(";\n", 'START TRANSACTION', $sold->(2, 0, 0.8),
                        'COMMIT'), 'shop');
    main::place(id => 'n-2');
    like(main::deal_rows(main::deal_of('n-2')), qr/^Кружка.*; Кружка/,
         'as is the second');

    # an imported one
    $main::db->sql(join(";\n", 'START TRANSACTION', $sold->(3, 5, 5),
                        'COMMIT'), 'shop');
    like(main::deal_rows(main::deal_of('n-3')), qr/^Кружка.*; Кружка/,
         'of one that never passed nginx');

    # there are none
    $main::db->sql(join(";\n", $sold->(4)), 'shop');
    main::place(id => 'n-4');
    ok(wait_until(sub { (record('n-4') // {})->{deal_id} }, 60),
       'an order without goods comes');
    $deal = B24::Crm::delivered('n-4');
    is($deal->{opportunity}, '1890.50', 'with its total');
    like($deal->{comments}, qr/database has no goods of the order/,
         'and says so');
