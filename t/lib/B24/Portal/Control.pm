package B24::Portal::Control;

# Control of the emulated portal, JSON over /_/:
#
#   GET  /_/report            everything it holds; ?journal=N: its last N
#                             requests only (all unless told)
#   GET  /_/wait?CONDITIONS   the report as soon as all hold, else 504 after
#                             "timeout" seconds (20):
#                               deals= contacts= companies= requisites=
#                               requests= (over) arrived= held=  at least
#                               deal=ORIGIN_ID [rows=N] [stage=STAGE_ID]
#                               stable_ms=N  no request for so long
#                             with brief=1 its counts only: a large report takes
#                             the portal a while
#   GET  /_/canary            {"spoiled": [...]}: a line for each change of a
#                             record that was there from the start, and for
#                             each reference that led nowhere, resets or not
#   POST /_/canary            {"forgive": true}: it all counts as it is now
#   POST /_/reset             a new portal; {"config": {...}} applied to it
#   POST /_/config            {...} of B24::Portal::Schema::default_config
#   POST /_/fault             a fault of B24::Portal::Faults, or a list; gives
#                             {"id":N}; {"remove":N}, {"clear":true}
#   POST /_/release           lets held requests go on; {"drop":true} closes
#                             them, {"seq":N} one of them
#   POST /_/edit              a change by a person in the CRM: {"entity":"deal",
#                             "id":N, "fields":{...}, "user":7} or
#                             {"entity":..., "id":N, "delete":true}
#   POST /_/merge             {"entity":"contact", "winner":N, "loser":M}, or of
#                             companies: what the loser had moves

use Mojo::Base -base, -signatures;

use B24::Portal::Php qw(json_decode is_array);
use B24::Portal::Report;

use Mojo::IOLoop;
use Mojo::JSON qw(encode_json decode_json);
use Time::HiRes ();

# the state file is written at most so often, in seconds
use constant STATE_INTERVAL => 0.2;

# what the state file tells of the journal
use constant STATE_JOURNAL => 200;

has 'app' => undef, weak => 1;
has waiters => sub { {} };


sub routes ($self, $routes) {
    $routes->get('/_/report' => sub ($c) {
        $c->render(data => $self->_report($c->param('journal')),
                   format => 'json');
    });
    $routes->get('/_/wait' => sub ($c) { $self->_wait($c) });
    $routes->get('/_/canary' => sub ($c) {
        $c->render(json => B24::Portal::Report::texts(
            {spoiled => [$self->app->spoiled]}));
    });

    for my $name (qw(canary reset config fault release edit merge)) {
        my $method = "_post_$name";

        $routes->post("/_/$name" => sub ($c) {
            my $body = $c->req->body;
            my $result = eval {
                $self->$method($body eq '' ? {} : decode_json($body));
            };

            if (!$result) {
                return $c->render(json => {error => _sentence($@)},
                                  status => 400);
            }

            return $c->render(json => $result);
        });
    }

    return;
}


# what an exception says; Mojolicious makes objects of plain ones
sub _sentence ($error) {
    my $text = !ref $error ? $error
             : $error->isa('B24::Portal::Error') ? $error->text
             : $error->message;

    chomp $text;

    return $text;
}


sub _report ($self, $journal = undef) {
    return encode_json(B24::Portal::Report::report($self->app, $journal));
}


# to whoever has waited
sub _told ($self, $wanted) {
    return encode_json({counts => B24::Portal::Report::counts($self->app)})
        if $wanted->{brief};
    return $self->_report($wanted->{journal});
}


sub _post_canary ($self, $body) {
    die "forgive is all there is\n" if !$body->{forgive};

    $self->app->forgive;

    return {ok => \1};
}


sub _post_reset ($self, $body) {
    $self->app->reset;
    $self->_post_config($body->{config}) if $body->{config};

    return {ok => \1};
}


# known keys only; a hash is merged into the present one, anything else replaces
sub _post_config ($self, $body) {
    my $config = $self->app->settings;

    for my $name (sort keys %$body) {
        die "no such setting: $name\n" if !exists $config->{$name};
    }

    $self->_plan($body->{plan}) if defined $body->{plan};

    for my $name (keys %$body) {
        my $value = _bytes($body->{$name});

        if (ref $value eq 'HASH') {
            $config->{$name} = {%{$config->{$name}}, %$value};

        } else {
            $config->{$name} = $value;
        }
    }

    $self->app->store->configured;
    $self->changed;

    return {ok => \1};
}


# limits of a plan: 50 requests and 2 per second, 250 and 5 on Enterprise
sub _plan ($self, $plan) {
    my %plans = (standard => [50, 2, 'ru_std'],
                 enterprise => [250, 5, 'ru_ent250']);
    my $limits = $plans{$plan} // die "plan is standard or enterprise\n";
    my $config = $self->app->settings;

    @{$config->{bucket}}{qw(burst rate)} = @$limits[0, 1];
    $config->{license} = $limits->[2];

    return;
}


# texts inside are byte strings, as everywhere in the portal
sub _bytes ($data) {
    return [map { _bytes($_) } @$data] if ref $data eq 'ARRAY';
    return {map { $_ => _bytes($data->{$_}) } keys %$data}
        if ref $data eq 'HASH';
    return $data ? 1 : 0 if ref $data;

    utf8::encode($data) if defined $data && $data =~ /[^\x00-\x7f]/;

    return $data;
}


