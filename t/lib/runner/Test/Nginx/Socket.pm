package Test::Nginx::Socket;

# The client side of the test runner: turns the request sections of a block
# into bytes, sends them to the nginx which Test::Nginx::Util has started,
# and compares the answer and the logs with the other sections.
#
# Sections, functions, and the number of subtests of each section are those
# of the Test::Nginx distribution; see Test::Nginx::Util.

use v5.10.1;
use strict;
use warnings;

use Test::Base -base;

use Errno qw(EAGAIN);
use File::Temp ();
use HTTP::Response;
use IO::Select;
use IO::Socket::INET;
use Test::LongString;
use Time::HiRes qw(sleep);

use Test::Nginx::Util;

our $VERSION = '0.33';

our @EXPORT = qw(
    add_block_preprocessor add_cleanup_handler add_response_body_check
    add_test_cleanup_handler bail_out check_accum_error_log config_preamble
    env_to_nginx html_dir is_str log_level master_off master_on
    master_process_enabled no_long_string no_nginx_manager no_root_location
    no_shuffle plan repeat_each run_tests server_addr server_name
    server_port server_port_for_client server_root timeout use_hup
    worker_connections workers
);

our @ResponseBodyChecks;

$RunTestHelper = \&run_test_helper;
$CheckErrorLog = \&check_error_log;
$CheckShutdownErrorLog = \&check_shutdown_error_log;

# Something broken enough to make the number of subtests meaningless.
sub fail_extra {
    my ($label) = @_;

    Test::More->builder->no_ending(1);
    fail($label);
}

# A function called ($block, $body, $request, $repeat, $dry_run) for each
# answer after its body was checked.
sub add_response_body_check ($) {
    push @ResponseBodyChecks, shift;
}


# ---- requests ------------------------------------------------------------

# Takes "METHOD [URL [VERSION]]" and the rest, which is the body.
sub parse_request {
    my ($name, $text) = @_;

    my ($line, $body) = $text =~ /\A([^\n]*\n?)(.*)\z/s;

    if ($line eq '') {
        bail_out("$name - Request line should be non-empty");
    }

    if ($line !~ /^\s*(\S+) *(?:(\S+) *)?(?:(\S+) *)?\s*$/) {
        bail_out("$name - Request line is not valid. Should be 'meth [url"
                 . " [version]]' but got \"$line\".");
    }

    return { method => $1, url => $2 // '/', version => $3 // 'HTTP/1.1',
             line => $line, body => $body };
}

# The lines of --- more_headers, and whether they announce chunks.
sub parse_more_headers {
    my ($text) = @_;

    my $headers = '';
    my $chunked = 0;

    for my $line (split /\n+/, $text) {
        next if $line =~ /^\s*#/;

        my ($key, $value) = split /:\s*/, $line, 2;

        $value //= '';
        $chunked = 1 if lc $key eq 'transfer-encoding'
                        && $value eq 'chunked';
        $headers .= "$key: $value\r\n";
    }

    return ($headers, $chunked);
}

# Completes a request that is given as packets: a request line and headers
# in place of its first line, Content-Length for its body.  The bounds of
# the packets stay where they were in the line and in the body.
sub complete_request {
    my ($name, $more_headers, $connection, @packets) = @_;

    my ($extra, $chunked) = parse_more_headers($more_headers);
    my $request = parse_request($name, join '', @packets);
    my $body = $request->{body};
    my $length = '';

    if (!$chunked && $body ne ''
        && $extra !~ /(?:^|\n)Content-Length:/)
    {
        $body =~ s/^\s+//;
        $body =~ s/\s+$//;
        $length = 'Content-Length: ' . length($body) . "\r\n";
    }

    my $start = "$request->{method} $request->{url}";
    my $head = "$start $request->{version}\r\n";

    $head .= "Host: $ServerName\r\n" if $extra !~ /^Host:/mi;
    $head .= "Connection: $connection\r\n" if $extra !~ /^Connection/mi;
    $head .= "$extra$length\r\n";

    my $whole = $head . $body;
    my $line_length = length $request->{line};
    my ($was, $sent, @result) = (0, 0);

    while (@packets) {
        $was += length shift @packets;

        # an offset in the text of the block as one in the real request
        my $end = !@packets           ? length $whole
                : $was < $line_length ? min_of($was, length $start)
                : min_of(length($head) + $was - $line_length, length $whole);

        push @result, substr $whole, $sent, $end - $sent;
        $sent = $end;
    }

    return @result;
}

