package B24::Portal::Rest;

# From a method and its parameters to the server's envelope: which methods
# exist, scopes, time counters, and batch with the expansion of $result[...].

use strict;
use warnings;

use B24::Portal::Classic;
use B24::Portal::Dictionaries;
use B24::Portal::Error;
use B24::Portal::Item;
use B24::Portal::Php qw(array_of float_of is_array is_string truthy intval
    strval parse_str parse_url change_key_case);

use List::Util ();
use Mojo::IOLoop;
use Scalar::Util qw(blessed);
use Time::HiRes qw(time);

# CRestUtil::BATCH_MAX_LENGTH
use constant BATCH_MAX => 50;

use constant UNRESOLVED_MAX => 100;


# ARGS: store, config, limits, user (id of the webhook's owner), hook.
# HOOK->(method, params) may return {delay => seconds, error => [code, text,
# status], after => 1} to disturb a call.
sub new {
    my ($class, %args) = @_;

    my %methods = (B24::Portal::Classic::methods(),
                   B24::Portal::Item::methods(),
                   B24::Portal::Dictionaries::methods(),
                   batch => ['', undef]);

    return bless {%args, methods => \%methods, unresolved => []}, $class;
}


sub store  { return $_[0]{store} }
sub config { return $_[0]{config} }
sub user   { return $_[0]{user} }


# references that led nowhere, or not to their end: hashes with request,
# command, method, parameter and reference
sub unresolved { return $_[0]{unresolved} }


sub method_names {
    my ($self) = @_;

    return sort grep { $self->has_scope($self->{methods}{$_}[0]) }
                grep { $self->_method($_) } keys %{$self->{methods}};
}


# [scope, code] of a method the portal has
sub _method {
    my ($self, $method) = @_;

    for my $gone (@{$self->{config}{gone}}) {
        my $pattern = join '.*', map { quotemeta } split /\*/, lc $gone, -1;

        return if $method =~ /\A$pattern\z/;
    }

    return $self->{methods}{$method};
}


# undef when there is no such method, "" when it needs no scope
sub method_scope {
    my ($self, $method) = @_;

    my $known = $self->_method($method) // return;

    return $known->[0];
}


sub has_scope {
    my ($self, $scope) = @_;

    return 1 if $scope eq '';
    return scalar grep {
        $_ eq $scope || $scope eq 'user' && /\Auser(?:_brief|_basic)\z/
    } @{$self->{config}{scopes}};
}


# ---- one call ---------------------------------------------------------------

# Runs METHOD and hands CB (envelope, HTTP status).  Asynchronous only when
# the hook wants a delay.  BATCH: the one it is of.  Delays there are reckoned
# from the end that the one before should have had, so that a machine that is
# busy with other things makes none of them longer.
sub call {
    my ($self, $method, $params, $cb, $batch) = @_;

    my $started = time;
    my $disturb = $self->{hook} ? $self->{hook}->($method, $params) : undef;
    my $run = sub {
        $cb->($self->_call($method, $params, $started, $disturb, $batch));
    };

    if ($disturb && $disturb->{delay}) {
        my $due = ($batch ? $batch->{due} : $started) + $disturb->{delay};

        $batch->{due} = $due if $batch;
        Mojo::IOLoop->timer($due > $started ? $due - $started : 0, $run);
        return;
    }

    return $run->();
}


sub _call {
    my ($self, $method, $params, $started, $disturb, $batch) = @_;

    my $known = $self->_method($method);
    my @result;
    my $processing = time;

    my $done = eval {
        die B24::Portal::Error->new('ERROR_METHOD_NOT_FOUND')
            if !$known || !$known->[1];
        die B24::Portal::Error->new('insufficient_scope')
            if !$self->has_scope($known->[0]);
        die B24::Portal::Error->new('OPERATION_TIME_LIMIT')
            if $self->{limits}->blocked($method, time);
        die B24::Portal::Error->new(@{$disturb->{error}})
            if $disturb && $disturb->{error} && !$disturb->{after};

        my $start = 0;

        if (defined $params->get('start')) {
            $start = intval($params->get('start'));
            $params->remove('start');
        }

        @result = $known->[1]->($self, $params, $start);

        die B24::Portal::Error->new(@{$disturb->{error}})
            if $disturb && $disturb->{error} && $disturb->{after};
        1;
    };

    return $self->failure($@) if !$done;

    my ($result, %extra) = @result;
    my $envelope = array_of(result => $result);

    for my $name (qw(next total)) {
        $envelope->set($name, $extra{$name} + 0) if defined $extra{$name};
    }

    my $now = time;

    if (!$batch || $self->config->{operating}{inner}) {
        $self->{limits}->charge($method,
            $self->{limits}->cost($method, $now - $started), $now);
    }

    $envelope->set(time => $self->timing($method, $started, $processing));

    return ($envelope, 200);
}


