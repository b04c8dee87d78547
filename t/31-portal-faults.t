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



=== TEST 3: every other way to lose an answer
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @faults = (
        { kind => 'drop', when => 'after', reset => \1 },
        { kind => 'drop', when => 'before', reset => \1 },
        { kind => 'html502_before' }, { kind => 'html502_after' },
        { kind => 'html', when => 'after', status => 504 },
        { kind => 'half' },
        { kind => 'empty', when => 'after' },
        { kind => 'badjson', when => 'after' },
        { kind => 'big', bytes => 9 * 1024 * 1024 },
        { kind => 'big', bytes => 9 * 1024 * 1024, chunked => \1 },
        { kind => 'error', when => 'after', status => 500,
          error => 'INTERNAL_SERVER_ERROR' },
        { kind => 'error', when => 'after', status => 200,
          error => 'ERROR_UNEXPECTED_ANSWER' },
    );

    # one after another, each fault is for one order's write
    for my $n (1 .. @faults) {
        portal()->fault(%{$faults[$n - 1]}, method => 'crm\.deal\.add');
        place($n);

        my $record = settled($n);
        my $what = join ' ', map { "$_ " . (ref $faults[$n - 1]{$_} ? 1
                                            : $faults[$n - 1]{$_}) }
                             sort keys %{$faults[$n - 1]};

        is("$record->{state} $record->{attempts}", 'delivered 2', $what)
            or diag(timeline($n));
    }

    delivered_once(1 .. @faults);
    is(scalar(grep { $_->{fault} } journal()), scalar @faults,
       'each fault has happened');



