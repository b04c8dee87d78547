#!/usr/bin/perl

# Buys in the sample shop as a browser does: looks at the catalogue, puts two
# articles into the cart, fills in the checkout form.  Prints the number of
# each order placed, one a line.
#
#   perl t/shop/buy.pl --url http://127.0.0.1:PORT [--json] [--n N]
#
#   --json  check out by one JSON request in place of the form
#   --n N   that many orders, each by another buyer (default 1)

use strict;
use warnings;
use utf8;

use Getopt::Long;
use Mojo::URL;
use Mojo::UserAgent;

my %option = (n => 1);

GetOptions(\%option, 'url=s', 'json', 'n=i') && $option{url} && $option{n} > 0
    or die "usage: $0 --url URL [--json] [--n N]\n";

# article => quantity: a price with kopecks, and a part of a kilogram
my %WANTED = ('TEA-IVAN-50' => '2', 'CHEESE-KG' => '0.5');

my @NAMES = ('Анна Ёлкина', 'Пётр О\'Нил-Сидоров', 'Мария Щукина',
             'Тимур «Тима» Валиев');

$| = 1;
print buy($_), "\n" for 1 .. $option{n};


sub buy {
    my $turn = shift;

    my $ua = Mojo::UserAgent->new(max_redirects => 0, request_timeout => 60);
    my $page = page($ua, get => '/');

    for my $sku (sort keys %WANTED) {
        put_into_cart($ua, $page, $sku, $WANTED{$sku});
    }

    my $cart = page($ua, get => '/cart');
    my $rows = $cart->dom->find('input[name=action][value=set]')->size;

    die "the cart holds $rows articles, not two\n" if $rows != keys %WANTED;

    return $option{json} ? buy_by_json($ua, buyer($turn))
                         : buy_by_form($ua, buyer($turn));
}


sub buyer {
    my $turn = shift;

    my %buyer = (
        name    => $NAMES[($turn - 1) % @NAMES],
        phone   => sprintf('+7 (916) 555-%02d-%02d',
                           int($turn / 100) % 100, $turn % 100),
        email   => "buyer$turn\@example.com",
        address => 'Москва, ул. Тверская, д. 1, кв. 5',
        comment => 'Позвоните за час; домофон "12" & второй этаж',
    );

    # every second one buys for a firm
    @buyer{qw(company inn kpp)} = ('ООО «Ромашка & Ко»', '7707083893',
                                   '770701001') if $turn % 2 == 0;

    return \%buyer;
}


# One request; dies unless it is answered with $status.
sub page {
    my ($ua, $method, $path, @rest) = @_;

    my $status = $method eq 'get' ? 200 : shift @rest;
    my $url = Mojo::URL->new($option{url})->path_query($path);
    my $tx = $ua->$method($url, @rest);

    if (my $error = $tx->error) {
        die uc($method) . " $url: "
            . (defined $error->{code} ? 'answer ' : '') . ($error->{code}
            // $error->{message}) . "\n"
            unless defined $error->{code} && $error->{code} == $status;
    }

    my $res = $tx->res;
    return $res if $res->code == $status;

    # a page in place of a redirect says what it doesn't like
    my $why = join '; ', map { $_->all_text =~ s/\s+/ /gr }
              $res->dom->find('.errors li, p.errors')->each;

    utf8::encode($why);
    die uc($method) . " $url: answer " . $res->code . " $why\n";
}


sub fields {
    my $form = shift;

    return map { ($_->attr('name') => $_->val // '') }
           grep { ($_->attr('type') // '') ne 'file' }
           $form->find('input[name], textarea[name]')->each;
}


sub put_into_cart {
    my ($ua, $catalogue, $sku, $qty) = @_;

    for my $link ($catalogue->dom->find('.card h2 a')->each) {
        my $product = page($ua, get => $link->attr('href'));

        next unless $product->dom->at('main')->all_text =~ /\Q$sku\E/;

        my $form = $product->dom->at('form[action="/cart"]');

        page($ua, post => '/cart', 303,
             form => { fields($form), qty => $qty });
        return;
    }

    die "the shop has no $sku\n";
}


sub buy_by_form {
    my ($ua, $buyer) = @_;

    my $form = page($ua, get => '/checkout?delivery=courier')
               ->dom->at('form#checkout');
    my $res = page($ua, post => '/checkout', 302,
                   form => { fields($form), %$buyer });

    my $number = page($ua, get => $res->headers->location)
                 ->dom->at('#order-number');

    die "no order number on the thank-you page\n" unless $number;
    return $number->text;
}


sub buy_by_json {
    my ($ua, $buyer) = @_;

    my $cart = page($ua, get => '/api/cart')->json;
    my ($courier) = grep { $_->{code} eq 'courier' } @{ $cart->{deliveries} };

    my $res = page($ua, post => '/api/checkout', 201, json => {
        %$buyer,
        token          => $cart->{token},
        items          => $cart->{items},
        delivery       => $courier->{code},
        delivery_price => $courier->{price},
        total          => add($cart->{goods}, $courier->{price}),
    });

    return $res->json('/order/id') // die "no order number in the answer\n";
}


# The sum of two amounts with two places, in whole kopecks.
sub add {
    my $kopecks = 0;

    $kopecks += tr/.//dr for @_;
    return sprintf '%d.%02d', int($kopecks / 100), $kopecks % 100;
}
