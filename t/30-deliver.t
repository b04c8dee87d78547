# Orders of real shops, from the buyer's request to the deal: the recorded
# WooCommerce traffic against what that shop's database knew, and the sample
# shop against its own list of orders.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => 'woocommerce-9.9.5', shop => { test => 1 };
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::Orders ();
use B24::Recording;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $recording = B24::Recording->load('t/recordings/woocommerce-9.9.5');
our $truth = JSON::PP::decode_json(B24::Recording::read_file(
    't/recordings/woocommerce-9.9.5/truth.json'));

our $common = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  shop;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    50 burst=4000;
    b24_retry   first=100ms max=1s unknown=300ms;
EOC

our $rules = $common . <<'EOC';
    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    b24_shop woocommerce {
        stage           processing NEW;
        stage           on-hold PREPARATION;
        default_status  processing;

        # the block checkout; drafts are updated through the same address
        order block {
            uri         /wp-json/wc/store/v1/checkout;
            when        query:/__experimental_calc_totals !;
            accept      response:/payment_result/payment_status
                        ~^(success|pending)$;
            id          response:/order_number response:/order_id;
            row         response:/order_id;
            first_name  request:/billing_address/first_name;
            last_name   request:/billing_address/last_name;
            phone       request:/billing_address/phone;
            email       request:/billing_address/email;
            company     request:/billing_address/company;
            address     "%{request:/billing_address/city}, %{request:/billing_address/address_1}";
            comment     request:/customer_note;
            currency    RUB;
            status      response:/status;
        }

        # the page with the shortcode
        order classic {
            uri         /;
            when        query:/wc-ajax =checkout;
            accept      response:/result =success;
            id          response:/order_id;
            row         response:/order_id;
            first_name  request:/billing_first_name;
            last_name   request:/billing_last_name;
            phone       request:/billing_phone;
            email       request:/billing_email;
            company     request:/billing_company;
            address     "%{request:/billing_city}, %{request:/billing_address_1}";
            comment     request:/order_comments;
            currency    RUB;
        }
    }
EOC

our $server = <<'EOC';
    location = /b24 {
        b24_status;
    }

    location / {
        b24_mirror woocommerce;
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }
EOC

our $sample = $common . 'include $TEST_NGINX_SHOP_RULES;';


# ---- recorded shops ------------------------------------------------------

# Orders the shop knew of those whose scenario begins with $kind.
sub true_orders {
    my ($kind) = @_;

    return grep { $_->{scenario} =~ /^$kind/ } @{$truth->{orders}};
}

sub digits {
    my ($phone) = @_;

    $phone =~ s/\D//g;
    $phone =~ s/^8(?=\d{10}$)/7/;

    return "+$phone";
}

# Number, name, phone, e-mail, comment, and address of an order as one text.
sub true_text {
    my ($order) = @_;

    my $buyer = $order->{buyer}{billing};

    return join '; ', $order->{order_id},
        "$buyer->{first_name} $buyer->{last_name}", digits($buyer->{phone}),
        lc $buyer->{email},
        join "\n", grep({ length } $order->{comment}),
                   "Address: $buyer->{city}, $buyer->{address_1}";
}

