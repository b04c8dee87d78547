# PrestaShop with the preset as it is shipped: the recorded shop bought in
# again, against what its own database knew; and what was not recorded.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 },
                  currencies => [map { { CURRENCY => $_, AMOUNT => '1.0000',
                                         BASE => $_ eq 'RUB' ? 'Y' : 'N' } }
                                     qw(RUB USD EUR GBP BYN PLN CHF CAD)] } },
              upstream => 'prestashop-8.1.2';
use Test::Nginx::Socket;

use B24::Bought;
use B24::Client;
use B24::Desk;
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

our $bought = B24::Bought->load('prestashop-8.1.2');

our $http = B24::Bought::http('prestashop');
our $server = B24::Bought::server('prestashop');

our @buyer = (Cookie => 'PHPSESSID=0123456789abcdef');

sub shop_says {
    my ($target, %answer) = @_;

    B24::Test::upstream()->script(target => $target, times => 1,
        status => 200, %answer);
}

sub redirects {
    my ($target, $where) = @_;

    shop_says($target, status => 302, headers => [['Location', $where]],
              body => '');
}

sub cart {
    my (%option) = @_;

    return {
        products => $option{products},
        totals => {
            total => { amount => $option{total}, value => $option{value} },
            total_including_tax => { amount => $option{total} },
        },
        subtotals => {
            shipping => { amount => $option{shipping} // 0 },
            discounts => $option{discount}
                         ? { amount => $option{discount} } : undef,
        },
    };
}

sub product {
    my ($name, $quantity, $sum, $attributes) = @_;

    return { name => $name, quantity => $quantity, cart_quantity => $quantity,
             total_wt => $sum, price_with_reduction => $sum / $quantity,
             id_product => 5, reference => "REF-$name", rate => 20,
             attributes => $attributes // [] };
}

sub rows_of {
    my ($deal) = @_;

    return join ', ', map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                          @{$deal->{rows}};
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: everything that was recorded
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::bought->play;
    $::bought->deals_are;

    B24::Desk::count_is($_->[0], $_->[1], "$_->[0]: $_->[1]")
        for ['delivered', 4], ['duplicate', 0], ['rejected', 1],
            ['unconfirmed', 0], ['parked', 0];

    # the administration's password passed by
    B24::Bought::nowhere('admin-throwaway');



=== TEST 2: the same, bodies in files, journal in step
--- http_config eval: $::http
--- config eval
'client_body_in_file_only clean; b24_journal sync;' . $::server
--- scenario
    $::bought->play;
    $::bought->deals_are;



=== TEST 3: no friendly URLs, a firm, rubles, a coupon, an account
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::shop_says('controller=cart', headers =>
        [['Content-Type', 'text/html; charset=utf-8']],
        body => JSON::PP->new->utf8->canonical->encode({ success => 1,
            cart => main::cart(total => 2750, shipping => 300,
                discount => 50, value => "2\x{202f}750,00\x{a0}₽", products => [
                    main::product('Футболка', 2, 2000,
                                  { 'Размер' => 'M ' }),
                    main::product('Кружка', 1, 500)]) }));
    post('/index.php?controller=cart', 'id_product=5&action=update', @::buyer);

    main::redirects('controller=order', '/index.php?controller=order')
        for 1 .. 4;
    post('/index.php?controller=order', 'firstname=Anna&lastname=Kim'
         . '&email=kim%40example.com&password=secret-of-anna&submitCreate=1',
         @::buyer);
    post('/index.php?controller=order&id_address=0', 'address1=Lesnaya+5'
         . '&city=Moscow&phone=%2B79160000001&saveAddress=delivery'
         . '&submitAddress=1', @::buyer);
    post('/index.php?controller=order&id_address=0', 'address1=Office+1'
         . '&city=Tula&phone=%2B79990000000&company=Mill&vat_number=7707083893'
         . '&saveAddress=invoice&submitAddress=1', @::buyer);
    post('/index.php?controller=order', 'delivery_message=ring'
         . '&confirmDeliveryOption=1', @::buyer);

    main::redirects('controller=validation', 'http://shop/index.php?'
        . 'controller=order-confirmation&id_cart=7&id_module=30&id_order=12'
        . '&key=x');
    post('/index.php?fc=module&module=ps_wirepayment&controller=validation',
         '', @::buyer);

    my $deal = B24::Desk::deal('12', rows => 4);

    is(main::rows_of($deal), 'Футболка (Размер: M) 1000.00 x 2,'
       . ' Кружка 500.00 x 1, Delivery 300.00 x 1, Discount -50.00 x 1',
       'rows');
    is("$deal->{opportunity} $deal->{currency_id}", '2750.00 RUB', 'total');
    is(join(' ', @{$deal->{contacts}[0]{phones}}), '+79160000001',
       'the phone of the delivery');
    is($deal->{comments}, "ring\nAddress: Moscow, Lesnaya 5", 'the comment');

    my $report = portal()->wait_for(deal => 12, requisites => 1,
                                    journal => 0);
    is("$report->{companies}[0]{title} $report->{requisites}[0]{inn}",
       'Mill 7707083893', 'the firm of the invoice');
    B24::Bought::nowhere('secret-of-anna');



=== TEST 4: who is signed in is told by the page of the checkout
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $json = JSON::PP->new->ascii->canonical->encode({
        cart => main::cart(total => 119, value => 'x', shipping => 7,
            products => [main::product('Mug', 2, 112,
                { Size => 'S', Color => 'White' })]),
        currency => { iso_code => 'EUR' },
        customer => { firstname => 'Анна', lastname => 'Ким',
            email => 'kim@example.com', addresses => {
                5 => { phone => '', phone_mobile => '+49 30 1234567',
                       city => 'Berlin', postcode => '10115',
                       address1 => 'Torstr. 1', company => '' } } } });
    main::shop_says('^/de/bestellung', headers =>
        [['Content-Type', 'text/html; charset=utf-8']],
        body => "<html><script>\nvar prestashop = $json;\n</script>"
                . ('<p>x</p>' x 12_000) . '</html>');
    get('/de/bestellung', @::buyer);
    main::redirects('^/de/module', 'http://shop/de/bestellbestaetigung?'
        . 'id_cart=7&id_module=30&id_order=13&key=x');
    post('/de/module/ps_checkpayment/validation', '', @::buyer);

    my $deal = B24::Desk::deal('13', rows => 2);

    is(main::rows_of($deal), 'Mug (Color: White - Size: S) 56.00 x 2,'
       . ' Delivery 7.00 x 1', 'rows');
    is("$deal->{opportunity} $deal->{currency_id}", '119.00 EUR', 'total');
    is("$deal->{contacts}[0]{name} @{$deal->{contacts}[0]{phones}}",
       'Анна +49301234567', 'the buyer');



=== TEST 5: what is no order
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::redirects('validation', '/order?step=1');
    post('/module/ps_wirepayment/validation', '', @::buyer);
    main::shop_says('validation', body => '<html>no</html>');
    post('/module/ps_wirepayment/validation', '', @::buyer);
    main::redirects('validation', '/order-confirmation?id_order=0');
    post('/module/ps_wirepayment/validation', '', @::buyer);

    ok(wait_until(sub { B24::Desk::count('rejected') == 3 }),
       'three are refused');

    # the confirmation page's address is the buyer's word alone
    main::shop_says('order-confirmation', body => '<div id="order-items">');
    get('/order-confirmation?id_cart=1&id_module=2&id_order=999&key=x',
        @::buyer);
    is(B24::Desk::shown(@{B24::Desk::status()->{orders}}), '', 'no record');



=== TEST 6: the same goods twice in one session
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # a guest fills the forms again; who has an account has the page only
    for my $id (21, 22) {
        main::shop_says('controller=cart', headers =>
            [['Content-Type', 'text/html; charset=utf-8']],
            body => JSON::PP->new->utf8->canonical->encode({ success => 1,
                cart => main::cart(total => 1300, shipping => 300,
                    value => "1\x{202f}300,00\x{a0}₽",
                    products => [main::product('Кружка', 2, 1000)]) }));
        post('/index.php?controller=cart', 'id_product=5&action=update',
             @::buyer);

        main::redirects('controller=order', '/index.php?controller=order')
            for 1, 2;
        post('/index.php?controller=order', 'firstname=Anna&lastname=Kim'
             . '&email=kim%40example.com&submitCreate=1', @::buyer);
        post('/index.php?controller=order&id_address=0', 'address1=Lesnaya+5'
             . '&city=Moscow&phone=%2B79160000001&saveAddress=delivery'
             . '&submitAddress=1', @::buyer);

        main::redirects('controller=validation', 'http://shop/index.php?'
            . "controller=order-confirmation&id_cart=$id&id_module=30"
            . "&id_order=$id&key=x");
        post('/index.php?fc=module&module=ps_wirepayment&controller=validation',
             '', @::buyer);

        my $deal = B24::Desk::deal($id, rows => 2);

        is(main::rows_of($deal), 'Кружка 500.00 x 2, Delivery 300.00 x 1',
           "$id: the goods");
        is("$deal->{opportunity} $deal->{currency_id}"
           . " @{$deal->{contacts}[0]{phones}}", '1300.00 RUB +79160000001',
           "$id: the total and the buyer");
    }

    my $report = portal()->wait_for(deals => 2, stable_ms => 300,
                                    journal => 0);

    is(scalar @{$report->{deals}}, 2, 'two deals');
    is(scalar @{$report->{contacts}}, 1, 'of one buyer');
    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 7: what an amount of the cart tells of its currency
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @shown = (['$12.00', 'USD'], ['US$12.00', 'USD'],
                 ["12,00\x{a0}€", 'EUR'], ['£12.00', 'GBP'],
                 ["12,00\x{a0}Br", 'BYN'], ["12,00\x{a0}BYN", 'BYN'],
                 ["12,00\x{a0}руб.", 'RUB'], ["12,00\x{a0}zł", 'PLN'],
                 ["CHF\x{a0}12.00", 'CHF'], ["12,00\x{a0}\$\x{a0}CA", 'RUB'],
                 ["12,00\x{a0}£", 'CAD', 'CAD']);
    my $id = 30;

    for my $shown (@shown) {
        my ($value, $currency, $code) = @$shown;
        my @buyer = (Cookie => 'PHPSESSID=0123456789abcd' . ++$id);
        my $cart = main::cart(total => 12, value => $value,
                              products => [main::product('Mug', 1, 12)]);

        # the page has a code, which counts
        if ($code) {
            my $page = JSON::PP->new->ascii->encode({ cart => $cart,
                currency => { iso_code => $code } });

            main::shop_says('controller=cart', headers =>
                [['Content-Type', 'text/html; charset=utf-8']],
                body => "<script>var prestashop = $page;</script>");
            get('/index.php?controller=cart', @buyer);
        }

        main::shop_says('controller=cart', headers =>
            [['Content-Type', 'text/html; charset=utf-8']],
            body => JSON::PP->new->utf8->encode({ cart => $cart }));
        post('/index.php?controller=cart', 'id_product=5&action=update',
             @buyer);
        main::redirects('controller=validation', '/index.php?controller='
            . "order-confirmation&id_cart=$id&id_module=30&id_order=$id&key=x");
        post('/index.php?fc=module&module=ps_wirepayment&controller=validation',
             '', @buyer);

        my $deal = B24::Desk::deal($id, rows => 1);
        my $unknown = ($deal->{comments} // '') =~ /"currency" is not a code/;

        is("$deal->{opportunity} $deal->{currency_id}", "12.00 $currency",
           $value);
        is(0 + $unknown, 0 + ($value =~ /CA/), "$value: known, or told of");
    }



=== TEST 8: 1.7: the cookie changes with the answers; two buyers log out
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my %who = (Anna => 1, Boris => 2);
    my $cookie = sub {
        my ($name, $n) = @_;
        return (Cookie => "PrestaShop-ee=$name$n");
    };

    for my $name (sort keys %who) {
        main::shop_says('controller=cart', headers =>
            [['Content-Type', 'text/html; charset=utf-8'],
             ['Set-Cookie', "PrestaShop-ee=${name}2; path=/; HttpOnly"]],
            body => JSON::PP->new->utf8->canonical->encode({ success => 1,
                cart => main::cart(total => 100, shipping => 0,
                    value => "100,00\x{a0}\x{20bd}",
                    products => [main::product("Of$name", 1, 100)]) }));
        post('/index.php?controller=cart', 'id_product=5&action=update',
             $cookie->($name, 1));

        main::redirects('controller=order', '/index.php?controller=order');
        post('/index.php?controller=order', "firstname=$name&lastname=Kim"
             . "&email=$name%40example.com&submitCreate=1",
             $cookie->($name, 2));

        main::shop_says('logout', status => 302, body => '', headers =>
            [['Location', '/'], ['Set-Cookie', 'PrestaShop-ee=deleted;'
              . ' expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/']]);
        get('/?logout=1', $cookie->($name, 2));
    }

    # one of them pages back and goes on, then the other
    for my $name (sort keys %who) {
        my $id = 30 + $who{$name};
        main::redirects('controller=validation', 'http://shop/index.php?'
            . "controller=order-confirmation&id_cart=1&id_module=30"
            . "&id_order=$id&key=x");
        post('/index.php?fc=module&module=ps_wirepayment'
             . '&controller=validation', '', $cookie->($name, 2));

        my $deal = B24::Desk::deal($id, rows => 1);
        is(main::rows_of($deal), "Of$name 100.00 x 1", "$name: the goods");
        is($deal->{contacts}[0]{name}, $name, "$name: the buyer");
    }



=== TEST 9: controllers of modules that end in the confirmation
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $id = 100;

    for my $target ('/module/paypal/ecValidation',
        '/index.php?fc=module&module=paypal&controller=ecValidation',
        '/de/module/stripe_official/orderSuccess', '/module/mollie/return',
        '/module/cashondeliveryplus/payment', '/module/my-pay/validation',
        '/module/my-way/check-result', '/module/bankwire/actions',
        '/?fc=module&module=bankwire&controller=actions')
    {
        $id++;
        main::redirects(quotemeta $target, 'http://shop/index.php?controller='
            . "order-confirmation&id_cart=$id&id_module=30&id_order=$id&key=x");
        get($target, @::buyer);
        is(B24::Desk::deal($id)->{title}, "Order #$id", $target);
    }

    # an address without the cart is another page of an order
    main::redirects('orderreturn', '/index.php?controller=order-detail'
                    . '&id_order=101');
    post('/module/returns/orderreturn', '', @::buyer);
    B24::Desk::count_is('rejected', 1, 'a page of an order');

    # what scripts and banks ask for is not looked at
    for my $target ('/module/ps_shoppingcart/ajax', '/module/paypal/ajaxOrder',
        '/module/paypal/webhook', '/index.php?fc=module&module=paypal'
        . '&controller=ipn', '/module/productcomments/ListComments',
        '/index.php?fc=module&module=stripe&controller=ajaxPayment')
    {
        main::redirects('.', 'http://shop/index.php?controller='
            . 'order-confirmation&id_cart=999&id_order=999&key=x');
        get($target, @::buyer);
    }

    main::redirects('validation', '/order');
    get('/module/paypal/validation', @::buyer);
    B24::Desk::count_is('rejected', 2, 'only the last one');
    B24::Desk::count_is('delivered', 9, 'nothing else is an order');



=== TEST 10: nothing to pay
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $confirmed = sub {
        my ($id) = @_;
        return 'http://shop/index.php?controller=order-confirmation'
               . "&id_cart=9&id_module=-1&id_order=$id&key=x";
    };

    main::shop_says('controller=cart', headers =>
        [['Content-Type', 'text/html; charset=utf-8']],
        body => JSON::PP->new->utf8->canonical->encode({ success => 1,
            cart => main::cart(total => 0, discount => 500,
                value => "0,00\x{a0}₽", products => [
                    main::product('Кружка', 1, 500)]) }));
    post('/index.php?controller=cart', 'id_product=5&action=update', @::buyer);

    # not all conditions are met
    main::redirects('free_order', '/order');
    post('/order-confirmation?free_order=1', '', @::buyer);
    B24::Desk::count_is('rejected', 1, 'back to the checkout');

    main::redirects('free_order', $confirmed->(501));
    post('/order-confirmation?free_order=1', '', @::buyer);
    my $deal = B24::Desk::deal(501, rows => 2);
    is(main::rows_of($deal), 'Кружка 500.00 x 1, Discount -500.00 x 1',
       'the goods');
    is($deal->{opportunity}, '0.00', 'for nothing');

    my @other = (Cookie => 'PHPSESSID=fedcba9876543210');
    main::redirects('free_order', $confirmed->(502));
    get('/index.php?controller=order-confirmation&free_order=1', @other);
    is(B24::Desk::deal(502)->{title}, 'Order #502', 'no friendly URLs');
    main::redirects('free_order', $confirmed->(503));
    get('/de/bestellbestaetigung?free_order=1', @other);
    is(B24::Desk::deal(503)->{title}, 'Order #503', 'in another language');

    # the page alone
    main::redirects('order-confirmation', $confirmed->(504));
    get('/order-confirmation?id_order=504&free_order=0', @other);
    main::redirects('order-confirmation', $confirmed->(504));
    get('/order-confirmation?id_order=504', @other);
    B24::Desk::count_is('delivered', 3, 'is no order');



=== TEST 11: an account with several addresses: the chosen one
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $page = sub {
        my ($chosen, $form) = @_;

        my $cart = main::cart(total => 112, shipping => 0,
                              products => [main::product('Mug', 2, 112)]);
        @$cart{keys %$chosen} = values %$chosen;

        my $json = JSON::PP->new->ascii->canonical->encode({ cart => $cart,
            currency => { iso_code => 'EUR' },
            customer => { firstname => 'Anna', lastname => 'Kim',
                email => 'kim@example.com', addresses => {
                    5 => { id => 5, phone => '+49 30 1111111', city => 'Berlin',
                           postcode => '10115', address1 => 'Torstr. 1',
                           company => '' },
                    7 => { id => 7, phone_mobile => '+49 30 7777777', phone => '',
                           city => 'Ulm', address1 => 'Hof 7', postcode => '',
                           company => 'Mill' },
                    9 => { id => 9, phone => '+49 30 9999999',
                           city => 'Bonn', postcode => '99999', address1 => 'Weg 9',
                           company => 'Firm 9' } } } });

        main::shop_says('^/order', headers =>
            [['Content-Type', 'text/html; charset=utf-8']], body => '<html>'
            . join('', map { my $name = $_; map { qq(<input type="radio"\n)
                . qq( name="$name"\n value="$_") . ($_ == $form->{$name}
                ? ' checked >' : ' >') } 5, 7, 9 } sort keys %$form)
            . "<script>\nvar prestashop = $json;\n</script></html>");
        get('/order', @::buyer);
    };
    my $choose = sub {
        main::redirects('^/order', '/order');
        post('/order', "$_[0]&confirm-addresses=1", @::buyer);
    };
    my $id = 700;
    my $shown = sub {
        $id++;
        main::redirects('^/module', 'http://shop/order-confirmation?'
            . "id_cart=7&id_module=30&id_order=$id&key=x");
        post('/module/ps_checkpayment/validation', '', @::buyer);

        my $deal = B24::Desk::deal($id);
        my $firm = $deal->{company_id} && (grep { $_->{id}
            == $deal->{company_id} } @{portal()->report->{companies}})[0];

        return join '; ', @{$deal->{contacts}[0]{phones}}[-1],
                          $deal->{comments}, $firm ? $firm->{title} : ();
    };

    # 1.7: the variable has it
    $page->({ id_address_delivery => 9, id_address_invoice => 9 }, {});
    $choose->('id_address_delivery=5&id_address_invoice=5');
    $page->({ id_address_delivery => 5, id_address_invoice => 5 }, {});
    is($shown->(), '+49301111111; Address: 10115, Berlin, Torstr. 1',
       '1.7: no firm');

    $page->({ id_address_delivery => 5, id_address_invoice => 7 }, {});
    is($shown->(), '+49301111111; Address: 10115, Berlin, Torstr. 1; Mill',
       '1.7: another one for the invoice');

    # 8: the form has it
    $page->({}, { id_address_delivery => 7 });
    is($shown->(), '+49307777777; Address: Ulm, Hof 7; Mill', '8: the form');

    $page->({ id_address_delivery => 0 },
            { id_address_delivery => 5, id_address_invoice => 9 });
    like($shown->(), qr/; Address: 10115, Berlin, Torstr. 1; Firm 9$/,
         '8: another one for the invoice');

    # chosen long ago, and once more
    $page->({}, { id_address_delivery => 5 });
    like($shown->(), qr/; Address: 10115, Berlin, Torstr. 1$/, '8: again');

    # a theme without such a form
    $page->({}, {});
    like($shown->(), qr/; Address: 99999, Bonn, Weg 9; Firm 9$/, 'the last');



=== TEST 12: the sum of a line goes before the price of one
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $cart = main::cart(total => 100, shipping => 0,
        value => "100,00\x{a0}\x{20ac}",
        products => [main::product('Mug', 4, 100)]);
    $cart->{products}[0]{price_with_reduction} = 24;

    main::shop_says('controller=cart', headers =>
        [['Content-Type', 'application/json']],
        body => JSON::PP->new->utf8->canonical->encode({ success => 1,
            cart => $cart }));
    post('/index.php?controller=cart', 'id_product=5&action=update', @::buyer);

    my @other = (Cookie => 'PHPSESSID=fedcba9876543210');
    my $json = JSON::PP->new->ascii->canonical->encode({ cart => $cart,
        currency => { iso_code => 'EUR' } });
    main::shop_says('controller=cart', body => "<html><script>var prestashop ="
        . " $json;</script></html>", headers => [['Content-Type',
        'text/html; charset=utf-8']]);
    get('/index.php?controller=cart', @other);

    for (['801', 'an answer of the cart', @::buyer],
         ['802', 'a page of the cart', @other])
    {
        my ($id, $what, @who) = @$_;

        main::redirects('^/module', "http://shop/order-confirmation?id_cart=$id"
            . "&id_module=30&id_order=$id&key=x");
        post('/module/ps_checkpayment/validation', '', @who);
        is(main::rows_of(B24::Desk::deal($id, rows => 1)), 'Mug 25.00 x 4',
           $what);
    }
