package B24::PortalProcess;

# Runs the portal emulator (t/portal.pl) as a child for a test file.
#
#   my $portal = B24::PortalProcess->new(tls => 1);
#   $portal->url            webhook URL over http
#   $portal->tls_url        webhook URL over https
#   $portal->ca             PEM file of the CA that signed its certificate
#   $portal->fault(kind => 'drop_after', method => 'crm\.deal\.add');
#   my $report = $portal->wait_for(deal => '1001', rows => 2);
#
# It listens on free ports of 127.0.0.1, is stopped by its pid when the object
# goes or the test ends, and ends by itself when the test is killed.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;
use File::Temp ();
use IO::Select;
use Mojo::JSON qw(encode_json decode_json);
use Mojo::UserAgent;
use POSIX ();
use Time::HiRes qw(time);

# seconds a start may take on a busy machine
use constant START_CAP => 60;

my %running;
my @before_end;


# ARGS: tls => 1 (or "wrong_host": a certificate for another name), code =>
# CODE, user => ID, state => FILE, config => {...} (as for POST /_/config)
sub new {
    my ($class, %args) = @_;

    my $self = bless {
        owner => $$,
        code => $args{code} // 'code1234567890ab',
        user => $args{user} // 1,
    }, $class;

    my @listen = ('http://127.0.0.1:0');

    if ($args{tls}) {
        $self->_make_certificates($args{tls});
        push @listen, "https://127.0.0.1:0?cert=$self->{dir}/server.pem"
                    . "&key=$self->{dir}/server.key";
    }

    $self->_start((map { ('--listen', $_) } @listen),
                  '--code', $self->{code}, '--user', $self->{user},
                  defined $args{state} ? ('--state', $args{state}) : ());

    $self->config(%{$args{config}}) if $args{config};

    return $self;
}


sub _start {
    my ($self, @options) = @_;

    my $lib = File::Spec->rel2abs(dirname(dirname(__FILE__)));
    my $script = File::Spec->catfile(dirname($lib), 'portal.pl');

    # both pipes close on exec of anything else the test starts
    pipe my $alive_read, my $alive or die "pipe: $!\n";
    pipe my $output, my $output_write or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        open STDIN, '<&', $alive_read or POSIX::_exit(127);
        open STDOUT, '>&', $output_write or POSIX::_exit(127);
        exec $^X, "-I$lib", $script, '--with-parent', @options
            or POSIX::_exit(127);
    }

    close $alive_read;
    close $output_write;

    @$self{qw(pid alive)} = ($pid, $alive);
    $running{$pid} = $self->{owner};

    $self->_read_ports($output);

    return;
}


