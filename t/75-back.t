# Deals that somebody moves in the CRM: the order's shop is told.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm;
use B24::Desk;
use B24::StatusShop;
use Time::HiRes ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);
log_level('info');

our $token = '51856fefc120afa4b628cc82d3935cce';
our $shop = B24::StatusShop->start($ENV{TEST_NGINX_PORT_4});

our $table = <<'EOC';
        stage N NEW;  stage P PREPARATION;  stage Q PREPARATION;
        stage W WON;  stage L LOSE;  stage PAID PREPAYMENT_INVOICE;
        default_status N;

        status admin {
            uri       /admin/set;
            id        query:/id;
            status    query:/to;
            accept    status =200;
        }
EOC

our $writes = <<'EOC';
        write login {
            url       "%{site}/login";
            body      "user=%{user}&password=%{password}";
            accept    response:/token;
            learn     token  response:/token;
        }
        write status {
            when      status  !=PAID;
            when      status  "!=%{previous}";
            url       "%{site}/set";
            header    X-Token  "%{token}";
            body      "id=%{id}&status=%{status}";
            expired   response:/error  =session;
            accept    response:/ok  =1;
            accept    response:/status  "=%{status}";
        }
EOC

our $expiring = <<'EOC';
        write login {
            url       "%{site}/login";
            body      "user=%{user}&password=%{password}";
            accept    response:/token;
            learn     token  response:/token;
        }
        write hold {
            url       "%{site}/_/mood";
            header    Content-Type application/json;
            body      '{"expire":1}';
            accept    status =200;
        }
        write status {
            url       "%{site}/set";
            header    X-Token  "%{token}";
            body      "id=%{id}&status=%{status}";
            expired   response:/error  =session;
            accept    response:/ok  =1;
        }
EOC

our $rest = <<'EOC';
        write status {
            method    PUT;
            url       "%{site}/api/orders/%{id}";
            header    Authorization  "Basic %{basic}";
            body      '{"status":"%{status}"}';
            accept    status  =200;
            accept    response:/status  "=%{status}";
        }
EOC

our $plain = <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;

        location / { return 200; }
    }
EOC

{
    open my $file, '>', "$B24::Test::DIR/password" or die "password: $!\n";
    print {$file} B24::StatusShop::PASSWORD, "\n";
    close $file;
    chmod 0600, "$B24::Test::DIR/password";
}

# lines of http{}
sub http {
    my (%option) = @_;

    return B24::Crm::http(servers => $plain,
        stages => $table . ($option{writes} // $writes), %option);
}

# lines of the server
sub server {
    my (%option) = @_;

    my $poll = $option{poll} // '1s';
    my $more = $option{more} // '';
    my $user = $option{user} // 'user=' . B24::StatusShop::USER
        . " password=file:$B24::Test::DIR/password";

    return B24::Crm::server(more => <<"EOC");
    b24_site http://127.0.0.1:\$TEST_NGINX_PORT_4 $user;
    $more

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

    # A deal that somebody moves, and the portal tells of it.
    sub moves {
        my ($deal, $stage) = @_;

        person_moves($deal, $stage);
        B24::Scenario::post('/events', "event=ONCRMDEALUPDATE"
            . "&data%5BFIELDS%5D%5BID%5D=$deal->{id}"
            . "&auth%5Bapplication_token%5D=$::token");
    }

    sub shop_has {
        my ($id, $status, $name) = @_;

        wait_until(sub { $::shop->order($id) eq $status });
        is($::shop->order($id), $status, $name);
    }

    sub stage_is {
        my ($id, $stage, $name) = @_;

        my $now = '';

        wait_until(sub {
            $now = B24::Crm::whole_crm()->{deals}{$id}[0]{stage_id};
            $now eq $stage;
        });
        is($now, $stage, $name);
    }

    # Once nothing is under way any more.
    sub quiet {
        wait_until(sub {
            !grep { $_->{state} !~ /^(?:delivered|parked)$/ }
                 B24::Crm::records();
        });
    }
}

add_block_preprocessor(sub { $shop->reset });

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a deal is moved, the shop is told
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'PREPARATION');
    shop_has('e-1', 'P', 'the first status of that stage');
    told('e-1', qr/^delivered: the shop has the status "P" now, for the deal/,
         'the order tells');
    is(join(', ', $::shop->calls), 'login, set e-1 N P', 'one login, one call');

    # there and back
    moves($deal, 'WON');
    shop_has('e-1', 'W', 'on');
    moves($deal, 'NEW');
    shop_has('e-1', 'N', 'and back to the beginning');
    quiet();

    # whatever is told again
    my @calls = $::shop->calls;
    post('/events', "event=ONCRMDEALUPDATE&data%5BFIELDS%5D%5BID%5D=$deal->{id}"
         . "&auth%5Bapplication_token%5D=$::token") for 1 .. 5;
    Time::HiRes::sleep(2.5);
    is(join(', ', $::shop->calls), join(', ', @calls), 'nothing is told twice');
    stage_is('e-1', 'NEW', 'nothing bounces');



=== TEST 2: universal, and one call that needs no login
--- http_config eval: ::http(api => 'universal', writes => $::rest)
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e/1 ?&');

    moves($deal, 'WON');
    shop_has('e/1 ?&', 'W', 'a number with signs in it');
    is(join(', ', $::shop->calls), 'put e/1 ?& N W', 'one call');



=== TEST 3: what the shop does goes on coming to the CRM
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'PREPARATION');
    shop_has('e-1', 'P', 'the shop is told');
    quiet();

    # what comes back through nginx is no news
    get('/admin/set?id=e-1&to=P');
    quiet();

    Time::HiRes::sleep(1.1);
    $::shop->order('e-1', 'W');
    get('/admin/set?id=e-1&to=W');
    stage_is('e-1', 'WON', 'the deal follows');
    quiet();
    unlike(join("\n", B24::Crm::timeline_of('e-1')), qr/newer/,
           'that is no conflict');
    is(join(', ', $::shop->calls), 'login, set e-1 N P', 'nor told back');

    # a status of the same stage stays
    Time::HiRes::sleep(1.1);
    moves($deal, 'PREPARATION');
    shop_has('e-1', 'P', 'told');
    quiet();
    Time::HiRes::sleep(1.1);
    $::shop->order('e-1', 'Q');
    get('/admin/set?id=e-1&to=Q');
    told('e-1', qr/was at the stage "PREPARATION" already$/, 'there already');
    is($::shop->order('e-1'), 'Q', 'the other status of that stage stays');



