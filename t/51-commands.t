# The dry run: what was or would be sent of one order, in its JSON and on its
# page.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Orders;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

our $http = B24::Orders::http();
our $dry = B24::Orders::http(webhook => '$TEST_NGINX_PORTAL_URL dry');
our $server = B24::Orders::server(more => <<'EOC');
    location /open {
        b24_status reveal;
    }
EOC


# The commands of order N as JSON, decoded; of the desk at `$prefix`.
sub commands {
    my ($n, $prefix) = @_;

    my $id = B24::Orders::order_id($n);
    my $answer = B24::Scenario::get(($prefix // '/b24')
                                    . "/orders/$id?format=json");

    die "the order answers $answer->{status}\n" if $answer->{status} != 200;

    return JSON::PP::decode_json($answer->{body})->{commands};
}

# Parameters of the first one with that method.
sub params {
    my ($method, $commands) = @_;

    my ($command) = grep { $_->{method} eq $method } @$commands;

    return $command && $command->{params};
}

plan tests => repeat_each() * 2 * blocks();

run_tests();

__DATA__

=== TEST 1: nothing is sent, all is shown
--- http_config eval: $::dry
--- config eval: $::server
--- scenario
    place([7, name => 'Ivan Petrov', phone => '+7 916 123-45-67',
           email => 'ivan@example.com', comment => 'Ring twice']);
    B24::Scenario::wait_until(sub { record(7) });

    is(B24::Desk::status()->{portals}[0]{state}, 'dry', 'the portal');
    is(record(7)->{state}, 'accepted', 'the order is kept');

    my $commands = main::commands(7);
    my $contact = main::params('crm.contact.add', $commands);
    my $deal = main::params('crm.deal.add', $commands);
    my $rows = main::params('crm.deal.productrows.set', $commands);

    is($contact->{fields}{PHONE}[0]{VALUE}, '+7916*****67', 'phone');
    is($contact->{fields}{EMAIL}[0]{VALUE}, 'i***@e******.com', 'e-mail');
    is($contact->{fields}{NAME}, 'I*** P*****', 'name');
    is($deal->{fields}{TITLE}, 'Order #o-7', 'title');
    is($deal->{fields}{STAGE_ID}, 'NEW', 'stage');
    is($deal->{fields}{ORIGINATOR_ID}, 'tested', 'origin');
    is($deal->{fields}{COMMENTS}, 'R*** t****', 'comment');
    is_deeply($deal->{fields}{CONTACT_IDS}, ['$result[c]'], 'reference');
    ok(@{$rows->{rows}}, 'rows');
    is_deeply(main::params('crm.duplicate.findbycomm', $commands),
              { type => 'PHONE', entity_type => 'CONTACT',
                values => ['+7916*****67'] }, 'look-up');

    my $page = get('/b24/orders/o-7?format=html')->{body};

    like($page, qr/<details open><summary>Commands.*crm\.deal\.add/s, 'the page');
    unlike($page, qr/Petrov|ivan@|1234567|Ring/, 'nobody on the page');

    is(main::params('crm.contact.add', main::commands(7, '/open'))
           ->{fields}{PHONE}[0]{VALUE}, '+79161234567', 'revealed');

    is(scalar(@{main::portal()->report->{journal}}), 0,
       'the portal was asked nothing');



=== TEST 2: of a delivered order
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(8);
    is(settled(8)->{state}, 'delivered', 'delivered');

    my $commands = main::commands(8);
    my $sent = deals()->{'o-8'}[0];

    my $deal = main::params('crm.deal.add', $commands)->{fields};
    is($deal->{uc $_}, $sent->{$_}, $_)
        for qw(title origin_id originator_id stage_id opportunity);
    ok(main::params('crm.contact.add', $commands), 'contact');

    unlike(JSON::PP::encode_json($commands), qr{/rest/|https?:},
           'no address of the portal');



=== TEST 3: of what is refused, what is left
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::portal()->fault(kind => 'command', method => 'productrows\.set',
        error => 'ERROR_CORE', description => 'Wrong value');
    place(9);
    is(settled(9)->{state}, 'parked', 'parked');

    my $commands = main::commands(9);
    my $deal = deals()->{'o-9'}[0];

    ok(!main::params('crm.deal.add', $commands), 'the deal is there');
    is(main::params('crm.deal.productrows.set', $commands)->{id},
       $deal->{id}, 'its rows are not');
