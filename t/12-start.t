# What a start, a test of the configuration and a reload do and leave behind:
# the queue's folder, its owner, zone and threads, other modules.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => 1;
use Test::Nginx::Socket;
use B24::Conf qw(planned);

no_shuffle();
no_long_string();
no_root_location();
master_on();

our $shop = <<'EOC';
b24_shop s {
    order o {
        uri  /x;
        id   response:/id;
    }
}
EOC

plan tests => planned(blocks());

run_tests();

__DATA__

=== TEST 1: a test of the configuration leaves nothing behind
--- config
--- scenario
    my $nginx = B24::Conf->new('tested');
    my $queue = $nginx->dir('queue');

    $nginx->conf("b24_queue $queue;\n$main::shop"
                 . "server { listen 127.0.0.1:" . port() . ";\n"
                 . "server_name shop.test;\n"
                 . "b24_webhook https://portal.test/rest/1/code/;\n"
                 . "b24_mirror s; location /b24 { b24_status; } }\n");

    my ($status, $output) = $nginx->run('-t');
    is($status, 0, 'right') or diag($output);
    is_deeply([$nginx->found], [], 'no file');

    ($status, $output) = $nginx->run('-T');
    is($status, 0, 'printed') or diag($output);
    is_deeply([$nginx->found], [], 'no file');

    # the port is that of this block's server
    ($status, $output) = $nginx->run;
    isnt($status, 0, 'the port is taken');
    like($output, qr/bind\(\) to 127\.0\.0\.1:\d+ failed/, 'and it says so');
    is_deeply([$nginx->found], [], 'no file');

    $nginx->conf("b24_queue $queue;\n$main::shop"
                 . "server { server_name shop.test; b24_mirror s; }\n"
                 . "nonsense;\n");
    ($status, $output) = $nginx->run;
    isnt($status, 0, 'a wrong directive after ours');
    like($output, qr/unknown directive "nonsense"/, 'and it says so');
    is_deeply([$nginx->found], [], 'no file');

    ($status, $output) = $nginx->run('-t');
    isnt($status, 0, 'a test of it');
    is_deeply([$nginx->found], [], 'no file');

    $nginx->conf("b24_queue $queue/below;\n$main::shop"
                 . "server { server_name shop.test; b24_mirror s; }\n");
    ($status, $output) = $nginx->run('-t');
    isnt($status, 0, 'a folder that can\'t be made is found by a test');
    my $words = "\"b24_queue\" cannot make the folder \"$queue/below\":"
                . ' make the folder above it first in '
                . $nginx->dir('conf/nginx.conf');
    like($output, qr/\[emerg\] \Q$words\E:\d+$/m, 'and it says so');
    is_deeply([$nginx->found], [], 'no file');



=== TEST 2: loaded but not used
--- config
--- scenario
    # shared mappings and threads of a worker
    my $look = sub {
        my ($nginx) = @_;
        my ($worker) = $nginx->workers;
        my $maps = B24::Recording::read_file("/proc/$worker/maps");
        my @shared = $maps =~ /^\S+ \S{3}s /mg;
        my @threads = glob "/proc/$worker/task/*";
        return (scalar @shared, scalar @threads);
    };
    my $server = "server { listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
                 . " server_name shop.test; return 204;";
    my @plain;

    for my $case (
        ['without the module', '', '', 0],
        ['loaded', '', '', 0],
        ['with a shop', $main::shop, '', 0],
        ['with a shop and a portal', "b24_queue QUEUE;\n$main::shop",
         'b24_webhook https://portal.test/rest/1/code/; b24_mirror off;', 0],
        ['with a mirror', "b24_queue QUEUE;\n$main::shop",
         'b24_webhook https://portal.test/rest/1/code/; b24_mirror s;', 1],
        ['with a page', 'b24_queue QUEUE;', 'location /b24 { b24_status; }',
         1])
    {
        my ($name, $http, $lines, $used) = @$case;
        my $nginx = B24::Conf->new('unused');
        my $queue = $nginx->dir('queue');

        $http =~ s/QUEUE/$queue/;
        $nginx->conf("$http\n$server $lines }",
                     @plain ? () : (modules => []));
        ok($nginx->start, $name) or diag($nginx->alarms);

        my @seen = $look->($nginx);
        @plain = @seen if !@plain;

        if ($used) {
            cmp_ok($seen[0], '>', $plain[0], 'a zone');
            cmp_ok($seen[1], '>', $plain[1], 'a thread');

        } else {
            is("@seen", "@plain", 'no zone, no thread');
            is_deeply([$nginx->found], [], 'no file');
        }

        ok($nginx->stop, 'gone');
        is($nginx->alarms, '', 'nothing alarming');
    }



