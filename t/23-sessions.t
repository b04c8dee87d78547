# Orders that are gathered from several requests of a buyer: his session is
# known by a cookie, what earlier requests told fills the order, once.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm ();
use B24::Desk;
use B24::Orders;
use B24::Recording ();
use JSON::PP ();
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

# the shop answers what the request's X-Answer says, and sets what X-Set says;
# as a shop of one's own would it doesn't log that at debug
our $shop = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        error_log logs/error.log info;
        client_max_body_size 8m;

        location / {
            default_type application/json;
            add_header   Set-Cookie $http_x_set always;
            add_header   Content-Encoding $http_x_encoding always;
            return 200   $http_x_answer;
        }

        location /refused {
            default_type application/json;
            return 422   $http_x_answer;
        }

        # 400 bytes a second
        location ~ ^/\w+/slow$ {
            default_type application/json;
            limit_rate   400;
            return 200   $http_x_answer;
        }
    }
EOC

our $rules = <<'EOC';
    b24_shop tested {
        session         $cookie_sid;
        stage           N NEW;
        default_status  N;

        collect cart {
            uri      /cart*;
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
            uri      /checkout*;
            accept   response:/ok;
            id       response:/id;
            comment  request:/note;
            email    request:/email;
            currency RUB;
        }

        order counted {
            uri      /generated*;
            accept   response:/ok;
            id       generated;
            currency RUB;
        }
    }
EOC

# many requests on one connection, with and without the module
our $many = ($ENV{B24_LONG} ? '' : "b24_sessions size=1m;\n") . <<'EOC';
    keepalive_requests 10000000;
    access_log off;

    upstream shop {
        server unix:$TEST_NGINX_DIR/shop.sock;
        keepalive 4;
        keepalive_requests 10000000;
    }

    server {
        listen unix:$TEST_NGINX_DIR/shop.sock;

        location / {
            default_type application/json;
            return 200   $http_x_answer;
        }
    }
EOC

our $plain = <<'EOC';
    proxy_http_version 1.1;
    proxy_set_header Connection "";

    location /plain {
        b24_mirror off;
        proxy_pass http://shop;
    }
EOC

# rules that learn which field is the phone
our $learning = [
    'collect buyer {' => <<'EOR' . '        collect buyer {',
collect form {
            uri      /form;
            accept   response:/ok;
            learn    phone_field  response:/props/[IS_PHONE=Y]/ID;
            phone    "request:/F_%{phone_field}";
        }

EOR
    'id       response:/id;' => <<'EOR',
id       response:/id;
            phone    "request:/F_%{phone_field}";
EOR
];

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
    push @headers, 'X-Encoding', $option{encoding} if $option{encoding};

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

# A cart of as many buyers, pipelined, 50 at a time; how long it took, in seconds:
# by the median of these, so that a machine that stands still for a moment counts
# for nothing.
sub stream {
    my ($target, $name, $count) = @_;

    my $client = B24::Scenario::client();
    my $socket = $client->{socket};
    my $fields = { total => '20.00', items => items('Cup') };
    my $pattern = ask('SID', $target, $fields)
                  =~ s/Connection: close/Connection: keep-alive/r;
    my ($head, $tail) = split /SID/, $pattern;
    my ($size, @took);

    for (my $n = 0; $n < $count; $n += 50) {
        my $got = '';
        my $start = Time::HiRes::time();

        $client->send(join '', map { "$head$name$_$tail" } $n .. $n + 49);

        # all answers are of one length
        while (!$size || length $got < 50 * $size) {
            sysread $socket, $got, 65536, length $got
                or die "the connection is closed\n";
            $size //= $+[0] if $got =~ /\{"ok":true\}/;
        }

        $got =~ /\{"ok":true\}\z/ or die "another answer\n";
        push @took, Time::HiRes::time() - $start;
    }

    return @took * (sort { $a <=> $b } @took)[@took / 2];
}

# Memory of a process, KiB.
sub resident {
    my ($pid) = @_;

    my ($pages) = B24::Recording::read_file("/proc/$pid/status")
                  =~ /^RssAnon:\s+(\d+) kB/m;

    return $pages;
}

