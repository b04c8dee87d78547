# What an order becomes in the CRM, field by field and in both families of
# methods: buyers, firms, deals, stages, several shops, several portals, and the
# portals that are different.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Crm ();
use B24::Test portals => 2, portal => { config => {
    bucket => { burst => 100_000 },
    user_fields => { %B24::Crm::USER_FIELDS, deal => {
        %{$B24::Crm::USER_FIELDS{deal}},
        UF_CRM_TAGS => { type => 'string', multiple => 1 },
        UF_CRM_WAY => { type => 'enumeration', items => [
            { ID => 41, VALUE => 'Courier' }, { ID => 42, VALUE => 'Post' }] },
        UF_CRM_WAYS => { type => 'enumeration', multiple => 1, items => [
            { ID => 51, VALUE => 'a' }, { ID => 52, VALUE => 'b' }] },
        UF_CRM_GIFT => 'boolean', UF_CRM_DAY => 'date' } } } };
use Test::Nginx::Socket;

use B24::Crm;
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

our $server = B24::Crm::server();

# Test::Base has functions of these names, which compare differently
BEGIN {
    no warnings 'redefine';

    *is = \&Test::More::is;
    *ok = \&Test::More::ok;
    *like = \&Test::More::like;
    *is_deeply = \&Test::More::is_deeply;
}

