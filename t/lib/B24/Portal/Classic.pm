package B24::Portal::Classic;

# The classic methods: crm.contact.*, crm.company.*, crm.deal.* and their
# kin.  UPPER_CASE names, strings for numbers, an error with an empty code for
# most refusals, unknown fields and wrong enum values dropped without a word.

use strict;
use warnings;

use B24::Portal::Error qw(refuse);
use B24::Portal::Php qw(array_of list_of is_array intval strval
    change_key_case);
use B24::Portal::Query qw(conditions matches sorted page);
use B24::Portal::Rows qw(make_row classic_row);
use B24::Portal::Store;
use Mojo::JSON ();

use Exporter 'import';

our @EXPORT_OK = qw(param id_param array_param);

use constant NUMERIC => {map { $_ => 1 }
    qw(int id ids user category money number double)};


# every method: name => [scope, code]; CODE->(api, params, start) gives
# (result, total => .., next => ..)
sub methods {
    my %methods;

    for my $entity (qw(contact company deal)) {
        my %verbs = (add => \&add, get => \&get, list => \&list,
                     update => \&update, delete => \&remove,
                     fields => \&fields);

        while (my ($verb, $code) = each %verbs) {
            $methods{"crm.$entity.$verb"} =
                ['crm', sub { $code->($entity, @_) }];
        }
    }

    return (
        %methods,
        'crm.deal.productrows.set'    => ['crm', \&rows_set],
        'crm.deal.productrows.get'    => ['crm', \&rows_get],
        'crm.deal.contact.add'        => ['crm', \&deal_contact_add],
        'crm.deal.contact.items.get'  => ['crm', \&deal_contacts_get],
        'crm.deal.contact.items.set'  => ['crm', \&deal_contacts_set],
        'crm.contact.company.add'     => ['crm', \&contact_company_add],
        'crm.contact.company.items.get' => ['crm', \&contact_companies_get],
        'crm.requisite.add'           => ['crm', \&requisite_add],
        'crm.requisite.list'          => ['crm',
            sub { list('requisite', @_) }],
        'crm.requisite.preset.list'   => ['crm', \&preset_list],
        'crm.address.add'             => ['crm', \&address_add],
        'crm.duplicate.findbycomm'    => ['crm', \&find_by_comm],
        'crm.timeline.comment.add'    => ['crm', \&comment_add],
    );
}


# a parameter by its lower or its upper case name
sub param {
    my ($params, $name) = @_;

    return $params->has($name) ? $params->get($name) : $params->get(uc $name);
}


