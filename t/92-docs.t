# The documentation says what is: each of its configurations is taken by nginx,
# its directives, variables, messages and counters are those of the source, its
# examples give the deals it shows, its JSON has the members of the real one, and
# its links lead somewhere.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Client;
use B24::Conf ();
use B24::Desk;
use B24::Recording ();
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);

our $source = 'ngx_http_b24_module';
our @pages = ('README.md', glob 'docs/*.md');


# ---- pages ---------------------------------------------------------------

sub text_of {
    return B24::Recording::read_file($_[0]);
}

# Fenced blocks of a page: { page, line, kind, where, text }.
sub fences {
    my ($page) = @_;
    my (@found, $open);
    my $line = 0;

    for (split /^/, text_of($page)) {
        $line++;

        if ($open) {
            if (/^```\s*$/) {
                push @found, $open;
                undef $open;
                next;
            }
            $open->{text} .= $_;
            next;
        }

        $open = { page => $page, line => $line, kind => $1,
                  where => $2 // '', text => '' }
            if /^```(\w*)(?: (\w+))?\s*$/;
    }

    die "$page: a block isn't closed\n" if $open;

    return @found;
}

# What stands between a heading and the next one of its level or above.
sub section {
    my ($page, $heading) = @_;
    my $text = text_of($page);

    return $2 if $text =~ /^(\#+) \Q$heading\E\n(.*?)(?=^(??{ '#{1,'
                           . length($1) . '}' }) |\z)/ms;

    die "$page has no \"$heading\"\n";
}

# Cells of the tables of a text, without their heads.
sub rows {
    my ($text) = @_;

    return map { [map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, $_] }
           $text =~ /^\|(?! *-)(.*)\|$(?!\n\|-)/mg;
}

# What stands in backticks.
sub codes {
    my ($text) = @_;

    return $text =~ s/^```.*?^```$//msgr =~ /`([^`]+)`/g;
}

