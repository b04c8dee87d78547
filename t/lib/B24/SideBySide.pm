package B24::SideBySide;

# The same traffic through two servers: the block's nginx, and a twin with
# the same configuration but without the module.  Whatever differs at the
# sockets, on the shop's side or on the buyer's, but for the Date header, is
# a difference.
#
#   my $pair = B24::SideBySide->new;
#   my @differences = $pair->compare($recording->exchanges);
#   $pair->stop;
#
# The block's configuration has to send everything to the replay upstream's
# first lane (TEST_NGINX_UPSTREAM_PORT_0); the twin's sends it to the second.
# Further ports that servers of the configuration listen on are given to new()
# as `more`, their twins' told by port(1, PORT).  The first lane's port must not show in what the shop gets: use
# "upstream {}" or "proxy_set_header Host".  For compare_pipelined() the
# configuration has "location = /b24-sentinel { return 200 sentinel; }".

use strict;
use warnings;

use B24::Client;
use B24::Recording ();
use B24::Test ();
use File::Path ();
use Time::HiRes qw(sleep time);

use constant {
    SENTINEL => "GET /b24-sentinel HTTP/1.1\r\nHost: sentinel\r\n"
                . "Connection: close\r\n\r\n",
    ONE_READ => 4096,     # nginx's buffer for the beginning of an answer
    START_CAP => 20,
    QUIT_CAP => 15,
    LOG_CAP => 5,
};


# one port is enough for all twins of a file
my $twin_port;
my %twin_more;

