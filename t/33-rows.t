# Rows of deals, field by field as the portal holds them, by both families of
# its methods: what the buyer pays stays to the kopeck, and discounts, taxes,
# units and parts of the total are where a manager would have put them.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::Orders;
use B24::Scenario;
use Encode ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

our $server = B24::Orders::server();

# http{} for classic or universal, and one of b24_product
sub http {
    my ($api, $product) = @_;

    $product //= 'none';

    return <<"EOC" . B24::Orders::SHOP();
    b24_queue   \$TEST_NGINX_QUEUE;
    b24_origin  tested;
    b24_webhook \$TEST_NGINX_PORTAL_URL;
    b24_retry   first=100ms max=500ms unknown=300ms;
    b24_rate    100 burst=5000;
    b24_api     $api;
    b24_product $product;

    b24_shop tested {
        order placed {
            uri       /checkout;
            accept    response:/ok;
            id        request:/id;
            total     request:/total;
            currency  RUB;
            delivery  request:/delivery;
            discount  request:/discount;
            tax       request:/tax;
            items     request:/items {
                name          /name;
                price         /price;
                sum           /sum;
                quantity      /qty;
                discount      /off;
                tax_rate      /vat;
                tax_included  /incl;
                measure       /unit;
                product_id    /id;
                xml_id        /sku;
            }
        }
    }
EOC
}