# Anchors of a page, as they are made of headings.
sub anchors {
    my ($page) = @_;
    my $text = text_of($page);

    $text =~ s/^```.*?^```//msg;

    return map { lc(s/[^\w -]//gr) =~ tr/ /-/r } $text =~ /^#+ (.*)$/mg;
}

# Links of a page which lead to no file, or to no heading of it.
sub dead_links {
    my ($page) = @_;
    my ($folder) = $page =~ m{^(.*/)};
    my $text = text_of($page);
    my @dead;

    $text =~ s/^```.*?^```//msg;

    for my $link ($text =~ /\]\(([^)]+)\)/g) {
        next if $link =~ /^\w+:/;

        my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
        my $file = $path eq '' ? $page : ($folder // '') . $path;

        push @dead, $link if !-e $file
            || defined $anchor && !grep { $_ eq $anchor } anchors($file);
    }

    return @dead;
}


# ---- the source ----------------------------------------------------------

sub c_files {
    return glob "$source/*.c $source/*/*.c";
}

# NAME => "http, server": the table of directives, those of rules left out.
sub directives {
    my %found;
    my %context = ('NGX_HTTP_MAIN_CONF' => 'http',
                   'NGX_HTTP_SRV_CONF' => 'server',
                   'NGX_HTTP_B24_SRV' => 'http, server',
                   'NGX_HTTP_B24_LOC' => 'http, server, location',
                   'NGX_HTTP_LOC_CONF' => 'location');

    my $text = text_of("$source/ngx_http_b24_commands.c");

    while ($text =~ /\{ ngx_string\("(b24_\w+)"\),\s+(\w+)\|/g) {
        $found{$1} = $context{$2} // die "$1 stands in $2\n";
    }

    return %found;
}

# Names of the lines inside b24_shop.
sub rule_names {
    my %seen;

    return grep { !$seen{$_}++ } text_of("$source/ngx_http_b24_commands.c")
                                 =~ /^    ngx_http_b24_rule\w*\("(\w+)"/mg;
}

# "LEVEL TEXT" of messages of a running module.
sub messages {
    my @found;

    for my $file (c_files()) {
        my $text = text_of($file);

        while ($text =~ /ngx_log_error\(\s*NGX_LOG_(\w+),[^"]*
                         ((?:"(?:[^"\\]|\\.)*"\s*)+)/gx)
        {
            my ($level, $strings) = (lc $1, $2);
            my $words = join '', $strings =~ /"((?:[^"\\]|\\.)*)"/g;

            $words =~ s/\\"/"/g;
            $level = 'error' if $level eq 'err';
            push @found, "$level $words" if $words =~ /^b24: /;
        }
    }

    return sort @found;
}

# With one word for whatever is filled in.
sub plain {
    my ($message) = @_;

    # a number, a name, a text; in pages a word in capital letters
    return $message =~ s/%(?:V|s|d|ui|M|L|P|T)|\b(?!INI)[A-Z]+\b/X/gr;
}

# Names in an X-macro or a list of strings.
sub strings_of {
    my ($file, $pattern) = @_;

    my ($text) = text_of("$source/$file") =~ $pattern
        or die "$file has no such list\n";

    return $text =~ /"([^"]+)"/g;
}


# ---- configurations ------------------------------------------------------

# What a fragment needs around it; the word behind "nginx" says where it stands.
sub completed {
    my ($fence) = @_;
    my ($text, $where) = @$fence{qw(text where)};

    my %around = (
        items => ["items request:/i {\n", "}\n", 'order'],
        order => ["order {\n", "}\n", 'shop'],
        shop => ["b24_shop shop {\n", "}\n", 'http'],
        location => ["location / {\n", "}\n", 'server'],
        server => ["server {\nlisten 80;\nserver_name shop.example.com;\n",
                   "}\n", 'http'],
        http => ["http {\n", "}\n", ''],
    );

    $text = "id response:/id;\n$text"
        if $where eq 'order' && $text !~ /^id /m;

    while ($where ne '' && $where ne 'main') {
        my ($before, $after, $above) = @{$around{$where}
            // die "$fence->{page}:$fence->{line}: \"$where\" is no place\n"};

        if ($where eq 'http') {
            $text = "b24_webhook https://example.bitrix24.com/rest/1/c/;\n"
                    . $text if $text !~ /^b24_webhook/m;
            $text = "b24_shop shop { order { uri /x; id response:/id; } }\n"
                    . $text if $text !~ /^b24_shop shop/m;
            $text .= "server {\nlisten 80;\nserver_name shop.example.com;\n"
                     . "b24_mirror shop;\n}\n" if $text !~ /^server \{/m;
        }

        $text = $before . $text . $after;
        $where = $above;
    }

    return $text;
}

# The same where the test may run it: our module, files and ports, and nothing
# of the machine's.
sub prepared {
    my ($nginx, $text) = @_;

    my $dir = $nginx->dir;
    my $own = join '', map { "${_}_temp_path $dir/temp/$_;\n" }
                       qw(client_body proxy fastcgi uwsgi scgi);

    $text =~ s{^load_module\s+modules/ngx_http_b24_module\.so;\n}{}mg;
    $text =~ s{/etc/nginx/}{$dir/conf/}g;
    $text =~ s{/var/(lib|log)/nginx/}{$dir/$1/}g;
    $text =~ s/\blisten\s+80;/listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};/g;
    $text =~ s/^http \{\n/http {\naccess_log $dir\/log\/access.log;\n$own/m;

    $text .= "\nevents {}\n" if $text !~ /^events\b/m;
    $text .= "http {\naccess_log off;\n$own}\n" if $text !~ /^http \{/m;

    return join '', map({ "load_module $_;\n" }
                        split ' ', $ENV{TEST_NGINX_LOAD_MODULES}),
                "pid $dir/logs/nginx.pid;\n",
                "error_log $dir/logs/error.log;\n", $text;
}

# What nginx has to say of a configuration: nothing when it is right.
sub said_of {
    my ($text) = @_;

    my $nginx = B24::Conf->new('docs');

    mkdir $nginx->dir($_) for qw(lib log conf/b24);
    $nginx->put('conf/fastcgi_params', '');
    $nginx->put('conf/company-ca.pem', B24::Conf::certificate());
    $nginx->put('conf/b24-webhook',
                "https://example.bitrix24.com/rest/1/code/\n");
    $nginx->put('conf/b24-password', "secret\n");
    chmod 0600, map { $nginx->dir("conf/$_") } qw(b24-webhook b24-password);
    $nginx->put('conf/b24/' . s{.*/}{}r, text_of($_))
        for glob "$source/shops/*.conf";
    $nginx->put('conf/nginx.conf', prepared($nginx, $text));

    my ($status, $output) = $nginx->run('-t', '-q');

    return $output if $output ne '';

    return $status == 0 ? '' : "status $status";
}


# ---- examples ------------------------------------------------------------

# The sections of "Examples" in rules.md: { name, request, answer, shop, rules,
# crm }.
sub examples {
    my @found;
    my $text = section('docs/rules.md', 'Examples');

    for my $part (split /^(?=### )/m, $text) {
        my ($name) = $part =~ /^### (.*)/ or next;
        my %fence;

        push @{$fence{$1}}, $2
            while $part =~ /^```(\w+)[^\n]*\n(.*?)^```/msg;

        my ($request, $answer) = map { message($_) } @{$fence{http}};
        my ($shop) = $fence{nginx}[0] =~ /^b24_shop (\w+)/;

        push @found, {
            name => $name, request => $request, answer => $answer,
            shop => $shop, rules => $fence{nginx}[0],
            crm => JSON::PP->new->utf8->decode($fence{json}[0]),
        };
    }

    return @found;
}

# First line, headers as pairs, body; a form is one line.
sub message {
    my ($text) = @_;

    my ($head, $body) = split /\n\n/, $text, 2;
    my ($first, @headers) = split /\n/, $head;

    $body //= '';
    $body =~ s/\n\z//;
    $body =~ s/\n//g if $head =~ /urlencoded/;

    return { first => $first, body => $body,
             headers => [map { [split /:\s*/, $_, 2] } @headers] };
}

# Lines for http{} and for the server that mirror every example.
our $http = <<'EOC';
    b24_queue   $TEST_NGINX_QUEUE;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_origin  documented;
    b24_rate    100 burst=5000;
    b24_retry   first=100ms max=500ms unknown=300ms;

    b24_shop money {
        order {
            uri    /money;
            id     query:/id;
            total  request:/total;
        }
    }
EOC

our $server = <<'EOC';
    location /b24 {
        b24_status;
    }

    location /money {
        b24_mirror money;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT_0;
    }
EOC

for my $example (examples()) {
    my ($path) = $example->{request}{first} =~ /^\S+ ([^\s?]+)/;

    $http .= $example->{rules};
    $server .= <<"EOC";
    location = $path {
        b24_mirror $example->{shop};
        proxy_pass http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT_0;
    }
EOC
}

# What the CRM has of an order, in the shape of the page.
sub crm_of {
    my ($id, $rows) = @_;

    my $deal = B24::Desk::deal($id, rows => $rows);
    my $contact = $deal->{contacts}[0];
    my %buyer = (name => $contact->{name}, last_name => $contact->{last_name},
                 phone => $contact->{phones}[0],
                 email => $contact->{emails}[0]);

    delete @buyer{grep { !length($buyer{$_} // '') } keys %buyer};

    return {
        deal => { title => $deal->{fields}{TITLE},
                  opportunity => "$deal->{opportunity}",
                  currency => $deal->{currency_id},
                  stage => $deal->{stage_id} },
        contact => \%buyer,
        rows => [map { { name => $_->{product_name},
                         price => sprintf('%.2f', $_->{price}),
                         quantity => sprintf('%.4f', $_->{quantity}) } }
                 sort { $a->{id} <=> $b->{id} } @{$deal->{rows}}],
    };
}

# Every path of a JSON document; what is null or a scalar is alike.
sub shape {
    my ($node, $path) = @_;

    $path //= '';

    # parameters are those of each method
    return $path if $path =~ m{/params$};

    return map { shape($node->{$_}, "$path/$_") } sort keys %$node
        if ref $node eq 'HASH';
    return map { shape($_, "$path/[]") } @$node if ref $node eq 'ARRAY';

    return $path;
}

sub shape_text {
    my %seen;

    return join "\n", sort grep { !$seen{$_}++ } shape($_[0]);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: directives are those of the table
--- config
--- scenario
    my %table = main::directives();
    my $text = main::text_of('docs/directives.md');
    my %documented;

    while ($text =~ /^## (b24_[^\n]*)\n+```\n(.*?)^```/msg) {
        my ($heading, $form) = ($1, $2);
        my @names = split /, /, $heading;
        my ($context) = $form =~ /^Context:  (.*)$/m;
        my @syntax = $form =~ /^(?:Syntax:   |          )(b24_\w+)/mg;
        my %seen;

        is_deeply([sort grep { !$seen{$_}++ } @syntax], [sort @names],
                  "the syntax of $heading");
        like($form, qr/^Default:  \S/m, 'a default');
        like($form, qr/^Since:    \d+\.\d+\.\d+$/m, 'a version');
        $documented{$_} = $context for @names;
    }

    is_deeply(\%documented, \%table, 'names and contexts');

    my @headings = $text =~ /^## (b24_.*)$/mg;
    my ($table) = $text =~ /^(\| directive .*?)\n\n/ms;
    my %linked = map { $_ => 1 } $table =~ /\[(b24_\w+)\]/g;

    is_deeply([sort keys %linked], [sort keys %table], 'the list of them');
    is_deeply(\@headings, [sort @headings], 'in alphabetical order');



=== TEST 2: variables are those of the source
--- config
--- scenario
    my @real = map { "\$$_" }
        main::strings_of('intake/ngx_http_b24_variables.c',
                         qr/ngx_http_b24_vars\[\] = \{(.*?)null/s);
    my @documented = main::section('docs/directives.md', 'Variables')
                     =~ /^`(\$b24_\w+)`$/mg;

    is_deeply([sort @documented], [sort @real], 'names');



=== TEST 3: lines of rules are those of the source
--- config
--- scenario
    my $text = main::text_of('docs/rules.md');
    my %codes = map { $_ => 1 }
                map { /^(\w+)/ ? $1 : () } main::codes($text);

    is(join(' ', grep { !$codes{$_} } main::rule_names()), '',
       'all are there');

    my @fields = map { main::strings_of('order/b24_order.h', $_) }
                 qr/B24_ORDER_FIELDS\(X\)(.*?)\n\n/s,
                 qr/B24_ITEM_FIELDS\(X\)(.*?)\n\n/s;

    cmp_ok(scalar @fields, '>', 25, 'fields');
    is(join(' ', grep { !$codes{$_} } @fields), '', 'all fields are there');



=== TEST 4: values of calls are those of the source
--- config
--- scenario
    my ($table) = main::section('docs/rules.md', 'Writing back to the shop')
                  =~ /^Values:\n\n(.*?)\n\n/ms;
    my @documented = map { main::codes($_->[0]) } main::rows($table);
    my ($list) = main::text_of("$main::source/order/b24_call.h")
                 =~ /define B24_CALL_VALUES\(X\)(.*?)\n\n/s;

    is_deeply([sort @documented], [sort $list =~ /X\(\w+, "(\w+)"/g], 'names');



=== TEST 5: nginx takes every configuration
--- config
--- scenario
    my $count = 0;

    for my $fence (map { main::fences($_) } @main::pages) {
        next if $fence->{kind} ne 'nginx';

        my $said = main::said_of(main::completed($fence));

        is($said, '', "$fence->{page}:$fence->{line}");
        $count++;
    }

    cmp_ok($count, '>', 30, 'configurations');



=== TEST 6: and would not take others
--- config
--- scenario
    my ($whole) = grep { $_->{kind} eq 'nginx' && $_->{text} =~ /^http \{/m }
                  main::fences('README.md');

    ok($whole, 'a whole configuration');
    is(main::said_of($whole->{text}), '', 'as it is');

    for my $change (['b24_mirror   shop', 'b24_mirror   ship'],
                    ['b24_queue', 'b24_queu'], ['response:/ok', 'respons:/ok'],
                    ['/etc/nginx/b24-webhook', '/etc/nginx/none'],
                    ['id      response', '# response'])
    {
        my ($from, $to) = @$change;
        my $text = $whole->{text};

        ok($text =~ s/\Q$from\E/$to/, $from);
        like(main::said_of($text), qr/\[emerg\]/, "refused: $to");
    }

    my $text = $whole->{text};
    $text =~ s/^\s*b24_webhook.*$//m;
    like(main::said_of($text), qr/\[warn\]/, 'a warning counts, too');



=== TEST 7: the messages of the error log
--- config
--- scenario
    my %real = map { main::plain($_) => 1 } main::messages();
    my %documented;

    for my $row (main::rows(main::section('docs/operations.md', 'Messages'))) {
        my ($message) = main::codes($row->[1]);

        $documented{main::plain("$row->[0] $message")} = 1;
    }

    cmp_ok(scalar keys %real, '>', 12, 'messages');
    is(join("\n", sort keys %documented), join("\n", sort keys %real),
       'texts and levels');



=== TEST 8: states and counters of the page
--- config
--- scenario
    my $text = main::section('docs/status.md', 'All orders');
    my %first = map { map({ $_ => 1 } main::codes($_->[0])) }
                main::rows($text);
    my @states = main::strings_of('queue/b24_queue.h',
                                  qr/define B24_STATES\(X\)(.*?)\n\n/s);
    my @counters = main::text_of("$main::source/desk"
                                 . '/ngx_http_b24_counters_x.h')
                   =~ /^NGX_HTTP_B24_X\(\w+, "(\w+)"/mg;

    is(join(' ', grep { !$first{$_} } @counters), '', 'counters');

    # only counted, not states of a record; not used yet
    my %other = map { $_ => 1 } qw(rejected duplicate captured);

    is(join(' ', grep { !$first{$_} && !$other{$_} } @states), '', 'states');
    like($text, qr/`$_`/, $_) for sort keys %other;



=== TEST 9: links lead somewhere
--- config
--- scenario
    my $count = 0;

    for my $page (@main::pages) {
        is(join(' ', main::dead_links($page)), '', $page);
        $count += () = main::text_of($page) =~ /\]\(/g;
    }

    cmp_ok($count, '>', 40, 'links');



=== TEST 10: the examples give what they show
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    for my $example (main::examples()) {
        my ($request, $answer, $crm) = @$example{qw(request answer crm)};
        my ($method, $target) = split ' ', $request->{first};
        my (undef, $status) = split ' ', $answer->{first};
        my ($id) = $crm->{deal}{title} =~ /#(.*)/;
        my ($path) = split /\?/, $target;

        upstream()->script(target => '^' . quotemeta($path), times => 1,
            status => $status, headers => $answer->{headers},
            body => $answer->{body});
        is($method, 'POST', $example->{name});
        is(post($target, $request->{body},
                map { @$_ } @{$request->{headers}})->{status}, $status,
           'the answer passes');
        is_deeply(main::crm_of($id, scalar @{$crm->{rows}}), $crm,
                  "order $id in the CRM");
    }

    # the recorded exchanges: accepted, refused, a draft
    my $recording = B24::Recording->load('t/recordings/woocommerce-9.9.5');
    my @records = B24::Desk::records(count => 3);

    for my $want ([50, 'rejected'], [51, 'rejected'], [53, undef]) {
        my ($number, $state) = @$want;
        my $exchange = $recording->find(sprintf '%03d', $number);
        my $before = B24::Desk::status();

        upstream()->script(target => '^/wp-json', times => 1,
                           raw => $exchange->{response});
        $exchange->{request} =~ s/\r\nConnection: [^\r]*/\r\nConnection: close/;
        exchange($exchange->{request});

        # the order is the one of the example, sent again
        ok(wait_until(sub {
               return B24::Desk::count($state // 'duplicate')
                      == B24::Desk::count($state // 'duplicate', $before) + 1;
           }), "recording $number: " . ($state // 'accepted'));
    }

    is(scalar B24::Desk::records(count => 3), 3, 'no record more');



=== TEST 11: amounts are read as the table says
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $n = 0;

    upstream()->script(target => '^/money', status => 200, body => 'ok');

    for my $row (main::rows(main::section('docs/rules.md', 'Money'))) {
        for my $text (main::codes($row->[0])) {
            my ($amount) = $row->[1] =~ /^(\d+\.\d\d)/;
            my $id = 'm-' . ++$n;
            my $body = $text =~ s/([^0-9a-z])/sprintf '%%%02X', ord $1/gier;

            is(post("/money?id=$id", "total=$body")->{status}, 200, 'sent');

            my $deal = B24::Desk::deal($id);

            if (defined $amount) {
                is($deal->{opportunity}, $amount, "$text is $amount");

            } else {
                like($deal->{fields}{COMMENTS}, qr/is not a number/,
                     "$text is none");
            }
        }
    }

    cmp_ok($n, '>', 9, 'amounts');



=== TEST 12: the JSON has the members it is told to have
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    upstream()->script(target => '^/money', status => 200, body => 'ok');
    is(post('/money?id=1001', 'total=5')->{status}, 200, 'an order');

    my ($record) = B24::Desk::records();
    my @documented = map { JSON::PP->new->utf8->decode($_->{text}) }
                     grep { $_->{kind} eq 'json' }
                     main::fences('docs/status.md');
    my @real = map { JSON::PP->new->utf8->decode(get($_)->{body}) }
               '/b24?format=json', "/b24/orders/$record->{key}?format=json";

    is(scalar @documented, 2, 'two documents');
    is(main::shape_text($documented[0]), main::shape_text($real[0]),
       'all orders');
    is(main::shape_text($documented[1]), main::shape_text($real[1]),
       'one order');



=== TEST 13: addresses of the page
--- http_config eval
$::http . '
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        b24_origin other;
        b24_mirror money;
    }'
--- config eval
$::server . "
    b24_mirror money;
    location = /exact { b24_status; }
    location /other { b24_status origin=other; }"
--- scenario
    upstream()->script(target => '^/money', status => 200, body => 'ok');
    is(post('/money?id=A-17/26', 'total=5')->{status}, 200, 'an order');

    my ($record) = B24::Desk::records();

    for my $case (['/b24', 200], ['/b24/', 200], ['/exact', 200],
                  ["/b24/orders/$record->{key}", 200],
                  ['/b24/orders/A-17%2F26', 200],
                  ['/b24/orders/A-17%2F26?origin=documented', 200],
                  ['/b24/orders/A-17/26', 404], ['/b24/orders/none', 404],
                  ['/b24/none', 404], ['/b24?format=xml', 400],
                  ['/b24?state=none', 400], ['/b24?limit=0', 400],
                  ['/b24?limit=1001', 400], ['/b24?limit=1000', 200],
                  ['/b24?state=delivered', 200],
                  ["/other/orders/$record->{key}", 404],
                  ['/other?origin=documented', 404])
    {
        my ($target, $status) = @$case;

        is(get($target)->{status}, $status, $target);
    }

    is(post('/b24', 'a=1')->{status}, 405, 'nothing but GET and HEAD');
    like(get('/b24', Accept => 'application/json')->{head},
         qr{^Content-Type: application/json}mi, 'JSON by Accept');
    like(get('/b24', Accept => 'text/html, application/json')->{head},
         qr{^Content-Type: text/html}mi, 'a page for browsers');
    like(get('/b24')->{head}, qr/^Cache-Control: no-store/mi, 'not cached');



=== TEST 14: each directive's error is what nginx says
--- config
--- scenario
    my %table = main::directives();
    my %seen;

    for my $row (main::rows(main::section('docs/directives.md', 'Errors'))) {
        my ($line) = main::codes($row->[0]);
        my ($message) = main::codes($row->[1]);
        my ($name) = $line =~ /^(b24_\w+)/;
        my ($where) = $table{$name} =~ /^(\w+)/;
        my %text = (http => '', server => '', location => '', $where => $line);
        my $queue = $name eq 'b24_queue' ? '' : 'b24_queue b24;';

        my $said = main::said_of("http {\n$queue\n"
            . "b24_webhook https://example.bitrix24.com/rest/1/c/;\n"
              x ($name ne 'b24_webhook')
            . "b24_shop s { order { uri /x; id response:/id; } }\n"
            . "$text{http}\n"
            . "server {\nlisten 80;\nserver_name shop.example.com;\n"
            . "b24_mirror s;\n$text{server}\n"
            . "location / {\n$text{location}\n}\n}\n}\n");

        like($said, qr/\[emerg\] \Q$message\E in /, $line);
        $seen{$name} = 1;
    }

    is(join(' ', grep { !$seen{$_} } sort keys %table), '', 'each has one');
