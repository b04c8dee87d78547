package B24::Chaos::Plan;

# What a run of chaos is going to do, drawn from a seed before it begins: the
# orders with their buyers, what the shop and the client do to each of them, and
# the events (kills, reloads, faults of the portal), each at the order it comes
# with.  The same seed and number of orders give the same plan, and a longer
# plan begins like a shorter one.
#
#   my $plan = B24::Chaos::Plan->new(seed => 7, orders => 1000,
#                                    products => [...]);
#   $plan->orders;      # hashes, see _order()
#   $plan->events;      # hashes {at => ORDER, kind, ...}, see _events()
#   $plan->digest;      # of all of it

use strict;
use warnings;
use utf8;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use List::Util qw(shuffle sum0);

# Nothing happens before this order, so that the first start is a quiet one.
use constant FIRST => 8;

# So many orders after a write was held many are of the buyers who have come
# since.
use constant CROWD => 40;

# What may lie between two kills and between two faults, in orders.
use constant {
    KILL_STEP  => [16, 28],
    FAULT_STEP => [7, 15],
};

my @FIRST_NAMES = ('Анна', 'Пётр', 'Мария', 'Тимур «Тима»', 'Жанна', 'Лев',
                   'Юлия', 'Фёдор', 'Айгуль', 'Олег');
my @LAST_NAMES = ('Ёлкина', "О'Нил-Сидоров", 'Щукина', 'Валиев', 'Цой',
                  'Чернышёва', 'Эйхенвальд', 'Петров & сын', 'Ямщикова');

# One number, as buyers write it.  "d" is a digit of the ten.
my @NOTATIONS = ('+7 (ddd) ddd-dd-dd', '8 ddd ddd dd dd', '+7dddddddddd',
                 '8(ddd)ddddddd', 'ddd ddd-dd-dd', '7ddd-ddd-dd-dd');

my @DELIVERIES = (['courier', 35000], ['post', 24990], ['pickup', 0]);


# Takes seed, orders, products (id, sku, name, price in kopecks, vat, step in
# thousandths, measure).
sub new {
    my ($class, %args) = @_;

    my $self = bless {%args, buyers => [], firms => []}, $class;

    $self->{events} = [$self->_events];

    # orders that come while a write is held
    for my $event (grep { $_->{kind} eq 'held' } @{$self->{events}}) {
        $self->{crowd}{$_} = $event->{at}
            for $event->{at} - 1 .. $event->{at} + CROWD;
    }

    srand $args{seed};
    $self->{list} = [map { $self->_order($_) } 1 .. $args{orders}];

    return $self;
}


sub orders { return @{$_[0]{list}} }
sub events { return @{$_[0]{events}} }


sub digest {
    my ($self) = @_;

    return substr sha256_hex($self->text), 0, 12;
}


# A line for each order and event.
sub text {
    my ($self) = @_;

    my $json = JSON::PP->new->canonical->utf8;

    return join '', map { $json->encode($_) . "\n" } $self->orders,
                                                     $self->events;
}


# How many events of each kind there are, as one line.
sub summary {
    my ($self) = @_;

    my %counts;

    $counts{$_->{kind}}++ for $self->events;

    return join ', ', map { "$_ $counts{$_}" } sort keys %counts;
}


# ---- chance ------------------------------------------------------------------

sub _one   { return $_[int rand @_] }
sub _range { return $_[0] + int rand($_[1] - $_[0] + 1) }


# PAIRS are value and weight in turn.
sub _weighted {
    my (@pairs) = @_;

    my $left = rand sum0 map { $pairs[2 * $_ + 1] } 0 .. $#pairs / 2;

    while (@pairs > 2) {
        my ($value, $weight) = splice @pairs, 0, 2;

        $left -= $weight;
        return $value if $left < 0;
    }

    return $pairs[0];
}


# ---- orders ------------------------------------------------------------------

