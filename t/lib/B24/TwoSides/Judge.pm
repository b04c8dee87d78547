package B24::TwoSides::Judge;

# What has come of changes on two sides.  It knows nothing of the module: only
# what each side's own history tells.
#
#   my $judge = B24::TwoSides::Judge->new(orders => [{
#       number => 'N-1',
#       state => 'P',             # of the shop's order, or "P,canceled"
#       stage => 'PREPARATION',   # of its deal
#       shop => [...],            # what has changed the order: ours (the module
#                                 # was it), action, from, to (states), at,
#                                 # began (of the request)
#       crm => [...],             # what has moved the deal: ours, to, at
#       moves => [...],           # the module's requests to move it: to, at
#       record, cause,            # of the module, where it isn't delivered
#   }, ...]);
#   $judge->wrong;        # a list of { order, why }
#   $judge->excused;      # the same, of races
#   $judge->figure('changes');
#   $judge->shown($order) # lines: all that has happened to it
#
# The newest change of a person decides.  Only where somebody has changed the
# order in the moment in which the module's call was on its way to the shop (a
# race; no interface of the shop excludes it) it is enough that both sides agree.
#
# There is no echo: what a person has changed on one side is written to the other
# one at most once.  Writes beyond that are explained by conflicts (a change that
# had not come over yet when the other side was changed) and by repetitions.

use strict;
use warnings;

# the preset of 1C-Bitrix
our %STAGE = (N => 'NEW', P => 'PREPARATION', A => 'EXECUTING',
              D => 'FINAL_INVOICE', F => 'WON', C => 'LOSE');

use constant {
    RACE  => 0.3,      # seconds from the last look to the call that follows it
    APART => 2,        # between changes on different sides, or nobody can tell
};


sub new {
    my ($class, %args) = @_;

    my $self = bless { wrong => [], excused => [], figures => { map { $_ => 0 }
        qw(orders changes shop crm conflicts writes to_shop to_crm spare repeated
           races) }, %args }, $class;

    $self->judge_one($_) for @{$self->{orders}};

    return $self;
}

sub wrong { return @{$_[0]{wrong}} }

# where both sides agree with each other, and not with the newest change
sub excused { return @{$_[0]{excused}} }

sub figure {
    my ($self, $name) = @_;

    return $self->{figures}{$name} // die "no figure $name\n";
}

sub add {
    my ($self, %figure) = @_;

    $self->{figures}{$_} += $figure{$_} for keys %figure;
}


# The stage that an order's state stands for.
sub stage_of {
    my ($state) = @_;

    my ($status, @flags) = split /,/, $state;

    return 'LOSE' if grep { $_ eq 'canceled' } @flags;
    return $STAGE{$status} // die "no stage of $state\n";
}


sub judge_one {
    my ($self, $order) = @_;

    my @shop = map { { %$_, side => 'shop' } } @{$order->{shop}};
    my @crm = map { { %$_, side => 'crm' } } @{$order->{crm}};
    my @all = sort { $a->{at} <=> $b->{at} } @shop, @crm;
    my @real = grep { !$_->{ours} } @all;
    my @why = apart($order);

    if (!@why && (@why = not_newest($order, $real[-1]))) {
        if (races_of(@shop)) {
            push @{$self->{excused}}, { order => $order, why => [@why, 'a race'] };
            $self->add(races => 1);
            @why = ();
        }
    }

    push @why, too_close(@real);
    push @why, "it is $order->{record}: $order->{cause}"
        if defined $order->{record};
    push @why, $self->count_writes($order, \@all, \@real);
    push @{$self->{wrong}}, { order => $order, why => [@why] } if @why;

    $self->add(orders => 1, changes => scalar @real,
               map { my $side = $_;
                     $side => scalar grep { $_->{side} eq $side } @real }
                   qw(shop crm));
}


# ---- which change counts ---------------------------------------------------

# Calls of ours that somebody's change has come before, unseen.
sub races_of {
    my (@shop) = @_;

    return grep { my $call = $_;
                  $call->{ours} && grep {
                      !$_->{ours} && $_->{at} <= $call->{at}
                      && $_->{at} >= $call->{began} - RACE } @shop } @shop;
}

sub apart {
    my ($order) = @_;

    my $stage = stage_of($order->{state});

    return $stage eq $order->{stage} ? ()
           : "the order is $order->{state}, the deal is $order->{stage}";
}

sub not_newest {
    my ($order, $newest) = @_;

    return if !$newest;

    my $is = $newest->{side} eq 'shop' ? $order->{state} : $order->{stage};

    return $is eq $newest->{to} ? ()
           : "the newest change is $newest->{to} in the $newest->{side}, but it"
             . " is $is there";
}

