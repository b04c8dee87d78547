# What no shop's page sends and no shop answers, or should: the exchange is to
# the byte what it is without the module, memory stays bounded, no worker ends,
# and what became of the order is told.
#
# t/fuzz/corpus holds the same inputs for the parsers alone.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::SideBySide;
use Compress::Raw::Zlib ();
use List::Util ();
use Time::HiRes qw(time);

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

# KiB that a worker may have more after all of a block's input than before it,
# and at its peak: one exchange at a time is read, with 24 MiB for its trees.
# The sanitizers keep freed memory.
use constant {
    MAY_KEEP => 8 * 1024,
    MAY_TAKE => 40 * 1024,
};

our $rules = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  bad;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    50 burst=4000;
    b24_retry   first=100ms max=1s unknown=300ms;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

    b24_shop shop {
        order save {
            uri       /order*;
            accept    status ~^2;
            accept    response:/error !;
            id        response:/id;
            name      request:/name;
            phone     request:/phone;
            total     request:/total;
            comment   request:/deep/1/2/3;
            items     request:/items {
                name /name;  price /price;  quantity /qty;
            }
        }

        # all of it from a page
        order page {
            uri       /page*;
            accept    response: "~thank you";
            id        response: "~№ ?(\d+)";
            name      request:/name  inline:shop.cart/buyer;
            phone     request:/phone;
            items     response: "~~<tr><td>(?<name>[^<]*)<td>(?<price>[^<]*)" {
                name /name;  price /price;
            }
        }
    }
EOC

our $server = <<'EOC';
    location = /b24 {
        b24_status;
    }

    location = /b24-sentinel {
        return 200 "sentinel\n";
    }

    location / {
        b24_mirror shop;
        client_max_body_size 100m;
        proxy_pass http://recorded;
        proxy_set_header Host $host;
    }
EOC

our $pair;

our @JSON = ('Content-Type' => 'application/json');
our @FORM = ('Content-Type' => 'application/x-www-form-urlencoded');
our $fine = '{"name":"Анна","phone":"+79161234567","total":"10.00"}';


# ---- one exchange --------------------------------------------------------

sub json { return request('/order', shift, @JSON) }
sub form { return request('/order', shift, @FORM) }