sub _post_fault ($self, $body) {
    my $faults = $self->app->faults;

    return {ids => [map { $faults->add(_bytes($_)) } @$body]}
        if ref $body eq 'ARRAY';

    if ($body->{clear}) {
        @{$faults->list} = ();
        return {ok => \1};
    }

    if ($body->{remove}) {
        $faults->remove($body->{remove});
        return {ok => \1};
    }

    return {id => $faults->add(_bytes($body))};
}


sub _post_release ($self, $body) {
    return {released => $self->app->faults->release(%$body)};
}


# what a person does in the CRM's own pages
sub _post_edit ($self, $body) {
    my $app = $self->app;
    my $entity = $body->{entity} // '';

    die "entity is deal, contact or company\n"
        if $entity !~ /\A(?:deal|contact|company)\z/;

    my $record = $app->store->find($entity, $body->{id} // 0)
        // die "no such $entity\n";

    if ($body->{delete}) {
        $app->store->remove($record);

    } else {
        $app->store->update($record, _bytes($body->{fields} // {}),
                            $body->{user} // 7);
    }

    $self->changed;

    return {ok => \1};
}


sub _post_merge ($self, $body) {
    my $app = $self->app;
    my $entity = $body->{entity} // '';

    die "entity is contact or company\n"
        if $entity !~ /\A(?:contact|company)\z/;

    my ($winner, $loser) = map {
        $app->store->find($entity, $body->{$_} // 0) // die "no such $_\n"
    } qw(winner loser);

    die "winner and loser are the same\n" if $winner == $loser;

    $app->store->merge($winner, $loser, $body->{user} // 7);
    $self->changed;

    return {ok => \1};
}


# ---- waiting ----------------------------------------------------------------

sub _wait ($self, $c) {
    my %wanted = %{$c->req->query_params->to_hash};
    my $seconds = delete $wanted{timeout} // 20;
    my $known = qr/\A(?:deals|contacts|companies|requisites|requests|arrived
                   |held|deal|rows|stage|stable_ms|journal|brief)\z/x;

    for my $name (sort keys %wanted) {
        return $c->render(json => {error => "no such condition: $name"},
                          status => 400) if $name !~ $known;
    }

    my $tx = $c->render_later->tx;
    $c->inactivity_timeout($seconds + 60);

    my $waiter = {c => $c, tx => $tx, wanted => \%wanted};
    my $id = "$waiter";

    $waiter->{timer} = Mojo::IOLoop->timer($seconds => sub {
        delete $self->waiters->{$id};
        $c->render(data => $self->_told(\%wanted), format => 'json',
                   status => 504);
    });

    $tx->on(finish => sub { $self->_forget($id) });
    $self->waiters->{$id} = $waiter;
    $self->_check;

    return;
}


sub _forget ($self, $id) {
    my $waiter = delete $self->waiters->{$id} // return;

    Mojo::IOLoop->remove($waiter->{timer});
    Mojo::IOLoop->remove($waiter->{again}) if $waiter->{again};

    return;
}


# Looks at every waiter again, once per turn of the event loop
sub changed ($self) {
    if (!$self->{checking}++) {
        Mojo::IOLoop->next_tick(sub {
            $self->{checking} = 0;
            $self->_check;
        });
    }

    if ($self->app->state_file && !$self->{saving}++) {
        Mojo::IOLoop->timer(STATE_INTERVAL, sub {
            $self->{saving} = 0;
            $self->save;
        });
    }

    return;
}


# the state file, replaced in one step
sub save ($self) {
    my $file = $self->app->state_file // return;

    my $done = open my $handle, '>:raw', "$file.new";

    $done &&= print {$handle} $self->_report(STATE_JOURNAL);
    $done &&= close $handle;
    $done &&= rename "$file.new", $file;

    warn "cannot write $file: $!\n" if !$done;

    return;
}


sub _check ($self) {
    for my $id (keys %{$self->waiters}) {
        my $waiter = $self->waiters->{$id} // next;

        next if !$self->_holds($waiter);

        my $c = $waiter->{c};

        $self->_forget($id);
        $c->render(data => $self->_told($waiter->{wanted}), format => 'json');
    }

    return;
}


sub _holds ($self, $waiter) {
    my $wanted = $waiter->{wanted};
    my $counts = B24::Portal::Report::counts($self->app);

    for my $name (keys %$counts) {
        return 0 if defined $wanted->{$name}
            && $counts->{$name} < $wanted->{$name};
    }

    return 0 if defined $wanted->{deal} && !$self->_deal_there($wanted);
    return 1 if !$wanted->{stable_ms};

    my $quiet = Time::HiRes::time() - $self->app->active_at;
    my $left = $wanted->{stable_ms} / 1000 - $quiet;

    return 1 if $left <= 0;

    # nothing will tell us that nothing happened: look again then
    Mojo::IOLoop->remove($waiter->{again}) if $waiter->{again};
    $waiter->{again} = Mojo::IOLoop->timer($left + 0.001
                                           => sub { $self->_check });

    return 0;
}


sub _deal_there ($self, $wanted) {
    my $origin = $wanted->{deal};

    utf8::encode($origin);

    for my $deal ($self->app->store->by_origin('deal', $origin)) {
        next if @{$deal->{rows}} < ($wanted->{rows} // 0);
        next if defined $wanted->{stage}
            && ($deal->{fields}{STAGE_ID} // '') ne $wanted->{stage};

        return 1;
    }

    return 0;
}


1;
