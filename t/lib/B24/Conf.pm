package B24::Conf;

# For tests of the configuration: what nginx takes, what it refuses, and with
# which words.  After Test::Nginx::Socket:
#
#   use B24::Conf;
#
# Sections for the blocks; each text goes to a file that is included, so that
# its lines have numbers of their own:
#
#   http        lines for http{}
#   shop        lines inside "b24_shop s { ... }", which follows them
#   order       lines inside "b24_shop s { order o { ... } }"
#   items       lines inside "items request:/i { ... }" of such an order
#   server      lines for the server
#
#   file        what the file "secret" holds; with file_mode (0600)
#
#   refused     nginx must not start, and says exactly this sentence.  Its
#               place is that of the line with the comment "# @", or of the
#               last line given; a sentence that holds places of its own says
#               "@1", "@2": the lines with "# @1", "# @2"
#   refused_anywhere
#               the same without a place: what isn't one line's fault
#   warned      nginx starts with this warning, places as above
#   accepted    nginx starts without a warning and serves a request
#
# PATH in a text is the folder of the files (\PATH the word itself), DIR that of
# the test file and of "secret", SECRET a webhook's code or a password, which no
# log may show.  The queue is the block's own unless the lines say otherwise;
# that of a block which is refused must never be made.
#
# Functions: planned(BLOCKS) counts subtests; certificate() is one in PEM;
# new(NAME) is an nginx of the test's own, for scenarios.

use strict;
use warnings;

use B24::Recording ();
use B24::Test ();
use Exporter 'import';
use File::Find ();
use File::Path ();
use Test::Nginx::Socket ();

our @EXPORT_OK = qw(certificate never_made planned);

use constant {
    SECRET    => 'c0ded0c0de',
    START_CAP => 20,               # seconds
};

# text before and after, of files made of one section
my %around = (
    http   => [http => '', ''],
    server => [server => '', ''],
    shop   => [http => "b24_shop s {\n", "}\n"],
    order  => [http => "b24_shop s {\norder o {\n", "}\n}\n"],
    items  => [http => "b24_shop s {\norder o {\nid response:/id;\n"
                       . "items request:/i {\n", "}\n}\n}\n"],
);

Test::Nginx::Util::add_block_preprocessor(\&before_block);


# Three checks of the log or of the exit status and one of the sentence or
# the request for each configuration, two for a scenario with its request.
sub planned {
    my $count = 0;

    for my $block (@_) {
        $count += kind($block) ? 4 + (defined $block->scenario ? 1 : 0) : 2;
    }

    return $count;
}

# Of an authority made for this, whose key is gone.
sub certificate {
    return <<'EOC';
-----BEGIN CERTIFICATE-----
MIIBhDCCASmgAwIBAgIUOVdAdd16+8/Gp3cXXIoyhHr9nJkwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLcG9ydGFsLnRlc3QwIBcNMjYxMTI5MTgwMTA3WhgPMjEyNjEx
MDUxODAxMDdaMBYxFDASBgNVBAMMC3BvcnRhbC50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE/jwgvtO5Bi146mUFu0kAH+9ctbzF0gzEuZWtASwuJ/Ihfug/
2X3tVMPQaCDtHLlDyAVxQS1ekmyVj2Dpqnso+6NTMFEwHQYDVR0OBBYEFGfl52vC
r1EZdppjn8DX2m3ffGAdMB8GA1UdIwQYMBaAFGfl52vCr1EZdppjn8DX2m3ffGAd
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAPC31EdPSx3916YP
Y2r7Zri6QwsV6qR84gZ3rGnrJzhaAiEAjv+OX5jZQrtZzwZqNaf3WIq4mGuZSBJz
WSnoFFRFEeA=
-----END CERTIFICATE-----
EOC
}

sub never_made {
    return "$ENV{TEST_NGINX_DIR}/never-made";
}

sub folder {
    return "$ENV{TEST_NGINX_SERVROOT}/html";
}

sub kind {
    my ($block) = @_;

    my ($kind) = grep { defined scalar $block->$_ }
                      qw(refused refused_anywhere warned accepted);

    return $kind;
}