sub parts {
    my ($body, $boundary) = @_;

    return request('/order', $body, 'Content-Type' =>
                   'multipart/form-data; boundary=' . ($boundary // 'X'));
}

sub request {
    my ($target, $body, @headers) = @_;

    return B24::Client::request_bytes('POST', $target, $body,
                                      Connection => undef, @headers);
}

# delivered, unconfirmed, rejected: how many so far
sub outcomes {
    my $desk = B24::Desk::status();
    my %count = map { $_ => B24::Desk::count($_, $desk) }
                    qw(delivered unconfirmed rejected duplicate parked);

    $count{under_way} = grep { $_ }
        $desk->{counters}{held},
        map { B24::Desk::count($_, $desk) }
            qw(captured accepted sending waiting);

    return \%count;
}

sub became {
    my ($before) = @_;

    my $what = 'nothing';

    B24::Scenario::wait_until(sub {
        my $now = outcomes();

        ($what) = grep { $now->{$_} > $before->{$_} } sort keys %$before;

        return defined $what && !$now->{under_way};
    });

    return $what;
}

my $number = 0;

# Sends the bytes to both servers, compares, looks what became of the order.
# Options: script of the upstream; alone: nothing is sent behind the bytes, and
# half: our side closes; asked: requests the shop gets, 1.
sub bad {
    my ($label, $bytes, $outcome, %option) = @_;

    my $upstream = B24::Test::upstream();
    my $id = ++$number;
    my $before = outcomes();

    $upstream->reset;
    $upstream->script(target => '^/(?:order|page)', times => 2,
        status => 200, headers => [['Content-Type', 'application/json']],
        body => qq({"id":$id}), %{$option{script} // {}});

    my @differences = $option{half} || $option{alone}
        ? compare_alone($bytes, $option{half})
        : $pair->compare_pipelined({ name => $label, request => $bytes });

    Test::More::is(join("\n", @differences), '', "$label: no difference");

    my $asked = $option{asked} // 1;

    Test::More::is(scalar(my @got = $upstream->journal(lane => 0)), $asked,
                   "$label: $asked requests to the shop") if $asked != 1;
    Test::More::like(became($before), qr{^(?:$outcome)$},
                     "$label: $outcome") if $outcome ne "nothing";

    return $id;
}

# Both servers get the same and no more.
sub compare_alone {
    my ($bytes, $half) = @_;

    $pair->{from} = B24::Test::upstream()->rewind;

    my @got = map {
        my $client = B24::Client->new(port => $pair->port($_));

        $client->send($bytes);
        $client->half_close if $half;
        B24::SideBySide::masked($client->until_eof);
    } 0, 1;

    return (B24::SideBySide::difference('what the buyer got', @got) // (),
            $pair->upstream_differences);
}

sub cause {
    my @records = sort { $a->{key} cmp $b->{key} }
                       grep { $_->{state} eq 'unconfirmed' }
                            @{B24::Desk::status('&state=unconfirmed')
                              ->{orders}};

    return @records ? $records[-1]{cause} : '';
}


# ---- memory --------------------------------------------------------------

# VmRSS or VmHWM (the peak) of the worker, KiB.
sub memory {
    my ($name, $pid) = @_;

    open my $in, '<', "/proc/$pid/status" or die "no worker $pid: $!\n";
    my ($value) = join('', <$in>) =~ /^$name:\s+(\d+) kB/m;

    return $value;
}

# Runs the code between two looks at the only worker; with a number of rounds
# the memory kept counts from the first round on.
sub bounded {
    my ($code, $rounds) = @_;

    $pair = B24::SideBySide->new;

    # everything that is made with the first order
    bad('an order', json($fine), 'delivered');
    bad('a page', request('/page', $fine, @JSON), 'delivered',
        script => { headers => [['Content-Type', 'text/html']],
                    body => 'thank you, № 999 <tr><td>a<td>1' });

    my ($worker) = B24::Scenario::worker_pids();
    my $start = memory('VmRSS', $worker);
    my $before = $start;

    if (open my $out, '>', "/proc/$worker/clear_refs") {
        print $out "5\n";
        close $out;
    }

    # what malloc() happens to hold differs by some MiB from round to round, as
    # two threads take turns: what is lost is in each of the last three
    my @last;

    for my $round (1 .. $rounds // 1) {
        $code->($round);
        push @last, memory('VmRSS', $worker);
        $before = $last[0] if $round == 1 && $rounds;
    }

    $pair->stop;
    undef $pair;

    Test::More::is(join(' ', B24::Scenario::worker_pids()), $worker,
                   'the worker is the same');
    Test::More::is(B24::Desk::status()->{counters}{captured_bytes}, 0,
                   'no capture is held');

    my ($after, $peak) = map { memory($_, $worker) } qw(VmRSS VmHWM);

    $after = List::Util::min($after, @last[-3 .. -1]) if @last > 3;

    Test::More::note("the worker took $start KiB at first, $after KiB at the"
                     . " end, $peak KiB at most");

    return if $ENV{B24_ASAN};

    Test::More::cmp_ok($after - $before, '<', MAY_KEEP, 'memory kept');
    Test::More::cmp_ok($peak - $start, '<', MAY_TAKE, 'memory at most');
}


# ---- input ---------------------------------------------------------------

# $size bytes of $byte, compressed $depth times.
sub bomb {
    my ($byte, $size) = @_;

    my ($deflate) = Compress::Raw::Zlib::Deflate->new(
        -WindowBits => Compress::Raw::Zlib::WANT_GZIP(), -AppendOutput => 1);
    my $block = $byte x (1024 * 1024);
    my $out = '';

    for (my $left = $size; $left > 0; $left -= length $block) {
        $deflate->deflate($block, $out);
    }

    $deflate->flush($out);

    return $out;
}

sub gzip {
    my ($text) = @_;

    my ($deflate) = Compress::Raw::Zlib::Deflate->new(
        -WindowBits => Compress::Raw::Zlib::WANT_GZIP(), -AppendOutput => 1);
    my $out = '';

    $deflate->deflate($text, $out);
    $deflate->flush($out);

    return $out;
}

sub gzip_script {
    my ($bytes, %more) = @_;

    return { headers => [['Content-Type', 'application/json'],
                         ['Content-Encoding', 'gzip']],
             body => $bytes, %more };
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: broken bodies
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $deep = '[' x 100_000 . ']' x 100_000;

        # the shop reads more than we do, or says no
        for my $case (
            ['cut', '{"name":"Анна","phone":"+7916'],
            ['half a character', "{\"name\":\"\xd0"],
            ['a colon too many', '{"name"::1}'],
            ['junk behind', '{"name":"a"}}}}'],
            ['no JSON', 'name=Анна&phone=+79161234567'],
            ['only blanks', ' ' x 100_000],
            ['100000 deep', $deep],
            ['100000 deep, never closed', '[' x 200_000],
            ['100000 objects deep', '{"a":' x 50_000],
            ['100000 deep in a member', '{"name":"a","x":' . $deep . '}'],
            ['a NUL byte', "{\"name\":\"An\0na\"}"],
            ['NUL bytes only', "\0" x 1000],
            ['a number of 100000 digits', '{"total":' . '9' x 100_000 . '}'],
            ['an exponent', '{"total":1e999999999}'],
        ) {
            my ($label, $body) = @$case;
            my $read = $label =~ /^a number|^an exponent/;

            main::bad("JSON, $label", main::json($body),
                      $read ? 'delivered' : 'unconfirmed');
            main::bad("JSON, $label, refused", main::json($body), 'rejected',
                      script => { status => 400, body => '{"error":"no"}' });
        }

        like(main::cause(), qr/JSON/, 'a cause: ' . main::cause());
    });



=== TEST 2: fields and parts without end
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $head = 'Content-Disposition: form-data; name=';

        for my $case (
            ['100000 fields', 'a&' x 100_000, 'unconfirmed'],
            ['100000 empty fields', '&' x 200_000],
            ['100000 brackets', 'a' . '[]' x 100_000 . '=1'],
            ['20000 elements', 'a[]=1&' x 20_000, 'unconfirmed'],
            ['12000 rows', join '&', map { "items[$_]=" } 1 .. 12_000],
            ['100000 percents', '%' x 200_000],
            ['never closed brackets', 'a[' x 100_000],
        ) {
            my ($label, $body, $outcome) = @$case;

            # where not all was read, a person has to look
            main::bad("form, $label", main::form($body),
                      $outcome // 'delivered');
        }

        for my $case (
            ['a boundary without end', '--X' . '-' x 200_000],
            ['a delimiter without end', "--X\r\n" x 40_000],
            ['a header without end',
             "--X\r\n${head}\"" . 'a' x 200_000],
            ['header lines without end', "--X\r\n" . "A: b\r\n" x 40_000],
            ['10000 parts', "--X\r\n${head}\"a\"\r\n\r\n\r\n" x 5_000],
            ['no delimiter', 'x' x 200_000],
            ['nearly delimiters', "\r\n--Y" x 40_000],
            ['a part never ended', "--X\r\n${head}\"a\"\r\n\r\n"
                                   . 'x' x 200_000],
        ) {
            my ($label, $body) = @$case;

            # "--X--" ends it, whatever follows
            main::bad("parts, $label", main::parts($body),
                      $label =~ /boundary/ ? 'delivered' : 'unconfirmed');
        }

        main::bad('parts, a long boundary', main::parts(
                  '--' . 'X' x 4000 . "\r\n", 'X' x 4000), 'unconfirmed');
        main::bad("parts, boundary \"$_\"",
                  main::parts("--X\r\n${head}\"name\"\r\n\r\na\r\n--X--\r\n",
                              $_), 'unconfirmed')
            for '', '""', '"', ' ', '\\', "\xff";
        main::bad('parts, no boundary', main::request('/order',
                  "--X\r\n", 'Content-Type' => 'multipart/form-data'),
                  'unconfirmed');
    });



=== TEST 3: bytes that are no text, other charsets
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $deal = sub {
            my ($id) = @_;
            my $text = B24::Desk::deal_text($id);
            $text =~ s/ \+?\d{6,}//;
            return $text =~ s/^[^;]*; //r;
        };
        my $cp1251 = "\xc0\xed\xed\xe0";      # Анна
        my $head = 'Content-Disposition: form-data; name=';
        my $n = 10_000_000;
        my $phone = sub { return '+7916' . ++$n =~ s/^1//r };
        my $id;

        for my $case (
            ['NUL', 'form', 'name=A%00nna', 'Anna'],
            ['NUL as it is', 'form', "name=A\0nna", 'Anna'],
            ['NUL in a name', 'form', "name=Anna&na\0me=x&\0=y", 'Anna'],
            ['NUL', 'json', '{"name":"A\u0000nna"', 'A.*nna'],
            ['half a pair', 'json', '{"name":"Anna \ud83d"', 'Anna.*'],
            ['invalid UTF-8', 'form', "name=Anna%FF%C0%80", 'Anna.*'],
            ['overlong', 'form', "name=Anna%F8%88%80%80%80", 'Anna.*'],
            ['a surrogate', 'form', "name=Anna%ED%A0%80", 'Anna.*'],
            ['windows-1251', 'form', "name=$cp1251", 'Анна'],
            ['windows-1251, escaped', 'form', 'name=%C0%ED%ED%E0', 'Анна'],
            ['windows-1251', 'json', qq({"name":"$cp1251"), 'Анна'],
            ['windows-1251, declared', 'form', "name=$cp1251", 'Анна',
             'application/x-www-form-urlencoded; charset=windows-1251'],
            ['koi8-r, declared', 'form', "name=\xe1\xce\xce\xc1", 'Анна',
             'application/x-www-form-urlencoded; charset=koi8-r'],
            ['a charset nobody knows', 'form', 'name=Anna', 'Anna',
             'application/x-www-form-urlencoded; charset=x-none'],
            ['controls', 'form', 'name=A%01n%1Bna%7F', 'Anna.*'],
        ) {
            my ($label, $how, $body, $want, $type) = @$case;

            $body .= $how eq 'json' ? ',"phone":"' . $phone->() . '"}'
                                    : '&phone=%2B' . substr $phone->(), 1;

            $id = main::bad("$how, $label", main::request('/order', $body,
                'Content-Type' => $type // ($how eq 'json'
                    ? 'application/json'
                    : 'application/x-www-form-urlencoded')), 'delivered');
            like($deal->($id), qr/^$want$/s, "$how, $label: the buyer");
        }

        $id = main::bad('parts, NUL and windows-1251', main::parts(
            "--X\r\n${head}\"na\0me\"\r\n\r\nx\r\n"
            . "--X\r\n${head}\"name\"\r\n\r\n$cp1251\0\r\n"
            . "--X\r\n${head}\"phone\"\r\n\r\n" . $phone->() . "\r\n--X--\r\n"),
            'delivered');
        is($deal->($id), 'Анна', 'parts: the buyer');

        $id = main::bad("any bytes, $_", main::form(
            join '', map { chr } 0 .. 255), 'delivered') for 1;
        main::bad('any bytes as JSON', main::json(join '', map { chr }
                  0 .. 255), 'unconfirmed');
        main::bad('any bytes as parts', main::parts(join '', map { chr }
                  0 .. 255), 'unconfirmed');
    });



=== TEST 4: a body of 64 MiB
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $size = 64 * 1024 * 1024;

        main::bad('with a length', main::json('{"name":"'
                  . 'x' x ($size - 11) . '"}'), 'unconfirmed');
        like(main::cause(), qr/large/, 'a cause: ' . main::cause());

        my $body = sprintf "%x\r\n%s\r\n0\r\n\r\n", $size, 'a' x $size;
        main::bad('chunked', main::request('/order', $body, @main::JSON,
                  'Transfer-Encoding' => 'chunked'), 'unconfirmed');
        like(main::cause(), qr/large/, 'a cause: ' . main::cause());

        # just above what is read
        $body = '{"name":"' . 'x' x (256 * 1024) . '"}';
        main::bad('256 KiB and a bit', main::json($body), 'unconfirmed');
        main::bad('the same, chunked', main::request('/order',
                  sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body),
                  @main::JSON, 'Transfer-Encoding' => 'chunked'),
                  'unconfirmed');
        main::bad('just as much as is read', main::json('{"name":"'
                  . 'x' x (256 * 1024 - 11) . '"}'), 'delivered');
    });
    is(B24::Desk::counter('oversize'), 4, 'counted');



