
/* The rule compiler: every form compiles, every wrong line has its sentence. */


#include "tap.h"
#include "shopconf.h"
#include "b24_rules_int.h"

#include <stdlib.h>


#define BASE                                                                  \
    "b24_shop base { session $cookie_SID; stage N NEW; stage P PREPARATION;"  \
    " default_status N;"                                                      \
    " order save { uri /a; accept status =200; id response:/id;"              \
    "  phone request:/p; deal UF_A text:a; deal UF_B text:b;"                 \
    "  when request:/x; when request:/y; comment request:/c; }"               \
    " order other { uri /b; id response:/id; } "

#define ORDER(lines)  "b24_shop s { order o { " lines " } }"
#define WITH_ID(lines)  ORDER("id response:/id; " lines)
#define ITEMS(lines)  WITH_ID("items request:/items { " lines " }")


typedef struct {
    const char  *text;
    const char  *sentence;
} wrong_t;


static const wrong_t  wrongs[] = {

    /* b24_shop */

    { "b24_shop { }",
      "\"b24_shop\" needs a name and at most a base: \"b24_shop NAME { ... }\" or \"b24_shop NAME : BASE { ... }\"" },
    { "b24_shop a b { }",
      "\"b24_shop\" needs a name and at most a base: \"b24_shop NAME { ... }\" or \"b24_shop NAME : BASE { ... }\"" },
    { "b24_shop a - b { }",
      "\"b24_shop\" needs a name and at most a base: \"b24_shop NAME { ... }\" or \"b24_shop NAME : BASE { ... }\"" },
    { "b24_shop \"a b\" { }",
      "\"b24_shop\" has a bad name \"a b\": use at most 64 letters, digits, \"_\", \"-\" and \".\"" },
    { "b24_shop a { } b24_shop a { }",
      "\"b24_shop a\" is defined twice: give one of the two another name" },
    { "b24_shop a : b { }",
      "\"b24_shop a\" has an unknown base \"b\": define or include it above this line" },
    { "b24_shop a : b { } b24_shop b { }",
      "\"b24_shop a\" has an unknown base \"b\": define or include it above this line" },
    { "b24_shop a : a { }",
      "\"b24_shop a\" has an unknown base \"a\": define or include it above this line" },

    /* lines of a shop */

    { "b24_shop s { phone request:/p; }",
      "\"phone\" is unknown in a shop: it takes session, stage, default_status, and the blocks order, collect, status, database, write" },
    { "b24_shop s { session; }",
      "\"session\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { "b24_shop s { session abc; }",
      "\"session\" would be the same for all buyers: give what tells them apart, such as $cookie_PHPSESSID" },
    { "b24_shop s { stage N; }",
      "\"stage\" needs a status of the shop and a stage of the deal, such as \"stage N NEW\"" },
    { "b24_shop s { stage N NEW P; }",
      "\"stage\" needs a status of the shop and a stage of the deal, such as \"stage N NEW\"" },
    { "b24_shop s { stage N \"NEW DEAL\"; }",
      "\"stage\" has a bad deal stage \"NEW DEAL\": give its STATUS_ID, such as PREPARATION" },
    { "b24_shop s { stage N C9:NEW; }",
      "\"stage\" has a bad deal stage \"C9:NEW\": leave the pipeline's prefix out, \"b24_category\" gives it" },
    { "b24_shop s { stage N NEW; stage N WON; }",
      "\"stage N\" is given twice: leave one of the two out" },
    { "b24_shop s { default_status; }",
      "\"default_status\" needs one status, such as \"default_status N\"" },
    { "b24_shop s { default_status N; default_status P; }",
      "\"default_status\" is given twice: leave one of the two out" },
    { "b24_shop s { order save; }",
      "\"order\" needs a block \"{ ... }\", or \"off\" to drop one of the base" },
    { "b24_shop s { order save off; }",
      "\"order ... off\" drops a block of a base, and this shop has none: leave the line out" },
    { "b24_shop s { database; }",
      "\"database\" needs a block \"{ ... }\"" },
    { BASE "} b24_shop s : base { order nope off; }",
      "\"order nope off\": the base \"base\" has no such block, leave the line out" },
    { BASE "} b24_shop s : base { order off; }",
      "\"order off\": the base \"base\" has no such block, leave the line out" },

    /* blocks */

    { "b24_shop s { orders save { } }",
      "\"orders { ... }\" is no block of a shop: use order, collect, status, database or write" },
    { "b24_shop s { order a b { } }",
      "\"order\" takes one name at most before \"{\"" },
    { "b24_shop s { order a/b { } }",
      "\"order\" has a bad name \"a/b\": use at most 64 letters, digits, \"_\", \"-\" and \".\"" },
    { "b24_shop s { order off { } }",
      "\"order off\" is no name for a block: to drop one of the base, end the line with \";\"" },
    { "b24_shop s { order a { id response:/id; } order a { } }",
      "\"order a\" is given twice in this shop: give one of the two another name" },
    { "b24_shop s { order a { uri /x; } }",
      "\"order a\" has no \"id\": say where the shop shows the order's number, such as \"id response:/order/ID\"" },
    { "b24_shop s { order { uri /x; } }",
      "\"order\" has no \"id\": say where the shop shows the order's number, such as \"id response:/order/ID\"" },
    { "b24_shop s { order a { order b { } } }",
      "\"order { ... }\" can't stand here: close the block before it" },
    { "b24_shop s { items request:/i { } }",
      "\"items\" belongs inside \"order { ... }\"" },

    /* the shop's database */

    { "b24_shop s { database { order \"DELETE FROM t\"; } }",
      "\"order\" of \"database\" must begin with SELECT or WITH: it only reads" },
    { "b24_shop s { database { order; } }",
      "\"order\" needs an SQL statement in quotes" },
    { "b24_shop s { database { order \"SELECT 1\"; order \"SELECT 2\"; } }",
      "\"order\" is given twice in \"database\": put all alternatives on one line" },
    { "b24_shop s { database { link \"UPDATE t SET a = :deal\" \"SELECT 1\"; } }",
      "\"link\" of \"database\" must begin with UPDATE, INSERT or REPLACE" },
    { WITH_ID("total database:;"),
      "\"total\": \"database:\" needs a column, such as database:TOTAL" },
    { WITH_ID("when database:TOTAL;"),
      "\"when\" can't take \"database:\": the database is read once the order is accepted, for the fields of an \"order\" block; rows of \"items database:\" have /COLUMN" },
    { WITH_ID("minor_units database:U;"),
      "\"minor_units\" can't take \"database:\": the database is read once the order is accepted, for the fields of an \"order\" block; rows of \"items database:\" have /COLUMN" },
    { WITH_ID("name \"%{database:A} %{database:B}\";"),
      "\"name\" does more with \"database:A\" than take it: let the statement do it, as with CONCAT()" },
    { WITH_ID("phone database:P ~(\\\\d+);"),
      "\"phone\" does more with \"database:P\" than take it: let the statement do it, as with CONCAT()" },
    { WITH_ID("items database:x { name /n; }"),
      "\"items\": write \"database:\" without a column, it means the rows of the statement \"items\"" },
    { WITH_ID("items request:/i { name database:N; }"),
      "\"name\" can't take \"database:\": the database is read once the order is accepted, for the fields of an \"order\" block; rows of \"items database:\" have /COLUMN" },

    /* lines of a block */

    { ORDER("phon request:/p;"),
      "\"phon\" is unknown in \"order\": check its spelling; any field of the CRM is set by \"deal FIELD\", \"contact FIELD\" and \"company_field FIELD\"" },
    { ORDER("price request:/p;"),
      "\"price\" belongs inside \"items VALUE { ... }\"" },
    { ORDER("phone request:/p; phone request:/q;"),
      "\"phone\" is given twice in this block: put all alternatives on one line" },
    { ORDER("uri;"),
      "\"uri\" needs a path, a prefix ending in \"*\", or \"~ REGEX\"" },
    { ORDER("uri checkout;"),
      "\"uri\" needs a path, a prefix ending in \"*\", or \"~ REGEX\"" },
    { ORDER("uri ^/checkout;"),
      "\"uri\" needs a path, a prefix ending in \"*\", or \"~ REGEX\"" },
    { ORDER("uri /a/*/b;"),
      "\"uri /a/*/b\": a \"*\" may stand at the end only; use \"~ REGEX\"" },
    { ORDER("uri /?wc-ajax=checkout;"),
      "\"uri /?wc-ajax=checkout\": the path alone is looked at; check arguments with \"when query:/NAME =VALUE\"" },
    { ORDER("uri /a; uri /b;"),
      "\"uri\" is given twice in this block: put all alternatives on one line" },
    { ORDER("uri ~ (;"),
      "\"uri\" has a bad regex \"(\": missing closing parenthesis at offset 1" },
    { ORDER("uri ~;"),
      "\"uri\" has an empty regex: write \"~REGEX\" in one piece" },
    { ORDER("method;"),
      "\"method\" needs one or more methods, such as POST" },
    { ORDER("method post;"),
      "\"method\" has a bad name \"post\": give capital letters, such as POST" },
    { ORDER("method POST; method PUT;"),
      "\"method\" is given twice in this block: put all methods on one line" },
    { ORDER("items request:/i;"),
      "\"items\" needs a block: \"items VALUE { name VALUE; ... }\"" },

    /* values */

    { ORDER("phone;"),
      "\"phone\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { ORDER("phone \"\";"),
      "\"phone\" has an empty alternative \"\": leave it out" },
    { ORDER("phone request:/a \"\";"),
      "\"phone\" has an empty alternative \"\": leave it out" },
    { ORDER("phone ~x;"),
      "\"phone\" begins with the filter \"~x\": put the value it filters before it" },
    { ORDER("phone request:/a ~;"),
      "\"phone\" has an empty regex: write \"~REGEX\" in one piece" },
    { ORDER("phone request:/a ~[a;"),
      "\"phone\" has a bad regex \"[a\": missing terminating ] for character class at offset 2" },
    { ORDER("phone request:/a \"~~(?<x>.)\";"),
      "\"phone\": \"~~REGEX\" makes rows and works in \"items\" only; a filter has one \"~\"" },
    { ORDER("phone request:phone;"),
      "\"phone\": \"request:phone\" needs a \"/\" after the colon, such as request:/phone" },
    { ORDER("phone query:phone;"),
      "\"phone\": \"query:phone\" needs a \"/\" after the colon, such as query:/order" },
    { ORDER("id response:id;"),
      "\"id\": \"response:id\" needs a \"/\" after the colon, such as response:/order/ID" },
    { ORDER("phone request:;"),
      "\"phone\" can't take the whole request: name a field of it, such as request:/phone" },
    { ORDER("phone \"x %{request:}\";"),
      "\"phone\" can't take the whole request: name a field of it, such as request:/phone" },
    { ORDER("phone $request_body;"),
      "\"phone\" can't take the whole request from $request_body: name a field of it, such as request:/phone" },
    { ORDER("phone reqest:/phone;"),
      "\"phone\" has an unknown source \"reqest:/phone\": sources are request:, query:, response:, inline:, header: and database:; for a text write text:reqest:/phone" },
    { ORDER("id inline:/cart;"),
      "\"id\": \"inline:/cart\" needs the name of a JavaScript variable or function, such as inline:prestashop/cart" },
    { ORDER("id header:;"),
      "\"id\": \"header:\" needs the name of a response header, such as header:Location" },
    { ORDER("id \"header:Lo cation\";"),
      "\"id\": \"header:Lo cation\" needs the name of a response header, such as header:Location" },
    { ORDER("id database:;"),
      "\"id\": \"database:\" needs a column, such as database:TOTAL" },
    { ORDER("phone text:;"),
      "\"phone\": \"text:\" needs a text after the colon" },
    { ORDER("phone /phone;"),
      "\"phone\": \"/phone\" works inside \"items { ... }\" only; write request:/phone or text:/phone" },
    { ORDER("phone @key;"),
      "\"phone\": \"@key\" works inside \"items { ... }\" only; for the text write text:@key" },
    { ORDER("phone \"%{request:/a\";"),
      "\"phone\" has a \"%{\" without its \"}\" in \"%{request:/a\"" },
    { ORDER("phone \"a %{b}\";"),
      "\"phone\": \"%{b}\" names no source, write %{request:/NAME} or the like" },
    { ORDER("phone \"a %{text:b}\";"),
      "\"phone\": \"%{text:b}\" names no source, write %{request:/NAME} or the like" },
    { ORDER("phone request:/a !;"),
      "\"phone\" gives a value, \"!\" is a condition for \"when\" and \"accept\": leave it out, or write text:!" },
    { ORDER("phone =5;"),
      "\"phone\" gives a value, \"=5\" is a condition for \"when\" and \"accept\": leave it out, or write text:=5" },
    { ORDER("id 15;"),
      "\"id\" has a fixed text, so that all orders would be one: give where the shop shows the number, such as response:/order/ID" },
    { ORDER("id response:/id text:0;"),
      "\"id\" has a fixed text, so that all orders would be one: give where the shop shows the number, such as response:/order/ID" },
    { ORDER("currency RUBLE;"),
      "\"currency\" has a bad code \"RUBLE\": give three letters, such as RUB" },
    { ORDER("currency response:/c \"R1B\";"),
      "\"currency\" has a bad code \"R1B\": give three letters, such as RUB" },
    { ORDER("minor_units 7;"),
      "\"minor_units\" has a bad number \"7\": give the places of the currency, 0 to 6, such as 2" },
    { ORDER("minor_units response:/m two;"),
      "\"minor_units\" has a bad number \"two\": give the places of the currency, 0 to 6, such as 2" },
    { WITH_ID("phone \"request:/ORDER_PROP_%{phone_prop}\";"),
      "\"phone\" uses %{phone_prop}, which no \"learn\" line of this shop gives: add \"learn phone_prop VALUE\" to a collect block" },
    { WITH_ID("phone \"request:/props/[ID=%{phone_prop}]/VALUE\";"),
      "\"phone\" uses %{phone_prop}, which no \"learn\" line of this shop gives: add \"learn phone_prop VALUE\" to a collect block" },

    /* conditions */

    { ORDER("when;"),
      "\"when\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { ORDER("when !;"),
      "\"when\" needs a value before the condition \"!\"" },
    { ORDER("accept response:/a ! response:/b;"),
      "\"accept\": the condition \"!\" must be the last on its line" },
    { ORDER("accept response:/a =x !;"),
      "\"accept\": the condition \"=x\" must be the last on its line" },
    { ORDER("accept response:/a !~x response:/b;"),
      "\"accept\": the condition \"!~x\" must be the last on its line" },
    { ORDER("accept response:/a =;"),
      "\"accept\": \"=\" needs a text after the \"=\"; that a value is empty is written \"!\"" },
    { ORDER("accept response:/a !=;"),
      "\"accept\": \"!=\" needs a text after the \"=\"; that a value is empty is written \"!\"" },
    { ORDER("accept response:/a !=\"\";"),
      "\"accept\": \"!=\"\"\" needs a text after the \"=\"; that a value is empty is written \"!\"" },
    { ORDER("accept response:/a ='';"),
      "\"accept\": \"=''\" needs a text after the \"=\"; that a value is empty is written \"!\"" },
    { ORDER("accept response:/a !~(;"),
      "\"accept\" has a bad regex \"(\": missing closing parenthesis at offset 1" },
    { ORDER("accept status 200;"),
      "\"accept\" has a fixed text among its values: to compare, write =TEXT at the end of the line" },
    { ORDER("when status =200;"),
      "\"when\" looks at the request, and this line needs the answer: use \"accept\"" },
    { ORDER("when \"%{request:/a}%{header:X}\";"),
      "\"when\" looks at the request, and this line needs the answer: use \"accept\"" },
    { ORDER("when $upstream_status =200;"),
      "\"when\" looks at the request, and this line needs the answer: use \"accept\"" },

    /* CRM fields */

    { ORDER("deal;"),
      "\"deal\" needs the name of a CRM field in capital letters, digits and \"_\", such as UF_CRM_CITY" },
    { ORDER("deal uf_crm_a x;"),
      "\"deal\" needs the name of a CRM field in capital letters, digits and \"_\", such as UF_CRM_CITY" },
    { ORDER("contact UF-A x;"),
      "\"contact\" needs the name of a CRM field in capital letters, digits and \"_\", such as UF_CRM_CITY" },
    { ORDER("company_field \"A[B]\" x;"),
      "\"company_field\" needs the name of a CRM field in capital letters, digits and \"_\", such as UF_CRM_CITY" },
    { ORDER("deal TITLE;"),
      "\"deal TITLE\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { ORDER("deal TITLE a; deal TITLE b;"),
      "\"deal TITLE\" is given twice in this block: put all alternatives on one line" },
    { ORDER("deal ORIGIN_ID x;"),
      "\"deal ORIGIN_ID\" is set by the module, which knows its records by it: leave the line out" },

    /* items */

    { WITH_ID("items { name /n; }"),
      "\"items\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { WITH_ID("items abc { name /n; }"),
      "\"items\" can't take its rows from \"abc\": give a source, such as request:/items" },
    { WITH_ID("items \"%{request:/a}x\" { name /n; }"),
      "\"items\" can't take its rows from \"%{request:/a}x\": give a source, such as request:/items" },
    { WITH_ID("items response: \"~~<b>([^<]+)\" { name \"\"; }"),
      "\"items\": \"~~REGEX\" needs named groups, such as (?<name>[^<]+)" },
    { WITH_ID("items response: \"~~(?<a>.)\" ~b { name /a; }"),
      "\"items\": nothing can follow \"~~REGEX\" but another alternative" },
    { WITH_ID("items request:/a { name /n; } items request:/b { name /n; }"),
      "\"items\" is given twice in this block: put all alternatives on one line" },
    { ITEMS(""),
      "\"items\" takes nothing from its rows: add lines such as \"name /title\"" },
    { ITEMS("phone /p;"),
      "\"phone\" is unknown in \"items\": it takes name, price, sum, quantity, product_id, xml_id, discount, tax_rate, tax_included, measure and when" },
    { ITEMS("name /a; name /b;"),
      "\"name\" is given twice in \"items\": put all alternatives on one line" },
    { ITEMS("items /x { name /n; }"),
      "\"items { ... }\" can't stand here: close the block before it" },
    { ITEMS("name /[a;"),
      "\"name\" has a bad pointer \"/[a\": a step that begins with \"[\" must end with \"]\" (\"/\" inside of it is written \"~1\")" },
    { ORDER("phone request:/a~2;"),
      "\"phone\" has a bad pointer \"request:/a~2\": \"~\" in a pointer must be written \"~0\" (and \"/\" in a step \"~1\")" },
    { ORDER("phone query:/[a];"),
      "\"phone\" has a bad pointer \"query:/[a]\": a step in brackets must be [last], [*], [NUMBER], [@NUMBER], [NAME*] or [KEY=VALUE]" },
    { ITEMS("name @key ~~(?<x>.);"),
      "\"name\": \"~~REGEX\" makes rows and works in \"items\" only; a filter has one \"~\"" },
    { "b24_shop s { status { id query:/id; phone request:/p; } }",
      "\"phone\" has no place in a status block: it takes id, row, status, canceled, paid and shipped" },
    { "b24_shop s { status { id query:/id; items request:/i { name /n; } } }",
      "\"items\" has no place in a status block: it takes id, row, status, canceled, paid and shipped" },
    { "b24_shop s { status { status query:/id; } }",
      "\"status\" has no \"id\" and no \"row\": say where the number or the key of the order is, such as \"id request:/order_id\"" },
    { "b24_shop s { status { uri /x; } }",
      "\"status\" has no \"id\" and no \"row\": say where the number or the key of the order is, such as \"id request:/order_id\"" },
    { "b24_shop s { collect { when response:/a; } }",
      "\"when\" looks at the request, and this line needs the answer: use \"accept\"" },
    { "b24_shop s { status { learn x request:/x; } }",
      "\"learn\" belongs inside a collect or an order block and needs a name and a value: \"learn NAME VALUE\"" },
    { "b24_shop s { collect { uri /x; phone request:/p; } }",
      "\"collect\" collects for the buyer's order, and no \"session\" line says whose it is: add one, such as \"session $cookie_PHPSESSID\"" },
    { "b24_shop s { order a { id response:/id generated; } }",
      "\"order a\" has \"id generated\", and no \"session\" line says whose it is: add one, such as \"session $cookie_PHPSESSID\"" },
    { "b24_shop s { session $cookie_a; order a { session off; id generated; } }",
      "\"order a\" has \"session off\" and \"id generated\", which is of the session: leave one of the two out" },
    { "b24_shop s { session $cookie_a; collect a { session off; total request:/a; } }",
      "\"session\" inside of a block can only be \"session off\", in \"order\", or \"session outdated\", in \"collect\": what tells buyers apart is said once, in the shop" },
    { "b24_shop s { session $cookie_a; collect a { session outdated; items request:/a { name /n; } } }",
      "\"collect a\" has \"session outdated\": what the session has is older than the cart, and nothing newer is told: leave its other fields out" },
    { "b24_shop s { collect a { session outdated; } }",
      "\"collect a\" collects for the buyer's order, and no \"session\" line says whose it is: add one, such as \"session $cookie_PHPSESSID\"" },
    { "b24_shop s { session $cookie_a; order a { session outdated; id request:/a; } }",
      "\"session\" inside of a block can only be \"session off\", in \"order\", or \"session outdated\", in \"collect\": what tells buyers apart is said once, in the shop" },
    { "b24_shop s { order a { session $cookie_a; id response:/id; } }",
      "\"session\" inside of a block can only be \"session off\", in \"order\", or \"session outdated\", in \"collect\": what tells buyers apart is said once, in the shop" },
    { "b24_shop s { session $cookie_a; order a { id generated ~(.); } }",
      "\"id generated\" stands in an order block, without a filter" },
    { "b24_shop s { session $cookie_a; status { id generated; } }",
      "\"id generated\" stands in an order block, without a filter" },
    { "b24_shop s { session $a; session $b; session $c; session $d; session $e; }",
      "\"session\" is given too often: a shop takes at most 4 such lines" },
    { "b24_shop s { collect { learn x; } }",
      "\"learn x\" needs a value, such as request:/NAME, response:/NAME or a text" },
    { "b24_shop s { collect { learn \"a b\" request:/x; } }",
      "\"learn\" has a bad name \"a b\": use at most 64 letters, digits, \"_\", \"-\" and \".\"" },
    { "b24_shop s { database main { } }",
      "\"database\" takes no name before \"{\"" },
    { "b24_shop s { database { orders \"SELECT 1\"; } }",
      "\"orders\" is unknown in \"database\": it takes order, items, changes, link" },
    { "b24_shop s { database { order; } }",
      "\"order\" needs an SQL statement in quotes" },
    { "b24_shop s { database { order SELECT 1; } }",
      "\"order\" needs an SQL statement in quotes" },
    { "b24_shop s { write { uri /x; } }",
      "\"uri\" is unknown in \"write\": it takes when, method, url, header, body, accept, expired, learn" },
    { "b24_shop s { write { url; } }",
      "\"url\" needs one text: put it in quotes" },
    { NULL, NULL }
};


