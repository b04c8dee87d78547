package B24::Http2;

# A client of HTTP/2 without TLS, frame by frame, for what curl never does:
# streams that interleave, that are reset, whose lengths lie.
#
#   my $client = B24::Http2->new(port => 8080);
#   my $stream = $client->open(POST => '/order', 'content-type' => 'text/x');
#   $client->data($stream, 'bytes', end => 1);
#   my $answer = $client->response($stream);     # body; reset: its code
#
# Header names and values are shorter than 16 KiB; answers' headers are not
# decoded.  Waits are bounded as those of B24::Client.

use strict;
use warnings;

use B24::Client;

# types and flags of frames
use constant {
    DATA       => 0,
    HEADERS    => 1,
    RST_STREAM => 3,
    SETTINGS   => 4,
    PING       => 6,
    GOAWAY     => 7,
    END_STREAM => 1,
    ACK        => 1,
    END_HEADERS => 4,
    CANCEL     => 8,
};


sub new {
    my ($class, %option) = @_;

    my $self = bless {
        client => B24::Client->new(%option), next => 1, streams => {},
    }, $class;

    $self->{client}->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    $self->frame(SETTINGS, 0, 0, '');

    return $self;
}

sub frame {
    my ($self, $type, $flags, $stream, $payload) = @_;

    $self->{client}->send(substr(pack('N', length $payload), 1)
                          . pack('CCN', $type, $flags, $stream) . $payload);
}

# A string of HPACK as it is, without the code of Huffman.
sub string {
    my ($text) = @_;

    my $rest = length($text) - 127;

    return pack('C', length $text) . $text if $rest < 0;

    my $length = "\x7f";

    for (; $rest >= 128; $rest >>= 7) {
        $length .= pack 'C', 128 | $rest & 127;
    }

    return $length . pack('C', $rest) . $text;
}

# Begins a request; options among the headers: `end` (1: there is no body).
sub open {
    my ($self, $method, $path, @headers) = @_;

    my $stream = $self->{next};
    my $end = 0;
    my @fields = (':method' => $method, ':scheme' => 'http',
                  ':path' => $path, ':authority' => 'localhost');

    while (my ($name, $value) = splice @headers, 0, 2) {
        $name eq 'end' ? ($end = $value) : push @fields, $name, $value;
    }

    my $block = '';

    while (my ($name, $value) = splice @fields, 0, 2) {
        $block .= "\0" . string($name) . string($value);
    }

    $self->{next} += 2;
    $self->{streams}{$stream} = { body => '', ended => 0 };
    $self->frame(HEADERS, END_HEADERS | ($end ? END_STREAM : 0), $stream,
                 $block);

    return $stream;
}

sub data {
    my ($self, $stream, $bytes, %option) = @_;

    $self->frame(DATA, $option{end} ? END_STREAM : 0, $stream, $bytes);
}

# The whole request at once.
sub request {
    my ($self, $method, $path, $body, @headers) = @_;

    my $stream = $self->open($method, $path, @headers);

    $self->data($stream, $body, end => 1);

    return $stream;
}

sub reset {
    my ($self, $stream) = @_;

    $self->frame(RST_STREAM, 0, $stream, pack 'N', CANCEL);
}

# Takes one frame; false at the end of the connection.
sub take {
    my ($self) = @_;

    my $buffer = \$self->{client}{buffer};

    while (length $$buffer < 9
           || length $$buffer < 9 + unpack('N', "\0$$buffer"))
    {
        return 0 if !$self->{client}->more;
    }

    my ($type, $flags, $id) = unpack 'x3CCN', $$buffer;
    my $payload = substr $$buffer, 9, unpack('N', "\0$$buffer");

    substr $$buffer, 0, 9 + length $payload, '';

    my $stream = $self->{streams}{$id & 0x7fffffff};

    if ($type == DATA && $stream) {
        $stream->{body} .= $payload;

    } elsif ($type == RST_STREAM && $stream) {
        $stream->{reset} = unpack 'N', $payload;
        $stream->{ended} = 1;

    } elsif ($type == SETTINGS && !($flags & ACK)) {
        $self->frame(SETTINGS, ACK, 0, '');

    } elsif ($type == PING && !($flags & ACK)) {
        $self->frame(PING, ACK, 0, $payload);
    }

    $stream->{ended} = 1 if $stream && ($type == DATA || $type == HEADERS)
                            && $flags & END_STREAM;

    return 1;
}

sub response {
    my ($self, $stream) = @_;

    my $answer = $self->{streams}{$stream};

    while (!$answer->{ended}) {
        $self->take or die "the connection ended before an answer\n";
    }

    return $answer;
}

sub close {
    my ($self) = @_;

    $self->{client}->close;
}

1;