=== TEST 5: a body that isn't read goes on as it comes
--- http_config eval: $::rules
--- config eval
$::server . '
    location /order/stream {
        b24_mirror shop;
        proxy_request_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_2;
    }'
--- scenario
    my $shop = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
        LocalPort => $ENV{TEST_NGINX_PORT_2}, ReuseAddr => 1,
        Timeout => 20) or die;
    my $body = '{"name":"' . 'x' x (1024 * 1024) . '"}';
    my $got = '';
    my $client = client();

    # half of it is not yet sent when the shop has the other half
    $client->send("POST /order/stream HTTP/1.1\r\nHost: x\r\nContent-Type: "
                  . 'application/json' . "\r\nContent-Length: "
                  . length($body) . "\r\n\r\n"
                  . substr $body, 0, 1000);

    my $connection = $shop->accept or die;
    $connection->blocking(0);
    ok(wait_until(sub {
        sysread $connection, $got, 65536, length $got;
        return $got =~ /\r\n\r\n(.+)/s && length $1 == 1000;
    }), 'the shop has the beginning');

    $client->send(substr $body, 1000);
    ok(wait_until(sub {
        sysread $connection, $got, 65536, length $got;
        return $got =~ /"\}$/;
    }), 'and the end');
    is(($got =~ /\r\n\r\n(.*)/s)[0], $body, 'all of it');

    syswrite $connection, "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n"
                          . '{"id":501}';
    is($client->response->{body}, '{"id":501}', 'the answer');
    is(B24::Desk::shown(B24::Desk::records()), '501 unconfirmed',
       'a person has to look');



