package B24::TwoSides;

# Orders of a shop whose status is changed in the shop and in the CRM, while
# webhooks come late, twice, in another order or not at all, workers are killed,
# and the shop and the portal fail.  For a test file with a portal; the shop is
# B24::BitrixAdmin behind the block's nginx.
#
#   my $run = B24::TwoSides->new(db => $db, admin => $admin, token => $token,
#                                seed => 7, orders => 1000);
#   $run->plan->{poll};          # for the configuration
#   $run->go;                    # while nginx runs: fills the tables, waits for
#                                # the deals, does what is planned, waits until
#                                # nothing is under way
#   my $judge = $run->judge;     # a B24::TwoSides::Judge
#
# What is to happen says B24::TwoSides::Plan.  Histories tell what has happened:
# the log of calls of the stand-in, into which we write our own statements as
# well, and the history of stages of the emulated portal.  Both know who has done
# it, and when, by one clock.

use strict;
use warnings;
use utf8;

use B24::Bitrix ();
use B24::Desk ();
use B24::Scenario ();
use B24::Secrets ();
use B24::Tables ();
use B24::Test ();
use B24::TwoSides::Judge ();
use B24::TwoSides::Plan ();
use JSON::PP ();
use Mojo::IOLoop;
use Mojo::UserAgent;
use Time::HiRes qw(sleep time);

use constant {
    FIRST    => 2001,       # the key of the first order
    ROUND    => 0.01,       # seconds
    CAP      => 240,        # of each wait
    PERSON   => 7,          # who moves deals in the CRM
    OURS     => 1,          # the webhook's owner
    LATE     => 5,          # seconds a call may go on in the shop
    SESSIONS => 6,          # of the manager: PHP lets one request in at a time
};

use constant AJAX => '/bitrix/admin/sale_order_ajax.php';


sub new {
    my ($class, %args) = @_;

    my $self = bless {
        %args,
        plan => B24::TwoSides::Plan->new(seed => $args{seed},
                                         orders => $args{orders}),
        count => {},
    }, $class;

    $self->{ids} = [FIRST .. FIRST + $args{orders} - 1];

    return $self;
}

sub plan { return $_[0]{plan} }

# what was done, and what went wrong
sub count { return $_[0]{count} }

# what the shop calls an order: not its key
sub number { return "N-$_[1]" }


sub go {
    my ($self) = @_;

    $self->{sql} = $self->{db}->session;

    # one that is killed may have done what was asked of it
    $self->{ua} = Mojo::UserAgent->new(max_connections => 0,
        inactivity_timeout => 30, connect_timeout => 30,
        max_response_size => 0);
    $self->{ua}->proxy->detect(0);

    $self->note_time('start');
    $self->fill;
    $self->note_time('filled');
    $self->delivered;
    $self->note_time('delivered');
    $self->change_all;
    $self->note_time('changed');
    $self->settle;
    $self->note_time('settled');
}

sub note_time {
    my ($self, $name) = @_;

    $self->{times}{$name} = time;
}


# ---- orders ----------------------------------------------------------------

