# The portal misbehaves in every way known of it: no order is lost, none
# arrives twice, the others go on, and the page says why.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portal_tls => 1;
use Test::Nginx::Socket;

use B24::Orders;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

our $http = B24::Orders::http();
our $server = B24::Orders::server();

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the write is lost on its way to the portal
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_before', method => 'crm\.deal\.add');
    is(place(1), 1, 'the shop accepts');
    is(settled(1)->{state}, 'delivered', 'in the end');
    delivered_once(1);
    is(join(' ', map { $_->{kind} } journal()), 'look write look write',
       'looked up before it is sent again');
    is(record(1)->{attempts}, 2, 'attempts');
    like(join("\n", timeline(1)), qr/waiting: .*connection to the portal/,
         'the timeline tells');



=== TEST 2: the answer is lost: what was made is found
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_after', method => 'crm\.deal\.add');
    is(place(1), 1, 'the shop accepts');

    my $report = portal()->wait_for(deals => 1, contacts => 1);
    is(settled(1)->{state}, 'delivered', 'in the end');
    delivered_once(1);
    is(record(1)->{deal_id}, $report->{deals}[0]{id}, 'with its deal');

    my @adds = grep { join(' ', values %{$_->{params}{cmd}}) =~ /deal\.add/ }
                    grep { $_->{kind} eq 'write' } journal();
    is(scalar @adds, 1, 'created by one request');
    like(join("\n", timeline(1)), qr/delivered: the deal was there already/,
         'the timeline tells');
