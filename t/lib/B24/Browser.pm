package B24::Browser;

# A headless Chromium, driven over the DevTools protocol.
#
#   my $browser = B24::Browser->new;
#   $browser->size(360, 740);
#   $browser->language('ru');
#   $browser->open('http://127.0.0.1:1234/b24');
#   my $title = $browser->js('document.title');
#   $browser->act('document.querySelector("form button").click()');
#   $browser->shot('build/page.png');
#   my @wrong = $browser->complaints;        # of the console, since the last time
#   my @urls = $browser->asked;              # what was requested since then
#
# Each call returns when its effect is there, or dies after 30 seconds.

use strict;
use warnings;

use File::Temp ();
use JSON::PP ();
use MIME::Base64 ();
use Mojo::IOLoop;
use Mojo::UserAgent;
use POSIX ();
use Scalar::Util ();
use Time::HiRes qw(sleep time);

use constant CAP => 30;


# options: what Chromium is started with besides.
sub new {
    my ($class, %option) = @_;

    my $self = bless { folder => File::Temp->newdir, id => 0, owner => $$,
                       answers => {}, complaints => [], asked => [],
                       loads => 0 }, $class;

    $self->start(@{$option{options} // []});
    $self->connect;
    $self->call("$_.enable") for qw(Page Runtime Network Log);
    $self->size(1100, 900);

    return $self;
}

sub start {
    my ($self, @options) = @_;

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        POSIX::setpgid(0, 0);
        POSIX::close($_) for 3 .. 255;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', "$self->{folder}/log";

        # its own processes' sandbox needs what containers don't give
        { exec 'chromium', qw(--headless=new --no-sandbox --disable-gpu
            --no-first-run --no-proxy-server --disable-background-networking
            --disable-component-update --disable-sync --disable-dev-shm-usage
            --hide-scrollbars --remote-debugging-port=0),
            '--remote-allow-origins=*', "--user-data-dir=$self->{folder}",
            @options, 'about:blank' }
        POSIX::_exit(127);
    }

    $self->{pid} = $pid;
}

sub connect {
    my ($self) = @_;

    my $file = "$self->{folder}/DevToolsActivePort";
    my $port = $self->wait_until(sub {
        open my $in, '<', $file or return undef;
        my $line = <$in> // return undef;
        return $line =~ /^(\d+)\n/ ? $1 : undef;
    }) or die "chromium does not start, see $self->{folder}/log\n";

    $self->{agent} = Mojo::UserAgent->new(inactivity_timeout => 0,
                                          max_response_size => 0);

    my $page = $self->wait_until(sub {
        my $list = eval { $self->{agent}->get(
            "http://127.0.0.1:$port/json/list")->result->json } // [];
        my ($found) = grep { $_->{type} eq 'page' } @$list;
        return $found;
    }) or die "chromium has no page\n";

    # what it holds must not hold it: it ends the browser when it goes, and its
    # folder goes after that
    my $weak = $self;
    Scalar::Util::weaken($weak);

    $self->{agent}->websocket($page->{webSocketDebuggerUrl} => sub {
        my ($agent, $tx) = @_;

        die "no websocket\n" if !$tx->is_websocket;

        $tx->max_websocket_size(64 * 1024 * 1024);
        $tx->on(json => sub { $weak->take($_[1]) if $weak });
        $weak->{tx} = $tx;
    });

    $self->turn(sub { $self->{tx} });
}

sub wait_until {
    my ($self, $code) = @_;

    my $end = time + CAP;

    while (time < $end) {
        my $value = $code->();
        return $value if $value;
        sleep 0.05;
    }

    return undef;
}

# Runs the event loop until something is so.
sub turn {
    my ($self, $code, $what) = @_;

    my $end = time + CAP;
    my $timer = Mojo::IOLoop->recurring(0.05 => sub {});

    while (!$code->() && time < $end) {
        Mojo::IOLoop->one_tick;
    }

    Mojo::IOLoop->remove($timer);

    return $code->() || die "the browser: no end of " . ($what // 'that') . "\n";
}

sub take {
    my ($self, $message) = @_;

    if (defined $message->{id}) {
        $self->{answers}{$message->{id}} = $message;
        return;
    }

    my ($method, $of) = @$message{qw(method params)};

    if ($method eq 'Page.loadEventFired') {
        $self->{loads}++;

    } elsif ($method eq 'Network.requestWillBeSent') {
        push @{$self->{asked}}, $of->{request}{url};

    } elsif ($method eq 'Runtime.exceptionThrown') {
        push @{$self->{complaints}},
             $of->{exceptionDetails}{exception}{description}
             // $of->{exceptionDetails}{text};

    } elsif ($method eq 'Runtime.consoleAPICalled'
             && $of->{type} =~ /^(?:error|warning|assert)$/)
    {
        push @{$self->{complaints}},
             join ' ', map { $_->{value} // '' } @{$of->{args}};

    } elsif ($method eq 'Log.entryAdded'
             && $of->{entry}{level} =~ /^(?:error|warning)$/)
    {
        push @{$self->{complaints}}, $of->{entry}{text};
    }
}

# A command of the protocol; its result.
sub call {
    my ($self, $method, %params) = @_;

    my $id = ++$self->{id};

    $self->{tx}->send({ json => { id => $id, method => $method,
                                  params => \%params } });
    $self->turn(sub { $self->{answers}{$id} }, $method);

    my $answer = delete $self->{answers}{$id};

    die "$method: $answer->{error}{message}\n" if $answer->{error};

    return $answer->{result};
}

sub size {
    my ($self, $width, $height) = @_;

    $self->call('Emulation.setDeviceMetricsOverride', width => $width,
                height => $height, deviceScaleFactor => 1,
                mobile => $width < 500 ? JSON::PP::true() : JSON::PP::false());
}

sub dark {
    my ($self, $dark) = @_;

    $self->call('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme', value => $dark ? 'dark' : 'light' }]);
}

sub language {
    my ($self, $language) = @_;

    $self->call('Network.setExtraHTTPHeaders',
                headers => { 'Accept-Language' => $language });
}

# Whether pages may run scripts.
sub scripts {
    my ($self, $on) = @_;

    $self->{still} = !$on;
    $self->call('Emulation.setScriptExecutionDisabled',
                value => $on ? JSON::PP::false() : JSON::PP::true());
}

sub open {
    my ($self, $url) = @_;

    my $loads = $self->{loads};

    $self->call('Page.navigate', url => $url);
    $self->turn(sub { $self->{loads} > $loads }, $url);
}

# The value of an expression; of a promise what it comes to.  Texts are bytes,
# UTF-8, as in all tests.
sub js {
    my ($self, $code) = @_;

    utf8::decode($code);

    my $answer = $self->call('Runtime.evaluate', expression => $code,
        returnByValue => JSON::PP::true(), awaitPromise => JSON::PP::true(),
        userGesture => JSON::PP::true());

    die "$code: $answer->{exceptionDetails}{exception}{description}\n"
        if $answer->{exceptionDetails};

    my $value = $answer->{result}{value};

    utf8::encode($value) if defined $value && !ref $value;

    return $value;
}

# The Tab key.
sub tab {
    my ($self) = @_;

    $self->call('Input.dispatchKeyEvent', type => $_, key => 'Tab',
                code => 'Tab', windowsVirtualKeyCode => 9)
        for qw(rawKeyDown keyUp);
}

# Something that leads to another page.
sub act {
    my ($self, $code) = @_;

    my $loads = $self->{loads};

    $self->js("$code; 1");
    $self->turn(sub { $self->{loads} > $loads }, $code);
}

# Waits until an expression is true.
sub until_js {
    my ($self, $code) = @_;

    return $self->wait_until(sub { $self->js($code) });
}

sub shot {
    my ($self, $file, $whole) = @_;

    my $answer = $self->call('Page.captureScreenshot', format => 'png',
        captureBeyondViewport => $whole ? JSON::PP::true()
                                        : JSON::PP::false());

    CORE::open(my $out, '>:raw', $file) or die "$file: $!\n";
    print {$out} MIME::Base64::decode_base64($answer->{data});
    close $out or die "$file: $!\n";
}

sub complaints {
    my ($self) = @_;

    return splice @{$self->{complaints}};
}

sub asked {
    my ($self) = @_;

    return splice @{$self->{asked}};
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};

    local ($?, $@);

    $self->{tx}->finish if $self->{tx};
    kill 'KILL', -$self->{pid};
    waitpid $self->{pid}, 0;

    # its other processes write into the folder, which is removed next, until
    # they are gone as well
    $self->wait_until(sub { !$self->processes });
}

# How many of the browser's processes run.
sub processes {
    my ($self) = @_;

    my $count = 0;

    for my $file (glob '/proc/[0-9]*/stat') {
        CORE::open(my $in, '<', $file) or next;
        my ($state, $group) = (<$in> // '') =~ /\) (\S) \d+ (\d+)/ or next;

        $count++ if $group == $self->{pid} && $state !~ /[ZX]/;
    }

    return $count;
}

1;
