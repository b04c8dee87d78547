package B24::Tables;

# Tables of shops' databases, as their installations make them, as far as an
# order is concerned; and recorded orders in them, from truth.json.
#
#   B24::Tables::woocommerce($db, @orders);      # of truth.json
#   B24::Tables::bitrix($db, layout => 17);      # empty, of an older version
#   B24::Tables::bitrix_order($db, ...);
#
# $db is a B24::MariaDB, whose tables are in the database "shop".

use strict;
use warnings;
use utf8;


# Rows of a table: hashes of the same columns.
# rows of together()
our $gathered;

sub insert {
    my ($db, $table, @rows) = @_;

    return if !@rows;
    return push @$gathered, inserted($table, @rows) if $gathered;

    $db->sql(inserted($table, @rows));
}

# What is inserted by CODE comes as one transaction: whoever looks meanwhile
# sees no order without its rows.
sub together {
    my ($db, $code) = @_;

    return $code->() if $gathered;

    my @statements;

    {
        local $gathered = \@statements;
        $code->();
    }

    $db->sql("START TRANSACTION;\n" . join('', @statements) . 'COMMIT;')
        if @statements;
}

# The statement for that.
sub inserted {
    my ($table, @rows) = @_;

    my @columns = sort keys %{$rows[0]};

    return "INSERT INTO shop.$table ("
        . join(', ', map { "`$_`" } @columns) . ') VALUES '
        . join(', ', map { my $row = $_;
              '(' . join(', ', map { quoted($row->{$_}) } @columns)
              . ')' } @rows) . ";\n";
}

