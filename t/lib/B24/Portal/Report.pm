package B24::Portal::Report;

# What the portal holds, as plain data for JSON and for the pages.  Amounts
# are decimal texts, exact.

use Mojo::Base -strict, -signatures;

# A record 1 of each kind is there from the start and belongs to somebody
# else; it isn't counted among ours.  "foreign_touched" tells that a request
# has changed one of them.


sub counts ($app) {
    my $records = $app->store->{records};
    my %counts = map {
        my $name = $_ eq 'company' ? 'companies' : "${_}s";
        my $all = keys %{$records->{$_}};
        my $foreign = exists $records->{$_}{1} && $records->{$_}{1}{foreign};

        $name => $all - ($foreign ? 1 : 0);
    } qw(contact company deal requisite);

    $counts{arrived} = $app->counts->{arrived};
    $counts{requests} = $app->counts->{finished};
    $counts{held} = keys %{$app->faults->held};

    return \%counts;
}


# JOURNAL: how many of the latest requests, undef for all
sub report ($app, $journal = undef) {
    my $store = $app->store;
    my @entries = @{$app->journal};
    my @ours = map { [grep { !$_->{foreign} } $store->all($_)] }
               qw(contact company deal requisite);
    my @foreign = grep { $_ } map { $store->find($_, 1) }
                  qw(contact company deal);

    if (defined $journal && @entries > $journal) {
        splice @entries, 0, @entries - $journal;
    }

    return texts({
        counts        => counts($app),
        contacts      => [map { contact($_) } @{$ours[0]}],
        companies     => [map { company($_) } @{$ours[1]}],
        deals         => [map { deal($store, $_) } @{$ours[2]}],
        requisites    => [map { requisite($_) } @{$ours[3]}],
        addresses     => $store->{addresses},
        stage_history => $store->{history},
        foreign       => {map {
            $_->{entity} => {touched => $_->{touched} ? \1 : \0,
                             fields  => _fields($_),
                             rows    => scalar @{$_->{rows}}}
        } grep { $_->{foreign} } @foreign},
        foreign_touched => (scalar grep { $_->{foreign} && $_->{touched} }
                            @foreign) || @foreign < 3 ? \1 : \0,
        spoiled       => [$app->spoiled],
        unresolved    => $app->rest->unresolved,
        limits        => $app->limits->bucket_report,
        held          => [sort { $a <=> $b } keys %{$app->faults->held}],
        forgotten     => $app->counts->{forgotten},
        journal       => \@entries,
    });
}


sub contact ($record) {
    my $fields = $record->{fields};

    return {
        id => $record->{id} + 0, name => $fields->{NAME},
        second_name => $fields->{SECOND_NAME},
        last_name => $fields->{LAST_NAME}, _values($record),
        company_ids => [map { $_ + 0 } @{$fields->{COMPANY_IDS}}],
        _origin($record),
    };
}


sub company ($record) {
    return {
        id => $record->{id} + 0, title => $record->{fields}{TITLE},
        _values($record), _origin($record),
    };
}


sub deal ($store, $record) {
    my $fields = $record->{fields};

    return {
        id          => $record->{id} + 0,
        title       => $fields->{TITLE},
        stage_id    => $fields->{STAGE_ID},
        category_id => $fields->{CATEGORY_ID} + 0,
        opportunity => $fields->{OPPORTUNITY},
        manual      => $fields->{IS_MANUAL_OPPORTUNITY} eq 'Y' ? \1 : \0,
        currency_id => $fields->{CURRENCY_ID},
        tax_value   => $fields->{TAX_VALUE},
        contact_ids => [map { $_ + 0 } @{$fields->{CONTACT_IDS}}],
        company_id  => ($fields->{COMPANY_ID} || 0) + 0,
        rows        => [map { _row($store, $_) } @{$record->{rows}}],
        rows_sum    => $store->rows_sum($record->{rows}),
        timeline    => [map { $_->{text} } @{$record->{comments}}],
        _origin($record),
    };
}


sub _row ($store, $row) {
    return {
        id => $row->{ID} + 0, product_id => $row->{PRODUCT_ID} + 0,
        quantity => _trimmed($row->{QUANTITY}),
        tax_rate => defined $row->{TAX_RATE} ? _trimmed($row->{TAX_RATE})
                                             : undef,
        discount_rate => _trimmed($row->{DISCOUNT_RATE}),
        measure_code => $row->{MEASURE_CODE} + 0, sort => $row->{SORT} + 0,
        sum => $store->rows_sum([$row]),
        map { lc $_ => $row->{$_} } qw(PRODUCT_NAME PRICE PRICE_EXCLUSIVE
            PRICE_NETTO PRICE_BRUTTO DISCOUNT_SUM TAX_INCLUDED XML_ID),
    };
}


sub _trimmed ($number) {
    return $number =~ s/(?:\.0+|(\.\d*?)0+)\z/$1 \/\/ ''/er;
}


sub requisite ($record) {
    my $fields = $record->{fields};

    return {
        id => $record->{id} + 0,
        entity_type_id => $fields->{ENTITY_TYPE_ID} + 0,
        entity_id => $fields->{ENTITY_ID} + 0,
        preset_id => $fields->{PRESET_ID} + 0, name => $fields->{NAME},
        inn => $fields->{RQ_INN}, kpp => $fields->{RQ_KPP},
        fields => _fields($record),
    };
}


sub _values ($record) {
    my %names = (PHONE => 'phones', EMAIL => 'emails');

    return map {
        $names{$_} => [map { $_->{VALUE} } @{$record->{multi}{$_} // []}]
    } keys %names;
}


sub _origin ($record) {
    my $fields = $record->{fields};

    return (
        originator_id => $fields->{ORIGINATOR_ID},
        origin_id     => $fields->{ORIGIN_ID},
        source_id     => $fields->{SOURCE_ID},
        comments      => $fields->{COMMENTS},
        fields        => _fields($record),
    );
}


sub _fields ($record) {
    my $fields = $record->{fields};

    return {map { $_ => ref $fields->{$_} ? [@{$fields->{$_}}] : $fields->{$_} }
            keys %$fields};
}


# byte strings inside turned into texts; what isn't UTF-8 keeps its bytes
sub texts ($data) {
    return [map { texts($_) } @$data] if ref $data eq 'ARRAY';

    if (ref $data eq 'HASH') {
        my %copy;

        while (my ($key, $value) = each %$data) {
            utf8::decode($key);
            $copy{$key} = texts($value);
        }

        return \%copy;
    }

    return $data if ref $data || !defined $data || $data !~ /[\x80-\xff]/;

    utf8::decode($data);

    return $data;
}


1;