# An order:
#
#   n, mark     its number in the plan; the mark stands in the order's comment
#               and so tells it in every list
#   shop        "own" or "php"; form "json", "form", "multipart"
#   token       of the checkout: repeated submits are one order
#   buyer, firm as they are; phone as it is typed this time
#   items, delivery, total   amounts in kopecks, quantities in thousandths
#   answer      what the shop does: see _answer()
#   client      what the client does: see _client()
#   retry       whether it tries again when it got no answer
#   pad         further bytes in the body
#   wrong       1: the total is a kopeck off, the shop refuses
sub _order {
    my ($self, $n) = @_;

    my $buyer = $self->_buyer($n);
    my $order = {
        n => $n, mark => sprintf('mark-%05d', $n),
        token => sprintf('chaos-%d-%05d', $self->{seed}, $n),
        shop => _weighted(own => 65, php => 35),
        form => _weighted(json => 55, form => 35, multipart => 10),
        buyer => $buyer, phone => _typed($buyer->{digits}),
        firm => rand() < 0.08 ? $self->_firm : undef,
        retry => rand() < 0.6 ? 1 : 0,
        pad => rand() < 0.06 ? _range(66_000, 180_000) : 0,
        wrong => rand() < 0.06 ? 1 : 0,
    };

    $self->_cart($order);
    _client($order);
    _answer($order);

    return $order;
}


# Half of the orders are by buyers known already, and often by one whose order
# has just been placed, perhaps in the other shop.
sub _buyer {
    my ($self, $order) = @_;

    my $known = $self->{buyers};

    if (my $since = $self->{crowd}{$order}) {
        my @new = grep { $_->{since} >= $since - 1 } @$known;

        return _one(@new) if @new && rand() < 0.6;
    }

    my $kind = _weighted(new => 50, last => 12, recent => 25, any => 13);

    if (!@$known || $kind eq 'new') {
        my $n = @$known + 1;

        push @$known, {
            n => $n, since => $order,
            digits => sprintf('916%07d', 1000 + $n * 13),
            name => _one(@FIRST_NAMES) . ' ' . _one(@LAST_NAMES) . " $n",
            email => "Buyer.$n\@example.com",
        };
        return $known->[-1];
    }

    return $known->[-1] if $kind eq 'last';
    return $known->[- _range(1, @$known < 10 ? scalar @$known : 10)]
        if $kind eq 'recent';
    return _one(@$known);
}


sub _typed {
    my ($digits) = @_;

    my @digits = split //, $digits;

    return _one(@NOTATIONS) =~ s/d/shift @digits/ger;
}


sub _firm {
    my ($self) = @_;

    my $known = $self->{firms};

    return _one(@$known) if @$known && rand() < 0.5;

    my $n = @$known + 1;

    push @$known, {
        company => "ООО «Ромашка № $n»", inn => _inn(770_000_000 + $n * 37),
        kpp => '770701001',
    };

    return $known->[-1];
}


# nine digits and their check digit
sub _inn {
    my ($digits) = @_;

    my @weights = (2, 4, 10, 3, 5, 9, 4, 6, 8);
    my @digits = split //, $digits;
    my $sum = sum0 map { $weights[$_] * $digits[$_] } 0 .. 8;

    return $digits . $sum % 11 % 10;
}


sub _cart {
    my ($self, $order) = @_;

    my @products = (shuffle @{$self->{products}})[0 .. _range(0, 3)];
    my ($delivery, $price) = @{_one(@DELIVERIES)};

    # an order for nothing is no order
    push @products, grep { $_->{sku} eq 'BOOK-MM' } @{$self->{products}}
        if !grep { $_->{price} } @products;

    for my $product (@products) {
        my $step = $product->{step};
        my $qty = $step * _range(1, $step < 1000 ? 9 : 4);

        push @{$order->{items}}, {
            (map { $_ => $product->{$_} } qw(id sku name price vat measure)),
            qty => $qty, sum => int(($product->{price} * $qty + 500) / 1000),
        };
    }

    $order->{delivery} = $delivery;
    $order->{delivery_price} = $price;
    $order->{total} = $price + sum0 map { $_->{sum} } @{$order->{items}};

    return;
}


# What the client does:
#
#   wait        for the answer
#   leave       goes after "leave" ms, before the answer: the shop is slow
#   double      sends it twice at the same time
#   again       sends it once more after the answer
#   torn        goes in the middle of the request
sub _client {
    my ($order) = @_;

    $order->{client} = _weighted(wait => 80, leave => 7, double => 6,
                                 again => 5, torn => 2);
    $order->{leave} = _range(20, 120) if $order->{client} eq 'leave';

    return;
}


