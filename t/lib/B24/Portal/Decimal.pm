package B24::Portal::Decimal;

# Exact decimals: a number is an integer count of 10^-PLACES, native while it
# is small and Math::BigInt beyond, never floating point.

use strict;
use warnings;

use Exporter 'import';
use Math::BigInt;

our @EXPORT_OK = qw(scaled unscaled product total difference quotient rescale);

# products and sums below this are exact as native integers
use constant NATIVE => 4_000_000_000_000_000;


# "1990.005" at 2 places is 199001 (half away from zero, as PHP's round())
sub scaled {
    my ($text, $places) = @_;

    my ($sign, $whole, $part) = $text =~ /\A([+-]?)(\d*)(?:\.(\d*))?\z/
        or return 0;

    $part //= '';

    my $next = length $part > $places ? substr $part, $places, 1 : 0;
    $part = substr $part . '0' x $places, 0, $places;

    my $number = _native("0$whole$part");
    $number = total($number, 1) if $next >= 5;

    return $sign eq '-' ? difference(0, $number) : $number;
}


# 199001 at 2 places is "1990.01"
sub unscaled {
    my ($number, $places) = @_;

    my $sign = $number < 0 ? '-' : '';
    my $text = "$number";

    $text =~ s/\A[-+]//;

    return "$sign$text" if $places == 0;

    $text = '0' x ($places - length($text) + 1) . $text
        if length $text <= $places;

    return $sign . substr($text, 0, -$places) . '.' . substr($text, -$places);
}


sub product {
    my ($one, $two) = @_;

    my $result = $one * $two;

    return $result if !ref $result && abs $result < NATIVE;

    return Math::BigInt->new("$one")->bmul("$two");
}


sub total {
    my ($one, $two) = @_;

    my $sum = $one + $two;

    return $sum if !ref $sum && abs $sum < NATIVE;

    return Math::BigInt->new("$one")->badd("$two");
}


sub difference {
    my ($one, $two) = @_;

    return total($one, ref $two ? $two->copy->bneg : -$two);
}


# ONE / TWO rounded half away from zero; TWO must not be zero
sub quotient {
    my ($one, $two) = @_;

    my $sign = ($one < 0) != ($two < 0) ? -1 : 1;

    if (!ref $one && !ref $two && abs $one < NATIVE && abs $two < NATIVE) {
        my ($above, $below) = (2 * abs($one) + abs $two, 2 * abs $two);

        return $sign * (($above - $above % $below) / $below);
    }

    $one = Math::BigInt->new("$one")->babs;
    $two = Math::BigInt->new("$two")->babs;

    my $result = $one->bmul(2)->badd($two)->bdiv($two->copy->bmul(2));
    $result = $result->[0] if ref $result eq 'ARRAY';

    return _native(($sign < 0 ? '-' : '') . $result->bstr);
}


# from FROM to TO decimal places
sub rescale {
    my ($number, $from, $to) = @_;

    return product($number, 10 ** ($to - $from)) if $to >= $from;
    return quotient($number, 10 ** ($from - $to));
}


sub _native {
    my ($text) = @_;

    return 0 + $text if length $text < 16;
    return Math::BigInt->new($text);
}


1;
