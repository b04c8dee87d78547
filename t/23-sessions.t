# Orders that are gathered from several requests of a buyer: his session is
# known by a cookie, what earlier requests told fills the order, once.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::Orders;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

# the shop answers what the request's X-Answer says, and sets what X-Set says
our $shop = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        client_max_body_size 8m;

        location / {
            default_type application/json;
            add_header   Set-Cookie $http_x_set always;
            return 200   $http_x_answer;
        }

        location /refused {
            default_type application/json;
            return 422   $http_x_answer;
        }
    }
EOC

our $rules = <<'EOC';
    b24_shop tested {
        session         $cookie_sid;
        stage           N NEW;
        default_status  N;

        collect cart {
            uri      /cart;
            accept   response:/ok;
            total    request:/total;
            items    request:/items {
                name /name;  price /price;  quantity /qty;
            }
        }

        collect buyer {
            uri      /buyer;
            accept   response:/ok;
            name     request:/name;
            phone    request:/phone;
            email    request:/email;
            comment  request:/note;
            deal     UF_CRM_CITY request:/city;
        }

        order placed {
            uri      /checkout;
            accept   response:/ok;
            id       response:/id;
            comment  request:/note;
            email    request:/email;
            currency RUB;
        }

        order counted {
            uri      /generated;
            accept   response:/ok;
            id       generated;
            currency RUB;
        }
    }
EOC

