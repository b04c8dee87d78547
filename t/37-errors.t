# Every error of the portal and every fault of the network: what becomes of the
# order, what the page says, and that a healthy order behind it arrives.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              portal_tls => 1, upstream => 1;
use Test::Nginx::Socket;

use B24::Desk;
use B24::Orders;
use IO::Socket::INET;
use Test::More ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

our $http = B24::Orders::http(retry => 'first=80ms max=100ms unknown=80ms');
our $server = B24::Orders::server();

# where there is but one moment at which an order waits
our $patient
    = B24::Orders::http(retry => 'first=400ms max=400ms unknown=400ms');

# names of the loopback; the portal's certificate is for *.portal.localhost
our $tls = $ENV{TEST_NGINX_PORTAL_TLS_PORT};
our $renamed = B24::Orders::http(
    webhook => "https://old.portal.localhost:$tls/rest/1/code1234567890ab/",
    retry => 'first=100ms max=200ms unknown=100ms',
    more => 'b24_trusted_certificate $TEST_NGINX_PORTAL_CA;');

# Classes: what an order does after such an error, and the state of the portal
# meanwhile.
#
#   R   tried again with back-off         C   the same, after a look-up
#   W   waits until the time told         P   parked, this order only
#   O   waits, the portal is blocked
my %orders = (R => 'waiting', C => 'waiting', W => 'waiting', P => 'parked',
              O => 'waiting');
my %portals = (R => 'retrying', C => 'retrying', W => 'throttled', P => 'ok',
               O => 'blocked');

my $again = qr/Nothing to do: it is tried again/;
my $check = qr/Nothing to do: .* looked for .* tried again/;
my $value = qr/refuses a value of this order/;
my $report = qr/error of the module; please report/;
my $rights = qr/owner the right to read and add/;
my $field = qr/demands a field the order has not/;
my $restricted = qr/plan forbids this/;

