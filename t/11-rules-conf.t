# The rules of a shop as nginx reads them: every form it takes, every wrong line
# with the sentence that refuses it, heirs, and files of any length.

use strict;
use warnings;

use lib 't/lib';

# what nginx has to say is in its log before it has started or refused to
BEGIN { $ENV{TEST_NGINX_SLEEP} //= 0.005 }

use B24::Test portal => 1;
use Test::Nginx::Socket;
use B24::Conf qw(planned);

no_shuffle();
no_long_string();
no_root_location();
master_on();

# What may stand before a line of a shop, as long as wanted.
our %filler = (
    blanks => sub { ' ' x ($_[0] - 1) . "\n" },
    comment => sub {
        my ($size) = @_;
        my $line = "# order save off; { \"'} \\\n";
        my $text = $line x ($size / length($line) - 1);

        return $text . '#' x ($size - 1 - length $text) . "\n";
    },
    stages => sub {
        my ($size) = @_;
        my $text = '';

        for (my $n = 0; length $text < $size - 80; $n++) {
            $text .= "stage \"$n; \\\" {\" 'NEW'; # {;\n";
        }

        return $text . '#' x ($size - 1 - length $text) . "\n";
    },
    variables => sub {
        my ($size) = @_;
        my $text = '';

        for (my $n = 0; length $text < $size - 80; $n++) {
            $text .= "stage \${cookie_$n}b\$cookie_c NEW;\n";
        }

        return $text . '#' x ($size - 1 - length $text) . "\n";
    },
);

plan tests => planned(blocks());

run_tests();

__DATA__

=== TEST 1: a shop with nothing
--- http
b24_shop s {
}
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 2: a name with all its signs, the longest name
--- http eval
"b24_shop s-1.x_Y {\n}\nb24_shop " . 'x' x 64 . " {\n}\n"
. "b24_shop y : s-1.x_Y {\n}\nb24_shop \"s\" {\n}"
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 3: sessions
--- shop
session $cookie_PHPSESSID;
session request:/sid query:/sid;
session ${cookie_a}b$http_x;
session header:X-Session ~^(.+)$;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 4: stages and the default status
--- shop
stage N NEW;
stage "paid; in full" PREPARATION;
stage '{"a"}' UC_1-2;
stage x}x WON;
default_status "\"N\"";
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 5: blocks without names
--- shop
order { id response:/id; }
order { id response:/id; }
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 6: as many blocks as there can be
--- shop eval
CORE::join '', map { "order a$_ { id response:/id; }\n" } 1 .. 64
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 7: every form of the address
--- order
id response:/id;
uri /exact /prefix* / /* ~ ^/checkout/ ~^/c ~* ^/D ~*^/d "~^/d{2}" /e;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 8: methods
--- order
id response:/id;
method POST PUT PATCH M;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 9: every source
--- order
id response:/id;
name request:/name query:/name response:/name inline:BX.Sale.OrderAjaxComponent.init/result/NAME header:X-Name status $http_x_name text:nobody;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 10: the number
--- order
id response:/order/ID  header:Location ~ORDER_ID=([^&]+) response: ~\"id\":(\d+) ~\d+$ inline:x query:/id "%{request:/a}-%{response:/b}" "A-$http_x-%{response:/b/[ID=3]/x}";
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 11: every pointer
--- order
id response:/id;
name request:/a/[last]/b;
phone request:/a/[K=V]/b;
email request:/a~1b/c~0d "request:/a b" request:/;
address request://a query:/%5B "request:/[a~1b=c~0d]/e";
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 12: texts
--- order
id response:/id;
name text:$literal;
phone text:~x;
email text:/x "a:/ b";
address https://x/y;
comment "100% sure" %;
first_name 'a;b{c}';
last_name "a\"b" a$b24_order;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 13: every field
--- order
row response:/row;
id response:/id;
name request:/n;
first_name request:/f;
second_name request:/s;
last_name request:/l;
phone request:/p;
email request:/e;
company request:/c;
inn request:/i;
kpp request:/k;
address request:/a;
comment request:/c;
total request:/t;
currency response:/c "~([A-Z]{3})" $arg_c EUR;
delivery request:/d;
discount request:/d;
tax request:/t;
minor_units 2;
status request:/s;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 14: every field of items
--- items
name "%{/title} (%{/size})" /title;
price /price;
sum /sum;
quantity /qty;
product_id /id @key;
xml_id /sku;
discount /d;
tax_rate /vat;
tax_included /vat_incl Y;
measure 796;
when /type !=part;
when "";
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 15: every source of items
--- shop
order a { id response:/id; items request: query:/items $arg_items inline:cart/items { name /n; } }
order b { id response:/id; items response: "~~<tr>(?<name>.*?)</tr>" request:/cart { name /name; } }
order c { id response:/id; items response: ~<table>(.*)</table> "~~<tr>(?<n>.)" { name ""; } }
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 16: every condition
--- order
id response:/id;
when request:;
when query:/a =b;
when request:/a !;
when request:/a request:/b !~^x$;
when $cookie_a !=x;
accept status "~^(200|30[23])$";
accept response:/error !;
accept header:Location response: ~*ORDER;
accept response:/ok "=a b";
accept response:/ok !~*no;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 17: fields of the CRM
--- order
id response:/id;
deal UF_CRM_GA $cookie__ga;
deal TITLE x;
contact SOURCE_ID WEB;
company_field INDUSTRY IT;
deal A1_ "%{request:/a}; %{response:/b}";
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 18: comments, quotes and line ends everywhere
--- shop
# order x off; {
"order" 'save' # { a comment;
  # } another
{#x
  "id"
    response:/id # "
  ;
  phone request:/a#b;# '
}
#
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 19: a shop, two words
--- http
b24_shop a b { # @
}
--- refused
"b24_shop" needs a name and at most a base: "b24_shop NAME { ... }" or "b24_shop NAME : BASE { ... }"



=== TEST 20: a shop, a base without a name
--- http
b24_shop a : { # @
}
--- refused
"b24_shop" needs a name and at most a base: "b24_shop NAME { ... }" or "b24_shop NAME : BASE { ... }"



=== TEST 21: a shop, a base after another sign
--- http
b24_shop a - b { # @
}
--- refused
"b24_shop" needs a name and at most a base: "b24_shop NAME { ... }" or "b24_shop NAME : BASE { ... }"



=== TEST 22: a shop, more than a base
--- http
b24_shop a : b c { # @
}
--- refused
"b24_shop" needs a name and at most a base: "b24_shop NAME { ... }" or "b24_shop NAME : BASE { ... }"



=== TEST 23: a shop without a name
--- http
b24_shop { # @
}
--- refused
invalid number of arguments in "b24_shop" directive



=== TEST 24: a shop without a block
--- http
b24_shop a;
--- refused
directive "b24_shop" has no opening "{"



=== TEST 25: a shop with a blank in its name
--- http
b24_shop "a b" { # @
}
--- refused
"b24_shop" has a bad name "a b": use at most 64 letters, digits, "_", "-" and "."



=== TEST 26: a shop with an empty name
--- http
b24_shop "" { # @
}
--- refused
"b24_shop" has a bad name "": use at most 64 letters, digits, "_", "-" and "."



=== TEST 27: a shop with a name too long
--- http eval
'b24_shop ' . 'x' x 65 . " { # \@\n}"
--- refused eval
'"b24_shop" has a bad name "' . 'x' x 65 . '": use at most 64'
. ' letters, digits, "_", "-" and "."'



=== TEST 28: a shop twice
--- http
b24_shop a {
}
b24_shop a { # @
}
--- refused
"b24_shop a" is defined twice: give one of the two another name



=== TEST 29: a shop with an unknown base
--- http
b24_shop a : b { # @
}
b24_shop b {
}
--- refused
"b24_shop a" has an unknown base "b": define or include it above this line



=== TEST 30: a shop that is its own base
--- http
b24_shop a : a { # @
}
--- refused
"b24_shop a" has an unknown base "a": define or include it above this line



=== TEST 31: a shop in a server
--- server
b24_shop a { # @
}
--- refused
"b24_shop" directive is not allowed here



=== TEST 32: a shop that does not end
--- http
b24_shop a {
    session $cookie_a;
--- refused_anywhere
unexpected end of file, expecting "}" in PATH/http.conf:3



=== TEST 33: a field outside of blocks
--- shop
phone request:/p;
--- refused
"phone" directive is not allowed here



=== TEST 34: an unknown line of a shop
--- shop
sessions $cookie_a;
--- refused
unknown directive "sessions"



=== TEST 35: a directive of another kind in a shop
--- shop
proxy_pass http://127.0.0.1;
--- refused
"proxy_pass" directive is not allowed here



=== TEST 36: an include in a shop
--- shop
include a.conf;
--- refused
"include" directive is not allowed here



=== TEST 37: a line of rules outside of shops
--- http
session $cookie_a;
--- refused
"session" directive is not allowed here



=== TEST 38: a block of rules outside of shops
--- http
order save { # @
}
--- refused
"order" directive is not allowed here



=== TEST 39: a session without a value
--- shop
session;
--- refused
"session" needs a value, such as request:/NAME, response:/NAME or a text



=== TEST 40: a session that is the same for all
--- shop
session abc;
--- refused
"session" would be the same for all buyers: give what tells them apart, such as $cookie_PHPSESSID



=== TEST 41: a session that may be the same for all
--- shop
session $cookie_a none;
--- refused
"session" would be the same for all buyers: give what tells them apart, such as $cookie_PHPSESSID



=== TEST 42: a session with an unknown variable
--- shop
session $no_such_variable;
--- refused
"session" has the variable "$no_such_variable", which nothing defines: correct its name



=== TEST 43: a stage alone
--- shop
stage N;
--- refused
"stage" needs a status of the shop and a stage of the deal, such as "stage N NEW"



=== TEST 44: a stage and more
--- shop
stage N NEW P;
--- refused
"stage" needs a status of the shop and a stage of the deal, such as "stage N NEW"



=== TEST 45: a stage for nothing
--- shop
stage "" NEW;
--- refused
"stage" needs a status of the shop and a stage of the deal, such as "stage N NEW"



=== TEST 46: a stage that is empty
--- shop
stage N "";
--- refused
"stage" needs a status of the shop and a stage of the deal, such as "stage N NEW"



=== TEST 47: a stage with a blank
--- shop
stage N "NEW DEAL";
--- refused
"stage" has a bad deal stage "NEW DEAL": give its STATUS_ID, such as PREPARATION



=== TEST 48: a stage with a pipeline's prefix
--- shop
stage P C1:PREPARATION;
--- refused
"stage" has a bad deal stage "C1:PREPARATION": leave the pipeline's prefix out, "b24_category" gives it



=== TEST 49: a stage too long
--- shop
stage P ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJA;
--- refused
"stage" has a bad deal stage "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJA": a STATUS_ID has at most 40 characters



=== TEST 50: a stage twice
--- shop
stage N NEW;
stage N WON;
--- refused
"stage N" is given twice: leave one of the two out



=== TEST 51: a stage with a block
--- shop
stage N { # @
}
--- refused
directive "stage" is not terminated by ";"



=== TEST 52: no default status
--- shop
default_status;
--- refused
"default_status" needs one status, such as "default_status N"



=== TEST 53: two default statuses
--- shop
default_status N P;
--- refused
"default_status" needs one status, such as "default_status N"



=== TEST 54: an empty default status
--- shop
default_status "";
--- refused
"default_status" needs one status, such as "default_status N"



=== TEST 55: the default status twice
--- shop
default_status N;
default_status P;
--- refused
"default_status" is given twice: leave one of the two out



=== TEST 56: a block without a block
--- shop
order save;
--- refused
"order" needs a block "{ ... }", or "off" to drop one of the base



=== TEST 57: a block without a name and a block
--- shop
order;
--- refused
"order" needs a block "{ ... }", or "off" to drop one of the base



=== TEST 58: a block off with more words
--- shop
order a b off;
--- refused
"order" needs a block "{ ... }", or "off" to drop one of the base



=== TEST 59: a block off without a base
--- shop
order save off;
--- refused
"order ... off" drops a block of a base, and this shop has none: leave the line out



=== TEST 60: a collect off without a base
--- shop
collect cart off;
--- refused
"collect ... off" drops a block of a base, and this shop has none: leave the line out



=== TEST 61: a database without a block
--- shop
database;
--- refused
"database" needs a block "{ ... }"



=== TEST 62: a write without a block
--- shop
write;
--- refused
"write" needs a block "{ ... }", or "off" to drop those of the base



=== TEST 63: an heir drops what the base has not
--- http
b24_shop base {
    order save { uri /a; id response:/id; }
    order other { uri /b; id response:/id; }
}
b24_shop s : base {
    order nope off;
}
--- refused
"order nope off": the base "base" has no such block, leave the line out



=== TEST 64: an heir drops a block without a name
--- http
b24_shop base {
    order save { uri /a; id response:/id; }
    order other { uri /b; id response:/id; }
}
b24_shop s : base {
    order off;
}
--- refused
"order off": the base "base" has no such block, leave the line out



=== TEST 65: an heir drops a block of another kind
--- http
b24_shop base {
    order save { uri /a; id response:/id; }
    order other { uri /b; id response:/id; }
}
b24_shop s : base {
    status save off;
}
--- refused
"status save off": the base "base" has no such block, leave the line out



=== TEST 66: an heir drops a block twice
--- http
b24_shop base {
    order save { uri /a; id response:/id; }
    order other { uri /b; id response:/id; }
}
b24_shop s : base {
    order save off;
    order save off; # @
}
--- refused
"order save" is given twice in this shop: give one of the two another name



=== TEST 67: an heir drops a block and makes it
--- http
b24_shop base {
    order save { uri /a; id response:/id; }
    order other { uri /b; id response:/id; }
}
b24_shop s : base {
    order save off;
    order save { # @
    }
}
--- refused
"order save" is given twice in this shop: give one of the two another name



=== TEST 68: an heir with too many blocks
--- http eval
my $blocks = sub { CORE::join '', map { "order $_[0]$_ { id response:/id; }\n" }
                               1 .. $_[1] };
"b24_shop base {\n" . $blocks->('a', 60) . "}\n"
. "b24_shop s : base {\n" . $blocks->('b', 5) . '}'
--- refused
"b24_shop s" has too many blocks with those of its base: a shop takes at most 64



=== TEST 69: an unknown block
--- shop
orders save { # @
}
--- refused
unknown directive "orders"



=== TEST 70: a block with two names
--- shop
order a b { # @
}
--- refused
"order" takes one name at most before "{"



=== TEST 71: a block with a bad name
--- shop
order a/b { # @
}
--- refused
"order" has a bad name "a/b": use at most 64 letters, digits, "_", "-" and "."



=== TEST 72: a block named off
--- shop
order off { # @
}
--- refused
"order off" is no name for a block: to drop one of the base, end the line with ";"



=== TEST 73: a block twice
--- shop
order a { id response:/id; }
order a { # @
}
--- refused
"order a" is given twice in this shop: give one of the two another name



=== TEST 74: too many blocks
--- shop eval
CORE::join '', map { "order a$_ { id response:/id; }\n" } 1 .. 65
--- refused
"order" is one block too many: a shop takes at most 64



=== TEST 75: an order without a number
--- shop
order a { uri /x; }
} # @
b24_shop t {
--- refused
"order a" has no "id": say where the shop shows the order's number, such as "id response:/order/ID"



=== TEST 76: a nameless order without a number
--- shop
order { uri /x; }
} # @
b24_shop t {
--- refused
"order" has no "id": say where the shop shows the order's number, such as "id response:/order/ID"



=== TEST 77: an order in an order
--- order
order b { # @
}
--- refused
"order" directive is not allowed here



=== TEST 78: items outside of blocks
--- shop
items request:/i { # @
}
--- refused
"items" directive is not allowed here



=== TEST 79: a closing brace too many
--- shop
}
} # @
b24_shop t {
--- refused
unexpected "}"



=== TEST 80: collect for nobody
--- shop
collect { phone request:/p; }
} # @
b24_shop t {
--- refused
"collect" collects for the buyer's order, and no "session" line says whose it is: add one, such as "session $cookie_PHPSESSID"



=== TEST 81: a status of nobody
--- shop
status { status request:/s; }
} # @
b24_shop t {
--- refused
"status" has no "id" and no "row": say where the number or the key of the order is, such as "id request:/order_id"



=== TEST 82: a statement that writes where one reads
--- shop
database {
    order "DELETE FROM orders WHERE id = :row"; # @
}
--- refused
"order" of "database" must begin with SELECT or WITH: it only reads



=== TEST 83: a write that calls nothing
--- shop
write w {
}
} # @
b24_shop t {
--- refused
"write w" has no "url": say what is called, such as url "%{site}/api/orders/%{id}"



=== TEST 84: learn without a value
--- order
learn x;
--- refused
"learn x" needs a value, such as request:/NAME, response:/NAME or a text



=== TEST 85: numbers of our own for nobody
--- shop
order { id generated; }
} # @
b24_shop t {
--- refused
"order" has "id generated", and no "session" line says whose it is: add one, such as "session $cookie_PHPSESSID"



=== TEST 86: numbers of our own are taken as they are
--- order
id response:/id generated ~^(.);
--- refused
"id generated" stands in an order block, without a filter



=== TEST 87: the database has no place in a condition
--- order
accept database:TOTAL;
--- refused
"accept" can't take "database:": the database is read once the order is accepted, for the fields of an "order" block; rows of "items database:" have /COLUMN



=== TEST 88: an unknown field
--- order
phon request:/p;
--- refused
unknown directive "phon"



=== TEST 89: a field of items in an order
--- order
price request:/p;
--- refused
"price" directive is not allowed here



=== TEST 90: a line of a write block in an order
--- order
url /x;
--- refused
"url" directive is not allowed here



=== TEST 91: a field twice
--- order
phone request:/p;
phone request:/q;
--- refused
"phone" is given twice in this block: put all alternatives on one line



=== TEST 92: a field with a block
--- order
phone request:/p { # @
}
--- refused
directive "phone" is not terminated by ";"



=== TEST 93: the address, none
--- order
uri;
--- refused
"uri" needs a path, a prefix ending in "*", or "~ REGEX"



=== TEST 94: the address without a slash
--- order
uri checkout;
--- refused
"uri" needs a path, a prefix ending in "*", or "~ REGEX"



=== TEST 95: the address as a regex without "~"
--- order
uri ^/checkout;
--- refused
"uri" needs a path, a prefix ending in "*", or "~ REGEX"



=== TEST 96: the address with a star inside
--- order
uri /a/*/b;
--- refused
"uri /a/*/b": a "*" may stand at the end only; use "~ REGEX"