# Lines for http{}; rules: [FROM, TO] pairs to change them, more: further lines
sub http {
    my (%option) = @_;

    my $text = $rules;
    my $more = $option{more} // '';
    my @change = @{$option{rules} // []};

    while (my ($from, $to) = splice @change, 0, 2) {
        $text =~ s/\Q$from\E/$to/ or die "no \"$from\" in the rules\n";
    }

    return <<"EOC" . $text . $shop;
    b24_queue   \$TEST_NGINX_QUEUE;
    b24_origin  tested;
    b24_webhook \$TEST_NGINX_PORTAL_URL;
    b24_retry   first=100ms max=500ms unknown=300ms;
    b24_rate    100 burst=5000;
    client_max_body_size 8m;
    $more
EOC
}

sub server {
    my (%option) = @_;

    my $more = $option{more} // '';
    my $to = $option{shop} // 'http://127.0.0.1:$TEST_NGINX_PORT_1';

    return <<"EOC";
    b24_mirror tested;
    b24_capture body=4m;
    $more

    location / {
        proxy_pass $to;
    }

    location /b24 {
        b24_status;
        b24_mirror off;
    }
EOC
}

# A request of the session; answer: what the shop says, set: its Set-Cookie.
sub ask {
    my ($sid, $target, $fields, %option) = @_;

    my $answer = $option{answer} // '{"ok":true}';
    my @headers = ('Content-Type' => 'application/json',
                   'X-Answer' => $answer);

    push @headers, 'Cookie', "sid=$sid" if defined $sid;
    push @headers, 'X-Set', $option{set} if defined $option{set};

    return B24::Client::request_bytes('POST', $target,
        JSON::PP->new->canonical->encode($fields), @headers);
}

sub do_ask {
    my $client = B24::Scenario::client();

    $client->send(ask(@_));

    return $client->response;
}

sub items {
    my (@names) = @_;

    return [map { { name => $_, price => '10.00', qty => '2' } } @names];
}

# A cart with goods of these names, 20.00 each.
sub cart {
    my ($sid, $names, %option) = @_;

    my %fields = (total => 20 * @$names . '.00', items => items(@$names),
                  %{delete $option{fields} // {}});

    return do_ask($sid, '/cart', \%fields, %option)->{status};
}

sub buyer {
    my ($sid, $n, %option) = @_;

    my %fields = (name => "Buyer $n", phone => sprintf('+7916%07d', $n),
                  email => "buyer$n\@example.com",
                  %{delete $option{fields} // {}});

    return do_ask($sid, '/buyer', \%fields, %option)->{status};
}

# The order N itself: it has nothing but its number.
sub checkout {
    my ($sid, $n, %option) = @_;

    return do_ask($sid, $option{target} // '/checkout',
                  $option{fields} // {},
                  answer => $option{answer} // qq({"ok":true,"id":"o-$n"}),
                  set => $option{set})->{status};
}

# The order document of a record as the queue keeps it.
sub document {
    my ($key) = @_;

    my ($id) = $key =~ /^k-([0-9a-f]+)$/ or die "no key: $key\n";
    my $code = '$d = new SQLite3($argv[1], SQLITE3_OPEN_READONLY);'
        . ' echo $d->querySingle("SELECT data FROM events WHERE seq = 1'
        . ' AND record = " . hexdec($argv[2]));';

    open my $from, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db", $id
        or die "cannot run php: $!\n";
    local $/;

    return JSON::PP::decode_json(<$from>);
}

# What an order is made of: "o-1 20.00 Buyer 1 +7916... [Cup x2 10.00]".
sub shown {
    my ($record) = @_;

    my $document = document($record->{key});
    my $f = $document->{fields};

    return join ' ', grep { defined && length }
        $f->{id}, $f->{total}, $f->{name}, $f->{phone}, $f->{email},
        $f->{comment}, values %{$document->{deal} // {}},
        map { "[$_->{name} x$_->{quantity} $_->{price}]" }
            @{$document->{items} // []};
}

sub order_shown {
    my ($n, $state) = @_;

    return shown(settled($n, $state));
}

sub counts {
    return B24::Desk::status()->{portals}[0]{counts};
}

sub counter {
    return B24::Desk::counter(@_);
}

# All records, the latest first, once there are so many.
sub records {
    my ($n) = @_;

    my @records;

    B24::Scenario::wait_until(sub {
        @records = @{B24::Desk::status()->{orders}};
        return @records >= $n;
    });

    return @records;
}

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_)
        for qw(ask buyer cart checkout counter counts do_ask document items
               order_shown records shown);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: two collects and an order
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    is(cart('s1', ['Cup', 'Mug']), 200, 'a cart');
    is(buyer('s1', 1), 200, 'a buyer');
    is(counter('sessions'), 1, 'a session');
    is(checkout('s1', 1), 200, 'an order');
    is(order_shown(1), 'o-1 40.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00] [Mug x2 10.00]', 'whole');
    is(settled(1)->{state}, 'delivered', 'delivered');

    my ($deal) = @{deals()->{'o-1'}};
    is($deal->{opportunity}, '40.00', 'the deal has the total');
    cmp_ok($deal->{rows_sum}, '==', 40, 'and the rows');
    is(scalar @{$deal->{contact_ids}}, 1, 'and the contact');



=== TEST 2: what a collect names is replaced, also by nothing
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup', 'Mug']);
    buyer('s1', 1, fields => { note => 'soon', city => 'Omsk' });
    buyer('s1', 2, fields => { email => '' });
    cart('s1', ['Bowl']);
    checkout('s1', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 2 +79160000002 [Bowl x2 10.00]',
       'the last of each');

    cart('s2', ['Cup']);
    buyer('s2', 3, fields => { city => 'Omsk' });
    cart('s2', [], fields => { total => '' });
    checkout('s2', 2);
    is(order_shown(2), 'o-2 Buyer 3 +79160000003 buyer3@example.com Omsk',
       'an empty cart');



=== TEST 3: what the order gives itself comes first
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);
    buyer('s1', 1, fields => { note => 'of the session' });
    checkout('s1', 1, fields => { note => 'of the order',
                                  email => 'other@example.com' });
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 other@example.com'
       . ' of the order [Cup x2 10.00]', 'its own');



=== TEST 4: a collect that the shop has refused changes nothing
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);
    buyer('s1', 1);
    cart('s1', ['Mug'], answer => '{"ok":false}');
    cart('s1', ['Mug'], answer => '{"ok":tr');
    is(counter('collects_ignored'), 1, 'the unreadable one is counted');
    checkout('s1', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'as it was');



=== TEST 5: a rejected order keeps the session, an accepted one ends it
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);
    buyer('s1', 1);
    checkout('s1', 1, answer => '{"ok":false}');
    checkout('s1', 2);
    is(order_shown(2), 'o-2 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'the second try');
    checkout('s1', 3);
    is(order_shown(3), 'o-3', 'then nothing is known');
    is(counts()->{rejected}, 1, 'one was rejected');



=== TEST 6: the same goods twice in one session are two deals
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    for my $n (1, 2) {
        cart('s1', ['Cup']);
        buyer('s1', 1);
        checkout('s1', $n, target => '/generated');
    }

    my @records = records(2);
    is(scalar @records, 2, 'two records');
    ok(wait_until(sub { counts()->{delivered} == 2 }), 'delivered');

    my @deals = map { @$_ } values %{deals()};
    is(scalar @deals, 2, 'two deals');
    is(join(' ', map { $_->{opportunity} } @deals), '20.00 20.00', 'whole');
    like($_->{id}, qr/^[0-9a-f]{16}$/, "number $_->{id}") for @records;
    isnt($records[0]{id}, $records[1]{id}, 'of their own');



=== TEST 7: an order that is sent twice is one deal
--- http_config eval: ::http()
--- config eval: ::server(shop => 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0')
--- scenario
    my @answer = (status => 200,
                  headers => [ [ 'Content-Type', 'application/json' ] ],
                  body => '{"ok":true}');

    upstream()->script(target => '^/(?:cart|buyer)', @answer);
    upstream()->script(target => '^/generated', hold => 1, @answer);

    cart('s1', ['Cup']);
    buyer('s1', 1);

    my @clients = map { client() } 1 .. 2;
    $_->send(ask('s1', '/generated', {})) for @clients;

    ok(wait_until(sub { counts()->{captured} == 2 }), 'both under way');
    upstream()->release;
    is($_->response->{status}, 200, 'answered') for @clients;
    ok(wait_until(sub { counts()->{delivered} == 1 }), 'delivered');
    is(counts()->{duplicate}, 1, 'once');
    my @deals = map { @$_ } values %{deals()};
    is(scalar @deals, 1, 'one deal');
    is($deals[0]{opportunity}, '20.00', 'a whole one');



=== TEST 8: a generated number without a session: unconfirmed, never merged
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    checkout('s1', 1, target => '/generated');
    checkout(undef, 2, target => '/generated');
    my @records = records(2);
    is(join(' ', map { $_->{state} } @records), 'unconfirmed unconfirmed',
       'two records');
    like($records[0]{cause}, qr/nothing was collected/, 'why');
    like($records[0]{advice}, qr/session line/, 'what to do');
    is($records[0]{id}, undef, 'without a number');



=== TEST 9: the journal has what the session told
--- http_config eval: ::http()
--- config eval: ::server(shop => 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0')
--- expected_alert
exited on signal 9
--- scenario
    my @answer = (status => 200,
                  headers => [ [ 'Content-Type', 'application/json' ] ],
                  body => '{"ok":true,"id":"o-1"}');

    upstream()->script(target => '^/(?:cart|buyer)', @answer);
    upstream()->script(target => '^/', hold => 1, @answer);

    cart('s1', ['Cup']);
    buyer('s1', 1);

    my $client = client();
    $client->send(ask('s1', '/checkout', {}));

    ok(wait_until(sub { counts()->{captured} == 1 }), 'captured');
    my ($record) = records(1);
    is(shown($record), '20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'whole but for its number');

    kill KILL => worker_pids();
    ok(wait_until(sub { counts()->{unconfirmed} == 1 }), 'unconfirmed');
    is(shown((records(1))[0]), '20.00 Buyer 1 +79160000001'
       . ' buyer1@example.com [Cup x2 10.00]', 'still whole');



=== TEST 10: a session whose cookie changes is followed
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);

    # the answer to a collect, and to a request that no block wants
    buyer('s1', 1, set => 'sid=s2; path=/; HttpOnly');
    do_ask('s2', '/login', {}, set => 'SID=s3; path=/');
    do_ask('s3', '/page', {}, set => 'other=s9');
    do_ask('s3', '/page', {}, set => 'sid=deleted; Max-Age=0');
    is(counter('sessions'), 1, 'one session');
    checkout('s3', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'with all of it');

    cart('deleted', ['Mug']);
    checkout('s9', 2);
    is(order_shown(2), 'o-2', 'others are others');



=== TEST 11: the first answer sets the cookie
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart(undef, ['Cup'], set => 'sid=new; path=/');
    buyer('new', 1);
    checkout('new', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'whole');

    cart(undef, ['Cup']);
    is(counter('collects_ignored'), 1, 'without any it is ignored');



=== TEST 12: a large collect is read in the thread, the order waits for it
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    for my $n (1 .. 10) {
        buyer("s$n", $n);
        cart("s$n", ['Cup'], fields => { padding => 'x' x 300_000 });
        cart("s$n", ['Mug']) if $n % 2;
        checkout("s$n", $n);
    }

    for my $n (1 .. 10) {
        my $what = $n % 2 ? 'Mug' : 'Cup';

        is(order_shown($n), sprintf('o-%d 20.00 Buyer %d +7916%07d'
           . ' buyer%d@example.com [%s x2 10.00]', ($n) x 4, $what),
           "order $n");
    }
