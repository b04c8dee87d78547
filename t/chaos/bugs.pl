#!/usr/bin/perl

# Chaos with bugs put in (t/chaos/bugs): what the oracle says of each.  Called
# by "./build.sh chaos --bugs", which has built build/chaos/NAME.so of each
# patch.
#
#   perl -It/lib t/chaos/bugs.pl [OPTIONS OF chaos.pl] NAME ...
#
# A bug is reported when it was found as what its patch says.  The module
# without a bug comes first, with the same orders and kills: nothing may be
# reported.

use strict;
use warnings;

use FindBin;

# enough for each bug to come to light
use constant ORDERS => 560;

my @options;

while (@ARGV && $ARGV[0] =~ /^--/) {
    push @options, shift @ARGV;
    push @options, shift @ARGV
        if @ARGV && $options[-1] !~ /^--(?:keep|verbose)$/;
}

my @names = @ARGV;
push @options, '--orders', ORDERS
    if !grep { /^--(?:orders|seconds)$/ } @options;

my $root = "$FindBin::Bin/../..";
my (@table, $missed);

$| = 1;

for my $name ('', @names) {
    my @lines;

    print '== ', $name eq '' ? 'the module as it is' : "with the bug $name",
          "\n";

    open my $in, '-|', $^X, "-I$root/t/lib", "$root/t/chaos/chaos.pl",
        @options, $name eq '' ? () : ('--module', "$root/build/chaos/$name.so")
        or die "cannot run chaos.pl: $!\n";

    while (my $line = <$in>) {
        print $line;
        push @lines, $line;
    }

    close $in;

    my $status = $? >> 8;
    my ($result) = grep { /^accepted / } @lines;
    my ($said) = $status == 2 || !$result ? 'the run failed'
                                          : offences($result);

    if ($name eq '') {
        $missed = 1 if $status != 0;
        push @table, ['(none)', $status == 0 ? 'nothing reported' : $said];
        next;
    }

    my ($kind) = kind_of($name);
    my $found = $result && $result =~ /\b\Q$kind\E ([1-9]\d*)/;

    $missed = 1 if !$found;
    push @table, [$name, $found ? "reported: $said" : "NOT REPORTED ($said)"];
}

print "\n";
printf "%-22s %s\n", "$_->[0]:", $_->[1] for @table;

exit($missed ? 1 : 0);


sub kind_of {
    my ($name) = @_;

    open my $in, '<', "$root/t/chaos/bugs/$name.patch"
        or die "$name.patch: $!\n";

    while (<$in>) {
        return $1 if /^Reported as: (.+)/;
    }

    die "$name.patch does not say what it is reported as\n";
}


# what isn't 0 of the oracle's line
sub offences {
    my ($line) = @_;

    my @kinds = ('lost', 'twins', 'wrong totals', 'wrong contacts', 'stuck');
    my @found = map { $line =~ /\b$_ ([1-9]\d*)/ ? "$_ $1" : () } @kinds;

    return @found ? join ', ', @found : 'nothing';
}
