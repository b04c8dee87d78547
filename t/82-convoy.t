# A backlog: when more than a few orders of a portal wait, the oldest of them go
# side by side, many in one request.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Backlog;
use B24::Crm;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);
log_level('info');

our $http = B24::Crm::http(retry => 'first=100ms max=500ms unknown=1s');
our $server = B24::Crm::server();

# one whose batches take some seconds: what it was sent is not over before
our $patient = B24::Crm::http(retry => 'first=100ms max=500ms unknown=8s');

# a portal that gives a method a second of ten
our $limited = B24::Crm::http(retry => 'first=100ms max=500ms unknown=1s',
    rate => '100 burst=5000 operating=1s window=10s batch=500ms');

{
    package B24::Scenario::Code;

    use B24::Crm qw(so_far told);

    # a tenth of a second each
    sub limits {
        my (%option) = @_;

        my %took = map { $_ => 0.1 } qw(crm.contact.add crm.deal.add
            crm.deal.productrows.set crm.deal.get);

        portal()->config(operating => { enabled => 1, limit => 1,
            window => 10, cost => \%took, %option });
        portal()->fault(kind => 'slow', durations => \%took);
    }

    # commands and requests that the portal has refused for their time
    sub refused {
        my ($from) = @_;

        return scalar grep { ($_ // '') eq 'OPERATION_TIME_LIMIT' }
               map { ($_->{error}, map { $_->{error} } @{$_->{commands} // []}) }
               grep { $_->{seq} > $from } @{portal()->report->{journal}};
    }
}

plan tests => 2 * blocks() + 1;

run_tests();

__DATA__

=== TEST 1: new buyers: few requests, each order whole
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $before = pile('new', 60, sub { my ($n) = @_; (buyer($n),
        total => sprintf('%d.10', 1000 + $n), delivery => '10.10',
        items => [{ name => "Thing $n", price => 990 + $n, quantity => 1 }]) });

    resume();

    my $crm = once('new', 60);
    my $took = so_far() - $before;

    cmp_ok($took, '<=', 15, "60 orders took $took requests");

    my @wrong = grep {
        my $deal = $crm->{deals}{"new-$_"}[0];

        called($deal->{contact}) ne "Buyer $_"
            || $deal->{opportunity} ne sprintf('%d.10', 1000 + $_)
            || $deal->{rows}[0]{product_name} ne "Thing $_"
            || @{$deal->{rows}} != 2
    } 1 .. 60;

    is("@wrong", '', 'each has its own buyer, total and rows');
    is(scalar(keys %{$crm->{contacts}}), 60, 'one contact a buyer');



=== TEST 2: buyers that are known: fewer still
--- http_config eval: $::http
--- config eval: $::server
--- keep_state
--- scenario
    my $before = pile('old', 60, sub { (buyer($_[0])) });

    resume();

    my $crm = once('old', 60);
    my $took = so_far() - $before;

    cmp_ok($took, '<=', 9, "60 orders took $took requests");
    is(scalar(keys %{$crm->{contacts}}), 60, 'nobody is made twice');

    my @wrong = grep { $crm->{deals}{"old-$_"}[0]{contact}{id}
                       != $crm->{deals}{"new-$_"}[0]{contact}{id} } 1 .. 60;

    is("@wrong", '', 'each deal is with its buyer');



=== TEST 3: one buyer's orders: one contact; a firm's: one firm
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    pile('same', 30, sub {
        my ($n) = @_;

        return $n % 3 == 0 ? (buyer(1001))
             : $n % 3 == 1 ? (buyer(2000 + $n), company => 'Acme',
                              inn => '7707083893', kpp => '773601001')
             : (phone => phone(1001), name => 'Buyer 1001');
    });

    resume();

    my $crm = once('same', 30);
    my @firms = values %{$crm->{companies}};

    is(scalar(grep { called($_) eq 'Buyer 1001' } values %{$crm->{contacts}}),
       1, 'twenty orders of one buyer have one contact');
    is(scalar(@firms), 1, 'ten of one firm have one company');
    is(scalar(@{$firms[0]{requisites}}), 1, 'with one requisite');
    is(scalar(grep { $crm->{deals}{"same-$_"}[0]{company_id}
                     == $firms[0]{id} } grep { $_ % 3 == 1 } 1 .. 30), 10,
       'which all of their deals have');



=== TEST 4: what the portal refuses of one order is that order's alone
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'command', method => '^crm\.deal\.add$',
                    params => 'bad-17"', times => 0, error => '',
                    description => 'Wrong value.');
    portal()->fault(kind => 'command', method => '^crm\.contact\.add$',
                    params => 'buyer3005@',
                    times => 0, error => '', description => 'Wrong value.');

    pile('bad', 40, sub { (buyer(3000 + $_[0])) });
    resume();

    once('bad', 40, but => [17, 5]);
    told('bad-17', qr/^parked: Bitrix24 answered Wrong value/, 'a deal');
    told('bad-5', qr/^parked: Bitrix24 answered Wrong value/, 'a contact');

    my $crm = whole_crm();

    is(scalar(@{$crm->{deals}{'bad-17'} // []}), 0, 'no deal of the one');
    is(scalar(@{$crm->{deals}{'bad-5'} // []}), 0, 'nor of the other');



=== TEST 5: answers that get lost, at each stage: nothing is made twice
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_after', method => "^$_\$", times => 1)
        for qw(crm\.contact\.add crm\.deal\.add crm\.deal\.productrows\.set);
    portal()->fault(kind => 'drop_before', method => '^crm\.deal\.add$',
                    times => 1);
    portal()->fault(kind => 'half', method => '^crm\.contact\.add$',
                    times => 1);

    pile('lost', 50, sub { (buyer(4000 + $_[0])) });
    resume();

    my $crm = once('lost', 50, timeout => 120);

    is(scalar(keys %{$crm->{contacts}}), 50, 'nor is any contact');
    is(scalar(grep { @{$_->[0]{rows}} != 2 } values %{$crm->{deals}}), 0,
       'all deals have their rows');



=== TEST 6: what is fresh does not wait for them
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'slow', durations => {
        'crm.contact.add' => 0.3, 'crm.deal.add' => 0.3,
        'crm.deal.productrows.set' => 0.3 });

    my $before = pile('slow', 40, sub { (buyer(5000 + $_[0])) });

    resume();
    ok(wait_until(sub { so_far() > $before }), 'they are on their way');

    my $made = keys %{whole_crm()->{deals}};

    ok(order(id => 'fresh-1', buyer(5999)), 'one more is placed');

    my $crm;

    ok(wait_until(sub {
        $crm = whole_crm();
        return $crm->{deals}{'fresh-1'};
    }), 'it has a deal');

    cmp_ok(scalar(grep { $_->[0]{id} < $crm->{deals}{'fresh-1'}[0]{id} }
                  values %{$crm->{deals}}) - $made, '<', 20,
           'before most of the others');
    once('slow', 40, timeout => 120);



=== TEST 7: a worker is killed in the middle
--- http_config eval: $::patient
--- config eval: $::server
--- error_log eval: qr/exited on signal 9/
--- log_level: notice
--- scenario
    portal()->fault(kind => 'slow', durations => {
        'crm.contact.add' => 0.05, 'crm.deal.add' => 0.05,
        'crm.deal.productrows.set' => 0.05 });

    pile('kill', 60, sub { (buyer(6000 + $_[0])) });
    resume();

    for my $deals (1, 20, 40) {
        wait_until(sub { keys %{whole_crm()->{deals}} >= $deals });
        kill 'KILL', worker_pids();
    }

    my $crm = once('kill', 60, timeout => 120);

    is(scalar(keys %{$crm->{contacts}}), 60, 'no contact is made twice');



=== TEST 8: a reload hands them on
--- http_config eval: $::patient
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'slow', durations => {
        'crm.contact.add' => 0.05, 'crm.deal.add' => 0.05,
        'crm.deal.productrows.set' => 0.05 });

    pile('load', 60, sub { (buyer(7000 + $_[0])) });
    resume();

    for my $deals (1, 30) {
        wait_until(sub { keys %{whole_crm()->{deals}} >= $deals });
        reload();
    }

    my $crm = once('load', 60, timeout => 120);

    is(scalar(keys %{$crm->{contacts}}), 60, 'no contact is made twice');



=== TEST 9: what the portal gives a method is not exceeded, by inner methods
--- http_config eval: $::limited
--- config eval: $::server
--- timeout: 120
--- scenario
    limits(batch => 0);

    my $before = pile('time', 16, sub { (buyer(8000 + $_[0])) });

    resume();
    once('time', 16, timeout => 90);
    is(refused($before), 0, 'nothing was refused for it');



=== TEST 10: the same where batches are counted
--- http_config eval: $::limited
--- config eval: $::server
--- timeout: 120
--- scenario
    limits(batch => 0.5);

    my $before = pile('half', 16, sub { (buyer(9000 + $_[0])) });

    resume();
    once('half', 16, timeout => 90);
    is(refused($before), 0, 'nothing was refused for it');



=== TEST 11: what is left of it is known after a restart
--- http_config eval: $::limited
--- config eval: $::server
--- timeout: 120
--- scenario
    limits(batch => 0);

    my $before = pile('past', 9, sub { (buyer(10_000 + $_[0])) });

    resume();
    once('past', 9, timeout => 60);

    quit();
    start_again();

    pile('next', 9, sub { (buyer(11_000 + $_[0])) });
    resume();
    once('next', 9, timeout => 60);
    is(refused($before), 0, 'nothing was refused for it');
