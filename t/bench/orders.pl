#!/usr/bin/perl

# What a checkout costs when the shop answers at once, so that nothing hides it:
# requests a second of 64 buyers beside an nginx without the module, in turns,
# and beside nginx's own mirror to a target that answers at once as well.  Then
# accepted orders a second until the last of them is in the queue.  Each order
# the shop has said yes to must be there, and no other.
#
#   perl -It/lib t/bench/orders.pl [TURNS [REQUESTS]]

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use B24::Bench;
use Time::HiRes qw(time);

my $turns = $ARGV[0] // 36;
my $requests = $ARGV[1] // 6000;

use constant {
    CLIENTS => 64,
    DURABLE => 4,       # turns, and as many times the requests, for a figure
};

my $bench = B24::Bench->new('orders');
my ($shop, $target, $plain, $mirror, $off, $async, $accepted, $sync)
    = B24::Bench->ports(8);
my $queue = $bench->dir('queue');
my $number = 1;                     # of the next order
my $placed = 0;                     # orders that the shop has said yes to

my $order = $bench->put('order', B24::Bench::request('POST', '/checkout',
    '{"id":"@@@@@@@@@@","name":"Анна Ёлкина","phone":"+79161234567",'
    . '"email":"anna@example.com","total":"1590.00","items":[{"name":"Кружка",'
    . '"price":"795.00","qty":2}]}', 'Content-Type' => 'application/json'));

$bench->nginx('shop', module => 0, port => $shop, http => join '',
    map { "server { listen 127.0.0.1:$_; default_type application/json;"
          . " return 200 '{\"ok\":true}'; }\n" } $shop, $target);

sub server {
    my ($listen, $lines, $more) = @_;

    $more //= '';

    return <<"EOC";
    server {
        listen 127.0.0.1:$listen;
        $lines
        location / {
            proxy_pass http://shop;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
        }
        $more
    }
EOC
}

my $upstream = "upstream shop { server 127.0.0.1:$shop; keepalive 128; }\n";

$bench->nginx('plain', module => 0, port => $plain, http => $upstream
    . "upstream target { server 127.0.0.1:$target; keepalive 128; }\n"
    . server($plain, '') . server($mirror, 'mirror /target;', <<'EOC'));
        location = /target {
            internal;
            proxy_pass http://target$request_uri;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
        }
EOC

sub rules {
    my ($name, $accept) = @_;

    return <<"EOC";
    b24_shop $name {
        order placed {
            uri       /checkout;
            accept    response:/$accept;
            id        request:/id;
            name      request:/name;
            phone     request:/phone;
            email     request:/email;
            total     request:/total;
            currency  RUB;
            items     request:/items {
                name /name;  price /price;  quantity /qty;
            }
        }
    }
EOC
}

sub http {
    my ($folder, @servers) = @_;

    return "b24_queue $folder max=10000000;\nb24_origin shop.example.com;\n"
        . rules('yes', 'ok') . rules('no', 'no') . $upstream
        . join '', map { server(@$_) } @servers;
}

# The event loop's instructions for an order, beside the queue's thread.
sub counts {
    my ($listen) = B24::Bench->ports(1);
    my @common = (port => $listen, file => $order,
                  apart => ['ngx_http_b24_tick_handler']);
    my $without = $bench->instructions('without', @common, module => 0,
        http => $upstream . server($listen, ''));

    for my $case (['checkout refused, b24_journal off',
                   'b24_mirror no; b24_journal off;'],
                  ['checkout refused, b24_journal async',
                   'b24_mirror no; b24_journal async;'],
                  ['order accepted, b24_journal off',
                   'b24_mirror yes; b24_journal off;'])
    {
        my ($name, $lines) = @$case;
        my $folder = $bench->dir($name =~ tr/ ,/--/r);
        my $with = $bench->instructions($name =~ tr/ ,/--/r, @common,
            http => http("$folder-queue", [$listen, $lines]));

        $bench->ratio($name, unit => 'instructions more', of => 'no module',
            ours => [$with], values => [$with - $without],
            base => [$without]);
    }
}

counts();

$bench->nginx('ours', port => $off, http => http($queue,
    [$off, 'b24_mirror no; b24_journal off;'],
    [$async, 'b24_mirror no; b24_journal async;'],
    [$accepted, 'b24_mirror yes; b24_journal off;'],
    [$sync, 'b24_mirror yes; b24_journal sync;']));

sub place {
    my ($port, $count) = @_;

    my $load = $bench->load($port, connections => CLIENTS,
        requests => $count, file => $order, first => $number,
        word => '"ok":true');

    $number += $count;
    $placed += $load->{word} if $port == $accepted || $port == $sync;

    die "$load->{word} of $count answers are the shop's\n"
        if $load->{word} != $count;

    return $load->{rate};
}

sub all_there {
    my $rows = B24::Bench->stored($queue, $placed);

    die "rows written: $rows, orders accepted: $placed\n"
        if $rows != $placed;
}

my @ports = ($plain, $mirror, $off, $async, $accepted, $sync);
my (%rate, @durable);

# connections are made, the queue as well
place($_, $requests) for @ports;

# A turn is short, so that a machine that changes its mind does so between two of
# them and not within one; every other goes the other way round.

for my $turn (1 .. $turns) {
    push @{$rate{$_}}, place($_, $requests)
        for $turn % 2 ? @ports : reverse @ports;

    all_there();

    next if $turn % DURABLE != 0;

    my $start = time;

    place($accepted, DURABLE * $requests);
    all_there();
    push @durable, DURABLE * $requests / (time - $start);
}

my @row = (unit => '/s', base => $rate{$plain}, of => 'no module');

$bench->ratio("nginx's own mirror", @row, ours => $rate{$mirror});
$bench->ratio('checkout refused, b24_journal off', @row, ours => $rate{$off},
    least => '0.90');
$bench->ratio('checkout refused, b24_journal async', @row,
    ours => $rate{$async}, least => '0.75');
$bench->ratio('order accepted, b24_journal off', @row,
    ours => $rate{$accepted}, least => '0.60');
$bench->ratio('order accepted, b24_journal sync', @row, ours => $rate{$sync});
$bench->ratio('order accepted, b24_journal off', unit => '/s',
    ours => $rate{$accepted}, base => $rate{$mirror}, of => "nginx's mirror",
    least => '1.2');
$bench->ratio('orders durable, 64 buyers', @row, ours => \@durable,
    base => [@{$rate{$plain}}[map { DURABLE * $_ - 1 } 1 .. @durable]],
    value_least => 5000);

print "rows written: $placed, orders accepted: $placed\n";
