#!/usr/bin/perl

# What requests cost that no rule wants, under a mirror of the whole server:
# instructions of the event loop for one of them, beside an nginx without the
# module; then requests a second of both, in turns.  What a worker does each
# second, without any request, is left out of the first and told by itself.
#
#   perl -It/lib t/bench/pass.pl [SHOP ...]

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use B24::Bench;
use File::Basename qw(dirname);

use constant {
    ADDED    => 1500,              # instructions
    TURNS    => 11,
    REQUESTS => 8000,              # of a turn
    CLIENTS  => 16,
};

my $bench = B24::Bench->new('pass');
my ($port, $plain_port, $shop_port) = B24::Bench->ports(3);
my $shops = B24::Bench->root . '/ngx_http_b24_module/shops';

my @shops = @ARGV ? @ARGV
    : qw(small generic bitrix woocommerce opencart prestashop);

# One order block, as the guide begins with.
my $small = <<'EOC';
b24_shop small {
    order placed {
        uri     /checkout;
        accept  response:/ok;
        id      request:/id;
        name    request:/name;
    }
}
EOC

my @requests = (
    ['GET of a file', 'GET',
     '/upload/iblock/8f3/ceramic-mug-300-ml.jpg?v=170000'],
    ['GET of a page', 'GET', '/catalog/tea-and-coffee/?PAGEN_1=2&sort=price'],
    ['POST', 'POST', '/wp-json/statistics/v1/seen.json?page=catalog',
     '{"seen":[1,2,3],"t":1700000000}', 'Content-Type' => 'application/json'],
);

# what is done each second, and what comes of it
my @apart = qw(ngx_http_b24_tick_handler ngx_http_b24_store_done);

my %file;

for my $request (@requests) {
    my ($name, @parts) = @$request;

    $file{$name} = $bench->put("requests/$name", B24::Bench::request(@parts));
}

my $root = dirname($bench->put('root/upload/iblock/8f3/ceramic-mug-300-ml.jpg',
                               'x' x 4000));
$root =~ s{/upload/.*}{};

# the shop: another process, which answers at once
my $backend = $bench->nginx('backend', module => 0, port => $shop_port,
    http => "server { listen 127.0.0.1:$shop_port; return 200 'page'; }");

sub server {
    my ($listen, $lines) = @_;

    return <<"EOC";
    upstream shop_$listen {
        server 127.0.0.1:$shop_port;
        keepalive 64;
    }
    server {
        listen 127.0.0.1:$listen;
        root $root;
        $lines
        location / {
            proxy_pass http://shop_$listen;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
        }
        location ~ \\.jpg\$ {
        }
    }
EOC
}

sub mirrored {
    my ($shop, $listen) = @_;

    my $include = $shop eq 'small' ? $small : "include $shops/$shop.conf;";
    my $queue = $bench->dir('queue');

    return "b24_queue $queue;\nb24_origin shop.example.com;\n$include\n"
        . server($listen, "b24_mirror $shop;");
}

# the name of a folder
sub plain {
    return join('-', @_) =~ tr/ /-/r;
}

sub counts {
    my @names = map { $_->[0] } @requests;
    my %plain;

    for my $name (@names) {
        $plain{$name} = $bench->instructions(plain(plain => $name), module => 0,
            http => server($plain_port, ''), port => $plain_port,
            file => $file{$name});
    }

    for my $shop (@shops) {
        for my $name (@names) {
            my $ours = $bench->instructions(plain($shop => $name),
                http => mirrored($shop, $port), port => $port,
                file => $file{$name}, apart => \@apart);

            $bench->ratio("$name, no rule of $shop wants it",
                unit => 'instructions more', ours => [$ours],
                values => [$ours - $plain{$name}],
                base => [$plain{$name}], of => 'without the module',
                value_most => ADDED);
        }
    }

    my $tick = $bench->idle('idle', $apart[0], port => $port,
                            http => mirrored('small', $port));

    $bench->ratio('a second of an idle worker', unit => 'instructions',
        ours => [$tick], base => [$tick], of => 'itself');
}

# One nginx for each, side by side; turns change who goes first.
sub rates {
    my ($shop) = @_;

    $bench->nginx('rate-plain', module => 0, port => $plain_port,
                  http => server($plain_port, ''));
    $bench->nginx('rate-ours', port => $port, http => mirrored($shop, $port));

    for my $request (@requests) {
        my $name = $request->[0];
        my %rate;

        for my $turn (0 .. TURNS) {
            for my $at ($turn % 2 ? ($plain_port, $port)
                                  : ($port, $plain_port))
            {
                my $load = $bench->load($at, connections => CLIENTS,
                    requests => REQUESTS, file => $file{$name});

                # the first one makes connections
                push @{$rate{$at}}, $load->{rate} if $turn;
            }
        }

        $bench->ratio("$name, no rule of $shop wants it", unit => '/s',
            ours => $rate{$port}, base => $rate{$plain_port},
            of => 'no module', least => '0.98');
    }
}

counts();
rates('bitrix');
