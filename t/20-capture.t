# What of the traffic is seen: every way in which a body or an answer can
# travel through nginx gives the same order, everything else passes without
# leaving anything.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => 1, shop => { test => 1 };
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::Http2;
use B24::Orders ();
use JSON::PP ();
use MIME::Base64 ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

our $rules = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  capture;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    50 burst=4000;
    b24_retry   first=100ms max=1s unknown=300ms;

    log_format  b24 '$status $b24_event $b24_state $b24_order $request_uri';

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    b24_shop shop {
        order save {
            uri       /order*;
            accept    status ~^(200|201|302)$;
            accept    response:/error header:X-Error !;
            id        response:/id header:Location ~[?&]order=([^&]+);
            name      request:/name;
            phone     request:/phone;
            email     request:/email;
            total     request:/total;
            currency  RUB;
            items     request:/items {
                name /name;  price /price;  quantity /qty;
            }
        }
    }

    # placed by other methods, told by the answer's header alone
    b24_shop links {
        order link {
            uri       /link*;
            method    GET HEAD PUT;
            accept    status =200;
            accept    header:X-Refused !;
            id        header:X-Order;
            name      query:/name;
            phone     $arg_phone;
        }
    }

    b24_shop other {
        order other {
            uri       /order*;
            id        "other-%{response:/id}";
        }
    }
EOC

our $desk = <<'EOC';
    access_log logs/b24.log b24;

    location = /b24 {
        access_log off;
        b24_status;
    }
EOC

our $proxy = <<'EOC';
        proxy_pass http://recorded;
        proxy_set_header Host $host;
EOC

our $server = <<"EOC";
    $desk
    b24_mirror shop;

    location / {
$proxy
    }
EOC

# ---- what buyers send ----------------------------------------------------

our %order = (
    name => 'Анна Ёлкина', phone => '+79161234567',
    email => 'anna@example.com', total => '1234.50',
    items => [ { name => 'Чай «Утро» & мята', price => '500.25', qty => '2' },
               { name => 'Ложка 100%', price => '234.00', qty => '1' } ],
);

# as the portal must hold it
our $whole = '1234.50 RUB; Анна Ёлкина +79161234567 anna@example.com;'
             . ' Чай «Утро» & мята 2 x 500.25; Ложка 100% 1 x 234.00';

sub escaped {
    my ($text) = @_;

    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;

    return $text =~ s/%20/+/gr;
}