=== TEST 6: an answer of 50 MiB
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $size = 50 * 1024 * 1024;

        main::bad('with a length', main::json($main::fine), 'unconfirmed',
                  script => { generate => $size });
        like(main::cause(), qr/large/, 'a cause: ' . main::cause());
        main::bad('chunked', main::json($main::fine), 'unconfirmed',
                  script => { generate => $size, chunked => 1 });
        main::bad('until the end', main::request('/page', $main::fine),
                  'unconfirmed', script => { generate => $size,
                                             unframed => 1 });
        main::bad('refused', main::json($main::fine), 'rejected',
                  script => { generate => $size, status => 500 });
    });
    is(B24::Desk::counter('oversize'), 4, 'counted');



=== TEST 7: lengths that lie
--- http_config eval: $::rules
--- config eval: $::server
--- expected_alert
prematurely closed
--- scenario
    main::bounded(sub {
        my @long = (Connection => 'close', 'Content-Length' => 100_000);

        # what was announced never comes: the shop is not asked
        main::bad('a body cut short', main::request('/order', $main::fine,
                  @long), 'nothing', half => 1, asked => 0);
        main::bad('no body at all', main::request('/order', '', @long),
                  'nothing', half => 1, asked => 0);
        main::bad('a chunk cut short', main::request('/order',
                  "ffff\r\n$main::fine", Connection => 'close',
                  'Transfer-Encoding' => 'chunked'), 'nothing', half => 1,
                  asked => 0);
        main::bad('a length that is none', main::request('/order',
                  $main::fine, Connection => 'close',
                  'Content-Length' => 'many'), 'nothing', half => 1,
                  asked => 0);
        main::bad('a chunk that is none', main::request('/order',
                  "zz\r\n$main::fine", Connection => 'close',
                  'Transfer-Encoding' => 'chunked'), 'nothing', half => 1,
                  asked => 0);

        # more than announced: the rest is taken for another request
        main::bad('a body longer than said', main::request('/order',
                  $main::fine, 'Content-Length' => 20, @main::JSON),
                  'unconfirmed', alone => 1);

        # of the answer
        my @id = (body => '{"id":600,"a":"' . 'x' x 100 . '"}');
        main::bad('an answer cut short', main::json($main::fine),
                  'unconfirmed', alone => 1,
                  script => { @id, content_length => 100_000, cut => 100_000 });
        main::bad('an answer longer than said', main::json($main::fine),
                  'unconfirmed', script => { @id, content_length => 30 });
        main::bad('a chunked answer cut short', main::json($main::fine),
                  'unconfirmed', alone => 1,
                  script => { @id, chunked => 1, cut => 150 });
        main::bad('an answer of less than a header', main::json($main::fine),
                  'unconfirmed', script => { raw => "HTTP/1.1 20", cut => 11 });
        main::bad('an answer that is none', main::json($main::fine),
                  'unconfirmed', script => { raw => "\0\xff" x 100,
                                             cut => 200 });
    });
    B24::Desk::count_is('unconfirmed', 6, 'what never came whole is none');