# What an order is made of: "o-1 20.00 Buyer 1 +7916... [Cup x2 10.00]".
sub shown {
    my ($record) = @_;

    my $document = B24::Desk::document($record->{key});
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

# The comments of the order N's deal.
sub comments {
    my ($n) = @_;

    return B24::Desk::deal("o-$n")->{comments} // '';
}

# Reloads with a change of the configuration.
sub reconfigure {
    my ($from, $to) = @_;

    my $conf = "$ENV{TEST_NGINX_SERVROOT}/conf/nginx.conf";
    my $text = B24::Recording::read_file($conf);

    $text =~ s/$from/$to/ or die "no $from in $conf\n";
    open my $out, '>', $conf or die "cannot write $conf: $!\n";
    print $out $text;
    close $out;

    B24::Scenario::reload();
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
        for qw(ask buyer cart checkout counter counts do_ask items order_shown
               reconfigure records resident shown stream);
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
    upstream()->release(count => 2);
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



=== TEST 13: the order's own request collects, too
--- http_config eval: ::http(rules => ['uri      /buyer;', 'uri      /buyer /checkout;'])
--- config eval: ::server()
--- scenario
    my %own = (name => 'Own', phone => '+79160000009');

    cart('s1', ['Cup']);
    buyer('s1', 1);

    # a refused order that the block accepts
    checkout('s1', 1, fields => { %own, note => 'first' },
             answer => '{"ok":"yes","refused":1}', target => '/refused');
    checkout('s1', 2, fields => { %own, note => 'second' });
    is(order_shown(2), 'o-2 20.00 Own +79160000009 second [Cup x2 10.00]',
       'what it names comes on top of the session');

    checkout('s1', 3, fields => { note => 'third' });
    is(order_shown(3), 'o-3 third', 'and ends with it');

    cart('s2', ['Mug']);
    checkout('s2', 4, fields => \%own, answer => '{"ok":true}');
    ok(wait_until(sub { counts()->{unconfirmed} == 1 }), 'no number');
    checkout('s2', 5, fields => {});
    is(order_shown(5), 'o-5 20.00 [Mug x2 10.00]',
       'an order that stays unconfirmed leaves the session');



=== TEST 14: a reload between collect and order
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);
    reload();
    buyer('s1', 1);
    reload();
    is(counter('sessions'), 1, 'it is there');
    checkout('s1', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'whole');



=== TEST 15: a reload with another size begins anew
--- http_config eval: ::http(more => 'b24_sessions size=1m;')
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);
    reconfigure('size=1m', 'size=2m time=10m');

    is(scalar error_log_lines(qr/\[notice\].*another size/), 1, 'it is said');
    cart('s2', ['Mug']);
    is(counter('sessions'), 1, 'one session');
    checkout('s1', 1);
    is(order_shown(1), 'o-1', 'the other is not known');
    checkout('s2', 2);
    is(order_shown(2), 'o-2 20.00 [Mug x2 10.00]', 'the new one is');



=== TEST 16: a worker is killed between collect and order
--- http_config eval: ::http()
--- config eval: ::server()
--- expected_alert
exited on signal 9
--- scenario
    cart('s1', ['Cup']);

    # what is collected is kept after the buyer has his answer
    ok(wait_until(sub { counter('collects') == 1 }), 'the cart is collected');

    my ($old) = worker_pids();
    kill KILL => $old;
    ok(wait_until(sub { my ($new) = worker_pids(); $new && $new != $old }),
       'another worker');
    buyer('s1', 1);
    checkout('s1', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'whole');



=== TEST 17: workers killed while many collect
--- http_config eval: ::http(more => 'b24_sessions size=128k;')
--- config eval: ::server()
--- expected_alert
exited on signal 9
--- timeout: 60
--- scenario
    my $traffic = start_traffic(sub {
        my ($n) = @_;

        return ask('t' . $n % 50, '/cart',
                   { total => 20, items => items(('Cup') x (1 + $n % 30)) });
    });

    for my $n (1 .. 15) {
        my ($pid) = worker_pids();
        kill KILL => $pid if $pid;
        wait_until(sub { my ($new) = worker_pids(); $new && $new != $pid })
            or last;

        # some of it must have come through
        my $before = eval { counter('collects') };
        wait_until(sub {
            my $now = eval { counter('collects') };
            return defined $before && defined $now && $now > $before + 20;
        }) if defined $before;
    }

    $traffic->stop;
    is(scalar(() = error_log() =~ /exited on signal 9/g), 15, 'fifteen times');

    ok(wait_until(sub { eval { cart('s1', ['Cup']) } }), 'the shop answers');
    buyer('s1', 1);
    checkout('s1', 1);
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'orders are whole');
    cmp_ok(counter('sessions'), '<=', 51, 'sessions are counted');
    diag(counter('sessions_emptied') . ' times the sessions were given up');



