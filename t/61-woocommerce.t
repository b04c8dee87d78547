# WooCommerce with the preset as it is shipped: the recorded shop bought in
# again, against what its own database knew; and what was not recorded.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 },
                  currencies => [map { { CURRENCY => $_, AMOUNT => '1.0000',
                                         BASE => $_ eq 'EUR' ? 'Y' : 'N' } }
                                     qw(RUB EUR GIP CAD KWD)] } },
              upstream => 'woocommerce-9.9.5';
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

our $bought = B24::Bought->load('woocommerce-9.9.5');

our $http = B24::Bought::http('woocommerce');
our $server = B24::Bought::server('woocommerce');

# One answer of the shop, as JSON, to requests of a target.
sub shop_says {
    my ($target, $data, %option) = @_;

    B24::Test::upstream()->script(target => $target, times => 1,
        headers => [['Content-Type', 'application/json; charset=UTF-8'],
                    @{$option{headers} // []}],
        status => $option{status} // 200,
        body => JSON::PP->new->utf8->encode($data));
}

our @buyer = (Cookie => 'wp_woocommerce_session_3bc635ab=t_1%7C%7C17%7C%7Cab');

sub money {
    return (currency_code => 'RUB', currency_minor_unit => 2);
}

# A cart of the Store API with lines [id, name, quantity, price in kopecks,
# variation values].
sub cart {
    my ($total, @lines) = @_;

    return {
        items => [map { {
            id => $_->[0], name => $_->[1], quantity => $_->[2],
            sku => "SKU-$_->[0]",
            variation => [map { { attribute => 'a', value => $_ } }
                              @$_[4 .. $#$_]],
            prices => { price => "$_->[3]", money() },
        } } @lines],
        totals => { total_price => "$total->{price}",
                    total_shipping => $total->{shipping} // '0',
                    total_discount => $total->{discount} // '0',
                    total_tax => $total->{tax} // '0', money() },
    };
}

# The table of the shortcode checkout as its script asks for it: amounts as the
# shop prints them, rows [name, quantity, sum].
sub review {
    my ($total, @lines) = @_;

    my $amount = sub {
        return '<span class="woocommerce-Price-amount amount"><bdi>'
            . "$_[0]</bdi></span>";
    };

    my $html = join '', '<table class="shop_table'
        . ' woocommerce-checkout-review-order-table"><tbody>',
        (map { qq{<tr class="cart_item">\n<td class="product-name">$_->[0]}
               . '&nbsp;<strong class="product-quantity">&times;&nbsp;'
               . qq{$_->[1]</strong></td>\n<td class="product-total">}
               . $amount->($_->[2]) . '</td></tr>' } @lines),
        '</tbody><tfoot><tr class="order-total"><th>Total</th><td><strong>',
        $amount->($total), '</strong></td></tr></tfoot></table>';

    shop_says('wc-ajax=update_order_review', { result => 'success',
        fragments => { '.woocommerce-checkout-review-order-table' => $html } });
    B24::Scenario::post('/?wc-ajax=update_order_review', 'country=RU', @buyer);
}

# A shortcode checkout; returns the deal in short and its comments.
sub bought_classic {
    my ($id) = @_;

    shop_says('wc-ajax=checkout', { result => 'success', order_id => $id });
    B24::Scenario::post('/?wc-ajax=checkout', 'billing_first_name=Anna'
        . '&billing_phone=%2B79160000001', @buyer);

    my $deal = B24::Desk::deal($id);

    return (join('; ', "$deal->{opportunity} " . ($deal->{currency_id} // ''),
                 map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                     @{$deal->{rows}}),
            $deal->{comments} // '');
}

sub address {
    my (%more) = @_;

    return { first_name => 'Анна', last_name => 'Ким', phone =>
             '+7 916 000-00-01', email => 'kim@example.com', city => 'Москва',
             address_1 => 'Лесная, 5', company => '', %more };
}

# The rows of an order's deal: "Cup x2 35, ...".
sub rows {
    my ($id) = @_;

    return join ', ', map { sprintf '%s x%g %g', @$_{qw(product_name quantity
                            price)} } @{B24::Desk::deal($id)->{rows}};
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: everything that was recorded
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::bought->play;

    my $report = $::bought->deals_are;

    is(scalar @{$report->{contacts}}, 4, 'four people bought');
    B24::Desk::count_is($_->[0], $_->[1], "$_->[0]: $_->[1]")
        for ['delivered', 11], ['duplicate', 1], ['rejected', 2],
            ['unconfirmed', 0], ['parked', 0];



=== TEST 2: the block checkout alone, answers in gzip, bodies in files
--- http_config eval: $::http
--- config eval
"gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;
client_body_in_file_only clean; b24_journal sync;" . $::server
--- scenario
    $::bought->play(filter => sub { $_[0]{name} =~ /-block-/ });
    $::bought->deals_are(qr/^block/);



=== TEST 3: the shortcode checkout alone: two orders of one double submit
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::bought->play(filter => sub { $_[0]{name} =~ /-classic-/ });
    $::bought->deals_are(qr/^classic/);

    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 4: no friendly URLs, several attributes, a password
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::shop_says('wc/store/v1/cart', main::cart(
        { price => 350000, shipping => '30000', discount => '10000' },
        [7, 'Кружка', 2, 100000, 'L', 'синяя'],
        [8, 'Ложка', 1, 130000, 'a', 'b', 'c']));
    get('/index.php?rest_route=/wc/store/v1/cart', @::buyer);

    main::shop_says('wc/store/v1/checkout', {
        order_id => 77, order_number => 'W-77', status => 'pending',
        payment_result => { payment_status => 'pending' } });

    my $body = JSON::PP->new->utf8->encode({
        billing_address => main::address(company => 'ООО «Ромашка»'),
        create_account => JSON::PP::true,
        customer_password => 'secret-of-anna',
        payment_data => [{ key => 'card', value => '4111111111111111' }],
        customer_note => 'звонить' });
    post('/?rest_route=/wc/store/v1/checkout', $body, @::buyer,
         'Content-Type' => 'application/json');

    my $deal = B24::Desk::deal('W-77', rows => 4);

    is(join(', ', map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                      @{$deal->{rows}}),
       'Кружка - L, синяя 1000.00 x 2, Ложка - a, b, c 1300.00 x 1,'
       . ' Delivery 300.00 x 1, Discount -100.00 x 1', 'rows');
    is("$deal->{opportunity} $deal->{rows_sum}", '3500.00 3500.00', 'total');
    is($deal->{contacts}[0]{name}, 'Анна', 'the buyer');
    isnt($deal->{company_id}, 0, 'the firm');
    B24::Bought::nowhere('secret-of-anna', '4111111111111111');



=== TEST 5: the same goods twice in one session
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    for my $id (81, 82) {
        main::shop_says('store/v1/cart', main::cart({ price => 100000 },
            [7, 'Кружка', 1, 100000]));
        get('/wp-json/wc/store/v1/cart', @::buyer);

        main::shop_says('store/v1/checkout', { order_id => $id,
            status => 'processing',
            payment_result => { payment_status => 'success' } });
        post('/wp-json/wc/store/v1/checkout',
             JSON::PP->new->utf8->encode({
                 billing_address => main::address() }), @::buyer,
             'Content-Type' => 'application/json');

        my $deal = B24::Desk::deal($id, rows => 1);
        is($deal->{rows}[0]{product_name}, 'Кружка', "$id: the goods");
    }

    B24::Desk::count_is('duplicate', 0, 'two orders');



=== TEST 6: what is refused, drafts, and what has no total
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $json = JSON::PP->new->utf8->encode({
        billing_address => main::address() });
    my @type = ('Content-Type' => 'application/json');

    main::shop_says('checkout', { code => 'woocommerce_rest_cart_empty',
        message => 'Cannot place an order', data => { status => 409 } },
        status => 409);
    post('/wp-json/wc/store/v1/checkout', $json, @::buyer, @type);

    main::shop_says('checkout', { order_id => 90, status => 'checkout-draft',
        payment_result => undef });
    post('/wp-json/wc/store/v1/checkout', $json, @::buyer, @type,
         'X-HTTP-Method-Override' => 'PUT');

    main::shop_says('checkout', { order_id => 91, status => 'failed',
        payment_result => { payment_status => 'failure' } });
    post('/wp-json/wc/store/v1/checkout', $json, @::buyer, @type);

    main::shop_says('wc-ajax=checkout', { result => 'failure',
        messages => '<div>no</div>' });
    post('/?wc-ajax=checkout', 'billing_email=a%40b.example', @::buyer);

    ok(wait_until(sub { B24::Desk::count('rejected') == 3 }),
       'three are refused');
    is(B24::Desk::shown(@{B24::Desk::status()->{orders}}), '', 'no record');

    # the cart was never seen: an order without rows is better than none
    main::shop_says('wc-ajax=checkout', { result => 'success',
        redirect => 'http://shop/checkout/order-received/92/?key=wc_order_x' });
    post('/?wc-ajax=checkout', 'billing_first_name=Anna&billing_phone='
         . '%2B79160000001&account_password=secret-of-anna', @::buyer);

    my $deal = B24::Desk::deal('92');
    is(scalar @{$deal->{rows}}, 0, 'no rows');
    is(join(' ', @{$deal->{contacts}[0]{phones}}), '+79160000001', 'a buyer');
    B24::Bought::nowhere('secret-of-anna');



=== TEST 7: an heir changes single lines
--- http_config eval
$::http . <<'EOC'
    b24_shop mine : woocommerce {
        stage  processing PREPARATION;

        order classic {
            company  request:/billing_firm;
            inn      request:/billing_inn;
            deal     UF_CRM_GIFT  request:/gift;
        }
    }
EOC
--- config eval: B24::Bought::server('mine')
--- scenario
    main::shop_says('wc-ajax=checkout', { result => 'success',
        order_id => 95 });
    post('/?wc-ajax=checkout', 'billing_first_name=Anna&billing_phone='
         . '%2B79160000001&billing_firm=Mill&billing_inn=7707083893', @::buyer);

    my $deal = B24::Desk::deal('95');
    is($deal->{stage_id}, 'PREPARATION', 'the stage');

    my $report = portal()->wait_for(deal => 95, requisites => 1,
                                    journal => 0);
    is($report->{companies}[0]{title}, 'Mill', 'the firm');
    is($report->{requisites}[0]{inn}, '7707083893', 'its INN');



=== TEST 8: several calls in one, refusals that come with a cart
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @type = ('Content-Type' => 'application/json');
    my $address = main::address();

    sub calls {
        my ($requests, @answers) = @_;

        main::shop_says('wc/store/v1/batch', { responses => [map {
            { status => $_->[0], headers => {}, body => $_->[1] } } @answers] },
            status => 207);
        post('/wp-json/wc/store/v1/batch', JSON::PP->new->utf8->encode({
             requests => [map { { path => "/wc/store/v1/$_->[0]",
                                  method => 'POST', body => $_->[1] } }
                          @$requests] }), @::buyer, @type);
    }

    sub bought {
        my ($id, @rows) = @_;

        main::shop_says('wc/store/v1/checkout', { order_id => $id,
            status => 'processing', payment_result => {
            payment_status => 'success' } });
        post('/wp-json/wc/store/v1/checkout', JSON::PP->new->utf8->encode({
             billing_address => $address }), @::buyer, @type);

        is(main::rows($id), join(', ', @rows), "the order $id");
    }

    my $two = main::cart({ price => 7000 }, [7, 'Cup', 2, 3500]);
    my $three = main::cart({ price => 10500 }, [7, 'Cup', 3, 3500]);
    my $fault = { code => 'woocommerce_rest_cart_invalid_key', message => 'No',
                  data => { status => 409 } };
    my $with_cart = { %$fault, data => { status => 409, cart => $three } };
    my $update = ['cart/update-item', { key => 'a', quantity => 3 }];

    calls([$update, $update], [200, $two], [409, $fault]);
    bought(101, 'Cup x2 35');

    calls([$update, $update], [200, $two], [409, $with_cart]);
    bought(102, 'Cup x3 35');

    calls([$update, $update], [409, $with_cart], [200, $two]);
    bought(103, 'Cup x2 35');

    main::shop_says('wc/store/v1/cart/update-item', $with_cart, status => 409);
    post('/wp-json/wc/store/v1/cart/update-item', '{"key":"a","quantity":3}',
         @::buyer, @type);
    bought(104, 'Cup x3 35');

    # without a cart it changes nothing
    main::shop_says('wc/store/v1/cart', $two);
    get('/wp-json/wc/store/v1/cart', @::buyer);
    main::shop_says('wc/store/v1/cart/update-item', $fault, status => 409);
    post('/wp-json/wc/store/v1/cart/update-item', '{"key":"b","quantity":3}',
         @::buyer, @type);
    bought(105, 'Cup x2 35');

    # the order is one of the calls, not the last
    my $buy = ['checkout', { billing_address => $address,
                             payment_method => 'cod',
                             customer_note => 'Ring twice' }];
    my $sold = [200, { order_id => 106, order_number => '106',
                       status => 'processing',
                       payment_result => { payment_status => 'success' } }];

    calls([$update, $buy, ['cart/extensions', {}]], [200, $three], $sold,
          [409, $fault]);
    is(main::rows(106), 'Cup x3 35', 'an order among other calls');
    is(join(' ', @{B24::Desk::deal('106')->{contacts}[0]{phones}}),
       '+79160000001', 'its buyer');

    # it is refused, it is a draft
    calls([$update, $buy], [200, $two],
          [400, { code => 'rest_invalid_param', data => { status => 400 } }]);
    calls([$buy], [200, { order_id => 107, status => 'checkout-draft',
                          payment_result => undef }]);
    B24::Desk::count_is('rejected', 2, 'two are refused');

    # a batch that fails has no order when none of its calls was one
    my $fails = sub {
        B24::Test::upstream()->script(target => 'wc/store/v1/batch',
            times => 1, status => 504, body => '');
        post('/wp-json/wc/store/v1/batch', JSON::PP->new->utf8->encode({
             requests => [map { { path => "/wc/store/v1/$_->[0]",
                                  body => $_->[1] } } @_] }), @::buyer, @type);
    };

    $fails->($update);
    $fails->($update, $buy);
    B24::Desk::count_is('unconfirmed', 1, 'the one that may have bought');



=== TEST 9: the cart is changed in another window
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $older = qr/^Note: the cart was changed later: goods and total may/m;
    my $id = 200;

    my $bought = sub {
        main::shop_says('wc-ajax=checkout', { result => 'success',
            order_id => ++$id });
        post('/?wc-ajax=checkout', 'billing_first_name=Anna&billing_phone='
             . '%2B79160000001', @::buyer);

        return B24::Desk::deal($id)->{comments} // '';
    };

    my $cart = sub {
        main::shop_says('wc/store/v1/cart', main::cart({ price => 7000 },
            [7, 'Cup', 2, 3500]));
        get('/wp-json/wc/store/v1/cart', @::buyer);
    };

    my @changes = (
        ['/?wc-ajax=add_to_cart', 'product_id=7'],
        ['/?wc-ajax=remove_from_cart', 'cart_item_key=a'],
        ['/?wc-ajax=remove_coupon', 'coupon=a'],
        ['/product/cup/?add-to-cart=7'],
        ['/product/cup/', 'quantity=1&add-to-cart=7'],
        ['/cart/', 'cart%5Ba%5D%5Bqty%5D=3&update_cart=Update'],
        ['/cart/?remove_item=a&_wpnonce=b'],
    );

    my $change = sub {
        my ($target, $body, $status) = @_;

        B24::Test::upstream()->script(target => "^\Q$target\E\$", times => 1,
            status => $status // 200, body => '<p>ok</p>');
        defined $body ? post($target, $body, @::buyer)
                      : get($target, @::buyer);
    };

    for (@changes) {
        $cart->();
        $change->(@$_);
        like($bought->(), $older, "$_->[0]: the deal says so");
    }

    $cart->();
    $change->(@{$changes[0]});
    $cart->();
    unlike($bought->(), $older, 'not when it was asked for after that');

    $cart->();
    $change->(@{$changes[0]}, 500);
    $change->('/?wc-ajax=get_refreshed_fragments', '');
    $change->('/wp-admin/post.php', 'add-to-cart=7');
    unlike($bought->(), $older, 'nor when nothing was changed');



=== TEST 10: a theme that never asks for the cart: the currency by its sign
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $no = qr/the shop's "currency" is not a code/;

    main::review('1 990,50&nbsp;<span class="woocommerce-Price-currencySymbol">'
                 . '&#8381;</span>', ['Tea', 2, '1 990,50&nbsp;&#8381;']);
    my ($deal, $comments) = main::bought_classic(101);
    is($deal, '1990.50 RUB; Tea 995.25 x 2', 'an entity');
    unlike($comments, $no, 'nothing is left out');

    main::review('<span class="woocommerce-Price-currencySymbol">€</span>'
                 . '12.00', ['Jam', 1, '€12.00']);
    ($deal) = main::bought_classic(102);
    is($deal, '12.00 EUR; Jam 12.00 x 1', 'a sign');

    # three places, as Kuwait has them
    main::review('12.345&nbsp;&#x62f;.&#x643;',
                 ['Tea', 1, '12.345&nbsp;&#x62f;.&#x643;']);
    ($deal) = main::bought_classic(103);
    like($deal, qr/^12\.3[45] KWD; Tea 12\.3[45] x 1/, 'thousandths');

    # nobody knows whose dollar it is
    main::review('&#36;12.00', ['Jam', 1, '&#36;12.00']);
    ($deal, $comments) = main::bought_classic(104);
    like($deal, qr/^12\.00 .*; Jam 12\.00 x 1/, 'a dollar: the amounts');
    like($comments, $no, 'and the deal says so');



=== TEST 11: what says the code goes before a sign
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $cart = main::cart({ price => 1200 }, [7, 'Jam', 1, 1200]);
    $cart->{totals}{currency_code} = 'GIP';

    main::shop_says('wc/store/v1/cart', $cart);
    get('/wp-json/wc/store/v1/cart', @::buyer);
    main::review('&pound;12.00', ['Jam', 1, '&pound;12.00']);
    my ($deal) = main::bought_classic(111);
    is($deal, '12.00 GIP; Jam 12.00 x 1', 'the code of the cart');

    $cart->{totals}{currency_code} = 'CAD';
    main::shop_says('wc/store/v1/cart', $cart);
    get('/wp-json/wc/store/v1/cart', @::buyer);
    main::review('&#36;12.00', ['Jam', 1, '&#36;12.00']);
    ($deal, my $comments) = main::bought_classic(112);
    is($deal, '12.00 CAD; Jam 12.00 x 1', 'also where the sign is of several');
    unlike($comments, qr/currency/, 'without a word on it');



=== TEST 12: the currency of an heir
--- http_config eval
$::http . <<'EOC'
    b24_shop mine : woocommerce {
        collect review {
            currency  CAD;
        }
    }
EOC
--- config eval: B24::Bought::server('mine')
--- scenario
    main::review('&pound;12.00', ['Jam', 1, '&pound;12.00']);
    my ($deal) = main::bought_classic(121);
    is($deal, '12.00 CAD; Jam 12.00 x 1', 'goes before what is shown');



=== TEST 13: all that was recorded, but no answer of the Store API
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::bought->play(filter => sub { $_[0]{name} =~ /-classic-/
                                    && $_[0]{target} !~ m{wc/store} });
    $::bought->deals_are(qr/^classic/);



=== TEST 14: the session's cookie is set, deleted and set anew
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $cookie = 'wp_woocommerce_session_3bc635ab';
    my $over = 'expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/';
    my $id = 100;

    my $put = sub {
        my ($name, $sent, @set) = @_;

        main::shop_says('cart/add-item', main::cart({ price => 1000 },
            [5, $name, 1, 1000]),
            headers => [map { ['Set-Cookie', "$cookie=$_"] } @set]);
        post('/wp-json/wc/store/v1/cart/add-item', '{"id":5}',
             'Content-Type' => 'application/json',
             defined $sent ? (Cookie => "$cookie=$sent") : ());
    };
    my $bought = sub {
        my ($sent) = @_;

        $id++;
        main::shop_says('store/v1/checkout', { order_id => $id,
            status => 'processing',
            payment_result => { payment_status => 'success' } });
        post('/wp-json/wc/store/v1/checkout', JSON::PP->new->utf8->encode({
                 billing_address => main::address(
                     phone => "+791600001$id", email => "$id\@example.com") }),
             'Content-Type' => 'application/json',
             Cookie => "$cookie=$sent");

        return join ', ', map { $_->{product_name} }
                              @{B24::Desk::deal($id)->{rows}};
    };

    $put->('Mug', undef, 't_a%7C%7C17%7C%7Cab; path=/');
    is($bought->('t_a%7C%7C17%7C%7Cab'), 'Mug', 'the first visit');

    # a stale one goes and another comes, in one answer
    $put->('Cup', 't_b%7C%7C17%7C%7Cab', "deleted; $over",
           't_c%7C%7C17%7C%7Cab; path=/');
    is($bought->('t_c%7C%7C17%7C%7Cab'), 'Cup', 'the last one counts');

    # what many buyers have in common is no name of theirs
    $put->('Jug', 't_d%7C%7C17%7C%7Cab', "deleted; $over");
    $put->('Pan', 't_e%7C%7C17%7C%7Cab', "0; $over");
    is($bought->('deleted'), '', 'the word of a deletion');
    is($bought->('0'), '', 'and another one');
    is($bought->('t_d%7C%7C17%7C%7Cab'), 'Jug', 'the cart is its own buyer\'s');



=== TEST 15: each line that refuses, alone; another currency
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $target = '/wp-json/wc/store/v1/checkout';
    my $accepted = { order_id => 120, status => 'processing',
                     payment_result => { payment_status => 'success' } };
    my $body = { billing_address => main::address() };
    my $order = sub {
        my ($answer, $query, $batch) = @_;

        main::shop_says($batch ? 'v1/batch' : 'v1/checkout', $batch
            ? { responses => [{ body => $answer, status => 200 }] } : $answer,
            status => $batch ? 207 : 200);
        post($batch ? $target =~ s/checkout/batch/r : "$target$query",
             JSON::PP->new->utf8->encode($batch ? { requests => [{
                 path => '/wc/store/v1/checkout', method => 'POST',
                 body => $body }] } : $body),
             'Content-Type' => 'application/json', @::buyer);
    };

    # a draft that says that its payment has succeeded
    $order->({ %$accepted, status => 'checkout-draft' }, '', $_) for 0, 1;
    B24::Desk::count_is('rejected', 2, 'drafts');

    # totals while the buyer types are not looked at
    $order->($accepted, '?__experimental_calc_totals=true');
    is(B24::Desk::shown(@{B24::Desk::status()->{orders}}), '', 'no record');

    my $cart = main::cart({ price => 2500 }, [5, 'Mug', 1, 2500]);
    $cart->{totals}{currency_code} = 'EUR';
    main::shop_says('store/v1/cart', $cart);
    get('/wp-json/wc/store/v1/cart', @::buyer);
    $order->($accepted, '');

    my $deal = B24::Desk::deal(120, rows => 1);
    is("$deal->{opportunity} $deal->{currency_id}", '25.00 EUR',
       'the currency of the cart');
    B24::Desk::count_is('rejected', 2, 'nothing else is refused');
