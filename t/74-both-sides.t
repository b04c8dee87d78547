# An order's status in the shop and its deal's stage in the CRM, changed at
# about the same time: what is an echo, what is news, which change is the newer
# one, while requests are on their way.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm;
use B24::Desk;
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);
log_level('info');

our $token = '51856fefc120afa4b628cc82d3935cce';
our $stages = <<'EOC';
        stage N NEW;  stage P PREPARATION;  stage E EXECUTING;
        stage I FINAL_INVOICE;  stage W WON;
        default_status N;

        status admin {
            uri       ~ ^/admin/;
            id        query:/id;
            status    query:/to;
        }
EOC

our $shop = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;

        location / { return 204; }
    }
EOC

# retry: of b24_retry
sub http {
    return B24::Crm::http(stages => $stages, servers => $shop, @_);
}

our $http = http();
our $patient = http(retry => 'first=100ms max=500ms unknown=6s');

# poll: of b24_events
sub server {
    my ($poll) = @_;

    return B24::Crm::server(more => <<"EOC");
    location /admin/ {
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_3;
    }

    location = /events {
        b24_mirror off;
        b24_events $token poll=$poll;
    }
EOC
}

{
    package B24::Scenario::Code;

    B24::Crm->import(qw(deal_of person_moves so_far told));

    # The shop's administration sets a status.
    sub set {
        my ($id, $to) = @_;

        return B24::Scenario::get("/admin/x?id=$id&to=$to")->{status};
    }

    sub webhook {
        my ($deal) = @_;

        my $client = B24::Client->new(port => B24::Scenario::port());

        $client->send(B24::Client::request_bytes('POST', '/events',
            "event=ONCRMDEALUPDATE&data[FIELDS][ID]=$deal"
            . "&auth[application_token]=$::token",
            'Content-Type' => 'application/x-www-form-urlencoded'));

        return $client->response->{status};
    }

    sub stage_of {
        my ($id) = @_;

        return map { $_->{stage_id} }
               @{B24::Crm::whole_crm()->{deals}{$id} // []};
    }

    # Waits until the deal is at a stage.
    sub stage_is {
        my ($id, $stage, $name) = @_;

        B24::Scenario::wait_until(sub { (stage_of($id))[0] eq $stage });

        return Test::More::is((stage_of($id))[0], $stage, $name);
    }

    # Waits until nothing of the orders is to be done.
    sub settled {
        return B24::Scenario::wait_until(sub {
            !grep { $_->{state} ne 'delivered' } B24::Crm::records() });
    }

    # Whether deals were asked for since a request because they may have moved.
    sub watched_since {
        my ($from) = @_;

        return grep { grep { /crm\.deal\.list.*%40ID/ }
                      values %{$_->{params}{cmd} // {}} }
               B24::Crm::requests(undef, $from);
    }

    # Clocks of the portal have seconds.
    sub next_second {
        my $now = Time::HiRes::time();

        Time::HiRes::sleep(1.05 - ($now - int $now));
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: there and back while the first is on its way
--- http_config eval: $::http
--- config eval: ::server('12s')
--- scenario
    deal_of('a-1');
    set('a-1', 'E');
    stage_is('a-1', 'EXECUTING', 'A');

    # B is an end, and comes to the portal after the shop is back at A
    portal()->fault(kind => 'hang', method => 'crm\.deal\.update',
                    when => 'before');
    set('a-1', 'W');
    portal()->wait_for(held => 1);
    set('a-1', 'E');
    next_second();
    next_second();
    portal()->release;

    told('a-1', qr/^delivered: the deal is at the stage "EXECUTING" now/,
         'it is told');
    is((stage_of('a-1'))[0], 'EXECUTING', 'A, B, A is A');



=== TEST 2: two changes of the shop, both older than the one of the CRM
--- http_config eval: $::http
--- config eval: ::server('12s')
--- scenario
    my $deal = deal_of('a-1');

    portal()->fault(kind => 'hang', method => 'crm\.deal\.list',
                    when => 'before');
    set('a-1', 'P');
    portal()->wait_for(held => 1);
    set('a-1', 'E');
    next_second();
    next_second();
    person_moves($deal, 'FINAL_INVOICE');
    portal()->release;

    told('a-1', qr/^delivered: the deal was moved to "FINAL_INVOICE" in the CRM/,
         'the CRM has the last word');
    settled();
    is((stage_of('a-1'))[0], 'FINAL_INVOICE', 'it stays');
    is(scalar(grep { /it was left there/ } timeline_of('a-1')), 2,
       'both are shown');

    # what the shop does from now on is newer
    set('a-1', 'P');
    stage_is('a-1', 'PREPARATION', 'the shop again');



=== TEST 3: an answer that was on its way while we moved the deal
--- http_config eval: $::http
--- config eval: ::server('12s')
--- scenario
    my $deal = deal_of('a-1');

    # the watch has read NEW, and is told so late
    portal()->fault(kind => 'hang', body => '%40ID', when => 'after');
    webhook($deal->{id});
    portal()->wait_for(held => 1);
    set('a-1', 'P');
    stage_is('a-1', 'PREPARATION', 'the shop moves it');
    settled();
    my $from = so_far();
    portal()->release;

    ok(wait_until(sub { watched_since($from) }), 'it is asked for again');
    settled();
    set('a-1', 'E');
    stage_is('a-1', 'EXECUTING', 'the shop again');
    settled();
    is(scalar(grep { /was moved to|had been moved/ } timeline_of('a-1')), 0,
       'nobody has moved it in the CRM');



=== TEST 4: told of while nobody knows how our own move has gone
--- http_config eval: $::patient
--- config eval: ::server('12s')
--- scenario
    my $deal = deal_of('a-1');

    for (['before', 'P', 'PREPARATION'], ['after', 'E', 'EXECUTING']) {
        my ($when, $status, $stage) = @$_;

        portal()->fault(kind => 'drop', when => $when,
                        method => 'crm\.deal\.update');
        set('a-1', $status);
        ok(wait_until(sub { (record('a-1') // {})->{state} eq 'waiting' }),
           "nobody knows: $when");

        # a comment in the CRM, say
        my $from = so_far();
        webhook($deal->{id});
        ok(wait_until(sub { watched_since($from) }), 'it is looked at');

        stage_is('a-1', $stage, 'the change is not lost');
        settled();
        is(scalar(grep { /was moved to|left there/ } timeline_of('a-1')), 0,
           'nobody has moved it in the CRM');
    }



=== TEST 5: moved in the CRM before we knew that the deal is there
--- http_config eval: $::http
--- config eval: ::server('2s')
--- scenario
    portal()->fault(kind => 'hang', method => 'crm\.deal\.add',
                    when => 'after');
    ok(order(id => 'a-1'), 'an order');
    portal()->wait_for(held => 1);

    my ($deal) = @{whole_crm()->{deals}{'a-1'}};
    my $from = so_far();

    person_moves($deal, 'EXECUTING');
    webhook($deal->{id});

    # the history was read, and is not read again
    ok(wait_until(sub { 2 <= grep { $_->{seq} > $from
           && grep { $_->{method} eq 'crm.stagehistory.list' }
                   @{$_->{commands} // []} }
           @{portal()->report->{journal}} }), 'the history tells of it');
    portal()->release;

    told('a-1', qr/^delivered: the deal was moved to "EXECUTING" in the CRM$/,
         'it is news');



=== TEST 6: moved in the CRM by a robot, as it is made
--- http_config eval: $::http
--- config eval: ::server('12s')
--- scenario
    portal()->fault(kind => 'slow', method => 'crm\.deal\.get', seconds => 3,
                    times => 1);
    ok(order(id => 'a-1'), 'an order');
    ok(wait_until(sub { @{whole_crm()->{deals}{'a-1'} // []} }), 'its deal');

    my ($deal) = @{whole_crm()->{deals}{'a-1'}};

    person_moves($deal, 'EXECUTING');
    webhook($deal->{id});

    told('a-1', qr/^delivered: the deal was moved to "EXECUTING" in the CRM$/,
         'it is news');



=== TEST 7: a portal whose clock is ten minutes ahead, or behind
--- http_config eval: $::http
--- config eval: ::server('12s')
--- scenario
    for my $clock (600, -600) {
        my $id = "a$clock";

        portal()->config(clock => $clock);

        my $deal = deal_of($id);

        # the CRM's is newer
        portal()->fault(kind => 'hang', method => 'crm\.deal\.list',
                        when => 'before');
        set($id, 'P');
        portal()->wait_for(held => 1);
        next_second();
        next_second();
        person_moves($deal, 'WON');
        portal()->release;
        told($id, qr/^delivered: the deal was closed at "WON" after/,
             "$clock: the CRM was later");

        # the shop's is
        next_second();
        set($id, 'E');
        stage_is($id, 'EXECUTING', "$clock: the shop was later");

        # as the webhook tells of it
        settled();
        person_moves($deal, 'FINAL_INVOICE');
        webhook($deal->{id});
        told($id, qr/moved to "FINAL_INVOICE" in the CRM$/, "$clock: told of");
        next_second();
        next_second();
        set($id, 'P');
        stage_is($id, 'PREPARATION', "$clock: the shop was later again");
    }



=== TEST 8: another portal has other deals of those numbers
--- http_config eval: $::http
--- config eval: ::server('12s')
--- scenario
    my $deal = deal_of('a-1');

    # as if b24_webhook named another one now
    for my $origin ('other', '') {
        portal()->edit(entity => 'deal', id => $deal->{id},
                       fields => { ORIGINATOR_ID => $origin });

        set('a-1', $origin ? 'P' : 'E');
        told('a-1', qr/^delivered: the deal is not in the CRM any more/,
             'it is none of this order');

        my $from = so_far();
        person_moves($deal, $origin ? 'WON' : 'FINAL_INVOICE');
        webhook($deal->{id});
        ok(wait_until(sub { watched_since($from) }), 'it is looked at');
        settled();
        is((grep { $_->{id} == $deal->{id} } @{portal()->report->{deals}})[0]
           {stage_id}, $origin ? 'WON' : 'FINAL_INVOICE', 'it is left alone');
        is(scalar(grep { /was moved to|left there/ } timeline_of('a-1')), 0,
           'nothing of it is told');
    }