sub new {
    my ($class, %option) = @_;

    $twin_port //= B24::Test::free_port();

    my $root = $ENV{TEST_NGINX_SERVROOT};
    my $self = bless {
        folder => "$B24::Test::DIR/twin",
        ports => [ $ENV{TEST_NGINX_CLIENT_PORT}, $twin_port ],
        more => { map { $_ => $twin_more{$_} //= B24::Test::free_port() }
                      @{$option{more} // []} },
        owner => $$,
    }, $class;

    File::Path::remove_tree($self->{folder});
    File::Path::make_path(map { "$self->{folder}/$_" }
                              qw(logs conf html));

    # with their times
    system('cp', '-a', "$root/html/.", "$self->{folder}/html/") == 0
        or die "cannot copy the files for the twin\n";

    $self->write_config("$root/conf/nginx.conf", $root);
    $self->start;

    return $self;
}

# The twin's configuration: the other's, without what concerns the module, in
# another folder, on another port, to another lane.
sub write_config {
    my ($self, $path, $root) = @_;

    my $config = without_module(B24::Recording::read_file($path));
    my ($port, $twin_port) = @{$self->{ports}};
    my @lanes = map { $ENV{"TEST_NGINX_UPSTREAM_PORT_$_"} } 0, 1;

    $config =~ s/\Q$root\E/$self->{folder}/g;
    $config =~ s/\b$port\b/$twin_port/g;
    $config =~ s/\b$lanes[0]\b/$lanes[1]/g;
    $config =~ s/\b$_\b/$self->{more}{$_}/g for keys %{$self->{more}};

    open my $out, '>', "$self->{folder}/conf/nginx.conf"
        or die "cannot write the twin's configuration: $!\n";
    print $out $config;
    close $out or die "cannot write the twin's configuration: $!\n";
}

# Leaves out b24_ directives with their blocks, and the module itself.
sub without_module {
    my ($text) = @_;

    my $char = qr/\\. | \$\{[^}]*\} | [^\s;{}\\]/xs;
    my $token = qr/"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'
                   | (?!["'\#])$char(?:$char)*/xs;
    my $out = '';
    my $skip = 0;      # depth of blocks that are being left out

    pos($text) = 0;

    while (pos($text) < length $text) {
        if ($text =~ /\G(\s+|#[^\n]*)/gc) {
            $out .= $1 if !$skip;

        } elsif ($text =~ /\G\}/gc) {
            $skip ? $skip-- : ($out .= '}');

        } elsif ($text =~ /\G((?:$token(?:\s|\#[^\n]*\n)*)+)([;{])/gc) {
            my ($directive, $end) = ($1, $2);

            # a script, with braces of its own
            if ($directive =~ /^\w+_by_lua_block\s/
                && $text =~ /\G((?:[^{}]|\{(?1)\})*\})/gc)
            {
                $end .= $1;
                $out .= "$directive$end" if !$skip;

            } elsif ($skip || $directive =~ /^b24_|^load_module\s.*b24/s) {
                $skip++ if $end eq '{';

            } else {
                $out .= "$directive$end";
            }

        } else {
            die 'cannot read the configuration at: '
                . substr($text, pos $text, 60) . "\n";
        }
    }

    return $out;
}

sub start {
    my ($self) = @_;

    my $folder = $self->{folder};

    # the binary itself: the twin needs no sanitizer
    system($B24::Test::NGINX, '-e', "$folder/logs/error.log", '-p', "$folder/",
           '-c', "$folder/conf/nginx.conf") == 0
        or die 'the twin does not start: '
               . B24::Recording::read_file("$folder/logs/error.log");

    B24::Test::wait_until(sub { -s "$folder/logs/nginx.pid" }, START_CAP)
        or die "the twin does not start\n";

    ($self->{pid}) = B24::Recording::read_file("$folder/logs/nginx.pid")
                     =~ /(\d+)/;
}

sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;

    kill 'QUIT', $pid;
    return if B24::Test::wait_until(sub {
        return !B24::Test::is_alive($pid)
               && !B24::Test::holders($self->{folder});
    }, QUIT_CAP);

    kill 'KILL', $pid, B24::Test::holders($self->{folder});
}

sub DESTROY {
    my ($self) = @_;

    local ($@, $!, $?);
    $self->stop if $self->{owner} == $$;
}

# Port of a side: 0 with the module, 1 without; or that side's of another one.
sub port {
    my ($self, $side, $of) = @_;

    return defined $of ? ($of, $self->{more}{$of})[$side]
                       : $self->{ports}[$side];
}


# ---- differences ---------------------------------------------------------

# What of an answer can be compared.  Where the chunks of a long answer end
# depends on how much nginx happens to find on each read from the shop, with
# and without any module: those are joined.  An answer that comes in one read
# is compared with its chunks.
sub masked {
    my ($bytes) = @_;

    my ($head, $rest) = B24::Recording::head_and_body($bytes);

    if (length $bytes > ONE_READ
        && grep { lc eq 'chunked' }
                B24::Recording::header_values($head, 'Transfer-Encoding'))
    {
        my ($body, $size) = eval { B24::Recording::unchunk($rest) };

        $bytes = "$head$body(end of chunks)" . substr $rest, $size
            if defined $size;
    }

    # of this answer and of the next one on the connection
    $bytes =~ s/^Date: [^\r\n]*\r\n/Date: ...\r\n/mg;

    # between several ranges stands a number that counts up
    if ($bytes =~ /^Content-Type: multipart\/byteranges; boundary=(\d+)/m) {
        my $boundary = $1;
        $bytes =~ s/$boundary/boundary/g;
    }

    return $bytes;
}

sub readable {
    my ($bytes) = @_;
    my %name = ("\r" => '\r', "\n" => '\n', "\t" => '\t', '\\' => '\\\\');

    $bytes =~ s/([^ -\[\]-~])/$name{$1} \/\/ sprintf '\x%02x', ord $1/ge;

    return $bytes;
}

# Undef when both are equal, else a text that shows where they part.
sub difference {
    my ($what, $with, $without) = @_;

    return undef if $with eq $without;

    # the first byte of the exclusive or that isn't zero
    my $at = ($with ^ $without) =~ /^(\0*)/ ? length $1 : 0;
    my $shorter = length $with < length $without ? length $with
                                                 : length $without;

    $at = $shorter if $at > $shorter;

    my $from = $at > 60 ? $at - 60 : 0;

    return "$what differs at byte $at of " . length($with) . ' (with) and '
           . length($without) . " (without the module)\n"
           . '  before:  ' . readable(substr $with, $from, $at - $from)
           . "\n  with:    " . readable(substr $with, $at, 80)
           . "\n  without: " . readable(substr $without, $at, 80);
}

# What the shop got from both since the last comparison began, in order.
sub upstream_differences {
    my ($self) = @_;

    my $upstream = B24::Test::upstream();
    my @with = $upstream->journal(lane => 0, from => $self->{from});
    my @without = $upstream->journal(lane => 1, from => $self->{from});
    my @differences;

    push @differences, 'the shop got ' . @with . ' requests with, '
                       . @without . ' without the module'
        if @with != @without;

    for my $i (0 .. ($#with < $#without ? $#with : $#without)) {
        next if $with[$i]{sha256} eq $without[$i]{sha256};

        push @differences, difference(
            "what the shop got as request $i ($with[$i]{target})",
            map { $upstream->bytes($_->{number}) } $with[$i], $without[$i]);
    }

    return @differences;
}


# What both have written into a log, but for their folders and ports and the
# numbers of temporary files: the lines of either that the other hasn't.
sub log_differences {
    my ($self, $name) = @_;

    my $lines = sub {
        my ($folder) = @_;
        my $path = "$folder/logs/$name";

        return [] if !-f $path;
        return [map { s{\Q$folder\E}{}gr
                      =~ s{\b(?:127\.0\.0\.1|0\.0\.0\.0|localhost):\K\d{4,}}
                          {PORT}gr
                      =~ s{/\d{10}\b}{/NUMBER}gr }
                # what only one of them is asked by the tests themselves
                grep { !m{/b24-ready } }
                split /^/, B24::Recording::read_file($path)];
    };

    return $self->lines_differ($name, $lines);
}

# Lines are written when a request is over, by whichever worker had it: their
# order says nothing.
sub lines_differ {
    my ($self, $name, $lines) = @_;

    my (@lines, %more);

    B24::Test::wait_until(sub {
        @lines = map { $lines->($_) } $ENV{TEST_NGINX_SERVROOT},
                                      $self->{folder};
        %more = ();
        $more{$_}++ for @{$lines[0]};
        $more{$_}-- for @{$lines[1]};

        return !grep { $_ } values %more;
    }, LOG_CAP);

    return "$name: both have written nothing" if !@{$lines[0]} && !@{$lines[1]};

    return map { "$name, only " . ($more{$_} > 0 ? 'with' : 'without')
                 . ": $_" }
           grep { $more{$_} } sort keys %more;
}


# What both have in their error logs, but for times, processes and ports, what
# the module says itself, and the life of the processes.
sub error_differences {
    my ($self) = @_;

    return $self->lines_differ('error.log', sub {
        my ($folder) = @_;
        my @lines;

        for (split /^/, B24::Recording::read_file("$folder/logs/error.log")) {
            s{^\S+ \S+ (\[\w+\]) \d+#\d+: (?:\*\d+ )?}{$1 } or next;
            next if /^\[(?:debug|notice)\]|^\[\w+\] b24: /;
            next if m{ /b24-ready };

            # whether an end is a reset is the other side's socket's affair
            next if m{recv\(\) failed .* (?:HTTP/2|upgraded) connection,};
            s{\Q$folder\E}{}g;
            s{\b(?:127\.0\.0\.1|0\.0\.0\.0|localhost):\K\d{4,}}{PORT}g;
            s{/\d{10}\b}{/NUMBER}g;
            s{nginx\.conf:\K\d+}{LINE};
            push @lines, $_;
        }

        return \@lines;
    });
}


# ---- comparisons ---------------------------------------------------------

# Every exchange on a connection of its own, with another request behind it:
# the server must go on with it on that connection as it does without the
# module.
sub compare_pipelined {
    my ($self, @exchanges) = @_;

    my @differences;

    $self->{from} = B24::Test::upstream()->rewind;

    for my $exchange (@exchanges) {
        my @got;

        for my $side (0, 1) {
            my $client = B24::Client->new(port => $self->port($side));

            $client->send($exchange->{request} . SENTINEL);
            push @got, masked(eval { $client->until_eof }
                              // die "$exchange->{name}: $@");
        }

        push @differences,
             difference("$exchange->{name}: what the buyer got", @got)
             // ();
    }

    return (@differences, $self->upstream_differences);
}

# All exchanges one after another on one connection per side.
sub compare_keepalive {
    my ($self, @exchanges) = @_;

    my @differences;

    $self->{from} = B24::Test::upstream()->rewind;

    my @clients = map { B24::Client->new(port => $self->port($_)) } 0, 1;

    for my $exchange (@exchanges) {
        my @got;

        for my $client (@clients) {
            $client->send($exchange->{request});
            my $answer = $client->response(
                head => $exchange->{method} eq 'HEAD');
            push @got, masked($answer->{raw});
        }

        my $difference
            = difference("$exchange->{name}: what the buyer got", @got)
              // next;

        push @differences, $difference;
    }

    push @differences, 'one side has closed or sent more after the last'
                       . ' answer'
        if grep { !$_->is_idle } @clients;

    return (@differences, $self->upstream_differences);
}

# Times of the second of two requests on one connection, in seconds: returns
# the medians with and without the module of `rounds` (9) measurements.
# `first` and `second` are the bytes, `before` runs between the two.
sub second_request_times {
    my ($self, %option) = @_;

    my @times = ([], []);

    for (1 .. $option{rounds} // 9) {
        for my $side (0, 1) {
            my $client = B24::Client->new(port => $self->port($side));

            $client->send($option{first});
            $client->response;
            $option{before}->($side) if $option{before};

            my $start = time;

            $client->send($option{second});
            $client->response;
            push @{$times[$side]}, time - $start;
        }
    }

    return map { (sort { $a <=> $b } @$_)[$#$_ / 2] } @times;
}

1;
