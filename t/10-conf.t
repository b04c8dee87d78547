# Directives: every form nginx takes, every wrong one with the sentence that
# refuses it, and what a start and a test of the configuration leave behind.
# The rules inside "b24_shop" have a file of their own.

use strict;
use warnings;

use lib 't/lib';

# what nginx has to say is in its log before it has started or refused to
BEGIN { $ENV{TEST_NGINX_SLEEP} //= 0.005 }

use B24::Test portal => 1;
use Test::Nginx::Socket;
use B24::Conf qw(certificate never_made planned);
use POSIX ();

no_shuffle();
no_long_string();
no_root_location();
master_on();

our $shop = <<'EOC';
b24_shop s {
    order o {
        uri  /x;
        id   response:/id;
    }
}
EOC

# One that asks its database.
our $readshop = $shop =~ s/\}\n\z/<<'EOC'/er;

    database {
        order "SELECT number AS id FROM orders WHERE number = :number";
    }
}
EOC

# One that is called: without a login, and with what a line needs.
our $writeshop = $shop =~ s/\}\n\z/<<'EOC'/er;

    write w {
        url     "%{site}/orders/%{id}";
        accept  status =200;
    }
}
EOC

sub writes {
    my ($line) = @_;

    return $writeshop =~ s/( +accept  status)/        $line;\n$1/r;
}

our $watch = 'location = /e { b24_events 0123456789abcdef; }';

our $certificate = certificate();

{
    my $path = "$ENV{TEST_NGINX_DIR}/ca.pem";

    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out $certificate;
    close $out or die "cannot write $path: $!\n";

    $path = "$ENV{TEST_NGINX_DIR}/password";

    open $out, '>', $path or die "cannot write $path: $!\n";
    print $out B24::Conf::SECRET() . "\n";
    close $out or die "cannot write $path: $!\n";
    chmod 0600, $path;

    POSIX::mkfifo("$ENV{TEST_NGINX_DIR}/pipe", 0600) or die "mkfifo: $!\n";
}

our $database = 'b24_database mysql://b24:SECRET@127.0.0.1/shop';

our $webhook = 'b24_webhook https://portal.test/rest/1/SECRET/;';

# Two servers of one origin; what each has besides.
sub twins {
    my ($one, $two) = @_;

    return $shop . <<"EOC";
server { # \@1
    listen 127.0.0.1:\$TEST_NGINX_PORT_1;
    server_name one.test;
    b24_origin twins;
    b24_mirror s;
    $one
}
server { # \@2
    listen 127.0.0.1:\$TEST_NGINX_PORT_1;
    server_name two.test;
    b24_origin twins;
    b24_mirror s;
    $two
}
EOC
}

# Servers on one port, one for each text.
sub servers {
    my $n = 0;

    return CORE::join '', map { $n++; <<"EOC" } @_;
server {
    listen 127.0.0.1:\$TEST_NGINX_PORT_1;
    server_name s$n.test;
    $_
}
EOC
}

# A server whose first name can't be its origin.
sub named {
    my ($names) = @_;

    return $shop . <<"EOC";
server { # \@1
    listen 127.0.0.1:\$TEST_NGINX_PORT_1;
    $names
    b24_mirror s;
}
EOC
}

sub wrong_name {
    return 'the server in @1 has "b24_mirror", but its first server_name'
           . ' can\'t name its orders: add "b24_origin NAME;"';
}

sub wrong_twins {
    my ($directive) = @_;

    return 'the servers in @1 and @2 share the origin "twins" but differ in'
           . " \"$directive\": make the lines equal or give one server"
           . ' another "b24_origin"';
}

sub long {
    my ($count) = @_;

    return 'x' x $count;
}

plan tests => planned(blocks());

run_tests();

__DATA__

=== TEST 1: the smallest useful set-up
--- http eval: $::shop
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
location /b24 { b24_status; allow 127.0.0.1; deny all; }
--- accepted



=== TEST 2: the queue: a path
--- http
b24_queue $TEST_NGINX_QUEUE;
--- accepted



=== TEST 3: the queue: all options
--- http
b24_queue $TEST_NGINX_QUEUE/ max=100 keep=60;
--- server
location /b24 { b24_status; }
--- accepted



=== TEST 4: the queue: a relative path, a time in words
--- http
b24_queue ../queue-4 keep=12w max=2000000000;
--- accepted



=== TEST 5: the queue twice
--- http
b24_queue PATH/a;
b24_queue PATH/b;
--- refused
"b24_queue" directive is duplicate



=== TEST 6: the queue, a time twice
--- http
b24_queue PATH/q keep=1d keep=2d;
--- refused
"b24_queue" directive is duplicate



=== TEST 7: the queue, a number twice
--- http
b24_queue PATH/q max=1000 keep=2d max=1000;
--- refused
"b24_queue" directive is duplicate



=== TEST 8: the queue without a path
--- http
b24_queue "";
--- refused
"b24_queue" directive needs the path of a folder



=== TEST 9: the queue, nothing at all
--- http
b24_queue;
--- refused
invalid number of arguments in "b24_queue" directive



=== TEST 10: the queue, options but no path
--- http
b24_queue keep=30d;
--- refused
"b24_queue" directive needs the path of a folder first



=== TEST 11: the queue, another option but no path
--- http
b24_queue max=1000;
--- refused
"b24_queue" directive needs the path of a folder first



=== TEST 12: the queue, keep below a minute
--- http
b24_queue PATH/q keep=59s;
--- refused
"b24_queue" has "keep=59s": keep is a time of at least one minute, such as 30d



=== TEST 13: the queue, keep is no time
--- http
b24_queue PATH/q keep=30days;
--- refused
"b24_queue" has "keep=30days": keep is a time of at least one minute, such as 30d



=== TEST 14: the queue, too small
--- http
b24_queue PATH/q max=99;
--- refused
"b24_queue" has "max=99": max is a number of records, at least 100



=== TEST 15: the queue, max is no number
--- http
b24_queue PATH/q max=10k;
--- refused
"b24_queue" has "max=10k": max is a number of records, at least 100



=== TEST 16: the queue, an unknown option
--- http
b24_queue PATH/q
    size=5; # @
--- refused
"b24_queue" has "size=5": only keep=TIME and max=NUMBER may follow the path



=== TEST 17: the queue in a server
--- server
b24_queue PATH/q;
--- refused
"b24_queue" directive is not allowed here



=== TEST 18: the queue is a file
--- http eval
"b24_queue PATH/http.conf; # \@\n$::shop"
--- server
b24_mirror s;
--- refused
"b24_queue" needs a folder, but "PATH/http.conf" is none: give another path



=== TEST 19: the queue in a folder that isn't there
--- http eval
"b24_queue PATH/no/queue; # \@\n$::shop"
--- server
b24_mirror s;
--- refused
"b24_queue" cannot make the folder "PATH/no/queue": make the folder above it first



=== TEST 20: the queue below a file
--- http eval
"b24_queue PATH/http.conf/queue; # \@\n$::shop"
--- server
b24_mirror s;
--- refused
"b24_queue" cannot make the folder "PATH/http.conf/queue": make the folder above it first



=== TEST 21: the queue in a folder of somebody else
--- http eval
"b24_queue PATH/../conf; # \@\n$::shop b24_mirror s;"
--- refused
"b24_queue" needs a folder of its own, which the workers get, but "PATH/../conf" holds "nginx.conf": give a new or an empty one



=== TEST 22: the webhook: all forms
--- http eval
"b24_webhook https://portal.test/rest/1/SECRET;\n$::shop"
--- server
b24_webhook https://portal.test/rest/1/SECRET/ dry;
b24_mirror s;
--- accepted



=== TEST 23: the webhook: in a subfolder, with a port, plain on the loopback
--- http eval
$::shop . ::servers(map { "b24_mirror s; b24_webhook $_;" }
    'HTTPS://Portal.Test:8443/rest/12/SECRET/',
    'https://box.test/portal/rest/1/SECRET/',
    'http://127.0.0.1/rest/1/SECRET/',
    'http://127.8.9.10:8080/rest/1/SECRET/',
    'http://localhost:80/rest/1/SECRET/',
    'http://[::1]/rest/1/SECRET/',
    'http://[::1]:81/rest/1/SECRET/',
    'http://[0:0::0:1]:65535/rest/1/SECRET/',
    'https://192.0.2.1/rest/1/SECRET/',
    'https://[2001:DB8::1]:1/rest/1/SECRET/',
    'https://my_box/a..b/...//rest/1/SECRET/',
    'https://1c.xn--e1afmkfd.xn--p1ai/rest/1/SECRET/')
--- accepted



=== TEST 24: the webhook twice
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_webhook https://portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive is duplicate



=== TEST 25: the webhook, a word after it
--- http
b24_webhook https://portal.test/rest/1/SECRET/ wet;
--- refused
"b24_webhook" directive takes only "dry" after the address



=== TEST 26: the webhook, two words after it
--- http
b24_webhook https://portal.test/rest/1/SECRET/ dry dry;
--- refused
invalid number of arguments in "b24_webhook" directive



=== TEST 27: the webhook in a location
--- server
location / {
    b24_webhook https://portal.test/rest/1/SECRET/; # @
}
--- refused
"b24_webhook" directive is not allowed here



=== TEST 28: the webhook, not the address of one
--- http
b24_webhook https://portal.test/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 29: the webhook, no scheme
--- http
b24_webhook portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 30: the webhook, another scheme
--- http
b24_webhook ftp://portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 31: the webhook, no host
--- http
b24_webhook https:///rest/1/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 32: the webhook, a host alone
--- http
b24_webhook https://SECRET;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 33: the webhook, the user is no number
--- http
b24_webhook https://portal.test/rest/admin/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 34: the webhook, no user
--- http
b24_webhook https://portal.test/rest/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 35: the webhook with a method's name
--- http
b24_webhook https://portal.test/rest/1/SECRET/profile.json;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 36: the webhook with arguments
--- http
b24_webhook https://portal.test/rest/1/SECRET/?a=b;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 37: the webhook with a password
--- http
b24_webhook https://user:SECRET@portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 38: the webhook with a character no address has
--- http
b24_webhook "https://portal.test/rest/1/SECRET/ ";
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 39: the webhook over plain http
--- http
b24_webhook http://portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must begin with https:// (plain http only for the loopback)



=== TEST 40: the webhook over plain http to what only looks like loopback
--- http
b24_webhook http://127.0.0.1.portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must begin with https:// (plain http only for the loopback)



=== TEST 41: the webhook over plain http to another name that looks like it
--- http
b24_webhook http://localhost.portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must begin with https:// (plain http only for the loopback)