=== TEST 4: both are changed while they are apart: the newer one counts
--- http_config eval: ::http()
--- config eval: ::server(poll => '60s')
--- scenario
    my $deal = deal_of('e-1');
    my $other = deal_of('e-2');

    # the shop's first, told of while the portal is away; then the CRM's
    portal()->fault(kind => 'html', method => 'crm\.deal\.list', times => 1000);
    $::shop->order('e-1', 'P');
    get('/admin/set?id=e-1&to=P');
    told('e-1', qr/^waiting: /, 'the shop\'s waits');
    Time::HiRes::sleep(1.1);
    moves($deal, 'WON');
    portal()->clear_faults;
    shop_has('e-1', 'W', 'the CRM has the last word');
    quiet();
    stage_is('e-1', 'WON', 'and keeps it');
    like(join("\n", B24::Crm::timeline_of('e-1')),
         qr/after the shop's change to "PREPARATION"|changed before that/,
         'the other one is told of');

    # the other way round: the shop is away as the CRM's comes
    $::shop->mood(answer => 503);
    moves($other, 'WON');
    told('e-2', qr/^waiting: the shop answered 503/, 'it waits');
    Time::HiRes::sleep(1.1);
    $::shop->order('e-2', 'P');
    get('/admin/set?id=e-2&to=P');
    $::shop->mood(answer => 0);
    stage_is('e-2', 'PREPARATION', 'the shop has the last word');
    quiet();
    is($::shop->order('e-2'), 'P', 'and keeps it');
    like(join("\n", B24::Crm::timeline_of('e-2')),
         qr/the shop's change was the newer one: in the CRM it had been moved to "WON"/,
         'the other one is told of');



=== TEST 5: a shop that fails is tried again, and holds up nothing else
--- http_config eval: ::http(retry => 'first=100ms max=500ms unknown=1m')
--- config eval: ::server()
--- timeout: 60
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(hold => 1);
    moves($deal, 'WON');
    ok(wait_until(sub { $::shop->calls }), 'it hangs');
    ok(B24::Crm::order(id => 'e-2'), 'another order');
    B24::Crm::delivered('e-2');
    get('/admin/set?id=e-2&to=P');
    stage_is('e-2', 'PREPARATION', 'and its status');

    # nor does a worker that goes away wait for it
    reload();
    ok(B24::Crm::order(id => 'e-3'), 'an order for the next workers');
    B24::Crm::delivered('e-3');
    is(join(', ', $::shop->calls), 'login', 'the shop has not answered yet');
    $::shop->mood(hold => 0);
    shop_has('e-1', 'W', 'then it is told');
    quiet();
    is(scalar(grep { /^set e-1/ } $::shop->calls), 1, 'once');

    for my $mood ([answer => 500], [answer => 429], [lose => 1]) {
        my $to = $::shop->order('e-1') eq 'P' ? 'WON' : 'PREPARATION';

        $::shop->mood(@$mood);
        moves($deal, $to);
        told('e-1', qr/^waiting: the shop (?:answered|did not answer)/,
             "@$mood");
        $::shop->mood($mood->[0] => 0);
        shop_has('e-1', $to eq 'WON' ? 'W' : 'P', "then it is told");
        quiet();
    }



