# A write whose outcome nobody knows may make its buyer's contact yet: until
# that is over the buyer's other orders wait, so that there is one contact, not
# two.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Orders;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

# the portal is at work for HOLD seconds; nobody looks before 5
use constant HOLD => 2;

our $http = B24::Orders::http(retry => 'first=100ms max=500ms unknown=5s');
our $server = B24::Orders::server();
our @buyer = (phone => '+7 916 000-00-77', email => 'same@example.com');

# The first order's write is at the portal, not processed yet, and the worker
# that sent it is killed; the next one has taken over when this returns.
sub B24::Scenario::Code::lose_courier {
    my (@first) = @_;

    my $portal = B24::Test::portal();

    $portal->fault(kind => 'hang', when => 'before', seconds => HOLD,
                   method => 'crm\.deal\.add');
    B24::Orders::place([1, @first]);
    $portal->wait_for(held => 1);

    my @old = B24::Scenario::worker_pids();

    kill KILL => @old;

    B24::Scenario::wait_until(sub {
        my %old = map { $_ => 1 } @old;
        my @now = B24::Scenario::worker_pids();
        return @now && !grep { $old{$_} } @now;
    }) or die "no new worker\n";
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the same buyer
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    lose_courier(@::buyer);
    is(place([2, @::buyer], 3), 2, 'the shop accepts two more');

    is(settled($_)->{state}, 'delivered', "order $_") for 1 .. 3;
    like(join("\n", timeline(2)), qr/^waiting:\ an\ earlier\ order\ of\ the
                                     \ same\ buyer\ or\ firm\ is\ being
                                     \ written$/mx, 'of the same one: waits');

    my $report = portal()->report;
    my %made = map { my $entry = $_;
                     map { $_ => $entry->{seq} }
                         join(' ', values %{$entry->{params}{cmd}}) =~ /\bo-\d/g }
               grep { $_->{kind} eq 'write' } journal($report);

    cmp_ok($made{'o-3'}, '<', $made{'o-2'}, 'of another buyer: at once');
    my $deals = deals($report);

    is(scalar @{$deals->{"o-$_"}}, 1, "one deal of order $_") for 1 .. 3;
    is($report->{counts}{contacts}, 2, 'and a contact of each buyer');
    is("@{$deals->{'o-1'}[0]{contact_ids}}",
       "@{$deals->{'o-2'}[0]{contact_ids}}", 'one of both orders');
--- expected_alert
exited on signal 9



=== TEST 2: one of two, phone or e-mail, is enough
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    lose_courier(@::buyer);
    place([2, @::buyer, email => 'other@example.com'],
          [3, @::buyer, phone => undef]);
    settled($_) for 1 .. 3;

    my $report = portal()->report;
    is($report->{counts}{contacts}, 1, 'one contact');
    is($report->{counts}{deals}, 3, 'of three deals');
--- expected_alert
exited on signal 9



=== TEST 3: the same firm, two buyers
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @firm = (company => 'ООО «Ромашка»', inn => '7707083893');

    lose_courier(@firm);
    place([2, @firm]);
    settled($_) for 1, 2;

    my $report = portal()->report;
    is($report->{counts}{companies}, 1, 'one company');
    is($report->{counts}{requisites}, 1, 'with one requisite');
    is($report->{counts}{contacts}, 2, 'and two contacts');
--- expected_alert
exited on signal 9



=== TEST 4: an outcome that is known keeps nobody waiting
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'error', status => 503,
                    error => 'QUERY_LIMIT_EXCEEDED',
                    method => 'crm\.deal\.add');
    portal()->fault(kind => 'command', error => '',
                    description => 'no', method => 'crm\.deal\.add');
    place(map { [$_, @::buyer] } 1 .. 4);
    settled($_) for 1 .. 4;

    is(join(' ', sort map { record($_)->{state} } 1 .. 4),
       'delivered delivered delivered parked', 'one was refused');
    unlike(join("\n", map { timeline($_) } 1 .. 4), qr/an earlier order/,
           'none has waited for another');
    is(portal()->report->{counts}{contacts}, 1, 'one contact');



=== TEST 5: a firm whose first order was refused in the middle, in two shops
--- http_config eval
$::http . <<"EOC"
    server {
        listen      127.0.0.1:\$TEST_NGINX_PORT_2;
        server_name second.test;
        b24_origin  second;
        $::server
    }
EOC
--- config eval: $::server
--- scenario
    my @firm = (company => 'ООО «Ромашка»', inn => '7707083893');

    # the company is there, its requisite, which comes last, is not
    portal()->fault(kind => 'command', error => '', description => 'no',
                    method => 'crm\.deal\.add');
    place([1, @firm]);
    is(settled(1)->{state}, 'parked', 'the deal is refused');

    my $client = client($ENV{TEST_NGINX_PORT_2});
    $client->send(B24::Orders::order_bytes(2, @firm));
    is($client->response->{status}, 200, 'the other shop accepts');
    is(settled(2)->{state}, 'delivered', 'and its order is delivered');

    my $counts = portal()->report->{counts};
    is("$counts->{companies} $counts->{requisites}", '1 1',
       'it has found the company, and completed it');

    is(post('/b24/orders/o-1/retry', '')->{status}, 202, 'the first again');
    is(settled(1, 'delivered')->{state}, 'delivered', 'is delivered, too');

    my $report = portal()->report;
    is("$report->{counts}{companies} $report->{counts}{requisites}", '1 1',
       'nothing was made twice');
    is(scalar(grep { $_->{company_id} == $report->{companies}[0]{id} }
                   @{$report->{deals}}), 2, 'both deals are the firm\'s');
