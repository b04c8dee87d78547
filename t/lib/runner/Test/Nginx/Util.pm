package Test::Nginx::Util;

# The nginx side of the test runner: writes a configuration for a block,
# starts and stops nginx, hands the running server to Test::Nginx::Socket.
#
# It implements the part of the Test::Nginx distribution which our test files
# use, with the same sections, functions, environment, and counting of
# subtests.  Where the distribution is installed it is used instead.

use strict;
use warnings;

use Carp qw(croak);
use Config;
use File::Find ();
use File::Path qw(make_path remove_tree);
use File::Spec ();
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use List::Util ();
use POSIX qw(WNOHANG);
use Scalar::Util qw(looks_like_number);
use Test::LongString;
use Test::More ();
use Time::HiRes qw(sleep time);

use base 'Exporter';

our $VERSION = '0.33';

# Settings of a test file; the environment gives the defaults.

our $ServerAddr = '127.0.0.1';
our $ServerName = 'localhost';

our $ServerPort = $ENV{TEST_NGINX_SERVER_PORT}
                  || $ENV{TEST_NGINX_PORT}
                  || 1984;
our $ServerPortForClient = $ENV{TEST_NGINX_CLIENT_PORT} || $ServerPort;

our $NginxBinary = $ENV{TEST_NGINX_BINARY} || 'nginx';
our $LoadModules = $ENV{TEST_NGINX_LOAD_MODULES};
our $LogLevel = $ENV{TEST_NGINX_LOG_LEVEL} || 'debug';
our $EventType = $ENV{TEST_NGINX_EVENT_TYPE};
our $PostponeOutput = $ENV{TEST_NGINX_POSTPONE_OUTPUT};
our $MasterProcessEnabled = $ENV{TEST_NGINX_MASTER_PROCESS} || 'off';
our $UseHup = $ENV{TEST_NGINX_USE_HUP};
our $NoShuffle = $ENV{TEST_NGINX_NO_SHUFFLE} || 0;
our $NoNginxManager = $ENV{TEST_NGINX_NO_NGINX_MANAGER} || 0;
our $CheckAccumErrLog = $ENV{TEST_NGINX_CHECK_ACCUM_ERR_LOG};
our $ForceRestartOnTest = $ENV{TEST_NGINX_FORCE_RESTART_ON_TEST} // 1;
our $Verbose = $ENV{TEST_NGINX_VERBOSE};

# seconds: how long a client waits for any progress, and the short pause
# after a start
our $Timeout = $ENV{TEST_NGINX_TIMEOUT} || 3;
our $TestNginxSleep = $ENV{TEST_NGINX_SLEEP} || 0.015;

our $WorkerUser = $ENV{TEST_NGINX_WORKER_USER};

if (defined $WorkerUser && $WorkerUser !~ /^\w[-\w]+(?:\s+\w[-\w]+)?$/) {
    die "Bad value in the env TEST_NGINX_WORKER_USER: $WorkerUser\n";
}

our $RepeatEach = 1;
our $Workers = 1;
our $WorkerConnections = 64;
our $NoRootLocation = 0;
our $NoLongString;
our $ConfigPreamble = '';
our $FilterHttpConfig;
our @EnvToNginx;

# Modes of the distribution which this runner does not have; its test files
# may ask for them.
our $CheckLeak = 0;
our $Benchmark = 0;
our $UseStap;
our $UseHttp2;

our @CleanupHandlers;
our @TestCleanupHandlers;
our @BlockPreprocessors;

# Set by Test::Nginx::Socket: ($block, $dry_run, $repeat), the checks of a
# log while the block runs, and those of the log of a server that has quit.
our $RunTestHelper;
our $CheckErrorLog;
our $CheckShutdownErrorLog;

our $ServRoot = $ENV{TEST_NGINX_SERVROOT} || File::Spec->rel2abs('t/servroot');

$ENV{TEST_NGINX_SERVER_ROOT} = $ServRoot;

our $LogDir = "$ServRoot/logs";
our $ErrLogFile = "$LogDir/error.log";
our $AccLogFile = "$LogDir/access.log";
our $PidFile = "$LogDir/nginx.pid";
our $HtmlDir = "$ServRoot/html";
our $ConfDir = "$ServRoot/conf";
our $ConfFile = "$ConfDir/nginx.conf";

our $NginxVersion;
our $NginxRawVersion;

# State between blocks.
our $PrevBlock;
our $PrevConfig;
our $ConfigVersion;
our $RandPorts = {};
our $ErrLogFilePos = 0;
our $TcpServerPid;
our $InSubprocess;

my $first_start = 1;

