package B24::Crm;

# For tests of what an order becomes in the CRM: a shop whose rules read every
# field an order can have, and the emulated portal's records put together by
# order.
#
#   use B24::Test portal => 1;
#   use Test::Nginx::Socket;
#   use B24::Crm;
#
#   --- http_config eval: B24::Crm::http(api => 'universal')
#   --- config eval: B24::Crm::server()
#   --- scenario
#       order(id => 'a-1', phone => '+79161234567', total => '10.00');
#       my $deal = delivered('a-1');     # with its contact, company, rows
#       is($deal->{contact}{name}, undef, 'nobody told a name');
#
# The functions of @EXPORT are there in scenarios, too.  All texts are
# characters.

use strict;
use warnings;
use utf8;

use B24::Client ();
use B24::Desk ();
use B24::Scenario ();
use B24::Test ();
use Exporter 'import';
use JSON::PP ();
use Test::More ();

our @EXPORT = qw(accepted delivered kinds notes order order_body record records
    requests timeline_of whole_crm);

# of deals that move: use B24::Crm qw(...); in the package of scenarios
our @EXPORT_OK = qw(deal_of person_moves so_far told);

# quick pauses, and a bucket no test of something else runs into
use constant {
    RETRY => 'first=100ms max=500ms unknown=300ms',
    RATE  => '100 burst=5000',
};

# fields of an order and of its items, as the rules and the JSON name them
our @FIELDS = qw(row name first_name second_name last_name phone email company
    inn kpp address comment total delivery discount tax minor_units status);
our @ITEM_FIELDS = qw(name price sum quantity product_id xml_id discount
    tax_rate tax_included measure);

# fields of the CRM that the rules fill: line => [FIELD, member of the order]
our @PAIRS = (
    [deal => 'UF_CRM_RULE', 'uf_deal'], [contact => 'UF_CRM_RULE',
    'uf_contact'], [company_field => 'UF_CRM_RULE', 'uf_company'],
    map { [deal => uc, $_] } qw(utm_source utm_campaign utm_content utm_term),
);

# user fields of the portal, to be given to it
our %USER_FIELDS = (
    deal => {UF_CRM_GA => 'string', map { $_ => 'string' } qw(UF_CRM_RULE
             UF_CRM_CONF UF_CRM_ARG)},
    contact => {map { $_ => 'string' } qw(UF_CRM_RULE UF_CRM_CONF)},
    company => {map { $_ => 'string' } qw(UF_CRM_RULE UF_CRM_CONF)},
);

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&$_ for @EXPORT;
}


# ---- configuration -------------------------------------------------------

# The rules of a shop.  Options: name (full), stages (lines), more (lines of the
# order's block), currency (its alternatives).
sub rules {
    my (%option) = @_;

    my $name = $option{name} // 'full';
    my $stages = $option{stages} // 'stage N NEW;  stage P PREPARATION;'
        . '  stage E EXECUTING;  stage W WON;  default_status N;';
    my $currency = $option{currency} // 'request:/currency RUB';
    my $fields = join "\n", map { "            $_ request:/$_;" } @FIELDS;
    my $items = join "\n", map { "                $_ /$_;" } @ITEM_FIELDS;
    my $pairs = join "\n", map { "            $_->[0] $_->[1] request:/$_->[2];" }
                               @PAIRS;
    my $more = $option{more} // '';

    return <<"EOC";
    b24_shop $name {
        $stages

        order placed {
            uri       /checkout;
            accept    response:/ok;
            id        request:/id;
            currency  $currency;
$fields
            items     request:/items {
$items
            }
$pairs
            $more
        }
    }
EOC
}

# Lines for http{}.  Options: api, match, webhook, retry, rate, origin, those of
# rules(), lines (further ones, before the shop), servers (further servers).
sub http {
    my (%option) = @_;

    my $webhook = $option{webhook} // '$TEST_NGINX_PORTAL_URL';
    my $origin = $option{origin} // 'tested';
    my $retry = $option{retry} // RETRY;
    my $rate = $option{rate} // RATE;
    my $lines = join "\n    ",
        ($option{api} ? "b24_api $option{api};" : ()),
        ($option{match} ? "b24_match $option{match};" : ()),
        $option{lines} // '';
    my $rules = rules(%option);
    my $servers = $option{servers} // '';

    return <<"EOC";
    b24_queue   \$TEST_NGINX_QUEUE;
    b24_origin  $origin;
    b24_webhook $webhook;
    b24_retry   $retry;
    b24_rate    $rate;
    $lines

$rules
    server {
        listen 127.0.0.1:\$TEST_NGINX_PORT_1;

        location / {
            default_type application/json;
            return 200 '{"ok":true}';
        }
    }

$servers
EOC
}

