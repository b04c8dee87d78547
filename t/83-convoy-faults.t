# A backlog when things go wrong around it: the shop's database, other origins
# of the portal, its methods, the workers.

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

# what is in doubt stays so for a minute
our $doubtful = B24::Crm::http(retry => 'first=100ms max=500ms unknown=1m');

# a second shop of the portal, whose database is not there
$ENV{TEST_NGINX_DB_NOBODY} = 'mysql://b24:secret@127.0.0.1:'
                             . B24::Test::free_port() . '/shop';

our $both = B24::Crm::http(retry => 'first=100ms max=500ms unknown=1s',
    stages => <<'EOC',
        stage N NEW;  default_status N;

        database {
            order "SELECT id FROM orders WHERE number = :number";
        }
EOC
    servers => B24::Crm::named_server('second', 'b24_origin second;',
        'b24_database $TEST_NGINX_DB_NOBODY connect=1s wait=1s'
        . ' absent=3s;',
        'location /checkout { proxy_pass http://127.0.0.1:'
        . '$TEST_NGINX_PORT_1; }'));

{
    package B24::Scenario::Code;

    use B24::Crm qw(deal_of so_far told);

    # each method takes that long
    sub slow {
        my ($seconds) = @_;

        portal()->fault(kind => 'slow', durations => { map { $_ => $seconds }
            qw(crm.contact.add crm.deal.add crm.deal.productrows.set) });
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a shop whose database is asked holds up no other's
--- http_config eval: $::both
--- config eval: $::server
--- scenario
    pile('two', 130, sub {
        my ($n) = @_;

        return ($n <= 30 ? { host => 'second' } : ()), buyer($n);
    });
    resume();
    once('two', 130);



=== TEST 2: a buyer's next orders come right behind the first
--- http_config eval: $::doubtful
--- config eval: $::server
--- scenario
    slow(0.05);

    my $before = pile('many', 40, sub { (buyer($_[0])) });

    resume();
    ok(wait_until(sub { so_far() > $before + 1 }), 'they are on their way');

    pile('next', 40, sub { (buyer($_[0])) });
    resume();

    once('many', 40);

    my $crm = once('next', 40, timeout => 30);

    is(scalar(grep { $_->{state} ne 'delivered' } all_records()), 0,
       'none waits until a doubt is over');
    is(scalar(keys %{$crm->{contacts}}), 40, 'nobody is made twice');



=== TEST 3: a portal without the methods of b24_api
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->config(gone => ['crm.deal.*', map { ("crm.contact.$_",
        "crm.company.$_") } qw(add get list update)]);

    pile('gone', 40, sub { (buyer($_[0])) });
    resume();

    my $crm = once('gone', 40);

    is(scalar(keys %{$crm->{contacts}}), 40, 'one contact a buyer');

    my $from = portal()->report->{journal}[-1]{seq};

    ok(order(id => 'gone-a', buyer(1)), 'one more');
    delivered('gone-a');

    is(scalar(grep { ($_->{error} // '') =~ /METHOD_NOT_FOUND/ }
              map { @{$_->{commands} // []} }
              grep { $_->{seq} > $from } @{portal()->report->{journal}}),
       0, 'the methods that it has are kept to');



=== TEST 4: many orders of a known buyer who has another e-mail now
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    deal_of('phone', phone => phone(1), name => 'Buyer 1');
    pile('email', 40, sub { (buyer(1)) });
    resume();

    my $crm = once('email', 40);
    my ($contact) = values %{$crm->{contacts}};

    is(scalar(keys %{$crm->{contacts}}), 1, 'they have one contact');
    is("@{$contact->{emails}}", 'buyer1@example.com', 'which got it once');



=== TEST 5: and has two of them
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    deal_of('phone', phone => phone(1), name => 'Buyer 1');
    pile('emails', 40, sub { (phone => phone(1), name => 'Buyer 1',
                              email => 'e' . $_[0] % 2 . '@example.com') });
    resume();

    my $crm = once('emails', 40);
    my ($contact) = values %{$crm->{contacts}};

    is(scalar(keys %{$crm->{contacts}}), 1, 'they have one contact');
    is(join(' ', sort @{$contact->{emails}}), 'e0@example.com e1@example.com',
       'with both, once');



=== TEST 6: many orders of one firm
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    pile('firm', 40, sub { (buyer($_[0]), company => 'Acme',
                            inn => '7707083893', kpp => '773601001') });
    resume();

    my $crm = once('firm', 40);
    my @firms = values %{$crm->{companies}};

    is(scalar(@firms), 1, 'one firm');
    is(scalar(@{$firms[0]{requisites}}), 1, 'with one requisite');
    is(scalar(grep { $crm->{deals}{"firm-$_"}[0]{company_id}
                     == $firms[0]{id} } 1 .. 40), 40, 'of all deals');



=== TEST 7: a portal that finds new contacts late
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    portal()->config(index_lag => { requests => 8 });

    pile('late', 96, sub { (buyer($_[0] % 32)) });
    resume();

    my $crm;

    # more of them, while these are on their way
    for my $n (1 .. 30) {
        order(id => "more-$n", buyer($n));
    }

    once('late', 96);
    $crm = once('more', 30);

    is(scalar(keys %{$crm->{contacts}}), 32, 'one contact a buyer');



=== TEST 8: one order behind a request that hangs
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    ok(order(id => 'first-1', buyer(8001)), 'an order is placed');
    portal()->wait_for(held => 1);

    # far from the number that makes a convoy
    ok(order(id => 'second-1', buyer(8002)), 'another one');
    once('second', 1);
    is(portal()->report->{counts}{held}, 1, 'the first one hangs meanwhile');

    portal()->release;
    once('first', 1);
