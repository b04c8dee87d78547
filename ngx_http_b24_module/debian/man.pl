#!/usr/bin/perl

# The man page of the package, made of docs/directives.md: what each directive
# is written like, where, and the first words on it.
#
#   perl man.pl DIRECTIVES CHANGELOG > ngx_http_b24_module.7

use strict;
use warnings;

my ($page, $changelog) = map {
    open my $in, '<:encoding(UTF-8)', $_ or die "$_: $!\n";
    local $/;
    <$in>;
} @ARGV;

binmode STDOUT, ':encoding(UTF-8)';

my ($version) = $changelog =~ /\((\S+?)-/;
my ($date) = $changelog =~ /^ -- .*, (\d+ \w+ \d+) /m;

# what roff would take for its own
sub text {
    my ($text) = @_;

    $text =~ s/\[([^\]]+)\]\([^)]*\)/$1/g;
    $text =~ s/\\/\\e/g;
    $text =~ s/-/\\-/g;
    $text =~ s/`([^`]*)`/\\fB$1\\fR/g;
    $text =~ s/^(?=[.'])/\\&/mg;

    return $text;
}

print <<"EOC";
.TH NGX_HTTP_B24_MODULE 7 "$date" "$version" "nginx modules"
.SH NAME
ngx_http_b24_module \\- orders of a shop into the Bitrix24 CRM
.SH SYNOPSIS
.nf
http {
    b24_queue    /var/lib/nginx/b24;
    include      /etc/nginx/b24/bitrix.conf;

    server {
        b24_webhook  file:/etc/nginx/b24\\-webhook;
        b24_mirror   bitrix;

        location /b24 {
            b24_status;
            allow  127.0.0.1;
            deny   all;
        }
    }
}
.fi
.SH DESCRIPTION
A dynamic module for
.BR nginx (8).
It watches the checkout of a PHP shop and brings each order that the shop has
accepted into the Bitrix24 CRM, from a durable queue on the server's disk.  The
file of
.B b24_webhook
holds the address of the portal's incoming webhook, one line, mode 0600.
With
.B dry
behind it nothing is sent, and the page of
.B b24_status
shows what would be.
.PP
A new version of the package is taken by a restart of nginx, not by a reload.
.SH DIRECTIVES
EOC

while ($page =~ /^## b24_.*?\n+```\n(.*?)^```\n+(.*?)\n\n/msg) {
    my ($head, $about) = ($1, $2);
    my ($syntax) = $head =~ /^Syntax:\s+(.*?)(?=^\w+:)/ms;
    my ($default) = $head =~ /^Default:\s+(.*?)(?=^\w+:)/ms;
    my ($context) = $head =~ /^Context:\s+(.*)$/m;

    s/\n\s+/\n/g, s/\n+\z// for $syntax, $default;

    print ".TP\n.nf\n.B ", join("\n.br\n.B ", split /\n/, text($syntax)),
        "\n.fi\n";
    print text($about), "\n.br\nDefault: ", text(join ' ', split /\n/, $default),
        "\n.br\nContext: ", text($context), "\n";
}

print <<'EOC';
.SH VARIABLES
.TP
.B $b24_event
what a request was to the rules: order, collect, status
.TP
.B $b24_state
what became of the order: accepted, rejected, unconfirmed
.TP
.B $b24_order
the order's number
.SH FILES
.TP
.I /etc/nginx/b24/*.conf
rules for shops, to be included on the level of http
.TP
.I /usr/share/nginx/modules\-available/mod\-http\-b24.conf
loads the module; linked from
.I /etc/nginx/modules\-enabled
.TP
.I /var/lib/nginx/b24
the queue; removed when the package is purged
.SH SEE ALSO
.BR nginx (8),
.I /usr/share/doc/libnginx\-mod\-http\-b24/
EOC
