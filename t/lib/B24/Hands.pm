package B24::Hands;

# Set-up for tests of what a person does at the desk: two shops, one of which
# loses its answers when asked to, and the actions as a program does them.
#
#   use B24::Test portal => 1;
#   use Test::Nginx::Socket;
#   use B24::Hands;
#
#   --- http_config eval: B24::Hands::http()
#   --- config eval: B24::Orders::server()
#   --- scenario
#       lose(1);                           # nobody sees the shop's answer
#       place_other(7);                    # in the shop "other"
#       is(said('/b24/retry'), '202 0');
#
# The functions of @EXPORT are there in scenarios, too.

use strict;
use warnings;

use B24::Client ();
use B24::Desk ();
use B24::Orders ();
use B24::Scenario ();
use Exporter 'import';
use IPC::Open2 ();
use JSON::PP ();

our @EXPORT = qw(act lose place_other queue_sql said state_of);

# the portal refuses the next deal for good
use constant WRONG => (kind => 'command', method => 'crm\.deal\.add',
                       error => 'ERROR_CORE', description => 'Wrong value');

use constant SERVERS => B24::Orders::ASKED_SHOP . <<'EOC';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_2;
        b24_origin other;
        b24_mirror tested;

        location /checkout {
            proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
            proxy_ignore_client_abort on;
        }
    }
EOC

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&$_ for @EXPORT;
}


# Lines for http{}; options as those of B24::Orders::http().
sub http {
    my (%option) = @_;

    return B24::Orders::http(%option, shop => 0) . SERVERS;
}

# Places order N, its answer lost on the way: it becomes unconfirmed, and is so
# when this returns.
sub lose {
    my ($n, %field) = @_;

    my $before = B24::Desk::count('unconfirmed');

    B24::Scenario::post('/checkout?lost=1', B24::Orders::order_json($n, %field),
                        'Content-Type' => 'application/json');
    B24::Scenario::wait_until(sub {
        B24::Desk::count('unconfirmed') > $before;
    }) or Test::More::diag(B24::Orders::order_id($n) . ' is not unconfirmed');
}

# Places orders in the other shop.
sub place_other {
    my $client = B24::Client->new(port => $ENV{TEST_NGINX_PORT_2});

    for my $n (@_) {
        $client->send(B24::Client::request_bytes('POST', '/checkout',
            B24::Orders::order_json($n), 'Content-Type' => 'application/json',
            Connection => 'keep-alive'));
        $client->response;
    }
}

# POST without a body; returns the answer with its JSON decoded.
sub act {
    my ($target, @headers) = @_;

    my $client = B24::Scenario::client();

    $client->send(B24::Client::request_bytes('POST', $target, '', @headers));
    my $answer = $client->response;

    $answer->{json} = eval { JSON::PP::decode_json($answer->{body}) };

    return $answer;
}

# "STATUS STATE" or "STATUS: SENTENCE" of an action.
sub said {
    my $answer = act(@_);
    my $json = $answer->{json} // return "$answer->{status} no JSON";

    return "$answer->{status} " . ($json->{state} // $json->{count})
        if $json->{ok};
    return "$answer->{status}: " . ($json->{error} // 'no sentence');
}

sub state_of {
    return B24::Orders::portal_state(@_);
}

# One SQL statement on the queue, in another process; the first column of its
# first row.
sub queue_sql {
    my ($sql) = @_;

    my $code = '$d = new SQLite3($argv[1]); $d->busyTimeout(20000);'
               . ' $d->enableExceptions(true);'
               . ' echo $d->querySingle($argv[2]);';
    my $pid = IPC::Open2::open2(my $from, my $to, 'php', '-n', '-d',
        'extension=sqlite3', '-r', $code, '--',
        "$ENV{TEST_NGINX_QUEUE}/queue.db", $sql);
    my $value = join '', <$from>;

    waitpid $pid, 0;
    die "$sql: $value\n" if $?;

    return $value;
}

1;