static const char  *rights[] = {
    "b24_shop s { }",
    "b24_shop s-1.x { session $cookie_PHPSESSID; session request:/sid query:/sid; }",
    ORDER("uri /exact; id response:/id;"),
    ORDER("uri /prefix*; id response:/id;"),
    ORDER("uri ~ ^/checkout/; id response:/id;"),
    ORDER("uri ~^/checkout/; id response:/id;"),
    ORDER("uri ~* ^/checkout/; id response:/id;"),
    ORDER("uri ~*^/checkout/; id response:/id;"),
    ORDER("uri /a /b* ~ ^/c \"~^/d{2}\" /e; id response:/id;"),
    ORDER("method POST PUT; id response:/id;"),
    ORDER("id response:/order/ID  header:Location ~ORDER_ID=([^&]+);"),
    ORDER("id response: ~\\\"id\\\":(\\\\d+) ~\\\\d+$;"),
    ORDER("id response:;"),
    ORDER("id inline:BX.Sale.OrderAjaxComponent.init/result/ID inline:x;"),
    ORDER("id header:Location;"),
    ORDER("id query:/id;"),
    ORDER("id \"%{request:/a}-%{response:/b}\";"),
    ORDER("id \"A-$http_x-%{response:/b/[ID=3]/x}\";"),
    WITH_ID("name request:/a/[last]/b; phone request:/a/[K=V]/b;"),
    WITH_ID("name request:/a~1b/c~0d; phone \"request:/a b\";"),
    WITH_ID("name text:$literal; phone text:~x; email text:/x;"),
    WITH_ID("currency RUB; status N; total $arg_total;"),
    WITH_ID("currency response:/c \"~([A-Z]{3})\" $arg_c EUR;"),
    WITH_ID("comment \"100% sure\"; address \"%\"; name \"a:/ b\";"),
    WITH_ID("address https://x/y;"),
    WITH_ID("when request:; when query:/a =b; when request:/a !; when request:/a request:/b !~^x$; when $cookie_a !=x;"),
    WITH_ID("accept status \"~^(200|30[23])$\"; accept response:/error !; accept header:Location response: ~*ORDER; accept response:/ok =true;"),
    WITH_ID("deal UF_CRM_GA $cookie__ga; deal TITLE x; contact SOURCE_ID WEB; company_field INDUSTRY IT;"),
    WITH_ID("id_x x;") + sizeof("b24_shop s { order o { id response:/id; id_x x; } }") - 1,
    WITH_ID("items request:/items { name \"%{/title} (%{/size})\" /title; price /price; quantity /qty; product_id /id @key; xml_id /sku; tax_rate /vat; tax_included /vat_incl; sum /s; discount /d; measure 796; when /type !=part; when \"\"; }"),
    WITH_ID("items response: \"~~<tr>(?<name>.*?)</tr>\" request:/cart { name /name; }"),
    WITH_ID("items request: query:/items $arg_items inline:cart/items { name /n; }"),
    WITH_ID("items response: ~<table>(.*)</table> \"~~<tr>(?<n>.)\" { name \"\"; }"),
    ORDER("row response:/row; id response:/id; first_name request:/f; second_name request:/s; last_name request:/l; phone request:/p; email request:/e; company request:/c; inn request:/i; kpp request:/k; address request:/a; comment request:/c; total request:/t; delivery request:/d; discount request:/d; tax request:/t; minor_units 2; status request:/s;"),
    "b24_shop s { order { id response:/id; } order { id response:/id; } }",
    "b24_shop s { session $cookie_a; collect cart { uri ~ ^/cart;  accept response:/error !; learn phone_prop response:/props/[IS_PHONE=Y]/ID; total response:/t; items response:/i { name /n; } } order { id response:/id; phone \"request:/ORDER_PROP_%{phone_prop}\"; name \"request:/p/[ID=%{phone_prop}]/v\"; } }",
    "b24_shop s { order { id response:/id; phone \"+%{request:/ORDER_PROP_%{phone_prop}}\"; } collect { learn phone_prop request:/x; } }",
    "b24_shop s { status { uri /admin/status;  id request:/orderId;  status request:/statusId;  accept response:/ok; } }",
    "b24_shop s { database { order \"SELECT 1\"; items \"SELECT 2\"; changes \"SELECT 3\"; link \"UPDATE x\"; } }",
    "b24_shop s { write { method PUT; url \"%{site}/x/%{id}\"; header A B; body \"{}\"; accept response:/ok; } }",
    "b24_shop s { session $cookie_a; order { id generated; total database:TOTAL; } }",
    NULL
};


