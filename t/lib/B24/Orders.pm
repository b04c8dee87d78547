package B24::Orders;

# Orders for tests of what happens to them after the shop has said yes: a small
# shop inside the block's nginx that accepts whatever is posted to /checkout,
# numbered buyers, and what the module and the portal hold of each order.
#
#   use B24::Test portal => 1;
#   use B24::Orders;
#
#   --- http_config eval: B24::Orders::http()
#   --- config eval: B24::Orders::server()
#   --- scenario
#       place(7);                          # order "o-7" of buyer 7
#       is(settled(7)->{state}, 'delivered');
#       delivered_once(7);
#
# The functions of @EXPORT are there in scenarios, too.

use strict;
use warnings;

use B24::Desk ();
use B24::Scenario ();
use B24::Test ();
use Exporter 'import';
use IPC::Open2 ();
use JSON::PP ();
use Test::More ();

our @EXPORT = qw(deals delivered_once journal lock_queue order_bytes order_id
    order_json place portal_state record settled timeline unlock_queue);

# quick pauses, and a bucket no test of something else runs into
use constant RETRY => 'first=100ms max=500ms unknown=300ms';

# what is read of an order, but number, phone and e-mail
use constant FIELDS => <<'EOC';
name      request:/name;
            company   request:/company;
            inn       request:/inn;
            comment   request:/comment;
            total     request:/total;
            currency  RUB;
            delivery  request:/delivery;
            items     request:/items {
                name /name;  price /price;  quantity /qty;
            }
EOC

# the shop, in the same nginx
use constant SHOP => <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;

        location / {
            default_type application/json;
            return 200 '{"ok":true}';
        }
    }
EOC

# the same, which says no (?no=1), or loses its answer (?lost=1)
use constant ASKED_SHOP => <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;

        location / {
            default_type application/json;

            if ($arg_lost) {
                return 444;
            }

            if ($arg_no) {
                return 200 '{"ok":false}';
            }

            return 200 '{"ok":true}';
        }
    }
EOC

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&$_ for @EXPORT;
}


# ---- configuration -------------------------------------------------------

# Lines for http{}.  Options: webhook (a URL, the emulator's), retry, rate,
# more (further lines), fields (lines of the order's block), shop (0: it is
# elsewhere).
sub http {
    my (%option) = @_;

    my $webhook = $option{webhook} // '$TEST_NGINX_PORTAL_URL';
    my $retry = $option{retry} // RETRY;
    my $rate = $option{rate} // '100 burst=5000';
    my $more = $option{more} // '';
    my $fields = $option{fields} // FIELDS;
    my $shop = $option{shop} // 1 ? SHOP : '';

    return <<"EOC";
    b24_queue   \$TEST_NGINX_QUEUE;
    b24_origin  tested;
    b24_webhook $webhook;
    b24_retry   $retry;
    b24_rate    $rate;
    $more

    b24_shop tested {
        stage           N NEW;
        default_status  N;

        order placed {
            uri       /checkout;
            accept    response:/ok;
            id        request:/id;
            phone     request:/phone;
            email     request:/email;
            $fields
        }
    }
$shop
EOC
}

# Lines for the server; `more` as above, shop: where it is.
sub server {
    my (%option) = @_;

    my $more = $option{more} // '';
    my $shop = $option{shop} // 'http://127.0.0.1:$TEST_NGINX_PORT_1';

    return <<"EOC";
    b24_mirror tested;
    $more

    location /checkout {
        proxy_pass $shop;
        proxy_set_header Host \$host;
    }

    location /b24 {
        b24_status;
    }

    location = /plain {
        return 200 "plain\\n";
    }
EOC
}


# ---- orders --------------------------------------------------------------

sub order_id {
    my ($n) = @_;

    return $n =~ /^[1-9]\d*$/ ? "o-$n" : $n;
}

