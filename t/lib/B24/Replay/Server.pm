package B24::Replay::Server;

# The replay upstream: a shop that is played from a recording, or from a
# script, on a TCP port that nginx proxies to.  Runs in the process of
# t/replay.pl; tests talk to it through B24::Replay.
#
# Each port is a lane with a journal and counters of its own, so that two
# servers compared side by side don't take each other's answers.
#
# A request is answered, in this order, by
#   - the first script of its lane that matches and isn't used up,
#   - the recorded exchange its X-Replay header names (the header is taken
#     out of what the journal keeps),
#   - the recorded exchange with the same method, target, and body; the n-th
#     such request gets the n-th such exchange, later ones the last,
#   - the same without regard to the body,
#   - 404.
#
# What it got is kept byte for byte, at most KEEP of it per request; length
# and digest are of all of it.

use strict;
use warnings;

use B24::Recording qw(header_values unchunk);
use Compress::Raw::Zlib ();
use Digest::SHA ();
use MIME::Base64 ();
use Mojo::IOLoop;
use Mojo::Server::Daemon;
use Mojolicious;
use Scalar::Util qw(weaken);
use Time::HiRes ();

use constant {
    KEEP        => 16 * 1024 * 1024,
    WRITE_SIZE  => 256 * 1024,
    WAIT_CAP    => 60,          # seconds, of a long poll
};