static void
test_wrongs(void)
{
    int             rc;
    b24_str_t       err;
    b24_pool_t     *pool;
    b24_rules_t    *rules;
    const wrong_t  *list;

    for (list = wrongs; list->text; list++) {
        pool = b24_pool_create(0);
        rules = b24_rules_create(pool);

        rc = conf_load(pool, rules, list->text);

        if (rc != B24_DECLINED) {
            ok(0, "refused: %s", list->text);

        } else {
            err = str(b24_rules_error(rules));
            is_str(&err, list->sentence, list->text);
        }

        b24_pool_destroy(pool);
    }
}


static void
test_rights(void)
{
    int            rc;
    b24_pool_t    *pool;
    b24_rules_t   *rules;
    const char   **list;

    for (list = rights; *list; list++) {
        pool = b24_pool_create(0);
        rules = b24_rules_create(pool);

        rc = conf_load(pool, rules, *list);

        if (!ok(rc == B24_OK, "compiles: %s", *list)) {
            printf("# %s\n", b24_rules_error(rules));
        }

        b24_pool_destroy(pool);
    }
}


/* 64 blocks are possible, one more isn't, counted with the base's */
static void
test_many(void)
{
    int           i, rc;
    char          text[64 * 48 + 256], *p;
    b24_str_t     err;
    b24_pool_t   *pool;
    b24_rules_t  *rules;

    for (i = 63; i <= 65; i++) {
        pool = b24_pool_create(0);
        rules = b24_rules_create(pool);

        p = text + sprintf(text, "b24_shop s { ");

        for (int n = 0; n < i; n++) {
            p += sprintf(p, "order b%d { id response:/id; } ", n);
        }

        sprintf(p, "} b24_shop t : s { order b0 { uri /x; } order n { id response:/id; } }");

        rc = conf_load(pool, rules, text);
        err = str(b24_rules_error(rules));

        if (i == 63) {
            is_int(rc, B24_OK, "63 blocks and one of an heir");

        } else if (i == 64) {
            is_str(&err, "\"b24_shop t\" has too many blocks with those of its base: a shop takes at most 64", "64 blocks and one of an heir");

        } else {
            is_str(&err, "\"order\" is one block too many: a shop takes at most 64", "65 blocks");
        }

        b24_pool_destroy(pool);
    }
}


