# Answers of a shop that no shop gives, to calls that bring it a status: what
# they may cost, and what comes of them.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Crm;
use B24::RawShop;
use Compress::Zlib ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);
log_level('info');

our $token = '51856fefc120afa4b628cc82d3935cce';
our $shop = B24::RawShop->start($ENV{TEST_NGINX_PORT_4}, $B24::Test::DIR);

{
    open my $file, '>', "$B24::Test::DIR/password" or die "password: $!\n";
    print {$file} "s3cret-54321\n";
    close $file;
    chmod 0600, "$B24::Test::DIR/password";
}

our $http = B24::Crm::http(
    retry => 'first=100ms max=200ms unknown=100ms',
    stages => <<'EOC');
        stage N NEW;  stage W WON;  default_status N;

        write status {
            url       "%{site}/set";
            header    Authorization  "Basic %{basic}";
            body      "id=%{id}&status=%{status}";
            accept    status  =200;
            accept    header:X-Done  "=%{status}";
        }
EOC

our $server = B24::Crm::server(more => <<"EOC");
    b24_site http://127.0.0.1:\$TEST_NGINX_PORT_4 user=crm
             password=file:$B24::Test::DIR/password;

    location = /events {
        b24_mirror off;
        b24_events $token poll=1s;
    }
EOC

{
    package B24::Scenario::Code;

    B24::Crm->import(qw(deal_of person_moves told));

    use constant OK => "HTTP/1.1 200 OK\r\nX-Done: W\r\n";

    my $n = 0;

    # The next order's deal is moved, and the shop answers so.
    sub answers {
        my ($name, $like, @answer) = @_;

        my $id = 'e-' . ++$n;
        my $deal = deal_of($id);

        $::shop->answer(@answer);
        person_moves($deal, 'WON');
        B24::Scenario::post('/events', "event=ONCRMDEALUPDATE"
            . "&data%5BFIELDS%5D%5BID%5D=$deal->{id}"
            . "&auth%5Bapplication_token%5D=$::token");
        told($id, $like, $name);

        return $id;
    }
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: heads
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 60
--- scenario
    my $done = qr/^delivered: the shop has the status "W" now/;
    my $large = qr/^parked: .*X-Done/;
    my $end = "Content-Length: 0\r\n\r\n";

    answers('plain', $done, OK . $end);
    answers('after others', $done,
            "HTTP/1.1 100 Continue\r\nX-Done: N\r\n\r\n" x 3 . OK . $end);
    answers('not that of another', qr/^parked: .*X-Done/,
            "HTTP/1.1 103 Early Hints\r\nX-Done: W\r\n\r\n"
            . "HTTP/1.1 200 OK\r\n$end");
    answers('nor one behind the body', qr/^parked: .*X-Done/,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            . "2\r\n{}\r\n0\r\nX-Done: W\r\n\r\n");
    answers('blanks', $done, "HTTP/1.1 200 OK\r\nx-DONE:  \t W \r\n$end");

    # each line could cost the time of all the others
    answers('many lines', $large, OK . "a:\r\n" x 20_000 . $end);
    answers('long lines', $large, OK . ('a: ' . 'b' x 50_000 . "\r\n") x 4
            . $end);
    answers('no end of lines', $large, OK, "a: b\r\n" x 1000);
    answers('no end of a line', qr/^waiting: the shop did not answer/,
            OK . 'a: ', 'b' x 10_000);
    answers('no end of heads', qr/^parked: the shop answered 100/, '',
            "HTTP/1.1 100 Continue\r\n\r\n" x 99);
    answers('none', qr/^waiting: the shop did not answer/, '{"ok":1}');



=== TEST 2: bodies
--- http_config eval: $::http
--- config eval: $::server
--- timeout: 60
--- scenario
    my $gzip = Compress::Zlib::memGzip('x' x 50_000_000);

    answers('no end of a body', qr/^delivered: the shop has the status/,
            OK . "\r\n", 'x' x 65_536);
    answers('chunks that are none', qr/^waiting: the shop did not answer/,
            OK . "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n");
    answers('one that swells', qr/^delivered: the shop has the status/,
            OK . "Content-Encoding: gzip\r\nContent-Length: " . length($gzip)
            . "\r\n\r\n$gzip");



=== TEST 3: elsewhere
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $here = "http://127.0.0.1:$ENV{TEST_NGINX_PORT_4}";

    my $before = () = $::shop->requests;

    for my $to ("$here/other", 'http://127.0.0.2/', '//[::1]/', '/other',
                "$here/login?x=\t\x{01}")
    {
        answers("to $to", qr/^parked: the shop (?:sends the call elsewhere|asks for a login)/,
                "HTTP/1.1 307 Go\r\nLocation: $to\r\nX-Done: W\r\n"
                . "Content-Length: 0\r\n\r\n");
    }

    my @requests = $::shop->requests;
    is(scalar(@requests) - $before, 5, 'nothing is followed');



=== TEST 4: a connection is not kept: it is never used again
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    $::shop->linger;
    answers('plain', qr/^delivered: the shop has the status/,
            OK . "Content-Length: 0\r\n\r\n");
    wait_until(sub { $::shop->ends });
    is(join(', ', $::shop->ends), 'closed', 'it is closed');
