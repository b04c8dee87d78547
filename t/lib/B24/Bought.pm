package B24::Bought;

# A recorded shop, bought in again through nginx, and its deals against what
# that shop's own database knew (truth.json).
#
#   my $bought = B24::Bought->load('woocommerce-9.9.5');
#   $bought->play(sub { $_->{name} =~ /-block-/ });   # of these exchanges
#   $bought->deals_are(qr/^block/);                   # of these scenarios
#
# A deal equals an order when buyer, products, quantities, total and currency
# are those the shop showed, its rows add up to the total, and no unit price
# is off by more than a minor unit.
#
# Requests that overlapped are sent at the same moment: the replay upstream
# holds the answers until all of them are there.
#
# The configuration that presets are tested with, a shop behind it:
#
#   our $http = B24::Bought::http('woocommerce');      # shops/NAME.conf, ...
#   our $server = B24::Bought::server('woocommerce');  # b24_mirror NAME

use strict;
use warnings;
use utf8;

use B24::Recording ();
use B24::Scenario ();
use B24::Test ();
use JSON::PP ();
use Test::More ();

# rows that no product is behind
use constant OWN_ROWS => qr/^(?:Delivery|Discount|Fee|Goods|Rounding|Tax)$/;

# names of what a fixed form of the shop's truth calls differently
my %READER = (
    woocommerce => \&read_woocommerce,
    opencart    => \&read_opencart,
    prestashop  => \&read_prestashop,
);


sub http {
    my (@presets) = @_;

    return <<'EOC' . join '', map { "    include \$TEST_NGINX_PRESETS/$_.conf;\n" }
    b24_queue   $TEST_NGINX_QUEUE;
    b24_origin  shop;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_rate    50 burst=4000;
    b24_retry   first=100ms max=1s unknown=300ms;

    upstream recorded {
        server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }

EOC
        @presets;
}

sub server {
    my ($shop) = @_;

    return <<"EOC";
    location /b24 {
        b24_status;
    }

    location / {
        b24_mirror $shop;
        proxy_pass http://recorded;
        proxy_set_header Host \$host;
    }
EOC
}

sub load {
    my ($class, $name) = @_;

    my $folder = "t/recordings/$name";
    my ($shop) = $name =~ /^([a-z]+)/;
    my $truth = JSON::PP::decode_json(
        B24::Recording::read_file("$folder/truth.json"));

    return bless {
        name      => $name,
        recording => B24::Recording->load($folder),
        times     => read_times("$folder/index.tsv"),
        orders    => [map { $READER{$shop}->($_) } @{$truth->{orders}}],
    }, $class;
}

# name => [start, end], in milliseconds
sub read_times {
    my ($path) = @_;
    my %times;

    for (split /\n/, B24::Recording::read_file($path)) {
        my ($name, undef, $start, $length) = split /\t/;

        next if $name eq 'file';

        $start = int($start * 1000 + 0.5);
        $times{$name} = [$start, $start + $length];
    }

    return \%times;
}

sub orders {
    my ($self, $pattern) = @_;

    return grep { !defined $pattern || $_->{scenario} =~ $pattern }
                @{$self->{orders}};
}

sub exchanges {
    my ($self, $filter) = @_;

    return grep { !$filter || $filter->($_) } $self->{recording}->exchanges;
}


# ---- truth ---------------------------------------------------------------

sub read_woocommerce {
    my ($order) = @_;

    my $buyer = $order->{buyer}{billing};

    return {
        id => $order->{order_id}, scenario => $order->{scenario},
        total => $order->{total}, currency => $order->{currency},
        delivery => $order->{shipping_total}, comment => $order->{comment},
        name => $buyer->{first_name}, last_name => $buyer->{last_name},
        phone => $buyer->{phone}, email => $buyer->{email},
        company => $buyer->{company} // '', city => $buyer->{city},
        items => [map { { name => $_->{name}, quantity => $_->{quantity},
                          price => $_->{unit_price} } } @{$order->{items}}],
    };
}

# The database has amounts in the shop's currency without tax, the pages show
# them in the buyer's, with it; texts are stored as HTML.
sub read_opencart {
    my ($order) = @_;

    my $buyer = $order->{buyer};
    my $rate = $order->{currency_value};
    my ($delivery) = map { $_->{value} * $rate }
                     grep { $_->{code} eq 'shipping' } @{$order->{totals}};

    return {
        id => undef, scenario => $order->{scenario},
        shop_id => $order->{order_id},
        total => $order->{total_shown}, currency => $order->{currency},
        delivery => $delivery, comment => unescaped($order->{comment}),
        name => $buyer->{firstname}, last_name => $buyer->{lastname},
        phone => $buyer->{telephone}, email => $buyer->{email},
        company => unescaped($buyer->{company}), city => $buyer->{city},
        items => [map { { name => unescaped($_->{name}),
                          quantity => $_->{quantity},
                          price => ($_->{price} + $_->{tax_per_unit})
                                   * $rate } } @{$order->{items}}],
    };
}

