# An order's later status moves its deal: from a request that the shop has
# accepted, without the shop's database.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm;
use B24::Desk;
use JSON::PP ();
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);
log_level('info');

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

# what the shop says is in the path: yes, no, cut (half of an answer)
our $rules = <<'EOC';
        stage N NEW;  stage P PREPARATION;  stage E EXECUTING;
        stage W WON;  stage PAID FINAL_INVOICE;  stage X NO_SUCH_STAGE;
        stage CANCELED LOSE;
        default_status N;

        status admin {
            uri       ~ ^/admin/;
            method    POST;
            accept    response:/ok;
            id        request:/id;
            row       request:/row;
            status    request:/status;
            canceled  request:/canceled;
            paid      request:/paid;
            shipped   request:/shipped;
        }

        status rest {
            uri       ~ ^/rest/;
            id        $uri  ~^/rest/orders/([^/]+)/;
            status    query:/to;
        }
EOC

our $shop = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;
        default_type application/json;

        location /admin/yes  { return 200 '{"ok":true}'; }
        location /admin/no   { return 200 '{"ok":false,"error":"denied"}'; }
        location /admin/cut  { return 200 '{"ok":tr'; }
        location /rest/      { return 204; }
    }

    log_format events '$request_uri $b24_event $b24_state $b24_order';
EOC

our $server = B24::Crm::server(more => <<'EOC');
    access_log $TEST_NGINX_DIR/events.log events;

    location ~ ^/(admin|rest)/ {
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_3;
    }
EOC

sub http {
    return B24::Crm::http(stages => $rules, servers => $shop, @_);
}

our ($classic, $universal) = (http(), http(api => 'universal'));

BEGIN {
    no warnings 'redefine';

    *is = \&Test::More::is;
    *ok = \&Test::More::ok;
    *like = \&Test::More::like;
    *is_deeply = \&Test::More::is_deeply;
}

