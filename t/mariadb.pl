#!/usr/bin/perl

# A MariaDB for the unit tests: makes it in FOLDER, prints "ready PORT", then
# obeys the lines of its input (start, stop, pause, resume, sql TEXT with
# \n for the end of a line, log) and
# answers each with its output and a line "done".  Ends at the input's end.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use B24::MariaDB;
use File::Path ();
use IO::Socket::INET;

my ($dir) = @ARGV;

die "usage: mariadb.pl FOLDER\n" if !defined $dir;

$| = 1;
binmode STDIN, ':encoding(UTF-8)';
binmode STDOUT, ':encoding(UTF-8)';

File::Path::remove_tree($dir);

my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
    Proto => 'tcp', Listen => 1) or die "no port: $!\n";
my $port = $socket->sockport;
close $socket;

my $db = B24::MariaDB->new(dir => $dir, port => $port, tls => 1);

print "ready $port\n";

while (my $line = <STDIN>) {
    chomp $line;

    if ($line =~ /^(start|stop|pause|resume)$/) {
        $db->$1;

    } elsif ($line =~ /^sql (.*)/) {
        print $db->sql($1 =~ s/\\n/\n/gr, 'shop');

    } elsif ($line eq 'log') {
        print "$_\n" for $db->log;
    }

    print "done\n";
}

$db->stop;
File::Path::remove_tree($dir);
