# Page, JSON and Prometheus say the same numbers, whatever state orders are in,
# over reload and restart.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portals => 2;
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands qw(queue_sql);
use B24::Orders;
use B24::Prometheus;
use IO::Socket::INET;
use JSON::PP ();
use Mojo::DOM;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

# a database where nobody answers
$ENV{TEST_NGINX_NOBODY} = B24::Test::free_port();

# A shop that says yes, no, or nothing, as it is asked; one that never answers
# listens on PORT_5.  Servers of further origins, each a shop that counts.
our $http = B24::Orders::http(shop => 0,
    retry => 'first=60s max=60s unknown=3s') . B24::Orders::ASKED_SHOP
    . <<'EOC';
    map $arg_mute $shop_port {
        default $TEST_NGINX_PORT_1;
        1 $TEST_NGINX_PORT_5;
    }

    b24_shop asked : tested {
        database {
            order "SELECT id FROM orders WHERE id = :number";
        }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_2;
        b24_origin other;
        b24_mirror tested;
        location /checkout { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;
        b24_origin third;
        b24_webhook $TEST_NGINX_PORTAL_URL_2;
        b24_mirror tested;
        location /checkout { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_4;
        b24_origin asked;
        b24_mirror asked;
        b24_database mysql://b24:none@127.0.0.1:$TEST_NGINX_NOBODY/shop;
        location /checkout { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }
EOC

our $server = B24::Orders::server(shop => 'http://127.0.0.1:$shop_port',
                                    more => <<'EOC');
    proxy_ignore_client_abort on;
    client_header_timeout 3s;           # browsers connect ahead

    location /narrow {
        b24_status origin=other;
    }
EOC


# ---- what is said --------------------------------------------------------

sub body {
    my ($target, @headers) = @_;

    my $answer = B24::Scenario::get($target, @headers);

    die "$target: $answer->{status}\n" if $answer->{status} != 200;

    return $answer->{body};
}

sub json {
    return JSON::PP::decode_json(body('/b24?format=json&limit=1000'));
}

# The page as { ORIGIN => { state, STATE => number, waits, database => {} } },
# and "now", "needs", "chart" of each.
sub page {
    my ($language) = @_;

    my $text = body('/b24', 'Accept-Language' => $language);
    utf8::decode($text) or die "the page is no UTF-8\n";

    my $dom = Mojo::DOM->new($text);
    my %page = (now => $dom->at('#now')->all_text =~ /(\d+)\s*$/ ? $1 : 0,
                class => $dom->at('#now')->attr('class'));

    for my $section ($dom->find('section')->each) {
        my $counts = $section->at('ul.n') // next;
        my ($origin) = $section->at('h2')->text =~ /^\s*(\S+)/;
        my %of = (state => $section->at('h2 b')->attr('class') =~ s/^s //r);
        my @numbers = map { $_->at('b')->text } $counts->find('li')->each;

        @of{qw(captured accepted sending waiting parked unconfirmed delivered
               rejected duplicate)} = @numbers;

        $of{waits} = $section->at('p.lead b') ? $section->at('p.lead b')->text : 0;

        if (my $caption = $section->at('figcaption')) {
            $of{chart} = [$caption->all_text =~ /(\d+)/g];
            shift @{$of{chart}};                    # the last 24 hours
        }

        if (my $database = $section->at('p > b[lang] + span')) {
            $of{database} = { $database->text =~ /(\w+) (\d+)/g };
            $of{database}{state} = $section->at('p > b[lang]')->text;
        }

        $page{origins}{$origin} = \%of;
    }

    return \%page;
}

sub metrics {
    my ($target) = @_;

    return B24::Prometheus->parse(body($target // '/b24?format=prometheus'));
}

# What must stand still while three answers are compared.
sub still {
    my ($json) = @_;

    return JSON::PP->new->canonical->encode([$json->{counters},
        map { [@$_{qw(origin state counts requests_total database)}] }
            @{$json->{portals}}]);
}

my @states = qw(captured accepted sending waiting parked unconfirmed);
my @ends = qw(delivered rejected duplicate);

# One subtest: the three agree in every number.  Returns what they say, for the
# next time.
sub agree {
    my ($name) = @_;

    my ($before, $json, $page, $russian, $metrics, $text);

    my $found = B24::Scenario::wait_until(sub {
        $before = json();
        $page = page('en');
        $russian = page('ru');
        $text = body('/b24?format=prometheus');
        $json = json();
        return still($before) eq still($json);
    });

    Test::More::subtest($name => sub {
        Test::More::ok($found, 'nothing moves meanwhile');
        Test::More::is(B24::Prometheus::findings($text), '', 'promtool');
        $metrics = B24::Prometheus->parse($text);

        delete $_->{class} for $page, $russian;
        Test::More::is_deeply($russian, $page, 'both languages');

        agree_origin($_, $page->{origins}{$_->{origin}}, $metrics, $json,
                     $before) for @{$json->{portals}};

        Test::More::is(scalar keys %{$page->{origins}},
                       scalar @{$json->{portals}}, 'no origin more');

        for my $counter (sort keys %{$json->{counters}}) {
            my ($value) = grep { defined }
                          map { $metrics->value($_) }
                          "b24_$counter", "b24_${counter}_total";

            Test::More::is($value, $json->{counters}{$counter}, $counter);
        }

        Test::More::is($metrics->value('b24_queue_up'),
                       $json->{queue} eq 'ok' ? 1 : 0, 'the queue');
        Test::More::is($metrics->value('b24_build_info',
                                       version => $json->{version}), 1,
                       'the version');
    });

    return { json => $json, page => $page, metrics => $metrics };
}

sub agree_origin {
    my ($portal, $of, $metrics, $json, $before) = @_;

    my ($origin, $host, $counts) = @$portal{qw(origin host counts)};
    my ($earlier) = grep { $_->{origin} eq $origin } @{$before->{portals}};

    Test::More::subtest($origin => sub {
        Test::More::is($metrics->value('b24_records', origin => $origin,
                       state => $_), $counts->{$_}, "$_: Prometheus") for @states;
        Test::More::is($metrics->value('b24_orders_total', origin => $origin,
                       outcome => $_), $counts->{$_}, "$_: Prometheus") for @ends;
        Test::More::is($of->{$_}, $counts->{$_}, "$_: page") for @states, @ends;

        Test::More::is($of->{waits}, $counts->{accepted} + $counts->{sending}
                       + $counts->{waiting}, 'what waits: page');
        Test::More::is($of->{state}, $portal->{state}, 'state: page');

        my $oldest = $metrics->value('b24_oldest_undelivered_seconds',
                                     origin => $origin);
        Test::More::ok($oldest >= $earlier->{oldest_undelivered_seconds}
                       && $oldest <= $portal->{oldest_undelivered_seconds},
                       'the oldest');
        Test::More::is($oldest > 0, $of->{waits} > 0, 'which there is')
            if $portal->{oldest_undelivered_seconds} > 2;

        my @sums = (0, 0, 0);

        for my $point (grep { $_->{origin} eq $origin } @{$json->{history}}) {
            $sums[0] += $point->{accepted};
            $sums[1] += $point->{delivered};
            $sums[2] = $point->{waiting} if $point->{waiting} > $sums[2];
        }

        Test::More::is_deeply($of->{chart} // [0, 0, 0], \@sums,
                              'the last day: page');

        Test::More::is($metrics->value('b24_paused', origin => $origin),
                       $portal->{state} eq 'paused' ? 1 : 0, 'paused');
        Test::More::is($metrics->value('b24_dry', origin => $origin), 0,
                       'not dry');

        agree_portal($portal, $metrics) if defined $host;
        agree_database($portal->{database}, $of->{database}, $origin, $metrics);
    });
}

sub agree_portal {
    my ($portal, $metrics) = @_;

    my ($state, $host) = @$portal{qw(state host)};
    my %results = $metrics->series('b24_portal_requests_total');
    my $sum = 0;

    $sum += $results{$_} for grep { /^host=\Q$host\E,/ } keys %results;

    Test::More::is($sum, $portal->{requests_total}, 'requests');

    # of a paused one only Prometheus says what the portal does
    return if $state eq 'paused';

    Test::More::is($metrics->value('b24_portal_up', host => $host),
                   $state =~ /^(?:blocked|retrying)$/ ? 0 : 1, 'up');
    Test::More::is($metrics->value('b24_portal_blocked', host => $host),
                   $state eq 'blocked' ? 1 : 0, 'blocked');
}

sub agree_database {
    my ($json, $page, $origin, $metrics) = @_;

    my $up = $metrics->value('b24_database_up', origin => $origin);

    if (!$json) {
        Test::More::ok(!$page && !defined $up, 'no database');
        return;
    }

    Test::More::is($page->{state}, $json->{state}, 'database: page');
    Test::More::is($up, $json->{state} eq 'failing' ? 0 : 1, 'Prometheus');

    for my $name (qw(read absent error imported settled linked)) {
        Test::More::is($page->{$name}, $json->{$name}, "$name: page");
        Test::More::is($metrics->value('b24_database_orders_total',
                       origin => $origin, result => $name), $json->{$name},
                       "$name: Prometheus");
    }
}

# A test: no counter of the second is less; only: of these families.
sub grew {
    my ($before, $after, $name, @only) = @_;

    my @fell;

    for my $family (@only ? @only : $before->families) {
        my $type = $before->type($family);
        my @samples = $type eq 'counter' ? $family
                    : $type eq 'histogram' ? map { "${family}_$_" } qw(bucket count sum)
                    : next;

        for my $sample (@samples) {
            my %before = $before->series($sample);
            my %after = $after->series($sample);

            push @fell, map { "$sample\{$_}: $before{$_}, then "
                              . ($after{$_} // 'nothing') }
                        grep { !defined $after{$_} || $after{$_} < $before{$_} }
                             sort keys %before;
        }
    }

    Test::More::is(join("\n", @fell), '', $name);
}


# ---- what is done --------------------------------------------------------

sub place_at {
    my ($port, @orders) = @_;

    for my $order (map { ref $_ ? $_ : [$_] } @orders) {
        my ($n, $target, %field) = @$order;
        my $client = B24::Client->new(port => $ENV{"TEST_NGINX_PORT_$port"}
                                              // B24::Scenario::port());

        $client->send(B24::Client::request_bytes('POST', $target // '/checkout',
            B24::Orders::order_json($n, %field),
            'Content-Type' => 'application/json'));
        eval { $client->response };
    }
}

sub act {
    my ($target) = @_;

    my $client = B24::Scenario::client();

    $client->send(B24::Client::request_bytes('POST', $target, ''));
    return $client->response->{status};
}

# A test: an origin comes to have so many records in a state.
sub comes_to {
    my ($origin, $state, $n) = @_;

    B24::Desk::count_is($state, $n, "$n $state", $origin);
}

plan tests => 2 * blocks();

run_tests();


__DATA__

=== TEST 1: orders in all states, of several shops, over reload and restart
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::agree('nothing yet');

    my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
        LocalPort => $ENV{TEST_NGINX_PORT_5}, ReuseAddr => 1) or die "$!\n";

    # delivered, twice over; parked; refused by the shop; dropped; unconfirmed
    main::place_at(0, 1, 2, 2, [3, '/checkout?no=1'], [4, '/checkout?lost=1'],
                   [5, '/checkout?lost=1']);
    settled($_) for 1, 2;
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 2,
                    error => 'ERROR_CORE', description => 'Wrong value');
    main::place_at(0, 6, 7);
    settled($_, 'parked') for 6, 7;
    main::comes_to('tested', 'unconfirmed', 2);
    is(main::act('/b24/orders/o-5/drop'), 202, 'dropped');

    # of another shop at the same portal, then paused
    main::place_at(2, 11, 12, 13);
    main::comes_to('other', 'delivered', 3);
    is(main::act('/b24/pause?origin=other'), 202, 'paused');
    main::place_at(2, 14, 15);

    # at a portal that fails
    portal(2)->fault(kind => 'html', status => 502, when => 'before', times => 0,
                     method => 'crm\.duplicate\.findbycomm');
    main::place_at(3, 21);
    main::comes_to('third', 'waiting', 1);
    main::place_at(3, 22, 23);
    main::comes_to('third', 'accepted', 2);

    # whose database does not answer
    main::place_at(4, 31);
    ok(wait_until(sub { $_->{origin} eq 'asked'
                        && ($_->{database}{state} // '') eq 'failing'
                        && return 1 for @{main::json()->{portals}}; 0 }),
       'a database that fails');

    # being sent, and not answered by the shop yet
    portal()->fault(kind => 'hang_before', method => 'crm\.deal\.list');
    main::place_at(0, 8);
    portal()->wait_for(held => 1);

    my $client = client();
    $client->send(request_bytes('POST', '/checkout?mute=1', order_json(9),
                                'Content-Type' => 'application/json'));
    main::comes_to('tested', 'captured', 1);
    main::comes_to('tested', 'sending', 1);

    my $all = main::agree('all states');
    my %counts = map { $_->{origin} => $_->{counts} } @{$all->{json}{portals}};

    is_deeply($counts{tested}, { captured => 1, accepted => 0, sending => 1,
        waiting => 0, parked => 2, unconfirmed => 1, delivered => 2,
        rejected => 2, duplicate => 1 }, 'as they were placed');
    is_deeply([@{$counts{other}}{qw(delivered accepted)}], [3, 2], 'the other');
    is_deeply([@{$counts{third}}{qw(waiting accepted)}], [1, 2], 'the third');
    is($all->{page}{now}, 3, 'the page begins with how many need a person');

    my $narrow = main::metrics('/narrow?format=prometheus');
    is_deeply({ $narrow->series('b24_paused') }, { 'origin=other' => 1 },
              'a narrow page');
    is($narrow->value('b24_orders_total', origin => 'other',
                      outcome => 'delivered'), 3, 'has the same numbers');

    # the old workers wait for what they are at
    portal()->release;
    settled(8);
    $client->abort;
    main::comes_to('tested', 'delivered', 3);

    my $before = main::agree('before the reload');
    main::grew($all->{metrics}, $before->{metrics}, 'counters only grow');

    reload();
    $mute->close;
    main::comes_to('tested', 'captured', 0);
    my $reloaded = main::agree('after the reload');
    main::grew($before->{metrics}, $reloaded->{metrics},
               'and go on over it');

    ok(quit(), 'nginx ends');
    start_again();

    # from the first moment on
    my $first = wait_until(sub {
        my $metrics = eval { main::metrics() } // return 0;
        my %orders = $metrics->series('b24_orders_total');

        return %orders ? $metrics : 0;
    });

    ok($first, 'it is there')
        and main::grew($reloaded->{metrics}, $first,
                   'what counts since the queue was made goes on, too',
                   'b24_orders_total');

    my $restarted = main::agree('after the restart');
    my %now = map { $_->{origin} => $_->{counts} } @{$restarted->{json}{portals}};

    is($now{tested}{$_}, $before->{metrics}->value('b24_orders_total',
        origin => 'tested', outcome => $_), "$_ as before")
        for qw(delivered rejected duplicate);
    is($restarted->{metrics}->value('b24_delivery_seconds_count'), 0,
       'times begin anew');

    # and on they go
    portal(2)->clear_faults;
    is(main::act('/b24/resume'), 202, 'resumed');
    main::act("/b24/orders/o-$_/retry") for 6, 7, 21;
    main::comes_to('tested', 'delivered', 5);
    main::comes_to('other', 'delivered', 5);
    main::comes_to('third', 'delivered', 3);
    main::grew($restarted->{metrics}, main::agree('at the end')->{metrics},
               'counters only grow');



=== TEST 2: only what needs a person
--- http_config eval: B24::Orders::http()
--- config eval: B24::Orders::server()
--- scenario
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 3,
                    error => 'ERROR_CORE', description => 'Wrong value');
    place(1 .. 4);
    settled($_) for 1 .. 4;

    is(main::agree('three are parked')->{page}{now}, 3, 'as the page begins');



=== TEST 3: numbers that nobody knows yet are not told
--- http_config eval: B24::Orders::http()
--- config eval: B24::Orders::server()
--- scenario
    place(1, 2, 2);
    settled($_) for 1, 2;
    main::comes_to('tested', 'duplicate', 1);
    ok(quit(), 'nginx ends');

    # a queue that this version does not open
    my $version = main::queue_sql('PRAGMA user_version');
    main::queue_sql('PRAGMA user_version = 99');
    start_again();

    my $metrics;
    ok(wait_until(sub {
        $metrics = main::metrics();
        return ($metrics->value('b24_store_errors_total') // 0) > 0;
    }), 'it is tried');
    is($metrics->value('b24_queue_up'), 0, 'the queue is told of');
    is(scalar(grep { /^b24_(?:orders_total|records|oldest|paused)/ }
                   $metrics->families), 0, 'its numbers are not');
    is($metrics->value('b24_build_info',
                       version => main::json()->{version}), 1, 'others are');
    like(main::json()->{queue}, qr/newer version/, 'JSON says why');
    like(main::body('/b24'), qr/newer version/, 'and so does the page');

    place(3);
    ok(wait_until(sub { main::metrics()->value('b24_held') == 1 }),
       'an order is held');
    like(main::body('/b24'), qr/orders held in memory: 1\./, 'as the page says');
    is(main::json()->{counters}{held}, 1, 'and JSON');

    main::queue_sql("PRAGMA user_version = $version");
    ok(wait_until(sub { main::metrics()->value('b24_queue_up') == 1 }), 'mended');
    settled(3);
    main::comes_to('tested', 'delivered', 3);
    main::agree('all is well');
