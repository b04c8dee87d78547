package B24::RuleProbe;

# Why a block of rules does not take an exchange, or leaves a field empty: each
# of its lines is asked alone, of the module's own rules (t/tools/explain.c).
#
#   my $probe = B24::RuleProbe->new($program, $exchange, \@learned);
#   my ($failed) = $probe->failed($block);   # the first line that does not hold
#   my @tried = $probe->tried($statement);   # [alternative, value] each

use strict;
use warnings;

use B24::Exchanges ();
use IPC::Open2 ();
use JSON::PP ();

# every order must have one; this is there in each request
use constant NUMBER => '$request_method';


sub new {
    my ($class, $program, $exchange, $learned) = @_;

    return bless { program => $program, exchange => $exchange,
                   learned => $learned // [] }, $class;
}

# For each block { line => statement, answer => 1 for an accept line }, the first
# that does not hold, in the order they are looked at; undef: all hold.
sub failed {
    my ($self, @blocks) = @_;

    my @checks = map { [checks($_)] } @blocks;
    my @held = $self->ask(map { $self->alone_in($_) } map { @$_ } @checks);
    my @found;

    for my $list (@checks) {
        my $failed;

        for my $line (@$list) {
            next if shift(@held)->{held} eq 'accepted' || $failed;

            $failed = { line => $line,
                        answer => $line->{words}[0] eq 'accept' };
        }

        push @found, $failed;
    }

    return @found;
}

sub checks {
    my ($block) = @_;

    my @lines = @{$block->{lines}};
    my @methods = grep { $_->{words}[0] eq 'method' } @lines;

    # what a block without the line takes
    push @methods, { words => [qw(method POST)], file => $block->{statement}{file},
                     line => $block->{statement}{line}, implied => 1 }
        if !@methods && $block->{kind} eq 'order';

    return (@methods, map { my $word = $_;
                            grep { $_->{words}[0] eq $word } @lines }
                      qw(uri when accept));
}

sub alone_in {
    my ($self, $statement) = @_;

    return [$self->alone($statement)];
}

# The line in a shop that takes every other request.
sub alone {
    my ($self, $statement, @words) = @_;

    @words = @{$statement->{words}} if !@words;

    return (['open', 'order', 'p'],
            ($words[0] eq 'method' ? ()
                                   : ['line', 'method',
                                      $self->{exchange}{method}]),
            ['line', 'id', NUMBER],
            $statement->{in}
                ? (['open', @words],
                   (map { ['line', @{$_->{words}}] } @{$statement->{in}}),
                   ['close'])
                : ['line', @words],
            ['close']);
}

# Alternatives of a value: lists of words, a filter with what it filters.
sub alternatives {
    my (@words) = @_;
    my @list;

    for my $word (@words) {
        if (@list && $word =~ /^~(?!~)/ && $word ne '~') {
            push @{$list[-1]}, $word;
            next;
        }

        push @list, [$word];
    }

    return @list;
}

# What each alternative of a field's line gives; value undef: nothing.
sub tried {
    my ($self, $statement) = @_;

    my ($field, @words) = @{$statement->{words}};
    my @name = $field =~ /^(?:deal|contact|company_field)$/ ? shift @words : ();
    my @list = alternatives(@words);

    my @answers = $self->ask(map {
        my @all = $self->alone($statement, $field, @name, @$_);

        # the number that is there so that there is one
        @all = grep { ($_->[1] // '') ne 'id' || $_->[2] ne NUMBER } @all
            if $field eq 'id';
        \@all;
    } @list);

    return map { [join(' ', @{$list[$_]}),
                  value($answers[$_]{order}, $field, @name)] } 0 .. $#list;
}

# What a condition's sources are, without the filters: of what does not hold.
# [SOURCE, value, 1: it is something, but no text].
sub sources {
    my ($self, $statement) = @_;

    my ($word, @words) = @{$statement->{words}};
    my @list = grep { !/^(?:!|!?[~=].*)$/s } @words;
    my @there = $self->ask(map { [$self->alone({ words => [$word => $_] })] }
                           @list);

    return map { my ($tried) = $self->tried({ words => [comment => $list[$_]] });
                 [@$tried[0, 1], $there[$_]{held} eq 'accepted'] }
           0 .. $#list;
}

sub value {
    my ($order, $field, @name) = @_;

    return if !$order;

    if ($field eq 'items') {
        my $n = @{$order->{items} // []};
        return $n ? "$n item" . ($n > 1 ? 's' : '') : undef;
    }

    return $order->{fields}{$field} if !@name;

    my $part = $field eq 'company_field' ? 'company' : $field;

    return $order->{$part}{$name[0]};
}


# ---- the program ---------------------------------------------------------

# Answers, decoded, to shops that are lists of lines.
sub ask {
    my ($self, @shops) = @_;

    return if !@shops;

    my $exchange = $self->{exchange};
    my $headers = $exchange->{headers};
    my $answer = $exchange->{answer_headers};
    my @words = ('exchange', @$exchange{qw(method target)},
        B24::Exchanges::header($headers, 'Content-Type'),
        $exchange->{body}, $exchange->{status} || '',
        B24::Exchanges::header($answer, 'Content-Type'),
        B24::Exchanges::header($answer, 'Content-Encoding'),
        $exchange->{answer});

    push @words, map { ('header', @$_) } @$answer;
    push @words, map { ('var', @$_) } variables($exchange);
    push @words, map { ('learned', @$_) } @{$self->{learned}};

    for my $shop (@shops) {
        for my $line (@$shop) {
            my ($what, @rest) = @$line;
            push @words, $what, @rest ? scalar @rest : (), @rest;
        }

        push @words, 'probe';
    }

    my $pid = IPC::Open2::open2(my $from, my $to, $self->{program}, 'probe');

    # it reads all before it says anything
    binmode $_ for $from, $to;
    print {$to} map { length($_) . ":$_," } @words;
    close $to;

    my @lines = <$from>;
    waitpid $pid, 0;
    die "$self->{program} has failed\n" if $? || @lines != @shops;

    return map { JSON::PP->new->utf8->decode($_) } @lines;
}

# Those of nginx's variables that a request alone tells.
sub variables {
    my ($exchange) = @_;

    my ($path, $args) = split /\?/, $exchange->{target}, 2;
    my @list = (['request_method', $exchange->{method}],
                ['request_uri', $exchange->{target}], ['uri', $path],
                ['document_uri', $path], ['args', $args // ''],
                ['query_string', $args // ''], ['scheme', 'https'],
                ['status', $exchange->{status}],
                ['host', B24::Exchanges::header($exchange->{headers},
                                                'Host') =~ s/:\d+$//r]);

    for my $header (@{$exchange->{headers}}) {
        my ($name, $value) = @$header;

        push @list, ['http_' . lc($name) =~ tr/-/_/r, $value];
        push @list, map { /^\s*([^=\s]+)=(.*?)\s*$/s ? ["cookie_$1", $2] : () }
                    split /;/, $value if lc $name eq 'cookie';
    }

    for my $header (@{$exchange->{answer_headers}}) {
        push @list, map { [$_ . lc($header->[0]) =~ tr/-/_/r, $header->[1]] }
                    'sent_http_', 'upstream_http_';
    }

    push @list, map { /^([^=]+)=(.*)$/s ? ["arg_$1", $2] : () }
                split /&/, $args // '';

    return @list;
}

1;
