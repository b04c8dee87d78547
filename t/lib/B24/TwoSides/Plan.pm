package B24::TwoSides::Plan;

# What is to happen in a run of B24::TwoSides, all of it drawn from a seed:
# changes of orders on both sides, webhooks, faults, kills.
#
#   my $plan = B24::TwoSides::Plan->new(seed => 7, orders => 1000);
#   $plan->{changes}[0];    # of the first order, a list of
#                           #   at        seconds, not before
#                           #   side      shop, crm
#                           #   how       shop: ajax, sql; crm: edit
#                           #   what      status, cancel (turns it over), stage
#                           #   to        the status, the stage
#                           #   webhooks  seconds after the change, of each that
#                           #             the portal sends: none, one, two
#   $plan->{events};        # a list of { at, kind, ... }, in order of time
#   $plan->{poll};          # of the module: { events => 2, changes => 1 }

use strict;
use warnings;

# orders that are begun in a second; the machine has two cores
use constant A_SECOND => 22;

# between two changes of one order on different sides: both sides tell times by
# the second
use constant APART => 2.6;

use constant {
    STATUSES => [qw(N P A D F), qw(N P A D F), 'C'],
    STAGES   => [qw(NEW PREPARATION EXECUTING FINAL_INVOICE WON LOSE)],
};


sub new {
    my ($class, %args) = @_;

    my $self = bless {%args}, $class;

    # the same seed is the same plan with every Perl since 5.20
    srand $self->{seed};

    $self->{seconds} = $self->{orders} / A_SECOND;
    $self->{seconds} = 20 if $self->{seconds} < 20;
    $self->{poll} = { events => one_of(1, 2, 2, 4), changes => one_of(1, 1, 3) };
    $self->{changes} = [map { [$self->changes_of] } 1 .. $self->{orders}];
    $self->{events} = [sort { $a->{at} <=> $b->{at} } $self->events];

    return $self;
}


sub one_of { return $_[rand @_] }

# most are short, some are long
sub a_while { return -log(1 - rand) * $_[0] }

# The value of the first pair whose share is not used up, of shares that add up
# to 1.
sub drawn {
    my (@pairs) = @_;

    my $at = rand;

    while (my ($share, $value) = splice @pairs, 0, 2) {
        return $value if ($at -= $share) < 0 || !@pairs;
    }
}


# ---- changes ---------------------------------------------------------------

sub changes_of {
    my ($self) = @_;

    my $left = drawn(0.37, 1, 0.35, 2, 0.19, 3, 0.09, 4);
    my $at = rand $self->{seconds};
    my ($side, @changes);

    while ($left-- > 0) {
        my $next = one_of(qw(shop crm));

        if (defined $side) {
            $at += $next ne $side ? APART + drawn(0.6, rand 1.2, 0.4, a_while(3))
                 : drawn(0.4, rand 0.5, 0.6, 0.5 + a_while(2));
        }

        $side = $next;
        push @changes, $side eq 'shop' ? shop_change($at) : crm_change($at);

        # there and back again, within the second
        if ($side eq 'crm' && $left && drawn(0.15, 1, 0.85, 0)) {
            push @changes, crm_change($at + rand 0.3);
            $at = $changes[-1]{at};
            $left--;
        }
    }

    return @changes;
}


sub shop_change {
    my ($at) = @_;

    my $what = drawn(0.8, 'status', 0.2, 'cancel');

    # what the portal tells of our own moves, and of whatever else people do to
    # a deal
    return { at => $at, side => 'shop', how => drawn(0.55, 'ajax', 0.45, 'sql'),
             what => $what,
             $what eq 'status' ? (to => one_of(@{+STATUSES})) : (),
             webhooks => [drawn(0.6, 1, 0.4, 0) ? rand 4 : ()] };
}


sub crm_change {
    my ($at) = @_;

    my $webhooks = drawn(0.25, 0, 0.55, 1, 0.2, 2);

    return { at => $at, side => 'crm', how => 'edit', what => 'stage',
             to => one_of(@{+STAGES}),
             webhooks => [map { drawn(0.6, rand 0.3, 0.4, a_while(1.5)) }
                              1 .. $webhooks] };
}


# ---- what goes wrong -------------------------------------------------------

sub events {
    my ($self) = @_;

    my @events;
    my $every = sub {
        my ($seconds, $make) = @_;

        for (my $at = a_while($seconds); $at < $self->{seconds};
             $at += 0.3 + a_while($seconds))
        {
            push @events, { at => $at, $make->() };
        }
    };

    $every->(2, \&portal_fault);
    $every->(2, \&shop_fault);
    $every->(5, \&a_kill);

    # nothing gets through for some seconds
    $every->(22, sub { (kind => 'outage', of => one_of(qw(portal shop)),
                        seconds => 2 + rand 4) });

    return @events;
}


sub portal_fault {
    my %fault = (
        method => one_of(undef, 'crm\.deal\.update', 'crm\.deal\.list'),
        times => one_of(1, 1, 2),
        drawn(0.15, [kind => 'error', status => 503,
                     error => 'INTERNAL_SERVER_ERROR'],
              0.15, [kind => 'html', when => 'before', status => 503],
              0.15, [kind => 'html', when => 'after'],
              0.15, [kind => 'drop', when => 'before'],
              0.15, [kind => 'drop', when => 'after'],
              0.1, [kind => 'half'],
              0.15, [kind => 'hang', when => one_of(qw(before after)),
                     seconds => 0.2 + rand 0.8])->@*);

    delete $fault{method} if !defined $fault{method};

    return (kind => 'portal', fault => \%fault);
}


# What is done to a manager's request is seen by nobody but the poll.
sub shop_fault {
    my $page = drawn(0.35, '1c_exchange.php', 0.65, 'sale_order_ajax.php');
    my %fault = (
        page => $page,
        login => $page eq '1c_exchange.php' ? 'crm' : drawn(0.7, 'crm', 0.3, 'manager'),
        times => one_of(1, 1, 2, 3),
        drawn(0.2, [kind => 'answer', value => 503],
              0.25, [kind => 'answer', value => 502, moment => 'after'],
              0.15, [kind => 'expire', times => 1,
                     page => 'sale_order_ajax.php'],
              0.1, [kind => 'login', times => 1],
              0.15, [kind => 'hang', value => sprintf '%.2f', 0.05 + rand 0.3],
              0.15, [kind => 'hang', value => sprintf('%.2f', 0.3 + rand 1.7),
                     moment => $page eq '1c_exchange.php' ? 'before'
                                                          : 'after'])->@*);

    return (kind => 'shop', fault => \%fault);
}


sub a_kill {
    return (kind => 'kill',
            whom => drawn(0.3, 'worker', 0.3, 'courier', 0.2, 'in a move',
                          0.2, 'in a call'),
            when => one_of(qw(before after)));
}


1;
