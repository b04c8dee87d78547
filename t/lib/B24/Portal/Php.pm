package B24::Portal::Php;

# PHP values and PHP's own ways of reading and writing them.
#
# The server being emulated is written in PHP, and much of what a client can
# stumble over is PHP's: bracketed names, silent cuts, ordered arrays that are
# lists or maps as it happens, numbers that were strings.  All strings here are
# byte strings holding UTF-8, as in PHP.
#
#   null            undef
#   bool            Mojo::JSON::true / false
#   int             a Perl integer (created as a number)
#   float           B24::Portal::Php::Float
#   string          a Perl byte string
#   array           B24::Portal::Php::Array (ordered map, list when 0..n-1)

use strict;
use warnings;
no warnings qw(experimental::builtin recursion);

use Exporter 'import';
use Mojo::JSON ();
use Scalar::Util qw(blessed);

our @EXPORT_OK = qw(
    array_of list_of float_of is_array is_float is_bool is_int is_string
    truthy intval strval numeric to_perl change_key_case
    url_decode parse_str register_variable parse_url json_decode json_encode
);

# PHP's max_input_vars and max_input_nesting_level as shipped
use constant MAX_INPUT_VARS    => 1000;
use constant MAX_INPUT_NESTING => 64;
use constant MAX_JSON_DEPTH    => 512;


sub array_of { return B24::Portal::Php::Array->new(@_) }


sub list_of {
    my $array = B24::Portal::Php::Array->new;
    $array->push($_) for @_;
    return $array;
}


# TEXT: a decimal literal; kept as text, so nothing is ever rounded twice
sub float_of { return bless \(my $text = shift), 'B24::Portal::Php::Float' }


sub is_array { return ref $_[0] eq 'B24::Portal::Php::Array' }
sub is_float { return ref $_[0] eq 'B24::Portal::Php::Float' }
sub is_bool  { return blessed $_[0] && $_[0]->isa('JSON::PP::Boolean') }


sub is_int {
    my ($value) = @_;

    return defined $value && !ref $value && builtin::created_as_number($value);
}


sub is_string {
    my ($value) = @_;

    return defined $value && !ref $value
        && !builtin::created_as_number($value);
}


# (bool) $value
sub truthy {
    my ($value) = @_;

    return 0 if !defined $value;
    return $value->count > 0 ? 1 : 0 if is_array($value);
    return $value ? 1 : 0 if is_bool($value);
    return $$value != 0 ? 1 : 0 if is_float($value);
    return $value eq '' || $value eq '0' ? 0 : 1;
}


