#!/usr/bin/perl

# The replay upstream as a process of its own, see B24::Replay::Server.
#
#   perl -It/lib t/replay.pl --lane PORT [--lane PORT] --control PORT
#        [--folder t/recordings/SHOP ...]
#        [--stay]          goes on when standard input ends

use strict;
use warnings;

use Getopt::Long;
use Mojo::IOLoop;

use B24::Replay::Server;

my (@lanes, @folders, $control, $stay);

GetOptions('lane=i' => \@lanes, 'control=i' => \$control,
           'folder=s' => \@folders, 'stay' => \$stay)
    or die "wrong options\n";

die "--lane and --control are needed\n" if !@lanes || !$control;

my $server = B24::Replay::Server->new(ports => \@lanes, control => $control,
                                      folders => \@folders);

# whoever started us holds the other end: a killed test leaves nothing behind
if (!$stay) {
    Mojo::IOLoop->singleton->reactor->io(\*STDIN => sub {
        my $got = sysread STDIN, my $data, 1024;
        Mojo::IOLoop->stop if !$got;
    })->watch(\*STDIN, 1, 0);
}

$SIG{TERM} = $SIG{INT} = sub { Mojo::IOLoop->stop };
$SIG{PIPE} = 'IGNORE';

$server->run;