=== TEST 6: what only a person can mend
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my @deals = map { deal_of("e-$_") } 1 .. 3;

    # yes, and nothing done
    $::shop->mood(silent => 2);
    moves($deals[0], 'WON');
    told('e-1', qr/^parked: .*"accept response:\/status/, 'silent refusal');
    $::shop->mood(silent => 0);
    my $record = B24::Crm::record('e-1');
    like($record->{advice}, qr/\S/, 'with advice');
    is(post("/b24/orders/$record->{key}/retry", '')->{status}, 202,
       'retried by hand');
    shop_has('e-1', 'W', 'it is told then');

    # the shop's words, without what is private
    $::shop->mood(refuse => 'no right, Иван, s3cret:pass word');
    moves($deals[1], 'WON');
    told('e-2', qr/^parked: .*no right/, 'the shop says why');
    unlike(join("\n", B24::Crm::timeline_of('e-2')), qr/Иван|s3cret/,
           'without the buyer and the password');
    $record = B24::Crm::record('e-2');
    is(post("/b24/orders/$record->{key}/drop", '')->{status}, 202,
       'dropped by hand');
    is(B24::Crm::record('e-2')->{state}, 'delivered', 'the order stays');
    $::shop->mood(refuse => 0);

    # the login is the matter of all
    $::shop->mood(password => 'other');
    moves($deals[2], 'WON');
    told('e-3', qr/^waiting: the shop refuses the login/, 'the login');
    like(B24::Crm::record('e-3')->{advice}, qr/b24_site/, 'with advice');



=== TEST 7: a session that is over is renewed once
--- http_config eval: ::http(writes => $::expiring)
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'WON');
    shop_has('e-1', 'W', 'told');
    quiet();
    is(join(', ', $::shop->calls), 'login, set e-1, login, set e-1 N W',
       'after another login');



=== TEST 8: sessions that are over as soon as they have begun
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my @deals = map { deal_of("e-$_") } 1 .. 2;

    # twice in an attempt, twice in the next one
    $::shop->mood(brief => 4);
    moves($deals[0], 'WON');
    shop_has('e-1', 'W', 'told in the end');
    quiet();
    told('e-1', qr/^delivered: the shop has the status "W" now/, 'and done with');
    is(join(', ', $::shop->calls), join(', ', ('login, set e-1') x 4,
       'login, set e-1 N W'), 'tried again');

    # a right that is missing looks the same
    $::shop->mood(brief => 1_000_000);
    moves($deals[1], 'WON');
    told('e-2', qr/^waiting: the shop refuses a new session as well/, 'it waits');
    like(B24::Crm::record('e-2')->{advice}, qr/right/, 'with advice');
    $::shop->mood(brief => 0);
    shop_has('e-2', 'W', 'nobody need retry it');



=== TEST 9: stages without a status, and a table of its own
--- http_config eval: ::http()
--- config eval: ::server(more => 'b24_stage_back PREPARATION Q; b24_stage_back APOLOGY L; b24_stage_back EXECUTING L;')
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'PREPARATION');
    shop_has('e-1', 'Q', 'the one that is named');
    quiet();
    Time::HiRes::sleep(1.1);
    moves($deal, 'FINAL_INVOICE');
    told('e-1', qr/the stage "FINAL_INVOICE" stands for no status of the shop/,
         'no status');
    is($::shop->order('e-1'), 'Q', 'the shop stays as it is');
    Time::HiRes::sleep(1.1);
    moves($deal, 'APOLOGY');
    shop_has('e-1', 'L', 'a stage that no status has');
    quiet();
    my @calls = $::shop->calls;
    Time::HiRes::sleep(1.1);
    moves($deal, 'EXECUTING');
    told('e-1', qr/^delivered: the shop has it already/,
         'two stages of one status');
    is(join(', ', $::shop->calls), join(', ', @calls), 'no call for that');
    stage_is('e-1', 'EXECUTING', 'the deal stays there');
    Time::HiRes::sleep(1.1);
    moves($deal, 'PREPAYMENT_INVOICE');
    told('e-1', qr/^delivered: no "write" block is for this change$/,
         'what the rules can not do');
    like(B24::Crm::record('e-1')->{advice}, qr/write/, 'with advice');



