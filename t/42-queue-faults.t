# What stands at the queue's path is broken or no queue: it is set aside, whole,
# and told once; the shop answers, and what it accepts is kept and delivered.

use strict;
use warnings;

use lib 't/lib';

use B24::Test portal => { config => { bucket => { burst => 100_000 } } };
use Test::Nginx::Socket;

use B24::Orders;
use B24::Recording ();

use constant PAGE => 4096;

no_shuffle();
no_long_string();
no_root_location();
master_on();
workers(4);
worker_connections(256);

our $http = B24::Orders::http();
our $server = B24::Orders::server();

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = main->can($_)
        for qw(bytes_of db new_queues run_sql set_aside spoil told);
}

sub db {
    return "$ENV{TEST_NGINX_QUEUE}/queue.db";
}

sub write_db {
    my ($bytes) = @_;

    open my $out, '>', db() or die "cannot write: $!\n";
    binmode $out;
    print $out $bytes;
    close $out or die "cannot write: $!\n";
}

sub bytes_of {
    my ($path) = @_;

    return B24::Recording::read_file($path);
}

# Statements through PHP's SQLite, as another program would; prints the first
# column of the last one's first row.
sub run_sql {
    my ($path, @sql) = @_;

    my $code = '$d = new SQLite3($argv[1]); $d->busyTimeout(20000);'
               . ' foreach (array_slice($argv, 2) as $s)'
               . ' $r = $d->querySingle($s); echo $r;';

    open my $out, '-|', 'php', '-n', '-d', 'extension=sqlite3', '-r', $code,
        '--', $path, @sql or die "no PHP: $!\n";
    my $result = do { local $/; <$out> } // '';
    close $out or die "SQL failed: $result\n";

    return $result;
}

# What has been set aside, without what belongs to it.
sub set_aside {
    return grep { /\.bad-\d{8}-\d{6}$/ } glob db() . '.bad-*';
}

# The lines about it.
sub told {
    return B24::Scenario::error_log_lines(qr/\[alert\].*b24: a new queue/);
}

# Breaks all pages but those that hold the schema: the file is opened as ever.
sub spoil {
    my $bytes = bytes_of(db());
    my $pages = length($bytes) / PAGE;
    my $spoilt = 0;

    for my $n (2 .. $pages - 1) {
        next if substr($bytes, $n * PAGE, PAGE) =~ /CREATE /;
        substr($bytes, $n * PAGE, PAGE) = "\x5a" x PAGE;
        $spoilt++;
    }

    die "nothing to spoil\n" if !$spoilt;
    open my $out, '+<', db() or die "cannot write: $!\n";
    binmode $out;
    print $out $bytes;
    close $out or die "cannot write: $!\n";
}

# One subtest: a file was set aside, unchanged, and one line says so.
sub new_queues {
    my ($bytes, $why) = @_;

    Test::More::subtest('set aside', sub {
        my @files = set_aside();
        my @lines = told();

        Test::More::is(scalar @files, 1, 'one file');
        Test::More::is(scalar @lines, 1, 'and one line of four workers');
        Test::More::like($lines[0], $why, 'why');

        my ($name) = $files[0] =~ m{([^/]+)$};
        my $size = length $bytes;

        Test::More::like($lines[0], qr/set aside as "\Q$name\E", $size bytes/,
                         'where, and how large');
        Test::More::ok(bytes_of($files[0]) eq $bytes, 'not a byte of it is'
                                                      . ' changed');
        Test::More::is((stat db())[2] & 0777, 0600, 'the new one is private');
    });
}

plan tests => 2 * blocks();

run_tests();

__DATA__

