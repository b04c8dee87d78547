package B24::Portal::Limits;

# The two limits of a cloud portal: a leaky bucket of requests per source
# address, and server time ("operating") per method in a sliding window.

use strict;
use warnings;

use List::Util qw(sum0);

# seconds a call is charged when its real cost isn't wanted: the durations
# small portals show in the documentation's samples
my %sample_cost = (
    'crm.duplicate.findbycomm' => 0.05, 'crm.deal.get' => 0.64,
    'crm.contact.company.add'  => 0.40, 'crm.item.productrow.set' => 0.43,
    'crm.deal.add' => 0.95, 'crm.deal.productrows.set' => 1.23,
    'crm.requisite.add' => 1.40, 'crm.contact.add' => 1.51,
    'crm.deal.update' => 1.61, 'crm.item.update' => 3.66,
    'crm.item.add' => 1.0,
);

use constant BUCKETS => 10;


sub new {
    my ($class, $config) = @_;

    return bless({config => $config}, $class)->clear;
}


sub clear {
    my ($self) = @_;

    @$self{qw(level operating)} = ({}, {});
    @$self{qw(highest refused accepted)} = (0, 0, 0);

    return $self;
}


# May a request from ADDRESS pass at NOW (seconds, fractions count)?  Each adds
# one to a bucket that drains "rate" per second and holds "burst".
sub admit {
    my ($self, $address, $now) = @_;

    my $bucket = $self->{config}{bucket};
    my $state = $self->{level}{$address} //= [0, $now];
    my $passed = $now > $state->[1] ? $now - $state->[1] : 0;
    my $level = $state->[0] - $passed * $bucket->{rate};

    $level = 0 if $level < 0;

    my $full = $bucket->{enabled} && $level + 1 > $bucket->{burst} + 1e-9;

    $level += 1 if !$full || $bucket->{reject_counts};
    @$state = ($level, $now);

    $self->{highest} = $level if $level > $self->{highest};
    $self->{$full ? 'refused' : 'accepted'}++;

    return !$full;
}


sub bucket_report {
    my ($self) = @_;

    return {map { $_ => $self->{$_} } qw(highest refused accepted)};
}


# ---- operating --------------------------------------------------------------

sub enabled { return $_[0]{config}{operating}{enabled} }


# seconds by method that the documentation's samples took
sub samples { return {%sample_cost} }


# seconds charged for a call of METHOD that took TOOK
sub cost {
    my ($self, $method, $took) = @_;

    return $self->{config}{operating}{cost}{$method} // $sample_cost{$method}
        // $took;
}


# calls shorter than "shortest" are not recorded
sub charge {
    my ($self, $method, $seconds, $now) = @_;

    return if !$self->enabled
        || $seconds < $self->{config}{operating}{shortest};

    $self->{operating}{$method}{$self->_slot($now)} += $seconds;

    return;
}


sub spent {
    my ($self, $method, $now) = @_;

    $self->_expire($method, $now);

    return sum0(values %{$self->{operating}{$method} // {}});
}


# the call that crosses the limit completes, the next one doesn't start
sub blocked {
    my ($self, $method, $now) = @_;

    return $self->enabled
        && $self->spent($method, $now) >= $self->{config}{operating}{limit};
}


# when the oldest part of the sum leaves it, undef when nothing was spent
sub reset_at {
    my ($self, $method, $now) = @_;

    $self->_expire($method, $now);

    my ($oldest) = sort { $a <=> $b } keys %{$self->{operating}{$method} // {}};

    return if !defined $oldest;
    return int(($oldest + BUCKETS) * $self->_width) + 1;
}


sub _width { return $_[0]{config}{operating}{window} / BUCKETS }

sub _slot { return int($_[1] / $_[0]->_width) }


sub _expire {
    my ($self, $method, $now) = @_;

    my $slots = $self->{operating}{$method} // return;
    my $first = $self->_slot($now) - BUCKETS;

    delete @$slots{grep { $_ <= $first } keys %$slots};

    return;
}


1;
