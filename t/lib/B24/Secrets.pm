package B24::Secrets;

# What must not be in a log: webhooks' codes, cookies, passwords, and the
# buyers' names, phones, e-mails, addresses and words that a test file has
# sent.  B24::Client tells of everything that it sends, B24::Test of requests
# of blocks and of configurations; B24::Test looks through the logs after each
# server.
#
#   B24::Secrets::note(email => 'a@example.com');      # by hand
#   my @found = B24::Secrets::look_through($path);
#   my @found = B24::Secrets::in_text($bytes);         # metrics, pages
#
# A log is read as it lies there, with what is escaped put back before: %XX
# (once and twice), \uXXXX, \xXX, &#NNN;, "+" for a blank.  A value is looked
# for in UTF-8 and in windows-1251, phones by their last ten digits.
#
# What a line may hold:
#
#   info and above   nothing.  Where nginx tells of a request by itself
#                    ("upstream prematurely closed ..."), it adds client,
#                    request line, host and referrer; this ending is its own,
#                    there without the module as well, and left out.  A line
#                    of ours has no such excuse
#   debug            nothing in a line of ours or of our subrequest, and
#                    nothing in any other, unless it is one of those by which
#                    nginx tells of the traffic (@OWN below)
#   access log       what the log's format says of the request line and the
#                    referrer; nothing else

use strict;
use warnings;

use B24::Recording ();
use Encode ();
use JSON::PP ();

use constant {
    A_CONNECTION => 64 * 1024,         # of what is sent, read for values
    A_FILE       => 4 * 1024 * 1024,
    A_CHUNK      => 1024 * 1024,       # of a log, at once
    SHORTEST     => 5,                 # bytes
    DIGITS       => 10,                # of a phone
};

# Debug lines by which nginx tells of the traffic, with the module and
# without: "*N " is cut off before.
our @OWN = (
    qr/http (?:request line|uri|args|exten|header): "/,
    qr/http (?:proxy|fastcgi|uwsgi|scgi) (?:header|param): ?"?/,
    qr/(?:fastcgi|uwsgi|scgi) param: "/,
    qr/http (?:filename|header filter|output header)/,
    qr/http (?:finalize request|run request|copy filter|output filter)/,
    qr/http posted request/,            # of a buyer who has gone
    qr/http postpone filter/,
    qr/http (?:upstream|proxy|fastcgi) request: "/,
    qr/http upstream (?:check|send|process|request|dummy|finalize)/,
    qr/http terminate request|http cacheable|http set discard body/,
    qr/http2 (?:header|output header|pseudo-header|:path|table)/,
    qr/http2 (?:http header|indexed|get indexed|add header|hpack)/,
    qr/http special response|internal redirect|http lingering/,
    qr/(?:using|test) (?:configuration|location)|http reading blocked/,
    qr{HTTP/1\.[01] \d},                # the head of the answer
    qr{(?:http proxy|fastcgi) header:?$},
);

my $own = do { my $any = join '|', @OWN; qr/^(?:$any)/ };

# names of fields whose values are a person's
my $personal = qr/(?:^|_)(?:name|fio|phone|tel|telephone|mobile|e?mail
                  |addr|address|address_?[12]|street|city|zip|postcode|comment
                  |comments|note|notes|order_comments|customer_note|company
                  |pass|passwd|password|token|nonce|sessid|session|card
                  |cvv|birthday|user_?name|login)$
                  |^(?:first|last|second|full|middle)_?name$
                  |(?:first|last|second|full)name$
                  |^order_prop_\d+$/xi;

# what is bought and where it goes by post is nobody's
my $goods = qr{(?:^|/)(?:items|products?|goods|cart|basket|rows)(?:/|$)}i;

my %known;                              # canonical value => kind
my $pattern;
my $out;
my $written = 0;
my $connections = 0;
my $folder;


sub folder {
    ($folder) = @_;
}


# ---- values --------------------------------------------------------------

# As it would stand in a log after canonical().
sub note {
    my ($kind, $value) = @_;

    return if !defined $value || ref $value;

    $value = Encode::encode_utf8($value) if utf8::is_utf8($value);

    for my $form (forms($kind, $value)) {

        # "0000000000" stands in many an address
        next if length $form < SHORTEST || $form =~ /^(.)\1*$/s
                || exists $known{$form};

        $known{$form} = $kind;
        undef $pattern;
    }
}

