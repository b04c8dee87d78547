# Fields of the CRM and values of dictionaries that the configuration sets, as
# far as the portal does not have them: told at the start, before an order needs
# them, in both families of methods; and orders that don't wait for that.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Crm ();
use B24::Test portal => { config => {
    bucket => { burst => 100_000 },
    user_fields => { %B24::Crm::USER_FIELDS, deal => {
        %{$B24::Crm::USER_FIELDS{deal}},
        UF_CRM_TAGS => { type => 'string', multiple => 1 } } } } };
use Test::Nginx::Socket;

use B24::Crm;
use B24::Client ();
use B24::Desk;
use B24::Portal::Schema ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

# Test::Base has functions of these names, which compare differently
BEGIN {
    no warnings 'redefine';

    *is = \&Test::More::is;
    *ok = \&Test::More::ok;
    *like = \&Test::More::like;
    *is_deeply = \&Test::More::is_deeply;
}

# nothing to say of these
our @GOOD = (
    'b24_deal UF_CRM_GONE "";',
    'b24_deal UF_CRM_CONF x;', 'b24_deal UF_CRM_TAGS[0] a;',
    'b24_deal UTM_SOURCE $arg_utm;', 'b24_deal COMMENTS shop;',
    'b24_deal SOURCE_ID WEB;', 'b24_deal TYPE_ID GOODS;',
    'b24_contact UF_CRM_CONF x;', 'b24_contact PHONE +79160000000;',
    'b24_contact SOURCE_ID $arg_source;', 'b24_contact TYPE_ID CLIENT;',
    'b24_contact HONORIFIC HNR_RU_1;', 'b24_contact WEB example.com;',
    'b24_company UF_CRM_CONF x;', 'b24_company INDUSTRY IT;',
    'b24_company COMPANY_TYPE CUSTOMER;', 'b24_company COMMENTS shop;',
);

our @WRONG = (
    'b24_deal UF_CRM_NOPE 1;', 'b24_deal UF_CRM_TAG[0] a;',
    'b24_deal SOURCE_ID WWW;', 'b24_deal TYPE_ID goods;',
    'b24_contact UF_CRM_TAGS $arg_utm;', 'b24_contact TYPE_ID GOODS;',
    'b24_contact HONORIFIC Mr;', 'b24_company COMPANY_TYPE CLIENT;',
    'b24_company INDUSTRY Trade;',
);