# Name and value of each field, brackets for what is nested.
sub fields {
    my (%extra) = @_;

    return map({ ($_ => $order{$_}) } qw(name phone email total)),
           map({ my $n = $_;
                 map { ("items[$n][$_]" => $order{items}[$n]{$_}) }
                     qw(name price qty) } 0 .. $#{$order{items}}),
           %extra;
}

# A body and its Content-Type.
sub form_body {
    my @fields = fields(@_);
    my @pairs;

    while (my ($name, $value) = splice @fields, 0, 2) {
        push @pairs, escaped($name) . '=' . escaped($value);
    }

    return (join('&', @pairs), 'application/x-www-form-urlencoded');
}

sub json_body {
    my (%extra) = @_;

    # values above are bytes
    return (JSON::PP->new->canonical->encode({ %order, %extra }),
            'application/json');
}

# With a file part of $size bytes in the middle.
sub multipart_body {
    my ($size, %extra) = @_;

    my @fields = fields(%extra);
    my $boundary = '----shop7MA4YWxkTrZu0gW';
    my @parts;

    while (my ($name, $value) = splice @fields, 0, 2) {
        push @parts, qq(Content-Disposition: form-data; name="$name"\r\n\r\n)
                     . $value;
    }

    splice @parts, 2, 0, 'Content-Disposition: form-data; name="name";'
        . qq( filename="name.bin"\r\nContent-Type: application/octet-stream)
        . "\r\n\r\n" . "\0\r\n--\xff" x ($size / 6) if defined $size;

    return (join('', map { "--$boundary\r\n$_\r\n" } @parts)
            . "--$boundary--\r\n", "multipart/form-data; boundary=$boundary");
}

sub chunked {
    my ($body, $size) = @_;
    my $bytes = '';

    for (my $at = 0; $at < length $body; $at += $size) {
        my $piece = substr $body, $at, $size;
        $bytes .= sprintf "%x\r\n%s\r\n", length $piece, $piece;
    }

    return "${bytes}0\r\n\r\n";
}

# The bytes of an order's request.
sub order_request {
    my ($target, $body, $type, @headers) = @_;

    return B24::Client::request_bytes('POST', $target, $body,
                                      'Content-Type' => $type, @headers);
}

# ---- what the shop says --------------------------------------------------

# The next order is accepted with this number.
sub accept_as {
    my ($id, %script) = @_;

    B24::Test::upstream()->script(target => '^/order', times => 1,
        status => 200, body => qq({"id":"$id"}),
        headers => [['Content-Type', 'application/json']], %script);
}

# Sends an order, checks that the buyer gets the shop's answer; returns it.
sub placed {
    my ($id, $request, $label, %script) = @_;

    accept_as($id, %script);

    my $client = B24::Scenario::client();
    $client->send($request);
    my $answer = $client->response;

    Test::More::is($answer->{status}, $script{status} // 200,
                   "$label: the answer");

    return $answer;
}

sub whole {
    my ($id, $label) = @_;

    Test::More::is(B24::Desk::deal_text($id, rows => 2), $whole,
                   "$label: the whole order");
}

# The same with the deal at once.
sub gives_whole {
    my ($id, $request, $label, %script) = @_;

    my $answer = placed($id, $request, $label, %script);

    whole($id, $label);

    return $answer;
}

# An order behind which all earlier ones are certain: one worker keeps their
# sequence.  Returns the records but for its own as text.
my $after = 0;

sub records_before {
    my ($target) = @_;

    my $id = 'after-' . ++$after;

    placed($id, order_request(($target // '/order') . '/after', json_body()),
           'the order after it');
    B24::Scenario::wait_until(sub {
        grep { ($_->{id} // '') eq $id } @{B24::Desk::status()->{orders}}
    }) or Test::More::fail("order $id is not there");

    return B24::Desk::shown(grep { ($_->{id} // '') !~ /^after/ }
                            B24::Desk::records());
}

# Lines of the access log, once there are so many; those of the helpers left
# out.
sub access_log {
    my ($count) = @_;

    my @lines;

    B24::Scenario::wait_until(sub {
        open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/b24.log" or return;
        @lines = grep { !m{ /(?:b24-ready|order/after)} } <$in>;
        chomp @lines;
        return @lines >= $count;
    });

    return @lines;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: bodies in memory
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::gives_whole('1001', main::order_request('/order',
                      main::json_body()), 'JSON');
    main::gives_whole('1002', main::order_request('/order/form?a=b',
                      main::form_body()), 'form with brackets');
    main::gives_whole('1003', main::order_request('/order/parts',
                      main::multipart_body()), 'multipart');
    main::gives_whole('1004', main::order_request('/order/file',
                      main::multipart_body(1200)), 'multipart with a file');
    main::gives_whole('1005', main::order_request('//order/../order%2Fx',
                      main::json_body()), 'another spelling of the address',
                      target => '^//order');

    my ($body, $type) = main::json_body();
    main::gives_whole('1006', main::order_request('/order',
        main::chunked($body, 7), $type, 'Transfer-Encoding' => 'chunked'),
        'chunked');
    main::gives_whole('1007', main::order_request('/order', $body,
        "$type; charset=UTF-8", Expect => '100-continue'),
        'after 100 Continue');

    ($body, $type) = main::form_body();
    main::gives_whole('1008', main::order_request('/order',
        main::chunked($body, 100), $type, 'Transfer-Encoding' => 'chunked'),
        'chunked form');

    is(B24::Desk::counter('candidates'), 8, 'eight candidates');



=== TEST 2: bodies in a file
--- http_config eval: $::rules
--- config eval
"client_body_buffer_size 256;" . $::server
--- scenario
    main::gives_whole('2001', main::order_request('/order',
                      main::json_body()), 'JSON');
    main::gives_whole('2002', main::order_request('/order',
                      main::form_body()), 'form');
    main::gives_whole('2003', main::order_request('/order',
                      main::multipart_body(150_000)),
                      'multipart with a large file');

    my ($body, $type) = main::json_body(note => 'x' x 100_000);
    main::gives_whole('2004', main::order_request('/order',
        main::chunked($body, 3000), $type,
        'Transfer-Encoding' => 'chunked'), 'chunked');

    # the beginning comes with the header and stays in memory
    ($body, $type) = main::json_body(note => 'x' x 20_000);
    my $bytes = main::order_request('/order', $body, $type);
    main::accept_as('2005');
    my $client = client();
    $client->send(substr $bytes, 0, length($bytes) - 15_000);
    upstream()->wait_for(target => '^/nothing', timeout => 0.05);
    $client->send(substr $bytes, -15_000);
    is($client->response->{status}, 200, 'in two pieces: the answer');
    main::whole('2005', 'in two pieces');



=== TEST 3: client_body_in_file_only
--- http_config eval: $::rules
--- config eval
$::desk . "b24_mirror shop;
    location /order/on    { client_body_in_file_only on;    $::proxy }
    location /order/clean { client_body_in_file_only clean; $::proxy }
    location /order/one   { client_body_in_single_buffer on; $::proxy }"
--- scenario
    for my $how (qw(on clean one)) {
        main::gives_whole("30-$how-$_->[0]", main::order_request(
                          "/order/$how", @$_[1, 2]), "$how, $_->[0]")
            for [json => main::json_body()], [form => main::form_body()],
                [parts => main::multipart_body(20_000)];
    }

    my @files = glob "$ENV{TEST_NGINX_SERVROOT}/client_body_temp/*";
    is(scalar @files, 3, 'those of "on" stay, the others are gone');



=== TEST 4: HTTP/2
--- http_config eval: $::rules
--- config eval
"listen 127.0.0.1:\$TEST_NGINX_PORT_1 http2;
client_body_buffer_size 1k;" . $::server
--- scenario
    my $client = B24::Http2->new(port => $ENV{TEST_NGINX_PORT_1});
    my $send = sub {
        my ($path, $body, $type, @headers) = @_;
        return $client->request('POST', $path, $body,
                                'content-type' => $type, @headers);
    };

    for my $case ([4001, 'JSON', main::json_body()],
                  [4002, 'form', main::form_body()],
                  [4003, 'multipart', main::multipart_body(100)],
                  [4004, 'in a file', main::multipart_body(15_000)])
    {
        my ($id, $label, $body, $type) = @$case;

        for my $n (0, 1) {
            my @length = ('content-length' => length $body) x $n;
            my $what = $label . ($n ? ', with a length' : '');

            main::accept_as("$id-$n");
            is($client->response($send->('/order', $body, $type,
                                         @length))->{body},
               qq({"id":"$id-$n"}), "$what: the answer");
            main::whole("$id-$n", $what);
        }
    }

    # in many frames, three streams at a time, the first one is last
    my ($body, $type) = main::json_body();
    my @streams = map { $client->open('POST', "/order/$_",
                                      'content-type' => $type) } 1 .. 3;

    upstream()->script(target => "^/order/$_", status => 200,
                       body => qq({"id":"41-$_"}), hold => $_ == 1)
        for 1 .. 3;

    for (my $at = 0; $at < length $body; $at += 50) {
        $client->data($_, substr($body, $at, 50),
                      end => $at + 50 >= length $body) for @streams;
    }

    upstream()->wait_for(target => '^/order/1', state => 'held');
    is($client->response($streams[$_ - 1])->{body}, qq({"id":"41-$_"}),
       "stream $_ while the first is held") for 2, 3;
    main::whole("41-$_", "stream $_") for 2, 3;
    upstream()->release;
    is($client->response($streams[0])->{body}, '{"id":"41-1"}',
       'the first stream');
    main::whole('41-1', 'the first stream');



=== TEST 5: HTTP/2, streams that end early
--- http_config eval: $::rules
--- config eval
"listen 127.0.0.1:\$TEST_NGINX_PORT_1 http2;" . $::server
--- scenario
    my ($body, $type) = main::json_body();
    my $open = sub {
        my ($client, $path, @headers) = @_;
        return $client->open('POST', $path, 'content-type' => $type,
                             @headers);
    };
    my $connect = sub {
        return B24::Http2->new(port => $ENV{TEST_NGINX_PORT_1});
    };

    # the body never ends: nothing can have been ordered
    my $client = $connect->();
    my $stream = $open->($client, '/order/half');
    $client->data($stream, $body);
    $client->reset($stream);

    $stream = $open->($client, '/order/short', 'content-length' => 1000);
    $client->data($stream, $body, end => 1);
    like($client->response($stream)->{body}, qr/400 Bad Request/,
         'less than announced');
    $stream = $open->($client, '/order/long', 'content-length' => 10);
    $client->data($stream, $body, end => 1);
    like($client->response($stream)->{body}, qr/400 Bad Request/,
         'more than announced');

    my $other = $connect->();
    $other->data($open->($other, '/order/closed'), $body);
    $other->close;

    is(main::records_before(), '', 'no record');
    is(scalar(grep { $_->{target} !~ /after/ } upstream()->journal), 0,
       'the shop saw nothing of it');

    # the shop has it, the buyer is gone
    upstream()->script(target => '^/order/(?:reset|gone)', hold => 1);
    $stream = $client->request('POST', '/order/reset', $body,
                               'content-type' => $type);
    upstream()->wait_for(target => '^/order/reset', state => 'held');
    $client->reset($stream);
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 1 }),
       'a stream reset');

    $other = $connect->();
    $other->request('POST', '/order/gone', $body, 'content-type' => $type);
    upstream()->wait_for(target => '^/order/gone', state => 'held');
    $other->close;
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 2 }),
       'a connection closed');

    # the connection of the first one goes on
    main::accept_as('5001');
    $stream = $client->request('POST', '/order', $body,
                               'content-type' => $type);
    is($client->response($stream)->{body}, '{"id":"5001"}', 'the next one');
    main::whole('5001', 'the next one');



=== TEST 6: proxy_request_buffering off
--- http_config eval: $::rules
--- config eval
"proxy_request_buffering off; proxy_http_version 1.1;
proxy_buffering off; client_body_buffer_size 1k;" . $::server
--- scenario
    my ($body, $type) = main::json_body(note => 'x' x 3000);

    main::gives_whole('5001', main::order_request('/order', $body, $type),
                      'with a length');
    main::gives_whole('5002', main::order_request('/order',
        main::chunked($body, 500), $type, 'Transfer-Encoding' => 'chunked'),
        'chunked');

    for my $entry (upstream()->journal) {
        my ($head, $got) = B24::Recording::head_and_body(
            upstream()->bytes($entry->{number}));
        ($got) = B24::Recording::unchunk($got) if $head =~ /chunked/i;
        is($got, $body, 'the shop got the body as it was sent');
    }



=== TEST 7: answers
--- http_config eval: $::rules
--- config eval
"listen 127.0.0.1:\$TEST_NGINX_PORT_1 sndbuf=32k;
gzip on; gzip_min_length 1; gzip_types *; sendfile on;" . $::server . "
    location /order/unbuffered { proxy_buffering off; $::proxy }
    location /order/small {
        proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k;
        $::proxy
    }"
--- scenario
    my $n = 6000;
    my $try = sub {
        my ($label, $target, %script) = @_;
        my $id = ++$n;
        my $body = delete $script{answer} // '{"id":"ID"}';
        $body =~ s/ID/$id/;
        return main::gives_whole($id, main::order_request($target,
            main::json_body()), $label, body => $body, %script);
    };
    my $long = '{"note":"' . 'длинно ' x 20_000 . '","id":"ID"}';

    for my $target (qw(/order /order/unbuffered /order/small)) {
        $try->("$target, with a length", $target);
        $try->("$target, chunked", $target, chunked => 1);
        $try->("$target, compressed", $target, gzip => 1);
        $try->("$target, compressed and chunked", $target, gzip => 1,
               chunked => 1);
        $try->("$target, until the end of the connection", $target,
               unframed => 1);
        $try->("$target, byte by byte", $target,
               slow => { bytes => 1, pause => 0 });
        is(length $try->("$target, many buffers", $target,
                         answer => $long)->{body},
           length($long) - 2 + 4, 'all of it arrives');
        $try->("$target, many chunks", $target, answer => $long,
               chunked => 1, slow => { bytes => 20_000, pause => 0 });
        $try->("$target, long and compressed", $target, answer => $long,
               gzip => 1);
        $try->("$target, 302", $target, status => 302, answer => '',
               headers => [['Location', '/thanks?a=1&order=' . ($n + 1)]]);
        $try->("$target, 302 and a page", $target, status => 302,
               answer => '<html>gone to</html>',
               headers => [['Content-Type', 'text/html'],
                           ['Location', '/thanks?order=' . ($n + 1)]]);
        $try->("$target, 201 and a notice before the JSON", $target,
               status => 201, answer => "\n<b>Notice</b>: x\n{\"id\":ID}");
    }

    # the shop is through before the buyer reads: nginx keeps the answer in a
    # file
    $long = '{"note":"' . 'x' x 900_000 . '","id":"ID"}';
    my $id = ++$n;
    main::accept_as($id, body => $long =~ s/ID/$id/r);
    my $client = client($ENV{TEST_NGINX_PORT_1});
    $client->send(main::order_request('/order/small', main::json_body()));
    ok(scalar upstream()->wait_for(from => $n - 6001, state => 'done'),
       'a slow buyer: the shop is through');
    is(length $client->response->{body}, length($long) - 2 + 4,
       'a slow buyer: the answer');
    main::whole($id, 'a slow buyer');



=== TEST 8: answers through FastCGI
--- http_config eval
$::rules . 'include $TEST_NGINX_SHOP_RULES;'
--- config eval
(my $off = B24::Test::shop()->location(
    'fastcgi_buffering off; fastcgi_request_buffering off;'))
    =~ s{location /}{location /api/};
$::desk . "b24_mirror sample; client_body_buffer_size 300;"
. B24::Test::shop()->location . $off
--- scenario
    my $session = shop()->session(1 => 2, 2 => 0.5);
    my %order = (
        name => 'Пётр', phone => '+74957654321', email => 'petr@example.com',
        delivery => 'courier', delivery_price => '350.00', total => '1094.80',
        token => 'token-' . $$ . '-0001', csrf => $session->{csrf},
        'items[0][id]' => 1, 'items[0][price]' => '149.90',
        'items[0][qty]' => 2, 'items[1][id]' => 2,
        'items[1][price]' => '890.00', 'items[1][qty]' => '0.5',
    );
    my $body = join '&', map { main::escaped($_) . '='
                               . main::escaped($order{$_}) } sort keys %order;
    my $answer = post('/checkout', $body, Cookie => $session->{cookie});

    is($answer->{status}, 302, 'by form: the answer');
    my ($number) = $answer->{head} =~ /order=([\d-]+)/;
    is(B24::Desk::deal($number, rows => 3)->{opportunity}, '1094.80',
       'by form: the deal');

    $body = JSON::PP->new->canonical->encode({
        (map { $_ => $order{$_} } qw(name phone email delivery
                                     delivery_price total)),
        token => 'token-' . $$ . '-0002', note => 'x' x 1000,
        items => [ { id => 1, price => '149.90', qty => 2 },
                   { id => 2, price => '890.00', qty => 0.5 } ] });
    $answer = post('/api/checkout', $body,
                   'Content-Type' => 'application/json');
    is($answer->{status}, 201, 'by JSON: the answer');
    ($number) = $answer->{body} =~ /"id":"([\d-]+)"/;
    is(B24::Desk::deal($number, rows => 3)->{opportunity}, '1094.80',
       'by JSON: the deal');



=== TEST 9: redirects inside nginx
--- http_config eval: $::rules
--- user_files
>>> accepted.json
{"id":"8000"}
>>> order/index.html
index
--- config eval
$::desk . "
    error_page 418 = \@named;
    location /order/try {
        b24_mirror shop;
        try_files /nothing \@named;
    }
    location /order/uri {
        b24_mirror shop;
        try_files /nothing /other?a=b;
    }
    location /order/error {
        b24_mirror shop;
        proxy_intercept_errors on;
        error_page 404 = /other;
        error_page 403 \@named;
        $::proxy
    }
    location /order/accel {
        b24_mirror shop;
        $::proxy
    }
    location /order/rewrite {
        b24_mirror other;
        rewrite ^ /other last;
    }
    location = /order/ {
        b24_mirror shop;
        root html;
        index nothing.html;
        error_page 403 405 = \@named;
    }
    location /order/twice {
        b24_mirror shop;
        try_files /nothing \@mirrored;
    }
    location /order/denied {
        deny all;
        error_page 403 = /other;
    }
    location \@mirrored {
        b24_mirror other;
        $::proxy
    }
    location \@named {
        b24_mirror off;
        $::proxy
    }
    location /other {
        b24_mirror shop;
        $::proxy
    }
    location /order/after {
        b24_mirror shop;
        $::proxy
    }
    location /file/ {
        internal;
        sendfile on;
        alias html/;
    }"
--- scenario
    my $try = sub {
        my ($id, $target, $label, %script) = @_;
        return main::gives_whole($id, main::order_request($target,
            main::json_body()), $label, %script);
    };

    $try->('8001', '/order/try', 'try_files to a named location');
    $try->('8002', '/order/uri', 'try_files to an address',
           target => '^/other');
    $try->('8003', '/order/rewrite', 'rewritten', target => '^/other');
    $try->('8004', '/order/', 'a folder without an index');
    $try->('8005', '/order/twice', 'two mirrors, the first decides');

    # the first answer is taken over by nginx, the second counts
    upstream()->script(target => '^/order/error', times => 1, status => 404,
                       body => '{"error":1}');
    $try->('8006', '/order/error/1', 'error_page', target => '^/other');

    upstream()->script(target => '^/order/accel', times => 1, status => 200,
                       headers => [['X-Accel-Redirect', '/other/x']]);
    $try->('8007', '/order/accel', 'X-Accel-Redirect', target => '^/other');

    upstream()->script(target => '^/order/accel', times => 1, status => 200,
                       headers => [['X-Accel-Redirect', '@named']]);
    $try->('8008', '/order/accel', 'X-Accel-Redirect to a named location');

    main::placed('', main::order_request('/order/accel', main::json_body()),
                 'X-Accel-Redirect to a file',
                 headers => [['X-Accel-Redirect', '/file/accepted.json']]);
    main::whole('8000', 'X-Accel-Redirect to a file');

    # the mirror comes after an error, for which nginx makes a GET of it
    $try->('8010', '/order/denied', 'error_page before the mirror',
           target => '^/other');

    # error_page without "=" keeps the status of the error
    upstream()->script(target => '^/order/error', times => 1, status => 403,
                       body => 'no');
    main::accept_as('8009');
    is(post('/order/error/2', 'a=1')->{status}, 403, 'an error stays one');
    main::records_before();
    B24::Desk::count_is('rejected', 1, 'and is a rejection');

    is(B24::Desk::shown(grep { $_->{id} !~ /^after/ } B24::Desk::records()),
       join(', ', map { "$_ delivered" } 8001 .. 8008, 8000, 8010),
       'each order once');
    is(B24::Desk::counter('candidates'), 12, 'each decided once');



=== TEST 10: requests that are not orders pass untouched
--- http_config eval: $::rules
--- config eval: "proxy_request_buffering off;" . $::server
--- scenario
    my @requests = (
        ['GET', '/order'], ['HEAD', '/order'], ['OPTIONS', '/order'],
        ['PUT', '/order', 'a=1'], ['DELETE', '/order'],
        ['PATCH', '/order', '{}'], ['GET', '/order', 'a=1'],
        ['POST', '/orde', 'a=1'],
        ['POST', '/Order', 'a=1'], ['POST', '/', 'a=1'],
        ['POST', '/other', 'a=1'], ['POST', '/a/order', 'a=1'],
    );

    for my $request (@requests) {
        my ($method, $target, $body) = @$request;

        upstream()->script(target => '^/', times => 1, status => 200,
                           body => '{"id":"9001"}');

        my $client = client();
        $client->send(request_bytes($method, $target, $body,
                                    'Content-Type' => 'application/json'));
        is($client->response(head => $method eq 'HEAD')->{status}, 200,
           "$method $target");
    }

    # a body that isn't read by us goes on as it comes
    my $client = client();
    upstream()->script(target => '^/upload', hold => 1, status => 204);
    $client->send("POST /upload HTTP/1.1\r\nHost: x\r\n"
                  . "Content-Length: 10\r\nConnection: close\r\n\r\n01234");
    $client->send('56789');
    upstream()->wait_for(target => '^/upload', state => 'held');
    upstream()->release;
    is($client->response->{status}, 204, 'an upload');

    is(B24::Desk::counter('candidates'), 0, 'no candidate');
    is(main::records_before(), '', 'no record');
    is((grep { / 200 - - - | 204 - - - / || /^20\d - - - / }
        main::access_log(13)), 13, 'nothing to say in the log');



=== TEST 11: variables in the access log
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    my @json = main::json_body();
    my $try = sub {
        my ($target, %script) = @_;
        main::placed('10001', main::order_request($target, @json), $target,
                     %script);
    };

    $try->('/order/ok');
    $try->('/order/no', body => '{"error":"no"}');
    $try->('/order/bad', status => 422);
    $try->('/order/cut', body => '{"id":');
    $try->('/order/nothing', body => '{}');
    $try->('/order/id', body => '{"id":" 10-\u0416/\"2\" "}');
    upstream()->script(target => '^/order', hold => 1, times => 1);
    my $client = client();
    $client->send(main::order_request('/order/gone', @json));
    upstream()->wait_for(target => '/order/gone', state => 'held');
    $client->abort;
    get('/page');

    my %line = map { m{ (/\S+)$} ? ($1 => $_) : () } main::access_log(8);

    is($line{'/order/ok'}, '200 order accepted 10001 /order/ok', 'accepted');
    is($line{'/order/no'}, '200 order rejected - /order/no', 'rejected');
    is($line{'/order/bad'}, '422 order rejected - /order/bad',
       'rejected by status');
    is($line{'/order/cut'}, '200 order unconfirmed - /order/cut',
       'unreadable');
    is($line{'/order/nothing'}, '200 order unconfirmed - /order/nothing',
       'without a number');
    like($line{'/order/id'}, qr{^200 order accepted 10-\S+/\\x222\\x22 /},
         'a number that needs escaping');
    is($line{'/order/gone'}, '499 order unconfirmed - /order/gone',
       'the buyer gone');
    is($line{'/page'}, '404 - - - /page', 'not ours');



=== TEST 12: log_subrequest
--- http_config eval: $::rules
--- config eval: "log_subrequest on;" . $::server
--- scenario
    main::gives_whole($_, main::order_request("/order/$_",
                      main::json_body()), $_) for 11001 .. 11003;
    is(main::records_before(), join(', ', map { "$_ delivered" }
                                              11001 .. 11003), 'once each');
    is(join("\n", main::access_log(3)),
       join("\n", map { "200 order accepted $_ /order/$_" } 11001 .. 11003),
       'one line each');



=== TEST 13: the buyer goes before the answer
--- http_config eval: $::rules
--- config eval
$::server . "
    location /order/stays { proxy_ignore_client_abort on; $::proxy }
    location /order/action { post_action /action; $::proxy }
    location /action { proxy_pass http://recorded/action; }"
--- scenario
    my $go = sub {
        my ($target, $id) = @_;

        main::accept_as($id, hold => 1, target => "^$target");

        my $client = client();
        $client->send(main::order_request($target, main::json_body()));
        my ($held) = upstream()->wait_for(target => "^$target",
                                          state => 'held')
            or fail("$target is not held");
        $client->abort;
        return $target;
    };

    $go->('/order/gone', '12001');
    ok(upstream()->wait_for(target => '^/order/gone', state => 'aborted'),
       'nginx ends the request');
    is(main::records_before(), '- unconfirmed', 'kept as unconfirmed');
    my ($record) = B24::Desk::records();
    like($record->{cause}, qr/answer/, "cause: $record->{cause}");

    $go->('/order/stays', '12002');
    upstream()->release(target => '/order/stays');
    main::whole('12002', 'proxy_ignore_client_abort');

    upstream()->script(target => '^/action', status => 200,
                       body => '{"id":"12999"}');
    $go->('/order/action', '12003');
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 2 }),
       'post_action');
    ok(scalar upstream()->wait_for(target => '^/action'), 'it ran');
    is(main::records_before(),
       '- unconfirmed, 12002 delivered, - unconfirmed',
       'its answer is not that of the shop');