sub read_prestashop {
    my ($order) = @_;

    my $buyer = $order->{buyer};

    return {
        id => $order->{order_id}, scenario => $order->{scenario},
        total => $order->{total}, currency => $order->{currency},
        delivery => $order->{shipping}, comment => $order->{comment},
        name => $buyer->{firstname}, last_name => $buyer->{lastname},
        phone => $buyer->{phone}, email => $buyer->{email},
        company => $buyer->{company}, city => $buyer->{city},
        items => [map { { name => $_->{name}, quantity => $_->{quantity},
                          price => $_->{unit_price_tax_incl} } }
                      @{$order->{items}}],
    };
}

sub unescaped {
    my ($text) = @_;
    my %entity = (amp => '&', quot => '"', lt => '<', gt => '>',
                  '#039' => q{'});

    $text =~ s/&(amp|quot|lt|gt|#039);/$entity{$1}/g;

    return $text;
}


# ---- playing -------------------------------------------------------------

# Exchanges in groups: those which overlapped with the one before it, of the
# same address, are one group.  Names that match `together` are, too.
sub groups {
    my ($self, $together, @exchanges) = @_;
    my @groups;

    for my $exchange (@exchanges) {
        my $last = @groups ? $groups[-1][-1] : undef;
        my $time = $self->{times}{$exchange->{name}};
        my $before = $last && $self->{times}{$last->{name}};

        if ($last && $last->{target} eq $exchange->{target}
            && $last->{method} eq $exchange->{method}
            && $last->{method} ne 'HEAD'
            && (overlap($before, $time)
                || defined $together && $exchange->{name} =~ $together
                   && $last->{name} =~ $together))
        {
            push @{$groups[-1]}, $exchange;

        } else {
            push @groups, [$exchange];
        }
    }

    return @groups;
}

sub overlap {
    my ($before, $time) = @_;

    return $before && $time && $time->[0] < $before->[1];
}

# Takes filter (a function of an exchange) and together (a pattern of names:
# such neighbours are sent at the same moment).  Each answer must be the
# recorded one.  Returns how many requests were sent.
sub play {
    my ($self, %option) = @_;
    my ($sent, @wrong) = (0);

    for my $group ($self->groups($option{together},
                                 $self->exchanges($option{filter})))
    {
        my @answers = @$group > 1 ? $self->send_together(@$group)
                                  : $self->send_one($group->[0]);

        for my $n (0 .. $#$group) {
            $sent++;
            push @wrong, $group->[$n]{name}
                if !same_status($group->[$n], $answers[$n]);
        }
    }

    Test::More::is("@wrong", '', "$self->{name}: answers as recorded");

    return $sent;
}

sub same_status {
    my ($exchange, $answer) = @_;
    my ($status) = ($exchange->{response} // '') =~ /^HTTP\S+ (\d+)/;

    return !defined $status || $status == $answer->{status};
}

# The request, which also says which of the recorded answers is meant: many
# requests of a checkout are the same.
sub request_of {
    my ($exchange) = @_;

    return $exchange->{request} =~ s/\r\n/\r\nX-Replay: $exchange->{shop}\/$exchange->{name}\r\n/r;
}

sub send_one {
    my ($self, $exchange) = @_;

    my $client = B24::Scenario::client();

    $client->send(request_of($exchange));

    return $client->response(head => $exchange->{method} eq 'HEAD');
}

sub send_together {
    my ($self, @group) = @_;

    my $upstream = B24::Test::upstream();
    my $target = '^' . quotemeta($group[0]{target}) . '$';
    my %want = (target => $target, state => 'held', count => scalar @group);

    $upstream->script(method => $group[0]{method}, target => $target,
                      hold => 1, times => scalar @group);

    my @clients = map { my $client = B24::Scenario::client();
                        $client->send(request_of($_));
                        $client } @group;

    die "$group[0]{name}: not all of them came\n"
        if $upstream->wait_for(%want) < @group;

    $upstream->release;

    return map { $_->response } @clients;
}


# ---- comparing -----------------------------------------------------------

# All deals against the orders of the scenarios; no other deal may be there.
# Orders without a number of their own are told apart by total and phone.
# Returns the portal's report.
sub deals_are {
    my ($self, $pattern) = @_;

    my @orders = $self->orders($pattern);
    my $report = B24::Test::portal()->wait_for(deals => scalar @orders,
        stable_ms => 500, journal => 0, timeout => 30);
    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};
    my %company = map { $_->{id} => $_ } @{$report->{companies}};
    my @deals = sort { $a->{id} <=> $b->{id} } @{$report->{deals}};

    Test::More::is(scalar @deals, scalar @orders,
                   "$self->{name}: " . @orders . ' deals');

    for my $order (@orders) {
        my ($n) = grep { is_of($deals[$_], \%contact, $order) } 0 .. $#deals;

        if (!defined $n) {
            Test::More::fail("$self->{name}: a deal of " . label($order));
            Test::More::diag(JSON::PP->new->canonical->encode(
                { deals => \@deals, contacts => [values %contact] }));
            next;
        }

        my ($deal) = splice @deals, $n, 1;

        deal_is($deal, $order, $contact{$deal->{contact_ids}[0] // 0} // {},
                $company{$deal->{company_id}});
    }

    return $report;
}

sub label {
    my ($order) = @_;

    return "$order->{scenario} " . ($order->{id} // $order->{shop_id});
}

sub is_of {
    my ($deal, $contacts, $order) = @_;

    return ($deal->{origin_id} // '') eq $order->{id}
        if defined $order->{id};

    my $contact = $contacts->{$deal->{contact_ids}[0] // 0} // {};

    return cents($deal->{opportunity}) == cents($order->{total})
           && grep { $_ eq digits($order->{phone}) }
                   @{$contact->{phones} // []};
}

# A number of the truth in cents, rounded.
sub cents {
    my ($amount) = @_;

    return int($amount * 100 + ($amount < 0 ? -0.5 : 0.5) + 1e-7);
}

sub digits {
    my ($phone) = @_;

    $phone =~ s/доб.*//;
    $phone =~ s/\D//g;
    $phone =~ s/^8(?=\d{10}$)/7/;

    return "+$phone";
}

# Quotation marks as typists have them, one blank between words.
sub folded {
    my ($text) = @_;

    $text =~ tr/“”„″‘’‚′/""""''''/;
    $text =~ s/\s+/ /g;

    return $text;
}

sub deal_is {
    my ($deal, $order, $contact, $company) = @_;

    my $label = label($order);
    my ($rows, $wrong) = rows_are($deal, $order);

    Test::More::is(join(' ', map { $contact->{$_} // '' } qw(name last_name)),
                   "$order->{name} $order->{last_name}", "$label: name");
    Test::More::ok(scalar(grep { $_ eq digits($order->{phone}) }
                               @{$contact->{phones} // []}),
                   "$label: phone $order->{phone}");
    Test::More::ok(scalar(grep { lc eq lc $order->{email} }
                               @{$contact->{emails} // []}),
                   "$label: e-mail $order->{email}");
    Test::More::is($company ? $company->{title} : '', $order->{company},
                   "$label: company");
    Test::More::is(cents($deal->{opportunity}), cents($order->{total}),
                   "$label: total $order->{total}");
    Test::More::is(cents($deal->{rows_sum}), cents($order->{total}),
                   "$label: sum of the rows");
    Test::More::is($deal->{currency_id}, $order->{currency},
                   "$label: currency");
    Test::More::is($wrong, '', "$label: $rows rows");
    Test::More::like($deal->{comments} // '', qr/^\Q$order->{comment}\E/,
                     "$label: comment");
    Test::More::like($deal->{comments} // '',
                     qr/Address: .*\Q$order->{city}\E/, "$label: address");
}


# ---- what must be nowhere ------------------------------------------------

# Fails when one of the texts is in a file of the queue, in a log, or in
# anything the portal was sent.
sub nowhere {
    my (@texts) = @_;

    my %place = (
        'the error log' => B24::Scenario::error_log(),
        'the portal' => JSON::PP->new->utf8->encode(
            B24::Test::portal()->report),
        map { $_ => B24::Recording::read_file($_) }
            grep { -f } glob("$ENV{TEST_NGINX_QUEUE}/*"));

    for my $text (@texts) {
        my @found = grep { index($place{$_}, $text) >= 0 } sort keys %place;

        Test::More::is("@found", '', "\"$text\" is nowhere");
    }
}


# ---- rows ----------------------------------------------------------------

# How many rows there are, and in words what is wrong with them.  A line whose
# sum no price in cents gives is two rows.
sub rows_are {
    my ($deal, $order) = @_;

    my @left = @{$deal->{rows}};
    my @wrong;

    for my $item (@{$order->{items}}) {
        my @rows = grep { folded($_->{product_name})
                          eq folded($item->{name}) } @left;
        my $quantity = 0;

        $quantity += $_->{quantity} for @rows;
        push @wrong, "$item->{name}: $quantity for $item->{quantity}"
            if $quantity != $item->{quantity};

        for (@rows) {
            push @wrong, "$item->{name}: $_->{price} for $item->{price}"
                if abs($_->{price} - $item->{price}) > 0.01 + 1e-7;
        }

        my %used = map { $_->{id} => 1 } @rows;
        @left = grep { !$used{$_->{id}} } @left;
    }

    push @wrong, map { "$_->{product_name}: not in the order" }
                 grep { $_->{product_name} !~ OWN_ROWS } @left;

    my ($delivery) = map { cents($_->{sum}) }
                     grep { $_->{product_name} eq 'Delivery' } @left;

    push @wrong, 'delivery: ' . ($delivery // 'none')
        if ($delivery // 0) != cents($order->{delivery} // 0);

    return (scalar @{$deal->{rows}}, join '; ', @wrong);
}

1;
