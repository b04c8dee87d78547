# What the other tests stand on: the replay upstream, the comparison of two
# servers, and the helpers of scenarios, on plain nginx.  A comparison that
# finds nothing proves nothing unless it is known to find things.

use strict;
use warnings;

use lib 't/lib';

use B24::Test module => '', upstream => 'woocommerce-9.9.5';
use Test::Nginx::Socket;

use B24::Conf ();
use B24::Recording;
use B24::SideBySide;
use File::Copy ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

our $recording = B24::Recording->load('t/recordings/woocommerce-9.9.5');
our ($placed) = grep { $_->{name} =~ /block-a-order1-finish.*checkout$/ }
                     $recording->exchanges;

our $upstream = <<'EOC';
    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }
EOC

our $server = <<'EOC';
    location = /b24-sentinel {
        return 200 "sentinel\n";
    }

    location / {
        proxy_pass http://recorded;
        proxy_set_header Host $host;
        proxy_set_header X-Replay $http_x_replay;
    }
EOC

# Differences between a server and its twin over a few exchanges.
sub differences {
    my ($method) = @_;

    my $pair = B24::SideBySide->new;
    my @found = $pair->$method(($recording->exchanges)[0 .. 5]);

    $pair->stop;

    return join "\n", @found;
}

# A block, for the judgement of logs.
sub block_with {
    my (%section) = @_;

    return bless \%section, 'Section';
}

sub Section::AUTOLOAD {
    my ($self) = @_;

    our $AUTOLOAD;
    my ($name) = $Section::AUTOLOAD =~ /(\w+)$/;

    return $self->{$name};
}

sub bad_lines {
    my ($text, %section) = @_;

    my $path = "$ENV{TEST_NGINX_DIR}/made-up.log";

    open my $out, '>', $path or die;
    print $out $text;
    close $out;

    return B24::Test::bad_lines(block_with(%section), $path);
}

# A file of tests with a portal, made of the code of its blocks, run to its end:
# (lines of its output, its status).
sub child_file {
    my ($end, @blocks) = @_;

    my $dir = "$ENV{TEST_NGINX_DIR}/child";
    my $data = '';

    mkdir $dir;

    for my $n (1 .. @blocks) {
        $data .= "=== TEST $n: block $n\n--- config\nlocation / "
               . "{ return 200; }\n--- scenario\n$blocks[$n - 1]\n\n\n";
    }

    open my $out, '>', "$dir/child-$$.t" or die;
    print $out <<"EOF_CHILD" . $data;
use strict;
use warnings;
use B24::Test portal => 1, portals => 2, module => '';
use Test::Nginx::Socket;
no_shuffle();
no_root_location();
plan tests => 2 * blocks();
run_tests();
$end
__DATA__

EOF_CHILD
    close $out;

    local %ENV = map { $_ => $ENV{$_} }
                 grep { !/^TEST_NGINX_/ || $_ eq 'TEST_NGINX_BINARY' }
                 keys %ENV;
    my @command = ('sh', '-c', 'exec "$@" 2>&1', 'sh', $^X,
                   (map { "-I$_" } grep { !ref } @INC), "$dir/child-$$.t");

    open my $in, '-|', @command or die;
    my @lines = <$in>;
    close $in;

    return (\@lines, $?);
}