# A row as the portal tells it, all fields in one line.
sub row_text {
    my ($row) = @_;

    my $text = join ' ', $row->{PRODUCT_NAME},
        "$row->{PRICE} x $row->{QUANTITY}",
        "exclusive $row->{PRICE_EXCLUSIVE} netto $row->{PRICE_NETTO}"
        . " brutto $row->{PRICE_BRUTTO}",
        "off $row->{DISCOUNT_TYPE_ID} $row->{DISCOUNT_RATE}"
        . " $row->{DISCOUNT_SUM}",
        'tax ' . ($row->{TAX_RATE} // '-') . " $row->{TAX_INCLUDED}",
        "unit $row->{MEASURE_CODE} $row->{MEASURE_NAME}",
        "product $row->{PRODUCT_ID} $row->{TYPE} $row->{XML_ID}",
        "sort $row->{SORT} $row->{CUSTOMIZED} $row->{PRICE_ACCOUNT}";

    return Encode::encode_utf8($text);
}

# The same of a row that is wanted: name, price, quantity, and what isn't as
# in a row of these three.
sub row {
    my ($name, $price, $quantity, %other) = @_;

    my $exclusive = $other{exclusive} // $price;
    my $netto = $other{netto} // $exclusive;
    my $brutto = $other{brutto} // $price;

    return join ' ', $name, "$price x $quantity",
        "exclusive $exclusive netto $netto brutto $brutto",
        'off ' . ($other{off} // '2 0.00 0.00'),
        'tax ' . ($other{tax} // '- N'), 'unit ' . ($other{unit} // '796 pcs'),
        'product ' . ($other{product} // '0 1') . ' ', "sort 0 Y $price";
}

# The rows of an order's deal, at the portal.
sub rows_of {
    my ($id, $count) = @_;

    my $deal = B24::Desk::deal($id, rows => $count);
    my $answer = portal()->call('crm.deal.productrows.get',
                                { id => $deal->{id} });

    return ($deal, map { row_text($_) } @{$answer->{result}});
}

my $number = 0;

# Places an order: its items and the rest as JSON; returns its number.
sub placed {
    my ($items, $rest) = @_;

    my $id = 'r-' . ++$number;
    my $body = qq({"id":"$id",$rest,"items":[$items]});
    my $answer = B24::Scenario::post('/checkout', $body,
                                     'Content-Type' => 'application/json');

    die "the shop answers $answer->{status}\n" if $answer->{status} != 200;

    return $id;
}

# Orders, each [label, items, rest, wanted rows, and what the deal's comment is
# to be like unless it is empty].  The rows' sum is the total in kopecks always.
sub rows_are {
    my (@cases) = @_;

    # all of them first: they need not wait for each other
    my @ids = map { placed(@$_[1, 2]) } @cases;

    for my $n (0 .. $#cases) {
        my ($label, undef, $rest, $want, $comment) = @{$cases[$n]};
        my ($deal, @got) = rows_of($ids[$n], scalar @$want);
        my ($total) = $rest =~ /"total":"?([\d.]+)/;

        Test::More::is(join("\n", @got), join("\n", @$want), $label);
        Test::More::is($deal->{rows_sum}, sprintf('%.2f', $total),
                       "$label: $total");
        Test::More::is($deal->{opportunity}, sprintf('%.2f', $total),
                       "$label: the shop's total stays");
        Test::More::like(Encode::encode_utf8($deal->{comments} // ''),
                         $comment // qr/^$/, "$label: the comment");
    }
}


our @discounts = (
    ['none',
     '{"name":"Кружка","price":795,"qty":2}',
     '"total":1990,"delivery":"400.00"',
     [row('Кружка', '795.00', '2.0000'),
      row('Delivery', '400.00', '1.0000')]],
    ['off the piece',
     '{"name":"A","price":795,"qty":2,"off":100}', '"total":1590',
     [row('A', '795.00', '2.0000', netto => '895.00', brutto => '895.00',
          off => '1 11.17 100.00')]],
    ['with a minus and as people write it',
     '{"name":"A","price":"795,00 ₽","qty":2,"off":"-100,00 ₽"}',
     '"total":1590',
     [row('A', '795.00', '2.0000', netto => '895.00', brutto => '895.00',
          off => '1 11.17 100.00')]],
    ['tax inside',
     '{"name":"A","price":100,"off":10,"vat":20}', '"total":100',
     [row('A', '100.00', '1.0000', exclusive => '83.33', netto => '91.67',
          brutto => '110.00', off => '1 9.10 8.34', tax => '20.00 Y')]],
    ['tax on top',
     '{"name":"A","price":100,"off":20,"vat":20,"incl":false}',
     '"total":120',
     [row('A', '120.00', '1.0000', exclusive => '100.00', netto => '120.00',
          brutto => '144.00', off => '1 16.67 20.00', tax => '20.00 N')]],
    ['a present',
     '{"name":"A","price":0,"off":795}', '"total":0',
     [row('A', '0.00', '1.0000', netto => '795.00', brutto => '795.00',
          off => '1 100.00 795.00')]],
    ['a line in two',
     '{"name":"A","sum":10,"qty":3,"off":"0.1667"}', '"total":10',
     [row('A', '3.33', '2.0000', netto => '3.50', brutto => '3.50',
          off => '1 4.86 0.17'),
      row('A', '3.34', '1.0000', netto => '3.50', brutto => '3.50',
          off => '1 4.57 0.16')]],
    ['a fraction made one piece',
     '{"name":"A","price":10.55,"qty":0.333,"off":2}', '"total":3.51',
     [row('A × 0.333', '3.51', '1.0000', netto => '4.18', brutto => '4.18',
          off => '1 16.03 0.67')]],
    ['beyond all columns',
     '{"name":"A","price":1,"off":9999999999999}', '"total":1',
     [row('A', '1.00', '1.0000')]],
    ['no number',
     '{"name":"A","price":1,"off":"from 1 to 2"}', '"total":1.00',
     [row('A', '1.00', '1.0000')],
     qr/^Note: the shop's "item discount" is not a number and was left out$/],
    ['beside the order\'s own',
     '{"name":"A","price":795,"qty":2,"off":100}',
     '"total":1490,"discount":100',
     [row('A', '795.00', '2.0000', netto => '895.00', brutto => '895.00',
          off => '1 11.17 100.00'),
      row('Discount', '-100.00', '1.0000')]],
);

our @zero = map {
    [ "tax $_", qq{{"name":"A","price":100,"vat":$_}}, '"total":100',
      [row('A', '100.00', '1.0000', tax => '0.00 Y')] ]
} '0', '0.0', '0.00', '"0"', '"0%"', '"0 %"', '"0.0000"', '0e0';

our @none = map {
    [ "tax $_", qq{{"name":"A","price":100,"vat":$_}}, '"total":100',
      [row('A', '100.00', '1.0000')] ]
} 'null', 'false', '""', '[]', '2000';

our @twenty = map {
    [ "tax $_", qq{{"name":"A","price":100,"vat":$_}}, '"total":100',
      [row('A', '100.00', '1.0000', exclusive => '83.33',
           tax => '20.00 Y')] ]
} '20', '20.0', '"20"', '"20%"', '"20 %"', '"20,0%"', '0.2', '"0.20"',
  '0.2000', '"НДС 20%"', '19.999999999996';

our @taxes = (
    @zero, @none, @twenty,
    ['less than one percent is a fraction',
     '{"name":"A","price":100,"vat":0.085}', '"total":100',
     [row('A', '100.00', '1.0000', exclusive => '92.17',
          tax => '8.50 Y')]],
    ['one is a percent',
     '{"name":"A","price":101,"vat":1}', '"total":101',
     [row('A', '101.00', '1.0000', exclusive => '100.00',
          tax => '1.00 Y')]],
    ['words',
     '{"name":"A","price":100,"vat":"без НДС"}', '"total":"100.00"',
     [row('A', '100.00', '1.0000')],
     qr/^Note: the shop's "item tax_rate" is not a number and was left out$/],
    ['a net price made gross',
     '{"name":"A","price":100,"qty":3,"vat":20,"incl":"N"}', '"total":360',
     [row('A', '120.00', '3.0000', exclusive => '100.00',
          tax => '20.00 N')]],
    ['with the order\'s tax, which is inside then',
     '{"name":"A","price":100,"qty":3,"vat":20,"incl":"N"}',
     '"total":360,"tax":60',
     [row('A', '120.00', '3.0000', exclusive => '100.00',
          tax => '20.00 N')]],
    ['a price that was gross after all',
     '{"name":"A","price":100,"qty":3,"vat":20,"incl":"N"}', '"total":300',
     [row('A', '100.00', '3.0000', exclusive => '83.33',
          tax => '20.00 Y')]],
    ['0 % on top',
     '{"name":"A","price":100,"vat":0,"incl":"no"}', '"total":100',
     [row('A', '100.00', '1.0000', tax => '0.00 N')]],
    ['net without a rate',
     '{"name":"A","price":100,"incl":"N"}', '"total":120,"tax":20',
     [row('A', '100.00', '1.0000'), row('Tax', '20.00', '1.0000')]],
    ['rounded by piece',
     '{"name":"A","price":33.33,"qty":3,"vat":20,"incl":"N"}',
     '"total":120',
     [row('A', '40.00', '3.0000', exclusive => '33.33',
          tax => '20.00 N')]],
    ['rounded by line: two rows',
     '{"name":"A","price":33.33,"qty":3,"vat":20,"incl":"N"}',
     '"total":119.99',
     [row('A', '39.99', '1.0000', exclusive => '33.33', brutto => '40.00',
          tax => '20.00 N'),
      row('A', '40.00', '2.0000', exclusive => '33.33', tax => '20.00 N')]],
    ['rounded in some other way: a kopeck aside',
     '{"name":"A","price":33.33,"qty":3,"vat":20,"incl":"N"}',
     '"total":119.98',
     [row('A', '39.99', '1.0000', exclusive => '33.33', brutto => '40.00',
          tax => '20.00 N'),
      row('A', '40.00', '2.0000', exclusive => '33.33', tax => '20.00 N'),
      row('Rounding', '-0.01', '1.0000')]],
    ['a rate finer than the portal keeps',
     '{"name":"A","price":1000,"vat":8.875,"incl":"N"}', '"total":1088.75',
     [row('A', '1088.75', '1.0000', exclusive => '999.95',
          tax => '8.88 N')]],
);

our @quantities = (
    (map { my ($text, $unit) = @$_;
           [ "unit $text", qq{{"name":"A","price":890,"qty":0.5,"unit":$text}},
             '"total":445',
             [row('A', '890.00', '0.5000', unit => $unit)] ] }
         ['"шт"', '796 pcs'], ['"Шт."', '796 pcs'], ['"pcs"', '796 pcs'],
         ['"кг"', '166 kg'], ['"КГ."', '166 kg'], ['"kg"', '166 kg'],
         ['"г"', '163 g'], ['"л"', '112 l'], ['"м"', '6 m'],
         ['166', '166 kg'], ['"166"', '166 kg'], ['"006"', '6 m'],
         ['778', '778 '], ['"упак"', '796 pcs'], ['"м²"', '796 pcs'],
         ['0', '796 pcs'], ['null', '796 pcs']),
    ['four places',
     '{"name":"A","price":100,"qty":1.2345}', '"total":123.45',
     [row('A', '100.00', '1.2345')]],
    ['as people write it',
     '{"name":"A","price":"100.00","qty":"1,5 кг"}', '"total":150',
     [row('A', '100.00', '1.5000')]],
    ['five places are one piece',
     '{"name":"A","price":100,"qty":1.23456}', '"total":123.46',
     [row('A × 1.23456', '123.46', '1.0000')]],
    ['no whole kopecks are one piece',
     '{"name":"Сыр","price":10.55,"qty":0.333,"unit":"кг"}', '"total":3.51',
     [row('Сыр × 0.333', '3.51', '1.0000', unit => '166 kg')]],
    ['a line that does not divide',
     '{"name":"A","sum":"10.00","qty":3}', '"total":10',
     [row('A', '3.33', '2.0000'), row('A', '3.34', '1.0000')]],
    ['taken back',
     '{"name":"A","price":10,"qty":2},{"name":"B","price":5,"qty":-1}',
     '"total":15',
     [row('A', '10.00', '2.0000'), row('B', '-5.00', '1.0000')]],
    ['none ordered',
     '{"name":"A","price":10,"qty":2},{"name":"B","price":5,"qty":0}',
     '"total":20', [row('A', '10.00', '2.0000')]],
    ['noise',
     '{"name":"A","price":5969.9999999999,"qty":1.0000000000}',
     '"total":5970', [row('A', '5970.00', '1.0000')]],
);

our @rests = (
    ['a fee', '{"name":"A","price":1000}', '"total":1050',
     [row('A', '1000.00', '1.0000'), row('Fee', '50.00', '1.0000')]],
    ['a discount nobody named', '{"name":"A","price":1000}', '"total":899.99',
     [row('A', '1000.00', '1.0000'), row('Discount', '-100.01', '1.0000')]],
    ['delivery and the order\'s discount', '{"name":"A","price":1000}',
     '"total":1300,"delivery":400,"discount":"-100"',
     [row('A', '1000.00', '1.0000'), row('Delivery', '400.00', '1.0000'),
      row('Discount', '-100.00', '1.0000')]],
    ['a discount inside the prices', '{"name":"A","price":900,"off":100}',
     '"total":900,"discount":100',
     [row('A', '900.00', '1.0000', netto => '1000.00', brutto => '1000.00',
          off => '1 10.00 100.00')]],
    ['free delivery', '{"name":"A","price":1000}',
     '"total":1000,"delivery":0', [row('A', '1000.00', '1.0000')]],
    ['tax on top of all', '{"name":"A","price":1000}',
     '"total":1200,"tax":200',
     [row('A', '1000.00', '1.0000'), row('Tax', '200.00', '1.0000')]],
    ['goods without prices', '{"name":"A","qty":3}',
     '"total":700,"delivery":400',
     [row('A', '0.00', '3.0000'), row('Delivery', '400.00', '1.0000'),
      row('Goods', '300.00', '1.0000')]],
    ['lines rounded, a total rounded otherwise',
     '{"name":"A","price":0.333,"qty":0.5},{"name":"B","price":0.333,'
     . '"qty":0.5}', '"total":0.33',
     [row('A', '0.34', '0.5000'), row('B', '0.34', '0.5000'),
      row('Rounding', '-0.01', '1.0000')]],
    ['noise in the total', '{"name":"A","price":5970}',
     '"total":5969.9999999999', [row('A', '5970.00', '1.0000')], qr/^$/],
    ['a total finer than kopecks', '{"name":"A","price":1000}',
     '"total":1000.004', [row('A', '1000.00', '1.0000')], qr/0\.004/],
    ['nothing given but a name', '{"sku":"SKU-1","price":10},{"price":5}',
     '"total":15',
     [row('SKU-1', '10.00', '1.0000'), row('Item', '5.00', '1.0000')],
     qr/^Note: a row of the shop's items has no name$/],
);


# Numbers and articles of the portal's catalogue, and others; products are those
# by number, then by article.
sub products {
    my ($by) = @_;

    my @product = $by eq 'id' ? ('101 1', '102 1', '999 1', '205 4')
                              : ('102 1', '0 1', '101 1', '0 1');

    return (
        ['products and rows of the order itself',
         '{"name":"A","price":10,"id":101,"sku":"SKU-102"},'
         . '{"name":"B","price":10,"id":"102","sku":"SKU-0"},'
         . '{"name":"C","price":10,"id":999,"sku":"SKU-101","off":5},'
         . '{"name":"D","price":10,"id":"205"},'
         . '{"name":"E","price":10,"id":"E-1","sku":""},'
         . '{"name":"F","price":10,"id":"0"},{"name":"G","price":10}',
         '"total":100,"delivery":50',
         [row('A', '10.00', '1.0000', product => $product[0]),
          row('B', '10.00', '1.0000', product => $product[1]),
          row('C', '10.00', '1.0000', product => $product[2],
              netto => '15.00', brutto => '15.00', off => '1 33.33 5.00'),
          row('D', '10.00', '1.0000', product => $product[3]),
          row('E', '10.00', '1.0000'), row('F', '10.00', '1.0000'),
          row('G', '10.00', '1.0000'), row('Delivery', '50.00', '1.0000'),
          row('Discount', '-20.00', '1.0000')]],
        ['lines in two, and one piece',
         '{"name":"A","sum":10,"qty":3,"id":101,"sku":"SKU-102"},'
         . '{"name":"C","sum":3.51,"qty":0.333,"id":999,"sku":"SKU-101"}',
         '"total":13.51',
         [row('A', '3.33', '2.0000', product => $product[0]),
          row('A', '3.34', '1.0000', product => $product[0]),
          row('C × 0.333', '3.51', '1.0000', product => $product[2])]],
    );
}


# How rows went: "batch" or "direct", of the requests since the first $from.
sub ways {
    my ($from) = @_;

    my @journal = journal();
    my @ways;

    for my $entry (@journal[$from .. $#journal]) {
        my @commands = ref $entry->{params}{cmd} eq 'HASH'
                       ? values %{$entry->{params}{cmd}} : ();

        push @ways, 'direct' if $entry->{method} =~ /productrows?\.set/;
        push @ways, 'batch' if grep { /productrows?\.set\?/ } @commands;
    }

    return join ' ', @ways;
}

# An order of so many rows of eight variables each
sub many {
    my ($count) = @_;

    my (@items, @want, $kopecks);

    for my $n (1 .. $count) {
        my ($price, $off) = ($n * 107, $n * 7);

        push @items, sprintf '{"name":"№ %d $result[d] «&#»","price":%d.%02d,'
            . '"off":%d.%02d,"vat":0,"unit":"кг"}', $n,
            int($price / 100), $price % 100, int($off / 100), $off % 100;
        push @want, [$n, map { sprintf '%d.%02d', int($_ / 100), $_ % 100 }
                             $price, $off, $price + $off];
        $kopecks += $price;
    }

    my $total = sprintf '%d.%02d', int($kopecks / 100), $kopecks % 100;

    return (join(',', @items), qq{"total":"$total"}, \@want);
}

sub many_are {
    my ($count, $way) = @_;

    my ($items, $rest, $want) = many($count);
    my $from = scalar @{portal()->report->{journal}};
    my ($deal, @got) = rows_of(placed($items, $rest), $count);

    # in a batch a reference is made harmless, a direct call expands none
    my $sign = $way eq 'batch' ? '＄' : '$';
    my @want = map {
        my ($n, $price, $off, $before) = @$_;

        row("№ $n ${sign}result[d] «&#»", $price, '1.0000',
            netto => $before, brutto => $before, tax => '0.00 Y',
            unit => '166 kg', off => "1 6.14 $off");
    } @$want;

    Test::More::is(scalar @got, $count, "$count rows");
    Test::More::is(join("\n", @got), join("\n", @want),
                   "$count rows, field by field");
    Test::More::cmp_ok($deal->{rows_sum}, '==', $deal->{opportunity},
                       "$count rows: $deal->{opportunity}");
    Test::More::is(ways($from), $way, "$count rows: by $way");
    Test::More::is(B24::Desk::shown(record($deal->{origin_id})),
                   "$deal->{origin_id} delivered", "$count rows: delivered");
}

sub all_are {
    Test::More::subtest('discounts', sub { rows_are(@discounts) });
    Test::More::subtest('taxes', sub { rows_are(@taxes) });
    Test::More::subtest('quantities', sub { rows_are(@quantities) });
    Test::More::subtest('what remains', sub { rows_are(@rests) });
}

# A difference that is no row is told where people look.
sub difference_is_told {
    my $id = placed('{"name":"A","price":1000}', '"total":"1000.004"');
    my $record = settled($id);

    Test::More::is($record->{state}, 'delivered', 'delivered');
    Test::More::is($record->{cause}, 'the product rows differ from the shop\'s'
                   . ' total by 0.004', 'the record says by how much');
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: rows by crm.deal.productrows.set
--- http_config eval: main::http('classic')
--- config eval: $::server
--- scenario
    main::all_are();
    main::difference_is_told();

    my $methods = join ' ', map { values %{$_->{params}{cmd}} }
                                grep { $_->{kind} eq 'write' } journal();
    like($methods, qr/crm\.deal\.productrows\.set\?/, 'classic');
    unlike($methods, qr/crm\.item\./, 'nothing else');



=== TEST 2: rows by crm.item.productrow.set
--- http_config eval: main::http('universal')
--- config eval: $::server
--- scenario
    main::all_are();
    main::difference_is_told();

    my $methods = join ' ', map { values %{$_->{params}{cmd}} }
                                grep { $_->{kind} eq 'write' } journal();
    like($methods, qr/crm\.item\.productrow\.set\?/, 'universal');
    unlike($methods, qr/crm\.deal\./, 'nothing else');



=== TEST 3: as many rows as a batch carries, and more
--- http_config eval: main::http('classic')
--- config eval: $::server
--- scenario
    main::many_are(118, 'batch');
    main::many_are(119, 'direct');
    main::many_are(700, 'direct');



=== TEST 4: the same by crm.item.productrow.set
--- http_config eval: main::http('universal')
--- config eval: $::server
--- scenario
    main::many_are(118, 'batch');
    main::many_are(119, 'direct');
    main::many_are(700, 'direct');



=== TEST 5: rows of products by id, classic
--- http_config eval: main::http('classic', 'id')
--- config eval: $::server
--- scenario
    main::rows_are(main::products('id'));



=== TEST 6: rows of products by xml_id, classic
--- http_config eval: main::http('classic', 'xml_id')
--- config eval: $::server
--- scenario
    main::rows_are(main::products('xml_id'));



=== TEST 7: rows of products by id, universal
--- http_config eval: main::http('universal', 'id')
--- config eval: $::server
--- scenario
    main::rows_are(main::products('id'));



=== TEST 8: rows of products by xml_id, universal
--- http_config eval: main::http('universal', 'xml_id')
--- config eval: $::server
--- scenario
    main::rows_are(main::products('xml_id'));