=== TEST 42: the webhook, a port alone
--- http
b24_webhook https://:443/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 43: the webhook, a colon for a host
--- http
b24_webhook https://[::1/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 44: the webhook, text after an address
--- http
b24_webhook https://[::1]x/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 45: the webhook, an address that is none
--- http
b24_webhook https://[1::2::3]/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 46: the webhook, brackets around a name
--- http
b24_webhook https://[portal.test]/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 47: the webhook, a zone
--- http
b24_webhook https://[fe80::1%25eth0]/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 48: the webhook, two dots
--- http
b24_webhook https://portal..test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 49: the webhook, a dot at the beginning
--- http
b24_webhook https://.portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 50: the webhook, a dot at the end
--- http
b24_webhook https://portal.test./rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 51: the webhook, a name that begins with a hyphen
--- http
b24_webhook https://-portal.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 52: the webhook, a part that ends with one
--- http
b24_webhook https://portal-.test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 53: the webhook, a hyphen
--- http
b24_webhook https://-/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 54: the webhook, a name with a percent code
--- http
b24_webhook https://portal%2etest/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 55: the webhook, a name of another alphabet
--- http
b24_webhook https://портал.рф/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 56: the webhook, a name with a comma
--- http
b24_webhook https://portal,test/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 57: the webhook, a number for a host
--- http
b24_webhook https://12345/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 58: the webhook, numbers for a host
--- http
b24_webhook https://1.2.3/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 59: the webhook, an address out of range
--- http
b24_webhook https://192.0.2.256/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 60: the webhook, a port that is none
--- http
b24_webhook https://portal.test:abc/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 61: the webhook, a port out of range
--- http
b24_webhook https://portal.test:99999/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 62: the webhook, port 0
--- http
b24_webhook https://portal.test:0/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 63: the webhook, no port
--- http
b24_webhook https://portal.test:/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 64: the webhook, two ports
--- http
b24_webhook https://portal.test:1:2/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 65: the webhook, a port of an address
--- http
b24_webhook https://[::1]:70000/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 66: the webhook, an endless port
--- http
b24_webhook https://portal.test:99999999999999999999/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 67: the webhook over plain http, two ports
--- http
b24_webhook http://localhost:1:2/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 68: the webhook over plain http, half an address
--- http
b24_webhook http://127.1/rest/1/SECRET/;
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 69: the webhook over plain http, an address nobody has
--- http
b24_webhook http://[::]/rest/1/SECRET/;
--- refused
"b24_webhook" directive must begin with https:// (plain http only for the loopback)



=== TEST 70: the webhook, a path with ".."
--- http
b24_webhook https://portal.test/box/../rest/1/SECRET/;
--- refused
"b24_webhook" directive must have no "." or ".." in its path



=== TEST 71: the webhook, a path with "."
--- http
b24_webhook https://portal.test/box/./rest/1/SECRET/;
--- refused
"b24_webhook" directive must have no "." or ".." in its path



=== TEST 72: the webhook, a path with "%2E%2e"
--- http
b24_webhook https://portal.test/box/%2E%2e/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have no "." or ".." in its path



=== TEST 73: the webhook, a path with ".%2e"
--- http
b24_webhook https://portal.test/box/.%2e/rest/1/SECRET/;
--- refused
"b24_webhook" directive must have no "." or ".." in its path



=== TEST 74: the webhook, a path that begins with ".."
--- http
b24_webhook https://portal.test/../rest/1/SECRET/;
--- refused
"b24_webhook" directive must have no "." or ".." in its path



=== TEST 75: the webhook, a name too long
--- http eval
'b24_webhook https://' . ::long(64) . '.test/rest/1/SECRET/;'
--- refused
"b24_webhook" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 76: the webhook, a file without a name
--- http
b24_webhook file:;
--- refused
"b24_webhook" directive needs a path after "file:"



=== TEST 77: the webhook, a file that isn't there
--- http
b24_webhook file:PATH/none;
--- refused
"b24_webhook" cannot open file "PATH/none", correct the path or make the file (2: No such file or directory)



=== TEST 78: the webhook, a folder
--- http
b24_webhook file:PATH;
--- refused
"b24_webhook" cannot read file "PATH", give the path of a file that holds the address of the webhook (21: Is a directory)



=== TEST 79: the webhook, a file that holds nothing ever
--- http
b24_webhook file:/dev/null;
--- refused
file "/dev/null" of "b24_webhook" must hold the address of the webhook and nothing else



=== TEST 80: the webhook, a pipe nobody writes into
--- http
b24_webhook file:DIR/pipe;
--- refused
file "DIR/pipe" of "b24_webhook" must hold the address of the webhook and nothing else



=== TEST 81: the webhook, a file with more than the address
--- http
b24_webhook file:DIR/secret;
--- file
https://portal.test/rest/1/SECRET/
SECRET
--- refused
file "DIR/secret" of "b24_webhook" must hold the address of the webhook and nothing else



=== TEST 82: the webhook, an empty file
--- http
b24_webhook file:DIR/secret;
--- file eval
"\n \n"
--- refused
file "DIR/secret" of "b24_webhook" must hold the address of the webhook and nothing else



=== TEST 83: the webhook, an endless file
--- http
b24_webhook file:DIR/secret;
--- file eval
'https://portal.test/rest/1/SECRET' . 'x' x 5000
--- refused
file "DIR/secret" of "b24_webhook" must hold the address of the webhook and nothing else



=== TEST 84: the webhook, a file that holds something else
--- http
b24_webhook file:DIR/secret;
--- file
SECRET
--- refused
"b24_webhook" directive must look like https://PORTAL/rest/USER/CODE/



=== TEST 85: the webhook in a file, blanks around it
--- http eval: $::shop
--- server
b24_webhook file:DIR/secret dry;
b24_mirror s;
--- file eval
"\n  https://portal.test/rest/1/SECRET/\r\n\n"
--- accepted



=== TEST 86: the webhook in a file others can read
--- http eval: $::shop
--- server
b24_webhook file:DIR/secret;    # @
b24_mirror s;
--- file
https://portal.test/rest/1/SECRET/
--- file_mode: 0640
--- warned
file "DIR/secret" of "b24_webhook" can be read by others: its mode should be 0600



=== TEST 87: a mirror without a webhook
--- http eval: ::named('server_name shop.test;')
--- warned
b24: the server "shop.test" has "b24_mirror" but no "b24_webhook": its orders are kept and wait in @1



=== TEST 88: the origin: all forms
--- http eval
$::shop . ::servers(map { "b24_mirror s; $::webhook b24_origin $_;" }
    'shop', '"My shop, 2nd"', '1c', '-', 'магазин', ::long(255))
--- accepted



=== TEST 89: the origin for all servers
--- http eval
"b24_origin shop;\n$::webhook\n$::shop\nb24_mirror s;\n"
--- server
b24_origin other;
--- accepted



=== TEST 90: the origin twice
--- server
b24_origin a;
b24_origin b;
--- refused
"b24_origin" directive is duplicate



=== TEST 91: the origin is a number
--- server
b24_origin 15;
--- refused
"b24_origin" directive needs a name that is not a number



=== TEST 92: the origin is empty
--- server
b24_origin "";
--- refused
"b24_origin" directive needs a name that is not a number



=== TEST 93: the origin is blank
--- server
b24_origin "  ";
--- refused
"b24_origin" directive needs a name that is not a number



=== TEST 94: the origin is a number among blanks
--- server
b24_origin " 15 ";
--- refused
"b24_origin" directive needs a name that is not a number



=== TEST 95: the origin is not in UTF-8
--- server eval
qq{b24_origin "\xec\xe0\xe3\xe0\xe7\xe8\xed";}
--- refused
"b24_origin" directive is not in UTF-8: save the file in that encoding



=== TEST 96: the origin has a variable
--- server
b24_origin $host;
--- refused
"b24_origin" directive takes no variables: write one name for all orders, without "$"



=== TEST 97: the origin has a control character
--- server eval
qq{b24_origin "a\x7f";}
--- refused
"b24_origin" directive has a character that is not allowed in a name



=== TEST 98: the origin is too long
--- server eval
'b24_origin ' . ::long(256) . ';'
--- refused
"b24_origin" directive is longer than the 255 characters of ORIGINATOR_ID



=== TEST 99: the origin has a line's end
--- server
b24_origin "a\nb";
--- refused
"b24_origin" directive has a character that is not allowed in a name



=== TEST 100: the origin has a quote
--- server
b24_origin 'a"b';
--- refused
"b24_origin" directive has a character that is not allowed in a name



=== TEST 101: the origin in a location
--- server
location / {
    b24_origin a; # @
}
--- refused
"b24_origin" directive is not allowed here



=== TEST 102: the origin is the first name
--- http eval: ::named("server_name shop.test *.test; $::webhook")
--- accepted



=== TEST 103: no name for the origin
--- http eval: ::named('')
--- refused eval: ::wrong_name()



=== TEST 104: "_" for the origin
--- http eval: ::named('server_name _ shop.test;')
--- refused eval: ::wrong_name()



=== TEST 105: an empty name for the origin
--- http eval: ::named('server_name "" shop.test;')
--- refused eval: ::wrong_name()



=== TEST 106: a wildcard for the origin
--- http eval: ::named('server_name *.shop.test;')
--- refused eval: ::wrong_name()



=== TEST 107: another wildcard for the origin
--- http eval: ::named('server_name shop.*;')
--- refused eval: ::wrong_name()



=== TEST 108: a name with all below it for the origin
--- http eval: ::named('server_name .shop.test;')
--- refused eval: ::wrong_name()



=== TEST 109: a regex for the origin
--- http eval: ::named('server_name ~^shop;')
--- refused eval: ::wrong_name()



=== TEST 110: an address for the origin
--- http eval: ::named('server_name 127.0.0.1;')
--- refused eval: ::wrong_name()



=== TEST 111: an IPv6 address for the origin
--- http eval: ::named('server_name [::1];')
--- refused eval: ::wrong_name()



=== TEST 112: a name in another encoding for the origin
--- http eval: ::named("server_name \xec\xe0\xe3\xe0\xe7\xe8\xed.test;")
--- refused eval: ::wrong_name()



=== TEST 113: a name with a variable for the origin
--- http eval: ::named('server_name $host;')
--- refused eval: ::wrong_name()



=== TEST 114: no name, no mirror
--- http
server {
    listen 127.0.0.1:$TEST_NGINX_PORT_1;
    server_name _;
    b24_mirror off;
    location / { b24_mirror off; }
}
--- accepted



=== TEST 115: the mirror: everywhere, and off
--- http eval
"$::shop$::webhook\nb24_mirror s;"
--- server
b24_mirror off;
location / {
    b24_mirror s;
    location /a { b24_mirror off; }
}
--- accepted



=== TEST 116: the mirror twice
--- http eval: $::shop
--- server
b24_mirror s;
b24_mirror off;
--- refused
"b24_mirror" directive is duplicate