=== TEST 18: memory is bounded, the sessions used last stay
--- http_config eval: ::http(more => 'b24_sessions size=128k;')
--- config eval: ::server()
--- scenario
    cart('old', ['Cup']);

    for my $n (1 .. 600) {
        cart("s$n", ['Cup', 'Mug']) == 200 or die "the shop fails\n";
        buyer('kept', 1) if $n % 50 == 1;
    }

    my $sessions = counter('sessions');

    cmp_ok($sessions, '<', 500, "$sessions sessions");
    is(counter('sessions_evicted'), 602 - $sessions, 'others made room');

    checkout('kept', 1);
    checkout('s600', 2);
    checkout('old', 3);
    is(order_shown(1), 'o-1 Buyer 1 +79160000001 buyer1@example.com',
       'one that is in use');
    is(order_shown(2), 'o-2 40.00 [Cup x2 10.00] [Mug x2 10.00]', 'the last');
    is(order_shown(3), 'o-3', 'the oldest is not known any more');

    # more than a session may hold
    cart('s1', ['Cup']);
    cart('s1', ['Mug' x 100, ('Cup') x 200]);
    is(counter('collects_ignored'), 1, 'a cart that is too large');
    checkout('s1', 4);
    is(order_shown(4), 'o-4', 'the one before it is forgotten');
    like(main::comments(4), qr/more than a session may hold/,
         'and the deal says why');

    # what no such block names stays, and the next cart is taken again
    buyer('s2', 5);
    cart('s2', ['Cup']);
    cart('s2', [('Cup') x 300]);
    checkout('s2', 5);
    is(order_shown(5), 'o-5 Buyer 5 +79160000005 buyer5@example.com',
       'the buyer stays');

    cart('s3', ['Cup']);
    cart('s3', [('Cup') x 300]);
    cart('s3', ['Mug']);
    checkout('s3', 6);
    is(order_shown(6), 'o-6 20.00 [Mug x2 10.00]', 'a smaller one counts');
    unlike(main::comments(6), qr/session may hold/, 'with nothing to say');
    is(counter('collects_ignored'), 3, 'each of them is counted');



=== TEST 19: sessions end by themselves
--- http_config eval: ::http(more => 'b24_sessions time=1s;')
--- config eval: ::server()
--- scenario
    cart('s1', ['Cup']);
    is(counter('collects'), 1, 'a session');
    ok(wait_until(sub { counter('sessions') == 0 }), 'it goes without a visit');
    is(counter('sessions_evicted'), 0, 'not to make room');
    checkout('s1', 1);
    is(order_shown(1), 'o-1', 'nothing is known');



=== TEST 20: cookies of the enemy
--- http_config eval: ::http(more => 'large_client_header_buffers 4 64k;')
--- config eval: ::server()
--- scenario
    my @evil = ('x' x 60_000, "\xff\xfe\x80", '"quoted"', '%00%0d%0a',
                "' OR 1=1 --", '../../../etc/passwd', '{"v":1}', '=', '====',
                'a=b', '$cookie_sid', '%{request:/x}', "\t", "a b",
                "\xd0\x96", '%n%n%s');

    for my $n (0 .. $#evil) {
        is(cart($evil[$n], ["Cup$n"]), 200, "answered: $n");
    }

    buyer('s1', 1, set => "sid=$evil[$_]; path=/") for 1, 2, 4 .. 9;

    my @known = grep { $_ != 12 } 0 .. $#evil;

    checkout($evil[$_], 100 + $_) for @known;

    for my $n (0, 3, 10, 11, 13 .. 15) {
        my $id = 100 + $n;
        is(order_shown($id), "o-$id 20.00 [Cup$n x2 10.00]", "its own: $n");
    }

    # what logins have taken over is the buyer's who logged in
    is(order_shown(107), 'o-107 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup1 x2 10.00]', 'one of the last names of his session');
    is(order_shown(101), 'o-101', 'an old one');
    ok(wait_until(sub { counts()->{captured} == 0 }), 'all are through');
    is(scalar(grep { /\[(?:alert|emerg|crit|error)\]/ } split /\n/,
              error_log()), 0, 'nothing in the log');



