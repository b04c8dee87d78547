#!/usr/bin/perl

# Runs benchmarks and prints one table: "./build.sh bench [NAME ...]".
#
#   perl -It/lib t/bench/bench.pl [NAME ...]
#
# A benchmark is t/bench/NAME.pl or the program build/bench/NAME; lines of its
# output that begin with ROW are the table's (see B24::Bench), the others are
# printed as they come.  The exit status is 1 when one of them failed: a bound
# that is missed is said in the table and is no failure, since most depend on
# what else the machine does.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use B24::Bench;
use Time::HiRes qw(time);

my @all = qw(pass orders shop backlog queue session);
my @names = @ARGV ? @ARGV : @all;
my $root = B24::Bench->root;
my $failed = 0;
my @rows;

sub command {
    my ($name) = @_;

    my $script = "$FindBin::Bin/$name.pl";

    return ($^X, "-I$root/t/lib", $script) if -f $script;
    return ("$root/build/bench/$name");
}

# the machine, and what its disk needs for a commit
sub machine {
    my ($model) = B24::Bench::text_of('/proc/cpuinfo')
        =~ /^model name\s*:\s*(.+)$/m;
    my $cores = () = B24::Bench::text_of('/proc/cpuinfo')
        =~ /^processor\s*:/mg;
    my ($load) = split ' ', B24::Bench::text_of('/proc/loadavg');
    my $path = "$root/build/bench/fsync-$$";
    my @times;

    open my $out, '>', $path or die "cannot write $path: $!\n";

    for (1 .. 51) {
        my $start = time;

        syswrite $out, 'x' x 4096;
        $out->sync or die "fsync: $!\n";
        push @times, (time - $start) * 1e6;
    }

    close $out;
    unlink $path;

    printf "machine: %s, %d cores, load %s, fsync of 4 KiB %.0f us (%.0f"
        . " .. %.0f)\n", $model // 'unknown', $cores, $load,
        B24::Bench::spread(@times);
}

# Ticks of all cores: all of them, and those that the host gave to others.
sub ticks {
    my (undef, @ticks) = split ' ', (split /\n/,
        B24::Bench::text_of('/proc/stat'))[0] // '';
    my $all = 0;

    $all += $_ // 0 for @ticks[0 .. 7];

    return ($all, $ticks[7] // 0);
}

sub table {
    my @head = ('what', 'unit', 'median', 'min .. max', 'beside', 'ratio',
                'min .. max', 'bound', '');
    my @lines = (\@head, map {
        my @f = @$_;
        [@f[0 .. 2], "$f[3] .. $f[4]", @f[5, 6], "$f[7] .. $f[8]", @f[9, 10]]
    } @rows);

    for my $line (@lines) {
        print '| ', join(' | ', @$line), " |\n";
        print '|', '---|' x @head, "\n" if $line == $lines[0];
    }
}

$| = 1;
machine();

my @before = ticks();

for my $name (@names) {
    open my $out, '-|', command($name) or die "cannot run $name: $!\n";

    while (my $line = <$out>) {
        chomp $line;

        if ($line =~ s/^ROW\t//) {
            push @rows, [(split /\t/, $line, -1)[0 .. 10]];

        } else {
            print "$name: $line\n";
        }
    }

    if (!close $out) {
        print "$name: failed\n";
        $failed = 1;
    }
}

my @after = ticks();

# of a guest that its host leaves alone it is 0
printf "stolen by the machine's host meanwhile: %.0f %%\n",
    100 * ($after[1] - $before[1]) / (($after[0] - $before[0]) || 1);

table() if @rows;

exit $failed;
