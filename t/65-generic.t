# The preset for any other shop, as it is and adapted; the examples of
# docs/shops.md.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Bought;
use B24::Client;
use B24::Desk;
use B24::Recording;
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

our $common = B24::Bought::http();
our $http = B24::Bought::http('generic');
our $server = B24::Bought::server('generic');

# The configuration of docs/shops.md that defines a shop.
sub documented {
    my ($shop) = @_;

    my ($text) = B24::Recording::read_file('docs/shops.md')
        =~ /^```nginx http\n((?:(?!^```).)*^b24_shop \Q$shop\E .*?)^```/ms
        or die "docs/shops.md has no $shop\n";

    return $text;
}

# The preset with what is commented out of numbers 9 to 11, as a newcomer has it.
sub adapted {
    my $text = B24::Recording::read_file(
        'ngx_http_b24_module/shops/generic.conf');

    my @parts = split /^(?=    # (?:session|\(10\)|stage|\(11\)|write) )/m, $text;

    @parts == 7 or die "there is nothing to adapt\n";

    s/^    # ?/    /mg for @parts[1, 3, 4, 6];
    $text = join '', @parts;

    return $text =~ s/b24_shop generic/b24_shop myshop/r;
}

sub shop_says {
    my ($target, $body, %option) = @_;

    $body = JSON::PP->new->utf8->encode($body) if ref $body;

    B24::Test::upstream()->script(target => $target, times => 1, body => $body,
        status => $option{status} // 200, headers =>
        [['Content-Type', $option{type} // 'application/json'],
         @{$option{headers} // []}]);
}

sub json {
    return (JSON::PP->new->utf8->encode($_[0]), 'Content-Type',
            'application/json');
}

sub shown {
    my ($id, %want) = @_;

    my $deal = B24::Desk::deal($id, %want);
    my $contact = $deal->{contacts}[0] // {};

    return join '; ', join(' ', grep { defined && length }
                                     @$contact{qw(name last_name)}),
        @{$contact->{phones} // []}, @{$contact->{emails} // []},
        "$deal->{opportunity} $deal->{currency_id}",
        map { "$_->{product_name} $_->{price} x $_->{quantity}" }
            @{$deal->{rows}};
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: as it stands: a form with a redirect, and JSON
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::shop_says('^/checkout', '', status => 302,
        headers => [['Location', '/thanks?order=A-17%2F26']]);
    post('/checkout', 'name=Anna+Kim&phone=%2B79160000001'
         . '&email=kim%40example.com&total=1+390%2C50&password=secret-of-anna'
         . '&items[0][name]=Tea&items[0][price]=495.25&items[0][qty]=2'
         . '&items[1][name]=Jam&items[1][price]=400&items[1][qty]=1');
    is(main::shown('A-17/26', rows => 2), 'Anna Kim; +79160000001;'
       . ' kim@example.com; 1390.50 RUB; Tea 495.25 x 2; Jam 400.00 x 1',
       'the form');

    main::shop_says('^/api/orders/new', { success => JSON::PP::true,
        order => { id => 18 } }, status => 201);
    post('/api/orders/new', main::json({ customer => { name => 'Пётр',
        phone => '8 916 000-00-02' }, total => 700, currency => 'EUR',
        delivery => { price => 100 }, items => [
            { title => 'Чай', cost => 200, count => 3, sku => 'T' }] }));
    is(main::shown('18', rows => 2), 'Пётр; +79160000002; 700.00 EUR;'
       . ' Чай 200.00 x 3; Delivery 100.00 x 1', 'JSON');

    B24::Bought::nowhere('secret-of-anna');



=== TEST 2: as it stands: objects where a text is looked for, cards in them
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $card = '4111111111111111';
    my %card = (card => $card, cvv => '987', holder => 'ANNA-KIM-OF-CARD');

    main::shop_says('^/api/orders/new', { id => 21, number => { %card } });
    post('/api/orders/new', main::json({ name => { %card }, fio => 'Anna',
        phone => '+79160000001', email => { %card },
        comment => { %card }, note => 'call', address => { %card },
        company => [{ %card }], total => { %card }, currency => { %card },
        items => [{ name => { %card }, title => 'Tea', price => 100,
                    sku => { %card } }] }));
    is(main::shown('21', rows => 1), 'Anna; +79160000001; 100.00 RUB;'
       . ' Tea 100.00 x 1', 'what was meant is found');

    main::shop_says('^/checkout', { id => 22 });
    post('/checkout', "name[card]=$card&name[holder]=ANNA-KIM-OF-CARD"
         . "&phone=%2B79160000003&address[0]=Lesnaya&address[1]=5"
         . "&comment[card]=$card&comment[text]=call&total=5");
    is(main::shown('22'), '+79160000003; +79160000003; 5.00 RUB', 'a form');
    like(B24::Desk::deal('22')->{comments}, qr/Lesnaya, 5/, 'a list of it');

    B24::Bought::nowhere($card, 'ANNA-KIM-OF-CARD');



=== TEST 3: as it stands: what is no order
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    for my $answer ({ error => 'no stock' }, { success => JSON::PP::false },
                    { success => 'N', id => 5 }) {
        main::shop_says('^/checkout', $answer);
        post('/checkout', 'name=Anna&phone=%2B79160000001');
    }
    main::shop_says('^/checkout', { id => 5 }, status => 422);
    post('/checkout', 'name=Anna&phone=%2B79160000001');

    ok(wait_until(sub { B24::Desk::count('rejected') == 4 }),
       'four are refused');

    # a search, a login, the page itself
    main::shop_says('.', { id => 5 }) for 1 .. 3;
    post('/search', 'phone=x');
    post('/checkout', 'login=anna&password=x');
    get('/checkout?phone=x');
    is(B24::Desk::shown(@{B24::Desk::status()->{orders}}), '', 'no record');
    B24::Desk::count_is('rejected', 4, 'nothing else is refused');



=== TEST 4: adapted: a name of its own, and the cart from an earlier request
--- http_config eval: $::common . main::adapted()
--- config eval: B24::Bought::server('myshop')
--- scenario
    my @buyer = (Cookie => 'PHPSESSID=abc');

    main::shop_says('^/cart/show', { total => 500, items => [
        { name => 'Tea', price => 250, quantity => 2 }] });
    get('/cart/show', @buyer);
    main::shop_says('^/checkout', { id => 7 });
    post('/checkout', 'name=Anna&phone=%2B79160000001', @buyer);

    is(main::shown('7', rows => 1),
       'Anna; +79160000001; 500.00 RUB; Tea 250.00 x 2', 'the cart');

    main::shop_says('^/admin/orders', { success => 1 });
    post('/admin/orders', 'id=7&status=paid');
    B24::Desk::stage_is('7', 'PREPARATION', 'a status');
    main::shop_says('^/admin/orders', { success => 1 });
    post('/admin/orders', 'ids[]=7&ids[]=8&status=done');
    B24::Desk::stage_is('7', 'WON', 'one of several orders');



=== TEST 5: an heir of five lines
--- http_config eval
$::http . <<'EOC'
    b24_shop mine : generic {
        order place {
            uri     /shop/buy.php;
            when    request:/do =buy;
            id      response: ~nr\.(\d+);
            name    request:/kunde;
            accept  response: ~Danke;
        }
    }
EOC
--- config eval: B24::Bought::server('mine')
--- scenario
    main::shop_says('^/shop/buy', '<p>Danke, nr.812</p>', type => 'text/html');
    post('/shop/buy.php', 'do=buy&kunde=Zoe&email=zoe%40example.com'
         . '&total=10&currency=EUR');
    is(main::shown('812'), 'Zoe; zoe@example.com; 10.00 EUR', 'the order');



=== TEST 6: Magento 2, as in docs/shops.md
--- http_config eval: $::common . main::documented('magento')
--- config eval: B24::Bought::server('magento')
--- scenario
    my $mask = 'Xy01234567890123456789012345678z';
    my $base = "/rest/default/V1/guest-carts/$mask";
    my $address = { firstname => 'Пётр', lastname => 'Иванов',
        telephone => '+7 916 000-00-03', street => ['Тверская 1', 'кв. 2'],
        city => 'Москва', postcode => '101000', countryId => 'RU',
        company => 'ООО «Ромашка»', vatId => '7707083893' };
    my $totals = { grand_total => 4230, shipping_amount => 250,
        shipping_incl_tax => 300, discount_amount => -50, tax_amount => 0,
        base_currency_code => 'RUB', quote_currency_code => 'RUB',
        items => [{ item_id => 7, name => 'Футболка', qty => 2,
                    price => 1658.33, price_incl_tax => 1990,
                    row_total => 3316.66, tax_percent => 20 }] };

    main::shop_says('shipping-information', { payment_methods => [],
        totals => $totals });
    post("$base/shipping-information", main::json({
        addressInformation => { shipping_address => $address } }));

    # a change of the way of payment is no order
    main::shop_says('set-payment-information', 'true');
    post("$base/set-payment-information", main::json({ email => 'x' }));

    main::shop_says('/payment-information', { message => 'No %1',
        parameters => [] }, status => 400);
    main::shop_says('/payment-information', '"12"');
    post("$base/payment-information", main::json({ cartId => $mask,
        email => 'p@example.com', billingAddress => $address,
        paymentMethod => { method => 'checkmo' } })) for 1, 2;

    is(main::shown('12', rows => 3), 'Пётр Иванов; +79160000003;'
       . ' p@example.com; 4230.00 RUB; Футболка 1990.00 x 2;'
       . ' Delivery 300.00 x 1; Discount -50.00 x 1', 'a guest');
    B24::Desk::count_is('rejected', 1, 'the refused one');

    my $report = portal()->wait_for(deal => 12, requisites => 1,
                                    journal => 0);
    is($report->{companies}[0]{title}, 'ООО «Ромашка»', 'the firm');
    is($report->{deals}[0]{comments},
       'Address: 101000, Москва, Тверская 1, кв. 2', 'the address');

    # who is signed in: no e-mail, a number without quotes, another session
    my @buyer = (Cookie => 'PHPSESSID=abc');
    main::shop_says('totals-information', { %$totals, grand_total => 3980,
        discount_amount => 0, shipping_amount => 0 });
    post('/rest/V1/carts/mine/totals-information', main::json({}), @buyer);
    main::shop_says('/payment-information', '13');
    post('/rest/V1/carts/mine/payment-information', main::json({
        billingAddress => $address }), @buyer);
    like(main::shown('13', rows => 1), qr/3980\.00 RUB; Футболка 1990\.00 x 2/,
         'who is signed in');



=== TEST 7: the heir of docs/shops.md
--- http_config eval
$::common . (main::documented('mysite') =~ s{b24/}{$ENV{TEST_NGINX_PRESETS}/}r)
--- config eval: B24::Bought::server('mysite')
--- scenario
    main::shop_says('ajax', '{"order":{"ID":"57","REDIRECT_URL":'
                    . '"\/?ORDER_ID=57"}}');
    post('/bitrix/components/bitrix/sale.order.ajax/ajax.php',
         'soa-action=saveOrderAjax&ORDER_PROP_42=8+916+000-00-04');
    is(main::shown('57'), '+79160000004; +79160000004; 0.00 RUB',
       'the phone of its own property');



=== TEST 8: as it stands: a checkout of several pages
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $goes = sub {
        my ($from, $to, $who) = @_;

        main::shop_says('.', '', status => 302,
                        headers => [['Location', $to]]);
        post($from, "name=Buyer$who&phone=%2B7916000000$who&total=5");
    };

    for my $who (1, 2) {
        $goes->('/checkout', $_, $who) for '/order/step2', '/order/step-2/',
            '/login?back=%2Forder%2F12&id=checkout', '/sign-in?order=7',
            '/cart/', 'http://shop/checkout/step_3?id=4#top';
        B24::Desk::count_is('rejected', 6 * $who, "$who: none is an order");

        # where nobody can tell, a person is asked
        $goes->('/checkout', '/order/payment?id=address2', $who);
        B24::Desk::count_is('unconfirmed', $who, "$who: no number");

        $goes->('/order/step2', $_->[0], $who)
            for ["/thanks?order=A-$who"], ["/order/order-5$who/?from=login"],
                ["/success/RU$who"], ["/thanks?id=2$who"];
        like(main::shown($_), qr/^Buyer$who;/, "number $_")
            for "A-$who", "order-5$who", "RU$who";
        is((split /;/, main::shown("2$who"))[0], "Buyer$who", "a number alone");
    }
