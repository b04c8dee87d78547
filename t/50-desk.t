# What a person does at the desk: retry, send, drop, pause, check; who may; and
# the numbers for Prometheus.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands;
use B24::Http2;
use B24::Orders;
use B24::Prometheus;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

our $http2 = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3 http2;

        location /b24 {
            b24_status;
        }
    }
EOC

our $http = B24::Hands::http();
our $slow = B24::Hands::http(retry => 'first=60s max=60s unknown=3s');
our $server = B24::Orders::server(more => <<'EOC');
    location /mine {
        b24_status origin=tested;
    }

    location /other {
        b24_status origin=other;
    }

    location = /exact {
        b24_status;
    }
EOC

our $down = { kind => 'html', status => 502, when => 'before', times => 0,
              method => 'crm\.duplicate\.findbycomm' };


# Records of exchanges that are over, whatever became of them.
sub ended {
    return scalar grep { $_->{state} ne 'captured' }
                       @{B24::Desk::status()->{orders}};
}

# Orders of these numbers came two days ago.
sub backdate {
    for my $n (@_) {
        B24::Scenario::wait_until(sub { B24::Orders::record($n) });
        queue_sql("UPDATE $_ SET accepted = accepted - 172800000"
                  . " WHERE order_id = '" . B24::Orders::order_id($n) . "'")
            for qw(records links);
    }
}

# The record an order has, or its key.
sub key {
    my ($n) = @_;

    my $record = B24::Scenario::wait_until(sub { B24::Orders::record($n) })
        or die "there is no record of $n\n";

    return $record->{key};
}

sub order_path {
    my ($n, $action) = @_;

    return '/b24/orders/' . key($n) . "/$action";
}

# The timeline of a record by its key, as B24::Orders::timeline().
sub moments {
    my ($key) = @_;

    my $answer = B24::Scenario::get("/b24/orders/$key?format=json");

    return map { defined $_->{cause} ? "$_->{state}: $_->{cause}"
                                     : $_->{state} }
           @{JSON::PP::decode_json($answer->{body})->{timeline}};
}

sub one {
    my ($key) = @_;

    return JSON::PP::decode_json(
        B24::Scenario::get("/b24/orders/$key?format=json")->{body});
}

# Origin ids at the portal.
sub at_portal {
    return join ' ', sort map { $_->{origin_id} }
                          @{B24::Test::portal()->report(journal => 0)->{deals}};
}

