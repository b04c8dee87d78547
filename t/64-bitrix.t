# 1C-Bitrix with the preset as it is shipped: every form of request and answer
# that its checkout is known to have.

use strict;
use warnings;
use utf8;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 5000 } } },
              upstream => 1;
use Test::Nginx::Socket;

use B24::Bitrix;
use B24::Bought;
use B24::Client;
use B24::Desk;
use Encode ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);
worker_connections(256);
log_level('info');

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

our $http = B24::Bought::http('bitrix');
our $server = B24::Bought::server('bitrix');

# the buyer of most tests, and what is in the cart
our %person = (FIO => 'Иванов Пётр', EMAIL => 'Petr@example.com',
               PHONE => '+7 (916) 123-45-67', ZIP => '101000',
               CITY => 'Москва', LOCATION => '0000073738',
               ADDRESS => 'Тверская, 1');
our @cart = (total => 4280, delivery => 300,
             rows => [[301, 1012, 'Футболка «Лето»', 2, 1990]]);

sub shown {
    my ($deal) = @_;

    my $contact = $deal->{contacts}[0] // {};

    return join '; ', $deal->{title},
        join(' ', grep { defined && length } @$contact{qw(name last_name)}),
        @{$contact->{phones} // []}, @{$contact->{emails} // []},
        "$deal->{opportunity} $deal->{currency_id}", rows($deal),
        ($deal->{comments} // '') =~ s/\n/ | /gr;
}

sub rows {
    my ($deal) = @_;

    return join ', ', map { "$_->{product_name} $_->{price} x $_->{quantity}" }
                          @{$deal->{rows}};
}

# What shown() gives of %person and @cart.
sub usual {
    my ($id) = @_;

    return "Order #$id; Иванов Пётр; +79161234567; petr\@example.com;"
        . ' 4280.00 RUB; Футболка «Лето» 1990.00 x 2, Delivery 300.00 x 1;'
        . ' Address: 101000, Москва, Тверская, 1';
}

sub deal_is {
    my ($id, $want, $name, %option) = @_;

    my $deal = B24::Desk::deal($id, rows => $option{rows} // 2);

    Test::More::is(shown($deal), $want, $name);
    Test::More::is($deal->{rows_sum}, $deal->{opportunity},
                   "$name: sum of the rows") if @{$deal->{rows}};

    return $deal;
}

# No order came of all that, and $n were refused.
sub none {
    my ($n) = @_;

    Test::More::ok(B24::Scenario::wait_until(sub {
        B24::Desk::count('rejected') == $n }), "$n are refused");
    Test::More::is(B24::Desk::shown(@{B24::Desk::status()->{orders}}), '',
                   'no record');
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: the save request of today
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;

    $site->refresh(@::cart);
    $site->save(\%::person, $site->accepted('57'));

    my $deal = main::deal_is('57', main::usual('57'), 'a number');
    my $row = $deal->{rows}[0];

    is("$row->{tax_rate} $row->{tax_included} $row->{measure_code}",
       '20 Y 796', 'tax and unit');
    is($deal->{stage_id}, 'NEW', 'the stage');

    # a prefix, a slash, the number as JSON's number
    $site->refresh(@::cart);
    $site->save(\%::person, $site->accepted('57/2026'));
    main::deal_is('57/2026', main::usual('57/2026'), 'a number with a slash');

    $site->refresh(@::cart);
    $site->save(\%::person, { order => { REDIRECT_URL => '/?ORDER_ID=60',
                                         ID => \60 } });
    main::deal_is('60', main::usual('60'), 'no text');
    B24::Desk::count_is('rejected', 0, 'none is refused');



=== TEST 2: 17.x and 16.x: to the page, in UTF-8 and in windows-1251
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $id = 100;

    for my $charset ('UTF-8', 'windows-1251') {
        my $site = B24::Bitrix->new(charset => $charset);

        for my $old (0, 1) {
            my $name = "$charset, " . ($old ? 16 : 17);

            $id++;
            $site->refresh(@::cart);
            $site->save(\%::person, $site->accepted("A-$id/26", old => $old),
                        generation => $old ? 16 : 17);
            main::deal_is("A-$id/26", main::usual("A-$id/26"), $name);
        }
    }

    # a notice of PHP before the answer, a page of a name of its own
    my $site = B24::Bitrix->new(charset => 'windows-1251');
    $site->refresh(@::cart);
    $site->save(\%::person, "\nNotice: x\n"
                . B24::Bitrix::json($site->accepted('120')),
                generation => 17, target => '/oformit/zakaz.php');
    main::deal_is('120', main::usual('120'), 'junk before the answer');

    # sites name their pages as they like
    $id = 120;

    for my $page (qw(/checkout /shop/oformit-zakaz /order.html /order/?a=b)) {
        $id++;
        $site->refresh(@::cart);
        $site->save(\%::person, $site->accepted($id), generation => 17,
                    target => $page);
        main::deal_is($id, main::usual($id), $page);
    }



=== TEST 3: answers that are no order, all of them 200
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my @answers = (
        { order => { ERROR => { PROPERTY => ['Поле "Телефон" обязательно'] } } },
        { order => { ERROR => { MAIN => 'Ваша сессия истекла.' } } },
        { order => { SHOW_AUTH => \'true', AUTH => {}, SMS_AUTH => undef,
                     ERROR => { AUTH => ['no'] } } },
        { order => { SHOW_AUTH => \'true', AUTH => {} } },
        { order => { REDIRECT_URL => B24::Bitrix::PAGE } },
        { order => { REDIRECT_URL => B24::Bitrix::PAGE . '?ORDER_ID=',
                     ID => undef } },
        { success => 'N', redirect => '/personal/cart/' },
        '',
        '<html>login</html>',
    );

    $site->refresh(@::cart);

    for my $answer (@answers) {
        $site->save(\%::person, $answer, ref $answer ? ()
                    : (type => 'text/html'));
        $site->save(\%::person, $answer, generation => 17);
    }

    main::none(2 * @answers);

    # unknown keys are added by sites
    $site->save(\%::person, { order => { %{$site->accepted('57')->{order}},
        ERROR => [], SHOW_AUTH => \'false', VENDOR => { x => 1 } } });
    main::deal_is('57', main::usual('57'), 'then one is accepted');



=== TEST 4: recalculations are no orders
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;

    $site->refresh(@::cart);
    $site->refresh(@::cart, action => $_, fields => [coupon => 'X'])
        for qw(enterCoupon removeCoupon);
    $site->refresh(action => $_, answer => '{"order":{"SHOW_AUTH":true}}')
        for qw(showAuthForm confirmSmsCode);
    $site->confirm(\%::person, '<form>again</form>', confirm => 'N');

    main::none(0);

    # a coupon that was refused is answered by its text, an ended session by
    # an error: neither changes anything
    $site->refresh(action => 'enterCoupon', answer => '"X"');
    $site->refresh(answer => { order => undef, error => 'session' });
    $site->save(\%::person, $site->accepted('57'));
    main::deal_is('57', main::usual('57'), 'what was known before');



=== TEST 5: the page alone, in UTF-8 and in windows-1251
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $id = 200;

    for my $charset ('UTF-8', 'windows-1251') {
        my $site = B24::Bitrix->new(charset => $charset);

        $id++;
        $site->page(@::cart);
        $site->save(\%::person, $site->accepted($id));
        main::deal_is($id, main::usual($id), $charset);
    }

    # the addresses that an order is taken at
    my $site = B24::Bitrix->new;

    for my $page (qw(/order /order.html /shop/oformit-zakaz.htm /zakaz.php
                     /order/make.php /checkout/index.html))
    {
        $id++;
        $site->page(@::cart, target => $page);
        $site->save(\%::person, $site->accepted($id), generation => 17,
                    target => $page);
        main::deal_is($id, main::usual($id), $page);
    }



=== TEST 6: person types, firms, flags that are not set
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my %firm = (COMPANY => 'ООО «Ромашка» & Ко', COMPANY_ADR => 'Тула',
                INN => '7707083893', KPP => '770701001',
                CONTACT_PERSON => 'Сидорова Анна', EMAIL => 'a@example.com',
                PHONE => '8 495 765-43-21', FAX => '8 495 000-00-00',
                ZIP => '300000', CITY => 'Тула', ADDRESS => 'Ленина, 2');
    my $id = 300;

    for my $flags (1, 0) {
        my $site = B24::Bitrix->new(flags => $flags);

        $id += 10;
        $site->refresh(@::cart, person => 1);
        $site->refresh(@::cart, person => 2);
        $site->save(\%firm, $site->accepted($id), person => 2);

        my $deal = main::deal_is($id, "Order #$id; Сидорова Анна;"
            . ' +74957654321; a@example.com; 4280.00 RUB;'
            . ' Футболка «Лето» 1990.00 x 2, Delivery 300.00 x 1;'
            . ' Address: 300000, Тула, Ленина, 2', 'a firm');
        my $report = portal()->wait_for(deal => $id, requisites => 1,
                                        journal => 0);

        is(scalar @{$report->{companies}}, 1, 'one company');
        is("$report->{companies}[0]{title} $report->{requisites}[0]{inn} "
           . $report->{requisites}[0]{kpp},
           'ООО «Ромашка» & Ко 7707083893 770701001', 'its requisites');
        is($deal->{company_id}, $report->{companies}[0]{id}, 'linked');

        # the same site, the other type: both are known now
        $id++;
        $site->refresh(@::cart, person => 1);
        $site->save(\%::person, $site->accepted($id));
        $deal = main::deal_is($id, main::usual($id), 'a person');
        is($deal->{company_id}, 0, 'no company');
    }



=== TEST 7: nothing is learned yet: told by its form
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;

    $site->save(\%::person, $site->accepted('57'));
    main::deal_is('57', 'Order #57; Иванов Пётр; +79161234567;'
        . ' petr@example.com; 0.00 RUB; ; ', 'the buyer', rows => 0);



=== TEST 8: rows: sets, weights, texts for numbers, noise
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;

    $site->refresh(total => '7259.9999999999', rows => [
        [301, 1, 'Набор', 1, '5000.0000', SET_PARENT_ID => 301, TYPE => 1],
        [302, 2, 'Чашка из набора', 2, 0, SET_PARENT_ID => 301],
        [303, 3, 'Сыр, &quot;весовой&quot;', '0.5', '890.0000',
         MEASURE_CODE => 166, VAT_RATE => '0.1000'],
        [304, 4, 'Платок', 1, 1815, DISCOUNT_PRICE => 200,
         BASE_PRICE => 2015, SET_PARENT_ID => 0]]);
    $site->save(\%::person, $site->accepted('57'),
                fields => [ORDER_DESCRIPTION => 'домофон "12"']);

    my $deal = B24::Desk::deal('57', rows => 3);

    is(main::rows($deal), 'Набор 5000.00 x 1, Сыр, "весовой" 890.00 x 0.5,'
       . ' Платок 1815.00 x 1', 'rows');
    is("$deal->{opportunity} $deal->{rows_sum}", '7260.00 7260.00', 'total');
    is("$deal->{rows}[1]{measure_code} $deal->{rows}[1]{tax_rate}", '166 10',
       'unit and tax');
    is($deal->{rows}[2]{discount_sum} + 0, 166.67, 'the discount, before tax')
        if $deal->{rows}[2]{discount_sum} != 200;
    like($deal->{comments}, qr/^домофон "12"/, 'the comment');



=== TEST 9: the checkout of 15.5 and before
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $page = B24::Bitrix::PAGE;
    my $id = 400;

    for my $charset ('UTF-8', 'windows-1251') {
        my $site = B24::Bitrix->new(charset => $charset);
        my $order = sub {
            my ($answer, %option) = @_;
            $id++;
            $answer =~ s/NUMBER/A%252F$id/;
            $option{headers}[0][1] =~ s/NUMBER/A%252F$id/ if $option{headers};
            $site->confirm(\%::person, $answer, %option);
            main::deal_is("A/$id", "Order #A/$id; Иванов Пётр;"
                . ' +79161234567; petr@example.com; 0.00 RUB; ; ',
                "$charset, $answer", rows => 0);
        };

        $order->('{"success":"Y","redirect":"\/personal\/order\/make\/'
                 . '?ORDER_ID=NUMBER"}',
                 fields => [is_ajax_post => 'Y', json => 'Y']);
        $order->("<script type=\"text/javascript\">window.top.location.href='"
                 . "$page?ORDER_ID=NUMBER'</script>");
        $order->('', status => 302,
                 headers => [['Location', "$page?ORDER_ID=NUMBER"]]);

        $site->confirm(\%::person, $_) for
            '{"success":"N","redirect":"\/personal\/cart\/"}',
            '<form><a href="/personal/?ORDER_ID=1">old</a> error</form>',
            "<script>window.top.location.href='$page?ORDER_ID='</script>";
    }

    ok(wait_until(sub { B24::Desk::count('rejected') == 6 }),
       'six are refused');



=== TEST 10: one click
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my $script = '/bitrix/components/aspro/oneclickbuy.next/script.php';
    my $buy = sub {
        my ($answer, $query, @more) = @_;
        $site->says($script, $answer);
        post($script . $query, B24::Bitrix::urlencoded('UTF-8',
             'ONE_CLICK_BUY[FIO]' => 'Иванов Пётр',
             'ONE_CLICK_BUY[PHONE]' => '+7 (916) 123-45-67',
             'ONE_CLICK_BUY[EMAIL]' => 'petr@example.com',
             'ONE_CLICK_BUY[COMMENT]' => 'быстро', CURRENCY => 'RUB',
             PERSON_TYPE_ID => 1, sessid => $site->{sessid}, @more),
             $site->cookies);
    };

    # what a checkout before it knew is not this order's
    $site->refresh(@::cart);

    $buy->({ result => 'N', message => 'no', err => 'x' }, '');
    $buy->({ result => 'Y', message => 'x',
             ext => { CODE => 'SHOW_SMS_FIELD' } }, '');
    ok(wait_until(sub { B24::Desk::count('rejected') == 2 }), 'two refused');

    $buy->({ result => 'Y', message => 57 }, '', ELEMENT_ID => 1012,
           ELEMENT_QUANTITY => 3, BUY_TYPE => 'ONE');
    my $deal = main::deal_is('57', 'Order #57; Иванов Пётр; +79161234567;'
        . ' petr@example.com; 0.00 RUB; ID 1012 0.00 x 3; быстро',
        'one product', rows => 1);

    $buy->({ result => 'Y', message => 57 }, '?uploadfiles&orderID=57');

    $buy->({ result => 'Y', message => 58 }, '', BUY_TYPE => 'ALL');
    main::deal_is('58', 'Order #58; Иванов Пётр; +79161234567;'
        . ' petr@example.com; 0.00 RUB; ; быстро', 'a whole cart',
        rows => 0);
    B24::Desk::count_is('duplicate', 0, 'files are no order');



=== TEST 11: bitrix:sale.order.checkout
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my $target = '/bitrix/services/main/ajax.php';
    my $save = sub {
        my ($answer, $action) = @_;
        $site->says($target, $answer);
        post("$target?mode=ajax&c=bitrix%3Asale.order.checkout&action="
             . ($action // 'saveOrder'), B24::Bitrix::urlencoded('UTF-8',
             'fields[siteId]' => 's1', 'fields[personTypeId]' => 1,
             'fields[properties][1]' => 'Иванов Пётр',
             'fields[properties][3]' => '+7 916 123-45-67',
             signedParameters => 'x'), $site->cookies,
             'X-Bitrix-Csrf-Token' => $site->{sessid});
    };
    my $accepted = { status => 'success', errors => [], data => {
        order => { id => 57, accountNumber => \'"A-57"', price => 4280,
                   hash => 'x' },
        basketItems => [{ id => 301, productId => 1012, name => 'Футболка',
                          quantity => 2, price => 1990, currency => 'RUB' }],
        properties => [{ id => 1, code => 'FIO', value => 'Иванов Пётр' },
                       { id => 2, code => 'EMAIL', value => 'p@example.com' },
                       { id => 3, code => 'PHONE',
                         value => '+7 916 123-45-67' }],
        payments => [] } };

    # the page sends it once more with the new token
    $save->({ status => 'error', data => undef, errors => [
        { message => 'x', code => 'invalid_csrf',
          customData => { csrf => 'fedc' } }] });
    $save->($accepted);
    $save->({ status => 'error', data => undef, errors => [
        { message => 'x', code => 'PROPERTIES' }] });
    $save->($accepted, 'recalculateBasket');

    main::deal_is('A-57', 'Order #A-57; Иванов Пётр; +79161234567;'
        . ' p@example.com; 4280.00 RUB; Футболка 1990.00 x 2,'
        . ' Fee 300.00 x 1; ', 'all of it');
    B24::Desk::count_is('rejected', 2, 'two are refused');
    is(scalar @{portal()->report(journal => 0)->{deals}}, 1, 'one deal');



=== TEST 12: a double click, another tab, a second order
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;

    $site->refresh(@::cart);
    $site->save(\%::person, $site->accepted('57'));
    # the cart is empty by then
    $site->save(\%::person, { order => { REDIRECT_URL => B24::Bitrix::PAGE } });
    # or the answer comes twice
    $site->save(\%::person, $site->accepted('57'));
    $site->refresh(total => 100, rows => [[400, 7, 'Значок', 1, 100]]);
    $site->save(\%::person, $site->accepted('58'));

    main::deal_is('57', main::usual('57'), 'the first');
    main::deal_is('58', 'Order #58; Иванов Пётр; +79161234567;'
        . ' petr@example.com; 100.00 RUB; Значок 100.00 x 1;'
        . ' Address: 101000, Москва, Тверская, 1', 'the second', rows => 1);
    B24::Desk::count_is('duplicate', 1, 'one is a double');
    B24::Desk::count_is('rejected', 1, 'one is refused');



=== TEST 13: passwords and codes, and a session that changes by the login
--- http_config eval: $::http
--- config eval: $::server . 'b24_journal sync;'
--- scenario
    my $site = B24::Bitrix->new;
    my @secrets = (USER_LOGIN => 'anna', USER_PASSWORD => 'secret-of-anna',
        NEW_PASSWORD => 'secret-of-petr', SMS_CODE => 'code-314159',
        captcha_word => 'word-271828', CARD => '4111111111111111');

    $site->refresh(@::cart, fields => [@secrets]);
    $site->save(\%::person, { order => { SHOW_AUTH => \'true' } },
                fields => [@secrets]);
    $site->save(\%::person, $site->accepted('57'), fields => [@secrets],
        headers => [['Set-Cookie', 'PHPSESSID=newsession1; path=/']]);
    main::deal_is('57', main::usual('57'), 'the buyer was registered');

    $site->{session} = 'newsession1';
    $site->{sessid} = 'fedcba9876543210fedcba9876543210';
    $site->refresh(@::cart);
    $site->save(\%::person, $site->accepted('58'));
    main::deal_is('58', main::usual('58'), 'the next order');

    B24::Bought::nowhere('secret-of-anna', 'secret-of-petr', 'code-314159',
        'word-271828', '4111111111111111', 'YTo4.5f0a', 'b1t2r3i4x5',
        'newsession1', $site->{sessid}, '0123456789abcdef0123456789abcdef');



=== TEST 14: an heir changes single lines
--- http_config eval
$::http . <<'EOC'
    b24_shop mine : bitrix {
        stage  N PREPARATION;

        order save {
            when   request:/todo  =saveOrderAjax;
            phone  request:/ORDER_PROP_35;
            deal   UF_CRM_NUMBER  response:/order/ID;
        }
    }
EOC
--- config eval: B24::Bought::server('mine')
--- scenario
    my $site = B24::Bitrix->new;

    $site->refresh(@::cart, person => 2);
    $site->save({ CONTACT_PERSON => 'Анна', PHONE => '8 495 765-43-21',
                  FAX => '8 916 111-22-33' }, $site->accepted('57'),
                person => 2, variable => 'todo');

    my $deal = B24::Desk::deal('57', rows => 2);
    is($deal->{stage_id}, 'PREPARATION', 'the stage');
    is(join(' ', @{$deal->{contacts}[0]{phones}}), '+79161112233',
       'the phone');



=== TEST 15: the same goods twice in one session
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;

    for my $id (57, 58) {
        $site->refresh(@::cart);
        $site->save(\%::person, $site->accepted($id));
        main::deal_is($id, main::usual($id), "the order $id");
    }

    my $report = portal()->wait_for(deals => 2, stable_ms => 300,
                                    journal => 0);

    is(scalar @{$report->{deals}}, 2, 'two deals');
    B24::Desk::count_is('duplicate', 0, 'none is a double');



=== TEST 16: the old checkout in windows-1251, with a file
--- http_config eval: $::http
--- config eval: $::server . 'b24_journal sync;'
--- scenario
    my $page = B24::Bitrix::PAGE;
    my $site = B24::Bitrix->new(charset => 'windows-1251');
    my $file = join '', map { chr } 0x80 .. 0xff, 0 .. 31, 0x80 .. 0xff;
    my $marked = "MARK-OF-THE-FILE\xce\xf0\xe4\xe5\xf0$file";
    my $boundary = '---------------------------7e14182818284';

    # what is learned is of windows-1251, too
    $site->page(@::cart);

    # as the browser sends it: its bytes are those of the page's charset, and
    # nothing says which
    my @fields = (sessid => $site->{sessid}, PERSON_TYPE => 1,
        confirmorder => 'Y',
        ORDER_PROP_21 => "\xc8\xe2\xe0\xed\xee\xe2 \xcf\xb8\xf2\xf0",
        ORDER_PROP_22 => 'Petr@example.com',
        ORDER_PROP_23 => '+7 (916) 123-45-67', ORDER_PROP_24 => '101000',
        ORDER_PROP_25 => "\xcc\xee\xf1\xea\xe2\xe0",
        ORDER_PROP_27 => "\xd2\xe2\xe5\xf0\xf1\xea\xe0\xff, 1",
        ORDER_DESCRIPTION => "\xef\xee\xe4\xfa\xe5\xe7\xe4 \xb9 2,"
                             . "\r\n\xab\xe7\xe2\xee\xed\xee\xea\xbb \x97 5");
    my $body = '';

    while (my ($name, $value) = splice @fields, 0, 2) {
        $body .= "--$boundary\r\nContent-Disposition: form-data;"
            . " name=\"$name\"\r\n\r\n$value\r\n";

        # among the fields, named as one of them is
        $body .= "--$boundary\r\nContent-Disposition: form-data;"
            . " name=\"ORDER_PROP_40\"; filename=\"\xf4\xe0\xe9\xeb.doc\""
            . "\r\nContent-Type: application/msword\r\n\r\n$marked\r\n"
            . "--$boundary\r\nContent-Disposition: form-data;"
            . " name=\"ORDER_DESCRIPTION\"; filename=\"x.txt\"\r\n"
            . "Content-Type: text/plain\r\n\r\n$marked\r\n"
            if $name eq 'ORDER_PROP_23' || $name eq 'ORDER_DESCRIPTION';
    }

    $site->says($page, '{"success":"Y","redirect":"\/personal\/order\/make\/'
        . '?ORDER_ID=A%252F71"}', type => 'text/html; charset=windows-1251');
    post($page, "$body--$boundary--\r\n", $site->cookies,
         'Content-Type' => "multipart/form-data; boundary=$boundary");

    main::deal_is('A/71', 'Order #A/71; Иванов Пётр; +79161234567;'
        . ' petr@example.com; 4280.00 RUB; Футболка «Лето» 1990.00 x 2,'
        . ' Delivery 300.00 x 1; подъезд № 2, | «звонок» — 5 |'
        . ' Address: 101000, Москва, Тверская, 1', 'name, comment, address');

    # neither as it is nor as some other text
    B24::Bought::nowhere('MARK-OF-THE-FILE', "\xce\xf0\xe4\xe5\xf0\x80",
        Encode::encode('UTF-8', 'Ордер'), '\\u041e\\u0440\\u0434\\u0435',
        'application/msword', "\xf4\xe0\xe9\xeb", 'x.txt');



=== TEST 17: the cart is changed in another window
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my $older = qr/^Note: the cart was changed later: goods and total may/m;
    my $id = 500;

    my $bought = sub {
        $site->save(\%::person, $site->accepted(++$id));

        return B24::Desk::deal($id)->{comments} // '';
    };

    # GET, or POST with fields; what the shop answers
    my $change = sub {
        my ($target, $fields, $answer, %option) = @_;

        $site->says($target, $answer, %option);

        $fields ? post($target, B24::Bitrix::urlencoded('UTF-8', @$fields,
                       sessid => $site->{sessid}), $site->cookies)
                : get($target, $site->cookies);
    };

    my @changes = (
        ['/bitrix/components/bitrix/sale.basket.basket/ajax.php',
         [basketAction => 'recalculateAjax', via_ajax => 'Y'],
         { BASKET_DATA => {} }],
        ['/catalog/cups/?action=ADD2BASKET&id=7&ajax_basket=Y', undef,
         { STATUS => 'OK' }],
        ['/catalog/cups/', [action => 'BUY', id => 7], '', status => 302,
         headers => [['Location', '/personal/cart/']]],
    );

    for (@changes) {
        $site->refresh(@::cart);
        $change->(@$_);
        like($bought->(), $older, "$_->[0]: the deal says so");
    }

    # the checkout is opened again, or asks again
    for my $again (qw(refresh page)) {
        $site->refresh(@::cart);
        $change->(@{$changes[1]});
        $site->$again(@::cart);
        unlike($bought->(), $older, "not after a $again");
    }

    # what changes nothing
    $site->refresh(@::cart);
    $change->($changes[0][0], [basketAction => 'refreshAjax'],
              { BASKET_DATA => {} });
    $change->(@{$changes[0]}, status => 500);
    unlike($bought->(), $older, 'nor when nothing was changed');



=== TEST 18: what PHP writes around the answer
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my $id = 180;

    for my $noise (["Array\n(\n    [0] => 1\n)\n", ''],
                   ["array(1) {\n  [0]=>\n  int(1)\n}\n", ''],
                   ["array(0) {\n}\n", ''],
                   ['<b>Warning</b>: SQLSTATE[HY000] [2002] no<br />', ''],
                   ['<b>Notice</b>: Error at offset [] <br />', ''],
                   ["[]\n", ''], ["[2026-11-30] debug\n", ''],
                   ['', "\n<!-- 0.05 {s} -->"],
                   ['', '<script>var a = {b: [1]};</script>'])
    {
        my ($before, $behind) = @$noise;

        $id++;
        $site->refresh(@::cart);
        $site->save(\%::person, qq($before\{"order":{"ID":"$id"}}$behind));
        main::deal_is($id, main::usual($id), "$before...$behind" =~ s/\n/ /gr);
    }

    # either may be the answer: nothing is refused for that
    $site->refresh(@::cart);
    $site->save(\%::person, '{"debug":1}{"order":{"ID":"199"}}');
    B24::Desk::count_is('unconfirmed', 1, 'two objects');
    B24::Desk::count_is('rejected', 0, 'none is refused');



=== TEST 19: each line that refuses, alone
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my $refused = 0;
    my $refuses = sub {
        my ($what) = @_;
        $refused++;
        ok(wait_until(sub { B24::Desk::count('rejected') == $refused }), $what);
    };

    # all of them with a number
    $site->save(\%::person, { order => { ID => 401, SHOW_AUTH => \'true' } });
    $refuses->('a login');
    $site->save(\%::person, { order => { ID => 402,
        ERROR => { MAIN => 'no' } } });
    $refuses->('an error');
    $site->confirm(\%::person, '{"success":"N","redirect":"\/?ORDER_ID=403"}');
    $refuses->('no success');

    my $click = '/bitrix/components/aspro/oneclickbuy.next/script.php';
    $site->says($click, { result => 'Y', message => 404,
                          ext => { CODE => 'SHOW_SMS_FIELD' } });
    post($click, 'ONE_CLICK_BUY%5BPHONE%5D=89161234567', $site->cookies);
    $refuses->('a code is asked for');

    # a recalculation says so in one of two fields
    for my $pair (['soa-action', 'action'], ['action', 'soa-action']) {
        $site->says(B24::Bitrix::AJAX, $site->accepted('405'));
        post(B24::Bitrix::AJAX, "$pair->[0]=saveOrderAjax"
             . "&$pair->[1]=refreshOrderAjax&ORDER_PROP_23=89161234567",
             $site->cookies);
    }

    main::none($refused);



=== TEST 20: what tells sessions apart, alone
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $site = B24::Bitrix->new;
    my $id = 500;
    my $goods = sub {
        my ($fields, @headers) = @_;

        $id++;
        $site->says(B24::Bitrix::AJAX, { order => $site->result(@::cart),
                                         error => \'false' });
        post(B24::Bitrix::AJAX, "soa-action=refreshOrderAjax$fields", @headers);
        $site->says(B24::Bitrix::AJAX, $site->accepted($id));
        post(B24::Bitrix::AJAX, "soa-action=saveOrderAjax$fields"
             . "&ORDER_PROP_23=%2B79160000$id", @headers);

        return main::rows(B24::Desk::deal($id));
    };
    my $all = 'Футболка «Лето» 1990.00 x 2, Delivery 300.00 x 1';
    my $hex = '0123456789abcdef0123456789abcdef';

    is($goods->("&sessid=$hex"), $all, 'sessid');
    is($goods->('', 'X-Bitrix-Csrf-Token' => $hex), $all, 'its header');
    is($goods->('', Cookie => 'PHPSESSID=abcdef'), $all, 'the cookie');
    is($goods->('', Cookie => "BITRIX_SM_SALE_UID=$hex"), $all, 'SALE_UID');
    is($goods->('', Cookie => 'BITRIX_SM_SALE_UID=17'), '',
       'one that can be guessed');
