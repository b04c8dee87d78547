package B24::Chaos::Php;

# The sample shop, which in addition takes down when it answered.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

use parent 'B24::Shop';


sub answered { return "$_[0]{dir}/files/answered" }


sub _write_pool {
    my ($self, $option) = @_;

    $self->SUPER::_write_pool($option);

    my $script = abs_path(dirname(__FILE__) . '/../..') . '/answered.php';

    open my $out, '>>', "$self->{dir}/fpm.conf"
        or die "$self->{dir}/fpm.conf: $!\n";
    print {$out} "php_admin_value[auto_prepend_file] = $script\n";
    close $out or die "$self->{dir}/fpm.conf: $!\n";

    return;
}


1;