# The same of a deal with the contacts of the report.
sub deal_text {
    my ($deal, $contacts) = @_;

    my @contacts = @$contacts{@{$deal->{contact_ids}}};
    my $contact = $contacts[0] // {};
    my %emails = map { lc $_ => 1 } @{$contact->{emails} // []};

    return join '; ', $deal->{origin_id},
        join(' ', map { $_ // '' } @$contact{qw(name last_name)}),
        join(', ', @{$contact->{phones} // []}), join(', ', sort keys %emails),
        ($deal->{comments} // '');
}

# Plays recorded requests, each on a connection of its own; dies when one
# doesn't get the recorded answer.
sub play {
    my (@exchanges) = @_;

    for my $exchange (@exchanges) {
        my $client = B24::Scenario::client();

        $client->send($exchange->{request});
        my $answer = $client->response(head => $exchange->{method} eq 'HEAD');
        my ($status) = ($exchange->{response} // '') =~ /^HTTP\S+ (\d+)/;

        die "$exchange->{name}: answer $answer->{status}\n"
            if defined $status && $answer->{status} != $status;
    }
}

# Compares all deals with what the shop knew; returns the report.
sub deals_are {
    my (@orders) = @_;

    my $last = $orders[-1]{order_id};

    # "stable": and no other one comes
    my $report = B24::Test::portal()->wait_for(deals => scalar @orders,
        deal => $last, stable_ms => 300, journal => 0, timeout => 20);
    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};
    my @deals = sort { $a->{origin_id} <=> $b->{origin_id} }
                     @{$report->{deals}};

    Test::More::is(join("\n", map { $_->{origin_id} } @deals),
                   join("\n", map { $_->{order_id} } @orders),
                   scalar(@orders) . ' deals, by their numbers');

    for my $n (0 .. $#orders) {
        my $deal = $deals[$n] // next;

        Test::More::is(deal_text($deal, \%contact), true_text($orders[$n]),
                       "the buyer of $orders[$n]{order_id}");
        Test::More::is(join(' ', @$deal{qw(title stage_id currency_id
                                           originator_id)}),
                       "Order #$orders[$n]{order_id} NEW RUB shop",
                       "the deal of $orders[$n]{order_id}");
    }

    # the same people bought again
    my %people = map { digits($_->{buyer}{billing}{phone}) => 1 } @orders;

    Test::More::is(scalar @{$report->{contacts}}, scalar keys %people,
                   'a contact for each buyer');

    return $report;
}

sub exchanges {
    my ($pattern) = @_;

    return grep { $_->{name} =~ $pattern } $recording->exchanges;
}


# ---- the sample shop -----------------------------------------------------

my $token = 0;

# Fields of an order that the shop accepts.
sub order_fields {
    my (%change) = @_;

    my %field = (
        token => sprintf('token-%d-%06d', $$, ++$token),
        name => 'Пётр «Ёж» О\'Нил & сын', phone => '8 (495) 765-43-21',
        email => 'petr@example.com', address => 'Москва, Тверская, 1',
        comment => "домофон \"12\"; 100% & <второй> этаж",
        delivery => 'courier', delivery_price => '350.00',
        total => '1094.80', %change);

    delete $field{$_} for grep { !defined $field{$_} } keys %field;

    return %field;
}

our @items = (
    { id => '1', sku => 'TEA-IVAN-50', name => 'Иван-чай «Утро & вечер», 50 г',
      price => '149.90', qty => '2', vat => '22', measure => '796' },
    { id => '2', sku => 'CHEESE-KG', name => 'Сыр «Российский», весовой',
      price => '890.00', qty => '0.5', vat => '10', measure => '166' },
);

sub form_request {
    my ($fields, $items, @headers) = @_;

    my $session = B24::Test::shop()->session(
        map { $_->{id} => $_->{qty} } @$items);
    my %field = (%$fields, csrf => $session->{csrf});

    for my $n (0 .. $#$items) {
        $field{"items[$n][$_]"} = $items->[$n]{$_} for keys %{$items->[$n]};
    }

    my $body = join '&', map { escaped($_) . '=' . escaped($field{$_}) }
                             sort keys %field;

    return B24::Client::request_bytes('POST', '/checkout', $body,
        'Content-Type' => 'application/x-www-form-urlencoded',
        Cookie => $session->{cookie}, @headers);
}

sub json_request {
    my ($fields, $items, @headers) = @_;

    return B24::Client::request_bytes('POST', '/api/checkout',
        JSON::PP->new->utf8->canonical->encode({ %$fields,
            items => $items }),
        'Content-Type' => 'application/json', @headers);
}

sub escaped {
    my ($text) = @_;

    utf8::encode($text);
    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;

    return $text;
}

# Sends; returns status and the order's number, if there is one.
sub sent {
    my ($bytes) = @_;

    my $client = B24::Scenario::client();

    $client->send($bytes);
    my $answer = $client->response;
    my ($number) = ($answer->{head} =~ /^Location: \S*order=([\d-]+)/mi,
                    $answer->{body} =~ /"order":\{"id":"([\d-]+)"/);

    return ($answer->{status}, $number);
}

# The shop's own list: number => order.
sub shop_orders {
    my $answer = B24::Scenario::get('/admin/orders?format=json&limit=1000');

    return map { $_->{number} => $_ }
               @{JSON::PP::decode_json($answer->{body})->{orders}};
}

sub kopecks {
    my ($amount) = @_;

    my ($whole, $part) = $amount =~ /^(-?\d+)(?:\.(\d+))?$/
        or die "no amount: $amount\n";

    return $whole * 100 + substr(($part // '') . '00', 0, 2);
}

# A deal of the sample shop holds all its order does.
sub deal_is {
    my ($number, $order) = @_;

    my $rows = @{$order->{items}} + ($order->{delivery_price} > 0 ? 1 : 0);
    my $deal = B24::Desk::deal($number, rows => $rows);
    my ($contact) = @{$deal->{contacts}};

    Test::More::is($deal->{title}, "Order #$number", "$number: title");
    Test::More::is(kopecks($deal->{opportunity}), kopecks($order->{total}),
                   "$number: total $order->{total}");
    Test::More::is(kopecks($deal->{rows_sum}), kopecks($order->{total}),
                   "$number: sum of the rows");
    Test::More::ok($deal->{manual}, "$number: the shop's total stays");
    Test::More::is("$deal->{stage_id} $deal->{currency_id}", 'NEW RUB',
                   "$number: stage and currency");
    Test::More::is(join(' ', map { $contact->{$_} // () }
                                 qw(name second_name last_name)),
                   $order->{name}, "$number: name");
    Test::More::is(join(' ', @{$contact->{phones}}),
                   digits($order->{phone}), "$number: phone");
    Test::More::is(join(' ', @{$contact->{emails}}), $order->{email},
                   "$number: e-mail");
    Test::More::is($deal->{comments}, join("\n",
                       grep({ length } $order->{comment}),
                       map { length ? "Address: $_" : () }
                           $order->{address}), "$number: comment");
    Test::More::is(scalar @{$deal->{rows}}, $rows, "$number: $rows rows");

    for my $n (0 .. $#{$order->{items}}) {
        my ($item, $row) = ($order->{items}[$n], $deal->{rows}[$n]);

        Test::More::is("$row->{product_name} $row->{quantity}",
                       "$item->{name} " . ($item->{qty} + 0),
                       "$number: row $n");
        Test::More::is(kopecks($row->{price}), kopecks($item->{price}),
                       "$number: price of row $n");
        Test::More::is(kopecks($row->{sum}), kopecks($item->{sum}),
                       "$number: sum of row $n");
        Test::More::is("$row->{tax_rate} $row->{tax_included}"
                       . " $row->{measure_code}",
                       ($item->{vat} + 0) . " Y $item->{measure}",
                       "$number: VAT and unit of row $n");
    }

    Test::More::is(kopecks($deal->{rows}[-1]{sum}),
                   kopecks($order->{delivery_price}), "$number: delivery")
        if $order->{delivery_price} > 0;

    return $deal;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the block checkout of WooCommerce
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::play(main::exchanges(qr/-block-/));

    my @orders = main::true_orders('block');
    is(scalar @orders, 5, 'five orders');
    main::deals_are(@orders);

    is(B24::Desk::shown(B24::Desk::by_id(B24::Desk::records(count => 5))),
       join(', ', map { "$_->{order_id} delivered" } @orders), 'records');
    B24::Desk::count_is('duplicate', 1, 'the double submit is counted');
    B24::Desk::count_is('rejected', 1, 'the rejected attempt, too');

    # seven attempts; updates of drafts aren't even looked at
    is(B24::Desk::counter('candidates'), 7, 'seven candidates');



=== TEST 2: the shortcode checkout of WooCommerce
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::play(main::exchanges(qr/-classic-/));

    my @orders = main::true_orders('classic');
    is(scalar @orders, 6, 'six orders: the double submit placed two');
    main::deals_are(@orders);
    B24::Desk::count_is('duplicate', 0, 'nothing twice');
    B24::Desk::count_is('rejected', 1, 'the rejected attempt');
    is(B24::Desk::counter('candidates'), 7, 'seven candidates');



=== TEST 3: both, on one connection, gzip by nginx
--- http_config eval: $::rules
--- config eval
"gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;
client_body_in_file_only clean;" . $::server
--- scenario
    my $client = client();

    for my $exchange ($::recording->exchanges) {
        $client->send($exchange->{request});
        $client->response(head => $exchange->{method} eq 'HEAD');
    }

    my @orders = sort { $a->{order_id} <=> $b->{order_id} }
                      main::true_orders('');
    is(scalar @orders, 11, 'eleven orders');
    main::deals_are(@orders);
    B24::Desk::count_is($_->[0], $_->[1], "$_->[0]: $_->[1]")
        for ['duplicate', 1], ['rejected', 2], ['delivered', 11],
            ['unconfirmed', 0], ['parked', 0];

    # a second day of the same changes nothing
    main::play($::recording->exchanges);
    ok(wait_until(sub { B24::Desk::count('duplicate') == 13 }),
       'played again: all twelve are doubles');
    B24::Desk::records();
    B24::Desk::count_is('delivered', 11, 'and no deal more');
    is(scalar @{portal()->report(journal => 0)->{deals}}, 11, 'at the portal');



=== TEST 4: a double submit at the same moment
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    my @double = main::exchanges(qr/block-d-double-submit.*checkout$/);

    is(scalar @double, 2, 'both requests');
    upstream()->script(target => 'checkout', hold => 1, times => 6);

    my @clients = map { my $client = client();
                        $client->send($_->{request});
                        $client } (@double) x 3;

    is(scalar upstream()->wait_for(state => 'held', count => 6), 6,
       'six at the shop');
    upstream()->release;
    like($_->response->{body}, qr/"order_id":5130/, 'answered') for @clients;

    ok(wait_until(sub { B24::Desk::count('duplicate') == 5 }),
       'five are doubles');
    main::deals_are(grep { $_->{order_id} == 5130 } main::true_orders(''));
    is(B24::Desk::shown(B24::Desk::records()), '5130 delivered',
       'one record');



=== TEST 5: two orders of an unknown buyer at the same moment
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    my @both = main::exchanges(qr/classic-d-double-submit.*checkout$/);

    upstream()->script(target => 'checkout', hold => 1, times => 2);

    my @clients = map { my $client = client();
                        $client->send($_->{request});
                        $client } @both;

    upstream()->wait_for(state => 'held', count => 2);
    upstream()->release;
    $_->response for @clients;

    main::deals_are(grep { $_->{scenario} eq 'classic-d' }
                         main::true_orders(''));



=== TEST 6: buyers of the sample shop
--- http_config eval: $::sample
--- config eval
'location = /b24 { b24_status; } b24_mirror sample;'
. B24::Test::shop()->location
--- scenario
    my $buy = sub {
        my @command = ($^X, '-It/lib', 't/shop/buy.pl', '--url',
                       'http://127.0.0.1:' . port(), @_);
        open my $in, '-|', @command or die;
        my @numbers = <$in>;
        close $in or fail("@command");
        chomp @numbers;
        return @numbers;
    };
    my @numbers = ($buy->('--n', 4), $buy->('--json', '--n', 4));

    is(scalar @numbers, 8, 'eight orders');

    my %order = main::shop_orders();
    my %companies;

    for my $number (@numbers) {
        my $deal = main::deal_is($number, $order{$number});

        is($deal->{company_id} != 0, $order{$number}{company} ne '',
           "$number: a company or none");
        $companies{$deal->{company_id}}++ if $deal->{company_id};
    }

    my $report = portal()->report(journal => 0);

    is(join(' ', values %companies), 4, 'the firm is one company');
    is(scalar @{$report->{companies}}, 1, 'made once');
    is($report->{companies}[0]{title}, 'ООО «Ромашка & Ко»', 'its name');
    is(join(' ', map { "$_->{inn} $_->{kpp}" } @{$report->{requisites}}),
       '7707083893 770701001', 'its requisites');
    is(scalar @{$report->{contacts}}, 4, 'the four bought twice');
    is(scalar @{$report->{deals}}, 8, 'a deal each');
    B24::Desk::count_is('rejected', 0, 'nothing rejected');
    is(B24::Desk::counter('candidates'), 8, 'carts and pages are not orders');



=== TEST 7: sums to the kopeck
--- http_config eval: $::sample
--- config eval
'location = /b24 { b24_status; } b24_mirror sample;'
. B24::Test::shop()->location
--- scenario
    my %delivery = (courier => '350.00', post => '249.90', pickup => '0.00');
    my @numbers;

    for my $case (
        # 0.25 x 33.33 is 8.33 in the shop: rounded per line
        [courier => '358.33', [6 => '33.33', '0.25']],
        [post => '258.23', [6 => '33.33', '0.25']],
        [post => '49149.90', [7 => '48900.00', '1']],
        [pickup => '0.00', [8 => '0.00', '1']],
        [pickup => '89.00', [2 => '890.00', '0.1']],
        [courier => '1233640.50', [3 => '1234.50', '999'],
                                  [8 => '0.00', '5'],
                                  [6 => '33.33', '0.75']],
    ) {
        my ($delivery, $total, @lines) = @$case;
        my @items = map { { id => $_->[0], price => $_->[1],
                            qty => $_->[2] } } @lines;
        my %field = main::order_fields(delivery => $delivery,
            delivery_price => $delivery{$delivery}, total => $total);

        for my $make (\&main::form_request, \&main::json_request) {
            my ($status, $number) = main::sent($make->({ %field,
                token => "sum-$$-00000" . @numbers }, \@items));

            like($status, qr/^(?:201|302)$/, "$total: accepted");
            push @numbers, $number // ();
        }
    }

    my %order = main::shop_orders();

    # what isn't sent with the order isn't in the deal
    for my $number (@numbers) {
        my $order = $order{$number};
        my $rows = @{$order->{items}} + ($order->{delivery_price} > 0);
        my $deal = B24::Desk::deal($number, rows => $rows);

        is(main::kopecks($deal->{opportunity}),
           main::kopecks($order->{total}), "$number: $order->{total}");
        is(main::kopecks($deal->{rows_sum}), main::kopecks($order->{total}),
           "$number: the rows");
    }

    is(scalar @numbers, 12, 'all of them');



=== TEST 8: what the sample shop refuses
--- http_config eval: $::sample
--- config eval
'location = /b24 { b24_status; } b24_mirror sample;'
. B24::Test::shop()->location
--- scenario
    my @cases = (
        ['no name', { name => undef }],
        ['no phone', { phone => '' }],
        ['a wrong address', { email => 'petr@' }],
        ['a wrong INN', { inn => '123' }],
        ['another total', { total => '1.00' }],
        ['another delivery', { delivery_price => '0.00' }],
    );
    my $refused = 0;

    for my $case (@cases) {
        my ($label, $change) = @$case;
        my ($status) = main::sent(main::form_request(
            { main::order_fields(%$change) }, \@::items));

        is($status, 200, "form, $label: the page again");
        ($status) = main::sent(main::json_request(
            { main::order_fields(%$change) }, \@::items));
        like($status, qr/^4\d\d$/, "JSON, $label: $status");
        $refused += 2;
    }

    my ($status) = main::sent(main::form_request(
        { main::order_fields() }, []));
    is($status, 200, 'form, empty cart');
    ($status) = main::sent(main::json_request({ main::order_fields() }, []));
    is($status, 409, 'JSON, empty cart');
    $refused += 2;

    # a price of the buyer's own
    my @cheap = ({ %{$::items[0]}, price => '1.00' }, $::items[1]);
    ($status) = main::sent(main::json_request(
        { main::order_fields(total => '797.00') }, \@cheap));
    like($status, qr/^4/, 'JSON, another price');
    $refused++;

    ok(wait_until(sub { B24::Desk::count('rejected') == $refused }),
       "$refused are counted as rejected");
    is(B24::Desk::shown(@{B24::Desk::status()->{orders}}), '', 'no record');
    is(scalar B24::Orders::journal(), 0,
       'the portal was asked nothing');

    # and the next one is accepted
    ($status, my $number) = main::sent(main::form_request(
        { main::order_fields() }, \@::items));
    is($status, 302, 'then all is well');
    my %order = main::shop_orders();
    main::deal_is($number, $order{$number});



=== TEST 9: double submits at the sample shop, in parallel
--- http_config eval: $::sample
--- config eval
'location = /b24 { b24_status; } b24_mirror sample;'
. B24::Test::shop()->location
--- scenario
    my $together = sub {
        my ($name, $request) = @_;
        my @clients = map { my $client = client();
                            $client->send($request);
                            $client } 1 .. 3;

        ok(shop()->wait_held($name, 3), "$name: three at the shop");
        shop()->release($name);

        return map {
            my $answer = $_->response;
            $answer->{head} =~ /order=([\d-]+)/ ? $1
                : $answer->{body} =~ /"id":"([\d-]+)"/;
        } @clients;
    };

    my @form = $together->('form', main::form_request(
        { main::order_fields() }, \@::items,
        'X-Shop-Test' => 'hold_before=form'));
    my @json = $together->('json', main::json_request(
        { main::order_fields(phone => '+7 921 555 00 11',
                             email => 'irina@example.com') }, \@::items,
        'X-Shop-Test' => 'hold_before=json'));

    is(join(' ', @form), join(' ', ($form[0]) x 3), 'form: one number');
    is(join(' ', @json), join(' ', ($json[0]) x 3), 'JSON: one number');
    isnt($form[0], $json[0], 'two orders');

    my %order = main::shop_orders();
    main::deal_is($_, $order{$_}) for $form[0], $json[0];

    ok(wait_until(sub { B24::Desk::count('duplicate') == 4 }),
       'four are doubles');
    is(scalar @{portal()->wait_for(deals => 2, stable_ms => 200,
                                   journal => 0)->{deals}}, 2, 'two deals');
    is(B24::Desk::shown(B24::Desk::by_id(B24::Desk::records(count => 2))),
       join(', ', map { "$_ delivered" } sort $form[0], $json[0]),
       'two records');

    # later once more, as with the button "back"
    my @again = $together->('again', main::json_request(
        { main::order_fields(token => 'again-token-000001') }, \@::items,
        'X-Shop-Test' => 'hold_before=again'));
    main::sent(main::json_request({ main::order_fields(
        token => 'again-token-000001') }, \@::items));
    ok(wait_until(sub { B24::Desk::count('duplicate') == 7 }),
       'three more doubles');
    is(scalar @{portal()->wait_for(deals => 3, stable_ms => 200,
                                   journal => 0)->{deals}}, 3, 'three deals');
    is(B24::Desk::deal($again[0], rows => 3)->{opportunity}, '1094.80',
       'the third');