=== TEST 3: a thread pool of the name wins
--- config
--- scenario
    my $nginx = B24::Conf->new('pool');
    my $threads = sub {
        my ($main) = @_;
        $nginx->conf("b24_queue @{[$nginx->dir('queue')]};\n$main::shop"
                     . "server { listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
                     . ' server_name shop.test; b24_mirror s; }',
                     main => $main);
        ok($nginx->start, 'started') or diag($nginx->alarms);
        my ($worker) = $nginx->workers;
        my $count = () = glob "/proc/$worker/task/*";
        ok($nginx->stop, 'gone');
        return $count;
    };

    my $usual = $threads->('');
    is($threads->("thread_pool b24_queue threads=3;\n"), $usual + 2,
       'two threads more');



=== TEST 4: the folder of the queue
--- config
--- scenario
    my $nginx = B24::Conf->new('folder');
    my $queue = $nginx->dir('queue');
    my ($user) = B24::Test::worker_ids();
    my $server = "$main::shop server {"
                 . " listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
                 . ' server_name shop.test; b24_mirror s;'
                 . ' location / { return 204; }'
                 . ' location /b24 { b24_status; } }';
    my $works = sub {
        my ($name) = @_;
        ok($nginx->start, $name) or diag($nginx->alarms);
        ok(wait_until(sub { -s "$queue/queue.db" }), 'a queue');
        ok($nginx->stop, 'gone');
        is($nginx->alarms, '', 'nothing alarming');
    };

    $nginx->conf("b24_queue $queue/;\n$server");
    $works->('made');
    is(sprintf('%04o', (stat $queue)[2] & 07777), '0700', 'for nobody else');
    is((stat $queue)[4], $user, 'owned by the worker user');
    is_deeply([grep { (stat)[4] != $user } glob "$queue/*"], [],
              'as are the files');
    is_deeply([grep { -f && (stat _)[2] & 077 } glob "$queue/*"], [],
              'which nobody else can read');

    SKIP: {
        skip('only root hands files over', 6) if $> != 0 || $user == 0;

        my $other = $nginx->dir('other');
        $nginx->put('other', 'not ours');
        symlink $other, "$queue/courier.lock.old" or die;
        unlink "$queue/courier.lock";
        symlink $other, "$queue/courier.lock" or die;
        chown 0, 0, $queue, glob "$queue/queue.db*";
        ok($nginx->start, 'left behind by root') or diag($nginx->alarms);
        is((stat $queue)[4], $user, 'handed over');
        is_deeply([grep { (stat)[4] != $user } glob "$queue/queue.db*"], [],
                  'as are the files');
        is((lstat "$queue/courier.lock")[4], $user, 'a link itself');
        is((stat $other)[4], 0, 'but not what it leads to');
        ok($nginx->stop, 'gone');
        unlink "$queue/courier.lock";
    }

    $nginx->conf($server);
    $queue = $nginx->dir('b24');
    $works->('the usual folder');
    is((stat $queue)[4], $user, 'owned by the worker user');