sub forms {
    my ($kind, $value) = @_;

    my $text = eval { Encode::decode('UTF-8', $value, Encode::FB_CROAK()
                                     | Encode::LEAVE_SRC()) };

    # sent in windows-1251
    $text //= Encode::decode('cp1251', $value);

    # names by the word; short ones and such in small letters are words of
    # every language
    my @texts = ($text, $kind !~ /name|fio/ ? () :
                 grep { length >= 4 && /^\p{Lu}/ && !/^[A-Za-z]{1,5}$/ }
                 split /[^\w'-]+/, $text);
    my @forms = ($value, map { (Encode::encode_utf8($_),
                                Encode::encode('cp1251', $_)) } @texts);

    push @forms, lc $value if $kind =~ /mail/;

    if ($kind =~ /phone|tel|mobile|prop/ || looks_like_phone($value)) {
        (my $digits = $value) =~ s/\D+//g;
        push @forms, substr $digits, -DIGITS if length $digits >= DIGITS;
    }

    return map { canonical($_) } @forms;
}

sub looks_like_phone {
    my ($value) = @_;

    return $value =~ /^\s*(?:\+|8|7)[\d\s()-]{9,20}$/
           && ($value =~ tr/0-9//) >= DIGITS;
}

# Puts back what is escaped.
sub canonical {
    my ($bytes) = @_;

    $bytes =~ s/\\x([0-9A-Fa-f]{2})/byte($1)/ge if index($bytes, '\x') >= 0;

    for (1, 2) {
        last if index($bytes, '%') < 0;
        $bytes =~ s/%([0-9A-Fa-f]{2})/byte($1)/ge;
    }

    $bytes =~ s/\\u(?i:d[89ab])([0-9a-f]{2})\\u(?i:d[c-f])[0-9a-f]{2}/?/gi,
    $bytes =~ s/\\u([0-9A-Fa-f]{4})/Encode::encode_utf8(chr hex $1)/ge
        if index($bytes, '\u') >= 0;

    if (index($bytes, '&') >= 0) {
        $bytes =~ s/&#(\d{1,6});/Encode::encode_utf8(chr $1)/ge;
        $bytes =~ s/&#x([0-9A-Fa-f]{1,5});/Encode::encode_utf8(chr hex $1)/ge;
        $bytes =~ s/&quot;/"/g;
        $bytes =~ s/&(?:amp|lt|gt);/?/g;
    }

    $bytes =~ s{\\(["\\/])}{$1}g if index($bytes, '\\') >= 0;
    $bytes =~ tr/+/ /;

    return $bytes;
}

# The end of a line that was escaped doesn't end the line it stands in.
sub byte {
    my ($hex) = @_;

    return hex $hex < 0x20 ? ' ' : chr hex $hex;
}

sub pattern {
    if (!$pattern) {
        my $any = join '|', map { quotemeta } sort keys %known;
        $pattern = %known ? qr/($any)/ : qr/(?!)()/;
    }

    return $pattern;
}

# Values that are noted, and all of them forgotten: for tests of this.
sub known {
    return %known;
}

sub forget {
    %known = ();
    undef $pattern;
}


# ---- where they come from ------------------------------------------------

# Bytes that a client sends, in pieces; each process has a file of its own, as
# clients may be in children of the test.
sub connection {
    return ++$connections;
}

my %sent;

sub sent {
    my ($connection, $bytes) = @_;

    return if !defined $folder;

    my $room = A_CONNECTION - ($sent{$connection} // 0);

    $room = A_FILE - $written if $room > A_FILE - $written;
    return if $room <= 0;

    if (!$out || $out->{pid} != $$) {
        open my $file, '>>:raw', "$folder/sent.$$" or return;
        $file->autoflush(1);
        $out = { pid => $$, file => $file };
    }

    my $piece = substr $bytes, 0, $room;

    $sent{$connection} += length $piece;
    $written += length $piece;

    print { $out->{file} } pack('NN', $connection, length $piece), $piece;
}

# Reads what was sent since the last time.
sub take_sent {
    return if !defined $folder;

    for my $path (glob "$folder/sent.*") {
        next if !-s $path;

        my $bytes = B24::Recording::read_file($path);
        my %stream;

        # a child that is still at it goes on at the end
        truncate $path, 0;

        while (length $bytes >= 8) {
            my ($connection, $length) = unpack 'NN', $bytes;
            $stream{$connection} .= substr $bytes, 8, $length;
            substr $bytes, 0, 8 + $length, '';
        }

        note_traffic($_) for values %stream;
    }
}

# Requests one after another, the last one perhaps not whole.
sub note_traffic {
    my ($bytes) = @_;

    while ($bytes =~ s{^.*?^([A-Z]+) (\S+) HTTP/[\d.]+\r?\n}{}ms) {
        my $target = $2;
        my ($head, $body) = B24::Recording::head_and_body($bytes);
        my ($length) = B24::Recording::header_values($head, 'Content-Length');

        $body = substr $body, 0, $length
            if defined $length && $length =~ /^\d+$/;
        $body =~ s/\r\n[0-9A-Fa-f]+\r\n//g
            if $head =~ /^Transfer-Encoding:.*chunked/mi;

        note_request($target, $head, $body);
        $bytes = substr $bytes, length($head)
                                + (defined $length ? length $body : 0);
    }
}

sub note_request {
    my ($target, $head, $body) = @_;

    note_fields($1) if $target =~ /\?(.*)/s;
    note_cookies(B24::Recording::header_values($head, 'Cookie'));
    note(authorization => $_)
        for B24::Recording::header_values($head, 'Authorization');
    note_body($body);
}

sub note_cookies {
    for my $pair (map { split /;\s*/ } @_) {
        my ($name, $value) = split /=/, $pair, 2;

        note("cookie $name" => $value)
            if defined $value && length $value >= 6;
    }
}

sub note_body {
    my ($body) = @_;

    return if length $body < SHORTEST;

    if ($body =~ /^\s*[\[\{]/) {
        my $tree = eval { JSON::PP->new->utf8->decode($body) };
        note_tree($tree, '') if ref $tree;

    } elsif ($body =~ /^--/) {
        while ($body =~ /;\s*name="([^"]*)"(?:[^\r\n]*)\r\n
                         (?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--/gsx) {
            note_field($1, $2);
        }

    } else {
        note_fields($body);
    }
}

sub note_fields {
    for my $pair (split /[&;]/, $_[0]) {
        my ($name, $value) = map { s/%([0-9A-Fa-f]{2})/chr hex $1/ger }
                             map { tr/+/ /r } split /=/, $pair, 2;

        note_field($name, $value) if defined $value;
    }
}

sub note_tree {
    my ($node, $path) = @_;

    if (ref $node eq 'HASH') {
        note_tree($node->{$_}, "$path/$_") for keys %$node;

    } elsif (ref $node eq 'ARRAY') {
        note_tree($node->[$_], "$path/$_") for 0 .. $#$node;

    } elsif (defined $node && !ref $node) {
        note_field($path, Encode::encode_utf8("$node"));
    }
}

# Name: with brackets or slashes.
sub note_field {
    my ($name, $value) = @_;

    return if length $value > 2000;

    (my $path = $name) =~ s{[\[\]]+}{/}g;
    my ($last) = $path =~ m{([^/]*)/*$};

    if ($value =~ /^[^\s@]+@[^\s@]+\.[^\s@]+$/) {
        note(email => $value);

    } elsif (looks_like_phone($value)) {
        note(phone => $value);

    } elsif ($last =~ $personal && $path !~ $goods && $value !~ /^[\d.]+$/) {
        note($last => $value);
    }
}

# Codes of webhooks, passwords of databases, tokens.
sub note_config {
    my ($text) = @_;

    note(webhook => $_) for $text =~ m{/rest/\d+/([A-Za-z0-9_-]{6,})}g;
    note(password => $_) for $text =~ m{mysql://[^:/\s]+:([^@\s]+)@}g;
    note(token => $_) for map { grep { !/^file:/ } split }
                          $text =~ /^\s*b24_events\s+([^;{]+);/mg;
}

# What a block of Test::Nginx sends: a text or a list, evaluated or not.
sub note_block {
    my ($block) = @_;

    for my $section (qw(request raw_request pipelined_requests)) {
        for my $text (flat(scalar $block->$section)) {
            my ($first, $rest) = split /\n/, $text, 2;

            note_traffic($text);
            note_fields($1) if $first =~ /\?(\S*)/;
            note_body($rest) if defined $rest;
        }
    }

    for my $text (flat(scalar $block->more_headers)) {
        note_cookies(B24::Recording::header_values($text, 'Cookie'));
    }

    note_config($_) for map { flat($_) } scalar $block->config,
                        scalar $block->http_config, scalar $block->user_files;
}

sub flat {
    return map { ref $_ eq 'ARRAY' ? flat(@$_)
                 : ref $_ eq 'HASH' ? flat(values %$_)
                 : ref $_ || !defined $_ ? () : $_ } @_;
}


# ---- logs ----------------------------------------------------------------

# Lines of a file that should not be, each "KIND: LINE".
sub look_through {
    my ($path) = @_;

    my @found;
    my $before = '';

    each_entry($path, sub {
        my ($entry, $value) = @_;

        return if @found >= 40 || $entry eq $before
                  || !is_leak($entry, $value);

        $before = $entry;
        push @found, "$known{$value}: " . shortened($entry, $value);
    });

    return @found;
}

# How often each value stands in which kind of entry: { "VALUE in ENTRY" =>
# times }, without what differs from run to run: numbers, addresses in memory,
# the server's folder.
sub occurrences {
    my ($path) = @_;

    my %times;
    (my $folder = $path) =~ s{/logs/[^/]*$}{};

    each_entry($path, sub {
        my ($entry, $value) = @_;

        $entry =~ s/\Q$folder\E/FOLDER/g;

        my ($message) = $entry =~ m{^\S+ \S+ (\[\w+\] \S+: .*)}s;
        my $at = index $entry, $value;
        my $begin = rindex($entry, "\n", $at) + 1;

        # of the head of an answer its first line, and the one with the value
        my $kind = substr($message // $entry, 0, 60) . ' / '
                   . substr $entry, $begin, $at - $begin;

        $kind =~ s/\b(?=[0-9A-F]*\d)[0-9A-F]{8,}\b|\d+/#/g;
        $times{"$value in $kind"}++;
    });

    return \%times;
}

# Calls back with each entry of a log in which a value is, and the value; an
# entry with several comes again.
sub each_entry {
    my ($path, $callback) = @_;

    open my $in, '<:raw', $path or return;

    my $carry = '';

    while (1) {
        my $n = read $in, my $chunk, A_CHUNK;

        $chunk = $carry . ($chunk // '');

        # up to the beginning of the last entry
        my $end = $n ? last_entry($chunk) : length $chunk;

        $carry = substr $chunk, $end, length $chunk, '';
        in_chunk($chunk, $callback) if length $chunk;
        last if !$n;
    }
}

# Where it begins; 0: not here.
sub last_entry {
    my ($text) = @_;

    my $end = length $text;

    while ($end > 0) {
        $end = rindex $text, "\n", $end - 1;
        return 0 if $end < 0;
        return $end + 1 if substr($text, $end + 1, 5) =~ m{^\d{4}/};
    }

    return 0;
}

sub in_chunk {
    my ($chunk, $callback) = @_;

    my $plain = canonical($chunk);
    my $any = pattern();
    my $lines = $plain !~ m{^\d{4}/};

    while ($plain =~ /$any/g) {
        my ($value, $at) = ($1, $-[0]);
        my $begin = rindex($plain, "\n", $at) + 1;

        # those of an error log may go on over several lines
        while (!$lines && $begin > 0 && substr($plain, $begin, 5) !~ m{^\d{4}/}) {
            my $before = rindex($plain, "\n", $begin - 2) + 1;
            last if $before < $at - 65536;
            $begin = $before;
        }

        my $end = index $plain, "\n", $at;
        $end = length $plain if $end < 0;

        $callback->(substr($plain, $begin, $end - $begin), $value);
    }
}

sub shortened {
    my ($line, $value) = @_;

    $line =~ s/[\r\n]+/ /g;

    return $line if length $line <= 600;

    my $at = index $line, $value;

    return substr($line, 0, 200) . ' ... '
           . substr $line, $at > 100 ? $at - 100 : 0, 300;
}

# Whether the entry may not hold the value.
sub is_leak {
    my ($line, $value) = @_;

    # in a file, or as nginx prints it at start
    my ($level, $message) = $line =~
        m{^(?:nginx:|\d+/\d+/\d+ \d+:\d+:\d+) \[(\w+)\] (.*)}s;

    return access_leak($line, $value) if !defined $level;

    $message =~ s/^\d+\#\d+: (?:\*\d+ )?//;

    return 1 if is_ours($message);
    return $message !~ $own if $level eq 'debug';

    # nginx's own words about the request
    $message =~ s/, client: .*//s;

    return index($message, $value) >= 0;
}

# Our subrequest's address is "/b24" and nothing more.
sub is_ours {
    my ($message) = @_;

    return $message =~ /^b24: |\bb24_|"\/b24\?"/;
}

sub access_leak {
    my ($line, $value) = @_;

    # broken ones are no more than a piece of text
    $line =~ s{"[A-Z]+ [^"]* HTTP/[\d.]+"}{}g;
    $line =~ s{^\S+ - \S+ \[[^\]]*\] ".*" \d{3} \d+ }{};
    $line =~ s{(?<![^\s"])(?:https?:/)?/[^\s"]*}{}g;

    return index($line, $value) >= 0;
}

# Anything: what metrics or a page say.
sub in_text {
    my ($bytes) = @_;

    my $plain = canonical($bytes);
    my $any = pattern();
    my %found;

    $found{"$known{$1}: $1"} = 1 while $plain =~ /$any/g;

    return sort keys %found;
}

1;