=== TEST 1: garbage
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::write_db('garbage, ' x 1000)
--- expected_alert
b24: a new queue
--- scenario
    is(place(1 .. 20), 20, 'the shop answers');
    delivered_once(1 .. 20);
    new_queues('garbage, ' x 1000, qr/file is not a database/);
    is(B24::Desk::status()->{queue}, 'ok', 'the queue is well');
    is(B24::Desk::counter('lost'), 0, 'nothing was lost');

    # keys of the old file may have been written down somewhere
    my ($key) = (record(1)->{key} // '') =~ /^k-([0-9a-f]+)$/;
    cmp_ok(hex $key, '>', time - 3600, 'its keys are new ones');

    reload();
    place(21);
    delivered_once(1 .. 21);
    is(scalar(set_aside()), 1, 'once and for all');



=== TEST 2: another program's database
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root
main::run_sql(main::db(), 'CREATE TABLE of_others (a)',
              "INSERT INTO of_others VALUES ('theirs')")
--- expected_alert
b24: a new queue
--- scenario
    is(place(1 .. 5), 5, 'the shop answers');
    delivered_once(1 .. 5);

    my ($file) = set_aside();
    new_queues(bytes_of($file), qr/a database of another program/);
    is(run_sql($file, 'SELECT a FROM of_others'), 'theirs',
       'what is theirs is there');



=== TEST 3: a file of no bytes is an empty queue
--- http_config eval: $::http
--- config eval: $::server
--- post_setup_server_root: main::write_db('')
--- scenario
    is(place(1 .. 5), 5, 'the shop answers');
    delivered_once(1 .. 5);
    is(scalar(set_aside()), 0, 'nothing is set aside');
    is(scalar(told()), 0, 'nor told');



=== TEST 4: the file was cut while nginx was away
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert
b24: a new queue
--- scenario
    place(1 .. 10);
    delivered_once(1 .. 10);
    ok(quit(), 'quits');
    is(join(' ', glob db() . '-*'), '', 'all is in the file');

    truncate db(), 10_000 or die "cannot truncate: $!\n";
    my $bytes = bytes_of(db());

    start_again();
    is(place(11 .. 15), 5, 'the shop answers');
    settled($_) for 11 .. 15;
    B24::Orders::once_at_portal(portal()->report, 1 .. 15);
    new_queues($bytes, qr/database disk image is malformed/);



=== TEST 5: pages are broken, which shows when they are used
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert
b24: a new queue
--- scenario
    place(1 .. 20);
    delivered_once(1 .. 20);
    ok(quit(), 'quits');

    spoil();
    my $bytes = bytes_of(db());

    start_again();
    is(place(21 .. 40), 20, 'the shop answers');
    is(settled($_)->{state}, 'delivered', "order $_") for 21 .. 40;
    B24::Orders::once_at_portal(portal()->report, 1 .. 40);
    new_queues($bytes, qr/malformed/);

    # whether an order comes upon them or a look for orders is a matter of
    # time, and which of the two says so
    is(B24::Desk::counter('held'), 0, 'nothing is held any more');
    is(B24::Desk::counter('lost'), 0, 'nothing was lost');



=== TEST 6: an order that comes again after its record is gone
--- http_config eval: $::http
--- config eval: $::server
--- expected_alert
b24: a new queue
--- scenario
    place(1 .. 3);
    delivered_once(1 .. 3);
    ok(quit(), 'quits');
    main::write_db('x' x 5000);
    start_again();

    is(place(2, 4), 2, 'one of before, and a new one');
    settled($_) for 2, 4;
    B24::Orders::once_at_portal(portal()->report, 1 .. 4);



=== TEST 7: a queue of a newer module
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    place(1);
    delivered_once(1);
    ok(quit(), 'quits');

    my $version = run_sql(db(), 'PRAGMA user_version');
    run_sql(db(), 'PRAGMA user_version = 99', 'PRAGMA journal_mode = DELETE');
    my $bytes = bytes_of(db());

    start_again();
    is(place(2 .. 10), 9, 'the shop answers');
    ok(wait_until(sub { error_log_lines(
        qr/cannot write the queue .* made by a newer version .* version 99/) }),
       'the log says why');
    ok(wait_until(sub { B24::Desk::counter('held') == 9 }),
       'orders are held');
    ok(bytes_of(db()) eq $bytes, 'the file stays as it is');
    is(scalar(set_aside()), 0, 'where it is');

    run_sql(db(), "PRAGMA user_version = $version");
    delivered_once(1 .. 10);
    is(B24::Desk::counter('held'), 0, 'nothing is held any more');



=== TEST 8: max: nothing delivered is left to make room
--- http_config eval
B24::Orders::http(retry => 'first=300ms max=1s unknown=300ms')
    =~ s/(b24_queue [^;]+);/$1 max=100;/r
--- config eval: $::server
--- expected_alert
undelivered records
--- scenario
    place(1 .. 30);
    delivered_once(1 .. 30);

    portal()->fault(kind => 'html', status => 502, when => 'before',
                    times => 0);
    is(place(31 .. 130), 100, 'the shop answers');
    ok(wait_until(sub {
        my $counts = portal_state()->{counts};
        return $counts->{accepted} + $counts->{waiting}
               + $counts->{sending} == 100;
    }), 'delivered ones make room');
    is(B24::Desk::counter('lost'), 0, 'none is lost');

    is(place(131 .. 140), 10, 'the shop answers all the same');
    ok(wait_until(sub { B24::Desk::counter('lost') == 10 }), 'counted');
    ok(error_log_lines(qr/\[alert\].*holds max=100 undelivered records/),
       'the log tells');
    like(get('/b24')->{body}, qr/could not be kept .*: 10\./, 'so does the page');

    portal()->clear_faults;
    ok(wait_until(sub {
        portal()->report(journal => 0)->{counts}{deals} == 130
    }, 30), 'what was kept is delivered');
    place(141);
    is(settled(141)->{state}, 'delivered', 'and there is room again');



=== TEST 9: the disk fails
--- http_config eval: $::http
--- config eval: $::server
--- scenario
    SKIP: {
        place(1);
        delivered_once(1);
        ok(quit(), 'quits');

        my $flag = start_preloaded('io_error')
            or do { start_again(); skip 'not under the sanitizers', 1 };

        # written with it, so it is there, and works
        place(2);
        delivered_once(1, 2);

        open my $out, '>', $flag or die "cannot write $flag: $!\n";
        close $out;
        is(place(3 .. 22), 20, 'the shop answers');
        ok(wait_until(sub { error_log_lines(
            qr/\[crit\].*cannot write the queue .*I\/O error/) }),
           'the log says why');
        ok(wait_until(sub { B24::Desk::counter('held') == 20 }),
           'orders are held');
        isnt(B24::Desk::status()->{queue}, 'ok', 'the page says so');
        is(portal()->report->{counts}{deals}, 2, 'nothing is sent unwritten');
        is(scalar(set_aside()), 0, 'a failing disk is no broken queue');

        # once a second, however often somebody looks
        my $errors = B24::Desk::counter('store_errors');
        my $begun = time;
        B24::Desk::status() for 1 .. 100;
        my $more = B24::Desk::counter('store_errors') - $errors;
        cmp_ok($more, '<=', 4 * (time - $begun + 3), 'it is asked now and then');

        unlink $flag or die "cannot remove $flag: $!\n";
        delivered_once(1 .. 22);
        is(B24::Desk::counter('held'), 0, 'nothing is held any more');
        is(B24::Desk::counter('lost'), 0, 'nothing was lost');
        ok(quit(), 'quits');
    }
