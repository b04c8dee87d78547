# Many orders of many buyers, in random order and many at a time: as many contacts
# as there are buyers, as many deals as there are orders, each with its rows and
# its total.
#
# The order is drawn from B24_SEED, which is the process's own number unless the
# environment has one; it is printed, so that a failure can be repeated.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Crm;
use List::Util qw(shuffle);

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $seed = $ENV{B24_SEED} // $$;
our $server = B24::Crm::server();

use constant {
    BUYERS     => 60,
    ORDERS     => 200,
    AT_A_TIME  => 16,
    DELIVERIES => 120,      # seconds for all of them
};


# ---- buyers --------------------------------------------------------------

# ways to write a number of ten digits
my @notations = (
    sub { "+7$_[0]" }, sub { "8$_[0]" }, sub { "7$_[0]" }, sub { $_[0] },
    sub { '+7 (' . join('-', parts($_[0])) =~ s/-/) /r },
    sub { '8 (' . join(' ', parts($_[0])) =~ s/ /) /r },
    sub { join '-', 8, parts($_[0]) }, sub { join '.', '+7', parts($_[0]) },
    sub { "007$_[0]" }, sub { "  8 $_[0]  " }, sub { "тел. +7$_[0]" },
    sub { "+7\x{a0}" . join "\x{2009}", parts($_[0]) },
    sub { '8(' . join('', parts($_[0])) =~ s/^(...)/$1)/r . ', доб. 12' },
    sub { "+7$_[0] / +7 495 111-22-33" },
);

sub parts {
    return $_[0] =~ /^(...)(...)(..)(..)$/;
}

# abroad: as it is dialled, and the number
my @abroad = (
    ['+375 29 %03d-45-67', '+37529%03d4567'],
    ['0037529%03d4568', '+37529%03d4568'],
    ['+49 (151) 2345%03d', '+491512345%03d'],
);

# Buyers by what they tell: the phone always, the e-mail always, or one of the
# two only.  What tells a buyer is in each of his orders.
sub buyers {
    my @buyers;

    for my $n (0 .. BUYERS - 1) {
        my $kind = (qw(phone phone email phone_only email_only))[$n % 5];
        my $digits = sprintf '9%02d%07d', 10 + $n % 80, 1_000_000 + 7919 * $n;
        my $abroad = $n % 15 == 3 ? $abroad[$n % 3] : undef;

        push @buyers, {
            n => $n, kind => $kind, digits => $digits, abroad => $abroad,
            name => "Покупатель $n",
            phone => $kind eq 'email_only' ? undef
                   : $abroad ? sprintf $abroad->[1], $n : "+7$digits",
            email => $kind eq 'phone_only' ? undef
                   : "Buyer.$n\@Example.com",
        };
    }

    return @buyers;
}

sub typed_phone {
    my ($buyer) = @_;

    return sprintf $buyer->{abroad}[0], $buyer->{n} if $buyer->{abroad};

    return $notations[rand @notations]->($buyer->{digits});
}

sub typed_email {
    my ($buyer) = @_;

    my $email = $buyer->{email};

    return ($email, lc $email, uc $email, " $email ")[rand 4];
}

# What the buyer tells with one order.
sub told {
    my ($buyer) = @_;

    my $kind = $buyer->{kind};
    my %told = (name => $buyer->{name});

    $told{phone} = typed_phone($buyer)
        if $kind =~ /^phone/ || $kind eq 'email' && rand() < 0.5;
    $told{email} = typed_email($buyer)
        if $kind =~ /^email/ || $kind eq 'phone' && rand() < 0.5;

    return %told;
}


# ---- orders --------------------------------------------------------------

sub amount {
    my ($kopecks) = @_;

    return sprintf '%s%d.%02d', $kopecks < 0 ? '-' : '',
                   int(abs($kopecks) / 100), abs($kopecks) % 100;
}

# An order of a buyer: { id, buyer, items => [[name, kopecks, quantity,
# line's kopecks], ...], delivery, discount, total } in kopecks.
sub new_order {
    my ($id, $buyer) = @_;

    my (@items, $total);

    for my $n (1 .. 1 + int rand 5) {
        my $price = 1 + int rand 1_000_000;
        my $quarters = rand() < 0.8 ? 4 * (1 + int rand 9) : 1 + int rand 40;
        my $line = int(($price * $quarters + 2) / 4);

        push @items, ["Товар $id/$n «ё»", $price, $quarters, $line];
        $total += $line;
    }

    my $delivery = rand() < 0.7 ? int rand 50_000 : 0;
    my $discount = rand() < 0.3 ? 1 + int rand $total / 2 : 0;

    return { id => $id, buyer => $buyer, items => \@items,
             delivery => $delivery, discount => $discount,
             total => $total + $delivery - $discount };
}

