package B24::Chaos::Child;

# A child process of a run: code of ours after a fork, which ends with its
# parent.
#
#   my $child = B24::Chaos::Child->start(sub {
#       my ($parent) = @_;         # a socket to the parent
#       ...
#   });
#   $child->say('line');  $child->line;      # a line to it, one from it
#   $child->stop;

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Time::HiRes qw(sleep time);


sub start {
    my ($class, $code) = @_;

    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";
    $_->autoflush(1) for $ours, $theirs;

    my $parent = $$;
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        close $ours;
        local $@;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM CHLD);
        $SIG{PIPE} = 'IGNORE';

        my $done = getppid == $parent && eval { $code->($theirs); 1 };

        warn "chaos: $@" if !$done && $@;

        # nothing of the parent's is ended with us
        POSIX::_exit($done ? 0 : 1);
    }

    close $theirs;

    return bless {pid => $pid, owner => $$, socket => $ours, text => ''},
                 $class;
}


sub pid { return $_[0]{pid} }


sub say {
    my ($self, $line) = @_;

    return print { $self->{socket} } "$line\n";
}


# The next line; undef at its end, dies after "cap" seconds.
sub line {
    my ($self, $cap) = @_;

    my $until = time + ($cap // 30);

    while (1) {
        return $1 if $self->{text} =~ s/\A([^\n]*)\n//;

        my $left = $until - time;

        die "a child does not answer\n"
            if $left <= 0
               || !IO::Select->new($self->{socket})->can_read($left);

        sysread $self->{socket}, $self->{text}, 4096, length $self->{text}
            or return;
    }
}


# True once it has ended by itself; with its status in "status".
sub over {
    my ($self) = @_;

    return 1 if !$self->{pid};
    return 0 if waitpid($self->{pid}, POSIX::WNOHANG()) != $self->{pid};

    $self->{status} = $?;
    delete $self->{pid};

    return 1;
}


sub stop {
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;

    local ($?, $!);

    # it sees the end of the socket; killed if it doesn't
    close delete $self->{socket} if $self->{socket};

    for my $signal (0, 'TERM', 'KILL') {
        kill $signal, $self->{pid} if $signal;

        my $until = time + 3;

        while (time < $until) {
            return if $self->over;
            sleep 0.01;
        }
    }

    return;
}


sub DESTROY {
    my ($self) = @_;

    local $@;
    $self->stop;

    return;
}


1;