=== TEST 5: a queue that cannot be made does not hold up the shop
--- config
--- scenario
    my $nginx = B24::Conf->new('impossible');
    my $queue = $nginx->dir('q' x 300);
    my $server = "$main::shop server {"
                 . " listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
                 . ' server_name shop.test; b24_mirror s;'
                 . ' location / { return 200 shop; } }';

    $nginx->conf("b24_queue $queue;\n$server");
    ok($nginx->start, 'started') or diag($nginx->alarms);

    my $words = "b24: cannot make the queue folder \"$queue\": orders are held"
                . ' in memory until it is there (36: File name too long)';
    like($nginx->log, qr/\[alert\] \d+#\d+: \Q$words\E$/m, 'it says so');
    like(exchange(request_bytes('POST', '/x', 'a=b'),
                  $ENV{TEST_NGINX_PORT_2}), qr/shop$/, 'the shop answers');
    ok($nginx->stop, 'gone');

    # what was right when it was tested
    $nginx = B24::Conf->new('dangling');
    $queue = $nginx->dir('queue');
    symlink $nginx->dir('nowhere'), $queue or die;
    $nginx->conf("b24_queue $queue;\n$server");
    my ($status, $output) = $nginx->run('-t');
    isnt($status, 0, 'a link to nowhere');
    like($output, qr/\[emerg\] "b24_queue" needs a folder, but "\Q$queue\E" is none: give another path in /,
         'is no folder');



=== TEST 6: a folder of somebody else is not given away
--- config
--- scenario
    my $nginx = B24::Conf->new('foreign');
    my $folder = $nginx->dir('folder');
    my $conf = $nginx->dir('conf/nginx.conf');
    my ($user) = B24::Test::worker_ids();
    my $http = "b24_queue FOLDER;\n$main::shop server {"
               . " listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
               . ' server_name shop.test; b24_mirror s; return 204; }';
    my $own = sub { return sprintf '%d %04o', (lstat $_[0])[4],
                           (lstat _)[2] & 07777 };
    my $refused = sub {
        my ($path, $words, $what) = @_;
        my $before = $own->($folder);

        $nginx->conf($http =~ s/FOLDER/$path/r);
        for my $args (['-t'], []) {
            my ($status, $output) = $nginx->run(@$args);
            isnt($status, 0, "$what: refused by nginx @$args");
            like($output, qr{\[emerg\] "b24_queue" needs a folder\Q$words in $conf\E:\d+$}m,
                 'with these words');
        }
        is($own->($folder), $before, 'nothing was changed');
    };
    my $holds = sub {
        return " of its own, which the workers get, but \"$folder\" holds"
               . " \"$_[0]\": give a new or an empty one";
    };

    mkdir $folder, 0755 or die;

    for my $name ('passwd', 'queue', '.profile', 'Queue.db', "a\nb\e[1m") {
        $nginx->put("folder/$name", 'not ours');
        $refused->($folder, $holds->($name =~ tr/\n\e/?/r), 'a file');
        unlink "$folder/$name";
    }

    symlink $folder, $nginx->dir('link') or die;
    $refused->($nginx->dir("link$_"), ', but "' . $nginx->dir('link')
               . '" is a link to one: give the path of that folder', 'a link')
        for '', '/';

    # what may be there
    mkdir "$folder/lost+found", 0755 or die;
    $nginx->put("folder/$_", 'ours')
        for qw(queue.db-wal.old courier.sock.bak);
    $nginx->conf($http =~ s/FOLDER/$folder/r);
    ok($nginx->start, 'its own') or diag($nginx->alarms);
    ok(wait_until(sub { -s "$folder/queue.db" }), 'a queue');
    ok($nginx->stop, 'gone');
    is($nginx->alarms =~ s/^.*"b24_queue" needs a folder.*\n//mgr, '',
       'nothing alarming');

    SKIP: {
        skip('only root hands a folder over', 8) if $> != 0;

        is($own->($folder), "$user 0700", 'mode and owner are put right');
        is($own->("$folder/lost+found"), '0 0755', 'of nothing else');
        is($own->("$folder/courier.sock.bak"), '0 0644', 'in it');

        last SKIP if $user == 0;

        # whoever is in the folder would like to have another's file
        $nginx->put('other', 'not ours');
        unlink "$folder/courier.lock";
        link $nginx->dir('other'), "$folder/courier.lock" or die;
        chmod 0777, $folder or die;
        ok($nginx->start, 'a file with two names') or diag($nginx->alarms);
        is($own->($nginx->dir('other')), '0 0644', 'stays root\'s');
        is($own->($folder), "$user 0700", 'nobody else gets in');
        ok($nginx->stop, 'gone');
        my $words = "b24: \"$folder/courier.lock\" has other names, too: it"
                    . ' is not given to the workers';
        like($nginx->log, qr/\[alert\] \d+#\d+: \Q$words\E$/m,
             'and the log says so');
    }



=== TEST 7: a reload with a wrong configuration changes nothing
--- config
--- scenario
    my $nginx = B24::Conf->new('reload');
    my $queue = $nginx->dir('queue');
    my $server = sub {
        my ($text) = @_;
        return "$main::shop server {"
               . " listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
               . ' server_name shop.test; b24_mirror s;'
               . " location / { return 200 $text; } }";
    };
    my $answer = sub {
        return eval { exchange(request_bytes('GET', '/'),
                               $ENV{TEST_NGINX_PORT_2}) } // $@;
    };

    $nginx->conf("b24_queue $queue;\n" . $server->('old'));
    ok($nginx->start, 'started') or diag($nginx->alarms);

    my $master = $nginx->pid;
    my ($worker) = $nginx->workers;

    for my $wrong ("b24_queue $queue/no/queue;", 'b24_queue /dev/null;',
                   "b24_queue @{[$nginx->dir('logs')]};",
                   "b24_queue $queue;\nb24_queue $queue;")
    {
        my $emergs = () = $nginx->log =~ /\[emerg\]/g;

        $nginx->conf("$wrong\n" . $server->('new'));
        kill 'HUP', $master;
        ok(wait_until(sub {
               my $now = () = $nginx->log =~ /\[emerg\]/g;
               return $now > $emergs;
           }), 'refused');
        like($answer->(), qr/old$/, 'the old one answers');
        ok(is_alive($master), 'the master goes on');
        is(($nginx->workers)[0], $worker, 'with its worker');
    }

    $nginx->conf("b24_queue $queue;\n" . $server->('new'));
    kill 'HUP', $master;
    ok(wait_until(sub { $answer->() =~ /new$/ }), 'a right one is taken');
    is($nginx->pid, $master, 'by the same master');
    ok($nginx->stop, 'gone');



=== TEST 8: any order of load with other modules
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_PORT_1;
        add_header X-Shop $arg_id;
        return 200 '{"id":$arg_id}';
    }
