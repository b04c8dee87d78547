# A hundred thousand orders wait: the page says so, finds one of them, and takes
# no longer for it than with none.  B24_BACKLOG: how many.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands;
use B24::Orders;
use B24::Page;
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

use constant {
    ORDERS => $ENV{B24_BACKLOG} // 100_000,
    ASKED  => 41,
    SLOWER => 3,                # times, at most
    MORE   => 0.005,            # and seconds, which a busy machine takes
};

our $http = B24::Hands::http();
our $server = B24::Orders::server(more => <<'EOC');
    proxy_ignore_client_abort on;
    client_header_timeout 3s;           # browsers connect ahead
EOC

# What is asked for of the desk.
our @PAGES = (
    [page => '/b24?format=html'], [JSON => '/b24?format=json'],
    [state => '/b24?format=html&state=accepted'],
    [search => '/b24?format=html&order=o-1'],
    [Prometheus => '/b24?format=prometheus'],
);

# Copies the first order N times, as accepted ones.
sub fill {
    my ($n) = @_;

    my $numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1'
                  . " FROM n WHERE i < $n) ";

    queue_sql($numbers . 'INSERT INTO events (id, record, seq, kind, arrived,'
        . ' data) SELECT 1000 + i, 1000 + i, 1, kind, arrived, data'
        . ' FROM n, events WHERE record = 1');
    queue_sql($numbers . 'INSERT INTO timeline (record, n, time, last, count,'
        . " state) SELECT 1000 + i, 1, accepted, accepted, 1, 'accepted'"
        . ' FROM n, records WHERE id = 1');
    queue_sql($numbers . 'INSERT INTO records (id, origin, order_id, reuse, rule,'
        . ' fingerprint, state, event, arrived, accepted, created, updated)'
        . " SELECT 1000 + i, origin, 'w-' || i, 0, rule, fingerprint, state,"
        . ' 1000 + i, arrived, accepted, created, updated'
        . ' FROM n, records WHERE id = 1');
}

# Seconds until the answer to each of @PAGES is there, the median.
sub times {
    my %times;

    for my $page (@::PAGES) {
        my ($name, $target) = @$page;
        my @list;

        for (1 .. ASKED) {
            my $start = Time::HiRes::time();
            my $answer = B24::Scenario::get($target);

            push @list, Time::HiRes::time() - $start;
            die "$target: $answer->{status}\n" if $answer->{status} != 200;
        }

        $times{$name} = (sort { $a <=> $b } @list)[ASKED / 2];
    }

    return \%times;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: nothing is delivered, and everything is kept
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 300
--- scenario
    act('/b24/pause');
    place(1);
    ok(wait_until(sub { B24::Desk::count('accepted') == 1 }), 'one order');

    my $few = main::times();

    main::fill(main::ORDERS());
    place(2);

    my $all = main::ORDERS() + 2;
    ok(wait_until(sub { B24::Desk::count('accepted') == $all }),
       "$all orders wait");

    my $many = main::times();

    for my $name (map { $_->[0] } @main::PAGES) {
        diag(sprintf '%s: %.1f ms, %.1f ms with one order', $name,
             $many->{$name} * 1000, $few->{$name} * 1000);
        cmp_ok($many->{$name}, '<',
               $few->{$name} * main::SLOWER() + main::MORE(),
               "$name: no longer than with one");
    }

    # as long as there are two origins both say what is theirs
    visit('/b24', 'a backlog',
        qr/Deliveries to the CRM are paused.*\b$all orders wait, none is lost/s,
        qr/приостановлена.*Ждут $all заказ/s);
    is(browser()->js(q{document.querySelectorAll('main .list > li').length}), 50,
       'the latest of them');

    my $last = 'w-' . main::ORDERS();
    browser()->js(qq{document.getElementById('q').value = '$last'});
    browser()->act(q{document.querySelector('[role=search] button').click()});
    like(text(), qr/Order \Q$last\E.*What happened/s, 'each of them is found');
    away();
