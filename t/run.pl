#!/usr/bin/perl

# The trial run behind "./build.sh run": the sample shop, the portal emulator
# and nginx with the module, all on loopback and on free ports; one order is
# placed and what the CRM then holds is printed.  They go on until
# "./build.sh stop" or the next run.
#
#   perl -It/lib t/run.pl start DIR
#   perl -It/lib t/run.pl stop DIR
#
# DIR holds everything: configuration, logs, queue, pid files.

use strict;
use warnings;
use utf8;

use Cwd qw(abs_path);
use Encode ();
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Select;
use IO::Socket::INET;
use Mojo::UserAgent;
use POSIX ();
use Time::HiRes ();

use B24::Shop;

use constant {
    SHOP_PORT   => 8080,           # tried first; the next free one is taken
    LAST_PORT   => 8999,
    ORIGIN      => 'sample-shop',
    WORKER_USER => 'www-data',
    START_CAP   => 30,             # seconds until the portal must listen
    DEAL_CAP    => 60,             # seconds until the deal must be there
    QUIT_CAP    => 15,             # seconds until a process must be gone
};

my $ROOT = abs_path(dirname(__FILE__) . '/..');

my ($command, $dir) = @ARGV;

die "usage: $0 start|stop DIR\n"
    if @ARGV != 2 || $command !~ /^(?:start|stop)$/;

binmode $_, ':encoding(UTF-8)' for \*STDOUT, \*STDERR;
$| = 1;

if ($command eq 'stop') {
    my @ended = -d $dir ? stop() : ();

    print @ended ? 'stopped: ' . join(', ', @ended) . "\n"
                 : "nothing is running\n";
    exit;
}

my @earlier = -d $dir ? stop() : ();

print 'stopped the run before: ' . join(', ', @earlier) . "\n" if @earlier;

exit(eval { start(); 1 } ? 0 : failed($@));


sub start {
    remove_tree($dir);
    make_path($dir);
    $dir = abs_path($dir);

    my $shop = B24::Shop->start("$dir/shop", detach => 1);
    my $port = free_port(SHOP_PORT);
    my $portal_port = free_port($port + 1);

    start_portal($portal_port, webhook_code());
    start_nginx($shop, $port, $portal_port);

    my %url = (shop => "http://127.0.0.1:$port",
               portal => "http://127.0.0.1:$portal_port");

    my $order = place_order($url{shop});

    print_order($url{shop}, $order);
    print_deal(wait_for_deal($url{portal}, $order), $order);
    print_addresses(\%url);

    return;
}


sub failed {
    my ($why) = @_;

    # logs are bytes
    utf8::decode($why);
    print STDERR "\nThe trial run failed: $why\n";

    if (open my $in, '<:encoding(UTF-8)', "$dir/error.log") {
        my @lines = <$in>;
        my @last = @lines > 10 ? @lines[-10 .. -1] : @lines;

        print STDERR "The end of $dir/error.log:\n", @last if @last;
    }

    my @ended = stop();

    print STDERR 'stopped: ' . join(', ', @ended) . "\n" if @ended;

    return 1;
}


# ---- the processes -------------------------------------------------------

sub free_port {
    my ($first) = @_;

    for my $port ($first .. LAST_PORT) {
        return $port if IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1, ReuseAddr => 1);
    }

    die "no port between $first and " . LAST_PORT . " is free\n";
}


# A webhook's secret, of this run only.
sub webhook_code {
    my @letters = ('a' .. 'z', 0 .. 9);

    return join '', map { $letters[rand @letters] } 1 .. 16;
}


sub start_portal {
    my ($port, $code) = @_;

    # the master reads it, the workers needn't
    write_file("$dir/webhook", 0600,
               "http://127.0.0.1:$port/rest/1/$code/\n");

    pipe my $out, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null' and open STDOUT, '>&', $to
            and open STDERR, '>>', "$dir/portal.log"
            and exec $^X, "-I$ROOT/t/lib", "$ROOT/t/portal.pl",
                     '--listen', "http://127.0.0.1:$port", '--code', $code,
                     '--pid', "$dir/portal.pid",
                     '--state', "$dir/portal.json";
        POSIX::_exit(127);
    }

    close $to;

    my $select = IO::Select->new($out);
    my $until = Time::HiRes::time() + START_CAP;
    my $text = '';

    while ($text !~ /^ready$/m) {
        my $left = $until - Time::HiRes::time();

        next if $left > 0 && $select->can_read($left)
                && sysread $out, $text, 4096, length $text;

        kill 'KILL', $pid;
        waitpid $pid, 0;
        die "the portal emulator does not start, see $dir/portal.log\n";
    }

    return;
}


