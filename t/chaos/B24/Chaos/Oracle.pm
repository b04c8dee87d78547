package B24::Chaos::Oracle;

# Compares lists that know nothing of each other: what the shops accepted (their
# own lists), what the clients were told, what the CRM holds; and, for what is
# in none of these, the queue's own records.
#
#   my $oracle = B24::Chaos::Oracle->new(
#       plan => $plan,           # B24::Chaos::Plan: what each order carried
#       accepted => [...],       # {shop, number, token, accepted, answered}
#       told => [...],           # of B24::Chaos::Buyers
#       report => {...},         # of the portal emulator
#       records => [...],        # of the queue, with data
#       kills => [...],          # {time, until, what}: what ends without a word
#       slow => [...],           # times the disk was too slow for "sync"
#       stalls => [[FROM, TO]],  # when the disk or the machine stood still
#       journal => 'sync');
#
#   $oracle->judge;
#   $oracle->line;               # "accepted N, delivered N, ..."
#   $oracle->details;            # a line for each offender, its number only
#   $oracle->is_right;
#
# An order is LOST when the shop accepted it, or a client was told so, and it
# is neither a deal nor a record that a person can send, with what its request
# carried.  It is STUCK when the queue still means to deliver it, or has set it
# aside without a reason.  TWINS are two deals of one order, two contacts of
# one buyer, two companies of one INN.

use strict;
use warnings;
use utf8;

use JSON::PP ();
use List::Util qw(max min);
use POSIX ();

# A kill explains a loss when it is so near to the shop's answer, or to the
# arrival of the request, which the journal writes down meanwhile: seconds.  A
# commit that waits for a disk that stands still takes as much longer, and twice
# that when it has another one before it.
use constant WINDOW => 0.2;
use constant COMMITS => 2;

# What is under way when a process is killed may be seen late: seconds.
use constant NEAR => 1.5;

# With the asynchronous journal: so many kills for one loss.
use constant KILLS_PER_LOSS => 10;

# nginx tells of a slow disk so often at most: seconds.
use constant QUIET => 10;

my @OFFENCES = qw(lost twins wrong_totals wrong_contacts stuck);


sub new {
    my ($class, %args) = @_;

    return bless {
        %args, details => [],
        counts => {map { $_ => 0 } @OFFENCES, qw(accepted delivered unconfirmed
                                                 parked rejected window)},
    }, $class;
}


sub judge {
    my ($self) = @_;

    $self->_index;
    $self->_told;

    for my $order (@{$self->{accepted}}) {
        $self->{counts}{accepted}++;
        $self->_order($order);
    }

    $self->_strangers;
    $self->_buyers;
    $self->_records;
    $self->_window;

    return $self;
}


sub is_right {
    my ($self) = @_;

    return !@{$self->{details}};
}


sub details { return @{$_[0]{details}} }
sub count   { return $_[0]{counts}{$_[1]} }


# EXTRA stands behind the rest.
sub line {
    my ($self, $extra) = @_;

    my $n = $self->{counts};

    return "accepted $n->{accepted}, delivered $n->{delivered}, "
         . "unconfirmed $n->{unconfirmed} (kept), "
         . ($n->{parked} ? "parked $n->{parked} (kept), " : '')
         . "rejected $n->{rejected}, lost $n->{lost}, "
         . ($self->{journal} eq 'sync' && !$n->{window} ? ''
            : "lost inside the window $n->{window}, ")
         . "twins $n->{twins}, wrong totals $n->{wrong_totals}, "
         . "wrong contacts $n->{wrong_contacts}, stuck $n->{stuck}"
         . (defined $extra ? ", $extra" : '');
}


# Anything else that must not be.
sub note {
    my ($self, $text) = @_;

    push @{$self->{details}}, $text;

    return;
}


sub _offence {
    my ($self, $kind, $text) = @_;

    $self->{counts}{$kind}++;
    push @{$self->{details}}, ($kind =~ tr/_/ /r) . ": $text";

    return;
}


# ---- the lists by what tells an order ----------------------------------------