=== TEST 97: the address with arguments
--- order
uri /?wc-ajax=checkout;
--- refused
"uri /?wc-ajax=checkout": the path alone is looked at; check arguments with "when query:/NAME =VALUE"



=== TEST 98: the address with a fragment
--- order
uri /a#b;
--- refused
"uri /a#b": the path alone is looked at; check arguments with "when query:/NAME =VALUE"



=== TEST 99: the address twice
--- order
uri /a;
uri /b;
--- refused
"uri" is given twice in this block: put all alternatives on one line



=== TEST 100: the address, a broken regex
--- order
uri ~ (;
--- refused
"uri" has a bad regex "(": missing closing parenthesis at offset 1



=== TEST 101: the address, a broken regex in one piece
--- order
uri /a ~*(;
--- refused
"uri" has a bad regex "(": missing closing parenthesis at offset 1



=== TEST 102: the address, an empty regex
--- order
uri ~;
--- refused
"uri" has an empty regex: write "~REGEX" in one piece



=== TEST 103: the address, an empty regex that ignores case
--- order
uri /a ~*;
--- refused
"uri" has an empty regex: write "~REGEX" in one piece



=== TEST 104: the method, none
--- order
method;
--- refused
"method" needs one or more methods, such as POST



=== TEST 105: the method in lower case
--- order
method POST put;
--- refused
"method" has a bad name "put": give capital letters, such as POST



=== TEST 106: the method twice
--- order
method POST;
method PUT;
--- refused
"method" is given twice in this block: put all methods on one line



=== TEST 107: items without a block
--- order
items request:/i;
--- refused
directive "items" has no opening "{"



=== TEST 108: a value, none
--- order
phone;
--- refused
"phone" needs a value, such as request:/NAME, response:/NAME or a text



=== TEST 109: a value, empty
--- order
phone "";
--- refused
"phone" has an empty alternative "": leave it out



=== TEST 110: a value, an empty alternative
--- order
phone request:/a "";
--- refused
"phone" has an empty alternative "": leave it out



=== TEST 111: a value, too many alternatives
--- order eval
'phone' . ' request:/a' x 33 . ';'
--- refused
"phone" has too many alternatives: at most 32 are possible



=== TEST 112: a filter without a value
--- order
phone ~x;
--- refused
"phone" begins with the filter "~x": put the value it filters before it



=== TEST 113: a filter that is empty
--- order
phone request:/a ~;
--- refused
"phone" has an empty regex: write "~REGEX" in one piece



=== TEST 114: a filter that is broken
--- order
phone request:/a ~[a;
--- refused
"phone" has a bad regex "[a": missing terminating ] for character class at offset 2



=== TEST 115: a filter with too many groups
--- order eval
'phone request:/a "~' . '(a)' x 64 . '";'
--- refused eval
'"phone" has a bad regex "' . '(a)' x 26 . '(a": more than 63 groups'



=== TEST 116: a filter that makes rows
--- order
phone request:/a "~~(?<x>.)";
--- refused
"phone": "~~REGEX" makes rows and works in "items" only; a filter has one "~"



=== TEST 117: a source of the request without a slash
--- order
phone request:phone;
--- refused
"phone": "request:phone" needs a "/" after the colon, such as request:/phone



=== TEST 118: a source of the arguments without a slash
--- order
phone query:phone;
--- refused
"phone": "query:phone" needs a "/" after the colon, such as query:/order



=== TEST 119: a source of the answer without a slash
--- order
id response:id;
--- refused
"id": "response:id" needs a "/" after the colon, such as response:/order/ID



=== TEST 120: all of the request
--- order
phone request:;
--- refused
"phone" can't take the whole request: name a field of it, such as request:/phone



=== TEST 121: all of the request in a text
--- order
phone "x %{request:}";
--- refused
"phone" can't take the whole request: name a field of it, such as request:/phone



=== TEST 122: all of the request from nginx
--- order
phone $request_body;
--- refused
"phone" can't take the whole request from $request_body: name a field of it, such as request:/phone



=== TEST 123: all of the request from a file of nginx
--- order
phone "a${request_body_file}";
--- refused
"phone" can't take the whole request from $request_body_file: name a field of it, such as request:/phone



=== TEST 124: a source with a typo
--- order
phone reqest:/phone;
--- refused
"phone" has an unknown source "reqest:/phone": sources are request:, query:, response:, inline:, header: and database:; for a text write text:reqest:/phone



=== TEST 125: a literal of a page without a name
--- order
id inline:/cart;
--- refused
"id": "inline:/cart" needs the name of a JavaScript variable or function, such as inline:prestashop/cart



=== TEST 126: a header without a name
--- order
id header:;
--- refused
"id": "header:" needs the name of a response header, such as header:Location



=== TEST 127: a header with a blank in its name
--- order
id "header:Lo cation";
--- refused
"id": "header:Lo cation" needs the name of a response header, such as header:Location



=== TEST 128: a column without a name
--- order
id database:;
--- refused
"id": "database:" needs a column, such as database:TOTAL



=== TEST 129: a text without a text
--- order
phone text:;
--- refused
"phone": "text:" needs a text after the colon



=== TEST 130: a pointer of rows outside of items
--- order
phone /phone;
--- refused
"phone": "/phone" works inside "items { ... }" only; write request:/phone or text:/phone



=== TEST 131: a key of rows outside of items
--- order
phone @key;
--- refused
"phone": "@key" works inside "items { ... }" only; for the text write text:@key



=== TEST 132: a source in a text that does not end
--- order
phone "%{request:/a";
--- refused
"phone" has a "%{" without its "}" in "%{request:/a"



=== TEST 133: a source in a text that is none
--- order
phone "a %{b}";
--- refused
"phone": "%{b}" names no source, write %{request:/NAME} or the like



=== TEST 134: a source in a text that is a text
--- order
phone "a %{text:b}";
--- refused
"phone": "%{text:b}" names no source, write %{request:/NAME} or the like



=== TEST 135: a condition in place of a value
--- order
phone request:/a !;
--- refused
"phone" gives a value, "!" is a condition for "when" and "accept": leave it out, or write text:!



=== TEST 136: a comparison in place of a value
--- order
phone =5;
--- refused
"phone" gives a value, "=5" is a condition for "when" and "accept": leave it out, or write text:=5



=== TEST 137: a fixed number
--- order
id 15;
--- refused
"id" has a fixed text, so that all orders would be one: give where the shop shows the number, such as response:/order/ID



=== TEST 138: a fixed number after others
--- order
id response:/id text:0;
--- refused
"id" has a fixed text, so that all orders would be one: give where the shop shows the number, such as response:/order/ID



=== TEST 139: a currency that is none
--- order
currency RUBLE;
--- refused
"currency" has a bad code "RUBLE": give three letters, such as RUB



=== TEST 140: a currency with a digit
--- order
currency response:/c R1B;
--- refused
"currency" has a bad code "R1B": give three letters, such as RUB



=== TEST 141: an unknown variable in a rule
--- order
id response:/id;
phone "$arg_a $no_such_variable"; # @
name "$no_such_variable";
--- refused
"phone" has the variable "$no_such_variable", which nothing defines: correct its name



=== TEST 142: a variable without a name in a rule
--- order
id response:/id;
phone "$arg_a ${a"; # @
name request:/n;
--- refused
the closing bracket in "a" variable is missing



=== TEST 143: what was never learned
--- shop
order { id response:/id; phone "request:/PROP_%{phone}"; }
} # @
b24_shop t {
--- refused
"phone" uses %{phone}, which no "learn" line of this shop gives: add "learn phone VALUE" to a collect block



=== TEST 144: what was never learned, in a step
--- shop
order { id response:/id; phone "request:/p/[ID=%{phone}]/V"; }
} # @
b24_shop t {
--- refused
"phone" uses %{phone}, which no "learn" line of this shop gives: add "learn phone VALUE" to a collect block



=== TEST 145: a pointer with a wild tilde
--- order
phone "request:/a~2";
--- refused
"phone" has a bad pointer "request:/a~2": "~" in a pointer must be written "~0" (and "/" in a step "~1")



=== TEST 146: a pointer that ends in a tilde
--- order
phone "request:/a~";
--- refused
"phone" has a bad pointer "request:/a~": "~" in a pointer must be written "~0" (and "/" in a step "~1")



=== TEST 147: a pointer with an open bracket
--- order
phone "query:/[a";
--- refused
"phone" has a bad pointer "query:/[a": a step that begins with "[" must end with "]" ("/" inside of it is written "~1")



=== TEST 148: a pointer with a word in brackets
--- order
phone "query:/[a]";
--- refused
"phone" has a bad pointer "query:/[a]": a step in brackets must be [last], [*], [NUMBER], [@NUMBER], [NAME*] or [KEY=VALUE]



=== TEST 149: a pointer with an empty key
--- order
phone "response:/[=a]";
--- refused
"phone" has a bad pointer "response:/[=a]": a step in brackets must be [last], [*], [NUMBER], [@NUMBER], [NAME*] or [KEY=VALUE]



=== TEST 150: a pointer with an open name
--- order
phone "request:/%{a";
--- refused
"phone" has a bad pointer "request:/%{a": "%{" without "}" in a pointer



=== TEST 151: a pointer with a bad name
--- order
phone "request:/%{a-b}";
--- refused
"phone" has a bad pointer "request:/%{a-b}": "%{NAME}" in a pointer needs a name of letters, digits and "_"



=== TEST 152: a pointer without a name
--- order
phone "request:/%{}";
--- refused
"phone" has a bad pointer "request:/%{}": "%{NAME}" in a pointer needs a name of letters, digits and "_"



=== TEST 153: a pointer with two names
--- order
phone "request:/%{a}%{b}";
--- refused
"phone" has a bad pointer "request:/%{a}%{b}": more than one "%{NAME}" in a step of a pointer



=== TEST 154: a condition, none
--- order
when;
--- refused
"when" needs a value, such as request:/NAME, response:/NAME or a text



=== TEST 155: a condition without a value
--- order
when !;
--- refused
"when" needs a value before the condition "!"



=== TEST 156: a condition not at the end
--- order
accept response:/a ! response:/b;
--- refused
"accept": the condition "!" must be the last on its line



=== TEST 157: a comparison not at the end
--- order
accept response:/a =x !;
--- refused
"accept": the condition "=x" must be the last on its line



=== TEST 158: a regex that must not match, not at the end
--- order
accept response:/a !~x response:/b;
--- refused
"accept": the condition "!~x" must be the last on its line



=== TEST 159: a comparison with nothing
--- order
accept response:/a =;
--- refused
"accept": "=" needs a text after the "="; that a value is empty is written "!"



=== TEST 160: a difference to nothing
--- order
accept response:/a !=;
--- refused
"accept": "!=" needs a text after the "="; that a value is empty is written "!"



=== TEST 161: a broken regex that must not match
--- order
accept response:/a !~(;
--- refused
"accept" has a bad regex "(": missing closing parenthesis at offset 1



=== TEST 162: a condition that always holds
--- order
accept status 200;
--- refused
"accept" has a fixed text among its values: to compare, write =TEXT at the end of the line



=== TEST 163: the status in a "when"
--- order
when status =200;
--- refused
"when" looks at the request, and this line needs the answer: use "accept"



=== TEST 164: a header of the answer in a "when"
--- order
when "%{request:/a}%{header:X}";
--- refused
"when" looks at the request, and this line needs the answer: use "accept"



=== TEST 165: a variable of the answer in a "when"
--- order
when ${upstream_status}x =200x;
--- refused
"when" looks at the request, and this line needs the answer: use "accept"



=== TEST 166: a field of the deal without a name
--- order
deal;
--- refused
"deal" needs the name of a CRM field in capital letters, digits and "_", such as UF_CRM_CITY



=== TEST 167: a field of the deal in lower case
--- order
deal uf_crm_a x;
--- refused
"deal" needs the name of a CRM field in capital letters, digits and "_", such as UF_CRM_CITY



=== TEST 168: a field of the contact with a dash
--- order
contact UF-A x;
--- refused
"contact" needs the name of a CRM field in capital letters, digits and "_", such as UF_CRM_CITY



=== TEST 169: a field of the company with brackets
--- order
company_field "A[B]" x;
--- refused
"company_field" needs the name of a CRM field in capital letters, digits and "_", such as UF_CRM_CITY



=== TEST 170: a field that begins with a digit
--- order
deal 1A x;
--- refused
"deal" needs the name of a CRM field in capital letters, digits and "_", such as UF_CRM_CITY



=== TEST 171: a field of the deal without a value
--- order
deal TITLE;
--- refused
"deal TITLE" needs a value, such as request:/NAME, response:/NAME or a text



=== TEST 172: a field of the deal twice
--- order
deal TITLE a;
deal TITLE b;
--- refused
"deal TITLE" is given twice in this block: put all alternatives on one line



=== TEST 173: a field that is ours: deal ID
--- order
deal ID x;
--- refused
"deal ID" is set by the module, which knows its records by it: leave the line out



=== TEST 174: a field that is ours: deal ORIGIN_ID
--- order
deal ORIGIN_ID x;
--- refused
"deal ORIGIN_ID" is set by the module, which knows its records by it: leave the line out



=== TEST 175: a field that is ours: contact ORIGINATOR_ID
--- order
contact ORIGINATOR_ID x;
--- refused
"contact ORIGINATOR_ID" is set by the module, which knows its records by it: leave the line out



=== TEST 176: items from nothing
--- order
items { # @
}
--- refused
"items" needs a value, such as request:/NAME, response:/NAME or a text



=== TEST 177: items from a text
--- order
items abc { # @
}
--- refused
"items" can't take its rows from "abc": give a source, such as request:/items



=== TEST 178: items from a mixture
--- order
items "%{request:/a}x" { # @
}
--- refused
"items" can't take its rows from "%{request:/a}x": give a source, such as request:/items



=== TEST 179: items from nameless groups
--- order
items response: "~~<b>([^<]+)" { # @
}
--- refused
"items": "~~REGEX" needs named groups, such as (?<name>[^<]+)



=== TEST 180: items, a filter after rows
--- order
items response: "~~(?<a>.)" ~b { # @
}
--- refused
"items": nothing can follow "~~REGEX" but another alternative



=== TEST 181: items twice
--- order
items request:/a { name /n; }
items request:/b { # @
}
--- refused
"items" is given twice in this block: put all alternatives on one line



=== TEST 182: items that take nothing
--- items
} # @
items request:/j { name /n;
--- refused
"items" takes nothing from its rows: add lines such as "name /title"



=== TEST 183: a field of the order in items
--- items
phone /p;
--- refused
"phone" directive is not allowed here



=== TEST 184: an unknown field of items
--- items
prices /p;
--- refused
unknown directive "prices"



=== TEST 185: a field of items twice
--- items
name /a;
name /b;
--- refused
"name" is given twice in "items": put all alternatives on one line



=== TEST 186: items in items
--- items
items /x { # @
}
--- refused
"items" directive is not allowed here



=== TEST 187: a bad pointer in items
--- items
name /[a;
--- refused
"name" has a bad pointer "/[a": a step that begins with "[" must end with "]" ("/" inside of it is written "~1")



=== TEST 188: rows in a field of items
--- items
name @key "~~(?<x>.)";
--- refused
"name": "~~REGEX" makes rows and works in "items" only; a filter has one "~"



=== TEST 189: a condition in a field of items
--- items
name /a !;
--- refused
"name" gives a value, "!" is a condition for "when" and "accept": leave it out, or write text:!



=== TEST 190: an accept in items
--- items
accept /a;
--- refused
"accept" directive is not allowed here



=== TEST 191: heirs: what is inherited, replaced, dropped
--- http_config
    b24_queue $TEST_NGINX_QUEUE;
    b24_webhook $TEST_NGINX_PORTAL_URL;
    log_format events '$server_name $uri $b24_event $b24_state $b24_order';
    access_log $TEST_NGINX_DIR/events.log events;

    b24_shop base {
        stage P PREPARATION;
        stage N NEW;

        order save {
            uri     /save;
            id      response:/id;
            phone   request:/phone;
            status  query:/status;
            deal    UTM_SOURCE base;
            deal    UTM_MEDIUM base;
        }

        order other {
            uri  /other;
            id   response:/id;
        }
    }

    b24_shop "child" : 'base' { # order save off; {
        stage P WON;
        order other
            # not this one: { order save off; }
            off;
        order save {
            deal  UTM_SOURCE child;
        }
        order own {
            uri  /own;
            id   response:/id;
        }
    }

    b24_shop grandchild : child{order "own" off;order save{uri /new;}}

    upstream shop {
        server 127.0.0.1:$TEST_NGINX_PORT_1;
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        access_log off;
        return 200 '{"id":$arg_id}';
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_2;
        server_name base;
        b24_mirror base;
        location / { proxy_pass http://shop; }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_3;
        server_name child;
        b24_mirror child;
        location / { proxy_pass http://shop; }
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_4;
        server_name grandchild;
        b24_mirror grandchild;
        location / { proxy_pass http://shop; }
    }
--- config
    access_log off;
--- scenario
    my $log = "$ENV{TEST_NGINX_DIR}/events.log";
    my $seen = 0;
    my $events = sub {
        my ($n, @paths) = @_;
        my @lines;

        for my $path (@paths) {
            my $id = $n . $seen++;
            exchange(request_bytes('POST', "$path?id=$id&status=P",
                         "phone=%2B791612300$id", 'Content-Type' =>
                         'application/x-www-form-urlencoded'),
                     $ENV{"TEST_NGINX_PORT_$n"});
        }

        wait_until(sub {
            @lines = split /\n/, B24::Recording::read_file($log);
            @lines >= $seen;
        });

        return [@lines[$seen - @paths .. $#lines]];
    };

    is_deeply($events->(2, '/save', '/other', '/own', '/new'),
        ['base /save order accepted 20', 'base /other order accepted 21',
         'base /own - - -', 'base /new - - -'], 'the base');
    is_deeply($events->(3, '/save', '/other', '/own', '/new'),
        ['child /save order accepted 34', 'child /other - - -',
         'child /own order accepted 36', 'child /new - - -'], 'the heir');
    is_deeply($events->(4, '/save', '/other', '/own', '/new'),
        ['grandchild /save - - -', 'grandchild /other - - -',
         'grandchild /own - - -', 'grandchild /new order accepted 411'],
        'the heir\'s heir');

    portal()->wait_for(deals => 5);

    my %deal = map { $_->{origin_id} => $_ } @{portal()->report->{deals}};
    my $values = sub {
        my ($id) = @_;
        return join ' ', $deal{$id}{stage_id}, map { $deal{$id}{fields}{$_} }
                                               qw(UTM_SOURCE UTM_MEDIUM);
    };

    is($values->(20), 'PREPARATION base base', 'stage and fields of the base');
    is($values->(34), 'WON child base', 'of the heir');
    is($values->(411), 'WON child base', 'of the heir\'s heir');



=== TEST 192: the rules of the sample shop
--- http
include $TEST_NGINX_ROOT/t/shop/b24-shop.conf;
b24_shop own : sample {
    order form off;
}
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror own;
--- accepted



=== TEST 193: blocks and "off" at every place of the buffer nginx reads with
--- config
--- scenario
    my $nginx = B24::Conf->new('buffer');
    my $base = "b24_shop base {\norder save { id response:/id; }\n}\n";
    my @lines = ("order save  off;", "order 'save' # {\n  \"off\" ;",
                 "order save{ id response:/id; }", "order \"save\" # ;\n { }");
    my (%text, $wrong);

    for my $filler (sort keys %main::filler) {
        for my $end (4096, 8192) {
            for my $nr (0 .. $#lines) {
                for my $shift (-1 .. 1 + length $lines[$nr]) {
                    my $name = "$filler-$end-$nr-$shift" =~ s/--/-m/r;
                    my $head = "b24_shop $name : base {\n";
                    my $size = $end - $shift - length $head;
                    my $fill = $main::filler{$filler}->($size);

                    $wrong = $name if length $fill != $size;
                    $text{"$name.conf"} = "$head$fill$lines[$nr]\n}\n";
                }
            }
        }
    }

    is($wrong, undef, 'texts of the right length');
    $nginx->put("conf/$_", $text{$_}) for keys %text;
    $nginx->conf($base . join('', map { "include $_;\n" } sort keys %text)
                 . 'server { server_name shop.test; b24_mirror base; }');

    my ($status, $output) = $nginx->run('-t');
    is($status, 0, keys(%text) . ' files are taken') or diag($output);

    ($status, $output) = $nginx->run('-T');
    is($status, 0, 'and printed');

    my $dir = $nginx->dir('conf');
    my @cut = grep { index($output, "# configuration file $dir/$_:\n"
                                    . "$text{$_}\n") < 0 } sort keys %text;
    is("@cut[0 .. ($#cut < 5 ? $#cut : 5)]", '', 'as they are');

    # lines are counted once
    my $fill = $main::filler{comment}->(20000);
    my $line = ($fill =~ tr/\n//) + 3;

    $nginx->put('conf/long.conf', "b24_shop long : base {\n$fill"
                . "order save off;\nstages N NEW;\n}\n");
    $nginx->conf($base . 'include long.conf;');
    ($status, $output) = $nginx->run('-t');
    isnt($status, 0, 'a mistake below a long comment');
    like($output, qr{unknown directive "stages" in \Q$dir/long.conf:$line\E$}m,
         'is found in its line');



=== TEST 194: minor units that no currency has
--- order
minor_units 7;
--- refused
"minor_units" has a bad number "7": give the places of the currency, 0 to 6, such as 2



=== TEST 195: minor units that are no number
--- order
minor_units response:/m two;
--- refused
"minor_units" has a bad number "two": give the places of the currency, 0 to 6, such as 2



=== TEST 196: a difference to an empty text
--- order
accept response:/a !="";
--- refused
"accept": "!=""" needs a text after the "="; that a value is empty is written "!"



=== TEST 197: statements of all kinds, alternatives, comments, quotes
--- shop
database {
    order   "SELECT a AS id, ':nothing; \"' FROM t -- :nothing; x
             WHERE a = :number OR b = :id OR c = :row OR d = :email;"
            "WITH x AS (SELECT :phone AS y) SELECT * FROM x /* ; */";
    items   "select name from i where o = :row and `into` = 'x''y\\\';' # ;";
    changes "(SELECT id FROM o WHERE c >= :since)";
    link    "UPDATE o SET d = :deal WHERE id = :row"
            "INSERT INTO d (o, d) VALUES (:row, :deal)"
            "REPLACE INTO d VALUES (:id, :deal)";
}
--- accepted



=== TEST 198: a statement that writes among those that read
--- shop
database {
    order "SELECT id FROM orders WHERE id = :row"
          "UPDATE orders SET seen = 1 WHERE id = :row"; # @
}
--- refused
"order" of "database" must begin with SELECT or WITH: it only reads



=== TEST 199: items that write
--- shop
database {
    items "INSERT INTO log VALUES (:row)"; # @
}
--- refused
"items" of "database" must begin with SELECT or WITH: it only reads



=== TEST 200: changes that write
--- shop
database {
    changes "UPDATE orders SET seen = 1 WHERE changed > :since"; # @
}
--- refused
"changes" of "database" must begin with SELECT or WITH: it only reads



=== TEST 201: a statement that is a call
--- shop
database {
    order "CALL orders(:row)"; # @
}
--- refused
"order" of "database" must begin with SELECT or WITH: it only reads



=== TEST 202: a link that reads
--- shop
database {
    link "SELECT id FROM orders WHERE id = :row"; # @
}
--- refused
"link" of "database" must begin with UPDATE, INSERT or REPLACE



=== TEST 203: a link that deletes
--- shop
database {
    link "DELETE FROM orders WHERE id = :row"; # @
}
--- refused
"link" of "database" must begin with UPDATE, INSERT or REPLACE



=== TEST 204: two statements in one
--- shop
database {
    order "SELECT id FROM orders WHERE id = :row; DROP TABLE orders"; # @
}
--- refused
"order" of "database" is more than one statement: leave out what stands behind the ";"



=== TEST 205: two statements in one link
--- shop
database {
    link "UPDATE orders SET deal = :deal; 'x'"; # @
}
--- refused
"link" of "database" is more than one statement: leave out what stands behind the ";"



=== TEST 206: a statement that writes a file
--- shop
database {
    order "SELECT id FROM orders INTO OUTFILE '/tmp/x'"; # @
}
--- refused
"order" of "database" has INTO: it only reads



=== TEST 207: a link that writes a file
--- shop
database {
    link "INSERT INTO a SELECT 1 INTO DUMPFILE '/tmp/x'"; # @
}
--- refused
"link" of "database" has INTO OUTFILE or DUMPFILE: it may write no file



=== TEST 208: a statement that locks rows
--- shop
database {
    order "SELECT id FROM orders WHERE id = :row FOR UPDATE"; # @
}
--- refused
"order" of "database" locks rows: leave FOR UPDATE, FOR SHARE and LOCK IN SHARE MODE out



=== TEST 209: a statement that binds what is no field
--- shop
database {
    order "SELECT id FROM orders WHERE id = :rows"; # @
}
--- refused
"order" of "database" binds ":rows", which it does not have: it takes the order's fields, such as :number, :row, :email



=== TEST 210: a statement that binds the deal before there is one
--- shop
database {
    items "SELECT id FROM orders WHERE deal = :deal"; # @
}
--- refused
"items" of "database" binds ":deal", which it does not have: it takes the order's fields, such as :number, :row, :email



=== TEST 211: changes that bind an order
--- shop
database {
    changes "SELECT id FROM orders WHERE id = :row"; # @
}
--- refused
"changes" of "database" binds ":row", which it does not have: it takes :since



=== TEST 212: a link that binds the time of changes
--- shop
database {
    link "UPDATE orders SET deal = :deal WHERE changed = :since"; # @
}
--- refused
"link" of "database" binds ":since", which it does not have: it takes :deal, :number and :row



=== TEST 213: a statement that binds too much
--- http eval
"b24_shop s {\ndatabase {\norder \"SELECT 1" . ', :row' x 65 . "\"; # \@\n}\n}"
--- refused
"order" of "database" binds more than 64 values



=== TEST 214: a value without a name
--- shop
database {
    order "SELECT id FROM orders WHERE id = ?"; # @
}
--- refused
"order" of "database" has a "?": name what is bound, such as :number



=== TEST 215: a colon without a name
--- shop
database {
    order "SELECT @a := 1"; # @
}
--- refused
"order" of "database" has a ":" without a name behind it: name what is bound, such as :number



=== TEST 216: a comment that the server would run
--- shop
database {
    order "SELECT id /*!50000 INTO OUTFILE '/tmp/x' */ FROM t"; # @
}
--- refused
"order" of "database" has a comment that the server would run, "/*! ... */": leave it out



=== TEST 217: a statement without the end of a quote
--- shop
database {
    order "SELECT id FROM orders WHERE name = 'x"; # @
}
--- refused
"order" of "database" has a quote without its end



=== TEST 218: a statement without the end of a comment
--- shop
database {
    order "SELECT id /* FROM orders"; # @
}
--- refused
"order" of "database" has a comment without its end



=== TEST 219: a statement that is none
--- shop
database {
    order "-- SELECT 1"; # @
}
--- refused
"order" of "database" is empty



=== TEST 220: a statement without quotes around it
--- shop
database {
    order SELECT id FROM orders; # @
}
--- refused
"order" needs an SQL statement in quotes



=== TEST 221: a statement without a text
--- shop
database {
    order; # @
}
--- refused
"order" needs an SQL statement in quotes



=== TEST 222: a statement twice
--- shop
database {
    order "SELECT id FROM a";
    items "SELECT name FROM i";
    order "SELECT id FROM b"; # @
}
--- refused
"order" is given twice in "database": put all alternatives on one line



=== TEST 223: a statement of an unknown name
--- shop
database {
    orders "SELECT id FROM a"; # @
}
--- refused
unknown directive "orders"



=== TEST 224: a field in a database block
--- shop
database {
    phone "SELECT phone FROM a"; # @
}
--- refused
"phone" directive is not allowed here



=== TEST 225: a column of the database inside a text
--- order
id response:/id;
name "%{database:first} %{database:last}";
--- refused
"name" does more with "database:first" than take it: let the statement do it, as with CONCAT()



=== TEST 226: a column of the database with a filter
--- order
id response:/id;
phone database:phone ~^(.+)$;
--- refused
"phone" does more with "database:phone" than take it: let the statement do it, as with CONCAT()



=== TEST 227: rows of a column
--- order
id response:/id;
items database:rows { # @
    name /name;
}
--- refused
"items": write "database:" without a column, it means the rows of the statement "items"



=== TEST 228: the database in a collect block
--- shop
session $cookie_a;
collect {
    phone database:phone; # @
}
--- refused
"phone" can't take "database:": the database is read once the order is accepted, for the fields of an "order" block; rows of "items database:" have /COLUMN



=== TEST 229: a statement that deletes behind a WITH
--- shop
database {
    order "WITH x AS (SELECT :row) DELETE FROM orders"; # @
}
--- refused
"order" of "database" has UPDATE or DELETE: it only reads



=== TEST 230: a link that binds the buyer's data
--- shop
database {
    link "UPDATE orders SET deal = :deal WHERE email = :email"; # @
}
--- refused
"link" of "database" binds ":email", which it does not have: it takes :deal, :number and :row



=== TEST 231: an heir of nothing drops a write
--- shop
write off; # @
--- refused
"write ... off" drops a block of a base, and this shop has none: leave the line out



=== TEST 232: the lines of a write in an order
--- order
expired response:/x;
--- refused
"expired" directive is not allowed here



=== TEST 233: writes of all forms
--- shop
write login {
    method   GET;
    url      "%{site}?login=%{user}";
    header   Authorization  "Basic %{basic}";
    header   X-Key  "%{key}";
    accept   status =200;
    accept   response: ~^success;
    learn    token  response:/token  response: "~token=(\w{32})";
}
write status {
    when     status "!=%{previous}";
    when     canceled !=Y;
    when     paid;
    method   PUT;
    url      "%{site}/orders/%{row}?n=%{id}";
    header   Content-Type  application/json;
    header   Cookie  "t=%{token}";
    body     '{"status":"%{status}","shipped":"%{shipped}"}';
    expired  response:/error ~login;
    accept   "response:/orders/[id=%{row}]/status" "=%{status}";
    accept   response:/error !;
}
write {
    url      "%{site}/plain";
    body     "<a>%{password}</a>";
    accept   header:Location  status ~^2;
}
}
b24_shop heir : s {
    write login { header X-Key ""; }
    write status off;
}
b24_shop another : s {
    write off;
--- server
b24_webhook https://portal.test/rest/1/SECRET/;
b24_mirror s;
--- accepted



=== TEST 234: a write that asks for no answer
--- shop
write w {
    url "%{site}/a";
}
} # @
b24_shop t {
--- refused
"write w" has no "accept": say how the shop's answer tells that it did it, such as accept response:/status "=%{status}"



=== TEST 235: a write with two names
--- shop
write a b { # @
}
--- refused
"write" takes one name at most before "{"



=== TEST 236: a write with the name "off"
--- shop
write off { # @
}
--- refused
"write off" is no name for a block: to drop those of the base, end the line with ";"



=== TEST 237: a write twice
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
}
write w { # @
}
--- refused
"write w" is given twice in this shop: give one of the two another name



=== TEST 238: a write without a block
--- shop
write; # @
--- refused
"write" needs a block "{ ... }", or "off" to drop those of the base



=== TEST 239: an heir drops a write that its base has not
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
}
}
b24_shop heir : s {
write x off;
} # @
b24_shop t {
--- refused
"write x off": the base "s" has no such block, leave the line out



=== TEST 240: an heir drops the write that another one needs
--- shop
write login {
    url "%{site}/l"; accept status =200; learn c response:/c;
}
write w {
    url     "%{site}/a";
    accept  status =200;
    header X "%{c}";
}
}
b24_shop heir : s {
write login off;
} # @
b24_shop t {
--- refused
"header" of "write w" uses "c", which no call has and no block before it learns: check its spelling, or add "learn c VALUE" there



=== TEST 241: a write with a method of browsers
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    method HEAD; # @
}
--- refused
"method" of a call is one of GET, POST, PUT, PATCH and DELETE



=== TEST 242: a write that reads with a body
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    method GET;
    body "%{row}";
}
} # @
b24_shop t {
--- refused
"write w" has a "body", and a GET has none: add "method POST" or the like



=== TEST 243: a write of another host
--- shop
write w {
    url https://other.test/; # @
}
--- refused
"url" must begin with "%{site}/", the address that "b24_site" gives, such as "%{site}/api/orders"



=== TEST 244: a write of a host that begins alike
--- shop
write w {
    url "%{site}.other.test/"; # @
}
--- refused
"url" must begin with "%{site}/", the address that "b24_site" gives, such as "%{site}/api/orders"



=== TEST 245: a write with a value that does not end
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    body "id=%{row"; # @
}
--- refused
"body" has a "%{" without its "}" in "id=%{row"



=== TEST 246: a write with a value nobody knows
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    body "id=%{rwo}";
}
} # @
b24_shop t {
--- refused
"body" of "write w" uses "rwo", which no call has and no block before it learns: check its spelling, or add "learn rwo VALUE" there



=== TEST 247: a write with a variable
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    body "id=$arg_id"; # @
}
--- refused
"body" has a variable, and a call to the shop has no request it could be of: its values are %{status}, %{row} and the like



=== TEST 248: a write that asks for a request
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    when request:/a; # @
}
--- refused
"when" of a call takes values by name, such as status, canceled or one that was learned, and not "request:/a"



=== TEST 249: a write that asks the database
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    accept database:STATUS; # @
}
--- refused
"accept" can't take "database:STATUS": in "write" it looks at what the shop answers to the call; its sources are status, response:, header: and inline:



=== TEST 250: a write with a header of ours
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    header Host other.test; # @
}
--- refused
"header Host" is set by the module: leave the line out



