# What the module knows of a portal without asking, and what it asks first: buyers
# of earlier orders, stages, the catalogue, methods that are refused.  All of it
# in both families of methods.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Desk;
use B24::Orders;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $server = B24::Orders::server();

sub http {
    my ($more) = @_;

    # the items also tell their article and number
    my $http = B24::Orders::http(more => $more);

    $http =~ s{name /name;  price}{name /name;  xml_id /sku;  product_id /no;
                price};
    $http =~ s{comment   request:}{status    request:/status;
            comment   request:};

    return $http;
}

# Requests for orders since the last call, their kinds.
my $seen = 0;

sub requests {
    my @journal = journal();
    my @new = @journal[$seen .. $#journal];

    $seen = @journal;

    return join ' ', map { $_->{kind} } @new;
}

# the emulator is new for each block
sub begin {
    $seen = 0;
}

# Places one order, waits until it is delivered, returns its record.
sub deliver {
    my ($n, %field) = @_;

    main::place([$n, %field]);

    my $record = main::settled($n);
    Test::More::is($record->{state}, 'delivered', "order $n is delivered")
        or Test::More::diag($record->{cause});

    return $record;
}

sub contacts {
    return [ sort { $a <=> $b } map { $_->{id} }
             @{B24::Test::portal()->report->{contacts}} ];
}

sub deal {
    my ($n) = @_;

    return main::deals()->{main::order_id($n)}[0];
}

# What the module has to say of the configuration.
sub warnings_are {
    my ($pattern, $name) = @_;

    Test::More::ok(B24::Scenario::wait_until(sub {
        my $warnings = main::portal_state()->{warnings};
        return grep { /$pattern/ } @$warnings;
    }), $name) or Test::More::diag(join "\n",
                                   @{main::portal_state()->{warnings}});
}

sub config {
    B24::Test::portal()->config(@_);
}

# The module asks a portal about itself when its worker starts: it does so once
# more with the portal's new settings.
sub reload {
    my @old = B24::Scenario::worker_pids();

    B24::Scenario::signal_master('HUP');

    B24::Scenario::wait_until(sub {
        my %now = map { $_ => 1 } B24::Scenario::worker_pids();
        return %now && !grep { $now{$_} } @old;
    }) or die "the old worker stays\n";
}

# How often the portal was asked about itself
sub asked {
    return scalar grep {
        join(' ', values %{$_->{params}{cmd} // {}})
            =~ /crm\.(?:dealcategory\.stage|status)\.list/
    } @{B24::Test::portal()->report->{journal}};
}

sub asked_again {
    my ($before) = @_;

    B24::Scenario::wait_until(sub { asked() > $before })
        or die "the portal isn't asked\n";
}


# ---- buyers --------------------------------------------------------------

sub known {
    begin();
    deliver(1);
    Test::More::is(requests(), 'look write', 'two for an unknown buyer');

    deliver('1-b', phone => '8 (916) 000-00-01', email => ' Buyer1@example.com');
    Test::More::is(requests(), 'write', 'one for a known one');
    Test::More::is("@{deal('1-b')->{contact_ids}}", "@{contacts()}",
                   'with the same contact');

    # known by the phone, but who has that e-mail?
    deliver('1-c', email => 'other@example.com');
    Test::More::is(requests(), 'look write', 'a new e-mail is looked up');

    deliver('1-d', email => undef);
    Test::More::is(requests(), 'write', 'the phone alone is known');
    Test::More::is(scalar @{contacts()}, 1, 'one contact');
}

sub known_firm {
    my @firm = (company => 'ООО «Ромашка»', inn => '7707083893');
    utf8::encode($firm[1]);

    begin();
    deliver(1, @firm);
    Test::More::is(requests(), 'look write', 'two for an unknown firm');

    deliver('1-b', @firm);
    Test::More::is(requests(), 'write', 'one for a known one');

    my $report = B24::Test::portal()->report;

    Test::More::is(scalar @{$report->{companies}}, 1, 'one company');
    Test::More::is(scalar @{$report->{requisites}}, 1, 'one requisite');
    Test::More::is(deal('1-b')->{company_id}, $report->{companies}[0]{id},
                   'linked to the deal');

    # a title without an INN is a firm of its own
    deliver(2, company => 'Romashka');
    requests();
    deliver('2-b', company => 'Romashka');
    Test::More::is(requests(), 'write', 'a firm without an INN is known, too');

    # another buyer of the same firm
    deliver(3, @firm);
    $report = B24::Test::portal()->report;
    Test::More::is(deal(3)->{company_id}, $report->{companies}[0]{id},
                   'the same company');
    Test::More::is("@{$_->{company_ids}}", $report->{companies}[0]{id},
                   'linked to the contact')
        for grep { $_->{id} == deal(3)->{contact_ids}[0] }
            @{$report->{contacts}};

    # a company that is deleted
    B24::Test::portal()->edit(entity => 'company',
        id => $report->{companies}[0]{id}, delete => \1);
    requests();
    deliver('1-c', @firm);
    Test::More::is(requests(), 'write look write', 'it is noticed');
    Test::More::is(scalar(grep { $_->{origin_id} eq 'o-1-c' || 1 }
                          @{B24::Test::portal()->report->{companies}}), 2,
                   'and made anew');
}

sub stale {
    begin();
    deliver(1);
    deliver(2);
    deliver(3);
    requests();

    my ($one, $two, $three) = @{contacts()};

    B24::Test::portal()->edit(entity => 'contact', id => $one, delete => \1);
    deliver('1-b');
    Test::More::is(requests(), 'write look write', 'deleted: looked up');

    my $new = deal('1-b')->{contact_ids}[0];
    Test::More::isnt($new, $one, 'a new contact');
    deliver('1-c');
    Test::More::is(requests(), 'write', 'which is known now');
    Test::More::is(deal('1-c')->{contact_ids}[0], $new, 'the same');

    B24::Test::portal()->merge(entity => 'contact', winner => $three,
                               loser => $two);
    deliver('2-b');
    Test::More::is(requests(), 'write look write', 'merged: looked up');
    Test::More::is(deal('2-b')->{contact_ids}[0], $three, 'the winner');

    # a manager gives the contact another number: its owner is another's now
    my $phone = B24::Test::portal()->call('crm.contact.get', { id => $new })
        ->{result}{PHONE}[0]{ID};

    B24::Test::portal()->call('crm.contact.update', { id => $new,
        fields => { PHONE => [ { ID => $phone, VALUE => '+79990000000' } ] } });
    requests();
    deliver('1-d', email => undef);
    Test::More::is(requests(), 'write look write',
                   'the phone has gone: looked up');
    Test::More::isnt(deal('1-d')->{contact_ids}[0], $new,
                     'the deal does not stay with the old contact');
    Test::More::is(scalar @{main::deals()->{'o-1-d'} // main::deals()->{'1-d'}},
                   1, 'one deal');
}

sub lag {
    config(index_lag => { seconds => 3600 });
    begin();
    deliver(1);
    main::place(['1-b'], ['1-c'], ['1-d']);
    main::settled($_) for '1-b', '1-c', '1-d';
    Test::More::is(scalar @{contacts()}, 1, 'one contact for four orders');
}

sub crash {
    begin();
    deliver(1);

    my ($one) = @{contacts()};

    B24::Test::portal()->edit(entity => 'contact', id => $one, delete => \1);
    B24::Test::portal()->fault(kind => 'hang_before', method => 'get');
    main::place(['1-b']);
    B24::Test::portal()->wait_for(held => 1);

    kill KILL => B24::Scenario::worker_pids();
    B24::Test::portal()->release(drop => \1);

    Test::More::is(main::settled('1-b')->{state}, 'delivered', 'delivered');
    Test::More::isnt(deal('1-b')->{contact_ids}[0], $one, 'a new contact');
    Test::More::is(scalar @{contacts()}, 1, 'and only that');
}


# with the phone today and the e-mail tomorrow, it is one buyer
sub one_buyer {
    begin();
    deliver(1, email => undef);
    deliver('1-b');
    Test::More::is(requests(), 'look write look write', 'looked up');
    deliver('1-c', phone => undef);
    Test::More::is("@{deal('1-c')->{contact_ids}}", "@{contacts()}",
                   'found by the e-mail the second order gave');
    deliver('1-d');
    Test::More::is((split ' ', requests())[-1], 'write', 'known by both');

    my ($contact) = @{B24::Test::portal()->report->{contacts}};
    Test::More::is("@{$contact->{phones}} @{$contact->{emails}}",
                   '+79160000001 buyer1@example.com', 'each once');
}

# the portal's collation takes them for equal
sub letters {
    my @ids = map { my $id = "$_-1"; utf8::encode($id); $id } "\x{416}",
                  "\x{436}";

    begin();
    main::place([1, id => $ids[0]]);

    my $report = B24::Test::portal()->wait_for(deals => 1, journal => 0);

    main::place([2, id => $ids[1]]);
    $report = B24::Test::portal()->wait_for(deals => 2, journal => 0);
    Test::More::is(scalar(keys %{{ map { $_->{origin_id} => 1 }
                                   @{$report->{deals}} }}), 2,
                   'a deal of its own');
    Test::More::is($_->{rows_sum}, '1990.00', 'with its rows')
        for @{$report->{deals}};
    Test::More::is(scalar @{contacts()}, 2, 'and a contact');
}


# ---- stages --------------------------------------------------------------

sub stages {
    begin();
    warnings_are(qr/no stage "NOWHERE" \(of the status "K"\) in pipeline 0/,
                 'the page names it before the first order');
    Test::More::ok(B24::Scenario::error_log_lines(qr/no stage "NOWHERE"/),
                   'so does the log');

    my $record = deliver(1, status => 'K');
    Test::More::is(deal(1)->{stage_id}, 'NEW', 'at the first stage');
    Test::More::like($record->{cause}, qr/no stage "NOWHERE" in pipeline 0/,
                     'with a remark');
    Test::More::like(deal(1)->{comments}, qr/no stage "NOWHERE"/,
                     'in the deal, too');

    $record = deliver(2, status => 'Z');
    Test::More::like($record->{cause}, qr/status has no line/,
                     'a status without a line');

    $record = deliver(3, status => 'E');
    Test::More::is(deal(3)->{stage_id}, 'EXECUTING', 'a line of the server');
    Test::More::is($record->{cause}, undef, 'without a remark');

    $record = deliver(4);
    Test::More::is(deal(4)->{stage_id}, 'NEW', 'the default status');
}

sub pipeline {
    config(gone => [ 'crm.dealcategory.stage.list' ]);
    begin();

    my $asked = asked();
    reload();
    asked_again($asked + 1);
    warnings_are(qr/no stage "C3:NOWHERE"/, 'crm.status.list tells as well');
    deliver(1);
    Test::More::is(deal(1)->{stage_id}, 'C3:NEW', 'with its prefix');
    Test::More::is(deal(1)->{category_id}, 3, 'in its pipeline');
    deliver(2, status => 'K');
    Test::More::is(deal(2)->{stage_id}, 'C3:NEW',
                   "at the pipeline's first stage");
}

sub no_pipeline {
    begin();
    warnings_are(qr/no pipeline 77: correct b24_category/, 'the page tells');

    my $record = deliver(1);
    Test::More::like($record->{cause}, qr/no pipeline 77/, 'with a remark');
}

sub read_back {
    begin();

    my $record = deliver(1);
    Test::More::like($record->{cause}, qr/did not take SOURCE_ID/,
                     'a source nobody knows');

    # a stage is taken away after the portal was asked
    my $statuses = B24::Test::portal()->report->{statuses};
    config(statuses => { DEAL_STAGE => [
        { STATUS_ID => 'FIRST', SEMANTICS => undef },
        { STATUS_ID => 'WON', SEMANTICS => 'S' },
        { STATUS_ID => 'LOSE', SEMANTICS => 'F' } ] });
    $record = deliver(2);
    Test::More::like($record->{cause},
                     qr/did not take the stage "NEW", the deal is at "FIRST"/,
                     'a stage that is gone');
}


# ---- the catalogue -------------------------------------------------------

our %catalogue = (
    catalogs => [ { id => 24, iblockId => 24, name => 'CRM' },
                  { id => 26, iblockId => 26, name => 'Offers',
                    productIblockId => 24 } ],
    products => [ { id => 101, iblockId => 24, xmlId => 'MUG', name => 'Mug',
                    type => 1 },
                  { id => 205, iblockId => 26, xmlId => 'TEE#XL',
                    name => 'Tee', type => 4 } ],
);

sub items {
    return [ { name => 'A', price => '10.00', qty => '1', sku => 'MUG',
               no => '77' },
             { name => 'B', price => '20.00', qty => '2', sku => 'TEE#XL',
               no => 'x-1' },
             { name => 'C', price => '5.00', qty => '1', sku => 'NO SUCH' },
             { name => 'D', price => '1.00', qty => '1' } ];
}

sub products_of {
    my ($n) = @_;

    return join ' ', map { $_->{product_id} } @{deal($n)->{rows}};
}

our @money = (total => '56.00', delivery => undef);

sub articles {
    config(%catalogue);
    begin();

    my $asked = asked();
    reload();
    asked_again($asked);

    deliver(1, items => items(), @money);
    Test::More::is(requests(), 'look write', 'looked up with the rest');
    Test::More::is(products_of(1), '101 205 0 0', 'product, offer, free rows');
    Test::More::is(deal(1)->{rows_sum}, '56.00', 'the sum');

    deliver('1-b', items => [ (items())->[0], (items())->[1] ],
            total => '50.00', delivery => undef);
    Test::More::is(requests(), 'write', 'what was found is remembered');
    Test::More::is(products_of('1-b'), '101 205', 'the same products');

    deliver('1-c', items => items(), @money);
    Test::More::is(requests(), 'look write', 'what was not is asked again');
    Test::More::is(products_of('1-c'), '101 205 0 0', 'the same rows');
}

sub no_catalog {
    config(%catalogue, scopes => [ 'crm' ]);
    begin();

    my $asked = asked();
    reload();
    asked_again($asked);
    warnings_are(qr/catalogue can't be read.*permission "catalog"/,
                 'the page tells');
    deliver(1, items => items(), @money);
    Test::More::is(products_of(1), '0 0 0 0', 'free rows');

    # taken away later
    config(scopes => [ 'crm', 'catalog' ]);
    $asked = asked();
    reload();
    asked_again($asked);
    config(scopes => [ 'crm' ]);

    my $record = deliver(2, items => items(), @money);
    Test::More::is(products_of(2), '0 0 0 0', 'free rows again');
    Test::More::like($record->{cause}, qr/catalogue could not be read/,
                     'with a remark');
}

sub numbers {
    begin();
    deliver(1, items => items(), @money);
    Test::More::is(products_of(1), '77 0 0 0', 'numbers only');
}


# ---- refusals that can be helped -----------------------------------------

sub narrow {
    config(utf8mb3 => 'refuse');
    begin();

    my $text = "Спасибо \x{1F600}!";
    utf8::encode($text);

    my $record = deliver(1, comment => $text, name => $text);
    Test::More::is(deal(1)->{comments} =~ /\AСпасибо !/ ? 1 : 0, 1,
                   'the comment without the character')
        or Test::More::diag(deal(1)->{comments});
    Test::More::like($record->{cause}, qr/some characters/, 'with a remark');
    Test::More::is(scalar @{contacts()}, 1, 'one contact');
}

sub mandatory {
    my ($api) = @_;

    config(mandatory => { deal => [ 'UTM_TERM' ] }, mandatory_by => $api);
    begin();
    deliver(1);
    Test::More::is(requests(), 'look write write', 'by the other family');
    Test::More::is("@{contacts()}", "@{deal(1)->{contact_ids}}",
                   'the contact was made once');
    deliver(2);
    Test::More::is(requests(), 'look write', 'which is kept to');

    # both: a matter for a person
    config(mandatory_by => 'both');
    main::place(3);

    my $record = main::settled(3, 'waiting');
    Test::More::like($record->{cause}, qr/UTM_TERM/, 'the field is named');
}

sub gone {
    my ($api) = @_;

    my @classic = ('crm.deal.*', map { ("crm.contact.$_", "crm.company.$_") }
                                 qw(add get list update));

    config(gone => [ $api eq 'classic' ? @classic : 'crm.item.*' ]);
    begin();
    deliver(1);
    deliver(2, company => 'Romashka', inn => '7707083893');
    deliver('2-b', company => 'Romashka', inn => '7707083893');
    Test::More::is(scalar @{B24::Test::portal()->report->{companies}}, 1,
                   'the firm, too');
    Test::More::is(scalar @{contacts()}, 2, 'two contacts');
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: classic: a known buyer takes one request
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::known();



=== TEST 2: classic: a known buyer and firm take one request
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::known_firm();



=== TEST 3: classic: a contact that is deleted, merged, or has lost its phone
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::stale();



=== TEST 4: classic: the index of phones lags behind
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::lag();



=== TEST 5: classic: by phone today, by e-mail tomorrow
--- http_config eval: ::http('b24_api classic;')
--- config eval: $::server
--- scenario
    ::one_buyer();



=== TEST 6: classic: numbers that differ in the case of a letter
--- http_config eval: ::http('b24_api classic;')
--- config eval: $::server
--- scenario
    ::letters();



=== TEST 7: classic: a crash cannot make a remembered contact true
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    ::crash();



=== TEST 8: classic: stages the portal does not have
--- http_config eval: ::http('b24_api classic; b24_stage K NOWHERE; b24_stage E EXECUTING;')
--- config eval: $::server
--- scenario
    ::stages();



=== TEST 9: classic: stages of another pipeline, the old method is gone
--- http_config eval: ::http('b24_api classic; b24_category 3; b24_stage K NOWHERE;')
--- config eval: $::server
--- scenario
    ::pipeline();



=== TEST 10: classic: a pipeline the portal does not have
--- http_config eval: ::http('b24_api classic; b24_category 77;')
--- config eval: $::server
--- scenario
    ::no_pipeline();



=== TEST 11: classic: what the portal drops without a word is seen
--- http_config eval: ::http('b24_api classic; b24_deal SOURCE_ID NOSUCH;')
--- config eval: $::server
--- scenario
    ::read_back();



=== TEST 12: classic: products by article
--- http_config eval: ::http('b24_api classic; b24_product xml_id;')
--- config eval: $::server
--- scenario
    ::articles();



=== TEST 13: classic: products without the permission
--- http_config eval: ::http('b24_api classic; b24_product xml_id;')
--- config eval: $::server
--- scenario
    ::no_catalog();



=== TEST 14: classic: products by the shop's own numbers
--- http_config eval: ::http('b24_api classic; b24_product id;')
--- config eval: $::server
--- scenario
    ::numbers();



=== TEST 15: classic: a database of three bytes a character
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::narrow();



=== TEST 16: classic: mandatory fields of one family of methods
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::mandatory('classic');



=== TEST 17: classic: methods that are gone
--- http_config eval: ::http('b24_api classic; ')
--- config eval: $::server
--- scenario
    ::gone('classic');



=== TEST 18: universal: a known buyer takes one request
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::known();



=== TEST 19: universal: a known buyer and firm take one request
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::known_firm();



=== TEST 20: universal: a contact that is deleted, merged, or has lost its phone
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::stale();



=== TEST 21: universal: the index of phones lags behind
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::lag();



=== TEST 22: universal: by phone today, by e-mail tomorrow
--- http_config eval: ::http('b24_api universal;')
--- config eval: $::server
--- scenario
    ::one_buyer();



=== TEST 23: universal: numbers that differ in the case of a letter
--- http_config eval: ::http('b24_api universal;')
--- config eval: $::server
--- scenario
    ::letters();



=== TEST 24: universal: a crash cannot make a remembered contact true
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- expected_alert
exited on signal 9
--- scenario
    ::crash();



=== TEST 25: universal: stages the portal does not have
--- http_config eval: ::http('b24_api universal; b24_stage K NOWHERE; b24_stage E EXECUTING;')
--- config eval: $::server
--- scenario
    ::stages();



=== TEST 26: universal: stages of another pipeline, the old method is gone
--- http_config eval: ::http('b24_api universal; b24_category 3; b24_stage K NOWHERE;')
--- config eval: $::server
--- scenario
    ::pipeline();



=== TEST 27: universal: a pipeline the portal does not have
--- http_config eval: ::http('b24_api universal; b24_category 77;')
--- config eval: $::server
--- scenario
    ::no_pipeline();



=== TEST 28: universal: what the portal drops without a word is seen
--- http_config eval: ::http('b24_api universal; b24_deal SOURCE_ID NOSUCH;')
--- config eval: $::server
--- scenario
    ::read_back();



=== TEST 29: universal: products by article
--- http_config eval: ::http('b24_api universal; b24_product xml_id;')
--- config eval: $::server
--- scenario
    ::articles();



=== TEST 30: universal: products without the permission
--- http_config eval: ::http('b24_api universal; b24_product xml_id;')
--- config eval: $::server
--- scenario
    ::no_catalog();



=== TEST 31: universal: products by the shop's own numbers
--- http_config eval: ::http('b24_api universal; b24_product id;')
--- config eval: $::server
--- scenario
    ::numbers();



=== TEST 32: universal: a database of three bytes a character
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::narrow();



=== TEST 33: universal: mandatory fields of one family of methods
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::mandatory('universal');



=== TEST 34: universal: methods that are gone
--- http_config eval: ::http('b24_api universal; ')
--- config eval: $::server
--- scenario
    ::gone('universal');