=== TEST 14: no answer from the shop
--- http_config eval: $::rules
--- config eval
$::server . "
    proxy_next_upstream off;
    location /order/refused {
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_2;
    }
    location /order/page {
        error_page 502 504 /sorry.html;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_2;
    }
    location /order/sorry {
        error_page 502 504 /sorry.html;
        $::proxy
    }
    location /order/timeout { proxy_read_timeout 200ms; $::proxy }
    location /order/header { proxy_buffer_size 1k; $::proxy }
    location /order/other {
        error_page 502 = \@fallback;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_2;
    }
    location /order/second { error_page 502 = \@fallback; $::proxy }
    location \@fallback { $::proxy }
    location = /sorry.html { root html; }"
--- user_files
>>> sorry.html
Sorry.
--- scenario
    my @json = main::json_body();
    my $try = sub {
        my ($target, $status) = @_;
        my $client = client();
        $client->send(main::order_request($target, @json));
        is($client->response->{status}, $status, "$target: $status");
    };

    # the shop has seen nothing of it
    $try->('/order/refused', 502);
    $try->('/order/page', 502);
    is(main::records_before(), '', 'refused: nothing can have been ordered');
    B24::Desk::count_is('rejected', 0, 'nor was it rejected');

    upstream()->script(target => '^/order/closed', close => 1);
    $try->('/order/closed', 502);
    is(main::records_before(), '- unconfirmed', 'closed without an answer');

    upstream()->script(target => '^/order/timeout', hold => 1);
    $try->('/order/timeout', 504);
    is(main::records_before(), '- unconfirmed, - unconfirmed', 'timed out');

    upstream()->script(target => '^/order/sorry', close => 1);
    $try->('/order/sorry', 502);
    is(main::records_before(),
       '- unconfirmed, - unconfirmed, - unconfirmed',
       'closed, and a page of ours in its place');

    # an answer that says 500 or 503 is an answer
    for my $status (500, 503) {
        upstream()->script(target => "^/order/says/$status", body => 'x',
                           status => $status);
        $try->("/order/says/$status", $status);
    }
    is(main::records_before(),
       '- unconfirmed, - unconfirmed, - unconfirmed', 'no record');
    B24::Desk::count_is('rejected', 2, 'but a rejection each');

    # an answer that breaks off
    upstream()->script(target => '^/order/half', status => 200, cut => 60,
                       body => '{"id":"13001","a":"' . 'x' x 100 . '"}');
    my $client = client();
    $client->send(main::order_request('/order/half', @json));
    like($client->until_eof, qr/^HTTP\/1.1 200 /, 'half an answer');
    $client->close;
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 4 }), 'seen');
    is(main::records_before(),
       join(', ', ('- unconfirmed') x 4), 'unconfirmed');

    # an answer that nginx doesn't take
    upstream()->script(target => '^/order/header', status => 200,
                       body => '{"id":"13002"}',
                       headers => [['X-Long', 'x' x 4000]]);
    $try->('/order/header', 502);
    is(main::records_before(), join(', ', ('- unconfirmed') x 5),
       'too big a header');

    # another one answers in the shop's place
    main::accept_as('13003');
    $try->('/order/other', 200);
    is(main::records_before(),
       join(', ', ('- unconfirmed') x 5, '13003 delivered'),
       'the first one had seen nothing');

    upstream()->script(target => '^/order/second', close => 1, times => 1);
    main::accept_as('13004');
    $try->('/order/second', 200);
    is(main::records_before(), join(', ', ('- unconfirmed') x 5,
       '13003 delivered', '13004 unconfirmed'),
       'the first one may hold the order');



