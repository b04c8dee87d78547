package B24::Fpm;

# A PHP-FPM of a test's own: a generated pool in a private folder, a unix
# socket, no system service touched.  What the sample shop (B24::Shop) and the
# stand-in of 1C-Bitrix (B24::BitrixAdmin) are run by.
#
#   package B24::Some; use parent 'B24::Fpm';
#   sub docroot { ... }  sub folders { ... }  sub pool { ... }
#
#   my $php = B24::Some->start("build/t/some", OPTIONS);
#   $php->socket;     # path for fastcgi_pass unix:...
#   $php->location;   # a ready "location / { ... }" for nginx.conf
#   $php->stop;       # also done when the object or the program ends
#
# start(DIR, OPTIONS): DIR is made, or used again with what it holds.  Options
# of all:
#
#   children  number of PHP processes, default 3
#   detach    1: goes on after the program's end, until ->stop_in(DIR)
#
# As root the PHP processes run as www-data, or as root where that user can't
# reach the files (a checkout below /root); otherwise as the current user.
# Whatever fails dies with a sentence that says where to look.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp ();
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    WORKER_USER  => 'www-data',
    START_CAP    => 20,            # seconds until the socket must answer
    STOP_CAP     => 10,            # seconds until the process must be gone
    SOCKET_CHARS => 100,           # sun_path holds 108 bytes
};

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');

my %running;


# ---- what is run: to be said by each ---------------------------------------

# The folder of the scripts; all requests go to its index.php.
sub docroot { die "no docroot\n" }

# Folders within DIR that PHP writes to.
sub folders { return () }

# The environment and the settings ("php_admin_value[x]" => value) of the pool,
# two hashes; an undefined value is left out.
sub pool { return ({}, {}) }


# ---- life ------------------------------------------------------------------

sub start {
    my ($class, $dir, %option) = @_;

    $dir //= "$ROOT/build/php-$$";
    make_path($dir);

    my $self = bless {
        dir    => abs_path($dir),
        owner  => $$,
        detach => $option{detach},
    }, ref $class || $class;

    $self->{socket} = "$self->{dir}/fpm.sock";

    if (length $self->{socket} > SOCKET_CHARS) {
        $self->{short} = File::Temp->newdir('b24-php-XXXXXX', TMPDIR => 1,
                                            CLEANUP => !$option{detach});
        chmod 0755, $self->{short};
        $self->{socket} = "$self->{short}/fpm.sock";
    }

    if (-S $self->{socket} && _connects($self->{socket})) {
        die "a shop is running in $self->{dir} already: stop it first\n";
    }

    $self->{user} = $self->_choose_user;

    for my $name ('sessions', $self->folders) {
        make_path("$self->{dir}/$name", { mode => 0750 });
        $self->give_away("$self->{dir}/$name");
    }

    $self->_write_pool(\%option);
    $self->_spawn;

    $running{$self->{pid}} = $self unless $option{detach};
    return $self;
}


sub root   { return $ROOT }
sub dir    { return $_[0]{dir} }
sub socket { return $_[0]{socket} }
sub pid    { return $_[0]{pid} }
sub script { return $_[0]->docroot . '/index.php' }
sub log    { return "$_[0]{dir}/fpm.log" }


