# No webhook's code, no cookie and nothing of a buyer in what we write for
# others to read, at debug either; files that nobody else can read; and what
# was delivered is gone from the disk when its time is over.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portal_tls => 1, upstream => 'woocommerce-9.9.5', lanes => 2;
use Test::Nginx::Socket;

use B24::Client;
use B24::Conf ();
use B24::Desk;
use B24::Orders;
use B24::Prometheus ();
use B24::Recording;
use B24::SideBySide;
use Encode ();
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

use constant {
    CODE    => 'c0deThatIsNobodys',
    SESSION => '9f2k3v8h1q7d5m4s',
};

our $recording = B24::Recording->load('t/recordings/woocommerce-9.9.5');

# the buyer of this file
our %buyer = (
    name => 'Ярослава Хлебникова', phone => '+7 (921) 765-43-29',
    email => 'yaroslava.h@example.com', address => 'Кузнечный пер., 17',
    comment => 'Звонить после обеда', password => 'pr1vate-pa55word',
);

our @cookies = ('Cookie' => 'PHPSESSID=' . SESSION
                . '; BITRIX_SM_SALE_UID=3f1c9a7b5d2e4f60; _ga=GA1.2.7788.9911',
                'Referer' => 'https://shop.test/cart?email=' . $buyer{email});

