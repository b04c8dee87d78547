package B24::Portal::Item;

# The universal methods: crm.item.* and crm.item.productrow.*.  camelCase
# names, typed values, typed arguments (an array where a number belongs is
# refused with error 100), fields an administrator made mandatory are checked.

use strict;
use warnings;

use B24::Portal::Classic;
use B24::Portal::Error qw(refuse);
use B24::Portal::Php qw(array_of list_of float_of is_array is_bool is_float
    is_int is_string intval strval);
use B24::Portal::Query qw(conditions matches sorted page);
use B24::Portal::Rows qw(make_row universal_row universal_to_classic);
use B24::Portal::Schema qw(entity_by_type);

my %type_id = (deal => 2, contact => 3, company => 4);


sub methods {
    return (
        'crm.item.add'    => ['crm', \&add],
        'crm.item.get'    => ['crm', \&get],
        'crm.item.list'   => ['crm', \&list],
        'crm.item.update' => ['crm', \&update],
        'crm.item.delete' => ['crm', \&remove],
        'crm.item.fields' => ['crm', \&fields],
        'crm.item.productrow.set'  => ['crm', \&rows_set],
        'crm.item.productrow.add'  => ['crm', \&row_add],
        'crm.item.productrow.list' => ['crm', \&rows_list],
    );
}


# ---- typed arguments --------------------------------------------------------

# NAME as an integer; absent or of another type is error 100
sub int_argument {
    my ($params, $name) = @_;

    my $value = _argument($params, $name);

    if (is_int($value) || is_string($value) && $value =~ /\A\s*-?\d+\s*\z/) {
        return $value + 0;
    }

    _wrong_type($name, 'int');
}


sub array_argument {
    my ($params, $name) = @_;

    my $value = _argument($params, $name);

    _wrong_type($name, 'array') if !is_array($value);

    return $value;
}


sub string_argument {
    my ($params, $name) = @_;

    my $value = _argument($params, $name);

    _wrong_type($name, 'string') if is_array($value);

    return strval($value);
}


sub _argument {
    my ($params, $name) = @_;

    return $params->get($name)
        // refuse('100', "Could not find value for parameter {$name}");
}


sub _wrong_type {
    my ($name, $type) = @_;

    refuse('100', "Invalid value to match with parameter {$name}. "
                . "Should be value of type $type.");
}


sub _entity {
    my ($params) = @_;

    my $id = int_argument($params, 'entityTypeId');

    return entity_by_type($id)
        // refuse('ENTITY_TYPE_NOT_SUPPORTED',
                  "Entity type $id is not supported.");
}


sub _record {
    my ($api, $entity, $id) = @_;

    return $api->store->find($entity, $id)
        // refuse('NOT_FOUND', 'Element not found');
}


# ---- items ------------------------------------------------------------------

sub add {
    my ($api, $params) = @_;

    my $entity = _entity($params);
    my $fields = array_argument($params, 'fields');
    my ($values, @multi) = _values($api, $entity, $fields, $params);

    B24::Portal::Classic::check_mandatory($api, 'universal', $entity, $values,
                                          {}, @multi);

    my $record = $api->store->create($entity, $values, $api->user, @multi);

    return array_of(item => item($api, $record, undef, 1));
}


# FIELDS by their universal names (with useOriginalUfNames, UF_* too)
sub _values {
    my ($api, $entity, $fields, $params, $record) = @_;

    my $original = strval($params->get('useOriginalUfNames')) eq 'Y';
    my $specs = $api->store->universal_specs($entity);
    my (%values, @multi);

    for my $name ($fields->keys) {
        my $spec = $specs->{$name};

        if ($name =~ /\AUF_/) {
            $spec = $original ? $api->store->spec($entity, $name) : undef;
        }

        my $value = $fields->get($name);

        if ($name eq 'fm' && $entity ne 'deal') {
            push @multi, _multi_items($value, $record);
            next;
        }

        next if !$spec || $spec->{readonly} || $spec->{virtual}
            || $spec->{type} eq 'multi';

        my @value = $api->store->field_value($entity, $spec, $value, 1);
        $values{$spec->{name}} = $value[0] if @value;
    }

    return (\%values, @multi);
}


