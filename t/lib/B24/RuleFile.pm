package B24::RuleFile;

# nginx's configuration as "./build.sh replay" needs it: which shops it has,
# line by line, and which server watches which of them.
#
#   my $conf = B24::RuleFile->read('/etc/nginx/nginx.conf');
#   my $shop = $conf->shop('mine');      # a statement, see below
#   my @blocks = $conf->blocks('mine');  # with what they inherit
#   my $server = $conf->server('mine');  # that has "b24_mirror mine"
#
# A statement is a hash: words (without quotes), file, line, and, of one with a
# block, in (a list of statements).  A file without "http" is what stands inside
# of it.

use strict;
use warnings;

use Cwd ();
use File::Basename ();


sub read {
    my ($class, @files) = @_;

    my $self = bless { shops => {}, servers => [], http => [], deep => 0 },
                     $class;

    for my $file (@files) {
        die "there is no $file\n" if !-f $file;

        my $path = Cwd::abs_path($file);

        $self->{folder} = File::Basename::dirname($path);

        my $list = $self->_file($path);
        my @http = map { @{$_->{in}} } grep { $_->{words}[0] eq 'http' } @$list;

        push @{$self->{http}}, @http ? @http : @$list;
    }

    for my $statement (@{$self->{http}}) {
        my ($word, $name) = @{$statement->{words}};

        $self->{shops}{$name // ''} = $statement if $word eq 'b24_shop';
        push @{$self->{servers}}, $statement if $word eq 'server';
    }

    return $self;
}

sub http  { return @{$_[0]{http}} }
sub shop  { return $_[0]{shops}{$_[1]} }
sub names { return sort keys %{$_[0]{shops}} }

# Where a statement stands, for a person.
sub place {
    my ($statement) = @_;

    return File::Basename::basename($statement->{file}) . ":$statement->{line}";
}

# The first server, and the list that has its b24_mirror of that shop.
sub server {
    my ($self, $name) = @_;

    for my $server (@{$self->{servers}}) {
        my $list = _mirror($server->{in}, $name);

        return ($server, $list) if $list;
    }

    return;
}

sub _mirror {
    my ($list, $name) = @_;

    for my $statement (@$list) {
        my @words = @{$statement->{words}};

        return $list if $words[0] eq 'b24_mirror' && $words[1] eq $name;

        my $found = $statement->{in} && _mirror($statement->{in}, $name);
        return $found if $found;
    }

    return;
}

# Name of the first mirror of the first server that has one.
sub first_mirror {
    my ($self) = @_;
    my @lists = map { $_->{in} } @{$self->{servers}};

    while (my $list = shift @lists) {
        for my $statement (@$list) {
            my @words = @{$statement->{words}};

            return $words[1] if $words[0] eq 'b24_mirror' && $words[1] ne 'off';
            push @lists, $statement->{in} if $statement->{in};
        }
    }

    return;
}


# ---- blocks with what they inherit ---------------------------------------

# order, collect and status blocks in the order they are tried: hashes of kind,
# name, statement and lines.
sub blocks {
    my ($self, $name, $depth) = @_;

    my $shop = $self->shop($name) // return;
    my @words = @{$shop->{words}};
    my ($base) = grep { defined && $_ ne ':' } map { s/^:(?=.)//r }
                 @words[2 .. $#words];
    my @base = defined $base && ($depth // 0) < 32
               ? $self->blocks($base, ($depth // 0) + 1) : ();
    my @new;

    for my $statement (@{$shop->{in}}) {
        my ($kind, $block, $off) = @{$statement->{words}};

        next if $kind !~ /^(?:order|collect|status)$/;
        $block //= '';

        if (!$statement->{in}) {
            @base = grep { !($_->{kind} eq $kind && $_->{name} eq $block) }
                         @base if ($off // '') eq 'off';
            next;
        }

        my ($heir) = grep { $_->{kind} eq $kind && $_->{name} eq $block } @base;

        if ($heir) {
            $heir->{lines} = _inherit($heir->{lines}, $statement->{in});
            $heir->{statement} = $statement;
            next;
        }

        push @new, { kind => $kind, name => $block, statement => $statement,
                     lines => [@{$statement->{in}}] };
    }

    return (@new, @base);
}

sub _key {
    my ($statement) = @_;
    my @words = @{$statement->{words}};

    return $words[0] =~ /^(?:deal|contact|company_field|learn)$/
           ? "$words[0] $words[1]" : $words[0];
}

sub _inherit {
    my ($base, $own) = @_;
    my %taken = map { _key($_) => 1 } @$own;

    return [(grep { !$taken{_key($_)} } @$base), @$own];
}


# ---- nginx's syntax ------------------------------------------------------

sub _file {
    my ($self, $path) = @_;

    die "too many files that include each other\n" if ++$self->{deep} > 64;

    open my $in, '<:raw', $path or die "cannot open $path: $!\n";
    my $text = do { local $/; <$in> };
    close $in;

    my $list = $self->_list(\$text, $path, 0);
    $self->{deep}--;

    return $list;
}

sub _list {
    my ($self, $text, $path, $inside) = @_;
    my (@list, @words, $line);

    pos($$text) //= 0;

    while (1) {
        $$text =~ /\G(?:\s+|#[^\n]*)*/gc;

        my $at = 1 + (substr($$text, 0, pos $$text) =~ tr/\n//);

        if ($$text =~ /\G\z/gc) {
            die "$path:$at: a line has no \";\", or a block no \"}\"\n"
                if $inside || @words;
            return \@list;
        }

        if ($$text =~ /\G;/gc) {
            die "$path:$at: unexpected \";\"\n" if !@words;
            push @list, $self->_statement($path, $line, @words);
            @words = ();

        } elsif ($$text =~ /\G\{/gc) {
            die "$path:$at: unexpected \"{\"\n" if !@words;
            push @list, { words => [@words], file => $path, line => $line,
                          in => $self->_block($text, $path, @words) };
            @words = ();

        } elsif ($$text =~ /\G\}/gc) {
            die "$path:$at: unexpected \"}\"\n" if !$inside || @words;
            return \@list;

        } else {
            $line = $at if !@words;
            push @words, _word($text, "$path:$at");
        }
    }
}

# Lua's blocks are not nginx's: what stands there is nothing of ours.
sub _block {
    my ($self, $text, $path, @words) = @_;

    return $self->_list($text, $path, 1) if $words[0] !~ /_by_lua_block$/;

    my $depth = 1;

    while ($depth && $$text =~ /\G[^{}]*([{}])/gc) {
        $depth += $1 eq '{' ? 1 : -1;
    }

    return [];
}

sub _statement {
    my ($self, $path, $line, @words) = @_;

    return { words => \@words, file => $path, line => $line }
        if $words[0] ne 'include' || @words != 2;

    my $files = $words[1] =~ m{^/} ? $words[1] : "$self->{folder}/$words[1]";

    return map { @{$self->_file($_)} } grep { -f } glob "\Q$files\E" =~
           s/\\([*?\[\]])/$1/gr;
}

sub _word {
    my ($text, $place) = @_;

    if ($$text =~ /\G(["'])((?:\\.|(?!\1).)*)\1/gcs) {
        my ($quote, $word) = ($1, $2);

        return $word =~ s/\\(["'\\ trn])/_escaped($1)/ger;
    }

    # "${" is a variable's
    $$text =~ /\G((?:\\.|\$\{|[^\s;{}\\]|\\)+)/gcs
        or die "$place: this can't be read\n";

    my $word = $1;

    $word .= $1 while $word =~ /\$\{[^}]*\z/
                      && $$text =~ /\G(\}(?:\\.|\$\{|[^\s;{}\\])*)/gcs;

    return $word =~ s/\\(["'\\ trn])/_escaped($1)/ger;
}

sub _escaped {
    my ($char) = @_;

    return { t => "\t", r => "\r", n => "\n" }->{$char} // $char;
}

# A word as it is written again.
sub quoted {
    my ($word) = @_;

    return '"' . $word =~ s/(["\\])/\\$1/gr . '"';
}

1;