{
    package B24::Scenario::Code;

    B24::Crm->import(qw(deal_of person_moves so_far told));

    # The shop's administration: what is told of orders, and what the shop says.
    sub change {
        my ($field, $says) = @_;

        my $client = B24::Client->new(port => B24::Scenario::port());

        $client->send(B24::Client::request_bytes('POST',
            '/admin/' . ($says // 'yes'),
            JSON::PP->new->canonical->utf8->encode($field),
            'Content-Type' => 'application/json'));

        return $client->response->{status};
    }

    # Waits until the deal is at a stage.
    sub stage_is {
        my ($id, $stage, $name) = @_;

        my $now;

        B24::Scenario::wait_until(sub {
            ($now) = map { $_->{stage_id} }
                     @{B24::Crm::whole_crm()->{deals}{$id} // []};
            return ($now // '') eq $stage;
        });

        return main::is($now, $stage, $name);
    }

    # Methods of the commands since a request, in their order.
    sub commands {
        my ($from) = @_;

        return join ' ', map { map { $_->{method} } @{$_->{commands}} }
                         grep { $_->{method} eq 'batch' }
                         B24::Crm::requests(undef, $from);
    }

    # Clocks of the portal have seconds.
    sub next_second {
        Time::HiRes::sleep(1.1);
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: classic: stages, one request where nothing is to be moved
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    my $deal = deal_of('s-1');
    is($deal->{stage_id}, 'NEW', 'it begins there');

    my $from = so_far();
    is(change({ id => 's-1', status => 'P' }), 200, 'the shop says yes');
    stage_is('s-1', 'PREPARATION', 'the deal follows');
    told('s-1', qr/^delivered: the deal is at the stage "PREPARATION" now$/,
         'the record tells');
    is(commands($from), 'crm.deal.list crm.deal.list crm.deal.update crm.deal.list',
       'by two requests');

    $from = so_far();
    portal()->edit(entity => 'deal', id => $deal->{id},
                   fields => { STAGE_ID => 'EXECUTING' });
    change({ id => 's-1', status => 'E' });
    told('s-1', qr/^delivered: the deal was at the stage "EXECUTING" already$/,
         'it is there already');
    is(commands($from), 'crm.deal.list', 'nothing is written');

    $from = so_far();
    change({ id => 's-1', status => 'E' });
    change({ id => 'unknown', status => 'E' });
    ok(B24::Scenario::wait_until(sub {
        B24::Desk::counter('statuses_unknown') == 1 }), 'unknown ones count');
    is(B24::Desk::counter('statuses'), 4, 'changes as well');
    is(so_far(), $from, 'what is told again asks for nothing');

    change({ id => 's-1', paid => 'yes' });
    stage_is('s-1', 'FINAL_INVOICE', 'what is further in the table');
    change({ id => 's-1', paid => 'off' });
    stage_is('s-1', 'EXECUTING', 'a flag is taken back');
    change({ id => 's-1', canceled => 1 });
    stage_is('s-1', 'LOSE', 'cancelled goes before all');

    B24::Desk::count_is('delivered', 1, 'it is one order');
    B24::Desk::count_is('rejected', 0, 'and none was refused');



=== TEST 2: universal: the same
--- http_config eval: $::universal
--- config eval: $::server
--- scenario
    my $deal = deal_of('u-1');
    my $from = so_far();

    change({ id => 'u-1', status => 'P' });
    stage_is('u-1', 'PREPARATION', 'the deal follows');
    told('u-1', qr/^delivered: the deal is at the stage "PREPARATION" now$/,
         'the record tells');
    is(commands($from), 'crm.item.list crm.item.list crm.item.update crm.item.list',
       'by two requests');

    person_moves($deal, 'EXECUTING');
    next_second();
    change({ id => 'u-1', status => 'W' });
    stage_is('u-1', 'WON', 'the newer one');
    told('u-1', qr/the shop's change was the newer one: in the CRM it had been moved to "EXECUTING"/,
         'and what was there before is told');



=== TEST 3: what the shop refuses, what nobody can read, what the log says
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    deal_of('r-1');

    my $from = so_far();
    change({ id => 'r-1', status => 'P' }, 'no');
    change({ id => 'r-1', status => 'P' }, 'cut');
    change({ status => 'P' });

    ok(B24::Scenario::wait_until(sub {
        B24::Desk::counter('statuses_ignored') == 2 }), 'two are counted');

    my $client = B24::Client->new(port => B24::Scenario::port());
    $client->send(B24::Client::request_bytes('PUT',
        '/rest/orders/r-1/status?to=P', '', 'Content-Type' => 'text/plain'));
    is($client->response->{status}, 204, 'by the path');
    stage_is('r-1', 'PREPARATION', 'of the last one only');
    is(commands($from), 'crm.deal.list crm.deal.list crm.deal.update crm.deal.list',
       'the others asked for nothing');
    is(B24::Desk::count('rejected') + B24::Desk::count('unconfirmed'), 0,
       'no orders are made of them');

    open my $fh, '<', "$ENV{TEST_NGINX_DIR}/events.log" or die $!;
    my @log = grep { /status|rest/ } <$fh>;
    chomp @log;
    is_deeply([@log[-4 .. -1]], ['/admin/no status rejected -',
        '/admin/cut status unconfirmed -', '/admin/yes status accepted -',
        '/rest/orders/r-1/status?to=P status accepted r-1'], 'the access log');



=== TEST 4: several orders of one request, and a burst
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    deal_of($_) for 'l-1', 'l-2', 'l-3';

    change({ id => ['l-1', 'l-2', 'none'], status => 'E' });
    stage_is($_, 'EXECUTING', "$_ of a list") for 'l-1', 'l-2';

    change({ id => { 'l-3' => { status => 'E' } }, status => 'W' });
    stage_is('l-3', 'WON', 'names of members');
    ok(B24::Scenario::wait_until(sub {
        B24::Desk::counter('statuses_unknown') == 1 }), 'one is unknown');

    # more than are taken
    change({ id => [(map { "none-$_" } 1 .. 1000), 'l-3', 'l-2'],
             status => 'P' });
    ok(B24::Scenario::wait_until(sub {
        B24::Desk::counter('statuses_unknown') == 1003 }), 'all are counted');
    like(error_log(), qr/names more orders than are taken at a time: the statuses of 2 were not looked at/,
         'the log tells');

    # of a burst the last state counts, and A, B, A is A
    my $from = so_far();
    is(B24::Scenario::post('/b24/pause', '')->{status}, 202, 'paused');
    change({ id => 'l-1', status => $_ }) for qw(P W N P E W E);
    change({ id => 'l-2', status => $_ }) for qw(W P N P);
    B24::Scenario::post('/b24/resume', '');
    stage_is('l-2', 'PREPARATION', 'the last of a burst');
    told('l-1', qr/was at the stage "EXECUTING" already/, 'and E, ..., E is E');
    is(join(' ', sort split / /, commands($from)),
       'crm.deal.list crm.deal.list crm.deal.list crm.deal.list '
       . 'crm.deal.update', 'by one change, and two looks');
    is(scalar(grep { /EXECUTING" now/ } timeline_of('l-1')), 1, 'once');



=== TEST 5: before the order is delivered
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    is(B24::Scenario::post('/b24/pause', '')->{status}, 202, 'paused');
    order(id => 'w-1');
    ok(B24::Scenario::wait_until(sub { B24::Desk::count('accepted') == 1 }),
       'it waits');
    change({ id => 'w-1', status => 'P' });
    change({ id => 'w-1', status => 'E' });
    order(id => 'w-2');
    B24::Scenario::post('/b24/resume', '');

    stage_is('w-1', 'EXECUTING', 'the deal is made, then it follows');
    is(scalar @{whole_crm()->{deals}{'w-1'}}, 1, 'one deal');
    is((timeline_of('w-1'))[-1],
       'delivered: the deal is at the stage "EXECUTING" now', 'once');

    my @made = map { my $c = $_; map { $_->{method} } @{$c->{commands}} }
               requests();
    my $first = join ' ', grep { /deal\.(?:add|update)/ } @made;
    is($first, 'crm.deal.add crm.deal.add crm.deal.update',
       'orders go before statuses');



=== TEST 6: sooner than the order, which another worker may have
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    deal_of('b-1');

    change({ id => ['b-2', 'b-1', 'none'], status => 'P' });
    change({ id => 'b-2', status => 'E' });
    change({ id => 'b-2', status => 'W' });
    order(id => 'b-2');

    stage_is('b-1', 'PREPARATION', 'who is known does not wait');
    stage_is('b-2', 'WON', 'who comes behind gets the last of them');
    ok(B24::Scenario::wait_until(sub {
        B24::Desk::counter('statuses_unknown') == 1 }), 'one never comes');
    B24::Desk::count_is('delivered', 2, 'that is no order');
    is(B24::Desk::status()->{counters}{held}, 0, 'nothing is left');

    # nor does a worker that quits take them along
    change({ id => 'b-3', status => 'P' });
    order(id => 'b-3');
    ok(quit(), 'nginx is gone');
    start_again();
    stage_is('b-3', 'PREPARATION', 'looked for a last time');



=== TEST 7: somebody has moved the deal meanwhile
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    my $deal = deal_of('c-1');

    # the shop's change is older than the person's
    B24::Scenario::post('/b24/pause', '');
    change({ id => 'c-1', status => 'P' });
    next_second();
    next_second();
    person_moves($deal, 'EXECUTING');
    B24::Scenario::post('/b24/resume', '');
    told('c-1', qr/^delivered: the deal was moved to "EXECUTING" in the CRM after the shop's change to "PREPARATION": it was left there/,
         'the person was later');
    stage_is('c-1', 'EXECUTING', 'it stays');

    # and newer
    next_second();
    change({ id => 'c-1', status => 'P' });
    change({ id => 'c-1', status => 'N' });
    stage_is('c-1', 'NEW', 'what is newer in the shop counts');
    person_moves($deal, 'EXECUTING');
    next_second();
    change({ id => 'c-1', status => 'P' });
    told('c-1', qr/"PREPARATION" now, the shop's change was the newer one/,
         'the shop was later');

    my $record = (records())[0];
    like($record->{cause}, qr/in the CRM it had been moved to "EXECUTING"/,
         'the record shows it');
    like($record->{advice}, qr/look at the deal/, 'with an advice');



=== TEST 8: an end, another pipeline, a deal that is gone
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    my $deal = deal_of('e-1');

    B24::Scenario::post('/b24/pause', '');
    change({ id => 'e-1', status => 'P' });
    next_second();
    next_second();
    person_moves($deal, 'LOSE');
    B24::Scenario::post('/b24/resume', '');
    told('e-1', qr/^delivered: the deal was closed at "LOSE" after the shop's change/,
         'an older change opens nothing');
    stage_is('e-1', 'LOSE', 'it is lost');

    next_second();
    change({ id => 'e-1', status => 'E' });
    stage_is('e-1', 'EXECUTING', 'a newer one does');

    $deal = deal_of('e-2');
    portal()->call('crm.item.update', { entityTypeId => 2, id => $deal->{id},
        fields => { categoryId => 3, stageId => 'C3:NEW' } });
    change({ id => 'e-2', status => 'P' });
    told('e-2', qr/^delivered: the deal was moved to another pipeline: its stage "C3:NEW" was left alone/,
         'another pipeline');

    $deal = deal_of('e-3');
    portal()->edit(entity => 'deal', id => $deal->{id}, delete => \1);
    my $from = so_far();
    change({ id => 'e-3', status => 'P' });
    told('e-3', qr/^delivered: the deal is not in the CRM any more/, 'gone');
    is(commands($from), 'crm.deal.list', 'it is not made again');



=== TEST 9: statuses without a stage
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    deal_of('m-1');

    my $from = so_far();
    change({ id => 'm-1', status => 'Q' });
    told('m-1', qr/^delivered: the order's status "Q" has no line in the table of stages/,
         'no line');
    change({ id => 'm-1', status => 'Й' });
    told('m-1', qr/^delivered: the order's status has no line/, 'not shown');
    change({ id => 'm-1', status => 'X' });
    told('m-1', qr/^delivered: the portal has no stage "NO_SUCH_STAGE" in pipeline 0/,
         'the portal has no such stage');
    is(so_far(), $from, 'nothing is asked');

    my $page = B24::Scenario::get('/b24');
    like($page->{body}, qr/the status &quot;Q&quot; has no line|the status "Q" has no line/,
         'the page names it');
    is(scalar(grep { /the status "Q" has no line/ } error_log_lines(qr/b24:/)),
       1, 'once in the log');
    is(join(' ', map { $_->{state} } records()), 'delivered', 'delivered');



=== TEST 10: the portal fails
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    deal_of($_) for map { "f-$_" } 1 .. 5;

    # not done, nobody knows, done though nobody knows
    portal()->fault(kind => 'html', method => 'crm\.deal\.list', times => 2);
    change({ id => 'f-1', status => 'P' });
    stage_is('f-1', 'PREPARATION', 'a look-up is repeated');

    portal()->fault(kind => 'drop', when => 'before',
                    method => 'crm\.deal\.update');
    change({ id => 'f-2', status => 'P' });
    stage_is('f-2', 'PREPARATION', 'what was lost before is done again');

    my $from = so_far();
    portal()->fault(kind => 'drop', when => 'after',
                    method => 'crm\.deal\.update');
    change({ id => 'f-3', status => 'P' });
    told('f-3', qr/^delivered: the deal was at the stage "PREPARATION" already/,
         'what was done is seen');
    is(commands($from),
       'crm.deal.list crm.deal.list crm.deal.update crm.deal.list crm.deal.list',
       'it is looked for first');

    portal()->fault(kind => 'command', error => '', description => 'no',
                    method => 'crm\.deal\.update');
    change({ id => 'f-4', status => 'P' });
    told('f-4', qr/^parked/, 'a refusal parks it');
    change({ id => 'f-5', status => 'E' });
    stage_is('f-5', 'EXECUTING', 'nothing else waits for it');
    change({ id => 'f-4', status => 'E' });
    stage_is('f-4', 'EXECUTING', 'another status takes it up');

    portal()->fault(kind => 'error', status => 503,
                    error => 'QUERY_LIMIT_EXCEEDED', times => 2);
    change({ id => 'f-5', status => 'W' });
    stage_is('f-5', 'WON', 'limits are waited for');
    B24::Desk::count_is('delivered', 5, 'of five orders');



=== TEST 11: killed between reading and moving
--- http_config eval: $::classic
--- config eval: $::server
--- scenario
    deal_of('k-1');

    for my $when (qw(before after)) {
        portal()->fault(kind => 'hang', when => $when,
                        method => 'crm\.deal\.update');
        my $to = $when eq 'before' ? 'P' : 'E';
        change({ id => 'k-1', status => $to });
        portal()->wait_for(held => 1);

        my @old = B24::Scenario::worker_pids();
        kill KILL => @old;
        B24::Scenario::wait_until(sub {
            my %old = map { $_ => 1 } @old;
            my @now = B24::Scenario::worker_pids();
            return @now && !grep { $old{$_} } @now;
        });
        portal()->release;

        stage_is('k-1', $to eq 'P' ? 'PREPARATION' : 'EXECUTING', "$when it");
        told('k-1', qr/^delivered: /, 'and it is over');
    }

    is(scalar @{whole_crm()->{deals}{'k-1'}}, 1, 'one deal');
--- expected_alert
exited on signal 9