# fm: [{typeId, valueType, value}]; in an update the keys say which: n0, n1 ...
# are new, numbers are ids, an empty value deletes
sub _multi_items {
    my ($list, $record) = @_;

    return if !is_array($list);

    my @items;

    for my $key ($list->keys) {
        my $item = $list->get($key);
        next if !is_array($item);

        my $type = uc strval($item->get('typeId'));
        my $text = strval($item->get('value'));
        my $kind = strval($item->get('valueType'));
        my $id = $record && $key =~ /\A\d+\z/ ? intval($item->get('id')) || $key
                                               : 0;

        refuse('CRM_FIELD_ERROR_VALUE_NOT_VALID',
               'Invalid value of the field "fm"')
            if $type !~ /\A(?:PHONE|EMAIL|WEB|IM)\z/ && !$id
            || $kind eq '' && !$id;

        $type = _type_of($record, $id) // next if $id;
        $text =~ s/\A\s+|\s+\z//g;

        B24::Portal::Classic::check_multi($type, $text,
            'CRM_FIELD_ERROR_VALUE_NOT_VALID');

        push @items, {type => $type, value => $text, id => $id,
                      value_type => B24::Portal::Store::value_type($type,
                                                                   $kind)};
    }

    return @items;
}


sub _type_of {
    my ($record, $id) = @_;

    for my $type (keys %{$record->{multi}}) {
        return $type if grep { $_->{ID} == $id } @{$record->{multi}{$type}};
    }

    return;
}


# An item as crm.item.* shows it; SELECT: classic names, undef for all.
# WITH_FM: phones and e-mails too.
sub item {
    my ($api, $record, $select, $with_fm, $original) = @_;

    my $store = $api->store;
    my $entity = $record->{entity};
    my $result = array_of();
    my %wanted = $select ? map { $_ => 1 } 'ID', @$select : ();

    for my $name ($store->field_names($entity)) {
        my $spec = $store->spec($entity, $name);

        next if $select && !$wanted{$name} || $spec->{type} eq 'multi';

        $result->set($spec->{user} && $original ? $name : $spec->{universal},
                     _typed($api, $record, $spec));
    }

    if ($with_fm && $record->{multi}) {
        $result->set(fm => list_of(map { _fm_output($record, $_) }
                                   qw(PHONE EMAIL WEB IM)));
    }

    $result->set(entityTypeId => $type_id{$entity}) if !$select;

    return $result;
}