# They come in as those of a manager: from the first look on.  Nobody has bought
# them: people are not what this is about, and take time.
sub fill {
    my ($self) = @_;

    wait_for('the first look into the database', sub {
        (desk()->{portals}[0]{database}{state} // '') eq 'ok' });

    my $site = B24::Bitrix->new;
    my @ids = @{$self->{ids}};

    while (my @some = splice @ids, 0, 500) {
        B24::Tables::bitrix_orders($self->{db}, map { {
            ID => $_, ACCOUNT_NUMBER => $self->number($_), PRICE => 1990,
            ids => $site->{types}[0], values => {},
            rows => [[$_ * 10, 1012, 'Футболка', 1, 1990]] } } @some);
    }
}

sub delivered {
    my ($self) = @_;

    wait_for('all deals', sub {
        B24::Desk::count('delivered', desk()) == @{$self->{ids}}
        && $self->is_quiet });

    my $report = B24::Test::portal()->report(journal => 0);

    $self->{deal} = { map { $_->{origin_id} => $_->{id} } @{$report->{deals}} };

    for my $id (@{$self->{ids}}) {
        die "order $id has no deal\n"
            if !$self->{deal}{$self->number($id)};
    }
}

# What the module says of itself, without a thousand orders.
sub desk {
    my $answer = B24::Scenario::get('/b24?format=json&limit=1');

    die "b24_status answers $answer->{status}\n" if $answer->{status} != 200;

    return JSON::PP::decode_json($answer->{body});
}

# Nothing is on its way.
sub is_quiet {
    my ($self) = @_;

    my $desk = desk();
    my $open = 0;

    for my $portal (@{$desk->{portals}}) {
        $open += $portal->{counts}{$_}
            for qw(captured accepted sending waiting);
    }

    return !$open && !$desk->{counters}{held} && !$self->moved;
}

# Deals that are to be looked at.
sub moved {
    my ($self) = @_;

    return $self->queue('SELECT COUNT(*) FROM moved') + 0;
}

# The answer of the queue's database, through PHP's SQLite.
sub queue {
    my ($self, $sql) = @_;

    my $code = '$d = new SQLite3($argv[1], SQLITE3_OPEN_READONLY);'
        . ' $d->busyTimeout(20000); $r = $d->query($argv[2]); while ($row ='
        . ' $r->fetchArray(SQLITE3_NUM)) echo implode("\t", $row), "\n";';

    open my $from, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db", $sql
        or die "cannot run php: $!\n";
    local $/;

    my $text = <$from> // '';
    chomp $text;

    return $text;
}

sub wait_for {
    my ($what, $condition) = @_;

    my $end = time + CAP;

    while (!$condition->()) {
        die "$what: not within " . CAP . " seconds\n" if time > $end;
        sleep 0.2;
    }
}


# ---- what is planned -------------------------------------------------------

sub change_all {
    my ($self) = @_;

    $self->{manager} = [map { $self->{admin}->session('manager') }
                            1 .. SESSIONS];
    $self->{begun} = time;
    $self->{open} = 0;

    # Mojo looks at all timers in each round: one will do
    $self->{slots} = {};
    $self->{slot} = 0;

    for my $n (0 .. $#{$self->{ids}}) {
        my $order = { id => $self->{ids}[$n], last => {},
                      left => [@{$self->{plan}{changes}[$n]}] };

        $order->{deal} = $self->{deal}{$self->number($order->{id})};
        $self->next_of($order);
    }

    for my $event (@{$self->{plan}{events}}) {
        my $method = "event_$event->{kind}";

        $self->after($event->{at}, sub { $self->$method($event) });
    }

    my $timer = Mojo::IOLoop->recurring(ROUND, sub { $self->round });

    my $failed;

    Mojo::IOLoop->singleton->reactor->on(error => sub {
        $failed //= $_[1];
        Mojo::IOLoop->stop;
    });
    Mojo::IOLoop->start;
    Mojo::IOLoop->remove($timer);
    die $failed if defined $failed;

    B24::Test::portal()->clear_faults;
    $self->{admin}->clear_faults;
}

# Runs CODE at a time, in seconds since the beginning.
sub after {
    my ($self, $at, $code) = @_;

    my $slot = int($at / ROUND);

    $slot = $self->{slot} + 1 if $slot <= $self->{slot};
    push @{$self->{slots}{$slot}}, $code;
}

sub now { return time - $_[0]{begun} }

sub round {
    my ($self) = @_;

    my $until = int($self->now / ROUND);

    while ($self->{slot} < $until) {
        my $due = delete $self->{slots}{++$self->{slot}} // next;

        $_->() for @$due;
    }

    Mojo::IOLoop->stop if !%{$self->{slots}} && !$self->{open};
}

# The next change of an order, not before its time, and not too soon after one on
# the other side.
sub next_of {
    my ($self, $order) = @_;

    my $change = $order->{left}[0] // return;
    my $other = $order->{last}{$change->{side} eq 'shop' ? 'crm' : 'shop'};
    my $at = $change->{at};

    $at = $other + B24::TwoSides::Plan::APART
        if defined $other && $at < $other + B24::TwoSides::Plan::APART;

    $self->after($at, sub {
        my $how = "change_$change->{how}";

        shift @{$order->{left}};
        $self->$how($order, $change, sub {
            $order->{last}{$change->{side}} = $self->now;
            $self->next_of($order);
            $self->after($self->now + $_, sub { $self->webhook($order) })
                for @{$change->{webhooks}};
        });
    });
}

# A request that is not waited for.
sub post {
    my ($self, $url, $body, $headers, $done) = @_;

    my @body = ref $body ? (json => $body) : $body;

    $self->{open}++;
    $self->{ua}->post($url => $headers => @body => sub {
        my (undef, $tx) = @_;

        $self->{open}--;
        $done->($tx->res);
    });
}

sub url { return 'http://127.0.0.1:' . B24::Scenario::port() . $_[1] }


# ---- changes ---------------------------------------------------------------

sub change_edit {
    my ($self, $order, $change, $done) = @_;

    $self->post(B24::Test::portal()->base . '/_/edit', {
        entity => 'deal', id => $order->{deal}, user => PERSON,
        fields => { STAGE_ID => $change->{to} } }, {}, sub {
        die "the deal is not moved: " . $_[0]->body . "\n"
            if ($_[0]->code // 0) != 200;
        $self->{count}{edits}++;
        $done->();
    });
}

# As a manager does it, through nginx.
sub change_ajax {
    my ($self, $order, $change, $done) = @_;

    my ($now) = $self->{sql}->('SELECT CANCELED FROM shop.b_sale_order'
                               . " WHERE ID = $order->{id}");
    my ($calls) = $self->{sql}->('SELECT COALESCE(MAX(ID), 0) FROM'
                                 . ' steer.call_log');
    my $in = $self->{manager}[$order->{id} % SESSIONS];
    my %form = (sessid => $in->{sessid}, orderId => $order->{id},
        $change->{what} eq 'cancel'
        ? (action => 'cancelOrder', canceled => $now->[0], comment => 'x')
        : (action => 'saveStatus', statusId => $change->{to}));

    $self->post($self->url(AJAX), B24::Bitrix::urlencoded('UTF-8', %form), {
        Cookie => $in->{cookie},
        'Content-Type' => 'application/x-www-form-urlencoded' }, sub {
        $self->{count}{($_[0]->code // 0) == 200 ? 'ajax' : 'ajax_lost'}++;
        return $done->() if $_[0]->code;

        # nginx was killed: PHP goes on
        $self->when_called($order, $calls->[0], $self->now + LATE, $done);
    });
}

# The call of a manager is over, if the shop had it.
sub when_called {
    my ($self, $order, $calls, $end, $done) = @_;

    my ($over) = $self->{sql}->('SELECT COUNT(*) FROM steer.call_log'
        . " WHERE ID > $calls AND ORDER_ID = $order->{id}"
        . " AND LOGIN = 'manager'");

    return $done->() if $over->[0] || $self->now > $end;

    $self->after($self->now + 0.05, sub {
        $self->when_called($order, $calls, $end, $done) });
}

# As 1C, an agent, a bank's callback: nothing of it passes nginx.
sub change_sql {
    my ($self, $order, $change, $done) = @_;

    my ($set, $unless) = $change->{what} eq 'cancel'
        ? ("CANCELED = IF(CANCELED = 'Y', 'N', 'Y'), DATE_CANCELED = NOW()", '1')
        : ("STATUS_ID = '$change->{to}', DATE_STATUS = NOW()",
           "STATUS_ID <> '$change->{to}'");
    my $state = "CONCAT(STATUS_ID, IF(CANCELED = 'Y', ',canceled', ''))";

    $self->{sql}->(<<"EOS");
USE shop;
START TRANSACTION;
SELECT $state INTO \@was FROM b_sale_order WHERE ID = $order->{id} FOR UPDATE;
UPDATE b_sale_order SET $set, DATE_UPDATE = NOW(), VERSION = VERSION + 1
    WHERE ID = $order->{id} AND $unless;
INSERT INTO steer.call_log (BEGAN, LOGIN, PAGE, ACTION, ORDER_ID, BEFORE_STATE,
        AFTER_STATE, OUTCOME)
    SELECT UNIX_TIMESTAMP(NOW(3)), 'sql', '', '$change->{what}', ID, \@was,
        $state, IF($state = \@was, 'nothing', 'done') FROM b_sale_order
    WHERE ID = $order->{id};
COMMIT
EOS

    $self->{count}{sql}++;
    $done->();
}

# The portal tells of a change of a deal.
sub webhook {
    my ($self, $order) = @_;

    $self->post($self->url('/events'), "event=ONCRMDEALUPDATE"
        . "&data%5BFIELDS%5D%5BID%5D=$order->{deal}"
        . "&auth%5Bapplication_token%5D=$self->{token}", {
        'Content-Type' => 'application/x-www-form-urlencoded' }, sub {
        $self->{count}{($_[0]->code // 0) == 200 ? 'webhooks'
                                                 : 'webhooks_lost'}++;
    });
}


# ---- what goes wrong -------------------------------------------------------

sub event_portal {
    my ($self, $event) = @_;

    $self->{count}{faults}++;
    $self->post(B24::Test::portal()->base . '/_/fault', $event->{fault}, {},
                sub { });
}

sub event_shop {
    my ($self, $event) = @_;

    $self->{count}{faults}++;

    # a session that is over as soon as it has begun is the matter of a person
    $self->{sql}->("UPDATE steer.fault SET TIMES = 0 WHERE KIND IN"
                   . " ('expire', 'login')");
    $self->shop_fault(%{$event->{fault}});
}

# A fault of the stand-in; its number.
sub shop_fault {
    my ($self, %fault) = @_;

    my ($account) = $self->{sql}->('SELECT ID FROM steer.account WHERE LOGIN = '
                                   . B24::Tables::quoted($fault{login}));
    my @values = map { B24::Tables::quoted($_) } $fault{moment} // 'before',
        @fault{qw(kind value page)}, $fault{times} // 1, $account->[0];
    my ($id) = $self->{sql}->('INSERT INTO steer.fault (MOMENT, KIND, VALUE,'
        . ' PAGE, TIMES, ACCOUNT) VALUES (' . join(', ', @values) . ');'
        . 'SELECT LAST_INSERT_ID()');

    return $id->[0];
}

sub event_outage {
    my ($self, $event) = @_;

    my $end = $self->now + $event->{seconds};

    $self->{count}{outages}++;

    if ($event->{of} eq 'portal') {
        $self->post(B24::Test::portal()->base . '/_/fault',
            { kind => 'html', when => 'before', status => 503, times => 0 }, {},
            sub {
                my $id = $_[0]->json->{id};

                $self->after($end, sub {
                    $self->post(B24::Test::portal()->base . '/_/fault',
                                { remove => $id }, {}, sub { });
                });
            });
        return;
    }

    my $id = $self->shop_fault(kind => 'answer', value => 503, login => 'crm',
                               times => 1_000_000);

    $self->after($end, sub {
        $self->{sql}->("UPDATE steer.fault SET TIMES = 0 WHERE ID = $id");
    });
}

sub event_kill {
    my ($self, $event) = @_;

    my $whom = $event->{whom};

    return $self->kill_one(B24::Scenario::worker_pids()) if $whom eq 'worker';
    return $self->kill_one(courier()) if $whom eq 'courier';
    return $self->kill_in_move($event->{when}) if $whom eq 'in a move';
    return $self->kill_in_call($event->{when});
}

sub kill_one {
    my ($self, @pids) = @_;

    my $pid = $pids[rand @pids] // return;

    push @{$self->{kills}}, time;
    $self->{count}{kills} += kill 'KILL', $pid;
}

# The worker that delivers, as it has told last.
sub courier {
    my ($pid) = (B24::Scenario::error_log_lines(
                     qr/b24: this worker delivers/))[-1] =~ / (\d+)#\d+: /
        or return;

    return (grep { $_ == $pid } B24::Scenario::worker_pids());
}

# While the portal works on a move; it ends it by itself.
sub kill_in_move {
    my ($self, $when) = @_;

    my $base = B24::Test::portal()->base;

    $self->post("$base/_/fault", { kind => 'hang', when => $when, seconds => 0.5,
                                   method => 'crm\.deal\.update' }, {}, sub {
        my $id = $_[0]->json->{id};

        $self->{open}++;
        $self->{ua}->get("$base/_/wait?held=1&brief=1&timeout=3" => sub {
            my (undef, $tx) = @_;

            $self->{open}--;
            $self->kill_one(courier()) if ($tx->res->code // 0) == 200;
            $self->post("$base/_/fault", { remove => $id }, {}, sub { });
        });
    });
}

# While the shop works on a call.
sub kill_in_call {
    my ($self, $when) = @_;

    my $id = $self->shop_fault(kind => 'hold', moment => $when, login => 'crm',
                               page => 'sale_order_ajax.php');
    my $let_go = sub { $self->{sql}->('UPDATE steer.fault SET RELEASED = 1,'
                                      . " TIMES = 0 WHERE ID = $id") };
    my $tries = 60;
    my $look;

    $look = sub {
        my ($held) = $self->{sql}->("SELECT HELD FROM steer.fault WHERE ID = $id");

        if (!$held->[0] && --$tries) {
            return $self->after($self->now + 0.05, $look);
        }

        undef $look;
        $self->kill_one(courier()) if $held->[0];
        $self->after($self->now + 0.1, $let_go);
    };

    $look->();
}


# ---- the end ---------------------------------------------------------------

# Until nothing is under way any more, and both sides were looked at twice since.
sub settle {
    my ($self) = @_;

    return if eval { $self->wait_quiet; 1 };

    die join "\n    ", $@ =~ s/\n//r, $self->open_orders, "\n";
}

sub wait_quiet {
    my ($self) = @_;

    my ($since, $polls, $asked);

    wait_for('nothing is under way', sub {
        my $desk = desk();

        if (!$self->is_quiet) {
            undef $since;
            return 0;
        }

        if (!defined $since) {
            $since = time;
            $polls = $self->polls;
            $asked = $desk->{portals}[0]{requests_total};
        }

        return time - $since > 1 && $self->polls >= $polls + 3
            && $desk->{portals}[0]{requests_total} >= $asked + 2;
    });
}

# Some of those that are under way still, and what is said of them.
sub open_orders {
    my ($self) = @_;

    my @numbers = split /\n/, $self->queue('SELECT order_id FROM records'
        . " WHERE state <> 'delivered' ORDER BY id LIMIT 5");

    return ('moved: ' . $self->moved,
            map { ($_, map { "    $_" } $self->said_of($_)) } @numbers);
}

# How often it was begun to ask the shop's database for what has changed: the
# first page begins earlier than the last one of the round before.
sub polls {
    my ($self) = @_;

    open my $in, '<', "$self->{db}{dir}/general.log" or die "no log: $!\n";
    seek $in, $self->{polls_at} // 0, 0;

    while (my $line = <$in>) {
        last if $line !~ /\n\z/;

        if ($line =~ /DATE_UPDATE >= '([^']+)'/) {
            $self->{polls}++ if $1 le ($self->{page} // '~');
            $self->{page} = $1;
        }

        $self->{polls_at} = tell $in;
    }

    return $self->{polls} // 0;
}


# ---- what has happened -----------------------------------------------------

sub judge {
    my ($self) = @_;

    my $report = B24::Test::portal()->report;
    my %order_of = reverse %{$self->{deal}};
    my %orders = map { $self->number($_) => {
        number => $self->number($_), shop => [], crm => [], moves => [],
    } } @{$self->{ids}};

    # not to be had in one page of the status page
    for my $row (map { [split /\t/] } split /\n/, $self->queue(
        "SELECT order_id, state, cause FROM records WHERE state <> 'delivered'"))
    {
        @{$orders{$row->[0]}}{qw(record cause)} = @$row[1, 2] if $orders{$row->[0]};
    }

    die "the emulator has forgotten requests\n" if $report->{forgotten};

    for my $row ($self->{sql}->('SELECT ORDER_ID, LOGIN, ACTION, BEFORE_STATE,'
        . ' AFTER_STATE, UNIX_TIMESTAMP(AT), BEGAN FROM steer.call_log'
        . " WHERE OUTCOME = 'done' ORDER BY ID"))
    {
        my ($id, $who, $action, $from, $to, $at, $began) = @$row;

        push @{$orders{$self->number($id)}{shop}}, {
            ours => $who eq 'crm' ? 1 : 0, who => $who, action => $action,
            from => $from, to => $to, at => $at, began => $began };
    }

    for my $row ($self->{sql}->('SELECT ACCOUNT_NUMBER, CONCAT(STATUS_ID,'
        . " IF(CANCELED = 'Y', ',canceled', '')) FROM shop.b_sale_order"))
    {
        $orders{$row->[0]}{state} = $row->[1] if $orders{$row->[0]};
    }

    for my $move (@{$report->{stage_history}}) {
        my $order = $orders{$order_of{$move->{OWNER_ID}} // ''} // next;

        push @{$order->{crm}}, {
            ours => $move->{by} == OURS ? 1 : 0, to => $move->{STAGE_ID},
            at => $move->{at} } if $move->{TYPE_ID} != 1;
    }

    for my $deal (@{$report->{deals}}) {
        my $order = $orders{$deal->{origin_id}} // next;

        $order->{stage} = $deal->{stage_id};
        $order->{deal} = $deal->{id};
    }

    for my $request (@{$report->{journal}}) {
        for my $command (@{$request->{commands} // []}) {
            next if $command->{method} ne 'crm.deal.update'
                || defined $command->{error}
                || !defined $command->{params}{fields}{STAGE_ID};

            my $order = $orders{$order_of{$command->{params}{id}} // ''} // next;

            push @{$order->{moves}}, { at => $request->{at}, answered =>
                !$request->{fault}, to => $command->{params}{fields}{STAGE_ID} };
        }
    }

    return B24::TwoSides::Judge->new(orders => [map {
        $orders{$self->number($_)} } @{$self->{ids}}]);
}

# What the module says of an order, for a person to read.
sub said_of {
    my ($self, $number) = @_;

    my $answer = B24::Scenario::get("/b24/orders/$number?format=json");
    my $order = JSON::PP::decode_json($answer->{body});
    my ($record) = $order->{key} =~ /^k-(.*)/;

    return ((map { "$_->{time} $_->{state}: " . ($_->{cause} // '-')
                   . ($_->{count} > 1 ? " ($_->{count} times until $_->{last})"
                                      : '') } @{$order->{timeline}}),
        'seen: ' . $self->queue('SELECT * FROM seen WHERE record = '
                                . hex $record));
}


1;
