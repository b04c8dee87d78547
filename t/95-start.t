# docs/start.md: its commands, one after the other, in a folder and on ports of
# the test's own.  The build and the installation are what has been done before.
#
# B24_CLEAN=FOLDER: all of them as they stand there, in the root of a Debian 12
# that has nothing else ("debootstrap --variant=minbase bookworm FOLDER"); for
# root, with /proc, /dev and resolv.conf in it, and with a network.

use strict;
use warnings;

use lib 't/lib';

use B24::Recording ();
use Cwd ();
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

my $page = B24::Recording::read_file('docs/start.md');
my $module = $ENV{B24_MODULE} // Cwd::getcwd() . '/build/ngx_http_b24_module.so';

my $clean = $ENV{B24_CLEAN};

# the workers are another user's when this is root's
my $dir = $clean ? "$clean/tmp/b24-start" : File::Temp::tempdir(CLEANUP => 1);
chmod 0755, $dir if !$clean;

my @sockets = map { IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                          Listen => 1, ReuseAddr => 1) } 1 .. 2;
my ($front, $shop) = map { $_->sockport } @sockets;
close $_ for @sockets;

# Commands; the text of a here document belongs to its own.
my @commands;

while ($page =~ /^```sh\n(.*?)^```$/msg) {
    my $fence = $1;

    push @commands, $& while $fence =~ /\G(?:[^\n]*<<[ ]'END'\n.*?^END\n
                                            |[^\n]+\n)/gmsx;
}

is(scalar @commands, 9, 'as many commands as it says');

is($commands[0], "./build.sh build\n", 'the first one builds');

my @said = $clean ? in_clean_root() : here();

is($said[-3], '{"ok":true,"order":{"id":"A-1"}}', 'the shop answers');

my $order = JSON::PP->new->utf8->decode($said[-2]);
my %sent = map { $_->{method} => $_->{params}{fields} } @{$order->{commands}};

is($order->{state}, 'accepted', 'the order is there');
is($sent{'crm.contact.add'}{PHONE}[0]{VALUE}, '+7916*****01', 'its phone');
is($sent{'crm.deal.add'}{TITLE}, 'Order #A-1', 'its title');
is($sent{'crm.deal.add'}{OPPORTUNITY}, '990.50', 'its amount');
is($sent{'crm.deal.add'}{STAGE_ID}, 'NEW', 'its stage');

# nginx goes by itself
for (1 .. 500) {
    last if !-e "$dir/nginx.pid";
    select undef, undef, undef, 0.02;
}

ok(!-e "$dir/nginx.pid", 'nothing stays behind');

my $log = B24::Recording::read_file("$dir/logs/error.log");
unlike($log, qr/\[(?:warn|error|crit|alert|emerg)\]/, 'nothing was wrong');

done_testing();


# What each command says.
sub here {
    splice @commands, 0, 4;
    mkdir "$dir/logs" or die "$dir/logs: $!\n";
    symlink $module, "$dir/ngx_http_b24_module.so" or die "symlink: $!\n";

    my @texts;

    for my $command (@commands) {
        $command =~ s{/tmp/b24-start}{$dir}g;
        $command =~ s/\b8088\b/$front/g;
        $command =~ s/\b8089\b/$shop/g;

        push @texts, scalar qx($command);
        is($?, 0, (split /\n/, $command)[0]);
    }

    return @texts;
}

sub in_clean_root {
    my @in = ('chroot', $clean, qw(/usr/bin/env -i HOME=/root TERM=dumb),
              'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
              qw(/bin/bash -c), 'cd /tmp/checkout && . /tmp/command');
    my @texts;

    system "rm -rf \Q$clean\E/tmp/checkout \Q$dir\E"
           . " && mkdir \Q$clean\E/tmp/checkout"
           . ' && tar c --exclude=./build --exclude=./.git .'
           . " | tar x -C \Q$clean\E/tmp/checkout" and die "no copy\n";

    for my $command (@commands) {
        open my $out, '>', "$clean/tmp/command" or die "$clean: $!\n";
        print {$out} $command;
        close $out;

        open my $from, '-|', @in or die "chroot: $!\n";
        push @texts, join '', <$from>;
        close $from;
        is($?, 0, (split /\n/, $command)[0]);
    }

    return @texts;
}