static int
count_header(void *data, const b24_str_t *name)
{
    (void) name;

    ++*(int *) data;
    return 0;
}


static int
sum_var(void *data, size_t n)
{
    *(size_t *) data += n + 1;
    return 0;
}


static int
stop_var(void *data, size_t n)
{
    (void) data;
    return (int) n + 7;
}


static void
test_needs(void)
{
    int                headers;
    size_t             vars;
    b24_str_t          name;
    b24_pool_t        *pool;
    b24_rules_t       *rules;
    const b24_shop_t  *s;

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    is_int(conf_load(pool, rules,
        "b24_shop s { session $cookie_a;"
        " order a { id header:Location; name $cookie_a; deal X $upstream_addr; deal Y \"a${sent_http_x}b\"; deal Z $http_status; }"
        " order b { id header:X-Id header:location header:LOCATION; phone request:/p; }"
        " order c { id response:/id; accept inline:x/y; comment $status$cookie_a; }"
        " order d { id query:/id; when status_x request:/x; } }"), B24_DECLINED, "a fixed text in when");
    b24_pool_destroy(pool);

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    is_int(conf_load(pool, rules,
        "b24_shop s { session $cookie_a;"
        " order a { id header:Location; name $cookie_a; deal X $upstream_addr; deal Y \"a${sent_http_x}b\"; deal Z $http_status; }"
        " order b { id header:X-Id header:location header:LOCATION; phone request:/p; }"
        " order c { id response:/id; accept inline:x/y; comment $status$cookie_a; }"
        " order d { id query:/id; } }"), B24_OK, "a shop of four blocks");

    name = str("s");
    s = b24_rules_find(rules, &name);
    ok(s != NULL, "found");
    is_str(b24_shop_name(s), "s", "its name");
    name = str("S");
    ok(b24_rules_find(rules, &name) == NULL, "names are exact");

    is_int((long long) b24_rules_nvars(rules), 5, "five templates");
    is_str(b24_rules_var(rules, 0), "$cookie_a", "of the session");
    is_str(b24_rules_var(rules, 1), "$upstream_addr", "upstream");
    is_str(b24_rules_var(rules, 2), "a${sent_http_x}b", "sent");
    is_str(b24_rules_var(rules, 4), "$status$cookie_a", "status");
    is_int(b24_rules_var_late(rules, 0), 0, "a cookie is early");
    is_int(b24_rules_var_late(rules, 1), 1, "$upstream_ is late");
    is_int(b24_rules_var_late(rules, 2), 1, "$sent_ is late");
    is_int(b24_rules_var_late(rules, 3), 0, "$http_status is early");
    is_int(b24_rules_var_late(rules, 4), 1, "$status is late");

    is_int(b24_shop_needs_body(s, 1 << 0), 0, "a needs no body");
    is_int(b24_shop_needs_body(s, 1 << 1), 1, "b needs the body");
    is_int(b24_shop_needs_body(s, 0xd), 0, "a, c, d need no body");
    is_int(b24_shop_needs_body(s, 0xf), 1, "all need the body");
    is_int(b24_shop_needs_answer(s, 0x3), 0, "headers are no answer");
    is_int(b24_shop_needs_answer(s, 0x4), 1, "c needs the answer");
    is_int(b24_shop_needs_answer(s, 0x8), 0, "d doesn't");
    is_int(b24_shop_has_order(s, 0x8), 1, "an order");
    is_int(b24_shop_has_order(s, 0), 0, "no order");

    headers = 0;
    b24_shop_headers(s, 0x3, count_header, &headers);
    is_int(headers, 3, "headers by name, once a block");

    vars = 0;
    is_int(b24_shop_vars(s, 0xf, sum_var, &vars), 0, "templates");
    is_int((long long) vars, 1 + 2 + 3 + 4 + 5, "each once");
    is_int(b24_shop_vars(s, 0x4, stop_var, &vars), 11, "stops");

    is_str(b24_rule_name(b24_shop_rule(s, 1)), "b", "rule 1");
    is_int(b24_rule_kind(b24_shop_rule(s, 1)), B24_RULE_ORDER, "its kind");
    ok(b24_shop_rule(s, 4) == NULL, "no rule 4");

    b24_pool_destroy(pool);
}