=== TEST 15: a gateway between nginx and the shop
--- http_config eval: $::rules
--- config eval
$::server . "
    proxy_intercept_errors on;
    location /order/page  { error_page 502 504 /sorry.html; $::proxy }
    location /order/fine  { error_page 502 504 =200 /sorry.html; $::proxy }
    location /order/other { error_page 502 504 = \@fallback; $::proxy }
    location /order/nowhere {
        set \$nowhere nowhere.invalid;
        proxy_pass http://\$nowhere;
    }
    location \@fallback { $::proxy }
    location = /sorry.html { root html; }"
--- user_files
>>> sorry.html
Sorry.
--- scenario
    my @json = main::json_body();
    my $n = 0;
    my $try = sub {
        my ($target, $says, $status) = @_;

        upstream()->script(target => "^$target", status => $says, times => 1,
            headers => [['Content-Type', 'text/html']],
            body => "<html>$says</html>") if $says;

        my $client = client();
        $client->send(main::order_request($target, @json));
        is($client->response->{status}, $status, "$target: $status");
    };

    for my $says (502, 504) {
        for (['/order/says', $says], ['/order/page', $says],
             ['/order/fine', 200])
        {
            $try->($_->[0], $says, $_->[1]);
            is(main::records_before(), join(', ', ('- unconfirmed') x ++$n),
               'it may have the order');
        }
    }

    my ($record) = B24::Desk::records();
    like($record->{cause}, qr/^a gateway answered/, 'why');
    is(B24::Desk::counter('unreadable'), 0, 'not for its rules');

    # another one answers in the place of a gateway's
    upstream()->script(target => '^/order/other', status => 504, times => 1);
    main::accept_as('13005');
    $try->('/order/other', 0, 200);
    is(main::records_before(), join(', ', ('- unconfirmed') x $n,
       '13005 unconfirmed'), 'the first one may hold the order');

    # nginx's own, which has sent nothing
    $try->('/order/nowhere', 0, 502);
    is(main::records_before(), join(', ', ('- unconfirmed') x $n,
       '13005 unconfirmed'), 'no address: nothing can have been ordered');
    B24::Desk::count_is('rejected', 0, 'nor was it rejected');



