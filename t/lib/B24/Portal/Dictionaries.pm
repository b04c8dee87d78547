package B24::Portal::Dictionaries;

# Methods that describe the portal: who the webhook is, pipelines, stages,
# currencies, the catalogue, the feed of stage changes.

use strict;
use warnings;

use B24::Portal::Classic qw(param id_param);
use B24::Portal::Error qw(refuse);
use B24::Portal::Item;
use B24::Portal::Php qw(array_of list_of is_array intval strval);
use B24::Portal::Query qw(conditions matches sorted page);

use Mojo::JSON ();


sub methods {
    return (
        'profile'               => ['', \&profile],
        'scope'                 => ['', sub {
            list_of(@{$_[0]->config->{scopes}});
        }],
        'methods'               => ['', sub { list_of($_[0]->method_names) }],
        'method.get'            => ['', \&method_get],
        'server.time'           => ['', sub { $_[0]->store->now }],
        'app.info'              => ['', \&app_info],
        'user.current'          => ['user', \&user_current],
        'crm.status.list'       => ['crm', \&status_list],
        'crm.category.list'     => ['crm', \&category_list],
        'crm.dealcategory.list' => ['crm', \&dealcategory_list],
        'crm.dealcategory.stage.list' => ['crm', \&dealcategory_stages],
        'crm.currency.list'     => ['crm', \&currency_list],
        'crm.stagehistory.list' => ['crm', \&stage_history],
        'crm.settings.mode.get' => ['crm', sub {
            $_[0]->config->{leads} ? 1 : 2;
        }],
        'catalog.catalog.list'  => ['catalog', \&catalog_list],
        'catalog.product.list'  => ['catalog', \&product_list],
    );
}


sub profile {
    my ($api) = @_;

    return array_of(ID => $api->user . '', ADMIN => Mojo::JSON->true,
                    NAME => 'Integration', LAST_NAME => 'Shop',
                    PERSONAL_GENDER => '', TIME_ZONE => '');
}


sub method_get {
    my ($api, $params) = @_;

    my $scope = $api->method_scope(lc strval($params->get('name')));
    my $granted = defined $scope && $api->has_scope($scope);

    return array_of(
        isExisting  => defined $scope ? Mojo::JSON->true : Mojo::JSON->false,
        isAvailable => $granted ? Mojo::JSON->true : Mojo::JSON->false,
    );
}


sub app_info {
    my ($api) = @_;

    return array_of(SCOPE => list_of(@{$api->config->{scopes}}),
                    LICENSE => $api->config->{license});
}


sub user_current {
    my ($api) = @_;

    return array_of(ID => $api->user . '', ACTIVE => Mojo::JSON->true,
                    NAME => 'Integration', LAST_NAME => 'Shop',
                    EMAIL => 'integration@portal.example',
                    USER_TYPE => 'employee');
}


# Knows bare names only: "=ENTITY_ID" filters nothing and brings every status
sub status_list {
    my ($api, $params) = @_;

    my $filter = param($params, 'filter');
    my @rows = _statuses($api);

    if (is_array($filter)) {
        for my $name (qw(ID ENTITY_ID STATUS_ID NAME SYSTEM)) {
            next if !$filter->has($name);

            my $wanted = $filter->get($name);
            my @wanted = map { strval($_) } is_array($wanted)
                ? $wanted->values : $wanted;

            @rows = grep {
                my $have = $_->get($name);
                grep { $_ eq $have } @wanted;
            } @rows;
        }
    }

    my $order = param($params, 'order');
    my ($key) = is_array($order) ? $order->keys : ();

    if ($key && $key eq 'SORT' && uc strval($order->get($key)) eq 'DESC') {
        @rows = reverse @rows;
    }

    return (list_of(@rows), total => scalar @rows);
}