=== TEST 21: nothing of a session in the log
--- http_config eval: ::http()
--- config eval: ::server()
--- log_level: info
--- scenario
    cart('secretsid', ['Cup']);
    buyer('secretsid', 7, set => 'sid=othersid');
    cart('othersid', ['Mug'], answer => '{"ok":tr');
    cart('othersid', ['Mug' x 100], fields => { padding => 'x' x 200_000 });
    checkout('othersid', 1);
    order_shown(1);
    quit();

    my $log = error_log();
    unlike($log, qr/\b\Q$_\E/, "no $_")
        for 'secretsid', 'othersid', '7916000000', 'buyer7', 'Buyer 7', 'Cup';



=== TEST 22: several workers
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    reconfigure(qr/worker_processes\s+1;/, 'worker_processes 4;');
    ok(wait_until(sub { worker_pids() == 4 }), 'four workers');

    for my $n (1 .. 20) {
        cart("s$n", ["Cup$n"]);
        buyer("s$n", $n, $n % 2 ? (set => "sid=t$n") : ());
        checkout($n % 2 ? "t$n" : "s$n", $n);
    }

    is(order_shown($_), sprintf('o-%d 20.00 Buyer %d +7916%07d'
       . ' buyer%d@example.com [Cup%d x2 10.00]', ($_) x 5), "order $_")
        for 1 .. 20;



=== TEST 23: what was learned is used
--- http_config eval: ::http(rules => $::learning)
--- config eval: ::server()
--- scenario
    is(do_ask('s1', '/form', { F_12 => '+79160000012', F_13 => 'no' },
              answer => '{"ok":true,"props":[{"ID":"12","IS_PHONE":"Y"},'
                        . '{"ID":"13"}]}')->{status}, 200, 'a page');
    is(counter('learned'), 1, 'one value');
    checkout('s1', 1);
    is(order_shown(1), 'o-1 +79160000012', 'used by the same page');

    checkout('s1', 2, fields => { F_12 => '+79160000013' });
    is(order_shown(2), 'o-2 +79160000013', 'and by an order');

    # unfit ones
    do_ask('s1', '/form', {}, answer => $_) for
        '{"ok":true,"props":[{"ID":"+7916 000","IS_PHONE":"Y"}]}',
        '{"ok":true,"props":[{"ID":"' . 'x' x 65 . '","IS_PHONE":"Y"}]}',
        '{"ok":false,"props":[{"ID":"99","IS_PHONE":"Y"}]}';
    is(counter('learned'), 1, 'no more');

    do_ask('s1', '/form', {},
           answer => '{"ok":true,"props":[{"ID":"20","IS_PHONE":"Y"}]}');
    reload();
    checkout('s1', 3, fields => { F_12 => '+79160000014' });
    is(order_shown(3), 'o-3 +79160000014', 'older ones, too');
    checkout('s1', 4, fields => { F_12 => '1', F_20 => '+79160000020' });
    is(order_shown(4), 'o-4 +79160000020', 'the newest first');



=== TEST 24: and is known after a restart
--- http_config eval: ::http(rules => $::learning)
--- config eval: ::server()
--- keep_state
--- scenario
    # read when the first worker starts
    ok(wait_until(sub {
        checkout('s1', 5, fields => { F_12 => '1', F_20 => '+79160000025' });
        return 1;
    }), 'an order');
    is(counter('learned'), 0, 'nothing new');
    ok(wait_until(sub {
        checkout('s1', 6, fields => { F_12 => '1', F_20 => '+79160000026' });
        return order_shown(6) eq 'o-6 +79160000026';
    }), 'the newest first');



