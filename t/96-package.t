# The Debian package as ./build.sh package makes it: lintian has nothing to say,
# what is in it, what it needs, what its scripts do; the source as a tarball; the
# list of what it is made of.
#
# B24_LONG=1: built once more, elsewhere, at another time and by a user with other
# habits, and the same bytes; installed, upgraded and purged in a Debian of its own,
# which must say what docs/start.md shows; and the image.  For root, with a network.

use strict;
use warnings;

use lib 't/lib';

use B24::Recording ();
use Cwd ();
use Digest::SHA ();
use File::Temp ();
use JSON::PP ();
use Test::More;

my $root = Cwd::getcwd();
my $name = 'libnginx-mod-http-b24';

sub output {
    my @command = @_;

    open my $in, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $text = <$in> // '';
    close $in;

    return $text;
}

# Makes the package of a checkout; what was said.
sub package_of {
    my ($folder) = @_;
    my $said = output('sh', '-c', "cd \Q$folder\E && ./build.sh package 2>&1");

    is($?, 0, 'a package, and lintian is content') or diag($said);
    return glob "$folder/build/package/${name}_*.deb";
}

sub digest { return Digest::SHA->new(256)->addfile($_[0], 'b')->hexdigest }

my ($deb) = package_of($root);
my ($version) = $deb =~ /_(.+)_\w+\.deb$/;
my ($upstream) = $version =~ /^(.+)-/;


# ---- what is in it -----------------------------------------------------------

my %mode;

for (split /\n/, output('dpkg-deb', '-c', $deb)) {
    my ($mode, $owner, $path) = /^(\S+) (\S+) .*? \.(\/\S*)/;

    $mode{$path} = "$mode $owner" if $path !~ m{/$} || $path =~ m{/b24/$};
}

my @presets = map { s{.*/}{}r } glob 'ngx_http_b24_module/shops/*.conf';
my $doc = "/usr/share/doc/$name";
my @wanted = ('/usr/lib/nginx/modules/ngx_http_b24_module.so',
    '/usr/share/nginx/modules-available/mod-http-b24.conf',
    '/usr/share/man/man7/ngx_http_b24_module.7.gz',
    "/usr/share/lintian/overrides/$name", '/etc/nginx/b24/',
    '/var/lib/nginx/b24/', map({ "/etc/nginx/b24/$_" } @presets),
    map({ my $file = s{.*/}{}r;
          # longer ones are compressed
          grep { $mode{$_} } "$doc/$file", "$doc/$file.gz" }
        'README.md', glob 'docs/*.*'),
    "$doc/changelog.Debian.gz", "$doc/copyright");

is_deeply([sort grep { !m{^$doc/} } keys %mode],
          [sort grep { !m{^$doc/} } @wanted], 'its files');
is(join(' ', grep { !$mode{$_} } @wanted), '', 'and documents');
cmp_ok(scalar(grep { m{^$doc/} } @wanted), '>', 20, 'all of docs/');
is(join(' ', grep { $mode{$_} !~ m{^(?:-rw-r--r--|drwxr-xr-x) root/root$} }
                  sort keys %mode), '', 'everybody may read, root write');
is(join(' ', sort split /\n/, output('dpkg-deb', '-I', $deb, 'conffiles')),
   join(' ', sort map { "/etc/nginx/b24/$_" } @presets),
   'presets that were changed are kept');

my $into = File::Temp->newdir;

system('dpkg-deb', '-x', $deb, $into);
is(B24::Recording::read_file("$into/usr/share/nginx/modules-available"
                             . '/mod-http-b24.conf'),
   "load_module modules/ngx_http_b24_module.so;\n", 'what loads it');
like(output('zcat', "$into/usr/share/man/man7/ngx_http_b24_module.7.gz"),
     qr/\.SH DIRECTIVES.*b24_webhook.*\.SH FILES/s, 'the man page');


# ---- what it needs and does --------------------------------------------------

my ($abi) = output('dpkg-query', '-W', '-f', '${Provides}', 'nginx')
            =~ /(nginx-abi-[^\s,]+)/;

my $depends = output('dpkg-deb', '-f', $deb, 'Depends');

ok(defined $abi, 'the interface that nginx has');
like($depends, qr/(?:^|, )\Q$abi\E(?:,|$)/, 'that very interface');
like($depends, qr/\b$_\b/, $_)
    for qw(libc6 libcurl4 libsqlite3-0 libmariadb3 libcjson1 libpcre2-8-0
           libpsl5 zlib1g);
