# OpenCart 3 and 4 with the preset as it is shipped: recorded shops bought in
# again, against what their own databases knew.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => ['opencart-3.0.5.1', 'opencart-4.1.0.4'];
use Test::Nginx::Socket;

use B24::Bought;
use B24::Client;
use B24::Desk;
use B24::OpenCart;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);
log_level('info');

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $three = B24::Bought->load('opencart-3.0.5.1');
our $four = B24::Bought->load('opencart-4.1.0.4');

our $http = B24::Bought::http('opencart');
our $server = B24::Bought::server('opencart');

our @buyer = B24::OpenCart::session();

sub rows_of {
    my ($deal) = @_;

    return join ', ', map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                          @{$deal->{rows}};
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: OpenCart 3, everything that was recorded
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::three->play(together => qr/d-double-submit.*cod-confirm/);

    my $report = $::three->deals_are;

    B24::Desk::count_is($_->[0], $_->[1], "$_->[0]: $_->[1]")
        for ['delivered', 6], ['duplicate', 1], ['unconfirmed', 0],
            ['parked', 0];

    my %number = map { $_->{origin_id} => 1 } @{$report->{deals}};
    is(scalar keys %number, 6, 'each has a number of its own');

    # the buyer of "r" made an account
    B24::Bought::nowhere('customer-throwaway');



=== TEST 2: OpenCart 4, everything that was recorded
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::four->play(together => qr/d-double-submit.*cod-confirm/);
    $::four->deals_are;

    B24::Desk::count_is($_->[0], $_->[1], "$_->[0]: $_->[1]")
        for ['delivered', 5], ['duplicate', 1], ['unconfirmed', 0],
            ['parked', 0];



=== TEST 3: a button pressed once more when all is over
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::three->play(filter => sub { $_[0]{name} =~ /-d-double-submit-/ });
    $::three->deals_are(qr/^d$/);

    # the session was cleared by then, and nobody can tell whether it is another
    # order without number and goods; or it wasn't yet, and it is the same one
    ok(wait_until(sub {
        B24::Desk::count('unconfirmed') + B24::Desk::count('duplicate') == 1
    }), 'the second waits for a person, or is known');



=== TEST 4: the same goods twice in one session
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    for (1, 2) {
        B24::OpenCart::steps([['Mug', 2, '$10.00', '$20.00', '']],
                    [['Sub-Total', '$20.00'], ['Flat Rate', '$5.00'],
                     ['Total', '$25.00']]);
        B24::OpenCart::button();
    }

    my $report = portal()->wait_for(deals => 2, stable_ms => 300,
                                    journal => 0);

    is(join('; ', map { main::rows_of($_) } @{$report->{deals}}),
       join('; ', ('Mug 10.00 x 2, Delivery 5.00 x 1') x 2), 'two deals');
    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 5: other goods after an answer that nobody saw
--- http_config eval: $::http
--- config eval
$::server . '
    location /brief/ {
        b24_mirror opencart;
        proxy_read_timeout 500ms;
        proxy_pass http://recorded/;
        proxy_set_header Host $host;
    }'
--- scenario
    my $mug = sub {
        B24::OpenCart::steps([['Mug', 2, '$10.00', '$20.00', '']],
                    [['Sub-Total', '$20.00'], ['Flat Rate', '$5.00'],
                     ['Total', '$25.00']]);
    };
    my $timed_out = sub {
        upstream()->script(target => 'cod/confirm', hold => 1, times => 1);
        is(get('/brief/index.php?route=extension/payment/cod/confirm',
               @::buyer)->{status}, 504, 'PHP goes on, nginx does not wait');
    };

    # pressed again without an answer: still one
    $mug->();
    $timed_out->();
    B24::Desk::count_is('unconfirmed', 1, 'it may be an order');
    $timed_out->();
    B24::Desk::count_is('duplicate', 1, 'the same one');

    # other goods: their answer is not seen, then it is
    for my $answered (0, 1) {
        B24::OpenCart::steps([['Tea', 1, '$7.00', '$7.00', '']],
                    [['Sub-Total', '$7.00'], ['Flat Rate', '$5.00'],
                     ['Total', '$12.00']]);
        $answered ? B24::OpenCart::button() : $timed_out->();
        B24::Desk::count_is('unconfirmed', 2 - $answered,
                            $answered ? 'one of them' : 'both');
    }

    my $report = portal()->wait_for(deals => 1, stable_ms => 300,
                                    journal => 0);
    is(main::rows_of($report->{deals}[0]), 'Tea 7.00 x 1, Delivery 5.00 x 1',
       'was accepted');

    # the first is kept, a person sends it
    my ($first) = grep { $_->{state} eq 'unconfirmed' } B24::Desk::records();
    is(post("/b24/orders/$first->{key}/send", '')->{status}, 202, 'sent');
    $report = portal()->wait_for(deals => 2, stable_ms => 300, journal => 0);
    my %total = map { $_->{origin_id} => $_->{opportunity} }
                    @{$report->{deals}};
    is(join(', ', sort values %total), '12.00, 25.00', 'two deals');



=== TEST 6: a person sends it, and the next one of the session comes
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $steps = sub {
        my ($name, $price) = @_;
        B24::OpenCart::steps([[$name, 1, "\$$price", "\$$price", '']],
                             [['Total', "\$$price"]]);
    };

    $steps->('Mug', '20.00');
    B24::OpenCart::button('{"redirect":');
    B24::Desk::count_is('unconfirmed', 1, 'an answer that broke off');

    my ($first) = B24::Desk::records();
    is(post("/b24/orders/$first->{key}/send", '')->{status}, 202, 'sent');
    B24::Desk::count_is('delivered', 1, 'delivered');

    $steps->('Tea', '7.00');
    B24::OpenCart::button();
    $steps->('Mug', '20.00');
    B24::OpenCart::button();

    my $report = portal()->wait_for(deals => 3, stable_ms => 300,
                                    journal => 0);
    my %number = map { $_->{origin_id} => 1 } @{$report->{deals}};
    is(join(', ', sort map { $_->{opportunity} } @{$report->{deals}}),
       '20.00, 20.00, 7.00', 'three deals');
    is(scalar keys %number, 3, 'each has a number of its own');
    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 7: options, coupons, taxes, friendly links
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    B24::OpenCart::steps([['Mug', 2, "1\xc2\xa0000,50 p.", "2\xc2\xa0001,00 p.",
                  "<br />\n&nbsp;<small> - Size: L &amp; up</small>"],
                 ['Jug', 1, '300,00 p.', '300,00 p.', '']],
                [['Sub-Total', '2 301,00 p.'], ['Courier', '350,00 p.'],
                 ['Coupon (X)', '-100,00 p.'], ['VAT (20%)', '200,00 p.'],
                 ['Total', '2 751,00 p.']]);
    B24::OpenCart::button();

    my ($deal) = @{portal()->wait_for(deals => 1, rows => 5,
                                      journal => 0)->{deals}};

    is(main::rows_of($deal), 'Mug - Size: L & up 1000.50 x 2, Jug 300.00 x 1,'
       . ' Delivery 350.00 x 1, Fee 100.00 x 1', 'rows');
    is("$deal->{opportunity} $deal->{rows_sum}", '2751.00 2751.00', 'total');



=== TEST 8: what is refused
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    B24::OpenCart::steps([['Mug', 1, '$10.00', '$10.00', '']], [['Total', '$10.00']]);
    B24::OpenCart::button($_) for '[]', '{"error":"no"}',
        '{"redirect":"http:\/\/shop\/index.php?route=checkout\/failure"}';

    # a refused step changes nothing
    B24::OpenCart::says('checkout/guest/save', '{"error":{"email":"wrong"}}');
    post('/index.php?route=checkout/guest/save', 'firstname=Nobody', @::buyer);

    B24::Desk::count_is('rejected', 3, 'three are refused');

    B24::OpenCart::button();
    my ($deal) = @{portal()->wait_for(deals => 1, rows => 1, stable_ms => 300,
                                      journal => 0)->{deals}};
    is(main::rows_of($deal), 'Mug 10.00 x 1', 'the next one is accepted');
    is(portal()->report->{contacts}[0]{name}, 'Anna', 'of the right buyer');



=== TEST 9: 4.0 separates by "|", a buyer signs in
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    B24::OpenCart::says('account/login|login', '{"redirect":"\/"}');
    post('/index.php?route=account/login|login',
         'email=kim%40example.com&password=secret-of-anna', @::buyer);
    B24::OpenCart::says('checkout/confirm|confirm', '<table><tbody><tr><td>'
        . '<a href="/p?product_id=5">Mug</a></td><td>M</td><td>1</td>'
        . '<td>$10.00</td><td>$10.00</td></tr></tbody><tfoot><tr><td>Total'
        . '</td><td>$10.00</td></tr></tfoot></table>', type => 'text/html');
    get('/index.php?route=checkout/confirm|confirm', @::buyer);
    B24::OpenCart::says('extension/opencart/payment/cod|confirm',
                    '{"redirect":"success"}');
    get('/index.php?route=extension/opencart/payment/cod|confirm', @::buyer);

    my $report = portal()->wait_for(deals => 1, rows => 1, journal => 0);

    is(main::rows_of($report->{deals}[0]), 'Mug 10.00 x 1', 'the goods');
    is(join(' ', @{$report->{contacts}[0]{emails}}), 'kim@example.com',
       'the buyer');
    B24::Bought::nowhere('secret-of-anna');



=== TEST 8: the currency is changed elsewhere after the last step
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    B24::OpenCart::steps([['Mug', 2, '$10.00', '$20.00', '']],
                         [['Sub-Total', '$20.00'], ['Flat Rate', '$5.00'],
                          ['Total', '$25.00']]);
    B24::OpenCart::says('extension/payment/cod/confirm',
                        '{"redirect":"http://shop/?route=checkout/success"}');
    get('/index.php?route=extension/payment/cod/confirm',
        Cookie => 'OCSESSID=0123456789abcdef012345678a; currency=EUR');

    my ($deal) = @{portal()->wait_for(deals => 1, rows => 2,
                                      journal => 0)->{deals}};
    is("$deal->{opportunity} $deal->{currency_id}", '25.00 USD',
       'it is that of the amounts');