# What the shop does, "before" and "after" it has accepted the order, in ms, and
# then, as "answer":
#
#   whole       says so
#   chunked     the same without a length (own)
#   cut         closes the connection without a word
#   half        closes it in the middle of the answer (own)
#   late        answers when nginx has given up (own)
#   big         answers more than is read (own)
#   empty       answers nothing, with a status that says yes (php, JSON)
sub _answer {
    my ($order) = @_;

    my $own = $order->{shop} eq 'own';

    if ($order->{client} eq 'leave') {
        @$order{qw(before after answer)} = (0, _range(250, 500), 'whole');
        return;
    }

    $order->{before} = _weighted(0 => 88, _range(10, 300) => 12);
    $order->{after} = _weighted(0 => 75, _range(10, 400) => 25);
    $order->{answer} = $own
        ? _weighted(whole => 84, chunked => 8, cut => 3, half => 2, late => 1,
                    big => 2)
        : _weighted(whole => 96, cut => 3,
                    $order->{form} eq 'json' ? (empty => 1) : ());

    return;
}


# ---- events ------------------------------------------------------------------

# What happens to nginx, and how often of a round:
#
#   worker      kill -9 of a worker ("which": 0 .. 1 of those there are)
#   courier     kill -9 of the worker that delivers
#   held        the portal holds a write for "seconds" (and then processes it,
#               or has done so: "when"), meanwhile kill -9 of the worker that
#               delivers; "again": and of the one that takes over
#   all         kill -9 of the master and then of all workers, start
#   master      kill -9 of the master; workers go on for "ms", then they get
#               "signal"; start
#   reload      HUP, "times" times in a row
#   stop        "signal" QUIT or TERM to the master, start
my @DECK = (
    (map { {kind => 'worker'} } 1 .. 7), (map { {kind => 'courier'} } 1 .. 4),
    (map { {kind => 'held', when => $_->[0], again => $_->[1],
            method => $_->[2]} }
         ['before', 0, 'crm\.contact\.add'], ['before', 0, 'crm\.deal\.add'],
         ['before', 0, 'crm\.contact\.add'], ['after', 0, 'crm\.deal\.add'],
         ['before', 1, 'crm\.contact\.add'], ['before', 1, 'crm\.deal\.add']),
    (map { {kind => 'all'} } 1 .. 3),
    (map { {kind => 'master', signal => $_} } qw(KILL QUIT)),
    (map { {kind => 'reload', times => $_} } 1, 1, 1, 2),
    (map { {kind => 'stop', signal => $_} } qw(QUIT QUIT TERM)),
);

# The portal does its work within HOLD seconds at most, and a run waits longer
# (b24_retry unknown=) before it looks what came of a request.
use constant HOLD => 4;

my @WRITES = ('crm\.deal\.add', 'crm\.deal\.add', 'crm\.contact\.add',
              'crm\.deal\.productrows\.set');
my @READS = ('crm\.deal\.list', 'crm\.duplicate\.findbycomm');

# Faults of the portal, the classes of the error table in turn.  What the portal
# refuses for good is told by the text and the order it hits is parked.
my @OPERATOR = (
    ['OVERLOAD_LIMIT', 503], ['PORTAL_DELETED', 500],
    ['INVALID_CREDENTIALS', 403], ['ACCESS_DENIED', 403],
    ['expired_token', 401], ['insufficient_scope', 403],
    ['METHOD_CONFIRM_WAITING', 401], ['NO_AUTH_FOUND', 401],
    ['user_access_error', 403], ['authorization_error', 401],
    ['verification_needed', 401], ['ERROR_OAUTH', 401],
);
my @UNKNOWN = (
    ['INTERNAL_SERVER_ERROR', 500], ['ERROR_UNEXPECTED_ANSWER', 500],
    ['ERROR_CORE', 500], ['WRONG_ENCODING', 200], ['SOMETHING_ELSE', 500],
);
my @PERMANENT = (
    ['ERROR_CORE', 400], ['', 400], ['ERROR_ARGUMENT', 400], ['100', 400],
    ['CRM_FIELD_ERROR_VALUE_NOT_VALID', 400], ['SOMETHING_ELSE', 400],
);


