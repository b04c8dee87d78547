package B24::Chaos::Nginx;

# nginx with the module, to be killed: its master is a child of ours, so that
# every process is known by its pid, and nothing depends on a pid file that an
# earlier master may remove.

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    WORKERS     => 3,
    WORKER_USER => 'www-data',
    START_CAP   => 30,
    QUIT_CAP    => 30,
};


# Takes dir, module, conf (a function that is given the worker's user line and
# gives the text of nginx.conf), port.
sub new {
    my ($class, %args) = @_;

    my $self = bless {%args, owner => $$, old => {}}, $class;

    mkdir "$args{dir}/logs";
    $self->_write_conf;

    return $self;
}


sub queue { return "$_[0]{dir}/queue" }


sub _write_conf {
    my ($self) = @_;

    my $user = $> == 0 ? 'user ' . ($self->_reachable ? WORKER_USER : 'root')
                         . ";\n" : '';

    open my $out, '>', "$self->{dir}/nginx.conf"
        or die "$self->{dir}/nginx.conf: $!\n";
    print {$out} <<"EOC";
load_module $self->{module};

${user}daemon           off;
master_process   on;
worker_processes @{[WORKERS]};
error_log        $self->{dir}/logs/error.log info;

events {
    worker_connections 1024;
}

$self->{conf}
EOC
    close $out or die "$self->{dir}/nginx.conf: $!\n";
    chmod 0600, "$self->{dir}/nginx.conf";

    return;
}


# May an ordinary user come to the folder?
sub _reachable {
    my ($self) = @_;

    return 0 if !defined getpwnam WORKER_USER;

    my @path = split m{/}, $self->{dir};

    for my $last (1 .. $#path) {
        return 0 if !((stat join '/', @path[0 .. $last])[2] & 01);
    }

    return 1;
}


sub _binary {
    for my $path ($ENV{TEST_NGINX_BINARY} // (),
                  map { "$_/nginx" } '/usr/sbin', split /:/, $ENV{PATH})
    {
        return $path if -x $path;
    }

    die "nginx isn't installed: the Debian package is nginx\n";
}


# ---- processes ---------------------------------------------------------------

sub master { return $_[0]{master} }


sub is_alive {
    my ($pid) = @_;

    return 0 if !kill 0, $pid;

    open my $in, '<', "/proc/$pid/stat" or return 0;
    my $stat = <$in> // '';

    return $stat !~ /\) Z /;
}


# Workers of a master, those on their way out too.
sub workers {
    my ($self, $master) = @_;

    $master //= $self->{master} // return;

    my @pids;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $state, $parent)
            = (<$in> // '') =~ /^(\d+) \(.*\) (\S) (\d+)/ or next;

        push @pids, $pid if $parent == $master && $state ne 'Z';
    }

    return sort { $a <=> $b } @pids;
}


# The worker that delivers: who holds the lock; where the kernel names the file
# otherwise than stat() does, who has last said so.
sub courier {
    my ($self) = @_;

    my (undef, $inode) = stat $self->queue . '/courier.lock';
    my $pid;

    if (defined $inode && open my $in, '<', '/proc/locks') {
        while (my $line = <$in>) {
            my ($holder, $of)
                = $line =~ /FLOCK\s+\S+\s+\S+\s+(\d+) \S+:(\d+) / or next;

            $pid = $holder if $of == $inode;
        }
    }

    if (!$pid && open my $in, '<', "$self->{dir}/logs/error.log") {
        seek $in, -65_536, 2;

        while (my $line = <$in>) {
            $pid = $1 if $line =~ /(\d+)#\d+: b24: this worker delivers/;
        }
    }

    return $pid && is_alive($pid) ? $pid : undef;
}


# ---- start and end -----------------------------------------------------------

sub start {
    my ($self) = @_;

    # a pid file for each: a master that ends removes its own
    my $turn = ++$self->{starts};
    my @command = (_binary(), '-p', "$self->{dir}/", '-e',
                   "$self->{dir}/logs/error.log", '-c',
                   "$self->{dir}/nginx.conf", '-g',
                   "pid $self->{dir}/logs/nginx-$turn.pid;");

    # nothing stays behind should we be killed
    unshift @command, 'setpriv', '--pdeathsig', 'TERM', '--';

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        open STDIN, '<', '/dev/null' and open STDOUT, '>>',
            "$self->{dir}/logs/start.log" and open STDERR, '>&', \*STDOUT
            and exec @command;
        POSIX::_exit(127);
    }

    $self->{master} = $pid;
    $self->{masters}{$pid} = 1;

    my $until = time + START_CAP;

    while (!$self->is_up) {
        if (waitpid($pid, POSIX::WNOHANG()) == $pid) {
            delete $self->{master};
            die "nginx ended at start, see $self->{dir}/logs\n";
        }

        die "nginx does not start, see $self->{dir}/logs\n" if time > $until;
        sleep 0.02;
    }

    return;
}


# Someone listens, and it is our master's
sub is_up {
    my ($self) = @_;

    return defined IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}, Timeout => 1);
}


sub signal {
    my ($self, $signal) = @_;

    return kill $signal, $self->{master};
}


# kill -9 of the master alone; gives its workers, which go on without it.
sub kill_master {
    my ($self) = @_;

    my $master = delete $self->{master};

    # it can't make new ones while we count
    kill 'STOP', $master;
    my @workers = $self->workers($master);

    kill 'KILL', $master;
    waitpid $master, 0;
    delete $self->{masters}{$master};

    return @workers;
}


# Workers without a master; comes back when they have ended, or, after QUIT,
# when they don't listen any more: then they may have an order to finish.
sub end_orphans {
    my ($self, $signal, @workers) = @_;

    kill $signal, @workers;

    my $until = time + QUIT_CAP;
    my $gone = $signal eq 'KILL' ? sub { !grep { is_alive($_) } @workers }
                                 : sub { !$self->is_up };

    while (!$gone->()) {
        die "workers of a killed master don't end\n" if time > $until;
        sleep 0.01;
    }

    $self->{old}{$_} = 1 for @workers;

    return 1;
}


# Lets the master end; with QUIT it may have an order to finish, while the next
# one runs.
sub leave {
    my ($self, $signal) = @_;

    my $master = delete $self->{master};
    my @workers = $self->workers($master);

    kill $signal, $master;

    my $until = time + QUIT_CAP;

    while ($signal eq 'QUIT' ? $self->is_up : is_alive($master)) {
        die "nginx does not end after $signal\n" if time > $until;
        sleep 0.01;
    }

    $self->{old}{$_} = 1 for $master, @workers;

    return;
}


# Sees to it that all of it has ended; the pids of those that hadn't.
sub end {
    my ($self) = @_;

    return if $self->{owner} != $$;

    my @pids = (keys %{$self->{old}},
                $self->{master} ? ($self->{master}, $self->workers) : ());

    kill 'QUIT', $self->{master} if $self->{master};

    my $until = time + QUIT_CAP;
    my @left;

    while (@left = grep { is_alive($_) } @pids) {
        last if time > $until;
        sleep 0.02;
    }

    kill 'KILL', @left;
    waitpid $_, 0 for grep { kill 0, $_ } keys %{$self->{masters}};
    delete $self->{master};

    return @left;
}


sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $!, $@);

    my @pids = ($self->{master} ? $self->kill_master : (),
                keys %{$self->{old}});

    kill 'KILL', grep { is_alive($_) } @pids;

    return;
}


1;
