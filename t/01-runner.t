# The test runner itself: every section it knows, on plain nginx.  The file
# gives the same results under the Test::Nginx distribution.

use strict;
use warnings;

use lib 't/lib';

use B24::Test module => '';
use Test::Nginx::Socket;

no_shuffle();
no_long_string();

# "must be seen" by code in the blocks
our $Inits = 0;

my @bodies;

add_response_body_check(sub {
    my ($block, $body, $index, $repeat) = @_;

    push @bodies, $body;
    is(length $body, $block->body_length, $block->name . ' - body length')
        if defined $block->body_length;
});

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(more_headers => 'X-Word: ' . $block->word)
        if defined $block->word;
});

plan tests => 95;

run_tests();

__DATA__

=== TEST 1: a plain request, default code
--- config
    location = /a {
        return 200 "hello\n";
    }
--- request
GET /a
--- response_body
hello



=== TEST 2: no config goes on with the previous one
--- request
    GET /a
--- response_body
hello
--- response_headers
Content-Type: text/plain
!X-Nothing



=== TEST 3: error code, alternatives of the body
--- config
    location /b {
        return 404 "no $request_uri";
    }
--- request
GET /b
--- error_code: 404
--- response_body_like: ^no /b$
--- raw_response_headers_like: ^HTTP/1\.1 404 Not Found\r\n
--- raw_response_headers_unlike: X-Nothing



=== TEST 4: patterns
--- config
    location /c {
        add_header X-A "abc" always;
        return 500 "body";
    }
--- request
GET /c
--- error_code_like: ^5\d\d$
--- response_body_unlike: xyz
--- response_headers_like
X-A: a.c
Server: nginx.*



=== TEST 5: a body, its length, headers
--- config
    location /d {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        proxy_set_header X-Word $http_x_word;
    }
    location /echo {
        return 200 "$request_method $content_length $http_x_word $http_host";
    }
--- request
POST /d
hello=world
--- word: spoken
--- response_body eval
"POST 11 spoken 127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}"
--- body_length eval
length "POST 11 spoken 127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}"



=== TEST 6: several requests, a connection each
--- config
    location /e {
        return 200 "$arg_n $http_x_n $connection_requests";
    }
    location /f {
        return 204;
    }
--- request eval
["GET /e?n=1", "GET /e?n=2\n", "GET /f"]
--- more_headers eval
["X-N: a", "X-N: b", "X-N: c"]
--- response_body eval
["1 a 1", "2 b 1", ""]
--- error_code eval
[200, 200, 204]



