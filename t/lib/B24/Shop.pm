package B24::Shop;

# The sample shop (t/shop) under a PHP-FPM of its own, see B24::Fpm.
#
#   my $shop = B24::Shop->start("build/t/shop", test => 1);
#   $shop->socket;     # path for fastcgi_pass unix:...
#   $shop->location;   # a ready "location / { ... }" for nginx.conf
#   $shop->dsn;        # PDO DSN of the orders
#   $shop->session(1 => 2);            # a buyer with a cart, for one request
#   $shop->wait_held('a'); $shop->release('a');      # see TestFaults.php
#   $shop->stop;       # also done when the object or the program ends
#
# start(DIR, OPTIONS): DIR (default build/shop-PID) is made, or used again with
# the orders it holds.  Options:
#
#   test      1: faults on request (header X-Shop-Test), see TestFaults.php
#   gzip      1: PHP compresses its answers
#   children  number of PHP processes, default 3
#   dsn       another database, with db_user and db_password;
#             default SQLite in DIR/data
#   detach    1: goes on after the program's end, until B24::Shop->stop_in(DIR)
#
# As root the PHP processes run as www-data, or as root where that user can't
# reach the files (a checkout below /root); otherwise as the current user.
# Whatever fails dies with a sentence that says where to look.

use strict;
use warnings;

use parent 'B24::Fpm';

use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(sleep time);

use constant HELD_CAP => 30;       # seconds until a request must be held


sub start {
    my ($class, $dir, %option) = @_;

    $dir //= $class->root . "/build/shop-$$";

    my $self = $class->SUPER::start($dir, %option);

    # what an earlier test has let go
    unlink glob qq("$self->{dir}/hold/*");
    return $self;
}


sub dsn     { return $_[0]{dsn} }
sub docroot { return $_[0]->root . '/t/shop/public' }
sub rules   { return $_[0]->root . '/t/shop/b24-shop.conf' }
sub folders { return qw(data files hold) }


sub pool {
    my ($self, %option) = @_;

    my $dir = $self->{dir};

    $self->{dsn} = $option{dsn} // "sqlite:$dir/data/shop.sqlite";

    return ({
        SHOP_DSN         => $self->{dsn},
        SHOP_DB_USER     => $option{db_user},
        SHOP_DB_PASSWORD => $option{db_password},
        SHOP_FILES       => "$dir/files",
        SHOP_GZIP        => $option{gzip} ? 1 : undef,
        SHOP_TEST        => $option{test} ? 1 : undef,
        SHOP_HOLD        => $option{test} ? "$dir/hold" : undef,
    }, {});
}


# Path of the SQLite file; undef with another database.
sub db {
    my $self = shift;

    return $self->{dsn} =~ /^sqlite:(.+)/ ? $1 : undef;
}


# Makes a buyer's session with this cart (product id => quantity), as if its
# pages had been visited, so that a test can check out by form in one request.
# Gives { cookie => 'PHPSESSID=…', csrf => '…' }.
sub session {
    my ($self, %cart) = @_;

    my $id = substr sha256_hex(join '-', $$, time, rand), 0, 32;
    my $csrf = substr sha256_hex("csrf $id"), 0, 32;

    my $items = join '', map {
        sprintf 'i:%d;i:%d;', $_, sprintf '%.0f', $cart{$_} * 1000
    } sort { $a <=> $b } keys %cart;

    my $file = "$self->{dir}/sessions/sess_$id";

    open my $out, '>', $file or die "can't write $file: $!\n";
    printf $out 'csrf|s:%d:"%s";cart|a:%d:{%s}',
        length $csrf, $csrf, scalar keys %cart, $items;
    close $out or die "can't write $file: $!\n";

    chmod 0600, $file;
    $self->give_away($file);

    return { cookie => "PHPSESSID=$id", csrf => $csrf };
}


# Requests that the faults hold_before=NAME and hold_after=NAME hold now.
sub held {
    my ($self, $name) = @_;

    return scalar(my @files = glob qq("$self->{dir}/hold/held-$name-*"));
}


# Waits until COUNT requests (default 1) are held; false after 30 seconds.
sub wait_held {
    my ($self, $name, $count) = @_;

    my $until = time + HELD_CAP;

    while ($self->held($name) < ($count // 1)) {
        return 0 if time > $until;
        sleep 0.01;
    }

    return 1;
}


# Lets the held requests go on, and later ones of this name pass.
sub release {
    my ($self, $name) = @_;

    my $file = "$self->{dir}/hold/go-$name";

    open my $out, '>', $file or die "can't write $file: $!\n";
    close $out;
    chmod 0644, $file;
    return;
}


1;
