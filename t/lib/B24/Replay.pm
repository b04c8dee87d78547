package B24::Replay;

# The replay upstream as tests use it: starts t/replay.pl and talks to it.
#
#   my $replay = B24::Replay->start(ports => [$lane0, $lane1, $control],
#       folders => ['t/recordings/opencart-4.1.0.4']);
#   $replay->script(target => '^/checkout', times => 1, hold => 1);
#   $replay->wait_for(state => 'held');
#   $replay->release;
#   $replay->journal(lane => 0);
#   $replay->bytes($number);
#
# The last port is for control.  B24::Replay::Server says how a request finds
# its answer; a script is a hash of
#
#   lane, method, target (a pattern), times
#                       which requests, and how many of them; all by default
#   delay SECONDS       before the answer
#   hold 1              no answer before release()
#   close 1             the connection is closed instead of an answer
#   cut BYTES           closed after so much of the answer
#   slow { bytes, pause }   so many bytes at a time
#   raw BYTES           the whole answer; or composed from
#   status, reason, headers [[NAME, VALUE]], body BYTES,
#   generate SIZE       instead of a body: that many bytes
#   gzip 1              the body compressed; with generate a bomb
#   chunked 1, unframed 1, content_length N   its framing, lies included

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes qw(sleep time);

use constant START_CAP => 20;

my $ROOT = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');


# Takes ports and folders as above, dir (where its output goes).
sub start {
    my ($class, %option) = @_;

    my @lanes = @{$option{ports}};
    my $control = pop @lanes;

    my @command = ($^X, "-I$ROOT/t/lib", "$ROOT/t/replay.pl",
                   (map { ('--lane', $_) } @lanes), '--control', $control);

    push @command, map { ('--folder', $_) } @{$option{folders} // []};

    pipe my $reader, my $writer or die "cannot make a pipe: $!\n";

    my $pid = fork // die "cannot fork: $!\n";
    my $log = ($option{dir} // "$ROOT/build") . '/replay.log';

    if ($pid == 0) {
        # without exec an END block of the test would run here
        open(STDIN, '<&', $reader) && open(STDOUT, '>>', $log)
            && open(STDERR, '>&', \*STDOUT) && exec @command;
        POSIX::_exit(127);
    }

    my $self = bless {
        pid => $pid, owner => $$, lanes => \@lanes, writer => $writer,
        base => "http://127.0.0.1:$control/_",
        http => HTTP::Tiny->new(timeout => 90),
    }, $class;

    my $end = time + START_CAP;

    while (!$self->{http}->get("$self->{base}/journal")->{success}) {
        die "the replay upstream does not start, see $log\n"
            if time > $end || waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.02;
    }

    return $self;
}

sub pid {
    my ($self) = @_;

    return $self->{pid};
}

sub port {
    my ($self, $lane) = @_;

    return $self->{lanes}[$lane // 0];
}

# Returns the decoded answer and the status.
sub call {
    my ($self, $method, $path, $data) = @_;

    my $answer = $self->{http}->request($method, "$self->{base}/$path",
        defined $data ? { content => JSON::PP->new->utf8->encode($data),
                          headers => { 'Content-Type' =>
                                       'application/json' } } : ());

    die "replay upstream: $answer->{status} $answer->{content}\n"
        if $answer->{status} !~ /^(?:200|504)$/;

    return (JSON::PP::decode_json($answer->{content}), $answer->{status});
}

sub query {
    my ($self, %want) = @_;

    return $self->{http}->www_form_urlencode(\%want);
}

# Entries: number, lane, method, target, exchange (name), length,
# body_length, sha256, state (received, held, answering, done, aborted), sent,
# time.  %want narrows: lane, target (a pattern), state, from (a number).
sub journal {
    my ($self, %want) = @_;

    my ($list) = $self->call(GET => 'journal?' . $self->query(%want));

    return @$list;
}

# Waits for `count` (1) such entries, at most `timeout` (20) seconds; returns
# them, or nothing.
sub wait_for {
    my ($self, %want) = @_;

    my ($list, $status) = $self->call(GET => 'wait?' . $self->query(%want));

    # in scalar context: how many
    my @found = $status == 200 ? @$list : ();

    return @found;
}

# The bytes of a request as they came.
sub bytes {
    my ($self, $number) = @_;

    my $answer = $self->{http}->get("$self->{base}/bytes/$number");

    die "replay upstream: no request $number\n" if !$answer->{success};

    return $answer->{content};
}

sub script {
    my ($self, %script) = @_;

    # JSON holds text, not bytes
    for my $key (qw(raw body)) {
        next if !defined $script{$key};
        $script{"${key}_base64"}
            = MIME::Base64::encode_base64(delete $script{$key}, '');
    }

    $self->call(POST => 'script', \%script);
}

# Lets held requests be answered, of a lane or with a target, when there are
# `count` (0) of them; returns how many.
sub release {
    my ($self, %want) = @_;

    if (my $count = delete $want{count}) {
        $self->wait_for(%want, state => 'held', count => $count)
            or die "replay upstream: not $count requests are held\n";
    }

    my ($answer) = $self->call(POST => 'release', \%want);

    return $answer->{released};
}

# The n-th request of its kind is the first again, in all lanes.  Returns the
# number which the next request gets, for `from`.
sub rewind {
    my ($self) = @_;

    my ($answer) = $self->call(POST => 'rewind', {});

    return $answer->{next};
}

# Forgets scripts, journal, and counters; held requests are dropped.
sub reset {
    my ($self) = @_;

    $self->call(POST => 'reset', {});
}

sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;

    return if $$ != $self->{owner};

    close $self->{writer};

    my $end = time + 5;

    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        kill 'KILL', $pid if time > $end;
        sleep 0.01;
    }
}

sub DESTROY {
    my ($self) = @_;

    local ($@, $!, $?);
    $self->stop;
}

1;