=== TEST 117: the mirror of an unknown shop
--- http eval: $::shop
--- server
b24_mirror shop;
--- refused
"b24_mirror" names the shop "shop", but no "b24_shop shop { ... }" stands before it



=== TEST 118: the mirror before its shop
--- http eval
"b24_mirror s; # \@\n$::shop"
--- refused
"b24_mirror" names the shop "s", but no "b24_shop s { ... }" stands before it



=== TEST 119: the mirror in an "if"
--- http eval: $::shop
--- server
location / {
    if ($arg_a) {
        b24_mirror s; # @
    }
}
--- refused
"b24_mirror" directive is not allowed here



=== TEST 120: the capture: all forms
--- http
b24_capture body=1k answer=1024 total=1024m;
--- server
b24_capture answer=2M body=256k;
location / { b24_capture total=1m body=1m answer=1m; }
--- accepted



=== TEST 121: the capture, an unknown part
--- http
b24_capture head=1k;
--- refused
"b24_capture" has "head=1k": it takes body=SIZE, answer=SIZE and total=SIZE



=== TEST 122: the capture twice
--- http
b24_capture body=1k total=1m;
b24_capture body=2k;
--- refused
"b24_capture" directive is duplicate



=== TEST 123: the capture twice, of different parts
--- server
location / {
    b24_capture body=1k;
    b24_capture total=1m; # @
}
--- refused
"b24_capture" directive is duplicate



=== TEST 124: the capture, a part twice
--- http
b24_capture body=1m body=2m;
--- refused
"b24_capture" directive is duplicate



=== TEST 125: the capture, too small
--- http
b24_capture answer=1023;
--- refused
"b24_capture" has "answer=1023": a size is 1k to 1024m



=== TEST 126: the capture, too large
--- http
b24_capture total=2g;
--- refused
"b24_capture" has "total=2g": a size is 1k to 1024m



=== TEST 127: the capture, larger than allowed
--- http
b24_capture total=1025m;
--- refused
"b24_capture" has "total=1025m": a size is 1k to 1024m



=== TEST 128: the capture, nothing given
--- http
b24_capture body=;
--- refused
"b24_capture" has "body=": a size is 1k to 1024m



=== TEST 129: the rate: all forms
--- http
b24_rate 0.01 burst=1;
--- server
b24_rate 5 burst=250;
--- accepted



=== TEST 130: the rate: with decimals, the fastest
--- http
b24_rate 0.125;
--- server
b24_rate 100 burst=10000;
--- accepted



=== TEST 131: the rate twice
--- http
b24_rate 2;
b24_rate 2;
--- refused
"b24_rate" directive is duplicate



=== TEST 132: the rate, none
--- http
b24_rate 0;
--- refused
"b24_rate" directive needs requests a second, 0.01 to 100, such as 2



=== TEST 133: the rate, too fast
--- http
b24_rate 100.001;
--- refused
"b24_rate" directive needs requests a second, 0.01 to 100, such as 2



=== TEST 134: the rate as nginx's own limits have it
--- http
b24_rate 2r/s;
--- refused
"b24_rate" directive needs requests a second, 0.01 to 100, such as 2



=== TEST 135: the rate, another word
--- http
b24_rate 2 nodelay;
--- refused
"b24_rate" directive takes only burst=NUMBER, operating=TIME, window=TIME and batch=TIME after the rate



=== TEST 136: the rate, no burst
--- http
b24_rate 2 burst=0;
--- refused
"b24_rate" directive needs a burst of 1 to 10000



=== TEST 137: the rate, a burst too large
--- http
b24_rate 2 burst=10001;
--- refused
"b24_rate" directive needs a burst of 1 to 10000



=== TEST 138: the pauses: all forms
--- http
b24_retry first=1ms max=24h unknown=65s;
--- server
b24_retry first=2s;
--- accepted



=== TEST 139: the pauses: equal ones, one of them the usual one
--- http
b24_retry first=10m;
--- server
b24_retry max=10m;
--- accepted



=== TEST 140: the pauses, an unknown one
--- http
b24_retry last=1s;
--- refused
"b24_retry" has "last=1s": it takes first=TIME, max=TIME and unknown=TIME



=== TEST 141: the pauses twice
--- http
b24_retry max=1s max=2s;
--- refused
"b24_retry" directive is duplicate



=== TEST 142: the pauses twice, other ones
--- server
b24_retry first=2s;
b24_retry max=1d;
--- refused
"b24_retry" directive is duplicate



=== TEST 143: the pauses, the first longer than the longest
--- http
b24_retry first=10s max=1s;
--- refused
"b24_retry" has a first pause of 10000 ms and a longest one of 1000 ms: make "max" at least as long as "first"



=== TEST 144: the pauses, the first longer than the usual longest
--- http
b24_retry first=11m;
--- refused
"b24_retry" has a first pause of 660000 ms and a longest one of 600000 ms: make "max" at least as long as "first"



=== TEST 145: the pauses, the first of http longer than the longest of the server
--- http
b24_retry first=20s max=1h;
--- server
b24_retry max=10s; # @
--- refused
"b24_retry" has a first pause of 20000 ms and a longest one of 10000 ms: make "max" at least as long as "first"



=== TEST 146: the pauses, none
--- http
b24_retry first=0;
--- refused
"b24_retry" has "first=0": a time is 1ms to 24h



=== TEST 147: the pauses, too long
--- http
b24_retry unknown=25h;
--- refused
"b24_retry" has "unknown=25h": a time is 1ms to 24h



=== TEST 148: the API: all forms
--- http
b24_api classic;
--- server
b24_api universal;
--- accepted



=== TEST 149: the API, an unknown one
--- http
b24_api rest;
--- refused
"b24_api" directive takes "classic" (crm.deal.add and its family) or "universal" (crm.item.add)



=== TEST 150: the API twice
--- http
b24_api classic;
b24_api classic;
--- refused
"b24_api" directive is duplicate



=== TEST 151: the pipeline
--- http
b24_category 0;
--- server
b24_category 2147483647;
--- accepted



=== TEST 152: the pipeline, below 0
--- http
b24_category -1;
--- refused
"b24_category" directive needs the number of a pipeline, 0 (the general one) or more



=== TEST 153: the pipeline, too large
--- http
b24_category 2147483648;
--- refused
"b24_category" directive needs the number of a pipeline, 0 (the general one) or more



=== TEST 154: the pipeline twice
--- http
b24_category 1;
b24_category 1;
--- refused
"b24_category" directive is duplicate



=== TEST 155: the stages: all forms
--- http
b24_stage none;
b24_stage N NEW;
--- server
b24_stage N WON;
b24_stage CANCELED LOSE;
b24_stage "Wait for payment" UC_12-a;
b24_stage "оплачен" C:NEW;
b24_stage 7 9:2;
b24_stage none;
--- accepted



=== TEST 156: the stages, a word alone
--- http
b24_stage off;
--- refused
"b24_stage" directive takes "STATUS STAGE" or "none"



=== TEST 157: the stages, none twice
--- http
b24_stage none;
b24_stage none;
--- refused
"b24_stage" directive is duplicate



=== TEST 158: the stages, nothing given
--- http
b24_stage N "";
--- refused
"b24_stage" directive needs a status and a stage



=== TEST 159: the stages, no status
--- http
b24_stage "" NEW;
--- refused
"b24_stage" directive needs a status and a stage



=== TEST 160: the stages, one too long
--- http eval
'b24_stage N ' . ::long(41) . ';'
--- refused eval
'"b24_stage" has a bad deal stage "' . ::long(41)
. '": a STATUS_ID has at most 40 characters'



=== TEST 161: the stages, one with a pipeline's prefix
--- http
b24_category 9;
b24_stage N C9:NEW;
--- refused
"b24_stage" has a bad deal stage "C9:NEW": leave the pipeline's prefix out, "b24_category" gives it



=== TEST 162: the stages, a prefix alone
--- http
b24_stage N c12:;
--- refused
"b24_stage" has a bad deal stage "c12:": leave the pipeline's prefix out, "b24_category" gives it



=== TEST 163: the stages, one with a blank
--- http
b24_stage N "NEW DEAL";
--- refused
"b24_stage" has a bad deal stage "NEW DEAL": give its STATUS_ID, such as PREPARATION



=== TEST 164: the stages, a name of a person's own
--- http
b24_stage N новая;
--- refused
"b24_stage" has a bad deal stage "новая": give its STATUS_ID, such as PREPARATION



=== TEST 165: the stages, a status twice
--- http
b24_stage N NEW;
b24_stage N WON;
--- refused
"b24_stage" has a stage for the status "N" already



=== TEST 166: the match: all forms
--- http eval
"b24_match none;\n"
. ::servers(map { "b24_match $_;" } 'phone email', 'email phone', 'phone',
                                  'email')
--- server
b24_match none;
--- accepted



=== TEST 167: the match twice
--- http
b24_match phone;
b24_match email;
--- refused
"b24_match" directive is duplicate



=== TEST 168: the match, an unknown word
--- http
b24_match name;
--- refused
"b24_match" directive takes "phone email", "email phone", "phone", "email" or "none"



=== TEST 169: the match, the same twice
--- http
b24_match phone phone;
--- refused
"b24_match" directive takes "phone email", "email phone", "phone", "email" or "none"



=== TEST 170: the match, none and another
--- http
b24_match none phone;
--- refused
"b24_match" directive takes "phone email", "email phone", "phone", "email" or "none"



=== TEST 171: the country code
--- http
b24_phone_code 375;
--- server
b24_phone_code 1;
--- accepted



=== TEST 172: the country code twice
--- http
b24_phone_code 7;
b24_phone_code 7;
--- refused
"b24_phone_code" directive is duplicate



=== TEST 173: the country code with a plus
--- http
b24_phone_code +7;
--- refused
"b24_phone_code" directive needs a country code of one to three digits, such as 7



=== TEST 174: the country code, too long
--- http
b24_phone_code 8800;
--- refused
"b24_phone_code" directive needs a country code of one to three digits, such as 7



=== TEST 175: the country code, a national prefix
--- http
b24_phone_code 07;
--- refused
"b24_phone_code" directive needs a country code of one to three digits, such as 7



=== TEST 176: the country code, empty
--- http
b24_phone_code "";
--- refused
"b24_phone_code" directive needs a country code of one to three digits, such as 7



=== TEST 177: the preset of requisites
--- http
b24_requisite_preset 1;
--- server
b24_requisite_preset 2147483647;
--- accepted



=== TEST 178: the preset of requisites, none
--- http
b24_requisite_preset 0;
--- refused
"b24_requisite_preset" directive needs the number of a requisite preset, 1 or more (crm.requisite.preset.list names them)



=== TEST 179: the preset of requisites, no number
--- http
b24_requisite_preset company;
--- refused
"b24_requisite_preset" directive needs the number of a requisite preset, 1 or more (crm.requisite.preset.list names them)



