# The sample shop, through a real nginx and PHP-FPM: everything the module's
# tests rely on.  B24_SHOP_DSN (with B24_SHOP_DB_USER and B24_SHOP_DB_PASSWORD)
# names an empty MySQL database to run it all on that in place of SQLite.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use B24::Shop;
use Cwd qw(abs_path);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Mojo::IOLoop;
use Mojo::JSON;
use Mojo::Promise;
use Mojo::UserAgent;
use Mojo::Util qw(encode gunzip);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $ROOT = abs_path("$FindBin::Bin/..");
my $DIR = "$ROOT/build/t/91-shop";
my $NGINX = $ENV{TEST_NGINX_BINARY} // '/usr/sbin/nginx';
my $NUMBER = qr/^\d{4}-\d{6}$/;
my $NAME = 'Пётр «Ёж» O\'Нил & <сын>';

remove_tree($DIR);
make_path($DIR);

my %database = map { lc =~ s/^b24_shop_//r => $ENV{$_} }
               grep { defined $ENV{$_} }
               qw(B24_SHOP_DSN B24_SHOP_DB_USER B24_SHOP_DB_PASSWORD);

my $shop = B24::Shop->start("$DIR/shop", test => 1, %database);
my ($port, $outside, $nginx) = start_nginx($shop);
my $base = "http://127.0.0.1:$port";

my @wanted = ({ id => '1', sku => 'TEA-IVAN-50',
                name => 'Иван-чай «Утро & вечер», 50 г', price => '149.90',
                qty => '2', vat => '22', measure => '796' },
              { id => '2', sku => 'CHEESE-KG',
                name => 'Сыр «Российский», весовой', price => '890.00',
                qty => '0.5', vat => '10', measure => '166' });


subtest 'first use by several processes at once' => sub {
    ok(-S $shop->socket, 'the socket is there');
    ok(!-e ($shop->db // ''), 'no database yet');

    my @tx = together(map { { path => '/admin/orders?format=json' } } 1 .. 9);

    is(scalar(grep { $_->res->code == 200 } @tx), 9, 'all answered');
    is_deeply($tx[8]->res->json, { orders => [] }, 'no orders yet');

    my ($child) = split ' ', slurp("/proc/${\ $shop->pid}/task/"
                                   . $shop->pid . '/children');
    my $user = getpwuid((stat "/proc/$child")[4]);

    # a checkout below a closed folder (/root) leaves root nobody else
    my @path = split m{/}, $DIR;
    my $closed = grep { !((stat join '/', @path[0 .. $_])[2] & 01) }
                      1 .. $#path;

    is($user, $> ? scalar getpwuid $> : $closed ? 'root' : 'www-data',
       'PHP runs as an ordinary user');
};


subtest 'order numbers under concurrency' => sub {
    # the first round makes the year's counter too
    for my $round (0, 1) {
        my @tx = together(map { { path => '/api/checkout',
                                  json => { order_data() } } } 1 .. 12);
        my @numbers = sort map { $_->res->json('/order/id') // 'none' } @tx;
        my $year = substr $numbers[0], 0, 4;

        is_deeply(\@numbers, [map { sprintf '%s-%06d', $year,
                                     12 * $round + $_ } 1 .. 12],
                  'no gaps, no doubles');
    }
};


subtest 'catalogue and product' => sub {
    my $ua = browser();
    my $res = $ua->get("$base/")->res;

    is($res->code, 200, 'catalogue');
    is($res->headers->content_type, 'text/html; charset=utf-8', 'UTF-8');
    like($res->text, qr/Сыр «Российский», весовой/, 'Cyrillic name');
    like($res->text, qr/Кофе «Д&apos;Артаньян», 250 г/, 'apostrophe');
    like($res->text, qr/Утро &amp; вечер/, 'ampersand escaped');
    like($res->text, qr/Футболка &quot;Лето&quot; &lt;XL&gt;/, 'markup too');
    like($res->text, qr/149,90\x{a0}₽/, 'price in kopecks');
    like($res->headers->set_cookie, qr/^PHPSESSID=[^;]+;.*HttpOnly/i,
         'a session cookie');

    $res = $ua->get("$base/product?id=2")->res;
    is($res->dom->at('h1')->text, 'Сыр «Российский», весовой', 'product');
    is($res->dom->at('input[name=qty]')->attr('step'), '0.1',
       'sold by parts of a kilogram');
    is($res->headers->set_cookie, undef, 'the cookie is set once');

    is($ua->get("$base$_")->res->code, 404, $_)
        for '/product?id=99', '/product?id=01', '/product?id[]=1',
            '/product', '/nowhere';

    $res = $ua->get("$base/admin/status")->res;
    is($res->code, 405, 'wrong method');
    is($res->headers->allow, 'POST', 'with Allow');
    is($ua->head("$base/")->res->code, 200, 'HEAD');
};


subtest 'cart' => sub {
    my $ua = browser();
    my $csrf = csrf($ua);
    my $change = sub {
        return $ua->post("$base/cart", form => { csrf => $csrf, @_ })->res;
    };

    my $res = $change->(action => 'add', product => 1, qty => 1);
    is($res->code, 303, 'add');
    is($res->headers->location, '/cart', 'and go to the cart');
    $change->(action => 'add', product => 1, qty => 1);
    $change->(action => 'add', product => 2, qty => '0,5');
    is(cart($ua), '1=2 2=0.5', 'added up; a decimal comma is understood');
    like($ua->get("$base/cart")->res->text, qr/744,80\x{a0}₽/, 'sum');

    $change->(action => 'set', product => 2, qty => '1.3');
    is(cart($ua), '1=2 2=1.3', 'quantity changed');

    for my $qty ('', 'x', '0', '-1', '0.05', '1e1', '1000000') {
        is($change->(action => 'set', product => 2, qty => $qty)->code, 200,
           "quantity '$qty' is refused");
    }

    is($change->(action => 'set', product => 1, qty => '0.5')->code, 200,
       'pieces are whole');
    is($change->(action => 'add', product => 77, qty => 1)->code, 200,
       'unknown product');
    is(cart($ua), '1=2 2=1.3', 'nothing of it changed the cart');

    $csrf = 'f' x 32;
    is($change->(action => 'remove', product => 1)->code, 403, 'wrong token');
    is(cart($ua), '1=2 2=1.3', 'changed nothing');

    $csrf = csrf($ua);
    $change->(action => 'remove', product => 1);
    is(cart($ua), '2=1.3', 'removed');

    $change->(action => 'set', product => 6, qty => '0.25');
    like($ua->get("$base/checkout")->res->text, qr/8,33\x{a0}₽/,
         '0.25 × 33.33 is rounded to the kopeck');
    is(cart(browser()), '', 'another buyer has another cart');
};


subtest 'checkout by form' => sub {
    my ($ua, $form) = filled_cart();

    is($form->{'items[0][id]'}, '1', 'id');
    is($form->{'items[0][sku]'}, 'TEA-IVAN-50', 'sku');
    is($form->{'items[0][name]'}, 'Иван-чай «Утро & вечер», 50 г', 'name');
    is($form->{'items[0][price]'}, '149.90', 'price');
    is($form->{'items[1][qty]'}, '0.5', 'quantity');
    is($form->{'items[1][vat]'}, '10', 'VAT');
    is($form->{delivery_price}, '350.00', 'delivery');
    is($form->{total}, '1094.80', 'total');

    my $res = submit($ua, $form);
    is($res->code, 302, 'accepted');

    my $number = number_of($res);
    like($number, $NUMBER, "number $number");
    is($res->headers->location, "/thanks?order=$number", 'Location');

    my $thanks = $ua->get("$base/thanks?order=$number")->res;
    is($thanks->dom->at('#order-number')->text, $number, 'thank-you page');
    is($ua->get("$base/cart")->res->dom->find('table')->size, 0,
       'the cart is empty');
    is(browser()->get("$base/thanks?order=$number")->res->code, 404,
       'a stranger does not see it');

    my $order = order($number);
    my %got = map { $_ => $order->{$_} } qw(name phone email company inn kpp
        comment delivery delivery_price total currency status);

    is_deeply(\%got, {
        name => $NAME, phone => '+7 (916) 123-45-67',
        email => 'petr@example.com', company => 'ООО «Ромашка & Ко»',
        inn => '7707083893', kpp => '770701001',
        comment => "домофон \"12\"; & 'двор'", delivery => 'courier',
        delivery_price => '350.00', total => '1094.80', currency => 'RUB',
        status => 'N' }, 'as it was sent');
    is(join(' ', map { "$_->{sku}:$_->{qty}:$_->{sum}" } @{$order->{items}}),
       'TEA-IVAN-50:2.000:299.80 CHEESE-KG:0.500:445.00', 'lines');

    my $list = browser()->get("$base/orders")->res;
    like($list->text, qr/\Q$number\E/, 'in the list of orders');
    like($list->text, qr/O&apos;Нил &amp; &lt;сын&gt;/, 'escaped');
    unlike($list->text, qr/<сын>/, 'no markup from buyers');
};


subtest 'checkout by multipart form with a file' => sub {
    my ($ua, $form) = filled_cart();
    my $res = $ua->post("$base/checkout", form => {
        %$form,
        file => { content => 'INN 7707083893', filename => 'реквизиты.txt' },
    })->res;

    is($res->code, 302, 'accepted');

    my $number = number_of($res);
    is(order($number)->{file_name}, 'реквизиты.txt', 'name of the file');
    is(slurp($shop->dir . "/files/$number"), 'INN 7707083893', 'kept');

    ($ua, $form) = filled_cart();
    $res = $ua->post("$base/checkout", form => {
        %$form, file => { content => 'x' x (3 << 20), filename => 'big.pdf' },
    })->res;
    is($res->code, 200, 'a file of 3 MB is refused');
    like(errors($res), qr/Файл не принят/, 'and the page says why');
};


subtest 'rejected forms' => sub {
    my $before = count();

    for my $case (
        [{ name => ' ' }, qr/Укажите имя/],
        [{ name => undef }, qr/Укажите имя/],
        [{ phone => '' }, qr/Укажите телефон/],
        [{ phone => '12345' }, qr/10–15 цифр/],
        [{ email => '' }, qr/Укажите электронную почту/],
        [{ email => 'petr@' }, qr/Проверьте адрес/],
        [{ inn => '123' }, qr/ИНН/],
        [{ kpp => '12' }, qr/КПП/],
        [{ name => 'x' x 101 }, qr/не больше 100/],
        [{ comment => "a\0b" }, qr/проверьте текст/],
        [{ comment => 'x' x 1001 }, qr/не больше 1000/],
        [{ delivery => 'teleport' }, qr/способ доставки/],
        [{ delivery_price => '0.00' }, qr/Стоимость доставки/],
        [{ total => '1.00' }, qr/Сумма заказа изменилась/],
        [{ total => '1094,80' }, qr/Сумма заказа изменилась/],
        [{ 'items[0][price]' => '1.49' }, qr/Цены или товары изменились/],
        [{ 'items[0][name]' => 'Самовар' }, qr/Цены или товары/],
        [{ 'items[0][vat]' => '0' }, qr/Цены или товары/],
        [{ 'items[0][id]' => '99' }, qr/Цены или товары/],
        [{ 'items[1][qty]' => '0.55' }, qr/Цены или товары/],
        [{ 'items[0][qty]' => '1', total => '944.90' },
         qr/Корзина изменилась/],
        [{ token => 'short' }, qr/Нет ключа заказа/],
    ) {
        my ($change, $why) = @$case;
        my ($ua, $form) = filled_cart();
        my %sent = (%$form, %$change);

        delete $sent{$_} for grep { !defined $sent{$_} } keys %sent;

        my $res = submit($ua, \%sent);
        my $what = join ' ', map { substr($_, 0, 20) } %{ $case->[2]
                   // { map { $_ => $change->{$_} // 'missing' }
                        keys %$change } };

        $what =~ s/[\0\s]+/ /g;
        is($res->code, 200, "$what: the page again");
        like(errors($res), $why, "$what: says why");
        is(cart($ua), '1=2 2=0.5', "$what: the cart is kept");
    }

    my ($ua, $form) = filled_cart();
    my $res = submit($ua, { %$form, phone => '' });
    my $again = $res->dom->at('form#checkout');

    is($again->at('#name')->val, $NAME, 'what was typed is kept, escaped');
    is($again->at('[name=token]')->val, $form->{token}, 'the token too');

    # names as bytes: a buyer's broken charset
    $res = $ua->post("$base/checkout",
        { 'Content-Type' => 'application/x-www-form-urlencoded' },
        'csrf=' . csrf($ua) . '&name=%FF%FE&token=abcdefgh1')->res;
    is($res->code, 200, 'invalid UTF-8 is refused');
    like(errors($res), qr/Имя: проверьте текст/, 'and told');

    is(submit($ua, { %$form, csrf => 'no' })->code, 403, 'foreign form');
    is(submit(browser(), $form)->code, 403, 'without a session');
    is(count(), $before, 'no order came of all that');

    is(submit($ua, $form)->code, 302, 'corrected: accepted');
    is(count(), $before + 1, 'one order');
};


subtest 'empty cart' => sub {
    my $before = count();
    my $ua = browser();

    my $res = submit($ua, { csrf => csrf($ua), token => token(),
                            buyer(), delivery => 'pickup',
                            delivery_price => '0.00', total => '0.00' });
    is($res->code, 200, 'form: the page again');
    like(errors($res), qr/Корзина пуста/, 'form: says why');

    for my $items ([], undef) {
        $res = json({ order_data(), items => $items });
        is($res->code, 409, 'JSON: 409');
        is($res->json->{order}, undef, 'JSON: no order');
        like($res->json->{error}{items}, qr/Корзина пуста/, 'JSON: why');
    }

    is(count(), $before, 'no order');
};


subtest 'checkout by JSON' => sub {
    my $res = json({ order_data() });

    is($res->code, 201, 'accepted');
    is($res->headers->content_type, 'application/json', 'as JSON');
    is($res->headers->set_cookie, undef, 'needs no session');

    my $number = $res->json('/order/id');
    like($number, $NUMBER, "number $number");
    is_deeply($res->json, { order => { id => $number, total => '1094.80',
                                       status => 'N' }, error => undef },
              'the whole answer');
    is(order($number)->{name}, $NAME, 'buyer');

    my %data = order_data();
    my @items = map { { %$_, id => 0 + $_->{id}, qty => 0 + $_->{qty},
                        price => 0 + $_->{price}, vat => 0 + $_->{vat} } }
                @wanted;

    $res = json({ %data, total => 1094.8, delivery_price => 350,
                  phone => 79161234567, items => \@items });
    is($res->code, 201, 'numbers in place of strings');
    is($res->json('/order/total'), '1094.80', 'the same total');

    my $before = count();

    for my $case ([{ phone => '' }, 'phone'], [{ name => undef }, 'name'],
                  [{ email => 'x' }, 'email'], [{ email => ['x'] }, 'email'],
                  [{ total => '1' }, 'total'], [{ total => {} }, 'total'],
                  [{ items => 'x' }, 'items'], [{ items => [1] }, 'items'],
                  [{ items => [@wanted, $wanted[0]] }, 'items'],
                  [{ items => [{ id => 1, qty => 1 }] }, 'items'],
                  [{ delivery => ['x'] }, 'delivery'],
                  [{ token => undef }, 'token'])
    {
        my ($change, $field) = @$case;
        my $answer = json({ order_data(), %$change });

        is($answer->code, 422, "bad $field: 422");
        is($answer->json->{order}, undef, "bad $field: no order");
        ok($answer->json->{error}{$field}, "bad $field: told");
    }

    for my $body ('', '{', '"x"', '[' x 1000, "\xff\xfe", 'null') {
        is(json_raw($body)->code, 400, 'broken: 400');
    }

    is(browser()->post("$base/api/checkout", form => { x => 1 })->res->code,
       415, 'a form is 415');
    is(count(), $before, 'no order came of all that');
};


subtest 'JSON inside a session' => sub {
    my ($ua) = filled_cart();
    my $cart = $ua->get("$base/api/cart")->res->json;

    is_deeply($cart->{items}, \@wanted, 'cart as JSON');
    is($cart->{goods}, '744.80', 'its sum');

    my $res = $ua->post("$base/api/checkout",
                        json => { order_data(), token => $cart->{token} })->res;
    is($res->code, 201, 'accepted');
    is(cart($ua), '', 'the cart is empty');
    is($ua->get("$base/thanks?order=" . $res->json('/order/id'))->res->code,
       200, 'thank-you page');
};


subtest 'double submit' => sub {
    my ($ua, $form) = filled_cart();
    my $before = count();
    my $first = submit($ua, $form);
    my $second = submit($ua, $form);

    is($second->code, 302, 'form, one after the other: accepted');
    is($second->headers->location, $first->headers->location, 'same order');

    my %data = order_data();
    is_deeply(json(\%data)->json, json(\%data)->json, 'JSON: same answer');
    is(count(), $before + 2, 'an order each');

    # all of them have seen that there is no such order before one saves it
    ($ua, $form) = filled_cart();
    my @tx = held_together('form', map { { ua => $ua, path => '/checkout',
        form => $form } } 1 .. 3);

    is_deeply([map { $_->res->code } @tx], [302, 302, 302],
              'form, all at once');
    is(uniq(map { $_->res->headers->location } @tx), 1, 'same order');

    %data = order_data();
    @tx = held_together('json', map { { path => '/api/checkout',
        json => \%data } } 1 .. 3);
    is_deeply([map { $_->res->code } @tx], [201, 201, 201],
              'JSON, all at once');
    is(uniq(map { $_->res->body } @tx), 1, 'same answer');
    is(count(), $before + 4, 'an order each');
};


subtest 'statuses' => sub {
    my $number = json({ order_data() })->json('/order/id');
    my $set = sub {
        return browser()->post("$base/admin/status", @_)->res;
    };

    my $res = $set->(form => { order_id => $number, status => 'P' });
    is($res->code, 200, 'changed by form');
    is_deeply($res->json, { ok => Mojo::JSON::true(), error => undef,
                            order => { id => $number, status => 'P' } },
              'the answer');

    $set->(form => { order_id => $number, status => 'P' });
    $res = $set->(json => { order_id => $number, status => $_ })
        for qw(A D F C);
    is($res->json('/order/status'), 'C', 'by JSON');

    my $order = order($number);
    is($order->{status}, 'C', 'kept');
    is(join('', map { $_->{status} } @{ $order->{history} }), 'NPADFC',
       'history: the repeated one left no row');

    is($set->(form => { order_id => $number, status => 'Z' })->code, 422,
       'unknown status');
    $res = $set->(form => { order_id => '2000-000001', status => 'P' });
    is($res->code, 404, 'unknown order');
    is($res->json('/ok'), Mojo::JSON::false(), 'is not ok');
    is($set->({ 'Sec-Fetch-Site' => 'cross-site' },
              form => { order_id => $number, status => 'N' })->code, 403,
       'not from another site');
    is(order($number)->{status}, 'C', 'nothing changed');

    my $dom = browser()->get("$base/admin/orders")->res->dom;
    is($dom->at('.order option[selected]')->val, 'C', 'admin page');

    for my $path ('/admin/orders', '/orders') {
        is(browser()->get("http://127.0.0.1:$outside$path")->res->code, 403,
           "$path is not for other machines");
    }

    $res = browser()->post("http://127.0.0.1:$outside/admin/status",
                           form => { order_id => $number, status => 'N' });
    is($res->res->code, 403, 'nor is the change of a status');
};


subtest 'answers compressed by PHP' => sub {
    my $raw = sub {
        my ($path, $encoding) = @_;
        my $ua = browser();

        $ua->transactor->compressed(0);
        my $tx = $ua->build_tx(GET => "$base$path");
        $tx->req->headers->accept_encoding($encoding) if $encoding;
        $tx->res->content->auto_decompress(0);
        return $ua->start($tx)->res;
    };

    my $res = $raw->('/?gzip=1', 'gzip, deflate');
    is($res->headers->content_encoding, 'gzip', 'gzip on request');
    like(gunzip($res->body), qr/\Q${\ encode 'UTF-8', 'Российский'}/,
         'and it is the page');
    is($raw->('/?gzip=1', undef)->headers->content_encoding, undef,
       'not for a client that cannot');
    is($raw->('/', 'gzip')->headers->content_encoding, undef, 'off by default');

    is(browser()->post("$base/api/checkout?gzip=1",
                       json => { order_data() })->res->code, 201,
       'a compressed JSON answer reads the same');
};


subtest 'faults on request' => sub {
    for my $case (['answer=500', 500], ['answer=empty', 200],
                  ['answer=kill', 502])
    {
        my ($fault, $code) = @$case;
        my $before = count();
        my %data = order_data();
        my $res = json(\%data, { 'X-Shop-Test' => $fault });

        is($res->code, $code, "$fault: status");
        unlike($res->body, qr/\d{4}-\d{6}/, "$fault: no number told");
        is(count(), $before + 1, "$fault: the order is saved");

        $res = json(\%data);
        is($res->code, 201, "$fault: sent again");
        is(count(), $before + 1, "$fault: still one order");
    }

    my ($ua, $form) = filled_cart();
    $ua->post("$base/checkout?shop_test=answer=kill",
              form => $form);
    is(cart($ua), '1=2 2=0.5', 'died before the cart was emptied');

    my $res = submit($ua, $form);
    is($res->code, 302, 'the same form again');
    is($ua->get($base . $res->headers->location)->res->code, 200,
       'leads to the order');
    is(cart($ua), '', 'and empties the cart');

    # a checkout that takes long doesn't hold up the buyer's other requests
    ($ua, $form) = filled_cart();
    my $code;
    my $slow = $ua->post_p("$base/checkout",
                           { 'X-Shop-Test' => 'hold_after=slow' },
                           form => $form)
               ->then(sub { $code = shift->res->code });

    held_then('slow', 1, sub {
        is($ua->get("$base/cart")->res->code, 200,
           'the session is not locked meanwhile');
        is($code, undef, 'really meanwhile');
    });
    $slow->wait;
    is($code, 302, 'then the checkout is answered');
};


subtest 'a session made for a test' => sub {
    my $made = $shop->session(1 => 2, 2 => '0.5');
    my %data = order_data();
    my %form = map { $_ => $data{$_} } grep { $_ ne 'items' } keys %data;

    for my $i (0 .. $#wanted) {
        $form{"items[$i][$_]"} = $wanted[$i]{$_} for keys %{ $wanted[$i] };
    }

    my $res = browser()->post("$base/checkout",
        { Cookie => $made->{cookie} },
        form => { %form, csrf => $made->{csrf} })->res;

    is($res->code, 302, 'checkout by form in one request');
    is(order(number_of($res))->{total}, '1094.80', 'is an order');
};


subtest 'the rules name what the checkout sends' => sub {
    my $rules = slurp($shop->rules);
    my ($ua, $form) = filled_cart();

    for my $block (split /^    order /m, $rules) {
        next unless $block =~ /^(form|json) \{/;

        my ($kind, %seen) = ($1);

        $seen{$_}++ for $block =~ m{request:/(\w+)}g;
        delete $seen{items};
        ok(keys %seen > 8, "$kind: has rules");
        is_deeply([grep { !exists $form->{$_} } sort keys %seen], [],
                  "$kind: fields are in the page");

        my ($items) = $block =~ /items\s+\S+ \{(.*?)\}/s;
        is_deeply([grep { !exists $form->{"items[0][$_]"} }
                   $items =~ m{\s/(\w+);}g], [],
                  "$kind: members of a line are too");
    }

    is(join(' ', $rules =~ /^    stage\s+(\S+ \S+);/mg),
       'N NEW P PREPARATION A EXECUTING D FINAL_INVOICE F WON C LOSE',
       'stages');
};


subtest 'buy.pl' => sub {
    for my $mode ([], ['--json']) {
        my $pid = open my $out, '-|', $^X, "$ROOT/t/shop/buy.pl",
                  '--url', $base, '--n', 2, @$mode;
        my @numbers = <$out>;

        close $out;
        chomp @numbers;
        is($?, 0, "buys (@$mode)");
        is(scalar(@numbers), 2, 'two orders');
        is(order($_)->{total}, '1094.80', "order $_") for @numbers;
    }

    my $nobody = 'http://127.0.0.1:' . free_port();
    my $told = `$^X $ROOT/t/shop/buy.pl --url $nobody 2>&1`;

    isnt($?, 0, 'fails where there is no shop');
    like($told, qr/^GET \Q$nobody\E.*refused/, 'and says so');
};


subtest 'stop, start again, without the switches' => sub {
    my $count = count();
    my $pid = $shop->pid;

    eval { B24::Shop->start($shop->dir) };
    like($@, qr/running in .* already/, 'one shop per folder');

    $shop->stop;
    ok(!kill(0, $pid), 'the process is gone');
    ok(!-e $shop->socket, 'the socket is gone');
    is(browser()->get("$base/")->res->code, 502, 'nginx has no shop');

    $shop = B24::Shop->start("$DIR/shop", gzip => 1, %database);
    is(count(), $count, 'the orders are still there');

    my $res = browser()->get("$base/")->res;
    is($res->headers->content_encoding // 'decoded', 'decoded', 'page');
    like($res->text, qr/Российский/, 'compressed by switch');

    is(json({ order_data() }, { 'X-Shop-Test' => 'answer=500' })->code, 201,
       'no faults without SHOP_TEST');
    is(count(), $count + 1, 'an ordinary order');

    ok(!B24::Shop->stop_in("$DIR/nothing"), 'nothing to stop');
    ok(B24::Shop->stop_in("$DIR/shop"), 'stopped by its pid file');
};


subtest 'PHP has nothing to complain about' => sub {
    for my $file ("$DIR/shop/fpm.log", "$DIR/shop/fpm.out") {
        my @bad = grep { /PHP |Uncaught|Exception|ERROR|ALERT/ }
                  split /\n/, slurp($file);

        is_deeply(\@bad, [], $file =~ s{.*/}{}r);
    }
};


done_testing();


END {
    local $?;

    if ($nginx) {
        kill QUIT => $nginx;
        waitpid $nginx, 0;
    }
}


# nginx with two servers: the shop, and the shop as another machine sees it.
sub start_nginx {
    my $shop = shift;

    for (1 .. 5) {
        my ($near, $far) = map { free_port() } 1, 2;
        my $location = $shop->location;
        my $strange = $location =~ s/REMOTE_ADDR \S+;/REMOTE_ADDR 192.0.2.7;/r;

        write_file("$DIR/nginx.conf", <<"CONF");
daemon off;
master_process off;
pid $DIR/nginx.pid;
error_log $DIR/error.log info;
events {}
http {
    access_log off;
    client_max_body_size 16m;
    client_body_temp_path $DIR/client_body;
    proxy_temp_path $DIR/proxy;
    fastcgi_temp_path $DIR/fastcgi;
    uwsgi_temp_path $DIR/uwsgi;
    scgi_temp_path $DIR/scgi;

    server {
        listen 127.0.0.1:$near;
        $location
    }

    server {
        listen 127.0.0.1:$far;
        $strange
    }
}
CONF

        my $pid = fork // die "fork: $!";

        if ($pid == 0) {
            exec $NGINX, '-c', "$DIR/nginx.conf", '-e', "$DIR/error.log"
                or POSIX::_exit(127);
        }

        my $until = time + 20;

        while (time < $until && waitpid($pid, POSIX::WNOHANG()) == 0) {
            return ($near, $far, $pid)
                if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$near");
            sleep 0.02;
        }

        kill KILL => $pid;
    }

    die "nginx doesn't start, see $DIR/error.log\n";
}


sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "no free port: $!";

    return $socket->sockport;
}


sub browser {
    return Mojo::UserAgent->new(request_timeout => 60,
                                inactivity_timeout => 60);
}


# Sends requests at the same time; gives their transactions in order.
sub together {
    my @requests = @_;
    my (@tx, @promises);

    for my $i (0 .. $#requests) {
        my $one = $requests[$i];
        my $ua = $one->{ua} // browser();
        my @body = map { exists $one->{$_} ? ($_ => $one->{$_}) : () }
                   qw(form json);
        my $tx = $ua->build_tx(@body ? 'POST' : 'GET', "$base$one->{path}",
                               $one->{headers} // {}, @body);

        # $ua lives as long as its promise
        push @promises, $ua->start_p($tx)->then(sub { $tx[$i] = shift; $ua });
    }

    Mojo::Promise->all(@promises)->wait;
    return @tx;
}


# The same with every request held at the point where it would save the
# order, until all have got there: every PHP process has one.
sub held_together {
    my ($name, @requests) = @_;

    $_->{headers} = { 'X-Shop-Test' => "hold_before=$name" } for @requests;

    my $all = held_then($name, scalar @requests);
    my @tx = together(@requests);

    ok($$all, "$name: all were there before the first was saved");
    return @tx;
}


# Once COUNT requests are held, or after 30 seconds: calls WHAT and lets them
# go on.  Gives a reference to a flag that says whether so many came.
sub held_then {
    my ($name, $count, $what) = @_;
    my $came = 0;
    my $until = time + 30;
    my $timer;

    $timer = Mojo::IOLoop->recurring(0.01 => sub {
        $came = $shop->held($name) >= $count;
        return unless $came || time > $until;

        Mojo::IOLoop->remove($timer);
        $what->() if $what;
        $shop->release($name);
    });

    return \$came;
}


sub csrf {
    my $ua = shift;

    return $ua->get("$base/")->res->dom->at('input[name=csrf]')->val;
}


# The cart as "id=quantity …".
sub cart {
    my $ua = shift;
    my $cart = $ua->get("$base/api/cart")->res->json;

    return join ' ', map { "$_->{id}=$_->{qty}" } @{ $cart->{items} };
}


sub token {
    return sprintf 'test-%d-%d', $$, ++our $tokens;
}


sub buyer {
    return (name => $NAME, phone => '+7 (916) 123-45-67',
            email => 'petr@example.com', company => 'ООО «Ромашка & Ко»',
            inn => '7707083893', kpp => '770701001', address => 'Тула, д. 1',
            comment => "домофон \"12\"; & 'двор'");
}


sub order_data {
    return (buyer(), token => token(), items => \@wanted,
            delivery => 'courier', delivery_price => '350.00',
            total => '1094.80');
}


# A browser with two articles in the cart, and its checkout form filled in.
sub filled_cart {
    my $ua = browser();
    my $csrf = csrf($ua);

    for my $item (@wanted) {
        $ua->post("$base/cart", form => { csrf => $csrf, action => 'add',
            product => $item->{id}, qty => $item->{qty} });
    }

    my $form = $ua->get("$base/checkout")->res->dom->at('form#checkout');
    my %fields = map { ($_->attr('name') => $_->val // '') }
                 $form->find('input[type=hidden]')->each;

    return ($ua, { %fields, buyer() });
}


sub submit {
    my ($ua, $form) = @_;

    return $ua->post("$base/checkout", form => $form)->res;
}


sub json {
    my ($data, $headers) = @_;

    return browser()->post("$base/api/checkout", $headers // {},
                           json => $data)->res;
}


sub json_raw {
    my $body = shift;

    return browser()->post("$base/api/checkout",
                           { 'Content-Type' => 'application/json' },
                           $body)->res;
}


sub errors {
    my $res = shift;

    return join "\n", $res->dom->find('#errors li')->map('text')->each;
}


sub number_of {
    my $res = shift;

    my ($number) = ($res->headers->location // '') =~ /order=(.+)/;
    return $number // '';
}


sub orders {
    my $limit = shift;
    my $res = browser()->get("$base/admin/orders?format=json&limit=$limit");

    return $res->res->json('/orders');
}


sub order {
    my $number = shift;

    my ($order) = grep { $_->{number} eq $number } @{ orders(10000) };
    return $order // {};
}


sub count {
    return scalar @{ orders(10000) };
}


sub uniq {
    my %seen = map { $_ // 'undef' => 1 } @_;

    return scalar keys %seen;
}


sub slurp {
    my $path = shift;

    open my $in, '<', $path or die "can't read $path: $!\n";
    local $/;
    return scalar <$in>;
}


sub write_file {
    my ($path, $text) = @_;

    open my $out, '>', $path or die "can't write $path: $!\n";
    print $out $text;
    close $out or die "can't write $path: $!\n";
    return;
}
