# docs/status.schema.json is the JSON of b24_status, no member more and none less:
# real answers in many states, and each of its members seen in one of them.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portals => 2;
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands qw(queue_sql);
use B24::Orders;
use B24::Recording ();
use IO::Socket::INET;
use JSON::PP ();
use JSON::Validator ();
use Storable ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

# a database where nobody answers
$ENV{TEST_NGINX_NOBODY} = B24::Test::free_port();

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
        b24_origin second;
        b24_webhook $TEST_NGINX_PORTAL_URL_2;
        b24_alert unix:/nonexistent/alerts.sock;
        b24_mirror tested;
        location /checkout { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;
        b24_origin dry;
        b24_webhook https://dry.bitrix24.com/rest/1/dryc0de/ dry;
        b24_mirror tested;
        location /checkout { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_4;
        b24_origin asked;
        b24_mirror asked;
        b24_database mysql://b24:none@127.0.0.1:$TEST_NGINX_NOBODY/shop;
        b24_stage N NOSUCH;
        location /checkout { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
    }
EOC

our $server = B24::Orders::server(shop => 'http://127.0.0.1:$shop_port',
                                    more => <<'EOC');
    proxy_ignore_client_abort on;

EOC


# ---- the schema ----------------------------------------------------------

our $text = B24::Recording::read_file('docs/status.schema.json');
our $schema = JSON::PP->new->utf8->decode($text);

# What is wrong with an answer, by the schema as a whole or one definition.
sub wrong {
    my ($answer, $definition, $by) = @_;

    $by //= $schema;
    $by = { %$by };

    if (defined $definition) {
        delete $by->{oneOf};
        $by->{allOf} = [{ '$ref' => "#/definitions/$definition" }];
    }

    # a schema of that name may be known already
    delete $by->{'$id'};

    return join "\n", JSON::Validator->new->schema($by)->schema->validate($answer);
}

# Each object that an answer is made of, with the schema of it: [schema, object].
# Members that have had a value go to %seen, what there was of an enum to %values.
our (%seen, %values);

sub parts {
    my ($by, $node, $name) = @_;

    if (my $ref = $by->{'$ref'}) {
        my ($definition) = $ref =~ m{^#/definitions/(\w+)$} or die "$ref\n";
        return parts($schema->{definitions}{$definition}, $node, $definition);
    }

    for my $below (@{$by->{allOf} // []}) {
        return parts($below, $node, $name);
    }

    if (my $either = $by->{oneOf}) {
        return if !defined $node;
        return parts($either->[0], $node, $name);
    }

    $values{$name}{$node}++ if defined $node && !ref $node && $by->{enum};

    return map { parts($by->{items}, $_, $name) } @$node
        if ref $node eq 'ARRAY' && $by->{items};
    return if ref $node ne 'HASH' || !$by->{properties};

    my @parts = [$by, $node];

    for my $member (sort keys %$node) {
        $seen{"$name.$member"}++ if defined $node->{$member};
        push @parts, parts($by->{properties}{$member}, $node->{$member},
                           "$name.$member")
            if $by->{properties}{$member};
    }

    return @parts;
}

# Names of all members, as they are in %seen.
sub members {
    my ($by, $name) = @_;
    my @names;

    for my $member (sort keys %{$by->{properties} // {}}) {
        push @names, "$name.$member",
                     members($by->{properties}{$member}, "$name.$member");
    }

    return @names;
}

# A test: an answer is what the schema says; its status, where it is no GET.
sub take {
    my ($definition, $target, $status, $method, @headers) = @_;

    my $client = B24::Scenario::client();

    $client->send(B24::Client::request_bytes($method // 'GET', $target,
        ($method // '') eq 'POST' ? '' : undef, @headers));

    my $answer = $client->response;

    Test::More::is($answer->{status}, $status // 200, $target);
    Test::More::like($answer->{head}, qr{^Content-Type: application/json\r}mi,
                     'JSON');

    my $json = eval { JSON::PP->new->utf8->decode($answer->{body}) };

    Test::More::is(wrong($json), '', 'as the schema says');
    Test::More::is(wrong($json, $definition), '', "it is $definition");
    parts({ '$ref' => "#/definitions/$definition" }, $json, $definition);

    return $json;
}

sub act {
    my ($definition, $target, $status, @headers) = @_;

    return take($definition, $target, $status // 202, 'POST', @headers);
}

sub everything {
    my ($name) = @_;

    Test::More::subtest($name => sub {
        my $list = take('list', '/b24?format=json&limit=1000');

        take('one_order', "/b24/orders/$_->{key}?format=json")
            for @{$list->{orders}};
    });
}


# ---- orders --------------------------------------------------------------

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

sub comes_to {
    my ($origin, $state, $n) = @_;

    B24::Scenario::wait_until(sub {
        portal_state($origin)->{counts}{$state} == $n });
    Test::More::is(portal_state($origin)->{counts}{$state}, $n,
                   "$origin: $n $state");
}

sub portal_is {
    my ($origin, $state) = @_;

    B24::Scenario::wait_until(sub { portal_state($origin)->{state} eq $state });
    Test::More::is(portal_state($origin)->{state}, $state, "$origin: $state");
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a schema by its own rules
--- config
--- scenario
    is($main::schema->{'$schema'}, 'http://json-schema.org/draft-07/schema#',
       'its draft');

    # words of that draft: a validator passes over what it doesn't know
    my %words = map { $_ => 1 } qw($schema $id $ref title description definitions
        type enum const properties required additionalProperties dependencies items
        minItems maxItems minimum minLength pattern format oneOf allOf);

    # what a program is told of, and what it may not be surprised by
    my $check;
    $check = sub {
        my ($node, $path) = @_;

        return map { $check->($node->[$_], "$path/$_") } 0 .. $#$node
            if ref $node eq 'ARRAY';
        return if ref $node ne 'HASH';

        if ($node->{properties} && !exists $node->{properties}{properties}) {
            ok(exists $node->{additionalProperties}
               && !$node->{additionalProperties}, "$path is closed");

            for my $name (sort keys %{$node->{properties}}) {
                my $member = $node->{properties}{$name};
                my $ref = $member->{'$ref'} // '';
                my ($to) = $ref =~ m{/definitions/(\w+)};

                ok($member->{description} || exists $member->{const}
                   || $member->{enum}
                   || $to && $main::schema->{definitions}{$to}{description},
                   "$path: $name is described");
            }
        }

        if ($path =~ m{/(?:properties|definitions|dependencies)$}) {
            ok($words{(split m{/}, $path)[-1]}, $path);

        } else {
            is(join(' ', grep { !$words{$_} } sort keys %$node), '',
               "$path: words of the draft");
        }

        $check->($node->{$_}, "$path/$_") for sort keys %$node;
    };
    $check->($main::schema, '');

    # states are those of the source
    my ($list) = B24::Recording::read_file('ngx_http_b24_module/queue/b24_queue.h')
                 =~ /define B24_STATES\(X\)(.*?)\n\n/s;
    my @states = $list =~ /"(\w+)"/g;
    my $definitions = $main::schema->{definitions};

    is_deeply($definitions->{moment}{properties}{state}{enum}, \@states,
              'states of moments');
    is_deeply($definitions->{record_state}{enum},
              [grep { $_ ne 'duplicate' } @states], 'and of records');
    is_deeply([sort keys %{$definitions->{portal}{properties}{counts}{properties}}],
              [sort @states], 'and of what is counted');



=== TEST 2: every answer
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
        LocalPort => $ENV{TEST_NGINX_PORT_5}, ReuseAddr => 1) or die "$!\n";

    main::everything('nothing yet');

    main::place_at(0, 1, 1, [2, undef, company => 'ООО Ромашка',
                             inn => '7707083893'], [3, '/checkout?lost=1'],
                   [4, '/checkout?lost=1'], [10, '/checkout?lost=1', id => undef]);
    settled($_) for 1, 2;
    main::comes_to('tested', 'unconfirmed', 3);

    # refused by the portal; a number once more, two days later
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 0,
                    error => 'ERROR_CORE', description => 'Wrong value');
    main::place_at(0, 5);
    settled(5, 'parked');
    portal()->clear_faults;
    main::queue_sql("UPDATE $_ SET accepted = accepted - 172800000"
                    . " WHERE order_id = 'o-1'") for qw(records links);
    main::place_at(0, [1, undef, total => '5.00']);
    main::comes_to('tested', 'parked', 2);

    my ($reused) = grep { $_->{state} eq 'parked' && $_->{id} eq 'o-1' }
                        @{B24::Desk::status()->{orders}};
    my $key = record(4)->{key};

    main::everything('orders');

    # actions, and what is refused; the number is left to a person
    is(main::act('done_all', '/b24/retry')->{left}[0]{count}, 1, 'left parked');
    is(main::act('done', "/b24/orders/$key/drop")->{state}, 'rejected', 'dropped');
    is(main::act('done', "/b24/orders/$reused->{key}/send?suffix=B")->{origin_id},
       'o-1-B', 'sent by another number');
    main::act('refused', "/b24/orders/$key/send", 409);
    main::act('refused', '/b24/orders/none/send', 404);
    main::act('refused', '/b24/pause', 403, 'Sec-Fetch-Site' => 'cross-site');
    is(main::take('refused', '/b24/orders/none?format=json', 404)->{error},
       'there is no such order', 'nothing is shown');
    main::act('done_all', "/b24/$_")
        for qw(pause resume check retry), 'pause?origin=tested';
    main::portal_is('tested', 'paused');
    main::place_at(0, 6);
    main::comes_to('tested', 'accepted', 1);
    main::everything('paused');
    main::act('done_all', '/b24/resume');
    settled(6);

    # the same number in two shops: a list, with 409
    main::place_at(2, 1);
    main::comes_to('second', 'delivered', 1);
    is(@{main::take('list', '/b24/orders/o-1?format=json', 409)->{orders}}, 3,
       'of several origins');

    # portals that fail, in each way
    portal(2)->fault(kind => 'html', status => 502, when => 'before', times => 0,
                     method => 'crm\.duplicate\.findbycomm');
    main::place_at(2, 21);
    main::portal_is('second', 'retrying');
    main::everything('a portal that fails');

    portal(2)->clear_faults;
    portal(2)->config(webhook => { state => 'INVALID_CREDENTIALS' });
    main::act('done', '/b24/orders/o-21/retry');
    main::portal_is('second', 'blocked');
    ok(wait_until(sub { portal_state('second')->{alert}{state} eq 'failing' }),
       'nobody can be told');
    main::everything('blocked');

    portal(2)->config(webhook => { state => 'ok' },
        operating => { enabled => \1, limit => 1, window => 600,
                       cost => { 'crm.contact.add' => 1.5 } });
    main::act('done', '/b24/orders/o-21/retry');
    main::comes_to('second', 'delivered', 2);
    main::place_at(2, 22);
    main::portal_is('second', 'throttled');
    main::everything('throttled');

    # nothing is sent; a database that fails, a stage that is none
    main::place_at(3, 31);
    main::place_at(4, 41);
    main::comes_to('dry', 'accepted', 1);
    ok(wait_until(sub {
        my $portal = portal_state('asked');
        return $portal->{database}{state} eq 'failing' && @{$portal->{warnings}};
    }), 'a database that fails, and a warning');
    main::everything('dry, and a database that fails');

    # on their way
    portal()->fault(kind => 'hang_before', method => 'crm\.deal\.list');
    main::place_at(0, 8);
    portal()->wait_for(held => 1);
    my $client = client();
    $client->send(request_bytes('POST', '/checkout?mute=1', order_json(9),
                                'Content-Type' => 'application/json'));
    main::comes_to('tested', 'captured', 1);
    main::comes_to('tested', 'sending', 1);
    main::everything('on their way');
    portal()->release;
    settled(8);

    my $lock = lock_queue();
    main::act('refused', '/b24/orders/o-3/send', 503);
    unlock_queue($lock);

    $client->abort;
    $mute->close;
    main::comes_to('tested', 'captured', 0);

    # a queue that this version does not open
    ok(quit(), 'nginx ends');
    main::queue_sql('PRAGMA user_version = 99');
    start_again();
    my $list = main::take('list', '/b24?format=json');
    like($list->{queue}, qr/newer version/, 'it says why');
    like(main::take('refused', '/b24/orders/o-1?format=json', 503)->{error},
         qr/newer version/, 'of an order, too');

    # each member of the schema was there, with a value
    my @members = map { main::members($main::schema->{definitions}{$_}, $_) }
                      sort keys %{$main::schema->{definitions}};

    cmp_ok(scalar @members, '>', 100, 'members');
    is(join(' ', grep { !$main::seen{$_} } @members), '', 'none is only told of');

    my %portal = %{$main::values{'portal.state'}};
    is_deeply([sort keys %portal],
              [sort @{$main::schema->{definitions}{portal}{properties}{state}{enum}}],
              'portals in each state');
    is_deeply([sort keys %{$main::values{record_state}}],
              [sort @{$main::schema->{definitions}{record_state}{enum}}],
              'records in each state');



=== TEST 3: an answer that is otherwise is found, wherever it is
--- http_config eval: B24::Orders::http()
--- config eval: B24::Orders::server()
--- scenario
    place(1);
    settled(1);

    my $key = record(1)->{key};
    my %answers = (
        list => JSON::PP->new->utf8->decode(get('/b24?format=json')->{body}),
        one_order => JSON::PP->new->utf8->decode(
            get("/b24/orders/$key?format=json")->{body}),
    );
    my $count = 0;

    for my $definition (sort keys %answers) {
        my $answer = $answers{$definition};
        my $by = { '$ref' => "#/definitions/$definition" };

        is(main::wrong($answer), '', "$definition, as it is");

        my $n = main::parts($by, $answer, $definition);

        for my $i (0 .. $n - 1) {
            my $copy = Storable::dclone($answer);
            my $part = (main::parts($by, $copy, $definition))[$i][1];

            $part->{new} = 1;
            isnt(main::wrong($copy), '', "$definition, part $i: a member more");
            delete $part->{new};

            for my $name (sort keys %$part) {
                my $had = delete $part->{$name};

                isnt(main::wrong($copy), '', "$definition, $i: without $name");
                $part->{$name} = { other => 'type' };
                isnt(main::wrong($copy), '', "$definition, $i: another $name")
                    if $name ne 'params';
                $part->{$name} = $had;
                $count++;
            }

            is(main::wrong($copy), '', 'and as it was');
        }
    }

    cmp_ok($count, '>', 60, 'members');

    # a schema that forgets one is found, too
    my $forgets = Storable::dclone($main::schema);
    delete $forgets->{definitions}{portal}{properties}{checked};
    isnt(main::wrong($answers{list}, undef, $forgets), '', 'a member that is not told of');