=== TEST 251: a write with a header of two lines
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    header X "a
Host: other.test"; # @
}
--- refused
"header X" has a line break or another control character: leave it out



=== TEST 252: a write with a body of another kind
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    header Content-Type multipart/form-data;
    body "%{row}";
}
} # @
b24_shop t {
--- refused
"write w" has a "Content-Type" in which values can't be put safely: use application/x-www-form-urlencoded, application/json, application/xml or text/plain



=== TEST 253: a write that learns what is known
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    learn row response:/id; # @
}
--- refused
"learn row": every call has a value of that name, give it another



=== TEST 254: a write that learns for nobody
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    learn c response:/id;
}
} # @
b24_shop t {
--- refused
"write w" learns for blocks after it, and none of them is without "learn": it would never be called, leave its "learn" lines out or add the block that writes



=== TEST 255: a write with a line of orders
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    uri /x; # @
}
--- refused
"uri" directive is not allowed here



=== TEST 256: a write with a field
--- shop
write w {
    url     "%{site}/a";
    accept  status =200;
    id response:/id; # @
}
--- refused
"id" directive is not allowed here



=== TEST 257: as many writes as a shop takes, and one more
--- http eval
"b24_shop s {\n"
. CORE::join('', map { "write w$_ { url \"%{site}/\"; accept status; }\n" } 1 .. 16)
. "write w { # \@\n}\n}\n"
--- refused
"write" is one block too many: a shop takes at most 16
