package B24::Bitrix;

# What a checkout of 1C-Bitrix and its buyer say to each other, in the forms of
# its generations.  None of it was recorded: it follows the sources of the
# component.
#
#   my $site = B24::Bitrix->new(charset => 'windows-1251');
#   $site->refresh(total => 4280, ...);       # sends it, through the upstream
#   my $answer = $site->save({ FIO => 'Иванов' }, $site->accepted('57'));
#
# Properties have the ids the site was made with: types => [{ CODE => id }, ...],
# a hash for each person type.

use strict;
use warnings;
use utf8;

use B24::Client ();
use B24::Scenario ();
use B24::Test ();
use Encode ();

use constant AJAX => '/bitrix/components/bitrix/sale.order.ajax/ajax.php';
use constant PAGE => '/personal/order/make/';

# a fresh install of the e-shop, were something else created before
my @TYPES = (
    { FIO => 21, EMAIL => 22, PHONE => 23, ZIP => 24, CITY => 25,
      LOCATION => 26, ADDRESS => 27 },
    { COMPANY => 28, COMPANY_ADR => 29, INN => 30, KPP => 31,
      CONTACT_PERSON => 32, EMAIL => 33, PHONE => 34, FAX => 35, ZIP => 36,
      CITY => 37, LOCATION => 38, ADDRESS => 39 },
);

my %FLAG = (FIO => 'IS_PAYER', CONTACT_PERSON => 'IS_PAYER',
            EMAIL => 'IS_EMAIL', PHONE => 'IS_PHONE', ZIP => 'IS_ZIP',
            LOCATION => 'IS_LOCATION', ADDRESS => 'IS_ADDRESS');


sub new {
    my ($class, %option) = @_;

    return bless {
        charset => 'UTF-8', types => \@TYPES, session => 'b1t2r3i4x5',
        sessid => '0123456789abcdef0123456789abcdef', flags => 1,
        %option,
    }, $class;
}