static const b24_shop_t *
heir(b24_pool_t *pool, const char *text)
{
    b24_str_t          name;
    b24_rules_t       *rules;
    const b24_shop_t  *shop;

    rules = b24_rules_create(pool);

    if (conf_load(pool, rules, text) != B24_OK) {
        printf("Bail out! %s\n", b24_rules_error(rules));
        exit(1);
    }

    name = str("heir");
    shop = b24_rules_find(rules, &name);

    if (shop == NULL) {
        printf("Bail out! there is no heir\n");
        exit(1);
    }

    return shop;
}


static int
count_conds(const b24_cond_t *cond)
{
    int  n;

    for (n = 0; cond; cond = cond->next) {
        n++;
    }

    return n;
}


static void
test_heirs(void)
{
    b24_str_t           status;
    b24_pool_t         *pool;
    const b24_rule_t   *rule;
    const b24_shop_t   *s;
    const b24_pair_t   *stages;
    const b24_named_t  *named;

    pool = b24_pool_create(0);

    s = heir(pool, BASE "} b24_shop heir : base { stage P EXECUTING; stage F WON;"
             " order new { id response:/n; }"
             " order save { phone request:/tel; when request:/z; deal UF_B text:bb; deal UF_C text:c; }"
             " order newer { id response:/n; } }");

    is_str(b24_rule_name(b24_shop_rule(s, 0)), "new", "new blocks come first");
    is_str(b24_rule_name(b24_shop_rule(s, 1)), "newer", "in their order");
    is_str(b24_rule_name(b24_shop_rule(s, 2)), "save", "then the base's");
    is_str(b24_rule_name(b24_shop_rule(s, 3)), "other", "in its order");
    ok(b24_shop_rule(s, 4) == NULL, "no more");

    rule = b24_shop_rule(s, 2);
    is_int(count_conds(rule->when), 1, "when lines are replaced as a whole");
    is_int(count_conds(rule->accept), 1, "accept lines are inherited");
    is_str(&rule->fields[B24_ORDER_PHONE].alts->sources->ptr.steps->key, "tel", "a field is replaced");
    ok(rule->fields[B24_ORDER_COMMENT].alts != NULL, "others are inherited");
    ok(rule->uri && b24_str_eqs(&rule->uri->text, "/a"), "uri is inherited");

    named = rule->pairs[B24_PAIRS_DEAL];
    is_str(&named->name, "UF_B", "deal UF_B");
    is_str(&named->value.alts->sources->text, "bb", "is replaced");
    is_str(&named->next->name, "UF_C", "deal UF_C is new");
    is_str(&named->next->next->name, "UF_A", "deal UF_A is inherited");
    ok(named->next->next->next == NULL, "no more");

    stages = b24_shop_stages(s);
    is_str(&stages->name, "N", "stages: the base's");
    is_str(&stages->next->name, "P", "single ones over them");
    is_str(&stages->next->value, "EXECUTING", "replaced");
    is_str(&stages->next->next->value, "WON", "new");
    status = str("P");
    is_str(b24_shop_stage(s, &status), "EXECUTING", "looked up");
    status = str("X");
    ok(b24_shop_stage(s, &status) == NULL, "an unknown status has none");
    is_str(b24_shop_default_status(s), "N", "default_status is inherited");
    is_int((long long) s->nsessions, 1, "session is inherited");

    s = heir(pool, BASE "} b24_shop heir : base { session $cookie_x; session $cookie_y; default_status P; order save off; }");
    is_str(b24_rule_name(b24_shop_rule(s, 0)), "other", "off removes");
    ok(b24_shop_rule(s, 1) == NULL, "only that one");
    is_int((long long) s->nsessions, 2, "session lines replace");
    is_str(b24_shop_default_status(s), "P", "default_status replaces");

    s = heir(pool, BASE "order alone { session off; id response:/i; } } b24_shop heir : base { order alone { phone request:/p; } }");
    is_int(s->rules[0]->alone + s->rules[1]->alone + s->rules[2]->alone, 1,
           "session off is inherited");

    /* unnamed blocks */

    s = heir(pool, BASE "order { id response:/u; uri /u; } } b24_shop heir : base { order { phone request:/p; } }");
    is_int(s->nrules, 3, "the only unnamed block inherits from the only one");
    ok(s->rules[2]->uri && s->rules[2]->fields[B24_ORDER_PHONE].alts, "both lines");

    s = heir(pool, BASE "order { id response:/u; } } b24_shop heir : base { order { id request:/p; } order { id request:/q; } }");
    is_int(s->nrules, 5, "two unnamed ones are new");
    is_int(s->rules[0]->nr, 0, "numbered");
    is_int(s->rules[1]->nr, 1, "in their order");
    is_int(s->rules[4]->nr, 2, "the base's behind them");

    s = heir(pool, BASE "order { id response:/u; } } b24_shop heir : base { order off; }");
    is_int(s->nrules, 2, "order off removes the only unnamed one");

    s = heir(pool, BASE "status { id query:/i; } collect { total request:/t; } } b24_shop heir : base { status { status query:/s; } }");
    is_int(s->nrules, 4, "kinds are told apart");
    is_int(s->rules[2]->kind, B24_RULE_STATUS, "status");
    ok(s->rules[2]->fields[B24_ORDER_STATUS].alts && s->rules[2]->fields[B24_ORDER_ID].alts, "inherits");

    s = heir(pool, BASE "} b24_shop mid : base { order save { total request:/t; } } b24_shop heir : mid { order save { tax request:/x; } }");
    ok(s->rules[0]->fields[B24_ORDER_TOTAL].alts && s->rules[0]->fields[B24_ORDER_TAX].alts && s->rules[0]->fields[B24_ORDER_PHONE].alts, "an heir of an heir");

    s = heir(pool, "b24_shop a { collect { learn p request:/x; } } b24_shop heir : a { order { id response:/i; phone \"request:/P%{p}\"; } }");
    is_int(s->nrules, 2, "learned names are inherited");

    s = heir(pool, "b24_shop a { database { order \"SELECT 1\"; items \"SELECT 2\"; } } b24_shop heir : a { database { order \"SELECT 3\"; } }");
    ok(s->raw && b24_str_eqs(&s->raw->args[0], "SELECT 3") && b24_str_eqs(&s->raw->next->args[0], "SELECT 2") && s->raw->next->next == NULL, "statements replace those of their name");

    b24_pool_destroy(pool);
}