=== TEST 180: the preset of requisites twice
--- http
b24_requisite_preset 1;
b24_requisite_preset 1;
--- refused
"b24_requisite_preset" directive is duplicate



=== TEST 181: the certificate: absolute, relative
--- http
b24_trusted_certificate DIR/ca.pem;
--- server
b24_trusted_certificate ../../ca.pem;
--- accepted



=== TEST 182: the certificate: several, with other texts, of another system
--- http
b24_trusted_certificate DIR/secret;
--- file eval
"# ours\r\n" . ($::certificate =~ s/\n/\r\n/gr) . "\r\n old: \r\n"
. $::certificate . "-----BEGIN X-----\nnot ours\n-----END X-----"
--- accepted



=== TEST 183: the certificate: those of the system
--- http eval
my ($path) = grep { -f } '/etc/ssl/certs/ca-certificates.crt',
                         '/etc/pki/tls/certs/ca-bundle.crt',
                         "$ENV{TEST_NGINX_DIR}/ca.pem";
"b24_trusted_certificate $path;"
--- accepted



=== TEST 184: the certificate twice
--- http
b24_trusted_certificate DIR/ca.pem;
b24_trusted_certificate DIR/ca.pem;
--- refused
"b24_trusted_certificate" directive is duplicate



=== TEST 185: the certificate, empty
--- http
b24_trusted_certificate "";
--- refused
"b24_trusted_certificate" directive needs the path of a file



=== TEST 186: the certificate, a file that isn't there
--- http
b24_trusted_certificate PATH/none.pem;
--- refused
"b24_trusted_certificate" cannot open file "PATH/none.pem", correct the path or make the file (2: No such file or directory)



=== TEST 187: the certificate, a folder
--- http
b24_trusted_certificate DIR;
--- refused
"b24_trusted_certificate" needs a file of at most 16m, but "DIR" is none: give the path of one with certificates in PEM



=== TEST 188: the certificate, a device
--- http
b24_trusted_certificate /dev/null;
--- refused
"b24_trusted_certificate" needs a file of at most 16m, but "/dev/null" is none: give the path of one with certificates in PEM



=== TEST 189: the certificate, a pipe nobody writes into
--- http
b24_trusted_certificate DIR/pipe;
--- refused
"b24_trusted_certificate" needs a file of at most 16m, but "DIR/pipe" is none: give the path of one with certificates in PEM



=== TEST 190: the certificate, another file
--- http
b24_trusted_certificate nginx.conf;
--- refused
"b24_trusted_certificate" finds no certificate in "DIR/servroot/conf/nginx.conf": it must hold some in PEM, with lines "-----BEGIN CERTIFICATE-----"



=== TEST 191: the certificate, an empty file
--- http
b24_trusted_certificate DIR/secret;
--- file eval: ''
--- refused
"b24_trusted_certificate" finds no certificate in "DIR/secret": it must hold some in PEM, with lines "-----BEGIN CERTIFICATE-----"



=== TEST 192: the certificate, a key
--- http
b24_trusted_certificate DIR/secret;
--- file eval: $::certificate =~ s/CERTIFICATE/PRIVATE KEY/gr
--- refused
"b24_trusted_certificate" finds no certificate in "DIR/secret": it must hold some in PEM, with lines "-----BEGIN CERTIFICATE-----"



=== TEST 193: the certificate, cut short
--- http
b24_trusted_certificate DIR/secret;
--- file eval: substr $::certificate, 0, -30
--- refused
"b24_trusted_certificate" finds that certificate 1 in "DIR/secret" is broken: put it there anew