=== TEST 25: an access log tells collects
--- http_config eval: ::http(more => 'log_format b24 "$request_uri $b24_event $b24_state $b24_order";')
--- config eval: ::server(more => 'access_log logs/b24.log b24;')
--- scenario
    cart('s1', ['Cup']);
    buyer('s1', 1, answer => '{"ok":false}');
    checkout('s1', 1);
    get('/nothing');
    my @lines;

    wait_until(sub {
        @lines = grep { m{^/\w} && !m{^/b24} } split /\n/,
            B24::Recording::read_file("$ENV{TEST_NGINX_SERVROOT}/logs/b24.log");
        return @lines == 4;
    });
    is(join(', ', @lines), '/cart collect - -, /buyer collect - -,'
       . ' /checkout order accepted o-1, /nothing - - -',
       'each as what it is');



=== TEST 26: the number comes from an earlier answer
--- http_config eval: ::http(rules => [ 'phone    request:/phone;' => 'phone    request:/phone;  id  response:/draft;' ])
--- config eval: ::server()
--- scenario
    for my $target ('/checkout', '/generated') {
        my $n = $target eq '/checkout' ? 1 : 2;

        cart('s1', ['Cup']);
        buyer('s1', $n, answer => qq({"ok":true,"draft":"o-$n"}));
        checkout('s1', 0, target => $target, answer => '{"ok":true}');
        is(order_shown($n), sprintf('o-%d 20.00 Buyer %d +7916%07d'
           . ' buyer%d@example.com [Cup x2 10.00]', ($n) x 4), $target);
        is(settled($n)->{state}, 'delivered', 'accepted');
    }

    checkout('s1', 0, answer => '{"ok":true}');
    ok(wait_until(sub { counts()->{unconfirmed} == 1 }), 'it was used up');



=== TEST 27: a session that bodies tell of
--- http_config eval: ::http(rules => [ 'session         $cookie_sid;' => 'session $cookie_sid;  session request:/token  response:/token;' ])
--- config eval: ::server()
--- scenario
    # the first answer gives the token, later requests bring it
    cart(undef, ['Cup'], answer => '{"ok":true,"token":"T1"}');
    buyer(undef, 1, fields => { token => 'T1' });
    checkout(undef, 1, fields => { token => 'T1' });
    is(order_shown(1), 'o-1 20.00 Buyer 1 +79160000001 buyer1@example.com'
       . ' [Cup x2 10.00]', 'small ones');

    my $padding = 'x' x 200_000;

    cart(undef, ['Mug'], answer => '{"ok":true,"token":"T2"}',
         fields => { padding => $padding });
    buyer(undef, 2, fields => { token => 'T2', padding => $padding });
    checkout(undef, 2, fields => { token => 'T2', padding => $padding });
    is(order_shown(2), 'o-2 20.00 Buyer 2 +79160000002 buyer2@example.com'
       . ' [Mug x2 10.00]', 'large ones');
    is(counter('sessions'), 2, 'two sessions');



=== TEST 28: more buyers than memory has room for
--- http_config eval: ::http(more => $::many)
--- config eval: ::server(shop => 'http://shop', more => $::plain)
--- timeout: 1800
--- log_level: info
--- scenario
    # 1,000,000 of them with "test --all"
    my $count = $ENV{B24_LONG} ? 1_000_000 : 5_000;
    my ($worker) = worker_pids();

    stream('/cart', 'w', 500);
    my $before = resident($worker);

    my @times = (stream('/plain', 'p', $count / 10),
                 stream('/cart', 'a', $count / 10));

    stream('/cart', 'b', $count * 8 / 10);
    push @times, stream('/cart', 'c', $count / 10);
    push @times, stream('/plain', 'p', $count / 10);

    my ($first, $empty, $full, $last) = map { $_ / ($count / 10) * 1e6 } @times;
    my $without = ($first + $last) / 2;
    my $grown = resident($worker) - $before;

    diag(sprintf 'a request %.1f us without the module, %.1f us collected,'
         . ' %.1f us with %d buyers gone: ratio %.2f, to the beginning %.2f,'
         . ' %d KiB more', $without, $empty, $full, $count,
         $full / $without, $full / $empty, $grown);

    cmp_ok($full, '<', 3 * $empty + 500, 'as fast as at the beginning');
    cmp_ok($full, '<', 5 * $without + 1000, 'the shop is not slowed down');

    # sanitizers keep what was freed
    cmp_ok($grown, '<', $ENV{B24_ASAN} ? 400_000 : 4_000,
           "memory is bounded: $grown KiB more");
    is(counter('collects'), 500 + $count, 'all were collected');
    is(counter('sessions') + counter('sessions_evicted'), 500 + $count,
       'all were sessions');
    cmp_ok(counter('sessions_evicted'), '>', $count / 10, 'most made room');

    buyer("c$_", $_) && checkout("c$_", $_) for $count / 10 - 1;
    my $n = $count / 10 - 1;
    is(order_shown($n), sprintf('o-%d 20.00 Buyer %d +7916%07d'
       . ' buyer%d@example.com [Cup x2 10.00]', ($n) x 4), 'the last is whole');