=== TEST 16: keep-alive and pipelined requests on one connection
--- http_config eval: $::rules
--- config eval
"keepalive_requests 1000;" . $::server
--- scenario
    my @bodies = ([main::json_body()], [main::form_body()],
                  [main::multipart_body(300)]);
    my @targets = map { "/order/$_" } 1 .. 12;
    my @requests = map {
        main::order_request($targets[$_], @{$bodies[$_ % 3]},
                            Connection => 'keep-alive')
    } 0 .. 11;

    upstream()->script(target => "^/order/$_\$", status => 200,
                       body => qq({"id":"14-$_"})) for 1 .. 12;

    my $client = client();

    for my $n (0 .. 5) {
        $client->send($requests[$n]);
        is($client->response->{body}, '{"id":"14-' . ($n + 1) . '"}',
           'answer ' . ($n + 1));
    }

    $client->send(join '', @requests[6 .. 11]);
    is($client->response->{body}, "{\"id\":\"14-$_\"}", "answer $_")
        for 7 .. 12;
    ok($client->is_idle, 'the connection stays');

    main::whole("14-$_", "order $_") for 1 .. 12;
    is(main::records_before(),
       join(', ', map { "14-$_ delivered" } 1 .. 12), 'once each, in order');



=== TEST 17: post_action, auth, limit_except
--- http_config eval: $::rules
--- user_files
>>> users
buyer:{PLAIN}secret
--- config eval
$::server . "
    location /order/action { post_action /action; $::proxy }
    location = /action {
        b24_mirror other;
        proxy_pass http://recorded/order/action-after;
    }
    location /order/auth {
        auth_basic shop;
        auth_basic_user_file ../html/users;
        $::proxy
    }
    location /order/subrequest { auth_request /may; $::proxy }
    location = /may { internal; proxy_pass http://recorded/may;
        proxy_pass_request_body off; proxy_set_header Content-Length ''; }
    location /order/except { limit_except GET { deny all; } $::proxy }
    location /order/limited { client_max_body_size 10; $::proxy }
    location /order/returned { return 200 '{\"id\":\"15999\"}'; }
    location /order/satisfied {
        satisfy any; deny all;
        auth_basic shop; auth_basic_user_file ../html/users; $::proxy }"
