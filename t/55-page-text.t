# Text of buyers and of the portal is text on the page, wherever it stands: each
# field of an order holds what would be markup, scripts or an address, and is
# shown as it was typed.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands;
use B24::Orders;
use B24::Page;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

# every field that rules can name
our @FIELDS = qw(name first_name second_name last_name company inn kpp address
    comment total delivery discount tax currency status row);
our @ITEM = qw(name price sum quantity product_id xml_id discount tax_rate
    tax_included measure);

# each kind of place that text may break out of
our @EVIL = (
    '<img src=x onerror=hit()>', '"><script>hit()</script>',
    q{' onmouseover='hit()}, '</title></style></textarea><svg onload=hit()>',
    '</script><script>hit()</script>', '<!--', '&lt;b&gt;&amp;#60;',
    'javascript:hit()', '<a href="https://evil.example/">x</a>', '{{hit()}}',
    "\x{202e}evil\x{2028}\x{0}\x{1b}[31m", '<iframe srcdoc="<b>">',
);

our $rules = join "\n", map({ "$_ request:/$_;" } @FIELDS),
    'items request:/items {', map({ "$_ /$_;" } @ITEM), '}',
    'deal UF_CRM_NOTE request:/note;', 'contact UF_CRM_NOTE request:/note;';

our $http = B24::Hands::http(fields => $rules,
    retry => 'first=60s max=60s unknown=3s');

our $server = B24::Orders::server(more => <<'EOC');
    proxy_ignore_client_abort on;
    client_header_timeout 3s;           # browsers connect ahead

    location /shown {
        b24_status reveal;
    }
EOC

# The text in field number N, told from all others.
sub evil {
    my ($n) = @_;

    return "f${n}e" . $main::EVIL[$n % @main::EVIL];
}

sub hostile {
    my ($n, $shift) = @_;

    my $i = $shift;
    my %order = (id => $n, phone => '+79160000001', email => 'a@example.com',
                 note => evil($i++));

    $order{$_} = evil($i++) for @main::FIELDS;
    $order{items} = [ { map { $_ => evil($i++) } @main::ITEM } ];

    return JSON::PP->new->utf8->encode(\%order);
}

# The texts of that order that are its buyer's, by field.
sub typed {
    my ($shift) = @_;

    my $i = $shift + 1;
    my %text = map { $_ => evil($i++) } @main::FIELDS;

    return map { $_ => $text{$_} } grep { /name|company|address|comment/ }
                                        keys %text;
}

# What the page would be if it were attacked.
sub harmless {
    my ($name) = @_;

    my $wrong = B24::Page::browser()->js(<<'EOC');
(function () {
    var wrong = [];
    document.querySelectorAll('img,iframe,object,embed,base,textarea,'
        + 'svg *:not(path):not(polyline),script ~ script').forEach(function (e) {
        wrong.push(e.outerHTML.slice(0, 80));
    });
    document.querySelectorAll('*').forEach(function (e) {
        Array.from(e.attributes).forEach(function (a) {
            if (/^on|^style$|^srcdoc$/.test(a.name)) { wrong.push(a.name) }
        });
    });
    document.querySelectorAll('a,form').forEach(function (e) {
        var to = e.href || e.action;
        if (typeof to !== 'string' || (new URL(to).origin !== location.origin
            && !/\/crm\/(deal|contact|company)\/details\/\d+\/$/.test(to))) {
            wrong.push(String(to));
        }
    });
    return wrong.join('\n');
})()
EOC

    Test::More::is($wrong, '', "$name: nothing of it is markup");
    Test::More::is(join("\n", B24::Page::browser()->complaints), '',
                   'nothing of it is run');
}

sub put {
    my ($n, $shift) = @_;

    B24::Scenario::post('/checkout', hostile($n, $shift),
                        'Content-Type' => 'application/json');

    my $record;
    B24::Scenario::wait_until(sub {
        ($record) = grep { ($_->{id} // '') eq $n }
                         @{B24::Desk::status()->{orders}};
        return $record && $record->{state} =~ /^(?:delivered|parked)$/;
    });

    return $record;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: every field, every kind of text
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 300
--- scenario
    my @orders;

    for my $shift (0 .. $#main::EVIL) {
        my $record = main::put("n$shift", $shift);
        push @orders, $record;
        ok($record, "order $shift");
    }

    browser()->language('en');

    for my $shift (0 .. $#main::EVIL) {
        browser()->open(url("/shown/orders/$orders[$shift]{key}"));
        main::harmless("order $shift, revealed");

        # what is a text stays as it was typed, entities are decoded once
        my %typed = main::typed($shift);
        my $text = text();

        for my $field (sort keys %typed) {
            my ($head) = $typed{$field} =~ /^([^&\x{80}-\x{10ffff}\x00-\x1f]*)/;
            like($text, qr/\Q$head\E/, "$field, as it was typed");
        }

        browser()->open(url("/b24/orders/$orders[$shift]{key}"));
        main::harmless("order $shift");
        $text = text();

        for my $field (sort keys %typed) {
            my ($mark) = $typed{$field} =~ /^(f\d+e)/;
            unlike($text, qr/\Q$mark\E/, "$field is hidden");
        }

        sound("order $shift") if $shift < 3;
    }

    main::visit('/b24', 'all of them', qr/n0.*/s, qr/n0.*/s);
    main::harmless('the list');
    away();



=== TEST 2: numbers, causes, what is looked for
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 300
--- scenario
    my $n = 0;

    for my $evil (@main::EVIL) {
        my $number = $evil =~ s/[\x00-\x1f\x{80}-\x{ffff}]//gr;

        portal()->fault(kind => 'command', method => 'crm\.deal\.add',
                        error => "E$evil", description => $evil);
        my $record = main::put($number, $n++);
        is($record->{state}, 'parked', 'refused');

        browser()->language('ru');
        browser()->open(url("/b24/orders/$record->{key}"));
        main::harmless("a number, a cause: $n");
        browser()->open(url('/b24?order='
            . ($number =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger)));
        like(text(), qr/\Q$number\E/, 'looked for');
        main::harmless("looked for: $n");
        sound("looked for: $n") if $n < 3;
    }

    browser()->open(url('/b24'));
    main::harmless('the list');
    away();
