package B24::Recording;

# Folders of recorded exchanges (see t/recordings/README.md).
#
#   my $recording = B24::Recording->load('t/recordings/woocommerce-9.9.5');
#   for my $exchange ($recording->exchanges) { ... }
#   $recording->find('126');           # by number, or by whole name, also
#                                      # behind the folder's and a "/"
#
# An exchange is a hash: name, shop (the folder's name), request and response
# (raw bytes; response is undef where it wasn't kept), method, target, body (of
# the request, chunks undone).

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(head_and_body header_values unchunk);


# Header bytes with the empty line, and the rest.
sub head_and_body {
    my ($bytes) = @_;
    my $end = index $bytes, "\r\n\r\n";

    return ($bytes, '') if $end < 0;

    return (substr($bytes, 0, $end + 4), substr($bytes, $end + 4));
}

# All values of a header, in order.
sub header_values {
    my ($head, $name) = @_;

    return $head =~ /^\Q$name\E[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$/mig;
}

# Returns the body and the number of bytes its chunks took, or nothing when
# it isn't whole.  Dies when it is no chunked body.
sub unchunk {
    my ($bytes) = @_;
    my $body = '';

    pos($bytes) = 0;

    while ($bytes =~ /\G([0-9A-Fa-f]+)[^\r\n]*\r\n/gc) {
        my $size = hex $1;

        if ($size == 0) {
            # trailers, if any
            return if $bytes !~ /\G(?:[^\r\n]+\r\n)*\r\n/gc;
            return ($body, pos $bytes);
        }

        return if length($bytes) - pos($bytes) < $size + 2;

        $body .= substr $bytes, pos $bytes, $size;
        pos($bytes) += $size + 2;
    }

    my $rest = substr $bytes, pos($bytes) // 0, 20;

    die "not a chunk: $rest\n" if $rest !~ /^[0-9A-Fa-f]*(?:;.*)?\r?\z/s;

    return;
}

sub read_file {
    my ($path) = @_;

    open my $in, '<:raw', $path or die "cannot open $path: $!\n";
    local $/;

    return scalar <$in>;
}

sub load {
    my ($class, @folders) = @_;
    my @exchanges;

    for my $path (map { glob "$_/*.request" } @folders) {
        my ($shop, $name) = $path =~ m{([^/]+)/([^/]+)\.request$};
        my $request = read_file($path);
        my ($head, $body) = head_and_body($request);
        my ($method, $target) = $head =~ /^(\S+) (\S+) HTTP/
            or die "$path: no request line\n";

        if (grep { lc eq 'chunked' } header_values($head,
                                                   'Transfer-Encoding'))
        {
            ($body) = unchunk($body);
        }

        (my $answer = $path) =~ s/\.request$/.response/;

        push @exchanges, {
            name => $name, shop => $shop, method => $method, target => $target,
            request => $request, body => $body,
            response => -e $answer ? read_file($answer) : undef,
        };
    }

    die "no recorded exchange in @folders\n" if !@exchanges;

    return bless { exchanges => \@exchanges }, $class;
}

sub exchanges {
    my ($self) = @_;

    return @{$self->{exchanges}};
}

sub find {
    my ($self, $name) = @_;

    for my $exchange ($self->exchanges) {
        return $exchange if $exchange->{name} eq $name
                            || "$exchange->{shop}/$exchange->{name}" eq $name
                            || $exchange->{name} =~ /^\Q$name\E-/;
    }

    return undef;
}

1;