# (envelope, HTTP status) of a refusal; anything unforeseen is a 500 as the
# server would give it, and a warning for whoever runs the portal
sub failure {
    my ($self, $error) = @_;

    if (!blessed $error || !$error->isa('B24::Portal::Error')) {
        warn "portal: $error";
        $error = B24::Portal::Error->new('INTERNAL_SERVER_ERROR');
    }

    my $envelope = array_of(error => $error->code,
                            error_description => $error->text);
    my $now = time;

    if (defined $error->reset_in) {
        $envelope->set(time => array_of(
            start => float_of(sprintf '%.6f', $now),
            finish => float_of(sprintf '%.6f', $now),
            operating_reset_at => int($now) + $error->reset_in,
            operating => float_of($self->config->{operating}{limit})));
    }

    return ($envelope, $error->status);
}


sub timing {
    my ($self, $method, $started, $processing) = @_;

    my $now = time;
    my $limits = $self->{limits};
    my $clock = $self->config->{clock};
    my $time = array_of(
        start       => float_of(sprintf '%.6f', $started + $clock),
        finish      => float_of(sprintf '%.6f', $now + $clock),
        duration    => float_of(sprintf '%.16f', $now - $started),
        processing  => float_of(sprintf '%.16f', $now - $processing),
        date_start  => $self->{store}->now(int $started),
        date_finish => $self->{store}->now(int $now),
    );

    if ($limits->enabled) {
        my $reset = $limits->reset_at($method, $now);

        $time->set(operating_reset_at => $reset) if $reset;
        $time->set(operating => float_of(sprintf '%.6f',
                                         $limits->spent($method, $now)));
    }

    return $time;
}


# ---- batch ------------------------------------------------------------------

# Runs the commands one after another and hands CB (envelope, 200, journal).
# STOP->() true ends it early, as a server that was cut off.  SEQ: of the
# request.
sub batch {
    my ($self, $params, $stop, $cb, $seq) = @_;

    my $query = change_key_case($params);
    my $commands = $query->get('CMD');
    my $batch = {
        halt     => truthy($query->get('HALT')),
        commands => is_array($commands)
            ? [map { [$_, $commands->get($_)] } $commands->keys] : [],
        results  => array_of(map { $_ => array_of() }
                             qw(result next total time error)),
        journal  => [],
        count    => 0,
        started  => time,
        stop     => $stop,
        cb       => $cb,
        seq      => $seq,
    };

    $batch->{due} = $batch->{started};

    return $self->_batch_next($batch);
}


