package B24::MariaDB;

# A MariaDB of a test's own: in its own folder, on a socket and a free port of
# 127.0.0.1; no service of the system is used.
#
#   my $db = B24::MariaDB->new(dir => "$DIR/mariadb", port => $port, tls => 1);
#   $db->sql('CREATE TABLE shop.orders (...)');
#   my @rows = $db->rows('SELECT id, name FROM shop.orders');
#   $db->url            what b24_database takes
#   $db->stop; $db->start; $db->pause; $db->resume;
#   my $session = $db->session;   for many statements
#   my @log = $db->log; what the server's general log has of clients' statements
#
# There is a database "shop" and a user whose name and password have characters
# that an URL can't have as such.  The server is ended by its pid when the
# object goes, and ends by itself when the test is killed.

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Path ();
use IO::Handle ();
use IPC::Open2 ();
use POSIX ();
use Scalar::Util ();
use Time::HiRes ();

# seconds a start, and an end, may take on a busy machine
use constant { START_CAP => 90, STOP_CAP => 60 };

use constant {
    USER     => 'b24@shop',
    PASSWORD => 'se/c:re@t%1',
    URL_USER => 'b24%40shop:se%2Fc%3Are%40t%251',
};

my $root = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');
my @servers;


sub new {
    my ($class, %args) = @_;

    my $self = bless { owner => $$, %args }, $class;

    push @servers, $self;
    Scalar::Util::weaken($servers[-1]);

    File::Path::make_path($self->{dir});
    chmod 0755, $self->{dir};

    system('cp', '-a', template(), "$self->{dir}/data") == 0
        or die "cannot copy a new MariaDB's folder\n";

    $self->make_certificates if $self->{tls};
    $self->start;

    my ($user, $password) = (USER, PASSWORD);

    $self->sql("CREATE DATABASE shop CHARACTER SET utf8mb4;"
               . "CREATE USER '$user'\@'%' IDENTIFIED BY '$password';"
               . "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO"
               . " '$user'\@'%'");

    return $self;
}

# A data folder as mariadb-install-db makes it, made once for a checkout.
sub template {
    my $folder = "$root/build/mariadb-data";

    return $folder if -d $folder;

    my $new = "$folder.$$";

    File::Path::make_path("$new.tmp");

    my @command = ('mariadb-install-db', '--no-defaults', "--datadir=$new",
        '--auth-root-authentication-method=normal', '--skip-test-db',
        '--skip-name-resolve', '--innodb-log-file-size=4M',
        $> == 0 ? '--user=root' : ());

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {

        # a server that starts deletes what others have in its folder for that
        $ENV{TMPDIR} = "$new.tmp";
        open STDOUT, '>', "$new.log" or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec @command or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    File::Path::remove_tree("$new.tmp");
    die "mariadb-install-db failed, see $new.log\n" if $?;
    unlink "$new.log";

    # another test may have been first
    rename $new, $folder or File::Path::remove_tree($new);

    return $folder;
}

sub make_certificates {
    my ($self) = @_;

    my $dir = $self->{dir};
    my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);
    my $names = $self->{names} // 'IP:127.0.0.1,DNS:localhost';

    open my $file, '>', "$dir/san" or die "$dir/san: $!\n";
    print {$file} "subjectAltName=$names\n";
    close $file or die "$dir/san: $!\n";

    for my $command (
        [qw(req -x509 -days 30 -subj /CN=b24-test-ca), @key,
         '-keyout', "$dir/ca.key", '-out', "$dir/ca.pem"],
        [qw(req -subj /CN=localhost), @key,
         '-keyout', "$dir/server.key", '-out', "$dir/server.csr"],
        [qw(x509 -req -days 30 -set_serial 1), '-in', "$dir/server.csr",
         '-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key",
         '-extfile', "$dir/san", '-out', "$dir/server.pem"])
    {
        my $output = `openssl @$command 2>&1`;
        die "openssl @$command[0]: $output\n" if $?;
    }
}


# ---- life ----------------------------------------------------------------

