package B24::Receiver;

# Who is told of alerts: a small server that keeps what it is sent and answers
# as it is told to.
#
#   my $r = B24::Receiver->start(port => 8443, tls => [$cert, $key], dir => $d);
#   my $r = B24::Receiver->start(path => "$d/alert.sock", dir => $d);
#   $r->mode('500');          what it does from now on, see below
#   $r->messages;             what came and was taken: decoded, oldest first
#   $r->tries;                how often it was called
#   $r->heads;                the heads of the requests
#   $r->stop;
#
# Modes of a server: a status, "302 URL", "hang" (no answer), "close" (none,
# and it is closed), "torn" (half of a head), "endless" (200 and a body that
# does not end), "dribble" (200 and a body that never comes).  Of a socket:
# "200", and "close" (before it was read).  A message counts as taken when the
# answer begins with 200.

use strict;
use warnings;

use B24::Recording ();
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();


sub start {
    my ($class, %args) = @_;

    my $self = bless { owner => $$, dir => $args{dir}, path => $args{path} },
                     $class;

    mkdir $self->{dir};
    $self->mode($args{mode} // '200');
    unlink $self->{path} if $self->{path};

    my $listen = $self->{path}
        ? IO::Socket::UNIX->new(Local => $self->{path}, Listen => 50)
        : IO::Socket::INET->new(LocalAddr => "127.0.0.1:$args{port}",
                                Listen => 50, ReuseAddr => 1);

    die "the receiver can't listen: $!\n" if !$listen;
    chmod 0666, $self->{path} if $self->{path};

    $self->{pid} = fork // die "cannot fork: $!\n";

    if ($self->{pid} == 0) {
        close main::DATA;
        $SIG{$_} = 'DEFAULT' for qw(TERM INT);
        $SIG{CHLD} = 'IGNORE';
        eval { $self->serve($listen, $args{tls}); 1 } or print STDERR $@;
        POSIX::_exit(0);
    }

    return $self;
}

sub mode {
    my ($self, $mode) = @_;

    open my $out, '>', "$self->{dir}/mode.new" or die "cannot write: $!\n";
    print $out $mode;
    close $out;
    rename "$self->{dir}/mode.new", "$self->{dir}/mode" or die "$!\n";
}

sub parts {
    my ($self, $name) = @_;

    my $path = "$self->{dir}/$name";

    return -e $path ? split /\0/, B24::Recording::read_file($path) : ();
}

sub messages {
    my ($self) = @_;

    return map { JSON::PP::decode_json($_) } $self->parts('messages');
}

# As they came.
sub texts { return $_[0]->parts('messages') }
sub heads { return $_[0]->parts('heads') }
sub tries { return scalar(() = $_[0]->parts('tries')) }

sub forget {
    my ($self) = @_;

    unlink map { "$self->{dir}/$_" } qw(messages heads tries);
}

sub stop {
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;

    kill 'TERM', $self->{pid};
    waitpid delete $self->{pid}, 0;
    unlink $self->{path} if $self->{path};
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $@, $!);
    $self->stop;
}


# ---- the child -----------------------------------------------------------

sub put {
    my ($self, $name, $text) = @_;

    open my $out, '>>', "$self->{dir}/$name" or die "cannot write: $!\n";
    syswrite $out, "$text\0";
    close $out;
}

sub serve {
    my ($self, $listen, $tls) = @_;

    while (1) {
        my $client = $listen->accept or next;
        my $pid = fork // die "cannot fork: $!\n";

        next if $pid;

        close $listen;
        alarm 60;

        if ($tls) {
            require IO::Socket::SSL;

            $client = IO::Socket::SSL->start_SSL($client, SSL_server => 1,
                SSL_cert_file => $tls->[0], SSL_key_file => $tls->[1]);
            POSIX::_exit(0) if !$client;
        }

        $self->put('tries', '1');

        my $mode = B24::Recording::read_file("$self->{dir}/mode");

        eval { $self->{path} ? $self->line($client, $mode)
                             : $self->request($client, $mode) };
        POSIX::_exit(0);
    }
}

sub line {
    my ($self, $client, $mode) = @_;

    return if $mode eq 'close';

    my $text = '';
    while (sysread $client, $text, 65536, length $text) { }

    $self->put('messages', $text);
}

sub request {
    my ($self, $client, $mode) = @_;

    my $text = '';

    while ($text !~ /\r\n\r\n/) {
        sysread $client, $text, 65536, length $text or return;
    }

    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;

    while (length $body < ($length // 0)) {
        sysread $client, $body, 65536, length $body or return;
    }

    $self->put('heads', $head);

    if ($mode eq 'hang') {
        sysread $client, $text, 1;
        return;
    }

    return if $mode eq 'close';

    my ($status, $url) = split / /, $mode;
    my $more = $url ? "Location: $url\r\n" : '';

    $status = 200 if $status !~ /^\d+$/;
    $self->put('messages', $body) if $status =~ /^2/ && $mode ne 'torn';

    if ($mode eq 'torn') {
        $client->syswrite("HTTP/1.1 200 OK\r\nConte");
        return;
    }

    if ($mode eq 'endless' || $mode eq 'dribble') {
        $client->syswrite("HTTP/1.1 200 OK\r\n\r\n");

        if ($mode eq 'dribble') {
            sysread $client, $text, 1;
            return;
        }

        local $SIG{PIPE} = 'IGNORE';
        while ($client->syswrite('x' x 65536)) { }
        return;
    }

    $client->syswrite("HTTP/1.1 $status X\r\n${more}Content-Length: 2\r\n"
                      . "Connection: close\r\n\r\nok");
}

1;
