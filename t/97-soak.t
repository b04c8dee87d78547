# A hundred reloads under orders, with workers killed and another binary, see
# t/soak.pl; with B24_LONG=1 (./build.sh test --all) a thousand.

use strict;
use warnings;

use Test::More tests => 2;

my $reloads = $ENV{B24_LONG} ? 1000 : 100;

open my $in, '-|', $^X, '-It/lib', 't/soak.pl', '--reloads', $reloads
    or die "soak.pl: $!\n";
my @lines = <$in>;
close $in;

is($?, 0, 'nothing is wrong') or diag(@lines);
like($lines[-1] // '', qr/^nothing is left over$/, 'nor left over');
note(@lines);
