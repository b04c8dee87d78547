package B24::Portal;

# A Bitrix24 portal for tests and for trying things out: the REST interface an
# incoming webhook sees, as strict as the real one about everything known of
# it, with faults on request and a report of what it holds.
#
#   /rest/USER/CODE/METHOD   the REST interface
#   /, /deal/ID              what it holds, for people
#   /_/...                   control, JSON; see B24::Portal::Control
#
# State is in memory.  Nothing here blocks: while one request hangs the others
# are answered.

use Mojo::Base 'Mojolicious', -signatures;

use B24::Portal::Control;
use B24::Portal::Error;
use B24::Portal::Faults;
use B24::Portal::Limits;
use B24::Portal::Page;
use B24::Portal::Php qw(array_of is_array json_decode json_encode parse_str
    register_variable strval to_perl);
use B24::Portal::Rest;
use B24::Portal::Schema qw(default_config);
use B24::Portal::Store;

use Mojo::IOLoop;
use Time::HiRes ();

use constant SPOILED_MAX => 50;

# the webhook's owner and secret code
has user => 1;
has code => 'code1234567890ab';

# file that gets the report after each change, if any
has 'state_file';

has settings => sub { default_config() };
has store    => sub ($self) { B24::Portal::Store->new($self->settings) };
has limits   => sub ($self) { B24::Portal::Limits->new($self->settings) };
has faults   => sub { B24::Portal::Faults->new };
has control  => sub ($self) { B24::Portal::Control->new(app => $self) };
has rest     => sub ($self) {
    B24::Portal::Rest->new(
        store  => $self->store,  config => $self->settings,
        limits => $self->limits, user   => $self->user,
        hook   => sub ($method, $params) { 
            $self->faults->disturb($method, $params);
        },
    );
};

# requests in order of arrival; those dropped from its front are counted
has journal => sub { [] };
has counts  => sub { {arrived => 0, finished => 0, forgotten => 0} };

# when the latest request came or ended
has active_at => 0;

# the canary: what happened to records of somebody else before the latest reset
has spoiled_before => sub { [] };


sub startup ($self) {
    $self->mode('production');
    $self->log->level('warn');
    $self->secrets(['portal']);
    $self->max_request_size(64 * 1024 * 1024);

    my $routes = $self->routes;

    $routes->any('/rest/*call' => sub ($c) { $self->_serve($c) });
    $routes->get('/' => sub ($c) { B24::Portal::Page::index($self, $c) });
    $routes->get('/deal/<id:num>' => sub ($c) {
        B24::Portal::Page::deal($self, $c);
    });

    $self->control->routes($routes);

    return;
}


# back to a new portal; whatever is held is let go without an answer.  What
# the canary has seen isn't forgotten.
sub reset ($self) {
    @{$self->spoiled_before} = $self->spoiled;
    @{$self->rest->unresolved} = ();
    $self->faults->clear;
    %{$self->settings} = %{default_config()};
    $self->store->clear;
    $self->limits->clear;
    @{$self->journal} = ();
    %{$self->counts} = (arrived => 0, finished => 0, forgotten => 0);
    $self->changed;

    return;
}


# The canary: nobody has any business with the records that are there from the
# start, nor with references that lead nowhere.  A line for each offence.
sub spoiled ($self) {
    my @lines = (@{$self->spoiled_before}, $self->store->spoiled, map {
        "request $_->{request}, command $_->{command} ($_->{method}): "
        . "$_->{parameter} refers to $_->{reference}, which is not there"
    } @{$self->rest->unresolved});
    my %seen;

    @lines = grep { !$seen{$_}++ } @lines;
    splice @lines, SPOILED_MAX if @lines > SPOILED_MAX;

    return @lines;
}


# takes everything as it is now
sub forgive ($self) {
    @{$self->spoiled_before} = ();
    @{$self->rest->unresolved} = ();
    $self->store->accept_foreign;

    return;
}


# something a waiting test may look for has changed
sub changed ($self) { return $self->control->changed }


# ---- a request --------------------------------------------------------------

