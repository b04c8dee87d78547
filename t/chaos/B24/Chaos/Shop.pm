package B24::Chaos::Shop;

# A small honest shop: it takes the checkouts of the sample shop's contract
# (t/shop), and has written an order to its list, synced, before it says a word
# about it. Beside PHP's, which is slower, and has fewer ways to fail on the
# wire.
#
#   B24::Chaos::Shop::serve($parent, $dir);     # in a child; never returns
#
# The list is DIR/accepted, a JSON line for each order; DIR/answered has a line
# "TOKEN SECONDS" for each answer to an accepted checkout that it began to give.
# What else is to happen to a request is told by its header X-Chaos, see
# B24::Chaos::Plan.
#
# One process and one thread: an order is looked for by its token and written
# down without anybody in between.

use strict;
use warnings;

use IO::Handle;
use JSON::PP ();
use Mojo::IOLoop;
use Mojo::Parameters;
use Time::HiRes qw(time);

use constant BIG => 1_300_000;     # bytes; more than b24_capture reads

# seconds of "late"; nginx waits LATE - 1
use constant LATE => 3;

my (%by_token, $list, $answers, $count);


sub serve {
    my ($parent, $dir) = @_;

    $list = _append("$dir/accepted");
    $answers = _append("$dir/answered");
    $count = 0;

    Mojo::IOLoop->reset;

    my $id = Mojo::IOLoop->server({address => '127.0.0.1', port => 0,
                                   backlog => 1024}, sub {
        my ($loop, $stream) = @_;

        my $text = '';

        $stream->timeout(60);
        $stream->on(read => sub {
            $text .= $_[1];
            _request($_[0], \$text);
        });
    });

    syswrite $parent, Mojo::IOLoop->acceptor($id)->port . "\n";

    Mojo::IOLoop->singleton->reactor->io($parent => sub {
        Mojo::IOLoop->stop if !sysread $parent, my $buffer, 4096;
    })->watch($parent, 1, 0);

    Mojo::IOLoop->start;

    return;
}


sub _append {
    my ($path) = @_;

    open my $file, '>>', $path or die "$path: $!\n";
    $file->autoflush(1);

    return $file;
}