# (int) $value; a non-empty array is 1
sub intval {
    my ($value) = @_;

    return 0 if !defined $value;
    return $value->count ? 1 : 0 if is_array($value);
    return $value ? 1 : 0 if is_bool($value);
    $value = $$value if is_float($value);

    return int($1)
        if $value =~ /\A[ \t\n\r\x0b\f]*
                      ([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)/x;
    return 0;
}


# (string) $value; an array is the word "Array"
sub strval {
    my ($value) = @_;

    return '' if !defined $value;
    return 'Array' if is_array($value);
    return $value ? '1' : '' if is_bool($value);

    if (is_float($value)) {
        my $text = $$value;
        $text =~ s/\.?0+\z// if $text =~ /\A-?\d+\.\d+\z/;
        return $text;
    }

    return "$value";
}


# the decimal text (float) $value would stand for; "12 apples" is 12
sub numeric {
    my ($value) = @_;

    return '0' if !defined $value;
    return $value->count ? '1' : '0' if is_array($value);

    my $text = strval($value);

    return '0' if $text !~
        /\A[ \t\n\r\x0b\f]*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?/;

    my ($sign, $whole, $part, $exp) = ($1, $2, $3 // '', $4 // 0);

    return '0' if $whole eq '' && $part eq '';

    if ($exp > 0) {
        $exp = 40 if $exp > 40;
        $part .= '0' x ($exp - length $part) if length $part < $exp;
        $whole .= substr $part, 0, $exp, '';

    } elsif ($exp < 0) {
        $exp = $exp < -40 ? 40 : -$exp;
        $whole = '0' x ($exp - length($whole) + 1) . $whole
            if length $whole <= $exp;
        $part = substr($whole, -$exp, $exp, '') . $part;
    }

    $whole =~ s/\A0+(?=\d)//;
    $whole = '0' if $whole eq '';
    $part =~ s/0+\z//;

    my $number = $part eq '' ? $whole : "$whole.$part";

    return $sign eq '-' && $number ne '0' ? "-$number" : $number;
}


# plain Perl data, for journals and reports (empty arrays become lists)
sub to_perl {
    my ($value) = @_;

    if (is_array($value)) {
        return [map { to_perl($_) } $value->values] if $value->is_list;
        return {map { $_ => to_perl($value->get($_)) } $value->keys};
    }

    return 0 + $$value if is_float($value);
    return $value;
}


# array_change_key_case($array, CASE_UPPER); the first of two equals stays put
sub change_key_case {
    my ($array) = @_;
    my $copy = array_of();

    $copy->set(uc $_, $array->get($_)) for $array->keys;

    return $copy;
}


sub url_decode {
    my ($text) = @_;

    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;

    return $text;
}


# parse_str(): "&" separates, empty parts vanish, variables past the thousandth
# are cut without a word
sub parse_str {
    my ($query, $array) = @_;

    $array //= array_of();

    my $count = 0;

    for my $part (split /&/, $query) {
        next if $part eq '';
        last if ++$count > MAX_INPUT_VARS;

        my ($name, $value) = split /=/, $part, 2;

        register_variable($array, url_decode($name // ''),
                          url_decode($value // ''));
    }

    return $array;
}


# php_register_variable_ex(): how a name with brackets finds its place
sub register_variable {
    my ($array, $name, $value) = @_;

    $name =~ s/\0.*//s;
    $name =~ s/\A +//;

    my ($top, $rest) = $name =~ /\A([^\[]*)(.*)\z/s;

    $top =~ tr/ ./__/;

    return if $top eq '';

    my @path = ($top);

    while ($rest =~ s/\A\[//) {
        return if @path > MAX_INPUT_NESTING;

        if ($rest =~ s/\A[ \t\n\r\x0b\f]?\]//) {
            push @path, undef;

        } elsif ($rest =~ s/\A([^\]]*)\]//) {
            push @path, $1;

        } else {
            # no closing bracket: part of the name at the top, lost below it
            if (@path == 1) {
                $rest =~ tr/ .[/___/;
                $path[0] .= "_$rest";
            }

            last;
        }
    }

    my $last = pop @path;

    for my $key (@path) {
        my $next = defined $key ? $array->get($key) : undef;

        if (!is_array($next)) {
            $next = array_of();
            defined $key ? $array->set($key, $next) : $array->push($next);
        }

        $array = $next;
    }

    defined $last ? $array->set($last, $value) : $array->push($value);

    return;
}


# parse_url() of a batch command: (path, query), either may be undef.
# A raw "#" ends everything before it is looked at; control characters turn
# into "_".
sub parse_url {
    my ($url) = @_;

    $url =~ s/#.*//s;

    my $query = $url =~ s/\?(.*)//s ? $1 : undef;

    for ($url, $query) {
        tr/\x00-\x1f\x7f/_/ if defined;
    }

    return ($url eq '' ? undef : $url, $query);
}


# json_decode($text, true); dies on anything PHP would refuse
sub json_decode {
    my ($text) = @_;

    my $probe = $text;
    die "malformed UTF-8\n" if !utf8::decode($probe)
        || $probe =~ /[\x{d800}-\x{dfff}]/;

    pos($text) = 0;
    my $value = _json_value(\$text, 1);
    $text =~ /\G[ \t\n\r]*/gc;

    die "syntax error\n" if pos($text) < length $text;

    return $value;
}


sub _json_value {
    my ($text, $depth) = @_;

    $$text =~ /\G[ \t\n\r]*/gc;

    if ($$text =~ /\G"/gc) {
        return _json_string($text);
    }

    if ($$text =~ /\G(-?(?:0|[1-9][0-9]*))
                   ((?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/gcx)
    {
        return _json_number($1, $2);
    }

    if ($$text =~ /\G([\{\[])/gc) {
        die "too deep\n" if $depth > MAX_JSON_DEPTH;
        return $1 eq '{' ? _json_object($text, $depth + 1)
                         : _json_list($text, $depth + 1);
    }

    return Mojo::JSON->true if $$text =~ /\Gtrue/gc;
    return Mojo::JSON->false if $$text =~ /\Gfalse/gc;
    return undef if $$text =~ /\Gnull/gc;

    die "syntax error\n";
}


sub _json_number {
    my ($whole, $rest) = @_;

    if ($rest eq '' && length $whole < 19) {
        return 0 + $whole;
    }

    return float_of(_shortest("$whole$rest"));
}


# the shortest text that reads back as the same double
sub _shortest {
    my ($literal) = @_;

    $literal = unpack 'd', pack 'd', $literal;

    for my $digits (15, 16, 17) {
        my $text = sprintf "%.${digits}g", $literal;
        return _php_float($text)
            if $digits == 17 || unpack('d', pack 'd', $text) == $literal;
    }

    return;
}


# the notation of C turned into PHP's: plain digits for 1e-4 .. 1e17, else
# 1.0e+17
sub _php_float {
    my ($text) = @_;

    my ($mantissa, $exp) = $text =~ /\A([^e]+)e([+-]\d+)\z/ or return $text;

    return numeric($text) if $exp >= -4 && $exp < 17;

    $mantissa .= '.0' if $mantissa !~ /\./;

    return sprintf '%se%+d', $mantissa, $exp;
}


sub _json_string {
    my ($text) = @_;

    my $string = '';

    for ( ;; ) {
        $string .= $1 if $$text =~ /\G([^"\\\x00-\x1f]+)/gc;

        return $string if $$text =~ /\G"/gc;

        if ($$text =~ /\G\\(["\\\/bfnrt])/gc) {
            my $char = $1;
            $char =~ tr/bfnrt/\b\f\n\r\t/;
            $string .= $char;

        } elsif ($$text =~ /\G\\u([0-9A-Fa-f]{4})/gc) {
            my $code = hex $1;

            if ($code >= 0xd800 && $code <= 0xdbff
                && $$text =~ /\G\\u([dD][c-fC-F][0-9A-Fa-f]{2})/gc)
            {
                $code = 0x10000 + (($code - 0xd800) << 10)
                      + (hex($1) - 0xdc00);
            }

            die "single surrogate\n" if $code >= 0xd800 && $code <= 0xdfff;

            my $char = chr $code;
            utf8::encode($char);
            $string .= $char;

        } else {
            die "bad string\n";
        }
    }
}


sub _json_list {
    my ($text, $depth) = @_;

    my $list = array_of();

    return $list if $$text =~ /\G[ \t\n\r]*\]/gc;

    for ( ;; ) {
        $list->push(_json_value($text, $depth));

        return $list if $$text =~ /\G[ \t\n\r]*\]/gc;

        $$text =~ /\G[ \t\n\r]*,/gc or die "syntax error\n";
    }
}


sub _json_object {
    my ($text, $depth) = @_;

    my $map = array_of();

    return $map if $$text =~ /\G[ \t\n\r]*\}/gc;

    for ( ;; ) {
        $$text =~ /\G[ \t\n\r]*"/gc or die "syntax error\n";

        my $key = _json_string($text);

        $$text =~ /\G[ \t\n\r]*:/gc or die "syntax error\n";
        $map->set($key, _json_value($text, $depth));

        return $map if $$text =~ /\G[ \t\n\r]*\}/gc;

        $$text =~ /\G[ \t\n\r]*,/gc or die "syntax error\n";
    }
}


# json_encode() with the flags of the server: quotes, ampersands and angle
# brackets as \u00XX, "/" escaped, everything outside ASCII as \uXXXX, an empty
# array as [].  Dies when a string isn't UTF-8.
sub json_encode {
    my ($value) = @_;

    return 'null' if !defined $value;

    my $type = ref $value;

    if ($type eq '') {
        return builtin::created_as_number($value) ? "$value"
                                                  : _json_quote($value);
    }

    if ($type eq 'B24::Portal::Php::Array') {
        return '[' . join(',', map { json_encode($_) } $value->values) . ']'
            if $value->is_list;

        return '{' . join(',', map {
            _json_quote($_) . ':' . json_encode($value->get($_))
        } $value->keys) . '}';
    }

    if ($type eq 'ARRAY') {
        return '[' . join(',', map { json_encode($_) } @$value) . ']';
    }

    if ($type eq 'B24::Portal::Php::Float') {
        my $text = $$value;
        $text =~ s/\.?0+\z// if $text =~ /\A-?\d+\.\d+\z/;
        return $text;
    }

    return $value ? 'true' : 'false' if is_bool($value);

    die "cannot encode $type\n";
}


my %json_escape = (
    '"' => '\u0022', '&' => '\u0026', "'" => '\u0027', '<' => '\u003C',
    '>' => '\u003E', '/' => '\/', '\\' => '\\\\', "\b" => '\b',
    "\f" => '\f', "\n" => '\n', "\r" => '\r', "\t" => '\t',
);


sub _json_quote {
    my ($text) = @_;

    if ($text =~ /[\x80-\xff]/) {
        die "wrong encoding\n" if !utf8::decode($text)
            || $text =~ /[\x{d800}-\x{dfff}]/;
    }

    $text =~ s{([^ !\#\$%()*+,\-.0-9:;=?\@A-Z\[\]^_`a-z\{|\}~\x7f])}
              {$json_escape{$1} // _json_unicode(ord $1)}ge;

    return qq{"$text"};
}


sub _json_unicode {
    my ($code) = @_;

    return sprintf '\u%04x', $code if $code < 0x10000;

    $code -= 0x10000;

    return sprintf '\u%04x\u%04x', 0xd800 + ($code >> 10),
                                   0xdc00 + ($code & 0x3ff);
}


package B24::Portal::Php::Float;

use strict;
use warnings;


package B24::Portal::Php::Array;

# An ordered map.  Keys that read as integers are integers to PHP; here they
# stay strings and count only for the next free index and for being a list.

use strict;
use warnings;


sub new {
    my ($class, @pairs) = @_;

    my $self = bless {keys => [], map => {}, next => 0}, $class;

    while (my ($key, $value) = splice @pairs, 0, 2) {
        $self->set($key, $value);
    }

    return $self;
}


sub set {
    my ($self, $key, $value) = @_;

    if (!exists $self->{map}{$key}) {
        push @{$self->{keys}}, "$key";

        if ($key =~ /\A(?:0|-?[1-9][0-9]{0,17})\z/ && $key >= $self->{next}) {
            $self->{next} = $key + 1;
        }
    }

    $self->{map}{$key} = $value;

    return $self;
}


sub push {
    my ($self, $value) = @_;

    return $self->set($self->{next}, $value);
}


sub get   { return $_[0]{map}{$_[1]} }
sub has   { return exists $_[0]{map}{$_[1]} }
sub count { return scalar @{$_[0]{keys}} }
sub keys  { return @{$_[0]{keys}} }


sub values {
    my ($self) = @_;

    return map { $self->{map}{$_} } @{$self->{keys}};
}


sub remove {
    my ($self, $key) = @_;

    return if !exists $self->{map}{$key};

    @{$self->{keys}} = grep { $_ ne $key } @{$self->{keys}};

    return delete $self->{map}{$key};
}


sub is_list {
    my ($self) = @_;

    my $index = 0;

    for my $key (@{$self->{keys}}) {
        return 0 if $key ne $index++;
    }

    return 1;
}


1;
