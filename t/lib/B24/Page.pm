package B24::Page;

# The desk's page in a browser, and what is wrong with it for who can't see it,
# or sees badly.
#
#   use B24::Test portal => 1;
#   use Test::Nginx::Socket;
#   use B24::Page;
#
#   --- scenario
#       visit('/b24', 'empty', qr/All is well/, qr/Всё хорошо/);
#       browser()->js('document.title');
#       away();
#
# The functions of @EXPORT are there in scenarios, too.  Texts are bytes, UTF-8.

use strict;
use warnings;

use B24::Browser ();
use B24::Scenario ();
use Exporter 'import';
use Test::More ();

our @EXPORT = qw(away browser sound text url visit);

my $browser;

{
    no strict 'refs';

    *{"B24::Scenario::Code::$_"} = \&$_ for @EXPORT;
}

# A browser that is there when Perl ends would hold the test's sockets open.
END { undef $browser }

sub browser {
    return $browser //= B24::Browser->new;
}

sub url {
    my ($path) = @_;

    return 'http://127.0.0.1:' . B24::Scenario::port() . $path;
}

sub text {
    return browser()->js('document.body.innerText');
}

# What is wrong with the page as it is now for who can't see it, or sees badly.
use constant AUDIT => <<'EOC';
(function () {
    var wrong = [], level = 0;
    function say(e, what) { wrong.push(what + ': ' + e.outerHTML.slice(0, 90)) }
    function rgb(c) {
        return c.match(/[\d.]+/g).map(Number);
    }
    function light(c) {
        return [0.2126, 0.7152, 0.0722].reduce(function (sum, w, i) {
            var v = c[i] / 255;
            return sum + w * (v <= 0.03928 ? v / 12.92
                                           : Math.pow((v + 0.055) / 1.055, 2.4));
        }, 0);
    }
    function ground(e) {
        for (; e; e = e.parentElement) {
            var c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] === 1) { return c }
            if (c[3] > 0) { say(e, 'a ground that is half transparent') }
        }
        return [255, 255, 255];
    }
    if (!/^(en|ru)$/.test(document.documentElement.lang)) { wrong.push('lang') }
    if (!document.title) { wrong.push('title') }
    if (document.querySelectorAll('main').length !== 1) { wrong.push('main') }
    if (document.querySelectorAll('h1').length !== 1) { wrong.push('h1') }
    document.querySelectorAll('h1,h2,h3,h4').forEach(function (h) {
        var n = +h.tagName[1];
        if (n > level + 1) { say(h, 'a heading skips a level') }
        if (!h.innerText.trim()) { say(h, 'an empty heading') }
        level = n;
    });
    document.querySelectorAll('input:not([type=hidden])').forEach(function (i) {
        if (!i.labels.length || !i.labels[0].innerText.trim()) {
            say(i, 'no label');
        }
    });
    document.querySelectorAll('a,button,summary').forEach(function (e) {
        if (!e.textContent.trim()) { say(e, 'no name') }
    });
    document.querySelectorAll('svg').forEach(function (e) {
        if (!e.getAttribute('aria-label')) { say(e, 'no words for a picture') }
    });
    document.querySelectorAll('[id]').forEach(function (e) {
        if (document.querySelectorAll('#' + e.id).length > 1) {
            say(e, 'an id twice');
        }
    });
    document.querySelectorAll('dl').forEach(function (l) {
        Array.from(l.children).forEach(function (e, i, all) {
            var before = i && all[i - 1].tagName;
            if (e.tagName === 'DD' ? before !== 'DT' : before === 'DT'
                || e.tagName !== 'DT') { say(e, 'no term with its words') }
        });
    });
    document.querySelectorAll('button,summary,input:not([type=hidden])')
        .forEach(function (e) {
        var r = e.getBoundingClientRect();
        if (r.width && (r.width < 24 || r.height < 24)) { say(e, 'too small') }
    });
    document.querySelectorAll('ul,ol').forEach(function (l) {
        Array.from(l.children).forEach(function (e) {
            if (e.tagName !== 'LI') { say(e, 'not an item of its list') }
        });
    });
    document.querySelectorAll('body *').forEach(function (e) {
        var own = Array.from(e.childNodes).some(function (n) {
            return n.nodeType === 3 && n.data.trim();
        });
        if (!own || !e.offsetParent || e.closest('svg,script,style')) { return }
        if (!e.closest('header,main,footer,[role=status],[role=alert]')) {
            say(e, 'outside of every landmark');
        }
        var a = light(rgb(getComputedStyle(e).color)), b = light(ground(e)),
            c = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (c < 4.5) { say(e, 'contrast ' + c.toFixed(2)) }
    });
    if (document.documentElement.scrollWidth > innerWidth) {
        wrong.push('wider than the window: '
                   + document.documentElement.scrollWidth);
    }
    return wrong.join('\n');
})()
EOC

# What axe-core says of the page, where pages may run scripts.
sub axe {
    my ($file) = @_;

    return '' if browser()->{still};

    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;

    browser()->js(<$in> . '; 1');

    return browser()->js(q{
        axe.run(document, { resultTypes: ['violations'] }).then(function (r) {
            return r.violations.map(function (v) {
                return v.id + ': ' + v.nodes.map(function (n) {
                    return n.html.slice(0, 120);
                }).join(' | ');
            }).join('\n');
        })
    });
}

# B24_SHOTS: a folder for a picture of each.
sub shot {
    my ($name) = @_;

    return if !defined $ENV{B24_SHOTS};

    (my $file = "$0 $name") =~ s/[^A-Za-z0-9]+/-/g;
    browser()->shot("$ENV{B24_SHOTS}/$file.png", 1);
}

# A test: the page as it is, in all widths and colours.
sub sound {
    my ($name) = @_;

    Test::More::subtest("$name: for everybody", sub {
        for my $width (1100, 360) {
            browser()->size($width, 800);

            for my $dark (0, 1) {
                browser()->dark($dark);
                my $how = "$width pixels, " . ($dark ? 'dark' : 'light');

                Test::More::is(browser()->js(AUDIT), '', $how);
                Test::More::is(axe($ENV{B24_AXE}), '', "axe-core, $how")
                    if $ENV{B24_AXE};
                shot("$name $how");
            }
        }

        browser()->size(1100, 900);
        browser()->dark(0);

        Test::More::is(join("\n", browser()->complaints), '',
                       'the console is empty');

        my $own = url('/');
        Test::More::is(join("\n", grep { !/^(?:\Q$own\E|data:,$)/ }
                                       browser()->asked), '',
                       'nobody else is asked for anything');
    });
}

# Opens a page in both languages; a test each.
sub visit {
    my ($path, $name, $english, $russian) = @_;

    for (['ru', $russian], ['en', $english]) {
        my ($language, $like) = @$_;

        browser()->language($language);
        browser()->open(url($path));

        Test::More::is(browser()->js('document.documentElement.lang'),
                       $language, "$name, $language");
        Test::More::like(text(), $like, 'its words') if $like;
        sound("$name, $language");
    }
}

# Nothing looks at a server that is gone.
sub away {
    browser()->open('about:blank');
    Test::More::is(join("\n", browser()->complaints), '',
                   'the console is empty at the end');
    browser()->asked;
}

1;
