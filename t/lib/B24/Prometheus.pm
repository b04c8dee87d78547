package B24::Prometheus;

# Reads the text format 0.0.4 of Prometheus as strictly as its documentation
# says, and a little more strictly where scrapers differ: each family has its
# HELP, then its TYPE, then its samples, and comes once; no series comes twice;
# a histogram is whole.
#
#   my $metrics = B24::Prometheus->parse($text);     # dies with a sentence
#   $metrics->value('b24_records', origin => 'shop', state => 'parked');
#   $metrics->type('b24_records');                   # gauge
#   $metrics->families;                              # names, sorted
#
#   B24::Prometheus::findings($text);      # of promtool check metrics; '' is none
#   my ($status, $said) = B24::Prometheus::promtool($input, qw(check rules), @files);
#
# The programs are those of the machine, or of build/prometheus (build.sh).
#
#   my $server = B24::Prometheus->start($folder, $port, $configuration);
#   my $data = $server->ask('query', query => 'up');     # of its HTTP API
#
# A Prometheus of the test's own; it ends with the object.  Its rules and scrapes
# are those of the configuration, its API answers when start() returns.

use strict;
use warnings;

use B24::Scenario ();
use File::Path ();
use IPC::Open3 ();
use JSON::PP ();
use Mojo::UserAgent;
use POSIX ();