--- config
--- scenario
    my $ours = $ENV{TEST_NGINX_LOAD_MODULES};
    my ($folder) = qx($ENV{TEST_NGINX_BINARY} -V 2>&1)
                   =~ /--modules-path=(\S+)/;
    my ($more, $echo) = map { "$folder/ngx_http_${_}_module.so" }
                            qw(headers_more_filter echo);

    SKIP: {
        skip('the modules headers-more and echo are not installed', 1)
            if !-f $more || !-f $echo;

        my $id = 600;

        for my $order ([$ours, $more, $echo], [$ours, $echo, $more],
                       [$more, $ours, $echo], [$echo, $ours, $more],
                       [$more, $echo, $ours], [$echo, $more, $ours])
        {
            my $nginx = B24::Conf->new('modules');
            my $queue = $nginx->dir('queue');
            my $url = $ENV{TEST_NGINX_PORTAL_URL};

            $id++;
            $nginx->conf(<<"EOC", modules => $order);
b24_queue $queue;
b24_webhook $url;
b24_origin modules;
b24_shop s {
    order o {
        uri    /shop;
        id     "%{header:X-Shop}-%{response:/id}";
        name   request:/name;
    }
}
server {
    listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};
    b24_mirror s;
    location /shop {
        proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_PORT_1};
        more_set_headers "X-More: more";
        more_clear_headers X-Shop;
        echo_before_body before;
        echo_after_body after;
    }
}
EOC
            ok($nginx->start, "@$order") or diag($nginx->alarms);

            my $answer = exchange(
                request_bytes('POST', "/shop?id=$id", 'name=Anna',
                    'Content-Type' => 'application/x-www-form-urlencoded'),
                $ENV{TEST_NGINX_PORT_2});

            like($answer, qr/X-More: more/, 'a header more');
            like($answer, qr/before\n.*\{"id":$id\}.*after\n/s, 'and a body');
            ok(eval { portal()->wait_for(deal => "$id-$id"); 1 }, 'a deal')
                or diag($@, $nginx->alarms);
            ok($nginx->stop, 'gone');
        }
    }



=== TEST 9: very many shops and portals
--- config
--- scenario
    my $nginx = B24::Conf->new('many');
    my $queue = $nginx->dir('queue');
    my $many = 2500;

    $nginx->conf("b24_queue $queue;\nserver_names_hash_max_size 16384;\n"
        . $main::shop . join '', map { <<"EOC" } 1 .. $many);
server {
    listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};
    server_name shop-$_.test;
    b24_webhook https://portal-$_.test/rest/1/code/ dry;
    b24_mirror s;
    return 204;
}
EOC

    ok($nginx->start, 'started') or diag($nginx->alarms);
    like(eval { exchange(request_bytes('GET', '/'),
                         $ENV{TEST_NGINX_PORT_2}) } // $@,
         qr/^HTTP\/1.1 204 /, 'it answers');
    ok($nginx->stop, 'gone');
    is($nginx->alarms, '', 'nothing alarming');