sub quoted {
    my ($value) = @_;

    return 'NULL' if !defined $value;
    return $$value if ref $value;

    $value =~ s/([\\'])/\\$1/g;

    return "'$value'";
}


# ---- WooCommerce ---------------------------------------------------------

sub woocommerce {
    my ($db, @orders) = @_;

    $db->sql(<<'EOS');
USE shop;
CREATE TABLE wp_options (
    option_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    option_name varchar(191) NOT NULL DEFAULT '' UNIQUE,
    option_value longtext NOT NULL,
    autoload varchar(20) NOT NULL DEFAULT 'yes');
CREATE TABLE wp_wc_orders (
    id bigint unsigned PRIMARY KEY, status varchar(20), currency varchar(10),
    type varchar(20), tax_amount decimal(26,8), total_amount decimal(26,8),
    customer_id bigint unsigned, billing_email varchar(320),
    date_created_gmt datetime, date_updated_gmt datetime,
    parent_order_id bigint unsigned, payment_method varchar(100),
    payment_method_title text, transaction_id varchar(100),
    ip_address varchar(100), user_agent text, customer_note text,
    KEY date_updated (date_updated_gmt));
CREATE TABLE wp_wc_order_addresses (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id bigint unsigned NOT NULL, address_type varchar(20),
    first_name text, last_name text, company text, address_1 text,
    address_2 text, city text, state text, postcode text, country text,
    email varchar(320), phone varchar(100),
    UNIQUE KEY address_type_order_id (address_type, order_id));
CREATE TABLE wp_wc_order_operational_data (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id bigint unsigned UNIQUE, created_via varchar(100),
    woocommerce_version varchar(20), prices_include_tax tinyint(1),
    order_key varchar(100), shipping_tax_amount decimal(26,8),
    shipping_total_amount decimal(26,8), discount_tax_amount decimal(26,8),
    discount_total_amount decimal(26,8));
CREATE TABLE wp_wc_orders_meta (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id bigint unsigned, meta_key varchar(255), meta_value text,
    KEY order_id_meta_key_meta_value (order_id, meta_key(100), meta_value(82)));
CREATE TABLE wp_woocommerce_order_items (
    order_item_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_item_name text NOT NULL,
    order_item_type varchar(200) NOT NULL DEFAULT '',
    order_id bigint unsigned NOT NULL, KEY order_id (order_id));
CREATE TABLE wp_woocommerce_order_itemmeta (
    meta_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_item_id bigint unsigned NOT NULL, meta_key varchar(255),
    meta_value longtext, KEY order_item_id (order_item_id));
CREATE TABLE wp_wc_product_meta_lookup (
    product_id bigint NOT NULL PRIMARY KEY, sku varchar(100) DEFAULT '');
EOS

    insert($db, 'wp_options', { option_value => 'excl',
        option_name => 'woocommerce_tax_display_cart' });

    my %seen;
    insert($db, 'wp_wc_product_meta_lookup',
           map { { product_id => $_, sku => "SKU-$_" } }
           grep { !$seen{$_}++ }
           map { $_->{variation_id} || $_->{product_id} }
           map { @{$_->{items}} } @orders);
    together($db, sub { woocommerce_order($db, $_) for @orders });
}

sub woocommerce_order {
    my ($db, $order) = @_;

    together($db, sub { woocommerce_inserted($db, $order) });
}

sub woocommerce_inserted {
    my ($db, $order) = @_;

    my $id = $order->{order_id};

    insert($db, 'wp_wc_orders', {
        id => $id, status => $order->{status_now}, type => 'shop_order',
        currency => $order->{currency}, total_amount => $order->{total},
        tax_amount => 0, customer_note => $order->{comment},
        billing_email => $order->{buyer}{billing}{email},
        date_created_gmt => $order->{date_created_gmt},
        date_updated_gmt => $order->{date_created_gmt} });
    insert($db, 'wp_wc_order_addresses', map {
        my $type = $_;
        { order_id => $id, address_type => $type,
          map { $_ => $order->{buyer}{$type}{$_} }
              qw(first_name last_name company address_1 city state postcode
                 country email phone) } } qw(billing shipping));
    insert($db, 'wp_wc_order_operational_data', {
        order_id => $id, shipping_total_amount => $order->{shipping_total},
        shipping_tax_amount => 0, discount_tax_amount => 0,
        discount_total_amount => $order->{discount_total},
        order_key => $order->{order_key} });

    woocommerce_items($db, $order);
}

# The same order among the posts, as it was before 8.2; the tables of its own
# are left out.
sub woocommerce_post {
    my ($db, $order) = @_;

    $db->sql(<<'EOS');
USE shop;
DROP TABLE IF EXISTS wp_wc_orders, wp_wc_order_addresses,
    wp_wc_order_operational_data, wp_wc_orders_meta;
CREATE TABLE IF NOT EXISTS wp_posts (
    ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    post_date_gmt datetime NOT NULL, post_excerpt text NOT NULL,
    post_status varchar(20) NOT NULL DEFAULT 'publish',
    post_modified_gmt datetime NOT NULL,
    post_type varchar(20) NOT NULL DEFAULT 'post');
CREATE TABLE IF NOT EXISTS wp_postmeta (
    meta_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    post_id bigint unsigned NOT NULL DEFAULT 0, meta_key varchar(255),
    meta_value longtext, KEY post_id (post_id));
EOS

    together($db, sub { woocommerce_posted($db, $order) });
}

sub woocommerce_posted {
    my ($db, $order) = @_;

    my ($id, $buyer) = ($order->{order_id}, $order->{buyer}{billing});

    insert($db, 'wp_posts', { ID => $id, post_type => 'shop_order',
        post_status => $order->{status_now},
        post_excerpt => $order->{comment},
        post_date_gmt => $order->{date_created_gmt},
        post_modified_gmt => $order->{date_created_gmt} });
    insert($db, 'wp_postmeta', map { { post_id => $id, meta_key => $_->[0],
                                       meta_value => $_->[1] } }
        ['_order_currency', $order->{currency}], ['_order_tax', 0],
        ['_order_total', $order->{total}],
        ['_order_shipping', $order->{shipping_total}],
        ['_cart_discount', $order->{discount_total}],
        map { ["_billing_$_", $buyer->{$_}] }
            qw(first_name last_name company phone email city postcode
               address_1));
    woocommerce_items($db, $order);
}

# What a plugin for numbers keeps of an order, in tables of its own (orders_meta)
# or among the posts (postmeta).
sub woocommerce_meta {
    my ($db, $table, $id, %meta) = @_;

    my ($name, $key) = $table eq 'postmeta' ? ('wp_postmeta', 'post_id')
                                            : ('wp_wc_orders_meta', 'order_id');

    insert($db, $name, map { { $key => $id, meta_key => $_,
                               meta_value => $meta{$_} } } sort keys %meta);
}

sub woocommerce_items {
    my ($db, $order) = @_;

    my $id = $order->{order_id};
    my $n = 0;

    for my $item (@{$order->{items}}) {
        my $row = $id * 100 + $n++;

        insert($db, 'wp_woocommerce_order_items', { order_item_id => $row,
            order_id => $id, order_item_type => 'line_item',
            order_item_name => $item->{name} });
        insert($db, 'wp_woocommerce_order_itemmeta', map {
            { order_item_id => $row, meta_key => $_->[0],
              meta_value => $_->[1] } }
            ['_product_id', $item->{product_id}],
            ['_variation_id', $item->{variation_id}],
            ['_qty', $item->{quantity}], ['_line_subtotal_tax', 0],
            ['_line_subtotal', $item->{line_subtotal}],
            ['_line_total', $item->{line_total_after_discount}],
            ['_line_tax', 0]);
    }

    insert($db, 'wp_woocommerce_order_items', map { {
        order_item_id => $id * 100 + $n++, order_id => $id,
        order_item_type => $_->{type}, order_item_name => $_->{name} } }
        @{$order->{other_lines}});
}


# ---- OpenCart ------------------------------------------------------------

sub opencart {
    my ($db, @orders) = @_;

    $db->sql(<<'EOS');
USE shop;
CREATE TABLE oc_setting (
    setting_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    store_id int NOT NULL DEFAULT 0, `code` varchar(128) NOT NULL,
    `key` varchar(128) NOT NULL, `value` text NOT NULL,
    serialized tinyint NOT NULL DEFAULT 0);
CREATE TABLE oc_currency (
    currency_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    title varchar(32) NOT NULL, code varchar(3) NOT NULL,
    symbol_left varchar(12) NOT NULL DEFAULT '',
    symbol_right varchar(12) NOT NULL DEFAULT '',
    decimal_place char(1) NOT NULL, value double(15,8) NOT NULL,
    status tinyint NOT NULL DEFAULT 1);
CREATE TABLE oc_order (
    order_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id int NOT NULL DEFAULT 0, firstname varchar(32) NOT NULL,
    lastname varchar(32) NOT NULL, email varchar(96) NOT NULL,
    telephone varchar(32) NOT NULL,
    payment_firstname varchar(32) NOT NULL DEFAULT '',
    payment_company varchar(60) NOT NULL DEFAULT '',
    payment_address_1 varchar(128) NOT NULL DEFAULT '',
    payment_city varchar(128) NOT NULL DEFAULT '',
    payment_postcode varchar(10) NOT NULL DEFAULT '',
    payment_country varchar(128) NOT NULL DEFAULT '',
    payment_zone varchar(128) NOT NULL DEFAULT '',
    shipping_company varchar(60) NOT NULL DEFAULT '',
    shipping_address_1 varchar(128) NOT NULL DEFAULT '',
    shipping_city varchar(128) NOT NULL DEFAULT '',
    shipping_postcode varchar(10) NOT NULL DEFAULT '',
    shipping_country varchar(128) NOT NULL DEFAULT '',
    shipping_zone varchar(128) NOT NULL DEFAULT '',
    `comment` text NOT NULL, total decimal(15,4) NOT NULL DEFAULT 0,
    order_status_id int NOT NULL DEFAULT 0,
    currency_code varchar(3) NOT NULL, currency_value decimal(15,8) NOT NULL,
    date_added datetime NOT NULL, date_modified datetime NOT NULL);
CREATE TABLE oc_order_history (
    order_history_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id int NOT NULL, order_status_id int NOT NULL,
    notify tinyint NOT NULL DEFAULT 0, `comment` text NOT NULL,
    date_added datetime NOT NULL, KEY order_id (order_id));
CREATE TABLE oc_order_product (
    order_product_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id int NOT NULL, product_id int NOT NULL,
    name varchar(255) NOT NULL, model varchar(64) NOT NULL,
    quantity int NOT NULL, price decimal(15,4) NOT NULL DEFAULT 0,
    total decimal(15,4) NOT NULL DEFAULT 0,
    tax decimal(15,4) NOT NULL DEFAULT 0, reward int NOT NULL DEFAULT 0,
    KEY order_id (order_id));
CREATE TABLE oc_order_option (
    order_option_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id int NOT NULL, order_product_id int NOT NULL,
    name varchar(255) NOT NULL, `value` text NOT NULL,
    `type` varchar(32) NOT NULL DEFAULT '');
CREATE TABLE oc_order_total (
    order_total_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id int NOT NULL, `code` varchar(32) NOT NULL,
    title varchar(255) NOT NULL, `value` decimal(15,4) NOT NULL DEFAULT 0,
    sort_order int NOT NULL DEFAULT 0, KEY order_id (order_id));
EOS

    insert($db, 'oc_setting', { code => 'config', key => 'config_tax',
                                value => '1' });
    insert($db, 'oc_currency', { title => 'US Dollar', code => 'USD',
        symbol_left => '$', decimal_place => '2', value => 1 });
    together($db, sub { opencart_order($db, $_) for @orders });
}

# A date other than the recorded one: `added` (SQL); when it has got its status,
# for the history: `confirmed`.
sub opencart_order {
    my ($db, @args) = @_;

    together($db, sub { opencart_inserted($db, @args) });
}

sub opencart_inserted {
    my ($db, $order, %option) = @_;

    my ($id, $buyer) = @$order{qw(order_id buyer)};
    my $added = $option{added} // \'NOW()';
    my %address = map { my $side = $_;
        ("${side}_address_1" => $buyer->{address_1},
         "${side}_city" => $buyer->{city}, "${side}_zone" => $buyer->{zone},
         "${side}_postcode" => $buyer->{postcode},
         "${side}_company" => $buyer->{company},
         "${side}_country" => $buyer->{country}) } qw(payment shipping);

    insert($db, 'oc_order', { order_id => $id, %address,
        firstname => $buyer->{firstname}, lastname => $buyer->{lastname},
        email => $buyer->{email}, telephone => $buyer->{telephone},
        comment => $order->{comment}, total => $order->{total_base_currency},
        order_status_id => 1, currency_code => $order->{currency},
        currency_value => $order->{currency_value}, date_added => $added,
        date_modified => $option{confirmed} // $added });
    insert($db, 'oc_order_history', { order_id => $id, order_status_id => 1,
        comment => '', date_added => $option{confirmed} })
        if $option{confirmed};
    insert($db, 'oc_order_product', map { { order_id => $id,
        tax => $_->{tax_per_unit},
        %$_{qw(product_id name model quantity price total)} } }
        @{$order->{items}});
    insert($db, 'oc_order_total', map { { order_id => $id,
        %$_{qw(code title value)} } } @{$order->{totals}});
}


# ---- PrestaShop ----------------------------------------------------------

sub prestashop {
    my ($db, @orders) = @_;

    $db->sql(<<'EOS');
USE shop;
CREATE TABLE ps_currency (
    id_currency int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    iso_code varchar(3) NOT NULL DEFAULT '0');
CREATE TABLE ps_customer (
    id_customer int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    company varchar(255), firstname varchar(255) NOT NULL,
    lastname varchar(255) NOT NULL, email varchar(255) NOT NULL,
    is_guest tinyint(1) NOT NULL DEFAULT 0);
CREATE TABLE ps_address (
    id_address int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id_customer int unsigned NOT NULL DEFAULT 0, company varchar(255),
    lastname varchar(255) NOT NULL, firstname varchar(255) NOT NULL,
    address1 varchar(128) NOT NULL, address2 varchar(128),
    postcode varchar(12), city varchar(64) NOT NULL, phone varchar(32),
    phone_mobile varchar(32), vat_number varchar(32));
CREATE TABLE ps_orders (
    id_order int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    reference varchar(255), id_customer int unsigned NOT NULL,
    id_cart int unsigned NOT NULL, id_currency int unsigned NOT NULL,
    id_address_delivery int unsigned NOT NULL,
    id_address_invoice int unsigned NOT NULL,
    current_state int unsigned NOT NULL, payment varchar(255) NOT NULL,
    total_discounts_tax_incl decimal(20,6) NOT NULL DEFAULT 0,
    total_paid_tax_incl decimal(20,6) NOT NULL DEFAULT 0,
    total_shipping_tax_incl decimal(20,6) NOT NULL DEFAULT 0,
    date_add datetime NOT NULL, date_upd datetime NOT NULL);
CREATE TABLE ps_order_history (
    id_order_history int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id_employee int unsigned NOT NULL DEFAULT 0,
    id_order int unsigned NOT NULL, id_order_state int unsigned NOT NULL,
    date_add datetime NOT NULL, KEY order_history_order (id_order));
CREATE TABLE ps_order_detail (
    id_order_detail int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id_order int unsigned NOT NULL, product_id int unsigned NOT NULL,
    product_attribute_id int unsigned, product_name text NOT NULL,
    product_quantity int unsigned NOT NULL DEFAULT 0,
    product_reference varchar(64),
    total_price_tax_incl decimal(20,6) NOT NULL DEFAULT 0,
    unit_price_tax_incl decimal(20,6) NOT NULL DEFAULT 0,
    KEY order_detail_order (id_order));
CREATE TABLE ps_message (
    id_message int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id_cart int unsigned, id_order int unsigned NOT NULL, message text NOT NULL,
    private tinyint unsigned NOT NULL DEFAULT 1,
    date_add datetime NOT NULL);
EOS

    insert($db, 'ps_currency', { id_currency => 1, iso_code => 'USD' });
    together($db, sub { prestashop_order($db, $_) for @orders });
}

sub prestashop_order {
    my ($db, $order) = @_;

    together($db, sub { prestashop_inserted($db, $order) });
}

sub prestashop_inserted {
    my ($db, $order) = @_;

    my ($id, $buyer) = @$order{qw(order_id buyer)};

    insert($db, 'ps_customer', { id_customer => $id,
        firstname => $buyer->{firstname}, lastname => $buyer->{lastname},
        email => $buyer->{email} });
    insert($db, 'ps_address', { id_address => $id, id_customer => $id,
        firstname => $buyer->{firstname}, lastname => $buyer->{lastname},
        company => $buyer->{company}, address1 => $buyer->{address1},
        postcode => $buyer->{postcode}, city => $buyer->{city},
        phone => $buyer->{phone}, phone_mobile => '', vat_number => '' });
    insert($db, 'ps_order_history', { id_order => $id, id_order_state => 13,
        date_add => $order->{date_add} });
    insert($db, 'ps_orders', { id_order => $id, id_customer => $id,
        id_address_delivery => $id, id_address_invoice => $id,
        id_currency => 1, id_cart => $order->{id_cart},
        reference => $order->{reference}, payment => $order->{payment},
        current_state => 13, total_paid_tax_incl => $order->{total},
        total_shipping_tax_incl => $order->{shipping},
        date_add => $order->{date_add}, date_upd => $order->{date_add} });
    insert($db, 'ps_order_detail', map { { id_order => $id,
        product_id => $_->{product_id},
        product_attribute_id => $_->{attribute_id},
        product_name => $_->{name}, product_quantity => $_->{quantity},
        product_reference => $_->{reference},
        unit_price_tax_incl => $_->{unit_price_tax_incl},
        total_price_tax_incl => $_->{line_total_tax_incl} } }
        @{$order->{items}});
    insert($db, 'ps_message', { id_order => $id,
        id_cart => $order->{id_cart}, private => 0,
        date_add => $order->{date_add}, message => $order->{comment} })
        if length $order->{comment};
}


# ---- 1C-Bitrix -----------------------------------------------------------

# layout: 17 for the table of property values without XML_ID, ENTITY_ID and
# ENTITY_TYPE; charset: of all tables; property: 0 for none that holds the deal.
sub bitrix {
    my ($db, %option) = @_;

    my $old = ($option{layout} // 21) <= 17;
    my $charset = $option{charset} // 'utf8mb4';
    my $entity = $old ? '' : 'XML_ID varchar(255), ENTITY_ID int NOT NULL,'
        . ' ENTITY_TYPE varchar(255) NOT NULL,';
    my $unique = $old ? '' : ', UNIQUE KEY IX_SOPV_ENT (ENTITY_ID,'
        . ' ENTITY_TYPE(50), ORDER_PROPS_ID)';

    $db->sql(<<"EOS");
USE shop;
CREATE TABLE b_sale_order (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, LID char(2) NOT NULL,
    PERSON_TYPE_ID int NOT NULL, PAYED char(1) NOT NULL DEFAULT 'N',
    DATE_PAYED datetime, EMP_PAYED_ID int,
    SUM_PAID decimal(18,2) NOT NULL DEFAULT 0,
    CANCELED char(1) NOT NULL DEFAULT 'N', DATE_CANCELED datetime,
    EMP_CANCELED_ID int, REASON_CANCELED varchar(255),
    STATUS_ID varchar(2) NOT NULL, DATE_STATUS datetime, EMP_STATUS_ID int,
    ALLOW_DELIVERY char(1) NOT NULL DEFAULT 'N',
    DEDUCTED char(1) NOT NULL DEFAULT 'N', MARKED char(1) NOT NULL DEFAULT 'N',
    PRICE_DELIVERY decimal(18,4), PRICE decimal(18,4) NOT NULL,
    CURRENCY char(3) NOT NULL, DISCOUNT_VALUE decimal(18,4),
    TAX_VALUE decimal(18,2), USER_ID int NOT NULL DEFAULT 1,
    DATE_INSERT datetime NOT NULL, DATE_UPDATE datetime NOT NULL,
    USER_DESCRIPTION varchar(2000), COMMENTS text,
    RESPONSIBLE_ID int, COMPANY_ID int, LOCKED_BY int, DATE_LOCK datetime,
    UPDATED_1C char(1) NOT NULL DEFAULT 'N', ACCOUNT_NUMBER varchar(100),
    VERSION int NOT NULL DEFAULT 0,
    UNIQUE KEY IXS_ACCOUNT_NUMBER (ACCOUNT_NUMBER),
    KEY IXS_ORDER_DATE_UPDATE (DATE_UPDATE)) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_order_payment (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, ORDER_ID int NOT NULL,
    PAID char(1) NOT NULL DEFAULT 'N', DATE_PAID datetime, EMP_PAID_ID int,
    PAY_SYSTEM_ID int NOT NULL, PAY_SYSTEM_NAME varchar(128) NOT NULL,
    SUM decimal(18,4) NOT NULL, CURRENCY char(3) NOT NULL,
    IS_RETURN char(1) NOT NULL DEFAULT 'N', PAY_VOUCHER_NUM varchar(20),
    PAY_VOUCHER_DATE date, PAY_RETURN_NUM varchar(20), PAY_RETURN_DATE date,
    PAY_RETURN_COMMENT varchar(250),
    KEY IX_BSOP_ORDER_ID (ORDER_ID)) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_order_delivery (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, ORDER_ID int NOT NULL,
    STATUS_ID varchar(2) NOT NULL, DELIVERY_ID int, DELIVERY_NAME varchar(128),
    PRICE_DELIVERY decimal(18,4),
    ALLOW_DELIVERY char(1) NOT NULL DEFAULT 'N', DATE_ALLOW_DELIVERY datetime,
    EMP_ALLOW_DELIVERY_ID int, DEDUCTED char(1) NOT NULL DEFAULT 'N',
    DATE_DEDUCTED datetime, EMP_DEDUCTED_ID int,
    CANCELED char(1) NOT NULL DEFAULT 'N', TRACKING_NUMBER varchar(255),
    `SYSTEM` char(1) NOT NULL DEFAULT 'N',
    KEY IX_BSOD_ORDER_ID (ORDER_ID)) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_order_change (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, ORDER_ID int NOT NULL,
    TYPE varchar(255) NOT NULL, DATA varchar(512), DATE_CREATE datetime NOT NULL,
    DATE_MODIFY datetime NOT NULL, USER_ID int NOT NULL, ENTITY varchar(50),
    ENTITY_ID int, KEY IXS_ORDER_ID_CHANGE (ORDER_ID)) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_status (
    ID varchar(2) NOT NULL PRIMARY KEY, TYPE char(1) NOT NULL DEFAULT 'O',
    SORT int NOT NULL DEFAULT 100) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_status_lang (
    STATUS_ID varchar(2) NOT NULL, LID char(2) NOT NULL,
    NAME varchar(100) NOT NULL, PRIMARY KEY (STATUS_ID, LID))
    DEFAULT CHARSET $charset;
CREATE TABLE b_sale_basket (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, FUSER_ID int NOT NULL,
    ORDER_ID int, LID char(2) NOT NULL, PRODUCT_ID int NOT NULL,
    PRODUCT_XML_ID varchar(100), CATALOG_XML_ID varchar(100),
    NAME varchar(255) NOT NULL, QUANTITY double(18,4) NOT NULL DEFAULT 0,
    PRICE decimal(18,4) NOT NULL, BASE_PRICE decimal(18,4),
    DISCOUNT_PRICE decimal(18,4) NOT NULL DEFAULT 0,
    CURRENCY char(3) NOT NULL, VAT_RATE decimal(18,4),
    VAT_INCLUDED char(1) NOT NULL DEFAULT 'Y', MEASURE_CODE int,
    MEASURE_NAME varchar(50), TYPE int, SET_PARENT_ID int,
    SORT int NOT NULL DEFAULT 100,
    KEY IXS_BASKET_LID (ORDER_ID)) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_order_props (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, PERSON_TYPE_ID int NOT NULL,
    NAME varchar(255) NOT NULL, TYPE varchar(20) NOT NULL,
    CODE varchar(50), SORT int NOT NULL DEFAULT 100,
    UTIL char(1) NOT NULL DEFAULT 'N', MULTIPLE char(1) NOT NULL DEFAULT 'N',
    IS_PAYER char(1) NOT NULL DEFAULT 'N',
    IS_EMAIL char(1) NOT NULL DEFAULT 'N',
    IS_PHONE char(1) NOT NULL DEFAULT 'N',
    IS_LOCATION char(1) NOT NULL DEFAULT 'N',
    IS_ZIP char(1) NOT NULL DEFAULT 'N',
    IS_ADDRESS char(1) NOT NULL DEFAULT 'N') DEFAULT CHARSET $charset;
CREATE TABLE b_sale_order_props_value (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, ORDER_ID int NOT NULL,
    ORDER_PROPS_ID int, NAME varchar(255) NOT NULL, VALUE varchar(500),
    CODE varchar(50), $entity
    UNIQUE KEY IX_SOPV_ORD_PROP_UNI (ORDER_ID, ORDER_PROPS_ID)$unique)
    DEFAULT CHARSET $charset;
CREATE TABLE b_sale_location (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    CODE varchar(100) NOT NULL) DEFAULT CHARSET $charset;
CREATE TABLE b_sale_loc_name (
    ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, LOCATION_ID int NOT NULL,
    LANGUAGE_ID char(2) NOT NULL, NAME varchar(100) NOT NULL)
    DEFAULT CHARSET $charset;
EOS

    insert($db, 'b_sale_location', { ID => 1, CODE => '0000073738' });
    insert($db, 'b_sale_loc_name', map { { LOCATION_ID => 1,
        LANGUAGE_ID => $_->[0], NAME => $_->[1] } } ['en', 'Moscow'],
        ['ru', 'Москва']);
    bitrix_statuses($db);
}

# What the wizard of the shop makes, and those of the preset besides: of orders,
# and (D...) of shipments.
sub bitrix_statuses {
    my ($db) = @_;

    my %name = (N => 'Принят, ожидается оплата',
        P => 'Оплачен, формируется к отправке', A => 'Комплектуется',
        D => 'Передан в доставку', F => 'Выполнен', C => 'Отменен',
        DN => 'Ожидает обработки', DA => 'Комплектация заказа',
        DG => 'Ожидаем приход товара', DT => 'Ожидаем забора',
        DS => 'Передан в службу доставки', DF => 'Отгружен');
    my @order = qw(N P A D F C DN DA DG DT DS DF);

    insert($db, 'b_sale_status', map { { ID => $order[$_],
        TYPE => length $order[$_] > 1 ? 'D' : 'O', SORT => 100 + 10 * $_ } }
        0 .. $#order);
    insert($db, 'b_sale_status_lang', map { { STATUS_ID => $_, LID => 'ru',
        NAME => $name{$_} } } @order);
}

# Properties of a person type as B24::Bitrix has them: { CODE => id }, with the
# hidden one that holds the deal unless `deal` is 0.
sub bitrix_properties {
    my ($db, $type, $ids, %option) = @_;
    my %flag = (FIO => 'IS_PAYER', CONTACT_PERSON => 'IS_PAYER',
        EMAIL => 'IS_EMAIL', PHONE => 'IS_PHONE', ZIP => 'IS_ZIP',
        LOCATION => 'IS_LOCATION', ADDRESS => 'IS_ADDRESS');
    my @flags = sort { $a cmp $b } do { my %seen;
                                        grep { !$seen{$_}++ } values %flag };
    my %all = %$ids;

    $all{B24_DEAL_ID} = 900 + $type if $option{deal} // 1;

    insert($db, 'b_sale_order_props', map { my $code = $_; {
        ID => $all{$code}, PERSON_TYPE_ID => $type, NAME => "Поле $code",
        TYPE => $code eq 'LOCATION' ? 'LOCATION' : 'STRING', CODE => $code,
        UTIL => $code eq 'B24_DEAL_ID' ? 'Y' : 'N', SORT => $all{$code},
        map { $_ => ($flag{$code} // '') eq $_ ? 'Y' : 'N' } @flags } }
        sort keys %all);
}

# An order: ID, ACCOUNT_NUMBER, type, values => { CODE => value }, ids, rows as
# those of B24::Bitrix, PRICE and the like by their names.  It has one payment
# and one shipment, or the sums of `payments` and so many `shipments`; their
# keys are ID * 10 + 1 and so on.
sub bitrix_order {
    my ($db, %option) = @_;

    bitrix_orders($db, \%option);
}

# Several of them, each a hash of that, at once.
sub bitrix_orders {
    my ($db, @orders) = @_;

    together($db, sub {
        push @$gathered, map { bitrix_inserted(%$_) } @orders;
    });
}

sub bitrix_inserted {
    my (%option) = @_;

    my ($values, $ids, $rows, $layout, $type, $payments, $shipments)
        = delete @option{qw(values ids rows layout type payments shipments)};
    my $id = $option{ID};
    my $delivery = $option{PRICE_DELIVERY} // 0;
    my ($cash, @statements) = (0);

    push @statements, inserted('b_sale_order', { LID => 's1',
        STATUS_ID => 'N', PERSON_TYPE_ID => $type // 1, CURRENCY => 'RUB',
        ACCOUNT_NUMBER => $id, DATE_INSERT => \'NOW()',
        DATE_UPDATE => \'NOW()', %option });

    push @statements, inserted('b_sale_order_props_value',
        map { { ORDER_ID => $id,
        ORDER_PROPS_ID => $ids->{$_}, NAME => "Поле $_", CODE => $_,
        VALUE => $values->{$_}, ($layout // 21) <= 17 ? ()
            : (XML_ID => "bx_$id$_", ENTITY_ID => $id,
               ENTITY_TYPE => 'ORDER') } } sort keys %{$values // {}}) if %{$values // {}};

    for my $row (@$rows) {
        my ($basket, $product, $name, $quantity, $price, %more) = @$row;

        push @statements, inserted('b_sale_basket', { ID => $basket,
            FUSER_ID => 17,
            ORDER_ID => $id, LID => 's1', PRODUCT_ID => $product,
            PRODUCT_XML_ID => "xml#$product", NAME => $name,
            QUANTITY => $quantity, PRICE => $price, CURRENCY => 'RUB',
            VAT_RATE => '0.2000', MEASURE_CODE => 796, %more });
    }

    push @statements, inserted('b_sale_order_payment',
        map { { ID => $id * 10 + ++$cash, ORDER_ID => $id, PAY_SYSTEM_ID => 2,
                PAY_SYSTEM_NAME => 'Наличные курьеру', SUM => $_,
                CURRENCY => $option{CURRENCY} // 'RUB' } }
            @{$payments // [$option{PRICE}]});

    # what is in no shipment yet is in the one of the system
    push @statements, inserted('b_sale_order_delivery',
        map { { ID => $id * 10 + $_, ORDER_ID => $id, STATUS_ID => 'DN',
                DELIVERY_ID => $_ ? 3 : 0,
                DELIVERY_NAME => $_ ? 'Курьер' : '',
                PRICE_DELIVERY => $_ == 1 ? $delivery : 0,
                SYSTEM => $_ ? 'N' : 'Y' } } 0 .. $shipments // 1);

    return @statements;
}

1;
