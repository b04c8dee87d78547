# A checkout over TLS, by HTTP/1.1, HTTP/2 and, where nginx has it, HTTP/3: the
# sample shop's own pages, from the cart to the deal.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              shop => 1;
use Test::Nginx::Socket;

use B24::Desk;
use Digest::SHA ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

# of this run only
our $certificate = "$B24::Test::DIR/shop.pem";

system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
       . ' -addext subjectAltName=DNS:localhost'
       . " -keyout \Q$certificate.key\E -out \Q$certificate\E 2> /dev/null") == 0
    or die "openssl makes no certificate\n";

our $http3 = `$B24::Test::NGINX -V 2>&1` =~ /--with-http_v3_module/;
our ($minor) = `$B24::Test::NGINX -v 2>&1` =~ m{nginx/1\.(\d+)};

our $http = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  shop;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    50 burst=4000;
    b24_retry   first=100ms max=1s unknown=300ms;

    include $TEST_NGINX_SHOP_RULES;

    log_format protocol '$server_protocol $request_method $uri $status'
                        ' $b24_event $b24_state';
EOC

our $server = "listen 127.0.0.1:\$TEST_NGINX_PORT_1 ssl"
    . ($minor < 25 ? ' http2; ' : '; http2 on; ')
    . ($http3 ? 'listen 127.0.0.1:$TEST_NGINX_PORT_1 quic; '
                . 'add_header Alt-Svc \'h3=":$TEST_NGINX_PORT_1"; ma=60\';'
              : '') . "
    ssl_certificate     $certificate;
    ssl_certificate_key $certificate.key;
    access_log  logs/protocol.log protocol;
    b24_mirror  sample;

    location = /b24 { b24_status; access_log off; }
" . B24::Test::shop()->location;

# Lines of the checkouts in the access log.
sub checkouts {
    my ($count) = @_;
    my @lines;

    B24::Scenario::wait_until(sub {
        @lines = split /\n/, B24::Recording::read_file(
                     "$ENV{TEST_NGINX_SERVROOT}/logs/protocol.log");
        @lines = grep { / POST .*checkout / } @lines;
        return @lines >= $count;
    });

    return @lines;
}

my $token = 0;
my @items = map { my ($n, %item) = @$_;
                  map { "items[$n][$_]=$item{$_}" } keys %item }
    [0, id => 1, sku => 'TEA-IVAN-50', name => 'Иван-чай «Утро & вечер», 50 г',
     price => '149.90', qty => 2, vat => 22, measure => 796],
    [1, id => 2, sku => 'CHEESE-KG', name => 'Сыр «Российский», весовой',
     price => '890.00', qty => '0.5', vat => 10, measure => 166];

# Buys by curl in that version of HTTP, with these fields more; returns the
# number of the order.
sub buys {
    my ($version, @more) = @_;

    my $session = B24::Test::shop()->session(1 => 2, 2 => 0.5);
    my $url = "https://localhost:$ENV{TEST_NGINX_PORT_1}/checkout";
    my @form = map { ('--data-urlencode', $_) }
               "csrf=$session->{csrf}", 'token=token-' . $$ . '-' . ++$token,
               'name=Анна Ёлкина', 'phone=+7 916 555-01-01',
               'email=anna@example.com', 'address=Москва, Тверская, 1',
               'delivery=courier', 'delivery_price=350.00', 'total=1094.80',
               @items, @more;

    open my $in, '-|', 'curl', '-sS', '-i', "--$version", '-m', 20,
         '--cacert', $certificate, '-H', "Cookie: $session->{cookie}", @form,
         '--resolve', "localhost:$ENV{TEST_NGINX_PORT_1}:127.0.0.1", $url
        or die "curl: $!\n";
    my $answer = do { local $/; <$in> };

    return $answer =~ m{^location: /thanks\?order=([^&\s]+)}mi ? $1
           : die "not accepted: $answer\n";
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: HTTP/1.1 and HTTP/2
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @orders = (main::buys('http1.1'), main::buys('http2'),
                  main::buys('http2', 'comment=' . 'x' x 1000));
    my @lines = main::checkouts(3);

    is(scalar @lines, 3, 'three checkouts');
    like($lines[0], qr{^HTTP/1\.1 .* 302 order accepted$}, 'HTTP/1.1');
    like($_, qr{^HTTP/2\.0 .* 302 order accepted$}, 'HTTP/2')
        for @lines[1, 2];

    for my $order (@orders) {
        my $deal = B24::Desk::deal($order, rows => 3);

        is($deal->{contacts}[0]{phones}[0], '+79165550101', "$order: a phone");
        is($deal->{opportunity}, '1094.80', 'an amount');
        is($deal->{rows_sum}, '1094.80', 'and rows');
    }

    is(scalar(B24::Desk::records(count => 3)), 3, 'three records');



=== TEST 2: a browser, by HTTP/3 where nginx has it, else by HTTP/2
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    require B24::Browser;

    my $key = `openssl x509 -in $main::certificate -noout -pubkey | openssl pkey -pubin -outform der`;
    my $pin = Digest::SHA::sha256_base64($key) . '=';
    my $port = $ENV{TEST_NGINX_PORT_1};
    my $browser = B24::Browser->new(options => [
        "--ignore-certificate-errors-spki-list=$pin",
        '--host-resolver-rules=MAP localhost 127.0.0.1',
        $main::http3 ? ('--enable-quic',
                        "--origin-to-force-quic-on=localhost:$port") : ()]);

    $browser->open("https://localhost:$port/");
    is($browser->js('performance.getEntriesByType("navigation")[0]'
                    . '.nextHopProtocol'), $main::http3 ? 'h3' : 'h2',
       'the protocol');

    # the first article, then the checkout's form
    $browser->act('document.querySelector("form").requestSubmit()');
    $browser->open("https://localhost:$port/checkout");
    $browser->js(<<'EOC');
        for (const [name, value] of Object.entries({ name: 'Анна Ёлкина',
                 phone: '+7 916 555-01-01', email: 'anna@example.com' }))
            document.querySelector(`[name=${name}]`).value = value;
        const address = document.querySelector('[name=address]');
        if (address) address.value = 'Москва';
EOC
    $browser->act('document.querySelector("[name=phone]").form'
                  . '.requestSubmit()');

    my ($order) = $browser->js('location.href') =~ /order=([^&]+)/;
    ok($order, 'an order') or diag($browser->js('document.body.innerText'));

    my @lines = main::checkouts(1);
    my $version = $main::http3 ? 'HTTP/3\.0' : 'HTTP/2\.0';
    like($lines[-1], qr{^$version .* 302 order accepted$}, 'accepted');

    my $deal = B24::Desk::deal($order, rows => 1);
    is($deal->{contacts}[0]{phones}[0], '+79165550101', 'a deal');
    is($deal->{rows_sum}, $deal->{opportunity}, 'and its rows');