my $name = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $label = qr/[a-zA-Z_][a-zA-Z0-9_]*/;
my $number = qr/[+-]?(?:Inf|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|NaN/;

my %types = map { $_ => 1 } qw(counter gauge histogram);


sub parse {
    my ($class, $text) = @_;

    my $self = bless { help => {}, type => {}, samples => {} }, $class;

    die "the text is empty\n" if $text eq '';
    die "the last line does not end\n" if $text !~ /\n\z/;

    my $copy = $text;
    utf8::decode($copy) or die "the text is no UTF-8\n";

    my $line = 0;

    for (split /\n/, $text, -1) {
        $line++;
        next if $_ eq '' && $line == 1 + ($text =~ tr/\n//);
        eval { $self->_line($_); 1 } or die "line $line: $@";
    }

    $self->_end_family;

    return $self;
}

sub _line {
    my ($self, $line) = @_;

    if ($line =~ /^# HELP ($name) (\S.*)$/) {
        my ($family, $help) = ($1, $2);

        $self->_end_family;
        die "HELP of $family for the second time\n"
            if exists $self->{help}{$family};
        die "a broken escape in the HELP of $family\n"
            if $help =~ /\\(?![\\n])(?<!\\\\)/;
        $self->{help}{$family} = $help;
        $self->{family} = $family;
        return;
    }

    if ($line =~ /^# TYPE ($name) (\w+)$/) {
        my ($family, $type) = ($1, $2);

        die "TYPE of $family without its HELP before\n"
            if ($self->{family} // '') ne $family
               || exists $self->{type}{$family};
        die "no such type: $type\n" if !$types{$type};
        die "$family is a counter without _total\n"
            if $type eq 'counter' && $family !~ /_total$/;
        die "$family is no counter, but has _total\n"
            if $type ne 'counter' && $family =~ /_total$/;
        $self->{type}{$family} = $type;
        return;
    }

    die "no comment a scraper knows\n" if $line =~ /^#/;

    my ($sample, $labels, $value)
        = $line =~ /^($name)(?:\{(.*)\})? ($number)$/
        or die "no sample: $line\n";
    my %label = _labels($labels // '');

    $self->_sample($sample, \%label, $value);
}

sub _labels {
    my ($text) = @_;

    my %label;

    while ($text ne '') {
        $text =~ s/^($label)="((?:[^"\\]|\\[\\"n])*)"(?:,(?=.)|\z)//
            or die "broken labels: $text\n";
        my ($key, $value) = ($1, $2);

        die "the label $key comes twice\n" if exists $label{$key};
        $value =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge;
        $label{$key} = $value;
    }

    return %label;
}

sub _sample {
    my ($self, $sample, $labels, $value) = @_;

    my $family = $self->{family} // die "a sample before any HELP\n";
    my $type = $self->{type}{$family} // die "$family has no TYPE\n";

    if ($type eq 'histogram') {
        die "$sample is no part of $family\n"
            if $sample !~ /^\Q$family\E_(?:bucket|sum|count)$/;

    } elsif ($sample ne $family) {
        die "$sample stands among the samples of $family\n";
    }

    die "$sample is a negative counter\n"
        if $type eq 'counter' && $value < 0;

    my $key = _key(%$labels);

    die "the series $sample\{$key} comes twice\n"
        if exists $self->{samples}{$sample}{$key};
    $self->{samples}{$sample}{$key} = $value;
    push @{$self->{order}}, [$sample, { %$labels }, $value]
        if $type eq 'histogram';
}

# Buckets grow, the last is +Inf and the count.
sub _end_family {
    my ($self) = @_;

    my $family = delete $self->{family} // return;
    my $type = $self->{type}{$family} // die "$family has no TYPE\n";
    my @parts = @{delete $self->{order} // []};

    return if $type ne 'histogram';

    my @buckets = grep { $_->[0] eq "${family}_bucket" } @parts;
    my ($sum) = grep { $_->[0] eq "${family}_sum" } @parts;
    my ($count) = grep { $_->[0] eq "${family}_count" } @parts;

    die "$family has no sum or no count\n" if !$sum || !$count;

    my ($bound, $before) = ('-Inf', 0);

    for my $bucket (@buckets) {
        my (undef, $labels, $value) = @$bucket;
        my $le = $labels->{le} // die "a bucket of $family without le\n";

        die "buckets of $family don't grow\n" if $le <= $bound + 0;
        die "buckets of $family are not cumulative\n" if $value < $before;
        ($bound, $before) = ($le, $value);
    }

    die "the last bucket of $family is $bound\n" if $bound ne '+Inf';
    die "the count of $family isn't its last bucket\n"
        if $count->[2] != $before;
}

sub _key {
    my (%label) = @_;

    return join ',', map { "$_=$label{$_}" } sort keys %label;
}

# undef when there is no such series.
sub value {
    my ($self, $sample, %label) = @_;

    return $self->{samples}{$sample}{_key(%label)};
}

# All series of a name, "label=value,..." => value.
sub series {
    my ($self, $sample) = @_;

    return %{$self->{samples}{$sample} // {}};
}

sub type {
    my ($self, $family) = @_;

    return $self->{type}{$family};
}

sub families {
    my ($self) = @_;

    return sort keys %{$self->{type}};
}

sub program {
    my ($name) = @_;

    my ($program) = grep { -x } map { "$_/$name" }
                    split(/:/, $ENV{PATH} // ''), 'build/prometheus/usr/bin';

    return $program // die "$name is missing: ./build.sh deps test\n";
}

sub promtool {
    my ($input, @args) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $pid = IPC::Open3::open3(my $in, my $out, undef, program('promtool'),
                                @args);

    print $in $input;
    close $in;
    my $said = join '', <$out>;
    waitpid $pid, 0;

    return ($? >> 8 || $?, $said);
}

sub findings {
    my ($text) = @_;

    my ($status, $said) = promtool($text, qw(check metrics));

    return $status ? $said || 'promtool failed' : $said;
}


# ---- the program ---------------------------------------------------------

sub start {
    my ($class, $folder, $port, $configuration) = @_;

    File::Path::make_path($folder);

    open my $conf, '>', "$folder/prometheus.yml" or die "$folder: $!\n";
    print $conf $configuration;
    close $conf or die "$folder: $!\n";

    my $program = program('prometheus');
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        POSIX::close($_) for 3 .. 255;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$folder/log";
        open STDERR, '>&', \*STDOUT;
        { exec $program, "--config.file=$folder/prometheus.yml",
               "--storage.tsdb.path=$folder/data",
               "--web.listen-address=127.0.0.1:$port" }
        POSIX::_exit(127);
    }

    my $self = bless { pid => $pid, owner => $$,
                       url => "http://127.0.0.1:$port",
                       agent => Mojo::UserAgent->new }, $class;

    B24::Scenario::wait_until(sub {
        die "prometheus has ended, see $folder/log\n"
            if waitpid($pid, POSIX::WNOHANG()) == $pid;
        my $result = eval { $self->{agent}->get("$self->{url}/-/ready")->result };
        return $result && $result->code == 200;
    }) or die "prometheus does not start, see $folder/log\n";

    return $self;
}

# Dies with the error, when it is one.
sub ask {
    my ($self, $what, %query) = @_;

    my $url = Mojo::URL->new("$self->{url}/api/v1/$what");

    $url->query(%query) if %query;

    my $answer = JSON::PP::decode_json($self->{agent}->get($url)->result->body);

    die "$answer->{error}\n" if $answer->{status} ne 'success';

    return $answer->{data};
}

sub DESTROY {
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;

    local ($?, $@);

    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