--- scenario
    my @json = main::json_body();
    my @known = (Authorization => 'Basic YnV5ZXI6c2VjcmV0');

    upstream()->script(target => '^/order/action-after', status => 200,
                       body => '{"id":"15000"}');
    main::gives_whole('15001', main::order_request('/order/action', @json),
                      'post_action');
    ok(scalar upstream()->wait_for(target => '^/order/action-after'),
       'it ran');

    # the body is not waited for when nobody may send it
    for my $target (qw(/order/auth /order/except /order/satisfied)) {
        my $client = client();
        $client->send("POST $target HTTP/1.1\r\nHost: x\r\nContent-Length: "
                      . "100\r\nContent-Type: application/json\r\n"
                      . "Connection: close\r\n\r\n");
        like($client->response->{status}, qr/^40[13]$/, "$target: refused");
    }

    upstream()->script(target => '^/may', times => 1, status => 403);
    my $client = client();
    $client->send(main::order_request('/order/subrequest', @json));
    is($client->response->{status}, 403, 'auth_request refuses');

    $client = client();
    $client->send(main::order_request('/order/limited', @json));
    is($client->response->{status}, 413, 'too large for the shop');
    is(post('/order/returned', 'a=1')->{status}, 200, 'no shop at all');

    is(B24::Desk::counter('candidates'), 1, 'one candidate so far');

    main::gives_whole('15002', main::order_request('/order/auth', @json,
                      @known), 'a known user');
    main::gives_whole('15003', main::order_request('/order/satisfied', @json,
                      @known), 'satisfy any');
    upstream()->script(target => '^/may', times => 1, status => 204);
    main::gives_whole('15004', main::order_request('/order/subrequest',
                      @json), 'auth_request agrees');

    is(main::records_before(), join(', ', map { "$_ delivered" }
                                              15001 .. 15004), 'no other');
    B24::Desk::count_is('rejected', 0, 'none rejected');



