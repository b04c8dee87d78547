# Both languages of the page: each sentence that the code writes about an order,
# a portal, a shop or an action has its like in Russian.  Sentences are found in
# the sources: whoever writes a new one is told here.

use strict;
use warnings;
use utf8;

use Test::More;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

# Rooms whose sentences come to the page, and those of their files that speak
# of the configuration, to the log or to programs only.
my @rooms = qw(crm courier queue desk database intake order);
my $others = qr{_conf\.c$|_lines\.c$|_lines_values|_sql\.c$|_look\.c$
    |prometheus|queue_aside|queue_open|queue_prepare|folder\.c$|events\.c$
    |b24_rules\.c$|b24_shop\.c$|b24_shop_heirs|b24_regex\.c$|b24_statement\.c$
    |b24_sieve|b24_database_url|b24_value\.c$|b24_source\.c$|b24_eval\.c$
    |b24_call_check|b24_pointer\.c$|shm\.c$|intake/ngx_http_b24_shop\.c$
    |b24_alert}x;

# Sentences that stay where they are: in the CRM, in JSON, in the log, or inside
# of an error that cannot be.
my @elsewhere = map { qr/^\Q$_\E/ } (
    'the file was removed or replaced', 'a group in a group',
    'no group, or a call of it', 'put outside of a transaction',
    'put in a wrong state', 'only records count for this state',
    'a later event belongs into', 'a change belongs into a transaction',
    'record without event', 'no outcome of an attempt', 'no such kind of fact',
    'another order has this number', 'Phone as typed: ', 'E-mail as typed: ',
    'E-mail, refused by the portal: ', 'Order without a number',
    'The product rows lack this', 'error connecting to authorization server',
    'disk resource exhausted', 'in a given amount of time',
    'binds other values than it seems to', 'gives no columns',
    'gives no column "changed"', 'application/openmetrics-text',
    q{"the queue can't be written, orders are held},
    '"%.*s" can\'t take "database:"', '"%.*s" does more with "database:',
    '"items": write "database:" without',
);

# Those made of more than one part, each of which is in the table as a whole.
my @made = map { qr/^\Q$_\E/ } (
    'the %s belongs to contact %lld', q{the order's status%s%.*s%s has no line},
    'The portal sends requests on to %.*s, %s', '%s %V of the shop "%V": %V',
    '%V; compare the', '%s by hand from %V', q{the shop's "%s" %s and was},
    'the URL of the call %s', q{%.*s can't stand in "%s": %s},
);

sub slurp {
    my ($file) = @_;

    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
    local $/;

    my $text = <$in>;
    $text =~ s{/\*.*?\*/}{}gs;
    $text =~ s/\\\n//g;

    return $text;
}

my $literal = qr/(?:"(?:[^"\\\n]|\\.)*"\s*(?:PRI\w+\s*)?)+/;

sub value {
    my ($literals) = @_;

    my $text = join '', $literals =~ /"((?:[^"\\]|\\.)*)"/g;
    $text =~ s/\\(.)/$1/g;

    return $text;
}


# ---- the table -----------------------------------------------------------

my (@patterns, %russian);

for my $file (glob 'ngx_http_b24_module/desk/ngx_http_b24_said*_x.h') {
    my $text = slurp($file);

    while ($text =~ /NGX_HTTP_B24_X\(\s*($literal),\s*($literal)\)/g) {
        my ($english, $russian) = (value($1), value($2));

        ok(!exists $russian{$english}, "once: $english")
            if exists $russian{$english};
        $russian{$english} = $russian;
        push @patterns, $english;
    }
}

cmp_ok(scalar @patterns, '>', 300, 'sentences');
is(join("\n", grep { ($_ =~ tr/*//) != ($russian{$_} =~ tr/*//) } @patterns),
   '', 'what differs is in both');
is(join("\n", grep { ($_ =~ tr/*//) > 4 } @patterns), '',
   'no more than there is room for');
is(join("\n", grep { $russian{$_} !~ /\p{Cyrillic}/ } @patterns), '',
   'all of them in Russian');

# of two that fit the first is taken
my @hidden;

for my $i (0 .. $#patterns) {
    for my $k (grep { $patterns[$_] =~ /\*/ } 0 .. $i - 1) {
        my $like = join '.*', map { quotemeta } split /\*/, $patterns[$k], -1;
        push @hidden, $patterns[$i] if $patterns[$i] =~ /^$like$/;
    }
}

is(join("\n", @hidden), '', 'none hides behind one that says less');


# ---- the sources ---------------------------------------------------------

my (%seen, @missing);

for my $file (map { glob "ngx_http_b24_module/$_/*.c" } @rooms) {
    next if $file =~ $others;

    my $text = slurp($file);

    # to the log, and to whoever reads that
    $text =~ s/ngx_(?:conf_)?log_(?:error|debug)\w*\((?:[^;"]|$literal)*;//g;

    while ($text =~ /($literal)/g) {
        my $sentence = value($1);

        next if $sentence !~ /[a-z]+ [a-z]+ [a-z']+/ || $sentence =~ /^[<&]|="/
                || grep { $sentence =~ $_ } @elsewhere, @made;
        next if $seen{$sentence}++;

        # the whole of one, or a part
        (my $part = $sentence) =~ s/%(?:\.\*|\.?\d+)?[a-zA-Z]{1,3}\b/*/g;
        $part =~ s/^[\s;]+|[\s;]+$//g;

        next if grep { index($_, $part) >= 0 } @patterns;
        next if grep { my $like = join '.*', map { quotemeta }
                                  split /\*/, $_, -1;
                       $sentence =~ /^$like$/ } @patterns;

        push @missing, "$file: $sentence";
    }
}

cmp_ok(scalar keys %seen, '>', 250, 'sentences in the sources');
is(join("\n", @missing), '', 'each is said in Russian, too');

done_testing();