our @EXPORT = qw(
    $NoLongString $ServerAddr $ServerName $ServerPort $ServerPortForClient
    $NginxVersion $PidFile $ServRoot $ConfFile $RunTestHelper
    $CheckErrorLog $CheckShutdownErrorLog $FilterHttpConfig $NoNginxManager
    $RepeatEach $CheckLeak $Benchmark $UseStap
    access_log_data add_block_preprocessor add_cleanup_handler
    add_test_cleanup_handler bail_out check_accum_error_log config_preamble
    env_to_nginx error_log_data expand_env_in_text get_canon_version
    get_nginx_version get_pid_from_pidfile html_dir is_running is_str
    is_tcp_port_used log_level master_off master_on master_process_enabled
    no_long_string no_nginx_manager no_root_location no_shuffle
    parse_headers parse_time repeat_each run_tests server_addr server_name
    server_port server_port_for_client server_root show_all_chars sleep_time
    timeout trim use_http2 use_hup verbose worker_connections workers
);


# ---- settings ------------------------------------------------------------

# Functions that set a value when given one and always tell the present one.

sub server_addr (@) {
    $ServerAddr = shift if @_;
    return $ServerAddr;
}

sub server_name (@) {
    $ServerName = shift if @_;
    return $ServerName;
}

sub server_port (@) {
    $ServerPort = shift if @_;
    return $ServerPort;
}

sub server_port_for_client (@) {
    $ServerPortForClient = shift if @_;
    return $ServerPortForClient;
}

sub timeout (@) {
    $Timeout = shift if @_;
    return $Timeout;
}

sub repeat_each (@) {
    $RepeatEach = shift if @_;
    return $RepeatEach;
}

sub workers (@) {
    $Workers = shift if @_;
    return $Workers;
}

sub worker_connections (@) {
    $WorkerConnections = shift if @_;
    return $WorkerConnections;
}

sub log_level (@) {
    $LogLevel = shift if @_;
    return $LogLevel;
}

sub master_process_enabled (@) {
    $MasterProcessEnabled = shift() ? 'on' : 'off' if @_;
    return $MasterProcessEnabled;
}

sub master_on () {
    $MasterProcessEnabled = 'on';
}

sub master_off () {
    $MasterProcessEnabled = 'off';
}

sub use_hup () {
    $UseHup = 1;
}

sub no_shuffle () {
    $NoShuffle = 1;
}

sub no_long_string () {
    $NoLongString = 1;
}

sub no_root_location () {
    $NoRootLocation = 1;
}

sub no_nginx_manager () {
    $NoNginxManager = 1;
}

sub check_accum_error_log () {
    $CheckAccumErrLog = 1;
}

sub config_preamble ($) {
    $ConfigPreamble = shift;
}

sub html_dir () {
    return $HtmlDir;
}

sub server_root () {
    return $ServRoot;
}

sub verbose {
    return $Verbose;
}

sub sleep_time {
    return $TestNginxSleep;
}

# Environment variables which nginx keeps: "NAME" or "NAME=VALUE".
sub env_to_nginx (@) {
    croak 'env_to_nginx: no arguments specified' if !@_;

    for my $var (@_) {
        if ($var !~ /^[A-Za-z_]/ || $var =~ /\n/) {
            croak "env_to_nginx: bad argument value: $var\n";
        }

        push @EnvToNginx, $var;
    }
}

# Handlers run in the reverse order of their registration.

sub add_block_preprocessor (&) {
    unshift @BlockPreprocessors, shift;
}

sub add_cleanup_handler ($) {
    unshift @CleanupHandlers, shift;
}

sub add_test_cleanup_handler ($) {
    unshift @TestCleanupHandlers, shift;
}


# ---- small things --------------------------------------------------------

sub note_verbose {
    warn @_ if $Verbose;
}

sub bail_out (@) {
    cleanup();
    Test::More::BAIL_OUT(@_);
}

