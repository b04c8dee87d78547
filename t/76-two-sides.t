# A shop's orders and their deals, changed on both sides: who has changed last
# counts, on either side, whatever is lost, late or killed, and nothing is
# written twice.
#
# B24_SEED, the seed (printed; the time unless given); B24_ORDERS, the number of
# orders, 300 unless given, 1000 with B24_LONG=1 (./build.sh test --all).

use strict;
use warnings;
use utf8;

use lib 't/lib';

our ($SEED, $ORDERS);

BEGIN {
    $SEED = $ENV{B24_SEED} // time % 1_000_000;
    $ORDERS = $ENV{B24_ORDERS} // ($ENV{B24_LONG} ? 1000 : 300);
}

use B24::Test portal => { config => { bucket => { burst => 1_000_000 },
                                      journal_max => 100 * $ORDERS + 10_000 } };
use Test::Nginx::Socket;

use B24::Bitrix;
use B24::BitrixAdmin;
use B24::MariaDB;
use B24::Tables;
use B24::TwoSides;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(3);
worker_connections(512);
log_level('info');

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

use constant PASSWORD => 'crm-pass-4711';

our $token = '51856fefc120afa4b628cc82d3935cce';

our $db = B24::MariaDB->new(dir => "$B24::Test::DIR/mariadb",
                            port => B24::Test::free_port());
our $admin = B24::BitrixAdmin->start("$B24::Test::DIR/bitrix", db => $db,
                                     children => 8);
our $run = B24::TwoSides->new(db => $db, admin => $admin, token => $token,
                              seed => $SEED, orders => $ORDERS);

{
    my $site = B24::Bitrix->new;

    B24::Tables::bitrix($db);
    B24::Tables::bitrix_properties($db, 1, $site->{types}[0]);
    $admin->account(login => 'crm', password => PASSWORD, access => 'W');

    open my $file, '>', "$B24::Test::DIR/password" or die "password: $!\n";
    print {$file} PASSWORD, "\n";
    close $file;
    chmod 0600, "$B24::Test::DIR/password";

    $ENV{TEST_NGINX_DB} = $db->url;
}

our $http = <<"EOC";
    b24_queue     \$TEST_NGINX_QUEUE;
    b24_origin    shop;
    b24_webhook   \$TEST_NGINX_PORTAL_URL;
    b24_rate      100 burst=10000;
    b24_retry     first=100ms max=500ms unknown=2s;
    b24_database  \$TEST_NGINX_DB poll=@{[$run->plan->{poll}{changes}]}s
                  traffic=1s;

    include \$TEST_NGINX_PRESETS/bitrix.conf;
EOC

our $server = <<"EOC" . $admin->location;
    access_log  off;
    b24_mirror  bitrix;
    b24_site    http://127.0.0.1:\$TEST_NGINX_SERVER_PORT user=crm
                password=file:$B24::Test::DIR/password;

    location /b24 {
        b24_mirror  off;
        b24_status;
    }

    location = /events {
        b24_mirror  off;
        b24_events  $token poll=@{[$run->plan->{poll}{events}]}s;
    }
EOC

# What the judge has to say of one order: its `why`, joined.
sub verdict {
    my (%order) = @_;

    my $judge = B24::TwoSides::Judge->new(orders => [{ number => 'N-1',
        shop => [], crm => [], moves => [], %order }]);

    return join '; ', map { @{$_->{why}} } $judge->wrong;
}

# Ours and a person's changes, for that.
sub shop_change {
    my ($ours, $from, $to, $at, $action) = @_;

    return { ours => $ours, who => $ours ? 'crm' : 'sql', from => $from,
             to => $to, at => $at, began => $at,
             action => $action // 'saveStatus' };
}

our $killed = 'exited on signal 9';

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the judge sees what it is there for
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert eval: $::killed
--- timeout: 60
--- scenario
    my @moved = ({ ours => 0, to => 'WON', at => 20 });
    my $change = \&::shop_change;

    is(::verdict(state => 'F', stage => 'WON', crm => \@moved,
        shop => [$change->(1, 'N', 'F', 22)]), '', 'judge: all is well');
    like(::verdict(state => 'N', stage => 'WON', crm => \@moved),
         qr/the order is N, the deal is WON/, 'judge: apart');
    like(::verdict(state => 'P', stage => 'PREPARATION', shop =>
        [$change->(0, 'N', 'P', 10)], crm => [@moved,
        { ours => 1, to => 'PREPARATION', at => 24 }],
        moves => [{ to => 'PREPARATION', at => 24 }]),
        qr/the newest change is WON/, 'judge: the older one has won');
    like(::verdict(state => 'F', stage => 'WON', crm => \@moved,
        shop => [$change->(1, 'N', 'F', 22)], moves => [{ to => 'WON',
        at => 23 }]), qr/2 writes for 1 changes/, 'judge: an echo');
    like(::verdict(state => 'N', stage => 'NEW', record => 'parked',
        cause => 'x'), qr/it is parked: x/, 'judge: left over');
    like(::verdict(state => 'F', stage => 'WON', crm => \@moved,
        shop => [$change->(0, 'N', 'F', 19)]), qr/too close/,
        'judge: the engine has to keep its rule');



=== TEST 2: the newest change of each order is on both sides
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert eval: $::killed
--- timeout: 60
--- scenario
    diag("two sides: B24_SEED=$::SEED B24_ORDERS=$::ORDERS");

    $::run->go;

    my $judge = $::run->judge;
    my @wrong = $judge->wrong;
    my %figure = map { $_ => $judge->figure($_) }
        qw(orders changes shop crm conflicts writes to_shop to_crm spare repeated
           races);
    my %done = %{$::run->count};
    my %times = %{$::run->{times}};

    diag(join ', ', map { "$_ $figure{$_}" } sort keys %figure);
    diag(join ', ', map { "$_ $done{$_}" } sort keys %done);
    diag(join ', ', map { sprintf '%s %.1f', $_, $times{$_} - $times{start} }
                    sort { $times{$a} <=> $times{$b} } keys %times);

    is(scalar(@wrong), 0, 'the newest change of each order is on both sides')
        or diag("B24_SEED=$::SEED B24_ORDERS=$::ORDERS");

    my %why;

    $why{s/\d+|\b[A-Z_,a-z]*[A-Z]\b/N/gr}++ for map { @{$_->{why}} } @wrong;
    diag("$why{$_} times: $_") for sort keys %why;

    for my $wrong ((@wrong[0 .. ($#wrong < 9 ? $#wrong : 9)], $judge->excused)) {
        my $order = $wrong->{order};

        my @said = $::run->said_of($order->{number});

        utf8::decode($_) for @said;
        diag(join "\n    ", "$order->{number}, deal $order->{deal}:",
             @{$wrong->{why}}, $judge->shown($order), '--', @said);
    }

    cmp_ok($figure{races}, '<=', 3, 'races that no interface excludes');
    cmp_ok($figure{writes}, '<=', $figure{changes} + $figure{conflicts}
           + $figure{repeated}, 'no echo');
