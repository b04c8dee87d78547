package B24::Desk;

# What the module says of itself and of its orders, as tests ask for it:
# through b24_status, whose location is "/b24", and at the portal.
#
#   my $desk = B24::Desk::status();              # the JSON, decoded
#   my @records = B24::Desk::records();          # once nothing is under way
#   B24::Desk::count('rejected');
#   B24::Desk::counter('candidates');
#   my $deal = B24::Desk::deal('1001', rows => 2);
#
# All waits are for conditions, bounded as those of B24::Scenario.

use strict;
use warnings;

use B24::Scenario ();
use B24::Test ();
use JSON::PP ();


sub status {
    my ($query) = @_;

    my $answer = B24::Scenario::get('/b24?format=json&limit=1000'
                                    . ($query // ''));

    die "b24_status answers $answer->{status}\n" if $answer->{status} != 200;

    return JSON::PP::decode_json($answer->{body});
}

# One of counts, of all origins together, or of one.
sub count {
    my ($state, $desk, $origin) = @_;

    my $sum = 0;

    for my $portal (@{($desk // status())->{portals}}) {
        $sum += $portal->{counts}{$state}
            if !$origin || $portal->{origin} eq $origin;
    }

    return $sum;
}

# A test: so many are in that state, once all has been written down.
sub count_is {
    my ($state, $n, $name, $origin) = @_;

    B24::Scenario::wait_until(sub { count($state, undef, $origin) == $n });

    return Test::More::is(count($state, undef, $origin), $n, $name);
}

sub counter {
    my ($name) = @_;

    return status()->{counters}{$name}
           // die "there is no counter \"$name\"\n";
}

# Waits until `count` records (at least; default 1) are there, none of them on
# its way, and nothing is held in memory; returns them, oldest first.
sub records {
    my (%want) = @_;

    my $least = $want{count} // 1;
    my @records;

    B24::Scenario::wait_until(sub {
        my $desk = status();

        @records = sort { $a->{key} cmp $b->{key} } @{$desk->{orders}};

        return @records >= $least && !$desk->{counters}{held}
               && !grep { $_->{state} =~ /^(?:captured|accepted|sending)$/ }
                        @records;
    }, $want{timeout}) or Test::More::diag('records: ' . shown(@records));

    return @records;
}

# Sorted by the shop's number.  Records come in the order in which they were
# written down; workers write at the same time, so that of orders placed one
# right after another the second may be the first.
sub by_id {
    my (@records) = @_;

    my $number = sub { ($_[0]{id} // '') =~ /^(\d+)/ ? $1 : 0 };

    return sort { $number->($a) <=> $number->($b)
                  || ($a->{id} // '') cmp ($b->{id} // '') } @records;
}

# "ID STATE, ID STATE", an unknown id as "-".
sub shown {
    my (@records) = @_;

    return join ', ', map { ($_->{id} // '-') . " $_->{state}" } @records;
}

# The deal of an order number at the portal, with `rows` rows at least, and
# its contact: the portal's report of both.
sub deal {
    my ($id, %want) = @_;

    my $report = B24::Test::portal()->wait_for(deal => $id, journal => 0,
        rows => $want{rows} // 0, timeout => $want{timeout} // 20);
    my @deals = grep { ($_->{origin_id} // '') eq $id } @{$report->{deals}};

    die scalar(@deals) . " deals of $id\n" if @deals != 1;

    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};

    return { %{$deals[0]}, contacts => [ @contact{@{$deals[0]{contact_ids}}}] };
}

# A test: the deal of an order comes to a stage.
sub stage_is {
    my ($id, $stage, $name) = @_;

    my $now = '';

    B24::Scenario::wait_until(sub {
        ($now) = map { $_->{stage_id} }
                 grep { ($_->{origin_id} // '') eq $id }
                 @{B24::Test::portal()->report(journal => 0)->{deals}};
        return ($now // '') eq $stage;
    });

    return Test::More::is($now, $stage, $name // "$id: $stage");
}

# A test: an order's timeline comes to have such a moment, "STATE: CAUSE".
sub told {
    my ($id, $like, $name) = @_;

    my @now;

    B24::Scenario::wait_until(sub {
        my ($record) = grep { ($_->{id} // '') eq $id } @{status()->{orders}};
        my $answer = B24::Scenario::get("/b24/orders/$record->{key}?format=json");

        @now = map { "$_->{state}: " . ($_->{cause} // '') }
               @{JSON::PP::decode_json($answer->{body})->{timeline}};
        return grep { $_ =~ $like } @now;
    });

    return Test::More::ok((grep { $_ =~ $like } @now), $name)
        || Test::More::diag(join "\n", @now);
}

# A deal with its buyer and rows as one text (bytes, UTF-8).
sub deal_text {
    my ($id, %want) = @_;

    my $deal = deal($id, %want);
    my $text = join '; ', "$deal->{opportunity} $deal->{currency_id}",
        (map { my $contact = $_;
               join ' ', grep { length }
                   (map { $contact->{$_} // '' }
                        qw(name second_name last_name)),
                   @{$contact->{phones}}, @{$contact->{emails}} }
             @{$deal->{contacts}}),
        map { "$_->{product_name} $_->{quantity} x $_->{price}" }
            sort { $a->{id} <=> $b->{id} } @{$deal->{rows}};

    utf8::encode($text);

    return $text;
}

# The order document of a record as the queue keeps it.
sub document {
    my ($key) = @_;

    my ($id) = $key =~ /^k-([0-9a-f]+)$/ or die "no key: $key\n";
    my $code = '$d = new SQLite3($argv[1], SQLITE3_OPEN_READONLY);'
        . ' $id = hexdec($argv[2]); echo $d->querySingle("SELECT data'
        . ' FROM events WHERE seq = 1 AND record = $id UNION ALL'
        . ' SELECT data FROM captures WHERE id = $id");';

    open my $from, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', "$ENV{TEST_NGINX_QUEUE}/queue.db", $id
        or die "cannot run php: $!\n";
    local $/;

    return JSON::PP::decode_json(<$from>);
}

1;
