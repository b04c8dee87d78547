#!/usr/bin/perl

# What a package is made of and needs, as SPDX 2.3: itself, its files' digests,
# and the packages that it depends on as they are installed here.
#
#   perl t/tools/spdx.pl PACKAGE.deb SECONDS > PACKAGE.spdx.json
#
# SECONDS since the epoch are the time that is said to have made it.

use strict;
use warnings;

use Digest::SHA ();
use File::Temp ();
use JSON::PP ();
use POSIX ();

my ($deb, $epoch) = @ARGV;

die "usage: $0 PACKAGE.deb SECONDS\n" if !defined $epoch || !-f $deb;

sub output {
    open my $in, '-|', @_ or die "$_[0]: $!\n";
    my $text = do { local $/; <$in> } // '';
    close $in or die "$_[0] failed\n";
    chomp $text;

    return $text;
}

sub digest { return Digest::SHA->new(256)->addfile($_[0], 'b')->hexdigest }

sub field { return output('dpkg-deb', '-f', $deb, $_[0]) }

# an identifier of letters, digits, "." and "-"
sub id { return 'SPDXRef-' . join '-', map { s/[^A-Za-z0-9.]+/-/gr } @_ }

my ($name, $version) = (field('Package'), field('Version'));
my $self = id('Package', $name);
my (@packages, @files, @relations);

push @packages, {
    SPDXID => $self, name => $name, versionInfo => $version,
    downloadLocation => 'NOASSERTION', filesAnalyzed => JSON::PP::false,
    licenseConcluded => 'BSD-2-Clause', licenseDeclared => 'BSD-2-Clause',
    copyrightText => 'Copyright (C) 2026 the ngx_http_b24_module authors',
    checksums => [{ algorithm => 'SHA256', checksumValue => digest($deb) }],
};
push @relations, ['SPDXRef-DOCUMENT', 'DESCRIBES', $self];

for my $depends (split /\s*,\s*/, field('Depends')) {
    my ($needed) = $depends =~ /^([a-z0-9.+-]+)/ or next;
    my $found = output('sh', '-c',
        'dpkg-query -W -f \'${Version}\' "$1" 2> /dev/null || true', 'sh',
        $needed);

    push @packages, {
        SPDXID => id('Package', $needed), name => $needed,
        versionInfo => $found || 'NOASSERTION',
        downloadLocation => 'NOASSERTION', filesAnalyzed => JSON::PP::false,
        licenseConcluded => 'NOASSERTION', licenseDeclared => 'NOASSERTION',
        copyrightText => 'NOASSERTION', comment => $depends,
    };
    push @relations, [$self, 'DEPENDS_ON', id('Package', $needed)];
}

my $dir = File::Temp::tempdir(CLEANUP => 1);

output('dpkg-deb', '-x', $deb, $dir);

for my $path (split /\n/, output('find', $dir, '-type', 'f')) {
    my $inside = substr $path, length $dir;

    push @files, {
        SPDXID => id('File', $inside), fileName => ".$inside",
        checksums => [
            { algorithm => 'SHA1',
              checksumValue => Digest::SHA->new(1)->addfile($path, 'b')
                                          ->hexdigest },
            { algorithm => 'SHA256', checksumValue => digest($path) },
        ],
        licenseConcluded => 'BSD-2-Clause',
        licenseInfoInFiles => ['NOASSERTION'], copyrightText => 'NOASSERTION',
    };
    push @relations, [$self, 'CONTAINS', id('File', $inside)];
}

@files = sort { $a->{fileName} cmp $b->{fileName} } @files;
@relations = sort { "@$a" cmp "@$b" } @relations;

print JSON::PP->new->canonical->pretty->encode({
    spdxVersion => 'SPDX-2.3', dataLicense => 'CC0-1.0',
    SPDXID => 'SPDXRef-DOCUMENT', name => "$name-$version",
    documentNamespace => "urn:sha256:$packages[0]{checksums}[0]{checksumValue}",
    creationInfo => {
        created => POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $epoch),
        creators => ['Tool: ngx_http_b24_module-build.sh'],
    },
    packages => \@packages, files => \@files,
    relationships => [map { { spdxElementId => $_->[0],
                              relationshipType => $_->[1],
                              relatedSpdxElement => $_->[2] } } @relations],
});
