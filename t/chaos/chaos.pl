#!/usr/bin/perl

# Orders under kills and faults, and an oracle that compares what came of them:
# see docs/testing.md.  Called by "./build.sh chaos".
#
#   perl -It/lib t/chaos/chaos.pl [--seconds 120] [--seed 1] [--orders N]
#       [--journal sync|async|off] [--module FILE] [--dir DIR] [--keep]
#       [--verbose] [--plan]
#
#   --orders   in place of as many as fit into --seconds
#   --journal  b24_journal; "-" leaves the directive out
#   --plan     prints what would be done
#   --keep     the folder stays, else only when something is wrong
#   --verbose  tells what is done as it is done
#
# Ends with status 0 when all is as it should be, 1 when the oracle found
# something, 2 when the run itself failed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin", "$FindBin::Bin/../lib";

use B24::Chaos::Run;

use Cwd qw(abs_path);
use File::Path qw(remove_tree);
use Getopt::Long qw(GetOptions);
use POSIX ();

# Orders a second, and the seconds that go to start and settling.
use constant {
    RATE   => 14,
    SETTLE => 40,
    LEAST  => 20,
};

my %option = (seconds => 120, seed => 1, journal => 'sync', rate => RATE);

GetOptions(\%option, 'seconds=i', 'seed=i', 'orders=i', 'journal=s',
           'module=s', 'dir=s', 'rate=f', 'keep', 'verbose', 'plan')
    && !@ARGV && $option{journal} =~ /^(?:sync|async|off|-)$/
    && $option{seconds} > 0
    or die "see the head of $0 for its options\n";

$option{journal} = '' if $option{journal} eq '-';
$option{orders} //= POSIX::floor($option{rate} * ($option{seconds} - SETTLE));
$option{orders} = LEAST if $option{orders} < LEAST;
$option{module} //= $ENV{B24_MODULE}
    // "$FindBin::Bin/../../build/ngx_http_b24_module.so";

$option{module} = abs_path($option{module});
$option{dir} = abs_path("$FindBin::Bin/../..") . "/build/chaos/run-$$"
    if !defined $option{dir};

binmode $_, ':encoding(UTF-8)' for \*STDOUT, \*STDERR;
$| = 1;

# what earlier runs that are over have left
for my $dir (glob "$option{dir}/../run-*") {
    my ($pid) = $dir =~ /-(\d+)\z/;

    remove_tree($dir) if $pid && !kill 0, $pid;
}

# everything is ended by objects that go
$SIG{$_} = sub { exit 2 } for qw(INT TERM HUP);

my $run = B24::Chaos::Run->new(%option, say => sub { print "$_[0]\n" });

if ($option{plan}) {
    binmode STDOUT, ':raw';
    print $run->plan->text;
    exit 0;
}

printf "seed %d, plan %s: %d orders, %s\n", $option{seed}, $run->plan->digest,
    $option{orders}, $run->plan->summary;

my $oracle = eval { $run->go };

if (!$oracle) {
    print STDERR "chaos: $@";
    print STDERR "chaos: see $option{dir}\n";
    exit 2;
}

print "  inside the window: $_\n" for $oracle->in_window;
print "  $_\n" for $oracle->details;
print $run->line($oracle), "\n";

$run->stop;

if ($oracle->is_right && !$option{keep}) {
    remove_tree($option{dir});

} else {
    print "see $option{dir}\n";
}

exit($oracle->is_right ? 0 : 1);