sub start {
    my ($self) = @_;

    return if $self->{pid};

    my $dir = $self->{dir};
    my @options = ('--no-defaults', "--datadir=$dir/data", "--tmpdir=$dir",
        "--socket=$dir/sock", "--pid-file=$dir/pid", "--log-error=$dir/error.log",
        '--bind-address=127.0.0.1', "--port=$self->{port}",
        '--general-log=1', "--general-log-file=$dir/general.log",
        '--log-output=FILE', '--skip-name-resolve',
        '--innodb-buffer-pool-size=16M', '--innodb-log-file-size=4M',
        '--innodb-flush-log-at-trx-commit=2', '--performance-schema=0',
        '--key-buffer-size=1M', '--aria-pagecache-buffer-size=1M',
        $> == 0 ? '--user=root' : (),
        $self->{tls} ? ("--ssl-ca=$dir/ca.pem", "--ssl-cert=$dir/server.pem",
                        "--ssl-key=$dir/server.key")
                     : '--skip-ssl',
        @{$self->{options} // []});

    my $mariadbd = (grep { -x } map { "$_/mariadbd" } '/usr/sbin',
                    split /:/, $ENV{PATH})[0]
        // die "mariadb-server isn't installed\n";

    # a parent that waits for the pipe's end: a test that is killed leaves
    # nothing behind
    pipe my $alive_read, my $alive or die "pipe: $!\n";

    my $watcher = fork // die "fork: $!\n";

    if (!$watcher) {
        close $alive;
        watch($alive_read, "$dir/server", $mariadbd, @options);
    }

    close $alive_read;

    @$self{qw(watcher alive)} = ($watcher, $alive);

    wait_for(sub { -s "$dir/server" && $self->answers }, START_CAP)
        or die "MariaDB did not start, see $dir/error.log\n";

    open my $in, '<', "$dir/server" or die "$dir/server: $!\n";
    ($self->{pid}) = <$in> =~ /(\d+)/;
}

# In the child: runs the server, ends it when the test is gone.
sub watch {
    my ($alive, $file, @command) = @_;

    $SIG{INT} = $SIG{TERM} = 'IGNORE';

    my $pid = fork // POSIX::_exit(127);

    if (!$pid) {
        POSIX::setpgid(0, 0);
        delete @ENV{qw(LD_PRELOAD)};
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec @command or POSIX::_exit(127);
    }

    if (open my $out, '>', "$file.new") {
        print {$out} "$pid\n";
        close $out;
        rename "$file.new", $file;
    }

    # the end of the pipe: stop() or the death of the test
    sysread $alive, my $byte, 1;

    kill 'CONT', $pid;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    unlink $file;
    POSIX::_exit(0);
}

sub stop {
    my ($self) = @_;

    my $watcher = delete $self->{watcher} // return;

    delete $self->{pid};
    close delete $self->{alive};
    waitpid $watcher, 0;
}

# What CODE does, nobody else can see before the next start(): the server isn't
# reached by TCP meanwhile, and is away afterwards.
sub unseen {
    my ($self, $code) = @_;

    $self->stop;

    {
        local $self->{options} = [@{$self->{options} // []},
                                  '--skip-networking'];

        $self->start;
        $code->();
        $self->stop;
    }
}

# hangs: it takes connections, but says nothing
sub pause {
    my ($self) = @_;

    kill 'STOP', $self->{pid};

    # all its threads
    wait_for(sub { !grep { !stopped($_) } glob "/proc/$self->{pid}/task/*" },
             STOP_CAP) or die "MariaDB goes on\n";
}

sub stopped {
    my ($task) = @_;

    open my $in, '<', "$task/stat" or return 1;

    return <$in> =~ /\) T /;
}

sub resume {
    my ($self) = @_;

    kill 'CONT', $self->{pid};
}

sub answers {
    my ($self) = @_;

    return system("mariadb --no-defaults -u root -S $self->{dir}/sock"
                  . " -e 'SELECT 1' > /dev/null 2>&1") == 0;
}

sub wait_for {
    my ($condition, $cap) = @_;
    my $end = Time::HiRes::time() + $cap;

    while (!$condition->()) {
        return 0 if Time::HiRes::time() > $end;
        Time::HiRes::sleep(0.05);
    }

    return 1;
}

sub DESTROY {
    my ($self) = @_;

    local $?;

    $self->stop if $self->{owner} == $$;
}


# ---- what a test does there ----------------------------------------------

# Runs statements as root; gives what they print, a line a row.
sub sql {
    my ($self, $sql, $database) = @_;

    my $file = "$self->{dir}/sql." . ++$self->{statements};

    open my $out, '>:utf8', $file or die "$file: $!\n";
    print {$out} $sql;
    close $out or die "$file: $!\n";

    my $text = `mariadb --no-defaults --default-character-set=utf8mb4 -N -B -u root -S $self->{dir}/sock @{[$database // '']} < $file 2>&1`;

    die "SQL failed: $text\n" if $?;
    unlink $file;
    utf8::decode($text);

    return $text;
}

# A session that has run these and stays, with its locks, until the handle that
# this gives is closed.
sub hold {
    my ($self, $sql, $database) = @_;

    my $out = "$self->{dir}/held." . ++$self->{statements};

    open my $session, '|-', 'mariadb --no-defaults -n -N -B -u root'
        . " -S $self->{dir}/sock @{[$database // '']} > $out 2>&1"
        or die "no client: $!\n";

    $session->autoflush(1);
    print {$session} "$sql;\nSELECT 'it holds';\n";

    wait_for(sub {
        open my $in, '<', $out or return 0;
        return scalar grep { $_ eq "it holds\n" } <$in>;
    }, START_CAP) or die "nothing is held, see $out\n";

    return $session;
}

# A session for many statements, each without a process of its own:
#
#   my $session = $db->session;
#   my @rows = $session->("UPDATE ...; SELECT ...");      # lists of columns
#
# It dies with what the client says of a mistake.
sub session {
    my ($self, $database) = @_;

    my $pid = IPC::Open2::open2(my $from, my $to, 'mariadb --no-defaults'
        . ' --default-character-set=utf8mb4 -n -N -B -u root'
        . " -S $self->{dir}/sock @{[$database // '']} 2>&1");

    binmode $_, ':utf8' for $from, $to;
    $to->autoflush(1);

    my $end = B24::MariaDB::Session->new($pid, $to);

    return sub {
        my ($sql) = @_;
        my @rows;

        print {$end->{to}} "$sql;\nSELECT '--', 'over';\n";

        while (defined(my $line = <$from>)) {
            chomp $line;
            return @rows if $line eq "--\tover";
            push @rows, [split /\t/, $line, -1];
        }

        die 'SQL failed: ' . join(' ', map { @$_ } @rows) . "\n";
    };
}

# Those of the module's statements that are being run and match.
sub running {
    my ($self, $what) = @_;

    return grep { $_ =~ $what } map { $_->[0] } $self->rows(
        'SELECT info FROM information_schema.processlist WHERE info IS NOT NULL'
        . " AND user = '@{[USER]}'");
}

sub rows {
    my ($self, $sql) = @_;

    return map { [split /\t/, $_, -1] } split /\n/, $self->sql($sql, 'shop');
}

sub url {
    my ($self, %option) = @_;

    my $user = $option{user} // URL_USER;
    my $args = join '&', @{$option{args} // []};

    return "mysql://$user\@127.0.0.1:" . ($option{port} // $self->{port})
           . '/' . ($option{name} // 'shop') . ($args ? "?$args" : '');
}

sub socket_path {
    return "$_[0]{dir}/sock";
}

sub ca {
    return "$_[0]{dir}/ca.pem";
}

# Lines of the general log of others than root on the socket: "COMMAND TEXT".
sub log {
    my ($self) = @_;

    # asked for all the time: what was read once isn't read again
    my $known = $self->{log} //= { read => 0, own => {}, lines => [] };
    my $lines = $known->{lines};

    open my $in, '<:raw', "$self->{dir}/general.log" or return;
    seek $in, $known->{read}, 0;

    while (my $line = <$in>) {

        # the end of it may be on its way
        last if $line !~ /\n\z/;

        $known->{read} += length $line;
        utf8::decode($line);
        chomp $line;
        $line =~ s/^\d{6}\s+\d+:\d+:\d+//;

        if ($line =~ /^\s*(\d+)\s(Connect|Query|Prepare|Execute|Close stmt|Quit|Init DB|Statistics)\s?(.*)/) {
            my ($id, $command, $text) = ($1, $2, $3);

            # a server that was started again begins with the same ids
            $known->{own}{$id} = $text =~ /^root\@/ if $command eq 'Connect';
            push @$lines, $known->{own}{$id} // 1 ? undef : "$command $text";

        } elsif (@$lines && defined $lines->[-1]) {
            # a statement of several lines
            $lines->[-1] .= "\n$line";
        }
    }

    # copies: who asks may change them
    return map { defined ? "$_" : () } @$lines;
}

END {
    local $?;

    $_->stop for grep { defined && $_->{owner} == $$ } @servers;
}


# The client's process ends with the last reference to its session.
package B24::MariaDB::Session;

sub new {
    my ($class, $pid, $to) = @_;

    return bless { owner => $$, pid => $pid, to => $to }, $class;
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $!);
    close $self->{to};
    waitpid $self->{pid}, 0;
}

1;
