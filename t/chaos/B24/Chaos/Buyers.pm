package B24::Chaos::Buyers;

# The clients: several processes that send the plan's orders through nginx, at
# the time it sets, over connections that are kept.  What each of them was told
# is its own list, DIR/told-N, a JSON line for each try:
#
#   mark, sent, ended   times, seconds since the epoch
#   status              of a whole answer
#   told                the number it says the order has, if it accepts
#   refused             1: the shop said no
#   error               why there is no whole answer
#   left                the client went before
#
# A line {"over": 1} is the last one.

use strict;
use warnings;
use utf8;

use B24::Chaos::Child;
use IO::Handle;
use IO::Select;
use JSON::PP ();

use constant {
    CLIENTS     => 6,
    CONNECT_CAP => 20,             # seconds nginx may be away
    TRIES       => 40,
    PAUSE       => 0.25,
};


# Starts them; PLAN's order n is due n / RATE after BEGIN.
sub start {
    my ($class, %args) = @_;

    my $self = bless {dir => $args{dir}}, $class;

    for my $number (0 .. CLIENTS - 1) {
        my @orders = grep { $_->{n} % CLIENTS == $number }
                     $args{plan}->orders;

        push @{$self->{children}}, B24::Chaos::Child->start(sub {
            my ($parent) = @_;

            B24::Chaos::Buyers::Client->new(%args, parent => $parent,
                file => "$args{dir}/told-$number")->run(@orders);
        });
    }

    return $self;
}


sub over {
    my ($self) = @_;

    return !grep { !$_->over } @{$self->{children}};
}


# No more orders: those that are not sent yet are left out.
sub hurry {
    my ($self) = @_;

    $_->say('hurry') for grep { !$_->over } @{$self->{children}};

    return;
}


sub stop { $_->stop for @{$_[0]{children}}; return }


# All lines, in order of time; dies when one of the clients did not get to its
# end.
sub told {
    my ($class, $dir) = @_;

    my $json = JSON::PP->new->utf8;
    my @lines;

    for my $number (0 .. CLIENTS - 1) {
        open my $in, '<', "$dir/told-$number" or die "told-$number: $!\n";

        my @own = map { $json->decode($_) } <$in>;

        die "client $number has not come to its end\n"
            if !@own || !(pop @own)->{over};

        push @lines, @own;
    }

    return sort { $a->{sent} <=> $b->{sent} } @lines;
}


# How many orders have been begun.
sub count {
    my ($class, $dir) = @_;

    my %marks;

    for my $number (0 .. CLIENTS - 1) {
        open my $in, '<', "$dir/told-$number" or next;
        while (<$in>) {
            $marks{$1} = 1 if /"mark":"([^"]*)"/;
        }
    }

    return scalar keys %marks;
}


package B24::Chaos::Buyers::Client;

use B24::Client qw(request_bytes);
use Encode qw(encode_utf8);
use Mojo::Util qw(url_escape);
use Time::HiRes qw(sleep time);

use constant JUNK => 'x';


sub new {
    my ($class, %args) = @_;

    open my $out, '>', $args{file} or die "$args{file}: $!\n";
    $out->autoflush(1);

    return bless {%args, out => $out, json => JSON::PP->new->canonical->utf8},
                 $class;
}


sub run {
    my ($self, @orders) = @_;

    for my $order (@orders) {
        my $due = $self->{begin} + $order->{n} / $self->{rate};

        last if $self->_told_to_hurry($due - time);

        $self->_place($order);
    }

    $self->_note({over => 1});

    return;
}


# Sleeps meanwhile.
sub _told_to_hurry {
    my ($self, $seconds) = @_;

    my $select = IO::Select->new($self->{parent});

    return $self->{hurry} ||= $select->can_read($seconds > 0 ? $seconds : 0)
                              ? 1 : 0;
}


sub _note {
    my ($self, $line) = @_;

    print { $self->{out} } $self->{json}->encode($line) . "\n"
        or die "cannot write $self->{file}: $!\n";

    return;
}


sub _place {
    my ($self, $order) = @_;

    my $bytes = $self->_request($order, $self->_faults($order));
    my $client = $order->{client};

    return $self->_leave($order, $bytes, $order->{leave})
        if $client eq 'leave';
    return $self->_leave($order, substr($bytes, 0, length($bytes) - 40), 5)
        if $client eq 'torn';

    # the second one, on a connection of its own, in time with the first
    my $second = $client eq 'double' ? $self->_connect : undef;
    my $sent = time;

    $second->send($bytes) if $second;

    my $told = $self->_try($order, $bytes);

    $self->_note($self->_read($order, $second, $sent)) if $second;

    # once more, and nothing hinders the shop any longer
    $bytes = $self->_request($order);

    for (1 .. B24::Chaos::Buyers::TRIES) {
        last if !$order->{retry} || $told->{status}
                && $told->{status} !~ /^50[0-9]$/;

        sleep B24::Chaos::Buyers::PAUSE;
        $told = $self->_try($order, $bytes);
    }

    $self->_try($order, $bytes) if $client eq 'again';

    return;
}


# One request over the kept connection; notes and gives what came of it.
sub _try {
    my ($self, $order, $bytes) = @_;

    my $client = delete $self->{kept};

    # a kept connection that was closed meanwhile
    $client = $self->_connect if !$client || !$client->is_idle;

    my $sent = time;
    my $line;

    if ($client && $client->send($bytes)) {
        $line = $self->_read($order, $client, $sent);

    } else {
        $line = {mark => $order->{mark}, sent => $sent, ended => time,
                 error => 'not sent'};
    }

    $self->_note($line);

    $self->{kept} = $client
        if $line->{status} && $client->is_idle && !$line->{close};

    return $line;
}


