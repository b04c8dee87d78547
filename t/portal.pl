#!/usr/bin/perl

# Starts the portal emulator.
#
#   perl -It/lib t/portal.pl --listen http://127.0.0.1:8024
#       [--listen 'https://127.0.0.1:8443?cert=FILE&key=FILE']
#       [--code CODE] [--user 1] [--state FILE] [--pid FILE] [--with-parent]
#
# Port 0 takes a free one.  Once it listens it prints a line per address,
# "listening http://127.0.0.1:PORT", and "ready".  --with-parent: ends when
# its standard input does.

use strict;
use warnings;

use B24::Portal;

use Getopt::Long qw(GetOptions);
use Mojo::IOLoop;
use Mojo::Server::Daemon;

my %options = (user => 1, code => 'code1234567890ab');
my @listen;

GetOptions(\%options, 'code=s', 'user=i', 'state=s', 'pid=s', 'with-parent',
           'listen=s' => \@listen)
    or die "see the head of $0 for its options\n";

@listen = ('http://127.0.0.1:8024') if !@listen;

my $portal = B24::Portal->new(
    user => $options{user}, code => $options{code},
    state_file => $options{state},
);
my $daemon = Mojo::Server::Daemon->new(
    app => $portal, listen => \@listen, silent => 1,
    max_clients => 2000, max_requests => 1_000_000,
);

$daemon->start;

if (defined $options{pid}) {
    open my $file, '>', $options{pid} or die "$options{pid}: $!\n";
    print {$file} "$$\n";
    close $file or die "$options{pid}: $!\n";
}

# A signal may come before the event loop runs, and an idle loop doesn't see
# one until something wakes it
my $ending = 0;

$SIG{TERM} = $SIG{INT} = sub { $ending = 1 };
Mojo::IOLoop->recurring(0.2 => sub { Mojo::IOLoop->stop if $ending });

# unbuffered reads of a pipe whose other end the parent holds
if ($options{'with-parent'}) {
    Mojo::IOLoop->singleton->reactor->io(\*STDIN => sub {
        Mojo::IOLoop->stop if !sysread STDIN, my $buffer, 4096;
    })->watch(\*STDIN, 1, 0);
}

my $ports = $daemon->ports;

for my $index (0 .. $#listen) {
    my ($scheme, $host) = $listen[$index] =~ m{\A(https?)://([^:/?]+)};
    print "listening $scheme://$host:$ports->[$index]\n";
}

print "ready\n";
close STDOUT;
open STDOUT, '>', '/dev/null' or die "/dev/null: $!\n";

Mojo::IOLoop->start;

$portal->control->save;
unlink $options{pid} if defined $options{pid};