=== TEST 29: a worker is killed in the middle of a change
--- http_config eval: ::http()
--- config eval: ::server()
--- expected_alert
exited on signal 9
shared memory zone "b24_sessions" was locked by
--- scenario
    SKIP: {
        ok(quit(), 'quits');

        my $flag = start_preloaded('session_kill')
            or do { start_again(); skip 'not under the sanitizers', 1 };

        is(cart("s$_", ['Cup']), 200, "buyer $_") for 1 .. 3;
        ok(wait_until(sub { counter('sessions') == 3 }), 'three sessions');
        is(counter('sessions_emptied'), 0, 'all is well');

        my ($old) = worker_pids();

        open my $out, '>', $flag or die "cannot write $flag: $!\n";
        close $out;

        # his answer may have been under way
        eval { cart('s4', ['Cup']) };

        ok(wait_until(sub { !is_alive($old) }), 'the worker was killed');
        unlink $flag or die "cannot remove $flag: $!\n";
        ok(wait_until(sub { grep { $_ != $old } worker_pids() }), 'another');
        ok(wait_until(sub { error_log_lines(
            qr/shared memory zone "b24_sessions" was locked by $old$/) }),
           'inside of the lock');

        # the shop goes on; nobody knows what of the sessions is still whole
        is(cart('s5', ['Cup', 'Mug']), 200, 'the shop answers');
        is(buyer('s5', 5), 200, 'once more');
        is(counter('sessions_emptied'), 1, 'they were given up, once');
        is(counter('sessions'), 1, 'there is the new one');

        checkout('s5', 5);
        is(order_shown(5), 'o-5 40.00 Buyer 5 +79160000005 buyer5@example.com'
           . ' [Cup x2 10.00] [Mug x2 10.00]', 'who comes afterwards is whole');

        buyer('s1', 1);
        checkout('s1', 1);
        is(order_shown(1), 'o-1 Buyer 1 +79160000001 buyer1@example.com',
           'of before nothing is known');
        is(counter('sessions_emptied'), 1, 'that was all');
    }



