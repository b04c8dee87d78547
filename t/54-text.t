# Text of buyers, of the portal and of the configuration is text wherever the desk
# shows it: a browser finds no element of theirs, JSON and Prometheus are what
# strict readers take.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Browser;
use B24::Client;
use B24::Orders;
use B24::Prometheus;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

our $origin = "<i>o'&\xe2\x80\xae{x}</i>";

our @hostile = (
    '<script>pwned=1</script>', '"><img src=x onerror=pwned=1>',
    "'\"&<>`\\ \${x} {{7*7}} &lt;b&gt; &amp;amp;",
    '</pre></dd></main><h1>no</h1><!--', ']]>-->?><style>*{display:none}</style>',
    "a\x01\x02\x07\x08\x0c\x1b[31mb\x7f\xc2\x85\xc2\x9bc",
    "a\xff\xfe\xc3\x28\xed\xa0\x80\xf4\x90\x80\x80b", "nul\x00nul",
    "\xe2\x80\xaetxet\xe2\x80\x8f\xe2\x81\xa6\xe2\x81\xa7 rtl",
    "a\xe2\x80\xa8b\xe2\x80\xa9c\xef\xbb\xbfde\xf0\x9f\x98\x80",
    "two\nlines\r\nthree\tand\x0bfour", '%0d%0aX-Evil: 1%00%3Cb%3E',
    'javascript:pwned=1//', 'long ' . '<b>x</b>' x 4000,
);

our $evil = <<"EOC";
    b24_queue   \$TEST_NGINX_QUEUE;
    b24_webhook \$TEST_NGINX_PORTAL_URL;
    b24_rate    100 burst=5000;
    b24_retry   first=60s max=60s unknown=3s;
    b24_deal    SOURCE_ID "NO<b>&'SUCH";

    b24_shop evil {
        stage           N NEW;
        default_status  N;

        order placed {
            uri       /checkout;
            accept    response:/ok;
            id        request:/id;
            name      request:/name;
            phone     request:/phone;
            email     request:/email;
            company   request:/company;
            inn       request:/inn;
            kpp       request:/kpp;
            address   request:/address;
            comment   request:/comment;
            total     request:/total;
            currency  request:/currency;
            status    request:/status;
            deal      UF_CRM_NOTE request:/note;
            deal      UTM_SOURCE request:/utm;
            items     request:/items {
                name /name;  price /price;  quantity /qty;  xml_id /sku;
                product_id /pid;
            }
        }
    }
@{[B24::Orders::SHOP]}
EOC

our @texts = qw(name phone email company inn kpp address comment currency status
                note utm);

# ---- what is asked --------------------------------------------------------

sub body {
    my ($target) = @_;

    my $answer = B24::Scenario::get($target);

    die "$target: $answer->{status}\n" if $answer->{status} != 200;

    return $answer->{body};
}

# Places an order whose every text is that one, its number by N.
sub place_hostile {
    my ($n, $text) = @_;

    return B24::Orders::place([$n, id => "$n $text", (map { $_ => $text } @texts),
        total => '1990.00', items => [{ name => $text, price => '1990.00',
                                        qty => $text, sku => $text,
                                        pid => $text }]]);
}