sub _batch_next {
    my ($self, $batch) = @_;

    while (my $command = shift @{$batch->{commands}}) {
        last if $batch->{stop} && $batch->{stop}->();

        my ($name, $call) = @$command;

        if ($batch->{count}++ >= BATCH_MAX) {
            $self->_batch_record($batch, $name, undef, undef, $self->failure(
                B24::Portal::Error->new('ERROR_BATCH_LENGTH_EXCEEDED')));
            last if $batch->{halt};
            next;
        }

        # anything but a string is passed over in silence
        next if !is_string($call);

        my ($path, $query) = parse_url($call);
        my $method = lc($path // '');
        my $params = eval {
            expand(parse_str($query // ''), $batch->{results}, sub {
                my ($parameter, $reference) = @_;

                push @{$self->{unresolved}}, {
                    request => $batch->{seq}, command => $name,
                    method => $method, parameter => $parameter,
                    reference => $reference,
                } if @{$self->{unresolved}} < UNRESOLVED_MAX;
            });
        };

        if (!$params || $method =~ /\A(?:batch|upload|download)\z/) {
            $self->_batch_record($batch, $name, $method, undef,
                $self->failure($params ? B24::Portal::Error->new(
                    'ERROR_BATCH_METHOD_NOT_ALLOWED') : $@));
            last if $batch->{halt};
            next;
        }

        my $sent = B24::Portal::Php::to_perl($params);
        my ($sync, $ended) = (1, 0);

        $self->call($method, $params, sub {
            my ($envelope, $status) = @_;

            my $go_on = $self->_batch_record($batch, $name, $method, $sent,
                                             $envelope, $status);
            @{$batch->{commands}} = () if !$go_on;
            $ended = 1;
            $self->_batch_next($batch) if !$sync;
        }, $batch);

        $sync = 0;
        return if !$ended;
    }

    return $self->_batch_done($batch);
}


# PARAMS: plain data, for the journal.  False when the batch stops here.
sub _batch_record {
    my ($self, $batch, $name, $method, $params, $envelope) = @_;

    my $failed = $envelope->has('error');
    my $results = $batch->{results};
    my $entry = {
        name   => $name, method => $method,
        params => $params, error => undef,
    };

    if ($failed) {
        $entry->{error} = $envelope->get('error');
        $entry->{error_description} = $envelope->get('error_description');
    }

    push @{$batch->{journal}}, $entry;

    for my $key ($envelope->keys) {
        my $value = $failed && $key eq 'error' ? $envelope
                                               : $envelope->get($key);

        $results->set($key, array_of()) if !$results->has($key);
        $results->get($key)->set($name, $value);
    }

    return !$failed || !$batch->{halt};
}


sub _batch_done {
    my ($self, $batch) = @_;

    my $results = $batch->{results};
    my $envelope = array_of(result => array_of(
        result       => $results->get('result'),
        result_error => $results->get('error'),
        result_total => $results->get('total'),
        result_next  => $results->get('next'),
        result_time  => $results->get('time'),
    ));
    my $limits = $self->{limits};
    my $share = $self->{config}{operating}{batch};
    my $now = time;

    if ($share) {
        $limits->charge('batch', $share * List::Util::sum0(
            map { $limits->cost($_->{method} // '', 0) }
            grep { !defined $_->{error} } @{$batch->{journal}}), $now);
    }

    $envelope->set(time => $self->timing('batch', $batch->{started},
                                         $batch->{started}));

    return $batch->{cb}->($envelope, 200, $batch->{journal});
}


# ---- references -------------------------------------------------------------

# Expands $result[...] and its kin in every value and key of a decoded query.
# UNRESOLVED is called with parameter and reference for what didn't lead to its
# end.
sub expand {
    my ($params, $results, $unresolved, $path) = @_;

    my $expanded = array_of();

    for my $key ($params->keys) {
        my $value = $params->get($key);
        my $here = defined $path ? "$path\[$key]" : $key;
        my $note = sub { $unresolved->($here, @_) };
        my $name = expand_text($key, $results, $note);

        die "an array as the name of a parameter\n" if is_array($name);

        $expanded->set(strval($name), is_array($value)
            ? expand($value, $results, $unresolved, $here)
            : expand_text($value, $results, $note));
    }

    return $expanded;
}


# One value.  A reference runs to the next white space; its path stops at the
# first segment that isn't set and keeps what it reached; a value that is one
# reference takes the type of what it names; an array can't be embedded.
sub expand_text {
    my ($text, $results, $unresolved) = @_;

    my @matches;

    while ($text =~ /(\$(result|next|total|time|error)([^ \t\n\r\f\x0b]*))/gi) {
        push @matches, [$1, $2, $3];
    }

    for my $match (@matches) {
        my ($whole, $top, $tail) = @$match;
        my @path = $tail =~ /\[([^\]]+)\]/g;

        next if !@path;

        my ($found, $left) = _walk($results->get($top), @path);

        $unresolved->($whole) if $left || !defined $found;

        if ($whole eq $text) {
            $text = $found;
            last;
        }

        next if is_array($found);

        my $replace = strval($found);
        $text =~ s/\Q$whole\E/$replace/g;
    }

    return $text;
}


# what PATH leads to, and how many of its segments were not reached
sub _walk {
    my ($found, @path) = @_;

    while (@path) {
        my ($key, $next) = $path[0];

        if (is_array($found)) {
            $next = $found->get($key);

        } elsif (is_string($found) && $key =~ /\A\d+\z/
                 && $key < length $found)
        {
            $next = substr $found, $key, 1;
        }

        last if !defined $next;

        $found = $next;
        shift @path;
    }

    return ($found, scalar @path);
}


1;
