# What comes along for whoever watches: rules and dashboard load into the programs
# they are for and ask for what is there; the log is as operations.md shows it.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Orders;
use B24::Prometheus;
use B24::Recording ();
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

our $alerts = 'docs/prometheus-alerts.yml';
our $tests = 't/prometheus/alerts.yml';

# a database where nobody answers, so that its families are there as well
$ENV{TEST_NGINX_NOBODY} = B24::Test::free_port();

our $http = B24::Orders::http(more => <<'EOC');
    b24_database mysql://b24:none@127.0.0.1:$TEST_NGINX_NOBODY/shop;
    b24_alert unix:/nonexistent/alerts.sock;
EOC
$http =~ s/(?=order placed)/database { order "SELECT id FROM orders WHERE id = :number"; }\n        /;

sub file {
    return B24::Recording::read_file($_[0]);
}

# Once the queue was read: what counts its records is left out before that.
sub body {
    my $answer;

    B24::Scenario::wait_until(sub {
        $answer = B24::Scenario::get('/b24?format=prometheus');
        return $answer->{body} =~ /^b24_records/m;
    });

    return $answer->{body};
}

# Families of the module in an expression, without what a histogram adds.
sub families_of {
    my ($text) = @_;
    my %found;

    for my $name ($text =~ /\b(b24_\w+)/g) {
        $name =~ s/_(?:bucket|sum|count)$// if $name =~ /^b24_delivery/;
        $found{$name} = 1;
    }

    return sort keys %found;
}

# What is not there, of what an expression asks for.
sub missing {
    my ($text, $metrics) = @_;

    my %there = map { $_ => 1 } $metrics->families;

    return join ' ', grep { !$there{$_} } families_of($text);
}

# { NAME => { expr, severity } }: enough YAML for the file as it is written.
sub rules {
    my %rules;

    for my $part (split /^ +- (?=alert:)/m, file($alerts)) {
        my ($name) = $part =~ /^alert: (\w+)$/m or next;
        my ($expr) = $part =~ /^ +expr: (?:>-\n)?(.*?)(?=^ +(?:for|labels):)/ms;

        $expr =~ s/\s+/ /g;
        $expr =~ s/^ | $//g;
        $rules{$name} = { expr => $expr, severity => $part =~ /severity: (\w+)$/m
                                      ? $1 : '' };
    }

    return %rules;
}

# As Grafana fills in what is the reader's.
sub filled_in {
    my ($expr) = @_;

    return $expr =~ s/\$__rate_interval/5m/gr =~ s/\$(?:instance|origin)\b/.*/gr;
}

sub dashboard {
    return JSON::PP->new->utf8->decode(file('docs/grafana-dashboard.json'));
}