=== TEST 10: no site, or a dry run: nothing is told
--- http_config eval: ::http()
--- config eval: B24::Crm::server(more => "location = /events { b24_mirror off; b24_events $::token poll=1s; }")
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'WON');
    told('e-1', qr/^delivered: the deal was moved to "WON" in the CRM$/,
         'noted');
    Time::HiRes::sleep(1);
    is(scalar($::shop->calls), 0, 'not told');



=== TEST 11: killed while the shop is called
--- http_config eval: ::http()
--- config eval: ::server()
--- timeout: 60
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(hang => 20);
    moves($deal, 'WON');
    ok(wait_until(sub { grep { /^login/ } $::shop->calls }), 'it is called');
    kill KILL => worker_pids();
    $::shop->mood(hang => 0);
    shop_has('e-1', 'W', 'it is told after all');
    quiet();
    stage_is('e-1', 'WON', 'and the deal stays');
--- expected_alert
exited on signal 9



=== TEST 12: while nginx is down, many deals
--- http_config eval: ::http()
--- config eval: ::server()
--- timeout: 60
--- scenario
    my @deals = map { deal_of("e-$_") } 1 .. 20;

    ok(wait_until(sub {
        grep { $_->{method} eq 'batch'
               && grep { $_->{method} eq 'crm.stagehistory.list' }
                       @{$_->{commands} // []} } B24::Crm::requests(undef, 0)
    }), 'the history is read');
    ok(quit(), 'nginx is gone');

    for my $n (0 .. 19) {
        person_moves($deals[$n], $_) for qw(PREPARATION LOSE WON);
        person_moves($deals[$n], 'NEW') if $n % 2;
    }

    start_again();
    shop_has('e-' . ($_ + 1), $_ % 2 ? 'N' : 'W', "e-$_") for 0 .. 19;
    quiet();
    my @calls = grep { /^set/ } $::shop->calls;
    is(scalar @calls, 10, 'a call for each that is elsewhere now');



=== TEST 13: moved between the look at a deal and the write
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    portal()->fault(kind => 'hang', when => 'before',
                    method => 'crm\.deal\.update');
    $::shop->order('e-1', 'P');
    get('/admin/set?id=e-1&to=P');
    portal()->wait_for(held => 1);
    Time::HiRes::sleep(1.1);
    person_moves($deal, 'WON');
    portal()->release;
    shop_has('e-1', 'W', 'the CRM was later');
    quiet();
    stage_is('e-1', 'WON', 'the deal is put back');
    like(join("\n", B24::Crm::timeline_of('e-1')),
         qr/after the shop's change to "PREPARATION": it was left there/,
         'the order tells');



=== TEST 14: away and back again while a change of the shop waits
--- http_config eval: ::http()
--- config eval: ::server(poll => '60s')
--- scenario
    my $deal = deal_of('e-1');

    # from where it was told that it is
    moves($deal, 'PREPARATION');
    shop_has('e-1', 'P', 'the shop is told');
    quiet();
    Time::HiRes::sleep(1.1);

    portal()->fault(kind => 'html', times => 1000);
    $::shop->order('e-1', 'N');
    get('/admin/set?id=e-1&to=N');
    told('e-1', qr/^waiting: /, 'it waits');
    Time::HiRes::sleep(1.1);
    person_moves($deal, $_) for qw(WON PREPARATION);
    portal()->clear_faults;
    shop_has('e-1', 'P', 'the CRM has the last word');
    quiet();
    stage_is('e-1', 'PREPARATION', 'and keeps it');



=== TEST 15: the login's call ends elsewhere: the advice is that of the answer
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    for ([301, qr/^give b24_site the address it ends at/],
         [404, qr/^check "url" of this block and the path of b24_site/],
         [401, qr/^check user= and password= of b24_site/])
    {
        my ($status, $advice) = @$_;

        $::shop->mood(answer => $status);
        moves($deal, $status == 404 ? 'PREPARATION' : 'WON');
        told('e-1', qr/^waiting: .*\($status\)$/, "$status to the login");

        my ($record) = B24::Crm::records();
        like($record->{advice}, $advice, "advice to $status");
    }

    $::shop->mood(answer => 0);
    shop_has('e-1', 'W', 'it is told once that is over');
