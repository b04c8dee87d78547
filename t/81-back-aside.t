# What stands in the way of a status on its way back to the shop, and what it
# stands in the way of.

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
use JSON::PP ();
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
        stage W WON;  stage L LOSE;
        default_status N;

        status admin {
            uri       /admin/set;
            id        query:/id;
            status    query:/to;
            accept    status =200;
        }
EOC

our $login = <<'EOC';
        write login {
            url       "%{site}/login";
            body      "user=%{user}&password=%{password}";
            accept    response:/token;
            learn     token  response:/token;
        }
EOC

our $writes = $login . <<'EOC';
        write status {
            when      status  "!=%{previous}";
            url       "%{site}/set";
            header    X-Token  "%{token}";
            body      "id=%{id}&status=%{status}";
            expired   response:/error  =session;
            accept    response:/ok  =1;
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

our $site = 'b24_site http://127.0.0.1:$TEST_NGINX_PORT_4 user='
    . B24::StatusShop::USER . " password=file:$B24::Test::DIR/password;";

# another server of the origin, whose orders come by rules that don't write
sub second {
    return <<"EOC";
    server {
        listen 127.0.0.1:\$TEST_NGINX_PORT_2;
        server_name form.example.com;
        b24_mirror form;
        $site

        location / {
            proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_1;
        }
    }
EOC
}

# lines of http{}
sub http {
    my (%option) = @_;

    return B24::Crm::http(servers => $plain . ($option{server} // ''),
        stages => $table . ($option{writes} // $writes), %option);
}

# lines of the server
sub server {
    my (%option) = @_;

    my $more = $option{more} // '';
    my $mirror = $option{mirror} // '';

    return B24::Crm::server(more => <<"EOC");
    $site
    $more

    location /admin/ {
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_3;
    }

    location = /events {
        b24_mirror off;
        b24_events $token poll=1s;
    }
EOC
}

# changes the queue's file behind nginx's back
sub queue {
    my ($sql) = @_;

    my $code = '$db = new SQLite3($argv[1]); $db->busyTimeout(10000);'
        . ' $db->exec($argv[2]) or exit(1);';

    system('php', '-n', '-d', 'extension=sqlite3', '-r', $code, '--',
           "$ENV{TEST_NGINX_QUEUE}/queue.db", $sql) == 0
        or die "the queue is not changed\n";

    return;
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

    # A person in the shop sets a status, through nginx.
    sub sets {
        my ($id, $status) = @_;

        Time::HiRes::sleep(1.1);        # the portal's times are of a second
        $::shop->order($id, $status);
        B24::Scenario::get("/admin/set?id=$id&to=$status");
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
        ok(wait_until(sub {
            !grep { $_->{state} !~ /^(?:delivered|parked)$/ }
                 B24::Crm::records();
        }), 'all is quiet');
    }
}

add_block_preprocessor(sub { $shop->reset });

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: a login that is refused: the shop's own changes go on
--- http_config eval: ::http(retry => 'first=1h max=1h unknown=300ms')
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(password => 'other');
    moves($deal, 'WON');
    told('e-1', qr/^waiting: the shop refuses the login/, 'it waits');
    sets('e-1', 'P');
    stage_is('e-1', 'PREPARATION', 'the shop\'s change is brought to the CRM');
    is($::shop->order('e-1'), 'P', 'the shop stays');
    is(scalar(grep { /login/ } $::shop->calls), 1, 'no other login');



=== TEST 2: parked
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1', status => 'N');

    $::shop->mood(refuse => 'no right');
    moves($deal, 'WON');
    told('e-1', qr/^parked: /, 'it is parked');
    moves($deal, 'NEW');
    told('e-1', qr/^delivered: the shop has it already/, 'it is not wanted any more');
    my $r = B24::Crm::record('e-1');
    is($r->{cause}, undef, 'and there is no remark left');
    is($r->{advice}, undef, 'nor advice');



=== TEST 3: waiting
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1', status => 'N');

    $::shop->mood(answer => 503);
    moves($deal, 'WON');
    told('e-1', qr/^waiting: /, 'it waits');
    moves($deal, 'NEW');
    told('e-1', qr/^delivered: the shop has it already/, 'it is not wanted any more');
    my $r = B24::Crm::record('e-1');
    is($r->{cause}, 'the shop has it already', 'and no other remark is left');
    is($r->{advice}, undef, 'nor advice');



=== TEST 4: b24_site is taken away while a change waits
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(answer => 503);
    moves($deal, 'WON');
    told('e-1', qr/^waiting: /, 'it waits');
    ok(quit(), 'gone');
    start_again(sub { $_[0] =~ s/b24_site [^;]*;// });
    told('e-1', qr/^delivered: there is no b24_site any more/,
         'the order tells');
    quiet();
    sets('e-1', 'P');
    stage_is('e-1', 'PREPARATION', 'statuses go on');



=== TEST 5: told meanwhile
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'PREPARATION');
    shop_has('e-1', 'P', 'told');
    quiet();
    $::shop->mood(hang => 3);
    Time::HiRes::sleep(1.1);
    moves($deal, 'WON');
    wait_until(sub { grep { /W$/ } $::shop->calls }) or diag 'not called';
    sets('e-1', 'L');
    stage_is('e-1', 'LOSE', 'the deal follows what was done in the shop meanwhile');
    $::shop->mood(hang => 0);
    quiet();
    is($::shop->order('e-1'), 'L', 'the shop stays');
    stage_is('e-1', 'LOSE', 'and the deal');



=== TEST 6: retry by hand
--- http_config eval: ::http(retry => 'first=1h max=1h unknown=300ms')
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(answer => 503);
    moves($deal, 'WON');
    told('e-1', qr/^waiting: /, 'it waits');
    $::shop->mood(answer => 0);
    my $r = B24::Crm::record('e-1');
    is(post("/b24/orders/$r->{key}/retry", '')->{status}, 202, 'by hand');
    shop_has('e-1', 'W', 'told');



=== TEST 7: several shops of one origin, the first one is not written to
--- http_config eval: ::http(lines => B24::Crm::rules(name => 'form', stages => 'stage N NEW; stage P PREPARATION; stage W WON; default_status N;'), server => ::second())
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    moves($deal, 'PREPARATION');
    shop_has('e-1', 'P', 'the shop is told');

    ok(B24::Crm::order({ host => 'form.example.com' }, id => 'f-1'), 'the form');
    moves(B24::Crm::delivered('f-1'), 'PREPARATION');
    told('f-1', qr/^delivered: the rules by which the order came have no "write"/,
         'the other one tells');
    is(join(', ', $::shop->calls), 'login, set e-1 N P', 'and is not called');



=== TEST 8: a status without a stage is a change of the shop, too
--- http_config eval: ::http(retry => 'first=1h max=1h unknown=300ms')
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(answer => 503);
    moves($deal, 'WON');
    told('e-1', qr/^waiting: /, 'the shop is away');
    sets('e-1', 'X');
    told('e-1', qr/^accepted: the shop is to be told/, 'it has gone first');
    like(join("\n", B24::Crm::timeline_of('e-1')),
         qr/"X" has no line in the table of stages/, 'it has no stage');
    $::shop->mood(answer => 0);
    post('/b24/check', '');
    quiet();
    is($::shop->order('e-1'), 'X', 'the shop was later, and keeps it');
    stage_is('e-1', 'WON', 'and so does the CRM');

    Time::HiRes::sleep(1.1);
    moves($deal, 'LOSE');
    shop_has('e-1', 'L', 'what comes later is told');



=== TEST 9: a number that was used again
--- http_config eval: ::http()
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    # within a day it would be the same order once more
    main::queue('UPDATE records SET accepted = accepted - 172800000;'
                . 'UPDATE links SET accepted = accepted - 172800000');
    ok(B24::Crm::order(id => 'e-1', name => 'Пётр', total => '5.00',
                       items => []), 'another order');
    ok(wait_until(sub { grep { $_->{state} eq 'parked' } B24::Crm::records() }),
       'it waits for a person');
    moves($deal, 'WON');

    my $key = (map { $_->{key} } grep { $_->{state} ne 'parked' }
               B24::Crm::records())[0];
    my @now;

    wait_until(sub {
        @now = map { "$_->{state}: " . ($_->{cause} // '') }
            @{JSON::PP::decode_json(get("/b24/orders/$key?format=json")->{body})
              ->{timeline}};
        $now[-1] =~ /another order/;
    });
    like($now[-1], qr/^parked: another order has come with this number/,
         'nobody knows whose it is in the shop');
    is(scalar($::shop->calls), 0, 'it is left alone');



=== TEST 10: what is private, of an order that has expired as well, and at debug level
--- http_config eval: ::http()
--- config eval: ::server()
--- log_level: debug
--- scenario
    my $deal = deal_of('e-1');

    main::queue('PRAGMA foreign_keys = ON; DELETE FROM records');
    $::shop->mood(refuse => 'no right, Иван, t12345678, s3cret:pass word');
    moves($deal, 'WON');
    told('e-1', qr/^parked: /, 'refused');

    my @calls = $::shop->calls;
    like($calls[-1], qr/^set e-1/, 'the call');

    my $said = join "\n", B24::Crm::timeline_of('e-1'),
        get('/b24?format=json')->{body}, get('/b24')->{body};

    unlike($said, qr/Иван|s3cret|pass word/, 'nothing of it is shown');

    # nothing of it stays
    my $secret = qr/s3cret|pass(?:\s|%20|\+)word|\bt\d{12}\b|czNjcmV0/;
    my @files = grep { -f } glob(queue_dir() . '/*'),
                            glob("$ENV{TEST_NGINX_SERVROOT}/logs/*");

    for my $path (@files) {
        my $bytes = B24::Recording::read_file($path);
        unlike($bytes, $secret, "nor written to $path");
    }



=== TEST 11: a change that an older version's worker has told of
--- http_config eval: ::http(retry => 'first=1h max=1h unknown=300ms')
--- config eval: ::server()
--- scenario
    my $deal = deal_of('e-1');

    $::shop->mood(answer => 503);
    moves($deal, 'WON');
    told('e-1', qr/^waiting: /, 'the shop is away');

    # it has no event of its own: the one that waits has taken it in
    Time::HiRes::sleep(1.1);
    main::queue("UPDATE seen SET status = 'P', settled = NULL, time = "
                . int(Time::HiRes::time() * 1000));
    post('/b24/orders/' . B24::Crm::record('e-1')->{key} . '/retry', '');
    stage_is('e-1', 'PREPARATION', 'the deal follows all the same');
    quiet();