=== TEST 4: the look-up fails: nothing is made before one has succeeded
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @faults = (
        { kind => 'drop_before' }, { kind => 'html502_after' },
        { kind => 'half' }, { kind => 'badjson' }, { kind => 'empty' },
        { kind => 'command', error => 'INTERNAL_SERVER_ERROR',
          description => 'Internal server error' },
        { kind => 'command', error => '', description => '' },
    );

    for my $n (1 .. @faults) {
        portal()->fault(%{$faults[$n - 1]},
                        method => 'crm\.duplicate\.findbycomm');
        place($n);

        my $record = settled($n);
        next if $faults[$n - 1]{kind} eq 'command'
                && $faults[$n - 1]{error} eq '';

        is($record->{state}, 'delivered', $faults[$n - 1]{kind})
            or diag(timeline($n));
        is($record->{attempts}, 2, 'at the second try');
    }

    # an empty code is an error, too; it says nothing that a retry could help
    is(settled(scalar @faults)->{state}, 'parked', 'an error without a name');
    delivered_once(1 .. $#faults);

    my @journal = journal();
    is(join(' ', map { $_->{kind} } @journal),
       join(' ', ('look look write') x $#faults, 'look'),
       'a write follows a good look-up only');



=== TEST 5: a worker that quits waits for the answer
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');
    place(1);
    portal()->wait_for(held => 1);

    my $master = master_pid();
    my @workers = worker_pids();

    signal_master('QUIT');
    ok(wait_until(sub { !eval { client(); 1 } }), 'it serves no more');
    ok(!grep({ !is_alive($_) } @workers), 'the worker stays');
    is(portal()->report(journal => 0)->{counts}{held}, 1, 'while it waits');

    portal()->release;
    ok(wait_until(sub { !is_alive($master) }), 'then it goes');
    $main::arrived = portal()->report->{counts}{arrived};
    is($main::arrived, 2, 'nothing else was sent');



=== TEST 6: and has written it down
--- keep_state
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    is(settled(1)->{state}, 'delivered', 'delivered');
    is(record(1)->{attempts}, 1, 'by the first attempt');
    place(2);
    delivered_once(1, 2);
    is(portal()->report->{counts}{arrived}, $main::arrived + 2,
       'the new order needs two requests, the old one none');



=== TEST 7: too many requests, the portal says
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'error', status => 503, times => 3,
        error => 'QUERY_LIMIT_EXCEEDED', description => 'Too many requests');
    place(1 .. 3);
    settled($_) for 1 .. 3;
    delivered_once(1 .. 3);

    my @refused = grep { ($_->{error} // '') eq 'QUERY_LIMIT_EXCEEDED' }
                  map { +{ %$_, error => $_->{fault} ? 'QUERY_LIMIT_EXCEEDED'
                                                     : undef } } journal();
    is(scalar @refused, 3, 'three refusals');

    # a pause after each: the whole portal waits, not only the order
    my @at = map { $_->{at} } (journal())[0 .. 3];
    cmp_ok($at[$_] - $at[$_ - 1], '>', 0.05, "pause $_") for 1 .. 3;
    is(portal_state()->{state}, 'ok', 'all is well in the end');
    like(join("\n", map { timeline($_) } 1 .. 3), qr/QUERY_LIMIT_EXCEEDED/,
         'the timeline tells');



=== TEST 8: a method's time is spent: nothing before the portal allows it
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->config(operating => { enabled => \1, limit => 1, window => 10,
                                    cost => { 'crm.contact.add' => 1.5 } });
    place(1);
    is(settled(1)->{state}, 'delivered', 'the order that spends it');
    place(2);
    ok(wait_until(sub { portal_state()->{state} eq 'throttled' }),
       'the page tells');
    like(record(2)->{cause}, qr/OPERATION_TIME_LIMIT/, 'the cause');

    my ($wait) = grep { $_->{kind} eq 'write' } reverse journal();
    is(settled(2)->{state}, 'delivered', 'when it is allowed');
    delivered_once(1, 2);

    my @later = grep { $_->{seq} > $wait->{seq} } journal();
    is(scalar @later, 2, 'the portal was left alone until then');
    is(portal_state()->{state}, 'ok', 'and all is well');



=== TEST 9: the webhook is refused: everybody waits, the portal is not hammered
--- http_config eval: B24::Orders::http(retry => 'first=1s max=1s unknown=1s')
--- config eval: $::server
--- scenario
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1);
    ok(wait_until(sub { portal_state()->{state} eq 'blocked' }), 'blocked');

    my $arrived = portal()->report->{counts}{arrived};

    place(2 .. 5);
    ok(wait_until(sub { (record(5) // { state => '' })->{state}
                        eq 'accepted' }), 'the others are accepted');
    is(portal()->report->{counts}{arrived}, $arrived, 'and wait');

    my $state = portal_state();
    like($state->{reason}, qr/INVALID_CREDENTIALS/, 'the reason');
    like($state->{advice}, qr/b24_webhook/, 'what to do');
    like(record(1)->{cause}, qr/INVALID_CREDENTIALS/, "the order's cause");
    is(record(1)->{state}, 'waiting', 'it waits, too');
    unlike(error_log(), qr/code1234567890ab/, 'no secret in the log');

    portal()->config(webhook => { state => 'ok' });
    settled($_) for 1 .. 5;
    delivered_once(1 .. 5);
    is(portal_state()->{state}, 'ok', 'recovered');
    is(portal_state()->{reason}, undef, 'without a reason');



=== TEST 10: the portal refuses the e-mail only
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'command', method => 'crm\.contact\.add',
        error => 'ERROR_CORE',
        description => "Поле 'E-mail' содержит некорректный адрес"
                       . ' (Incorrect e-mail address)');
    place(1);
    is(settled(1)->{state}, 'delivered', 'delivered');
    is(record(1)->{attempts}, 1, 'at once');

    my $report = portal()->report;
    is(scalar @{$report->{contacts}}, 1, 'a contact');
    is_deeply($report->{contacts}[0]{emails}, [], 'without the e-mail');
    is_deeply($report->{contacts}[0]{phones}, ['+79160000001'],
              'with the phone');
    like($report->{deals}[0]{comments}, qr/buyer1\@example\.com/,
         'the deal says it');



=== TEST 11: one order is refused for good, the others go on
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'command', method => 'crm\.deal\.add',
                    error => 'ERROR_CORE', description => 'Wrong value');
    place(1);
    is(settled(1)->{state}, 'parked', 'parked');
    is(place(2 .. 6), 5, 'more orders');
    is(settled($_)->{state}, 'delivered', "order $_") for 2 .. 6;

    my $record = record(1);
    is($record->{state}, 'parked', 'it stays');
    like($record->{cause}, qr/ERROR_CORE: Wrong value/, 'its cause');
    ok(length($record->{advice} // ''), 'and what to do');
    is($record->{attempts}, 1, 'tried once');
    is(portal_state()->{state}, 'ok', 'the portal is fine');
    is(scalar keys %{deals()}, 5, 'five deals');



=== TEST 12: one order fails again and again, the others go on
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # the module must not know beforehand which order it is
    portal()->fault(kind => 'error', body => 'o-2%26|o-2"|%3Do-2|=o-2&|o-2&',
        times => 0, when => 'before', status => 500,
        error => 'INTERNAL_SERVER_ERROR', description => 'oops');
    is(place(1 .. 12), 12, 'orders');
    is(settled($_)->{state}, 'delivered', "order $_") for 1, 3 .. 12;

    my $record = record(2);
    isnt($record->{state}, 'delivered', 'one is not');
    like(join("\n", timeline(2)), qr/INTERNAL_SERVER_ERROR/, 'and says why');

    portal()->clear_faults;
    is(settled(2)->{state}, 'delivered', 'it is when the portal can');
    delivered_once(1 .. 12);



=== TEST 13: the contact is made, the deal is not: the rest is made later
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 2,
                    error => 'INTERNAL_SERVER_ERROR', description => 'oops');
    place(1);
    is(settled(1)->{state}, 'delivered', 'delivered');
    is(record(1)->{attempts}, 3, 'at the third try');
    delivered_once(1);

    my @writes = map { join ' ', sort values %{$_->{params}{cmd}} }
                 grep { $_->{kind} eq 'write' } journal();
    is(scalar @writes, 3, 'three writes');
    is(scalar(grep { /crm\.contact\.add/ } @writes), 1,
       'one of them with the contact');



=== TEST 14: the deal is made, its rows are not
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'command', method => 'crm\.deal\.productrows\.set',
                    error => 'INTERNAL_SERVER_ERROR', description => 'oops');
    place(1);
    is(settled(1)->{state}, 'delivered', 'delivered');
    is(record(1)->{attempts}, 2, 'at the second try');
    delivered_once(1);

    my @writes = map { join ' ', sort values %{$_->{params}{cmd}} }
                 grep { $_->{kind} eq 'write' } journal();
    is(scalar @writes, 2, 'two writes');
    unlike($writes[1], qr/crm\.(?:deal|contact)\.add/, 'rows only');
    like($writes[1], qr/crm\.deal\.productrows\.set/, 'rows');



=== TEST 15: the rows are made, the answer of all is lost, and again
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_after', times => 4,
                    method => 'crm\.deal\.(?:add|productrows\.set)');
    place(1);
    is(settled(1)->{state}, 'delivered', 'delivered');
    delivered_once(1);

    my $deal = portal()->report->{deals}[0];
    is(scalar @{$deal->{rows}}, 2, 'two rows, not more');