# warnings of those, and of what the levels around them say
our @TOLD = map { s/^\s+|\s+$//gr } grep { length } split /\n/, <<'EOC';
b24_company COMPANY_TYPE: the portal has no value "CLIENT", only CUSTOMER, SUPPLIER, COMPETITOR, PARTNER, OTHER
b24_company INDUSTRY: the portal has no value "Trade", only IT, OTHER
b24_company UF_CRM_SECOND: the portal's companies have no such field
b24_contact HONORIFIC: the portal has no value "Mr", only HNR_RU_1, HNR_RU_2
b24_contact TYPE_ID: the portal has no value "GOODS", only CLIENT, SUPPLIER, PARTNER, OTHER
b24_contact UF_CRM_TAGS: the portal's contacts have no such field
b24_deal SOURCE_ID: the portal has no value "WWW", only CALL, EMAIL, WEB, ADVERTISING, STORE, OTHER
b24_deal TYPE_ID: the portal has no value "goods", only SALE, GOODS, SERVICE, COMPLEX
b24_deal UF_CRM_GONE: the portal's deals have no such field
b24_deal UF_CRM_NOPE: the portal's deals have no such field
b24_deal UF_CRM_TAG[0]: the portal's deals have no such field
company_field UF_CRM_RULES of the shop "other": the portal's companies have no such field
contact UF_CRM_RULES of the shop "other": the portal's contacts have no such field
deal UF_CRM_RULES of the shop "other": the portal's deals have no such field
EOC

our $server = B24::Crm::server(more => join "\n    ", @GOOD);

sub http {
    my ($api) = @_;

    my $other = 'location /other { b24_mirror other;'
                . ' proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }';
    my $second = 'location /second { b24_company UF_CRM_SECOND x;'
                 . ' b24_deal UF_CRM_NOPE 1;'
                 . ' proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }';

    return B24::Crm::http(
        api     => $api,
        lines   => B24::Crm::rules(name => 'other', more => join "\n",
            map { "$_ UF_CRM_RULES request:/x;" }
                qw(deal contact company_field))
            . 'b24_deal UF_CRM_GONE x;',
        servers => B24::Crm::named_server('wrong.test', 'b24_origin wrong;',
                                          @WRONG, $other)
            . B24::Crm::named_server('second.test', 'b24_origin wrong;',
                                     $second),
    );
}

sub warnings_of {
    my ($origin) = @_;

    my ($portal) = grep { $_->{origin} eq $origin }
                        @{B24::Desk::status()->{portals}};

    my @warnings = sort @{$portal->{warnings} // []};

    return @warnings;
}

# What the portal was asked of itself: a list of METHODs with their arguments
# for each request.
sub asked {
    my @asked;

    for my $entry (@{B24::Test::portal()->report->{journal}}) {
        my @commands = values %{$entry->{params}{cmd} // {}};

        push @asked, join ' ', sort map { s/\?$//r } @commands
            if grep { /dealcategory\.stage\.list/ } @commands;
    }

    return @asked;
}

# An order is delivered, with what the portal takes of the lines.
sub delivered_all_the_same {
    my ($host, $origin, $id) = @_;

    order({ $host ? (host => $host) : () }, id => $id, company => 'Firm',
          phone => '+79160000001');

    return delivered($id, origin => $origin);
}

sub told {
    my ($api) = @_;

    ok(B24::Scenario::wait_until(sub { warnings_of('wrong') == @TOLD }),
       'told before any order');
    is(join("\n", warnings_of('wrong')), join("\n", @TOLD), 'on the page');
    is(join("\n", warnings_of('tested')), '', 'nothing of what is right');

    my $log = B24::Scenario::error_log();

    is(join("\n", grep { $log !~ /\[warn\][^\n]*"wrong": \Q$_\E/ } @TOLD), '',
       'and in the log');

    my @fields = $api eq 'classic'
        ? map { "crm.$_.fields" } qw(company contact deal)
        : map { "crm.item.fields?entityTypeId=$_&useOriginalUfNames=Y" } 2 .. 4;

    is_deeply([asked()], [join ' ', sort('crm.dealcategory.stage.list?id=0',
        qw(profile scope crm.currency.list), @fields, map { "crm.status.list?filter[ENTITY_ID]=$_" }
        qw(COMPANY_TYPE CONTACT_TYPE DEAL_TYPE HONORIFIC INDUSTRY SOURCE))],
        'each once, in one request');

    my $deal = delivered_all_the_same('wrong.test', 'wrong', 'w-1');
    is($deal->{company}{title}, 'Firm', 'a whole order');

    $deal = delivered_all_the_same(undef, 'tested', 't-1');
    is($deal->{fields}{SOURCE_ID}, 'WEB', 'what is right arrives');
}

# Has the portal asked anew; returns what was asked.
sub again {
    my $count = asked();
    my $client = B24::Scenario::client();

    $client->send(B24::Client::request_bytes('POST', '/b24/check', ''));
    is($client->response->{status}, 202, 'asked by hand');
    ok(B24::Scenario::wait_until(sub { asked() > $count }), 'and so it is');

    return (asked())[-1];
}

# What the portal does not answer is not checked, and nobody is told.
sub unchecked {
    my ($api) = @_;

    my $portal = B24::Test::portal();
    my @fields = $api eq 'classic'
        ? map { "crm.$_.fields" } qw(contact company deal) : 'crm.item.fields';

    ok(B24::Scenario::wait_until(sub { warnings_of('wrong') == @TOLD }),
       'told at first');

    $portal->config(gone => [@fields]);
    again();
    ok(B24::Scenario::wait_until(sub { warnings_of('wrong') < @TOLD }),
       'the fields are not known any more');
    is(join("\n", warnings_of('wrong')),
       join("\n", grep { !/no such field/ } @TOLD), 'the dictionaries are');

    $portal->config(gone => ['crm.status.list']);
    again();
    ok(B24::Scenario::wait_until(sub {
        return join("\n", warnings_of('wrong'))
               eq join("\n", grep { /no such field/ } @TOLD);
    }), 'the other way about');

    $portal->config(gone => [@fields, 'crm.status.list']);
    again();
    ok(B24::Scenario::wait_until(sub { !warnings_of('wrong') }),
       'nothing is known');
    delivered_all_the_same('wrong.test', 'wrong', 'w-1');
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: what the portal does not have, classic
--- http_config eval: main::http('classic')
--- config eval: $::server
--- scenario
    main::told('classic');



=== TEST 2: what the portal does not have, universal
--- http_config eval: main::http('universal')
--- config eval: $::server
--- scenario
    main::told('universal');



=== TEST 3: what is not answered, classic
--- http_config eval: main::http('classic')
--- config eval: $::server
--- scenario
    main::unchecked('classic');



=== TEST 4: what is not answered, universal
--- http_config eval: main::http('universal')
--- config eval: $::server
--- scenario
    main::unchecked('universal');



=== TEST 5: an administrator adds what was missing
--- http_config eval: main::http('classic')
--- config eval: $::server
--- scenario
    ok(wait_until(sub { main::warnings_of('wrong') == @::TOLD }), 'told');

    my $statuses = B24::Portal::Schema::default_statuses();
    push @{$statuses->{SOURCE}}, { STATUS_ID => 'WWW', NAME => 'WWW' };

    portal()->config(statuses => $statuses, user_fields => {
        %B24::Crm::USER_FIELDS,
        deal => { UF_CRM_NOPE => 'string', UF_CRM_TAG => 'string',
                  %{$B24::Crm::USER_FIELDS{deal}} } });
    main::again();

    my @left = grep { !/NOPE|TAG\[|WWW/ } @::TOLD;

    wait_until(sub { main::warnings_of('wrong') == @left });
    is(join("\n", main::warnings_of('wrong')), join("\n", @left),
       'the others are left');
    is(join("\n", main::warnings_of('tested')),
       "b24_deal UF_CRM_TAGS[0]: the portal's deals have no such field",
       'and one is missing now');



=== TEST 6: lines that nothing has to be asked for
--- http_config eval: B24::Crm::http()
--- config
    location /b24 {
        b24_status;
    }

    location /checkout {
        b24_mirror full;
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
    }
--- scenario
    # the rules' lines are names only: no dictionary
    ok(wait_until(sub { main::asked() }), 'asked');
    is((main::asked())[0], 'crm.company.fields crm.contact.fields'
       . ' crm.currency.list crm.deal.fields'
       . ' crm.dealcategory.stage.list?id=0 profile scope',
       'names of fields, no dictionaries');
    is(join("\n", main::warnings_of('tested')), '', 'nothing is wrong');



=== TEST 7: permissions, rights and currencies
--- http_config
    b24_queue $TEST_NGINX_QUEUE;
    b24_retry first=100ms max=500ms;

    b24_shop coins {
        order a { uri /a; id request:/id; total request:/t; currency XTS; }
        order b { uri /b; id request:/id; total request:/t; currency XTS; }
        order c { uri /c; id request:/id; total request:/t; currency RUB; }
        order d { uri /d; id request:/id; total request:/t;
                  currency request:/c; }
    }
--- config
    b24_origin coins;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    b24_product xml_id;
    b24_mirror coins;
    location /b24 { b24_status; }
--- scenario
    my $check = sub {
        my ($what) = @_;
        B24::Scenario::post('/b24/check', '');
        return wait_until(sub {
            join("\n", main::warnings_of('coins')) =~ $what });
    };

    ok(wait_until(sub { main::warnings_of('coins') == 1 }), 'told');
    like((main::warnings_of('coins'))[0],
         qr/no currency "XTS", which the shop "coins" uses: add it/,
         'a currency, once');

    portal()->config(scopes => ['crm']);
    ok($check->(qr/catalog/), 'no permission for the catalogue');

    portal()->config(scopes => ['catalog']);
    ok($check->(qr/lacks the permission "crm": tick CRM/), 'none for the CRM');

    portal()->config(scopes => ['crm', 'catalog']);
    portal()->fault(kind => 'command', method => 'stage\.list', times => 0,
                    error => 'ACCESS_DENIED', description => 'Access denied.');
    ok($check->(qr/refuses to tell its stages \(ACCESS_DENIED\): give the user/),
       'a user without rights');

    portal()->clear_faults;
    ok($check->(qr/^the portal has no currency [^\n]*$/), 'put right');