sub _index {
    my ($self) = @_;

    $self->{plan_of} = {map { $_->{mark} => $_ } $self->{plan}->orders};
    $self->{mark_of} = {map { $_->{token} => $_->{mark} }
                        $self->{plan}->orders};

    for my $order (@{$self->{accepted}}) {
        $order->{mark} = $self->{mark_of}{$order->{token}}
            // die "the shop has an order nobody placed: $order->{token}\n";
        $self->{accepted_of}{$order->{mark}} = $order;
        $self->{number_of}{"$order->{shop}.test"}{$order->{number}} = $order;
    }

    for my $line (@{$self->{told}}) {
        push @{$self->{told_of}{$line->{mark}}}, $line;
    }

    for my $deal (@{$self->{report}{deals}}) {
        push @{$self->{deals_of}{$deal->{originator_id} // ''}
                                {$deal->{origin_id} // ''}}, $deal;
    }

    my $json = JSON::PP->new;

    for my $record (@{$self->{records}}) {
        my $data = $record->{data} // '';

        $record->{order} = eval { $json->decode($data) };

        if ($data =~ /(mark-\d{5})/) {
            $record->{mark} = $1;
            push @{$self->{records_of}{$1}}, $record;

        } elsif (my $known = $self->{number_of}{$record->{origin}}
                                              {$record->{order_id} // ''})
        {
            push @{$self->{records_of}{$known->{mark}}}, $record;
        }
    }

    return;
}


# What a client was told is true, or the shop isn't honest and nothing else can
# be believed.
sub _told {
    my ($self) = @_;

    my %refused;

    for my $line (@{$self->{told}}) {
        my $order = $self->{accepted_of}{$line->{mark}};

        if (defined $line->{told}) {
            die "$line->{mark}: the client was told $line->{told}, the shop "
                . 'has ' . ($order ? $order->{number} : 'nothing') . "\n"
                if !$order || $order->{number} ne $line->{told};

            # whoever was told so has the shop's word, whenever that was given
            $order->{told} //= $line->{ended};

        } elsif ($line->{refused}) {
            $refused{$line->{mark}} = 1;
        }
    }

    $self->{counts}{rejected} = grep { !$self->{accepted_of}{$_} }
                                keys %refused;

    return;
}


# ---- an accepted order -------------------------------------------------------

sub _order {
    my ($self, $order) = @_;

    my $plan = $self->{plan_of}{$order->{mark}};
    my @deals = @{$self->{deals_of}{"$order->{shop}.test"}
                                   {$order->{number}} // []};

    push @deals, @{$self->_unnumbered->{$order->{mark}} // []};

    return $self->_kept($order, $plan) if !@deals;

    $self->_offence(twins => "$order->{number}: deals "
                    . join ' ', map { $_->{id} } @deals) if @deals > 1;

    # refused in the middle: a person has to say whether it goes on
    my $parked = grep { $_->{state} eq 'parked' }
                 @{$self->{records_of}{$order->{mark}} // []};

    $self->{counts}{$parked ? 'parked' : 'delivered'}++;

    for my $deal (@deals) {
        my $wrong = $parked ? undef : _wrong_total($plan, $deal);

        $self->_offence(wrong_totals => "$order->{number}, deal $deal->{id}: "
                        . $wrong) if $wrong;

        $wrong = $self->_wrong_contact($plan, $deal);
        $self->_offence(wrong_contacts => "$order->{number}, deal "
                        . "$deal->{id}: $wrong") if $wrong;
    }

    return;
}


# Deals by mark whose record had no number: they are told by their comment.
sub _unnumbered {
    my ($self) = @_;

    return $self->{unnumbered} //= do {
        my %deals;

        for my $deal (@{$self->{report}{deals}}) {
            next if $self->{number_of}{$deal->{originator_id} // ''}
                                      {$deal->{origin_id} // ''};
            push @{$deals{$1}}, $deal
                if ($deal->{comments} // '') =~ /(mark-\d{5})/;
        }

        \%deals;
    };
}


sub _kopecks {
    my ($text) = @_;

    return if !defined $text || $text !~ /\A(-?)(\d+)(?:\.(\d+))?\z/;

    my ($sign, $whole, $rest) = ($1, $2, ($3 // '') . '00');

    return if substr($rest, 2) =~ /[1-9]/;
    return ($sign ? -1 : 1) * ($whole * 100 + substr $rest, 0, 2);
}


# Why a deal isn't worth what the order was, undef when it is.
sub _wrong_total {
    my ($plan, $deal) = @_;

    for my $name (qw(opportunity rows_sum)) {
        my $kopecks = _kopecks($deal->{$name});

        return "$name is " . ($deal->{$name} // 'missing')
            . ", the order's total $plan->{total} kopecks"
            if !defined $kopecks || $kopecks != $plan->{total};
    }

    return 'its currency' if ($deal->{currency_id} // '') ne 'RUB';

    # a line that can't be priced in kopecks is several rows, see
    # docs/mapping.md
    for my $item (@{$plan->{items}}) {
        my @rows = grep { index($_->{product_name}, $item->{name}) == 0 }
                   @{$deal->{rows}};

        return "no row of article $item->{id}" if !@rows;

        next if $item->{qty} % 1000;

        my $sum = 0;

        $sum += _kopecks($_->{sum}) // return "a row of article $item->{id}"
            for @rows;

        return "rows of article $item->{id} add up to $sum kopecks"
            if $sum != $item->{sum};
    }

    return;
}


# Why a deal isn't this buyer's, undef when it is.
sub _wrong_contact {
    my ($self, $plan, $deal) = @_;

    my $contacts = $self->{contact} //= {map { $_->{id} => $_ }
                                         @{$self->{report}{contacts}}};
    my @ids = @{$deal->{contact_ids}};

    return @ids . ' contacts' if @ids != 1;

    my $contact = $contacts->{$ids[0]} // return "contact $ids[0] isn't there";
    my $buyer = $plan->{buyer};

    return "contact $ids[0] has another phone"
        if join(' ', @{$contact->{phones}}) ne "+7$buyer->{digits}";
    return "contact $ids[0] has another e-mail"
        if join(' ', @{$contact->{emails}}) ne lc $buyer->{email};
    return "contact $ids[0] has another name"
        if join(' ', grep { length } map { $contact->{$_} // '' }
                     qw(name second_name last_name)) ne $buyer->{name};

    return if !$plan->{firm};

    my $companies = $self->{company} //= {map { $_->{id} => $_ }
                                          @{$self->{report}{companies}}};
    my $company = $companies->{$deal->{company_id}};

    return 'no company' if !$company;
    return "company $deal->{company_id} has another title"
        if $company->{title} ne $plan->{firm}{company};

    return;
}


# ---- an accepted order without a deal ----------------------------------------

sub _kept {
    my ($self, $order, $plan) = @_;

    my @records = @{$self->{records_of}{$order->{mark}} // []};
    my ($set_aside) = grep {
        $_->{state} =~ /^(?:unconfirmed|parked|captured)$/
    } @records;

    if ($set_aside) {
        my $missing = _incomplete($set_aside, $plan);

        return $self->_offence(lost => "$order->{number}, "
            . "$set_aside->{state}: $missing") if $missing;

        $self->{counts}{$set_aside->{state} eq 'parked' ? 'parked'
                                                        : 'unconfirmed'}++;
        return;
    }

    # what is on its way is told of as stuck
    return if grep { $_->{state} =~ /^(?:accepted|sending|waiting)$/ } @records;

    my $what = !@records ? 'neither a deal nor a record'
             : 'no deal, though its record says '
               . join ', ', map { $_->{state} } @records;

    if (!@records && $self->_may_lose($order)) {
        my $near = $self->_in_window($order);

        if ($near) {
            push @{$self->{in_window}}, "$order->{number}: $near";
            $self->{counts}{window}++;
            return;
        }
    }

    return $self->_offence(lost => "$order->{number}: $what; "
                           . $self->_circumstances($order));
}


# What a record lacks of its request, undef when nothing.
sub _incomplete {
    my ($record, $plan) = @_;

    my $order = $record->{order} // return 'its data cannot be read';
    my $fields = $order->{fields} // {};
    my $buyer = $plan->{buyer};
    my %wanted = (name => $buyer->{name}, phone => $plan->{phone},
                  email => $buyer->{email});

    for my $name (sort keys %wanted) {
        return "without its $name"
            if ($fields->{$name} // '') ne $wanted{$name};
    }

    return 'without its total'
        if (_kopecks($fields->{total}) // -1) != $plan->{total};

    my @items = @{$order->{items} // []};

    return @items . ' items' if @items != @{$plan->{items}};

    for my $index (0 .. $#items) {
        my ($item, $wanted) = ($items[$index], $plan->{items}[$index]);

        return "item $index is another"
            if $item->{name} ne $wanted->{name}
               || (_kopecks($item->{price}) // -1) != $wanted->{price}
               || $item->{quantity} * 1000 != $wanted->{qty};
    }

    return;
}


# "sync" waits for the disk, 200 ms at most: then it is like the others.
sub _may_lose {
    my ($self, $order) = @_;

    return 1 if $self->{journal} ne 'sync';

    return scalar grep { abs($_ - $order->{accepted}) < QUIET }
                  @{$self->{slow} // []};
}


# The kill that a loss without a journal, or with one that is written meanwhile,
# is put down to; undef when there is none.
sub _in_window {
    my ($self, $order) = @_;

    my @tries = @{$self->{told_of}{$order->{mark}} // []};
    my @answers = grep { defined } $order->{answered}, $order->{told};

    for my $kill (@{$self->{kills}}) {

        for my $answered (@answers) {
            my $after = _after($kill, $answered);
            my $ms = int(1000 * $after);
            my $stall = $self->_stall($answered, $kill->{time});

            return "$kill->{what} $ms ms from the shop's answer"
                   . _while($ms, $stall)
                if $after > -(WINDOW) && $after < WINDOW + COMMITS * $stall;
        }

        # without a journal it lasts as long as the exchange
        for my $try (@tries) {
            my $last = $self->{journal} eq 'off' ? $try->{ended}
                                                 : $try->{sent};
            my $ms = int(1000 * _after($kill, $try->{sent}));
            my $stall = $self->_stall($try->{sent}, $kill->{time});

            return "$kill->{what} $ms ms after the request was sent"
                   . _while($ms, $stall)
                if $kill->{until} >= $try->{sent}
                   && $kill->{time} < $last + WINDOW + COMMITS * $stall;
        }
    }

    return;
}


# How long after a moment a kill was, negative when it was before: seconds.
sub _after {
    my ($kill, $moment) = @_;

    return $kill->{time} > $moment ? $kill->{time} - $moment
           : $kill->{until} < $moment ? $kill->{until} - $moment
           : 0;
}


# The longest time, in seconds, that nothing went on between FROM and TO.
sub _stall {
    my ($self, $from, $to) = @_;

    return max 0, map { $_->[1] - $_->[0] }
                  grep { $_->[0] < $to && $_->[1] > $from }
                  @{$self->{stalls} // []};
}


sub _while {
    my ($ms, $stall) = @_;

    return abs $ms < 1000 * WINDOW ? ''
           : sprintf ', the disk stood still for %d ms', 1000 * $stall;
}


# For whoever looks for the cause.
sub _circumstances {
    my ($self, $order) = @_;

    my $plan = $self->{plan_of}{$order->{mark}};
    my @times = grep { defined } $order->{answered}, $order->{accepted};
    my $near = min map { my $kill = $_;
                         map { abs _after($kill, $_) } @times }
                   @{$self->{kills}};

    return "$order->{mark}, $plan->{shop} $plan->{form}, the shop: "
         . "$plan->{answer}, the client: $plan->{client} ("
         . join('; ', map { $_->{told} // $_->{status} // $_->{error}
                            // 'left' }
                      @{$self->{told_of}{$order->{mark}} // []})
         . '), ' . (defined $near ? int(1000 * $near) . ' ms' : 'far')
         . ' from the nearest kill';
}


sub _window {
    my ($self) = @_;

    my $allowed = POSIX::ceil(@{$self->{kills}} / KILLS_PER_LOSS);

    return if $self->{journal} eq 'off'
              || $self->{counts}{window} <= $allowed;

    $self->_offence(lost => "$_, more than one for " . KILLS_PER_LOSS
                    . ' kills')
        for @{$self->{in_window}}[$allowed .. $#{$self->{in_window}}];

    return;
}


# Losses that a kill explains, a line each.
sub in_window { return @{$_[0]{in_window} // []} }


# ---- the other way round -----------------------------------------------------

# Deals that no shop has accepted, and records of other people.
sub _strangers {
    my ($self) = @_;

    for my $deal (@{$self->{report}{deals}}) {
        next if $self->{number_of}{$deal->{originator_id} // ''}
                                  {$deal->{origin_id} // ''};

        my ($mark) = ($deal->{comments} // '') =~ /(mark-\d{5})/;

        next if $mark && $self->{accepted_of}{$mark};

        $self->_offence(twins => "deal $deal->{id} of "
            . ($mark ? "$mark, which no shop has accepted" : 'nothing known'));
    }

    $self->_offence(wrong_contacts => "somebody else's: $_")
        for @{$self->{report}{spoiled}};

    return;
}


sub _buyers {
    my ($self) = @_;

    my (%contacts, %companies, %inns);

    for my $contact (@{$self->{report}{contacts}}) {
        push @{$contacts{$_}}, $contact->{id} for @{$contact->{phones}};
    }

    push @{$companies{$_->{title}}}, $_->{id}
        for @{$self->{report}{companies}};
    push @{$inns{$_->{inn} // ''}}, $_->{id} for @{$self->{report}{requisites}};

    delete $inns{''};

    for my $list (\%contacts, \%companies, \%inns) {
        for my $key (sort keys %$list) {
            my %ids = map { $_ => 1 } @{$list->{$key}};
            my @ids = sort { $a <=> $b } keys %ids;

            next if @ids < 2;

            $self->_offence(twins => ($list == \%contacts ? 'contacts'
                                      : $list == \%companies ? 'companies'
                                      : 'requisites')
                            . " @ids are one buyer's");
        }
    }

    return;
}


# Records that are not where they should be.
sub _records {
    my ($self) = @_;

    for my $record (@{$self->{records}}) {
        my $name = 'record ' . $record->{id}
                   . ($record->{mark} ? " ($record->{mark})" : '');
        my $state = $record->{state};

        if ($state =~ /^(?:accepted|sending|waiting)$/) {
            $self->_offence(stuck => "$name is $state, "
                . ($record->{cause} // 'without a cause'));

        } elsif ($state eq 'captured') {
            $self->_offence(stuck => "$name is captured still");

        } elsif ($state eq 'parked') {
            $self->_offence(stuck => "$name is parked: "
                . ($record->{cause} // 'without a cause'))
                if ($record->{cause} // '') !~ /chaos refuses/;

        } elsif ($state eq 'unconfirmed') {
            $self->_offence(stuck => "$name is unconfirmed without a reason: "
                . ($record->{cause} // 'without a cause'))
                if !$self->_may_be_unconfirmed($record);

        } elsif ($state eq 'delivered') {
            $self->_offence(lost => "$name is delivered as a deal that isn't "
                . 'there')
                if !grep { $_->{id} == ($record->{deal_id} // 0) }
                         @{$self->{deals_of}{$record->{origin}}
                                            {$record->{order_id} // ''}
                           // $self->_unnumbered->{$record->{mark} // ''}
                           // []};
        }
    }

    return;
}


# Somebody did not see the shop's answer whole: the shop didn't give it, the
# client went, or a process was killed while the order was under way.
sub _may_be_unconfirmed {
    my ($self, $record) = @_;

    my $mark = $record->{mark} // return 0;
    my $plan = $self->{plan_of}{$mark} // return 0;

    return 1 if $plan->{answer} !~ /^(?:whole|chunked)$/
                || $plan->{client} =~ /^(?:leave|torn)$/;

    for my $try (@{$self->{told_of}{$mark} // []}) {
        return 1 if !$try->{status} || $try->{status} =~ /^50[0-9]$/;

        return 1 if grep { $_->{until} > $try->{sent} - NEAR
                           && $_->{time} < $try->{ended} + NEAR }
                         @{$self->{kills}};
    }

    return 0;
}


1;