=== TEST 30: a later answer that can't be read
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $remarks = sub {
        return join ' ', map { "$_->{code}: $_->{text}" }
            @{B24::Desk::document(settled($_[0])->{key})->{remarks} // []};
    };

    # nothing is known yet: there is nothing to doubt
    cart('s2', ['Mug'], encoding => 'br');
    checkout('s2', 3);
    is(order_shown(3), 'o-3', 'nothing is known');
    unlike($remarks->(3), qr/could not be read/, 'nor doubted');

    cart('s1', ['Cup']);
    cart('s1', ['Mug'], encoding => 'br');
    checkout('s1', 1);
    is(order_shown(1), 'o-1 20.00 [Cup x2 10.00]', 'what was there before');
    like($remarks->(1), qr/^items: a later page of the shop could not be/,
         'the order says that it may be old');

    # the next one that can be read ends the doubt
    cart('s1', ['Cup']);
    cart('s1', ['Mug'], encoding => 'br');
    cart('s1', ['Mug']);
    checkout('s1', 2);
    is(order_shown(2), 'o-2 20.00 [Mug x2 10.00]', 'the last one');
    is($remarks->(2), '', 'without a remark');
    is(counter('collects_ignored'), 3, 'all are counted');

    # an answer of another kind is none of the cart
    cart('s3', ['Cup']);
    cart('s3', ['Mug'], answer => '"no"');
    checkout('s3', 4);
    is(order_shown(4), 'o-4 20.00 [Cup x2 10.00]', 'the cart');
    is($remarks->(4), '', 'without a remark');



=== TEST 31: what comes after an order is not the order's
--- http_config eval: ::http()
--- config eval: ::server(more => 'postpone_output 1;')
--- scenario
    # a page that was asked for earlier is on its way: the order waits for what
    # it may tell, a second at most
    for my $n (0, 2, 4) {
        my $sid = "s$n";
        my $slow = B24::Scenario::client();

        cart($sid, ['Cup']);
        buyer($sid, $n + 1);
        $slow->send(ask($sid, '/cart/slow', { items => items('Old') },
            answer => '{"ok":false,"x":"' . 'x' x 1200 . '"}'));
        $slow->more;

        checkout($sid, $n + 1);
        cart($sid, []) if $n;
        cart($sid, ['Bowl']);
        buyer($sid, $n + 2);
        checkout($sid, $n + 2);
        $slow->response;

        is(order_shown($_->[0]), "o-$_->[0] 20.00 Buyer $_->[0]"
           . sprintf(' +7916%07d', $_->[0]) . " buyer$_->[0]\@example.com"
           . " [$_->[1] x2 10.00]", "the order $_->[0]")
            for [$n + 1, 'Cup'], [$n + 2, 'Bowl'];
    }



=== TEST 32: a cart behind an order that the shop refuses, and the next order
--- http_config eval: ::http()
--- config eval
::server(shop => 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0',
         more => 'postpone_output 1;')
--- scenario
    my ($refused, $cart) = (client(), client());
    my @answer = (status => 200,
                  headers => [ [ 'Content-Type', 'application/json' ] ]);

    # a piece more for the cart: an order waits for it for a second at most
    my @slow = (@answer, slow => { bytes => 300, pause => 0.3 });

    upstream()->script(target => '^/(?:cart|buyer)$', @answer,
                       body => '{"ok":true}');
    upstream()->script(target => '^/checkout$', times => 1, @answer,
                       body => '{"ok":true,"id":"o-3"}');
    upstream()->script(target => '^/checkout$', @answer,
                       body => '{"ok":true,"id":"o-4"}');
    upstream()->script(target => '^/checkout/slow$', @slow,
                       body => '{"ok":false,"x":"' . 'x' x 560 . '"}');
    upstream()->script(target => '^/cart/slow$', @slow,
                       body => '{"ok":true,"x":"' . 'x' x 860 . '"}');

    cart('s1', ['Cup']);
    buyer('s1', 3);
    $refused->send(ask('s1', '/checkout/slow', {}));
    $refused->more;
    $cart->send(ask('s1', '/cart/slow', { total => '20.00',
        items => items('Bowl') }));
    $cart->more;
    $refused->response;

    # the cart is on its way still: the order has it, the one after it hasn't
    checkout('s1', 3);
    $cart->response;
    is(order_shown(3), 'o-3 20.00 Buyer 3 +79160000003 buyer3@example.com'
       . ' [Bowl x2 10.00]', 'the newer cart');
    checkout('s1', 4);
    is(order_shown(4), 'o-4', 'it is used up');



=== TEST 33: an order that is sent again while its answer is on its way
--- http_config eval: ::http()
--- config eval: ::server(more => 'postpone_output 1;')
--- scenario
    my ($first, $again) = (client(), client());
    my $bytes = ask('s1', '/generated/slow', {},
                    answer => '{"ok":true,"x":"' . 'x' x 400 . '"}');

    cart('s1', ['Cup']);
    buyer('s1', 1);
    $first->send($bytes);
    $first->more;
    $again->send($bytes);
    $_->response for $first, $again;

    ok(wait_until(sub { counts()->{delivered} == 1
                        && counts()->{duplicate} == 1 }), 'one is a double');
    is(scalar records(1), 1, 'one order');
    is(scalar map({ @$_ } values %{B24::Crm::whole_crm()->{deals}}), 1,
       'one deal');



=== TEST 34: a cart in the answer to an order that had none
--- http_config eval: ::http()
--- config eval: ::server(more => 'postpone_output 1;')
--- scenario
    my $order = client();

    $order->send(ask('s1', '/checkout/slow', {},
        answer => '{"ok":true,"id":"o-1","x":"' . 'x' x 300 . '"}'));
    $order->more;
    cart('s1', ['Mug']);
    $order->response;
    checkout('s1', 2);
    is(order_shown(1), 'o-1', 'nothing was known');
    is(order_shown(2), 'o-2 20.00 [Mug x2 10.00]', 'the next one has it');