# The engine has to keep changes of different sides apart.
sub too_close {
    my (@real) = @_;

    return map { $real[$_]{side} ne $real[$_ - 1]{side}
                 && $real[$_]{at} - $real[$_ - 1]{at} < APART
                 ? 'two changes are too close to be told apart' : () }
               1 .. $#real;
}


# ---- how often it was written ----------------------------------------------

# Of all that has happened the writes of the module: a canceled order is restored
# and gets its status by two calls, which are one; a request to move a deal that
# moves nothing counts as well.
sub count_writes {
    my ($self, $order, $all, $real) = @_;

    my @writes = (to_shop(@$all), to_crm($order));
    my $repeated = repeated(@writes);
    my $conflicts = conflicts($all, $real);
    my $spare = spare($real, @writes);

    $self->add(writes => scalar @writes, repeated => $repeated,
               conflicts => $conflicts, spare => $spare,
               to_shop => scalar(grep { $_->{side} eq 'shop' } @writes),
               to_crm => scalar(grep { $_->{side} eq 'crm' } @writes));

    return (@writes <= @$real + $conflicts + $repeated ? ()
                : @writes . ' writes for ' . @$real . ' changes',
            $spare <= $conflicts + $repeated ? ()
                : "$spare writes of nothing that is new");
}

sub to_shop {
    my @shop = grep { $_->{side} eq 'shop' } @_;

    return map { $shop[$_] } grep { $shop[$_]{ours}
        && !($_ < $#shop && restored(@shop[$_, $_ + 1])) } 0 .. $#shop;
}

sub restored {
    my ($call, $next) = @_;

    return $next->{ours} && $call->{action} eq 'cancelOrder'
           && $next->{action} eq 'saveStatus' && $next->{at} - $call->{at} < 5;
}

sub to_crm {
    my ($order) = @_;

    return map { { %$_, side => 'crm', ours => 1 } } @{$order->{moves}};
}

# The same once more, since nobody knew how the first one had gone.
sub repeated {
    my (@writes) = @_;

    my ($n, %last) = 0;

    for my $write (sort { $a->{at} <=> $b->{at} } @writes) {
        my $last = $last{$write->{side}};

        $n++ if $last && $last->{to} eq $write->{to}
                && !($last->{answered} // 1);
        $last{$write->{side}} = $write;
    }

    return $n;
}

# The other side was changed before this one's change had come over.
sub conflicts {
    my ($all, $real) = @_;

    my $n = 0;

    for my $i (1 .. $#$real) {
        my ($first, $then) = @$real[$i - 1, $i];

        next if $first->{side} eq $then->{side};
        $n++ if !grep { $_->{ours} && $_->{side} eq $then->{side}
                        && $_->{at} > $first->{at} && $_->{at} < $then->{at} }
                      @$all;
    }

    return $n;
}

# Writes to a side that bring nothing new: each takes the latest change of the
# other side with that stage, and those before it count no more.
sub spare {
    my ($real, @writes) = @_;

    my ($n, %new) = 0;

    for my $event (sort { $a->{at} <=> $b->{at} } @$real, @writes) {
        my $stage = $event->{side} eq 'shop' ? stage_of($event->{to})
                                             : $event->{to};

        if (!$event->{ours}) {
            push @{$new{$event->{side} eq 'shop' ? 'crm' : 'shop'}}, $stage;
            next;
        }

        my $waiting = $new{$event->{side}} // [];
        my ($at) = grep { $waiting->[$_] eq $stage } reverse 0 .. $#$waiting;

        $n++ if !defined $at;
        splice @$waiting, 0, $at + 1 if defined $at;
    }

    return $n;
}


# ---- for a person ----------------------------------------------------------

sub shown {
    my ($self, $order) = @_;

    my @all = sort { $a->{at} <=> $b->{at} }
        map({ { %$_, side => 'shop' } } @{$order->{shop}}),
        map({ { %$_, side => 'crm' } } @{$order->{crm}}),
        map({ { %$_, side => 'asked' } } @{$order->{moves}});

    return map {
        my ($seconds, $part) = (int $_->{at}, $_->{at} - int $_->{at});
        my (undef, $minute, $hour) = gmtime $seconds;

        sprintf '%02d:%02d:%06.3f %-5s %s%s', $hour, $minute,
            $seconds % 60 + $part, $_->{side},
            $_->{side} eq 'asked' ? "to move the deal to $_->{to}"
            : ($_->{ours} ? 'the module: ' : 'a person: ')
              . join(' > ', $_->{from} // (), $_->{to}),
            $_->{side} eq 'shop' ? sprintf ' (%s, %s, %.3f s)', $_->{who},
                                   $_->{action}, $_->{at} - $_->{began} : '';
    } @all;
}


1;
