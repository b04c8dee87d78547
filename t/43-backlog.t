# The portal is away for long: orders are accepted, kept and found again, and
# the worker's memory doesn't grow with them.  B24_BACKLOG: how many, 20000;
# once 100000 or more are wanted.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 10_000_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Desk;
use B24::Orders;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

use constant {
    ORDERS      => $ENV{B24_BACKLOG} // 20_000,
    CONNECTIONS => 8,
    AHEAD       => 20,              # requests under way on each
    # KiB a worker may take more; sanitizers keep what was freed
    MEMORY      => ($ENV{B24_ASAN} ? 1024 : 48) * 1024,
};

# the portal's switch: a file that is there
our $http = B24::Orders::http(rate => '100 burst=10000',
    retry => 'first=200ms max=500ms unknown=300ms',
    webhook => 'http://127.0.0.1:$TEST_NGINX_PORT_2/rest/1/code1234567890ab/')
. <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_2;

        location / {
            if (!-f $TEST_NGINX_DIR/portal-is-back) {
                return 502;
            }

            proxy_pass http://127.0.0.1:$TEST_NGINX_PORTAL_PORT;
        }
    }
EOC

our $server = B24::Orders::server(more => 'keepalive_requests 1000000;');

# resident memory of all workers, KiB
sub memory {
    my $all = 0;

    for my $pid (B24::Scenario::worker_pids()) {
        open my $in, '<', "/proc/$pid/status" or next;
        /^VmRSS:\s+(\d+)/ and $all += $1 while <$in>;
    }

    return $all;
}

# an order on a connection that goes on
sub request {
    my ($n) = @_;

    return B24::Client::request_bytes('POST', '/checkout', order_json($n),
        'Content-Type' => 'application/json', Connection => 'keep-alive');
}

# Places orders FROM .. TO over several connections; returns how many were
# answered with yes.
sub place_many {
    my ($from, $to) = @_;

    my @connections = map { B24::Scenario::client() } 1 .. CONNECTIONS;
    my ($yes, $next) = (0, $from);
    my @under_way = (0) x @connections;

    while ($next <= $to || grep { $_ } @under_way) {
        for my $n (0 .. $#connections) {
            while ($next <= $to && $under_way[$n] < AHEAD) {
                $connections[$n]->send(::request($next++));
                $under_way[$n]++;
            }

            next if !$under_way[$n];

            my $answer = $connections[$n]->response;
            $under_way[$n]--;
            $yes++ if $answer->{status} == 200
                      && $answer->{body} eq '{"ok":true}';
        }
    }

    return $yes;
}

sub counts {
    return B24::Desk::status()->{portals}[0]{counts};
}

# accepted, sending and waiting ones
sub undelivered {
    my $counts = counts();

    return $counts->{accepted} + $counts->{sending} + $counts->{waiting};
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: orders against a portal that is away
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 300
--- log_level: notice
--- scenario
    unlink "$ENV{TEST_NGINX_DIR}/portal-is-back";

    is(::place_many(1, 1000), 1000, 'the first thousand');
    ok(wait_until(sub { ::undelivered() == 1000 }), 'is kept');

    my $before = ::memory();
    my $n = ::ORDERS() - 1000;

    is(::place_many(1001, ::ORDERS()), $n, "$n more, none is refused");
    ok(wait_until(sub { ::undelivered() == ::ORDERS() }), 'all are kept')
        or diag(::undelivered());
    is(::counts()->{captured}, 0, 'no request is left captured');
    is(B24::Desk::counter('held'), 0, 'none of them in memory');
    is(B24::Desk::counter('lost'), 0, 'none is lost');

    my $grown = ::memory() - $before;

    diag(::ORDERS() . " orders wait, the workers took $grown KiB more");
    cmp_ok($grown, '<', ::MEMORY(), "memory doesn't grow with them");



=== TEST 2: a restart finds them all, the portal's return sets them going
--- keep_state
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 300
--- log_level: notice
--- scenario
    ok(wait_until(sub { ::undelivered() == ::ORDERS() }), 'all are there');
    like(portal_state()->{state}, qr/^(?:retrying|blocked)$/,
         'the page says why they wait');

    open my $out, '>', "$ENV{TEST_NGINX_DIR}/portal-is-back"
        or die "cannot write: $!\n";
    close $out;

    my $report = portal()->wait_for(deals => 100, journal => 0, timeout => 60);
    cmp_ok(scalar @{$report->{deals}}, '>=', 100, 'delivery goes on by itself');

    my %twice;
    $twice{$_->{origin_id}}++ for @{$report->{deals}};
    is(scalar(grep { $_ > 1 } values %twice), 0, 'nothing twice');
    ok(wait_until(sub { portal_state()->{state} eq 'ok' }),
       'the page says so');

    my $counts = ::counts();
    my $all = 0;
    $all += $counts->{$_} for qw(accepted sending waiting delivered);
    is($all, ::ORDERS(), 'none has got lost');