sub queries {
    return map { my $panel = $_; map { $_->{expr} } @{$panel->{targets} // []} }
           @{dashboard()->{panels}};
}

# ---- the access log ------------------------------------------------------

sub access_log_section {
    my ($text) = B24::Recording::read_file('docs/operations.md')
                 =~ /^### The access log\n(.*?)^## /ms
        or die "operations.md has no access log\n";

    return $text;
}

# The configurations of the page, and the shop that says no as well.
sub logs {
    my $text = join '', access_log_section() =~ /^```nginx http\n(.*?)^```/msg;

    $text =~ s{/var/log/nginx/}{logs/shown-}g or die "no logs\n";

    return $text . <<'EOS';
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        access_log off;
        default_type application/json;

        location / {
            if ($arg_no) {
                return 200 '{"ok":false}';
            }
            return 200 '{"ok":true}';
        }
    }
EOS
}

sub log_shown {
    my ($like) = @_;

    return grep { $_ =~ $like } split /\n/, access_log_section();
}

# Lines of a log, once there are so many; those of the helpers left out.
sub log_lines {
    my ($name, $count) = @_;

    my @lines;

    B24::Scenario::wait_until(sub {
        @lines = grep { !m{ /b24} } split /\n/,
            B24::Recording::read_file("$ENV{TEST_NGINX_SERVROOT}/logs/shown-$name");
        return @lines >= $count;
    });

    return @lines;
}

# Without what is another each time.
sub timeless {
    my ($line) = @_;

    return $line =~ s/^\S+ \[[^]]*\]/IP TIME/r =~ s/"time":"[^"]*"/TIME/r
                 =~ s/\?no=1//r;
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: families are those that are documented, promtool finds nothing
--- http_config eval: $::http
--- config eval: B24::Orders::server()
--- scenario
    my $text = main::body();
    my $metrics = B24::Prometheus->parse($text);
    my ($table) = main::file('docs/status.md')
                  =~ /^## Prometheus\n.*?^\| family [^\n]*\n\|---[^\n]*\n(.*?)\n\n/ms;
    my %documented;

    for my $row (split /\n/, $table) {
        my (undef, $names, $type) = split / *\| */, $row;

        for my $name ($names =~ /`(b24_\w+)/g) {
            next if $name eq 'b24_NAME_total';
            $documented{$name} = $type;
        }
    }

    my ($list) = main::file('ngx_http_b24_module/desk/ngx_http_b24_counters_x.h');
    $documented{"b24_${_}_total"} //= 'counter'
        for grep { !$documented{"b24_$_"} } $list =~ /X\(\w+, "(\w+)"/g;

    is_deeply({ map { $_ => $metrics->type($_) } $metrics->families },
              \%documented, 'names and types');
    is(B24::Prometheus::findings($text), '', 'nothing yet');

    isnt(B24::Prometheus::findings($text =~ s/^# HELP b24_held .*\n//mr), '',
         'promtool is there, and has its opinions');

    # buckets are of use: the quick ones apart, and a weekend
    my %buckets = $metrics->series('b24_delivery_seconds_bucket');
    my @bounds = sort { $a <=> $b } map { s/^le=//r } keys %buckets;
    cmp_ok($bounds[0], '<=', 0.5, 'the first bound');
    cmp_ok($bounds[-2], '>=', 86400, 'the last but one');
    is(scalar(grep { $bounds[$_] / $bounds[$_ - 1] > 6.01 } 1 .. $#bounds - 1), 0,
       'none is far from the one before');



=== TEST 2: alerts
--- http_config eval: $::http
--- config eval: B24::Orders::server()
--- scenario
    my ($status, $said) = B24::Prometheus::promtool('', qw(check rules),
                                                    $main::alerts);
    is($status, 0, 'promtool check rules') or diag($said);

    ($status, $said) = B24::Prometheus::promtool('', qw(test rules), $main::tests);
    is($status, 0, 'promtool test rules') or diag($said);

    my %rules = main::rules();
    my $metrics = B24::Prometheus->parse(main::body());

    cmp_ok(scalar keys %rules, '>', 8, 'alerts');

    # each comes in one test, and does not come in another
    my $tests = main::file($main::tests);

    for my $name (sort keys %rules) {
        my $rule = $rules{$name};

        is(main::missing($rule->{expr}, $metrics), '', "$name: its families");
        like($rule->{severity}, qr/^(?:critical|warning)$/, 'its severity');
        like($tests, qr/alertname: $name\n +exp_alerts:/, 'comes');
        like($tests, qr/alertname: $name\}/, 'and does not');
    }

    # rules that never come are found, each of them
    my $never = "$ENV{TEST_NGINX_DIR}/never";
    my $text = main::file($main::alerts);

    $text =~ s/(alert: \w+\n +expr: )(?:>-\n.*\n.*\n|.*\n)/$1vector(1) == 2\n/g;
    mkdir $never;

    for (['rules.yml', $text],
         ['tests.yml', $tests =~ s{\.\./\.\./docs/prometheus-alerts\.yml}{rules.yml}r])
    {
        open my $out, '>', "$never/$_->[0]" or die "$never: $!\n";
        print $out $_->[1];
        close $out;
    }

    ($status, $said) = B24::Prometheus::promtool('', qw(test rules),
                                                 "$never/tests.yml");
    isnt($status, 0, 'rules that never come');
    like($said, qr/alertname: $_,/, $_) for sort keys %rules;

    # the page tells of each
    my %documented = map { $_ => 1 } main::file('docs/operations.md')
                                     =~ /^\| `(B24\w+)` \|/mg;
    is_deeply([sort keys %documented], [sort keys %rules], 'all are documented');



=== TEST 3: the dashboard
--- http_config eval: $::http
--- config eval: B24::Orders::server()
--- scenario
    my $dashboard = main::dashboard();
    my $metrics = B24::Prometheus->parse(main::body());

    # what an import asks for
    is_deeply([map { "$_->{name} $_->{type} $_->{pluginId}" }
                   @{$dashboard->{__inputs}}],
              ['DS_PROMETHEUS datasource prometheus'], 'the data source');
    ok(!defined $dashboard->{id}, 'no id of somebody\'s Grafana');
    like($dashboard->{uid}, qr/^[a-z0-9-]{8,40}$/, 'but a name');
    cmp_ok($dashboard->{schemaVersion}, '<=', 37, 'Grafana 9 knows it');

    my %required = map { $_->{id} => $_->{type} } @{$dashboard->{__requires}};
    my %variables = map { $_->{name} => $_ } @{$dashboard->{templating}{list}};

    is($variables{datasource}{type}, 'datasource', 'the data source is chosen');
    is($variables{datasource}{query}, 'prometheus', 'among those that will do');

    for my $name (grep { $_ ne 'datasource' } sort keys %variables) {
        my ($family, $label) = $variables{$name}{query}{query}
                               =~ /^label_values\((\w+), (\w+)\)$/;

        is(main::missing($family, $metrics), '', "$name: of a family that is there");
        ok($label eq 'instance'
           || (grep { /\b$label=/ } keys %{{ $metrics->series($family) }}),
           'which has that label');
        is($variables{$name}{datasource}{uid}, '${datasource}', 'from there');
    }

    my (%ids, %taken, %used);
    my @rules;

    for my $panel (@{$dashboard->{panels}}) {
        my ($title, $type, $pos) = @$panel{qw(title type gridPos)};

        ok(!$ids{$panel->{id}}++, "$title: its id");

        for my $x ($pos->{x} .. $pos->{x} + $pos->{w} - 1) {
            for my $y ($pos->{y} .. $pos->{y} + $pos->{h} - 1) {
                ok(0, "$title overlaps at $x $y") if $taken{$x}{$y}++;
            }
            ok(0, "$title is too wide") if $x > 23;
        }

        next if $type eq 'row';

        is($required{$type}, 'panel', 'a kind of panel that is asked for');
        like($panel->{description} // '', qr/\.$/, 'described');
        is($panel->{datasource}{uid}, '${datasource}', 'its data source');
        ok(length $panel->{fieldConfig}{defaults}{unit}, 'its unit');
        cmp_ok(scalar @{$panel->{targets}}, '>', 0, 'its queries');

        for my $target (@{$panel->{targets}}) {
            my $expr = $target->{expr};

            ok(length $target->{legendFormat}, "$title: a legend");
            is($target->{datasource}{uid}, '${datasource}', 'the data source');
            is(main::missing($expr, $metrics), '', 'families that are there');
            ok(!(grep { !$variables{$_} }
                      grep { $_ ne '__rate_interval' } $expr =~ /\$(\w+)/g),
               'variables that are there');

            # what a legend or a sum tells apart must be there
            my ($family) = $expr =~ /\b(b24_\w+)/;
            my %series = $metrics->series($family);

            for my $label (($target->{legendFormat} =~ /\{\{(\w+)\}\}/g),
                           map { split /, */ } $expr =~ /by \(([^)]+)\)/g)
            {
                ok($label eq 'instance' || (grep { /(?:^|,)$label=/ } keys %series),
                   "$family has $label");
            }

            # counters are no use but as rates
            for my $name ($expr =~ /\b(b24_\w+_total)\b/g) {
                ok($expr =~ /(?:rate|increase)\($name/ || $name =~ /_learned_/,
                   "$name as a rate");
            }

            $used{$_} = 1 for main::families_of($expr);
            push @rules, $expr;
        }
    }

    $used{$_} = 1 for map { main::families_of($_->{query}{query} // '') }
                      grep { ref $_->{query} } values %variables;
    is(join(' ', grep { !$used{$_} } $metrics->families), '',
       'every family is shown somewhere');

    # each query is one
    my $file = "$ENV{TEST_NGINX_DIR}/queries.yml";
    my $n = 0;

    open my $out, '>', $file or die "$file: $!\n";
    print $out "groups:\n- name: g\n  rules:\n",
        map { my $expr = main::filled_in($_);
              sprintf "  - record: r%d\n    expr: '%s'\n", $n++, $expr =~ s/'/''/gr }
            @rules;
    close $out;

    my ($status, $said) = B24::Prometheus::promtool('', qw(check rules), $file);
    is($status, 0, 'promtool reads them') or diag($said);
    like($said, qr/SUCCESS: $n rules found/, 'all of them');



=== TEST 4: a Prometheus takes it all
--- http_config eval: $::http
--- config eval: B24::Orders::server()
--- scenario
    my $dir = "$ENV{TEST_NGINX_DIR}/prometheus";
    my $port = port();
    my %rules = main::rules();

    # 30 seconds would be too long to wait
    my $server = B24::Prometheus->start($dir, B24::Test::free_port(), <<"EOC");
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [ $ENV{TEST_NGINX_ROOT}/$main::alerts ]
scrape_configs:
  - job_name: b24
    metrics_path: /b24
    params: { format: [prometheus] }
    static_configs: [ { targets: [ "127.0.0.1:$port" ] } ]
EOC

    my $value = sub {
        my ($query) = @_;
        my $result = $server->ask('query', query => $query)->{result};
        return @$result ? $result->[0]{value}[1] : undef;
    };
    my $comes = sub {
        my ($query, $want) = @_;
        ok(wait_until(sub { ($value->($query) // '') eq $want }), "$query: $want")
            or diag($value->($query) // 'nothing');
    };

    $comes->('up{job="b24"}', 1);

    portal()->fault(kind => 'command', method => 'crm\.deal\.add', times => 1,
                    error => 'ERROR_CORE', description => 'Wrong value');
    main::place(1);
    ok(wait_until(sub { B24::Desk::count('waiting')
                        + B24::Desk::count('accepted')
                        + B24::Desk::count('parked')
                        + B24::Desk::count('delivered') == 1 }), 'an order');

    my $counts = B24::Desk::status()->{portals}[0]{counts};

    for my $state (sort keys %$counts) {
        my $query = $state =~ /^(?:delivered|rejected|duplicate)$/
            ? qq{b24_orders_total{outcome="$state"}}
            : qq{b24_records{state="$state"}};

        ok(wait_until(sub {
            return ($value->($query) // '')
                   eq B24::Desk::status()->{portals}[0]{counts}{$state};
        }), "$query as the desk has it");
    }

    # rules are loaded, evaluated, and say what is
    my $groups;
    ok(wait_until(sub {
        $groups = $server->ask('rules')->{groups};
        return !grep { $_->{health} eq 'unknown' } @{$groups->[0]{rules}};
    }), 'evaluated');
    is_deeply([sort map { $_->{name} } @{$groups->[0]{rules}}],
              [sort keys %rules], 'all alerts are loaded');
    is(join(' ', map { "$_->{name}: $_->{lastError}" }
                 grep { $_->{health} ne 'ok' } @{$groups->[0]{rules}}), '',
       'without an error');

    my ($down) = grep { $_->{name} eq 'B24DatabaseDown' } @{$groups->[0]{rules}};
    ok(wait_until(sub {
        ($down) = grep { $_->{name} eq 'B24DatabaseDown' }
                       @{$server->ask('rules')->{groups}[0]{rules}};
        return $down->{state} eq 'pending';
    }), 'one is about to come');

    # each query of the dashboard has an answer
    for my $expr (main::queries()) {
        my $query = main::filled_in($expr);

        ok(wait_until(sub { defined $value->($query) }), $query);
    }

    # nginx is stopped
    ok(quit(), 'nginx ends');
    $comes->('up{job="b24"}', 0);
    ok(wait_until(sub {
        my %state = map { $_->{name} => $_->{state} }
                        @{$server->ask('rules')->{groups}[0]{rules}};
        return $state{B24Absent} eq 'pending' && $state{B24ScrapeFails} eq 'pending';
    }), 'which is noticed');



=== TEST 5: the access logs that operations.md shows
--- http_config eval: B24::Orders::http(shop => 0) . main::logs()
--- config eval: B24::Orders::server(more => 'location = / { return 200 "a page\n"; }')
--- scenario
    my @lines;

    # one after another: a line comes a moment after its answer
    for ([1, '1001', ''], [2, '1002', '?no=1'], undef, [3, 'A "7"', '']) {
        my $answer = $_ ? post("/checkout$_->[2]", order_json($_->[0], id => $_->[1]),
                               'Content-Type' => 'application/json')
                        : get('/');

        is($answer->{status}, 200, 'answered');
        @lines = main::log_lines('access.log', 1 + @lines);
    }

    my @shown = main::log_shown(qr/^192/);

    is(scalar @shown, 3, 'three lines are shown');
    is(main::timeless($lines[$_]), main::timeless($shown[$_]), "line $_")
        for 0 .. 2;
    like($lines[3], qr/ order accepted "A \\x227\\x22"$/, 'a quote is escaped');

    @lines = main::log_lines('orders.log', 3);
    @shown = main::log_shown(qr/^\{"time":"2/);

    is(scalar @lines, 3, 'orders only');
    is(main::timeless($lines[$_]), main::timeless($shown[$_]), "line $_")
        for 0 .. 1;
    is(JSON::PP::decode_json($lines[2])->{order}, 'A "7"', 'JSON');
