package B24::Backlog;

# For tests of a backlog: orders that gather while nothing is delivered, and
# what has become of them.
#
#   use B24::Test portal => 1;
#   use Test::Nginx::Socket;
#   use B24::Backlog;
#
#   --- http_config eval: B24::Crm::http()
#   --- config eval: B24::Crm::server()
#   --- scenario
#       pile('new', 60, sub { (buyer($_[0]), total => '10.00') });
#       resume();
#       my $crm = once('new', 60);
#
# The functions of @EXPORT are there in scenarios, too.

use strict;
use warnings;

use B24::Crm qw(order so_far whole_crm);
use B24::Desk ();
use B24::Scenario ();
use Exporter 'import';
use Test::More ();

our @EXPORT = qw(all_records buyer called once pause phone pile resume);

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&$_ for @EXPORT;
}


sub phone { return sprintf '+7916%07d', $_[0] }

# A buyer that nobody knows yet.
sub buyer {
    my ($n) = @_;

    return (phone => phone($n), email => "buyer$n\@example.com",
            name => "Buyer $n");
}

sub called {
    my ($contact) = @_;

    return join ' ', grep { length } map { $_ // '' }
                     @$contact{qw(name last_name)};
}

sub pause  { return B24::Scenario::post('/b24/pause', '') }
sub resume { return B24::Scenario::post('/b24/resume', '') }

# Places NAME-1 .. NAME-N while nothing is delivered; resume() lets them go.
# $fields tells an order's fields by its number, order()'s options in a hash
# before them.  Returns so_far().
sub pile {
    my ($name, $n, $fields) = @_;

    my $yes = 0;

    pause();

    for my $i (1 .. $n) {
        my @fields = $fields->($i);
        my @option = ref $fields[0] ? shift @fields : ();

        $yes += order(@option, id => "$name-$i", @fields) ? 1 : 0;
    }

    Test::More::is($yes, $n, "$n orders are placed");

    return so_far();
}

# Waits until all of them are delivered; a test that each has one deal.  Options:
# but (numbers that are not looked at), timeout.  Returns the CRM.
sub once {
    my ($name, $n, %want) = @_;

    my %skip = map { $_ => 1 } @{$want{but} // []};
    my @mine = grep { !$skip{$_} } 1 .. $n;

    B24::Scenario::wait_until(sub {
        my %state = map { ($_->{id} // '') => $_->{state} } all_records();

        return !grep { ($state{"$name-$_"} // '') ne 'delivered' } @mine;
    }, $want{timeout} // 60) or Test::More::diag(join ' ', map {
        "$_->{id}:$_->{state}:" . ($_->{cause} // '-') }
        grep { $_->{state} ne 'delivered' } all_records());

    my $crm = whole_crm();
    my @wrong = grep { @{$crm->{deals}{"$name-$_"} // []} != 1 } @mine;

    Test::More::is("@wrong", '', 'each has become one deal');

    return $crm;
}

sub all_records {
    return @{B24::Desk::status()->{orders}};
}

1;