sub nginx_binary {
    for my $path (map { "$_/nginx" } '/usr/sbin', split /:/, $ENV{PATH}) {
        return $path if -x $path;
    }

    die "nginx isn't installed: the Debian package is nginx\n";
}


sub start_nginx {
    my ($shop, $port, $portal_port) = @_;

    make_path("$dir/tmp");
    write_file("$dir/nginx.conf", 0600, nginx_conf($shop, $port));

    my $status = system nginx_binary(), '-p', "$dir/", '-e', "$dir/error.log",
                        '-c', "$dir/nginx.conf";

    die "nginx does not start\n" if $status != 0;

    return;
}


sub nginx_conf {
    my ($shop, $port) = @_;

    my $user = $> ? '' : 'user ' . worker_user() . ";\n";
    my $rules = $shop->rules;
    my $location = $shop->location('fastcgi_ignore_client_abort on;');
    my $origin = ORIGIN;

    $location =~ s/^(?=.)/        /gm;

    return <<"CONF";
# Written by ./build.sh run.

load_module $ROOT/build/ngx_http_b24_module.so;

${user}worker_processes 2;
pid $dir/nginx.pid;
error_log $dir/error.log notice;

events {
    worker_connections 256;
}

http {
    access_log $dir/access.log;

    client_body_temp_path $dir/tmp/body;
    proxy_temp_path $dir/tmp/proxy;
    fastcgi_temp_path $dir/tmp/fastcgi;
    uwsgi_temp_path $dir/tmp/uwsgi;
    scgi_temp_path $dir/tmp/scgi;

    b24_queue $dir/queue;

    include $rules;

    server {
        listen 127.0.0.1:$port;
        server_name localhost;

        b24_origin $origin;
        b24_webhook file:$dir/webhook;
        b24_mirror sample;

$location
        location /b24 {
            b24_status;
            allow 127.0.0.1;
            deny all;
        }
    }
}
CONF
}


# Workers of a nginx started by root: an ordinary user, unless the checkout lies
# below a closed folder (/root).
sub worker_user {
    my @path = split m{/}, $dir;

    for my $last (1 .. $#path) {
        my $mode = (stat join '/', @path[0 .. $last])[2];

        return 'root' if !($mode & 01);
    }

    return WORKER_USER;
}


sub write_file {
    my ($path, $mode, $text) = @_;

    sysopen my $out, $path, POSIX::O_WRONLY | POSIX::O_CREAT | POSIX::O_TRUNC,
            $mode or die "can't write $path: $!\n";
    print $out $text;
    close $out or die "can't write $path: $!\n";

    return;
}


# ---- the order -----------------------------------------------------------

sub place_order {
    my ($url) = @_;

    open my $out, '-|', $^X, "-I$ROOT/t/lib", "$ROOT/t/shop/buy.pl",
         '--url', $url or die "can't run t/shop/buy.pl: $!\n";
    my $order = <$out>;

    close $out or die "the sample shop took no order\n";
    chomp $order;

    return $order;
}


sub agent {
    my $ua = Mojo::UserAgent->new(request_timeout => 0,
                                  inactivity_timeout => DEAL_CAP + 30);

    $ua->proxy->detect(0);

    return $ua;
}