# A further server, told apart by its name (the Host of a request), on port 2.
sub named_server {
    my ($name, @lines) = @_;

    my $lines = join "\n        ", @lines;

    return <<"EOC";
    server {
        listen 127.0.0.1:\$TEST_NGINX_PORT_2;
        server_name $name;
        b24_mirror full;
        $lines

        location / {
            proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_1;
        }
    }
EOC
}

# Lines for the server; `more` are further ones, `checkout` those of the
# location.
sub server {
    my (%option) = @_;

    my $more = $option{more} // '';
    my $checkout = $option{checkout} // '';

    return <<"EOC";
    b24_mirror full;
    $more

    location /checkout {
        $checkout
        proxy_pass http://127.0.0.1:\$TEST_NGINX_PORT_1;
    }

    location /b24 {
        b24_status;
    }
EOC
}


# ---- orders --------------------------------------------------------------

# The bytes of a body for these fields, a member set to undef is left out.
sub order_body {
    my (%field) = @_;

    my %order = (name => "Иван", total => '1990.00', delivery => '400.00',
                 items => [{ name => 'Mug', price => '795.00',
                             quantity => '2' }],
                 %field);

    delete @order{grep { !defined $order{$_} } keys %order};

    return JSON::PP->new->canonical->utf8->encode(\%order);
}

