#!/usr/bin/perl

# A checkout of a PHP shop, with the module and without it: requests a second
# and the time that 99 of 100 stay below, in turns, while the portal hangs, while
# the disk refuses, and with many orders waiting.  The sample shop computes for
# some 3 ms, which no real shop does: "30 ms" are rows of the same shop that
# computes as long as the lightest checkout that was recorded (OpenCart's, 25 ..
# 41 ms; PrestaShop and WooCommerce take 80 .. 350).
#
#   perl -It/lib t/bench/shop.pl [TURNS [REQUESTS [WAITING]]]

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use B24::Bench;
use B24::Shop;
use IO::Socket::INET;

my $turns = $ARGV[0] // 7;
my $requests = $ARGV[1] // 400;
my $waiting = $ARGV[2] // 100_000;

use constant {
    CLIENTS => 4,
    WORK    => 30,                  # ms of processor time
    LESS    => 4,                   # times fewer requests of that
};

my $bench = B24::Bench->new('shop');
my ($plain, $slow, $ours, $ours_slow, $broken, $broken_slow, $fill, $fast)
    = B24::Bench->ports(8);
my $php = B24::Shop->start($bench->dir('php'));
my $queue = $bench->dir('queue');
my $refused = $bench->dir('refused');
my $flag = $bench->dir('disk-is-full');
my $number = 1;
my %placed = ($queue => 0, $refused => 0);

# takes connections and never says a word
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 50)
    or die "no socket: $!\n";
my $webhook = 'http://127.0.0.1:' . $mute->sockport
    . '/rest/1/code1234567890ab/';

my $order = $bench->put('order', B24::Bench::request('POST', '/api/checkout',
    '{"name":"Анна Ёлкина","phone":"+79161234567","email":"anna@example.com",'
    . '"address":"Москва, ул. Лесная, д. 5","delivery":"courier",'
    . '"delivery_price":"350.00","total":"1094.80","token":"bench-@@@@@@@@@@",'
    . '"items":[{"id":1,"price":"149.90","qty":2},'
    . '{"id":2,"price":"890.00","qty":0.5}]}',
    'Content-Type' => 'application/json'));
my $quick = $bench->put('quick', B24::Bench::request('POST', '/fill',
    '{"id":"@@@@@@@@@@","phone":"+79161234567"}',
    'Content-Type' => 'application/json'));

my $preload = $bench->dir('io_error.so');

system('cc', '-shared', '-fPIC', '-O2', '-o', $preload,
       $bench->root . '/t/lib/B24/io_error.c', '-ldl') == 0
    or die "io_error.c is not compiled\n";

my $work = $bench->put('work.php', '<?php $b24_used = function () {'
    . ' $r = getrusage(); return ($r["ru_utime.tv_sec"] + $r["ru_stime.tv_sec"])'
    . ' * 1e3 + ($r["ru_utime.tv_usec"] + $r["ru_stime.tv_usec"]) / 1e3; };'
    . ' $b24_since = $b24_used(); while ($b24_used() - $b24_since < ' . WORK
    . ') hash("sha256", str_repeat("x", 4096));');

# the shop that answers at once, and the one that computes
sub servers {
    my ($listen, $slower, $lines) = @_;

    # each says it: PHP-FPM's processes keep what the request before has said
    return join '', map {
        "server { listen 127.0.0.1:$$_[0]; $lines\n" . $php->location(
            qq{fastcgi_param PHP_VALUE "auto_prepend_file=$$_[1]";}) . "}\n"
    } [$listen, 'none'], [$slower, $work];
}

sub ours {
    my ($folder) = @_;

    return "b24_queue $folder max=10000000;\nb24_origin shop.example.com;\n"
        . "b24_webhook $webhook;\n" . 'include ' . $php->rules . ";\n";
}

my %nginx;

$nginx{$plain} = $bench->nginx('plain', module => 0, port => $plain,
    http => servers($plain, $slow, ''));
$nginx{$slow} = $nginx{$plain};

$nginx{$ours} = $bench->nginx('ours', port => $ours,
    http => ours($queue) . <<"EOC" .
    b24_shop fill {
        order placed {
            uri     /fill;
            accept  response:/ok;
            id      request:/id;
            phone   request:/phone;
        }
    }
    server {
        listen 127.0.0.1:$fast;
        default_type application/json;
        return 200 '{"ok":true}';
    }
    server {
        listen 127.0.0.1:$fill;
        b24_mirror fill;
        location / {
            proxy_pass http://127.0.0.1:$fast;
        }
    }
EOC
    servers($ours, $ours_slow, 'b24_mirror sample;'));
$nginx{$ours_slow} = $nginx{$ours};

$nginx{$broken} = $bench->nginx('broken', port => $broken, preload => $preload,
    env => { B24_PRELOAD => $flag },
    http => ours($refused)
    . servers($broken, $broken_slow, 'b24_mirror sample;'));
$nginx{$broken_slow} = $nginx{$broken};

my %queue_of = ($ours => $queue, $ours_slow => $queue, $broken => $refused,
                $broken_slow => $refused);

sub place {
    my ($port, $n) = @_;

    my $cpu = B24::Bench::cpu($nginx{$port});
    my $load = $bench->load($port, connections => CLIENTS, requests => $n,
        file => $order, first => $number, word => '"error":null');

    $number += $n;
    die "$load->{word} of $n orders were accepted\n" if $load->{word} != $n;

    $load->{cpu} = (B24::Bench::cpu($nginx{$port}) - $cpu) / $n / 1000;
    $placed{$queue_of{$port}} += $n if $queue_of{$port};

    return $load;
}

sub compare {
    my ($name, $n, $base, $with) = @_;

    my %got;

    for my $turn (1 .. $turns) {
        for my $port ($turn % 2 ? ($base, $with) : ($with, $base)) {
            my $load = place($port, $n);

            push @{$got{$port}{$_}}, $load->{$_} for qw(rate p99 cpu);
        }
    }

    my @row = (of => 'no module');

    $bench->ratio($name, unit => '/s', @row, ours => $got{$with}{rate},
        base => $got{$base}{rate}, least => '0.98');
    $bench->ratio("$name: p99", unit => 'us', @row,
        ours => $got{$with}{p99}, base => $got{$base}{p99});
    $bench->ratio("$name: nginx's processor time", unit => 'us', @row,
        ours => $got{$with}{cpu}, base => $got{$base}{cpu});
}

sub both {
    my ($while, $with, $with_slow) = @_;

    compare("PHP checkout, $while", $requests, $plain, $with);
    compare('PHP checkout of ' . WORK . " ms, $while", $requests / LESS, $slow,
            $with_slow);
}

sub all_there {
    my ($folder) = @_;

    my $rows = B24::Bench->stored($folder, $placed{$folder});

    die "rows written: $rows, orders accepted: $placed{$folder}\n"
        if $rows != $placed{$folder};
}

place($_, 50) for $plain, $slow, $ours, $ours_slow, $broken, $broken_slow;

both('the portal hangs', $ours, $ours_slow);

$bench->put('disk-is-full', '');
both('the disk refuses', $broken, $broken_slow);
unlink $flag;
all_there($refused);
$bench->stop($nginx{$broken});

$bench->load($fill, connections => 64, requests => $waiting, file => $quick,
    word => '"ok":true');
$placed{$queue} += $waiting;
all_there($queue);
both("$waiting orders wait", $ours, $ours_slow);

all_there($queue);
print "rows written: ", $placed{$queue} + $placed{$refused},
    ", orders accepted: ", $placed{$queue} + $placed{$refused}, "\n";