=== TEST 8: gzip
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $whole = main::gzip('{"id":7001,"note":"' . 'x' x 1000 . '"}');
        my $broken = $whole;
        substr $broken, -6, 1, chr(1 ^ ord substr $broken, -6, 1);

        for my $case (
            ['a bomb of 200 MiB', main::bomb("\0", 200 << 20)],
            ['a bomb of JSON', main::bomb('[', 64 << 20)],
            ['a bomb in a bomb', main::gzip(main::bomb(' ', 200 << 20)),
             'unconfirmed', 'rejected'],
            ['cut', substr($whole, 0, -20)],
            ['a wrong sum', $broken],
            ['no gzip', '{"id":7002}'],
            ['only a header', substr($whole, 0, 10)],
            ['nothing', '', 'unconfirmed', 'rejected'],
            ['whole', $whole, 'delivered', 'rejected'],
        ) {
            my ($label, $bytes, $outcome, $page) = @$case;

            # a page without its thanks is a refusal
            main::bad($label, main::json($main::fine),
                      $outcome // 'unconfirmed',
                      script => main::gzip_script($bytes));
            main::bad("$label, chunked", main::request('/page', $main::fine,
                      @main::JSON), $page // 'unconfirmed',
                      script => main::gzip_script($bytes, chunked => 1));
        }
    });