# A zombie has ended: where process 1 is slow to collect them, they can be
# signalled for seconds.
sub is_running ($) {
    my ($pid) = @_;

    return 0 if !$pid || !kill 0, $pid;

    return (slurp("/proc/$pid/stat") // '') !~ /\) Z /;
}

# Compares strings, or a string with a pattern.
sub is_str (@) {
    my ($got, $expected, $label) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::like($got, $expected, $label)
        if ref $expected eq 'Regexp';

    return $NoLongString ? Test::More::is($got, $expected, $label)
                         : is_string($got, $expected, $label);
}

# "2", "2s", "200ms" as seconds.
sub parse_time ($) {
    my ($time) = @_;

    return $time if !defined $time;

    return $1 / 1000 if $time =~ /^(.*[^_a-zA-Z])ms$/s;
    return $1 if $time =~ /^(.*[^_a-zA-Z])s$/s;
    return $time;
}

# One line, single blanks.
sub trim ($) {
    my ($text) = @_;

    return undef if !defined $text;

    $text =~ s/^\s+//;
    $text =~ s/\s+$//;
    $text =~ s/\n/ /g;
    $text =~ s/\s{2,}/ /g;

    return $text;
}

sub show_all_chars ($) {
    my ($text) = @_;
    my %name = ("\n" => '\n', "\r" => '\r', "\t" => '\t');

    $text =~ s/([\n\r\t])/$name{$1}/g;

    return $text;
}

# "Name: value" lines as a hash; "!Name" gives undef: must be absent.
sub parse_headers ($) {
    my ($text) = @_;
    my %header;

    for my $line (split /\n/, $text) {
        $line = $line =~ /^\s*(.*?)\s*$/ ? $1 : '';

        if ($line =~ /^!\s*(.*)/) {
            $header{$1} = undef;
            next;
        }

        my ($name, $value) = split /\s*:\s*/, $line, 2;
        $header{$name // ''} = $value;
    }

    return \%header;
}

sub slurp {
    my ($path) = @_;

    open my $in, '<', $path or return undef;
    binmode $in;

    local $/;
    my $data = <$in>;

    return $data // '';
}

sub listening_ports {
    my ($table) = @_;
    my %port;

    open my $in, '<', $table or die "cannot open $table: $!\n";

    while (my $line = <$in>) {
        $port{hex $1} = 1 if $line =~ /^\s*\d+: [0-9A-F]+:([0-9A-F]+) /;
    }

    return \%port;
}

sub is_tcp_port_used ($) {
    my ($port) = @_;

    return listening_ports('/proc/net/tcp')->{$port} ? 1 : 0;
}

sub random_port {
    my ($used) = @_;

    for (1 .. 1000) {
        my $port = 2000 + int rand 63000;

        next if $used->{$port};

        my $socket = IO::Socket::INET->new(LocalAddr => $ServerAddr,
            LocalPort => $port, Proto => 'tcp', Listen => 5, Reuse => 1);

        return $port if defined $socket;
    }

    return undef;
}

# Replaces $TEST_NGINX_NAME by the environment's value, and
# $TEST_NGINX_RAND_PORT_n by a free port that stays the same in the block.
sub expand_env_in_text ($$$) {
    my ($text, $name, $ports) = @_;

    # references (patterns, lists) pass as they are
    return $text if !defined $text || ref $text;

    my $value_of = sub {
        my ($var) = @_;

        if ($var =~ /^TEST_NGINX_RAND_PORT_[0-9]+$/) {
            my %used = map { $_ => 1 } $ServerPort, values %$ports;

            $ports->{$var} //= random_port(\%used)
                // bail_out("$name - Cannot find an available listening"
                            . " port number for $var.\n");

            return $ports->{$var};
        }

        return $ENV{$var} // bail_out("$name - No environment $var"
                                      . " defined.\n");
    };

    $text =~ s/\$(TEST_NGINX_[_A-Z0-9]+)/$value_of->($1)/ge;

    return $text;
}


# ---- nginx's version -----------------------------------------------------

# A number that compares: 1.22.1 is 1.022001.
sub get_canon_version (@) {
    return sprintf '%d.%03d%03d', @_[0 .. 2];
}

