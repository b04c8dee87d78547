#!/usr/bin/perl

# "./build.sh replay": recorded exchanges through the rules of a shop.  A real
# nginx with the module, on sockets of its own and with nothing to send to, has
# the exchanges played through it; the upstream behind answers as recorded.
#
#   perl -It/lib t/rules.pl [--conf FILE] ... [--shop NAME] [--module FILE]
#        [--all] RECORDING ...
#
# What is printed holds the buyer's data as the recording does.

use strict;
use warnings;

use B24::Exchanges ();
use B24::RuleFile ();
use B24::RuleProbe ();
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp ();
use Getopt::Long;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

use constant {
    SETTLE_CAP => 20,              # seconds until all is written down
    ANSWER_CAP => 30,
    QUIT_CAP   => 15,
    TICK_CAP   => 3,
    WIDTH      => 60,              # of a value that a line is about
    LINE       => 200,             # of one of the order's
};

# directives that say where to send, or what this nginx has otherwise
my $elsewhere = qr/^b24_(?:queue|webhook|database|import|update|site|events
                          |status|alert|mirror|origin|trusted_certificate|rate
                          |retry|sessions|shop|journal)$/x;

my @essential = qw(id phone email total currency items);
my $ROOT = abs_path(dirname(__FILE__) . '/..');

my (@confs, $name, $all);
my $module = "$ROOT/build/ngx_http_b24_module.so";

GetOptions('conf=s' => \@confs, 'shop=s' => \$name, 'module=s' => \$module,
           'all' => \$all) && @ARGV
    or die "usage: ./build.sh replay RECORDING ... [--conf NGINX_CONF]"
           . " [--shop NAME] [--all]\n";

my $dir = File::Temp::tempdir('b24-replay-XXXXXX', TMPDIR => 1);
my ($owner, $upstream, $origin) = ($$);
my $program = "$ROOT/build/tools/explain";

$SIG{INT} = $SIG{TERM} = sub { exit 1 };
$SIG{PIPE} = 'IGNORE';

exit(eval { replay(); 1 } ? 0 : do { print STDERR "replay: $@"; 1 });

END {
    if ($owner && $owner == $$) {
        my $status = $?;
        stop();
        remove_tree($dir);
        $? = $status;
    }
}


sub replay {
    my @exchanges = B24::Exchanges::load(@ARGV);

    ($name, my $conf) = rules();
    start($conf);

    my @blocks = $conf->blocks($name);
    my $expected = 0;

    for my $exchange (@exchanges) {
        play($exchange);
    }

    my @learned = learned($conf);
    my $silent = 0;

    for my $exchange (@exchanges) {
        my $probe = B24::RuleProbe->new($program, $exchange, \@learned);
        my ($text, $placed) = explained($probe, \@blocks);

        $expected += $placed;

        if ($text eq '') {
            $silent++;
            next if !$all && @exchanges > 1;
        }

        print "$exchange->{name}  $exchange->{method} $exchange->{target}"
              . " -> " . ($exchange->{status} || 'no answer') . "\n",
              $text || near($probe, \@blocks), "\n";
    }

    print "$silent other exchange" . ($silent > 1 ? 's' : '')
          . " that no block of the shop is for (--all shows why)\n\n"
        if $silent && !$all && @exchanges > 1;

    my @records = settled($expected);

    print "No order.\n" if !@records;
    print_record($_, \@blocks, \@exchanges, \@learned) for @records;

    return;
}

# The shop's name, and the configuration with it.
sub rules {
    if (!@confs) {
        die "which rules?  --conf FILE, or --shop with the name of a preset\n"
            if !defined $name;
        @confs = sort glob "\Q$ROOT\E/ngx_http_b24_module/shops/*.conf";
    }

    my $conf = B24::RuleFile->read(@confs);

    $name //= $conf->first_mirror;

    if (!defined $name) {
        my @names = $conf->names;

        die "there is no b24_shop in @confs\n" if !@names;
        die "which shop?  --shop " . join(' or ', @names) . "\n"
            if @names > 1;
        $name = $names[0];
    }

    die "there is no \"b24_shop $name\" in ", join(', ', @confs), "\n"
        if !$conf->shop($name);

    return ($name, $conf);
}