sub _serve ($self, $c) {
    my $call = $self->_read($c);
    my $fault = $self->faults->take($call);

    $call->{entry}{fault} = $fault->{kind} if $fault;
    $self->changed;

    $self->faults->before($fault, $call, sub {
        $self->_process($call, sub ($envelope, $status) {
            $self->_note($call, $envelope, $status);
            $self->faults->after($fault, $call, sub {
                $self->respond($call, $envelope, $status);
            });
        });
    });

    return;
}


# Everything the request says, and its place in the journal
sub _read ($self, $c) {
    my $tx = $c->render_later->tx;
    my $req = $tx->req;

    # a request may be held for as long as a test likes
    $c->inactivity_timeout(0);

    my ($user, $code, $name) = $self->_path($c->stash('call'));
    my $xml = $name =~ s/\.(json|xml)\z// && $1 eq 'xml';
    my $method = lc $name;
    my $params = $self->_params($req);
    my $entry = {
        seq => ++$self->counts->{arrived}, at => Time::HiRes::time(),
        http => $req->method, method => $method, params => to_perl($params),
        address => $tx->remote_address, bytes => $req->content->progress,
        status => undef, error => undef, fault => undef, done => 0,
        via => $req->is_secure ? 'https' : 'http',
        host => $req->headers->host // '',
    };

    push @{$self->journal}, $entry;
    $self->active_at($entry->{at});
    $self->store->request_came;

    if (@{$self->journal} > $self->settings->{journal_max}) {
        shift @{$self->journal};
        $self->counts->{forgotten}++;
    }

    return {
        c => $c, tx => $tx, connection => $tx->connection, entry => $entry,
        user => $user, code => $code, method => $method, xml => $xml,
        params => $params, body => $req->body, app => $self,
        secure => $req->is_secure, started => Time::HiRes::time(),
    };
}


# (user, code, method); without a webhook in the path only the method
sub _path ($self, $path) {
    my @parts = split m{/}, $path // '', -1;

    pop @parts if @parts > 1 && $parts[-1] eq '';

    return (undef, undef, $parts[0] // '') if @parts < 2;
    return ($parts[0], $parts[1], $parts[2] // '');
}


# Query and body merged.  A JSON body is read only from a POST, only when no
# form was, and only under exactly this media type; when it isn't JSON there
# are just no parameters.
sub _params ($self, $req) {
    my $params = parse_str($req->url->query->charset(undef)->to_string);

    return $params if $req->method ne 'POST';

    my $type = $req->headers->content_type // '';
    my ($media) = $type =~ /\A([^;]*)/;
    my $form = array_of();

    $media =~ s/\A\s+|\s+\z//g;

    if (lc $media eq 'application/x-www-form-urlencoded') {
        parse_str($req->body, $form);

    } elsif (lc $media eq 'multipart/form-data') {
        _multipart($req, $form);

    } elsif ($media eq 'application/json') {
        my $json = eval { json_decode($req->body) };
        $form = $json if is_array($json);
    }

    $params->set($_, $form->get($_)) for $form->keys;

    return $params;
}


sub _multipart ($req, $form) {
    return if !$req->content->is_multipart;

    my $count = 0;

    for my $part (@{$req->content->parts}) {
        my $disposition = $part->headers->content_disposition // '';

        next if $disposition =~ /\bfilename=/;
        next if $disposition !~ /\bname="((?:[^\\"]|\\.)*)"/;
        last if ++$count > B24::Portal::Php::MAX_INPUT_VARS;

        register_variable($form, $1, $part->asset->slurp);
    }

    return;
}


# ---- processing -------------------------------------------------------------

sub _process ($self, $call, $cb) {
    my $error = $self->_refusal($call);

    return $cb->($self->rest->failure($error)) if $error;

    if ($call->{method} ne 'batch') {
        return $self->rest->call(@$call{qw(method params)}, sub (@answer) {
            $cb->(@answer);
        });
    }

    my $cap = $self->settings->{request_cap};
    my $late = sub { Time::HiRes::time() - $call->{started} > $cap };

    return $self->rest->batch($call->{params}, $late,
        sub ($envelope, $status, $commands) {
            $call->{entry}{commands} = $commands;
            $call->{cut} = $late->();
            $cb->($envelope, $status);
        }, $call->{entry}{seq});
}