# JSON that any strict reader takes, without a byte that a terminal obeys.
sub strict {
    my ($target, $status) = @_;

    my $answer = B24::Scenario::get($target);

    Test::More::is($answer->{status}, $status // 200, $target)
        if ($status // 200) != $answer->{status};
    die "$target: bytes that JSON does not know\n"
        if $answer->{body} =~ /[\x00-\x09\x0b-\x1f]/;

    return JSON::PP->new->utf8->decode($answer->{body});
}

# As a page shows it: characters.
sub shown {
    my ($text) = @_;

    return $text =~ s/[\x00-\x08\x0b-\x1f\x7f-\x9f]/\x{fffd}/gr;
}

# A test: the page, as it is now, is made of our own elements.
sub clean {
    my ($name) = @_;

    my $wrong = browser()->js(<<'EOJ');
(function () {
    var wrong = [], own = { HTML: 1, HEAD: 1, META: 1, LINK: 1, TITLE: 1, STYLE: 1,
        BODY: 1, HEADER: 1, H1: 1, H2: 1, H3: 1, A: 1, FORM: 1, LABEL: 1, INPUT: 1,
        BUTTON: 1, MAIN: 1, SECTION: 1, P: 1, B: 1, SPAN: 1, UL: 1, OL: 1, LI: 1,
        DIV: 1, TIME: 1, DETAILS: 1, SUMMARY: 1, DL: 1, DT: 1, DD: 1, CODE: 1,
        PRE: 1, FOOTER: 1, SCRIPT: 1, SMALL: 1, BDI: 1, FIGURE: 1, SVG: 1, PATH: 1,
        POLYLINE: 1, FIGCAPTION: 1 };
    var most = { SCRIPT: 1, STYLE: 1, H1: 1, MAIN: 1, FOOTER: 1, LINK: 1, META: 3 };
    var seen = {};
    document.querySelectorAll('*').forEach(function (e) {
        var tag = e.tagName.toUpperCase();
        seen[tag] = (seen[tag] || 0) + 1;
        if (!own[tag]) { wrong.push(tag) }
        Array.from(e.attributes).forEach(function (a) {
            if (/^on/i.test(a.name)) { wrong.push(a.name) }
            if (/^(href|action|src)$/.test(a.name)
                && !/^(https?:\/\/127\.0\.0\.1|\/|data:,$|\?)/.test(a.value)) {
                wrong.push(a.name + '=' + a.value);
            }
        });
    });
    Object.keys(most).forEach(function (tag) {
        if (seen[tag] > most[tag]) { wrong.push(seen[tag] + ' ' + tag) }
    });
    if (typeof pwned !== 'undefined') { wrong.push('pwned') }
    if (document.querySelector('main').nextElementSibling.tagName !== 'FOOTER') {
        wrong.push('main ends early');
    }
    return wrong.join(' ');
})()
EOJ
    Test::More::is($wrong, '', "$name: our own elements");
    Test::More::is(join("\n", browser()->complaints), '',
                   'the browser complains of nothing');
}

# A text of the page, characters.
sub on_page {
    my ($code) = @_;

    my $text = browser()->js($code) // '';
    utf8::decode($text);

    return $text;
}

# What stands in the parameters of a command, at whatever depth.
sub values_of {
    my ($node) = @_;

    return map { values_of($_) } values %$node if ref $node eq 'HASH';
    return map { values_of($_) } @$node if ref $node eq 'ARRAY';
    return $node;
}

my $browser;

sub browser {
    return $browser //= B24::Browser->new;
}

plan tests => 2 * blocks();

run_tests();

undef $browser;

__DATA__

=== TEST 1: text is text, whoever has typed it
--- http_config eval: $::evil
--- config eval
"    b24_origin " . JSON::PP->new->allow_nonref->encode($::origin) . ";\n"
. B24::Orders::server(more => 'client_header_timeout 3s;
    location /shown { b24_status reveal; }') =~ s/b24_mirror tested/b24_mirror evil/r
--- scenario
    my $b = main::browser();
    $b->language('en');

    # what the portal says of an order it refuses
    my $said = join ' ', @main::hostile[0 .. 4];
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 1,
                    error => 'ERROR_<b>"&', description => $said);
    place('refused');
    settled('refused', 'parked');

    main::place_hostile($_, $main::hostile[$_]) for 0 .. $#main::hostile;

    my @records;
    ok(wait_until(sub {
        @records = @{main::strict('/b24?format=json&limit=1000')->{orders}};
        return @records == 1 + @main::hostile
               && !grep { $_->{state} =~ /^(?:captured|accepted|sending)$/ }
                        @records;
    }), 'all are there');

    # JSON
    my $json = main::strict('/b24?format=json&limit=1000');
    my $characters = $main::origin;
    utf8::decode($characters);
    is($json->{portals}[0]{origin}, $characters, 'the origin');
    ok((grep { index($_, "NO<b>&'SUCH") >= 0 }
             @{$json->{portals}[0]{warnings}}), 'what the portal has not');
    is($json->{history}[-1]{origin}, $characters, 'in the history, too');

    # whose tags are taken away, in what it has to say of errors
    my ($refused) = grep { ($_->{id} // '') eq 'refused' } @records;
    like($refused->{cause}, qr/"> '"&<>`\\ /, 'what the portal has said');

    # Prometheus
    my $text = main::body('/b24?format=prometheus');
    is(B24::Prometheus::findings($text), '', 'promtool');
    is(B24::Prometheus->parse($text)->value('b24_paused',
       origin => $main::origin), 0, 'the label');

    # the list
    $b->open('http://127.0.0.1:' . port() . '/b24?limit=1000');
    main::clean('the list');

    # a number that is too long to be one is none
    my ($numberless, @more) = grep { !defined $_->{id} } @records;
    is(scalar @more, 0, 'one has no number');
    $numberless->{shown} = "without a number ($numberless->{key})";

    for my $record (@records) {
        $record->{shown} //= main::shown($record->{id});
        is(main::on_page(qq{document.querySelector('a.no[href\$="$record->{key}"]').textContent}),
           $record->{shown}, "$record->{key}: its number");
    }

    # each order, as far as it is shown at all
    for my $record (@records) {
        for my $place ('/b24', '/shown') {
            my $one = main::strict("$place/orders/$record->{key}?format=json");

            is($one->{id}, $record->{id}, "$record->{key} at $place");
            $b->open('http://127.0.0.1:' . port()
                     . "$place/orders/$record->{key}");
            main::clean("$place/orders/$record->{key}");
            is(main::on_page('document.querySelector("h2 bdi").textContent'),
               $record->{shown}, 'its number');

            # what turns the direction of text turns none but its own
            if ($one->{id} && $one->{id} =~ / rtl$/) {
                my $behind = 'document.querySelector("h2 b")'
                             . '.getBoundingClientRect().left >= document'
                             . '.querySelector("h2 bdi").getBoundingClientRect().right - 1';

                ok($b->js($behind), 'its state stands behind it');
                ok(!$b->js('document.querySelector("h2 bdi").style.display ='
                           . " 'inline'; $behind"), 'as it is set apart');
            }

            for my $moment (grep { defined $_->{cause} } @{$one->{timeline}}) {
                ok(index(main::on_page('document.querySelector("main").textContent'),
                         main::shown($moment->{cause})) >= 0, 'a cause');
            }

            my $shown = main::on_page('JSON.stringify(Array.from(document'
                . '.querySelectorAll(".params dd"), e => e.textContent))');
            utf8::encode($shown);
            is_deeply([sort @{JSON::PP->new->utf8->decode($shown)}],
                      [sort map { main::values_of($_->{params}) }
                            @{$one->{commands}}], 'what the commands say');
        }
    }

    # what is looked for, and a sentence about it
    for my $text (@main::hostile[0 .. 4], $main::origin) {
        my $sent = $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;

        is(main::strict("/b24/orders/$sent?format=json", 404)->{ok}, 0,
           'no such order');
        $b->open('http://127.0.0.1:' . port() . "/b24?order=$sent");
        $b->complaints;                 # of the 404
        main::clean('nothing found');

        my $had = $text;
        utf8::decode($had);
        is(main::on_page('document.getElementById("q").value'), $had,
           'what was looked for');
    }

    # the languages, and a paused shop of that name
    $b->open('http://127.0.0.1:' . port() . '/b24');
    $b->act(q{document.querySelector('form[action*="/pause"] button').click()});
    is(main::strict('/b24?format=json')->{portals}[0]{state}, 'paused', 'paused');
    $b->language('ru');
    $b->open('http://127.0.0.1:' . port() . '/b24?limit=1000');
    main::clean('in Russian');
    like(main::on_page('document.querySelector("main section h2").textContent'),
         qr/\Q$characters\E/, 'the origin');
    $b->open('about:blank');
