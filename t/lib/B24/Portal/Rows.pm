package B24::Portal::Rows;

# Product rows of a deal: what the server makes of the prices it is given.
# PRICE is final (with discount and tax); the others follow from it.

use strict;
use warnings;

use B24::Portal::Decimal qw(scaled unscaled product total quotient);
use B24::Portal::Error qw(refuse);
use B24::Portal::Php qw(array_of is_float is_bool float_of intval strval
    numeric);
use B24::Portal::Schema qw(universal_name);

use Exporter 'import';

our @EXPORT_OK = qw(make_row classic_row universal_row universal_to_classic);

my %measures = (796 => 'pcs', 166 => 'kg', 6 => 'm', 112 => 'l', 163 => 'g');

my @numbers = qw(PRICE PRICE_ACCOUNT PRICE_EXCLUSIVE PRICE_NETTO PRICE_BRUTTO
                 QUANTITY DISCOUNT_RATE DISCOUNT_SUM TAX_RATE);
my @integers = qw(ID OWNER_ID PRODUCT_ID DISCOUNT_TYPE_ID MEASURE_CODE SORT
                  TYPE);
my @order = qw(ID OWNER_ID OWNER_TYPE PRODUCT_ID PRODUCT_NAME PRICE
               PRICE_ACCOUNT PRICE_EXCLUSIVE PRICE_NETTO PRICE_BRUTTO QUANTITY
               DISCOUNT_TYPE_ID DISCOUNT_RATE DISCOUNT_SUM TAX_RATE
               TAX_INCLUDED CUSTOMIZED MEASURE_CODE MEASURE_NAME SORT XML_ID
               TYPE);

my %by_universal = map { universal_name($_) => $_ } @order;


# {productName: ...} with the names of the classic methods
sub universal_to_classic {
    my ($row) = @_;
    my $copy = array_of();

    for my $name ($row->keys) {
        $copy->set($by_universal{$name}, $row->get($name))
            if $by_universal{$name};
    }

    return $copy;
}


# One row of the request (PHP array, classic names) as the database keeps it:
# a hash of strings.  STORE: for the catalogue's names and the columns.
sub make_row {
    my ($row, $store) = @_;

    my $id = intval($row->get('PRODUCT_ID'));
    my ($known) = grep { $_->{id} == $id } @{$store->{config}{products}};
    my $name = strval($row->get('PRODUCT_NAME'));

    $name = $known->{name} if $name eq '' && $known;
    $name = _cut($store->column_text($name, 'PRODUCT_NAME'), 256);

    my $code = intval($row->get('MEASURE_CODE'));
    my $measure = _cut($store->column_text(strval($row->get('MEASURE_NAME')),
                                           'MEASURE_NAME'), 50);

    $code = 796 if $code <= 0;
    $measure = $measures{$code} // '' if $measure eq '';

    return {
        _prices($row),
        OWNER_TYPE   => 'D',
        PRODUCT_ID   => $id,
        PRODUCT_NAME => $name,
        CUSTOMIZED   => 'Y',
        MEASURE_CODE => $code,
        MEASURE_NAME => $measure,
        SORT         => intval($row->get('SORT')),
        XML_ID       => _cut($store->column_text(strval($row->get('XML_ID')),
                                                'XML_ID'), 255),
        TYPE         => $known ? $known->{type} : 1,
    };
}


sub _cut {
    my ($text, $size) = @_;

    my $chars = $text;

    return $text if !utf8::decode($chars) || length $chars <= $size;

    $chars = substr $chars, 0, $size;
    utf8::encode($chars);

    return $chars;
}