=== TEST 194: the certificate, the second without a line
--- http
b24_trusted_certificate DIR/secret;
--- file eval: $::certificate . ($::certificate =~ s/^FjE.*\n//mr)
--- refused
"b24_trusted_certificate" finds that certificate 2 in "DIR/secret" is broken: put it there anew



=== TEST 195: the certificate, no base64
--- http
b24_trusted_certificate DIR/secret;
--- file eval: $::certificate =~ s/Fj/<>/r
--- refused
"b24_trusted_certificate" finds that certificate 1 in "DIR/secret" is broken: put it there anew



=== TEST 196: the certificate, base64 of something else
--- http
b24_trusted_certificate DIR/secret;
--- file
-----BEGIN CERTIFICATE-----
bm90IGEgY2VydGlmaWNhdGU=
-----END CERTIFICATE-----
--- refused
"b24_trusted_certificate" finds that certificate 1 in "DIR/secret" is broken: put it there anew



=== TEST 197: fields of the CRM: everywhere, with variables, removed
--- http
b24_deal TITLE "Order of $host";
b24_deal UF_CRM_1 ${arg_a}b;
b24_contact SOURCE_ID WEB;
b24_company INDUSTRY IT;
--- server
b24_deal TITLE "";
b24_deal UTM_SOURCE $cookie_utm_source;
location / { b24_contact SOURCE_ID ""; b24_company INDUSTRY $upstream_addr; }
--- accepted



=== TEST 198: a field of the deal in lower case
--- http
b24_deal title x;
--- refused
"b24_deal" needs a CRM field of upper-case letters, digits and "_", not "title"



=== TEST 199: a field of the contact with brackets
--- http
b24_contact PHONE[0] x;
--- refused
"b24_contact" needs a CRM field of upper-case letters, digits and "_", not "PHONE[0]"



=== TEST 200: a field of the company without a name
--- http
b24_company "" x;
--- refused
"b24_company" needs a CRM field of upper-case letters, digits and "_", not ""



=== TEST 201: a field that begins with a digit
--- http
b24_deal 1A x;
--- refused
"b24_deal" needs a CRM field of upper-case letters, digits and "_", not "1A"



=== TEST 202: a field with a name too long
--- http eval
'b24_deal ' . uc(::long(101)) . ' x;'
--- refused eval
'"b24_deal" needs a CRM field of upper-case letters, digits and "_", not "'
. uc(::long(101)) . '"'



=== TEST 203: a field twice
--- http
b24_deal TITLE x;
b24_contact TITLE x;
b24_deal TITLE ""; # @
--- refused
"b24_deal TITLE" is duplicate on this level



=== TEST 204: a field with an unknown variable
--- http
b24_deal TITLE "$no_such_variable"; # @
b24_deal UTM_SOURCE x;
--- refused
"b24_deal" has the variable "$no_such_variable", which nothing defines: correct its name



=== TEST 205: a field with an unknown variable after a known one
--- server
location / {
    b24_contact SOURCE_ID "$host${b24_oder}x"; # @
}
--- refused
"b24_contact" has the variable "$b24_oder", which nothing defines: correct its name



=== TEST 206: fields with variables of all kinds
--- http
map $host $from_map { default 1; }
map $uri $uri_map { ~^/(?<from_regex>.*) 1; }
b24_deal TITLE "$HOST$from_map$Uri_Map$from_regex$http_x_a$arg_A$cookie_b";
b24_deal UTM_SOURCE "$1${from_set}$from_location$b24_order";
b24_deal UTM_MEDIUM "$upstream_http_x$sent_http_y$upstream_cookie_z";
--- server
set $from_set 1;
location ~ /(?<from_location>a) { }
--- accepted



=== TEST 207: a field without a value
--- http
b24_deal TITLE;
--- refused
invalid number of arguments in "b24_deal" directive



=== TEST 208: a field that is ours: b24_deal ID
--- http
b24_deal ID 1;
--- refused
"b24_deal" cannot set ID: the module itself sets it, leave the line out



=== TEST 209: a field that is ours: b24_deal ORIGINATOR_ID
--- http
b24_deal ORIGINATOR_ID 1;
--- refused
"b24_deal" cannot set ORIGINATOR_ID: the module itself sets it, leave the line out



=== TEST 210: a field that is ours: b24_deal ORIGIN_ID
--- http
b24_deal ORIGIN_ID 1;
--- refused
"b24_deal" cannot set ORIGIN_ID: the module itself sets it, leave the line out



=== TEST 211: a field that is ours: b24_deal STAGE_ID
--- http
b24_deal STAGE_ID 1;
--- refused
"b24_deal" cannot set STAGE_ID: the module itself sets it, leave the line out



=== TEST 212: a field that is ours: b24_deal CATEGORY_ID
--- http
b24_deal CATEGORY_ID 1;
--- refused
"b24_deal" cannot set CATEGORY_ID: the module itself sets it, leave the line out



=== TEST 213: a field that is ours: b24_deal OPPORTUNITY
--- http
b24_deal OPPORTUNITY 1;
--- refused
"b24_deal" cannot set OPPORTUNITY: the module itself sets it, leave the line out



=== TEST 214: a field that is ours: b24_deal IS_MANUAL_OPPORTUNITY
--- http
b24_deal IS_MANUAL_OPPORTUNITY 1;
--- refused
"b24_deal" cannot set IS_MANUAL_OPPORTUNITY: the module itself sets it, leave the line out



=== TEST 215: a field that is ours: b24_contact CONTACT_ID
--- http
b24_contact CONTACT_ID 1;
--- refused
"b24_contact" cannot set CONTACT_ID: the module itself sets it, leave the line out



=== TEST 216: a field that is ours: b24_deal CONTACT_IDS
--- http
b24_deal CONTACT_IDS 1;
--- refused
"b24_deal" cannot set CONTACT_IDS: the module itself sets it, leave the line out



=== TEST 217: a field that is ours: b24_company COMPANY_ID
--- http
b24_company COMPANY_ID 1;
--- refused
"b24_company" cannot set COMPANY_ID: the module itself sets it, leave the line out



=== TEST 218: the page: all forms
--- http eval
"$::shop$::webhook\n" . ::servers('b24_origin one; b24_mirror s;',
                                 'b24_mirror s;')
--- server
location /a { b24_status; }
location /b { b24_status reveal; }
location /c { b24_status origin=one origin=s2.test reveal; }
--- accepted



=== TEST 219: the page twice
--- server
location /a {
    b24_status;
    b24_status reveal; # @
}
--- refused
"b24_status" directive is duplicate



=== TEST 220: the page, an unknown word
--- server
location /a { b24_status on; }
--- refused
"b24_status" has "on": it takes origin=NAME and "reveal"



=== TEST 221: the page, an origin without a name
--- server
location /a { b24_status origin=; }
--- refused
"b24_status" has "origin=": it takes origin=NAME and "reveal"



=== TEST 222: the page, an origin nobody has
--- http eval
"$::shop$::webhook\n" . ::servers('b24_mirror s;')
--- server
location /a {
    b24_status origin=s1.test
               origin=s1.tets; # @
}
--- warned
"b24_status" shows the origin "s1.tets", but no server with "b24_mirror" has it: only what is left of it in the queue is shown



=== TEST 223: the page, an origin without a mirror
--- server
b24_origin shop;
location /a { b24_status origin=shop; } # @
--- warned
"b24_status" shows the origin "shop", but no server with "b24_mirror" has it: only what is left of it in the queue is shown



=== TEST 224: the page in a server
--- server
b24_status;
--- refused
"b24_status" directive is not allowed here



=== TEST 225: twins that are equal
--- http eval
my $same = "$::webhook b24_rate 3; b24_category 5; b24_match email;"
           . ' b24_api universal; b24_phone_code 375;'
           . ' b24_requisite_preset 2; b24_trusted_certificate DIR/ca.pem;'
           . ' b24_retry first=2s;';
::twins("$same b24_stage A NEW; b24_stage B WON;",
      "$same b24_stage B WON; b24_stage A NEW;")
--- accepted



=== TEST 226: twins with other portals
--- http eval
::twins($::webhook, $::webhook =~ s/portal/another/r)
--- refused eval: ::wrong_twins('b24_webhook')



=== TEST 227: twins, one without a portal
--- http eval: ::twins('', $::webhook)
--- refused eval: ::wrong_twins('b24_webhook')



=== TEST 228: twins, one dry
--- http eval
::twins($::webhook, $::webhook =~ s/;/ dry;/r)
--- refused eval: ::wrong_twins('b24_webhook')



=== TEST 229: twins with other pipelines
--- http eval: ::twins('', 'b24_category 1;')
--- refused eval: ::wrong_twins('b24_category')



=== TEST 230: twins that match buyers in other ways
--- http eval: ::twins('b24_match phone;', '')
--- refused eval: ::wrong_twins('b24_match')



=== TEST 231: twins with other APIs
--- http eval: ::twins('', 'b24_api universal;')
--- refused eval: ::wrong_twins('b24_api')



=== TEST 232: twins with other country codes
--- http eval: ::twins('', 'b24_phone_code 1;')
--- refused eval: ::wrong_twins('b24_phone_code')



=== TEST 233: twins with other presets
--- http eval: ::twins('', 'b24_requisite_preset 2;')
--- refused eval: ::wrong_twins('b24_requisite_preset')



=== TEST 234: twins with other certificates
--- http eval: ::twins('', 'b24_trusted_certificate DIR/ca.pem;')
--- refused eval: ::wrong_twins('b24_trusted_certificate')



=== TEST 235: twins with other stages
--- http eval
::twins('b24_stage A NEW; b24_stage B WON;', 'b24_stage A NEW; b24_stage B LOSE;')
--- refused eval: ::wrong_twins('b24_stage')



=== TEST 236: twins, one with fewer stages
--- http eval
::twins('b24_stage A NEW; b24_stage B WON;', 'b24_stage A NEW;')
--- refused eval: ::wrong_twins('b24_stage')



=== TEST 237: twins, one without stages
--- http eval: ::twins('', 'b24_stage none;')
--- refused eval: ::wrong_twins('b24_stage')



=== TEST 238: twins with other pauses
--- http eval: ::twins('', 'b24_retry max=1h;')
--- refused eval: ::wrong_twins('b24_retry')



=== TEST 239: twins with other rates
--- http eval
::twins("$::webhook b24_rate 5;", $::webhook)
--- refused eval: ::wrong_twins('b24_rate')



=== TEST 240: two origins with one portal, other rates
--- http eval
::twins("$::webhook b24_rate 5;", "$::webhook b24_rate 5 burst=51;")
=~ s/b24_origin twins/b24_origin other/r
--- refused
the servers in @1 and @2 deliver to the portal "portal.test" but differ in "b24_rate": one portal has one limit, make the lines equal



=== TEST 241: two origins with one portal, in other words
--- http eval
::twins("$::webhook b24_rate 5;",
        "$::webhook" =~ s/portal\.test/Portal.Test:0443/r)
=~ s/b24_origin twins/b24_origin other/r
--- refused
the servers in @1 and @2 deliver to the portal "portal.test" but differ in "b24_rate": one portal has one limit, make the lines equal



=== TEST 242: two origins with one portal at an address, in other words
--- http eval
::twins('b24_webhook http://[0:0:0:0:0:0:0:1]/rest/1/SECRET/; b24_rate 5;',
        'b24_webhook http://[::1]:80/rest/1/SECRET/;')
=~ s/b24_origin twins/b24_origin other/r
--- refused
the servers in @1 and @2 deliver to the portal "[::1]" but differ in "b24_rate": one portal has one limit, make the lines equal



=== TEST 243: two origins with one host but two portals, other rates
--- http eval
::twins('b24_webhook https://portal.test:80/rest/1/SECRET/; b24_rate 5;',
        'b24_webhook https://portal.test/rest/1/SECRET/;')
=~ s/b24_origin twins/b24_origin other/r
--- accepted



=== TEST 244: two origins with two portals, other rates
--- http eval
::twins($::webhook, $::webhook =~ s/portal/another/r . ' b24_rate 5;')
=~ s/b24_origin twins/b24_origin other/r
--- accepted



=== TEST 245: the database: all forms
--- http eval: $::readshop
--- server
b24_mirror s;
b24_webhook https://portal.test/rest/1/SECRET/;
b24_database "mysql://b24%40x:SECRET%2F%3A@127.0.0.1:3306/shop?ssl_ca=DIR/ca.pem&socket=/run/mysql.sock" connect=1s read=1000ms wait=0 absent=24h poll=1s traffic=0;
--- accepted



=== TEST 246: the database: of http, off in a server
--- http
b24_database mysql://b24:SECRET@[::1]/shop;
--- server
b24_database off;
--- accepted



=== TEST 247: the database twice
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop;
b24_database mysql://b24:SECRET@127.0.0.1/other;
--- refused
"b24_database" directive is duplicate



=== TEST 248: the database, off and on
--- server
b24_database off;
b24_database mysql://b24:SECRET@127.0.0.1/shop;
--- refused
"b24_database" directive is duplicate



=== TEST 249: the database, nothing given
--- http
b24_database;
--- refused
invalid number of arguments in "b24_database" directive



=== TEST 250: the database, off and more
--- http
b24_database off wait=1s;
--- refused
"b24_database" directive takes nothing after "off"



=== TEST 251: the database in a location
--- server
location / {
    b24_database mysql://b24:SECRET@127.0.0.1/shop; # @
}
--- refused
"b24_database" directive is not allowed here



=== TEST 252: the database, no address at all
--- http
b24_database SECRET;
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 253: the database, another kind
--- http
b24_database postgres://b24:SECRET@127.0.0.1/shop;
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 254: the database without a name
--- http
b24_database mysql://b24:SECRET@127.0.0.1/;
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 255: the database without a name, nor a slash
--- http
b24_database mysql://b24:SECRET@127.0.0.1;
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 256: the database without a user and a host
--- http
b24_database mysql://SECRET/shop;
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 257: the database without a user
--- http
b24_database mysql://:SECRET@127.0.0.1/shop;
--- refused
"b24_database" directive must have a user, and "/", "?", "@", ":", "%" in its name and password as %2F, %3F, %40, %3A, %25



=== TEST 258: the database, a password with a slash
--- http
b24_database mysql://b24:SECRET/x@127.0.0.1/shop;
--- refused
"b24_database" directive must have a user, and "/", "?", "@", ":", "%" in its name and password as %2F, %3F, %40, %3A, %25



=== TEST 259: the database, a password with a percent
--- http
b24_database mysql://b24:SECRET%x@127.0.0.1/shop;
--- refused
"b24_database" directive has a "%" that is no percent-encoding: write it as %25



=== TEST 260: the database, a password with a zero
--- http
b24_database mysql://b24:SECRET%00@127.0.0.1/shop;
--- refused
"b24_database" directive has a "%" that is no percent-encoding: write it as %25



=== TEST 261: the database without a host
--- http
b24_database mysql://b24:SECRET@:3306/shop;
--- refused
"b24_database" directive must name a host, or have "?socket=\PATH"



=== TEST 262: the database, a host that is none
--- http
b24_database mysql://b24:SECRET@a=b/shop;
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 263: the database, a port of no use
--- http
b24_database mysql://b24:SECRET@127.0.0.1:0/shop;
--- refused
"b24_database" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 264: the database, a port too large
--- http
b24_database mysql://b24:SECRET@[::1]:65536/shop;
--- refused
"b24_database" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 265: the database, a port by its name
--- http
b24_database mysql://b24:SECRET@127.0.0.1:mysql/shop;
--- refused
"b24_database" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 266: the database, an unknown argument
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop?charset=utf8;
--- refused
"b24_database" directive takes after "?" only socket=/\PATH, ssl=1 and ssl_ca=/FILE, with "&" between them



=== TEST 267: the database, a socket without a slash
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop?socket=mysql.sock;
--- refused
"b24_database" directive takes after "?" only socket=/\PATH, ssl=1 and ssl_ca=/FILE, with "&" between them



=== TEST 268: the database, an authority that isn't there
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop?ssl_ca=PATH/none.pem;
--- refused
"b24_database" cannot open file "PATH/none.pem" of ssl_ca: correct the path, and let the workers' user read it (2: No such file or directory)



=== TEST 269: the database, a file without a name
--- http
b24_database file:;
--- refused
"b24_database" directive needs a path after "file:"



=== TEST 270: the database, a file that isn't there
--- http
b24_database file:PATH/none;
--- refused
"b24_database" cannot open file "PATH/none", correct the path or make the file (2: No such file or directory)



=== TEST 271: the database, a folder
--- http
b24_database file:PATH;
--- refused
"b24_database" cannot read file "PATH", give the path of a file that holds the address of the database (21: Is a directory)



=== TEST 272: the database, an empty file
--- http
b24_database file:DIR/secret;
--- file eval
"\n \n"
--- refused
file "DIR/secret" of "b24_database" must hold the address of the database and nothing else



=== TEST 273: the database, a file with more than the address
--- http
b24_database file:DIR/secret;
--- file
mysql://b24:SECRET@127.0.0.1/shop
SECRET
--- refused
file "DIR/secret" of "b24_database" must hold the address of the database and nothing else



=== TEST 274: the database, a file that holds something else
--- http
b24_database file:DIR/secret;
--- file
SECRET
--- refused
"b24_database" directive must look like mysql://USER:PASSWORD@HOST/NAME



=== TEST 275: the database in a file, blanks around it
--- http
b24_database file:DIR/secret poll=5s;
--- file eval
"\n  mysql://b24:SECRET\@127.0.0.1/shop\r\n\n"
--- accepted



=== TEST 276: the database in a file others can read
--- http
b24_database file:DIR/secret;    # @
--- file
mysql://b24:SECRET@127.0.0.1/shop
--- file_mode: 0640
--- warned
file "DIR/secret" of "b24_database" can be read by others: its mode should be 0600



=== TEST 277: the database, an unknown time, which may be a part of the password
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop SECRET=1s;
--- refused
"b24_database" takes one address and then only connect=TIME, read=TIME, wait=TIME, absent=TIME, poll=TIME and traffic=TIME: quote an address with blanks or ";"



=== TEST 278: the database, a time twice
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop poll=2s wait=1s poll=2s;
--- refused
"b24_database" directive is duplicate



=== TEST 279: the database, connect= out of bounds
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop connect=999ms;
--- refused
"b24_database" has "connect=999ms": a time is 1s to 24h



=== TEST 280: the database, read= out of bounds
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop read=0;
--- refused
"b24_database" has "read=0": a time is 1s to 24h



=== TEST 281: the database, wait= out of bounds
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop wait=-1s;
--- refused
"b24_database" has "wait=-1s": a time is 0s to 24h



=== TEST 282: the database, absent= out of bounds
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop absent=soon;
--- refused
"b24_database" has "absent=soon": a time is 1s to 24h



=== TEST 283: the database, poll= out of bounds
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop poll=;
--- refused
"b24_database" has "poll=": a time is 1s to 24h



=== TEST 284: the database, traffic= out of bounds
--- http
b24_database mysql://b24:SECRET@127.0.0.1/shop traffic=25h;
--- refused
"b24_database" has "traffic=25h": a time is 0s to 24h



=== TEST 285: a database that no rule asks
--- http eval: $::shop
--- server
b24_mirror s;
b24_webhook https://portal.test/rest/1/SECRET/;
b24_database mysql://b24:SECRET@127.0.0.1/shop;    # @
b24_origin asks;
--- warned
"b24_database" is of no use to the origin "asks": its shop has no "database" block with an "order" statement



=== TEST 286: rules that ask a database, and none is given
--- http eval: $::readshop
--- server
b24_mirror s;
b24_webhook https://portal.test/rest/1/SECRET/;
--- accepted



=== TEST 287: the import, a word
--- http
b24_import yes;
--- refused
invalid value "yes" in "b24_import" directive, it must be "on" or "off"



=== TEST 288: the import twice
--- http
b24_import on;
b24_import off;
--- refused
"b24_import" directive is duplicate



=== TEST 289: twins with equal databases
--- http eval
(::twins("$::webhook $::database poll=10s;", "$::webhook $::database absent=600s;"))
=~ s/\A.*?\n\}\n/$::readshop/sr
--- accepted