# Takes ports (a list), control (a port), folders (recordings, maybe none).
sub new {
    my ($class, %option) = @_;

    my $self = bless {
        ports => $option{ports}, control => $option{control},
        lanes => [], waiters => [], bombs => {},
    }, $class;

    if (@{$option{folders} // []}) {
        $self->{recording} = B24::Recording->load(@{$option{folders}});
    }

    $self->clear;

    return $self;
}

sub clear {
    my ($self) = @_;

    $_->{stream}->close for grep { $_->{stream} } $self->held;

    $self->{journal} = [];
    $self->{scripts} = [];
    $self->{seen} = {};
}

sub run {
    my ($self) = @_;

    for my $lane (0 .. $#{$self->{ports}}) {
        Mojo::IOLoop->server(
            { address => '127.0.0.1', port => $self->{ports}[$lane],
              backlog => 511 },
            sub { $self->accepted($lane, $_[1]) });
    }

    # closed by the test alone: one that ended here just as a test asks once
    # more would be its failure
    my $daemon = Mojo::Server::Daemon->new(
        app => $self->control_app, silent => 1, keep_alive_timeout => 0,
        inactivity_timeout => WAIT_CAP + 30,
        listen => ["http://127.0.0.1:$self->{control}"]);

    $daemon->start;
    Mojo::IOLoop->start;
}


# ---- reading requests ----------------------------------------------------

sub accepted {
    my ($self, $lane, $stream) = @_;

    my $connection = { lane => $lane, stream => $stream, buffer => '' };

    $stream->timeout(0);
    $stream->on(read => sub {
        $connection->{buffer} .= $_[1];
        $self->take_request($connection);
    });
    $stream->on(error => sub { });
    $stream->on(close => sub {
        my $entry = delete $connection->{entry};

        $connection->{closed} = 1;
        undef $connection->{stream};
        return if !$entry;

        delete $entry->{stream};
        $self->set_state($entry, 'aborted') if $entry->{state} ne 'done';
    });

    weaken $connection->{stream};
}

# Takes a whole request out of the buffer, if there is one and the previous
# one is answered.
sub take_request {
    my ($self, $connection) = @_;

    return if $connection->{entry} || $connection->{closed};

    my $buffer = \$connection->{buffer};
    my $end = index $$buffer, "\r\n\r\n";

    return if $end < 0;

    my $head = substr $$buffer, 0, $end + 4;
    my ($body, $taken);

    if (grep { lc eq 'chunked' } header_values($head, 'Transfer-Encoding')) {
        ($body, $taken) = eval { unchunk(substr $$buffer, $end + 4) };
        return $connection->{stream}->close if $@;
        return if !defined $taken;

    } else {
        ($taken) = header_values($head, 'Content-Length');
        $taken = 0 if !defined $taken || $taken !~ /^\d+$/;
        return if length($$buffer) - $end - 4 < $taken;
        $body = substr $$buffer, $end + 4, $taken;
    }

    my $bytes = substr $$buffer, 0, $end + 4 + $taken, '';

    $self->got_request($connection, $head, $body, $bytes);
}

sub got_request {
    my ($self, $connection, $head, $body, $bytes) = @_;

    # not part of what nginx was sent by a buyer
    my $chosen = $head =~ /^X-Replay:[ \t]*(\S+)\r\n/mi ? $1 : undef;
    $bytes =~ s/^X-Replay:[^\n]*\n//mi if defined $chosen;

    my ($method, $target, $version)
        = $head =~ m{^(\S+) (\S+) HTTP/(\d\.\d)\r\n};
    my ($how) = header_values($head, 'Connection');

    $how = lc($how // '');

    my $journal = $self->{journal};
    my $entry = {
        number => scalar @$journal, lane => $connection->{lane},
        method => $method // '', target => $target // '',
        length => length $bytes, body_length => length $body,
        sha256 => Digest::SHA::sha256_hex($bytes),
        bytes => substr($bytes, 0, KEEP), sent => 0,
        time => Time::HiRes::time(), stream => $connection->{stream},
        closes => $how =~ /close/
                  || ($version // '') eq '1.0' && $how !~ /keep-alive/,
    };

    weaken $entry->{stream};
    $connection->{entry} = $entry;
    push @$journal, $entry;
    $self->set_state($entry, 'received');

    my $script = $self->script_for($entry);
    my $exchange = $self->exchange_for($entry, $body, $chosen);

    $entry->{exchange} = $exchange->{name} if $exchange;
    $self->play($connection, $entry, $script // {}, $exchange);
}

sub script_for {
    my ($self, $entry) = @_;

    for my $script (@{$self->{scripts}}) {
        next if defined $script->{lane} && $script->{lane} != $entry->{lane};
        next if defined $script->{method}
                && $script->{method} ne $entry->{method};
        next if defined $script->{target}
                && $entry->{target} !~ /$script->{target}/;
        next if defined $script->{times} && $script->{times}-- <= 0;

        return $script;
    }

    return undef;
}

sub exchange_for {
    my ($self, $entry, $body, $chosen) = @_;

    my $recording = $self->{recording} // return undef;

    return $recording->find($chosen) if defined $chosen;

    my @same = grep { $_->{method} eq $entry->{method}
                      && $_->{target} eq $entry->{target} }
                    $recording->exchanges;
    my @exact = grep { $_->{body} eq $body } @same;
    my $key = join ' ', $entry->{lane}, $entry->{method}, $entry->{target};

    if (@exact) {
        @same = @exact;
        $key .= ' ' . Digest::SHA::sha256_hex($body);
    }

    return undef if !@same;

    my $n = $self->{seen}{$key}++;

    return $same[$n < $#same ? $n : $#same];
}


# ---- answering -----------------------------------------------------------

sub play {
    my ($self, $connection, $entry, $script, $exchange) = @_;

    my $go = sub {
        return if $connection->{closed};

        if ($script->{close}) {
            $connection->{stream}->close;
            return;
        }

        $self->answer($connection, $entry, $script, $exchange);
    };

    if ($script->{hold}) {
        $entry->{go} = $go;
        $self->set_state($entry, 'held');

    } elsif ($script->{delay}) {
        Mojo::IOLoop->timer($script->{delay} => $go);

    } else {
        $go->();
    }
}

# A function that gives the next piece of the answer, undef at its end.
sub answer_source {
    my ($self, $script, $exchange) = @_;

    my $pieces = sub {
        my @list = @_;
        return sub { return shift @list };
    };

    return $pieces->(MIME::Base64::decode_base64($script->{raw_base64}))
        if defined $script->{raw_base64};

    if (defined $script->{status} || defined $script->{generate}) {
        return $self->composed($script);
    }

    return $pieces->($exchange->{response})
        if $exchange && defined $exchange->{response};

    my $page = $exchange ? '<html><body>A page.</body></html>'
                         : "Nothing was recorded for this request.\n";
    my $status = $exchange ? '200 OK' : '404 Not Found';

    return $pieces->("HTTP/1.1 $status\r\nContent-Type: text/html\r\n"
                     . 'Content-Length: ' . length($page) . "\r\n\r\n$page");
}

# An answer made from status, headers, body or generate, content_length,
# chunked, gzip.
sub composed {
    my ($self, $script) = @_;

    my $status = $script->{status} // 200;
    my $body = defined $script->{body_base64}
               ? MIME::Base64::decode_base64($script->{body_base64})
               : $script->{body} // '';
    my $left = $script->{generate} // 0;

    utf8::encode($body) if utf8::is_utf8($body);

    if ($script->{gzip}) {
        $body = $left ? $self->bomb($left) : gzip($body);
        $left = 0;
    }

    my $length = $script->{content_length} // length($body) + $left;
    my $head = "HTTP/1.1 $status "
               . ($script->{reason} // 'Scripted') . "\r\n";

    $head .= "$_->[0]: $_->[1]\r\n" for @{$script->{headers} // []};
    $head .= "Content-Encoding: gzip\r\n" if $script->{gzip};
    $head .= $script->{chunked} ? "Transfer-Encoding: chunked\r\n"
             : $script->{unframed} ? "Connection: close\r\n"
             : "Content-Length: $length\r\n"
        if $status !~ /^(?:1\d\d|204|304)$/;

    my $block = 'x' x WRITE_SIZE;
    my @first = ("$head\r\n");
    my $ended;

    my $piece = sub {
        my ($data) = @_;
        return $script->{chunked}
               ? sprintf("%x\r\n%s\r\n", length $data, $data) : $data;
    };

    push @first, $piece->($body) if length $body;

    return sub {
        return shift @first if @first;

        if ($left > 0) {
            my $size = $left < WRITE_SIZE ? $left : WRITE_SIZE;
            $left -= $size;
            return $piece->(substr $block, 0, $size);
        }

        return undef if !$script->{chunked} || $ended++;
        return "0\r\n\r\n";
    };
}

sub gzip {
    my ($data) = @_;

    my ($deflate) = Compress::Raw::Zlib::Deflate->new(
        -WindowBits => Compress::Raw::Zlib::WANT_GZIP(), -AppendOutput => 1);
    my $out = '';

    $deflate->deflate($data, $out);
    $deflate->flush($out);

    return $out;
}

# $size zero bytes, compressed; kept, because it takes a while to make.
sub bomb {
    my ($self, $size) = @_;

    return $self->{bombs}{$size} //= do {
        my ($deflate) = Compress::Raw::Zlib::Deflate->new(
            -WindowBits => Compress::Raw::Zlib::WANT_GZIP(),
            -AppendOutput => 1);
        my $zeros = "\0" x (1024 * 1024);
        my $out = '';

        for (my $left = $size; $left > 0; $left -= length $zeros) {
            $deflate->deflate(substr($zeros, 0, $left), $out);
        }

        $deflate->flush($out);
        $out;
    };
}

# Whether the end of the answer can be told without the connection's end.
sub is_framed {
    my ($head) = @_;

    return 1 if $head =~ m{^HTTP/1\.\d (?:1\d\d|204|304)};

    return header_values($head, 'Content-Length')
           || header_values($head, 'Transfer-Encoding');
}

sub answer {
    my ($self, $connection, $entry, $script, $exchange) = @_;

    my $next = $self->answer_source($script, $exchange);
    my $room = $script->{cut};
    my $slow = $script->{slow};
    my $first = 1;
    my $queued = '';
    my $step;

    $self->set_state($entry, 'answering');

    my $closing = $entry->{closes};

    $step = sub {
        if ($connection->{closed}) {
            undef $step;
            return;
        }

        my $data = length $queued ? $queued : $next->();
        $queued = '';

        if (!defined $data || defined $room && $room <= 0) {
            undef $step;
            $self->answered($connection, $entry,
                            $closing || defined $room);
            return;
        }

        if ($first) {
            my ($head) = B24::Recording::head_and_body($data);
            $closing ||= !is_framed($head);
            $first = 0;
        }

        if ($slow && length $data > $slow->{bytes}) {
            $queued = substr $data, $slow->{bytes}, length $data, '';
        }

        if (defined $room) {
            $data = substr $data, 0, $room;
            $room -= length $data;
        }

        $entry->{sent} += length $data;
        my $again = $step;

        $connection->{stream}->write($data, sub {
            return $again->() if !$slow;
            Mojo::IOLoop->timer($slow->{pause} => $again);
        });
    };

    $step->();
}

sub answered {
    my ($self, $connection, $entry, $close) = @_;

    delete $entry->{stream};
    delete $connection->{entry};
    $self->set_state($entry, 'done');

    return $connection->{stream}->close if $close;

    $self->take_request($connection);
}


# ---- control -------------------------------------------------------------

sub held {
    my ($self) = @_;

    return grep { $_->{state} eq 'held' } @{$self->{journal} // []};
}

sub set_state {
    my ($self, $entry, $state) = @_;

    $entry->{state} = $state;
    $self->check_waiters;
}

# What the journal tells of a request; the bytes are asked for one by one.
sub shown {
    my ($entry) = @_;

    return { map { $_ => $entry->{$_} }
                 qw(number lane method target length body_length sha256
                    exchange state sent time) };
}

# Entries of a lane, with a target that matches, in a state, from a number on;
# all are optional.
sub select_entries {
    my ($self, $want) = @_;

    my @found = @{$self->{journal}};

    @found = grep { $_->{lane} == $want->{lane} } @found
        if defined $want->{lane};
    @found = grep { $_->{target} =~ /$want->{target}/ } @found
        if defined $want->{target};
    @found = grep { $_->{state} eq $want->{state} } @found
        if defined $want->{state};
    @found = grep { $_->{number} >= $want->{from} } @found
        if defined $want->{from};

    return @found;
}

sub check_waiters {
    my ($self) = @_;
    my @left;

    for my $waiter (@{$self->{waiters}}) {
        my @found = $self->select_entries($waiter->{want});

        if (@found < $waiter->{want}{count}) {
            push @left, $waiter;
            next;
        }

        Mojo::IOLoop->remove($waiter->{timer});
        $waiter->{done}->(200, \@found);
    }

    $self->{waiters} = \@left;
}

sub wait_for_entries {
    my ($self, $want, $done) = @_;

    my $waiter = { want => $want, done => $done };
    my $cap = $want->{timeout} // 20;

    $cap = WAIT_CAP if $cap > WAIT_CAP;
    $waiter->{timer} = Mojo::IOLoop->timer($cap => sub {
        @{$self->{waiters}} = grep { $_ != $waiter } @{$self->{waiters}};
        $done->(504, [ $self->select_entries($want) ]);
    });

    push @{$self->{waiters}}, $waiter;
    $self->check_waiters;
}

# Lets held requests be answered; returns how many.
sub release {
    my ($self, $want) = @_;

    my @held = $self->select_entries({ %$want, state => 'held' });

    for my $entry (@held) {
        my $go = delete $entry->{go};
        $go->() if $go;
    }

    return scalar @held;
}

sub control_app {
    my ($self) = @_;

    my $app = Mojolicious->new(mode => 'production');
    my $routes = $app->routes;

    $app->log->level('fatal');
    $app->secrets(['not used']);
    $app->max_request_size(256 * 1024 * 1024);

    $routes->get('/_/journal' => sub {
        my ($c) = @_;
        $c->render(json => [ map { shown($_) }
                       $self->select_entries($c->req->params->to_hash) ]);
    });

    $routes->get('/_/wait' => sub {
        my ($c) = @_;
        my $want = { count => 1, %{$c->req->params->to_hash} };

        $c->render_later;
        $self->wait_for_entries($want, sub {
            my ($status, $found) = @_;
            $c->render(status => $status,
                       json => [ map { shown($_) } @$found ]);
        });
    });

    $routes->get('/_/bytes/<number:num>' => sub {
        my ($c) = @_;
        my $entry = $self->{journal}[$c->param('number')];

        return $c->render(status => 404, text => 'no such request')
            if !$entry;

        $c->res->headers->content_type('application/octet-stream');
        $c->render(data => $entry->{bytes});
    });

    $routes->post('/_/script' => sub {
        my ($c) = @_;
        push @{$self->{scripts}}, $c->req->json;
        $c->render(json => { scripts => scalar @{$self->{scripts}} });
    });

    $routes->post('/_/release' => sub {
        my ($c) = @_;
        $c->render(json => { released => $self->release($c->req->json
                                                        // {}) });
    });

    $routes->post('/_/rewind' => sub {
        my ($c) = @_;
        $self->{seen} = {};
        $c->render(json => { next => scalar @{$self->{journal}} });
    });

    $routes->post('/_/reset' => sub {
        my ($c) = @_;
        $self->clear;
        $c->render(json => {});
    });

    return $app;
}

1;
