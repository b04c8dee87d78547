# Two minutes of chaos: orders while nginx is killed, reloaded and started again
# and the portal fails in every way, and what came of them.  First that the
# oracle sees what it is there for, that a seed means a plan, and that the bugs
# put in on purpose still apply.  docs/testing.md tells more.
#
# With B24_LONG=1 (./build.sh test --all) the run has 11200 orders, of which the
# shop accepts more than 10000, and there are two, one with either journal.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/chaos";

use B24::Chaos::Oracle;
use B24::Chaos::Plan;
use B24::Chaos::Run;

use Test::More;

chdir "$FindBin::Bin/.." or die "cannot go to the checkout: $!\n";

my $products = B24::Chaos::Run::dump_of('catalogue');

plan_of_a_seed();
oracle();
bugs();

if ($ENV{B24_LONG}) {
    chaos("11200 orders, $_", '--orders', 11_200, '--journal', $_)
        for qw(sync async);

} else {
    chaos('two minutes', '--seconds', 120);
}

done_testing();


# ---- the plan ----------------------------------------------------------------

sub plan_for {
    my ($seed, $orders) = @_;

    return B24::Chaos::Plan->new(seed => $seed, orders => $orders,
                                 products => $products);
}


sub plan_of_a_seed {
    is(plan_for(7, 300)->text, plan_for(7, 300)->text,
       'the same seed is the same plan');
    isnt(plan_for(7, 300)->digest, plan_for(8, 300)->digest,
         'another seed another one');

    my $short = plan_for(7, 300)->text;
    my ($orders, $events) = split /^(?=\{"at")/m, $short, 2;
    my $long = plan_for(7, 400)->text;

    is(substr($long, 0, length $orders), $orders,
       'a longer plan begins with the same orders');

    my %kinds = map { $_->{kind} => 1 } plan_for(1, 1120)->events;

    is(join(' ', grep { !/fault/ } sort keys %kinds),
       'all courier held master reload stop worker',
       'two minutes have every way to end');
}


# ---- the oracle --------------------------------------------------------------

# Lists of a run in which all is well: each order a deal, but for the last one,
# which nobody has seen the answer of.
sub lists {
    my ($plan) = @_;

    my (@accepted, @told, @deals, %contacts, %companies, @records);
    my @orders = grep { !$_->{wrong} } $plan->orders;

    for my $order (@orders) {
        my $number = "N-$order->{n}";
        my $time = 1000 + $order->{n};
        my $last = $order == $orders[-1];

        push @accepted, {shop => $order->{shop}, number => $number,
            token => $order->{token}, accepted => $time, answered => $time};
        push @told, {mark => $order->{mark}, sent => $time - 0.1,
            ended => $time + 0.1,
            $last ? (error => 'gone') : (status => 201, told => $number)};
        push @records, {
            id => $order->{n}, origin => "$order->{shop}.test",
            order_id => $last ? undef : $number, deal_id => 100 + $order->{n},
            state => $last ? 'unconfirmed' : 'delivered',
            data => data_of($order),
        };
        next if $last;

        my $buyer = $order->{buyer};
        my $firm = $order->{firm};

        $contacts{$buyer->{n}} = {id => 200 + $buyer->{n},
            name => $buyer->{name}, phones => ["+7$buyer->{digits}"],
            emails => [lc $buyer->{email}]};
        $companies{$firm->{inn}} = {id => $firm->{inn},
            title => $firm->{company}} if $firm;

        push @deals, {
            id => 100 + $order->{n}, originator_id => "$order->{shop}.test",
            origin_id => $number, currency_id => 'RUB',
            comments => "x $order->{mark} y",
            contact_ids => [200 + $buyer->{n}],
            company_id => $firm ? $firm->{inn} : 0,
            opportunity => money($order->{total}),
            rows_sum => money($order->{total}),
            rows => [map { {product_name => $_->{name},
                            sum => money($_->{sum})} } @{$order->{items}}],
        };
    }

    return {
        plan => $plan, accepted => \@accepted, told => \@told,
        records => \@records, journal => 'sync', kills => [],
        report => {deals => \@deals, contacts => [values %contacts],
                   companies => [values %companies], requisites => [],
                   spoiled => []},
    };
}


sub money { return sprintf '%d.%02d', int($_[0] / 100), $_[0] % 100 }


sub data_of {
    my ($order) = @_;

    return JSON::PP->new->encode({
        fields => {name => $order->{buyer}{name}, phone => $order->{phone},
                   email => $order->{buyer}{email},
                   total => money($order->{total}),
                   comment => $order->{mark}},
        items => [map { {name => $_->{name}, price => money($_->{price}),
                         quantity => $_->{qty} / 1000} } @{$order->{items}}],
    });
}


# What is wrong with the lists after CHANGE: "KIND N, KIND N".
sub verdict {
    my ($change) = @_;

    my $lists = lists(plan_for(3, 12));

    $change->($lists);

    my $oracle = B24::Chaos::Oracle->new(%$lists)->judge;
    my @found = map { $oracle->count($_) ? "$_ " . $oracle->count($_) : () }
                qw(lost window twins wrong_totals wrong_contacts stuck);

    return join(', ', @found) . ($oracle->is_right ? '' : '!');
}


sub oracle {
    my %wrong = (
        'a deal that is not there' => ['lost 2!', sub {
            shift @{$_[0]{report}{deals}};
        }],
        'neither a deal nor a record' => ['lost 1!', sub {
            shift @{$_[0]{report}{deals}};
            shift @{$_[0]{records}};
        }],
        'an unconfirmed order without its phone' => ['lost 1!', sub {
            $_[0]{records}[-1]{data} =~ s/"phone":"[^"]*"/"phone":""/;
        }],
        'an unconfirmed order with an item less' => ['lost 1!', sub {
            $_[0]{records}[-1]{data} =~ s/"items":\[.*?\}[,\]]/"items":[/;
        }],
        'two deals of one order' => ['twins 1!', sub {
            push @{$_[0]{report}{deals}}, {%{$_[0]{report}{deals}[2]},
                                           id => 999};
        }],
        'a deal of no order' => ['twins 1!', sub {
            push @{$_[0]{report}{deals}}, {%{$_[0]{report}{deals}[2]},
                id => 999, origin_id => 'other', comments => ''};
        }],
        'two contacts of one buyer' => ['twins 1!', sub {
            push @{$_[0]{report}{contacts}}, {%{$_[0]{report}{contacts}[0]},
                                              id => 999};
        }],
        'a kopeck off' => ['wrong_totals 1!', sub {
            $_[0]{report}{deals}[1]{opportunity} =~ s/(\d)$/($1 + 1) % 10/e;
        }],
        'no rows' => ['wrong_totals 1!', sub {
            $_[0]{report}{deals}[1]{rows} = [];
        }],
        "somebody else's contact" => ['wrong_contacts 1!', sub {
            my $deals = $_[0]{report}{deals};
            my ($other) = grep { $_->{contact_ids}[0]
                                 != $deals->[0]{contact_ids}[0] } @$deals;
            $deals->[0]{contact_ids} = $other->{contact_ids};
        }],
        'an order on its way for ever' => ['stuck 1!', sub {
            my $first = shift @{$_[0]{report}{deals}};
            $_[0]{records}[0]{state} = 'waiting';
        }],
        'unconfirmed without a reason' => ['stuck 1!', sub {
            my $plan = ($_[0]{plan}->orders)[3];
            my $record = $_[0]{records}[3];
            $_[0]{report}{deals} = [grep { $_->{id} != $record->{deal_id} }
                                         @{$_[0]{report}{deals}}];
            $plan->{answer} = 'whole';
            $plan->{client} = 'wait';
            $record->{state} = 'unconfirmed';
        }],
        'a kill does not excuse a loss with b24_journal sync' =>
            ['lost 1!', sub { lose_near_a_kill($_[0], 'sync', 0.1) }],
        'but one with async' =>
            ['window 1', sub { lose_near_a_kill($_[0], 'async', 0.1) }],
        'unless it is far away' =>
            ['lost 1!', sub { lose_near_a_kill($_[0], 'async', 0.5) }],
        'and the disk did not stand still' =>
            ['window 1', sub { lose_near_a_kill($_[0], 'async', 0.5, 0.3) }],
        'for as long' =>
            ['lost 1!', sub { lose_near_a_kill($_[0], 'async', 0.5, 0.1) }],
        'in which case sync is not excused either' =>
            ['lost 1!', sub { lose_near_a_kill($_[0], 'sync', 0.5, 0.3) }],
    );

    is(verdict(sub {}), '', 'the oracle: all is well');
    is(verdict($wrong{$_}[1]), $wrong{$_}[0], "the oracle: $_")
        for sort keys %wrong;

    my $lists = lists(plan_for(3, 12));

    $lists->{told}[0]{told} = 'N-999';
    ok(!eval { B24::Chaos::Oracle->new(%$lists)->judge },
       'the oracle: a shop that is not honest is no witness');
}