sub _read_ports {
    my ($self, $output) = @_;

    my $select = IO::Select->new($output);
    my $until = time + START_CAP;
    my $text = '';

    while ($text !~ /^ready$/m) {
        my $left = $until - time;

        if ($left <= 0 || !$select->can_read($left)
            || !sysread $output, $text, 4096, length $text)
        {
            $self->stop;
            die "the portal emulator did not start: $text\n";
        }
    }

    ($self->{port}) = $text =~ m{^listening http://127\.0\.0\.1:(\d+)$}m;
    ($self->{tls_port}) = $text =~ m{^listening https://127\.0\.0\.1:(\d+)$}m;

    return;
}


# a CA of our own and a certificate for 127.0.0.1, localhost, portal.test, and
# for names like old.portal.localhost, which curl takes for the loopback
sub _make_certificates {
    my ($self, $kind) = @_;

    my $names = $kind eq 'wrong_host' ? 'DNS:elsewhere.test'
              : 'IP:127.0.0.1,DNS:localhost,DNS:portal.test'
                . ',DNS:*.portal.localhost';

    $self->{tempdir} = File::Temp->newdir('b24-portal-XXXXXX', TMPDIR => 1);
    my $dir = $self->{dir} = $self->{tempdir}->dirname;

    # nginx workers under another account read the CA
    chmod 0755, $dir;

    open my $file, '>', "$dir/san" or die "$dir/san: $!\n";
    print {$file} "subjectAltName=$names\n";
    close $file or die "$dir/san: $!\n";

    my @days = ('-days', 30);
    my @key = qw(req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);

    _openssl($dir, @key, qw(-x509 -subj /CN=test-ca
             -keyout ca.key -out ca.pem), @days);
    _openssl($dir, @key, qw(-subj /CN=portal.test
             -keyout server.key -out server.csr));
    _openssl($dir, qw(x509 -req -in server.csr -CA ca.pem -CAkey ca.key
             -CAcreateserial -extfile san -out server.pem), @days);

    return;
}


sub _openssl {
    my ($dir, @args) = @_;

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        chdir $dir or POSIX::_exit(127);
        open STDOUT, '>', '/dev/null' or POSIX::_exit(127);
        open STDERR, '>', 'openssl.log' or POSIX::_exit(127);
        exec 'openssl', @args
            or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    die "openssl $args[0] failed\n" if $?;

    return;
}


sub port     { return $_[0]{port} }
sub tls_port { return $_[0]{tls_port} }
sub pid      { return $_[0]{pid} }
sub base     { return "http://127.0.0.1:$_[0]{port}" }


sub url {
    my ($self) = @_;

    return $self->base . "/rest/$self->{user}/$self->{code}/";
}


sub tls_url {
    my ($self) = @_;

    return "https://127.0.0.1:$self->{tls_port}"
         . "/rest/$self->{user}/$self->{code}/";
}


sub ca {
    my ($self) = @_;

    return "$self->{dir}/ca.pem";
}


# ---- control: see B24::Portal::Control --------------------------------------

sub report {
    my ($self, %query) = @_;

    return $self->_request(GET => '/_/report', \%query);
}


# back to a new portal; config => {...} applied to it
sub reset   { return shift->_post(reset => {@_}) }
sub config  { return shift->_post(config => {@_}) }
sub fault   { return shift->_post(fault => {@_})->{id} }
sub release { return shift->_post(release => {@_})->{released} }
sub edit    { return shift->_post(edit => {@_}) }
sub merge   { return shift->_post(merge => {@_}) }

sub clear_faults { return $_[0]->_post(fault => {clear => \1}) }


# The canary, see B24::Portal::Control: what was done to records that nobody has
# any business with.  B24::Test fails a file for it; forgive() is for tests of
# the canary itself.
sub spoiled { return @{$_[0]->_request(GET => '/_/canary', {})->{spoiled}} }
sub forgive { return $_[0]->_post(canary => {forgive => \1}) }


# The report once all conditions hold; dies with what is there when they don't
# within "timeout" seconds
sub wait_for {
    my ($self, %wanted) = @_;

    return $self->_request(GET => '/_/wait', \%wanted);
}


# one REST call with a JSON body, for tests: the decoded answer
sub call {
    my ($self, $method, $params) = @_;

    my $tx = $self->_ua->post($self->url . $method => json => $params // {});

    return $tx->res->json;
}


sub _post {
    my ($self, $name, $body) = @_;

    return $self->_request(POST => "/_/$name", {}, json => $body);
}


sub _request {
    my ($self, $method, $path, $query, @body) = @_;

    my $url = Mojo::URL->new($self->base . $path);
    my $ua = $self->_ua;

    $url->query(%$query) if %$query;

    $ua->inactivity_timeout(($query->{timeout} // 20) + 60);

    my $tx = $ua->start($ua->build_tx($method => $url, {}, @body));
    my $code = $tx->res->code // 0;

    return $tx->res->json if $code == 200;

    die "portal emulator: $method $path "
      . join(' ', map { "$_=$query->{$_}" } sort keys %$query)
      . ": $code " . _summary($tx->res) . "\n";
}


sub _summary {
    my ($res) = @_;

    my $json = $res->json // return $res->body;

    return $json->{error} if defined $json->{error};
    return encode_json($json->{counts}) . ' held ' . encode_json($json->{held});
}


sub _ua {
    my ($self) = @_;

    # connections don't survive a fork
    if (($self->{ua_owner} // 0) != $$) {
        $self->{ua} = Mojo::UserAgent->new(max_response_size => 0,
                                              request_timeout => 0);
        $self->{ua}->proxy->detect(0);

        # a kept connection may be closed at the moment it is used again
        $self->{ua}->max_connections(0);
        $self->{ua_owner} = $$;
    }

    return $self->{ua};
}


# ---- the end ----------------------------------------------------------------

# something to be asked of the portals while they are still there
sub before_end { push @before_end, $_[1]; return }


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;

    close delete $self->{alive} if $self->{alive};
    _end($pid);

    return;
}


sub _end {
    my ($pid) = @_;

    my $owner = delete $running{$pid} // return;
    return if $owner != $$;

    # the status of a test is not that of its children
    local ($?, $!);

    kill TERM => $pid;

    my $until = time + 5;

    while (time < $until) {
        return if waitpid($pid, POSIX::WNOHANG()) == $pid;
        select undef, undef, undef, 0.01;
    }

    kill KILL => $pid;
    waitpid $pid, 0;

    return;
}


sub DESTROY {
    my ($self) = @_;

    $self->stop if $self->{owner} == $$;

    return;
}


END {
    local ($?, $!);

    $_->() for splice @before_end;
    _end($_) for keys %running;
}


1;