# code, text, documented status, class, advice
our @errors = (
    [QUERY_LIMIT_EXCEEDED => 'Too many requests', 503, R =>
     qr/asked for fewer requests/],
    [QUERY_LIMIT_EXCEEDED =>
     'Rate limit exceeded: 100 requests in a given amount of time', 503, O =>
     qr/ready-made preset .* plain incoming webhook/],
    [OPERATION_TIME_LIMIT => 'Method is blocked due to operation time limit.',
     429, W => qr/Nothing to do: .* time budget/],
    [OVERLOAD_LIMIT => 'REST API is blocked due to overload.', 503, O =>
     qr/contact Bitrix24's support/],
    [INTERNAL_SERVER_ERROR => 'Internal server error', 500, C => $check],
    [ERROR_UNEXPECTED_ANSWER => 'Server returned an unexpected response', 500,
     C => $check],
    [WRONG_ENCODING => 'Wrong request encoding', 200, C => $check],
    [ERROR_CORE => 'Wrong value', 400, P => $value],
    ['' => 'Something is wrong', 400, P => $value],
    ['' => 'Access denied', 400, O => $rights],
    ['' => "\x{414}\x{43e}\x{441}\x{442}\x{443}\x{43f} "
           . "\x{437}\x{430}\x{43f}\x{440}\x{435}\x{449}\x{451}\x{43d}",
     400, O => $rights],
    ['' => 'Not found', 400, P => qr/was deleted in the portal/],
    ['' => 'Disk resource exhausted', 400, O => qr/free space there/],
    [ERROR_ARGUMENT => 'Argument is null', 400, P => $value],
    [INVALID_ARG_VALUE => 'Invalid value', 400, P => $value],
    [100 => 'Could not find value for parameter {fields}', 400, P => $value],
    [0 => 'Parameter is missing', 400, P => $value],
    [NOT_FOUND => 'Element not found', 400, P => qr/was deleted in the portal/],
    [CRM_FIELD_ERROR_REQUIRED => 'Field "Source" is required', 400, O =>
     $field],
    [CRM_FIELD_ERROR_VALUE_NOT_VALID => 'Wrong value', 400, P => $value],
    [CREATE_DYNAMIC_ITEM_RESTRICTED => 'No more items', 400, O => $restricted],
    [UPDATE_DYNAMIC_ITEM_RESTRICTED => 'No more items', 400, O => $restricted],
    [OWNER_NOT_FOUND => 'Owner was not found', 400, P => qr/deal was deleted/],
    [ENTITY_TYPE_NOT_SUPPORTED => 'Not supported', 400, P => $report],
    [200040300010 => 'Access to the catalog is denied', 400, O =>
     qr/access to the catalogue/],
    [ERROR_METHOD_NOT_FOUND => 'Method not found!', 404, O => qr/b24_api/],
    [ERROR_BATCH_LENGTH_EXCEEDED => 'Max batch length exceeded', 400, P =>
     $report],
    [ERROR_BATCH_METHOD_NOT_ALLOWED => 'Method is not allowed for batch usage',
     405, P => $report],
    [INVALID_REQUEST => 'Https required.', 400, O => qr/wants https/],
    [NO_AUTH_FOUND => 'Wrong authorization data', 401, O =>
     qr/user id and code in b24_webhook/],
    [INVALID_CREDENTIALS => 'Invalid request credentials', 403, O =>
     qr/put a new one in b24_webhook/],
    [authorization_error => 'Unable to authorize user', 401, O =>
     qr/dismissed or inactive/],
    [insufficient_scope => '', 403, O => qr/permission "crm"/],
    [expired_token => 'The access token provided has expired', 401, O =>
     qr/make a new one/],
    [user_access_error => 'The user has no access', 403, O =>
     qr/may not use REST/],
    [allowed_only_intranet_user => 'Only for employees', 403, O =>
     qr/must be an employee/],
    [ACCESS_DENIED => 'REST API is available only on commercial plans.', 403,
     O => qr/plan does not include REST/],
    [ACCESS_DENIED => 'REST API is available by subscription.', 403, O =>
     qr/plan does not include REST/],
    [ACCESS_DENIED => 'Access denied!', 403, O => $rights],
    [PORTAL_DELETED => 'Portal was deleted', 500, O => qr/gone or closed/],
    [METHOD_CONFIRM_WAITING => 'Waiting for confirmation', 401, O =>
     qr/administrator .* must confirm/],
    [METHOD_CONFIRM_DENIED => 'Denied', 403, O => qr/administrator .* refused/],
    [verification_needed => 'Verification needed', 401, O =>
     qr/licence must be verified/],
    [PORTAL_BLOCKED_BY_LICENSE_SCANNER => 'Blocked', 401, O =>
     qr/licence must be verified/],
    [ERROR_OAUTH => 'Disk quota exceeded.<br>', 401, O => qr/free space there/],
    [ERROR_OAUTH => 'Something else', 401, O => qr/check it in the portal/],
    [NO_AUTH_FOUND => 'Error connecting to authorization server', 401, R =>
     $again],
    [NEW_CODE => 'Nobody knows', 418, P => qr/error the module does not know/],
);

# what these mean depends on the status, which a command in a batch has not
our @whole = (
    [ERROR_CORE => 'SQL query error', 500, C => $check],
    ['' => 'Internal error', 500, C => $check],
    [0 => 'Uncaught exception', 503, C => $check],
    [NEW_CODE => 'Nobody knows', 502, C => $check],
    [NEW_CODE => 'Nobody knows', 401, O => qr/does not accept the webhook/],
    [NEW_CODE => 'Nobody knows', 429, W => qr/asked for fewer requests/],
);

# documented as 401 or 403: older portals say 401 to all of them
our @auth = map { my @row = @$_; $row[2] = 401; \@row }
            grep { $_->[2] == 403 } @errors;

# the command of a step, in both families of methods
my %steps = (
    contact => 'crm\.(?:contact|item)\.add',
    company => 'crm\.(?:company|item)\.add',
    deal    => 'crm\.(?:deal|item)\.add',
    rows    => 'crm\.(?:deal\.productrows|item\.productrow)\.set',
);

my $order = 0;
my (@delivered, @parked);


# The fault of an error at a step; "look" and "write" are the whole request.
sub fault {
    my ($error, $step, %more) = @_;

    my ($code, $text, $status, $class) = @$error;
    my %fault = (error => $code, description => $text,
                 times => $class eq 'P' ? 1 : 0,
                 $class eq 'W' ? (reset_in => 2) : (), %more);

    return { %fault, kind => 'command', method => $steps{$step} }
        if $steps{$step};

    return { %fault, kind => 'error', status => $status, method =>
             $step eq 'look' ? 'crm\.duplicate\.findbycomm'
                             : 'crm\.deal\.add' };
}

# Faults below the error codes: cause and advice.
my $unreadable = qr/^Bitrix24 answered UNREADABLE: .* not what REST answers$/;
my $broke = qr/^the connection to the portal broke$/;

our @faults = (
    (map {
        my $when = $_;
        ((map { [{ kind => 'html', status => $_, when => $when },
                 $unreadable] } 500, 502, 503, 504),
         [{ kind => 'empty', when => $when }, $unreadable],
         [{ kind => 'empty', status => 502, when => $when }, $unreadable],
         [{ kind => 'badjson', when => $when }, $unreadable],
         [{ kind => 'drop', when => $when }, $broke],
         [{ kind => 'drop', reset => \1, when => $when }, $broke],
         [{ kind => 'hang', then => 'drop', seconds => 0.1, when => $when },
          $broke])
    } qw(before after)),
    [{ kind => 'half' }, $broke],
    [{ kind => 'big', bytes => 9 * 1024 * 1024 },
     qr/^the portal's answer is too large$/],
);

# One order meets the fault, one stands behind it.
sub meet {
    my ($what, $fault, $class, $cause, $advice, $email) = @_;

    # without an e-mail there is no second try without it
    my @email = ($fault->{method} // '') =~ /contact/ ? (email => undef) : ();
    my ($record, $portal, $seen, @met);

    B24::Test::portal()->fault(%$fault);

    # where there is but one moment at which it waits, that may be over before
    # anybody has looked: the next one meets the same
    until ($seen || @met == 5) {
        push @met, ++$order;
        place([$order, company => "Firm $order", @email]);

        # of the same moment: between two tries the look-up may succeed, and
        # then the portal is well until the write fails again
        B24::Scenario::wait_until(sub {
            my $desk = B24::Desk::status();

            $portal = $desk->{portals}[0];
            $record = (grep { ($_->{id} // '') eq "o-$order" }
                            @{$desk->{orders}})[-1] // { state => '' };
            $seen = $record->{state} eq $orders{$class}
                    && $portal->{state} eq $portals{$class};

            return $seen || $record->{state} eq 'delivered';
        });
    }

    Test::More::is($record->{state}, $orders{$class}, "$what: state");
    Test::More::like($record->{cause} // '', $cause, 'its cause');
    Test::More::like($record->{advice} // '', $advice, 'its advice');
    Test::More::is($portal->{state}, $portals{$class}, 'the portal');
    Test::More::like($portal->{reason} // '', $class eq 'P' ? qr/^$/ : $cause,
                     'its reason');

    my $second = ++$order;

    place([$second, company => "Firm $second"]);

    # at once; the others when the fault is gone
    end_of_fault($met[-1]) if $class ne 'P';

    my @states = map { settled($_)->{state} }
                     $class eq 'P' ? $second : (@met, $second);

    Test::More::is("@states", join(' ', ('delivered') x @states),
                   'the healthy one is delivered');

    push @{$class eq 'P' ? \@parked : \@delivered}, @met;
    push @delivered, $second;
}

# The fault is gone, between two tries: what one family of methods refuses is sent
# by the other, and should only that one succeed, all that follow go by it.
sub end_of_fault {
    my ($n) = @_;

    B24::Scenario::post('/b24/pause', '')->{status} == 202
        or die "the portal is not paused\n";
    B24::Scenario::wait_until(sub { record($n)->{state} ne 'sending' });
    B24::Test::portal()->clear_faults;
    B24::Scenario::post('/b24/resume', '');
}

sub meet_error {
    my ($error, $step, %more) = @_;

    my ($code, $text, $status, $class, $advice) = @$error;
    my $what = join ' ', $code eq '' ? '""' : $code,
                         '(' . $text =~ s/[^ -~]/?/gr . ')', $status, $step,
                         %more;
    my $words = quotemeta join ': ', grep { length }
                                          $code, $text =~ s/<br>//r;

    meet($what, fault($error, $step, %more), $class,
         qr/^Bitrix24 answered $words$/, $advice);
}

# An address that takes no connection, and refuses none: SYNs are dropped as long
# as the object lives.
sub full_listener {
    my ($port) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 0, ReuseAddr => 1)
        or die "cannot listen on $port: $!\n";

    listen $listen, 0;

    my @fill = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                         PeerPort => $port, Blocking => 0) } 1 .. 3;

    return [$listen, @fill];
}

# Where requests went, oldest first: names without their domain.
sub hosts {
    my ($from) = @_;

    my @journal = @{B24::Test::portal()->report->{journal}};

    splice @journal, 0, $from // 0;

    return map { $_->{host} =~ s/\..*//r } @journal;
}

# The answer of the queue's database, through PHP's SQLite.
sub queue_rows {
    my ($sql) = @_;

    my $code = '$d = new SQLite3($argv[1], SQLITE3_OPEN_READONLY);'
               . ' $d->busyTimeout(5000); $r = $d->query($argv[2]);'
               . ' while ($x = $r->fetchArray(SQLITE3_NUM))'
               . ' echo implode("|", $x), "\n";';

    open my $from, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db", $sql
        or die "cannot run php: $!\n";

    return join '', <$from>;
}

sub moved {
    return grep { /has moved/ } @{portal_state()->{warnings}};
}

sub begin {
    ($order, @delivered, @parked) = (0);
}

# All of the list, then what the portal holds.
sub try_all {
    my ($step, $list, %more) = @_;

    begin();
    meet_error($_, $step, %more) for @$list;
    whole($step);
}

# STEP: at which some were refused for good.
sub whole {
    my ($step) = @_;

    my $report = B24::Test::portal()->report;
    my $deals = deals($report);
    my %companies = map { $_->{id} => $_->{title} } @{$report->{companies}};
    my @wrong;

    for my $n (@delivered) {
        my @deals = @{delete $deals->{"o-$n"} // []};
        my @contacts = map { @{$_->{contact_ids}} } @deals;

        push @wrong, "o-$n: " . @deals . ' deals, ' . @contacts . ' contacts'
            if @deals != 1 || @contacts != 1;
        push @wrong, "o-$n: rows of $_->{rows_sum}, "
                     . ($companies{$_->{company_id}} // 'no company')
            for grep { $_->{rows_sum} != 1990
                       || ($companies{$_->{company_id}} // '') ne "Firm $n" }
                     @deals;
    }

    # of one that was refused at its rows the deal is there
    for my $n (@parked) {
        my @deals = @{delete $deals->{"o-$n"} // []};
        push @wrong, "o-$n: " . @deals . ' deals'
            if @deals != ($step eq 'rows');
    }

    push @wrong, "unexpected: $_" for keys %$deals;

    Test::More::is(join("\n", @wrong), '', 'each delivered once, and whole');
    Test::More::is($report->{counts}{contacts}, @delivered
                   + ($step =~ /^(?:company|deal|rows)$/ ? @parked : 0),
                   'a contact each');
    Test::More::is($report->{counts}{companies}, @delivered
                   + ($step =~ /^(?:deal|rows)$/ ? @parked : 0),
                   'a company each');
    Test::More::is(join(' ', unlooked($report)), '',
                   'nothing is sent again without a look-up');
}

# Orders of which something was sent again although nobody had looked.
sub unlooked {
    my ($report) = @_;

    my (%last, %bad);

    for my $entry (grep { $_->{method} eq 'batch' } journal($report)) {
        my $commands = join ' ', values %{$entry->{params}{cmd} // {}};

        my %here = map { $_ => 1 }
                       $commands =~ /ORIGIN_ID(?:%5D|\])=o-(\d+)/gi;

        for my $n (keys %here) {
            $bad{$n} = 1 if ($last{$n} // '') eq 'write'
                            && $entry->{kind} eq 'write'
                            && $commands !~ /crm\.item\./;
            $last{$n} = $entry->{kind};
        }
    }

    return sort { $a <=> $b } keys %bad;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: as the answer to a look-up
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(look => [@main::errors, @main::whole]);



=== TEST 2: as the answer to a write
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(write => [@main::errors, @main::whole]);



=== TEST 3: errors of the webhook, by portals that say 401 to all of them
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(write => \@main::auth);



=== TEST 4: the contact, inside a batch that is answered with 200
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(contact => \@main::errors);



=== TEST 5: the company
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(company => \@main::errors);



=== TEST 6: the deal
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(deal => \@main::errors);



=== TEST 7: the rows
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    main::try_all(rows => \@main::errors);



=== TEST 8: done, and then an error is told
--- http_config eval: $::patient
--- config eval: $::server
--- scenario
    main::begin();

    for my $error (grep { $_->[3] eq 'C' } @main::errors) {
        main::meet_error($error, $_, when => 'after')
            for qw(write contact company deal rows);
    }

    main::whole('none');



=== TEST 9: no answer that could be read
--- http_config eval: $::patient
--- config eval: $::server
--- scenario
    main::begin();

    for my $fault (@main::faults) {
        my ($how, $cause) = @$fault;
        my $what = join ' ', map { "$_ $how->{$_}" } sort keys %$how;

        # a look-up on a reused connection is repeated by curl itself
        for my $method (qw(crm\.duplicate\.findbycomm crm\.deal\.add)) {
            main::meet("$what, $method",
                       { %$how, method => $method, times => 0 }, 'C', $cause,
                       qr/Nothing to do: .* looked for/);
        }
    }

    main::whole('none');



=== TEST 10: the time of a method is spent: until it is over, and no longer
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my ($limit) = grep { $_->[0] eq 'OPERATION_TIME_LIMIT' } @main::errors;
    my ($n, $seen, @late) = (0, 0);

    for my $step (qw(look write contact company deal rows)) {
        portal()->fault(%{main::fault($limit, $step, reset_in => 3,
                                      times => 1)});
        place([++$n, company => "Firm $n"]);

        # of the same moment, or it is over
        ok(wait_until(sub {
            my $desk = B24::Desk::status();
            my ($state) = map { $_->{state} } grep { ($_->{id} // '') eq "o-$n" }
                                                   @{$desk->{orders}};

            $seen++ if ($state // '') eq 'waiting'
                       && $desk->{portals}[0]{state} eq 'throttled';
            return ($state // '') =~ /^(?:waiting|delivered)$/;
        }), "$step: it waits");

        # the next one waits as well
        place($n + 100);
        is(settled($_)->{state}, 'delivered', "order $_") for $n, $n + 100;

        my @journal = @{portal()->report->{journal}};
        my ($at) = grep { $journal[$_]{fault}
                          || grep { length($_->{error} // '') }
                                  @{$journal[$_]{commands} // []} }
                        reverse 0 .. $#journal;
        my $until = int($journal[$at]{at}) + 3;

        cmp_ok($journal[$at + 1]{at}, '>=', $until, 'nobody asks before');
        push @late, $journal[$at + 1]{at} - $until;
        like(join("\n", timeline($n)), qr/^waiting: .*OPERATION_TIME_LIMIT/m,
             'the timeline tells');
    }

    # a machine that stands still for a moment delays one of them, or two
    @late = sort { $a <=> $b } @late;
    cmp_ok($late[@late / 2], '<', 1.5, 'then somebody does') or diag("@late");
    cmp_ok($seen, '>=', 3, 'the page tells while it lasts');



=== TEST 11: the portal's clock is not ours
--- http_config eval
B24::Orders::http(webhook => 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/rest/1/code/')
--- config eval: $::server
--- scenario
    # an hour and a half behind: its two seconds are two seconds
    my $clock = int(time) - 5400;
    my $error = '{"error":"OPERATION_TIME_LIMIT","error_description":"x",'
                . '"time":{"finish":' . "$clock.5" . ',"operating_reset_at":'
                . ($clock + 2) . '}}';

    upstream()->wait_for(target => '^/rest/', count => 1);
    upstream()->script(target => '^/rest/', status => 429, body => $error);
    place(1);

    my (undef, @got) = upstream()->wait_for(target => '^/rest/', count => 3);
    my $pause = $got[1]{time} - $got[0]{time};

    cmp_ok($pause, '>=', 1.9, 'two seconds');

    my ($told) = map { /next try in (\d+) ms/ } error_log_lines(qr/next try/);
    cmp_ok($told, '<', 4000, 'not three hundred');



=== TEST 12: nobody knows until when
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my ($limit) = grep { $_->[0] eq 'OPERATION_TIME_LIMIT' } @main::errors;

    portal()->fault(%{main::fault($limit, 'deal', reset_in => undef)});
    place(1);
    is(settled(1, 'waiting')->{cause}, 'Bitrix24 answered OPERATION_TIME_LIMIT: '
       . 'Method is blocked due to operation time limit.', 'the cause');
    is(portal_state()->{state}, 'throttled', 'the page tells');
    ok(error_log_lines(qr/OPERATION_TIME_LIMIT.*next try in 300000 ms/),
       'five minutes');

    my $arrived = portal()->report->{counts}{arrived};

    place(2);
    ok(wait_until(sub { record(2) }), 'the next order is accepted');
    is(portal()->wait_for(stable_ms => 1000)->{counts}{arrived}, $arrived,
       'the portal is left alone');



=== TEST 13: a blocked portal gets no order until it answers
--- http_config eval
B24::Orders::http(retry => 'first=300ms max=300ms unknown=300ms')
--- config eval: $::server
--- scenario
    place(1);
    is(settled(1)->{state}, 'delivered', 'all is well');

    my $before = portal()->report->{counts}{arrived};

    portal()->config(webhook => { state => 'authorization_error' });
    place(2);
    like(settled(2, 'waiting')->{advice}, qr/dismissed or inactive/, 'blocked');
    place(3 .. 6);
    portal()->wait_for(arrived => $before + 5);

    is(portal_state()->{state}, 'blocked', 'the page tells');
    is_deeply([map { record($_)->{state} } 3 .. 6], [('accepted') x 4],
              'the others are not even tried');

    my @asked = map { $_->{method} } @{portal()->report->{journal}};
    splice @asked, 0, $before;
    is(shift @asked, 'batch', 'one order was sent');
    is(join(' ', grep { $_ ne 'profile' } @asked), '', 'probes since then');

    $before = portal()->report->{counts}{arrived};
    portal()->config(webhook => { state => 'ok' });
    delivered_once(1 .. 6);
    is(portal_state()->{state}, 'ok', 'recovered');

    # but for those that were refused until then
    @asked = @{portal()->report->{journal}};
    splice @asked, 0, $before;
    is(scalar(grep { $_->{method} eq 'profile' && !defined $_->{error} } @asked),
       1, 'one probe more');



=== TEST 14: the portal answers, and refuses orders: one for each probe
--- http_config eval
B24::Orders::http(retry => 'first=200ms max=200ms unknown=200ms')
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 0,
                    error => 'ACCESS_DENIED', description => 'Access denied!');
    place(1 .. 4);
    settled(1, 'waiting');

    my $before = portal()->report->{counts}{arrived};
    my @journal = @{portal()->wait_for(arrived => $before + 12)->{journal}};

    splice @journal, 0, $before;

    my $order = join ' ', map { $_->{method} eq 'profile' ? 'probe'
                              : join(' ', values %{$_->{params}{cmd}})
                                =~ /\.add\?/ ? 'write' : 'look' } @journal;

    like($order,
         qr/^(?:look |write )*(?:probe look write ?)+(?:probe(?: look)?)?$/,
         'one order after each probe');
    is(portal_state()->{state}, 'blocked', 'blocked all the time');

    portal()->clear_faults;
    delivered_once(1 .. 4);



=== TEST 15: one order is refused as if all were: in the end it is parked
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    # only the first order is
    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 0,
        params => '"ORIGIN_ID":"o-1"', error => '',
        description => 'Access denied');
    place(1);
    ok(wait_until(sub { portal_state()->{state} eq 'blocked' }),
       'it blocks the portal');

    # others come and pass, each of its tries has some before it
    my $others = 0;

    ok(wait_until(sub {
        $others++;
        place($others + 1);
        settled($others + 1)->{state} eq 'delivered'
            or die "an order did not get through\n";

        return record(1)->{state} eq 'parked';
    }, 40), 'then it is the order');

    cmp_ok($others, '>=', 2, "$others others got through");
    cmp_ok(record(1)->{attempts}, '>=', 3, 'after three tries');
    is(portal_state()->{state}, 'ok', 'the portal is open');

    my @timeline = timeline(1);

    is(scalar(grep { /^parked/ } @timeline), 1, 'parked once');
    like($timeline[-1], qr/^parked/, 'in the end');
    like(record(1)->{advice}, qr/right to read and add/, 'what to do');
    ok(error_log_lines(qr/\[warn\].* b24: k-\w+ is parked/), 'the log tells');



=== TEST 16: no answer, no connection: for as long as that takes
--- http_config eval
$::http . '
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_2;
        b24_origin  second;
        b24_webhook http://127.0.0.1:$TEST_NGINX_PORT_9/rest/1/code/;
        b24_mirror  tested;

        location / {
            proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
        }
    }'
--- config eval: $::server
--- scenario
    my $full = main::full_listener($ENV{TEST_NGINX_PORT_9});

    # the deal is made, the answer hangs; another order stands behind it
    portal()->fault(kind => 'hang_after', method => 'crm\.deal\.add');

    my $before = time;

    place(1);
    portal()->wait_for(held => 1);
    place(2);

    my $other = client($ENV{TEST_NGINX_PORT_2});
    $other->send(order_bytes(3));
    is($other->response->{status}, 200, 'an order of the second shop');

    # what the portal is asked at the start comes first
    ok(wait_until(sub { (record(3)->{cause} // '')
                        eq 'no connection to the portal in time' }, 40),
       'nobody picks up');
    like(record(3)->{advice}, qr/whether this server can reach the portal/,
         'what to do');

    undef $full;
    ok(wait_until(sub { record(3)->{cause}
                        eq 'the portal does not accept connections' }, 40),
       'then nobody listens');
    like(record(3)->{advice}, qr/whether this server can reach the portal/,
         'what to do');

    is(settled(2)->{state}, 'delivered', 'the one behind does not wait for it');
    is(record(1)->{state}, 'sending', 'which is under way still');

    # it would be looked for at once, and found
    is(post('/b24/pause', '')->{status}, 202, 'paused');
    ok(wait_until(sub { (record(1)->{cause} // '') ne '' }, 90), 'given up');
    cmp_ok(time - $before, '>=', 74, 'after 75 seconds');
    is(record(1)->{cause}, 'the portal did not answer in time', 'the cause');
    like(record(1)->{advice}, qr/Nothing to do: .* looked for/, 'the advice');

    portal()->release(drop => 1);
    is(post('/b24/resume', '')->{status}, 202, 'on it goes');
    delivered_once(1, 2);
    like(join("\n", timeline(1)), qr/delivered: the deal was there already/,
         'it was found');



=== TEST 17: a name that does not resolve
--- http_config eval
B24::Orders::http(webhook => 'https://portal.invalid/rest/1/code5678/',
                  retry => 'first=100ms max=300ms unknown=100ms')
--- config eval: $::server
--- scenario
    place(1);
    like(settled(1, 'waiting')->{cause},
         qr/^the portal's name cannot be resolved$|^no connection to the/,
         'the cause');
    like(record(1)->{advice}, qr/DNS|can reach the portal/, 'the advice');
    is(portal_state()->{state}, 'retrying', 'the portal');



=== TEST 18: somebody who speaks no TLS
--- keep_state
--- http_config eval
B24::Orders::http(retry => 'first=100ms max=300ms unknown=100ms', webhook =>
    'https://127.0.0.1:$TEST_NGINX_PORTAL_PORT/rest/1/code5678/')
--- config eval: $::server
--- scenario
    place(2);

    for my $n (1, 2) {
        ok(wait_until(sub { (record($n)->{cause} // '')
                            eq 'no TLS connection to the portal' }),
           'the cause');
        like(record($n)->{advice}, qr/speaks TLS 1\.2/, 'the advice');
    }

    is(portal_state()->{state}, 'retrying', 'the portal');



=== TEST 19: a certificate nobody vouches for
--- keep_state
--- http_config eval
B24::Orders::http(retry => 'first=100ms max=300ms unknown=100ms',
                  webhook => '$TEST_NGINX_PORTAL_TLS_URL')
--- config eval: $::server
--- scenario
    place(3);

    for my $n (1 .. 3) {
        ok(wait_until(sub { (record($n)->{cause} // '')
                            eq "the portal's certificate is not trusted" }),
           'the cause');
        like(record($n)->{advice}, qr/b24_trusted_certificate/, 'the advice');
    }

    is(portal()->report->{counts}{arrived}, 0, 'nothing was sent to it');



=== TEST 20: the right address: all of them arrive
--- keep_state
--- http_config eval
B24::Orders::http(webhook => '$TEST_NGINX_PORTAL_TLS_URL',
                  more => 'b24_trusted_certificate $TEST_NGINX_PORTAL_CA;')
--- config eval: $::server
--- scenario
    delivered_once(1 .. 3);



=== TEST 21: the portal was renamed
--- http_config eval: $::renamed
--- config eval: $::server
--- scenario
    my $n = 0;

    # what it is asked at the start has come
    portal()->wait_for(arrived => 1, stable_ms => 300);

    for my $status (301, 302, 307, 308) {
        my $from = portal()->report->{counts}{arrived};

        portal()->clear_faults;
        portal()->fault(kind => 'redirect', host => '^old', times => 0,
            status => $status,
            location => "https://new.portal.localhost:${main::tls}PATH");

        # it is remembered until then; whoever comes asks about the portal first
        if ($n) {
            reload();
            portal()->wait_for(arrived => $from + 2, stable_ms => 300);
        }

        $n += 2;
        place($n - 1, $n);
        is(settled($_)->{state}, 'delivered', "$status: order $_")
            for $n - 1, $n;
        is(record($n)->{attempts}, 1, 'at the first attempt');

        my @hosts = main::hosts($from);
        is($hosts[0], 'old', 'the old host is asked');
        is(scalar(grep { $_ eq 'old' } @hosts), 1, 'once');
        cmp_ok(scalar(grep { $_ eq 'new' } @hosts), '>=', 4, 'the new one then');
    }

    delivered_once(1 .. $n);

    my $report = portal()->report;
    is(join(' ', map { "$_->{http} $_->{via}" }
                 grep { $_->{http} ne 'POST' || $_->{via} ne 'https' }
                      @{$report->{journal}}), '', 'all POST over TLS');

    my $words = qq{the portal has moved to "new.portal.localhost:$main::tls":}
                . ' correct b24_webhook';
    is(join(', ', main::moved()), $words, 'the page tells');
    ok(error_log_lines(qr/\[warn\].* \Q$words\E$/), 'the log tells');
    unlike(error_log(), qr/code1234567890ab/, 'no secret in it');



=== TEST 22: renamed between a look-up and a write, and back
--- http_config eval: $::renamed
--- config eval: $::server
--- scenario
    place(1);
    is(settled(1)->{state}, 'delivered', 'under the old name');

    portal()->fault(kind => 'redirect', host => '^old', status => 302,
        times => 0, method => 'crm\.deal\.add',
        location => "https://new.portal.localhost:${main::tls}PATH");
    place(2);
    is(settled(2)->{state}, 'delivered', 'the write goes on to the new one');
    is(record(2)->{attempts}, 1, 'nothing had happened: no second attempt');
    is(join(' ', (main::hosts())[-3 .. -1]), 'old old new', 'look, write, write');

    place(3);
    is(settled(3)->{state}, 'delivered', 'the next one');
    is(join(' ', (main::hosts())[-2 .. -1]), 'new new', 'is sent there at once');

    # renamed once more
    portal()->fault(kind => 'redirect', host => '^new\.', status => 308,
        times => 0,
        location => "https://newer.portal.localhost:${main::tls}PATH");
    place(4);
    is(settled(4)->{state}, 'delivered', 'a third name');
    like(join(', ', main::moved()), qr/^the .* "newer\.portal\.localhost:/,
         'the page tells');

    # the new name is no more: the old one knows better
    portal()->clear_faults;
    portal()->fault(kind => 'html', host => '^newer', status => 404,
                    times => 0);
    place(5);
    is(settled(5)->{state}, 'delivered', 'back under the old name');
    is(join(', ', main::moved()), '', 'as the page says');
    delivered_once(1 .. 5);



=== TEST 23: redirects that are a person's matter
--- http_config eval: $::renamed
--- config eval: $::server
--- scenario
    my $secret = qr/code1234567890ab|\/rest\//;
    my $n = 0;

    for my $case (
        ["http://new.portal.localhost:${main::tls}PATH",
         'new.portal.localhost', qr/without https/],
        ["https://new.portal.test:${main::tls}PATH",
         'new.portal.test', qr/in another domain/],
        ["https://old.portal.localhost.evil.test:${main::tls}PATH",
         'old.portal.localhost.evil.test', qr/in another domain/],
        ["https://127.0.0.1:${main::tls}PATH", '127.0.0.1',
         qr/in another domain/],
        ["https://new.portal.localhost:${main::tls}/auth/?backurl=PATH",
         'new.portal.localhost', qr/not to its REST/],
        ["https://old.portal.localhost:${main::tls}PATH",
         'old.portal.localhost', qr/from there back/],
        ["https://new.portal.localhost:${main::tls}PATH",
         'old.portal.localhost', qr/from there back/,
         "https://old.portal.localhost:${main::tls}PATH"],
        ['mailto:PATH', '', qr/to no address/],
    ) {
        my ($location, $host, $advice, $back) = @$case;
        my $from = portal()->report->{counts}{arrived};

        my $fault = portal()->fault(kind => 'redirect', host => '^old',
                                    times => 0, location => $location);
        portal()->fault(kind => 'redirect', host => '^new', times => 0,
                        location => $back) if $back;
        $n += 2;
        place($n - 1, $n);
        ok(wait_until(sub { grep { (record($_)->{advice} // '') =~ $advice }
                                 $n - 1, $n }), $location);

        my ($record) = grep { ($_->{advice} // '') =~ $advice }
                       map { record($_) } $n - 1, $n;
        my $portal = portal_state();

        is("$record->{state} $portal->{state}", 'waiting blocked', 'blocked');
        like($record->{cause}, qr/MOVED: the portal's address has changed/,
             'the cause');
        like($record->{advice}, qr/\Q$host\E.* b24_webhook/, 'names the host');
        is($portal->{advice}, $record->{advice}, 'the page, too');
        unlike("$record->{cause}$record->{advice}$portal->{reason}", $secret,
               'and no path');

        my %hosts = map { $_ => 1 } main::hosts($from);
        is(join(' ', sort keys %hosts), $back ? 'new old' : 'old',
           'nothing was sent elsewhere');

        # what is at the second host now must not be taken there
        portal()->fault(remove => $fault);
        is(settled($_)->{state}, 'delivered', "order $_") for $n - 1, $n;
        portal()->clear_faults;
    }

    delivered_once(1 .. $n);
    unlike(error_log(), qr/code1234567890ab/, 'no secret in the log');



=== TEST 24: plain http on the loopback, and TLS now
--- http_config eval
B24::Orders::http(more => 'b24_trusted_certificate $TEST_NGINX_PORTAL_CA;')
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'redirect', times => 0,
        host => "127.0.0.1:$ENV{TEST_NGINX_PORTAL_PORT}",
        location => "https://127.0.0.1:${main::tls}PATH");
    place(1, 2);
    delivered_once(1, 2);

    # what was asked at the start may have come before the redirect was there
    my @via = map { $_->{via} } @{portal()->report->{journal}};
    my $plain = 0;

    $plain++, shift @via while @via && $via[0] eq 'http';
    cmp_ok($plain, '<=', 2, 'asked once, and at the start');
    cmp_ok(scalar @via, '>=', 3, 'then followed');
    is(join(' ', grep { $_ ne 'https' } @via), '', 'TLS since then');



=== TEST 25: a method's time is spent, and everybody is killed
--- http_config eval: B24::Orders::http(rate => '1 burst=30')
--- config eval: $::server
--- scenario
    portal()->config(bucket => { burst => 30, rate => 1 });

    # what the portal is asked at the start comes first
    portal()->wait_for(arrived => 1, stable_ms => 300);

    # one after another: orders that wait together share their requests
    for (1 .. 8) {
        place($_);
        is(settled($_)->{state}, 'delivered', "order $_");
    }

    # where these have taken long it has run out meanwhile
    @main::more = ();

    for (101 .. 120) {
        last if portal_state()->{rate}{level} > 12;
        place($_);
        settled($_);
        push @main::more, $_;
    }

    portal()->fault(kind => 'command', error => 'OPERATION_TIME_LIMIT',
        method => 'crm\.deal\.add', reset_in => 12);
    place(9);
    settled(9, 'waiting');

    my ($entry) = reverse @{portal()->report->{journal}};

    $main::until = int($entry->{at}) + 12;
    $main::arrived = portal()->report->{counts}{arrived};
    $main::looked = time;
    $main::level = portal_state()->{rate}{level};
    cmp_ok($main::level, '>', 10, 'the bucket is not empty');

    # it is written each second
    ok(wait_until(sub { main::queue_rows('SELECT state FROM portals')
                        =~ /throttled/ }), 'written down');

    my @pids = (master_pid(), worker_pids(all => 1));

    kill 'KILL', @pids;
    ok(wait_until(sub { !grep { is_alive($_) } @pids }), 'all are killed');



=== TEST 26: and the next ones know
--- keep_state
--- http_config eval: B24::Orders::http(rate => '1 burst=30')
--- config eval: $::server
--- scenario
    ok(wait_until(sub { portal_state()->{state} eq 'throttled' }),
       'the page tells');

    my $portal = portal_state();

    like($portal->{reason}, qr/OPERATION_TIME_LIMIT/, 'the reason');
    like($portal->{advice}, qr/time budget/, 'the advice');
    cmp_ok($portal->{rate}{level}, '>',
           $main::level - (time - $main::looked) - 3, 'the bucket is as full');

    place(10 .. 14);
    is(settled($_)->{state}, 'delivered', "order $_") for 9 .. 14;

    my $report = portal()->report;
    my ($first) = grep { $_->{seq} > $main::arrived } @{$report->{journal}};

    cmp_ok($first->{at}, '>=', $main::until, 'nothing was sent before its time');
    is($report->{limits}{refused}, 0, 'nor more than the portal takes');
    is(portal_state()->{state}, 'ok', 'all is well');
    delivered_once(1 .. 14, @main::more);



=== TEST 27: a blocked portal, and nginx quits
--- http_config eval
B24::Orders::http(retry => 'first=500ms max=1500ms unknown=500ms')
--- config eval: $::server
--- scenario
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1);
    settled(1, 'waiting');

    # the next probe is 1.5 seconds away when it quits
    my $arrived = portal()->report->{counts}{arrived};
    portal()->wait_for(arrived => $arrived + 2);
    is(portal_state()->{state}, 'blocked', 'blocked');
    place(2);



=== TEST 28: the next one asks once, and goes on counting
--- keep_state
--- http_config eval
B24::Orders::http(retry => 'first=500ms max=1500ms unknown=500ms')
--- config eval: $::server
--- scenario
    ok(wait_until(sub { portal_state()->{state} eq 'blocked' }),
       'it is known to be blocked');
    like(portal_state()->{reason}, qr/INVALID_CREDENTIALS/, 'and why');
    ok(wait_until(sub { error_log_lines(qr/INVALID_CREDENTIALS.*failures/) }),
       'it is probed');

    my ($failures) = map { /, (\d+) failures in a row/ }
                     error_log_lines(qr/failures in a row/);

    cmp_ok($failures, '>=', 4, 'not for the first time');

    my @journal = @{portal()->report->{journal}};
    is(join(' ', grep { $_ ne 'profile' }
                 map { $_->{method} } @journal[3 .. $#journal]), '',
       'no order is sent');

    portal()->config(webhook => { state => 'ok' });
    delivered_once(1, 2);



=== TEST 29: nobody listens, and nginx is started anew again and again
--- http_config eval
B24::Orders::http(webhook => 'http://127.0.0.1:$TEST_NGINX_PORT_9/rest/1/code/',
                  retry => 'first=8s max=8s unknown=8s')
--- config eval: $::server
--- scenario
    $main::before = time;
    place(1);
    settled(1, 'waiting');
    is(portal_state()->{state}, 'retrying', 'closed');

    # one that has no time of its own
    place(2);
    ok(wait_until(sub { record(2) }), 'accepted');



=== TEST 30: its pause goes on
--- keep_state
--- http_config eval
B24::Orders::http(webhook => 'http://127.0.0.1:$TEST_NGINX_PORT_9/rest/1/code/',
                  retry => 'first=8s max=8s unknown=8s')
--- config eval: $::server
--- scenario
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $ENV{TEST_NGINX_PORT_9}, Listen => 8, ReuseAddr => 1);
    my $client = $listen->accept;

    ok($client, 'somebody comes');
    cmp_ok(time - $main::before, '>=', 5, 'after the pause');
    close $client;