sub lose_near_a_kill {
    my ($lists, $journal, $seconds, $stall) = @_;

    my $answered = $lists->{accepted}[0]{answered};

    shift @{$lists->{report}{deals}};
    shift @{$lists->{records}};
    $lists->{journal} = $journal;
    $lists->{kills} = [{time => $answered + $seconds,
                        until => $answered + $seconds, what => 'kill'}];
    $lists->{stalls} = [[$answered, $answered + $stall]] if $stall;

    return;
}


# ---- bugs put in on purpose --------------------------------------------------

sub bugs {
    my @patches = glob 't/chaos/bugs/*.patch';

    cmp_ok(scalar @patches, '>=', 6, 'bugs to be put in');

    for my $patch (@patches) {
        my $said = `patch --dry-run -s -p1 < $patch 2>&1`;

        is($?, 0, "$patch applies") or diag($said);
    }
}


# ---- the run -----------------------------------------------------------------

sub chaos {
    my ($name, @options) = @_;

    open my $in, '-|', $^X, '-It/lib', 't/chaos/chaos.pl', '--seed', 1,
        @options or die "cannot run chaos.pl: $!\n";
    binmode $in, ':encoding(UTF-8)';
    my @lines = <$in>;
    close $in;

    my $status = $? >> 8;
    my ($result) = grep { /^accepted / } @lines;

    is($status, 0, "chaos, $name: nothing lost, nothing doubled")
        or diag(map { "  $_" } @lines);

    my %count = map { split / (?=\d)/ } split /, /,
                ($result // '') =~ s/ \(kept\)//gr;

    # there was something to lose, and there were ways to lose it
    cmp_ok($count{accepted} // 0, '>=', 300, "chaos, $name: orders");
    cmp_ok($count{delivered} // 0, '>=', 300, "chaos, $name: delivered");
    cmp_ok($count{kills} // 0, '>=', 20, "chaos, $name: kills");
    note($result // '');

    return;
}
