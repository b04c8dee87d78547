# What a buyer can type, in every text an order can carry: it arrives as
# docs/mapping.md says, acts nowhere, and reaches no other record.  Each field of
# contact, company, deal and rows is compared, so that a field too many is seen
# as well as one too few.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Crm ();
use B24::Test portal => { config => { bucket => { burst => 100_000 },
                                      user_fields => \%B24::Crm::USER_FIELDS } };
use Test::Nginx::Socket;

use B24::Crm;
use B24::Portal::Php ();
use Encode ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(1);
worker_connections(256);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

# what of the portal's own must be seen nowhere
use constant SECRET => 'Zq7-of-the-portal';

# fields of the configuration, from a header and from the address as it was sent
our %set_up = (
    lines => 'b24_deal UF_CRM_CONF $http_x_evil; b24_deal UF_CRM_ARG $arg_m;'
        . ' b24_deal UTM_MEDIUM $http_x_evil;'
        . ' b24_contact UF_CRM_CONF $http_x_evil;'
        . ' b24_company UF_CRM_CONF $http_x_evil;',
    # the form, with the same names
    more => '',
);

# Results the module's own batches have, and names nobody has.
my @names = qw(deal phone email c k d r nope);

# Every row of the table of references in the server's own words, in the case
# it was found, in others, nested, embedded, in full width, cut in two.
our @references = (
    (map { ("\$result[$_]", "\$result[$_][item][id]") } @names),
    '$result[phone][CONTACT]', '$result[phone][CONTACT][0]',
    '$result[c][foo]', '$result[nope][ID]', 'x$result[c]y',
    'Order for $result[deal][0][ID], ok', '$result[c]$result[deal][0][ID]',
    'text $result[phone] text', '$RESULT[c]', '$ReSuLt[phone][CONTACT][0]',
    '$resultant[a][b]', '$result_error[d]', '$total[deal]', '$next[deal]',
    '$time[deal][date_start]', '$error[deal]', '$TIME[deal]', '$Error[c]',
    '$result', '$result[]', '$result[[c]]', '$result[$result[c]]',
    '$$result[c]', '$$$result[c]$', '$result$result[c]', '{$result[c]}',
    '"$result[c]"', 'a$result[c]b$total[deal]c$next[deal]',
    "\$result[c]\t\$result[d]", "\$result[c]\n\$result[d]",
    "\x{ff04}result[c]", "\$re\x{17f}ult[c]", "\$RE\x{17f}ULT[c]",
    "\$\x{200b}result[c]", "\$\x{ad}result[c]", "\$ result[c]",
    '%24result%5Bc%5D', '%2524result%255Bc%255D', '\u0024result[c]',
    '&#36;result[c]', '&#x24;result[c]', '&amp;#36;result[c]',
    '$&#114;esult[c]', '$r&#101;sult&#91;c&#93;', '&dollar;result[c]',
    ('long text ' x 20) . '$result[c] ' . ('and more ' x 20),
    ('x' x 45) . '$result[c]', ('x' x 49) . '$result[c]',
    ('x' x 195) . '$result[c]', ('x' x 250) . '$result[c]',
    ('x' x 254) . '$result[c]',
);

# What would be markup, a parameter, a command, or nothing that can be seen.
our @markup = (
    '[url=http://evil.test]x[/url]', '[b]b[/b]', '[[b]', '[user=1]x[/user]',
    '[img]http://evil.test/x.png[/img]', '[disk file id=1]', '[/url]',
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '<<b>i',
    '</td>', '<!-- x', '<?php x', '< b', 'a<1 and b>2', '&lt;script&gt;x',
    '&lt;b&gt;&#91;url=http://evil.test&#93;', '<a href="http://evil.test">',
    'javascript:alert(1)',
);
our @commands = (
    '#', 'a#b', '&', 'a&b=c', '+', 'a+b c', '%00', 'a%00b', '%', '%zz', ']',
    'a]b', '[', 'a[b', '][', '=', 'a=b', ';', '?x', '\\', '\\"', q{'"`},
    'x&fields[TITLE]=pwned', 'x]=1&fields[STAGE_ID]=WON',
    'x&cmd[z]=crm.deal.delete?id=1', '&halt=0', '?id=1#', '/../x',
    'crm.deal.delete?id=1', q{'); DROP TABLE orders; --}, q{' OR 1=1 --},
    '"}],"cmd":{"x":"crm.deal.delete?id=1"}', '{{brace}} ${brace}', '%{/x}',
    '$http_x_evil', '${host}', 'inn:7707083893', '@file', '-1', 'null', 'Y',
);
our @characters = (
    "a\x{1}b", "\$\x{1}result[c]", "\$re\x{7f}sult[c]", "\$re\x{85}sult[c]",
    "a\x{0}b", "\$\x{0}result[c]", "a\x{1b}[31mb", "a\r\nb", "a\rb", "a\tb",
    "a\x{a0}b", "a\x{202e}tluser\x{202c}b", "a\x{200f}\x{200e}b",
    "a\x{2028}b\x{2029}c", "a\x{feff}b", "a\x{fffd}b", "e\x{301}\x{300}",
    "\x{1F600} \$result[c] \x{1D4B3}", "\x{1F468}\x{200d}\x{1F469}",
    "\x{10FFFD}", 'Ünïcödé ёж 漢字', "\x{FF3B}url\x{FF3D}",
);


# ---- what has to arrive --------------------------------------------------

# what a zero byte becomes: JSON shows that there was no character
our $nul = '';

# as the module has it after it was read
sub clean {
    my ($text) = @_;

    $text =~ s/\x00/$nul/g;
    $text =~ s/\r\n?/\n/g;
    $text =~ s/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]//g;

    return $text;
}

