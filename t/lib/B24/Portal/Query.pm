package B24::Portal::Query;

# filter, order, select and paging of list methods.

use strict;
use warnings;

use B24::Portal::Error qw(refuse);
use B24::Portal::Php qw(array_of is_array is_bool intval strval numeric);

use Exporter 'import';

our @EXPORT_OK = qw(conditions matches sorted page);

# LIST_LIMIT of the server
use constant PAGE => 50;


# FILTER (PHP array) as a list of [operation, name, values, given as array].
# NAMES maps the names this method knows to what they stand for; UNKNOWN is
# called for others (a classic list drops them without a word, and so finds
# more than was asked for).
sub conditions {
    my ($filter, $names, $unknown) = @_;

    my @conditions;

    return @conditions if !is_array($filter);

    for my $key ($filter->keys) {
        my ($op, $name) = $key =~ /\A([!=<>\@%?]*)(.*)\z/s;
        my $value = $filter->get($key);

        if (uc $name eq 'LOGIC' || $key =~ /\A\d+\z/ && is_array($value)) {
            push @conditions, ['group', $filter, $names, $unknown]
                if $key =~ /\A\d+\z/;
            next;
        }

        if (!exists $names->{$name}) {
            $unknown->($name) if $unknown;
            next;
        }

        my $many = is_array($value);
        my @values = map { is_bool($_) ? ($_ ? 'Y' : 'N') : strval($_) }
                         $many ? $value->values : ($value);

        # an empty array filters nothing
        next if $many && !@values;

        push @conditions, [$op, $names->{$name}, \@values];
    }

    return @conditions;
}


# Does a record hold all CONDITIONS?  GET->(name) gives its value: a string,
# undef, or an array reference (any element may match).  NUMERIC->(name) tells
# columns compared as numbers; COLLATE->(text) folds text.
sub matches {
    my ($conditions, $get, $numeric, $collate) = @_;

    for my $condition (@$conditions) {
        my ($op, $name, $values) = @$condition;

        if ($op eq 'group') {
            return 0 if !_group($condition, $get, $numeric, $collate);
            next;
        }

        my $have = $get->($name);
        my @have = ref $have ? @$have : ($have);
        my $not = $op =~ s/\A!//;
        my $found = 0;

        for my $one (@have) {
            for my $value (@$values) {
                $found ||= $numeric->($name)
                    ? _compare_numbers($op, $one, $value)
                    : _compare_texts($op, $one, $value, $collate);
            }
        }

        return 0 if $not ? $found : !$found;
    }

    return 1;
}


# nested AND/OR arrays of crm.item.list
sub _group {
    my ($condition, $get, $numeric, $collate) = @_;

    my (undef, $filter, $names, $unknown) = @$condition;
    my ($logic) = grep { uc $_ eq 'LOGIC' } $filter->keys;
    my $or = $logic && uc strval($filter->get($logic)) eq 'OR';

    for my $key (grep { /\A\d+\z/ } $filter->keys) {
        my @inner = conditions($filter->get($key), $names, $unknown);
        my $holds = matches(\@inner, $get, $numeric, $collate);

        return 1 if $or && $holds;
        return 0 if !$or && !$holds;
    }

    return $or ? 0 : 1;
}


sub _compare_numbers {
    my ($op, $have, $value) = @_;

    return ($have // '') eq '' || $have eq '0' if $value eq '';
    return 0 if !defined $have || $have eq '';

    my $wanted = numeric($value);

    return $have > $wanted if $op eq '>';
    return $have >= $wanted if $op eq '>=';
    return $have < $wanted if $op eq '<';
    return $have <= $wanted if $op eq '<=';
    return index($have, $value) >= 0 if $op eq '%';
    return $have == $wanted;
}


sub _compare_texts {
    my ($op, $have, $value, $collate) = @_;

    $have //= '';
    ($have, $value) = map { $collate->($_) } $have, $value;

    return $have gt $value if $op eq '>';
    return $have ge $value if $op eq '>=';
    return $have lt $value if $op eq '<';
    return $have le $value if $op eq '<=';
    return $have eq $value if $op eq '=' || $op eq '@';

    if ($op eq '=%' || $op eq '%=') {
        my $pattern = join '.*', map { quotemeta } split /%/, $value, -1;
        return $have =~ /\A$pattern\z/s;
    }

    # no prefix on a text, and "%": a substring will do
    return $value eq '' ? $have eq '' : index($have, $value) >= 0;
}


# RECORDS in the order asked for ({"ID": "ASC"}); by id when nothing is asked
sub sorted {
    my ($order, $names, $get, $numeric, @records) = @_;

    my @keys;

    if (is_array($order)) {
        for my $key ($order->keys) {
            my $name = $names->{$key} // next;
            my $down = uc strval($order->get($key)) =~ /\ADESC/ ? -1 : 1;

            push @keys, [$name, $down];
        }
    }

    return @records if !@keys || @keys == 1 && $keys[0][0] eq 'ID'
        && $keys[0][1] == 1;

    return sort {
        my $result = 0;

        for my $key (@keys) {
            my ($name, $down) = @$key;
            my ($one, $two) = map { $get->($_, $name) // '' } $a, $b;

            $result = $down * ($numeric->($name)
                ? ($one || 0) <=> ($two || 0) : $one cmp $two);
            last if $result;
        }

        $result || $a->{id} <=> $b->{id};
    } @records;
}


# (records of the page, total or undef, next or undef); START -1 doesn't count
sub page {
    my ($start, @records) = @_;

    if ($start < 0) {
        return ([splice @records, 0, PAGE], undef, undef);
    }

    my $total = @records;

    # page-wise: 60 is still the second page
    my $offset = int($start / PAGE) * PAGE;
    my @page = splice @records, $offset > $total ? $total : $offset, PAGE;
    my $next = $offset + PAGE < $total ? $offset + PAGE : undef;

    return (\@page, $total, $next);
}


1;