sub bytes_of {
    my ($order) = @_;

    my $body = B24::Crm::order_body(
        id => $order->{id}, told($order->{buyer}),
        total => amount($order->{total}),
        delivery => $order->{delivery} ? amount($order->{delivery}) : undef,
        discount => $order->{discount} ? amount($order->{discount}) : undef,
        items => [map { { name => $_->[0], price => amount($_->[1]),
                          quantity => $_->[2] / 4 . '' } }
                      @{$order->{items}}]);

    return B24::Client::request_bytes('POST', '/checkout', $body,
        'Content-Type' => 'application/json');
}

# Sends orders, some at a time, each on a connection of its own; how many the
# shop has accepted.
sub send_orders {
    my ($at_a_time, @orders) = @_;

    my $accepted = 0;

    while (my @some = splice @orders, 0, $at_a_time) {
        $accepted += grep { /\r\n\r\n\{"ok":true\}\z/ }
            B24::Scenario::parallel_requests(map { bytes_of($_) } @some);
    }

    return $accepted;
}


# ---- what has come of them -----------------------------------------------

# Lines for what is wrong with a deal.
sub wrong_deal {
    my ($order, @deals) = @_;

    return "$order->{id}: " . @deals . ' deals' if @deals != 1;

    my ($deal) = @deals;
    my @wrong;
    my $is = sub {
        my ($what, $got, $want) = @_;

        push @wrong, "$order->{id}: $what: $got, not $want" if $got ne $want;
    };

    $is->(total => $deal->{opportunity}, amount($order->{total}));
    $is->('sum of the rows', $deal->{rows_sum}, amount($order->{total}));
    $is->(contacts => scalar @{$deal->{contact_ids}}, 1);
    $is->(title => $deal->{title}, "Order #$order->{id}");

    # a line that no price gives exactly is more than one row, or renamed
    my @rows = @{$deal->{rows}};
    my $plain = 1;

    for my $item (@{$order->{items}}) {
        my ($name, $price, $quarters, $line) = @$item;
        my @own = grep { index($_->{product_name}, $name) == 0 } @rows;

        @rows = grep { index($_->{product_name}, $name) != 0 } @rows;
        $is->($name, amount(sum_of(@own)), amount($line));

        if ($quarters % 4 == 0) {
            $is->("$name, rows", scalar @own, 1);
            $is->("$name, price", $own[0]{price} // '-', amount($price));
            $is->("$name, quantity", $own[0]{quantity} // '-', $quarters / 4);
        }
    }

    my %rest = map { $_->{product_name} => $_ } @rows;

    $is->('other rows', join(' ', sort keys %rest), join ' ',
          $order->{delivery} ? 'Delivery' : (),
          $order->{discount} ? 'Discount' : ());
    $is->(delivery => $rest{Delivery}{sum}, amount($order->{delivery}))
        if $order->{delivery} && $rest{Delivery};
    $is->(discount => $rest{Discount}{sum}, amount(-$order->{discount}))
        if $order->{discount} && $rest{Discount};

    return @wrong;
}

# in kopecks
sub sum_of {
    my $sum = 0;

    $sum += $_->{sum} =~ s/\.(\d\d)\d*$/$1/r for @_;

    return $sum;
}

# Lines for what is wrong with a buyer's contact.
sub wrong_buyer {
    my ($buyer, $crm, @orders) = @_;

    my %ids = map { $_ => 1 } map { @{$_->{contact_ids}} }
              map { @{$crm->{deals}{$_->{id}} // []} } @orders;

    return "buyer $buyer->{n}: contacts " . join ' ', sort keys %ids
        if keys %ids != 1;

    my ($contact) = map { $crm->{contacts}{$_} // {} } keys %ids;
    my @wrong;

    push @wrong, "buyer $buyer->{n}: name $contact->{name}"
        if $contact->{name} ne $buyer->{name};
    push @wrong, map { "buyer $buyer->{n}: phone $_" }
        grep { $_ ne ($buyer->{phone} // '') } @{$contact->{phones}};
    push @wrong, map { "buyer $buyer->{n}: e-mail $_" }
        grep { $_ ne lc($buyer->{email} // '') } @{$contact->{emails}};
    push @wrong, "buyer $buyer->{n}: no phone"
        if $buyer->{kind} =~ /^phone/ && !@{$contact->{phones}};
    push @wrong, "buyer $buyer->{n}: no e-mail"
        if $buyer->{kind} =~ /^email/ && !@{$contact->{emails}};

    return @wrong;
}

sub first_lines {
    my (@lines) = @_;

    my $more = @lines > 8 ? "\n... and " . (@lines - 8) : '';

    return join("\n", splice @lines, 0, 8) . $more;
}

sub all_there {
    my ($crm, @orders) = @_;

    my (%of, %buyers);

    for my $order (@orders) {
        push @{$of{$order->{buyer}{n}}}, $order;
        $buyers{$order->{buyer}{n}} = $order->{buyer};
    }

    Test::More::is($crm->{report}{counts}{deals}, scalar @orders,
                   @orders . ' deals');
    Test::More::is($crm->{report}{counts}{contacts}, scalar keys %buyers,
                   keys(%buyers) . ' contacts');
    Test::More::is(first_lines(map { wrong_deal($_,
                       @{$crm->{deals}{$_->{id}} // []}) } @orders), '',
                   'each deal with all its rows and its total');
    Test::More::is(first_lines(map { wrong_buyer($buyers{$_}, $crm,
                       @{$of{$_}}) } sort { $a <=> $b } keys %of), '',
                   'each buyer is one contact');
}

# Two hundred orders of sixty buyers; CONFIG is for the portal.
sub many {
    my ($salt, %config) = @_;

    my $portal = B24::Test::portal();

    $portal->config(%config) if %config;
    srand $seed + $salt;
    Test::More::note("B24_SEED=$seed");

    # each buys at least once
    my @buyers = buyers();
    my $n = 0;
    my @orders = shuffle map { new_order('m-' . ++$n, $_) }
                 @buyers, map { $buyers[rand @buyers] } 1 .. ORDERS - @buyers;

    Test::More::is(send_orders(AT_A_TIME, @orders), ORDERS, 'all accepted');
    Test::More::ok(B24::Crm::accepted(ORDERS, timeout => DELIVERIES),
                   'all delivered');
    all_there(B24::Crm::whole_crm(), @orders);

    Test::More::diag("repeat with B24_SEED=$seed")
        if !Test::More->builder->is_passing;
}

# So many orders of one new buyer, all at the same time.
sub at_once {
    my ($count, $kind, %config) = @_;

    my $portal = B24::Test::portal();

    $portal->config(%config) if %config;
    srand $seed + $count;
    Test::More::note("B24_SEED=$seed");

    my ($buyer) = grep { $_->{kind} eq $kind } buyers();
    my @orders = map { new_order("a-$_", $buyer) } 1 .. $count;

    Test::More::is(send_orders($count, @orders), $count, 'all accepted');
    Test::More::ok(B24::Crm::accepted($count, timeout => DELIVERIES),
                   'all delivered');
    all_there(B24::Crm::whole_crm(), @orders);

    Test::More::diag("repeat with B24_SEED=$seed")
        if !Test::More->builder->is_passing;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: two hundred orders of sixty buyers, classic methods
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::many(1);



=== TEST 2: two hundred orders of sixty buyers, universal methods
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::many(2);



=== TEST 3: two orders of a new buyer at once, classic methods
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::at_once(2, 'phone');



=== TEST 4: two orders of a new buyer at once, universal methods
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::at_once(2, 'email_only');



=== TEST 5: fifty orders of a new buyer at once, classic methods
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::at_once(50, 'phone');



=== TEST 6: fifty orders of a new buyer at once, universal methods
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::at_once(50, 'email');



=== TEST 7: the portal finds a new contact some requests later, classic methods
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::at_once(10, 'phone_only', index_lag => { requests => 6 });



=== TEST 8: the portal finds a new contact some requests later, universal methods
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::at_once(10, 'email', index_lag => { requests => 6 });



=== TEST 9: two hundred orders while answers get lost, classic methods
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'drop_after', body => 'm-\d*7\b', times => 12);
    portal()->fault(kind => 'drop_before', body => 'm-\d*3\b', times => 12);
    main::many(9);
    is(scalar(grep { $_->{fault} } requests()), 24, 'they were lost');



=== TEST 10: two hundred orders, a portal that finds new contacts later
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::many(10, index_lag => { requests => 8 });
