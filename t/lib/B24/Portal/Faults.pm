package B24::Portal::Faults;

# Faults on request.  A fault is a hash:
#
#   kind     drop        close the connection; "reset":true sends a RST
#            html        the page of a proxy, "status" 502
#            hang        hold the request "seconds", without it until released;
#                        "then":"drop" closes it afterwards
#            half        process, send half of the answer, close
#            error       a refusal of the server: "status", "error",
#                        "description"; "reset_in": seconds until its time
#                        limit is over, told in "time"
#            redirect    "status" 302 to "location"; PATH in it is the path
#                        that was asked for
#            big         an answer of "bytes"; with "chunked":true no length
#            badjson     an answer that isn't JSON
#            empty       an answer without a body
#            command     one command, direct or in a batch, fails with "error"
#                        and "description"; "reset_in" as above
#            slow        commands take "seconds", or what "durations" says of
#                        their method
#   when     "before" or "after" the request is processed (kinds up to empty;
#            command too)
#   method   regular expression on the method or on any command of the batch
#   body     regular expression on the raw body
#   host     regular expression on the header Host
#   params   command: regular expression on its parameters as JSON
#   times    how many requests (commands); 0 for all; 1 unless told, slow: 0
#
# drop_before, drop_after, html502_before, html502_after, hang_before,
# hang_after and status are accepted as kinds, too.

use Mojo::Base -base, -signatures;

use B24::Portal::Page;

use List::Util qw(any);
use Mojo::IOLoop;
use Socket qw(SOL_SOCKET SO_LINGER);

my %kinds = (
    drop => 'before', html => 'before', hang => 'before', half => 'after',
    error => 'before', redirect => 'before', big => 'after',
    badjson => 'after', empty => 'after', command => 'before',
    slow => 'before',
);

my %aliases = (
    drop_before    => [drop => 'before'], drop_after => [drop => 'after'],
    html502_before => [html => 'before'], html502_after => [html => 'after'],
    html502        => [html => 'before'], status => [error => 'before'],
    hang_before    => [hang => 'before'], hang_after => [hang => 'after'],
);

has list => sub { [] };
has held => sub { {} };
has last_id => 0;


# Adds a fault, gives its number; dies with a sentence on nonsense
sub add ($self, $fault) {
    my %fault = %$fault;
    my $kind = $fault{kind} // die "a fault needs a kind\n";

    if ($aliases{$kind}) {
        ($kind, my $when) = @{$aliases{$kind}};
        $fault{when} //= $when;
    }

    my $when = $kinds{$kind} // die "no such kind of fault: $kind\n";

    $fault{kind} = $kind;
    $fault{when} //= $when;
    $fault{times} //= $kind eq 'slow' ? 0 : 1;
    $fault{left} = $fault{times} || -1;
    $fault{id} = $self->{last_id} = $self->last_id + 1;

    die "when is before or after\n" if $fault{when} !~ /\A(?:before|after)\z/;
    die "half comes after processing\n"
        if $kind eq 'half' && $fault{when} eq 'before';
    die "redirect needs a location\n"
        if $kind eq 'redirect' && !$fault{location};

    for my $name (qw(method body host params)) {
        $fault{"${name}_re"} = qr/$fault{$name}/i if defined $fault{$name};
    }

    push @{$self->list}, \%fault;

    return $fault{id};
}


sub clear ($self) {
    @{$self->list} = ();
    $self->release(drop => 1);

    return;
}


sub remove ($self, $id) {
    @{$self->list} = grep { $_->{id} != $id } @{$self->list};

    return;
}


# the fault for this request, if any, used up by one
sub take ($self, $call) {
    my @methods = ($call->{method}, _inner($call));

    for my $fault (@{$self->list}) {
        next if $fault->{kind} =~ /\A(?:command|slow)\z/ || !$fault->{left};
        next if $fault->{method_re}
            && !any { $_ =~ $fault->{method_re} } @methods;
        next if $fault->{body_re} && $call->{body} !~ $fault->{body_re};
        next if $fault->{host_re}
            && $call->{entry}{host} !~ $fault->{host_re};

        $fault->{left}-- if $fault->{left} > 0;

        return $fault;
    }

    return;
}


