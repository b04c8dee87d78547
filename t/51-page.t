# The page as a browser shows it: every state, both languages, a phone, without
# scripts; what can be done there is done by its buttons.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands;
use B24::Orders;
use B24::Page;
use Digest::SHA ();
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

our $http = B24::Hands::http(retry => 'first=60s max=60s unknown=3s');
our $quick = B24::Hands::http(retry => 'first=1s max=2s unknown=3s');

our $server = B24::Orders::server(more => <<'EOC');
    proxy_ignore_client_abort on;
    client_header_timeout 3s;           # browsers connect ahead

    location /shown {
        b24_status reveal;
    }
EOC

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: nothing yet, then an order that is delivered
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    visit('/b24', 'empty', qr/All is well.*No orders yet/s,
                qr/Всё хорошо.*Заказов пока нет/s);

    place([1, name => 'Ольга <script>alert(1)</script>']);
    is(settled(1)->{state}, 'delivered', 'an order');

    visit('/b24', 'delivered', qr/Latest orders.*o-1.*Deal \d+/s,
                qr/Последние заказы.*o-1.*Сделка \d+/s);

    my $deal = record(1)->{deal_id};
    like(browser()->js(q{document.querySelector('a[href*="/deal/"]').href}),
         qr{^https://127\.0\.0\.1:\d+/crm/deal/details/$deal/$},
         'a link into the CRM');
    is(browser()->js(q{document.querySelectorAll('figure svg').length}), 1,
       'a picture of the last day');
    like(text(), qr/accepted 1, \S+ delivered 1, \S+ wait at most \d/,
         'and its words');

    my $history = B24::Desk::status()->{history};
    is($history->[-1]{origin}, 'tested', 'in JSON, too');
    is(scalar(grep { $_->{time} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ }
                   @$history), 0, 'each with its time');

    # what the browser is to run and to apply is named by its hash
    my $page = get('/b24');
    for (['script', qr{<script>(.*?)</script>}s], ['style', qr{<style>(.*?)</style>}s])
    {
        my ($name, $like) = @$_;
        my ($text) = $page->{body} =~ $like;
        my $hash = Digest::SHA::sha256_base64($text);
        $hash .= '=' while length($hash) % 4;
        like($page->{head}, qr/$name-src 'sha256-\Q$hash\E'; /,
             "$name: sha256-$hash");
    }

    # the order's own page
    browser()->open(url('/b24'));
    browser()->act(q{document.querySelector('a.no').click()});
    sound('an order');
    my $text = text();
    like($text, qr/What happened.*accepted.*delivered.*What was captured/s,
         'its story');
    like($text, qr/Кружка × 2, 795/, 'the goods');
    unlike($text, qr/Ольга|buyer1|7916/, 'nobody is named');

    my $key = record(1)->{key};
    browser()->open(url("/shown/orders/$key"));
    like(text(), qr/Ольга <script>alert\(1\).*buyer1\@example\.com/s,
         'but where it is allowed, as it was typed');
    sound('an order, revealed');
    away();



=== TEST 2: what is parked is retried by its button until it is delivered
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    portal()->fault(B24::Hands::WRONG, times => 0, description => 'Wrong value <b>');
    place(1);
    settled(1, 'parked');
    lose(2);
    settled(2, 'unconfirmed');

    visit('/b24', 'parked', qr/Some need you: 2.*Need you.*o-1/s,
                qr/Ждут вашего решения: 2.*Ждут вас.*o-1/s);

    portal()->clear_faults;

    # what it does is said first, and Escape or another click changes nothing
    my $b = browser();
    my $one = q{document.querySelector('[aria-label="Order o-1"]')};

    is($b->js("$one.querySelector('form').checkVisibility()"), 0,
       'nothing is done by one click');
    $b->js("$one.querySelector('summary').click()");
    is($b->js("$one.querySelector('form').checkVisibility()"), 1, 'asked');
    sound('asked');
    $b->act("$one.querySelector('form button').click()");
    is(settled(1)->{state}, 'delivered', 'delivered');
    ok($b->until_js(q{document.body.innerText.match(/delivered/)}),
       'the page tells by itself');
    delivered_once(1);
    sound('retried');

    # without scripts
    $b->scripts(0);
    $b->open(url('/b24'));
    $b->js(q{document.querySelector('[aria-label="Order o-2"] summary').click()});
    sound('without scripts');
    $b->act(q{document.querySelector('[aria-label="Order o-2"] form button').click()});
    is(settled(2)->{state}, 'delivered', 'sent');
    $b->scripts(1);
    delivered_once(1, 2);
    away();



=== TEST 3: the page keeps up, but not while something is confirmed
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    my $b = browser();

    $b->language('en');
    portal()->fault(B24::Hands::WRONG, times => 0, description => 'Wrong value <b>');
    place(1);
    settled(1, 'parked');
    $b->open(url('/b24'));
    $b->js(q{document.querySelectorAll('summary')[1].click()});
    $b->asked;

    place(2);
    settled(2, 'parked');
    $b->js('new Promise(function (go) { setTimeout(go, 6000) })');
    is(join(' ', $b->asked), '', 'nothing is asked for');
    unlike(text(), qr/o-2/, 'and nothing moves');

    $b->js(q{document.querySelectorAll('summary')[1].click();
             document.querySelector('summary').focus(); 1});
    $b->tab;
    ok($b->until_js(q{document.body.innerText.match(/o-2/)}), 'then it does');
    is($b->js(q{document.activeElement.tagName}), 'SUMMARY',
       'who has got so far by the keyboard stays there');
    like($b->js(q{getComputedStyle(document.activeElement).outlineStyle}),
         qr/^(?:solid|auto)$/, 'and sees where');
    away();



=== TEST 4: an order is found by its number
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1, 'A 7/"<i>');
    settled(1);
    settled('A 7/"<i>');

    my $find = sub {
        my ($number) = @_;
        my $b = browser();
        $b->open(url('/b24'));
        $b->js('document.getElementById("q").value = '
               . JSON::PP->new->allow_nonref->encode($number));
        $b->act('document.querySelector("[role=search] button").click()');
        return text();
    };

    browser()->language('en');
    like($find->('o-1'), qr/Order o-1.*What happened/s, 'found');
    like($find->('  o-1 '), qr/Order o-1.*What happened/s, 'pasted with blanks');
    like($find->(record(1)->{key}), qr/Order o-1/, 'by the name of its record');
    is(browser()->js('document.getElementById("q").value'),
       record(1)->{key}, 'what was looked for stays there');
    sound('found');
    like($find->('A 7/"<i>'), qr/Order A 7\/"<i>/, 'a strange number');
    like($find->('none'), qr/there is no such order/, 'no such order');
    is(join("\n", grep { !/404/ } browser()->complaints), '',
       'the browser says so, too');
    visit('/b24?order=', 'nothing to look for', qr/Latest/, qr/Последние/);

    # of two shops
    my $client = B24::Client->new(port => $ENV{TEST_NGINX_PORT_2});
    $client->send(B24::Client::request_bytes('POST', '/checkout',
        B24::Orders::order_json(1), 'Content-Type' => 'application/json'));
    $client->response;
    ok(wait_until(sub { B24::Desk::count('delivered') == 3 }), 'another shop');

    my $both = $find->('o-1');
    like($both, qr/Several orders.*other.*tested|Several orders.*tested.*other/s,
         'both are shown');
    browser()->complaints;
    sound('several');
    is(get('/b24?order=o-1&format=json')->{status}, 409, 'JSON');
    is(get('/b24?order=o-1&origin=other')->{status}, 200, 'of one shop');
    away();



=== TEST 5: Bitrix24 refuses, and says why
--- http_config eval: $::quick
--- config eval: $::server
--- scenario
    portal()->config(webhook => { state => 'INVALID_CREDENTIALS' });
    place(1 .. 3);
    ok(wait_until(sub { portal_state()->{state} eq 'blocked' }), 'blocked');

    visit('/b24', 'blocked',
        qr/do not reach.*only you can change.*3 orders wait, none is lost.*put a new one in b24_webhook/s,
        qr/не доходят.*только вы.*Ждут 3 заказа, ни один не потерян.*впишите новый в b24_webhook/s);

    portal()->config(webhook => { state => 'ok' });
    is(act('/b24/check')->{status}, 202, 'mended');
    delivered_once(1 .. 3);
    ok(browser()->until_js(q{document.querySelector('.now.ok')}),
       'the page tells by itself');
    away();



=== TEST 6: Bitrix24 is asked too often, and asks for a pause
--- http_config eval: $::quick
--- config eval: $::server
--- scenario
    portal()->fault(kind => 'error', status => 503, times => 0,
        when => 'before', error => 'QUERY_LIMIT_EXCEEDED',
        description => 'Too many requests');
    place(1);
    ok(wait_until(sub { portal_state()->{state} eq 'retrying' }), 'too often');
    visit('/b24', 'retrying', qr/do not reach.*retrying.*tried again.*fewer requests/s,
                qr/не доходят.*сбой.*попытки повторяются.*слать запросы реже/s);

    portal()->clear_faults;
    is(act('/b24/resume')->{status}, 202, 'the pause is over');
    is(settled(1)->{state}, 'delivered', 'it goes on');

    # the time that the portal gives a method is spent
    portal()->config(operating => { enabled => \1, limit => 1, window => 600,
                                    cost => { 'crm.contact.add' => 1.5 } });
    place(2);
    is(settled(2)->{state}, 'delivered', 'the order that spends it');
    place(3);
    ok(wait_until(sub { portal_state()->{state} eq 'throttled' }), 'a pause');
    visit('/b24', 'throttled', qr/late\..*throttled.*asked for a pause.*Nothing to do/s,
                qr/с задержкой.*просит паузу.*Ничего/s);
    away();



=== TEST 7: a person has paused deliveries, and many wait
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    is(act('/b24/pause')->{status}, 202, 'paused');
    place(1 .. 60);
    ok(wait_until(sub { B24::Desk::count('accepted') == 60 }), 'many wait');
    visit('/b24', 'many wait', qr/Deliveries to the CRM are paused.*60 orders wait, none is lost/s,
                qr/приостановлена человеком.*Ждут 60 заказов, ни один не потерян/s);
    visit('/b24?state=accepted', 'a state', qr/Orders in the state/,
                qr/Заказы в состоянии/);

    browser()->open(url('/b24'));
    browser()->act(
        q{document.querySelector('form[action*="resume?origin=tested"] button').click()});
    delivered_once(1 .. 60);
    sound('all delivered');
    away();
