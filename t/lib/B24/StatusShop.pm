package B24::StatusShop;

# A shop whose orders have a status, and an interface to set it, in a process of
# its own: for what the module writes back to shops.
#
#   POST /login   user=crm&password=...      {"token":"..."}, 401
#   POST /set     X-Token, id=e-1&status=P   {"ok":1,"id":"e-1","status":"P"},
#                                            {"error":"..."}
#   PUT  /api/orders/e-1  Authorization: Basic, {"status":"P"}
#                                            {"id":"e-1","status":"P"}
#
#   my $shop = B24::StatusShop->start($port);
#   $shop->mood(silent => 1);      yes to everything, nothing is changed
#   $shop->mood(answer => 503);    to each call; 0: as usual
#   $shop->mood(hang => 5);        seconds, before each answer
#   $shop->mood(hold => 1);        no answer before hold => 0
#   $shop->mood(lose => 1);        does it, closes without an answer
#   $shop->mood(password => 'x', refuse => 'words', expire => 1);
#   $shop->mood(brief => 2);       so many sessions are over before they are used
#   $shop->order('e-1');           its status, as it is now
#   $shop->calls;                  a list: "login", "set e-1 N P"

use strict;
use warnings;

use Mojo::IOLoop;
use Mojo::JSON qw(decode_json encode_json);
use Mojo::Server::Daemon;
use Mojo::UserAgent;
use Mojolicious;
use POSIX ();
use Time::HiRes ();

use constant { USER => 'crm', PASSWORD => 's3cret:pass word' };


sub start {
    my ($class, $port) = @_;

    my $self = bless { port => $port, owner => $$ }, $class;

    $self->{pid} = fork // die "cannot fork: $!\n";

    if ($self->{pid} == 0) {

        # the blocks of the test are in it: Mojolicious looks for templates there
        close main::DATA;

        eval { serve($port); 1 } or print STDERR $@;
        POSIX::_exit(0);
    }

    for (1 .. 200) {
        return $self if eval { $self->state };
        Time::HiRes::sleep(0.05);
    }

    die "the shop does not answer on port $port\n";
}

sub url { return "http://127.0.0.1:$_[0]{port}" }

sub state {
    my ($self) = @_;

    return Mojo::UserAgent->new->get($self->url . '/_/state')->result->json;
}

sub mood {
    my ($self, %mood) = @_;

    Mojo::UserAgent->new->post($self->url . '/_/mood', json => \%mood)->result;

    return;
}

# Back to the beginning.
sub reset {
    my ($self) = @_;

    return $self->mood(reset => 1);
}

# Its status, or, with another argument, a person in the shop sets it.
sub order {
    my ($self, $id, $status) = @_;

    $self->mood(orders => { $id => $status }) if defined $status;

    return $self->state->{orders}{$id} // 'N';
}

sub calls {
    my ($self) = @_;

    return @{$self->state->{calls}};
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};

    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;

    return;
}


# ---- the process ---------------------------------------------------------

sub serve {
    my ($port) = @_;

    my $app = Mojolicious->new;
    my %shop = fresh();
    my $r = $app->routes;

    $app->log->level('fatal');
    $app->secrets(['none']);

    $r->get('/_/state' => sub {
        $_[0]->render(json => { orders => $shop{orders},
                                calls => $shop{calls} });
    });

    $r->post('/_/mood' => sub {
        my ($c) = @_;

        my %mood = %{$c->req->json};

        %shop = fresh() if delete $mood{reset};
        $shop{tokens} = {} if delete $mood{expire};
        $shop{orders} = { %{$shop{orders}}, %{delete $mood{orders}} }
            if $mood{orders};
        %shop = (%shop, %mood);

        $c->render(json => {});
    });

    $r->post('/login' => sub {
        my ($c) = @_;

        answered($c, \%shop, 'login', sub {
            return ({ error => 'who are you' }, 401)
                if $c->param('user') ne USER
                   || $c->param('password') ne $shop{password};

            my $token = sprintf 't%08d%04d', rand 1e8, ++$shop{n};

            $shop{tokens}{$token} = 1;

            return { token => $token };
        });
    });

    $r->post('/set' => sub {
        my ($c) = @_;

        my ($id, $to) = ($c->param('id'), $c->param('status'));

        answered($c, \%shop, "set $id", sub {
            return { error => 'session' }
                if !$shop{tokens}{$c->req->headers->header('X-Token') // ''}
                   || ($shop{brief} && $shop{brief}--);

            return put(\%shop, $id, $to);
        });
    });

    $r->put('/api/orders/*id' => sub {
        my ($c) = @_;

        my ($id, $to) = ($c->param('id'), ($c->req->json || {})->{status});

        answered($c, \%shop, "put $id", sub {
            return ({ error => 'who are you' }, 401)
                if $c->req->url->to_abs->userinfo ne USER . ":$shop{password}";

            return put(\%shop, $id, $to);
        });
    });

    my $daemon = Mojo::Server::Daemon->new(app => $app, silent => 1,
                                           listen => ["http://127.0.0.1:$port"]);

    # the test may end without a word
    my $parent = getppid;
    Mojo::IOLoop->recurring(1 => sub { POSIX::_exit(0) if getppid != $parent });

    $daemon->run;

    return;
}

sub fresh {
    return (orders => {}, calls => [], tokens => {}, n => 0,
            password => PASSWORD, map { $_ => 0 }
            qw(silent answer hang hold lose refuse brief));
}

sub put {
    my ($shop, $id, $to) = @_;

    my $was = $shop->{orders}{$id} // 'N';

    return { error => $shop->{refuse} } if $shop->{refuse};

    $shop->{orders}{$id} = $to if !$shop->{silent};
    $shop->{calls}[-1] .= " $was $to";

    return { ok => 1, id => $id,
             status => $shop->{silent} == 1 ? $to : $shop->{orders}{$id} // 'N' };
}

sub answered {
    my ($c, $shop, $name, $do) = @_;

    push @{$shop->{calls}}, $name;

    return $c->render(status => $shop->{answer}, text => 'no')
        if $shop->{answer};

    my ($json, $status) = $do->();

    return Mojo::IOLoop->stream($c->tx->connection)->close if $shop->{lose};

    return $c->render(json => $json, status => $status // 200)
        if !$shop->{hang} && !$shop->{hold};

    $c->render_later;

    if ($shop->{hold}) {
        my $tx = $c->tx;
        my $id;

        $id = Mojo::IOLoop->recurring(0.05 => sub {
            return if $shop->{hold};

            Mojo::IOLoop->remove($id);
            $c->render(json => $json, status => $status // 200) if $c->tx;
            undef $tx;
        });

        return;
    }

    # the caller may have gone
    my $tx = $c->tx;

    Mojo::IOLoop->timer($shop->{hang} => sub {
        $c->render(json => $json, status => $status // 200) if $c->tx;
        undef $tx;
    });

    return;
}

1;