# The location that hands everything to the front controller; EXTRA lines go
# inside it, PATH is its own ("/").  It includes no file: a test's nginx has no
# fastcgi_params beside its configuration.
sub location {
    my ($self, $extra, $path) = @_;

    my %param = (
        SCRIPT_FILENAME => $self->script,
        DOCUMENT_ROOT   => $self->docroot,
        SCRIPT_NAME     => '/index.php',
        REQUEST_SCHEME  => '$scheme',
        map { (uc $_ => "\$$_") } qw(query_string request_method content_type
            content_length request_uri document_uri server_protocol
            remote_addr remote_port server_addr server_port
            server_name),
    );

    return join "\n",
        'location ' . ($path // '/') . ' {',
        (map { "    fastcgi_param $_ $param{$_};" } sort keys %param),
        '    fastcgi_pass unix:' . $self->socket . ';',
        (defined $extra ? "    $extra" : ()),
        '}', '';
}


sub stop {
    my $self = shift;

    my $pid = delete $self->{pid} or return;
    delete $running{$pid};

    _end($pid, sub { return waitpid($pid, POSIX::WNOHANG()) != 0 });
    unlink $self->{socket};
    return;
}


# Ends the shop that an earlier program left running in DIR.
# True when there was one.
sub stop_in {
    my ($class, $dir) = @_;

    open my $in, '<', "$dir/fpm.pid" or return 0;
    my $pid = <$in>;
    close $in;

    return 0 unless defined $pid && $pid =~ /^(\d+)$/;
    $pid = $1;

    # a pid file may be older than the machine's last start
    open $in, '<', "/proc/$pid/cmdline" or return 0;
    my $command = do { local $/; <$in> } // '';
    close $in;

    return 0 unless $command =~ /php-fpm/
                    && index($command, abs_path($dir)) >= 0;

    if ($running{$pid}) {
        $running{$pid}->stop;
        return 1;
    }

    _end($pid, sub { return !kill 0, $pid });
    unlink "$dir/fpm.pid";
    return 1;
}


sub DESTROY {
    my $self = shift;

    return if $self->{detach} || !defined $self->{owner}
              || $self->{owner} != $$;

    local ($@, $!, $?);
    $self->stop;
    return;
}


END {
    local ($@, $!, $?);

    for my $shop (values %running) {
        $shop->stop if $shop->{owner} == $$;
    }
}


sub give_away {
    my ($self, $path) = @_;

    return unless defined $self->{user};

    my (undef, undef, $uid, $gid) = getpwnam $self->{user};

    chown $uid, $gid, $path or die "can't chown $path: $!\n";
    return;
}


# Whom PHP runs as; undef: the current user.  www-data in a checkout below a
# closed folder (/root) would only give PHP's 404.
sub _choose_user {
    my $self = shift;

    return if $>;

    die 'there is no user ' . WORKER_USER . " to run PHP as\n"
        unless defined getpwnam WORKER_USER;

    my @as_worker = ('setpriv', '--reuid', WORKER_USER, '--regid',
                     WORKER_USER, '--clear-groups', 'test');

    return system(@as_worker, '-r', $self->script) == 0
           && system(@as_worker, '-x', $self->{dir}) == 0 ? WORKER_USER
                                                          : 'root';
}


sub _write_pool {
    my ($self, $option) = @_;

    my $dir = $self->{dir};
    my $children = $option->{children} // 3;
    my ($env, $set) = $self->pool(%$option);

    # only root may change the user; the socket is open to all because tests
    # run nginx's workers under various users
    my $user = defined $self->{user}
               ? "user = $self->{user}\ngroup = $self->{user}\n" : '';

    my %set = (
        'php_admin_flag[display_errors]'         => 'off',
        'php_admin_flag[log_errors]'             => 'on',
        'php_admin_value[error_log]'             => '/dev/stderr',
        'php_admin_value[default_charset]'       => 'UTF-8',
        'php_admin_value[date.timezone]'         => 'UTC',
        'php_admin_value[session.save_path]'     => "$dir/sessions",
        'php_admin_value[session.name]'          => 'PHPSESSID',
        'php_admin_flag[session.use_strict_mode]' => 'on',
        'php_admin_flag[session.cookie_httponly]' => 'on',
        'php_admin_value[session.cookie_samesite]' => 'Lax',
        'php_admin_value[upload_max_filesize]'   => '2M',
        'php_admin_value[post_max_size]'         => '80M',
        'php_admin_value[memory_limit]'          => '256M',
        %$set,
    );

    my $lines = join '',
        (map { qq{env[$_] = "$env->{$_}"\n} }
             grep { defined $env->{$_} } sort keys %$env),
        (map { "$_ = $set{$_}\n" }
             grep { defined $set{$_} } sort keys %set);

    my $text = <<"POOL";
[global]
pid = $dir/fpm.pid
error_log = $dir/fpm.log
daemonize = no
process_control_timeout = 5s

[shop]
${user}listen = $self->{socket}
listen.mode = 0666
pm = static
pm.max_children = $children
catch_workers_output = yes
decorate_workers_output = no
$lines
POOL

    open my $out, '>', "$dir/fpm.conf" or die "can't write $dir/fpm.conf: $!\n";
    print $out $text;
    close $out or die "can't write $dir/fpm.conf: $!\n";
    chmod 0600, "$dir/fpm.conf";
    return;
}


sub _binary {
    for my $path (sort { $b cmp $a } glob '/usr/sbin/php-fpm*') {
        return $path if -x $path;
    }

    die "php-fpm isn't installed: the Debian package is php-fpm\n";
}


sub _spawn {
    my $self = shift;

    my @command = (_binary(), '--nodaemonize', '--fpm-config',
                   "$self->{dir}/fpm.conf", '--prefix', $self->{dir});

    push @command, '--allow-to-run-as-root' if ($self->{user} // '') eq 'root';

    # a killed test must not leave its shop behind
    unshift @command, 'setpriv', '--pdeathsig', 'TERM', '--'
        unless $self->{detach};

    unlink $self->{socket};
    my $pid = fork // die "can't fork: $!\n";

    if ($pid == 0) {
        my $out = "$self->{dir}/fpm.out";

        POSIX::setsid() if $self->{detach};
        open STDIN, '<', '/dev/null' and open STDOUT, '>>', $out
            and open STDERR, '>&', \*STDOUT and exec @command;
        POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    my $until = time + START_CAP;

    while (!_connects($self->{socket})) {
        if (waitpid($pid, POSIX::WNOHANG()) != 0) {
            delete $self->{pid};
            die "php-fpm ended at start, see $self->{dir}/fpm.log"
                . " and fpm.out\n";
        }

        if (time > $until) {
            $self->stop;
            die "php-fpm doesn't answer, see $self->{dir}/fpm.log\n";
        }

        sleep 0.02;
    }

    return;
}


sub _connects {
    my $path = shift;

    return defined IO::Socket::UNIX->new(Peer => $path);
}


# Asks a process to end, then insists; $gone says whether it has ended.
sub _end {
    my ($pid, $gone) = @_;

    for my $signal (qw(TERM KILL)) {
        kill $signal, $pid;
        my $until = time + STOP_CAP;

        while (time < $until) {
            return if $gone->();
            sleep 0.02;
        }
    }

    return;
}


1;