sub _prices {
    my ($row) = @_;

    my $quantity = $row->get('QUANTITY');
    my $rate = _tax_rate($row->get('TAX_RATE'));
    my $percent = scaled($rate // '0', 2);
    my $price = scaled(numeric($row->get('PRICE')), 2);
    my $exclusive = defined $row->get('PRICE_EXCLUSIVE')
        && !defined $row->get('PRICE')
        ? scaled(numeric($row->get('PRICE_EXCLUSIVE')), 2)
        : quotient(product($price, 10_000), 10_000 + $percent);

    if (!defined $row->get('PRICE') && defined $row->get('PRICE_EXCLUSIVE')) {
        $price = quotient(product($exclusive, 10_000 + $percent), 10_000);
    }

    my ($type, $discount_rate, $discount_sum, $netto) =
        _discount($row, $price, $exclusive, $percent);
    my $brutto = quotient(product($netto, 10_000 + $percent), 10_000);

    return (
        PRICE            => unscaled($price, 2),
        PRICE_ACCOUNT    => unscaled($price, 2),
        PRICE_EXCLUSIVE  => unscaled($exclusive, 2),
        PRICE_NETTO      => unscaled($netto, 2),
        PRICE_BRUTTO     => unscaled($brutto, 2),
        QUANTITY         => unscaled(scaled(defined $quantity
                                ? numeric($quantity) : '1', 4), 4),
        DISCOUNT_TYPE_ID => $type,
        DISCOUNT_RATE    => unscaled($discount_rate, 2),
        DISCOUNT_SUM     => unscaled($discount_sum, 2),
        TAX_RATE         => defined $rate ? unscaled(scaled($rate, 2), 2)
                                          : undef,
        TAX_INCLUDED     => uc strval($row->get('TAX_INCLUDED')) eq 'Y' ? 'Y'
                                                                       : 'N',
    );
}


# null, "" and false are "no tax", and so is a JSON 0.0; 0 and "0" are 0 %
sub _tax_rate {
    my ($value) = @_;

    return if !defined $value || is_bool($value) && !$value;
    return if is_float($value) && $$value == 0;
    return if !is_float($value) && strval($value) eq '';

    return numeric($value);
}


# (type, rate, sum, price without discount and tax), all at 2 places
sub _discount {
    my ($row, $price, $exclusive, $percent) = @_;

    my $type = intval($row->get('DISCOUNT_TYPE_ID'));
    my $given = $type == 1 || $type == 2;
    my ($rate, $sum) = map { $row->get($_) } qw(DISCOUNT_RATE DISCOUNT_SUM);

    if ($given && $type == 1) {
        refuse('', 'Discount Sum (DISCOUNT_SUM) is required if Monetary '
                 . 'Discount Type (DISCOUNT_TYPE_ID) is defined.')
            if !defined $sum;

        my $scaled = scaled(numeric($sum), 2);
        my $netto = total($exclusive, $scaled);

        return (1, $netto == 0 ? 0 : quotient(product($scaled, 10_000), $netto),
                $scaled, $netto);
    }

    if ($given) {
        refuse('', 'Discount Rate (DISCOUNT_RATE) is required if Percentage '
                 . 'Discount Type (DISCOUNT_TYPE_ID) is defined.')
            if !defined $rate;
    }

    my $scaled = scaled(numeric($rate // 0), 2);

    if ($scaled == 10_000) {
        refuse('', 'Discount Sum (DISCOUNT_SUM) is required if Percentage '
                 . 'Discount Type (DISCOUNT_TYPE_ID) is defined and Discount '
                 . 'Rate (DISCOUNT_RATE) is 100%')
            if !defined $sum;

        my $off = scaled(numeric($sum), 2);
        return (2, $scaled, $off, $off);
    }

    # from the unrounded price without tax
    my $base = product($price, 10_000);
    my $below = product(10_000 + $percent, 10_000 - $scaled);

    return (2, $scaled, quotient(product($base, $scaled), $below),
            quotient(product($base, 10_000), $below));
}


sub classic_row {
    my ($row) = @_;
    my $result = array_of();

    for my $name (@order) {
        my $value = $row->{$name};
        $result->set($name, defined $value ? "$value" : undef);
    }

    return $result;
}


sub universal_row {
    my ($row) = @_;
    my $result = array_of();
    my %typed = ((map { $_ => 'int' } @integers),
                 (map { $_ => 'float' } @numbers));

    for my $name (@order) {
        my $value = $row->{$name};

        if (defined $value && $typed{$name}) {
            $value = $typed{$name} eq 'int' ? $value + 0 : float_of($value);
        }

        $result->set(universal_name($name), $value);
    }

    return $result;
}


1;