# The checks before a method runs, in the server's order: an unknown method is
# reported before credentials are looked at
sub _refusal ($self, $call) {
    my $config = $self->settings;
    my $error = sub (@args) { B24::Portal::Error->new(@args) };
    my $now = Time::HiRes::time();

    return $error->('INVALID_REQUEST')
        if $config->{https_only} && !$call->{secure};
    return $error->('QUERY_LIMIT_EXCEEDED')
        if !$self->limits->admit($call->{entry}{address}, $now);

    my $scope = $self->rest->method_scope($call->{method});

    return $error->('ERROR_METHOD_NOT_FOUND') if !defined $scope;

    my $denied = $self->_denied($call);

    return $denied if $denied;
    return $error->('insufficient_scope') if !$self->rest->has_scope($scope);
    return $error->('OPERATION_TIME_LIMIT')
        if $self->limits->blocked($call->{method}, $now);

    return;
}


sub _denied ($self, $call) {
    my $state = $self->settings->{webhook}{state};
    my $status = $self->settings->{webhook}{auth_status} || undef;
    my $code;

    if (!defined $call->{user} || $call->{user} ne $self->user) {
        $code = 'NO_AUTH_FOUND';

    } elsif ($call->{code} ne $self->code) {
        $code = 'INVALID_CREDENTIALS';

    } elsif ($state ne 'ok') {
        $code = $state;
    }

    return $code ? B24::Portal::Error->new($code, undef, $status) : undef;
}


sub _note ($self, $call, $envelope, $status) {
    my $entry = $call->{entry};

    $call->{envelope} = $envelope;
    $entry->{status} = $status;
    $entry->{error} = $envelope->get('error');
    $entry->{error_description} = $envelope->get('error_description');

    return;
}


# ---- answering --------------------------------------------------------------

# The envelope as the server sends it; a server that was cut off has nothing
# to say, the proxy before it says 504
sub respond ($self, $call, $envelope, $status) {
    if ($call->{cut}) {
        return $self->respond_raw($call, 504, 'text/html',
                                  B24::Portal::Page::gateway(504));
    }

    my ($type, $body) = $self->rendered($call, $envelope);

    return $self->respond_raw($call, $status, $type, $body);
}


# (content type, body)
sub rendered ($self, $call, $envelope) {
    if ($call->{xml}) {
        return ('text/xml; charset=utf-8',
            qq{<?xml version="1.0" encoding="utf-8"?>\n<response>}
            . _xml($envelope) . '</response>');
    }

    my $body = eval { json_encode($envelope) }
        // '{"error":"WRONG_ENCODING",'
         . '"error_description":"Wrong request encoding"}';

    return ('application/json; charset=utf-8', $body);
}


sub _xml ($array) {
    my $xml = '';

    for my $key ($array->keys) {
        my $name = $key =~ /\A-?\d+\z/ ? 'item' : $key;
        my $value = $array->get($key);
        my $inner = is_array($value) ? _xml($value)
                                     : Mojo::Util::xml_escape(strval($value));

        $xml .= "<$name>$inner</$name>";
    }

    return $xml;
}


sub respond_raw ($self, $call, $status, $type, $body, $headers = {}) {
    $self->finished($call, $status);

    return if !Mojo::IOLoop->stream($call->{connection});

    my $res = $call->{tx}->res;

    $res->headers->content_type($type) if $type;
    $res->headers->header($_ => $headers->{$_}) for keys %$headers;
    $res->headers->server('nginx');
    $res->body($body);
    $call->{c}->rendered($status);

    return;
}


# the request is over, answered or not
sub finished ($self, $call, $status) {
    my $entry = $call->{entry};

    return if $entry->{done};

    $entry->{done} = 1;
    $entry->{http_status} = $status;
    $entry->{ms} = int 1000 * (Time::HiRes::time() - $call->{started});
    $self->counts->{finished}++;
    $self->active_at(Time::HiRes::time());
    $self->changed;

    return;
}


1;