# The checkout's body for order N of buyer N; %field replaces, undef removes.
sub order_json {
    my ($n, %field) = @_;

    my ($digits) = $n =~ /(\d+)/;

    my %order = (
        id => order_id($n), name => "Иван Петров",
        phone => sprintf('+7916%07d', $digits // 0),
        email => 'buyer' . ($digits // 0) . '@example.com',
        total => '1990.00', delivery => '400.00',
        items => [ { name => 'Кружка', price => '795.00', qty => '2' } ],
        %field,
    );

    delete @order{grep { !defined $order{$_} } keys %order};

    # texts of the tests are bytes, UTF-8
    return JSON::PP->new->canonical->encode(\%order);
}

sub order_bytes {
    my ($n, %field) = @_;

    return B24::Client::request_bytes('POST', '/checkout',
        order_json($n, %field), 'Content-Type' => 'application/json');
}

# Places orders, each a number or [number, field => value ...]; returns how
# many the shop has accepted.
sub place {
    my $accepted = 0;

    for my $order (map { ref $_ ? $_ : [$_] } @_) {
        my $answer = B24::Scenario::post('/checkout', order_json(@$order),
            'Content-Type' => 'application/json');

        $accepted++ if $answer->{status} == 200
                       && $answer->{body} eq '{"ok":true}';
    }

    return $accepted;
}


# ---- what the module says ------------------------------------------------

# The record of an order, or undef.
sub record {
    my ($n) = @_;

    my $id = order_id($n);
    my @found = grep { ($_->{id} // '') eq $id }
                     @{B24::Desk::status()->{orders}};

    return $found[-1];
}

# Waits until an order is delivered or parked (or in the state given);
# returns its record.
sub settled {
    my ($n, $state) = @_;

    my $wanted = $state ? qr/^\Q$state\E$/ : qr/^(?:delivered|parked)$/;
    my $record;

    B24::Scenario::wait_until(sub {
        $record = record($n);
        return $record && $record->{state} =~ $wanted;
    }) or Test::More::diag(order_id($n) . ': '
                           . ($record ? "$record->{state}, "
                                        . ($record->{cause} // 'no cause')
                                      : 'no record'));

    return $record // { state => 'none', cause => '', advice => '' };
}

# The moments of an order, oldest first, "STATE" or "STATE: CAUSE" each.
sub timeline {
    my ($n) = @_;

    my $record = record($n) // return;
    my $answer = B24::Scenario::get("/b24/orders/$record->{key}?format=json");

    die "no timeline of $record->{key}\n" if $answer->{status} != 200;

    return map { defined $_->{cause} ? "$_->{state}: $_->{cause}"
                                     : $_->{state} }
           @{JSON::PP::decode_json($answer->{body})->{timeline}};
}

# The portal as the page shows it: state, reason, advice, ...
# What the page's JSON says of the portal of an origin; of the first.
sub portal_state {
    my ($origin) = @_;

    my ($portal) = grep { !$origin || $_->{origin} eq $origin }
                   @{B24::Desk::status()->{portals}};

    return $portal;
}


# ---- the queue ------------------------------------------------------------

# Keeps everybody from writing to the database, through PHP's SQLite.
sub lock_queue {
    my $code = '$d = new SQLite3($argv[1]); $d->busyTimeout(20000);'
               . ' $d->exec("BEGIN IMMEDIATE"); echo "locked\n";'
               . ' fgets(STDIN); $d->exec("ROLLBACK"); $d->close();'
               . ' echo "free\n";';
    my $pid = IPC::Open2::open2(my $from, my $to, 'php', '-n', '-d',
        'extension=sqlite3', '-r', $code, '--',
        "$ENV{TEST_NGINX_QUEUE}/queue.db");

    my $line = <$from> // '';
    die "cannot lock the queue: $line\n" if $line ne "locked\n";

    return { pid => $pid, from => $from, to => $to };
}

sub unlock_queue {
    my ($lock) = @_;

    print { $lock->{to} } "\n";
    close $lock->{to};
    readline $lock->{from};
    waitpid $lock->{pid}, 0;
}


# ---- what the portal holds -----------------------------------------------

# Deals by order id: { 'o-1' => [deal, ...] }.
sub deals {
    my ($report) = @_;

    my %deals;
    push @{$deals{$_->{origin_id} // ''}}, $_
        for @{($report // B24::Test::portal()->report)->{deals}};

    return \%deals;
}

# Requests the portal got, oldest first, each with what it held: "look" (a
# look-up), "write", or the method; and its entry.
sub journal {
    my ($report) = @_;

    my @list;

    for my $entry (@{($report // B24::Test::portal()->report)->{journal}}) {
        my $commands = join ' ', $entry->{method} eq 'batch'
                                 ? values %{$entry->{params}{cmd} // {}} : ();

        my $kind = $commands =~ /\.(?:add|set|update)\b/ ? 'write'
                 : $commands ? 'look' : $entry->{method};

        # what the portal is asked about itself at the start is no order's
        next if $commands =~ /crm\.(?:dealcategory\.stage|status)\.list/;

        push @list, { %$entry, kind => $kind };
    }

    return @list;
}

# One subtest: each of these orders has one deal with its rows and its sum,
# one contact of its own, and there is nothing else at the portal.  They have 30
# seconds together.
sub delivered_once {
    my (@orders) = @_;

    Test::More::subtest('each order once: ' . join(' ', @orders > 8
        ? (@orders[0 .. 6], '...', $orders[-1]) : @orders), sub {

        my @missing = map { order_id($_) } @orders;
        my %state;

        B24::Scenario::wait_until(sub {
            %state = map { $_->{id} // '' => $_->{state} }
                         @{B24::Desk::status()->{orders}};
            @missing = grep { ($state{$_} // 'none') ne 'delivered' }
                            @missing;
            return !@missing;
        }, 30);

        Test::More::is(join(' ', map { "$_:" . ($state{$_} // 'none') }
                                     @missing), '', 'all are delivered');
        once_at_portal(B24::Test::portal()->report(journal => 0), @orders);
    });
}

sub once_at_portal {
    my ($report, @orders) = @_;

    my $deals = deals($report);
    my @wrong;

    for my $id (map { order_id($_) } @orders) {
        my @deals = @{delete $deals->{$id} // []};

        push @wrong, "$id: " . @deals . ' deals' if @deals != 1;
        push @wrong, "$id: $_->{opportunity}, rows $_->{rows_sum}, "
                     . @{$_->{contact_ids}} . ' contacts'
            for grep { $_->{opportunity} ne '1990.00'
                       || $_->{rows_sum} != 1990
                       || @{$_->{contact_ids}} != 1 } @deals;
    }

    push @wrong, map { "unexpected deal of $_" } sort keys %$deals;

    Test::More::is(join("\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]), '',
                   @orders . ' orders, a whole deal each');
    Test::More::is($report->{counts}{contacts}, scalar @orders,
                   'and a contact each');
    Test::More::ok(!$report->{foreign_touched}, 'nothing of others touched');
}

1;