sub min_of {
    my ($x, $y) = @_;

    return $x < $y ? $x : $y;
}

sub headers_for {
    my ($block, $index, $what) = @_;

    my $headers = $block->more_headers || '';

    return $headers if ref $headers ne 'ARRAY';

    return $headers->[$index]
        // bail_out("--- more_headers lacks data for the $what");
}

# One element of a request list: a string, or packets which are strings or
# { value, delay_before }.
sub packets_of {
    my ($block, $request, $index) = @_;

    my $name = $block->name;
    my $headers = headers_for($block, $index, "${index}th request");

    if (!ref $request) {
        return [ { value => complete_request($name, $headers, 'close',
                                             $request) } ];
    }

    if (ref $request ne 'ARRAY') {
        bail_out("$name - Invalid syntax. $request should be a string or an"
                 . ' array of packets.');
    }

    my @texts;

    for my $packet (@$request) {
        if (ref $packet && ref $packet ne 'HASH') {
            bail_out("$name - Invalid syntax. $packet should be a string or"
                     . ' hash with value.');
        }

        push @texts, ref $packet ? $packet->{value} : $packet;
    }

    my @done = complete_request($name, $headers, 'close', @texts);

    return [ map { my $packet = $request->[$_];
                   +{ ref $packet ? %$packet : (), value => $done[$_] } }
                 0 .. $#done ];
}

sub pipelined_bytes {
    my ($block) = @_;

    my $name = $block->name;
    my $requests = $block->pipelined_requests;

    if (ref $requests ne 'ARRAY') {
        bail_out("$name - invalid entries in --- pipelined_requests");
    }

    my $bytes = '';

    for my $i (0 .. $#$requests) {
        my $text = expand_env_in_text($requests->[$i], $name,
                                      $Test::Nginx::Util::RandPorts);

        ($text) = complete_request($name,
            headers_for($block, $i, "$i pipelined request"),
            $i == $#$requests ? 'close' : 'keep-alive', $text);
        $bytes .= $text;
    }

    return $bytes;
}

# All requests of a block; each is a list of packets and goes over a
# connection of its own.
sub get_req_from_block ($) {
    my ($block) = @_;

    my $name = $block->name;

    if (defined(my $raw = $block->raw_request)) {
        return [ [ map { +{ value => $_ } }
                       ref $raw eq 'ARRAY' ? @$raw : $raw ] ];
    }

    if ($block->pipelined_requests) {
        return [ [ { value => pipelined_bytes($block) } ] ];
    }

    my $request = $block->request // '';

    if (!ref $request) {
        # comments and blank lines may stand before the request line
        1 while $request =~ s/\A(?:\s*#[^\n]+\s+|\s+)//;

        return [ packets_of($block, $request, 0) ];
    }

    if (ref $request ne 'ARRAY') {
        bail_out("$name - invalid ---request : MUST be string or array of"
                 . ' requests');
    }

    return [ map { packets_of($block, $request->[$_], $_) }
                 0 .. $#$request ];
}


# ---- sending -------------------------------------------------------------

sub connect_to_server {
    my ($block, $timeout) = @_;

    my $addr = $block->server_addr_for_client // $ServerAddr;

    # nginx may still be on its way up
    for my $try (1 .. 50) {
        my $socket = IO::Socket::INET->new(PeerAddr => $addr,
            PeerPort => $ServerPortForClient, Proto => 'tcp',
            Blocking => 0, Timeout => $timeout);

        return $socket if $socket;

        sleep $try < 10 ? 0.02 * $try : 0.2;
    }

    fail_extra($block->name . " - Can't connect to"
               . " $addr:$ServerPortForClient: $! (aborted)");

    return undef;
}

# Writes what the socket takes.  Returns undef when nothing more can be
# sent, 1 when it would block, 2 when everything is sent.
sub write_some {
    my ($ctx) = @_;

    while (1) {
        my $packet = $ctx->{packets}[0] // return 2;

        if (!$packet->{begun}++) {
            my $delay = $packet->{delay};
            sleep $delay if $delay;
        }

        while ($packet->{offset} < length $packet->{value}) {
            my $sent = syswrite $ctx->{socket}, $packet->{value},
                       length($packet->{value}) - $packet->{offset},
                       $packet->{offset};

            if (!defined $sent) {
                return 1 if $! == EAGAIN;

                warn "write failed: $!\n";
                $ctx->{answer} = "write failed: $!" if $ctx->{answer} eq '';
                return undef;
            }

            $packet->{offset} += $sent;
        }

        shift @{$ctx->{packets}};
    }
}

# Reads what is there; false when the connection is at its end.
sub read_some {
    my ($ctx) = @_;

    while (1) {
        my $got = sysread $ctx->{socket}, my $data, 65536;

        if (!defined $got) {
            return 1 if $! == EAGAIN;

            warn "WARNING: $ctx->{name} - HTTP response read failure: $!";
            return 0;
        }

        return 0 if $got == 0;

        $ctx->{answer} .= $data;
    }
}

sub half_close {
    my ($block, $socket) = @_;

    my $how = $block->shutdown;

    return if !defined $how;

    shutdown $socket, $how =~ /^$/ ? 1 : $how;
}

# Sends the packets and reads until the server closes, or nothing moves for
# $timeout seconds.
sub exchange {
    my ($block, $packets, $timeout) = @_;

    my $socket = connect_to_server($block, $timeout) // return '';
    my $middle = $block->raw_request_middle_delay;
    my $first = 1;

    my $ctx = { socket => $socket, name => $block->name, answer => '',
                packets => [ map { +{ value => $_->{value}, offset => 0,
                                     delay => $first-- > 0 ? 0
                                              : $_->{delay_before}
                                                // $middle } }
                                 @$packets ] };

    my $reading = IO::Select->new($socket);
    my $writing = IO::Select->new($socket);

    local $SIG{PIPE} = 'IGNORE';

    while (1) {
        my ($readable, $writable)
            = IO::Select->select($reading, $writing, undef, $timeout);

        if (!defined $readable) {
            fail_extra("ERROR: client socket timed out - $ctx->{name}\n")
                if !defined scalar $block->abort;
            last;
        }

        last if @$readable && !read_some($ctx);
        next if !@$writable;

        my $rc = write_some($ctx) // last;

        if ($rc == 2) {
            half_close($block, $socket);
            $writing->remove($socket);
        }
    }

    close $socket;

    return $ctx->{answer};
}

# HTTP/2 goes through curl, which knows the server's protocol beforehand.
sub exchange_by_curl {
    my ($block, $bytes, $timeout) = @_;

    my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
    my ($line, @headers) = split /\r\n/, $head;
    my ($method, $url) = split / /, $line;
    my $addr = $block->server_addr_for_client // $ServerAddr;

    my @command = ('curl', '-i', '-sS', '--http2-prior-knowledge',
                   '--max-time', $timeout,
                   map { ('-H', $_) } 'User-Agent:', 'Accept:',
                       grep { !/^Connection\s*:/i } @headers);

    push @command, $method eq 'HEAD' ? '-I' : ('-X', $method);

    my $file = File::Temp->new;

    if (length $body) {
        print $file $body;
        $file->flush;
        push @command, '-H', 'Content-Type:'
            if !grep { /^Content-Type\s*:/i } @headers;
        push @command, '--data-binary', "\@$file";
    }

    push @command, split ' ', $block->curl_options // '';

    open my $out, '-|', @command,
         "http://$addr:$ServerPortForClient$url"
        or bail_out($block->name . " - cannot run curl: $!");
    binmode $out;

    local $/;
    my $answer = <$out> // '';
    close $out;

    if ($answer eq '' && !defined scalar $block->curl_error) {
        fail_extra($block->name . ' - curl generates no stdout output');
    }

    return $answer;
}

# Returns the raw answer and whether the request was a HEAD.
sub send_request {
    my ($block, $packets, $timeout) = @_;

    my $bytes = join '', map { $_->{value} } @$packets;
    my $is_head = $bytes =~ /^\s*HEAD\s+/ ? 1 : 0;

    return (use_http2($block)
                ? exchange_by_curl($block, $bytes, $timeout)
                : exchange($block, $packets, $timeout), $is_head);
}


# ---- answers -------------------------------------------------------------

# Undoes chunks.  Returns the body and what follows it, or an error.
sub unchunk {
    my ($raw, @trailers) = @_;

    my $body = '';

    pos($raw) = 0;

    while ($raw =~ /\G[ \t]*([0-9A-Fa-f]+)[ \t]*\r\n/gc) {
        my $size = hex $1;

        if ($size == 0) {
            return ($body, substr $raw, pos $raw)
                if skip_trailers(\$raw, @trailers);

            return (undef, undef, 'invalid trailer data received');
        }

        if (length($raw) - pos($raw) < $size) {
            return (undef, undef, 'invalid chunked data received (not'
                                  . ' enough octets for the data section)');
        }

        $body .= substr $raw, pos $raw, $size;
        pos($raw) += $size;

        if ($raw !~ /\G\r\n/gc) {
            return (undef, undef,
                    'invalid chunked data received (expected CRLF).');
        }
    }

    my $rest = substr $raw, pos $raw;

    return (undef, undef, $rest eq '' ? 'no last chunk found'
                          : "invalid chunked body received: $rest");
}

# Moves past the announced trailers and the empty line that ends a body.
sub skip_trailers {
    my ($raw, @trailers) = @_;

    for my $trailer (@trailers) {
        return 0 if $$raw !~ /\G\Q$trailer\E: [^\n]*\r\n/gc;
    }

    return $$raw =~ /\G\r\n/gc;
}

# Returns the response, its header bytes, and the bytes that follow it.
sub parse_response {
    my ($name, $raw, $is_head) = @_;

    my ($headers) = $raw =~ /\A(.*?\r\n)\r\n/s;
    my $response = HTTP::Response->parse($raw);
    my $code = $response->code;

    $headers //= '';

    if (defined $code && $code !~ /^\d+$/) {
        undef $code;
        $response->code(undef);
    }

    return ($response, $headers)
        if defined $code && ($code == 304 || $code == 101);

    my $body = $response->content // '';
    my $length = $response->header('Content-Length');

    if (($response->header('Transfer-Encoding') // '') eq 'chunked') {
        my ($data, $left, $error)
            = unchunk($body, $response->header('Trailer'));

        if (defined $error) {
            fail_extra("$name - $error");
            return;
        }

        $response->content($data);

        return ($response, $headers, $left);
    }

    return ($response, $headers) if !defined $length || $length !~ /^\d+$/;

    if (length $body < $length) {
        warn "WARNING: $name - response body truncated: $length expected,"
             . ' but got ', length $body, "\n" if !$is_head;

        return ($response, $headers);
    }

    $response->content(substr $body, 0, $length);

    return ($response, $headers, substr $body, $length);
}


# ---- checks of an answer -------------------------------------------------

# The expectation for one of several requests; then it has to be a list.
sub expectation {
    my ($name, $value, $index, $is_list) = @_;

    return ref $value eq 'ARRAY' ? $value->[0] : $value if !$is_list;

    return $value->[$index] if ref $value eq 'ARRAY';

    bail_out("$name - You asked for many requests, the expected results"
             . ' should be arrays as well.');
}

sub with_ports {
    my ($text) = @_;

    return $text if !defined $text;

    $text =~ s/\$ServerPort\b/$ServerPort/g;
    $text =~ s/\$ServerPortForClient\b/$ServerPortForClient/g;

    return $text;
}

sub check_error_code {
    my ($block, $response, $index, $is_list) = @_;

    my $name = $block->name;
    my $code = $response && $response->code || '';

    if (defined(my $like = $block->error_code_like)) {
        $like = expectation($name, $like, $index, $is_list);
        like($code, qr/$like/sm, "$name - status code ok");
        return;
    }

    my $expected = $block->error_code;

    $expected = defined $expected
                ? expectation($name, $expected, $index, $is_list) : 200;

    is($code, $expected, "$name - status code ok");
}

sub check_raw_headers {
    my ($block, $headers, $index, $is_list) = @_;

    my $name = $block->name;

    if (defined(my $pattern = $block->raw_response_headers_like)) {
        $pattern = expectation($name, $pattern, $index, $is_list);
        like($headers, qr/$pattern/s, "$name - raw resp headers like");
    }

    if (defined(my $pattern = $block->raw_response_headers_unlike)) {
        $pattern = expectation($name, $pattern, $index, $is_list);
        unlike($headers, qr/$pattern/s, "$name - raw resp headers unlike");
    }
}

sub check_headers {
    my ($block, $response, $raw, $index, $is_list) = @_;

    my $name = $block->name;
    my $exact = $block->response_headers;
    my $lines = $exact // $block->response_headers_like // return;
    my $expected = parse_headers(expectation($name, $lines, $index,
                                             $is_list));

    for my $header (sort keys %$expected) {
        my $value = $expected->{$header};
        my $got = $response ? $response->header($header) // '' : '';

        if (!defined $exact) {
            like($got, qr/^$value$/, "$name - header $header like ok");

        } elsif (defined $value) {
            is($got, with_ports($value), "$name - header $header ok");

        } else {
            unlike($raw, qr/^\s*\Q$header\E\s*:/m,
                   "$name - header $header not present in the raw headers");
        }
    }
}

sub check_whole_body {
    my ($block, $body, $index, $repeat, $is_list) = @_;

    my $name = $block->name;
    my $label = "(repeated req $repeat, req $index)";
    my $expected = expectation($name, $block->response_body, $index,
                               $is_list);

    if (ref $expected) {
        like($body, $expected, "$name - response_body - like $label");
        return;
    }

    $expected = expand_env_in_text(with_ports($expected), $name,
                                   $Test::Nginx::Util::RandPorts);

    is_str($body, $expected,
           "$name - response_body - response is expected $label");
}

sub check_body {
    my ($block, $response, $index, $repeat, $is_list) = @_;

    my $name = $block->name;
    my $body = $response ? $response->content : undef;
    my $like = $block->response_body_like;
    my $unlike = $block->response_body_unlike;

    if (defined scalar $block->response_body) {
        check_whole_body($block, $body, $index, $repeat, $is_list);

    } elsif (defined $like || defined $unlike) {
        my $pattern = with_ports(expectation($name, $like // $unlike, $index,
                                             $is_list));
        my $summary = trim($body) // '';
        my ($check, $kind) = defined $like ? (\&like, 'like')
                                           : (\&unlike, 'unlike');

        $check->($body, qr/$pattern/s, "$name - response_body_$kind -"
                                       . " response is expected ($summary)");
    }

    for my $check (@ResponseBodyChecks) {
        $check->($block, $body, $index, $repeat, undef);
    }
}


# ---- checks of logs ------------------------------------------------------

# A section of patterns: lines of text, one regex, or a list of both.
sub patterns_of {
    my ($value) = @_;

    return @$value if ref $value eq 'ARRAY';
    return $value if ref $value;

    chomp $value;

    return split /\n+/, $value;
}

sub line_matches {
    my ($line, $pattern) = @_;

    return ref $pattern && $line =~ /$pattern/ || $line =~ /\Q$pattern\E/;
}

sub on_one_line {
    my ($text) = @_;

    chomp $text;
    $text =~ s/"/\\"/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/\n/\\n/g;

    return $text;
}

# Each pattern is one subtest: some line must match.
sub must_match {
    my ($name, $lines, $value, $where) = @_;

    for my $pattern (grep { defined } patterns_of($value)) {
        my $found = grep { line_matches($_, $pattern) } @$lines;

        ok($found, "$name - pattern \"$pattern\" "
                   . ($found ? 'matches' : 'should match')
                   . " a line in $where");
    }
}

# Each pattern is one subtest when no line matches, and one per line that
# does.
sub must_not_match {
    my ($name, $lines, $value, $where) = @_;

    for my $pattern (grep { defined } patterns_of($value)) {
        my @found = grep { line_matches($_, $pattern) } @$lines;
        my $shown = on_one_line($pattern);

        pass("$name - pattern \"$shown\" does not match a line in $where")
            if !@found;

        for my $i (0 .. $#found) {
            Test::More->builder->no_ending(1) if $i > 0;
            fail("$name - pattern \"$shown\" should not match any line in"
                 . " $where but matches line \"" . on_one_line($found[$i])
                 . '"');
        }
    }
}

sub check_access_log {
    my ($block, $repeat) = @_;

    my $name = $block->name;
    my $must = $block->access_log;
    my $must_not = $block->no_access_log;

    return if !defined $must && !defined $must_not;

    my $lines = access_log_data();
    my $where = "access.log (req $repeat)";

    must_match($name, $lines, $must, $where) if defined $must;
    must_not_match($name, $lines, $must_not, $where) if defined $must_not;
}

# All matches of --- grep_error_log, a line each, are one text to compare.
sub check_grep {
    my ($block, $lines, $repeat) = @_;

    my $name = $block->name;
    my $pattern = $block->grep_error_log;
    my $expected = $block->grep_error_log_out;

    $pattern = $pattern->[$repeat] if ref $pattern eq 'ARRAY';

    if (!defined $pattern) {
        return if !defined $expected || defined scalar $block->grep_error_log;

        bail_out("$name - No --- grep_error_log defined but"
                 . ' --- grep_error_log_out is defined');
    }

    if (!defined $expected) {
        bail_out("$name - No --- grep_error_log_out defined but"
                 . ' --- grep_error_log is defined');
    }

    $expected = expand_env_in_text($expected, $name,
                                   $Test::Nginx::Util::RandPorts);
    $expected = $expected->[$repeat] if ref $expected eq 'ARRAY';
    $pattern = qr/\Q$pattern\E/ if !ref $pattern;

    my $found = '';

    for my $line (@$lines) {
        next if $line !~ /($pattern)/;

        my $match = $1;
        $found .= "$match\n" if $match !~ /\n/;
    }

    is_str($found, $expected, "$name - grep_error_log_out (req $repeat)");
}

# Troubles nobody asked about are shown; a failed assertion is a failure.
sub report_troubles {
    my ($block, $lines) = @_;

    my $name = $block->name;
    my $mentioned = join "\n", map { defined $_ ? patterns_of($_) : () }
                                   scalar $block->error_log,
                                   scalar $block->no_error_log;

    for my $line (@$lines) {
        if ($line =~ /\[(alert|crit|emerg)\]/
            && $mentioned !~ /\[$1/)
        {
            warn "WARNING: $name - " . on_one_line($line) . "\n";
        }

        if ($line =~ /\bAssertion .*?failed\b/) {
            chomp $line;
            fail_extra("$name - $line\n");
        }
    }
}

sub check_error_log {
    my ($block, $response, $dry_run, $repeat, $is_list) = @_;

    my $name = $block->name;
    my $must = $block->error_log;
    my $must_not = $block->no_error_log;
    my $where = "error.log (req $repeat)";
    my $lines = error_log_data() // [];

    check_grep($block, $lines, $repeat);
    must_match($name, $lines, $must, $where) if defined $must;
    must_not_match($name, $lines, $must_not, $where) if defined $must_not;
    report_troubles($block, $lines);
}

# The log of a server that has quit; $skip where it goes on instead.
sub check_shutdown_error_log {
    my ($block, $skip) = @_;

    my $name = $block->name;
    my $must = $block->shutdown_error_log;
    my $must_not = $block->no_shutdown_error_log;

    if ($skip) {
        my $count = grep { defined } map { defined $_ ? patterns_of($_) : () }
                                         $must, $must_not;

        SKIP: {
            skip("$name - shutdown_error_log - tests skipped", $count)
                if $count;
        }

        return;
    }

    my $lines = error_log_data() // [];

    must_match($name, $lines, $must, 'error.log') if defined $must;
    must_not_match($name, $lines, $must_not, 'error.log')
        if defined $must_not;
}


# ---- a block -------------------------------------------------------------

# All about one answer of a block.  Returns the bytes after it.
sub check_answer {
    my ($block, $raw, $is_head, $index, $repeat, $is_list) = @_;

    return ($raw) if defined scalar $block->ignore_response;

    my $name = $block->name;
    my ($response, $headers, $left);

    if (defined scalar $block->http09) {
        $response = HTTP::Response->new(200, 'OK', [], $raw);
        $headers = '';

    } else {
        ($response, $headers, $left) = parse_response($name, $raw, $is_head);
        $headers //= '';
    }

    check_error_code($block, $response, $index, $is_list);
    check_raw_headers($block, $headers, $index, $is_list);
    check_headers($block, $response, $headers, $index, $is_list);
    check_body($block, $response, $index, $repeat, $is_list);

    return ($left, $response);
}

sub check_logs {
    my ($block, $response, $repeat, $is_list) = @_;

    sleep $block->wait if $block->wait;

    check_error_log($block, $response, undef, $repeat, $is_list);
    check_access_log($block, $repeat)
        if !defined scalar $block->ignore_response;
}

# Sends the requests of a block one after another; logs are looked at after
# each answer.
sub run_test_helper ($$$) {
    my ($block, $dry_run, $repeat) = @_;

    my $name = $block->name;
    my $requests = get_req_from_block($block);
    my $timeout = parse_time($block->timeout) // timeout();
    my $pipelined = $block->pipelined_requests;
    my $total = $pipelined ? @$pipelined : @$requests;
    my $is_list = $pipelined || @$requests > 1;
    my $index = 0;

    for my $packets (@$requests) {
        my ($raw, $is_head) = send_request($block, $packets, $timeout);

        for (1 .. ($pipelined ? $total : 1)) {
            my ($left, $response) = check_answer($block, $raw // '',
                $is_head, $index, $repeat, $is_list);

            if (!$pipelined && $response && length($left // '')) {
                $left =~ s/([\0-\037\200-\377])/sprintf '\x{%02x}', ord $1/ge;
                warn "WARNING: $name - unexpected extra bytes after last"
                     . " chunk in response: \"$left\"\n";
            }

            $raw = $left;
            $index++;
            check_logs($block, $response, $repeat, $is_list);
        }
    }
}

1;