=== TEST 18: orders by other methods
--- http_config eval: $::rules
--- config eval
$::desk . "
    location / {
        b24_mirror links;
        $::proxy
    }
    location /order {
        b24_mirror shop;
        $::proxy
    }"
--- scenario
    my $send = sub {
        my ($method, $id, @headers) = @_;

        upstream()->script(target => '^/link', times => 1, status => 200,
                           headers => [['X-Order', $id], @headers],
                           body => 'a page');
        my $client = client();
        $client->send(request_bytes($method,
            '/link/?name=%D0%98%D0%B2%D0%B0%D0%BD&phone=89161234567'));
        is($client->response(head => $method eq 'HEAD')->{status}, 200,
           "$method $id");
    };

    $send->('GET', '17001');
    $send->('HEAD', '17002');
    $send->('PUT', '17003');
    $send->('POST', '17004');
    $send->('GET', '17005', ['X-Refused', '1']);
    $send->('HEAD', '17006', ['X-Refused', '1']);

    is(main::records_before(),
       join(', ', map { "$_ delivered" } 17001 .. 17003), 'three orders');
    B24::Desk::count_is('rejected', 2, 'two refused');

    # the last order, placed to wait for, gives this buyer its e-mail
    like(B24::Desk::deal_text('17002'),
         qr/; Иван \+79161234567(?: anna\@example\.com)?$/,
         'by HEAD: the buyer');
    is(join("\n", grep { /order/ } main::access_log(6)),
       join("\n", map({ "200 order accepted $_ /link/?name="
                        . '%D0%98%D0%B2%D0%B0%D0%BD&phone=89161234567' }
                      17001 .. 17003),
                  map({ '200 order rejected - /link/?name='
                        . '%D0%98%D0%B2%D0%B0%D0%BD&phone=89161234567' }
                      1 .. 2)), 'their lines in the log');



=== TEST 19: filters that change what the buyer sees, other upstreams
--- http_config eval
$::rules . '
    upstream two {
        server 127.0.0.1:$TEST_NGINX_PORT_2;
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0 backup;
    }
    upstream kept {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
        keepalive 4;
    }'