sub _faults {
    return (
        # an answer lost, the request done or not
        (map { my $when = $_;
               map { {kind => 'drop', when => $when, method => $_} } @WRITES }
             qw(before after after)),
        (map { {kind => 'drop', when => $_, reset => 1,
                method => _one(@WRITES)} } qw(before after)),
        (map { {kind => 'half', method => $_} } @WRITES[1 .. 3]),
        (map { {kind => 'html', status => $_->[0], when => $_->[1],
                method => _one(@WRITES)} }
             [502, 'before'], [502, 'after'], [504, 'after'], [500, 'after']),
        (map { {kind => $_, when => 'after', method => _one(@WRITES)} }
             qw(empty badjson)),
        {kind => 'big', bytes => 9 * 1024 * 1024, method => _one(@WRITES)},
        {kind => 'big', bytes => 9 * 1024 * 1024, chunked => 1,
         method => _one(@WRITES)},
        (map { {kind => 'error', when => 'after', error => $_->[0],
                status => $_->[1], method => _one(@WRITES)} } @UNKNOWN),
        (map { {kind => 'command', when => $_, error => 'INTERNAL_SERVER_ERROR',
                description => 'Internal server error',
                method => _one(@WRITES)} } qw(before after after)),
        (map { {kind => 'command', when => 'before', method => $WRITES[3],
                error => 'ERROR_UNEXPECTED_ANSWER'} } 1 .. 2),

        # a look-up that fails
        (map { {kind => $_, when => 'after', method => _one(@READS)} }
             qw(drop half html empty badjson)),
        {kind => 'command', error => 'ERROR_UNEXPECTED_ANSWER',
         method => _one(@READS)},

        # a time to wait for
        (map { {kind => 'error', status => 503, times => $_,
                error => 'QUERY_LIMIT_EXCEEDED'} } 1 .. 3),
        {kind => 'error', status => 429, error => 'OPERATION_TIME_LIMIT',
         reset_in => 2},
        {kind => 'error', status => 401, error => '',
         description => 'Error connecting to authorization server'},

        # whatever needs a person, who helps within a second
        (map { {kind => 'error', error => $_->[0], status => $_->[1],
                times => _range(1, 3)} } (shuffle @OPERATOR)[0 .. 3]),
        {kind => 'redirect', location => 'http://127.0.0.1:9/rest/1/x/'},

        # this order only (a contact would be tried again without its e-mail)
        (map { {kind => 'command', error => $_->[0],
                description => 'chaos refuses', status => $_->[1],
                method => _one(@WRITES[0, 3])} } (shuffle @PERMANENT)[0 .. 1]),

        # slowness
        (map { {kind => 'hang', when => $_->[0], seconds => $_->[1],
                method => _one(@WRITES)} }
             ['before', 0.4], ['after', 2.5], ['before', 1.2]),
        {kind => 'hang', when => 'after', seconds => 1, then => 'drop',
         method => _one(@WRITES)},
        {kind => 'hang', when => 'before', seconds => 0.7,
         method => _one(@READS)},
        {kind => 'slow', seconds => 0.08, times => _range(6, 30)},

        # the wire
        (map { {kind => 'refuse', ms => $_} } _range(100, 400),
            _range(400, 1500)),
        {kind => 'tear', bytes => _range(1, 400)},
        {kind => 'tear', bytes => 0},
    );
}


sub _events {
    my ($self) = @_;

    my @events;

    # streams of their own: one doesn't move the other
    srand $self->{seed} + 1_000_003;

    push @events, $self->_series(KILL_STEP, sub { shuffle @DECK }, sub {
        my ($event) = @_;

        $event->{which} = sprintf '%.3f', rand;
        $event->{seconds} = HOLD if $event->{kind} eq 'held';
        $event->{ms} = _range(0, 600) if $event->{kind} eq 'master';
        $event->{lag} = _range(0, 90);
    });

    srand $self->{seed} + 2_000_003;

    push @events, $self->_series(FAULT_STEP, sub { shuffle _faults() }, sub {
        my ($event) = @_;

        $event->{fault} = {%$event};
        $event->{kind} = "fault $event->{kind}";
        delete @$event{grep { !/^(?:kind|fault)$/ } keys %$event};
    });

    return sort { $a->{at} <=> $b->{at} || $a->{kind} cmp $b->{kind} } @events;
}


# Events from a deck that is dealt out to its end and made anew.
sub _series {
    my ($self, $step, $deck, $finish) = @_;

    my (@cards, @events);

    for (my $at = FIRST; $at < $self->{orders}; $at += _range(@$step)) {
        @cards = $deck->() if !@cards;

        my $event = {%{shift @cards}};

        $finish->($event);
        $event->{at} = $at;
        push @events, $event;
    }

    return @events;
}


1;
