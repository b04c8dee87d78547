# Deals that somebody moves in the CRM: told of by the portal's webhook, found
# in its history of stages, read in groups, noted.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm;
use B24::Desk;
use B24::Http2;
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);
log_level('info');

our $token = '51856fefc120afa4b628cc82d3935cce';
our $stages = <<'EOC';
        stage N NEW;  stage P PREPARATION;  stage W WON;
        default_status N;

        status admin {
            uri       ~ ^/admin/;
            id        query:/id;
            status    query:/to;
        }
EOC

our $shop = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;

        location / { return 204; }
    }
EOC

# b24_events with these parameters; more: lines of the server
sub server {
    my ($events, %option) = @_;

    return B24::Crm::server(more => <<"EOC" . ($option{more} // ''));
    location /admin/ {
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_3;
    }

    location = /events {
        b24_mirror off;
        b24_events $events;
    }
EOC
}

our ($classic, $universal)
    = map { B24::Crm::http(stages => $stages, servers => $shop, @$_) }
          [], [api => 'universal'];

{
    package B24::Scenario::Code;

    B24::Crm->import(qw(deal_of person_moves so_far told));

    # What the page warns of, once it does.
    sub warned {
        my ($like) = @_;

        my @found;

        wait_until(sub {
            @found = grep { $_ =~ $like }
                map { @{$_->{warnings}} } @{B24::Desk::status()->{portals}};
        });

        return $found[0] // 'nothing';
    }

    # A webhook as a portal sends it; its status.
    sub webhook {
        my ($deal, %option) = @_;

        my %field = (event => $option{event} // 'ONCRMDEALUPDATE',
            event_handler_id => 201, 'data[FIELDS][ID]' => $deal,
            ts => 1724140800, 'auth[domain]' => 'example.bitrix24.com',
            'auth[client_endpoint]' => 'https://example.bitrix24.com/rest/',
            'auth[member_id]' => 'a223c6b3710f85df22e9377d6c4f7553',
            'auth[application_token]' => $option{token} // $::token);

        delete $field{$_} for @{$option{without} // []};

        my $body = join '&', map {
            my ($name, $value) = ($_, $field{$_});
            s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge for $name, $value;
            "$name=$value" } sort keys %field;
        my $client = B24::Client->new(port => B24::Scenario::port());

        $client->send(B24::Client::request_bytes($option{method} // 'POST',
            '/events', $option{body} // $body,
            'Content-Type' => 'application/x-www-form-urlencoded'));

        return $client->response->{status};
    }

    # Lists of deals and of the history that the portal was asked for since.
    sub asked {
        my ($from) = @_;

        my %n;

        for my $request (B24::Crm::requests(undef, $from)) {
            my @lists = grep { $_->{method} =~ /\.list$/ }
                             @{$request->{commands} // []};

            $n{requests}++ if @lists;
            $n{$_->{method}}++ for @lists;
        }

        return \%n;
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a webhook tells of a deal that was moved
--- http_config eval: $::classic
--- config eval: ::server("$::token poll=2s")
--- scenario
    my $deal = deal_of('e-1');

    person_moves($deal, 'PREPARATION');
    is(webhook($deal->{id}), 200, 'taken');
    told('e-1', qr/^delivered: the deal was moved to "PREPARATION" in the CRM$/,
         'the order tells');

    # again, and echoes of what we do
    my @before = B24::Crm::timeline_of('e-1');
    webhook($deal->{id}) for 1 .. 5;
    Time::HiRes::sleep(3);
    is(join("\n", B24::Crm::timeline_of('e-1')), join("\n", @before),
       'once');

    person_moves($deal, 'WON');
    person_moves($deal, 'NEW');
    webhook($deal->{id});
    told('e-1', qr/moved to "NEW" in the CRM$/, 'back where it began');
    is(B24::Desk::counter('events'), 7, 'all are counted');
    is(B24::Desk::counter('events_refused'), 0, 'none is refused');



=== TEST 2: universal: the same
--- http_config eval: $::universal
--- config eval: ::server("$::token poll=2s")
--- scenario
    my $deal = deal_of('e-1');

    person_moves($deal, 'PREPARATION');
    is(webhook($deal->{id}), 200, 'taken');
    told('e-1', qr/moved to "PREPARATION" in the CRM$/, 'the order tells');



=== TEST 3: what no portal sends
--- http_config eval: $::classic
--- config eval
::server("$::token poll=1h", more => 'client_body_buffer_size 1k;')
--- scenario
    my $deal = deal_of('e-1');

    is(webhook($deal->{id}, token => 'x' x 32), 403, 'another token');
    is(webhook($deal->{id}, token => ''), 403, 'an empty one');
    is(webhook($deal->{id}, token => substr($::token, 0, 31)), 403,
       'a shorter one');
    is(webhook($deal->{id}, token => $::token x 2), 403, 'twice the token');
    is(webhook($deal->{id}, token => "$::token\0"), 403, 'and a zero');
    is(webhook($deal->{id}, without => ['auth[application_token]']), 403,
       'none');
    is(webhook($deal->{id}, body => ''), 403, 'nothing at all');
    is(webhook($deal->{id}, body => 'x' x 900), 403, 'noise');
    is(B24::Desk::counter('events_refused'), 8, 'they are counted');
    is(webhook($deal->{id}, body => 'x' x 9000), 413, 'too much');
    is(webhook($deal->{id}, body => 'x' x 3000), 403,
       'there is room for as much, whatever is said around it');
    is(webhook($deal->{id}, method => 'PUT'), 405, 'another method');

    # those of a portal that say nothing to us
    is(webhook($_->[0], event => $_->[1]), 200, "$_->[1] $_->[0]")
        for ['0', 'ONCRMDEALUPDATE'], ['-1', 'ONCRMDEALUPDATE'],
            ['1e3', 'ONCRMDEALUPDATE'], ['9' x 40, 'ONCRMDEALUPDATE'],
            ['', 'ONCRMDEALUPDATE'], [$deal->{id}, 'ONCRMCONTACTUPDATE'],
            ['<b>', "\0\xff"];
    is(B24::Desk::counter('events'), 7, 'they are counted, too');
    like(error_log(), qr/a webhook has a wrong token/, 'the log tells once');
    unlike(error_log(), qr/$::token/, 'without a token');



=== TEST 4: several tokens, one of a file
--- http_config eval: $::classic
--- config eval
    open my $file, '>', "$ENV{TEST_NGINX_DIR}/token" or die;
    print $file "abcdef0123456789\n";
    close $file;
    chmod 0600, "$ENV{TEST_NGINX_DIR}/token";
    ::server("$::token file:$ENV{TEST_NGINX_DIR}/token poll=1h")
--- scenario
    my $deal = deal_of('e-1');

    is(webhook($deal->{id}), 200, 'the first');
    is(webhook($deal->{id}, token => 'abcdef0123456789'), 200,
       'that of the file');
    is(webhook($deal->{id}, token => 'abcdef0123456788'), 403, 'another');



=== TEST 5: a webhook that is lost: the history has it
--- http_config eval: $::classic
--- config eval: ::server("$::token poll=2s")
--- scenario
    my @deals = map { deal_of("e-$_") } 1 .. 3;

    # it is read from where it stood at first
    ok(wait_until(sub { asked(0)->{'crm.stagehistory.list'} }), 'it is read');

    person_moves($deals[0], 'PREPARATION');
    told('e-1', qr/moved to "PREPARATION" in the CRM$/, 'without a webhook');

    # while nginx is down, and more than a page
    my $from = so_far();
    ok(quit(), 'nginx is gone');
    person_moves($deals[1], $_ % 2 ? 'PREPARATION' : 'NEW') for 1 .. 120;
    person_moves($deals[1], 'WON');
    person_moves($deals[2], 'PREPARATION');
    start_again();
    told('e-2', qr/moved to "WON" in the CRM$/, 'the last of many');
    told('e-3', qr/moved to "PREPARATION" in the CRM$/, 'and another');



=== TEST 6: a burst of webhooks
--- http_config eval: $::classic
--- config eval: ::server("$::token poll=5s")
--- timeout: 60
--- scenario
    my @deals = map { deal_of("e-$_") } 1 .. 3;
    my $from = so_far();

    person_moves($_, 'WON') for @deals;

    # most are of deals that are none of ours
    for my $n (1 .. 2000) {
        my $id = $n % 100 == 1 ? $deals[$n / 100 % 3]{id} : 1_000_000 + $n;

        webhook($id) == 200 or die "not taken\n";
    }

    told("e-$_", qr/moved to "WON" in the CRM$/, "e-$_") for 1 .. 3;

    my $asked = asked($from);
    cmp_ok($asked->{requests}, '<=', 60, "$asked->{requests} requests");



=== TEST 7: of two changes the newer one counts
--- http_config eval: $::classic
--- config eval: ::server("$::token poll=2s")
--- scenario
    my $deal = deal_of('e-1');

    # the shop's is told of while the portal is away, the CRM's is newer
    portal()->fault(kind => 'html', method => 'crm\.deal\.list', times => 1);
    get('/admin/x?id=e-1&to=P');
    Time::HiRes::sleep(1.1);
    person_moves($deal, 'WON');
    webhook($deal->{id});
    told('e-1', qr/^delivered: the deal was (?:closed at|moved to) "WON"/,
         'the CRM has the last word');
    is(B24::Crm::whole_crm()->{deals}{'e-1'}[0]{stage_id}, 'WON', 'it stays');



=== TEST 8: the portal fails
--- http_config eval: $::classic
--- config eval: ::server("$::token poll=1s")
--- scenario
    my $deal = deal_of('e-1');

    # no right to the history: webhooks go on
    portal()->fault(kind => 'command', error => 'ACCESS_DENIED',
                    description => 'no', method => 'crm\.stagehistory\.list');
    person_moves($deal, 'PREPARATION');
    webhook($deal->{id});
    told('e-1', qr/moved to "PREPARATION" in the CRM$/, 'without a history');

    my $n = 0;

    for my $fault ([kind => 'error', status => 503, error =>
                    'QUERY_LIMIT_EXCEEDED'], [kind => 'html'],
                   [kind => 'drop', when => 'before'],
                   [kind => 'drop', when => 'after']) {
        my $stage = $n++ % 2 ? 'NEW' : 'WON';

        portal()->fault(@$fault, times => 2);
        person_moves($deal, $stage);
        webhook($deal->{id});
        told('e-1', qr/moved to "$stage" in the CRM$/, "after @$fault");
    }

    # a deal that is gone, and an order whose deal is another's number
    portal()->edit(entity => 'deal', id => $deal->{id}, delete => \1);
    webhook($deal->{id}, event => 'ONCRMDEALDELETE');
    told('e-1', qr/the deal is not in the CRM any more$/, 'a deal that is gone');
    ok(B24::Crm::order(id => 'e-2'), 'orders go on');
    B24::Crm::delivered('e-2');



=== TEST 9: what the portal does not tell is named
--- http_config eval: $::classic
--- config eval: ::server("$::token poll=1s")
--- scenario
    my $deal = deal_of('e-1');

    portal()->fault(kind => 'command', error => 'ACCESS_DENIED',
                    description => 'no', method => 'crm\.stagehistory\.list');
    like(warned(qr/refuses its/), qr/^the portal refuses its history of stages \(ACCESS_DENIED\)/,
         'no right to the history');
    ok(wait_until(sub {
        error_log() =~ /portal "\S+": the portal refuses its history of stages/;
    }), 'the log says so, too');

    portal()->fault(kind => 'command', error => 'ACCESS_DENIED',
                    description => 'no', method => 'crm\.deal\.list');
    webhook($deal->{id});
    like(warned(qr/refuses deals/), qr/^the portal refuses deals that were moved \(ACCESS_DENIED\)/,
         'nor to the deals');



=== TEST 10: the ways a body can come
--- http_config eval: $::classic
--- config eval
::server("$::token poll=1h", more => 'client_body_buffer_size 1k;
    client_body_in_file_only clean;
    listen 127.0.0.1:$TEST_NGINX_PORT_4 http2;')
--- scenario
    my $deal = deal_of('e-1');
    my $form = "event=ONCRMDEALUPDATE&data[FIELDS][ID]=$deal->{id}"
        . "&auth[application_token]=$::token";
    my $client;
    my $ask = sub {
        my ($bytes) = @_;

        $client = B24::Client->new(port => B24::Scenario::port());
        $client->send($bytes);
        return $client->response->{status};
    };
    my $head = sub {
        return join "\r\n", "$_[0] HTTP/1.1", 'Host: x', @_[1 .. $#_], '', '';
    };
    my $chunked = sub {
        my ($body, $size) = @_;

        return $head->('POST /events', 'Transfer-Encoding: chunked')
            . join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                       unpack("(a$size)*", $body), '');
    };

    is($ask->($chunked->($form, 7)), 200, 'in chunks');
    is($ask->($chunked->($form . '&x=' . 'y' x 7800, 4000)), 200,
       'in chunks, as much as may be');
    is($ask->($chunked->($form . '&x=' . 'y' x 90_000, 4000)), 413,
       'in chunks, too much');
    is(webhook($deal->{id}, body => $form . '&x=' . 'y' x 7900), 200,
       'as much as may be');
    is(webhook($deal->{id}, body => $form . '&x=' . 'y' x 9000), 413,
       'too much');

    # no more than that is read
    my $sent = 0;
    $client = B24::Client->new(port => B24::Scenario::port());
    $client->send($head->('POST /events', 'Transfer-Encoding: chunked'));
    $sent++ while $sent < 64 && $client->send(sprintf "%x\r\n%s\r\n", 16384,
                                              'z' x 16384);
    is($client->response->{status}, 413, 'a body without an end');

    is($ask->($head->('GET /events?' . $form)), 405, 'GET');
    is($ask->($head->('POST /events?' . $form, 'Content-Length: 0')), 403,
       'a token in the address is none');
    is(webhook($deal->{id}, body => '{"event":"ONCRMDEALUPDATE","auth":'
               . "{\"application_token\":\"$::token\"}}"), 403, 'JSON');
    is(webhook($deal->{id}, body => "auth[application_token][]=$::token"), 403,
       'a list of tokens');
    is(webhook($deal->{id}, body => "auth=$::token&application_token=$::token"),
       403, 'not where it belongs');
    is(webhook($deal->{id}, body => "$form&auth[application_token]=x"), 403,
       'of two tokens the last one');

    # the connection goes on
    $client = B24::Client->new(port => B24::Scenario::port());
    for ([$form . 'x', 403], [$form, 200], ["$form&event=%00", 200]) {
        my ($body, $status) = @$_;

        $client->send($head->('POST /events', 'Content-Length: '
                              . length $body) . $body);
        is($client->response->{status}, $status, "keep-alive: $status");
    }

    my $two = B24::Http2->new(port => $ENV{TEST_NGINX_PORT_4});
    my $stream = $two->open(POST => '/events');
    $two->data($stream, substr($form, 0, 20));
    $two->data($stream, substr($form, 20), end => 1);
    $two->response($stream);
    $stream = $two->open(POST => '/events');
    $two->data($stream, 'z' x 16000) for 1 .. 3;
    $two->response($stream);
    ok(wait_until(sub { B24::Desk::counter('events') == 6 }), 'all are counted');

    is(scalar(error_log_lines(qr{temporary file.*/events})), 0,
       'none of it goes to the disk');
    unlike(error_log(), qr/$::token/, 'nor to the log');
