package B24::Client;

# A client that works with bytes: what it sends is what the test wrote, and
# it tells exactly what came back.
#
#   my $client = B24::Client->new(port => 8080);
#   $client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
#   my $answer = $client->response;       # status, head, body, raw, is_head
#   my $rest = $client->until_eof;
#
# Whatever takes longer than `timeout` (20 s) dies.

use strict;
use warnings;

use B24::Recording qw(head_and_body header_values unchunk);
use B24::Secrets ();
use Errno qw(EINTR);
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(parallel request_bytes);

use constant READ_SIZE => 256 * 1024;


# Takes port, host (127.0.0.1), timeout in seconds.
sub new {
    my ($class, %option) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => $option{host} // '127.0.0.1', PeerPort => $option{port},
        Proto => 'tcp', Timeout => $option{timeout} // 20)
        or die "cannot connect to port $option{port}: $!\n";

    binmode $socket;

    return bless { socket => $socket, buffer => '',
                   timeout => $option{timeout} // 20,
                   number => B24::Secrets::connection() }, $class;
}

sub send {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $sent = 0;

    # the logs are looked through for it
    B24::Secrets::sent($self->{number}, $bytes);

    while ($sent < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, READ_SIZE, $sent;

        if (!defined $n) {
            next if $! == EINTR;

            # a server may answer and close before it has read everything
            $self->{broken} = "$!";
            return 0;
        }

        $sent += $n;
    }

    return 1;
}

# No more from us, but we go on reading.
sub half_close {
    my ($self) = @_;

    shutdown $self->{socket}, 1;
}

# Reads once; false at the end of the connection.
sub more {
    my ($self) = @_;

    my $end = time + $self->{timeout};

    while (1) {
        if (IO::Select->new($self->{socket})->can_read($end - time)) {
            my $n = sysread $self->{socket}, $self->{buffer}, READ_SIZE,
                            length $self->{buffer};

            # a reset is an end as well
            return $n if defined $n || $! != EINTR;
        }

        die "no bytes from the server for $self->{timeout} s\n"
            if time >= $end;
    }
}

sub until_eof {
    my ($self) = @_;

    1 while $self->more;

    my $bytes = $self->{buffer};
    $self->{buffer} = '';

    return $bytes;
}

# Whether the server has neither closed nor sent anything.
sub is_idle {
    my ($self) = @_;

    return 0 if length $self->{buffer};

    return !IO::Select->new($self->{socket})->can_read(0);
}

# The next answer on the connection, told by its framing.  For a HEAD give
# head => 1.  Interim answers (1xx) are part of `raw` only.
sub response {
    my ($self, %option) = @_;

    my $raw = '';
    my ($head, $status);

    while (1) {
        while (index($self->{buffer}, "\r\n\r\n") < 0) {
            $self->more or die "the connection ended before an answer\n";
        }

        ($head) = head_and_body($self->{buffer});
        substr $self->{buffer}, 0, length $head, '';
        $raw .= $head;
        ($status) = $head =~ m{^HTTP/1\.\d (\d{3})};
        die "not an answer: $head" if !defined $status;
        last if $status !~ /^1/;
    }

    B24::Secrets::note_cookies(map { s/;.*//sr }
                               header_values($head, 'Set-Cookie'));

    my ($body, $taken) = $self->body_of($head, $status, $option{head});

    $raw .= $taken;

    return { status => $status, head => $head, body => $body, raw => $raw };
}

# The decoded body and the bytes it took.
sub body_of {
    my ($self, $head, $status, $is_head) = @_;

    return ('', '') if $is_head || $status =~ /^(?:204|304)$/;

    if (grep { lc eq 'chunked' } header_values($head, 'Transfer-Encoding')) {
        my ($body, $size);

        while (1) {
            ($body, $size) = unchunk($self->{buffer});
            last if defined $size;
            $self->more or die "the connection ended within a chunk\n";
        }

        return ($body, substr $self->{buffer}, 0, $size, '');
    }

    my ($length) = header_values($head, 'Content-Length');

    if (!defined $length) {
        my $body = $self->until_eof;
        return ($body, $body);
    }

    while (length $self->{buffer} < $length) {
        $self->more or die "the connection ended within a body\n";
    }

    my $body = substr $self->{buffer}, 0, $length, '';

    return ($body, $body);
}

sub close {
    my ($self) = @_;

    CORE::close $self->{socket};
}

# Closes with a reset instead of an orderly end.
sub abort {
    my ($self) = @_;

    setsockopt $self->{socket}, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
               pack 'II', 1, 0;
    CORE::close $self->{socket};
}


# ---- functions -----------------------------------------------------------

# The bytes of a request.  Headers are a list of names and values; Host,
# Content-Length, and Connection: close are added unless given (undef leaves
# them out).
sub request_bytes {
    my ($method, $target, $body, @headers) = @_;

    my $bytes = "$method $target HTTP/1.1\r\n";
    my %given;

    while (@headers) {
        my ($name, $value) = splice @headers, 0, 2;
        $given{lc $name} = 1;
        $bytes .= "$name: $value\r\n" if defined $value;
    }

    $bytes .= "Host: localhost\r\n" if !$given{host};
    $bytes .= "Connection: close\r\n" if !$given{connection};
    $bytes .= 'Content-Length: ' . length($body) . "\r\n"
        if defined $body && !$given{'content-length'}
           && !$given{'transfer-encoding'};

    return "$bytes\r\n" . ($body // '');
}

# Sends all requests at the same time, a connection each, and returns what
# came back until each connection's end, in order.
sub parallel {
    my ($port, @requests) = @_;

    my (@answers, %index);
    my @clients = map { B24::Client->new(port => $port) } @requests;
    my $waiting = IO::Select->new;

    for my $i (0 .. $#clients) {
        $clients[$i]->send($requests[$i]);
        $index{fileno $clients[$i]{socket}} = $i;
        $waiting->add($clients[$i]{socket});
    }

    my $end = time + 60;

    while ($waiting->count) {
        my @ready = $waiting->can_read(1);
        die "some connections get no answer\n" if !@ready && time > $end;

        for my $socket (@ready) {
            my $i = $index{fileno $socket};
            my $n = sysread $socket, my $data, READ_SIZE;

            $answers[$i] .= $data if $n;
            $waiting->remove($socket) if !$n;
        }
    }

    return map { $_ // '' } @answers;
}

1;