=== TEST 290: twins with other databases
--- http eval
::twins("$::database;", "$::database?ssl=1;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 291: twins, one without a database
--- http eval
::twins("$::database;", '')
--- refused eval: ::wrong_twins('b24_database')



=== TEST 292: twins whose databases differ in connect=
--- http eval
::twins("$::database;", "$::database connect=2s;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 293: twins whose databases differ in read=
--- http eval
::twins("$::database;", "$::database read=9s;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 294: twins whose databases differ in wait=
--- http eval
::twins("$::database;", "$::database wait=0;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 295: twins whose databases differ in absent=
--- http eval
::twins("$::database;", "$::database absent=1m;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 296: twins whose databases differ in poll=
--- http eval
::twins("$::database;", "$::database poll=11s;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 297: twins whose databases differ in traffic=
--- http eval
::twins("$::database;", "$::database traffic=1s;")
--- refused eval: ::wrong_twins('b24_database')



=== TEST 298: twins, one without import
--- http eval
::twins("$::database;", "$::database; b24_import off;")
--- refused eval: ::wrong_twins('b24_import')



=== TEST 299: one database of two origins
--- http eval
"$::database;\n" . $::shop . ::servers("b24_mirror s; $::webhook")
. ::servers("b24_mirror s; $::webhook") =~ s/server \{/server { # \@2/r
                                        =~ s/s1/s2/r
--- warned
b24: the origins "s1.test" and "s2.test" have one "b24_database", and each brings the orders of the other once more: give their servers one "b24_origin", or one of them "b24_import off" in @2



=== TEST 300: the site: all forms
--- http eval
$::writeshop . $::webhook . ::servers(map { "b24_mirror s; $::watch b24_site $_;" }
    'https://shop.test',
    'HTTPS://Shop.Test:443/',
    'https://shop.test:8443/folder/a%20b/~c@d//' =~ s/\@/%40/r,
    'https://192.0.2.1', 'https://[2001:DB8::1]:1/x',
    'http://127.0.0.1:8080', 'http://localhost/', 'http://[::1]/a..b/...',
    'https://shop.test user=crm',
    'https://shop.test "user=c r;m" password=file:DIR/password',
    'https://shop.test password=file:DIR/password')
--- accepted



=== TEST 301: the site twice
--- server
b24_site https://shop.test;
b24_site https://shop.test;
--- refused
"b24_site" directive is duplicate



=== TEST 302: the site of all servers
--- http
b24_site https://shop.test;
--- refused
"b24_site" directive is not allowed here



=== TEST 303: the site in a location
--- server
location / {
    b24_site https://shop.test; # @
}
--- refused
"b24_site" directive is not allowed here



=== TEST 304: the site, nothing given
--- server
b24_site;
--- refused
invalid number of arguments in "b24_site" directive



=== TEST 305: the site, no scheme
--- server
b24_site shop.test;
--- refused
"b24_site" directive must look like https://HOST or https://HOST/\PATH



=== TEST 306: the site, another scheme
--- server
b24_site ftp://shop.test;
--- refused
"b24_site" directive must look like https://HOST or https://HOST/\PATH



=== TEST 307: the site, no host
--- server
b24_site https://;
--- refused
"b24_site" directive must look like https://HOST or https://HOST/\PATH



=== TEST 308: the site, a path alone
--- server
b24_site https:///path;
--- refused
"b24_site" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 309: the site, a host that is none
--- server
b24_site https://shop..test;
--- refused
"b24_site" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 310: the site, a port that is none
--- server
b24_site https://shop.test:0/;
--- refused
"b24_site" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 311: the site over plain http
--- server
b24_site http://shop.test;
--- refused
"b24_site" directive must begin with https:// (plain http only for the loopback)



=== TEST 312: the site over plain http to what only looks like loopback
--- server
b24_site http://127.0.0.1.shop.test/;
--- refused
"b24_site" directive must begin with https:// (plain http only for the loopback)



=== TEST 313: the site with a user in its address
--- server
b24_site https://crm:SECRET@shop.test/;
--- refused
"b24_site" directive takes an address alone: leave out "?", "#", "$" and "@"; who logs in is said by user= and password=



=== TEST 314: the site with arguments
--- server
b24_site https://shop.test/?key=SECRET;
--- refused
"b24_site" directive takes an address alone: leave out "?", "#", "$" and "@"; who logs in is said by user= and password=



=== TEST 315: the site with an anchor
--- server
b24_site https://shop.test/#SECRET;
--- refused
"b24_site" directive takes an address alone: leave out "?", "#", "$" and "@"; who logs in is said by user= and password=



=== TEST 316: the site with a variable
--- server
b24_site https://$host/;
--- refused
"b24_site" directive takes an address alone: leave out "?", "#", "$" and "@"; who logs in is said by user= and password=



=== TEST 317: the site, a path with ".."
--- server
b24_site https://shop.test/a/%2E./b;
--- refused
"b24_site" directive must have a path of plain characters, others percent-encoded, without "." and ".." in it



=== TEST 318: the site, a path that ends in ".."
--- server
b24_site https://shop.test/../;
--- refused
"b24_site" directive must have a path of plain characters, others percent-encoded, without "." and ".." in it



=== TEST 319: the site, a path with a blank
--- server
b24_site "https://shop.test/a b";
--- refused
"b24_site" directive must have a path of plain characters, others percent-encoded, without "." and ".." in it



=== TEST 320: the site, a path of another alphabet
--- server
b24_site https://shop.test/магазин;
--- refused
"b24_site" directive must have a path of plain characters, others percent-encoded, without "." and ".." in it



=== TEST 321: the site, a percent that begins no code
--- server
b24_site https://shop.test/a%2;
--- refused
"b24_site" directive must have a path of plain characters, others percent-encoded, without "." and ".." in it



=== TEST 322: the site, a code of a control character
--- server
b24_site https://shop.test/a%0Ab;
--- refused
"b24_site" directive must have a path of plain characters, others percent-encoded, without "." and ".." in it



=== TEST 323: the site, an unknown word, which may be a password
--- server
b24_site https://shop.test SECRET;
--- refused
"b24_site" directive takes one address and then only user=NAME and password=file:\PATH: quote what has blanks or ";"



=== TEST 324: the site, too many words
--- server
b24_site https://shop.test user=a password=file:DIR/password SECRET;
--- refused
invalid number of arguments in "b24_site" directive



=== TEST 325: the site, no user
--- server
b24_site https://shop.test user=;
--- refused
"b24_site" directive needs a name after user=



=== TEST 326: the site, a user twice
--- server
b24_site https://shop.test user=a user=b;
--- refused
"b24_site" directive has user= twice



=== TEST 327: the site, a user with the password in it
--- server
b24_site https://shop.test user=crm:SECRET;
--- refused
"b24_site" directive needs a user= without ":": the password has a place of its own, password=file:\PATH



=== TEST 328: the site, a user with a control character
--- server eval
"b24_site https://shop.test \"user=a\tb\";"
--- refused
"b24_site" directive has a user= with a control character: leave it out



=== TEST 329: the site, the password itself
--- server
b24_site https://shop.test user=crm password=SECRET;
--- refused
"b24_site" directive takes the password from a file only: put it into one of mode 0600 and say password=file:\PATH



=== TEST 330: the site, a password twice
--- server
b24_site https://shop.test password=file:DIR/password password=file:DIR/password;
--- refused
"b24_site" directive has password= twice



=== TEST 331: the site, a file without a name
--- server
b24_site https://shop.test user=crm password=file:;
--- refused
"b24_site" directive needs a path after "file:"



=== TEST 332: the site, a file that isn't there
--- server
b24_site https://shop.test user=crm password=file:PATH/none;
--- refused
"b24_site" cannot open file "PATH/none", correct the path or make the file (2: No such file or directory)



=== TEST 333: the site, a folder
--- server
b24_site https://shop.test user=crm password=file:PATH;
--- refused
"b24_site" cannot read file "PATH", give the path of a file that holds the password of the shop's user (21: Is a directory)



=== TEST 334: the site, an empty file
--- server
b24_site https://shop.test user=crm password=file:DIR/secret;
--- file eval
"\r\n"
--- refused
file "DIR/secret" of "b24_site" must hold the password of the shop's user and nothing else



=== TEST 335: the site, a file of two lines
--- server
b24_site https://shop.test user=crm password=file:DIR/secret;
--- file
SECRET
SECRET
--- refused
file "DIR/secret" of "b24_site" must hold the password of the shop's user and nothing else



=== TEST 336: the site, an empty line before the password
--- server
b24_site https://shop.test user=crm password=file:DIR/secret;
--- file eval
"\nSECRET\n"
--- refused
file "DIR/secret" of "b24_site" must hold the password of the shop's user and nothing else



=== TEST 337: the site, an endless file
--- server
b24_site https://shop.test user=crm password=file:DIR/secret;
--- file eval
'SECRET' . 'x' x 5000
--- refused
file "DIR/secret" of "b24_site" must hold the password of the shop's user and nothing else



=== TEST 338: the site, a password of blanks and other signs
--- http eval: $::writeshop
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test user=crm password=file:DIR/secret;"
--- file eval
"  SECRET \x{01}\xff ;{}\"\r\n"
--- accepted



=== TEST 339: the site, a password others can read
--- http eval: $::writeshop
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test user=crm password=file:DIR/secret; # \@"
--- file
SECRET
--- file_mode: 0644
--- warned
file "DIR/secret" of "b24_site" can be read by others: its mode should be 0600



=== TEST 340: a site of a shop that writes nothing
--- http eval: $::shop
--- server eval
"$::webhook b24_mirror s; $::watch b24_origin quiet;
b24_site https://shop.test; # \@"
--- refused
"b24_site" of the origin "quiet" would never be called, its "b24_shop" has no "write" block: add some or leave the line out



=== TEST 341: a site of several shops, one of which writes
--- http eval
$::writeshop . ($::shop =~ s/b24_shop s/b24_shop t/r)
--- server eval
"$::webhook b24_mirror t; $::watch b24_site https://shop.test;
location /s { b24_mirror s; }"
--- accepted



=== TEST 342: twins with one site, the shop of one of them writes
--- http eval
($::shop =~ s/b24_shop s/b24_shop t/r)
. ::twins(("$::webhook $::watch b24_site https://shop.test;") x 2)
  =~ s/\A.*?\n\}\n/$::writeshop/sr
  =~ s/b24_mirror s;/b24_mirror t;/r
--- accepted



=== TEST 343: a site where nothing is mirrored
--- server
b24_site https://shop.test user=crm;
--- accepted



=== TEST 344: a site without the user that calls need
--- http eval: ::writes('body "user=%{user}"')
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test password=file:DIR/password; # \@"
--- refused
"b24_site" has no user=NAME, and the "write" blocks of "b24_shop s" need it: add it behind the address



=== TEST 345: a site without the password that calls need
--- http eval: ::writes('body "user=%{user}&password=%{password}"')
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test user=crm; # \@"
--- refused
"b24_site" has no password=file:\PATH, and the "write" blocks of "b24_shop s" need it: add it behind the address



=== TEST 346: a site without a user for the Basic login
--- http eval: ::writes('header Authorization "Basic %{basic}"')
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test password=file:DIR/password; # \@"
--- refused
"b24_site" has no user=NAME, and the "write" blocks of "b24_shop s" need it: add it behind the address



=== TEST 347: a site without a password for the Basic login
--- http eval: ::writes('header Authorization "Basic %{basic}"')
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test user=crm; # \@"
--- refused
"b24_site" has no password=file:\PATH, and the "write" blocks of "b24_shop s" need it: add it behind the address



=== TEST 348: a site without the key of the Basic login
--- http eval: ::writes('header Authorization "Basic %{key}"')
--- server eval
"$::webhook b24_mirror s; $::watch
b24_site https://shop.test user=crm; # \@"
--- refused
"b24_site" has no password=file:\PATH, and the "write" blocks of "b24_shop s" need it: add it behind the address



=== TEST 349: a site without a portal
--- http eval: $::writeshop
--- server
b24_origin alone;
b24_mirror s;
b24_site https://shop.test; # @
--- refused
"b24_site" of the origin "alone" has no "b24_webhook" beside it, so that nothing comes back from the CRM: add one or leave the line out



=== TEST 350: a site without webhooks: the portal's history is looked at
--- http eval: $::writeshop
--- server eval
"$::webhook b24_mirror s; b24_origin deaf;
b24_site https://shop.test; # \@"
--- accepted



=== TEST 351: a site whose portal tells another server
--- http eval
$::writeshop . $::webhook
. ::servers('b24_mirror s; b24_site https://shop.test;',
            "b24_mirror s; $::watch")
--- accepted



=== TEST 352: twins with one site, in other words
--- http eval
::twins("$::webhook $::watch b24_site https://Shop.test:443/a/ user=crm password=file:DIR/password;",
        "$::webhook $::watch b24_site https://shop.test/a password=file:DIR/password user=crm;")
=~ s/\A.*?\n\}\n/$::writeshop/sr
--- accepted



=== TEST 353: twins with other sites
--- http eval
::twins('b24_site https://shop.test;', 'b24_site https://shop.test/a;')
--- refused eval: ::wrong_twins('b24_site')



=== TEST 354: twins, one without a site
--- http eval
::twins('', 'b24_site https://shop.test;')
--- refused eval: ::wrong_twins('b24_site')



=== TEST 355: twins whose sites have other users
--- http eval
::twins('b24_site https://shop.test user=a;', 'b24_site https://shop.test user=b;')
--- refused eval: ::wrong_twins('b24_site')



=== TEST 356: twins whose sites have other passwords
--- http eval
::twins('b24_site https://shop.test password=file:DIR/password;',
        'b24_site https://shop.test password=file:DIR/secret;')
--- file eval
"SECRET \n"
--- refused eval: ::wrong_twins('b24_site')



=== TEST 357: the way back of stages: all forms
--- http eval
"b24_stage_back WON F;\nb24_stage_back LOSE CANCELED;\n$::shop$::webhook\n"
. ::servers('b24_mirror s; b24_stage_back WON "Paid in full"; b24_stage_back UC_1-2 F;',
            'b24_mirror s; b24_stage none; b24_stage_back NEW N;')
--- accepted



=== TEST 358: the way back of stages, a word alone
--- server
b24_stage_back WON;
--- refused
invalid number of arguments in "b24_stage_back" directive



=== TEST 359: the way back of stages in a location
--- server
location / {
    b24_stage_back WON F; # @
}
--- refused
"b24_stage_back" directive is not allowed here



=== TEST 360: the way back of stages, no stage
--- server
b24_stage_back "" F;
--- refused
"b24_stage_back" directive needs a stage and a status



=== TEST 361: the way back of stages, no status
--- server
b24_stage_back WON "";
--- refused
"b24_stage_back" directive needs a stage and a status



=== TEST 362: the way back of stages, one with a pipeline's prefix
--- server
b24_stage_back C9:WON F;
--- refused
"b24_stage_back" has a bad deal stage "C9:WON": leave the pipeline's prefix out, "b24_category" gives it



=== TEST 363: the way back of stages, the two in the wrong order
--- server
b24_stage_back "Paid in full" WON;
--- refused
"b24_stage_back" has a bad deal stage "Paid in full": give its STATUS_ID, such as PREPARATION



=== TEST 364: the way back of stages, a stage twice
--- server
b24_stage_back WON F;
b24_stage_back LOSE F;
b24_stage_back WON P;
--- refused
"b24_stage_back" has a status for the stage "WON" already



=== TEST 365: twins whose stages lead back alike, in other order
--- http eval
::twins("$::webhook b24_stage_back WON F; b24_stage_back LOSE C;",
        "$::webhook b24_stage_back LOSE C; b24_stage_back WON F;")
--- accepted



=== TEST 366: twins whose stages lead back elsewhere
--- http eval
::twins('b24_stage_back WON F;', 'b24_stage_back WON P;')
--- refused eval: ::wrong_twins('b24_stage_back')



=== TEST 367: twins, one with another stage of http
--- http eval
"b24_stage_back WON F;\n" . ::twins('', 'b24_stage_back WON P;')
--- refused eval: ::wrong_twins('b24_stage_back')



=== TEST 368: nothing was made for what was refused
--- config
--- scenario
    ok(!-e B24::Conf::never_made(), 'no queue');



=== TEST 369: levels of fields merge by name
--- http_config
    b24_queue $TEST_NGINX_QUEUE;
    b24_origin levels;
    b24_webhook $TEST_NGINX_PORTAL_URL;

    b24_shop s {
        order o {
            uri    /*;
            id     response:/id;
            phone  request:/phone;
        }
    }

    b24_deal UTM_SOURCE outer;
    b24_deal UTM_MEDIUM outer;
    b24_deal UTM_TERM "outer";
    b24_deal TITLE "outer $arg_id";
    b24_contact SOURCE_ID WEB;

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        return 200 '{"id":$arg_id}';
    }
--- config
    b24_mirror s;
    b24_deal UTM_MEDIUM "middle $request_method";
    b24_deal UTM_TERM "";
    b24_deal UTM_CAMPAIGN middle;

    location / {
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
    }

    location /inner {
        b24_deal UTM_MEDIUM inner;
        b24_deal UTM_CAMPAIGN "";
        b24_deal TITLE "";
        b24_deal UTM_TERM again;
        b24_contact SOURCE_ID "";
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
    }
--- scenario
    post('/a?id=51', 'phone=%2B79161230001');
    post('/inner?id=52', 'phone=%2B79161230002');
    portal()->wait_for(deals => 2);

    my $report = portal()->report;
    my %deal = map { $_->{origin_id} => $_ } @{$report->{deals}};
    my %contact = map { $_->{id} => $_ } @{$report->{contacts}};
    my $values = sub {
        my ($id) = @_;
        return join '|', map { $deal{$id}{fields}{$_} // '' }
            qw(TITLE UTM_SOURCE UTM_MEDIUM UTM_TERM UTM_CAMPAIGN);
    };

    is($values->(51), 'outer 51|outer|middle POST||middle', 'two levels');
    is($values->(52), 'Order #52|outer|inner|again|', 'three levels');
    is($contact{$deal{51}{contact_ids}[0]}{source_id}, 'WEB',
       'of the contact');
    isnt($contact{$deal{52}{contact_ids}[0]}{source_id}, 'WEB',
         'removed from the contact');



=== TEST 370: webhooks: tokens, a file, poll
--- http eval: "$::shop$::webhook\n"
--- server
b24_mirror s;
location /a { b24_events 0123456789abcdef; }
location /b { b24_events 0123456789abcdef abcdefabcdef poll=1h; }
location /c { b24_events abcdefab poll=1s; b24_mirror off; }
--- accepted



=== TEST 371: webhooks twice
--- server
location /a {
    b24_events 0123456789abcdef;
    b24_events 0123456789abcdef; # @
}
--- refused
"b24_events" directive is duplicate



=== TEST 372: webhooks: a token that is none
--- server
location /a { b24_events 0123-4567-89; }
--- refused
"b24_events" directive needs the token that the portal shows for its outgoing webhook: at least 8 letters and digits



=== TEST 373: webhooks: a short token
--- server
location /a { b24_events 0123456; }
--- refused
"b24_events" directive needs the token that the portal shows for its outgoing webhook: at least 8 letters and digits



=== TEST 374: webhooks: no token
--- server
location /a { b24_events poll=1m; }
--- refused
"b24_events" directive needs the token of the portal's outgoing webhook



=== TEST 375: webhooks: a wrong pause
--- server
location /a { b24_events 0123456789abcdef poll=2h; }
--- refused
"b24_events" directive takes poll= from 1s to 1h



=== TEST 376: webhooks: no pause
--- server
location /a { b24_events 0123456789abcdef poll=0; }
--- refused
"b24_events" directive takes poll= from 1s to 1h



=== TEST 377: webhooks of a portal that no order goes to
--- http eval: $::shop
--- server
location /a { b24_events 0123456789abcdef; } # @
--- refused
"b24_events" is told of a portal that no order goes to: put "b24_webhook" of a server with "b24_mirror" into its server



=== TEST 378: what follows later changes
--- http eval
"b24_update off;\n$::shop$::webhook\n"
. ::servers('b24_mirror s; b24_update rows;', 'b24_mirror s; b24_update total;')
--- accepted



=== TEST 379: what follows later changes, a word
--- http
b24_update goods;
--- refused
"b24_update" directive takes "off" (deals follow statuses only), "total" (and the order's total) or "rows" (its goods, too)



=== TEST 380: what follows later changes, twice
--- server
b24_update rows;
b24_update total;
--- refused
"b24_update" directive is duplicate



=== TEST 381: twins that differ in what follows later changes
--- http eval
::twins("$::database;", "$::database; b24_update rows;")
--- refused eval: ::wrong_twins('b24_update')



=== TEST 382: the rate: what methods may take
--- http
b24_rate 2 operating=420s window=10m batch=30s burst=50;
--- server
b24_rate 2 operating=off;
--- accepted



=== TEST 383: the rate: no time
--- http
b24_rate 2 operating=much;
--- refused
"b24_rate" directive needs times such as operating=480s, window=10m, batch=40s, of an hour at most



=== TEST 384: the rate: no window at all
--- http
b24_rate 2 window=off;
--- refused
"b24_rate" directive needs times such as operating=480s, window=10m, batch=40s, of an hour at most



=== TEST 385: the rate: a request without time
--- http
b24_rate 2 batch=0;
--- refused
"b24_rate" directive needs times such as operating=480s, window=10m, batch=40s, of an hour at most



=== TEST 386: alerts: every form
--- http eval
"b24_alert https://bot.test/SECRET/send?chat=SECRET;\n$::shop$::webhook"
. ::servers('b24_mirror s;', 'b24_mirror s; b24_alert off;',
            'b24_mirror s; b24_alert unix:/run/b24.sock age=1s again=30d gap=1m;',
            'b24_mirror s; b24_alert https://[2001:db8::1]:8443 again=off;',
            'b24_mirror s; b24_alert HTTPS://Bot.test?SECRET gap=30d age=30d;',
            'b24_mirror s; b24_alert http://localhost:8080/a%20b/;',
            'b24_mirror s; b24_alert file:DIR/secret age=5m;')
--- file
https://bot.test/SECRET
--- accepted



=== TEST 387: alerts: a file with a socket
--- server
b24_alert file:DIR/secret;
--- file
unix:/run/b24.sock
--- accepted



=== TEST 388: alerts: nothing at all
--- server
b24_alert;
--- refused
invalid number of arguments in "b24_alert" directive



=== TEST 389: alerts: too much
--- server
b24_alert off age=1s gap=1s again=1s gap=2s;
--- refused
invalid number of arguments in "b24_alert" directive



=== TEST 390: alerts: twice
--- server
b24_alert off;
b24_alert unix:/a;
--- refused
"b24_alert" directive is duplicate



=== TEST 391: alerts in a location
--- server
location /a {
    b24_alert off; # @
}
--- refused
"b24_alert" directive is not allowed here



=== TEST 392: alerts: off and more
--- server
b24_alert off age=1s;
--- refused
"b24_alert" directive takes nothing after "off"



=== TEST 393: alerts: no scheme
--- server
b24_alert bot.test/SECRET;
--- refused
"b24_alert" directive must be told https://HOST/\PATH, unix:/\PATH, file:\PATH or off



=== TEST 394: alerts: another scheme
--- server
b24_alert ftp://bot.test/SECRET;
--- refused
"b24_alert" directive must be told https://HOST/\PATH, unix:/\PATH, file:\PATH or off



=== TEST 395: alerts: empty
--- server
b24_alert "";
--- refused
"b24_alert" directive must be told https://HOST/\PATH, unix:/\PATH, file:\PATH or off



=== TEST 396: alerts: no host
--- server
b24_alert https:///SECRET;
--- refused
"b24_alert" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 397: alerts: a user
--- server
b24_alert https://me:SECRET@bot.test/;
--- refused
"b24_alert" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 398: alerts: a user without a password
--- server
b24_alert https://SECRET@bot.test/;
--- refused
"b24_alert" directive must name a host after "//", of letters, digits, "-" and ".", or an address such as 192.0.2.1 or [2001:db8::1]



=== TEST 399: alerts: plain http
--- server
b24_alert http://bot.test/SECRET;
--- refused
"b24_alert" directive must begin with https:// (plain http only for the loopback)



=== TEST 400: alerts: a port
--- server
b24_alert https://bot.test:0/SECRET;
--- refused
"b24_alert" directive must have a port of 1 to 65535 after the host's ":"



=== TEST 401: alerts: a fragment
--- server
b24_alert https://bot.test/#SECRET;
--- refused
"b24_alert" directive takes an address without "#" and "$": percent-encode them, there are no variables in it



=== TEST 402: alerts: a variable
--- server
b24_alert https://bot.test/$host;
--- refused
"b24_alert" directive takes an address without "#" and "$": percent-encode them, there are no variables in it



=== TEST 403: alerts: a blank
--- server
b24_alert "https://bot.test/SECRET b";
--- refused
"b24_alert" directive takes an address of plain characters: percent-encode the others



=== TEST 404: alerts: other letters
--- server
b24_alert https://bot.test/SECRETж;
--- refused
"b24_alert" directive takes an address of plain characters: percent-encode the others



=== TEST 405: alerts: dots
--- server
b24_alert https://bot.test/a/%2e./SECRET?a=/../;
--- refused
"b24_alert" directive must have no "." or ".." in its path



=== TEST 406: alerts: a socket without a path
--- server
b24_alert unix:;
--- refused
"b24_alert" directive needs the whole path of a socket after "unix:", such as unix:/run/b24-alert.sock



=== TEST 407: alerts: a socket of the root alone
--- server
b24_alert unix:/;
--- refused
"b24_alert" directive needs the whole path of a socket after "unix:", such as unix:/run/b24-alert.sock



=== TEST 408: alerts: half a path
--- server
b24_alert unix:b24.sock;
--- refused
"b24_alert" directive needs the whole path of a socket after "unix:", such as unix:/run/b24-alert.sock



=== TEST 409: alerts: a long path
--- server eval
'b24_alert unix:/' . ::long(107) . ';'
--- refused
"b24_alert" has a path of 108 bytes, a socket can have one of 107: give a shorter one



=== TEST 410: alerts: the longest path
--- server eval
'b24_alert unix:/' . ::long(106) . ';'
--- accepted



=== TEST 411: alerts: age is no time
--- server
b24_alert unix:/a age=long;
--- refused
"b24_alert" has "age=long": a time is 1s to 30d



=== TEST 412: alerts: no age
--- server
b24_alert unix:/a age=0;
--- refused
"b24_alert" has "age=0": a time is 1s to 30d



=== TEST 413: alerts: age off
--- server
b24_alert unix:/a age=off;
--- refused
"b24_alert" has "age=off": a time is 1s to 30d



=== TEST 414: alerts: again, too long
--- server
b24_alert unix:/a again=31d;
--- refused
"b24_alert" has "again=31d": a time is 1s to 30d, or off



=== TEST 415: alerts: a gap of nothing
--- server
b24_alert unix:/a gap=;
--- refused
"b24_alert" has "gap=": a time is 1s to 30d



=== TEST 416: alerts: a gap twice
--- server
b24_alert unix:/a gap=1s gap=1s;
--- refused
"b24_alert" directive is duplicate



=== TEST 417: alerts: anything else
--- server
b24_alert unix:/a SECRET;
--- refused
"b24_alert" directive takes one address and then only age=TIME, again=TIME and gap=TIME



=== TEST 418: alerts: a file without a path
--- server
b24_alert file:;
--- refused
"b24_alert" directive needs a path after "file:"



=== TEST 419: alerts: a file that isn't there
--- server
b24_alert file:DIR/none;
--- refused
"b24_alert" cannot open file "DIR/none", correct the path or make the file (2: No such file or directory)



=== TEST 420: alerts: a file with something else
--- server
b24_alert file:DIR/secret;
--- file
SECRET
--- refused
"b24_alert" directive must be told https://HOST/\PATH, unix:/\PATH, file:\PATH or off



=== TEST 421: alerts: a file with two lines
--- server
b24_alert file:DIR/secret;
--- file
https://bot.test/SECRET
https://bot.test/SECRET
--- refused
file "DIR/secret" of "b24_alert" must hold the address that is told and nothing else



=== TEST 422: alerts: a file for everybody
--- server
b24_alert file:DIR/secret;
--- file
https://bot.test/SECRET
--- file_mode: 0644
--- warned
file "DIR/secret" of "b24_alert" can be read by others: its mode should be 0600



=== TEST 423: twins with one target, in other words
--- http eval
::twins("$::webhook b24_alert https://Bot.test:443/a gap=5m;",
        "$::webhook b24_alert https://bot.test/a age=15m again=6h;")
--- accepted



=== TEST 424: twins that differ in who is told: targets
--- http eval
::twins('b24_alert https://bot.test/a;', 'b24_alert https://bot.test/b;')
--- refused eval: ::wrong_twins('b24_alert')



=== TEST 425: twins that differ in who is told: age=
--- http eval
::twins('b24_alert unix:/a;', 'b24_alert unix:/a age=1h;')
--- refused eval: ::wrong_twins('b24_alert')



=== TEST 426: twins that differ in who is told: again=
--- http eval
::twins('b24_alert unix:/a;', 'b24_alert unix:/a again=off;')
--- refused eval: ::wrong_twins('b24_alert')



=== TEST 427: twins that differ in who is told: gap=
--- http eval
::twins('b24_alert unix:/a;', 'b24_alert unix:/a gap=1h;')
--- refused eval: ::wrong_twins('b24_alert')



=== TEST 428: twins, one of which tells nobody
--- http eval
::twins('', 'b24_alert unix:/a;')
--- refused eval: ::wrong_twins('b24_alert')