/* every failed allocation is noticed: a pool of each size up to enough */
static void
test_memory(void)
{
    int           rc, failed;
    size_t        limit;
    b24_pool_t   *pool, *tokens;
    b24_rules_t  *rules;

    failed = 0;
    rc = B24_ERROR;
    tokens = b24_pool_create(0);

    for (limit = 64; rc != B24_OK && limit < 1 << 20; limit += 64) {
        pool = b24_pool_create(limit);
        rules = b24_rules_create(pool);

        if (rules) {
            rc = conf_load(tokens, rules, BASE "collect { learn p request:/x; } } b24_shop s : base { order save { items response: \"~~(?<a>.)\" { name \"x%{/a}$b\"; when /a !~x; } accept header:X =1; id \"request:/x%{p}\"; } }");

            if (rc == B24_DECLINED) {
                failed++;
            }
        }

        b24_pool_destroy(pool);
    }

    is_int(rc, B24_OK, "compiles with enough memory");
    is_int(failed, 0, "with less it is an error, never a wrong sentence");

    b24_pool_destroy(tokens);
}


int
main(void)
{
    b24_str_t     arg;
    b24_pool_t   *pool;
    b24_rules_t  *rules;

    test_rights();
    test_wrongs();
    test_many();
    test_needs();
    test_heirs();
    test_memory();

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);
    arg = str("order");
    is_int(b24_rules_line(rules, &arg, 1), B24_DECLINED, "a line outside of a shop");
    is_int(b24_rules_open(rules, &arg, 1), B24_DECLINED, "a block outside of a shop");
    is_int(b24_rules_close(rules), B24_DECLINED, "an end outside of a shop");
    b24_pool_destroy(pool);

    return done_testing();
}