=== TEST 7: packets
--- config
    client_body_timeout 5s;
    location /g {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
    location /echo {
        return 200 "$request_method $content_length";
    }
--- request eval
[["POST /g\nabc", {value => "def", delay_before => 0.05}, "ghi"],
 ["PO", "ST /g\n12", "3"]]
--- response_body eval
["POST 9", "POST 3"]



=== TEST 8: pipelined requests
--- config
    location /h {
        return 200 "$arg_n $http_connection $connection_requests\n";
    }
    location /i {
        return 200 "";
    }
--- pipelined_requests eval
["GET /h?n=1", "GET /i", "POST /h?n=3\nbody"]
--- response_body eval
["1 keep-alive 1\n", "", "3 close 3\n"]



=== TEST 9: raw request, HTTP/1.0
--- config
    location /j {
        return 200 "$server_protocol $http_host";
    }
--- raw_request eval
["GET /j HT", "TP/1.0\r\nHost: raw\r\n\r\n"]
--- raw_request_middle_delay: 0.05
--- response_body chomp
HTTP/1.0 raw



=== TEST 10: version in the request line, comments before it
--- config
    location /k {
        return 200 "$server_protocol";
    }
--- request
# not a request

GET /k HTTP/1.0
--- response_body chomp
HTTP/1.0



=== TEST 11: chunked request
--- config
    location /l {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
    location /echo {
        return 200 "$content_length";
    }
--- more_headers
Transfer-Encoding: chunked
--- request eval
"POST /l\n5\r\nhello\r\n0\r\n\r\n"
--- response_body chomp
5



=== TEST 12: chunked answer, filters
--- http_config
    gzip_min_length 1;
--- config
    location /m {
        ssi on;
        ssi_types *;
        root html;
    }
--- user_files
>>> m/index.txt
one<!--# echo var="arg_a" -->two
>>> m/other.txt
other
--- request
GET /m/index.txt?a=-
--- response_headers
Transfer-Encoding: chunked
--- response_body
one-two



=== TEST 13: HEAD, Content-Length without a body
--- config
    location /n {
        return 200 "something";
    }
--- request
HEAD /n
--- response_headers
Content-Length: 9
--- response_body:



=== TEST 14: error log
--- config
    location /o {
        return 200 "o";
    }
    location /p {
        root html;
    }
--- request
GET /p/nothing.html
--- error_code: 404
--- error_log eval
["nothing.html", qr/open\(\) ".*" failed/]
--- no_error_log
[alert]
[emerg]



=== TEST 15: error log of each request
--- config
    location /p {
        root html;
    }
--- request eval
["GET /p/one.html", "GET /p/two.html"]
--- error_code eval
[404, 404]
--- error_log
failed (2: No such file or directory)
--- no_error_log
[alert]



=== TEST 16: grep_error_log
--- config
    location /q {
        root html;
    }
--- request
GET /q/nothing.html
--- error_code: 404
--- grep_error_log eval
qr/html\/q\/\w+/
--- grep_error_log_out eval
qr{^(html/q/nothing\n)+$}



=== TEST 17: access log
--- config
    location /r {
        return 200 "r";
    }
--- request
GET /r?a=b
--- access_log
GET /r?a=b
--- no_access_log
GET /nothing



=== TEST 18: wait
--- config
    location /s {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        proxy_connect_timeout 1s;
    }
--- request
GET /s
--- error_code: 502
--- wait: 0.1
--- error_log
connect() failed (111: Connection refused)



=== TEST 19: abort, ignore_response
--- config
    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply_delay: 2s
--- tcp_reply
--- request
GET /t
--- timeout: 0.3
--- abort
--- ignore_response
--- wait: 0.1
--- error_log
client prematurely closed connection



=== TEST 20: a scripted TCP server and what it was asked
--- config
    location /u {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        proxy_set_header Host up;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
sub { my ($query) = @_;
      return ["HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n",
              $query =~ /^GET \/u/ ? "asked" : "not asked"]; }
--- tcp_query eval
"GET /u HTTP/1.0\r\nHost: up\r\nConnection: close\r\n\r\n"
--- tcp_query_len: 48
--- request
GET /u
--- error_code: 201
--- response_body chomp
asked



=== TEST 21: must_die
--- config
    nonsense on;
--- must_die
--- suppress_stderr
--- error_log
unknown directive "nonsense"
--- no_error_log
[alert]



=== TEST 22: must_die with an exit code
--- main_config
    nonsense;
--- config
--- must_die: 1
--- suppress_stderr
--- error_log eval
qr/\[emerg\] .* unknown directive "nonsense"/



=== TEST 23: init runs before the requests
--- config
    location /v {
        root html;
    }
--- init
    mkdir $Test::Nginx::Util::HtmlDir . '/v';
    open my $out, '>', $Test::Nginx::Util::HtmlDir . '/v/w' or die;
    print $out 'written';
    close $out;
--- request
GET /v/w
--- response_body chomp
written



=== TEST 24: skip_nginx
--- config
    location /x {
        return 200 "x";
    }
--- skip_nginx
3: >= 0.1.0
--- request
GET /x
--- response_body
not looked at
--- error_log
not looked at



=== TEST 25: skip_nginx that does not apply
--- config
    location /x {
        return 200 "x";
    }
--- skip_nginx
2: < 0.1.0: very old
--- request
GET /x
--- response_body chomp
x



=== TEST 26: log level
--- config
    location /y {
        root html;
    }
--- log_level: crit
--- request
GET /y/nothing
--- error_code: 404
--- no_error_log
nothing



=== TEST 27: main_config, http_config, post_main_config
--- main_config
    env B24_RUNNER=1;
--- http_config
    map $arg_a $b {
        default none;
        1       one;
    }
--- post_main_config
    timer_resolution 100ms;
--- config
    location /z {
        return 200 $b;
    }
--- request
GET /z?a=1
--- response_body chomp
one



=== TEST 28: shutdown of our side
--- config
    location /half {
        return 200 "half";
    }
--- request
GET /half
--- shutdown: 1
--- response_body chomp
half



=== TEST 29: log of the server that quits
--- config
    location /quit {
        return 200 "quit";
    }
--- request
GET /quit
--- response_body chomp
quit
--- shutdown_error_log eval
[qr/signal 3|SIGQUIT|exit/]
--- no_shutdown_error_log
[alert]



=== TEST 30: HTTP 0.9
--- config
    location /old {
        return 200 "old";
    }
--- raw_request eval
"GET /old\r\n"
--- http09
--- response_body chomp
old



=== TEST 31: server_name, ports in the expectation
--- server_name: shop.test
--- config
    location /name {
        return 302 http://$server_name:$server_port/;
    }
--- request
GET /name
--- error_code: 302
--- response_headers
Location: http://shop.test:$ServerPort/
--- response_body_like: 302 Found