# methods of the commands of a batch
sub _inner ($call) {
    return if $call->{method} ne 'batch';

    my $commands = $call->{params}->get('cmd');

    return if !B24::Portal::Php::is_array($commands);
    return map { lc((B24::Portal::Php::parse_url($_))[0] // '') }
           grep { B24::Portal::Php::is_string($_) } $commands->values;
}


# what is to happen to one command, for B24::Portal::Rest
sub disturb ($self, $method, $params = undef) {
    my %disturb;

    for my $fault (@{$self->list}) {
        next if $fault->{kind} !~ /\A(?:command|slow)\z/ || !$fault->{left};
        next if $fault->{method_re} && $method !~ $fault->{method_re};
        next if $fault->{params_re}
            && B24::Portal::Php::json_encode($params) !~ $fault->{params_re};

        if ($fault->{kind} eq 'slow') {
            $disturb{delay} //= $fault->{durations}{$method}
                // $fault->{seconds} // 0;

        } elsif (!$disturb{error}) {
            $disturb{error} = [$fault->{error} // '', $fault->{description},
                               $fault->{status}, $fault->{reset_in}];
            $disturb{after} = $fault->{when} eq 'after';

        } else {
            next;
        }

        $fault->{left}-- if $fault->{left} > 0;
    }

    return %disturb ? \%disturb : undef;
}


# runs CB, the processing, unless the fault takes the request before that
sub before ($self, $fault, $call, $cb) {
    return $cb->() if !$fault || $fault->{when} ne 'before';
    return $self->_apply($fault, $call, $cb);
}


# runs CB, the answering, unless the fault takes its place
sub after ($self, $fault, $call, $cb) {
    return $cb->() if !$fault || $fault->{when} ne 'after';
    return $self->_apply($fault, $call, $cb);
}


sub _apply ($self, $fault, $call, $cb) {
    my $kind = $fault->{kind};
    my $app = $call->{app};

    return $self->_drop($fault, $call) if $kind eq 'drop';
    return $self->_hang($fault, $call, $cb) if $kind eq 'hang';
    return $self->_half($call) if $kind eq 'half';
    return $self->_big($fault, $call) if $kind eq 'big';

    if ($kind eq 'error') {
        my $error = B24::Portal::Error->new($fault->{error} // '',
            @$fault{qw(description status reset_in)});
        my ($envelope, $status) = $app->rest->failure($error);

        return $app->respond($call, $envelope, $status);
    }

    if ($kind eq 'html') {
        my $status = $fault->{status} // 502;
        return $app->respond_raw($call, $status, 'text/html',
                                 B24::Portal::Page::gateway($status));
    }

    if ($kind eq 'redirect') {
        my $location = $fault->{location}
            =~ s/PATH/$call->{tx}->req->url->path->to_string/er;

        return $app->respond_raw($call, $fault->{status} // 302, 'text/html',
                                 '', {Location => $location});
    }

    return $app->respond_raw($call, $fault->{status} // 200,
        'application/json; charset=utf-8',
        $kind eq 'empty' ? '' : '{"result":{"result":[1,2,');
}


sub _drop ($self, $fault, $call) {
    $call->{app}->finished($call, 0);

    my $stream = Mojo::IOLoop->stream($call->{connection}) // return;

    if ($fault->{reset}) {
        setsockopt $stream->handle, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
    }

    $stream->close;

    return;
}


sub _hang ($self, $fault, $call, $cb) {
    my $seq = $call->{entry}{seq};
    my $timer;
    my $end = sub ($drop) {
        delete $self->held->{$seq} // return;
        Mojo::IOLoop->remove($timer) if $timer;

        return $self->_drop({}, $call)
            if $drop || ($fault->{then} // '') eq 'drop';
        return $cb->();
    };

    $self->held->{$seq} = $end;

    if ($fault->{seconds}) {
        $timer = Mojo::IOLoop->timer($fault->{seconds} => sub { $end->(0) });
    }

    $call->{app}->changed;

    return;
}


# lets held requests go on; DROP closes their connections instead
sub release ($self, %args) {
    my @held = sort { $a <=> $b } keys %{$self->held};

    for my $seq (grep { !$args{seq} || $_ == $args{seq} } @held) {
        my $end = $self->held->{$seq} // next;
        $end->($args{drop} ? 1 : 0);
    }

    return scalar @held;
}


# announces the whole answer, sends half of it
sub _half ($self, $call) {
    my $app = $call->{app};
    my ($type, $body) = $app->rendered($call, $call->{envelope}
        // $app->rest->failure(B24::Portal::Error->new(
            'INTERNAL_SERVER_ERROR')));
    my $stream = Mojo::IOLoop->stream($call->{connection});

    $app->finished($call, 200);

    return if !$stream;

    my $length = length $body;
    my $half = substr $body, 0, $length / 2;

    $stream->write("HTTP/1.1 200 OK\r\nContent-Type: $type\r\n"
                 . "Content-Length: $length\r\n\r\n$half"
                 => sub ($stream) { $stream->close });

    return;
}


sub _big ($self, $fault, $call) {
    my $app = $call->{app};
    my $left = ($fault->{bytes} // 10 * 1024 * 1024) - length '{"result":""}';

    $app->finished($call, 200);

    return if !Mojo::IOLoop->stream($call->{connection});

    my $c = $call->{c};
    my $headers = $c->res->headers;
    my $write = $fault->{chunked} ? 'write_chunk' : 'write';

    $c->res->code(200);
    $headers->content_type('application/json; charset=utf-8');
    $headers->content_length($left + length '{"result":""}')
        if !$fault->{chunked};

    my $tx = $call->{tx};
    my $more;
    $more = sub (@) {
        my $size = $left > 65_536 ? 65_536 : $left;

        $left -= $size;

        return $c->$write('x' x $size => $more) if $size > 0;

        $tx = $more = undef;
        $c->$write('"}' => sub (@) { $c->finish });
    };

    $c->$write('{"result":"' => $more);

    return;
}


1;
