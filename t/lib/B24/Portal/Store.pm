package B24::Portal::Store;

# The records of a portal, in memory: contacts, companies, deals with their
# product rows, requisites, stage history, and the index behind the duplicate
# search.  Knows fields and their rules, not methods or envelopes.

use strict;
use warnings;
use feature 'fc';

use B24::Portal::Decimal qw(scaled unscaled product total difference rescale);
use B24::Portal::Error qw(refuse);
use B24::Portal::Php qw(array_of is_array is_bool intval strval numeric);
use B24::Portal::Schema qw(entity_fields);

use Mojo::JSON ();
use POSIX ();
use Time::HiRes ();

# A record of somebody else's: (int) of a dangling reference is 1, so record 1
# is what a careless chain of references overwrites.
use constant FOREIGN_ID => 1;

my @foreign = qw(company contact deal);

# VALUE of a phone or an e-mail
use constant MULTI_SIZE => 250;

my %first_id = (contact => 55, company => 9, deal => 410, requisite => 27,
                row => 7001, history => 90_211, multi => 101, comment => 301,
                address => 1);

my %value_types = (
    PHONE => {map { $_ => 1 } qw(WORK MOBILE FAX HOME PAGER MAILING OTHER)},
    EMAIL => {map { $_ => 1 } qw(WORK HOME MAILING OTHER)},
    WEB   => {map { $_ => 1 } qw(WORK HOME FACEBOOK VK OTHER)},
    IM    => {map { $_ => 1 } qw(SKYPE TELEGRAM VIBER OTHER)},
);


# CONFIG is the shared hash of B24::Portal::Schema::default_config
sub new {
    my ($class, $config) = @_;

    my $self = bless {config => $config}, $class;

    return $self->clear;
}


sub clear {
    my ($self) = @_;

    my %fields;

    for my $entity (qw(contact company deal requisite)) {
        @{$fields{$entity}}{qw(names specs)} = entity_fields($entity);
    }

    $self->{schema} = \%fields;
    $self->{known} = {};
    $self->{now} = {};
    $self->{next} = {%first_id};
    $self->{records} = {map { $_ => {} } keys %fields};
    $self->{by_origin} = {};
    $self->{index} = {};
    $self->{unindexed} = [];
    $self->{history} = [];
    $self->{addresses} = [];
    $self->{requests} = 0;

    $self->_foreign;
    $self->accept_foreign;

    return $self;
}


sub _foreign {
    my ($self) = @_;

    my %first = (contact => {NAME => 'Somebody', LAST_NAME => 'Else'},
                 company => {TITLE => 'Somebody else'},
                 deal    => {TITLE => 'A deal of somebody else',
                             OPPORTUNITY => '77.00', CURRENCY_ID => 'RUB'});

    for my $entity (@foreign) {
        local $self->{next}{$entity} = FOREIGN_ID;

        my $record = $self->create($entity, $first{$entity}, 1);
        $record->{foreign} = 1;
        $record->{touched} = 0;
    }

    $self->{records}{deal}{+FOREIGN_ID}{rows} = [];
    $self->{history} = [];
    $self->{next}{history} = $first_id{history};

    return;
}