sub _typed {
    my ($api, $record, $spec) = @_;

    my ($type, $name) = @$spec{qw(type name)};

    if ($spec->{virtual}) {
        return list_of(map { $_->{id} + 0 } grep {
            my $links = $_->{fields}{COMPANY_IDS};
            grep { $_ == $record->{id} } @$links;
        } $api->store->all('contact'));
    }

    my $value = $record->{fields}{$name};

    return list_of(map { $_ + 0 } @$value) if $type eq 'ids';
    return list_of(@$value) if ref $value;
    return ($value // 0) + 0 if $type =~ /\A(?:id|category)\z/;
    return $value if !defined $value;
    return $value + 0 if $type eq 'int' || $type eq 'user';
    return float_of($value) if $type =~ /\A(?:money|number|double)\z/;
    return $value;
}


sub _fm_output {
    my ($record, $type) = @_;

    return map {
        array_of(id => $_->{ID} + 0, typeId => $type,
                 valueType => $_->{VALUE_TYPE}, value => $_->{VALUE})
    } @{$record->{multi}{$type} // []};
}


sub get {
    my ($api, $params) = @_;

    my $entity = _entity($params);
    my $record = _record($api, $entity, int_argument($params, 'id'));

    return array_of(item => item($api, $record, undef, 1, _original($params)));
}


sub _original { return strval($_[0]->get('useOriginalUfNames')) eq 'Y' }


# unlike the classic lists an unknown field in the filter is an error
sub list {
    my ($api, $params, $start) = @_;

    my $entity = _entity($params);
    my $store = $api->store;
    my $specs = $store->universal_specs($entity);
    my %names = map { $_ => $specs->{$_}{name} } keys %$specs;

    if (_original($params)) {
        $names{$_} = $_ for grep { /\AUF_/ } $store->field_names($entity);
    }

    my $numeric = sub {
        B24::Portal::Classic::numeric_column($store, $entity, $_[0]);
    };
    my @conditions = conditions($params->get('filter'), \%names, sub {
        refuse('0', "Unknown field definition `$_[0]`");
    });
    my @records = grep {
        my $record = $_;
        matches(\@conditions,
                sub { B24::Portal::Classic::column($record, $_[0]) }, $numeric,
                sub { $store->collate($_[0]) });
    } B24::Portal::Classic::candidates($store, $entity, \@conditions);

    @records = sorted($params->get('order'), \%names,
                      sub { B24::Portal::Classic::column(@_) }, $numeric,
                      @records);

    my ($page, $total, $next) = page($start, @records);
    my ($select, $with_fm) = _selected($params->get('select'), \%names);
    my $items = list_of(map {
        item($api, $_, $select, $with_fm, _original($params))
    } @$page);

    return (array_of(items => $items), total => $total, next => $next);
}


# (classic names or undef for all, with fm): fm comes with "*" alone
sub _selected {
    my ($select, $names) = @_;

    return (undef, 0) if !is_array($select) || !$select->count;

    my @wanted = map { strval($_) } $select->values;

    return (undef, 1) if grep { $_ eq '*' } @wanted;
    return ([grep { defined } map { $names->{$_} } @wanted], 0);
}


sub update {
    my ($api, $params) = @_;

    my $entity = _entity($params);
    my $record = _record($api, $entity, int_argument($params, 'id'));
    my $fields = array_argument($params, 'fields');
    my ($values, @multi) = _values($api, $entity, $fields, $params, $record);

    for my $name (keys %$values) {
        delete $values->{$name}
            if _same($record->{fields}{$name}, $values->{$name});
    }

    B24::Portal::Classic::check_names($record, $values) if $entity eq 'contact';

    if ($entity eq 'deal' && defined $values->{STAGE_ID}) {
        B24::Portal::Classic::check_mandatory($api, 'universal', $entity,
            {%{$record->{fields}}, %$values}, $record->{multi} // {}, @multi);
    }

    # nothing changed: nothing is saved
    if (%$values || @multi) {
        $api->store->update($record, $values, $api->user, @multi);
    }

    return array_of(item => item($api, $record, undef, 1, _original($params)));
}


sub _same {
    my ($old, $new) = @_;

    return join(',', @{$old // []}) eq join(',', @$new) if ref $new;
    return ($old // '') eq ($new // '');
}


sub remove {
    my ($api, $params) = @_;

    my $entity = _entity($params);

    $api->store->remove(_record($api, $entity, int_argument($params, 'id')));

    return array_of();
}


sub fields {
    my ($api, $params) = @_;

    my $entity = _entity($params);
    my $original = strval($params->get('useOriginalUfNames')) eq 'Y';

    # phones and the like are one field, "fm"
    my $fields = B24::Portal::Classic::field_descriptions($api->store, $entity,
        sub {
            my ($spec) = @_;

            return $spec->{type} eq 'multi' ? 'fm'
                 : $original && $spec->{user} ? $spec->{name}
                 : $spec->{universal};
        });

    return array_of(fields => $fields);
}


# ---- product rows -----------------------------------------------------------

sub _owner {
    my ($api, $type, $id) = @_;

    refuse('ENTITY_TYPE_NOT_SUPPORTED',
           "Entity type $type doesn't support product rows") if $type ne 'D';

    return $api->store->find('deal', $id)
        // refuse('OWNER_NOT_FOUND', 'Owner was not found');
}


sub rows_set {
    my ($api, $params) = @_;

    my $id = int_argument($params, 'ownerId');
    my $type = string_argument($params, 'ownerType');
    my $rows = array_argument($params, 'productRows');
    my $record = _owner($api, $type, $id);

    _set($api, $record, map { universal_to_classic($_) }
                        grep { is_array($_) } $rows->values);

    return array_of(productRows => _rows($record));
}


# Like the classic row, but the name or a product has to be there
sub _set {
    my ($api, $record, @rows) = @_;

    my @made = map { make_row($_, $api->store) } @rows;

    for my $row (@made) {
        refuse('0', 'The field "productName" is required.')
            if $row->{PRODUCT_NAME} eq '' && !$row->{PRODUCT_ID};
    }

    $api->store->set_rows($record, \@made, $api->user);

    return;
}


sub _rows {
    my ($record) = @_;

    return list_of(map { universal_row($_) } @{$record->{rows}});
}


sub row_add {
    my ($api, $params) = @_;

    my $fields = array_argument($params, 'fields');
    my $record = _owner($api, string_argument($fields, 'ownerType'),
                        int_argument($fields, 'ownerId'));
    my $row = make_row(universal_to_classic($fields), $api->store);

    $api->store->set_rows($record, [@{$record->{rows}}, $row], $api->user);

    return array_of(productRow => universal_row($record->{rows}[-1]));
}


sub rows_list {
    my ($api, $params, $start) = @_;

    my $filter = array_argument($params, 'filter');

    for my $name ('=ownerType', '=ownerId') {
        refuse('0', "Required filter field \"$name\" is missing.")
            if !$filter->has($name);
    }

    my $record = _owner($api, string_argument($filter, '=ownerType'),
                        int_argument($filter, '=ownerId'));
    my ($page, $total, $next) = page($start, @{$record->{rows}});

    return (array_of(productRows => list_of(map { universal_row($_) } @$page)),
            total => $total, next => $next);
}


1;