sub _statuses {
    my ($api) = @_;

    my $statuses = $api->config->{statuses};
    my $id = 100;
    my @rows;

    for my $entity (sort keys %$statuses) {
        my ($category) = $entity =~ /\ADEAL_STAGE_(\d+)\z/;
        my $stages = $entity =~ /\ADEAL_STAGE/;
        my $sort = 0;

        for my $status (@{$statuses->{$entity}}) {
            $sort += 10;

            my $row = array_of(
                ID          => $id++ . '',
                ENTITY_ID   => $entity,
                STATUS_ID   => $status->{STATUS_ID},
                NAME        => $status->{NAME} // $status->{STATUS_ID},
                NAME_INIT   => '',
                SORT        => "$sort",
                SYSTEM      => $sort == 10 ? 'Y' : 'N',
                CATEGORY_ID => $category,
                COLOR       => $status->{COLOR} // '',
                SEMANTICS   => $status->{SEMANTICS},
            );

            $row->set(EXTRA => array_of(
                SEMANTICS => $status->{EXTRA} // 'process',
                COLOR     => $status->{COLOR} // '')) if $stages;

            push @rows, $row;
        }
    }

    return @rows;
}


sub category_list {
    my ($api, $params) = @_;

    my $type = B24::Portal::Item::int_argument($params, 'entityTypeId');

    refuse('ENTITY_TYPE_NOT_SUPPORTED',
           "Entity type $type doesn't support categories") if $type != 2;

    my @categories = map {
        array_of(id => $_->{id} + 0, name => $_->{name},
                 sort => ($_->{sort} // 500) + 0, entityTypeId => 2,
                 isDefault => $_->{id} ? 'N' : 'Y', originId => '',
                 originatorId => '');
    } @{$api->config->{categories}};

    return (array_of(categories => list_of(@categories)),
            total => scalar @categories);
}


# only the additional pipelines
sub dealcategory_list {
    my ($api) = @_;

    my @categories = map {
        array_of(ID => "$_->{id}", NAME => $_->{name}, IS_LOCKED => 'N',
                 SORT => ($_->{sort} // 500) . '',
                 CREATED_DATE => $api->store->now(0));
    } grep { $_->{id} } @{$api->config->{categories}};

    return (list_of(@categories), total => scalar @categories);
}


sub dealcategory_stages {
    my ($api, $params) = @_;

    my $id = id_param($params);

    refuse('', 'Not found') if !$api->store->has_category($id)
        && $api->config->{unknown_category} eq 'refuse';

    my $sort = 0;
    my @stages = map {
        $sort += 10;
        array_of(NAME => $_->{NAME} // $_->{STATUS_ID}, SORT => $sort + 0,
                 STATUS_ID => $_->{STATUS_ID});
    } $api->store->stages($id);

    return (list_of(@stages), total => scalar @stages);
}


sub currency_list {
    my ($api) = @_;

    my $sort = 0;
    my @currencies = map {
        $sort += 100;
        array_of(CURRENCY => $_->{CURRENCY}, AMOUNT_CNT => '1',
                 AMOUNT => $_->{AMOUNT} // '1.0000', SORT => "$sort",
                 BASE => $_->{BASE} // 'N', FULL_NAME => $_->{CURRENCY},
                 LID => 'ru', FORMAT_STRING => "# $_->{CURRENCY}",
                 DEC_POINT => '.', THOUSANDS_SEP => undef, DECIMALS => '2',
                 DATE_UPDATE => $api->store->now(0));
    } @{$api->config->{currencies}};

    return (list_of(@currencies), total => scalar @currencies);
}


# A monotonic feed; numbers, unlike other classic lists
sub stage_history {
    my ($api, $params, $start) = @_;

    my $type = B24::Portal::Item::int_argument($params, 'entityTypeId');

    refuse('ENTITY_TYPE_NOT_SUPPORTED',
           "Entity type $type is not supported") if $type != 2;

    my @all = qw(ID TYPE_ID OWNER_ID CREATED_TIME CATEGORY_ID
                 STAGE_SEMANTIC_ID STAGE_ID);
    my %names = map { $_ => $_ } @all;
    my $numeric = sub { $_[0] =~ /ID\z/ && $_[0] !~ /STAGE/ };
    my @conditions = conditions(param($params, 'filter'), \%names);
    my @rows = grep {
        my $row = $_;
        matches(\@conditions, sub { $row->{$_[0]} }, $numeric, sub { $_[0] });
    } @{$api->store->{history}};

    @rows = sorted(param($params, 'order'), \%names,
                   sub { $_[0]{$_[1]} }, $numeric,
                   map { {%$_, id => $_->{ID}} } @rows);

    my ($page, $total, $next) = page($start, @rows);
    my $select = param($params, 'select');
    my @wanted = is_array($select) && $select->count
        ? grep { $names{$_} } map { strval($_) } $select->values : @all;
    my $items = list_of(map {
        my $row = $_;
        array_of(map { $_ => $row->{$_} } @wanted);
    } @$page);

    return (array_of(items => $items), total => $total, next => $next);
}


sub catalog_list {
    my ($api) = @_;

    my @catalogs = map {
        array_of(id => $_->{id} + 0, iblockId => $_->{iblockId} + 0,
                 iblockTypeId => 'CRM_PRODUCT_CATALOG', lid => 's1',
                 name => $_->{name}, subscription => 'N', vatId => undef,
                 productIblockId => $_->{productIblockId}
                     ? $_->{productIblockId} + 0 : undef,
                 skuPropertyId => undef, yandexExport => 'N');
    } @{$api->config->{catalogs}};

    return (array_of(catalogs => list_of(@catalogs)),
            total => scalar @catalogs);
}


# select must name id and iblockId, the filter iblockId
sub product_list {
    my ($api, $params, $start) = @_;

    my $select = $params->get('select');
    my $filter = $params->get('filter');
    my @wanted = is_array($select) ? map { strval($_) } $select->values : ();
    my %names = map { $_ => $_ } qw(id iblockId xmlId name type active);

    for my $name (qw(id iblockId)) {
        refuse('0', "Required select fields: $name")
            if !grep { $_ eq $name || $_ eq '*' } @wanted;
    }

    refuse('0', 'Required filter fields: iblockId')
        if !is_array($filter)
        || !grep { /\A[=\@]?iblockId\z/ } $filter->keys;

    my $numeric = sub { $_[0] =~ /\A(?:id|iblockId|type)\z/ };
    my @conditions = conditions($filter, \%names, sub {
        refuse('0', "Unknown field definition `$_[0]`");
    });
    my @products = grep {
        my $product = $_;
        matches(\@conditions, sub { $product->{$_[0]} }, $numeric,
                sub { $api->store->collate($_[0]) });
    } @{$api->config->{products}};

    my ($page, $total, $next) = page($start, @products);
    @wanted = sort keys %names if grep { $_ eq '*' } @wanted;

    my $list = list_of(map {
        my $product = {active => 'Y', %$_};
        array_of(map {
            $_ => $numeric->($_) ? $product->{$_} + 0 : $product->{$_}
        } grep { $names{$_} } @wanted);
    } @$page);

    return (array_of(products => $list), total => $total, next => $next);
}


1;
