#!/usr/bin/perl

# The portal emulator itself: every rule of the REST interface it claims to
# keep, its faults and its control.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use B24::PortalProcess;
use B24::Portal::Decimal qw(scaled unscaled product total quotient);
use B24::Portal::Limits;
use B24::Portal::Php qw(array_of json_decode json_encode parse_str parse_url);
use B24::Portal::Schema qw(default_config);
use B24::Portal::Store;

use IO::Socket::INET;
use IPC::Open2 qw(open2);
use Mojo::File ();
use Mojo::IOLoop;
use Mojo::UserAgent;
use Mojo::Util qw(encode url_escape);
use Test::More;
use Time::HiRes ();

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $portal = B24::PortalProcess->new(tls => 1);
my $ua = Mojo::UserAgent->new(inactivity_timeout => 60,
                                 max_response_size => 0);

$ua->proxy->detect(0);


# a new portal whose bucket isn't in the way
sub fresh {
    my (%config) = @_;

    $portal->reset(config => {bucket => {enabled => 0}, %config});

    return;
}


# a call with a JSON body: (HTTP status, decoded answer)
sub rest {
    my ($method, $params) = @_;

    my $res = $ua->post($portal->url . $method => json => $params // {})->res;

    return wantarray ? ($res->code, $res->json) : $res->json;
}


sub result { return rest(@_)->{result} }


# commands in order: name => command, ...; decoded "result" of the batch
sub batch {
    my ($halt, @commands) = @_;

    return result('batch', {halt => $halt, cmd => ordered(@commands)})
        if @commands <= 2;

    my @pairs;

    while (my ($name, $command) = splice @commands, 0, 2) {
        push @pairs, Mojo::JSON::to_json($name) . ':'
                   . Mojo::JSON::to_json($command);
    }

    my $body = qq({"halt":$halt,"cmd":{) . join(',', @pairs) . '}}';
    my $res = $ua->post($portal->url . 'batch',
        {'Content-Type' => 'application/json'}, encode('UTF-8', $body))->res;

    return $res->json->{result};
}


sub ordered { return {@_} }


# bytes on a socket until it closes
sub raw {
    my ($request) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $portal->port) or die "connect: $!\n";

    print {$socket} $request;
    local $/;

    return scalar <$socket>;
}


sub error_of {
    my ($method, $params) = @_;

    my ($status, $json) = rest($method, $params);

    return exists $json->{error} ? "$status/$json->{error}" : "$status";
}


# the same, answered by PHP itself
sub ask_php {
    my ($code, $data) = @_;

    my $pid = open2(my $out, my $in, 'php', '-d', 'display_errors=stderr',
                    '-d', 'error_reporting=0', '-r', $code);

    print {$in} Mojo::JSON::encode_json($data);
    close $in;

    my $text = do { local $/; <$out> };
    waitpid $pid, 0;

    return Mojo::JSON::decode_json($text);
}


subtest 'PHP: parse_str, parse_url and JSON as PHP has them' => sub {
    my @queries = (
        'a=1&a=2', 'a[]=1&a[]=2', 'a[x]=1&a[y][z]=2&a[y][]=3', 'a.b c=1',
        '[a]=1', 'a[b=1', 'a[b]c=1', 'a[b][c=1', 'a[ ]=1', 'a[ b]=1',
        'a=1&a[b]=2', 'a[b]=1&a=2', 'a[3]=x&a[]=y&a[-5]=z&a[]=w', 'a%00b=1',
        'a=1%002', '=1', '&&a=1&&', 'a', 'a=b=c', 'a+b=c+d', '%61=%62%2',
        'a[b].c=1', 'a[[b]]=1', 'a]b=1', ' a=1', '+a=1', 'a[01]=x&a[]=y',
        'a[b.c]=1&d.e[f.g]=2', 'a[1.5]=1', 'filter%5B%3DoriginId%5D=1',
        'filter[%3DoriginId]=1', 'a[b]=', 'a[]', 'a[b][]=1&a[b][]=2', 'a[=1',
        'a[b c.d=1', 'a..b=1', '.a=1', '_=1', 'a[%5D]=1',
        'a[9223372036854775807]=1',
        join('&', map { "v$_=$_" } 1 .. 1005),
        'deep' . '[x]' x 70 . '=1', 'deep' . '[x]' x 63 . '=1',
    );

    srand 20_241;
    my @alphabet = ('a', 'b', '[', ']', '.', ' ', '=', '&', '+', '%5B', '%5D',
                    '%20', '1', '0', '-', '_', '%00', 'x');

    for (1 .. 1500) {
        push @queries, join '', map { $alphabet[rand @alphabet] }
                                1 .. 1 + rand 14;
    }

    my $php = ask_php('$in = json_decode(stream_get_contents(STDIN), true);'
        . 'echo json_encode(array_map(function ($q) { $r = [];'
        . ' parse_str($q, $r); return json_encode($r, JSON_HEX_TAG'
        . ' | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT); }, $in));',
        \@queries);
    my @wrong = grep {
        json_encode(parse_str($queries[$_])) ne $php->[$_]
    } 0 .. $#queries;

    is @wrong, 0, scalar(@queries) . ' queries as parse_str reads them';
    diag "$queries[$_]: " . json_encode(parse_str($queries[$_]))
       . " but PHP $php->[$_]" for splice @wrong, 0, 5;

    my @urls = ('crm.deal.add?a=1', 'crm.deal.add', 'a?b#c', 'a#b?c', '?a=1',
                'a?b?c', 'a?', 'm?t=12:30', 'm?u=http://x/y:8#f', "m?a=\x01\n",
                'crm.item.list?filter[>=id]=1');
    my $parsed = ask_php('$in = json_decode(stream_get_contents(STDIN), true);'
        . 'echo json_encode(array_map(function ($u) { $p = parse_url($u);'
        . ' return [$p["path"] ?? null, $p["query"] ?? null]; }, $in));',
        \@urls);

    for my $index (0 .. $#urls) {
        is_deeply [map { $_ // '' } parse_url($urls[$index])],
            [map { $_ // '' } @{$parsed->[$index]}],
            'parse_url ' . $urls[$index] =~ s/[^ -~]/./gr;
    }

    my @texts = (
        '{"a":[1,2.50,795.00,1e30,0.1,-0,1e15,1e17,0.00001],"b":{},"c":[]}',
        '"\u041f\ud83d\ude00/<>&\'\" \b\f\n\r\t\u007f"', '[1,]', '{a:1}',
        '{"a":1,"a":2,"b":3}', 'TRUE', '"\ud83d"', '[01]', '{"0":1,"1":2}',
        '{"1":1}', ' [ 1 , 2 ] ', "\"a\nb\"", '12345678901234567890',
        '[' x 600 . ']' x 600, 'nul', '{"a":1} x', '', '"\x"', '[1.]',
        '{"\u0000a":1}', '{"":1}',
    );
    my $json = ask_php('$in = json_decode(stream_get_contents(STDIN), true);'
        . 'echo json_encode(array_map(function ($t) {'
        . ' $v = json_decode($t, true); if (json_last_error()) return "error";'
        . ' return json_encode($v, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS'
        . ' | JSON_HEX_QUOT); }, $in));', \@texts);

    for my $index (0 .. $#texts) {
        my $value = eval { [json_decode(encode 'UTF-8', $texts[$index])] };
        my $name = substr $texts[$index] =~ s/[^ -~]/./gr, 0, 60;

        is $value ? json_encode($value->[0]) : 'error', $json->[$index],
            "json $name";
    }

    ok !eval { json_decode("\"\xff\""); 1 }, 'invalid UTF-8 is not JSON';
    ok !eval { json_encode("\xff"); 1 }, 'and cannot be encoded';
};


subtest 'decimals are exact' => sub {
    is unscaled(scaled('1990.005', 2), 2), '1990.01', 'half away from zero';
    is unscaled(scaled('-0.005', 2), 2), '-0.01', 'also below zero';
    is unscaled(total(scaled('0.1', 2), scaled('0.2', 2)), 2), '0.30', 'sum';
    is unscaled(product(scaled('9999999999999.99', 2),
                        scaled('99999.9999', 4)), 6),
        '999999998999999000.000001', 'beyond 64 bits';
    is quotient(7, 2), 4, 'quotient';
    is quotient(-7, 2), -4, 'quotient below zero';
    is quotient('700000000000000000000', 3), '233333333333333333333',
        'quotient beyond 64 bits';

    srand 7;

    my $wrong = grep {
        my ($one, $two) = (int(rand 4e6) - 2e6, 1 + int rand 999);
        my $exact = int((2 * abs($one) + $two) / (2 * $two));

        quotient($one, $two) != ($one < 0 ? -$exact : $exact);
    } 1 .. 300;

    is $wrong, 0, 'as many quotients as you like';
};


subtest 'a call: path, verbs, bodies' => sub {
    fresh();

    my $url = $portal->url;

    is_deeply result('profile'),
        {ID => '1', ADMIN => Mojo::JSON->true, NAME => 'Integration',
         LAST_NAME => 'Shop', PERSONAL_GENDER => '', TIME_ZONE => ''},
        'profile';
    ok result('profile.json')->{ID}, '.json may be there';
    ok result('PROFILE')->{ID}, 'a method in any case';
    like $ua->get("${url}profile.xml")->res->body,
        qr{<response><result><ID>1</ID>}, '.xml is XML';
    is $ua->get("${url}profile")->res->json->{result}{ID}, '1', 'GET works';
    like $ua->get("${url}profile")->res->headers->content_type,
        qr{\Aapplication/json; charset=utf-8\z}, 'content type';

    my $add = sub {
        my ($query, $headers, $body) = @_;

        my $id = $ua->post("${url}crm.deal.add$query", $headers, $body)
            ->res->json->{result};

        return $ua->post("${url}crm.deal.get" => json => {id => $id})
            ->res->json->{result}{TITLE} =~ s/#\d+/#/r;
    };
    my %form = ('Content-Type' => 'application/x-www-form-urlencoded');
    my %json = ('Content-Type' => 'application/json');

    is $add->('', \%form, 'fields[TITLE]=%D0%A7%D0%B0%D0%B9'),
        'Чай', 'urlencoded with PHP brackets';
    is $add->('', {'Content-Type' => 'multipart/form-data; boundary=b'},
        "--b\r\nContent-Disposition: form-data; name=\"fields[TITLE]\"\r\n\r\n"
        . "Multi\r\n--b--\r\n"), 'Multi', 'multipart';
    is $add->('', \%json, '{"fields":{"TITLE":"J"}}'), 'J', 'JSON';
    is $add->('', {'Content-Type' => 'application/json; charset=UTF-8'},
        '{"fields":{"TITLE":"J"}}'), 'J', 'JSON with a charset';
    is $add->('', {'Content-Type' => 'application/jsonx'},
        '{"fields":{"TITLE":"J"}}'), 'Deal #', 'another media type is no JSON';
    is $add->('?fields[TITLE]=Q', \%json, '{"x":1}'), 'Q',
        'query and body are merged';
    is $add->('', \%json, '{"fields":{"TITLE":"J"}'), 'Deal #',
        'invalid JSON is no parameters, and an empty deal is made';
    is $add->('', \%json, ''), 'Deal #', 'so is an empty body';
    is $add->('', \%json, '{"FIELDS":{"TITLE":"U"}}'), 'U', 'FIELDS';

    my $tx = $ua->build_tx(GET => "${url}crm.deal.get", \%json, '{"id":1}');
    is $ua->start($tx)->res->json->{error_description},
        'ID is not defined or invalid.', 'a JSON body of a GET is ignored';
};


subtest 'who may call' => sub {
    fresh();

    my $base = $portal->base;
    my $get = sub {
        my $res = $ua->get("$base/rest/$_[0]")->res;

        return join '/', $res->code, $res->json->{error};
    };

    is $get->('1/wrong/profile'), '403/INVALID_CREDENTIALS', 'wrong code';
    is $get->('2/code1234567890ab/profile'), '401/NO_AUTH_FOUND', 'wrong user';
    is $get->('profile.json'), '401/NO_AUTH_FOUND', 'no webhook in the path';
    is $get->('1/wrong/crm.nonsense'), '404/ERROR_METHOD_NOT_FOUND',
        'an unknown method is reported before credentials are looked at';

    $portal->config(webhook => {auth_status => 401});
    is $get->('1/wrong/profile'), '401/INVALID_CREDENTIALS',
        'older servers say 401 for all';

    fresh(webhook => {state => 'authorization_error'});
    is error_of('profile'), '401/authorization_error', 'owner dismissed';

    fresh(scopes => ['crm']);
    is error_of('catalog.catalog.list'), '403/insufficient_scope', 'scope';
    is error_of('user.current'), '403/insufficient_scope', 'scope of users';
    is_deeply result('scope'), ['crm'], 'scope lists what is granted';
    is_deeply result('method.get', {name => 'catalog.catalog.list'}),
        {isExisting => Mojo::JSON->true, isAvailable => Mojo::JSON->false},
        'method.get: there, not available';
    is_deeply result('method.get', {name => 'crm.deal.add'}),
        {isExisting => Mojo::JSON->true, isAvailable => Mojo::JSON->true},
        'method.get: available';
    is_deeply result('method.get', {name => 'no.such'}),
        {isExisting => Mojo::JSON->false, isAvailable => Mojo::JSON->false},
        'method.get: not there';

    my $in_batch = batch(0, a => 'catalog.catalog.list', b => 'profile',
                         c => 'scope');
    is $in_batch->{result_error}{a}{error}, 'insufficient_scope',
        'the scope is checked per command';
    ok $in_batch->{result}{b}, 'the others run';

    fresh(https_only => 1);
    is error_of('profile'), '400/INVALID_REQUEST', 'plain http';

    my $secure = Mojo::UserAgent->new(ca => $portal->ca);
    $secure->proxy->detect(0);
    is $secure->get($portal->tls_url . 'profile')->res->json->{result}{ID}, '1',
        'https, its certificate verified';

    my $stranger = B24::PortalProcess->new(tls => 'wrong_host');
    ok +Mojo::UserAgent->new(ca => $stranger->ca)
        ->get($stranger->tls_url . 'profile')->error,
        'a certificate for another name, when wanted';
    $stranger->stop;

    fresh();
    like result('server.time'), qr/\A\d{4}-\d\d-\d\dT[\d:]{8}\+03:00\z/,
        'server.time';
    is result('app.info')->{LICENSE}, 'ru_std', 'app.info';
    is result('user.current')->{ID}, '1', 'user.current';
    is result('crm.settings.mode.get'), 2, 'crm.settings.mode.get';
};


subtest 'the envelope' => sub {
    fresh();

    my $body = $ua->post($portal->url . 'crm.deal.list' => json =>
        {filter => {'=ORIGIN_ID' => 'none'}})->res->body;
    like $body, qr/\A\{"result":\[\],"total":0,"time":\{"start":/,
        'an empty list, its total, its time';

    my $json = rest('profile');
    is_deeply [sort keys %{$json->{time}}],
        [sort qw(start finish duration processing date_start date_finish)],
        'time, without counters while the limiter is off';

    rest('crm.contact.add', {fields => {NAME => "Пётр </b> & \"Co\" 'x' 😀"}});
    $body = $ua->post($portal->url . 'crm.contact.get' => json =>
                         {id => 55})->res->body;
    my $name = '"NAME":"\u041f\u0451\u0442\u0440 \u003C\/b\u003E \u0026 '
             . '\u0022Co\u0022 \u0027x\u0027 \ud83d\ude00"';
    like $body, qr/\Q$name\E/, 'escaped as PHP does';

    my ($status, $answer) = rest('crm.deal.get', {id => 999});
    is_deeply [$status, $answer],
        [400, {error => '', error_description => 'Not found'}],
        'an empty error code';

    rest('crm.contact.add', {fields => {NAME => 'ok'}});
    my $bad = $ua->post($portal->url . 'crm.contact.update',
        {'Content-Type' => 'application/x-www-form-urlencoded'},
        'id=56&fields[NAME]=%FF')->res;
    is $bad->json->{result}, Mojo::JSON->true, 'invalid UTF-8 goes in';
    my $out = $ua->get($portal->url . 'crm.contact.get?id=56')->res;
    is_deeply [$out->code, $out->json->{error}], [200, 'WRONG_ENCODING'],
        'and cannot come out, with a 200';
};


subtest 'batch' => sub {
    fresh();

    my $res = batch(0, who => 'profile', st => 'crm.status.list?'
        . 'filter%5BENTITY_ID%5D=DEAL_STAGE', bad => 'crm.deal.get?id=999');
    is $res->{result}{who}{ID}, '1', 'a result';
    is $res->{result_total}{st}, 8, 'result_total';
    is_deeply $res->{result_error},
        {bad => {error => '', error_description => 'Not found'}},
        'result_error';
    is_deeply $res->{result_next}, [], 'an empty map is []';
    is_deeply [sort keys %{$res->{result_time}}], ['st', 'who'],
        'times of what succeeded';
    ok !exists $res->{result}{bad}, 'a failed command has no result';

    my ($status, $json) = rest('batch', {cmd => {a => 'crm.deal.get?id=999'}});
    is $status, 200, '200 even when every command failed';
    is_deeply $json->{result}{result}, [], 'all maps [] when empty';
    is_deeply $json->{result}{result_time}, [], 'times too';

    $res = batch(1, a => 'profile', b => 'crm.deal.get?id=999', c => 'scope');
    is_deeply [sort keys %{$res->{result}}], ['a'], 'halt: stops';
    is_deeply [keys %{$res->{result_error}}], ['b'],
        'what was not run is in neither map, though the code was empty';

    for my $halt ('"false"', '"N"', '"1"', '[0]') {
        $res = batch($halt, a => 'crm.deal.get?id=999', b => 'scope',
                     c => 'scope');
        is_deeply $res->{result}, [], "halt is PHP's truth: $halt";
    }

    for my $halt ('"0"', '""', 'false', 'null', '[]') {
        $res = batch($halt, a => 'crm.deal.get?id=999', b => 'scope',
                     c => 'scope');
        is keys %{$res->{result}}, 2, "and its falsehood: $halt";
    }

    $res = result('batch', {halt => 0, cmd => ['profile', 'scope']});
    is ref $res->{result}, 'ARRAY', 'a list of commands gives lists';
    $res = result('batch', {halt => 0, cmd => ['crm.no', 'scope']});
    is_deeply [ref $res->{result}, keys %{$res->{result}}], ['HASH', '1'],
        'unless the first is missing';

    $res = result('batch', {cmd => {a => {method => 'profile', params => {}},
                                    b => 'scope'}});
    is_deeply [keys %{$res->{result}}], ['b'], 'an object is passed over';
    is_deeply $res->{result_error}, [], 'without an error';

    $res = batch(0, map { ("c$_" => 'server.time') } 1 .. 52);
    is keys %{$res->{result}}, 50, '50 commands run';
    is_deeply [sort keys %{$res->{result_error}}], ['c51', 'c52'],
        'the others do not';
    is $res->{result_error}{c51}{error}, 'ERROR_BATCH_LENGTH_EXCEEDED',
        'and say so';

    $res = batch(0, a => 'batch?cmd[x]=profile', b => 'BATCH', c => 'scope');
    is $res->{result_error}{a}{error}, 'ERROR_BATCH_METHOD_NOT_ALLOWED',
        'no batch in a batch';
    is $res->{result_error}{b}{error}, 'ERROR_BATCH_METHOD_NOT_ALLOWED',
        'in no case';

    $res = batch(0,
        a => 'crm.deal.add?fields[TITLE]=one#two&fields[ORIGIN_ID]=7',
        b => 'crm.deal.get?id=$result[a]',
        c => 'crm.deal.add?fields[TITLE]=a+b',
        d => 'crm.deal.get?id=$result[c]');
    is_deeply [@{$res->{result}{b}}{qw(TITLE ORIGIN_ID)}], ['one', undef],
        'a raw # cuts';
    is $res->{result}{d}{TITLE}, 'a b', 'a raw + is a blank';

    my $rows = join '&', map {
        "rows[$_][PRODUCT_NAME]=p$_&rows[$_][PRICE]=1&rows[$_][QUANTITY]=1"
        . "&rows[$_][SORT]=$_"
    } 0 .. 299;
    $res = batch(1, d => 'crm.deal.add?fields[TITLE]=x',
        r => 'crm.deal.productrows.set?id=$result[d]&' . $rows,
        g => 'crm.deal.productrows.get?id=$result[d]');
    is @{$res->{result}{g}}, 250,
        'variables past the thousandth vanish, and rows with them';

    my $form = $ua->post($portal->url . 'batch' => form => {
        halt => 1, 'cmd[a]' => 'crm.deal.list?filter%5B%3DTITLE%5D=x'})
        ->res->json->{result};
    is $form->{result}{a}[0]{TITLE}, 'x', 'urlencoded: encoded twice';

    is_deeply $portal->report->{journal}[-1]{commands}[0]{params},
        {filter => {'=TITLE' => 'x'}}, 'the journal knows the commands';
};


subtest 'references' => sub {
    fresh();

    # contact -> 55, find -> [], find2 -> {"CONTACT":[55]}, list -> one contact
    my @before = (
        contact => 'crm.contact.add?fields[NAME]=Ann'
            . '&fields[PHONE][0][VALUE]=%2B79123456789',
        find  => 'crm.duplicate.findbycomm?type=PHONE&values[0]=%2B70000000000'
               . '&entity_type=CONTACT',
        find2 => 'crm.duplicate.findbycomm?type=PHONE&values[0]=%2B79123456789'
               . '&entity_type=CONTACT',
        list  => 'crm.contact.list?filter[ID]=55&select[]=NAME',
    );

    # what a comment becomes; scope echoes nothing, so it goes through a deal
    my $text = sub {
        my ($value) = @_;

        my $res = batch(0, @before,
            d => 'crm.deal.add?fields[COMMENTS]='
                . url_escape(encode 'UTF-8', $value),
            g => 'crm.deal.get?id=$result[d]');
        $portal->reset(config => {bucket => {enabled => 0}});

        return $res->{result}{g}{COMMENTS};
    };

    is $text->('$result[contact]'), '55', 'a whole value';
    is $text->('$result[find2][CONTACT]'), 'Array', 'an array';
    is $text->('$result[find2][CONTACT][0]'), '55', 'a path';
    is $text->('$result[contact][foo]'), '55', 'a path too long stops';
    is $text->('x$result[contact]y'), 'x55', 'embedded, swallowing its tail';
    is $text->('Order for $result[list][0][NAME], ok'), 'Order for Ann ok',
        'up to white space';
    is $text->('$result[contact]$result[list][0][ID]'), '55', 'one match';
    is $text->('text $result[find2] text'), 'text $result[find2] text',
        'an array cannot be embedded';
    is $text->('$RESULT[contact]'), '', 'other case: null';
    is $text->('$result[nope][ID]'), 'Array', 'dangling: all results';
    is $text->('$resultant[a][b]'), 'Array', 'a prefix is enough';
    is $text->('$total[list]'), '1', '$total';
    is $text->('$result'), '$result', 'without brackets: as it is';
    is $text->('$result[]'), '$result[]', 'nor with empty ones';
    is $text->('a $result[list][0][NAME] b $result[contact] c'), 'a Ann b 55 c',
        'several';
    is $text->("\x{ff04}result[contact]"), "\x{ff04}result[contact]",
        'another dollar sign is nothing';
    is $text->('%24result[contact]'), '%24result[contact]',
        'scanned once, after decoding';

    fresh();
    my $res = batch(0, @before,
        a => 'crm.contact.list?filter[@ID]=$result[find2][CONTACT]'
           . '&select[]=NAME',
        k => 'crm.deal.add?fields[$result[list][0][NAME]]=1&fields[TITLE]=t',
        u => 'crm.deal.list?filter[$result]=1');
    is $res->{result}{a}[0]{NAME}, 'Ann', 'an array passes as an array';

    fresh();
    $res = batch(0, d => 'crm.deal.add?fields[CURRENCY_ID]=XXX',
        r => 'crm.deal.productrows.set?id=$result[d]&rows[0][PRODUCT_NAME]=x'
           . '&rows[0][PRICE]=5', s => 'scope');
    is $res->{result_error}{d}{error}, '', 'the deal failed';
    is $res->{result_error}{r}{error_description}, 'The parameter id is '
        . 'invalid or not defined.', 'nothing before it: an empty array is 0';

    $res = batch(0, s => 'scope', d => 'crm.deal.add?fields[CURRENCY_ID]=XXX',
        r => 'crm.deal.productrows.set?id=$result[d]&rows[0][PRODUCT_NAME]=x'
           . '&rows[0][PRICE]=5');
    is $res->{result}{r}, Mojo::JSON->true,
        'something before it: the call runs';
    my $report = $portal->report;
    is $report->{foreign}{deal}{rows}, 1,
        '(int) of an array is 1: the rows of deal 1 are overwritten';
    ok $report->{foreign_touched}, 'and the report tells';

    fresh();
    $res = batch(0, s => 'scope',
        r => 'crm.item.productrow.set?ownerType=D&ownerId=$result[d]'
           . '&productRows[0][productName]=x&productRows[0][price]=5',
        i => 'crm.item.update?entityTypeId=2&id=$result[d]&fields[title]=x');
    is_deeply [map { $res->{result_error}{$_}{error} } qw(r i)], ['100', '100'],
        'typed arguments refuse an array';
    ok !$portal->report->{foreign_touched}, 'nothing of others was touched';

    $res = batch(1, c => 'crm.item.add?entityTypeId=3&fields[name]=Ivan',
        d => 'crm.item.add?entityTypeId=2&fields[title]=x'
           . '&fields[contactIds][0]=$result[c][item][id]',
        r => 'crm.item.productrow.set?ownerType=D'
           . '&ownerId=$result[d][item][id]&productRows[0][productName]=Mug'
           . '&productRows[0][price]=795.00&productRows[0][quantity]=2');
    is_deeply $res->{result_error}, [], 'a chain of universal methods';
    my $deal = $portal->report->{deals}[0];
    is_deeply $deal->{contact_ids}, [$res->{result}{c}{item}{id}], 'linked';
    is $deal->{rows_sum}, '1590.00', 'with its rows';

    # all that was on purpose
    $portal->forgive;
};


# Nobody has any business with the records that are there from the start
subtest 'the canary' => sub {
    fresh();

    is_deeply [$portal->spoiled], [], 'nothing has happened';

    my $seed = $portal->report->{foreign};
    is_deeply [map { $seed->{$_}{fields}{TITLE} // $seed->{$_}{fields}{NAME} }
               qw(contact company deal)],
        ['Somebody', 'Somebody else', 'A deal of somebody else'], 'the seed';
    is_deeply [@{$seed->{deal}{fields}}{qw(OPPORTUNITY STAGE_ID)},
               $seed->{deal}{rows}], ['77.00', 'NEW', 0], 'of the deal';

    # what a method does to it: name => [pattern of the first line, calls]
    my @cases = (
        ['a field of the deal' => qr/\Adeal 1: COMMENTS: null became x\z/,
         'crm.deal.update', {id => 1, fields => {COMMENTS => 'x'}}],
        ['through a dangling reference' => qr/\Adeal 1: rows: \[\] became .*"x"/,
         'batch', {cmd => ['scope', 'crm.deal.productrows.set?id=$result[d]'
                                    . '&rows[0][PRODUCT_NAME]=x']}],
        ['its rows, universal' => qr/\Adeal 1: rows: /,
         'crm.item.productrow.set', {ownerId => 1, ownerType => 'D',
             productRows => [{productName => 'x', price => 1}]}],
        ['a comment' => qr/\Acontact 1: comments: /,
         'crm.timeline.comment.add', {fields => {ENTITY_ID => 1,
             ENTITY_TYPE => 'contact', COMMENT => 'x'}}],
        ['a phone' => qr/\Acontact 1: .*PHONE: /, 'crm.contact.update',
         {id => 1, fields => {PHONE => [{VALUE => '+79160000000'}]}}],
        ['a field of the company' => qr/\Acompany 1: TITLE: Somebody else became x/,
         'crm.item.update', {entityTypeId => 4, id => 1,
                             fields => {title => 'x'}}],
        ['a link' => qr/\Acontact 1: COMPANY_IDS: \[\] became \[1\]/,
         'crm.contact.company.add', {id => 1, fields => {COMPANY_ID => 1}}],
        ['a deal of theirs' => qr/\Alinked to them:  became deal 410\z/,
         'crm.deal.add', {fields => {CONTACT_IDS => [1]}}],
        ['a requisite of theirs' => qr/\Alinked to them:  became requisite 27\z/,
         'crm.requisite.add', {fields => {ENTITY_TYPE_ID => 4, ENTITY_ID => 1,
             PRESET_ID => 1, NAME => 'x'}}],
        ['gone' => qr/\Acontact 1: is there became is gone\z/,
         'crm.contact.delete', {id => 1}],
    );

    for my $case (@cases) {
        my ($name, $pattern, $method, $params) = @$case;

        fresh();
        is_deeply [$portal->spoiled], [], "$name: not yet";
        result($method, $params);

        my @lines = grep { !/: (?:DATE_MODIFY|HAS_PHONE): / } $portal->spoiled;
        ok scalar(grep { $_ =~ $pattern } @lines), "$name: seen"
            or diag join "\n", @lines;

        fresh();
        is_deeply [grep { !/: (?:DATE_MODIFY|HAS_PHONE): / } $portal->spoiled],
            \@lines, "$name: a reset forgets nothing";
        $portal->forgive;
    }

    # a change and back is two changes, but nothing that stays
    result('crm.deal.get', {id => 1});
    result('crm.item.list', {entityTypeId => 3});
    batch(1, c => 'crm.contact.add?fields[NAME]=x',
          d => 'crm.deal.add?fields[CONTACT_IDS][0]=$result[c]',
          r => 'crm.deal.productrows.set?id=$result[d]'
             . '&rows[0][PRODUCT_NAME]=x',
          g => 'crm.deal.list?filter[@ID]=$result[d]&select[]=$result'
             . '&select[]=$result[]');
    is_deeply [$portal->spoiled], [], 'reading and our own records are fine';
    is_deeply $portal->report->{unresolved}, [], 'so are references that lead';

    # whatever doesn't lead to its end is none
    for my $reference ('$result[no]', '$result[s][no]', '$RESULT[s]',
                       '$error[s]', '$next[s]', '$resultant[a][b]',
                       'text $Result[no] text')
    {
        $portal->forgive;
        batch(0, s => 'scope', c => 'crm.contact.add?fields[COMMENTS]='
                                    . url_escape $reference,
              t => 'scope');
        is_deeply [map { @$_{qw(command method parameter reference)} }
                   @{$portal->report->{unresolved}}],
            ['c', 'crm.contact.add', 'fields[COMMENTS]',
             $reference =~ s/text | text//gr], "unresolved: $reference";
        like +($portal->spoiled)[0], qr/\Arequest \d+, command c /, 'told';
    }

    $portal->forgive;
    fresh();
    is_deeply [$portal->spoiled], [], 'forgiven';
    result('crm.contact.add', {fields => {COMMENTS => '$result[no]'}});
    is_deeply [$portal->spoiled], [], 'a direct call is not expanded';
};


subtest 'contacts' => sub {
    fresh();

    my $id = result('crm.contact.add', {fields => {
        NAME => 'Иван', LAST_NAME => 'Petrov', ORIGINATOR_ID => 'shop',
        ORIGIN_ID => 'u77', NONSENSE => 1, name => 'x', TYPE_ID => 'NOPE',
        SOURCE_ID => 'WEB', ID => 5,
        PHONE => [{VALUE => '+79123456789', VALUE_TYPE => 'MOBILE'}],
        EMAIL => [{VALUE => 'ivan@example.com'}]}});
    is $id, 55, 'add gives a number';

    my $contact = result('crm.contact.get', {id => $id});
    is $contact->{ID}, '55', 'get gives strings';
    like $ua->get($portal->url . "crm.contact.get?id=$id")->res->body,
        qr/"ID":"55"/, 'really';
    is $contact->{TYPE_ID}, undef, 'a wrong enum value is ignored';
    is $contact->{SOURCE_ID}, 'WEB', 'a right one is kept';
    ok !exists $contact->{NONSENSE}, 'an unknown field is dropped';
    is $contact->{NAME}, 'Иван', 'names inside fields are case sensitive';
    is_deeply $contact->{PHONE}[0],
        {ID => $contact->{PHONE}[0]{ID}, VALUE => '+79123456789',
         VALUE_TYPE => 'MOBILE', TYPE_ID => 'PHONE'}, 'a phone';
    is $contact->{EMAIL}[0]{VALUE_TYPE}, 'WORK', 'a type by default';
    is $contact->{ASSIGNED_BY_ID}, '1', 'belongs to the webhook\'s owner';
    ok !exists result('crm.contact.get', {id => result('crm.contact.add', {
        fields => {NAME => 'x'}})})->{PHONE}, 'no phones: no key';
    like result('crm.contact.add'), qr/\A\d+\z/,
        'add without fields makes an empty record';
    is error_of('crm.contact.add', {fields => 'x'}), '400/',
        'fields must be an array';

    is error_of('crm.contact.add', {fields => {NAME => 'x',
        EMAIL => [{VALUE => 'no address'}]}}), '400/ERROR_CORE',
        'an invalid e-mail fails the whole contact';
    is error_of('crm.contact.add', {fields => {NAME => 'x',
        EMAIL => [{VALUE => 'имя@example.com'}]}}), '400/ERROR_CORE',
        'so does a local part beyond ASCII';
    like result('crm.contact.add', {fields => {NAME => 'x',
        EMAIL => [{VALUE => ''}], PHONE => 'bare'}}), qr/\A\d+\z/,
        'an empty one is left out, a bare string ignored';
    is error_of('crm.contact.add', {fields => {
        PHONE => [{VALUE => '1' x 251}]}}), '400/ERROR_CORE',
        'a phone too long';

    $id = result('crm.contact.add', {fields => {NAME => 'ы' x 60,
        ORIGIN_ID => 'o' x 300}});
    $contact = result('crm.contact.get', {id => $id});
    is $contact->{NAME}, 'ы' x 50, 'names are cut at 50 characters';
    is length $contact->{ORIGIN_ID}, 255, 'origins at 255';

    rest('crm.contact.update', {id => 55, fields => {
        PHONE => [{VALUE => '+79123456789'}]}});
    is @{result('crm.contact.get', {id => 55})->{PHONE}}, 2,
        'an update without ID adds a copy';
    $contact = result('crm.contact.get', {id => 55});
    rest('crm.contact.update', {id => 55, fields => {
        PHONE => [{ID => $contact->{PHONE}[0]{ID}, VALUE => '+71'},
                  {ID => $contact->{EMAIL}[0]{ID}, DELETE => 'Y'}]}});
    my $after = result('crm.contact.get', {id => 55});
    is join(',', map { $_->{VALUE} } @{$after->{PHONE}}, @{$after->{EMAIL}}),
        '+71,+79123456789,ivan@example.com',
        'with ID it changes; the e-mail is not a phone to delete';
    is error_of('crm.contact.update', {id => 55, fields => {NAME => '',
        LAST_NAME => ''}}), '400/CRM_FIELD_ERROR_REQUIRED',
        'not both names may go';
    is error_of('crm.contact.update', {id => 0}), '400/', 'no id';
    is result('crm.contact.delete', {id => 55}), Mojo::JSON->true, 'delete';
    is error_of('crm.contact.get', {id => 55}), '400/', 'gone';
    is_deeply result('crm.contact.fields')->{TYPE_ID}{statusType},
        'CONTACT_TYPE', 'fields';

    fresh(utf8mb3 => 1);
    $id = result('crm.contact.add', {fields => {NAME => 'Ann 😀 Lee'}});
    is result('crm.contact.get', {id => $id})->{NAME}, 'Ann ',
        'a three-byte utf8 column loses an emoji and all behind it';
};


# A database whose characters have three bytes refuses what has four, or cuts
# there, wherever the text goes
subtest 'three bytes a character' => sub {
    my $large = "a \x{1F600} b";
    my $deal;
    my $fm = sub { [{typeId => $_[0], valueType => 'WORK', value => $_[1]}] };
    my @cases = (
        ['crm.contact.add', sub { {fields => {NAME => $_[0]}} }],
        ['crm.contact.add', sub { {fields => {COMMENTS => $_[0]}} }],
        ['crm.contact.add', sub { {fields => {
            PHONE => [{VALUE => "+7916 $_[0]"}]}} }],
        ['crm.company.add', sub { {fields => {TITLE => $_[0]}} }],
        ['crm.deal.add', sub { {fields => {UTM_SOURCE => $_[0]}} }],
        ['crm.deal.add', sub { {fields => {UF_CRM_GA => $_[0]}} }],
        ['crm.deal.update', sub { {id => $deal, fields => {TITLE => $_[0]}} }],
        ['crm.deal.productrows.set', sub { {id => $deal, rows => [
            {PRODUCT_NAME => $_[0], PRICE => 1}]} }],
        ['crm.deal.productrows.set', sub { {id => $deal, rows => [
            {PRODUCT_NAME => 'x', XML_ID => $_[0]}]} }],
        ['crm.timeline.comment.add', sub { {fields => {ENTITY_ID => $deal,
            ENTITY_TYPE => 'deal', COMMENT => $_[0]}} }],
        ['crm.requisite.add', sub { {fields => {ENTITY_TYPE_ID => 3,
            ENTITY_ID => 55, PRESET_ID => 1, NAME => $_[0]}} }],
        ['crm.address.add', sub { {fields => {ENTITY_TYPE_ID => 3,
            ENTITY_ID => 55, TYPE_ID => 1, CITY => $_[0]}} }],
        ['crm.item.add', sub { {entityTypeId => 3,
            fields => {lastName => $_[0]}} }],
        ['crm.item.add', sub { {entityTypeId => 3, fields => {
            fm => $fm->('PHONE', $_[0])}} }],
        ['crm.item.add', sub { {entityTypeId => 2,
            fields => {comments => $_[0]}} }],
        ['crm.item.productrow.set', sub { {ownerType => 'D', ownerId => $deal,
            productRows => [{productName => $_[0], price => 1}]} }],
    );

    for my $case (@cases) {
        my ($method, $params) = @$case;

        fresh(utf8mb3 => 'refuse');
        rest('crm.contact.add', {fields => {NAME => 'x'}});
        $deal = result('crm.deal.add', {fields => {TITLE => 'x'}});

        my $before = $portal->report(journal => 0);
        my ($status, $json) = rest($method, $params->($large));

        is "$status/" . ($json->{error} // 'none'), '400/ERROR_CORE',
            "$method refuses";
        like $json->{error_description},
            qr/Incorrect string value: '\\xF0\\x9F\\x98\\x80'/, 'in these words';

        my $after = $portal->report(journal => 0);
        delete @$_{qw(counts limits)} for $before, $after;
        is_deeply $after, $before, 'and nothing is left of it';
        is error_of($method, $params->("a \x{20AC} \x{4E2D}")), '200',
            'three bytes are fine';

        fresh(utf8mb3 => 1);
        rest('crm.contact.add', {fields => {NAME => 'x'}});
        $deal = result('crm.deal.add', {fields => {TITLE => 'x'}});
        is error_of($method, $params->($large)), '200', 'or cuts';
        unlike Mojo::JSON::encode_json($portal->report(journal => 0)),
            qr/\xf0\x9f/, 'there';
    }

    fresh();
    rest('crm.contact.add', {fields => {NAME => $large}});
    is result('crm.contact.get', {id => 55})->{NAME}, $large,
        'other portals take them';
};


subtest 'duplicates' => sub {
    fresh();

    my $find = sub {
        my ($type, @values) = @_;

        return result('crm.duplicate.findbycomm', {type => $type,
            entity_type => 'CONTACT', values => \@values});
    };
    my $ann = result('crm.contact.add', {fields => {NAME => 'Ann',
        PHONE => [{VALUE => '+7 912 345-67-89'}],
        EMAIL => [{VALUE => 'Ann@Example.com'}]}});
    my $bob = result('crm.contact.add', {fields => {NAME => 'Bob',
        PHONE => [{VALUE => '89123456789;ext 5'}]}});

    for my $phone ('+79123456789', '8 (912) 345-67-89', '79123456789',
                   '0079123456789', '01179123456789', '+79123456789,123')
    {
        is_deeply $find->('PHONE', $phone), {CONTACT => [$ann, $bob]},
            "found by $phone, ascending";
    }

    is_deeply $find->('PHONE', '9123456789'), [],
        'not without the country code';
    is_deeply $find->('PHONE', '+89123456789'), [], 'a +8 number keeps its 8';
    is_deeply $find->('EMAIL', ' ANN@example.com '), {CONTACT => [$ann]},
        'e-mails trimmed, in lower case';
    is_deeply $find->('PHONE', 79123456789), [], 'numbers are skipped';
    is error_of('crm.duplicate.findbycomm', {values => ['x']}), '400/',
        'no type';
    is error_of('crm.duplicate.findbycomm', {type => 'PHONE',
        values => '+79123456789'}), '400/', 'a bare string';
    is error_of('crm.duplicate.findbycomm', {type => 'FAX', values => ['1']}),
        '400/', 'another type';
    is_deeply [sort keys %{result('crm.duplicate.findbycomm', {type => 'PHONE',
        values => ['+79123456789']})}], ['CONTACT'], 'any entity';
    is_deeply $find->('PHONE', (map { "+7000000000$_" } 10 .. 29),
                      '+79123456789'), [], 'twenty values, no more';

    rest('crm.contact.update', {id => $bob, fields => {
        PHONE => [{ID => 103, VALUE => '+70001112233'}]}});
    is_deeply $find->('PHONE', '+79123456789'), {CONTACT => [$ann]},
        'a change is seen';
    rest('crm.contact.delete', {id => $ann});
    is_deeply $find->('PHONE', '+79123456789'), [], 'so is a deletion';

    $portal->config(index_frozen => 1);
    my $late = result('crm.contact.add', {fields => {NAME => 'Late',
        PHONE => [{VALUE => '+75556667788'}]}});
    is_deeply $find->('PHONE', '+75556667788'), [], 'the index may lag';
    $portal->config(index_frozen => 0);
    is_deeply $find->('PHONE', '+75556667788'), {CONTACT => [$late]},
        'and catches up';

    # by a number of requests
    $portal->config(index_lag => {requests => 2});
    my $slow = result('crm.contact.add', {fields => {NAME => 'Slow',
        PHONE => [{VALUE => '+75556667799'}],
        EMAIL => [{VALUE => 'slow@example.com'}]}});
    is_deeply $find->('PHONE', '+75556667799'), [], 'one request later: none';
    is_deeply $find->('EMAIL', 'slow@example.com'), [], 'two requests: none';
    is_deeply result('crm.contact.list', {filter => {'=PHONE' =>
        '+75556667799'}, select => ['ID']}), [{ID => "$slow"}],
        'a list reads the records themselves';
    is_deeply $find->('PHONE', '+75556667799'), {CONTACT => [$slow]},
        'then it is found';
    is_deeply $find->('PHONE', '+75556667788'), {CONTACT => [$late]},
        'what was there stays';

    my $gone = result('crm.contact.add', {fields => {NAME => 'Gone',
        PHONE => [{VALUE => '+75556667700'}]}});
    rest('crm.contact.delete', {id => $gone});
    result('profile') for 1 .. 4;
    is_deeply $find->('PHONE', '+75556667700'), [], 'never, when deleted';

    my $res = batch(0, c => 'crm.contact.add?fields[PHONE][0][VALUE]='
                          . '%2B75556667711',
                    f => 'crm.duplicate.findbycomm?type=PHONE&values[0]='
                       . '%2B75556667711', s => 'scope');
    is_deeply $res->{result}{f}, [], 'a batch is one request';

    # or by time
    $portal->config(index_lag => {requests => 0, seconds => 0.4});
    my $started = Time::HiRes::time();
    $late = result('crm.contact.add', {fields => {NAME => 'Late',
        PHONE => [{VALUE => '+75556667722'}]}});
    my $found = $find->('PHONE', '+75556667722');
    ok ref $found eq 'ARRAY' || Time::HiRes::time() - $started >= 0.4,
        'not at once';
    Time::HiRes::sleep(0.05) while Time::HiRes::time() - $started < 0.5;
    is_deeply $find->('PHONE', '+75556667722'), {CONTACT => [$late]},
        'after its time';
};


# What people do to contacts in the CRM's own pages
subtest 'deleted and merged' => sub {
    fresh();

    my ($one, $two, $three) = map {
        result('crm.contact.add', {fields => {NAME => $_->[0],
            LAST_NAME => $_->[3], PHONE => [{VALUE => $_->[1]}],
            EMAIL => [{VALUE => $_->[2]}], ORIGINATOR_ID => 'shop',
            ORIGIN_ID => $_->[0]}})
    } ['One', '+79160000001', 'one@example.com', ''],
      ['Two', '+79160000002', 'both@example.com', 'Lee'],
      ['Three', '+79160000003', 'both@example.com', ''];
    my $firm = result('crm.company.add', {fields => {TITLE => 'Firm'}});
    my @deals = map {
        result('crm.deal.add', {fields => {CONTACT_IDS => $_}})
    } [$one], [$two], [$two, $three], [$one, $two];
    my $links = sub {
        my %deals = map { $_->{id} => $_ } @{$portal->report->{deals}};

        return [map { join ',', @{$deals{$_}{contact_ids}} } @deals];
    };
    my $find = sub {
        return result('crm.duplicate.findbycomm', {type => $_[0],
            entity_type => 'CONTACT', values => [$_[1]]});
    };

    result('crm.contact.company.add', {id => $two,
                                       fields => {COMPANY_ID => $firm}});
    result('crm.requisite.add', {fields => {ENTITY_TYPE_ID => 3,
        ENTITY_ID => $two, PRESET_ID => 1, NAME => 'x'}});

    $portal->merge(entity => 'contact', winner => $one, loser => $two);
    is error_of('crm.contact.get', {id => $two}), '400/', 'the loser is gone';
    is_deeply $links->(), ["$one", "$one", "$one,$three", "$one"],
        'its deals have moved, each link once';

    my ($winner) = grep { $_->{id} == $one } @{$portal->report->{contacts}};
    is_deeply [@$winner{qw(name last_name)}, map { join ',', @$_ }
               @$winner{qw(phones emails company_ids)}],
        ['One', 'Lee', '+79160000001,+79160000002',
         'one@example.com,both@example.com', "$firm"],
        'the winner keeps its own and gets what it lacks';
    is $winner->{origin_id}, 'One', 'its origin stays';
    is_deeply $find->('PHONE', '+79160000002'), {CONTACT => [$one]},
        'found by the phone of the loser';
    is_deeply $find->('EMAIL', 'both@example.com'), {CONTACT => [$one, $three]},
        'and by its e-mail';
    is $portal->report->{requisites}[0]{entity_id}, $one, 'requisites move';
    is result('crm.deal.get', {id => $deals[1]})->{CONTACT_ID}, "$one",
        'the deal says so';

    for my $pair ([$one, $one], [$one, $two], [999, $one]) {
        ok !eval {
            $portal->merge(entity => 'contact', winner => $pair->[0],
                           loser => $pair->[1]);
            1;
        }, "not $pair->[0] and $pair->[1]";
    }

    $portal->edit(entity => 'contact', id => $one, delete => 1);
    is_deeply $links->(), ['', '', "$three", ''], 'deleted: the links go';
    is_deeply $find->('PHONE', '+79160000001'), [], 'and the phone';

    my $other = result('crm.company.add', {fields => {TITLE => 'Other'}});
    my $deal = result('crm.deal.add', {fields => {COMPANY_ID => $other}});
    result('crm.requisite.add', {fields => {ENTITY_TYPE_ID => 4,
        ENTITY_ID => $other, PRESET_ID => 1, NAME => 'x',
        RQ_INN => '7707083893'}});
    $portal->merge(entity => 'company', winner => $firm, loser => $other);
    is result('crm.deal.get', {id => $deal})->{COMPANY_ID}, "$firm",
        'companies merge, too';
    is result('crm.requisite.list', {filter => {'=RQ_INN' => '7707083893'},
        select => ['ENTITY_ID']})->[0]{ENTITY_ID}, "$firm", 'with the INN';
};


subtest 'companies, requisites, links' => sub {
    fresh();

    my $company = result('crm.company.add', {fields => {TITLE => 'ООО «Чай»',
        COMPANY_TYPE => 'CUSTOMER', PHONE => [{VALUE => '+74951234567'}]}});
    my $contact = result('crm.contact.add', {fields => {NAME => 'Ann'}});

    is result('crm.company.get', {id => $company})->{COMPANY_TYPE}, 'CUSTOMER',
        'a company';
    is_deeply result('crm.duplicate.findbycomm', {type => 'PHONE',
        values => ['+74951234567']}), {COMPANY => [$company]}, 'in the index';
    is result('crm.contact.company.add', {id => $contact, fields => {
        COMPANY_ID => $company, IS_PRIMARY => 'Y'}}), Mojo::JSON->true,
        'linked';
    is result('crm.contact.company.add', {id => $contact, fields => {
        COMPANY_ID => $company}}), Mojo::JSON->false, 'linked already';
    is result('crm.contact.get', {id => $contact})->{COMPANY_ID}, "$company",
        'the link shows';
    my $links = result('crm.contact.company.items.get', {id => $contact});
    is $links->[0]{COMPANY_ID}, $company, 'and in the list';

    my %fields = (ENTITY_TYPE_ID => 4, ENTITY_ID => $company, PRESET_ID => 1,
                  NAME => 'req', RQ_INN => '7707083893', RQ_KPP => '773601001');

    for my $name (qw(ENTITY_TYPE_ID ENTITY_ID PRESET_ID NAME)) {
        my %less = %fields;

        delete $less{$name};
        is error_of('crm.requisite.add', {fields => \%less}), '400/',
            "a requisite needs $name";
    }

    my $requisite = result('crm.requisite.add', {fields => \%fields});
    like $requisite, qr/\A\d+\z/, 'a requisite';
    like result('crm.requisite.add', {fields => {%fields, PRESET_ID => 99,
        RQ_INN => '1'}}), qr/\A\d+\z/, 'its preset is not checked';
    is_deeply result('crm.requisite.list', {filter => {
        '=RQ_INN' => '7707083893', '=ENTITY_TYPE_ID' => 4},
        select => [qw(ID ENTITY_ID RQ_INN RQ_KPP)], start => -1}),
        [{ID => "$requisite", ENTITY_ID => "$company", RQ_INN => '7707083893',
          RQ_KPP => '773601001'}], 'found by INN, strings';
    is result('crm.requisite.preset.list', {filter => {'=COUNTRY_ID' => 1,
        '=ACTIVE' => 'Y'}})->[0]{ID}, '1', 'presets';
    is result('crm.address.add', {fields => {TYPE_ID => 1, ENTITY_TYPE_ID => 8,
        ENTITY_ID => $requisite, ADDRESS_1 => 'Lenina 1'}}), Mojo::JSON->true,
        'an address';
    is $portal->report->{addresses}[0]{ADDRESS_1}, 'Lenina 1', 'is reported';
    is $portal->report->{requisites}[0]{inn}, '7707083893', 'as is the INN';
};


subtest 'deals' => sub {
    fresh();

    my $contact = result('crm.contact.add', {fields => {NAME => 'Ann'}});
    my $id = result('crm.deal.add', {fields => {TITLE => 'Order 1001',
        STAGE_ID => 'PREPARATION', CURRENCY_ID => 'RUB',
        OPPORTUNITY => '1990.005',
        IS_MANUAL_OPPORTUNITY => 'Y', ORIGINATOR_ID => 'shop',
        ORIGIN_ID => '1001', CONTACT_IDS => [$contact, 999], UF_CRM_GA => 'GA1',
        UF_CRM_NONE => 'x', SOURCE_ID => 'WEB', COMMENTS => 'c'},
        params => {REGISTER_SONET_EVENT => 'Y'}});
    my $deal = result('crm.deal.get', {id => $id});

    is_deeply [@$deal{qw(ID TITLE STAGE_ID STAGE_SEMANTIC_ID OPPORTUNITY
        IS_MANUAL_OPPORTUNITY CONTACT_ID COMPANY_ID CATEGORY_ID UF_CRM_GA)}],
        ["$id", 'Order 1001', 'PREPARATION', 'P', '1990.01', 'Y', "$contact",
         '0', '0', 'GA1'], 'a deal, all strings';
    ok !exists $deal->{CONTACT_IDS}, 'CONTACT_IDS is not in get';
    ok !exists $deal->{UF_CRM_NONE}, 'an unknown user field is dropped';
    is_deeply result('crm.deal.contact.items.get', {id => $id}),
        [{CONTACT_ID => $contact, SORT => 10, ROLE_ID => 0, IS_PRIMARY => 'Y'}],
        'a contact that is not there is not linked';

    $id = result('crm.deal.add', {fields => {STAGE_ID => 'NOPE', TYPE_ID => 'X',
        CATEGORY_ID => 77}});
    is_deeply [@{result('crm.deal.get', {id => $id})}{qw(TITLE STAGE_ID TYPE_ID
        CATEGORY_ID CURRENCY_ID OPPORTUNITY)}],
        ["Deal #$id", 'NEW', 'SALE', '0', 'RUB', '0.00'],
        'a wrong stage, type or pipeline is ignored, without a word';
    is error_of('crm.deal.add', {fields => {CURRENCY_ID => 'XXX'}}), '400/',
        'a wrong currency is not';

    $id = result('crm.deal.add', {fields => {CATEGORY_ID => 3,
        STAGE_ID => 'PREPARATION'}});
    is result('crm.deal.get', {id => $id})->{STAGE_ID}, 'C3:NEW',
        'a stage of another pipeline is none of this';
    rest('crm.deal.update', {id => $id, fields => {STAGE_ID => 'C3:WON',
        CATEGORY_ID => 0}});
    $deal = result('crm.deal.get', {id => $id});
    is_deeply [@$deal{qw(STAGE_ID CATEGORY_ID STAGE_SEMANTIC_ID CLOSED)}],
        ['C3:WON', '3', 'S', 'Y'], 'won; the pipeline cannot be changed';
    is error_of('crm.deal.update', {id => 9999, fields => {}}), '400/',
        'an update of nothing';

    $id = result('crm.deal.add', {fields => {TITLE => 'T' x 300,
        OPPORTUNITY => '12 apples'}});
    $deal = result('crm.deal.get', {id => $id});
    is_deeply [length $deal->{TITLE}, $deal->{OPPORTUNITY}], [255, '12.00'],
        'a title is cut at 255, a number ends where it ends';

    rest('crm.deal.contact.items.set', {id => $id, items => [
        {CONTACT_ID => $contact, IS_PRIMARY => 'Y'}]});
    is result('crm.deal.get', {id => $id})->{CONTACT_ID}, "$contact",
        'links set';
    is result('crm.deal.contact.add', {id => $id, fields => {
        CONTACT_ID => $contact}}), Mojo::JSON->false, 'already';
    is result('crm.deal.fields')->{OPPORTUNITY}{type}, 'double', 'fields';

    is result('crm.timeline.comment.add', {fields => {ENTITY_ID => $id,
        ENTITY_TYPE => 'deal', COMMENT => 'привет'}}), 301, 'a comment';
    is error_of('crm.timeline.comment.add', {FIELDS => {ENTITY_ID => $id,
        ENTITY_TYPE => 'deal', COMMENT => 'x'}}), '400/', 'wants lower case';
    is_deeply $portal->report->{deals}[-1]{timeline}, ['привет'], 'is reported';

    $contact = result('crm.contact.add', {fields => {NAME => 'Ann'}});
    my @ways = (
        ['crm.deal.add', {fields => {CONTACT_IDS => [999]}}],
        ['crm.deal.add', {fields => {CONTACT_IDS => [$contact, 999]}}],
        ['crm.deal.add', {fields => {CONTACT_ID => 999}}],
        ['crm.deal.add', {fields => {COMPANY_ID => 999}}],
        ['crm.item.add', {entityTypeId => 2, fields => {contactIds => [999]}}],
        ['crm.item.add', {entityTypeId => 2, fields => {companyId => 999}}],
    );

    for my $way (@ways) {
        my $count = $portal->report->{counts}{deals};

        is error_of(@$way), '200', 'a link to nobody: the deal is made';

        my $deals = $portal->report->{deals};
        is @$deals, $count + 1, 'one';
        is_deeply [grep { $_ == 999 } @{$deals->[-1]{contact_ids}},
                   $deals->[-1]{company_id}], [], 'without that link';
    }

    fresh(unknown_contact => 'refuse');
    result('crm.contact.add', {fields => {NAME => 'Ann'}}) for 1 .. 3;

    for my $way (@ways) {
        is error_of(@$way), '400/', 'it may be refused, too';
        is $portal->report->{counts}{deals}, 0, 'and then there is no deal';
    }
};


# Wrong values of lists are ignored without a word, in both families of
# methods; only a currency is refused
subtest 'wrong enum values' => sub {
    fresh();

    my %entity = (contact => 3, company => 4, deal => 2);
    my @cases = (
        # entity, field, universal name, right, wrong, what a new record has
        ['contact', 'TYPE_ID', 'typeId', 'CLIENT', 'NOPE', undef],
        ['contact', 'SOURCE_ID', 'sourceId', 'WEB', 'NOPE', undef],
        ['contact', 'HONORIFIC', 'honorific', 'HNR_RU_1', 'Sir', undef],
        ['company', 'COMPANY_TYPE', 'typeId', 'CUSTOMER', 'NOPE', undef],
        ['company', 'INDUSTRY', 'industry', 'IT', 'NOPE', undef],
        ['deal', 'TYPE_ID', 'typeId', 'GOODS', 'goods', 'SALE'],
        ['deal', 'SOURCE_ID', 'sourceId', 'WEB', 'Web', undef],
        ['deal', 'STAGE_ID', 'stageId', 'EXECUTING', 'C3:EXECUTING', 'NEW'],
        ['deal', 'STAGE_ID', 'stageId', 'WON', 'won', 'NEW'],
    );

    for my $case (@cases) {
        my ($entity, $field, $name, $right, $wrong, $default) = @$case;
        my $what = "$entity: $field";
        my $id;
        my $is = sub {
            return result("crm.$entity.get", {id => $id})->{$field};
        };

        $id = result("crm.$entity.add", {fields => {$field => $wrong}});
        is $is->(), $default, "$what, classic: as if it had not been sent";
        result("crm.$entity.update", {id => $id, fields => {$field => $right}});
        is $is->(), $right, "$what: a right one";
        is result("crm.$entity.update", {id => $id,
            fields => {$field => $wrong}}), Mojo::JSON->true,
            "$what: an update says it is done";
        is $is->(), $right, "$what: and keeps what was there";

        my %type = (entityTypeId => $entity{$entity});
        $id = result('crm.item.add', {%type, fields => {$name => $wrong}})
            ->{item}{id};
        is $is->(), $default, "$what, universal";
        result('crm.item.update', {%type, id => $id,
                                   fields => {$name => $right}});
        is error_of('crm.item.update', {%type, id => $id,
            fields => {$name => $wrong}}), '200', "$what: done";
        is $is->(), $right, "$what: kept";
    }

    is error_of('crm.deal.add', {fields => {CURRENCY_ID => 'XXX'}}), '400/',
        'a currency is refused';
    is error_of('crm.item.add', {entityTypeId => 2, fields => {
        currencyId => 'XXX'}}), '400/CRM_FIELD_ERROR_VALUE_NOT_VALID',
        'by both';
    is $portal->report->{counts}{deals}, 8, 'and nothing is made';

    # a stage of a pipeline that isn't the deal's
    my $id = result('crm.deal.add', {fields => {CATEGORY_ID => 3,
                                                STAGE_ID => 'C3:NOPE'}});
    is result('crm.deal.get', {id => $id})->{STAGE_ID}, 'C3:NEW',
        'the first stage of its own pipeline';
};


# Fields of the portal's own: lists, multiple ones
subtest 'user fields' => sub {
    fresh(user_fields => {deal => {
        UF_CRM_GA => 'string',
        UF_CRM_TAGS => {type => 'string', multiple => 1},
        UF_CRM_WAY => {type => 'enumeration', items => [
            {ID => 41, VALUE => 'Courier'}, {ID => 42, VALUE => 'Почта'}]},
        UF_CRM_WAYS => {type => 'enumeration', multiple => 1, items => [
            {ID => 51, VALUE => 'a'}, {ID => 52, VALUE => 'b'}]},
        UF_CRM_GIFT => 'boolean', UF_CRM_N => 'integer',
    }});

    my $fields = sub {
        my ($fields) = @_;

        my $id = result('crm.deal.add', {fields => $fields});
        my $other = result('crm.item.add', {entityTypeId => 2,
            useOriginalUfNames => 'Y', fields => $fields})->{item}{id};
        my %deals = map { $_->{id} => $_ } @{$portal->report->{deals}};
        my ($one, $two) = map {
            my $deal = $deals{$_}{fields};
            +{map { $_ => $deal->{$_} } grep { /\AUF_/ } keys %$deal}
        } $id, $other;

        is_deeply $two, $one, 'the same by both families';

        return ($one, $id);
    };

    my ($got, $id) = $fields->({UF_CRM_TAGS => ['a', '', 'ы'],
        UF_CRM_WAY => 42, UF_CRM_WAYS => [52, 53, 51], UF_CRM_GIFT => 'Y',
        UF_CRM_N => '12 x', UF_CRM_NONE => 'x'});
    is_deeply $got, {UF_CRM_GA => undef, UF_CRM_TAGS => ['a', 'ы'],
        UF_CRM_WAY => '42', UF_CRM_WAYS => ['52', '51'], UF_CRM_GIFT => '1',
        UF_CRM_N => '12'}, 'all kinds';
    is_deeply result('crm.deal.get', {id => $id})->{UF_CRM_TAGS}, ['a', 'ы'],
        'get shows a list';
    is_deeply result('crm.item.get', {entityTypeId => 2, id => $id})
        ->{item}{ufCrmTags}, ['a', 'ы'], 'so does the other';

    ($got) = $fields->({UF_CRM_TAGS => 'one', UF_CRM_WAY => 'Почта',
                        UF_CRM_WAYS => 52, UF_CRM_GIFT => 'no'});
    is_deeply [@$got{qw(UF_CRM_TAGS UF_CRM_WAY UF_CRM_WAYS UF_CRM_GIFT)}],
        [['one'], undef, ['52'], '0'], 'a list knows numbers, not names';
    is_deeply [map { @{result('crm.deal.fields')->{$_}}{qw(type isMultiple)} }
               qw(UF_CRM_WAY UF_CRM_TAGS)],
        ['enumeration', Mojo::JSON->false, 'string', Mojo::JSON->true],
        'described';
    is result('crm.deal.fields')->{UF_CRM_WAY}{items}[1]{VALUE}, 'Почта',
        'with its items';
};


subtest 'product rows' => sub {
    fresh();

    my $set = sub {
        my ($deal, @rows) = @_;
        my ($id, %fields) = (undef, %$deal);

        $id = result('crm.deal.add', {fields => \%fields});
        rest('crm.deal.productrows.set', {id => $id, rows => \@rows});

        return ($id, (grep { $_->{id} == $id }
                      @{$portal->report->{deals}})[0]);
    };
    my ($id, $deal) = $set->({OPPORTUNITY => '5'},
        {PRODUCT_NAME => 'Кружка «Утро»', PRICE => '795.00', QUANTITY => 2},
        {PRODUCT_NAME => 'Сахар', PRICE => 149.9, QUANTITY => '0.5'});

    is $deal->{opportunity}, '1664.95',
        'the amount becomes the sum of the rows';
    is $deal->{rows_sum}, '1664.95', 'which is reported';
    is_deeply [map { @$_{qw(product_name price quantity sum)} }
               @{$deal->{rows}}],
        ['Кружка «Утро»', '795.00', '2', '1590.00', 'Сахар', '149.90', '0.5',
         '74.95'], 'the rows';

    my $rows = result('crm.deal.productrows.get', {id => $id});
    is_deeply [@{$rows->[0]}{qw(OWNER_ID OWNER_TYPE PRODUCT_ID PRICE QUANTITY
        TAX_RATE TAX_INCLUDED MEASURE_CODE)}], ["$id", 'D', '0', '795.00',
        '2.0000', undef, 'N', '796'], 'as the classic method shows them';

    is result('crm.deal.productrows.set', {id => $id, rows => []}),
        Mojo::JSON->true, 'no rows clears';
    is_deeply result('crm.deal.productrows.get', {id => $id}), [], 'all';

    ($id, $deal) = $set->(
        {OPPORTUNITY => '100.00', IS_MANUAL_OPPORTUNITY => 'Y'},
        {PRODUCT_NAME => 'x', PRICE => '33.33', QUANTITY => 3, TAX_RATE => 20,
         TAX_INCLUDED => 'Y'});
    is $deal->{opportunity}, '100.00', 'an amount kept by hand stays';
    is $deal->{rows_sum}, '99.99', 'beside another sum';
    is $deal->{tax_value}, '16.65', 'the tax is recalculated';

    ($id, $deal) = $set->({OPPORTUNITY => '7'});
    is $deal->{opportunity}, '7.00', 'without rows the amount stays';

    ($id, $deal) = $set->({}, {PRODUCT_NAME => 'x', PRICE => 80_000,
        DISCOUNT_TYPE_ID => 2, DISCOUNT_RATE => 20, TAX_RATE => 20,
        TAX_INCLUDED => 'Y'});
    is_deeply [@{$deal->{rows}[0]}{qw(price_exclusive price_netto price_brutto
        discount_sum quantity)}],
        ['66666.67', '83333.33', '100000.00', '16666.67', '1'],
        'prices that follow from the final one; one piece by default';

    my @tax = map {
        ($set->({}, {PRODUCT_NAME => 'x', PRICE => 1, TAX_RATE => $_}))[1]
            ->{rows}[0]{tax_rate}
    } 0, '0', '', undef, 20;
    is_deeply \@tax, ['0', '0', undef, undef, '20'], '0 is 0 %, "" is no tax';

    my $body = '{"id":' . $id . ',"rows":[{"PRODUCT_NAME":"x","PRICE":1,'
             . '"TAX_RATE":0.0}]}';
    $ua->post($portal->url . 'crm.deal.productrows.set',
                 {'Content-Type' => 'application/json'}, $body);
    is result('crm.deal.productrows.get', {id => $id})->[0]{TAX_RATE}, undef,
        'a JSON 0.0 is none';

    ($id, $deal) = $set->({}, {PRODUCT_ID => 101, PRICE => 1});
    is $deal->{rows}[0]{product_name}, 'Mug', 'a name from the catalogue';
    is error_of('crm.deal.productrows.set', {id => $id, rows => 'x'}), '400/',
        'rows must be an array';
    is error_of('crm.deal.productrows.set', {id => 9999, rows => []}), '400/',
        'of a deal';
    is error_of('crm.deal.productrows.set', {id => $id, rows => [
        {PRODUCT_NAME => 'x', PRICE => 1, DISCOUNT_TYPE_ID => 1}]}), '400/',
        'an absolute discount needs its sum';
    is error_of('crm.deal.productrows.set', {id => $id, rows => [
        {PRODUCT_NAME => 'x', PRICE => 1, DISCOUNT_TYPE_ID => 2}]}), '400/',
        'a relative one its rate';

    ($id, $deal) = $set->({}, map {
        {PRODUCT_NAME => $_, PRICE => '0.01', QUANTITY => '0.1'}
    } 1 .. 10);
    is $deal->{rows_sum}, '0.01', 'no noise of floating point';
};


subtest 'lists' => sub {
    fresh();

    batch(0, map {
        my $from = $_;
        map { ("d$_" => "crm.deal.add?fields[TITLE]=T$_&fields[ORIGIN_ID]=A$_"
                      . '&fields[ORIGINATOR_ID]=shop') } $from .. $from + 39
    } $_) for 1, 41, 81;

    my $list = sub {
        my (%params) = @_;

        return rest('crm.deal.list', {select => ['ID', 'ORIGIN_ID'], %params});
    };
    my $page = $list->(filter => {'=ORIGINATOR_ID' => 'shop'});

    is_deeply [scalar @{$page->{result}}, @$page{qw(total next)}],
        [50, 120, 50], 'a page is 50';
    $page = $list->(filter => {'=ORIGINATOR_ID' => 'shop'}, start => 100);
    is_deeply [scalar @{$page->{result}}, exists $page->{next}], [20, ''],
        'the last has no next';
    $page = $list->(filter => {'=ORIGINATOR_ID' => 'shop'}, start => -1);
    is_deeply [scalar @{$page->{result}}, $page->{total}, exists $page->{next}],
        [50, 0, ''], 'start -1: total 0, no next, 50 rows all the same';

    my $ids = sub {
        my ($filter, $order) = @_;

        return join ',', map { $_->{ORIGIN_ID} // '-' }
            @{$list->(filter => $filter, $order ? (order => $order) : ())
              ->{result}};
    };

    is $ids->({'=ORIGIN_ID' => 'A7'}), 'A7', '=';
    is $ids->({'=ORIGIN_ID' => 'a7 '}), 'A7', 'as MySQL compares: any case';
    is $ids->({'@ORIGIN_ID' => ['A3', 'A5']}), 'A3,A5', '@';
    is $ids->({'=ORIGIN_ID' => ['A3', 'A5']}), 'A3,A5', '= with an array';
    is $ids->({ORIGIN_ID => 'A119'}), 'A119', 'no prefix: looser';
    is $ids->({ORIGIN_ID => '11', '>ID' => 500}), 'A110,A111,A112,A113,A114,'
        . 'A115,A116,A117,A118,A119', 'a substring will do';
    is $ids->({'>ID' => 527}), 'A119,A120', '>';
    is $ids->({'>=ID' => 528, '<ID' => 529}), 'A119', '>= and <';
    is $ids->({'%TITLE' => '12'}, {ID => 'DESC'}), 'A120,A112,A12',
        '% and an order';
    is $ids->({'=%TITLE' => 'T11%', '!ID' => 520}),
        'A11,A110,A112,A113,A114,A115,A116,A117,A118,A119', '=% and !';
    is $ids->({'!@ID' => [410 .. 528]}), '-,A120',
        '!@ (and the deal of somebody else)';
    is scalar(() = $ids->({'=NONSENSE' => 'x'}) =~ /A/g), 49,
        'a field unknown in the filter filters nothing';
    is scalar(() = $ids->({'@ID' => []}) =~ /A/g), 49,
        'nor does an empty array';
    is_deeply [sort keys %{result('crm.deal.list', {select => ['TITLE'],
        filter => {ID => 410}})->[0]}], ['ID', 'TITLE'], 'select';
    is scalar(grep { /\AUF_/ } keys %{result('crm.deal.list', {
        filter => {ID => 410}})->[0]}), 0, 'no user fields unless asked';
    ok exists result('crm.deal.list', {filter => {ID => 410},
        select => ['*', 'UF_*']})->[0]{UF_CRM_GA}, 'asked';

    rest('crm.contact.add', {fields => {NAME => 'A',
        PHONE => [{VALUE => '+7 (1) 2'}]}});
    is_deeply result('crm.contact.list', {filter => {PHONE => '+7 (1) 2'},
        select => ['PHONE']})->[0]{PHONE}[0]{VALUE}, '+7 (1) 2',
        'a phone in filter and select';
    is_deeply result('crm.contact.list', {filter => {'=PHONE' => '+712'}}), [],
        'compared as it is';

    fresh(collation => 'bin');
    rest('crm.deal.add', {fields => {ORIGIN_ID => 'A7'}});
    is_deeply result('crm.deal.list', {filter => {'=ORIGIN_ID' => 'a7'}}), [],
        'a portal may compare bytes';
};


subtest 'crm.item.*' => sub {
    fresh();

    my $item = result('crm.item.add', {entityTypeId => 3, fields => {
        name => 'Ivan', lastName => 'Petrov', originId => 'u77', NAME => 'x',
        nonsense => 1, fm => [
            {typeId => 'PHONE', valueType => 'MOBILE', value => '+79123456789'},
            {typeId => 'EMAIL', valueType => 'WORK',
             value => 'i@example.com'}]}})->{item};
    is_deeply [@$item{qw(id name lastName originId entityTypeId)}],
        [55, 'Ivan', 'Petrov', 'u77', 3], 'a contact';
    is_deeply $item->{fm}[0], {id => 101, typeId => 'PHONE',
        valueType => 'MOBILE', value => '+79123456789'}, 'its phone';

    my $res = $ua->post($portal->url . 'crm.item.add' => json => {
        entityTypeId => 2, fields => {
        title => 'Order', opportunity => '1990.00',
        isManualOpportunity => 'Y', originatorId => 'shop', originId => '1001',
        contactIds => [55], stageId => 'NEW'}})->res;
    like $res->body, qr/"id":410\b.*"opportunity":1990,/, 'numbers are numbers';
    is_deeply [@{$res->json->{result}{item}}{qw(contactId contactIds companyId
        isManualOpportunity stageSemanticId categoryId)}],
        [55, [55], 0, 'Y', 'P', 0], 'a deal';

    my @manual = map {
        result('crm.item.add', {entityTypeId => 2, fields => {
            isManualOpportunity => $_}})->{item}{isManualOpportunity}
    } Mojo::JSON->true, 'true', 'Y', 'y', 1, '1', 'N', Mojo::JSON->false;
    is join('', @manual), 'YYYYNNNN', 'what counts as yes';

    is error_of('crm.item.add', {entityTypeId => 2}), '400/100',
        'fields are required here';
    is error_of('crm.item.add', {entityTypeId => [2], fields => {}}), '400/100',
        'an array is no number';
    is error_of('crm.item.add', {entityTypeId => 'x', fields => {}}), '400/100',
        'nor is a word';
    is error_of('crm.item.add', {entityTypeId => 31, fields => {}}),
        '400/ENTITY_TYPE_NOT_SUPPORTED', 'another type';
    is error_of('crm.item.get', {entityTypeId => 2, id => 9999}),
        '400/NOT_FOUND', 'not found';
    is error_of('crm.item.add', {entityTypeId => 3, fields => {name => 'x',
        fm => [{typeId => 'PHONE', value => '+7'}]}}),
        '400/CRM_FIELD_ERROR_VALUE_NOT_VALID', 'fm wants valueType';
    is error_of('crm.item.add', {entityTypeId => 3, fields => {name => 'x',
        fm => [{typeId => 'PHONE', valueType => 'WORK', value => '1' x 251}]}}),
        '400/CRM_FIELD_ERROR_VALUE_NOT_VALID',
        'and no more than 250 characters';
    is error_of('crm.item.add', {entityTypeId => 2, fields => {
        currencyId => 'XXX'}}), '400/CRM_FIELD_ERROR_VALUE_NOT_VALID',
        'a wrong currency';

    my $list = rest('crm.item.list', {entityTypeId => 2, filter => {
        '=originatorId' => 'shop', '@originId' => ['1001', '1002']},
        select => ['id', 'stageId']});
    is_deeply $list->{result}, {items => [{id => 410, stageId => 'NEW'}]},
        'list';
    is $list->{total}, 1, 'total';
    ok !exists rest('crm.item.list', {entityTypeId => 2, start => -1})->{total},
        'start -1: no total at all';
    is error_of('crm.item.list', {entityTypeId => 2, filter => {
        '=ORIGIN_ID' => 1}}), '400/0', 'an unknown field in the filter';
    ok !exists result('crm.item.list', {entityTypeId => 3})->{items}[0]{fm},
        'fm is not in a list';
    ok exists result('crm.item.list', {entityTypeId => 3, select => ['*']})
        ->{items}[0]{fm}, 'but with "*"';
    is_deeply result('crm.item.list', {entityTypeId => 2, select => ['id'],
        filter => {0 => {logic => 'OR', 0 => {id => 410}, 1 => {id => 411}}}})
        ->{items}, [{id => 410}, {id => 411}], 'nested conditions';

    $item = result('crm.item.update', {entityTypeId => 2, id => 410, fields => {
        stageId => 'WON'}})->{item};
    is_deeply [@$item{qw(stageId previousStageId closed)}],
        ['WON', 'NEW', 'Y'], 'a stage change';
    $item = result('crm.item.update', {entityTypeId => 2, id => 410, fields => {
        categoryId => 3, stageId => 'C3:EXECUTING'}})->{item};
    is_deeply [@$item{qw(categoryId stageId)}], [3, 'C3:EXECUTING'],
        'into another pipeline';
    my $history = @{$portal->report->{stage_history}};
    rest('crm.item.update', {entityTypeId => 2, id => 410, fields => {
        stageId => 'C3:EXECUTING'}});
    is @{$portal->report->{stage_history}}, $history,
        'no change, nothing saved';
    is result('crm.item.update', {entityTypeId => 3, id => 55, fields => {
        fm => {n0 => {typeId => 'PHONE', valueType => 'WORK', value => '+71'},
               101 => {value => ''}}}})->{item}{fm}[0]{value}, '+71',
        'fm: n0 is new, an empty value deletes';
    is_deeply result('crm.item.delete', {entityTypeId => 2, id => 410}), [],
        'delete gives []';

    is result('crm.item.add', {entityTypeId => 2, useOriginalUfNames => 'Y',
        fields => {UF_CRM_GA => 'g'}})->{item}{ufCrmGa}, 'g', 'UF names kept';
    is result('crm.item.add', {entityTypeId => 2, fields => {ufCrmGa => 'g'}})
        ->{item}{ufCrmGa}, 'g', 'or not';
    my $fields = result('crm.item.fields', {entityTypeId => 2})->{fields};
    is $fields->{opportunity}{type}, 'double', 'fields';
    ok $fields->{ufCrmGa} && !$fields->{UF_CRM_GA}, 'in their own spelling';

    $fields = result('crm.item.fields', {entityTypeId => 2,
                     useOriginalUfNames => 'Y'})->{fields};
    ok $fields->{UF_CRM_GA} && !$fields->{ufCrmGa}, 'or the original one';

    $fields = result('crm.item.fields', {entityTypeId => 3})->{fields};
    is $fields->{fm}{type}, 'crm_multifield', 'multifields together';
    ok !$fields->{phone}, 'not one by one';

    fresh(mandatory => {deal => ['SOURCE_ID']});
    is error_of('crm.item.add', {entityTypeId => 2, fields => {title => 'x'}}),
        '400/CRM_FIELD_ERROR_REQUIRED', 'a field made mandatory';
    my $id = result('crm.deal.add', {fields => {TITLE => 'x'}});
    like $id, qr/\A\d+\z/, 'the classic method does not check it';
    is error_of('crm.item.update', {entityTypeId => 2, id => $id, fields => {
        stageId => 'WON'}}), '400/CRM_FIELD_ERROR_REQUIRED',
        'checked on a stage change';
    ok result('crm.item.update', {entityTypeId => 2, id => $id, fields => {
        title => 'y'}}), 'but not on others';

    # which of the two families of methods checks
    my %entity = (contact => 3, company => 4, deal => 2);
    my %add = (
        classic => sub { ("crm.$_[0].add", {fields => $_[1]}) },
        universal => sub { ('crm.item.add', {entityTypeId => $entity{$_[0]},
            fields => {map { B24::Portal::Schema::universal_name($_)
                             => $_[1]{$_} } keys %{$_[1]}}}) },
    );
    my %checks = (universal => [0, 1], classic => [1, 0], both => [1, 1]);

    for my $by (sort keys %checks) {
        fresh(mandatory_by => $by, mandatory => {deal => ['SOURCE_ID'],
            contact => ['POST'], company => ['INDUSTRY']});

        my %right = (deal => {SOURCE_ID => 'WEB'}, contact => {POST => 'x'},
                     company => {INDUSTRY => 'IT'});

        for my $entity (sort keys %right) {
            for my $n (0, 1) {
                my $family = ('classic', 'universal')[$n];
                my $empty = error_of($add{$family}->($entity, {}));

                is $empty, $checks{$by}[$n] ? '400/CRM_FIELD_ERROR_REQUIRED'
                                            : '200',
                    "$by checks: $family, $entity without its field";
                is error_of($add{$family}->($entity, $right{$entity})), '200',
                    "$by checks: $family, $entity with it";
            }
        }
    }

    fresh(mandatory_by => 'both', mandatory => {contact => ['PHONE'],
        deal => ['CONTACT_IDS', 'UF_CRM_GA@EXECUTING']});
    is error_of('crm.contact.add', {fields => {NAME => 'x'}}),
        '400/CRM_FIELD_ERROR_REQUIRED', 'a phone may be mandatory';
    $id = result('crm.contact.add', {fields => {PHONE => [{VALUE => '+7'}]}});
    is error_of('crm.deal.add', {fields => {TITLE => 'x'}}),
        '400/CRM_FIELD_ERROR_REQUIRED', 'or a contact';
    is error_of('crm.deal.add', {fields => {CONTACT_IDS => [$id],
        STAGE_ID => 'EXECUTING'}}), '400/CRM_FIELD_ERROR_REQUIRED',
        'or something in one stage';
    $id = result('crm.deal.add', {fields => {CONTACT_IDS => [$id]}});
    like $id, qr/\A\d+\z/, 'and not in another';
    is error_of('crm.deal.update', {id => $id, fields => {
        STAGE_ID => 'EXECUTING'}}), '400/CRM_FIELD_ERROR_REQUIRED',
        'so it cannot go there';
    is result('crm.deal.get', {id => $id})->{STAGE_ID}, 'NEW', 'and does not';
    is error_of('crm.item.update', {entityTypeId => 2, id => $id, fields => {
        stageId => 'EXECUTING', ufCrmGa => 'x'}}), '200', 'unless it has it';

    fresh(long_text => 'refuse');
    is error_of('crm.item.add', {entityTypeId => 2, fields => {
        title => 'x' x 256}}), '400/CRM_FIELD_ERROR_VALUE_NOT_VALID',
        'too long may be refused, too';
};


subtest 'crm.item.productrow.*' => sub {
    fresh();

    my $id = result('crm.deal.add', {fields => {TITLE => 'x'}});
    my $rows = result('crm.item.productrow.set', {ownerId => $id,
        ownerType => 'D', productRows => [{productName => 'Mug', price => 795.5,
        quantity => 2, taxRate => 20, taxIncluded => 'Y'}]})->{productRows};

    is_deeply [@{$rows->[0]}{qw(ownerId ownerType productName price quantity
        taxRate taxIncluded priceExclusive measureCode type)}],
        [$id, 'D', 'Mug', 795.5, 2, 20, 'Y', 662.92, 796, 1], 'set';
    is result('crm.item.productrow.add', {fields => {ownerId => $id,
        ownerType => 'D', productName => 'Tea', price => 1}})
        ->{productRow}{productName}, 'Tea', 'add';
    is @{result('crm.item.productrow.list', {filter => {'=ownerId' => $id,
        '=ownerType' => 'D'}})->{productRows}}, 2, 'list';
    is error_of('crm.item.productrow.list', {filter => {'=ownerId' => $id}}),
        '400/0', 'list wants owner and type';
    is error_of('crm.item.productrow.set', {ownerId => 9999, ownerType => 'D',
        productRows => []}), '400/OWNER_NOT_FOUND', 'no such deal';
    is error_of('crm.item.productrow.set', {ownerId => $id, ownerType => 'X',
        productRows => []}), '400/ENTITY_TYPE_NOT_SUPPORTED', 'no such type';
    is error_of('crm.item.productrow.set', {ownerId => $id, ownerType => 'D'}),
        '400/100', 'no rows at all';
};


subtest 'dictionaries' => sub {
    fresh();

    my $stages = result('crm.status.list', {filter => {
        ENTITY_ID => 'DEAL_STAGE_3'}, order => {SORT => 'ASC'}});
    is_deeply [map { $_->{STATUS_ID} } @$stages], [map { "C3:$_" } qw(NEW
        PREPARATION PREPAYMENT_INVOICE EXECUTING FINAL_INVOICE WON LOSE
        APOLOGY)], 'stages of a pipeline';
    is_deeply [@{$stages->[5]}{qw(SEMANTICS CATEGORY_ID SORT)},
               $stages->[5]{EXTRA}{SEMANTICS}],
        ['S', '3', '60', 'success'], 'one of them';
    is result('crm.status.list', {filter => {ENTITY_ID => 'DEAL_STAGE'}})
        ->[0]{CATEGORY_ID}, undef, 'pipeline 0 has none';
    cmp_ok scalar @{result('crm.status.list', {filter => {
        '=ENTITY_ID' => 'DEAL_STAGE'}})}, '>', 30,
        'only bare names filter: "=ENTITY_ID" brings every status';

    is_deeply [map { $_->{ID} } @{result('crm.dealcategory.list')}], ['3'],
        'crm.dealcategory.list: additional pipelines only';
    is_deeply [map { $_->{STATUS_ID} } @{result('crm.dealcategory.stage.list',
        {id => 0})}]->[0], 'NEW', 'crm.dealcategory.stage.list';

    for my $case ([0, ''], [3, 'C3:']) {
        my ($category, $prefix) = @$case;
        my $list = rest('crm.dealcategory.stage.list', {id => $category});

        is_deeply [map { $_->{STATUS_ID} } @{$list->{result}}],
            [map { "$prefix$_" } qw(NEW PREPARATION PREPAYMENT_INVOICE
             EXECUTING FINAL_INVOICE WON LOSE APOLOGY)],
            "stages of pipeline $category";
        is $list->{total}, 8, 'counted';
        is_deeply [map { @$_{qw(NAME SORT)} } $list->{result}[1]],
            ['Prepare documents', 20], 'name and place';
    }

    is_deeply result('crm.dealcategory.stage.list'),
        result('crm.dealcategory.stage.list', {id => 0}),
        'no pipeline is the first one';
    is error_of('crm.dealcategory.stage.list', {id => 77}), '400/',
        'an unknown one';
    is_deeply batch(0, a => 'crm.dealcategory.stage.list?id=77', s => 'scope',
                    b => 'crm.dealcategory.stage.list?id=3')
        ->{result_error}, {a => {error => '', error_description => 'Not found'}},
        'in a batch';
    is_deeply result('crm.status.list', {filter => {
        ENTITY_ID => 'DEAL_STAGE_77'}}), [], 'crm.status.list has none of it';
    $portal->config(unknown_category => 'empty');
    is_deeply result('crm.dealcategory.stage.list', {id => 77}), [],
        'a portal may just have none';

    my $categories = rest('crm.category.list', {entityTypeId => 2});
    is_deeply [map { "$_->{id}$_->{isDefault}" }
               @{$categories->{result}{categories}}, {id => 't',
               isDefault => $categories->{total}}], ['0Y', '3N', 't2'],
        'crm.category.list: all';
    is result('crm.currency.list')->[0]{BASE}, 'Y', 'crm.currency.list';
    is result('catalog.catalog.list')->{catalogs}[1]{productIblockId}, 14,
        'catalogues';
    is_deeply result('catalog.product.list', {select => ['id', 'iblockId',
        'xmlId'], filter => {iblockId => 14, '@xmlId' => ['SKU-101', 'x']}}),
        {products => [{id => 101, iblockId => 14, xmlId => 'SKU-101'}]},
        'a product by its XML_ID';
    is error_of('catalog.product.list', {select => ['id'], filter => {
        iblockId => 14}}), '400/0', 'select must name iblockId';
    is error_of('catalog.product.list', {select => ['id', 'iblockId'],
        filter => {'=xmlId' => 'x'}}), '400/0', 'and so must the filter';

    my $id = result('crm.deal.add', {fields => {TITLE => 'x'}});
    rest('crm.deal.update', {id => $id, fields => {STAGE_ID => 'EXECUTING'}});
    rest('crm.deal.update', {id => $id, fields => {STAGE_ID => 'WON'}});
    $portal->edit(entity => 'deal', id => $id, user => 7, fields => {
        CATEGORY_ID => 3, STAGE_ID => 'C3:NEW'});
    my $history = rest('crm.stagehistory.list', {entityTypeId => 2,
        order => {ID => 'ASC'}, filter => {'>ID' => 90211}, start => -1,
        select => ['ID', 'TYPE_ID', 'STAGE_ID']});
    is_deeply $history->{result}{items}, [
        {ID => 90212, TYPE_ID => 2, STAGE_ID => 'EXECUTING'},
        {ID => 90213, TYPE_ID => 3, STAGE_ID => 'WON'},
        {ID => 90214, TYPE_ID => 5, STAGE_ID => 'C3:NEW'}],
        'the feed of stage changes, with a cursor';
    ok !exists $history->{total}, 'start -1 works with it';
    is result('crm.deal.get', {id => $id})->{MODIFY_BY_ID}, '7',
        'a person has moved the deal';

    fresh(statuses => {DEAL_STAGE => [
        {STATUS_ID => 'FIRST', NAME => 'Первая'}]});
    is result('crm.deal.get', {id => result('crm.deal.add')})->{STAGE_ID},
        'FIRST', 'stages as configured';
    is result('crm.status.list', {filter => {ENTITY_ID => 'DEAL_STAGE'}})
        ->[0]{NAME}, 'Первая', 'with their names';
};


# A portal of tomorrow without the methods whose development has ended, or one
# of yesterday without the new ones
subtest 'methods that are gone' => sub {
    fresh(gone => ['crm.deal.add', 'crm.dealcategory.*', 'crm.ITEM.add']);

    is error_of('crm.deal.add', {fields => {}}), '404/ERROR_METHOD_NOT_FOUND',
        'gone';
    is error_of('CRM.deal.ADD', {fields => {}}), '404/ERROR_METHOD_NOT_FOUND',
        'in any case';
    is error_of('crm.item.add', {entityTypeId => 2, fields => {}}),
        '404/ERROR_METHOD_NOT_FOUND', 'universal ones can go, too';
    is error_of('crm.dealcategory.stage.list', {id => 0}),
        '404/ERROR_METHOD_NOT_FOUND', 'a whole family';
    is error_of('crm.contact.add', {fields => {}}), '200', 'others are there';
    is error_of('crm.status.list'), '200', 'all of them';
    is_deeply result('method.get', {name => 'crm.deal.add'}),
        {isExisting => Mojo::JSON->false, isAvailable => Mojo::JSON->false},
        'method.get says so';
    is scalar(grep { /\Acrm\.(?:deal\.add|dealcategory|item\.add)/ }
              @{result('methods')}), 0, 'and the list';

    my $res = batch(0, a => 'crm.deal.add?fields[TITLE]=x',
                    b => 'crm.dealcategory.list', c => 'crm.deal.list',
                    d => 'crm.item.list?entityTypeId=2');
    is_deeply [map { $res->{result_error}{$_}{error} // 'fine' } 'a' .. 'd'],
        ['ERROR_METHOD_NOT_FOUND', 'ERROR_METHOD_NOT_FOUND', 'fine', 'fine'],
        'in a batch';
    is $portal->report->{counts}{deals}, 0, 'nothing was made';

    # before credentials are looked at
    is $ua->get($portal->base . '/rest/1/wrong/crm.deal.add')->res->code, 404,
        'also for strangers';

    $portal->config(gone => []);
    is error_of('crm.deal.add', {fields => {}}), '200', 'back again';
};


subtest 'the bucket' => sub {
    my $config = default_config();
    my $limits = B24::Portal::Limits->new($config);
    my @passed = map { $limits->admit('a', 100) ? 1 : 0 } 1 .. 52;

    is scalar(grep { $_ } @passed), 50, '50 at once';
    ok !$limits->admit('a', 100.4), 'not yet';
    ok $limits->admit('a', 100.5), 'two a second leave';
    ok !$limits->admit('a', 100.5), 'one has come';
    ok $limits->admit('b', 100.5), 'another address has a bucket of its own';
    is $limits->bucket_report->{highest}, 50, 'the highest level';
    is $limits->bucket_report->{refused}, 4, 'refused';

    $config->{bucket} = {enabled => 1, burst => 2, rate => 1,
                         reject_counts => 1};
    $limits->clear;
    $limits->admit('a', 0) for 1 .. 12;
    ok !$limits->admit('a', 5), 'refused requests may fill it, too';

    $portal->reset(config => {bucket => {burst => 3, rate => 0.0001}});
    is error_of('profile'), '200', 'one';
    batch(0, map { ($_ => 'profile') } 'a' .. 'g');
    is error_of('profile'), '200', 'a batch is one, whatever is in it';
    is error_of('profile'), '503/QUERY_LIMIT_EXCEEDED', 'full';
    is $portal->report->{limits}{refused}, 1, 'the report counts';

    $portal->reset(config => {plan => 'enterprise'});
    my @codes = map { error_of('profile') } 1 .. 60;
    is scalar(grep { $_ ne '200' } @codes), 0, 'Enterprise has a larger one';
    is result('app.info')->{LICENSE}, 'ru_ent250', 'and tells';
};


subtest 'operating' => sub {
    my $config = default_config();
    my $limits = B24::Portal::Limits->new($config);

    $config->{operating} = {enabled => 1, limit => 10, window => 100,
                            cost => {}, shortest => 0.1, batch => 0};
    $limits->charge('m', 6, 1000);
    $limits->charge('m', 0.05, 1000);
    is $limits->spent('m', 1000), 6, 'short calls are not recorded';
    $config->{operating}{shortest} = 0.01;
    $limits->charge('short', 0.05, 1000);
    is $limits->spent('short', 1000), 0.05, 'what is short can be told';
    ok !$limits->blocked('m', 1000), 'below';
    $limits->charge('m', 6, 1050);
    ok $limits->blocked('m', 1050), 'the call that crosses it was the last';
    is $limits->reset_at('m', 1050), 1101, 'until the oldest part leaves';
    ok !$limits->blocked('m', 1101), 'then';
    is $limits->spent('m', 1101), 6, 'the rest stays';
    ok !$limits->blocked('n', 1050), 'per method';

    fresh(operating => {enabled => 1, limit => 2});
    my $json = rest('crm.deal.add', {fields => {TITLE => 'x'}});
    is $json->{time}{operating}, 0.95, 'time.operating';
    ok $json->{time}{operating_reset_at} > time, 'time.operating_reset_at';
    rest('crm.deal.add') for 1 .. 2;
    is error_of('crm.deal.add'), '429/OPERATION_TIME_LIMIT', 'spent';
    my $res = batch(0, a => 'crm.deal.add', b => 'profile', c => 'scope');
    is $res->{result_error}{a}{error}, 'OPERATION_TIME_LIMIT',
        'inside a batch, too';
    ok exists $res->{result_time}{b}{operating}, 'result_time has counters';

    fresh(operating => {enabled => 1, limit => 0.4, batch => 0.5});
    batch(0, a => 'crm.deal.add', b => 'profile', c => 'scope');
    is error_of('batch', {cmd => {}}), '429/OPERATION_TIME_LIMIT',
        'batch may be charged, at half weight';

    fresh(operating => {enabled => 1, limit => 0.9, batch => 0.5, inner => 0});
    $res = batch(0, a => 'crm.deal.add', b => 'crm.deal.add');
    is_deeply [sort keys %{$res->{result}}], ['a', 'b'],
        'and its commands free';
    is $res->{result_time}{b}{operating}, 0, 'which tell of nothing spent';
    is error_of('batch', {cmd => {}}), '429/OPERATION_TIME_LIMIT',
        'but the batch';

    fresh();
    $portal->fault(kind => 'slow', durations => {profile => 0.2});
    my $started = Time::HiRes::time();
    batch(0, map { $_ => "profile" } "a" .. "e");
    cmp_ok Time::HiRes::time() - $started, ">=", 0.99, 'delays of a batch add up';
    $portal->clear_faults;
};


subtest 'faults' => sub {
    fresh();

    my $deals = sub { $portal->report->{counts}{deals} };
    my $add = sub {
        my $tx = $ua->post($portal->url . 'crm.deal.add' => json => {});

        return $tx->error && !$tx->error->{code} ? 'lost'
             : join '/', $tx->res->code, $tx->res->body;
    };

    $portal->fault(kind => 'drop_before', method => 'crm\.deal\.add');
    is $add->(), 'lost', 'drop_before: no answer';
    is $deals->(), 0, 'nothing done';
    like $add->(), qr/\A200/, 'once';

    $portal->fault(kind => 'drop_after', times => 2);
    is $add->(), 'lost', 'drop_after: no answer';
    is $add->(), 'lost', 'twice, as told';
    is $deals->(), 3, 'yet done';

    $portal->fault(kind => 'drop', reset => 1);
    is $add->(), 'lost', 'a reset';
    $portal->fault(kind => 'html502_after');
    like $add->(), qr{\A502/<html>}, 'html502_after: the page of a proxy';
    is $deals->(), 4, 'yet done';
    $portal->fault(kind => 'html', status => 504);
    like $add->(), qr{\A504/<html>}, 'html before';
    is $deals->(), 4, 'not done';

    $portal->fault(kind => 'half');
    my $half = raw('POST ' . $portal->url =~ s{\Ahttp://[^/]+}{}r
        . "crm.deal.add HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    my ($length) = $half =~ /Content-Length: (\d+)/;
    my ($body) = $half =~ /\r\n\r\n(.*)\z/s;
    is length $body, int($length / 2), 'half of the announced answer';
    like $body, qr/\A\{"result":\d/, 'the first half';
    is $deals->(), 5, 'yet done';

    $portal->fault(kind => 'status', status => 503, error => 'OVERLOAD_LIMIT',
                   description => 'blocked');
    is $add->(), '503/{"error":"OVERLOAD_LIMIT","error_description":"blocked"}',
        'a canned answer';
    $portal->fault(kind => 'error', error => 'PORTAL_DELETED');
    like $add->(), qr{\A500/\{"error":"PORTAL_DELETED"}, 'by its code';
    $portal->fault(kind => 'redirect', location => 'https://new.example/rest/');
    my $moved = $ua->post($portal->url . 'profile')->res;
    is_deeply [$moved->code, $moved->headers->location],
        [302, 'https://new.example/rest/'], 'redirect';
    $portal->fault(kind => 'badjson');
    like $add->(), qr{\A200/\{"result":\{"result":\[1,2,\z}, 'badjson';
    $portal->fault(kind => 'empty');
    is $add->(), '200/', 'empty';
    is $deals->(), 7, 'both after processing';

    for my $chunked (0, 1) {
        $portal->fault(kind => 'big', bytes => 3_000_000, chunked => $chunked,
                       when => 'before');
        my $big = $ua->post($portal->url . 'profile')->res;
        is length $big->body, 3_000_000, 'big' . ($chunked ? ', chunked' : '');
        ok $big->json->{result}, 'and JSON';
    }

    $portal->fault(kind => 'command', method => 'crm\.deal\.add', error => '',
                   description => 'Access denied');
    my $res = batch(0, a => 'profile', b => 'crm.deal.add', c => 'scope');
    is_deeply $res->{result_error}{b},
        {error => '', error_description => 'Access denied'},
        'one command of a batch';
    $portal->fault(kind => 'command', when => 'after', method => 'deal.add',
                   error => 'INTERNAL_SERVER_ERROR');
    is error_of('crm.deal.add'), '500/INTERNAL_SERVER_ERROR', 'after its work';
    is $deals->(), 8, 'which is done';

    $portal->fault(kind => 'drop_before', method => 'crm\.deal\.add');
    ok result('profile'), 'a fault waits for its method';
    ok $ua->post($portal->url . 'batch' => json =>
        {cmd => {a => 'crm.deal.add'}})->error, 'in a batch as well';
    $portal->fault(kind => 'drop_before', body => 'order-77');
    ok result('profile', {x => 'order-7'}), 'or for a text in the body';
    ok $ua->post($portal->url . 'profile' => json => {x => 'order-77'})
        ->error, 'that comes';
    $portal->fault(kind => 'drop_before', times => 0);
    is join(',', map { $add->() } 1 .. 3), 'lost,lost,lost', 'all of them';
    $portal->clear_faults;
    like $add->(), qr/\A200/, 'until cleared';

    ok !eval { $portal->fault(kind => 'nonsense'); 1 }, 'an unknown kind';
    is $portal->report->{journal}[-1]{fault}, undef, 'the journal knows faults';
    is scalar(grep { ($_->{fault} // '') eq 'half' }
              @{$portal->report->{journal}}), 1, 'by name';
};


subtest 'hanging' => sub {
    fresh();

    my $answer = sub {
        my ($state) = @_;

        return sub {
            my ($ua, $tx) = @_;
            $state->{code} = $tx->res->code // 'lost';
        };
    };
    my $until = sub {
        my ($condition) = @_;

        my $timer = Mojo::IOLoop->timer(30 => sub { die "not in time\n" });
        Mojo::IOLoop->one_tick until $condition->();
        Mojo::IOLoop->remove($timer);
    };
    my ($one, $two, $three) = ({}, {}, {});

    $portal->fault(kind => 'hang_after', method => 'crm.deal.add');
    $ua->post($portal->url . 'crm.deal.add' => json => {} => $answer->($one));

    my $ready = 0;
    $ua->get($portal->base . '/_/wait?held=1' => sub { $ready = 1 });
    $until->(sub { $ready });
    is $portal->report->{counts}{deals}, 1, 'held after processing';
    is error_of('profile'), '200', 'others are answered meanwhile';
    ok !exists $one->{code}, 'it is not';
    is $portal->release, 1, 'released';
    $until->(sub { $one->{code} });
    is $one->{code}, 200, 'answered';

    $portal->fault(kind => 'hang_before', method => 'crm.deal.add');
    $ua->post($portal->url . 'crm.deal.add' => json => {} => $answer->($two));
    $ready = 0;
    $ua->get($portal->base . '/_/wait?held=1' => sub { $ready = 1 });
    $until->(sub { $ready });
    is $portal->report->{counts}{deals}, 1, 'held before processing';
    $portal->release(drop => 1);
    $until->(sub { $two->{code} });
    is $two->{code}, 'lost', 'or closed';
    is $portal->report->{counts}{deals}, 1, 'never processed';

    # a client that has gone doesn't stop the server's work
    $portal->fault(kind => 'hang_before', method => 'crm.deal.add');
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $portal->port) or die "connect: $!\n";
    print {$socket} 'POST ' . $portal->url =~ s{\Ahttp://[^/]+}{}r
        . "crm.deal.add HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    $portal->wait_for(held => 1);
    close $socket;
    $portal->release;
    is $portal->wait_for(deals => 2)->{counts}{deals}, 2,
        'processed though the client had gone';

    $portal->fault(kind => 'hang', seconds => 0.2);
    is error_of('profile'), '200', 'a hang may end by itself';
    $portal->fault(kind => 'hang', seconds => 0.05, then => 'drop');
    ok $ua->get($portal->url . 'profile')->error, 'or with a drop';

    my $slow = $portal->fault(kind => 'slow', durations => {'profile' => 0.2});
    my $res = batch(0, a => 'profile', b => 'profile', c => 'scope');
    cmp_ok $portal->report->{journal}[-1]{ms}, '>=', 400, 'slow commands';
    is keys %{$res->{result}}, 3, 'all run';
    $portal->config(request_cap => 0.3);
    my $cut = $ua->post($portal->url . 'batch' => json =>
        {cmd => ['profile', 'profile', 'crm.deal.add']})->res;
    is $cut->code, 504, 'a request is cut at its cap';
    is $portal->report->{counts}{deals}, 2, 'what came later was not run';
};


subtest 'control' => sub {
    fresh();

    ok !eval { $portal->wait_for(deals => 1, timeout => 0.2); 1 },
        'a condition that does not come true';
    like $@, qr/504 .*"deals":0/, 'says what is there';
    ok !eval { $portal->wait_for(nonsense => 1); 1 }, 'an unknown condition';
    ok !eval { $portal->config(nonsense => 1); 1 }, 'an unknown setting';

    my $report;
    my $wait = $ua->get_p($portal->base
        . '/_/wait?deal=1001&rows=1&stage=NEW&stable_ms=100&timeout=30')
        ->then(sub { $report = shift->res->json });
    my $done = 0;
    my $id = result('crm.deal.add', {fields => {ORIGIN_ID => '1001'}});
    ok !$report, 'not yet';
    rest('crm.deal.productrows.set', {id => $id, rows => [
        {PRODUCT_NAME => 'x', PRICE => 1}]});
    $wait->wait;
    is $report->{deals}[0]{id}, $id, 'a wait ends as soon as it holds';
    is $portal->wait_for(requests => 2, stable_ms => 50)->{counts}{requests},
        2, 'counts of requests';
    is @{$portal->report(journal => 1)->{journal}}, 1, 'a short journal';

    my $entry = $portal->report->{journal}[0];
    is_deeply [@$entry{qw(method http status error http_status)},
               $entry->{params}{fields}],
        ['crm.deal.add', 'POST', 200, undef, 200, {ORIGIN_ID => '1001'}],
        'the journal';
    unlike $ua->get($portal->base . '/_/report')->res->body,
        qr/code1234567890ab/, 'without the webhook code';

    $portal->edit(entity => 'deal', id => $id, fields => {TITLE => 'Чай'});
    is $portal->report->{deals}[0]{title}, 'Чай', 'an edit by a person';
    $portal->edit(entity => 'deal', id => $id, delete => 1);
    is $portal->report->{counts}{deals}, 0, 'a deletion';

    my $contact = result('crm.contact.add', {fields => {NAME => 'Анна <b>',
        PHONE => [{VALUE => '+7912'}]}});
    $id = result('crm.deal.add', {fields => {TITLE => '<script>',
        CONTACT_IDS => [$contact], OPPORTUNITY => '149.90'}});
    rest('crm.deal.productrows.set', {id => $id, rows => [
        {PRODUCT_NAME => 'Чай «Утро» & Co', PRICE => '149.90'}]});
    my $page = $ua->get($portal->base . '/')->res->text;
    like $page, qr/&lt;script&gt;/, 'the page escapes';
    unlike $page, qr/<script>|<b>/, 'everything';
    like $page, qr/Анна.*Чай «Утро» &amp; Co.*149\.90 RUB.*New \(NEW\)/s,
        'contact, rows, amount, stage';
    $page = $ua->get($portal->base . "/deal/$id")->res->text;
    like $page, qr/\+7912.*149\.90/s, 'the page of a deal';
    is $ua->get($portal->base . '/deal/99999')->res->code, 404, 'of none';

    $portal->reset;
    is_deeply [@{$portal->report->{counts}}{qw(deals contacts arrived)}],
        [0, 0, 0], 'reset';
};


subtest 'load and state file' => sub {
    my $file = File::Temp->new(SUFFIX => '.json');
    my $other = B24::PortalProcess->new(state => "$file",
        config => {bucket => {enabled => 0}});
    my $count = 400;
    my ($left, $done) = ($count, 0);

    for my $client (1 .. 8) {
        my $next;
        $next = sub {
            my ($self, $tx) = @_;

            Mojo::IOLoop->stop if $tx && ++$done == $count;
            return if $left <= 0;

            my $mine = $left--;

            $ua->post($other->url . 'batch' => json => {halt => 1, cmd => [
                "crm.deal.add?fields[ORIGIN_ID]=$mine",
                'crm.deal.productrows.set?id=$result[0]&rows[0][PRODUCT_NAME]=x'
                . '&rows[0][PRICE]=1.5&rows[0][QUANTITY]=2']} => $next);
        };
        $next->();
    }

    Mojo::IOLoop->start;

    my $report = $other->wait_for(deals => $count, requests => $count);
    my %origins = map { $_->{origin_id} => 1 } @{$report->{deals}};
    is keys %origins, $count, "$count orders, $count deals";
    is scalar(grep { $_->{opportunity} ne '3.00' } @{$report->{deals}}), 0,
        'all with their rows';
    my $first = $report->{journal}[0]{at};
    my $last = $report->{journal}[-1];
    note sprintf '%.0f requests/s',
        $count / ($last->{at} + $last->{ms} / 1000 - $first);

    # an idle portal ends on TERM, and takes its pid file along
    my $pid_file = "$file.pid";
    my $pid = open my $output, '-|', $^X, "-I$FindBin::Bin/lib",
        "$FindBin::Bin/portal.pl", '--listen', 'http://127.0.0.1:0',
        '--pid', $pid_file;
    my @lines = map { scalar <$output> } 1, 2;
    like $lines[0], qr{\Alistening http://127\.0\.0\.1:\d+$}, 'says where';
    my $written = Mojo::File->new($pid_file)->slurp;
    is $written, "$pid\n", 'and its pid';
    kill TERM => $pid;
    close $output;
    is $?, 0, 'ends on TERM';
    ok !-e $pid_file, 'and takes the pid file along';

    $other->stop;
    my $state = Mojo::JSON::decode_json(Mojo::File->new("$file")->slurp);
    is $state->{counts}{deals}, $count, 'the state file';
    is @{$state->{journal}}, 200, 'with the end of the journal';
};


is_deeply [$portal->spoiled], [], 'nobody has touched what is not theirs';

done_testing;