# As the shop's own page of orders shows it.
sub print_order {
    my ($url, $order) = @_;

    my $dom = agent()->get("$url/orders")->result->dom;
    my $section = $dom->find('section.order')
                      ->first(sub { $_->at('h2')->all_text =~ /\Q$order\E/ })
        // die "the shop's page of orders lacks $order\n";

    print "\nThe order, as the shop has it\n\n";
    print '  ', squish($_->all_text), "\n"
        for $section->find('h2, p')->each;

    for my $row ($section->find('tr')->each) {
        my @cells = map { squish($_->all_text) } $row->find('td, th')->each;

        line($cells[0], join '  ', @cells[1 .. $#cells]);
    }

    return;
}


sub squish {
    my ($text) = @_;

    $text =~ s/\s+/ /g;
    $text =~ s/^ | $//g;

    return $text;
}


# A text on the left, figures on the right; no format counts wide letters.
sub line {
    my ($left, $right) = @_;
    my $room = 74 - length $right;

    $left = substr($left, 0, $room - 2) . '…' if length $left > $room - 1;
    print '  ', $left, ' ' x ($room - length $left), $right, "\n";

    return;
}


sub wait_for_deal {
    my ($url, $order) = @_;

    # rows come last; "stable": nothing is under way any more
    my %query = (deal => $order, rows => 1, stable_ms => 300,
                 timeout => DEAL_CAP, journal => 0);

    my $answer = agent()->get("$url/_/wait" => form => \%query)->result;

    die "order $order did not reach the CRM within " . DEAL_CAP
        . " seconds\n" if $answer->code != 200;

    return $answer->json;
}


sub print_deal {
    my ($report, $order) = @_;

    my ($deal) = grep { ($_->{origin_id} // '') eq $order }
                      @{$report->{deals}};
    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};
    my ($company) = grep { $_->{id} == $deal->{company_id} }
                         @{$report->{companies}};

    print "\nWhat the CRM holds\n\n";
    line("deal $deal->{id}: $deal->{title}",
         "$deal->{opportunity} $deal->{currency_id}");
    print "    stage $deal->{stage_id}, origin $deal->{originator_id}"
          . " / $deal->{origin_id}\n";
    print '    ', squish($deal->{comments}), "\n"
        if length($deal->{comments} // '');

    for my $person (grep { defined } @contact{@{$deal->{contact_ids}}}) {
        my $name = join ' ', grep { length } map { $_ // '' }
                             @$person{qw(name second_name last_name)};

        print "  contact $person->{id}: ",
              join(', ', $name, @{$person->{phones}}, @{$person->{emails}}),
              "\n";
    }

    print "  company $company->{id}: $company->{title}\n" if $company;
    print "  rows:\n";

    line("  $_->{product_name}", "$_->{price} × $_->{quantity}  $_->{sum}")
        for @{$deal->{rows}};

    line('  sum of the rows', $deal->{rows_sum});

    return;
}


sub print_addresses {
    my ($url) = @_;

    for my $page ("$url->{shop}/", "$url->{shop}/orders", "$url->{portal}/",
                  "$url->{shop}/b24")
    {
        my $code = agent()->get($page)->result->code;

        die "$page answers $code\n" if $code != 200;
    }

    print <<"END";

It goes on running; buy something in the shop and look at the CRM again.

  shop             $url->{shop}/
  shop's orders    $url->{shop}/orders
  CRM              $url->{portal}/
  operator's page  $url->{shop}/b24

  configuration    $dir/nginx.conf
  logs             $dir/error.log

  stop it          ./build.sh stop
END

    return;
}


# ---- the end -------------------------------------------------------------

# Ends what an earlier run left in DIR; the names of what was running.
sub stop {
    my $folder = abs_path($dir) // return;
    my @ended;

    # nginx first: it quits as it would on a real machine
    push @ended, 'nginx'
        if end_process("$folder/nginx.pid", "$folder/nginx.conf", 'QUIT');
    push @ended, 'portal'
        if end_process("$folder/portal.pid", "$folder/portal.pid", 'TERM');
    push @ended, 'shop' if B24::Shop->stop_in("$folder/shop");

    return @ended;
}


# A pid file may be older than the machine's last start: the process is ours
# only if its command names our file.
sub end_process {
    my ($pid_file, $mark, @signals) = @_;

    open my $in, '<', $pid_file or return 0;
    my $pid = <$in>;

    return 0 if !defined $pid || $pid !~ /^(\d+)$/;
    $pid = $1;

    return 0 if index(command_of($pid), $mark) < 0;

    for my $signal (@signals, 'TERM', 'KILL') {
        kill $signal, $pid
            or die "can't end process $pid: $!; it is another user's\n";

        my $until = Time::HiRes::time() + QUIT_CAP;

        while (Time::HiRes::time() < $until) {
            return 1 if index(command_of($pid), $mark) < 0;
            Time::HiRes::sleep(0.02);
        }
    }

    die "process $pid does not end\n";
}


# '' once it is gone, also for a zombie
sub command_of {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/cmdline" or return '';
    local $/;

    return <$in> // '';
}
