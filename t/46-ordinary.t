# A web server's ordinary traffic, with the mirror on for the whole of http{}:
# what clients and upstreams get, and what stands in the logs, is what an nginx
# without the module gives and writes.  Once with the rules of a preset, which
# want nothing of it, and once with rules that want everything.

use strict;
use warnings;

use lib 't/lib';

use B24::Test upstream => 1, shop => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Http2;
use B24::Recording ();
use B24::SideBySide;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);
log_level('info');

# nothing is sent anywhere
our $module = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  ordinary;
    b24_webhook http://127.0.0.1:9/rest/1/none/ dry;
EOC

our $preset = $module
    . B24::Recording::read_file("$ENV{TEST_NGINX_PRESETS}/bitrix.conf")
    . "b24_mirror bitrix;\n";

our $everything = $module . <<'EOC';
    b24_shop everything {
        order any {
            uri      /*;
            method   GET HEAD POST PUT DELETE OPTIONS MKCOL COPY MOVE PROPFIND;
            accept   status ~^[1-4];
            id       $request_id;
            name     request:/a  response:/a;
            comment  response:  "~^.{1,20}";
        }
    }
    b24_mirror everything;
EOC

our $http = <<'EOC';
    log_format traffic '$remote_addr $host [$request] $status $bytes_sent'
        ' $body_bytes_sent $request_length $request_completion $pipe'
        ' $server_protocol $connection_requests "$sent_http_content_type"'
        ' "$sent_http_location" $sent_http_content_length'
        ' $sent_http_etag $upstream_status $upstream_response_length'
        ' $upstream_cache_status $gzip_ratio $uri $request_filename'
        ' "$http_referer" "$http_user_agent" $request_body_file';
    access_log      logs/traffic.log traffic;
    log_subrequest  on;

    proxy_cache_path   $TEST_NGINX_SERVROOT/proxy_cache keys_zone=proxied:1m;
    fastcgi_cache_path $TEST_NGINX_SERVROOT/php_cache keys_zone=php:1m;
    limit_req_zone     $server_name zone=once:1m rate=1r/m;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    upstream kept {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
        keepalive 4;
    }

    # the first one isn't there
    upstream next {
        server 127.0.0.1:1 max_fails=0;
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0 backup;
    }

    server {
        listen       $TEST_NGINX_CLIENT_PORT;
        server_name  few;
        keepalive_requests 3;
        client_header_buffer_size 256;
        large_client_header_buffers 2 512;
    }

    # the same in HTTP/2
    server {
        listen       127.0.0.1:$TEST_NGINX_PORT_1 http2;
        server_name  localhost;
        client_max_body_size 30m;
PLACES
    }
EOC

our $server = <<'EOC';
    index        index.html;
    expires      epoch;
    add_header   X-Always yes always;
    msie_padding on;

    port_in_redirect   off;
    lingering_timeout  300ms;

    proxy_set_header Host $host;

    location = /b24-sentinel { return 200 "sentinel\n"; }

    location /list/     { autoindex on; }
    location /gz/       { gzip on; gzip_types *; gzip_min_length 1;
                          gzip_static on; gzip_vary on; }
    location /denied/   { deny all; }
    location /basic/    { auth_basic here; auth_basic_user_file
                          $TEST_NGINX_SERVROOT/html/passwords; }
    location /gone/     { return 301 /page.html; }
    location /empty/    { return 204; }
    location /closed/   { return 444; }
    location /text/     { return 200 "text of $request_method\n"; }
    location /rewritten/ { rewrite ^/rewritten(/.*)$ $1 last; }
    location /moved/    { rewrite ^/moved(/.*)$ $1 permanent; }
    location /if/       { if ($arg_x = 1) { return 403; }
                          if ($arg_x = 2) { rewrite ^ /page.html last; }
                          return 200 if; }
    location /try/      { try_files $uri $uri/ /page.html; }
    location /tried/    { try_files $uri @shop; }
    location @shop      { proxy_pass http://recorded; }
    location /limited/  { limit_req zone=once burst=1 nodelay; return 200 yes; }
    location /gets/     { limit_except GET { deny all; } }
    location /rated/    { limit_rate 400k; limit_rate_after 1k; }
    location /gif/      { empty_gif; }
    location /small/    { client_max_body_size 10; proxy_pass http://recorded; }

    location /errors/ {
        error_page 404 /page.html;
        error_page 403 =200 /text/forbidden;
        error_page 405 @shop;
        error_page 500 502 503 504 =503 /list/;
        recursive_error_pages on;

        location /errors/forbidden { deny all; }
        location /errors/proxied { proxy_intercept_errors on;
                                   proxy_pass http://recorded; }
        location /errors/dead { proxy_pass http://127.0.0.1:1; }
    }

    location /proxy/      { proxy_pass http://recorded; }
    location /stream/     { proxy_pass http://kept; proxy_http_version 1.1;
                            proxy_set_header Connection '';
                            proxy_buffering off; }
    location /unbuffered/ { proxy_pass http://kept; proxy_http_version 1.1;
                            proxy_set_header Connection '';
                            proxy_request_buffering off; }
    location /files/      { proxy_pass http://recorded;
                            client_body_in_file_only clean; }
    location /in-files/   { proxy_pass http://recorded; proxy_buffers 2 1k;
                            proxy_buffer_size 1k; proxy_busy_buffers_size 1k;
                            client_body_buffer_size 1k; }
    location /upgrade/    { proxy_pass http://recorded; proxy_http_version 1.1;
                            proxy_set_header Upgrade $http_upgrade;
                            proxy_set_header Connection upgrade; }
    location /next/       { proxy_pass http://next; }
    location /dead/       { proxy_pass http://127.0.0.1:1; }
    location /slow/       { proxy_pass http://recorded;
                            proxy_read_timeout 200ms; }

    location /cached/ {
        proxy_pass          http://recorded;
        proxy_cache         proxied;
        proxy_cache_valid   200 1h;
        proxy_cache_bypass  $arg_b;
        proxy_cache_key     $uri;
        proxy_cache_lock    on;
        proxy_cache_use_stale error timeout http_500;
        add_header          X-Cache $upstream_cache_status;
    }

    location /accel/    { proxy_pass http://recorded; }
    location /internal/ { internal; alias $TEST_NGINX_SERVROOT/html/; }

    location /php/ {
        fastcgi_pass  unix:$TEST_NGINX_FPM_SOCKET;
        fastcgi_param SCRIPT_FILENAME $TEST_NGINX_SERVROOT/html/echo.php;
        fastcgi_param REQUEST_METHOD  $request_method;
        fastcgi_param REQUEST_URI     $request_uri;
        fastcgi_param CONTENT_LENGTH  $content_length;
        fastcgi_param CONTENT_TYPE    $content_type;
        fastcgi_keep_conn on;

        location /php/cached/ {
            fastcgi_cache       php;
            fastcgi_cache_key   $uri;
            fastcgi_cache_valid 200 1h;
            add_header          X-Cache $upstream_cache_status;
        }
    }

    location /ssi/      { ssi on; }
    location /added/    { add_before_body /text/before; add_after_body
                          /proxy/after; addition_types *; }
    location /replaced/ { sub_filter page PAGE; sub_filter_once off;
                          sub_filter_last_modified on; }
    location /asked/    { auth_request /may; }
    location = /may     { internal; proxy_pass http://recorded;
                          proxy_pass_request_body off;
                          proxy_set_header Content-Length ""; }
    location /mirrored/ { mirror /text/mirror; proxy_pass http://recorded; }

    location /dav/      { dav_methods PUT DELETE MKCOL COPY MOVE;
                          create_full_put_path on; }
EOC

$http =~ s/^PLACES$/$server/m;

my $page = '<html><body>' . join(' ', map { "page $_" } 1 .. 500)
           . "</body></html>\n";

# all of one time: it is in their answers
our $files = [map { [$_->[0], $_->[1], '202601020304.05'] }
    ['passwords', "anna:{PLAIN}secret\n"],
    ['page.html', $page], ['index.html', 'index'], ['big.txt', 'x' x 300_000],
    ['empty.html', ''], ['list/a.txt', 'a'], ['list/b/c.html', 'c'],
    ['gz/page.html', $page], ['gz/ready.txt', 'plain'],
    ['gz/ready.txt.gz', 'this is what is sent'],
    ['denied/page.html', $page], ['basic/page.html', $page],
    ['try/dir/index.html', 'tried'], ['gets/page.html', $page],
    ['rated/big.txt', 'x' x 30_000], ['tried/page.html', $page],
    ['errors/page.html', $page], ['replaced/page.html', $page],
    ['asked/page.html', $page], ['added/page.html', $page],
    ['dav/there.txt', 'there'],
    ['ssi/page.html', 'one <!--# include virtual="/page.html" --> two '
        . '<!--# include virtual="/proxy/included" wait="yes" --> '
        . '<!--# set var="a" value="b" --><!--# echo var="a" --> three'
        . '<!--# include virtual="/php/included" -->'
        . '<!--# if expr="$arg_x = 1" -->x<!--# endif -->'],
    ['echo.php', <<'EOC'],
<?php
$body = file_get_contents('php://input');
if (strpos($_SERVER['REQUEST_URI'], 'fails')) {
    header('Status: 500');
}
if (strpos($_SERVER['REQUEST_URI'], 'accel')) {
    header('X-Accel-Redirect: /internal/page.html');
}
header_remove('X-Powered-By');
header('X-Body: ' . strlen($body));
echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], ' ', md5($body);
EOC
];


# ---- what is sent ----------------------------------------------------------

my @form = ('Content-Type' => 'application/x-www-form-urlencoded');
my @chunked = ('Transfer-Encoding' => 'chunked');
my $etag = sprintf '"%x-%x"', 1767323045, length $page;
my $time = 'Fri, 02 Jan 2026 03:04:05 GMT';

sub request {
    my ($method, $target, $body, @headers) = @_;

    return { name => "$method $target @headers", method => $method,
             request => B24::Client::request_bytes($method, $target, $body,
                            Connection => undef, 'User-Agent' => 'test',
                            @headers) };
}

sub bytes {
    my ($name, $bytes) = @_;

    return { name => $name, method => 'GET', request => $bytes };
}

sub chunks {
    my ($body, $size, $trailer) = @_;

    return join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                    unpack "(a$size)*", $body) . "0\r\n" . ($trailer // '')
           . "\r\n";
}

sub files_and_ranges {
    my @ranges = map { ['GET', '/page.html', undef, Range => $_] }
        'bytes=0-9', 'bytes=-5', 'bytes=100-', 'bytes=0-0,5-9', 'bytes=9-1',
        'bytes=0-9,-10,3-', 'bytes=999999-', 'bytes=', 'lines=1-2';
    my @conditions = map { ['GET', '/page.html', undef, @$_] }
        ['If-Modified-Since' => $time], ['If-None-Match' => $etag],
        ['If-None-Match' => '"other", W/' . $etag], ['If-None-Match' => '*'],
        ['If-Modified-Since' => 'Thu, 01 Jan 2026 00:00:00 GMT'],
        ['If-Unmodified-Since' => 'Thu, 01 Jan 2026 00:00:00 GMT'],
        ['If-Match' => '"other"'], ['If-Match' => $etag],
        ['If-Range' => $etag, Range => 'bytes=0-9'],
        ['If-Range' => '"other"', Range => 'bytes=0-9'],
        ['If-Range' => $time, Range => 'bytes=5-'];

    return map({ request(@$_) } @ranges, @conditions),
        map({ request(GET => $_) } qw(/ /page.html /big.txt /empty.html /none
            /list /list/ /list/b/ /list/a.txt /denied/page.html
            /basic/page.html /gone/ /empty/ /closed/ /text/
            /rewritten/page.html /moved/page.html /if/ /if/?x=1 /if/?x=2
            /try/dir /try/dir/ /try/none /tried/page.html /tried/none
            /rated/big.txt /gif/ /gets/page.html /limited/ /limited/ /limited/
            /internal/page.html //page.html /list/../page.html
            /%70age.html /page.html%00 /../x /page.html?a=%zz
            /errors/page.html /errors/none /errors/forbidden /errors/dead
            /replaced/page.html /dav/there.txt)),
        map({ request(HEAD => $_) } qw(/ /page.html /none /list/ /text/
            /gz/page.html /errors/none /proxy/a /php/a /cached/h)),
        request(GET => '/gz/page.html', undef, 'Accept-Encoding' => 'gzip'),
        request(GET => '/gz/page.html', undef, 'Accept-Encoding' => 'gzip',
                Range => 'bytes=0-9'),
        request(GET => '/gz/ready.txt', undef, 'Accept-Encoding' => 'gzip'),
        request(GET => '/gz/ready.txt'),
        request(GET => '/basic/page.html', undef,
                Authorization => 'Basic YW5uYTpzZWNyZXQ='),
        request(GET => '/basic/page.html', undef,
                Authorization => 'Basic YW5uYTp3cm9uZw=='),
        request(OPTIONS => '/page.html'), request(TRACE => '/page.html'),
        request(DELETE => '/page.html'), request(OPTIONS => '*'),
        request(GET => '/page.html', 'a=1', @form),
        request(GET => '/page.html', undef, Referer => 'http://a.example/',
                Connection => 'close');
}

sub bodies {
    my $large = 'a=' . 'x' x 70_000;

    return map({ my $target = $_;
                 (request(POST => $target, 'a=1', @form),
                  request(POST => $target, $large, @form),
                  request(POST => $target, '', @form),
                  request(POST => $target, '{"a":1}', 'Content-Type' =>
                          'application/json', Expect => '100-continue'),
                  request(POST => $target, chunks('a=1&b=2', 3), @form,
                          @chunked),
                  request(POST => $target, chunks($large, 3000, "X-T: 1\r\n"),
                          @form, @chunked)) }
               qw(/proxy/post /stream/post /files/post /in-files/post
                  /php/post /mirrored/post /errors/proxied)),
        map({ (request(POST => $_, 'a=1', @form),
               request(POST => $_, chunks('a=1', 2), @form, @chunked)) }
            qw(/page.html /none /denied/ /text/ /gone/ /errors/page.html
               /gets/page.html /dead/ /next/ /asked/page.html
               /rewritten/proxy/x)),
        request(POST => '/small/', 'a=1', @form),
        request(POST => '/small/', 'a=12345678901', @form),
        request(POST => '/small/', chunks('a=12345678901', 5), @form,
                @chunked),
        request(POST => '/proxy/bad', "x\r\n", @form, @chunked),
        request(POST => '/proxy/large', 'x', 'Content-Length' => 40_000_000);
}

sub upstreams {
    return map({ request(GET => $_) } qw(/proxy/a /proxy/none /stream/a
            /unbuffered/a /next/a /dead/a /slow/a /errors/proxied
            /cached/a /cached/a /cached/a?b=1 /cached/a /cached/none
            /cached/head /accel/file /accel/place /accel/none /php/a
            /php/fails /php/accel /php/cached/a /php/cached/a
            /ssi/page.html /ssi/page.html?x=1 /added/page.html
            /asked/page.html /mirrored/a /in-files/big /proxy/gzip)),
        request(GET => '/cached/a', undef, Range => 'bytes=0-4'),
        request(GET => '/cached/a', undef, 'If-None-Match' => '"1"'),
        request(GET => '/accel/file', undef, Range => 'bytes=0-9'),
        request(GET => '/accel/file', undef, 'If-Modified-Since' => $time),
        request(GET => '/upgrade/a', undef, Upgrade => 'websocket',
                'Sec-WebSocket-Key' => 'x'),
        request(PURGE => '/cached/a'), request(PROPFIND => '/proxy/a');
}

sub dav {
    my @date = (Date => $time);       # of the file

    return request(PUT => '/dav/new/file.txt', 'content', @date),
        request(PUT => '/dav/chunked.txt', chunks('content', 3), @chunked,
                @date),
        request(PUT => '/dav/there.txt', 'x' x 100_000, @date),
        request(PUT => '/dav/empty.txt', '', @date),
        request(PUT => '/dav/page.html', 'content', @date),
        request(PUT => '/proxy/put', 'a=1', @form),
        request(GET => '/dav/there.txt'), request(MKCOL => '/dav/folder/'),
        request(COPY => '/dav/there.txt', undef, Destination => '/dav/two'),
        request(MOVE => '/dav/two', undef, Destination => '/dav/three'),
        request(GET => '/dav/three'), request(DELETE => '/dav/three'),
        request(DELETE => '/dav/three');
}

# What no browser sends.
sub strange {
    my $get = "GET /page.html HTTP/1.1\r\nHost: localhost\r\n";

    return bytes('no host', "GET /page.html HTTP/1.1\r\n\r\n"),
        bytes('1.0', "GET /page.html HTTP/1.0\r\n\r\n"),
        bytes('1.0, kept', "GET /page.html HTTP/1.0\r\n"
                           . "Connection: keep-alive\r\n\r\n"),
        bytes('0.9', "GET /page.html\r\n"),
        bytes('2.0', "GET /page.html HTTP/2.0\r\nHost: localhost\r\n\r\n"),
        bytes('a whole address', "GET http://localhost/page.html HTTP/1.1\r\n"
                                 . "Host: other\r\n\r\n"),
        bytes('no method', "get /page.html HTTP/1.1\r\n\r\n"),
        bytes('garbage', "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
        bytes('two lengths', "${get}Content-Length: 1\r\nContent-Length: 2"
                             . "\r\n\r\nab"),
        bytes('a wrong length', "${get}Content-Length: -1\r\n\r\n"),
        bytes('length and chunks', "${get}Content-Length: 3\r\n"
              . "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        bytes('a large header', "${get}X: " . 'x' x 40_000 . "\r\n\r\n"),
        bytes('a long address', 'GET /' . 'x' x 40_000 . " HTTP/1.1\r\n"
                                . "Host: localhost\r\n\r\n"),
        bytes('an underscore', "${get}X_Y: 1\r\n\r\n"),
        bytes('a broken header', "${get}: x\r\nX Y: z\r\n\r\n"),
        bytes('empty lines', "\r\n\r\n$get\r\n"),
        bytes('line feeds only', $get =~ s/\r//gr . "\n"),
        bytes('many at once', "$get\r\n" x 5
              . "POST /proxy/post HTTP/1.1\r\nHost: localhost\r\n"
              . "Content-Length: 3\r\n\r\na=1" . "$get\r\n" x 2),
        bytes('more than are allowed', ($get =~ s/localhost/few/r
                                        . "\r\n") x 5);
}

sub scripts {
    my $script = sub { B24::Test::upstream()->script(@_) };
    my @text = (headers => [['Content-Type', 'text/html'], ['ETag', '"1"'],
                            ['Last-Modified', $time]]);

    $script->(target => '^/proxy/gzip', status => 200, body => $page,
              gzip => 1, @text);
    $script->(target => '^/in-files/big', status => 200, body => $page x 20,
              @text);
    $script->(target => '^/slow/', hold => 1);
    $script->(target => '^/(?:errors/proxied|cached/none)', status => 500,
              body => 'broken', @text);
    $script->(target => '^/accel/file', status => 200, body => 'unseen',
              headers => [['X-Accel-Redirect', '/internal/page.html'],
                          ['Content-Type', 'text/x-accel'],
                          ['Set-Cookie', 'a=b'],
                          ['Cache-Control', 'no-cache']]);
    $script->(target => '^/accel/place', status => 403, body => 'unseen',
              headers => [['X-Accel-Redirect', '@shop']]);
    $script->(target => '^/accel/none', status => 200, body => 'unseen',
              headers => [['X-Accel-Redirect', '/internal/none.html']]);

    my $switched = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
                   . "Connection: upgrade\r\n\r\nhello";

    $script->(target => '^/upgrade/', raw => $switched,
              cut => length $switched);
    $script->(status => 200, body => 'the shop says', @text);
}

# HTTP/2, by curl, and many at a time on one connection.
sub over_http2 {
    my ($pair) = @_;

    my $port = $ENV{TEST_NGINX_PORT_1};
    my $body = "$B24::Test::DIR/body";
    my @differences;

    open my $out, '>', $body or die "$body: $!\n";
    print {$out} 'a=' . 'x' x 70_000;
    close $out;

    for my $args (['/page.html'], ['/page.html', '-I'], ['/none'],
                  ['/page.html', '-r', '0-9'], ['/page.html', '-H',
                  "If-None-Match: $etag"], ['/big.txt'], ['/gz/page.html',
                  '-H', 'Accept-Encoding: gzip'], ['/proxy/a'], ['/php/a'],
                  ['/php/post', '-d', 'a=1'], ['/proxy/post', '--data-binary',
                  "\@$body"], ['/proxy/post', '-T', $body, '-X', 'POST'],
                  ['/stream/post', '-d', 'a=1'], ['/errors/none'],
                  ['/cached/a'], ['/accel/file'], ['/ssi/page.html'],
                  ['/empty/'], ['/mirrored/post', '-d', 'a=1'])
    {
        my ($target, @more) = @$args;
        my @got = map {
            my $on = $pair->port($_, $port);
            open my $in, '-|', 'curl', '-si', '--http2-prior-knowledge',
                 '-m', '20', '-A', 'test', @more,
                 "http://localhost:$on$target", '--resolve',
                 "localhost:$on:127.0.0.1" or die "curl: $!\n";
            local $/;
            (<$in> // '') =~ s/^date: .*\r\n//mgr;
        } 0, 1;

        push @differences, 'HTTP/2, no answer: ' . $target
            if $got[1] !~ m{^HTTP/2 };
        push @differences,
             B24::SideBySide::difference("HTTP/2, $target @more", @got) // ();
    }

    my @got = map {
        my $client = B24::Http2->new(port => $pair->port($_, $port));
        my @streams = map { $client->open('POST', "/proxy/post?$_",
                                'content-type' => $form[1]) } 1 .. 5;

        $client->data($_, 'a=' . 'x' x 3000) for @streams;
        $client->data($_, '&b=1', end => 1) for reverse @streams;

        # answered before they are read
        push @streams, map { $client->request('POST', $_, 'a=12345678901',
                                 'content-type' => $form[1]) }
                           '/denied/', '/small/', '/text/';
        join ' ', map { $client->response($_)->{body} } @streams;
    } 0, 1;

    push @differences, B24::SideBySide::difference('many at a time', @got)
                       // ();
    push @differences, 'nothing at a time' if $got[1] !~ /the shop says/;

    return @differences;
}

# Whoever leaves before the shop has answered, or within his request.
sub leave {
    my ($pair) = @_;

    for my $side (0, 1) {
        my $port = $pair->port($side);
        my @here = (B24::Client->new(port => $port),
                    B24::Client->new(port => $port));

        $here[0]->send(request(POST => '/proxy/held', 'a=1',
                               @form)->{request});
        $here[1]->send("POST /proxy/half HTTP/1.1\r\nHost: localhost\r\n"
                       . "Content-Length: 10\r\n\r\na=1");
        B24::Test::upstream()->wait_for(target => '^/proxy/held',
                                        lane => $side, state => 'held');
        $_->close for @here;
    }
}

sub compare {
    my (@exchanges) = @_;

    chmod 0777, "$ENV{TEST_NGINX_SERVROOT}/html/dav"
        or die "no folder: $!\n";

    my $pair = B24::SideBySide->new(more => [$ENV{TEST_NGINX_PORT_1}]);

    B24::Test::upstream()->script(target => '^/proxy/held', hold => 1);
    scripts();

    my @differences = $pair->compare_pipelined(@exchanges);

    push @differences, over_http2($pair);
    leave($pair);
    push @differences, $pair->log_differences('traffic.log'),
                       $pair->error_differences;

    $pair->stop;

    Test::More::is(join("\n", @differences[0 .. ($#differences < 9
                                                 ? $#differences : 9)]), '',
                   'no difference in ' . @exchanges . ' exchanges');
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: rules that want nothing of it
--- http_config eval: $::preset . $::http
--- config eval: $::server
--- user_files eval: $::files
--- scenario
    main::compare(main::files_and_ranges(), main::bodies(), main::upstreams(),
                  main::dav(), main::strange(),
                  map { main::request(POST => '/unbuffered/post', @$_) }
                      ['a=1'], [main::chunks('a=1', 1), 'Transfer-Encoding', 'chunked']);



=== TEST 2: rules that want everything
--- http_config eval: $::everything . $::http
--- config eval: $::server
--- user_files eval: $::files
--- scenario
    main::compare(main::files_and_ranges(), main::bodies(), main::upstreams(),
                  main::dav(), main::strange());
