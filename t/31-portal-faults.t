# The portal misbehaves in every way known of it: no order is lost, none
# arrives twice, the others go on, and the page says why.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portal_tls => 1, upstream => 1;
use Test::Nginx::Socket;

use B24::Orders;
use IO::Select;
use IO::Socket::INET;
use POSIX ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

our $http = B24::Orders::http();
our $server = B24::Orders::server();

# Hands connections to another address on to 127.0.0.1; returns its pid.
sub forwarder {
    my ($address, $port) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => $address,
        LocalPort => $port, Listen => 8, ReuseAddr => 1)
        or die "cannot listen on $address:$port: $!\n";
    my $pid = fork // die "cannot fork: $!\n";

    return $pid if $pid;

    local $SIG{TERM} = 'DEFAULT';
    local $SIG{CHLD} = 'IGNORE';

    while (my $client = $listen->accept) {
        next if fork;
        forward($client, $port);
        POSIX::_exit(0);
    }

    POSIX::_exit(0);
}

sub forward {
    my ($client, $port) = @_;

    my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port) or return;
    my $both = IO::Select->new($client, $server);

    while (my @ready = $both->can_read(20)) {
        for my $from (@ready) {
            my $n = sysread $from, my $data, 65536;
            return if !$n;
            syswrite $from == $client ? $server : $client, $data;
        }
    }
}

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
    # a look-up whose reused connection was dropped is repeated by curl
    my @faults = (
        { kind => 'drop_before', times => 2 }, { kind => 'html502_after' },
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
       join(' ', 'look', ('look look write') x $#faults, 'look'),
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
    is(portal()->wait_for(stable_ms => 1500)->{counts}{held}, 1, 'it waits');
    ok(!grep({ !is_alive($_) } @workers), 'the worker stays');

    portal()->release;
    ok(wait_until(sub { !is_alive($master) }), 'then it goes');
    $main::arrived = journal();
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
    is(scalar(journal()), $main::arrived + 2,
       'the new order needs two requests, the old one none');



=== TEST 7: too many requests, the portal says
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'error', status => 503, times => 3,
        method => 'crm\.deal\.list',
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
    cmp_ok(portal_state()->{rate}{now}, '<=', 50, 'the rate is lower');
    is(portal_state()->{rate}{limit}, 100, 'than it was told');
    like(join("\n", map { timeline($_) } 1 .. 3), qr/QUERY_LIMIT_EXCEEDED/,
         'the timeline tells');



=== TEST 8: a method's time is spent, nobody knows until when
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->config(operating => { enabled => \1, limit => 1, window => 600,
                                    cost => { 'crm.contact.add' => 1.5 } });
    place(1);
    is(settled(1)->{state}, 'delivered', 'the order that spends it');
    place(2);
    ok(wait_until(sub { portal_state()->{state} eq 'throttled' }),
       'the page tells');

    my $record = settled(2, 'waiting');
    like($record->{cause}, qr/OPERATION_TIME_LIMIT/, 'the cause');
    like($record->{advice}, qr/Nothing to do/, 'and the advice');
    ok(error_log_lines(qr/OPERATION_TIME_LIMIT.*next try in 300000 ms/),
       'a long pause');

    my $arrived = portal()->report->{counts}{arrived};

    place(3);
    ok(wait_until(sub { record(3) }), 'the next order is accepted');
    is(portal()->wait_for(stable_ms => 1000)->{counts}{arrived}, $arrived,
       'the portal is left alone');



=== TEST 9: a method's time is spent, the portal says until when
--- http_config eval
B24::Orders::http(webhook => 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/rest/1/code/')
--- config eval: $::server
--- scenario
    my $until = int(time) + 2;
    my $error = '{"error":"OPERATION_TIME_LIMIT","error_description":"Method'
                . ' is blocked due to operation time limit.","time":'
                . '{"operating":480.5,"operating_reset_at":' . $until . '}}';

    # what the portal is asked at the start comes first
    upstream()->wait_for(target => '^/rest/', count => 1);
    upstream()->script(target => '^/rest/', status => 429, body => $error);
    place(1);

    my (undef, @got) = upstream()->wait_for(target => '^/rest/', count => 3);
    is(scalar @got, 2, 'two requests');
    cmp_ok($got[1]{time}, '>=', $until, 'the second when it is allowed');
    settled(1, 'waiting');
    like(record(1)->{cause}, qr/OPERATION_TIME_LIMIT/, 'the cause');



=== TEST 10: the webhook is refused: everybody waits, the portal is not hammered
--- http_config eval: B24::Orders::http(retry => 'first=1s max=1s unknown=1s')
--- config eval: $::server
--- scenario
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1);
    ok(wait_until(sub { portal_state()->{state} eq 'blocked' }), 'blocked');

    # while it is blocked the portal is asked once a second, or a bit sooner
    my $since = Time::HiRes::time();
    my $arrived = portal()->report->{counts}{arrived};

    place(2 .. 5);
    ok(wait_until(sub { (record(5) // { state => '' })->{state}
                        eq 'accepted' }), 'the others are accepted');

    my $asked = portal()->report->{counts}{arrived} - $arrived;

    cmp_ok($asked, '<=', (Time::HiRes::time() - $since) / 0.8 + 1, 'and wait');

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



=== TEST 11: the portal refuses the e-mail only
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



=== TEST 12: one order is refused for good, the others go on
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



=== TEST 13: one order fails again and again, the others go on
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # the module must not know beforehand which order it is
    portal()->fault(kind => 'error', body => 'o-2(?!\d)',
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



=== TEST 14: the contact is made, the deal is not: the rest is made later
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



=== TEST 15: the deal is made, its rows are not
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



=== TEST 16: the rows are made, the answer of all is lost, and again
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



=== TEST 17: a company order is interrupted at each of its steps
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
    is(scalar(grep { grep { defined $_->{error} } @{$_->{commands}} }
              journal()), $n, 'each fault has happened');



=== TEST 18: texts that would be commands
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my @evil = (
        '$result[d]', '$result[ph][CONTACT][0]', '$RESULT[deal]',
        '$result_error[d]', '$result_total[d]', '$result_next[d]',
        '$$result[d]', '&cmd[x]=crm.deal.delete?id=1', '?id=1#', 'a+b c%2Bd',
        '%24result%5Bd%5D', '[url=http://evil.test]x[/url]', '[b]b[/b]',
        '<script>alert(1)</script>', q{'); DROP TABLE orders; --},
        '"}],"cmd":{"x":"crm.deal.delete?id=1"}', "line\nline\ttab",
        '{{brace}} ${brace}', '\\u0024result[d] \\', "\x{0}zero",
    );

    my $n = 0;

    for my $evil (@evil) {
        $n++;
        # one field after another, then all
        is(place([$n, comment => "c $evil"],
                 [$n + 100, name => "n $evil"],
                 [$n + 200, items => [ { name => "i $evil", price => '795.00',
                                         qty => '2' } ]],
                 [$n + 300, company => "f $evil"],
                 [$n + 400, id => "o-4$evil$n"],
                 [$n + 500, email => "$evil\@example.com"],
                 [$n + 600, phone => sprintf '+7916%07d %s', $n + 600, $evil]),
           7, $evil =~ s/[^ -~]/?/gr);
    }

    my $report = portal()->wait_for(deals => 7 * $n, stable_ms => 300,
                                    timeout => 30);
    my %deals = %{deals($report)};

    is(scalar @{$report->{deals}}, 7 * $n, 'a deal each');
    ok(!$report->{foreign_touched}, "other people's records are as before");
    is(scalar(grep { $_->{rows_sum} != 1990 || @{$_->{rows}} != 2 }
                   @{$report->{deals}}), 0, 'whole rows');
    is(scalar(grep { $_->{opportunity} ne '1990.00' } @{$report->{deals}}), 0,
       'whole sums');
    is(scalar(grep { @{$_->{contact_ids}} != 1 } @{$report->{deals}}), 0,
       'a contact each');

    # a reference left alive would have become an id or an empty list
    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};
    my %company = map { $_->{id} => $_ } @{$report->{companies}};

    for my $i (1 .. $n) {
        my $evil = $evil[$i - 1];
        my $what = $evil =~ s/[^ -~]/?/gr;

        # as it may arrive: one space for white space, the sign of what is no
        # character for a zero byte, and a dollar that begins no reference
        my $wanted = $evil =~ s/\$(?=result)/\x{ff04}/gir
                           =~ s/\x00/\x{fffd}/gr =~ s/[\x01-\x20]+/ /gr;
        my $plain = sub {
            my ($text) = @_;
            return ($text // 'none') =~ s/[\x00-\x20]+/ /gr;
        };

        my ($name) = map { $contact{$_->{contact_ids}[0]} }
                     @{$deals{'o-' . ($i + 100)}};
        is($plain->(join ' ', grep { length($_ // '') }
                    @$name{qw(name second_name last_name)}),
           $plain->("n $wanted"), "name: $what");

        my ($item) = map { $_->{rows}[0]{product_name} }
                     @{$deals{'o-' . ($i + 200)}};
        is($plain->($item), $plain->("i $wanted"), "item: $what");

        my ($firm) = map { $company{$_->{company_id}}{title} }
                     @{$deals{'o-' . ($i + 300)}};
        is($plain->($firm), $plain->("f $wanted"), "company: $what");

        my ($comment) = map { $_->{comments} } @{$deals{"o-$i"}};
        like($plain->($comment), qr/c \S/, "comment: $what");
        unlike($comment, qr/\[(?:url|b)|<script|\$result/i,
               'no markup in it');
    }

    is(scalar(grep { join(' ', map { $_->{method} } @{$_->{commands}})
                     =~ /delete/ } journal($report)), 0,
       'no command was smuggled in');



=== TEST 19: numbers that differ by case only, and numbers as patterns
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place('Ab-1');
    is(settled('Ab-1')->{state}, 'delivered', 'one');

    # a second try looks for the deal, and the portal ignores case
    portal()->fault(kind => 'drop_before', method => 'crm\.deal\.add');
    place(['aB-1', phone => '+79160000002', email => 'b2@example.com']);
    is(settled('aB-1')->{state}, 'delivered', 'the other');

    for my $id ('%', '_b-1', '*', '!1', '>0', '00') {
        portal()->fault(kind => 'drop_before', method => 'crm\.deal\.add');
        place([0, id => $id, phone => undef, email => undef,
               name => 'No Body']);
        is(settled($id)->{state}, 'delivered', $id);
    }

    my $deals = deals();
    is(join(' ', map { "$_:" . @{$deals->{$_}} } sort keys %$deals),
       '!1:1 %:1 *:1 00:1 >0:1 Ab-1:1 _b-1:1 aB-1:1', 'a deal each');



=== TEST 20: TLS with a CA of one's own
--- http_config eval
B24::Orders::http(webhook => '$TEST_NGINX_PORTAL_TLS_URL',
                  more => 'b24_trusted_certificate $TEST_NGINX_PORTAL_CA;')
--- config eval: $::server
--- scenario
    is(place(1 .. 3), 3, 'orders');
    delivered_once(1 .. 3);
    is(scalar(grep { $_->{via} ne 'https' } journal()), 0, 'all by TLS');



=== TEST 21: a certificate of an unknown CA
--- http_config eval
B24::Orders::http(webhook => '$TEST_NGINX_PORTAL_TLS_URL')
--- config eval: $::server
--- scenario
    is(place(1, 2), 2, 'orders');
    is(settled(1, 'waiting')->{cause},
       "the portal's certificate is not trusted", 'the cause');
    like(record(1)->{advice}, qr/b24_trusted_certificate/, 'and what to do');
    is(portal()->report->{counts}{arrived}, 0, 'nothing is sent to it');
    is(portal_state()->{state}, 'retrying', 'tried again');



=== TEST 22: the CA is told: what was kept arrives
--- keep_state
--- http_config eval
B24::Orders::http(webhook => '$TEST_NGINX_PORTAL_TLS_URL',
                  more => 'b24_trusted_certificate $TEST_NGINX_PORTAL_CA;')
--- config eval: $::server
--- scenario
    delivered_once(1, 2);



=== TEST 23: a certificate for another name
--- http_config eval
B24::Orders::http(webhook => $ENV{TEST_NGINX_PORTAL_TLS_URL} =~ s/127\.0\.0\.1/127.0.0.2/r,
                  more => 'b24_trusted_certificate $TEST_NGINX_PORTAL_CA;')
--- config eval: $::server
--- scenario
    my $forward = main::forwarder('127.0.0.2', $ENV{TEST_NGINX_PORTAL_TLS_PORT});

    place(1);
    is(settled(1, 'waiting')->{cause},
       "the portal's certificate is not trusted", 'the cause');
    is(portal()->report->{counts}{arrived}, 0, 'nothing is sent to it');
    kill 'TERM', $forward;
    waitpid $forward, 0;



=== TEST 24: a name that does not resolve
--- http_config eval
B24::Orders::http(webhook => 'https://portal.invalid/rest/1/code5678/')
--- config eval: $::server
--- scenario
    is(place(1), 1, 'the shop accepts');
    like(settled(1, 'waiting')->{cause},
         qr/the portal's name cannot be resolved|no connection to the portal/,
         'the cause');
    unlike(error_log(), qr/code5678/, 'no secret in the log');
    is(get('/plain')->{body}, "plain\n", 'nginx goes on');



=== TEST 25: nobody listens
--- http_config eval
B24::Orders::http(webhook => 'http://127.0.0.1:$TEST_NGINX_PORT_9/rest/1/code5678/')
--- config eval: $::server
--- scenario
    is(place(1 .. 20), 20, 'the shop accepts');
    is(settled(1, 'waiting')->{cause},
       'the portal does not accept connections', 'the cause');
    ok(wait_until(sub { portal_state()->{reason} }), 'the page tells');
    cmp_ok(scalar(error_log_lines(qr/b24: the portal/)), '<=', 3,
           'the log is not flooded');



=== TEST 26: then somebody does
--- keep_state
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    delivered_once(1 .. 20);



=== TEST 27: the portal has moved
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'redirect', times => 0,
        method => 'crm\.deal\.list',
        location => "http://127.0.0.1:$ENV{TEST_NGINX_UPSTREAM_PORT}/rest/");
    place(1);
    ok(wait_until(sub { portal_state()->{state} eq 'blocked' }), 'blocked');

    my $record = settled(1, 'waiting');
    like($record->{cause} . $record->{advice}, qr/b24_webhook/,
         'what to do');
    portal()->clear_faults;
    delivered_once(1);
    is(scalar upstream()->journal, 0, 'nobody was sent after the redirect');



=== TEST 28: never above the limit
--- http_config eval: B24::Orders::http(rate => '5 burst=2')
--- config eval: $::server
--- scenario
    # the portal's own bucket, with room for what the scheduler delays
    portal()->config(bucket => { burst => 5, rate => 5 });

    # one by one: several at a time would go together

    for my $n (1 .. 8) {
        place($n);
        settled($n);
    }

    delivered_once(1 .. 8);

    my $report = portal()->report;
    is($report->{limits}{refused}, 0, 'nothing is refused');
    is(scalar(journal($report)), 16, 'two requests for each');

    my @at = map { $_->{at} } @{$report->{journal}};
    cmp_ok($at[-1] - $at[0], '>', (16 - 2) / 5 - 0.3, 'in its time');
    is(portal_state()->{rate}{limit}, 5, 'the page shows the limit');



=== TEST 29: a portal that hangs holds up nobody else's orders
--- http_config eval
$::http . '
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_2;
        b24_origin  second;
        b24_webhook http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/rest/1/code/;
        b24_mirror  tested;

        location / {
            proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
        }
    }'
--- config eval: $::server
--- scenario
    upstream()->script(target => '^/rest/', hold => 1);

    my $other = client($ENV{TEST_NGINX_PORT_2});
    $other->send(order_bytes(100));
    is($other->response->{status}, 200, 'an order of the second shop');
    ok(scalar upstream()->wait_for(state => 'held'), 'its portal hangs');

    is(place(1 .. 10), 10, 'orders of the first');
    delivered_once(1 .. 10);
    is(scalar upstream()->journal(state => 'held'), 1, 'it still hangs');



=== TEST 30: one order's time comes while another one is being sent
--- http_config eval
B24::Orders::http(retry => 'first=100ms max=200ms unknown=1500ms')
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_after', method => 'crm\.deal\.add');
    place(1);
    settled(1, 'waiting');

    # let the portal be open again and the courier asleep until then
    place(2);
    is(settled(2)->{state}, 'delivered', 'the portal takes orders');
    portal()->fault(kind => 'hang_before', method => 'crm\.deal\.add');
    place(3);

    my $arrived = portal()->wait_for(held => 1)->{counts}{arrived};

    is(portal()->wait_for(stable_ms => 2000)->{counts}{arrived}, $arrived,
       'nothing is sent meanwhile');
    portal()->release;
    delivered_once(1 .. 3);
