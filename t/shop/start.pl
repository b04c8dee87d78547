#!/usr/bin/perl

# Starts the sample shop and leaves it running, or ends it:
#
#   perl t/shop/start.pl --dir DIR [--test] [--gzip]
#   perl t/shop/start.pl --dir DIR --stop
#
# Prints the nginx location to put in front of it.

use strict;
use warnings;

use FindBin;
use Getopt::Long;
use lib "$FindBin::Bin/../lib";

use B24::Shop;

my %option;

GetOptions(\%option, 'dir=s', 'test', 'gzip', 'stop') && $option{dir}
    or die "usage: $0 --dir DIR [--test] [--gzip] [--stop]\n";

if ($option{stop}) {
    B24::Shop->stop_in($option{dir}) or die "no shop runs there\n";
    exit;
}

my $shop = B24::Shop->start($option{dir}, detach => 1,
                            test => $option{test}, gzip => $option{gzip});

print $shop->location;