# Names of the blocks of a child_file() that failed for their portal's records.
sub spoiling_blocks {
    my ($lines) = @_;

    return join ' ', map { /^not ok .*block (\d+) - other people's records/
                           ? $1 : () } @$lines;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: recorded answers
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    my $client = client(upstream()->port(0));
    my ($rejected) = grep { $_->{name} =~ /block-b-rejected.*-checkout$/ }
                          $::recording->exchanges;

    $client->send($::placed->{request});
    is($client->response->{raw}, $::placed->{response}, 'to the byte');

    $client->send($rejected->{request});
    is($client->response->{raw}, $rejected->{response},
       'the same address, another body');

    my @carts = grep { $_->{method} eq 'GET'
                       && $_->{target} eq '/wp-json/wc/store/v1/cart' }
                     $::recording->exchanges;

    for my $n (0 .. 2) {
        $client->send($carts[0]{request});
        is($client->response->{raw}, $carts[$n]{response},
           "request $n of the same gets answer $n");
    }

    my @journal = upstream()->journal(lane => 0);
    is(scalar @journal, 5, 'all are written down');
    is($journal[0]{exchange}, $::placed->{name}, 'with their exchange');
    is(upstream()->bytes($journal[0]{number}), $::placed->{request},
       'and their bytes');

    my $other = client(upstream()->port(1));
    $other->send($carts[0]{request});
    is($other->response->{raw}, $carts[0]{response},
       'the second lane counts for itself');



=== TEST 2: chosen by a header, which isn't part of the bytes
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    my $answer = get('/anything', 'X-Replay' => $::placed->{name});
    my ($head, $body) = B24::Recording::head_and_body(
        $::placed->{response});

    is($answer->{body}, (B24::Recording::unchunk($body))[0],
       'the chosen answer');

    my ($entry) = upstream()->journal;
    unlike(upstream()->bytes($entry->{number}), qr/X-Replay/i,
           'the header is taken out');
    is(get('/unknown')->{status}, 404, 'an unknown request');



=== TEST 3: scripts
--- http_config eval: $::upstream
--- config eval: $::server
--- expected_alert
upstream prematurely closed
--- scenario
    my $up = upstream();

    $up->script(target => '^/close', close => 1);
    is(get('/close')->{status}, 502, 'closed without an answer');

    $up->script(target => '^/status', status => 422, reason => 'No',
                headers => [['X-A', '1'], ['X-A', '2']], body => "\xff\0");
    my $answer = get('/status');
    is($answer->{status}, 422, 'a status');
    is($answer->{body}, "\xff\0", 'a body of bytes');
    like($answer->{head}, qr/X-A: 1\r\nX-A: 2\r\n/, 'headers in order');

    $up->script(target => '^/big', generate => 3_000_000);
    is(length get('/big')->{body}, 3_000_000, 'a body of any size');

    $up->script(target => '^/chunked', generate => 600_000, chunked => 1);
    is(length get('/chunked')->{body}, 600_000, 'in chunks');

    $up->script(target => '^/bomb', generate => 20_000_000, gzip => 1);
    $answer = get('/bomb');
    like($answer->{head}, qr/Content-Encoding: gzip/, 'compressed');
    cmp_ok(length $answer->{body}, '<', 100_000, 'a bomb');

    $up->script(target => '^/lie', status => 200, body => 'short',
                content_length => 100, cut => 1000);
    like(exchange(request_bytes('GET', '/lie')),
         qr/Content-Length: 100\r\n.*\r\n\r\nshort$/s, 'a lying length');

    $up->script(target => '^/raw', raw => "HTTP/1.1 299 Odd\r\n\r\nx");
    is(get('/raw')->{status}, 299, 'bytes as they are given');

    $up->script(target => '^/once', times => 1, status => 201);
    is(get('/once')->{status}, 201, 'once');
    is(get('/once')->{status}, 404, 'and not twice');

    $up->script(target => '^/slow', status => 200, body => 'x' x 100,
                slow => { bytes => 30, pause => 0.01 });
    is(get('/slow')->{body}, 'x' x 100, 'slowly');

    $up->script(target => '^/late', delay => 0.05, status => 200);
    is(get('/late')->{status}, 200, 'late');

    my $cut = $::placed->{request} =~ s/keep-alive/close/r;
    $up->script(target => 'checkout', cut => 1700);
    my $half = exchange($cut);
    my ($whole) = B24::Recording::head_and_body($half);
    like($whole, qr/^HTTP\/1.1 200 /, 'half an answer begins');
    unlike($half, qr/0\r\n\r\n$/, 'and does not end');



=== TEST 4: held until released
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    upstream()->script(target => '^/held', hold => 1, status => 200,
                       body => 'at last');

    my @clients = map { my $c = client();
                        $c->send(request_bytes('GET', "/held/$_"));
                        $c } 1 .. 3;

    is(scalar(upstream()->wait_for(state => 'held', count => 3)), 3, 'held');
    is(scalar(upstream()->wait_for(count => 4, timeout => 0.1)), 0,
       'a wait that ends without');
    is(get('/other')->{status}, 404, 'others are answered meanwhile');
    ok($clients[0]->is_idle, 'no answer yet');
    is(upstream()->release(target => '/held/2'), 1, 'one released');
    is($clients[1]->response->{body}, 'at last', 'its answer');
    ok($clients[0]->is_idle, 'no other answer');
    is(upstream()->release, 2, 'the rest released');
    is($clients[$_]->response->{body}, 'at last', 'answer') for 0, 2;

    upstream()->script(target => '^/gone', hold => 1);
    my $client = client();
    $client->send(request_bytes('GET', '/gone'));
    upstream()->wait_for(target => '^/gone', state => 'held');
    $client->abort;
    ok(upstream()->wait_for(target => '^/gone', state => 'aborted'),
       'a client that goes away is seen');



=== TEST 5: no difference where there is none
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    is(main::differences('compare_pipelined'), '', 'pipelined');
    is(main::differences('compare_keepalive'), '', 'one connection');



=== TEST 6: a header more for the buyer is found
--- http_config eval: $::upstream
--- config eval
"add_header X-Port \$server_port;" . $::server
--- scenario
    like(main::differences('compare_pipelined'),
         qr/what the buyer got differs at byte.*X-Port/s, 'pipelined');
    like(main::differences('compare_keepalive'),
         qr/what the buyer got differs at byte.*X-Port/s, 'one connection');



=== TEST 7: a header more for the shop is found
--- http_config eval: $::upstream
--- config eval
$::server =~ s/X-Replay \S+;/X-Port \$server_port;/r
--- scenario
    like(main::differences('compare_pipelined'),
         qr/what the shop got as request 0.*differs at byte/, 'pipelined');
    like(main::differences('compare_keepalive'),
         qr/what the shop got as request 5.*differs at byte/,
         'one connection');



=== TEST 8: a connection closed, a request too many are found
--- http_config eval: $::upstream
--- config eval
$::server =~ s{return 200}{
        if (\$document_root ~ /servroot/) {
            return 444;
        }
        return 200}r
--- scenario
    like(main::differences('compare_pipelined'),
         qr/what the buyer got differs at byte \d+ of/, 'closed');

    my $pair = B24::SideBySide->new;
    $pair->compare_keepalive($::placed);
    get('/one/more');
    like(join('', $pair->upstream_differences),
         qr/the shop got 2 requests with, 1 without/, 'one more');
    $pair->stop;



=== TEST 9: the twin is the same nginx
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    SKIP: {
        skip('TEST_NGINX_BINARY is a script here', 1) if $ENV{B24_ASAN};
        is($B24::Test::NGINX, $ENV{TEST_NGINX_BINARY}, 'what the blocks run');
    }

    my $copy = "$ENV{TEST_NGINX_DIR}/another-nginx";
    File::Copy::copy($B24::Test::NGINX, $copy) or die "cannot copy: $!";
    chmod 0755, $copy or die;

    local $B24::Test::NGINX = $copy;
    my $pair = B24::SideBySide->new;
    is(readlink("/proc/$pair->{pid}/exe"), $copy, 'as does the twin');
    $pair->stop;



=== TEST 10: a configuration without the module
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    my $text = B24::SideBySide::without_module(<<'EOC');
load_module /x/ngx_http_b24_module.so; load_module other.so;
http { # b24_comment {
    b24_shop s { order a { uri "/{x}"; when a !; } default_status N; }
    log_format b24_fmt '$uri "}"';
    server { b24_mirror s; return 200 "b24_x; }"; b24_webhook https://x/; }
    map $a $b { "b24_y" ${c}d; "~^a{2}" 1; }
}
EOC
    is($text =~ s/\s+/ /gr, ' load_module other.so; http { # b24_comment { '
       . 'log_format b24_fmt \'$uri "}"\'; server { return 200 "b24_x; }"; }'
       . ' map $a $b { "b24_y" ${c}d; "~^a{2}" 1; } } ', 'left out');



=== TEST 11: what of an answer is compared
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    my $head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
    my $next = "HTTP/1.1 200 OK\r\nDate: now\r\n\r\nsentinel\n";

    my $masked = sub {
        my ($date, @parts) = @_;
        my $body = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                                @parts;
        return B24::SideBySide::masked(
            "${head}Date: $date\r\n\r\n${body}0\r\n\r\n$next");
    };
    my $long = 'x' x 5000;

    is($masked->('a', 'short'), $masked->('b', 'short'), 'not the date');
    isnt($masked->('a', 'short'), $masked->('a', 'sho', 'rt'), 'chunks');
    is($masked->('a', $long, $long), $masked->('a', $long . $long),
       'not the chunks of a long one');
    isnt($masked->('a', $long, $long), $masked->('a', $long, "$long."),
         'but all its bytes');
    like($masked->('a', $long), qr/sentinel\n$/, 'and what follows');



=== TEST 12: many at once, reload and quit under traffic
--- http_config eval: $::upstream
--- config
    location / {
        return 200 "$request_method";
    }
--- scenario
    my @answers = parallel_requests(map { request_bytes('POST', "/$_", 'x') }
                                        1 .. 40);
    is(scalar(grep { /\r\n\r\nPOST$/ } @answers), 40, 'many at once');

    my @workers = worker_pids();
    is(scalar @workers, 2, 'two workers');
    ok(!grep({ !is_alive($_) } @workers), 'they are alive');

    my $traffic = start_traffic(sub { request_bytes('GET', "/$_[0]") });
    ok(wait_until(sub { $traffic->count > 20 }), 'traffic before');
    reload();

    my $seen = $traffic->count;
    ok(wait_until(sub { $traffic->count > $seen + 20 }), 'traffic after');
    ok(wait_until(sub { !grep { is_alive($_) } @workers }), 'old ones gone');

    my @results = $traffic->stop;
    cmp_ok(scalar @results, '>', 40, 'results');
    is(scalar(grep { $_->[1] != 200 } @results), 0, 'all answered');
    is(scalar(error_log_lines(qr/signal 1 .*received/)), 1, 'one reload');
    ok(quit(), 'gone');
    ok(!eval { get('/'); 1 }, 'nobody answers');



=== TEST 13: what is alarming in a log, and what is left behind
--- http_config eval: $::upstream
--- config eval: $::server
--- scenario
    my $alert = "2026/11/23 14:00:00 [alert] 1#1: worker exited\n";
    my $locked = '2026/11/23 14:00:00 [alert] 1#1: shared memory zone "b24" was'
        . " locked by 7\n";
    my $emerg = "2026/11/23 14:00:00 [emerg] 1#1: unknown\n";
    my $asan = "==7==ERROR: AddressSanitizer: heap-use\n    #0 0x1 in f\n";
    my $fine = "2026/11/23 14:00:00 [error] 1#1: connect() failed\n";

    is_deeply([main::bad_lines($fine)], [], 'an error is not');
    is_deeply([main::bad_lines($fine . $alert)], [$alert], 'an alert is');
    is_deeply([main::bad_lines($alert, expected_alert => "worker exited\n")],
              [], 'unless expected');
    is_deeply([main::bad_lines($alert, error_log => qr/worker exited/)],
              [], 'or asked for');
    is_deeply([main::bad_lines($locked, expected_alert => "worker exited\n")],
              [$locked], 'so is a lock that was left');
    is_deeply([main::bad_lines($locked,
                               expected_alert => "exited on signal 9\n")],
              [], 'unless processes are killed');
    is_deeply([main::bad_lines($emerg)], [$emerg], 'an emerg is');
    is_deeply([main::bad_lines($emerg, must_die => '')], [],
              'unless nginx must die');
    is(scalar(main::bad_lines($asan . $fine, expected_alert => 'heap')), 2,
       'a sanitizer is, with its stack');
    is(scalar(main::bad_lines("x.c:1:2: runtime error: overflow\n$fine")), 1,
       'undefined behaviour is');

    ok(wait_until(sub {
        3 == B24::Test::holders($ENV{TEST_NGINX_SERVROOT});
    }), 'the processes which hold the server\'s files');
    is((stat queue_dir())[4], $> == 0 && $ENV{TEST_NGINX_WORKER_USER}
       ? getpwnam $ENV{TEST_NGINX_WORKER_USER} : $>, 'owner of the queue');



=== TEST 14: the queue is new for each block
--- config
    location / {
        return 200;
    }
--- scenario
    $main::queue = queue_dir();
    is(scalar(() = glob "$main::queue/*"), 0, 'empty');



=== TEST 15: unless it stays
--- keep_state
--- config
    location / {
        return 200;
    }
--- scenario
    is(queue_dir(), $main::queue, 'the same');



=== TEST 16: a file that touches other people's records at the portal fails
--- config
    location / {
        return 200;
    }
--- scenario
    my ($lines, $status) = main::child_file('',
        'portal()->call("crm.deal.update", {id => 410}); pass("nothing");',
        'portal()->call("crm.deal.update", {id => 1, fields => {TITLE => "x"}});',
        'portal()->call("crm.deal.get", {id => 1}); pass("looking");',
        'portal()->call("crm.deal.productrows.set", {id => 1, rows => '
        . '[{PRODUCT_NAME => "x"}]}); portal()->reset; pass("then a reset");',
        'portal()->call("batch", {cmd => {s => "scope", '
        . 'd => "crm.deal.get?id=\$result[no][id]"}});',
        'portal(2)->call("crm.contact.delete", {id => 1});',
        'portal()->call("crm.deal.add", {fields => {CONTACT_IDS => [1]}});',
        'pass("nothing");',
        'portal()->call("crm.company.update", {id => 1, '
        . 'fields => {COMMENTS => "x"}});');

    is(main::spoiling_blocks($lines), '2 4 5 6 7 9', 'each told by its block')
        or diag(@$lines);
    is(scalar(grep { /^ok / } @$lines), 18, 'their own tests pass');

    ($lines, $status) = main::child_file('',
        'portal()->call("crm.deal.add", {fields => {TITLE => "x"}});',
        'portal()->call("crm.deal.update", {id => 410});');
    is(main::spoiling_blocks($lines), '', 'who leaves them alone is fine');
    is($status, 0, 'and passes');

    # after its last block
    ($lines, $status) = main::child_file(
        'portal()->call("crm.deal.delete", {id => 1});', 'pass("fine");');
    is(scalar(grep { /^not ok .*other people's records/ } @$lines), 1,
       'the file is asked once more at its end');

    # a file that breaks off
    ($lines, $status) = main::child_file('', 'portal()->call('
        . '"crm.deal.delete", {id => 1}); exit 0;');
    is(scalar(grep { /^\s*not ok .*other people's records/ } @$lines), 1,
       'also when it breaks off');

    ($lines, $status) = main::child_file('', 'portal()->call('
        . '"crm.deal.delete", {id => 1}); portal()->forgive;');
    is(main::spoiling_blocks($lines), '', 'unless it says it means it');



=== TEST 17: workers of an nginx of the test's own
--- config
--- scenario
    my $line = sub {
        my $nginx = B24::Conf->new('user');
        $nginx->conf('');
        my ($user) = $nginx->text('conf/nginx.conf') =~ /^user (.*);$/m;
        return $user;
    };

    SKIP: {
        skip('only root chooses', 2) if $> != 0;

        local $ENV{TEST_NGINX_WORKER_USER} = 'daemon';
        is($line->(), 'daemon', 'are the user chosen');

        # as below a folder nobody else can enter
        delete local $ENV{TEST_NGINX_WORKER_USER};
        is($line->(), 'root', 'root when none is');
    }



=== TEST 18: what was sent is found in a log, however it is written there
--- config
--- scenario
    my $path = "$ENV{TEST_NGINX_DIR}/planted.log";
    my $start = '2026/11/30 12:00:00 [%s] 1#1: *2 ';
    my %before = B24::Secrets::known();
    my $plant = sub {
        open my $out, '>:raw', $path or die;
        print $out map { "$_\n" } @_;
        close $out;
        return B24::Secrets::look_through($path);
    };

    B24::Secrets::forget();
    B24::Secrets::note_traffic(request_bytes('POST', '/o?token=qu3rytok3n',
        '{"buyer":{"name":"\u0413\u043b\u0430\u0444\u0438\u0440\u0430 Ё"},'
        . '"phone":"8 (921) 765-43-29","items":[{"name":"Balalaika"}]}',
        'Content-Type' => 'application/json',
        Cookie => 'PHPSESSID=9f2k3v8h1q; x=1')
        . request_bytes('POST', '/o', 'ORDER_PROP_7=%CA%F3%E7%ED%E5%F7%ED%FB%E9'
                        . '&mail=Glafira%40example.com')
        . request_bytes('POST', '/o', join("\r\n", '--b',
            'Content-Disposition: form-data; name="user[password]"', '',
            'pa55 word', '--b--', '')));
    B24::Secrets::note_config("b24_webhook https://p.test/rest/1/c0dec0de/;\n"
        . "b24_events ev3nttok3n file:x;\nb24_database "
        . "mysql://shop:dbpa55\@127.0.0.1/db;");

    my %known = B24::Secrets::known();
    my $kinds = join ' ', sort map { s/.* //r } values %known;
    is(join(' ', grep { !/Balalaika/ } keys %known), join(' ', keys %known),
       'goods are nobody\'s');

    for my $text (
        'Глафира', '%D0%93%D0%BB%D0%B0%D1%84%D0%B8%D1%80%D0%B0',
        '%25d0%2593%25d0%25bb%25d0%25b0%25d1%2584%25d0%25b8%25d1%2580%25d0%25b0',
        '\u0413\u043b\u0430\u0444\u0438\u0440\u0430',
        '\u0413\u043B\u0430\u0444\u0438\u0440\u0430',
        '\xD0\x93\xD0\xBB\xD0\xB0\xD1\x84\xD0\xB8\xD1\x80\xD0\xB0',
        '&#1043;&#1083;&#1072;&#1092;&#1080;&#1088;&#1072;',
        "\xc3\xeb\xe0\xf4\xe8\xf0\xe0", '%C3%EB%E0%F4%E8%F0%E0',
        '+79217654329', '79217654329', '9217654329', '8 (921) 765-43-29',
        '8+%28921%29+765-43-29', 'Glafira@example.com', 'glafira@example.com',
        'glafira%40example.com', 'Кузнечный',
        "\xca\xf3\xe7\xed\xe5\xf7\xed\xfb\xe9", '9f2k3v8h1q', 'qu3rytok3n',
        'pa55 word', 'pa55+word', 'pa55%20word', 'c0dec0de', 'ev3nttok3n',
        'dbpa55', '/rest/1/c0dec0de/crm.deal.add')
    {
        my @found = map { scalar $plant->(sprintf($start, $_->[0])
                                          . "$_->[1]$text \", more") }
            [info => 'b24: '], [warn => ''], [debug => 'b24: k-1 of '],
            [debug => 'http subrequest "/b24?" '], [debug => 'some words '],
            [debug => 'http script var: "'];
        is("@found", '1 1 1 1 1 1', "'$text'" =~ s/[^ -~]/?/gr);
    }

    my $own = 'upstream prematurely closed connection, client: 127.0.0.1,'
              . ' server: x, request: "POST /o?token=qu3rytok3n HTTP/1.1"';

    is(scalar $plant->(sprintf($start, 'error') . $own), 0,
       'nginx\'s own words about a request');
    is(scalar $plant->(sprintf($start, 'error') . "b24: $own"), 1,
       'which are ours behind a line of ours');
    is(scalar $plant->(sprintf($start, 'debug')
                       . 'http header: "Cookie: PHPSESSID=9f2k3v8h1q"'), 0,
       'as it prints headers at debug');
    is(scalar $plant->(sprintf($start, 'debug') . 'HTTP/1.1 302 Found',
                       'Location: /o?token=qu3rytok3n'), 0, 'and answers');
    is(scalar $plant->(sprintf($start, 'debug') . 'b24: HTTP/1.1 302 Found',
                       'Location: /o?token=qu3rytok3n'), 1,
       'but not we, on no line');
    is(scalar $plant->('1.1.1.1 - - [x] "GET /o?token=qu3rytok3n HTTP/1.1" 200'
                       . ' 1 "http://x/?token=qu3rytok3n" "-"'), 0,
       'an access log of request lines');
    is(scalar $plant->('200 order accepted qu3rytok3n'), 1,
       'and of something of ours');
    is(scalar $plant->('nginx: [emerg] "b24_webhook" is https://x/rest/1/'
                       . 'c0dec0de/ in /x/nginx.conf:1'), 1, 'at start');
    is(join(' ', B24::Secrets::in_text('x{name="Глафира"} 1')),
       'name: Глафира', 'metrics');

    # across the pieces in which a long log is read
    my $filler = sprintf($start, 'debug') . 'x' x 900;
    is(scalar $plant->(($filler) x 2000, sprintf($start, 'info')
                       . 'b24: qu3rytok3n', ($filler) x 2000), 1,
       'in the middle of a long one');

    unlink $path;
    B24::Secrets::forget();
    B24::Secrets::note($before{$_} => $_) for keys %before;



=== TEST 19: a file whose log shows what it has sent fails
--- config
--- scenario
    my $block = 'get("/?email=glafira\@example.com"); open my $log, ">>",'
                . ' "$ENV{TEST_NGINX_SERVROOT}/logs/%s" or die;'
                . ' print $log "%s\n"; pass("written");';
    my $start = '2026/11/30 12:00:00 [warn] 1#1: *2 ';
    my ($lines) = main::child_file('',
        sprintf($block, 'error.log', "${start}b24: of glafira%40example.com"),
        'pass("nothing");',
        sprintf($block, 'error.log', "${start}b24: of nobody"),
        sprintf($block, 'ours.log', '200 glafira\@example.com'));

    is(join(' ', map { /block (\d) - nothing private in a log/ ? $1 : () }
                 grep { /^not ok/ } @$lines), '1 4', 'each told by its block')
        or diag(@$lines);
    is(scalar(grep { /^ok / } @$lines), 8, 'their own tests pass');



=== TEST 20: a browser that goes takes its folder and its processes along
--- config
location / { return 200 "there\n"; }
--- scenario
    require B24::Browser;

    my $b = B24::Browser->new;
    my ($folder, $pid) = ("$b->{folder}", $b->{pid});

    $b->open('http://127.0.0.1:' . port() . '/');
    is($b->js('document.body.innerText') =~ s/\s+$//r, 'there', 'it is there');
    ok(-d $folder, 'with a folder of its own');

    undef $b;
    ok(!-e $folder, 'which goes with it');
    ok(!kill(0, $pid), 'and so does it');