is(output('dpkg-deb', '-f', $deb, 'Version'), "$upstream-1\n", 'the version');

my %script = map { $_ => output('dpkg-deb', '-I', $deb, $_) }
             qw(postinst prerm postrm);

for my $script (sort keys %script) {
    my $file = File::Temp->new;

    print {$file} $script{$script};
    close $file;
    is(system("sh -n \Q$file\E"), 0, "$script: its syntax");
    like($script{$script}, qr/^set -e$/m, 'ends at the first error');
}

like($script{postinst}, qr/\$1" = configure \] && \[ -z "\$2"/,
     'the folder is closed at the first installation alone');
like($script{postrm}, qr/"\$1" = purge \]; then\n\s+rm -rf \/var\/lib\/nginx\/b24\n/,
     'the queue goes with a purge');
unlike($script{$_}, qr/var\/lib\/nginx\/b24/, "$_ leaves it alone")
    for 'prerm';
like($script{postinst}, qr/mod-http-b24/, 'the module is switched on');
like($script{prerm}, qr/mod-http-b24/, 'and off');


# ---- the source, and the list ------------------------------------------------

my $tar = "build/package/ngx_http_b24_module-$upstream.tar.gz";
my @names = split /\n/, output('tar', 'tzf', $tar);
my %in = map { $_ => 1 } @names;

ok($in{"ngx_http_b24_module-$upstream/$_"}, "the source has $_")
    for 'build.sh', 'config', 'README.md', 'LICENSE', 't/96-package.t',
        'ngx_http_b24_module/ngx_http_b24_module.c', 'docs/start.md';
is(join(' ', grep { m{/(?:build|\.git)/} } @names), '', 'and nothing made');

my ($listed) = glob "build/package/${name}_*.spdx.json";
my $spdx = JSON::PP->new->utf8->decode(B24::Recording::read_file($listed));
my %package = map { $_->{name} => $_ } @{$spdx->{packages}};

is($spdx->{spdxVersion}, 'SPDX-2.3', 'the list');
is($package{$name}{versionInfo}, $version, 'of this version');
is($package{$name}{checksums}[0]{checksumValue}, digest($deb), 'this package');
ok($package{$_}{versionInfo}, "$_ is in it")
    for qw(libcurl4 libsqlite3-0 libmariadb3 libcjson1);

my %digest = map { $_->{fileName} => $_->{checksums} } @{$spdx->{files}};
my ($module) = grep { /ngx_http_b24_module\.so$/ } keys %digest;

ok((grep { $_->{checksumValue} eq digest("$into/usr/lib/nginx/modules"
                                         . '/ngx_http_b24_module.so') }
    @{$digest{$module // ''} // []}), 'with the digest of the module');


# ---- the long form -----------------------------------------------------------

# The lines of a session, without what differs each time.
sub transcript {
    my ($text) = @_;

    return $text =~ s/^(drwx\S+ \d+ \S+ \S+ +\d+) .* (?=\/)/$1 /mgr
                 =~ s/("deal_id"):\d+/$1:N/gr;
}

if ($ENV{B24_LONG}) {
    my $elsewhere = File::Temp->newdir('b24-elsewhere-XXXXXX', TMPDIR => 1);
    my @first = map { [$_, digest("build/package/$_")] }
                map { s{.*/}{}r } $deb, $tar, $listed;

    chmod 0755, $elsewhere;
    system("tar c --exclude=./build --exclude=./.git . | tar x -C $elsewhere");
    system("find $elsewhere -exec touch -d 2020-01-01 {} +");

    {
        local $ENV{TZ} = 'Asia/Kamchatka';
        local $ENV{LANG} = 'ru_RU.UTF-8';
        my $mask = umask 0077;

        package_of($elsewhere);
        umask $mask;
    }

    is(digest("$elsewhere/build/package/$_->[0]"), $_->[1],
       "$_->[0]: the same bytes")
        for @first;

    my $said = output('t/fresh.sh', $deb);

    is($?, 0, 'installed, upgraded, purged');

    my ($shown) = B24::Recording::read_file('docs/start.md')
                  =~ /^```console\n(.*?)^```/ms;

    is(transcript($said), transcript($shown), 'as docs/start.md shows it');

    $said = output('t/image.sh', 'build/package');
    is($?, 0, 'the image');
    like($said, qr/^the image works$/m, 'works');
}

done_testing();