=== TEST 10: names that come and go
--- config
--- scenario
    my $nginx = B24::Conf->new('names');
    my $queue = $nginx->dir('queue');
    my $many = 300;
    my $configure = sub {
        my ($round) = @_;
        $nginx->conf("b24_queue $queue;\nserver_names_hash_max_size 4096;\n"
            . $main::shop . join '', map { <<"EOC" } 1 .. $many);
server {
    listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};
    server_name shop-$_.test;
    b24_origin shop-$round-$_;
    b24_webhook https://portal-$round-$_.test/rest/1/code/ dry;
    b24_mirror s;
    return 200 "round $round.";
}
EOC
    };
    my $answer = sub {
        return eval { exchange(request_bytes('GET', '/'),
                               $ENV{TEST_NGINX_PORT_2}) } // '';
    };

    $configure->(0);
    ok($nginx->start, 'started') or diag($nginx->alarms);

    for my $round (1 .. 5) {
        $configure->($round);
        kill 'HUP', $nginx->pid;
        ok(wait_until(sub { $answer->() =~ /round $round\.$/ }),
           "reload $round with other names");
    }

    ok($nginx->stop, 'gone');

    my @alarms = split /\n/, $nginx->alarms;
    my $words = qr/b24: no room for "[^"]+" in the shared memory: orders go on/;

    cmp_ok(scalar @alarms, '>', 0, 'memory for names comes to an end');
    is(join('', grep { $_ !~ $words } @alarms), '', 'and nothing else');



=== TEST 11: the password of the shop's user
--- config
--- scenario
    my $nginx = B24::Conf->new('site');
    my $password = 'n0t-to-be-seen';
    my $file = $nginx->dir('conf/password');
    my $shop = $main::shop =~ s/\}\n\z/<<'EOC'/er;

    write w {
        url     "%{site}/orders/%{id}";
        header  Authorization  "Basic %{basic}";
        accept  status =200;
    }
}
EOC
    my $server = sub {
        my ($site, $text) = @_;
        return "b24_queue @{[$nginx->dir('queue')]};\n$shop server {"
               . " listen 127.0.0.1:$ENV{TEST_NGINX_PORT_2};"
               . ' server_name shop.test; b24_mirror s;'
               . ' b24_webhook https://portal.test/rest/1/code/ dry;'
               . ' location /e { b24_events 0123456789abcdef; }'
               . " b24_site https://shop.test $site;"
               . " location / { return 200 $text; } }";
    };
    my $answer = sub {
        return eval { exchange(request_bytes('GET', '/'),
                               $ENV{TEST_NGINX_PORT_2}) } // $@;
    };

    # the master reads it, workers need no right to
    $nginx->put('conf/password', "$password\n");
    chmod 0600, $file;
    $nginx->conf($server->("user=crm password=file:$file", 'old'));
    ok($nginx->start, 'started') or diag($nginx->alarms);
    like($answer->(), qr/old$/, 'it answers');

    my ($status, $output) = $nginx->run('-T');
    is($status, 0, 'printed') or diag($output);
    like($output, qr/b24_site/, 'with the line');
    unlike($output, qr/\Q$password\E/, 'without the password');

    for my $wrong ("user=crm:$password", "user=crm password=$password",
                   'user=crm', "password=file:$file",
                   "user=crm password=file:$file.gone")
    {
        my $emergs = () = $nginx->log =~ /\[emerg\] .*"b24_site"/g;

        $nginx->conf($server->($wrong, 'new'));
        kill 'HUP', $nginx->pid;
        ok(wait_until(sub {
               my $now = () = $nginx->log =~ /\[emerg\] .*"b24_site"/g;
               return $now > $emergs;
           }), 'refused');
        like($answer->(), qr/old$/, 'the old one answers');
    }

    $nginx->put('conf/password', "another $password\n");
    $nginx->conf($server->("user=crm password=file:$file", 'new'));
    kill 'HUP', $nginx->pid;
    ok(wait_until(sub { $answer->() =~ /new$/ }), 'a right one is taken');
    ok($nginx->stop, 'gone');
    unlike($nginx->log, qr/\Q$password\E/, 'no password in the log');