our $rules = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  discreet;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    100 burst=5000;
    b24_retry   first=100ms max=300ms unknown=300ms;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    map $arg_email $mail_user {
        "~^(?<user>[^@]+)@"  $user;
    }

    b24_shop discreet {
        order bitrix {
            uri       /bitrix/*;
            when      request:/soa-action =saveOrderAjax;
            accept    response:/order/ERROR !;
            id        response:/order/ID;
            name      request:/ORDER_PROP_1;
            email     request:/ORDER_PROP_2;
            phone     request:/ORDER_PROP_3;
            address   request:/ORDER_PROP_7;
            comment   request:/ORDER_DESCRIPTION;
            total     "100";
            currency  RUB;
        }

        order block {
            uri        /wp-json/wc/store/v1/checkout;
            when       query:/__experimental_calc_totals !;
            id         response:/order_id;
            first_name request:/billing_address/first_name;
            phone      request:/billing_address/phone;
            email      request:/billing_address/email;
            total      "100";  currency USD;
        }

        order classic {
            uri        /;
            when       query:/wc-ajax =checkout;
            accept     response:/result =success;
            id         response:/order_id;
            first_name request:/billing_first_name;
            phone      request:/billing_phone;
            email      request:/billing_email;
            total      "100";  currency USD;
        }

        order any {
            uri       /order*;
            method    POST GET;
            when      $cookie_PHPSESSID;
            when      "$arg_promo$cookie_promo" !;
            id        response:/id;
            name      request:/name "$arg_name";
            phone     request:/phone "$arg_phone";
            email     request:/email "$arg_email";
            address   request:/address;
            comment   request:/comment;
            total     "100";
            currency  RUB;
            deal      UF_CRM_USER "$mail_user of $http_referer";
            deal      UF_CRM_LATE "$upstream_status $cookie_PHPSESSID";
        }
    }

    b24_mirror   discreet;
    b24_deal     UF_CRM_GA $cookie__ga;
    b24_contact  UF_CRM_UID "$cookie_BITRIX_SM_SALE_UID $unset";
EOC

our $server = <<'EOC';
    set $unset "";

    location = /b24-sentinel {
        return 200 "sentinel\n";
    }

    location / {
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }

    # bodies that go to a file, and such as are passed on as they come
    location /order/file {
        client_body_buffer_size 64;
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }

    location /order/stream {
        proxy_request_buffering off;
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }

    location /order/sync {
        b24_journal sync;
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }

    # over before the function that read the body returns
    location /order/at-once {
        root html;
    }

    location /order/refused {
        proxy_pass http://127.0.0.1:1;
    }

    location /b24 {
        b24_status;
    }
EOC

# ---- what buyers send ----------------------------------------------------

sub escaped {
    my ($text) = @_;

    return $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
}

sub form {
    my (%field) = @_;

    return join '&', map { escaped($_) . '=' . escaped($field{$_}) }
                     sort keys %field;
}

sub multipart {
    my (%field) = @_;

    return join '', map({ "------FormBoundaryA1\r\nContent-Disposition:"
                          . " form-data; name=\"$_\"\r\n\r\n$field{$_}\r\n" }
                        sort keys %field), "------FormBoundaryA1--\r\n";
}

sub json {
    my (%field) = @_;

    return JSON::PP->new->ascii->canonical->encode(
        { map { $_ => Encode::decode('UTF-8', $field{$_}) } keys %field });
}

our %type = (
    form      => 'application/x-www-form-urlencoded',
    json      => 'application/json',
    multipart => 'multipart/form-data; boundary=----FormBoundaryA1',
);

sub exchange_of {
    my ($target, $body, $type, @headers) = @_;

    return { name => $target, request => B24::Client::request_bytes(
        defined $body ? 'POST' : 'GET', $target, $body, @cookies, @headers,
        defined $type ? ('Content-Type' => $type) : (), Connection => undef) };
}

# What 1C-Bitrix's checkout sends as its order is placed; the page is in
# windows-1251.
sub bitrix_fields {
    my %field = (
        'soa-action' => 'saveOrderAjax', via_ajax => 'Y', SITE_ID => 's1',
        sessid => '0123456789abcdef0123456789abcd77',
        signedParamsString => 'YTo4NDp7czoxOiJhIjt9.5f0a',
        ORDER_PROP_1 => $buyer{name}, ORDER_PROP_2 => $buyer{email},
        ORDER_PROP_3 => $buyer{phone}, ORDER_PROP_7 => $buyer{address},
        ORDER_DESCRIPTION => $buyer{comment},
        NEW_PASSWORD => $buyer{password},
    );

    Encode::from_to($field{$_}, 'UTF-8', 'cp1251') for keys %field;

    return %field;
}

sub exchanges {
    my $query = form(map { $_ => $buyer{$_} } qw(name phone email));
    my %bitrix = bitrix_fields();
    my $ajax = '/bitrix/components/bitrix/sale.order.ajax/ajax.php';

    return (
        exchange_of('/order/form', form(%buyer), $type{form}),
        exchange_of('/order/json', json(%buyer), $type{json}),
        exchange_of('/order/parts', multipart(%buyer), $type{multipart}),
        exchange_of("/order/query?$query"),
        exchange_of("/order/query?$query", form(%buyer), $type{form}),
        exchange_of("/order/sync?$query", json(%buyer), $type{json}),
        exchange_of("/order/file?$query", form(%buyer), $type{form}),
        exchange_of("/order/stream?$query", json(%buyer), $type{json}),
        exchange_of("/order/stream?$query", sprintf("%x\r\n%s\r\n0\r\n\r\n",
                    length json(%buyer), json(%buyer)), $type{json},
                    'Transfer-Encoding' => 'chunked'),
        exchange_of("/order/at-once?$query", form(%buyer), $type{form}),
        exchange_of("/order/refused?$query", form(%buyer), $type{form}),
        exchange_of($ajax, multipart(%bitrix), $type{multipart}),
        exchange_of($ajax, form(%bitrix), $type{form}),
        (grep { $_->{name} =~ /-a-order1.*checkout/ } $recording->exchanges),
    );
}

# The shop's next answer, on a lane.
sub script {
    my ($id, $lane) = @_;

    my $url = '/personal/order/make/?ORDER_ID=';
    my @once = (times => 1, status => 200, lane => $lane);

    B24::Test::upstream()->script(target => '^/bitrix', @once,
        headers => [['Content-Type' => 'application/json'],
                    ['Set-Cookie' => 'BITRIX_SM_LOGIN=' . $buyer{email}]],
        body => qq({"order":{"REDIRECT_URL":"$url$id","ID":"$id"}}));
    B24::Test::upstream()->script(target => '^/order(?!/left)', @once,
        headers => [['Content-Type' => 'application/json']],
        body => qq({"id":"$id","name":"$buyer{name}"}));
}

# ---- what was found ------------------------------------------------------

sub known {
    B24::Secrets::note($_ => $buyer{$_}) for keys %buyer;
    B24::Secrets::note(cookie => SESSION);
    B24::Secrets::note(webhook => CODE);
    B24::Secrets::take_sent();
}

sub no_leak {
    my ($path, $label) = @_;

    known();

    my @found = B24::Secrets::look_through($path);

    Test::More::is(join("\n", @found), '', $label);
}

# A page of ours: neither secrets nor buyers.
sub discreet_page {
    my ($target, $label) = @_;

    known();

    my $answer = B24::Scenario::get($target);

    Test::More::is(join(' ', $answer->{status},
                        B24::Secrets::in_text($answer->{raw})), '200', $label);

    return $answer->{body};
}

# All that is shown of orders and portals.
sub discreet_desk {
    my ($label) = @_;

    discreet_page('/b24?format=json&limit=1000', "$label: JSON");
    B24::Prometheus->parse(scalar discreet_page('/b24?format=prometheus',
                                                "$label: Prometheus"));
    discreet_page('/b24', "$label: the page");

    for my $record (@{B24::Desk::status()->{orders}}) {
        discreet_page("/b24/orders/$record->{key}?format=json",
                      "$label: $record->{state}, JSON");
        discreet_page("/b24/orders/$record->{key}",
                      "$label: $record->{state}, page");
    }
}

sub error_log {
    return "$ENV{TEST_NGINX_SERVROOT}/logs/error.log";
}

# ---- files ---------------------------------------------------------------

sub mode {
    my ($path) = @_;

    my @stat = lstat $path;

    return @stat ? sprintf '%04o', $stat[2] & 07777 : 'none';
}

# Files and sockets of a queue's folder that anybody else may read or write.
sub open_files {
    my ($folder) = @_;

    my @files = grep { -f || -S || -l } glob "$folder/* $folder/.[a-z]*";

    # one look at each: a mode that changes between two would be told of one
    # that was never open
    return map { my $mode = (lstat)[2] // 0;
                 (my $name = $_) =~ s{.*/}{};
                 $mode & 0177 ? sprintf '%s %04o', $name, $mode & 07777 : () }
           @files;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: checkouts at debug, and the same without the module
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    my $pair = B24::SideBySide->new;
    my @exchanges = main::exchanges();
    my $n = 0;

    for my $exchange (@exchanges) {
        $n++;

        for my $side (0, 1) {
            my $client = client($pair->port($side));

            # the next one on the same connection
            for my $again (0, 1) {
                main::script("$n-$again", $side);
                $client->send($exchange->{request});
                my $answer = $client->response;
                like($answer->{status}, qr/^[245]/,
                     "$exchange->{name}, $side, $again");
            }
        }
    }

    # a buyer who leaves before the answer
    upstream()->script(target => '^/order/left', hold => 1, status => 200,
                       body => '{"id":"left"}');

    for my $side (0, 1) {
        my $client = client($pair->port($side));
        $client->send(main::exchange_of('/order/left?'
            . main::form(email => $main::buyer{email}),
            main::form(%main::buyer), $main::type{form})->{request});
        ok(upstream()->wait_for(target => '^/order/left', lane => $side,
                                state => 'held'), 'the shop has it');
        $client->abort;
    }

    my $cut = 'client prematurely closed connection';
    ok(wait_until(sub { error_log_lines(qr/$cut/) }), 'left');
    upstream()->release;

    my @records = B24::Desk::records(count => 10);
    cmp_ok(scalar(grep { $_->{state} eq 'delivered' } @records), '>=', 10,
           'orders were delivered') or diag(B24::Desk::shown(@records));
    like(B24::Desk::deal_text('1-0'), qr/Ярослава Хлебникова \+7921/,
         'with the buyer');

    $pair->stop;
    main::known();

    my ($with, $without) = map { B24::Secrets::occurrences($_) }
        map { "$_/logs/error.log" } $ENV{TEST_NGINX_SERVROOT},
                                    "$ENV{TEST_NGINX_DIR}/twin";

    # how often nginx is woken for a request is a matter of time
    my $by_chance = qr/\[debug\] \S+ \*# http (?:run|upstream) request: /;

    my @more = grep { ($without->{$_} // 0) < $with->{$_}
                      && !($without->{$_} && /$by_chance/) }
                    sort keys %$with;

    is(join("\n", map { "$with->{$_} times, " . ($without->{$_} // 0)
                        . " without: $_" } @more), '',
       'nothing that is not there without the module');
    cmp_ok(scalar keys %$without, '>=', 50, 'nginx itself tells a lot');
    main::no_leak(main::error_log(), 'no line of ours');

    my @ours = error_log_lines(qr/"\/b24\?"|b24: /);
    cmp_ok(scalar @ours, '>=', 30, 'and there are such');
    main::discreet_desk('delivered');



=== TEST 2: what the portal says of a buyer
--- http_config eval: B24::Orders::http()
--- config eval: B24::Orders::server()
--- scenario
    my $buyer = \%main::buyer;
    my $text = "Contact $buyer->{name} ($buyer->{phone}, $buyer->{email},"
               . " $buyer->{comment}) is"
               . ' wrong, see http://127.0.0.1/rest/1/' . main::CODE . '/x';
    my @order = map { $_ => $buyer->{$_} } qw(name phone email comment);
    my $n = 0;

    for my $fault (
        { kind => 'command', error => 'ERROR_CORE', method => 'deal\.add' },
        { kind => 'command', error => 'X_UNKNOWN', method => 'contact\.add' },
        { kind => 'command', error => $buyer->{email},
          method => 'deal\.add' },
        { kind => 'error', status => 400, error => 'X_UNKNOWN',
          method => 'crm\.deal\.add' },
        { kind => 'error', status => 403, error => 'insufficient_scope',
          method => 'crm\.deal\.add' },
        { kind => 'error', status => 503, error => 'QUERY_LIMIT_EXCEEDED',
          method => 'crm\.deal\.add' },
        { kind => 'error', status => 500, error => $buyer->{phone},
          method => 'crm\.deal\.add' },
        { kind => 'redirect', method => 'crm\.deal\.add',
          location => 'https://moved.test/rest/1/' . main::CODE . '/batch' },
        { kind => 'html_before', kind => 'html', status => 502,
          method => 'crm\.deal\.add' })
    {
        portal()->fault(%$fault,
                        description => Encode::decode('UTF-8', $text));
        place([++$n, @order]);
        like(settled($n)->{state}, qr/delivered|parked/,
             join ' ', $fault->{kind}, $fault->{error} // '');
    }

    like(record(1)->{cause}, qr/ERROR_CORE: Contact \(buyer\) .* wrong/,
         'masked, but told');
    main::no_leak(main::error_log(), 'none of it in the log');
    main::discreet_desk('after refusals');



=== TEST 3: requests that don't get there
--- http_config eval
B24::Orders::http(webhook => 'https://127.0.0.1:$TEST_NGINX_PORTAL_TLS_PORT'
                             . '/rest/1/' . main::CODE . '/')
--- config eval: B24::Orders::server()
--- scenario
    my @order = map { $_ => $main::buyer{$_} } qw(name phone email comment);

    place([1, @order]);
    ok(wait_until(sub { portal_state()->{reason} }), 'no trust');
    like(portal_state()->{reason}, qr/certificate/, 'it says so');
    ok(wait_until(sub { error_log() =~ /takes no orders: the portal's cert/ }),
       'so does the log');
    main::no_leak(main::error_log(), 'no more than that');
    main::discreet_page('/b24?format=json', 'nor the page');
    main::discreet_page('/b24?format=prometheus', 'nor the metrics');



=== TEST 4: a portal that is not there
--- http_config eval
B24::Orders::http(webhook => 'http://127.0.0.1:$TEST_NGINX_PORT_2/rest/1/'
                             . main::CODE . '/')
--- config eval: B24::Orders::server()
--- scenario
    place([1, map { $_ => $main::buyer{$_} } qw(name phone email comment)]);
    ok(wait_until(sub { error_log() =~ /does not accept connections/ }),
       'the log says so');
    main::no_leak(main::error_log(), 'no more than that');
    main::discreet_page('/b24?format=json', 'nor the page');



=== TEST 5: a wrong address of a webhook is not repeated
--- config
--- scenario
    my $nginx = B24::Conf->new('wrong');
    my $code = main::CODE;

    for my $lines (
        "b24_webhook http://portal.test/rest/1/$code/;",
        "b24_webhook https://portal.test/rest/1/$code/?x;",
        "b24_webhook https://portal.test/rest/1/$code/ wet;",
        "b24_webhook https://portal.test/rest/1/$code;1/;",
        "b24_webhook https://user:$code\@portal.test/rest/1/x1/;",
        "b24_webhook https://portal.test:99999/rest/1/$code/;",
        "b24_webhook https://portal.test/rest/1/../$code/;",
        "b24_webhook https://portal.test/rest/$code/;",
        "b24_webhook https://portal.test/rest/1/$code/ dry dry;",
        "b24_webhook \"https://portal.test/rest/1/$code\n/\";",
        "b24_webhook https://portal.test/rest/1/$code/;\n"
        . "b24_webhook https://portal.test/rest/1/$code/;")
    {
        $nginx->conf("b24_queue @{[$nginx->dir('queue')]};\n$lines\n"
                     . 'server { server_name shop.test; return 204; }');
        my ($status, $output) = $nginx->run('-t');
        B24::Secrets::note(webhook => $code);
        is(join(' ', B24::Secrets::in_text($output)), '',
           $lines =~ s/\Q$code\E/CODE/gr) or diag($output);
        isnt($status, 0, 'refused') if $lines !~ /1\/CODE\/;$/;
    }

    main::no_leak($nginx->dir('logs/error.log'), 'nor in the log');



=== TEST 6: variables for the access log
--- http_config eval
$::rules . <<'EOC'
    log_format ours escape=json '$status "$b24_event" "$b24_state"'
                                ' "$b24_order"';
EOC
--- config eval
"access_log logs/ours.log ours;\n" . $::server
--- scenario
    my $n = 0;

    for my $exchange (main::exchanges()) {
        main::script("61-$n", 0);
        exchange($exchange->{request}
                 =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/r);
        $n++;
    }

    my @lines;
    my $path = "$ENV{TEST_NGINX_SERVROOT}/logs/ours.log";
    ok(wait_until(sub {
        @lines = grep { !/^204/ } split /\n/, B24::Recording::read_file($path);
        return @lines >= $n;
    }), 'a line each');
    is(scalar(grep { !/^\d{3} "(?:order|status|)" "[a-z]*" "[0-9a-z-]*"$/ }
                   @lines), 0, 'of words and the number') or diag(@lines);
    cmp_ok(scalar(grep { /"order" "accepted" "61-\d+"/ } @lines), '>=', 5,
           'of orders');
    main::no_leak($path, 'nothing else');
    B24::Desk::records();



=== TEST 7: nobody else can read the files, whatever the umask
--- config
--- scenario
    my $umask = umask 0;
    my $nginx = B24::Conf->new('files');
    my $queue = $nginx->dir('queue');
    my $seen = $nginx->dir('seen');

    # every file as soon as it is there, and every change of a mode
    my $watch = sub {
        my %open;
        my $end = time + 60;

        until (-e $nginx->dir('enough') || time > $end) {
            $open{$_} = 1 for grep { !/ none$/ } main::open_files($queue);
            $open{'folder ' . main::mode($queue)} = 1
                if main::mode($queue) !~ /^(?:0700|none)$/;
        }

        open my $out, '>', $seen or POSIX::_exit(1);
        print $out join "\n", sort keys %open;
        close $out;
        POSIX::_exit(0);
    };

    my $watcher = fork // die "fork: $!\n";
    $watch->() if !$watcher;

    $nginx->conf("b24_queue $queue;\n" . <<"EOC");
    b24_shop s { order o { uri /o; id request:/id; name request:/name;
                           phone request:/phone; email request:/email; } }
    server {
        listen 127.0.0.1:$ENV{TEST_NGINX_PORT_3};
        server_name shop.test;
        b24_webhook http://127.0.0.1:1/rest/1/code123/;
        b24_mirror s;
        location /o { proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_PORT_3}/a; }
        location /a { return 200 ok; }
        location /b24 { b24_status; }
    }
EOC
    my $order = sub {
        my $client = client($ENV{TEST_NGINX_PORT_3});
        $client->send(request_bytes('POST', '/o', main::form(id => $_[0],
            %main::buyer), 'Content-Type' => $main::type{form}));
        return $client->response->{status};
    };
    my $stored = sub {
        my ($count) = @_;
        return wait_until(sub {
            my $client = client($ENV{TEST_NGINX_PORT_3});
            $client->send(request_bytes('GET', '/b24?format=json', undef));
            my $desk = JSON::PP::decode_json($client->response->{body});
            return @{$desk->{orders}} >= $count
                   && !$desk->{counters}{held};
        });
    };

    ok($nginx->start, 'started') or diag($nginx->alarms);
    is($order->(1), 200, 'an order');
    ok($stored->(1), 'is written');

    my %mode = map { $_ => main::mode("$queue/$_") }
                   qw(queue.db queue.db-wal queue.db-shm courier.lock);
    is_deeply(\%mode, { map { $_ => '0600' } keys %mode }, 'files')
        or diag(explain(\%mode));
    is(main::mode($queue), '0700', 'the folder');
    is(join(' ', main::open_files($queue)), '', 'nothing else');

    # a broken queue is set aside
    ok($nginx->stop, 'gone');
    open my $out, '+<', "$queue/queue.db" or die;
    print $out 'x' x 8192;
    close $out;
    chmod 0644, "$queue/queue.db";
    ok($nginx->start, 'with a broken one') or diag($nginx->alarms);
    is($order->(2), 200, 'an order');
    ok($stored->(1), 'is written');
    my @aside = glob "$queue/queue.db.bad-*";
    cmp_ok(scalar @aside, '>=', 1, 'set aside');
    is(join(' ', main::open_files($queue)), '', 'all of them are closed');
    ok($nginx->stop, 'gone');

    $nginx->put('enough', '');
    waitpid $watcher, 0;
    umask $umask;
    # but for the mode that the test itself gave
    is(join(' ', grep { !/^queue\.db(?:\.bad-\S+)? 0644$/ }
                 split /\n/, B24::Recording::read_file($seen)), '',
       'at no moment was one open');



=== TEST 8: what was delivered is erased in time, the link stays
--- http_config eval: B24::Orders::http() =~ s/(b24_queue [^;]+);/$1 keep=1m;/r
--- config eval: B24::Orders::server()
--- scenario
    my @order = (map({ $_ => $main::buyer{$_} } qw(name phone email comment)),
                 company => 'Хлебникова и дочери', inn => '7707083893');
    my $queue = queue_dir();

    place([1, @order], 2 .. 40);
    is(settled(1)->{state}, 'delivered', 'delivered');
    ok(wait_until(sub { B24::Desk::count('delivered') >= 40 }), 'all of them');
    my $deal = record(1)->{deal_id};

    main::known();
    my $bytes = sub {
        return join '', map { B24::Recording::read_file($_) }
                        grep { -f } glob "$queue/*";
    };
    my @written = B24::Secrets::in_text($bytes->());
    cmp_ok(scalar @written, '>=', 4, 'the disk holds the buyer')
        or diag(@written);

    ok(B24::Test::wait_until(sub { !@{B24::Desk::status()->{orders}} }, 150),
       'after "keep" they are gone');
    ok(B24::Test::wait_until(sub {
        !grep { /^(?:name|phone|email|comment)/ }
              B24::Secrets::in_text($bytes->());
    }, 60), 'and nothing of the buyer is in any file')
        or diag(B24::Secrets::in_text($bytes->()));

    # the same order again, on the day and with the content of the first
    my $before = B24::Desk::count('duplicate');
    place([1, @order]);
    ok(wait_until(sub { B24::Desk::count('duplicate') > $before
                        || @{B24::Desk::status()->{orders}} }), 'it came');
    B24::Desk::count_is('duplicate', $before + 1, 'a duplicate');
    is(join(' ', map { $_->{id} } @{deals()->{'o-1'}}), $deal, 'one deal');