sub get_nginx_version () {
    my $output = `$NginxBinary -V 2>&1`;

    if (!defined $output || $? != 0) {
        bail_out('Failed to get the version of the Nginx in PATH: '
                 . ($output // ''));
    }

    if ($output !~ m{\w+/(\d+)\.(\d+)\.(\d+)}) {
        bail_out("Failed to parse the output of \"nginx -V\": $output\n");
    }

    $NginxRawVersion = "$1.$2.$3";

    return get_canon_version($1, $2, $3);
}

# Whether a block asks for HTTP/2; then its requests are sent by curl.
sub use_http2 ($) {
    my ($block) = @_;

    return defined scalar $block->http2;
}


# ---- logs ----------------------------------------------------------------

sub log_lines {
    my ($path, $from) = @_;

    open my $in, '<', $path or return;

    seek $in, $from, 0 if $from;

    my @lines = <$in>;

    return (\@lines, tell $in);
}

# New lines of error.log since the last look (all of them in the
# accumulating mode).  The pause is for what nginx logs after it has closed
# the connection.
sub error_log_data () {
    sleep $TestNginxSleep * 3;

    my ($lines, $end)
        = log_lines($ErrLogFile, $CheckAccumErrLog ? 0 : $ErrLogFilePos);

    return undef if !defined $lines;

    $ErrLogFilePos = $end if !$CheckAccumErrLog;

    return $lines;
}

sub access_log_data () {
    sleep $TestNginxSleep * 3;

    my ($lines) = log_lines($AccLogFile);

    return $lines // die "open $AccLogFile failed: $!";
}


# ---- processes -----------------------------------------------------------

sub get_pid_from_pidfile ($) {
    my ($name) = @_;
    my $pid = slurp($PidFile)
        // bail_out("$name - Failed to open the pid file $PidFile for"
                    . " reading: $!");

    chomp $pid;

    return $pid;
}

# Waits at most $limit seconds; true when the process is gone.
sub wait_for_exit {
    my ($pid, $limit) = @_;
    my $end = time + $limit;

    while (is_running($pid)) {
        return 0 if time > $end;

        # a child of ours stays a zombie until it is waited for
        waitpid $pid, WNOHANG;
        sleep 0.01;
    }

    return 1;
}

# Asks a process to quit and, when it doesn't within the timeout, ends it.
sub end_process {
    my ($pid, $label, $signal) = @_;

    $signal //= $ENV{TEST_NGINX_FAST_SHUTDOWN} ? 'TERM' : 'QUIT';

    return if !is_running($pid);

    note_verbose("sending $signal signal to $pid\n");
    kill $signal, $pid;

    return if wait_for_exit($pid, timeout());

    warn "$label - timeout when waiting for the process $pid to exit\n";

    kill 'TERM', $pid;
    return if wait_for_exit($pid, 1);

    kill 'KILL', getpgrp($pid) == $pid ? -$pid : $pid;
    wait_for_exit($pid, 1);
}

sub running_nginx {
    my ($name) = @_;

    return undef if !-f $PidFile;

    my $pid = get_pid_from_pidfile($name);

    return $pid if is_running($pid);

    unlink $PidFile;

    return undef;
}

sub cleanup () {
    $_->() for @CleanupHandlers;

    if (defined $TcpServerPid) {
        end_process($TcpServerPid, 'cleanup');
        undef $TcpServerPid;
    }
}


# ---- the server's root ---------------------------------------------------

sub make_dir {
    my ($dir) = @_;

    mkdir $dir or bail_out("Failed to do mkdir $dir: $!\n");
}

# Only what nginx and this runner put there is removed: a wrong
# TEST_NGINX_SERVROOT must not cost anybody's data.
sub setup_server_root ($) {
    my ($fresh) = @_;

    if (-d $ServRoot) {
        remove_tree($ConfDir, glob("$ServRoot/*_cache"),
                    glob("$ServRoot/*_temp"));

        if ($UseHup) {
            remove_files_for_hup($fresh);

        } else {
            remove_tree("$ServRoot/cache", $HtmlDir, $LogDir);
            rmdir $ServRoot
                or bail_out("Can't remove $ServRoot (not empty?): $!");
        }
    }

    for my $dir ($ServRoot, $LogDir, $HtmlDir, $ConfDir) {
        make_dir($dir) if !-d $dir;
    }

    write_file("$HtmlDir/index.html", '<html><head><title>It works!</title>'
               . '</head><body>It works!</body></html>');
}

# A reloaded server keeps its pid file and sockets.
sub remove_files_for_hup {
    my ($fresh) = @_;

    File::Find::find({ no_chdir => 1, bydepth => 1, wanted => sub {
        return if -d $_;
        return if !$fresh && /(?:\bnginx\.pid|\.sock|\.crt|\.key)$/;
        unlink $_ or warn "Failed to remove $_\n";
    } }, $ServRoot);
}

sub write_file {
    my ($path, $data) = @_;

    open my $out, '>', $path
        or bail_out("Can't open $path for writing: $!\n");
    binmode $out;
    print $out $data;
    close $out or bail_out("Can't write $path: $!\n");
}

# ">>> name [date]" starts a file, its lines follow.
sub parse_user_files {
    my ($text) = @_;
    my @files;

    for my $line (split /^/, $text) {
        if ($line =~ />>> (\S+)(?:\s+(.+))?/) {
            push @files, [$1, undef, $2];

        } elsif (@files) {
            $files[-1][1] .= $line;
        }
    }

    return \@files;
}

sub write_user_files ($$) {
    my ($block, $ports) = @_;

    my $name = $block->name;
    my $files = $block->user_files or return;

    $files = parse_user_files($files) if !ref $files;

    if (ref $files ne 'ARRAY') {
        bail_out("$name - wrong value type: ", ref $files,
                 ', only scalar or ARRAY are accepted');
    }

    for my $file (@$files) {
        my ($path, $body, $date) = @$file;

        $path = "$HtmlDir/$path" if $path !~ m{^/};

        my ($dir) = $path =~ m{(.*)/};
        make_path($dir) if !-d $dir;

        write_file($path,
                   expand_env_in_text($body, $name, $ports) // '');

        if ($date) {
            local $ENV{TZ} = 'GMT';
            system('touch', '-t', $date, $path) == 0
                or bail_out("Failed to set the time of $path\n");
        }
    }
}


# ---- nginx.conf ----------------------------------------------------------

sub temp_paths {
    my ($http_config) = @_;

    my $built = `$NginxBinary -V 2>&1`;
    my $paths = '';

    for my $kind (qw(client_body proxy fastcgi scgi uwsgi)) {
        next if $built =~ /--without-http_${kind}_module/;
        next if $http_config =~ /\b${kind}_temp_path\b/;

        $paths .= " ${kind}_temp_path $ServRoot/${kind}_temp;";
    }

    return $paths;
}

sub listen_line {
    my ($block) = @_;

    return "listen $ServerPort;" if !use_http2($block);

    # a directive of its own since 1.25.1, a parameter of "listen" before
    return $NginxVersion >= 1.025001 ? "listen $ServerPort; http2 on;"
                                     : "listen $ServerPort http2;";
}

sub main_section {
    my ($block, $ports) = @_;

    my $name = $block->name;
    my $main_config = $block->main_config // '';
    my $error_log = $block->error_log_file || $ErrLogFile;

    $error_log = expand_env_in_text($error_log, $name, $ports);

    my @modules = map { "load_module $_;" }
                      grep { length } split /\s+/, $LoadModules // '';

    # the modules' variables expand like the rest
    $main_config = expand_env_in_text(join(' ', @modules, $main_config),
                                      $name, $ports);

    my $env = join '', map { /\s/ ? "env '$_';\n" : "env $_;\n" }
                           qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS
                              UBSAN_OPTIONS LSAN_OPTIONS), @EnvToNginx;

    return <<"EOC";
worker_processes  $Workers;
daemon on;
master_process $MasterProcessEnabled;
error_log $error_log $LogLevel;
pid $PidFile;
$env
$main_config
EOC
}

sub http_section {
    my ($block, $config, $ports) = @_;

    my $name = $block->name;
    my $http_config
        = expand_env_in_text($block->http_config // '', $name, $ports);
    my $server_name = $block->server_name // $ServerName;

    $http_config = $FilterHttpConfig->($http_config) if $FilterHttpConfig;
    $server_name =~ s/([\\'])/\\$1/g;

    my $temp_paths = temp_paths($http_config);
    my $listen = listen_line($block);
    my $postpone = '';

    if (defined $PostponeOutput && $http_config !~ /\bpostpone_output\b/) {
        $postpone = "postpone_output $PostponeOutput;";
    }

    my $root = $NoRootLocation ? '' : <<"EOC";
        location / {
            root $HtmlDir;
            index index.html index.htm;
        }
EOC

    # tells, after a reload, which configuration answers
    my $version = !$UseHup ? '' : <<"EOC";
    server {
        $listen
        server_name 'Test-Nginx';

        location = /ver {
            return 200 '$ConfigVersion';
        }
    }
EOC

    return <<"EOC";
http {
    access_log $AccLogFile;$temp_paths

    default_type text/plain;
    keepalive_timeout 68s;
    $postpone

$http_config
    server {
        $listen
        server_name '$server_name';

        client_max_body_size 30M;

$ConfigPreamble
$config
$root
    }
$version
}
EOC
}

sub write_config_file ($$$) {
    my ($block, $config, $ports) = @_;

    # a reload without a master process doesn't work
    master_on() if $UseHup;

    my $text = main_section($block, $ports)
               . "\n" . http_section($block, $config // '', $ports);

    $text .= "\n" . (expand_env_in_text($block->post_main_config,
                                        $block->name, $ports) // '');

    my $use = $EventType ? "use $EventType;" : '';

    $text .= <<"EOC";

events {
    accept_mutex off;
    worker_connections $WorkerConnections;
    $use
}
EOC

    if (defined $WorkerUser) {
        $text .= "user $WorkerUser;\n";

    } elsif ($> == 0) {
        $text .= "user root;\n";
    }

    write_file($ConfFile, $text);
}


# ---- starting ------------------------------------------------------------

sub start_command {
    my ($block) = @_;

    my $command = "$NginxBinary -e $ErrLogFile -p $ServRoot/ -c $ConfFile"
                  . ' > /dev/null';

    if (defined $ENV{TEST_NGINX_LD_PRELOAD}) {
        my $preload = join ' ', grep { defined }
                           $ENV{TEST_NGINX_LD_PRELOAD}, $ENV{LD_PRELOAD};
        $command = qq{LD_PRELOAD="$preload" $command};
    }

    $command .= ' 2> /dev/null' if defined scalar $block->suppress_stderr;

    return $command;
}

# A "must_die" block: every repeat starts nginx anew, its exit status is a
# subtest, then the log is checked.
sub run_must_die {
    my ($block, $must_die) = @_;

    my $name = $block->name;
    my $command = start_command($block);

    $ErrLogFilePos = 0;

    for my $repeat (0 .. $RepeatEach - 1) {
        system $command;

        my $status = $?;

        if ($status == -1) {
            Test::More::fail("$name - failed to execute the nginx"
                             . ' command line');

        } elsif ($status & 127 || $status >> 8 > 128) {
            Test::More::fail("$name - nginx core dumped");

        } elsif (looks_like_number($must_die)) {
            Test::More::is($must_die, $status >> 8,
                           "$name - die with the expected exit code");

        } else {
            Test::More::isnt($status, 0, "$name - die as expected");
        }

        $CheckErrorLog->($block, undef, undef, $repeat, 0);

        next if $status != 0;

        warn "WARNING: $name - nginx must die but it does not; killing it"
             . " (req $repeat)";

        for (1 .. 50) {
            last if -f $PidFile;
            sleep $TestNginxSleep;
        }

        end_process(get_pid_from_pidfile($name), $name);
    }
}

# Starts nginx.  Only an address still in use is worth another try: anything
# else in the configuration stays as wrong as it is.
sub start_nginx {
    my ($block) = @_;

    my $name = $block->name;
    my $command = start_command($block);
    my $end = time + 30;

    $ErrLogFilePos = 0;

    while (1) {
        system $command;

        last if $? == 0;

        my $status = $?;
        my $log = slurp($ErrLogFile) // '';

        if (time > $end || $log !~ /bind\(\) to .* failed/) {
            my @emerg = grep { /\[emerg\]/ } split /^/, $log;

            bail_out("$name - Cannot start nginx using command \"$command\""
                     . " (status code $status): @emerg");
        }

        sleep 0.2;
    }

    sleep $TestNginxSleep;
}

# After a reload: until the new configuration has answered several times in
# a row, an old worker may still accept.
sub wait_for_config_version {
    my ($name) = @_;

    my $end = time + 30;
    my $good = 0;

    while (time < $end) {
        my $answer = '';
        my $socket = IO::Socket::INET->new(PeerAddr => $ServerAddr,
            PeerPort => $ServerPort, Proto => 'tcp', Timeout => 2);

        if ($socket) {
            print $socket "GET /ver HTTP/1.0\r\nHost: Test-Nginx\r\n\r\n";
            local $/;
            $answer = <$socket> // '';
        }

        $good = $answer =~ /\r\n\r\n\Q$ConfigVersion\E$/ ? $good + 1 : 0;
        return if $good >= 20;

        sleep $TestNginxSleep if !$good;
    }

    Test::More->builder->no_ending(1);
    Test::More::fail("$name - failed to reload configuration");
}

sub check_prev_block_shutdown_error_log {
    my $block = $PrevBlock // return;

    return if !defined scalar $block->shutdown_error_log
              && !defined scalar $block->no_shutdown_error_log;

    # a server that goes on has no such log
    $CheckShutdownErrorLog->($block,
                             $UseHup || $ENV{TEST_NGINX_NO_CLEAN});
}

sub prepare_server_root {
    my ($block, $config) = @_;

    setup_server_root($first_start);
    $first_start = 0;

    if ($block->post_setup_server_root) {
        eval $block->post_setup_server_root;
        bail_out($block->name, " - post_setup_server_root failed: $@") if $@;
    }

    write_user_files($block, $RandPorts);
    write_config_file($block, $config, $RandPorts);
}

# Makes the block's configuration the running one; false when the block ends
# here because nginx must not start.
sub bring_up {
    my ($block, $config) = @_;

    my $name = $block->name;
    my $must_die = $block->must_die;
    my $pid = running_nginx($name);

    local $UseHup = defined $must_die ? undef : $UseHup;

    $PrevConfig = $config;

    if ($UseHup) {
        $ConfigVersion = join '', map { ('a' .. 'z')[rand 26] } 1 .. 10;

        if ($pid && !$first_start) {
            prepare_server_root($block, $config);
            kill 'USR1', $pid;
            sleep $TestNginxSleep * 3;
            kill 'HUP', $pid;

            defined scalar $block->reload_fails
                ? sleep 0.3
                : wait_for_config_version($name);

            check_prev_block_shutdown_error_log();
            return 1;
        }
    }

    end_process($pid, $name) if $pid;
    check_prev_block_shutdown_error_log();
    prepare_server_root($block, $config);

    if (defined $must_die) {
        run_must_die($block, $must_die);
        return 0;
    }

    start_nginx($block);

    return 1;
}


# ---- skipping ------------------------------------------------------------

# "N: condition [: reason]" of --- skip_nginx and --- skip_eval: returns how
# many subtests to skip and why, or nothing.
sub reason_to_skip {
    my ($block) = @_;

    my $name = $block->name;

    if (defined(my $spec = $block->skip_eval)) {
        if ($spec =~ /^\s*(\d+)\s*:\s*(.*)/s) {
            my ($count, $code) = ($1, $2);
            my $skip = eval $code;

            bail_out("$name - skip_eval - failed to eval the Perl code"
                     . " \"$code\": $@") if $@;

            return ($count, 'skip_eval') if $skip;
        }
    }

    if (defined(my $spec = $block->skip_nginx)) {
        if ($spec !~ /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+)\.(\d+)\.(\d+)
                      (?:\s*:\s*(.*))?\s*$/x)
        {
            bail_out("$name - Invalid --- skip_nginx spec: $spec");
        }

        my ($count, $op, @version) = ($1, $2, $3, $4, $5);
        my $reason = $6 || "nginx version $op " . join '.', @version;
        my $limit = get_canon_version(@version);
        my $skip = $op eq '<'  ? $NginxVersion <  $limit
                 : $op eq '<=' ? $NginxVersion <= $limit
                 : $op eq '>'  ? $NginxVersion >  $limit
                 :               $NginxVersion >= $limit;

        return ($count, $reason) if $skip;
    }

    return;
}


# ---- a scripted TCP server -----------------------------------------------

sub tcp_listener {
    my ($name, $target) = @_;

    my $end = time + 10;

    if ($target !~ /^\d+$/ && $target !~ /\S+\.sock$/) {
        bail_out("$name - bad tcp_listen target: $target");
    }

    while (1) {
        my $socket;

        if ($target =~ /^\d+$/) {
            $socket = IO::Socket::INET->new(LocalHost => '127.0.0.1',
                LocalPort => $target, Proto => 'tcp', Reuse => 1,
                Listen => 5, Timeout => timeout());

        } else {
            unlink $target;
            $socket = IO::Socket::UNIX->new(Local => $target,
                Type => Socket::SOCK_STREAM(), Listen => 5,
                Timeout => timeout());
        }

        return $socket if $socket;

        if (time > $end) {
            bail_out("$name - failed to create the tcp listening socket:"
                     . " $!");
        }

        sleep 0.2;
    }
}

# Reads a query: as many bytes as were asked for, or what one read gives, or
# (with an idle limit) all until nothing comes for that long.  What has come
# is in $file at any time, so that the parent can look.
sub read_tcp_query {
    my ($client, $length, $idle, $file) = @_;

    my $query = '';

    while (1) {
        last if defined $idle && !IO::Select->new($client)->can_read($idle);

        my $chunk;
        my $rc = $client->recv($chunk, 4096);
        die "failed to receive: $!\n" if !defined $rc;

        $query .= $chunk;

        if ($file) {
            write_file("$file.tmp", $query);
            rename "$file.tmp", $file or die "cannot rename $file.tmp: $!\n";
        }

        # the peer has closed
        last if $chunk eq '';
        last if !defined $idle && length $query >= ($length || 0);
    }

    return $query;
}

sub serve_tcp {
    my ($block, $listener, $length, $file) = @_;

    my $client;
    my $how = $block->tcp_shutdown;

    $client = $listener->accept() until $client;

    if (defined $how) {
        sleep $block->tcp_shutdown_delay if $block->tcp_shutdown_delay;
        $client->shutdown($how);
    }

    my $query;

    if (!defined $how || $how == 1) {
        my $idle = $block->tcp_query_auto_timeout;

        $idle = $idle eq '' ? 0.1 : $idle + 0 if defined $idle;
        $query = read_tcp_query($client, $length, $idle, $file);
    }

    my $delay = parse_time($block->tcp_reply_delay);
    sleep $delay if $delay;

    my $reply = $block->tcp_reply;
    $reply = $reply->($query) if ref $reply eq 'CODE';

    if (defined $reply && (!defined $how || $how == 0)) {
        for my $part (ref $reply ? @$reply : $reply) {
            defined $client->send($part)
                or warn "WARNING: tcp server failed to send reply: $!\n";
        }
    }

    if (defined scalar $block->tcp_no_close) {
        sleep 1 while 1;
    }

    $client->close;
    $listener->close;
}

# Starts the server of --- tcp_listen in a child; returns the listening
# socket and the file that gets the query.
sub start_tcp_server {
    my ($block) = @_;

    my $name = $block->name;
    my $target
        = expand_env_in_text($block->tcp_listen, $name, $RandPorts);

    if (!defined scalar $block->tcp_reply
        && !defined scalar $block->tcp_shutdown)
    {
        bail_out("$name - no --- tcp_reply specified but --- tcp_listen is"
                 . ' specified');
    }

    my $length = $block->tcp_query_len;
    my $file;

    if (defined $length || defined scalar $block->tcp_query) {
        $length //= length $block->tcp_query;
        $file = File::Temp::tmpnam();
    }

    my $listener = tcp_listener($name, $target);
    my $pid = fork // bail_out("$name - fork() failed: $!");

    if ($pid == 0) {
        $InSubprocess = 1;
        Test::More->builder->no_ending(1);

        # what the test file registered for its end isn't ours to run
        local $SIG{PIPE} = 'IGNORE';
        eval { serve_tcp($block, $listener, $length, $file); 1 }
            or warn "WARNING: $name - TCP server: $@";
        POSIX::_exit(0);
    }

    $TcpServerPid = $pid;

    return ($listener, $file);
}

sub check_tcp_query {
    my ($block, $file) = @_;

    my $name = $block->name;
    my $query = $file ? slurp($file) // '' : '';

    if (defined scalar $block->tcp_query) {
        is_str($query, $block->tcp_query, "$name - tcp_query ok");
    }

    if (defined scalar $block->tcp_query_len) {
        Test::More::is(length $query, $block->tcp_query_len,
                       "$name - TCP query length ok");
    }

    unlink $file if $file;
}


# ---- running -------------------------------------------------------------

# Whether nginx has to be brought up for this block: not when it has no
# configuration of its own and goes on with the previous one.
sub needs_server {
    my ($block, $config) = @_;

    my $name = $block->name;

    if ($NoNginxManager) {
        Test::More::diag("NO_NGINX_MANAGER activated: config for $name"
                         . ' ignored') if defined $config;
        return 0;
    }

    if (!defined $config) {
        bail_out("$name - No '--- config' section specified and could not"
                 . ' get previous one. Use TEST_NGINX_NO_NGINX_MANAGER ?')
            if !defined $PrevConfig;

        return 0;
    }

    return $ForceRestartOnTest || !defined $PrevConfig
           || $config ne $PrevConfig;
}

sub run_repeat {
    my ($block, $repeat) = @_;

    my ($listener, $file);

    if (defined scalar $block->tcp_listen) {
        ($listener, $file) = start_tcp_server($block);
    }

    write_user_files($block, $RandPorts) if $repeat > 0;

    $RunTestHelper->($block, undef, $repeat);

    return if !$listener;

    check_tcp_query($block, $file);

    end_process($TcpServerPid, $block->name);
    undef $TcpServerPid;
    $listener->close;
}

# Sections of the distribution which we don't have: a block that counts on
# one must not pass for the lack of it.
my @unknown = qw(
    charset curl_protocol http3 no_http2 request_eval response_body_eval
    response_body_filters response_body_json_sort skip_nginx2 skip_openssl
    skip_slave stap stap_out stap_out_like stap_out_unlike todo todo_nginx
    udp_listen udp_query udp_reply write_resp_body_file
);

sub run_test ($) {
    my ($block) = @_;

    return if defined scalar $block->SKIP;

    my $name = $block->name;

    for my $section (@unknown) {
        bail_out("$name - this runner has no --- $section")
            if defined scalar $block->$section;
    }

    $RandPorts = {};

    local $LogLevel = $block->log_level || $LogLevel;

    my $config = expand_env_in_text($block->config, $name, $RandPorts);
    my ($skip, $reason) = reason_to_skip($block);

    if (!$skip && needs_server($block, $config)) {
        return if !bring_up($block, $config);
    }

    if ($block->init) {
        eval $block->init;
        bail_out("$name - init failed: $@") if $@;
    }

    $ErrLogFilePos = 0;

    for my $repeat (0 .. $RepeatEach - 1) {
        note_verbose("Run the test block $name ...\n");

        SKIP: {
            Test::More::skip("$name - $reason", $skip) if $skip;

            run_repeat($block, $repeat);
        }
    }
}

sub run_tests () {
    srand($$ ^ time * 1000);

    $NginxVersion = get_nginx_version();
    $ENV{TEST_NGINX_SERVER_PORT} //= $ServerPort;

    my @blocks = Test::Base::blocks();
    @blocks = List::Util::shuffle(@blocks) if !$NoShuffle;

    for my $block (@blocks) {
        $_->($block) for @BlockPreprocessors;

        $block->set_value(name => "$0 " . $block->name);

        run_test($block);

        $_->($block) for @TestCleanupHandlers;

        $PrevBlock = $block;
    }

    cleanup();
}

END {
    if (!$InSubprocess) {
        # the exit status is the test's, not that of a child
        local $?;

        cleanup();

        if (!$ENV{TEST_NGINX_NO_CLEAN}) {
            my $pid = running_nginx('END');
            end_process($pid, 'END') if $pid;
        }

        check_prev_block_shutdown_error_log();
    }
}

1;
