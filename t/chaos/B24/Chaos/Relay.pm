package B24::Chaos::Relay;

# The wire between nginx and the portal, to be cut at will: connections are
# handed on byte by byte, until the parent says otherwise.
#
#   refuse MS       the listener is closed for so long, open connections too
#   tear BYTES      of the next connection that is made: it is reset after so
#                   many bytes of an answer (0: before the request is handed
#                   on)
#   calm            nothing of that any more

use strict;
use warnings;

use Mojo::IOLoop;
use Socket qw(SOL_SOCKET SO_LINGER);

my ($server, $port, $refusing, @tears, %streams, $target);


sub serve {
    my ($parent, $to) = @_;

    $target = $to;
    $port = 0;

    Mojo::IOLoop->reset;
    _listen();
    syswrite $parent, "$port\n";

    my $text = '';

    Mojo::IOLoop->singleton->reactor->io($parent => sub {
        if (!sysread $parent, $text, 4096, length $text) {
            Mojo::IOLoop->stop;
            return;
        }

        _command(split ' ', $1) while $text =~ s/\A([^\n]*)\n//;
    })->watch($parent, 1, 0);

    Mojo::IOLoop->start;

    return;
}


sub _command {
    my ($name, $value) = @_;

    if ($name eq 'tear') {
        push @tears, $value;

    } elsif ($name eq 'refuse') {
        Mojo::IOLoop->remove($server) if $server;
        Mojo::IOLoop->remove($refusing) if $refusing;
        $server = undef;
        _reset($_) for values %streams;
        $refusing = Mojo::IOLoop->timer($value / 1000 => \&_listen);

    } elsif ($name eq 'calm') {
        @tears = ();
        _listen();
    }

    return;
}


sub _listen {
    Mojo::IOLoop->remove($refusing) if $refusing;
    $refusing = undef;

    return if $server;

    $server = Mojo::IOLoop->server({address => '127.0.0.1', port => $port},
        sub { _connection($_[1]) });
    $port ||= Mojo::IOLoop->acceptor($server)->port;

    return;
}


sub _connection {
    my ($stream) = @_;

    my $tear = shift @tears;
    my ($early, $peer, $got) = ('', undef, 0);

    $streams{$stream} = $stream;
    $stream->timeout(0);

    $stream->on(close => sub {
        delete $streams{$stream};
        $peer->close if $peer;
        $peer = $stream = undef;
    });

    $stream->on(read => sub {
        my ($from, $bytes) = @_;

        return _reset($from) if defined $tear && !$tear;
        return $peer->write($bytes) if $peer;
        $early .= $bytes;
    });

    Mojo::IOLoop->client({address => '127.0.0.1', port => $target}, sub {
        my ($loop, $error, $there) = @_;

        return if !$stream;
        return _reset($stream) if $error;

        $peer = $there;
        $peer->timeout(0);
        $peer->write($early) if length $early;
        $peer->on(close => sub { $stream->close_gracefully if $stream });
        $peer->on(read => sub {
            my ($from, $bytes) = @_;

            return if !$stream;

            $got += length $bytes;

            if ($tear && $got >= $tear) {
                substr $bytes, $tear - $got, $got - $tear, '' if $got > $tear;
                $stream->write($bytes => sub { _reset($_[0]) });
                return;
            }

            $stream->write($bytes);
        });
    });

    return;
}


sub _reset {
    my ($stream) = @_;

    my $handle = $stream->handle or return;

    setsockopt $handle, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
    $stream->close;

    return;
}


1;