# (int) of a parameter: an array that isn't empty is 1
sub id_param {
    my ($params, $name) = @_;

    return intval(param($params, $name // 'id'));
}


# an absent parameter is an empty array, anything but an array is refused
sub array_param {
    my ($params, $name) = @_;

    my $value = param($params, $name) // return array_of();

    refuse('', "Parameter '$name' must be array.") if !is_array($value);

    return $value;
}


sub _record {
    my ($api, $entity, $id) = @_;

    refuse('', 'ID is not defined or invalid.') if $id <= 0;

    return $api->store->find($entity, $id) // refuse('', 'Not found');
}


# ---- add, get, list, update, delete -----------------------------------------

sub add {
    my ($entity, $api, $params) = @_;

    my $fields = array_param($params, 'fields');
    my ($values, @multi) = _values($api, $entity, $fields);

    check_mandatory($api, 'classic', $entity, $values, {}, @multi);

    my $record = $api->store->create($entity, $values, $api->user, @multi);

    return $record->{id};
}


# Fields the portal's administrator made mandatory, for all stages or, as
# "FIELD\@STAGE", for one.  FAMILY: "classic" or "universal", which the portal
# checks or not.  HAS: multifields there already.
sub check_mandatory {
    my ($api, $family, $entity, $values, $has, @multi) = @_;

    my $by = $api->config->{mandatory_by};

    return if $by ne 'both' && $by ne $family;

    my %all = (%$values, map { $_->{type} => 1 }
                         grep { ($_->{value} // '') ne '' } @multi);

    $all{$_} = 1 for grep { @{$has->{$_}} } keys %$has;

    for my $told (@{$api->config->{mandatory}{$entity} // []}) {
        my ($name, $stage) = split /\@/, $told, 2;

        next if defined $stage && ($all{STAGE_ID} // '') ne $stage;

        my $value = $all{$name};
        my $empty = ref $value ? !@$value : ($value // '') eq ''
            || $value =~ /\A0(?:\.00)?\z/;

        refuse('CRM_FIELD_ERROR_REQUIRED',
               "The field \"$name\" is required.") if $empty;
    }

    return;
}


# FIELDS as columns and multifield items; what the server would drop is gone
sub _values {
    my ($api, $entity, $fields, $update) = @_;

    my (%values, @multi);

    for my $name ($fields->keys) {
        my $spec = $api->store->spec($entity, $name) // next;
        next if $spec->{readonly} || $spec->{virtual};
        next if $update && $name eq 'CATEGORY_ID';

        my $value = $fields->get($name);

        if ($spec->{type} eq 'multi') {
            push @multi, _multi_items($name, $value);
            next;
        }

        my @value = $api->store->field_value($entity, $spec, $value);
        $values{$name} = $value[0] if @value;
    }

    return (\%values, @multi);
}


# [{VALUE, VALUE_TYPE, ID, DELETE}, ...]; anything but an array is ignored
sub _multi_items {
    my ($type, $list) = @_;

    return if !is_array($list);

    my @items;

    for my $item (grep { is_array($_) } $list->values) {
        my $text = strval($item->get('VALUE'));

        $text =~ s/\A\s+|\s+\z//g;

        check_multi($type, $text, 'ERROR_CORE');

        push @items, {
            type       => $type,
            value      => $text,
            id         => intval($item->get('ID')),
            delete     => strval($item->get('DELETE')) eq 'Y',
            value_type => B24::Portal::Store::value_type(
                $type, strval($item->get('VALUE_TYPE'))),
        };
    }

    return @items;
}


# an invalid e-mail fails the whole record, as does a value too long
sub check_multi {
    my ($type, $text, $code) = @_;

    my $chars = $text;
    utf8::decode($chars);

    if (length $chars > B24::Portal::Store::MULTI_SIZE) {
        refuse($code, "The field \"$type\" is too long.");
    }

    if ($type eq 'EMAIL' && $text ne ''
        && !B24::Portal::Store::is_email($text))
    {
        refuse($code, 'The field "E-mail" contains an invalid address.<br>');
    }

    return;
}


sub get {
    my ($entity, $api, $params) = @_;

    my $record = _record($api, $entity, id_param($params));

    return _output($api, $record, [_plain_names($api, $entity)], 1);
}


# fields of a list without select and of get: all but links and multifields
sub _plain_names {
    my ($api, $entity) = @_;

    my $store = $api->store;

    return grep { $store->spec($entity, $_)->{type} !~ /\A(?:ids|multi)\z/ }
                $store->field_names($entity);
}


sub _output {
    my ($api, $record, $names, $with_multi) = @_;

    my $result = array_of();

    for my $name (@$names) {
        my $value = $record->{fields}{$name};
        $result->set($name, ref $value ? list_of(@$value)
                            : defined $value ? "$value" : undef);
    }

    if ($with_multi && $record->{multi}) {
        for my $type (qw(PHONE EMAIL WEB IM)) {
            my $list = multi_output($record, $type);
            $result->set($type, $list) if $list->count;
        }
    }

    return $result;
}


sub multi_output {
    my ($record, $type) = @_;

    return list_of(map {
        array_of(ID => "$_->{ID}", VALUE_TYPE => $_->{VALUE_TYPE},
                 VALUE => $_->{VALUE}, TYPE_ID => $type)
    } @{$record->{multi}{$type} // []});
}


sub list {
    my ($entity, $api, $params, $start) = @_;

    my $store = $api->store;
    my %names = map { $_ => $_ } $store->field_names($entity);
    my $numeric = sub { numeric_column($store, $entity, $_[0]) };
    my @conditions = conditions(param($params, 'filter'), \%names);
    my @records = grep {
        my $record = $_;
        matches(\@conditions, sub { column($record, $_[0]) }, $numeric,
                sub { $store->collate($_[0]) });
    } candidates($store, $entity, \@conditions);

    @records = sorted(param($params, 'order'), \%names,
                      sub { column(@_) }, $numeric, @records);

    my ($page, $total, $next) = page($start, @records);
    my ($names, $multi) = _selected($api, $entity, param($params, 'select'));
    my $result = list_of(map {
        my $row = _output($api, $_, $names);
        for my $type (@$multi) {
            my $list = multi_output($_, $type);
            $row->set($type, $list) if $list->count;
        }
        $row;
    } @$page);

    # without counting the classic lists say there are none
    return ($result, total => $total // 0, next => $next);
}


sub numeric_column {
    my ($store, $entity, $name) = @_;

    return NUMERIC->{$store->spec($entity, $name)->{type}};
}


# the value conditions look at
sub column {
    my ($record, $name) = @_;

    if ($record->{multi} && $name =~ /\A(?:PHONE|EMAIL|WEB|IM)\z/) {
        return [map { $_->{VALUE} } @{$record->{multi}{$name} // []}];
    }

    return $record->{fields}{$name};
}


# a short cut to the records conditions on an id or an origin leave over
sub candidates {
    my ($store, $entity, $conditions) = @_;

    for my $condition (@$conditions) {
        my ($op, $name, $values) = @$condition;
        next if $op !~ /\A[=\@]?\z/;

        if ($name eq 'ID') {
            my %seen;
            return grep { defined } map { $store->find($entity, $_) }
                   sort { $a <=> $b } grep { !$seen{$_}++ }
                   map { intval($_) } @$values;
        }

        if ($name eq 'ORIGIN_ID' && $op ne '' && !grep { $_ eq '' } @$values) {
            return $store->by_origin($entity, @$values);
        }
    }

    return $store->all($entity);
}


sub _selected {
    my ($api, $entity, $select) = @_;

    my @all = _plain_names($api, $entity);
    my (@names, @multi);

    if (!is_array($select) || !$select->count) {
        return ([grep { !$api->store->spec($entity, $_)->{user} } @all], []);
    }

    for my $name (map { strval($_) } $select->values) {
        if ($name eq '*') {
            push @names, grep { !$api->store->spec($entity, $_)->{user} } @all;

        } elsif ($name eq 'UF_*') {
            push @names, grep { /\AUF_/ } @all;

        } else {
            my $spec = $api->store->spec($entity, $name) // next;
            push @{$spec->{type} eq 'multi' ? \@multi : \@names}, $name
                if $spec->{type} ne 'ids';
        }
    }

    my %seen = (ID => 1);

    return (['ID', grep { !$seen{$_}++ } @names], \@multi);
}


sub update {
    my ($entity, $api, $params) = @_;

    my $record = _record($api, $entity, id_param($params));
    my $fields = array_param($params, 'fields');
    my ($values, @multi) = _values($api, $entity, $fields, 1);

    check_names($record, $values) if $entity eq 'contact';
    check_mandatory($api, 'classic', $entity, {%{$record->{fields}}, %$values},
                    $record->{multi} // {}, @multi)
        if $entity eq 'deal' && defined $values->{STAGE_ID};
    $api->store->update($record, $values, $api->user, @multi);

    return Mojo::JSON->true;
}


# a contact may not lose both of its names
sub check_names {
    my ($record, $values) = @_;

    my %after = (%{$record->{fields}}, %$values);

    return if !exists $values->{NAME} && !exists $values->{LAST_NAME};
    return if ($after{NAME} // '') ne '' || ($after{LAST_NAME} // '') ne '';

    refuse('CRM_FIELD_ERROR_REQUIRED',
           'The field "Name" or "Last name" is required.');
}


sub remove {
    my ($entity, $api, $params) = @_;

    $api->store->remove(_record($api, $entity, id_param($params)));

    return Mojo::JSON->true;
}


my %rest_type = (int => 'integer', id => 'integer', ids => 'integer',
                 text => 'string', flag => 'char', money => 'double',
                 number => 'double', status => 'crm_status',
                 stage => 'crm_status', currency => 'crm_currency',
                 category => 'crm_category', multi => 'crm_multifield');


sub fields {
    my ($entity, $api) = @_;

    return field_descriptions($api->store, $entity, sub { $_[0]{name} });
}


sub field_descriptions {
    my ($store, $entity, $key) = @_;

    my $result = array_of();
    my $yes = sub { $_[0] ? Mojo::JSON->true : Mojo::JSON->false };

    for my $name ($store->field_names($entity)) {
        my $spec = $store->spec($entity, $name);
        my $type = $spec->{type};
        my $field = array_of(
            type        => $rest_type{$type} // $type,
            isRequired  => $yes->(0),
            isReadOnly  => $yes->($spec->{readonly}),
            isImmutable => $yes->($name eq 'CATEGORY_ID'),
            isMultiple  => $yes->($type eq 'multi' || $type eq 'ids'
                                  || $spec->{multiple}),
            isDynamic   => $yes->($spec->{user}),
            title       => $name,
        );

        $field->set(statusType => $type eq 'stage' ? 'DEAL_STAGE'
                                                   : $spec->{dictionary})
            if $type eq 'stage' || $type eq 'status';
        $field->set(items => list_of(map {
            array_of(ID => "$_->{ID}", VALUE => $_->{VALUE})
        } @{$spec->{items}})) if $spec->{items};

        $result->set($key->($spec), $field);
    }

    return $result;
}


# ---- product rows -----------------------------------------------------------

sub rows_set {
    my ($api, $params) = @_;

    my $id = id_param($params);
    my $rows = param($params, 'rows');

    refuse('', 'The parameter id is invalid or not defined.') if $id <= 0;
    refuse('', 'The parameter rows must be array.') if !is_array($rows);

    my $record = $api->store->find('deal', $id) // refuse('', 'Not found.');
    my @rows = map { make_row($_, $api->store) }
               grep { is_array($_) } $rows->values;

    $api->store->set_rows($record, \@rows, $api->user);

    return Mojo::JSON->true;
}


sub rows_get {
    my ($api, $params) = @_;

    my $id = id_param($params);

    refuse('', 'The parameter id is invalid or not defined.') if $id <= 0;

    my $record = $api->store->find('deal', $id) // refuse('', 'Not found.');

    return list_of(map { classic_row($_) } @{$record->{rows}});
}


# ---- links ------------------------------------------------------------------

sub _links {
    my ($name, $ids) = @_;

    my $index = 0;

    return list_of(map {
        my $first = $index++ == 0;

        array_of($name => $_ + 0, SORT => 10 * $index, ROLE_ID => 0,
                 IS_PRIMARY => $first ? 'Y' : 'N')
    } @$ids);
}


sub deal_contacts_get {
    my ($api, $params) = @_;

    my $record = _record($api, 'deal', id_param($params));

    return _links('CONTACT_ID', $record->{fields}{CONTACT_IDS});
}


sub deal_contacts_set {
    my ($api, $params) = @_;

    my $record = _record($api, 'deal', id_param($params));
    my $items = param($params, 'items');

    refuse('', "The parameter 'items' must be array.") if !is_array($items);

    my @items = grep { is_array($_) } $items->values;
    my @primary = grep { strval($_->get('IS_PRIMARY')) eq 'Y' } @items;
    my %seen;
    my @ids = grep { $_ > 0 && !$seen{$_}++ }
              map { intval($_->get('CONTACT_ID')) } @primary, @items;

    $api->store->update($record, {CONTACT_IDS => \@ids}, $api->user);

    return Mojo::JSON->true;
}


sub deal_contact_add {
    my ($api, $params) = @_;

    return _link($api, 'deal', 'CONTACT', $params);
}


sub contact_company_add {
    my ($api, $params) = @_;

    return _link($api, 'contact', 'COMPANY', $params);
}


sub contact_companies_get {
    my ($api, $params) = @_;

    my $record = _record($api, 'contact', id_param($params));

    return _links('COMPANY_ID', $record->{fields}{COMPANY_IDS});
}


# true, or false when the link is there already
sub _link {
    my ($api, $entity, $target, $params) = @_;

    my $record = _record($api, $entity, id_param($params));
    my $fields = array_param($params, 'fields');
    my $id = intval($fields->get("${target}_ID"));

    refuse('', "The parameter 'fields' must contain ${target}_ID.") if $id <= 0;
    refuse('', 'Not found') if !$api->store->find(lc $target, $id);

    my @ids = @{$record->{fields}{"${target}_IDS"}};

    return Mojo::JSON->false if grep { $_ == $id } @ids;

    if (strval($fields->get('IS_PRIMARY')) eq 'Y') {
        unshift @ids, $id;

    } else {
        push @ids, $id;
    }

    $api->store->update($record, {"${target}_IDS" => \@ids}, $api->user);

    return Mojo::JSON->true;
}


# ---- requisites, addresses, comments ----------------------------------------

sub requisite_add {
    my ($api, $params) = @_;

    my $fields = array_param($params, 'fields');
    my ($values) = _values($api, 'requisite', $fields);

    for my $name (qw(ENTITY_TYPE_ID ENTITY_ID PRESET_ID NAME)) {
        refuse('', "Required field \"$name\" is not specified.")
            if !$values->{$name};
    }

    my %entities = (3 => 'contact', 4 => 'company');
    my $owner = $entities{$values->{ENTITY_TYPE_ID}}
        // refuse('', 'ENTITY_TYPE_ID is not defined or invalid.');

    refuse('', 'The owner of the requisite is not found.')
        if !$api->store->find($owner, $values->{ENTITY_ID});

    return $api->store->create('requisite', $values, $api->user)->{id};
}


sub preset_list {
    my ($api, $params, $start) = @_;

    my %names = map { $_ => $_ } qw(ID NAME COUNTRY_ID ACTIVE XML_ID SORT);
    my @conditions = conditions(param($params, 'filter'), \%names);
    my $get = sub { $_[0]{$_[1]} // {ACTIVE => 'Y', SORT => 500}->{$_[1]} };
    my $numeric = sub { $_[0] =~ /\A(?:ID|COUNTRY_ID|SORT)\z/ };
    my @presets = grep {
        my $preset = $_;
        matches(\@conditions, sub { $get->($preset, $_[0]) }, $numeric,
                sub { $_[0] });
    } @{$api->config->{presets}};

    my ($page, $total, $next) = page($start, @presets);

    return (list_of(map {
        my $preset = $_;
        array_of(map { $_ => $get->($preset, $_) . '' }
                 qw(ID NAME COUNTRY_ID ACTIVE XML_ID SORT));
    } @$page), total => $total // 0, next => $next);
}


sub address_add {
    my ($api, $params) = @_;

    my $fields = array_param($params, 'fields');

    for my $name (qw(TYPE_ID ENTITY_TYPE_ID ENTITY_ID)) {
        refuse('', "$name is not defined or invalid.")
            if intval($fields->get($name)) <= 0;
    }

    if (intval($fields->get('ENTITY_TYPE_ID')) == 8
        && !$api->store->find('requisite', intval($fields->get('ENTITY_ID'))))
    {
        refuse('', 'Not found');
    }

    $api->store->add_address({map {
        $_ => $api->store->column_text(strval($fields->get($_)), $_)
    } $fields->keys});

    return Mojo::JSON->true;
}


# lower-case "fields" only
sub comment_add {
    my ($api, $params) = @_;

    my $fields = $params->get('fields');

    refuse('', 'Fields is not defined or invalid.') if !is_array($fields);

    $fields = change_key_case($fields);

    my $entity = lc strval($fields->get('ENTITY_TYPE'));
    my $id = intval($fields->get('ENTITY_ID'));
    my $text = strval($fields->get('COMMENT'));

    refuse('', 'Comment message is empty.') if $text eq '';
    refuse('', 'Entity type is not supported in current context.')
        if $entity !~ /\A(?:deal|contact|company)\z/;
    refuse('OWNER_NOT_FOUND', 'Owner was not found')
        if !$api->store->find($entity, $id);

    return $api->store->add_comment($api->store->find($entity, $id), $text);
}


# ---- duplicates -------------------------------------------------------------

# values: strings only, at most 20 of them, at most 20 ids each
sub find_by_comm {
    my ($api, $params) = @_;

    my $type = uc strval(param($params, 'type'));
    my $values = param($params, 'values');
    my $entity = uc strval(param($params, 'entity_type'));

    refuse('', 'Communication type is not defined.') if $type eq '';
    refuse('', "Communication type '$type' is not supported in current "
             . 'context.') if $type !~ /\A(?:PHONE|EMAIL)\z/;
    refuse('', 'Communication values is not defined.')
        if !is_array($values) || !$values->count;
    refuse('', "Entity type '$entity' is not supported in current context.")
        if $entity !~ /\A(?:|CONTACT|COMPANY|LEAD)\z/;

    my @values = grep { B24::Portal::Php::is_string($_) } $values->values;
    splice @values, 20 if @values > 20;

    my $result = array_of();

    for my $kind ($entity eq '' ? qw(LEAD CONTACT COMPANY) : $entity) {
        my %ids;

        for my $value (@values) {
            my @ids = $api->store->duplicates(lc $kind, $type, $value);
            splice @ids, 20 if @ids > 20;
            $ids{$_} = 1 for @ids;
        }

        next if !%ids;

        my $found = list_of(map { $_ + 0 } sort { $a <=> $b } keys %ids);

        # as many hits of one kind hide the others
        return array_of($kind => $found)
            if $entity eq '' && $found->count >= 20;

        $result->set($kind, $found);
    }

    return $result;
}


1;
