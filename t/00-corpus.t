#!/usr/bin/perl

# The corpora of the fuzzers (t/fuzz/corpus/NAME and NAME.tar.gz) as plain tests:
# each file goes through its target, compiled by "./build.sh unit" with the
# sanitizers.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use Test::More;

# the tests are started from any folder
chdir abs_path(dirname(__FILE__) . '/..') or die "can't change folder: $!\n";

my @targets = map { basename($_) =~ /^fuzz_(.+)\.c$/ } glob 't/fuzz/fuzz_*.c';

ok(scalar @targets, 'there are targets');

my $room = tempdir(CLEANUP => 1);

for my $target (@targets) {
    my $program = "build/replay/$target";
    my @files = unpacked($target);

    subtest $target => sub {
        plan tests => 3;

        ok(scalar @files, 'there is a corpus');
        ok(-x $program, "$program is built")
            or diag('./build.sh unit builds it');

        # the empty input belongs to every corpus; each line of the program is
        # a file that went through
        my @lines = split /\n/, run_program($program, '/dev/null', @files);
        my @passed = grep { /^ok / } @lines;

        ok($? == 0 && @passed == @files + 1, scalar @files . ' files')
            or diag("status $?\n", join "\n", grep { !/^ok / } tail(@lines));
    };
}

done_testing();


# Files with names, large ones packed, and the archive of those without.
sub unpacked {
    my ($target) = @_;
    my @files;

    mkdir "$room/$target" or die "can't make $room/$target: $!\n";

    for my $file (glob "t/fuzz/corpus/$target/*") {
        if ($file =~ m{([^/]+)\.packed\.gz$}) {
            my $to = "$room/$target/named-$1";

            gunzip($file => $to) or die "can't unpack $file: $GunzipError\n";
            $file = $to;
        }

        push @files, $file;
    }

    my $archive = "t/fuzz/corpus/$target.tar.gz";

    if (-e $archive) {
        mkdir "$room/$target/found" or die "can't make a folder: $!\n";
        system('tar', '-xzf', $archive, '-C', "$room/$target/found") == 0
            or die "can't unpack $archive\n";
    }

    return @files, sort grep { -f } glob "$room/$target/found/*";
}


# What it prints, its error output included; sets $?.
sub run_program {
    my @command = @_;

    my $pid = open my $out, '-|';

    die "can't fork: $!\n" if !defined $pid;

    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec @command or exit 127;
    }

    local $/;
    my $text = <$out>;
    close $out;

    return $text // '';
}


sub tail {
    my @lines = @_;

    return @lines > 60 ? @lines[-60 .. -1] : @lines;
}
