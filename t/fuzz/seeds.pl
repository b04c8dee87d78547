#!/usr/bin/perl

# Inputs for a fuzz target made of the recorded exchanges:
#
#   perl -It/lib t/fuzz/seeds.pl TARGET FOLDER
#
# What a target takes is told in its file.  Targets whose input is a plan get
# nothing.  Large texts are cut: a fuzzer gets nowhere with them, and each is
# seen whole in the tests of its shop.

use strict;
use warnings;

use B24::Recording qw(head_and_body header_values unchunk);

my ($target, $folder) = @ARGV;

die "seeds.pl TARGET FOLDER\n" if !defined $folder;

use constant MOST => 6000;

my (%seen, $n);

for my $path (sort glob 't/recordings/*-*') {
    for my $exchange (B24::Recording->load($path)->exchanges) {
        seed($_) for inputs($exchange);
    }
}


sub seed {
    my ($input) = @_;

    return if !length $input || $seen{$input}++;

    my $path = sprintf '%s/recorded-%03d', $folder, ++$n;

    open my $out, '>:raw', $path or die "can't write $path: $!\n";
    print $out $input;
    close $out or die "can't write $path: $!\n";
}

sub inputs {
    my ($exchange) = @_;

    my ($head) = head_and_body($exchange->{request});
    my ($type) = (header_values($head, 'Content-Type'), '');
    my $body = $exchange->{body} // '';
    my ($answer_head, $answer) = answer($exchange);
    my ($answer_type) = (header_values($answer_head, 'Content-Type'), '');
    my ($query) = $exchange->{target} =~ /\?(.*)/s;

    my $is_json = $answer_type =~ /json/;

    return $exchange->{target} if $target eq 'uri';
    return ($query // '', $type =~ /urlencoded/ ? cut($body) : ())
        if $target eq 'form';
    return $type =~ /multipart/ ? "$type\n" . cut($body) : ()
        if $target eq 'multipart';
    return $is_json ? cut($answer) : () if $target eq 'json';
    return map { "$_\n" . cut($answer) } $is_json ? ('/a/0/b', '/[last]') : ()
        if $target eq 'pointer';
    return $is_json ? () : literals($answer) if $target eq 'js';
    return chr(0) . cut($answer) if $target eq 'text';
    return exchange($exchange, $type, $body, $is_json, $answer)
        if $target =~ /^(?:extract|collect)$/;

    return;
}

sub answer {
    my ($exchange) = @_;

    return ('', '') if !defined $exchange->{response};

    my ($head, $body) = head_and_body($exchange->{response});

    if ($head =~ /^Transfer-Encoding:\s*chunked/mi) {
        ($body) = unchunk($body);
    }

    return ($head, $body // '');
}

sub cut {
    my ($text) = @_;

    return substr $text, 0, MOST;
}

# what stands behind a name in a page
sub literals {
    my ($page) = @_;
    my @found;

    while ($page =~ /\w\s*[=(:]\s*([{\[][^<]{10,})/g && @found < 5) {
        push @found, cut($1);
    }

    return @found;
}

# exchange.h: four bytes of choice, the length of the request's body
sub exchange {
    my ($exchange, $type, $body, $is_json, $answer) = @_;

    my $is = $type =~ /urlencoded/ ? 1 : $type =~ /multipart/ ? 2 : 0;

    $body = cut($body);

    return pack('C4 n', 0, $is, $is_json ? 0 : 1, 0, length $body) . $body
           . cut($answer);
}
