# Other modules in the same nginx, loaded before and after ours, at work in the
# same place, in the server in front of it and in the one behind: each order
# arrives once, with all that was ordered, and shop, buyer and access log get
# what they get without us.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::SideBySide;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

# each block says in which order they are loaded
our $ours = $ENV{TEST_NGINX_LOAD_MODULES};
our ($folder) = `$B24::Test::NGINX -V 2>&1` =~ /--modules-path=(\S+)/;
our @others = map { "$folder/$_.so" }
    qw(ndk_http_module ngx_http_lua_module ngx_http_js_module
       ngx_http_subs_filter_module ngx_http_brotli_filter_module
       ngx_http_headers_more_filter_module ngx_http_echo_module);

$Test::Nginx::Util::LoadModules = '';

sub loaded {
    return join "\n", map { "load_module $_;" } @_;
}

our $rules = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  beside;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    50 burst=4000;
    b24_retry   first=100ms max=1s unknown=300ms;

    b24_shop beside {
        order save {
            uri       ~ ^/[a-z-]+/order$;
            accept    status ~^20;
            accept    response:/error !;
            id        response:/id;
            name      request:/name;
            phone     request:/phone;
            total     request:/total;
            currency  RUB;
            comment   "from $remote_addr";
            items     request:/items {
                name /name;  price /price;  quantity /qty;
            }
        }

        # asked for piece by piece
        order pieces {
            uri       ~ ^/slice/order/;
            method    GET;
            accept    status ~^20;
            id        header:X-Order;
            name      query:/name;
            phone     $http_x_phone;
            total     query:/total;
            currency  RUB;
        }
    }
EOC

# all of them work with the upstream of two lanes that the pair has
our $http = <<'EOC';
    log_format traffic '$host $request_method $uri $args $status $request_length'
        ' $sent_http_content_type $upstream_status $upstream_response_length'
        ' $gzip_ratio';

    # of subrequests as well
    access_log      logs/traffic.log traffic;
    log_subrequest  on;

    limit_req_zone  $server_name zone=requests:1m rate=200r/s;
    limit_conn_zone $server_name zone=connections:1m;

    js_path    $TEST_NGINX_SERVROOT/html;
    js_import  orders.js;
    js_set     $seen_by_js orders.seen;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    # what the mirror module sends along
    server {
        listen       $TEST_NGINX_CLIENT_PORT;
        server_name  sink;
        access_log   logs/sink.log traffic;

        location / {
            return 204;
        }
    }

    # the server behind
    server {
        listen       $TEST_NGINX_CLIENT_PORT;
        server_name  behind;

        gzip             on;
        gzip_types       *;
        gzip_min_length  1;
        gzip_proxied     any;

        sub_filter       SHOP shop;
        sub_filter_once  off;
        sub_filter_types *;

        location / {
            mirror      /along;
            limit_req   zone=requests burst=1000;
            header_filter_by_lua_block { ngx.header["X-Behind"] = "lua" }
            proxy_pass  http://recorded;
            proxy_set_header Host $http_x_shop;
            proxy_set_header X-Forwarded-For $remote_addr;
        }

        location = /along {
            internal;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_CLIENT_PORT;
            proxy_set_header Host sink;
        }
    }

    # the server in front
    server {
        listen       $TEST_NGINX_CLIENT_PORT;
        server_name  front;

        location / {
            auth_request      /may;
            limit_req         zone=requests burst=1000;
            mirror            /along;
            access_by_lua_block { ngx.req.read_body() }
            js_header_filter  orders.header;
            add_after_body    /after;
            addition_types    *;
            gunzip            on;
            sub_filter        shop market;
            sub_filter_types  *;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_CLIENT_PORT;
            proxy_set_header Host localhost;
            proxy_set_header X-Forwarded-For 192.0.2.7;
            proxy_set_header X-Shop $http_x_shop;
        }

        location = /may   { internal; return 204; }
        location = /after { internal; return 200 "after"; }

        location = /along {
            internal;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_CLIENT_PORT;
            proxy_set_header Host sink;
        }
    }
EOC