# ---- nginx ---------------------------------------------------------------

sub start {
    my ($conf) = @_;

    write_file("$dir/nginx.conf", nginx_conf($conf));
    start_upstream();

    my $out = qx(@{[nginx()]} 2>&1);

    if ($? != 0) {
        # places are those of the copies
        $out =~ s{\Q$dir\E/((?:\d+)\.conf)}{original($1)}ge;
        my @said = map { s/^nginx: \[emerg\] //r } grep { /\[emerg\]/ }
                   split /\n/, $out;
        die join "\n", @said ? @said : $out, '';
    }

    return;
}

sub nginx {
    my (@more) = @_;

    for my $path (map { "$_/nginx" } '/usr/sbin', split /:/, $ENV{PATH}) {
        return join ' ', map { quotemeta } $path, '-p', "$dir/", '-e',
                    "$dir/error.log", '-c', "$dir/nginx.conf", @more
            if -x $path;
    }

    die "nginx isn't installed: ./build.sh deps\n";
}

my @copies;

sub original {
    my ($copy) = @_;

    return $copies[$copy =~ s/\.conf//r] // $copy;
}

# Every file of the shops' rules once more, with lines at the same places.
sub copy_shops {
    my ($conf) = @_;
    my %files;

    for my $shop (sort { $a->{line} <=> $b->{line} }
                  map { $conf->shop($_) } $conf->names)
    {
        $files{$shop->{file}} .= '';
        put_statement(\$files{$shop->{file}}, $shop);
    }

    # bases come first, in whichever order the files were read
    my %first;
    my $n = 0;
    $first{$_->{file}} //= $n++ for grep { $_->{words}[0] eq 'b24_shop' }
                                    $conf->http;

    my $includes = '';

    for my $file (sort { $first{$a} <=> $first{$b} } keys %files) {
        push @copies, $file;
        write_file("$dir/$#copies.conf", $files{$file});
        $includes .= "    include $dir/$#copies.conf;\n";
    }

    return $includes;
}

sub put_statement {
    my ($text, $statement) = @_;

    my $missing = $statement->{line} - 1 - ($$text =~ tr/\n//);

    $$text .= "\n" x $missing if $missing > 0;
    $$text .= join ' ', map { words_of($_) } $statement;

    if (!$statement->{in}) {
        $$text .= '; ';
        return;
    }

    $$text .= ' { ';
    put_statement($text, $_) for @{$statement->{in}};
    $$text .= '} ';

    return;
}

sub words_of {
    my ($statement) = @_;
    my ($first, @rest) = @{$statement->{words}};

    return join ' ', $first, map { B24::RuleFile::quoted($_) } @rest;
}

# Lines of ours, and what variables come from.
sub lines_of {
    my ($indent, @list) = @_;
    my $text = '';

    for my $statement (@list) {
        my $word = $statement->{words}[0];

        if ($word =~ /^(?:map|geo|split_clients)$/ && $statement->{in}) {
            my $inner = join '', map { "$indent    " . join(' ',
                map { B24::RuleFile::quoted($_) } @{$_->{words}}) . ";\n" }
                @{$statement->{in}};
            $text .= $indent . words_of($statement) . " {\n$inner$indent}\n";

        } elsif (!$statement->{in} && ($word eq 'set'
                 || $word =~ /^b24_/ && $word !~ $elsewhere))
        {
            $text .= $indent . words_of($statement) . ";\n";
        }
    }

    return $text;
}

sub origin_of {
    my (@lists) = @_;

    for my $list (@lists) {
        my ($line) = grep { $_->{words}[0] eq 'b24_origin' } @$list;
        return $line->{words}[1] if $line;
    }

    my ($line) = grep { $_->{words}[0] eq 'server_name' } @{$lists[0]};
    my $name = $line ? $line->{words}[1] : '';

    return $name =~ /^[A-Za-z][\w.-]*$/ ? $name : 'shop';
}

sub nginx_conf {
    my ($conf) = @_;

    my ($server, $place) = $conf->server($name);
    my @in = $server ? @{$server->{in}} : ();
    my $shops = copy_shops($conf);
    my $user = $> ? '' : "user root;\n";
    my $http = lines_of('    ', $conf->http);
    my $lines = lines_of('        ', @in);
    my $near = $place && $place != $server->{in}
               ? lines_of('            ', @$place) : '';
    $origin = origin_of(\@in, [$conf->http]);

    return <<"CONF";
load_module $module;
${user}worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/error.log notice;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    client_max_body_size 0;
    b24_queue $dir/queue;
$shops$http
    server {
        listen unix:$dir/in.sock;
        b24_origin "$origin";
        b24_webhook http://127.0.0.1:9/rest/1/nothing/ dry;
$lines
        location / {
            b24_mirror $name;
$near            proxy_http_version 1.1;
            proxy_ignore_client_abort on;
            proxy_set_header Host \$http_host;
            proxy_pass http://unix:$dir/up.sock;
        }
    }

    server {
        listen unix:$dir/desk.sock;
        location /b24 { b24_status reveal; }
    }
}
CONF
}

sub write_file {
    my ($path, $text) = @_;

    open my $out, '>:raw', $path or die "can't write $path: $!\n";
    print $out $text;
    close $out or die "can't write $path: $!\n";

    return;
}

sub stop {
    if ($upstream) {
        kill 'KILL', $upstream;
        waitpid $upstream, 0;
        undef $upstream;
    }

    open my $in, '<', "$dir/nginx.pid" or return;
    my ($pid) = <$in> =~ /^(\d+)/;
    close $in;

    kill 'QUIT', $pid;

    my $end = Time::HiRes::time() + QUIT_CAP;

    while (kill 0, $pid) {
        kill 'KILL', $pid if Time::HiRes::time() > $end;
        Time::HiRes::sleep(0.02);
    }

    return;
}


# ---- the exchanges -------------------------------------------------------

# Answers each connection with the bytes in the file "answer".
sub start_upstream {
    my $listen = IO::Socket::UNIX->new(Local => "$dir/up.sock", Listen => 16)
        or die "no socket in $dir: $!\n";

    $upstream = fork // die "fork: $!\n";
    return if $upstream;

    $SIG{TERM} = $SIG{INT} = 'DEFAULT';

    while (my $client = $listen->accept) {
        read_message($client);
        print {$client} B24::Recording::read_file("$dir/answer");
        close $client;
    }

    POSIX::_exit(0);
}

# A whole message, or, without a length, all there is.
sub read_message {
    my ($socket) = @_;

    my $select = IO::Select->new($socket);
    my $end = Time::HiRes::time() + ANSWER_CAP;
    my ($bytes, $length) = ('');

    while (1) {
        if (!defined $length && $bytes =~ /\r\n\r\n/) {
            my $head = $+[0];
            my ($n) = substr($bytes, 0, $head)
                      =~ /^Content-Length:[ \t]*(\d+)/mi;
            my $request = $bytes !~ m{\AHTTP/};

            $length = $head + ($n // 0) if defined $n || $request;
        }

        return $bytes if defined $length && length $bytes >= $length;

        my $left = $end - Time::HiRes::time();

        die "nginx does not answer\n" if $left <= 0;
        next if !$select->can_read($left);
        return $bytes if !sysread $socket, $bytes, 65536, length $bytes;
    }
}

sub play {
    my ($exchange) = @_;

    write_file("$dir/answer", $exchange->{status} ? answer_bytes($exchange)
                                                  : '');

    my $head = "$exchange->{method} $exchange->{target} HTTP/1.1\r\n"
        . join('', map { "$_->[0]: $_->[1]\r\n" } @{$exchange->{headers}})
        . 'Content-Length: ' . length($exchange->{body}) . "\r\n"
        . "Connection: close\r\n\r\n";

    my $answer = ask('in.sock', $head . $exchange->{body});

    die "nginx itself refuses a request: $exchange->{name}, "
        . "$exchange->{method} $exchange->{target}\n"
        if $answer =~ m{\A\S+ 400 } && $exchange->{status} != 400;

    return;
}

sub answer_bytes {
    my ($exchange) = @_;

    return "HTTP/1.1 $exchange->{status} $exchange->{reason}\r\n"
        . join('', map { "$_->[0]: $_->[1]\r\n" }
                   @{$exchange->{answer_headers}})
        . 'Content-Length: ' . length($exchange->{answer}) . "\r\n"
        . "Connection: close\r\n\r\n" . $exchange->{answer};
}

sub ask {
    my ($name, $bytes) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => "$dir/$name")
        or die "nginx is not there: $!\n";
    print {$socket} $bytes;

    return read_message($socket);
}

sub desk {
    my ($path) = @_;

    my $answer = ask('desk.sock', "GET $path HTTP/1.1\r\nHost: desk\r\n"
                     . "Accept: application/json\r\nConnection: close\r\n\r\n");

    return JSON::PP->new->utf8->decode($answer =~ s/\A.*?\r\n\r\n//sr);
}

# Records, once as many are there as exchanges have placed.
sub settled {
    my ($expected) = @_;
    my $end = Time::HiRes::time() + SETTLE_CAP;

    while (Time::HiRes::time() < $end) {
        my $desk = desk('/b24?limit=1000');
        my $counts = $desk->{portals}[0]{counts};
        my $n = @{$desk->{orders}} + $counts->{duplicate}
                + $counts->{rejected};

        last if !$counts->{captured} && $n >= $expected;
        Time::HiRes::sleep(0.05);
    }

    return map { JSON::PP->new->utf8->decode($_) }
           split /\n/, qx(\Q$program\E queue \Q$dir\E/queue/queue.db);
}

# What learn lines have given, the newest first: [NAME, VALUE] each.
sub learned {
    my ($conf) = @_;
    my %names;

    for my $block ($conf->blocks($name)) {
        $names{$_->{words}[1]} = 1
            for grep { $_->{words}[0] eq 'learn' } @{$block->{lines}};
    }

    return if !%names;

    # they come with a tick of the worker's clock
    my $end = Time::HiRes::time() + TICK_CAP;
    my @found;

    while (!@found && Time::HiRes::time() < $end) {
        my $status = desk('/b24');

        last if !$status->{counters}{learned};

        @found = map { JSON::PP->new->utf8->decode($_) } split /\n/,
                 qx(\Q$program\E learned \Q$dir\E/queue/queue.db \Q$origin\E @{[
                    map { quotemeta } sort keys %names]});
        Time::HiRes::sleep(0.05) if !@found;
    }

    return map { [@$_{qw(name value)}] } @found;
}


# ---- what is said --------------------------------------------------------

# Of the blocks that take the exchange, and the number of orders it places, or
# tries to.
sub explained {
    my ($probe, $blocks) = @_;
    my ($text, $placed, $done) = ('', 0, 0);
    my @failed = $probe->failed(@$blocks);

    for my $block (@$blocks) {
        my $failed = shift @failed;

        next if $done && $block->{kind} ne 'collect';
        next if $failed && !$failed->{answer};

        $text .= title($block);
        $done = 1 if $block->{kind} ne 'collect';
        $placed++ if $block->{kind} eq 'order';

        if ($failed) {
            $text .= ($block->{kind} eq 'order' ? "    the shop has refused it"
                                                : "    nothing is taken")
                     . ", by this line:\n" . said($probe, $failed);
            next;
        }

        $text .= "    all lines hold\n";
    }

    return ($text, $placed);
}

sub title {
    my ($block) = @_;

    return "  $block->{kind}" . ($block->{name} eq '' ? '' : " $block->{name}")
           . ' (' . B24::RuleFile::place($block->{statement}) . ")\n";
}

# Why no block takes it: the first line of each that does not hold.
sub near {
    my ($probe, $blocks) = @_;

    my @orders = grep { $_->{kind} eq 'order' } @$blocks;
    my @failed = $probe->failed(@orders);

    return "  no block of the shop is for it:\n"
           . join '', map { title($orders[$_]) . said($probe, $failed[$_]) }
                      0 .. $#orders;
}

sub said {
    my ($probe, $failed) = @_;

    my $line = $failed->{line};
    my $word = $line->{words}[0];
    my $text = '    ' . B24::RuleFile::place($line) . '  '
               . join(' ', @{$line->{words}}) . "   does not hold\n";

    $text = "    the method is $probe->{exchange}{method}, and without a"
            . " \"method\" line only POST is taken\n" if $line->{implied};

    if ($word eq 'when' || $word eq 'accept') {
        $text .= '        ' . tried_text(@$_) for $probe->sources($line);
    }

    return $text;
}

sub tried_text {
    my ($alternative, $value, $there) = @_;

    return "$alternative is "
           . (defined $value ? '"' . shown($value) . '"'
              : $there ? 'a list or an object, and not empty' : 'empty')
           . "\n";
}

# One line, for a terminal.
sub shown {
    my ($value, $width) = @_;

    $width //= WIDTH;

    $value = "$value";
    $value =~ s/\s+/ /g;
    $value =~ s/[\x00-\x1f\x7f-\x9f]/?/g;
    $value = substr($value, 0, $width) . ' ...' if length $value > $width;
    utf8::encode($value) if utf8::is_utf8($value);

    return $value;
}

sub print_record {
    my ($record, $blocks, $exchanges, $learned) = @_;
    my $order = $record->{order};

    print "Order $record->{key}: $record->{state}, by $record->{rule}\n";

    for my $text (grep { length } @$record{qw(cause advice)}) {
        print '  ', shown($text, 4 * LINE), "\n";
    }

    if (!$order) {
        print "\n";
        return;
    }

    my $fields = $order->{fields};

    print_line($_, $fields->{$_}) for sort keys %$fields;

    for my $part (qw(deal contact company)) {
        my $pairs = $order->{$part} // {};
        print_line("$part $_", $pairs->{$_}) for sort keys %$pairs;
    }

    for my $item (@{$order->{items} // []}) {
        print_line('item', join ', ', map { "$_ $item->{$_}" } sort keys %$item);
    }

    print_empty($record, $blocks, $exchanges, $learned);

    my $commands = desk("/b24/orders/$record->{key}")->{commands};
    my $json = JSON::PP->new->utf8->canonical;

    print "  commands, in this order:\n" if @$commands;
    print "    $_->{method}\n      ", $json->encode($_->{params}), "\n"
        for @$commands;
    print "\n";

    return;
}

sub print_line {
    my ($what, $value) = @_;

    printf "  %-16s %s\n", $what, shown($value, LINE);

    return;
}

# Fields that an order should have and this one has not: what was tried.
sub print_empty {
    my ($record, $blocks, $exchanges, $learned) = @_;

    my $order = $record->{order};
    my ($rule) = $record->{rule} =~ m{/(.*)$};
    my ($block) = grep { $_->{kind} eq 'order' && $_->{name} eq ($rule // '') }
                  @$blocks;

    return if !$block;

    # the exchange that the block took last
    my ($probe) = grep { !($_->failed($block))[0] }
                  map { B24::RuleProbe->new($program, $_, $learned) }
                  reverse @$exchanges;

    return if !$probe;

    for my $field (@essential) {
        next if defined B24::RuleProbe::value($order, $field);

        my @lines = grep { $_->{words}[0] eq $field } @{$block->{lines}};

        print "  $field is empty:" . (@lines ? "\n" : " no line of "
              . B24::RuleFile::place($block->{statement}) . " gives it\n");

        for my $line (@lines) {
            print '    ', B24::RuleFile::place($line), "  $field\n";
            print '        ', tried_text(@$_) for $probe->tried($line);
        }
    }

    return;
}
