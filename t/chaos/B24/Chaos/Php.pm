package B24::Chaos::Php;

# The sample shop, which in addition takes down when it answered.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

use parent 'B24::Shop';


sub answered { return "$_[0]{dir}/files/answered" }


sub pool {
    my ($self, %option) = @_;

    my ($env, $set) = $self->SUPER::pool(%option);
    my $script = abs_path(dirname(__FILE__) . '/../..') . '/answered.php';

    return ($env, { %$set,
                    'php_admin_value[auto_prepend_file]' => $script });
}


1;