# A request that is there as a whole; nginx closes the connection after it.
sub _request {
    my ($stream, $text) = @_;

    my $head = index $$text, "\r\n\r\n";

    return if $head < 0;

    my ($length) = substr($$text, 0, $head) =~ /^content-length: *(\d+)/im;

    return if length $$text < $head + 4 + ($length // 0);

    my $body = substr $$text, $head + 4, $length // 0;
    my %chaos = substr($$text, 0, $head) =~ /^x-chaos: *(.*)$/im
                ? map { split /=/ } split /[,\r]/, $1 : ();
    my ($path) = $$text =~ m{\A\S+ ([^ ?]+)};
    my ($type) = substr($$text, 0, $head) =~ /^content-type: *([^\r\n]+)/im;

    $$text = '';

    my $order = $path eq '/api/checkout' ? _json($body)
                                         : _form($body, $type // '');

    _later($chaos{before}, sub { _accept($stream, $path, $order, \%chaos) });

    return;
}


# Goes on even when the buyer is gone, as PHP does.
sub _later {
    my ($ms, $code) = @_;

    return $code->() if !$ms;

    Mojo::IOLoop->timer($ms / 1000 => $code);

    return;
}


sub _accept {
    my ($stream, $path, $order, $chaos) = @_;

    my $json = $path eq '/api/checkout';
    my $known = $order && $by_token{$order->{token} // ''};

    if (!$known) {
        return _refuse($stream, $json) if !$order || !_is_right($order);

        $known = $by_token{$order->{token}} = {
            %$order, number => sprintf('S-%05d', ++$count), accepted => time,
        };

        # the promise to the buyer is given after this
        print {$list} JSON::PP->new->canonical->utf8->encode($known) . "\n"
            or die "the shop's list: $!\n";
        $list->sync or die "the shop's list: $!\n";
    }

    _later($chaos->{after}, sub { _confirm($stream, $json, $known, $chaos) });

    return;
}


sub _confirm {
    my ($stream, $json, $order, $chaos) = @_;

    my $answer = $chaos->{answer} // 'whole';

    if ($answer eq 'late') {
        return Mojo::IOLoop->timer(LATE, sub {
            _confirm($stream, $json, $order, {});
        });
    }

    print {$answers} "$order->{token} " . time . "\n";

    return $stream->close if $answer eq 'cut';

    my ($head, $body)
        = $json ? ("HTTP/1.1 201 Created\r\nContent-Type: application/json",
                   qq({"order":{"id":"$order->{number}","total":)
                   . qq("$order->{total}","status":"N"},"error":null)
                   . ($answer eq 'big' ? ',"more":"' . 'x' x BIG . '"' : '')
                   . '}')
                : ("HTTP/1.1 302 Found\r\nContent-Type: text/html\r\n"
                   . "Location: /thanks?order=$order->{number}",
                   $answer eq 'big' ? 'x' x BIG : 'thank you');

    return _answer($stream, $head, $body, $answer);
}


sub _refuse {
    my ($stream, $json) = @_;

    return _answer($stream, $json
        ? ("HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: "
           . 'application/json', '{"order":null,"error":{"total":"wrong"}}')
        : ("HTTP/1.1 200 OK\r\nContent-Type: text/html",
           'look at your order once more'), 'whole');
}


sub _answer {
    my ($stream, $head, $body, $how) = @_;

    my $length = length $body;

    if ($how eq 'half') {
        $body = substr $body, 0, $length / 2;

    } elsif ($how eq 'chunked') {
        $body = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                         substr($body, 0, 3), substr($body, 3);
        $body .= "0\r\n\r\n";
    }

    $stream->write("$head\r\n"
        . ($how eq 'chunked' ? 'Transfer-Encoding: chunked'
                             : "Content-Length: $length")
        . "\r\nConnection: close\r\n\r\n$body" => sub { $_[0]->close });

    return;
}


# ---- what a buyer sends ------------------------------------------------------

my @FIELDS = qw(token name phone email company inn kpp address comment
                delivery delivery_price total);
my @ITEM_FIELDS = qw(id sku name price qty vat measure);


sub _json {
    my ($body) = @_;

    return eval { _clean(JSON::PP->new->utf8->decode($body)) };
}


sub _form {
    my ($body, $type) = @_;

    my %data;
    my @pairs = $type =~ /multipart.*boundary=(\S+)/
                ? _parts($body, $1) : @{Mojo::Parameters->new($body)->pairs};

    while (my ($name, $value) = splice @pairs, 0, 2) {
        if ($name =~ /\Aitems\[(\d+)\]\[(\w+)\]\z/) {
            $data{items}[$1]{$2} = $value;

        } else {
            $data{$name} = $value;
        }
    }

    return eval { _clean(\%data) };
}


sub _parts {
    my ($body, $boundary) = @_;

    my @pairs;

    for my $part (split /\r\n--\Q$boundary\E/, "\r\n$body") {
        next if $part !~ /\A\r\n[^\n]* name="([^"]*)"\r\n\r\n(.*)\z/s;

        my ($name, $value) = ($1, $2);

        utf8::decode($value);
        push @pairs, $name, $value;
    }

    return @pairs;
}


sub _clean {
    my ($data) = @_;

    die "no items\n" if !@{$data->{items} // []};

    return {
        (map { $_ => $data->{$_} // '' } @FIELDS),
        items => [map { my $item = $_;
                        +{map { $_ => "$item->{$_}" } @ITEM_FIELDS} }
                      @{$data->{items}}],
    };
}


# whole kopecks and thousandths
sub _scaled {
    my ($text, $places) = @_;

    die "not a number\n" if $text !~ /\A(\d+)(?:\.(\d{0,$places}))?\z/;

    return $1 * 10 ** $places + substr(($2 // '') . '000', 0, $places);
}


# a kopeck off is an order nobody has agreed to
sub _is_right {
    my ($order) = @_;

    return eval {
        die "no buyer\n" if grep { $order->{$_} eq '' } qw(token name phone);

        my $sum = _scaled($order->{delivery_price}, 2);

        for my $item (@{$order->{items}}) {
            $sum += int((_scaled($item->{price}, 2) * _scaled($item->{qty}, 3)
                         + 500) / 1000);
        }

        $sum == _scaled($order->{total}, 2);
    };
}


1;