=== TEST 9: answers that are broken
--- http_config eval: $::rules
--- config eval: $::server
--- scenario
    main::bounded(sub {
        my $deep = '[' x 100_000 . ']' x 100_000;

        for my $case (
            ['cut', '{"id":8001,"a":"', 'unconfirmed'],
            ['100000 deep', $deep, 'unconfirmed'],
            ['100000 deep behind the id', '{"id":8002,"a":' . $deep . '}',
             'unconfirmed'],
            ['NUL bytes', "\0" x 1000, 'unconfirmed'],
            ['a NUL in the id', '{"id":"80\u000003"}', 'delivered'],
            ['windows-1251', "{\"id\":8004,\"a\":\"\xc0\xed\"}", 'delivered'],
            ['100000 members', '{' . join(',', map { "\"$_\":1" }
                               1 .. 50_000) . ',"id":8005}', 'delivered'],
            ['an id of 100000 bytes', '{"id":"' . '8' x 100_000 . '"}',
             'unconfirmed'],
            ['an id that is false', '{"id":false}', 'unconfirmed'],
            ['nothing', '', 'unconfirmed'],
            ['a page', '<html>fatal</html>', 'unconfirmed'],
        ) {
            my ($label, $body, $outcome) = @$case;

            main::bad($label, main::json($main::fine), $outcome,
                      script => { body => $body });
        }

        # pages: markup without end, literals without end
        my $n = 88000;

        for my $case (
            ['rows without end', '<tr><td>' x 100_000],
            ['half rows without end', '<tr><td' x 100_000],
            ['a literal without end', 'shop.cart = {"a":' x 40_000],
            ['a comment without end', 'shop.cart = /*' . '*' x 500_000],
            ['a string without end', 'shop.cart = "' . '\\\\' x 300_000],
            ['entities', '&#38;' x 100_000],
            ['any bytes', join('', map { chr } 0 .. 255) x 2_000,
             'unconfirmed'],
        ) {
            my ($label, $body, $outcome) = @$case;

            main::bad("page, $label", main::request('/page', $main::fine,
                      @main::JSON), $outcome // 'delivered',
                      script => { body => 'thank you, № ' . ++$n . $body,
                          headers => [['Content-Type', 'text/html']] });
        }
    });