# one place for each, and one for all that go together
our %place = (
    plain    => '',
    gzip     => 'gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;',
    gunzip   => 'gunzip on; set $encoding gzip;',
    brotli   => 'brotli on; brotli_types *; brotli_min_length 1;',
    sub      => 'sub_filter id number; sub_filter_types *;'
                . ' sub_filter_once off;',
    subs     => 'subs_filter id number; subs_filter_types application/json;',
    addition => 'add_before_body /before; add_after_body /after;'
                . ' addition_types *;',
    ssi      => 'ssi on; ssi_types *;',
    auth     => 'auth_request /may;',
    limit    => 'limit_req zone=requests burst=1000; limit_conn connections 50;',
    realip   => 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;',
    mirror   => 'mirror /along; mirror_request_body on;',
    more     => 'more_clear_headers X-Order; more_set_headers "X-More: more";',
    echo     => 'echo_before_body before; echo_after_body after;',
    jsfilter => 'js_header_filter orders.header; js_body_filter orders.body;'
                . ' b24_deal COMMENTS $seen_by_js;',
    lua      => <<'EOC',
        set_by_lua_block $seen_by_lua { return "lua saw " .. ngx.var.uri }
        rewrite_by_lua_block { ngx.req.read_body() }
        access_by_lua_block { ngx.ctx.seen = #(ngx.req.get_body_data() or "") }
        header_filter_by_lua_block {
            ngx.header["X-Lua"] = ngx.ctx.seen
            ngx.header.content_length = nil
        }
        body_filter_by_lua_block {
            ngx.arg[1] = (ngx.arg[1]:gsub("id", "lua"))
        }
        log_by_lua_block { local seen = ngx.ctx.seen }
        b24_deal COMMENTS $seen_by_lua;
EOC
);

# all that go together: "addition" doesn't with filters of answers in JavaScript
# or Lua
my $all = join ' ', @place{qw(gzip sub ssi auth limit realip mirror more lua)},
          'js_header_filter orders.header;';

$place{all} = $all =~ s/body_filter_by_lua_block \{.*?\n        \}//sr
              . $place{addition};
$place{scripts} = $all . 'js_body_filter orders.body;';

our $server = <<'EOC';
    set $encoding '';          # asked of the server behind

    location = /b24 { access_log off; b24_status; }
    location = /b24-sentinel { return 200 "sentinel\n"; }
    location = /before { internal; return 200 "before"; }
    location = /after { internal; return 200 "after"; }
    location = /may { internal; proxy_pass http://recorded/may;
                      proxy_pass_request_body off;
                      proxy_set_header Content-Length ''; }
    location = /along { internal;
                        proxy_pass http://127.0.0.1:$TEST_NGINX_CLIENT_PORT;
                        proxy_set_header Host sink; }

    b24_mirror beside;
    proxy_set_header Host behind;
    proxy_set_header Accept-Encoding $encoding;
    proxy_set_header X-Shop recorded;

    # answered by the scripts, which ask the shop
    location /jscontent/ { js_content orders.content; }
    location /luacontent/ {
        content_by_lua_block {
            ngx.req.read_body()
            local answer = ngx.location.capture("/plain" .. ngx.var.uri,
                { method = ngx["HTTP_" .. ngx.req.get_method()],
                  args = ngx.var.args,
                  always_forward_body = true })
            ngx.status = answer.status
            ngx.header.content_type = answer.header["Content-Type"]
            ngx.print(answer.body)
        }
    }

    location /slice/ {
        slice 100;
        proxy_set_header Range $slice_range;
        proxy_pass http://127.0.0.1:$TEST_NGINX_CLIENT_PORT;
        proxy_http_version 1.1;
        proxy_set_header Host files;
    }
EOC

# what the pieces are of
$http .= <<'EOC';
    server {
        listen       $TEST_NGINX_CLIENT_PORT;
        server_name  files;
        root         $TEST_NGINX_SERVROOT/html;
        etag         off;

        location / {
            add_header X-Order $arg_id;
        }
    }
EOC

for my $name (sort keys %place) {
    $server .= "location /$name/ { $place{$name}\n proxy_pass"
               . ' http://127.0.0.1:$TEST_NGINX_CLIENT_PORT; }' . "\n";
}

our $files = [
    ['orders.js', <<'EOC'],
function seen(r) { return 'js saw ' + r.uri; }

function header(r) {
    r.headersOut['X-Js'] = r.method;
    delete r.headersOut['Content-Length'];
}

function body(r, data, flags) {
    r.sendBuffer(data.replace(/id/g, 'js'), flags);
}

async function content(r) {
    let answer = await r.subrequest('/plain' + r.uri,
                                    { method: r.method, body: r.requestText,
                                      args: r.variables.args });
    r.headersOut['Content-Type'] = answer.headersOut['Content-Type'];
    r.return(answer.status, answer.responseText);
}

export default { seen, header, body, content };
EOC
    # 1 January 2026
    ['slice/order/list', 'x' x 1234, '202601010000.00'],
];


# ---- what is sent ----------------------------------------------------------

our %order = (
    name => 'Anna', phone => '+79161234567', total => '300.00',
    items => [ { name => 'Cup', price => '150.00', qty => '2' } ],
);

our $whole = '300.00 RUB; Anna +79161234567; Cup 2 x 150.00';

# what shows in an answer that a module was at work, and in the deal
our %work = (
    gzip     => qr/^Content-Encoding: gzip\r\n/m,
    gunzip   => qr/^(?!.*^Content-Encoding).*"text":"shop /ms,
    brotli   => qr/^Content-Encoding: br\r$/m,
    sub      => qr/\{"number":"\d/,
    subs     => qr/\{"number":"\d/,
    addition => qr/before.*"text".*after/s,
    ssi      => qr/"text":"shop \d+"/,
    more     => qr/^(?!.*^X-Order:).*^X-More: more\r$/ms,
    echo     => qr/before.*"text".*after/s,
    jsfilter => qr/^X-Js: POST\r\n.*\{"js":"/ms,
    lua      => qr/^X-Lua: 107\r\n.*\{"lua":"/ms,
    all      => qr/^X-More: more\r\n.*^X-Lua.*^Content-Encoding: gzip\r$/ms,
    scripts  => qr/^X-Js: POST\r\n.*^X-Lua.*^Content-Encoding: gzip\r$/ms,
);

our %comment = (
    realip   => 'from 192.0.2.1',
    jsfilter => "js saw /jsfilter/order\nfrom 127.0.0.1",
    lua      => "lua saw /lua/order\nfrom 127.0.0.1",
    all      => "lua saw /all/order\nfrom 192.0.2.1",
    scripts  => "lua saw /scripts/order\nfrom 192.0.2.1",
);

my $number = 0;

# The exchange of an order: its number is the query's, so that whatever way it
# takes the shop gives the answer to it.
sub order {
    my ($place, %how) = @_;

    my $id = ++$number;
    my $json = JSON::PP->new->canonical->encode({ %order });
    my @headers = ('Content-Type' => 'application/json',
                   'X-Forwarded-For' => '192.0.2.1', Connection => undef,
                   Host => $how{host} // 'localhost',
                   'Accept-Encoding' => $place eq 'brotli' ? 'br'
                                        : $place eq 'gunzip' ? undef : 'gzip');

    ($json, @headers) = (chunked($json), @headers,
                         'Transfer-Encoding' => 'chunked') if $how{chunked};

    B24::Test::upstream()->script(target => "[?]n=$id\$", status => 200,
        headers => [['Content-Type', 'application/json'], ['X-Order', $id]],
        body => qq({"id":"$id","text":"SHOP <!--#echo var='arg_n' -->"}));

    return { id => $id, name => "$place, order $id", method => 'POST',
             whole => "$whole; " . ($comment{$place} // 'from 127.0.0.1'),
             work => $how{work} // $work{$place} // qr/^HTTP\S+ 200 /,
             request => B24::Client::request_bytes('POST',
                            "/$place/order?n=$id", $json, @headers) };
}

# One that is told by the answer's header, asked for in pieces.
sub pieces {
    my $id = ++$number;
    my $target = "/slice/order/list?id=$id&name=Anna&total=300.00";

    return { id => $id, name => "slice, order $id", method => 'GET', rows => 0,
             whole => '300.00 RUB; Anna +79161234567; ',
             work => qr/^Content-Length: 1234\r\n.*\r\n\r\nx{1234}$/ms,
             request => B24::Client::request_bytes('GET', $target, undef,
                             'X-Phone' => '+79161234567',
                             Connection => undef) };
}

sub chunked {
    my ($body) = @_;

    return join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                    unpack '(a20)*', $body) . "0\r\n\r\n";
}

sub deal {
    my ($order) = @_;

    my $rows = $order->{rows} // 1;
    my $text = B24::Desk::deal_text($order->{id}, rows => $rows);

    return "$text; " . (B24::Desk::deal($order->{id})->{comments} // '');
}

# Both ways for all the orders: no difference, and each at the portal.
sub compare {
    my (@orders) = @_;

    B24::Test::upstream()->script(target => '^/may', status => 204);

    my $pair = B24::SideBySide->new;
    my @differences = ($pair->compare_pipelined(@orders),
                       map { $pair->log_differences($_) }
                           'traffic.log', 'sink.log');

    # nor is there a difference when nothing is done
    for my $order (@orders) {
        my $client = B24::Client->new(port => $pair->port(1));

        $client->send($order->{request});
        Test::More::like($client->response->{raw}, $order->{work},
                         "$order->{name}: the work of the module");
    }

    $pair->stop;
    Test::More::is(join("\n", @differences), '', 'no difference');

    Test::More::is(eval { deal($_) } // $@, $_->{whole}, $_->{name})
        for @orders;

    Test::More::is(scalar(B24::Desk::records(count => scalar @orders)),
                   scalar @orders, 'as many records as orders');
    B24::Desk::count_is('delivered', scalar @orders,
                   'all delivered');
    B24::Desk::count_is('duplicate', 0, 'each came once');
}

sub places {
    return (map({ order($_) } sort(keys %place), 'jscontent', 'luacontent'),
            pieces(), order('all', chunked => 1),
            order('plain', host => 'front', work => qr/^X-Js: POST\r\n.*"text":"market .*after/ms));
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: all of them loaded before ours
--- main_config eval: ::loaded(@::others, $::ours)
--- http_config eval: $::rules . $::http
--- config eval: $::server
--- user_files eval: $::files
--- scenario
    main::compare(main::places());



=== TEST 2: and behind it
--- main_config eval: ::loaded($::ours, @::others)
--- http_config eval: $::rules . $::http
--- config eval: $::server
--- user_files eval: $::files
--- scenario
    main::compare(main::places());



=== TEST 3: some before, some behind
--- main_config eval: ::loaded(@::others[0, 1, 3, 5], $::ours, @::others[2, 4, 6])
--- http_config eval: $::rules . $::http
--- config eval: $::server
--- user_files eval: $::files
--- scenario
    main::compare(main::places());