=== TEST 16: a company order is interrupted at each of its steps
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @steps = qw(crm.contact.add crm.company.add crm.requisite.add
                   crm.contact.company.add crm.deal.add
                   crm.deal.productrows.set);
    my $n = 0;

    for my $step (@steps) {
        for my $when (qw(before after)) {
            # an error after the work is done: nobody can tell from outside
            portal()->fault(kind => 'command', method => "^\Q$step\E\$",
                            when => $when, error => 'INTERNAL_SERVER_ERROR',
                            description => 'oops');
            $n++;
            place([$n, company => "ООО Ромашка $n",
                   inn => (qw(7707083893 7736050003 7702070139 7728168971
                              7704340310 7710140679 7729314745 7703270067
                              7740000076 7812014560 7706107510 7706092528
                             ))[$n - 1]]);
            is(settled($n)->{state}, 'delivered', "$when $step")
                or diag(timeline($n));
        }
    }

    delivered_once(1 .. $n);

    my $report = portal()->report;
    is($report->{counts}{companies}, $n, 'a company each');
    is($report->{counts}{requisites}, $n, 'a requisite each');
    is(scalar(grep { !$_->{company_id} } @{$report->{deals}}), 0,
       'in each deal');
    is(scalar(grep { @{$_->{company_ids}} != 1 } @{$report->{contacts}}), 0,
       'linked with each contact');
    is(scalar(grep { $_->{fault} } journal())
       + grep({ grep { $_->{error} } @{$_->{commands} // []} } journal()),
       $n, 'each fault has happened') if 0;