sub _read {
    my ($self, $order, $client, $sent) = @_;

    my $answer = eval { $client->response };
    my $line = {mark => $order->{mark}, sent => $sent, ended => time};

    if (!$answer) {
        chomp($line->{error} = $@);
        return $line;
    }

    $line->{status} = $answer->{status};
    $line->{close} = 1 if $answer->{head} =~ /^connection: *close/im;

    my $number = $order->{form} eq 'json'
        ? eval { JSON::PP->new->utf8->decode($answer->{body})->{order}{id} }
        : ($answer->{head} =~ /^location: *\S*[?&]order=([^&\s]+)/im)[0];

    if (defined $number && $answer->{status} =~ /^(?:201|302)$/) {
        $line->{told} = $number;

    } elsif ($answer->{status} =~ /^(?:200|4\d\d)$/ && $answer->{body} ne '') {
        $line->{refused} = 1;
    }

    return $line;
}


sub _leave {
    my ($self, $order, $bytes, $ms) = @_;

    my $client = $self->_connect // return;
    my $sent = time;

    $client->send($bytes);
    sleep $ms / 1000;

    my $answered = !$client->is_idle;

    $order->{n} % 2 ? $client->abort : $client->close;

    $self->_note({mark => $order->{mark}, sent => $sent, ended => time,
                  left => $answered ? 0 : 1});

    return;
}


# undef when nginx is away for too long
sub _connect {
    my ($self) = @_;

    my $until = time + B24::Chaos::Buyers::CONNECT_CAP;

    while (time < $until) {
        my $client = eval {
            B24::Client->new(port => $self->{port}, timeout => 30);
        };

        return $client if $client;
        sleep 0.05;
    }

    return;
}


# ---- requests ----------------------------------------------------------------

sub _money {
    return sprintf '%d.%02d', int($_[0] / 100), $_[0] % 100;
}


sub _quantity {
    return sprintf('%.3f', $_[0] / 1000) =~ s/\.?0+\z//r;
}


# What the form says, texts.
sub _data {
    my ($self, $order) = @_;

    my $buyer = $order->{buyer};

    return {
        token => $order->{token}, name => $buyer->{name},
        phone => $order->{phone}, email => $buyer->{email},
        %{$order->{firm} // {}},
        address => 'Москва, ул. Тверская, д. 1',
        comment => "Позвоните за час, $order->{mark}; домофон «12» & 2-й этаж",
        delivery => $order->{delivery},
        delivery_price => _money($order->{delivery_price}),
        total => _money($order->{total} + ($order->{wrong} ? 1 : 0)),
        items => [map { my $item = $_;
            +{(map { $_ => "$item->{$_}" } qw(id sku name vat measure)),
              price => _money($item->{price}), qty => _quantity($item->{qty})}
        } @{$order->{items}}],
        $order->{pad} ? (more => JUNK x $order->{pad}) : (),
    };
}


sub _request {
    my ($self, $order, @faults) = @_;

    my $data = $self->_data($order);
    my @headers = (Host => "$order->{shop}.test", Connection => undef,
                   @faults);

    if ($order->{form} eq 'json') {
        return request_bytes('POST', '/api/checkout',
            JSON::PP->new->canonical->utf8->encode($data), @headers,
            'Content-Type', 'application/json');
    }

    # PHP's form belongs to a session with a cart
    if ($order->{shop} eq 'php') {
        my $session = $self->{php}->session(
            map { $_->{id} => $_->{qty} / 1000 } @{$order->{items}});

        $data->{csrf} = $session->{csrf};
        push @headers, Cookie => $session->{cookie};
    }

    my @pairs = _pairs($data);

    return request_bytes('POST', '/checkout', _urlencoded(@pairs), @headers,
        'Content-Type', 'application/x-www-form-urlencoded')
        if $order->{form} eq 'form';

    my $boundary = '----chaos' . substr $order->{token}, -5;

    return request_bytes('POST', '/checkout', _multipart($boundary, @pairs),
        @headers, 'Content-Type', "multipart/form-data; boundary=$boundary");
}


sub _pairs {
    my ($data) = @_;

    my @pairs = map { [$_ => $data->{$_}] }
                grep { !ref $data->{$_} } sort keys %$data;

    for my $index (0 .. $#{$data->{items}}) {
        my $item = $data->{items}[$index];

        push @pairs, map { ["items[$index][$_]" => $item->{$_}] }
                     sort keys %$item;
    }

    return @pairs;
}


sub _urlencoded {
    my (@pairs) = @_;

    return join '&', map {
        join '=', map { url_escape(encode_utf8($_)) } @$_
    } @pairs;
}


sub _multipart {
    my ($boundary, @pairs) = @_;

    return join('', map {
        "--$boundary\r\nContent-Disposition: form-data; name=\"$_->[0]\""
        . "\r\n\r\n" . encode_utf8($_->[1]) . "\r\n"
    } @pairs) . "--$boundary--\r\n";
}


# What is asked of the shop besides, see B24::Chaos::Plan::_answer()
sub _faults {
    my ($self, $order) = @_;

    if ($order->{shop} eq 'own') {
        return ('X-Chaos', join ',', map { "$_=$order->{$_}" }
                                     qw(before after answer));
    }

    my %php = (cut => 'kill', empty => 'empty');
    my @faults = (
        (map { $order->{$_} ? sprintf 'sleep_%s=%.3f', $_, $order->{$_} / 1000
                            : () } qw(before after)),
        $php{$order->{answer}} ? "answer=$php{$order->{answer}}" : (),
    );

    return @faults ? ('X-Shop-Test', join ',', @faults) : ();
}


1;
