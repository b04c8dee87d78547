package B24::Exchanges;

# Recorded exchanges from what a person has: a browser's HAR ("Save all as HAR"),
# a folder as in t/recordings, or single files of it.
#
#   for my $exchange (B24::Exchanges::load(@paths)) { ... }
#
# Each is a hash: name, method, target, headers [[NAME, VALUE]], body, and of
# the answer status (0: none was recorded), reason, answer_headers, answer (as
# it was sent, chunks undone).

use strict;
use warnings;

use B24::Recording qw(head_and_body header_values unchunk);
use File::Basename ();
use JSON::PP ();
use MIME::Base64 ();

# of the connection, not of the message
my $hop = qr/^(?:connection|keep-alive|transfer-encoding|content-length|te
                 |upgrade|proxy-connection|expect)$/xi;


sub load {
    my (@paths) = @_;
    my @found;

    for my $path (@paths) {
        push @found, -d $path ? map({ recorded($_) }
                                    sort glob "\Q$path\E/*.request")
                   : $path =~ /\.har$/i ? har($path)
                   : recorded($path);
    }

    die "no recorded exchange in @paths\n" if !@found;

    return @found;
}

sub recorded {
    my ($path) = @_;

    $path =~ s/\.response$/.request/;
    die "there is no $path\n" if !-f $path;

    my ($line, $headers, $body) = message(B24::Recording::read_file($path));
    my ($method, $target) = $line =~ m{^(\S+) (\S+) HTTP/}
        or die "$path: this is no request: its first line is to be like"
               . " \"POST /checkout HTTP/1.1\"\n";
    my %exchange = (
        name => File::Basename::basename($path, '.request'),
        method => $method, target => $target, headers => $headers,
        body => $body, status => 0, reason => '', answer_headers => [],
        answer => '',
    );

    (my $answer = $path) =~ s/\.request$/.response/;

    if (-f $answer) {
        my ($first, $list, $text) = message(B24::Recording::read_file($answer));

        @exchange{qw(status reason)} = $first =~ m{^HTTP/\S+ (\d{3}) ?(.*)}
            or die "$answer: this is no answer: its first line is to be like"
                   . " \"HTTP/1.1 200 OK\"\n";
        @exchange{qw(answer_headers answer)} = ($list, $text);
    }

    return \%exchange;
}

# First line, headers without those of the connection, body.
sub message {
    my ($bytes) = @_;

    # an editor may have changed the ends of the lines
    $bytes =~ s/\A(.*?)\n\n/($1 =~ s{\n}{\r\n}gr) . "\r\n\r\n"/se
        if $bytes !~ /\A[^\n]*\r\n/;

    my ($head, $body) = head_and_body($bytes);
    my ($line, @lines) = split /\r\n/, $head;

    if (grep { /chunked/i } header_values($head, 'Transfer-Encoding')) {
        my ($whole) = unchunk($body);
        $body = $whole // $body;
    }

    return ($line, [grep { $_->[0] !~ $hop }
                    map { [split /:[ \t]*/, $_, 2] } grep { /:/ } @lines],
            $body);
}

# What a browser saves: texts are decoded and whole.
sub har {
    my ($path) = @_;

    my $har = eval { JSON::PP->new->utf8->decode(
                         B24::Recording::read_file($path)) };

    die "$path: this is no HAR of a browser\n"
        if ref $har ne 'HASH' || ref $har->{log} ne 'HASH';

    my $n = 0;

    return map { har_entry($_, ++$n) } @{$har->{log}{entries} // []};
}

sub har_entry {
    my ($entry, $n) = @_;

    my ($request, $response) = @$entry{qw(request response)};
    my ($host, $target) = ($request->{url} // '')
                          =~ m{^https?://([^/?#]*)([^#]*)} or return;
    my $content = $response->{content} // {};
    my $text = bytes($content->{text});

    $text = MIME::Base64::decode_base64($text)
        if ($content->{encoding} // '') eq 'base64';
    $target = "/$target" if $target !~ m{^/};

    my @headers = har_headers($request->{headers});
    my @answer = grep { $_->[0] !~ /^content-encoding$/i }
                 har_headers($response->{headers});

    unshift @headers, [Host => $host] if !grep { lc $_->[0] eq 'host' } @headers;

    return { name => sprintf('%03d', $n), method => $request->{method},
             target => $target, headers => \@headers,
             body => har_body($request->{postData}),
             status => $response->{status} || 0,
             reason => $response->{statusText} // '',
             answer_headers => \@answer, answer => $text };
}

sub har_headers {
    my ($list) = @_;

    # HTTP/2 has some that begin with a colon
    return grep { $_->[0] !~ $hop && $_->[0] !~ /^:|^accept-encoding$/i
                  && $_->[1] !~ /[\r\n]/ }
           map { [bytes($_->{name}), bytes($_->{value})] } @{$list // []};
}

sub har_body {
    my ($data) = @_;

    return '' if !$data;
    return bytes($data->{text}) if length($data->{text} // '');

    return join '&', map { join '=', escaped($_->{name}),
                           escaped($_->{value} // '') }
                     @{$data->{params} // []};
}

sub escaped {
    return bytes($_[0]) =~ s/([^A-Za-z0-9._-])/sprintf '%%%02X', ord $1/ger;
}

sub bytes {
    my ($text) = @_;

    $text //= '';
    utf8::encode($text);

    return $text;
}

sub header {
    my ($list, $name) = @_;
    my ($found) = grep { lc $_->[0] eq lc $name } @$list;

    return $found ? $found->[1] : '';
}

1;
