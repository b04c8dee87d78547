#!/usr/bin/perl

# The corpora of the fuzzers (t/fuzz/corpus/NAME) as plain tests: each file goes
# through its target, compiled by "./build.sh unit" with the sanitizers.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;

# the tests are started from any folder
chdir abs_path(dirname(__FILE__) . '/..') or die "can't change folder: $!\n";

my @targets = map { basename($_) =~ /^fuzz_(.+)\.c$/ } glob 't/fuzz/fuzz_*.c';

ok(scalar @targets, 'there are targets');

for my $target (@targets) {
    my $program = "build/replay/$target";
    my @files = glob "t/fuzz/corpus/$target/*";

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