sub portal_n {
    return B24::Test::portal($_[0] // 1);
}

# A REST call of a person or another program; dies when it fails.
sub call {
    my ($method, $params, $n) = @_;

    my $answer = portal_n($n)->call($method, $params);

    die "$method: $answer->{error} $answer->{error_description}\n"
        if exists $answer->{error};

    return $answer->{result};
}

# A contact made by a person: phones and e-mails as lists.
sub person {
    my ($name, $phones, $emails, $n) = @_;

    return call('crm.contact.add', { fields => { NAME => $name,
        PHONE => [map { { VALUE => $_ } } @$phones],
        EMAIL => [map { { VALUE => $_ } } @$emails] } }, $n);
}

# A company made by a person, with a requisite if there is an INN.
sub firm {
    my ($title, $inn, $kpp) = @_;

    my $id = call('crm.company.add', { fields => { TITLE => $title } });

    call('crm.requisite.add', { fields => { ENTITY_TYPE_ID => 4,
        ENTITY_ID => $id, PRESET_ID => 1, NAME => $title, RQ_INN => $inn,
        RQ_KPP => $kpp // '' } }) if $inn;

    return $id;
}

# Orders one after another, each a list of fields; id and total have defaults.
my $numbers = 0;

sub one {
    my $option = ref $_[0] ? shift : {};
    my (%field) = @_;

    my $id = delete $field{id} // 'n-' . ++$numbers;

    B24::Crm::order($option, id => $id, name => undef, %field);

    return B24::Crm::delivered($id, portal => $option->{portal},
                               origin => $option->{origin});
}

# Ids of a deal's contacts as a text.
sub linked {
    my ($deal) = @_;

    return join ' ', @{$deal->{contact_ids} // []};
}

sub record_of {
    my ($deal) = @_;

    return B24::Crm::record($deal->{origin_id}, $deal->{originator_id}) // {};
}

# All fields of a record, times and persons left out; undefined and empty ones
# as well.
sub filled {
    my ($record, @without) = @_;

    my %fields = %{($record // {})->{fields} // {}};

    delete @fields{qw(DATE_CREATE DATE_MODIFY MOVED_TIME CREATED_BY_ID
                      MODIFY_BY_ID MOVED_BY_ID ID), @without};

    return { map { $_ => $fields{$_} }
             grep { my $value = $fields{$_};
                    ref $value ? @$value : defined $value && $value ne '' }
                  keys %fields };
}

# Requests since a number of arrived ones, and that number.
sub arrived {
    my ($n) = @_;

    return portal_n($n)->report(journal => 0)->{counts}{arrived};
}

sub kinds_since {
    my ($from, $n) = @_;

    return join ' ', grep { $_ ne 'other' } B24::Crm::kinds(portal_n($n),
                                                             $from);
}


# ---- buyers --------------------------------------------------------------

our @forms = ('phone email', 'email phone', 'phone', 'email', 'none');

sub form_servers {
    return join '', map {
        my $name = s/ /-/r;
        B24::Crm::named_server("$name.test", "b24_origin $name;",
                               "b24_match $_;")
    } @forms;
}

# who is found, by each form of b24_match; "new": nobody
sub buyers_found {
    my $p = person('P', ['+79160000001'], []);
    my $e = person('E', [], ['e@example.com']);
    my $both = person('B', ['8 916 000-00-02'], ['B@Example.com']);
    my ($low, $high) = map { person($_, ['+79160000003'], []) } 'L', 'H';
    my $phone = person('M', ['+79160000004'], []);
    my $more = person('N', ['+79160000004'], ['m@example.com']);
    my ($low_mail) = map { person($_, [], ['two@example.com']) } 'X', 'Y';
    my %name = ($p => 'P', $e => 'E', $both => 'B', $low => 'L',
                $phone => 'M', $more => 'N', $low_mail => 'X');

    # phone, e-mail, who by "phone email", "email phone", "phone", "email"
    my @cases = (
        ['one phone, another e-mail', '+7 916 000-00-01', 'E@example.com',
         'P', 'E', 'P', 'E'],
        ['both of one', '+7 916 000-00-02', 'b@example.com', ('B') x 4],
        ['a phone that two have', '8 (916) 000-00-03', undef,
         'L', 'L', 'L', 'new'],
        ['who has both is better than a lower id', '79160000004',
         'm@example.com', 'N', 'N', 'M', 'N'],
        ['an e-mail that two have', undef, ' two@EXAMPLE.com ',
         'X', 'X', 'new', 'X'],
        ['a phone, an unknown e-mail', '9160000001', 'new-%s@example.com',
         'P', 'P', 'P', 'new'],
        ['an unknown phone, an e-mail', '+7916777000%s', 'e@example.com',
         'E', 'E', 'new', 'E'],
    );

    for my $n (0 .. $#forms) {
        my $origin = $forms[$n] =~ s/ /-/r;

        for my $case (@cases) {
            my ($what, $tel, $mail, @who) = @$case;
            my $wanted = $who[$n] // 'new';
            my $deal = one({ host => "$origin.test", origin => $origin },
                defined $tel ? (phone => $tel =~ s/%s/$n/r) : (),
                defined $mail ? (email => $mail =~ s/%s/$n/r) : (),
                name => 'Buyer');
            my $id = linked($deal);

            is($name{$id} // ($deal->{contact}{name} eq 'Buyer' ? 'new' : $id),
               $wanted, "$forms[$n]: $what");

            my @notes = B24::Crm::notes($deal);
            my $record = record_of($deal);
            my $two = $what eq 'one phone, another e-mail' && $n < 2;

            if ($two) {
                is(scalar(grep { /\b$p\b/ && /\b$e\b/ } @notes), 1,
                   "$forms[$n]: the deal's comment names both");
                like($record->{cause} // '', qr/\b$p\b.*\b$e\b|\b$e\b.*\b$p\b/,
                     "$forms[$n]: so does the record");

            } else {
                is("@notes", '', "$forms[$n], $what: nothing to remark");
                is($record->{cause}, undef, 'nor in the record');
            }
        }
    }

    # who was found gets what nobody had, and nothing else
    my $crm = B24::Crm::whole_crm();

    is(join(' ', map { my $contact = $crm->{contacts}{$_};
                       "$contact->{name}:" . join ',',
                       @{$contact->{phones}}, @{$contact->{emails}} }
                     $p, $e, $both),
       'P:+79160000001,new-0@example.com,new-1@example.com '
       . 'E:+79167770000,+79167770001,e@example.com '
       . 'B:8 916 000-00-02,B@Example.com',
       'people get what nobody had, and nothing else');
}

sub buyers_made {
    my $deal = one(name => 'Иван Петров', phone => '+7 916 000-00-01',
                   email => 'Ivan@Example.com', uf_contact => 'rule');

    is_deeply(filled($deal->{contact}), { NAME => 'Иван Петров',
        TYPE_ID => 'CLIENT', ORIGINATOR_ID => 'tested',
        ORIGIN_ID => $deal->{origin_id}, UF_CRM_RULE => 'rule',
        UF_CRM_CONF => 'conf', SOURCE_ID => 'WEB', POST => 'покупатель',
        COMMENTS => "\x{ff3b}b] из \x{ff1c}i>магазина",
        ASSIGNED_BY_ID => '17', HAS_PHONE => 'Y', HAS_EMAIL => 'Y',
        OPENED => 'Y', EXPORT => 'Y' }, 'a whole contact');
    is_deeply([@{$deal->{contact}}{qw(phones emails)}],
        [['+79160000001', '+78005553535'], ['ivan@example.com']],
        'phone and e-mail, and the phone of the configuration');

    $deal = one(first_name => 'Иван', second_name => 'Ильич',
                last_name => 'Петров', phone => '+79160000002');
    is(join('|', @{$deal->{contact}}{qw(name second_name last_name)}),
       'Иван|Ильич|Петров', 'a name in parts');

    $deal = one(first_name => "  Анна\n Мария ", phone => '+79160000003',
                last_name => 'O&#39;Нил &amp; сын');
    is(join('|', @{$deal->{contact}}{qw(name last_name)}),
       "Анна  Мария|O'Нил & сын", 'one line, entities decoded');

    my $long = join ' ', ('Иванопетросидоровский') x 4;

    $deal = one(name => $long, phone => '+79160000004');
    is($deal->{contact}{name}, substr($long, 0, 50), 'fifty characters');
    like($deal->{comments}, qr/^First name: \Q$long\E$/m,
         'the whole in the comment');

    # neither phone nor e-mail: a contact all the same, each time
    my @anonymous = map { one(name => 'Никто Неизвестный') } 1, 2;
    is(join(' ', map { $_->{contact}{name} } @anonymous),
       'Никто Неизвестный Никто Неизвестный', 'a buyer who tells only a name');
    Test::More::isnt(linked($anonymous[0]), linked($anonymous[1]),
                     'names tell nobody from another');

    $deal = one(phone => '+79160000005');
    like($deal->{contact}{name}, qr/\S/, 'without a name it is not nameless');
    $deal = one(email => 'only@example.com');
    like($deal->{contact}{name}, qr/\S/, 'nor by an e-mail alone');

    $deal = one();
    is(linked($deal), '', 'nobody at all: a deal without a contact');
    is($deal->{opportunity}, '1990.00', 'whole otherwise');
    is(kinds_since(arrived()), '', 'and nothing is left to do');
}

sub emails {
    my $long = ('a' x 64) . '@example.com';
    my @good = (
        ['ivan@example.com'], [' Ivan.Petrov@Example.COM '],
        ["ivan+shop\@sub.example.co"], ["o'neil\@example.com"],
        ['a@b.museum'], [$long],
    );
    my @bad = ('ivan@', '@example.com', 'ivan', 'ivan@example', 'a b@example.com',
               'ivan@exam ple.com', 'имя@example.com', 'ivan@example.com, x',
               'ivan@example..com', '.ivan@example.com', 'ivan.@example.com',
               'ivan@@example.com', 'mailto:ivan@example.com', 'нет', '-',
               ('b' x 65) . '@example.com', 'ivan@example.c', 'ivan@1.2');
    my $n = 0;

    for my $case (@good) {
        my $email = lc $case->[0] =~ s/^\s+|\s+$//gr;
        my $deal = one(phone => sprintf('+7916100%04d', ++$n),
                       email => $case->[0]);

        is_deeply($deal->{contact}{emails}, [$email], "an e-mail: $case->[0]");
        Test::More::unlike($deal->{comments} // '', qr/E-mail/,
                           'nothing in the comment');
    }

    for my $email (@bad) {
        my $deal = one(phone => sprintf('+7916100%04d', ++$n),
                       email => $email);

        is_deeply($deal->{contact}{emails}, [], "no e-mail: $email");
        like($deal->{comments}, qr/^E-mail[^:]*: \Q$email\E$/m,
             'kept in the comment');
        is(record_of($deal)->{attempts}, 1, 'at once');
    }

    # none, and nothing else: still a contact
    my $deal = one(email => 'ivan@', name => 'Иван');
    is($deal->{contact}{name}, 'Иван', 'a contact without it');

    # the portal may be stricter than we are
    for my $code ('ERROR_CORE', 'CRM_FIELD_ERROR_VALUE_NOT_VALID') {
        portal_n()->fault(kind => 'command', error => $code,
            method => 'crm\.(?:contact|item)\.add',
            description => 'Поле "E-mail" содержит некорректный адрес<br>');

        my $from = arrived();

        $deal = one(phone => sprintf('+7916100%04d', ++$n), name => 'Иван',
                    email => "strict-$n\@example.com", company => "Firm $n");
        is_deeply([@{$deal->{contact}}{qw(name phones emails)}],
            ['Иван', [sprintf '+7916100%04d', $n], []],
            "$code: refused by the portal, repeated without it");
        like($deal->{comments}, qr/^E-mail[^:]*: strict-$n\@example\.com$/m,
             'kept in the comment');
        is($deal->{company}{title}, "Firm $n", 'the firm with it');
        is(record_of($deal)->{attempts}, 1, 'by the same attempt');
        is(kinds_since($from), 'look write write', 'one request more');
    }
}

our %codes = (7 => 'ru', 375 => 'by', 380 => 'ua', 1 => 'us', 39 => 'it',
              49 => 'de', 44 => 'uk');

sub code_servers {
    return join '', map {
        B24::Crm::named_server("$codes{$_}.test", "b24_origin $codes{$_};",
                               "b24_phone_code $_;")
    } sort keys %codes;
}

# code, as typed, the number, what stays in the comment: "" nothing, undef all
our @phones = (
    [7, '+7 916 123-45-67', '+79161234567', ''],
    [7, '8 (916) 123 45 67', '+79161234567', ''],
    [7, '7.916.123.45.67', '+79161234567', ''],
    [7, '9161234567', '+79161234567', ''],
    [7, '+8 916 123-45-67', '+79161234567', ''],
    [7, '+7(495)1234567', '+74951234567', ''],
    [7, '8 800 555-35-35', '+78005553535', ''],
    [7, 'тел.: 8-916-123-45-67', '+79161234567', ''],
    [7, "+7\x{a0}916\x{2011}123\x{2013}45\x{2212}67", '+79161234567', ''],
    [7, '8 916 123-45-67 доб. 123', '+79161234567', undef],
    [7, '+7 495 123-45-67 ext 5', '+74951234567', undef],
    [7, '8-916-123-45-67, 8-495-111-22-33', '+79161234567', undef],
    [7, '8 916 123 45 67 8 495 111 22 33', '+79161234567', undef],
    [7, '+79161234567 / +74951112233', '+79161234567', undef],
    [7, '00 49 151 23456789', '+4915123456789', undef],
    [7, '+1 212 555 0100', '+12125550100', ''],
    [7, '+49 (0151) 2345678', '+4901512345678', ''],
    [7, '375291234567', '+375291234567', ''],
    [7, '+375 29 123-45-67', '+375291234567', ''],
    [7, '123', undef, undef], [7, '112', undef, undef],
    [7, 'нет', undef, undef], [7, '8916', undef, undef],
    [7, '+7 916 123-45', undef, undef],
    [7, '+7 916 123-45-678', undef, undef],
    [7, '12345678901234567890', undef, undef],
    [375, '8 029 123-45-67', '+375291234567', ''],
    [375, '291234567', '+375291234567', ''],
    [375, '+375291234567', '+375291234567', ''],
    [375, '375 (29) 123-45-67', '+375291234567', ''],
    [375, '+7 916 123-45-67', '+79161234567', ''],
    [380, '067 123 45 67', '+380671234567', ''],
    [380, '67 123-45-67', '+380671234567', ''],
    [380, '+380671234567', '+380671234567', ''],
    [1, '(212) 555-0100', '+12125550100', ''],
    [1, '1-212-555-0100', '+12125550100', ''],
    [1, '+1 212 555 0100 x12', '+12125550100', undef],
    [39, '06 1234 5678', '+390612345678', ''],
    [39, '+39 06 1234 5678', '+390612345678', ''],
    [49, '0151 23456789', '+4915123456789', ''],
    [49, '0049 151 23456789', '+4915123456789', undef],
    [49, '+49 151 23456789', '+4915123456789', ''],
    [44, '020 7946 0018', '+442079460018', ''],
    [44, '+44 20 7946 0018', '+442079460018', ''],
);

sub phone_forms {
    my $n = 0;

    for my $case (@phones) {
        my ($code, $typed, $number, $comment) = @$case;
        my $origin = $codes{$code};
        my $deal = one({ host => "$origin.test", origin => $origin },
                       phone => $typed, name => 'Buyer ' . ++$n);

        is(join(' ', @{$deal->{contact}{phones}}), $number // '',
           "+$code: $typed");

        if (defined $comment) {
            Test::More::unlike($deal->{comments} // '', qr/Phone/,
                               'nothing in the comment');

        } elsif ($typed !~ /^00/) {
            # (whether a prefix is lost is a matter of taste)
            like($deal->{comments} // '', qr/^Phone as typed: \Q$typed\E$/m,
                 'the comment has it as it was typed');
        }
    }

    # the same number in whatever notation is one buyer
    my %contacts;

    for my $typed ('+7 999 111-22-33', '8 (999) 111 22 33', '7 999 1112233',
                   '9991112233', '+8 999 111-22-33', '8-999-111-22-33 доб. 5',
                   '+79991112233, 8 495 000-11-22', '007 999 111 22 33')
    {
        my $deal = one({ host => 'ru.test', origin => 'ru' },
                       phone => $typed, name => 'One');

        $contacts{linked($deal)}++;
    }

    is(scalar keys %contacts, 1, 'eight notations are one buyer');

    # a number nobody has tells nobody from another
    my @fake = map { one({ host => 'ru.test', origin => 'ru' },
                         phone => '+7 000 000-00-00', name => $_) } 'A', 'B';
    is(join(' ', map { $_->{contact}{name} } @fake), 'A B',
       'a number of one digit finds nobody');
    is_deeply($fake[1]{contact}{phones}, ['+70000000000'], 'but is kept');
}

# What the module remembers can't be poisoned by what people do meanwhile.
sub memory {
    my ($how) = @_;

    portal_n()->config(unknown_contact => $how);

    my %buyer = (name => 'Иван', phone => '+79160000001',
                 email => 'ivan@example.com');
    my $first = one(%buyer);
    my $contact = linked($first);
    my $from = arrived();

    my $known = one(%buyer);

    is(linked($known), $contact, 'known');
    is(kinds_since($from), 'write', 'one request');

    # deleted: the next order makes or finds somebody who is there
    portal_n()->edit(entity => 'contact', id => $contact, delete => \1);
    my $deal = one(%buyer);
    my $new = linked($deal);

    Test::More::isnt($new, $contact, 'deleted: not linked to nobody');
    is($deal->{contact}{name}, 'Иван', 'but to a contact');
    is_deeply([@{$deal->{contact}}{qw(phones emails)}],
        [['+79160000001'], ['ivan@example.com']], 'with phone and e-mail');
    is(linked(one(%buyer)), $new, 'which is known now');
    is($deal->{rows_sum}, '1990.00', 'with its rows');

    # merged: the winner has the phone
    my $winner = person('Winner', [], []);

    portal_n()->merge(entity => 'contact', winner => $winner, loser => $new);
    is(linked(one(%buyer)), $winner, 'merged: the winner');
    $from = arrived();
    is(linked(one(%buyer)), $winner, 'again');
    is(kinds_since($from), 'write', 'which is known now');

    # the number went to another person
    my $other = person('Other', ['+79160000001'], ['ivan@example.com']);
    my $record = call('crm.contact.get', { id => $winner });

    call('crm.contact.update', { id => $winner, fields => {
        PHONE => [map { { ID => $_->{ID}, VALUE => '+79169999999' } }
                      @{$record->{PHONE}}],
        EMAIL => [map { { ID => $_->{ID}, DELETE => 'Y' } }
                      @{$record->{EMAIL}}] } });
    is(linked(one(%buyer)), $other, 'the number changed hands: the new owner');

    # and everybody's own number stays his own
    is(linked(one(phone => '+79169999999', name => 'W')), $winner,
       'the former owner by the new number');

    my $crm = B24::Crm::whole_crm();

    is(scalar(grep { !@{$_->{contacts}} && $_->{id} > $known->{id} }
                   @{$crm->{report}{deals}}), 0, 'no deal hangs in the air');
    is($crm->{report}{counts}{deals}, 8, 'a deal for each order');
    B24::Desk::count_is('parked', 0, 'nothing parked');
}


# ---- firms ---------------------------------------------------------------

# a valid INN of these nine digits
sub inn {
    my ($digits) = @_;

    my @weights = (2, 4, 10, 3, 5, 9, 4, 6, 8);
    my $sum = 0;

    $sum += $weights[$_] * substr $digits, $_, 1 for 0 .. 8;

    return $digits . $sum % 11 % 10;
}

sub requisites {
    my ($company) = @_;

    return join '; ', map { join '/', $_->{preset_id}, $_->{inn} // '',
                            $_->{kpp} // '' }
                          @{($company // {})->{requisites} // []};
}

my $buyer = 0;

sub firm_order {
    my (%field) = @_;

    $buyer++;

    return one(name => "Buyer $buyer", phone => sprintf('+7916%07d', $buyer),
               %field);
}

sub firms_made {
    my ($a, $b) = (inn('770708389'), inn('773605000'));
    my $deal = firm_order(company => 'ООО «Чай &amp; Кофе»', inn => $a,
                          kpp => '773601001', uf_company => 'rule');
    my $company = $deal->{company};

    is_deeply(filled($company), { TITLE => 'ООО «Чай & Кофе»',
        COMPANY_TYPE => 'CUSTOMER', ORIGINATOR_ID => 'tested',
        ORIGIN_ID => "inn:$a/773601001", UF_CRM_RULE => 'rule',
        UF_CRM_CONF => 'conf', INDUSTRY => 'IT', ASSIGNED_BY_ID => '17',
        REVENUE => '0.00', HAS_PHONE => 'N', HAS_EMAIL => 'N',
        OPENED => 'Y' }, 'a whole company');
    is_deeply(filled($company->{requisites}[0]), {
        ENTITY_TYPE_ID => '4', ENTITY_ID => "$company->{id}",
        PRESET_ID => '3', NAME => 'ООО «Чай & Кофе»', RQ_INN => $a,
        RQ_KPP => '773601001', RQ_COMPANY_NAME => 'ООО «Чай & Кофе»',
        ACTIVE => 'Y', SORT => '500', ASSIGNED_BY_ID => '1' },
        'and its requisite');
    is(scalar @{$company->{requisites}}, 1, 'one');
    is_deeply($deal->{contact}{company_ids}, [$company->{id}],
        'linked to the contact');
    is($deal->{contact}{fields}{COMPANY_ID}, "$company->{id}", 'its first');
    is($deal->{company_id}, $company->{id}, 'and to the deal');

    # the same firm, another buyer
    my $again = firm_order(company => 'ЧАЙ И КОФЕ', inn => $a,
                           kpp => '773601001');
    is($again->{company_id}, $company->{id}, 'found by INN and KPP');
    is($again->{company}{title}, 'ООО «Чай & Кофе»', 'as it was');
    is(requisites($again->{company}), "3/$a/773601001", 'no requisite more');
    is_deeply($again->{contact}{company_ids}, [$company->{id}],
        'linked to the other buyer, too');

    # a branch of it
    my $branch = firm_order(company => 'Филиал', inn => $a,
                            kpp => '540201001');
    Test::More::isnt($branch->{company_id}, $company->{id},
                     'another KPP is another branch');
    is(requisites($branch->{company}), "3/$a/540201001", 'with its own');
    is(firm_order(company => 'Филиал', inn => $a, kpp => '540201001')
       ->{company_id}, $branch->{company_id}, 'found by it');
    is(firm_order(company => 'x', inn => $a)->{company_id}, $company->{id},
       'without a KPP the lowest id');

    # an INN alone
    my $alone = firm_order(inn => $b);
    is($alone->{company}{title}, "INN $b", 'an INN without a name');
    is(requisites($alone->{company}), "3/$b/", 'in a requisite');
    is(firm_order(company => 'Газ', inn => $b)->{company_id},
       $alone->{company_id}, 'found by it');

    # sole proprietors
    my $twelve = '500100732259';
    my $ip = firm_order(company => 'ИП Иванов', inn => $twelve,
                        kpp => '773601001');
    is(requisites($ip->{company}), "3/$twelve/", 'twelve digits: no KPP');
    like($ip->{comments}, qr/^KPP as typed: 773601001$/m,
         'which is in the comment');

    # what is none
    for my $bad ('7707083894', '1234567890', '770708389', '0000000000',
                 '500100732258', 'нет', '77 0708 3893')
    {
        my $odd = firm_order(company => "Firm of $bad", inn => $bad,
                             kpp => '77360100');

        is($odd->{company}{title}, "Firm of $bad", "no INN: $bad");
        is(requisites($odd->{company}), '', 'no requisite');
        is($odd->{company}{origin_id}, $odd->{origin_id}, 'its origin');
        like($odd->{comments}, qr/^INN as typed: \Q$bad\E$/m,
             'kept as a text');
        like($odd->{comments}, qr/^KPP as typed: 77360100$/m, 'the KPP, too');
    }

    my $none = firm_order(inn => '7707083894');
    is($none->{company_id}, 0, 'no INN and no name: no company');
    like($none->{comments}, qr/^INN as typed: 7707083894$/m, 'a text');
    is_deeply($none->{contact}{company_ids}, [], 'no link');
}

sub firms_found {
    my ($a, $b, $c, $d) = map { inn($_) } qw(770708389 773605000 540123456
                                             781234567);
    my $manual = firm('Manual', $a, '773601001');
    my $east = firm('East', $b, '250101001');
    my $west = firm('West', $b, '390101001');
    my $open = firm('Open', $c);
    my $by_hand = firm('Same name');

    is(firm_order(company => 'x', inn => $a, kpp => '773601001')
       ->{company_id}, $manual, 'one that a person made, by INN and KPP');
    is(firm_order(company => 'x', inn => $a)->{company_id}, $manual,
       'by its INN');
    is(firm_order(company => 'x', inn => $b, kpp => '390101001')
       ->{company_id}, $west, 'of two branches the one with that KPP');
    is(firm_order(company => 'x', inn => $b, kpp => '250101001')
       ->{company_id}, $east, 'and the other');
    is(firm_order(company => 'x', inn => $b)->{company_id}, $east,
       'without a KPP the lowest id');
    is(firm_order(company => 'x', inn => $c, kpp => '773601001')
       ->{company_id}, $open, 'a requisite without KPP fits any');

    my $third = firm_order(company => 'North', inn => $b, kpp => '510101001');
    is($third->{company}{title}, 'North', 'a third KPP is a new one');
    is(requisites($third->{company}), "1/$b/510101001", 'with its requisite');

    # by title, of our own origin only
    my $ours = firm_order(company => 'Same name');
    Test::More::isnt($ours->{company_id}, $by_hand,
                     'a name a person has used says nothing');
    is(firm_order(company => ' Same name ')->{company_id},
       $ours->{company_id}, 'one of our own is found by its name');
    is($ours->{company}{origin_id}, $ours->{origin_id}, 'its origin');

    # the firm tells its INN later
    my $later = firm_order(company => 'Same name', inn => $d,
                           kpp => '780101001');
    is($later->{company_id}, $ours->{company_id}, 'the same, now with an INN');
    is(requisites($later->{company}), "1/$d/780101001", 'in a requisite');
    is($later->{company}{origin_id}, "inn:$d/780101001", 'and its origin');
    is(requisites(firm_order(company => 'Same name', inn => $d,
                             kpp => '780101001')->{company}),
       "1/$d/780101001", 'not once more');

    # another firm of that name
    my $e = inn('660123456');
    my $namesake = firm_order(company => 'Same name', inn => $e);
    Test::More::isnt($namesake->{company_id}, $ours->{company_id},
                     'another INN is another firm of that name');
    is(requisites($namesake->{company}), "1/$e/", 'with its own requisite');

    # another shop has its own names
    my $other = one({ host => 'other.test', origin => 'other' },
                    name => 'O', company => 'Same name');
    ok(!grep({ $_ == $other->{company_id} } $by_hand, $ours->{company_id},
             $namesake->{company_id}), 'names are per origin');
    is(one({ host => 'other.test', origin => 'other' }, name => 'O',
           company => 'x', inn => $a)->{company_id}, $manual,
       'an INN is the same for all');

    # a buyer who is known, with a firm that isn't, and the other way round
    my %buyer = (name => 'Анна', phone => '+79990000001');
    my $private = one(%buyer);
    my $first = one(%buyer, company => 'First');
    my $second = one(%buyer, company => 'Second');

    is(linked($second), linked($private), 'one buyer');
    is_deeply($second->{contact}{company_ids},
        [$first->{company_id}, $second->{company_id}], 'two firms');
    is($second->{contact}{fields}{COMPANY_ID}, "$first->{company_id}",
       'the first one stays first');
    is($second->{company}{title}, 'Second', 'each deal has its own');
    is($private->{company_id}, 0, 'or none');
}

# Requests: a company adds commands, not requests.
sub how_many_requests {
    my %firm = (company => 'Firm', inn => inn('770708389'),
                kpp => '773601001');
    my %ivan = (name => 'Иван', phone => '+79160000001',
                email => 'ivan@example.com');
    my $count = sub {
        my ($what, $wanted, %field) = @_;

        my $from = arrived();
        my $deal = one(%field);

        is(kinds_since($from), $wanted, $what);
        is($deal->{rows_sum}, '1990.00', 'with its rows');
        is(arrived() - $from, () = $wanted =~ /\S+/g, 'and nothing else');

        return $deal;
    };

    # what the portal is asked about itself comes first
    B24::Scenario::wait_until(sub { arrived() > 0 });
    portal_n()->wait_for(stable_ms => 300);

    $count->('an unknown buyer', 'look write', %ivan);
    $count->('a known one', 'write', %ivan);
    $count->('once more', 'write', %ivan);
    $count->('by the phone alone', 'write', %ivan, email => undef);
    $count->('by the e-mail alone', 'write', %ivan, phone => undef);
    $count->('a firm that is not known', 'look write', %ivan, %firm);

    my $deal = $count->('a known firm', 'write', %ivan, %firm);

    is($deal->{company}{title}, 'Firm', 'is linked');
    is_deeply($deal->{contact}{company_ids}, [$deal->{company_id}],
        'to the buyer as well');
    $count->('another buyer of that firm', 'look write', name => 'Анна',
             phone => '+79160000002', %firm);
    $count->('and again', 'write', name => 'Анна', phone => '+79160000002',
             %firm);
    $count->('a stranger who tells nothing', 'look write', name => 'x');

    # a retry looks first
    portal_n()->fault(kind => 'drop_after',
                      method => 'crm\.(?:deal|item)\.add');
    my $from = arrived();

    $deal = one(%ivan);
    like(kinds_since($from), qr/^write look(?: write)?$/,
         'an answer that was lost');
    is($deal->{rows_sum}, '1990.00', 'the rows once');
    is(B24::Crm::whole_crm()->{report}{counts}{contacts}, 3, 'three buyers');
}


# ---- deals ---------------------------------------------------------------

# A whole deal; $prefix is that of its pipeline's stages.
sub whole_deal {
    my ($category, $prefix) = @_;

    my $deal = one({ args => 'utm=mail%20x&way=42',
                     headers => ['X-Ga', 'GA1.2.3'] },
        id => 'A-17/26', name => 'Иван', phone => '+79160000001',
        company => 'Firm', total => '1990', status => 'P',
        comment => "Позвоните\nзаранее [b]", address => 'Москва, Тверская, 1',
        uf_deal => 'правило', utm_source => 'google', utm_campaign => 'чай',
        utm_content => 'c', utm_term => 't');

    is_deeply(filled($deal, qw(BEGINDATE CLOSEDATE)), {
        TITLE => 'Order #A-17/26', TYPE_ID => 'GOODS',
        CATEGORY_ID => $category, STAGE_ID => "${prefix}PREPARATION",
        STAGE_SEMANTIC_ID => 'P', CURRENCY_ID => 'RUB',
        OPPORTUNITY => '1990.00', IS_MANUAL_OPPORTUNITY => 'Y',
        TAX_VALUE => '0.00', COMPANY_ID => "$deal->{company}{id}",
        CONTACT_ID => "$deal->{contact}{id}",
        CONTACT_IDS => [$deal->{contact}{id}], CLOSED => 'N', OPENED => 'Y',
        SOURCE_ID => 'WEB', SOURCE_DESCRIPTION => 'from localhost',
        ASSIGNED_BY_ID => '17', ORIGINATOR_ID => 'tested',
        ORIGIN_ID => 'A-17/26', ADDITIONAL_INFO => 'a & b = "c" #1',
        UTM_SOURCE => 'google', UTM_MEDIUM => 'mail%20x',
        UTM_CAMPAIGN => 'чай', UTM_CONTENT => 'c', UTM_TERM => 't',
        UF_CRM_GA => 'GA1.2.3', UF_CRM_RULE => 'правило',
        UF_CRM_CONF => 'location', UF_CRM_TAGS => ['one', 'два', 'GA1.2.3'],
        UF_CRM_WAY => '42', UF_CRM_WAYS => ['52', '51'], UF_CRM_GIFT => '1',
        UF_CRM_DAY => '2026-12-31T00:00:00+03:00',
        COMMENTS => "From the configuration \x{ff3b}i]\nПозвоните\nзаранее "
            . "\x{ff3b}b]\nAddress: Москва, Тверская, 1" }, 'a whole deal');
    is_deeply([map { [@$_{qw(product_name price quantity sum)}] }
               @{$deal->{rows}}],
        [['Mug', '795.00', '2', '1590.00'],
         ['Delivery', '400.00', '1', '400.00']], 'its rows');
    is(record_of($deal)->{cause}, undef, 'nothing to remark');
    is_deeply([map { $_->{deal_id} } record_of($deal)], [$deal->{id}],
              'the record knows it');

    # what isn't told isn't set
    my $least = one({ args => '' }, id => 'least', total => undef,
                    delivery => undef, phone => '+79160000001');
    is($least->{opportunity}, '1590.00', 'without a total the rows say it');
    ok(!$least->{manual}, 'and go on to');
    is($least->{stage_id}, "${prefix}NEW", 'the default status');
    is_deeply([@{$least->{fields}}{qw(UTM_MEDIUM UF_CRM_GA UTM_TERM)},
               $least->{fields}{UF_CRM_TAGS}],
        [undef, undef, undef, ['one', 'два']], 'no empty fields');
    is($least->{company_id}, 0, 'no company');

    my $odd = one(id => 'euro', total => '0.10', currency => 'eur',
                  delivery => undef, items => []);
    is("$odd->{opportunity} $odd->{currency_id}", '0.10 EUR',
       'another currency, no rows');
    is_deeply($odd->{rows}, [], 'none at all');

    # a title of the configuration, cut at its size
    my $titled = one({ host => 'titled.test', origin => 'titled' },
                     id => 'T-1', phone => '+79160000001');
    is($titled->{title}, 'Заказ T-1 ' . ('ы' x 245), 'a title of 255');
    is(length $titled->{title}, 255, 'characters');
}

our $deal_lines = join ' ', map { "b24_deal $_;" }
    'TYPE_ID GOODS', 'SOURCE_ID WEB', 'SOURCE_DESCRIPTION "from $host"',
    'ASSIGNED_BY_ID 17', 'UTM_MEDIUM $arg_utm', 'UF_CRM_GA $http_x_ga',
    'UF_CRM_CONF http', 'UF_CRM_TAGS[0] one', 'UF_CRM_TAGS[1] два',
    'UF_CRM_TAGS[2] $http_x_ga', 'UF_CRM_WAY 42', 'UF_CRM_WAYS[0] 52',
    'UF_CRM_WAYS[1] 51', 'UF_CRM_GIFT 1', 'UF_CRM_DAY 2026-12-31',
    'COMMENTS "From the configuration [i]"',
    q{ADDITIONAL_INFO 'a & b = "c" #1'};

our $contact_lines = 'b24_contact SOURCE_ID WEB; b24_contact POST покупатель;'
    . ' b24_contact UF_CRM_CONF conf; b24_contact ASSIGNED_BY_ID 17;'
    . ' b24_contact COMMENTS "[b] из <i>магазина"; b24_contact PHONE +78005553535;';
our $company_lines = 'b24_company INDUSTRY IT; b24_company UF_CRM_CONF conf;'
    . ' b24_company ASSIGNED_BY_ID 17; b24_requisite_preset 3;';

# nginx's configuration is bytes
sub configured {
    my (%option) = @_;

    my $text = B24::Crm::http(%option);

    utf8::encode($text);

    return $text;
}

sub titled_server {
    return B24::Crm::named_server('titled.test', 'b24_origin titled;',
        'b24_deal TITLE "Заказ T-1 ' . ('ы' x 300) . '";');
}

sub whole_deal_http {
    my ($api, $category) = @_;

    return configured(api => $api, servers => titled_server(),
        lines => "$deal_lines b24_category $category;");
}


# ---- stages --------------------------------------------------------------

our $stage_servers = join '', map {
    my ($name, @lines) = @$_;
    B24::Crm::named_server("$name.test", "b24_origin $name;", @lines)
} ['pipeline', 'b24_category 3;'],
  ['single', 'b24_stage P EXECUTING;', 'b24_stage PAID WON;',
             'b24_stage CANCELED LOSE;', 'b24_stage SHIPPED FINAL_INVOICE;'],
  ['none', 'b24_stage none;'],
  ['only', 'b24_stage none;', 'b24_stage P WON;'],
  ['full', 'b24_category 3;', 'b24_stage P EXECUTING;'],
  ['wrong', 'b24_stage P NOSUCH;'],
  ['nowhere', 'b24_category 77;'];

# The page's warnings of an origin, once the portal has been asked.
sub warnings_of {
    my ($origin) = @_;

    my ($portal) = grep { $_->{origin} eq $origin }
                        @{B24::Desk::status()->{portals}};

    return @{$portal->{warnings} // []};
}

sub stages {
    my $wrong = B24::Scenario::wait_until(sub { warnings_of('wrong') });

    # before the first order
    ok($wrong, 'an unknown stage is named at the start');
    is(scalar(() = B24::Crm::records()), 0, 'before any order');
    like(join("\n", warnings_of('wrong')), qr/NOSUCH/, 'on the page');
    like(B24::Scenario::error_log(), qr/\[warn\].*NOSUCH/, 'and in the log');
    like(join("\n", warnings_of('nowhere')), qr/\b77\b/, 'so is a pipeline');
    is(join("\n", map { warnings_of($_) } qw(tested pipeline single none
                                             full)), '', 'and nothing else');

    my @cases = (
        ['tested', 'N', 'NEW'], ['tested', 'P', 'PREPARATION'],
        ['tested', 'E', 'EXECUTING'], ['tested', 'W', 'WON'],
        ['tested', undef, 'NEW'],
        ['pipeline', 'P', 'C3:PREPARATION'], ['pipeline', 'W', 'C3:WON'],
        ['pipeline', undef, 'C3:NEW'],
        ['single', 'P', 'EXECUTING'], ['single', 'E', 'EXECUTING'],
        ['single', 'W', 'WON'], ['single', undef, 'NEW'],
        ['single', 'PAID', 'WON'], ['single', 'CANCELED', 'LOSE'],
        ['single', 'SHIPPED', 'FINAL_INVOICE'],
        ['only', 'P', 'WON'], ['full', 'P', 'C3:EXECUTING'],
        ['full', 'W', 'C3:WON'],
        # the last: with a remark
        ['tested', 'X', 'NEW', 1], ['tested', 'n', 'NEW', 1],
        ['tested', ' P ', 'PREPARATION'], ['only', 'W', 'NEW', 1],
        ['pipeline', 'X', 'C3:NEW', 1], ['wrong', 'P', 'NEW', 1],
        ['wrong', 'W', 'WON'], ['nowhere', 'P', undef, 1],
    );

    for my $case (@cases) {
        my ($origin, $status, $stage, $remark) = @$case;
        my $what = "$origin, " . ($status // 'no status');
        my $deal = one({ host => $origin eq 'tested' ? undef : "$origin.test",
                         origin => $origin }, status => $status,
                       phone => '+79160000001');
        my ($note) = B24::Crm::notes($deal);
        my $cause = record_of($deal)->{cause};

        is($deal->{stage_id}, $stage, $what) if defined $stage;
        is($deal->{category_id}, $origin =~ /^(?:pipeline|full)$/ ? 3 : 0,
           'in its pipeline');
        is($deal->{opportunity}, '1990.00', 'whole');

        if ($remark) {
            like($note // '', qr/stage|pipeline/i, "$what: the deal says so");
            like($cause // '', qr/stage|pipeline/i, 'and the record');
            Test::More::unlike($note // '', qr/ X |"X"/,
                               'without what may be a buyer\'s');

        } else {
            is($note, undef, "$what: nothing to remark");
            is($cause, undef, 'nor in the record');
        }
    }

    # an empty table: the pipeline's first stage is what was wanted
    my $deal = one({ host => 'none.test', origin => 'none' }, status => 'P');
    is($deal->{stage_id}, 'NEW', 'an empty table');
}

# A portal of another version: crm.dealcategory.stage.list has gone.
sub stages_by_status {
    my $portal = portal_n();

    $portal->config(gone => ['crm.dealcategory.*']);

    my $from = arrived();

    B24::Scenario::reload();
    ok(B24::Scenario::wait_until(sub {
        return grep { grep { ($_->{method} // '') eq 'crm.status.list' }
                           @{$_->{commands} // []} }
               B24::Crm::requests($portal, $from);
    }), 'crm.status.list is asked instead');
    ok(B24::Scenario::wait_until(sub { warnings_of('wrong') }),
       'and knows as much');
    like(join("\n", warnings_of('wrong')), qr/NOSUCH/, 'the unknown stage');
    like(join("\n", warnings_of('nowhere')), qr/\b77\b/, 'the pipeline');
    is(join("\n", map { warnings_of($_) } qw(tested pipeline full)), '',
       'the others are there');
    is(one({ host => 'pipeline.test', origin => 'pipeline' }, status => 'W')
       ->{stage_id}, 'C3:WON', 'a stage of its pipeline');

    # by both methods with the same names
    my $deal = one({ host => 'wrong.test', origin => 'wrong' }, status => 'P');
    is($deal->{stage_id}, 'NEW', 'the first stage');
    is(scalar B24::Crm::notes($deal), 1, 'with a remark');

    # none of the two: nobody knows, nothing is lost
    $portal->config(gone => ['crm.dealcategory.*', 'crm.status.*']);
    $from = arrived();
    B24::Scenario::reload();
    B24::Scenario::wait_until(sub { arrived() > $from });
    is(one(status => 'P')->{stage_id}, 'PREPARATION', 'neither: as told');
}

# Values the portal ignores without a word are seen when the deal is read.
sub read_back {
    my $portal = portal_n();

    B24::Scenario::wait_until(sub { arrived() > 0 });
    $portal->wait_for(stable_ms => 300);

    # a person takes a stage away after we have read the list
    my @stages = grep { $_->{STATUS_ID} ne 'PREPARATION' }
        @{B24::Portal::Schema::default_statuses()->{DEAL_STAGE}};

    $portal->config(statuses => { DEAL_STAGE => \@stages });

    my $from = arrived();
    my $deal = one(status => 'P', phone => '+79160000001');

    is($deal->{stage_id}, 'NEW', 'the stage has gone');
    like(record_of($deal)->{cause} // '', qr/PREPARATION/,
         'the record names it');
    is(record_of($deal)->{state}, 'delivered', 'delivered');
    is(kinds_since($from), 'look write', 'read in the same batch');

    $from = arrived();
    $deal = one(status => 'W', phone => '+79160000001');
    is("$deal->{stage_id} " . (record_of($deal)->{cause} // ''), 'WON ',
       'another stage is fine');
    is(kinds_since($from), 'write', 'and one request for a known buyer');

    $deal = one({ host => 'enum.test', origin => 'enum' },
                phone => '+79160000001');
    is_deeply([@{$deal->{fields}}{qw(SOURCE_ID TYPE_ID)}], [undef, 'SALE'],
              'wrong values of lists are dropped by the portal');
    like(record_of($deal)->{cause} // '', qr/$_/, "the record names $_")
        for qw(SOURCE_ID TYPE_ID);
    is($deal->{rows_sum}, '1990.00', 'the deal is whole');
}


# ---- portals that are different ------------------------------------------

# Whole orders, as they are on a portal without any of that.
sub usual {
    my (@more) = @_;

    my $deal = one(name => 'Иван', phone => '+79160000001',
                   email => 'ivan@example.com', company => 'Firm',
                   inn => inn('770708389'), status => 'P', uf_deal => 'x',
                   @more);

    is_deeply([$deal->{stage_id}, $deal->{opportunity}, $deal->{rows_sum},
               $deal->{contact}{name}, @{$deal->{contact}{phones}},
               @{$deal->{contact}{emails}}, $deal->{company}{title},
               requisites($deal->{company}),
               @{$deal->{contact}{company_ids}},
               $deal->{fields}{UF_CRM_RULE}, record_of($deal)->{attempts}],
        ['PREPARATION', '1990.00', '1990.00', 'Иван', '+79160000001',
         'ivan@example.com', 'Firm', '1/' . inn('770708389') . '/',
         $deal->{company_id}, 'x', 1], 'a whole order, at once');

    return $deal;
}

# What an administrator made mandatory is checked by one family of methods
# only: the other one takes the order.
sub mandatory {
    my ($by) = @_;

    my $portal = portal_n();

    for my $entity (qw(deal contact company)) {
        my %field = (deal => 'UF_CRM_GA', contact => 'POST',
                     company => 'BANKING_DETAILS');

        $portal->reset(config => { bucket => { burst => 100_000 },
            user_fields => \%B24::Crm::USER_FIELDS, mandatory_by => $by,
            mandatory => { $entity => [$field{$entity}] } });
        $numbers += 10;
        usual(id => "m-$entity");

        my $crm = B24::Crm::whole_crm();

        is_deeply([@{$crm->{report}{counts}}{qw(deals contacts companies
            requisites)}], [1, 1, 1, 1], "$entity: each once");
    }

    # checked by both: a person is needed, and nothing is lost
    $portal->reset(config => { bucket => { burst => 100_000 },
        user_fields => \%B24::Crm::USER_FIELDS, mandatory_by => 'both',
        mandatory => { deal => ['UF_CRM_GA'] } });
    B24::Crm::order(id => 'both', name => 'Иван', phone => '+79160000001');
    ok(B24::Scenario::wait_until(sub {
        return (B24::Crm::record('both') // { cause => '' })->{cause};
    }), 'by both: the order waits or is parked');

    my $record = B24::Crm::record('both');

    like($record->{cause} . $record->{advice}, qr/UF_CRM_GA|mandatory/,
         'and says why');
    Test::More::isnt($record->{state}, 'delivered', 'not delivered');

    $portal->config(mandatory_by => 'universal', mandatory => {
        deal => [] });
    return if $record->{state} eq 'parked';
    is(B24::Crm::delivered('both')->{rows_sum} // '', '1990.00',
       'delivered once it is no more');
}

# Methods that a portal hasn't got any more, or not yet.
sub methods_gone {
    my (@gone) = @_;

    my $portal = portal_n();

    for my $gone (@gone) {
        $portal->reset(config => { bucket => { burst => 100_000 },
            user_fields => \%B24::Crm::USER_FIELDS, gone => $gone });
        usual(id => 'g-' . join '-', map { s/\W+/-/gr } @$gone);
        is_deeply([@{$portal->report->{counts}}{qw(deals contacts companies)}],
                  [1, 1, 1], "without @$gone");
    }
}

# Both families of methods leave the same behind, but for the times.
sub same_state {
    my @orders = (
        { name => 'Иван', phone => '+79160000001',
          email => 'ivan@example.com' },
        { name => 'Иван', phone => '8 916 000-00-01' },
        { first_name => 'Анна', second_name => 'И.', last_name => 'Ким',
          email => 'anna@example.com', phone => undef },
        { name => 'Firm', phone => '+79160000002', company => 'ООО «А»',
          inn => inn('770708389'), kpp => '773601001' },
        { name => 'Firm', phone => '+79160000002', company => 'ООО «А»',
          inn => inn('770708389'), kpp => '540201001' },
        { name => 'x', company => 'Без ИНН', inn => '123' },
        { name => 'ё' x 60, phone => 'нет', email => 'нет',
          comment => "a\n[b]<i> \$result[d]", address => '&lt;b&gt;' },
        { phone => '+79160000003', total => '1000.00', discount => '590.00',
          delivery => undef, tax => '10', status => 'E' },
        { phone => '+79160000003', total => '100.00', delivery => undef,
          items => [{ name => 'A', price => '33.33', quantity => '3' }] },
        { phone => '+79160000003', total => undef, delivery => '0.00',
          items => [{ name => 'B', price => '8.33', quantity => '0.333',
                      tax_rate => '20', tax_included => 'N',
                      measure => '166' }, { sum => '5', quantity => '2' }] },
        { phone => '+79160000003', status => 'W', uf_deal => "x\ny",
          utm_source => 's', utm_term => 'ы' x 250, uf_contact => 'never' },
        { phone => '+79160000004', uf_contact => 'c', uf_company => 'k',
          company => 'K', currency => 'usd', items => [], delivery => '5' },
        { id => 'long-' . ('n' x 240), phone => '+79160000004' },
    );

    for my $n (0 .. $#orders) {
        my %order = (name => undef, id => "s-$n", %{$orders[$n]});

        B24::Crm::order({ host => "$_.test" }, %order)
            for 'classic', 'universal';

        # one by one, so that they get the same numbers

        B24::Crm::accepted(2 * ($n + 1));
    }

    ok(B24::Crm::accepted(2 * @orders), 'all delivered');

    my @state = map { plain_state(portal_n($_)->report(journal => 0)) } 1, 2;

    is($state[0]{counts}{deals}, scalar @orders, 'all there');
    is_deeply($state[1], $state[0], 'the same by both families of methods');
}

# A report without times and numbers of requests.
sub plain_state {
    my ($data, $name) = @_;

    return [map { plain_state($_) } @$data] if ref $data eq 'ARRAY';
    return $data if ref $data ne 'HASH';

    return { map { $_ => plain_state($data->{$_}) }
             grep { !/^(?:DATE_CREATE|DATE_MODIFY|MOVED_TIME|BEGINDATE
                      |CLOSEDATE|CREATED_TIME|limits|arrived|requests|journal
                      |touched|ORIGINATOR_ID|originator_id|at)$/x }
                  keys %$data };
}


# ---- several shops, several portals --------------------------------------

our $second_shop = B24::Crm::rules(name => 'second',
    stages => 'stage 1 EXECUTING; stage 2 FINAL_INVOICE; default_status 1;',
    currency => 'USD', more => 'deal SOURCE_DESCRIPTION text:second;');

sub shop_servers {
    return $second_shop . join '', map {
        my ($name, @lines) = @$_;
        B24::Crm::named_server("$name.test", "b24_origin $name;", @lines)
    } ['north', 'b24_category 3;', 'b24_stage P EXECUTING;',
                'b24_deal ASSIGNED_BY_ID 5;'],
      ['south', 'b24_match email;', 'b24_phone_code 375;'],
      ['east', 'b24_webhook $TEST_NGINX_PORTAL_URL_2;', 'b24_category 3;',
               'b24_api universal;'],
      ['west', 'b24_webhook $TEST_NGINX_PORTAL_URL_2;',
               'b24_requisite_preset 2;'];
}

# The servers' mirrors are of the first shop, but for that of the west.
sub several_http {
    my ($api) = @_;

    my $text = B24::Crm::http(api => $api, servers => shop_servers());

    # before the servers that follow the rules
    $text =~ s/(server_name west\.test;\s+b24_mirror) full;/$1 second;/;

    return $text;
}

sub several_shops {
    my %ivan = (name => 'Иван', phone => '+79160000001',
                email => 'ivan@example.com');
    my $in = sub {
        my ($origin, $n, %field) = @_;

        return one({ host => $origin eq 'tested' ? undef : "$origin.test",
                     origin => $origin, portal => portal_n($n) }, %field);
    };

    # the same number in every shop is an order of its own
    my %deal = map { my ($origin, $n) = @$_;
                     $origin => $in->($origin, $n, %ivan, id => '1001',
                                      status => 'P') }
               ['tested', 1], ['north', 1], ['south', 1], ['east', 2];

    $deal{west} = $in->('west', 2, %ivan, id => '1001', status => '2',
                        company => 'Firm', inn => inn('770708389'));

    is_deeply({ map { $_ => join ' ', @{$deal{$_}}{qw(originator_id
                      category_id stage_id currency_id)} } keys %deal },
        { tested => 'tested 0 PREPARATION RUB',
          north => 'north 3 C3:EXECUTING RUB',
          south => 'south 0 PREPARATION RUB',
          east => 'east 3 C3:PREPARATION RUB',
          west => 'west 0 FINAL_INVOICE USD' },
        'origin, pipeline, stage table and rules are each their own');
    is($deal{north}{fields}{ASSIGNED_BY_ID}, '5', 'fields, too');
    is($deal{tested}{fields}{ASSIGNED_BY_ID}, '1', 'and of nobody else');
    is($deal{west}{fields}{SOURCE_DESCRIPTION}, 'second', 'rules');
    is(requisites($deal{west}{company}), '2/' . inn('770708389') . '/',
       'preset');

    # one buyer is one contact of a portal
    is(join(' ', map { linked($deal{$_}) } qw(tested north south)),
       join(' ', (linked($deal{tested})) x 3), 'one buyer, one portal');
    is(join(' ', map { linked($deal{$_}) } qw(east west)),
       join(' ', (linked($deal{east})) x 2), 'and on the other');
    is_deeply([map { [@{portal_n($_)->report->{counts}}{qw(deals contacts)}] }
               1, 2], [[3, 1], [2, 1]], 'nothing more');

    # what one shop has learned the others know
    my $from = arrived(1);
    $in->('tested', 1, name => 'Анна', phone => '+79160000002');
    is(kinds_since($from, 1), 'look write', 'a new buyer of one shop');
    $from = arrived(1);
    my $second = $in->('north', 1, name => 'Анна', phone => '+79160000002');
    is(kinds_since($from, 1), 'write', 'is known in another');
    is($second->{contact}{name}, 'Анна', 'rightly');
    $from = arrived(2);
    $in->('east', 2, name => 'Анна', phone => '+79160000002');
    is(kinds_since($from, 2), 'look write', 'not on another portal');

    # matching is each its own, and so is the country
    is($in->('south', 1, phone => '29 123-45-67', email => 'by@example.com')
       ->{contact}{phones}[0], '+375291234567', 'its country');
    is($in->('north', 1, phone => '916 123-45-67')->{contact}{phones}[0],
       '+79161234567', 'and the other');
    Test::More::isnt(linked($in->('south', 1, name => 'B',
        phone => '+79160000002')), linked($second),
        'its way to find buyers');

    # one limiter for a portal
    my %seen = map { $_->{origin} => $_ } @{B24::Desk::status()->{portals}};

    is(join(' ', map { $seen{$_}{requests_total} } qw(north south)),
       join(' ', ($seen{tested}{requests_total}) x 2),
       'requests of one portal are counted together');
    is($seen{west}{requests_total}, $seen{east}{requests_total},
       'and of the other');
    is($seen{tested}{requests_total}, arrived(1), 'all that were sent');
    is($seen{west}{requests_total}, arrived(2), 'there, too');

    # two shops, one new buyer, at once
    my @bytes = map {
        B24::Client::request_bytes('POST', '/checkout', B24::Crm::order_body(
            id => "once-$_", name => 'Новый', phone => '+79160000099'),
            'Content-Type' => 'application/json',
            Host => (qw(north south north))[$_ % 3] . '.test')
    } 0 .. 11;

    # south finds by e-mail only, and has none here
    @bytes = grep { !/Host: south/ } @bytes;

    my @clients = map { my $client = B24::Scenario::client(
                            $ENV{TEST_NGINX_PORT_2});
                        $client->send($_);
                        $client } @bytes;

    $_->response for @clients;
    B24::Scenario::wait_until(sub {
        return !grep { $_->{state} ne 'delivered' } B24::Crm::records();
    });
    is(scalar(grep { ($_->{name} // '') eq 'Новый' }
                   @{portal_n()->report->{contacts}}), 1,
       'a new buyer of two shops at once is one contact');
}

# One portal that is down holds up no other.
sub one_portal_down {
    my %ivan = (name => 'Иван', phone => '+79160000001');

    portal_n(2)->config(webhook => { state => 'INVALID_CREDENTIALS' });
    B24::Crm::order({ host => 'east.test' }, id => 'stuck', %ivan);
    B24::Scenario::wait_until(sub {
        return (B24::Crm::record('stuck') // {})->{state} eq 'waiting';
    });
    is(one({ host => 'north.test', origin => 'north' }, %ivan)->{category_id},
       3, 'the other portal goes on');

    my %seen = map { $_->{origin} => $_ } @{B24::Desk::status()->{portals}};

    is(join(' ', map { $seen{$_}{state} } qw(tested north south east west)),
       'ok ok ok blocked blocked', 'as the page says');
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: buyers that are found, by every form of b24_match, classic
--- http_config eval: B24::Crm::http(api => 'classic', servers => main::form_servers())
--- config eval: $::server
--- scenario
    main::buyers_found();



=== TEST 2: buyers that are found, by every form of b24_match, universal
--- http_config eval: B24::Crm::http(api => 'universal', servers => main::form_servers())
--- config eval: $::server
--- scenario
    main::buyers_found();



=== TEST 3: buyers that are made, classic
--- http_config eval: main::configured(api => 'classic', lines => $::contact_lines)
--- config eval: $::server
--- scenario
    main::buyers_made();



=== TEST 4: buyers that are made, universal
--- http_config eval: main::configured(api => 'universal', lines => $::contact_lines)
--- config eval: $::server
--- scenario
    main::buyers_made();



=== TEST 5: e-mails, classic
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::emails();



=== TEST 6: e-mails, universal
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::emails();



=== TEST 7: phones of several countries, classic
--- http_config eval: B24::Crm::http(api => 'classic', servers => main::code_servers())
--- config eval: $::server
--- scenario
    main::phone_forms();



=== TEST 8: phones of several countries, universal
--- http_config eval: B24::Crm::http(api => 'universal', servers => main::code_servers())
--- config eval: $::server
--- scenario
    main::phone_forms();



=== TEST 9: people change the CRM meanwhile, links to nobody are dropped, classic
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::memory('drop');



=== TEST 10: people change the CRM meanwhile, links to nobody are dropped, universal
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::memory('drop');



=== TEST 11: people change the CRM meanwhile, links to nobody are refused, classic
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::memory('refuse');



=== TEST 12: people change the CRM meanwhile, links to nobody are refused, universal
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::memory('refuse');



=== TEST 13: firms that are made, classic
--- http_config eval: main::configured(api => 'classic', lines => $::company_lines)
--- config eval: $::server
--- scenario
    main::firms_made();



=== TEST 14: firms that are made, universal
--- http_config eval: main::configured(api => 'universal', lines => $::company_lines)
--- config eval: $::server
--- scenario
    main::firms_made();



=== TEST 15: firms that are found, classic
--- http_config eval
B24::Crm::http(api => 'classic', servers => B24::Crm::named_server('other.test', 'b24_origin other;'))
--- config eval: $::server
--- scenario
    main::firms_found();



=== TEST 16: firms that are found, universal
--- http_config eval
B24::Crm::http(api => 'universal', servers => B24::Crm::named_server('other.test', 'b24_origin other;'))
--- config eval: $::server
--- scenario
    main::firms_found();



=== TEST 17: how many requests an order takes, classic
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::how_many_requests();



=== TEST 18: how many requests an order takes, universal
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::how_many_requests();



=== TEST 19: a whole deal, classic
--- http_config eval: main::whole_deal_http('classic', 0)
--- config eval: B24::Crm::server(checkout => 'b24_deal UF_CRM_CONF location;')
--- scenario
    main::whole_deal(0, '');



=== TEST 20: a whole deal, universal
--- http_config eval: main::whole_deal_http('universal', 0)
--- config eval: B24::Crm::server(checkout => 'b24_deal UF_CRM_CONF location;')
--- scenario
    main::whole_deal(0, '');



=== TEST 21: a whole deal in another pipeline, classic
--- http_config eval: main::whole_deal_http('classic', 3)
--- config eval: B24::Crm::server(checkout => 'b24_deal UF_CRM_CONF location;')
--- scenario
    main::whole_deal(3, 'C3:');



=== TEST 22: a whole deal in another pipeline, universal
--- http_config eval: main::whole_deal_http('universal', 3)
--- config eval: B24::Crm::server(checkout => 'b24_deal UF_CRM_CONF location;')
--- scenario
    main::whole_deal(3, 'C3:');



=== TEST 23: stages, classic
--- http_config eval: B24::Crm::http(api => 'classic', servers => $::stage_servers)
--- config eval: $::server
--- scenario
    main::stages();



=== TEST 24: stages, universal
--- http_config eval: B24::Crm::http(api => 'universal', servers => $::stage_servers)
--- config eval: $::server
--- scenario
    main::stages();



=== TEST 25: stages by crm.status.list, classic
--- http_config eval: B24::Crm::http(api => 'classic', servers => $::stage_servers)
--- config eval: $::server
--- scenario
    main::stages_by_status();



=== TEST 26: stages by crm.status.list, universal
--- http_config eval: B24::Crm::http(api => 'universal', servers => $::stage_servers)
--- config eval: $::server
--- scenario
    main::stages_by_status();



=== TEST 27: the deal is read back, classic
--- http_config eval
B24::Crm::http(api => 'classic', servers => B24::Crm::named_server('enum.test', 'b24_origin enum;', 'b24_deal SOURCE_ID NOSUCH;', 'b24_deal TYPE_ID Goods;'))
--- config eval: $::server
--- scenario
    main::read_back();



=== TEST 28: the deal is read back, universal
--- http_config eval
B24::Crm::http(api => 'universal', servers => B24::Crm::named_server('enum.test', 'b24_origin enum;', 'b24_deal SOURCE_ID NOSUCH;', 'b24_deal TYPE_ID Goods;'))
--- config eval: $::server
--- scenario
    main::read_back();



=== TEST 29: mandatory fields that universal methods check
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::mandatory('universal');



=== TEST 30: mandatory fields that classic methods check
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::mandatory('classic');



=== TEST 31: classic methods are gone
--- http_config eval: B24::Crm::http(api => 'classic')
--- config eval: $::server
--- scenario
    main::methods_gone(['crm.deal.*', 'crm.contact.add', 'crm.contact.list',
                        'crm.contact.get', 'crm.company.*'],
                       ['crm.deal.add'], ['crm.contact.add'],
                       ['crm.deal.productrows.set'], ['crm.deal.list'],
                       ['crm.company.add'], ['crm.deal.get']);



=== TEST 32: universal methods are not there yet
--- http_config eval: B24::Crm::http(api => 'universal')
--- config eval: $::server
--- scenario
    main::methods_gone(['crm.item.*'], ['crm.item.add'], ['crm.item.list'],
                       ['crm.item.productrow.set']);



=== TEST 33: both families leave the same behind
--- http_config eval
B24::Crm::http(servers => B24::Crm::named_server('classic.test', 'b24_origin classic;', 'b24_api classic;') . B24::Crm::named_server('universal.test', 'b24_origin universal;', 'b24_api universal;', 'b24_webhook $TEST_NGINX_PORTAL_URL_2;'))
--- config eval: $::server
--- scenario
    main::same_state();



=== TEST 34: several shops and two portals, classic
--- http_config eval: main::several_http('classic')
--- config eval: $::server
--- scenario
    main::several_shops();



=== TEST 35: several shops and two portals, universal
--- http_config eval: main::several_http('universal')
--- config eval: $::server
--- scenario
    main::several_shops();



=== TEST 36: one of two portals is down
--- http_config eval: main::several_http('classic')
--- config eval: $::server
--- scenario
    main::one_portal_down();