=== TEST 10: larger captures
--- http_config eval: $::rules
--- config eval
$::server . 'b24_capture body=4m answer=4m;'
--- scenario
    my $rows = join '&', map { "items[$_][name]=x&items[$_][price]=1" }
                         0 .. 49_999;
    my $fields = join '&', map { "f$_=1" } 1 .. 100_000;
    my $members = '{"items":[' . '1,' x 1_000_000 . '1]}';

    # what malloc() keeps for the next time isn't lost: the rounds
    # after the first take no more
    main::bounded(sub {
        my $n = shift;

        main::bad('50000 rows', main::form($rows), 'unconfirmed');
        main::bad('100000 fields', main::form($fields), 'unconfirmed');
        main::bad('100000 parts without a name', main::parts(
                  "--X\r\n\r\n" x 100_000 . "--X--\r\n"), 'delivered');
        main::bad('1000000 elements', main::json($members), 'unconfirmed');
        main::bad('a string of 3 MiB', main::json('{"name":"'
                  . 'x' x (3 << 20) . '"}'), 'delivered');
        main::bad('an answer of 3 MiB', main::json($main::fine), 'delivered',
                  script => { body => '{"a":"' . 'x' x (3 << 20)
                                      . "\",\"id\":90$n$_}" }) for 1 .. 3;
    }, 6);



=== TEST 11: all captures together
--- http_config eval: $::rules
--- config eval
'listen 127.0.0.1:$TEST_NGINX_PORT_1 sndbuf=32k;'
. $::server . 'b24_capture answer=4m total=5m;'
--- scenario
    my $answer = sub {
        my ($id) = @_;
        return body => '{"a":"' . 'x' x (3 << 20) . "\",\"id\":\"$id\"}";
    };
    my $order = B24::Client::request_bytes('POST', '/order', $main::fine,
                                           @main::JSON);

    # a buyer who doesn't read yet, so that this answer is held
    upstream()->script(target => '^/order', times => 1, status => 200,
                       $answer->('slow'));
    my $slow = client($ENV{TEST_NGINX_PORT_1});
    $slow->send($order);
    $slow->more;
    cmp_ok(B24::Desk::status()->{counters}{captured_bytes}, '>', 3 << 20,
           'an answer is held');

    upstream()->script(target => '^/order', times => 1, status => 200,
                       $answer->('no-room'));
    my $other = client();
    $other->send($order);
    is($other->response->{status}, 200, 'another one passes');
    ok(wait_until(sub { B24::Desk::count('unconfirmed') }),
       'but there is no room to read it');

    is(length $slow->response->{body}, (3 << 20) + 20, 'the first one ends');
    ok(wait_until(sub { B24::Desk::count('delivered') }), 'and is delivered');
    is(join(', ', sort map { ($_->{id} // '-') . " $_->{state}" }
                           B24::Desk::records()),
       '- unconfirmed, slow delivered', 'both are there');

    upstream()->script(target => '^/order', times => 1, status => 200,
                       $answer->('again'));
    $other = client();
    $other->send($order);
    is($other->response->{status}, 200, 'a third one');
    ok(wait_until(sub { B24::Desk::count('delivered') == 2 }),
       'has room again');
    is(B24::Desk::status()->{counters}{captured_bytes}, 0,
       'nothing is held any more');