--- expected_alert
upstream prematurely closed
--- config eval
$::server . "
    location /order/sub {
        sub_filter_types *; sub_filter_once off;
        sub_filter 18001 other; sub_filter more less;
        $::proxy
    }
    location /order/ssi { ssi on; ssi_types *; $::proxy }
    location /order/add { add_after_body /tail; addition_types *; $::proxy }
    location /order/gunzip { gunzip on; $::proxy }
    location /order/two { proxy_pass http://two; }
    location /order/kept {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection '';
    }
    location = /tail { return 200 'tail'; }"
--- scenario
    my @json = main::json_body();
    my $try = sub {
        my ($id, $target, $label, %script) = @_;
        return main::gives_whole($id, main::order_request($target, @json),
                                 $label, %script)->{body};
    };

    is($try->('18001', '/order/sub', 'sub_filter'), '{"id":"other"}',
       'the buyer sees another number');
    is($try->('18002', '/order/ssi', 'SSI', body => '{"id":18002,"a":"'
              . "<!--# include virtual='/tail' -->\"}"),
       '{"id":18002,"a":"tail"}', 'the page is put together');
    is($try->('18003', '/order/add', 'add_after_body'),
       '{"id":"18003"}tail', 'something is added');
    is($try->('18004', '/order/gunzip', 'gunzip', gzip => 1),
       '{"id":"18004"}', 'nginx decompresses');

    $try->('18005', '/order/two', 'the second upstream takes it');
    $try->("1800$_", '/order/kept', "connection kept, $_") for 6 .. 9;

    # a kept connection that the shop closes as the request comes
    upstream()->script(target => '^/order/kept', times => 1, close => 1);
    is(post('/order/kept', $json[0], 'Content-Type' => $json[1])->{status},
       502, 'closed');

    is(main::records_before(), join(', ', (map { "$_ delivered" }
                                               18001 .. 18009),
                                    '- unconfirmed'), 'once each');



=== TEST 20: variables of the request and of the answer
--- http_config eval
$::rules . q{
    log_format late '$upstream_status "$upstream_http_x_note"'
                    ' "$sent_http_x_note" $body_bytes_sent';

    b24_shop variables {
        order {
            uri       /order*;
            when      $http_x_buyer;
            when      $arg_test !;
            accept    $upstream_http_x_note;
            accept    $status =201;
            id        response:/id;
            name      $http_x_buyer;
            phone     $arg_phone;
            comment   "$sent_http_x_note $upstream_status";
            deal      UTM_SOURCE $cookie_utm;
        }
    }
}
--- config eval
(my $desk = $::desk) =~ s/b24;/late;/;
$desk . "
    location / {
        b24_mirror variables;
        b24_deal TITLE '\$request_method \$upstream_status \$sent_http_x_note';
        b24_deal UTM_MEDIUM \$arg_medium;
        b24_contact POST \"\$http_user_agent\";
        $::proxy
    }"
--- scenario
    my @headers = ('X-Buyer' => 'Anna', Cookie => 'utm=mail; a=b',
                   'User-Agent' => 'Tester');
    my $send = sub {
        my ($target, $note, @more) = @_;

        upstream()->script(target => '^/order', times => 1, status => 201,
            body => '{"id":"19001"}',
            defined $note ? (headers => [['X-Note', $note]]) : ());
        is(post($target, 'a=1', @headers, @more)->{status}, 201, $target);
    };

    $send->('/order?phone=9161234567&medium=cpc', 'a note');
    my $deal = B24::Desk::deal('19001');

    is($deal->{title}, 'POST 201 a note', 'the title');
    is($deal->{comments}, 'a note 201', 'the comment');
    is("$deal->{fields}{UTM_SOURCE} $deal->{fields}{UTM_MEDIUM}", 'mail cpc',
       'where the buyer came from');
    is(join(' ', map { ($_->{name}, @{$_->{phones}}, $_->{fields}{POST}) }
                     @{$deal->{contacts}}), 'Anna +79161234567 Tester',
       'the buyer');

    # candidates are told by what the request has
    $send->('/order?test=1', 'a note');
    $send->('/order', undef);
    @headers = ();
    $send->('/order?phone=1', 'a note');

    ok(wait_until(sub { B24::Desk::count('rejected') == 1 }),
       'accepted by a header of the answer only');
    is(B24::Desk::counter('candidates'), 2, 'two candidates');
    is(B24::Desk::shown(B24::Desk::records()), '19001 delivered',
       'one record');

    # that they were asked for early must not show in the log
    my @lines;
    wait_until(sub {
        open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/b24.log" or return;
        @lines = grep { !/^-/ } <$in>;
        return @lines >= 4;
    });
    is(join('', @lines), qq(201 "a note" "a note" 14\n) x 2
       . qq(201 "-" "-" 14\n) . qq(201 "a note" "a note" 14\n), 'the log');



=== TEST 21: an order that the answer alone refuses makes no subrequest
--- http_config eval
$::rules . '
    b24_shop late {
        order late {
            uri     /late*;
            accept  response:/error !;
            accept  $upstream_status =200;
            id      response:/id;
        }
    }
    b24_shop body {
        order body {
            uri     /body*;
            when    request:/name;
            accept  response:/error !;
            id      response:/id;
        }
    }
    b24_shop session {
        session $cookie_sid;
        collect page {
            uri     /session/both*;
            phone   request:/phone;
        }
        order session {
            uri     /session*;
            accept  response:/error !;
            id      response:/id;
        }
    }'
--- config eval
$::desk . CORE::join '', map { my ($name, $lines) = @$_; "
    location /$name { $lines $::proxy }" }
    ['order', 'b24_mirror shop;'],
    ['order/async', 'b24_mirror shop; b24_journal async;'],
    ['order/sync', 'b24_mirror shop; b24_journal sync;'],
    ['order/title', 'b24_mirror shop; b24_deal TITLE $upstream_status;'],
    map { [$_, "b24_mirror $_;"] } qw(late body session)
--- log_level: debug
--- scenario
    SKIP: {
        skip 'this nginx has no debug log', 1
            if qx($ENV{TEST_NGINX_BINARY} -V 2>&1) !~ /--with-debug/;

        my @json = main::json_body();
        my ($lines, $rejected) = (0, 0);
        my $try = sub {
            my ($target, $state, $subrequests, %script) = @_;

            my $before = error_log_lines(qr{http subrequest "/b24\?"});

            main::placed('20001', main::order_request($target, @json),
                         $target, target => "^$target", %script);

            # written when all is over
            my @lines = main::access_log(++$lines);
            my $status = $script{status} // 200;

            is($lines[-1], "$status order $state $target", "$target: $state");
            is(error_log_lines(qr{http subrequest "/b24\?"}) - $before,
               $subrequests, "$target: $subrequests");

            $rejected++ if $state =~ /rejected/;
        };
        my @no = (body => '{"error":"no"}');

        $try->('/order/yes', 'accepted 20001', 1);
        $try->('/order/no', 'rejected -', 0, @no);
        $try->('/order/status', 'rejected -', 0, status => 422);
        $try->('/order/empty', 'rejected -', 0, status => 404, body => '');
        $try->('/order/async', 'rejected -', 0, @no);
        $try->('/order/sync', 'rejected -', 0, @no);
        $try->('/order/async/yes', 'accepted 20001', 1);
        $try->('/order/sync/yes', 'accepted 20001', 1);

        # what can't be told
        $try->('/order/cut', 'unconfirmed -', 1, body => '{"error":');
        $try->('/order/nothing', 'unconfirmed -', 1, body => '{}');
        $try->('/order/none', 'unconfirmed -', 1, status => 502, @no);

        # what has to wait, or has more to give
        $try->('/order/title', 'rejected -', 1, @no);
        $try->('/late/no', 'rejected -', 1, @no);
        $try->('/body/no', 'rejected -', 1, @no);
        $try->('/session/no', 'rejected -', 0, @no);
        $try->('/session/both', 'rejected -', 1, @no);
        $try->('/order/large', '- -', 1,
               body => '{"error":"' . 'x' x 70_000 . '"}');

        main::records_before();
        B24::Desk::count_is('rejected', $rejected + 1, 'each is counted');
    }



=== TEST 22: answers about as large as the first piece of memory for them
--- http_config eval: $::rules
--- config eval: "b24_capture total=64k;" . $::server
--- scenario
    my @json = main::json_body();
    my ($id, @ids) = (21000);
    my $refused = 0;

    my $try = sub {
        my ($name, $size, $last) = @_;

        my $value = $name eq 'id' ? ++$id : 'no';
        my $body = sprintf '{"a":"%s","%s":"%s"}',
                           'x' x ($size - length qq({"a":"","$name":"$value"})),
                           $name, $value;

        # in chunks, the last of which comes late; else with its length
        my %script = (body => $body);

        if (defined $last) {
            my @parts = grep { length }
                        (substr($body, 0, $size - $last),
                         substr $body, $size - $last);
            my $end = $last ? sprintf("%x\r\n%s\r\n", $last, pop @parts) : '';
            $end .= "0\r\n\r\n";
            my $raw = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      . "Transfer-Encoding: chunked\r\n\r\n";
            $raw .= sprintf "%x\r\n%s\r\n", length $_, $_ for @parts;
            %script = (raw_base64 => MIME::Base64::encode_base64("$raw$end"),
                       slow => { bytes => length $raw, pause => 0.1 });
        }

        my $answer = main::placed($value,
                                  main::order_request('/order', @json),
                                  "$name, $size, " . ($last // 'whole'),
                                  %script);
        is($answer->{body}, $body, 'the whole answer');

        push @ids, $id if $name eq 'id';
        $refused++ if $name ne 'id';
    };

    for my $size (511 .. 513, 4095 .. 4097, 8192, 8193) {
        for my $name (qw(id error)) {
            $try->($name, $size);
            $try->($name, $size, 0);
            $try->($name, $size, 1);
            $try->($name, $size, $size == 513 ? 1 : 20);
        }
    }

    is(main::records_before(), join(', ', map { "$_ delivered" } @ids),
       'each once');
    B24::Desk::count_is('rejected', $refused, 'none of those refused');



=== TEST 23: total= bounds what is read, and not what waits for the disk
--- http_config eval: B24::Orders::http()
--- config eval: B24::Orders::server(more => 'b24_capture total=64k;')
--- scenario
    is(place(1), 1, 'an order');
    delivered_once(1);

    my $lock = lock_queue();
    is(place(map { [$_, comment => 'x' x 500] } 2 .. 121), 120,
       'orders while nothing can be committed');
    unlock_queue($lock);

    is(B24::Desk::counter('oversize'), 0, 'all of them were read');
    delivered_once(1 .. 121);