sub trimmed {
    my ($text) = @_;

    return $text =~ s/\A[ \t\n]+|[ \t\n]+\z//gr;
}

sub line {
    my ($text) = @_;

    return trimmed(trimmed(clean($text)) =~ s/[\t\n]/ /gr);
}

my %entities = (amp => '&', lt => '<', gt => '>', quot => '"', apos => "'");

# entities, once
sub decoded {
    my ($text) = @_;

    return $text =~ s/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/
        defined $1 ? chr $1 : defined $2 ? chr hex $2
        : $entities{$3} \/\/ "&$3;"/gier;
}

sub name_line { return line(decoded(clean($_[0]))) }
sub free_text { return trimmed(decoded(clean($_[0]))) }

# a number: percent codes, twice at most
sub number {
    my ($text) = @_;

    utf8::encode($text = clean($text));
    $text =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge for 1, 2;

    return line(as_utf8($text) =~ s/\x00//gr);
}

# bytes as characters: UTF-8, else windows-1251
sub as_utf8 {
    my ($bytes) = @_;

    my $text = $bytes;

    return utf8::decode($text) ? $text : Encode::decode('cp1251', $bytes);
}

# as it is sent in a batch
sub sent {
    my ($text) = @_;

    my $s = qr/[s\x{17f}]/i;

    return $text =~ s/\$(?=re${s}ult|next|total|time|error)/\x{ff04}/gir;
}

# as it stands in a comment
sub plain {
    my ($text) = @_;

    $text =~ s/\[/\x{ff3b}/g;
    $text =~ s/<(?=[A-Za-z\/!?])/\x{ff1c}/g;

    return sent($text);
}

sub address_ok {
    my ($text) = @_;

    return $text =~ m{\A[=_.0-9A-Za-z+~'!\$&*^`|\#%/?\{\}-]{1,64}
                      \@example\.com\z}x
           && $text !~ /\A\.|\.\@/;
}


# ---- an order and its records --------------------------------------------

my $orders = 0;

# The fields of an order with this text in all of them: { fields, option }.  The
# first form has a firm and the name in parts, the second neither.
sub evil_order {
    my ($evil, $form) = @_;

    my $n = ++$orders;

    # these must differ from all others
    my $own = length $evil > 60 ? substr($evil, -60) . "-$n" : "$evil-$n";
    my %item = map { $_ => $evil } qw(name product_id xml_id measure
                                      tax_included);
    my %field = (
        id => $own, phone => sprintf('+7916%07d %s', $n, $evil),
        email => "$own\@example.com", inn => $evil, kpp => $evil,
        address => $evil, comment => $evil, currency => $evil,
        status => $evil, name => undef,
        items => [{ %item, price => '795.00', quantity => '2' }],
        map { $_ => $evil } qw(uf_deal uf_contact uf_company utm_source
                               utm_campaign utm_content utm_term),
    );

    if ($form == 1) {
        @field{qw(first_name second_name last_name)} = ($evil) x 3;
        $field{company} = $own;

    } else {
        $field{name} = "$evil $evil";
        $field{comment} = "a $evil\n$evil z";
        $field{items}[0]{name} = "a $evil z";
    }

    # a header takes no line ends, an address only some characters
    my $header = $evil =~ /[\x00-\x1f\x7f]/ ? 'none' : trimmed($evil);
    my $args = encoded($evil, '!"\'()*,/:;=?@[]^`{|}~$\\<>');
    my $bytes = $header;

    utf8::encode($bytes);

    return { n => $n, evil => $evil, field => \%field, header => $header,
             args => $args, option => { args => "m=$args",
                                        headers => ['X-Evil', $bytes] } };
}

# percent-encoded but for letters, digits and those told
sub encoded {
    my ($text, $keep) = @_;

    utf8::encode($text);

    return $text =~ s/([^A-Za-z0-9_.\Q$keep\E-])/sprintf '%%%02X', ord $1/ger;
}

# The form's body of an order's fields.
sub form_body {
    my ($data, $name) = @_;

    return join '&', map {
        my $inner = defined $name ? "${name}[$_->[0]]" : $_->[0];

        ref $_->[1] ? form_body($_->[1], $inner)
                    : encoded($inner, '[]') . '=' . encoded($_->[1], '')
    } grep { defined $_->[1] }
      ref $data eq 'HASH' ? map { [$_, $data->{$_}] } sort keys %$data
                          : map { [$_, $data->[$_]] } 0 .. $#$data;
}

sub place_evil {
    my ($order, $as_form) = @_;

    # nor may a name do anything
    my %field = (total => '1990.00', delivery => '400.00',
                 "$order->{evil} x" => $order->{evil}, %{$order->{field}});

    return B24::Crm::order($order->{option}, %field) if !$as_form;

    return B24::Crm::order({ %{$order->{option}}, headers => [
        @{$order->{option}{headers}}], body => form_body(\%field),
        type => 'application/x-www-form-urlencoded' });
}

sub cut { return substr $_[0], 0, $_[1] }

# nothing there is undef
sub filled { return length $_[0] ? $_[0] : undef }

# The lines of the deal's comment.
sub wanted_comment {
    my ($order, $address_refused) = @_;

    my $field = $order->{field};
    my @lines = (plain(free_text($field->{comment})),
                 'Address: ' . plain(free_text($field->{address})));
    my @names = map { name_line($field->{$_} // '') }
                    qw(first_name second_name last_name);
    my @labels = ('First name', 'Second name', 'Last name');

    @names = (name_line($field->{name}), '', '') if defined $field->{name};

    if (grep { length > 50 } @names) {
        push @lines, map { length $names[$_]
                           ? "$labels[$_]: " . plain($names[$_]) : () } 0 .. 2;
    }

    my $phone = line($field->{phone});

    push @lines, 'Phone as typed: ' . plain($phone)
        if ($phone =~ tr/0-9//) > 11
           || $phone =~ /[A-Za-z\x{400}-\x{47f}][^0-9]*\z/;
    push @lines, "$address_refused: " . plain(line($field->{email}))
        if $address_refused;
    push @lines, 'INN as typed: ' . plain(line($field->{inn})),
                 'KPP as typed: ' . plain(line($field->{kpp}));

    return @lines;
}

# All an order has to become: the fields in which its records differ from those
# of an order with nothing remarkable in it.
sub wanted {
    my ($order) = @_;

    my ($field, $n) = @$order{qw(field n)};
    my $id = number($field->{id});
    my $email = line($field->{email});
    my $address_ok = address_ok($email);
    my $address_sent = $address_ok && sent($email) eq $email;
    my $rule = filled(sent(trimmed(clean($order->{evil}))));
    my $conf = filled(sent(clean($order->{header})));
    my @names = map { defined $field->{$_}
                      ? filled(sent(cut(name_line($field->{$_}), 50)))
                      : undef } qw(first_name second_name last_name);

    @names = (sent(cut(name_line($field->{name}), 50)), undef, undef)
        if defined $field->{name};

    my %wanted = (
        origin_id => sent($id),
        phones => [sprintf '+7916%07d', $n],
        emails => [$address_sent ? lc $email : ()],
        contact => { NAME => $names[0], SECOND_NAME => $names[1],
            LAST_NAME => $names[2], ORIGIN_ID => sent($id),
            UF_CRM_RULE => $rule, UF_CRM_CONF => $conf, HAS_PHONE => 'Y',
            HAS_EMAIL => $address_sent ? 'Y' : 'N' },
        deal => { TITLE => sent("Order #$id"), ORIGIN_ID => sent($id),
            UF_CRM_RULE => $rule, UF_CRM_CONF => $conf,
            UF_CRM_ARG => sent($order->{args}),
            UTM_MEDIUM => sent(cut(clean($order->{header}), 200)),
            map { $_ => filled(sent(cut(trimmed(clean($order->{evil})),
                                        200))) }
                qw(UTM_SOURCE UTM_CAMPAIGN UTM_CONTENT UTM_TERM) },
        row => sent(cut(name_line($field->{items}[0]{name}), 255)),
        comment => [wanted_comment($order, $address_sent ? undef
            : $address_ok ? 'E-mail, refused by the portal'
                          : 'E-mail as typed')],
    );

    if (defined $field->{company}) {
        $wanted{company} = {
            TITLE => sent(cut(name_line($field->{company}), 255)),
            ORIGIN_ID => sent($id), UF_CRM_RULE => $rule,
            UF_CRM_CONF => $conf };
    }

    return \%wanted;
}

# Fields of a record but for times, persons, ids and links.
sub fields_of {
    my ($record) = @_;

    my %fields = %{($record // {})->{fields} // {}};

    delete @fields{qw(ID DATE_CREATE DATE_MODIFY MOVED_TIME BEGINDATE CLOSEDATE
        CONTACT_ID CONTACT_IDS COMPANY_ID COMPANY_IDS COMMENTS)};

    return \%fields;
}

# Comments without what the module remarks of its own accord.
sub comment_of {
    my ($deal) = @_;

    return join "\n", grep { !/^Note: / } split /\n/, $deal->{comments} // '';
}

# Compares all records of one order; BASE is the deal of the unremarkable one.
# Returns what differs, as lines.
sub differences {
    my ($crm, $order, $base) = @_;

    my $wanted = wanted($order);
    my @deals = @{$crm->{deals}{$wanted->{origin_id}} // []};

    return @deals . " deals of $wanted->{origin_id}" if @deals != 1;

    my $deal = $deals[0];
    my @different;
    my $compare = sub {
        my ($what, $got, $want) = @_;

        for my $name (sort keys %{{%$got, %$want}}) {
            my ($is, $should) = map { $_->{$name} // 'null' } $got, $want;

            ($is, $should) = map { ref $_ ? join ',', @$_ : $_ }
                                 $is, $should;
            push @different, "$what $name: \"$is\", not \"$should\""
                if $is ne $should;
        }
    };

    $compare->('deal', fields_of($deal),
               { %{fields_of($base)}, %{$wanted->{deal}} });
    $compare->('contact', fields_of($deal->{contact}),
               { %{fields_of($base->{contact})}, %{$wanted->{contact}} });
    $compare->('contact', { phones => $deal->{contact}{phones},
                            emails => $deal->{contact}{emails} },
               { phones => $wanted->{phones}, emails => $wanted->{emails} });

    if ($wanted->{company}) {
        $compare->('company', fields_of($deal->{company}),
                   { %{fields_of($base->{company})}, %{$wanted->{company}} });
        $compare->('company', { requisites => $deal->{company}{requisites} },
                   { requisites => [] });
        $compare->('contact', { firms => $deal->{contact}{company_ids} },
                   { firms => [$deal->{company}{id}] });

    } else {
        $compare->('deal', { company => $deal->{company_id} },
                   { company => 0 });
    }

    my @rows = map { my %row = %$_; delete $row{id}; \%row }
                   @{$deal->{rows}};
    my @wanted_rows = map { my %row = %$_; delete $row{id}; \%row }
                          @{$base->{rows}};

    $wanted_rows[0]{product_name} = $wanted->{row};
    push @different, @rows . ' rows' if @rows != @wanted_rows;
    $compare->("row $_", $rows[$_] // {}, $wanted_rows[$_])
        for 0 .. $#wanted_rows;

    $compare->('deal', { COMMENTS => comment_of($deal) },
               { COMMENTS => join "\n", @{$wanted->{comment}} });

    # a remark never repeats what was typed
    push @different, map { "remark: $_" }
        grep { index($_, $order->{evil}) >= 0 && length $order->{evil} > 3 }
             B24::Crm::notes($deal);

    return @different;
}


# ---- what was sent -------------------------------------------------------

my $methods = join '|', qw(profile scope server\.time app\.info
    crm\.duplicate\.findbycomm crm\.(?:contact|company|deal)\.(?:add|list|get)
    crm\.company\.update crm\.item\.(?:add|list|get|update)
    crm\.deal\.productrows\.(?:set|get) crm\.item\.productrow\.(?:set|list)
    crm\.requisite\.(?:add|list|preset\.list) crm\.contact\.company\.add
    crm\.(?:deal|contact|company|item)\.fields crm\.status\.list
    crm\.category\.list crm\.dealcategory\.(?:stage\.)?list crm\.currency\.list
    catalog\.(?:catalog|product)\.list crm\.settings\.mode\.get method\.get);

# Lines for what no batch may hold: a method that isn't ours, a reference that
# isn't, in names or values as the server will read them.
sub bad_commands {
    my (@requests) = @_;

    my @bad;

    for my $request (grep { $_->{method} eq 'batch' } @requests) {
        my $cmd = $request->{params}{cmd} // {};

        push @bad, "request $request->{seq}: " . keys(%$cmd) . ' commands'
            if keys %$cmd > ($request->{params}{halt} ? 10 : 50);

        for my $name (sort keys %$cmd) {
            my ($method, $query) = B24::Portal::Php::parse_url($cmd->{$name});
            my $params = B24::Portal::Php::parse_str($query // '');

            push @bad, "command $name: $method" if $method !~ /\A(?:$methods)\z/;
            push @bad, "command $name: fragment" if $cmd->{$name} =~ /#/;
            push @bad, map { "command $name: $_" }
                living($params, '', $request->{params}{halt});
        }
    }

    return @bad;
}

# References that the server would expand, but for our own ids.
sub living {
    my ($params, $path, $halt) = @_;

    my @found;

    for my $key ($params->keys) {
        my $value = $params->get($key);
        my $here = "$path/$key";

        push @found, "name $here" if $key !~ /\A[A-Za-z0-9_=\@!<>%]+\z/;

        if (B24::Portal::Php::is_array($value)) {
            push @found, living($value, $here, $halt);
            next;
        }

        next if $value !~ /\$(?:result|next|total|time|error)/i;
        next if $halt && $value =~ /\A\$result\[\w+\](?:\[item\]\[id\])?\z/
                && $here =~ /id\b|ids\b/i && $here !~ /origin|title|name/i;

        push @found, "$here is $value";
    }

    return @found;
}


# ---- a round of orders ---------------------------------------------------

# Places orders with each of these texts, waits, and compares everything.
sub round {
    my ($as_form, @evil) = @_;

    my $portal = B24::Test::portal();

    local $nul = $as_form ? '' : "\x{fffd}";

    # people and deals nobody of these orders has to do with
    $portal->call('crm.contact.add', { fields => { NAME => SECRET,
        COMMENTS => SECRET, PHONE => [{ VALUE => '+79990000001' }] } });
    $portal->call('crm.company.add', { fields => { TITLE => SECRET } });
    $portal->call('crm.deal.add', { fields => { TITLE => SECRET,
        COMMENTS => SECRET } });

    my $others = others();
    my $from = $portal->report(journal => 0)->{counts}{arrived};

    # the same with nothing remarkable in it
    my $base = evil_order('plain', 1);
    my @orders = map { (evil_order($_, 1), evil_order($_, 2)) } @evil;

    $base->{field}{currency} = undef;
    place_evil($base, $as_form);

    my @refused = grep { !place_evil($_, $as_form) } @orders;

    Test::More::is(join("\n", map { $_->{evil} } @refused), '',
                   'the shop accepts them all');
    Test::More::ok(B24::Crm::accepted(1 + @orders, timeout => 90),
                   1 + @orders . ' orders are delivered');

    my $crm = B24::Crm::whole_crm();
    my ($deal) = @{$crm->{deals}{number($base->{field}{id})} // []};

    Test::More::is($deal->{contact}{name} // 'nobody', 'plain',
                   'the unremarkable one');
    Test::More::is(comment_of($deal), join("\n", @{wanted($base)->{comment}}),
                   'with its comment');

    for my $order (@orders) {
        my @different = differences($crm, $order, $deal);
        my $what = $order->{evil} =~ s/([^ -~])/sprintf '<%X>', ord $1/ger;

        $what = substr($what, 0, 20) . ' ... ' . substr $what, -20
            if length $what > 60;
        Test::More::is(shown(@different), '', $what);
    }

    my @bad = bad_commands(B24::Crm::requests($portal, $from));

    Test::More::is(shown(@bad), '', 'nothing in the commands that would act');
    Test::More::is_deeply(others(), $others, 'the others are as before');
    Test::More::is($crm->{report}{counts}{deals}, 2 + @orders,
                   'no deal more');
    Test::More::is($crm->{report}{counts}{contacts}, 2 + @orders,
                   'a contact each');
    Test::More::is($crm->{report}{counts}{companies}, 2 + @orders / 2,
                   'a company each');

    my $told = B24::Scenario::get('/b24?format=json&limit=1000')->{body};

    Test::More::is(index($told, SECRET), -1,
                   'nothing of the portal on our page');
    Test::More::unlike(B24::Scenario::error_log(), qr/${\SECRET}|\@example/,
                       'nor of anybody in the log');
}

# The first of some lines, none of them too long.
sub shown {
    my (@lines) = @_;

    splice @lines, 6;

    return join "\n", map { length > 400 ? substr($_, 0, 200) . ' ... '
                                           . substr $_, -200 : $_ } @lines;
}

# The records that were there before, whole.
sub others {
    my $report = B24::Test::portal()->report(journal => 0);

    return [ map { my $kind = $_;
                   grep { ($_->{name} // $_->{title} // '') eq SECRET }
                        @{$report->{$kind}} } qw(contacts companies deals) ];
}

# Texts that are no UTF-8, as bytes in a body; each is what windows-1251 makes of
# it, and nothing in it becomes a reference.
sub foreign_bytes {
    my ($api) = @_;

    my @bytes = ("\xff\xfe\$result[c]", "\xcf\xf0\xe8\xe2\xe5\xf2 \$result[c]",
                 "\xc0\x80\$result[c]", "a\xf0\x9f\x98", "\xed\xa0\x80",
                 "\x98\$result[c]", "\$\x98result[c]", "[b]\xa0<b>");
    my $n = 0;
    my %wanted;

    for my $bytes (@bytes) {
        for my $way ('form', 'raw form', 'json') {
            my $id = 'bytes-' . ++$n;
            my %field = (id => $id, phone => sprintf('+7916%07d', $n),
                total => '10.00', name => $bytes, comment => $bytes,
                company => "$bytes $n", uf_deal => $bytes,
                items => [{ name => $bytes, price => '10.00' }]);
            my $body = form_of_bytes(\%field, $way eq 'raw form');

            $body = json_of_bytes(\%field) if $way eq 'json';
            Test::More::ok(B24::Crm::order({ body => $body,
                type => $way eq 'json' ? 'application/json'
                        : 'application/x-www-form-urlencoded' }),
                "$id, $way");
            $wanted{$id} = Encode::decode('cp1251', $bytes);
        }
    }

    Test::More::ok(B24::Crm::accepted($n), 'all are delivered');

    my $crm = B24::Crm::whole_crm();

    for my $id (sort keys %wanted) {
        my ($deal) = @{$crm->{deals}{$id} // [{}]};
        my $text = clean($wanted{$id});

        Test::More::is_deeply([$deal->{contact}{name}, $deal->{comments},
                $deal->{rows}[0]{product_name}, $deal->{fields}{UF_CRM_RULE},
                $deal->{company}{title}],
            [sent(line($text)), plain(trimmed($text)), sent(line($text)),
             sent($text), sent(line($text) . ($id =~ s/.*-/ /r))], $id);
    }
}

sub form_of_bytes {
    my ($field, $raw) = @_;

    my $value = sub {
        my ($text) = @_;

        return $raw ? $text =~ s/([%&+ =])/sprintf '%%%02X', ord $1/ger
                    : $text =~ s/([^A-Za-z0-9.])/sprintf '%%%02X', ord $1/ger;
    };
    my %flat = (%$field, map { +"items[0][$_]" => $field->{items}[0]{$_} }
                             keys %{$field->{items}[0]});

    delete $flat{items};

    return join '&', map { "$_=" . $value->($flat{$_}) } sort keys %flat;
}

sub json_of_bytes {
    my ($data) = @_;

    return '[' . join(',', map { json_of_bytes($_) } @$data) . ']'
        if ref $data eq 'ARRAY';
    return '{' . join(',', map { "\"$_\":" . json_of_bytes($data->{$_}) }
                               sort keys %$data) . '}' if ref $data;
    return '"' . $data =~ s/(["\\])/\\$1/gr . '"';
}

# A portal whose database takes characters of three bytes at most: the order
# arrives, without those characters and with all others.
sub three_bytes {
    my ($how) = @_;

    my $portal = B24::Test::portal();
    my $wide = "a \x{1F600}\$result[c]\x{1D4B3} z";
    my @cases = (
        [name => 'contact', 'NAME'], [last_name => 'contact', 'LAST_NAME'],
        [company => 'company', 'TITLE'], [comment => 'deal', 'COMMENTS'],
        [address => 'deal', 'COMMENTS'], [uf_deal => 'deal', 'UF_CRM_RULE'],
        [uf_contact => 'contact', 'UF_CRM_RULE'],
        [uf_company => 'company', 'UF_CRM_RULE'],
        [utm_term => 'deal', 'UTM_TERM'], [phone => 'deal', 'COMMENTS'],
        [inn => 'deal', 'COMMENTS'], [item => 'row', 'product_name'],
    );

    $portal->config(utf8mb3 => $how);

    for my $n (0 .. $#cases) {
        my ($name, $entity, $field) = @{$cases[$n]};
        my %field = (id => "wide-$n", phone => sprintf('+7916%07d', $n),
                     company => "Firm $n", comment => 'c', total => '1990.00');

        # what stands beside a number is kept when it has digits of its own
        $field{$name} = $name eq 'phone' ? "$field{phone} 5 $wide" : $wide
            if $name ne 'item';
        $field{items} = [{ name => $wide, price => '795.00', quantity => '2' }]
            if $name eq 'item';

        B24::Crm::order(%field);

        my $deal = B24::Crm::delivered("wide-$n");
        my $got = $entity eq 'row' ? $deal->{rows}[0]{product_name}
                : ($entity eq 'deal' ? $deal : $deal->{$entity})
                  ->{fields}{$field};

        # left out, or shown as missing
        Test::More::like($got // 'nothing',
            qr/a [?\x{fffd}]*\x{ff04}result[\[\x{ff3b}]c\][?\x{fffd}]* z/,
            "$name: the rest of it arrives");
        Test::More::is($deal->{opportunity} // 0, '1990.00', "$name: the deal");
        Test::More::is(@{$deal->{rows} // []}, 2, "$name: its rows");
        Test::More::is_deeply($deal->{contact}{phones},
            [sprintf '+7916%07d', $n], "$name: its buyer");
    }

    my $report = $portal->report(journal => 0);

    Test::More::is_deeply([@{$report->{counts}}{qw(deals contacts companies)}],
        [(scalar @cases) x 3], 'each once');

    # the others on that portal keep nothing back
    B24::Crm::order(id => 'narrow', phone => '+79169999999', name => 'Anna');
    Test::More::is(B24::Crm::delivered('narrow')->{contact}{name}, 'Anna',
                   'an order without');
}

# Texts longer than anything: the order arrives, their beginnings with it.
sub endless {
    my @lines = map { "line $_ \$result[c] [b]\x{44f}\x{1F600}" } 1 .. 1200;
    my $longer = join ' ', @lines;
    my $long = join ' ', @lines[0 .. 299];
    my @names = qw(first_name second_name last_name company inn kpp address
                   comment uf_deal uf_contact uf_company utm_source);

    B24::Crm::order(id => 'one', phone => '+79160000001',
                    total => '1990.00', (map { $_ => $long } @names),
                    comment => $longer);
    B24::Crm::order(id => 'two', phone => "+79160000002 $long",
                    total => '1990.00', email => $long, status => $long,
                    currency => $long, items => [{ price => '795.00',
                        quantity => '2', name => $long, measure => $long,
                        xml_id => $long, product_id => $long }]);

    for my $id ('one', 'two') {
        my $deal = B24::Crm::delivered($id);
        my $begins = qr/\Aline 1 \x{ff04}result\[c\] \[b\]/;

        Test::More::is($deal->{opportunity}, '1990.00', "$id: its total");
        Test::More::is($deal->{rows_sum}, '1990.00', "$id: and rows");
        Test::More::like($deal->{comments}, qr/line 1 \x{ff04}result\x{ff3b}c/,
                         "$id: the comment begins with them");
        Test::More::cmp_ok(length Encode::encode('UTF-8', $deal->{comments}),
            '<=', 65_535, "$id: and fits its column");
        Test::More::unlike($deal->{comments}, qr/\$result|\[b|\x{fffd}/,
                           "$id: no reference, no markup, no half character");
        next if $id eq 'two';

        Test::More::like($deal->{contact}{$_}, $begins, $_)
            for qw(name second_name last_name);
        Test::More::like($deal->{company}{title}, $begins, 'company');
        Test::More::like($deal->{$_->[0]}{fields}{$_->[1]}, $begins, "@$_")
            for [contact => 'UF_CRM_RULE'], [company => 'UF_CRM_RULE'];
        Test::More::like($deal->{fields}{$_}, $begins, $_)
            for qw(UF_CRM_RULE UTM_SOURCE);
    }
}

# Articles and numbers of products that are none: free rows, whatever they are.
sub products {
    my ($kind) = @_;

    my @evil = $kind eq 'id'
        ? ('$result[c]', '101abc', '-1', '1e2', '0x65', '101.5', '1 01', '[101]',
           '99999999999999999999', '18446744073709551717', "101\x{200b}", '%31%30%31',
           '&#49;01', '101&x=1')
        : (@references, @markup, @commands, @characters, 'sku-101', 'SKU-10',
           'SKU-1010', 'SKU%', '*', 'SKU-101 x', "SKU-101\x{200b}", '101', '14');
    my $field = $kind eq 'id' ? 'product_id' : 'xml_id';
    my $right = $kind eq 'id' ? 101 : 'SKU-101';
    my $n = 0;

    for my $evil (@evil) {
        B24::Crm::order(id => 'p-' . ++$n, phone => '+79160000001',
            total => '30.00', delivery => undef, items => [
                { name => 'Evil', price => '10.00', $field => $evil },
                { name => 'Right', price => '10.00', $field => " $right " },
                { name => 'None', price => '10.00' }]);
    }

    Test::More::ok(B24::Crm::accepted($n, timeout => 90), 'all are delivered');

    my $crm = B24::Crm::whole_crm();

    for my $i (1 .. $n) {
        my ($deal) = @{$crm->{deals}{"p-$i"} // [{}]};

        Test::More::is(join(', ', map { "$_->{product_name} $_->{product_id} "
                                        . $_->{sum} } @{$deal->{rows}}),
            'Evil 0 10.00, Right 101 10.00, None 0 10.00',
            $evil[$i - 1] =~ s/([^ -~])/sprintf '<%X>', ord $1/ger);
    }

    Test::More::is(shown(bad_commands(
        B24::Crm::requests(B24::Test::portal()))), '',
        'nothing in the commands that would act');
}

# An order whose answer is lost is looked for by its number: whatever that looks
# like, it finds its own deal, and no other.
sub looked_for {
    my $portal = B24::Test::portal();
    my @ids = grep { length() < 60 && !/[\x00-\x20]/ } @references, @commands;
    my @orders;

    # deals of other shops and other numbers that a loose filter would find
    $portal->call('crm.deal.add', { fields => { TITLE => SECRET,
        ORIGINATOR_ID => $_->[0], ORIGIN_ID => $_->[1] } })
        for ['tested', 'x'], ['tested', '1'], ['other', '%'], ['', ''],
            ['tested', '55'], ['tested', ''];

    my $others = others();

    for my $n (0 .. 15) {
        my $id = $ids[$n * int(@ids / 16)] . "~$n";

        $portal->fault(kind => $n % 2 ? 'drop_after' : 'drop_before',
                       method => 'crm\.(?:deal|item)\.add');
        push @orders, { id => $id, n => $n };
        B24::Crm::order(id => $id, phone => sprintf('+7916%07d', $n),
                        company => "Firm $id", total => '1990.00');
        B24::Scenario::wait_until(sub {
            return !grep { $_->{state} ne 'delivered' } B24::Crm::records();
        });
    }

    Test::More::ok(B24::Crm::accepted(scalar @orders), 'all are delivered');

    my $crm = B24::Crm::whole_crm();

    for my $order (@orders) {
        my $id = sent(number($order->{id}));
        my @deals = @{$crm->{deals}{$id} // []};

        Test::More::is(join(' ', map { @{$_->{rows}} . " $_->{opportunity}" }
                                     @deals), '2 1990.00', $order->{id});
        Test::More::is_deeply([map { @{$_->{contact}{phones}} } @deals],
            [sprintf '+7916%07d', $order->{n}], 'with its buyer');
    }

    Test::More::is_deeply(others(), $others, 'the others are as before');
    Test::More::is($crm->{report}{counts}{contacts}, scalar @orders,
                   'a contact each');
    Test::More::is(shown(bad_commands(B24::Crm::requests($portal))), '',
                   'nothing in the commands that would act');
}

our $http = sub { return B24::Crm::http(api => $_[0], %set_up) };
our $server = B24::Crm::server();

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: references, JSON, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::round(0, @::references);



=== TEST 2: references, JSON, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::round(0, @::references);



=== TEST 3: references, a form, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::round(1, @::references);



=== TEST 4: references, a form, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::round(1, @::references);



=== TEST 5: markup, parameters and commands, JSON, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::round(0, @::markup, @::commands);



=== TEST 6: markup, parameters and commands, JSON, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::round(0, @::markup, @::commands);



=== TEST 7: markup, parameters and commands, a form, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::round(1, @::markup, @::commands);



=== TEST 8: characters, JSON, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::round(0, @::characters);



=== TEST 9: characters, JSON, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::round(0, @::characters);



=== TEST 10: characters, a form, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::round(1, @::characters);



=== TEST 11: bytes that are no UTF-8, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::foreign_bytes();



=== TEST 12: bytes that are no UTF-8, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::foreign_bytes();



=== TEST 13: a portal of three bytes a character refuses, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::three_bytes('refuse');



=== TEST 14: a portal of three bytes a character refuses, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::three_bytes('refuse');



=== TEST 15: endless texts, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::endless();



=== TEST 16: endless texts, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::endless();



=== TEST 17: numbers that are looked for, classic methods
--- http_config eval: $::http->('classic')
--- config eval: $::server
--- scenario
    main::looked_for();



=== TEST 18: numbers that are looked for, universal methods
--- http_config eval: $::http->('universal')
--- config eval: $::server
--- scenario
    main::looked_for();



=== TEST 19: articles, classic methods
--- http_config eval: B24::Crm::http(api => 'classic', lines => 'b24_product xml_id;')
--- config eval: $::server
--- scenario
    main::products('xml_id');



=== TEST 20: articles, universal methods
--- http_config eval: B24::Crm::http(api => 'universal', lines => 'b24_product xml_id;')
--- config eval: $::server
--- scenario
    main::products('xml_id');



=== TEST 21: numbers of products, classic methods
--- http_config eval: B24::Crm::http(api => 'classic', lines => 'b24_product id;')
--- config eval: $::server
--- scenario
    main::products('id');



=== TEST 22: numbers of products, universal methods
--- http_config eval: B24::Crm::http(api => 'universal', lines => 'b24_product id;')
--- config eval: $::server
--- scenario
    main::products('id');
