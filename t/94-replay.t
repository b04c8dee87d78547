# "./build.sh replay": what it says of recorded traffic and of rules, as the
# documentation shows it, and for each of the presets.

use strict;
use warnings;

use lib 't/lib';

use B24::Recording ();
use Cwd ();
use File::Temp ();
use JSON::PP ();
use Test::More;

my $dir = File::Temp::tempdir(CLEANUP => 1);
my $module = $ENV{B24_MODULE} // Cwd::getcwd() . '/build/ngx_http_b24_module.so';

# What it prints, errors included, and its status.
sub replay {
    my (@arguments) = @_;

    my $text = qx(@{[map { quotemeta } $^X, '-It/lib', 't/rules.pl', '--module',
                     $module, @arguments]} 2>&1);

    return wantarray ? ($text, $? >> 8) : $text;
}

sub put {
    my ($name, $text) = @_;

    open my $out, '>:raw', "$dir/$name" or die "$dir/$name: $!\n";
    print $out $text;
    close $out;

    return "$dir/$name";
}


# ---- the page ------------------------------------------------------------

my $page = B24::Recording::read_file('docs/rules.md');
my $shown = 0;

while ($page =~ /^```\n\$ \.\/build\.sh replay ([^\n]*)\n(.*?)^```$/msg) {
    my ($arguments, $text) = ($1, $2);
    my $real = replay(split / /, $arguments);

    is(substr($real, 0, length $text), $text, "replay $arguments");
    $shown++;
}

is($shown, 2, 'examples of docs/rules.md');


# ---- presets and real traffic --------------------------------------------

my %orders = (
    'woocommerce-9.9.5' => 'woocommerce', 'opencart-3.0.5.1' => 'opencart',
    'opencart-4.1.0.4' => 'opencart4', 'prestashop-8.1.2' => 'prestashop',
);

for my $recording (sort keys %orders) {
    my ($text, $status) = replay('--shop', $orders{$recording},
                                 "t/recordings/$recording");
    my $n = () = $text =~ /^Order \S+: (?:accepted|unconfirmed), by /mg;

    is($status, 0, "$recording: played");
    cmp_ok($n, '>=', 4, "$recording: orders");
    like($text, qr/^    crm\.deal\.add\n      \{"fields":\{/m,
         "$recording: commands");
    like($text, qr/^  order \S+ \(\S+\.conf:\d+\)\n    all lines hold$/m,
         "$recording: the block");
    unlike($text, qr/Use of uninitialized|explain:/, "$recording: no faults");
}


# ---- rules that don't fit ------------------------------------------------

my $rules = B24::Recording::read_file('t/replay/second.conf');

sub changed {
    my ($from, $to) = @_;

    (my $text = $rules) =~ s/\Q$from\E/$to/ or die "no $from\n";

    return put('changed.conf', $text);
}

for my $case (
    ['uri       /checkout;', 'uri /cart;',
     qr{^    changed\.conf:6  uri /cart   does not hold$}m],
    ['when      request:/action =place;', 'when request:/action =buy;',
     qr{:7  when request:/action =buy   does not hold\n +request:/action is "place"$}m],
    ['uri       /checkout;', 'method PUT;',
     qr{^    changed\.conf:6  method PUT   does not hold$}m],
    ['accept    response:/result =placed;', 'accept response:/order !;',
     qr{response:/order is a list or an object, and not empty$}m],
    ['response:/order/number', 'response:/number',
     qr{:10  id\n +response:/order/id is empty\n +response:/number is empty$}m],
    ['        email     request:/email;', '',
     qr{^  email is empty: no line of changed\.conf:5 gives it$}m],
)
{
    my ($from, $to, $said) = @$case;

    like(replay('t/replay/order.request', '--conf', changed($from, $to)),
         $said, $to || "without $from");
}

my ($text, $status) = replay('t/replay/order.request', '--conf',
                             changed('accept    ', 'accpt '));
is($status, 1, 'a wrong line');
like($text, qr/^replay: .*accpt.* in \S+changed\.conf:8$/m, 'has its place');

like(replay('t/replay/order.request', '--conf', 't/replay/none.conf'),
     qr/^replay: there is no \S+none\.conf$/m, 'no such file');
like(replay('t/replay/order.request', '--conf', 't/replay/first.conf',
            '--shop', 'other'),
     qr/^replay: there is no "b24_shop other"/m, 'no such shop');


# ---- a whole configuration -----------------------------------------------

put('rules.conf', $rules =~ s/mine/base/r);
my $conf = put('nginx.conf', <<'EOC');
user nobody;
worker_processes 4;
events { }
http {
    b24_queue /var/lib/nginx/b24;
    map $cookie_lang $source { en "WEB"; default "CALL"; }
    include rules.conf;

    b24_shop mine : base {
        order place { phone request:/mobile; }
    }

    server { server_name other.example.com; listen 80; }

    server {
        listen 443 ssl;
        ssl_certificate none.pem;
        server_name shop.example.com;
        b24_webhook file:/etc/nginx/none;
        b24_category 3;
        b24_deal SOURCE_ID $source;

        location / {
            b24_mirror mine;
            b24_contact UF_CRM_LANG "$cookie_lang";
            proxy_pass http://127.0.0.1:8080;
        }
    }
}
EOC

$text = replay('t/replay/order.request', '--conf', $conf);
like($text, qr/^Order \S+: accepted, by mine\/place$/m, 'the mirror\'s shop');
like($text, qr/"ORIGINATOR_ID":"shop\.example\.com"/, 'its origin');
like($text, qr/"SOURCE_ID":"WEB"/, 'a variable of a map');
like($text, qr/"CATEGORY_ID":"3"/, 'the pipeline');
like($text, qr/"UF_CRM_LANG":"en"/, 'a line of the location');
like($text, qr/"VALUE":"\+79165550101"/, 'a line of the heir');


# ---- a browser's HAR -----------------------------------------------------

my ($head, $body) = B24::Recording::head_and_body(
    B24::Recording::read_file('t/replay/order.request'));
my $har = put('order.har', JSON::PP->new->utf8->encode({ log => { entries => [
    { request => { method => 'GET', url => 'https://shop.example.com/logo.png',
                   headers => [] },
      response => { status => 200, statusText => 'OK', headers => [],
                    content => { text => 'iVBORw==',
                                 encoding => 'base64' } } },
    { request => { method => 'POST',
                   url => 'https://shop.example.com/checkout',
                   headers => [ { name => ':authority', value => 'x' },
                                { name => 'content-type',
                                  value => 'application/json' },
                                { name => 'content-length',
                                  value => '7' } ],
                   postData => { text => $body } },
      response => { status => 200, statusText => '',
                    headers => [ { name => 'content-encoding', value => 'br' },
                                 { name => 'content-type',
                                   value => 'application/json' } ],
                    content => { text => '{"result":"placed","order":'
                                         . '{"number":"A-17"}}' } } },
] } }));

$text = replay($har, '--conf', 't/replay/second.conf');
like($text, qr/^Order \S+: accepted, by mine\/place$/m, 'a HAR');
like($text, qr/^1 other exchange that no block/m, 'the picture is counted');
like(replay(put('broken.har', '[]'), '--conf', 't/replay/second.conf'),
     qr/^replay: \S+broken\.har: this is no HAR of a browser$/m, 'no HAR');

done_testing();