# Places an order; options before the fields, in a hash: host, headers (a
# list), args, port; body (bytes) and its type in place of fields.  Returns whether the shop has accepted it.
sub order {
    my $option = ref $_[0] ? shift : {};
    my (%field) = @_;

    my $port = $option->{port}
        // ($option->{host} ? $ENV{TEST_NGINX_PORT_2}
                            : B24::Scenario::port());
    my $client = B24::Client->new(port => $port);

    $client->send(B24::Client::request_bytes('POST',
        '/checkout' . ($option->{args} ? "?$option->{args}" : ''),
        $option->{body} // order_body(%field),
        'Content-Type' => $option->{type} // 'application/json',
        $option->{host} ? (Host => $option->{host}) : (),
        @{$option->{headers} // []}));

    my $answer = $client->response;

    return $answer->{status} == 200 && $answer->{body} eq '{"ok":true}';
}


# ---- what the module says ------------------------------------------------

# Records, newest last.
sub records {
    return reverse @{B24::Desk::status()->{orders}};
}

# The record of an order number (characters), or undef.
sub record {
    my ($id, $origin) = @_;

    return (grep { ($_->{id} // '') eq $id
                   && (!defined $origin || $_->{origin} eq $origin) }
                 records())[-1];
}

# "STATE: CAUSE" of each moment of an order, oldest first.
sub timeline_of {
    my ($id, $origin) = @_;

    my $record = record($id, $origin) // return;
    my $answer = B24::Scenario::get("/b24/orders/$record->{key}?format=json");

    die "no timeline of $record->{key}\n" if $answer->{status} != 200;

    return map { defined $_->{cause} ? "$_->{state}: $_->{cause}"
                                     : $_->{state} }
           @{JSON::PP::decode_json($answer->{body})->{timeline}};
}

# Waits until the last moment of an order is like that.
sub told {
    my ($id, $like, $name) = @_;

    my @now;

    B24::Scenario::wait_until(sub {
        @now = timeline_of($id);
        return @now && $now[-1] =~ $like;
    });

    return Test::More::like($now[-1] // '', $like, $name);
}

# An order that is delivered, its deal.
sub deal_of {
    my ($id, %field) = @_;

    Test::More::ok(order(id => $id, %field), "$id is placed");

    return delivered($id);
}

# A person moves a deal in the CRM.
sub person_moves {
    my ($deal, $stage) = @_;

    B24::Test::portal()->edit(entity => 'deal', id => $deal->{id},
                              fields => { STAGE_ID => $stage });
}

# Requests that the portal has had so far.
sub so_far {
    return B24::Test::portal()->report(journal => 0)->{counts}{arrived};
}

# Waits until so many orders (or those numbers) are delivered or parked; tells
# of those that aren't delivered.
sub accepted {
    my ($count, %want) = @_;

    my (@records, @open);

    B24::Scenario::wait_until(sub {
        @records = records();
        @open = grep { $_->{state} !~ /^(?:delivered|parked)$/ } @records;
        return @records >= $count && !@open;
    }, $want{timeout} // 30) or Test::More::diag(
        @records . " records, open: " . B24::Desk::shown(@open));

    my @bad = grep { $_->{state} ne 'delivered' } @records;

    Test::More::diag(($_->{id} // '-') . ": $_->{state}: "
                     . ($_->{cause} // '-'))
        for @bad[0 .. ($#bad < 9 ? $#bad : 9)];

    return @records == $count && !@bad;
}


# ---- what the portal holds -----------------------------------------------

# Everything at a portal by what the tests ask for: { deals => { ORIGIN_ID =>
# [deal, ...] }, contacts => { ID => contact }, companies => ..., requisites =>
# [...], report }.  A deal has contact (its first), contacts, company,
# requisites (of the company).
sub whole_crm {
    my ($portal) = @_;

    my $report = ($portal // B24::Test::portal())->report(journal => 0);
    my %contacts = map { $_->{id} => $_ } @{$report->{contacts}};
    my %companies = map { $_->{id} => $_ } @{$report->{companies}};
    my %deals;

    for my $company (values %companies) {
        $company->{requisites} = [ grep { $_->{entity_type_id} == 4
                                          && $_->{entity_id}
                                             == $company->{id} }
                                   @{$report->{requisites}} ];
    }

    for my $deal (@{$report->{deals}}) {
        $deal->{contacts} = [ map { $contacts{$_} } @{$deal->{contact_ids}} ];
        $deal->{contact} = $deal->{contacts}[0];
        $deal->{company} = $companies{$deal->{company_id}};
        push @{$deals{$deal->{origin_id} // ''}}, $deal;
    }

    return { deals => \%deals, contacts => \%contacts,
             companies => \%companies, requisites => $report->{requisites},
             report => $report };
}

# Waits for an order to be delivered; its deal as above, whose absence (or a
# second one) is a failure.  Options: portal, origin, timeout.
sub delivered {
    my ($id, %want) = @_;

    my $record;

    B24::Scenario::wait_until(sub {
        $record = record($id, $want{origin});
        return $record && $record->{state} =~ /^(?:delivered|parked)$/;
    }, $want{timeout});

    my $state = $record ? $record->{state} : 'no record';
    my $crm = whole_crm($want{portal});
    my @deals = grep { !defined $want{origin}
                       || $_->{originator_id} eq $want{origin} }
                     @{$crm->{deals}{$id} // []};

    Test::More::is("$state, " . @deals . ' deals', 'delivered, 1 deals',
                   "$id: delivered once")
        or Test::More::diag(($record // {})->{cause} // 'no cause');

    return $deals[0] // { contact => {}, company => {}, rows => [],
                          contacts => [], fields => {}, comments => '' };
}

# What the module has added to a deal's comment: its "Note: " lines.
sub notes {
    my ($deal) = @_;

    return grep { s/^Note: // } split /\n/, $deal->{comments} // '';
}

# Requests a portal got for orders: "look" and "write" for batches, "watch" for
# those that ask whether deals have moved (once behind each new deal, at a time of
# their own, and then and when), else the method; those of a start-up, which come
# with no order, are left out.
sub kinds {
    my ($portal, $from) = @_;

    return map { $_->{kind} } requests($portal, $from);
}

sub requests {
    my ($portal, $from) = @_;

    my $report = ($portal // B24::Test::portal())->report;
    my @list;

    for my $entry (grep { $_->{seq} > ($from // 0) } @{$report->{journal}}) {
        my @commands = map { $_->{method} // '' } @{$entry->{commands} // []};
        my $all = join ' ', @commands;

        # commands of a batch that was never run are known as texts only
        $all ||= join ' ', values %{$entry->{params}{cmd} // {}}
            if $entry->{method} eq 'batch';

        my @names = $entry->{method} eq 'batch'
                    ? keys %{$entry->{params}{cmd} // {}} : ();

        push @list, { %$entry,
            kind => $entry->{method} ne 'batch' ? $entry->{method}
                : @names && !(grep { !/^(?:history|deals\d+)$/ } @names) ? 'watch'
                : $all =~ /\.(?:add|set|update)\b/ ? 'write'
                : $all =~ /\b(?:crm\.duplicate\.findbycomm
                            |crm\.(?:deal|item|contact|company)\.list
                            |crm\.requisite\.list)\b/x ? 'look' : 'other' };
    }

    return @list;
}

1;
