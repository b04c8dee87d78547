package B24::RawShop;

# A shop that answers with whatever bytes it is given, whatever it is asked: for
# answers that no web server gives.
#
#   my $shop = B24::RawShop->start($port, $dir);
#   $shop->answer("HTTP/1.1 200 OK\r\n\r\n");
#   $shop->answer("HTTP/1.1 200 OK\r\n", "a: b\r\n");     the last one for ever
#   $shop->requests;                                      heads, as they came
#   $shop->linger;         connections are kept from now on
#   $shop->ends;           "closed" or "kept" for each, 5 s after the answer

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes ();


sub start {
    my ($class, $port, $dir) = @_;

    my $self = bless { dir => $dir, owner => $$ }, $class;
    my $listen = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
                                       Listen => 50, ReuseAddr => 1)
        or die "the shop can't listen on $port: $!\n";

    $self->{pid} = fork // die "cannot fork: $!\n";

    if ($self->{pid} == 0) {
        close main::DATA;
        eval { serve($listen, $dir); 1 } or print STDERR $@;
        POSIX::_exit(0);
    }

    return $self;
}

sub answer {
    my ($self, $bytes, $ever) = @_;

    put("$self->{dir}/ever", $ever // '');
    put("$self->{dir}/answer", $bytes);

    return;
}

sub requests {
    my ($self) = @_;

    return split /\0/, take("$self->{dir}/requests");
}

sub linger {
    my ($self) = @_;

    put("$self->{dir}/linger", '1');

    return;
}

sub ends {
    my ($self) = @_;

    return split /\0/, take("$self->{dir}/ends");
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};

    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;

    return;
}


# ---- the process ---------------------------------------------------------

sub serve {
    my ($listen, $dir) = @_;

    my $parent = getppid;

    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    $listen->timeout(1);

    while (getppid == $parent) {
        my $client = $listen->accept or next;

        if (!fork) {
            eval { serve_one($client, $dir) };
            POSIX::_exit(0);
        }
    }

    return;
}

sub serve_one {
    my ($client, $dir) = @_;

    my $request = '';

    while ($request !~ /\r\n\r\n/) {
        sysread $client, $request, 65536, length $request or last;
    }

    open my $log, '>>:raw', "$dir/requests" or die "requests: $!\n";
    print {$log} "$request\0";
    close $log;

    my $ever = take("$dir/ever");

    send_all($client, take("$dir/answer"));
    send_all($client, $ever) while length $ever;

    return if !-e "$dir/linger";

    my $closed = IO::Select->new($client)->can_read(5)
                 && !sysread $client, my $more, 1;

    open my $ends, '>>:raw', "$dir/ends" or die "ends: $!\n";
    print {$ends} $closed ? "closed\0" : "kept\0";

    return;
}

sub send_all {
    my ($client, $bytes) = @_;

    for (my $at = 0; $at < length $bytes; ) {
        $at += syswrite($client, $bytes, 65536, $at) // die "gone\n";
    }

    return;
}

sub put {
    my ($path, $bytes) = @_;

    open my $out, '>:raw', "$path.new" or die "$path: $!\n";
    print {$out} $bytes;
    close $out;
    rename "$path.new", $path or die "$path: $!\n";

    return;
}

sub take {
    my ($path) = @_;

    open my $in, '<:raw', $path or return '';
    local $/;

    return <$in> // '';
}

1;