# How often the portal was asked about itself.
sub checks {
    my @asked = grep { $_->{method} eq 'batch'
                       && join(' ', values %{$_->{params}{cmd} // {}})
                          =~ /dealcategory\.stage\.list|status\.list/ }
                     @{B24::Test::portal()->report->{journal}};

    return scalar @asked;
}

sub metrics {
    my ($target, @headers) = @_;

    my $answer = B24::Scenario::get($target // '/b24?format=prometheus',
                                    @headers);

    die "$target: $answer->{status}\n" if $answer->{status} != 200;

    return B24::Prometheus->parse($answer->{body});
}

# Forms of a page: [action, text of the button].
sub forms {
    my ($page) = @_;

    my @forms;

    my $form = qr{<form method="post" action="([^"]*)"><button>([^<]*)</button>};

    push @forms, [$1, $2] while $page =~ m{$form</form>}g;

    return @forms;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a parked order is retried once its cause is gone
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(B24::Hands::WRONG, times => 2);
    place(1);
    is(settled(1)->{state}, 'parked', 'parked');

    my $key = main::key(1);
    my $answer = main::act("/b24/orders/$key/retry");
    is($answer->{status}, 202, 'taken');
    like($answer->{head}, qr{^Content-Type: application/json\r}mi, 'JSON');
    like($answer->{head}, qr{^Cache-Control: no-store\r}mi, 'not cached');
    is_deeply($answer->{json},
              { ok => JSON::PP::true(), key => $key, state => 'accepted' },
              'its answer');

    # the cause is still there
    ok(wait_until(sub { record(1)->{attempts} == 2
                        && record(1)->{state} eq 'parked' }), 'parked again');
    is(main::said('/b24/orders/o-1/retry'), '202 accepted', 'by its number');
    is(settled(1)->{state}, 'delivered', 'delivered');
    delivered_once(1);

    my @hand = grep { /by hand/ } main::moments($key);
    is_deeply(\@hand, [('accepted: retried by hand from 127.0.0.1') x 2],
              'the timeline tells who');

    # a button that was pressed twice
    is(main::said("/b24/orders/$key/retry"), '202 delivered', 'once more');
    is(scalar(main::moments($key)), scalar(my @all = main::moments($key)),
       'changes nothing');
    is(portal()->wait_for(stable_ms => 300)->{counts}{deals}, 1, 'one deal');
    is(record(1)->{attempts}, 3, 'no attempt more');



=== TEST 2: a waiting order is retried at once, though the portal was given up
--- http_config eval: $::slow
--- config eval: $::server
--- scenario
    portal()->fault(%$::down);
    place(1);
    is(settled(1, 'waiting')->{state}, 'waiting', 'waiting');
    is(main::state_of('tested')->{state}, 'retrying', 'the portal, too');
    place(2);
    ok(wait_until(sub { record(2) }), 'another one is accepted');

    portal()->clear_faults;
    is(main::said(main::order_path(1, 'retry')), '202 accepted', 'retried');
    is(settled($_)->{state}, 'delivered', "order $_, in no minute") for 1, 2;
    delivered_once(1, 2);
    is(main::state_of('tested')->{state}, 'ok', 'all is well');



=== TEST 3: the portal may be at work on it: nothing is made twice
--- http_config eval: $::slow =~ s/unknown=3s/unknown=8s/r
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_before', method => 'crm\.deal\.add');
    place(1);
    is(settled(1, 'waiting')->{state}, 'waiting', 'the outcome is unknown');

    my $sent = (portal()->report->{journal}[-1])->{at};

    is(main::said(main::order_path(1, 'retry')), '202 waiting', 'it waits');
    is(main::said(main::order_path(1, 'retry')), '202 waiting', 'still');
    is(settled(1)->{state}, 'delivered', 'delivered');
    delivered_once(1);

    my ($next) = grep { $_->{at} > $sent } main::journal();
    cmp_ok($next->{at} - $sent, '>=', 7.9, 'not before its time');
    is($next->{kind}, 'look', 'looked up first');
    like(join("\n", timeline(1)), qr/waiting: retried by hand from 127/,
         'the timeline tells');



=== TEST 4: every action in every state
--- http_config eval: $::slow
--- config eval: $::server
--- scenario
    my %key;

    place(1);
    settled(1);
    $key{delivered} = main::key(1);

    main::lose(2);
    $key{unconfirmed} = main::key(2);

    main::lose(3);
    my $dropped = main::key(3);
    is(main::said("/b24/orders/$dropped/drop"), '202 rejected', 'dropped');
    $key{rejected} = $dropped;

    portal()->fault(B24::Hands::WRONG);
    place(4);
    settled(4, 'parked');
    $key{parked} = main::key(4);

    main::backdate(1);
    place([1, total => '5.00']);
    ok(wait_until(sub {
        ($key{reused}) = map { $_->{key} }
                         grep { ($_->{id} // '') eq 'o-1' && $_->{state} eq 'parked' }
                              @{B24::Desk::status()->{orders}};
        return $key{reused};
    }), 'a number again');

    portal()->fault(kind => 'hang_before', method => 'crm\.deal\.list');
    place(5);
    portal()->wait_for(held => 1);
    $key{sending} = main::key(5);

    # or it would be taken after some seconds, though the portal hangs
    is(main::said('/b24/pause'), '202 2', 'paused');
    place(6);
    $key{accepted} = main::key(6);

    my %other = (
        retry => { delivered => qr/is delivered already/,
            unconfirmed => qr/nobody has seen the shop accept/,
            rejected => qr/was dropped/, reused => qr/another one's already/,
            sending => qr/being delivered now/,
            accepted => qr/to be delivered already/ },
        send => { delivered => qr/is delivered already/,
            rejected => qr/was dropped/, parked => qr/not parked for its number/,
            sending => qr/being delivered now/,
            accepted => qr/to be delivered already/ },
        drop => { delivered => qr/delete its deal in Bitrix24/,
            sending => qr/being delivered now/,
            accepted => qr/only one that waits/ },
    );

    for my $action (sort keys %other) {
        for my $state (sort keys %{$other{$action}}) {
            my $answer = main::act("/b24/orders/$key{$state}/$action");
            my $json = $answer->{json};

            is($answer->{status}, 409, "$action, $state");
            like($json->{error}, $other{$action}{$state}, 'the sentence');
            is($json->{key}, $key{$state}, 'of that order');
            is($json->{state}, $state eq 'reused' ? 'parked' : $state,
               'and its state');
            ok(!$json->{ok}, 'not ok');
        }
    }

    is(main::one($key{$_})->{state}, $_ eq 'reused' ? 'parked' : $_,
       "$_ as it was") for sort keys %key;
    is(main::said("/b24/orders/$dropped/drop"), '202 rejected', 'drop again');

    for my $action (qw(retry send drop)) {
        is(main::said("/b24/orders/k-ffffff/$action"),
           '404: there is no such order', "$action, unknown");
        is(main::said("/b24/orders/none/$action"),
           '404: there is no such order', "$action, no such number");
    }

    # a waiting one, for send
    portal()->release;
    is(main::said('/b24/resume'), '202 2', 'on they go');
    ok(wait_until(sub { record(6)->{state} eq 'delivered' }), 'on it goes');
    portal()->fault(%$::down);
    place(7);
    settled(7, 'waiting');
    like(main::said(main::order_path(7, 'send')),
         qr/^409: the order waits to be tried again/, 'send, waiting');
    is(main::said(main::order_path(7, 'drop')), '202 rejected',
       'drop, waiting');



=== TEST 5: methods and addresses
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1);
    settled(1);

    my $key = main::key(1);

    for my $target (qw(retry pause resume check), "orders/$key/retry",
                    "orders/$key/send", "orders/$key/drop")
    {
        for my $method (qw(GET HEAD PUT DELETE)) {
            my $client = client();
            $client->send(request_bytes($method, "/b24/$target", undef));
            my $answer = $client->response(head => $method eq 'HEAD');
            is($answer->{status}, 405, "$method $target");
            like($answer->{head}, qr/^Allow: POST\r/m, 'POST only');
        }
    }

    for my $target ('/b24', '/b24/', "/b24/orders/$key") {
        my $answer = main::act($target);
        is($answer->{status}, 405, "POST $target");
        like($answer->{head}, qr/^Allow: GET, HEAD\r/m, 'not this one');
    }

    for my $target ('/b24/retri', '/b24/retry/', '/b24/send', '/b24/drop',
                    "/b24/orders/$key/check", "/b24/orders/$key/retry/x",
                    "/b24/x/$key/retry", '/b24/orders//retry', '/b24/orders/')
    {
        like(main::act($target)->{status}, qr/^40[45]$/, "POST $target");
    }

    is(main::act("/b24/orders/$key/retry?format=xml")->{status}, 400,
       'no such format');
    is(main::act("/b24/orders/$key/retry?format=prometheus")->{status}, 400,
       'none of an action');
    is(main::act('/exact/retry')->{status}, 404,
       'nothing below an exact location');
    is(get("/b24/orders/x/$key")->{status}, 404, 'no order in between');
    is(record(1)->{state}, 'delivered', 'nothing has happened');



=== TEST 6: an unconfirmed order is sent
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::lose(1);
    main::lose(2, id => undef);
    main::lose(3);

    my %key = (1 => main::key(1), 3 => main::key(3));
    ok(wait_until(sub { main::ended() == 3 }), 'three');
    ($key{2}) = map { $_->{key} }
                grep { !defined $_->{id} } @{B24::Desk::status()->{orders}};

    B24::Desk::count_is('unconfirmed', 3, 'unconfirmed');
    is(portal()->wait_for(stable_ms => 300)->{counts}{deals}, 0,
       'nobody sends them');

    my $answer = main::act("/b24/orders/$key{1}/send");
    is_deeply($answer->{json},
              { ok => JSON::PP::true(), key => $key{1}, state => 'accepted' },
              'sent');
    is(main::said("/b24/orders/$key{2}/send"), '202 accepted',
       'one without a number');
    ok(wait_until(sub { main::one($key{1})->{state} eq 'delivered'
                        && main::one($key{2})->{state} eq 'delivered' }),
       'delivered');
    is(main::at_portal(), "$key{2} o-1", 'deals by number and by key');
    is((portal()->report(journal => 0)->{deals}[0])->{rows_sum} + 0, 1990,
       'with its rows');
    like(join("\n", main::moments($key{1})),
         qr/accepted: sent by hand from 127\.0\.0\.1/, 'the timeline tells');
    is(main::one($key{3})->{state}, 'unconfirmed', 'the other one stays');
    like(main::said("/b24/orders/$key{1}/send"), qr/^202 delivered/,
         'pressed twice');

    # sent, but not delivered: that is for a retry
    portal()->fault(B24::Hands::WRONG);
    main::lose(4);
    is(main::said(main::order_path(4, 'send')), '202 accepted', 'one more');
    settled(4, 'parked');
    like(main::said(main::order_path(4, 'send')),
         qr/^409: the order is not parked for its number: retry it/,
         'it is not sent twice');
    is(main::said(main::order_path(4, 'drop')), '202 rejected', 'dropped');

    # the buyer tries again, and the shop answers this time
    place(3);
    is(settled(3)->{state}, 'delivered', 'its answer settles the other');
    is(portal()->report(journal => 0)->{counts}{deals}, 3, 'three deals');



=== TEST 7: an order is dropped, and nothing of it stays
--- http_config eval: $::slow
--- config eval: $::server
--- scenario
    main::lose(1, name => 'Unconfirmed Qwertzuiop', phone => '+79161234567');
    my $first = main::key(1);

    portal()->fault(B24::Hands::WRONG);
    place([2, name => 'Parked Qwertzuiop', phone => '+79161234567']);
    settled(2, 'parked');
    my $second = main::key(2);

    portal()->fault(%$::down);
    place([3, name => 'Waiting Qwertzuiop', phone => '+79161234568']);
    settled(3, 'waiting');
    my $third = main::key(3);

    my $before = B24::Desk::count('rejected');

    is(main::said("/b24/orders/$_/drop"), '202 rejected', $_)
        for $first, $second, $third;
    B24::Desk::count_is('rejected', $before + 3, 'counted as rejected');
    B24::Desk::count_is($_, 0, "$_: none")
        for qw(unconfirmed parked waiting accepted sending);

    portal()->clear_faults;
    is(main::said('/b24/retry'), '202 0', 'nothing to retry');
    is(portal()->wait_for(stable_ms => 1500)->{counts}{deals}, 0,
       'never delivered');

    # what is shown
    my $record = main::one($second);
    is("$record->{state} $record->{id} $record->{cause}",
       'rejected o-2 dropped by hand from 127.0.0.1', 'the record');
    is_deeply([main::moments($second)],
              ['parked', 'rejected: dropped by hand from 127.0.0.1'],
              'its timeline');
    is(scalar @{B24::Desk::status('&state=rejected')->{orders}}, 3,
       'in the list');
    unlike(get('/b24')->{body}, qr/<form[^>]*$second/, 'nothing to press');

    # what is kept
    for my $file (glob queue_dir() . '/queue.db*') {
        open my $in, '<:raw', $file or next;
        local $/;
        my $bytes = <$in> // '';
        unlike($bytes, qr/Qwertzuiop|9161234567/, (split m{/}, $file)[-1]);
    }

    # sent again by the buyer
    place([2, name => 'Parked Qwertzuiop']);
    ok(wait_until(sub { B24::Desk::count('duplicate') == 1 }),
       'the same day it is a duplicate');
    place([1, name => 'Unconfirmed Qwertzuiop']);
    is(main::said('/b24/check'), '202 1', 'the portal is back');
    ok(wait_until(sub { main::at_portal() eq 'o-1' }),
       'an answer that comes after all is an order');



=== TEST 8: a number used again becomes a deal of its own
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1);
    settled(1);

    for my $total ('5.00', '6.00', '7.00') {
        main::backdate(1);
        place([1, total => $total, delivery => undef, items => undef]);
        ok(wait_until(sub {
            return grep { $_->{state} eq 'parked' && ($_->{id} // '') eq 'o-1' }
                        @{B24::Desk::status()->{orders}};
        }), 'parked');

        my ($key) = map { $_->{key} } grep { $_->{state} eq 'parked' }
                                           @{B24::Desk::status()->{orders}};

        if ($total eq '5.00') {
            like(main::said("/b24/orders/$key/retry"), qr/^409: .* send it/,
                 'not under the number of the other');
            is(main::said('/b24/retry'), '202 0', 'nor with all');
            is(main::act('/b24/retry')->{json}{left}[0]{count}, 1,
               'which tells that it was left');

            # the answer to the write is lost: found by its own number
            portal()->fault(kind => 'drop_after', method => 'crm\.deal\.add');

            my $answer = main::act("/b24/orders/$key/send");
            is_deeply($answer->{json}, { ok => JSON::PP::true(), key => $key,
                          state => 'accepted', origin_id => 'o-1-2' },
                      'sent with a number of its own');
            like(join("\n", main::moments($key)),
                 qr/accepted: sent by hand from 127\.0\.0\.1 as number o-1-2/,
                 'the timeline tells');
            ok(wait_until(sub { main::one($key)->{state} eq 'delivered' }),
               'delivered');
            is(main::one($key)->{origin_id}, 'o-1-2', 'the page has it');
            is(main::one($key)->{id}, 'o-1', "and the shop's number");
            is(main::said("/b24/orders/$key/send"), '202 delivered',
               'pressed twice');
            is(main::act("/b24/orders/$key/send")->{json}{origin_id}, 'o-1-2',
               'with its number');
            like(main::said("/b24/orders/$key/send?suffix=9"), qr/^409: /,
                 'but not with another one');
            is(get('/b24/orders/o-1-2?format=json')->{status}, 200,
               'found by it');

        } elsif ($total eq '6.00') {
            like(main::said("/b24/orders/$key/send?suffix=2"),
                 qr/^409: another order has this number/, 'taken');
            is(main::act("/b24/orders/$key/send?suffix=$_")->{status}, 400,
               "suffix=$_") for '', 'a/b', 'a%20b', '%22', 'x' x 33;
            is(main::act("/b24/orders/$key/send?suffix=new.1")
               ->{json}{origin_id}, 'o-1-new.1', 'one that was asked for');
            ok(wait_until(sub { main::one($key)->{state} eq 'delivered' }),
               'delivered');

        } else {
            place([9, id => 'o-1-3']);
            settled('o-1-3');
            is(main::act("/b24/orders/$key/send")->{json}{origin_id}, 'o-1-4',
               "past the shop's own number");
            ok(wait_until(sub { main::one($key)->{state} eq 'delivered' }),
               'delivered');
        }
    }

    my $report = portal()->report(journal => 0);
    is(join(' ', map { "$_->{origin_id}=$_->{opportunity}" }
                 sort { $a->{origin_id} cmp $b->{origin_id} }
                      @{$report->{deals}}),
       'o-1=1990.00 o-1-2=5.00 o-1-3=1990.00 o-1-4=7.00 o-1-new.1=6.00',
       'five deals');
    is($report->{counts}{contacts}, 2, 'of two buyers');

    # a real order of that number isn't taken for it
    place([2, id => 'o-1-2', total => '8.00']);
    is(settled('o-1-2', 'parked')->{state}, 'parked', 'it waits for a person');
    is(portal()->wait_for(stable_ms => 300)->{counts}{deals}, 5, 'five still');



=== TEST 9: numbers that several orders have
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::lose('A/1 "?&', id => 'A/1 "?&');
    main::place_other(7);
    main::lose(7);

    my $encoded = 'A%2F1%20%22%3F%26';
    ok(wait_until(sub { main::ended() == 3 }), 'three');
    is(main::act("/b24/orders/A/1/send")->{status}, 404, 'not decoded');
    is(main::said("/b24/orders/$encoded/send"), '202 accepted',
       'percent-encoded');

    my $answer = main::act('/b24/orders/o-7/drop');
    is($answer->{status}, 409, 'two shops have it');
    is_deeply([sort map { $_->{origin} } @{$answer->{json}{orders}}],
              ['other', 'tested'], 'the list of them');
    ok(!grep({ $_->{state} eq 'rejected' } @{B24::Desk::status()->{orders}}),
       'neither is dropped');
    is(main::said('/b24/orders/o-7/drop?origin=tested'), '202 rejected',
       'said which');
    is(main::said('/b24/orders/o-7/send?origin=nowhere'),
       '404: there is no such order', 'of no shop');
    ok(wait_until(sub { main::at_portal() eq 'A/1 "?& o-7' }),
       'the other one is delivered')
        or diag(main::at_portal());



=== TEST 10: a narrowed page touches its own orders only
--- http_config eval: $::slow
--- config eval: $::server
--- scenario
    portal()->fault(B24::Hands::WRONG, times => 2);
    place(1);
    settled(1, 'parked');
    main::place_other(2);
    settled(2, 'parked');
    main::lose(3);

    my ($mine, $other, $lost) = map { main::key($_) } 1, 2, 3;

    for my $action (qw(retry send drop)) {
        is(main::said("/other/orders/$mine/$action"),
           '404: there is no such order', "$action by key");
        is(main::said("/other/orders/o-1/$action"),
           '404: there is no such order', 'by number');
        is(main::act("/other/orders/o-1/$action?origin=tested")->{status},
           404, "with the other's name");
        is(main::said("/other/orders/$lost/$action"),
           '404: there is no such order', 'unconfirmed');
    }

    is(main::act("/other/$_?origin=tested")->{status}, 404, "$_: not its own")
        for qw(retry pause resume check);
    is(main::said('/b24/pause?origin=nowhere'),
       '404: there is no such origin', 'nor one that is none');

    is(main::said('/other/pause'), '202 1', 'its deliveries');
    is(main::state_of('other')->{state}, 'paused', 'stop');
    is(main::state_of('tested')->{state}, 'ok', "the others' don't");
    is(main::said('/other/retry'), '202 1', 'all of its own');
    is(record(2)->{state}, 'accepted', 'retried');
    is(record(1)->{state}, 'parked', 'the other one is not');
    is(main::said('/other/resume'), '202 1', 'on it goes');
    is(settled(2)->{state}, 'delivered', 'delivered');
    is(main::one($lost)->{state}, 'unconfirmed', 'and nothing else');
    is(main::said('/mine/retry'), '202 1', 'the other page');
    is(settled(1)->{state}, 'delivered', 'delivered');



=== TEST 11: another site's page can do nothing
--- http_config eval: $::http . $::http2
--- config eval: $::server
--- scenario
    main::lose(1);

    my $path = main::order_path(1, 'send');
    my $host = 'localhost:' . port();
    my @browser = ('User-Agent' => 'Mozilla/5.0 (X11; Linux) Gecko/20100101');

    my @refused = (
        ['Sec-Fetch-Site' => 'cross-site'], ['Sec-Fetch-Site' => 'same-site'],
        ['Sec-Fetch-Site' => ''],
        ['Sec-Fetch-Site' => 'cross-site', Origin => "http://$host"],
        ['Sec-Fetch-Site' => 'same-origin', Origin => 'http://evil.example'],
        ['Sec-Fetch-Site' => 'same-origin', 'Sec-Fetch-Site' => 'cross-site'],
        [Origin => 'null'], [Origin => ''], [Origin => 'http://'],
        [Origin => 'http://evil.example'], [Origin => "http://$host.evil"],
        [Origin => 'http://localhost'], [Origin => "http://$host\@evil"],
        [Origin => "http://x\@$host"], [Origin => $host],
        [Origin => "http://evil.example/$host"],
        [Origin => "http://$host", Origin => 'http://evil.example'],
        [Referer => 'http://evil.example/'], [Referer => 'null'],
        [Origin => "http://$host", Referer => 'http://evil.example/'],
        [Cookie => 'session=1'], [@browser], ['user-agent' => 'mozilla/4'],
        ['Sec-Fetch-Site' => 'cross-site', Accept => 'text/html'],
    );

    for my $headers (@refused) {
        my $answer = main::act($path, Host => $host, @$headers);

        is($answer->{status}, 403, join ' ', @$headers);
        like($answer->{body}, qr/refused: /, 'a sentence');
    }

    is(main::act("/b24/$_", Origin => 'http://evil.example')->{status}, 403,
       $_) for qw(retry pause resume check);
    is(main::one(main::key(1))->{state}, 'unconfirmed', 'nothing was done');
    is(main::state_of('tested')->{state}, 'ok', 'nothing at all');

    my $two = B24::Http2->new(port => $ENV{TEST_NGINX_PORT_3});

    for my $case (['http://evil.example', 0], ['null', 0],
                  ['http://localhost:1', 0], ['https://localhost', 1])
    {
        my ($origin, $ok) = @$case;
        my $body = $two->response($two->request(POST => '/b24/check', '',
            origin => $origin, cookie => 'a=1'))->{body};
        like($body, $ok ? qr/"ok":true/ : qr/"ok":false.*refused/,
             "HTTP/2: $origin");
    }

    # without a Host there is nothing to compare with
    for my $case (['', 202], ["Origin: http://x\r\n", 403]) {
        my ($header, $status) = @$case;
        my $answer = exchange("POST /b24/check HTTP/1.0\r\n$header"
                              . "Content-Length: 0\r\n\r\n");
        like($answer, qr{^HTTP/1\.1 $status }, 'HTTP/1.0 without Host');
    }

    my @obeyed = (
        [], ['User-Agent' => 'curl/8.0'], [Authorization => 'Basic eDp5'],
        ['Sec-Fetch-Site' => 'same-origin', Origin => "http://$host",
         Cookie => 'a=1', @browser],
        ['Sec-Fetch-Site' => 'none', @browser],
        [Origin => "https://$host", Cookie => 'a=1', @browser],
        [Origin => 'http://LocalHost:' . port(), @browser],
        [Referer => "http://$host/b24?x=//evil.example", @browser],
    );

    for my $headers (@obeyed) {
        is(main::act($path, Host => $host, @$headers)->{status}, 202,
           join(' ', @$headers) || 'none');
    }

    is(settled(1)->{state}, 'delivered', 'sent');



=== TEST 12: a browser comes back to the page
--- http_config eval: $::slow
--- config eval: $::server
--- scenario
    my @browser = (Host => 'localhost', Origin => 'http://localhost',
                   Accept => 'text/html,application/xhtml+xml',
                   'Sec-Fetch-Site' => 'same-origin',
                   'User-Agent' => 'Mozilla/5.0');

    portal()->fault(B24::Hands::WRONG, times => 2);
    place([1, name => '<i>&"']);
    settled(1, 'parked');
    place([2, id => '<b>&"\'']);
    settled('<b>&"\'', 'parked');
    main::lose(3);

    my ($first, $lost) = map { main::key($_) } 1, 3;
    my $page = get('/b24');

    like($page->{head}, qr/^Content-Security-Policy: default-src 'none'; [^\r]*form-action 'self'; [^\r]*frame-ancestors 'none'/m,
         'what the page may do');
    like($page->{head}, qr/^Referrer-Policy: same-origin\r/m,
         'its origin is told to itself');
    like($page->{head}, qr/^X-Content-Type-Options: nosniff\r/m, 'no guesses');
    is(scalar(() = $page->{body} =~ /<script/g), 1, 'one script, the page\'s own');
    unlike($page->{body}, qr{<i>&|<b>&|https?:(?!//[\w.:]+/crm/contact/details/\d+/")},
           'all escaped, and no address but of the CRM');

    my @forms = main::forms($page->{body});
    is(@forms + 1, scalar(() = $page->{body} =~ /<form/g),
       'forms are as they should be, and one to search');
    is_deeply([sort map { $_->[0] } grep { $_->[0] !~ /orders/ } @forms],
              [sort map({ "/b24/$_?origin=tested" } qw(retry pause check)),
                    map({ "/b24/$_?origin=other" } qw(pause check))],
              'for each portal');
    is_deeply([sort map { $_->[0] } grep { $_->[0] =~ /$first/ } @forms],
              ["/b24/orders/$first/drop", "/b24/orders/$first/retry"],
              'for a parked order');
    is_deeply([sort map { $_->[0] } grep { $_->[0] =~ /$lost/ } @forms],
              ["/b24/orders/$lost/drop", "/b24/orders/$lost/send"],
              'for an unconfirmed one');
    like($page->{body}, qr{<details><summary>Drop[^<]*</summary><p>[^<]*erased},
         'what is for ever is asked twice');
    is_deeply([map { $_->[0] }
               main::forms(get("/b24/orders/$first")->{body})],
              ["/b24/orders/$first/retry", "/b24/orders/$first/drop"],
              "on the order's page, too");
    like($page->{body}, qr{<details><summary>Retry[^<]*</summary><p>[^<]*again},
         'so is everything done to an order');
    is_deeply([main::forms(get('/exact')->{body})], [],
              'none where they would lead nowhere');

    my $answer = main::act("/b24/orders/$first/retry", @browser);
    is($answer->{status}, 303, 'retried');
    like($answer->{head}, qr{^Location: \.\./$first\r}m, 'back to the order');
    is(settled(1)->{state}, 'delivered', 'it is delivered');

    $answer = main::act('/b24/pause?origin=tested', @browser);
    is($answer->{status}, 303, 'paused');
    like($answer->{head}, qr{^Location: \.\r}m, 'back to the page');
    is(get('/b24/')->{status}, 200, 'which is there');
    like(get('/b24')->{body}, qr{action="/b24/resume\?origin=tested"},
         'it offers to go on');

    $answer = main::act("/b24/orders/$first/drop", @browser);
    is($answer->{status}, 409, 'what is not possible');
    like($answer->{head}, qr{^Content-Type: text/html}m, 'is told by a page');
    like($answer->{body}, qr/delete its deal in Bitrix24/, 'in words');
    is(main::act('/b24/orders/none/drop', @browser)->{status}, 404,
       'no such order');



=== TEST 13: all that is parked
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    is(main::said('/b24/pause'), '202 2', 'paused');
    is(place(1 .. 450), 450, 'many orders');
    B24::Desk::status();
    ok(wait_until(sub { B24::Desk::count('accepted') == 450 }), 'accepted');
    # as the portal's refusals leave them
    main::queue_sql("UPDATE records SET state = 'parked', attempts = 1");
    main::place_other(451, 452);
    ok(wait_until(sub { B24::Desk::count('accepted') == 2 }), 'two more');
    is(main::said('/b24/retry'), '202 450', 'all in one go');
    B24::Desk::count_is('parked', 0, 'none is left');
    is(main::queue_sql('SELECT count(*) FROM timeline WHERE cause ='
                       . " 'retried by hand from 127.0.0.1'"), 450,
       'each has it in its timeline');
    is(main::said('/b24/retry'), '202 0', 'once more: none');
    is(main::said('/b24/resume'), '202 2', 'on it goes');
    ok(wait_until(sub { B24::Desk::count('delivered') == 452 }, 120),
       'all are delivered');
    is(portal()->report(journal => 0)->{counts}{deals}, 452, 'once');



=== TEST 14: a pause holds over a reload
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # an order that is under way is brought to its end
    portal()->fault(kind => 'hang_before', method => 'crm\.deal\.list');
    place(1);
    portal()->wait_for(held => 1);
    is(main::said('/b24/pause'), '202 2', 'paused');
    is(main::said('/b24/pause'), '202 2', 'twice');
    portal()->release;
    is(settled(1)->{state}, 'delivered', 'what was begun is done');

    my $arrived = portal()->wait_for(stable_ms => 200)->{counts}{arrived};

    place(2, 3);
    main::place_other(4);
    ok(wait_until(sub { B24::Desk::count('accepted') == 3 }), 'more orders');
    is(portal()->wait_for(stable_ms => 1500)->{counts}{arrived}, $arrived,
       'the portal is left alone');

    my $portal = main::state_of('tested');
    is("$portal->{state}: $portal->{reason}",
       'paused: paused by hand from 127.0.0.1', 'the page tells');
    like($portal->{advice}, qr/resume/, 'and what to do');
    is(scalar error_log_lines(qr/deliveries of "tested": paused by hand/), 1,
       'one line in the log');

    reload();
    ok(wait_until(sub { main::state_of('tested')->{state} eq 'paused' }),
       'paused after a reload');
    is(portal()->wait_for(stable_ms => 1500)->{counts}{arrived}, $arrived,
       'still nothing is sent');
    is(main::said('/b24/resume?origin=tested'), '202 1', 'one goes on');
    is(settled($_)->{state}, 'delivered', "order $_") for 2, 3;
    is(record(4)->{state}, 'accepted', 'the other waits');



=== TEST 15: and over a restart
--- keep_state
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    ok(wait_until(sub { main::state_of('other')->{state} eq 'paused' }),
       'paused after a restart');
    is(main::state_of('tested')->{state}, 'ok', 'only that one');
    place(5);
    is(settled(5)->{state}, 'delivered', 'its order is delivered');
    is(record(4)->{state}, 'accepted', 'the other waits');
    is(main::metrics()->value('b24_paused', origin => 'other'), 1,
       'Prometheus knows');
    is(main::said('/b24/resume'), '202 2', 'on it goes');
    is(settled(4)->{state}, 'delivered', 'delivered');
    is(main::state_of('other')->{state}, 'ok', 'all is well');
    is(main::state_of('other')->{reason}, undef, 'nothing to say');



=== TEST 16: the portal is asked about itself
--- http_config eval: $::slow
--- config eval: $::server
--- scenario
    ok(wait_until(sub { main::checks() == 1 }), 'once at the start');
    ok(wait_until(sub { main::state_of('tested')->{checked} }), 'it has told');

    # whichever worker is asked
    for my $n (2 .. 5) {
        is(main::said('/b24/check'), '202 1', 'on demand');
        ok(wait_until(sub { main::checks() == $n }), "then $n times");
    }

    is(main::said('/b24/pause'), '202 2', 'paused');
    is(main::said('/other/check'), '202 1', 'asked though it is paused');
    ok(wait_until(sub { main::checks() == 6 }), 'it is');
    is(main::said('/b24/resume'), '202 2', 'on it goes');

    # a webhook that was put right
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1);
    ok(wait_until(sub { main::state_of('tested')->{state} eq 'blocked' }),
       'blocked');
    portal()->config(webhook => { state => 'ok' });
    place(2);
    is(main::said('/b24/check'), '202 1', 'asked');
    is(settled(2)->{state}, 'delivered', 'orders go on at once');
    is(main::state_of('tested')->{state}, 'ok', 'all is well');

    # a blocked portal that nothing waits for
    main::said(main::order_path(1, 'retry'));
    settled(1);
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(3);
    settled(3, 'waiting');
    is(main::state_of('tested')->{state}, 'blocked', 'blocked again');
    is(main::said(main::order_path(3, 'drop')), '202 rejected', 'none waits');
    portal()->config(webhook => { state => 'ok' });

    my $before = main::checks();
    is(main::said('/b24/check'), '202 1', 'asked');
    ok(wait_until(sub { main::checks() == $before + 1 }), 'it is');



=== TEST 17: a trial run
--- http_config eval
B24::Orders::http(webhook => '$TEST_NGINX_PORTAL_URL dry')
--- config eval: B24::Orders::server()
--- scenario
    is(main::said('/b24/check'), '202 1', 'asked on demand all the same');
    place(1);
    ok(wait_until(sub { record(1) }), 'accepted');
    is(main::said('/b24/pause'), '202 1', 'can be paused');
    is(main::state_of('tested')->{state}, 'paused', 'and says so');
    is(main::said('/b24/resume'), '202 1', 'resumed');
    is(main::state_of('tested')->{state}, 'dry', 'dry as before');
    is(main::metrics('/b24?format=prometheus')->value('b24_dry', origin => 'tested'),
       1, 'in Prometheus, too');



=== TEST 18: bodies are passed over
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $client = client();
    my @keep = (Connection => 'keep-alive');
    my $big = 'suffix=' . 'x' x 300_000;

    main::lose(1);
    my $key = main::key(1);

    # one connection, everything behind a body must be understood
    $client->send(request_bytes('POST', '/b24/check', 'a=b&c=d', @keep,
                  'Content-Type' => 'application/x-www-form-urlencoded')
                  . request_bytes('POST', "/b24/orders/$key/send", '', @keep)
                  . request_bytes('GET', '/plain', undef, @keep));
    is($client->response->{status}, 202, 'a small body');
    is($client->response->{status}, 202, 'none');
    is($client->response->{body}, "plain\n", 'what comes next');

    $client->send(request_bytes('POST', '/b24/check', $big, @keep));
    is($client->response->{status}, 202, 'a large one');
    $client->send(request_bytes('POST', '/b24/check', undef, @keep,
                                'Transfer-Encoding' => 'chunked')
                  . "5\r\nhello\r\n5;x=y\r\nworld\r\n0\r\n\r\n");
    is($client->response->{status}, 202, 'in chunks');
    $client->send(request_bytes('POST', '/b24/check', $big, @keep,
                                Origin => 'http://evil.example'));
    is($client->response->{status}, 403, 'refused with its body');
    $client->send(request_bytes('POST', '/b24/orders/none/drop', $big, @keep));
    is($client->response->{status}, 404, 'not there');
    $client->send(request_bytes('POST', '/b24/none', $big, @keep));
    is($client->response->{status}, 404, 'no such address');
    $client->send(request_bytes('POST', '/b24', $big, @keep));
    is($client->response->{status}, 405, 'no such method');
    $client->send(request_bytes('GET', '/plain', undef, @keep));
    is($client->response->{body}, "plain\n", 'the same connection goes on');

    # a body that comes late, and one that never does
    my $head = request_bytes('POST', '/b24/check', undef, @keep,
                             'Content-Length' => 10);
    $client->send($head);
    is($client->response->{status}, 202, 'answered before its body');
    $client->send('0123456789');
    $client->send(request_bytes('GET', '/plain', undef, @keep));
    is($client->response->{body}, "plain\n", 'which is not the next request');
    $client->send($head);
    $client->abort;
    is(settled(1)->{state}, 'delivered', 'sent meanwhile');



=== TEST 19: whoever asks may go away
--- http_config eval: $::http . $::http2
--- config eval: $::server
--- scenario
    main::lose($_) for 1 .. 10;

    my @keys = map { main::key($_) } 1 .. 10;
    my $lock = lock_queue();

    # the thread waits for the lock, one half leaves
    my @clients = map { my $client = client();
                        $client->send(request_bytes('POST',
                            "/b24/orders/$_/send", '')); $client }
                      @keys[0 .. 7];
    my $two = B24::Http2->new(port => $ENV{TEST_NGINX_PORT_3});
    my @streams = map { $two->request(POST => "/b24/orders/$_/send", 'a=1') }
                      @keys[8, 9];

    $two->reset($streams[0]);
    is(get('/plain')->{body}, "plain\n", 'nginx does other things meanwhile');
    $_->abort for @clients[0 .. 3];
    $_->half_close for @clients[4, 5];
    unlock_queue($lock);

    is($clients[$_]->response->{status}, 202, 'who waits is answered')
        for 4 .. 7;
    like($two->response($streams[1])->{body}, qr/"ok":true/,
         'on the other stream, too');
    is(settled($_)->{state}, 'delivered', "order $_") for 1 .. 10;
    is(portal()->report(journal => 0)->{counts}{deals}, 10, 'ten deals');



=== TEST 20: the queue is locked
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::lose(1);

    my $path = main::order_path(1, 'send');
    my $lock = lock_queue();
    my $client = client();

    $client->send(request_bytes('POST', $path, ''));

    my $metrics = main::metrics();
    is($metrics->value('b24_records', origin => 'tested',
                       state => 'unconfirmed'), 1,
       'numbers are there though');

    my $answer = $client->response;
    is($answer->{status}, 503, 'not now');
    like($answer->{body}, qr/"ok":false.*"error":"the queue refuses it: /,
         'why');
    unlock_queue($lock);
    is(main::said($path), '202 accepted', 'then');
    is(settled(1)->{state}, 'delivered', 'delivered');



=== TEST 21: one set of numbers
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(B24::Hands::WRONG);
    place(1);
    settled(1, 'parked');
    place(2, 3, 3);
    main::place_other(4, 5);
    main::lose(6);
    main::lose(7);
    settled($_) for 2 .. 5;
    ok(wait_until(sub { B24::Desk::count('unconfirmed') == 2
                        && B24::Desk::count('duplicate') == 1 }), 'all there');
    main::said(main::order_path(7, 'drop'));
    portal()->wait_for(stable_ms => 300);

    my $json = B24::Desk::status();
    my $html = get('/b24')->{body};
    my $text = get('/b24?format=prometheus')->{body};
    my $metrics = B24::Prometheus->parse($text);

    for my $portal (@{$json->{portals}}) {
        my ($origin, $counts) = @$portal{qw(origin counts)};
        my ($line) = $html =~ m{<h2>\Q$origin\E .*?<ul class="n">(.*?)</ul>}s;
        my %html;
        $html{$2} = $1 while $line =~ m{<b>(\d+)</b> (\w+)}g;

        for my $state (sort keys %$counts) {
            my $value = $state =~ /^(?:delivered|rejected|duplicate)$/
                ? $metrics->value('b24_orders_total', origin => $origin,
                                  outcome => $state)
                : $metrics->value('b24_records', origin => $origin,
                                  state => $state);

            is($value, $counts->{$state}, "$origin $state: Prometheus");
            is($html{$state}, $counts->{$state}, "$origin $state: HTML");
        }

        is($metrics->value('b24_oldest_undelivered_seconds',
                           origin => $origin),
           $portal->{oldest_undelivered_seconds}, 'the oldest');
    }

    my $host = $json->{portals}[0]{host};
    my %results = $metrics->series('b24_portal_requests_total');
    my $sum = 0;
    $sum += $_ for values %results;
    is($sum, $json->{portals}[0]{requests_total}, 'requests');
    is($metrics->value('b24_portal_requests_total', host => $host,
                       result => 'ok'), $sum, 'all of them answered');
    is($metrics->value('b24_portal_up', host => $host), 1, 'the portal is up');
    is($metrics->value('b24_delivery_seconds_count'), 4, 'four times');
    cmp_ok($metrics->value('b24_delivery_seconds_sum'), '<', 4 * 20,
           'of some seconds');
    is($metrics->value('b24_delivery_seconds_bucket', le => '3600'), 4,
       'in their buckets');

    for my $name (sort keys %{$json->{counters}}) {
        my $value = $metrics->value($name =~ /^(?:held|sessions)$/ ? "b24_$name"
                                    : $name eq 'captured_bytes' ? "b24_$name"
                                    : "b24_${name}_total");
        is($value, $json->{counters}{$name}, $name);
    }

    is_deeply([$metrics->families], [sort qw(b24_build_info b24_orders_total
        b24_records b24_oldest_undelivered_seconds b24_paused b24_dry b24_portal_up
        b24_portal_blocked b24_queue_up b24_portal_requests_total b24_delivery_seconds b24_candidates_total
        b24_collects_total b24_collects_ignored_total b24_sessions
        b24_sessions_evicted_total b24_sessions_emptied_total b24_learned_total
        b24_oversize_total b24_unreadable_total b24_statuses_total
        b24_statuses_ignored_total b24_statuses_unknown_total b24_stored_total
        b24_store_errors_total b24_held b24_lost_total b24_captured_bytes
        b24_events_total b24_events_refused_total
        b24_shop_told_total b24_shop_failed_total b24_set_aside_total)],
        'these and no others');
    is(join(' ', map { $metrics->type($_) } qw(b24_orders_total b24_records
            b24_oldest_undelivered_seconds b24_portal_up
            b24_portal_requests_total b24_delivery_seconds)),
       'counter gauge gauge gauge counter histogram', 'their types');

    is(B24::Prometheus::findings($text), '', 'promtool has nothing to say');

    # a narrowed page
    my $other = main::metrics('/other?format=prometheus');
    is_deeply({ $other->series('b24_paused') }, { 'origin=other' => 0 },
              'its own origin');
    is($other->value('b24_delivery_seconds_count'), 2, 'its own deals');
    is(main::metrics('/b24?format=prometheus&origin=tested')
       ->value('b24_delivery_seconds_count'), 2, 'origin= narrows, too');



=== TEST 22: how requests have ended
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $host = main::state_of('tested')->{host};
    my $count = sub {
        return main::metrics()->value('b24_portal_requests_total',
                                      host => $host, result => $_[0]);
    };

    place(1);
    settled(1);
    is($count->('error') + $count->('limit') + $count->('network'), 0, 'good');

    portal()->fault(kind => 'drop_before', method => 'crm\.deal\.add');
    place(2);
    settled(2);
    is($count->('network'), 1, 'no answer');

    portal()->fault(kind => 'error', status => 503,
        method => 'crm\.deal\.list', error => 'QUERY_LIMIT_EXCEEDED',
        description => 'Too many requests');
    place(3);
    settled(3);
    is($count->('limit'), 1, 'too many');

    portal()->fault(kind => 'html502_before', method => 'crm\.deal\.list');
    place(4);
    settled(4);
    is($count->('error'), 1, 'a bad answer');

    portal()->wait_for(stable_ms => 300);
    my $json = B24::Desk::status();
    my $sum = 0;
    $sum += $count->($_) for qw(ok error limit network);
    is($sum, $json->{portals}[0]{requests_total}, 'together all');

    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(5);
    ok(wait_until(sub { main::metrics()->value('b24_portal_up',
                                               host => $host) == 0 }),
       'a portal that is down');

    portal()->config(webhook => { state => 'ok' });
    main::said(main::order_path(5, 'retry'));
    is(settled(5)->{state}, 'delivered', 'then it is back');
    portal()->wait_for(stable_ms => 300);
    $json = B24::Desk::status();
    $sum = 0;
    $sum += $count->($_) for qw(ok error limit network);
    is($sum, $json->{portals}[0]{requests_total}, 'together all, with probes');



=== TEST 23: names that need care
--- http_config eval
($::http =~ s/b24_origin  tested/b24_origin "\xd0\x9c <b>{1}&', x"/r)
--- config eval: B24::Orders::server()
--- scenario
    my $answer;

    # once the queue was read for the first time
    ok(wait_until(sub {
        $answer = get('/b24?format=prometheus');
        return $answer->{body} =~ /^b24_paused/m;
    }), 'numbers');
    like($answer->{head},
         qr{^Content-Type: text/plain; version=0\.0\.4; charset=utf-8\r}mi,
         'its type');

    my $metrics = B24::Prometheus->parse($answer->{body});
    my %series = $metrics->series('b24_paused');
    my ($name) = grep { $_ ne 'origin=other' } keys %series;
    is($name, "origin=\xd0\x9c <b>{1}&', x", 'the name');

    # the button of that name
    my ($form) = grep { $_->[0] =~ /pause/ && $_->[0] !~ /other/ }
                      main::forms(get('/b24')->{body});
    like($form->[0], qr{^/b24/pause\?origin=[A-Za-z0-9_.~%-]+$}, 'encoded');
    is(main::said($form->[0]), '202 1', 'works');

    # by Accept
    my $type = sub {
        my ($accept, $target) = @_;
        my $answer = get($target // '/b24', Accept => $accept);
        my ($type) = $answer->{head} =~ /^Content-Type: ([^;\r]+)/mi;
        return $type;
    };

    is($type->('application/openmetrics-text;version=1.0.0,'
               . 'application/openmetrics-text;version=0.0.1;q=0.75,'
               . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1'), 'text/plain',
       'what Prometheus sends');
    is($type->('text/plain; version=0.0.4'), 'text/plain', 'and did send');
    is($type->('*/*'), 'text/html', 'curl');
    is($type->('text/plain'), 'text/html', 'any text');
    is($type->('application/json'), 'application/json', 'JSON');
    is($type->('text/html,application/xhtml+xml,*/*;q=0.8'), 'text/html',
       'a browser');
    is(get('/b24/orders/x?format=prometheus')->{status}, 400,
       'not of one order');



=== TEST 24: the reader of these tests takes nothing that is wrong
--- config
--- scenario
    my $good = <<'EOT';
# HELP a_total Text.
# TYPE a_total counter
a_total{x="1\\\"\n",y=""} 1
a_total{x="2",y=""} 2.5
# HELP b_seconds Text.
# TYPE b_seconds histogram
b_seconds_bucket{le="0.5"} 1
b_seconds_bucket{le="1"} 1
b_seconds_bucket{le="+Inf"} 2
b_seconds_sum 3
b_seconds_count 2
EOT

    my $metrics = B24::Prometheus->parse($good);
    is($metrics->value('a_total', x => "1\\\"\n", y => ''), 1, 'as it is');

    for my $change (['a_total{x="2",y=""} 2.5' => 'a_total{y="",x="1\\\\\"\n"} 2'],
        ['# TYPE a_total counter' => '# TYPE a_total count'],
        ['# TYPE a_total counter' => ''],
        ['# HELP a_total Text.' => ''], ['# HELP a_total Text.' => '# x'],
        ['# HELP b_seconds Text.' => '# HELP a_total Text.'],
        ['le="1"' => 'le="0.4"'], ['le="1"} 1' => 'le="1"} 0'],
        ['le="+Inf"' => 'le="9"'], ['b_seconds_count 2' => 'b_seconds_count 1'],
        ['b_seconds_sum 3' => ''], ['y=""} 1' => 'y="} 1'],
        ['y=""} 1' => 'y=""} one'], ['y=""} 1' => 'y="",} 1'],
        ['y=""} 1' => 'y="\x"} 1'], ['y=""} 1' => 'y=""} -1'],
        ['y=""} 1' => "y=\"\xff\"} 1"], ['a_total{' => '1a{'],
        ['y=""} 1' => 'y=""} 1 '], ["\nb_seconds_count 2\n" => ''])
    {
        my ($from, $to) = @$change;
        my $text = $good;

        ok($text =~ s/\Q$from\E/$to/, $from);
        ok(!eval { B24::Prometheus->parse($text) }, "not: $to");
    }