# Everything of the records of somebody else, "NAME" => text: their fields, the
# deal's rows, and what hangs on them.
sub _foreign_state {
    my ($self) = @_;

    my %state;

    for my $entity (@foreign) {
        my $record = $self->find($entity, FOREIGN_ID);
        my $name = "$entity " . FOREIGN_ID;

        $state{$name} = $record ? 'is there' : 'is gone';
        next if !$record;

        $state{"$name: $_"} = _plain($record->{fields}{$_})
            for keys %{$record->{fields}};
        $state{"$name: $_"} = _plain($record->{multi}{$_})
            for keys %{$record->{multi} // {}};
        $state{"$name: rows"} = _plain($record->{rows});
        $state{"$name: comments"} = _plain($record->{comments});
    }

    $state{'linked to them'} = join ', ', $self->_linked_to_foreign;

    return \%state;
}


sub _plain {
    my ($value) = @_;

    return $value // 'null' if !ref $value;
    return Mojo::JSON::encode_json($value);
}


sub _linked_to_foreign {
    my ($self) = @_;

    my @linked;

    for my $entity (qw(contact deal)) {
        for my $record (grep { $_->{id} != FOREIGN_ID } $self->all($entity)) {
            my $fields = $record->{fields};
            my @ids = map { ($fields->{"${_}_ID"} // 0,
                             @{$fields->{"${_}_IDS"} // []}) }
                      qw(CONTACT COMPANY);

            push @linked, "$entity $record->{id}"
                if grep { $_ == FOREIGN_ID } @ids;
        }
    }

    return @linked, map { "requisite $_->{id}" }
                    grep { $_->{fields}{ENTITY_ID} == FOREIGN_ID }
                    $self->all('requisite');
}


# takes the records of somebody else as they are
sub accept_foreign {
    my ($self) = @_;

    $self->{seed} = $self->_foreign_state;

    return;
}


# a line for everything that isn't as it was seeded
sub spoiled {
    my ($self) = @_;

    my ($seed, $now) = ($self->{seed}, $self->_foreign_state);
    my %names = (%$seed, %$now);

    return map { "$_: " . ($seed->{$_} // 'nothing') . ' became '
                 . ($now->{$_} // 'nothing') }
           grep { ($seed->{$_} // '') ne ($now->{$_} // '') }
           sort keys %names;
}


# ---- fields -----------------------------------------------------------------

sub field_names {
    my ($self, $entity) = @_;

    return @{$self->_known($entity)->{names}};
}


# the description of a field, undef when the portal has no such field
sub spec {
    my ($self, $entity, $name) = @_;

    return $self->_known($entity)->{specs}{$name};
}


# fields of the entity, the portal's user fields among them, worked out once
sub _known {
    my ($self, $entity) = @_;

    return $self->{known}{$entity} //= do {
        my $schema = $self->{schema}{$entity};
        my $user = $self->{config}{user_fields}{$entity} // {};
        my %specs = %{$schema->{specs}};

        for my $name (keys %$user) {
            my $told = $user->{$name};

            $specs{$name} = {
                ref $told ? %$told : (type => $told), name => $name,
                user => 1,
                universal => B24::Portal::Schema::universal_name($name),
            };
        }

        {names => [@{$schema->{names}}, sort keys %$user], specs => \%specs};
    };
}


# to be told when the configuration has changed
sub configured {
    my ($self) = @_;

    $self->{known} = {};
    $self->thaw_index;

    return;
}


# universal name => spec
sub universal_specs {
    my ($self, $entity) = @_;

    return {map { $_->{universal} => $_ }
            map { $self->spec($entity, $_) } $self->field_names($entity)};
}


# Turns one PHP value into what the column would hold; returns the empty list
# when the server would silently ignore it.
sub field_value {
    my ($self, $entity, $spec, $value, $universal) = @_;

    my $type = $spec->{type};

    if ($spec->{multiple}) {
        my %one = (%$spec, multiple => 0);
        my @values = is_array($value) ? $value->values : ($value);

        return [grep { $_ ne '' } map {
            $self->field_value($entity, \%one, $_, $universal)
        } @values];
    }

    if ($type =~ /\A(?:string|text|url)\z/) {
        return $self->_text($spec, $value, $universal);
    }

    # a list's value is the number of its item; anything else is ignored
    if ($type eq 'enumeration') {
        my $text = strval($value);

        return $text if $text eq ''
            || grep { $_->{ID} eq $text } @{$spec->{items} // []};
        return;
    }

    if ($type eq 'boolean') {
        return strval($value) =~ /\A(?:1|Y|y|true)\z/ ? '1' : '0';
    }

    if ($type eq 'flag') {
        return _yes($value, $universal) ? 'Y' : 'N';
    }

    return unscaled(scaled(numeric($value), 2), 2) if $type eq 'money';
    return intval($value) . ''
        if $type =~ /\A(?:int|integer|id|user|category)\z/;
    return numeric($value) if $type eq 'number' || $type eq 'double';
    return $self->_currency($value, $universal) if $type eq 'currency';
    return $self->_status($spec, $value) if $type eq 'status';
    return $self->_date($value) if $type eq 'date' || $type eq 'datetime';
    return [_ids($value)] if $type eq 'ids';
    return strval($value);
}


# "Y" of the classic methods; crm.item.* takes true, "true", "Y" and "y", and
# nothing else: a JSON 1 is no
sub _yes {
    my ($value, $universal) = @_;

    return $value ? 1 : 0 if $universal && is_bool($value);

    my $text = strval($value);

    return $universal ? $text =~ /\A(?:[Yy]|true)\z/ : $text eq 'Y';
}


sub _text {
    my ($self, $spec, $value, $universal) = @_;

    my $text = strval($value);

    $text = $self->column_text($text, $spec->{name});

    my $size = $spec->{size} // 21_000;
    my $chars = $text;

    return $text if !utf8::decode($chars) || length $chars <= $size;

    if ($universal && $self->{config}{long_text} eq 'refuse') {
        refuse('CRM_FIELD_ERROR_VALUE_NOT_VALID',
               "Invalid value of the field \"$spec->{name}\"");
    }

    $chars = substr $chars, 0, $size;
    utf8::encode($chars);

    return $chars;
}


# What a column whose characters have three bytes at most makes of a text: in
# MySQL's strict mode the statement fails, otherwise everything from the first
# larger character on is lost.
sub column_text {
    my ($self, $text, $column) = @_;

    my $how = $self->{config}{utf8mb3};

    return $text if !$how || $text !~ /([\xf0-\xf7].{0,3})/s;

    if ($how eq 'refuse') {
        my $bytes = join '', map { sprintf '\\x%02X', ord } split //, $1;

        refuse('ERROR_CORE', 'Mysql query error: (1366) Incorrect string '
             . "value: '$bytes' for column '$column' at row 1");
    }

    $text =~ s/[\xf0-\xf7].*//s;

    return $text;
}


sub _currency {
    my ($self, $value, $universal) = @_;

    my $code = strval($value);
    my @known = @{$self->{config}{currencies}};

    return (grep { $_->{BASE} eq 'Y' } @known)[0]{CURRENCY} if $code eq '';
    return $code if grep { $_->{CURRENCY} eq $code } @known;

    refuse($universal ? 'CRM_FIELD_ERROR_VALUE_NOT_VALID' : '',
           'Invalid currency');
}


sub _status {
    my ($self, $spec, $value) = @_;

    my $code = strval($value);
    my $list = $self->{config}{statuses}{$spec->{dictionary}} // [];

    return $code if $code eq '' || grep { $_->{STATUS_ID} eq $code } @$list;
    return;
}


sub _date {
    my ($self, $value) = @_;

    my $text = strval($value);

    return '' if $text eq '';
    return "$3-$2-$1T00:00:00$self->{config}{utc_offset}"
        if $text =~ /\A(\d\d)\.(\d\d)\.(\d{4})/;
    return if $text !~ /\A\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?(.*)\z/s;

    return substr($text, 0, 10) . "T00:00:00$self->{config}{utc_offset}"
        if length $text == 10;
    return $text;
}


sub _ids {
    my ($value) = @_;

    my %seen;
    my @values = is_array($value) ? $value->values : ($value);

    return grep { $_ > 0 && !$seen{$_}++ } map { intval($_) } @values;
}


# the stages of a pipeline, as rows of crm.status.list
sub stages {
    my ($self, $category) = @_;

    my $list = $category ? "DEAL_STAGE_$category" : 'DEAL_STAGE';

    return @{$self->{config}{statuses}{$list} // []};
}


sub stage {
    my ($self, $category, $id) = @_;

    return (grep { $_->{STATUS_ID} eq $id } $self->stages($category))[0];
}


sub has_category {
    my ($self, $id) = @_;

    return scalar grep { $_->{id} == $id } @{$self->{config}{categories}};
}


# ---- multifields ------------------------------------------------------------

# Applies a list of items {id, type, value, value_type, delete} to a record's
# PHONE, EMAIL ...: without an id an item is added, however often it comes.
sub apply_multi {
    my ($self, $multi, @items) = @_;

    for my $item (@items) {
        my $list = $multi->{$item->{type}} //= [];

        $item->{value} = $self->column_text($item->{value}, 'VALUE')
            if defined $item->{value};

        if ($item->{id}) {
            my ($old) = grep { $_->{ID} == $item->{id} } @$list;
            next if !$old;

            if ($item->{delete} || ($item->{value} // '') eq '') {
                @$list = grep { $_ != $old } @$list;
                next;
            }

            $old->{VALUE} = $item->{value};
            $old->{VALUE_TYPE} = $item->{value_type} if $item->{value_type};

        } elsif (($item->{value} // '') ne '') {
            push @$list, {
                ID         => $self->{next}{multi}++,
                VALUE      => $item->{value},
                VALUE_TYPE => $item->{value_type} // 'WORK',
            };
        }
    }

    return;
}


sub value_type {
    my ($type, $value) = @_;

    return $value_types{$type} && $value_types{$type}{$value} ? $value : undef;
}


# what the server's own check_email() takes
sub is_email {
    my ($text) = @_;

    return $text =~ /\A[=_.0-9A-Za-z+~'!\$&*^`|\#%\/?{}-]+
                     \@(?:[0-9A-Za-z_-]+\.)+[A-Za-z0-9-]{2,20}\z/x;
}


# the form phones are compared in
sub normal_phone {
    my ($text) = @_;

    my $plus = $text =~ /\A\s*\+/;

    $text =~ s/[;,#].*//s;
    $text =~ tr/0-9*//cd;

    return $text if length $text < 10;

    $text =~ s/\A(?:00|011)//;
    $text =~ s/\A8(?![012])/7/ if !$plus;
    $text =~ s/\A0//;

    return $text;
}


sub normal_email {
    my ($text) = @_;

    $text =~ s/\A\s+|\s+\z//g;

    return lc $text;
}


# ids of ENTITY having one of the values, ascending
sub duplicates {
    my ($self, $entity, $type, @values) = @_;

    my %ids;

    $self->thaw_index;

    for my $value (@values) {
        my $normal = $type eq 'PHONE' ? normal_phone($value)
                                      : normal_email($value);
        next if $normal eq '';

        $ids{$_} = 1 for keys %{$self->{index}{$entity}{$type}{$normal} // {}};
    }

    my @ids = sort { $a <=> $b } keys %ids;

    return @ids;
}


# a request has come: an index may lag by their number
sub request_came {
    my ($self) = @_;

    $self->{requests}++;

    return;
}


# brings into the index what is due
sub thaw_index {
    my ($self) = @_;

    my $config = $self->{config};

    return if $config->{index_frozen};

    my ($lag, $now) = ($config->{index_lag}, Time::HiRes::time());
    my @late;

    for my $entry (splice @{$self->{unindexed}}) {
        my ($entity, $record, $time, $requests) = @$entry;

        if ($now < $time + ($lag->{seconds} // 0)
            || $self->{requests} - $requests <= ($lag->{requests} // 0)
               && $lag->{requests})
        {
            push @late, $entry;
            next;
        }

        $self->_index($entity, $record);
    }

    $self->{unindexed} = \@late;

    return;
}


sub _reindex {
    my ($self, $entity, $record) = @_;

    return if !$record->{multi};

    push @{$self->{unindexed}},
        [$entity, $record, Time::HiRes::time(), $self->{requests}];

    return $self->thaw_index;
}


sub _index {
    my ($self, $entity, $record) = @_;

    my $id = $record->{id};

    delete $self->{index}{$entity}{$_->[0]}{$_->[1]}{$id}
        for @{$record->{indexed} // []};

    $record->{indexed} = [];

    return if $record->{deleted};

    for my $type (qw(PHONE EMAIL)) {
        for my $item (@{$record->{multi}{$type} // []}) {
            my $normal = $type eq 'PHONE' ? normal_phone($item->{VALUE})
                                          : normal_email($item->{VALUE});

            $self->{index}{$entity}{$type}{$normal}{$id} = 1;
            push @{$record->{indexed}}, [$type, $normal];
        }
    }

    return;
}


# ---- records ----------------------------------------------------------------

sub now {
    my ($self, $time) = @_;

    $time = int($time // time) + $self->{config}{clock};

    my $offset = $self->{config}{utc_offset};
    my $cached = $self->{now};

    return $cached->{text}
        if ($cached->{time} // -1) == $time && $cached->{offset} eq $offset;

    my $text = _local_time($time, $offset);

    $self->{now} = {time => $time, offset => $offset, text => $text};

    return $text;
}


sub _local_time {
    my ($time, $offset) = @_;

    my ($sign, $hours, $minutes) = $offset =~ /\A([+-])(\d\d):(\d\d)\z/;
    my $shift = ($hours * 60 + $minutes) * 60 * ($sign eq '-' ? -1 : 1);

    return POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime($time + $shift))
         . $offset;
}


sub find {
    my ($self, $entity, $id) = @_;

    return $self->{records}{$entity}{$id};
}


# live records ordered by id
sub all {
    my ($self, $entity) = @_;

    my $records = $self->{records}{$entity};

    return map { $records->{$_} } sort { $a <=> $b } keys %$records;
}


# records whose ORIGIN_ID compares equal, ordered by id
sub by_origin {
    my ($self, $entity, @origins) = @_;

    my %ids;

    for my $origin (@origins) {
        my $key = $self->collate($origin);
        $ids{$_} = 1 for keys %{$self->{by_origin}{$entity}{$key} // {}};
    }

    return map { $self->find($entity, $_) } sort { $a <=> $b } keys %ids;
}


# what "=" compares: MySQL's default collation ignores case, and every one of
# its older collations trailing spaces
sub collate {
    my ($self, $text) = @_;

    return $text if $self->{config}{collation} ne 'ci';

    utf8::decode($text);
    $text =~ s/ +\z//;

    return fc $text;
}


# VALUES: columns and, in MULTI, items for apply_multi
sub create {
    my ($self, $entity, $values, $user, @multi) = @_;

    my $id = $self->{next}{$entity}++;
    my $now = $self->now;
    my $record = {id => $id, entity => $entity, fields => {}, rows => [],
                  comments => []};

    for my $name ($self->field_names($entity)) {
        my $spec = $self->spec($entity, $name);
        next if $spec->{type} eq 'multi' || $spec->{virtual};

        $record->{fields}{$name} = $spec->{type} eq 'ids'
                                   || $spec->{multiple} ? []
                                                        : $spec->{default};
    }

    @{$record->{fields}}{qw(ID DATE_CREATE DATE_MODIFY)} = ($id, $now, $now);
    $record->{fields}{$_} = "$user"
        for qw(ASSIGNED_BY_ID CREATED_BY_ID MODIFY_BY_ID);

    $record->{multi} = {} if $entity eq 'contact' || $entity eq 'company';
    $self->{records}{$entity}{$id} = $record;

    my $done = eval {
        $self->_deal_defaults($record, $values, $user) if $entity eq 'deal';
        $self->_assign($record, $values, @multi);
        1;
    };

    if (!$done) {
        # refused: its id is used up, nothing else is left of it
        my $error = $@;

        delete $self->{records}{$entity}{$id};
        die $error;
    }

    $self->_add_history($record, 1, $user) if $entity eq 'deal';

    return $record;
}


sub _deal_defaults {
    my ($self, $record, $values, $user) = @_;

    my $fields = $record->{fields};
    my $today = substr $self->now, 0, 10;
    my $later = substr $self->now(time + 7 * 86_400), 0, 10;

    $values->{CATEGORY_ID} = '0'
        if !$self->has_category($values->{CATEGORY_ID} // 0);
    $values->{CATEGORY_ID} //= '0';

    my ($first) = $self->stages($values->{CATEGORY_ID});

    $fields->{STAGE_ID} = $first->{STATUS_ID} if $first;
    $fields->{PREVIOUS_STAGE_ID} = '';
    $fields->{CURRENCY_ID} = $self->_currency('');
    $fields->{MOVED_BY_ID} = "$user";
    $fields->{MOVED_TIME} = $self->now;
    $fields->{BEGINDATE} = "${today}T00:00:00$self->{config}{utc_offset}";
    $fields->{CLOSEDATE} = "${later}T00:00:00$self->{config}{utc_offset}";

    $values->{TITLE} = "Deal #$record->{id}" if ($values->{TITLE} // '') eq '';

    return;
}


sub update {
    my ($self, $record, $values, $user, @multi) = @_;

    my $fields = $record->{fields};
    my $before = $record->{entity} eq 'deal'
        ? {%$fields{qw(STAGE_ID CATEGORY_ID)}} : undef;

    $self->_assign($record, $values, @multi);

    $fields->{DATE_MODIFY} = $self->now;
    $fields->{MODIFY_BY_ID} = "$user";

    if ($before && ($before->{STAGE_ID} // '') ne ($fields->{STAGE_ID} // '')) {
        $fields->{PREVIOUS_STAGE_ID} = $before->{STAGE_ID};
        $fields->{MOVED_BY_ID} = "$user";
        $fields->{MOVED_TIME} = $self->now;

        $self->_add_history($record,
            $before->{CATEGORY_ID} ne $fields->{CATEGORY_ID} ? 5
            : $fields->{STAGE_SEMANTIC_ID} eq 'P' ? 2 : 3, $user);
    }

    return;
}


sub _assign {
    my ($self, $record, $values, @multi) = @_;

    my ($entity, $fields) = @$record{qw(entity fields)};

    $record->{touched} = 1;

    my $old = $fields->{ORIGIN_ID};
    delete $self->{by_origin}{$entity}{$self->collate($old)}{$record->{id}}
        if defined $old;

    if ($entity eq 'deal') {
        $self->_assign_stage($record, $values);
    }

    $self->_assign_links($record, $values);

    for my $name (keys %$values) {
        $fields->{$name} = $values->{$name};
    }

    if (defined $fields->{ORIGIN_ID}) {
        my $key = $self->collate($fields->{ORIGIN_ID});
        $self->{by_origin}{$entity}{$key}{$record->{id}} = 1;
    }

    if ($record->{multi}) {
        $self->apply_multi($record->{multi}, @multi);

        $fields->{"HAS_$_"} = @{$record->{multi}{$_} // []} ? 'Y' : 'N'
            for qw(PHONE EMAIL);

        $self->_reindex($entity, $record);
    }

    return;
}


# A stage the pipeline doesn't have is ignored, without a word
sub _assign_stage {
    my ($self, $record, $values) = @_;

    my $fields = $record->{fields};
    my $category = $values->{CATEGORY_ID} // $fields->{CATEGORY_ID} // 0;
    my $wanted = delete $values->{STAGE_ID};

    if (defined $wanted && $self->stage($category, $wanted)) {
        $fields->{STAGE_ID} = $wanted;

    } elsif (!$self->stage($category, $fields->{STAGE_ID} // '')) {
        my ($first) = $self->stages($category);
        $fields->{STAGE_ID} = $first ? $first->{STATUS_ID} : '';
    }

    my $stage = $self->stage($category, $fields->{STAGE_ID} // '');

    $fields->{STAGE_SEMANTIC_ID} = $stage && $stage->{SEMANTICS} || 'P';
    $fields->{CLOSED} = $fields->{STAGE_SEMANTIC_ID} eq 'P' ? 'N' : 'Y';

    return;
}


# CONTACT_ID with CONTACT_IDS, COMPANY_ID with COMPANY_IDS: the list replaces
# the links, the single one is its first element
sub _assign_links {
    my ($self, $record, $values) = @_;

    for my $target (qw(CONTACT COMPANY)) {
        my $entity = lc $target;
        next if $entity eq $record->{entity};

        my ($one, $many) = ("${target}_ID", "${target}_IDS");
        my $plural = exists $record->{fields}{$many};

        if (exists $values->{$many} && $plural) {
            my @ids = $self->_existing($entity, @{$values->{$many}});

            $values->{$many} = \@ids;
            $values->{$one} = @ids ? "$ids[0]" : '0';

        } elsif (exists $values->{$one}) {
            my @ids = $self->_existing($entity, grep { $_ > 0 }
                                                     $values->{$one});

            $values->{$many} = \@ids if $plural;
            $values->{$one} = @ids ? "$ids[0]" : '0';
        }
    }

    return;
}


sub _existing {
    my ($self, $entity, @ids) = @_;

    my @found = grep { $self->find($entity, $_) } @ids;

    if (@found < @ids && $self->{config}{unknown_contact} eq 'refuse') {
        refuse('', 'Not found');
    }

    return @found;
}


sub remove {
    my ($self, $record) = @_;

    my ($entity, $id) = @$record{qw(entity id)};
    my $origin = $record->{fields}{ORIGIN_ID};

    $record->{deleted} = 1;
    delete $self->{records}{$entity}{$id};
    delete $self->{by_origin}{$entity}{$self->collate($origin)}{$id}
        if defined $origin;

    $self->_index($entity, $record) if $record->{multi};

    if ($entity eq 'contact' || $entity eq 'company') {
        $self->_unlink(uc $entity, $id);

        # its requisites go with it
        my $type = $entity eq 'contact' ? 3 : 4;

        $self->remove($_) for grep {
            $_->{fields}{ENTITY_TYPE_ID} == $type
            && $_->{fields}{ENTITY_ID} == $id
        } $self->all('requisite');
    }

    return;
}


# Two contacts or companies become one: what the loser had goes to the winner,
# phones and e-mails it has not got among them, and the loser is gone.
sub merge {
    my ($self, $winner, $loser, $user) = @_;

    my ($entity, $id) = @$winner{qw(entity id)};
    my $target = uc $entity;
    my @multi;

    for my $type (sort keys %{$loser->{multi}}) {
        my %has = map { $_->{VALUE} => 1 } @{$winner->{multi}{$type} // []};

        push @multi, map { {type => $type, value => $_->{VALUE},
                            value_type => $_->{VALUE_TYPE}} }
                     grep { !$has{$_->{VALUE}} } @{$loser->{multi}{$type}};
    }

    my %values = map { $_ => $loser->{fields}{$_} }
                 grep { ($winner->{fields}{$_} // '') eq ''
                        && $self->spec($entity, $_)->{type} !~ /\Aids?\z/
                        && !$self->spec($entity, $_)->{readonly} }
                 keys %{$loser->{fields}};

    if ($entity eq 'contact') {
        my %seen;

        $values{COMPANY_IDS} = [grep { !$seen{$_}++ }
            map { @{$_->{fields}{COMPANY_IDS}} } $winner, $loser];
    }

    for my $record (map { $self->all($_) } qw(deal contact)) {
        my $fields = $record->{fields};
        my $links = $fields->{"${target}_IDS"}
            // [grep { $_ } $fields->{"${target}_ID"} // 0];

        next if !grep { $_ == $loser->{id} } @$links;

        my %seen;
        my @ids = grep { !$seen{$_}++ }
                  map { $_ == $loser->{id} ? $id : $_ } @$links;

        $self->update($record, {defined $fields->{"${target}_IDS"}
            ? ("${target}_IDS" => \@ids) : ("${target}_ID" => $ids[0])},
            $user);
    }

    for my $requisite ($self->all('requisite')) {
        my $fields = $requisite->{fields};

        $fields->{ENTITY_ID} = "$id"
            if $fields->{ENTITY_TYPE_ID} == ($entity eq 'contact' ? 3 : 4)
            && $fields->{ENTITY_ID} == $loser->{id};
    }

    $self->remove($loser);
    $self->update($winner, \%values, $user, @multi);

    return;
}


sub _unlink {
    my ($self, $target, $id) = @_;

    for my $record (map { values %{$self->{records}{$_}} } qw(deal contact)) {
        my $fields = $record->{fields};
        my $many = $fields->{"${target}_IDS"};

        @$many = grep { $_ != $id } @$many if $many;

        next if ($fields->{"${target}_ID"} // 0) != $id;

        $fields->{"${target}_ID"} = $many && @$many ? "$many->[0]" : '0';
    }

    return;
}


# at and by are for tests alone: the feed has no such columns
sub _add_history {
    my ($self, $record, $type, $user) = @_;

    my $fields = $record->{fields};

    push @{$self->{history}}, {
        ID                => $self->{next}{history}++,
        TYPE_ID           => $type,
        OWNER_ID          => $record->{id},
        CREATED_TIME      => $self->now,
        CATEGORY_ID       => $fields->{CATEGORY_ID} + 0,
        STAGE_SEMANTIC_ID => $fields->{STAGE_SEMANTIC_ID},
        STAGE_ID          => $fields->{STAGE_ID},
        at                => Time::HiRes::time(),
        by                => $user + 0,
    };

    return;
}


sub add_comment {
    my ($self, $record, $text) = @_;

    $text = $self->column_text($text, 'COMMENT');

    my $id = $self->{next}{comment}++;

    push @{$record->{comments}}, {id => $id, text => $text};
    $record->{touched} = 1;

    return $id;
}


sub add_address {
    my ($self, $fields) = @_;

    push @{$self->{addresses}}, $fields;

    return;
}


# ---- product rows -----------------------------------------------------------

# Replaces all rows of a deal and recalculates it: TAX_VALUE always,
# OPPORTUNITY unless it is kept by hand.  No rows before or after: untouched.
sub set_rows {
    my ($self, $record, $rows, $user) = @_;

    my $before = @{$record->{rows}};

    for my $row (@$rows) {
        $row->{ID} = $self->{next}{row}++;
        $row->{OWNER_ID} = $record->{id};
    }

    $record->{rows} = $rows;
    $record->{touched} = 1;

    return if !@$rows && !$before;

    my $tax = 0;

    for my $row (@$rows) {
        my $unit = difference(scaled($row->{PRICE}, 2),
                              scaled($row->{PRICE_EXCLUSIVE}, 2));
        $tax = total($tax, product($unit, scaled($row->{QUANTITY}, 4)));
    }

    my %values = (TAX_VALUE => _rounded($tax));

    if (($record->{fields}{IS_MANUAL_OPPORTUNITY} // 'N') ne 'Y') {
        $values{OPPORTUNITY} = _rounded(_sum($rows));
    }

    $self->update($record, \%values, $user);

    return;
}


# 10^-6 to a decimal text with 2 places
sub _rounded {
    my ($micro) = @_;

    return unscaled(rescale($micro, 6, 2), 2);
}


sub _sum {
    my ($rows) = @_;

    my $sum = 0;

    for my $row (@$rows) {
        $sum = total($sum, product(scaled($row->{PRICE}, 2),
                                   scaled($row->{QUANTITY}, 4)));
    }

    return $sum;
}


# price x quantity over the rows, exact, at least two places
sub rows_sum {
    my ($self, $rows) = @_;

    my $text = unscaled(_sum($rows), 6);

    $text =~ s/(\.\d\d\d*?)0+\z/$1/;

    return $text;
}


1;