sub before_block {
    my ($block) = @_;

    my $kind = kind($block) // return;
    my ($files, $last) = files_of($block);
    my $sentence = $block->$kind;

    $block->set_value(user_files =>
        [map { ["$_.conf", $files->{$_}] } sort keys %$files]);
    write_secret($block) if defined scalar $block->file;
    $block->set_value(http_config => http_config($kind, $files));
    $block->set_value(config => $files->{server} ? "include @{[folder()]}"
                                                    . '/server.conf;' : '');

    if ($kind =~ /refused/) {
        $block->set_value(must_die => '');
        $block->set_value(suppress_stderr => '');

    } elsif (!defined $block->scenario) {
        $block->set_value(suppress_stderr => '');
        $block->set_value(config => $block->config
                          . "\nlocation = /b24-ready { return 204; }\n");
        $block->set_value(request => 'GET /b24-ready');
        $block->set_value(error_code => 204);
    }

    if ($kind eq 'accepted') {
        $block->set_value(no_error_log => [qr{\[warn\] (?!.*b24: the portal)}, '[alert]', SECRET]);
        return;
    }

    my $level = $kind eq 'warned' ? 'warn' : 'emerg';
    my $words = quotemeta($kind eq 'refused_anywhere'
                          ? at_path($sentence)
                          : placed($sentence, $files, $last));

    $block->set_value(error_log =>
        [qr/\[$level\] \d+#\d+: (?:\*\d+ )?$words$/]);
    $block->set_value(no_error_log => ['[alert]', SECRET]);
}

sub http_config {
    my ($kind, $files) = @_;

    my $http = $files->{http} // '';
    my $queue = $kind =~ /refused/ ? never_made() : '$TEST_NGINX_QUEUE';
    my $text = $http =~ /^\s*b24_queue\b/m ? '' : "b24_queue $queue;\n";

    $text .= "include @{[folder()]}/http.conf;\n" if $http ne '';

    return $text;
}

# The files' texts and, as [file, line], the last line that was given.
sub files_of {
    my ($block) = @_;

    my (%files, $last);

    for my $section (qw(http shop order items server)) {
        my $given = $block->$section // next;
        my ($name, $before, $after) = @{$around{$section}};

        $files{$name} .= $before . filled_in($given =~ s/\n?\z/\n/r);
        $last = [$name, $files{$name} =~ tr/\n//];
        $files{$name} .= $after;
    }

    return (\%files, $last);
}

sub at_path {
    my ($sentence) = @_;

    chomp $sentence;

    return filled_in($sentence);
}

sub filled_in {
    my ($text) = @_;

    $text =~ s/\bSECRET\b/SECRET/ge;
    $text =~ s/(?<!\\)\bPATH\b/folder()/ge;
    $text =~ s/\\(?=PATH\b)//g;
    $text =~ s/\bDIR\b/$ENV{TEST_NGINX_DIR}/g;

    return $text;
}

# The runner's own files are readable for all.
sub write_secret {
    my ($block) = @_;

    my $path = "$ENV{TEST_NGINX_DIR}/secret";

    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out filled_in($block->file);
    close $out or die "cannot write $path: $!\n";
    chmod oct($block->file_mode // '0600'), $path;
}

sub placed {
    my ($sentence, $files, $last) = @_;

    my %place;

    for my $name (keys %$files) {
        my $number = 0;

        for my $line (split /\n/, $files->{$name}) {
            $number++;
            $place{$1} = [$name, $number] if $line =~ /# (@\d?)$/;
        }
    }

    $sentence = at_path($sentence);

    my $name_of = sub {
        my ($place) = @_;
        return sprintf '%s/%s.conf:%d', folder(), @$place;
    };

    return $sentence
        if $sentence =~ s/(\@\d)/$name_of->($place{$1} || die "no $1 in the files\n")/ge;

    return $sentence . ' in ' . $name_of->($place{'@'} // $last);
}


# ---- an nginx of the test's own ------------------------------------------

# NAME: of its folder, which is empty at first and goes with the object.
sub new {
    my ($class, $name) = @_;

    my $self = bless { owner => $$, dir => "$ENV{TEST_NGINX_DIR}/$name" },
                     $class;

    File::Path::remove_tree($self->{dir});
    File::Path::make_path(map { "$self->{dir}/$_" } qw(conf logs temp));

    return $self;
}

sub dir {
    my ($self, $path) = @_;

    return defined $path ? "$self->{dir}/$path" : $self->{dir};
}

# Writes a file below the folder.
sub put {
    my ($self, $path, $text) = @_;

    open my $out, '>', "$self->{dir}/$path"
        or die "cannot write $path: $!\n";
    binmode $out;
    print $out $text;
    close $out or die "cannot write $path: $!\n";
}

# The configuration.  Options: modules (paths, in the order of their load;
# default: ours), main (lines at the top).
sub conf {
    my ($self, $http, %option) = @_;

    my @modules = @{$option{modules}
                    // [split ' ', $ENV{TEST_NGINX_LOAD_MODULES}]};
    my $text = join '', map { "load_module $_;\n" } @modules;

    # root's workers would be "nobody" without the line
    $text .= 'user ' . ($ENV{TEST_NGINX_WORKER_USER} // 'root') . ";\n"
        if $> == 0;
    $text .= $option{main} // '';

    $self->put('conf/nginx.conf', $text . <<"EOC");
worker_processes 1;
pid $self->{dir}/logs/nginx.pid;
error_log $self->{dir}/logs/error.log debug;
events {
    worker_connections 64;
}
http {
    access_log off;
    client_body_temp_path $self->{dir}/temp/body;
    proxy_temp_path $self->{dir}/temp/proxy;
    fastcgi_temp_path $self->{dir}/temp/fastcgi;
    uwsgi_temp_path $self->{dir}/temp/uwsgi;
    scgi_temp_path $self->{dir}/temp/scgi;
$http
}
EOC
}

# Runs nginx with arguments (none: starts it); returns its exit status and
# what it printed.
sub run {
    my ($self, @args) = @_;

    my $dir = $self->{dir};
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        open STDOUT, '>', "$dir/output" or exit 126;
        open STDERR, '>&', \*STDOUT or exit 126;
        exec $ENV{TEST_NGINX_BINARY}, '-e', "$dir/logs/error.log",
             '-p', "$dir/", '-c', "$dir/conf/nginx.conf", @args
            or exit 127;
    }

    waitpid $pid, 0;

    my $status = $? >> 8 || $? & 127;

    return ($status, $self->text('output'));
}

sub start {
    my ($self) = @_;

    my ($status, $output) = $self->run;

    return 0 if $status != 0;

    # A signal that comes before the master has workers may be forgotten by it.

    return B24::Test::wait_until(sub { $self->pid }, START_CAP)
           && $self->workers > 0;
}

sub pid {
    my ($self) = @_;

    my ($pid) = $self->text('logs/nginx.pid') =~ /^(\d+)$/;

    return $pid;
}

sub workers {
    my ($self) = @_;

    my $master = $self->pid // return;
    my @found;

    B24::Test::wait_until(sub {
        @found = grep { B24::Test::command_of($_) =~ /worker process/ }
                 split ' ', B24::Recording::read_file(
                     "/proc/$master/task/$master/children");
    }, START_CAP);

    return @found;
}

# Ends it; true when it did so by itself and no process of it is left.
sub stop {
    my ($self) = @_;

    my $pid = $self->pid;

    kill 'QUIT', $pid if $pid;

    return 1 if B24::Test::wait_until(sub {
        !($pid && B24::Test::is_alive($pid))
        && !B24::Test::holders($self->{dir});
    }, START_CAP);

    kill 'KILL', B24::Test::holders($self->{dir});

    return 0;
}

sub log {
    my ($self) = @_;

    return $self->text('logs/error.log');
}

# What is alarming in the log.
sub alarms {
    my ($self) = @_;

    return join '', grep { /\[(?:alert|emerg)\]/ } split /^/, $self->log;
}

sub text {
    my ($self, $path) = @_;

    open my $in, '<', "$self->{dir}/$path" or return '';
    local $/;

    return <$in> // '';
}

# Files and folders below the folder, without those nginx makes by itself.
sub found {
    my ($self) = @_;

    my @found;

    File::Find::find({ no_chdir => 1, wanted => sub {
        my $path = substr $_, length $self->{dir};
        push @found, $path if $path =~ m{^/(?!conf|logs|temp|output)};
    } }, $self->{dir});

    return sort @found;
}

sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    local ($?, $@, $!);
    $self->stop;
}

1;
