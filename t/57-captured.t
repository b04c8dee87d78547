# One order: what was captured of it, from which request; personal data are masked
# unless the location reveals them, and nothing of a path tells who it was.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Client;
use B24::Hands;
use B24::Orders;
use B24::Page;
use JSON::PP ();

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(2);

our $http = B24::Hands::http(webhook => '$TEST_NGINX_PORTAL_URL dry',
    fields => <<'EOC');
name      request:/name;
            comment   "%{request:/note} %{status}";
            currency  RUB;
            deal      UF_CRM_HOST $host;
            contact   UF_CRM_NOTE request:/note;
        }

        session  $cookie_sid;

        collect cart {
            uri       /cart*;
            total     request:/total;
            items     request:/items { name /name; quantity /qty; price /price; }
EOC

our $server = B24::Orders::server(more => <<'EOC');
    b24_deal UF_CRM_PLACE shop;
    proxy_ignore_client_abort on;
    client_header_timeout 3s;           # browsers connect ahead

    location /cart {
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1;
    }

    location = /shown {
        b24_status reveal;
    }

    location /shown/ {
        b24_status reveal;
    }
EOC

our @sid = (Cookie => 'sid=buyer-1', 'Content-Type' => 'application/json');

sub cart {
    return B24::Scenario::post('/cart/anna@example.com/+79160000001/7?phone=89160000001',
        JSON::PP->new->encode({ total => '1990', items => [
            { name => 'Mug', qty => 2, price => '995' }] }), @sid);
}

sub order {
    return B24::Scenario::post('/checkout', JSON::PP->new->encode({ id => 'o-1',
        name => 'Anna Ivanova', phone => '+79160000001',
        email => 'anna@example.com', note => 'Ring twice' }), @sid);
}

# { NAME => "VALUE, PART, BLOCK, REQUEST" } as JSON tells it.
sub captured {
    my ($at) = @_;

    my $answer = B24::Scenario::get("$at?format=json");
    my $order = JSON::PP::decode_json($answer->{body});
    my %of;

    for my $value (@{$order->{captured}}) {
        my $text = join ', ', map { $_ // '-' }
                              @$value{qw(value part block request)};
        utf8::encode($text);
        $of{$value->{name}} = $text;
    }

    return %of;
}

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_) for qw(captured cart order);
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: each value with the request that gave it
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    is(cart()->{status}, 200, 'a cart');
    is(order()->{status}, 200, 'an order');
    is(settled(1, 'accepted')->{state}, 'accepted', 'accepted');

    my $key = record(1)->{key};
    my $order = 'order placed, POST /checkout';
    my $cart = 'collect cart, POST /cart/*/*/7';

    is_deeply({ captured("/shown/orders/$key") }, {
        id => "o-1, request, $order",
        name => "Anna Ivanova, request, $order",
        phone => "+79160000001, request, $order",
        email => "anna\@example.com, request, $order",
        comment => "Ring twice 200, answer, $order",
        currency => "RUB, rule, $order",
        total => "1990.00, request, $cart",
        items => "1, request, $cart",
        'deal.UF_CRM_HOST' => "localhost, variable, $order",
        'deal.UF_CRM_PLACE' => 'shop, configuration, -, -',
        'contact.UF_CRM_NOTE' => "Ring twice, request, $order",
    }, 'revealed');

    my %hidden = captured("/b24/orders/$key");
    like($hidden{phone}, qr/^•••01, request, \Q$order\E$/, 'of a phone its end');
    is($hidden{$_}, "•••, request, $order", "$_ is hidden") for qw(name email);
    is($hidden{comment}, "•••, answer, $order", 'so is a comment');
    like($hidden{'contact.UF_CRM_NOTE'}, qr/^R\S* t\S*, request, /, 'of fields of the CRM the shape');
    is($hidden{total}, "1990.00, request, $cart", 'a total is shown');

    my $json = get("/b24/orders/$key?format=json")->{body};
    unlike($json, qr/Anna|Ivanova|916000000|anna\@|Ring/, 'nobody is named');

    # and for people
    visit("/b24/orders/$key", 'captured',
          qr{What\ was\ captured.*Read\ by\ the\ rules:\ tested/placed
             .*order\ placed\s+POST\ /checkout\s.*name\s+•••\s+from\ the\ request
             .*comment\s+•••\s+from\ the\ answer
             .*currency\s+RUB\s+from\ the\ rules
             .*deal\ UF_CRM_HOST\s+\S+\s+from\ a\ variable
             .*collect\ cart\s+POST\ /cart/\*/\*/7\s.*total\s+1990\.00\s+from\ the\ request
             .*Goods:\ 1\s.*Mug\ ×\ 2,\ 995
             .*From\ the\ configuration\s+deal\ UF_CRM_PLACE}xs,
          qr{Что\ записано.*Прочитан\ по\ правилам:\ tested/placed
             .*order\ placed\s+POST\ /checkout\s.*имя\s+•••\s+из\ запроса
             .*комментарий\s+•••\s+из\ ответа
             .*валюта\s+RUB\s+из\ правил
             .*collect\ cart\s+POST\ /cart/\*/\*/7\s.*сумма\s+1990\.00\s+из\ запроса
             .*Товары:\ 1\s.*Из\ конфигурации\s+сделка\ UF_CRM_PLACE}xs);

    browser()->open(url("/shown/orders/$key"));
    like(text(), qr/name\s+Anna Ivanova\s+from the request/, 'revealed');
    away();



=== TEST 2: an order that the shop has not answered yet, one of before
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    cart();
    lose(2, note => 'x');
    settled(2, 'unconfirmed');

    my %of = captured('/b24/orders/' . record(2)->{key});
    is($of{id}, 'o-2, request, order placed, POST /checkout', 'an unconfirmed one');
    is($of{items} // 'none', 'none', "nobody's cart");

    # a record of a version that did not write it down
    queue_sql(q(UPDATE events SET data = '{"v":1,"origin":"tested",)
              . q("fields":{"id":"o-2","name":"Anna"},"items":[{"name":"Mug"}]}'));
    is_deeply({ captured('/b24/orders/o-2') }, {
        id => 'o-2, -, -, -', name => '•••, -, -, -', items => '1, -, -, -',
    }, 'nothing is said of what is not known');
    browser()->open(url('/b24/orders/o-2'));
    like(text(), qr/What was captured.*name\s+•••.*Goods: 1/s, 'on the page');
    unlike(text(), qr/from the|From the/, 'either');
    away();
