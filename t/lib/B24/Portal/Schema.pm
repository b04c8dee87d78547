package B24::Portal::Schema;

# What a portal's CRM records look like: fields of contacts, companies, deals
# and requisites, their types and sizes, their two names (NAME of the classic
# methods, name of crm.item.*), and the dictionaries a new portal comes with.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(entity_fields universal_name entity_by_type
    default_statuses default_categories default_config);

my %type_ids = (2 => 'deal', 3 => 'contact', 4 => 'company');


sub entity_by_type { return $type_ids{$_[0] // ''} }


# Types: int, string (with a size in characters), text, flag (Y/N), money,
# number, date, datetime, status (with its dictionary), user, currency, stage,
# category, id (one linked record), ids (several), multi (PHONE, EMAIL ...)
sub _common {
    return (
        ASSIGNED_BY_ID     => ['user'],
        CREATED_BY_ID      => ['user', readonly => 1, universal => 'createdBy'],
        MODIFY_BY_ID       => ['user', readonly => 1, universal => 'updatedBy'],
        DATE_CREATE        => ['datetime', readonly => 1,
                               universal => 'createdTime'],
        DATE_MODIFY        => ['datetime', readonly => 1,
                               universal => 'updatedTime'],
        OPENED             => ['flag', default => 'Y'],
        COMMENTS           => ['text'],
        ORIGINATOR_ID      => ['string', size => 255],
        ORIGIN_ID          => ['string', size => 255],
        UTM_SOURCE         => ['string', size => 200],
        UTM_MEDIUM         => ['string', size => 200],
        UTM_CAMPAIGN       => ['string', size => 200],
        UTM_CONTENT        => ['string', size => 200],
        UTM_TERM           => ['string', size => 200],
    );
}


sub _contact {
    return (
        ID                 => ['int', readonly => 1],
        HONORIFIC          => ['status', dictionary => 'HONORIFIC'],
        NAME               => ['string', size => 50],
        SECOND_NAME        => ['string', size => 50],
        LAST_NAME          => ['string', size => 50],
        BIRTHDATE          => ['date'],
        TYPE_ID            => ['status', dictionary => 'CONTACT_TYPE'],
        SOURCE_ID          => ['status', dictionary => 'SOURCE'],
        SOURCE_DESCRIPTION => ['text'],
        POST               => ['string', size => 255],
        ADDRESS            => ['string', size => 255],
        EXPORT             => ['flag', default => 'Y'],
        LEAD_ID            => ['id', readonly => 1],
        COMPANY_ID         => ['id'],
        COMPANY_IDS        => ['ids'],
        ORIGIN_VERSION     => ['string', size => 255],
        HAS_PHONE          => ['flag', readonly => 1, default => 'N'],
        HAS_EMAIL          => ['flag', readonly => 1, default => 'N'],
        _common(), _multi(),
    );
}


sub _company {
    return (
        ID                 => ['int', readonly => 1],
        TITLE              => ['string', size => 255],
        COMPANY_TYPE       => ['status', dictionary => 'COMPANY_TYPE',
                               universal => 'typeId'],
        INDUSTRY           => ['status', dictionary => 'INDUSTRY'],
        EMPLOYEES          => ['status', dictionary => 'EMPLOYEES'],
        CURRENCY_ID        => ['currency'],
        REVENUE            => ['money', default => '0.00'],
        ADDRESS            => ['string', size => 255],
        ADDRESS_LEGAL      => ['string', size => 255],
        BANKING_DETAILS    => ['text'],
        LEAD_ID            => ['id', readonly => 1],
        CONTACT_IDS        => ['ids', virtual => 1],
        ORIGIN_VERSION     => ['string', size => 255],
        HAS_PHONE          => ['flag', readonly => 1, default => 'N'],
        HAS_EMAIL          => ['flag', readonly => 1, default => 'N'],
        _common(), _multi(),
    );
}


sub _deal {
    return (
        ID                 => ['int', readonly => 1],
        TITLE              => ['string', size => 255],
        TYPE_ID            => ['status', dictionary => 'DEAL_TYPE',
                               default => 'SALE'],
        CATEGORY_ID        => ['category'],
        STAGE_ID           => ['stage'],
        STAGE_SEMANTIC_ID  => ['string', readonly => 1, size => 3],
        PREVIOUS_STAGE_ID  => ['string', readonly => 1, size => 50],
        CURRENCY_ID        => ['currency'],
        OPPORTUNITY        => ['money', default => '0.00'],
        IS_MANUAL_OPPORTUNITY => ['flag', default => 'N'],
        TAX_VALUE          => ['money', default => '0.00'],
        PROBABILITY        => ['int'],
        LEAD_ID            => ['id', readonly => 1],
        COMPANY_ID         => ['id', default => '0'],
        CONTACT_ID         => ['id'],
        CONTACT_IDS        => ['ids'],
        BEGINDATE          => ['date'],
        CLOSEDATE          => ['date'],
        CLOSED             => ['flag', readonly => 1, default => 'N'],
        ADDITIONAL_INFO    => ['text'],
        SOURCE_ID          => ['status', dictionary => 'SOURCE'],
        SOURCE_DESCRIPTION => ['text'],
        MOVED_BY_ID        => ['user', readonly => 1, universal => 'movedBy'],
        MOVED_TIME         => ['datetime', readonly => 1],
        LOCATION_ID        => ['string', size => 100],
        _common(),
    );
}


sub _requisite {
    return (
        ID                 => ['int', readonly => 1],
        ENTITY_TYPE_ID     => ['int'],
        ENTITY_ID          => ['int'],
        PRESET_ID          => ['int'],
        NAME               => ['string', size => 255],
        XML_ID             => ['string', size => 45],
        ACTIVE             => ['flag', default => 'Y'],
        SORT               => ['int', default => '500'],
        DATE_CREATE        => ['datetime', readonly => 1],
        DATE_MODIFY        => ['datetime', readonly => 1],
        CREATED_BY_ID      => ['user', readonly => 1],
        MODIFY_BY_ID       => ['user', readonly => 1],
        RQ_NAME            => ['string', size => 150],
        RQ_FIRST_NAME      => ['string', size => 50],
        RQ_LAST_NAME       => ['string', size => 50],
        RQ_SECOND_NAME     => ['string', size => 50],
        RQ_COMPANY_NAME    => ['string', size => 255],
        RQ_COMPANY_FULL_NAME => ['string', size => 300],
        RQ_DIRECTOR        => ['string', size => 150],
        RQ_INN             => ['string', size => 15],
        RQ_KPP             => ['string', size => 9],
        RQ_OGRN            => ['string', size => 13],
        RQ_OGRNIP          => ['string', size => 15],
    );
}


sub _multi {
    return map { $_ => ['multi'] } qw(PHONE EMAIL WEB IM);
}


# (ordered names, name => {type, size, ...}) of deal, contact, company or
# requisite
sub entity_fields {
    my ($entity) = @_;

    my @pairs = $entity eq 'contact' ? _contact()
              : $entity eq 'company' ? _company()
              : $entity eq 'deal'    ? _deal()
              :                        _requisite();
    my (@names, %fields);

    while (my ($name, $spec) = splice @pairs, 0, 2) {
        my ($type, %rest) = @$spec;

        push @names, $name;
        $fields{$name} = {type => $type, %rest, name => $name};
        $fields{$name}{universal} //= universal_name($name);
    }

    return (\@names, \%fields);
}


# STAGE_ID is stageId, UF_CRM_GA is ufCrmGa, UF_CRM_5_12 is ufCrm5_12
sub universal_name {
    my ($name) = @_;

    my ($first, @rest) = split /_/, lc $name;

    for my $word (@rest) {
        $first .= "$first $word" =~ /\d \d/ ? "_$word" : ucfirst $word;
    }

    return $first;
}


sub _stages {
    my ($prefix, @stages) = @_;

    return map {
        my ($id, $name, $semantics, $extra, $color) = @$_;

        {STATUS_ID => "$prefix$id", NAME => $name, SEMANTICS => $semantics,
         EXTRA => $extra, COLOR => $color}
    } @stages;
}


my @stages = (
    ['NEW',                'New',               undef, 'process', '#2FC6F6'],
    ['PREPARATION',        'Prepare documents', undef, 'process', '#55D0E0'],
    ['PREPAYMENT_INVOICE', 'Prepayment',        undef, 'process', '#47E4C2'],
    ['EXECUTING',          'In progress',       undef, 'process', '#FFA900'],
    ['FINAL_INVOICE',      'Final invoice',     undef, 'process', '#47E4C2'],
    ['WON',                'Deal won',          'S',   'success', '#7BD500'],
    ['LOSE',               'Deal lost',         'F',   'failure', '#FF5752'],
    ['APOLOGY',            'Analyse failure',   'F',   'apology', '#FF5752'],
);


# ENTITY_ID => rows of crm.status.list
sub default_statuses {
    my $plain = sub {
        return [map { {STATUS_ID => $_->[0], NAME => $_->[1]} } @_];
    };

    return {
        DEAL_STAGE   => [_stages('', @stages)],
        DEAL_STAGE_3 => [_stages('C3:', @stages)],
        DEAL_TYPE    => $plain->(['SALE', 'Sales'], ['GOODS', 'Goods sale'],
            ['SERVICE', 'Services'], ['COMPLEX', 'Complex']),
        SOURCE       => $plain->(['CALL', 'Call'], ['EMAIL', 'E-mail'],
            ['WEB', 'Website'], ['ADVERTISING', 'Advertising'],
            ['STORE', 'Online store'], ['OTHER', 'Other']),
        CONTACT_TYPE => $plain->(['CLIENT', 'Clients'],
            ['SUPPLIER', 'Suppliers'], ['PARTNER', 'Partners'],
            ['OTHER', 'Other']),
        COMPANY_TYPE => $plain->(['CUSTOMER', 'Client'],
            ['SUPPLIER', 'Supplier'], ['COMPETITOR', 'Competitor'],
            ['PARTNER', 'Partner'], ['OTHER', 'Other']),
        INDUSTRY     => $plain->(['IT', 'Information technology'],
            ['OTHER', 'Other']),
        EMPLOYEES    => $plain->(['EMPLOYEES_1', 'fewer than 50'],
            ['EMPLOYEES_2', '50 - 250']),
        HONORIFIC    => $plain->(['HNR_RU_1', 'Mr'], ['HNR_RU_2', 'Mrs']),
        STATUS       => $plain->(['NEW', 'Unassigned'],
            ['CONVERTED', 'Converted']),
    };
}


sub default_categories {
    return [
        {id => 0, name => 'General', sort => 100},
        {id => 3, name => 'Shop', sort => 200},
    ];
}


# currencies, requisite presets, catalogues and products of a new portal
sub _default_dictionaries {
    return (
        statuses   => default_statuses(),
        categories => default_categories(),
        currencies => [
            {CURRENCY => 'RUB', BASE => 'Y', AMOUNT => '1.0000'},
            {CURRENCY => 'USD', BASE => 'N', AMOUNT => '90.0000'},
            {CURRENCY => 'EUR', BASE => 'N', AMOUNT => '98.0000'},
        ],
        presets => [
            {ID => 1, NAME => 'Organization', COUNTRY_ID => 1,
             XML_ID => '#CRM_REQUISITE_PRESET_DEF_RU_COMPANY#'},
            {ID => 2, NAME => 'Sole proprietor', COUNTRY_ID => 1,
             XML_ID => '#CRM_REQUISITE_PRESET_DEF_RU_INDIVIDUAL#'},
            {ID => 3, NAME => 'Individual', COUNTRY_ID => 1,
             XML_ID => '#CRM_REQUISITE_PRESET_DEF_RU_PERSON#'},
        ],
        catalogs => [
            {id => 14, iblockId => 14, name => 'Products'},
            {id => 15, iblockId => 15, name => 'Offers',
             productIblockId => 14},
        ],
        products => [
            {id => 101, iblockId => 14, xmlId => 'SKU-101', name => 'Mug',
             type => 1},
            {id => 102, iblockId => 14, xmlId => 'SKU-102', name => 'Tea',
             type => 1},
            {id => 205, iblockId => 15, xmlId => 'SKU-205-XL',
             name => 'T-shirt XL', type => 4},
        ],
    );
}


# Everything POST /_/config may change, with what a new portal starts with
sub default_config {
    return {
        # standard or enterprise; sets the bucket's burst and rate, and license
        plan => 'standard',

        # leaky bucket per source address: requests it holds, drained per
        # second; reject_counts: refused requests fill it too
        bucket => {burst => 50, rate => 2, enabled => 1, reject_counts => 0},

        # server time per method in a sliding window of ten buckets; cost:
        # seconds a call is charged (else measured); shortest: calls below it
        # are not recorded; batch: share of its inner time charged to "batch"
        # itself; inner: its commands are charged under their own names
        operating => {enabled => 0, limit => 480, window => 600, cost => {},
                      shortest => 0.1, batch => 0, inner => 1},

        # seconds after which a request is cut with a 504 page
        request_cap => 60,

        # fields an administrator made mandatory, by entity: FIELD, or
        # FIELD@STAGE for one stage of deals; checked by "universal" (as
        # documented), "classic" methods, or "both"
        mandatory    => {},
        mandatory_by => 'universal',

        # user fields (UF_CRM_...) by entity: name => type, or {type, multiple
        # => 1, items => [{ID, VALUE}]} for multiple fields and lists
        user_fields => {deal => {UF_CRM_GA => 'string'}, contact => {},
                        company => {}},

        _default_dictionaries(),

        # the webhook: granted scopes; state: ok, or an error code of the
        # table of auth errors; auth_status overrides its HTTP status
        scopes  => ['crm', 'catalog', 'user_brief'],
        webhook => {state => 'ok', auth_status => 0},
        license => 'ru_std',
        leads   => 0,

        # methods this portal hasn't got (any more): names, or "crm.deal.*"
        gone    => [],

        # https_only: plain HTTP is INVALID_REQUEST
        https_only => 0,

        # what the sources disagree on, or self-hosted portals do differently
        collation       => 'ci',       # "=" ignores case, as MySQL's default
        long_text       => 'truncate', # or "refuse" (crm.item.* only)
        utf8mb3         => 0,          # characters of three bytes at most: 1
                                       # cuts a text there, "refuse" refuses it
        unknown_contact => 'drop',     # or "refuse": a link to no contact
        unknown_category => 'refuse',  # or "empty": stages of no pipeline
        index_frozen    => 0,          # findbycomm doesn't see new records yet
        index_lag       => {seconds => 0, requests => 0},  # nor for so long
        utc_offset      => '+03:00',
        clock           => 0,          # seconds that it is ahead
        journal_max     => 20_000,     # requests remembered
    };
}


1;