# The ORDER_PROP_... of a person type (from 1) for values by their codes, in the
# order of the form.
sub fields {
    my ($self, $value, $type) = @_;

    my $ids = $self->{types}[($type // 1) - 1];

    return map { ("ORDER_PROP_$ids->{$_}" => $value->{$_}) }
           sort { $ids->{$a} <=> $ids->{$b} } keys %$value;
}

sub cookies {
    my ($self) = @_;

    return (Cookie => "PHPSESSID=$self->{session}; BITRIX_SM_SALE_UID=17");
}


# ---- bytes ---------------------------------------------------------------

# PHP's way: nothing but ASCII, slashes and what HTML minds escaped.
sub json {
    my ($data) = @_;

    return 'null' if !defined $data;
    return '[' . join(',', map { json($_) } @$data) . ']'
        if ref $data eq 'ARRAY';
    return '{' . join(',', map { json_text($_) . ':' . json($data->{$_}) }
                               sort keys %$data) . '}'
        if ref $data eq 'HASH';
    return $$data if ref $data;

    return $data =~ /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/ && length $data < 16
           ? $data : json_text($data);
}

sub json_text {
    my ($text) = @_;

    $text =~ s{([^ -~]|["&'<>\\/])}
              {$1 eq '/' ? '\\/' : join '', map { sprintf '\\u%04x', $_ }
                           unpack 'n*', Encode::encode('UTF-16BE', $1)}ge;

    return qq{"$text"};
}

# A JavaScript literal as CUtil::PhpToJSObject() makes it: numbers are texts,
# keys and texts in single quotes, in the site's charset.
sub literal {
    my ($self, $data) = @_;

    return 'null' if !defined $data;
    return '[' . join(',', map { $self->literal($_) } @$data) . ']'
        if ref $data eq 'ARRAY';
    return '{' . join(',', map { $self->quoted($_) . ':'
                                 . $self->literal($data->{$_}) }
                               sort keys %$data) . '}'
        if ref $data eq 'HASH';
    return $$data if ref $data;

    return $self->quoted($data);
}

sub quoted {
    my ($self, $text) = @_;

    $text =~ s{(['"\\])}{\\$1}g;
    $text =~ s{\n}{\\n}g;
    $text =~ s{\*/}{*\\/}g;
    $text =~ s{</}{<\\/}g;

    return "'" . Encode::encode($self->{charset}, $text) . "'";
}

sub urlencoded {
    my ($charset, @fields) = @_;
    my @pairs;

    while (my ($name, $value) = splice @fields, 0, 2) {
        push @pairs, join '=', map { my $bytes = Encode::encode($charset, $_);
            $bytes =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge;
            $bytes } $name, $value;
    }

    return join '&', @pairs;
}

sub multipart {
    my ($charset, $boundary, @fields) = @_;
    my $body = '';

    while (my ($name, $value) = splice @fields, 0, 2) {
        $body .= "--$boundary\r\nContent-Disposition: form-data; name=\""
               . Encode::encode($charset, $name) . "\"\r\n\r\n"
               . Encode::encode($charset, $value) . "\r\n";
    }

    return "$body--$boundary--\r\n";
}


# ---- answers -------------------------------------------------------------

# [rows of the cart, { total }]: [id, product, name, quantity, price], others
# by their names at the end of a row.
sub result {
    my ($self, %option) = @_;
    my %rows;

    for my $row (@{$option{rows}}) {
        my ($id, $product, $name, $quantity, $price, %more) = @$row;

        $rows{$id} = { id => $id, columns => {}, data => {
            ID => $id, PRODUCT_ID => $product, NAME => $name,
            QUANTITY => $quantity, PRICE => $price, CURRENCY => 'RUB',
            VAT_RATE => '0.2000', VAT_INCLUDED => 'Y', MEASURE_CODE => '796',
            PRODUCT_XML_ID => "xml#$product", SET_PARENT_ID => '',
            DISCOUNT_PRICE => 0, PROPS => [],
            PRICE_FORMATED => "$price &#8381;", %more } };
    }

    return {
        GRID => { HEADERS => [], ROWS => \%rows },
        ORDER_PROP => { groups => [], properties =>
            [$self->properties($option{person} // 1)] },
        DELIVERY => { 3 => { ID => '3', CHECKED => 'Y' } },
        TOTAL => { ORDER_TOTAL_PRICE => $option{total},
            ORDER_PRICE => $option{total} - ($option{delivery} // 0),
            DELIVERY_PRICE => $option{delivery} // 0, DISCOUNT_PRICE => 0,
            TAX_PRICE => 0, ORDER_TOTAL_PRICE_FORMATED => 'x &#8381;' },
        ERROR => [], WARNING => [],
    };
}

sub properties {
    my ($self, $type) = @_;

    my $ids = $self->{types}[$type - 1];

    return map {
        my $code = $_;
        my %flags = map { $_ => 'N' } values %FLAG;

        $flags{$FLAG{$code}} = 'Y' if $FLAG{$code} && $self->{flags};

        { ID => "$ids->{$code}", PERSON_TYPE_ID => "$type", CODE => $code,
          NAME => "Поле $code", TYPE => 'STRING', VALUE => [''], %flags }
    } sort keys %$ids;
}

sub accepted {
    my ($self, $id, %option) = @_;

    my $url = PAGE . '?ORDER_ID=' . ($id =~ s{/}{%2F}gr);

    return { order => { REDIRECT_URL => $url,
                        $option{old} ? () : (ID => \json_text($id)) } };
}


# ---- requests ------------------------------------------------------------

# The upstream says this to the next request of a target.
sub says {
    my ($self, $target, $body, %option) = @_;

    B24::Test::upstream()->script(target => '^' . quotemeta($target),
        times => 1, status => $option{status} // 200,
        body => ref $body ? json($body) : $body,
        headers => [['Content-Type', $option{type} // 'application/json'],
                    @{$option{headers} // []}]);
}

# A recalculation: any change of the form.  `answer` in place of the result.
sub refresh {
    my ($self, %option) = @_;

    my $what = $option{action} // 'refreshOrderAjax';

    $self->says(AJAX, $option{answer}
                // { order => $self->result(%option), error => \'false' });

    return B24::Scenario::post(AJAX, urlencoded('UTF-8',
        'soa-action' => $what, via_ajax => 'Y', SITE_ID => 's1',
        sessid => $self->{sessid}, signedParamsString => 'YTo4.5f0a',
        'order[soa-action]' => 'saveOrderAjax',
        'order[ORDER_PROP_23]' => '+7 999 999-99-99',
        @{$option{fields} // []}), 'Bx-ajax' => 'true', $self->cookies);
}

# The page of the checkout with the result in its script, at `target`.
sub page {
    my ($self, %option) = @_;

    my $page = $option{target} // PAGE;
    my $result = $self->literal($self->result(%option));
    my $charset = $self->{charset};

    $self->says($page, Encode::encode($charset, '<html><title>Оформление'
        . '</title><script>BX.Sale.OrderAjaxComponent.init({')
        . "'result':$result,'locations':[],'params':{},"
        . "'signedParamsString':'YTo4.5f0a','siteID':'s1'});</script></html>",
        type => "text/html; charset=$charset");

    return B24::Scenario::get($page, $self->cookies);
}

# The save request.  `person`: its type; `generation`: 18 and above (the default) to ajax.php, 17
# and 16 to the page, in the site's charset.
sub save {
    my ($self, $value, $answer, %option) = @_;

    my $new = ($option{generation} // 18) >= 18;
    my $charset = $new ? 'UTF-8' : $self->{charset};
    my $target = $new ? AJAX : $option{target} // PAGE;
    my $variable = $option{variable} // ($new ? 'soa-action' : 'action');
    my @fields = (sessid => $self->{sessid}, $variable => 'saveOrderAjax',
        location_type => 'code', PERSON_TYPE => $option{person} // 1,
        $new ? (via_ajax => 'Y', SITE_ID => 's1') : (save => 'Y'),
        $self->fields($value, $option{person}), DELIVERY_ID => 3,
        PAY_SYSTEM_ID => 2, @{$option{fields} // []});
    my $boundary = '----WebKitFormBoundaryA1';

    $self->says($target, $answer, type => $new ? 'application/json'
                : "text/html; charset=$self->{charset}", %option);

    return B24::Scenario::post($target,
        multipart($charset, $boundary, @fields), $self->cookies,
        $new ? ('Bx-ajax' => 'true') : (),
        'Content-Type' => "multipart/form-data; boundary=$boundary");
}

# The checkout of 15.5 and before.
sub confirm {
    my ($self, $value, $answer, %option) = @_;

    my $charset = $self->{charset};

    $self->says(PAGE, $answer, type => "text/html; charset=$charset",
                %option);

    return B24::Scenario::post(PAGE, urlencoded($charset,
        sessid => $self->{sessid}, PERSON_TYPE => 1, $self->fields($value),
        confirmorder => $option{confirm} // 'Y', profile_change => 'N',
        @{$option{fields} // []}), $self->cookies, 'Content-Type' =>
        "application/x-www-form-urlencoded; charset=$charset");
}

1;
